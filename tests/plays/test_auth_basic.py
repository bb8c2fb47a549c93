# SPDX-License-Identifier: Apache-2.0
"""Names and passwords of a file, with every request."""
import base64
import hashlib
import threading

import pytest

from actors.waiting import until


@pytest.fixture
def shop(upstream):
    return upstream()


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


def pbkdf2(password, rounds=1000):
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", rounds)
    return f"pbkdf2_sha256${rounds}$salt${base64.b64encode(digest).decode()}"


def ssha(password):
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + b"salt").digest() + b"salt").decode()



def basic(name, password, encoding="utf-8"):
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()


@pytest.fixture
def users(stage):
    def write(**rows):
        text = "# who may come\n\n" + "".join(f"{name}:{stored}\n" for name, stored in rows.items())
        (stage.folder / "users.new").write_text(text)
        (stage.folder / "users.new").rename(stage.folder / "users.htpasswd")
    return write


def policy(shop, more="", listen="", policy_more=""):
    return (f'{listen}upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'
            f"auth: {{ staff: {{ basic: {{ file: users.htpasswd{more} }}, headers: {{ X-User: sub }}{policy_more} }} }}\n"
            f"routes: [ {{ name: all, match: /**, to: shop, auth: staff }} ]\n")


def counted(gw, outcome):
    return gw.metric("banyan_auth_requests_total", policy="staff", outcome=outcome)


def test_who_knows_a_password_comes_in_and_is_known_after(gateway, shop, client, users):
    users(ann=pbkdf2("open: sesame"), bob=ssha("b"), Zoë=pbkdf2("naïve"), locked="!" + pbkdf2("x"))
    gw = gateway(policy(shop, ', realm: "the shop"'))
    answer = client.get(gw, "/x")
    assert (answer.status, slug(answer)) == (401, "auth.missing")
    assert answer.headers.get("www-authenticate") == 'Basic realm="the shop", charset="UTF-8"'
    for _ in range(3):
        assert client.get(gw, "/x", basic("ann", "open: sesame"), "X-User: root").status == 200
    assert [v for k, v in shop.requests[-1].headers if k == "X-User"] == ["ann"]
    assert (counted(gw, "verified"), counted(gw, "known")) == (1, 2)
    assert client.get(gw, "/x", basic("bob", "b")).status == 200
    assert client.get(gw, "/x", basic("Zoë", "naïve")).status == 200
    assert client.get(gw, "/x", basic("Zoe\u0308", "naïve")).status == 200  # the same name, composed otherwise
    for header in (basic("ann", "open"), basic("Ann", "open: sesame"), basic("carl", "x"), basic("locked", "x"),
                   basic("Zoë", "naïve", "latin-1"), "Authorization: Basic !!", "Authorization: Basic"):
        answer = client.get(gw, "/x", header)
        assert (answer.status, slug(answer)) == (401, "auth.login"), header
    assert slug(client.get(gw, "/x", basic("ann", "open: sesame"), basic("bob", "b"))) == "auth.twice"
    assert gw.record(path="/x", status=200)["user"] == "ann"


def test_another_file_makes_everybody_prove_it_anew(stage, gateway, shop, client, users):
    users(ann=pbkdf2("old"), bob=pbkdf2("b"))
    gw = gateway(policy(shop))
    assert client.get(gw, "/x", basic("ann", "old")).status == 200
    users(ann=pbkdf2("new"), bob=pbkdf2("b"))
    until(lambda: client.get(gw, "/x", basic("ann", "old")).status == 401, "the old password is over")
    assert client.get(gw, "/x", basic("ann", "new")).status == 200
    (stage.folder / "users.htpasswd").write_text("ann\n")
    until(lambda: "stays as it was" in gw.stderr, "the gateway says so")
    assert "line 1: there is no colon after a name" in gw.stderr
    assert client.get(gw, "/x", basic("ann", "new")).status == 200


def test_an_address_that_guesses_has_to_wait(gateway, shop, client, users):
    users(ann=pbkdf2("a"), bob=pbkdf2("b"))
    gw = gateway(policy(shop, ", tries: 3, forget: 1h"))
    assert client.get(gw, "/x", basic("ann", "a")).status == 200
    for name in ("ann", "nobody", "ann"):
        assert client.get(gw, "/x", basic(name, "guess")).status == 401
    answer = client.get(gw, "/x", basic("bob", "b"))
    assert (answer.status, slug(answer)) == (429, "auth.tries")
    assert 3500 < int(answer.headers.get("retry-after")) <= 3600
    assert client.get(gw, "/x", basic("ann", "a")).status == 200  # known, and nothing is hashed for it
    assert counted(gw, "limited") == 1
    gw.reload(gw.text + "# another\n")
    assert client.get(gw, "/x", basic("bob", "b")).status == 429  # a reload forgets no guesses
    assert client.get(gw, "/x", basic("ann", "a")).status == 200 and counted(gw, "known") == 2


def test_more_logins_than_may_wait_are_refused_at_once(gateway, shop, client, users):
    users(slow=pbkdf2("s", rounds=800_000))
    gw = gateway(policy(shop, ", workers: 1, queue: 1, tries: 0"))
    answers = []

    def guess(number):
        answers.append(client.get(gw, "/x", basic("slow", f"guess {number}")))
    threads = [threading.Thread(target=guess, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {401, 503}
    assert {slug(answer) for answer in answers if answer.status == 503} == {"auth.password_busy"}
    assert client.get(gw, "/x", basic("slow", "s")).status == 200


def test_passwords_are_not_taken_where_others_read_them(gateway, shop, client, users):
    users(ann=pbkdf2("a"))
    trust = "trusted_proxies: [ loopback ]\n"
    gw = gateway(policy(shop, listen=trust))
    there, secure = "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https"
    for headers in ([there], [there, basic("ann", "a")]):
        answer = client.get(gw, "/x", *headers)
        assert (answer.status, slug(answer)) == (403, "auth.plain")
        assert answer.headers.get("www-authenticate") is None
    assert client.get(gw, "/x", there, secure, basic("ann", "a")).status == 200
    assert "Basic" in client.get(gw, "/x", there, secure).headers.get("www-authenticate")
    assert client.get(gw, "/x", basic("ann", "a")).status == 200
    gw.reload(policy(shop, ", plain: on", listen=trust))
    assert client.get(gw, "/x", there, basic("ann", "a")).status == 200


def test_other_sites_do_not_change_things_with_a_browsers_login(gateway, shop, client, users):
    users(ann=pbkdf2("a"))
    gw = gateway(policy(shop))
    answer = client.post(gw, "/x", b"x", basic("ann", "a"), "Origin: https://evil.test")
    assert (answer.status, slug(answer)) == (403, "auth.cross_site")
    assert client.post(gw, "/x", b"x", basic("ann", "a")).status == 200
