# SPDX-License-Identifier: Apache-2.0
"""The classes of request smuggling by their names: one request in is one request out, or none."""
import pytest

from actors import http1
from actors.gateway import everything_to
from actors.http1 import chunk

GET_ADMIN = b"GET /admin HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def post(headers, body, target=b"/"):
    return b"POST " + target + b" HTTP/1.1\r\nHost: shop.test\r\n" + headers + b"\r\n" + body


@pytest.fixture
def shop(upstream):
    return upstream(answer=lambda request: http1.reply(200, request.target.encode()))


@pytest.fixture
def gw(gateway, shop):
    return gateway(everything_to(shop))


def refused(gw, shop, client, raw):
    """One refusal, then the end; nothing at the server."""
    wire = client.connect(gw)
    wire.send(raw)
    assert wire.answer().status in (400, 501)
    assert wire.is_closed()
    assert shop.requests == []


def test_cl_te(gw, shop, client):
    body = b"0\r\n\r\n" + GET_ADMIN
    refused(gw, shop, client, post(b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body), body))


def test_te_cl(gw, shop, client):
    refused(gw, shop, client, post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunk(GET_ADMIN) + b"0\r\n\r\n"))


@pytest.mark.parametrize("line", [
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    b" Transfer-Encoding: chunked", b"X: x\nTransfer-Encoding: chunked",
    b"Transfer-Encoding\n: chunked", b"Transfer-Encoding: \x0bchunked", b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunked\r\n\tx",
    b"Transfer-\x00Encoding: chunked", b"Transfer-Encoding: identity, chunked", b"X: x\rTransfer-Encoding: chunked",
], ids=repr)
def test_te_te(gw, shop, client, line):
    refused(gw, shop, client, post(line + b"\r\nContent-Length: 4\r\n", chunk(GET_ADMIN) + b"0\r\n\r\n"))


def test_cl_0_a_get_with_a_body_is_one_request(gw, shop, client):
    wire = client.connect(gw)
    wire.send(b"GET /first HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\n" % len(GET_ADMIN) + GET_ADMIN)
    assert wire.answer().text == "/first"
    assert wire.ask(http1.request(target="/second")).text == "/second"
    assert shop.targets == ["/first", "/second"] and shop.requests[0].body == GET_ADMIN


def test_0_cl_the_body_that_expect_held_back_is_no_second_request(gw, shop, client):
    wire = client.connect(gw)
    wire.send(post(b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(GET_ADMIN), GET_ADMIN, b"/first"))
    assert wire.answer().text == "/first"
    assert wire.ask(http1.request(target="/second")).text == "/second"
    assert shop.targets == ["/first", "/second"]


def test_0_cl_an_expectation_that_is_refused_takes_the_body_with_it(gateway, shop, client):
    gw = gateway(everything_to(shop, more="limits: { body: 10 }"))
    wire = client.connect(gw)
    wire.send(post(b"Expect: 100-continue\r\nContent-Length: %d\r\n" % len(GET_ADMIN), GET_ADMIN))
    assert wire.answer().status == 413
    assert wire.is_closed()
    assert shop.requests == []


def test_0_cl_a_refused_request_with_a_body_is_no_second_request(gateway, shop, client):
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes: [ {{ name: admin, match: {{ path: /admin }}, to: shop }} ]
    """)
    wire = client.connect(gw)
    wire.send(post(b"Content-Length: %d\r\n" % len(GET_ADMIN), GET_ADMIN, b"/nowhere"))
    assert wire.answer().status == 404
    wire.half_close()
    assert wire.is_closed()
    assert shop.requests == []


@pytest.mark.parametrize("body", [
    b"2;\nxx\r\n" + chunk(GET_ADMIN) + b"0\r\n\r\n", b"5\r;x\r\nhello\r\n0\r\n\r\n", b"1;a=\rb\r\nx\r\n0\r\n\r\n",
    b"2\r\nxx\n" + chunk(GET_ADMIN) + b"0\r\n\r\n", b"0\r\nX: y\n\r\n" + GET_ADMIN, b'2;"\r\nxx\r\n0\r\n\r\n',
], ids=repr)
def test_term_ext_and_ext_term(gw, shop, client, body):
    wire = client.connect(gw)
    wire.send(post(b"Transfer-Encoding: chunked\r\n", body))
    first = wire.answer()
    assert first.status == 400 or first.text == "/"
    assert "/admin" not in shop.targets


def test_a_chunk_extension_cannot_carry_a_request(gw, shop, client):
    wire = client.connect(gw)
    wire.send(post(b"Transfer-Encoding: chunked\r\n", b"5;x=GET /admin HTTP/1.1\r\nhello\r\n0\r\n\r\n"))
    assert wire.answer().status in (200, 400)
    assert "/admin" not in shop.targets
    for request in shop.requests:
        assert request.body == b"hello" and b"admin" not in request.raw


def test_trailers_never_become_headers(gw, shop, client):
    client.raw(gw, post(b"Transfer-Encoding: chunked\r\n", chunk(b"x") + b"0\r\nHost: evil.test\r\nContent-Length: 99\r\n"
                        b"Transfer-Encoding: chunked\r\nAuthorization: evil\r\nX-Forwarded-For: 6.6.6.6\r\nCookie: evil=1\r\n\r\n"))
    seen = shop.requests[-1]
    assert "evil" not in seen.raw.decode() and "6.6.6.6" not in seen.raw.decode()
    assert not {"host", "content-length", "transfer-encoding", "authorization", "cookie"} & {name.lower() for name in seen.trailers.names()}


def test_a_pipeline_is_answered_in_order_and_one_by_one(gw, shop, client):
    wire = client.connect(gw)
    targets = [f"/{number}" for number in range(30)]
    answers = wire.pipeline(*(http1.request("POST", target, body=target.encode() * 50) for target in targets))
    assert [answer.text for answer in answers] == targets == shop.targets


def test_what_follows_a_connection_close_is_not_read(gw, shop, client):
    wire = client.connect(gw)
    wire.send(http1.request("GET", "/last", "Connection: close") + GET_ADMIN)
    assert wire.answer().text == "/last"
    assert wire.is_closed()
    assert shop.targets == ["/last"]


def test_an_answer_to_the_first_request_is_never_given_to_a_second_client(gateway, upstream, client):
    """The client leaves, the server answers late: its connection must not serve anyone else."""
    slow = upstream(answer=lambda request: http1.reply(200, request.target.encode()), hold=True)
    gw = gateway(everything_to(slow))
    with client.pending(gw, "/theirs", slow) as wire:
        wire.reset()
    slow.release()
    assert client.get(gw, "/mine").text == "/mine"


def test_no_bytes_are_tunnelled_before_the_101(gateway, upstream, client):
    def refuse(connection):
        while connection.request():
            connection.send(http1.reply(200, b"no"))

    plain = upstream(script=refuse)
    gw = gateway(everything_to(plain))
    wire = client.connect(gw)
    wire.send(b"GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" + GET_ADMIN.replace(b"shop.test", b"x\nx"))
    assert wire.answer().text == "no"
    try:
        assert wire.answer().status == 400
    except http1.Closed:
        pass
    assert plain.targets == ["/ws"]


def test_h2c_is_never_offered_to_the_server(gw, shop, client):
    answer = client.get(gw, "/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    assert answer.status == 200
    assert "upgrade" not in shop.requests[-1].headers and "http2-settings" not in shop.requests[-1].headers
