# SPDX-License-Identifier: Apache-2.0
"""Keys of programs: made by `banyan keys`, known to a gateway that runs, and ended."""
import json
import os

import pytest

from actors.gateway import run_banyan
from actors.waiting import until


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def keys(stage):
    file = stage.folder / "keys.json"

    def run(verb, *words):
        code, out, err = run_banyan("keys", verb, "-f", file, *words)
        assert code == 0, err
        return out
    return run


def policy(shop, keys="keys.json", more=""):
    return (f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'
            f"auth: {{ api: {{ keys: {keys}{more} }} }}\n"
            f"routes: [ {{ name: all, match: /**, to: shop, auth: api }} ]\n")


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


def test_a_key_is_made_known_and_ended_while_the_gateway_runs(gateway, shop, client, keys):
    gw = gateway(policy(shop, more=", headers: { X-Owner: sub, X-Key: key }"))
    key = keys("add", "--owner", "billing", "-s", "orders:read").strip()
    until(lambda: client.get(gw, "/x", f"X-Api-Key: {key}").status == 200, "the key is known")
    seen = dict(shop.requests[-1].headers)
    assert (seen["X-Owner"], seen["X-Key"]) == ("billing", key[:15])
    assert slug(client.get(gw, "/x", f"X-Api-Key: {key[:-1]}x")) == "keys.unknown"
    assert slug(client.get(gw, "/x", f"X-Api-Key: {key}", f"x-api-key: {key}")) == "auth.twice"
    assert slug(client.get(gw, "/x")) == "auth.missing"
    assert gw.record(path="/x", status=200)["user"] == "billing"
    keys("revoke", key[:15])
    until(lambda: client.get(gw, "/x", f"X-Api-Key: {key}").status == 401, "the key is ended")
    assert slug(client.get(gw, "/x", f"X-Api-Key: {key}")) == "keys.revoked"


def test_scopes_and_ends(gateway, shop, client, keys):
    both = keys("add", "--owner", "a", "-s", "read", "-s", "write").strip()
    one = json.loads(keys("add", "--owner", "b", "-s", "read", "--json"))["key"]
    over = keys("add", "--owner", "c", "-s", "read", "-s", "write", "--expires", "1ms").strip()
    gw = gateway(policy(shop, keys="{ file: keys.json, scheme: [ Bearer, ApiKey ], scopes: [ write ] }"))
    assert client.get(gw, "/x", f"Authorization: Bearer {both}").status == 200
    assert client.get(gw, "/x", f"Authorization: apikey {both}").status == 200
    answer = client.get(gw, "/x", f"X-Api-Key: {one}")
    assert (answer.status, slug(answer)) == (403, "auth.scope")
    assert slug(client.get(gw, "/x", f"X-Api-Key: {over}")) == "keys.expired"
    listed = {row["owner"]: row for row in json.loads(keys("list", "--json"))}
    assert [listed[name]["state"] for name in "abc"] == ["good", "good", "expired"]
    assert both not in keys("list") and both[:15] in keys("list")


def test_a_file_that_is_not_in_order_changes_nothing(stage, gateway, shop, client, keys):
    key = keys("add", "--owner", "a").strip()
    gw = gateway(policy(shop))
    (stage.folder / "keys.json").write_text('{"keys": [{}]}')
    until(lambda: "stays as it was" in gw.stderr, "the gateway says so")
    assert client.get(gw, "/x", f"X-Api-Key: {key}").status == 200


def test_whoever_could_read_the_file_can_still(stage, keys):
    keys("add", "--owner", "a")
    file = stage.folder / "keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    before = file.stat()
    keys("revoke", json.loads(keys("list", "--json"))[0]["id"])
    after = file.stat()
    assert after.st_ino != before.st_ino and "revoked" in keys("list")
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_file_that_could_not_be_used_is_looked_at_again(stage, gateway, shop, client, keys):
    """Though it looks the same from outside, as it does after a chmod."""
    file = stage.folder / "keys.json"
    keys("add", "--owner", "a")
    gw = gateway(policy(shop))
    before = file.read_text()
    key = keys("add", "--owner", "b").strip()
    good = file.read_text()
    file.write_text(before)

    def put(text):
        file.write_text(text)
        os.utime(file, (1000000000, 1000000000))
    put("x" + good[1:])
    until(lambda: "stays as it was" in gw.stderr, "the gateway says so")
    assert client.get(gw, "/x", f"X-Api-Key: {key}").status == 401
    put(good)
    until(lambda: client.get(gw, "/x", f"X-Api-Key: {key}").status == 200, "the key is known")
