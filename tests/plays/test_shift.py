# SPDX-License-Identifier: Apache-2.0
"""A route moved from its old side to its new one: who goes where, what undoes it, what is remembered."""
import itertools
import json
import signal
import subprocess

import pytest

from actors.gateway import BANYAN
from actors.http1 import reply
from actors.postgres import Postgres
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
    told = users.command("dance", code=2)
    assert "no verb" in told and "to look: status, plan" in told
    assert users.command().splitlines()[0] == "users: old"
    assert "has no traffic now" in users.command("plan")
    nobody = subprocess.run([BANYAN, "shift", "--admin", "127.0.0.1:1"], capture_output=True, text=True, timeout=60, check=False)
    assert nobody.returncode == 6 and "-c FILE (its configuration), --admin or BANYAN_ADMIN" in nobody.stderr
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


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """Where two gateways keep one book."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/book.db"
        return
    with Postgres() as server:
        yield server.url


def test_two_gateways_draw_alike_and_add_up_what_they_see(gateway, upstream, old, client, store):
    """Neither sees enough of the errors to go back on its own."""
    ill = upstream(answer=lambda asked: reply(500 if asked.headers.get("x-ill") == "yes" else 200, b"new"))
    text = two_sides(old, ill, "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ], hold: 1h } }")
    a, b = (gateway(text + f"shift: {{ store: '{store}', gateway: {name} }}\n", token="a-token-of-the-play") for name in "ab")
    at_a, at_b = Shift(a), Shift(b)
    at_a.command("canary")
    at_b.wait_phase("canary")
    people = crowd(client, a, 100)
    first = [person.get().text for person in people]
    for person in people:
        person.gw = b
    assert [person.get().text for person in people] == first
    drawn, others = ([person for person, side in zip(people, first) if side == name] for name in ("new", "old"))
    at_b.wait(lambda told: told["detail"]["gateways"] == 2, "hears of the other")
    for number in range(24):  # never two errors in a row at one gateway, and as many requests of the old side
        gw = (a, b)[number % 2]
        for person, ill in ((drawn[number], "yes"), *((person, "") for person in (*drawn[-2:], *others[:3]))):
            person.gw = gw
            person.get("/", f"X-Ill: {ill}")
        if at_a.phase == "old":
            break
    at_b.wait_phase("old")
    until(lambda: at_a.history[0]["verb"] == "back", "the book knows it")
    why = at_a.history[0]["why"]
    assert "errors" in why and int(why.split()[1]) > 10, why
    assert [row["seq"] for row in at_a.history] == [2, 1]


def test_a_book_that_is_away_changes_nothing_but_the_way_back(gateway, old, upstream, client):
    answers = {"status": 200}
    ill = upstream(answer=lambda asked: reply(answers["status"], b"new"))
    with Postgres() as server:
        gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ] }", f"shift: {{ store: '{server.url}' }}\n"), token="a-token-of-the-play")
        users = Shift(gw)
        users.command("canary")
        people = crowd(client, gw, 40)
        first = [person.get().text for person in people]
        assert set(first) == {"old", "new"}
        server.stop()
        assert [person.get().text for person in people] == first
        gw.reload(gw.text)
        assert [person.get().text for person in people] == first
        answers["status"] = 500
        until(lambda: {person.get().status for person in people} == {200}, "everybody is on the old side")
        assert users.phase == "old"
        server.start()
        until(lambda: users.newest == "back", "and the book knows it")


def test_two_people_are_needed_where_that_is_said(gateway, old, new):
    tokens = "tokens: [ { name: ann, token: token-of-ann-xxxxxx, role: operate }, { name: bob, token: token-of-bob-xxxxxx, role: approve } ]"
    text = two_sides(old, new, more="shift: { approvals: 2 }\n").replace("token: a-token-of-the-play", tokens)
    gw = gateway(text, token="token-of-bob-xxxxxx")
    users = Shift(gw)
    ann, bob = ("--token", "token-of-ann-xxxxxx"), ("--token", "token-of-bob-xxxxxx")
    assert "second person" in users.command("canary", "5%", *ann)
    assert users.phase == "old" and users.ask()["asked_by"] == "ann"
    assert "role" in users.command("approve", *ann, code=4)
    assert "approved by bob" in users.command("approve", *bob)
    assert (users.phase, users.ask()["percent"]) == ("canary", 5)
    assert users.command("back", *ann) and users.phase == "old", "the way back takes nobody else"
    users.command("canary", *bob)
    assert "another one" in users.command("approve", *bob, code=4)


def test_nothing_goes_on_in_a_freeze(gateway, old, new):
    gw = gateway(two_sides(old, new, more="shift: { freeze: [ { from: 2020-01-01T00:00:00Z, to: 2999-01-01T00:00:00Z } ] }\n"),
                 token="a-token-of-the-play")
    users = Shift(gw)
    assert "2999-01-01" in users.command("canary", code=2)
    users.command("canary", "--force")
    users.command("back")
    assert users.phase == "old"


def test_routes_of_a_group_move_on_one_draw(gateway, old, new, client):
    gw = gateway(f"admin: {{ address: '127.0.0.1:0', token: a-token-of-the-play }}\n"
                 f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
                 "routes:\n"
                 "  - { name: cart, match: /cart/**, old: shop, new: next, shift: { group: checkout, steps: [ 50%, 100% ] } }\n"
                 "  - { name: pay, match: /pay/**, old: shop, new: next, shift: { group: checkout } }\n"
                 "  - { name: rest, to: shop }\n", token="a-token-of-the-play")
    Shift(gw, "checkout").command("canary")
    people = crowd(client, gw, 60)  # on a route that does not move: no cookie yet
    assert all(not person.cookies for person in people)
    for person in people:
        person.get("/cart/1")
    at_cart, at_pay = ([person.get(target).text for person in people] for target in ("/cart/1", "/pay/1"))
    assert at_cart == at_pay and set(at_cart) == {"old", "new"}


def test_who_is_told_goes_where_he_is_told(moved, client):
    gw, users = moved("{ steps: [ 1%, 100% ], overrides: { 'header:X-Beta': { new: [ 'yes' ], old: [ 'no' ] } } }")
    assert client.get(gw, "/", "X-Beta: yes").text == "old", "nothing is moved yet"
    users.command("canary")
    assert client.get(gw, "/", "X-Beta: yes").text == "new"
    person = Person(client, gw)
    assert {person.get("/", "X-Beta: no").text for _ in range(5)} == {"old"}
    users.command("back")
    assert client.get(gw, "/", "X-Beta: yes").text == "old"


def test_a_pause_stops_steps_and_not_the_way_back(gateway, old, upstream, client):
    answers = {"status": 200}
    ill = upstream(answer=lambda asked: reply(answers["status"], b"new"))
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ], judge: { hold: 1ms, metrics: [ errors ] } }"), token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary")
    users.command("pause")
    people = crowd(client, gw, 40)
    users.wait(lambda told: sides(people) and told["verdict"]["say"] == "on", "judged good")
    assert (users.phase, users.ask()["percent"]) == ("canary", 50)
    answers["status"] = 500
    until(lambda: {person.get().status for person in people} == {200}, "everybody is back")
    assert users.phase == "old"


def test_a_person_begins_each_step_where_that_is_said(moved, client):
    _, users = moved("{ steps: [ 50%, 100% ], manual: on, judge: { hold: 1ms, metrics: [ errors ] } }")
    users.command("canary")
    people = crowd(client, users.gw, 40)
    told = users.wait(lambda told: sides(people) and "begins the next" in told["blocked"], "waits for a person")
    assert told["phase"] == "canary" and "to 98%" in told["blocked"]
    users.command("to", "100%")
    assert users.phase == "new"


def test_it_stays_when_the_old_side_is_gone_and_says_so(gateway, old, upstream, client):
    answers = {"status": 200}
    ill = upstream(answer=lambda asked: reply(answers["status"], b"new"))
    text = two_sides(old, ill, "{ steps: [ 50%, 100% ], judge: { metrics: [ errors ] } }").replace(
        f'"{old.address}" ]', f'"{old.address}" ], health: {{ path: /, interval: 100ms, timeout: 100ms, fall: 1, rise: 1 }}')
    gw = gateway(text, token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    assert set(sides(people)) == {"old", "new"}
    old.stop()
    gw.wait_metric("banyan_upstream_server_up", 0, upstream="shop")
    answers["status"] = 500
    told = users.wait(lambda told: [person.get() for person in people] and told["blocked"], "blocked")
    assert "no server that is up" in told["blocked"] or "both sides" in told["blocked"]
    assert told["phase"] == "canary" and "no server of shop is up" in users.command("back", code=2)


def test_metrics_tell_where_a_move_stands(moved, client):
    gw, users = moved("{ steps: [ 50%, 100% ], judge: { metrics: [ errors ] } }")
    users.command("canary")
    people = crowd(client, gw, 40)
    sides(people)
    gw.wait_metric("banyan_shift_phase", 1, subject="users", phase="canary")
    assert gw.metric("banyan_shift_phase", subject="users", phase="old") == 0
    assert gw.metric("banyan_shift_share", subject="users") == 0.5
    until(lambda: sum(gw.metric("banyan_shift_requests_total", subject="users", side=side) for side in ("old", "new")) == 80, "all are counted")
    assert gw.metric("banyan_shift_strangers_total", subject="users") == 40
    assert 0 < gw.metric("banyan_shift_users", subject="users") < 40


def test_reloads_under_a_canary_move_nobody(moved, client):
    gw, users = moved("{ steps: [ 30%, 100% ] }")
    users.command("canary")
    people = crowd(client, gw, 60)
    before = [person.get().text for person in people]
    for steps in ("[ 40%, 100% ]", "[ 100% ]", "[ 30%, 100% ]"):
        gw.reload(gw.text.replace("[ 30%, 100% ]", steps))
        assert [person.get().text for person in people] == before
    assert users.ask()["percent"] == 30


def test_a_route_that_is_gone_is_no_subject_any_more(moved, client):
    gw, users = moved()
    users.command("canary", "50%")
    gw.reload("admin: { address: '127.0.0.1:0', token: a-token-of-the-play }\n" + gw.text.replace("old: shop, new: next, shift: {}", "to: shop").split("\n", 1)[1])
    assert "nothing is called" in users.command(code=5)
    assert client.get(gw).text == "old"


def test_what_the_new_side_does_not_take_the_old_one_serves(gateway, old, new, client):
    """The new side is killed under a canary: it goes back, and nobody has noticed anything."""
    gw = gateway(two_sides(old, new, "{ steps: [ 50%, 100% ] }"), token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary")
    people = crowd(client, gw, 40)
    assert set(sides(people)) == {"old", "new"}
    new.stop()
    statuses = []
    until(lambda: statuses.extend(person.get().status for person in people) or users.history[0]["verb"] == "back", "back on the old side")
    assert set(statuses) == {200}
    assert gw.metric("banyan_shift_rescued_total", subject="users") > 0
    assert "new side" in users.history[0]["why"], users.history[0]["why"]


def test_a_canary_of_nobody_known_says_so(moved, client):
    gw, users = moved()
    users.command("canary")
    for _ in range(900):
        client.get(gw)
    told = users.wait(lambda told: client.get(gw) and told["blocked"], "blocked")
    assert "nobody known" in told["blocked"] and told["phase"] == "canary"


def test_a_group_has_one_name_and_one_pair_of_sides(gateway, old, new):
    sides = f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
    gw = gateway(two_sides(old, new), token="a-token-of-the-play")
    for routes, words in (("{ name: a, match: /a, old: shop, new: next, shift: { group: rest } }", "another name"),
                          ("{ name: a, match: /a, old: shop, new: next, shift: { group: g } }, "
                           "{ name: b, match: /b, old: next, new: shop, shift: { group: g } }", "other sides"),
                          ("{ name: events, match: /a, old: shop, new: next, shift: {} }", "cannot be called events"),
                          ("{ name: a, match: /a, old: shop, new: next, shift: { group: upstream } }", "cannot be called upstream"),
                          ("{ name: a, match: /a, old: shop, new: next, shift: { group: team/a } }", "a name has letters")):
        gw.write(sides + f"admin: {{ address: '127.0.0.1:0', token: a-token-of-the-play }}\nroutes: [ {routes}, {{ name: rest, to: shop }} ]\n")
        status, _, text = gw.ask_admin("/config/reload", "POST")
        assert status == 422 and words in text


def test_whatever_is_typed_for_a_subject_is_one_name(moved):
    gw, _ = moved()
    for name in ("team/a", "a b", "../config", "x HTTP/1.1\r\nX-Evil: 1\r\n\r\n", "ü", "users?x=1", "users/back"):
        status = 2 if "\r" in name or name.startswith("..") else 5
        told = Shift(gw, name).command(code=status)
        assert "nothing is called" in told or status == 2, told
    status, _, text = gw.ask_admin("/shift/team%2Fa")
    assert status == 404 and "nothing is called team/a here" in text
    assert gw.ask_admin("/shift/us%65rs/plan")[0] == 200
    assert "no verb" in Shift(gw).command("back/x", code=2)
    assert Shift(gw).phase == "old" and Shift(gw).history == []


def test_a_cap_holds_the_step_and_is_no_broken_split(moved, client):
    gw, users = moved("{ steps: [ 50%, 100% ], cap: 10, judge: { hold: 1ms, metrics: [ errors ] } }")
    users.command("canary")
    people = crowd(client, gw, 100)
    told = users.wait(lambda told: sides(people) and "cap of 10" in told["blocked"], "at its cap")
    assert sides(people)["new"] == 10 and told["phase"] == "canary", told
    assert told["detail"]["users"]["new"] == 10
