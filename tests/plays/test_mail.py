# SPDX-License-Identifier: Apache-2.0
"""The mail intake: what a monolith sends is captured, compared, sent on, and taken back; and what mail servers do to it."""
import base64
import contextlib
import json
import mailbox
import re
import smtplib
import socket
import ssl
import subprocess
import threading
from email.header import decode_header, make_header

import pytest

from actors.accounts import fresh
from actors.mail import MailServer, Mails, django, raw_client, swaks
from actors.postfix import Postfix
from actors.postgres import Postgres
from actors.waiting import PROOF, until


def database_of(stage):
    return f"sqlite:{stage.folder}/notification.db"


@pytest.fixture(scope="module", params=["sqlite", "postgres"] if PROOF else ["sqlite"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def server(long_stage, engine):
    at = MailServer(long_stage.folder, f"mail-server-{engine}")
    return long_stage.enter(at, at.finish)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def keys_of(folder):
    """An RSA key and an Ed25519 key."""
    for name, words in {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ed": ["-algorithm", "ED25519"]}.items():
        subprocess.run(["openssl", "genpkey", *words, "-out", folder / f"{name}.pem"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def mails(engine, long_stage, server):
    keys_of(long_stage.folder)
    more = (f"servers: {{ local: {{ host: 127.0.0.1, port: {server.port}, tls: none }} }}\n"
            f"          domains: [ {{ domain: few.test, at_once: 1 }} ]\n"
            f"          dkim: [ {{ domain: pineandanvil.example, selector: rsa, key: \"{long_stage.folder}/rsa.pem\" }},"
            f" {{ domain: pineandanvil.example, selector: ed, key: \"{long_stage.folder}/ed.pem\" }} ]")
    database = database_of(long_stage)
    if engine == "postgres":
        database = fresh(long_stage.enter_context(Postgres()))
    at = Mails(long_stage.folder, database, more, number=long_stage.count(Mails))
    return long_stage.enter(at, at.finish)


@pytest.fixture
def relaying(mails):
    mails.mode("relay")
    yield mails
    mails.run("mode", "--as-configured")


# --- capture -----------------------------------------------------------------------------------------------------------------


def test_what_django_sends_is_captured_and_goes_nowhere(mails, server):
    django(mails.intake, """
send_mail('Order A-17: thank you', 'Dear Jörg,\\n.\\nGrüße', 'Pine & Anvil <shop@pineandanvil.example>', ['cap@shop.test'])
mail = EmailMultiAlternatives('Rechnung €', 'text', 'shop@pineandanvil.example', ['cap2@shop.test'], bcc=['hidden@shop.test'])
mail.attach_alternative('<p>text</p>', 'text/html')
mail.attach('r.pdf', b'%PDF', 'application/pdf')
mail.send()
""")
    one, two = mails.one("cap@shop.test"), mails.one("hidden@shop.test")
    assert (one["state"], one["subject"], one["parts"][0]["text"]) == ("captured", "Order A-17: thank you", "Dear Jörg,\n.\nGrüße\n")
    assert two["subject"] == "Rechnung €" and [part["type"] for part in two["parts"]] == ["text/plain", "text/html", "application/pdf"]
    assert [to["address"] for to in two["recipients"]] == ["cap2@shop.test", "hidden@shop.test"]
    assert "hidden" not in mails.say("GET", f"/v1/mails/{two['id']}/raw").body.decode()
    assert not server.to("cap@shop.test") and not server.to("cap2@shop.test")
    assert mails.list(to="cap@shop.test") and mails.say("GET", "/v1/mails/mail_018f3c1e-7a4b-7cc0-b1f2-0123456789ab").status == 404


def test_a_captured_mail_may_go_after_all(mails, server):
    mails.hand_in("let@shop.test", "let2@shop.test")
    found = mails.one("let@shop.test")
    assert mails.say("POST", f"/v1/mails/{found['id']}:release", {"mode": "capture"}).status == 422
    assert mails.say("POST", f"/v1/mails/{found['id']}:release", {"mode": "relay"}).status == 202
    mail, = server.wait_for("let@shop.test")
    assert mail["to"] == ["let@shop.test", "let2@shop.test"] and mails.wait_for("let@shop.test", "sent")
    assert mails.say("POST", f"/v1/mails/{found['id']}:release", {"mode": "relay"}).status == 409
    assert len(server.to("let@shop.test")) == 1


def test_the_command_shows_and_says_what_the_api_does(mails):
    mails.hand_in("cmd@shop.test", subject="from the command line")
    code, out, _ = mails.run("list", "--to", "cmd@shop.test", "--json")
    listed, = json.loads(out)
    assert code == 0 and listed["subject"] == "from the command line"
    code, out, _ = mails.run("show", listed["id"])
    assert code == 0 and "cmd@shop.test: captured, attempts: 0" in out and "Subject: from the command line" in out
    assert mails.run("show", "mail_018f3c1e-7a4b-7cc0-b1f2-0123456789ab")[0] == 5
    code, out, _ = mails.run("mode", "--json")
    assert json.loads(out)["mode"] == "capture" and json.loads(out)["mails"]["captured"] >= 1
    assert mails.run("mode", "whatever")[0] == 2


def test_lists_are_pages_newest_first(mails):
    for i in range(5):
        mails.hand_in("page@shop.test", subject=str(i))
    first = mails.say("GET", "/v1/mails?to=page@shop.test&limit=3").json
    rest = mails.say("GET", f"/v1/mails?to=page@shop.test&limit=3&cursor={first['next']}").json
    assert [mail["subject"] for mail in first["data"] + rest["data"]] == ["4", "3", "2", "1", "0"] and not rest["has_more"]


# --- compare -----------------------------------------------------------------------------------------------------------------


LETTER = "Dear {name},\nthank you for your order {order}.\nIt is {total} EUR.\nPine & Anvil\n"
PEOPLE = ("Ann", "Bob", "Cyd")


def test_mails_are_compared_with_those_that_were_sent_before(mails, stage):
    box = mailbox.mbox(stage.folder / "before.mbox")
    for i, name in enumerate(PEOPLE):
        box.add(f"From: shop@pineandanvil.example\nTo: {name}@shop.test\nSubject: Comparison C-{i}\nReply-To: help@pineandanvil.example\n"
                f"Content-Type: text/plain; charset=utf-8\n\n" + LETTER.format(name=name, order=f"C-{i}", total="1,50"))
    box.flush()

    def compared():
        code, out, _ = mails.run("compare", stage.folder / "before.mbox", "--json")
        return code, next(kind for kind in json.loads(out)["kinds"] if kind["kind"] == "Comparison #")

    def hand_in(name, headers, letter=LETTER):
        mails.hand_in(f"{name}@cmp.test", subject="Comparison D-1", headers=headers + "Content-Type: text/plain; charset=utf-8\r\n",
                      text=letter.format(name=name, order="D-1", total="12,00").replace("\n", "\r\n"))

    reply_to = "Reply-To: help@pineandanvil.example\r\n"
    hand_in("Dan", reply_to)
    code, kind = compared()
    assert code == 0 and kind == {"kind": "Comparison #", "before": 3, "now": 1, "missing": [], "added": []}
    hand_in("Eve", "", LETTER.replace("EUR", "USD"))
    code, kind = compared()
    assert code == 3 and kind["missing"] == ["header Reply-To: help@pineandanvil.example", "line It is # EUR."] and not kind["added"]
    answer = mails.say("POST", "/v1/mails:compare", (stage.folder / "before.mbox").read_bytes(), Content_Type="application/mbox")
    assert answer.json["same"] is False


# --- relay -------------------------------------------------------------------------------------------------------------------


def test_a_mail_is_sent_on_as_it_is_once_to_each(relaying, server):
    django(relaying.intake, "send_mail('Straße', '.\\n..\\nend', 'Pine & Anvil <shop@pineandanvil.example>', ['a@relay.test', 'b@relay.test'])")
    mail, = server.wait_for("a@relay.test")
    assert mail["to"] == ["a@relay.test", "b@relay.test"] and mail["subject"] == "Straße" and mail["text"].split() == [".", "..", "end"]
    assert relaying.wait_for("a@relay.test", "sent")["recipients"][0]["reply"] == "250 2.0.0 taken"


def test_what_is_sent_is_signed_twice_and_both_hold(relaying, server, stage):
    import dkim
    records = dict(line.split(". IN TXT ") for line in relaying.run("dkim")[1].splitlines())
    django(relaying.intake, "send_mail('signed   twice', 'a  b \\n\\n\\n', 'shop@pineandanvil.example', ['dkim@relay.test'])")
    raw = base64.b64decode(server.wait_for("dkim@relay.test")[0]["raw"])

    def dns(name, **_):
        return records[name.decode().rstrip(".")].strip('"').encode()

    def holds(text, i):
        try:
            return dkim.DKIM(text).verify(i, dnsfunc=dns)
        except dkim.ValidationError:
            return False

    assert raw.count(b"DKIM-Signature:") == 2
    for i in range(2):
        assert holds(raw, i), i
        assert not holds(raw.replace(b"a  b", b"a  c"), i) and not holds(b"Subject: another\r\n" + raw, i)
    relaying.hand_in("dkim2@relay.test", sender="somebody@other.test")
    assert b"DKIM-Signature" not in base64.b64decode(server.wait_for("dkim2@relay.test")[0]["raw"])


def test_a_notification_is_a_mail_that_mail_programs_read(mails, server):
    """Text and HTML of a template, one click to unsubscribe, all of it signed."""
    part = {"channel": "email", "locale": "en", "subject": "Für {{name}}", "text": "Hallo {{name}} €", "html": "<p>Hallo {{name}}</p>"}
    assert mails.say("POST", "/v1/templates/news/versions", {"parts": [part]}).status == 201
    assert mails.say("PUT", "/v1/workflows/news", {"channels": ["email"], "class": "bulk", "template": "news"}).status in (200, 201)
    made = mails.say("POST", "/v1/notifications", {"workflow": "news", "to": [{"email": "Mia@notify.test"}], "data": {"name": "Jörg <x>"}})
    assert made.status == 202, made.body
    mail, = server.wait_for("Mia@notify.test") if server.to("Mia@notify.test") else server.wait_for("mia@notify.test")
    raw = base64.b64decode(mail["raw"])
    assert (mail["subject"], mail["text"].strip(), mail["html"].strip()) == ("Für Jörg <x>", "Hallo Jörg <x> €", "<p>Hallo Jörg &lt;x&gt;</p>")
    assert re.search(rb"^List-Unsubscribe: <https://shop\.test/u/\S+>\r$", raw, re.M)
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw and raw.isascii()
    assert all(b"List-Unsubscribe:List-Unsubscribe-Post" in b"".join(field.split()) for field in raw.split(b"DKIM-Signature:")[1:3])


def test_each_recipient_has_a_fate_of_its_own(relaying, server):
    relaying.hand_in("good@fate.test", "never@fate.test", "later.1@fate.test")
    assert server.wait_for("good@fate.test")[0]["to"] == ["good@fate.test"]
    until(lambda: [to["state"] for to in relaying.one("good@fate.test")["recipients"]] == ["sent", "failed", "waiting"], "three fates")
    relaying.hurry()
    assert server.wait_for("later.1@fate.test")[0]["to"] == ["later.1@fate.test"]
    done = relaying.wait_for("good@fate.test", "partly")
    assert [to["state"] for to in done["recipients"]] == ["sent", "failed", "sent"] and len(server.to("good@fate.test")) == 1
    assert done["recipients"][1]["reply"] == "550 5.1.1 no such user"


def test_a_server_that_hangs_up_before_its_answer_gets_the_same_mail_again(relaying, server):
    relaying.hand_in("drop.1@fate.test")
    server.wait_for("drop.1@fate.test")
    until(lambda: "may have been taken" in relaying.one("drop.1@fate.test")["recipients"][0].get("reply", ""), "the doubt")
    relaying.hurry()
    one, two = server.wait_for("drop.1@fate.test", 2)
    assert one["id"] == two["id"]
    assert relaying.wait_for("drop.1@fate.test", "sent")["recipients"][0]["doubts"] == 1


def test_a_mailbox_that_is_full_is_tried_again(relaying, server):
    relaying.hand_in("full@fate.test")
    until(lambda: relaying.one("full@fate.test")["recipients"][0].get("reply") == "452 4.2.2 full", "the reply")
    assert relaying.one("full@fate.test")["recipients"][0]["state"] == "waiting"


def test_after_its_time_a_mail_is_given_up(relaying, server):
    relaying.hand_in("full.2@fate.test")
    until(lambda: relaying.one("full.2@fate.test")["recipients"][0].get("reply"), "the reply")
    relaying.earlier("mails", "received_at", 4 * 86400, "state = 'queued'")
    relaying.hurry()
    assert relaying.wait_for("full.2@fate.test", "failed")["recipients"][0]["attempts"] == 2


def test_connections_are_kept_and_a_domain_may_ask_for_fewer(relaying, server):
    for i in range(12):
        relaying.hand_in(f"m{i}@few.test")
    until(lambda: sum("few.test" in mail["to"][0] for mail in server.mails) == 12, "twelve mails")
    assert len({mail["session"] for mail in server.mails if "few.test" in mail["to"][0]}) <= 2


def test_a_kill_in_the_middle_loses_nothing(stage):
    server = MailServer(stage.folder)
    stage.enter(server, server.finish)
    mails = Mails(stage.folder, database_of(stage), f"servers: {{ local: {{ host: 127.0.0.1, port: {server.port}, tls: none }} }}", "mode: relay")
    mails.hand_in("hold@kill.test")
    server.wait_for("hold@kill.test")
    for i in range(5):
        mails.hand_in(f"{i}@kill.test", "hold@kill.test")
    mails = mails.again()
    stage.enter(mails, mails.finish)
    mails.sql("update jobs set leased_until = 0 where state = 'running'")
    for _ in range(1):
        server.wait_for("hold@kill.test", 7)
    until(lambda: server.go() or all(mails.one(f"{i}@kill.test")["state"] == "sent" for i in range(5)), "all to be sent")
    assert {mail["id"] for mail in server.mails} == {f"<{line['message_id']}>" for line in mails.list()}
    assert sum(to["doubts"] for line in mails.list() for to in mails.say("GET", f"/v1/mails/{line['id']}").json["recipients"]) >= 1


def test_what_was_acknowledged_arrives_whatever_is_killed(stage):
    """Clients hand in as fast as they can while the service is killed again and again: each mail that was told 250 arrives, and one that
    arrives twice is one of those that are known to be in doubt."""
    server = MailServer(stage.folder)
    stage.enter(server, server.finish)
    way = f"servers: {{ local: {{ host: 127.0.0.1, port: {server.port}, tls: none }} }}"
    mails = Mails(stage.folder, database_of(stage), way, "mode: relay", intake_port=free_port())
    taken, over = [], threading.Event()

    def client(who):
        number = 0
        while not over.is_set():
            with contextlib.suppress(OSError, smtplib.SMTPException):
                with smtplib.SMTP("127.0.0.1", port, timeout=5) as way_in:
                    while not over.is_set():
                        number += 1
                        name = f"{who}-{number}@storm.test"
                        way_in.sendmail("shop@pineandanvil.example", [name], f"Subject: x\r\nMessage-ID: <{name}>\r\n\r\ny\r\n")
                        taken.append(name)
                        over.wait(0.01)

    port = mails.intake
    clients = [threading.Thread(target=client, args=(who,)) for who in range(3)]
    [one.start() for one in clients]
    for _ in range(12 if PROOF else 2):
        count = len(taken)
        until(lambda before=count: len(taken) > before + 20, "mails to be taken")
        mails = mails.again()
    over.set()
    [one.join() for one in clients]
    stage.enter(mails, mails.finish)
    mails.sql("update jobs set leased_until = 0 where state = 'running'")
    until(lambda: mails.hurry() or not {name for name in taken} - {to for mail in list(server.mails) for to in mail["to"]}, "all to arrive", within=60)
    until(lambda: not mails.list(state="queued"), "all to be settled")
    twice = len(server.mails) - len({mail["id"] for mail in server.mails})
    assert twice <= mails.sql("select sum(doubts) from mail_recipients")[0][0]


# --- who hands in ------------------------------------------------------------------------------------------------------------


def log_in(port, ca, auth, password):
    client = smtplib.SMTP("127.0.0.1", port)
    client.starttls(context=ssl.create_default_context(cafile=ca))
    client.ehlo()
    client.esmtp_features["auth"] = auth
    client.login("shop", password)
    return client


def test_logins_and_tls(stage, certificates):
    mails = Mails(stage.folder, database_of(stage), intake="users: [ { name: shop, password: open-sesame } ], "
                  f"certificate: \"{certificates.folder}/shop.pem\", key: \"{certificates.folder}/shop-key.pem\", message_most: 2KiB, recipients: 3")
    stage.enter(mails, mails.finish)
    to, port = ["--to", "in@shop.test", "--from", "shop@shop.test"], mails.intake
    for auth in "PLAIN", "LOGIN":
        log_in(port, certificates.ca, auth, "open-sesame").sendmail("shop@shop.test", ["in@shop.test"], "Subject: x\r\n\r\ny")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        log_in(port, certificates.ca, "PLAIN", "open-sesamo")
    swaks(port, *to, "--auth", "PLAIN", "--auth-user", "shop", "--auth-password", "open-sesame", code=28)  # not in clear
    assert [line["source"] for line in mails.list()] == ["login shop", "login shop"]
    assert "ESMTPSA" in mails.say("GET", f"/v1/mails/{mails.list()[0]['id']}/raw").body.decode()
    django(port, "send_mail('x', 'y', 'a@shop.test', ['in@shop.test'])", EMAIL_USE_TLS=True, EMAIL_HOST_USER="shop",
           EMAIL_HOST_PASSWORD="open-sesame")
    assert "552" in swaks(port, *to, "--body", "x" * 3000, code=26)
    assert "452" in swaks(port, "--to", "a@x.test,b@x.test,c@x.test,d@x.test", "--from", "a@x.test")


def test_commands_in_one_packet_and_words_that_are_wrong(mails):
    with raw_client(mails.intake) as (say, hear):
        say("EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<pipe@x.test>\r\nRCPT TO:<no>\r\nDATA\r\nSubject: one\r\n\r\n..\r\n.\r\nNOOP\r\n")
        said = hear(12)
        assert [line[:3] for line in said[-6:]] == ["250", "250", "501", "354", "250", "250"], said
    assert mails.one("pipe@x.test")["parts"][0]["text"] == ".\n"
    with raw_client(mails.intake) as (say, hear):
        say("MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nWHAT\r\nSTARTTLS\r\nAUTH PLAIN x\r\nQUIT\r\n")
        assert [line[:3] for line in hear(8)] == ["503", "503", "503", "500", "503", "502", "221", ""]
    with raw_client(mails.intake) as (say, hear):
        say("POST / HTTP/1.1\r\nHost: x\r\nMAIL FROM:<a@x.test>\r\n")
        assert [line[:3] for line in hear(2)] == ["500", ""]


@pytest.mark.parametrize("end", ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r\n"])
def test_no_second_mail_hides_in_one(mails, end):
    before = len(mails.list(limit=100))
    with raw_client(mails.intake) as (say, hear):
        say(f"HELO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\nSubject: one\r\n\r\nx{end}MAIL FROM:<evil@x.test>\r\n"
            "RCPT TO:<c@x.test>\r\nDATA\r\nSubject: two\r\n\r\nx\r\n.\r\nNOOP\r\n")
        assert [line[:3] for line in hear(6)] == ["250", "250", "250", "354", "550", "250"]
    assert len(mails.list(limit=100)) == before


def test_the_next_process_takes_mails_as_soon_as_it_can(stage):
    """Of one that has the address still: it may go on for a while, the next is there."""
    folders = [stage.folder / name for name in ("one", "two")]
    [folder.mkdir() for folder in folders]
    one = Mails(folders[0], database_of(stage))
    two = Mails(folders[1], database_of(stage), intake_port=one.intake)
    stage.enter(two, two.finish)
    one.hand_in("x@shop.test")
    assert "is in use" in two.stderr
    one.finish()
    assert two.intake == one.intake
    two.hand_in("y@shop.test")
    assert two.one("x@shop.test") and two.one("y@shop.test")


# --- servers of other kinds --------------------------------------------------------------------------------------------------


WAYS = [
    # what the server offers and is, what we ask for; is the mail taken, and encrypted
    ("LOGIN", False, "tls: required, ca: \"{ca}\"", True, True),
    ("PLAIN", True, "tls: direct, ca: \"{ca}\"", True, True),
    ("XOAUTH2", False, "tls: required, ca: \"{ca}\", auth: xoauth2", True, True),
    ("LOGIN", False, "tls: try", True, True),                # whoever it is
    ("LOGIN", False, "tls: required", False, None),          # of nobody we know
    ("LOGIN", False, "tls: try, ca: \"{other}\"", False, None),
    ("LOGIN", False, "tls: none", True, False),              # on this machine
]


@pytest.mark.parametrize("auth, direct, asked, taken, secure", WAYS if PROOF else WAYS[:1])
def test_servers_that_want_a_login_and_tls(stage, certificates, auth, direct, asked, taken, secure):
    server = MailServer(stage.folder, tls={"key": f"{certificates.folder}/shop-key.pem", "cert": f"{certificates.folder}/shop.pem"}, auth=[auth],
                        slowly=True, direct=direct)
    stage.enter(server, server.finish)
    way = asked.format(ca=certificates.ca, other=f"{certificates.folder}/other.pem")
    mails = Mails(stage.folder, database_of(stage), f"servers: {{ local: {{ host: localhost, port: {server.port}, user: shop, password: open sesame, {way} }} }}",
                  "mode: relay")
    stage.enter(mails, mails.finish)
    mails.hand_in("tls@shop.test")
    if taken:
        mail, = server.wait_for("tls@shop.test")
        assert mail["secure"] == secure and mail["user"] == "shop"
    else:
        until(lambda: mails.one("tls@shop.test")["recipients"][0].get("reply"), "the reason")
        assert mails.one("tls@shop.test")["recipients"][0]["state"] == "waiting" and not server.mails


# --- deliver, and what comes back --------------------------------------------------------------------------------------------


def test_mails_that_are_delivered_are_notifications_and_bounces_are_learned_of(stage):
    """The monolith's mail has a timeline; postfix's report finds its delivery; the next mail to that address is held."""
    port = free_port()
    postfix = Postfix(stage.folder, reports=("mail.pineandanvil.example", port))
    stage.enter(postfix, postfix.finish)
    mails = Mails(stage.folder, database_of(stage), f"bounces: bounces@mail.pineandanvil.example\n"
                  f"          servers: {{ local: {{ host: 127.0.0.1, port: {postfix.port}, tls: none }} }}", "mode: deliver", intake_port=port)
    stage.enter(mails, mails.finish)
    django(port, "send_mail('Grüße', 'hello', 'shop@pineandanvil.example', ['ann@box.test', 'gone@box.test'])")

    def state(address):
        found = mails.one(address)
        ref = next(to["notification"] for to in found["recipients"] if to["address"] == address)
        answer = mails.say("GET", f"/v1/notifications/{ref}").json
        return answer["deliveries"][0]["state"] if answer.get("deliveries") else None

    letter, = until(lambda: postfix.mails, "a letter in the box")
    assert str(make_header(decode_header(letter["Subject"]))) == "Grüße"
    assert letter["Return-Path"].startswith("<bounces+")
    until(lambda: state("ann@box.test") in ("accepted", "delivered") and state("gone@box.test") == "bounced_hard", "the report")
    assert [line["state"] for line in mails.list(state="report")] == ["report"]
    mails.hand_in("gone@box.test", "bob@box.test", subject="second")
    until(lambda: state("gone@box.test") == "suppressed" and len(postfix.mails) == 2, "the second to be held")
