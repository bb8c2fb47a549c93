# SPDX-License-Identifier: Apache-2.0
"""Servers that fail the requests they are given are left alone for a while, and come back slowly."""
import contextlib
import json

import pytest

from actors.client import Wire
from actors.gateway import everything_to
from actors.http1 import Closed, reply, request
from actors.waiting import always, until
from actors.websocket import HANDSHAKE, SWITCH

QUICK = "outlier: { failures: 3, interval: 100ms, ejection: 1m, ejection_max: 1m }"
SHORT = "outlier: { failures: 3, interval: 100ms, ejection: 300ms, ejection_max: 10s }"


def named(name):
    return lambda asked: reply(200, name.encode())


class Moody:
    """An answer that changes when the play says so."""

    def __init__(self, name):
        self.name, self.status = name, 200

    def __call__(self, asked):
        return reply(self.status, self.name.encode())


def state_of(gw, server, upstream="shop"):
    status, _, text = gw.ask_admin("/upstreams")
    assert status == 200
    return next(one for up in json.loads(text) if up["name"] == upstream for one in up["servers"] if one["address"] == server.address)


def is_ejected(gw, server):
    return state_of(gw, server)["ejected"]


def ask_until_ejected(client, gw, server):
    until(lambda: client.get(gw) and is_ejected(gw, server), "the server is ejected")
    gw.wait_metric("banyan_upstream_server_ejected", 1, server=server.address)


@pytest.mark.parametrize("status, counts", [(500, True), (502, True), (503, True), (504, True), (501, False), (404, False), (429, False)])
def test_what_counts_as_a_failure(gateway, upstream, client, status, counts):
    ill, good = upstream(answer=reply(status)), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream=f"balance: round_robin, {QUICK}", more="threads: 1"))
    statuses = [client.get(gw).status for _ in range(20)]
    assert statuses.count(status) == (3 if counts else 10)
    assert gw.metric("banyan_upstream_ejections_total", server=ill.address) == counts
    assert is_ejected(gw, ill) == counts


def cut(connection):
    connection.request()
    connection.reset()


def truncate(connection):
    while connection.request():
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        connection.close()


def babble(connection):
    connection.request()
    connection.send(b"I do not speak HTTP\r\n\r\n")


@pytest.mark.parametrize("script", [cut, truncate, babble])
def test_broken_answers_count_too(gateway, upstream, script):
    ill, good = upstream(script=script), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream=f"balance: round_robin, retry: 1, {QUICK}", more="threads: 1"))
    for _ in range(20):
        with Wire(gw) as wire, contextlib.suppress(Closed):
            wire.ask(request())
    until(lambda: is_ejected(gw, ill), "it is ejected")
    assert len(ill.requests) == 3


def test_an_answer_that_does_not_come_counts(gateway, upstream, client):
    ill, good = upstream(hold=True), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream=f"balance: round_robin, timeouts: {{ head: 50ms }}, {QUICK}", more="threads: 1"))
    assert [client.get(gw).status for _ in range(12)].count(504) == 3
    assert is_ejected(gw, ill)


def test_refused_connections_count(gateway, upstream, client):
    """Beside the second that a server which refuses is passed over anyhow."""
    ill, good = upstream(), upstream(answer=named("good"))
    ill.stop()
    gw = gateway(everything_to(ill, good, upstream=QUICK))
    until(lambda: client.get(gw).text == "good" and is_ejected(gw, ill), "it is ejected")


def test_a_success_in_between_starts_the_count_anew(gateway, upstream, client):
    count = iter(range(10**6))
    moody, good = upstream(answer=lambda asked: reply(200 if next(count) % 3 == 2 else 500)), upstream(answer=named("good"))
    gw = gateway(everything_to(moody, good, upstream=f"balance: round_robin, {QUICK}", more="threads: 1"))
    for _ in range(40):
        client.get(gw)
    assert gw.metric("banyan_upstream_ejections_total") == 0 and len(moody.requests) == 20


def test_clients_that_leave_are_not_held_against_the_server(gateway, upstream, client):
    slow, good = upstream(hold=True), upstream(answer=named("good"))
    gw = gateway(everything_to(slow, good, upstream=f"balance: round_robin, {QUICK}", more="threads: 1"))
    for _ in range(10):
        with client.connect(gw) as wire:
            before = len(slow.requests) + len(good.requests)
            wire.send(request())
            until(lambda: len(slow.requests) + len(good.requests) > before, "it has arrived")
            wire.reset()
    assert gw.metric("banyan_upstream_ejections_total") == 0
    slow.release()


def test_a_tunnel_that_opens_is_a_success(gateway, upstream, client):
    """It ends a row of failures, as any answer does."""
    def serving(status):
        def script(connection):
            while asked := connection.request():
                connection.send(SWITCH if asked.headers.get("upgrade") else reply(status))
        return script

    ill, good = upstream(script=serving(500)), upstream(script=serving(200))
    gw = gateway(everything_to(ill, good, upstream=f"balance: round_robin, {QUICK}", more="threads: 1"))

    def to_both(data):
        return {client.raw(gw, data).status for _ in range(2)}

    for _ in range(5):
        assert to_both(request()) == to_both(request()) == {200, 500}
        assert to_both(HANDSHAKE) == {101}
    assert gw.metric("banyan_upstream_ejections_total") == 0
    ask_until_ejected(client, gw, ill)


def test_failures_are_counted_over_all_threads(gateway, upstream, client):
    ill, good = upstream(answer=reply(500)), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream="balance: round_robin, outlier: { failures: 10, interval: 100ms, ejection: 1m }",
                               more="threads: 4"))
    answers = [client.get(gw).status for _ in range(80)]
    assert answers.count(500) == 10


def test_the_only_server_stays_whatever_it_does(gateway, upstream, client):
    ill = upstream(answer=reply(500))
    gw = gateway(everything_to(ill, upstream=QUICK))
    assert {client.get(gw).status for _ in range(20)} == {500}
    assert gw.metric("banyan_upstream_ejections_total") == 0


def test_at_most_a_share_is_out_but_one_always_may_be(gateway, upstream, client):
    ill = [upstream(answer=reply(500)) for _ in range(4)]
    gw = gateway(everything_to(*ill, upstream=QUICK))
    for _ in range(40):
        client.get(gw)
    assert sum(is_ejected(gw, server) for server in ill) == 1
    gw.reload(everything_to(*ill, upstream="outlier: { failures: 3, interval: 100ms, ejection: 1m, max_ejected: 100% }"))
    for _ in range(40):
        client.get(gw)
    assert sum(is_ejected(gw, server) for server in ill) == 3, "the last one never"


def test_the_last_one_that_is_up_is_never_ejected(gateway, upstream, client):
    """Health checks have the others out already."""
    down = upstream(answer=lambda asked: reply(500 if asked.target == "/health" else 200))
    ill = upstream(answer=lambda asked: reply(200 if asked.target == "/health" else 500))
    gw = gateway(everything_to(down, ill, upstream=f"health: {{ path: /health, interval: 1s, timeout: 1s, fall: 1 }}, {QUICK}"))
    until(lambda: gw.metric("banyan_upstream_server_up", server=down.address) == 0, "one is down")
    assert {client.get(gw).status for _ in range(10)} == {500}
    assert gw.metric("banyan_upstream_ejections_total") == 0


def test_an_ejected_server_is_used_when_no_other_is_left(gateway, upstream, client):
    mood = Moody("ill")
    ill, good = upstream(answer=mood), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream=QUICK, more="threads: 1"))
    mood.status = 500
    ask_until_ejected(client, gw, ill)
    mood.status = 200
    assert {client.get(gw).text for _ in range(10)} == {"good"}
    good.stop()
    until(lambda: client.get(gw).text == "ill", "better that one than none")


def test_it_comes_back_and_the_log_says_why_it_was_gone(gateway, upstream, client):
    mood = Moody("moody")
    moody, good = upstream(answer=mood), upstream(answer=named("good"))
    gw = gateway(everything_to(moody, good, upstream=SHORT))
    mood.status = 503
    ask_until_ejected(client, gw, moody)
    mood.status = 200
    until(lambda: not is_ejected(gw, moody), "it is back")
    until(lambda: client.get(gw).text == "moody", "and gets its requests")
    log = [json.loads(line) for line in gw.stderr.splitlines() if moody.address in line]
    assert [(line["level"], line["upstream"], line["server"]) for line in log] == [("warn", "shop", moody.address),
                                                                                ("info", "shop", moody.address)]
    assert log[0]["msg"] == "server is ejected for 0.3 s: 3 failures in a row, the last: it answered 503"
    assert log[1]["msg"] == "server is back after its ejection"


def test_each_time_it_is_longer_and_good_times_are_counted_in_its_favour(gateway, upstream, client):
    mood = Moody("moody")
    moody, good = upstream(answer=mood), upstream(answer=named("good"))
    gw = gateway(everything_to(moody, good, upstream="balance: round_robin, outlier: { failures: 2, interval: 5s, ejection: 100ms }"))

    def seconds():
        return [float(line.split("ejected for ")[1].split(" s")[0]) for line in gw.stderr.splitlines() if "ejected for" in line]

    mood.status = 500
    until(lambda: client.get(gw) and len(seconds()) == 1, "ejected once")
    until(lambda: client.get(gw) and len(seconds()) == 2, "and again")
    assert seconds() == [0.1, 0.2]


def test_ejection_outlives_a_reload_that_changes_something_else(gateway, upstream, client):
    ill, good, more = upstream(answer=reply(500)), upstream(answer=named("good")), upstream(answer=named("more"))
    gw = gateway(everything_to(ill, good, upstream=QUICK))
    ask_until_ejected(client, gw, ill)
    gw.reload(everything_to(ill, good, more, upstream=QUICK))
    assert is_ejected(gw, ill)
    asked = len(ill.requests)
    assert {client.get(gw).text for _ in range(30)} == {"good", "more"} and len(ill.requests) == asked
    gw.reload(everything_to(ill, good, more, upstream="outlier: 0"))
    assert not is_ejected(gw, ill)
    until(lambda: client.get(gw).status == 500, "it is used again")


def test_waiters_are_not_kept_for_an_ejected_server(gateway, upstream, client):
    """Who stands in line for it goes to the other; the line is looked at when it is ejected."""
    ill, good = upstream(hold=True, answer=reply(500)), upstream(hold=True, answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream=f"max_connections: 2, queue: 10, balance: round_robin, {QUICK}", more="threads: 1"))
    wires = [client.connect(gw).send(request()) for _ in range(8)]
    until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 6, "six wait")
    ill.release()
    good.release()
    assert {wire.answer().status for wire in wires} <= {200, 500}
    always(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 0, "nobody waits")
