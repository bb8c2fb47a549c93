# SPDX-License-Identifier: Apache-2.0
"""The attacks on HTTP/2 by their names. A flood is ended by a counter that the metrics show, while another client of the
same gateway has all of its answers; what cannot be told apart by two readers never reaches the server.

docs/guide/hostile-input.md says which class is where; RFC 9113's rules one by one are in test_http2.py."""
import struct

import hpack
import pytest
from hyperframe import frame as frames

from actors import http1
from actors.bystander import besiege
from actors.gateway import everything_to
from actors.h2wire import PREFACE, H2Wire, get, padded
from actors.waiting import until
from corpus.paths import PATHS

H2C = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]\n'
NO_ERROR, PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR, CALM = 0, 1, 3, 5, 6, 9, 11
END_STREAM, END_HEADERS, PADDED = 1, 4, 8
ADMIN = b"GET /admin HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def echo(request):
    return http1.reply(200, b"%s %d" % (request.target.encode(), len(request.body)))


@pytest.fixture(scope="module")
def shop(long_stage):
    return long_stage.upstream(answer=echo)


@pytest.fixture(scope="module")
def gw(long_stage, shop):
    return long_stage.gateway(everything_to(shop, more=H2C))


@pytest.fixture(autouse=True)
def fresh(shop):
    shop.requests.clear()


@pytest.fixture(scope="module")
def fort(long_stage):
    """A gateway for what leaves requests behind that reach the server late."""
    return long_stage.gateway(everything_to(long_stage.upstream(answer=echo), more=H2C))


def post(*headers, path="/"):
    return get(path, *headers, method="POST")


def seen(shop):
    """What reached the server but for the bystander's."""
    return [target for target in shop.targets if target != "/bystander"]


# Floods

def head(wire, fields, end=False):
    stream_id = wire.open()
    wire.send(*wire.headers_frames(stream_id, fields, end=end))
    return stream_id


def requests_in_one(wire, count, more):
    """Many requests in one write; more: what comes after each, by its stream's number."""
    data = b""
    for _ in range(count):
        stream_id = wire.open()
        data += b"".join(made.serialize() for made in wire.headers_frames(stream_id, get("/flood"), end=True)) + more(stream_id)
    wire.send(data)


def on_one_stream(wire, data):
    """Frames on a request that is not complete."""
    if not wire.streams:
        head(wire, post(path="/flood"))
    wire.send(data)


def continuation(wire, data):
    if not wire.streams:
        first = frames.HeadersFrame(wire.open(), wire.encoder.encode(get("/flood")))
        wire.send(first)
    wire.send(data)


def reset_frame(stream_id):
    return struct.pack(">I", 4)[1:] + bytes([3, 0]) + struct.pack(">II", stream_id, 8)


def stray_headers(wire):
    """Header blocks for a stream that is gone: they are unpacked for the sake of the table, and nobody hears of them."""
    if not wire.streams:
        wire.reset(head(wire, get("/flood"), end=True))
    wire.send(padded(1, 1, b"\xbe" * 60, END_STREAM | END_HEADERS) * 200)


# One step of each: it is repeated until the connection ends.
FLOODS = {
    "Rapid Reset (CVE-2023-44487)": lambda wire: requests_in_one(wire, 100, reset_frame),
    "MadeYouReset by WINDOW_UPDATE (CVE-2025-8671)":
        lambda wire: requests_in_one(wire, 20, lambda stream_id: padded(8, stream_id, b"\x7f\xff\xff\xff")),
    "MadeYouReset by a body beyond its length":
        lambda wire: wire.send(wire.data_frame(head(wire, post(("content-length", "1"), path="/flood")), b"xx")),
    "MadeYouReset by a body beyond its window":
        lambda wire: (lambda one: wire.send(*[wire.data_frame(one, b"x" * 16384) for _ in range(5)]))(head(wire, post(path="/flood"))),
    "MadeYouReset by open trailers":
        lambda wire: wire.send(*wire.headers_frames(head(wire, post(path="/flood")), [("x", "y")], end=False)),
    "MadeYouReset by pseudo fields in trailers":
        lambda wire: wire.send(*wire.headers_frames(head(wire, post(path="/flood")), [(":path", "/")])),
    "MadeYouReset by a malformed head": lambda wire: head(wire, get("/flood", ("X-Upper", "1")), end=True),
    "CONTINUATION flood (CVE-2024-27316)": lambda wire: continuation(wire, padded(9, 1, b"\x00\x01x\x7f\x81\x7d" + b"v" * 16000)),
    "empty CONTINUATION": lambda wire: continuation(wire, padded(9, 1) * 500),
    "SETTINGS (CVE-2019-9515)": lambda wire: wire.send(padded(4, 0) * 100),
    "SETTINGS that change": lambda wire: wire.send(b"".join(padded(4, 0, struct.pack(">HI", 4, 65535 + n % 2)) for n in range(100))),
    "PING (CVE-2019-9512)": lambda wire: wire.send(padded(6, 0, b"12345678") * 500),
    "answers to no PING": lambda wire: wire.send(padded(6, 0, b"12345678", 1) * 500),
    "PRIORITY (CVE-2019-9513)": lambda wire: wire.send(padded(2, 1, b"\x00\x00\x00\x00\x10") * 500),
    "PRIORITY_UPDATE": lambda wire: wire.send(padded(16, 0, b"\x00\x00\x00\x01u=1") * 500),
    "WINDOW_UPDATE": lambda wire: wire.send(padded(8, 0, b"\x00\x00\x00\x01") * 500),
    "empty DATA (CVE-2019-9518)": lambda wire: on_one_stream(wire, padded(0, 1) * 500),
    "DATA of padding alone": lambda wire: on_one_stream(wire, padded(0, 1, b"\x00", PADDED) * 500),
    "empty DATA for streams that are gone": lambda wire: (wire.streams or wire.reset(head(wire, get("/flood"), end=True))) and wire.send(padded(0, 1) * 500),
    "HEADERS for streams that are gone": stray_headers,
    "frames of unknown types": lambda wire: wire.send(padded(0x42, 0, b"?") * 500),
    "requests beyond the number allowed": lambda wire: [head(wire, post(path="/flood")) for _ in range(200)],
    "HPACK bomb": lambda wire: (wire.streams or head(wire, get("/flood", ("x-bomb", "b" * 3000)), end=True)) and wire.send(
        padded(1, wire.open(), b"\xbe" * 8000, END_STREAM | END_HEADERS)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_own_connection_only(fort, name):
    """And is counted: one for each connection that flooded."""
    before = fort.metric("banyan_client_floods_total")
    served = fort.metric("banyan_http_requests_total", version="1")
    asked = fort.metric("banyan_requests_total", route="all")

    def attack():
        with H2Wire(fort, window=False) as wire:
            try:
                for _ in range(3000):
                    FLOODS[name](wire)
                raise AssertionError("the flood may go on for ever")
            except OSError:
                pass
            try:
                assert wire.wait_end() in (CALM, None)  # None: the answer was lost to a reset
            except OSError:
                pass

    rounds = besiege(fort, attack)
    fort.wait_metric("banyan_client_floods_total", before + rounds)
    until(lambda: fort.metric("banyan_connections_active") <= 1, "no request of the flood is at work")
    served = fort.metric("banyan_http_requests_total", version="1") - served
    asked = fort.metric("banyan_requests_total", route="all") - asked - served
    assert asked <= rounds * 600, "more requests were let in than the counters allow"


FAULTS = [
    ("WINDOW_UPDATE of nothing for the connection", lambda wire: wire.send(padded(8, 0, b"\x00" * 4)), PROTOCOL_ERROR),
    ("WINDOW_UPDATE of nothing for a stream", lambda wire: wire.send(padded(8, head(wire, post()), b"\x00" * 4)), PROTOCOL_ERROR),
    ("WINDOW_UPDATE of three bytes", lambda wire: wire.send(padded(8, head(wire, post()), b"\x00" * 3)), FRAME_SIZE_ERROR),
    ("WINDOW_UPDATE beyond the connection's window", lambda wire: wire.send(padded(8, 0, b"\x7f\xff\xff\xff") * 2), FLOW_CONTROL_ERROR),
    ("PRIORITY of four bytes", lambda wire: wire.send(padded(2, head(wire, post()), b"\x00" * 4)), FRAME_SIZE_ERROR),
    ("RST_STREAM of three bytes", lambda wire: wire.send(padded(3, head(wire, post()), b"\x00" * 3)), FRAME_SIZE_ERROR),
    ("RST_STREAM before its stream", lambda wire: wire.send(padded(3, 99, b"\x00" * 4)), PROTOCOL_ERROR),
    ("DATA before its stream", lambda wire: wire.send(padded(0, 99, b"x")), PROTOCOL_ERROR),
    ("DATA for the connection", lambda wire: wire.send(padded(0, 0, b"x")), PROTOCOL_ERROR),
    ("DATA whose padding is longer than itself", lambda wire: wire.send(padded(0, head(wire, post()), b"\x05a", PADDED)), PROTOCOL_ERROR),
    ("SETTINGS of one byte", lambda wire: wire.send(padded(4, 0, b"x")), FRAME_SIZE_ERROR),
    ("SETTINGS of a stream", lambda wire: wire.send(padded(4, 1)), PROTOCOL_ERROR),
    ("an answer to no SETTINGS", lambda wire: wire.send(padded(4, 0, flags=1) * 2), PROTOCOL_ERROR),
    ("a window of 2 GiB", lambda wire: wire.send(padded(4, 0, struct.pack(">HI", 4, 1 << 31))), FLOW_CONTROL_ERROR),
    ("a largest frame of 1 byte", lambda wire: wire.send(padded(4, 0, struct.pack(">HI", 5, 1))), PROTOCOL_ERROR),
    ("PUSH_PROMISE of a client", lambda wire: wire.send(padded(5, head(wire, post()), b"\x00\x00\x00\x02\x88", END_HEADERS)), PROTOCOL_ERROR),
    ("a stream of the server's", lambda wire: wire.send(*wire.headers_frames(2, get())), PROTOCOL_ERROR),
    ("CONTINUATION of nothing", lambda wire: wire.send(padded(9, 1, b"\x88", END_HEADERS)), PROTOCOL_ERROR),
    ("another frame inside a header block", lambda wire: wire.send(padded(1, wire.open(), b"\x88"), padded(6, 0, b"12345678")), PROTOCOL_ERROR),
    ("CONTINUATION of another stream", lambda wire: wire.send(padded(1, wire.open(), b"\x88"), padded(9, 3, b"\x88", END_HEADERS)), PROTOCOL_ERROR),
    ("a frame of 17,000 bytes", lambda wire: wire.send(padded(0, 1, b"x" * 17000)), FRAME_SIZE_ERROR),
    ("HPACK that ends in a number", lambda wire: wire.send(padded(1, wire.open(), b"\xff" * 6, 5)), COMPRESSION_ERROR),
    ("HPACK beyond its table", lambda wire: wire.send(padded(1, wire.open(), b"\xfe", 5)), COMPRESSION_ERROR),
    ("a table larger than allowed", lambda wire: wire.send(padded(1, wire.open(), b"\x3f\xe1\xff\xff\xff\x0f\x82", 5)), COMPRESSION_ERROR),
    ("a table's size after a field", lambda wire: wire.send(padded(1, wire.open(), b"\x82\x20", 5)), COMPRESSION_ERROR),
    ("Huffman padding that is too long", lambda wire: wire.send(padded(1, wire.open(), b"\x40\x82\xff\xff\x01x", 5)), COMPRESSION_ERROR),
]


@pytest.mark.parametrize("fault, code", [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_makes_other_servers_reset_for_ever_ends_the_connection_here(gw, shop, fault, code):
    """The rest of MadeYouReset: a fault of the connection's own rules, and its last word says which."""
    def attack():
        with H2Wire(gw) as wire:
            fault(wire)
            assert wire.wait_end() == code
            assert wire.closed

    besiege(gw, attack, served=5)
    assert seen(shop) == []


def test_data_on_a_stream_that_is_half_closed_is_no_request(gateway, upstream, h2):
    shop = upstream(answer=echo)
    wire = h2(gateway(everything_to(shop, more=H2C)))
    stream_id = head(wire, get("/half"), end=True)
    wire.send(wire.data_frame(stream_id, ADMIN))
    if wire.is_alive():  # after the answer it is a frame of a stream that is gone, which may be passed over
        assert wire.streams[stream_id].ended or wire.streams[stream_id].reset == STREAM_CLOSED
    else:
        assert wire.goaway in (STREAM_CLOSED, NO_ERROR, None)
    assert "/admin" not in seen(shop)


def test_headers_on_a_stream_that_is_half_closed_are_no_request(gateway, upstream, h2):
    shop = upstream(answer=echo)
    wire = h2(gateway(everything_to(shop, more=H2C)))
    stream_id = head(wire, get("/half"), end=True)
    wire.send(*wire.headers_frames(stream_id, get("/admin")))
    wire.read_until(lambda: wire.goaway is not None or wire.streams[stream_id].ended)
    assert "/admin" not in seen(shop)


def test_a_stream_older_than_the_newest_is_no_request(gw, shop, h2):
    wire = h2(gw)
    wire.next_id = 9
    assert wire.ask(get("/nine")).status == 200
    wire.send(*wire.headers_frames(7, get("/admin")))
    assert wire.is_alive() or wire.goaway == PROTOCOL_ERROR
    assert seen(shop) == ["/nine"]


def test_streams_reset_by_the_client_still_count_while_the_server_works(gateway, upstream, h2):
    """Else a hundred resets were a hundred requests more at work."""
    slow = upstream(answer=echo, hold=True)
    gw = gateway(everything_to(slow, more=H2C))
    wire = h2(gw)
    wire.ping()
    most = wire.settings[frames.SettingsFrame.MAX_CONCURRENT_STREAMS]
    for _ in range(300):
        wire.reset(wire.request(post(path="/work"), b"x"))
    assert wire.is_alive()
    assert len(slow.requests) <= most
    slow.release()


# Windows

def test_a_window_of_nothing_holds_a_request_for_a_limited_time(gateway, upstream, h2):
    big = upstream(answer=http1.reply(200, b"y" * 300000))
    gw = gateway(everything_to(big, more=H2C + "limits: { write: 300ms }"))
    wire = h2(gw, window=False, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    streams = [wire.streams[wire.request(get("/stall"))] for _ in range(20)]
    wire.read_until(lambda: all(stream.reset is not None for stream in streams))
    assert wire.closed or all(stream.reset is not None and not stream.body for stream in streams)
    gw.wait_metric("banyan_connections_active", 1)  # the scrape's own


def test_a_window_opened_byte_by_byte_is_a_flood(gateway, upstream):
    """Data Dribble (CVE-2019-9511): each byte costs a frame of its own."""
    shop = upstream(answer=lambda request: http1.reply(200, b"y" * (300000 if request.target == "/big" else 1)))
    gw = gateway(everything_to(shop, more=H2C))

    def attack():
        with H2Wire(gw, window=False, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0}) as wire:
            stream_id = wire.request(get("/big"))
            try:
                for _ in range(100):
                    wire.send(padded(8, stream_id, b"\x00\x00\x00\x01") * 100)
                    wire.ping()
                raise AssertionError("it may go on for ever")
            except (OSError, AssertionError) as error:
                assert "for ever" not in str(error)

    rounds = besiege(gw, attack, served=20)
    gw.wait_metric("banyan_client_floods_total", rounds)


def test_a_window_that_trickles_is_no_progress(gateway, upstream, h2):
    """A byte now and then would keep the request, and what it holds, for days."""
    big = upstream(answer=http1.reply(200, b"y" * 300000))
    gw = gateway(everything_to(big, more=H2C + "limits: { write: 500ms }"))
    wire = h2(gw, window=False, settings={frames.SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    stream_id = wire.request(get("/trickle"))
    stream = wire.streams[stream_id]
    wire.sock.settimeout(0.05)
    for _ in range(400):
        wire.send(padded(8, stream_id, b"\x00\x00\x00\x01"))
        try:
            wire.read_until(lambda: stream.reset is not None)
            break
        except AssertionError:  # nothing more came for a while
            continue
    assert stream.reset is not None or wire.closed
    assert 0 < len(stream.body) < 400


def test_a_slow_body_holds_its_stream_for_a_limited_time(gateway, upstream, h2):
    shop = upstream()
    gw = gateway(everything_to(shop, more=H2C + "limits: { body_idle: 300ms }"))
    wire = h2(gw)
    streams = [wire.streams[wire.request(post(path="/slow"), b"x", end=False)] for _ in range(50)]
    wire.read_until(lambda: all(stream.headers for stream in streams))
    assert {stream.status for stream in streams} == {408}
    assert wire.ask(get("/after")).status == 200
    assert shop.targets == ["/after"]


def test_a_body_below_the_rate_is_ended(gateway, upstream, h2):
    shop = upstream()
    gw = gateway(everything_to(shop, more=H2C + "limits: { body_rate: 100000, body_idle: 20s }"))
    wire = h2(gw)
    stream_id = wire.request(post(("content-length", "100000"), path="/slow"), b"x", end=False)
    stream = wire.streams[stream_id]
    wire.sock.settimeout(0.1)
    while not stream.headers and stream.reset is None and not wire.closed:
        wire.send(wire.data_frame(stream_id, b"x"))
        try:
            wire.step()
        except AssertionError:
            continue
    assert stream.status == 408 or stream.reset is not None
    assert shop.requests == []


def test_slowloris_a_header_block_that_never_ends(gateway, upstream):
    shop = upstream()
    gw = gateway(everything_to(shop, more=H2C + "limits: { head_time: 300ms }"))

    def attack():
        wires = [H2Wire(gw) for _ in range(5)]
        for wire in wires:
            wire.ping()  # nothing else may come inside the block
            wire.send(frames.HeadersFrame(wire.open(), wire.encoder.encode(get("/slow"))))
        for wire in wires:
            wire.wait_end()
            assert wire.closed
            wire.close()

    rounds = besiege(gw, attack, served=20)
    gw.wait_metric("banyan_client_timeouts_total", 5 * rounds)
    assert seen(shop) == []


def test_slowloris_a_preface_that_never_ends(gateway, upstream, client):
    shop = upstream()
    gw = gateway(everything_to(shop, more=H2C + "limits: { head_time: 300ms }"))
    wires = [client.connect(gw).send(b"PRI * HTTP/2.0\r\n\r\nSM"[:1 + 3 * number]) for number in range(6)]
    for wire in wires:
        wire.reader.rest()
    gw.wait_metric("banyan_client_timeouts_total", 6)


def test_a_connection_kept_by_pings_alone_is_idle(gateway, upstream, h2):
    gw = gateway(everything_to(upstream(), more=H2C + "limits: { idle: 300ms }"))
    wire = h2(gw)
    assert wire.ask(get("/")).status == 200
    assert wire.wait_end() == NO_ERROR


# HPACK

def test_a_table_size_that_the_client_asks_for_is_not_allocated(gw, shop, h2):
    wire = h2(gw)
    wire.send(padded(4, 0, struct.pack(">HI", 1, 0xffffffff)))
    for number in range(50):
        assert wire.ask(get(f"/{number}", ("x", "y" * 2000))).status == 200


def test_a_table_that_is_emptied_in_every_block_stays_in_step(gw, shop, h2):
    wire = h2(gw)
    for number in range(50):
        wire.encoder.header_table_size = 4096 if number % 2 else 0
        assert wire.ask(get(f"/{number}", ("x", "y"))).body == b"/%d 0" % number
    assert seen(shop) == [f"/{number}" for number in range(50)]


@pytest.mark.parametrize("fields, status", [
    (get("/" + "a" * 9000), 414), (get("/", ("x", "v" * 40000)), 431), (get("/", *((f"x-{n}", "v") for n in range(101))), 431),
    (get("/", method="M" * 33), 501),
], ids=["a path of 9,000 bytes", "a field of 40,000", "101 fields", "a method of 33"])
def test_what_is_too_large_is_answered_and_the_connection_lives(gw, shop, h2, fields, status):
    wire = h2(gw)
    stream_id = wire.open()
    wire.send(*wire.headers_frames(stream_id, fields, split=16000))
    assert wire.answer(stream_id).status == status
    assert wire.ask(get("/after")).status == 200
    assert seen(shop) == ["/after"]


def test_a_body_beyond_the_limit_is_answered_and_never_whole_at_the_server(gateway, upstream, h2):
    shop = upstream()
    gw = gateway(everything_to(shop, more=H2C + "limits: { body: 1000 }"))
    for headers in ([("content-length", "1001")], []):
        wire = h2(gw)
        stream = wire.ask(post(*headers), b"x" * 1001)
        assert stream.status == 413
        assert wire.ask(get("/after")).status == 200
    assert shop.targets == ["/after"] * 2


# Desynchronisation: what HTTP/2 says goes on as one HTTP/1 request, or not at all

SMUGGLED = [
    ("H2.CL: a length of nothing and a body", post(("content-length", "0")), ADMIN),
    ("H2.CL: a length inside the body", post(("content-length", "5")), b"hello" + ADMIN),
    ("H2.CL: a length with a sign", post(("content-length", "+0")), ADMIN),
    ("H2.CL: two lengths", post(("content-length", str(len(ADMIN))), ("content-length", "0")), ADMIN),
    ("H2.CL: a list of lengths", post(("content-length", f"{len(ADMIN)}, 0")), ADMIN),
    ("H2.CL: a length that is hidden", post(("content-length\r\nx", "0")), ADMIN),
    ("H2.TE: chunked", post(("transfer-encoding", "chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: chunked in another case", post(("Transfer-Encoding", "chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: chunked behind a blank", post(("transfer-encoding", " chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: identity", post(("transfer-encoding", "identity")), ADMIN),
    ("H2.TE: an alias", post(("transfer_encoding", "chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by a name with CR LF", post(("x\r\ntransfer-encoding", "chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by a value with CR LF", post(("x", "y\r\ntransfer-encoding: chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by a value with LF", post(("x", "y\ntransfer-encoding: chunked")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by a name with a colon", post(("transfer-encoding: chunked", "")), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by :path", post(path="/ HTTP/1.1\r\ntransfer-encoding: chunked\r\nx: y"), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by :method", get(method="POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nx: y\r\n\r\nGET"), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by :authority", get(method="POST", authority="x\r\ntransfer-encoding: chunked"), b"0\r\n\r\n" + ADMIN),
    ("H2.TE: by :scheme", get(method="POST", scheme="http://x/ HTTP/1.1\r\ntransfer-encoding: chunked\r\nx: y"), b"0\r\n\r\n" + ADMIN),
    ("a request in a value", post(("x", "y\r\n\r\n" + ADMIN.decode())), None),
    ("a request in a name", post(("x: y\r\n\r\n" + ADMIN.decode() + "x", "y")), None),
    ("a request in :path", get("/ HTTP/1.1\r\nHost: x\r\n\r\n" + ADMIN.decode()), None),
    ("a request in :authority", get(authority="x\r\n\r\n" + ADMIN.decode()), None),
    ("a request in a cookie's crumb", get("/", ("cookie", "a=1"), ("cookie", "b\r\n\r\n" + ADMIN.decode())), None),
    ("connection and upgrade", get("/", ("connection", "upgrade"), ("upgrade", "websocket")), None),
    ("http2-settings and upgrade", get("/", ("http2-settings", "AAMAAABkAAQAAP__"), ("upgrade", "h2c")), None),
    ("two paths", [*get("/"), (":path", "/admin")], None),
    ("a path after the fields", [(":method", "GET"), (":scheme", "http"), (":authority", "x"), ("x", "y"), (":path", "/admin")], None),
    ("Host that is not the authority", get("/", ("host", "admin.test")), None),
    ("Host of another case and port", get("/", ("host", "SHOP.TEST:81")), None),
]


@pytest.mark.parametrize("fields, body", [case[1:] for case in SMUGGLED], ids=[case[0] for case in SMUGGLED])
def test_a_request_in_a_request_is_refused_and_counted(gw, shop, fields, body):
    before = gw.metric("banyan_http_requests_total", version="refused")
    with H2Wire(gw) as wire:
        stream = wire.ask(fields, body)
        assert stream.reset is not None or stream.status in (400, 405, 501), stream
        assert wire.ask(get("/after")).status == 200, f"GOAWAY {wire.goaway}"
    assert seen(shop) == ["/after"]
    gw.wait_metric("banyan_http_requests_total", before + 1, version="refused")


def test_a_body_that_looks_like_chunks_stays_a_body(gw, shop, h2):
    body = b"0\r\n\r\n" + ADMIN
    for headers in ([], [("content-length", str(len(body)))], [("te", "trailers")]):
        assert h2(gw).ask(post(*headers), body).body == b"/ %d" % len(body)
        assert shop.requests[-1].body == body
    assert len(seen(shop)) == 3


def test_trailers_of_http2_never_become_headers(gw, shop, h2):
    for trailers in ([("host", "evil.test")], [("content-length", "99")], [("authorization", "evil")], [("x-forwarded-for", "6.6.6.6")],
                     [("cookie", "evil=1")], [("te", "trailers")], [("x_forwarded_for", "6.6.6.6")]):
        stream = h2(gw).ask(post(), b"x", trailers)
        assert stream.status == 200 or stream.reset is not None
        if stream.status == 200:
            raw = shop.requests[-1].raw.decode()
            assert "evil" not in raw and "6.6.6.6" not in raw
            assert not {name.lower() for name in shop.requests[-1].trailers.names()} - {"te"}


def test_http1_inside_the_preface_is_no_request(gw, shop, client):
    for data in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + ADMIN, b"PRI * HTTP/2.0\r\n\r\n" + ADMIN, b"PRI * HTTP/2.0\r\nHost: x\r\n\r\nSM\r\n\r\n" + ADMIN,
                 b"PRI /admin HTTP/2.0\r\n\r\nSM\r\n\r\n", http1.request("PRI", "*") + ADMIN):
        with client.connect(gw) as wire:
            wire.send(data)
            wire.reader.rest()
    assert seen(shop) == []


def test_a_preface_after_a_request_is_none(gw, shop, client):
    wire = client.connect(gw)
    assert wire.ask(http1.request("GET", "/first")).status == 200
    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + padded(4, 0))
    assert wire.answer().status in (400, 505)
    assert wire.is_closed()
    assert seen(shop) == ["/first"]


# What HTTP/2 carries to the server

@pytest.mark.parametrize("alias", ["x_forwarded_for", "x-forwarded_for", "x_real_ip", "x_request_id", "content_length", "x_anything"])
def test_an_alias_with_an_underscore_is_refused(gw, shop, h2, alias):
    wire = h2(gw)
    assert wire.ask(get("/", (alias, "6"))).status == 400
    assert wire.ask(get("/after")).status == 200
    assert seen(shop) == ["/after"]


def test_claims_of_a_client_are_not_believed(gw, shop, h2):
    claims = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-anything", "x-real-ip", "forwarded",
              "true-client-ip", "x-original-url", "x-rewrite-url", "x-request-id")
    h2(gw).ask(get("/", *((name, value) for name in claims for value in ("for=6.6.6.6", "https"))))
    raw = shop.requests[-1].raw.decode()
    assert "6.6.6.6" not in raw and "https" not in raw
    for name in claims[:4]:
        assert len(shop.requests[-1].headers.all(name)) == 1


@pytest.mark.parametrize("target", PATHS)
def test_a_path_is_read_in_one_way_or_refused(gw, shop, h2, target):
    stream = h2(gw).ask(get(target))
    if PATHS[target] is None:
        assert stream.reset is not None or stream.status in (400, 404)
        assert seen(shop) == []
    else:
        assert seen(shop) == [PATHS[target]]


def test_nothing_that_is_no_part_of_the_address_is_reflected(gateway, upstream, h2):
    """What a cache between would store under the address alone."""
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{upstream().address}" ] }} }}
        routes: [ {{ name: one, match: {{ path: /one, methods: [ GET ] }}, to: shop }} ]
        {H2C}""")
    names = ("x-forwarded-host", "x-forwarded-for", "x-original-url", "x-host", "forwarded", "x-request-id", "referer", "user-agent", "cookie", "x-any")
    for fields in (get("/none"), post(path="/one"), get("/one/%zz")):
        for accept in ("text/html", "application/json"):
            stream = h2(gw).ask([*fields, ("accept", accept), *((name, "reflected.test") for name in names)])
            assert stream.status in (400, 404, 405) and stream.headers.get("cache-control") == "no-store"
            assert b"reflected" not in stream.body and "reflected" not in repr(stream.headers)


# Servers that speak HTTP/2 and mean harm

def h2_server(*answer, again=0):
    """A server of raw frames: to each request what `answer` makes of its stream's number; the last one again and again."""
    def script(connection):
        encoder = hpack.Encoder()
        connection.reader.take(len(PREFACE))
        connection.send(padded(4, 0), padded(4, 0, flags=1))
        while True:
            try:
                made, length = frames.Frame.parse_frame_header(memoryview(connection.reader.take(9)))
                made.parse_body(memoryview(connection.reader.take(length)))
            except http1.Closed:
                return
            if isinstance(made, frames.HeadersFrame):
                connection.upstream.arrived(http1.Request(method="GET", target="/", headers=http1.Headers()))
                for piece in answer:
                    connection.send(piece(made.stream_id, encoder))
                for _ in range(again):
                    connection.send(answer[-1](made.stream_id, encoder))
    return script


def fields(*pairs, flags=END_HEADERS | END_STREAM):
    block = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    return lambda stream_id, encoder: padded(1, stream_id, encoder.encode(block, huffman=False), flags)


def data(piece, flags=END_STREAM):
    return lambda stream_id, encoder: padded(0, stream_id, piece, flags)


def frame(kind, payload=b"", flags=0, own=False):
    return lambda stream_id, encoder: padded(kind, stream_id if own else 0, payload, flags)


OK = (":status", "200")
OPEN = END_HEADERS
BAD_ANSWERS = {
    "no :status": [fields(("x", "y"))], "two :status": [fields(OK, OK)], ":status 101": [fields((":status", "101"))], ":status abc": [fields((":status", "abc"))],
    ":status of two digits": [fields((":status", "20"))], "a request's pseudo field": [fields(OK, (":path", "/"))], ":status after a field": [fields(("x", "y"), OK)],
    "an upper-case name": [fields(OK, ("X", "y"))], "CR LF in a name": [fields(OK, ("x\r\ny", "z"))], "CR LF in a value": [fields(OK, ("x", "y\r\nset-cookie: evil"))],
    "LF in a value": [fields(OK, ("x", "y\nset-cookie: evil"))], "NUL in a value": [fields(OK, ("x", "y\0"))], "connection": [fields(OK, ("connection", "close"))],
    "transfer-encoding": [fields(OK, ("transfer-encoding", "chunked"))], "a length that is none": [fields(OK, ("content-length", "+5"))],
    "a length without a body": [fields(OK, ("content-length", "5"))], "DATA before HEADERS": [data(b"evil")], "an informational end": [fields((":status", "103"))],
    "a reset": [frame(3, b"\0\0\0\2", own=True)], "PUSH_PROMISE": [frame(5, b"\0\0\0\2\x88", END_HEADERS, own=True)], "GOAWAY": [frame(7, b"\0" * 8)],
    "bad HPACK": [frame(1, b"\xff" * 6, 5, own=True)], "WINDOW_UPDATE of nothing": [frame(8, b"\0" * 4)], "SETTINGS of one byte": [frame(4, b"x")],
}
BAD_BODIES = {
    "longer than its length": [fields(OK, ("content-length", "3"), flags=OPEN), data(b"hello")], "shorter": [fields(OK, ("content-length", "9"), flags=OPEN), data(b"hello")],
    "pseudo fields in trailers": [fields(OK, flags=OPEN), data(b"hello", 0), fields((":status", "200"))],
    "CR LF in trailers": [fields(OK, flags=OPEN), data(b"hello", 0), fields(("x", "y\r\nz: 1"))],
    "trailers that do not end it": [fields(OK, flags=OPEN), data(b"hello", 0), fields(("x", "y"), flags=OPEN)],
    "a reset inside": [fields(OK, flags=OPEN), data(b"hello", 0), frame(3, b"\0\0\0\2", own=True)],
}
SERVER_FLOODS = {
    "SETTINGS": [frame(4)], "PING": [frame(6, b"12345678")], "answers to no PING": [frame(6, b"12345678", 1)], "empty DATA": [fields(OK, flags=OPEN), data(b"", 0)],
    "DATA of padding alone": [fields(OK, flags=OPEN), frame(0, b"\0", PADDED, own=True)], "unknown frames": [frame(0x42, b"?")], "WINDOW_UPDATE": [frame(8, b"\0\0\0\1")],
    "CONTINUATION": [frame(1, b"\x88", 0, own=True), frame(9, b"", 0, own=True)], "informational answers": [fields((":status", "103"), ("link", "</x>"), flags=OPEN)],
    "HPACK bomb": [fields(OK, ("x", "b" * 3000), flags=OPEN), frame(1, b"\xbe" * 8000, END_HEADERS, own=True)],
}


def towards(upstream, gateway, *answer, **options):
    server = upstream(script=h2_server(*answer, **options))
    return gateway(everything_to(server, upstream="protocol: h2, retry: { attempts: 1 }"))


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_answer_over_http2_that_is_none_becomes_a_502(gateway, upstream, client, name):
    gw = towards(upstream, gateway, *BAD_ANSWERS[name])
    for _ in range(2):
        answer = client.get(gw, "/", "Accept: application/json")
        assert answer.status == 502 and answer.slug.startswith("upstream."), answer.raw
        assert b"evil" not in answer.raw


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_body_over_http2_that_is_none_is_never_passed_off_as_whole(gateway, upstream, client, name):
    gw = towards(upstream, gateway, *BAD_BODIES[name])
    with client.connect(gw) as wire:
        wire.send(http1.request("GET", "/", "Accept: application/json"))
        try:
            assert wire.answer().status == 502
        except http1.Closed:
            assert b"\r\n0\r\n\r\n" not in bytes(wire.reader.received)


@pytest.mark.parametrize("name", SERVER_FLOODS)
def test_a_flood_of_a_server_ends_its_connection(gateway, upstream, client, name):
    """The request fails, at once; others are served."""
    flood = upstream(script=h2_server(*SERVER_FLOODS[name], again=20000))
    calm = upstream()
    gw = gateway(f"""
        upstreams: {{ flood: {{ servers: [ "{flood.address}" ], protocol: h2, retry: {{ attempts: 1 }} }}, calm: {{ servers: [ "{calm.address}" ] }} }}
        routes: [ {{ name: flood, match: {{ path: /flood }}, to: flood }}, {{ name: rest, to: calm }} ]""")

    def attack():
        with client.connect(gw) as wire:
            wire.send(http1.request("GET", "/flood"))
            try:
                assert wire.answer().status == 502
            except http1.Closed:
                pass

    rounds = besiege(gw, attack, served=20, most=20)
    if name != "informational answers":  # their stream is reset, and they have an end
        until(lambda: all(connection.closed for connection in flood.connections), "the flooding connections end")
        assert len(flood.connections) == rounds
