# SPDX-License-Identifier: Apache-2.0
"""What a route does besides proxying: redirects, answers of its own, changed headers, rewritten paths, maintenance."""
import re

import pytest

from actors.h2wire import get
from actors.http1 import reply, request

JSON = "Accept: application/json"


@pytest.fixture
def shop(upstream):
    return upstream()


def routes(shop, *rows, more=""):
    """Rows of routes, and the rest to the shop."""
    lines = "\n".join(f"  - {row}" for row in rows)
    return (f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'
            f"routes:\n{lines}\n  - {{ name: rest, match: {{ path: /** }}, to: shop }}\n{more}\n")


def test_redirects_lead_where_the_template_says(gateway, shop, client):
    gw = gateway(routes(
        shop,
        '{ name: user, match: "/u/{id}", redirect: "/users/{id}" }',
        '{ name: old, match: "/old/**", redirect: { to: "https://{host}/new{rest}", status: 301, query: drop } }',
        '{ name: find, match: "/find/{what}", redirect: { to: "/search?q={what}#top", status: 303 } }',
        '{ name: host, match: { host: old.test, path: "/**" }, redirect: { to: "{scheme}://new.test{path}", status: 302 } }'))
    rows = [
        ("/u/7", "shop.test", 308, "/users/7"),
        ("/u/7?a=1&b=%20", "shop.test", 308, "/users/7?a=1&b=%20"),
        ("/u/J%C3%B6rg%3F", "shop.test", 308, "/users/J%C3%B6rg%3F"),
        ("/old", "shop.test:8443", 301, "https://shop.test/new"),
        ("/old/a/b?x", "Shop.TEST", 301, "https://shop.test/new/a/b"),
        ("/find/a&admin=1", "shop.test", 303, "/search?q=a%26admin%3D1#top"),
        ("/find/a?b", "shop.test", 303, "/search?q=a#top"),
        ("//old.test/..//x", "old.test", 302, "http://new.test/x"),
    ]
    for target, host, status, location in rows:
        answer = client.get(gw, target, host=host)
        assert (answer.status, answer.headers.get("location")) == (status, location), target
        assert answer.body == b"" and answer.headers.get("content-length") == "0" and answer.headers.get("date")
    assert shop.requests == []
    assert gw.record(path="/u/7")["route"] == "user"


@pytest.mark.parametrize("target", ["/old/%0d%0aSet-Cookie:x", "/old/a%0Ab", "/old/%2F%2Fevil.test", "/old/\\evil.test"])
def test_nothing_in_a_path_ends_a_header_or_changes_the_host(gateway, shop, client, target):
    gw = gateway(routes(shop, '{ name: old, match: "/old/**", redirect: "{rest}" }'))
    assert client.get(gw, target, JSON).status == 400


def test_a_path_that_begins_with_two_slashes_is_no_host(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: old, match: "/old/**", redirect: "{rest}" }', more="paths: { double_slash: on }"))
    assert client.get(gw, "/old//evil.test/").headers.get("location") == "/evil.test/"


def test_a_redirect_to_the_host_needs_a_host(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: old, match: "/old", redirect: "https://{host}/" }'))
    answer = client.raw(gw, b"GET /old HTTP/1.0\r\nAccept: application/json\r\n\r\n")
    assert answer.status == 400 and answer.slug == "gateway.template_host"


def test_behind_a_trusted_proxy_the_address_is_the_clients(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: old, match: "/old", redirect: "{scheme}://{host}/new" }', more="trusted_proxies: loopback"))
    told = ("X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example:443")
    assert client.get(gw, "/old", *told, host="10.0.0.1").headers.get("location") == "https://shop.example/new"


def test_an_answer_is_always_the_same(gateway, shop, client, tmp_path):
    (tmp_path / "robots.txt").write_text("User-agent: *\n")
    gw = gateway(routes(
        shop,
        '{ name: hello, match: /hello, answer: hello }',
        f'{{ name: robots, match: /robots.txt, answer: {{ file: "{tmp_path}/robots.txt" }} }}',
        '{ name: gone, match: /gone, answer: { status: 410, type: application/json, body: "{}" } }',
        '{ name: empty, match: /empty, answer: { status: 204 } }'))
    hello = client.get(gw, "/hello")
    assert (hello.status, hello.text, hello.headers.get("content-type")) == (200, "hello", "text/plain; charset=utf-8")
    assert client.get(gw, "/robots.txt").text == "User-agent: *\n"
    gone = client.get(gw, "/gone")
    assert (gone.status, gone.text, gone.headers.get("content-type")) == (410, "{}", "application/json")
    assert "etag" not in gone.headers
    empty = client.get(gw, "/empty")
    assert empty.status == 204 and "content-length" not in empty.headers and "content-type" not in empty.headers
    head = client.ask(gw, "HEAD", "/hello")
    assert head.headers.get("content-length") == "5" and head.body == b""
    assert client.post(gw, "/hello", b"x" * 100).text == "hello"
    assert re.match(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", hello.headers.get("date"))
    assert hello.headers.get("x-request-id") == gw.record(path="/hello", method="GET")["id"]
    assert shop.requests == []


def test_an_answer_that_the_client_has_is_not_sent_again(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: hello, match: /hello, answer: hello }'))
    etag = client.get(gw, "/hello").headers.get("etag")
    again = client.get(gw, "/hello", f"If-None-Match: {etag}")
    assert again.status == 304 and again.headers.get("etag") == etag and "content-type" not in again.headers
    assert client.get(gw, "/hello", 'If-None-Match: "x"').status == 200
    assert client.post(gw, "/hello", b"", f"If-None-Match: {etag}").status == 200


def test_a_kept_connection_goes_on_after_each_of_them(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: hello, match: /hello, answer: hello }', '{ name: old, match: /old, redirect: /new }',
                        '{ name: none, match: /none, answer: { status: 204 } }'))
    wire = client.connect(gw)
    statuses = [wire.ask(request("GET", target)).status for target in ("/hello", "/old", "/none", "/hello", "/x")]
    assert statuses == [200, 308, 204, 200, 200]
    assert wire.ask(request("HEAD", "/hello"), "HEAD").status == 200
    assert wire.ask(request("POST", "/old", body=b"x" * 1000)).status == 308
    assert wire.ask(request("GET", "/hello")).text == "hello"


def test_paths_are_rewritten_and_queries_stay(gateway, shop, client):
    gw = gateway(routes(
        shop,
        '{ name: user, match: "/u/{id}/o/{no}", to: shop, rewrite: "/v2/{no}-of-{id}.json" }',
        '{ name: below, match: "/api/**", to: shop, rewrite: "/old/api/{rest}" }'))
    rows = [
        ("/u/7/o/9", "/v2/9-of-7.json"), ("/u/7/o/9?x=1&y", "/v2/9-of-7.json?x=1&y"), ("/u/%41%7b/o/..b", "/v2/..b-of-A%7B.json"),
        ("/api", "/old/api/"), ("/api/", "/old/api/"), ("/api/a/../b//c?", "/old/api/b/c?"), ("/api/a%20b", "/old/api/a%20b"),
    ]
    for target, want in rows:
        assert client.get(gw, target).status == 200
        assert shop.requests[-1].target == want, target


def test_headers_of_requests_are_changed(gateway, shop, client):
    gw = gateway(routes(shop, """{ name: user, match: "/u/{id}", to: shop, request_headers: {
        set: { X-User: "{id}", X-Forwarded-Prefix: /u, Accept-Encoding: identity }, add: { X-Tag: "a {host}" }, remove: [ Cookie ] } }"""))
    client.get(gw, "/u/7%20", "X-User: evil", "x-user: twice", "Cookie: a=1", "X-Tag: first", "Accept-Encoding: br", "X-Forwarded-Prefix: /evil")
    headers = shop.requests[-1].headers
    assert headers.get("x-user") == "7%20" and headers.get("accept-encoding") == "identity"
    assert headers.all("x-tag") == ["first", "a shop.test"] and "cookie" not in headers
    assert headers.get("x-forwarded-prefix") == "/u"
    assert headers.get("x-forwarded-for") == "127.0.0.1"


def test_a_header_that_would_be_too_long_is_refused(gateway, shop, client):
    gw = gateway(routes(shop, '{ name: long, match: /long, to: shop, request_headers: { set: { X: "{query}{query}{query}" } } }'))
    answer = client.get(gw, "/long?" + "x" * 6000, JSON)
    assert answer.status == 414 and answer.slug == "gateway.template_long" and shop.requests == []


CHANGES = """response_headers: { set: { Cache-Control: "public, max-age=60", Server: shop }, add: { X-Frame-Options: DENY, Vary: X },
             remove: [ X-Powered-By ] }"""


def test_headers_of_answers_are_changed(gateway, upstream, client):
    shop = upstream(reply(200, b"ok", "Server: gunicorn", "X-Powered-By: Django", "Cache-Control: private", "cache-control: no-store"))
    gw = gateway(routes(shop, f'{{ name: all, match: "/a", to: shop, {CHANGES} }}',
                        f'{{ name: own, match: "/own", answer: hello, {CHANGES} }}',
                        f'{{ name: go, match: "/go", redirect: /there, {CHANGES} }}'))
    for target in ("/a", "/own", "/go"):
        headers = client.get(gw, target).headers
        assert headers.get("cache-control") == "public, max-age=60" and headers.get("x-frame-options") == "DENY", target
        assert headers.get("server") == "shop" and "x-powered-by" not in headers and headers.get("x-request-id")


def test_errors_take_part_in_policy_but_are_not_cached(gateway, upstream, client):
    shop = upstream()
    gw = gateway(routes(shop, f'{{ name: all, match: "/a", to: shop, {CHANGES} }}'))
    shop.stop()
    answer = client.get(gw, "/a", JSON)
    assert answer.status == 502 and answer.headers.get("cache-control") == "no-store" and "vary" not in answer.headers
    assert answer.headers.get("x-frame-options") == "DENY" and answer.headers.get("server") == "shop"


def test_maintenance_is_said_as_people_and_programs_want_it(gateway, shop, client, tmp_path):
    (tmp_path / "closed.html").write_text("<h1>Back soon</h1> {{status}} {{request_id}}")
    gw = gateway(routes(
        shop, '{ name: open, match: /open, to: shop, maintenance: off }',
        '{ name: own, match: /own, to: shop, maintenance: { status: 500, retry_after: 0, allow: [ 192.0.2.0/24 ] } }',
        more=f'maintenance: {{ html: "{tmp_path}/closed.html", retry_after: 90500ms }}'))
    answer = client.get(gw, "/x", JSON)
    assert answer.status == 503 and answer.slug == "gateway.maintenance"
    assert answer.headers.get("retry-after") == "91" and answer.headers.get("cache-control") == "no-store"
    page = client.get(gw, "/x", "Accept: text/html")
    assert page.status == 503 and page.text == f"<h1>Back soon</h1> 503 {page.headers.get('x-request-id')}"
    own = client.get(gw, "/own", JSON)
    assert own.status == 500 and own.slug == "gateway.maintenance" and "retry-after" not in own.headers
    assert shop.requests == []
    assert client.get(gw, "/open").status == 200
    record = gw.record(path="/x")
    assert (record["error"], record["route"], record["status"]) == ("gateway.maintenance", "rest", 503)


def test_those_who_repair_go_on_in_maintenance(gateway, shop, client):
    gw = gateway(routes(shop, more="maintenance: { allow: [ 192.0.2.7 ] }\ntrusted_proxies: loopback"))
    assert client.get(gw, "/", "X-Forwarded-For: 192.0.2.7").status == 200
    assert client.get(gw, "/", "X-Forwarded-For: 192.0.2.8").status == 503
    assert client.get(gw, "/").status == 503


def test_maintenance_begins_and_ends_with_a_reload(gateway, shop, client):
    text = routes(shop)
    gw = gateway(text)
    wire = client.connect(gw)
    assert wire.ask(request()).status == 200
    gw.reload(text + "maintenance: on\n")
    assert wire.ask(request()).status == 503
    gw.reload(text + "maintenance: off\n")
    assert client.get(gw, "/").status == 200


def test_over_http2_they_are_the_same(gateway, shop, h2):
    gw = gateway(routes(
        shop, '{ name: hello, match: /hello, answer: hello }', '{ name: old, match: "/old/**", redirect: "https://{host}{rest}" }',
        '{ name: none, match: /none, answer: { status: 204 } }', '{ name: closed, match: /closed, to: shop, maintenance: on }',
        more='listen: [ { address: "127.0.0.1:0", h2c: true } ]'))
    wire = h2(gw)
    hello = wire.ask(get("/hello"))
    assert (hello.status, bytes(hello.body)) == (200, b"hello")
    old = wire.ask(get("/old/x"))
    assert old.status == 308 and old.headers.get("location") == "https://shop.test/x"
    assert wire.ask(get("/none")).status == 204
    assert wire.ask(get("/closed")).status == 503
    assert wire.ask(get("/hello", method="HEAD")).headers.get("content-length") == "5"
