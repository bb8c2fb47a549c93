# SPDX-License-Identifier: Apache-2.0
"""Thousands of clients at a time, each with a request outstanding; and a server that is killed under load.

Under BANYAN_PROOF=1 it is 15,000 clients over 4,000 upstream connections: 19,000 descriptors in the gateway, of the 20,000
that a process commonly has. The clients and the upstream are processes of their own (tests/plays/crowd)."""
import json
import os
import pathlib
import select
import subprocess
import sys

import pytest

from actors.gateway import everything_to
from actors.process import Program
from actors.waiting import PATIENCE_S, PROOF, until

CROWD = pathlib.Path(__file__).parent / "crowd"
MANY = PROOF and "tsan" not in os.environ.get("BANYAN_BUILD", "")  # ThreadSanitizer can tell 8,000 fibers apart
CLIENTS, CONNECTIONS = (15000, 4000) if MANY else (3000, 800)
ROUNDS = 2  # the second one on the connections of the first
AT_A_TIME = 16  # requests at each server of two
LONG = "timeouts: { connect: 60s, head: 10m, request: 10m }"


class Spoken(Program):
    """A program that is told a word a line and answers each with a line."""

    def __init__(self, folder, name, script, *words):
        super().__init__(name, folder, [sys.executable, CROWD / script, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         bufsize=0)
        word, self.address = self.line().split()
        assert word == "ready", self.report()

    def line(self, within=PATIENCE_S * 6):
        assert select.select([self.process.stdout], [], [], within)[0], f"{self.name} says nothing\n{self.report()}"
        line = self.process.stdout.readline().decode()
        assert line, f"{self.name} has ended\n{self.report()}"
        return line

    def tell(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        return json.loads(self.line())

    def finish(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.wait(PATIENCE_S)


@pytest.fixture
def origin(stage):
    def start(*words):
        actor = Spoken(stage.folder, f"origin{stage.count(Spoken)}", "origin.py", *words)
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def clients(stage):
    def start(gw, count):
        actor = Spoken(stage.folder, "clients", "clients.py", gw.address, count)
        return stage.enter(actor, actor.finish)
    return start


def peak_memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


def test_a_crowd_with_a_request_outstanding_each_is_answered_without_a_failure(gateway, origin, clients):
    shop = origin()
    gw = gateway(everything_to(shop, upstream=f"max_connections: {CONNECTIONS}, queue: {{ length: {CLIENTS}, timeout: 10m }}, {LONG}"))
    crowd = clients(gw, CLIENTS)
    for _ in range(ROUNDS):
        shop.tell("hold")
        assert crowd.tell("ask") == {"asked": CLIENTS}
        until(lambda: shop.tell("count")["held"] == CONNECTIONS, f"{CONNECTIONS} requests at the server", within=PATIENCE_S * 6)
        until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == CLIENTS - CONNECTIONS, "all others wait",
              within=PATIENCE_S * 6)
        gw.wait_metric("banyan_connections_active", CLIENTS + 1)  # and who asks for the metrics
        scrape = gw.scrape()
        assert scrape.value("banyan_upstream_connections", upstream="shop") == CONNECTIONS
        assert shop.tell("count")["connections"] == CONNECTIONS
        shop.tell("release")
        assert crowd.tell("answers") == {"GET": {"right": CLIENTS}, "POST": {}}
    gw.wait_metric("banyan_requests_total", CLIENTS * ROUNDS, route="all")
    scrape = gw.scrape()
    assert scrape.value("banyan_requests_total", route="all", **{"class": "2xx"}) == CLIENTS * ROUNDS
    assert scrape.value("banyan_upstream_retries_total") == 0
    assert scrape.value("banyan_accept_pauses_total") == 0
    print(f"{CLIENTS} requests at a time, {CLIENTS - CONNECTIONS} of them in the queue: at most {peak_memory(gw.pid)} MiB")


@pytest.mark.parametrize("time", range(20 if PROOF else 3))
def test_a_server_of_two_is_killed_under_load(gateway, origin, clients, stage, time):
    """Every GET is answered; of the POSTs at most those in flight on that server fail, each with a problem document, and none is
    sent twice."""
    journals = [stage.folder / "killed.journal", stage.folder / "other.journal"]
    killed, other = (origin("--delay", 20, "--journal", journal) for journal in journals)
    servers = ", ".join(f'{{ address: "{server.address}", max_connections: {AT_A_TIME} }}' for server in (killed, other))
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ {servers} ] }} }}
        routes: [ {{ name: all, to: shop }} ]
    """)
    crowd = clients(gw, AT_A_TIME * 4)
    crowd.tell("load")
    until(lambda: min(server.tell("count")["answered"] for server in (killed, other)) > 10 * AT_A_TIME, "load on both")
    killed.kill()
    before = other.tell("count")["answered"]
    until(lambda: other.tell("count")["answered"] > before + 20 * AT_A_TIME, "load on the one that is left")
    outcome = crowd.tell("stop")
    assert set(outcome["GET"]) == {"right"}, outcome
    assert set(outcome["POST"]) <= {"right", "502 urn:banyan:problem:upstream.closed"}, outcome
    failed = sum(outcome["POST"].values()) - outcome["POST"]["right"]
    assert failed <= AT_A_TIME
    arrived = [line for journal in journals for line in journal.read_text().splitlines() if line.startswith("POST ")]
    assert len(set(arrived)) == len(arrived)
    assert outcome["POST"]["right"] <= len(arrived) <= outcome["POST"]["right"] + failed
    gw.wait_metric("banyan_requests_total", failed, route="all", **{"class": "5xx"})
