# SPDX-License-Identifier: Apache-2.0
"""Banyan with the service `notes` (tests/notes), and somebody who talks JSON with it."""
import http.client
import json
import os
import pathlib
import subprocess

from actors.gateway import ROOT, Gateway
from actors.waiting import PATIENCE_S

NOTES = pathlib.Path(os.environ.get("BANYAN_BUILD", ROOT / "build/check")) / "tests/notes"
ANN = "ann notes:read notes:write"
BOTH = """
    routes: [ {{ name: notes, match: {{ path: /v1/** }}, to: "service:notes" }} ]
    services: {{ notes: {{ listen: "127.0.0.1:0", database: "{database}" {more} }} }}
"""


class Notes(Gateway):
    """The gateway and the service in one process, unless the text says otherwise."""

    def __init__(self, folder, database, more="", text=None, **options):
        if not options.get("after"):  # that one's file goes on
            text = text or BOTH.format(database=database, more=more)
        super().__init__(folder, text, program=NOTES, **options)

    @property
    def service(self):
        return self.addresses("service notes", "http")[0]

    def say(self, method, path, body=None, who=ANN, to=None, **headers):
        """One request on a connection of its own. body: what becomes JSON, or bytes as they are."""
        return say(to or self.address, method, path, body, who, **headers)


class Said:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def errors(self):
        """{pointer or ?parameter: code}"""
        return {row.get("pointer", "?" + row.get("parameter", "")): row["code"] for row in self.json["errors"]}


def say(address, method, path, body=None, who=ANN, **headers):
    host, _, port = address.rpartition(":")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if who:
        sent["Authorization"] = f"Bearer {who}"
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, sent)
        return Said(connection.getresponse())
    finally:
        connection.close()


def run_notes(*words):
    done = subprocess.run([NOTES, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr
