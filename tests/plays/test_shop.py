# SPDX-License-Identifier: Apache-2.0
"""The monolith's own black-box tests, straight and through the gateway: not one of them may notice."""
import json
import subprocess

import pytest

from actors.gateway import everything_to
from actors.shop import PYTHON, SHOP, Shop
from actors.waiting import PROOF

QUICK = [] if PROOF else ["protocol", "catalogue"]


@pytest.fixture
def shop(stage):
    if not (SHOP / "tests_http/__main__.py").exists():
        pytest.skip("the shop has no black-box tests yet")
    actor = Shop(stage.folder)
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
