# SPDX-License-Identifier: Apache-2.0
"""Who gets a payment, who gets it then, and who never: two providers that go wrong, and Stripe, which is Banyan's own API here."""
import pytest

from actors.hooked import Charging, Swallower
from actors.payments import FaultProvider
from actors.waiting import until


def provider_in(stage, name):
    (stage.folder / name).mkdir()
    made = FaultProvider(stage.folder / name)
    stage.enter(made, made.finish)
    return made


@pytest.fixture(scope="module")
def first(long_stage):
    return provider_in(long_stage, "first")


@pytest.fixture(scope="module")
def second(long_stage):
    return provider_in(long_stage, "second")


@pytest.fixture(scope="module")
def shop(long_stage, first, second):
    made = Charging(
        long_stage.folder / "shop", "development: true", "providers:",
        f'  first: {{ kind: fault, url: "http://{first.address}", timeout: 1s, absent: 1s, failures: 2, pause: 50ms }}',
        f'  second: {{ kind: fault, url: "http://{second.address}", timeout: 1s, absent: 1s }}', "routing:",
        "  - { currencies: [usd], most: 1000, to: second }",
        "  - { currencies: [gbp], to: [ { provider: first, weight: 50 }, { provider: second, weight: 50 } ] }",
        "  - { currencies: [eur, usd], to: [first, second] }")
    long_stage.enter(made, made.finish)
    return made


def where(intent, *providers):
    """At how many payments of each provider it is, and what was taken."""
    return [(len(provider.payments(intent["id"])), provider.taken(intent["id"])) for provider in providers]


def test_rules_say_who_gets_a_payment(shop, first, second):
    assert where(shop.pay(500, currency="usd"), first, second) == [(0, 0), (1, 500)]
    assert where(shop.pay(1001, currency="usd"), first, second) == [(1, 1001), (0, 0)]
    assert where(shop.pay(500), first, second) == [(1, 500), (0, 0)]
    pounds = [shop.pay(500, currency="gbp") for _ in range(12)]
    assert {tuple(count for count, _ in where(intent, first, second)) for intent in pounds} == {(1, 0), (0, 1)}
    assert shop.pay(500, currency="jpy")["code"] == "payment.no_provider"


def test_what_was_certainly_not_done_is_done_elsewhere(shop, first, second):
    first.script({"fault": "busy", "on": ["authorize"], "times": 1})
    intent = shop.pay(501)
    assert intent["status"] == "succeeded" and where(intent, first, second) == [(0, 0), (1, 501)]
    first.finish()
    intents = [shop.pay(502) for _ in range(4)]
    assert {row["status"] for row in intents} == {"succeeded"}
    assert [second.taken(row["id"]) for row in intents] == [502] * 4
    first.begin()
    until(lambda: where(shop.pay(503), first, second) == [(1, 503), (0, 0)], "the first again, now that it answers")
    declined = shop.pay(504, "pm_card_chargeDeclined")
    assert declined["error"]["code"] == "card_declined"
    assert [len(provider.payments(declined["error"]["payment_intent"]["id"])) for provider in (first, second)] == [1, 0], "a no is a no"


def test_what_nobody_knows_is_done_nowhere_else(shop, first, second):
    first.script({"fault": "drop_after", "on": ["authorize"], "times": 1})
    intent = shop.pay(505)
    assert intent["status"] == "processing" and where(intent, first, second) == [(1, 505), (0, 0)]
    assert shop.settled(intent["id"])["status"] == "succeeded" and where(intent, first, second) == [(1, 505), (0, 0)]
    first.script({"fault": "drop_before", "on": ["authorize"], "times": 1})
    intent = shop.pay(506)
    assert intent["status"] == "processing"
    assert shop.settled(intent["id"])["status"] == "requires_confirmation" and where(intent, first, second) == [(0, 0), (0, 0)]
    assert shop.fsck() == {}


@pytest.fixture(scope="module")
def chain(long_stage, shop):
    """A shop whose Stripe is the other shop, over a wire that loses things."""
    wire = Swallower(shop.address)
    long_stage.enter(wire, wire.finish)
    endpoint = shop.say("POST", "/v1/webhook_endpoints", {"url": "http://127.0.0.1:1/", "enabled_events": ["payment_intent.*"]}).json
    made = Charging(
        long_stage.folder / "chain",
        f'providers: {{ stripe: {{ kind: stripe, url: "http://{wire.address}", key: "{shop.key}", webhook_secret: "{endpoint["secret"]}", '
        f'timeout: 3s, absent: 3s }} }}')
    long_stage.enter(made, made.finish)
    made.wire, made.endpoint = wire, endpoint
    answer = shop.say("POST", f"/v1/webhook_endpoints/{endpoint['id']}", {"url": f"http://{made.address}/v1/providers/stripe/webhook"})
    assert answer.status == 200
    return made


def at_stripe(shop, intent):
    """What the other shop has of an intent."""
    rows = shop.say("GET", "/v1/payment_intents?limit=100").json["data"]
    return [row for row in rows if row["metadata"].get("subject") == intent["id"]]


def test_stripes_own_client_pays_through_the_stripe_adapter(shop, chain):
    found = chain.node("journey")
    assert (found["intent"], found["refund"], found["refunded"], found["captured"]) == ("succeeded", "succeeded", 500, ["succeeded", 600])
    declined = chain.pay(700, "pm_card_chargeDeclinedInsufficientFunds")["error"]
    assert (declined["code"], declined["decline_code"]) == ("card_declined", "insufficient_funds")
    held = chain.pay(701, capture_method="manual")
    assert held["status"] == "requires_capture" and at_stripe(shop, held)[0]["status"] == "requires_capture"
    assert chain.form(f"/v1/payment_intents/{held['id']}/cancel", "").json["status"] == "canceled"
    assert at_stripe(shop, held)[0]["status"] == "canceled"


def test_an_answer_of_stripes_that_is_lost_is_found_by_its_attempt(shop, chain):
    chain.wire.lose = "answer"
    intent = chain.pay(702)
    assert intent["status"] == "processing" and chain.wire.lost == 1
    assert chain.settled(intent["id"])["status"] == "succeeded"
    assert [row["amount_received"] for row in at_stripe(shop, intent)] == [702]
    chain.wire.lose = "request"
    intent = chain.pay(703)
    assert intent["status"] == "processing" and chain.wire.lost == 2
    assert chain.settled(intent["id"])["status"] == "requires_confirmation" and at_stripe(shop, intent) == []


def test_a_capture_and_a_refund_whose_answers_are_lost_are_found(shop, chain):
    held = chain.pay(705, capture_method="manual")
    chain.wire.lose = "answer"
    taken = chain.form(f"/v1/payment_intents/{held['id']}/capture", "amount_to_capture=600").json
    assert taken["status"] == "processing" or taken["error"], taken
    assert chain.settled(held["id"])["amount_received"] == 600 and at_stripe(shop, held)[0]["amount_received"] == 600
    chain.wire.lose = "answer"
    refund = chain.form("/v1/refunds", f"payment_intent={held['id']}&amount=200").json
    assert refund["status"] == "pending" and chain.wire.lost == 4
    until(lambda: chain.say("GET", f"/v1/refunds/{refund['id']}").json["status"] == "succeeded", "the refund")
    charge = shop.say("GET", f"/v1/charges?payment_intent={at_stripe(shop, held)[0]['id']}").json["data"][0]
    assert charge["amount_refunded"] == 200, "once"


def test_what_waits_for_its_customer_at_stripe_is_let_go_there(shop, chain):
    intent = chain.pay(706, "pm_card_authenticationRequired")
    assert intent["status"] == "requires_action"
    answer = chain.form(f"/v1/payment_intents/{intent['id']}/cancel", "")
    assert answer.json.get("status") == "canceled", answer.body
    assert [row["status"] for row in at_stripe(shop, intent)] == ["canceled"]


def test_what_stripe_tells_is_believed_and_asked_for(shop, chain, first):
    first.script({"fault": "pending", "on": ["authorize"], "ms": 300, "times": 1})
    intent = chain.pay(704)
    assert intent["status"] == "processing"
    assert chain.settled(intent["id"])["status"] == "succeeded" and first.taken(at_stripe(shop, intent)[0]["id"]) == 704
    told = until(lambda: shop.say("GET", f"/v1/webhook_endpoints/{chain.endpoint['id']}/deliveries?state=delivered").json["data"], "it was told")
    assert {row["status"] for row in told} == {200}, "and believed, by its signature"
    assert chain.fsck() == {} and shop.fsck() == {}
