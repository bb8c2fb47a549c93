# SPDX-License-Identifier: Apache-2.0
"""The user service: people who register, log in, forget, change and leave; those who look after them; those who try to find out
who is there. On SQLite and on PostgreSQL."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import socket
import struct
import threading
import time
import uuid

import pytest

from actors.accounts import NO_THROTTLE, PASSWORD, QUICK, Accounts, Person, say
from actors.gateway import run_banyan
from actors.postgres import Postgres
from actors.storm import RedisServer
from actors.waiting import PROOF, until


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


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    yield running
    running.kill()


@pytest.fixture
def accounts(stage, database, request):
    """On SQLite by itself; on PostgreSQL with a Redis, where answers are kept and events go."""
    def make(*more, beside=True, **options):
        more = more or (QUICK, NO_THROTTLE)
        if beside and database.startswith("postgresql"):
            more += (f'redis: "{request.getfixturevalue("redis").url}"', "cache: { memory: 1MiB }")
        at = Accounts(stage.folder, database, more, number=stage.count(Accounts), **options)
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


# --- who is there is nobody's business ---------------------------------------------------------------------------------------


def told(answer):
    """Everything an answer says but what is every answer's own."""
    own = {"date", "x-request-id"}
    body = {key: value for key, value in answer.json.items() if key not in ("request_id", "proof", "expires_at")} if answer.body else None
    return answer.status, sorted((key.lower(), value) for key, value in answer.headers.items() if key.lower() not in own), body


def everybody(service):
    """Logins of all kinds, {kind: login}: each must look like the others to who has no password."""
    there = service.register().email
    suspended, erased = service.register(), service.register()
    assert service.admin_say("POST", f"/v1/users/{suspended.id}/suspend").status == 200
    assert service.admin_say("DELETE", f"/v1/users/{erased.id}").status == 204
    assert service.admin_say("POST", "/v1/users", {"email": "invited@shop.test", "username": "invited"}).status == 201
    return {"there": there, "nobody": "nobody@shop.test", "no name": "nobody", "suspended": suspended.email,
            "erased": erased.email, "invited": "invited@shop.test", "garbage": "a b\u3000@"}


MANY = "throttle: { account: { tries: 100000 }, address: { tries: 100000 }, network: { tries: 100000 }, all: { tries: 100000 } }"
FLOWS = {
    "login": lambda service, login: service.say("POST", "/v1/sessions", {"login": login, "password": "not the password"}),
    "recovery": lambda service, login: service.say("POST", "/v1/recoveries", {"login": login}),
    "registration": lambda service, login: service.say("POST", "/v1/registrations", {"email": login, "password": PASSWORD}),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_answers_are_the_same_whoever_is_asked_about(accounts, flow):
    service = accounts()
    answers = {kind: told(FLOWS[flow](service, login)) for kind, login in everybody(service).items()
               if flow != "registration" or kind not in ("no name", "garbage")}
    for kind, answer in answers.items():
        assert answer == answers["there"], kind


@pytest.mark.parametrize("flow", FLOWS)
def test_work_is_the_same_whoever_is_asked_about(accounts, flow):
    """Statements, transactions and hashes, counted. What runs in the background adds to some of the samples and takes from none."""
    service = accounts(QUICK, MANY, beside=False)  # no relay reads the outbox meanwhile
    kinds = {kind: login for kind, login in everybody(service).items() if flow != "registration" or kind not in ("no name", "garbage")}

    def work():
        scrape = service.scrape()
        return (int(scrape.value("banyan_db_statements_total", database="user")),
                int(scrape.value("banyan_db_transactions_committed_total", database="user")),
                sum(int(value) for (name, _), value in scrape.samples.items() if name == "banyan_password_seconds_count"))

    def least(login):
        samples = []
        for _ in range(6):
            before = work()
            FLOWS[flow](service, login)
            samples.append(tuple(after - was for after, was in zip(work(), before)))
        return tuple(map(min, zip(*samples)))

    counted = {kind: least(login) for kind, login in kinds.items()}
    assert len(set(counted.values())) == 1, counted
    assert counted["there"][0] >= 4 and counted["there"][2] == {"login": 1, "recovery": 0, "registration": 1}[flow]


def test_a_right_password_of_who_may_not_log_in_is_a_wrong_one(accounts):
    service = accounts()
    ann = service.register()
    ann.log_in()
    assert service.admin_say("POST", f"/v1/users/{ann.id}/suspend").json["status"] == "suspended"
    assert not ann.is_in()
    assert told(ann.log_in()) == told(ann.log_in("wrong"))
    assert service.admin_say("POST", f"/v1/users/{ann.id}/activate").json["status"] == "active"
    assert not ann.is_in() and ann.log_in().status == 201


# --- too often ---------------------------------------------------------------------------------------------------------------

FEW = "throttle: { account: { tries: 3, delay: 1h, most: 1h }, address: { tries: 0 }, network: { tries: 0 }, all: { tries: 0 } }"
FEW_AT_ONE = "throttle: { account: { tries: 0 }, address: { tries: 3, forget: 1h }, network: { tries: 0 }, all: { tries: 0 } }"


def test_one_account_can_be_tried_a_few_times(accounts):
    service = accounts(QUICK, FEW)
    ann, bob = service.register(), service.register()
    for _ in range(2):
        assert ann.log_in("wrong").status == 401
    assert ann.log_in().status == 201  # which forgets the others
    answers = [ann.log_in("wrong") for _ in range(4)] + [ann.log_in()]
    assert [answer.status for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[3].code == "user.limited" and 3500 < int(answers[3].headers["Retry-After"]) <= 3601
    assert told(answers[3]) == told(answers[4]) and bob.log_in().status == 201
    nobody = [service.say("POST", "/v1/sessions", {"login": "nobody@shop.test", "password": "x"}).status for _ in range(4)]
    assert nobody == [401, 401, 401, 429]
    service.earlier("throttles", "at", 3601)
    assert ann.log_in().status == 201


def test_who_guesses_from_elsewhere_keeps_nobody_out(accounts):
    service = accounts(QUICK, FEW)
    ann = service.register()
    assert ann.log_in().status == 201

    def guess(address, password="wrong"):
        return service.say("POST", "/v1/sessions", {"login": ann.email, "password": password}, X_Forwarded_For=address).status

    assert [guess("192.0.2.1") for _ in range(4)] == [401, 401, 401, 429]
    assert [guess("192.0.2.2", PASSWORD), guess("192.0.2.3", PASSWORD)] == [429, 429]
    assert ann.log_in().status == 201 and service.admin_say("GET", "/v1/audit?limit=1").json["data"][0]["address"] == "127.0.0.1"


def test_guesses_at_once_are_counted_before_they_are_looked_at(accounts):
    service = accounts(QUICK, FEW)
    ann = service.register()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: ann.service.say("POST", "/v1/sessions", {"login": ann.email, "password": "wrong"}).status, range(16)))
    assert sorted(got) == [401] * 3 + [429] * 13


def test_each_name_once_from_one_address_is_too_often_too(accounts):
    service = accounts(QUICK, FEW_AT_ONE)
    got = [service.say("POST", "/v1/sessions", {"login": f"n{i}@shop.test", "password": "x"}).status for i in range(5)]
    assert got == [401, 401, 401, 429, 429]


def test_codes_and_mails_are_throttled(accounts):
    service = accounts(QUICK, FEW)
    ann, _, _ = with_totp(service)
    ann.log_in()
    assert [ann.say("POST", "/v1/sessions/factor", {"code": "000000"}).status for _ in range(4)] == [401] * 3 + [429]
    mails = [service.say("POST", "/v1/recoveries", {"login": ann.email}).status for _ in range(4)]
    assert mails == [202] * 3 + [429]
    begun = [service.say("POST", "/v1/registrations", {"email": "x@shop.test", "password": PASSWORD}).status for _ in range(4)]
    assert begun == [202] * 3 + [429]


# --- those who look after accounts -------------------------------------------------------------------------------------------


def test_what_a_token_may_is_asked(accounts):
    service = accounts()
    assert service.say("GET", "/v1/users").status == 401
    assert service.say("GET", "/v1/users", Authorization="Bearer bst_" + "x" * 43).status == 401
    ann = service.register()
    ann.log_in()
    assert ann.say("GET", "/v1/users").status == 403
    code, token, _ = service.run("token", "reader", "--scopes", "users:read")
    token = token.strip()
    assert code == 0 and token.startswith("bst_")

    def ask(method, path, body=None):
        return service.say(method, path, body, Authorization=f"Bearer {token}")

    assert ask("GET", f"/v1/users/{ann.id}").json["email"] == ann.email
    assert ask("POST", "/v1/users", {"email": "x@shop.test"}).status == 403
    assert ask("GET", "/v1/audit").status == 403 and ask("GET", "/v1/me").status == 403
    assert service.run("token", "reader")[0] == 7 and service.run("token", "reader", "--end")[0] == 0
    assert ask("GET", f"/v1/users/{ann.id}").status == 401 and service.run("token", "reader", "--end")[0] == 5


def test_accounts_are_made_found_changed_and_erased(accounts):
    service = accounts()
    made = service.admin_say("POST", "/v1/users", {"email": "ann@shop.test", "username": "Ann", "external": "shop:42", "name": "Ann",
                                                   "roles": ["editor", "admin"], "password": PASSWORD}, Idempotency_Key="one")
    assert made.status == 201 and made.json["roles"] == ["admin", "editor"] and made.json["status"] == "active"
    again = service.admin_say("POST", "/v1/users", {"email": "ann@shop.test", "username": "Ann", "external": "shop:42", "name": "Ann",
                                                    "roles": ["editor", "admin"], "password": PASSWORD}, Idempotency_Key="one")
    assert again.json == made.json
    user, path = made.json["id"], made.headers["Location"]
    for name in user, user.removeprefix("usr_"), "shop:42":
        assert service.admin_say("GET", f"/v1/users/{name}").json["id"] == user
    for query in "login=ANN@shop.test", "login=ann", "external=shop:42", "status=active":
        assert [row["id"] for row in service.admin_say("GET", f"/v1/users?{query}").json["data"]] == [user]
    for field, value in {"email": "ann@shop.test", "username": "aNN", "external": "shop:42"}.items():
        taken = service.admin_say("POST", "/v1/users", {"email": "other@shop.test", field: value})
        assert (taken.status, taken.code) == (409, f"user.{field}_taken")
    etag = service.admin_say("GET", path).headers["ETag"]
    changed = service.admin_say("PATCH", path, {"name": "Ann B.", "roles": [], "profile": {"a": 1}}, If_Match=etag)
    assert changed.json["name"] == "Ann B." and changed.json["roles"] == [] and changed.headers["ETag"] != etag
    assert service.admin_say("PATCH", path, {"name": "Eve"}, If_Match=etag).status == 412
    assert service.admin_say("PATCH", path, {"username": None}).json["username"] is None
    ann = Person(service, "ann@shop.test", PASSWORD, made.json)
    ann.log_in()
    assert service.admin_say("GET", f"{path}/sessions").json["data"][0]["level"] == 1
    assert service.admin_say("DELETE", path).status == 204
    assert not ann.is_in() and service.admin_say("DELETE", path).status == 404
    gone = service.admin_say("GET", path).json
    assert gone["status"] == "erased" and gone["id"] == user and not gone["email"] and not gone["name"] and gone["profile"] == {}
    assert service.admin_say("GET", "/v1/users/shop:42").status == 404
    assert ann.log_in().status == 401 and service.register("ann@shop.test").id != user


def test_nothing_of_an_erased_person_stays(accounts):
    service = accounts()
    ann, _, _ = with_totp(service)
    service.say("POST", "/v1/recoveries", {"login": ann.email})
    service.say("POST", "/v1/registrations", {"email": ann.email, "password": PASSWORD})
    assert service.admin_say("DELETE", f"/v1/users/{ann.id}").status == 204
    tables = ["users", "passwords", "totps", "recovery_codes", "mail_codes", "throttles", "audit", "sessions"]
    assert all(ann.email not in str(service.sql(f"select * from {table}")) for table in tables)
    for table in "passwords", "totps", "recovery_codes":
        assert service.sql(f"select count(*) from {table}") == [(0,)]


def test_pages_of_accounts_have_each_once(accounts):
    service = accounts()
    made = [service.admin_say("POST", "/v1/users", {"email": f"n{i}@shop.test"}).json["id"] for i in range(7)]
    seen, path = [], "/v1/users?limit=3&status=invited"
    while path:
        page = service.admin_say("GET", path).json
        seen += [row["id"] for row in page["data"]]
        path = page.get("next") and f"/v1/users?limit=3&status=invited&cursor={page['next']}"
    assert seen == made


def test_an_invitation_is_taken_up(accounts):
    service = accounts()
    made = service.admin_say("POST", "/v1/users", {"email": "ann@shop.test", "name": "Ann"})
    assert made.json["status"] == "invited" and not made.json["email_verified"]
    code = service.mail("ann@shop.test", "invitation")["code"]
    assert service.say("POST", "/v1/passwords", {"code": code, "password": PASSWORD}).status == 204
    ann = Person(service, "ann@shop.test", PASSWORD, made.json)
    assert ann.log_in().status == 201
    assert ann.say("GET", "/v1/me").json["status"] == "active" and ann.say("GET", "/v1/me").json["email_verified"]


def test_one_leaves_with_all_that_is_kept_of_one(accounts):
    service = accounts()
    ann = service.register(name="Ann")
    ann.log_in()
    export = ann.say("GET", "/v1/me/export").json
    assert export["user"]["name"] == "Ann" and len(export["sessions"]) == 1
    assert [row["action"] for row in export["audit"]] == ["login", "user.registered"]
    assert ann.say("DELETE", "/v1/me").status == 204
    assert not ann.is_in() and ann.log_in().status == 401


def test_events_tell_what_happened(accounts):
    service = accounts()
    ann = service.register()
    ann.log_in()
    ann.say("PATCH", "/v1/me", {"name": "Ann"})
    service.admin_say("POST", f"/v1/users/{ann.id}/suspend")
    service.admin_say("DELETE", f"/v1/users/{ann.id}")
    rows = json.loads(run_banyan("events", "tail", service.database, "--source", "/user", "--json", "--after", "0")[1])
    assert [row["type"] for row in rows] == ["user.mail_wanted", "user.registered", "user.updated", "user.suspended", "user.erased"]
    assert all(row["subject"] == f"user/{ann.id}" for row in rows[1:])
    mail = rows[0]["data"]
    assert mail["to"] == ann.email and mail["sealed_code"].startswith("v1.k1.") and service.mail(ann.email)["code"] not in str(rows)


# --- the audit log -----------------------------------------------------------------------------------------------------------


def lines(service):
    return service.sql("select count(*) from audit")[0][0]


def test_a_changed_lost_or_moved_line_is_found(accounts):
    service = accounts()
    ann = service.register()
    for _ in range(3):
        ann.log_in(), ann.log_in("wrong")
    whole = service.run("audit", "--verify")
    assert whole[0] == 0 and f"{lines(service)} lines" in whole[1]
    noted = whole[1].split()[-1]
    assert service.run("audit", "--noted", noted)[0] == 0
    wrongs = {
        "was changed": ["update audit set actor = 'somebody' where seq = 3"],
        "is missing": ["delete from audit where seq = 4"],
        "is missing ": ["delete from audit where seq = (select max(seq) from audit)"],
        "does not come after": ["update audit set seq = -1 where seq = 3", "update audit set seq = 3 where seq = 4", "update audit set seq = 4 where seq = -1"],
        "is not what it says": ["update audit_head set seq = seq - 1"],
    }
    kept = service.sql("select seq, at, actor, action, user_id, address, detail, before, hash from audit order by seq")
    head = service.sql("select seq, hash from audit_head")[0]
    for sentence, texts in wrongs.items():
        for text in texts:
            service.sql(text)
        code, _, said = service.run("audit", "--verify")
        assert code == 3 and sentence.strip() in said, said
        service.sql("delete from audit")
        for row in kept:
            values = [json.dumps(value) if isinstance(value, dict) else value for value in row]
            service.sql("insert into audit (seq, at, actor, action, user_id, address, detail, before, hash) values (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        service.sql("update audit_head set seq = ?, hash = ?", *head)
        assert service.run("audit", "--verify")[0] == 0
    assert service.run("audit", "--noted", noted.replace(":", ":00", 1)[:-2])[0] == 3
    assert service.run("audit", "--noted", f"999:{'0' * 64}")[0] == 3


def test_the_log_says_who_did_what(accounts):
    service = accounts()
    ann = service.register()
    ann.log_in("wrong"), ann.log_in()
    service.admin_say("PATCH", f"/v1/users/{ann.id}", {"roles": ["admin"]})
    rows = service.admin_say("GET", f"/v1/audit?user={ann.id}").json["data"]
    assert [(row["action"], row["actor"]) for row in rows] == [("user.roles_changed", "token:play"), ("login", ""), ("login.failed", ""), ("user.registered", "")]
    assert rows[0]["detail"] == {"roles": "admin"} and rows[1]["address"] == "127.0.0.1"
    assert [row["seq"] for row in service.admin_say("GET", "/v1/audit?limit=1").json["data"]] == [lines(service)]


# --- what is sent ------------------------------------------------------------------------------------------------------------


def bodies():
    """{name: (path, body, status, code or errors)}"""
    def registration(**given):
        return {"email": "ann@shop.test", "password": PASSWORD, **given}
    deep = b'{"email":"a@b.test","password":"x","profile":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"
    return {
        "no json": ("/v1/registrations", b"{", 400, None),
        "an array": ("/v1/registrations", b"[]", 422, None),
        "wrong types": ("/v1/registrations", {"email": 1, "password": True, "name": [], "locale": {}}, 422, {"/email": "type", "/password": "type", "/name": "type", "/locale": "type"}),
        "nothing": ("/v1/registrations", {}, 422, {"/email": "required", "/password": "required"}),
        "unknown": ("/v1/registrations", registration(admin=True), 422, {"/admin": "unknown"}),
        "twice": ("/v1/registrations", b'{"email":"a@b.test","email":"c@d.test","password":"x"}', 400, "request.json"),
        "deep": ("/v1/registrations", deep, 400, "request.json"),
        "a NUL": ("/v1/registrations", b'{"email":"a\\u0000@b.test","password":"xxxxxxxxxxxx"}', 400, None),
        "a long name": ("/v1/registrations", registration(name="x" * 1_000_000), 413, None),
        "a long login": ("/v1/sessions", {"login": "x" * 20000, "password": "x"}, 422, {"/login": "too_long"}),
        "no utf-8": ("/v1/sessions", b'{"login":"\xff","password":"x"}', 400, None),
        "a lone surrogate": ("/v1/sessions", b'{"login":"\\ud800","password":"x"}', 400, None),
        "no address": ("/v1/registrations", registration(email="ann"), 422, {"/email": "format"}),
        "two wrongs": ("/v1/registrations", registration(email="@", password="short", locale="??"), 422, {"/email": "format", "/password": "too_short", "/locale": "format"}),
        "a turned name": ("/v1/registrations", registration(name="ann\u202egnp"), 422, {"/name": "format"}),
        "a profile that is none": ("/v1/registrations", registration(profile=[1]), 422, {"/profile": "type"}),
        "a big profile": ("/v1/registrations", registration(profile={"a": "x" * 20000}), 422, {"/profile": "invalid"}),
        "an own name": ("/v1/registrations", registration(email="ann.longname@shop.test", password="ANN.longname@shop.test"), 422, {"/password": "own_name"}),
    }


def test_what_is_wrong_is_told_all_at_once(accounts, database):
    if not database.startswith("sqlite"):
        pytest.skip("nothing of it reaches a database")
    service = accounts()
    for name, (path, body, status, wrong) in bodies().items():
        answer = service.say("POST", path, body)
        assert answer.status == status, (name, answer.status, answer.body)
        if isinstance(wrong, dict):
            assert answer.errors == wrong, name
        elif wrong:
            assert answer.code == wrong, name
    assert service.sql("select count(*) from mail_codes") == [(0,)]
    assert service.say("GET", "/v1/me").status == 401


def test_names_that_look_alike_are_one(accounts):
    service = accounts()
    ann, eve = service.register(), service.register()
    ann.log_in(), eve.log_in()
    assert ann.say("PATCH", "/v1/me", {"username": "Paypal"}).json["username"] == "Paypal"
    assert ann.say("PATCH", "/v1/me", {"username": "paypal"}).status == 200
    for name in "PAYPAL", "p\u0430yp\u0430l", "paypa1":
        got = eve.say("PATCH", "/v1/me", {"username": name})
        assert got.status in (409, 422), (name, got.body)
    assert eve.say("PATCH", "/v1/me", {"username": "eve@shop.test"}).errors == {"/username": "format"}
    assert eve.say("PATCH", "/v1/me", {"username": "J\u00fcrgen"}).status == 200
    assert eve.log_in(login="ju\u0308rgen").status == 201


def test_an_address_belongs_to_one_however_it_is_written(accounts):
    service = accounts()
    ann = service.register("J\u00fcrgen@B\u00fccher.test")
    for same in "ju\u0308rgen@b\u00fccher.test", "J\u00dcRGEN@XN--BCHER-KVA.test":
        assert ann.log_in(login=same).status == 201, same
        service.say("POST", "/v1/registrations", {"email": same, "password": PASSWORD})
    assert len([row for row in service.mails() if row["template"] == "registration_taken"]) == 2


def test_of_many_who_verify_one_address_one_has_it(accounts):
    service = accounts()
    begun = [service.say("POST", "/v1/registrations", {"email": "ann@shop.test", "password": PASSWORD}).json["proof"] for _ in range(8)]
    service.mail("ann@shop.test", count=8)
    codes = [row["code"] for row in service.mails("ann@shop.test")]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda pair: service.say("POST", "/v1/verifications", {"code": pair[0], "proof": pair[1]}).status, list(zip(codes, begun)) * 2))
    assert sorted(got) == [200] + [403] * 15
    assert service.sql("select count(*) from users") == [(1,)]


SCHEMA = {"type": "object", "additionalProperties": False, "required": ["size"],
          "properties": {"size": {"type": "integer", "minimum": 30, "maximum": 50}, "colours": {"type": "array", "items": {"enum": ["red", "blue"]}, "uniqueItems": True, "maxItems": 2},
                         "born": {"type": "string", "format": "date"}, "plate": {"type": "string", "pattern": "^[A-Z]{1,3}-[0-9]+$"}}}


def test_custom_fields_keep_to_the_schema(accounts, stage, database):
    if not database.startswith("sqlite"):
        pytest.skip("nothing of it reaches a database")
    path = stage.folder / "profile.json"
    path.write_text(json.dumps(SCHEMA))
    service = accounts(QUICK, NO_THROTTLE, f"profile: {path}")
    ann = service.register(profile={"size": 42})
    ann.log_in()
    good = {"size": 30, "colours": ["red", "blue"], "born": "2000-02-29", "plate": "B-1"}
    assert ann.say("PATCH", "/v1/me", {"profile": good}).json["profile"] == good
    wrong = ann.say("PATCH", "/v1/me", {"profile": {"colours": ["red", "red"], "born": "2001-02-29", "plate": "b-1", "hat": 1, "size": 51}})
    assert wrong.errors == {"/profile/colours/1": "unique", "/profile/born": "format", "/profile/plate": "pattern", "/profile/hat": "unknown", "/profile/size": "range"}
    assert ann.say("PATCH", "/v1/me", {"profile": {}}).errors == {"/profile/size": "required"}
    assert ann.say("GET", "/v1/me").json["profile"] == good
    path.write_text('{"properties": {"a": {"oneOf": []}}}')
    code, _, said = service.run("list")
    assert code == 2 and "/properties/a/oneOf" in said


def test_what_is_offered_is_described(accounts, database):
    if not database.startswith("sqlite"):
        pytest.skip("nothing of it reaches a database")
    described = accounts().say("GET", "/openapi.json").json
    assert {"/v1/registrations", "/v1/sessions", "/v1/me", "/v1/users/{id}", "/v1/audit"} <= set(described["paths"])
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert path == "/openapi.json" or operation["summary"], (method, path)


# --- the command line --------------------------------------------------------------------------------------------------------


def test_accounts_from_the_command_line(accounts):
    service = accounts()
    run = service.run
    code, out, said = run("add", "--email", "ann@shop.test", "--name", "Ann", "--role", "admin", "--print", "--json")
    assert code == 0, said
    user, code_of_mail = json.loads(out.splitlines()[0]), out.splitlines()[1]
    assert user["status"] == "invited" and user["roles"] == ["admin"]
    assert service.say("POST", "/v1/passwords", {"code": code_of_mail, "password": PASSWORD}).status == 204
    ann = Person(service, "ann@shop.test", PASSWORD, user)
    assert ann.log_in().status == 201
    assert run("add", "--email", "ANN@shop.test")[0] == 7 and run("add")[0] == 2
    assert run("add", "--email", "nobody", "--role", "No")[0] == 2
    assert [row["id"] for row in json.loads(run("list", "--json", "--status", "active")[1])] == [user["id"]]
    assert "127.0.0.1" in run("show", "ann@shop.test")[1] and run("show", "nobody")[0] == 5
    assert "nothing was done" in run("suspend", "ann@shop.test", "--dry-run")[2] and ann.is_in()
    assert run("suspend", "ann@shop.test")[0] == 0 and not ann.is_in()
    assert run("suspend", user["id"], "--lift")[0] == 0 and ann.log_in().status == 201
    assert run("reset", "ann@shop.test", "--json")[0] == 0
    assert run("erase", "ann@shop.test")[0] == 2 and ann.is_in()  # nobody was there to say yes
    assert run("erase", "ann@shop.test", "--yes")[0] == 0 and not ann.is_in()
    assert "user.erased" in run("audit")[1] and "by command" in run("audit")[1]
    assert run("audit", "--verify")[0] == 0


# --- killed, and started again -----------------------------------------------------------------------------------------------


class Crowd:
    """Clients that log in and out until told to end; each remembers what it was promised."""

    def __init__(self, service, people, clients):
        self.service, self.end = service, threading.Event()
        self.port = service.address.rpartition(":")[2]
        self.wrong, self.done, self.live, self.dead = [], 0, {}, set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.visit, args=(people[i % len(people)],)) for i in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, method, path, body=None, token=None):
        """None: there was no answer, so nobody knows whether it was done."""
        try:
            return say(f"127.0.0.1:{self.port}", method, path, body, **({"Authorization": f"Bearer {token}"} if token else {}))
        except (OSError, http.client.HTTPException):
            return None

    def visit(self, person):
        while not self.end.is_set():
            answer = self.ask("POST", "/v1/sessions", {"login": person.email, "password": person.password, "bearer": True})
            if answer is None or answer.status == 503:
                self.end.wait(0.01)
                continue
            if answer.status != 201:
                self.wrong.append(("log-in", answer.status, answer.body))
                return
            token = answer.json["token"]
            seen = self.ask("GET", "/v1/me", token=token)
            if seen is not None and seen.status not in (200, 503):
                self.wrong.append(("a session that was promised is not there", seen.status, seen.body))
            out = self.ask("DELETE", "/v1/sessions/current", token=token)
            with self.lock:
                self.done += 1
                if out is None or out.status == 503:
                    self.live.pop(token, None)  # it may be either
                elif out.status == 204:
                    self.dead.add(token)
                else:
                    self.wrong.append(("log-out", out.status, out.body))

    def finish(self):
        self.end.set()
        for thread in self.threads:
            thread.join()


def test_a_process_that_dies_loses_no_promise(accounts, stage):
    """Fifty clients log in and out while the process is killed; what was answered holds afterwards, and what was ended stays so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = accounts(port=port)
    people = [service.register() for _ in range(10)]
    kept = [Person(service, one.email, one.password, one.user) for one in people]
    for one in kept:
        one.log_in()
    crowd = Crowd(service, people, 50)
    try:
        for _ in range(50 if PROOF else 3):
            before = crowd.done
            until(lambda: crowd.done > before + 20 or crowd.wrong, "the crowd at work", within=60)
            service = service.again()
            stage.enter(service, service.finish)
    finally:
        crowd.finish()
    assert not crowd.wrong, crowd.wrong[:3]
    for one in kept:
        one.service = service
        assert one.is_in()
    ended = list(crowd.dead)[:: max(1, len(crowd.dead) // 200)]
    assert ended and all(service.say("GET", "/v1/me", Authorization=f"Bearer {token}").status == 401 for token in ended)
    assert service.run("audit", "--verify")[0] == 0


# --- caches and faults -------------------------------------------------------------------------------------------------------


def test_kept_answers_are_never_older_than_a_change(accounts, database):
    """Two processes and a Redis: who changes sees it at once, the other within a second, and nobody asks the database twice."""
    if database.startswith("sqlite"):
        pytest.skip("nothing is kept without a Redis")
    here, there = accounts(), accounts()
    ann = here.register()
    path = f"/v1/users/{ann.id}"

    def statements(service):
        return service.metric("banyan_db_statements_total", database="user")

    assert here.admin_say("GET", path).json == there.admin_say("GET", path).json
    least = []
    for _ in range(5):
        before = statements(here)
        for _ in range(10):
            assert here.admin_say("GET", path).json["name"] == ""
        least.append(statements(here) - before)
    assert min(least) < 10
    etag = here.admin_say("GET", path).headers["ETag"]
    for name in "Ann", "Bea", "Cia":
        assert here.admin_say("PATCH", path, {"name": name}).status == 200
        assert here.admin_say("GET", path).json["name"] == name
        until(lambda: there.admin_say("GET", path).json["name"] == name, "the other process to see it", within=5)
    assert here.admin_say("GET", path).headers["ETag"] != etag
    assert here.run("suspend", ann.id)[0] == 0
    until(lambda: there.admin_say("GET", path).json["status"] == "suspended", "what a command did", within=5)
    assert ann.log_in().status == 401


def test_without_its_database_it_says_so_and_loses_nothing(stage):
    with Postgres() as server:
        service = Accounts(stage.folder, server.url)
        stage.enter(service, service.finish)
        ann = service.register()
        ann.log_in()
        server.stop()
        for asked in (lambda: ann.say("GET", "/v1/me"), lambda: service.say("POST", "/v1/sessions", {"login": ann.email, "password": ann.password}),
                      lambda: service.say("POST", "/v1/recoveries", {"login": ann.email}), lambda: service.admin_say("POST", "/v1/users", {"email": "x@shop.test"}),
                      lambda: ann.say("DELETE", "/v1/sessions/current")):
            answer = asked()
            assert answer.status == 503 and "Retry-After" in answer.headers, answer.body
        server.start()
        until(lambda: ann.say("GET", "/v1/me").status == 200, "the database again")
        assert service.admin_say("GET", "/v1/users?login=x@shop.test").json["data"] == []
        assert ann.say("DELETE", "/v1/sessions/current").status == 204 and ann.say("GET", "/v1/me").status == 401
