# SPDX-License-Identifier: Apache-2.0
"""A route that is moved, where configurations change, people err and requests come late."""
import threading

import pytest

from actors.http1 import reply
from actors.shift import TOKEN, Person, Shift, crowd, sides, two_sides
from actors.waiting import until

ERRORS = "judge: { metrics: [ errors ], hold: 1ms }"


@pytest.fixture
def old(upstream):
    return upstream(answer=reply(200, b"old"))


@pytest.fixture
def new(upstream):
    return upstream(answer=reply(200, b"new"))


def test_a_reload_that_is_refused_leaves_the_judge_at_work(gateway, upstream, old, client):
    answers = {"status": 200}
    ill = upstream(answer=lambda asked: reply(answers["status"], b"new"))
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ] }"), token=TOKEN)
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    assert set(sides(people)) == {"old", "new"}
    gw.reload(two_sides(old, ill, "{ compare: { tolerance: { .price: { by: much } } } }"), good=False)
    assert users.ask()["steps"] == [50, 100]
    answers["status"] = 500
    until(lambda: {person.get().status for person in people} == {200}, "everybody is on the old side")


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
    users.wait(lambda told: told["verdict"]["say"] == "wait", "is looked at")
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
