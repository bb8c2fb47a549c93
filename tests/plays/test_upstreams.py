# SPDX-License-Identifier: Apache-2.0
"""Servers that come, go and change under a running gateway; the line of those who wait; who a server is told its client is."""
import collections
import concurrent.futures
import json
import re

import pytest

from actors.gateway import everything_to
from actors.http1 import reply, request
from actors.waiting import PROOF, always, until


def named(name):
    return lambda asked: reply(200, name.encode())


def servers(*rows, more=""):
    """An upstream of (server, keys) rows."""
    names = ", ".join(f'{{ address: "{server.address}"{", " + keys if keys else ""} }}' for server, keys in rows)
    return (f"upstreams: {{ shop: {{ servers: [ {names} ]{', ' + more if more else ''} }} }}\n"
            "routes: [ { name: all, to: shop } ]\n")


def shares(client, gw, count):
    return collections.Counter(client.get(gw).text for _ in range(count))


def picture(gw, server):
    status, _, text = gw.ask_admin("/upstreams")
    assert status == 200
    return next(one for up in json.loads(text) for one in up["servers"] if one["address"] == server.address)


# Slow start

@pytest.mark.parametrize("balance", ["round_robin", "least_request"])
def test_a_server_that_a_reload_adds_starts_with_a_small_share(gateway, upstream, client, balance):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    keys = f"balance: {balance}, slow_start: 1h"
    gw = gateway(servers((a, ""), more=keys) + "threads: 1\n")
    assert shares(client, gw, 10) == {"a": 10}
    gw.reload(servers((a, ""), (b, ""), more=keys) + "threads: 1\n")
    assert picture(gw, b)["slow_start"] and not picture(gw, a)["slow_start"]
    assert 0 < shares(client, gw, 220)["b"] < 60, "a tenth of a's, not as much"


def test_nobody_starts_slowly_with_the_process(gateway, upstream, client):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    gw = gateway(servers((a, ""), (b, ""), more="balance: round_robin, slow_start: 1h") + "threads: 1\n")
    assert shares(client, gw, 20) == {"a": 10, "b": 10}
    assert not picture(gw, a)["slow_start"]


def test_a_server_that_comes_back_starts_slowly(gateway, upstream, client):
    ill = {"now": True}
    a = upstream(answer=lambda asked: reply(500 if asked.target == "/health" and ill["now"] else 200, b"a"))
    b = upstream(answer=named("b"))
    health = "health: { path: /health, interval: 1s, timeout: 1s, fall: 1, rise: 1 }"
    gw = gateway(servers((a, ""), (b, ""), more=f"balance: round_robin, slow_start: 1h, {health}") + "threads: 1\n")
    until(lambda: picture(gw, a)["state"] == "down", "it is down")
    ill["now"] = False
    until(lambda: picture(gw, a)["state"] == "up", "it is up")
    assert picture(gw, a)["slow_start"]
    assert abs(shares(client, gw, 110)["a"] - 10) <= 1


def test_a_short_slow_start_is_over_soon(gateway, upstream, client):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    keys = "balance: round_robin, slow_start: 200ms"
    gw = gateway(servers((a, ""), more=keys) + "threads: 1\n")
    gw.reload(servers((a, ""), (b, ""), more=keys) + "threads: 1\n")
    until(lambda: not picture(gw, b)["slow_start"], "it has its full share")
    assert shares(client, gw, 20) == {"a": 10, "b": 10}


# Draining

def test_a_drained_server_finishes_and_gets_nothing_new(gateway, upstream, client):
    a, b = upstream(answer=named("a"), hold=True), upstream(answer=named("b"))
    gw = gateway(servers((a, "")) + "threads: 1\n")
    with client.pending(gw, "/", a) as held:
        gw.reload(servers((a, "weight: 0"), (b, "")) + "threads: 1\n")
        assert picture(gw, a)["drained"]
        assert shares(client, gw, 30) == {"b": 30}
        a.release()
        assert held.answer().text == "a"
        until(lambda: a.connections[0].closed, "its connection is not kept")
    assert len(a.requests) == 1


def test_draining_closes_what_is_idle(gateway, upstream, client):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    kept = "keepalive: { idle_time: 1h }"
    gw = gateway(servers((a, ""), (b, ""), more=kept))
    for _ in range(20):
        client.get(gw)
    gw.reload(servers((a, "weight: 0"), (b, ""), more=kept))
    until(lambda: all(connection.closed for connection in a.connections), "a's are closed")
    assert any(not connection.closed for connection in b.connections)


def test_draining_moves_only_its_own_keys(gateway, upstream, client):
    ups = [upstream(answer=named(name)) for name in "abc"]
    how = "balance: hash, hash_on: \"header:X-User\""
    gw = gateway(servers(*((up, "") for up in ups), more=how))

    def homes():
        return [client.get(gw, "/", f"X-User: {user}").text for user in range(40)]

    before = homes()
    gw.reload(servers((ups[0], "weight: 0"), (ups[1], ""), (ups[2], ""), more=how))
    assert all(now == then for now, then in zip(homes(), before) if then != "a") and "a" not in homes()


# What a reload keeps

def test_a_changed_weight_keeps_every_connection(gateway, upstream, client):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    how = "balance: round_robin, keepalive: { idle_time: 1h }"
    gw = gateway(servers((a, ""), (b, ""), more=how) + "threads: 1\n")
    wire = client.connect(gw)
    for weight in range(2, 6):
        for _ in range(20):
            assert wire.ask(request()).status == 200
        gw.reload(servers((a, ""), (b, f"weight: {weight}"), more=how) + "threads: 1\n")
    assert len(a.connections) == len(b.connections) == 1


def test_health_is_known_after_a_reload_that_changes_something_else(gateway, upstream, client):
    ill = upstream(answer=lambda asked: reply(500 if asked.target == "/health" else 200))
    b, c = upstream(answer=named("b")), upstream(answer=named("c"))
    health = "health: { path: /health, interval: 1m, timeout: 1s, fall: 1 }"
    gw = gateway(servers((ill, ""), (b, ""), more=health.replace("1m", "100ms").replace("1s", "100ms")))
    until(lambda: picture(gw, ill)["state"] == "down", "it is down")
    gw.reload(servers((ill, ""), (b, ""), (c, ""), more=health))
    asked = len(ill.requests)
    assert picture(gw, ill)["state"] == "down"
    assert set(shares(client, gw, 30)) == {"b", "c"} and len(ill.requests) == asked
    gw.reload(servers((ill, ""), (b, "")))
    assert picture(gw, ill)["state"] == "up", "without checks nobody says otherwise"


def test_a_limit_holds_for_old_and_new_requests_together(gateway, upstream, client):
    up = upstream(hold=True)
    gw = gateway(servers((up, "max_connections: 3"), more="queue: 100"))
    wires = [client.connect(gw).send(request()) for _ in range(3)]
    up.wait_requests(3)
    gw.reload(servers((up, "max_connections: 3, weight: 2"), more="queue: 100"))
    wires += [client.connect(gw).send(request()) for _ in range(10)]
    until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 10, "the others wait")
    always(lambda: len(up.requests) == 3, "no fourth at the server")
    up.release()
    assert [wire.answer().status for wire in wires] == [200] * 13
    assert up.most_open == 3


def test_who_waits_is_served_across_a_reload_in_order(gateway, upstream, client):
    up = upstream(hold=True)
    gw = gateway(servers((up, ""), more="max_connections: 1, queue: 100"))
    wires = []
    for number in range(8):
        if number == 4:
            gw.reload(servers((up, ""), more="max_connections: 1, queue: 101"))
        wires.append(client.connect(gw).send(request(target=f"/{number}")))
        until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") + len(up.requests) == len(wires), "one more waits")
    up.release()
    assert [wire.answer().status for wire in wires] == [200] * 8
    assert up.targets == [f"/{number}" for number in range(8)]


def test_servers_come_and_go_under_load_and_nobody_notices(gateway, nginx, client):
    """A hundred reloads: weights, servers, limits, what is kept; on all threads, with connections that stay."""
    ups = [nginx(f'location / {{ return 200 "{name}"; }}') for name in "abc"]
    plans = [servers((ups[0], ""), (ups[1], "")),
             servers((ups[0], "weight: 0"), (ups[1], ""), more="max_connections: 4, queue: 1000"),
             servers((ups[0], "weight: 3"), (ups[1], "weight: 0"), (ups[2], "max_connections: 2"), more="slow_start: 1s, queue: 1000"),
             servers((ups[2], ""), (ups[1], ""), more="balance: hash, keepalive: { idle_per_loop: 1 }"),
             servers((ups[1], ""), (ups[0], ""), more="balance: ewma, health: { path: /, interval: 100ms, timeout: 100ms, fall: 100 }")]
    gw = gateway(plans[0] + "threads: 4\n")
    done = []

    def load(number):
        statuses = collections.Counter()
        with client.connect(gw) as wire:
            while not done:
                method = "POST" if (number + sum(statuses.values())) % 2 else "GET"
                statuses[wire.ask(request(method, "/", body=b"x" if method == "POST" else None)).status] += 1
        return statuses

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        loads = [pool.submit(load, number) for number in range(8)]
        try:
            for number in range(100 if PROOF else 25):
                gw.reload(plans[number % len(plans)] + "threads: 4\n")
        finally:
            done.append(True)
        total = sum((future.result() for future in loads), collections.Counter())
    assert set(total) == {200}, total
    gw.reload(plans[0] + "threads: 4\n")
    until(lambda: gw.metric("banyan_upstream_connections", server=ups[2].address) == 0, "nothing is left to one that is gone")


def test_a_bad_reload_changes_no_server(gateway, upstream, client, certificates, tmp_path):
    a, b = upstream(answer=named("a")), upstream(answer=named("b"))
    kept = "keepalive: { idle_time: 1h }"
    gw = gateway(servers((a, ""), more=kept))
    client.get(gw)
    (tmp_path / "ca.pem").write_text("no certificate\n")
    gw.reload(servers((a, "weight: 0"), (b, ""), more=f'{kept}, tls: {{ ca: "{tmp_path}/ca.pem" }}'), good=False)
    assert not picture(gw, a)["drained"] and client.get(gw).text == "a"
    assert not a.connections[0].closed


# The line

def test_an_idle_connection_of_another_thread_is_handed_over_before_anybody_is_refused(gateway, upstream, client):
    """Without a queue at all: what is idle elsewhere is no reason to wait."""
    up = upstream()
    gw = gateway(servers((up, ""), more="max_connections: 1, queue: 0, keepalive: { idle_time: 1h }") + "threads: 4\n")
    assert [client.get(gw).status for _ in range(60)] == [200] * 60
    assert gw.metric("banyan_upstream_connections_total", kind="opened") <= 3, "handed over, not made anew"
    assert gw.metric("banyan_upstream_refused_total") == 0


def test_idle_connections_to_one_server_give_way_to_who_needs_another(gateway, upstream, client):
    """The limit of all is used up by a server that the request has been to."""
    def cut(connection):
        while connection.request():
            if len(bad.requests) > 2:
                connection.reset()
                return
            connection.send(reply(200, b"bad"))

    bad, good = upstream(script=cut), upstream(answer=named("good"))
    keys = "balance: round_robin, max_connections: 2, queue: 10, keepalive: { idle_time: 1h }"
    gw = gateway(servers((bad, "weight: 100"), more=keys) + "threads: 2\n")
    wires = [client.connect(gw) for _ in range(2)]
    for wire in wires:
        wire.send(request())
    assert [wire.answer().text for wire in wires] == ["bad"] * 2
    gw.reload(servers((bad, "weight: 100"), (good, ""), more=keys) + "threads: 2\n")
    assert client.get(gw).text == "good"


def test_a_request_that_has_nowhere_left_is_told_so_though_others_wait(gateway, upstream, client):
    ups = []
    for _ in range(2):
        def cut(connection, number=len(ups)):
            connection.request()
            ups[number].held.wait()
            connection.reset()
        ups.append(upstream(script=cut, hold=True))
    gw = gateway(servers(*((up, "max_connections: 1") for up in ups), more="queue: { length: 100, timeout: 10m }, retry: { budget_min: 100 }"))
    wires = [client.connect(gw).send(request()) for _ in range(10)]
    until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 8, "eight wait")
    for up in ups:
        up.release()
    assert {wire.answer().status for wire in wires} == {502}


def test_who_waits_for_a_server_that_goes_down_is_told_at_once(gateway, upstream, client):
    state = {"ill": False}

    def script(connection):
        if connection.request().target == "/health":
            connection.send(reply(500 if state["ill"] else 200))
        else:
            up.held.wait()

    up = upstream(script=script, hold=True)
    gw = gateway(servers((up, ""), more="max_connections: 1, queue: { length: 10, timeout: 10m }, "
                                        "health: { path: /health, interval: 1s, timeout: 1s, fall: 1 }"))
    first = client.connect(gw).send(request())
    until(lambda: "/" in up.targets, "the first is there")
    waiting = [client.connect(gw).send(request("GET", "/w", "Accept: application/json")) for _ in range(3)]
    until(lambda: gw.metric("banyan_upstream_waiting", upstream="shop") == 3, "three wait")
    state["ill"] = True
    answers = [wire.answer() for wire in waiting]
    assert {(answer.status, answer.slug) for answer in answers} == {(503, "upstream.down")}
    first.close()
    up.release()


def test_limits_and_their_fill_are_shown(gateway, upstream, client):
    up = upstream(hold=True)
    gw = gateway(servers((up, "max_connections: 2"), more="max_connections: 5, queue: 7"))
    wires = [client.connect(gw).send(request()) for _ in range(3)]
    until(lambda: gw.metric("banyan_upstream_limit_used", upstream="shop", limit="queue") == 1, "one waits")
    scrape = gw.scrape()
    assert scrape.value("banyan_upstream_limit", upstream="shop", limit="connections") == 5
    assert scrape.value("banyan_upstream_limit_used", upstream="shop", limit="connections") == 2
    assert scrape.value("banyan_upstream_limit", upstream="shop", limit="queue") == 7
    assert scrape.value("banyan_upstream_server_connections_limit", server=up.address) == 2
    assert scrape.value("banyan_upstream_limit", upstream="shop", limit="retries") == 3
    up.release()
    assert [wire.answer().status for wire in wires] == [200] * 3


# HTTP/2 with one connection

def test_threads_take_turns_with_one_http2_connection(gateway, h2_upstream, client):
    """It lives on one thread; those who wait on the other get their turn."""
    up = h2_upstream(answer=lambda asked: (200, [], b"ok", None))
    gw = gateway(everything_to(up, upstream="protocol: h2, max_connections: 1, queue: { length: 1000, timeout: 10m }", more="threads: 2"))

    def ask(number):
        with client.connect(gw) as wire:
            return [wire.ask(request(target=f"/{number}/{turn}")).status for turn in range(20)]

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert {status for statuses in pool.map(ask, range(24)) for status in statuses} == {200}
    assert gw.metric("banyan_upstream_refused_total") == 0


# Retries

def test_a_request_that_reached_nobody_needs_no_budget(gateway, upstream, client):
    a, b = upstream(), upstream(answer=named("b"))
    a.stop()
    gw = gateway(servers((a, ""), (b, ""), more="retry: { budget: 0%, budget_min: 0 }"))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.post(gw, "/", b"x").text, range(60)))
    assert set(answers) == {"b"}


def test_the_budget_is_one_for_all_threads(gateway, upstream, client):
    """Nobody is at work but those that fail: so many retries at a time as budget_min says, on however many threads."""
    def cut(connection):
        connection.request()
        bad[0].held.wait()
        connection.reset()

    bad, good = [upstream(script=cut, hold=True)], upstream(hold=True)
    gw = gateway(servers((bad[0], "weight: 200"), (good, ""), more="balance: round_robin, retry: { budget: 0%, budget_min: 2 }") + "threads: 4\n")
    wires = [client.connect(gw).send(request()) for _ in range(12)]
    until(lambda: len(bad[0].requests) + len(good.requests) == 12, "all are out")
    direct = len(good.requests)
    bad[0].release()
    until(lambda: gw.metric("banyan_upstream_retries_refused_total") + direct + 2 == 12, "the rest is refused")
    good.wait_requests(direct + 2)
    good.release()
    assert collections.Counter(wire.answer().status for wire in wires) == {200: direct + 2, 502: 10 - direct}


def test_a_bad_answer_is_passed_on_when_no_other_server_is_left(gateway, upstream, client):
    ill = upstream(answer=reply(503, b"ill", "Retry-After: 77"))
    drained = upstream()
    gw = gateway(servers((ill, ""), (drained, "weight: 0"), more='retry: { on: [ "503" ] }'))
    answer = client.get(gw)
    assert (answer.status, answer.text, answer.headers.get("retry-after")) == (503, "ill", "77")


def test_retries_are_counted_by_their_cause(gateway, upstream, client):
    ill, gone, good = upstream(answer=reply(503)), upstream(), upstream(answer=named("good"))
    gone.stop()
    gw = gateway(servers((ill, ""), (gone, ""), (good, ""), more='balance: round_robin, retry: { attempts: 3, on: [ refused, "503" ], budget_min: 10 }') + "threads: 1\n")
    assert shares(client, gw, 6) == {"good": 6}
    assert gw.metric("banyan_upstream_retries_total", cause="status") == len(ill.requests)
    assert gw.metric("banyan_upstream_retries_total", cause="refused") >= 1


# Who the client is

PROXIED = 'return 200 "$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_port";'


def port_of(wire):
    return wire.sock.getsockname()[1]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_proxy_header_says_who_the_client_is(gateway, nginx, client, version):
    """A connection is used for the client it was opened for, and for no other."""
    server = nginx(f"location / {{ {PROXIED} }}", listen="proxy_protocol")
    gw = gateway(everything_to(server, upstream=f"proxy_protocol: {version}", more="threads: 1"))
    wires = [client.connect(gw) for _ in range(3)]
    for _ in range(5):
        for wire in wires:
            answer = wire.ask(request())
            assert answer.text == f"127.0.0.1:{port_of(wire)} {server.address.split(':')[1]}"
    assert gw.metric("banyan_upstream_connections_total", kind="opened") == 3
    assert gw.metric("banyan_upstream_connections_total", kind="reused") == 12


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_proxy_header_names_the_client_before_trusted_proxies(gateway, nginx, client, version):
    server = nginx(f"location / {{ {PROXIED} }}", listen="proxy_protocol")
    gw = gateway(everything_to(server, upstream=f"proxy_protocol: {version}", more="trusted_proxies: [ 127.0.0.0/8 ]"))
    for address in ("203.0.113.7", "2001:db8::7"):
        assert client.get(gw, "/", f"X-Forwarded-For: {address}").text.startswith(f"{address}: "), "its port is not known"


def test_limits_hold_where_every_client_has_its_own_connection(gateway, nginx, client):
    server = nginx(f"location / {{ {PROXIED} }}", listen="proxy_protocol")
    gw = gateway(everything_to(server, upstream="proxy_protocol: v1, max_connections: 2, queue: 100, keepalive: { idle_time: 1h }"))
    wires = [client.connect(gw) for _ in range(6)]
    for _ in range(4):
        for wire in wires:
            assert wire.ask(request()).text.startswith(f"127.0.0.1:{port_of(wire)} ")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_health_checks_speak_for_themselves(gateway, nginx, version):
    server = nginx('location / { return 200 "ok"; }', listen="proxy_protocol")
    gw = gateway(everything_to(server, upstream=f"proxy_protocol: {version}, health: {{ path: /, interval: 1s, timeout: 1s, fall: 1, rise: 1 }}"))
    always(lambda: gw.metric("banyan_upstream_server_up", upstream="shop") == 1, "it is up")


def nginx_of_the_wary(nginx, certificates):
    """Takes nobody without a certificate, and says whose it got."""
    return nginx(f"ssl_certificate {certificates.certificate()}; ssl_certificate_key {certificates.key()}; ssl_client_certificate "
                 f'{certificates.ca}; ssl_verify_client on; location / {{ return 200 "$ssl_client_s_dn"; }}', listen="ssl")


def test_a_client_certificate_is_shown(gateway, nginx, client, certificates):
    server = nginx_of_the_wary(nginx, certificates)
    tls = f'ca: "{certificates.ca}", server_name: shop.test'
    shown = f'certificate: "{certificates.certificate("other")}", key: "{certificates.key("other")}"'
    assert client.get(gateway(everything_to(server, upstream=f"tls: {{ {tls} }}"))).status == 400
    gw = gateway(everything_to(server, upstream=f"tls: {{ {tls}, {shown} }}, health: {{ path: /, interval: 1s, timeout: 1s, fall: 1 }}"))
    answer = client.get(gw)
    assert (answer.status, answer.text) == (200, "CN=other")
    always(lambda: gw.metric("banyan_upstream_server_up", upstream="shop") == 1, "its checks show it too")


def test_a_certificate_that_was_written_anew_is_shown_after_a_reload(gateway, nginx, client, certificates, tmp_path):
    """The same words, other files."""
    server = nginx_of_the_wary(nginx, certificates)

    def put(name):
        for kind, path in (("certificate", certificates.certificate(name)), ("key", certificates.key(name))):
            (tmp_path / f"{kind}.new").write_bytes(path.read_bytes())
            (tmp_path / f"{kind}.new").rename(tmp_path / kind)

    put("other")
    text = everything_to(server, upstream=f'tls: {{ ca: "{certificates.ca}", server_name: shop.test, '
                                          f'certificate: "{tmp_path}/certificate", key: "{tmp_path}/key" }}')
    gw = gateway(text)
    assert client.get(gw).text == "CN=other"
    put("shop")
    gw.reload(text)
    assert client.get(gw).text == "CN=shop"


def test_a_proxy_header_comes_before_tls(gateway, nginx, client, certificates):
    server = nginx(f"ssl_certificate {certificates.certificate()}; ssl_certificate_key {certificates.key()}; location / {{ {PROXIED} }}",
                   listen="ssl proxy_protocol")
    gw = gateway(everything_to(server, upstream=f'proxy_protocol: v2, tls: {{ ca: "{certificates.ca}", server_name: shop.test }}'))
    wire = client.connect(gw)
    assert re.match(rf"127\.0\.0\.1:{port_of(wire)} \d+$", wire.ask(request()).text)
