# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what payments tells others, checked by the libraries that others use, and what a provider tells payments."""
import time

import pytest
import stripe

from actors.accounts import engine_of, fresh, say
from actors.hooked import SECRET, Hooked, TellingProvider, judged
from actors.notes import Notes
from actors.receiver import Receiver
from actors.waiting import until


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shop(request, long_stage, certificates):
    engine = engine_of(request)
    database = f"sqlite:{long_stage.folder}/payment.db" if engine == "sqlite" else fresh(request.getfixturevalue("accounts_beside")[0])
    provider = TellingProvider(long_stage.folder)
    service = Hooked(long_stage.folder, database, provider, certificates.ca)
    long_stage.enter(service, lambda: service.finish())  # a play puts another process in its place
    provider.tell(f"http://{service.address}/v1/providers/main/webhook")
    long_stage.enter(provider, provider.finish)
    yield service


@pytest.fixture
def receiver(certificates):
    made = Receiver(tls=certificates.serve())
    yield made
    made.finish()


def pay(shop, amount=500, method="pm_card_visa"):
    answer = shop.form("/v1/payment_intents", f"amount={amount}&currency=eur&confirm=true&payment_method={method}")
    assert answer.status == 200, answer.body
    return answer.json


def told_of(receiver, intent, within=20):
    """Of each event of an intent the first time that it was taken, by its type."""
    def found():
        rows = [one for one in receiver.taken if one.json["data"]["object"]["id"] == intent]
        return rows if any(one.json["type"] == "payment_intent.succeeded" for one in rows) else []
    return until(found, f"word of {intent}", within=within)


def test_what_is_told_is_believed_by_stripe_and_standardwebhooks(shop, receiver):
    endpoint = shop.endpoint(f"https://{receiver.address}/hook", description="the warehouse", metadata={"a": "1"})
    assert endpoint["object"] == "webhook_endpoint" and endpoint["secret"].startswith("whsec_") and endpoint["status"] == "enabled"
    intent = pay(shop)["id"]
    told = told_of(receiver, intent)
    here = list(receiver.told)  # others are still on their way
    assert judged(here, endpoint["secret"]) == [[one.json["type"]] * 2 for one in here]
    assert all("WebhookVerificationError" in words[1] and "Signature" in words[0] for words in judged(told, SECRET))
    event = stripe.Webhook.construct_event(told[0].body, told[0].headers["Stripe-Signature"], endpoint["secret"])
    assert event.id == told[0].id and shop.say("GET", f"/v1/events/{event.id}").json["data"] == told[0].json["data"]
    until(lambda: {one.id for one in here} <= {row["event"] for row in shop.deliveries(endpoint)}, "all were noted")
    seen = shop.say("GET", f"/v1/webhook_endpoints/{endpoint['id']}").json
    assert "secret" not in seen and seen["metadata"] == {"a": "1"} and endpoint["id"] in [
        row["id"] for row in shop.say("GET", "/v1/webhook_endpoints").json["data"]]
    fresh_secret = shop.say("POST", f"/v1/webhook_endpoints/{endpoint['id']}/rotate_secret").json["secret"]
    later = told_of(receiver, pay(shop)["id"])
    assert judged(later, fresh_secret) == judged(later, endpoint["secret"]) == [[one.json["type"]] * 2 for one in later]
    assert shop.say("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}").json["deleted"]
    assert shop.say("GET", f"/v1/webhook_endpoints/{endpoint['id']}").status == 404


def test_one_is_told_what_it_wants_until_it_takes_it(shop, receiver):
    receiver.answer = lambda told: 500 if len(receiver.told) < 2 else 200
    endpoint = shop.endpoint(f"https://{receiver.address}/hook", "payment_intent.succeeded", "charge.*")
    intent = pay(shop)["id"]
    until(lambda: len(receiver.taken) == 2, "both, at last")
    assert {one.json["type"] for one in receiver.told} == {"payment_intent.succeeded", "charge.succeeded"}
    ids = [one.id for one in receiver.told]
    assert len(set(ids)) == 2 and len(ids) == 4, f"each twice, under the same id, for {intent}"
    rows = until(lambda: len(shop.deliveries(endpoint)) == 2 and shop.deliveries(endpoint), "both were noted")
    assert {row["tries"] for row in rows} == {2} and {row["status"] for row in rows} == {200}
    shop.say("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def test_who_is_gone_is_told_nothing_until_somebody_says_so(shop, receiver):
    receiver.answer = lambda told: 410
    endpoint = shop.endpoint(f"https://{receiver.address}/hook", "payment_intent.succeeded")
    where = f"/v1/webhook_endpoints/{endpoint['id']}"
    first = pay(shop)["id"]
    seen = until(lambda: shop.say("GET", where).json["status"] == "disabled" and shop.say("GET", where).json, "that it is disabled")
    assert "410" in seen["disabled_reason"]
    dead = shop.deliveries(endpoint, "dead")
    assert [(row["status"], row["tries"]) for row in dead] == [(410, 1)]
    pay(shop)
    receiver.answer = lambda told: 200
    assert shop.say("POST", f"{where}/replay", {}).json == {"replayed": 1}
    assert [one.json["data"]["object"]["id"] for one in until(lambda: receiver.taken, "the dead one again")] == [first]
    assert shop.say("GET", where).json["status"] == "enabled"
    row = until(lambda: shop.deliveries(endpoint), "that it was noted")[0]
    assert shop.say("POST", f"/v1/webhook_deliveries/{row['id']}/replay").status == 204
    until(lambda: len(receiver.taken) == 2, "once more, since somebody wanted it")
    assert shop.say("POST", "/v1/webhook_deliveries/whd_00000000-0000-7000-8000-000000000000/replay").status == 404
    shop.say("DELETE", where)


def test_nobody_has_us_ask_our_own_machines(shop):
    for url in ("http://127.0.0.1:1/", "ftp://a.test/", "https://user@a.test/", "https://", "x"):
        refused = shop.say("POST", "/v1/webhook_endpoints", {"url": url, "enabled_events": ["*"]})
        assert refused.status == 400 and refused.json["error"]["param"] == "url", url
    assert shop.say("POST", "/v1/webhook_endpoints", {"url": "https://a.test/", "enabled_events": ["No Type"]}).json["error"]["param"] == "enabled_events"
    places = ["https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]:9/", "https://[::ffff:10.0.0.1]/"]
    endpoints = [shop.endpoint(url, "payment_intent.succeeded") for url in places]
    pay(shop)
    for endpoint in endpoints:
        row = until(lambda: [row for row in shop.deliveries(endpoint, "waiting") if row["tries"]], endpoint["url"])[0]
        assert "address" in row["error"] and row["status"] == 0, row
        shop.say("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def test_what_was_committed_is_told_after_a_kill(shop, receiver):
    receiver.leave()
    endpoint = shop.endpoint(f"https://{receiver.address}/hook", "payment_intent.succeeded")
    intent = pay(shop)["id"]
    address = shop.address
    new = shop.again()
    shop.__dict__.update(new.__dict__)
    shop.provider.finish()
    shop.provider.tell(f"http://{shop.address}/v1/providers/main/webhook")
    receiver.begin(receiver.port)
    told = told_of(receiver, intent)
    assert len({one.id for one in told}) == 1 and shop.address != address
    shop.say("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")


def test_a_provider_is_believed_when_it_signs_and_then_it_is_asked(shop):
    intent = pay(shop, method="pm_fault_pending")
    assert intent["status"] == "processing"
    assert shop.settled(intent["id"], within=10)["status"] == "succeeded"
    payment = shop.provider.payments(intent["id"])[0]
    event = {"id": "fe_1", "type": "payment.captured", "data": {"payment": payment["id"]}}
    assert shop.hear(event, "fe_1").json == {"received": True, "fresh": True, "known": False}, "it has ended: nobody need ask"
    shop.provider.script({"fault": "pending", "on": ["authorize"], "ms": 600_000, "times": 1})
    waits = shop.provider.payments(pay(shop)["id"])[0]
    event = {"id": "fe_3", "type": "payment.waits", "data": {"payment": waits["id"]}}
    assert shop.hear(event, "fe_3").json == {"received": True, "fresh": True, "known": True}
    assert shop.hear(event, "fe_3").json == {"received": True, "fresh": False, "known": False}
    assert shop.hear({**event, "id": "fe_2", "data": {"payment": "fp_of_others"}}, "fe_2").status == 200
    assert shop.hear(event, secret="whsec_" + "A" * 32).code == "provider.signature"
    assert shop.hear(event, seconds=int(time.time()) - 301).code == "provider.stale"
    assert shop.hear({"data": 1}).code == "provider.event"
    assert shop.hear(event, provider="nobody").status == 404
    assert shop.provider.taken(intent["id"]) == 500 and shop.fsck() == {}


def test_a_provider_that_tells_twice_late_or_never_changes_nothing(shop):
    assert shop.say("GET", "/v1/providers").json["data"] == [
        {"name": "main", "kind": "fault", "healthy": True, "webhook": "/v1/providers/main/webhook"}]

    def told():
        return say(shop.provider.address, "GET", "/healthz").json["webhooks"]
    pay(shop)
    before = until(lambda: told() or 1, "the count")
    shop.provider.script({"fault": "duplicate", "times": 1}, {"fault": "reorder", "ms": 1, "times": 1}, {"fault": "withhold", "times": 1})
    intents = [pay(shop)["id"] for _ in range(3)]
    until(lambda: told() >= before + 3, "one twice, one later, one never")
    assert {shop.intent(intent)["status"] for intent in intents} == {"succeeded"} and [shop.provider.taken(intent) for intent in intents] == [500] * 3
    assert shop.fsck() == {}


def test_any_service_tells(stage, certificates, receiver):
    notes = Notes(stage.folder, f"sqlite:{stage.folder}/notes.db", f', webhooks: {{ allow: ["127.0.0.1"], ca: "{certificates.ca}" }}')
    stage.enter(notes, notes.finish)
    who = "ann notes:read notes:write webhooks:read webhooks:write"
    made = notes.say("POST", "/v1/webhook_endpoints", {"url": f"https://{receiver.address}/", "types": ["note.*"]}, who)
    assert made.status == 201 and made.json["secret"].startswith("whsec_"), made.body
    where = f"/v1/webhook_endpoints/{made.json['id']}"
    notes.say("POST", "/v1/notes", {"title": "one"}, who)
    told = until(lambda: receiver.taken, "the note")
    assert told[0].json["data"]["title"] == "one" and judged(told, made.json["secret"]) == [["note.added", "note.added"]]
    assert notes.say("PATCH", where, {"types": ["other.*"], "description": "x"}, who).json["types"] == ["other.*"]
    seen = notes.say("GET", where, who=who).json
    assert (seen["enabled"], seen["description"], seen.get("secret")) == (True, "x", None)
    assert notes.say("PATCH", where, {"url": "http://a.test/"}, who).errors == {"/url": "invalid"}
    assert notes.say("POST", "/v1/webhook_endpoints", {"url": "https://a.test/", "types": ["No"]}, who).errors == {"/types": "invalid"}
    assert notes.say("GET", where).status == 403
    assert notes.say("PATCH", where, {"enabled": False}, who).json["enabled"] is False
    assert [row["id"] for row in notes.say("GET", "/v1/webhook_endpoints", who=who).json["data"]] == [seen["id"]]
    assert notes.say("DELETE", where, who=who).status == 204 and notes.say("GET", where, who=who).status == 404
