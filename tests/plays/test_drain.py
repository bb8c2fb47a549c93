# SPDX-License-Identifier: Apache-2.0
"""The end of the gateway: what runs is finished, nothing new begins."""
import asyncio
import contextlib
import signal
import threading

import pytest
import websockets

from actors.client import Wire
from actors.gateway import everything_to
from actors.h2wire import get
from actors.http1 import request
from actors.process import listening_socket
from actors.waiting import until
from actors.websocket import HANDSHAKE, SWITCH, EchoServer, frame, read_frame

H2C = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]'


def refuses(address):
    try:
        Wire(address).close()
        return False
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_what_is_in_flight_is_finished_and_nothing_new_begins(gateway, upstream, client, number):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow))
    with client.pending(gw, "/", slow) as wire:
        gw.program.signal(number)
        until(lambda: refuses(gw.address), "new connections are refused")
        assert gw.program.is_running()
        slow.release()
        answer = wire.answer()
        assert answer.text == "ok" and answer.headers.get("connection") == "close"
        assert wire.is_closed()
    gw.stop()


def test_an_idle_connection_is_answered_once_more(gateway, upstream, client):
    """Closed at once, it would lose the request that its client is sending at that very moment."""
    gw = gateway(everything_to(upstream(), more="drain: { idle: 20s }"))
    wires = [client.connect(gw) for _ in range(20)]
    fresh = client.connect(gw)
    assert all(wire.ask(request()).status == 200 for wire in wires)
    until(lambda: gw.metric("banyan_connections") >= 21, "all are accepted")
    gw.program.signal(signal.SIGTERM)
    until(lambda: refuses(gw.address), "it drains")
    for wire in [*wires, fresh]:
        answer = wire.ask(request())
        assert answer.status == 200 and answer.headers.get("connection") == "close"
        assert wire.is_closed()
    assert gw.program.wait(10) == 0
    gw.stop()


def test_a_connection_that_stays_idle_is_closed_in_its_time(gateway, upstream, client):
    gw = gateway(everything_to(upstream(), more="drain: { idle: 200ms }"))
    wires = [client.connect(gw) for _ in range(50)]
    assert wires[0].ask(request()).status == 200
    gw.program.signal(signal.SIGTERM)
    assert gw.program.wait(10) == 0
    assert all(wire.is_closed() for wire in wires)
    gw.stop()


def test_readiness_goes_first(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow))
    with client.pending(gw, "/", slow):
        gw.program.signal(signal.SIGTERM)
        until(lambda: gw.ask_admin("/readyz")[0] == 503, "not ready any more")
        assert gw.ask_admin("/healthz")[0] == 200
        slow.release()
    gw.stop()


def test_after_the_timeout_what_is_left_is_cut(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more="drain: { timeout: 300ms }"))
    with client.pending(gw, "/", slow) as wire:
        gw.program.signal(signal.SIGTERM)
        assert gw.program.wait(10) == 0
        wire.reader.rest()
    assert "cut" in gw.stderr
    gw.stop()


def test_a_second_signal_cuts_at_once(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more="drain: { timeout: 10m }"))
    with client.pending(gw, "/", slow):
        gw.program.signal(signal.SIGTERM)
        until(lambda: refuses(gw.address), "it drains")
        gw.program.signal(signal.SIGTERM)
        assert gw.program.wait(10) == 0
    gw.stop()


def test_http2_gets_a_goaway_and_its_streams_are_finished(gateway, upstream, h2):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more=H2C))
    wire = h2(gw)
    stream_id = wire.request(get("/"))
    slow.wait_requests(1)
    gw.program.signal(signal.SIGTERM)
    assert wire.read_until(lambda: wire.goaway is not None)
    assert wire.goaway == 0
    slow.release()
    assert wire.answer(stream_id).status == 200
    wire.wait_end()
    gw.stop()


def test_http2_requests_that_cannot_be_repeated_are_cut_by_a_second_signal_too(gateway, upstream, h2):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more=H2C + "\ndrain: { timeout: 10m }"))
    wire = h2(gw)
    wire.request([(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "shop.test")])
    slow.wait_requests(1)
    gw.program.signal(signal.SIGTERM)
    assert wire.read_until(lambda: wire.goaway is not None)
    gw.program.signal(signal.SIGTERM)
    assert gw.program.wait(10) == 0
    gw.stop()


@pytest.fixture
def echo(stage):
    server = EchoServer()
    return stage.enter(server, server.finish)


def test_a_websocket_goes_on_for_its_time_and_gets_a_close_frame(gateway, echo):
    """Longer than requests may."""
    gw = gateway(everything_to(echo, more="drain: { timeout: 100ms, tunnels: 1s }"))

    async def play():
        async with websockets.connect(f"ws://{gw.address}/", ping_interval=None) as socket:
            await socket.send("before")
            assert await socket.recv() == "before"
            gw.program.signal(signal.SIGTERM)
            await asyncio.to_thread(until, lambda: refuses(gw.address), "it drains")
            await asyncio.sleep(0.3)
            await socket.send("still here")
            assert await socket.recv() == "still here"
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1001
        assert await asyncio.to_thread(gw.program.wait, 10) == 0

    asyncio.run(play())
    until(lambda: echo.closes == [1001], "the close at the server")
    assert "cut" not in gw.stderr
    gw.stop()


def tunnel(gateway, upstream, client, script, more="drain: { tunnels: 0s }"):
    gw = gateway(everything_to(upstream(script=script), more=more))
    wire = client.connect(gw).send(HANDSHAKE)
    assert wire.head().status == 101
    return gw, wire


def test_the_close_frame_comes_between_two_frames_and_nothing_after_it(gateway, upstream, client):
    middle, told = threading.Event(), threading.Event()
    heard = []

    def talk(connection):
        connection.head()
        whole = frame(b"x" * 300)
        connection.send(SWITCH + frame(b"first") + whole[:100])
        middle.set()
        told.wait(20)
        connection.send(whole[100:] + frame(b"too late"))
        heard.extend([read_frame(connection.reader), read_frame(connection.reader)])
        connection.send(frame(b"later still") + frame(b"\x03\xe9", 8))

    gw, wire = tunnel(gateway, upstream, client, talk)
    assert read_frame(wire.reader) == (2, b"first")
    middle.wait(20)
    gw.program.signal(signal.SIGTERM)
    until(lambda: refuses(gw.address), "it drains")
    assert wire.reader.take(100) == frame(b"x" * 300)[:100]
    assert wire.is_quiet()
    told.set()
    assert wire.reader.take(204) == frame(b"x" * 300)[100:]
    assert read_frame(wire.reader) == (8, b"\x03\xe9")
    wire.send(frame(b"the last word", masked=True), frame(b"\x03\xe9", 8, masked=True))
    assert wire.is_closed()
    assert heard == [(2, b"the last word"), (8, b"\x03\xe9")]
    assert gw.program.wait(10) == 0
    gw.stop()


def test_a_client_that_does_not_answer_the_close_frame_is_answered_for(gateway, upstream, client):
    heard = []

    def talk(connection):
        connection.head()
        connection.send(SWITCH + frame(b"first"))
        heard.append(read_frame(connection.reader))
        heard.append(connection.wait_end())

    gw, wire = tunnel(gateway, upstream, client, talk)
    assert read_frame(wire.reader) == (2, b"first")
    gw.program.signal(signal.SIGTERM)
    assert gw.program.wait(10) == 0
    assert read_frame(wire.reader) == (8, b"\x03\xe9")
    until(lambda: len(heard) == 2, "the end at the server")
    assert heard[0] == (8, b"\x03\xe9")
    gw.stop()


def test_a_tunnel_of_another_kind_ends_for_both(gateway, upstream, client):
    ends = []

    def talk(connection):
        connection.head()
        connection.send(SWITCH.replace(b"websocket", b"chess") + b"e4")
        ends.append(connection.reader.rest())

    gw = gateway(everything_to(upstream(script=talk), more="drain: { tunnels: 0s }"))
    wire = client.connect(gw).send(HANDSHAKE.replace(b"websocket", b"chess"))
    assert wire.head().status == 101
    assert wire.reader.take(2) == b"e4"
    wire.send(b"e5")
    gw.program.signal(signal.SIGTERM)
    assert wire.reader.rest() == b""
    until(lambda: ends == [b"e5"], "the end at the server")
    wire.close()
    assert gw.program.wait(10) == 0
    gw.stop()


def test_tunnels_of_a_listener_that_goes_get_a_close_frame(gateway, echo, client):
    with contextlib.closing(listening_socket()) as sock:
        extra = "127.0.0.1:%d" % sock.getsockname()[1]
    more = 'drain: { tunnels: 0s }\nlisten: [ "127.0.0.1:0", "%s" ]'
    gw = gateway(everything_to(echo, more=more % extra))

    async def play():
        async with websockets.connect(f"ws://{extra}/", ping_interval=None) as gone, \
                websockets.connect(f"ws://{gw.address}/", ping_interval=None) as stays:
            await asyncio.to_thread(gw.reload, everything_to(echo, more="drain: { tunnels: 0s }"))
            with pytest.raises(websockets.ConnectionClosed):
                await gone.recv()
            assert gone.close_code == 1001
            await stays.send("here")
            assert await stays.recv() == "here"

    asyncio.run(play())


def test_every_record_is_written_before_the_end(gateway, upstream, client):
    gw = gateway(everything_to(upstream()))
    wire = client.connect(gw)
    wire.pipeline(*[request()] * 100)
    gw.stop()
    assert len(gw.access_log) == 100
