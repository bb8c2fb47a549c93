# SPDX-License-Identifier: Apache-2.0
"""Somebody who is told by webhooks: an HTTP server that checks every signature and remembers what it was sent."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

from actors.waiting import until

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, nobody").decode()


class Told:
    """One request."""

    def __init__(self, path, headers, body, status):
        self.path, self.headers, self.body, self.status = path, headers, body, status
        self.id = headers["webhook-id"]
        self.json = json.loads(body)

    @property
    def verb(self):
        return self.json["type"].removeprefix("shift.")

    @property
    def revision(self):
        return self.json["data"]["revision"]

    def is_signed(self, secret=SECRET):
        """As Standard Webhooks says, and not long ago."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        seconds = self.headers["webhook-timestamp"]
        want = hmac.new(key, f"{self.id}.{seconds}.".encode() + self.body, hashlib.sha256).digest()
        given = self.headers["webhook-signature"].split(",")
        return given[0] == "v1" and hmac.compare_digest(base64.b64decode(given[1]), want) and abs(time.time() - int(seconds)) < 300


class Receiver:
    """answer: a status for each request, by a function of it; hold: an event that each answer waits for."""

    name = "receiver"

    def __init__(self, answer=lambda told: 200, tls=None, port=0, hold=None):
        self.answer, self.tls, self.hold, self.told, self.ended = answer, tls, hold, [], threading.Event()
        self.begin(port)

    def begin(self, port):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told = Told(self.path, self.headers, body, None)
                told.status = receiver.answer(told)
                receiver.told.append(told)
                while receiver.hold and not receiver.hold.wait(0.05) and not receiver.ended.is_set():
                    pass
                self.send_response(told.status)
                if 300 <= told.status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                """Of a gateway that was killed, or did not trust it."""

        self.ended.clear()
        self.server = Server(("127.0.0.1", port), Handler)
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def leave(self):
        """Its port refuses from now on, until `begin(receiver.port)`."""
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def finish(self):
        if not self.ended.is_set():
            self.leave()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def taken(self):
        return [told for told in list(self.told) if told.status == 200]

    def wait(self, *verbs, within=20):
        """Until these, and no others, were taken; each was signed."""
        until(lambda: len(self.taken) >= len(verbs), f"told of {verbs}, not {self.told and [one.verb for one in self.told]}", within)
        taken = self.taken
        assert [told.verb for told in taken] == list(verbs)
        assert all(told.is_signed() for told in self.told)
        return taken
