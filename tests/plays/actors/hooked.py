# SPDX-License-Identifier: Apache-2.0
"""Payments that tell others, a provider that tells payments, and the libraries that receivers check signatures with."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

from actors.books import Books
from actors.gateway import BANYAN, ROOT
from actors.payments import FaultProvider, Payments
from actors.process import Program, reserved_port
from actors.waiting import PATIENCE_S, until

JUDGES = ROOT / "tests/plays/actors/signatures.mjs"
SECRET = "whsec_" + base64.b64encode(b"a provider's key of thirty bytes").decode()


class TellingProvider(FaultProvider):
    """It begins when it knows whom to tell."""

    def __init__(self, folder):
        self.port, held = reserved_port()
        held.close()
        self.address, self.where, self.process = f"127.0.0.1:{self.port}", folder, None

    def tell(self, url):
        Program.__init__(self, "provider", self.where, [
            BANYAN, "payment", "fault-provider", "--listen", self.address, "--book", self.where / "provider.book", "--webhook", url,
            "--secret", SECRET], stdout=subprocess.PIPE)
        for line in self.process.stdout:
            if line.split()[:1] == [b"ready"]:
                break

    def finish(self):
        if self.process:
            super().finish()


class Hooked(Payments):
    def __init__(self, folder, database, provider, ca, **options):  # noqa: another configuration
        self.provider = provider
        Books.__init__(self, folder, database, more=[
            f'providers: {{ main: {{ kind: fault, url: "http://{provider.address}", timeout: 1s, absent: 1s, webhook_secret: "{SECRET}" }} }}',
            f'webhooks: {{ allow: ["127.0.0.1"], ca: "{ca}", timeout: 2s, disable_after: 1h }}'], **options)
        self.key = self.new_key()
        until(lambda: self.say("GET", "/v1/customers").status == 200, "the service")

    def endpoint(self, url, *events, **more):
        answer = self.say("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": events or ["*"], **more})
        assert answer.status == 200, answer.body
        return answer.json

    def deliveries(self, endpoint, state="delivered"):
        answer = self.say("GET", f"/v1/webhook_endpoints/{endpoint['id']}/deliveries?state={state}&limit=100")
        assert answer.status == 200, answer.body
        return answer.json["data"]

    def hear(self, body, event=None, seconds=None, secret=SECRET, provider="main"):
        """As the provider would tell it."""
        event, seconds = event or f"fe_{time.monotonic_ns()}", str(seconds or int(time.time()))
        text = json.dumps(body).encode()
        mac = hmac.new(base64.b64decode(secret[6:]), f"{event}.{seconds}.".encode() + text, hashlib.sha256).digest()
        return self.form(f"/v1/providers/{provider}/webhook", text.decode(), **{
            "webhook-id": event, "webhook-timestamp": seconds, "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
            "Content-Type": "application/json", "Authorization": ""})


def judged(told, secret):
    """What npm stripe and npm standardwebhooks say of each: [[type, type], ...]; a refusal is its message."""
    rows = [{"body": one.body.decode(), "headers": dict(one.headers.items())} for one in told]
    done = subprocess.run(["node", JUDGES, secret], input=json.dumps(rows), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
