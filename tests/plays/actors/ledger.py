# SPDX-License-Identifier: Apache-2.0
"""A side of a route that remembers what was written to it, and does a request once for each Idempotency-Key."""
import dataclasses
import threading

from actors.http1 import reply
from actors.upstream import Upstream
from actors.waiting import until

READS = ("GET", "HEAD", "OPTIONS", "TRACE")


@dataclasses.dataclass
class Write:
    method: str
    target: str
    body: str
    key: str
    marked: bool  # it came by the gateway, as what the other side has had
    headers: object = None


class Ledger(Upstream):
    """said: a function of a Write giving its answer's status (it is done when that is 2xx or 3xx), or None: it is done, and the
    connection ends without an answer. Held (hold()), it has got a request but does and says nothing."""

    def __init__(self, name, said=lambda write: 201, body=lambda write: None):
        self.name, self.said, self.body_of = name, said, body
        self.tried, self.done = [], []
        self.book = threading.Lock()
        super().__init__(script=self.keep)

    @property
    def bodies(self):
        return [write.body for write in list(self.done)]

    def of(self, target):
        return [write.body for write in list(self.done) if write.target == target]

    def hold(self):
        self.held.clear()

    def wait_done(self, count):
        return until(lambda: len(self.done) >= count and list(self.done), f"{count} writes at {self.name}, not {len(self.done)}")

    def wait_tried(self, count):
        return until(lambda: len(self.tried) >= count and list(self.tried), f"{count} tries at {self.name}, not {len(self.tried)}")

    def keep(self, connection):
        while asked := connection.request():
            if asked.method in READS:
                connection.send(reply(200, self.name.encode()))
                continue
            answer = self.write(Write(asked.method, asked.target, asked.body.decode(), asked.headers.get("idempotency-key", ""),
                                      asked.headers.get("x-banyan-write") == "second", asked.headers))
            if answer is None:
                return
            connection.send(answer)
        connection.closed = connection.closed or "closed"

    def write(self, write):
        with self.book:
            self.tried.append(write)
        self.held.wait()
        if self.stopping:
            return None
        status = self.said(write)
        with self.book:
            known = [done for done in self.done if write.key and done.key == write.key]
            if not known and (status is None or status < 400):
                self.done.append(write)
        text = self.body_of(write)
        return status and reply(status, (self.name if text is None else text).encode(), "Content-Type: application/json" if text else "X-Side: " + self.name)
