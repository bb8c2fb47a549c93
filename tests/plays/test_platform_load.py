# SPDX-License-Identifier: Apache-2.0
"""A mix over all four services behind JWT: everybody pays, is told, is counted and looked up, and nobody fails.

Under BANYAN_PROOF=1 it is 15,000 users at a time, and both programs are the release build; else 120."""
import datetime
import json
import pathlib
import subprocess
import tempfile

import pytest

from actors.gateway import BANYAN, ROOT
from actors.platform import Platform
from actors.waiting import PROOF

USERS, RAMP_S, SECONDS, THINK = (15000, 40, 90, "15s..25s") if PROOF else (120, 1, 6, "500ms..1500ms")
TOKENS = 200 if PROOF else 8
PROGRAM = str(ROOT / "build/release/banyan") if PROOF else BANYAN

SCENARIO = """
target: {url}
users: {{ count: {users}, ramp: {ramp}s, for: {seconds}s }}
timeout: 60s
grace: 30s
data: {{ with: {{ file: tokens.csv }} }}
journeys:
  shopper:
    weight: 60
    steps:
      - {{ choose: {{ pay: 2, look: 5, count: 5, told: 3, tell: 1 }}, think: {think} }}
  clerk:
    weight: 40
    steps:
      - {{ choose: {{ look: 6, users: 2, told: 2, ask: 1 }}, think: {think} }}
blocks:
  pay:
    steps:
      - name: pay
        post: /v1/payment_intents
        headers: {{ Authorization: "Bearer {{with.token}}" }}
        form: {{ amount: "1250", currency: eur, payment_method: pm_card_visa, confirm: "true" }}
        check: {{ status: "200", body: '"status":"succeeded"' }}
        extract: {{ payment: {{ jq: .id }} }}
      - name: the payment
        get: "/v1/payment_intents/{{payment}}"
        headers: {{ Authorization: "Bearer {{with.token}}" }}
        check: "200"
  look:
    steps:
      - {{ name: charges, get: "/v1/charges?limit=3", headers: {{ Authorization: "Bearer {{with.token}}" }}, check: "200" }}
  count:
    steps:
      - name: count
        post: /v1/events
        headers: {{ X-Api-Key: "{key}", Content-Type: application/x-ndjson }}
        body: '{{{{"event":"seen","distinct_id":"u{{user}}","id":"{{uuid}}"}}}}'
        check: {{ status: "200", body: '"refused":0' }}
  tell:
    steps:
      - name: tell
        post: /v1/notifications
        headers: {{ Authorization: "Bearer {{with.token}}", Content-Type: application/json, Idempotency-Key: "{{uuid}}" }}
        body: '{{{{"workflow":"receipt","to":[{{{{"recipient":"u{{user}}"}}}}],"content":{{{{"subject":"Paid","text":"Thank you"}}}}}}}}'
        check: "202"
  told:
    steps:
      - {{ name: inbox, get: /v1/inbox/counts, headers: {{ Authorization: "Bearer {{with.token}}" }}, check: "200" }}
  users:
    steps:
      - {{ name: users, get: "/v1/users?limit=5", headers: {{ Authorization: "Bearer {{with.token}}" }}, check: "200" }}
  ask:
    steps:
      - name: ask
        post: /v1/query
        headers: {{ Authorization: "Bearer {{with.token}}", Content-Type: application/json }}
        body: '{{{{"project":"shop","kind":"trend","events":["seen"],"from":"{day}","to":"{tomorrow}"}}}}'
        check: "200"
"""


@pytest.fixture(scope="module")
def platform(long_stage):
    folder = pathlib.Path(long_stage.enter_context(tempfile.TemporaryDirectory(prefix="platform-")))
    at = Platform(folder, program=PROGRAM, change=lambda text: text + "access_log: off\n")
    return long_stage.enter(at, at.finish)


def prepare(at, folder):
    client = at.client()
    tokens = [at.access(client) for _ in range(TOKENS)]
    (folder / "tokens.csv").write_text("token\n" + "".join(f"{token}\n" for token in tokens))
    said = at.say("POST", "/v1/projects", {"name": "shop"}, token=tokens[0])
    assert said.status == 201, said.body
    told = at.say("PUT", "/v1/workflows/receipt", {"channels": ["inbox"]}, token=tokens[0])
    assert told.status in (200, 201), told.body
    return said.json["ingest_key"]


def test_a_mix_over_all_services_fails_nobody(platform, stage, capsys):
    key = prepare(platform, stage.folder)
    (stage.folder / "mix.yaml").write_text(SCENARIO.format(
        url=platform.url, users=USERS, ramp=RAMP_S, seconds=SECONDS, think=THINK, key=key,
        day=datetime.date.today() - datetime.timedelta(1), tomorrow=datetime.date.today() + datetime.timedelta(2)))
    done = subprocess.run([PROGRAM, "load", "mix.yaml", "-q", "--save", "report.json"], cwd=stage.folder, capture_output=True, text=True,
                          timeout=400, check=False)
    with capsys.disabled():
        if PROOF:
            print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((stage.folder / "report.json").read_text())
    assert report["all"]["failed"] == 0, done.stdout
    for name, row in platform.services().items():
        assert row["status"] == "ok" and row["answers"]["5xx"] == 0 and row["answers"]["2xx"] > 0, (name, row)
        assert row["database"]["jobs"]["failed"] == 0 and row["database"]["events"]["dead"] == 0, (name, row)
