# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: what changed changes, nothing else does, and nobody notices."""
import asyncio
import concurrent.futures
import contextlib
import os
import signal
import threading

import pytest
import websockets

from actors.client import Wire
from actors.gateway import everything_to
from actors.h2wire import get
from actors.http1 import reply, request
from actors.process import listening_socket, memory_bytes
from actors.waiting import PROOF, always, until

RELOADS = 200 if PROOF else 20


@pytest.fixture
def a(upstream):
    return upstream(answer=lambda asked: reply(200, b"a"))


@pytest.fixture
def b(upstream):
    return upstream(answer=lambda asked: reply(200, b"b"))


def free_address():
    with contextlib.closing(listening_socket()) as sock:
        return "127.0.0.1:%d" % sock.getsockname()[1]


def test_a_new_route_serves_also_on_connections_that_are_old(gateway, a, b, client):
    gw = gateway(everything_to(a))
    old = client.connect(gw)
    assert old.ask(request()).text == "a"
    gw.reload(everything_to(b))
    assert client.get(gw).text == "b"
    assert old.ask(request()).text == "b"


def test_a_request_in_flight_ends_under_the_configuration_it_began_with(gateway, upstream, b, client):
    slow = upstream(answer=reply(200, b"slow"), hold=True)
    gw = gateway(everything_to(slow))
    with client.pending(gw, "/", slow) as wire:
        gw.reload(everything_to(b))
        assert client.get(gw).text == "b"
        slow.release()
        assert wire.answer().text == "slow"
        assert wire.ask(request()).text == "b"


def test_a_connection_that_is_never_idle_goes_by_the_new_configuration_too(gateway, upstream, b, h2):
    """A browser that has an event stream open, and asks for other things on the same HTTP/2 connection."""
    slow = upstream(answer=reply(200, b"slow"), hold=True)
    gw = gateway(everything_to(slow, more='listen: [ { address: "127.0.0.1:0", h2c: true } ]'))
    wire = h2(gw.address)
    stream = wire.request(get("/"))
    slow.wait_requests(1)
    gw.reload(everything_to(b, more='listen: [ { address: "127.0.0.1:0", h2c: true } ]'))
    assert wire.answer(wire.request(get("/"))).body == b"b"
    slow.release()
    assert wire.answer(stream).body == b"slow"


def test_a_request_that_waits_behind_another_goes_by_the_new_configuration(gateway, upstream, b, client):
    slow = upstream(answer=reply(200, b"slow"), hold=True)
    gw = gateway(everything_to(slow))
    wire = client.connect(gw).send(request() + request())
    slow.wait_requests(1)
    gw.reload(everything_to(b))
    slow.release()
    assert [wire.answer().text, wire.answer().text] == ["slow", "b"]


def test_a_body_under_way_survives(gateway, upstream, b, client):
    go = threading.Event()

    def half(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        go.wait(20)
        connection.send(b"world")

    gw = gateway(everything_to(upstream(script=half)))
    wire = client.connect(gw).send(request())
    wire.head()
    assert wire.reader.take(5) == b"hello"
    gw.reload(everything_to(b))
    go.set()
    assert wire.reader.take(5) == b"world"


def test_an_open_websocket_survives(gateway, upstream, b):
    async def play():
        async with websockets.serve(echo, "127.0.0.1", 0, ping_interval=None) as server:
            port = server.sockets[0].getsockname()[1]
            gw = gateway(everything_to(f"127.0.0.1:{port}"))
            async with websockets.connect(f"ws://{gw.address}/", ping_interval=None) as socket:
                for number in range(3):
                    await socket.send(str(number))
                    assert await socket.recv() == str(number)
                    await asyncio.to_thread(gw.reload, everything_to(b))

    async def echo(socket):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in socket:
                await socket.send(message)

    asyncio.run(play())


@pytest.mark.parametrize("bad, where", [
    ("upstreams: { shop: { servers: [ 'x' ] } }\nroutes: [ { name: all, to: shop } ]", ":1:"),
    ("routes: [", ":"),
    ("upstreams: { shop: { servers: [ '127.0.0.1:1' ], balanse: hash } }\nroutes: [ { name: all, to: shop } ]", ":1:"),
    ("upstreams: { shop: { servers: [ '127.0.0.1:1' ] } }\nroutes:\n  - { name: all, to: shpo }", ":3:"),
], ids=["address", "yaml", "key", "upstream"])
def test_a_bad_file_changes_nothing_and_says_where(gateway, a, client, bad, where):
    gw = gateway(everything_to(a))
    old = client.connect(gw)
    assert old.ask(request()).text == "a"
    shown = gw.ask_admin("/config")[2]
    gw.reload(bad, good=False)
    assert f"{gw.file}{where}" in gw.stderr
    assert old.ask(request()).text == "a" == client.get(gw).text
    assert gw.ask_admin("/config")[2] == shown
    gw.reload(everything_to(a))
    assert old.ask(request()).text == "a"


def test_a_file_that_is_gone_changes_nothing(gateway, a, client):
    gw = gateway(everything_to(a))
    gw.file.unlink()
    gw.hup(good=False)
    assert client.get(gw).text == "a"


def test_an_address_that_is_taken_changes_nothing(gateway, a, b, client):
    gw = gateway(everything_to(a))
    with contextlib.closing(listening_socket()) as taken:
        gw.reload(everything_to(b, more=f'listen: [ "127.0.0.1:0", "127.0.0.1:{taken.getsockname()[1]}" ]'), good=False)
    assert client.get(gw).text == "a"


def test_a_listener_is_added_and_removed(gateway, a, client):
    gw = gateway(everything_to(a))
    extra = free_address()
    gw.reload(everything_to(a, more=f'listen: [ "127.0.0.1:0", "{extra}" ]'))
    assert client.get(gw).text == "a" == client.get(extra).text
    kept = client.connect(extra)
    assert kept.ask(request()).text == "a"
    gw.reload(everything_to(a))
    until(lambda: is_refused(extra), "the address refuses")
    assert kept.is_closed()
    assert client.get(gw).text == "a"


def is_refused(address):
    try:
        Wire(address).close()
        return False
    except ConnectionRefusedError:
        return True


def test_a_request_on_a_listener_that_goes_is_finished(gateway, upstream, client):
    slow = upstream(hold=True)
    extra = free_address()
    gw = gateway(everything_to(slow, more=f'listen: [ "127.0.0.1:0", "{extra}" ]'))
    with client.pending(extra, "/", slow) as wire:
        gw.reload(everything_to(slow))
        until(lambda: is_refused(extra), "the address refuses")
        slow.release()
        assert wire.answer().text == "ok"
        assert wire.is_closed()


def test_an_upstream_that_did_not_change_keeps_its_connections(gateway, a, b, client):
    gw = gateway(everything_to(a, upstream="keepalive: { idle_time: 1m }", more="threads: 1"))
    client.get(gw)
    for number in range(3):
        gw.reload(f"""
            upstreams:
              shop: {{ servers: [ "{a.address}" ], keepalive: {{ idle_time: 1m }} }}
              more: {{ servers: [ "{b.address}" ] }}
            routes: [ {{ name: all, to: shop }}, {{ name: more{number}, match: {{ path: /more }}, to: more }} ]
            threads: 1
        """)
        assert client.get(gw).text == "a" and client.get(gw, "/more").text == "b"
    assert len(a.connections) == 1


def test_a_server_that_is_not_named_any_more_lets_its_idle_connections_go(gateway, a, b, client):
    gw = gateway(everything_to(a, upstream="keepalive: { idle_time: 1m }"))
    client.get(gw)
    gw.reload(everything_to(b, upstream="keepalive: { idle_time: 1m }"))
    until(lambda: a.connections[0].closed, "the old connection is closed")


def test_health_is_remembered_and_checks_do_not_double(gateway, upstream, client):
    ill = upstream(answer=lambda asked: reply(500) if asked.target == "/h" else reply())
    text = everything_to(ill, upstream="health: { path: /h, interval: 1s, fall: 1 }")
    gw = gateway(text)
    until(lambda: gw.metric("banyan_upstream_server_up", upstream="shop") == 0, "it is out")
    for _ in range(5):
        gw.reload(text)
        assert gw.metric("banyan_upstream_server_up", upstream="shop") == 0
    count = len(ill.requests)
    always(lambda: len(ill.requests) <= count + 3, "one check a second", during=1.5)


def test_counters_do_not_go_back(gateway, a, client):
    gw = gateway(everything_to(a))
    client.get(gw)
    gw.wait_metric("banyan_requests_total", 1, route="all")
    gw.reload(everything_to(a))
    client.get(gw)
    gw.wait_metric("banyan_requests_total", 2, route="all")


def test_limits_change_for_old_connections_too(gateway, a, client):
    gw = gateway(everything_to(a))
    old = client.connect(gw)
    assert old.ask(request("POST", body=b"x" * 100)).status == 200
    gw.reload(everything_to(a, more="limits: { body: 10 }"))
    assert old.ask(request("POST", body=b"x" * 100)).status == 413


def test_a_certificate_is_renewed(gateway, a, certificates, client, tmp_path):
    for part in ("certificate", "key"):
        (tmp_path / part).write_bytes(getattr(certificates, part)("other").read_bytes())
    tls = f'listen: [ {{ address: "127.0.0.1:0", tls: {{ certificate: "{tmp_path}/certificate", key: "{tmp_path}/key" }} }} ]'
    gw = gateway(everything_to(a, more=tls))
    context = certificates.trust()
    context.check_hostname = False
    assert client.connect(gw.tls_address, tls=context).certificate_names == ["other.test"]
    for part in ("certificate", "key"):
        (tmp_path / part).write_bytes(getattr(certificates, part)("wild").read_bytes())
    gw.reload(everything_to(a, more=tls))
    assert client.connect(gw.tls_address, tls=context).certificate_names == ["*.wild.test"]


def test_many_reloads_under_load_fail_nobody(gateway, a, b, client):
    gw = gateway(everything_to(a))
    stop, counts, wrong = threading.Event(), [], []

    def load(keep):
        count = 0
        wire = Wire(gw)
        while not stop.is_set():
            if not keep:
                wire.close()
                wire = Wire(gw)
            answer = wire.ask(request("POST" if count % 3 else "GET", body=b"x" * (count % 1000)))
            if answer.status != 200 or answer.text not in "ab" or answer.headers.get("connection") == "close":
                wrong.append(answer)
            count += 1
        wire.close()
        counts.append(count)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load, keep) for keep in (True, True, True, False)]
        try:
            for number in range(RELOADS):
                gw.reload(everything_to(b if number % 2 == 0 else a))
        finally:
            stop.set()
        for one in loads:
            one.result()
    assert not wrong, wrong[:3]
    assert sum(counts) > RELOADS


@pytest.mark.skipif("tsan" in os.environ.get("BANYAN_BUILD", ""), reason="ThreadSanitizer's own memory grows with what happens")
def test_memory_does_not_grow_with_reloads(gateway, a, client):
    gw = gateway(everything_to(a), env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"})
    for number in range(RELOADS):
        gw.reload(everything_to(a, more=f"limits: {{ headers: {50 + number % 2} }}"))
    before = memory_bytes(gw.pid)
    for number in range(RELOADS):
        gw.reload(everything_to(a, more=f"limits: {{ headers: {50 + number % 2} }}"))
        client.get(gw)
    assert memory_bytes(gw.pid) - before < 8 << 20


def test_hup_again_and_again_at_once_ends_in_the_last_file(gateway, a, b, client):
    gw = gateway(everything_to(a))
    for _ in range(20):
        gw.program.signal(signal.SIGHUP)
    gw.write(everything_to(b))
    gw.program.signal(signal.SIGHUP)
    until(lambda: client.get(gw).text == "b", "the last file serves")


def test_no_request_of_a_pipeline_is_lost_over_a_reload(gateway, a, client):
    gw = gateway(everything_to(a))
    wire = client.connect(gw)
    wire.send(request() * 50)
    gw.program.signal(signal.SIGHUP)
    assert {wire.answer().status for _ in range(50)} == {200}
    assert wire.is_quiet()
