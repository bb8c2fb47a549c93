# SPDX-License-Identifier: Apache-2.0
"""The user service in a process of its own, and the people and programs that ask it."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import sqlite3
import struct
import time
import uuid

import pytest

from actors.gateway import Gateway, run_banyan
from actors.notes import Said
from actors.waiting import PATIENCE_S, PROOF, until

TOKEN = "bst_" + "p" * 43  # of the play's administrator
TOKEN_ROW = "play:users:read users:write audit:read clients:read clients:write:" + hashlib.sha256(TOKEN.encode()).hexdigest()
TEXT = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: accounts, match: "/v1/**", to: "service:user" }} ]
    services:
      user:
        listen: "127.0.0.1:{port}"
        development: true
        database: {{ url: "{database}" }}
        tokens: [ "{row}" ]
        key_file: "{folder}/user.key"
        {more}
"""
# The least that argon2 does, so that plays are about something else.
QUICK = "password: { memory: 7MiB, passes: 1 }"
# Nobody waits, but where a play is about that.
NO_THROTTLE = "throttle: { account: { tries: 0 }, address: { tries: 0 }, network: { tries: 0 }, all: { tries: 0 } }"
PASSWORD = "correct horse battery"


def engine_of(request):
    """"sqlite" or "postgres", of a fixture. Outside the proof a play is for both where an engine has a part in it: both_engines."""
    if not PROOF and request.param != "sqlite" and not request.node.get_closest_marker("both_engines"):
        pytest.skip("on SQLite only, outside the proof")
    return request.param


class Accounts(Gateway):
    def __init__(self, folder, database, more=(QUICK, NO_THROTTLE), port=0, whole=False, **options):
        """whole: the gateway is in the same process, and is asked."""
        text = TEXT.format(database=database, row=TOKEN_ROW, folder=folder, port=port, more="\n        ".join(more))
        self.database, self.whole = database, whole
        super().__init__(folder, text, words=() if whole else ("--only", "user"), **options)

    def again(self, words=("--only", "user")):
        """As it was, after a kill -9 from which nothing is left but what is on the disk."""
        self.program.kill()
        self.program.wait(PATIENCE_S)
        self.stopped = True
        new = type(self).__new__(type(self))
        new.database, new.whole = self.database, False
        Gateway.__init__(new, self.folder, None, words=words, after=self)
        return new

    @property
    def address(self):
        return self.addresses("listening" if self.whole else "service user", "http")[0]

    def mails(self, to=None):
        """What would have gone out, oldest first."""
        rows = [json.loads(line) for line in self.stderr.splitlines() if '"msg":"mail"' in line]
        return [row for row in rows if not to or row["to"].lower() == to.lower()]

    def mail(self, to, template=None, count=1):
        def found():
            return [row for row in self.mails(to) if template in (None, row["template"])]
        return until(lambda: len(found()) >= count and found()[-1], f"a mail to {to}")

    def sql(self, text, *values):
        """Straight into its database, whichever it is; ? for values. Rows, if there are some."""
        if self.database.startswith("sqlite:"):
            with contextlib.closing(sqlite3.connect(self.database.removeprefix("sqlite:"), timeout=PATIENCE_S)) as other, other:
                return other.execute(text, values).fetchall()
        import psycopg2
        with contextlib.closing(psycopg2.connect(self.database)) as other, other, other.cursor() as cursor:
            cursor.execute(text.replace("?", "%s"), values)
            return cursor.fetchall() if cursor.description else []

    def earlier(self, table, column, seconds, where="1 = 1"):
        """Puts a time back."""
        if self.database.startswith("sqlite:"):
            self.sql(f"update {table} set {column} = {column} - {seconds} * 1000000 where {where}")
        else:
            self.sql(f"update {table} set {column} = {column} - interval '{seconds} seconds' where {where}")

    def say(self, method, path, body=None, **headers):
        """One request on a connection of its own."""
        return say(self.address, method, path, body, **headers)

    def admin_say(self, method, path, body=None, **headers):
        return self.say(method, path, body, Authorization=f"Bearer {TOKEN}", **headers)

    def register(self, email=None, password=PASSWORD, **more):
        """Somebody with an account, who is not logged in."""
        email = email or f"{uuid.uuid4().hex[:12]}@shop.test"
        begun = self.say("POST", "/v1/registrations", {"email": email, "password": password, **more})
        assert begun.status == 202, begun.body
        code = self.mail(email, "registration")["code"]
        done = self.say("POST", "/v1/verifications", {"code": code, "proof": begun.json["proof"]})
        assert done.status == 200, done.body
        return Person(self, email, password, done.json)

    def run(self, *words, **options):
        return run_banyan("user", *words, "-c", str(self.file), **options)


def say(address, method, path, body=None, **headers):
    host, _, port = address.rpartition(":")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, sent)
        return Said(connection.getresponse())
    finally:
        connection.close()


class Person:
    """Somebody with an account: a token of an app, or a cookie of a browser."""

    def __init__(self, service, email, password, user=None):
        self.service, self.email, self.password, self.user = service, email, password, user
        self.token = self.cookie = self.csrf = None

    @property
    def id(self):
        return self.user["id"]

    def log_in(self, password=None, login=None):
        """As an app."""
        answer = self.service.say("POST", "/v1/sessions",
                                  {"login": login or self.email, "password": password or self.password, "bearer": True})
        if answer.status == 201:
            self.token, self.cookie = answer.json["token"], None
        return answer

    def browse(self):
        """Logs in as a browser does."""
        answer = self.service.say("POST", "/v1/sessions", {"login": self.email, "password": self.password})
        assert answer.status == 201, answer.body
        self.take_cookie(answer)
        self.token = None
        return answer

    def take_cookie(self, answer):
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        self.csrf = answer.json["csrf"]

    def say(self, method, path, body=None, **headers):
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
            headers.setdefault("X_CSRF_Token", self.csrf)
        return self.service.say(method, path, body, **headers)

    def is_in(self):
        return self.say("GET", "/v1/me").status == 200

    def prove(self, **shown):
        answer = self.say("POST", "/v1/sessions/proof", shown or {"password": self.password})
        if answer.status == 200 and self.token:
            self.token = answer.json["token"]
        elif answer.status == 200:
            self.take_cookie(answer)
        return answer


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


def fresh(server):
    """The URL of an empty database of a PostgreSQL."""
    import psycopg2
    name = f"user_{uuid.uuid4().hex[:8]}"
    other = psycopg2.connect(server.url)
    other.autocommit = True
    other.cursor().execute(f"create database {name}")
    other.close()
    return server.url.replace("/postgres", f"/{name}")
