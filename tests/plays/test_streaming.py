# SPDX-License-Identifier: Apache-2.0
"""Bodies on their way: nothing is held that need not be, nothing is lost, and nobody waits for somebody who left."""
import threading

import pytest

from actors.gateway import everything_to
from actors.http1 import chunk, reply, request
from actors.process import memory_bytes
from actors.waiting import PROOF, always, until

MIB = 1 << 20
BIG = (1000 if PROOF else 200) * MIB
ROOM = 24 * MIB  # socket buffers are the kernel's; this is for ours, and for a sanitizer's book-keeping
NO_LIMIT = "limits: { body: 0 }\n"
STREAMED = "buffering: { requests: off, answers: off }\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("buffering", [STREAMED, "buffering: { memory: 1MiB, file: 8MiB }"], ids=["streamed", "held"])
def test_a_slow_reader_holds_up_the_server_not_our_memory(gateway, upstream, client, buffering):
    sent = []

    def offer(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
        for _ in range(BIG // MIB):
            connection.send(bytes(MIB))
            sent.append(MIB)
        connection.wait_end()

    big = upstream(script=offer)
    gw = gateway(everything_to(big, more=buffering))
    client.get(gw.admin, "/healthz")
    before = memory_bytes(gw.pid)
    wire = client.connect(gw, receive_buffer=16384).send(request())
    wire.head()
    stalled = until(lambda: len(sent) > 0 and is_still(sent), "the server stalled")
    assert stalled < BIG // MIB, "nothing held the server up"
    assert memory_bytes(gw.pid) - before < ROOM
    read = sum(len(piece) for piece in wire.reader.pieces(BIG))
    assert read == BIG and memory_bytes(gw.pid) - before < ROOM


def is_still(sent):
    """How many were sent, once that does not grow any more."""
    count = len(sent)
    try:
        always(lambda: len(sent) == count, "still", during=0.5)
    except AssertionError:
        return 0
    return count


def test_a_slow_server_holds_up_the_upload_not_our_memory(gateway, upstream, client):
    go, seen = threading.Event(), []

    def take_slowly(connection):
        head = connection.head()
        go.wait(60)
        seen.append(sum(len(piece) for piece in connection.reader.pieces(int(head.headers.get("content-length")))))
        connection.send(reply(200, b"%d" % seen[0]))

    slow = upstream(script=take_slowly)
    gw = gateway(everything_to(slow, more=NO_LIMIT + STREAMED))
    wire = client.connect(gw)
    before = memory_bytes(gw.pid)
    sent = []

    def upload():
        wire.send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\n" % BIG)
        for _ in range(BIG // MIB):
            wire.send(bytes(MIB))
            sent.append(MIB)

    thread = threading.Thread(target=upload, daemon=True)
    thread.start()
    assert until(lambda: slow.requests and is_still(sent), "the client stalled") < BIG // MIB
    assert memory_bytes(gw.pid) - before < ROOM
    go.set()
    assert wire.answer().body == b"%d" % BIG
    thread.join()
    assert memory_bytes(gw.pid) - before < ROOM


def test_a_chunked_upload_streams_while_it_is_made(gateway, upstream, client):
    parts = []

    def note_chunks(connection):
        connection.head()
        while True:
            _, data = connection.reader.chunk()
            if not data:
                break
            parts.append(data)
        connection.reader.until(b"\r\n")
        connection.send(reply(200, b"".join(parts)))

    live = upstream(script=note_chunks)
    gw = gateway(everything_to(live, more=STREAMED))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(5):
        wire.send(chunk(b"part %d;" % number))
        until(lambda want=number: b"".join(parts).count(b";") == want + 1, "the part at the server before the next is sent")
    wire.send(b"0\r\n\r\n")
    assert wire.answer().body == b"part 0;part 1;part 2;part 3;part 4;"


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_server_sent_events_arrive_one_by_one(gateway, upstream, client, framing):
    got = threading.Semaphore(0)

    def tell(connection):
        connection.request()
        length = b"Transfer-Encoding: chunked\r\n" if framing == "chunked" else b"Connection: close\r\n"
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + length + b"\r\n")
        for number in range(5):
            event = b"data: %d\n\n" % number
            connection.send(chunk(event) if framing == "chunked" else event)
            assert got.acquire(timeout=20), "the event did not come out before the next was made"
        connection.send(b"0\r\n\r\n" if framing == "chunked" else b"")

    gw = gateway(everything_to(upstream(script=tell)))
    wire = client.connect(gw).send(request("GET", "/events", "Accept: text/event-stream"))
    head = wire.head()
    assert head.headers.get("content-type") == "text/event-stream"
    for number in range(5):
        event = wire.reader.chunk()[1] if head.headers.get("transfer-encoding") else wire.reader.until(b"\n\n")
        assert event == b"data: %d\n\n" % number
        got.release()
    if head.headers.get("transfer-encoding"):
        assert wire.reader.chunk()[1] == b""


def test_the_head_comes_before_the_body_is_there(gateway, upstream, client):
    more = threading.Event()

    def slow_body(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        more.wait(20)
        connection.send(b"hello")

    gw = gateway(everything_to(upstream(script=slow_body)))
    wire = client.connect(gw).send(request())
    assert wire.head().headers.get("content-length") == "5"
    more.set()
    assert wire.reader.take(5) == b"hello"


def test_trailers_go_both_ways(gateway, upstream, client):
    tail = upstream(answer=CHUNKED.replace(b"chunked\r\n", b"chunked\r\nTrailer: X-Sum\r\n") + chunk(b"hello") + b"0\r\nX-Sum: 5\r\n\r\n")
    gw = gateway(everything_to(tail))
    answer = client.raw(gw, b"POST / HTTP/1.1\r\nHost: shop.test\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n"
                        b"Trailer: X-Check\r\n\r\n" + chunk(b"x" * 100000) + b"0\r\nX-Check: 7\r\n\r\n")
    assert answer.body == b"hello" and answer.trailers == [("X-Sum", "5")]
    assert tail.requests[0].trailers == [("X-Check", "7")]


def test_100_continue_is_said_by_the_gateway_when_the_body_is_wanted(gateway, upstream, client):
    echo = upstream(answer=lambda asked: reply(200, asked.body))
    gw = gateway(everything_to(echo))
    for size in (5, 300000):
        wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size)
        assert wire.head().status == 100
        assert wire.ask(b"x" * size).body == b"x" * size
        assert "expect" not in echo.requests[-1].headers


def test_a_body_that_comes_without_waiting_needs_no_100(gateway, upstream, client):
    echo = upstream(answer=lambda asked: reply(200, asked.body))
    gw = gateway(everything_to(echo))
    answer = client.post(gw, "/", b"hello", "Expect: 100-continue")
    assert answer.body == b"hello" and len(answer.before) <= 1


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_leaves_the_connection_usable(gateway, upstream, client, status):
    up = upstream(answer=lambda asked: reply(status, b"", length=False) if asked.target == "/empty" else reply())
    gw = gateway(everything_to(up))
    wire = client.connect(gw)
    for _ in range(3):
        answer = wire.ask(request(target="/empty"))
        assert answer.status == status and "transfer-encoding" not in answer.headers
        assert wire.ask(request(target="/full")).text == "ok"
    assert len(up.connections) == 1


def test_the_answer_to_head_has_the_length_and_no_body(gateway, upstream, client):
    up = upstream(answer=lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: x\r\n\r\n" if asked.method == "HEAD" else reply())
    gw = gateway(everything_to(up))
    wire = client.connect(gw)
    for _ in range(3):
        answer = wire.ask(request("HEAD"), "HEAD")
        assert (answer.headers.get("content-length"), answer.headers.get("etag")) == ("1234", "x")
    assert wire.ask(request()).text == "ok"
    assert len(up.connections) == 4  # decision 0006: none is used again after a HEAD


def test_early_hints_come_through_and_100_of_the_server_does_not(gateway, upstream, client):
    up = upstream(answer=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + reply())
    gw = gateway(everything_to(up))
    answer = client.get(gw)
    assert [early.status for early in answer.before] == [103] and answer.before[0].headers.get("link")
    assert answer.text == "ok"


def test_an_old_client_gets_no_informational_answer_and_no_chunks(gateway, upstream, client):
    up = upstream(answer=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CHUNKED + chunk(b"hello") + b"0\r\n\r\n")
    gw = gateway(everything_to(up))
    wire = client.connect(gw).send(request(version="HTTP/1.0"))
    answer = wire.answer()
    assert (answer.status, answer.body, answer.before) == (200, b"hello", [])
    assert "transfer-encoding" not in answer.headers


def test_a_long_poll_is_held_and_answered(gateway, upstream, client):
    poll = upstream(hold=True)
    gw = gateway(everything_to(poll))
    with client.pending(gw, "/poll", poll) as wire:
        assert wire.is_quiet(1)
        poll.release()
        assert wire.answer().text == "ok"


def test_an_early_refusal_of_a_big_upload_reaches_the_client_that_is_still_sending(gateway, upstream, client):
    def refuse(connection):
        connection.head()
        connection.send(reply(413, b"too big", "Connection: close"))
        connection.wait_end()

    gw = gateway(everything_to(upstream(script=refuse), more=NO_LIMIT + STREAMED))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\n" % BIG)
    wire.send(bytes(200000))
    answer = wire.answer()
    assert (answer.status, answer.body) == (413, b"too big")
    assert wire.is_closed()


def test_an_upload_and_its_answer_can_talk_at_the_same_time(gateway, upstream, client):
    def mirror(connection):
        connection.head()
        connection.send(CHUNKED)
        while True:
            raw, data = connection.reader.chunk()
            connection.send(raw)
            if not data:
                break
        connection.send(b"\r\n")

    gw = gateway(everything_to(upstream(script=mirror), more=STREAMED))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"first"))
    wire.head()
    assert wire.reader.chunk()[1] == b"first"
    for number in range(10):
        wire.send(chunk(b"%d" % number))
        assert wire.reader.chunk()[1] == b"%d" % number
    wire.send(b"0\r\n\r\n")
    assert wire.reader.chunk()[1] == b""


@pytest.mark.parametrize("when", ["before the answer", "during the body"])
def test_a_client_that_leaves_ends_the_servers_work(gateway, upstream, client, when):
    ends = []

    def work(connection):
        connection.request()
        if when == "during the body":
            connection.send(CHUNKED + chunk(b"begin"))
        ends.append(connection.wait_end())

    slow = upstream(script=work)
    gw = gateway(everything_to(slow))
    wire = client.connect(gw).send(request())
    slow.wait_requests(1)
    if when == "during the body":
        wire.head()
        assert wire.reader.chunk()[1] == b"begin"
    wire.reset()
    until(lambda: ends, "the server's connection ends")
    until(lambda: gw.metric("banyan_upstream_connections", upstream="shop") == 0, "no connection is left")
    until(lambda: gw.metric("banyan_connections_active") <= 1, "no request is left but the scrape's")


def test_a_client_that_closed_is_noticed_when_the_next_bytes_come(gateway, upstream, client):
    """A FIN alone is a half-close; only what answers our bytes with RST has left."""
    ends = []

    def tell(connection):
        connection.request()
        connection.send(CHUNKED)
        try:
            while True:
                connection.send(chunk(b"x" * 1000))
                always(lambda: True, "a breath", during=0.01)
        except OSError:
            ends.append("reset")

    gw = gateway(everything_to(upstream(script=tell)))
    wire = client.connect(gw).send(request())
    wire.head()
    wire.close()
    until(lambda: ends, "the server's connection ends")


def test_a_client_that_leaves_an_upload_half_way_ends_the_servers_work(gateway, upstream, client):
    ends = []

    def take(connection):
        connection.head()
        ends.append(connection.wait_end())

    up = upstream(script=take)
    gw = gateway(everything_to(up, more=STREAMED))
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10000000\r\n\r\n" + bytes(200000))
    up.wait_requests(1)
    wire.close()
    until(lambda: ends, "the server's connection ends")


def test_a_half_close_is_not_leaving(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow))
    wire = client.connect(gw).send(request("POST", body=b"hello")).half_close()
    slow.wait_requests(1)
    assert wire.is_quiet()
    slow.release()
    assert wire.answer().text == "ok"


def test_bodies_of_all_sizes_come_back_as_they_went(gateway, upstream, client):
    echo = upstream(answer=lambda asked: reply(200, asked.body) if len(asked.body) % 2 else
                    CHUNKED + (chunk(asked.body) if asked.body else b"") + b"0\r\n\r\n")
    gw = gateway(everything_to(echo))
    wire = client.connect(gw)
    pattern = bytes(range(251))
    for size in (0, 1, 2, 4095, 4096, 16383, 16384, 32767, 32768, 32769, 65535, 65536, 65537, 262144, 1000001):
        body = (pattern * (size // 251 + 1))[:size]
        assert wire.ask(request("POST", body=body)).body == body, size
        if size:
            data = b"".join(chunk(body[at:at + 7001]) for at in range(0, size, 7001)) + b"0\r\n\r\n"
            assert wire.ask(b"POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + data).body == body, size


def test_an_answer_that_ends_with_the_connection_is_whole(gateway, upstream, client):
    body = b"until the end" * 50000
    up = upstream(script=lambda connection: (connection.request(), connection.send(b"HTTP/1.0 200 OK\r\n\r\n" + body)))
    gw = gateway(everything_to(up))
    for _ in range(2):
        assert client.get(gw).body == body
