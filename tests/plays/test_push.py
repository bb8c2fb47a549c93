# SPDX-License-Identifier: Apache-2.0
"""Messages to browsers, telephones and by SMS: what the other side sees, and what becomes of each here. The judges are npm's web-push,
which opens what was sealed, @parse/node-apn, which sends beside us, and Twilio's own way to sign."""
import base64
import hashlib
import hmac
import json
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from actors.certificates import Certificates
from actors.gateway import Gateway, run_banyan
from actors.notes import say
from actors.pushes import Pushes
from actors.waiting import until

TEXT = """
    routes: [ {{ name: all, to: "service:notification" }} ]
    services:
      notification:
        listen: "127.0.0.1:0"
        development: true
        database: "sqlite:{folder}/notification.db"
        push:
          webpush: {{ key: "{folder}/vapid.pem", subject: "mailto:ops@shop.test", allow: [ "127.0.0.0/8" ], ca: "{ca}" }}
          fcm: {{ account: "{folder}/account.json", url: "{url}", ca: "{ca}" }}
          apns: {{ key: "{folder}/apns.p8", key_id: KEY, team: TEAM, topic: test.shop.app, url: "{url}", ca: "{ca}" }}
        sms:
          twilio:
            {{ api: twilio, url: "{url}", account: AC1, token: secret, from: "+15550001", callback: "https://n.test/v1/callbacks/twilio",
              ca: "{ca}", countries: [ "+49", "+1" ], per_number: 3 }}
          other:
            {{ api: http, url: "{url}/sms", token: key-of-ours, ca: "{ca}", order: 1, countries: [ "+49" ],
              request: "{{recipient: .to, body: .text, reference: .id}}",
              response: "if .status == 202 then {{outcome: \\"accepted\\", id: .body.message}} else {{}} end" }}
"""
SCOPES = ["notifications:send", "notifications:read", "notifications:write"]


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


class Teller(Gateway):
    """The service alone, and a key for it."""

    def __init__(self, folder, pushes, certificates):
        self.vapid, self.apns = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        (folder / "vapid.pem").write_text(pem(self.vapid))
        (folder / "apns.p8").write_text(pem(self.apns))
        (folder / "account.json").write_text(json.dumps({
            "type": "service_account", "project_id": "plays", "private_key_id": "g1", "client_email": "sender@plays.test",
            "private_key": pem(rsa.generate_private_key(65537, 2048)), "token_uri": pushes.url + "/token"}))
        super().__init__(folder, TEXT.format(folder=folder, url=pushes.url, ca=certificates.ca), words=("--only", "notification"))
        code, out, err = run_banyan("notification", "key", "add", "-c", self.file, "--owner", "play",
                                    *[word for scope in SCOPES for word in ("--scope", scope)], "--json")
        assert code == 0, err
        self.key = json.loads(out)["key"]

    def say(self, method, path, body=None, who=True, **headers):
        return say(self.addresses("service notification", "http")[0], method, path, body, self.key if who else None, **headers)

    def must(self, method, path, body=None, status=None, **headers):
        said = self.say(method, path, body, **headers)
        assert said.status == status if status else said.status < 300, (said.status, said.body)
        return said.json if said.body else None

    def send(self, to, workflow="paid", **more):
        return self.must("POST", "/v1/notifications", {"workflow": workflow, "to": to, **more})["id"]

    def deliveries(self, ntf):
        rows = self.must("GET", f"/v1/notifications/{ntf}/deliveries")["data"]
        return [self.must("GET", f"/v1/deliveries/{row['id']}") for row in rows]

    def ended(self, ntf, *states):
        def look():
            rows = self.deliveries(ntf)
            return rows if rows and all(row["state"] in states for row in rows) else None
        return until(look, f"{ntf} to be one of {states}")


@pytest.fixture(scope="module")
def pushes(long_stage):
    at = Pushes(long_stage.folder, Certificates(long_stage.folder))
    return long_stage.enter(at, at.finish)


@pytest.fixture(scope="module")
def teller(long_stage, pushes):
    certificates = Certificates.__new__(Certificates)
    certificates.folder, certificates.ca = long_stage.folder, long_stage.folder / "ca.pem"
    at = Teller(long_stage.folder, pushes, certificates)
    long_stage.enter(at, at.finish)
    content = {"locale": "en", "subject": "Paid", "text": "{{amount}} for order {{order}}", "url": "https://shop.test/o/{{order}}"}
    at.must("POST", "/v1/templates/paid/versions", {"parts": [{"channel": "push", **content, "data": '{"order": {{order}}}'},
                                                             {"channel": "sms", "locale": "en", "text": content["text"]}]})
    at.must("PUT", "/v1/workflows/paid", {"class": "transactional", "channels": ["push"], "template": "paid"})
    at.must("PUT", "/v1/workflows/alarm", {"class": "critical", "channels": ["push"], "template": "paid"})
    at.must("PUT", "/v1/workflows/code", {"class": "security", "channels": ["sms"], "template": "paid"})
    return at


def device(teller, recipient, platform, token, **keys):
    teller.must("PUT", f"/v1/recipients/{recipient}", {"locale": "en"})
    return teller.must("POST", f"/v1/recipients/{recipient}/devices", {"platform": platform, "token": token, **({"keys": keys} if keys else {})})


DATA = {"amount": "7 EUR", "order": 7}


def test_a_browser_reads_what_nobody_between_can(teller, pushes):
    keys = pushes.ask("browser", name="ann")
    device(teller, "ann", "webpush", pushes.url + "/push/ann", **keys)
    pushes.seen()
    [delivery] = teller.ended(teller.send([{"recipient": "ann"}], workflow="alarm", data=DATA, collapse_key="order 7"), "accepted")
    [told] = pushes.seen(browsers=True)
    shown = json.loads(told["text"])
    assert (shown["title"], shown["body"], shown["url"], shown["data"]) == ("Paid", "7 EUR for order 7", "https://shop.test/o/7", {"order": 7})
    head = told["headers"]
    assert (head["content-encoding"], head["urgency"], len(head["topic"])) == ("aes128gcm", "high", 22) and int(head["ttl"]) > 0
    vapid = told["vapid"]
    assert vapid["good"] and vapid["aud"] == pushes.url and vapid["sub"] == "mailto:ops@shop.test" and 0 < vapid["exp"] - time.time() < 86400
    assert vapid["key"] == teller.say("GET", "/v1/push/key", who=False).json["key"]
    assert delivery["attempts_made"][-1]["outcome"] == "accepted" and delivery["attempts_made"][-1]["provider"] == "webpush"
    # npm's web-push says the same of itself.
    private = base64.urlsafe_b64encode(teller.vapid.private_numbers().private_value.to_bytes(32, "big")).rstrip(b"=").decode()
    theirs = pushes.ask("theirs", name="ann", text=told["text"], subject="mailto:ops@shop.test", keys={"public": vapid["key"], "private": private})
    assert theirs["text"] == told["text"] and theirs["vapid"]["head"]["alg"] == vapid["head"]["alg"] == "ES256"
    assert {name for name in theirs["headers"] if name != "content-length"} <= set(head)


@pytest.mark.parametrize("status, kept", [(410, False), (404, False), (403, True), (413, True)])
def test_a_subscription_is_forgotten_when_it_is_over_and_never_else(teller, pushes, status, kept):
    who = f"browser-{status}"
    device(teller, who, "webpush", f"{pushes.url}/push/{who}", **pushes.ask("browser", name=who))
    pushes.plan(f"/push/{who}", {"status": status})
    ntf = teller.send([{"recipient": who}], data=DATA)
    until(lambda: [one for row in teller.deliveries(ntf) for one in row["attempts_made"] if one["code"] == str(status)], "an attempt")
    left = teller.must("GET", f"/v1/recipients/{who}/devices")["devices"]
    assert bool(left) == kept


def test_an_endpoint_inside_is_not_asked(teller, pushes):
    device(teller, "mallory", "webpush", "https://169.254.169.254/latest", **pushes.ask("browser", name="mallory"))
    [row] = teller.ended(teller.send([{"recipient": "mallory"}], data=DATA), "failed", "bounced_hard")
    assert row["attempts_made"][-1]["code"] == "ask.private"


def test_apple_gets_many_over_one_connection_and_sees_the_same_as_from_node_apn(teller, pushes):
    for n in range(5):
        device(teller, f"apple-{n}", "apns", f"{n:02x}" * 32)
    pushes.seen()
    ids = [teller.send([{"recipient": f"apple-{n}"}], data=DATA, priority="high") for n in range(5)]
    rows = [teller.ended(one, "accepted")[0] for one in ids]
    told = pushes.seen()
    assert len(told) == 5 and {one["version"] for one in told} == {"2.0"} and len({one["connection"] for one in told}) <= 2
    assert len({one["headers"]["authorization"] for one in told}) == 1, "one token for all"
    assert {one["headers"]["apns-id"] for one in told} == {row["id"].removeprefix("dlv_") for row in rows}
    ours = told[0]
    token = ours["headers"]["authorization"].removeprefix("bearer ")
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert (head["alg"], head["kid"], claims["iss"]) == ("ES256", "KEY", "TEAM")
    sent = pushes.ask("apn", port=pushes.port, ca=str(teller.folder / "ca.pem"), key=pem(teller.apns), keyId="KEY", teamId="TEAM",
                      topic="test.shop.app", token="ff" * 32)
    assert len(sent["sent"]) == 1, sent
    [theirs] = pushes.seen()
    assert theirs["path"] == "/3/device/" + "ff" * 32 and ours["path"].startswith("/3/device/")
    assert {"authorization", "apns-topic", "apns-priority"} <= set(ours["headers"]) & set(theirs["headers"])
    assert theirs["headers"]["apns-topic"] == ours["headers"]["apns-topic"]
    assert json.loads(theirs["text"])["aps"]["alert"].keys() == json.loads(ours["text"])["aps"]["alert"].keys()
    their_head = json.loads(base64.urlsafe_b64decode(theirs["headers"]["authorization"].split(" ")[1].split(".")[0] + "=="))
    assert (their_head["alg"], their_head["kid"]) == (head["alg"], head["kid"])


def test_a_telephone_that_came_back_after_apple_says_it_left_is_kept(teller, pushes):
    now_ms = int(time.time() * 1000)
    for who, since, kept in (("left", now_ms + 60_000, False), ("back", now_ms - 3_600_000, True)):
        token = hashlib.sha256(who.encode()).hexdigest()
        device(teller, who, "apns", token)
        pushes.plan(f"/3/device/{token}", {"status": 410, "json": {"reason": "Unregistered", "timestamp": since}})
        teller.ended(teller.send([{"recipient": who}], data=DATA), "failed", "bounced_hard")
        assert bool(teller.must("GET", f"/v1/recipients/{who}/devices")["devices"]) == kept, who


def test_google_is_asked_with_a_token_that_is_fetched_once(teller, pushes):
    device(teller, "droid", "fcm", "registration-1")
    pushes.seen()
    for _ in range(2):
        teller.ended(teller.send([{"recipient": "droid"}], data=DATA), "accepted")
    told = pushes.seen()
    assert [one["path"] for one in told] == ["/token", *["/v1/projects/plays/messages:send"] * 2]
    form = urllib.parse.parse_qs(told[0]["text"])
    claims = json.loads(base64.urlsafe_b64decode(form["assertion"][0].split(".")[1] + "=="))
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"] and claims["iss"] == "sender@plays.test"
    message = json.loads(told[1]["text"])["message"]
    assert message["token"] == "registration-1" and message["notification"]["title"] == "Paid" and message["data"]["order"] == "7"
    assert told[1]["headers"]["authorization"].startswith("Bearer google-")
    pushes.plan("/v1/projects/", {"status": 404, "json": {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}})
    teller.ended(teller.send([{"recipient": "droid"}], data=DATA), "failed", "bounced_hard")
    assert not teller.must("GET", "/v1/recipients/droid/devices")["devices"]


def twilio(path, fields, token=b"secret"):
    text = "https://n.test" + path + "".join(name + fields[name] for name in sorted(fields))
    return {"X_Twilio_Signature": base64.b64encode(hmac.new(token, text.encode(), hashlib.sha1).digest()).decode(),
            "Content_Type": "application/x-www-form-urlencoded"}


def test_an_sms_is_told_delivered_by_a_signed_callback_alone(teller, pushes):
    pushes.seen()
    ntf = teller.send([{"phone": "+4915112345678"}], "code", data=DATA)
    [row] = teller.ended(ntf, "accepted")
    [told] = pushes.seen()
    form = urllib.parse.parse_qs(told["text"])
    assert told["path"] == "/2010-04-01/Accounts/AC1/Messages.json" and form["To"] == ["+4915112345678"] and form["Body"] == ["7 EUR for order 7"]
    assert told["headers"]["authorization"] == "Basic " + base64.b64encode(b"AC1:secret").decode()
    sid = row["attempts_made"][-1]["provider_id"]
    assert sid.startswith("SM") and row["attempts_made"][-1].get("segments", 1) == 1
    fields = {"MessageSid": sid, "MessageStatus": "delivered", "To": "+4915112345678"}
    path, body = "/v1/callbacks/twilio", urllib.parse.urlencode(fields).encode()
    assert teller.say("POST", path, body, who=False, **twilio(path, fields, b"other")).status == 403
    assert teller.say("POST", path, body, who=False, **twilio(path, fields)).status == 204
    assert teller.deliveries(ntf)[0]["state"] == "delivered"
    late = {**fields, "MessageStatus": "failed", "ErrorCode": "30008"}
    teller.say("POST", path, urllib.parse.urlencode(late).encode(), who=False, **twilio(path, late))
    assert teller.deliveries(ntf)[0]["state"] == "delivered", "what comes late changes nothing"


def test_another_provider_takes_over_where_the_first_surely_did_not_send(teller, pushes):
    pushes.plan("/2010-04-01/", {"status": 401, "json": {"code": 20003, "message": "who?"}})
    pushes.plan("/sms", {"status": 202, "json": {"message": "m-1"}})
    pushes.seen()
    [row] = teller.ended(teller.send([{"phone": "+4915112345679"}], "code", data=DATA), "accepted")
    assert [(one["provider"], one["outcome"]) for one in row["attempts_made"]] == [("twilio", "refused"), ("other", "accepted")]
    told = pushes.seen()[-1]
    assert json.loads(told["text"]) == {"recipient": "+4915112345679", "body": "7 EUR for order 7", "reference": row["id"].removeprefix("dlv_")}
    assert told["headers"]["authorization"] == "Bearer key-of-ours" and row["attempts_made"][-1]["provider_id"] == "m-1"


def test_numbers_of_other_countries_are_not_written_to(teller, pushes):
    pushes.seen()
    [row] = teller.ended(teller.send([{"phone": "+882161234567"}], "code", data=DATA), "failed")
    assert not row["attempts_made"] and not pushes.seen()


def test_what_a_text_costs_is_told_before(teller):
    count = lambda text: teller.must("POST", "/v1/sms:count", {"text": text})
    assert count("x" * 161) == {"encoding": "GSM-7", "units": 161, "segments": 2, "room": 145}
    assert count("gar\xe7on")["encoding"] == "UCS-2" and count("gar\xe7on")["because_of"] == "\xe7"


def test_a_wrong_key_is_said_at_the_start(tmp_path):
    (tmp_path / "vapid.pem").write_text("none")
    (tmp_path / "banyan.yaml").write_text('services: { notification: { database: "sqlite:n.db", push: { webpush: { key: vapid.pem, subject: "ops" } } } }')
    code, _, err = run_banyan("check", "-c", tmp_path / "banyan.yaml")
    assert code == 2 and "mailto:ops@shop.example" in err
