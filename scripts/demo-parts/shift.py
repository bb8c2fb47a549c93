# SPDX-License-Identifier: Apache-2.0
"""The admin port's pages on moves, and what the access log says of the requests that were moved."""
import collections
import datetime
import http.client
import json

from programs import Problem

TIMEOUT_S = 10


class Shift:
    """One subject of the gateway's, asked and told by HTTP. What is refused is a Problem that says why."""

    def __init__(self, port, token, name):
        self.port, self.token, self.name = port, token, name

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise Problem(f"the gateway's admin port does not answer {method} {path}: {error}") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise Problem(f"{method} {path} was answered {answer.status}: {text.strip()}")
        return json.loads(text)

    def now(self):
        """The subject, with its detail."""
        return self.ask("GET", f"/shift/{self.name}")

    def tell(self, verb, why, **more):
        """Does it; what was done, in a sentence."""
        return self.ask("POST", f"/shift/{self.name}/{verb}", {"why": why, **more})["said"]

    def differences(self):
        """[(path, kind, how often)] of what is not noise and nobody has accepted."""
        found = self.ask("GET", f"/shift/{self.name}/differences")
        return [(key["path"], key["kind"], key["raw"]) for key in found["keys"] if key["verdict"] not in ("noise", "accepted")]

    def last(self):
        """The journal's newest entry. What the judge does is done a moment before it stands there."""
        return self.ask("GET", f"/shift/{self.name}/history?limit=1")["entries"][0]


def moment(text):
    """Seconds since 1970 of RFC 3339's text."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


Request = collections.namedtuple("Request", "at upstream status who")


class Ledger:
    """The access log's requests of some routes, as far as it has been written. Who: the app says its device in User-Agent."""

    def __init__(self, path, routes):
        self.path, self.routes, self.offset, self.requests = path, routes, 0, []

    def read(self):
        """All so far, oldest first."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            text = file.read()
        text = text[:text.rfind(b"\n") + 1]
        self.offset += len(text)
        for row in map(json.loads, text.splitlines()):
            if field(row, "banyan.route") in self.routes:
                self.requests.append(Request(moment(field(row, "@timestamp")), field(row, "banyan.upstream"),
                                             field(row, "http.response.status_code") or 0, field(row, "user_agent.original")))
        return self.requests


def field(row, path):
    """Whether its names are nested or have dots in them."""
    if path in row:
        return row[path]
    head, _, rest = path.partition(".")
    return field(row[head], rest) if rest and isinstance(row.get(head), dict) else None
