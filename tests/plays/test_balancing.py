# SPDX-License-Identifier: Apache-2.0
"""Which server gets a request, what happens when it fails, and limits that are exact."""
import collections
import concurrent.futures
import threading

import pytest

from actors import http1
from actors.gateway import everything_to
from actors.http1 import reply, request
from actors.waiting import PROOF, always, until


def named(name):
    return lambda asked: reply(200, name.encode())


def shares(client, gw, count, **options):
    """Who answered how often, one connection after the other."""
    return collections.Counter(client.get(gw, f"/{number}", **options).text for number in range(count))


def in_parallel(client, gw, count, at_once=20, method="GET"):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda number: client.ask(gw, method, f"/{number}"), range(count)))


def test_round_robin_gives_each_its_turn(gateway, upstream, client):
    ups = [upstream(answer=named(name)) for name in "abc"]
    gw = gateway(everything_to(*ups, upstream="balance: round_robin", more="threads: 1"))
    wire = client.connect(gw)
    order = [wire.ask(request()).text for _ in range(9)]
    assert order[:3] * 3 == order and set(order) == set("abc")


def test_weights_are_shares_and_zero_is_drained(gateway, upstream, client):
    a, b, c = (upstream(answer=named(name)) for name in "abc")
    gw = gateway(f"""
        upstreams:
          shop:
            servers: [ {{ address: "{a.address}", weight: 3 }}, {{ address: "{b.address}", weight: 1 }}, {{ address: "{c.address}", weight: 0 }} ]
            balance: round_robin
        routes: [ {{ name: all, to: shop }} ]
        threads: 1
    """)
    wire = client.connect(gw)
    assert collections.Counter(wire.ask(request()).text for _ in range(40)) == {"a": 30, "b": 10}


def test_least_request_avoids_the_server_that_is_busy(gateway, upstream, client):
    slow, fast = upstream(answer=named("slow"), hold=True), upstream(answer=named("fast"))
    gw = gateway(everything_to(slow, fast, more="threads: 1"))
    wires = []
    while not slow.requests:
        wires.append(client.connect(gw).send(request()))
        until(lambda: len(slow.requests) + len(fast.requests) == len(wires), "the request at a server")
    assert shares(client, gw, 30) == {"fast": 30}
    slow.release()


def test_least_request_spreads_what_comes_one_by_one(gateway, upstream, client):
    ups = [upstream(answer=named(name)) for name in "abc"]
    counts = shares(client, gateway(everything_to(*ups)), 150)
    assert min(counts[name] for name in "abc") > 20, counts


@pytest.mark.parametrize("on, headers", [("header:X-User", "X-User: {}"), ("cookie:session", "Cookie: x=1; session={}")])
def test_hash_gives_the_same_client_the_same_server(gateway, upstream, client, on, headers):
    ups = [upstream(answer=named(name)) for name in "abc"]
    gw = gateway(everything_to(*ups, upstream=f'balance: hash, hash_on: "{on}"'))
    first = [client.get(gw, "/", headers.format(user)).text for user in range(30)]
    assert set(first) == set("abc")
    assert [client.get(gw, "/", headers.format(user)).text for user in range(30)] == first
    gone = ups[0].stop()
    after = [client.get(gw, "/", headers.format(user)).text for user in range(30)]
    assert gone is ups[0] and all(now == before for now, before in zip(after, first) if before != "a")


def test_connections_are_kept_and_used_again(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more="threads: 1"))
    wire = client.connect(gw)
    for _ in range(50):
        wire.ask(request())
    assert len(up.connections) == 1
    assert gw.metric("banyan_upstream_connections_total", upstream="shop", kind="reused") == 49
    assert gw.records(50)[-1]["reused"]


def test_keepalive_requests_limits_the_use_of_a_connection(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, upstream="keepalive: { requests: 5 }", more="threads: 1"))
    wire = client.connect(gw)
    for _ in range(20):
        assert wire.ask(request()).status == 200
    assert [len(connection.requests) for connection in up.connections] == [5, 5, 5, 5]


def test_an_idle_connection_is_closed_after_its_time(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, upstream="keepalive: { idle_time: 300ms }"))
    client.get(gw)
    until(lambda: up.connections[0].closed, "the idle connection is closed")


def test_a_connection_that_the_server_closed_while_idle_fails_nobody(gateway, upstream, client):
    """Also POST: the connection was dead before a byte was sent, or the first byte met a closed socket."""
    def once(connection):
        connection.request()
        connection.send(reply())

    up = upstream(script=once)  # closes after each answer without saying so
    gw = gateway(everything_to(up))
    wire = client.connect(gw)
    for number in range(30):
        answer = wire.ask(request("GET" if number % 2 else "PUT", "/", body=b"x"))
        assert answer.status == 200


def test_max_connections_is_exact_over_all_threads(gateway, upstream, client):
    up = upstream(hold=True)
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ {{ address: "{up.address}", max_connections: 5 }} ], queue: 1000 }} }}
        routes: [ {{ name: all, to: shop }} ]
    """)
    wires = [client.connect(gw).send(request(target=f"/{number}")) for number in range(60)]
    up.wait_requests(5)
    until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 55, "the others in the queue")
    always(lambda: len(up.requests) == 5, "no sixth request at the server")
    up.release()
    assert [wire.answer().status for wire in wires] == [200] * 60
    assert up.most_open == 5
    count = 5000 if PROOF else 300
    assert all(answer.status == 200 for answer in in_parallel(client, gw, count, at_once=30))
    assert up.most_open == 5


def test_max_connections_of_the_upstream_is_exact_over_all_servers(gateway, upstream, client):
    ups = [upstream(hold=True) for _ in range(3)]
    gw = gateway(everything_to(*ups, upstream="max_connections: 4, queue: 100"))
    wires = [client.connect(gw).send(request()) for _ in range(20)]
    until(lambda: sum(len(up.requests) for up in ups) == 4, "four at work")
    always(lambda: sum(len(up.requests) for up in ups) == 4, "no fifth")
    for up in ups:
        up.release()
    assert [wire.answer().status for wire in wires] == [200] * 20


def test_waiters_are_served_in_the_order_they_came(gateway, upstream, client):
    up = upstream(hold=True)
    gw = gateway(everything_to(up, upstream="max_connections: 1, queue: 100"))
    wires = []
    for number in range(12):
        wires.append(client.connect(gw).send(request(target=f"/{number}")))
        until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") + min(1, len(up.requests)) == len(wires), "one more waits")
    up.release()
    for wire in wires:
        assert wire.answer().status == 200
    assert up.targets == [f"/{number}" for number in range(12)]


def test_busy_upstream_is_refused_at_once_and_counted(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(f"""
        upstreams: {{ slow: {{ servers: [ "{slow.address}" ], max_connections: 1, queue: 0 }} }}
        routes: [ {{ name: all, match: {{ path: /** }}, to: slow }} ]
    """)
    with client.pending(gw, "/first", slow):
        answer = client.get(gw, "/second", "Accept: application/json")
    assert answer.status == 503 and answer.slug == "upstream.busy"
    assert int(answer.headers.get("retry-after")) >= 1
    assert gw.metric("banyan_upstream_refused_total", upstream="slow") == 1
    assert slow.targets == ["/first"]


def test_waiting_too_long_in_the_queue_is_a_503(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, upstream="max_connections: 1, queue: { length: 10, timeout: 200ms }"))
    with client.pending(gw, "/first", slow):
        answer = client.get(gw, "/second", "Accept: application/json")
        assert answer.status == 503 and answer.slug == "upstream.busy"
    assert gw.metric("banyan_upstream_queued_total", upstream="shop") == 1


def test_a_waiter_that_leaves_gives_up_its_place(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, upstream="max_connections: 1, queue: 10"))
    with client.pending(gw, "/first", slow) as first:
        second = client.connect(gw).send(request(target="/second"))
        until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 1, "the second waits")
        second.reset()
        until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 0, "the second has left")
        slow.release()
        assert first.answer().status == 200
    assert client.get(gw, "/third").status == 200
    assert slow.targets == ["/first", "/third"]


# Failing over

def test_a_server_that_is_down_costs_no_request(gateway, upstream, client):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    gw = gateway(everything_to(a, b))
    a.stop()
    answers = in_parallel(client, gw, 100, at_once=2) + in_parallel(client, gw, 20, at_once=2, method="POST")
    assert {(answer.status, answer.text) for answer in answers} == {(200, "b")}
    assert gw.metric("banyan_upstream_retries_total", upstream="shop") > 0


def test_all_servers_down_is_a_502_or_503_with_a_slug(gateway, upstream, client):
    a, b = upstream(), upstream()
    gw = gateway(everything_to(a, b))
    a.stop()
    b.stop()
    answer = client.get(gw, "/", "Accept: application/json")
    assert answer.status in (502, 503) and answer.slug.startswith("upstream.")
    a.start()
    until(lambda: client.get(gw).status == 200, "a server is back")


class Pace:
    """A server that is quick, or that takes a tenth of a second to each answer; GET is answered with its name, POST with 8 MiB."""

    def __init__(self, name):
        self.name, self.tired, self.slow = name.encode(), threading.Event(), False

    def __call__(self, asked):
        if self.slow:
            self.tired.wait(0.1)
        return reply(200, self.name if asked.method == "GET" else b"x" * (8 << 20))


def test_a_server_is_not_held_to_be_slow_because_its_client_is(gateway, upstream, client):
    """Its time ends with the head of its answer, also where the body still goes out: ewma goes on choosing the quick one."""
    paces = [Pace(name) for name in "ab"]
    ups = [upstream(answer=pace) for pace in paces]
    gw = gateway(everything_to(*ups, upstream="balance: ewma", more="threads: 1"))
    wire = client.connect(gw, receive_buffer=16384)
    wire.send(request("POST", body=b"x" * 300000))
    wire.head()
    asked = next(number for number, up in enumerate(ups) if up.requests)
    always(lambda: not gw.access_log, "it does not read its answer", during=1)
    assert sum(map(len, wire.reader.pieces(8 << 20))) == 8 << 20
    gw.record(method="POST")
    paces[1 - asked].slow = True
    assert shares(client, gw, 12)["ab"[asked]] > 8


def test_a_client_that_leaves_says_nothing_of_its_servers_time(gateway, upstream, client):
    quick, slow = Pace("quick"), Pace("slow")
    held = threading.Event()

    def answer(asked):
        if asked.target == "/held":
            held.wait()
        return quick(asked)

    slow.slow = True
    a, b = upstream(answer=answer), upstream(answer=slow)
    gw = gateway(everything_to(a, b, upstream="balance: ewma", more="threads: 1"))
    shares(client, gw, 4)
    for number in range(3):
        with client.connect(gw) as wire:
            wire.send(request(target="/held"))
            until(lambda: a.targets.count("/held") > number, "it is at the quick server")
            wire.reset()
        gw.wait_metric("banyan_upstream_requests_total", number + 1, server=a.address, **{"class": "none"})
    assert shares(client, gw, 12)["quick"] > 8
    held.set()


@pytest.mark.parametrize("method, again", [("GET", True), ("HEAD", True), ("PUT", True), ("DELETE", True), ("OPTIONS", True),
                                           ("POST", False), ("PATCH", False), ("LOCK", False)])
def test_only_what_is_idempotent_is_sent_again_after_a_reset(gateway, upstream, client, method, again):
    def cut(connection):
        connection.request()
        connection.reset()

    bad, good = upstream(script=cut), upstream(answer=named("good"))
    gw = gateway(everything_to(bad, good, upstream="balance: round_robin", more="threads: 1"))
    statuses = [client.ask(gw, method, "/", body=b"x" if method not in ("GET", "HEAD") else None).status for _ in range(4)]
    assert len(bad.requests) == 2
    assert statuses.count(502) == (0 if again else 2)
    assert len(good.requests) == (4 if again else 2)


def test_nothing_is_sent_again_once_the_client_has_a_byte(gateway, upstream, client):
    def cut(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        connection.close()

    bad = [upstream(script=cut) for _ in range(2)]
    gw = gateway(everything_to(*bad))
    with pytest.raises(http1.Closed):
        client.get(gw)
    assert sum(len(up.requests) for up in bad) == 1


def test_a_streamed_body_is_never_sent_twice(gateway, upstream, client):
    def cut(connection):
        connection.head()
        connection.reader.take(100000)
        connection.reset()

    bad = [upstream(script=cut) for _ in range(2)]
    gw = gateway(everything_to(*bad, more="buffering: { requests: off }"))
    assert client.ask(gw, "PUT", "/", body=b"x" * 300000).status == 502
    assert sum(len(up.requests) for up in bad) == 1


def test_a_retry_needs_its_reason_in_the_configuration(gateway, upstream, client):
    def cut(connection):
        connection.request()
        connection.reset()

    bad, good = upstream(script=cut), upstream()
    gw = gateway(everything_to(bad, good, upstream="balance: round_robin, retry: { on: [ refused ] }", more="threads: 1"))
    assert sorted(client.get(gw).status for _ in range(2)) == [200, 502]


def test_a_503_is_tried_elsewhere_where_configured(gateway, upstream, client):
    ill, good = upstream(answer=reply(503, b"ill")), upstream(answer=named("good"))
    gw = gateway(everything_to(ill, good, upstream='balance: round_robin, retry: { on: [ "503" ] }', more="threads: 1"))
    assert [client.get(gw).text for _ in range(4)] == ["good"] * 4
    assert sorted(client.post(gw, "/", b"x").text for _ in range(2)) == ["good", "ill"]


def test_the_budget_keeps_retries_from_doubling_the_load(gateway, upstream, client):
    def cut(connection):
        connection.request()
        connection.reset()

    bad = [upstream(script=cut) for _ in range(3)]
    gw = gateway(everything_to(*bad, upstream="retry: { attempts: 3, budget: 0%, budget_min: 0 }"))
    for _ in range(10):
        assert client.get(gw).status == 502
    assert sum(len(up.requests) for up in bad) == 10


# Health

def test_health_checks_take_a_server_out_and_bring_it_back(gateway, upstream, client):
    state = {"ill": False}

    def maybe(asked):
        if asked.target == "/health":
            return reply(500 if state["ill"] else 200)
        return reply(200, b"a")

    a, b = upstream(answer=maybe), upstream(answer=named("b"))
    gw = gateway(everything_to(a, b, upstream="health: { path: /health, interval: 500ms, timeout: 500ms, fall: 3, rise: 2 }"))
    until(lambda: gw.metric("banyan_upstream_server_up", upstream="shop") == 2, "both up")
    state["ill"] = True
    until(lambda: gw.metric("banyan_upstream_server_up", upstream="shop", server=a.address) == 0, "a is out")
    assert shares(client, gw, 30) == {"b": 30}
    state["ill"] = False
    until(lambda: gw.metric("banyan_upstream_server_up", upstream="shop", server=a.address) == 1, "a is back")
    until(lambda: client.get(gw).text == "a", "a serves")


def test_fall_and_rise_are_counted_exactly(gateway, upstream):
    asked = []

    def answer(what):
        asked.append(what)
        return reply(500 if 5 <= len(asked) <= 12 else 200)

    up = upstream(answer=answer)
    gw = gateway(everything_to(up, upstream="health: { path: /health, interval: 500ms, timeout: 500ms, fall: 4, rise: 3 }"))
    seen = []

    def watch():
        before, up_now = len(asked), gw.metric("banyan_upstream_server_up", upstream="shop")
        seen.append((before, up_now, len(asked)))
        return before >= 18

    until(watch, "eighteen checks")
    assert any(not up_now for _, up_now, _ in seen)
    for before, up_now, after in seen:  # good to the 4th, ill to the 12th, good again; an answer counts a moment later
        assert before <= 9 or after >= 15 if up_now else after >= 8 and before <= 16, seen


def test_with_every_server_ill_the_answer_is_503_upstream_down(gateway, upstream, client):
    up = upstream(answer=lambda asked: reply(500) if asked.target == "/health" else reply())
    gw = gateway(everything_to(up, upstream="health: { path: /health, interval: 1s, timeout: 1s, fall: 1 }"))
    until(lambda: gw.metric("banyan_upstream_server_up", upstream="shop") == 0, "it is out")
    answer = client.get(gw, "/", "Accept: application/json")
    assert answer.status == 503 and answer.slug == "upstream.down"


def test_health_checks_look_as_the_configuration_says(gateway, upstream):
    up = upstream()
    gateway(everything_to(up, upstream='health: { path: "/up?x", interval: 100ms, timeout: 100ms, host: shop.test }'))
    asked = up.wait_requests(2)[0]
    assert (asked.method, asked.target, asked.headers.get("host")) == ("GET", "/up?x", "shop.test")


def test_kill_9_of_a_server_under_load_fails_only_what_was_in_flight_on_it(gateway, nginx, client):
    servers = [nginx('location / { return 200 "a"; }') for _ in range(2)]
    gw = gateway(everything_to(*servers))
    count, workers = (20000, 16) if PROOF else (2000, 8)
    failed = []

    def ask(number):
        with client.connect(gw) as wire:
            for turn in range(count // workers):
                if number == 0 and turn == count // workers // 3:
                    servers[0].kill()
                answer = wire.ask(request(target=f"/{number}/{turn}"))
                if answer.status != 200:
                    failed.append(answer)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(ask, range(workers)))
    assert len(failed) <= workers, failed[:3]  # in truth none: a GET in flight is tried again on the other


def test_kill_9_of_a_server_fails_posts_in_flight_once_and_no_others(gateway, gunicorn, client):
    servers = [gunicorn(threads=8) for _ in range(2)]
    gw = gateway(everything_to(*servers))
    wires = [client.connect(gw).send(request("POST", "/wait?1", body=b"x")) for _ in range(8)]
    until(lambda: sum(gw.metric("banyan_upstream_connections", server=server.address) for server in servers) == 8, "all in flight")
    servers[0].kill()
    statuses = collections.Counter(wire.answer().status for wire in wires)
    assert set(statuses) == {200, 502} and statuses[502] <= 8
    assert all(answer.status == 200 for answer in in_parallel(client, gw, 40, at_once=4, method="POST"))
