# SPDX-License-Identifier: Apache-2.0
"""WebSocket and other tunnels."""
import asyncio
import threading

import pytest
import websockets

from actors import http1
from actors.gateway import everything_to
from actors.websocket import HANDSHAKE, SWITCH, EchoServer
from actors.waiting import PROOF, until

MANY = 1000 if PROOF else 100


@pytest.fixture
def echo(stage):
    server = EchoServer()
    return stage.enter(server, server.finish)


@pytest.fixture
def gw(gateway, echo):
    return gateway(everything_to(echo, upstream="timeouts: { connect: 20s, head: 60s }"))


def connect(gw, **options):
    return websockets.connect(f"ws://{gw.address}/chat?room=1", ping_interval=None, max_size=1 << 24, **options)


def test_text_and_binary_and_long_messages_come_back(gw, echo):
    async def play():
        async with connect(gw, subprotocols=None, extra_headers={"X-Who": "me"}) as socket:
            for message in ("hello", "", "ü" * 1000, b"\x00\xff" * 10, bytes(3 << 20)):
                await socket.send(message)
                assert await socket.recv() == message
            await (await socket.ping())

    asyncio.run(play())
    assert echo.headers[0]["X-Who"] == "me" and echo.headers[0]["X-Forwarded-For"] == "127.0.0.1"
    until(lambda: echo.closes == [1000], "the close at the server")
    until(lambda: gw.metric("banyan_tunnels") == 0, "no tunnel is left")
    assert gw.record()["status"] == 101


def test_the_server_may_close_first(gw):
    async def play():
        async with connect(gw) as socket:
            await socket.send("close, please")
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            assert (socket.close_code, socket.close_reason) == (4001, "as you wish")

    asyncio.run(play())


def test_many_at_the_same_time(gw, echo):
    async def one(number):
        async with connect(gw, open_timeout=60) as socket:
            for turn in range(3):
                await socket.send(f"{number} {turn}")
                assert await socket.recv() == f"{number} {turn}"
            ready.append(number)
            await everybody.wait()

    async def play():
        nonlocal everybody
        everybody = asyncio.Event()
        tasks = [asyncio.create_task(one(number)) for number in range(MANY)]
        while len(ready) < MANY:
            done = [task for task in tasks if task.done()]
            for task in done:
                task.result()
            await asyncio.sleep(0.01)
        tunnels.append(await asyncio.to_thread(gw.metric, "banyan_tunnels"))
        everybody.set()
        await asyncio.gather(*tasks)

    everybody, ready, tunnels = None, [], []
    asyncio.run(play())
    assert tunnels == [MANY]
    until(lambda: gw.metric("banyan_tunnels") == 0, "no tunnel is left")
    until(lambda: len(echo.closes) == MANY, "all closed at the server")


def test_an_upgrade_that_the_server_refuses_stays_http(gateway, upstream, client):
    plain = upstream(answer=http1.reply(200, b"no websocket here"))
    gw = gateway(everything_to(plain))
    wire = client.connect(gw)
    assert wire.ask(HANDSHAKE).text == "no websocket here"
    assert plain.requests[0].headers.get("upgrade") == "websocket"
    assert wire.ask(http1.request()).status == 200


def test_nothing_is_sent_through_before_the_101(gateway, upstream, client):
    seen, go = [], threading.Event()

    def wait(connection):
        connection.head()
        go.wait(20)
        seen.append(bytes(connection.reader.buffer))
        connection.send(SWITCH)
        connection.send(b"welcome")
        seen.append(connection.reader.take(9))

    up = upstream(script=wait)
    gw = gateway(everything_to(up))
    wire = client.connect(gw).send(HANDSHAKE, b"too early")
    up.wait_requests(1)
    go.set()
    assert wire.head().status == 101
    assert wire.reader.take(7) == b"welcome"
    until(lambda: len(seen) == 2, "the server's reading")
    assert seen == [b"", b"too early"]


def test_the_tunnel_passes_raw_bytes_and_half_closes(gateway, upstream, client):
    def raw(connection):
        connection.head()
        connection.send(SWITCH)
        got = connection.reader.rest()
        connection.send(got[::-1])

    gw = gateway(everything_to(upstream(script=raw)))
    wire = client.connect(gw).send(HANDSHAKE)
    answer = wire.head()
    assert answer.status == 101 and answer.headers.get("upgrade") == "websocket"
    assert answer.headers.get("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    data = bytes(range(256)) * 4000
    wire.send(data).half_close()
    assert wire.reader.rest() == data[::-1]


@pytest.mark.parametrize("who", ["client", "server"])
def test_when_one_side_is_cut_the_other_learns_it(gateway, upstream, client, who):
    ends = []

    def talk(connection):
        connection.head()
        connection.send(SWITCH + b"x")
        if who == "server":
            connection.reader.take(1)
            connection.reset()
        else:
            ends.append(connection.wait_end())

    gw = gateway(everything_to(upstream(script=talk)))
    wire = client.connect(gw).send(HANDSHAKE)
    wire.head()
    wire.send(wire.reader.take(1))
    if who == "client":
        wire.reset()
        until(lambda: ends, "the end at the server")
    else:
        assert wire.is_closed()
    until(lambda: gw.metric("banyan_tunnels") == 0, "no tunnel is left")


def test_an_upgrade_needs_connection_upgrade(gateway, upstream, client):
    plain = upstream()
    gw = gateway(everything_to(plain))
    client.raw(gw, HANDSHAKE.replace(b"Connection: keep-alive, Upgrade\r\n", b""))
    assert "upgrade" not in plain.requests[0].headers


def test_a_tunnel_outlives_the_limits_of_a_request(gateway, upstream, client):
    def talk(connection):
        connection.head()
        connection.send(SWITCH)
        connection.send(connection.reader.take(4))

    gw = gateway(everything_to(upstream(script=talk), upstream="timeouts: { head: 300ms, request: 500ms }"))
    wire = client.connect(gw).send(HANDSHAKE)
    assert wire.head().status == 101
    assert wire.is_quiet(1.2)
    wire.send(b"echo")
    assert wire.reader.take(4) == b"echo"


def test_a_tunnel_without_a_byte_ends_after_its_own_time(gateway, upstream, client):
    def talk(connection):
        connection.head()
        connection.send(SWITCH)
        connection.wait_end()

    gw = gateway(everything_to(upstream(script=talk), upstream="timeouts: { tunnel: 300ms }"))
    wire = client.connect(gw).send(HANDSHAKE)
    assert wire.head().status == 101
    assert wire.is_closed()
