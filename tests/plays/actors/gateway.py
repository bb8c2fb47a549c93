# SPDX-License-Identifier: Apache-2.0
"""The gateway under test: `$BANYAN serve` with the play's YAML, and all it says about itself."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import textwrap
import threading

import yaml

from actors.process import Program
from actors.prometheus import Scrape
from actors.waiting import PATIENCE_S, until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BANYAN = os.environ.get("BANYAN", str(ROOT / "build/release/banyan"))
STOP_S = 30
# What a play's configuration gets at its end, unless it says otherwise.
USUAL = {
    "listen": 'listen: [ "127.0.0.1:0" ]',
    "admin": 'admin: { address: "127.0.0.1:0" }',
    "access_log": 'access_log: "{access}"',
    "threads": "threads: 2",
}


def complete(text, access):
    """The play's YAML, byte for byte and line for line, and what it left out after it."""
    text = textwrap.dedent(text).strip("\n") + "\n"
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return text
    if not isinstance(given, dict):
        return text
    return text + "".join(line.replace("{access}", str(access)) + "\n" for key, line in USUAL.items() if key not in given)


def everything_to(*servers, upstream="", more=""):
    """The plainest configuration: one upstream, `shop`, takes every path. upstream: more of its keys; more: more lines."""
    names = ", ".join(f'"{server if isinstance(server, str) else server.address}"' for server in servers)
    return (f"upstreams: {{ shop: {{ servers: [ {names} ]{', ' if upstream else ''}{upstream} }} }}\n"
            f"routes: [ {{ name: all, match: {{ path: /** }}, to: shop }} ]\n" + textwrap.dedent(more))


class Gateway:
    def __init__(self, folder, text, env=None, limit=None, token=None, number=0, words=(), after=None, program=BANYAN, **options):
        """words: more of the command line; after: a gateway whose file and log it goes on with (text None: as they are).
        text None and no `after`: it has no configuration."""
        self.token = token  # of its admin port
        self.folder = pathlib.Path(folder)
        self.name = f"gateway{number or ''}"
        self.file = after.file if after else self.folder / f"{self.name}.yaml"
        self.access_path = after.access_path if after else self.folder / f"{self.name}.access.json"
        if text is not None:
            self.write(text)
        config = ["-c", self.file] if text is not None or after else []
        self.lines, self.ready, self.stopped = [], threading.Event(), False
        self.program = Program(self.name, folder, [program, "serve", *config, *words], env, subprocess.PIPE, limit, **options)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        until(lambda: self.ready.is_set() or not self.program.is_running(), "the gateway's ready line")
        assert self.ready.is_set(), f"the gateway did not start: {self.program.report()}"

    def listen(self):
        """Its standard output: one line an address, then `ready`."""
        for line in self.program.process.stdout:
            self.lines.append(line.decode().strip())
            if self.lines[-1].split()[:1] == ["ready"]:
                self.ready.set()
        self.program.process.stdout.close()

    def write(self, text):
        self.text = complete(text, self.access_path)
        self.file.write_text(self.text)

    # Where it is

    def addresses(self, word, scheme):
        return [found[1] for line in self.lines if (found := re.match(rf"{word} {scheme}://(\S+?)/?$", line))]

    @property
    def address(self):
        return self.addresses("listening", "http")[0]

    @property
    def tls_address(self):
        return self.addresses("listening", "https")[0]

    @property
    def admin(self):
        return self.addresses("admin", "http")[0]

    @property
    def url(self):
        return f"http://{self.address}"

    @property
    def pid(self):
        return self.program.pid

    @property
    def stderr(self):
        return self.program.stderr

    # What it says

    def ask_admin(self, path, method="GET", **headers):
        """(status, headers, text) of the admin port."""
        host, port = self.admin.rsplit(":", 1)
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **headers}
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def scrape(self):
        status, _, text = self.ask_admin("/metrics")
        assert status == 200, text
        return Scrape(text)

    def metric(self, name, **labels):
        return self.scrape().value(name, **labels)

    def wait_metric(self, name, want, **labels):
        """Until a metric has this value; what it counts may be a moment behind the answer."""
        return until(lambda: self.metric(name, **labels) == want, f"{name}{labels or ''} == {want}")

    @property
    def access_log(self):
        """Every record so far; each line must be a JSON object by itself."""
        text = self.access_path.read_text() if self.access_path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def records(self, count=1, **wanted):
        """Waits for so many records with these fields: records(2, path="/x"). See FIELDS for the names."""
        def found():
            return [row for row in map(Record, self.access_log) if all(row[key] == value for key, value in wanted.items())]
        return until(lambda: len(found()) >= count and found(), f"{count} access records with {wanted}")

    def record(self, **wanted):
        return self.records(1, **wanted)[0]

    # What is done to it

    def reload(self, text, good=True):
        """Writes the file, sends SIGHUP and waits for the outcome."""
        self.write(text)
        self.hup(good)

    def hup(self, good=True):
        before = self.reloads(good)
        self.program.signal(signal.SIGHUP)
        until(lambda: self.reloads(good) == before + 1, f"the reload that is {'good' if good else 'bad'}\n{self.stderr[-2000:]}")

    def reloads(self, good=True):
        return self.metric("banyan_reloads_total" if good else "banyan_reloads_failed_total")

    def stop(self, code=0):
        """SIGTERM, and the exit code it should have; once."""
        if self.program.is_running():
            self.program.signal(signal.SIGTERM)
        got = self.program.wait(STOP_S)
        self.listener.join(PATIENCE_S)
        assert got == code, f"{self.name} ended with {got}\n{self.stderr[-6000:]}"
        self.stopped = True

    def finish(self):
        """The end of every play: whatever was done to it, it still stops in good order, and never kept a loop waiting."""
        if not self.stopped:
            self.stop()
        assert "BLOCKING call" not in self.stderr, self.stderr[:6000]

    def report(self):
        return self.program.report()


class Record:
    """One line of the access log; record["status"] is its http.response.status_code."""

    FIELDS = {
        "time": "@timestamp", "status": "http.response.status_code", "method": "http.request.method", "path": "url.path",
        "query": "url.query", "host": "url.domain", "id": "http.request.id", "client": "client.ip", "version": "http.version",
        "bytes_in": "http.request.body.bytes", "bytes_out": "http.response.body.bytes", "agent": "user_agent.original",
        "duration": "event.duration", "outcome": "event.outcome", "route": "banyan.route", "upstream": "banyan.upstream",
        "server": "banyan.server", "error": "error.code", "reused": "banyan.reused", "attempts": "banyan.attempts",
        "user": "user.id",
    }

    def __init__(self, row):
        self.row = row

    def __getitem__(self, name):
        return field(self.row, self.FIELDS[name])

    def __repr__(self):
        return json.dumps(self.row)


def field(row, path):
    """Whether its names are nested or have dots in them."""
    if path in row:
        return row[path]
    for key, value in row.items():
        if path.startswith(key + ".") and isinstance(value, dict):
            return field(value, path[len(key) + 1:])
    return None


def run_banyan(*words, **options):
    """A command that ends by itself: (exit code, standard output, standard error)."""
    done = subprocess.run([BANYAN, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False, **options)
    return done.returncode, done.stdout, done.stderr
