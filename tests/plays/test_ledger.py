# SPDX-License-Identifier: Apache-2.0
"""The ledger: groups of transfers by its API, what it refuses, its judges: its own, hledger and beancount."""
import csv
import decimal
import io
import json
import random
import uuid

import pytest

from actors.accounts import engine_of, fresh
from actors.books import Books, bean_check, hledger

WALLET = {"currency": "eur", "side": "liability", "limit": "credit"}


def pay(debit, credit, amount, **more):
    return {"debit": debit, "credit": credit, "amount": amount, **more}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def books(request, long_stage):
    engine_of(request)
    database = fresh(request.getfixturevalue("accounts_beside")[0]) if request.param == "postgresql" else f"sqlite:{long_stage.folder}/payment.db"
    service = Books(long_stage.folder, database, number=long_stage.count(Books))
    service.key = json.loads(service.run("key", "add", "--owner", "play", "--json")[1])["key"]
    yield service
    service.finish()


def test_groups_are_posted_all_or_none_and_once(books):
    assert books.open({"code": "wallet:ann", **WALLET}, {"code": "wallet:bob", **WALLET}).status == 201
    both = {"groups": [
        {"currency": "EUR", "source": "order-7", "memo": "an order", "transfers": [pay("bank", "wallet:ann", 1000)]},
        {"currency": "eur", "source": "order-8", "transfers": [pay("wallet:ann", "wallet:bob", 300), pay("wallet:bob", "sales", 50)]}]}
    first = books.say("POST", "/v1/ledger/transfers", both)
    assert first.status == 201, first.body
    again = books.say("POST", "/v1/ledger/transfers", both)
    assert [row["again"] for row in first.json["data"]] == [False, False] and [row["again"] for row in again.json["data"]] == [True, True]
    assert [row["transfers"] for row in first.json["data"]] == [row["transfers"] for row in again.json["data"]]
    assert (books.balance("wallet:ann"), books.balance("wallet:bob"), books.balance("sales"), books.balance("bank")) == (700, 250, 50, 1000)
    both["groups"].append({"currency": "eur", "source": "order-9", "transfers": [pay("wallet:ann", "sales", 1701)]})
    both["groups"][0]["source"] = "order-10"
    refused = books.say("POST", "/v1/ledger/transfers", both)
    assert refused.status == 409 and refused.code == "ledger.limit", refused.body
    assert books.balance("bank") == 1000
    listed = books.say("GET", "/v1/ledger/accounts/eur/wallet:ann/transfers?limit=1")
    assert listed.json["data"][0]["source"] == "order-7" and listed.json["has_more"]
    more = books.say("GET", "/v1/ledger/accounts/eur/wallet:ann/transfers?limit=1&cursor=" + listed.json["next"])
    assert more.json["data"][0]["source"] == "order-8" and not more.json["has_more"]
    one = books.say("GET", "/v1/ledger/transfers/" + first.json["data"][0]["transfers"][0]).json
    assert one["debit"] == "bank" and one["amount"] == 1000 and one["memo"] == "an order"


def test_a_hold_is_settled_in_part_and_once(books):
    books.open({"code": "wallet:cyd", **WALLET})
    books.post(pay("bank", "wallet:cyd", 100))
    hold = "ltr_" + str(uuid.uuid4())
    assert books.post(pay("wallet:cyd", "sales", 80, deed="hold", id=hold)).status == 201
    assert books.post(pay("wallet:cyd", "sales", 21)).code == "ledger.limit"
    assert books.account("wallet:cyd")["held_debits"] == 80
    assert books.post({"deed": "settle", "hold": hold, "amount": 60}).status == 201
    for deed in "settle", "void":
        assert books.post({"deed": deed, "hold": hold}).code == "ledger.hold_resolved"
    assert books.balance("wallet:cyd") == 40 and books.account("wallet:cyd")["held_debits"] == 0


@pytest.mark.parametrize("group, code", [
    ({"transfers": [pay("bank", "bank", 1)]}, "ledger.transfer"),
    ({"transfers": [pay("bank", "nobody:1", 1)]}, "ledger.account"),
    ({"transfers": [pay("bank", "equity", 0)]}, "ledger.transfer"),
    ({"transfers": [pay("bank", "equity", 1.5)]}, "request.fields"),
    ({"transfers": [pay("bank", "equity", 10 ** 15 + 1)]}, "request.fields"),
    ({"transfers": [pay("Bank", "equity", 1)]}, "request.fields"),
    ({"transfers": [pay("bank", "equity", 1)], "currency": "xau"}, "request.fields"),
    ({"transfers": [pay("bank", "equity", 1)], "kind": "intent"}, "request.fields"),
    ({"transfers": []}, "ledger.transfer"),
    ({"transfers": [{"deed": "void"}]}, "ledger.transfer"),
    ({"transfers": [{"deed": "void", "hold": "ltr_" + str(uuid.UUID(int=5))}]}, "ledger.hold"),
])
def test_what_is_none_is_refused(books, group, code):
    refused = books.say("POST", "/v1/ledger/transfers", {"groups": [{"currency": "eur", **group}]})
    assert refused.code == code and refused.status in (404, 422, 400), refused.body


def amounts(text):
    """{(account, currency): amount} of what hledger says."""
    found = {}
    for row in csv.DictReader(io.StringIO(text)):
        for amount in row["balance"].split(", "):
            number, _, currency = amount.partition(" ")
            if currency:
                found[row["account"], currency] = decimal.Decimal(number)
    return found


ROOTS = {"asset": "Assets", "liability": "Liabilities", "equity": "Equity", "income": "Income", "expense": "Expenses"}
DIGITS = {"eur": 2, "jpy": 0, "kwd": 3}


def test_others_add_up_to_the_same(books, tmp_path):
    """Whatever was posted, two programs that know nothing of ours balance it, and come to our balances."""
    rand = random.Random(7)
    names = [f"acct:{n}" for n in range(6)]
    for currency in DIGITS:
        books.open(*({"code": name, "currency": currency, "side": rand.choice(list(ROOTS))} if currency == "eur" else
                     {"code": name + "-" + currency, "currency": currency, "side": "asset"} for name in names))
    for n in range(60):
        currency = rand.choice(list(DIGITS))
        of = [name if currency == "eur" else name + "-" + currency for name in names] + ["sales", "provider:x", "fees:x"]
        moved = [pay(*rand.sample(of, 2), rand.randrange(1, 10 ** 6)) for _ in range(rand.randrange(1, 50))]
        assert books.post(*moved, currency=currency, memo='a "memo"; | \\ of \u00e4ll kinds').status == 201
    assert books.fsck() == {}
    path = tmp_path / "ledger.journal"
    assert "transactions" in books.journal(path)
    assert hledger(path, "check") == (0, "", "")
    assert bean_check(path) == (0, "")
    theirs = amounts(hledger(path, "balance", "-O", "csv", "--no-total", "-E")[1])
    seen = 0
    cursor = ""
    while True:
        page = books.say("GET", "/v1/ledger/accounts?limit=100" + cursor).json
        for account in page["data"]:
            name = ":".join([ROOTS[account["side"]]] + [part[0].upper() + part[1:] for part in account["code"].split(":")])
            value = decimal.Decimal(account["debits"] - account["credits"]).scaleb(-DIGITS[account["currency"]])
            assert theirs.get((name, account["currency"].upper()), decimal.Decimal(0)) == value, account
            seen += 1
        if not page["has_more"]:
            break
        cursor = "&cursor=" + page["next"]
    assert seen >= 20
    for total in books.say("GET", "/v1/ledger/balances").json["data"]:
        assert total["accounts"] > 0
    broken = path.read_text().replace(" balance Assets:Provider:X    ", " balance Assets:Provider:X    1", 1)
    path.write_text(broken)
    assert bean_check(path)[0] != 0


def test_the_judge_sees_what_is_wrong(books):
    """And so can fail."""
    books.post(pay("bank", "equity", 5))
    books.sql("update ledger_accounts set credits = credits + 1 where code = 'sales' and currency = 'eur'")
    wrong = books.fsck()
    assert set(wrong) == {"ledger.balanced", "ledger.sums"} and "sales" in wrong["ledger.sums"][0]
    books.sql("update ledger_accounts set credits = credits - 1 where code = 'sales' and currency = 'eur'")
    assert books.fsck() == {}
