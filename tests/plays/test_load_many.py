# SPDX-License-Identifier: Apache-2.0
"""15,000 virtual users of `banyan load` at a time, each with cookies and time to think, in what the shop has of files, behind
the gateway: do all of them run, and what of the machine's memory do they take?

Under BANYAN_PROOF=1 it is that many, and the generator is the release build, whose memory is what counts; else 600."""
import contextlib
import json
import os
import pathlib
import subprocess
import time

import pytest

from actors.gateway import BANYAN, ROOT
from actors.waiting import PROOF
from actors.websocket import EchoServer

MANY = PROOF and "tsan" not in os.environ.get("BANYAN_BUILD", "")  # ThreadSanitizer can tell 8,000 fibers apart
USERS, RAMP_S, SECONDS = (15000, 30, 75) if MANY else (600, 1, 6)
THINK = "15s..25s" if MANY else "500ms..1500ms"
MEMORY_MAX = 200_000_000

# A visitor gets a cookie of its own with the first page; without one there are no files and nothing else.
GATEWAY = """
upstreams: {{ chat: {{ servers: [ "{chat}" ] }} }}
routes:
  - {{ name: home, match: {{ path: / }}, answer: {{ type: text/html, body: '<a href="/static/shop.css">oak-table</a>' }},
      response_headers: {{ set: {{ Set-Cookie: "visit={{request_id}}; Path=/; HttpOnly" }} }} }}
  - {{ name: static, match: {{ path: /static/**, cookies: {{ visit: "*" }} }}, files: "{static}" }}
  - {{ name: api, match: {{ path: /api/products, cookies: {{ visit: "*" }} }},
      answer: {{ type: application/json, body: '{{ "results": [ {{ "id": 42 }} ] }}' }} }}
  - {{ name: enter, match: {{ path: /enter, cookies: {{ visit: "*" }}, methods: [ POST ] }}, redirect: {{ to: /static/shop.js, status: 303 }} }}
  - {{ name: chat, match: {{ path: /chat, cookies: {{ visit: "*" }} }}, to: chat }}
"""

SCENARIO = """
target: {url}
users: {{ count: {users}, ramp: {ramp}s, for: {seconds}s }}
timeout: 60s
grace: 30s
data: {{ people: {{ file: people.csv }} }}
journeys:
  visitor:
    weight: 99
    once: [ {{ run: arrive }} ]
    steps: [ {{ choose: {{ page: 6, pictures: 3, style: 1 }}, think: {think} }} ]
  talker:
    weight: 1
    once:
      - {{ run: arrive }}
      - {{ websocket: {{ path: /chat, send: [ "hi {{user}}", "bye" ], hold: 1s }}, name: chat }}
    steps: [ {{ run: style, think: {think} }} ]
blocks:
  arrive:
    steps:
      - get: /
        name: home
        check: {{ status: "200", body: "</a>", headers: {{ Content-Type: html }} }}
        extract: {{ thing: {{ pattern: ">([a-z-]+)<" }}, kind: {{ header: Content-Type }}, visit: {{ cookie: visit }} }}
      - {{ get: /api/products, name: products, extract: {{ id: {{ jq: ".results[0].id" }}, all: {{ jq: ".results | length" }} }} }}
      - {{ post: /enter, name: enter, form: {{ mail: "{{people.mail}}", id: "{{id}}", visit: "{{visit}}" }}, redirects: on, check: "200", think: 1s..2s }}
  page:
    steps:
      - {{ get: /static/shop.css, name: style, check: "200", repeat: 2 }}
      - {{ get: /static/shop.js, name: script, check: "200" }}
      - {{ get: /static/img/logo.svg, name: logo, check: {{ status: "200", body: "</svg>" }} }}
  pictures:
    steps:
      - {{ get: /static/img/garden.svg, name: garden, check: "200" }}
      - {{ get: "/static/img/kitchen.svg?{{thing}}", name: kitchen, check: "200" }}
  style:
    steps: [ {{ get: /static/shop.css, name: style again, check: "200" }} ]
"""


@pytest.fixture(scope="module")
def generator():
    """Sanitizers have memory of their own for every fiber."""
    if not MANY:
        return BANYAN
    subprocess.run(["scripts/build", "release", "--quiet"], cwd=ROOT, check=True)
    return ROOT / os.environ.get("BUILD_ROOT", "build") / "release/banyan"


def most_memory(process):
    """The largest PSS at any moment until it ends."""
    most = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text()
            most = max(most, next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")))
        time.sleep(0.5)
    return most


def test_a_crowd_with_cookies_and_time_to_think(gateway, generator, tmp_path):
    chat = EchoServer()
    gw = gateway(GATEWAY.format(chat=chat.address, static=ROOT / "examples/shop/static"))
    (tmp_path / "people.csv").write_text("mail\n" + "".join(f"user{n}@shop.example\n" for n in range(1000)))
    scenario = tmp_path / "crowd.yaml"
    scenario.write_text(SCENARIO.format(url=gw.url, users=USERS, ramp=RAMP_S, seconds=SECONDS, think=THINK))
    with open(tmp_path / "report.json", "w") as out:
        process = subprocess.Popen([generator, "load", scenario, "--json", "-q"], stdout=out, stderr=subprocess.PIPE, text=True)
        most = most_memory(process)
    assert process.returncode == 0, process.stderr.read()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["all"]["failed"] == 0, report["all"]["failures"]
    steps = {row["step"]: row["requests"] for row in report["steps"]}
    assert steps["home"] == steps["products"] == USERS and steps["enter"] == 2 * USERS  # with what it leads to
    assert all(steps.values()) and steps["chat"] % 3 == 0
    assert max(row["users"] for row in report["seconds"]) == USERS
    assert max(row["connections"] for row in report["seconds"]) >= USERS
    requests = report["all"]["requests"] - steps["chat"] // 3 * 2  # a message is no request
    gw.wait_metric("banyan_requests_total", requests)
    assert gw.metric("banyan_requests_total", route="home") == USERS
    assert gw.metric("banyan_requests_total", route="chat") == len(chat.headers) == steps["chat"] // 3
    assert len({request["Cookie"] for request in chat.headers}) == len(chat.headers)
    print(f"{USERS} users, {requests} requests: at most {most / 1e6:.0f} MB")
    if MANY:
        assert most < MEMORY_MAX
