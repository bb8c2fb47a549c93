# SPDX-License-Identifier: Apache-2.0
"""Who may do what: rules over claims, and what else goes by claims."""
import json
import time

import pytest

from actors.gateway import run_banyan
from actors.http1 import reply
from actors.shift import TOKEN, Shift, two_sides


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def text(stage, shop, jose):
    """A configuration of a policy `api` whose key is `a`, with these rows of routes."""
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))

    def write(*rows, policy="", more=""):
        lines = "\n".join(f"  - {row}" for row in rows)
        return (f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'
                f'auth: {{ api: {{ jwt: {{ jwks: keys.json, cookie: token }}{", " + policy if policy else ""} }} }}\n'
                f"routes:\n{lines}\n{more}")
    return write


def bearer(jose, **claims):
    return "Authorization: Bearer " + jose.token("a", **claims)


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


def test_only_the_owner_and_admins_come_to_a_user(gateway, client, jose, text):
    gw = gateway(text(
        '''{ name: user, match: "/users/{id}", to: shop, auth: api, allow: 'sub == path.id or "admin" in roles' }''',
        '''{ name: read, match: /read/**, to: shop, allow: 'method in ["GET", "HEAD"]' }'''))
    rows = [
        ({"sub": "7"}, "/users/7", 200),
        ({"sub": "7"}, "/users/8", 403),
        ({"sub": "7"}, "/users/%37", 200),
        ({"sub": "8", "roles": ["staff", "admin"]}, "/users/7", 200),
        ({"sub": "8", "roles": "admin"}, "/users/7", 200),
        ({"sub": "8", "roles": "administrator"}, "/users/7", 403),
        ({"sub": "a b"}, "/users/a%20b", 200),
        ({}, "/users/7", 403),
    ]
    for claims, path, status in rows:
        answer = client.get(gw, path, bearer(jose, **claims))
        assert answer.status == status, (claims, path)
        assert status == 200 or slug(answer) == "auth.denied"
    assert 'error="insufficient_scope"' in answer.headers.get("www-authenticate")
    assert client.get(gw, "/users/7").status == 401
    assert client.get(gw, "/read/x").status == 200
    assert client.post(gw, "/read/x", b"").status == 403
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="denied") == 3


def test_check_tells_mistakes_in_rules_with_their_column(stage, text):
    file = stage.folder / "bad.yaml"
    file.write_text("listen: [ '127.0.0.1:0' ]\n" + text(
        '''{ name: a, match: "/users/{id}", to: shop, auth: api, allow: 'sub == path.uid' }''',
        '''{ name: b, match: "/b/{id}", to: shop, auth: api, allow: 'sub = path.id' }''',
        '''{ name: c, match: /c, to: shop, auth: apis, allow: '"x"' }''',
        policy="allow: 'sub < \"x\"', headers: { X-Forwarded-For: sub }"))
    code, out, err = run_banyan("check", "-c", file)
    assert code == 2
    for line in ['allow: column 8: the path /users/{id} of route a has no {uid}',
                 'allow: column 5: "=" means nothing here',
                 'auth: there is no policy "apis": did you mean api?',
                 'allow: column 1: expected something that is true or false, not a text',
                 'allow: column 7: only numbers are smaller or greater, and this is a text',
                 "X-Forwarded-For: is another's header: choose a name of your own"]:
        assert line in out + err, out + err


def test_claims_stand_in_templates_and_in_the_log(gateway, shop, client, jose, text):
    gw = gateway(text(
        '{ name: me, match: /me, to: shop, auth: api, rewrite: "/users/{claim:sub}", '
        'request_headers: { set: { X-Who: "{claim:email} of {claim:org.name}" } }, '
        'response_headers: { set: { X-You: "{claim:sub}" } } }'))
    answer = client.get(gw, "/me", bearer(jose, sub="a b?c", email="a@b.test", org={"name": "acme"}))
    assert answer.status == 200
    assert answer.headers.get("x-you") == "a b?c"
    seen = shop.requests[-1]
    assert seen.target == "/users/a%20b%3Fc"
    assert ("X-Who", "a@b.test of acme") in seen.headers
    assert gw.record(path="/me")["user"] == "a b?c"
    assert client.get(gw, "/me", bearer(jose, sub="a/../b")).status == 400


def test_a_claim_with_a_line_in_it_is_no_header(gateway, shop, client, jose, text):
    gw = gateway(text('{ name: all, match: /**, to: shop, auth: api, '
                      'request_headers: { set: { X-Who: "{claim:name}" } } }', policy="headers: { X-Name: name }"))
    assert client.get(gw, "/x", bearer(jose, sub="1", name="a\r\nX-Admin: 1")).status == 200
    seen = shop.requests[-1]
    assert "X-Admin" not in [k for k, _ in seen.headers]
    assert "X-Name" not in [k for k, _ in seen.headers]


def test_nobody_passes_where_that_is_allowed_and_a_bad_token_does_not(gateway, shop, client, jose, text):
    gw = gateway(text('{ name: all, match: /**, to: shop, auth: api }', policy="optional: on, headers: { X-User: sub }"))
    assert client.get(gw, "/x", "X-User: 1").status == 200
    assert "X-User" not in [k for k, _ in shop.requests[-1].headers]
    assert client.get(gw, "/x", "Authorization: Bearer a.b.c").status == 401
    assert client.get(gw, "/x", bearer(jose, sub="7")).status == 200
    assert ("X-User", "7") in shop.requests[-1].headers
    assert client.get(gw, "/x", "Cookie: a=b; token=" + jose.token("a", sub="8")).status == 200
    assert ("X-User", "8") in shop.requests[-1].headers


def test_preflights_pass_only_when_they_may(gateway, client, text):
    ask = ["Origin: https://app.test", "Access-Control-Request-Method: POST"]
    gw = gateway(text('{ name: all, match: /**, to: shop, auth: api }'))
    assert client.ask(gw, "OPTIONS", "/x", *ask).status == 401
    gw.reload(text('{ name: all, match: /**, to: shop, auth: api }', policy="preflight: on"))
    assert client.ask(gw, "OPTIONS", "/x", *ask).status == 200
    assert client.ask(gw, "OPTIONS", "/x", ask[0]).status == 401
    assert client.get(gw, "/x", *ask).status == 401


def test_a_token_that_was_remembered_ends_when_it_ends(gateway, client, jose, text):
    gw = gateway(text('{ name: all, match: /**, to: shop, auth: api }').replace("cookie: token", "skew: 0s"))
    token = "Authorization: Bearer " + jose.token("a", sub="7", exp=int(time.time()) + 2)
    statuses = []
    while not statuses or statuses[-1] == 200:
        statuses.append(client.get(gw, "/x", token).status)
    assert statuses[0] == 200 and statuses[-1] == 401
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="known") == len(statuses) - 2


def test_programs_are_moved_by_a_claim_that_was_verified(stage, gateway, upstream, client, jose):
    old, new = upstream(answer=reply(200, b"old")), upstream(answer=reply(200, b"new"))
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    bare = two_sides(old, new, "{ sticky: claim:sub, steps: [ 50%, 100% ], judge: { hold: 1h } }")
    file = stage.folder / "bare.yaml"
    file.write_text("listen: [ '127.0.0.1:0' ]\n" + bare)
    status, out, err = run_banyan("check", "-c", file)
    assert status == 2 and "a claim must have been verified: the route has no auth" in out + err
    gw = gateway(bare.replace("shift: {", "auth: api, shift: {") + "auth: { api: { jwt: { jwks: keys.json } } }\n", token=TOKEN)
    Shift(gw).command("canary")
    tokens = [bearer(jose, sub=f"user-{n}") for n in range(24)]
    first = [client.get(gw, "/", token).text for token in tokens]
    assert set(first) == {"old", "new"}
    for n, side in enumerate(first):  # another token of the same user, and no cookie
        again = client.get(gw, "/", bearer(jose, sub=f"user-{n}", jti=str(n)))
        assert again.text == side and again.headers.get("set-cookie") is None


def test_explain_tells_who_asks_and_whether_they_may(stage, jose, text):
    file = stage.folder / "gw.yaml"
    file.write_text("listen: [ '127.0.0.1:0' ]\n" + text(
        '''{ name: user, match: "/users/{id}", to: shop, auth: api, allow: 'sub == path.id' }''', policy="headers: { X-User: sub }"))
    code, out, err = run_banyan("explain", "-c", file, "GET /users/7", "-H", bearer(jose, sub="7"))
    assert code == 0, out + err
    assert "it passes: jwt of 7" in out and "sub == path.id" in out and "X-User: 7" in out
    code, out, _ = run_banyan("explain", "-c", file, "GET /users/8", "-H", bearer(jose, sub="7"))
    assert code == 1 and "403 auth.denied" in out
    code, out, _ = run_banyan("explain", "-c", file, "GET /users/8")
    assert code == 1 and "401 auth.missing" in out
