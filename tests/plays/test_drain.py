# SPDX-License-Identifier: Apache-2.0
"""The end of the gateway: what runs is finished, nothing new begins."""
import asyncio
import contextlib
import signal

import pytest
import websockets

from actors.client import Wire
from actors.gateway import everything_to
from actors.h2wire import get
from actors.http1 import request
from actors.waiting import until

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


def test_idle_connections_do_not_hold_up_the_end(gateway, upstream, client):
    gw = gateway(everything_to(upstream()))
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


def test_a_websocket_is_ended_after_the_timeout(gateway):
    async def echo(socket):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for message in socket:
                await socket.send(message)

    async def play():
        async with websockets.serve(echo, "127.0.0.1", 0, ping_interval=None) as server:
            port = server.sockets[0].getsockname()[1]
            gw = gateway(everything_to(f"127.0.0.1:{port}", more="drain: { timeout: 1s }"))
            async with websockets.connect(f"ws://{gw.address}/", ping_interval=None) as socket:
                gw.program.signal(signal.SIGTERM)
                await asyncio.to_thread(until, lambda: refuses(gw.address), "it drains")
                await socket.send("still here")
                assert await socket.recv() == "still here"
                with pytest.raises(websockets.ConnectionClosed):
                    await socket.recv()
            assert await asyncio.to_thread(gw.program.wait, 10) == 0

    asyncio.run(play())


def test_every_record_is_written_before_the_end(gateway, upstream, client):
    gw = gateway(everything_to(upstream()))
    wire = client.connect(gw)
    wire.pipeline(*[request()] * 100)
    gw.stop()
    assert len(gw.access_log) == 100
