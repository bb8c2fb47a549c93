# SPDX-License-Identifier: Apache-2.0
"""Tokens at the gateway: what npm's jose signs is taken, and nothing else is."""
import base64
import json
import time

import pytest

from actors.http1 import reply
from actors.waiting import until

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@pytest.fixture
def shop(upstream):
    return upstream()


def policy(jwks, jwt="", more="", route=""):
    return (f'auth: {{ api: {{ jwt: {{ issuer: "https://id.test", jwks: "{jwks}", audience: shop{", " + jwt if jwt else ""} }}'
            f'{", " + more if more else ""} }} }}\n'
            f"routes:\n"
            f"  - {{ name: api, match: /api/**, to: shop, auth: api{', ' + route if route else ''} }}\n"
            f"  - {{ name: open, match: /**, to: shop }}\n")


def servers(shop):
    return f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'


def claims(**more):
    return {"iss": "https://id.test", "aud": "shop", "sub": "7", **more}


def bearer(token, word="Bearer"):
    return f"Authorization: {word} {token}"


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


def test_what_jose_signs_is_taken_whatever_the_algorithm(stage, gateway, shop, client, jose):
    keys = [jose.key(alg, alg.lower()) for alg in ALGORITHMS]
    (stage.folder / "keys.json").write_text(json.dumps({"keys": keys}))
    gw = gateway(servers(shop) + policy("keys.json"))
    for alg in ALGORITHMS:
        token = jose.token(alg.lower(), **claims())
        assert client.get(gw, "/api/x", bearer(token)).status == 200, alg
        assert client.get(gw, "/api/x", bearer(token)).status == 200, alg  # from memory
        head, body, signature = token.split(".")
        broken = signature[:-8] + ("AAAAAAAA" if signature[-8:] != "AAAAAAAA" else "BBBBBBBB")
        answer = client.get(gw, "/api/x", bearer(f"{head}.{body}.{broken}"))
        assert (answer.status, slug(answer)) == (401, "jws.signature"), alg
    many = len(ALGORITHMS)
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="verified") == many
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="known") == many
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="refused") == many
    assert gw.metric("banyan_auth_cached", policy="api") == many
    assert gw.metric("banyan_auth_keys", policy="api") == many
    assert client.get(gw, "/other").status == 200


def test_without_a_token_the_answer_says_what_is_wanted(stage, gateway, shop, client, jose):
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    gw = gateway(servers(shop) + policy("keys.json", jwt="scheme: [Bearer, Token], scopes: [orders, read]"))
    answer = client.get(gw, "/api/x")
    assert (answer.status, slug(answer)) == (401, "auth.missing")
    assert answer.headers.get("www-authenticate") == 'Bearer realm="api", Token realm="api"'
    assert answer.headers.get("content-type") == "application/problem+json"
    assert answer.problem["request_id"]
    answer = client.get(gw, "/api/x", "Authorization: Basic YTpi")
    assert (answer.status, slug(answer)) == (401, "auth.missing")
    answer = client.get(gw, "/api/x", bearer("a.b"))
    assert answer.status == 401
    assert 'error="invalid_token", error_description="the token is not three parts of base64url"' in \
        answer.headers.get("www-authenticate")
    answer = client.get(gw, "/api/x", bearer(jose.token("a", **claims(scope="read write"))))
    assert (answer.status, slug(answer)) == (403, "auth.scope")
    assert 'error="insufficient_scope"' in answer.headers.get("www-authenticate")
    assert 'scope="orders read"' in answer.headers.get("www-authenticate")
    assert client.get(gw, "/api/x", bearer(jose.token("a", **claims(scope="read orders")), "token")).status == 200
    assert shop.requests[-1].target == "/api/x" and len(shop.requests) == 1


def test_claims_must_be_for_us_and_for_now(stage, gateway, shop, client, jose):
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [jose.key("EdDSA", "a")]}))
    gw = gateway(servers(shop) + policy("keys.json", jwt="require: [email], skew: 5s, typ: at+jwt"))
    now = int(time.time())
    good = claims(email="a@b.test")
    rows = [
        ({}, {"typ": "at+jwt"}, 200, None),
        ({}, {"typ": "application/AT+JWT"}, 200, None),
        ({"aud": ["x", "shop"]}, {"typ": "at+jwt"}, 200, None),
        ({"exp": now - 3}, {"typ": "at+jwt"}, 200, None),
        ({"exp": now - 60}, {"typ": "at+jwt"}, 401, "jwt.expired"),
        ({"exp": None}, {"typ": "at+jwt"}, 401, "jwt.claim"),
        ({"nbf": now + 60}, {"typ": "at+jwt"}, 401, "jwt.early"),
        ({"iss": "https://id.test/"}, {"typ": "at+jwt"}, 401, "jwt.issuer"),
        ({"iss": None}, {"typ": "at+jwt"}, 401, "jwt.issuer"),
        ({"aud": "other"}, {"typ": "at+jwt"}, 401, "jwt.audience"),
        ({"email": None}, {"typ": "at+jwt"}, 401, "jwt.claim"),
        ({}, {"typ": "JWT"}, 401, "jws.header"),
        ({}, {}, 401, "jws.header"),
    ]
    for change, header, status, why in rows:
        answer = client.get(gw, "/api/x", bearer(jose.token("a", header, **{**good, **change})))
        assert answer.status == status, (change, header, answer.body)
        assert why is None or slug(answer) == why, (change, header)


def test_a_token_cannot_bring_its_key_or_choose_its_algorithm(stage, gateway, shop, client, jose):
    mine, theirs = jose.key("RS256", "a"), jose.key("RS256", "evil")
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [mine]}))
    gw = gateway(servers(shop) + policy("keys.json"))
    jose.ask("secret", alg="HS256", kid="a2", text=json.dumps(mine))
    rows = [
        jose.token("evil", **claims()),
        jose.token("evil", {"kid": "a"}, **claims()),
        jose.token("evil", {"kid": "a", "jwk": theirs}, **claims()),
        jose.token("evil", {"kid": "a", "jku": "https://evil.test/keys"}, **claims()),
        jose.token("a", {"x5u": "https://evil.test/cert"}, **claims()),
        jose.token("a2", {"kid": "a"}, **claims()),
    ]

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    far = claims(exp=4102444800)
    rows += [f"{part({'alg': 'none'})}.{part(far)}.", f"{part({'alg': 'none', 'kid': 'a'})}.{part(far)}.AAAA"]
    good = jose.token("a", **claims())
    head, body, signature = good.split(".")
    rows += [good + ".", good + "=", f"{head}.{body}.", f"{head}..{signature}", good + "A" * 9000, good[:-1]]
    for token in rows:
        answer = client.get(gw, "/api/x", bearer(token))
        assert answer.status == 401, token
    assert shop.requests == []
    answer = client.get(gw, "/api/x", bearer(good), bearer(good))
    assert (answer.status, slug(answer)) == (401, "auth.twice")
    assert client.get(gw, "/api/x", bearer(good)).status == 200


def test_a_secret_is_for_hs_alone(gateway, shop, client, jose):
    secret = "0123456789abcdef0123456789abcdef"
    text = policy("x").replace('jwks: "x"', 'secret: "${JWT_SECRET}"')
    gw = gateway(servers(shop) + text, env={"JWT_SECRET": secret})
    jose.ask("secret", alg="HS256", kid="s", text=secret)
    jose.ask("secret", alg="HS256", kid="t", text=secret[::-1])
    assert client.get(gw, "/api/x", bearer(jose.token("s", **claims()))).status == 200
    assert client.get(gw, "/api/x", bearer(jose.token("t", **claims()))).status == 401


def test_servers_hear_who_came_from_nobody_but_the_gateway(stage, gateway, shop, client, jose):
    (stage.folder / "keys.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    gw = gateway(servers(shop) + policy(
        "keys.json", more="keep: off, headers: { X-User-Id: sub, X-Roles: realm.roles, X-Admin: admin }"))
    token = jose.token("a", **claims(realm={"roles": ["a", "b"]}))
    client.get(gw, "/api/x", bearer(token), "X-User-Id: 1", "x-user-id: 2", "X-USER-ID: 3", "X-Admin: true", "X-Other: 5")
    client.get(gw, "/open", "X-User-Id: 1", "x-USER-id: 2", "X-Other: 5")
    first, second = shop.requests
    assert [v for k, v in first.headers if k.lower() == "x-user-id"] == ["7"]
    assert [v for k, v in first.headers if k.lower() == "x-roles"] == ["a,b"]
    assert not [v for k, v in first.headers if k.lower() in ("x-admin", "authorization")]
    assert [v for k, v in first.headers if k.lower() == "x-other"] == ["5"]
    assert not [v for k, v in second.headers if k.lower().startswith("x-user")]


# --- keys at an address ---


def test_keys_are_fetched_and_new_ones_too(gateway, shop, client, jose, issuer):
    id_ = issuer(jose.key("ES256", "a"))
    gw = gateway(servers(shop) + policy(id_.url, jwt="refetch: 1h"))
    assert client.get(gw, "/api/x", bearer(jose.token("a", **claims()))).status == 200
    id_.keys.append(jose.key("ES256", "b"))
    assert client.get(gw, "/api/x", bearer(jose.token("b", **claims()))).status == 200  # an unknown kid has it asked
    assert id_.asked == 2
    id_.keys.append(jose.key("ES256", "c"))
    for _ in range(5):
        answer = client.get(gw, "/api/x", bearer(jose.token("c", **claims())))
        assert (answer.status, slug(answer)) == (401, "jws.key")  # but not again so soon
    assert id_.asked == 2


def test_a_key_that_is_gone_proves_nothing_any_more(gateway, shop, client, jose, issuer):
    id_ = issuer(jose.key("ES256", "a"), jose.key("ES256", "b"))
    gw = gateway(servers(shop) + policy(id_.url, jwt="refresh: 1s"))
    token = jose.token("a", **claims())
    assert client.get(gw, "/api/x", bearer(token)).status == 200
    del id_.keys[0]
    until(lambda: client.get(gw, "/api/x", bearer(token)).status == 401, "the token is refused")
    assert client.get(gw, "/api/x", bearer(jose.token("b", **claims()))).status == 200


@pytest.mark.parametrize("mood", ["hangs", "lies", "fails", "floods"])
def test_what_was_known_counts_while_the_issuer_is_out_of_order(gateway, shop, client, jose, issuer, mood):
    id_ = issuer(jose.key("ES256", "a"))
    gw = gateway(servers(shop) + policy(id_.url, jwt="refresh: 1s, timeout: 200ms, refetch: 100ms"))
    assert client.get(gw, "/api/x", bearer(jose.token("a", **claims()))).status == 200
    id_.mood = mood
    gw.wait_metric("banyan_auth_key_fetches_total", 1, policy="api", outcome="failed")
    assert client.get(gw, "/api/x", bearer(jose.token("a", **claims(n=2)))).status == 200
    id_.mood = "well"
    id_.released.set()
    id_.keys[:] = [jose.key("ES256", "b")]
    until(lambda: client.get(gw, "/api/x", bearer(jose.token("b", **claims()))).status == 200, "the new key counts")


def test_a_reload_forgets_no_keys_of_the_same_issuer(gateway, shop, client, jose, issuer):
    id_ = issuer(jose.key("ES256", "a"))
    gw = gateway(servers(shop) + policy(id_.url, jwt="refetch: 100ms, timeout: 200ms"))
    token = bearer(jose.token("a", **claims(scope="read")))
    assert client.get(gw, "/api/x", token).status == 200
    id_.mood = "fails"
    gw.reload(gw.text.replace("audience: shop", "audience: shop, scopes: read"))
    assert client.get(gw, "/api/x", token).status == 200
    gw.reload(gw.text.replace("scopes: read", "scopes: write"))
    assert client.get(gw, "/api/x", token).status == 403
    gw.reload(gw.text.replace(id_.url, id_.url + "?of=another"))
    assert client.get(gw, "/api/x", token).status == 503
    gw.reload(gw.text.replace(id_.url + "?of=another", id_.url))
    assert client.get(gw, "/api/x", token).status == 503
    id_.mood = "well"
    until(lambda: client.get(gw, "/api/x", token).status == 403, "the keys are there again")


@pytest.mark.parametrize("mood", ["hangs", "lies", "fails"])
def test_without_any_keys_the_answer_is_503_and_soon_200(gateway, shop, client, jose, issuer, mood):
    id_ = issuer(jose.key("ES256", "a"))
    id_.mood = mood
    gw = gateway(servers(shop) + policy(id_.url, jwt="timeout: 200ms, refetch: 100ms"))
    answer = client.get(gw, "/api/x", bearer(jose.token("a", **claims())))
    assert (answer.status, slug(answer)) == (503, "auth.unavailable")
    id_.mood = "well"
    id_.released.set()
    until(lambda: client.get(gw, "/api/x", bearer(jose.token("a", **claims()))).status == 200, "the keys are there")


def test_a_reload_keeps_what_was_fetched_and_verified(gateway, shop, client, jose, issuer):
    id_ = issuer(jose.key("ES256", "a"))
    text = servers(shop) + policy(id_.url)
    gw = gateway(text)
    token = jose.token("a", **claims())
    assert client.get(gw, "/api/x", bearer(token)).status == 200
    gw.reload(text.replace("name: open", "name: all"))
    assert client.get(gw, "/api/x", bearer(token)).status == 200
    assert gw.metric("banyan_auth_requests_total", policy="api", outcome="known") == 1
    assert id_.asked == 1
    gw.reload(text.replace("audience: shop", "audience: store"))
    assert client.get(gw, "/api/x", bearer(token)).status == 401
    until(lambda: id_.asked == 2, "its keys are asked for anew")


def test_fifty_at_once_ask_the_issuer_once(gateway, shop, client, jose, issuer):
    id_ = issuer(jose.key("ES256", "a"))
    gw = gateway(servers(shop) + policy(id_.url, jwt="refetch: 1h, timeout: 20s"))
    assert client.get(gw, "/api/x", bearer(jose.token("a", **claims()))).status == 200
    id_.keys.append(jose.key("ES256", "b"))
    id_.mood = "waits"
    tokens = [jose.token("b", **claims(n=n)) for n in range(50)]
    wires = [client.connect(gw) for _ in tokens]
    for wire, token in zip(wires, tokens):
        wire.send(f"GET /api/x HTTP/1.1\r\nHost: x.test\r\n{bearer(token)}\r\n\r\n".encode())
    until(lambda: gw.metric("banyan_connections_active") >= 50, "all of them wait")
    id_.released.set()
    assert {wire.answer().status for wire in wires} == {200}
    assert id_.asked == 2


def test_a_file_of_keys_is_read_again_when_it_is_another(stage, gateway, shop, client, jose):
    def write(*keys):
        (stage.folder / "keys.new").write_text(json.dumps({"keys": list(keys)}))
        (stage.folder / "keys.new").rename(stage.folder / "keys.json")
    one, two = jose.key("ES256", "one"), jose.key("ES256", "two")
    write(one)
    gw = gateway(servers(shop) + policy("keys.json"))
    old, new = (bearer(jose.token(kid, **claims())) for kid in ("one", "two"))
    assert client.get(gw, "/api/x", old).status == 200 and client.get(gw, "/api/x", new).status == 401
    write(two)
    until(lambda: client.get(gw, "/api/x", new).status == 200, "the new key is known")
    assert client.get(gw, "/api/x", old).status == 401  # though it was known
    (stage.folder / "keys.json").write_text("{")
    until(lambda: "stays as it was" in gw.stderr, "the gateway says so")
    assert client.get(gw, "/api/x", new).status == 200


def test_an_issuer_is_asked_where_its_keys_are(gateway, upstream, shop, client, jose):
    def answer(request):
        found = documents.get(request.target)
        return reply(200, json.dumps(found).encode(), "Content-Type: application/json") if found else reply(404, b"")
    id_ = upstream(answer=answer)
    name = f"http://{id_.address}/realm/"
    documents = {"/realm/.well-known/openid-configuration": {"issuer": name, "jwks_uri": f"http://{id_.address}/certs"},
                 "/certs": {"keys": [jose.key("ES256", "a")]}}
    text = servers(shop) + (f'auth: {{ api: {{ jwt: {{ issuer: "{name}", audience: shop }} }} }}\n'
                            "routes: [ { name: all, match: /**, to: shop, auth: api } ]\n")
    token = bearer(jose.token("a", **claims(iss=name)))
    gw = gateway(text)
    assert client.get(gw, "/x", token).status == 200
    assert [request.target for request in id_.requests] == ["/realm/.well-known/openid-configuration", "/certs"]
    documents["/realm/.well-known/openid-configuration"]["issuer"] = "http://another.test/"
    other = gateway(text)
    assert client.get(other, "/x", token).status == 503
    until(lambda: "is of another issuer" in other.stderr, "the log says why")
