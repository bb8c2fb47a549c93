# SPDX-License-Identifier: Apache-2.0
"""A new side of another form: what it gets, and what of its answers the client sees."""
import json
import os
import pathlib
import signal

import pytest

from actors.gateway import run_banyan
from actors.http1 import chunk, reply, request
from actors.shift import TOKEN, Shift
from actors.waiting import until

JSON = "Content-Type: application/json"
TO_NEW = "X-Side: new"
SHIFT = "{ overrides: { 'header:X-Side': { new: new, old: old } } }"


def people(old, new, reshape):
    """A route /people/{id}/** with two sides; `X-Side: new` goes to the new one."""
    return (f"admin: {{ address: '127.0.0.1:0', token: {TOKEN} }}\n"
            f"upstreams:\n  shop: {{ servers: [ \"{old.address}\" ] }}\n  next: {{ servers: [ \"{new.address}\" ] }}\n"
            f"routes:\n  - name: users\n    match: '/people/{{id}}/**'\n    old: shop\n    new: next\n    shift: {SHIFT}\n"
            f"    reshape: {json.dumps(reshape)}\n")


@pytest.fixture
def old(upstream):
    return upstream(answer=reply(200, b'{"side": "old"}', JSON))


@pytest.fixture
def new(upstream):
    return upstream(answer=reply(200, b'{"side": "new"}', JSON))


@pytest.fixture
def shaped(gateway, old, new):
    """A gateway in canary, its reshape as given."""
    def start(**reshape):
        gw = gateway(people(old, new, reshape), token=TOKEN)
        Shift(gw).command("canary")
        return gw
    return start


def test_a_request_is_reshaped_for_the_new_side_only(shaped, old, new, client):
    gw = shaped(path="/v2/persons/{id}{rest}", query={"rename": {"q": "search"}, "set": {"v": "2"}},
                rename={".user.name": ".user.full_name"},
                request={"headers": {"set": {"X-Person": "{id}"}}})
    body = b'{"user": {"name": "Ann", "id": 12345678901234567890, "price": 12.50}}'
    for side in ("new", "old"):
        client.post(gw, "/people/7/pets?q=a%20b&x", body, f"X-Side: {side}", JSON, "Cookie: sessionid=1; csrftoken=2", "X-CSRFToken: 2")
    asked = new.requests[-1]
    assert asked.target == "/v2/persons/7/pets?search=a%20b&x&v=2"
    assert asked.body == b'{"user":{"full_name":"Ann","id":12345678901234567890,"price":12.50}}'
    assert asked.headers.get("content-length") == str(len(asked.body))
    assert (asked.headers.get("x-person"), asked.headers.get("x-csrftoken")) == ("7", "2")
    assert asked.headers.get("cookie").startswith("sessionid=1; csrftoken=2")
    assert asked.headers.get("accept-encoding") == "identity"
    asked = old.requests[-1]
    assert (asked.target, asked.body) == ("/people/7/pets?q=a%20b&x", body)
    assert "x-person" not in asked.headers and "accept-encoding" not in asked.headers


def test_an_answer_is_put_back_into_the_old_form(shaped, new, client):
    gw = shaped(rename={".name": ".full_name"}, answer={"headers": {"remove": ["X-Next"]}})
    new.answer = reply(200, b'{"full_name": "Ann", "balance": 100000000000000000000.10}', JSON, 'ETag: "a"', "Content-MD5: x",
                       "Digest: y", "X-Next: 1", "Set-Cookie: sessionid=3", "Last-Modified: Sat, 28 Nov 2026 10:00:00 GMT")
    answer = client.get(gw, "/people/7", TO_NEW)
    assert answer.body == b'{"name":"Ann","balance":100000000000000000000.10}'
    assert answer.headers.get("content-length") == str(len(answer.body))
    assert not {"etag", "content-md5", "digest", "x-next"} & {name.lower() for name in answer.headers.names()}
    assert "sessionid=3" in answer.headers.all("set-cookie") and "last-modified" in answer.headers
    new.answer = reply(200, b'{"nobody": 1}', JSON, 'ETag: "b"')
    answer = client.get(gw, "/people/7", TO_NEW)
    assert (answer.body, answer.headers.get("etag")) == (b'{"nobody": 1}', '"b"'), "nothing moved, so nothing changed"


def test_jq_works_in_both_directions(shaped, new, client):
    gw = shaped(request={"jq": "{ person: { id: .id, tags: [ .tags[] | ascii_downcase ] } }"}, answer={"jq": ".person + { ok: true }"})
    new.answer = lambda asked: reply(201, asked.body, "content-type: application/vnd.shop+json; charset=utf-8")
    answer = client.post(gw, "/people/7", b'{"id": 7, "tags": ["A", "B"]}', TO_NEW, JSON)
    assert new.requests[-1].json == {"person": {"id": 7, "tags": ["a", "b"]}}
    assert (answer.status, answer.json) == (201, {"id": 7, "tags": ["a", "b"], "ok": True})


def test_chunked_bodies_come_and_go_with_a_length(shaped, new, client):
    gw = shaped(rename={".a": ".b"})
    new.answer = b"HTTP/1.1 200 OK\r\n" + JSON.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b'{"b":') + chunk(b"2}") + b"0\r\n\r\n"
    with client.connect(gw) as wire:
        wire.send(request("POST", "/people/7", TO_NEW, JSON, "Transfer-Encoding: chunked"))
        wire.send_split(chunk(b'{"a":') + chunk(b"1}") + b"0\r\n\r\n", every=4)
        answer = wire.answer()
        assert (answer.body, answer.headers.get("content-length")) == (b'{"a":2}', "7")
        wire.send(request("GET", "/people/7", TO_NEW))
        assert wire.answer().body == b'{"a":2}'
    assert (new.requests[0].body, new.requests[0].headers.get("content-length")) == (b'{"b":1}', "7")


def test_large_bodies_pass_through_a_filter(shaped, new, client):
    gw = shaped(rename={".list": ".items"}, request={"jq": ".items |= map(. + 1)"}, answer={"jq": ". + { seen: true }"})
    new.answer = lambda asked: reply(200, asked.body, JSON)
    numbers = list(range(100000))
    answer = client.post(gw, "/people/7", json.dumps({"list": numbers}).encode(), TO_NEW, JSON)
    assert new.requests[-1].json == {"items": [number + 1 for number in numbers]}
    assert answer.json == {"list": [number + 1 for number in numbers], "seen": True}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/html", "multipart/form-data; boundary=x"])
def test_what_is_no_json_passes_untouched(shaped, new, client, kind):
    gw = shaped(rename={".a": ".b"}, request={"jq": "{}"}, answer={"jq": "{}"})
    body = b"csrfmiddlewaretoken=x&a=1"
    new.answer = lambda asked: reply(200, asked.body, f"Content-Type: {kind}", 'ETag: "a"')
    answer = client.post(gw, "/people/7", body, TO_NEW, f"Content-Type: {kind}")
    assert (new.requests[-1].body, answer.body, answer.headers.get("etag")) == (body, body, '"a"')


def test_other_statuses_and_heads_keep_their_form(shaped, new, client):
    gw = shaped(answer={"jq": ".person"})
    new.answer = reply(404, b'{"detail": "nobody"}', JSON)
    assert client.get(gw, "/people/7", TO_NEW).json == {"detail": "nobody"}
    new.answer = b"HTTP/1.1 200 OK\r\n" + JSON.encode() + b"\r\nContent-Length: 20\r\n\r\n"
    answer = client.ask(gw, "HEAD", "/people/7", TO_NEW)
    assert answer.status == 200 and "content-length" not in answer.headers, "another form has another length"
    new.answer = b"HTTP/1.1 204 None\r\n\r\n"
    assert client.ask(gw, "DELETE", "/people/7", TO_NEW).status == 204


def test_a_range_is_not_asked_for(shaped, new, client):
    gw = shaped(answer={"jq": "."})
    client.get(gw, "/people/7", TO_NEW, "Range: bytes=0-3", 'If-Range: "a"', "Accept-Encoding: br, gzip")
    asked = new.requests[-1].headers
    assert "range" not in asked and "if-range" not in asked and asked.get("accept-encoding") == "identity"
    new.answer = reply(206, b'{"a"', JSON, "Content-Range: bytes 0-3/9")
    answer = client.get(gw, "/people/7", TO_NEW)
    assert answer.status == 502 and "only a part" in answer.problem["detail"]


def test_a_failing_filter_is_a_502_that_names_it(shaped, new, client):
    gw = shaped(request={"jq": ".id |= tonumber"}, answer={"jq": "if .fail then error(\"no person\") else . end"})
    answer = client.post(gw, "/people/7", b'{"id": "seven"}', TO_NEW, JSON)
    assert answer.status == 502 and answer.problem["type"].endswith("shift.reshape")
    assert "reshape.request.jq of route users: " in answer.problem["detail"] and "numeric literal" in answer.problem["detail"]
    assert new.requests == []
    new.answer = reply(200, b'{"fail": true}', JSON)
    answer = client.get(gw, "/people/7", TO_NEW)
    assert answer.problem["detail"] == "reshape.answer.jq of route users: no person"
    record = gw.record(status=502, path="/people/7", method="GET")
    assert record["error"] == "shift.reshape"


def test_a_filter_that_never_ends_is_cut_and_others_go_on(shaped, new, client):
    gw = shaped(time="50ms", memory="8MiB", request={"jq": "if .loop then last(range(1e12)) elif .eat then [range(1e9)] else . end"})
    for body, why in ((b'{"loop": 1}', "it took more than 50 ms of a processor"), (b'{"eat": 1}', "it took more than")):
        answer = client.post(gw, "/people/7", body, TO_NEW, JSON)
        assert answer.status == 502 and why in answer.problem["detail"]
        assert client.post(gw, "/people/7", b'{"a": 1}', TO_NEW, JSON).status == 200
    assert new.requests[-1].body == b'{"a":1}'


def helpers(gw):
    """The processes that run its filters: children of whichever thread started them."""
    tasks = pathlib.Path(f"/proc/{gw.pid}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()
            if b"\0jq\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_filters_process_that_is_killed_is_started_anew(shaped, new, client):
    gw = shaped(request={"jq": ". + { n: 1 }"})
    until(lambda: helpers(gw), "filters' processes")
    for pid in helpers(gw):
        os.kill(pid, signal.SIGKILL)
    statuses = [client.post(gw, "/people/7", b"{}", TO_NEW, JSON).status for _ in range(8)]
    assert set(statuses) <= {200, 502} and statuses[-1] == 200, statuses
    assert new.requests[-1].json == {"n": 1}
    left = helpers(gw)
    gw.stop()
    assert left
    until(lambda: not any(pathlib.Path(f"/proc/{pid}/fd/0").exists() for pid in left), "the processes' end with the gateway's")


def test_bodies_that_cannot_be_reshaped_are_refused(shaped, new, client):
    gw = shaped(body="2KiB", request={"jq": "."}, answer={"jq": "."})
    for body, status, slug, why in ((b"{", 400, "shift.reshape_body", "it is no JSON at byte 1"),
                                    (b'{"id": 9007199254740993}', 400, "shift.reshape_body", "9007199254740993 is one that jq would change"),
                                    (b'"' + b"x" * 2048 + b'"', 413, "shift.reshape_large", "at most 2048 bytes")):
        answer = client.post(gw, "/people/7", body, TO_NEW, JSON)
        assert (answer.status, answer.problem["type"].rsplit(":", 1)[-1]) == (status, slug)
        assert why in answer.problem["detail"]
    assert new.requests == []


def test_answers_that_cannot_be_reshaped_are_the_new_sides_fault(shaped, new, client):
    gw = shaped(body="2KiB", answer={"jq": "."})
    for answer, why in ((reply(200, b"<p>", JSON), "it is no JSON at byte 0"),
                        (reply(200, b"xx", JSON, "Content-Encoding: gzip"), "compressed"),
                        (reply(200, b'"' + b"x" * 2048 + b'"', JSON), "more than the 2048 bytes")):
        new.answer = answer
        got = client.get(gw, "/people/7", TO_NEW)
        assert got.status == 502 and why in got.problem["detail"], got.body
    new.answer = b"HTTP/1.1 200 OK\r\n" + JSON.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b'"' + b"x" * 3000 + b'"') + b"0\r\n\r\n"
    assert "more than the 2048 bytes" in client.get(gw, "/people/7", TO_NEW).problem["detail"]


def test_a_wrong_filter_is_named_with_its_place(tmp_path, old, new):
    file = tmp_path / "b.yaml"
    file.write_text(people(old, new, {}).replace("reshape: {}", "reshape:\n      answer:\n        jq: '.a | frob(1)'"))
    code, out, err = run_banyan("check", "--config", file)
    assert code != 0
    assert "b.yaml:13:13: jq: " in out + err and "frob/1 is not defined" in out + err


def test_reshape_needs_a_new_side(tmp_path):
    file = tmp_path / "b.yaml"
    file.write_text("upstreams: { a: { servers: 127.0.0.1:9 } }\nroutes: [ { name: x, match: /**, to: a, reshape: { path: /y } } ]\n")
    assert "reshape: is for routes with a new side" in "".join(run_banyan("check", "--config", file)[1:])
