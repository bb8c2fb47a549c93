# SPDX-License-Identifier: Apache-2.0
"""The user service as an OpenID Connect provider, and people who log in to it with forms and cookies."""
import html.parser
import json
import os
import pathlib
import re
import shlex
import subprocess
from urllib.parse import urljoin, urlsplit

import requests

from actors.gateway import BANYAN, ROOT, Gateway
from actors.process import die_with_parent, listening_socket
from actors.waiting import PATIENCE_S, until

PASSWORD = "correct horse battery staple"
USER = """
admin: {{ address: "127.0.0.1:0" }}
threads: 2
services:
  user:
    development: {development}
    public_url: {url}
    listen: "{address}"
    database: "{database}"
    password: {{ memory: 7MiB, passes: 1 }}
    throttle: {{ address: {{ tries: 0 }}, network: {{ tries: 0 }} }}
    key_file: {folder}/user.key
{more}
"""


class Provider(Gateway):
    """`banyan serve --only user`. Its socket is the play's, so that its address is known before it begins, and stays."""

    def __init__(self, folder, database=None, more="", number=0, development="true"):
        self.home = pathlib.Path(folder) / f"provider{number or ''}"
        self.home.mkdir()
        self.socket = listening_socket()
        os.dup2(self.socket.fileno(), 100 + number, inheritable=True)
        self.fd = 100 + number
        self.where = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.issuer = f"http://{self.where}"
        launcher = self.home / "launcher"
        launcher.write_text(f"#!/bin/bash\nexec 3<&{self.fd}\nexport LISTEN_FDS=1 LISTEN_PID=$$\nexec {shlex.quote(BANYAN)} \"$@\"\n")
        launcher.chmod(0o755)
        self.launcher = launcher
        text = USER.format(url=self.issuer, address=self.where, development=development, folder=self.home, more=more,
                           database=database or f"sqlite:{self.home}/user.db")
        super().__init__(self.home, text, program=launcher, pass_fds=[self.fd], words=["--only", "user"])

    def write(self, text):
        self.text = text
        self.file.write_text(text)

    def again(self):
        """A process in the place of one that is gone."""
        self.listener.join(PATIENCE_S)
        Gateway.__init__(self, self.home, self.text, program=self.launcher, pass_fds=[self.fd], words=["--only", "user"])

    def finish(self):
        try:
            super().finish()
        finally:
            os.close(self.fd)
            self.socket.close()

    def command(self, *words):
        done = subprocess.run([BANYAN, *map(str, words), "-c", self.file], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self, ident, *words):
        """Registers one: what clients are told of themselves."""
        return json.loads(self.command("user", "client", "add", ident, *words, "--json"))

    def register(self, email, password=PASSWORD, name="Ann Archer"):
        """Somebody with an account, whose address is verified; not logged in."""
        person = Person(self)
        person.email = email
        page = person.open("/register")
        page = page.submit(name=name, email=email, password=password)
        assert urlsplit(page.url).path == "/verify", page.text
        page = page.submit(code=self.mailed(email))
        assert page.status == 200 and "confirmed" in page.text, page.text
        return person

    def mails(self, email):
        lines = (json.loads(line) for line in self.stderr.splitlines() if line.startswith("{"))
        return [line for line in lines if line["msg"] == "mail" and line["to"] == email]

    def mailed(self, email, number=-1):
        """The code of a mail."""
        return until(lambda: self.mails(email), f"a mail to {email}")[number]["code"]


class Parser(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.forms, self.language, self.title = [], None, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "html":
            self.language = attrs.get("lang")
        elif tag == "form":
            self.forms.append((attrs.get("action"), {}))
        elif tag == "input" and self.forms:
            self.forms[-1][1][attrs["name"]] = attrs.get("value") or ""


class Page:
    """A page, or where it leads that is not ours."""

    def __init__(self, person, url, answer):
        self.person, self.url, self.status, self.headers, self.text = person, url, answer.status_code, answer.headers, answer.text
        self.forms = Parser(self.text).forms if self.headers.get("Content-Type", "").startswith("text/html") else []

    def submit(self, form=0, **fields):
        action, hidden = self.forms[form]
        return self.person.post(urljoin(self.url, action), {**hidden, **fields})


class Person:
    """A browser without scripts: cookies, forms, and links that stay with the provider."""

    def __init__(self, provider, **headers):
        self.issuer = provider.issuer
        self.session = requests.Session()
        self.session.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.session.trust_env = False

    def follow(self, url, answer):
        while answer.is_redirect:
            url = urljoin(url, answer.headers["Location"])
            if not url.startswith(self.issuer + "/"):
                break
            answer = self.session.get(url, allow_redirects=False, timeout=PATIENCE_S)
        return Page(self, url, answer)

    def open(self, path):
        url = urljoin(self.issuer, path)
        return self.follow(url, self.session.get(url, allow_redirects=False, timeout=PATIENCE_S))

    def post(self, url, fields):
        url = urljoin(self.issuer, url)
        return self.follow(url, self.session.post(url, data=fields, allow_redirects=False, timeout=PATIENCE_S))

    def log_in(self, page, login=None, password=PASSWORD):
        assert urlsplit(page.url).path == "/login", page.text
        return page.submit(login=login or self.email, password=password)


def totp_key(page):
    return re.search(r'<code id="key">([A-Z2-7 ]+)</code>', page.text)[1].replace(" ", "")


def oathtool(key, *words):
    return subprocess.run(["oathtool", "--totp", "-b", *words, key], check=True, capture_output=True, text=True).stdout.strip()


class Refused(Exception):
    def __init__(self, said):
        super().__init__(f"{said['error']}: {said['text']}")
        self.error, self.status = said["error"], said.get("status")


class RelyingParty:
    """npm openid-client, in a process of its own."""

    def __init__(self, provider, registered, redirect="http://127.0.0.1:9/back", alg="ES256", key=None):
        self.name, self.redirect = "relying party", redirect
        self.process = subprocess.Popen(["node", ROOT / "tests/plays/actors/openid.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=die_with_parent)
        self.ident = registered["client_id"]
        method = registered["token_endpoint_auth_method"]
        self.metadata = self.do("begin", issuer=provider.issuer, id=registered["client_id"], alg=alg,
                                proof={"method": method, "secret": registered.get("client_secret"), "key": key})

    def do(self, verb, **about):
        print(json.dumps({"do": verb, **about}), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, "the relying party is gone"
        said = json.loads(line)
        if "ok" not in said:
            raise Refused(said)
        return said["ok"]

    def ask(self, scope="openid", **more):
        """An address for a person's browser."""
        return self.do("ask", redirect=self.redirect, scope=scope, **more)["url"]

    def finish(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.process.stdout.close()
