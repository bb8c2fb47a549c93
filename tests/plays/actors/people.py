# SPDX-License-Identifier: Apache-2.0
"""People of the shop, several at a time, each with cookies of their own, or with the shop's app, which has none but says which
device it is on; what they asked and got is kept.

    with People(gw, visit=Person.look, at_once=4) as people:
        people.wait_served(500)
    assert not people.failures

Each is named by User-Agent, so that the gateway's access log tells who was served by which side."""
import http.client
import itertools
import re
import threading
import time
import urllib.parse
import zlib
from dataclasses import dataclass

from actors.client import split_address
from actors.shop import PASSWORD
from actors.waiting import PATIENCE_S, until


@dataclass(frozen=True)
class Asked:
    at: float  # of its answer
    who: str
    path: str
    status: int  # 0: there was none
    release: str
    wrong: str  # what was not as it should be; empty: nothing


class Person:
    """A client that does as browsers do: one connection, cookies by name."""

    def __init__(self, where, name):
        self.where, self.name, self.cookies, self.more, self.asked = where, name, {}, {}, []
        self.connection = None

    def ask(self, path, *, expect=(200,), contains=None, lacks=None, **form):
        """The body as text; whatever comes is noted, and nothing is raised."""
        headers = {"User-Agent": self.name, "Referer": f"http://{self.where}/", **self.more}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form:
            body, headers["Content-Type"] = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(*split_address(self.where), timeout=PATIENCE_S)
            self.connection.request("POST" if form else "GET", path, body, headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.leave()
            self.asked.append(Asked(time.time(), self.name, path, 0, "", repr(error)))
            return ""
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
            if 'max-age=0' in line.lower() or value == '""':
                del self.cookies[name]
        wrong = ""
        if answer.status not in expect:
            wrong = f"status {answer.status}"
        elif contains and contains not in text:
            wrong = f"no {contains!r}"
        elif lacks and lacks in text:
            wrong = f"still {lacks!r}"
        self.asked.append(Asked(time.time(), self.name, path, answer.status, answer.headers.get("X-Shop-Release", ""), wrong))
        return text

    def leave(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    # What they come for

    def look(self, rounds=6, prices=None):
        """A few products by the app; nothing that changes anything. prices: by product, what they must be."""
        self.more = {"X-Device": self.name}
        for number in range(rounds):
            product = 1 + (zlib.crc32(self.name.encode()) + number) % 50
            self.ask(f"/api/v1/products/{product}", contains=f'"price_cents": {prices[product] if prices else ""}')

    def log_in(self, user):
        token = form_token(self.ask("/login/"))
        self.ask("/login/", expect=(302,), csrfmiddlewaretoken=token, username=user, password=PASSWORD)

    def shop_logged_in(self, user, rounds=4):
        """Logs in, and changes things whose pages show a flash message: once, and never again."""
        self.log_in(user)
        for number in range(rounds):
            page = self.ask("/cart/", lacks="is in your cart")
            self.ask("/cart/add/", expect=(302,), csrfmiddlewaretoken=form_token(page) or self.cookies.get("csrftoken", ""), product=7 + number)
            self.ask("/cart/", contains="is in your cart")
            self.ask("/api/v1/profile", contains=f'"{user}"')
            self.ask(f"/api/v1/products/{number + 1}", contains="price_cents")


def form_token(page):
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    return found[1] if found else ""


class People:
    def __init__(self, where, visit=Person.look, at_once=4, prefix="p"):
        """visit(person): what each does before the next one comes, on so many threads."""
        self.where, self.visit, self.prefix = where if isinstance(where, str) else where.address, visit, prefix
        self.numbers, self.lock, self.all = itertools.count(), threading.Lock(), []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.come, daemon=True) for _ in range(at_once)]

    def come(self):
        while not self.stop.is_set():
            with self.lock:
                person = Person(self.where, f"{self.prefix}{next(self.numbers)}")
                self.all.append(person)
            try:
                self.visit(person)
            finally:
                person.leave()

    @property
    def asked(self):
        with self.lock:
            people = list(self.all)
        return [one for person in people for one in list(person.asked)]

    @property
    def served(self):
        with self.lock:
            return sum(len(person.asked) for person in self.all)

    @property
    def failures(self):
        return [one for one in self.asked if one.wrong]

    def wait_served(self, more, within=PATIENCE_S):
        want = self.served + more
        until(lambda: self.served >= want, f"{more} answers for people", within)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE_S)
