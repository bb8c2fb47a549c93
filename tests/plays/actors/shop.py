# SPDX-License-Identifier: Apache-2.0
"""The monolith, examples/shop/run, with a database of its own."""
import json
import os
import pathlib
import shutil
import subprocess

from actors.gateway import ROOT
from actors.process import Program
from actors.waiting import until

SHOP = ROOT / "examples/shop"
PYTHON = "/usr/bin/python3"
PASSWORD = "pine-and-anvil"  # of all its sample users


class Release(Program):
    """One of the shop's two releases on gunicorn, as examples/shop/run starts it."""

    def __init__(self, name, folder, *words):
        folder = pathlib.Path(folder)
        self.out, self.ready_file = folder / f"{name}.out", folder / f"{name}.json"
        with open(self.out, "wb") as out:
            super().__init__(name, folder, [PYTHON, SHOP / "run", "--ready-file", self.ready_file, *words], stdout=out)
        self.address = until(self.ready, f"the {name}", within=120)
        self.about = json.loads(self.ready_file.read_text())
        self.release = self.about["release"]  # as X-Shop-Release has it

    def ready(self):
        assert self.is_running(), self.report()
        words = [line.split() for line in self.out.read_text().splitlines() if line.startswith("ready ")]
        return words and words[0][1].split("//")[1].rstrip("/")

    def plant(self, *words):
        """Makes it bad as `examples/shop/fault` has it ("errors=1%"); mend() undoes it. Its next request knows."""
        subprocess.run([PYTHON, SHOP / "fault", self.about["faults"], *words], check=True, capture_output=True)

    def mend(self):
        self.plant("none")

    def finish(self):
        if self.is_running():
            self.signal(15)
        self.wait(60)


class Shop(Release):
    def __init__(self, folder, *words, users=200, orders=1000):
        folder = pathlib.Path(folder)
        folder.chmod(0o711)  # PostgreSQL runs as another user when we are root
        self.sample = ["--users", str(users), "--orders", str(orders)]
        super().__init__("shop", folder, "--data", folder / "data", *self.sample, *words)

    def anew(self):
        """Its database and uploads as they were in the beginning: the same numbers everywhere, and nobody logged in."""
        env = {**os.environ, "SHOP_DATABASE_URL": self.about["database"], "SHOP_DATA": self.about["data"], "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([PYTHON, SHOP / "manage.py", "seed", "--flush", *self.sample], env=env, check=True, capture_output=True)
        for upload in pathlib.Path(self.about["data"], "media").iterdir():
            shutil.rmtree(upload)


class NextShop(Release):
    """The next release, beside a running shop: the same database, sessions and secrets."""

    def __init__(self, folder, shop, *words):
        super().__init__("shop-next", folder, "--beside", shop.ready_file, *words)
