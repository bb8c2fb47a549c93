# SPDX-License-Identifier: Apache-2.0
"""A checkout of the monolith's own carts: the shop keeps the order, the payment service takes the money. In the proof only: the shop takes
its time to start, and its part is tested in examples/shop/orders/tests.py."""
import os
import subprocess

import pytest

from actors.accounts import say
from actors.orders import Till
from actors.shop import PASSWORD, PYTHON, SHOP, Shop
from actors.waiting import PROOF

pytestmark = pytest.mark.skipif(not PROOF, reason="in the proof only")
KEY = "the-orders"


@pytest.fixture(scope="module")
def shop(long_stage):
    os.environ["SHOP_RESERVATIONS_KEY"] = KEY
    try:
        actor = Shop(long_stage.folder)
    finally:
        del os.environ["SHOP_RESERVATIONS_KEY"]
    actor.url = f"http://{actor.address}/api/v1/reservations"
    return long_stage.enter(actor, actor.finish)


@pytest.fixture(scope="module")
def till(long_stage, shop):
    service = Till(long_stage.folder, f"sqlite:{long_stage.folder}/payment.db", shop)
    return long_stage.enter(service, service.finish)


class Customer:
    def __init__(self, shop, name):
        self.shop = shop
        self.token = say(shop.address, "POST", "/api/v1/auth/token", {"username": name, "password": PASSWORD}).json["token"]

    def ask(self, method, path, body=None):
        answer = say(self.shop.address, method, "/api/v1/" + path, body, Authorization=f"Token {self.token}")
        assert answer.status < 300, answer.body
        return answer.json

    def fills_the_cart(self):
        product = next(row for row in self.ask("GET", "products")["results"] if row["available"] > 5)
        self.ask("POST", "cart/items", {"product_id": product["id"], "quantity": 2})
        return product

    def hands_over(self):
        addresses = self.ask("GET", "addresses")["results"]
        return self.ask("POST", "cart/handover", {"address_id": addresses[0]["id"]})


def books(shop):
    env = {**os.environ, "SHOP_DATABASE_URL": shop.about["database"], "SHOP_DATA": shop.about["data"], "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([PYTHON, SHOP / "manage.py", "check_books"], env=env, capture_output=True, text=True, check=False).stdout


def test_a_cart_becomes_a_paid_order(shop, till):
    alice = Customer(shop, "alice")
    product = alice.fills_the_cart()
    asked = alice.hands_over()
    done = till.ended(till.say("POST", "/v1/checkout", {**asked, "payment_method": "pm_card_visa"}).json["id"])
    assert (done["status"], done["amount"], done["currency"]) == ("completed", asked["amount"], "EUR"), done
    order = alice.ask("GET", "orders")["results"][0]
    assert (order["number"], order["status"], order["total_cents"]) == (done["order"], "paid", done["amount"])
    assert alice.ask("GET", "cart")["items"] == []
    assert alice.ask("GET", f"products/{product['id']}")["available"] == product["available"] - 2
    assert "0 wrong" in books(shop), books(shop)


def test_a_declined_card_leaves_the_cart_as_it_was(shop, till):
    bob = Customer(shop, "bob")
    product = bob.fills_the_cart()
    done = till.ended(till.say("POST", "/v1/checkout", {**bob.hands_over(), "payment_method": "pm_card_chargeDeclined"}).json["id"])
    assert (done["status"], done["reason"]) == ("undone", "card_declined"), done
    assert [(item["product_id"], item["quantity"]) for item in bob.ask("GET", "cart")["items"]] == [(product["id"], 2)]
    assert bob.ask("GET", f"products/{product['id']}")["available"] == product["available"]
    assert "0 wrong" in books(shop), books(shop)


def test_nobody_orders_with_a_ticket_of_their_own_making(till):
    refused = till.paid({"cart": "eyJ1c2VyIjoxfQ:1:forged"})
    assert (refused["status"], refused["reason"]) == ("undone", "ticket"), refused
