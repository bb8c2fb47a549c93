# SPDX-License-Identifier: Apache-2.0
"""`banyan load`: who comes and when, over which connections and from where; what it is given and what it leaves behind."""
import collections
import json
import re
import subprocess
import textwrap

import pytest

from actors.gateway import BANYAN
from actors.origin import Origin
from actors.websocket import EchoServer


@pytest.fixture
def origin(stage):
    def start(answer=None):
        actor = Origin(answer)
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def load(tmp_path):
    """Runs a scenario, or what the words say, and gives (report, what it said)."""
    def run(*words, scenario=None, code=0):
        if scenario:
            (tmp_path / "scenario.yaml").write_text(textwrap.dedent(scenario))
            words = (tmp_path / "scenario.yaml", *words)
        done = subprocess.run([BANYAN, "load", *map(str, words), "--json", "-q"], capture_output=True, text=True, timeout=90)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout), done.stderr
    return run


def test_some_come_while_others_stay(origin, load):
    server = origin(lambda _request: (200, {}, b"ok"))
    report, _ = load(scenario=f"""
        target: {server.url}
        load: [ {{ rate: 50, for: 2s }} ]
        users: {{ count: 5, for: 2s }}
        journeys: {{ a: {{ steps: [ {{ get: "/?{{user}}", think: 100ms }} ] }} }}
        """)
    assert report["arrivals_asked"] == report["arrivals_begun"] == 100
    rounds = collections.Counter(target for _, target, _, _ in server.requests)
    stayed = [count for count in rounds.values() if count > 1]
    assert len(rounds) == 105 and len(stayed) == 5
    assert report["all"]["requests"] == len(server.requests) == 100 + sum(stayed)


def test_a_ramp_has_as_many_as_the_area_below_it(origin, load):
    server = origin()
    report, _ = load(scenario=f"""
        target: {server.url}
        load: [ {{ rate: 20, to: 180, for: 2s }}, {{ rate: 400, for: 250ms }}, {{ rate: 20, for: 1s }} ]
        journeys: {{ a: {{ steps: [ {{ get: / }} ] }} }}
        """)
    assert report["arrivals_begun"] == len(server.requests) == 200 + 100 + 20
    asked = [row["asked"] for row in report["seconds"]]
    assert asked[0] < asked[1] > asked[-1]


@pytest.mark.parametrize("keep, connections", [("on", 3), ("off", None)])
def test_a_connection_is_kept_between_requests_or_not(origin, load, keep, connections):
    server = origin()
    report, _ = load(scenario=f"""
        target: {server.url}
        users: {{ count: 3, for: 1s }}
        connections: {{ keep: {keep} }}
        journeys: {{ a: {{ steps: [ {{ get: /, think: 50ms }} ] }} }}
        """)
    assert report["all"]["requests"] > 9
    assert server.connections == report["connections_opened"] == (connections or report["all"]["requests"])


@pytest.mark.parametrize("given, seen", [
    ("", lambda found: len(found) > 32 and all(ip.startswith("127.0.") or ip.startswith("127.1.") for ip in found)),
    ("connections: { from: 127.0.0.9 }", lambda found: found == {"127.0.0.9"}),
    ("connections: { from: [ 127.9.0.0/30 ] }", lambda found: found == {"127.9.0.1", "127.9.0.2", "127.9.0.3"}),
])
def test_users_come_from_many_addresses_or_from_those_given(gateway, load, given, seen):
    gw = gateway("routes: [ { name: all, answer: hello } ]")
    report, _ = load(scenario=f"""
        target: {gw.url}
        users: {{ count: 64, for: 500ms }}
        {given}
        journeys: {{ a: {{ steps: [ {{ get: /, think: 200ms }} ] }} }}
        """)
    assert report["all"]["failed"] == 0
    assert seen({record["client"] for record in gw.records(report["all"]["requests"])})


def test_a_rate_that_it_cannot_make_fails_the_run_and_does_not_prolong_it(gateway, load):
    gw = gateway("routes: [ { name: all, answer: hello } ]")
    report, err = load(f"{gw.url}/", "--rate", 190000, "--for", "2s", "--threads", 1, code=3)
    assert report["arrivals_asked"] == 380000 and report["arrivals_begun"] < 300000
    assert report["all"]["requests"] == report["arrivals_begun"]
    assert re.search(r"the rate was not reached: \d+ of 380000 arrivals began", err)


def test_a_name_and_fields_as_the_command_line_says(origin, load):
    server = origin()
    load(f"http://shop.test:{server.port}/x", "--resolve", "shop.test:127.0.0.1", "-H", "X-Own: 5", "-H", "User-Agent: me",
         "--rate", 20, "--for", "1s")
    assert {(headers["host"], headers["x-own"], headers["user-agent"]) for _, _, headers, _ in server.requests} == {
        (f"shop.test:{server.port}", "5", "me")}


def test_rows_of_ndjson_go_round(origin, load, tmp_path):
    (tmp_path / "people.ndjson").write_text('{"name": "Ann", "age": 30}\n{"name": "Bob", "age": 31}\n')
    server = origin()
    load(scenario=f"""
        target: {server.url}
        load: [ {{ rate: 40, for: 1s }} ]
        data: {{ people: {{ file: people.ndjson }} }}
        journeys: {{ a: {{ steps: [ {{ get: "/{{people.name}}/{{people.age}}" }} ] }} }}
        """)
    assert server.counts == {"GET /Ann/30": 20, "GET /Bob/31": 20}


def test_a_websocket_that_is_not_opened_and_one_that_is_closed(origin, load):
    server, chat = origin(lambda _request: (404, {}, b"")), EchoServer()
    report, _ = load(scenario=f"""
        target: {server.url}
        load: [ {{ rate: 10, for: 1s }} ]
        journeys: {{ a: {{ steps: [ {{ websocket: {{ path: /, send: [ "hi" ] }} }} ] }} }}
        """)
    assert report["all"]["failures"] == {"STATUS": 10}
    report, _ = load(scenario=f"""
        target: http://{chat.address}
        load: [ {{ rate: 10, for: 1s }} ]
        journeys: {{ a: {{ steps: [ {{ websocket: {{ path: /, send: [ "close, please", "never said" ] }} }} ] }} }}
        """)
    assert report["all"]["requests"] == 20 and report["all"]["failures"] == {"RESET": 10}


API = """
openapi: 3.0.3
info: { title: shop, version: "1" }
servers: [ { url: "SERVER/v1" } ]
paths:
  /products:
    get:
      summary: all products
      parameters: [ { name: sort, in: query, required: true, schema: { type: string }, example: price } ]
      responses: { "200": { description: fine } }
  /products/{id}:
    get:
      parameters: [ { name: id, in: path, required: true, schema: { type: integer }, example: 42 } ]
      responses: { "200": { description: fine } }
    delete:
      parameters: [ { name: id, in: path, required: true, schema: { type: integer }, example: 42 } ]
      responses: { "204": { description: gone } }
  /orders:
    post:
      requestBody: { content: { application/json: { example: { product: 42 } } } }
      responses: { "201": { description: made } }
"""


@pytest.mark.parametrize("words, asked", [
    ((), {"GET /v1/products", "GET /v1/products/42"}),
    (("--writes",), {"GET /v1/products", "GET /v1/products/42", "DELETE /v1/products/42", "POST /v1/orders"}),
])
def test_a_description_of_an_api_becomes_a_scenario_that_runs(origin, load, tmp_path, words, asked):
    answers = {"DELETE": 204, "POST": 201}
    server = origin(lambda request: (answers.get(request[0], 200), {}, b""))
    (tmp_path / "api.yaml").write_text(API.replace("SERVER", server.url))
    subprocess.run([BANYAN, "load", "init", "--from", tmp_path / "api.yaml", "-o", tmp_path / "made.yaml", *words], check=True, timeout=30)
    report, _ = load(tmp_path / "made.yaml", "--rate", 10, "--for", "1s")
    assert report["all"]["failed"] == 0, report["all"]["failures"]
    assert set(server.counts) == asked
    assert {target for method, target, _, _ in server.requests if target.startswith("/v1/products?")} == {"/v1/products?sort=price"}
    assert all(json.loads(body) == {"product": 42} for method, _, _, body in server.requests if method == "POST")


def test_the_page_shows_its_plots_in_a_browser(origin, tmp_path, load):
    server = origin(lambda request: ((503 if request[1] == "/bad" else 200), {}, b""))
    page = tmp_path / "page.html"
    load("--html", page, scenario=f"""
        target: {server.url}
        load: [ {{ rate: 50, for: 3s }} ]
        thresholds: [ "p99 < 1h" ]
        journeys: {{ a: {{ steps: [ {{ get: "/?<script>", name: "<b>odd</b>" }} ] }}, b: {{ weight: 0.5, steps: [ {{ get: /bad }} ] }} }}
        """)
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
                           page.as_uri()], capture_output=True, text=True, timeout=90, check=True)
    shown = done.stdout
    assert re.findall(r"<h2>(.*?)</h2>", shown) == ["Response times", "Requests a second", "Percentiles", "Steps", "Failures"]
    assert "<td>&lt;b&gt;odd&lt;/b&gt;</td>" in shown and "<script" not in shown
    assert "holds: p99 &lt; 1h" in shown and "<td>wrong status</td>" in shown
    boxes = re.findall(r'<svg viewBox="0 0 (\d+) (\d+)".*?</svg>', shown, re.S)
    lines = [[tuple(map(float, point.split(","))) for point in points.split()] for points in re.findall(r'points="([^"]+)"', shown)]
    assert len(boxes) == 3 and len(lines) == 8 and all(len(line) >= 3 for line in lines)
    width, height = map(int, boxes[0])
    assert all(0 <= x <= width and 0 <= y <= height for line in lines for x, y in line)
