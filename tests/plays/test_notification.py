# SPDX-License-Identifier: Apache-2.0
"""Notifications: what is asked for, what goes out, what does not, and what is said of it."""
import datetime
import json
import random
import re
import subprocess
import urllib.parse

import pystache
import pytest

from actors.accounts import fresh
from actors.gateway import ROOT
from actors.messages import Messages
from actors.notes import say
from actors.waiting import PATIENCE_S, PROOF, always, until

ORDER = [
    {"channel": "email", "locale": "en", "subject": "Order {{id}}", "text": "Hi {{recipient.name}}\n{{#lines}}\n- {{.}}\n{{/lines}}\n",
     "html": '<a href="https://shop.test/o/{{id}}">{{title}}</a>'},
    {"channel": "email", "locale": "de", "subject": "Bestellung {{id}}", "text": "Hallo {{recipient.name}}"},
    {"channel": "sms", "locale": "en", "text": "Order {{id}}: {{title}}"},
    {"channel": "push", "locale": "en", "subject": "Order {{id}}", "text": "{{title}}", "url": "https://shop.test/o/{{id}}",
     "data": '{"order":{{id}}}'},
    {"channel": "inbox", "locale": "en", "subject": "Order {{id}}", "text": "{{title}}", "url": "/o/{{id}}"},
]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def notes(request, long_stage, tmp_path_factory):
    if request.param != "sqlite" and not PROOF:
        pytest.skip("on SQLite only, outside the proof")
    folder = tmp_path_factory.mktemp("notify")
    database = f"sqlite:{folder}/notification.db" if request.param == "sqlite" else fresh(request.getfixturevalue("accounts_beside")[0])
    at = Messages(folder, database, long_stage.jose())
    long_stage.callback(lambda: at.finish())
    at.template("order", *ORDER)
    for name, channels in (("order", ["email"]), ("all", ["email", "sms", "push", "inbox"]), ("bell", ["inbox"])):
        at.workflow(name, *channels, template="order", category="orders")
    at.workflow("news", "email", klass="bulk", template="order")
    at.workflow("code", "email", klass="security", template="order", category="orders")
    return at


def test_a_mail_is_made_for_its_reader(notes):
    notes.contact("ann", email="Ann@Shop.test", name="Ann <3", locale="de-AT")
    one = notes.notify("order", "ann", "bob@shop.test", data={"id": 7, "title": "A<b>", "lines": ["x", "y"]})
    rows = notes.deliveries(one, "accepted", count=2)
    assert [row["address"] for row in rows] == ["ann@shop.test", "bob@shop.test"]
    ann, bob = notes.record(to="ann@shop.test"), notes.record(to="bob@shop.test")
    assert (ann["subject"], ann["text"]) == ("Bestellung 7", "Hallo Ann <3")
    assert (bob["subject"], bob["text"]) == ("Order 7", "Hi \n- x\n- y\n")
    assert bob["html"] == '<a href="https://shop.test/o/7">A&lt;b&gt;</a>' and bob["unsubscribe"] == ""
    assert [step["state"] for step in rows[0]["timeline"]] == ["sending", "accepted"] and rows[0]["template_version"] == 1
    assert rows[0]["attempts_made"][0]["provider_id"].startswith("rec-")


def test_every_channel_has_its_own_text(notes):
    notes.contact("cem", email="cem@shop.test", phone="+49 170 1234567")
    notes.ok("POST", "/v1/recipients/cem/devices", {"platform": "fcm", "token": "tok-cem", "keys": {"a": 1}})
    one = notes.notify("all", "cem", data={"id": 8, "title": "T"})
    rows = {row["channel"]: row for row in notes.deliveries(one, "accepted", "delivered", count=4)}
    assert rows["inbox"]["state"] == "delivered" and len(rows) == 4
    assert notes.record(to="+491701234567")["text"] == "Order 8: T"
    push = notes.record(to="tok-cem")
    assert (push["platform"], push["subject"], push["data"], push["url"]) == ("fcm", "Order 8", '{"order":8}', "https://shop.test/o/8")


def test_who_cannot_be_reached_is_said(notes):
    rows = notes.deliveries(notes.notify("all", "nobody", data={"id": 1}), "suppressed", "delivered", count=4)
    assert {row["channel"]: row["reason"] for row in rows} == {"email": "no_address", "sms": "no_address", "push": "no_device", "inbox": ""}


@pytest.mark.parametrize("to, workflow, state, attempts", [
    ("hard.a@x.test", "order", "bounced_hard", 1),
    ("gone.a@x.test", "order", "failed", 1),
    ("unknown.a@x.test", "order", "unknown", 1),
    ("soft.1.a@x.test", "code", "accepted", 2),
    ("unknown.1.a@x.test", "code", "accepted", 2),
])
def test_what_a_provider_says_decides(notes, to, workflow, state, attempts):
    row = notes.delivery(notes.notify(workflow, to, data={"id": 2}), state)
    assert row["attempts"] == attempts


def test_an_address_that_bounced_gets_nothing_more(notes):
    notes.delivery(notes.notify("order", "hard.b@x.test", data={"id": 1}), "bounced_hard")
    row = notes.delivery(notes.notify("code", "hard.b@x.test", data={"id": 1}), "suppressed")
    assert row["reason"] == "bounce"
    found = notes.ok("POST", "/v1/suppressions/find", {"channel": "email", "address": "HARD.b@x.test"})["data"]
    assert [(sup["address"], sup["reason"], sup["scope"]) for sup in found] == [("h***@x.test", "bounce", "*")]
    notes.ok("DELETE", f"/v1/suppressions/{found[0]['id']}")
    assert notes.delivery(notes.notify("order", "hard.b@x.test", data={"id": 1}), "bounced_hard")["attempts"] == 1


def test_preferences_hold_what_is_not_wanted_but_not_warnings(notes):
    notes.contact("dee", email="dee@shop.test")
    dee = notes.person("dee")
    notes.ok("PUT", "/v1/recipients/me/preferences", {"preferences": [{"category": "orders", "channel": "email", "allowed": False}]}, who=dee)
    assert notes.delivery(notes.notify("order", "dee", data={"id": 1}), "suppressed")["reason"] == "preference"
    notes.delivery(notes.notify("code", "dee", data={"id": 1}), "accepted")
    notes.ok("PUT", "/v1/recipients/me/preferences", {"preferences": []}, who=dee)
    notes.delivery(notes.notify("order", "dee", data={"id": 1}), "accepted")


def test_nobody_looks_after_others(notes):
    eve = notes.person("eve")
    for method, path, body in (("GET", "/v1/recipients/dee", None), ("PUT", "/v1/recipients/dee/preferences", {"preferences": []}),
                               ("PUT", "/v1/recipients/me/contacts/email", {"address": "victim@x.test"}),
                               ("POST", "/v1/notifications", {"workflow": "order", "to": [{"recipient": "eve"}]}),
                               ("GET", "/v1/recipients/dee/deliveries", None)):
        said = notes.say(method, path, body, who=eve)
        assert (said.status, said.code) == (403, "auth.scope"), path
    assert say(notes.address, "GET", "/v1/inbox", who=None).status == 401


def now_in(minutes):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)).strftime("%H:%M")


def test_quiet_hours_put_off_until_they_end(notes):
    notes.contact("fay", email="fay@shop.test", phone="+4917099999", zone="UTC")
    shown = notes.ok("PUT", "/v1/recipients/fay/quiet-hours", {"from": now_in(-60), "to": now_in(60), "channels": ["email"]})
    assert shown["quiet_hours"]["channels"] == ["email"]
    one = notes.notify("order", "fay", data={"id": 1})
    row = notes.delivery(one, "deferred")
    due = datetime.datetime.fromisoformat(row["due_at"].replace("Z", "+00:00"))
    assert row["reason"] == "quiet_hours" and due.strftime("%H:%M") == shown["quiet_hours"]["to"]
    notes.delivery(notes.notify("code", "fay", data={"id": 1}), "accepted")
    assert notes.ok("DELETE", f"/v1/notifications/{one}")["cancelled"] == 1
    assert notes.delivery(one, "cancelled")["timeline"][-1]["detail"].startswith("by key:bk_")
    assert notes.say("PUT", "/v1/recipients/fay", {"zone": "Mars/Olympus"}).errors == {"/zone": "invalid"}


def test_what_is_sent_later_can_be_taken_back_and_what_is_late_is_not_sent(notes):
    soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).isoformat()
    one = notes.notify("order", "later@x.test", send_at=soon, data={"id": 1})
    assert notes.get(one)["state"] == "accepted"
    assert notes.ok("DELETE", f"/v1/notifications/{one}")["state"] == "cancelled" and notes.get(one)["deliveries"] == []
    late = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)).isoformat()
    row = notes.delivery(notes.notify("order", "soft.a@late.test", expires_at=late, data={"id": 1}), "expired")
    assert row["attempts"] == 1 and not notes.recorded(to="soft.a@late.test")


def test_a_later_one_stands_in_for_an_earlier(notes):
    notes.contact("gus", email="gus@shop.test", zone="UTC")
    notes.ok("PUT", "/v1/recipients/gus/quiet-hours", {"from": now_in(-60), "to": now_in(60), "channels": ["email"]})
    first = notes.notify("order", "gus", collapse_key="status", data={"id": 1})
    notes.delivery(first, "deferred")
    second = notes.notify("order", "gus", collapse_key="status", data={"id": 2})
    assert second in notes.delivery(first, "collapsed")["timeline"][-1]["detail"]
    notes.delivery(second, "deferred")


def test_several_become_one_digest_and_it_is_closed_once(notes):
    notes.template("sum", {"channel": "email", "locale": "en", "subject": "{{count}} orders", "text": "{{#items}}\n{{id}};\n{{/items}}\n"})
    notes.workflow("sum", "email", digest={"window": 2, "key": "shop"})
    notes.contact("hal", email="hal@shop.test")
    ones = [notes.notify("sum", "hal", data={"id": n, "shop": "a"}) for n in range(5)]
    other = notes.notify("sum", "hal", data={"id": 9, "shop": "b"})
    notes.deliveries(ones[0], "digesting", "digested")
    notes.ok("DELETE", f"/v1/notifications/{ones[3]}")
    for one in (ones[0], ones[1], ones[2], ones[4], other):
        notes.delivery(one, "digested")
    until(lambda: len(notes.recorded(to="hal@shop.test")) == 2, "a digest of each key")
    texts = {row["subject"]: row["text"] for row in notes.recorded(to="hal@shop.test")}
    assert sorted(re.findall(r"\d", texts["4 orders"])) == ["0", "1", "2", "4"] and texts["1 orders"] == "9;\n"


def test_news_can_be_unsubscribed_from_by_one_click(notes):
    notes.delivery(notes.notify("news", "iva@shop.test", data={"id": 1}), "accepted")
    link = urllib.parse.urlsplit(notes.record(to="iva@shop.test")["unsubscribe"])
    assert link.netloc == "shop.test" and link.path.startswith("/mail/u/")
    path = link.path.removeprefix("/mail")
    page = say(notes.address, "GET", path, who=None)
    assert page.status == 200 and b'method="post"' in page.body and "default-src 'none'" in page.headers["Content-Security-Policy"]
    notes.delivery(notes.notify("news", "iva@shop.test", data={"id": 2}), "accepted")  # looking is not unsubscribing
    for _ in range(2):
        done = say(notes.address, "POST", path, b"List-Unsubscribe=One-Click", who=None, Content_Type="application/x-www-form-urlencoded")
        assert done.status == 200
    assert notes.delivery(notes.notify("news", "iva@shop.test", data={"id": 3}), "suppressed")["reason"] == "unsubscribe"
    notes.delivery(notes.notify("order", "iva@shop.test", data={"id": 3}), "accepted")  # of news only
    assert say(notes.address, "POST", path[:-2] + ("AA" if path[-2:] != "AA" else "BB"), b"", who=None).code == "unsubscribe.token"


def test_topics_reach_all_who_are_in_them_each_once(notes):
    notes.ok("PUT", "/v1/topics/fans", {"title": "Fans"})
    names = [f"fan{n}" for n in range(250)]
    assert notes.ok("POST", "/v1/topics/fans/members", {"add": names})["added"] == 250
    notes.ok("DELETE", "/v1/topics/fans/members/me", who=notes.person("fan7"))
    one = notes.notify("bell", "#fans", "fan1", data={"id": 3, "title": "x"})
    until(lambda: notes.get(one)["state"] == "expanded", "all deliveries")
    seen, path = [], f"/v1/notifications/{one}/deliveries?limit=100"
    while path:
        page = notes.ok("GET", path)
        seen += [row["recipient"] for row in page["data"]]
        path = page.get("next") and f"/v1/notifications/{one}/deliveries?limit=100&cursor={page['next']}"
    assert sorted(seen) == sorted(set(names) - {"fan7"})


def test_templates_never_change_and_can_be_gone_back_to(notes):
    part = {"channel": "email", "locale": "en", "subject": "v1", "text": "{{x}}"}
    notes.template("turn", part)
    notes.workflow("turn", "email")
    assert notes.template("turn", {**part, "subject": "v2"}, draft=True)["current"] == 1
    notes.delivery(notes.notify("turn", "v1@turn.test"), "accepted")
    notes.ok("PUT", "/v1/templates/turn/current", {"version": 2})
    assert notes.delivery(notes.notify("turn", "v2@turn.test"), "accepted")["template_version"] == 2
    assert [notes.record(to=f"{v}@turn.test")["subject"] for v in ("v1", "v2")] == ["v1", "v2"]
    assert notes.ok("GET", "/v1/templates/turn/versions/1")["parts"][0]["subject"] == "v1"
    assert notes.say("PUT", "/v1/templates/turn/current", {"version": 3}).errors == {"/version": "range"}
    shown = notes.ok("POST", "/v1/templates/turn/preview", {"channel": "email", "version": 1, "data": {"x": "y"}})
    assert (shown["subject"], shown["text"], shown["version"]) == ("v1", "y", 1)
    sent = notes.ok("POST", "/v1/templates/turn/test", {"channel": "email", "to": "Test@Turn.test", "data": {"x": 1}})
    assert sent["outcome"] == "accepted" and notes.record(to="test@turn.test")["text"] == "1"


SAMPLE = {"a": "A", "n": 7, "zero": 0, "empty": "", "none": [], "list": ["x", "y"], "rows": [{"a": 1, "sub": [{"b": 2}, {"b": 3}]}, {"c": "C"}],
          "deep": {"er": {"st": "D", "list": [1, 2]}}, "quote": "\"<&>'"}


def some_template(dice, depth=0):
    """Whatever Mustache has, and lines on which a tag stands alone (without blanks behind it: there the two differ)."""
    names = ["a", "n", "zero", "empty", "none", "list", "rows", "deep", "deep.er", "deep.er.st", "deep.er.list", "sub", "b", "c", "quote", "missing", "a.b"]
    text = ""
    for _ in range(dice.randrange(1, 6)):
        name, way = dice.choice(names), dice.randrange(9)
        if way < 3:
            text += dice.choice(["word", "\n", "_", "  x\n", "{ _", " }", "\u00e4", "x\n"])
        elif way < 5:
            scalar = dice.choice(["a", "n", "b", "c", "quote", "missing", "deep.er.st", "empty"])
            text += dice.choice(["{{%s}}", "{{ %s }}", "{{{%s}}}", "{{&%s}}"]) % scalar
        elif way == 5:
            text += dice.choice(["{{! nothing }}", "\n  {{! alone }}\n", "{{=<< >>=}}<<a>><<={{ }}=>>"])
        elif depth < 3:
            space = dice.choice(["", "\n", "\n\n"])
            text += f"{space}{{{{{dice.choice('#^')}{name}}}}}{space}{some_template(dice, depth + 1)}{space}{{{{/{name}}}}}{space}"
    return text


def test_templates_give_what_another_mustache_gives(notes):
    dice = random.Random(20260228)
    texts = [text for text in (some_template(dice) for _ in range(150 if not PROOF else 1500)) if text.strip()]
    judge = pystache.Renderer(escape=lambda text: text, missing_tags="ignore")
    for first in range(0, len(texts), 150):
        some = texts[first:first + 150]
        notes.template("judge", *[{"channel": "sms", "locale": f"aa-{n}", "text": text} for n, text in enumerate(some)])
        for n, text in enumerate(some):
            shown = notes.ok("POST", "/v1/templates/judge/preview", {"channel": "sms", "locale": f"aa-{n}", "data": SAMPLE})
            assert shown["text"] == judge.render(text, SAMPLE), text


@pytest.mark.parametrize("part, why", [
    ({"channel": "email", "subject": "x", "html": "<p onclick='{{x}}'>"}, "html: line 1, column 13"),
    ({"channel": "email", "subject": "{{#x}}", "text": "x"}, "subject: line 1"),
    ({"channel": "email", "text": "x"}, "needs a subject"),
    ({"channel": "sms", "text": "x", "html": "<p>"}, "sms has no html"),
])
def test_a_template_that_is_not_safe_is_not_taken(notes, part, why):
    said = notes.say("POST", "/v1/templates/bad/versions", {"parts": [{"locale": "en", **part}]})
    assert said.status == 422 and why in said.json["errors"][0]["detail"]
    assert notes.say("GET", "/v1/templates/bad").status == 404


def test_the_inbox_comes_as_it_happens_and_nothing_is_missed(notes):
    jan = notes.person("jan")
    stream = notes.stream("jan")
    for n in range(3):
        notes.notify("bell", "jan", data={"id": n, "title": "t"})
    until(lambda: len(stream.events()) == 3, "three events")
    stream.close()
    first = stream.events()[0]
    notes.delivery(notes.notify("bell", "jan", data={"id": 3, "title": "t"}), "delivered")
    late = notes.stream("jan", last=first[0])
    until(lambda: len(late.events()) == 3, "what came since")
    late.close()
    assert [event[1]["title"] for event in late.events()] == [event[1]["title"] for event in stream.events()[1:]] + ["Order 3"]
    items = notes.ok("GET", "/v1/inbox", who=jan)["data"]
    assert len(items) == 4 and notes.ok("GET", "/v1/inbox/counts", who=jan) == {"unread": 4, "unseen": 4}
    notes.ok("PATCH", f"/v1/inbox/{items[0]['id']}", {"read": True}, who=jan)
    notes.ok("PATCH", f"/v1/inbox/{items[1]['id']}", {"archived": True}, who=jan)
    assert notes.ok("GET", "/v1/inbox/counts", who=jan) == {"unread": 2, "unseen": 2}
    assert len(notes.ok("GET", "/v1/inbox?unread=true", who=jan)["data"]) == 2
    assert notes.say("PATCH", f"/v1/inbox/{items[0]['id']}", {"read": True}, who=notes.person("eve")).status == 404
    assert notes.ok("POST", "/v1/inbox/read-all", who=jan)["unread"] == 0


def test_the_same_request_again_is_the_same_notification(notes):
    body = {"workflow": "order", "to": [{"email": "once@x.test"}], "data": {"id": 5}}
    ids = {notes.ok("POST", "/v1/notifications", body, Idempotency_Key="k-1")["id"] for _ in range(3)}
    assert len(ids) == 1
    notes.delivery(ids.pop(), "accepted")
    always(lambda: len(notes.recorded(to="once@x.test")) == 1, "one mail")


def test_a_workflow_says_itself_what_it_is_and_is_about_a_deed_unless_told(notes):
    made = notes.ok("PUT", "/v1/workflows/plain", {"channels": ["email", "push"]})
    assert (made["class"], made["category"], made["channels"], made["template"]) == ("transactional", "plain", ["email", "push"], "plain")
    made = notes.ok("PUT", "/v1/workflows/plain", {"channels": ["email"], "class": "bulk", "digest": {"daily_at": "09:30"}, "expires_after": 60})
    assert (made["class"], made["digest"], made["version"]) == ("bulk", {"daily_at": "09:30", "key": ""}, 2)
    assert notes.say("PUT", "/v1/workflows/plain", {"channels": [], "digest": {}, "locale": "d_e"}).errors == \
        {"/channels": "required", "/digest": "invalid", "/locale": "format"}
    notes.ok("DELETE", "/v1/workflows/plain")
    assert notes.say("GET", "/v1/workflows/plain").code == "workflow.unknown"


def test_a_provider_that_is_ill_is_left_alone_for_a_while(stage):
    """Whatever is for it waits, and goes out when it is well; and no faster than it may."""
    at = Messages(stage.folder, f"sqlite:{stage.folder}/notification.db", stage.jose(), more="rates: { record: 2 }")
    stage.callback(at.finish)
    at.template("order", *ORDER)
    at.workflow("order", "email")
    at.delivery(at.notify("order", "refused.1.a@x.test", data={"id": 1}), "deferred")
    shown = {row["channel"]: row for row in at.ok("GET", "/v1/channels")["data"]}
    assert (shown["email"]["health"], shown["sms"]["health"], shown["push"]["can_dedupe"]) == ("failing", "well", True)
    one = at.notify("order", "b@x.test", data={"id": 1})
    assert at.delivery(one, "deferred", "accepted")["attempts"] <= 1
    assert at.delivery(one, "accepted")["attempts"] == 1
    until(lambda: at.ok("GET", "/v1/channels")["data"][0]["health"] == "well", "a provider that is well")
    rows = at.deliveries(at.notify("order", *[f"{n}@many.test" for n in range(7)], data={"id": 1}), "accepted", count=7)
    waited = [row for row in rows if [step["state"] for step in row["timeline"]][0] == "deferred"]
    assert waited and all(row["attempts"] == 1 for row in rows)


def test_mistakes_are_told_at_once(notes):
    said = notes.say("POST", "/v1/notifications", {"workflow": "order", "to": [{"topic": "x", "email": "a@x.test"}, {}, {"phone": "12"}], "data": []})
    assert said.status == 422 and set(said.errors) == {"/to/2/phone"}
    said = notes.say("POST", "/v1/notifications", {"workflow": "order", "to": [{"topic": "x", "email": "a@x.test"}, {}], "data": []})
    assert said.errors == {"/to/0": "invalid", "/to/1": "required", "/data": "type"}
    assert notes.say("POST", "/v1/notifications", {"workflow": "nothing", "to": [{"email": "a@x.test"}]}).code == "workflow.unknown"


def test_one_that_failed_is_sent_again_by_hand(notes):
    one = notes.notify("order", "unknown.1.z@x.test", data={"id": 1})
    row = notes.delivery(one, "unknown")
    code, out, _ = notes.run("show", one)
    assert code == 0 and "unknown" in out
    assert notes.run("retry", row["id"])[0] == 0
    assert notes.delivery(one, "accepted")["attempts"] == 2
    assert notes.run("retry", row["id"])[0] == 7  # it is not to be sent twice
    assert notes.run("cancel", one)[1] == "0 deliveries were cancelled\n"


def test_an_attempt_that_died_is_settled_and_not_made_again(notes):
    """The process is killed while the wire is busy. What may be there twice is sent again; what may not, is not."""
    receipt = notes.notify("order", "hang.1.a@x.test", data={"id": 1})
    code = notes.notify("code", "hang.1.b@x.test", data={"id": 1})
    for one in (receipt, code):
        notes.delivery(one, "sending")
    notes.again()
    notes.lose_leases()
    assert [row["outcome"] for row in notes.delivery(receipt, "unknown")["attempts_made"]] == ["unknown"]
    assert [row["outcome"] for row in notes.delivery(code, "accepted")["attempts_made"]] == ["unknown", "accepted"]
    assert len(notes.recorded(to="hang.1.b@x.test")) == 1 and not notes.recorded(to="hang.1.a@x.test")


def test_whoever_is_erased_is_forgotten(notes):
    notes.contact("kim", email="kim@shop.test")
    one = notes.notify("all", "kim", data={"id": 1})
    notes.deliveries(one, "accepted", "delivered", "suppressed", count=4)
    notes.ok("DELETE", "/v1/recipients/me", who=notes.person("kim"))
    assert notes.say("GET", "/v1/recipients/kim").status == 404
    assert {row["address"] for row in notes.get(one)["deliveries"]} == {""}
    assert notes.ok("GET", "/v1/inbox", who=notes.person("kim"))["data"] == []


def test_the_api_is_described(notes):
    described = say(notes.address, "GET", "/openapi.json", who=None)
    judge = subprocess.run(["node", ROOT / "tests/plays/actors/openapi.mjs"], input=described.body, cwd=ROOT, capture_output=True, check=False)
    assert judge.returncode == 0, judge.stdout + judge.stderr


def test_accounts_get_their_mails_and_become_recipients(stage):
    """The user service tells; its codes are closed in both databases."""
    at = Messages.with_users(stage.folder, stage.jose())
    stage.callback(at.finish)
    register = {"email": "Lea@Shop.test", "password": "correct horse battery", "name": "Lea", "locale": "de"}
    proof = say(at.users, "POST", "/v1/registrations", register, who=None).json["proof"]
    mail = at.record(to="lea@shop.test")
    code = re.search(r"Ihr Code: (\S+)", mail["text"])[1]
    assert mail["class"] == "security" and mail["subject"] == "Best\u00e4tigen Sie Ihre Adresse"
    assert code.encode() not in (stage.folder / "notification.db").read_bytes() + (stage.folder / "notification.db-wal").read_bytes()
    made = say(at.users, "POST", "/v1/verifications", {"code": code, "proof": proof}, who=None)
    assert made.status in (200, 201, 204), made.body
    found = until(lambda: [row for row in at.ok("GET", "/v1/recipients")["data"] if row["name"] == "Lea"], "a recipient")
    shown = until(lambda: (row := at.ok("GET", f"/v1/recipients/{found[0]['id']}"))["contacts"] and row, "an address")
    assert (shown["locale"], shown["contacts"][0]["address"]) == ("de", "lea@shop.test")


def test_nothing_is_lost_or_sent_twice_whatever_dies(notes):
    """kill -9, again and again, while messages go out. What is certain is asked of the file that the provider wrote."""
    people, kills = (400, 12) if PROOF else (40, 3)
    names = [f"{kind}{n}@storm.test" for n in range(people) for kind in ("soft.1.r", "r", "slow.r")]
    asked = []
    for first in range(0, len(names), 30):
        some = names[first:first + 30]
        asked += [notes.notify("order", *some, data={"id": first}), notes.notify("code", *["c." + name for name in some], data={"id": first})]
        if first // 30 < kills:
            notes.again()
            notes.lose_leases()
    for one in asked:
        until(lambda: (notes.lose_leases() or notes.get(one)["state"] == "expanded") and all(
            row["state"] in ("accepted", "unknown") for row in notes.get(one)["deliveries"]), f"the end of {one}", within=120)
    sent = [row["to"] for row in notes.recorded() if row["to"].endswith("@storm.test")]
    states = {row["address"]: row["state"] for one in asked for row in notes.get(one)["deliveries"]}
    assert len(states) == 2 * len(names)
    for name in names:
        assert sent.count(name) == 1 or (sent.count(name) == 0 and states[name] == "unknown"), (name, states[name], sent.count(name))
        assert sent.count("c." + name) >= 1 and states["c." + name] == "accepted"


def test_a_stream_comes_to_its_end_when_the_service_does(stage):
    at = Messages(stage.folder, f"sqlite:{stage.folder}/notification.db", stage.jose())
    stream = at.stream("ann")
    at.stop()
    stream.reader.join(PATIENCE_S)
    assert stream.text.endswith("\r\n0\r\n\r\n") and "cut" not in at.stderr


def test_nothing_is_wrong_in_the_end(notes):
    assert all(row["wrong"] == 0 for row in notes.whole()["checks"])


@pytest.mark.parametrize("break_it, check", [
    ("update deliveries set version = version + 1 where state = 'accepted'", "delivery.timeline"),
    ("delete from attempts where outcome = 'accepted'", "delivery.taken"),
    ("update deliveries set state = 'queued' where state = 'expired'", "delivery.alive"),
    ("update notifications set state = 'accepted'", "notification.expanded"),
    ("update deliveries set state = 'digesting' where state = 'digested'", "digest.closed"),
    ("update digests set closed_at = null", "digest.open"),
    ("delete from template_versions where version = 2", "template.versions"),
])
def test_what_is_broken_is_found(notes, break_it, check):
    """On a copy: the service goes on with its own."""
    if not notes.database.startswith("sqlite:"):
        pytest.skip("a copy of a file")
    code, out = notes.fsck_of_a_copy("pragma foreign_keys = off", break_it)
    assert code == 3 and check in [row["name"] for row in json.loads(out)["checks"] if row["wrong"]], out
