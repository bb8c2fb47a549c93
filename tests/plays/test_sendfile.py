# SPDX-License-Identifier: Apache-2.0
"""Files that an upstream names in X-Accel-Redirect or X-Sendfile: what the application decides, the gateway gives."""
import hashlib
import os

import pytest

from actors.h2wire import get
from actors.http1 import reply, request

JSON = "Accept: application/json"
LETTERS = bytes(range(97, 123)) * 40
LARGE = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(100000))


@pytest.fixture
def vault(tmp_path):
    """What only the application may give, and what nobody may."""
    folder = tmp_path / "vault"
    (folder / "a b").mkdir(parents=True)
    for name, content in {"letters.txt": LETTERS, "a b/\u00e4%20.pdf": b"named", "large.bin": LARGE, ".hidden": b"hidden"}.items():
        (folder / name).write_bytes(content)
        os.utime(folder / name, (1600000000, 1600000000))
    (tmp_path / "secret").write_text("secret")
    (folder / "out").symlink_to("../secret")
    (tmp_path / "vault-not").mkdir()
    (tmp_path / "vault-not/x").write_text("secret")
    (tmp_path / "link").symlink_to("vault")
    return folder


def serving(shop, vault, prefix="/protected/", more=""):
    return f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ], max_connections: 1, queue: 0 }} }}
        routes:
          - {{ name: files, match: "/files/**", to: shop, sendfile: {{ dir: "{vault}", prefix: "{prefix}" }}{more} }}
          - {{ name: rest, to: shop }}
        """


def naming(*headers, status=200, body=b""):
    """An upstream's answer: the header's value is what follows /files in the request."""
    return lambda request: reply(status, body, *[header.replace("{}", request.target.removeprefix("/files")) for header in headers])


def test_the_file_is_given_with_the_answers_headers(gateway, upstream, client, vault):
    shop = upstream(naming("X-Accel-Redirect: /protected{}", "Content-Type: application/pdf", 'Content-Disposition: attachment; filename="x.pdf"',
                           "Cache-Control: private", "Set-Cookie: a=1", "Set-Cookie: b=2", "X-Frame-Options: DENY", 'ETag: "theirs"',
                           "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "X-Accel-Buffering: no", body=b"dropped"))
    answer = client.get(gateway(serving(shop, vault)), "/files/letters.txt")
    headers = answer.headers
    assert (answer.status, answer.body) == (200, LETTERS)
    assert headers.get("content-type") == "application/pdf" and headers.get("content-disposition") == 'attachment; filename="x.pdf"'
    assert headers.get("cache-control") == "private" and headers.all("set-cookie") == ["a=1", "b=2"] and headers.get("x-frame-options") == "DENY"
    assert headers.get("etag") == f'"5f5e1000-{len(LETTERS):x}"' and headers.get("last-modified") == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert headers.get("date") == "Thu, 01 Jan 1970 00:00:00 GMT" and len(headers.all("x-request-id")) == 1
    assert not [name for name in headers.names() if name.lower().startswith(("x-accel", "x-sendfile"))]


def test_the_type_is_the_names_when_none_is_said(gateway, upstream, client, vault):
    answer = client.get(gateway(serving(upstream(naming("X-Accel-Redirect: /protected{}")), vault)), "/files/letters.txt")
    assert answer.headers.get("content-type") == "text/plain; charset=utf-8" and "x-content-type-options" not in answer.headers


@pytest.mark.parametrize("headers, status", [
    ([], 200), (["Range: bytes=0-9"], 206), (["Range: bytes=0-1,5-6"], 206), (["Range: bytes=9999-"], 416),
    ([f'If-None-Match: "5f5e1000-{len(LETTERS):x}"'], 304), (["If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT"], 304),
    (['If-Match: "x"'], 412), (["Range: bytes=0-9", 'If-Range: "x"'], 200),
], ids=str)
def test_nginx_would_answer_the_same(gateway, upstream, nginx, client, vault, headers, status):
    shop = upstream(naming("X-Accel-Redirect: /protected{}", "Content-Type: application/pdf", "Set-Cookie: a=1"))
    judge = nginx(f"location /protected/ {{ internal; alias {vault}/; if_modified_since before; }} location / {{ proxy_pass http://{shop.address}; }}")
    ours, theirs = client.get(gateway(serving(shop, vault)), "/files/letters.txt", *headers), client.get(judge, "/files/letters.txt", *headers)
    assert (ours.status, theirs.status) == (status, status)
    names = ("etag", "last-modified", "content-range") + (("content-type", "content-length", "set-cookie") if len(headers) < 2 and status in (200,) else ())
    assert [ours.headers.get(name) for name in names if status < 400] == [theirs.headers.get(name) for name in names if status < 400]
    assert status >= 400 or status == 206 or ours.body == theirs.body


@pytest.mark.parametrize("value, body", [
    ("/protected/letters.txt", LETTERS), ("/protected/a%20b/%C3%A4%2520.pdf", b"named"), ("/protected/letters.txt?x=1", LETTERS),
    ("/protected//letters.txt", LETTERS), ("/protected/.hidden", b"hidden"), ("/protected/a%20b/../letters.txt", LETTERS),
])
def test_names_are_addresses(gateway, upstream, client, vault, value, body):
    shop = upstream(naming(f"X-Accel-Redirect: {value}"))
    assert client.get(gateway(serving(shop, vault)), "/files/x").body == body


@pytest.mark.parametrize("value, status, slug", [
    ("/protected/none", 404, "gateway.no_file"), ("/protected/", 404, "gateway.no_file"), ("/protected", 404, "gateway.no_file"),
    ("/protected/a%20b", 404, "gateway.no_file"), ("/protected/../secret", 404, "gateway.no_file"), ("/protected/out", 404, "gateway.no_file"),
    ("/protected/%2e%2e/secret", 404, "gateway.no_file"), ("/other/letters.txt", 500, "gateway.sendfile"),
    ("/protectedx/letters.txt", 500, "gateway.sendfile"), ("/protected/..%2fsecret", 500, "gateway.sendfile"),
    ("/protected/letters.txt%00", 500, "gateway.sendfile"), ("@named", 500, "gateway.sendfile"), ("http://evil.test/", 500, "gateway.sendfile"),
])
def test_other_names_lead_nowhere(gateway, upstream, client, vault, value, status, slug):
    shop = upstream(naming(f"X-Accel-Redirect: {value}", body=b"secret"))
    gw = gateway(serving(shop, vault))
    answer = client.get(gw, "/files/x", JSON)
    assert (answer.status, answer.slug) == (status, slug) and b"secret" not in answer.body
    assert gw.record(path="/files/x")["error"] == slug


@pytest.mark.parametrize("value, status", [
    ("{vault}/letters.txt", 200), ("letters.txt", 200), ("{link}/letters.txt", 200), ("{vault}/a b/\u00e4%2520.pdf", 200), ("{vault}/a%20b/%C3%A4%2520.pdf", 200),
    ("{vault}//letters.txt", 200), ("{vault}", 404), ("{vault}/none", 404), ("{vault}/out", 404), ("{vault}/../secret", 404), ("../secret", 404),
    ("{vault}-not/x", 500), ("/etc/passwd", 500), ("{vault}/letters.txt%00", 404),
])
@pytest.mark.parametrize("through", ["vault", "link"])
def test_a_path_on_the_disk_counts_below_the_folder(gateway, upstream, client, vault, value, status, through):
    """Whichever of the folder's names was configured, the real one is good; its other one is, too, when it was configured."""
    if "{link}" in value and through == "vault":
        status = 500
    path = value.format(vault=vault, link=vault.parent / "link")
    shop = upstream(lambda _: reply(200, b"", "X-Sendfile: " + path.encode().decode("latin-1")))
    answer = client.get(gateway(serving(shop, vault.parent / through)), "/files/x", JSON)
    assert answer.status == status and answer.body != b"secret"
    assert status != 200 or answer.body in (LETTERS, b"named")


def test_statuses_and_methods(gateway, upstream, client, vault):
    shop = upstream(naming("X-Accel-Redirect: /protected/letters.txt", status=404))
    gw = gateway(serving(shop, vault))
    answer = client.get(gw, "/files/x", "Range: bytes=0-1")
    assert (answer.status, answer.body) == (404, LETTERS) and "accept-ranges" not in answer.headers
    shop.answer = naming("X-Accel-Redirect: /protected/letters.txt")
    head = client.ask(gw, "HEAD", "/files/x")
    assert head.status == 200 and head.headers.get("content-length") == str(len(LETTERS)) and not head.body
    post = client.post(gw, "/files/x", b"x" * 100000, "Range: bytes=0-1")
    assert (post.status, post.body) == (200, LETTERS)
    shop.answer = lambda _: reply(304, b"", "X-Accel-Redirect: /protected/letters.txt", length=False)
    assert client.get(gw, "/files/x").status == 304


def test_the_server_is_free_before_the_client_has_it_all(gateway, upstream, client, vault):
    """One connection at most, no queue: while clients read slowly others are still served over it."""
    shop = upstream(naming("X-Accel-Redirect: /protected{}", body=b"x" * 1000))
    gw = gateway(serving(shop, vault))
    slow = [client.connect(gw, receive_buffer=4096) for _ in range(5)]
    for wire in slow:
        wire.send(request("GET", "/files/large.bin"))
        assert wire.head().status == 200
        assert client.get(gw, "/files/letters.txt").body == LETTERS
    assert len(shop.connections) == 1
    for wire in slow:
        wire.reset()


def test_a_large_body_that_is_dropped_costs_the_connection_only(gateway, upstream, client, vault):
    shop = upstream(naming("X-Accel-Redirect: /protected{}", body=b"x" * (8 << 20)))
    gw = gateway(serving(shop, vault))
    for _ in range(3):
        assert client.get(gw, "/files/letters.txt").body == LETTERS


def test_while_the_request_is_still_being_sent(gateway, upstream, client, vault):
    def early(connection):
        connection.head()
        connection.send(reply(200, b"", "X-Accel-Redirect: /protected/letters.txt"))
        connection.wait_end()

    gw = gateway(serving(upstream(script=early), vault, more=", buffering: { requests: off }"))
    wire = client.connect(gw)
    wire.send(b"POST /files/x HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert wire.answer().body == LETTERS


def test_what_the_route_changes_counts_for_these_files_too(gateway, upstream, client, vault):
    shop = upstream(naming("X-Accel-Redirect: /protected{}", "Server: gunicorn"))
    more = ', response_headers: { set: { X-Content-Type-Options: nosniff }, remove: [ Server ] }'
    headers = client.get(gateway(serving(shop, vault, more=more)), "/files/letters.txt").headers
    assert headers.get("x-content-type-options") == "nosniff" and "server" not in headers


def test_other_routes_leave_the_headers_alone(gateway, upstream, client, vault):
    shop = upstream(reply(200, b"body", "X-Accel-Redirect: /protected/letters.txt", "X-Sendfile: /x", "X-Accel-Buffering: no"))
    answer = client.get(gateway(serving(shop, vault)), "/other")
    assert answer.body == b"body" and answer.headers.get("x-accel-redirect") == "/protected/letters.txt"
    assert answer.headers.get("x-sendfile") == "/x" and answer.headers.get("x-accel-buffering") == "no"


def test_over_http2(gateway, upstream, vault, h2):
    shop = upstream(naming("X-Accel-Redirect: /protected{}", "Content-Type: application/x-thing"))
    stream = h2(gateway('listen: [ { address: "127.0.0.1:0", h2c: true } ]\n' + serving(shop, vault).replace("\n        ", "\n"))).ask(get("/files/large.bin"))
    assert bytes(stream.body) == LARGE and stream.headers.get("content-type") == "application/x-thing"
