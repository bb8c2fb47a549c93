# SPDX-License-Identifier: Apache-2.0
"""The user service: people who register, log in, forget, change and leave; those who look after them; those who try to find out
who is there. On SQLite and on PostgreSQL."""
import json
import uuid

import pytest

from actors.accounts import NO_THROTTLE, PASSWORD, QUICK, TOKEN, Accounts, Person
from actors.postgres import Postgres


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


def fresh(server):
    import psycopg2
    name = f"user_{uuid.uuid4().hex[:8]}"
    other = psycopg2.connect(server.url)
    other.autocommit = True
    other.cursor().execute(f"create database {name}")
    other.close()
    return server.url.replace("/postgres", f"/{name}")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, stage):
    """The URL of an empty one."""
    if request.param == "sqlite":
        return f"sqlite:{stage.folder}/user.db"
    return fresh(request.getfixturevalue("server"))


@pytest.fixture
def accounts(stage, database):
    def make(*more, **options):
        at = Accounts(stage.folder, database, more or (QUICK, NO_THROTTLE), number=stage.count(Accounts), **options)
        return stage.enter(at, at.finish)
    return make


# --- coming in ---------------------------------------------------------------------------------------------------------------


def test_somebody_registers_verifies_logs_in_and_out(accounts):
    service = accounts()
    ann = service.register("Ann@Shop.test", name="Ann", locale="de", profile={"size": 42})
    assert ann.user["status"] == "active" and ann.user["email_verified"] and ann.user["profile"] == {"size": 42}
    answer = ann.log_in(login="ann@shop.TEST")
    assert answer.status == 201 and answer.json["state"] == "authenticated" and "Set-Cookie" not in answer.headers
    me = ann.say("GET", "/v1/me")
    assert me.status == 200 and me.json["id"] == ann.id and me.json["login_at"]
    assert ann.say("DELETE", "/v1/sessions/current").status == 204
    assert ann.say("GET", "/v1/me").status == 401
    assert ann.say("DELETE", "/v1/sessions/current").status == 204


def test_a_browser_has_a_cookie_and_shows_that_a_page_of_ours_asks(accounts):
    ann = accounts().register()
    cookie = ann.browse().headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "token" not in ann.browse().json
    assert ann.say("GET", "/v1/me", X_CSRF_Token="").status == 200
    for wrong in "", "0" * 64:
        refused = ann.say("PATCH", "/v1/me", {"name": "Eve"}, X_CSRF_Token=wrong)
        assert refused.status == 403 and refused.code == "auth.csrf"
        assert ann.say("DELETE", "/v1/sessions/current", X_CSRF_Token=wrong).status == 403
    assert ann.say("PATCH", "/v1/me", {"name": "Ann"}).json["name"] == "Ann"
    out = ann.say("DELETE", "/v1/sessions/current")
    assert out.status == 204 and "Max-Age=0" in out.headers["Set-Cookie"]
    assert ann.say("GET", "/v1/me").status == 401


def test_a_code_needs_who_registered(accounts):
    """Else whoever owns an address would open, by a click, the account that a stranger has a password of."""
    service = accounts()
    begun = service.say("POST", "/v1/registrations", {"email": "ann@shop.test", "password": PASSWORD})
    code = service.mail("ann@shop.test")["code"]
    other = service.say("POST", "/v1/registrations", {"email": "eve@shop.test", "password": PASSWORD}).json["proof"]
    for shown in {}, {"proof": other}, {"password": "not the password"}:
        refused = service.say("POST", "/v1/verifications", {"code": code, **shown})
        assert refused.status == 403 and refused.code == "user.code"
    assert service.say("POST", "/v1/verifications", {"code": "x" * 43, "proof": begun.json["proof"]}).code == "user.code"
    assert service.say("POST", "/v1/verifications", {"code": code, "password": PASSWORD}).status == 200
    assert service.say("POST", "/v1/verifications", {"code": code, "password": PASSWORD}).status == 403
