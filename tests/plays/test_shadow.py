# SPDX-License-Identifier: Apache-2.0
"""Requests that the new side gets beside the old one: users notice nothing, and what differs is found."""
import gzip
import itertools
import json
import math
import signal
import subprocess
import zlib

import brotli
import pytest
import zstandard

from actors import h2wire
from actors.gateway import BANYAN
from actors.http1 import reply, request
from actors.shift import Shift, crowd, sides, two_sides
from actors.waiting import until

DECLARED = "shadow: { effects: none, at_once: 1000 }"


def answer(number=1, **more):
    return reply(200, json.dumps({"number": number, **more}).encode(), "Content-Type: application/json")


@pytest.fixture
def shadowed(gateway):
    """A gateway whose route `users` is in shadow, from old to new."""
    def start(old, new, shift="{ " + DECLARED + " }", more="", **options):
        gw = gateway(two_sides(old, new, shift, more), token="a-token-of-the-play", **options)
        users = Shift(gw)
        users.command("shadow")
        return gw, users
    return start


def ask_many(client, gw, count, target="/", *headers):
    wire = client.connect(gw)
    return [wire.ask(request("GET", target, *headers)) for _ in range(count)]


def kill(gw):
    gw.program.process.send_signal(signal.SIGKILL)
    gw.program.wait(10)
    gw.stopped = True


# --- what is sent


def test_the_new_side_is_asked_what_the_old_one_is(shadowed, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(1))
    gw, users = shadowed(old, new)
    got = client.get(gw, "/a?b=c", "Cookie: session=s1", "X-Own: 7", "X-Banyan-Shadow: 1")
    assert got.json == {"number": 1}
    users.wait_shadows(compared=1)
    [told], [again] = old.requests, new.requests
    assert again.target == "/a?b=c" and again.headers.get("x-banyan-shadow") == "1" and "x-banyan-shadow" not in told.headers
    own = [pair for pair in again.headers if pair[0].lower() != "x-banyan-shadow"]
    assert sorted(own) == sorted(told.headers), "cookies, forwarded fields, the request's id"
    assert users.differences == {}


def test_before_somebody_says_so_nothing_is_shadowed(gateway, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw = gateway(two_sides(old, new, "{ " + DECLARED + " }"), token="a-token-of-the-play")
    ask_many(client, gw, 20)
    assert Shift(gw).shadows == {} and new.requests == [] and len(old.requests) == 20


def test_unsafe_methods_are_not_sent_twice(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new)
    for method in "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
        client.ask(gw, method, "/cart", body=b"x")
    client.ask(gw, "HEAD", "/cart")
    users.wait_shadows(method=5, compared=1)
    assert [told.method for told in new.requests] == ["HEAD"] and len(old.requests) == 6


def test_with_a_sandbox_they_are_and_only_the_new_side_is_told(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new, "{ shadow: { effects: none, sandbox: X-Sandbox, noise: 100% } }")
    client.post(gw, "/cart", b"item=7", "X-Sandbox: 0")
    users.wait_shadows(compared=1)
    [told], [again] = old.requests, new.requests
    assert again.method == "POST" and again.body == b"item=7" and again.headers.get("x-sandbox") == "1"
    assert told.headers.get("x-sandbox") == "0", "the old side knows no sandbox, and gets a POST once"


def test_what_cannot_be_compared_is_left_out_and_counted(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new)
    for header in "Range: bytes=0-1", "If-None-Match: \"x\"", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "Accept: text/event-stream":
        client.get(gw, "/", header)
    client.raw(gw, request("GET", "/", "Connection: upgrade", "Upgrade: echo"))
    users.wait_shadows(range=1, condition=2, stream=1, upgrade=1)
    assert new.requests == []
    assert gw.metric("banyan_shift_shadow_total", subject="users", result="condition") == 2


def test_the_sample_is_the_share_that_was_asked_for(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new, "{ shadow: { effects: none, sample: 30%, at_once: 1000 } }")
    ask_many(client, gw, 600)
    until(lambda: sum(users.shadows.values()) == 600, "all are counted")
    count = len(new.requests)
    assert users.shadows == {"compared": count, "sample": 600 - count}
    assert abs(count - 180) < 5 * math.sqrt(600 * 0.3 * 0.7)


def test_one_time_messages_survive_where_nobody_declared_anything(gateway, upstream, client):
    messages = []

    def shop(asked):
        if asked.target == "/save":
            messages.append("saved")
        shown = messages.copy()
        messages.clear()
        return answer(message=shown)
    old, new = upstream(answer=shop), upstream(answer=shop)
    gw = gateway(two_sides(old, new), token="a-token-of-the-play")
    users = Shift(gw)
    assert "nobody has declared" in users.command("shadow", code=2)
    users.command("canary", "1%")
    messages.append("saved")
    assert client.get(gw, "/").json["message"] == ["saved"] and new.requests == []


# --- what is found


def test_equal_sides_report_nothing(shadowed, gunicorn, client):
    old, new = gunicorn("twins:old"), gunicorn("twins:new")
    gw, users = shadowed(old, new, "{ " + DECLARED + ", compare: { ignore: [ .request_id, .at ] } }")
    wires = [client.connect(gw) for _ in range(8)]
    for number in range(125):
        for wire in wires:
            wire.send(request("GET", f"/page?{number}", *(["Accept-Encoding: gzip"] if number % 2 else [])))
        assert [wire.answer().status for wire in wires] == [200] * 8
    users.wait_shadows(compared=1000)
    found = users.ask("/differences")
    assert found["compared"] == 1000 and found["keys"] == []
    users.command("canary")


def test_one_wrong_field_is_found_by_path_and_kind(shadowed, gunicorn, client):
    old, new = gunicorn("twins:old"), gunicorn("twins:wrong")
    gw, users = shadowed(old, new, "{ " + DECLARED + ", compare: { ignore: [ .request_id, .at ] } }")
    wire = client.connect(gw)
    for number in range(70):
        wire.ask(request("GET", f"/page?{number}", *(["Accept-Encoding: gzip"] if number % 2 else [])))
    users.wait_shadows(compared=70)
    [(key, found)] = users.differences.items()
    assert key == (".items[].price", "value") and found["raw"] == 10 and found["verdict"] == "open"
    example = found["examples"][0]
    assert (example["old"], example["new"]) == ("12.5", "12.25") and example["request"].startswith("GET /page?")
    told = users.command("explain")
    assert ".items[].price" in told and "12.25" in told and "banyan shift users accept '.items[].price' value" in told and "noise: 10%" in told


def test_secrets_are_masked_before_anything_is_kept(shadowed, upstream, client):
    old, new = upstream(answer=answer(password="p1ne", mail="ann@shop.test")), upstream(answer=answer(password="anv1l", mail="bob@shop.test"))
    gw, users = shadowed(old, new)
    client.get(gw, "/reset?token=t0ken&page=2")
    users.wait_shadows(compared=1)
    assert {path for path, _ in users.differences} == {".password", ".mail"}
    told = json.dumps(users.ask("/differences")) + users.command("explain")
    assert "page=2" in told
    for secret in "p1ne", "anv1l", "ann@", "bob@", "t0ken":
        assert secret not in told


def test_bodies_pass_a_filter_before_they_are_compared(shadowed, upstream, client):
    old = upstream(answer=lambda asked: answer(1, first="Ann", last="Lee"))
    new = upstream(answer=lambda asked: answer(1, name="Ann Lee" if asked.target == "/" else "Lee Ann"))
    gw, users = shadowed(old, new, "{ " + DECLARED + ", compare: { map: 'if .first then {number, name: (.first + \" \" + .last)} else . end' } }")
    client.get(gw, "/")
    users.wait_shadows(compared=1)
    assert users.differences == {}
    client.get(gw, "/turned")
    users.wait_shadows(compared=2)
    assert set(users.differences) == {(".name", "value")}


def test_a_filter_that_fails_is_a_difference(shadowed, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer("none"))
    gw, users = shadowed(old, new, "{ " + DECLARED + ", compare: { map: '.number + 1' } }")
    client.get(gw, "/")
    users.wait_shadows(compared=1)
    [(key, found)] = users.differences.items()
    assert key == (".", "body") and found["examples"][0]["new"] == "could not be mapped"


def test_sides_of_different_forms_are_compared_as_users_get_them(gateway, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=reply(200, b'{"count": 1}', "Content-Type: application/json"))
    text = two_sides(old, new, "{ " + DECLARED + " }").replace("new: next,", "new: next, reshape: { rename: { .number: .count } },")
    gw = gateway(text, token="a-token-of-the-play")
    users = Shift(gw)
    users.command("shadow")
    client.get(gw, "/")
    users.wait_shadows(compared=1)
    assert users.differences == {}


def test_check_names_what_is_no_path(gateway, upstream):
    old = upstream()
    text = two_sides(old, old, "{ compare: { ignore: [ '.items[3].price' ], tolerance: { .price: little }, "
                     "keyed: { .items: '.a[]' }, mask: [ password ], map: '.a |' } }")
    gw = gateway(two_sides(old, old))
    gw.write(text)
    done = subprocess.run([BANYAN, "check", gw.file], capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 2 and told.count(f"\n{gw.file}:5:") == 4 and "5 mistakes" in told, told
    for word in "items[3]", "0.005, or 1%", "one field", "password", "map":
        assert word in told


def test_status_and_headers_are_compared(shadowed, upstream, client):
    old = upstream(answer=lambda asked: reply(302, b"", "Location: /login") if asked.target == "/in" else reply(404, b""))
    new = upstream(answer=lambda asked: reply(302, b"", "Location: /sign-in") if asked.target == "/in" else reply(500, b""))
    gw, users = shadowed(old, new)
    client.get(gw, "/in")
    client.get(gw, "/gone")
    users.wait_shadows(compared=2)
    assert set(users.differences) == {("location", "header"), ("404:500", "status")}


CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("coding", CODERS)
def test_compressed_answers_are_read(shadowed, upstream, client, coding):
    def zipped(asked, number):
        body = CODERS[coding](json.dumps({"number": number, "pad": "x" * 40000}).encode())
        return reply(200, body, "Content-Type: application/json", f"Content-Encoding: {coding}")
    plain = answer(1, pad="x" * 40000)
    old = upstream(answer=lambda asked: zipped(asked, 1))
    new = upstream(answer=lambda asked: plain if asked.target == "/plain" else zipped(asked, 2))
    gw, users = shadowed(old, new)
    client.get(gw, "/plain")
    users.wait_shadows(compared=1)
    assert users.differences == {}
    client.get(gw, "/zipped")
    users.wait_shadows(compared=2)
    assert set(users.differences) == {(".number", "value")}


def test_codings_that_nobody_reads_here_are_counted(shadowed, upstream, client):
    def coded(body):
        return reply(200, body, "Content-Type: application/json", "Content-Encoding: compress")
    old, new = upstream(answer=coded(b"one")), upstream(answer=lambda asked: coded(b"one" if asked.target == "/same" else b"two"))
    gw, users = shadowed(old, new)
    client.get(gw, "/same")
    client.get(gw, "/other")
    client.get(gw, "/other")
    users.wait_shadows(compared=1, coding=2)
    assert users.differences == {}


def test_a_small_compressed_body_does_not_become_a_large_one(shadowed, upstream, client):
    bomb = reply(200, gzip.compress(bytes(50 << 20)), "Content-Type: application/json", "Content-Encoding: gzip")
    other = reply(200, gzip.compress(bytes(50 << 20) + b"x"), "Content-Type: application/json", "Content-Encoding: gzip")
    gw, users = shadowed(upstream(answer=bomb), upstream(answer=other))
    client.get(gw, "/")
    users.wait_shadows(large=1)


def test_large_answers_are_given_whole_and_not_compared(shadowed, upstream, client):
    body = bytes(range(256)) * (10 << 12)
    old, new = upstream(answer=reply(200, body)), upstream(answer=reply(200, body[::-1]))
    gw, users = shadowed(old, new)
    assert client.get(gw, "/").body == body
    users.wait_shadows(large=1)
    assert users.differences == {}


def test_clients_of_http_2_are_shadowed_too(shadowed, upstream, h2):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    gw, users = shadowed(old, new, more='listen: [ { address: "127.0.0.1:0", h2c: true } ]\n')
    wire = h2(gw)
    for _ in range(10):
        assert wire.ask(h2wire.get("/")).status == 200, wire.goaway
    users.wait_shadows(compared=10)
    assert users.differences[".number", "value"]["raw"] == 10


# --- what the old side differs in by itself


def test_the_old_side_is_asked_once_unless_noise_is_asked_for(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new)
    ask_many(client, gw, 50)
    users.wait_shadows(compared=50)
    assert len(old.requests) == 50 and len(new.requests) == 50


def test_noise_is_not_measured_where_connections_are_few(gateway, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    text = two_sides(old, new, "{ shadow: { effects: none, noise: 100%, at_once: 1000 } }")
    gw = gateway(text.replace(f'"{old.address}"', f'{{ address: "{old.address}", max_connections: 1 }}'), token="a-token-of-the-play")
    users = Shift(gw)
    users.command("shadow")
    ask_many(client, gw, 20)
    users.wait_shadows(compared=20)
    assert len(old.requests) == 20 and users.ask("/differences")["measured"] == 0


def test_what_differs_by_itself_is_noise(shadowed, upstream, client):
    count = itertools.count()
    old = upstream(answer=lambda asked: answer(1, visit=next(count)))
    new = upstream(answer=lambda asked: answer(2, visit=next(count)))
    gw, users = shadowed(old, new, "{ shadow: { effects: none, noise: 100%, at_once: 1000 } }")
    ask_many(client, gw, 60)
    users.wait_shadows(compared=60)
    assert len(old.requests) == 120 and len(new.requests) == 60
    found = users.differences
    assert found[".visit", "value"]["verdict"] == "noise"
    assert found[".number", "value"]["verdict"] == "mismatch" and found[".number", "value"]["noise"] == 0


# --- what users notice of it


def test_a_new_side_that_hangs_adds_nothing(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer(), hold=True)
    gw, users = shadowed(old, new, "{ shadow: { effects: none, at_once: 8, timeout: 1m } }")
    assert [got.status for got in ask_many(client, gw, 100)] == [200] * 100
    new.wait_requests(8)
    users.wait_shadows(busy=92)
    new.release()
    users.wait_shadows(busy=92, compared=8)


def test_one_that_is_too_slow_is_counted_and_is_a_difference(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer(), hold=True)
    gw, users = shadowed(old, new, "{ shadow: { effects: none, timeout: 50ms } }")
    assert [got.status for got in ask_many(client, gw, 3)] == [200] * 3
    users.wait_shadows(timeout=3)
    [example, *_] = users.differences["200:none", "status"]["examples"]
    assert example["new"] == "no answer in time"


def test_one_that_is_dead_is_counted_and_is_no_difference(shadowed, upstream, client):
    old, new = upstream(answer=answer()), upstream(answer=answer())
    gw, users = shadowed(old, new)
    new.stop()
    assert [got.status for got in ask_many(client, gw, 50)] == [200] * 50
    until(lambda: sum(users.shadows.values()) == 50, "all are counted")
    assert set(users.shadows) <= {"refused", "down"} and users.differences == {}


def test_one_that_crashes_is_counted_and_is_a_difference(shadowed, upstream, client):
    def crash(connection):
        while asked := connection.request():
            if asked.target == "/boom":
                return connection.reset()
            connection.send(answer())
    old, new = upstream(answer=answer()), upstream(script=crash)
    gw, users = shadowed(old, new)
    assert [got.status for got in ask_many(client, gw, 5, "/") + ask_many(client, gw, 5, "/boom")] == [200] * 10
    users.wait_shadows(compared=5, broken=5)
    assert set(users.differences) == {("200:none", "status")}


def test_connections_closed_while_idle_are_nobodys_fault(shadowed, upstream, client):
    def once(connection):
        """Answers one request; the next finds that it had been about to close."""
        if connection.request():
            connection.send(answer())
            connection.request()
    old, new = upstream(answer=answer()), upstream(script=once)
    gw, users = shadowed(old, new)
    for count in range(1, 21):
        ask_many(client, gw, 1)
        users.wait_shadows(compared=count)
    assert users.differences == {}


def test_a_client_that_leaves_is_no_difference(shadowed, upstream, client):
    def half(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        connection.wait_end()
    old, new = upstream(script=half), upstream(answer=answer())
    gw, users = shadowed(old, new)
    wire = client.connect(gw)
    wire.send(request("GET", "/"))
    wire.head()
    new.wait_requests(1)
    wire.reset()
    users.wait_shadows(cut=1)
    assert users.differences == {}


def test_users_keep_half_of_the_connections(gateway, upstream, client):
    old, new = upstream(answer=reply(200, b"old")), upstream(answer=reply(200, b"new"), hold=True)
    gw = gateway(f"admin: {{ address: '127.0.0.1:0', token: a-token-of-the-play }}\n"
                 f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n"
                 f"  next: {{ servers: [ {{ address: \"{new.address}\", max_connections: 4 }} ] }}\n"
                 "routes: [ { name: users, match: /**, old: shop, new: next, shift: { "
                 "shadow: { effects: none, beside: 100%, timeout: 1m }, judge: { metrics: [ errors ] } } } ]\n", token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary", "1%")
    assert [got.text for got in ask_many(client, gw, 20)] == ["old"] * 20
    new.wait_requests(3)
    users.wait_shadows(busy=17)
    new.release()


# --- what becomes of it


def test_a_canary_waits_until_differences_are_settled(shadowed, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    gw, users = shadowed(old, new)
    ask_many(client, gw, 3)
    users.wait_shadows(compared=3)
    assert "1 difference between the sides is not settled" in users.command("canary", code=2)
    users.command("accept", ".number", "value", "--why", "counted anew")
    assert users.differences[".number", "value"]["accepted_by"] == "admin"
    users.command("canary")
    assert users.phase == "canary"


def test_what_was_accepted_outlives_a_kill(shadowed, gateway, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    gw, users = shadowed(old, new)
    ask_many(client, gw, 3)
    users.wait_shadows(compared=3)
    users.command("accept", ".number", "value")
    kill(gw)
    again = Shift(gateway(after=gw, text=None, token=gw.token))
    assert again.phase == "shadow"
    assert again.differences[".number", "value"]["verdict"] == "accepted"
    again.command("canary")


def test_what_was_accepted_can_be_taken_back(shadowed, gateway, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    gw, users = shadowed(old, new)
    ask_many(client, gw, 3)
    users.wait_shadows(compared=3)
    assert "is not accepted" in users.command("unaccept", ".number", "value", code=5)
    users.command("accept", ".number", "value", "--why", "counted anew")
    assert "would be" in users.command("unaccept", ".number", "value", "--dry-run")
    assert users.differences[".number", "value"]["verdict"] == "accepted"
    users.command("unaccept", ".number", "value", "--why", "it was not meant")
    assert users.differences[".number", "value"]["verdict"] == "open"
    assert "not settled" in users.command("canary", code=2)
    assert [(row["verb"], row["why"]) for row in users.history][:2] == \
        [("unaccept", ".number (value): it was not meant"), ("accept", ".number (value): counted anew")]
    kill(gw)
    again = Shift(gateway(after=gw, text=None, token=gw.token))
    assert again.differences.get((".number", "value"), {}).get("verdict") != "accepted"
    again.command("accept", ".other", "value")
    again.command("unaccept", ".other", "value")
    assert (".other", "value") not in again.differences


def test_what_was_found_outlives_a_restart(shadowed, gateway, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    gw, users = shadowed(old, new)
    ask_many(client, gw, 3)
    users.wait_shadows(compared=3)
    gw.stop()
    again = gateway(after=gw, text=None, token=gw.token)
    users = Shift(again)
    assert users.differences[".number", "value"]["raw"] == 3
    ask_many(client, again, 2)
    users.wait_shadows(compared=2)
    assert users.differences[".number", "value"]["raw"] == 5


def test_shadowing_anew_forgets_what_was_found_but_not_what_was_accepted(shadowed, upstream, client):
    fields = {"number": 2, "extra": 1}
    old, new = upstream(answer=answer(1)), upstream(answer=lambda asked: answer(**fields))
    gw, users = shadowed(old, new)
    ask_many(client, gw, 1)
    users.wait_shadows(compared=1)
    users.command("accept", ".extra", "extra")
    users.command("back")
    fields["number"] = 1
    users.command("shadow")
    ask_many(client, gw, 1)
    users.wait_shadows(compared=2)
    assert {key: found["verdict"] for key, found in users.differences.items()} == {(".extra", "extra"): "accepted"}
    users.command("canary")


def test_gateways_share_what_they_find(gateway, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(2))
    first = gateway(two_sides(old, new, "{ " + DECLARED + " }", "shift: { gateway: first }\n"), token="a-token-of-the-play")
    second = gateway(two_sides(old, new, "{ " + DECLARED + " }",
                               f"shift: {{ gateway: second, store: \"sqlite:{first.file}.shift.db\" }}\n"), token="a-token-of-the-play")
    one, two = Shift(first), Shift(second)
    one.command("shadow")
    two.wait_phase("shadow")
    ask_many(client, first, 3)
    ask_many(client, second, 2)
    until(lambda: [side.differences.get((".number", "value"), {}).get("raw") for side in (one, two)] == [5, 5], "both know of five")
    two.command("accept", ".number", "value")
    until(lambda: one.differences[".number", "value"]["verdict"] == "accepted", "the other knows")
    first.wait_metric("banyan_shift_differences", 1, subject="users", verdict="accepted")
    two.command("unaccept", ".number", "value")
    until(lambda: {side.differences[".number", "value"]["verdict"] for side in (one, two)} == {"open"}, "and that it is not, after all")
    assert "not settled" in one.command("canary", code=2)
    two.command("accept", ".number", "value")
    until(lambda: one.differences[".number", "value"]["verdict"] == "accepted", "the other knows again")
    one.command("canary")


def test_a_canary_whose_answers_differ_goes_back(gateway, upstream, client):
    fields = {"number": 1}
    old, new = upstream(answer=answer(1)), upstream(answer=lambda asked: answer(**fields))
    gw = gateway(two_sides(old, new, "{ " + DECLARED + ", judge: { metrics: [ errors, mismatch ] } }"), token="a-token-of-the-play")
    users = Shift(gw)
    users.command("canary", "1%")
    people = crowd(client, gw, 60)
    fields["number"] = 2
    until(lambda: sides(people) and users.history[0]["verb"] == "back", "back")
    assert "mismatch" in users.history[0]["why"] or "differences" in users.history[0]["why"]


def test_a_reload_lets_shadows_end(shadowed, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(1), hold=True)
    gw, users = shadowed(old, new)
    ask_many(client, gw, 20)
    new.wait_requests(20)
    gw.reload(gw.text.replace("name: users", "name: users, timeouts: { idle: 50s }"))
    new.release()
    users.wait_shadows(compared=20)
    ask_many(client, gw, 5)
    users.wait_shadows(compared=25)


def test_a_stop_does_not_wait_for_shadows(shadowed, upstream, client):
    old, new = upstream(answer=answer(1)), upstream(answer=answer(1), hold=True)
    gw, _ = shadowed(old, new, "{ shadow: { effects: none, timeout: 5m } }")
    ask_many(client, gw, 10)
    new.wait_requests(10)
    gw.stop()
