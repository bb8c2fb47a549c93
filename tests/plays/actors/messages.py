# SPDX-License-Identifier: Apache-2.0
"""The notification service, the programs and people that ask it, and the file that it writes its messages to."""
import json
import socket
import sqlite3
import threading

from actors.gateway import Gateway, run_banyan
from actors.notes import say
from actors.waiting import PATIENCE_S, until

TEXT = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: notifications, match: "/v1/**", to: "service:notification" }} ]
    services:
      notification:
        listen: "127.0.0.1:{port}"
        development: true
        database: {{ url: "{database}" }}
        unsubscribe_url: "https://shop.test/mail/"
        record: "{folder}/record.jsonl"
        issuers: [ {{ issuer: "https://id.test", keys: "{folder}/keys.json", audience: notification }} ]
        {more}
"""
WITH_USERS = """user_key_file: "{folder}/user.key"
      user:
        listen: "127.0.0.1:0"
        database: "sqlite:{folder}/user.db"
        key_file: "{folder}/user.key"
        registration: true
        password: {{ memory: 7MiB, passes: 1 }}
"""
SCOPES = ("notifications:send", "notifications:read", "notifications:write")


class Messages(Gateway):
    def __init__(self, folder, database, jose, more="", port=0, after=None, whole=False, **options):
        self.jose, self.database = jose, database
        if not after:
            (folder / "keys.json").write_text(json.dumps({"keys": [jose.key("ES256", "k1")]}))
        text = None if after else TEXT.format(database=database, folder=folder, port=port, more=more)
        super().__init__(folder, text, words=() if whole else ("--only", "notification"), after=after, **options)
        self.key = after.key if after else self.new_key(*SCOPES)

    def new_key(self, *scopes):
        words = [word for scope in scopes for word in ("--scope", scope)]
        return json.loads(self.run("key", "add", "--owner", "play", *words, "--json")[1])["key"]

    def again(self):
        """The same service in another process, after a kill -9."""
        self.program.kill()
        self.program.wait(PATIENCE_S)
        self.__dict__.update(type(self)(self.folder, self.database, self.jose, after=self).__dict__)

    def lose_leases(self):
        """As when time has passed since a process was killed: what it did may be taken over."""
        if self.database.startswith("sqlite:"):
            with sqlite3.connect(self.database.removeprefix("sqlite:")) as db:
                db.execute("update jobs set leased_until = 1 where leased_until is not null")
        else:
            import psycopg2
            with psycopg2.connect(self.database) as db:
                db.cursor().execute("update jobs set leased_until = 'epoch' where leased_until is not null")

    def fsck_of_a_copy(self, *statements):
        """(exit code, out) after these were done to it."""
        copy = self.folder / "copy.db"
        copy.unlink(missing_ok=True)
        with sqlite3.connect(self.database.removeprefix("sqlite:")) as db, sqlite3.connect(copy) as other:
            db.backup(other)
            for statement in statements:
                other.execute(statement)
        other.close()
        file = self.folder / "copy.yaml"
        file.write_text(self.text.replace(self.database, f"sqlite:{copy}"))
        return run_banyan("notification", "fsck", "--json", "-c", file)[:2]

    @classmethod
    def with_users(cls, folder, jose):
        """The user service beside it, in the same process."""
        at = cls(folder, f"sqlite:{folder}/notification.db", jose, whole=True, more=WITH_USERS.format(folder=folder))
        at.users = at.addresses("service user", "http")[0]
        return at

    @property
    def address(self):
        return self.addresses("service notification", "http")[0]

    def run(self, *words):
        """(exit code, out, err) of `banyan notification ...`."""
        return run_banyan("notification", *words, "-c", self.file)

    def say(self, method, path, body=None, who=None, **headers):
        return say(self.address, method, path, body, who or self.key, **headers)

    def ok(self, method, path, body=None, status=(200, 201, 202, 204), **more):
        said = self.say(method, path, body, **more)
        assert said.status in status, (method, path, said.status, said.body)
        return said.json if said.body else None

    def person(self, user):
        """A token of somebody, as a user service gives it."""
        return self.jose.token("k1", iss="https://id.test", aud="notification", sub=user, scope="")

    # What there is

    def workflow(self, name, *channels, klass="transactional", **more):
        return self.ok("PUT", f"/v1/workflows/{name}", {"channels": list(channels), "class": klass, **more})

    def template(self, name, *parts, **more):
        return self.ok("POST", f"/v1/templates/{name}/versions", {"parts": list(parts), **more})

    def contact(self, recipient, email=None, phone=None, **more):
        self.ok("PUT", f"/v1/recipients/{recipient}", more)
        for channel, address in (("email", email), ("sms", phone)):
            if address:
                self.ok("PUT", f"/v1/recipients/{recipient}/contacts/{channel}", {"address": address, "verified": True})

    # What becomes of it

    def notify(self, workflow, *to, data=None, **more):
        """Asks for one. to: recipients, addresses (with @), topics (with #)."""
        rows = [{"email": one} if "@" in one else {"topic": one[1:]} if one[0] == "#" else {"recipient": one} for one in to]
        return self.ok("POST", "/v1/notifications", {"workflow": workflow, "to": rows, "data": data or {}, **more})["id"]

    def get(self, notification):
        return self.ok("GET", f"/v1/notifications/{notification}")

    def deliveries(self, notification, *states, count=1):
        """When all of them are in one of these states."""
        def look():
            rows = self.get(notification)["deliveries"]
            return rows if len(rows) >= count and all(row["state"] in states for row in rows) else None
        return until(look, f"deliveries of {notification} in {states}")

    def delivery(self, notification, *states):
        return self.deliveries(notification, *states)[0]

    def recorded(self, **like):
        """Messages that went out, oldest first."""
        path = self.folder / "record.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [row for row in rows if all(row[name] == value for name, value in like.items())]

    def record(self, **like):
        return until(lambda: self.recorded(**like), f"a message like {like}")[0]

    def whole(self):
        """Is everything as it must be?"""
        code, out, err = self.run("fsck", "--json")
        assert code == 0, (out, err)
        return json.loads(out)

    def stream(self, user, last=None):
        return Stream(self, user, last)


class Stream:
    """Somebody's browser that listens for Server-Sent Events."""

    def __init__(self, service, user, last):
        host, port = service.address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), PATIENCE_S)
        head = f"GET /v1/inbox/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.person(user)}\r\n"
        head += f"Last-Event-ID: {last}\r\n" if last is not None else ""
        self.socket.sendall((head + "\r\n").encode())
        self.text = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        until(lambda: "retry:" in self.text, "the stream's first line")

    def read(self):
        try:
            while piece := self.socket.recv(65536):
                self.text += piece.decode()
        except OSError:
            pass

    def events(self):
        """[(id, item)]"""
        found = []
        for block in self.text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "data" in lines and "id" in lines:
                found.append((int(lines["id"]), json.loads(lines["data"])))
        return found

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.reader.join(PATIENCE_S)
