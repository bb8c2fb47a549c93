# SPDX-License-Identifier: Apache-2.0
"""The shop beside itself: half of its users are on a second gunicorn of the same release, and there is nothing to be seen. No
alarm, nobody changes sides, and who is logged in notices nothing.

Only a tenth is shadowed: shadows are work of the new side alone, and on a machine that has no more to give it would be slower
for having more to do."""
import itertools

import pytest

from actors.gateway import field
from actors.people import People
from actors.shift import TOKEN, Shift
from actors.shop import NextShop, Shop
from actors.waiting import PROOF, until

GATEWAY = """
admin: {{ address: "127.0.0.1:0", token: {token} }}
shift: {{ store: "sqlite:{folder}/shift.db" }}
upstreams:
  shop: {{ servers: [ "{old}" ], max_connections: 16, timeouts: {{ head: 30s }} }}
  shop-too: {{ servers: [ "{new}" ], max_connections: 16, timeouts: {{ head: 30s }} }}
routes:
  - name: products
    match: /api/v1/products/**
    old: shop
    new: shop-too
    shift:
      sticky: [ header:X-Device, auto ]
      shadow: {{ sample: 10%, beside: 100%, effects: none }}
      steps: [ 50%, 100% ]
      judge: {{ metrics: [ errors, p99, mismatch ], hold: 1h }}
  - name: pages
    old: shop
    new: shop-too
    shift: {{ steps: [ 50%, 100% ], judge: {{ metrics: [ errors, p99 ], hold: 1h }} }}
"""
REQUESTS = 100_000 if PROOF else 10_000
USERS = 190
WITHIN_S = 3000 if PROOF else 400


@pytest.fixture
def gw(stage, gateway):
    shop = Shop(stage.folder)
    stage.enter(shop, shop.finish)
    too = NextShop(stage.folder, shop, "--release", "current")
    stage.enter(too, too.finish)
    return gateway(GATEWAY.format(token=TOKEN, folder=stage.folder, old=shop.address, new=too.address), token=TOKEN)


def sides_of(gw, route):
    """{who: sides in the order that they served them}"""
    found = {}
    for row in gw.access_log:
        if field(row, "banyan.route") == route:
            found.setdefault(field(row, "user_agent.original"), []).append(field(row, "banyan.upstream"))
    return found


def test_two_sides_that_are_the_same(gw):
    subjects = [Shift(gw, name) for name in ("products", "pages")]
    numbers = itertools.count()

    def visit(person):
        number = next(numbers)
        if number % 12 == 0:  # every tenth request or so is theirs
            person.shop_logged_in(f"user{5 + number // 12 % USERS:06}", rounds=2)
        else:
            person.look(14)

    subjects[0].command("shadow")
    with People(gw, visit, at_once=6) as people:
        until(lambda: subjects[0].ask()["detail"]["shadow"]["compared"] >= 100, "answers compared", WITHIN_S)
        for subject in subjects:
            subject.command("canary")
        people.wait_served(REQUESTS, WITHIN_S)
        assert [subject.phase for subject in subjects] == ["canary", "canary"]
    assert not people.failures, people.failures[:20]
    for subject in subjects:
        entries = [(entry["verb"], entry["to"]) for entry in subject.history if entry["who"] == "admin"]
        assert entries[0] == ("canary", "canary") and "back" not in [entry["verb"] for entry in subject.history]
        now = subject.ask()
        print(subject.name, now["detail"]["metrics"], now["detail"]["users"])
        served = sides_of(gw, subject.name)
        moved = {who: sides for who, sides in served.items() if "shop-too" in sides}
        assert len(moved) >= len(served) / 10
        for who, sides in served.items():  # the old one first, for whom nothing is known yet; then one of them to the end
            assert [side for side, _ in itertools.groupby(sides)] in (["shop"], ["shop", "shop-too"], ["shop-too"]), (who, sides)
    assert not subjects[0].ask("/differences")["keys"]
