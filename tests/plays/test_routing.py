# SPDX-License-Identifier: Apache-2.0
"""Which route takes a request: the order of precedence, conditions, expressions, and `banyan explain`, which must say the
same as the gateway does."""
import json
import textwrap

import pytest

from actors.client import Client
from actors.gateway import run_banyan
from actors.h2wire import get
from actors.http1 import request

H2C = '        listen: [ { address: "127.0.0.1:0", h2c: true } ]\n'
ROUTES = [
    "{ name: all }",
    "{ name: exact, match: /users/me }",
    "{ name: exact-post, match: { path: /users/me, methods: POST } }",
    "{ name: named, match: '/users/{id}' }",
    "{ name: named-orders, match: '/users/{id}/orders' }",
    "{ name: prefix, match: /users/** }",
    "{ name: prefix-long, match: '/users/{id}/orders/**' }",
    "{ name: api, match: { path: /api/**, methods: [ GET, PUT ] } }",
    "{ name: php, match: '~ \\.php$' }",
    "{ name: php-again, match: { path: '~ \\.php$', headers: { X-Beta: '1' } } }",
    "{ name: year, match: '~ ^/(?<year>\\d{4})/(?<slug>[a-z-]+)/?$' }",
    "{ name: host, match: { host: shop.example.org, path: /only } }",
    "{ name: host-below, match: { host: '*.example.org', path: /only } }",
    "{ name: host-below-longer, match: { host: '*.shop.example.org', path: /only } }",
    "{ name: beta, match: { path: /c, headers: { X-Beta: '1' } } }",
    "{ name: beta-cookie, match: { path: /c, headers: { X-Beta: '1' }, cookies: { side: new } } }",
    "{ name: page, match: { path: /c, query: { page: { pattern: '^[0-9]+$' } } } }",
    "{ name: nobody, match: { path: /c, cookies: { session: { absent: on } }, headers: { X-Any: '*' } } }",
    "{ name: c, match: /c/** }",
]
# What is asked, and who answers.
ASKED = [
    ("/", "all"),
    ("/users/me", "exact"),
    ("POST /users/me", "exact-post"),
    ("HEAD /users/me", "exact"),
    ("/users/7", "named"),
    ("/users/%37", "named"),
    ("/users/", "prefix"),                                      # a named part is not empty
    ("/users", "prefix"),
    ("/users/7/orders", "named-orders"),
    ("/users/7/orders/9", "prefix-long"),
    ("/users/7/x", "prefix"),
    ("//users//me", "exact"),
    ("/x/../users/./me", "exact"),
    ("/api", "api"),
    ("/api/x.php", "api"),
    ("POST /api/x", "all"),
    ("POST /api/x.php", "php"),
    ("/index.php", "php"),
    ("/index.php X-Beta: 1", "php"),                            # expressions go by the file alone
    ("/2024/a-title", "year"),
    ("/2024/a-title/", "year"),
    ("/2024/A", "all"),
    ("/only", "all"),
    ("/only @shop.example.org", "host"),
    ("/only @SHOP.example.org:8080", "host"),
    ("/only @a.example.org", "host-below"),
    ("/only @a.b.example.org", "host-below"),
    ("/only @a.shop.example.org", "host-below-longer"),
    ("/only @example.org", "all"),
    ("/else @shop.example.org", "all"),                         # from host to host
    ("/c", "c"),
    ("/c X-Beta: 1", "beta"),
    ("/c x-beta: 1", "beta"),
    ("/c X-Beta: 2", "c"),
    ("/c X-Beta: 0|X-Beta: 1", "beta"),
    ("/c X-Beta: 1|Cookie: a=b; side=new", "beta-cookie"),
    ("/c X-Beta: 1|Cookie: side=old", "beta"),
    ("/c Cookie: side=new", "c"),
    ("/c?page=17", "page"),
    ("/c?page=%31", "page"),
    ("/c?page=x", "c"),
    ("/c?page=x&page=1", "page"),
    ("/c?page=1 X-Beta: 1", "beta"),                            # one condition each: the file decides
    ("/c X-Any:", "nobody"),
    ("/c X-Any: 1|Cookie: session=1", "c"),
]


def answering(routes, more=""):
    """Every route answers with its own name."""
    lines = "".join(f"          - {route[:-1].rstrip()}, answer: {route.split()[2].rstrip(',')} }}\n" for route in routes)
    return f"        routes:\n{lines}{more}"


def parsed(asked):
    words = asked.split(" ")
    method = words.pop(0) if not words[0].startswith("/") else "GET"
    target = words.pop(0)
    host = words.pop(0)[1:] if words and words[0].startswith("@") else "shop.test"
    return method, target, host, [header for header in " ".join(words).split("|") if header]


@pytest.fixture(scope="module")
def gw(long_stage):
    return long_stage.gateway(answering(ROUTES, H2C))


@pytest.fixture(scope="module")
def wire(long_stage, gw):
    return Client(long_stage).connect(gw)


@pytest.mark.parametrize("asked, name", ASKED, ids=[row[0] for row in ASKED])
def test_the_most_exact_route_takes_it(gw, wire, asked, name):
    method, target, host, headers = parsed(asked)
    answer = wire.ask(request(method, target, *headers, host=host), method)
    assert answer.status == 200 and (method == "HEAD" or answer.text == name)


@pytest.mark.parametrize("asked, name", ASKED, ids=[row[0] for row in ASKED])
def test_over_http2_as_well(long_stage, gw, asked, name):
    method, target, host, headers = parsed(asked)
    with long_stage.h2(gw) as wire:
        fields = [tuple(part.strip() for part in header.lower().split(":", 1)) for header in headers]
        crumbs = [("cookie", crumb) for key, value in fields if key == "cookie" for crumb in value.split("; ")]
        answer = wire.ask(get(target, *[pair for pair in fields if pair[0] != "cookie"], *crumbs, method=method, authority=host))
    assert answer.status == 200 and (method == "HEAD" or answer.body.decode() == name)


def explain(gw, asked):
    method, target, host, headers = parsed(asked)
    words = [word for header in headers for word in ("-H", header)]
    code, out, _ = run_banyan("explain", "-c", gw.file, "--json", "--host", host, *words, f"{method} {target}")
    return code, json.loads(out)


def test_explain_says_what_the_gateway_does(gw):
    told = {asked: explain(gw, asked) for asked, _ in ASKED}
    assert {asked: (code, story["route"]["name"]) for asked, (code, story) in told.items()} == \
        {asked: (0, name) for asked, name in ASKED}
    considered = told["/c X-Beta: 1"][1]["considered"]
    assert [(one["fate"], one["route"]) for one in considered] == \
        [("not", "beta-cookie"), ("not", "nobody"), ("taken", "beta"), ("not", "page"), ("also", "c"), ("also", "all")]
    assert all(f"{gw.file}:" in one["where"] for one in considered)


KNOWN = """
        routes:
          - { name: read, match: { path: /a, methods: GET }, answer: read }
          - { name: write, match: { path: '/{x}', methods: [ POST, PUT ] }, answer: write }
          - { name: beta, match: { path: /b, methods: PATCH, headers: { X-Beta: '1' } }, answer: beta }
          - { name: digits, match: { path: '~ ^/d/[0-9]+$', methods: DELETE }, answer: digits }
"""


def test_a_method_that_no_route_takes_on_a_known_path(gateway, client):
    gw = gateway(KNOWN)
    cases = [("DELETE", "/a", [], 405, "GET, HEAD, POST, PUT"), ("PATCH", "/b", [], 405, "POST, PUT"),
             ("GET", "/b", ["X-Beta: 1"], 405, "PATCH, POST, PUT"), ("GET", "/d/7", [], 405, "DELETE"),
             ("GET", "/d/x", [], 404, None), ("GET", "/", [], 404, None), ("HEAD", "/a", [], 200, None)]
    for method, target, headers, status, allow in cases:
        answer = client.ask(gw, method, target, *headers)
        assert (answer.status, answer.headers.get("allow")) == (status, allow), (method, target)
        if status >= 400:
            assert answer.problem["type"].endswith("gateway.method" if status == 405 else "gateway.no_route")
            code, out, err = run_banyan("explain", "-c", gw.file, f"{method} {target}",
                                        *[word for header in headers for word in ("-H", header)])
            assert code == 1 and str(status) in out and "no route takes" in err


def test_what_is_refused_before_routes_are_looked_at_is_explained_so(gw, client):
    for asked, status, slug in (("TRACE /", 405, "gateway.trace"), ("CONNECT example.org:443", 405, "gateway.connect"),
                                ("get /", 400, "http.method"), ("GET /%2F", 400, "url.encoded_slash"), ("GET /a/../..", 400, "url.above_root")):
        method, target = asked.split()
        answer = client.ask(gw, method, target)
        assert answer.status == status and answer.problem["type"].endswith(slug), asked
        code, out, _ = run_banyan("explain", "-c", gw.file, asked)
        assert code == 1 and f"{status} {slug}" in out, out
    assert client.ask(gw, "OPTIONS", "*").status == 204
    code, out, _ = run_banyan("explain", "-c", gw.file, "OPTIONS *")
    assert code == 1 and "204, the gateway answers it itself" in out


def test_what_was_routed_by_goes_upstream(gateway, upstream, client):
    """The canonical path is what the expression saw; parts of it make the new one."""
    up = upstream()
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: "{up.address}" }} }}
        routes:
          - {{ name: all, to: shop }}
          - {{ name: year, match: '~ ^/(?<year>\\d{{4}})/([a-z]+)$', rewrite: '/blog/{{2}}/{{year}}', to: shop }}
          - {{ name: admin, match: '~ ^/admin', answer: no }}
    """)
    assert client.get(gw, "/x/..//%32024/abc?q=1").status == 200
    assert up.targets == ["/blog/abc/2024?q=1"]
    assert [client.get(gw, path).text for path in ("/%61dmin/x", "//admin", "/x/../admin")] == ["no"] * 3
    code, out, _ = run_banyan("explain", "-c", gw.file, "/x/..//%32024/abc?q=1")
    assert code == 0 and "GET /blog/abc/2024?q=1" in out and "{year} = 2024" in out


def test_an_expression_without_end_is_given_up_and_counted(gateway, client):
    gw = gateway("""
        routes:
          - { name: all, answer: all }
          - { name: evil, match: '~ ^/(a+)+$', answer: evil }
          - { name: evil-header, match: { path: /h, headers: { X-A: { pattern: '^(a|a)*$' } } }, answer: evil }
          - { name: good, match: '~ ^/b+$', answer: good }
    """)
    assert client.get(gw, "/aaa").text == "evil"
    assert client.get(gw, "/h", "X-A: aaa").text == "evil"
    assert gw.metric("banyan_route_expression_limits_total") == 0
    assert client.get(gw, "/" + "a" * 4000 + "b").text == "all"
    assert client.get(gw, "/h", "X-A: " + "a" * 4000 + "b").text == "all"
    assert gw.metric("banyan_route_expression_limits_total") == 2
    assert "(a+)+" in gw.stderr
    assert client.get(gw, "/bbb").text == "good"


def test_a_reload_brings_other_expressions(gateway, client):
    def routes(word):
        return answering(["{ name: all }", f"{{ name: {word}, match: '~ ^/{word}/(\\d+)$' }}"])
    gw = gateway(routes("one"))
    wire = client.connect(gw)
    assert [wire.ask(request("GET", f"/{word}/7")).text for word in ("one", "two")] == ["one", "all"]
    gw.reload(routes("two"))
    assert [wire.ask(request("GET", f"/{word}/7")).text for word in ("one", "two")] == ["all", "two"]
    gw.reload("routes: [ { name: bad, match: '~ (', answer: x } ]", good=False)
    assert "missing closing parenthesis" in gw.stderr
    assert wire.ask(request("GET", "/two/7")).text == "two"


def test_routes_that_can_never_be_taken_are_a_warning(tmp_path):
    (tmp_path / "banyan.yaml").write_text(textwrap.dedent("        listen: [ ':1' ]\n" + answering([
        "{ name: all }", "{ name: again }", "{ name: api, match: /api/** }", "{ name: number, match: '~ ^/api/[0-9]+$' }",
        "{ name: any, match: { path: /x, headers: { A: '*' } } }", "{ name: some, match: { path: /x, headers: { a: '1' } } }",
    ])))
    code, out, _ = run_banyan("check", "-c", "banyan.yaml", cwd=tmp_path)
    assert code == 0 and "is in order" in out
    for never, by in (("again", "all"), ("number", "api"), ("some", "any")):
        assert f"route {never} can never be taken: {by} takes all that it could (a warning)" in out
    assert out.count("a warning") == 3


def test_ten_thousand_routes(gateway, client):
    forms = [("/exact/section-{n}/page", "/exact/section-{n}/page"), ("/prefix-{n}/**", "/prefix-{n}/a/b"),
             ("/{{any}}/named-{n}/{{id}}", "/x/named-{n}/7"), ("~ ^/expr/(\\d+)/item-{n}$", "/expr/17/item-{n}")]
    count = 10000
    gw = gateway(answering([f"{{ name: r{n}, match: '{forms[n % 4][0].format(n=n)}' }}" for n in range(count)]))
    wire = client.connect(gw)
    for n in range(0, count, 331):
        assert wire.ask(request("GET", forms[n % 4][1].format(n=n))).text == f"r{n}"
    assert wire.ask(request("GET", "/expr/17/item-none")).status == 404
    assert wire.ask(request("PUT", "/exact/section-7/none")).status == 404
