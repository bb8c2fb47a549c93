# SPDX-License-Identifier: Apache-2.0
"""A route that is moved, and the people who use it."""
import collections
import json
import re
import subprocess

from actors.gateway import BANYAN
from actors.waiting import until

TOKEN = "a-token-of-the-play"


def two_sides(old, new, shift="{}", more=""):
    """One route over everything, `users`, from the upstream `shop` to the upstream `next`."""
    return (f"admin: {{ address: '127.0.0.1:0', token: {TOKEN} }}\n"
            f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
            f"routes: [ {{ name: users, match: /**, old: shop, new: next, shift: {shift} }} ]\n" + more)


class Person:
    """A browser: one cookie jar."""

    def __init__(self, client, gw):
        self.client, self.gw, self.cookies, self.sides = client, gw, {}, []

    def get(self, target="/", *headers):
        if self.cookies:
            headers = (*headers, "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        answer = self.client.get(self.gw, target, *headers)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                found = re.match(r"([^=]+)=([^;]*)", value)
                self.cookies[found[1]] = found[2]
        self.sides.append(answer.text)
        return answer


class Shift:
    """What is asked of, and done to, a subject by the admin port and the command line."""

    def __init__(self, gw, name="users"):
        self.gw, self.name = gw, name

    def ask(self, page=""):
        status, _, text = self.gw.ask_admin(f"/shift/{self.name}{page}")
        assert status == 200, text
        return json.loads(text)

    @property
    def phase(self):
        return self.ask()["phase"]

    @property
    def newest(self):
        """The last verb of the history; None while the book cannot be asked: for until."""
        status, _, text = self.gw.ask_admin(f"/shift/{self.name}/history")
        entries = json.loads(text)["entries"] if status == 200 else []
        return entries[0]["verb"] if entries else None

    @property
    def history(self):
        return self.ask("/history")["entries"]

    @property
    def differences(self):
        """What was found, by (path, kind)."""
        return {(key["path"], key["kind"]): key for key in self.ask("/differences")["keys"]}

    @property
    def shadows(self):
        """What became of requests that might have been shadowed, without those that are zero."""
        return {name: count for name, count in self.ask()["detail"]["shadow"]["results"].items() if count}

    def wait_shadows(self, **wanted):
        """Until they are exactly these."""
        return until(lambda: self.shadows == wanted or None, f"shadows of {self.name}: {wanted}, not {self.shadows}")

    def command(self, *words, code=0):
        """`banyan shift NAME WORDS...`: what it printed."""
        done = subprocess.run([BANYAN, "shift", "-c", self.gw.file, "--admin", self.gw.admin, *([self.name] if self.name else []), *words],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def wait(self, what, about):
        return until(lambda: (told := self.ask()) and what(told) and told, f"{self.name} {about}")

    def wait_phase(self, phase):
        return self.wait(lambda told: told["phase"] == phase, f"in phase {phase}")


def crowd(client, gw, count):
    """People who have their cookie already."""
    people = [Person(client, gw) for _ in range(count)]
    for person in people:
        person.get()
    return people


def sides(people):
    return collections.Counter(person.get().text for person in people)
