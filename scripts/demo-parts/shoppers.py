# SPDX-License-Identifier: Apache-2.0
"""Virtual shoppers: a thread each that visits the shop again and again, as people with a browser do. Every visit has
connections, cookies and a cart of its own; one in five signs in and pays with a card. Nothing is retried, so that what
the gateway does wrong is seen."""
import http.client
import random
import re
import ssl
import threading
import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode

PASSWORD = "pine-and-anvil"
PRODUCT = re.compile(r'href="(/products/[\w-]+/)"')
CATEGORY = re.compile(r'href="(/category/[\w-]+/)"')
THINGS = re.compile(r'(?:src|href)="(/static/[^"]+)"')
PRODUCT_ID = re.compile(r'data-product="(\d+)"')
WORDS = ("chair", "lamp", "table", "hammer", "kettle", "oak", "steel", "garden")
ORDER = {"card_number": "4242 4242 4242 4242", "card_expiry": "12/39", "card_cvc": "123", "name": "Tess Ter",
         "street": "Mill Lane 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
TIMEOUT_S = 30


class Tally:
    """What all shoppers did and saw."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = self.failed = self.visits = self.orders = 0
        self.last_failure = None

    def add(self, name, what=None):
        with self.lock:
            setattr(self, name, getattr(self, name) + 1)
            self.last_failure = what or self.last_failure


class Visit:
    """One browser window: a kept connection, cookies, no retries."""

    def __init__(self, shoppers, dice, secure):
        self.shoppers, self.dice, self.cookies, self.cache = shoppers, dice, {}, set()
        self.host, self.port, self.secure = "localhost", shoppers.tls_port if secure else shoppers.port, secure
        if secure:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=TIMEOUT_S, context=shoppers.tls)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)

    def ask(self, method, path, fields=None):
        """(status, page, where it leads); (0, "", "") when there was no answer."""
        origin = f"http{'s' if self.secure else ''}://{self.host}:{self.port}"
        headers = {"Host": f"{self.host}:{self.port}", "User-Agent": "Mozilla/5.0 (demo shopper)", "Accept": "text/html, */*;q=0.8"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if fields is not None:
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Referer": origin + "/",
                            "X-CSRFToken": self.cookies.get("csrftoken", "")})
        self.shoppers.tally.add("requests")
        try:
            self.connection.request(method, path, urlencode(fields) if fields is not None else None, headers)
            response = self.connection.getresponse()
            page = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.fail(f"{method} {path}: {error or type(error).__name__}")
            return 0, "", ""
        if response.status >= 500:
            self.fail(f"{method} {path}: {response.status} {page[:200]}")
        for line in response.msg.get_all("Set-Cookie") or []:
            self.cookies.update((name, crumb.coded_value) for name, crumb in SimpleCookie(line).items())
        return response.status, page, response.getheader("Location") or ""

    def fail(self, what):
        if not self.shoppers.leaving.is_set():
            self.shoppers.tally.add("failed", what)

    def look(self, path):
        """A page, the things on it that are not in the browser's cache yet, and time to read it."""
        _, page, _ = self.ask("GET", path)
        for thing in dict.fromkeys(THINGS.findall(page)):
            if thing not in self.cache:
                self.cache.add(thing)
                self.ask("GET", thing)
        self.think()
        return page

    def think(self):
        if self.shoppers.leaving.wait(self.dice.uniform(0.5, 1.5) * self.shoppers.think_s):
            raise Leave

    def put_in_cart(self, page, path):
        product = PRODUCT_ID.search(page)
        if product:
            self.ask("POST", "/cart/add/", {"product": product[1], "quantity": self.dice.randint(1, 2), "next": path})

    def check_out(self):
        self.look("/login/")
        user = self.dice.choice(["alice", "bob"] + [f"user{number:06}" for number in range(5, 200)])
        status, _, _ = self.ask("POST", "/login/", {"username": user, "password": PASSWORD})
        if status != 302:
            return
        self.look("/cart/")
        self.look("/checkout/")
        status, _, where = self.ask("POST", "/checkout/", ORDER)
        if status == 302 and where.startswith("/orders/"):
            self.shoppers.tally.add("orders")
            self.look(where)

    def run(self):
        page = self.look("/")
        if self.dice.random() < 0.4:
            page = self.look("/?q=" + self.dice.choice(WORDS))
        elif CATEGORY.search(page):
            page = self.look(self.dice.choice(CATEGORY.findall(page)))
        filled = False
        for path in self.dice.sample(PRODUCT.findall(page), min(3, len(PRODUCT.findall(page)))):
            product = self.look(path)
            if self.dice.random() < 0.4:
                self.put_in_cart(product, path)
                filled = True
        if filled and self.dice.random() < 0.4:
            self.check_out()


class Leave(Exception):
    """The shop closes."""


class Shoppers:
    def __init__(self, port, tls_port, count, think_s=1.0):
        self.port, self.tls_port, self.think_s = port, tls_port, think_s
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE  # the demo made its certificate itself
        self.leaving, self.tally = threading.Event(), Tally()
        self.threads = [threading.Thread(target=self.shop, args=(number,), daemon=True) for number in range(count)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def shop(self, number):
        dice = random.Random(number)
        self.leaving.wait(dice.random() * self.think_s)
        while not self.leaving.is_set():
            visit = Visit(self, dice, secure=bool(self.tls_port) and number % 2 == 1)
            try:
                visit.run()
            except Leave:
                break
            finally:
                visit.connection.close()
            self.tally.add("visits")

    def stop(self, patience_s=5.0):
        """Requests that run are finished first."""
        self.leaving.set()
        deadline = time.monotonic() + patience_s
        for thread in self.threads:
            if thread.ident:
                thread.join(max(0.0, deadline - time.monotonic()))
