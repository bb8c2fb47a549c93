# SPDX-License-Identifier: Apache-2.0
"""Payments that tell others, a provider that tells payments, and the libraries that receivers check signatures with."""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import subprocess
import threading
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


class Charging(Payments):
    """With providers as `lines` say, in a folder of its own."""

    def __init__(self, folder, *lines, **options):  # noqa: another configuration
        folder.mkdir()
        self.provider = None
        Books.__init__(self, folder, f"sqlite:{folder}/payment.db", more=lines, **options)
        self.key = self.new_key()
        until(lambda: self.say("GET", "/v1/customers").status == 200, "the service")

    def pay(self, amount=500, method="pm_card_visa", currency="eur", **more):
        words = "".join(f"&{name}={value}" for name, value in more.items())
        return self.form("/v1/payment_intents", f"amount={amount}&currency={currency}&confirm=true&payment_method={method}{words}").json


class Swallower:
    """Between a service and its provider. `lose`: "request" or "answer" of the next POST that charges; nothing when it is None."""

    def __init__(self, target):
        self.target, self.lose, self.lost = target, None, 0
        swallower = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                lose = swallower.lose if self.command == "POST" else None
                if lose == "request":
                    return self.hang_up()
                connection = http.client.HTTPConnection(swallower.target, timeout=PATIENCE_S)
                connection.request(self.command, self.path, body or None, {
                    name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")})
                answer = connection.getresponse()
                text = answer.read()
                connection.close()
                if lose == "answer":
                    return self.hang_up()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def hang_up(self):
                swallower.lose, self.close_connection = None, True
                swallower.lost += 1

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def finish(self):
        self.server.shutdown()
        self.server.server_close()


def judged(told, secret):
    """What npm stripe and npm standardwebhooks say of each: [[type, type], ...]; a refusal is its message."""
    rows = [{"body": one.body.decode(), "headers": dict(one.headers.items())} for one in told]
    done = subprocess.run(["node", JUDGES, secret], input=json.dumps(rows), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
