# SPDX-License-Identifier: Apache-2.0
"""The shop with a browser, straight and through the gateway: one journey, and nothing in it may differ.

Each journey begins with the same database, so that even the numbers on the pages are the same. What is compared: the words,
titles and addresses of all pages, cookies and their flags, the console, and every answer's status and header fields."""
import contextlib
import http.client
import json
import random
import re
import struct
import zlib

import httpx
import psycopg2
import pytest

from actors.browser import Browser, Traffic, chromedriver
from actors.gateway import everything_to
from actors.shop import PASSWORD, Shop
from actors.waiting import PROOF, until

CARD = {"card_expiry": "12/39", "card_cvc": "123"}
GOOD, DECLINED, SLOW = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 3220"
WELCOME = "words that nobody else uses"
# The second click comes when the first has placed the order, but the shop is not done with it.
CLICK_TWICE = """const button = document.querySelector('#checkout button');
button.click();
(async () => {
  while ((await (await fetch('/api/v1/orders?often=1')).json()).count < 2) continue;
  button.click();
})();"""
BIG = 8 * 1024 * 1024  # what the shop takes


def png(side):
    """Pixels that do not compress."""
    rows = b"".join(b"\0" + random.Random(side + row).randbytes(side * 3) for row in range(side))

    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            part(b"IDAT", zlib.compress(rows, 1)) + part(b"IEND", b""))


@pytest.fixture(scope="module")
def shop(long_stage):
    actor = Shop(long_stage.folder, "--behind-proxy", users=50, orders=100)
    return long_stage.enter(actor, actor.finish)


@pytest.fixture(scope="module")
def files(long_stage):
    """What the visitors upload."""
    folder = long_stage.folder / "uploads"
    folder.mkdir()
    (folder / "avatar.png").write_bytes(png(300))
    (folder / "product.png").write_bytes(png(160))
    (folder / "words.png").write_bytes(b"this is no picture")
    (folder / "huge.png").write_bytes(bytes(BIG + 1))
    return folder


class Visit:
    """The people of the journey share one browser, as on a kiosk."""

    def __init__(self, browser, shop, files):
        self.browser, self.shop, self.files = browser, shop, files
        self.facts = []  # what is found out besides the pages

    def note(self, *facts):
        self.facts.append(facts)

    def rows(self, query):
        """Of the shop's database."""
        with contextlib.closing(psycopg2.connect(self.shop.about["database"])) as database, database.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def log_in(self, user, password=PASSWORD):
        self.browser.fill(username=user, password=password)
        self.browser.press("main form button")

    def log_out(self):
        self.browser.press("header form[action='/logout/'] button")

    def staff_marks(self, order, status):
        """Somebody in the warehouse, with the app."""
        def call(path, body, **headers):
            connection = http.client.HTTPConnection(self.shop.address, timeout=20)
            with contextlib.closing(connection):
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status in (200, 201), text
                return json.loads(text)
        token = call("/api/v1/auth/token", {"username": "staff", "password": PASSWORD})["token"]
        call(f"/api/v1/orders/{order}/status", {"status": status}, Authorization=f"Token {token}")

    # The acts

    def look_around(self):
        b = self.browser
        b.open("/")
        b.look("home")
        b.follow("Kitchen", "nav.categories")
        b.look("category")
        b.follow("price, low first")
        b.look("sorted")
        b.fill(q="oak")
        b.press("header .search button")
        b.look("search")
        b.open("/?page=3")
        b.look("third page")
        b.open("/p/17")
        b.look("a short link leads to the product")
        b.open(b.driver.current_url.removeprefix(b.base).rstrip("/"))
        b.look("a slash is added")
        b.open("/no/such/page/")
        b.look("not found")
        self.note(b.fetch("/api/v1/no/such"), b.fetch("/api/v1/products/17"))

    def fill_the_cart(self):
        b = self.browser
        b.open("/p/17")
        b.fill(quantity=2)
        b.find("#add-to-cart button").click()
        b.wait_text("#cart-count", "2")
        b.look("added to the cart")
        b.follow("Cart 2", "header")
        b.look("cart")
        b.script("document.querySelector('[name^=quantity-]').value = 3")
        b.press("main form[action='/cart/update/'] button")
        b.look("cart changed")
        for code in ("NOPE", "welcome10"):
            b.fill(code=code)
            b.press("main form[action='/cart/coupon/'] button")
            b.look(f"coupon {code}")
        b.follow("Checkout")
        b.look("who pays must log in")

    def become_a_customer(self):
        b = self.browser
        b.follow("Sign up", "main")
        b.fill(username="newcomer", email="newcomer@customers.example", password1=WELCOME, password2="other words")
        b.press("main form button")
        b.look("passwords differ")
        b.fill(password1=WELCOME, password2=WELCOME)
        b.press("main form button")
        b.look("welcome")
        self.log_out()
        b.look("logged out")
        b.open("/checkout/")
        self.log_in("newcomer", "wrong words")
        b.look("wrong password")
        self.log_in("newcomer", WELCOME)
        b.look("logged in and at the checkout")

    def upload_a_picture(self):
        b = self.browser
        b.open("/profile/")
        b.look("profile")
        b.fill(name="New Comer", street="Mill Lane 1", city="Gent", postcode="9000", country="BE")
        b.press("form[action='/profile/addresses/'] button")
        b.look("address added")
        for name in ("words.png", "huge.png", "avatar.png"):
            b.fill(avatar=self.files / name)
            b.press("form[action='/profile/avatar/'] button")
            b.look(f"uploaded {name}")
        self.note(b.digest(b.find("#avatar").get_attribute("src")))

    def check_out(self):
        b = self.browser
        b.open("/checkout/")
        b.look("checkout")
        b.fill(card_number="1234", **CARD)
        b.press("#checkout button")
        b.look("no such card")
        b.fill(card_number=DECLINED, **CARD)
        b.press("#checkout button")
        b.look("card declined")
        b.fill(card_number=GOOD, **CARD)
        b.press("form[action$='/pay/'] button")
        b.look("order paid")
        b.follow("Orders", "header")
        b.look("orders")
        b.back()
        b.look("back at the order")

    def wait_for_the_parcel(self):
        """The page asks whether there is news and is answered when there is."""
        b = self.browser
        order = b.find("#order-state").get_attribute("data-order")
        for status in ("packed", "shipped"):
            until(lambda: b.is_asked(f"/api/v1/orders/{order}/wait"), "the page asks for news")
            with b.leaving():
                self.staff_marks(order, status)
            b.wait_text("#order-state", status)
            b.look(f"order {status}")

    def click_twice(self):
        b = self.browser
        b.open("/p/18")
        b.find("#add-to-cart button").click()
        b.wait_text("#cart-count", "1")
        b.open("/checkout/")
        b.fill(card_number=SLOW, **CARD)
        b.leave(b.script, CLICK_TWICE)
        b.look("clicked twice")
        until(lambda: self.rows("SELECT status FROM orders_order WHERE id > 101") == [("paid",)], "one order, and it is paid")
        b.follow("Orders", "header")
        b.leave(b.script, "document.querySelector('main td a').click()")
        b.look("the first click's order")
        b.follow("Messages 6", "header")
        b.look("messages")

    def forge(self):
        """A form without its token."""
        b = self.browser
        self.log_out()
        b.follow("Log in", "header")
        b.driver.delete_cookie("csrftoken")
        self.log_in("newcomer", WELCOME)
        b.look("forbidden")

    def run_the_shop(self):
        b = self.browser
        b.open("/staff/")
        self.log_in("staff")
        b.look("staff", without="#live")
        self.watch_the_feed()
        b.open("/staff/report/?from=2025-05-01&to=2025-06-30")
        b.look("report", without="h1")  # it says how long it took
        self.note(b.script("return performance.getEntriesByType('navigation')[0].serverTiming.map((one) => one.name)"))
        self.note(b.fetch("/staff/report.csv?from=2025-05-01&to=2025-06-30"))
        b.open("/staff/orders/")
        b.look("all orders")
        b.open("/staff/products/new/")
        b.fill(sku="PA-99999", name="Anvil, travel", description="Small,\nbut heavy.", weight_grams=9000, price="12.3.4", delivered=7,
               picture=self.files / "product.png")
        b.script("document.querySelector('[name=category]').value = '2'")
        b.press("main form.box button")
        b.look("no such price")
        b.fill(price="149,90", picture=self.files / "product.png")
        b.press("main form.box button")
        b.look("new product")
        self.note(b.digest(b.find("article img").get_attribute("src")))
        self.log_out()

    def watch_the_feed(self):
        """What happens in one tab is told in the other."""
        b = self.browser
        first = b.driver.current_window_handle
        until(lambda: b.is_asked("/events/stream"), "the page listens")
        b.driver.switch_to.new_window("tab")
        b.open("/p/19")
        b.driver.close()
        b.driver.switch_to.window(first)
        b.wait("return [...document.querySelectorAll('#live li')].some((one) => / product_view .* staff$/.test(one.textContent))")

    def administrate(self):
        b = self.browser
        b.open("/admin")
        b.look("admin login")
        self.admin_log_in("admin", "wrong words")
        b.look("admin login failed")
        self.admin_log_in("admin", PASSWORD)
        b.look("admin")
        b.follow("Products")
        b.look("admin products")
        b.fill(q="anvil")
        b.press("#changelist-search input[type=submit]")
        b.look("admin search")
        b.leave(b.script, "document.querySelector('#result_list tbody th a').click()")
        b.fill(name="Anvil, for the road")
        b.press("input[name=_continue]")
        b.look("admin changed")
        b.follow("History")
        b.look("admin history")
        b.follow("Log out")
        b.look("admin logged out")

    def admin_log_in(self, user, password):
        self.browser.fill(username=user, password=password)
        self.browser.press("#login-form input[type=submit]")

    ACTS = (look_around, fill_the_cart, become_a_customer, upload_a_picture, check_out, wait_for_the_parcel, click_twice, forge,
            run_the_shop, administrate)


@pytest.fixture(scope="module")
def travel(long_stage, shop, files):
    driver = chromedriver(long_stage.folder)
    long_stage.enter(driver, lambda: (driver.signal(15), driver.wait(20)))

    def run(name, base, certificate=None):
        shop.anew()
        browser = Browser(driver, long_stage.folder / f"profile-{name}", base, certificate)
        try:
            visit = Visit(browser, shop, files)
            for act in Visit.ACTS:
                act(visit)
            visit.note(visit.rows("SELECT kind, path, count(*) FROM analytics_event WHERE created_at > now() - interval '1 hour' "
                                  "GROUP BY kind, path ORDER BY kind, path"))
            visit.traffic = Traffic(browser.read_log(), base)
            return visit
        finally:
            browser.quit()
    return run


@pytest.fixture(scope="module")
def straight(travel, shop):
    return travel("straight", f"http://{shop.address}")


def test_the_journey_is_what_it_should_be(straight):
    """Else both could be wrong in the same way."""
    pages = {page.name: page for page in straight.browser.pages}
    assert "Order PA-0000101 is not paid" in " ".join(pages["card declined"].text)
    assert "Thank you! Order PA-0000101 is paid." in pages["order paid"].text
    assert {page.name: [line[-3:] for line in page.console] for page in straight.browser.pages if page.console} == {
        "not found": ["404"], "added to the cart": ["404"], "no such card": ["422"], "forbidden": ["403"]}
    assert straight.traffic.protocols == {"http/1.1"} and not straight.traffic.failed


@pytest.fixture(scope="module")
def gateway(long_stage, shop, certificates):
    """One for all journeys: it listens with and without TLS."""
    return long_stage.gateway(everything_to(shop, upstream="timeouts: { head: 60s, request: 120s }", more=f"""
        listen: [ "127.0.0.1:0", {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]
    """))


def lines(fields):
    """A line for every field of an answer."""
    return {f"{' '.join(map(str, request))} {name}: {value}" for request, answers in fields.items() for answer in answers
            for name, value in answer}


@pytest.mark.parametrize("scheme", ["http", "https"] if PROOF else ["https"])
def test_nothing_differs_through_the_gateway(straight, travel, gateway, certificates, scheme):
    base = f"https://{gateway.tls_address}" if scheme == "https" else f"http://{gateway.address}"
    through = travel(scheme, base, certificates.certificate())
    assert through.traffic.protocols == {"h2" if scheme == "https" else "http/1.1"}
    assert [page.name for page in through.browser.pages] == [page.name for page in straight.browser.pages]
    for one, other in zip(straight.browser.pages, through.browser.pages):
        assert other == one
    assert through.facts == straight.facts
    assert through.traffic.documents == straight.traffic.documents
    assert through.traffic.kinds == straight.traffic.kinds
    assert lines(through.traffic.fields) ^ lines(straight.traffic.fields) == set()
    assert through.traffic.fields == straight.traffic.fields
    assert through.traffic.failed == straight.traffic.failed


REVALIDATION = [{}, {"Range": "bytes=0-99"}, {"Range": "bytes=-1"}, {"Accept-Encoding": "gzip, br"}, {"If-None-Match": "*"},
                {"If-None-Match": '"another"'}, {"If-None-Match": "{etag}"}, {"If-None-Match": 'W/{etag}, "another"'},
                {"If-Modified-Since": "{last-modified}"}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
                {"If-None-Match": '"another"', "If-Modified-Since": "{last-modified}"},
                {"If-Range": "{last-modified}", "Range": "bytes=5-9"}]


def revalidate(client, base, path):
    """What a browser's cache may ask about a file, and what it is told."""
    told = []
    first = client.get(base + path)
    for method in ("GET", "HEAD"):
        for asked in REVALIDATION:
            fields = {name: value.format_map({"etag": '""', "last-modified": "", **first.headers}) for name, value in asked.items()}
            answer = client.request(method, base + path, headers=fields)
            told.append((path, method, fields, answer.status_code, answer.content,
                         sorted(pair for name, value in answer.headers.items() for pair in Traffic.field(name, value))))
    return told


def test_files_are_revalidated_alike(shop, gateway, certificates):
    straight, through, secure = f"http://{shop.address}", f"http://{gateway.address}", f"https://{gateway.tls_address}"
    once = httpx.Limits(max_keepalive_connections=0)  # gunicorn sends a body after a HEAD: only the gateway can live with that
    with httpx.Client(limits=once) as direct, httpx.Client() as plain, httpx.Client(http2=True, verify=certificates.trust()) as h2:
        page = direct.get(straight + "/").text
        paths = [re.search(pattern, page)[1] for pattern in (r'href="(/static/shop[^"]*css)"', r'src="(/static/img/[^"]*)"')]
        for path in [*paths, "/static/admin/css/base.css", "/static/no-such-file", "/api/v1/products/17", "/api/v1/categories"]:
            told = revalidate(direct, straight, path)
            assert revalidate(plain, through, path) == told
            assert revalidate(h2, secure, path) == told
            assert path.endswith("file") or {200, 304} <= {row[3] for row in told}
        assert h2.get(secure + "/version").http_version == "HTTP/2"
