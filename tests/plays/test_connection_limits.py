# SPDX-License-Identifier: Apache-2.0
"""How many clients there may be, and how much memory: refused clearly, counted, and never one too many."""
import concurrent.futures
import json
import threading

import pytest

from actors.client import Wire
from actors.gateway import everything_to
from actors.http1 import Closed, request
from actors.waiting import until

TWO = 'listen: [ "127.0.0.1:0", "127.0.0.1:0" ]'


@pytest.fixture
def shop(upstream):
    return upstream()


def limited(shop, limits, more=""):
    return everything_to(shop, more=f"limits: {{ {limits} }}\n{more}")


def refusal(wire):
    """The name of the error that a client is told instead of an answer."""
    answer = wire.ask(request())
    assert answer.status == 503 and answer.headers.get("retry-after") and answer.headers.get("connection") == "close"
    assert answer.headers.get("content-type") == "application/problem+json"
    assert wire.is_closed()
    return json.loads(answer.text)["type"].removeprefix("urn:banyan:problem:")


def is_served(client, where, **options):
    try:
        return client.connect(where, **options).ask(request()).status == 200
    except (Closed, OSError):
        return False


def test_the_limit_is_that_of_all_listeners_together(gateway, shop, client):
    gw = gateway(limited(shop, "connections: 10", TWO))
    one, two = gw.addresses("listening", "http")
    wires = [client.connect(where) for where in (one, two) * 5]
    assert all(wire.ask(request()).status == 200 for wire in wires)
    for where in (one, two):
        assert refusal(client.connect(where)) == "http.connections"
    assert gw.metric("banyan_connections_refused_total") == 2
    assert gw.metric("banyan_limit", limit="connections") == 10 == gw.metric("banyan_limit_used", limit="connections")
    wires.pop().close()
    until(lambda: is_served(client, one), "a place for another")


def test_it_is_exact_however_many_come_at_once(gateway, upstream):
    slow = upstream(hold=True)
    gw = gateway(limited(slow, "connections: 20", TWO + "\nthreads: 4"))
    addresses = gw.addresses("listening", "http")
    start = threading.Barrier(60)

    def come(number):
        with Wire(addresses[number % 2]) as wire:
            start.wait(20)
            try:
                return wire.ask(request()).status
            except (Closed, OSError):
                return None

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        clients = [pool.submit(come, number) for number in range(60)]
        slow.wait_requests(20)
        until(lambda: sum(one.done() for one in clients) == 40, "the others were told")
        assert len(slow.requests) == 20
        slow.release()
        answers = [one.result() for one in clients]
    assert answers.count(200) == 20 and answers.count(503) == 40


def test_one_address_has_its_share(gateway, shop, client):
    gw = gateway(limited(shop, "connections_per_address: 3", TWO))
    one, two = gw.addresses("listening", "http")
    wires = [client.connect(where, source="127.0.0.2") for where in (one, two, one)]
    assert all(wire.ask(request()).status == 200 for wire in wires)
    assert refusal(client.connect(two, source="127.0.0.2")) == "http.connections_per_address"
    assert is_served(client, one, source="127.0.0.3")
    assert gw.metric("banyan_connections_refused_total") == 1
    assert gw.metric("banyan_limit_used", limit="connections_per_address") == 3
    wires.pop().close()
    until(lambda: is_served(client, two, source="127.0.0.2"), "a place for another")


def test_trusted_proxies_are_not_counted(gateway, shop, client):
    gw = gateway(limited(shop, "connections_per_address: 2", 'trusted_proxies: [ "127.0.0.9" ]'))
    wires = [client.connect(gw, source="127.0.0.9") for _ in range(10)]
    assert all(wire.ask(request()).status == 200 for wire in wires)


def test_over_tls_it_is_just_closed(gateway, shop, client, certificates):
    tls = f'listen: [ {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]'
    gw = gateway(limited(shop, "connections: 1", tls))
    kept = client.connect(gw.tls_address, tls=certificates.trust(), sni="shop.test")
    assert kept.ask(request()).status == 200
    with pytest.raises(OSError):
        client.connect(gw.tls_address, tls=certificates.trust(), sni="shop.test")
    assert gw.metric("banyan_connections_refused_total") == 1


def test_the_admin_port_is_always_there(gateway, shop, client):
    gw = gateway(limited(shop, "connections: 1, connections_per_address: 1"))
    assert client.connect(gw).ask(request()).status == 200
    wires = [client.connect(gw.admin) for _ in range(20)]
    assert all(wire.ask(request(target="/healthz", host="localhost")).status == 200 for wire in wires)


def test_limits_change_with_a_reload(gateway, shop, client):
    gw = gateway(limited(shop, "connections: 2"))
    wires = [client.connect(gw) for _ in range(2)]
    assert all(wire.ask(request()).status == 200 for wire in wires)
    assert refusal(client.connect(gw)) == "http.connections"
    gw.reload(limited(shop, "connections: 3"))
    assert client.connect(gw).ask(request()).status == 200
    gw.reload(limited(shop, "connections: 1"))
    assert all(wire.ask(request()).status == 200 for wire in wires), "who is there may stay"
    assert refusal(client.connect(gw)) == "http.connections"


def test_a_storm_of_refused_ones_leaves_nothing_behind(gateway, shop, client):
    gw = gateway(limited(shop, "connections: 1"))
    kept = client.connect(gw)
    assert kept.ask(request()).status == 200
    fibers = gw.metric("banyan_fibers", loop="0") + gw.metric("banyan_fibers", loop="1")
    storm = [client.connect(gw) for _ in range(500)]
    gw.wait_metric("banyan_connections_refused_total", 500)
    assert gw.metric("banyan_limit_used", limit="connections") == 1
    assert gw.metric("banyan_fibers", loop="0") + gw.metric("banyan_fibers", loop="1") <= fibers + 2
    assert all(wire.reader.rest().startswith(b"HTTP/1.1 503") or not wire.reader.received for wire in storm)
    assert kept.ask(request()).status == 200


# Memory

def test_above_its_memory_it_refuses_and_goes_on(gateway, shop, client):
    gw = gateway(limited(shop, "memory: 1MiB"))
    until(lambda: not is_served(client, gw), "it has looked")
    wire = client.connect(gw)
    answer = wire.ask(request())
    assert answer.status == 503 and answer.slug == "gateway.memory"
    assert answer.headers.get("retry-after") and answer.headers.get("connection") == "close"
    assert wire.is_closed()
    assert gw.metric("banyan_memory_refused_total") >= 2
    assert gw.metric("banyan_limit", limit="memory") == 1 << 20 < gw.metric("banyan_limit_used", limit="memory")
    assert gw.ask_admin("/readyz")[0] == 200
    gw.reload(limited(shop, "memory: 0"))
    until(lambda: is_served(client, gw), "it serves again")


# A route's own

def test_a_route_has_its_own_pace(gateway, shop, client):
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes:
          - {{ name: slow, match: {{ path: /slow }}, to: shop, limits: {{ body_idle: 20s }} }}
          - {{ name: rest, to: shop }}
        limits: {{ body_idle: 200ms }}
    """)
    def wire_to(path):
        return client.connect(gw).send(f"POST {path} HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\nhello".encode())

    slow, rest = wire_to("/slow"), wire_to("/rest")
    assert rest.answer().status == 408
    assert slow.is_quiet()
    assert slow.send(b"world").answer().status == 200


def test_a_route_has_its_own_patience_with_readers(gateway, upstream, client):
    ends = []

    def offer(connection):
        asked = connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n")
        try:
            while True:
                connection.send(bytes(1 << 20))
        except OSError:
            ends.append(asked.target)

    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{upstream(script=offer).address}" ] }} }}
        routes:
          - {{ name: quick, match: {{ path: /quick }}, to: shop, limits: {{ write: 300ms }}, buffering: {{ answers: off }} }}
          - {{ name: rest, to: shop, buffering: {{ answers: off }} }}
    """)
    wires = [client.connect(gw, receive_buffer=16384).send(request(target=path)) for path in ("/quick", "/rest")]
    until(lambda: ends == ["/quick"], "one is dropped")
    gw.wait_metric("banyan_client_slow_readers_total", 1)
    assert len(wires[0].reader.rest()) < 500000000
    wires[1].close()


def test_a_route_has_its_own_rate(gateway, shop, client):
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes: [ {{ name: all, to: shop, limits: {{ body_rate: 0 }} }} ]
        limits: {{ body_rate: 1MiB }}
    """)
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 70\r\n\r\n")
    for _ in range(13):  # longer than the 5 s after which a rate is looked at
        wire.send(b"hello")
        assert wire.is_quiet(0.45)
    assert wire.send(b"hello").answer().status == 200
