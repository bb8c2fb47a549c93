# SPDX-License-Identifier: Apache-2.0
"""The console shows what one side of a route lacks, and repairs it."""
import pytest

from actors.browser import chromedriver
from actors.console import visit
from actors.ledger import Ledger
from actors.shift import Shift
from actors.waiting import until

TOKEN, VIEWER = "a-token-of-the-play", "bob-has-this-secret"


@pytest.fixture(scope="module")
def driver(long_stage):
    program = chromedriver(long_stage.folder)
    return long_stage.enter(program, lambda: (program.signal(15), program.wait(20)))


@pytest.fixture
def ledger(stage):
    def start(name):
        actor = Ledger(name)
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def gw(gateway, ledger):
    old, new = ledger("old"), ledger("new")
    new.said = lambda write: 422 if "bad" in write.body else 201
    gate = gateway(f"admin: {{ address: '127.0.0.1:0', token: {TOKEN}, tokens: [ {{ name: bob, token: {VIEWER}, role: view }} ] }}\n"
                   f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
                   "routes: [ { name: users, match: '/{kind}/{id}/**', old: shop, new: next, shift: {}, writes: dual } ]\n", token=TOKEN)
    gate.new = new
    return gate


@pytest.fixture
def console(stage, driver, tmp_path):
    return lambda where, token=TOKEN: visit(stage, driver, tmp_path, where, token)


def dead(gw, client, *bodies):
    for i, body in enumerate(bodies):
        client.post(gw, f"/a/{i}", body, "Authorization: Bearer very-secret")
    users = Shift(gw)
    until(lambda: [row["state"] for row in users.ask("/writes")["writes"]] == ["dead"] * len(bodies), "dead letters")
    return users


def repair(page, verb, number, why):
    page.click(f"[data-repair='{verb} {number}']")
    page.shows(".foretold", f"write {number} (POST /a/")
    page.keys(why)
    page.find("dialog button.confirm").click()
    page.wait("return !document.querySelector('dialog')")


def test_writes_that_one_side_lacks_are_shown_and_repaired(gw, client, console):
    users = dead(gw, client, b"bad one", b"bad two", b"bad three")
    page = console(gw)
    page.go("#/shift/users")
    page.shows(".writes", "3 writes to look at, 3 of them wait for a person.")
    page.shows("table.writes", "it answered 422")
    page.find("table.writes details summary").click()
    page.shows("table.writes details", "7 bytes of body")
    text = page.text("table.writes")
    assert "Authorization: ***" in text and "very-secret" not in text and "bad one" not in text
    assert page.axe() == []
    page.picture("writes")
    gw.new.said = lambda write: 201
    repair(page, "retry", 1, "release 43 takes it")
    page.shows(".writes", "2 writes to look at")
    repair(page, "skip", 2, "later")
    page.shows(".writes [data-state=skipped]", "skipped")
    repair(page, "drop", 3, "it is there")
    page.shows(".writes", "1 write to look at.")
    assert page.axe() == []
    assert gw.new.of("/a/0") == ["bad one"] and gw.new.of("/a/2") == []
    assert [("drop" in entry["why"] or "forgotten" in entry["why"], entry["who"]) for entry in users.history[:1]] == [(True, "admin")]
    repair(page, "retry", 2, "now")
    page.shows(".writes", "Both sides have all writes.")
    assert gw.new.of("/a/1") == ["bad two"]


def test_who_may_look_sees_them_and_repairs_nothing(gw, client, console):
    dead(gw, client, b"bad")
    page = console(gw, VIEWER)
    page.go("#/shift/users")
    page.shows(".writes", "1 write to look at, 1 of them waits for a person.")
    assert page.script("return [...document.querySelectorAll('[data-repair]')].every((button) => button.disabled)")
