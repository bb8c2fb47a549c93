# SPDX-License-Identifier: Apache-2.0
"""A new process takes over from the one that runs, and nobody notices."""
import asyncio
import collections
import contextlib
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import websockets

from actors.client import Wire
from actors.gateway import BANYAN, everything_to, run_banyan
from actors.h2wire import H2Wire, get
from actors.http1 import chunk, reply, request
from actors.process import listening_socket
from actors.waiting import PROOF, until
from actors.websocket import EchoServer

RELOADS = 200 if PROOF else 10
UPGRADES = 20 if PROOF else 3
BOTH = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]'


def take_over(gateway, gw, text=None, **options):
    """The process that is there next; ready means that it serves."""
    return gateway(text, after=gw, words=["--takeover", *options.pop("words", [])], token=gw.token, **options)


@pytest.fixture
def a(upstream):
    return upstream(answer=lambda asked: reply(200, b"a"))


@pytest.fixture
def b(upstream):
    return upstream(answer=lambda asked: reply(200, b"b"))


@pytest.fixture
def echo(stage):
    server = EchoServer()
    return stage.enter(server, server.finish)


def test_the_new_process_serves_where_the_old_one_did(gateway, a, b, client):
    old = gateway(everything_to(a, more="drain: { idle: 100ms }"))
    assert client.get(old).text == "a"
    new = take_over(gateway, old, everything_to(b, more="drain: { idle: 100ms }"))
    assert (new.address, new.admin) == (old.address, old.admin)
    assert old.program.wait(10) == 0
    assert client.get(new).text == "b"
    new.wait_metric("banyan_requests_total", 1, route="all")
    old.stop()


def test_a_request_under_way_is_finished_by_the_old_one(gateway, upstream, b, client):
    slow = upstream(answer=reply(200, b"slow"), hold=True)
    old = gateway(everything_to(slow))
    with client.pending(old, "/", slow) as wire:
        new = take_over(gateway, old, everything_to(b))
        assert client.get(new).text == "b"
        assert old.program.is_running()
        slow.release()
        answer = wire.answer()
        assert answer.text == "slow" and answer.headers.get("connection") == "close"
    assert old.program.wait(10) == 0
    old.stop()


def test_a_body_that_streams_through_the_old_one_is_not_cut(gateway, upstream, client):
    go = threading.Event()

    def half(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"hello"))
        go.wait(20)
        connection.send(chunk(b"world") + b"0\r\n\r\n")

    old = gateway(everything_to(upstream(script=half), more="drain: { idle: 100ms }"))
    wire = client.connect(old).send(request())
    wire.head()
    assert wire.reader.take(10) == chunk(b"hello")
    take_over(gateway, old)
    go.set()
    assert wire.reader.take(15) == chunk(b"world") + b"0\r\n\r\n"
    # Nobody told this client that the connection ends: its next request is answered too, by the old process.
    assert old.program.wait(10) == 0
    old.stop()


def test_what_waits_in_the_queue_is_accepted_by_the_new_one(gateway, a, b, client):
    """Connections that the old process had no time to accept: it is stopped while they come."""
    old = gateway(everything_to(a, more="drain: { idle: 100ms }"))
    address = old.address
    os.kill(old.pid, signal.SIGSTOP)
    waiting = [client.connect(address).send(request()) for _ in range(100)]
    os.kill(old.pid, signal.SIGCONT)
    take_over(gateway, old, everything_to(b, more="drain: { idle: 100ms }"))
    assert {wire.answer().status for wire in waiting} == {200}
    assert old.program.wait(10) == 0
    old.stop()


def test_a_new_process_that_cannot_start_changes_nothing(gateway, a, client):
    old = gateway(everything_to(a))
    kept = client.connect(old)
    assert kept.ask(request()).text == "a"
    good = old.text
    old.file.write_text("routes: [")
    assert run_banyan("serve", "--takeover", "-c", old.file)[0] == 2
    with contextlib.closing(listening_socket()) as taken:
        old.file.write_text(good.replace('listen: [ "127.0.0.1:0" ]', f'listen: [ "127.0.0.1:0", "127.0.0.1:{taken.getsockname()[1]}" ]'))
        code, _, errors = run_banyan("serve", "--takeover", "-c", old.file)
    assert code == 7, errors
    until(lambda: "nobody took over" in old.stderr, "the old one has noticed")
    assert kept.ask(request()).text == "a" == client.get(old).text
    assert kept.ask(request()).headers.get("connection") != "close"
    old.file.write_text(good)
    new = take_over(gateway, old)
    assert client.get(new).text == "a"
    kept.close()
    assert old.program.wait(10) == 0
    old.stop()


def test_a_new_process_that_dies_halfway_changes_nothing(gateway, a, client, tmp_path):
    """It stops dead where it reads a file: a FIFO that nobody writes."""
    old = gateway(everything_to(a))
    os.mkfifo(tmp_path / "page.html")
    old.write(everything_to(a, more=f"errors: {tmp_path}/page.html"))
    halfway = subprocess.Popen([BANYAN, "serve", "--takeover", "-c", old.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: "wants to take over" in old.stderr, "it has asked")
        assert client.get(old).text == "a"
    finally:
        halfway.kill()
        halfway.wait()
    until(lambda: "nobody took over" in old.stderr, "the old one has noticed")
    assert client.get(old).text == "a"
    take_over(gateway, old, everything_to(a))
    assert old.program.wait(10) == 0
    old.stop()


def test_nobody_to_take_over_from(gateway, a, tmp_path):
    (tmp_path / "banyan.yaml").write_text(everything_to(a, more='listen: [ "127.0.0.1:0" ]\nadmin: off'))
    code, _, errors = run_banyan("serve", "--takeover", "-c", tmp_path / "banyan.yaml")
    assert code == 5 and "no process is there" in errors


def test_a_stranger_is_told_nothing(gateway, a, client, tmp_path):
    """Bytes that are no greeting end the conversation; one of another user would not get that far."""
    path = tmp_path / "takeover.sock"
    gw = gateway(everything_to(a, more=f"takeover: unix:{path}"))
    until(path.exists, "the socket")
    assert path.stat().st_mode & 0o777 == 0o600
    for words in (b"banyan takeover 99 1.0", b"\0" * 1000, b"banyan takeover 1 x" * 4000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(10)
            sock.connect(str(path))
            sock.send(words[:65536])
            if b"takeover 1 " not in words:
                assert sock.recv(1000).startswith(b"no ")
    assert client.get(gw).text == "a"
    assert gw.program.is_running()


def test_a_listener_that_is_gone_is_drained_and_a_new_one_is_bound(gateway, upstream, a, client):
    slow = upstream(hold=True)
    with contextlib.closing(listening_socket()) as one, contextlib.closing(listening_socket()) as two:
        first, second = ("127.0.0.1:%d" % sock.getsockname()[1] for sock in (one, two))
    old = gateway(everything_to(slow, more=f'listen: [ "127.0.0.1:0", "{first}" ]'))
    with client.pending(first, "/", slow) as wire:
        new = take_over(gateway, old, everything_to(a, more=f'listen: [ "127.0.0.1:0", "{second}" ]'))
        assert client.get(new).text == "a" == client.get(second).text
        with pytest.raises(ConnectionRefusedError):
            Wire(first)
        slow.release()
        assert wire.answer().text == "ok"
    assert old.program.wait(10) == 0
    old.stop()


def test_an_address_may_be_written_otherwise(gateway, a, client):
    with contextlib.closing(listening_socket()) as sock:
        port = sock.getsockname()[1]
    old = gateway(everything_to(a, more=f'listen: [ ":{port}" ]\ndrain: {{ idle: 100ms }}'))
    new = take_over(gateway, old, everything_to(a, more=f'listen: [ "0.0.0.0:{port}" ]'))
    assert old.program.wait(10) == 0
    assert client.get(f"127.0.0.1:{port}").text == "a" and new.program.is_running()
    old.stop()


def test_a_unix_socket_stays_and_its_file_is_the_new_ones(gateway, a, tmp_path):
    path = tmp_path / "shop.sock"
    old = gateway(everything_to(a, more=f'listen: [ "unix:{path}", "127.0.0.1:0" ]\ndrain: {{ idle: 100ms }}'))
    inode = path.stat().st_ino
    new = take_over(gateway, old)
    assert old.program.wait(10) == 0
    assert path.stat().st_ino == inode
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(request())
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
    new.stop()
    assert not path.exists()
    old.stop()


def test_a_websocket_lives_on_in_the_old_process(gateway, echo):
    old = gateway(everything_to(echo, more="drain: { upgrade: 1500ms }"))

    async def play():
        async with websockets.connect(f"ws://{old.address}/", ping_interval=None) as before:
            new = take_over(gateway, old)  # by the main thread: programs end with the thread that started them
            async with websockets.connect(f"ws://{new.address}/", ping_interval=None) as after:
                for socket_ in (before, after):
                    await socket_.send("here")
                    assert await socket_.recv() == "here"
                assert old.program.is_running()
                with pytest.raises(websockets.ConnectionClosed):
                    await before.recv()
                assert before.close_code == 1001
                await after.send("here")
                assert await after.recv() == "here"

    asyncio.run(play())
    assert old.program.wait(10) == 0
    old.stop()


def test_the_access_log_has_every_request_of_both(gateway, a, client):
    old = gateway(everything_to(a, more="drain: { idle: 100ms }"))
    for number in range(20):
        client.get(old, f"/old{number}")
    new = take_over(gateway, old)
    for number in range(20):
        client.get(new, f"/new{number}")
    assert old.program.wait(10) == 0
    old.stop()
    new.stop()
    assert sorted(record["url"]["path"] if "url" in record else record["url.path"] for record in new.access_log) == \
        sorted(f"/{who}{number}" for who in ("old", "new") for number in range(20))


def test_sigusr2_starts_the_program_anew(gateway, a, client, tmp_path):
    """From the path it was started from: what stands there now."""
    program = tmp_path / "banyan"
    shutil.copy(BANYAN, program)
    old = gateway(everything_to(a, more="drain: { idle: 100ms }"), program=program)
    old.program.signal(signal.SIGUSR2)
    assert old.program.wait(30) == 0
    pid = int(until(lambda: [line for line in old.stderr.splitlines() if "has taken over" in line], "the word")[0].split("process ")[1].split()[0])
    try:
        assert client.get(old).text == "a"
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert b"--takeover" in words
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or "Z" in pathlib.Path(f"/proc/{pid}/stat").read_text(), "its end")
    old.stop()


def test_sigusr2_with_a_program_that_does_not_start(gateway, a, client, tmp_path):
    program = tmp_path / "banyan"
    shutil.copy(BANYAN, program)
    gw = gateway(everything_to(a), program=program)
    program.unlink()
    program.write_text("#!/bin/false\n")
    program.chmod(0o755)
    gw.program.signal(signal.SIGUSR2)
    until(lambda: "has ended" in gw.stderr, "it is told")
    assert client.get(gw).text == "a"


# Under load

class Load:
    """Clients that do not forgive: each counts its requests, and what was not a good answer. None tries again."""

    def __init__(self, address):
        self.address = address
        self.stop = threading.Event()
        self.counts, self.wrong = collections.Counter(), []
        self.threads = []

    def start(self, kind, pause=0.0):
        thread = threading.Thread(target=self.run, args=(kind, pause), daemon=True)
        self.threads.append(thread)
        thread.start()

    def run(self, kind, pause):
        try:
            getattr(self, kind)(pause)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append((kind, pause, repr(error)))

    def judge(self, kind, answer):
        self.counts[kind] += 1
        if answer.status != 200 or bytes(answer.body) not in (b"a", b"b"):
            self.wrong.append((kind, answer))

    def kept(self, pause):
        """Keep-alive, as a browser: a connection is used until it is told that it ends."""
        wire = Wire(self.address)
        for count in itertools.count():
            answer = wire.ask(request("POST" if count % 3 else "GET", body=b"x" * (count % 1000)))
            self.judge("kept", answer)
            if answer.headers.get("connection") == "close":
                self.counts["moved"] += 1
                wire.close()
                wire = Wire(self.address)
            if self.stop.is_set():
                return wire.close()
            if pause:
                time.sleep(pause)

    def single(self, pause):
        while not self.stop.is_set():
            with Wire(self.address) as wire:
                self.judge("single", wire.ask(request()))
            time.sleep(pause)

    def h2(self, pause):
        wire = H2Wire(self.address)
        while not self.stop.is_set():
            self.judge("h2", wire.answer(wire.request(get("/"))))
            if wire.goaway is not None:
                self.counts["gone away"] += 1
                wire.close()
                wire = H2Wire(self.address)
            time.sleep(pause)
        wire.close()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


class Sockets:
    """WebSockets that stay open, and say something again and again; one that ends is a loss."""

    def __init__(self, address):
        self.address = address
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.open, self.said, self.lost = [], 0, []

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def add(self, count=1):
        for _ in range(count):
            self.open.append(self.call(self.dial()))

    async def dial(self):
        socket_ = await websockets.connect(f"ws://{self.address}/ws", ping_interval=None)
        socket_.talk = asyncio.ensure_future(self.talk(socket_))
        return socket_

    async def talk(self, socket_):
        try:
            for number in itertools.count():
                await socket_.send(str(number))
                if await socket_.recv() != str(number):
                    self.lost.append(f"{number} came back as another")
                self.said += 1
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            self.lost.append(repr(error))

    def end(self):
        async def close():
            for socket_ in self.open:
                socket_.talk.cancel()
                await socket_.close()

        self.call(close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)


def shop(server, echo):
    return f"""
        upstreams:
          shop: {{ servers: [ "{server.address}" ] }}
          chat: {{ servers: [ "{echo.address}" ] }}
        routes:
          - {{ name: chat, match: {{ path: /ws }}, to: chat }}
          - {{ name: all, to: shop }}
        {BOTH}
    """


def test_reloads_and_upgrades_under_load_fail_nobody(gateway, a, b, echo):
    """The proof of the issue: 200 reloads and 20 upgrades (BANYAN_PROOF=1); every client is told in time where to go, and
    no socket is lost."""
    texts = itertools.cycle([shop(b, echo), shop(a, echo)])
    gw = gateway(shop(a, echo))
    load, chat = Load(gw.address), Sockets(gw.address)
    past = []
    for kind, pause in (("kept", 0), ("kept", 0.003), ("kept", 0.3), ("single", 0.002), ("h2", 0), ("h2", 0.3)):
        load.start(kind, pause)
    try:
        chat.add(5)
        for number in range(UPGRADES):
            for _ in range(RELOADS // UPGRADES):
                gw.reload(next(texts))
            before = load.counts.copy()
            past.append(gw)
            gw = take_over(gateway, gw, next(texts))
            chat.add()
            until(lambda: load.wrong or all(load.counts[kind] > before[kind] + 1 for kind in ("kept", "single", "h2")), "all go on")
            assert not load.wrong, (number, load.wrong[:3])
            assert not chat.lost, (number, chat.lost[:3])
        load.end()
        said = chat.said
        until(lambda: chat.said > said + len(chat.open), "all sockets are alive")
        assert not chat.lost
        assert all(one.program.is_running() for one in past)
    finally:
        load.stop.set()
        chat.end()
    assert not load.wrong, load.wrong[:3]
    assert load.counts["moved"] >= UPGRADES and load.counts["gone away"] >= UPGRADES
    for one in past:
        assert one.program.wait(30) == 0
        assert "cut" not in one.stderr
        one.stop()
