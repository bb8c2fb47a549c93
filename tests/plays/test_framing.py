# SPDX-License-Identifier: Apache-2.0
"""RFC 9112 rule by rule: what is refused before a server sees it, and what goes on in the gateway's own framing."""
import dataclasses

import pytest

from actors import http1
from actors.client import Client
from actors.gateway import everything_to
from actors.http1 import chunk

NEXT = b"GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n"
HOST = b"Host: shop.test\r\n"


@pytest.fixture(scope="module")
def shop(long_stage):
    return long_stage.upstream()


@pytest.fixture(scope="module")
def gw(long_stage, shop):
    return long_stage.gateway(everything_to(shop))


@pytest.fixture(scope="module")
def client(long_stage):
    return Client(long_stage)


@pytest.fixture(autouse=True)
def fresh(shop):
    shop.requests.clear()


@dataclasses.dataclass
class Case:
    rule: str
    name: str
    raw: bytes
    status: tuple = (400,)


def get(line=b"GET / HTTP/1.1", headers=HOST):
    return line + b"\r\n" + headers + b"\r\n"


def post(headers, body=b"", version=b"HTTP/1.1"):
    return b"POST / " + version + b"\r\n" + HOST + headers + b"\r\n" + body


def chunks(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


REFUSED = [
    Case("9112 2.2", "request line ends in bare LF", b"GET / HTTP/1.1\n" + HOST + b"\r\n"),
    Case("9112 2.2", "header line ends in bare LF", b"GET / HTTP/1.1\r\nHost: shop.test\nX: y\r\n\r\n"),
    Case("9112 2.2", "head ends in bare LF", b"GET / HTTP/1.1\r\nHost: shop.test\r\nX: y\n\n"),
    Case("9112 2.2", "bare CR in the request line", get(b"GET /\r HTTP/1.1")),
    Case("9112 2.2", "bare CR in a value", get(headers=HOST + b"X: a\rb\r\n")),
    Case("9112 2.2", "bare CR in a name", get(headers=HOST + b"X\ry: a\r\n")),
    Case("9112 2.2", "whitespace before the first header", get(headers=b" X: y\r\n" + HOST)),
    Case("9112 2.2", "whitespace before the request line", get(b" GET / HTTP/1.1")),
    Case("9112 2.2", "a line that is no request", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    Case("9112 3", "two spaces between the parts", get(b"GET  / HTTP/1.1")),
    Case("9112 3", "a tab between the parts", get(b"GET\t/ HTTP/1.1")),
    Case("9112 3", "a space inside the target", get(b"GET /a b HTTP/1.1")),
    Case("9112 3", "a space after the version", get(b"GET / HTTP/1.1 ")),
    Case("9112 3", "no target", get(b"GET HTTP/1.1")),
    Case("9112 3", "a fragment in the target", get(b"GET /a#b HTTP/1.1")),
    Case("9112 3", "a control byte in the target", get(b"GET /a\x01b HTTP/1.1")),
    Case("9112 3", "NUL in the target", get(b"GET /a\x00b HTTP/1.1")),
    Case("9112 3", "DEL in the target", get(b"GET /a\x7fb HTTP/1.1")),
    Case("9112 3", "a byte above 0x7f in the target", get(b"GET /\xc3\xa4 HTTP/1.1")),
    Case("9112 3", "a target that is no form of the four", get(b"GET a/b HTTP/1.1")),
    Case("9112 3", "the asterisk for another method than OPTIONS", get(b"GET * HTTP/1.1")),
    Case("9112 3", "a method that is no token", get(b"GE(T / HTTP/1.1")),
    Case("9112 3", "a method without end", get(b"G" * 9000 + b" / HTTP/1.1"), (400, 414, 501)),
    Case("9112 3", "a target that is too long", get(b"GET /" + b"a" * 9000 + b" HTTP/1.1"), (414,)),
    Case("9112 2.3", "HTTP/0.9", b"GET /\r\n\r\n", (400, 505)),
    Case("9112 2.3", "HTTP/2.0 in a request line", get(b"GET / HTTP/2.0"), (400, 505)),
    Case("9112 2.3", "HTTP/1.10", get(b"GET / HTTP/1.10"), (400, 505)),
    Case("9112 2.3", "HTTP/01.1", get(b"GET / HTTP/01.1"), (400, 505)),
    Case("9112 2.3", "http/1.1 in lower case", get(b"GET / http/1.1"), (400, 505)),
    Case("9112 2.3", "another protocol", get(b"GET / FTP/1.1"), (400, 505)),
    Case("9112 3.2", "no Host", get(headers=b"")),
    Case("9112 3.2", "two Host lines", get(headers=HOST + b"Host: other.test\r\n")),
    Case("9112 3.2", "two Host lines that are the same", get(headers=HOST + HOST)),
    Case("9112 3.2", "Host with a space", get(headers=b"Host: a b\r\n")),
    Case("9112 3.2", "Host with user information", get(headers=b"Host: user@shop.test\r\n")),
    Case("9112 3.2", "Host with a path", get(headers=b"Host: shop.test/x\r\n")),
    Case("9112 3.2", "Host with a port that is none", get(headers=b"Host: shop.test:http\r\n")),
    Case("9112 3.2", "Host with a port beyond all", get(headers=b"Host: shop.test:65536\r\n")),
    Case("9112 3.2", "Host with a list", get(headers=b"Host: a.test, b.test\r\n")),
    Case("9112 3.2", "Host with a bracket that is open", get(headers=b"Host: [::1\r\n")),
    Case("9112 3.2.2", "absolute-form with a bad authority", get(b"GET http://a b/ HTTP/1.1")),
    Case("9112 3.2.2", "absolute-form with user information", get(b"GET http://u@shop.test/ HTTP/1.1")),
    Case("9112 3.2.3", "CONNECT", get(b"CONNECT shop.test:443 HTTP/1.1"), (400, 405, 501)),
    Case("9112 5.1", "a space before the colon", get(headers=HOST + b"X : y\r\n")),
    Case("9112 5.1", "a tab before the colon", get(headers=HOST + b"X\t: y\r\n")),
    Case("9112 5.1", "a space before Content-Length's colon", post(b"Content-Length : 0\r\n")),
    Case("9112 5.1", "a name with a space in it", get(headers=HOST + b"X Y: z\r\n")),
    Case("9112 5.1", "an empty name", get(headers=HOST + b": z\r\n")),
    Case("9112 5.1", "a line without a colon", get(headers=HOST + b"nothing\r\n")),
    Case("9112 5.1", "a name that is no token", get(headers=HOST + b"X(Y): z\r\n")),
    Case("9112 5.1", "a name with a byte above 0x7f", get(headers=HOST + b"X\xe4: z\r\n")),
    Case("9112 5.2", "a folded line", get(headers=HOST + b"X: y\r\n z\r\n")),
    Case("9112 5.2", "a line folded with a tab", get(headers=HOST + b"X: y\r\n\tz\r\n")),
    Case("9112 5.2", "Transfer-Encoding folded", post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n")),
    Case("9110 5.5", "NUL in a value", get(headers=HOST + b"X: a\x00b\r\n")),
    Case("9110 5.5", "a control byte in a value", get(headers=HOST + b"X: a\x01b\r\n")),
    Case("9110 5.5", "DEL in a value", get(headers=HOST + b"X: a\x7fb\r\n")),
    Case("9112 6.1", "Transfer-Encoding in HTTP/1.0", post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"HTTP/1.0")),
    Case("9112 6.1", "Transfer-Encoding and Content-Length", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n")),
    Case("9112 6.1", "Content-Length after Transfer-Encoding", post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n")),
    Case("9112 6.1", "chunked twice in a line", post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "chunked in two lines", post(b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "chunked before another coding", post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "another coding before chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "identity", post(b"Transfer-Encoding: identity\r\n"), (400, 501)),
    Case("9112 6.1", "identity in a second line", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "an unknown coding", post(b"Transfer-Encoding: xchunked\r\n"), (400, 501)),
    Case("9112 6.1", "an empty coding", post(b"Transfer-Encoding: \r\n"), (400, 501)),
    Case("9112 6.1", "chunked with a parameter", post(b"Transfer-Encoding: chunked;a=b\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "chunked in quotes", post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "chunked with a comma", post(b"Transfer-Encoding: chunked,\r\n", b"0\r\n\r\n"), (400, 501)),
    Case("9112 6.1", "a comma before chunked", post(b"Transfer-Encoding: ,chunked\r\n", b"0\r\n\r\n"), (400, 501)),
    *(Case("9112 6.1", f"chunked after \\x{byte:02x}", post(b"Transfer-Encoding: %cchunked\r\n" % byte, b"0\r\n\r\n"), (400, 501))
      for byte in (0x0b, 0x0c, 0x85, 0xa0)),
    *(Case("9112 6.1", f"chunked before \\x{byte:02x}", post(b"Transfer-Encoding: chunked%c\r\n" % byte, b"0\r\n\r\n"), (400, 501))
      for byte in (0x00, 0x0b, 0x0c, 0x85, 0xa0)),
    *(Case("9112 6.3", f"Content-Length {value.decode('latin-1')!r}", post(b"Content-Length: " + value + b"\r\n", b"12345"))
      for value in (b"+5", b"-5", b"0x5", b"5_0", b"5 5", b"5.0", b"5e0", b"", b"five", b"\xb5", b"5;", b"99999999999999999999",
                    b"9223372036854775808", b"18446744073709551621", b"5, 6")),
    Case("9112 6.3", "two lengths that differ", post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"12345")),
    Case("9112 6.3", "a length and a length in hiding", post(b"Content-Length: 5\r\nContent-Length: 5, 6\r\n", b"12345")),
    *(Case("9112 7.1", f"chunk size {size.decode('latin-1')!r}", chunks(size + b"\r\nhello\r\n0\r\n\r\n"))
      for size in (b"0x5", b"+5", b"-5", b" 5", b"", b"g", b"5_", b"5h", b"\x0b5", b"00000000000000005", b"ffffffffffffffff5",
                   b"10000000000000005", b"\xef\xbc\x95")),
    Case("9112 7.1", "chunk size line ends in bare LF", chunks(b"5\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1", "chunk size line ends in bare CR", chunks(b"5\rhello\r\n0\r\n\r\n")),
    Case("9112 7.1", "chunk data ends in bare LF", chunks(b"5\r\nhello\n0\r\n\r\n")),
    Case("9112 7.1", "chunk data is longer than its size", chunks(b"4\r\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1", "two bytes that are no CRLF after the data", chunks(b"5\r\nhelloXX0\r\n\r\n")),
    Case("9112 7.1.1", "bare LF in an extension", chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1.1", "bare CR in an extension", chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1.1", "CR before the extension", chunks(b"5\r;a=b\r\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1.1", "NUL in an extension", chunks(b"5;a\x00b\r\nhello\r\n0\r\n\r\n")),
    Case("9112 7.1.1", "CR LF inside a quoted extension", chunks(b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n')),
    Case("9112 7.1.1", "an extension without end", chunks(b"5;" + b"a" * 70000 + b"\r\nhello\r\n0\r\n\r\n"), (400, 413, 431)),
    Case("9112 7.1.1", "extensions without end, a little each", chunks(b"1;%b\r\nx\r\n" % (b"a" * 200) * 2000 + b"0\r\n\r\n"), (400, 413, 431)),
    Case("9112 7.1", "last chunk ends in bare LF", chunks(b"5\r\nhello\r\n0\n\n")),
    Case("9112 7.1.2", "a trailer line ends in bare LF", chunks(b"5\r\nhello\r\n0\r\nX: y\n\r\n")),
    Case("9112 7.1.2", "a trailer is folded", chunks(b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n")),
    Case("9112 7.1.2", "a trailer without a colon", chunks(b"5\r\nhello\r\n0\r\nnothing\r\n\r\n")),
    Case("9112 7.1.2", "a space before a trailer's colon", chunks(b"5\r\nhello\r\n0\r\nX : y\r\n\r\n")),
    Case("9112 7.1.2", "trailers without end", chunks(b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 20000 + b"\r\n"), (400, 413, 431)),
    Case("9110 10.1.1", "an expectation that is unknown", post(b"Content-Length: 5\r\nExpect: 200-ok\r\n", b"12345"), (417,)),
    Case("9110 10.1.1", "an expectation in a list", post(b"Content-Length: 5\r\nExpect: 100-continue, x\r\n", b"12345"), (417,)),
    Case("limits", "101 header lines", get(headers=HOST + b"X: y\r\n" * 100), (431,)),
    Case("limits", "a head of 40 KiB", get(headers=HOST + b"X: " + b"y" * 40000 + b"\r\n"), (431,)),
    Case("limits", "a head of 40 KiB in many lines", get(headers=HOST + (b"X: " + b"y" * 800 + b"\r\n") * 50), (431,)),
]


def ids(cases):
    return [f"{case.rule}: {case.name}" for case in cases]


@pytest.mark.parametrize("case", REFUSED, ids=ids(REFUSED))
def test_refused_and_closed_and_nothing_behind_it_is_read(gw, shop, client, case):
    wire = client.connect(gw)
    wire.send(case.raw + NEXT)
    answer = wire.answer()
    assert answer.status in case.status, answer.raw
    assert wire.is_closed(), "the connection lives on after a faulty request"
    assert client.get(gw, "/after").status == 200
    assert shop.targets == ["/after"], shop.requests


@pytest.mark.parametrize("case", [case for case in REFUSED if len(case.raw) < 400], ids=ids(case for case in REFUSED if len(case.raw) < 400))
def test_refused_just_the_same_when_it_comes_byte_by_byte(gw, shop, client, case):
    wire = client.connect(gw)
    try:
        wire.send_split(case.raw)
    except OSError:  # it was refused before its end
        pass
    try:
        assert wire.answer().status in case.status
    except http1.Closed as end:
        assert end.reset, end  # our last bytes met a closed socket, whose reset overtook the answer
    assert shop.requests == []


@dataclasses.dataclass
class Good:
    rule: str
    name: str
    raw: bytes
    body: bytes = b""
    target: str = "/"
    host: str = "shop.test"
    method: str = "POST"
    closes: bool = False


TAKEN = [
    Good("9112 2.2", "an empty line before the request", b"\r\n" + get(), method="GET"),
    Good("9112 3.2.2", "absolute-form: its authority, not Host", get(b"GET http://target.test/x?y HTTP/1.1"), host="target.test",
         target="/x?y", method="GET"),
    Good("9112 3.2.2", "absolute-form without a path", get(b"GET http://target.test HTTP/1.1"), host="target.test", method="GET"),
    Good("9112 5.1", "blanks around a value", get(headers=b"Host:\t shop.test \t\r\n"), method="GET"),
    Good("9112 5.1", "no blank after the colon", get(headers=b"Host:shop.test\r\n"), method="GET"),
    Good("9112 5.1", "obs-text in a value", get(headers=HOST + b"X: \xe4\xf6\r\n"), method="GET"),
    Good("9112 6.3", "no body at all", get(b"POST / HTTP/1.1")),
    Good("9112 6.3", "a length of zero", post(b"Content-Length: 0\r\n")),
    Good("9112 6.3", "a length with zeros before it", post(b"Content-Length: 0005\r\n", b"hello"), b"hello"),
    Good("9112 6.3", "GET with a body", b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", b"hello", method="GET"),
    Good("9112 6.1", "Chunked in another case", post(b"transfer-encoding: Chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), b"hello"),
    Good("9112 7.1", "several chunks", chunks(chunk(b"hello") + chunk(b" world") + b"0\r\n\r\n"), b"hello world"),
    Good("9112 7.1", "no chunk but the last", chunks(b"0\r\n\r\n")),
    Good("9112 7.1", "a size in capitals with zeros before it", chunks(b"000B\r\nhello world\r\n000\r\n\r\n"), b"hello world"),
    Good("9112 7.1.1", "extensions are dropped", chunks(b'5;a=b;c="d;e"\r\nhello\r\n0;last\r\n\r\n'), b"hello"),
    Good("9112 9.3", "HTTP/1.0 closes", get(b"GET / HTTP/1.0"), method="GET", closes=True),
    Good("9112 9.3", "Connection: close closes", get(headers=HOST + b"Connection: close\r\n"), method="GET", closes=True),
]


def is_taken(gw, shop, wire, case):
    answer = wire.answer()
    assert answer.status == 200, answer.raw
    seen = shop.requests[-1]
    assert (seen.method, seen.target, seen.body) == (case.method, case.target, case.body)
    assert seen.headers.get("host") == case.host and seen.version == "HTTP/1.1"
    if case.closes:
        assert wire.is_closed()
    else:
        assert wire.ask(http1.request(target="/next")).status == 200
        assert len(shop.requests) == 2
    return seen


@pytest.mark.parametrize("case", TAKEN, ids=ids(TAKEN))
def test_taken_and_framed_anew(gw, shop, client, case):
    seen = is_taken(gw, shop, client.connect(gw).send(case.raw), case)
    assert b";" not in seen.raw.split(b"\r\n\r\n", 1)[1]


@pytest.mark.parametrize("case", TAKEN, ids=ids(TAKEN))
def test_taken_just_the_same_byte_by_byte(gw, shop, client, case):
    is_taken(gw, shop, client.connect(gw).send_split(case.raw), case)


def test_two_lengths_that_are_the_same_are_refused_or_made_one(gw, shop, client):
    answer = client.raw(gw, post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"))
    assert answer.status == 400 or (shop.requests[-1].headers.all("content-length") == ["5"] and shop.requests[-1].body == b"hello")


# What a server may not say

BAD_ANSWERS = [
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("no version", b"200 OK\r\n\r\n"),
    ("a version that is unknown", b"HTTP/3.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status that is no number", b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a bare CR in a value", b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"),
    ("a NUL in a value", b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n"),
    ("a folded line", b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    ("a line without a colon", b"HTTP/1.1 200 OK\r\nnothing\r\nContent-Length: 0\r\n\r\n"),
    ("Content-Length -1", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    ("Content-Length with a sign", b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
    ("two lengths that differ", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
    ("length and chunked", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\nok"),
    ("a head of 100 KiB", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100000 + b"\r\n\r\n"),
    ("a thousand headers", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
    ("101 that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ("the end instead of an answer", b""),
    ("the end inside the head", b"HTTP/1.1 200 OK\r\nContent-Le"),
]


@pytest.mark.parametrize("name, raw", BAD_ANSWERS, ids=[name for name, _ in BAD_ANSWERS])
def test_an_answer_that_is_none_becomes_a_502_and_the_servers_connection_ends(gateway, upstream, client, name, raw):
    def say(connection):
        connection.request()
        connection.send(raw)
        if not raw or raw.endswith(b"Le"):
            return
        connection.wait_end()

    bad = upstream(script=say)
    gw = gateway(everything_to(bad, upstream="retry: { attempts: 1 }"))
    answer = client.get(gw, "/", "Accept: application/json")
    assert answer.status == 502 and answer.slug.startswith("upstream."), answer.raw
    assert b"SSH" not in answer.raw
    assert client.get(gw).status == 502
    assert len(bad.connections) == 2


def test_a_body_that_is_cut_short_is_never_passed_off_as_whole(gateway, upstream, client):
    for raw in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
        short = upstream(script=lambda connection, raw=raw: (connection.request(), connection.send(raw)))
        gw = gateway(everything_to(short))
        with pytest.raises(http1.Closed):
            client.get(gw)


def test_what_comes_after_an_answer_is_never_the_next_answer(gateway, upstream, client):
    def say(connection):
        while connection.request():
            connection.send(http1.reply(200, b"mine") + http1.reply(200, b"poison"))

    bad = upstream(script=say)
    gw = gateway(everything_to(bad))
    wire = client.connect(gw)
    assert [wire.ask(http1.request()).text for _ in range(3)] == ["mine"] * 3
    assert len(bad.connections) == 3
