# SPDX-License-Identifier: Apache-2.0
"""The analytics service in a process of its own, those who send it events, and who asks it."""
import contextlib
import json
import sqlite3

from actors.accounts import QUICK, TOKEN_ROW, say
from actors.gateway import Gateway, run_banyan
from actors.waiting import PATIENCE_S

TEXT = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: events, match: "/v1/**", to: "service:analytics" }} ]
    services: {{ analytics: {{ listen: "127.0.0.1:0", database: "{database}" {more} }} }}
"""


BESIDE = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: all, match: "/v1/**", to: "service:user" }} ]
    services:
      analytics: {{ listen: "127.0.0.1:0", database: "{database}" }}
      notification: {{ database: "sqlite:{folder}/notification.db" }}
      user: {{ database: "sqlite:{folder}/user.db", development: true, key_file: "{folder}/user.key", tokens: [ "{row}" ], {quick} }}
"""


class Analytics(Gateway):
    def __init__(self, folder, database, more="", beside=False, **options):
        """beside: the user service is in the same process, behind the gateway."""
        self.database = database
        text = (BESIDE if beside else TEXT).format(folder=folder, database=database, more=more, row=TOKEN_ROW, quick=QUICK)
        super().__init__(folder, text, words=() if beside else ("--only", "analytics"), **options)
        code, told, error = self.run("key", "add", "--owner", "play", *[word for scope in ("read", "admin") for word in ("-s", f"analytics:{scope}")])
        assert code == 0, error
        self.reader = told.split()[-1]

    def again(self):
        """As it was, after a kill -9."""
        self.program.kill()
        self.program.wait(PATIENCE_S)
        self.stopped = True
        new = type(self).__new__(type(self))
        new.database, new.reader = self.database, self.reader
        Gateway.__init__(new, self.folder, None, words=("--only", "analytics"), after=self)
        return new

    @property
    def address(self):
        return self.addresses("service analytics", "http")[0]

    @property
    def front(self):
        """The gateway."""
        return self.addresses("listening", "http")[0]

    def run(self, *words):
        return run_banyan("analytics", *words, "-c", str(self.file))

    def project(self, name, *words):
        """A new one's write key."""
        code, told, error = self.run("project", name, *words)
        assert code == 0, error
        return told.strip()

    def send(self, key, *events, problems=False, **headers):
        """JSON lines; an event that is text goes as it is."""
        body = "\n".join(event if isinstance(event, str) else json.dumps(event) for event in events).encode()
        return say(self.address, "POST", "/v1/events" + ("?problems=true" if problems else ""), body, Authorization=f"Bearer {key}", **headers)

    def say(self, method, path, body=None, **headers):
        headers.setdefault("Authorization", f"Bearer {self.reader}")
        return say(self.address, method, path, body, **headers)

    def ask(self, project, kind, **more):
        """A report of November 2026."""
        answer = self.say("POST", "/v1/query", {"project": project, "kind": kind, "from": "2026-11-01", "to": "2026-12-01", **more})
        assert answer.status == 200, answer.body
        return answer.json

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(self.database.removeprefix("sqlite:"), timeout=PATIENCE_S)) as other, other:
            return other.execute(text, values).fetchall()


def event(name, who, at="2026-11-10T12:00:00Z", id=None, **properties):
    row = {"event": name, "distinct_id": who, "timestamp": at, "properties": properties}
    return row | ({"id": id} if id else {})
