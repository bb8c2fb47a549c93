# SPDX-License-Identifier: Apache-2.0
"""What the gateway makes of more than a thousand requests, well-formed, hostile and mutated, read by others.

Each request goes through the gateway to a recorder of exact bytes. What comes out is read by our own strict reader and sent
as it is to gunicorn, uvicorn and nginx: all must see the same one request, method, path, query, fields in their order, body.
What does not come out must have been refused, with the connection closed or in step."""
import concurrent.futures
import dataclasses
import threading

import pytest

from actors import http1, peers
from actors.bystander import Bystander
from actors.client import Wire
from actors.gateway import everything_to
from actors.h2wire import H2Wire, get
from actors.waiting import PROOF
from corpus import requests

MUTATIONS = 20000 if PROOF else 1000
H2C = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]\n'
PROBE = http1.request("GET", "/probe")
AT_ONCE = 64  # faults of a connection before a new one is taken: at a hundred the gateway ends it


class Recorder:
    """The server of the plays that keeps each request's bytes; says in its answer which request it answers."""

    def __init__(self, stage):
        self.taken, self.lock = [], threading.Lock()
        self.upstream = stage.upstream(script=self.serve)

    def serve(self, connection):
        while asked := connection.request():
            with self.lock:
                self.taken.append(asked)
            body = asked.target.encode()
            answer = http1.reply(200, body)
            connection.send(answer if asked.method != "HEAD" else answer[:len(answer) - len(body)])
        assert not connection.reader.buffer, "bytes after the last request"


@dataclasses.dataclass
class Outcome:
    case: requests.Case
    protocol: int
    taken: list            # what came out, without probes
    refused: int = 0       # the status it was refused with; 0: it was not
    faults: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return f"HTTP/{self.protocol} {self.case.kind} {self.case.name!r}: {'; '.join(self.faults)}"


class Trial:
    """Sends cases through the gateway one by one and looks at what comes out."""

    def __init__(self, gw, recorder):
        self.gw, self.recorder = gw, recorder
        self.wire = self.h2 = None
        self.faults_left = 0

    # HTTP/1

    def on_a_kept_connection(self, case):
        """A well-formed one: the connection is used for the next."""
        before = len(self.recorder.taken)
        outcome = Outcome(case, 1, [])
        try:
            self.wire = self.wire or Wire(self.gw)
            answer = self.wire.ask(case.raw, case.method)
            if answer.status >= 400:
                outcome.refused = answer.status
            elif case.method != "HEAD" and answer.text != case.target:
                outcome.faults.append(f"answered as if for {answer.text!r}")
            if case.closes != self.closes():
                outcome.faults.append(f"the connection {'stays' if case.closes else 'does not stay'}")
        except (http1.Closed, OSError, AssertionError) as error:
            outcome.faults.append(repr(error))
            self.wire = None
        outcome.taken = self.recorder.taken[before:]
        return outcome

    def closes(self):
        """In step is what answers a probe, and counts as one request more."""
        try:
            assert self.wire.ask(PROBE).text == "/probe"
            assert self.recorder.taken.pop().target == "/probe"
            return False
        except (http1.Closed, OSError):
            self.wire.close()
            self.wire = None
            return True

    def on_its_own_connection(self, case):
        """With a probe behind it and the end of what we say: every answer is for what came out, in that order."""
        before = len(self.recorder.taken)
        outcome, answers = Outcome(case, 1, []), []
        with Wire(self.gw) as wire:
            try:
                wire.send(case.raw + PROBE).half_close()
                while True:
                    answers.append(wire.answer())
            except (http1.Closed, OSError):
                pass
            except AssertionError as error:
                outcome.faults.append(repr(error))
        taken = self.recorder.taken[before:]
        if [answer.text for answer in answers if answer.status == 200] != [asked.target for asked in taken][:len(answers)]:
            outcome.faults.append(f"answers {[answer.start for answer in answers]} for {[asked.target for asked in taken]}")
        refusals = [answer.status for answer in answers if answer.status >= 400]
        outcome.refused = refusals[0] if refusals else 0
        outcome.taken = [asked for asked in taken if asked.target != "/probe"]
        return outcome

    # HTTP/2

    def as_a_stream(self, case):
        before = len(self.recorder.taken)
        outcome = Outcome(case, 2, [])
        if self.h2 is None or self.faults_left == 0:
            self.h2 = H2Wire(self.gw)
            self.faults_left = AT_ONCE
        stream = self.h2.ask(case.fields, case.body, case.trailers)
        if stream.reset is not None or stream.headers is None:
            outcome.refused = 400
            self.faults_left -= 1
        elif stream.status >= 400:
            outcome.refused = stream.status
        if self.h2.closed or self.h2.goaway is not None:
            self.h2 = None
        elif self.h2.ask(get("/probe")).body == b"/probe":
            self.recorder.taken.pop()
        else:
            outcome.faults.append("the connection is out of step")
        outcome.taken = self.recorder.taken[before:]
        return outcome


def headers_of(pairs, names):
    return [(name.lower(), value) for name, value in pairs if name.lower() in names]


def judge(outcome):
    """Adds what is wrong with it."""
    case, taken, faults = outcome.case, outcome.taken, outcome.faults
    if case.kind == requests.BAD and (taken or not outcome.refused):
        faults.append(f"it was let through: {[asked.raw[:200] for asked in taken]}")
    if case.kind != requests.GOOD:
        return outcome
    if len(taken) != 1:
        faults.append(f"{len(taken)} requests came out, answered {outcome.refused}")
        return outcome
    names = {name.lower() for name, _ in case.headers}
    for what, want, came in (("method", case.method, taken[0].method), ("target", case.target, taken[0].target), ("body", case.body or b"", taken[0].body),
                             ("fields", headers_of(case.headers, names), headers_of(taken[0].headers, names))):
        if want != came:
            faults.append(f"{what}: {came!r:.200} instead of {want!r:.200}")
    return outcome


def through_the_gateway(gw, recorder):
    trial = Trial(gw, recorder)
    for case in requests.corpus(MUTATIONS):
        if case.raw is not None:
            yield judge(trial.on_a_kept_connection(case) if case.kind == requests.GOOD else trial.on_its_own_connection(case))
        if case.fields is not None:
            yield judge(trial.as_a_stream(case))


@dataclasses.dataclass
class Readings:
    """What a peer made of all that came out."""
    same: int = 0
    refused: int = 0
    differs: list = dataclasses.field(default_factory=list)


def read_by(peer, all_taken):
    """A peer that refuses by a rule of its own has not read it in another way; one that reads it must read the same."""
    readings = Readings()
    for asked in all_taken:
        ours = peers.seen_of(asked)
        theirs = peer.replay(asked.raw, asked.method)
        want = peer.shown(ours)
        if theirs == [want]:
            readings.same += 1
        elif theirs == [None] and peer.may_refuse(ours):
            readings.refused += 1
        else:
            peer.drop()  # whatever is left there is not the next one's fault
            readings.differs.append(f"{peer.name} {asked.raw[:300]}: " + (
                f"{len(theirs)} requests" if len(theirs) != 1 else "refused" if theirs[0] is None else "; ".join(theirs[0].differs(want)))[:600])
    return readings


@pytest.fixture(scope="module")
def run(long_stage):
    """(outcomes, {peer: readings}, peers); another client is served all the time."""
    recorder = Recorder(long_stage)
    gw = long_stage.gateway(everything_to(recorder.upstream, more=H2C))
    calm = long_stage.upstream()
    other = long_stage.gateway(everything_to(calm))
    with Bystander(other) as bystander:
        outcomes = list(through_the_gateway(gw, recorder))
    assert not bystander.failures
    taken = [asked for outcome in outcomes for asked in outcome.taken]
    cast = peers.all_peers(long_stage)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        readings = dict(zip((peer.name for peer in cast), pool.map(read_by, cast, [taken] * len(cast))))
    return outcomes, readings, cast


def faults(outcomes, kind):
    return [str(outcome) for outcome in outcomes if outcome.case.kind == kind and outcome.faults]


def test_every_well_formed_request_comes_out_once_and_means_the_same(run):
    assert faults(run[0], requests.GOOD) == []


def test_every_hostile_request_is_refused(run):
    assert faults(run[0], requests.BAD) == []


def test_a_mutated_request_is_refused_or_answered_in_step(run):
    assert faults(run[0], requests.EITHER) == []


@pytest.mark.parametrize("name", ["gunicorn", "uvicorn", "nginx"])
def test_it_is_read_the_same_by(run, name):
    assert run[1][name].differs == []


def test_every_exception_is_needed(run):
    assert {key for peer in run[2] for key in peer.used} == {row[0] + ": " + row[2] for row in peers.PRESENTATION + peers.REFUSALS}


def test_the_counts(run, capsys):
    outcomes, readings, _ = run
    taken = [(outcome, asked) for outcome in outcomes for asked in outcome.taken]
    good = sum(outcome.case.kind == requests.GOOD for outcome, _ in taken)
    with capsys.disabled():
        print(f"\n{len(outcomes)} requests sent ({sum(outcome.protocol == 2 for outcome in outcomes)} over HTTP/2): {len(taken)} passed on ({good} well-formed), "
              f"{sum(not outcome.taken for outcome in outcomes)} not; read the same by " + ", ".join(
                  f"{name} {reading.same} ({reading.refused} refused)" for name, reading in readings.items()))
    assert len(outcomes) >= 500 and len(taken) >= 500
    assert PROOF or good > len(taken) / 2
    for reading in readings.values():
        assert reading.same + reading.refused == len(taken) and reading.refused < len(taken) / 20
