# SPDX-License-Identifier: Apache-2.0
"""A release of the shop that turns bad while half of the users are on it: whatever it is that is wrong, they are all on the old
one again without anybody's doing. Each fault is judged by what it should show in, so that it is this that is seen."""
import json
import time

import pytest

from actors.people import People, Person
from actors.shift import TOKEN, Shift
from actors.shop import NextShop, Shop
from actors.waiting import PROOF, until

GATEWAY = """
admin: {{ address: "127.0.0.1:0", token: {token} }}
shift: {{ store: "sqlite:{folder}/shift.db" }}
upstreams:
  shop: {{ servers: [ "{old}" ], max_connections: 16, timeouts: {{ head: 3s }} }}
  shop-next: {{ servers: [ "{new}" ], max_connections: 16, timeouts: {{ head: 3s }} }}
routes:
  - name: products
    match: /api/v1/products/**
    old: shop
    new: shop-next
    shift:
      sticky: [ header:X-Device, auto ]
      shadow: {{ sample: "{sample}", beside: 100%, effects: none }}
      steps: [ 50%, 100% ]
      judge: {{ metrics: [ {metric} ], hold: 1h }}
  - {{ name: rest, to: shop }}
"""
WITHIN_S = 600 if PROOF else 150  # two busy cores, and a program that checks itself
LEARN = 300  # requests of the old side, from which its p99 is known


@pytest.fixture(scope="module")
def shop(long_stage):
    actor = Shop(long_stage.folder)
    return long_stage.enter(actor, actor.finish)


@pytest.fixture(scope="module")
def later(long_stage, shop):
    actor = NextShop(long_stage.folder, shop)
    return long_stage.enter(actor, actor.finish)


@pytest.fixture(scope="module")
def gw(long_stage, shop, later):
    return long_stage.gateway(configuration(long_stage, shop, later, "errors"), token=TOKEN)


def configuration(stage, shop, later, metric):
    return GATEWAY.format(token=TOKEN, folder=stage.folder, old=shop.address, new=later.address, metric=metric,
                          sample="100%" if metric == "mismatch" else "0%")


@pytest.fixture
def subject(gw, later):
    yield Shift(gw, "products")
    later.mend()


@pytest.fixture(scope="module")
def people(gw, shop):
    teller = Person(shop.address, "teller")
    prices = {number: json.loads(teller.ask(f"/api/v1/products/{number}"))["price_cents"] for number in range(1, 51)}
    teller.leave()
    with People(gw, lambda person: person.look(2, prices), at_once=6) as all_of_them:  # many, for a fault of one in a hundred
        yield all_of_them


def begin(subject, people):
    """Half of the users are on the new side, and what they get is as good as ever."""
    subject.command("shadow")
    people.wait_served(LEARN, WITHIN_S)
    subject.command("canary", "50%")
    people.wait_served(100, WITHIN_S)
    assert subject.phase == "canary", subject.history


def p99_of(subject):
    """Of the old side, in ms; what it was when the canary began."""
    return next((row["threshold_ms"] for row in subject.ask()["detail"]["metrics"] if row["name"] == "p99"), 0)


# What is planted, by what it is judged, and the reason that is given. {p99}: of the old side, in ms.
FAULTS = {
    "one_error_in_a_hundred": ("errors=1%", "errors", "errors: "),
    "p99_doubled": ("delay=5%:{p99}", "p99", "p99 above "),
    "one_field_wrong_for_one_user_in_a_hundred": ("wrong=1%:price_cents who=header:X-Device", "mismatch", "mismatch: "),
    "hang": ("hang=100%", "errors", "the new side failed: 5 of its last 5 requests"),
    "crash": ("crash=100%", "errors", "the new side failed: 5 of its last 5 requests"),
    "slow_leak": ("leak=64:1", "p99", "p99 above "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_goes_back_by_itself(fault, subject, gw, shop, later, people, long_stage, record_property):
    words, metric, why = FAULTS[fault]
    gw.reload(configuration(long_stage, shop, later, metric))
    begin(subject, people)
    words = words.format(p99=round(p99_of(subject) + 1))
    planted = time.time()
    later.plant(*words.split(), "only=/api/v1/products")
    until(lambda: subject.history[0]["to"] == "old", f"the way back from {words}", WITHIN_S)
    took = time.time() - planted
    entry = subject.history[0]
    later.mend()
    people.wait_served(100, WITHIN_S)
    since = [one for one in people.asked if one.at >= planted]
    failed = [one for one in since if one.wrong]
    said = (f"{words}: back after {took:.1f} s and {sum(one.release == later.release for one in since)} answers of the new side; "
            f"{len(failed)} requests of {len({one.who for one in failed})} users failed; why: {entry['why']}")
    print(said)
    record_property("said", said)
    assert entry["who"].startswith("judge@") and (entry["from"], entry["to"]) == ("canary", "old"), entry
    assert entry["why"].startswith(why), entry
    assert {one.release for one in people.asked[-50:]} == {shop.release}
