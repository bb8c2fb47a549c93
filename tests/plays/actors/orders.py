# SPDX-License-Identifier: Apache-2.0
"""What a checkout needs around it: an order system with a book of its own (apps/orders.py), and the payment service that asks it."""
import http.client
import json
import subprocess
import sys
import uuid

from actors.accounts import say
from actors.books import Books
from actors.gateway import ROOT, run_banyan
from actors.process import Program, reserved_port
from actors.waiting import PATIENCE_S, until


class Orders(Program):
    """Its port stays its own, whoever kills it."""

    def __init__(self, folder):
        self.port, self.socket = reserved_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}/reservations"
        self.socket.close()
        self.where = folder
        self.begin()

    def begin(self):
        super().__init__("orders", self.where, [sys.executable, ROOT / "tests/plays/apps/orders.py", self.where, self.port],
                         stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.process.stdout.close()

    def again(self):
        self.process.kill()
        self.process.wait()
        self.begin()

    def script(self, **script):
        answer = say(self.address, "POST", "/script", script)
        assert answer.status == 200

    def book(self):
        return say(self.address, "GET", "/book").json

    def order(self, checkout):
        return next((order for order in self.book()["orders"] if order["key"] == checkout), None)

    def asked(self, checkout):
        return [row for row in self.book()["asked"] if row["key"] == checkout]

    def finish(self):
        self.process.kill()
        self.process.wait()


class Till(Books):
    """The payment service of an order system."""

    def __init__(self, folder, database, orders, more=(), **options):
        self.orders = orders
        super().__init__(folder, database, more=["development: true", f'checkout: {{ orders: "{orders.url}", token: the-orders }}', *more], **options)
        self.key = self.new_key("checkout")

    def again(self):
        """As it was, after a kill -9 from which nothing is left but what is on the disk."""
        key, orders = self.key, self.orders
        new = super().again(words=("--only", "payment"))
        new.key, new.orders = key, orders
        return new

    def new_key(self, name, *more):
        code, out, err = self.run("key", "add", "--owner", name, *more, "--json")
        assert code == 0, err
        return json.loads(out)["key"]

    def check_out(self, order=None, method="pm_card_visa", headers=None, **more):
        body = {"order": {"sku": "anvil"} if order is None else order, "payment_method": method, "email": "ann@shop.test", **more}
        body = {name: value for name, value in body.items() if value is not None}
        return self.say("POST", "/v1/checkout", body, **(headers or {}))

    def ended(self, checkout, within=PATIENCE_S):
        """How it is, once there is nothing more to come."""
        def look():
            answer = self.say("GET", f"/v1/checkout/{checkout}?wait=2")
            assert answer.status == 200, answer.body
            return answer.json["status"] not in ("processing", "undoing") and answer.json
        return until(look, f"the end of {checkout}", within=within)

    def paid(self, *words, **more):
        begun = self.check_out(*words, **more)
        assert begun.status == 202, begun.body
        return self.ended(begun.json["id"])

    def saga(self, verb, *words):
        return run_banyan("saga", verb, self.database, *words)


def idempotency_key():
    return {"Idempotency_Key": uuid.uuid4().hex}


def quiet_get(address, path, timeout=PATIENCE_S):
    """(status, body) or None when nobody answers."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return None
    finally:
        connection.close()
