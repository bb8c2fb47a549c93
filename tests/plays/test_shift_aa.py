# SPDX-License-Identifier: Apache-2.0
"""The shop beside itself: a quarter of its users are on a second gunicorn of the same release, with the same database, and there is
nothing to be seen. No alarm, nobody changes sides, and who is logged in notices nothing: people with cookie jars of their own by the
thousand requests, and among them Chromium, for what only a browser does.

Only a tenth is shadowed: shadows are work of the new side alone, and on a machine that has no more to give it would be slower
for having more to do."""
import itertools

import pytest

from actors.browser import Browser, chromedriver
from actors.gateway import field
from actors.people import People
from actors.shift import TOKEN, Shift
from actors.shop import PASSWORD, NextShop, Shop
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
      steps: [ 25%, 100% ]
      judge: {{ metrics: [ errors, p99, mismatch ], hold: 1h }}
  - name: pages
    old: shop
    new: shop-too
    shift: {{ steps: [ 25%, 100% ], judge: {{ metrics: [ errors, p99 ], hold: 1h }} }}
"""
REQUESTS = 100_000 if PROOF else 1_600
USERS = 190
WITHIN_S = 3000 if PROOF else 400
BROWSERS_EACH = 8 if PROOF else 1  # on each side at least, and in all so many at most:
BROWSERS_MOST = 160 if PROOF else 60


@pytest.fixture
def gw(stage, gateway):
    shop = Shop(stage.folder)
    stage.enter(shop, shop.finish)
    too = NextShop(stage.folder, shop, "--release", "current")
    stage.enter(too, too.finish)
    return gateway(GATEWAY.format(token=TOKEN, folder=stage.folder, old=shop.address, new=too.address), token=TOKEN)


@pytest.fixture
def driver(stage):
    program = chromedriver(stage.folder)
    return stage.enter(program, lambda: (program.signal(15), program.wait(20)))


def sides_of(gw, route):
    """{who: sides in the order that their requests came; a page is done only after what it asks for has begun}"""
    found = {}
    for row in sorted(gw.access_log, key=lambda row: row["@timestamp"]):
        if field(row, "banyan.route") == route:
            found.setdefault(field(row, "user_agent.original"), []).append(field(row, "banyan.upstream"))
    return found


class Customer(Browser):
    """Who logs in, buys something, and looks whether all is as it should be. Flashes and forms are counted."""

    def __init__(self, driver, folder, gw, name, counts):
        super().__init__(driver, folder, gw.url, words=[f"--user-agent={name}"])
        self.counts = counts

    def cookie(self, name):
        return next((cookie["value"] for cookie in self.driver.get_cookies() if cookie["name"] == name), None)

    def flashes(self):
        return self.script("return [...document.querySelectorAll('.flash li')].map((one) => one.textContent)")

    def send(self, selector):
        self.press(selector)
        self.counts["forms"] += 1

    def shop(self, user, product):
        self.open("/login/")
        known_by = self.cookie("banyan_id")
        assert known_by, "the gateway's cookie comes with the first page"
        self.fill(username=user, password=PASSWORD)
        self.send("main form button")
        assert self.find("header a[href='/profile/']").text == user
        self.open(f"/p/{product}")
        self.find("#add-to-cart button").click()
        self.wait("return /in your cart/.test((document.querySelector('.flash') || {}).textContent)")
        for number in (2, 3):
            self.change_the_cart(number)
        assert self.cookie("banyan_id") == known_by, "a log-in draws nobody anew"
        self.send("header form[action='/logout/'] button")
        assert self.cookie("banyan_id") == known_by, "and neither does the way out"

    def change_the_cart(self, number):
        """The form leads to a page that says so: once, and never again."""
        self.open("/cart/")
        assert self.flashes() == [], "what was shown is not shown again"
        self.script("document.querySelector('[name^=quantity-]').value = arguments[0]", number)
        self.send("main form[action='/cart/update/'] button")
        assert self.flashes() == ["Your cart is updated."]
        assert self.script("return document.querySelector('[name^=quantity-]').value") == str(number)
        self.counts["flashes"] += 1

    def forge(self):
        """A form without its token is refused, so those that were not had a good one."""
        status, _ = self.fetch("/cart/update/", method="POST", body="x=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 403


def browse(stage, driver, gw, counts):
    """Browsers come until both sides have had enough of them, logged in. {side: browsers}"""
    for number in range(BROWSERS_MOST):
        folder = stage.folder / f"chromium-{number}"
        folder.mkdir()
        customer = Customer(driver, folder, gw, f"chromium-{number}", counts)
        try:
            customer.shop(f"user{5 + USERS - number:06}", 1 + number)
            customer.forge()
        finally:
            customer.quit()
        sides = {who: sides[-1] for who, sides in sides_of(gw, "pages").items() if who.startswith("chromium-")}
        by_side = {side: sum(one == side for one in sides.values()) for side in ("shop", "shop-too")}
        if min(by_side.values()) >= BROWSERS_EACH:
            return by_side
    raise AssertionError(f"{BROWSERS_MOST} browsers came, and their sides were {by_side}")


def check_nobody_changed(served):
    """The old side first, for whom nothing is known yet; then one of them to the end."""
    for who, sides in served.items():
        assert [side for side, _ in itertools.groupby(sides)] in (["shop"], ["shop", "shop-too"], ["shop-too"]), (who, sides)


def test_two_sides_that_are_the_same(gw, stage, driver, record_property):
    subjects = [Shift(gw, name) for name in ("products", "pages")]
    numbers, counts = itertools.count(), {"forms": 0, "flashes": 0}

    def visit(person):
        number = next(numbers)
        if number % 12 == 0:  # every tenth request or so is theirs
            person.shop_logged_in(f"user{5 + number // 12 % (USERS - BROWSERS_MOST):06}", rounds=2)
        else:
            person.look(14)

    subjects[0].command("shadow")
    with People(gw, visit, at_once=6) as people:
        until(lambda: subjects[0].ask()["detail"]["shadow"]["compared"] >= 100, "answers compared", WITHIN_S)
        for subject in subjects:
            subject.command("canary")
        browsers = browse(stage, driver, gw, counts)
        until(lambda: people.served >= REQUESTS, f"{REQUESTS} requests", WITHIN_S)
        assert [(subject.phase, subject.ask()["percent"]) for subject in subjects] == [("canary", 25)] * 2
    assert not people.failures, people.failures[:20]
    for subject in subjects:
        entries = [(entry["verb"], entry["to"]) for entry in subject.history if entry["who"] == "admin"]
        assert entries[0] == ("canary", "canary") and "back" not in [entry["verb"] for entry in subject.history]
        served = sides_of(gw, subject.name)
        check_nobody_changed(served)
        moved = sum("shop-too" in sides for sides in served.values())
        assert len(served) / 20 <= moved <= len(served) / 2
        said = (f"{subject.name}: {sum(map(len, served.values())):,} requests, {len(served):,} users, {moved:,} of them on the new side; "
                f"nobody changed; {' | '.join(metric['line'] for metric in subject.ask()['detail']['metrics'])}")
        print(said)
        record_property(subject.name, said)
    said = (f"{people.served:,} requests of people, 0 failed; {browsers['shop']} browsers on the old side and {browsers['shop-too']} on the new: "
            f"{counts['forms']} forms sent, {counts['flashes']} flash messages shown once")
    print(said)
    record_property("browsers", said)
    assert not subjects[0].ask("/differences")["keys"]
