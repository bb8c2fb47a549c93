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


# --- passwords ---------------------------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_and_everybody_is_logged_out(accounts):
    service = accounts()
    ann = service.register()
    ann.log_in()
    assert service.say("POST", "/v1/recoveries", {"login": ann.email.upper()}).status == 202
    code = service.mail(ann.email, "recovery")["code"]
    weak = service.say("POST", "/v1/passwords", {"code": code, "password": "password123"})
    assert weak.status == 422 and weak.errors == {"/password": "known"}
    assert ann.is_in()
    assert service.say("POST", "/v1/passwords", {"code": code, "password": "another good horse"}).status == 204
    assert not ann.is_in() and ann.log_in().status == 401
    assert ann.log_in("another good horse").status == 201
    again = service.say("POST", "/v1/passwords", {"code": code, "password": "a third good horse"})
    assert again.status == 403 and again.code == "user.code"


def test_a_changed_password_ends_all_sessions_but_this_one_whose_token_is_another(accounts):
    service = accounts()
    ann, other = service.register(), None
    other = Person(service, ann.email, ann.password, ann.user)
    other.log_in(), ann.log_in()
    wrong = ann.say("POST", "/v1/me/password", {"current": "not the password", "password": "another good horse"})
    assert wrong.status == 422 and wrong.errors == {"/current": "wrong"}
    short = ann.say("POST", "/v1/me/password", {"current": PASSWORD, "password": "short"})
    assert short.errors == {"/password": "too_short"} and other.is_in()
    done = ann.say("POST", "/v1/me/password", {"current": PASSWORD, "password": "another good horse"})
    assert done.status == 200 and done.json["token"] != ann.token
    assert not ann.is_in() and not other.is_in()
    ann.token = done.json["token"]
    assert ann.is_in() and ann.log_in().status == 401 and ann.log_in("another good horse").status == 201
    assert service.mail(ann.email, "registration") and service.sql("select count(*) from sessions where ended_at is not null") == [(1,)]


@pytest.mark.parametrize("source, rehashed", [("native", True), ("shop", False)])
def test_a_weaker_hash_is_made_anew_at_a_login_only_where_nobody_else_reads_it(accounts, source, rehashed):
    service = accounts()
    ann = service.register()
    import hashlib
    old = "pbkdf2:sha256:1000$salt$" + hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000).hex()
    service.sql("update passwords set stored = ?, source = ?", old, source)
    assert ann.log_in("wrong").status == 401 and service.sql("select stored from passwords") == [(old,)]
    assert ann.log_in().status == 201
    stored = service.sql("select stored from passwords")[0][0]
    assert stored.startswith("$argon2id$") if rehashed else stored == old
    assert ann.log_in().status == 201


def test_another_address_counts_once_its_mail_was_answered(accounts):
    service = accounts()
    ann, bob = service.register(), service.register()
    ann.log_in(), bob.log_in()
    assert ann.say("POST", "/v1/me/email", {"email": "New@Shop.test"}).status == 202
    code = service.mail("new@shop.test", "email")["code"]
    assert service.say("POST", "/v1/verifications", {"code": code}).status == 403
    assert bob.say("POST", "/v1/verifications", {"code": code}).status == 403
    assert ann.say("GET", "/v1/me").json["email"] == ann.email
    assert ann.say("POST", "/v1/verifications", {"code": code}).json["email"] == "New@shop.test"
    assert ann.log_in().status == 401 and ann.log_in(login="new@shop.test").status == 201
    taken = ann.say("POST", "/v1/me/email", {"email": bob.email})  # is told to bob and to nobody else
    assert taken.status == 202
    code = service.mail(bob.email, "email_taken")["code"]
    assert ann.say("POST", "/v1/verifications", {"code": code}).status == 403


def test_what_changes_how_one_logs_in_wants_a_fresh_proof(accounts):
    service = accounts()
    ann = service.register()
    ann.log_in()
    service.earlier("sessions", "proved_at", 3600)
    for method, path, body in (("POST", "/v1/me/email", {"email": "new@shop.test"}), ("POST", "/v1/me/factors/totp", None),
                               ("DELETE", "/v1/me/factors/totp", None), ("POST", "/v1/me/factors/recovery-codes", None), ("DELETE", "/v1/me", None)):
        refused = ann.say(method, path, body)
        assert (path, refused.status, refused.code) == (path, 403, "user.reauthenticate")
    before = ann.token
    assert ann.prove(password="not the password").status == 401
    assert ann.prove().status == 200 and ann.token != before
    assert service.say("GET", "/v1/me", Authorization=f"Bearer {before}").status == 401
    assert ann.say("POST", "/v1/me/email", {"email": "new@shop.test"}).status == 202


# --- second factors ----------------------------------------------------------------------------------------------------------


def code_of(secret, step=0):
    import base64, hashlib, hmac, struct, time
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def with_totp(service):
    """Somebody with an authenticator: (person, secret, recovery codes)."""
    ann = service.register()
    ann.log_in()
    secret = ann.say("POST", "/v1/me/factors/totp").json["secret"]
    assert ann.log_in().json["state"] == "authenticated"  # it counts for nothing yet
    confirmed = ann.say("POST", "/v1/me/factors/totp/confirmation", {"code": code_of(secret, -1)})
    assert confirmed.status == 200, confirmed.body
    return ann, secret, confirmed.json["recovery_codes"]


def test_a_login_waits_for_the_second_factor(accounts):
    service = accounts()
    ann, secret, codes = with_totp(service)
    half = ann.log_in()
    assert half.json["state"] == "factor_due" and len(codes) == 10
    assert ann.say("GET", "/v1/me").status == 401 and ann.say("POST", "/v1/sessions/proof", {"password": PASSWORD}).status == 401
    assert ann.say("POST", "/v1/sessions/factor", {"code": "000000"}).status == 401
    whole = ann.say("POST", "/v1/sessions/factor", {"code": code_of(secret)})
    assert whole.json["state"] == "authenticated" and whole.json["token"] != ann.token and whole.json["session"] == half.json["session"]
    assert ann.say("POST", "/v1/sessions/factor", {"code": codes[0]}).status == 401  # the token is another now
    ann.token = whole.json["token"]
    sessions = ann.say("GET", "/v1/me/sessions").json["data"]
    assert [row["methods"] for row in sessions if row["current"]] == [["pwd", "otp"]]
    ann.log_in()
    assert ann.say("POST", "/v1/sessions/factor", {"code": code_of(secret)}).status == 401  # each step once
    assert ann.say("POST", "/v1/sessions/factor", {"code": codes[0].upper().replace("-", " ")}).status == 200


def test_of_many_at_once_with_one_code_one_gets_in(accounts):
    import concurrent.futures
    service = accounts()
    ann, secret, codes = with_totp(service)
    for code in code_of(secret), codes[3]:
        halves = [ann.log_in().json["token"] for _ in range(8)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda token: service.say("POST", "/v1/sessions/factor", {"code": code}, Authorization=f"Bearer {token}").status, halves))
        assert sorted(got) == [200] + [401] * 7


def test_who_has_a_second_factor_is_asked_for_it_before_it_goes(accounts):
    service = accounts()
    ann, secret, codes = with_totp(service)  # logged in with a password alone
    refused = ann.say("DELETE", "/v1/me/factors/totp")
    assert refused.status == 403 and refused.code == "user.second_factor"
    assert ann.prove(code=codes[0]).status == 200
    assert ann.say("GET", "/v1/me/factors").json == {"password": True, "totp": True, "recovery_codes_left": 9}
    assert len(ann.say("POST", "/v1/me/factors/recovery-codes").json["recovery_codes"]) == 10
    assert ann.prove(code=codes[1]).status == 401
    assert ann.say("POST", "/v1/me/factors/totp").code == "user.totp_there"
    assert ann.say("DELETE", "/v1/me/factors/totp").status == 204
    assert ann.log_in().json["state"] == "authenticated"


# --- sessions ----------------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended(accounts):
    service = accounts()
    ann, other, eve = service.register(), None, service.register()
    other = Person(service, ann.email, ann.password, ann.user)
    ann.log_in(), other.log_in(), eve.log_in()
    rows = ann.say("GET", "/v1/me/sessions").json["data"]
    assert [row["current"] for row in rows].count(True) == 1 and len(rows) == 2
    theirs = next(row["id"] for row in rows if not row["current"])
    assert eve.say("DELETE", f"/v1/me/sessions/{theirs}").status == 404 and other.is_in()
    assert ann.say("DELETE", f"/v1/me/sessions/{theirs}").status == 204
    assert not other.is_in() and ann.is_in()
    other.log_in()
    assert ann.say("DELETE", "/v1/me/sessions").status == 204
    assert not other.is_in() and ann.is_in() and eve.is_in()


def test_a_session_ends_idle_and_it_ends_old(accounts):
    service = accounts(QUICK, NO_THROTTLE, "sessions: { idle: 1h, longest: 10h }")
    ann = service.register()
    for seconds, columns in ((3599, ["idle_until"]), (3601, ["idle_until"]), (36001, ["idle_until", "until"])):
        ann.log_in()
        for column in columns:
            service.earlier("sessions", column, seconds, "ended_at is null")
        assert ann.is_in() == (seconds < 3600)
        ann.log_in()
        assert len(ann.say("GET", "/v1/me/sessions").json["data"]) == (2 if seconds < 3600 else 1)
        service.sql("update sessions set ended_at = created_at where ended_at is null")


def test_use_keeps_a_session_and_is_not_written_down_each_time(accounts):
    service = accounts(QUICK, NO_THROTTLE, "sessions: { idle: 1h, longest: 10h }")
    ann = service.register()
    ann.log_in()
    first = service.sql("select used_at, idle_until from sessions")
    assert ann.is_in() and service.sql("select used_at, idle_until from sessions") == first
    service.earlier("sessions", "used_at", 600)
    service.earlier("sessions", "idle_until", 600)
    assert ann.is_in()
    used, until = service.sql("select used_at, idle_until from sessions")[0]
    assert used >= first[0][0] and until >= first[0][1]


def test_the_tables_have_no_token(accounts):
    service = accounts()
    ann, _, codes = with_totp(service)
    ann.log_in()
    tables = [row[0] for row in service.sql("select name from sqlite_master where type = 'table'" if "sqlite" in service.database else
                                             "select table_name from information_schema.tables where table_schema = 'public'")]
    told = "\n".join(str(service.sql(f"select * from {table}")) for table in tables if not table.startswith("sqlite_"))
    assert ann.email in told
    for secret in (ann.token, service.mail(ann.email)["code"], PASSWORD, codes[0], codes[0].replace("-", "")):
        assert secret not in told
