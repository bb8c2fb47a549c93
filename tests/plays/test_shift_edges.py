# SPDX-License-Identifier: Apache-2.0
"""A route that is moved, where configurations change, people err and requests come late."""
import contextlib
import http.client
import json
import signal
import threading

import pytest

from actors.gateway import everything_to
from actors.http1 import reply
from actors.postgres import Postgres
from actors.shift import TOKEN, Person, Shift, crowd, sides, two_sides
from actors.waiting import until

ERRORS = "judge: { metrics: [ errors ], hold: 1ms }"


@pytest.fixture
def old(upstream):
    return upstream(answer=reply(200, b"old"))


@pytest.fixture
def new(upstream):
    return upstream(answer=reply(200, b"new"))


def test_a_subject_is_there_while_configurations_change(gateway, old, new):
    ignored = ", ".join(f"'.a.b{number}[].c'" for number in range(300))
    text = two_sides(old, new, f"{{ compare: {{ ignore: [ {ignored} ] }} }}")
    gw = gateway(text, token=TOKEN)
    over, found = threading.Event(), []

    def look():
        while not over.is_set():
            found.append(gw.ask_admin("/shift/users")[0])
    looking = [threading.Thread(target=look) for _ in range(2)]
    for thread in looking:
        thread.start()
    for number in range(20):
        gw.reload(f"{text}# {number}\n")
    over.set()
    for thread in looking:
        thread.join()
    assert set(found) == {200}


def test_answers_that_cannot_be_reshaped_are_failures_of_the_new_side(gateway, upstream, old, client):
    ill = upstream(answer=reply(200, b"no JSON", "Content-Type: application/json"))
    shaped = "reshape: { rename: { .a: .b } }, shift: {"
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ] }").replace("shift: {", shaped), token=TOKEN)
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    until(lambda: {person.get().status for person in people} == {200}, "everybody is on the old side")
    assert users.ask()["detail"]["metrics"][0]["new"]["events"] or "failed" in users.ask()["last"]


def test_what_began_in_another_attempt_says_nothing_of_this_one(gateway, upstream, old, client):
    mended = threading.Event()

    def answer(asked):
        if asked.target == "/slow":
            mended.wait(20)
        return reply(500 if asked.target == "/slow" else 200, b"new")
    ill = upstream(answer=answer)
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ], hold: 1h } }"), token=TOKEN)
    users = Shift(gw)
    users.command("canary")
    late = [person for person in crowd(client, gw, 40) if person.get().text == "new"][:8]
    asked = [threading.Thread(target=person.get, args=("/slow",)) for person in late]
    for thread in asked:
        thread.start()
    until(lambda: ill.targets.count("/slow") == len(late), "all wait for the new side")
    users.command("back")
    users.command("canary")
    failed = gw.metric("banyan_shift_failed_total", subject="users", side="new")
    mended.set()
    for thread in asked:
        thread.join()
    until(lambda: gw.metric("banyan_shift_failed_total", subject="users", side="new") == failed + len(late), "they are counted")
    sides(crowd(client, gw, 20))
    points = len(users.ask()["detail"]["series"])
    users.wait(lambda told: len(told["detail"]["series"]) > points + 1, "was looked at for a second")
    assert users.phase == "canary" and users.history[0]["verb"] == "canary"


def test_the_next_step_is_the_next_share_whatever_the_steps_were(gateway, old, new, client):
    gw = gateway(two_sides(old, new, f"{{ steps: [ 1%, 5%, 25%, 50%, 100% ], {ERRORS} }}"), token=TOKEN)
    users = Shift(gw)
    users.command("canary", "25%")
    users.command("pause")
    gw.reload(two_sides(old, new, f"{{ steps: [ 25%, 50%, 100% ], {ERRORS} }}"))
    people = crowd(client, gw, 60)
    users.command("resume")
    until(lambda: sides(people) and users.history[0]["verb"] == "step", "the next step")
    assert [row["percent"] for row in users.history if row["verb"] == "step"][-1] == 50


def test_what_was_asked_for_is_forgotten_when_it_goes_back(gateway, upstream, old, client):
    answers = {"status": 200}
    ill = upstream(answer=lambda asked: reply(answers["status"], b"new"))
    tokens = ", ".join(f"{{ name: {name}, token: token-of-{name}-xxxxxx, role: approve }}" for name in ("ann", "bob"))
    text = two_sides(old, ill, "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ], hold: 1h } }", "shift: { approvals: 2 }\n")
    gw = gateway(text.replace(f"token: {TOKEN}", f"tokens: [ {tokens} ]"), token="token-of-bob-xxxxxx")
    users = Shift(gw)
    ann, bob = ("--token", "token-of-ann-xxxxxx"), ("--token", "token-of-bob-xxxxxx")
    users.command("canary", "50%", *ann)
    users.command("approve", *bob)
    users.command("to", "90%", *ann)
    people = crowd(client, gw, 40)
    answers["status"] = 500
    until(lambda: [person.get() for person in people] and users.history[0]["verb"] == "back", "back on the old side")
    assert "nobody has asked" in users.command("approve", *bob, code=7)
    assert users.phase == "old"


def test_nothing_is_approved_in_a_freeze(gateway, old, new):
    tokens = ", ".join(f"{{ name: {name}, token: token-of-{name}-xxxxxx, role: approve }}" for name in ("ann", "bob"))

    def text(freeze=""):
        return two_sides(old, new, more=f"shift: {{ approvals: 2{freeze} }}\n").replace(f"token: {TOKEN}", f"tokens: [ {tokens} ]")
    gw = gateway(text(), token="token-of-bob-xxxxxx")
    users = Shift(gw)
    users.command("canary", "--token", "token-of-ann-xxxxxx")
    gw.reload(text(", freeze: [ { from: 2020-01-01T00:00:00Z, to: 2999-01-01T00:00:00Z } ]"))
    assert "2999-01-01" in users.command("approve", "--token", "token-of-bob-xxxxxx", code=2)
    assert users.phase == "old"


@pytest.mark.parametrize("body", ['{"dry_run":"true"}', '{"percent":"5"}', '{"percent":0}', '{"expect":"1"}', "[]", '"canary"'])
def test_a_verb_whose_body_is_not_understood_does_nothing(gateway, old, new, body):
    gw = gateway(two_sides(old, new), token=TOKEN)
    connection = http.client.HTTPConnection(gw.admin, timeout=20)
    with contextlib.closing(connection):
        connection.request("POST", "/shift/users/canary", body, {"Authorization": f"Bearer {TOKEN}"})
        assert connection.getresponse().status == 400
    assert Shift(gw).phase == "old"


def test_the_head_of_the_stream_of_events_ends(gateway, old, new):
    gw = gateway(two_sides(old, new), token=TOKEN)
    connection = http.client.HTTPConnection(gw.admin, timeout=20)
    with contextlib.closing(connection):
        for method, page in (("HEAD", "/shift/events"), ("GET", "/shift/users")):
            connection.request(method, page, headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            assert answer.status == 200 and (answer.read() or method == "HEAD")


def test_the_way_back_from_retired_does_not_wait_for_the_book(gateway, old, new, client):
    with Postgres() as server:
        gw = gateway(two_sides(old, new, more=f"shift: {{ store: '{server.url}' }}\n"), token=TOKEN)
        users = Shift(gw)
        users.command("canary", "100%")
        users.command("retire", "--force")
        people = [Person(client, gw) for _ in range(10)]
        assert sides(people) == {"new": 10}
        server.stop()
        host, port = gw.admin.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", "/shift/users/back", '{"why":"tea"}', {"Authorization": f"Bearer {TOKEN}"})
            assert connection.getresponse().status >= 500
        assert sides(people) == {"old": 10}
        server.start()
        until(lambda: users.newest == "back", "and the book knows it")
        assert users.history[0]["why"] == "tea"


@pytest.mark.parametrize("after", ["reload", "restart"])
def test_another_new_side_begins_on_the_old_one(gateway, upstream, old, new, client, after):
    third = upstream(answer=reply(200, b"third"))
    gw = gateway(two_sides(old, new), token=TOKEN)
    users = Shift(gw)
    users.command("canary", "100%")
    users.command("retire", "--force")
    text = two_sides(new, third).replace("next", "after").replace("shop", "next")
    if after == "reload":
        gw.reload(text)
    else:
        gw.stop()
        gw.write(text)
        gw = gateway(after=gw, text=None, token=TOKEN)
    users = Shift(gw)
    people = [Person(client, gw) for _ in range(10)]
    assert sides(people) == {"new": 10} and users.ask()["percent"] == 0
    assert "moved to next" in users.ask()["blocked"]
    users.command("back")
    users.command("canary", "100%")
    people = crowd(client, gw, 40)
    assert "third" in sides(people) and users.ask()["blocked"] == ""


def test_the_way_back_is_not_lost_to_what_another_gateway_did_just_then(gateway, old, new, tmp_path):
    a, b = (gateway(two_sides(old, new, more=f"shift: {{ store: 'sqlite:{tmp_path}/book.db', gateway: {name} }}\n"), token=TOKEN) for name in "ab")
    at_a, at_b = Shift(a), Shift(b)
    for _ in range(5):
        at_a.command("canary")
        at_b.wait_phase("canary")
        assert [gw.ask_admin(f"/shift/users/{verb}", "POST")[0] for gw, verb in ((a, "pause"), (b, "back"))] == [200, 200]
        at_a.wait_phase("old")


def test_what_was_counted_in_another_step_is_not_counted_in_this(gateway, old, new, client, tmp_path):
    text = two_sides(old, new, "{ steps: [ 10%, 60%, 100% ], judge: { metrics: [ errors ], hold: 1h } }",
                     f"shift: {{ store: 'sqlite:{tmp_path}/book.db', gateway: a }}\n")
    a, b = (gateway(text.replace("gateway: a", f"gateway: {name}"), token=TOKEN) for name in "ab")
    at_a = Shift(a)
    at_a.command("canary")
    people = crowd(client, a, 300)
    sides(people)
    at_b = Shift(b)
    at_b.wait(lambda told: told["detail"]["metrics"] and told["detail"]["metrics"][0]["old"]["n"] > 100, "has heard of them")  # whole batches of them
    assert at_b.ask()["detail"]["split"]["old_users"] <= 300, "who was seen there is not counted here too"
    a.program.process.send_signal(signal.SIGKILL)
    a.program.wait(10)
    a.stopped = True
    at_b.command("to", "60%")
    again = gateway(after=a, text=None, token=TOKEN)
    split = Shift(again).ask()["detail"]["split"]
    assert (split["new_users"], split["old_users"]) == (0, 0) and split["expected"] == 0.6


def test_a_store_that_is_none_is_named_with_its_place(gateway, old, new):
    gw = gateway(two_sides(old, new), token=TOKEN)
    gw.write(two_sides(old, new, more="shift: { store: 'mysql://x' }\n"))
    status, _, text = gw.ask_admin("/config/reload", "POST")
    mistake = json.loads(text)["mistakes"][0]
    assert status == 422 and mistake["line"] > 1 and "expected sqlite:PATH, postgresql://USER@HOST/NAME or redis://" in mistake["text"]
    gw.write(two_sides(old, new, more="shift: { store: 'postgresql://ann:hunter2@[/x' }\n"))
    status, _, text = gw.ask_admin("/config/reload", "POST")
    assert status == 422 and "hunter2" not in text + gw.stderr


def test_a_configuration_that_was_refused_moves_nothing(gateway, old, new, client):
    """Its book cannot be opened, which is found after its routes were."""
    gw = gateway(everything_to(old, more=f"admin: {{ address: '127.0.0.1:0', token: {TOKEN} }}\n"), token=TOKEN)
    gw.reload(two_sides(old, new, more="shift: { store: 'sqlite:/proc/nowhere/book.db' }\n"), good=False)
    assert json.loads(gw.ask_admin("/shift")[2])["subjects"] == []
    assert client.get(gw).text == "old"
    gw.reload(two_sides(old, new))
    Shift(gw).command("canary", "50%")
    assert set(sides(crowd(client, gw, 40))) == {"old", "new"}


def test_what_of_a_move_waits_for_a_restart_is_named(gateway, old, new, tmp_path):
    def text(store, name):
        return two_sides(old, new, more=f"shift: {{ store: 'sqlite:{tmp_path}/{store}.db', gateway: {name} }}\n")
    gw = gateway(text("one", "a"), token=TOKEN)
    assert not gw.ask_admin("/config")[2].startswith("#")
    gw.write(text("two", "b"))
    told = json.loads(gw.ask_admin("/config/reload", "POST")[2])
    assert told["restart"] == ["shift.store", "shift.gateway"]
    assert "shift.store changed: that takes a restart" in gw.stderr
    for _ in range(2):
        assert "# shift.store: another one is in force until a restart\n# shift.gateway:" in gw.ask_admin("/config")[2]
        gw.hup()
    gw.reload(text("one", "a"))
    assert not gw.ask_admin("/config")[2].startswith("#")
