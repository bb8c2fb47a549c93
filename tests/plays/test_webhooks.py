# SPDX-License-Identifier: Apache-2.0
"""Somebody is told of what is done to moves: everything, in order, signed; and nobody waits for who does not listen."""
import itertools
import json
import signal
import threading

import pytest

from actors.gateway import run_banyan
from actors.http1 import reply
from actors.postgres import Postgres
from actors.receiver import SECRET, Receiver
from actors.shift import Shift, crowd, two_sides
from actors.waiting import always, until

TOKEN = "a-token-of-the-play"
LEASE_S = 60  # that of a killed gateway is over by then


@pytest.fixture
def receiver(stage):
    def start(*args, **options):
        actor = Receiver(*args, **options)
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def told(gateway, upstream):
    """A gateway with two sides and these webhooks, each a mapping in YAML without its braces."""
    old, new = upstream(answer=reply(200, b"old")), upstream(answer=reply(200, b"new"))

    def text(*hooks, more=""):
        rows = ", ".join("{ " + hook + " }" for hook in hooks)
        return two_sides(old, new, more=f"shift: {{ webhooks: [ {rows} ]{more} }}\n")

    def start(*hooks, more="", **options):
        gw = gateway(text(*hooks, more=more), token=TOKEN, **options)
        return gw, Shift(gw)
    start.text = text
    return start


def standard(receiver, more="", place="", scheme="http"):
    return f"url: '{scheme}://{place}{receiver.address}/hook', secret: {SECRET}, name: hook{more}"


def results(gw, hook="hook"):
    names = ("delivered", "refused", "unverified", "failed", "gone", "given_up")
    counts = {name: gw.metric("banyan_shift_webhooks_total", webhook=hook, result=name) for name in names}
    return {name: count for name, count in counts.items() if count}


def kill(gw):
    gw.program.process.send_signal(signal.SIGKILL)
    gw.program.wait(10)
    gw.stopped = True


def test_each_change_is_told_in_order_and_signed(told, receiver):
    one = receiver()
    gw, users = told(standard(one))
    users.command("canary", "5%", "--why", "release 42")
    users.command("pause")
    users.command("to", "40%")
    users.command("back", "--why", "tea")
    first, _, last = one.wait("canary", "to", "back")
    assert first.path == "/hook" and first.headers["Content-Type"] == "application/json"
    assert (first.json["type"], last.json["type"]) == ("shift.canary", "shift.back")
    data = first.json["data"]
    assert (data["subject"], data["from"], data["to"], data["percent"]) == ("users", "old", "canary", 5)
    assert (data["who"], data["why"], data["evidence"]) == ("admin", "release 42", {}) and data["gateway"]
    assert last.json["timestamp"] == users.history[0]["at"]
    assert len({one.id for one in one.told}) == 3
    gw.wait_metric("banyan_shift_webhook_waiting", 0, webhook="hook")
    assert results(gw) == {"delivered": 3}


def test_the_judge_is_told_of_with_its_evidence(gateway, upstream, receiver, client):
    count = itertools.count()
    old, ill = upstream(answer=reply(200, b"old")), upstream(answer=lambda asked: reply(500 if next(count) > 20 else 200, b"new"))
    one = receiver()
    hook = standard(one, ", events: back, subjects: users")
    gw = gateway(two_sides(old, ill, "{ steps: [ 50%, 100% ] }", f"shift: {{ webhooks: [ {{ {hook} }} ] }}\n"), token=TOKEN)
    Shift(gw).command("canary")
    people = crowd(client, gw, 40)
    until(lambda: [person.get() for person in people] and one.told, "told that it went back")
    data = one.wait("back")[0].json["data"]
    assert data["who"].startswith("judge@") and data["evidence"]["line"] == data["why"]


def test_who_refuses_is_told_again_with_the_same_id(told, receiver):
    answers = itertools.chain([500, 302, 404], itertools.repeat(200))
    one = receiver(answer=lambda told: next(answers))
    gw, users = told(standard(one))
    users.command("canary")
    users.command("back")
    one.wait("canary", "back")
    assert [told.status for told in one.told] == [500, 302, 404, 200, 200]
    assert {told.path for told in one.told} == {"/hook"}, "a redirect is not followed"
    assert len({told.id for told in one.told[:4]}) == 1 and one.told[4].id != one.told[3].id
    until(lambda: results(gw) == {"refused": 3, "delivered": 2}, "counted")
    assert gw.stderr.count("is not delivered: it answered 500") == 1


def test_who_was_away_gets_all_of_it_later(told, receiver):
    one = receiver()
    gw, users = told(standard(one))
    users.command("canary")
    one.wait("canary")
    one.leave()
    users.command("to", "30%")
    users.command("back")
    until(lambda: results(gw).get("failed"), "it was tried")
    gw.wait_metric("banyan_shift_webhook_waiting", 2, webhook="hook")
    one.begin(one.port)
    one.wait("canary", "to", "back")
    gw.wait_metric("banyan_shift_webhook_waiting", 0, webhook="hook")


def test_a_killed_gateway_loses_nothing(told, receiver, gateway):
    """It is killed while the receiver has an entry and has not answered, with another one behind."""
    hold = threading.Event()
    one = receiver(hold=hold)
    gw, users = told(standard(one))
    users.command("canary")
    until(lambda: one.told, "the first is under way")
    users.command("back")
    kill(gw)
    again = gateway(after=gw, text=None, token=TOKEN)
    hold.set()
    until(lambda: len(one.told) == 3, "told by the one that came after", LEASE_S)
    assert [told.verb for told in one.told] == ["canary", "canary", "back"]
    assert one.told[0].id == one.told[1].id and one.told[0].body == one.told[1].body
    assert all(told.is_signed() for told in one.told)
    again.wait_metric("banyan_shift_webhook_waiting", 0, webhook="hook")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path}/book.db"
        return
    with Postgres() as server:
        yield server.url


def test_two_gateways_on_one_book_tell_once(told, receiver, store):
    hold = threading.Event()
    one = receiver(hold=hold)
    a, b = (told(standard(one), more=f", store: '{store}', gateway: {name}") for name in "ab")
    a[1].command("canary")
    for gw, _ in (a, b):
        gw.wait_metric("banyan_shift_webhook_waiting", 1, webhook="hook")
    until(lambda: one.told, "one of them tells it")
    always(lambda: len(one.told) == 1, "the other one, which looks each second, does not", 2.5)
    hold.set()
    one.wait("canary")
    for number in range(6):
        at = (b, a)[number % 2][1]
        at.wait(lambda seen, before=number + 1: seen["revision"] == before, "knows what the other did")
        at.command("to", f"{number + 10}%")
    one.wait("canary", *["to"] * 6)
    for gw, _ in (a, b):
        gw.wait_metric("banyan_shift_webhook_waiting", 0, webhook="hook")
    assert [told.revision for told in one.told] == list(range(1, 8))
    assert sum(results(gw)["delivered"] for gw, _ in (a, b) if results(gw)) == 7


def test_the_other_gateway_goes_on_when_one_is_killed(told, receiver, tmp_path):
    hold = threading.Event()
    one = receiver(hold=hold)
    a, b = (told(standard(one), more=f", store: 'sqlite:{tmp_path}/book.db', gateway: {name}") for name in "ab")
    a[1].command("canary")
    until(lambda: one.told, "under way")
    holder, other = (a[0], b) if one.told[0].json["data"]["gateway"] == "a" else (b[0], a)
    kill(holder)
    hold.set()
    until(lambda: len(one.told) == 2, "told by the other", LEASE_S)
    assert one.told[0].id == one.told[1].id and one.told[1].json["data"]["gateway"] != one.told[0].json["data"]["gateway"]
    other[0].wait_metric("banyan_shift_webhook_waiting", 0, webhook="hook")


def test_a_hook_that_does_not_answer_holds_up_nobody(told, receiver):
    never = threading.Event()
    slow, quick = receiver(hold=never), receiver()
    gw, users = told(standard(slow), standard(quick).replace("name: hook", "name: quick"))
    for _ in range(3):
        users.command("canary")
        users.command("back")
    quick.wait(*["canary", "back"] * 3)
    until(lambda: slow.told, "the other one has the first")
    assert len(slow.told) == 1 and results(gw) == {}


def test_a_chat_gets_one_line(told, receiver):
    one = receiver()
    gw, users = told(f"url: 'http://{one.address}/services/T0/B0/xyz', format: slack")
    users.command("canary", "5%", "--why", "<release> & more")
    until(lambda: one.told, "told")
    assert one.told[0].json == {"text": "users: canary, from old to canary (5 % of users on the new side), by admin: "
                                        "&lt;release&gt; &amp; more"}
    assert one.told[0].headers["webhook-signature"] is None and one.told[0].id
    until(lambda: results(gw, one.address) == {"delivered": 1}, "called by its host and port")


def test_who_is_not_who_it_says_is_told_nothing(told, receiver, certificates):
    strange = receiver(tls=certificates.serve())
    gw, users = told(standard(strange, scheme="https"))
    users.command("canary")
    until(lambda: results(gw).get("unverified"), "refused, and counted")
    assert not strange.told and "certificate" in gw.stderr
    gw.reload(told.text(standard(strange, f", ca: '{certificates.ca}'", scheme="https")))
    strange.wait("canary")


def test_who_is_gone_is_told_nothing_until_it_is_configured_anew(told, receiver, gateway):
    statuses = itertools.chain([410], itertools.repeat(200))
    one = receiver(answer=lambda told: next(statuses))
    gw, users = told(standard(one))
    users.command("canary")
    until(lambda: results(gw) == {"gone": 1}, "it is gone")
    users.command("back")
    gw.wait_metric("banyan_shift_webhook_waiting", 2, webhook="hook")
    gw.reload(gw.text)
    gw.stop()
    again = gateway(after=gw, text=None, token=TOKEN)
    again.wait_metric("banyan_shift_webhook_waiting", 2, webhook="hook")
    always(lambda: len(one.told) == 1, "nobody asks it again", 1.5)
    again.reload(told.text(standard(one, ", events: [ canary, back, pause ]")))
    one.wait("canary", "back")


def test_who_is_new_hears_of_what_comes(told, receiver):
    one = receiver()
    gw, users = told()
    users.command("canary")
    gw.reload(told.text(standard(one)))
    users.command("back")
    one.wait("back")


def test_no_secret_is_ever_said(told, receiver, tmp_path):
    one = receiver(answer=lambda told: 500)
    kept = tmp_path / "secret"
    kept.write_text(SECRET + "\n")
    hook = standard(one, place="ann:p%40ssword-of-ann@").replace(f"secret: {SECRET}", f"secret: 'file:{kept}'")
    gw, users = told(hook, "url: 'http://nobody.invalid/T0/key-of-the-chat', format: slack")
    users.command("canary")
    until(lambda: results(gw).get("refused") and results(gw, "nobody.invalid").get("failed"), "both were tried")
    assert one.told[0].headers["Authorization"] == "Basic YW5uOnBAc3N3b3JkLW9mLWFubg==" and one.told[0].is_signed()
    said = gw.stderr + gw.ask_admin("/config")[2] + gw.ask_admin("/metrics")[2] + json.dumps(users.ask()) + json.dumps(users.history)
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "ssword-of-ann", "key-of-the-chat"):
        assert secret not in said
    assert "(hidden)" in gw.ask_admin("/config")[2]


def test_a_webhook_with_mistakes_is_refused_with_its_line(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text("listen: '127.0.0.1:0'\nshift:\n  webhooks:\n  - url: hooks.test/x\n    secret: nothing-much\n")
    code, out, err = run_banyan("check", file)
    assert code == 2 and "bad.yaml:4:10: url: expected https://HOST/PATH" in out + err
    assert "bad.yaml:5:13: secret: expected whsec_" in out + err and "nothing-much" not in out + err
