# SPDX-License-Identifier: Apache-2.0
"""What a team counts itself, in headers and in fields of JSON: a side that answers 200 and sells nothing goes back."""
import gzip
import itertools
import json

import pytest

from actors.http1 import reply
from actors.shift import TOKEN, Person, Shift, crowd, sides, two_sides
from actors.waiting import until

# A user counts once, so there must be enough of them on the new side, however the draw falls.
PAID = "{ paid: { json: .payment.status, equals: paid } }"


def answer(status, side, coding=None, **more):
    body = json.dumps({"payment": {"status": status}, "side": side, **more}).encode()
    return reply(200, gzip.compress(body) if coding else body, "Content-Type: application/json",
                 *([f"Content-Encoding: {coding}"] if coding else []))


def moved(gateway, old, new, counters):
    gw = gateway(two_sides(old, new, f"{{ steps: [ 50%, 100% ], judge: {{ metrics: [ errors ], counters: {counters} }} }}"), token=TOKEN)
    return gw, Shift(gw)


def lines(users):
    return {metric["name"]: metric["line"] for metric in users.ask()["detail"]["metrics"]}


def wait_back(people, users):
    until(lambda: [person.get().status for person in people] and users.history[0]["verb"] == "back", "back on the old side")
    return users.history[0]["why"]


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_side_that_sells_nothing_goes_back(gateway, upstream, client, coding):
    says = {"new": "paid"}
    old = upstream(answer=answer("paid", "old", coding))
    new = upstream(answer=lambda asked: answer(says["new"], "new", coding))
    gw, users = moved(gateway, old, new, PAID)
    people = crowd(client, gw, 150)
    for _ in range(3):
        assert {person.get().status for person in people} == {200}
    users.command("canary")
    until(lambda: "paid" in lines(users), "most answers have it, and that is known")
    for person in people * 2:
        person.get()
    until(lambda: "0 of" in lines(users)["paid"] and " without it on new" in lines(users)["paid"], "a verdict's line")
    assert users.phase == "canary"
    says["new"] = "declined"
    assert wait_back(people, users).startswith("paid: ")
    assert gw.metric("banyan_shift_unread_total", subject="users") == 0


def test_a_rare_counter_is_judged_by_those_that_have_it(gateway, upstream, client):
    count = itertools.count()
    old = upstream(answer=lambda asked: reply(200, b"old", *(["X-Sold: 1"] if next(count) % 4 == 0 else [])))
    new = upstream(answer=reply(200, b"new"))
    gw, users = moved(gateway, old, new, "{ sold: X-Sold }")
    people = crowd(client, gw, 250)
    users.command("canary")
    until(lambda: "sold" in lines(users), "few answers have it, and that is known")
    why = wait_back(people, users)
    assert why.startswith("sold: 0 of ") and "with it on new" in why


def test_more_of_what_nobody_wants_goes_back(gateway, upstream, client):
    old = upstream(answer=answer("paid", "old"))
    new = upstream(answer=lambda asked: answer("declined", "new"))
    gw, users = moved(gateway, old, new, "{ declined: { json: .payment.status, equals: declined, worse: more } }")
    people = crowd(client, gw, 150)
    users.command("canary")
    assert wait_back(people, users).startswith("declined: ")


def test_a_counter_that_was_not_measured_before_is_measured_on_the_way(gateway, upstream, client):
    same = answer("paid", "any")
    gw, users = moved(gateway, upstream(answer=same), upstream(answer=same), PAID)
    users.command("canary")
    people = crowd(client, gw, 40)
    assert "paid" not in lines(users)
    until(lambda: [person.get().status for person in people] and "paid" in lines(users), "enough of the old side's answers")
    [row] = [row for row in users.history if row["verb"] == "measure"]
    assert row["why"] == "the old side's paid: most answers have it"
    for _ in range(10):
        sides(people)
    assert users.phase in ("canary", "new") and users.ask()["attempt"] == 1


def test_a_body_that_cannot_be_read_says_nothing(gateway, upstream, client):
    large = answer("declined", "new", pad="x" * 300_000)
    gw, users = moved(gateway, upstream(answer=answer("paid", "old")), upstream(answer=large), PAID)
    people = crowd(client, gw, 40)
    for _ in range(6):
        sides(people)
    users.command("canary")
    for _ in range(3):
        sides(people)
    until(lambda: gw.metric("banyan_shift_unread_total", subject="users") > 20, "they are counted as unread")
    assert users.phase == "canary" and "of 0 without it on new" in lines(users)["paid"]


def test_what_counts_is_said_in_one_way(gateway, upstream):
    side = upstream()
    gw = gateway(two_sides(side, upstream()), token=TOKEN)
    for counters, words in (("{ paid: { header: X-Paid, json: .paid } }", "either header or json"), ("{ paid: { equals: x } }", "either header or json"),
                            ("{ paid: { json: '.items[]' } }", "one field"), ("{ paid: { json: paid } }", "paid"),
                            ("{ a: A, b: A, c: A, d: A, e: A, f: A, g: A }", "six at most")):
        gw.write(two_sides(side, side, f"{{ judge: {{ counters: {counters} }} }}"))
        status, _, text = gw.ask_admin("/config/reload", "POST")
        assert status == 422 and words in text, text


def test_a_person_gets_every_byte(gateway, upstream, client):
    """Copying is beside the way: bodies arrive as they were, whatever is read of them."""
    body = answer("paid", "old", pad="x" * 200_000)
    gw, users = moved(gateway, upstream(answer=body), upstream(answer=body), PAID)
    users.command("canary")
    person = Person(client, gw)
    assert {len(person.get().body) for _ in range(20)} == {len(body.partition(b"\r\n\r\n")[2])}
