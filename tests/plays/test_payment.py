# SPDX-License-Identifier: Apache-2.0
"""Payments as Stripe's own clients make them, and a provider that says yes, says no, and says nothing."""
import http.client
import json
import random
import urllib.request
import uuid

import pytest

from actors.accounts import engine_of, fresh
from actors.payments import FaultProvider, Payments, at_once
from actors.waiting import PROOF, until

CARD = "4242424242424242"
VISA = "currency=eur&payment_method=pm_card_visa&confirm=true"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop(request, long_stage):
    engine, folder = engine_of(request), long_stage.folder / request.param
    folder.mkdir()
    database = fresh(request.getfixturevalue("accounts_beside")[0]) if engine == "postgres" else f"sqlite:{folder}/payment.db"
    provider = FaultProvider(folder)
    long_stage.enter(provider, provider.finish)
    service = Payments(folder, database, provider)
    long_stage.enter(service, lambda: service.finish())  # a play puts another process in its place
    yield service


def test_npm_stripe_pays_captures_refunds_and_pages(shop):
    found = shop.node("journey")
    assert (found["intent"], found["order"], found["card"], found["name"]) == ("succeeded", "7", "succeeded", "Ann")
    assert (found["refund"], found["refunded"]) == ("succeeded", 500)
    assert (found["held"], found["holds"], found["captured"]) == ("requires_capture", 700, ["succeeded", 600])
    assert (found["updated"], found["canceled"]) == (800, ["canceled", "abandoned"])
    assert found["events"] > 9 and "payment_intent.succeeded" in found["kinds"] and "charge.refunded" in found["kinds"]
    assert found["more"] and found["net"][0] == 566 and found["request"] and found["brand"] == "visa" and found["gone"]
    assert shop.fsck() == {}


def test_npm_stripe_raises_the_errors_that_it_has_names_for(shop):
    found = shop.node("refusals")
    kinds = {name: (row["name"], row["status"], row.get("code")) for name, row in found.items()}
    assert kinds == {
        "declined": ("StripeCardError", 402, "card_declined"),
        "missing": ("StripeInvalidRequestError", 400, "parameter_missing"),
        "unknown": ("StripeInvalidRequestError", 400, "parameter_unknown"),
        "nobody": ("StripeAuthenticationError", 401, None),
        "none": ("StripeInvalidRequestError", 404, "resource_missing"),
        "other": ("StripeIdempotencyError", 400, "idempotency_key_mismatch"),
        "number": ("StripeInvalidRequestError", 400, "card_number_refused")}
    assert found["declined"]["decline"] == "insufficient_funds" and found["declined"]["intent"] == "requires_payment_method"
    assert (found["missing"]["param"], found["unknown"]["param"]) == ("amount", "colour") and found["number"]["request"]


def test_python_stripe_pays_and_is_refused(shop):
    with shop.python() as stripe:
        customer = stripe.Customer.create(email="bob@shop.test", invoice_settings={"default_payment_method": "pm_card_visa"})
        stripe.Customer.modify(customer.id, metadata={"a": "1", "b": "2"})
        assert stripe.Customer.modify(customer.id, metadata={"a": ""}).metadata == {"b": "2"}
        assert [row.id for row in stripe.Customer.list(email="bob@shop.test").data] == [customer.id]
        method = stripe.PaymentMethod.list(customer=customer.id, type="card").data[0]
        intent = stripe.PaymentIntent.create(amount=1000, currency="usd", customer=customer.id, payment_method=method.id)
        assert intent.status == "requires_confirmation"
        intent = stripe.PaymentIntent.confirm(intent.id, expand=["latest_charge.balance_transaction", "payment_method"])
        assert (intent.status, intent.payment_method.card.last4, intent.latest_charge.amount_captured) == ("succeeded", "4242", 1000)
        moved = intent.latest_charge.balance_transaction
        assert (moved.amount, moved.net, moved.source) == (1000, 1000 - moved.fee, intent.latest_charge.id)
        listed = stripe.PaymentIntent.list(customer=customer.id, expand=["data.customer", "data.latest_charge"]).data[0]
        assert (listed.customer.email, listed.latest_charge.paid) == ("bob@shop.test", True)
        torn = stripe.Refund.create(charge=intent.latest_charge.id, amount=400, metadata={"why": "torn"}, expand=["charge.customer"])
        assert (torn.charge.amount_refunded, torn.charge.customer.id) == (400, customer.id)
        with pytest.raises(stripe.error.InvalidRequestError) as wrong:
            stripe.Refund.create(charge=intent.latest_charge.id, amount=601)
        assert wrong.value.param == "amount"
        assert stripe.Refund.create(payment_intent=intent.id).amount == 600
        with pytest.raises(stripe.error.InvalidRequestError) as wrong:
            stripe.Refund.create(payment_intent=intent.id)
        assert wrong.value.code == "charge_already_refunded"
        with pytest.raises(stripe.error.CardError) as wrong:
            stripe.PaymentIntent.create(amount=1000, currency="usd", payment_method="pm_card_chargeDeclined", confirm=True)
        assert wrong.value.code == "card_declined" and wrong.value.error.payment_intent.last_payment_error.charge.startswith("ch_")
        with pytest.raises(stripe.error.InvalidRequestError) as wrong:
            stripe.PaymentIntent.capture(intent.id)
        assert wrong.value.code == "payment_intent_unexpected_state"
        assert [event.type for event in stripe.Event.list(limit=100, type="charge.refunded").auto_paging_iter()].count("charge.refunded") >= 2
        other = stripe.Customer.create(name="Cyd")
        with pytest.raises(stripe.error.InvalidRequestError) as wrong:
            stripe.PaymentIntent.create(amount=1000, currency="usd", customer=other.id, payment_method=method.id)
        assert wrong.value.code == "payment_method_customer_mismatch"
    assert shop.provider.taken(intent.id) == 0 and shop.fsck() == {}


def test_lists_go_both_ways_and_by_time(shop):
    made = [shop.form("/v1/customers", f"name=n{i}").json for i in range(5)]
    ids = [row["id"] for row in made]
    down = shop.say("GET", f"/v1/customers?limit=2&starting_after={ids[4]}").json
    assert [row["id"] for row in down["data"]] == [ids[3], ids[2]] and down["has_more"] and down["object"] == "list"
    up = shop.say("GET", f"/v1/customers?limit=2&ending_before={ids[1]}").json
    assert [row["id"] for row in up["data"]] == [ids[3], ids[2]] and up["has_more"]
    since = shop.say("GET", f"/v1/customers?limit=100&created[gte]={made[0]['created']}").json
    assert set(ids) <= {row["id"] for row in since["data"]}
    assert shop.say("GET", f"/v1/customers?created[gt]={made[4]['created'] + 5}").json["data"] == []
    assert shop.say("GET", "/v1/customers?limit=0").json["error"]["param"] == "limit"


def test_a_key_gives_the_same_answer_and_takes_no_other_request(shop):
    key = {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    first = shop.form("/v1/payment_intents", f"amount=300&{VISA}", **key)
    again = shop.form("/v1/payment_intents", f"amount=300&{VISA}", **key)
    assert first.status == again.status == 200 and first.json == again.json and again.headers["Idempotent-Replayed"] == "true"
    other = shop.form("/v1/payment_intents", f"amount=301&{VISA}", **key)
    assert (other.status, other.json["error"]["type"], other.code) == (422, "idempotency_error", "idempotency.mismatch")
    assert shop.provider.taken(first.json["id"]) == 300
    no = {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    declined = [shop.form("/v1/payment_intents", "amount=300&currency=eur&confirm=true&payment_method=pm_card_chargeDeclined", **no) for _ in range(2)]
    assert [answer.status for answer in declined] == [402, 402] and declined[0].json["error"]["charge"] == declined[1].json["error"]["charge"]
    wrong = {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    assert shop.form("/v1/payment_intents", "amount=0&currency=eur", **wrong).status == 400
    assert shop.form("/v1/payment_intents", "amount=1&currency=eur", **wrong).status == 200, "what was wrong is not kept"


def test_who_is_at_work_is_told_so_and_charges_once(shop):
    key = {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    shop.provider.script({"fault": "delay", "on": ["authorize"], "ms": 300, "times": 1})
    answers = at_once(*[lambda: shop.form("/v1/payment_intents", f"amount=350&{VISA}", **key)] * 4)
    shop.provider.script()
    paid = [answer for answer in answers if answer.status == 200]
    busy = [answer for answer in answers if answer.status == 409]
    assert len(paid) + len(busy) == 4 and paid and busy and all(a.json["error"]["code"] == "idempotency_key_in_use" for a in busy)
    assert len({answer.json["id"] for answer in paid}) == 1 and shop.provider.taken(paid[0].json["id"]) == 350


def test_silence_is_unknown_until_the_provider_was_asked(shop):
    shop.provider.script({"fault": "late", "on": ["authorize"], "ms": 1500, "times": 1})  # it does it, and says so too late
    asked = shop.form("/v1/payment_intents", f"amount=801&{VISA}")
    intent = asked.json["id"]
    assert (asked.status, asked.json["status"]) == (200, "processing")
    assert shop.form(f"/v1/payment_intents/{intent}/confirm", "payment_method=pm_card_visa").status == 409, "no second attempt meanwhile"
    assert shop.form(f"/v1/payment_intents/{intent}/cancel", "").status == 409
    assert shop.settled(intent)["status"] == "succeeded"
    assert [row["captured"] for row in shop.provider.payments(intent)] == [801]
    shop.provider.script({"fault": "drop_before", "on": ["authorize"]})
    silent = shop.form("/v1/payment_intents", f"amount=802&{VISA}").json["id"]
    shop.provider.script()
    assert shop.settled(silent)["status"] == "requires_confirmation" and shop.provider.payments(silent) == []
    shop.provider.script({"fault": "late", "on": ["refund"], "ms": 1500, "times": 1})
    pending = shop.form("/v1/refunds", f"payment_intent={intent}&amount=201")
    assert (pending.status, pending.json["status"]) == (200, "pending")
    assert shop.form("/v1/refunds", f"payment_intent={intent}&amount=201").status == 409
    until(lambda: shop.say("GET", f"/v1/refunds/{pending.json['id']}").json["status"] == "succeeded", "the refund's end")
    assert shop.provider.taken(intent) == 600 and shop.fsck() == {}


def test_a_process_that_dies_between_asking_and_hearing_charges_once(shop, long_stage):
    key = {"Idempotency-Key": f"k-{uuid.uuid4()}"}
    body = f"amount=777&metadata[mark]={uuid.uuid4().hex}&{VISA}"
    shop.provider.script({"fault": "late", "on": ["authorize"], "ms": 900, "times": 1})
    before = len(shop.provider.book())

    def ask():
        try:
            return shop.form("/v1/payment_intents", body, **key)
        except OSError:
            return None

    def die():
        until(lambda: len(shop.provider.book()) > before, "the charge in the provider's book")
        shop.program.process.kill()
    assert at_once(ask, die)[0] is None
    new = shop.again()
    shop.__dict__.update(new.__dict__)
    until(lambda: shop.say("GET", "/v1/customers").status == 200, "the service")
    answer = until(lambda: (lambda got: got.status != 409 and got)(shop.form("/v1/payment_intents", body, **key)), "an answer of that key")
    assert (answer.status, answer.json["status"], answer.json["amount_received"]) == (200, "succeeded", 777), answer.body
    assert [row["captured"] for row in shop.provider.payments(answer.json["id"])] == [777]
    assert shop.form("/v1/payment_intents", body, **key).json["id"] == answer.json["id"]
    assert len(shop.provider.book()) == before + 1 and shop.fsck() == {}


def test_a_card_number_is_refused_wherever_it_stands_and_kept_nowhere(shop):
    grouped = "5555-5555-5555-4444"
    tries = [("/v1/customers", f"name={CARD}"), ("/v1/customers", f"description=pay+with+{grouped}"), ("/v1/customers", f"metadata[{CARD}]=x"),
             ("/v1/payment_intents", f"amount=1&currency=eur&metadata[note]={CARD}"), ("/v1/customers", f"metadata[a]=1&email={CARD}@x.test"),
             ("/v1/payment_methods", f"type=card&card[number]={CARD}&card[cvc]=123"), ("/v1/payment_methods", "type=card&card[token]=tok_visa&card[cvc]=123"),
             ("/v1/refunds", f"charge={CARD}")]
    for path, body in tries:
        answer = shop.form(path, body)
        assert (answer.status, answer.json["error"]["code"]) == (400, "card_number_refused"), (body, answer.body)
        assert CARD.encode() not in answer.body
    assert shop.say("POST", "/v1/customers", {"phone": CARD}).json["error"]["code"] == "card_number_refused"
    for answer in (shop.say("GET", f"/v1/customers/{CARD}"), shop.say("GET", f"/v1/customers?email={CARD}"),
                   shop.form("/v1/customers", "name=x", **{"Idempotency-Key": CARD})):
        assert answer.status == 400 and CARD.encode() not in answer.body, answer.body
    kept = b"".join(path.read_bytes() for path in shop.folder.iterdir() if path.is_file())
    assert CARD.encode() not in kept and grouped.encode() not in kept


def test_a_key_may_what_its_kind_says(shop):
    page, reader = shop.new_key("--kind", "publishable"), shop.new_key("--kind", "restricted", "--scope", "customers:read")
    intent = shop.form("/v1/payment_intents", "amount=500&currency=eur").json
    assert shop.form("/v1/customers", "name=x", key=page).status == 403
    assert shop.form(f"/v1/payment_intents/{intent['id']}", "", key=page, method="GET").status == 404, "without its secret it is not there"
    secret = f"client_secret={intent['client_secret']}"
    assert shop.form(f"/v1/payment_intents/{intent['id']}?{secret}", "", key=page, method="GET").json["amount"] == 500
    method = shop.form("/v1/payment_methods", "type=card&card[token]=tok_visa", key=page).json
    paid = shop.form(f"/v1/payment_intents/{intent['id']}/confirm", f"{secret}&payment_method={method['id']}", key=page)
    assert (paid.status, paid.json["status"]) == (200, "succeeded"), paid.body
    assert shop.form("/v1/customers", "", key=reader, method="GET").status == 200
    assert shop.form("/v1/customers", "name=x", key=reader).json["error"]["message"].endswith("customers:write")
    listed = json.loads(shop.run("key", "list", "--json")[1])
    mine = next(row for row in listed if row["kind"] == "restricted")
    assert mine["hint"].endswith(reader[-4:]) and reader not in json.dumps(listed)
    assert shop.run("key", "revoke", mine["id"])[0] == 0 and shop.form("/v1/customers", "", key=reader, method="GET").status == 401
    assert shop.run("key", "add", "--kind", "restricted", "--scope", "everything")[0] == 2


def test_a_customer_who_has_to_confirm_is_waited_for(shop):
    three = "currency=eur&payment_method=pm_card_authenticationRequired&confirm=true"
    asked = shop.form("/v1/payment_intents", f"amount=910&{three}&return_url=https://shop.test/back").json
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    with urllib.request.urlopen(asked["next_action"]["redirect_to_url"]["url"]) as page:
        page.read()
    done = until(lambda: (lambda got: got["status"] == "succeeded" and got)(shop.intent(asked["id"])), "the customer's confirmation")
    assert done["next_action"] is None and shop.provider.taken(asked["id"]) == 910
    left = shop.form("/v1/payment_intents", f"amount=911&{three}").json["id"]
    canceled = shop.form(f"/v1/payment_intents/{left}/cancel", "cancellation_reason=abandoned")
    assert (canceled.status, canceled.json["status"]) == (200, "canceled"), canceled.body
    alone = shop.form("/v1/payment_intents", f"amount=912&{three}&off_session=true")
    assert (alone.status, alone.json["error"]["code"]) == (402, "authentication_required")
    assert shop.provider.taken(left) == 0 and shop.fsck() == {}


def test_of_many_who_confirm_capture_or_refund_at_once_one_does(shop):
    intent = shop.form("/v1/payment_intents", "amount=1000&currency=eur&capture_method=manual").json["id"]
    shop.provider.script({"fault": "delay", "ms": 100})
    answers = at_once(*[lambda: shop.form(f"/v1/payment_intents/{intent}/confirm", "payment_method=pm_card_visa")] * 4)
    assert sorted(answer.status for answer in answers) in ([200, 409, 409, 409], [200, 400, 409, 409], [200, 400, 400, 409], [200, 400, 400, 400])
    answers = at_once(*[lambda: shop.form(f"/v1/payment_intents/{intent}/capture", "")] * 4)
    assert [answer.status for answer in answers].count(200) == 1
    answers = at_once(*[lambda: shop.form("/v1/refunds", f"payment_intent={intent}&amount=600")] * 4)
    shop.provider.script()
    assert [answer.status for answer in answers].count(200) == 1 and {answer.status for answer in answers} <= {200, 400, 409}
    assert shop.provider.taken(intent) == 400 and len(shop.provider.payments(intent)) == 1 and shop.fsck() == {}


def test_a_capture_and_a_void_that_nobody_heard_of_are_asked_about(shop):
    held = [shop.form("/v1/payment_intents", f"amount=950&capture_method=manual&{VISA}").json["id"] for _ in range(2)]
    shop.provider.script({"fault": "late", "on": ["capture", "void"], "ms": 1500, "times": 2})
    answers = at_once(lambda: shop.form(f"/v1/payment_intents/{held[0]}/capture", ""), lambda: shop.form(f"/v1/payment_intents/{held[1]}/cancel", ""))
    assert [answer.json["status"] for answer in answers] == ["processing", "processing"], [answer.body for answer in answers]
    shop.provider.script()
    assert (shop.settled(held[0])["status"], shop.settled(held[1])["status"]) == ("succeeded", "canceled")
    assert (shop.provider.taken(held[0]), shop.provider.taken(held[1])) == (950, 0) and shop.fsck() == {}


def test_in_a_storm_of_faults_and_repeated_requests_nobody_is_charged_twice(shop):
    dice = random.Random(7)
    shop.provider.script(*[{"fault": fault, "share": 0.08} for fault in ("drop_before", "drop_after", "error_before", "error_after", "busy", "garbage")],
                         {"fault": "late", "share": 0.03, "ms": 1200}, {"fault": "decline", "on": ["authorize"], "share": 0.1, "code": "card_declined"})
    orders = [(f"amount={1000 + i}&metadata[order]=s{i}&{VISA}", {"Idempotency-Key": f"storm-{uuid.uuid4()}"}) for i in range(400 if PROOF else 40)]

    def buy(body, key):
        answer = shop.form("/v1/payment_intents", body, **key)
        for _ in range(dice.randrange(3)):  # it did not hear, and asks again
            answer = shop.form("/v1/payment_intents", body, **key)
        return answer
    for start in range(0, len(orders), 8):
        at_once(*[lambda order=order: buy(*order) for order in orders[start:start + 8]])
    shop.provider.script()
    done = [until(lambda order=order: (lambda got: got.status in (200, 402) and got)(shop.form("/v1/payment_intents", order[0], **order[1])), "an answer")
            for order in orders]
    ids = [answer.json["id"] if answer.status == 200 else answer.json["error"]["payment_intent"]["id"] for answer in done]
    assert len(set(ids)) == len(orders)
    ends = {intent: shop.settled(intent) for intent in ids}
    for intent, end in ends.items():
        assert shop.provider.taken(intent) == end["amount_received"], "the provider's book and ours say the same"
        assert sum(1 for row in shop.provider.payments(intent) if row["captured"]) == (end["status"] == "succeeded")
    assert {end["status"] for end in ends.values()} >= {"succeeded", "requires_payment_method"}
    assert shop.fsck() == {}


def test_killed_again_and_again_it_charges_each_order_once(shop):
    orders = [(f"amount={2000 + i}&{VISA}", {"Idempotency-Key": f"kill-{uuid.uuid4()}"}) for i in range(300 if PROOF else 24)]
    done = {}
    shop.provider.script({"fault": "delay", "on": ["authorize"], "share": 0.5, "ms": 50}, {"fault": "late", "on": ["authorize"], "share": 0.2, "ms": 200})

    def buy(order):
        def ask():
            try:
                answer = shop.form("/v1/payment_intents", order[0], **order[1])
            except (OSError, http.client.HTTPException, AttributeError, IndexError):
                return None  # it is dead, or not yet there again
            return answer.status == 200 and answer
        done[order[0]] = until(ask, f"an answer for {order[0]}", within=60)

    def kill():
        for count in range(4, len(orders), 40 if PROOF else 10):
            until(lambda count=count: len(done) >= count, f"{count} that are done", within=60)
            shop.program.process.kill()
            shop.__dict__.update(shop.again().__dict__)
    at_once(*[lambda line=line: [buy(order) for order in orders[line::6]] for line in range(6)], meanwhile=kill)
    shop.provider.script()
    for body, answer in done.items():
        end = shop.settled(answer.json["id"])
        assert (end["status"], end["amount_received"]) == ("succeeded", int(body[7:11])), end
        assert [row["captured"] for row in shop.provider.payments(end["id"])] == [end["amount_received"]]
    assert len({answer.json["id"] for answer in done.values()}) == len(orders) and shop.fsck() == {}
