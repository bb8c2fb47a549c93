# SPDX-License-Identifier: Apache-2.0
"""What one side of a route took comes to the other: all of it, once, in order for each key, whoever dies in between."""
import contextlib
import json
import signal
import sqlite3
import threading

import pytest

from actors.gateway import run_banyan
from actors.http1 import Closed, request
from actors.ledger import Ledger
from actors.postgres import Postgres
from actors.shift import Person, Shift
from actors.waiting import always, until

TOKEN = "a-token-of-the-play"


def sides(old, new, writes="dual", shift="{}", more=""):
    return (f"admin: {{ address: '127.0.0.1:0', token: {TOKEN} }}\n"
            f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
            f"routes: [ {{ name: users, match: '/{{kind}}/{{id}}/**', old: shop, new: next, shift: {shift}, writes: {writes} }} ]\n" + more)


@pytest.fixture
def ledger(stage):
    def start(name, **options):
        actor = Ledger(name, **options)
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def old(ledger):
    return ledger("old")


@pytest.fixture
def new(ledger):
    return ledger("new")


@pytest.fixture
def dual(gateway, old, new):
    """A gateway whose writes go to both sides."""
    def start(writes="dual", shift="{}", more="", **options):
        gw = gateway(sides(old, new, writes, shift, more), token=TOKEN, **options)
        return gw, Shift(gw)
    return start


@pytest.fixture
def postgres():
    with Postgres() as server:
        yield server


@pytest.fixture
def pair(postgres, gateway, old, new):
    """Two gateways that share a book in PostgreSQL."""
    def start(writes="dual", shift="{}"):
        return [gateway(sides(old, new, writes, shift, f"shift: {{ store: '{postgres.url}', gateway: {name} }}\n"), token=TOKEN) for name in "ab"]
    return start


def kill(gw):
    gw.program.process.send_signal(signal.SIGKILL)
    gw.program.wait(10)
    gw.stopped = True


def again(gateway, gw):
    """The same gateway after it was killed."""
    return gateway(after=gw, text=None, token=TOKEN)


def begin(client, gw, target, body, method="POST"):
    """A request whose answer nobody waits for yet."""
    wire = client.connect(gw)
    wire.send(request(method, target, body=body))
    return wire


def wait_write(users, **wanted):
    """Until there is a write like this, and gives it."""
    return until(lambda: next((row for row in writes(users) if wanted.items() <= row.items()), None), f"a write {wanted}")


def wait_one(users):
    """Until only one is left, and gives it."""
    return until(lambda: writes(users) if len(writes(users)) == 1 else None, "one is left")[0]


def count(gw, result):
    return gw.metric("banyan_shift_writes_total", subject="users", result=result)


def writes(users):
    return users.ask("/writes")["writes"]


def wait_all(users):
    until(lambda: not writes(users), "both sides have all")


def test_what_one_side_took_comes_to_the_other(dual, client, old, new):
    gw, users = dual()
    assert client.get(gw, "/a/1/x").text == "old"
    answer = client.post(gw, "/a/1/x?y=1", b"one", "Content-Type: text/plain", "X-Banyan-Write: second", "Cookie: session=1")
    assert (answer.status, answer.text) == (201, "old")
    (first,), (second,) = old.wait_done(1), new.wait_done(1)
    assert (second.method, second.target, second.body) == ("POST", "/a/1/x?y=1", "one")
    assert first.key and second.key == first.key and second.marked and not first.marked
    assert second.headers.get("cookie") == "session=1" and second.headers.get("host") == "shop.test"
    wait_all(users)
    assert (count(gw, "taken"), count(gw, "delivered"), count(gw, "same")) == (1, 1, 1)


def test_the_key_is_the_clients_if_it_has_one(dual, client, old, new):
    _, users = dual()
    gw = users.gw
    client.post(gw, "/a/1", b"one", "Idempotency-Key: \"mine\"")
    client.post(gw, "/a/1", b"one", "Idempotency-Key: \"mine\"")
    wait_all(users)
    assert {write.key for write in old.tried + new.tried} == {'"mine"'} and (len(old.done), len(new.done)) == (1, 1)


def test_what_the_first_side_refused_goes_nowhere(dual, client, old, new):
    gw, users = dual()
    old.said = lambda write: {"a": 422, "b": 500, "c": 303}[write.body]
    new.said = lambda write: 303
    assert [client.post(gw, "/a/1", body.encode()).status for body in "abc"] == [422, 500, 303]
    new.wait_done(1)
    wait_all(users)
    assert new.bodies == ["c"] and (count(gw, "refused"), count(gw, "taken")) == (2, 1)


def test_reads_and_what_is_retired_go_to_one_side(dual, client, old, new):
    gw, users = dual(shift="{ steps: [ 100% ], holdback: 0% }")
    assert client.ask(gw, "OPTIONS", "/a/1").status == 200
    users.command("canary")
    users.command("retire", "--force")
    person = Person(client, gw)
    person.get("/a/1")
    assert client.post(gw, "/a/1", b"one").text == "new"
    assert (old.tried, len(new.done)) == ([], 1) and not writes(users)


def test_the_user_waits_for_one_side_only(dual, client, old, new):
    gw, users = dual()
    new.hold()
    assert client.post(gw, "/a/1", b"one").status == 201
    new.wait_tried(1)
    assert client.post(gw, "/a/1", b"two").status == 201
    until(lambda: [row["state"] for row in writes(users)] == ["due", "due"], "both are kept")
    new.release()
    assert [write.body for write in new.wait_done(2)] == ["one", "two"]


def test_writes_of_a_key_come_in_order_and_others_do_not_wait(dual, client, old, new):
    gw, users = dual("{ mode: dual, key: path.id }")
    new.said = lambda write: 503 if write.target == "/a/1" and write.body == "0" and len(new.tried) < 3 else 201
    for number in range(3):
        client.post(gw, "/a/1", str(number).encode())
        client.post(gw, "/b/2", str(number).encode())
    wait_all(users)
    assert new.of("/a/1") == new.of("/b/2") == ["0", "1", "2"]
    assert {row.key for row in new.done} == {row.key for row in old.done}


@pytest.mark.parametrize("key, headers, bodies", [
    ("header:X-Order", ["X-Order: 7", "X-Order: 7", "X-Order: 8"], [b"{}", b"{}", b"{}"]),
    ("body.order.id", [], [b'{"order":{"id":7}}', b'{"order":{"id":7,"n":1}}', b'{"order":{"id":8}}']),
    ("path.id", [], [b"1", b"2", b"3"]),
])
def test_what_a_key_is(dual, client, new, key, headers, bodies):
    gw, users = dual(f"{{ mode: dual, key: '{key}' }}")
    new.hold()
    targets = ["/a/7", "/b/7", "/a/8"] if key == "path.id" else ["/a/1", "/b/2", "/c/3"]
    for number, (target, body) in enumerate(zip(targets, bodies)):
        client.post(gw, target, body, *headers[number:number + 1])
    first, second, third = writes(users)
    assert first["key"] == second["key"] != third["key"]
    assert {write.target for write in new.wait_tried(2)} == {targets[0], targets[2]}, "the second waits for the first"
    new.release()
    wait_all(users)


def test_two_gateways_keep_one_order_for_each_key(pair, client, old, new):
    gateways = pair("{ mode: dual, wait: 20s }")
    targets = [f"/a/{number}" for number in range(3)]

    def work(number):
        for turn in range(8):
            answer = client.post(gateways[(number + turn) % 2], targets[turn % 3], f"{number}-{turn}".encode())
            assert answer.status == 201, answer.text

    failed = []
    threads = [threading.Thread(target=guarded(work, failed), args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed, failed
    new.wait_done(48)
    for target in targets:
        assert new.of(target) == old.of(target)
    wait_all(Shift(gateways[0]))
    assert len(old.tried) == len(new.done) == 48


def guarded(work, failed):
    def run(*args):
        try:
            work(*args)
        except BaseException as error:  # pylint: disable=broad-except
            failed.append(error)
    return run


# --- kill -9 ---


@pytest.fixture(params=["repeat", "ask a person"])
def declared(request):
    return request.param == "repeat"


def kept(declared):
    return f"{{ mode: dual, repeat: {'on' if declared else 'off'} }}"


def settle(users, declared, action):
    """What nobody knows is asked again where that was declared; else a person says what it was."""
    if declared:
        return
    row = wait_write(users, state="dead", reason="unknown")
    assert str(row["id"]) in users.command("writes") and "ended before" in row["said"]
    users.command("writes", action, str(row["id"]))


def test_killed_when_only_the_intent_was_written(gateway, client, old, new, declared):
    text = sides(old, new, kept(declared)).replace(f'"{old.address}" ]', f'"{old.address}" ], max_connections: 1, queue: 10')
    gw = gateway(text, token=TOKEN)
    old.hold()
    begin(client, gw, "/a/0", b"zero")
    old.wait_tried(1)
    begin(client, gw, "/a/1", b"one")
    users = Shift(gw)
    until(lambda: len(writes(users)) == 2, "the intents of both")
    kill(gw)
    old.release()
    old.wait_done(1)
    gw = again(gateway, gw)
    users = Shift(gw)
    if not declared:
        until(lambda: len([row for row in writes(users) if row["state"] == "dead"]) == 2, "nobody knows of both")
        lost = {row["request"]: str(row["id"]) for row in writes(users)}
        users.command("writes", "retry", lost["POST /a/0"], "--why", "it is there")
        users.command("writes", "drop", lost["POST /a/1"], "--why", "it is not")
    wait_all(users)
    assert sorted(old.bodies) == sorted(new.bodies) == (["one", "zero"] if declared else ["zero"])


def test_killed_while_the_first_side_is_at_it(gateway, dual, client, old, new, declared):
    gw, users = dual(kept(declared))
    old.hold()
    begin(client, gw, "/a/1", b"one")
    old.wait_tried(1)
    kill(gw)
    old.release()
    old.wait_done(1)
    gw = again(gateway, gw)
    users = Shift(gw)
    settle(users, declared, "retry")
    assert [write.body for write in new.wait_done(1)] == ["one"]
    wait_all(users)
    assert old.bodies == new.bodies == ["one"] and len(old.tried) == 1 + declared


def test_killed_before_it_was_delivered(gateway, dual, client, old, new, tmp_path):
    gw, users = dual(more=f"shift: {{ store: 'sqlite:{tmp_path}/book.db' }}\n")
    new.stop()
    assert client.post(gw, "/a/1", b"one").status == 201
    wait_write(users, state="due")
    kill(gw)
    new.start()
    gw = again(gateway, gw)
    with contextlib.closing(sqlite3.connect(f"{tmp_path}/book.db")) as book:
        alive = book.execute("select pid from shift_writers").fetchall()
    assert alive == [(gw.pid,)], "one that starts again does not wait until it is taken for dead"
    new.wait_done(1)
    wait_all(Shift(gw))
    assert old.bodies == new.bodies == ["one"] and len(old.tried) == 1


def test_killed_when_the_other_side_had_it_and_nobody_knew(gateway, dual, client, old, new):
    gw, users = dual()
    new.hold()
    assert client.post(gw, "/a/1", b"one").status == 201
    first, = new.wait_tried(1)
    client.post(gw, "/a/1", b"two")
    until(lambda: [row["state"] for row in writes(users)] == ["due", "due"], "both are kept")
    kill(gw)
    new.release()
    new.wait_done(1)
    gw = again(gateway, gw)
    wait_all(Shift(gw))
    assert new.bodies == ["one", "two"] and len(new.tried) == 3
    assert new.tried[1].key == first.key, "so it is the one it has had"


def test_another_gateway_takes_over_from_one_that_is_killed(pair, client, old, new):
    a, b = pair()
    new.hold()
    for number in range(3):
        for target in ("/a/1", "/a/2"):
            assert client.post((a, b)[number % 2], target, str(number).encode()).status == 201
    new.wait_tried(2)
    old.hold()
    begin(client, a, "/a/3", b"lost")
    old.wait_tried(7)
    kill(a)
    old.release()
    new.release()
    users = Shift(b)
    row = wait_write(users, state="dead", reason="unknown")
    users.command("writes", "retry", str(row["id"]))
    wait_all(users)
    assert [new.of(target) for target in ("/a/1", "/a/2", "/a/3")] == [["0", "1", "2"], ["0", "1", "2"], ["lost"]]


def test_one_that_slept_is_not_believed_but_its_outcome_is(pair, client, old, new):
    a, b = pair()
    old.hold()
    wire = begin(client, a, "/a/1", b"one")
    old.wait_tried(1)
    a.program.process.send_signal(signal.SIGSTOP)
    users = Shift(b)
    wait_write(users, state="dead", reason="unknown")
    a.program.process.send_signal(signal.SIGCONT)
    old.release()
    assert wire.answer().status == 201
    new.wait_done(1)
    wait_all(users)
    assert old.bodies == new.bodies == ["one"]


class Storm:
    """People who write on while gateways are killed: each asks again, with the same key, until somebody has said yes."""

    def __init__(self, client, gateways, targets):
        self.client, self.gateways, self.targets = client, gateways, targets
        self.failed, self.said = [], 0

    def work(self, number, writes=25):
        for turn in range(writes):
            body = f"{number}-{turn}"
            until(lambda body=body, turn=turn: self.ask(number + turn, body), f"{body} is taken", within=60)
            self.said += 1

    def ask(self, number, body):
        gw = self.gateways[number % len(self.gateways)]
        try:
            return self.client.post(gw, self.targets[number % len(self.targets)], body.encode(), f"Idempotency-Key: {body}").status == 201
        except (OSError, Closed):
            return False

    def rage(self, gateway, people, kills):
        threads = [threading.Thread(target=guarded(self.work, self.failed), args=(number,)) for number in range(people)]
        for thread in threads:
            thread.start()
        for turn in range(kills):
            seen = self.said
            until(lambda seen=seen: self.said > seen + 3 or not any(thread.is_alive() for thread in threads), "they write")
            place = turn % len(self.gateways)
            kill(self.gateways[place])
            self.gateways[place] = again(gateway, self.gateways[place])
        for thread in threads:
            thread.join(90)
        assert not self.failed, self.failed


@pytest.mark.parametrize("count_of", [1, 2], ids=["one gateway", "two gateways"])
def test_both_sides_are_the_same_after_a_storm_of_kills(postgres, gateway, client, old, new, count_of):
    texts = [sides(old, new, "{ mode: dual, repeat: on }", more=f"shift: {{ store: '{postgres.url}', gateway: {name} }}\n") for name in "ab"]
    storm = Storm(client, [gateway(text, token=TOKEN) for text in texts[:count_of]], ["/a/1", "/a/2", "/a/3"])
    storm.rage(gateway, 4, 6)
    wait_all(Shift(storm.gateways[0]))
    assert sorted(new.bodies) == sorted(old.bodies) and len(set(new.bodies)) == len(new.bodies) == 100
    for target in storm.targets:
        assert new.of(target) == old.of(target)


# --- the other side ---


def test_a_side_that_is_away_gets_all_of_it_later(dual, client, old, new):
    gw, users = dual("{ mode: dual, attempts: 1 }")
    new.stop()
    for number in range(4):
        assert client.post(gw, f"/a/{number % 2}", str(number).encode()).status == 201
    until(lambda: count(gw, "retried") >= 4, "it was tried")
    gw.wait_metric("banyan_shift_writes_waiting", 4, subject="users", side="new")
    assert gw.metric("banyan_shift_writes_oldest_seconds", subject="users") > 0
    assert "4 writes have not reached next" in users.command() and "4 writes have not reached next" in users.command("plan")
    new.start()
    new.wait_done(4)
    wait_all(users)
    assert new.of("/a/0") == ["0", "2"] and new.of("/a/1") == ["1", "3"] and count(gw, "dead") == 0
    until(lambda: "all have reached both" in users.command(), "told")


def test_a_dead_letter_holds_up_its_key_until_it_is_repaired(dual, client, new):
    gw, users = dual()
    new.said = lambda write: 400 if write.body == "bad" else 201
    client.post(gw, "/a/1", b"bad", "Authorization: Bearer secret")
    row = wait_write(users, state="dead", reason="refused")
    client.post(gw, "/a/1", b"behind")
    client.post(gw, "/a/2", b"other")
    assert [write.body for write in new.wait_done(1)] == ["other"]
    assert (row["said"], row["lacks"], row["request"], row["tries"]) == ("it answered 400", "new", "POST /a/1", 1)
    shown = users.command("writes", "show", str(row["id"]))
    assert "bad" not in shown and "secret" not in shown and "Authorization: ***" in shown and "3 bytes" in shown
    until(lambda: "2 writes have not reached next (1 waits for a person)" in users.command(), "told")
    assert "would be" in users.command("writes", "retry", str(row["id"]), "--dry-run")
    always(lambda: new.bodies == ["other"], "nothing was done")
    new.said = lambda write: 201
    users.command("writes", "retry", str(row["id"]), "--why", "mended")
    wait_all(users)
    assert new.of("/a/1") == ["bad", "behind"]
    last = users.history[0]
    assert (last["verb"], last["who"]) == ("writes", "admin") and f"write {row['id']} (POST /a/1" in last["why"] and "mended" in last["why"]


def test_what_is_skipped_stays_and_what_is_dropped_goes(dual, client, new):
    gw, users = dual()
    new.said = lambda write: 201 if write.body == "good" else 409 if write.body == "busy" and len(new.tried) < 3 else 404
    client.post(gw, "/a/1", b"bad")
    bad = str(wait_write(users, state="dead")["id"])
    client.post(gw, "/a/1", b"good")
    assert "no write 999" in users.command("writes", "skip", "999", code=5)
    users.command("writes", "skip", bad)
    new.wait_done(1)
    assert wait_one(users)["state"] == "skipped"
    assert "skip is for dead" in users.command("writes", "skip", bad, code=7)
    users.command("writes", "drop", bad)
    assert "both sides have all" in users.command("writes") and "no write" in users.command("writes", "show", bad, code=5)
    assert "retry ID" in users.command("writes", "dance", "1", code=2)
    assert json.loads(users.command("writes", "--json"))["writes"] == []


def test_all_dead_letters_are_tried_again_but_those_nobody_knows(dual, client, old, new):
    gw, users = dual()
    new.said = lambda write: 400
    for number in range(3):
        client.post(gw, f"/a/{number}", str(number).encode())
    old.said = lambda write: None
    assert client.post(gw, "/a/9", b"nine").status == 502
    until(lambda: [row["state"] for row in writes(users)] == ["dead"] * 4, "all wait for a person")
    new.said = lambda write: 201
    assert "3 writes" in users.command("writes", "retry", "all")
    new.wait_done(3)
    left = wait_one(users)
    assert left["reason"] == "unknown" and "9" in left["request"]


def test_what_fails_so_often_is_left_to_a_person(dual, client, new):
    gw, users = dual("{ mode: dual, attempts: 2 }")
    new.said = lambda write: 500
    client.post(gw, "/a/1", b"one")
    assert wait_write(users, state="dead")["reason"] == "given_up" and len(new.tried) == 2


def test_answers_that_differ_are_counted_and_kept(dual, client, old, new):
    gw, users = dual("{ mode: dual, compare: answer }", "{ compare: { ignore: [ .at ] } }")
    bodies = {"one": '{"total":1,"at":1}', "two": '{"total":2,"at":1}'}
    old.body_of = lambda write: bodies[write.body]
    new.body_of = lambda write: '{"total":1,"at":2}'
    client.post(gw, "/a/1", b"one")
    client.post(gw, "/a/1", b"two")
    row = wait_write(users, state="differs")
    assert ".total (value): old 2, new 1" in row["said"]
    until(lambda: (count(gw, "same"), count(gw, "differs")) == (1, 1), "counted")
    assert users.differences[(".total", "value")]["raw"] == 1
    assert "not settled" in users.command("canary", code=2)


def test_another_class_of_status_is_a_difference(dual, client, old, new):
    gw, users = dual()
    new.said = lambda write: 303
    client.post(gw, "/a/1", b"one")
    assert "201:303" in wait_write(users, state="differs")["said"] and count(gw, "differs") == 1


# --- what cannot be kept ---


def test_a_full_queue_turns_writes_away(dual, client, old, new):
    gw, users = dual("{ mode: dual, queue: 2 }")
    new.hold()
    assert [client.post(gw, f"/a/{number}", b"x").status for number in range(3)] == [201, 201, 503]
    assert client.post(gw, "/a/9", b"x").problem["type"].endswith("writes.full") and len(old.tried) == 2
    assert client.get(gw, "/a/9").status == 200, "reading goes on"
    new.release()
    wait_all(users)
    until(lambda: client.post(gw, "/a/9", b"x").status == 201, "there is room again")


def test_a_full_queue_lets_them_go_single_where_that_is_said(dual, client, old, new):
    gw, users = dual("{ mode: dual, queue: 1, unable: single }")
    new.hold()
    assert [client.post(gw, f"/a/{number}", b"x").status for number in range(3)] == [201, 201, 201]
    assert count(gw, "single_full") == 2
    new.release()
    wait_all(users)
    assert (len(old.done), len(new.done)) == (3, 1)


@pytest.mark.parametrize("unable", ["refuse", "single"])
def test_a_book_that_is_away(postgres, dual, client, old, new, unable):
    gw, users = dual(f"{{ mode: dual, unable: {unable} }}", more=f"shift: {{ store: '{postgres.url}' }}\n")
    assert client.post(gw, "/a/1", b"one").status == 201
    new.wait_done(1)
    postgres.stop()
    answer = client.post(gw, "/a/1", b"two")
    if unable == "refuse":
        assert answer.status == 503 and answer.problem["type"].endswith("writes.away") and old.bodies == ["one"]
    else:
        assert answer.status == 201 and old.bodies == ["one", "two"] and count(gw, "single_away") == 1
    postgres.start()
    until(lambda: client.post(gw, "/a/1", b"three").status == 201 and "three" in new.bodies, "it goes on")
    wait_all(users)


def test_an_outcome_outlasts_a_book_that_is_away(postgres, dual, client, old, new):
    gw, users = dual(more=f"shift: {{ store: '{postgres.url}' }}\n")
    old.hold()
    wire = begin(client, gw, "/a/1", b"one")
    old.wait_tried(1)
    postgres.stop()
    old.release()
    assert wire.answer().status == 201
    postgres.start()
    new.wait_done(1)
    wait_all(users)
    assert len(new.tried) == 1


def test_a_large_body(dual, client, old, new):
    gw, users = dual("{ mode: dual, body: 100KiB }")
    body = b"x" * (90 << 10)
    assert client.post(gw, "/a/1", body).status == 201
    assert new.wait_done(1)[0].body == body.decode()
    answer = client.post(gw, "/a/1", body * 2)
    assert answer.status == 413 and answer.problem["type"].endswith("writes.large") and len(old.tried) == 1
    gw.reload(gw.text.replace("100KiB", "100KiB, large: single"))
    assert client.post(gw, "/a/1", body * 2).status == 201
    assert count(gw, "single_large") == 1 and len(new.tried) == 1


# --- sides change ---


def user_on_new(client, gw):
    """One who is drawn to the new side."""
    def draw():
        person = Person(client, gw)
        person.get("/a/0")
        return person.get("/a/0").text == "new" and person
    return until(draw, "somebody is on the new side")


def post_as(person, target, body):
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    return person.client.post(person.gw, target, body, "Cookie: " + cookies)


def test_writes_of_the_new_side_come_to_the_old(dual, client, old, new):
    gw, users = dual(shift="{ steps: [ 50%, 100% ] }")
    users.command("canary")
    person = user_on_new(client, gw)
    assert post_as(person, "/a/1", b"one").text == "new"
    assert old.wait_done(1)[0].marked
    assert client.post(gw, "/a/1", b"two").text == "old"
    assert [write.body for write in new.wait_done(2)] == ["one", "two"] and old.bodies == ["one", "two"]


def test_a_write_waits_for_what_its_side_lacks(dual, client, old, new):
    gw, users = dual("{ mode: dual, wait: 20s }", "{ steps: [ 50%, 100% ] }")
    users.command("canary")
    person = user_on_new(client, gw)
    new.hold()
    assert client.post(gw, "/a/1", b"one").text == "old"
    new.wait_tried(1)
    done = []
    thread = threading.Thread(target=lambda: done.append(post_as(person, "/a/1", b"two").text))
    thread.start()
    always(lambda: not done and len(new.tried) == 1, "the second waits for the first")
    new.release()
    thread.join(20)
    wait_all(users)
    assert done == ["new"] and old.bodies == new.bodies == ["one", "two"]


def test_where_the_new_side_lacks_something_its_writes_go_to_the_old(dual, client, old, new):
    gw, users = dual(shift="{ steps: [ 50%, 100% ] }")
    users.command("canary")
    person = user_on_new(client, gw)
    new.said = lambda write: 400 if write.body == "bad" else 201
    client.post(gw, "/a/1", b"bad")
    row = wait_write(users, state="dead")
    assert post_as(person, "/a/1", b"pinned").text == "old"
    assert post_as(person, "/a/2", b"free").text == "new"
    assert count(gw, "pinned") == 1
    new.said = lambda write: 201
    users.command("writes", "retry", str(row["id"]))
    wait_all(users)
    assert new.of("/a/1") == old.of("/a/1") == ["bad", "pinned"]
    assert post_as(person, "/a/1", b"home").text == "new"


def test_no_step_begins_while_the_new_side_lacks_something(dual, client, new):
    gw, users = dual(shift="{ steps: [ 50%, 100% ] }")
    new.said = lambda write: 400
    client.post(gw, "/a/1", b"bad")
    row = wait_write(users, state="dead")
    until(lambda: users.ask().get("writes", {}).get("dead") == 1, "counted")
    assert "1 write has not reached next (1 waits for a person)" in users.command("canary", code=2)
    users.command("writes", "drop", str(row["id"]))
    until(lambda: users.ask()["writes"]["pending"] == 0, "counted")
    users.command("canary")


def test_the_way_back_says_what_the_old_side_lacks(dual, client, old, new):
    gw, users = dual("{ mode: dual, wait: 100ms }", "{ steps: [ 50%, 100% ] }")
    users.command("canary")
    person = user_on_new(client, gw)
    old.said = lambda write: 400 if write.body == "bad" else 201
    assert post_as(person, "/a/1", b"bad").text == "new"
    row = wait_write(users, state="dead")
    until(lambda: users.ask()["writes"]["dead"] == 1, "counted")
    assert "1 write has not reached shop" in users.command("back")
    answer = client.post(gw, "/a/1", b"after")
    assert answer.status == 503 and answer.problem["type"].endswith("writes.behind"), "the old side lacks what came before"
    assert client.post(gw, "/a/2", b"other").text == "old"
    old.said = lambda write: 201
    users.command("writes", "retry", str(row["id"]))
    until(lambda: client.post(gw, "/a/1", b"after").status == 201, "and then it may")
    assert old.of("/a/1") == ["bad", "after"]


@pytest.mark.parametrize("repeat", ["on", "off"])
def test_after_the_way_back_nobody_waits_for_what_the_new_side_never_said(dual, client, old, new, repeat):
    gw, users = dual(f"{{ mode: dual, repeat: {repeat} }}", "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ] } }")
    users.command("canary")
    person = user_on_new(client, gw)
    new.said = lambda write: None
    assert post_as(person, "/a/1", b"lost").status == 502
    wait_write(users, reason="unknown")
    new.stop()
    users.command("back")
    assert post_as(person, "/a/1", b"again").text == "old"
    assert wait_write(users, state="skipped")["request"] == "POST /a/1"
    assert count(gw, "passed") == 1 and old.bodies == ["again"]
    new.said = lambda write: 201
    new.start()
    until(lambda: new.of("/a/1") == ["lost", "again"], "the new side gets it")


def test_an_answer_lost_on_the_way_to_another_server_is_doubted(gateway, ledger, client, new):
    """A DELETE that was done, its answer lost, and asked again: 404 does not say that it was not done."""
    first, second = ledger("first", said=lambda write: None), ledger("second", said=lambda write: 404)
    text = sides(first, new).replace(f'"{first.address}" ]', f'"{first.address}", "{second.address}" ], balance: round_robin')
    gw = gateway(text, token=TOKEN)
    users = Shift(gw)
    until(lambda: client.ask(gw, "DELETE", "/a/1").status == 404 and first.tried, "asked of both")
    assert wait_write(users, state="dead", reason="unknown")["said"] == "the first side answered 404"


def test_routes_of_a_group_share_their_keys(gateway, client, old, new):
    text = sides(old, new, "{ mode: dual, key: path.id }", "{ group: shop-group }")
    line = next(line for line in text.splitlines() if line.startswith("routes:"))
    other = line[len("routes: [ "):-len(" ]")].replace("name: users", "name: orders").replace("'/{kind}/{id}/**'", "'/orders/{id}'")
    gw = gateway(text.replace(line, line[:-len(" ]")] + ", " + other + " ]"), token=TOKEN)
    users = Shift(gw, "shop-group")
    new.hold()
    for target in ("/a/1", "/orders/1", "/orders/2"):
        assert client.post(gw, target, b"x").status == 201
    assert {write.target for write in new.wait_tried(2)} == {"/a/1", "/orders/2"}
    assert {row["route"] for row in writes(users)} == {"users", "orders"}
    new.release()
    wait_all(users)


def test_users_are_known_before_they_are_moved(dual, client, new):
    gw, users = dual("{ mode: dual, key: user }")
    people = [Person(client, gw) for _ in range(2)]
    for person in people:
        person.get("/a/0")
    new.hold()
    for number, person in enumerate((people[0], people[0], people[1])):
        assert post_as(person, f"/a/{number}", b"x").text == "old"
    assert {write.target for write in new.wait_tried(2)} == {"/a/0", "/a/2"}
    new.release()
    wait_all(users)


def test_the_old_side_is_the_one_that_was_swapped_in(gateway, ledger, client, old, new):
    green = ledger("green")
    text = sides(old, new, "dual", "{ steps: [ 50%, 100% ] }", "shift: {}\n").replace("  next:", f"  green: {{ servers: [ \"{green.address}\" ] }}\n  next:")
    gw = gateway(text, token=TOKEN)
    users, shop = Shift(gw), Shift(gw, "upstream:shop")
    users.command("canary")
    person = user_on_new(client, gw)
    shop.command("to", "100%", "--to", "green")
    assert post_as(person, "/a/1", b"one").text == "new"
    green.wait_done(1)
    assert not old.done


def test_a_new_side_that_takes_no_connection_is_served_by_the_old(dual, client, old, new):
    gw, users = dual(shift="{ steps: [ 50%, 100% ], judge: { metrics: [ errors ] } }")
    users.command("canary")
    person = user_on_new(client, gw)
    new.stop()
    assert post_as(person, "/a/1", b"one").text == "old"
    new.start()
    new.wait_done(1)
    wait_all(users)
    assert old.bodies == new.bodies == ["one"]


def test_a_client_that_leaves_loses_nothing(dual, client, old, new):
    gw, users = dual()
    old.hold()
    wire = begin(client, gw, "/a/1", b"one", method="PUT")
    old.wait_tried(1)
    wire.reset()
    always(lambda: [row["state"] for row in writes(users)] == ["open"], "it goes on")
    old.release()
    new.wait_done(1)
    wait_all(users)
    assert old.bodies == new.bodies == ["one"]


# --- the configuration ---


@pytest.mark.parametrize("change, said", [
    ((", new: next, shift: {}", ""), "only a route with old and new"),
    (("writes: dual", "writes: { mode: dual, key: path.name }"), "no part {name}"),
    (("writes: dual", "writes: { mode: dual, key: 'claim' }"), "claim:NAME"),
    (("writes: dual", "writes: { mode: dual, key: body }"), "a path such as"),
    (("writes: dual", "writes: { repeat: on }"), "is for `mode: dual`"),
    (("writes: dual", "writes: dual, reshape: { path: '/v2/{id}' }"), "not both"),
])
def test_check_refuses_what_cannot_be(tmp_path, old, new, change, said):
    file = tmp_path / "banyan.yaml"
    text = sides(old, new)
    assert change[0] in text
    file.write_text(text.replace(*change))
    code, out, err = run_banyan("check", file)
    assert code == 2 and said in out + err
