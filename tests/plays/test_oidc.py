# SPDX-License-Identifier: Apache-2.0
"""The OpenID Connect provider: real relying parties, people with forms, tokens that are shown twice."""
import base64
import collections
import concurrent.futures
import itertools
import json
import os
import random
import re
import subprocess
import threading
import uuid
from urllib.parse import parse_qs, quote, urlsplit

import psycopg2
import pytest
import requests

from actors.accounts import NO_THROTTLE, QUICK
from actors.apache import Apache
from actors.postgres import Postgres
from actors.provider import PASSWORD, Page, Person, Provider, Refused, RelyingParty, oathtool, totp_key
from actors.waiting import until

BACK = "http://127.0.0.1/back"
NUMBERS = itertools.count()
PARALLEL, RESTARTS = 50, 50 if os.environ.get("BANYAN_PROOF") else 3


@pytest.fixture
def provider(stage):
    def start(**options):
        at = Provider(stage.folder, number=stage.count(Provider), **options)
        return stage.enter(at, at.finish)
    return start


@pytest.fixture
def party(stage):
    def start(*args, **options):
        at = RelyingParty(*args, **options)
        return stage.enter(at, at.finish)
    return start


@pytest.fixture(scope="module")
def lasting(long_stage):
    """For plays that need nothing of their own but people and clients."""
    at = Provider(long_stage.folder, number=9)
    return long_stage.enter(at, at.finish)


@pytest.fixture
def shop(lasting, party):
    """(provider, relying party, a person with an account), the latter two new each time"""
    number = next(NUMBERS)
    registered = lasting.client(f"shop{number}", "--name", "The Shop", "--redirect", BACK, "--logout-redirect", BACK)
    return lasting, party(lasting, registered), lasting.register(f"ann{number}@shop.test")


def agree(page, login=None):
    """Through whatever pages there are, to the client's address."""
    if urlsplit(page.url).path == "/login":
        page = page.person.log_in(page, login)
    if page.forms and page.forms[0][0] == "/oauth2/consent":
        page = page.submit(answer="yes")
    assert page.url.startswith("http://127.0.0.1:9/back"), page.text
    return page.url


# A code, and what comes of it

def test_a_person_logs_in_to_a_client(shop):
    at, rp, ann = shop
    assert rp.metadata["issuer"] == at.issuer
    page = ann.open(rp.ask("openid email profile offline_access"))
    assert urlsplit(page.url).path == "/login" and "The Shop" in page.text
    page = ann.log_in(page)
    assert "The Shop asks for access" in page.text and ann.email in page.text
    url = page.submit(answer="yes").url
    assert parse_qs(urlsplit(url).query)["iss"] == [at.issuer]
    tokens = rp.do("answer", url=url)
    assert tokens["claims"]["sub"].startswith("usr_") and tokens["claims"]["acr"] == "aal1"
    assert tokens["scope"] == "openid email profile offline_access" and tokens["token_type"] == "bearer"
    about = rp.do("userinfo", token=tokens["access_token"], subject=tokens["claims"]["sub"])
    assert (about["email"], about["email_verified"], about["name"]) == (ann.email, True, "Ann Archer")


def test_a_code_that_comes_twice_ends_what_came_of_it(shop):
    at, rp, ann = shop
    url = agree(ann.open(rp.ask("openid offline_access")))
    tokens = rp.do("answer", url=url)
    assert rp.do("introspect", token=tokens["access_token"])["active"]
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("answer", url=url)
    assert not rp.do("introspect", token=tokens["access_token"])["active"]
    with pytest.raises(Refused) as refused:
        rp.do("userinfo", token=tokens["access_token"], subject=tokens["claims"]["sub"])
    assert refused.value.status == 401
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=tokens["refresh_token"])


def test_a_code_is_for_its_client_its_address_and_its_verifier(shop, party):
    at, rp, ann = shop
    other = party(at, at.client(f"other{next(NUMBERS)}", "--redirect", BACK))
    url = agree(ann.open(rp.ask()))
    other.ask()
    with pytest.raises(Refused, match="invalid_grant|state"):
        other.do("answer", url=url)
    query = parse_qs(urlsplit(url).query)
    code = query["code"][0]
    for about in ({"redirect_uri": BACK}, {"redirect_uri": "http://127.0.0.1:9/back", "code_verifier": "x" * 43},
                  {"redirect_uri": "http://127.0.0.1:9/back"}):
        answer = ann.session.post(at.issuer + "/oauth2/token", auth=(rp.ident, "wrong"), data={"grant_type": "authorization_code", "code": code, **about})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic") and answer.headers["Cache-Control"] == "no-store"
    assert rp.do("answer", url=url)["access_token"]  # nobody who was refused has used it up


def test_what_is_wrong_with_a_request_goes_to_the_client_only_when_its_address_is_known(shop):
    at, rp, ann = shop
    good = rp.ask()
    for change, why in ((f"client_id={rp.ident}", "client_id=nobody"), ("redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fback", "redirect_uri=https%3A%2F%2Fevil.test%2F"),
                        ("scope=openid", "scope=openid&client_id=twice")):
        page = ann.open(good.replace(change, why))
        assert change in good and page.status == 400 and page.url.startswith(at.issuer) and "evil" not in page.text
    for change, to, error in (("code_challenge_method=S256", "code_challenge_method=plain", "invalid_request"),
                              ("response_type=code", "response_type=token", "unsupported_response_type"),
                              ("scope=openid", "scope=admin", "invalid_scope"),
                              ("scope=openid", "scope=openid&request=x", "request_not_supported"),
                              ("scope=openid", "scope=openid&prompt=none", "login_required")):
        page = ann.open(good.replace(change, to))
        query = parse_qs(urlsplit(page.url).query)
        assert change in good and page.url.startswith("http://127.0.0.1:9/back?") and query["error"] == [error]
        assert query["iss"] == [at.issuer] and "state" in query


def test_a_page_of_another_origin_may_ask_where_no_cookie_counts(shop):
    at, _, _ = shop
    for path in ("token", "userinfo", "revoke"):
        asked = requests.options(f"{at.issuer}/oauth2/{path}", timeout=30)
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"] and "Access-Control-Allow-Credentials" not in asked.headers
    assert requests.post(at.issuer + "/oauth2/token", data={"grant_type": "x"}, timeout=30).headers["Access-Control-Allow-Origin"] == "*"
    for path in ("/oauth2/authorize", "/login", "/account"):
        assert "Access-Control-Allow-Origin" not in Person(at).open(path).headers


# Refresh tokens

def tokens_of(rp, ann, scope="openid offline_access"):
    return rp.do("answer", url=agree(ann.open(rp.ask(scope))))


GRACE = "    openid: {{ grace: {} }}"


def test_a_refresh_token_is_good_once(provider, party):
    at = provider(more=GRACE.format("0s"))
    rp, ann = party(at, at.client("shop", "--redirect", BACK)), at.register("ann@shop.test")
    first = tokens_of(rp, ann)
    second = rp.do("refresh", token=first["refresh_token"])
    third = rp.do("refresh", token=second["refresh_token"])
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=first["refresh_token"])  # stolen: the family ends
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=third["refresh_token"])
    assert not rp.do("introspect", token=third["access_token"])["active"]
    log = at.command("user", "audit")
    assert log.count("token.reused") == 1 and log.count("consent.given") == 1, log
    at.command("user", "audit", "--verify")


def test_within_the_grace_a_used_one_brings_the_same_successor(provider, party):
    at = provider(more=GRACE.format("5m"))
    rp, ann = party(at, at.client("shop", "--redirect", BACK)), at.register("ann@shop.test")
    first = tokens_of(rp, ann)
    second = rp.do("refresh", token=first["refresh_token"])
    assert rp.do("refresh", token=first["refresh_token"])["refresh_token"] == second["refresh_token"]
    third = rp.do("refresh", token=second["refresh_token"])
    with pytest.raises(Refused, match="invalid_grant"):  # its successor has arrived: a race, and no theft
        rp.do("refresh", token=first["refresh_token"])
    assert rp.do("refresh", token=third["refresh_token"])["refresh_token"]


def test_a_family_has_an_end_however_it_is_used(provider, party):
    at = provider(more="    openid: { refresh_token: 10s, access_token: 10s }")
    rp, ann = party(at, at.client("shop", "--redirect", BACK)), at.register("ann@shop.test")
    tokens = tokens_of(rp, ann)
    end = rp.do("introspect", token=tokens["refresh_token"])["exp"]
    tokens = rp.do("refresh", token=tokens["refresh_token"])
    assert rp.do("introspect", token=tokens["refresh_token"])["exp"] == end


def test_another_clients_refresh_token_is_refused_and_ends_nothing(shop, party):
    at, rp, ann = shop
    other = party(at, at.client(f"other{next(NUMBERS)}", "--redirect", BACK))
    tokens = tokens_of(rp, ann)
    with pytest.raises(Refused, match="invalid_grant"):
        other.do("refresh", token=tokens["refresh_token"])
    assert not other.do("introspect", token=tokens["refresh_token"])["active"]
    other.do("revoke", token=tokens["refresh_token"])
    assert rp.do("refresh", token=tokens["refresh_token"])["access_token"]


# Ways to prove who asks, and what for

def test_a_client_asks_for_itself(shop, party):
    at, _, _ = shop
    machine = party(at, at.client(f"machine{next(NUMBERS)}", "--grant", "client_credentials", "--scope", "orders:read orders:write", "--audience", "https://orders.test"))
    tokens = machine.do("own", scope="orders:read")
    about = machine.do("introspect", token=tokens["access_token"])
    assert about["active"] and (about["sub"], about["scope"], about["aud"]) == (machine.ident, "orders:read", "https://orders.test")
    assert "refresh_token" not in tokens
    with pytest.raises(Refused, match="invalid_scope"):
        machine.do("own", scope="orders:read admin")
    machine.do("revoke", token=tokens["access_token"])
    assert not machine.do("introspect", token=tokens["access_token"])["active"]


@pytest.mark.parametrize("auth", ["none", "client_secret_post", "private_key_jwt"])
def test_clients_prove_themselves_as_they_registered(provider, party, auth, tmp_path):
    at, key, words = provider(), None, []
    if auth == "private_key_jwt":
        key = node_key()
        (tmp_path / "jwks.json").write_text(json.dumps({"keys": [{name: value for name, value in key.items() if name != "d"}]}))
        words = ["--jwks", tmp_path / "jwks.json"]
    rp, ann = party(at, at.client("app", "--auth", auth, "--redirect", BACK, *words), key=key), at.register("ann@shop.test")
    tokens = tokens_of(rp, ann)
    assert rp.do("refresh", token=tokens["refresh_token"])["access_token"]
    rp.do("revoke", token=tokens["refresh_token"])
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=tokens["refresh_token"])


def node_key():
    made = subprocess.run(["node", "-e", "const c = require('crypto'); console.log(JSON.stringify({ ...c.generateKeyPairSync('ec', "
                           "{ namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'mine', use: 'sig' }))"],
                          check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


def test_the_log_tells_of_clients_and_keys(provider):
    at = provider()
    at.client("shop", "--redirect", BACK)
    at.command("user", "keys", "rotate")
    at.command("user", "client", "remove", "shop")
    log = at.command("user", "audit")
    assert [log.count(action) for action in ("client.added", "keys.rotated", "client.removed")] == [1, 1, 1], log
    at.command("user", "audit", "--verify")


# Clients by the API, on both engines: `accounts` is a service with an administrator's token

def test_an_administrator_makes_changes_and_removes_clients(accounts):
    at = accounts(QUICK, NO_THROTTLE, "openid: { issuer: https://id.shop.test }")
    machine = {"client_id": "machine", "client_name": "The Robot", "grant_types": ["client_credentials"], "scope": "orders:read"}
    made = at.admin_say("POST", "/v1/clients", machine)
    assert (made.status, made.headers["Location"], made.headers["Cache-Control"]) == (201, "/v1/clients/machine", "no-store"), made.body
    plain = made.json
    secret = plain.pop("client_secret")
    seen = at.admin_say("GET", "/v1/clients/machine")
    assert (seen.status, seen.json, seen.headers["ETag"]) == (200, plain, made.headers["ETag"])
    assert seen.json["token_endpoint_auth_method"] == "client_secret_basic" and seen.json["grant_types"] == ["client_credentials"]

    def ask(scope):
        return requests.post(f"http://{at.address}/oauth2/token", auth=("machine", secret), timeout=30,
                             data={"grant_type": "client_credentials", "scope": scope})
    assert ask("orders:read").json()["scope"] == "orders:read" and ask("orders:write").json()["error"] == "invalid_scope"
    changed = at.admin_say("PATCH", "/v1/clients/machine", {"scope": "orders:write", "trusted": True}, If_Match=made.headers["ETag"])
    assert changed.status == 200 and changed.json == {**plain, "scope": "orders:write", "trusted": True}
    assert ask("orders:write").status_code == 200 and ask("orders:read").json()["error"] == "invalid_scope"
    for method, body in (("PATCH", {"scope": "x"}), ("DELETE", None)):
        late = at.admin_say(method, "/v1/clients/machine", body, If_Match=made.headers["ETag"])
        assert (late.status, late.code) == (412, "request.etag")
    assert at.admin_say("DELETE", "/v1/clients/machine", If_Match=changed.headers["ETag"]).status == 204
    assert ask("orders:write").status_code == 401
    for method, body in (("GET", None), ("PATCH", {"scope": "x"}), ("DELETE", None)):
        assert at.admin_say(method, "/v1/clients/machine", body).code == "oidc.client"
    lines = [(line["action"], line["detail"]) for line in at.admin_say("GET", "/v1/audit").json["data"]]
    assert lines == [(action, {"client": "machine"}) for action in ("client.removed", "client.changed", "client.added")]
    assert secret not in str(at.sql("select * from idempotency")) + at.stderr


def test_a_secret_is_shown_once_even_when_its_request_comes_again(accounts):
    at = accounts()
    body = {"client_id": "shop", "redirect_uris": [BACK]}
    first, again = (at.admin_say("POST", "/v1/clients", body, Idempotency_Key="one") for _ in range(2))
    assert (first.status, again.status) == (201, 201) and again.json == {key: value for key, value in first.json.items() if key != "client_secret"}
    assert len(first.json["client_secret"]) == 43 and first.json["client_secret"] not in str(at.sql("select * from idempotency"))
    assert at.admin_say("POST", "/v1/clients", {**body, "trusted": True}, Idempotency_Key="one").code == "idempotency.mismatch"
    taken = at.admin_say("POST", "/v1/clients", body)
    assert (taken.status, taken.code) == (409, "oidc.client_taken")
    assert [line["action"] for line in at.admin_say("GET", "/v1/audit").json["data"]] == ["client.added"]


def test_clients_come_in_pages_by_their_ids(accounts):
    at = accounts()
    for ident in "c", "a", "e", "b", "d":
        assert at.admin_say("POST", "/v1/clients", {"client_id": ident, "redirect_uris": [BACK]}).status == 201
    seen, path = [], "/v1/clients?limit=2"
    while path:
        page = at.admin_say("GET", path)
        assert page.status == 200 and len(page.json["data"]) <= 2 and "client_secret'" not in str(page.json["data"])
        seen += [client["client_id"] for client in page.json["data"]]
        path = page.json.get("next") and f"/v1/clients?limit=2&cursor={page.json['next']}"
    assert seen == ["a", "b", "c", "d", "e"]
    assert at.admin_say("GET", "/v1/clients?cursor=AAAA").status == 422


@pytest.mark.parametrize("change, where", [
    ({"client_id": "usr_ann"}, "client_id"), ({"redirect_uris": ["http://shop.test/"]}, "redirect_uris"), ({"redirect_uris": []}, "redirect_uris"),
    ({"post_logout_redirect_uris": ["x"]}, "post_logout_redirect_uris"), ({"grant_types": ["password"]}, "grant_types"), ({"client_name": ""}, "client_name"),
    ({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"), ({"scope": 'a"'}, "scope"),
    ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"), ({"jwks": {"keys": []}}, "jwks"), ({"token_endpoint_auth_method": "private_key_jwt", "jwks": {}}, "jwks")])
def test_what_no_client_may_be(accounts, change, where):
    at = accounts()
    refused = at.admin_say("POST", "/v1/clients", {"client_id": "shop", "redirect_uris": [BACK], **change})
    assert (refused.status, refused.errors) == (422, {f"/{where}": "invalid"}), refused.body
    assert at.sql("select count(*) from oidc_clients") == [(0,)] and at.admin_say("GET", "/v1/audit").json["data"] == []


def test_clients_need_their_scopes(accounts):
    at = accounts()
    assert at.say("GET", "/v1/clients").status == 401
    ann = at.register()
    ann.log_in()
    for method, path, body in (("GET", "/v1/clients", None), ("GET", "/v1/clients/x", None), ("POST", "/v1/clients", {"client_id": "x"}),
                               ("PATCH", "/v1/clients/x", {}), ("DELETE", "/v1/clients/x", None)):
        assert ann.say(method, path, body).status == 403


def test_keys_rotate_and_tokens_before_it_stay_good(shop):
    at, rp, ann = shop
    before = tokens_of(rp, ann)
    kids = {key["kid"]: key["state"] for key in json.loads(at.command("user", "keys", "list", "--json"))}
    assert sorted(kids.values()) == ["next", "next", "signs", "signs"]
    at.command("user", "keys", "rotate")
    until(lambda: header_of(rp.do("refresh", token=tokens_of(rp, ann)["refresh_token"])["access_token"])["kid"] != header_of(before["access_token"])["kid"],
          "another key signs", within=30)
    after = tokens_of(rp, ann)
    assert kids[header_of(after["access_token"])["kid"]] == "next" and header_of(after["access_token"])["typ"] == "at+jwt"
    assert rp.do("introspect", token=before["access_token"])["active"]
    assert rp.do("userinfo", token=before["access_token"], subject=before["claims"]["sub"])["sub"]


def test_id_tokens_are_signed_as_the_client_registered(shop, party):
    at, _, ann = shop
    rp = party(at, at.client(f"old{next(NUMBERS)}", "--redirect", BACK, "--rs256"), alg="RS256")
    assert header_of(tokens_of(rp, ann, "openid")["id_token"])["alg"] == "RS256"


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


# What a client may want of a person

def test_prompt_and_max_age_want_a_login_that_is_new(shop):
    at, rp, ann = shop
    agree(ann.open(rp.ask()))
    assert ann.open(rp.ask()).url.startswith("http://127.0.0.1:9/back?code=")
    assert ann.open(rp.ask(prompt="none")).url.startswith("http://127.0.0.1:9/back?code=")
    for about in ({"prompt": "login"}, {"max_age": "0"}):
        page = ann.open(rp.ask(**about))
        assert urlsplit(page.url).path == "/login"
        page = ann.log_in(page)
        assert page.url.startswith("http://127.0.0.1:9/back?code="), page.text
    assert "asks for access" in ann.open(rp.ask(prompt="consent")).text
    assert "asks for access" in ann.open(rp.ask("openid email")).text
    refused = ann.open(rp.ask(prompt="consent")).submit(answer="no")
    assert parse_qs(urlsplit(refused.url).query)["error"] == ["access_denied"]
    page = ann.open(rp.ask("openid email", prompt="none"))
    assert parse_qs(urlsplit(page.url).query)["error"] == ["consent_required"]


def test_a_second_factor_is_asked_for_when_a_client_wants_it(shop):
    at, rp, ann = shop
    agree(ann.open(rp.ask()))
    page = ann.open(rp.ask(acr_values="aal2"))
    assert parse_qs(urlsplit(page.url).query)["error"] == ["unmet_authentication_requirements"]
    page = ann.open("/account/totp")
    key = totp_key(page)
    page = page.submit(code=oathtool(key))
    codes = re.findall(r"<li><code>(.+?)</code>", page.text)
    assert len(codes) == 10, page.text
    page = ann.open(rp.ask(acr_values="aal2"))
    assert urlsplit(page.url).path == "/login/code"  # a step up of the session there is
    assert rp.do("answer", url=page.submit(code=codes[1]).url)["claims"]["acr"] == "aal2"
    other = Person(at)
    page = other.log_in(other.open(rp.ask(acr_values="aal2")), ann.email)
    assert urlsplit(page.url).path == "/login/code"
    assert page.submit(code="000000").status == 422
    page = page.submit(code=codes[0])
    tokens = rp.do("answer", url=page.url)
    assert tokens["claims"]["acr"] == "aal2" and set(tokens["claims"]["amr"]) >= {"pwd", "mfa"}


# Ends

def test_a_client_logs_its_person_out(shop):
    at, rp, ann = shop
    tokens = tokens_of(rp, ann, "openid")
    away = ann.open(rp.do("leave", hint=tokens["id_token"], redirect=BACK)["url"])
    assert away.url == BACK + "?state=over"
    assert urlsplit(ann.open(rp.ask()).url).path == "/login"
    with pytest.raises(Refused, match="invalid_grant"):  # it was no offline access
        rp.do("refresh", token=tokens["refresh_token"])
    stranger = Person(at)
    assert stranger.open(f"/oauth2/logout?post_logout_redirect_uri=https://evil.test/&client_id={rp.ident}").status == 400


def test_without_its_token_the_person_is_asked(shop):
    at, rp, ann = shop
    agree(ann.open(rp.ask()))
    page = ann.open(f"/oauth2/logout?client_id={rp.ident}&post_logout_redirect_uri={BACK}")
    assert "The Shop would like to log you out" in page.text
    assert ann.open(rp.ask()).url.startswith("http://127.0.0.1:9/back?code=")
    assert page.submit().url == BACK
    assert urlsplit(ann.open(rp.ask()).url).path == "/login"


def test_ones_export_has_who_was_let_in(shop):
    at, rp, ann = shop
    agree(ann.open(rp.ask("openid email")))
    login = requests.post(at.issuer + "/v1/sessions", json={"login": ann.email, "password": PASSWORD, "bearer": True}, timeout=60).json()
    export = requests.get(at.issuer + "/v1/me/export", headers={"Authorization": f"Bearer {login['token']}"}, timeout=60).json()
    assert [(row["client_id"], row["name"], row["scope"]) for row in export["consents"]] == [(rp.ident, "The Shop", "openid email")]


def test_consent_is_withdrawn_on_ones_page(shop):
    at, rp, ann = shop
    tokens = tokens_of(rp, ann)
    page = ann.open("/account")
    assert "The Shop" in page.text
    number = [action for action, _ in page.forms].index("/account/consents")
    page = page.submit(number)
    assert "The Shop" not in page.text
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=tokens["refresh_token"])
    assert "asks for access" in ann.open(rp.ask()).text


def test_a_suspended_person_has_no_tokens_any_more(shop):
    at, rp, ann = shop
    tokens = tokens_of(rp, ann)
    at.command("user", "suspend", ann.email)
    assert not rp.do("introspect", token=tokens["access_token"])["active"]
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=tokens["refresh_token"])


# Pages

def test_cookies_of_pages_are_set_by_no_other_host(provider):
    """Else a host beside ours could leave there the proof of a registration of its own, for who opens the mail's link."""
    at = provider(development="false")
    page = requests.get(at.issuer + "/register", timeout=60)
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    _, fields = Page(Person(at), at.issuer + "/register", page).forms[0]
    done = requests.post(at.issuer + "/register", data={**fields, "email": "ann@shop.test", "password": PASSWORD}, headers={"Cookie": cookie},
                         allow_redirects=False, timeout=60)
    assert done.status_code == 303, done.text
    for set_cookie in page.headers["Set-Cookie"], done.headers["Set-Cookie"]:
        assert set_cookie.startswith("__Host-banyan_") and "Secure" in set_cookie and "Path=/;" in set_cookie and "Domain" not in set_cookie


def test_a_code_of_another_browser_asks_for_the_password(shop):
    at, _, _ = shop
    ann, number = Person(at), uuid.uuid4().hex[:8]
    for name in "ann", "bob":  # the browser keeps the proof of the last
        page = ann.open("/register").submit(name=name, email=f"{name}{number}@shop.test", password=PASSWORD)
    assert 'name="password"' not in page.text
    code = at.mailed(f"ann{number}@shop.test")
    page = page.submit(code=code)
    assert page.status == 422 and 'name="password"' in page.text
    page = page.submit(code=code, password=PASSWORD)
    assert page.status == 200 and "confirmed" in page.text, page.text


def test_a_form_of_elsewhere_does_nothing(shop):
    at, rp, ann = shop
    page = ann.open("/login")
    action, hidden = page.forms[0]
    fields = {**hidden, "login": ann.email, "password": PASSWORD}
    for about in ({"headers": {"Origin": "https://evil.test"}}, {"headers": {"Sec-Fetch-Site": "cross-site"}},
                  {"data": {**fields, "csrf": "0" * 64}}, {"cookies": {"banyan_form": "A" * 43}}):
        answer = requests.post(at.issuer + action, **{"data": fields, "cookies": ann.session.cookies.get_dict(), "allow_redirects": False, **about})
        assert answer.status_code == 403 and "banyan=" not in answer.headers.get("Set-Cookie", "")
    assert page.submit(login=ann.email, password=PASSWORD).url.endswith("/account")


def test_a_login_leads_to_no_address_but_ours(shop):
    at, rp, ann = shop
    for where in ("https://evil.test/", "//evil.test/", "/\\evil.test", "/oauth2/../evil", "javascript:alert(1)",
                  "/oauth2/authorize?a\r\nSet-Cookie: x=1", "/oauth2/authorize?\u00e4"):
        page = Person(at).open("/login?next=" + quote(where))
        assert page.submit(login=ann.email, password=PASSWORD).url == at.issuer + "/account"


def test_who_guesses_waits_and_is_told_how_long(provider):
    at = provider()
    guesser = Person(at)
    pages = [guesser.open("/login").submit(login="nobody@shop.test", password=str(number)) for number in range(7)]
    assert [page.status for page in pages][:5] == [422] * 5 and pages[-1].status == 429
    assert int(pages[-1].headers["Retry-After"]) >= 1 and "Too many tries. Wait" in pages[-1].text


@pytest.mark.parametrize("headers, query, language, title", [
    ({}, "", "en", "Log in"), ({"Accept-Language": "de-AT,de;q=0.9"}, "", "de", "Anmelden"),
    ({"Accept-Language": "de"}, "?ui_locales=en", "en", "Log in")])
def test_pages_speak_the_readers_language(shop, headers, query, language, title):
    at, _, _ = shop
    page = Person(at, **headers).open("/login" + query)
    assert f'<html lang="{language}">' in page.text and f"<h1>{title}</h1>" in page.text


def test_a_theme_and_a_logo_are_configured(provider, tmp_path):
    (tmp_path / "theme.css").write_text(":root { --accent: #123456; }")
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    at = provider(more=f"    openid: {{ name: Shop ID, theme: {tmp_path}/theme.css, logo: {tmp_path}/logo.svg }}")
    page = Person(at).open("/login")
    assert 'href="/pages/theme.css"' in page.text and '<img src="/pages/logo" alt="Shop ID">' in page.text
    assert "--accent: #123456" in Person(at).open("/pages/theme.css").text
    assert Person(at).open("/pages/logo").headers["Content-Type"] == "image/svg+xml"


def test_another_password_logs_out_everywhere_else(shop):
    at, rp, ann = shop
    other = Person(at)
    kept = tokens_of(rp, ann)
    assert other.log_in(other.open("/login"), ann.email).url.endswith("/account")
    lost = rp.do("answer", url=other.open(rp.ask("openid offline_access")).url)
    page = ann.open("/account/password")
    page = page.submit(current="wrong", password="another long password")
    assert page.status == 422 and "Current password: wrong" in page.text
    page = page.submit(current=PASSWORD, password="another long password")
    assert page.url.endswith("/account") and page.status == 200, page.text
    assert urlsplit(other.open("/account").url).path == "/login"
    assert rp.do("refresh", token=kept["refresh_token"])["access_token"]
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=lost["refresh_token"])


def test_a_session_is_ended_from_another(shop):
    at, rp, ann = shop
    other = Person(at, User_Agent="Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0")
    other.log_in(other.open("/login"), ann.email)
    lost = rp.do("answer", url=agree(other.open(rp.ask("openid")), ann.email))
    page = ann.log_in(ann.open("/login"))
    assert page.text.count('action="/account/sessions"') == 3 and "Firefox, Linux" in page.text and page.text.count("this browser") == 1
    page = page.submit([action for action, _ in page.forms].index("/account/sessions", 2))  # all others
    assert page.text.count('action="/account/sessions"') == 1
    assert urlsplit(other.open("/account").url).path == "/login"
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=lost["refresh_token"])


def test_a_second_factor_is_removed_with_it_and_not_around_it(shop):
    """A session from before it, though its password was shown a minute ago, is no second factor."""
    at, _, ann = shop
    other = Person(at)
    other.log_in(other.open("/login"), ann.email)
    ann.log_in(ann.open("/login"))
    page = ann.open("/account/totp")
    codes = re.findall(r"<li><code>(.+?)</code>", page.submit(code=oathtool(totp_key(page))).text)

    def drop(person):
        page = person.open("/account")
        return page.submit([action for action, _ in page.forms].index("/account/totp/drop"))

    page = drop(other)
    assert urlsplit(page.url).path == "/login" and "/account/totp/drop" in ann.open("/account").text
    page = other.log_in(page, ann.email)
    assert urlsplit(page.url).path == "/login/code"
    page.submit(code=codes[0])
    assert "/account/totp/drop" not in drop(other).text


def test_a_new_password_by_mail(shop):
    at, rp, ann = shop
    tokens = tokens_of(rp, ann, "openid")
    page = ann.open("/recover").submit(login=ann.email)
    assert "Set a new password" in page.text
    assert page.submit(code="wrong", password="another long password").status == 422
    page = page.submit(code=at.mailed(ann.email), password="another long password")
    assert page.status == 200 and "Your password is set" in page.text, page.text
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=tokens["refresh_token"])
    assert ann.log_in(ann.open("/login")).status == 422
    assert ann.log_in(ann.open("/login"), password="another long password").url.endswith("/account")


# A relying party in C, which checks what others let pass

def test_apache_logs_a_person_in_refreshes_and_logs_out(shop, stage):
    at, _, ann = shop
    rp = Apache(stage.folder, at, lambda back: at.client(f"apache{next(NUMBERS)}", "--redirect", back, "--logout-redirect", back.replace("private/back", "")))
    stage.enter(rp, rp.finish)
    browser = ann.session  # cookies know no ports: it is one jar for both
    answer = browser.get(rp.url + "/private/", timeout=30)
    page = Page(ann, answer.url, answer)
    assert urlsplit(page.url).path == "/login", rp.report()
    page = ann.log_in(page)
    page = page.submit(answer="yes")
    answer = browser.get(page.url, timeout=30)
    assert "Inside" in answer.text and answer.headers["X-Email"] == ann.email and answer.headers["X-Name"] == "Ann Archer", rp.report()
    tokens = {browser.get(rp.url + "/private/", timeout=30).headers["X-Token"] for _ in range(3)}
    assert len(tokens) == 3, "each request refreshes, as it is told to"
    answer = browser.get(rp.url + "/private/back?logout=" + rp.url + "/", timeout=30)
    assert answer.url.startswith(rp.url + "/"), answer.text
    assert urlsplit(browser.get(rp.url + "/private/", timeout=30).url).path == "/login"


# Many at once, and a process that dies

@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


def database_of(engine, request):
    return None if engine == "sqlite" else fresh(request.getfixturevalue("server"))


def fresh(server):
    name = f"user_{uuid.uuid4().hex[:8]}"
    other = psycopg2.connect(server.url)
    other.autocommit = True
    other.cursor().execute(f"create database {name}")
    other.close()
    return server.url.replace("/postgres", f"/{name}")


def refresh_all(at, registered, token, kill_after):
    """PARALLEL requests with one token; the process dies once so many were answered (0: it does not). The successors that came."""
    auth, arrived, lock = (registered["client_id"], registered["client_secret"]), [], threading.Lock()

    def one(_):
        try:
            answer = requests.post(at.issuer + "/oauth2/token", auth=auth, timeout=60, data={"grant_type": "refresh_token", "refresh_token": token})
        except requests.RequestException:
            return
        with lock:
            arrived.append((answer.status_code, answer.json().get("refresh_token")))
            if len(arrived) == kill_after:
                at.program.process.kill()
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        waiting = [pool.submit(one, number) for number in range(PARALLEL)]
        if kill_after:
            at.program.process.wait(60)
            at.again()
        concurrent.futures.wait(waiting)
    assert {status for status, _ in arrived} <= {200}, collections.Counter(arrived)
    return {successor for _, successor in arrived}


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_no_refresh_token_has_two_successors_though_the_process_dies(provider, party, request, engine):
    at = provider(more=GRACE.format("5m"), database=database_of(engine, request))
    registered = at.client("shop", "--redirect", BACK)
    rp, chance = party(at, registered), random.Random(11)
    token, used = tokens_of(rp, at.register("ann@shop.test"))["refresh_token"], []
    for round_ in range(RESTARTS):
        successors = refresh_all(at, registered, token, kill_after=chance.randint(1, PARALLEL // 2))
        successors.add(rp.do("refresh", token=token)["refresh_token"])  # whose answer was lost asks again
        assert len(successors) == 1, f"round {round_}"
        used.append(token)
        token = successors.pop()
    assert len(set(used)) == RESTARTS
    assert len(refresh_all(at, registered, token, kill_after=0)) == 1
    rp.do("refresh", token=rp.do("refresh", token=token)["refresh_token"])
    with pytest.raises(Refused, match="invalid_grant"):
        rp.do("refresh", token=used[-1])


# The gateway takes its tokens without asking

def test_the_gateway_lets_in_who_has_a_token_of_the_provider(shop, gateway, upstream):
    at, rp, ann = shop
    orders = upstream()
    gw = gateway(f"""
        upstreams: {{ shop: {{ servers: [ "{orders.address}" ] }} }}
        auth: {{ api: {{ jwt: {{ issuer: "{at.issuer}", jwks: "{at.issuer}/oauth2/jwks", audience: "{at.issuer}" }} }} }}
        routes: [ {{ name: api, match: /api/**, to: shop, auth: api }} ]""")
    tokens = tokens_of(rp, ann, "openid email")

    def ask(token):
        return requests.get(gw.url + "/api/orders", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code
    assert ask(tokens["access_token"]) == 200
    assert ask(tokens["id_token"]) == 401  # for the client, not for an API
    assert ask(tokens["access_token"][:-8] + "AAAAAAAA") == 401
    assert ask(tokens["refresh_token"]) == 401
