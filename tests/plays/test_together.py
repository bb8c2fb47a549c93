# SPDX-License-Identifier: Apache-2.0
"""Services together: who may ask them, how they ask and hear each other, and all of them without a configuration."""
import json
import pathlib
import re
import socket
import sqlite3
import subprocess
import tempfile

import pytest

from actors.accounts import NO_THROTTLE, QUICK, Accounts
from actors.gateway import ROOT, Gateway, run_banyan
from actors.notes import Notes, run_notes, say
from actors.waiting import until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "s" * 40
BOTH = """
    routes: [ {{ name: notes, match: "/v1/notes/**", to: "service:notes" }}, {{ name: users, to: "service:user" }} ]
    services:
      {top}
      notes: {{ listen: "127.0.0.1:{notes}", database: "sqlite:{folder}/notes.db", issuers: {issuers} }}
      user:
        listen: "127.0.0.1:{user}"
        development: true
        database: "sqlite:{folder}/user.db"
        key_file: "{folder}/user.key"
        {quick}
        {no_throttle}
"""


def text(folder, top="", issuers="[]", notes=0, user=0):
    return BOTH.format(folder=folder, top=top, issuers=issuers, notes=notes, user=user, quick=QUICK, no_throttle=NO_THROTTLE)


@pytest.fixture(scope="module")
def both(long_stage):
    """Notes and users in one process; tokens of an issuer whose keys are in a file."""
    jose = long_stage.jose()
    keys = long_stage.folder / "keys.json"
    keys.write_text(json.dumps({"keys": [jose.key("ES256", "k1")]}))
    at = Notes(long_stage.folder, None, text=text(
        long_stage.folder, issuers=f'[ {{ issuer: "https://id.test", keys: "{keys}", audience: notes, scopes: "notes:read" }} ]'))
    at.jose = jose
    return long_stage.enter(at, at.finish)


def whoever(at, token, **headers):
    return say(at.service, "GET", "/v1/whoever", who=token, **headers)


def test_a_token_of_an_issuer_says_who_and_what(both):
    good = {"iss": "https://id.test", "aud": "notes", "sub": "usr_018f3c1e-7a4b-7cc0-b1f2-0123456789ab", "scope": "notes:secret"}
    said = whoever(both, both.jose.token("k1", **good))
    assert (said.status, said.json["name"], said.json["scopes"], said.json["peer"]) == (200, good["sub"], "notes:secret notes:read", False)
    assert whoever(both, both.jose.token("k1", **{**good, "scope": None, "scp": ["notes:secret", "x"]})).json["scopes"] == \
        "notes:secret x notes:read"
    assert whoever(both, both.jose.token("k1", **{**good, "scope": "other"})).code == "auth.scope"


@pytest.mark.parametrize("change", [{"iss": "https://other.test"}, {"aud": "user"}, {"aud": None}, {"exp": 1}, {"exp": None, "life_s": 0}])
def test_a_token_for_somebody_else_or_of_another_time_is_none(both, change):
    claims = {"iss": "https://id.test", "aud": "notes", "sub": "x", "scope": "notes:secret", **change}
    said = whoever(both, both.jose.token("k1", **claims))
    assert (said.status, said.code) == (401, "auth.token")


def test_a_token_by_another_key_is_none(both):
    both.jose.key("ES256", "k2")
    said = whoever(both, both.jose.token("k2", iss="https://id.test", aud="notes", sub="x", scope="notes:secret"))
    assert (said.status, said.code) == (401, "auth.token")


def test_a_key_of_a_program_is_good_until_it_is_revoked(both):
    code, out, _ = run_notes("notes", "key", "add", "-c", both.file, "--owner", "shop", "--scope", "notes:secret", "--json")
    made = json.loads(out)
    assert code == 0 and whoever(both, made["key"]).json["name"] == f"key:{made['id']}"
    assert whoever(both, made["key"][:-1] + ("A" if made["key"][-1] != "A" else "B")).code == "auth.token"
    _, out, _ = run_notes("notes", "key", "list", "-c", both.file, "--json")
    assert [(row["owner"], row["scopes"], row["revoked"]) for row in json.loads(out)] == [("shop", "notes:secret", None)]
    with sqlite3.connect(both.folder / "notes.db") as db:
        assert made["key"].encode() not in db.execute("select hash from api_key").fetchone()[0]
    assert run_notes("notes", "key", "revoke", made["id"], "-c", both.file)[0] == 0
    assert whoever(both, made["key"]).code == "auth.token"
    assert run_notes("notes", "key", "revoke", made["id"], "-c", both.file)[0] == 5


def test_services_of_one_process_know_each_other_and_share_a_trace(both):
    said = say(both.service, "GET", "/v1/peers/notes/whoever", who=None, traceparent=TRACE)
    answer = json.loads(said.json["body"])
    assert (said.json["status"], answer["name"], answer["peer"]) == (200, "service:notes", True)
    assert answer["traceparent"][:36] == TRACE[:36] and answer["traceparent"] != TRACE
    assert say(both.service, "GET", "/v1/peers/nobody/x", who=None).status == 412


def test_an_event_of_one_service_takes_effect_in_another_once(both):
    somebody = Accounts.register(Person(both))
    owner = somebody.id
    found = until(lambda: say(both.service, "GET", "/v1/notes", who=f"{owner} notes:read").json["data"], "the note of who has come")
    assert [note["title"] for note in found] == ["user.registered"]
    numbers = {row["name"]: row for row in json.loads(both.ask_admin("/services")[2])["services"]}
    assert numbers["user"]["status"] == numbers["notes"]["status"] == "ok"
    assert "notes.welcome" in numbers["user"]["database"]["events"]["readers"] and numbers["notes"]["answers"]["2xx"] > 0


class Person:
    """What Accounts.register wants of a service."""

    def __init__(self, at):
        self.at, self.address = at, at.addresses("service user", "http")[0]

    def say(self, *words, **more):
        return say(self.address, *words, who=None, **more)

    def mail(self, to, template):
        return Accounts.mail(self, to, template)

    def mails(self, to=None):
        return Accounts.mails(self, to)

    @property
    def stderr(self):
        return self.at.stderr


def ports(count):
    socks = [socket.socket() for _ in range(count)]
    for sock in socks:
        sock.bind(("127.0.0.1", 0))
    numbers = [sock.getsockname()[1] for sock in socks]
    for sock in socks:
        sock.close()
    return numbers


def test_processes_of_one_machine_hear_and_know_each_other(stage):
    notes, user = ports(2)
    whole = text(stage.folder, top=f"secret: {SECRET}", notes=notes, user=user)
    apart = {}
    for name in ("notes", "user"):
        at = Notes(stage.folder, None, text=whole, words=("--only", name), number=len(apart) + 1)
        apart[name] = stage.enter(at, at.finish)
    said = say(apart["notes"].service, "GET", "/v1/peers/user/users", who=None)
    assert said.json["status"] == 200, said.body
    assert say(apart["notes"].service, "GET", "/v1/peers/user/me", who=None).json["status"] == 403  # it is nobody with a session
    somebody = Accounts.register(Person(apart["user"]))
    until(lambda: say(apart["notes"].service, "GET", "/v1/notes", who=f"{somebody.id} notes:read").json["data"], "the note")


def test_a_service_elsewhere_is_believed_by_the_secret_only(stage, both):
    other = Notes(stage.folder, None, number=7, words=("--only", "notes"), text=text(stage.folder, top=f"secret: {SECRET}").replace(
        'user:\n        listen: "127.0.0.1:0"', f'user:\n        url: "http://{Person(both).address}"'))
    stage.enter(other, other.finish)
    assert say(other.service, "GET", "/v1/peers/user/users", who=None).json["status"] == 401


def test_what_is_wrong_with_what_is_kept_is_said(stage):
    at = stage.enter(notes := Notes(stage.folder, f"sqlite:{stage.folder}/notes.db"), notes.finish)
    at.say("POST", "/v1/notes", {"title": "first"})
    code, out, _ = run_notes("notes", "fsck", "-c", at.file, "--json")
    assert code == 0 and json.loads(out)["checks"] == [{"name": "notes.version", "looked": 1, "wrong": 0, "examples": []}]
    with sqlite3.connect(stage.folder / "notes.db") as db:
        db.execute("update notes set version = 0")
    code, out, _ = run_notes("notes", "fsck", "-c", at.file)
    assert code == 3 and "first has version 0" in out


# --- without a configuration ---


@pytest.fixture(scope="module")
def first(long_stage):
    folder = pathlib.Path(long_stage.enter_context(tempfile.TemporaryDirectory(prefix="first-")))
    port, admin = ports(2)
    at = Gateway(folder, None, cwd=folder, words=("--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}"))
    at.file = folder / "data/banyan.yaml"
    return long_stage.enter(at, at.finish)


def names(at):
    return [row["name"] for row in json.loads(at.ask_admin("/services")[2])["services"]]


def test_a_first_start_has_all_services_behind_the_gateway(first):
    assert "wrote data/banyan.yaml" in first.lines
    assert all(row["status"] == "ok" for row in json.loads(first.ask_admin("/services")[2])["services"])
    assert (first.folder / "data/services.secret").stat().st_mode & 0o777 == 0o600
    assert say(first.address, "GET", "/oauth2/jwks", who=None).json["keys"]
    assert run_banyan("check", first.file)[0] == 0


def by_socket(path, target):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(f"GET {target} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    return answer.partition(b"\r\n\r\n")[2]


def test_a_first_start_writes_its_mails_down_codes_and_all(first):
    said = say(first.address, "POST", "/v1/registrations", {"email": "ann@first.test", "password": "correct horse battery"}, who=None)
    assert said.status < 300, said.body
    file = first.folder / "data/mails.jsonl"
    mail = json.loads(until(lambda: file.exists() and file.read_text().strip(), "a mail").splitlines()[0])
    assert mail["to"] == "ann@first.test" and re.search(r"Your code: \S{20,}", mail["text"]), mail


def test_every_api_is_described_and_routed(first):
    """Every path of every description is one that the gateway sends to that service."""
    for name in names(first):
        described = by_socket(first.folder / f"data/{name}.sock", "/openapi.json")
        judge = subprocess.run(["node", ROOT / "tests/plays/actors/openapi.mjs"], input=described, cwd=ROOT, capture_output=True, check=False)
        assert judge.returncode == 0, (name, judge.stdout)
        assert json.loads(by_socket(first.folder / f"data/{name}.sock", "/healthz"))["status"] == "ok"
        asked = [(verb.upper(), re.sub(r"[{}]", "", path)) for path, verbs in json.loads(described)["paths"].items() for verb in verbs]
        before = len(first.lines)
        for verb, path in asked:
            say(first.address, verb, path, who=None)
        until(lambda before=before, asked=asked: len(first.lines) == before + len(asked), "the records of all requests")
        rows = [json.loads(line) for line in first.lines[before:]]
        assert [(row["http.request.method"], row["url.path"]) for row in rows if row["banyan.upstream"] != f"service:{name}"] == []
        assert len(asked) > 5


def test_the_second_start_takes_what_the_first_has_written(first):
    code, _, err = run_banyan("serve", "--listen", "127.0.0.1:1", cwd=first.folder)
    assert code == 7 and "is there already" in err


def test_commands_find_it(first):
    assert run_banyan("user", "list", cwd=first.folder)[0] == 0


def test_keys_of_programs_pass_the_gateway_and_are_known_to_the_service(first):
    code, out, err = run_banyan("payment", "key", "add", "--owner", "shop", "--json", cwd=first.folder)
    assert code == 0, err
    key = json.loads(out)["key"]
    assert key.startswith("sk_")
    assert say(first.address, "GET", "/v1/charges", who=key).status == 200
    assert say(first.address, "GET", "/v1/charges", who=key[:-1] + ("a" if key[-1] != "a" else "b")).status == 401
    made = json.loads(run_banyan("notification", "key", "add", "--owner", "shop", "--scope", "notifications:read", "--json", cwd=first.folder)[1])
    assert say(first.address, "GET", "/v1/notifications", who=made["key"]).status == 200
    assert say(first.address, "GET", "/v1/charges", who=made["key"]).status == 401  # another service's
