# SPDX-License-Identifier: Apache-2.0
"""Where a move stands is known, whatever becomes of the store that gateways share: nobody changes sides."""
import contextlib
import http.client
import pathlib
import random

import psycopg2
import pytest

from actors.http1 import reply
from actors.postgres import Postgres
from actors.redis import Redis
from actors.shift import TOKEN, Person, Shift, crowd, sides, two_sides
from actors.waiting import until

HALF = "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ], hold: 1h } }"


@pytest.fixture
def old(upstream):
    return upstream(answer=reply(200, b"old"))


@pytest.fixture
def new(upstream):
    return upstream(answer=reply(200, b"new"))


@pytest.fixture
def postgres():
    with Postgres() as server:
        yield server


@pytest.fixture
def redis(stage):
    """Below the ports that the kernel gives to whoever connects: its own must be free when it comes back."""
    server = Redis(stage.folder, random.randint(10000, 31000))
    return stage.enter(server, server.finish)


def shared(old, new, store, name="a", shift=HALF):
    return two_sides(old, new, shift, f"shift: {{ store: '{store}', gateway: {name} }}\n")


def kill(gw):
    gw.program.kill()
    gw.stopped = True


def served(people, gw=None):
    """Who of them was served by which side, in their order."""
    for person in people:
        person.gw = gw or person.gw
    return [person.get().text for person in people]


def copy_of(gw):
    return pathlib.Path(f"{gw.file}.shift.copy")


def wait_copy(gw, revision):
    """Until the copy has heard of that revision."""
    def heard():
        return copy_of(gw).exists() and f'"revision":{revision}' in copy_of(gw).read_text()
    until(heard, f"revision {revision} in the copy")


def post(gw, page, body="{}"):
    host, port = gw.admin.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", page, body, {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_start_while_the_book_is_away_goes_by_the_copy(gateway, old, new, client, postgres):
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    Shift(gw).command("canary")
    people = crowd(client, gw, 40)
    first = served(people)
    assert set(first) == {"old", "new"}
    wait_copy(gw, 1)
    assert copy_of(gw).stat().st_mode & 0o777 == 0o600
    kill(gw)
    postgres.stop()
    again = gateway(after=gw, text=None, token=TOKEN)
    users = Shift(again)
    assert served(people, again) == first
    assert again.metric("banyan_shift_book_up") == 0 and again.metric("banyan_shift_copy_timestamp_seconds") > 1e9
    assert "going by the copy of" in again.stderr and "going by the copy of" in users.command()
    assert "stays as it was" in users.command("pause", code=8)
    postgres.start()
    again.wait_metric("banyan_shift_book_up", 1)
    assert served(people) == first and again.metric("banyan_shift_copy_timestamp_seconds") == 0
    users.command("pause")
    assert [row["verb"] for row in users.history] == ["pause", "canary"]


def test_without_book_and_copy_the_old_side_serves_all(gateway, old, new, client, postgres):
    postgres.stop()
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    users = Shift(gw)
    assert sides([Person(client, gw) for _ in range(5)]) == {"old": 5}
    assert "there is no copy of it, so all requests go to the old side" in users.command("canary", code=8)
    assert gw.metric("banyan_shift_copy_timestamp_seconds") == 0
    postgres.start()
    gw.wait_metric("banyan_shift_book_up", 1)
    users.command("canary")
    assert set(sides(crowd(client, gw, 40))) == {"old", "new"}


def test_who_went_back_without_the_book_stays_there_over_a_restart(gateway, old, new, client, postgres):
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    Shift(gw).command("canary")
    people = crowd(client, gw, 20)
    wait_copy(gw, 1)
    postgres.stop()
    status, text = post(gw, "/shift/users/back", '{"why":"tea"}')
    assert status == 503 and "are on the old side now" in text and "is told as soon as it does" in text
    until(lambda: '"halted":"tea"' in copy_of(gw).read_text(), "the way back in the copy")
    kill(gw)
    again = gateway(after=gw, text=None, token=TOKEN)
    assert set(served(people, again)) == {"old"}
    postgres.start()
    users = Shift(again)
    until(lambda: users.newest == "back", "the book knows it")
    assert users.history[0]["why"] == "tea" and users.history[0]["who"] == "admin" and set(served(people)) == {"old"}


@pytest.mark.parametrize("broken", ["cut", "changed", "of another book"])
def test_a_copy_that_is_not_whole_is_not_gone_by(gateway, old, new, client, postgres, broken):
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    Shift(gw).command("canary", "100%")
    wait_copy(gw, 1)
    kill(gw)
    postgres.stop()
    copy = copy_of(gw)
    if broken == "cut":
        copy.write_bytes(copy.read_bytes()[:-20])
    elif broken == "changed":
        copy.write_text(copy.read_text().replace('"revision":1', '"revision":9'))
    else:
        gw.write(gw.text.replace("/postgres'", "/other'"))
    again = gateway(after=gw, text=None, token=TOKEN)
    assert {Person(client, again).get().text for _ in range(10)} == {"old"}
    assert "is not gone by" in again.stderr


def test_a_book_restored_from_a_backup_gets_back_what_is_known(gateway, old, new, client, postgres):
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    with contextlib.closing(psycopg2.connect(postgres.url)) as db, db, db.cursor() as cursor:
        cursor.execute("create table backup as select * from shift_states")
    users.command("to", "60%")
    users.command("pause")
    first = served(people)
    with contextlib.closing(psycopg2.connect(postgres.url)) as db, db, db.cursor() as cursor:
        cursor.execute("delete from shift_journal where revision > 1")
        cursor.execute("delete from shift_states")
        cursor.execute("insert into shift_states select * from backup")
    until(lambda: users.history[0]["verb"] == "restore", "the book got it back")
    assert "restored from a backup" in users.history[0]["why"] and "restored from a backup" in gw.stderr
    assert served(people) == first and users.ask()["percent"] == 60
    users.command("resume")
    assert [(row["seq"], row["verb"]) for row in users.history] == [(4, "resume"), (3, "restore"), (1, "canary")]


def test_a_way_back_that_came_later_than_what_is_known_counts(gateway, old, new, client, postgres):
    """The book lost the last change, and somebody else went back in it before this gateway could say so."""
    gw = gateway(shared(old, new, postgres.url), token=TOKEN)
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 20)
    users.command("to", "60%")
    users.command("pause")
    with contextlib.closing(psycopg2.connect(postgres.url)) as db, db, db.cursor() as cursor:
        cursor.execute("update shift_states set revision = 2, state = jsonb_set(jsonb_set(state::jsonb, '{phase}', '\"old\"'), "
                       "'{since_us}', to_jsonb((state::jsonb->>'since_us')::bigint + 1000))::json")
    users.wait_phase("old")
    assert set(served(people)) == {"old"}
    assert [(row["seq"], row["verb"], row["to"]) for row in users.history][0] == (4, "restore", "old")


def test_two_gateways_share_a_redis(gateway, upstream, old, client, redis):
    """What one is told the other does, and neither sees enough of the errors to go back on its own."""
    ill = upstream(answer=lambda asked: reply(500 if asked.headers.get("x-ill") == "yes" else 200, b"new"))
    a, b = (gateway(shared(old, ill, redis.url, name), token=TOKEN) for name in "ab")
    at_a, at_b = Shift(a), Shift(b)
    at_a.command("canary", "--why", "release 42")
    at_b.wait_phase("canary")
    people = crowd(client, a, 100)
    first = served(people)
    assert set(first) == {"old", "new"} and served(people, b) == first
    drawn, others = ([person for person, side in zip(people, first) if side == name] for name in ("new", "old"))
    at_b.wait(lambda told: told["detail"]["gateways"] == 2, "hears of the other")
    for number in range(24):  # never two errors in a row at one gateway, and as many requests of the old side
        for person, sick in ((drawn[number], "yes"), *((person, "") for person in (*drawn[-2:], *others[:3]))):
            person.gw = (a, b)[number % 2]
            person.get("/", f"X-Ill: {sick}")
        if at_a.phase == "old":
            break
    at_b.wait_phase("old")
    until(lambda: at_a.history[0]["verb"] == "back", "the journal has it")
    assert [row["seq"] for row in at_b.history] == [2, 1] and at_b.history[1]["why"] == "release 42"
    assert int(at_a.history[0]["why"].split()[1]) > 10, at_a.history[0]


@pytest.mark.parametrize("lost", ["killed", "emptied", "killed with the gateways"])
def test_redis_lost_in_mid_canary_the_split_stays(gateway, old, new, client, redis, lost):
    a, b = (gateway(shared(old, new, redis.url, name), token=TOKEN) for name in "ab")
    at_a, at_b = Shift(a), Shift(b)
    at_a.command("canary")
    at_a.command("to", "40%")
    at_b.wait(lambda told: told["revision"] == 2, "hears of it")
    people = crowd(client, a, 60)
    first = served(people)
    assert set(first) == {"old", "new"}
    for gw in (a, b):
        wait_copy(gw, 2)
    if lost == "emptied":
        redis.client.flushall()
    else:
        redis.kill()
        assert served(people) == first and served(people, b) == first
        if lost == "killed with the gateways":
            kill(a)
            a = gateway(after=a, text=None, token=TOKEN)
            at_a = Shift(a)
            assert served(people, a) == first
        assert "stays as it was" in at_a.command("pause", code=8)
        redis.start()  # and it has nothing any more
    until(lambda: at_a.newest == "restore", "it got back what was known")
    for gw in (a, b):
        gw.wait_metric("banyan_shift_book_up", 1)
        assert served(people, gw) == first
    third = gateway(shared(old, new, redis.url, "c"), token=TOKEN)
    assert served(people, third) == first, "who comes later has the same key and the same draw"
    at_b.command("back")
    at_a.wait_phase("old")
    assert [row["verb"] for row in at_a.history] == ["back", "restore"] and at_a.history[0]["seq"] == 3


def test_a_redis_that_was_emptied_gets_back_what_people_accepted(gateway, old, new, redis):
    gw = gateway(shared(old, new, redis.url, shift="{ shadow: { effects: none } }"), token=TOKEN)
    users = Shift(gw)
    users.command("shadow")
    users.command("accept", ".name", "value")
    accepted = "banyan:{shift}:accepted:users"
    before = redis.client.hgetall(accepted)
    assert list(before) == [b"value .name"]
    redis.client.flushall()
    until(lambda: redis.client.hgetall(accepted) == before, "it is there again")


def test_what_one_takes_back_nobody_puts_back(gateway, old, new, redis):
    one, two = (gateway(shared(old, new, redis.url, name, "{ shadow: { effects: none } }"), token=TOKEN) for name in "ab")
    Shift(one).command("shadow")
    Shift(one).command("accept", ".name", "value")
    for gw in (one, two):
        gw.wait_metric("banyan_shift_differences", 1, subject="users", verdict="accepted")
    Shift(one).command("unaccept", ".name", "value")
    for gw in (one, two):
        gw.wait_metric("banyan_shift_differences", 0, subject="users", verdict="accepted")
    assert Shift(two).differences == {}
    Shift(two).command("accept", ".name", "value")
    one.wait_metric("banyan_shift_differences", 1, subject="users", verdict="accepted")


@pytest.fixture
def ill(upstream):
    """Both sides, which fail whoever says so."""
    def side(name):
        return upstream(answer=lambda asked: reply(500 if asked.headers.get("x-ill") == "yes" else 200, name))
    return side(b"old"), side(b"new")


class Counted:
    """People of both sides, and how many errors the judge has counted on each."""

    def __init__(self, client, gw):
        people = crowd(client, gw, 120)
        first = served(people)
        self.new, self.old = ([person for person, side in zip(people, first) if side == name] for name in ("new", "old"))
        self.well = [*self.new[-15:], *self.old[-15:]]

    def err(self, gw, numbers):
        """Both sides alike, and others between, so that nobody is to blame."""
        for number in numbers:
            for person in (self.new[number], *self.well[::6], self.old[number], *self.well[1::6]):
                person.gw = gw
                person.get("/", *(["X-Ill: yes"] if person in (self.new[number], self.old[number]) else []))

    def events(self, *subjects):
        """After as many good requests as close what is open."""
        served(self.well, subjects[0].gw)
        found = [subject.ask()["detail"]["metrics"][0] for subject in subjects]
        return [(errors["new"]["events"], errors["old"]["events"]) for errors in found]

    def wait(self, want, *subjects, seconds=2):
        """Until they are these, and are still some seconds after."""
        until(lambda: self.events(*subjects) == [(want, want)] * len(subjects), f"{want} errors on each side: {self.events(*subjects)}")
        points = len(subjects[0].ask()["detail"]["series"])
        until(lambda: len(subjects[0].ask()["detail"]["series"]) > points + seconds, "some seconds")
        assert self.events(*subjects) == [(want, want)] * len(subjects)


@pytest.mark.parametrize("end", ["taken over", "stopped", "killed"])
def test_counts_of_two_runs_of_one_gateway_add_up(gateway, ill, client, tmp_path, end):
    text = shared(*ill, f"sqlite:{tmp_path}/book.db") + "drain: { idle: 100ms }\n"
    gw = gateway(text, token=TOKEN)
    Shift(gw).command("canary")
    counted = Counted(client, gw)
    counted.err(gw, range(5))
    counted.wait(5, Shift(gw))
    if end == "killed":
        kill(gw)
    elif end == "stopped":
        gw.stop()
    again = gateway(after=gw, text=None, token=TOKEN, words=["--takeover"] if end == "taken over" else [])
    counted.err(again, range(3, 9))  # two have been counted, and there are four more
    if end == "taken over":
        assert gw.program.wait(20) == 0
        gw.stop()
    users = Shift(again)
    counted.wait(9, users)
    assert users.phase == "canary" and users.ask()["detail"]["gateways"] == 1
    assert ("was taken over" in again.stderr) == (end != "killed")


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_one_broken_user_is_one_error_of_all_gateways(gateway, ill, client, redis, tmp_path, kind):
    store = redis.url if kind == "redis" else f"sqlite:{tmp_path}/book.db"
    a, b = (gateway(shared(*ill, store, name), token=TOKEN) for name in "ab")
    at_a, at_b = Shift(a), Shift(b)
    at_a.command("canary")
    at_b.wait_phase("canary")
    counted = Counted(client, a)
    counted.err(a, [0])
    counted.err(b, [0])  # before either has heard of the other
    counted.wait(1, at_a, at_b)
    counted.err(b, [0, 1, 1])
    counted.err(a, [1, 2])
    counted.wait(3, at_a, at_b)
    assert at_a.phase == "canary" and at_b.ask()["detail"]["gateways"] == 2
    if kind == "redis":
        redis.client.flushall()
        until(lambda: at_a.history and at_a.history[0]["verb"] == "restore", "Redis has it back")
        third = gateway(shared(*ill, store, "c"), token=TOKEN)
        at_c = Shift(third)
        at_c.wait(lambda told: told["detail"]["gateways"] == 3, "hears of both")
        counted.err(third, [0, 1, 2])
        counted.wait(3, at_c, at_a, at_b)
