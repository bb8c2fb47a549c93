# SPDX-License-Identifier: Apache-2.0
"""Static files: what is given, to whom, which part of it, and never what lies outside. nginx is the judge of validators and
ranges."""
import gzip
import hashlib
import os
import re
import time

import pytest
from hyperframe import frame as frames

from actors.client import Client, Wire
from actors.gateway import run_banyan
from actors.h2wire import get
from actors.http1 import request
from actors.waiting import until

JSON = "Accept: application/json"
LONG_AGO = 1600000000
DATE = "Sun, 13 Sep 2020 12:26:40 GMT"
BEFORE = "Sun, 13 Sep 2020 12:26:39 GMT"
AFTER = "Sun, 13 Sep 2020 12:26:41 GMT"
LETTERS = bytes(range(97, 123)) * 40


def noise(size):
    """Bytes that are the same each time and never at two places."""
    return b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(size // 32 + 1))[:size]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder, and something beside it that nobody may see."""
    home = tmp_path_factory.mktemp("site")
    (home / "secret.txt").write_text("secret")
    (home / "public-not").mkdir()
    (home / "public-not/x.txt").write_text("secret")
    folder = home / "public"
    for name, content in {
        "index.html": b"<h1>home</h1>", "letters.txt": LETTERS, "app.js": b"let a = 1;\n" * 100, "empty.txt": b"", "data.xyz": b"?",
        "photo.png": noise(40000), "large.bin": noise(3 << 20), "sub/index.html": b"sub", "sub/page.html": b"page", "no-index/x.txt": b"x",
        "a b/\u00e4 \u20ac.txt": b"named", ".env": b"secret", ".git/config": b"secret", "sub/.hidden": b"secret",
        ".well-known/security.txt": b"Contact: x", "index.html.d/x": b"", "stale.css": b"new", "unreadable.txt": b"secret",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name in ("app.js", "stale.css", "letters.txt"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes(), mtime=0))
    (folder / "app.js.br").write_bytes(b"brotli")
    links = {"inside.txt": "letters.txt", "out.txt": "../secret.txt", "up": "..", "passwd": "/etc/passwd", "twin": "../public-not",
             "sub-link": "sub", "loop": "loop", "round.txt": "../public/letters.txt"}
    for name, target in links.items():
        (folder / name).symlink_to(target)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.utime(file, (LONG_AGO, LONG_AGO))
    os.utime(folder / "stale.css.gz", (LONG_AGO - 1, LONG_AGO - 1))
    return folder


def serving(site, match="/static/**", more="", end=""):
    return (f'upstreams: {{ shop: {{ servers: [ "127.0.0.1:9" ] }} }}\nroutes:\n'
            f'  - {{ name: static, match: "{match}", files: {{ dir: "{site}"{more} }} }}\n'
            f'  - {{ name: rest, to: shop }}\n{end}\n')


@pytest.fixture(scope="module")
def gw(long_stage, site):
    return long_stage.gateway(serving(site, more=', cache: "public, max-age=60"', end='listen: [ { address: "127.0.0.1:0", h2c: true } ]'))


@pytest.fixture(scope="module")
def lax(long_stage, site):
    return long_stage.gateway(serving(site, end="paths: { encoded_slash: on, double_slash: on, dot_parameters: on }"))


@pytest.fixture
def client(long_stage):
    return Client(long_stage)


def test_a_file_is_given_with_all_that_is_known_of_it(gw, client):
    answer = client.get(gw, "/static/letters.txt")
    assert (answer.status, answer.body) == (200, LETTERS)
    told = {name: answer.headers.get(name) for name in (
        "content-type", "last-modified", "etag", "accept-ranges", "cache-control", "vary", "x-content-type-options", "content-length")}
    assert told == {"content-type": "text/plain; charset=utf-8", "last-modified": DATE, "etag": f'"5f5e1000-{len(LETTERS):x}"',
                    "accept-ranges": "bytes", "cache-control": "public, max-age=60", "vary": "Accept-Encoding",
                    "x-content-type-options": "nosniff", "content-length": str(len(LETTERS))}
    record = gw.record(path="/static/letters.txt", method="GET")
    assert (record["route"], record["status"], record["bytes_out"], record["upstream"]) == ("static", 200, len(LETTERS), None)
    assert record["id"] == answer.headers.get("x-request-id")


@pytest.mark.parametrize("path, type_", [
    ("index.html", "text/html; charset=utf-8"), ("app.js", "text/javascript; charset=utf-8"), ("photo.png", "image/png"),
    ("data.xyz", "application/octet-stream"), ("empty.txt", "text/plain; charset=utf-8"),
])
def test_types_go_by_the_name(gw, client, path, type_):
    assert client.get(gw, f"/static/{path}").headers.get("content-type") == type_


def test_head_says_the_same_without_the_bytes(gw, client):
    for path in ("letters.txt", "large.bin", "empty.txt"):
        whole, head = client.get(gw, f"/static/{path}"), client.ask(gw, "HEAD", f"/static/{path}")
        drop = ("date", "x-request-id")
        assert [pair for pair in whole.headers if pair[0].lower() not in drop] == [pair for pair in head.headers if pair[0].lower() not in drop]
        assert head.body == b"" and len(whole.body) == int(head.headers.get("content-length"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_other_methods_are_told_so(gw, client, method):
    answer = client.ask(gw, method, "/static/letters.txt", JSON)
    assert answer.status == 405 and answer.headers.get("allow") == "GET, HEAD" and answer.slug == "gateway.method"


@pytest.mark.parametrize("target", [
    "/static/none.txt", "/static/letters.txt/", "/static/letters.txt/x", "/static/.env", "/static/.git/config", "/static/sub/.hidden",
    "/static/out.txt", "/static/up/secret.txt", "/static/passwd", "/static/twin/x.txt", "/static/loop", "/static/no-index/", "/static/%2Eenv",
    "/static/index.html.d/", "/static/" + "x" * 300, "/static/sub/.", "/static/letters.txt.", "/static/letters.txt%20",
])
def test_what_is_not_there_for_clients_is_404(gw, client, target):
    answer = client.get(gw, target, JSON)
    if target.endswith("/."):
        assert answer.status == 200 and answer.body == b"sub"  # canonical: /static/sub/
    else:
        assert answer.status == 404 and answer.slug == "gateway.no_file"


@pytest.mark.parametrize("target", [
    "/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/..%2fsecret.txt", "/static/%2e%2e%2fsecret.txt", "/static/..\\secret.txt",
    "/static/..%5csecret.txt", "/static/....//secret.txt", "/static/.%2e/%2e%2e/%2e%2e/etc/passwd", "/static//../secret.txt",
    "/static/letters.txt%00.png", "/static/%c0%ae%c0%ae/secret.txt", "/static/sub/../../secret.txt", "/static/..;/secret.txt",
    "//static/../../etc/passwd", "/static/file:///etc/passwd", "/static//etc/passwd", "/static/%2fetc/passwd",
])
@pytest.mark.parametrize("rules", ["strict", "lax"])
def test_nothing_outside_the_folder_is_ever_given(gw, lax, client, target, rules):
    answer = client.get({"strict": gw, "lax": lax}[rules], target, JSON)
    assert answer.status in (400, 404, 502) and b"root:" not in answer.body and answer.body != b"secret"


def test_links_within_the_folder_are_followed(gw, client):
    assert client.get(gw, "/static/inside.txt").body == LETTERS
    assert client.get(gw, "/static/sub-link/page.html").body == b"page"
    assert client.get(gw, "/static/.well-known/security.txt").body == b"Contact: x"


def test_names_may_hold_anything(gw, client):
    assert client.get(gw, "/static/a%20b/%C3%A4%20%E2%82%AC.txt").body == b"named"


def test_a_file_that_may_not_be_read_is_403(gateway, site, client):
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (site / "unreadable.txt").chmod(0)
    answer = client.get(gateway(serving(site)), "/static/unreadable.txt", JSON)
    assert answer.status == 403 and answer.slug == "gateway.file_denied"


def test_a_folder_is_its_index_at_an_address_with_a_slash(gw, client):
    assert client.get(gw, "/static/").body == b"<h1>home</h1>"
    assert client.get(gw, "/static/sub/").body == b"sub"
    for target, location in (("/static", "/static/"), ("/static/sub", "/static/sub/"), ("/static/sub?a=1", "/static/sub/?a=1"),
                             ("/static/a%20b", "/static/a%20b/"), ("/static/no-index", "/static/no-index/")):
        answer = client.get(gw, target)
        assert (answer.status, answer.headers.get("location")) == (301, location)


def test_a_folders_slash_makes_no_host_of_a_path(gateway, site, client):
    gw = gateway(serving(site, match="/**", end="paths: { double_slash: on }"))
    assert client.get(gw, "//sub").headers.get("location") == "/sub/"


def test_a_single_page_answers_for_what_is_not_there(gateway, site, client):
    gw = gateway(serving(site, match="/**", more=", fallback: /index.html"))
    for target in ("/", "/account/7", "/none.js", "/no-index/"):
        answer = client.get(gw, target)
        assert (answer.status, answer.body, answer.headers.get("content-type")) == (200, b"<h1>home</h1>", "text/html; charset=utf-8")
    assert client.get(gw, "/app.js").body.startswith(b"let a")
    assert client.get(gw, "/sub").status == 301
    assert client.get(gw, "/.env").status == 404
    etag = client.get(gw, "/account").headers.get("etag")
    assert client.get(gw, "/account", f"If-None-Match: {etag}").status == 304


def test_a_folder_of_files_does_not_hide_a_page_of_the_application(gateway, site, client, upstream):
    app = upstream()
    gw = gateway(f"""
        upstreams: {{ app: {{ servers: [ "{app.address}" ] }} }}
        routes: [ {{ name: all, match: {{ path: /** }}, files: "{site}", to: app }} ]
        """)
    assert client.get(gw, "/letters.txt").body == LETTERS and not app.requests
    assert client.get(gw, "/sub").headers.get("location") == "/sub/"  # it has an index
    assert client.get(gw, "/no-index").status == 200 and [request.target for request in app.requests] == ["/no-index"]


def test_which_file_is_the_routes_to_say(gateway, site, client):
    rows = [
        ('match: /letters.txt, files: "{site}"', "/letters.txt", LETTERS),
        ('match: "/app/sub/**", strip_prefix: /app, files: "{site}"', "/app/sub/page.html", b"page"),
        ('match: "/p/{{name}}", rewrite: "/sub/{{name}}.html", files: "{site}"', "/p/page", b"page"),
        ('match: "/i/**", files: {{ dir: "{site}/sub", index: [ none.html, page.html ] }}', "/i/", b"page"),
    ]
    routes = "\n".join(f"  - {{ name: r{number}, {row.format(site=site)} }}" for number, (row, _, _) in enumerate(rows))
    gw = gateway("routes:\n" + routes)
    for _, target, body in rows:
        assert client.get(gw, target).body == body, target
    assert client.get(gw, "/p/none", JSON).status == 404


# Compressed forms

FORMS = [
    (None, None), ("gzip", "gzip"), ("br", "br"), ("gzip, br", "br"), ("br;q=0.5, gzip;q=0.8", "gzip"), ("gzip;q=0.5", "gzip"),
    ("gzip;q=0, br;q=0", None), ("identity", None), ("identity;q=1, gzip;q=0.5", None), ("*", "br"), ("*;q=0.3, br;q=0", "gzip"),
    ("deflate, zstd", None), ("gzip, deflate, br, zstd", "br"), ("x-gzip", "gzip"),
]


@pytest.mark.parametrize("accept, coding", FORMS)
def test_a_compressed_form_is_given_to_those_who_take_it(gw, client, site, accept, coding):
    answer = client.get(gw, "/static/app.js", *([f"Accept-Encoding: {accept}"] if accept else []))
    assert answer.status == 200 and answer.headers.get("content-encoding") == coding
    assert answer.body == (site / f"app.js{ {'gzip': '.gz', 'br': '.br'}.get(coding, '') }").read_bytes()
    assert answer.headers.get("content-type") == "text/javascript; charset=utf-8" and answer.headers.get("vary") == "Accept-Encoding"
    assert answer.headers.get("etag").endswith(f'-{coding}"' if coding else f'-{len(answer.body):x}"')
    again = client.get(gw, "/static/app.js", *([f"Accept-Encoding: {accept}"] if accept else []), f"If-None-Match: {answer.headers.get('etag')}")
    assert again.status == 304 and again.headers.get("vary") == "Accept-Encoding" and again.headers.get("etag") == answer.headers.get("etag")


def test_a_form_older_than_its_file_is_not_given(gw, client):
    answer = client.get(gw, "/static/stale.css", "Accept-Encoding: gzip")
    assert answer.body == b"new" and "content-encoding" not in answer.headers


def test_a_part_of_a_compressed_form(gw, client, site):
    answer = client.get(gw, "/static/app.js", "Accept-Encoding: gzip", "Range: bytes=2-5")
    assert answer.status == 206 and answer.body == (site / "app.js.gz").read_bytes()[2:6] and answer.headers.get("content-encoding") == "gzip"


def test_what_is_compressed_by_itself_does_not_vary(gw, client):
    assert "vary" not in client.get(gw, "/static/photo.png", "Accept-Encoding: gzip").headers


def test_forms_can_be_turned_off(gateway, site, client):
    answer = client.get(gateway(serving(site, more=", precompressed: off")), "/static/app.js", "Accept-Encoding: gzip")
    assert "content-encoding" not in answer.headers and "vary" not in answer.headers


# Validators and ranges, as nginx does them

NGINX = """location /static/ {{ alias {site}/; if_modified_since before; absolute_redirect off; max_ranges 16; gzip_static on; gzip_vary on;
    default_type application/octet-stream; charset utf-8; charset_types text/plain text/css text/html;
    types {{ text/html html; text/plain txt; text/css css; image/png png; application/json json; }} }}"""
SIZE = len(LETTERS)
ETAG = f'"5f5e1000-{SIZE:x}"'
TAG = f"If-None-Match: {ETAG}"
ASKED = [
    [], ["Range: bytes=0-0"], ["Range: bytes=0-9"], ["Range: bytes=10-"], ["Range: bytes=-10"], [f"Range: bytes=-{SIZE * 2}"],
    [f"Range: bytes=0-{SIZE * 2}"], [f"Range: bytes={SIZE - 1}-"], [f"Range: bytes={SIZE}-"], ["Range: bytes=-0"], ["Range: bytes=9-1"],
    ["Range: bytes=0-1,5-6"], ["Range: bytes=5-6,0-1"], ["Range: bytes=0-1, 3-4 ,-1"], ["Range: bytes=0-1,9999-"], ["Range: bytes=0-600,500-"],
    ["Range: bytes=0-,0-,0-"], ["Range: bytes="], ["Range: bytes=a"], ["Range: bytes=1-2x"], ["Range: bytes=--1"], ["Range: lines=1-2"],
    ["Range: bytes=0-18446744073709551616"], ["Range: BYTES=1-3"], ["Range: bytes= 1 - 3"], ["Range: bytes=0-1,"],
    ["Range: bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(16))], ["Range: bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(17))],
    ["Range: bytes=0-1", f"If-Range: {ETAG}"], ["Range: bytes=0-1", 'If-Range: "x"'], ["Range: bytes=0-1", f"If-Range: {DATE}"],
    ["Range: bytes=0-1", f"If-Range: {BEFORE}"], ["Range: bytes=0-1", f"If-Range: {AFTER}"], ["Range: bytes=0-1", "If-Range: x"],
    [TAG], [f"If-None-Match: W/{ETAG}"], ['If-None-Match: "x"'], [f'If-None-Match: "x", {ETAG}'], ["If-None-Match: *"],
    [f"If-Modified-Since: {DATE}"], [f"If-Modified-Since: {BEFORE}"], [f"If-Modified-Since: {AFTER}"], ["If-Modified-Since: x"],
    ["If-Modified-Since: Sunday, 13-Sep-20 12:26:40 GMT"], ["If-Modified-Since: Sun Sep 13 12:26:40 2020"],
    [f"If-Match: {ETAG}"], ['If-Match: "x"'], ["If-Match: *"], [f"If-Match: W/{ETAG}"], [f'If-Match: "x", {ETAG}'],
    [f"If-Unmodified-Since: {DATE}"], [f"If-Unmodified-Since: {BEFORE}"], [f"If-Unmodified-Since: {AFTER}"],
    [TAG, f"If-Modified-Since: {DATE}"], ['If-None-Match: "x"', f"If-Modified-Since: {DATE}"], [TAG, "Range: bytes=0-1"],
    ['If-Match: "x"', "Range: bytes=0-1"], [f"If-Match: {ETAG}", TAG],
]
COMPARED = ("content-type", "content-length", "content-range", "content-encoding", "last-modified", "etag", "location")


@pytest.fixture(scope="module")
def judge(long_stage, site):
    return long_stage.nginx(NGINX.format(site=site))


def plain(body, content_type):
    """A multipart body with its boundary's name made the same for all."""
    found = re.match(r"multipart/byteranges; boundary=(\S+)$", content_type or "")
    return body.replace(found[1].encode(), b"BOUNDARY") if found else body


def said(answer):
    """What two servers must agree on; bodies of errors are their own."""
    headers = {name: answer.headers.get(name) for name in COMPARED}
    if answer.status >= 400:
        return answer.status, headers["content-range"]
    if answer.status in (301, 304):
        return answer.status, headers["etag"], headers["last-modified"], headers["location"]
    body = plain(answer.body, headers["content-type"])
    if (headers["content-type"] or "").startswith("multipart/"):
        assert int(headers["content-length"]) == len(answer.body)
        headers.update({"content-type": "multipart", "content-length": None})  # boundaries have any length
    return answer.status, body, headers


@pytest.mark.parametrize("headers", ASKED, ids=lambda headers: "; ".join(headers)[:70] or "plain")
def test_nginx_would_answer_the_same(gw, judge, client, headers):
    ours, theirs = client.get(gw, "/static/letters.txt", *headers), client.get(judge, "/static/letters.txt", *headers)
    assert said(ours) == said(theirs)


@pytest.mark.parametrize("target, headers", [
    ("/static/", []), ("/static/sub/", []), ("/static/sub", []), ("/static/sub?a=1", []), ("/static/empty.txt", []),
    ("/static/empty.txt", ["Range: bytes=0-"]), ("/static/empty.txt", ["Range: bytes=1-"]), ("/static/empty.txt", ["Range: bytes=-1"]),
    ("/static/photo.png", ["Range: bytes=39990-"]), ("/static/photo.png", ["Range: bytes=0-10,20-30"]), ("/static/none.txt", []),
    ("/static/large.bin", ["Range: bytes=1000000-2000000"]), ("/static/large.bin", ["Range: bytes=0-99999,2000000-2100000"]),
    ("/static/inside.txt", []), ("/static/a%20b/%C3%A4%20%E2%82%AC.txt", []), ("/static/none.txt", ['If-Match: "x"']),
    ("/static/letters.txt/", []), ("/static/sub", [f"If-Modified-Since: {DATE}"]),
], ids=str)
def test_and_so_for_other_files(gw, judge, client, target, headers):
    ours, theirs = client.get(gw, target, *headers), client.get(judge, target, *headers)
    assert said(ours) == said(theirs)


def test_where_we_keep_to_the_letter_and_nginx_does_not(gw, client):
    """RFC 9110 13.2.2: a tag decides, whatever the date. 13.1.4: what is no date does not count. 14.2: ranges are for GET."""
    assert client.get(gw, "/static/letters.txt", "If-Unmodified-Since: x").status == 200
    assert client.get(gw, "/static/letters.txt", TAG, f"If-Modified-Since: {BEFORE}").status == 304
    assert client.get(gw, "/static/letters.txt", f"If-Match: {ETAG}", f"If-Unmodified-Since: {BEFORE}").status == 200
    head = client.ask(gw, "HEAD", "/static/letters.txt", "Range: bytes=0-1")
    assert head.status == 200 and head.headers.get("content-length") == str(SIZE)


def test_errors_of_conditions_are_problems_and_keep_the_connection(gw, client):
    wire = client.connect(gw)
    failed = wire.ask(request("GET", "/static/letters.txt", 'If-Match: "x"', JSON))
    assert (failed.status, failed.slug) == (412, "gateway.precondition")
    missed = wire.ask(request("GET", "/static/letters.txt", "Range: bytes=9999-", JSON))
    assert (missed.status, missed.slug, missed.headers.get("content-range")) == (416, "gateway.range", f"bytes */{SIZE}")
    assert wire.ask(request("GET", "/static/letters.txt")).body == LETTERS


# Large files

def test_a_large_file_comes_whole_on_every_kind_of_connection(site, client, gw, h2):
    want = (site / "large.bin").read_bytes()
    wire = client.connect(gw)
    for _ in range(3):
        assert wire.ask(request("GET", "/static/large.bin")).body == want
    assert wire.ask(request("GET", "/static/large.bin", "Range: bytes=100000-2999999")).body == want[100000:3000000]
    assert client.raw(gw, request("GET", "/static/large.bin", version="HTTP/1.0")).body == want
    stream = h2(gw).ask(get("/static/large.bin"))
    assert stream.status == 200 and bytes(stream.body) == want
    part = h2(gw).ask(get("/static/large.bin", ("range", "bytes=70000-1999999")))
    assert part.status == 206 and bytes(part.body) == want[70000:2000000]


def test_over_tls(gateway, site, certificates):
    gw = gateway(serving(site, end=f'listen: [ {{ address: "127.0.0.1:0", tls: [ {certificates.yaml()} ] }} ]'))
    want = (site / "large.bin").read_bytes()
    with Wire(gw.tls_address, tls=certificates.trust(), sni="shop.test") as wire:
        assert wire.ask(request("GET", "/static/large.bin")).body == want
        assert wire.ask(request("GET", "/static/letters.txt", "Range: bytes=1-3")).body == LETTERS[1:4]


def test_slow_readers_wait_without_holding_others(gw, client, site):
    """More of them than there are threads, each with a full socket."""
    want = (site / "large.bin").read_bytes()
    slow = [client.connect(gw, receive_buffer=4096) for _ in range(8)]
    for wire in slow:
        wire.send(request("GET", "/static/large.bin"))
    for _ in range(20):
        assert client.get(gw, "/static/letters.txt").body == LETTERS
    for wire in slow:
        assert wire.answer().body == want


def test_a_client_that_leaves_in_the_middle_lets_go_of_the_file(gateway, site, client):
    gw = gateway(serving(site))
    for _ in range(5):
        wire = client.connect(gw, receive_buffer=4096)
        wire.send(request("GET", "/static/large.bin"))
        wire.head()
        wire.reset()
    gw.records(5, path="/static/large.bin")
    until(lambda: gw.metric("banyan_files_open") <= 2, "no more are open than the two threads keep")


def test_a_file_that_becomes_shorter_closes_the_connection(gateway, client, tmp_path):
    file = tmp_path / "file.bin"
    file.write_bytes(b"x" * (64 << 20))
    gw = gateway(serving(tmp_path))
    wire = client.connect(gw, receive_buffer=4096)
    wire.send(request("GET", "/static/file.bin"))
    assert wire.head().headers.get("content-length") == str(64 << 20)
    os.truncate(file, 1 << 20)
    got = 0
    wire.sock.settimeout(30)
    while piece := wire.sock.recv(1 << 20):
        got += len(piece)
    assert got < 64 << 20
    assert gw.record(path="/static/file.bin")["error"] == "http.file_cut"


# Change

def test_a_file_that_is_replaced_is_seen(gateway, client, tmp_path):
    def put(text):
        (tmp_path / "fresh").write_text(text)
        (tmp_path / "fresh").rename(tmp_path / "page.txt")

    put("one")
    gw = gateway(serving(tmp_path))
    wire = client.connect(gw)
    assert wire.ask(request("GET", "/static/page.txt")).text == "one"
    put("two")
    until(lambda: wire.ask(request("GET", "/static/page.txt")).text == "two", "the new file")
    (tmp_path / "page.txt").unlink()
    until(lambda: wire.ask(request("GET", "/static/page.txt")).status == 404, "that it is gone")
    put("three")
    assert wire.ask(request("GET", "/static/page.txt")).text == "three"


def test_a_release_that_switches_a_link_is_seen(gateway, client, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.txt").write_text(name)
    (tmp_path / "current").symlink_to("a")
    gw = gateway(serving(tmp_path / "current"))
    assert client.get(gw, "/static/page.txt").text == "a"
    (tmp_path / "next").symlink_to("b")
    (tmp_path / "next").rename(tmp_path / "current")
    until(lambda: client.get(gw, "/static/page.txt").text == "b", "the new release")


def test_what_was_just_written_has_a_weak_tag_and_no_ranges_by_it(gateway, client, tmp_path):
    (tmp_path / "page.txt").write_text("0123456789")
    ahead = time.time() + 1
    os.utime(tmp_path / "page.txt", (ahead, ahead))
    gw = gateway(serving(tmp_path))
    answer = client.get(gw, "/static/page.txt")
    etag = answer.headers.get("etag")
    assert etag.startswith('W/"') and client.get(gw, "/static/page.txt", f"If-None-Match: {etag}").status == 304
    part = client.get(gw, "/static/page.txt", "Range: bytes=0-1", f"If-Range: {etag}")
    assert part.status == 200 and part.text == "0123456789"


def test_files_are_kept_and_counted(gateway, site, client):
    gw = gateway(serving(site))
    wire = client.connect(gw)
    for _ in range(10):
        assert wire.ask(request("GET", "/static/photo.png")).status == 200
    assert gw.metric("banyan_files_kept") == 1 and gw.metric("banyan_files_open") == 1
    assert gw.metric("banyan_files_hits_total") + gw.metric("banyan_files_misses_total") == 10
    gw.wait_metric("banyan_requests_total", 10, route="static", **{"class": "2xx"})


def test_many_at_once_all_come_whole(gw, client, site):
    """Different files, different sizes, on connections that do not read at first."""
    names = ["letters.txt", "photo.png", "large.bin", "app.js", "empty.txt"] * 6
    wires = [(name, client.connect(gw)) for name in names]
    for name, wire in wires:
        wire.send(request("GET", f"/static/{name}"))
    for name, wire in wires:
        assert wire.answer().body == (site / name).read_bytes(), name


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path):
    file = tmp_path / "b.yaml"
    file.write_text(f"listen: 127.0.0.1:8080\nroutes:\n  - {{ name: static, files: \"{tmp_path}/none\" }}\n")
    code, _, errors = run_banyan("check", "-c", file)
    assert code == 2 and "No such file or directory" in errors



def test_a_file_lives_as_long_as_the_requests_that_got_it(gateway, h2, tmp_path):
    """Over HTTP/2, where answers wait for the window, and their heads may be looked at after a request has ended. The files are
    written anew meanwhile and asked for by others; who began with the old ones gets them to their end. The sanitizers look on."""
    folder = tmp_path / "site"
    folder.mkdir()
    sizes = {"large.js": 40000, "small.js": 9000}  # one is kept open, one is kept whole

    def write(turn):
        for name, size in sizes.items():
            (tmp_path / name).write_bytes(noise(size + turn))
            (tmp_path / name).rename(folder / name)

    write(0)
    gw = gateway(serving(folder, end='listen: [ { address: "127.0.0.1:0", h2c: true } ]\nthreads: 1'))  # each keeps files of its own
    for turn in range(1, 5):
        wire = h2(gw, window=False)  # 64 KiB for all of it: the second waits in its middle, the others at their beginning
        names = ["large.js", "large.js"] + ["small.js", "large.js"] * 5
        asked = {wire.open(): name for name in names}
        wire.send(*[frame for number, name in asked.items() for frame in wire.headers_frames(number, get(f"/static/{name}"))])
        gone = [wire.open() for _ in range(20)]
        wire.send(*[frame for number in gone for frame in (*wire.headers_frames(number, get("/static/small.js")),
                                                           frames.RstStreamFrame(number, error_code=8))])
        wire.read_until(lambda: all(wire.streams[number].headers for number in asked))
        write(turn)
        with Wire(gw.address) as other:
            for name, size in sizes.items():
                until(lambda: len(other.ask(request(target=f"/static/{name}")).body) == size + turn, "the new file is given")
        wire.send(frames.WindowUpdateFrame(0, window_increment=1 << 20))
        for number, name in asked.items():
            assert wire.answer(number).body == noise(sizes[name] + turn - 1), name
