# SPDX-License-Identifier: Apache-2.0
"""What it costs to verify a token: each gateway asked through a route with a policy and through one without, the tokens being sent to
both. What is compared is said in docs/guide/benchmarks.md.

The tokens are ES256, distinct, of npm's jose; ours reads the public key from a file, Apache asks for it once."""
import collections
import contextlib
import dataclasses
import functools
import http.client
import http.server
import json
import os
import pathlib
import ssl
import statistics
import subprocess
import threading
import time

import contenders
from contenders import ROOT
from machine import BenchError

TOKENS, LIFE_S = 1000, 24 * 3600
Issued = collections.namedtuple("Issued", "file address tokens")
ISSUER, AUDIENCE = "bench-issuer", "shop"
LIBRARY = "/usr/lib/apache2/modules"
MODULES = ("mpm_event", "unixd", "authn_core", "authz_core", "authz_user", "auth_openidc", "proxy", "proxy_http", "headers", "env")
APACHE = """
ServerName bench.test
ServerRoot {folder}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
Listen 127.0.0.1:{port}
Mutex pthread
ErrorLog {folder}/error.log
LogLevel warn
{modules}
{user}
ThreadLimit 256
StartServers 1
ServerLimit 1
ThreadsPerChild 256
MaxRequestWorkers 256
MinSpareThreads 1
MaxSpareThreads 256
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 300
ServerTokens Prod
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:{upstream}/ max=64 ttl=300
RequestHeader set X-Forwarded-Proto http
OIDCOAuthVerifyJwksUri {jwks}
OIDCOAuthSSLValidateServer Off
OIDCJWKSRefreshInterval 86400
OIDCOAuthAcceptTokenAs header
OIDCCryptoPassphrase a-passphrase-of-the-bench
OIDCCacheEncrypt Off
OIDCPassClaimsAs none
<Location /items/>
  AuthType oauth20
  <RequireAll>
    Require claim iss:{issuer}
    Require claim aud:{audience}
  </RequireAll>
</Location>
"""
BANYAN = """auth: {{ api: {{ jwt: {{ issuer: {issuer}, audience: {audience}, jwks: "{jwks}", cache: {cache} }} }} }}
routes:
  - {{ name: items, match: /items/**, to: origin, auth: api }}
  - {{ name: open, match: /open/**, to: origin }}
"""


class Issuer(http.server.ThreadingHTTPServer):
    """Publishes the key over TLS, on a loopback address."""
    daemon_threads = True

    def __init__(self, body, certificate):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@functools.cache
def issued():
    """The key, in a file and at an address, and the file of the tokens, once in a session of benchmarks."""
    until = int(time.time()) + LIFE_S
    asked = [{"op": "key", "alg": "ES256", "kid": "bench"}]
    asked += [{"op": "sign", "kid": "bench", "claims": {"iss": ISSUER, "aud": AUDIENCE, "sub": f"user-{number}", "iat": until - LIFE_S,
                                                        "exp": until, "scope": "orders:read orders:write"}} for number in range(TOKENS)]
    done = subprocess.run(["node", ROOT / "tests/plays/apps/jose.mjs"], input="".join(json.dumps(one) + "\n" for one in asked), check=True,
                          capture_output=True, text=True, timeout=120)
    answers = [json.loads(line)["ok"] for line in done.stdout.splitlines()]
    folder = contenders.BUILD / "bench/jwt"
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / name for name in ("keys.json", "tokens")}
    files["keys.json"].write_text(json.dumps({"keys": [answers[0]]}))
    files["tokens"].write_text("".join(f"{token}\n" for token in answers[1:]))
    issuer = Issuer(files["keys.json"].read_bytes(), contenders.make_certificate())
    return Issued(files["keys.json"], f"https://127.0.0.1:{issuer.server_port}/keys", files["tokens"])


class Banyan(contenders.Banyan):
    """Ours with a policy on one of two routes."""
    cache = 10 * TOKENS

    def command(self):
        words = super().command()
        file = pathlib.Path(words[-1])
        text = file.read_text()
        file.write_text(text[:text.index("routes:\n")] + BANYAN.format(issuer=ISSUER, audience=AUDIENCE, jwks=issued().file, cache=self.cache))
        return words


class Before(Banyan):
    name = "before"


class Forgetful(Banyan):
    """Verifies every token anew."""
    cache = 0


class ForgetfulBefore(Forgetful):
    name = "before"


class Apache(contenders.Contender):
    """Debian's, with mod_auth_openidc as an OAuth 2.0 resource server that verifies tokens itself, and mod_proxy_http."""
    name = "apache"

    def command(self):
        folder = self.setup.folder
        (folder / "apache.conf").write_text(APACHE.format(
            folder=folder, port=self.port, upstream=self.setup.upstream, jwks=issued().address, issuer=ISSUER, audience=AUDIENCE,
            modules="\n".join(f"LoadModule {name}_module {LIBRARY}/mod_{name}.so" for name in MODULES
                              if pathlib.Path(f"{LIBRARY}/mod_{name}.so").exists()),
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else ""))
        return ["/usr/sbin/apache2", "-f", folder / "apache.conf", "-DFOREGROUND"]

    def wait_ready(self):
        super().wait_ready()
        give_up = time.monotonic() + contenders.START_S
        while len(self.pids()) < 2:
            if time.monotonic() > give_up:
                raise BenchError("apache has not started its worker")
            time.sleep(0.01)


CACHED = {"banyan": Banyan, "before": Before, "apache": Apache}
ES256 = {"banyan": Forgetful, "before": ForgetfulBefore, "apache": Apache}


def check(contender):
    """One of the routes wants a token that is right, and the other wants none. Then the key has been asked for."""
    token = issued().tokens.read_text().split("\n", 1)[0]
    signed, _, signature = token.rpartition(".")
    for path, sent, status in (("/open/42", None, 200), ("/items/42", None, 401), ("/items/42", f"{signed}.{signature[::-1]}", 401),
                               ("/items/42", token, 200)):
        client = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=10)
        with contextlib.closing(client):
            client.request("GET", path, headers={"Authorization": f"Bearer {sent}"} if sent else {})
            got = client.getresponse().status
        if got != status:
            raise BenchError(f"{contender.name}: {path} with the token {sent} was answered with {got}")


def run_jwt(load, runner, bench, contender, requests):
    """The difference of two runs of `load` on the same process, without the policy and with it."""
    check(contender)
    off, on = (load(runner, dataclasses.replace(bench, args=f"-t {path} -A {issued().tokens} {bench.args}"), contender, requests)
               for path in ("/open/42", "/items/42"))
    counted = on["instructions"] and off["instructions"]
    return on | {"cost": on["cost"] - off["cost"], "with": on["cost"], "without": off["cost"],
                 "instructions": on["instructions"] - off["instructions"] if counted else None,
                 "others": max(off["others"], on["others"]), "stolen": max(off["stolen"], on["stolen"]), "open": off}


def parts(_bench, rounds):
    """What the difference is of."""
    def middle(name, what):
        return statistics.median(one[name][what] for one in rounds)
    return "with and without " + ", ".join(f"{name} {middle(name, 'with'):.1f} and {middle(name, 'without'):.1f}" for name in rounds[0])
