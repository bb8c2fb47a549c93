# SPDX-License-Identifier: Apache-2.0
"""The monolith's own black-box tests, straight and through the gateway: not one of them may notice. And its two releases."""
import http.client
import http.cookiejar
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from actors.gateway import everything_to
from actors.shop import PASSWORD, PYTHON, SHOP, NextShop, Shop
from actors.waiting import PROOF, until

QUICK = [] if PROOF else ["protocol", "catalogue"]


@pytest.fixture(scope="module")
def shop(long_stage):
    actor = Shop(long_stage.folder)
    return long_stage.enter(actor, actor.finish)


@pytest.fixture
def later(stage, shop):
    actor = NextShop(stage.folder, shop)
    return stage.enter(actor, actor.finish)


def outcome(address):
    """{test: passed or why not}"""
    done = subprocess.run([PYTHON, SHOP / "tests_http", "--url", f"http://{address}", "--json", *QUICK], capture_output=True, text=True,
                          timeout=1200, check=False)
    assert done.returncode in (0, 1) and done.stdout, done.stderr
    return {row["test"]: row["passed"] or row["why"] for row in json.loads(done.stdout)["tests"]}


def test_the_shops_own_tests_end_the_same_through_the_gateway(shop, gateway):
    gw = gateway(everything_to(shop, upstream="timeouts: { head: 60s, request: 120s }"))
    straight, through = outcome(shop.address), outcome(gw.address)
    assert len(straight) >= 10 and set(straight.values()) == {True}, straight
    assert through == straight


class Browser:
    """Just enough of one: cookies by name, sent wherever it goes."""

    def __init__(self):
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def open(self, release, path, **form):
        """(status, release that answered, text)"""
        url = f"http://{release.address}{path}"
        request = urllib.request.Request(url, urllib.parse.urlencode(form).encode() if form else None, {"Referer": url})
        try:
            answer = self.opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers["X-Shop-Release"], answer.read().decode()


def test_two_releases_share_users_and_the_next_comes_and_goes_alone(shop, later):
    browser = Browser()
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)', browser.open(shop, "/login/")[2])[1]
    _, old, page = browser.open(shop, "/login/", csrfmiddlewaretoken=token, username="alice", password=PASSWORD)
    assert "alice" in page
    status, new, text = browser.open(later, "/api/v1/profile")
    assert (status, json.loads(text)["username"]) == (200, "alice") and old != new
    paths = ["/api/v1/products?per_page=100", "/api/v1/products?sort=new&q=oak", "/api/v1/categories", "/api/v1/products/7"]
    for path in paths:
        straight, beside = (browser.open(release, path)[2].replace(release.address, "shop") for release in (shop, later))
        assert straight == beside, path
    later.finish()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(later.address).request("GET", "/")
    assert browser.open(shop, "/api/v1/profile")[:2] == (200, old) and not later.ready_file.exists()


def test_a_release_is_made_bad_from_outside_and_mended(shop, later):
    browser = Browser()

    def outcome():
        try:
            return browser.open(later, "/version")[0]
        except (OSError, http.client.HTTPException) as error:
            return type(getattr(error, "reason", error)).__name__

    assert outcome() == 200
    later.plant("errors=100%")
    assert outcome() == 500 and browser.open(later, "/healthz")[0] == 200 and browser.open(shop, "/version")[0] == 200
    later.plant("crash=100%")
    assert outcome() in ("RemoteDisconnected", "ConnectionResetError")
    later.plant("refuse")
    until(lambda: outcome() == "ConnectionRefusedError", "the refusal")
    later.mend()
    until(lambda: outcome() == 200, "the release, well again")


def test_a_release_beside_a_shop_ends_with_it(stage):
    shop = Shop(stage.folder, users=4, orders=0)
    later = NextShop(stage.folder, shop)
    shop.finish()
    assert later.wait(30) == 1
    assert "the shop beside this one has ended" in later.stderr
