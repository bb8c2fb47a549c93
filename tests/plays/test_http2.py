# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on the way in: RFC 9113 rule by rule, the attacks on it, and real clients."""
import dataclasses
import ssl
import subprocess

import httpx
import pytest
from hyperframe import frame as frames

from actors import http1
from actors.client import Client
from actors.gateway import everything_to
from actors.h2wire import H2Wire, get, padded
from actors.waiting import until

H2C = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]'
PROTOCOL_ERROR = 1


@pytest.fixture(scope="module")
def shop(long_stage):
    return long_stage.upstream(answer=lambda request: http1.reply(200, b"%s %d" % (request.target.encode(), len(request.body)), "X-Case: Kept"))


@pytest.fixture(scope="module")
def gw(long_stage, shop):
    return long_stage.gateway(everything_to(shop, more=H2C))


@pytest.fixture(autouse=True)
def fresh(shop):
    shop.requests.clear()


@dataclasses.dataclass
class Case:
    rule: str
    name: str
    fields: list
    body: bytes = None
    trailers: list = None


def post(*headers, path="/"):
    return get(path, *headers, method="POST")


def without(name):
    return [pair for pair in get("/") if pair[0] != name]


MALFORMED = [
    Case("8.2.1", "an upper-case name", get("/", ("X-Upper", "1"))),
    Case("8.2.1", "a space in a name", get("/", ("x y", "1"))),
    Case("8.2.1", "a colon in a name", get("/", ("x:y", "1"))),
    Case("8.2.1", "an empty name", get("/", ("", "1"))),
    Case("8.2.1", "CR LF in a name", get("/", ("x\r\ny", "1"))),
    Case("8.2.1", "a name with a byte above 0x7f", get("/", ("x\xe4", "1"))),
    Case("8.2.1", "CR LF in a value", get("/", ("x", "1\r\nevil: 2"))),
    Case("8.2.1", "LF in a value", get("/", ("x", "1\nevil: 2"))),
    Case("8.2.1", "CR in a value", get("/", ("x", "1\rx"))),
    Case("8.2.1", "NUL in a value", get("/", ("x", "1\x00x"))),
    Case("8.2.1", "a blank before a value", get("/", ("x", " 1"))),
    Case("8.2.1", "a tab after a value", get("/", ("x", "1\t"))),
    *(Case("8.2.2", f"{name}: {value}", get("/", (name, value))) for name, value in (
        ("connection", "close"), ("connection", "x-y"), ("transfer-encoding", "chunked"), ("keep-alive", "1"), ("proxy-connection", "close"),
        ("upgrade", "websocket"), ("te", "gzip"), ("te", "trailers, gzip"))),
    Case("8.3", "a pseudo field after a regular one", [*without(":path"), ("x", "1"), (":path", "/")]),
    Case("8.3", "a pseudo field that is unknown", [(":evil", "1"), *get("/")]),
    Case("8.3", "an answer's pseudo field", [(":status", "200"), *get("/")]),
    Case("8.3.1", "two :path", [(":path", "/admin"), *get("/")]),
    Case("8.3.1", "two :method", [(":method", "POST"), *get("/")]),
    Case("8.3.1", "two :authority", [(":authority", "evil.test"), *get("/")]),
    Case("8.3.1", "no :method", without(":method")),
    Case("8.3.1", "no :scheme", without(":scheme")),
    Case("8.3.1", "no :path", without(":path")),
    Case("8.3.1", "an empty :path", get("")),
    Case("8.3.1", "a :path without a slash", get("admin")),
    Case("8.3.1", "a :path with a space and a version", get("/ HTTP/1.1\r\nx: y")),
    Case("8.3.1", "a :path with a space", get("/a b")),
    Case("8.3.1", "a :path with a control byte", get("/a\x01")),
    Case("8.3.1", "a :path with a fragment", get("/a#b")),
    Case("8.3.1", "an absolute :path", get("http://evil.test/")),
    Case("8.3.1", "a :method with a space", get("/", method="GET /admin HTTP/1.1\r\nx:")),
    Case("8.3.1", "an empty :method", get("/", method="")),
    Case("8.3.1", "an :authority with user information", get("/", authority="user@shop.test")),
    Case("8.3.1", "an :authority with a path", get("/", authority="shop.test/x")),
    Case("8.3.1", "an :authority with CR LF", get("/", authority="shop.test\r\nx: y")),
    Case("8.3.1", "a Host that is not the :authority", get("/", ("host", "evil.test"))),
    Case("8.3.1", "two Host fields", [*without(":authority"), ("host", "shop.test"), ("host", "evil.test")]),
    Case("8.3.1", "neither Host nor :authority", without(":authority")),
    Case("8.5", "CONNECT", [(":method", "CONNECT"), (":authority", "evil.test:443")]),
    Case("8441", "extended CONNECT that was not offered", [(":method", "CONNECT"), (":protocol", "websocket"), *get("/")[1:]]),
    Case("8.1.1", "a body that is longer than its length", post(("content-length", "3")), b"hello"),
    Case("8.1.1", "a body that is shorter than its length", post(("content-length", "7")), b"hello"),
    Case("8.1.1", "a length without a body", post(("content-length", "5"))),
    Case("8.1.1", "no body where a length of 5 stands, by an empty DATA", post(("content-length", "5")), b""),
    *(Case("8.1.1", f"content-length {value!r}", post(("content-length", value)), b"hello") for value in ("+5", "-5", "0x5", "", "5,5", "five",
                                                                                                      "99999999999999999999")),
    Case("8.1.1", "two lengths that differ", post(("content-length", "5"), ("content-length", "6")), b"hello"),
    Case("8.1", "a pseudo field in trailers", post(), b"hello", [(":path", "/admin")]),
    Case("8.1", "connection in trailers", post(), b"hello", [("connection", "x")]),
    Case("8.1", "an upper-case name in trailers", post(), b"hello", [("X", "y")]),
    Case("8.1", "CR LF in trailers", post(), b"hello", [("x", "y\r\nz: 1")]),
]


@pytest.mark.parametrize("case", MALFORMED, ids=[f"{case.rule}: {case.name}" for case in MALFORMED])
def test_malformed_is_refused_and_the_other_streams_live_on(gw, shop, case):
    with H2Wire(gw) as wire:
        stream = wire.ask(case.fields, case.body, case.trailers)
        refused = stream.reset is not None or (stream.status in (400, 405, 413, 421, 501) if stream.headers else wire.closed)
        assert refused, stream
        assert wire.ask(get("/after")).status == 200, f"GOAWAY {wire.goaway}"
        assert shop.targets == ["/after"], shop.requests


def test_headers_and_body_come_out_as_one_http1_request(gw, shop, h2):
    wire = h2(gw)
    stream = wire.ask(post(("x-one", "1"), ("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers"), path="/x?y"), b"hello")
    assert stream.status == 200 and stream.body == b"/x?y 5"
    assert stream.headers.get("x-case") == "Kept"
    seen = shop.requests[-1]
    assert (seen.method, seen.target, seen.version, seen.body) == ("POST", "/x?y", "HTTP/1.1", b"hello")
    assert seen.headers.get("host") == "shop.test" and seen.headers.get("x-one") == "1"
    assert seen.headers.get("cookie") == "a=1; b=2"
    assert not [name for name in seen.headers.names() if name.startswith(":")]
    assert seen.headers.get("via", "").startswith("2")


def test_h2_cl_and_h2_te_cannot_desynchronise_the_server(gw, shop, h2):
    for headers in ([("content-length", "0")], [("transfer-encoding", "chunked")], [("x", "y\r\nTransfer-Encoding: chunked")]):
        wire = h2(gw)
        wire.ask(post(*headers), b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n")
        wire.ask(get("/after"))
    assert shop.targets == ["/after"] * 3


def test_many_streams_at_once_get_each_their_own_answer(gw, shop, h2):
    wire = h2(gw)
    asked = {wire.request(get(f"/{number}")): f"/{number} 0" for number in range(100)}
    for stream_id, want in asked.items():
        assert wire.answer(stream_id).body.decode() == want


def test_headers_in_continuation_frames_are_taken(gw, shop, h2):
    wire = h2(gw)
    stream_id = wire.open()
    wire.send(*wire.headers_frames(stream_id, get("/split", ("x-long", "v" * 3000)), split=500))
    assert wire.answer(stream_id).status == 200
    assert shop.requests[-1].headers.get("x-long") == "v" * 3000


def test_a_head_that_is_too_large_is_refused(gw, shop, h2):
    wire = h2(gw)
    stream_id = wire.open()
    wire.send(*wire.headers_frames(stream_id, get("/", *((f"x-{number}", "v" * 1000) for number in range(50))), split=16000))
    stream = wire.answer(stream_id)
    assert stream.status == 431 or stream.reset is not None or wire.closed
    assert shop.requests == []


def test_an_upload_flows_as_the_window_opens(gw, shop, h2):
    wire = h2(gw)
    body, stream_id = b"x" * (1 << 20), None
    stream_id = wire.open()
    wire.send(*wire.headers_frames(stream_id, post(), end=False))
    windows = {0: 65535, stream_id: wire.settings.get(frames.SettingsFrame.INITIAL_WINDOW_SIZE, 65535)}
    wire.ping()
    windows[stream_id] = wire.settings.get(frames.SettingsFrame.INITIAL_WINDOW_SIZE, 65535)
    at = seen = 0
    while at < len(body):
        for made in wire.frames[seen:]:
            if isinstance(made, frames.WindowUpdateFrame) and made.stream_id in windows:
                windows[made.stream_id] += made.window_increment
        seen = len(wire.frames)
        room = min(16384, len(body) - at, *windows.values())
        if room <= 0:
            assert wire.step(), "closed"
            continue
        wire.send(wire.data_frame(stream_id, body[at:at + room], at + room == len(body)))
        at += room
        windows = {key: left - room for key, left in windows.items()}
    assert wire.answer(stream_id).body == b"/ %d" % len(body)


def test_an_answer_waits_for_the_window(gateway, upstream, h2):
    big = b"y" * 300000
    gw = gateway(everything_to(upstream(answer=http1.reply(200, big)), more=H2C))
    wire = h2(gw, window=False)
    stream_id = wire.request(get("/"))
    stream = wire.streams[stream_id]
    wire.read_until(lambda: len(stream.body) >= 65535)
    wire.ping()
    assert len(stream.body) == 65535
    wire.send(frames.WindowUpdateFrame(0, window_increment=len(big)), frames.WindowUpdateFrame(stream_id, window_increment=len(big)))
    assert wire.answer(stream_id).body == big


def test_a_stream_that_is_reset_ends_its_request_at_the_server(gateway, upstream, h2):
    ends = []

    def wait(connection):
        connection.head()
        ends.append(connection.wait_end())

    slow = upstream(script=wait)
    gw = gateway(everything_to(slow, more=H2C))
    wire = h2(gw)
    stream_id = wire.request(get("/slow"))
    slow.wait_requests(1)
    wire.reset(stream_id)
    until(lambda: ends, "the end of the server's connection")
    assert wire.is_alive()


def test_head_and_204_and_304_have_no_body(gateway, upstream, h2):
    plain = upstream(answer=lambda request: http1.reply(int(request.target[1:]), b"", length=False) if request.method == "GET"
                     else b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")
    gw = gateway(everything_to(plain, more=H2C))
    wire = h2(gw)
    for path in ("/204", "/304"):
        stream = wire.ask(get(path))
        assert (stream.status, stream.body) == (int(path[1:]), b"")
    stream = wire.ask(get("/", method="HEAD"))
    assert stream.headers.get("content-length") == "77" and stream.body == b""


# Attacks. Each ends the connection (and only that), is counted, and leaves the gateway serving.

def attacked(gw, wire, attack):
    """Runs an attack that goes on until the connection ends."""
    before = gw.metric("banyan_client_floods_total")
    try:
        attack()
    except OSError:
        pass
    try:
        code = wire.wait_end()
    except OSError:
        code = wire.goaway
    assert wire.closed or code is not None
    until(lambda: gw.metric("banyan_client_floods_total") > before, "the flood counted")
    assert client_is_served(gw)
    return code


def test_rapid_reset_ends_the_connection(gw, shop, h2):
    wire = h2(gw)

    def attack():
        for _ in range(200):
            batch = b""
            for _ in range(100):
                stream_id = wire.open()
                batch += b"".join(made.serialize() for made in wire.headers_frames(stream_id, get("/x")))
                batch += frames.RstStreamFrame(stream_id, error_code=8).serialize()
            wire.send(batch)

    attacked(gw, wire, attack)
    assert len(shop.requests) < 5000


def test_resets_provoked_by_the_client_count_too(gw, h2):
    """MadeYouReset: the client makes the server reset its own streams."""
    wire = h2(gw)

    def attack():
        for _ in range(20000):
            stream_id = wire.open()
            wire.send(*wire.headers_frames(stream_id, get("/x"), end=False), padded(8, stream_id, b"\x7f\xff\xff\xff"))

    attacked(gw, wire, attack)


def test_a_continuation_flood_ends_the_connection(gw, h2):
    wire = h2(gw)

    def attack():
        first = frames.HeadersFrame(wire.open(), wire.encoder.encode(get("/")))
        wire.send(first)
        block = b"\x00\x01x" + bytes([0x7f, 0x81, 0x7d]) + b"v" * 16000
        for _ in range(3000):
            wire.send(frames.ContinuationFrame(first.stream_id, block[:16384]))

    attacked(gw, wire, attack)


def test_empty_continuation_frames_end_the_connection(gw, h2):
    wire = h2(gw)

    def attack():
        first = frames.HeadersFrame(wire.open(), wire.encoder.encode(get("/")))
        wire.send(first)
        for _ in range(500):
            wire.send(padded(9, first.stream_id) * 1000)

    attacked(gw, wire, attack)


@pytest.mark.parametrize("name, frame", [
    ("SETTINGS", padded(4, 0)), ("PING", padded(6, 0, b"12345678")), ("settings that change", padded(4, 0, b"\x00\x04\x00\x00\xff\xff")),
    ("PRIORITY", padded(2, 1, b"\x00\x00\x00\x00\x10")),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_flood_of_control_frames_ends_the_connection(gw, h2, name, frame):
    wire = h2(gw)

    def attack():
        for _ in range(2000):
            wire.send(frame * 500)

    attacked(gw, wire, attack)


def test_a_flood_of_empty_data_ends_the_connection(gw, h2):
    wire = h2(gw)

    def attack():
        stream_id = wire.open()
        wire.send(*wire.headers_frames(stream_id, post(), end=False))
        for _ in range(2000):
            wire.send(padded(0, stream_id) * 500)

    attacked(gw, wire, attack)


def test_an_hpack_bomb_is_refused(gw, shop, h2):
    """One large entry in the table, then a byte for each time it is used."""
    wire = h2(gw)
    stream_id = wire.open()
    block = wire.encoder.encode(get("/")) + b"\x40\x01b\x7f\x81\x1e" + b"v" * 4000 + b"\xbe" * 16000
    for at in range(0, len(block), 16000):
        kind = frames.HeadersFrame if at == 0 else frames.ContinuationFrame
        made = kind(stream_id, block[at:at + 16000])
        if at + 16000 >= len(block):
            made.flags |= {"END_HEADERS"} if at else {"END_HEADERS", "END_STREAM"}
        wire.send(made)
    stream = wire.answer(stream_id)
    assert stream.status == 431 or stream.reset is not None or wire.closed
    assert shop.requests == []


def test_more_streams_than_offered_are_not_served(gateway, upstream, h2):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more=H2C))
    wire = h2(gw)
    wire.ping()
    most = wire.settings[frames.SettingsFrame.MAX_CONCURRENT_STREAMS]
    for number in range(most):
        wire.request(get(f"/{number}"))
    slow.wait_requests(most)
    extra = [wire.streams[wire.request(get("/extra"))] for _ in range(20)]
    wire.read_until(lambda: all(stream.reset is not None for stream in extra) or wire.goaway is not None)
    slow.release()
    assert len(slow.requests) == most and "/extra" not in slow.targets
    assert client_is_served(gw)


def client_is_served(gw):
    with H2Wire(gw) as wire:
        return wire.ask(get("/after")).status == 200


def test_a_broken_preface_is_closed(gw, client):
    wire = client.connect(gw)
    wire.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX" + b"x" * 100)
    while not wire.is_closed():
        wire.reader.buffer.clear()


# Real clients

@pytest.fixture
def tls_gw(gateway, shop, certificates):
    return gateway(everything_to(shop, more=f'listen: [ {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]'))


def test_httpx_speaks_http2_by_alpn(tls_gw, shop, certificates):
    with httpx.Client(http2=True, verify=certificates.trust()) as browser:
        for number in range(20):
            answer = browser.post(f"https://{tls_gw.tls_address}/{number}", content=b"x" * number * 1000)
            assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
            assert answer.text == f"/{number} {number * 1000}"


def curl(*words):
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "-o", "-", "-w", "\n%{http_version} %{http_code}", *map(str, words)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rsplit("\n", 1)


def test_curl_speaks_http2_by_alpn(tls_gw, certificates):
    assert curl("--http2", "--cacert", certificates.ca, f"https://{tls_gw.tls_address}/c") == ["/c 0", "2 200"]


def test_curl_speaks_http11_when_it_wants_to(tls_gw, certificates):
    assert curl("--http1.1", "--cacert", certificates.ca, f"https://{tls_gw.tls_address}/c") == ["/c 0", "1.1 200"]


def test_curl_speaks_http2_with_prior_knowledge(gw):
    assert curl("--http2-prior-knowledge", f"{gw.url}/c") == ["/c 0", "2 200"]


def test_curls_upgrade_to_h2c_stays_http11(gw):
    assert curl("--http2", f"{gw.url}/c") == ["/c 0", "1.1 200"]


def test_nghttp_uploads_and_downloads(gw, tmp_path):
    (tmp_path / "data").write_bytes(b"z" * 500000)
    done = subprocess.run(["nghttp", f"{gw.url}/n", "-d", tmp_path / "data"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "/n 500000"), done.stderr


def test_h2load_finds_no_failure(gw):
    done = subprocess.run(["h2load", "-n", "2000", "-c", "10", "-m", "20", f"{gw.url}/l"], capture_output=True, text=True, timeout=60, check=False)
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout


def test_http2_can_be_switched_off_for_a_listener(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=f'listen: [ {{ address: "127.0.0.1:0", tls: {certificates.yaml()}, http2: false }} ]'))
    wire = client.connect(gw.tls_address, tls=certificates.trust("h2", "http/1.1"), sni="shop.test")
    assert wire.alpn != "h2"
    assert wire.ask(http1.request()).status == 200


def test_a_plain_port_without_h2c_takes_no_http2(gateway, shop, client):
    gw = gateway(everything_to(shop, more='listen: [ { address: "127.0.0.1:0", h2c: false } ]'))
    wire = client.connect(gw).send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert wire.answer().status in (400, 505)
    assert shop.requests == []


def test_tls_needs_at_least_version_12(tls_gw, certificates, client):
    for version, good in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        wire = client.connect(tls_gw.tls_address, tls=certificates.trust(version=version), sni="shop.test")
        assert (wire.ask(http1.request()).status == 200) == good
    old = certificates.trust()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        Client.connect(client, tls_gw.tls_address, tls=old, sni="shop.test")
