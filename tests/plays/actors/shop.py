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


class Shop(Program):
    def __init__(self, folder, *words, users=200, orders=1000):
        folder = pathlib.Path(folder)
        folder.chmod(0o711)  # PostgreSQL runs as another user when we are root
        self.out, ready = folder / "shop.out", folder / "shop.json"
        self.sample = ["--users", str(users), "--orders", str(orders)]
        with open(self.out, "wb") as out:
            super().__init__("shop", folder, [PYTHON, SHOP / "run", "--data", folder / "data", "--ready-file", ready, *self.sample, *words],
                             stdout=out)
        self.address = until(self.ready, "the shop", within=120)
        self.about = json.loads(ready.read_text())

    def ready(self):
        assert self.is_running(), self.report()
        words = [line.split() for line in self.out.read_text().splitlines() if line.startswith("ready ")]
        return words and words[0][1].split("//")[1].rstrip("/")

    def anew(self):
        """Its database and uploads as they were in the beginning: the same numbers everywhere, and nobody logged in."""
        env = {**os.environ, "SHOP_DATABASE_URL": self.about["database"], "SHOP_DATA": self.about["data"], "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([PYTHON, SHOP / "manage.py", "seed", "--flush", *self.sample], env=env, check=True, capture_output=True)
        for upload in pathlib.Path(self.about["data"], "media").iterdir():
            shutil.rmtree(upload)

    def finish(self):
        self.signal(15)
        self.wait(60)
