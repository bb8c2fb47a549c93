# SPDX-License-Identifier: Apache-2.0
"""The notification service with its mail intake, a mail server that does as it is told, and programs that send mails."""
import base64
import contextlib
import email
import json
import pathlib
import re
import smtplib
import subprocess
import threading

from actors.accounts import Accounts, say
from actors.gateway import Gateway, run_banyan
from actors.process import Program
from actors.waiting import PATIENCE_S, until

SERVER = pathlib.Path(__file__).resolve().parents[1] / "apps/smtp-server.mjs"
TEXT = """
    listen: [ "127.0.0.1:0" ]
    admin: {{ address: "127.0.0.1:0" }}
    routes: [ {{ name: all, match: "/v1/**", to: "service:notification" }} ]
    services:
      notification:
        listen: "127.0.0.1:0"
        development: true
        database: {{ url: "{database}" }}
        unsubscribe_url: "https://shop.test"
        mail:
          from: "Pine & Anvil <shop@pineandanvil.example>"
          hostname: mail.pineandanvil.example
          {more}
          intake: {{ listen: "127.0.0.1:{intake_port}", {intake} }}
"""
SCOPES = ("mails:read", "mails:write", "notifications:send", "notifications:read", "notifications:write")


class MailServer:
    """npm's smtp-server."""

    def __init__(self, folder, name="mail-server", **options):
        self.program = Program(name, folder, ["node", SERVER, json.dumps(options)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.mails, self.ready = [], threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        assert self.ready.wait(PATIENCE_S), self.program.report()

    def read(self):
        for line in self.program.process.stdout:
            said = json.loads(line)
            if "ready" in said:
                self.port = said["ready"]
                self.ready.set()
            else:
                self.mails.append(said)
        self.program.process.stdout.close()

    def go(self):
        """Who waits for an answer gets it."""
        self.program.process.stdin.write(b"\n")
        self.program.process.stdin.flush()

    def to(self, address):
        return [mail for mail in self.mails if address in mail["to"]]

    def wait_for(self, address, count=1):
        return until(lambda: len(self.to(address)) >= count and self.to(address), f"{count} mails to {address}")

    def finish(self):
        self.program.process.stdin.close()
        self.program.process.kill()
        self.program.process.wait()
        self.reader.join(PATIENCE_S)

    def report(self):
        return self.program.report()

    @property
    def name(self):
        return self.program.name


class Mails(Gateway):
    """`banyan serve --only notification`."""

    def __init__(self, folder, database, more="", intake="", intake_port=0, **options):
        self.database, self.key = database, None
        super().__init__(folder, TEXT.format(database=database, more=more, intake=intake, intake_port=intake_port), words=("--only", "notification"), **options)

    sql = Accounts.sql
    earlier = Accounts.earlier

    @property
    def address(self):
        return self.addresses("service notification", "http")[0]

    @property
    def intake(self):
        """Its port."""
        return until(lambda: int((re.findall(r"mails are taken at 127\.0\.0\.1:(\d+)", self.stderr) or [0])[-1]), "the intake")

    def again(self):
        """As it was, after a kill -9."""
        self.program.kill()
        self.program.wait(PATIENCE_S)
        self.stopped = True
        self.program.stderr_path.write_text("")
        new = type(self).__new__(type(self))
        new.database, new.key = self.database, self.key
        Gateway.__init__(new, self.folder, None, words=("--only", "notification"), after=self)
        return new

    def say(self, method, path, body=None, **headers):
        if not self.key:
            scopes = [word for scope in SCOPES for word in ("--scope", scope)]
            code, out, err = run_banyan("notification", "key", "add", "-c", str(self.file), "--owner", "play", *scopes, "--json")
            assert code == 0, err
            self.key = json.loads(out)["key"]
        return say(self.address, method, path, body, Authorization=f"Bearer {self.key}", **headers)

    def run(self, *words, **options):
        return run_banyan("mail", *words, "-c", str(self.file), **options)

    def mode(self, name):
        assert self.run("mode", name)[0] == 0

    def list(self, **query):
        answer = self.say("GET", "/v1/mails?" + "&".join(f"{name}={value}" for name, value in query.items()))
        assert answer.status == 200, answer.body
        return answer.json["data"]

    def one(self, to):
        """The newest for this address, with all that is known of it."""
        found = self.list(to=to)
        return self.say("GET", f"/v1/mails/{found[0]['id']}").json if found else None

    def wait_for(self, to, state):
        return until(lambda: (self.one(to) or {}).get("state") == state and self.one(to), f"the mail to {to} to be {state}")

    def hurry(self):
        """Jobs that wait for a better time are due now."""
        now = "0" if self.database.startswith("sqlite") else "now()"
        self.sql(f"update jobs set run_at = {now} where state = 'scheduled'")

    def hand_in(self, *to, subject="hello", text="text\r\n", sender="shop@pineandanvil.example", headers=""):
        with smtplib.SMTP("127.0.0.1", self.intake, timeout=PATIENCE_S) as client:
            return client.sendmail(sender, to, f"From: {sender}\r\nTo: {', '.join(to)}\r\nSubject: {subject}\r\n{headers}\r\n{text}".encode())


def raw_of(mail):
    return email.message_from_bytes(base64.b64decode(mail["raw"]))


def django(port, code, **settings):
    """A program of a monolith: Django's mail framework, pointed at us by two settings."""
    said = ", ".join(f"{name}={value!r}" for name, value in {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port, **settings}.items())
    script = (f"from django.conf import settings\nsettings.configure(EMAIL_BACKEND='django.core.mail.backends.smtp.EmailBackend', {said})\n"
              f"from django.core.mail import EmailMultiAlternatives, EmailMessage, send_mail, send_mass_mail, get_connection\n{code}")
    done = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def swaks(port, *words, code=0):
    done = subprocess.run(["swaks", "--server", f"127.0.0.1:{port}", "--helo", "play.test", *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@contextlib.contextmanager
def raw_client(port):
    import socket
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as sock, sock.makefile("rb") as lines:
        def say(text):
            sock.sendall(text if isinstance(text, bytes) else text.encode())

        def hear(count=1):
            return [lines.readline().decode().strip() for _ in range(count)]
        hear()
        yield say, hear
