# SPDX-License-Identifier: Apache-2.0
"""The user service: people who register, log in, forget, change and leave; those who try to find out who is there, and those who
send nonsense. On SQLite, and on PostgreSQL with a Redis."""
import collections
import concurrent.futures
import hashlib
import json

import pytest

from actors.accounts import NO_THROTTLE, PASSWORD, QUICK, Person, code_of, with_totp
from actors.waiting import PROOF


# --- coming in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both_engines
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


def test_a_recovery_that_went_to_an_old_address_is_good_for_nothing(accounts):
    """As when both were asked for at once, and the address changed before the code was made."""
    service = accounts()
    ann = service.register()
    assert service.say("POST", "/v1/recoveries", {"login": ann.email}).status == 202
    code = service.mail(ann.email, "recovery")["code"]
    service.sql("update users set email = 'new@shop.test', email_norm = 'new@shop.test'")
    refused = service.say("POST", "/v1/passwords", {"code": code, "password": "another good horse"})
    assert refused.status == 403 and refused.code == "user.code" and ann.log_in(login="new@shop.test").status == 201


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


@pytest.mark.parametrize("agent, kept", [("caf\xe9 \xff", "caf? ?"), ("a\tb", "a?b"), ("x" * 199 + "\xc3\xa9", "x" * 199), ("\xc3\xa9", "é")])
def test_a_browser_may_call_itself_anything(accounts, agent, kept):
    ann = accounts().register()
    answer = ann.service.say("POST", "/v1/sessions", {"login": ann.email, "password": PASSWORD, "bearer": True}, User_Agent=agent)
    assert answer.status == 201, answer.body
    listed = ann.service.say("GET", "/v1/me/sessions", Authorization=f"Bearer {answer.json['token']}")
    assert [row["agent"] for row in listed.json["data"]] == [kept]


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
MADE_UP = "x" * 43  # a code, or a token, that nobody was given


def verify(service, login):
    begun = service.say("POST", "/v1/registrations", {"email": login, "password": PASSWORD})
    return service.say("POST", "/v1/verifications", {"code": MADE_UP, "proof": begun.json["proof"]})


def second_factor(service, login):
    assert service.say("POST", "/v1/sessions", {"login": login, "password": "not the password"}).status == 401
    return service.say("POST", "/v1/sessions/factor", {"code": "000000"}, Authorization=f"Bearer {MADE_UP}")


def take_address(service, login):
    """Somebody with an account wants that address."""
    if not hasattr(service, "eve"):
        service.eve = service.register()
        service.eve.log_in()
    return service.eve.say("POST", "/v1/me/email", {"email": login})


def reset(service, login):
    assert service.say("POST", "/v1/recoveries", {"login": login}).status == 202
    return service.say("POST", "/v1/passwords", {"code": MADE_UP, "password": "another good horse"})


FLOWS = {
    "login": lambda service, login: service.say("POST", "/v1/sessions", {"login": login, "password": "not the password"}),
    "recovery": lambda service, login: service.say("POST", "/v1/recoveries", {"login": login}),
    "registration": lambda service, login: service.say("POST", "/v1/registrations", {"email": login, "password": PASSWORD}),
    "verification": verify, "second factor": second_factor, "change of address": take_address, "reset by code": reset,
}
ADDRESSES = {"registration", "verification", "change of address"}  # they take an address, and no other name
HASHES = {"login": 1, "registration": 1, "verification": 1, "second factor": 1}
NAMES = 200


def asked_about(service, flow):
    FLOWS[flow](service, "first@shop.test")  # what is made at the first time
    return {kind: login for kind, login in everybody(service).items() if flow not in ADDRESSES or kind not in ("no name", "garbage")}


def work(service):
    """Statements, transactions and hashes so far."""
    scrape = service.scrape()
    return (int(scrape.value("banyan_db_statements_total", database="user")),
            int(scrape.value("banyan_db_transactions_committed_total", database="user")),
            sum(int(value) for (name, _), value in scrape.samples.items() if name == "banyan_password_seconds_count"))


def least(service, flow, logins, tries=60):
    """Of each name. What runs in the background adds to some of the samples and takes from none, so those that are above the least of
    all are asked again. Names in turn: a time in which everybody's samples are too large ends for all of them."""
    counted = {}
    for _ in range(tries):
        above = [login for login in logins if login not in counted or counted[login] != min(counted.values())]
        for login in above:
            before = work(service)
            FLOWS[flow](service, login)
            sample = tuple(after - was for after, was in zip(work(service), before))
            counted[login] = min(counted.get(login, sample), sample)
        if len(set(counted.values())) == 1:
            break
    return counted


@pytest.mark.parametrize("flow", FLOWS)
def test_answers_are_the_same_whoever_is_asked_about(accounts, flow):
    service = accounts()
    answers = {kind: told(FLOWS[flow](service, login)) for kind, login in asked_about(service, flow).items()}
    for kind, answer in answers.items():
        assert answer == answers["there"], kind


@pytest.mark.parametrize("flow", FLOWS if PROOF else ["login", "recovery"])
def test_work_is_the_same_whoever_is_asked_about(accounts, flow):
    service = accounts(QUICK, MANY, beside=False)  # no relay reads the outbox meanwhile
    logins = asked_about(service, flow)
    counted = least(service, flow, list(logins.values()))
    assert len(set(counted.values())) == 1, {kind: counted[login] for kind, login in logins.items()}
    assert counted[logins["there"]][0] >= 4 and counted[logins["there"]][2] == HASHES.get(flow, 0)


@pytest.mark.skipif(not PROOF, reason="BANYAN_PROOF=1: hundreds of names")
@pytest.mark.parametrize("flow", FLOWS)
def test_work_is_the_same_over_names_that_are_there_and_that_are_not(accounts, flow):
    service = accounts(QUICK, MANY, beside=False)
    FLOWS[flow](service, "first@shop.test")
    there, nobody = ([f"{side}{number}@shop.test" for number in range(NAMES)] for side in ("there", "nobody"))
    for name in there:
        made = service.admin_say("POST", "/v1/users", {"email": name, "password": PASSWORD, "email_verified": True})
        assert made.status == 201, made.body
    counted = least(service, flow, [name for pair in zip(there, nobody) for name in pair])
    print(f"{flow}: statements, transactions and hashes of {len(counted)} names: {collections.Counter(counted.values())}")
    assert len(set(counted.values())) == 1, {name: counted[name] for name in counted if counted[name] != min(counted.values())}


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


@pytest.mark.both_engines
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


def test_too_often_does_not_tell_which_names_are_of_one_account(accounts):
    service = accounts(QUICK, FEW)
    ann = service.register()
    ann.log_in()
    assert ann.say("PATCH", "/v1/me", {"username": "annie"}).status == 200

    def after(login, name):
        for _ in range(4):
            service.say("POST", "/v1/sessions", {"login": login, "password": "wrong"}, X_Forwarded_For="192.0.2.1")
            service.say("POST", "/v1/recoveries", {"login": login})
        login = service.say("POST", "/v1/sessions", {"login": name, "password": "wrong"}, X_Forwarded_For="192.0.2.1")
        return login.status, service.say("POST", "/v1/recoveries", {"login": name}).status

    assert after(ann.email, "annie") == after("nobody@shop.test", "nobody") == (401, 202)


def test_who_guesses_from_elsewhere_keeps_nobody_out(accounts):
    service = accounts(QUICK, FEW)
    ann = service.register()
    assert ann.log_in().status == 201

    def guess(address, password="wrong"):
        return service.say("POST", "/v1/sessions", {"login": ann.email, "password": password}, X_Forwarded_For=address).status

    assert [guess("192.0.2.1") for _ in range(4)] == [401, 401, 401, 429]
    assert [guess("192.0.2.2", PASSWORD), guess("192.0.2.3", PASSWORD)] == [429, 429]
    assert ann.log_in().status == 201 and service.admin_say("GET", "/v1/audit?limit=1").json["data"][0]["address"] == "127.0.0.1"


@pytest.mark.both_engines
def test_guesses_at_once_are_counted_before_they_are_looked_at(accounts):
    service = accounts(QUICK, FEW)
    ann = service.register()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: ann.service.say("POST", "/v1/sessions", {"login": ann.email, "password": "wrong"}).status, range(16)))
    assert sorted(got) == [401] * 3 + [429] * 13


def test_a_full_queue_of_hashes_says_so_and_counts_for_nothing(accounts):
    service = accounts("password: { memory: 64MiB, passes: 4, workers: 1, queue: 1 }", FEW.replace("tries: 3", "tries: 40", 1))
    ann = service.register()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        got = list(pool.map(lambda _: service.say("POST", "/v1/sessions", {"login": ann.email, "password": "wrong"}), range(72)))
    busy = [answer for answer in got if answer.status == 503]
    assert {answer.status for answer in got} == {401, 503} and busy[0].code == "auth.password_busy" and len(got) - len(busy) < 40
    assert ann.log_in().status == 201


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


def test_what_is_wrong_is_told_all_at_once(accounts, accounts_database):
    if not accounts_database.startswith("sqlite"):
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


@pytest.mark.both_engines
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


def test_custom_fields_keep_to_the_schema(accounts, stage, accounts_database):
    if not accounts_database.startswith("sqlite"):
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


def test_what_is_offered_is_described(accounts, accounts_database):
    if not accounts_database.startswith("sqlite"):
        pytest.skip("nothing of it reaches a database")
    described = accounts().say("GET", "/openapi.json").json
    assert {"/v1/registrations", "/v1/sessions", "/v1/me", "/v1/users/{id}", "/v1/audit"} <= set(described["paths"])
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert path == "/openapi.json" or operation["summary"], (method, path)
