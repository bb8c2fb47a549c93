# SPDX-License-Identifier: Apache-2.0
"""Somebody who wants to be charged twice, to get money for nothing, or to pay with what is not his."""
import json
import pathlib
import time
import uuid

import pytest

from actors.accounts import engine_of, fresh
from actors.hooked import Charging
from actors.orders import Orders, Till
from actors.payments import FaultProvider, Payments, at_once
from test_billing import Town

THREE = "payment_method=pm_card_authenticationRequired"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(request, long_stage):
    engine_of(request)
    database = fresh(request.getfixturevalue("accounts_beside")[0]) if request.param == "postgresql" else f"sqlite:{long_stage.folder}/payment.db"
    folder = pathlib.Path(long_stage.folder) / request.param
    folder.mkdir()
    provider = FaultProvider(folder)
    long_stage.enter(provider, provider.finish)
    service = Payments(folder, database, provider)
    long_stage.enter(service, lambda: service.finish())  # a play puts another process in its place
    yield service


def test_a_card_that_was_taken_away_is_charged_no_more(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        card = stripe.PaymentMethod.attach("pm_card_visa", customer=town.customer.id)
        sub = town.subscribe(town.price(500), default_payment_method=card.id)
        assert sub.status == "active"
        for method in stripe.PaymentMethod.list(customer=town.customer.id, type="card").data:
            stripe.PaymentMethod.detach(method.id)
        before = sum(row["captured"] for row in shop.provider.book())
        town.go("2026-02-01T12:00")
        assert sum(row["captured"] for row in shop.provider.book()) == before
        assert town.again(sub).status == "past_due" and town.invoices()[-1] == ("open", 500, 500)
    assert shop.fsck() == {}


def test_what_was_never_paid_is_no_credit(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        sub = town.subscribe(town.price(5000), payment_behavior="default_incomplete")
        assert sub.status == "incomplete"
        stripe.Subscription.delete(sub.id, prorate=True, invoice_now=True)
        assert town.invoices()[0] == ("void", 5000, 5000)
        next_one = town.subscribe(town.price(4000), expand=["latest_invoice"])
        assert next_one.latest_invoice.amount_due == 4000
        other = Town(stripe, "2026-01-01T00:00")
        sub = other.subscribe(other.price(5000), payment_behavior="default_incomplete")
        with pytest.raises(stripe.error.InvalidRequestError):
            stripe.Subscription.modify(sub.id, items=[{"id": sub["items"].data[0].id, "price": other.price(1)}], proration_behavior="always_invoice")
        assert other.subscribe(other.price(4000), expand=["latest_invoice"]).latest_invoice.amount_due == 4000
    assert shop.fsck() == {}


def test_the_intent_of_an_invoice_is_the_invoices(shop):
    with shop.python() as stripe:
        town = Town(stripe, "2026-01-01T00:00")
        sub = town.subscribe(town.price(5000), payment_behavior="default_incomplete", expand=["latest_invoice"])
        intent = sub.latest_invoice.payment_intent
        for change in ("amount=1", "currency=usd", "capture_method=manual"):
            answer = shop.form(f"/v1/payment_intents/{intent}", change)
            assert answer.status == 400, (change, answer.body)
        assert shop.form(f"/v1/payment_intents/{intent}", "metadata[a]=b").status == 200
        assert shop.form(f"/v1/payment_intents/{intent}/cancel", "").status == 400
        assert stripe.Invoice.pay(sub.latest_invoice.id).status == "paid"
        assert town.again(sub).status == "active" and shop.provider.taken(intent) == 5000
    assert shop.fsck() == {}


def test_what_waits_for_its_customer_is_not_canceled_beside_it(shop):
    """A cancel at the moment of a confirm: either nothing is at the provider any more, or it goes on."""
    for i in range(30):
        intent = shop.form("/v1/payment_intents", f"amount={2000 + i}&currency=eur&{THREE}").json["id"]
        at_once(lambda: shop.form(f"/v1/payment_intents/{intent}/confirm", "return_url=https://shop.test/"),
                lambda: time.sleep(i * 0.0007) or shop.form(f"/v1/payment_intents/{intent}/cancel", ""))
        rows, state = shop.provider.payments(intent), shop.intent(intent)["status"]
        if state == "canceled":
            assert [row["state"] for row in rows] in ([], ["voided"]), (i, rows)
    assert shop.fsck() == {}


def test_nobody_pays_with_what_is_another_customers(shop):
    with shop.python() as stripe:
        mine, other = Town(stripe, "2026-01-01T00:00"), Town(stripe, "2026-01-01T00:00")
        theirs = stripe.PaymentMethod.list(customer=other.customer.id, type="card").data[0].id
        sub = mine.subscribe(mine.price(700), payment_behavior="default_incomplete")
        with pytest.raises(stripe.error.InvalidRequestError):
            stripe.Invoice.pay(sub.latest_invoice, payment_method=theirs)
        assert stripe.Invoice.retrieve(sub.latest_invoice).status == "open"
        assert stripe.Invoice.pay(sub.latest_invoice).status == "paid"
    assert shop.fsck() == {}


def test_what_the_ledger_keeps_for_ever_is_no_card_number(shop):
    for text in ("4242424242424242", "paid with 4242 4242 4242 4242 12/29"):
        for name in ("memo", "source"):
            answer = shop.say("POST", "/v1/ledger/transfers", {"groups": [
                {"currency": "eur", name: text, "transfers": [{"debit": "bank", "credit": "sales", "amount": 5}]}]})
            assert answer.status == 422 and b"4242" not in answer.body, (answer.status, answer.body)
    answer = shop.say("POST", "/v1/ledger/accounts", {"accounts": [{"code": "card:4242424242424242", "currency": "eur", "side": "asset"}]})
    assert answer.status == 422, answer.body


def test_a_secret_that_was_told_is_the_one_that_signs(shop):
    """A rotation beside changes: neither undoes the other."""
    made = shop.form("/v1/webhook_endpoints", "url=https://hooks.shop.test/&enabled_events[]=*").json
    path = f"/v1/webhook_endpoints/{made['id']}"
    for _ in range(15):
        answers = at_once(*[lambda: shop.form(path, f"description={uuid.uuid4()}")] * 3, lambda: shop.say("POST", f"{path}/rotate_secret"))
        assert [answer.status for answer in answers] == [200] * 4, [answer.body for answer in answers]
        assert shop.sql("select secret from webhook_endpoints where url = ?", made["url"]) == [(answers[3].json["secret"],)]


def test_people_check_out_with_what_is_theirs(long_stage):
    """A customer is named by a program that knows whose it is: a person could name anybody's, and have his card charged."""
    jose, folder = long_stage.jose(), pathlib.Path(long_stage.folder) / "people"
    folder.mkdir()
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [jose.key("ES256", "k1")]}))
    orders = long_stage.enter(Orders(folder), lambda: orders.finish())
    till = Till(folder, f"sqlite:{folder}/payment.db", orders, more=[f'issuers: [ {{ issuer: "https://id.test", keys: "{keys}", audience: payment }} ]'])
    long_stage.enter(till, till.finish)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    ann = till.say("POST", "/v1/customers", {"name": "Ann", "invoice_settings": {"default_payment_method": "pm_card_visa"}}).json
    card = till.say("GET", f"/v1/payment_methods?customer={ann['id']}", **form).json["data"][0]["id"]
    program, till.key = till.key, jose.token("k1", iss="https://id.test", aud="payment", sub=f"usr_{uuid.uuid4()}")
    for refused in (till.check_out(method="", customer=ann["id"]), till.check_out(method=card), till.check_out(method=card, customer=ann["id"])):
        assert refused.status == 422, refused.body
    assert till.paid()["status"] == "completed", "with a token of the provider, which only its owner has"
    till.key = program
    assert till.paid(method="", customer=ann["id"])["status"] == "completed"


def test_seconds_that_no_clock_shows_are_only_late_or_early(shop):
    for second in (-2**63, -1, 0, 2**63 - 1):
        for word in ("", "[gt]", "[gte]", "[lt]", "[lte]"):
            assert shop.say("GET", f"/v1/customers?created{word}={second}").status == 200, (second, word)


def test_one_request_does_not_fill_the_ledger(shop):
    """Sums are of 63 bits, and what was posted stays: two such requests, and there was no balance any more."""
    much = [{"debit": "bank", "credit": "sales", "amount": 10**15}]
    assert shop.say("POST", "/v1/ledger/transfers", {"groups": [{"currency": "jpy", "transfers": much}]}).status == 201
    for groups in ([{"currency": "jpy", "transfers": much * 8190}], [{"currency": "jpy", "transfers": much}] * 2):
        answer = shop.say("POST", "/v1/ledger/transfers", {"groups": groups})
        assert answer.status == 422, answer.body[:500]
    assert shop.say("GET", "/v1/ledger/balances").status == 200 and shop.fsck() == {}


def test_a_draft_is_removed_or_finalized(shop):
    with shop.python() as stripe:
        for _ in range(10):
            customer = stripe.Customer.create(payment_method="pm_card_visa").id
            stripe.InvoiceItem.create(customer=customer, currency="eur", amount=700)
            draft = stripe.Invoice.create(customer=customer, currency="eur").id
            at_once(lambda: shop.say("DELETE", f"/v1/invoices/{draft}"), lambda: shop.form(f"/v1/invoices/{draft}/finalize", ""))
            left, waits = shop.say("GET", f"/v1/invoices/{draft}"), stripe.InvoiceItem.list(customer=customer).data
            if left.status == 200:
                assert (left.json["status"], left.json["total"], len(left.json["lines"]["data"])) == ("open", 700, 1), left.body
                assert waits[0].invoice == draft
            else:
                assert waits[0].invoice is None
    assert shop.fsck() == {}


def test_a_change_that_was_answered_is_made(shop):
    for i in range(15):
        customer = shop.form("/v1/customers", "payment_method=pm_card_visa").json["id"]
        card = shop.say("GET", f"/v1/payment_methods?customer={customer}").json["data"][0]["id"]
        answers = at_once(*[lambda n=n: shop.form(f"/v1/customers/{customer}", f"metadata[k{n}]=x") for n in range(3)],
                          lambda: shop.form(f"/v1/payment_methods/{card}/detach", ""))
        made = {f"k{n}" for n, answer in enumerate(answers[:3]) if answer.status == 200}
        assert set(shop.say("GET", f"/v1/customers/{customer}").json["metadata"]) == made, (i, answers)


def test_a_card_is_one_customers(shop):
    for _ in range(10):
        card = shop.form("/v1/payment_methods", "type=card&card[token]=tok_visa").json["id"]
        people = [shop.form("/v1/customers", f"name=n{n}").json["id"] for n in range(4)]
        answers = at_once(*[lambda who=who: shop.form(f"/v1/payment_methods/{card}/attach", f"customer={who}") for who in people[:2]],
                          *[lambda who=who: shop.form(f"/v1/customers/{who}", f"payment_method={card}") for who in people[2:]])
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400], [answer.body for answer in answers]


def test_who_expands_sees_what_he_may_read(shop):
    """A publishable key stands in every page: with somebody's id it gave out all that there is of him, an intent's secret too."""
    page = shop.new_key("--kind", "publishable")
    ann = shop.form("/v1/customers", "name=Ann&email=ann@secret.test&payment_method=pm_card_visa").json["id"]
    intent = shop.form("/v1/payment_intents", f"amount=500&currency=eur&customer={ann}").json
    body = f"type=card&card[token]=tok_visa&metadata[a]={ann}&metadata[b]={intent['id']}&expand[]=metadata.a&expand[]=metadata.b.customer"
    seen = shop.form("/v1/payment_methods", body, key=page)
    assert seen.status == 200 and b"ann@secret.test" not in seen.body and b"_secret_" not in seen.body, seen.body
    seen = shop.form(f"/v1/payment_intents/{intent['id']}?client_secret={intent['client_secret']}&expand[]=customer", "", key=page, method="GET")
    assert seen.json["customer"] == ann
    reader = shop.new_key("--kind", "restricted", "--scope", "payment_intents:read")
    seen = shop.form(f"/v1/payment_intents/{intent['id']}?expand[]=customer", "", key=reader, method="GET")
    assert seen.json["customer"] == ann
    assert shop.say("GET", f"/v1/payment_intents/{intent['id']}?expand[]=customer").json["customer"]["email"] == "ann@secret.test"


def test_a_page_does_not_say_that_nobody_is_there(shop):
    """off_session is the merchant's word to the bank that the customer agreed before: with it nobody is asked to confirm."""
    page = shop.new_key("--kind", "publishable")
    intent = shop.form("/v1/payment_intents", "amount=500&currency=eur").json
    secret = f"client_secret={intent['client_secret']}&payment_method=pm_card_visa"
    for word in ("off_session=true", "off_session=one_off", "off_session=false"):
        refused = shop.form(f"/v1/payment_intents/{intent['id']}/confirm", f"{secret}&{word}", key=page)
        assert (refused.status, refused.json["error"]["param"]) == (400, "off_session"), refused.body
    assert shop.form(f"/v1/payment_intents/{intent['id']}/confirm", secret, key=page).json["status"] == "succeeded"


def test_where_money_is_real_so_is_time(long_stage):
    folder = pathlib.Path(long_stage.folder) / "live"
    folder.mkdir()
    provider = FaultProvider(folder)
    long_stage.enter(provider, provider.finish)
    service = Payments(folder, f"sqlite:{folder}/payment.db", provider, more=["live: true"])
    long_stage.enter(service, lambda: service.finish())
    with pytest.raises(AssertionError, match="a sandbox takes no money"):
        Charging(folder / "toys", "live: true", "providers: { toy: { kind: sandbox } }")
    refused = service.form("/v1/test_helpers/test_clocks", "frozen_time=1700000000")
    assert refused.status == 400 and "clock" in refused.json["error"]["message"], refused.body


def test_a_page_does_not_choose_who_moves_the_money(long_stage):
    """Of two providers one is for trying: whoever could choose it would pay with nothing."""
    folder = pathlib.Path(long_stage.folder) / "chosen"
    folder.mkdir()
    provider = FaultProvider(folder)
    long_stage.enter(provider, provider.finish)
    service = Charging(folder / "shop", f'providers: {{ main: {{ kind: fault, url: "http://{provider.address}" }}, toy: {{ kind: sandbox }} }}')
    long_stage.enter(service, lambda: service.finish())
    page = service.new_key("--kind", "publishable")
    intent = service.form("/v1/payment_intents", "amount=500&currency=eur").json
    method = service.form("/v1/payment_methods", "type=card&card[token]=tok_visa&provider=toy", key=page)
    assert (method.status, method.json["error"]["param"]) == (400, "provider"), method.body
    method = service.form("/v1/payment_methods", "type=card&card[token]=tok_visa", key=page).json["id"]
    paid = service.form(f"/v1/payment_intents/{intent['id']}/confirm", f"client_secret={intent['client_secret']}&payment_method={method}", key=page)
    assert paid.json["status"] == "succeeded" and provider.taken(intent["id"]) == 500
