# SPDX-License-Identifier: Apache-2.0
"""Ways past a policy: other spellings, other hosts, other cookies, other protocols. None of them leads anywhere."""
import base64
import hashlib
import hmac
import json
import time

import pytest

from actors.gateway import run_banyan
from actors.http1 import chunk, reply
from actors.waiting import until

WHO = {"id": 7, "email": "a@b.test"}


def said(who):
    return reply(200, json.dumps(who).encode(), "Content-Type: application/json")


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


@pytest.fixture
def service(upstream):
    return upstream()


def bridged(mono, service, bridge="", more=""):
    return (f'upstreams:\n  shop: {{ servers: [ "{mono.address}" ] }}\n  service: {{ servers: [ "{service.address}" ] }}\n'
            f"auth: {{ users: {{ bridge: {{ cookie: sid, whoami: http://shop/who{bridge} }}, headers: {{ X-User-Id: sub }}{more} }} }}\n"
            f"routes:\n  - {{ name: service, match: /service/**, to: service, auth: users }}\n"
            f"  - {{ name: rest, match: /**, to: service }}\n")


def judged(judge, service, more=""):
    return (f'trusted_proxies: loopback\n'
            f'upstreams:\n  judge: {{ servers: [ "{judge.address}" ] }}\n  service: {{ servers: [ "{service.address}" ] }}\n'
            f"auth: {{ outer: {{ forward: {{ url: http://judge/check }}{more} }} }}\n"
            f"routes: [ {{ name: all, match: /**, to: service, auth: outer }} ]\n")


def test_identity_headers_survive_in_no_spelling(gateway, upstream, client, service):
    gw = gateway(bridged(upstream(answer=said(WHO)), service))
    for name in ["X-User-Id", "x_user_id", "X.User.Id", "X-User.Id", "X!User~Id", "X`User'Id"]:
        for path in ["/service/x", "/open"]:
            status = client.get(gw, path, "Cookie: sid=a", f"{name}: admin").status
            assert status == (400 if "_" in name else 200)
            assert all(value != "admin" for seen in service.requests for _, value in seen.headers), name


def test_identity_headers_are_no_trailers(gateway, upstream, client, service):
    gw = gateway(bridged(upstream(answer=said(WHO)), service))
    for size in [1, 1 << 20]:  # held, and streamed
        for path in ["/service/x", "/open"]:
            with client.connect(gw) as wire:
                wire.send(f"POST {path} HTTP/1.1\r\nHost: shop.test\r\nCookie: sid=a\r\nTransfer-Encoding: chunked\r\n"
                          "Trailer: X-User-Id, X-Sum\r\n\r\n".encode(), chunk(b"x" * size),
                          b"0\r\nX-User-Id: admin\r\nx_user_id: admin\r\nX-Forwarded-For: 192.0.2.1\r\nX-Sum: 1\r\n\r\n")
                assert wire.answer("POST").status == 200
            assert service.requests[-1].trailers == [("X-Sum", "1")]


def test_credentials_that_are_not_kept_stay_here(stage, gateway, upstream, client, service, jose):
    code, key, err = run_banyan("keys", "add", "-f", stage.folder / "keys.json", "--owner", "a")
    assert code == 0, err
    (stage.folder / "jwks.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    gw = gateway(bridged(upstream(answer=said(WHO)), service,
                         more=", keep: off, keys: keys.json, jwt: { jwks: jwks.json, cookie: token }"))
    secrets = {"X-Api-Key": key.strip(), "Cookie": "a=1; sid=a; b=2", "cookie": "a=1; b=2; token=" + jose.token("a", sub="7")}
    for name, value in secrets.items():
        assert client.get(gw, "/service/x", f"{name}: {value}").status == 200
        seen = dict(service.requests[-1].headers)
        assert "X-Api-Key" not in seen
        assert seen.get("Cookie", seen.get("cookie")) == ("a=1; b=2" if name.lower() == "cookie" else None)
    assert client.get(gw, "/service/x", "Cookie: sid=a").status == 200
    assert "Cookie" not in dict(service.requests[-1].headers)


def test_a_session_of_one_host_is_none_of_another(gateway, upstream, client, service):
    def answer(request):
        return said(WHO) if dict(request.headers)["Host"] == "mine.test" else reply(401, b"")
    gw = gateway(bridged(upstream(answer=answer), service))
    assert client.get(gw, "/service/x", "Cookie: sid=a", host="mine.test").status == 200
    assert client.get(gw, "/service/x", "Cookie: sid=a", host="other.test").status == 401
    assert client.get(gw, "/service/x", "Cookie: sid=a", host="mine.test").status == 200


def claims_of(request):
    token = dict(request.headers)["Authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))


def test_a_token_is_of_whoever_has_the_session_now(gateway, upstream, client, service):
    who = {"id": 7}
    gw = gateway(bridged(upstream(answer=lambda _: said(who)), service, bridge=", cache: 0s",
                         more=", token: { issuer: https://gw.test }"))
    for name in [7, 8]:
        who["id"] = name
        assert client.get(gw, "/service/x", "Cookie: sid=a").status == 200
        assert dict(service.requests[-1].headers)["X-User-Id"] == str(name)
        assert claims_of(service.requests[-1])["sub"] == str(name)


def test_pages_of_other_sites_open_no_websockets(gateway, upstream, client, service):
    gw = gateway(bridged(upstream(answer=said(WHO)), service))
    upgrade = ["Cookie: sid=a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    assert client.get(gw, "/service/x", *upgrade, "Origin: http://shop.test").status == 200
    for more in [["Origin: https://evil.test"], ["Sec-Fetch-Site: cross-site"], ["Origin: null"]]:
        answer = client.get(gw, "/service/x", *upgrade, *more)
        assert (answer.status, slug(answer)) == (403, "auth.cross_site"), more


def test_a_judge_is_asked_again_when_it_would_be_told_something_else(gateway, upstream, client, service):
    def decide(request):
        headers = dict(request.headers)
        fine = headers["X-Forwarded-Uri"].endswith("doc=1") and headers["X-Forwarded-For"] == "192.0.2.1"
        return reply(200 if fine else 403, b"")
    gw = gateway(judged(upstream(answer=decide), service))
    rows = [("/x?doc=1", "192.0.2.1", 200), ("/x?doc=2", "192.0.2.1", 403), ("/x", "192.0.2.1", 403),
            ("/x?doc=1", "192.0.2.2", 403), ("/x?doc=1", "192.0.2.1", 200)]
    for target, address, status in rows:
        assert client.get(gw, target, f"X-Forwarded-For: {address}").status == status, (target, address)


def test_a_judge_is_told_the_path_that_the_server_gets(gateway, upstream, client, service):
    judge = upstream()
    gw = gateway(judged(judge, service))
    for target in ["/public/../admin?a=%2e", "/public/%2e%2e/admin", "//admin", "/%61dmin"]:
        assert client.get(gw, target).status == 200
        assert dict(judge.requests[-1].headers)["X-Forwarded-Uri"] == service.requests[-1].target, target


def test_one_of_two_tokens_is_none(stage, gateway, client, service, jose):
    (stage.folder / "jwks.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    gw = gateway(f'upstreams: {{ service: {{ servers: [ "{service.address}" ] }} }}\n'
                 "auth: { api: { jwt: { jwks: jwks.json, cookie: token }, optional: on } }\n"
                 "routes: [ { name: all, match: /**, to: service, auth: api } ]\n")
    good = jose.token("a", sub="7")
    assert client.get(gw, "/x", f"Cookie: token={good}").status == 200
    answer = client.get(gw, "/x", f"Cookie: token={good}; token=forged")
    assert (answer.status, slug(answer)) == (401, "auth.twice")
    answer = client.get(gw, "/x", "Cookie: token=; token=forged")
    assert answer.status == 401
    for between in ["\t", " \t"]:
        assert client.get(gw, "/x", f"Authorization: Bearer{between}forged").status == 401
    assert client.get(gw, "/x", f"Authorization: Bearer\t{good}").status == 200


@pytest.mark.parametrize("kind", ["flask", "django"])
def test_a_secret_of_nothing_is_a_mistake(stage, kind):
    file = stage.folder / "bad.yaml"
    file.write_text(f'listen: [ "127.0.0.1:0" ]\nupstreams: {{ s: {{ servers: [ "127.0.0.1:1" ] }} }}\n'
                    f'auth: {{ users: {{ bridge: {{ cookie: session, {kind}: {{ secret: "" }} }} }} }}\n'
                    "routes: [ { name: all, match: /**, to: s, auth: users } ]\n")
    code, out, err = run_banyan("check", "-c", file)
    assert code == 2 and "secret" in out + err


def flask_session(secret, signed_s, **said):
    def text(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    def mac(key, data):
        return hmac.new(key, data, hashlib.sha1).digest()
    signed = text(json.dumps(said).encode()) + b"." + text(int(signed_s).to_bytes(4, "big"))
    return (signed + b"." + text(mac(mac(secret, b"cookie-session"), signed))).decode()


def test_a_signed_session_ends_by_its_age_whatever_is_remembered(gateway, upstream, client, service):
    gw = gateway(f'upstreams: {{ service: {{ servers: [ "{service.address}" ] }} }}\n'
                 "auth: { users: { bridge: { cookie: session, cache: 1h, flask: { secret: key, max_age: 2s } } } }\n"
                 "routes: [ { name: all, match: /**, to: service, auth: users } ]\n")
    cookie = "Cookie: session=" + flask_session(b"key", time.time(), _user_id="7")
    assert client.get(gw, "/x", cookie).status == 200
    until(lambda: client.get(gw, "/x", cookie).status == 401, "it has ended")


def test_a_user_that_is_none_is_nobody(gateway, upstream, client, service):
    said_now = {}
    gw = gateway(bridged(upstream(answer=lambda _: said(said_now)), service, bridge=", cache: 0s"))
    for user, status in [(7, 200), ("7", 200), (-1, 200), ("0", 200), (0, 401), (False, 401), (True, 401), (None, 401), ("", 401),
                         (" ", 401), ([], 401), ([7], 401), ({"id": 7}, 401), (7.5, 401)]:
        said_now["id"] = user
        assert client.get(gw, "/service/x", "Cookie: sid=a").status == status, user


def test_a_claim_is_one_segment_of_a_path(stage, gateway, client, service, jose):
    (stage.folder / "jwks.json").write_text(json.dumps({"keys": [jose.key("ES256", "a")]}))
    gw = gateway(f'upstreams: {{ service: {{ servers: [ "{service.address}" ] }} }}\n'
                 "auth: { api: { jwt: { jwks: jwks.json } } }\n"
                 'routes: [ { name: mine, match: /mine, to: service, auth: api, rewrite: "/users/{claim:sub}/orders" } ]\n')
    for sub, path in [("7", "/users/7/orders"), ("a b", "/users/a%20b/orders"), ("..a", "/users/..a/orders"), ("50%", "/users/50%25/orders"),
                      ("%41", "/users/%2541/orders"), ("%2e%2e", "/users/%252e%252e/orders"), ("a;b", "/users/a%3Bb/orders"),
                      ("a?b#c", "/users/a%3Fb%23c/orders")]:
        assert client.get(gw, "/mine", "Authorization: Bearer " + jose.token("a", sub=sub)).status == 200, sub
        assert service.requests[-1].target == path
    for sub in ["..", ".", "...", "", "../admin", "a/b", "a\\b"]:
        answer = client.get(gw, "/mine", "Authorization: Bearer " + jose.token("a", sub=sub))
        assert (answer.status, slug(answer)) == (400, "gateway.template_claim"), sub


def test_a_token_of_nobody_in_particular_names_nobody(gateway, upstream, client, service):
    gw = gateway(judged(upstream(), service, more=", token: { issuer: https://gw.test }"))
    assert client.get(gw, "/x").status == 200
    assert sorted(claims_of(service.requests[-1])) == ["exp", "iat", "iss"]
