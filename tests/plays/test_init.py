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


def filled(name, folder, certificates, **places):
    """A sample with the play's paths and addresses in it, written to the folder."""
    text = (SITES / name).read_text()
    places = {"FOLDER": folder, "SITE": folder / "site", "CERT": certificates.certificate(), "KEY": certificates.key(),
              "PLAIN": "127.0.0.1:8480", "TLS": "127.0.0.1:8443", "APP1": "127.0.0.1:8001", "APP2": "127.0.0.1:8002", **places}
    for place, value in places.items():
        text = text.replace(f"@{place}@", str(value))
    left = re.findall(r"@[A-Z0-9]+@", text)
    assert not left, left
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


def write_site(folder):
    """The files that the samples name."""
    files = {
        "site/static/css/shop.css": "body { color: green }\n", "site/static/js/shop.js": "let a = 1;\n", "site/static/img/favicon.ico": "icon",
        "site/static/index.html": "<p>an index</p>\n", "site/static/a b.txt": "a blank\n", "site/static/robots.txt": "Disallow:\n",
        "site/media/photo.jpg": "jpeg" * 100, "site/media/deep/er/notes.txt": "notes\n", "site/private/report.txt": "for members\n",
        "site/acme/.well-known/acme-challenge/token": "token\n", "site/errors/50x.html": "<h1>Back soon</h1>\n",
        "site/index.html": "<p>the start</p>\n", "site/about.html": "<p>about</p>\n", "site/docs/index.htm": "<p>old</p>\n",
        "site/nobody/x.txt": "x", "site/members/x.txt": "x", "site/list/x.txt": "x",
        "proxy_params": "proxy_set_header Host $http_host;\nproxy_set_header X-Real-IP $remote_addr;\n"
                        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header X-Forwarded-Proto $scheme;\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


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

    def __init__(self, stage, certificates, name, apps):
        self.client, self.folder = Client(stage), stage.folder / name.replace(".conf", "")
        self.folder.mkdir()
        write_site(self.folder)
        (plain, own), (tls, own_tls) = reserved_port(), reserved_port()
        stage.callback(own_tls.close)
        conf = filled(name, self.folder, certificates, APP1=apps[0].address, APP2=apps[1].address, PLAIN=f"127.0.0.1:{plain}", TLS=f"127.0.0.1:{tls}")
        self.start_nginx(stage, conf, own)
        configuration, self.said = carried(conf)
        gateway = stage.gateway(anywhere(configuration))
        tls_address = gateway.addresses("listening", "https")
        self.where = {"nginx": (f"127.0.0.1:{plain}", f"127.0.0.1:{tls}"), "banyan": (gateway.address, *tls_address)}
        self.tls = certificates.trust()
        self.tls.check_hostname = False

    def start_nginx(self, stage, conf, own):
        home = self.folder / "home"
        home.mkdir()
        text = "".join(line for line in conf.read_text().splitlines(True) if not line.startswith("user "))
        (home / "nginx.conf").write_text(text)
        command = ["/usr/sbin/nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr", "-g", "daemon off; user root;"]
        server = servers.Server(f"nginx-{self.folder.name}", stage.folder, command, own)
        stage.enter(server, server.finish)

    def ask(self, who, method, target, *headers, body=None, host=HOST, plain=False):
        address = self.where[who][0 if plain else 1]
        options = {} if plain else {"tls": self.tls, "sni": host}
        return self.client.raw(address, http1.request(method, target, *headers, body=body, host=host), method, **options)

    def both(self, *words, **options):
        return [self.ask(who, *words, **options) for who in ("nginx", "banyan")]

    def compare(self, case, **usual):
        words, options = case
        options = {**usual, **options}
        errors = options.pop("errors", False)
        answers = self.both(*words, **options)
        whole = [essence(answer, words[1], options.get("host", HOST), options.get("plain", False), not errors) for answer in answers]
        assert whole[0] == whole[1], [answer.raw[:400] for answer in answers]
        assert not errors or whole[0]["status"] >= 400
        assert "etag" not in answers[0].headers or "etag" in answers[1].headers


@pytest.fixture(scope="module")
def pair(long_stage, certificates):
    """Pairs by the names of samples, with one pair of servers behind them all."""
    apps = [long_stage.gunicorn("behind:app", threads=4) for _ in range(2)]
    made = {}

    def of(name):
        if name not in made:
            made[name] = Pair(long_stage, certificates, name, apps)
        return made[name]
    return of


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


# Files first, the application for the rest.
GUNICORN = [
    get("/"), get("/robots.txt"), get("/css/shop.css"), get("/css"), get("/css/"), get("/img/favicon.ico"), get("/a%20b.txt"),
    get("/robots.txt?v=1"), get("/catalogue/42/?page=2"), get("/login"), get("/gone"), get("/index.html"), get("/css/none.css"),
    (("POST", "/order/"), {"body": b"item=1"}), (("HEAD", "/robots.txt"), {}), (("HEAD", "/catalogue/"), {}),
    get("/robots.txt", host="www.example.com"), get("/50x.html"),
]
# Which location it is.
LOCATIONS = [
    get("/"), get("/some/page?x=1"), get("/exact"), get("/exact/"), get("/replaced/a/b?c=d"), get("/replaced/"), get("/replaced"),
    get("/stripped/a/b"), get("/stripped/"), get("/stripped"), get("/again/a/b?c=d"), get("/again/"), get("/whole"), get("/whole/a"),
    get("/static/css/shop.css"), get("/static/js/shop.js"), get("/static"), get("/static/none.txt", errors=True),
    get("/static/private/x", errors=True), get("/static/private/x.css"), get("/some/where.css"), get("/SOME/WHERE.CSS"), get("/x.css/y"),
    get("/users/anna/letters/one.txt"), get("/users/anna/one.css"), get("/users/anna/"), get("/photos/photo.jpg"),
    get("/photos/none.jpg", errors=True), get("/photos/photo.png"), get("/docs/page"), get("/docs/page.css"), get("/docs/api/x"),
    get("/docs/api/x.css"), get("/docs"), get("/docs/old/page.php?a=1"), get("/docs/old/page.html", errors=True), get("/docs/old/x.css"),
    get("/.htaccess", errors=True), get("/a/.htpasswd", errors=True), get("/media/photo.jpg"), get("/media/deep/er/notes.txt"),
    get("/feed"), get("/feed?x=1"), get("/feeds"), get("/blog/12/a-title"), get("/blog/x/a-title"), get("/wiki/Main/Page?a=b"), get("/wiki/"),
    get("/people/anna"), get("/people/anna/x"), get("/t/de/shoes"), get("/t/deu/shoes"), get("/logo.png"), get("/logoxpng"),
    get("/a/b", host="old.example.com"), get("/a/b?x=1", host="old.example.com"), get("/a/b", host="new.example.com"), get("/a/b", host="example.com"),
    get("/exact", host="elsewhere.org"), (("POST", "/replaced/x"), {"body": b"12345"}),
    get("/moved/a/b?c=d"), get("/placed/a/b"), get("/first/favicon.ico"), get("/first/none?x=1"), get("/product/7"), get("/img/favicon.ico"),
    get("/account/login/"), get("/account/login"), get("/account/login/x"), get("/account/both"), get("/account/both/x"),
    get("/hidden/x", errors=True), get("/shut/x", errors=True), get("/back-door/x", errors=True),
]
# A page for everything.
SINGLE_PAGE = [
    get("/"), get("/index.html"), get("/about.html"), get("/no/such/page"), get("/docs/"), get("/static/css/shop.css"), get("/none.css", errors=True),
    get("/static/img/favicon.ico"), get("/media/photo.jpg"), get("/api/users?x=1"), get("/api/"), get("/api"), get("/api/login"), get("/api/x.css", errors=True),
    get("/private/report.txt"), get("/nobody/x.txt", errors=True), (("POST", "/api/users"), {"body": b"{}"}), (("HEAD", "/about.html"), {}),
    get("/50x.html", errors=True),
]


@pytest.mark.parametrize("case", REQUESTS, ids=name_of)
def test_a_django_site_answers_the_same_from_nginx_and_from_what_init_made_of_it(pair, case):
    pair("django.conf").compare(case)


@pytest.mark.parametrize("case", GUNICORN, ids=name_of)
def test_files_come_first_and_the_application_answers_for_the_rest(pair, case):
    pair("gunicorn.conf").compare(case, plain=True, host="example.com")


@pytest.mark.parametrize("case", LOCATIONS, ids=name_of)
def test_the_same_location_takes_the_same_path(pair, case):
    pair("locations.conf").compare(case, plain=True, host="example.com")


@pytest.mark.parametrize("case", SINGLE_PAGE, ids=name_of)
def test_a_single_page_stands_for_what_is_not_there(pair, case):
    pair("single-page.conf").compare(case, plain=True, host="example.com")


def test_a_header_that_files_have_anyway_is_there_once(pair):
    answers = pair("locations.conf").both("GET", "/media/photo.jpg", plain=True, host="example.com")
    assert [answer.headers.all("x-content-type-options") for answer in answers] == [["nosniff"], ["nosniff"]]


def test_there_are_enough_requests():
    assert len(REQUESTS) >= 60


def test_what_is_meant_to_differ_does(pair):
    """A folder that has no index is no secret (403) but nothing at all (404), and a server gets a path in one form."""
    assert [answer.status for answer in pair("django.conf").both("GET", "/static/css/")] == [403, 404]
    paths = [answer.json["path"] for answer in pair("django.conf").both("GET", "/a/./b/../c")]
    assert paths == ["/a/./b/../c", "/a/c"]


def told_lines(errors, conf):
    return {int(line) for line in re.findall(rf"^{re.escape(str(conf))}:(\d+): ", errors, re.M)}


@pytest.fixture
def site(tmp_path, certificates):
    write_site(tmp_path)
    return lambda name: filled(name, tmp_path, certificates)


@pytest.mark.parametrize("name", sorted(path.name for path in SITES.glob("*.conf")))
def test_what_comes_of_a_sample_is_in_order(site, tmp_path, name):
    code, _, errors = run_banyan("init", "--from", site(name), "-o", tmp_path / "banyan.yaml")
    assert code in (0, 4), errors
    code, out, errors = run_banyan("check", "-c", tmp_path / "banyan.yaml")
    assert code == 0, out + errors


def test_everything_that_is_left_out_is_named_with_its_line(site):
    conf = site("left-out.conf")
    wanted = {number for number, line in enumerate(conf.read_text().splitlines(), 1) if line.endswith("#!")}
    configuration, errors = carried(conf)
    assert told_lines(errors, conf) == wanted
    assert re.search(rf"^banyan init: of \d+ directives {len(wanted)} were not, or not quite, carried over$", errors, re.M)
    code, out, _ = run_banyan("init", "--from", conf, "--json")
    told = json.loads(out)
    assert code == 4 and {row["line"] for row in told["left_out"]} == wanted
    assert all(row["advice"] and row["directive"] and row["file"] == str(conf) for row in told["left_out"])
    assert told["mistakes"] == [] and yaml.load(told["configuration"], Loader=yaml.BaseLoader) == configuration


def test_what_is_left_out_stands_where_it_would_be(site):
    _, out, _ = run_banyan("init", "--from", site("left-out.conf"))
    before, route = re.sub(r"\n *#   ", " ", out).split("  - name: secret\n")
    assert re.search(r"\n  # \S+: auth_basic members: not carried over: .*\n  # \S+: auth_basic_user_file .*\n$", before)
    assert "maintenance: { status: 403" in route.split("  - ")[0]
    before = re.sub(r"\n *#   ", " ", out).split("  - name: all\n")[0].rpartition("\n  - ")[2]
    assert "proxy_cache c: not carried over: " in before and "proxy_set_header X-Country $country: not carried over: " in before


def test_what_was_protected_is_closed(site, gateway, client):
    configuration, _ = carried(site("left-out.conf"))
    gw = gateway(anywhere(configuration))
    for path, status in {"/secret/": 403, "/checked/": 403, "/php/": 501, "/anywhere/?where=x": 501, "/lua/": 501, "/closed/": 404}.items():
        assert client.get(gw, path, host="shop.example.com").status == status, path


def test_all_of_it_is_exit_code_zero(tmp_path):
    (tmp_path / "site.conf").write_text("server {\n listen 127.0.0.1:8480;\n location / { proxy_pass http://127.0.0.1:8000; proxy_set_header Host $host; }\n}\n")
    code, out, errors = run_banyan("init", "--from", "site.conf", cwd=tmp_path)
    assert (code, errors) == (0, "") and "127.0.0.1:8000" in out


def test_a_mistake_in_nginx_s_file_is_told_with_its_line(tmp_path):
    (tmp_path / "nginx.conf").write_text("http {\n server {\n  listen 80\n }\n}\n")
    code, out, errors = run_banyan("init", "--from", "nginx.conf", cwd=tmp_path)
    assert (code, out) == (2, "") and 'nginx.conf:4: unexpected "}"' in errors
    (tmp_path / "nginx.conf").write_text("events {}\n")
    code, _, errors = run_banyan("init", "--from", "nginx.conf", cwd=tmp_path)
    assert code == 2 and "no server block" in errors
    assert run_banyan("init", "--from", tmp_path / "none.conf")[0] == 5


def test_a_certificate_that_cannot_be_read_is_said_now(tmp_path):
    (tmp_path / "nginx.conf").write_text("server { listen 443 ssl; ssl_certificate tls/a.pem; ssl_certificate_key tls/a.key; location / { return 404; } }")
    code, out, errors = run_banyan("init", "--from", "nginx.conf", cwd=tmp_path)
    assert code == 4 and str(tmp_path / "tls/a.pem") in out
    assert re.search(r"banyan\.yaml:\d+:\d+: .*tls/a\.pem: No such file", errors) and "not in order yet" in errors


def test_the_smallest_configuration_serves(gunicorn, gateway, client, tmp_path):
    app = gunicorn("behind:app")
    code, out, errors = run_banyan("init", "--upstream", app.address, "--listen", "127.0.0.1:0", "-o", tmp_path / "banyan.yaml")
    assert (code, out, errors) == (0, "", "")
    text = (tmp_path / "banyan.yaml").read_text()
    assert text.count("#") > 8 and run_banyan("check", tmp_path / "banyan.yaml")[0] == 0
    gw = gateway(text.replace("admin: 127.0.0.1:8081", 'admin: "127.0.0.1:0"'))
    assert client.get(gw, "/x?y=1").json["path"] == "/x"


def test_without_options_it_is_printed_and_in_order(tmp_path):
    code, out, _ = run_banyan("init")
    (tmp_path / "banyan.yaml").write_text(out)
    assert code == 0 and ":8080" in out and "127.0.0.1:8000" in out
    assert run_banyan("check", tmp_path / "banyan.yaml")[0] == 0
    assert "127.0.0.1:8000" in json.loads(run_banyan("init", "--json")[1])["configuration"]


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "banyan.yaml").write_text("mine")
    code, _, errors = run_banyan("init", "-o", "banyan.yaml", cwd=tmp_path)
    assert code == 7 and "--force" in errors and (tmp_path / "banyan.yaml").read_text() == "mine"
    assert run_banyan("init", "-o", "banyan.yaml", "--force", cwd=tmp_path)[0] == 0
    assert "monolith" in (tmp_path / "banyan.yaml").read_text()


@pytest.mark.parametrize("words", [("--upstream", "nonsense"), ("--listen", "x:y"), ("--from", "x", "--listen", ":80"), ("more",)])
def test_wrong_use_is_said(words):
    code, out, errors = run_banyan("init", *words)
    assert (code, out) == (2, "") and errors
