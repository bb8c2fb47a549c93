# SPDX-License-Identifier: Apache-2.0
"""What the gateway tells of itself: the admin port and the access log."""
import concurrent.futures
import datetime
import json
import os
import pty
import re
import signal
import subprocess

import pytest
import yaml

from actors.gateway import BANYAN, everything_to
from actors.http1 import reply, request
from actors.waiting import until


@pytest.fixture
def shop(upstream):
    return upstream(answer=lambda asked: reply(int(asked.target[1:4]) if asked.target[1:2].isdigit() else 200, b"hello"))


@pytest.fixture
def gw(gateway, shop):
    return gateway(everything_to(shop))


def test_health_and_readiness(gw):
    assert gw.ask_admin("/healthz")[0] == 200
    assert gw.ask_admin("/readyz")[0] == 200
    assert gw.ask_admin("/nothing")[0] == 404
    assert gw.ask_admin("/healthz", "POST")[0] == 405


def test_metrics_are_what_prometheus_reads(gw, client):
    status, headers, text = gw.ask_admin("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    client.get(gw, "/200")
    scrape = gw.scrape()
    assert len(scrape.types) > 20 and all(name.startswith("banyan_") for name in scrape.types)
    assert text.count("# TYPE") == len(scrape.types)


def test_requests_are_counted_by_route_and_class(gw, client):
    for target, times in (("/200", 3), ("/404", 2), ("/500", 1), ("/302", 1)):
        for _ in range(times):
            client.get(gw, target)
    client.raw(gw, b"nonsense\r\n\r\n")
    for name, want in (("2xx", 3), ("3xx", 1), ("4xx", 2), ("5xx", 1)):
        gw.wait_metric("banyan_requests_total", want, route="all", **{"class": name})
        assert gw.metric("banyan_upstream_requests_total", upstream="shop", **{"class": name}) == want
    gw.wait_metric("banyan_request_seconds_count", 7, route="all")
    assert gw.metric("banyan_http_requests_total", version="refused") == 1


def test_bytes_are_counted_by_route_and_upstream(gateway, gunicorn, client, tmp_path):
    app = gunicorn("echo:app")
    (tmp_path / "ten.txt").write_text("0123456789")
    gw = gateway(everything_to(app).replace("routes: [", f"routes: [ {{ name: files, match: /files/**, files: {tmp_path} }}, "))
    answer = client.post(gw, "/x", b"x" * 70000)
    assert answer.body
    client.get(gw, "/files/ten.txt")
    gw.wait_metric("banyan_request_bytes_total", 70000, route="all")
    gw.wait_metric("banyan_response_bytes_total", len(answer.body), route="all")
    gw.wait_metric("banyan_response_bytes_total", 10, route="files")
    gw.wait_metric("banyan_upstream_request_bytes_total", 70000, upstream="shop")
    gw.wait_metric("banyan_upstream_response_bytes_total", len(answer.body), upstream="shop")


# What the admin port promises, by the words of its guide.
PROMISED = ["banyan_requests_total", "banyan_request_seconds", "banyan_request_bytes_total", "banyan_response_bytes_total",
            "banyan_upstream_requests_total", "banyan_upstream_seconds", "banyan_upstream_request_bytes_total",
            "banyan_upstream_response_bytes_total", "banyan_upstream_connections_total", "banyan_upstream_queued_total",
            "banyan_upstream_waiting", "banyan_upstream_retries_total", "banyan_upstream_ejections_total", "banyan_limit_used", "banyan_limit",
            "banyan_upstream_limit_used", "banyan_upstream_limit", "banyan_spool_bytes", "banyan_metric_fill_ratio"]


def test_promtool_accepts_the_metrics_of_a_busy_gateway_without_a_word(gateway, gunicorn, nginx, upstream, client, certificates):
    app, web, gone = gunicorn("echo:app"), nginx(), upstream()
    gone.finish()
    gw = gateway(f"""
        listen: [ "127.0.0.1:0", {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]
        upstreams:
          app: {{ servers: [ "{app.address}", "{gone.address}" ], max_connections: 4, queue: 4, health: / }}
          web: {{ servers: "{web.address}" }}
        routes:
          - {{ name: all, to: app }}
          - {{ name: web, match: /web/**, to: web }}
          - {{ name: files, match: /files/**, files: . }}
          - {{ name: expression, match: "~ ^/(a+)+$", answer: a }}
    """)
    for target in ("/", "/web/", "/files/none", "/aaaa") * 5:
        client.get(gw, target)
    client.raw(gw, b"nonsense\r\n\r\n")
    text = gw.ask_admin("/metrics")[2]
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [name for name in PROMISED if f"# TYPE {name} " not in text] == []


def test_gauges_go_up_and_down_again(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow))
    base = gw.metric("banyan_connections")
    with client.pending(gw, "/", slow):
        gw.wait_metric("banyan_connections", base + 1)
        assert gw.metric("banyan_upstream_connections", upstream="shop", server=slow.address) == 1
    slow.release()
    until(lambda: gw.metric("banyan_connections") == base, "the connection is gone")


def test_the_configuration_in_effect_is_shown_with_defaults_and_without_secrets(gateway, shop):
    gw = gateway(everything_to(shop, more='admin: { address: "127.0.0.1:0", token: "a-very-secret-token" }'), token="a-very-secret-token")
    status, _, text = gw.ask_admin("/config")
    shown = yaml.safe_load(text)
    assert status == 200 and "a-very-secret-token" not in text
    assert shown["upstreams"]["shop"]["servers"][0]["address"] == shop.address
    assert shown["upstreams"]["shop"]["balance"] == "least_request" and shown["limits"]["headers"] == 100


def test_header_values_that_come_from_elsewhere_are_sent_and_never_shown(gateway, shop, client, tmp_path):
    key = tmp_path / "key.txt"
    key.write_text("hush-1\n")
    text = (f"upstreams: {{ shop: {{ servers: [ '{shop.address}' ] }} }}\n"
            f"routes: [ {{ name: all, to: shop, request_headers: {{ set: {{ X-Key: 'file:{key}', X-Plain: open }} }} }} ]\n")
    gw = gateway(text)
    client.get(gw)
    assert shop.requests[-1].headers.get("x-key") == "hush-1"
    _, _, shown = gw.ask_admin("/config")
    route = yaml.safe_load(shown)["routes"][0]
    assert route["request_headers"]["set"] == {"X-Key": {"value": "(hidden)"}, "X-Plain": {"value": "open"}} and "hush" not in shown
    key.write_text("hush-2\n")
    gw.reload(text)
    client.get(gw)
    assert shop.requests[-1].headers.get("x-key") == "hush-2" and "hush" not in gw.stderr


def test_a_token_is_asked_for_on_all_that_tells(gateway, shop):
    gw = gateway(everything_to(shop, more='admin: { address: "127.0.0.1:0", token: "a-very-secret-token" }'), token="a-very-secret-token")
    for page in ("/metrics", "/config"):
        assert gw.ask_admin(page, Authorization="")[0] == 401
        assert gw.ask_admin(page, Authorization="Bearer a-very-secret-tokem")[0] == 401
        assert gw.ask_admin(page)[0] == 200
    assert gw.ask_admin("/healthz", Authorization="")[0] == 200


def test_a_page_of_another_site_cannot_read_the_admin_port(gw):
    """DNS rebinding: the browser asks 127.0.0.1 by a name of the attacker's."""
    assert gw.ask_admin("/metrics", Host="evil.test")[0] == 421
    assert gw.ask_admin("/metrics", Host="localhost:1")[0] == 200


def test_the_admin_port_can_be_off(gateway, shop, client):
    gw = gateway(everything_to(shop, more="admin: off"))
    assert not [line for line in gw.lines if line.startswith("admin")]
    assert client.get(gw).status == 200


# What is told to it

TOKEN = "a-very-secret-token"
WITH_TOKEN = f'admin: {{ address: "127.0.0.1:0", token: "{TOKEN}" }}'


@pytest.fixture
def guarded(gateway, shop):
    return gateway(everything_to(shop, more=WITH_TOKEN), token=TOKEN)


def test_a_reload_answers_what_is_different(guarded, shop):
    status, headers, text = guarded.ask_admin("/config/reload", "POST")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert json.loads(text) == {
        "file": str(guarded.file), "restart": [], "warnings": [],
        **{kind: {"same": 1, "added": [], "removed": [], "changed": []} for kind in ("listeners", "upstreams", "routes")}}
    guarded.write(f"""
        upstreams:
          shop: {{ servers: [ "{shop.address}" ], queue: 5 }}
          more: {{ servers: [ "{shop.address}" ] }}
        routes:
          - {{ name: all, match: /**, to: more }}
          - {{ name: new, match: /new, to: shop }}
        listen: [ {{ address: "127.0.0.1:0", h2c: on }}, "127.0.0.1:0" ]
        threads: 1
        {WITH_TOKEN}
    """)
    told = json.loads(guarded.ask_admin("/config/reload", "POST")[2])
    assert told["upstreams"] == {"same": 0, "added": ["more"], "removed": [], "changed": ["shop"]}
    assert told["routes"] == {"same": 0, "added": ["new"], "removed": [], "changed": ["all"]}
    assert told["listeners"]["changed"] == ["127.0.0.1:0"] or told["listeners"]["added"] == ["127.0.0.1:0"]
    assert told["restart"] == ["threads"]
    guarded.write(everything_to(shop, more=WITH_TOKEN))
    told = json.loads(guarded.ask_admin("/config/reload", "POST")[2])
    assert told["routes"]["removed"] == ["new"] and told["upstreams"]["removed"] == ["more"]
    assert guarded.metric("banyan_reloads_total") == 3


def test_a_reload_that_cannot_be_answers_every_mistake(guarded, shop, client):
    guarded.file.write_text("upstreams: { shop: { servers: [ 'x' ], balanse: hash } }\nroutes:\n  - { name: all, to: shpo }\nlisten: ':0'\n")
    status, headers, text = guarded.ask_admin("/config/reload", "POST")
    problem = json.loads(text)
    assert status == 422 == problem["status"] and headers["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:banyan:problem:conf.invalid" and problem["file"] == str(guarded.file)
    assert [(mistake["line"], mistake["column"] > 1) for mistake in problem["mistakes"]] == [(1, True), (1, True), (3, True)]
    assert client.get(guarded, "/200").status == 200
    guarded.file.unlink()
    assert guarded.ask_admin("/config/reload", "POST")[0] == 422
    assert guarded.metric("banyan_reloads_failed_total") == 2


def test_reloads_by_many_are_done_one_after_the_other(guarded):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(guarded.ask_admin, "/config/reload", "POST") for _ in range(16)]
        assert {one.result()[0] for one in asked} == {200}
    assert guarded.metric("banyan_reloads_total") == 16


def test_drain_by_the_admin_port_is_that_of_sigterm(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more=WITH_TOKEN), token=TOKEN)
    with client.pending(gw, "/", slow) as wire:
        assert gw.ask_admin("/drain", "POST")[0] == 202
        until(lambda: gw.ask_admin("/readyz")[0] == 503, "not ready any more")
        assert gw.ask_admin("/drain", "POST")[0] == 202, "twice is no second signal"
        assert gw.ask_admin("/config/reload", "POST")[0] == 503
        slow.release()
        assert wire.answer().text == "ok"
    assert gw.program.wait(10) == 0
    gw.stop()


@pytest.mark.parametrize("page", ["/config/reload", "/drain"])
@pytest.mark.parametrize("method, headers, status", [
    ("GET", {}, 405),
    ("POST", {"Authorization": ""}, 401),
    ("POST", {"Authorization": "Bearer a-very-secret-tokem"}, 401),
    ("POST", {"Host": "evil.test"}, 421),
    ("POST", {"Origin": "http://evil.test"}, 403),
    ("POST", {"Origin": "null"}, 403),
    ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("POST", {"Sec-Fetch-Site": "same-site"}, 403),
])
def test_what_changes_something_is_guarded(guarded, page, method, headers, status):
    assert guarded.ask_admin(page, method, **headers)[0] == status
    assert guarded.metric("banyan_reloads_total") == 0 and guarded.ask_admin("/readyz")[0] == 200


def test_its_own_page_may_ask(guarded):
    assert guarded.ask_admin("/config/reload", "POST", Origin=f"http://{guarded.admin}", **{"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_without_a_token_nothing_can_be_changed(gw):
    """Anybody on the machine reaches loopback."""
    for page in ("/config/reload", "/drain"):
        status, _, text = gw.ask_admin(page, "POST")
        assert status == 403 and "admin.token" in text
    assert gw.ask_admin("/readyz")[0] == 200


# Who it is told by

def test_each_token_has_a_name_and_a_role(gateway, shop, tmp_path):
    (tmp_path / "ann").write_text("ann-has-this-secret\n")
    gw = gateway(everything_to(shop, more=f"""
        admin:
          address: "127.0.0.1:0"
          token: {TOKEN}
          tokens:
            - {{ name: ann, token: "file:{tmp_path}/ann", role: operate }}
            - {{ name: bob, token: bob-has-this-secret }}
    """), token=TOKEN)
    for token, sees, reloads in ((TOKEN, 200, 200), ("ann-has-this-secret", 200, 200), ("bob-has-this-secret", 200, 403), ("x", 401, 401)):
        who = {"Authorization": f"Bearer {token}"}
        assert gw.ask_admin("/upstreams", **who)[0] == sees
        status, headers, text = gw.ask_admin("/config/reload", "POST", **who)
        assert status == reloads
    assert gw.ask_admin("/config")[2].count("(hidden)") == 3
    problem = json.loads(gw.ask_admin("/drain", "POST", Authorization="Bearer bob-has-this-secret")[2])
    assert problem["type"] == "urn:banyan:problem:admin.role" and "bob has view" in problem["detail"]


def test_refusals_are_problem_documents(gw):
    for path, method, slug in (("/nothing", "GET", "admin.unknown"), ("/config", "POST", "admin.method"), ("/drain", "POST", "admin.token_needed")):
        status, headers, text = gw.ask_admin(path, method)
        problem = json.loads(text)
        assert headers["Content-Type"] == "application/problem+json"
        assert (problem["status"], problem["type"]) == (status, f"urn:banyan:problem:{slug}")
    assert gw.ask_admin("/config", "POST")[1]["Allow"] == "GET" and "/upstreams" in gw.ask_admin("/nothing")[2]


# The access log

def test_a_record_tells_the_request(gw, shop, client):
    client.post(gw, "/a%20b?x=1&token=hidden", b"12345", "User-Agent: plays/1", "Referer: http://from.test/?code=hidden", host="Shop.test:81")
    record = gw.record()
    want = {"method": "POST", "status": 200, "query": "x=1&token=***", "agent": "plays/1", "client": "127.0.0.1", "bytes_in": 5,
            "bytes_out": 5, "route": "all", "upstream": "shop", "server": shop.address, "version": "1.1"}
    assert {key: record[key] for key in want} == want
    assert record["host"] in ("shop.test", "Shop.test") and record["path"] in ("/a%20b", "/a b")
    when = datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60
    assert 0 < record["duration"] < 60e9
    assert "hidden" not in gw.access_path.read_text()


def test_a_record_of_a_server_that_was_not_reached_names_it_and_says_why(gateway, upstream, nginx, client):
    gone, plain = upstream(), nginx()
    gone.finish()
    gw = gateway(f"""
        upstreams:
          gone: {{ servers: "{gone.address}" }}
          unknown: {{ servers: "no.such.name.invalid:80" }}
          plain: {{ servers: "{plain.address}", tls: {{}} }}
        routes:
          - {{ name: gone, match: /gone, to: gone }}
          - {{ name: unknown, match: /unknown, to: unknown }}
          - {{ name: plain, match: /plain, to: plain }}
    """)
    for path, server, code, words in (("/gone", gone.address, "upstream.refused", "refused the connection"),
                                      ("/unknown", "no.such.name.invalid:80", "upstream.connect", "no.such.name.invalid"),
                                      ("/plain", plain.address, "upstream.connect", "did not speak TLS")):
        answer = client.get(gw, path)
        record = gw.record(id=answer.headers.get("x-request-id")).row
        assert (answer.status, record["banyan.server"], record["error.code"]) == (502, server, code)
        assert words in record["error.message"]
        assert path == "/gone" or words not in answer.problem["detail"]  # what is inside is no client's business


def test_there_is_one_record_for_each_request(gw, client):
    wire = client.connect(gw)
    wire.pipeline(*[request(target=f"/{200 + number}") for number in range(40)])
    client.raw(gw, b"GET / HTTP/1.1\r\n\r\n")
    client.get(gw, "/404")
    records = gw.records(42)
    assert len(records) == 42
    assert [record["status"] for record in records].count(400) == 1
    assert len({record["id"] for record in records if record["id"]}) >= 41


def test_what_a_client_sends_cannot_break_a_line(gw, client):
    client.raw(gw, b'GET /a"b%0a HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: \x80\xff"\\ {"status":200}\r\nReferer: \t\xe2\x80\xa8\r\n\r\n')
    client.get(gw, "/200")
    gw.records(2)
    for line in gw.access_path.read_bytes().splitlines():
        json.loads(line)


def test_a_client_that_left_is_in_the_log(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow))
    with client.pending(gw, "/left", slow) as wire:
        wire.reset()
        record = gw.record(path="/left")
    assert record["status"] in (None, 0, 499)


def test_the_log_file_is_opened_anew_on_sigusr1(gw, client):
    client.get(gw, "/200")
    gw.records(1)
    moved = gw.access_path.rename(gw.access_path.with_suffix(".1"))
    gw.program.signal(signal.SIGUSR1)
    until(gw.access_path.exists, "the new file")
    client.get(gw, "/404")
    assert gw.record()["status"] == 404
    assert len(moved.read_text().splitlines()) == 1


def test_the_text_format_is_one_line_too(gateway, shop, client, tmp_path):
    path = tmp_path / "access.log"
    gw = gateway(everything_to(shop, more=f'access_log: {{ to: "{path}", format: text }}'))
    client.get(gw, "/418")
    line = until(lambda: path.exists() and path.read_text(), "the line")
    assert line.count("\n") == 1 and "418" in line and "/418" in line


def test_on_a_terminal_lines_are_for_people_and_elsewhere_for_programs(tmp_path, shop, client):
    """The same configuration, its log on standard output: a terminal, then a pipe."""
    (tmp_path / "banyan.yaml").write_text("listen: 127.0.0.1:0\nadmin: off\n" + everything_to(shop))
    for ends in (pty.openpty, os.pipe):
        mine, its = ends()
        with subprocess.Popen([BANYAN, "serve", "-c", tmp_path / "banyan.yaml"], stdout=its, stderr=subprocess.DEVNULL) as program, \
                os.fdopen(mine, "rb", buffering=0) as out:
            os.close(its)
            said = b""
            while b"ready" not in said:
                said += out.read(4096)
            client.get(re.search(rb"http://(\S+)", said)[1].decode(), "/418")
            while b"/418" not in said or not said.endswith(b"\n"):
                said += out.read(4096)
            program.terminate()
        last = said.decode().splitlines()[-1]
        assert last.startswith("{") == (ends is os.pipe) and "418" in last, last
