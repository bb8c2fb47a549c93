# SPDX-License-Identifier: Apache-2.0
"""A visitor with Chromium, who remembers what he saw and what went over the network.

Nothing is waited for by time: an action that leaves a page waits for the next document to be complete, anything else for a
condition in the page. Chromium reaches 127.0.0.1 only, and ends when the pipe to chromedriver does."""
import base64
import collections
import contextlib
import hashlib
import json
import re
import subprocess
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.file_detector import UselessFileDetector

from actors.process import Program, listening_socket
from actors.waiting import until

OFF = ("BackForwardCache", "SpareRendererForSitePerProcess", "Translate", "OptimizationHints", "MediaRouter", "PasswordLeakDetection",
       "HttpsUpgrades", "PaintHolding")
FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking",
         "--disable-component-update", "--disable-default-apps", "--disable-sync", "--disable-extensions", "--disable-gpu",
         "--no-first-run", "--no-proxy-server", f"--disable-features={','.join(OFF)}", "--password-store=basic",
         "--window-size=1280,1000", "--lang=en-GB", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
PATIENCE_S = 40.0
UNTOLD = ("/favicon.ico", "often=")  # what Chromium asks for when it feels like it, and what a page asks until it likes the answer
# What differs although nothing is different: where it runs, when, and what is drawn at random.
BLURS = tuple((re.compile(pattern), blur) for pattern, blur in (
    (r"https?://127\.0\.0\.1:\d+", "ORIGIN"), (r"127\.0\.0\.1:\d+", "HOST"),
    (r"\b\d{1,2}(:\d\d)? [ap]\.m\.|\bnoon\b|\bmidnight\b|\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b[0-9a-f]{32}\b", "UUID"),
    (r"\b\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z.]* \d{4}", "DATE"),
    (r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z.]* \d{1,2}, \d{4}", "DATE"),
    (r"(the server responded with a status of \d+) \([^)]*\)", r"\1")))
# Fields of an answer that say how it was carried, or who carried it.
CARRIERS = {"connection", "keep-alive", "transfer-encoding", "date", "via", "x-request-id"}
ARRIVED = "return window.left !== arguments[0] && document.readyState === 'complete'"
EMPTIED = "const field = document.querySelector(`[name=${arguments[0]}]`); if (field.type !== 'file') field.value = ''; return field"
IMAGES = """for (const image of document.images) image.loading = 'eager';
return [...document.images].every((image) => image.complete && image.naturalWidth > 0)"""
Page = collections.namedtuple("Page", "name path title text cookies console")
Seen = collections.namedtuple("Seen", "method path status kind mime")


def blur(text):
    for pattern, by in BLURS:
        text = pattern.sub(by, text)
    return text


def is_told(text):
    return not any(part in text for part in UNTOLD)


def fingerprint(certificate):
    """Of its key, as --ignore-certificate-errors-spki-list wants it."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


def chromedriver(folder):
    """Starts Chromium for those who ask; a program as any other, so that it is never left behind."""
    own = listening_socket()
    port = own.getsockname()[1]
    own.close()  # it takes no socket of others
    program = Program("chromedriver", folder, ["/usr/bin/chromedriver", f"--port={port}", "--log-level=WARNING"], stdout=subprocess.PIPE)
    for line in program.process.stdout:
        if b"started successfully" in line:
            program.url = f"http://127.0.0.1:{port}"
            return program
    raise AssertionError(f"chromedriver did not start\n{program.report()}")


class Browser:
    def __init__(self, driver, folder, base, certificate=None, words=()):
        self.base, self.folder = base, folder
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, *words):
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={folder}")
        if certificate:
            options.add_argument(f"--ignore-certificate-errors-spki-list={fingerprint(certificate)}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Remote(command_executor=ChromiumRemoteConnection(driver.url, "goog", "chrome"), options=options)
        self.driver.file_detector = UselessFileDetector()
        self.pages, self.log, self.departures = [], [], 0

    def quit(self):
        self.driver.quit()

    # Going somewhere

    def script(self, text, *args):
        return self.driver.execute_script(text, *args)

    def ask(self, text, *args):
        """The script's answer, or None while the page is being left."""
        try:
            return self.script(text, *args)
        except WebDriverException:
            return None

    def wait(self, text, *args):
        """Until the script gives something true."""
        return until(lambda: self.ask(text, *args), f"{text} {args} after {self.pages[-1:]}", within=PATIENCE_S)

    @contextlib.contextmanager
    def leaving(self):
        """Around what leads to another document; ends when that is there. Going back may bring one that was left before."""
        self.departures += 1
        self.script("window.left = arguments[0]", self.departures)
        yield
        self.wait(ARRIVED, self.departures)

    def leave(self, action, *args):
        with self.leaving():
            action(*args)

    def open(self, path):
        self.leave(self.driver.get, self.base + path)

    def back(self):
        self.leave(self.driver.back)

    def follow(self, text, within="body"):
        """A link, by its words."""
        link = self.wait("return [...document.querySelectorAll(arguments[0] + ' a')].find((a) => a.textContent.trim() === arguments[1])",
                         within, text)
        self.leave(self.script, "arguments[0].click()", link)

    # Doing something there

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def fill(self, **fields):
        """Form fields by name, typed as a person would."""
        for name, value in fields.items():
            self.script(EMPTIED, name).send_keys(str(value))

    def press(self, selector):
        """A button that sends a form."""
        self.leave(self.script, "arguments[0].click()", self.find(selector))

    def fetch(self, path, **options):
        """(status, body) of a request that the page makes."""
        return self.driver.execute_async_script(
            "const done = arguments[2]; fetch(arguments[0], arguments[1]).then(async (r) => done([r.status, await r.text()]))",
            path, options)

    def digest(self, path):
        """SHA-256 of what the page gets there."""
        return self.driver.execute_async_script("""const done = arguments[1];
            fetch(arguments[0]).then((r) => r.arrayBuffer()).then((b) => crypto.subtle.digest('SHA-256', b))
            .then((d) => done([...new Uint8Array(d)].map((b) => b.toString(16).padStart(2, '0')).join('')))""", path)

    def wait_text(self, selector, text):
        self.wait("return (document.querySelector(arguments[0]) || {}).textContent === arguments[1]", selector, text)

    # Remembering

    def look(self, name, without=None):
        """Remembers the page; without: a part of it that moves by itself."""
        self.wait(IMAGES)
        parts = urlsplit(self.driver.current_url)
        text = self.script("""const moving = arguments[0] && document.querySelector(arguments[0]);
            if (moving) moving.style.display = 'none'; return document.body.innerText""", without)
        cookies = sorted((c["name"], c["path"], c["httpOnly"], c["secure"], c.get("sameSite"), "expiry" in c)
                         for c in self.driver.get_cookies())
        console = sorted(blur(entry["message"]) for entry in self.driver.get_log("browser")
                         if entry["level"] in ("WARNING", "SEVERE") and is_told(entry["message"]))
        self.pages.append(Page(name, blur(f"{parts.path}?{parts.query}"), blur(self.driver.title),
                               [blur(line) for line in text.splitlines() if line.strip()], cookies, console))

    def read_log(self):
        """What the network did since the beginning."""
        self.log += [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return self.log

    def is_asked(self, path):
        """Has a request for this path been sent that is not answered yet?"""
        open_requests = {}
        for event in self.read_log():
            what, about = event["method"], event["params"]
            if what == "Network.requestWillBeSent":
                open_requests[about["requestId"]] = urlsplit(about["request"]["url"]).path
            elif what in ("Network.loadingFailed", "Network.loadingFinished"):
                open_requests.pop(about["requestId"], None)
        return path in open_requests.values()


class Traffic:
    """A browser's network log, in terms that can be compared. Beacons are left out: a page that is gone hears no answer. So is
    the length of pages, which tell the time."""

    def __init__(self, log, base):
        self.seen = collections.Counter()
        self.fields, self.protocols, self.failed = {}, set(), set()
        asked, extras = collections.defaultdict(list), collections.defaultdict(list)
        for event in log:
            what, about = event["method"], event["params"]
            if what == "Network.requestWillBeSent" and about["request"]["url"].startswith(base) and is_told(about["request"]["url"]):
                if "redirectResponse" in about:
                    self.answer(asked[about["requestId"]], about["redirectResponse"])
                asked[about["requestId"]].append({"method": about["request"]["method"], "url": about["request"]["url"],
                                                  "kind": about.get("type"), "answer": None})
            elif what == "Network.responseReceived" and about["requestId"] in asked:
                self.answer(asked[about["requestId"]], about["response"])
            elif what == "Network.responseReceivedExtraInfo":
                extras[about["requestId"]].append(about)
            elif what == "Network.loadingFailed" and about["requestId"] in asked and not about.get("canceled"):
                self.failed.add((asked[about["requestId"]][-1]["url"], about["errorText"]))
        for request_id, hops in asked.items():
            for number, hop in enumerate(hops):
                if hop["answer"]:
                    self.note(hop, extras[request_id][number] if len(extras[request_id]) == len(hops) else None)

    @staticmethod
    def answer(hops, response):
        hops[-1]["answer"] = response

    def note(self, hop, extra):
        answer, path = hop["answer"], blur(urlsplit(hop["url"])._replace(scheme="", netloc="").geturl())
        if hop["kind"] == "Ping":
            return
        self.seen[Seen(hop["method"], path, answer["status"], hop["kind"], answer["mimeType"])] += 1
        if answer.get("fromDiskCache") or not extra:
            return
        self.protocols.add(answer["protocol"])
        fields = (pair for name, value in extra["headers"].items() for pair in self.field(name.lower(), value))
        kept = tuple(sorted(pair for pair in fields if pair[0] != "content-length" or answer["mimeType"] != "text/html"))
        self.fields.setdefault((hop["method"], path, answer["status"]), set()).add(kept)

    @staticmethod
    def field(name, value):
        """What of a field is compared: of cookies all but what is in them."""
        if name in CARRIERS or (name, value) == ("content-length", "0"):  # HTTP/2 says that with a flag
            return
        for line in value.split("\n"):
            if name == "set-cookie":
                line = re.sub(r"expires=[^;]*", "expires=DATE", re.sub(r"^(\w+)=(\"\"|[^;]*)", r"\1", line))
            elif name in ("last-modified", "server-timing"):
                line = re.sub(r"\d+(\.\d+)?", "N", line)
            yield name, blur(line)

    @property
    def documents(self):
        """How often what was asked for by somebody, not by the page; in whatever order."""
        return collections.Counter({seen: count for seen, count in self.seen.items() if seen.kind == "Document"})

    @property
    def kinds(self):
        return set(self.seen)
