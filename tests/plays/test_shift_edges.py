# SPDX-License-Identifier: Apache-2.0
"""A route that is moved, where configurations change, people err and requests come late."""
import http.client
import json
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
