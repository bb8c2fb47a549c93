# SPDX-License-Identifier: Apache-2.0
"""Checkouts while the processes that they need are killed (-9) one after the other. Each ends completed or undone; nobody is charged twice, or
for nothing; one mail each; the ledger adds up, and analytics comes to the same. The books of others are the judges (actors/siege.py).

BANYAN_PROOF=1: 10,000 checkouts at 50 a second, a kill every second, on both engines. BANYAN_SIEGE=COUNT asks for another number."""
import collections
import os
import time
import uuid

import pytest

from actors.accounts import engine_of
from actors.siege import Siege, verdict
from actors.storm import RedisServer
from actors.waiting import PROOF

COUNT = int(os.environ.get("BANYAN_SIEGE", "10000" if PROOF else "40"))
RATE = 50 if PROOF else 20
METHODS = ("pm_card_visa", "pm_card_mastercard")
DECLINED = "pm_card_chargeDeclined"


def databases(request, folder):
    names = ("payment", "notification", "analytics")
    if request.param == "sqlite":
        return {name: f"sqlite:{folder}/{name}.db" for name in names}
    import psycopg2
    server = request.getfixturevalue("accounts_beside")[0]
    other = psycopg2.connect(server.url)
    other.autocommit = True
    made = {name: f"{name}_{uuid.uuid4().hex[:8]}" for name in names}
    for name in made.values():
        other.cursor().execute(f"create database {name}")
    other.close()
    return {name: server.url.replace("/postgres", f"/{base}") for name, base in made.items()}


@pytest.fixture(params=["sqlite", "postgres"])
def siege(request, stage):
    engine_of(request)
    redis = None
    if request.param == "postgres":
        redis = RedisServer(stage.folder)
        stage.callback(lambda: redis.kill())
    return Siege(stage, databases(request, stage.folder), redis)


def test_every_checkout_ends_paid_or_undone_whoever_dies(siege):
    siege.goes_wrong({"fault": "drop_after", "on": ["authorize"], "share": 0.03}, {"fault": "drop_before", "on": ["authorize"], "share": 0.03},
                     {"fault": "late", "on": ["authorize"], "share": 0.02, "ms": 500}, {"fault": "error_after", "on": ["authorize"], "share": 0.02})
    siege.orders.script(before=0.03, after=0.03)
    siege.rather_twice()
    siege.load(COUNT, RATE, lambda number: DECLINED if number % 10 == 7 else METHODS[number % 2])
    deaths = siege.storm(every=1.0 if PROOF else 0.4, least=1)
    assert len(deaths) >= 4, deaths
    siege.wait_up()
    siege.goes_wrong()
    siege.orders.script()
    states = siege.settle(hurry=not PROOF, within=300 if PROOF else 60)
    assert not verdict(siege, COUNT), "\n".join(verdict(siege, COUNT)[:20])
    assert set(states) <= {"done", "compensated"} and states["done"] > COUNT / 2, states
    report = siege.command("payment", "fsck", "--json")
    assert report["ok"], report
    print(f"{COUNT} checkouts, deaths {deaths}, {dict(states)}")
    one_mail_each(siege)
    begun = time.monotonic()
    assert not (wrong := siege.counted(within=300 if PROOF else 60)), wrong
    print(f"analytics agreed {time.monotonic() - begun:.1f} s later")


def one_mail_each(siege):
    """To everybody whose checkout was completed, and to nobody else."""
    number_of = {checkout: number for number, checkout in siege.taken.items()}
    done = [number_of[order["key"]] for order in siege.orders.book()["orders"] if order["state"] == "confirmed"]
    mails = siege.all_mails(len(done), hurry=not PROOF, within=300 if PROOF else 60)
    assert mails == collections.Counter(f"c{number}@shop.test" for number in done), (len(mails), len(done))
