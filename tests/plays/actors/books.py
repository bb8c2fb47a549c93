# SPDX-License-Identifier: Apache-2.0
"""The payment service in a process of its own, and who keeps its ledger: a program with a key."""
import json
import subprocess

from actors.accounts import Accounts, say
from actors.gateway import Gateway, run_banyan

TEXT = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: payment, match: "/v1/**", to: "service:payment" }} ]
    services:
      payment:
        listen: "127.0.0.1:0"
        database: {{ url: "{database}" }}
        {more}
"""


class Books(Accounts):
    def __init__(self, folder, database, more=(), **options):  # noqa: another service's text, the same ways to ask it
        self.database, self.whole, self.key = database, False, None
        Gateway.__init__(self, folder, TEXT.format(database=database, more="\n        ".join(more)), words=("--only", "payment"), **options)

    @property
    def address(self):
        return self.addresses("service payment", "http")[0]

    def say(self, method, path, body=None, **headers):
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        return say(self.address, method, path, body, **headers)

    def run(self, *words, **options):
        return run_banyan("payment", *words, "-c", str(self.file), **options)

    def open(self, *accounts):
        return self.say("POST", "/v1/ledger/accounts", {"accounts": list(accounts)})

    def post(self, *transfers, currency="eur", **group):
        return self.say("POST", "/v1/ledger/transfers", {"groups": [{"currency": currency, "transfers": list(transfers), **group}]})

    def account(self, code, currency="eur"):
        answer = self.say("GET", f"/v1/ledger/accounts/{currency}/{code}")
        assert answer.status == 200, answer.body
        return answer.json

    def balance(self, code, currency="eur"):
        return self.account(code, currency)["balance"]

    def fsck(self):
        """{check: what is wrong}, of those with something wrong."""
        code, out, err = self.run("fsck", "--json")
        report = json.loads(out)
        assert (code == 0) == report["ok"], err
        return {row["name"]: row["examples"] for row in report["checks"] if row["wrong"]}

    def journal(self, path):
        code, out, err = self.run("export", "--ledger", "-o", str(path))
        assert code == 0, err
        return out


def hledger(path, *words):
    done = subprocess.run(["hledger", "-f", str(path), *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def bean_check(path):
    done = subprocess.run(["bean-check", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
