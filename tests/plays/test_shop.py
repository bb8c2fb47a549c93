# SPDX-License-Identifier: Apache-2.0
"""The monolith's own black-box tests, straight and through the gateway: not one of them may notice."""
import json
import pathlib
import subprocess

import pytest

from actors.gateway import ROOT, everything_to
from actors.process import Program
from actors.waiting import PROOF, until

SHOP = ROOT / "examples/shop"
QUICK = [] if PROOF else ["protocol", "catalogue"]
PYTHON = "/usr/bin/python3"


class Shop(Program):
    """examples/shop/run with a database of its own."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.chmod(0o711)  # PostgreSQL runs as another user when we are root
        self.out = folder / "shop.out"
        with open(self.out, "wb") as out:
            super().__init__("shop", folder, [PYTHON, SHOP / "run", "--data", folder / "data", "--users", 200, "--orders", 1000],
                             stdout=out)
        self.address = until(self.ready, "the shop", within=120)

    def ready(self):
        assert self.is_running(), self.report()
        words = [line.split() for line in self.out.read_text().splitlines() if line.startswith("ready ")]
        return words and words[0][1].split("//")[1].rstrip("/")

    def finish(self):
        self.signal(15)
        self.wait(60)


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
