# SPDX-License-Identifier: Apache-2.0
"""Checkouts: an order is reserved, charged and confirmed, or undone, whatever goes wrong in between."""
import base64
import hashlib
import hmac
import json
import time
import uuid

import pytest

from actors.accounts import engine_of, fresh
from actors.orders import Orders, Till, idempotency_key
from actors.waiting import until

SECRET = b"of the play's own issuer, which nobody else knows"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def till(request, long_stage):
    database = fresh(request.getfixturevalue("accounts_beside")[0]) if engine_of(request) == "postgres" else f"sqlite:{long_stage.folder}/payment.db"
    orders = Orders(long_stage.folder)
    long_stage.enter(orders, orders.finish)
    service = Till(long_stage.folder, database, orders)
    long_stage.enter(service, lambda: service.finish())  # the last play puts another process in its place
    yield service


def saga_of(till, checkout):
    code, out, err = till.saga("show", checkout.removeprefix("co_"), "--json")
    assert code == 0, err
    return json.loads(out)


def test_an_order_is_paid_for_and_everything_is_one_trace(till):
    begun = till.check_out({"sku": "anvil", "quantity": 2}, headers={"traceparent": TRACE})
    assert begun.status == 202 and begun.headers["Location"] == f"/v1/checkout/{begun.json['id']}", begun.body
    done = till.ended(begun.json["id"])
    assert (done["status"], done["order"], done["amount"], done["currency"]) == ("completed", "PA-0000001", 5180, "EUR")
    assert done["payment_intent"].startswith("pi_") and "reason" not in done
    order = till.orders.order(done["id"])
    assert (order["state"], order["payment"]) == ("confirmed", done["payment_intent"])
    asked = till.orders.asked(done["id"])
    assert {row["trace"] for row in asked} == {TRACE.split("-")[1]}
    assert {(row["verb"], row["times"]) for row in asked} == {("reserve", 1), ("confirm", 1)}
    events = till.sql("select type, traceparent from outbox where aggregate_id = ?", done["id"])
    assert [row[0] for row in events] == ["checkout.completed"] and events[0][1].split("-")[1] == TRACE.split("-")[1]


@pytest.mark.parametrize("order, method, more, reason, asked", [
    ({"sku": "rare", "quantity": 2}, "pm_card_visa", {}, "sold_out", {"reserve"}),
    ({"sku": "anvil"}, "pm_card_visa", {"amount": 2500, "currency": "eur"}, "price_changed", {"reserve", "release"}),
    ({"sku": "anvil"}, "pm_card_visa", {"amount": 2590, "currency": "usd"}, "price_changed", {"reserve", "release"}),
    ({"sku": "anvil"}, "pm_card_chargeDeclined", {}, "card_declined", {"reserve", "release"}),
])
def test_a_no_undoes_it_at_once(till, order, method, more, reason, asked):
    done = till.paid(order, method, **more)
    assert (done["status"], done["reason"]) == ("undone", reason) and done["message"], done
    assert {row["verb"] for row in till.orders.asked(done["id"])} == asked
    assert till.sql("select type from outbox where aggregate_id = ?", done["id"]) == [("checkout.undone",)]
    assert all(reserved == 0 for _, reserved in till.orders.book()["stock"].values())


def test_a_cart_is_checked_out_once_unless_that_was_undone(till):
    cart = {"reference": "cart-7"}
    first = till.paid({"sku": "rare", "quantity": 2}, **cart)
    assert first["status"] == "undone"
    done = till.paid(**cart)
    assert done["status"] == "completed"
    again = till.check_out(**cart)
    assert again.status == 409 and again.code == "checkout.reference" and done["id"] in again.json["detail"]


def test_the_same_request_again_is_the_same_checkout(till):
    key = idempotency_key()
    first, again = till.check_out(headers=key), till.check_out(headers=key)
    assert first.json["id"] == again.json["id"] and again.headers["Idempotent-Replayed"] == "true"
    assert till.check_out({"sku": "pine"}, headers=key).status == 422
    assert till.ended(first.json["id"])["status"] == "completed"


@pytest.mark.parametrize("body, pointer", [
    ({"order": "anvil"}, "/order"), ({"order": {"n": "x" * 20000}}, "/order"), ({}, "/order"),
    ({"order": {"card": "4242 4242 4242 4242"}}, "/order"), ({"order": {}, "email": "ann"}, "/email"),
    ({"order": {}, "amount": 0}, "/amount"), ({"order": {}, "currency": "eurs"}, "/currency"),
])
def test_what_is_no_order_is_told(till, body, pointer):
    refused = till.say("POST", "/v1/checkout", {"email": "ann@shop.test", **body})
    assert refused.status == 422 and pointer in [row["pointer"] for row in refused.json["errors"]], refused.body
    assert b"4242" not in refused.body


def test_a_checkout_is_its_beginners(till):
    mine = till.check_out().json["id"]
    own, till.key = till.key, till.new_key("another", "--kind", "restricted", "--scope", "customers:read")
    try:
        assert till.say("GET", f"/v1/checkout/{mine}").status == 404
        assert till.check_out().status == 403
        till.key = None
        assert till.say("GET", f"/v1/checkout/{mine}").status == 401
        assert till.check_out().status == 401
    finally:
        till.key = own
    assert till.ended(mine)["status"] == "completed"
    assert till.say("GET", f"/v1/checkout/co_{uuid.uuid4()}").status == 404


def test_an_order_system_that_is_away_is_asked_again_with_the_same_key(till):
    till.orders.script(plan={"reserve": ["before", "after"], "confirm": ["after", "before"], "release": ["after"]})
    try:
        begun = [till.check_out(method=method).json["id"] for method in ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined")]
        ended = [till.ended(one) for one in begun]
    finally:
        till.orders.script()
    assert [one["status"] for one in ended] == ["completed", "completed", "undone"]
    for one, state in zip(begun, ("confirmed", "confirmed", "released")):
        asked = till.orders.asked(one)
        second = "confirm" if state == "confirmed" else "release"
        assert {row["verb"]: row["times"] for row in asked} == {"reserve": 2, second: 2}     # times that it was done, "before" is none
        assert len({row["idem"] for row in asked}) == len(asked) == 2, asked
        assert till.orders.order(one)["state"] == state


def test_that_the_first_request_is_still_at_work_is_no_refusal(till):
    till.orders.script(plan={verb: ["running"] for verb in ("reserve", "confirm", "release")})
    try:
        begun = [till.check_out(method=method).json["id"] for method in ("pm_card_visa", "pm_card_chargeDeclined")]
        ended = [till.ended(one) for one in begun]
    finally:
        till.orders.script()
    assert [one["status"] for one in ended] == ["completed", "undone"] and ended[1]["reason"] == "card_declined"


def test_people_see_what_is_stuck_and_decide(till):
    till.orders.script(refuse="confirm")
    done = till.paid()
    assert (done["status"], done["reason"]) == ("stuck", "shipped"), done
    row = saga_of(till, done["id"])
    assert (row["state"], row["stuck_in"], row["type"]) == ("stuck", "committing", "checkout")
    assert [(step["name"], step["state"]) for step in row["steps"] if step["direction"] == "forward"] == [
        ("reserve", "done"), ("charge", "done"), ("confirm", "refused")]
    number = row["id"]
    listed = till.saga("list", "--state", "stuck")[1]
    assert number in listed and "shipped" in listed
    code, _, err = till.saga("compensate", number)
    assert code == 7 and "its pivot was tried" in err
    assert till.saga("retry", number)[0] == 0
    until(lambda: [step for step in saga_of(till, done["id"])["steps"]
                   if (step["name"], step["attempts"], step["state"]) == ("confirm", 2, "refused")], "a second refusal")
    till.orders.script()
    code, out, err = till.saga("compensate", number, "--past-pivot")
    assert code == 0 and "1 sagas are undone" in out, err
    until(lambda: till.ended(done["id"])["status"] == "undone", "it is undone")
    assert till.orders.order(done["id"])["state"] == "released"
    assert till.saga("retry", number)[0] == 7
    code, _, err = till.saga("show", "x")
    assert code == 2 and "not a saga's id" in err


def test_fsck_finds_a_checkout_that_was_not_what_it_says(till):
    done, undone = till.paid()["id"], till.paid(method="pm_card_chargeDeclined")["id"]
    assert till.fsck() == {}
    for checkout, state in ((done, "compensated"), (undone, "done")):
        till.sql(f"update sagas set state = '{state}' where id = {ident(till, checkout)}")
    found = till.fsck()
    assert {row.split()[0] for row in found["checkout.charged"]} == {done, undone} == {row.split()[0] for row in found["checkout.carried"]}, found
    for checkout, state in ((undone, "compensated"), (done, "done")):
        till.sql(f"update sagas set state = '{state}' where id = {ident(till, checkout)}")
    assert till.fsck() == {}


def ident(till, checkout):
    number = uuid.UUID(checkout.removeprefix("co_"))
    return f"x'{number.hex}'" if till.database.startswith("sqlite") else f"'{number}'"


def test_a_checkout_outlives_the_process_that_had_it(till):
    till.orders.script(hold="confirm")
    begun = till.check_out().json["id"]
    until(lambda: saga_of(till, begun)["state"] == "committing", "the confirmation is asked for")
    heir = till.again()
    till.__dict__.update(heir.__dict__)
    till.orders.script()
    till.earlier("jobs", "leased_until", 60, "leased_until is not null")
    done = till.ended(begun)
    assert done["status"] == "completed"
    asked = [row for row in till.orders.asked(begun) if row["verb"] == "confirm"]
    assert len({row["idem"] for row in asked}) == 1


def person_token(who, **claims):
    """Of an issuer whose secret the service knows."""
    def text(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=")
    head = text({"alg": "HS256", "kid": "play"}) + b"." + text({"iss": "play", "aud": "shop", "sub": who, "exp": int(time.time()) + 600, **claims})
    return (head + b"." + base64.urlsafe_b64encode(hmac.new(SECRET, head, hashlib.sha256).digest()).rstrip(b"=")).decode()


@pytest.fixture(scope="module")
def counter(long_stage):
    """A till that people come to themselves."""
    orders = Orders(long_stage.folder)
    long_stage.enter(orders, orders.finish)
    keys = long_stage.folder / "issuer.json"
    keys.write_text(json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": "play", "k": base64.urlsafe_b64encode(SECRET).rstrip(b"=").decode()}]}))
    service = Till(long_stage.folder, f"sqlite:{long_stage.folder}/counter.db", orders,
                   more=[f'issuers: [ {{ issuer: play, keys: "{keys}", audience: [ shop ] }} ]'])
    long_stage.enter(service, lambda: service.finish())
    yield service


def test_people_pay_with_what_is_theirs(counter):
    def made(path, **body):
        answer = counter.say("POST", path, body)
        assert answer.status == 200, answer.body
        return answer.json["id"]
    ann, eve = f"usr_{uuid.uuid4()}", f"usr_{uuid.uuid4()}"
    card = made("/v1/payment_methods", type="card", card={"token": "tok_visa"})
    customer = made("/v1/customers", email="ann@shop.test", metadata={"user": ann})
    assert counter.say("POST", f"/v1/payment_methods/{card}/attach", {"customer": customer}).status == 200
    assert counter.say("POST", f"/v1/customers/{customer}", {"invoice_settings": {"default_payment_method": card}}).status == 200
    other = made("/v1/customers", email="shop@shop.test")
    program, order = counter.key, {"sku": "pine"}
    try:
        counter.key = person_token(eve)
        for more in ({"customer": customer, "method": None}, {"customer": customer}, {"method": card}, {"customer": other},
                     {"customer": f"cus_{uuid.uuid4()}"}, {"customer": "cus_x"}, {"customer": other, "method": card}):
            refused = counter.check_out(order, **more)
            assert refused.status == 422 and refused.json["errors"][0]["pointer"] in ("/customer", "/payment_method"), (more, refused.body)
        assert counter.paid(order)["status"] == "completed"
        counter.key = person_token(ann)
        for more in ({"customer": customer, "method": None}, {"customer": customer, "method": card}):
            assert counter.paid(order, **more)["status"] == "completed"
        assert counter.check_out(order, method=card).status == 422      # whose it is has to be said
        counter.key = program
        assert counter.paid(order, customer=customer, method=card)["status"] == "completed"
        assert counter.check_out(order, customer=other, method=card).status == 422
    finally:
        counter.key = program
