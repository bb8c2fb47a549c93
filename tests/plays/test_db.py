# SPDX-License-Identifier: Apache-2.0
"""`banyan db`: a SQLite database is set up, looked at, copied and put back."""
import collections
import json
import sqlite3

import pytest

from actors.gateway import run_banyan


Answer = collections.namedtuple("Answer", "returncode stdout stderr")


@pytest.fixture
def db(tmp_path):
    """`banyan db WORDS...` on a database that is not there yet."""
    def run(*words):
        return Answer(*run_banyan("db", words[0], f"sqlite:{db_path}", *words[1:]))
    db_path = tmp_path / "data/shop.db"
    run.path, run.folder = db_path, tmp_path
    return run


def test_a_database_is_set_up_once(db):
    assert "there is no database" in db("status").stderr
    assert db("migrate", "--dry-run").returncode == 5 and not db.path.exists()
    first, again = db("migrate"), db("migrate", "--json")
    assert first.returncode == 0 and "applied" in first.stdout
    assert set(json.loads(again.stdout).values()) == {0}
    status = json.loads(db("status", "--json").stdout)
    assert status["bytes"] > 0 and {step["state"] for step in status["steps"]} == {"applied"}
    assert db("check").returncode == 0
    assert db.path.stat().st_mode & 0o777 == 0o600


def test_a_changed_or_newer_step_is_told(db):
    db("migrate")
    with sqlite3.connect(db.path) as other:
        other.execute("insert into banyan_schema values ('store', 99, 'future', 'x', 0, 0)")
    assert db("check").returncode == 7 and "99 future: newer" in db("check").stdout
    refused = db("migrate")
    assert refused.returncode == 7 and "a newer release was here" in refused.stderr
    with sqlite3.connect(db.path) as other:
        other.execute("update banyan_schema set expands = 1 where number = 99")
    assert db("check").returncode == 0
    with sqlite3.connect(db.path) as other:
        other.execute("update banyan_schema set checksum = 'x' where number = 1")
    assert "another text" in db("migrate").stderr


def test_a_copy_is_put_back(db):
    copy = db.folder / "copy.db"
    db("migrate")
    with sqlite3.connect(db.path) as other:
        other.execute("insert into leases values ('before', x'00', 1, 0)")
    assert db("backup", str(copy)).returncode == 0
    assert "File exists" in db("backup", str(copy)).stderr
    with sqlite3.connect(db.path) as other:
        other.execute("insert into leases values ('after', x'00', 1, 0)")
    kept = json.loads(db("restore", str(copy), "--json").stdout)["kept"]
    with sqlite3.connect(db.path) as now, sqlite3.connect(kept) as then:
        assert [row[0] for row in now.execute("select name from leases")] == ["before"]
        assert [row[0] for row in then.execute("select name from leases order by name")] == ["after", "before"]
    copy.write_bytes(copy.read_bytes()[:5000])
    damaged = db("restore", str(copy))
    assert damaged.returncode == 1 and "malformed" in damaged.stderr or "damaged" in damaged.stderr
    assert db("status").returncode == 0


@pytest.mark.parametrize("url", ["sqlite:", "mysql://x/y", "sqlite::memory:"])
def test_a_url_that_is_none_is_told(url):
    refused = Answer(*run_banyan("db", "status", url))
    assert refused.returncode == 2 and "sqlite:" in refused.stderr
