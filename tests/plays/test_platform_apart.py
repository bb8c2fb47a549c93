# SPDX-License-Identifier: Apache-2.0
"""The same file, each part in a process of its own: on SQLite and sockets; under BANYAN_PROOF=1 also on PostgreSQL, a database named
for each service, and Redis."""
import json
import pathlib
import tempfile
import uuid

import pytest
import yaml

from actors.accounts import engine_of
from actors.gateway import Gateway
from actors.platform import Platform
from actors.waiting import until

SERVICES = ("user", "payment", "notification", "analytics")


def databases(server):
    """One for each service, named for it."""
    import psycopg2
    other = psycopg2.connect(server.url)
    other.autocommit = True
    made = {name: f"{name}_{uuid.uuid4().hex[:8]}" for name in SERVICES}
    for name in made.values():
        other.cursor().execute(f"create database {name}")
    other.close()
    return {name: server.url.replace("/postgres", f"/{base}") for name, base in made.items()}


def changed(request, text):
    conf = yaml.safe_load(text)
    conf["access_log"] = "off"
    if request.param == "postgres":
        server, redis = request.getfixturevalue("accounts_beside")
        for name, url in databases(server).items():
            conf["services"][name] |= {"database": url, "redis": redis.url}
    return yaml.safe_dump(conf)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def apart(request, long_stage):
    """{part: its process}; all of one configuration."""
    engine_of(request)
    folder = pathlib.Path(long_stage.enter_context(tempfile.TemporaryDirectory(prefix="apart-")))
    whole = Platform(folder)
    whole.stop()
    whole.file.write_text(changed(request, whole.file.read_text()))
    parts = {}
    for part in (*SERVICES, "gateway"):
        parts[part] = start(folder, whole, part)
        long_stage.callback(lambda part=part: parts[part].finish())
    parts["gateway"].file = whole.file
    return parts


def start(folder, whole, part):
    at = Platform.__new__(Platform)
    own = folder / f"at-{part}"
    own.mkdir(exist_ok=True)
    Gateway.__init__(at, own, None, cwd=folder, after=whole, words=("--only", part, "--admin", "127.0.0.1:0"))
    return at


@pytest.fixture(scope="module")
def token(apart):
    at = apart["gateway"]
    at.folder = at.file.parent.parent
    return at.access(at.client())


def pay(at, token):
    return at.say("POST", "/v1/payment_intents", token=token,
                  form={"amount": "1250", "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"})


def test_each_part_does_its_own_and_all_of_it_is_behind_one_gateway(apart, token):
    at = apart["gateway"]
    assert pay(at, token).json["status"] == "succeeded"
    assert at.say("PUT", "/v1/workflows/receipt", {"channels": ["inbox"]}, token=token).status in (200, 201)
    told = at.say("POST", "/v1/notifications", {"workflow": "receipt", "to": [{"recipient": "ann"}],
                                                "content": {"subject": "Paid", "text": "Thank you"}}, token=token)
    assert told.status == 202, told.body
    assert at.say("POST", "/v1/projects", {"name": "shop"}, token=token).status == 201
    assert at.say("GET", "/v1/users", token=token).status == 200
    for part in SERVICES:
        assert [row["name"] for row in json.loads(apart[part].ask_admin("/services")[2])["services"]] == [part]
    assert json.loads(at.ask_admin("/services")[2])["services"] == []


def test_one_that_dies_takes_nobody_with_it_and_keeps_what_it_said(apart, token):
    at, folder = apart["gateway"], apart["gateway"].folder
    paid = pay(at, token).json["id"]
    apart["payment"].program.kill()
    apart["payment"].stopped = True
    assert pay(at, token).status in (502, 503)
    assert at.say("GET", "/v1/inbox/counts", token=token).status == 200
    apart["payment"] = start(folder, at, "payment")
    until(lambda: at.say("GET", f"/v1/payment_intents/{paid}", token=token).status == 200, "the payment, after its service came back")
    assert pay(at, token).json["status"] == "succeeded"


def test_without_a_token_nobody_is_served(apart):
    at = apart["gateway"]
    for path in ("/v1/payment_intents", "/v1/inbox/counts", "/v1/projects", "/v1/users"):
        assert at.say("GET", path).status == 401, path
        assert at.say("GET", path, token="eyJhbGciOiJub25lIn0.e30.").status == 401, path
