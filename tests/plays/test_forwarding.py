# SPDX-License-Identifier: Apache-2.0
"""What a request looks like when it comes out on the other side."""
import re

import pytest

from actors import http1
from actors.gateway import everything_to
from actors.h2wire import get as h2_get

UUID_LIKE = re.compile(r"[0-9A-Za-z-]{16,64}\Z")
OURS = {"host", "via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port",
        "x-real-ip", "x-request-id", "traceparent", "connection", "content-length", "transfer-encoding"}


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def gw(gateway, shop):
    return gateway(everything_to(shop))


def of_the_client(request):
    """The headers that are not the gateway's business."""
    return [(name, value) for name, value in request.headers if name.lower() not in OURS]


def test_method_target_and_version_go_on_as_they_came(gw, shop, client):
    for method, target in (("GET", "/a/b?c=d&e=%20f"), ("PATCH", "/"), ("PROPFIND", "/x"), ("DELETE", "/a%2Bb?"), ("OPTIONS", "/o?a?b")):
        client.ask(gw, method, target)
        assert (shop.requests[-1].method, shop.requests[-1].target) == (method, target)
        assert shop.requests[-1].version == "HTTP/1.1"


def test_headers_keep_their_order_and_their_case(gw, shop, client):
    sent = [("X-zebra", "1"), ("accept", "a/b"), ("X-Apple", "two  words"), ("x-APPLE", "again"), ("Cookie", "a=1; b=2"), ("Z", "")]
    client.get(gw, "/", *(f"{name}: {value}" for name, value in sent))
    assert of_the_client(shop.requests[-1]) == sent


ODD = [f"{'x' if n % 3 else 'X'}-{'aBcDeF'[n % 6]}{'_'.join('qQ') if n % 10 == 7 else ''}{n:02}{'-Z' * (n % 4)}" for n in range(40)]


def test_forty_odd_fields_come_out_byte_for_byte(gateway, upstream, client):
    """Between the request line and the gateway's own fields nothing is changed but the blanks around values."""
    up = upstream()
    gw = gateway(everything_to(up))
    lines = [f"{name}:{' ' * (n % 3)}{name * (n % 5)}" for n, name in enumerate(name for name in ODD if "_" not in name)]
    lines += ["ACCEPT-encoding: Identity", "uSeR-aGeNt: Odd/1", "cookie: A=b; c=D", "aUTHORIZATION: x", "CONTENT-TYPE: a/B"]
    client.get(gw, "/", *lines)
    want = "".join(f"{name}: {value.strip()}\r\n" for name, value in (line.split(":", 1) for line in lines))
    assert f"\r\n{want}" in up.requests[-1].raw.decode()


def test_names_of_http2_stay_lower(gateway, upstream, h2):
    up = upstream()
    gw = gateway(everything_to(up, more='listen: [ { address: "127.0.0.1:0", h2c: on } ]'))
    names = [name.lower() for name in ODD if "_" not in name] + ["accept-encoding", "user-agent", "authorization"]
    h2(gw).ask(h2_get("/", *((name, name.upper()) for name in names)))
    assert of_the_client(up.requests[-1]) == [(name, name.upper()) for name in names]


def test_the_answers_headers_keep_their_order_and_their_case(gw, shop, client):
    sent = [("Content-TYPE", "text/x"), ("x-b", "2"), ("X-A", "1"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2")]
    shop.answer = http1.reply(203, b"x", *(f"{name}: {value}" for name, value in sent), reason="As You Like It")
    answer = client.get(gw)
    assert (answer.status, answer.reason) == (203, "As You Like It")
    assert [pair for pair in answer.headers if pair in sent] == sent


def test_the_host_is_the_one_the_client_asked_for(gw, shop, client):
    client.get(gw, "/", host="Shop.Example:8443")
    assert shop.requests[-1].headers.get("host") == "Shop.Example:8443"


def test_the_host_can_be_the_servers_own(gateway, shop, client):
    gw = gateway(everything_to(shop, upstream="host_header: server"))
    client.get(gw, "/", host="shop.example")
    assert shop.requests[-1].headers.get("host") == shop.address


@pytest.mark.parametrize("name, value", [
    ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"), ("Upgrade", "h2c"), ("TE", "gzip"),
    ("Proxy-Authorization", "Basic eA=="), ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
])
def test_hop_by_hop_headers_end_here(gw, shop, client, name, value):
    connection = "Connection: Upgrade, HTTP2-Settings" if name in ("Upgrade", "HTTP2-Settings") else "X-Y: z"
    client.get(gw, "/", f"{name}: {value}", connection)
    assert name not in shop.requests[-1].headers


def test_te_trailers_may_go_on(gw, shop, client):
    client.get(gw, "/", "TE: trailers", "Connection: TE")
    assert shop.requests[-1].headers.get("te", "trailers") == "trailers"


def test_what_connection_lists_is_removed(gw, shop, client):
    client.get(gw, "/", "Connection: close, X-Secret-Hop", "X-Secret-Hop: 1", "X-Stays: 2")
    assert "x-secret-hop" not in shop.requests[-1].headers
    assert shop.requests[-1].headers.get("x-stays") == "2"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Authorization", "Host", "Cookie",
                                  "X-Request-Id", "X-Real-Ip"])
def test_connection_never_removes_what_others_trust(gw, shop, client, name):
    own = [f"{name}: mine"] if name in ("Authorization", "Cookie") else []
    answer = client.get(gw, "/", f"Connection: close, {name}", *own)
    assert answer.status == 400 or name in shop.requests[-1].headers or name == "X-Real-Ip"


def test_forwarded_headers_are_rebuilt_not_believed(gw, shop, client):
    client.get(gw, "/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 1",
               "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6", host="shop.test:81")
    headers = shop.requests[-1].headers
    assert headers.get("x-forwarded-for") == "127.0.0.1"
    assert headers.get("x-forwarded-proto") == "http"
    assert headers.get("x-forwarded-host") == "shop.test:81"
    assert "6.6.6.6" not in shop.requests[-1].raw.decode() and "evil" not in shop.requests[-1].raw.decode()


def test_a_trusted_proxy_in_front_is_believed(gateway, shop, client):
    gw = gateway(everything_to(shop, more='trusted_proxies: [ "127.0.0.0/8" ]'))
    client.get(gw, "/", "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example")
    headers = shop.requests[-1].headers
    assert re.fullmatch(r"198\.51\.100\.7(, ?127\.0\.0\.1)?", headers.get("x-forwarded-for"))
    assert headers.get("x-forwarded-proto") == "https" and headers.get("x-forwarded-host") == "www.example"
    assert gw.record()["client"] == "198.51.100.7"


def test_a_trusted_proxy_that_says_forwarded_is_believed(gateway, shop, client):
    gw = gateway(everything_to(shop, more='trusted_proxies: [ "127.0.0.0/8" ]'))
    client.get(gw, "/", 'Forwarded: for=6.6.6.6, for="[2001:db8::7]:4711";proto=https;host=www.example, for=127.0.0.9')
    headers = shop.requests[-1].headers
    assert headers.get("x-forwarded-for") == "6.6.6.6, 2001:db8::7, 127.0.0.9, 127.0.0.1"
    assert (headers.get("x-forwarded-proto"), headers.get("x-forwarded-host")) == ("https", "www.example")
    assert headers.get("x-real-ip") == "2001:db8::7" == gw.record()["client"]


@pytest.mark.parametrize("form, names", [
    ("x_forwarded", {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip"}),
    ("rfc7239", {"forwarded"}),
    ("both", {"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-real-ip"}),
])
def test_servers_are_told_in_the_form_they_know(gateway, shop, client, form, names):
    gw = gateway(everything_to(shop, more=f"forwarded: {form}"))
    client.get(gw, "/", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6", host="shop.test:81")
    headers = shop.requests[-1].headers
    assert {name.lower() for name in headers.names() if "forwarded" in name.lower() or name.lower() == "x-real-ip"} == names
    if "forwarded" in names:
        assert headers.get("forwarded") == 'for=127.0.0.1;host="shop.test:81";proto=http'
    assert "6.6.6.6" not in shop.requests[-1].raw.decode()


@pytest.mark.parametrize("alias", ["X_Forwarded_For: 6.6.6.6", "X-Forwarded_Proto: https", "X_Request_Id: forged"])
def test_no_alias_with_an_underscore_reaches_a_python_server(gateway, gunicorn, client, alias):
    gw = gateway(everything_to(gunicorn()))
    answer = client.get(gw, "/", alias)
    assert answer.status == 400 or alias.split(": ")[1] not in answer.text


def test_a_request_id_is_made_sent_on_answered_and_logged(gw, shop, client):
    answer = client.get(gw, "/id")
    made = shop.requests[-1].headers.get("x-request-id")
    assert UUID_LIKE.match(made)
    assert answer.headers.get("x-request-id") == made
    assert gw.record(path="/id")["id"] == made


def test_a_request_id_of_a_stranger_is_replaced(gw, shop, client):
    client.get(gw, "/", "X-Request-Id: forged")
    assert shop.requests[-1].headers.get("x-request-id") != "forged"


def test_a_request_id_is_kept_where_the_configuration_trusts_it(gateway, shop, client):
    gw = gateway(everything_to(shop, more="request_id: { trust: always }"))
    answer = client.get(gw, "/", "X-Request-Id: order-17.a")
    assert shop.requests[-1].headers.get("x-request-id") == "order-17.a" == answer.headers.get("x-request-id")


def test_request_ids_differ(gw, shop, client):
    wire = client.connect(gw)
    wire.pipeline(*[http1.request()] * 20)
    assert len({request.headers.get("x-request-id") for request in shop.requests}) == 20


def test_via_is_added_to_what_was_there(gw, shop, client):
    client.get(gw, "/", "Via: 1.0 fred")
    assert re.match(r"1\.0 fred, ?1\.1 \S+", ", ".join(shop.requests[-1].headers.all("via")))


def test_strip_prefix_takes_it_off_the_path_only(gateway, shop, client):
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes:
          - {{ name: api, match: {{ path: /api/** }}, to: shop, strip_prefix: /api }}
          - {{ name: rest, match: {{ path: /** }}, to: shop }}
    """)
    for target, seen in (("/api/users?x=/api", "/users?x=/api"), ("/api", "/"), ("/api/", "/"), ("/apis", "/apis")):
        client.get(gw, target)
        assert shop.targets[-1] == seen


@pytest.mark.parametrize("target", ["/public/..;/admin", "/a%2fb", "/a\\b", "/%00", "/a/%c0%af", "/../../etc"])
def test_a_path_that_could_be_read_two_ways_is_refused(gw, shop, client, target):
    answer = client.get(gw, target)
    assert answer.status in (400, 404), answer.raw
    assert shop.requests == []


def test_dot_segments_never_cross_from_one_route_into_another(gateway, upstream, client):
    public, admin = upstream(), upstream()
    gw = gateway(f"""
        upstreams: {{ public: {{ servers: [ "{public.address}" ] }}, admin: {{ servers: [ "{admin.address}" ] }} }}
        routes:
          - {{ name: admin, match: {{ path: /admin/** }}, to: admin }}
          - {{ name: public, match: {{ path: /public/** }}, to: public }}
    """)
    for target in ("/public/../admin/x", "/public/%2e%2e/admin/x", "//admin/x", "/public/./../admin", "/%61dmin/x"):
        client.get(gw, target)
    assert not [seen for seen in public.targets if "admin" in seen]
    assert all("public" not in seen for seen in admin.targets)


def test_hosts_and_paths_and_methods_choose_the_route(gateway, upstream, client):
    ups = {name: upstream(answer=http1.reply(200, name.encode())) for name in ("exact", "wild", "part", "post", "rest")}
    gw = gateway(f"""
        upstreams: {{ {", ".join(f'{name}: {{ servers: [ "{up.address}" ] }}' for name, up in ups.items())} }}
        routes:
          - {{ name: rest, match: {{ path: /** }}, to: rest }}
          - {{ name: wild, match: {{ host: "*.shop.test", path: /** }}, to: wild }}
          - {{ name: exact, match: {{ host: www.shop.test, path: /** }}, to: exact }}
          - {{ name: part, match: {{ path: "/users/{{id}}" }}, to: part }}
          - {{ name: post, match: {{ path: /users/**, methods: [ POST ] }}, to: post }}
    """)
    for host, method, target, name in (
            ("www.shop.test", "GET", "/", "exact"), ("WWW.SHOP.TEST:8080", "GET", "/users/7", "exact"), ("a.shop.test", "GET", "/", "wild"),
            ("a.b.shop.test", "GET", "/", "wild"), ("shop.test", "GET", "/", "rest"), ("x", "GET", "/users/7", "part"),
            ("x", "POST", "/users/7/orders", "post"), ("x", "GET", "/users/7/orders", "rest"), ("x", "GET", "/users", "rest")):
        assert client.ask(gw, method, target, host=host).text == name, (host, method, target)


def test_a_wsgi_server_sees_one_clean_request(gateway, gunicorn, client):
    gw = gateway(everything_to(gunicorn()))
    seen = client.post(gw, "/a%20b/c?d=e", b"x=1", "Content-Type: application/x-www-form-urlencoded", "X-One: 1").json
    environ = seen["environ"]
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"]) == ("POST", "/a b/c", "d=e")
    assert environ["HTTP_X_FORWARDED_FOR"] == "127.0.0.1" and environ["HTTP_HOST"] == "shop.test"
    assert seen["body_bytes"] == 3 and environ["CONTENT_LENGTH"] == "3"
