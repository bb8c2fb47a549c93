# SPDX-License-Identifier: Apache-2.0
"""`make run`: what a newcomer sees first."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest

from actors.gateway import BANYAN, ROOT
from actors.process import Program
from actors.waiting import PROOF, until

DEMO = ROOT / "scripts/demo"
START_S = 120


@pytest.fixture(scope="module")
def place():
    """The folder of all demos here: the shop's database is made once. PostgreSQL runs as another user when we are root."""
    with tempfile.TemporaryDirectory(prefix="play-demo-") as folder:
        os.chmod(folder, 0o711)
        yield pathlib.Path(folder)


class Demo(Program):
    def __init__(self, folder, *words):
        self.place, self.out = folder, folder / "demo.out"
        with open(self.out, "wb") as out:
            super().__init__("demo", folder, [DEMO, "--folder", folder / "all", "--banyan", BANYAN, "--users", 100, "--orders", 300,
                                              "--port", 0, "--tls-port", 0, "--admin-port", 0, "--mail-port", 0, "--people", 2, *words], stdout=out)

    @property
    def shown(self):
        return self.out.read_text()

    @property
    def figures(self):
        """[(requests a second, errors)], a row a line."""
        return [(float(one), int(two)) for one, two in re.findall(r"^ *\d+ s +([\d.]+) req/s +(\d+) errors ", self.shown, re.M)]

    def wait_lines(self, count):
        until(lambda: len(self.figures) >= count or not self.is_running(), f"{count} lines of figures", within=START_S)
        assert self.is_running(), self.shown

    def ends(self, code, within=60):
        assert self.wait(within) == code, self.shown + self.stderr
        until(lambda: not left_of(self.place), f"the end of {left_of(self.place)}")


def left_of(folder):
    """Processes that have to do with this folder."""
    found = subprocess.run(["grep", "-lsaF", str(folder), *map(str, pathlib.Path("/proc").glob("[0-9]*/cmdline"))], capture_output=True,
                           text=True, check=False).stdout.split()
    own = {str(os.getpid()), "self"}
    return [name for name in found if name.split("/")[2] not in own]


def test_the_story_ends_well(place):
    demo = Demo(place, "--auto", "--enough", 60, "--hold", "2s", "--steps", "20%, 100%", "--shoppers", 0.3, "--app", 5)
    demo.ends(0, within=START_S + 150)
    assert "verdict: good" in demo.shown, demo.shown
    rows = {row[0].strip(): [int(one) for one in row[1:]]
            for row in re.findall(r"^([a-z ]+?)  +(\d+) +(\d+) +(\d+) .* good$", demo.shown, re.M)}
    assert list(rows)[5:] == ["mails as before", "mails captured", "mails delivered", "mails back", "accounts"], demo.shown
    assert "verdict on mails: good" in demo.shown and re.search(r"^mails: (\d+) written, \1 arrived; 0 lost, 0 twice, 0 failed$", demo.shown, re.M), demo.shown
    assert list(rows)[:5] == ["shadow", "canary goes bad", "shadow again", "canary goes through", "drill"], demo.shown
    assert [new == 0 for _, new, _ in rows.values()][:4] == [True, False, True, False], demo.shown
    assert [failed == 0 for *_, failed in rows.values()][:5] == [True, False, True, True, True], demo.shown
    assert not (demo.place / "all/shop/next/faults.json").exists()


@pytest.mark.skipif(not PROOF, reason="half a minute: in the proof")
def test_a_story_that_ends_badly_is_told(place):
    """A fault that nobody of the story planted, while users are on the new side for good."""
    demo = Demo(place, "--auto", "--enough", 60, "--hold", "1h", "--steps", "20%, 100%", "--shoppers", 0, "--app", 5)
    until(lambda: "canary that goes through" in demo.shown and "20 %" in demo.shown or not demo.is_running(), "the last canary", within=START_S + 100)
    subprocess.run([ROOT / "examples/shop/fault", demo.place / "all/shop/next/faults.json", "errors=100%"], check=True, capture_output=True)
    demo.ends(1)
    assert "a new side that was well went back" in demo.shown and "verdict: BAD" in demo.shown, demo.shown


@pytest.mark.skipif(not PROOF, reason="half a minute: in the proof")
def test_it_shows_traffic_and_ends_by_itself(place):
    demo = Demo(place, "--no-story", "--for", 5)
    demo.ends(0, within=START_S)
    assert len(demo.figures) == 5, demo.shown
    assert sum(rate for rate, _ in demo.figures) > 0 and not any(errors for _, errors in demo.figures), demo.shown
    assert re.search(r"shoppers: .* [1-9]\d* requests, 0 failed", demo.shown), demo.shown


def test_ctrl_c_stops_all_of_it(place):
    demo = Demo(place, "--shoppers", 2)
    demo.wait_lines(1)
    demo.signal(signal.SIGINT)
    demo.ends(0)
    assert "0 failed" in demo.shown


def test_a_signal_during_the_start_leaves_nothing(place):
    demo = Demo(place)
    until(lambda: "starting the shop" in demo.shown, "the start", within=START_S)
    demo.signal(signal.SIGTERM)
    demo.ends(0)


def test_a_gateway_that_dies_is_told_and_ends_it(place):
    demo = Demo(place, "--no-traffic")
    demo.wait_lines(1)
    os.kill(int(re.search(r"kill -HUP (\d+)", demo.shown)[1]), signal.SIGKILL)
    demo.ends(1)
    assert "the gateway was ended by SIGKILL" in demo.shown


def test_a_port_that_is_taken_is_named_at_once(place, upstream):
    taken = upstream().address.rsplit(":", 1)[1]
    demo = Demo(place, "--port", taken)
    demo.ends(1)
    assert f"port {taken} is taken" in demo.shown
