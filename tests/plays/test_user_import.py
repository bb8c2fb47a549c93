# SPDX-License-Identifier: Apache-2.0
"""Users of other systems come over as they are: nobody sets a new password. The shop's, out of its own database; rows made by the
libraries that made them there; files that are broken, cut, huge or twice the same. On SQLite and on PostgreSQL."""
import base64
import contextlib
import csv
import hashlib
import io
import json
import os
import subprocess
import uuid
import warnings

import pytest

from actors.accounts import NO_THROTTLE, QUICK, Accounts, engine_of
from actors.gateway import BANYAN
from actors.postgres import Postgres
from actors.shop import PASSWORD, PYTHON, SHOP, Shop
from actors.waiting import PROOF

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import passlib.hash as passlib
    from argon2 import PasswordHasher
    from django.conf import settings
    from werkzeug.security import generate_password_hash
    settings.configure()
    from django.contrib.auth import hashers

TYPED = "pässwörd ☃ of 2019"


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


SHOP_USERS = 60 if PROOF else 6  # a hash of Django's for each costs a second here


def fresh(server):
    import psycopg2
    name = f"import_{uuid.uuid4().hex[:8]}"
    other = psycopg2.connect(server.url)
    other.autocommit = True
    other.cursor().execute(f"create database {name}")
    other.close()
    return server.url.replace("/postgres", f"/{name}")


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, stage):
    """The URL of an empty one."""
    if engine_of(request) == "sqlite":
        return f"sqlite:{stage.folder}/user.db"
    return fresh(request.getfixturevalue("server"))


@pytest.fixture
def service(stage, database):
    at = Accounts(stage.folder, database, (QUICK, NO_THROTTLE))
    return stage.enter(at, at.finish)


def take(service, text, *words, source="shop", code=None):
    """`banyan user import` of these rows: (summary, rows by number)."""
    results = service.folder / f"results-{uuid.uuid4().hex[:8]}.json"
    source = ["--source", source] if source else []
    done = subprocess.run([BANYAN, "user", "import", "-c", service.file, *source, "--json", "--results", results, *words, "-"],
                          input=text.encode() if isinstance(text, str) else text, capture_output=True, timeout=300, check=False)
    summary = json.loads(done.stdout) if done.stdout else {}
    assert done.returncode == (code if code is not None else 2 if summary["failed"] else 0), done.stderr.decode()
    return summary, {row["row"]: row for row in map(json.loads, results.read_text().splitlines())}


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def logs_in(service, login, password):
    return service.say("POST", "/v1/sessions", {"login": login, "password": password, "bearer": True}).status == 201


def export(service):
    return [json.loads(line) for line in service.run("export")[1].splitlines()]


# --- the shop ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(long_stage):
    actor = Shop(long_stage.folder, users=SHOP_USERS, orders=50)
    return long_stage.enter(actor, actor.finish)


@pytest.fixture(scope="module")
def dump(shop):
    """What `manage.py dumpdata` says of everything that has to do with users."""
    env = {**os.environ, "SHOP_DATABASE_URL": shop.about["database"], "SHOP_DATA": shop.about["data"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([PYTHON, SHOP / "manage.py", "dumpdata", "auth", "accounts"], env=env, check=True, capture_output=True,
                          text=True).stdout


def test_every_user_of_the_shop_logs_in_with_the_old_password(service, dump):
    users = [row for row in json.loads(dump) if row["model"] == "auth.user"]
    assert len(users) >= SHOP_USERS
    look, _ = take(service, dump, "--dry-run")
    assert look["new"] == len(users) and look["formats"] == {"django_pbkdf2_sha256": len(users)} and look["failed"] == 0
    assert export(service) == []
    done, rows = take(service, dump)
    assert (done["new"], done["failed"]) == (len(users), 0)
    assert done["other"] == len(json.loads(dump)) - len(users)
    assert {row["key"] for row in rows.values() if row["outcome"] == "new"} == {str(user["pk"]) for user in users}
    for user in users:
        name = user["fields"]["username"]
        if user["fields"]["is_active"]:
            assert logs_in(service, name, PASSWORD), name
    assert not any(logs_in(service, user["fields"]["username"], PASSWORD + "x") for user in users[:5])
    # By the monolith's number, and by ours.
    first = users[0]
    by_number = service.admin_say("GET", f"/v1/users/shop:{first['pk']}").json
    assert by_number["username"] == first["fields"]["username"] and by_number["external"] == f"shop:{first['pk']}"
    assert service.admin_say("GET", f"/v1/users/{by_number['id']}").json["external"] == f"shop:{first['pk']}"
    # Not hashed anew: the shop still reads its own, and so nothing has changed for it.
    assert {row["password"] for row in export(service)} == {user["fields"]["password"] for user in users}
    again, _ = take(service, dump)
    assert (again["new"], again["same"], again["failed"]) == (0, len(users), 0)


def test_the_shops_users_as_lines_over_http(service, dump):
    users = [row["fields"] | {"id": row["pk"]} for row in json.loads(dump) if row["model"] == "auth.user"]
    answer = service.admin_say("POST", "/v1/users:import?source=shop&verified=true", lines(*users).encode(),
                               Content_Type="application/x-ndjson")
    assert answer.status == 200 and answer.json["new"] == len(users), answer.body
    assert {row["outcome"] for row in answer.json["results"]} == {"new"} and len(answer.json["results"]) == len(users)
    assert logs_in(service, users[0]["username"], PASSWORD)
    assert service.admin_say("GET", f"/v1/users/shop:{users[0]['id']}").json["email_verified"]
    assert service.say("POST", "/v1/users:import", b"{}").status == 401


# --- what the libraries write ------------------------------------------------------------------------------------------------


def scrypt(n, r, p, salt):
    return hashlib.scrypt(TYPED.encode(), salt=salt.encode(), n=n, r=r, p=p, dklen=64, maxmem=256 << 20)


def written():
    """{format: [strings]} by Django, Werkzeug, passlib, argon2-cffi and hashlib, with what they take today or took lately."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = "django.contrib.auth.hashers."
        settings.PASSWORD_HASHERS = [name + one for one in (
            "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
            "BCryptPasswordHasher", "SHA1PasswordHasher", "MD5PasswordHasher", "UnsaltedSHA1PasswordHasher",
            "UnsaltedMD5PasswordHasher", "CryptPasswordHasher")]
        hashers.get_hashers.cache_clear()
        hashers.get_hashers_by_algorithm.cache_clear()
        django = {one: hashers.make_password(TYPED, hasher=one) for one in (
            "pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "sha1", "md5", "unsalted_sha1", "unsalted_md5", "crypt")}
        return {
            "django_pbkdf2_sha256": [django["pbkdf2_sha256"], hashers.PBKDF2PasswordHasher().encode(TYPED, "saltsalt", 600000)],
            "django_pbkdf2_sha1": [django["pbkdf2_sha1"]],
            "django_argon2": [django["argon2"]],
            "django_bcrypt_sha256": [django["bcrypt_sha256"]],
            "django_bcrypt": [django["bcrypt"]],
            "django_scrypt": ["scrypt$16384$pepper$8$5$" + base64.b64encode(scrypt(16384, 8, 5, "pepper")).decode()],
            "django_crypt": [django["crypt"]],
            "sha1": [django["sha1"], generate_password_hash(TYPED, "sha1")],
            "md5": [django["md5"], generate_password_hash(TYPED, "md5")],
            "sha1_unsalted": [django["unsalted_sha1"]],
            "md5_unsalted": [django["unsalted_md5"]],
            "werkzeug_pbkdf2": [generate_password_hash(TYPED), generate_password_hash(TYPED, "pbkdf2:sha512:1000")],
            "werkzeug_scrypt": ["scrypt:32768:8:1$saltsalt$" + scrypt(32768, 8, 1, "saltsalt").hex()],
            "werkzeug_hmac": [generate_password_hash(TYPED, "sha256")],
            "werkzeug_plain": [generate_password_hash(TYPED, "plain")],
            "passlib_pbkdf2": [passlib.pbkdf2_sha256.hash(TYPED), passlib.pbkdf2_sha512.hash(TYPED), passlib.pbkdf2_sha1.hash(TYPED)],
            "passlib_scrypt": [passlib.scrypt.using(rounds=12).hash(TYPED)],
            "passlib_bcrypt_sha256": [passlib.bcrypt_sha256.using(rounds=8).hash(TYPED)],
            "bcrypt": [passlib.bcrypt.using(rounds=8).hash(TYPED)],
            "sha256_crypt": [passlib.sha256_crypt.using(rounds=5000).hash(TYPED)],
            "sha512_crypt": [passlib.sha512_crypt.using(rounds=5000).hash(TYPED)],
            "md5_crypt": [passlib.md5_crypt.hash(TYPED)],
            "sha1_crypt": [passlib.sha1_crypt.using(rounds=5000).hash(TYPED)],
            "ldap_sha": [passlib.ldap_salted_sha1.hash(TYPED), passlib.ldap_sha1.hash(TYPED)],
            "argon2": [PasswordHasher().hash(TYPED), passlib.argon2.hash(TYPED)],
        }


def test_passwords_of_every_format_are_good_here(service):
    made = [(name, one) for name, ones in written().items() for one in ones]
    rows = [{"id": i, "username": f"{name}-{i}", "password": one} for i, (name, one) in enumerate(made)]
    done, results = take(service, lines(*rows), source="many")
    assert done["failed"] == 0 and done["formats"] == {name: len(ones) for name, ones in written().items()}
    assert [results[i + 1]["format"] for i in range(len(made))] == [name for name, _ in made]
    for row in rows:
        assert logs_in(service, row["username"], TYPED), row
        assert not logs_in(service, row["username"], "X" + TYPED[1:]), row


def test_weak_passwords_are_wrapped_and_still_good(service):
    made = [(name, one) for name, ones in written().items() for one in ones]
    rows = [{"id": i, "username": f"{name}-{i}", "password": one} for i, (name, one) in enumerate(made)]
    done, _ = take(service, lines(*rows), "--wrap", source="many")
    kept = {row["external"]: row["password"] for row in export(service)}
    weak = [row for row in rows if kept[f"many:{row['id']}"] != row["password"]]
    assert len(weak) == done["weak"] >= 11
    for row in weak:
        stored = kept[f"many:{row['id']}"]
        assert "$argon2id$" in stored and row["password"][-10:] not in stored
        assert logs_in(service, row["username"], TYPED), row
        assert not logs_in(service, row["username"], "X" + TYPED[1:]), row


# --- what goes wrong ---------------------------------------------------------------------------------------------------------

GOOD = "pbkdf2_sha256$1000$salt.with/raw$YOcJwFP60/JCq5kIPQDLW7kTicLDe2qZFsh15dHl95Q="


def test_every_row_that_cannot_be_taken_is_named_and_no_other_suffers(service):
    text = lines({"id": 1, "username": "ann", "email": "ann@shop.test", "password": GOOD},
                 {"id": 2, "username": "bob", "password": "hunter2"},
                 {"id": 3, "username": "cid", "password": "pbkdf2_sha256$99999999999$s$YOcJwFP60/JCq5kIPQDLW7kTicLDe2qZFsh15dHl95Q="},
                 {"id": 4, "username": "ANN", "password": GOOD},
                 {"id": 5, "username": "dan", "email": "Ann@Shop.test"},
                 {"id": 6, "username": "eve", "email": "not an address"},
                 {"id": 7, "password": GOOD},
                 {"id": 8, "username": "a\u0000b"},
                 {"id": 9, "username": "flo", "is_active": "perhaps"},
                 {"id": 10, "username": "gus", "date_joined": "yesterday"},
                 {"id": 11, "username": "hal", "totp": "0189"}) + (
        '{"id": 12, "username": "ida"\n' + "[" * 100000 + "\n" + '"' + "x" * 2000000 + '"\n' + '{"id": 13, "id": 14, "username": "jim"}\n'
    ) + lines({"id": 15, "username": "kim", "password": "!" + "x" * 40, "is_active": False, "last_login": "2020-01-02 03:04:05+00"})
    done, rows = take(service, text)
    assert {line: row.get("code") for line, row in rows.items()} == {
        1: None, 2: "password.format", 3: "password.format", 4: "user.username_taken", 5: "user.email_taken", 6: "row.field",
        7: "row.nameless", 8: "json.syntax", 9: "row.field", 10: "row.field", 11: "row.field", 12: "json.syntax", 13: "json.too_deep",
        14: "row.too_long", 15: "json.duplicate_key", 16: None}
    assert done["new"] == 2 and done["formats"]["unknown"] == 1
    assert "hunter2" not in json.dumps(rows)
    kept = {row["username"]: row for row in export(service)}
    assert kept["kim"]["status"] == "suspended" and "password" not in kept["kim"]
    assert kept["kim"]["last_login_at"] == "2020-01-02T03:04:05.000000Z"
    assert not logs_in(service, "kim", "!" + "x" * 40)
    some, rows = take(service, text, "--no-password", "--no-email")
    assert some["same"] == 2 and some["new"] == 4 and some["left_out"] == 4
    assert "without an e-mail address" in rows[5]["detail"] and "without a password" in rows[2]["detail"]


def test_a_dry_run_finds_what_the_run_will(service):
    text = lines({"id": 1, "username": "ann", "email": "ann@shop.test"}, {"id": 2, "username": "Ann"}, {"id": 3, "email": "ANN@shop.test"},
                 {"id": 1, "username": "bob"}, {"id": 5, "username": "cid", "password": "hunter2"}, {"id": 6, "username": "dan"})
    look, before = take(service, text, "--dry-run")
    assert export(service) == []
    done, after = take(service, text)
    assert (look["new"], look["failed"]) == (2, 4) and (done["new"], done["same"], done["failed"]) == (2, 1, 3)
    assert {line for line, row in before.items() if row["outcome"] == "new"} == {line for line, row in after.items() if row["outcome"] == "new"}


def test_a_run_that_was_cut_goes_on(service):
    rows = [{"id": i, "username": f"user{i}", "email": f"user{i}@shop.test", "password": GOOD} for i in range(400)]
    whole = json.dumps([{"model": "auth.user", "pk": row["id"], "fields": {k: v for k, v in row.items() if k != "id"}} for row in rows])
    done, _ = take(service, whole[:len(whole) // 2], code=2)
    assert 0 < done["new"] < 400 and done["failed"] <= 1
    rest, _ = take(service, whole)
    assert (rest["new"] + done["new"], rest["same"], rest["failed"]) == (400, done["new"], 0)
    assert len({row["external"] for row in export(service)}) == len(export(service)) == 400


@pytest.mark.both_engines
def test_a_run_that_is_killed_goes_on(service):
    rows = lines(*({"id": i, "username": f"user{i}", "password": GOOD} for i in range(3000))).encode()
    command = [BANYAN, "user", "import", "-c", service.file, "--source", "shop", "-"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    running.stdin.write(rows[:len(rows) // 2])
    running.stdin.flush()
    count = "select count(*) from users"
    while not service.sql(count)[0][0]:
        assert running.poll() is None
    running.kill()
    running.wait()
    with contextlib.suppress(BrokenPipeError):
        running.stdin.close()
    kept = service.sql(count)[0][0]
    done, _ = take(service, rows)
    assert 0 < kept < 3000 and (done["new"], done["same"]) == (3000 - kept, kept)
    assert service.sql("select count(*) from audit where action = 'user.registered'")[0][0] == 3000
    assert service.run("audit", "--verify")[0] == 0


@pytest.mark.both_engines
def test_while_the_other_system_owns_them_accounts_follow(service):
    def row(number, password=GOOD, active=True):
        return {"id": number, "username": f"user{number}", "password": password, "is_active": active}
    other = passlib.pbkdf2_sha256.using(rounds=1000).hash("another of today")
    old = "pässwörd ☃ 1"
    take(service, lines(row(1), row(2), row(3)))
    session = service.say("POST", "/v1/sessions", {"login": "user1", "password": old, "bearer": True}).json["token"]
    mine = service.say("POST", "/v1/sessions", {"login": "user3", "password": old, "bearer": True}).json["token"]
    changed = service.say("POST", "/v1/me/password", {"current": old, "password": "my own choice here"}, Authorization=f"Bearer {mine}")
    assert changed.status in (200, 204), changed.body
    now = lines(row(1, other), row(2, active=False), row(3, other))
    assert take(service, now)[0]["same"] == 3 and logs_in(service, "user1", old)
    look, _ = take(service, now, "--refresh", "--dry-run")
    done, rows = take(service, now, "--refresh")
    assert look["changed"] == done["changed"] == 2 and rows[3]["outcome"] == "same"
    assert not logs_in(service, "user1", old) and logs_in(service, "user1", "another of today")
    assert service.say("GET", "/v1/me", Authorization=f"Bearer {session}").status == 401
    assert not logs_in(service, "user2", old) and logs_in(service, "user3", "my own choice here")
    again, _ = take(service, now, "--refresh")
    assert again["same"] == 3
    take(service, lines(row(2)), "--refresh")
    assert logs_in(service, "user2", old)
    assert service.run("audit", "--verify")[0] == 0


@pytest.mark.both_engines
def test_who_was_erased_here_does_not_come_back(service):
    """Though the other system still has them in its list."""
    eve = {"id": 7, "username": "eve", "email": "eve@shop.test", "password": GOOD}
    take(service, lines(eve))
    ann = service.register()
    own = service.run("export")[1]
    for name in "shop:7", ann.id:
        assert service.admin_say("DELETE", f"/v1/users/{name}").status == 204
    for words in (), ("--dry-run",), ("--refresh",):
        for text, source in (lines(eve, {"id": 8, "username": "bob"}), "shop"), (own, None):
            done, rows = take(service, text, *words, source=source)
            assert done["failed"] == done["changed"] == 0 and rows[1]["outcome"] == "same", (words, rows)
            assert "erased" in rows[1]["detail"] and "user" not in rows[1] or source is None
    assert [row.get("username") for row in export(service)] == ["bob"]


def test_secrets_are_closed_with_the_services_keys_or_not_taken(service, tmp_path):
    """By the database's address alone a command does not know them."""
    rows = lines({"id": 7, "username": "eve", "password": GOOD, "totp": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})

    def by_address(*words, text=""):
        done = subprocess.run([BANYAN, "user", *words, "--database", service.database], input=text, cwd=tmp_path, capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    code, said = by_address("import", "--source", "shop", "-", text=rows)
    assert code and "-c" in said and export(service) == []
    ann = service.register()
    code, said = by_address("reset", ann.id)
    assert code and "-c" in said and service.run("reset", ann.id)[0] == 0
    keys = service.sql("select kid from oidc_keys order by kid")
    code, said = by_address("keys", "rotate")
    assert code and "-c" in said and service.sql("select kid from oidc_keys order by kid") == keys
    assert by_address("suspend", ann.id)[0] == 0


def test_a_password_that_was_set_here_is_never_taken_back(service):
    ann = service.register()
    before = service.run("export")[1]
    ann.log_in()
    assert ann.say("POST", "/v1/me/password", {"current": ann.password, "password": "another good horse"}).status == 200
    done, _ = take(service, before, "--refresh", source=None)
    assert (done["same"], done["changed"]) == (1, 0) and ann.log_in("another good horse").status == 201


def test_a_database_that_goes_away_ends_a_run_and_the_next_goes_on(stage, server):
    service = Accounts(stage.folder, fresh(server), (QUICK, NO_THROTTLE))
    stage.enter(service, service.finish)
    rows = lines(*({"id": i, "username": f"user{i}", "password": GOOD} for i in range(3000))).encode()
    running = subprocess.Popen([BANYAN, "user", "import", "-c", service.file, "--source", "shop", "--json", "-"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdin.write(rows[:len(rows) // 2])
    running.stdin.flush()
    count = "select count(*) from users"
    while not service.sql(count)[0][0]:
        assert running.poll() is None
    server.stop()
    with contextlib.suppress(BrokenPipeError):
        running.stdin.write(rows[len(rows) // 2:])
        running.stdin.close()
    told, said = running.stdout.read(), running.stderr.read().decode()
    running.stdout.close()
    running.stderr.close()
    assert running.wait() != 0 and "banyan user import: " in said
    server.start()
    kept = service.sql(count)[0][0]
    done, _ = take(service, rows)
    assert kept >= json.loads(told)["new"] and (done["new"], done["same"]) == (3000 - kept, kept)


# --- other shapes, and back --------------------------------------------------------------------------------------------------


def test_csv_with_quotes_and_lines_within(service):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "username", "email", "password", "is_active", "name", "shoe_size"])
    writer.writerow([1, "ann", "ann@shop.test", GOOD, "t", 'Ann "the" Bee,\u00a0jr', 38])
    writer.writerow([2, "bob", "", "", "False", "", ""])
    done, rows = take(service, "\ufeff" + out.getvalue() + "3,short\n")
    assert (done["new"], done["failed"], rows[3]["code"]) == (2, 1, "row.columns") and done["ignored"] == {"shoe_size": 1}
    assert [row["line"] for row in rows.values()] == [2, 3, 4]
    kept = {row["username"]: row for row in export(service)}
    assert kept["ann"]["name"] == 'Ann "the" Bee, jr' and kept["bob"]["status"] == "suspended"


@pytest.mark.both_engines
def test_what_goes_out_comes_in_and_goes_out_the_same(service, stage):
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    take(service, lines(
        {"id": 7, "username": "Ann Bee", "email": "Ann@shop.test", "email_verified": True, "password": GOOD, "totp": secret, "locale": "de",
         "roles": ["editor"], "is_staff": True, "is_superuser": True, "profile": {"size": 38, "tags": ["a", None]},
         "first_name": "Ann", "last_name": "Bée", "date_joined": "2019-05-06T07:08:09.123+02:00", "last_login": "2020-01-01T00:00:00Z"},
        {"id": 8, "email": "bob@bücher.test", "is_active": False, "password": "md5$seasalt$fabb26dc4becf591491b659359c089ab"}))
    service.register("native@shop.test")
    out = service.run("export")[1]
    other = Accounts(stage.folder, f"sqlite:{stage.folder}/other.db", (QUICK, NO_THROTTLE), number=1)
    stage.enter(other, other.finish)
    take(other, out, source=None)
    assert other.run("export")[1] == out
    ann = json.loads(out.splitlines()[0])
    assert ann["created_at"] == "2019-05-06T05:08:09.123000Z" and ann["roles"] == ["editor", "staff", "superuser"]
    # A second factor that was there is asked for, with the same secret.
    begun = other.say("POST", "/v1/sessions", {"login": "ann bee", "password": "pässwörd ☃ 1", "bearer": True})
    assert begun.status == 201 and begun.json["state"] != "authenticated"
    code = subprocess.run(["oathtool", "--totp", "-b", secret], check=True, capture_output=True, text=True).stdout.strip()
    risen = other.say("POST", "/v1/sessions/factor", {"code": code}, Authorization=f"Bearer {begun.json['token']}")
    assert risen.status in (200, 201) and risen.json["state"] == "authenticated", risen.body
