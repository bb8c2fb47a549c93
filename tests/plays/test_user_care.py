# SPDX-License-Identifier: Apache-2.0
"""Those who look after accounts: programs with a token, the command line, the audit log; what is kept, what breaks, and a process
that is killed. On SQLite, and on PostgreSQL with a Redis."""
import http.client
import json
import socket
import threading

import pytest

from actors.accounts import PASSWORD, Accounts, Person, say, with_totp
from actors.gateway import run_banyan
from actors.postgres import Postgres
from actors.waiting import PROOF, until


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


@pytest.mark.both_engines
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


def test_what_was_decided_of_an_older_version_is_not_done(accounts):
    service = accounts()
    ann = service.register()
    path, old = f"/v1/users/{ann.id}", service.admin_say("GET", f"/v1/users/{ann.id}").headers["ETag"]
    now = service.admin_say("PATCH", path, {"roles": ["staff"]}).headers["ETag"]
    ann.log_in()
    asked = [(service.admin_say, "DELETE", path), (service.admin_say, "POST", path + "/suspend"), (ann.say, "DELETE", "/v1/me")]
    for who, method, at in asked:
        assert (method, who(method, at, If_Match=old).status) == (method, 412)
    done = service.admin_say("POST", path + "/suspend", If_Match=now)
    assert done.status == 200 and service.admin_say("POST", path + "/activate", If_Match=now).status == 412
    assert service.admin_say("DELETE", path, If_Match=done.headers["ETag"]).status == 204


@pytest.mark.both_engines
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
    assert service.run("fsck")[0] == 0
    service.sql("insert into passwords (user_id, stored, format, source, set_at) select id, 'x', 'x', 'native', created_at from users")
    service.sql("update sessions set ended_at = null")
    service.sql("update audit set actor = 'somebody' where seq = 1")
    code, out, _ = service.run("fsck", "--json")
    assert code == 3 and [(row["name"], row["wrong"]) for row in json.loads(out)["checks"]] == [
        ("audit.chain", 1), ("erased.gone", 1), ("sessions.allowed", len(service.sql("select id from sessions")))], out


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


@pytest.mark.both_engines
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


# --- the process -------------------------------------------------------------------------------------------------------------


def test_in_one_process_with_the_gateway(accounts):
    service = accounts(whole=True)
    ann = service.register()
    ann.browse()
    assert ann.say("PATCH", "/v1/me", {"name": "Ann"}).json["name"] == "Ann"
    assert [row["address"] for row in ann.say("GET", "/v1/me/sessions").json["data"]] == ["127.0.0.1"]
    spoofed = service.say("POST", "/v1/sessions", {"login": ann.email, "password": "wrong"}, X_Forwarded_For="192.0.2.9", X_Real_IP="192.0.2.9")
    assert spoofed.status == 401 and service.admin_say("GET", "/v1/audit?limit=1").json["data"][0]["address"] == "127.0.0.1"
    assert ann.say("DELETE", "/v1/sessions/current").status == 204 and not ann.is_in()


@pytest.mark.both_engines
def test_what_is_long_over_is_cleared_away(accounts, stage):
    """By a job of every hour; one that was due while nobody ran is done at the start."""
    service = accounts()
    ann, bob = service.register(), service.register()
    ann.log_in(), bob.log_in()
    service.sql("update sessions set ended_at = created_at where user_id = (select id from users where email_norm = ?)", bob.email)
    for column in "idle_until", "until":
        service.earlier("sessions", column, 200 * 86400, "ended_at is not null")
    service.earlier("mail_codes", "until", 200 * 86400)
    until(lambda: service.sql("select count(*) from job_schedules where name = 'user.house'") == [(1,)], "the schedule")
    service.earlier("job_schedules", "next_at", 2 * 86400, "name = 'user.house'")
    service = ann.service = service.again()
    stage.enter(service, service.finish)
    until(lambda: service.sql("select count(*) from mail_codes") == [(0,)], "old codes to go")
    until(lambda: service.sql("select count(*) from sessions") == [(1,)], "old sessions to go")
    assert ann.is_in()


# --- caches and faults -------------------------------------------------------------------------------------------------------


@pytest.mark.both_engines
def test_kept_answers_are_never_older_than_a_change(accounts, accounts_database):
    """Two processes and a Redis: who changes sees it at once, the other within a second, and nobody asks the database twice."""
    if accounts_database.startswith("sqlite"):
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


@pytest.mark.both_engines
def test_an_import_makes_kept_answers_old(accounts, accounts_database):
    if accounts_database.startswith("sqlite"):
        pytest.skip("nothing is kept without a Redis")
    service = accounts()

    def take(active, query=""):
        row = json.dumps({"id": 7, "username": "eve", "is_active": active}).encode()
        taken = service.admin_say("POST", f"/v1/users:import?source=shop{query}", row)
        assert taken.status == 200, taken.body
        return taken.json["results"][0]

    path = f"/v1/users/{take(True)['user']}"
    assert service.admin_say("GET", path).json["status"] == "active"
    assert take(False, "&refresh=true")["outcome"] == "changed"
    assert service.admin_say("GET", path).json["status"] == "suspended"


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
