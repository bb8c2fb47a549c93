# SPDX-License-Identifier: Apache-2.0
"""The payment service, a provider that goes wrong when it is told to, and Stripe's own clients."""
import contextlib
import json
import subprocess
import threading

import stripe

from actors.accounts import say
from actors.books import Books
from actors.gateway import BANYAN, ROOT
from actors.process import Program, reserved_port
from actors.waiting import PATIENCE_S, until

NODE_CLIENT = ROOT / "tests/plays/actors/stripe.mjs"


class FaultProvider(Program):
    """Its port stays its own, whoever kills it; its book is on the disk."""

    def __init__(self, folder):
        self.port, held = reserved_port()
        held.close()
        self.address, self.where = f"127.0.0.1:{self.port}", folder
        self.begin()

    def begin(self):
        super().__init__("provider", self.where, [BANYAN, "payment", "fault-provider", "--listen", self.address,
                                                  "--book", self.where / "provider.book"], stdout=subprocess.PIPE)
        for line in self.process.stdout:
            if line.split()[:1] == [b"ready"]:
                break

    def script(self, *faults):
        answer = say(self.address, "POST", "/script", {"faults": list(faults)})
        assert answer.status in (200, 204), answer.body

    def book(self):
        return say(self.address, "GET", "/book").json["payments"]

    def payments(self, subject):
        """What the provider's own book says about an intent."""
        return [row for row in self.book() if row["subject"] == subject]

    def taken(self, subject):
        return sum(row["captured"] - row["refunded"] for row in self.payments(subject))

    def finish(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Payments(Books):
    def __init__(self, folder, database, provider, more=(), **options):
        self.provider = provider
        super().__init__(folder, database, more=[
            f"providers: {{ main: {{ kind: fault, url: \"http://{provider.address}\", timeout: 1s, absent: 1s }} }}", *more], **options)
        self.key = self.new_key()
        until(lambda: self.say("GET", "/v1/customers").status == 200, "the service")

    def again(self):
        key, provider = self.key, self.provider
        new = super().again(words=("--only", "payment"))
        new.key, new.provider = key, provider
        return new

    def new_key(self, *words):
        code, out, err = self.run("key", "add", "--owner", "play", "--json", *words)
        assert code == 0, err
        return json.loads(out)["key"]

    def form(self, path, body, key=None, method="POST", **headers):
        """As curl and Stripe's clients send it."""
        return say(self.address, method, path, body.encode() if isinstance(body, str) else body, **{
            "Authorization": f"Bearer {key or self.key}", "Content-Type": "application/x-www-form-urlencoded", **headers})

    def intent(self, intent):
        answer = self.say("GET", f"/v1/payment_intents/{intent}")
        assert answer.status == 200, answer.body
        return answer.json

    def settled(self, intent, within=PATIENCE_S):
        """How it is, once nobody has to be asked any more."""
        return until(lambda: self.intent(intent)["status"] != "processing" and self.intent(intent), f"an end of {intent}", within=within)

    def node(self, play):
        """One of the plays of stripe.mjs; what it found."""
        done = subprocess.run(["node", NODE_CLIENT, play, self.address, self.key], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def python(self, key=None):
        """Debian's python3-stripe, pointed here."""
        before = stripe.api_base, stripe.api_key, stripe.max_network_retries
        stripe.api_base, stripe.api_key, stripe.max_network_retries = f"http://{self.address}", key or self.key, 0
        try:
            yield stripe
        finally:
            stripe.api_base, stripe.api_key, stripe.max_network_retries = before


def at_once(*calls, meanwhile=None):
    """What each of them gave, begun together. meanwhile: done here, for programs live as long as the thread that starts them."""
    found, wrong = [None] * len(calls), []

    def run(place, call):
        try:
            found[place] = call()
        except BaseException as error:  # noqa: told by whoever asked for it
            wrong.append(error)
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    if meanwhile:
        meanwhile()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return found
