#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: bench/user_refresh.py [--refreshes N] [--families N] [--json]

How many refresh tokens the user service rotates in a second of processor: each a POST with the client's secret, looked up, judged,
rotated in SQLite (durable), and answered with a signed access token. Many families go on in turn, a connection each, every request with
the token that the one before it brought. Processor time is the kernel's, of the service alone.

Keycloak's sizing guide counts 120 refreshes a second for one vCPU; the aim is 50 times that.
Prints `bench user.refresh RATE refreshes per CPU second ...`; status 1 when an answer is not what it must be."""
import argparse
import base64
import hashlib
import http.client
import json
import re
import secrets
import subprocess
import sys
import threading
import time
from urllib.parse import parse_qs, urlencode, urlsplit

sys.dont_write_bytecode = True
from contenders import BUILD, free_port  # noqa: E402
from machine import BenchError, end, spawn  # noqa: E402

FOLDER = BUILD / "bench/run/user.refresh"
BANYAN = BUILD / "release/banyan"
KEYCLOAK, AIM = 120, 50
EMAIL, PASSWORD = "ann@shop.test", "correct horse battery staple"
BACK = "http://127.0.0.1/back"


def prepare(port):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("*"):
        file.unlink()
    (FOLDER / "banyan.yaml").write_text(
        f"admin: {{ address: '127.0.0.1:{free_port()}' }}\nthreads: 1\n"
        f"services:\n  user:\n    development: true\n    public_url: http://127.0.0.1:{port}\n    listen: '127.0.0.1:{port}'\n"
        f"    database: 'sqlite:{FOLDER}/user.db'\n    key_file: {FOLDER}/user.key\n    password: {{ memory: 7MiB, passes: 1 }}\n")


class Person:
    """A browser, as far as it takes to be given codes."""

    def __init__(self, port):
        self.connection, self.cookies = http.client.HTTPConnection("127.0.0.1", port, timeout=60), {}

    def ask(self, method, path, fields=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, fields and urlencode(fields), headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), text

    def send(self, path, **fields):
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self.ask("GET", path)[2])
        return self.ask("POST", path.partition("?")[0], {**dict(hidden), **fields})

    def join(self, log):
        self.send("/register", name="Ann", email=EMAIL, password=PASSWORD)
        until = time.monotonic() + 20
        while not (found := re.search(r'"code":"([^"]+)"', log.read_text())):
            if time.monotonic() > until:
                raise BenchError("no mail came")
            time.sleep(0.05)
        self.send("/verify", code=found[1])
        if self.send("/login", login=EMAIL, password=PASSWORD)[0] != 303:
            raise BenchError("the person could not log in")

    def code(self, client):
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        status, where, text = self.ask("GET", "/oauth2/authorize?" + urlencode({
            "client_id": client, "redirect_uri": BACK, "response_type": "code", "scope": "openid offline_access",
            "code_challenge": challenge, "code_challenge_method": "S256"}))
        if status != 303 or not where.startswith(BACK):
            raise BenchError(f"no code: {status} {where} {text}")
        return parse_qs(urlsplit(where).query)["code"][0], verifier


class Family(threading.Thread):
    """One family of tokens on one connection."""

    def __init__(self, port, client, secret):
        super().__init__(daemon=True)
        self.connection, self.left, self.error = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0, None
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode(),
                        "Content-Type": "application/x-www-form-urlencoded"}

    def ask(self, **fields):
        self.connection.request("POST", "/oauth2/token", urlencode(fields), self.headers)
        answer = self.connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 200:
            raise BenchError(f"{answer.status} {said}")
        self.token = said["refresh_token"]

    def run(self):
        try:
            for _ in range(self.left):
                self.ask(grant_type="refresh_token", refresh_token=self.token)
        except (BenchError, OSError, http.client.HTTPException) as error:
            self.error = error


def measure(process, port, families, refreshes):
    client = json.loads(subprocess.run([BANYAN, "user", "client", "add", "bench", "--trusted", "--redirect", BACK, "--json", "-c",
                                        FOLDER / "banyan.yaml"], check=True, capture_output=True, text=True).stdout)
    person = Person(port)
    person.join(FOLDER / "output")
    threads = []
    for _ in range(families):
        family = Family(port, client["client_id"], client["client_secret"])
        code, verifier = person.code("bench")
        family.ask(grant_type="authorization_code", code=code, code_verifier=verifier, redirect_uri=BACK)
        family.left = refreshes // families
        threads.append(family)
    clock = (~process.pid << 3) | 2
    cpu, wall = time.clock_gettime(clock), time.monotonic()
    for family in threads:
        family.start()
    for family in threads:
        family.join()
    cpu, wall = time.clock_gettime(clock) - cpu, time.monotonic() - wall
    errors = [family.error for family in threads if family.error]
    if errors:
        raise BenchError(errors[0])
    done = families * (refreshes // families)
    return {"name": "user.refresh", "refreshes": done, "families": families, "cpu_s": round(cpu, 3), "wall_s": round(wall, 3),
            "per_cpu_second": round(done / cpu), "us_each": round(cpu / done * 1e6, 1), "of_keycloak": round(done / cpu / KEYCLOAK, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refreshes", type=int, default=20000)
    parser.add_argument("--families", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    port = free_port()
    prepare(port)
    with (FOLDER / "output").open("w") as output:
        process = spawn([BANYAN, "serve", "--only", "user", "-c", FOLDER / "banyan.yaml"], None, stdout=subprocess.PIPE, stderr=output)
    try:
        while (line := process.stdout.readline()) and line.strip() != b"ready":
            pass
        found = measure(process, port, words.families, words.refreshes)
    except BenchError as error:
        sys.exit(f"user.refresh: {error}")
    finally:
        end(process)
    print(json.dumps(found) if words.json else
          f"bench user.refresh {found['per_cpu_second']} refreshes per CPU second ({found['us_each']} us each, {found['of_keycloak']} times Keycloak's "
          f"120; aim {AIM}); {found['refreshes']} in {found['wall_s']} s, {found['families']} families")


if __name__ == "__main__":
    main()
