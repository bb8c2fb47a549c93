# SPDX-License-Identifier: Apache-2.0
"""Real servers as readers of a request's bytes: each says as JSON what it took them for.

replay(raw, method) sends one request on a connection that is kept and gives what the peer saw of it, a list: one item when
all is well. None in it: the peer refused it. What is only the way a peer shows things is taken out by `shown`, one row each
with its reason (PRESENTATION, REFUSALS)."""
import dataclasses
import hashlib
import json
import re
import socket
import urllib.parse

from actors import http1, servers
from actors.client import Wire
from actors.process import listening_socket
from actors.waiting import PATIENCE_S, until

PYTHON = "/usr/bin/python3"
NGINX = """
    underscores_in_headers on; ignore_invalid_headers off; large_client_header_buffers 8 64k; client_body_buffer_size 1m;
    location / {{
        proxy_pass http://{backend}; proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Connection close;
        proxy_set_header X-Nginx-Uri "<$uri>"; proxy_set_header X-Nginx-Args "<$args>"; proxy_set_header X-Nginx-Method $request_method;
        proxy_set_header X-Nginx-Length $content_length;
    }}
"""


@dataclasses.dataclass
class Seen:
    """What somebody took a request for, in the form that all can be brought to."""
    method: str
    path: str       # unescaped, as latin-1
    query: str
    headers: list   # (lower-case name, value) in order
    body_bytes: int
    body_sha: str

    def differs(self, other):
        return [f"{field.name}: {getattr(self, field.name)!r} != {getattr(other, field.name)!r}"
                for field in dataclasses.fields(self) if getattr(self, field.name) != getattr(other, field.name)]


def unescape(path):
    return urllib.parse.unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


def seen_of(request):
    """Of our own strict reader's request."""
    path, _, query = request.target.partition("?")
    return Seen(request.method, unescape(path), query, [(name.lower(), value) for name, value in request.headers],
                len(request.body), hashlib.sha256(request.body).hexdigest())


# How a peer shows what it read the same: (peer, what is done to our reading before it is compared, reason).

def without(*names):
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


PRESENTATION = [
    ("nginx", without("connection", "te", "upgrade", "keep-alive", "expect", "transfer-encoding", "content-length"),
     "as a proxy it shows no field of one hop, and frames the body anew; its own $content_length is compared instead"),
]

# What a peer refuses although it is right, and so does not read in another way: (peer, does it apply, reason).
REFUSALS = [
    ("nginx", lambda seen: not re.fullmatch(r"[A-Z_-]+", seen.method), "methods are of A-Z, _ and -"),
]


class Peer:
    """name: as in the tables above."""

    def __init__(self, name, server):
        self.name, self.server = name, server
        self.wire = None
        self.used = set()  # rows of the tables

    def connect(self):
        if self.wire is None:
            self.wire = Wire(self.server.address)
        return self.wire

    def drop(self):
        if self.wire:
            self.wire.close()
        self.wire = None

    def replay(self, raw, method):
        before = self.count()
        try:
            answer = self.connect().ask(raw, method)
            assert answer.status < 600
            if answer.status >= 400 or answer.headers.get("connection", "").lower() == "close":
                self.drop()
        except (http1.Closed, OSError):
            self.drop()
            return [None]
        found = self.since(before)
        return found if found or answer.status < 400 else [None]

    def shown(self, seen):
        """Our reading as this peer would show it."""
        headers = seen.headers
        for peer, change, reason in PRESENTATION:
            if peer == self.name and headers != (changed := change(headers)):
                headers = changed
                self.used.add(f"{peer}: {reason}")
        return dataclasses.replace(seen, headers=headers)

    def may_refuse(self, seen):
        for peer, applies, reason in REFUSALS:
            if peer == self.name and applies(seen):
                self.used.add(f"{peer}: {reason}")
                return True
        return False

    def finish(self):
        self.drop()


class LogPeer(Peer):
    """A Python server, whose application writes a line a request."""

    def __init__(self, name, server, log):
        super().__init__(name, server)
        self.log, self.rows = log, []
        self.file = open(log, encoding="ascii")

    def read(self):
        self.rows += [json.loads(line) for line in self.file]
        return self.rows

    def count(self):
        return len(self.read())

    def since(self, before):
        """The line is written before the answer."""
        return [self.seen(row) for row in self.read()[before:]]

    def seen(self, row):
        path = row["path"]  # as the application gets it
        if self.name == "gunicorn":
            lengths = [value for name, value in row["headers"] if name == "CONTENT-LENGTH"]
            assert row["length"] in ("", None, *lengths) and row["target"].partition("?")[2] == row["query"], row
        else:  # it decodes UTF-8, and what is none is lost
            raw = unescape(row["target"])
            path = raw if raw.encode("latin-1").decode("utf-8", "replace") == path else path
        return Seen(row["method"], path, row["query"], [(name.lower(), value) for name, value in row["headers"]],
                    row["body_bytes"], row["body_sha"])

    def finish(self):
        super().finish()
        self.file.close()


class NginxPeer(Peer):
    """It passes on what it took the request for to a server of our own, which reads that strictly."""

    def __init__(self, server, backend):
        super().__init__("nginx", server)
        self.backend = backend

    def count(self):
        return len(self.backend.requests)

    def since(self, before):
        return [self.seen(request) for request in self.backend.requests[before:]]

    def seen(self, request):
        said = {name: request.headers.get(f"x-nginx-{name}", "") for name in ("uri", "args", "method", "length")}
        seen = seen_of(request)
        seen.method, seen.path, seen.query = said["method"], said["uri"][1:-1], said["args"][1:-1]
        if said["length"]:
            seen.body_bytes = int(said["length"])
        seen.headers = self.shown(dataclasses.replace(seen, headers=[pair for pair in seen.headers if not pair[0].startswith("x-nginx-")])).headers
        return seen


def gunicorn(stage):
    log = stage.folder / "gunicorn.parsed"
    log.touch()
    own = listening_socket()
    command = [PYTHON, "-m", "gunicorn", "--bind", f"fd://{own.fileno()}", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60",
               "--chdir", servers.APPS, "--config", servers.APPS / "parsed.py", "--log-level", "warning", "--graceful-timeout", "1",
               "--limit-request-line", "0", "--limit-request-field_size", "0", "--limit-request-fields", "1000", "parsed:app"]
    server = servers.Server("gunicorn-parsed", stage.folder, command, own, pass_fds=[own.fileno()],
                            env={"PYTHONDONTWRITEBYTECODE": "1", "PARSED_LOG": str(log)})
    stage.enter(server, server.finish)
    return LogPeer("gunicorn", server, log)


def uvicorn(stage):
    log = stage.folder / "uvicorn.parsed"
    log.touch()
    own = listening_socket()
    server = servers.Server("uvicorn-parsed", stage.folder, [PYTHON, servers.APPS / "parsed.py", own.fileno()], own, pass_fds=[own.fileno()],
                            env={"PYTHONDONTWRITEBYTECODE": "1", "PARSED_LOG": str(log)})
    stage.enter(server, server.finish)
    return LogPeer("uvicorn", server, log)


def nginx(stage):
    backend = stage.upstream()
    return NginxPeer(stage.nginx(NGINX.format(backend=backend.address)), backend)


def all_peers(stage):
    """Waits until each has answered a first request."""
    peers = [gunicorn(stage), uvicorn(stage), nginx(stage)]
    for peer in peers:
        stage.callback(peer.finish)
        until(lambda peer=peer: is_up(peer), peer.name, PATIENCE_S)
    return peers


def is_up(peer):
    try:
        return peer.replay(http1.request("GET", "/up"), "GET") not in ([], [None])
    except (socket.error, AssertionError):
        peer.drop()
        return False
