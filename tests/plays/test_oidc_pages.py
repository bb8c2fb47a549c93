# SPDX-License-Identifier: Apache-2.0
"""The provider's pages in Chromium: from a new account to a log-out, and nothing that axe would find. No page has a script: its policy
forbids all of them."""
import http.server
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.browser import Browser, chromedriver
from actors.gateway import ROOT
from actors.provider import PASSWORD, Provider, RelyingParty, oathtool

ANN = "ann@shop.test"
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text
LOOK = "const done = arguments[0]; axe.run().then(done, (e) => done({ violations: [{ id: String(e), nodes: [] }] }))"


class Landing(http.server.BaseHTTPRequestHandler):
    """The client's address: a page that says nothing."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><html lang=en><title>The Shop</title><h1>Back</h1></html>")

    def log_message(self, *_):
        pass


@pytest.fixture
def landing():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Landing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/back"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def driver(long_stage):
    program = chromedriver(long_stage.folder)
    return long_stage.enter(program, lambda: (program.signal(15), program.wait(20)))


class Ann(Browser):
    def arrives(self, title):
        """At a page of that title, which axe likes, whose policy nothing was in the way of."""
        self.wait("return document.querySelector('h1') && document.querySelector('h1').textContent === arguments[0]", title)
        self.script(AXE())
        found = self.driver.execute_async_script(LOOK)["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == [], title

    def send(self, **fields):
        self.fill(**fields)
        self.press("main form button")

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")
                and not any(word in entry["message"] for word in ("favicon", "status of 422"))]


def test_a_person_comes_in_with_a_second_factor_and_leaves(stage, driver, landing, tmp_path):
    at = Provider(stage.folder)
    stage.enter(at, at.finish)
    registered = at.client("shop", "--name", "The Shop", "--redirect", landing, "--logout-redirect", landing)
    rp = RelyingParty(at, registered, redirect=landing)
    stage.enter(rp, rp.finish)
    ann = Ann(driver, tmp_path, at.issuer)
    stage.callback(ann.quit)

    # A new account, on the way to a client
    ann.leave(ann.driver.get, rp.ask("openid profile email"))
    ann.arrives("Log in")
    ann.follow("Create an account")
    ann.arrives("Create an account")
    ann.send(name="Ann Archer", email=ANN, password="short")
    ann.arrives("Create an account")
    assert "Password: too short" in ann.find("[role=alert]").text
    ann.send(password=PASSWORD)
    ann.arrives("Look into your mail")
    ann.send(code="no-such-code")
    ann.arrives("Look into your mail")
    ann.send(code=at.mailed(ANN))
    ann.arrives("Your address is confirmed")
    ann.follow("Log in")
    ann.arrives("Log in")
    assert "The Shop" in ann.find("main").text
    ann.send(login=ANN, password="wrong")
    assert "is wrong" in ann.find("[role=alert]").text
    ann.send(login=ANN, password=PASSWORD)
    ann.arrives("The Shop asks for access")
    ann.press("button[value=yes]")
    tokens = rp.do("answer", url=ann.driver.current_url)
    assert tokens["claims"]["acr"] == "aal1"

    # A second factor, on one's page
    ann.open("/account")
    ann.arrives("Your account")
    ann.follow("Add an authenticator")
    ann.arrives("Add an authenticator")
    key = ann.find("#key").text.replace(" ", "")
    ann.send(code=oathtool(key))
    ann.arrives("Your recovery codes")
    codes = [code.text for code in ann.driver.find_elements("css selector", ".codes code")]
    ann.follow("I have kept them")
    ann.arrives("Your account")
    assert "The Shop" in ann.find("[aria-labelledby=consents]").text and "this browser" in ann.find("[aria-labelledby=sessions]").text

    # Out, and in again with it
    ann.press("main > form button")
    ann.arrives("You are logged out")
    ann.leave(ann.driver.get, rp.ask("openid profile email", acr_values="aal2"))
    ann.arrives("Log in")
    ann.send(login=ANN, password=PASSWORD)
    ann.arrives("Confirm it is you")
    ann.send(code="000000")
    assert "The code is wrong" in ann.find("[role=alert]").text
    ann.send(code=codes[0])
    tokens = rp.do("answer", url=ann.driver.current_url)
    assert tokens["claims"]["acr"] == "aal2"

    # In German
    ann.open("/login?ui_locales=de")
    ann.arrives("Anmelden")

    # The client sends it out
    ann.leave(ann.driver.get, rp.do("leave", hint=tokens["id_token"], redirect=landing)["url"])
    assert parse_qs(urlsplit(ann.driver.current_url).query)["state"] == ["over"]
    ann.open("/account")
    ann.arrives("Log in")
    assert ann.complaints() == []
