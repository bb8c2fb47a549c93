# SPDX-License-Identifier: Apache-2.0
"""A provider of OpenID Connect that says what a play wants it to say, and remembers what it was asked."""
import base64
import http.server
import json
import threading
import time
from urllib.parse import parse_qs, quote, urlsplit


def unsigned(claims):
    """A token with the algorithm `none`."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return f'{part({"alg": "none"})}.{part(claims)}.'


class Liar:
    name = "liar"

    def __init__(self, jose, context=None):
        """claims: more of the ID token's, None: without it; metadata, tokens, info: more of its answers; back: of what it
        leads browsers back with; token: another one instead of the signed one. context: of TLS."""
        self.jose, self.asked, self.keys = jose, [], [jose.key("ES256", "one")]
        self.claims, self.metadata, self.tokens, self.info, self.back, self.token, self.kid = {}, {}, {}, {}, {}, None, "one"
        self.nonce, self.challenge = "", ""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, **headers):
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                outer.asked.append((path, dict(self.headers), query))
                if path == "/authorize":
                    return self.answer(303, {}, Location=outer.leads_back(query))
                pages = {"/.well-known/openid-configuration": outer.described(), "/keys": {"keys": outer.keys}, "/info": outer.info, "/leave": {"gone": True}}
                return self.answer(200 if path in pages else 404, pages.get(path, {}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.asked.append((self.path, dict(self.headers), parse_qs(body)))
                self.answer(*outer.redeemed())

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def described(self):
        return {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/info", "end_session_endpoint": f"{self.issuer}/leave",
                "authorization_response_iss_parameter_supported": True, **self.metadata}

    def leads_back(self, query):
        """query: what the browser came with."""
        self.nonce, self.challenge = query["nonce"][0], query["code_challenge"][0]
        said = {"code": "a-code", "state": query["state"][0], "iss": self.issuer, **self.back}
        return query["redirect_uri"][0] + "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items() if value is not None)

    def redeemed(self):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "console", "sub": "u1", "iat": now, "exp": now + 60, "nonce": self.nonce,
                  "preferred_username": "eve", "roles": ["sre"], **self.claims}
        token = self.token(claims) if self.token else self.jose.token(self.kid, **claims)  # which leaves out what is None
        return self.tokens.get("status", 200), {"access_token": "an-access-token", "token_type": "Bearer", "id_token": token, **self.tokens}

    def paths(self):
        return [path for path, _, _ in self.asked]

    def asked_at(self, path):
        return [(headers, fields) for where, headers, fields in self.asked if where == path]

    def finish(self):
        self.server.shutdown()
        self.server.server_close()
