# SPDX-License-Identifier: Apache-2.0
"""`banyan events` and `banyan jobs` beside a service that uses the database: tests/events_storm."""
import json
import signal
import sqlite3
import uuid

import pytest

from actors.gateway import BANYAN, run_banyan
from actors.process import Program
from actors.storm import Storm
from actors.waiting import until


@pytest.fixture
def storm(stage):
    """A database with some hundred events and jobs, all done; nobody is there."""
    url = f"sqlite:{stage.folder}/storm.db"
    first = Storm(stage.folder, 0, url)
    stage.cast.append(first)
    until(lambda: first.has_begun() and first.acks.read_bytes().count(b"ack") > 100, "writes")
    first.kill()
    last = Storm(stage.folder, 1, url, "drain")
    assert last.wait(60) == 0, last.report()
    return url


def ask(*words, status=0):
    code, out, err = run_banyan(*words)
    assert code == status, out + err
    return json.loads(out) if "--json" in words and status == 0 else out + err


def change(url, text, *values):
    with sqlite3.connect(url.removeprefix("sqlite:")) as db:
        db.execute(text, values)


def test_tail_shows_the_last_events(storm):
    last = ask("events", "tail", storm, "--json", "-n", "5", "--source", "/shop")
    assert len(last) == 5 and {event["source"] for event in last} == {"/shop"}
    assert all(event["specversion"] == "1.0" and event["type"] == "thing.changed" for event in last)
    first = ask("events", "tail", storm, "--after", "0", "-n", "3").splitlines()
    assert [line.split()[0] for line in first] == ["1", "2", "3"]
    assert "there is no database" in ask("events", "tail", "sqlite:/nowhere/x.db", status=5)


def test_tail_follows_until_it_is_told_to_end(stage, storm):
    with open(stage.folder / "tail.out", "wb") as out:
        tail = Program("tail", stage.folder, [BANYAN, "events", "tail", storm, "--follow", "--json", "-n", "1"], stdout=out)
    stage.enter(tail, tail.kill)
    def lines():
        return (stage.folder / "tail.out").read_text().splitlines()
    until(lambda: len(lines()) == 1, "the last event")
    writer = Storm(stage.folder, 2, storm)
    stage.enter(writer, writer.kill)
    until(lambda: len(lines()) > 20, "new events")
    tail.signal(signal.SIGINT)
    assert tail.wait(20) == 0, tail.report()
    assert all(json.loads(line)["id"] for line in lines())


def test_dead_letters_are_listed_and_tried_again(stage, storm):
    event = ask("events", "tail", storm, "--json", "-n", "1", "--source", "/storm")[0]
    lost = dict(event, id=str(uuid.uuid4()), subject="thing/dead")
    change(storm, "insert into event_held (consumer, source, part, id, subject, type, event, attempts, next_at, dead_at, error, held_at) "
                  "values ('one', '/storm', 0, ?, 'thing/dead', ?, ?, 10, 1, 2, 'storm.luck: no', 1)",
           uuid.UUID(lost["id"]).bytes, lost["type"], json.dumps(lost))
    assert lost["id"] in ask("events", "dead", storm)
    letters = ask("events", "dead", storm, "--json")
    assert [(letter["id"], letter["error"], letter["event"]["subject"]) for letter in letters] == [(lost["id"], "storm.luck: no", "thing/dead")]
    assert ask("events", "replay", storm, "--all", "--dry-run", "--json") == {"replayed": 1, "dry_run": True}
    assert "there is no dead letter" in ask("events", "replay", storm, str(uuid.uuid4()), status=5)
    assert "not an event's id" in ask("events", "replay", storm, "x", status=2)
    assert "say which" in ask("events", "replay", storm, status=2)
    assert ask("events", "replay", storm, lost["id"], "--json")["replayed"] == 1
    assert ask("events", "dead", storm, "--json") == []
    taker = Storm(stage.folder, 3, storm)
    stage.enter(taker, taker.kill)
    path = storm.removeprefix("sqlite:")
    until(lambda: sqlite3.connect(path).execute("select count(*) from effects where aggregate = 'dead'").fetchone()[0] == 1, "its effect")


def test_a_consumer_is_moved_back_and_takes_nothing_twice(stage, storm):
    path = storm.removeprefix("sqlite:")
    before = sqlite3.connect(path).execute("select count(*) from effects").fetchone()[0]
    ask("events", "replay", storm, "--consumer", "one", "--source", "/storm", "--after", "0")
    assert "has read anything" in ask("events", "replay", storm, "--consumer", "x", "--source", "/storm", "--after", "0", status=5)
    again = Storm(stage.folder, 4, storm, "drain")
    assert again.wait(60) == 0, again.report()
    assert sqlite3.connect(path).execute("select count(*) from effects").fetchone()[0] == before


def readers(url):
    with sqlite3.connect(url.removeprefix("sqlite:")) as db:
        return {name: seq for name, seq in db.execute("select name, seq from outbox_readers")}


def test_a_reader_that_is_gone_for_good_is_forgotten(storm):
    """What it holds back is told first; nothing is done unless it is said, and nothing to one that may be at work."""
    last = int(ask("events", "tail", storm, "-n", "1").split()[0])
    here = readers(storm)
    change(storm, "insert into outbox_readers (name, seq, seen_at) values ('old', ?, 1700000000000000)", last - 7)
    told = ask("events", "forget", storm, "old", "--dry-run", "--json")
    assert (told["unread"], told["kept_for_it_alone"], told["forgotten"]) == (7, 7, False)
    assert told["seen_at"] == "2023-11-14T22:13:20.000000Z" and told["seq"] == last - 7 and told["unread_since"]
    shown = ask("events", "forget", storm, "old", status=2)
    assert "7 events it has not read" in shown and "nothing was done" in shown and "--yes" in shown
    assert "nothing was done" in ask("events", "forget", storm, "old", "--yes", "--dry-run")
    assert "old" in readers(storm)
    assert 'no reader "x"' in (unknown := ask("events", "forget", storm, "x", "--yes", status=5)) and "old" in unknown
    alive = next(iter(here))
    change(storm, "update outbox_readers set seen_at = 4102444800000000 where name = ?", alive)  # a clock ahead of ours
    assert "was here" in ask("events", "forget", storm, alive, "--yes", status=7)
    assert "it is forgotten" in ask("events", "forget", storm, "old", "--yes")
    assert readers(storm) == here


def test_jobs_are_listed_retried_and_cancelled(storm):
    jobs = ask("jobs", "list", storm, "--json", "-n", "3", "--state", "done", "--kind", "storm")
    assert len(jobs) == 3 and {job["state"] for job in jobs} == {"done"}
    failed, waiting, done = (job["id"] for job in jobs)
    change(storm, "update jobs set state = 'failed', error = 'test.x: y', attempts = 10 where id = ?", uuid.UUID(failed).bytes)
    change(storm, "update jobs set state = 'scheduled', run_at = 4102444800000000 where id = ?", uuid.UUID(waiting).bytes)
    assert "test.x: y" in ask("jobs", "list", storm, "--state", "failed")
    assert ask("jobs", "show", storm, failed, "--json")["error"] == "test.x: y"
    assert "there is no job" in ask("jobs", "show", storm, str(uuid.uuid4()), status=5)
    assert ask("jobs", "retry", storm, "--failed", "--dry-run", "--json") == {"changed": 1, "dry_run": True}
    assert ask("jobs", "retry", storm, "--failed", "--json")["changed"] == 1
    assert ask("jobs", "show", storm, failed, "--json")["state"] == "ready"
    assert "is done" in ask("jobs", "retry", storm, done, status=7)
    assert "say which" in ask("jobs", "retry", storm, status=2)
    assert ask("jobs", "cancel", storm, waiting, failed, "--json")["changed"] == 2
    assert {ask("jobs", "show", storm, job, "--json")["state"] for job in (waiting, failed)} == {"cancelled"}
    assert "is cancelled" in ask("jobs", "cancel", storm, waiting, status=7)
