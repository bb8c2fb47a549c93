# SPDX-License-Identifier: Apache-2.0
"""Slow clients keep no worker: bodies are held in both directions, and what cannot be held is passed on, not lost."""
import contextlib
import hashlib
import os
import pathlib
import random
import resource
import subprocess
import threading

import pytest

from actors import http1
from actors.gateway import everything_to
from actors.h2wire import frames
from actors.h2wire import get as h2_get
from actors.http1 import chunk, reply, request
from actors.waiting import until

MIB = 1 << 20
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATTERN = bytes(range(251)) * 4200
SMALL = "buffering: { memory: 4KiB, file: 1MiB }\n"


def text(count):
    return (PATTERN * (count // len(PATTERN) + 1))[:count]


def post(length, *headers, target="/", method="POST"):
    return http1.request(method, target, *headers, f"Content-Length: {length}")


class Worker:
    """The monolith, and what it wrote down."""

    def __init__(self, stage):
        self.path = stage.folder / "events"
        self.server = stage.gunicorn("patient:app", worker="sync", workers=1, threads=1, timeout=120, env=f"EVENTS={self.path}")

    def events(self, *words):
        lines = self.path.read_text().split("\n")[:-1] if self.path.exists() else []
        return sum(line.startswith(" ".join(words)) for line in lines)

    def wait(self, count, *words):
        until(lambda: self.events(*words) >= count, f"{count} times {words}")


@pytest.fixture
def worker(stage):
    return Worker(stage)


# One worker and many slow clients

@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_slow_uploads_never_hold_the_worker(gateway, worker, client, framing):
    """50 clients have sent half of a MiB each, bit by bit: the worker has not heard of any of them."""
    gw = gateway(everything_to(worker.server))
    body = text(MIB)
    slow = [client.connect(gw) for _ in range(50)]
    data = body if framing == "length" else b"".join(chunk(body[at:at + 4096]) for at in range(0, MIB, 4096)) + b"0\r\n\r\n"
    for wire in slow:
        wire.send(post(MIB, target="/slow") if framing == "length" else
                  request("POST", "/slow", "Transfer-Encoding: chunked"))
    half = len(data) // 2
    for at in range(0, half, 8192):
        for wire in slow:
            wire.send(data[at:min(half, at + 8192)])
        assert at % 65536 or client.get(gw, "/fast").status == 200
    until(lambda: gw.metric("banyan_spool_bytes", where="file") > 50 * MIB / 3, "half of all of them is held in files")
    fast = [client.post(gw, "/fast", b"x" * 100).text for _ in range(50)]
    assert all(answer.startswith("100 ") for answer in fast)
    assert worker.events("begun /slow") == 0
    for wire in slow:
        wire.send(data[half:])
    want = f"{MIB} {hashlib.sha256(body).hexdigest()}"
    assert [wire.answer().text for wire in slow] == [want] * 50
    assert worker.events("begun /slow") == 50
    assert gw.metric("banyan_spooled_total", side="request", where="file") == 50
    gw.wait_metric("banyan_spool_bytes", 0, where="file")
    gw.wait_metric("banyan_spool_bytes", 0, where="memory")


def test_slow_readers_never_hold_the_worker(gateway, worker, client):
    """20 clients have read less than a hundredth of 5 MiB each: the worker has long done with all of them."""
    size = 5 * MIB
    gw = gateway(everything_to(worker.server))
    slow = [client.connect(gw, receive_buffer=16384).send(request("GET", f"/big?{size}")) for _ in range(20)]
    for wire in slow:
        assert wire.head().headers.get("content-length") == str(size)
    worker.wait(20, "done /big")
    assert max(wire.reader.count for wire in slow) < size // 10
    assert [client.get(gw, "/fast").status for _ in range(20)] == [200] * 20
    gw.wait_metric("banyan_upstream_connections", 0, upstream="shop")
    assert gw.metric("banyan_spool_bytes", where="file") > 20 * MIB
    want = hashlib.sha256((bytes(range(256)) * 256) * (size // 65536)).hexdigest()
    for wire in slow:
        digest = hashlib.sha256()
        for piece in wire.reader.pieces(size):
            digest.update(piece)
        assert digest.hexdigest() == want
    assert worker.events("done /big") == 20
    gw.wait_metric("banyan_spool_bytes", 0, where="file")


def test_without_it_one_slow_client_stops_everybody(gateway, worker, client):
    """The same with buffering off, so that the two plays above are known to prove something."""
    gw = gateway(everything_to(worker.server, more="buffering: { requests: off, answers: off }"))
    upload = client.connect(gw).send(post(MIB, target="/slow"), bytes(MIB // 2))
    worker.wait(1, "begun /slow")
    fast = client.connect(gw).send(request())
    assert fast.is_quiet()
    upload.send(bytes(MIB // 2))
    assert upload.answer().status == 200 and fast.answer().status == 200
    reader = client.connect(gw, receive_buffer=16384).send(request("GET", f"/big?{20 * MIB}"))
    reader.head()
    fast.send(request())
    assert fast.is_quiet()
    assert worker.events("done /big") == 0
    reader.reset()
    assert fast.answer().status == 200


def test_many_slow_streams_of_one_http2_connection_hold_no_worker(gateway, worker, h2, client):
    gw = gateway(everything_to(worker.server, more='listen: [ { address: "127.0.0.1:0", h2c: on } ]'))
    wire = h2(gw, window=False, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 1000})
    streams = [wire.request(h2_get(f"/big?{2 * MIB}")) for _ in range(20)]
    small = [wire.request(h2_get("/small")) for _ in range(5)]
    worker.wait(20, "done /big")
    worker.wait(5, "done /small")
    assert client.get(gw, "/fast").status == 200
    gw.wait_metric("banyan_upstream_connections", 0, upstream="shop")
    wire.window = True
    wire.send(frames.WindowUpdateFrame(0, window_increment=1 << 30))
    for stream_id in streams:
        wire.send(frames.WindowUpdateFrame(stream_id, window_increment=1 << 30))
    for stream_id in streams:
        assert bytes(wire.answer(stream_id).body) == (bytes(range(256)) * 256) * 32
    assert all(wire.answer(stream_id).status == 200 for stream_id in small)


def test_a_server_of_http2_is_read_out_too(gateway, h2_upstream, client):
    """Its streams end while their clients have read nothing; trailers are kept for them."""
    up = h2_upstream(answer=lambda asked: (200, [("trailer", "x-sum")], text(6 * MIB), [("x-sum", "5")]))
    gw = gateway(everything_to(up, upstream="protocol: h2", more="threads: 1"))
    slow = [client.connect(gw, receive_buffer=16384).send(request("GET", "/", "TE: trailers", "Connection: TE")) for _ in range(5)]
    gw.wait_metric("banyan_upstream_requests_total", 5, upstream="shop", server=up.address, **{"class": "2xx"})
    until(lambda: gw.metric("banyan_spool_bytes", where="file") > 5 * 2 * MIB and is_still(lambda: gw.metric("banyan_spool_bytes", where="file")),
          "all is read out")
    assert gw.metric("banyan_spool_refused_total", reason="size") == 0
    up.stop()  # nothing is needed of it any more
    for wire in slow:
        answer = wire.answer()
        assert answer.body == text(6 * MIB) and answer.trailers == [("x-sum", "5")]


def test_a_client_that_reads_nothing_at_all_holds_no_connection(gateway, upstream, client):
    """One connection to the server at most: the next client gets it while the one before has read nothing."""
    up = upstream(answer=reply(200, text(3 * MIB)))
    gw = gateway(everything_to(up, upstream="max_connections: 1", more="threads: 1"))
    slow = [client.connect(gw, receive_buffer=16384).send(request()) for _ in range(10)]
    up.wait_requests(10)
    assert client.get(gw).body == text(3 * MIB)
    assert len(up.connections) == 1
    assert all(wire.answer().body == text(3 * MIB) for wire in slow)


def test_pipelined_answers_nobody_reads_hold_no_connection(gateway, upstream, client):
    """Small answers wait in our own buffer for a client that reads nothing, the connection does not wait with them."""
    up = upstream(answer=reply(200, text(6000)))
    gw = gateway(everything_to(up, upstream="max_connections: 1", more="threads: 1"))
    slow = client.connect(gw, receive_buffer=4096)
    count = 2000

    def ask():
        for _ in range(count):
            slow.send(request())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    until(lambda: is_still(lambda: len(up.requests)), "the answers fill all buffers")
    assert len(up.requests) < count
    assert client.get(gw).body == text(6000)
    assert len(up.connections) == 1
    assert all(slow.answer().body == text(6000) for _ in range(count))
    thread.join()


def is_still(count, during=0.3):
    with contextlib.suppress(AssertionError):
        before = count()
        until(lambda: count() != before, "a change", within=during)
        return False
    return count() > 0


# What is held and what is not

HELD = [
    ([], True),
    (["X-Accel-Buffering: no"], False),
    (["Content-Type: text/event-stream"], False),
    (["Content-Type: Text/Event-Stream; charset=utf-8"], False),
    (["Content-Type: application/grpc+proto"], False),
    (["X-Accel-Buffering: yes"], True),
]


@pytest.mark.parametrize("headers, held", HELD, ids=lambda value: "; ".join(value) if isinstance(value, list) else str(value))
def test_which_answers_are_held(gateway, upstream, client, headers, held):
    size, done = 20 * MIB, []

    def offer(connection):
        connection.request()
        connection.send(http1.reply(200, b"", *headers, f"Content-Length: {size}", length=False))
        connection.send(text(size))
        done.append(size)

    up = upstream(script=offer)
    gw = gateway(everything_to(up))
    wire = client.connect(gw, receive_buffer=16384).send(request())
    wire.head()
    if held:
        until(lambda: done, "the server has said all")
    else:
        assert wire.reader.take(1000) and not is_done_soon(done)
        assert gw.metric("banyan_spooled_total", side="answer", where="memory") == 0
    assert sum(map(len, wire.reader.pieces(size - (0 if held else 1000)))) and done == [size]


def is_done_soon(done):
    with contextlib.suppress(AssertionError):
        return until(lambda: done, "the end", within=0.5)
    return False


UPLOADS = [
    ([], True),
    (["Expect: 100-continue"], True),
    (["Content-Type: application/grpc"], False),
    (["Connection: Upgrade", "Upgrade: other"], False),
]


@pytest.mark.parametrize("headers, held", UPLOADS, ids=lambda value: "; ".join(value) if isinstance(value, list) else str(value))
def test_which_requests_are_held(gateway, upstream, client, headers, held):
    heads = []

    def take(connection):
        heads.append(connection.head())
        body = connection.reader.take(200000)
        connection.send(reply(200, hashlib.sha256(body).hexdigest().encode()))

    up = upstream(script=take)
    gw = gateway(everything_to(up))
    wire = client.connect(gw).send(post(200000, *headers))
    if "Expect: 100-continue" in headers:
        assert wire.head().status == 100
    wire.send(text(150000))
    if held:
        gw.wait_metric("banyan_spooled_total", 1, side="request", where="file")
        assert not heads
    else:
        until(lambda: heads, "the head at the server before the body is whole")
    wire.send(text(200000)[150000:])
    assert wire.answer().text == hashlib.sha256(text(200000)).hexdigest()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_what_is_too_large_to_hold_is_streamed(gateway, upstream, client, framing):
    """A length that is too large is streamed from the start, an unknown one from where it is too much. Nothing is lost."""
    size = 3 * MIB
    digests, heads = [], []

    def take(connection):
        head = connection.head()
        heads.append(head)
        digests.append(hashlib.sha256(connection.body(head).body).hexdigest())
        connection.send(reply())

    up = upstream(script=take)
    gw = gateway(everything_to(up, more=SMALL))
    body = text(size)
    wire = client.connect(gw)
    data = body if framing == "length" else b"".join(chunk(body[at:at + 10000]) for at in range(0, size, 10000)) + b"0\r\n\r\n"
    wire.send(post(size) if framing == "length" else request("POST", "/", "Transfer-Encoding: chunked"))
    if framing == "chunked":
        wire.send(data[:MIB // 2])
        gw.wait_metric("banyan_spooled_total", 1, side="request", where="file")
        assert not heads
        wire.send(data[MIB // 2:2 * MIB])
    else:
        wire.send(data[:1000])
    until(lambda: heads, "the head at the server before the body is whole")
    wire.send(data[2 * MIB:] if framing == "chunked" else data[1000:])
    assert wire.answer().status == 200
    assert digests == [hashlib.sha256(body).hexdigest()]
    assert gw.metric("banyan_spool_refused_total", reason="size") == 1


def test_a_route_can_say_otherwise(gateway, upstream, client):
    up = upstream(script=lambda connection: (connection.head(), connection.wait_end()))
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{up.address}" ] }} }}
        routes:
          - {{ name: films, match: {{ path: /films/** }}, to: shop, buffering: {{ requests: off }} }}
          - {{ name: rest, match: {{ path: /** }}, to: shop }}
    """)
    held = client.connect(gw).send(post(MIB, target="/x"), bytes(100000))
    gw.wait_metric("banyan_spooled_total", 1, side="request", where="memory")
    live = client.connect(gw).send(post(MIB, target="/films/x"), bytes(100000))
    up.wait_requests(1)
    assert up.targets == ["/films/x"]
    held.reset()
    live.reset()


def test_trailers_of_a_held_request_go_with_it(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=SMALL))
    client.raw(gw, request("POST", "/", "Transfer-Encoding: chunked", "Trailer: X-Check") + chunk(text(300000)) +
               b"0\r\nX-Check: 7\r\n\r\n")
    assert up.requests[0].trailers == [("X-Check", "7")] and up.requests[0].body == text(300000)


def test_trailers_of_a_held_answer_come_with_it(gateway, upstream, client):
    up = upstream(answer=CHUNKED.replace(b"chunked\r\n", b"chunked\r\nTrailer: X-Sum\r\n") +
                  b"".join(chunk(text(MIB)) for _ in range(8)) + b"0\r\nX-Sum: 5\r\n\r\n")
    gw = gateway(everything_to(up))
    wire = client.connect(gw, receive_buffer=16384).send(request("GET", "/", "TE: trailers", "Connection: TE"))
    gw.wait_metric("banyan_spooled_total", 1, side="answer", where="file")
    answer = wire.answer()
    assert answer.body == text(MIB) * 8 and answer.trailers == [("X-Sum", "5")]


def test_a_held_answer_that_was_cut_short_is_cut_short_for_the_client(gateway, upstream, client):
    """All that came is given, and then the connection ends: never a whole answer that is not."""
    def cut(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (9 * MIB), text(8 * MIB))

    gw = gateway(everything_to(upstream(script=cut)))
    wire = client.connect(gw, receive_buffer=16384).send(request())
    wire.head()
    gw.wait_metric("banyan_spooled_total", 1, side="answer", where="file")
    assert wire.reader.rest() == text(8 * MIB)


# Bytes are bytes

@pytest.mark.parametrize("kind", ["plain", "tls", "http/1.0"])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_answers_are_whole_however_they_are_read(gateway, upstream, client, certificates, kind, framing):
    """Clients that read in fits and starts, servers that write in pieces of any size: the same bytes come out."""
    chance = random.Random(f"{kind} {framing}")

    def answer(connection):
        while head := connection.request():
            body, at = text(int(head.target[1:])), 0
            lengths = {"length": b"Content-Length: %d\r\n" % len(body), "chunked": b"Transfer-Encoding: chunked\r\n",
                       "close": b"Connection: close\r\n"}
            connection.send(b"HTTP/1.1 200 OK\r\n" + lengths[framing] + b"\r\n")
            while at < len(body):
                piece = body[at:at + chance.choice([1, 100, 9000, 70000, 300000])]
                connection.send(chunk(piece) if framing == "chunked" else piece)
                at += len(piece)
            if framing == "chunked":
                connection.send(b"0\r\n\r\n")
            if framing == "close":
                return

    listen = f'{{ address: "127.0.0.1:0", tls: [ {certificates.yaml()} ] }}' if kind == "tls" else '"127.0.0.1:0"'
    gw = gateway(everything_to(upstream(script=answer), more=f"listen: [ {listen} ]\n"
                               "buffering: { memory: 20000, file: 300000 }\n"))
    where = gw.tls_address if kind == "tls" else gw
    for size in (0, 1, 8192, 70000, 200000, MIB, 3 * MIB, 9 * MIB):
        wire = client.connect(where, receive_buffer=8192, tls=certificates.trust() if kind == "tls" else None, sni="shop.test")
        wire.send(request("GET", f"/{size}", version="HTTP/1.0" if kind == "http/1.0" else "HTTP/1.1"))
        head = wire.head()
        if chance.random() < 0.7:
            is_still(lambda: 1, during=chance.choice([0, 0.01, 0.1]))
        assert wire.reader.body(head).body == text(size), size
        if framing != "close" and kind != "http/1.0":  # and the connection is in order after it
            assert wire.ask(request("GET", "/77")).body == text(77)
    wire = client.connect(where, receive_buffer=8192, tls=certificates.trust() if kind == "tls" else None, sni="shop.test")
    wire.send(request("GET", f"/{9 * MIB}", version="HTTP/1.0" if kind == "http/1.0" else "HTTP/1.1"))
    until(lambda: gw.metric("banyan_spooled_total", side="answer", where="file") > 0, "who does not read is held for in a file")
    assert wire.answer().body == text(9 * MIB)


def test_http2_answers_are_whole_however_windows_are_opened(gateway, h2_upstream, upstream, h2):
    chance = random.Random(2)
    up = upstream(answer=lambda asked: reply(200, text(int(asked.target[1:]))))
    gw = gateway(everything_to(up, more='listen: [ { address: "127.0.0.1:0", h2c: on } ]\nbuffering: { memory: 20000, file: 300000 }\n'))
    wire = h2(gw, window=False)
    sizes = [0, 1, 8192, 65535, 65536, 200000, MIB]
    for size in sizes:
        stream_id = wire.request(h2_get(f"/{size}"))
        stream = wire.streams[stream_id]
        while not stream.ended:
            assert wire.step()
            more = len(stream.body) + 70000 - getattr(stream, "opened", 65535)
            if more > 0 and chance.random() < 0.8:
                stream.opened = getattr(stream, "opened", 65535) + more
                wire.send(frames.WindowUpdateFrame(0, window_increment=more), frames.WindowUpdateFrame(stream_id, window_increment=more))
        assert bytes(stream.body) == text(size), size


def test_uploads_are_whole_however_they_are_sent(gateway, upstream, client):
    chance = random.Random(3)
    up = upstream(answer=lambda asked: reply(200, hashlib.sha256(asked.body).hexdigest().encode()))
    gw = gateway(everything_to(up, more="buffering: { memory: 10000, file: 500000 }"))
    wire = client.connect(gw)
    for size in (1, 9999, 10000, 10001, 65536, 66000, 200000, 509000, 511000, 700000):
        body, at = text(size), 0
        for chunked in (False, True):
            wire.send(request("PUT", "/", "Transfer-Encoding: chunked") if chunked else post(size, method="PUT"))
            at = 0
            while at < size:
                piece = body[at:at + chance.choice([1, 1000, 30000, 100000])]
                wire.send(chunk(piece) if chunked else piece)
                at += len(piece)
            wire.send(b"0\r\n\r\n" if chunked else b"")
            assert wire.answer().text == hashlib.sha256(body).hexdigest(), (size, chunked)


# Trying again

@pytest.mark.parametrize("method, again", [("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)])
def test_a_held_body_can_be_sent_again(gateway, upstream, client, method, again):
    def cut(connection):
        connection.head()
        connection.reader.take(100000)
        connection.reset()

    bad, good = upstream(script=cut), upstream()
    gw = gateway(everything_to(bad, good, upstream="balance: round_robin", more="threads: 1\n" + SMALL))
    answers = [client.ask(gw, method, "/", body=text(300000)).status for _ in range(2)]
    assert len(bad.requests) == 1 and answers.count(502) == (0 if again else 1)
    assert [seen.body == text(300000) for seen in good.requests] == [True] * (2 if again else 1)


def test_an_early_answer_to_a_held_upload_reaches_the_client(gateway, upstream, client):
    def refuse(connection):
        connection.head()
        connection.send(reply(413, b"too big", "Connection: close"))
        connection.wait_end()

    gw = gateway(everything_to(upstream(script=refuse)))
    answer = client.post(gw, "/", text(5 * MIB))
    assert (answer.status, answer.body) == (413, b"too big")


def test_the_servers_time_is_not_the_clients(gateway, upstream, client):
    """How long a server took to its answer's head is told without what the client took to read the rest."""
    up = upstream(answer=reply(200, text(8 * MIB)))
    gw = gateway(everything_to(up))
    wire = client.connect(gw, receive_buffer=16384).send(post(300000), text(300000))
    wire.head()
    gw.wait_metric("banyan_upstream_connections", 1, upstream="shop")
    is_still(lambda: 1, during=0.5)
    assert sum(map(len, wire.reader.pieces(8 * MIB))) == 8 * MIB
    row = gw.record().row
    assert row["banyan.head_us"] < row["event.duration"] / 1000 - 400000


# Leaving

def test_a_client_that_leaves_while_it_uploads_leaves_nothing_behind(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=SMALL))
    wires = [client.connect(gw).send(post(MIB), text(MIB // 2)) for _ in range(10)]
    gw.wait_metric("banyan_spooled_total", 10, side="request", where="file")
    for wire in wires:
        wire.reset()
    gw.wait_metric("banyan_spool_bytes", 0, where="file")
    gw.wait_metric("banyan_spool_bytes", 0, where="memory")
    assert up.requests == []
    assert spool_files(gw) == []


def test_a_client_that_leaves_while_it_reads_leaves_nothing_behind(gateway, upstream, client):
    up = upstream(answer=reply(200, text(8 * MIB)))
    gw = gateway(everything_to(up, more="buffering: { file: 3MiB }"))  # some of the servers still speak
    wires = [client.connect(gw, receive_buffer=16384).send(request()) for _ in range(10)]
    gw.wait_metric("banyan_spooled_total", 10, side="answer", where="file")
    for wire in wires:
        wire.reset()
    gw.wait_metric("banyan_spool_bytes", 0, where="file")
    gw.wait_metric("banyan_spool_bytes", 0, where="memory")
    until(lambda: spool_files(gw) == [], "all descriptors are closed")


def spool_files(gw):
    """Nameless files that the gateway has open."""
    found = []
    for entry in pathlib.Path(f"/proc/{gw.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            if target.endswith("(deleted)"):
                found.append(target)
    return found


def test_kill_9_leaves_no_files(gateway, stage, upstream, client):
    folder = stage.folder / "spool"
    folder.mkdir()
    gw = gateway(everything_to(upstream(), more=f"{SMALL}spool_dir: {folder}"))
    wires = [client.connect(gw).send(post(MIB), text(MIB // 2)) for _ in range(5)]
    until(lambda: gw.metric("banyan_spool_bytes", where="file") > MIB, "bytes in files")
    assert len(wires) == 5 and len(spool_files(gw)) == 5
    assert list(folder.iterdir()) == []
    gw.program.kill()
    gw.stopped = True
    assert list(folder.iterdir()) == []


# Disks

@pytest.fixture
def small_disk(stage):
    """A folder on a file system of one MiB."""
    folder = stage.folder / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("nothing can be mounted here")
    stage.callback(lambda: subprocess.run(["umount", "-l", folder], check=True))
    return folder


def one_mib_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))


@pytest.fixture(params=["full disk", "limit of file sizes", "limit of all files", "unwritable folder"])
def short(request, gateway, stage):
    """Makes a gateway that can hold a MiB or nothing at all, and the reason it gives."""
    def make(up, more=""):
        if request.param == "full disk":
            folder = request.getfixturevalue("small_disk")
            return gateway(everything_to(up, more=f"spool_dir: {folder}\n{more}")), "disk_full"
        if request.param == "limit of file sizes":
            return gateway(everything_to(up, more=more), limit=one_mib_files), "disk_full"
        if request.param == "limit of all files":
            return gateway(everything_to(up, more=f"spool_max: 1MiB\n{more}")), "limit"
        folder = stage.folder / "gone"
        folder.mkdir()
        gw = gateway(everything_to(up, more=f"spool_dir: {folder}\n{more}"))
        folder.rmdir()
        return gw, "io"
    return make


def test_uploads_go_on_where_nothing_more_can_be_held(short, upstream, client):
    """Four times what fits, at once: every body arrives whole, once, and the shortage is counted."""
    up = upstream(answer=lambda asked: reply(200, hashlib.sha256(asked.body).hexdigest().encode()))
    gw, reason = short(up)
    body = text(2 * MIB)
    wires = [client.connect(gw).send(post(len(body)), body[:MIB + 500000]) for _ in range(2)]
    up_before = gw.metric("banyan_spool_refused_total", reason=reason)
    for wire in wires:
        wire.send(body[MIB + 500000:])
    assert [wire.answer().text for wire in wires] == [hashlib.sha256(body).hexdigest()] * 2
    assert len(up.requests) == 2
    assert gw.metric("banyan_spool_refused_total", reason=reason) >= max(1, up_before)
    gw.wait_metric("banyan_spool_bytes", 0, where="file")


def test_answers_go_on_where_nothing_more_can_be_held(short, upstream, client):
    up = upstream(answer=reply(200, text(8 * MIB)))
    gw, reason = short(up)
    wires = [client.connect(gw, receive_buffer=16384).send(request()) for _ in range(2)]
    until(lambda: gw.metric("banyan_spool_refused_total", reason=reason) >= 1, "the shortage is counted")
    assert all(wire.answer().body == text(8 * MIB) for wire in wires)
    gw.wait_metric("banyan_spool_bytes", 0, where="file")
