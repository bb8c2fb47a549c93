# SPDX-License-Identifier: Apache-2.0
"""Those who make tokens: npm's jose, and an issuer that publishes its keys, or does not."""
import http.server
import json
import pathlib
import subprocess
import threading
import time

from actors.process import Program
from actors.waiting import until

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "apps/jose.mjs"


class Jose:
    """npm's jose, which holds the private halves."""

    def __init__(self, folder):
        self.program = Program("jose", folder, ["node", SCRIPT], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.lock = threading.Lock()

    def ask(self, op, **rest):
        with self.lock:
            self.program.process.stdin.write((json.dumps({"op": op, **rest}) + "\n").encode())
            self.program.process.stdin.flush()
            answer = json.loads(self.program.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["ok"]

    def key(self, alg, kid):
        """A new pair; its public half as a JWK."""
        return self.ask("key", alg=alg, kid=kid)

    def token(self, kid, header=None, life_s=300, **claims):
        """A token that ends in life_s seconds, unless the claims say when."""
        claims = {"exp": int(time.time()) + life_s, **claims}
        return self.ask("sign", kid=kid, claims={k: v for k, v in claims.items() if v is not None}, header=header or {})

    def finish(self):
        self.program.process.stdin.close()
        self.program.wait(20)
        self.program.process.stdout.close()


class Issuer:
    """Publishes a JWK set at /keys; `mood` says how."""

    name = "issuer"

    def __init__(self, *keys):
        self.keys, self.mood, self.asked = list(keys), "well", 0
        self.released = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked += 1
                body = json.dumps({"keys": outer.keys}).encode()
                if outer.mood == "hangs":
                    outer.released.wait()
                    return
                if outer.mood == "waits":
                    outer.released.wait()
                if outer.mood == "lies":
                    body = b'{"keys": "none of your business"}'
                if outer.mood == "floods":
                    body = b'{"keys": [' + b" " * (1 << 20) + b"]}"
                self.send_response(500 if outer.mood == "fails" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # a reader that has had enough

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/keys"

    def wait_asked(self, count):
        until(lambda: self.asked >= count, f"{count} questions for keys")

    def finish(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
