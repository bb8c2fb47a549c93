# SPDX-License-Identifier: Apache-2.0
"""Single servers of an upstream that somebody takes out and puts back: who gets what, what is remembered, who may."""
import collections
import json
import pathlib
import signal
import subprocess

import pytest

from actors.gateway import BANYAN
from actors.http1 import reply
from actors.postgres import Postgres
from actors.shift import TOKEN, Shift
from actors.waiting import until

TOKENS = "tokens: [ { name: eve, token: only-for-looking-at-it, role: view } ]"


def text_of(*servers, more="shift: {}\n"):
    return (f"admin: {{ address: '127.0.0.1:0', token: {TOKEN}, {TOKENS} }}\n{more}"
            f"upstreams:\n  shop: {{ servers: [ {', '.join(repr(server.address) for server in servers)} ] }}\n"
            "routes: [ { name: all, match: /**, to: shop } ]\n")


@pytest.fixture
def one(upstream):
    return upstream(answer=reply(200, b"one"))


@pytest.fixture
def two(upstream):
    return upstream(answer=reply(200, b"two"))


@pytest.fixture
def gw(gateway, one, two):
    return gateway(text_of(one, two), token=TOKEN)


@pytest.fixture
def shop(gw):
    return Shift(gw, "upstream:shop")


def who_answers(client, gw, count=30):
    return dict(collections.Counter(client.get(gw).text for _ in range(count)))


def servers(gw):
    """Of the page /upstreams, by address."""
    return {server["address"]: server for server in json.loads(gw.ask_admin("/upstreams")[2])[0]["servers"]}


def test_a_drained_server_gets_nothing_new_and_loses_nothing(gw, shop, one, two, client):
    assert set(who_answers(client, gw)) == {"one", "two"}
    assert f"{one.address} takes no new requests" in shop.command("drain", one.address, "--why", "a new kernel")
    assert who_answers(client, gw) == {"two": 30}
    until(lambda: servers(gw)[one.address]["connections"] == 0, "no idle connection is left at it")
    assert (servers(gw)[one.address]["drained"], servers(gw)[one.address]["state"]) == (True, "up")
    assert gw.metric("banyan_upstream_server_drained", upstream="shop", server=one.address) == 1
    shop.command("undrain", one.address)
    assert set(who_answers(client, gw)) == {"one", "two"}
    assert [(row["verb"], row["why"], row["who"]) for row in shop.history] == \
        [("undrain", f"{one.address} takes requests again", "admin"), ("drain", f"{one.address}: a new kernel", "admin")]


def test_one_may_wait_until_nothing_is_left(gateway, upstream, two, client):
    slow = upstream(answer=reply(200, b"slow"), hold=True)
    gw = gateway(text_of(slow, two), token=TOKEN)
    with client.connect(gw) as wire:
        while not slow.requests:
            wire.send(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            until(lambda: slow.requests or two.requests, "a server has it")
            if not slow.requests:
                assert wire.answer().text == "two"
                two.requests.clear()
        command = subprocess.Popen([BANYAN, "shift", "--admin", gw.admin, "--token", TOKEN, "upstream", "shop", "drain", slow.address, "--wait"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            assert "takes no new requests" in command.stdout.readline()
            assert command.stdout.readline() == "1 request is left\n"
            assert who_answers(client, gw) == {"two": 30}
            assert command.poll() is None
            slow.release()
            assert wire.answer().text == "slow"
            assert "nothing is left" in command.stdout.readline()
            assert command.wait(20) == 0
        finally:
            command.kill()
            command.stdout.close()
    told = json.loads(Shift(gw, "").command("upstream", "shop", "drain", slow.address, "--wait", "--json"))
    assert [(server["drained"], server["requests"]) for server in told["servers"]] == [(True, 0), (False, 0)]


def test_the_last_one_is_not_taken_out_unless_forced(gw, shop, one, two, client):
    shop.command("drain", one.address)
    assert "no other server of shop is up" in shop.command("drain", two.address, code=2)
    assert who_answers(client, gw) == {"two": 30}
    assert "already" in shop.command("drain", one.address) and len(shop.history) == 1
    shop.command("drain", two.address, "--force")
    assert client.get(gw).status == 503
    shop.command("undrain", two.address)
    assert client.get(gw).text == "two"


def test_a_drained_server_stays_out_over_reload_and_kill(gw, shop, one, two, gateway, upstream, client):
    three = upstream(answer=reply(200, b"three"))
    shop.command("drain", one.address)
    gw.reload(text_of(one, two, three))
    assert set(who_answers(client, gw)) == {"two", "three"}
    gw.reload(text_of(two))
    gw.reload(text_of(one, two))
    assert set(who_answers(client, gw)) == {"two"}
    gw.program.process.send_signal(signal.SIGKILL)
    gw.program.wait(10)
    gw.stopped = True
    again = gateway(after=gw, text=None, token=TOKEN)
    assert who_answers(client, again) == {"two": 30}
    Shift(again, "upstream:shop").command("undrain", one.address)
    assert set(who_answers(client, again)) == {"one", "two"}


def test_gateways_that_share_a_book_drain_together(gateway, one, two, client, tmp_path):
    more = f"shift: {{ store: 'sqlite:{tmp_path}/book.db', gateway: NAME }}\n"
    first = gateway(text_of(one, two, more=more.replace("NAME", "a")), token=TOKEN)
    second = gateway(text_of(one, two, more=more.replace("NAME", "b")), token=TOKEN)
    Shift(first, "upstream:shop").command("drain", one.address)
    until(lambda: servers(second)[one.address]["drained"], "the other gateway has it too")
    assert who_answers(client, second) == {"two": 30}


def test_a_drained_server_stays_out_when_the_book_is_away_at_the_start(gateway, one, two, client):
    with Postgres() as postgres:
        gw = gateway(text_of(one, two, more=f"shift: {{ store: '{postgres.url}' }}\n"), token=TOKEN)
        Shift(gw, "upstream:shop").command("drain", one.address)
        copy = pathlib.Path(f"{gw.file}.shift.copy")
        until(lambda: copy.exists() and one.address in copy.read_text(), "the copy has it")
        postgres.stop()
        gw.program.process.send_signal(signal.SIGKILL)
        gw.program.wait(10)
        gw.stopped = True
        again = gateway(after=gw, text=None, token=TOKEN)
        assert who_answers(client, again) == {"two": 30}
        again.stop()


def test_what_makes_no_sense_is_refused_and_only_who_may_does_it(gw, shop, one, gateway):
    assert "has no server 127.0.0.1:1" in shop.command("drain", "127.0.0.1:1", code=5)
    assert "has no server" in shop.command("undrain", "127.0.0.1:1", code=5)
    assert "which server?" in shop.command("drain", code=2)
    assert "is not drained" in shop.command("undrain", one.address)
    assert "would be" in shop.command("drain", one.address, "--dry-run") and not servers(gw)[one.address]["drained"]
    assert one.address in shop.command("servers")
    status, _, text = gw.ask_admin("/shift/upstream:shop/drain", "POST", Authorization="Bearer only-for-looking-at-it")
    assert status == 403 and "operate" in text
    plain = gateway(text_of(one, more=""), token=TOKEN)
    assert "nothing is called upstream:shop here" in Shift(plain, "upstream:shop").command("drain", one.address, code=5)
