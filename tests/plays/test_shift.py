# SPDX-License-Identifier: Apache-2.0
"""A route moved from its old side to its new one: who goes where, what undoes it, what is remembered."""
import itertools
import json
import signal

import pytest

from actors.http1 import reply
from actors.shift import Person, Shift, crowd, sides, two_sides
from actors.waiting import until


@pytest.fixture
def old(upstream):
    return upstream(answer=reply(200, b"old"))


@pytest.fixture
def new(upstream):
    return upstream(answer=reply(200, b"new"))


@pytest.fixture
def moved(gateway, old, new):
    """A gateway whose route `users` may be moved."""
    def start(shift="{}", more="", **options):
        gw = gateway(two_sides(old, new, shift, more), token="a-token-of-the-play", **options)
        return gw, Shift(gw)
    return start


def test_all_is_on_the_old_side_until_somebody_moves_it(moved, client):
    gw, users = moved()
    person = Person(client, gw)
    assert [person.get().text for _ in range(5)] == ["old"] * 5
    assert person.cookies == {}
    assert "users" in users.command() and "old" in Shift(gw, "").command()


def test_a_person_is_drawn_once_and_stays(moved, client):
    gw, users = moved("{ steps: [ 50%, 100% ], judge: { metrics: [ errors ] } }")
    users.command("canary", "--why", "release 42")
    people = crowd(client, gw, 200)
    assert {person.sides[0] for person in people} == {"old"}, "who has not returned the cookie is served by the old side"
    first = [person.get().text for person in people]
    assert 60 < first.count("new") < 140
    for _ in range(3):
        assert [person.get().text for person in people] == first


def test_who_is_in_at_a_little_is_in_at_more(moved, client):
    gw, users = moved()
    users.command("canary", "10%")
    people = crowd(client, gw, 200)
    before = {person for person in people if person.get().text == "new"}
    users.command("to", "40%")
    then = {person for person in people if person.get().text == "new"}
    assert 0 < len(before) < len(then) and before <= then
    users.command("back")
    assert sides(people) == {"old": 200}
    users.command("canary", "10%")
    again = {person for person in people if person.get().text == "new"}
    assert again and again != before, "another attempt draws others"


def test_a_broken_new_side_goes_back_by_itself(moved, client, upstream, gateway, old):
    count = itertools.count()
    ill = upstream(answer=lambda asked: reply(500 if next(count) > 20 else 200, b"new"))
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ] }"), token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    until(lambda: [person.get().status for person in people] and users.history[0]["verb"] == "back", "back on the old side")
    assert sides(people) == {"old": 40}
    last = users.history[0]
    assert last["verb"] == "back" and last["who"].startswith("judge@") and "new" in last["why"]
    assert users.ask()["last"] == last["why"]


def test_a_state_outlives_a_kill(moved, client, gateway):
    gw, users = moved("{ steps: [ 30%, 100% ] }")
    users.command("canary")
    people = crowd(client, gw, 60)
    before = [person.get().text for person in people]
    gw.program.process.send_signal(signal.SIGKILL)
    gw.program.wait(10)
    gw.stopped = True
    again = gateway(after=gw, text=None, token=gw.token)
    for person in people:
        person.gw = again
    assert [person.get().text for person in people] == before
    told = Shift(again).ask()
    assert (told["phase"], told["percent"], told["attempt"]) == ("canary", 30, 1)


def test_verbs_refuse_what_makes_no_sense_and_say_why(moved, new):
    _, users = moved()
    assert "nobody has declared" in users.command("shadow", code=2)
    assert "all users are on the old side" in users.command("back", code=7)
    assert "no verb" in users.command("dance", code=2)
    assert "no share" in users.command("to", "many", code=2)
    assert "would be" in users.command("canary", "--dry-run") and users.phase == "old"
    assert "nothing is called" in Shift(users.gw, "nobody").command(code=5)
    users.command("canary")
    assert "to PERCENT" in users.command("canary", code=7)
    assert "only what is on the new side" in users.command("retire", code=7)


def test_the_journal_says_who_when_and_why(moved):
    gw, users = moved()
    users.command("canary", "5%", "--why", "ready")
    users.command("pause")
    users.command("resume")
    users.command("back", "--why", "tea")
    rows = [(row["verb"], row["from"], row["to"], row["percent"], row["who"]) for row in users.history]
    assert rows == [("back", "canary", "old", 0, "admin"), ("resume", "canary", "canary", 5, "admin"),
                    ("pause", "canary", "canary", 5, "admin"), ("canary", "old", "canary", 5, "admin")]
    assert [row["why"] for row in users.history][0::3] == ["tea", "ready"]
    assert "tea" in users.command("history")


def test_nothing_changes_without_a_token(gateway, old, new):
    gw = gateway(two_sides(old, new).replace(", token: a-token-of-the-play", ""))
    assert gw.ask_admin("/shift/users/canary", "POST")[0] == 403
    assert json.loads(gw.ask_admin("/shift")[2])["subjects"][0]["phase"] == "old"


def test_shared_answers_carry_no_cookie(gateway, upstream, old, client):
    public = upstream(answer=reply(200, b"old", "Cache-Control: public, max-age=60"))
    gw = gateway(two_sides(public, old), token="a-token-of-the-play")
    Shift(gw).command("canary")
    person = Person(client, gw)
    person.get()
    assert person.cookies == {}


def test_good_steps_are_passed_up_to_all_but_the_holdback(moved, client):
    gw, users = moved("{ steps: [ 50%, 100% ], holdback: 10%, judge: { hold: 1ms, metrics: [ errors ] } }")
    users.command("canary")
    people = crowd(client, gw, 60)

    def is_new():
        sides(people)
        return users.phase == "new"
    until(is_new, "on the new side")
    told = users.ask()
    assert told["percent"] == 90 and [row["verb"] for row in users.history] == ["step", "canary"]


def test_two_upstreams_are_swapped_like_two_releases(gateway, old, new, client):
    gw = gateway(f"admin: {{ address: '127.0.0.1:0', token: a-token-of-the-play }}\nshift: {{}}\n"
                 f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
                 "routes: [ { name: all, match: /**, to: shop } ]\n", token="a-token-of-the-play")
    shop = Shift(gw, "upstream:shop")
    Shift(gw, "").command("upstream", "shop", "to", "50%", "--to", "next")
    people = crowd(client, gw, 60)
    assert set(sides(people)) == {"old", "new"}
    shop.command("back")
    assert sides(people) == {"old": 60}
