# SPDX-License-Identifier: Apache-2.0
"""`banyan init`: a configuration from nothing, and from nginx sites that a real nginx serves beside it."""
import json
import pathlib
import re
import urllib.parse

import pytest
import yaml

from actors import http1, servers
from actors.client import Client
from actors.gateway import run_banyan
from actors.process import reserved_port

SITES = pathlib.Path(__file__).parent / "nginx"
HOST = "shop.example.org"


def filled(name, folder, **places):
    """A sample with the play's paths and addresses in it, written to the folder."""
    text = (SITES / name).read_text()
    for place, value in {"FOLDER": folder, "SITE": folder / "site", **places}.items():
        text = text.replace(f"@{place}@", str(value))
    left = re.findall(r"@[A-Z0-9]+@", text)
    assert not left, left
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


def write_site(folder):
    """The files that the samples serve."""
    files = {
        "static/css/shop.css": "body { color: green }\n", "static/js/shop.js": "let a = 1;\n", "static/img/favicon.ico": "icon",
        "static/index.html": "<p>an index</p>\n", "static/a b.txt": "a blank\n", "media/photo.jpg": "jpeg" * 100,
        "media/deep/er/notes.txt": "notes\n", "private/report.txt": "for members\n", "acme/.well-known/acme-challenge/token": "token\n",
        "errors/50x.html": "<h1>Back soon</h1>\n", "index.html": "<p>the start</p>\n", "about.html": "<p>about</p>\n",
    }
    for name, text in files.items():
        path = folder / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def start_nginx(stage, folder, conf, own):
    home = folder / "home"
    home.mkdir()
    server = servers.Server("nginx", folder, ["/usr/sbin/nginx", "-p", home, "-c", conf, "-e", "stderr", "-g", "daemon off; user root;"], own)
    return stage.enter(server, server.finish)


def carried(conf, code=4):
    """(what `banyan init` made of it, what it said)."""
    got, out, errors = run_banyan("init", "--from", conf)
    assert got == code, errors
    return yaml.load(out, Loader=yaml.BaseLoader), errors  # "off" stays a word


def anywhere(configuration):
    """The same on ports of the system's choice."""
    listen = [one if isinstance(one, dict) else {"address": one} for one in configuration["listen"]]
    configuration["listen"] = [{**one, "address": "127.0.0.1:0"} for one in listen]
    configuration.pop("admin", None)
    configuration.pop("access_log", None)
    return yaml.safe_dump(configuration, sort_keys=False)


class Pair:
    """nginx, and the gateway that was made of its configuration, asked the same."""

    def __init__(self, stage, certificates):
        self.stage, self.client = stage, Client(stage)
        self.folder = stage.folder
        apps = [stage.gunicorn("behind:app", threads=4) for _ in range(2)]
        (plain, own), (tls, own_tls) = reserved_port(), reserved_port()
        stage.callback(own_tls.close)
        write_site(self.folder)
        self.conf = filled("django.conf", self.folder, APP1=apps[0].address, APP2=apps[1].address, PLAIN=f"127.0.0.1:{plain}",
                           TLS=f"127.0.0.1:{tls}", CERT=certificates.certificate(), KEY=certificates.key())
        start_nginx(stage, self.folder, self.conf, own)
        configuration, self.said = carried(self.conf)
        gateway = stage.gateway(anywhere(configuration))
        self.where = {"nginx": (f"127.0.0.1:{plain}", f"127.0.0.1:{tls}"), "banyan": (gateway.address, gateway.tls_address)}
        self.tls = certificates.trust()
        self.tls.check_hostname = False

    def ask(self, who, method, target, *headers, body=None, host=HOST, plain=False):
        address = self.where[who][0 if plain else 1]
        options = {} if plain else {"tls": self.tls, "sni": host}
        return self.client.raw(address, http1.request(method, target, *headers, body=body, host=host), method, **options)

    def both(self, *words, **options):
        return [self.ask(who, *words, **options) for who in ("nginx", "banyan")]


@pytest.fixture(scope="module")
def pair(long_stage, certificates):
    return Pair(long_stage, certificates)


def listed(answer, name):
    """The items of a list header, however many lines it has."""
    return sorted(item.strip() for line in answer.headers.all(name) for item in line.split(","))


def is_own(answer):
    """The text of a redirect is the server's own."""
    return answer.status in (301, 302) and (not answer.body or answer.body.startswith(b"<html>"))


def essence(answer, target, host, plain, body=True):
    """What must not differ."""
    body = body and not is_own(answer)
    base = f"{'http' if plain else 'https'}://{host}{target}"
    location = answer.headers.get("location")
    kind = answer.headers.get("content-type")
    return {
        "status": answer.status,
        "location": location and re.sub(r":\d+(?=/)", "", urllib.parse.urljoin(base, location)),
        "body": answer.body if body else None,
        "type": kind.split(";")[0].replace("application/javascript", "text/javascript") if kind and body else None,
        "length": answer.headers.get("content-length") if body else None,
        "cache": listed(answer, "cache-control") if body else None,
        "frames": answer.headers.get("x-frame-options"),
        "hsts": answer.headers.get("strict-transport-security"),
        "cookies": answer.headers.all("set-cookie"),
        "powered": answer.headers.all("x-powered-by"),
    }


def get(target, *headers, **options):
    return ("GET", target, *headers), options


# What a site is asked in a day. errors: whose text is the server's own, and of which only the status and the site's own
# headers are the same.
REQUESTS = [
    get("/"),
    get("/?page=2&sort=price"),
    get("/catalogue/shoes/42/"),
    get("/a%20b/%C3%A9t%C3%A9"),
    get("/x", "Cookie: session=1"),
    get("/x", "Accept-Encoding: gzip"),
    (("HEAD", "/catalogue/"), {}),
    (("POST", "/order/"), {"body": b"item=1&count=2"}),
    (("PUT", "/order/1"), {"body": b"{}"}),
    (("DELETE", "/order/1"), {}),
    (("OPTIONS", "/order/1"), {}),
    (("POST", "/order/"), {"body": b"x" * 60000}),
    (("POST", "/order/", "Content-Length: 70000"), {"errors": True}),
    (("POST", "/upload/photo"), {"body": b"x" * 70000}),
    (("POST", "/upload/photo"), {"body": b"x" * (1 << 20)}),
    (("POST", "/upload/photo", "Content-Length: 3000000"), {"errors": True}),
    get("/login"),
    get("/gone"),
    get("/cached"),
    get("/favicon.ico"),
    get("/robots.txt"),
    get("/health"),
    get("/static/css/shop.css"),
    get("/static/js/shop.js"),
    get("/static/a%20b.txt"),
    get("/static/css/shop.css?v=7"),
    (("HEAD", "/static/css/shop.css"), {}),
    get("/static/css/shop.css", "Range: bytes=0-3"),
    get("/static/"),
    get("/static/none.css", errors=True),
    get("/static/css"),
    get("/static/.././static/css/shop.css"),
    get("/static/%2e%2e/static/%63ss/shop.css"),
    (("POST", "/static/css/shop.css"), {"body": b"x", "errors": True}),
    get("/static"),
    get("/media/photo.jpg"),
    get("/media/deep/er/notes.txt"),
    get("/media/none.jpg", errors=True),
    get("/media"),
    get("/protected/report.txt", errors=True),
    get("/protected"),
    get("/download/report"),
    get("/download/nowhere", errors=True),
    get("/api/v1/users/7?fields=name"),
    get("/api/v1/"),
    get("/api/v1"),
    get("/api/v2/users"),
    get("/old-shop/shoes/42?from=mail"),
    get("/old-shop/"),
    get("/old-shop"),
    get("/upload"),
    get("/ws/chat"),
    get("/", host="www.shop.example.org"),
    get("/deep/path?x=1", host="www.shop.example.org"),
    get("/", host="unknown.example.org"),
    get("/", plain=True),
    get("/some/where?x=1&y=2", plain=True),
    get("/some/where", plain=True, host="www.shop.example.org"),
    get("/.well-known/acme-challenge/token", plain=True),
    get("/.well-known/acme-challenge/none", plain=True, errors=True),
    get("/static/css/shop.css", plain=True),
]


def name_of(case):
    (method, target, *headers), options = case
    return " ".join([method, target[:40], *headers, *(f"{key}={value}"[:30] for key, value in options.items() if key != "body")])


@pytest.mark.parametrize("case", REQUESTS, ids=name_of)
def test_a_django_site_answers_the_same_from_nginx_and_from_what_init_made_of_it(pair, case):
    words, options = case
    options = dict(options)
    errors = options.pop("errors", False)
    answers = pair.both(*words, **options)
    whole = [essence(answer, words[1], options.get("host", HOST), options.get("plain", False), not errors) for answer in answers]
    assert whole[0] == whole[1], [answer.raw[:400] for answer in answers]
    assert not errors or whole[0]["status"] >= 400
    assert "etag" not in answers[0].headers or "etag" in answers[1].headers


def test_there_are_enough_requests():
    assert len(REQUESTS) >= 60


def test_what_is_meant_to_differ_does(pair):
    """A folder that has no index is no secret (403) but nothing at all (404), and a server gets a path in one form."""
    assert [answer.status for answer in pair.both("GET", "/static/css/")] == [403, 404]
    paths = [answer.json["path"] for answer in pair.both("GET", "/a/./b/../c")]
    assert paths == ["/a/./b/../c", "/a/c"]
