# SPDX-License-Identifier: Apache-2.0
"""The attacks over HTTP/1 by their names, from clients and from servers. One request in is one request out or none, whoever
is slow or floods hurts himself only, and nobody gets another's answer.

docs/guide/hostile-input.md says which class is where; RFC 9112's rules one by one are in test_framing.py, more of smuggling
in test_smuggling.py."""
import itertools
import re
import threading

import pytest

from actors import http1
from actors.bystander import Bystander, besiege
from actors.client import Wire
from actors.gateway import ROOT, everything_to
from actors.http1 import chunk, request
from actors.waiting import until
from corpus.hostile import CODINGS, HOSTS, LENGTHS, term_cases
from corpus.paths import PATHS

HOST = b"Host: shop.test\r\n"
ADMIN = b"GET /admin HTTP/1.1\r\nHost: shop.test\r\n\r\n"
LAST = b"0\r\n\r\n"


def echo(asked):
    return http1.reply(200, asked.target.encode())


@pytest.fixture(scope="module")
def shop(long_stage):
    return long_stage.upstream(answer=echo)


@pytest.fixture(scope="module")
def gw(long_stage, shop):
    return long_stage.gateway(everything_to(shop))


@pytest.fixture(autouse=True)
def fresh(shop):
    shop.requests.clear()


def post(headers, body=b"", target=b"/"):
    return b"POST " + target + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def refused(gw, shop, client, raw, status=(400, 501)):
    """One refusal that is counted, then the end; nothing at the server."""
    before = gw.metric("banyan_http_requests_total", version="refused")
    wire = client.connect(gw)
    wire.send(raw)
    assert wire.answer().status in status
    assert wire.is_closed()
    assert shop.requests == []
    assert gw.metric("banyan_http_requests_total", version="refused") == before + 1


# Smuggling: what two readers could take for different framings

@pytest.mark.parametrize("line", CODINGS, ids=ascii)
def test_te_te_every_spelling(gw, shop, client, line):
    """Beside a length, no spelling of a coding is taken for one, nor taken for none."""
    refused(gw, shop, client, post(line + b"\r\nContent-Length: 4\r\n", b"5c\r\n" + ADMIN + LAST))


@pytest.mark.parametrize("line", [line for line in CODINGS if line.lower() != b"transfer-encoding: chunked"], ids=ascii)
def test_te_te_without_a_length(gw, shop, client, line):
    """What would be a request without a body, were it not for the coding."""
    refused(gw, shop, client, post(line + b"\r\n", ADMIN))


@pytest.mark.parametrize("value", LENGTHS, ids=ascii)
def test_cl_cl_every_spelling(gw, shop, client, value):
    refused(gw, shop, client, post(b"Content-Length: " + value + b"\r\n", ADMIN))


@pytest.mark.parametrize("line", [b"GET / HTTP/1.0", b"GET / HTTP/1.1"])
@pytest.mark.parametrize("headers", [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    b"Content-Length: 0\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
    b"Connection: Content-Length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Connection: Transfer-Encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
], ids=ascii)
def test_cl_te_and_te_cl_whatever_else_is_said(gw, shop, client, line, headers):
    refused(gw, shop, client, line + b"\r\n" + HOST + headers + b"\r\n" + LAST + ADMIN)


def test_connection_cannot_name_the_framing_away(gw, shop, client):
    for name, raw in (("Content-Length", post(b"Connection: Content-Length\r\nContent-Length: %d\r\n" % len(ADMIN), ADMIN, b"/one")),
                      ("Transfer-Encoding", post(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", chunk(ADMIN) + LAST, b"/one"))):
        shop.requests.clear()
        assert client.raw(gw, raw).text == "/one", name
        assert shop.targets == ["/one"] and shop.requests[0].body == ADMIN


# TERM.EXT, EXT.TERM and their kin: what ends a line, at every place where one ends. CRLF alone is right.

@pytest.mark.parametrize("body", [body for _, body in term_cases()], ids=[name for name, _ in term_cases()])
def test_term_ext_and_ext_term_at_every_place(gw, shop, client, body):
    wire = client.connect(gw)
    wire.send(post(b"Transfer-Encoding: chunked\r\n", body, b"/upload") + ADMIN)
    wire.half_close()
    answer = wire.answer()
    assert answer.status in (400, 408), answer.raw
    assert wire.is_closed()
    assert shop.requests == []


def test_what_is_right_at_those_places_is_taken(gw, shop, client):
    for body in (b"5\r\nhello\r\n0\r\n\r\n", b"5;x\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0;z\r\n\r\n", b'5;x="y\\"\xc2\x85"\r\nhello\r\n0\r\n\r\n',
                 b"5 ;x\r\nhello\r\n0\r\n\r\n", b"5; x = y ;z\r\nhello\r\n0\r\n\r\n", b"005\r\nhello\r\n000\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"):
        shop.requests.clear()
        wire = client.connect(gw)
        wire.send(post(b"Transfer-Encoding: chunked\r\n", body, b"/upload") + ADMIN)
        assert [wire.answer().text, wire.answer().text] == ["/upload", "/admin"]
        assert shop.requests[0].body == b"hello" and b";" not in shop.requests[0].raw


# 0.CL and Expect

@pytest.mark.parametrize("lines", [
    b"Expect: 100-continue, 100-continue", b"Expect: 100-continue;x", b"Expect: 100 continue", b"Expect: 100-continue\r\nExpect: x", b"Expect: x\r\nExpect: 100-continue",
    b"Expect: ", b"Expect: 200", b"Expect: y=100-continue", b"Expect: x 100-continue", b"Expect: 100-continue\x0b",
], ids=ascii)
def test_an_expectation_in_disguise_is_refused_with_its_body(gw, shop, client, lines):
    refused(gw, shop, client, post(lines + b"\r\nContent-Length: %d\r\n" % len(ADMIN), ADMIN), (417, 400))


@pytest.mark.parametrize("lines", [b"Expect: 100-continue", b"expect: 100-CONTINUE", b"Expect:100-continue", b"Expect: 100-continue\r\nExpect: 100-continue"], ids=ascii)
@pytest.mark.parametrize("body", [b"Content-Length: %d\r\n\r\n%s" % (len(ADMIN), ADMIN), b"Transfer-Encoding: chunked\r\n\r\n" + chunk(ADMIN) + LAST], ids=["length", "chunked"])
def test_an_expectation_is_met_here_and_never_sent_on(gw, shop, client, lines, body):
    wire = client.connect(gw)
    head, rest = (b"POST /first HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body).split(b"\r\n\r\n", 1)
    wire.send(head + b"\r\n\r\n")
    assert wire.head().status == 100
    wire.send(rest + request("GET", "/second"))
    assert [wire.answer().text, wire.answer().text] == ["/first", "/second"]
    assert shop.targets == ["/first", "/second"] and shop.requests[0].body == ADMIN
    assert "expect" not in shop.requests[0].headers


def test_an_expectation_without_a_body_is_no_reason_to_wait(gw, shop, client):
    for raw in (request("GET", "/first", "Expect: 100-continue"), request("POST", "/first", "Expect: 100-continue", body=b"")):
        shop.requests.clear()
        wire = client.connect(gw)
        wire.send(raw + request("GET", "/second"))
        assert [wire.answer().text, wire.answer().text] == ["/first", "/second"]
        assert shop.targets == ["/first", "/second"]


# CL.0 towards a server: early answers

def early(connection):
    """Answers every head at once; whatever comes after it is the next request to this one, if it looks like one."""
    while True:
        line = connection.reader.until(b"\r\n\r\n")
        asked = re.search(rb"(?:GET|POST) (\S+) HTTP/1.1\r\n[^\0]*\Z", line)
        connection.send(http1.reply(200, asked[1]) if asked else http1.reply(400, b""))


@pytest.mark.parametrize("head, rest", [
    (b"Content-Length: 300000\r\n\r\n" + ADMIN, b"x" * (300000 - len(ADMIN))),
    (b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + ADMIN, b"x" * (100000 - len(ADMIN)) + b"\r\n0\r\n\r\n"),
], ids=["length", "chunked"])
def test_an_early_answer_ends_the_servers_connection(gateway, upstream, client, head, rest):
    """Bytes of an upload that it did not want would be the next client's request there."""
    careless = upstream(script=early)
    gw = gateway(everything_to(careless, more="buffering: { requests: off }"))
    for number in range(3):
        wire = client.connect(gw)
        wire.send(b"POST /static HTTP/1.1\r\n" + HOST + head)
        assert wire.answer().text == "/static"
        with_luck(wire, rest)
        assert client.get(gw, f"/mine{number}").text == f"/mine{number}"


def test_a_get_with_a_body_ends_the_servers_connection(gateway, upstream, client):
    """Many servers look for none there. What they take for the next request gets no next client."""
    careless = upstream(script=early)
    gw = gateway(everything_to(careless))
    for number in range(3):
        assert client.ask(gw, "GET", "/static", body=ADMIN).text == "/static"
        assert client.get(gw, f"/mine{number}").text == f"/mine{number}"


def test_an_early_refusal_of_ours_is_no_second_request(gateway, upstream, client):
    """404, 405, 413, 400: the body that was on its way is read and dropped, or the connection ends."""
    shop = upstream(answer=echo)
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes: [ {{ name: one, match: {{ path: /one, methods: [ GET ] }}, to: shop }} ]
        limits: {{ body: 100000 }}""")
    for target, size in itertools.product((b"/none", b"/one", b"/%00"), (0, 1000, 90000, 200000)):
        body = b"x" * size + ADMIN
        wire = client.connect(gw)
        try:
            wire.send(post(b"Content-Length: %d\r\n" % len(body), body, target) + request("GET", "/one"))
            assert wire.answer().status in (400, 404, 405, 413)
            assert wire.answer().text == "/one"
        except (http1.Closed, OSError):
            pass
        assert set(shop.targets) <= {"/one"}


# Premature upgrade

UPGRADE = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"


@pytest.mark.parametrize("status", [200, 400, 403, 404, 426, 502])
def test_no_byte_is_tunnelled_without_a_101(gateway, upstream, client, status):
    plain = upstream(answer=http1.reply(status, b"no"))
    gw = gateway(everything_to(plain, upstream="retry: { attempts: 1 }"))
    wire = client.connect(gw)
    wire.send(request("GET", "/ws", "Connection: Upgrade", "Upgrade: websocket", *UPGRADE) + b"GET /admin HTTP/1.1\r\nHost: a\nb\r\n\r\n")
    assert wire.answer().status == status
    assert wire.answer().status == 400
    assert wire.is_closed()
    assert plain.targets == ["/ws"]
    assert gw.metric("banyan_tunnels") == 0


@pytest.mark.parametrize("protocols, sent", [
    ("h2c", None), ("H2C", None), ("h2c, websocket", "websocket"), ("websocket, h2c", "websocket"), (" h2c ,, websocket", "websocket"), ("h2c,h2c", None),
    ("h2c, TLS/1.0", "TLS/1.0"),
])
def test_an_upgrade_to_h2c_is_dropped(gw, shop, client, protocols, sent):
    answer = client.get(gw, "/", "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {protocols}", "HTTP2-Settings: AAMAAABkAAQAAP__")
    assert answer.status == 200
    headers = shop.requests[-1].headers
    assert headers.get("upgrade") == sent and "http2-settings" not in headers
    assert ("upgrade" in headers.get("connection", "")) == bool(sent)


def test_an_upgrade_that_connection_does_not_name_is_none(gw, shop, client):
    for headers in (["Upgrade: websocket"], ["Upgrade: websocket", "Connection: close"], ["Upgrade: websocket", "Connection: keep-alive"]):
        assert client.get(gw, "/", *headers).status == 200
        assert "upgrade" not in shop.requests[-1].headers


# Slowness

def test_slowloris_many_heads_that_trickle(gateway, upstream, client):
    """Each is ended by its total time and counted, and none holds a fiber."""
    shop = upstream()
    gw = gateway(everything_to(shop, more="limits: { head_time: 500ms }"))
    idle = gw.metric("banyan_fibers")
    with Bystander(gw) as other:
        wires = [client.connect(gw) for _ in range(200)]
        for piece in (b"GET / HTTP/1.1\r\n", HOST, b"X: y\r\n", b"X: y"):
            for wire in wires:
                with_luck(wire, piece)
        assert gw.metric("banyan_fibers") < idle + 100  # of 200; some are just at work
        gw.wait_metric("banyan_client_timeouts_total", len(wires))
        other.wait_served(5)
    assert set(shop.targets) == {"/bystander"}


def with_luck(wire, data):
    try:
        wire.send(data)
    except OSError:
        pass


def test_many_bodies_that_stop(gateway, upstream, client):
    shop = upstream()
    gw = gateway(everything_to(shop, more="limits: { body_idle: 400ms }"))
    wires = [client.connect(gw).send(post(b"Content-Length: 50000\r\n", b"x", b"/slow")) for _ in range(50)]
    with Bystander(gw) as other:
        assert {wire.answer().status for wire in wires} == {408}
        other.wait_served(5)
    assert set(shop.targets) == {"/bystander"}


def test_many_readers_that_read_nothing(gateway, upstream, client):
    """Slow read: each is dropped after limits.write, and what the server sends is not kept for it meanwhile."""
    big = upstream(answer=lambda asked: http1.reply(200, b"y" * (20 << 20 if asked.target == "/big" else 10)))
    gw = gateway(everything_to(big, more="limits: { write: 400ms }"))
    with Bystander(gw) as other:
        wires = [client.connect(gw, receive_buffer=4096).send(request("GET", "/big")) for _ in range(10)]
        until(lambda: gw.metric("banyan_connections_active") <= 2, "the readers are gone")
        other.wait_served(5)
    assert all(len(wire.reader.rest()) < 20 << 20 for wire in wires)


# Floods

HTTP1_FLOODS = {
    "empty lines": b"\r\n" * 1000, "heads without Host": b"GET / HTTP/1.1\r\n\r\n" * 100, "noise": bytes(range(256)) * 20, "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100,
    "a method without end": b"G" * 5000, "a target without end": b"GET /" + b"a" * 20000, "a head without end": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 5000,
    "a field without end": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 100000, "a name without end": b"GET / HTTP/1.1\r\n" + HOST + b"X" * 100000,
    "chunk extensions": post(b"Transfer-Encoding: chunked\r\n", b"1;" + b"a=b;" * 20 + b"\r\nx\r\n") + (b"1;" + b"a=b;" * 20 + b"c\r\nx\r\n") * 200,
    "trailers": post(b"Transfer-Encoding: chunked\r\n", b"0\r\n" + b"X: y\r\n" * 5000),
    "chunks without end": post(b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n" * 20000),
}


@pytest.mark.parametrize("name", HTTP1_FLOODS)
def test_a_flood_is_ended_at_its_limit(gateway, upstream, name):
    """Refused, counted and closed, while another client is served."""
    shop = upstream()
    gw = gateway(everything_to(shop, more="limits: { body: 10000 }"))

    def attack():
        with Wire(gw) as wire:
            try:
                for _ in range((16 << 20) // len(HTTP1_FLOODS[name])):
                    wire.send(HTTP1_FLOODS[name])
                raise AssertionError("the flood may go on for ever")
            except OSError:
                pass

    rounds = besiege(gw, attack)
    if name == "chunks without end":  # well-formed, but too large
        gw.wait_metric("banyan_requests_total", rounds, **{"class": "4xx"})
    else:
        until(lambda: gw.metric("banyan_http_requests_total", version="refused") +
              gw.metric("banyan_requests_total", **{"class": "4xx"}) >= rounds, "each is counted")
    assert set(shop.targets) == {"/bystander"}


# Oversize

@pytest.mark.parametrize("raw, status", [
    (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414), (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 33000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100 + b"\r\n", 431), (b"M" * 33 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (post(b"Content-Length: 999999999999\r\n"), 413),
], ids=["line", "head", "fields", "method", "body"])
def test_what_is_too_large_is_refused_by_its_own_status(gw, shop, client, raw, status):
    wire = client.connect(gw)
    wire.send(raw + ADMIN)
    assert wire.answer().status == status
    assert wire.is_closed()
    assert shop.requests == []


# Paths and targets

@pytest.mark.parametrize("target", [target for target in PATHS])
def test_a_path_is_read_in_one_way_or_refused(gw, shop, client, target):
    with client.connect(gw) as wire:
        wire.send(f"GET {target} HTTP/1.1\r\n".encode("latin-1") + HOST + b"\r\n")
        answer = wire.answer()
    if PATHS[target] is None:
        assert answer.status in (400, 404) and shop.requests == []
    else:
        assert answer.status == 200 and shop.targets == [PATHS[target]]


TARGETS = [
    # target, method, what the server sees, its Host; None: refused
    ("http://other.test/x?y", "GET", "/x?y", "other.test"), ("HTTP://Other.Test:81/x", "GET", "/x", "Other.Test:81"), ("https://other.test/x", "GET", "/x", "other.test"),
    ("http://other.test", "GET", "/", "other.test"), ("http://other.test?x", "GET", "/?x", "other.test"), ("http://other.test/../x", "GET", None, None),
    ("http://other.test//x", "GET", "/x", "other.test"), ("http://other.test/%2e%2e/x", "GET", None, None), ("http://[::1]:80/", "GET", "/", "[::1]:80"),
    ("http:///x", "GET", None, None), ("http://", "GET", None, None), ("http://u@other.test/", "GET", None, None), ("http://u:p@other.test/", "GET", None, None),
    ("http://other.test:x/", "GET", None, None), ("http://other.test:99999/", "GET", None, None), ("http://other.test\\@evil.test/", "GET", None, None),
    ("http://other.test#@evil.test/", "GET", None, None), ("http:other.test/", "GET", None, None), ("http:/other.test/", "GET", None, None),
    ("ftp://other.test/", "GET", None, None), ("file:///etc/passwd", "GET", None, None), ("gopher://x/", "GET", None, None), ("javascript:x", "GET", None, None),
    ("//other.test/x", "GET", "/other.test/x", "shop.test"), ("/http://other.test/", "GET", "/http:/other.test/", "shop.test"),
    ("other.test:443", "CONNECT", None, None), ("other.test", "CONNECT", None, None), ("/x", "CONNECT", None, None), ("http://other.test/", "CONNECT", None, None),
    ("127.0.0.1:22", "CONNECT", None, None), ("other.test:443", "GET", None, None), ("*", "GET", None, None), ("*/x", "OPTIONS", None, None), ("**", "OPTIONS", None, None),
    ("/*", "OPTIONS", "/*", "shop.test"), ("http://other.test/*", "OPTIONS", "/*", "other.test"), ("@other.test/", "GET", None, None), (".", "GET", None, None),
    ("?x", "GET", None, None), (":80/", "GET", None, None),
]


@pytest.mark.parametrize("target, method, seen, host", TARGETS, ids=[f"{case[1]} {case[0]}" for case in TARGETS])
def test_every_form_of_target(gw, shop, client, target, method, seen, host):
    with client.connect(gw) as wire:
        wire.send(request(method, target))
        answer = wire.answer()
    if seen is None:
        assert answer.status in (400, 405) and shop.requests == []
    else:
        assert answer.status == 200 and shop.targets == [seen]
        assert shop.requests[0].headers.get("host") == host


@pytest.mark.parametrize("host", HOSTS, ids=ascii)
def test_a_host_that_is_none(gw, shop, client, host):
    with client.connect(gw) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n")
        assert wire.answer().status == 400
        assert wire.is_closed()
    assert shop.requests == []


def test_a_request_without_a_host_gets_the_servers(gw, shop, client):
    """HTTP/1.0: nginx and Django refuse an empty one."""
    with client.connect(gw) as wire:
        assert wire.ask(b"GET /x HTTP/1.0\r\n\r\n").status == 200
    assert shop.requests[-1].headers.get("host") == shop.address
    assert "x-forwarded-host" not in shop.requests[-1].headers


def test_a_host_is_the_same_in_every_case_and_with_its_root(gateway, upstream, client):
    """Routes by host: no spelling of a name leads past its route."""
    private, rest = upstream(answer=http1.reply(200, b"private")), upstream(answer=http1.reply(200, b"rest"))
    gw = gateway(f"""
        upstreams: {{ private: {{ servers: [ "{private.address}" ] }}, rest: {{ servers: [ "{rest.address}" ] }} }}
        routes:
          - {{ name: private, match: {{ host: private.test }}, to: private }}
          - {{ name: rest, to: rest }}""")
    for host in ("private.test", "PRIVATE.test", "Private.Test:8080", "private.test.", "PRIVATE.TEST.:80"):
        assert client.get(gw, "/", host=host).text == "private", host
    for host in ("private.test..", "private.test.x", "xprivate.test"):
        assert client.get(gw, "/", host=host).status != 200 or client.get(gw, "/", host=host).text == "rest", host


# Fields that others believe

CLAIMS = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Ssl",
          "X-Forwarded-Anything", "X-Real-IP", "X-Request-Id", "Forwarded", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-URL",
          "X-Rewrite-URL", "X-Original-Host", "X-Host", "Front-End-Https", "X-Url-Scheme", "X-Scheme"]


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_not_believed_however_often_and_however_spelt(gw, shop, client, name):
    client.get(gw, "/", f"{name}: evil-1", f"{name.lower()}: evil-2", f"{name.upper()}: evil-3")
    assert b"evil" not in shop.requests[-1].raw
    for alias in {name.replace("-", "_"), name.replace("-", "_", 1), name.lower().replace("-", "_"), name[::-1].replace("-", "_", 1)[::-1]} - {name, name.lower()}:
        assert client.get(gw, "/", f"{alias}: evil").status == 400
    assert all(b"evil" not in asked.raw for asked in shop.requests)


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
                                  "X-Real-IP", "X-Request-Id", "Via", "Content-Length"])
@pytest.mark.parametrize("spelt", ["{}", "close, {}", "{}, close", "keep-alive,{},x", " , {} ,", "{}\r\nConnection: {}"])
def test_hop_by_hop_abuse(gw, shop, client, name, spelt):
    """Connection names it, and it arrives all the same."""
    option = spelt.format(name.upper(), name)
    client.post(gw, "/", b"hello", f"Connection: {option}", "Authorization: Basic eA==", "Cookie: a=1")
    assert len(shop.requests[-1].headers.all(name)) == 1
    assert shop.requests[-1].body == b"hello"


def test_hop_by_hop_abuse_of_an_answer(gateway, upstream, client):
    """A server's Connection cannot take away what the gateway added, nor a session."""
    bad = upstream(answer=http1.reply(200, b"x", "Connection: Set-Cookie, X-Request-Id, X-Hop", "Set-Cookie: a=1", "X-Hop: 1", "X-Stays: 1"))
    gw = gateway(everything_to(bad))
    answer = client.get(gw)
    assert answer.headers.get("set-cookie") == "a=1" and answer.headers.get("x-stays") == "1"
    assert answer.headers.get("x-request-id") and "x-hop" not in answer.headers


@pytest.mark.parametrize("value", ["a\rX: evil", "a\nX: evil", "a\r\r\nX: evil", "a\x00X: evil", "a\r\n\r\nX: evil"], ids=ascii)
@pytest.mark.parametrize("place", ["method", "target", "version", "host", "name", "value"])
def test_header_injection(gw, shop, client, place, value):
    """A line end inside anything ends it and nothing else: the rest is a line of its own, as strict as any, or refused."""
    parts = {"method": "GET", "target": "/", "version": "HTTP/1.1", "host": "shop.test", "name": "Y", "value": "y", place: value}
    raw = "{method} {target} {version}\r\nHost: {host}\r\n{name}: {value}\r\n\r\n".format(**parts).encode("latin-1")
    with client.connect(gw) as wire:
        wire.send(raw).half_close()
        wire.reader.rest()
    for asked in shop.requests:
        assert place in ("value", "host") and value == "a\r\n\r\nX: evil", asked.raw
        assert b"evil" not in asked.raw
    assert len(shop.requests) <= 1


def test_nothing_that_is_no_part_of_the_address_is_reflected(gateway, upstream, client):
    """What a cache between would store under the address alone (cache poisoning)."""
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{upstream(answer=b"nonsense").address}" ] }} }}
        routes:
          - {{ name: one, match: {{ path: /one, methods: [ GET ] }}, to: shop }}
          - {{ name: two, match: {{ path: /two }}, to: shop }}""")
    headers = [f"{name}: reflected.test" for name in [*CLAIMS, "Referer", "User-Agent", "Cookie", "Origin", "Accept-Language", "X-Any"]]
    for method, target in (("GET", "/none"), ("POST", "/one"), ("GET", "/two"), ("GET", "/%zz"), ("GET", "/<script>alert(1)</script>")):
        for accept in ("text/html", "application/json"):
            answer = client.ask(gw, method, target, f"Accept: {accept}", *headers)
            assert answer.status in (400, 404, 405, 502) and answer.headers.get("cache-control") == "no-store"
            assert b"reflected" not in answer.raw and b"<script" not in answer.raw


# What servers do

def speak(*parts, after=None):
    """A server that says these bytes to every request, then waits for the end."""
    def script(connection):
        while connection.request():
            for part in parts:
                connection.send(part)
            if after:
                after(connection)
    return script


BAD_CHUNKS = [b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
              b"\r\nhello\r\n0\r\n\r\n", b"g\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\nhello", b"5;\x00\r\nhello\r\n0\r\n\r\n", b"5\r;x\r\nhello\r\n0\r\n\r\n",
              b"5\r\nhello\r\n0\n\n", b"5\r\nhello\r\n0\r\nX : y\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\n\r\n", b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
              b"1;" + b"x" * 9000 + b"\r\nh\r\n0\r\n\r\n"]


@pytest.mark.parametrize("body", BAD_CHUNKS, ids=lambda body: ascii(body[:30]))
def test_a_bad_chunk_of_a_server_is_never_passed_off_as_an_answer(gateway, upstream, client, body):
    bad = upstream(script=speak(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body))
    gw = gateway(everything_to(bad, upstream="retry: { attempts: 1 }"))
    for _ in range(2):
        with client.connect(gw) as wire:
            wire.send(request("GET", "/", "Accept: application/json"))
            try:
                assert wire.answer().status == 502
            except http1.Closed:
                assert b"\r\n0\r\n\r\n" not in bytes(wire.reader.received)
    assert len(bad.connections) == 2


def test_response_splitting_by_what_a_server_repeats(gateway, upstream, client):
    """A careless server that puts what it was asked into its answer's head."""
    careless = upstream(answer=lambda asked: http1.reply(302, b"", "Location: /x?" + asked.target.partition("?")[2]))
    gw = gateway(everything_to(careless))
    answer = client.get(gw, "/?a%0d%0aSet-Cookie:%20evil=1")
    assert answer.status == 302 and "set-cookie" not in answer.headers
    unescaping = upstream(answer=lambda asked: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: a\rSet-Cookie: evil=1\r\n\r\n")
    answer = client.get(gateway(everything_to(unescaping)), "/")
    assert answer.status == 502 and "set-cookie" not in answer.headers


@pytest.mark.parametrize("status, method", [(204, "GET"), (304, "GET"), (200, "HEAD")])
@pytest.mark.parametrize("framing", [b"Content-Length: 38\r\n", b"Transfer-Encoding: chunked\r\n", b""], ids=["length", "chunked", "none"])
def test_a_body_where_none_may_be_is_nobodys_answer(gateway, upstream, client, status, method, framing):
    """Response-queue poisoning: what follows must not answer the next client."""
    poison = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def script(connection):
        while asked := connection.request():
            if asked.target == "/first":
                connection.send(b"HTTP/1.1 %d X\r\n" % status + framing + b"\r\n" + poison)
            else:
                connection.send(http1.reply(200, b"mine"))

    gw = gateway(everything_to(upstream(script=script)))
    for _ in range(5):
        assert client.ask(gw, method, "/first").status == status
        assert client.get(gw, "/second").text == "mine"


@pytest.mark.parametrize("poison", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"x", b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"], ids=ascii)
def test_what_a_server_says_unasked_on_an_idle_connection_ends_it(gateway, upstream, client, poison):
    def script(connection):
        connection.request()
        connection.send(http1.reply(200, b"mine"))
        told.wait()
        connection.send(poison)
        connection.wait_end()

    told = threading.Event()
    bad = upstream(script=script)
    gw = gateway(everything_to(bad, upstream="keepalive: { idle_time: 60s }"))
    assert client.get(gw).text == "mine"
    gw.wait_metric("banyan_upstream_connections", 1)
    told.set()
    gw.wait_metric("banyan_upstream_connections", 0)
    assert client.get(gw).text == "mine"
    assert len(bad.connections) == 2


def test_informational_answers_without_end_are_a_fault(gateway, upstream, client):
    """Each is passed on, and costs the client's side too: their number is limited."""
    sent = []

    def script(connection):
        connection.request()
        try:
            while True:
                connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)
                sent.append(100)
                assert len(sent) < 10000, "they may go on for ever"
        except OSError:
            pass

    flood = upstream(script=script)
    calm = upstream()
    gw = gateway(f"""
        upstreams: {{ flood: {{ servers: [ "{flood.address}" ], retry: {{ attempts: 1 }} }}, calm: {{ servers: [ "{calm.address}" ] }} }}
        routes: [ {{ name: flood, match: {{ path: /flood }}, to: flood }}, {{ name: rest, to: calm }} ]""")

    def attack():
        for version in ("HTTP/1.1", "HTTP/1.0"):
            with client.connect(gw) as wire:
                wire.send(request("GET", "/flood", "Accept: application/json", version=version))
                answer = wire.answer()
                assert answer.status == 502 and answer.slug == "upstream.broken"
                assert len(answer.before) <= 40

    besiege(gw, attack, served=10)


def test_a_few_informational_answers_are_passed_on(gateway, upstream, client):
    gw = gateway(everything_to(upstream(answer=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20 + http1.reply())))
    answer = client.get(gw)
    assert answer.status == 200 and [one.status for one in answer.before] == [103] * 20


def test_fields_of_a_server_beyond_the_limits(gateway, upstream, client):
    for head in (b"X: y\r\n" * 201, b"X: " + b"y" * 40000 + b"\r\n", b"X" * 40000 + b": y\r\n"):
        bad = upstream(script=speak(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 0\r\n\r\n"))
        answer = client.get(gateway(everything_to(bad, upstream="retry: { attempts: 1 }")), "/", "Accept: application/json")
        assert answer.status == 502 and answer.slug == "upstream.broken"


def test_trailers_of_a_server_never_become_headers(gateway, upstream, client):
    bad = upstream(script=speak(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk(b"x") +
                                b"0\r\nContent-Length: 99\r\nSet-Cookie: evil=1\r\nLocation: /evil\r\nTransfer-Encoding: chunked\r\nX-Sum: 1\r\n\r\n"))
    answer = client.get(gateway(everything_to(bad)), "/", "TE: trailers")
    assert b"evil" not in answer.raw and set(answer.trailers.names()) <= {"X-Sum"}


def test_a_101_to_another_protocol_than_was_asked_for(gateway, upstream, client):
    """RFC 9110 7.8: a server must not switch to what the client did not offer."""
    for taken in ("h2c", "evil", ""):
        bad = upstream(script=speak(f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {taken}\r\n\r\n".encode(), b"evil"))
        gw = gateway(everything_to(bad, upstream="retry: { attempts: 1 }"))
        with client.connect(gw) as wire:
            wire.send(request("GET", "/ws", "Accept: application/json", "Connection: Upgrade", "Upgrade: websocket", *UPGRADE))
            assert wire.answer().status == 502, taken


# Methods for the gateway itself

def test_options_of_the_server_as_a_whole_is_answered_here(gw, shop, client):
    """RFC 9110 9.3.7: the gateway is that server; what is behind it is not asked."""
    for raw in (request("OPTIONS", "*"), request("OPTIONS", "http://shop.test"), request("OPTIONS", "*", body=b"")):
        wire = client.connect(gw)
        answer = wire.ask(raw)
        assert answer.status == 204 and {"GET", "POST", "OPTIONS"} <= set(re.split(", ?", answer.headers.get("allow")))
        assert wire.ask(request("GET", "/next")).text == "/next"
    assert set(shop.targets) == {"/next"}


def test_trace_is_refused(gw, shop, client):
    """Cross-site tracing: its answer would show a script the cookies it may not read."""
    for fields in ((), ("Max-Forwards: 0",), ("Max-Forwards: 5", "Cookie: sessionid=x")):
        answer = client.ask(gw, "TRACE", "/x", *fields)
        assert answer.status == 405 and "TRACE" not in answer.headers.get("allow") and "sessionid" not in answer.text
    assert shop.requests == []


def test_max_forwards_counts_the_hops_of_options(gw, shop, client):
    """RFC 9110 7.6.2."""
    assert client.ask(gw, "OPTIONS", "/x", "Max-Forwards: 0").status == 204
    assert shop.requests == []
    for method, sent, left in (("OPTIONS", "10", "9"), ("OPTIONS", "x", "x"), ("GET", "0", "0")):
        assert client.ask(gw, method, "/x", f"Max-Forwards: {sent}").status == 200
        assert shop.requests[-1].headers.get("max-forwards") == left


def test_the_guide_names_tests_that_are_there():
    text = (ROOT / "docs/guide/hostile-input.md").read_text()
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", text))
    there = set()
    for file in (ROOT / "tests/plays").glob("test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", file.read_text(), re.M)) | {file.stem}
    assert len(named) > 60 and named <= there, named - there


def test_the_guide_has_the_allowances_of_the_source():
    rows = re.findall(r"^\tX\(\w+, (\d+), (\d+),", (ROOT / "src/http/h2_guard.h").read_text(), re.M)
    text = (ROOT / "docs/guide/hostile-input.md").read_text().partition("| At once | A second |")[2].partition("\n\n")[0]
    assert re.findall(r"\| (\d+) \| (\d+) \|$", text, re.M) == rows and len(rows) > 10
