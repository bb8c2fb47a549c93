# SPDX-License-Identifier: Apache-2.0
"""A gateway's admin port with subjects of the play's own making: /shift and below is answered here, in the admin API's words, all else by
the real port behind it, sessions included. So a page can be shown a thousand routes, or a verdict, that no play would wait for.
And a person at the console, with a browser."""
import base64
import contextlib
import copy
import datetime
import http.client
import http.server
import json
import os
import pathlib
import queue
import threading
import urllib.parse

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from actors.browser import Browser
from actors.gateway import ROOT

ARTIFACTS = pathlib.Path(os.environ.get("BANYAN_BUILD", ROOT / "build/check")).parent / "artifacts"
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text
STEPS = [1, 5, 25, 50, 100]
VERBS = {"shadow": "shadow", "canary": "canary", "to": "canary", "pause": None, "resume": None, "back": "old", "retire": "retired",
         "accept": None, "unaccept": None, "approve": None, "drill": "old"}


def stamp(seconds_ago=0.0):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


def side(rate, errors, p99):
    return {"rate": rate, "errors": errors, "p50_ms": p99 / 4, "p99_ms": p99}


def subject(name, phase="old", percent=0, **more):
    return {"name": name, "kind": "route", "phase": phase, "percent": percent, "step": STEPS.index(percent) if percent in STEPS else 0,
            "steps": STEPS, "paused": False, "attempt": 1, "revision": 1, "since": stamp(3600), "old": "shop", "new": "shop-next",
            "verdict": {"say": "wait", "line": "errors: old 3 of 2981, new 0 of 157"}, "blocked": "", "asked": "", "asked_by": "", "needs": "", "holdback": 2.0,
            "now": {"old": side(95.0, 0.001, 80.0), "new": side(5.0, 0.002, 90.0)}, **more}


def series(count=120):
    return [{"at": stamp(count - i), "old": side(95 - i / 10, 0.001, 80 + i % 7), "new": side(5 + i / 10, 0.002 + (i % 9) / 5000, 90 + i % 11),
             "evidence": {"errors": 0.3 * 1.04 ** i, "p99": 0.8, "mismatch": 0.1}} for i in range(count)]


def metric(name, evidence, **more):
    return {"name": name, "old": {"n": 2981, "events": 3}, "new": {"n": 157, "events": 1}, "share": 0.05, "evidence": evidence,
            "limit": 3000, "alpha": 0.00033, "line": f"{name}: old 3 of 2981, new 1 of 157", **more}


DETAIL = {
    "metrics": [metric("errors", 12.3), metric("p99", 0.8, threshold_ms=80), metric("mismatch", 0.1)],
    "users": {"new": 12, "cap": 100, "without_cookie": 3, "by_address": 0}, "split": {"expected": 0.05, "seen": 0.049, "p": 0.4},
    "objective": {"target": 0.999, "budget_left": {"old": 0.7, "new": 0.9}, "burn": {"old": {"5m": 0.1, "1h": 0.2}, "new": {"5m": 0.0, "1h": 0.1}}},
    "shadow": {"sent": 500, "compared": 480, "dropped": 12, "failed": 8}}
DIFFERENCES = {"compared": 480, "keys": [
    {"path": ".items[].price", "kind": "value", "raw": 31, "noise": 0, "verdict": "mismatch", "p": 0.0001, "first": stamp(900), "last": stamp(3),
     "examples": [{"at": stamp(3), "request": "GET /api/v1/cart", "old": '{"price": "12.00"}', "new": '{"price": "<b>12.0</b>"}'}]},
    {"path": ".generated_at", "kind": "value", "raw": 480, "noise": 480, "verdict": "noise", "p": 0.9, "first": stamp(900), "last": stamp(1), "examples": []}]}
PLAN = {"rate": 12.3, "steps": [{"percent": step, "hold_seconds": 600, "detects": [
    {"metric": "errors", "from": 0.001, "to": 0.01, "requests": 541, "seconds": 4400 / step}]} for step in STEPS]}


class Refused(Exception):
    def __init__(self, status, slug, text):
        super().__init__(text)
        self.status, self.slug = status, slug


class ShiftPort:
    name = "shift port"

    def __init__(self, gateway, subjects):
        self.gateway, self.lock = gateway, threading.Lock()
        self.subjects = {one["name"]: one for one in subjects}
        self.detail, self.differences, self.plan = copy.deepcopy(DETAIL), copy.deepcopy(DIFFERENCES), PLAN
        self.entries = [{"seq": i + 1, "at": stamp(7200 - i), "who": "ann", "verb": "to", "from": "canary", "to": "canary", "percent": 1,
                         "why": f"reason {i + 1}", "evidence": {}} for i in range(45)]
        self.done, self.asked, self.listeners, self.is_down, self.proof = [], [], [], False, None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"port": self}))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://{self.address}"

    def report(self):
        return f"done {self.done}, asked {self.asked[-10:]}"

    def finish(self):
        self.hang_up()
        self.server.shutdown()
        self.server.server_close()

    # What the play does

    def set(self, name, revise=True, **changes):
        """Changes a subject and tells everybody who listens."""
        with self.lock:
            one = self.subjects[name]
            one.update(changes)
            one["revision"] += revise
            self.tell(one)

    def tell(self, one):
        for listener in self.listeners:
            listener.put(copy.deepcopy(one))

    def hang_up(self, down=False):
        """Ends every stream; down: and answers nothing until told otherwise."""
        with self.lock:
            self.is_down = down
            for listener in self.listeners:
                listener.put(None)
            self.listeners.clear()

    # What it answers

    def show(self, name):
        return {**self.subjects[name], "detail": {**self.detail, "series": series()}}

    def act(self, name, verb, body, who):
        one = self.subjects[name]
        if verb not in VERBS:
            raise Refused(404, "shift.verb", f"there is no verb {verb}")
        if body.get("expect") not in (None, one["revision"]):
            raise Refused(409, "shift.changed", f"{name} is at revision {one['revision']}")
        if verb == "canary" and one["kind"] == "upstream" and not body.get("target"):
            raise Refused(400, "shift.target", "say which upstream takes over")
        if verb == "drill" and not body.get("force"):
            raise Refused(412, "shift.refused", "no server of the old side is up; --force does it all the same")
        if verb == "canary" and one["phase"] == "retired":
            raise Refused(409, "shift.phase", "a retired route has no old side to compare with")
        phase = VERBS[verb] or one["phase"]
        percent = {"canary": 1, "old": 0, "retired": 100}.get(phase, one["percent"]) if verb not in ("to", "pause", "resume", "accept", "unaccept", "approve") else body.get("percent", one["percent"])
        said = f"{name}: {verb} takes it from {one['phase']} at {one['percent']:g} % to {phase} at {percent:g} %"
        if not body.get("dry_run"):
            self.done.append((verb, name, who, body))
            self.entries.append({"seq": len(self.entries) + 1, "at": stamp(), "who": who, "verb": verb, "from": one["phase"], "to": phase,
                                 "percent": percent, "why": body["why"], "evidence": {}})
            one.update(asked="", asked_by="", needs="", phase=phase, percent=percent, paused={"pause": True, "resume": False}.get(verb, one["paused"]))
            one["revision"] += 1
            if verb == "unaccept":
                for key in self.differences["keys"]:
                    if (key["path"], key["kind"]) == (body["path"], body["kind"]):
                        key.update(verdict="open")
            if verb == "accept":
                for key in self.differences["keys"]:
                    if (key["path"], key["kind"]) == (body["path"], body["kind"]):
                        key.update(verdict="accepted", accepted_by=who)
            self.tell(one)
        return {"ok": True, "said": said, "subject": one}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    port = None

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a page that is left hangs up
            super().handle()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.port.is_down:
            self.close_connection = True
            return
        if not self.path.startswith("/shift"):
            self.pass_on()
            return
        who = self.who()
        if not who:
            self.send(401, "application/problem+json", json.dumps({"type": "urn:banyan:problem:admin.token", "detail": "no session"}))
            return
        try:
            self.shift(who)
        except Refused as refused:
            self.send(refused.status, "application/problem+json",
                      json.dumps({"type": f"urn:banyan:problem:{refused.slug}", "status": refused.status, "detail": str(refused)}))

    def ask_gateway(self, method, path, body=b""):
        host, port = self.port.gateway.admin.rsplit(":", 1)
        fields = {name: value.replace(self.port.address, self.port.gateway.admin) for name, value in self.headers.items()
                  if name.lower() not in ("connection", "content-length", "host")}
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body or None, fields)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def pass_on(self):
        status, fields, text = self.ask_gateway(self.command, self.path, self.body)
        if self.path == "/console/login" and status == 200:
            self.port.proof = json.loads(text)["proof"]
        self.send_response(status)
        for name, value in fields:
            if name.lower() not in ("content-length", "connection", "date", "server", "keep-alive", "transfer-encoding"):
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def who(self):
        status, _, text = self.ask_gateway("GET", "/console/who")
        return (json.loads(text)["name"] or "nobody") if status == 200 else None

    def send(self, status, kind, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def shift(self, who):
        parts = urllib.parse.urlsplit(self.path)
        name, _, rest = urllib.parse.unquote(parts.path.removeprefix("/shift").lstrip("/")).partition("/")
        port = self.port
        port.asked.append((self.command, self.path))
        if name == "events":
            self.stream()
            return
        with port.lock:
            if name and name not in port.subjects:
                raise Refused(404, "shift.unknown", f"there is no {name}")
            if self.command == "POST":
                if self.headers.get("X-Banyan-Proof") != port.proof:
                    raise Refused(403, "console.proof", "log in again")
                found = port.act(name, rest, json.loads(self.body), who)
            elif not name:
                found = {"gateway": "gw-1", "now": stamp(), "subjects": list(port.subjects.values())}
            elif rest == "history":
                query = urllib.parse.parse_qs(parts.query)
                before = int(query.get("before", [10**9])[0])
                found = {"entries": [entry for entry in reversed(port.entries) if entry["seq"] < before][:int(query["limit"][0])]}
            else:
                found = {"": port.show(name), "differences": port.differences, "plan": port.plan, "writes": {"name": name, "writes": []}}[rest]
            text = json.dumps(found)
        self.send(200, "application/json", text)

    def stream(self):
        told = queue.Queue()
        with self.port.lock:
            for one in self.port.subjects.values():
                told.put(copy.deepcopy(one))
            self.port.listeners.append(told)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        while (one := told.get()) is not None:
            self.wfile.write(f"event: subject\ndata: {json.dumps(one)}\n\n".encode())


class Console(Browser):
    """A person at the console."""

    def log_in(self, token):
        self.open("/console/")
        self.wait("return document.getElementById('token')")
        self.find("#token").send_keys(token + Keys.ENTER)
        self.wait("return !document.getElementById('token') && document.querySelector('h1')")

    def devtools(self, command, about):
        return self.driver.execute("executeCdpCommand", {"cmd": command, "params": about})["value"]

    def go(self, place):
        self.script("location.hash = arguments[0]", place)

    def shows(self, selector, text=""):
        """Until an element there has the text in it."""
        return self.wait("return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility() && e.textContent.includes(arguments[1]))",
                         selector, text)

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0]).innerText", selector)

    def click(self, selector):
        self.wait("return document.querySelector(arguments[0])", selector)
        self.find(selector).click()

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector, most=80):
        for _ in range(most):
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"{selector} is not reached by the Tab key")

    def picture(self, name):
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        size = self.script("return [innerWidth, document.documentElement.scrollHeight]")
        picture = self.devtools("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size[0], "height": min(size[1], 6000), "scale": 1}})
        (ARTIFACTS / f"console-{name}.png").write_bytes(base64.b64decode(picture["data"]))

    def axe(self):
        """What axe does not like, in a word each."""
        self.script(AXE())
        found = self.driver.execute_async_script("const done = arguments[0]; axe.run().then(done, (e) => done({ violations: [{ id: String(e), nodes: [] }] }))")
        return [f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for one in found["violations"] for node in one["nodes"]] + \
               [one["id"] for one in found["violations"] if not one["nodes"]]

    def complaints(self):
        """The browser's own, but for what a play brings about: an answer of 401 or 403, a connection that is gone, a write that was delivered
        before its page was asked for."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE") and
                not ("/writes?id=" in entry["message"] and "status of 404" in entry["message"]) and
                not any(word in entry["message"] for word in ("status of 400", "status of 401", "status of 403", "status of 409", "status of 412", "net::ERR", "favicon"))]

    def resize(self, width, height=900):
        self.devtools("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True})


def check_strict(browser):
    """At the end of every play: the strict policy was never in the page's way, and nothing in it went wrong."""
    assert browser.script("return window.violations || []") == []
    assert browser.complaints() == []


def visit(stage, driver, folder, where, token=None):
    """Somebody at the console of `where`, logged in with a token if there is one; leaves when the play is over."""
    browser = Console(driver, folder, where.url if hasattr(where, "subjects") else f"http://{where.admin}")
    stage.callback(browser.quit)
    stage.callback(lambda: check_strict(browser))
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", {"source":
        "window.violations = []; document.addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI))"})
    if token:
        browser.log_in(token)
    return browser
