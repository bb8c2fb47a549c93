# SPDX-License-Identifier: Apache-2.0
"""Limits on what a client may send and how slowly, and on how many there may be."""
import concurrent.futures
import resource
import time

import pytest

from actors import http1
from actors.client import Wire
from actors.gateway import everything_to
from actors.http1 import chunk, request
from actors.waiting import PROOF, until


@pytest.fixture
def shop(upstream):
    return upstream()


def limited(shop, limits):
    return everything_to(shop, more=f"limits: {{ {limits} }}")


def test_head_line_and_headers_as_configured(gateway, shop, client):
    gw = gateway(limited(shop, "head: 2KiB, line: 1KiB, headers: 20"))
    for target, headers, status in (
            ("/" + "a" * 900, [], 200), ("/" + "a" * 1100, [], 414), ("/", ["X: " + "y" * 1900], 200), ("/", ["X: " + "y" * 2100], 431),
            ("/", ["X: y"] * 18, 200), ("/", ["X: y"] * 20, 431)):
        assert client.get(gw, target, *headers).status == status, (target[:9], len(headers))
    assert len(shop.requests) == 3
    assert gw.metric("banyan_http_requests_total", version="refused") == 3


def test_a_body_of_known_length_beyond_the_limit_is_413_before_it_is_sent(gateway, shop, client):
    gw = gateway(limited(shop, "body: 1000"))
    assert client.post(gw, "/", b"x" * 1000).status == 200
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1001\r\n\r\n")
    answer = wire.answer()
    assert answer.status == 413 and answer.slug == "http.body_too_large"
    assert len(shop.requests) == 1


@pytest.mark.parametrize("limit, size", [(1000, 1001), (1000, 200000), (200000, 200001), (200000, 1000000)])
def test_a_chunked_body_beyond_the_limit_is_413_and_never_whole_at_the_server(gateway, shop, client, limit, size):
    gw = gateway(limited(shop, f"body: {limit}"))
    body = b"".join(chunk(b"x" * min(9999, size - at)) for at in range(0, size, 9999)) + b"0\r\n\r\n"
    wire = client.connect(gw)
    try:
        wire.send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    except OSError:
        pass
    try:
        assert wire.answer().status == 413
    except http1.Closed as end:
        assert end.reset, end
    assert shop.requests == []


def test_a_routes_body_limit_is_its_own(gateway, shop, client):
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes:
          - {{ name: upload, match: {{ path: /upload }}, to: shop, body: 1MiB }}
          - {{ name: rest, to: shop }}
        limits: {{ body: 1000 }}
    """)
    assert client.post(gw, "/upload", b"x" * (1 << 20)).status == 200
    assert client.post(gw, "/upload", b"x" * ((1 << 20) + 1)).status == 413
    assert client.post(gw, "/", b"x" * 1001).status == 413


def trickle(wire, piece, every):
    """Sends a piece again and again until the other side has had enough; gives the seconds that took."""
    began = time.monotonic()
    wire.sock.settimeout(every)
    while time.monotonic() - began < 20:
        try:
            wire.send(piece)
            wire.reader.fill()
            break
        except AssertionError:  # nothing came in this time
            continue
        except (http1.Closed, OSError):
            break
    wire.sock.settimeout(5)
    return time.monotonic() - began


def test_a_head_that_trickles_is_ended_by_its_total_time(gateway, shop, client):
    gw = gateway(limited(shop, "head_time: 500ms, idle: 20s"))
    wire = client.connect(gw).send(b"GET / HTTP/1.1\r\nHost: shop.test\r\n")
    assert 0.3 < trickle(wire, b"X: y\r\n", 0.05) < 5
    if wire.reader.buffer:
        assert wire.answer().status == 408
    until(lambda: gw.metric("banyan_client_timeouts_total") == 1, "the timeout counted")
    assert shop.requests == []


def test_a_connection_that_says_nothing_is_closed_after_its_idle_time(gateway, shop, client):
    gw = gateway(limited(shop, "idle: 300ms, head_time: 300ms"))
    silent = client.connect(gw)
    assert silent.is_closed()
    kept = client.connect(gw)
    assert kept.ask(request()).status == 200
    assert kept.is_closed()


def test_a_body_that_stops_is_408(gateway, shop, client):
    gw = gateway(limited(shop, "body_idle: 300ms"))
    for size in (100, 1000000):
        wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\nhello" % size)
        assert wire.answer().status == 408
        assert wire.is_closed()
    assert shop.requests == []


def test_a_body_that_trickles_below_the_rate_is_ended(gateway, shop, client):
    gw = gateway(limited(shop, "body_rate: 1000, body_idle: 20s"))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100000\r\n\r\n")
    assert 4 < trickle(wire, b"x", 0.05) < 15
    assert shop.requests == []


def test_a_reader_that_reads_nothing_is_dropped(gateway, upstream, client):
    ends = []

    def offer(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\n")
        try:
            while True:
                connection.send(bytes(1 << 20))
        except OSError:
            ends.append(True)

    gw = gateway(limited(upstream(script=offer), "write: 500ms"))
    wire = client.connect(gw, receive_buffer=16384).send(request())
    until(lambda: ends, "the server's connection ends")
    assert len(wire.reader.rest()) < 500000000


def test_a_small_body_is_gathered_before_a_server_is_taken(gateway, shop, client):
    gw = gateway(everything_to(shop))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhel")
    assert wire.is_quiet() and shop.connections == []
    assert wire.send(b"lo").answer().status == 200


def test_connections_beyond_the_limit_are_refused_and_counted(gateway, shop, client):
    gw = gateway(limited(shop, "connections: 10"))
    wires = [client.connect(gw) for _ in range(10)]
    assert all(wire.ask(request()).status == 200 for wire in wires)
    extra = client.connect(gw)
    try:
        assert extra.ask(request()).status == 503
    except (http1.Closed, OSError):
        pass
    assert gw.metric("banyan_connections_refused_total") == 1
    wires.pop().close()
    until(lambda: is_served(client, gw), "a place for another")


def is_served(client, gw):
    try:
        return client.get(gw).status == 200
    except (http1.Closed, OSError):
        return False


def test_out_of_descriptors_it_goes_on_serving(gateway, shop, client):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    gw = gateway(everything_to(shop), limit=few)
    kept = client.connect(gw)
    assert kept.ask(request()).status == 200
    storm = []
    try:
        for _ in range(400):
            storm.append(Wire(gw))
        until(lambda: kept.ask(request()).status in (200, 502, 503), "the old connection is answered")
    finally:
        for wire in storm:
            wire.close()
    until(lambda: is_served(client, gw), "a new connection is served")
    assert kept.ask(request()).status == 200
    assert gw.program.is_running()


def test_ten_thousand_requests_without_a_failure(gateway, nginx, client):
    gw = gateway(everything_to(nginx('location / { return 200 "hello"; }'), more="access_log: off"))
    count, wires = (100000, 32) if PROOF else (10000, 16)

    def run(_):
        good = 0
        with Wire(gw) as wire:
            for _ in range(count // wires // 25):
                good += sum(answer.status == 200 and answer.body == b"hello" for answer in wire.pipeline(*[request()] * 25))
        return good

    with concurrent.futures.ThreadPoolExecutor(wires) as pool:
        assert sum(pool.map(run, range(wires))) == count // wires // 25 * 25 * wires
    scrape = gw.scrape()  # one: the last request may be counted a moment after its answer
    assert scrape.value("banyan_requests_total", route="all") == scrape.value("banyan_requests_total", route="all", **{"class": "2xx"})


def test_a_thousand_idle_connections_cost_no_fiber(gateway, shop, client):
    gw = gateway(everything_to(shop))
    before = gw.metric("banyan_fibers")
    wires = [client.connect(gw) for _ in range(1000)]
    for wire in wires[::10]:
        assert wire.ask(request()).status == 200
    until(lambda: gw.metric("banyan_connections") >= 1000, "all accepted")
    until(lambda: gw.metric("banyan_fibers") <= before + 2, "no fiber is left")
