# SPDX-License-Identifier: Apache-2.0
"""The frame of services, seen through a service of the tests (tests/notes): behind the gateway, by itself, and in trouble."""
import collections
import concurrent.futures
import json
import signal
import sqlite3
import subprocess
import threading
import uuid

import pytest

from actors import http1
from actors.client import Wire
from actors.gateway import ROOT
from actors.notes import ANN, Notes, run_notes, say
from actors.postgres import Postgres
from actors.shift import Person
from actors.storm import RedisServer
from actors.waiting import until

PARALLEL = 50
TOKEN = "a-token-of-the-play"


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, stage):
    """The URL of an empty one."""
    if request.param == "sqlite":
        return f"sqlite:{stage.folder}/notes.db"
    server = request.getfixturevalue("server")
    return fresh(server)


def fresh(server):
    import psycopg2
    name = f"notes_{uuid.uuid4().hex[:8]}"
    other = psycopg2.connect(server.url)
    other.autocommit = True
    other.cursor().execute(f"create database {name}")
    other.close()
    return server.url.replace("/postgres", f"/{name}")


@pytest.fixture
def notes(stage):
    def make(database=None, more="", **options):
        at = Notes(stage.folder, database or f"sqlite:{stage.folder}/notes.db", more, number=stage.count(Notes), **options)
        return stage.enter(at, at.finish)
    return make


@pytest.fixture(scope="module")
def lasting(long_stage):
    """For tables of cases."""
    at = Notes(long_stage.folder, f"sqlite:{long_stage.folder}/notes.db")
    return long_stage.enter(at, at.finish)


def rows(url):
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:")) as db:
            return [row[0] for row in db.execute("select title from notes order by id")]
    import psycopg2
    with psycopg2.connect(url) as db, db.cursor() as cursor:
        cursor.execute("select title from notes order by id")
        return [row[0] for row in cursor.fetchall()]


def all_pages(at, limit):
    path, seen = f"/v1/notes?limit={limit}", []
    while path:
        page = at.say("GET", path)
        assert page.status == 200, page.body
        seen += page.json["data"]
        link = page.headers.get("Link")
        assert bool(link) == page.json["has_more"] == ("next" in page.json)
        path = link and link.split(">")[0].lstrip("<")
        yield page.json["data"], seen


# A request's way

def test_a_note_goes_through_the_gateway_to_the_database_and_back(notes, database):
    at = notes(database)
    made = at.say("POST", "/v1/notes", {"title": "hello", "body": "two\nlines", "mood": "glad"})
    assert made.status == 201 and made.headers["ETag"] == '"v1"'
    assert made.headers["Location"] == "/v1/notes/" + made.json["id"]
    assert made.json["id"].startswith("note_") and made.json["mood"] == "glad"
    for address in at.address, at.service:
        got = at.say("GET", made.headers["Location"], to=address)
        assert got.status == 200 and got.json == made.json
        head = at.say("HEAD", made.headers["Location"], to=address)
        assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == str(len(got.body))
    assert rows(database) == ["hello"]
    assert at.record(path="/v1/notes")["upstream"] == "service:notes"
    at.wait_metric("banyan_service_requests_total", 1, service="notes", route="POST /v1/notes", **{"class": "2xx"})


def test_who_the_client_is_comes_from_those_who_are_trusted_only(notes):
    at = notes()
    path = "/v1/notes/count?word=xy"
    through = at.say("GET", path, X_Request_Id="mine", X_Forwarded_For="192.0.2.9", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert through.json["address"] == "127.0.0.1" and through.headers["X-Request-Id"] != "mine"
    assert through.json["traceparent"].startswith("00-")
    direct = at.say("GET", path, to=at.service, X_Request_Id="mine", X_Forwarded_For="198.51.100.1, 192.0.2.9", X_Forwarded_Proto="https")
    assert direct.json["address"] == "192.0.2.9" and direct.headers["X-Request-Id"] == "mine" and direct.json["secure"]


def test_a_route_moves_from_the_monolith_to_the_service(notes, stage, upstream, client):
    old = upstream(answer=http1.reply(200, b"the monolith's"))
    at = notes(token=TOKEN, text=f"""
        admin: {{ address: "127.0.0.1:0", token: {TOKEN} }}
        upstreams: {{ shop: {{ servers: [ "{old.address}" ] }} }}
        routes: [ {{ name: notes, match: /**, old: shop, new: "service:notes" }} ]
        services: {{ notes: {{ database: "sqlite:{stage.folder}/notes.db" }} }}""")
    people = [Person(client, at) for _ in range(20)]

    def bodies():
        return {person.get("/v1/notes", f"Authorization: Bearer {ANN}").text for person in people}
    assert bodies() == {"the monolith's"}
    for words, some in ((("to", "100%"), '{"data":[],"has_more":false}'), (("back", "--why", "a play"), "the monolith's")):
        code, out, err = run_notes("shift", "-c", at.file, "--admin", at.admin, "notes", *words)
        assert code == 0, out + err
        until(lambda some=some: some in bodies(), words)
    assert bodies() == {"the monolith's"}


# What is refused, and how

@pytest.mark.parametrize("method, path, who, status, code", [
    ("GET", "/v1/nothing", "ann notes:read", 404, "request.path"),
    ("GET", "/v1/notes/", "ann notes:read", 404, "request.path"),
    ("PUT", "/v1/notes", "ann notes:read", 405, "request.method"),
    ("GET", "/v1/notes", None, 401, "auth.needed"),
    ("GET", "/v1/notes", "ann", 403, "auth.scope"),
    ("GET", "/v1/notes", "ann notes:readers", 403, "auth.scope"),
    ("GET", "/v1/notes/note_018f3c1e-7a4b-7cc0-b1f2-0123456789ab", "ann notes:read", 404, "note.unknown"),
    ("GET", "/v1/notes/018f3c1e-7a4b-7cc0-b1f2-0123456789ab", "ann notes:read", 404, "request.id"),
    ("GET", "/v1/notes/note_%00", "ann notes:read", 400, "url.control"),
    ("GET", "/v1/notes/%ff", "ann notes:read", 404, "request.path"),
    ("POST", "/v1/notes", "ann notes:write", 415, "request.type"),
])
def test_a_request_is_refused_for_the_first_reason_there_is(lasting, method, path, who, status, code):
    said = lasting.say(method, path, who=who, to=lasting.service)
    assert (said.status, said.code) == (status, code)
    assert said.headers["Content-Type"] == "application/problem+json"
    assert said.json["request_id"] == said.headers["X-Request-Id"] and said.json["status"] == status
    assert said.json["type"] == f"urn:banyan:problem:{code}"
    assert ("Allow" in said.headers) == (status == 405) and ("WWW-Authenticate" in said.headers) == (status == 401)


@pytest.mark.parametrize("body, errors", [
    (b'{"title":"a","title":"b"}', {"/title": "duplicate"}),
    (b'{"title":"a","shades":[{"red":1},{"red":1,"red":2}]}', {"/shades/1/red": "duplicate"}),
    (b'{"title":"a","a/b~c":{"x":1,"x":1}}', {"/a~1b~0c/x": "duplicate"}),
    (b'{"title":"a\\u0000"}', {"/title": "syntax"}),
    (b'{"title":"a\x00"}', {"/title": "syntax"}),
    (b'{"title":"\xff"}', {"/title": "syntax"}),
    (b'{"title":', {"/title": "syntax"}),
    (b'{"title":"a"', {"/title": "syntax"}),
    (b'{"tags":["x",]}', {"/tags/1": "syntax"}),
    (b'{"due":9223372036854775808}', {"/due": "syntax"}),
    (b"", {"": "syntax"}),
    (b"{}{}", {"": "syntax"}),
    (b'{"more":' + b"[" * 70 + b"]" * 70 + b"}", {"/more" + "/0" * 63: "too_deep"}),
    (b'{"more":' * 100 + b"1" + b"}" * 100, {"/more" * 64: "too_deep"}),
])
def test_what_is_no_json_is_told_with_its_place(lasting, body, errors):
    said = lasting.say("POST", "/v1/notes", body)
    assert (said.status, said.code, said.errors) == (400, "request.json", errors)


@pytest.mark.parametrize("body, errors", [
    ([], {"": "type"}),
    ({}, {"/title": "required"}),
    ({"title": None}, {"/title": "required"}),
    ({"title": ""}, {"/title": "required"}),
    ({"title": "a" * 101}, {"/title": "too_long"}),
    ({"title": "ä" * 51}, {"/title": "too_long"}),
    ({"title": "a\nb"}, {"/title": "control"}),
    ({"title": "a\x7f"}, {"/title": "control"}),
    ({"title": "<b>"}, {"/title": "format"}),
    ({"title": 1, "body": True, "mood": [], "tags": {}, "shades": "x", "due": 1.5, "of": 7},
     {"/title": "type", "/body": "type", "/mood": "type", "/tags": "type", "/shades": "type", "/due": "type", "/of": "type"}),
    ({"title": "a", "mood": "Glad", "due": "yesterday", "of": "018f3c1e-7a4b-7cc0-b1f2-0123456789ab"},
     {"/mood": "choice", "/due": "format", "/of": "format"}),
    ({"title": "a", "tags": ["b"] * 6}, {"/tags": "too_long"}),
    ({"title": "a", "tags": ["b", 1, None, "c" * 21]}, {"/tags/1": "type", "/tags/2": "type", "/tags/3": "too_long"}),
    ({"title": "a", "shades": [{"red": 256}, {"green": -1}, {"red": 1, "blue": 1}]},
     {"/shades/0/red": "range", "/shades/1/red": "required", "/shades/1/green": "range", "/shades/2/blue": "unknown"}),
    ({"title": "a", "x" * 2000: 1}, {"/" + "x" * 1000: "unknown"}),
    ({"title": "a", "body": "a"}, {"/body": "invalid"}),
])
def test_every_mistake_in_a_body_is_told_at_once(lasting, body, errors):
    said = lasting.say("POST", "/v1/notes", body)
    assert (said.status, said.code, said.errors) == (422, "request.fields", errors)


def test_a_thousand_mistakes_are_counted_and_fifty_told(lasting):
    said = lasting.say("POST", "/v1/notes", {"title": "a", **{f"x{i}": 1 for i in range(1000)}})
    assert len(said.json["errors"]) == 50 and said.json["more_errors"] == 950


def test_a_body_larger_than_the_route_takes_is_413(lasting):
    for name in "title", "x" * 1000_000:
        said = lasting.say("POST", "/v1/notes", {name: "a" * 1000_000})
        assert (said.status, said.code) == (413, "http.body_too_large")


@pytest.mark.parametrize("query, errors", [
    ("", {"?word": "required"}),
    ("word=x", {"?word": "too_short"}),
    ("word=xy&most=0", {"?most": "range"}),
    ("word=xy&most=1.5", {"?most": "type"}),
    ("word=xy&words=1", {"?words": "unknown"}),
    ("word=xy&word=yz", {"/word": "duplicate", "?": "syntax"}),
])
def test_a_query_is_read_as_strictly(lasting, query, errors):
    said = lasting.say("GET", f"/v1/notes/count?{query}")
    assert (said.status, said.errors) == (422, errors)
    assert lasting.say("GET", "/v1/notes/count?word=x%2By+z&most=9").json["word"] == "x+y z"


def test_a_form_fills_the_same_table_and_fails_in_its_own_way(lasting):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert lasting.say("POST", "/v1/notes:find", b"word=a+b%26", who=None, **form).json["word"] == "a b&"
    for body, error in ((b"word=a", "request.fields"), (b"word=ab&word=cd", "request.json"), (b"word=%zz", "request.escape")):
        said = lasting.say("POST", "/v1/notes:find", body, who=None, **form)
        assert (said.status, said.json) == (400, {"error": error})


# Lists

def test_pages_are_stable_while_rows_come_and_go(notes, database):
    at = notes(database)
    for number in range(45):
        assert at.say("POST", "/v1/notes", {"title": f"first {number}"}).status == 201
    at.say("POST", "/v1/notes", {"title": "another's"}, who="bob notes:write")
    sizes = []
    for data, seen in all_pages(at, 10):
        sizes.append(len(data))
        at.say("DELETE", "/v1/notes/" + data[0]["id"])
        if len(sizes) < 4:
            at.say("POST", "/v1/notes", {"title": "later"})
    assert [note["id"] for note in seen] == sorted(note["id"] for note in seen)  # those of one millisecond in any order
    titles = collections.Counter(note["title"] for note in seen)
    assert titles == {**{f"first {number}": 1 for number in range(45)}, "later": 3}
    assert sizes == [10, 10, 10, 10, 8]


@pytest.mark.parametrize("query, errors", [
    ("limit=0", {"?limit": "range"}), ("limit=101", {"?limit": "range"}), ("limit=x", {"?limit": "range"}),
    ("cursor=", {"?cursor": "format"}), ("cursor=AAAA", {"?cursor": "format"}), ("cursor=%41", {"?cursor": "format"}),
    ("cursor=!&limit=-1", {"?cursor": "format", "?limit": "range"}),
])
def test_a_cursor_that_is_none_is_told(lasting, query, errors):
    said = lasting.say("GET", f"/v1/notes?{query}")
    assert (said.status, said.errors) == (422, errors)


# Versions

def test_an_update_of_a_version_that_is_gone_is_refused(notes, database):
    at = notes(database)
    path = at.say("POST", "/v1/notes", {"title": "draft"}).headers["Location"]
    first = at.say("PATCH", path, {"title": "mine"}, If_Match='"v1"')
    lost = at.say("PATCH", path, {"title": "yours"}, If_Match='"v1"')
    assert first.status == 200 and first.headers["ETag"] == '"v2"'
    assert (lost.status, lost.code) == (412, "request.etag") and at.say("GET", path).json["title"] == "mine"
    assert at.say("GET", path, If_None_Match='"v2"').status == 304 and at.say("GET", path, If_None_Match='"v1"').status == 200
    assert at.say("PATCH", path, {"body": None}, If_Match='"v7", "v2"').status == 200
    assert at.say("DELETE", path, If_Match='W/"v3"').status == 412 and at.say("DELETE", path, If_Match="*").status == 204


def test_of_parallel_updates_of_one_version_one_wins(notes, database):
    at = notes(database)
    path = at.say("POST", "/v1/notes", {"title": "draft"}).headers["Location"]
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as crowd:
        said = list(crowd.map(lambda n: at.say("PATCH", path, {"title": f"by {n}"}, If_Match='"v1"'), range(PARALLEL)))
    assert collections.Counter(one.status for one in said) == {200: 1, 412: PARALLEL - 1}
    winner = next(one for one in said if one.status == 200)
    assert at.say("GET", path).json == winner.json


# The same request again

def test_the_same_request_again_has_the_same_answer_and_no_effect(notes, database):
    at = notes(database)
    first = at.say("POST", "/v1/notes", {"title": "once"}, Idempotency_Key="k1")
    again = at.say("POST", "/v1/notes", b'{ "title" : "once" }', Idempotency_Key='"k1"')
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Location"] == first.headers["Location"] and again.headers["ETag"] == first.headers["ETag"]
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    other = at.say("POST", "/v1/notes", {"title": "twice"}, Idempotency_Key="k1")
    assert (other.status, other.code) == (422, "idempotency.mismatch")
    assert at.say("POST", "/v1/notes", {"title": "once"}, who="bob notes:write", Idempotency_Key="k1").status == 201
    for bad in " ", "a" * 256, "a\tb":
        assert at.say("POST", "/v1/notes", {"title": "x"}, Idempotency_Key=f'"{bad}"').code == "idempotency.key"
    assert rows(database) == ["once", "once"]


def test_what_was_refused_is_not_kept(notes, database):
    at = notes(database)
    assert at.say("POST", "/v1/notes", {"title": ""}, Idempotency_Key="k1").status == 422
    assert at.say("POST", "/v1/notes", {"title": "now"}, Idempotency_Key="k1").status == 201


def test_fifty_of_one_key_at_once_do_it_once(notes, database):
    """Who is told that it is at work asks again, as a client should."""
    at = notes(database)
    start = threading.Barrier(PARALLEL)

    def post(_):
        start.wait()
        codes = []
        while 201 not in codes:
            said = at.say("POST", "/v1/notes", {"title": "once"}, Idempotency_Key="race")
            codes.append(said.status)
            assert said.status == 201 or said.code == "idempotency.running"
        return said.body
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as crowd:
        bodies = set(crowd.map(post, range(PARALLEL)))
    assert len(bodies) == 1 and rows(database) == ["once"]


def test_two_processes_do_a_key_once(notes, server):
    database = fresh(server)
    first, second = notes(database), notes(database)
    for number in range(10):
        start = threading.Barrier(2)

        def post(at, number=number, start=start):
            start.wait()
            return at.say("POST", "/v1/notes", {"title": f"n{number}"}, Idempotency_Key=f"key {number}".replace(" ", "-"))
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            said = list(both.map(post, (first, second)))
        assert {one.status for one in said} <= {201, 409} and len({one.body for one in said if one.status == 201}) == 1
    assert sorted(rows(database)) == [f"n{number}" for number in range(10)]


# In trouble

def test_a_database_that_is_away_is_503_and_nothing_acknowledged_is_lost(notes, server):
    database = fresh(server)
    at = notes(database)
    assert at.say("POST", "/v1/notes", {"title": "before"}).status == 201
    server.stop()
    away = at.say("POST", "/v1/notes", {"title": "away"}, Idempotency_Key="k")
    assert away.status == 503 and away.headers["Retry-After"] and away.headers["Content-Type"] == "application/problem+json"
    assert "postgres" not in away.json["detail"]
    health = at.say("GET", "/healthz", to=at.service)
    assert health.status == 503 and health.json["dependencies"]["database"]["status"] == "down"
    server.start()
    until(lambda: at.say("POST", "/v1/notes", {"title": "away"}, Idempotency_Key="k").status == 201, "the database again")
    assert at.say("GET", "/healthz", to=at.service).json == {"service": "notes", "dependencies": {"database": {"status": "ok"}}, "status": "ok"}
    assert rows(database) == ["before", "away"]


@pytest.fixture
def small_disk(stage):
    """A folder with two megabytes of room."""
    folder = stage.folder / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    stage.callback(lambda: subprocess.run(["umount", "-l", folder], check=True))
    return folder


def test_a_full_disk_is_503_and_nothing_acknowledged_is_lost(notes, small_disk):
    database = f"sqlite:{small_disk}/notes.db"
    at = notes(database)
    (small_disk / "filler").write_bytes(b"x" * 300_000)
    kept, said = [], None
    for number in range(1000):
        said = at.say("POST", "/v1/notes", {"title": f"n{number}", "body": "x" * 10000}, Idempotency_Key=f"k{number}")
        if said.status != 201:
            break
        kept.append(f"n{number}")
    assert said.status == 503 and said.code.startswith("db.") and said.headers["Retry-After"] == "1" and len(kept) > 10
    assert at.say("GET", "/v1/notes").status == 200
    (small_disk / "filler").unlink()
    again = until(lambda: (one := at.say("POST", "/v1/notes", {"title": "later"}, Idempotency_Key="later")).status == 201 and one, "room")
    assert again.json["title"] == "later"
    at.stop()
    assert collections.Counter(rows(database)) == collections.Counter([*kept, "later"])


def test_a_service_starts_before_its_database(notes, server):
    database = fresh(server)
    server.stop()
    try:
        at = notes(database)
        waits = at.say("GET", "/v1/notes")
        assert (waits.status, waits.code, waits.headers["Retry-After"]) == (503, "service.starting", "1")
        assert at.metric("banyan_service_up", service="notes") == 0
    finally:
        server.start()
    until(lambda: at.say("GET", "/v1/notes").status == 200, "the service")
    assert at.metric("banyan_service_up", service="notes") == 1


@pytest.mark.parametrize("through", ["gateway", "service"])
def test_what_runs_is_finished_before_the_end(notes, through):
    at = notes()
    before = at.metric("banyan_connections_active")
    with Wire(at.address if through == "gateway" else at.service) as wire:
        wire.send(http1.request("GET", "/v1/slow"))
        until(lambda: at.metric("banyan_connections_active") > before, "the request")
        at.program.signal(signal.SIGTERM)
        assert wire.answer().body == b"true"
    at.stop()


def test_what_was_acknowledged_survives_kill_9(notes, database, stage):
    kept = []
    for turn in range(5):
        at = notes(database)
        stop = threading.Event()

        def write(worker, at=at, stop=stop, turn=turn):
            for number in range(100000):
                title = f"{turn} {worker} {number}"
                try:
                    said = at.say("POST", "/v1/notes", {"title": title}, Idempotency_Key=title.replace(" ", "-"))
                except OSError:
                    return
                except Exception:  # a cut answer: nothing was acknowledged
                    return
                if said.status == 201:
                    kept.append(title)
                if stop.is_set():
                    return
        with concurrent.futures.ThreadPoolExecutor(8) as crowd:
            busy = [crowd.submit(write, worker) for worker in range(8)]
            had = len(kept)
            until(lambda: len(kept) > had + 40, "writes")
            at.program.kill()
            at.stopped = True
            stop.set()
            concurrent.futures.wait(busy)
    found = collections.Counter(rows(database))
    assert set(kept) <= set(found) and max(found.values()) == 1


# How it is run

def test_another_process_takes_a_service_over_and_nobody_notices(notes, database):
    old = notes(text=f"""
        routes: [ {{ name: notes, match: {{ path: /v1/** }}, to: "service:notes" }} ]
        services: {{ notes: {{ listen: "127.0.0.1:0", database: "{database}" }} }}
        drain: {{ idle: 100ms }}""")
    stop, failed, done = threading.Event(), [], []

    def write(worker):
        while not stop.is_set():
            to = old.service if worker % 2 else old.address
            try:
                said = say(to, "POST", "/v1/notes", {"title": f"w{worker}"})
                (done if said.status == 201 else failed).append(said.status)
            except OSError as error:
                failed.append(error)
    with concurrent.futures.ThreadPoolExecutor(4) as crowd:
        busy = [crowd.submit(write, worker) for worker in range(4)]
        try:
            until(lambda: len(done) > 10, "writes")
            new = notes(database, after=old, words=["--takeover"])
            assert (new.service, new.address) == (old.service, old.address)
            assert old.program.wait(20) == 0
            count = len(done)
            until(lambda: len(done) > count + 10, "writes to the new process")
        finally:
            stop.set()
            concurrent.futures.wait(busy)
    assert failed == [] and len(rows(database)) == len(done)


def test_a_service_alone_behind_a_gateway_alone(notes, stage):
    text = f"""
        routes: [ {{ name: notes, match: {{ path: /v1/** }}, to: "service:notes" }} ]
        services: {{ notes: {{ listen: "127.0.0.1:0", database: "sqlite:{stage.folder}/notes.db" }} }}"""
    alone = notes(text=text, words=["--only", "notes"])
    assert alone.addresses("listening", "http") == [] and alone.say("GET", "/v1/notes", to=alone.service).status == 200
    front = notes(text=text.replace('listen: "127.0.0.1:0"', f'url: "http://{alone.service}"'), words=["--only", "gateway"])
    assert front.addresses("service notes", "http") == []
    made = front.say("POST", "/v1/notes", {"title": "far"})
    assert made.status == 201 and alone.say("GET", made.headers["Location"], to=alone.service).json == made.json
    status, _, text = alone.ask_admin("/metrics")
    assert status == 200 and 'banyan_service_requests_total{service="notes"' in text
    assert front.ask_admin("/readyz")[0] == alone.ask_admin("/readyz")[0] == 200


@pytest.mark.parametrize("text, sentence", [
    ("routes: [ { name: a, to: \"service:nobody\" } ]", "to: the service nobody is not known to this program"),
    ("routes: [ { name: a, to: \"service:notes\" } ]", "to: the service notes is not in services"),
    ("services: { notes: { listen: \"127.0.0.1:0\" } }", "service notes: it needs a database, or the url where it runs"),
    ("services: { notes: { database: \"sqlite:x.db\", most: 0 } }", "most"),
    ("services: { notes: { url: \"ftp://x\" } }", "is not like http://user.internal:8100"),
    ("services: { notse: {} }", "did you mean notes?"),
])
def test_a_mistake_in_the_configuration_is_told(tmp_path, text, sentence):
    file = tmp_path / "b.yaml"
    file.write_text(text + ("\nlisten: 127.0.0.1:0\n" if "routes" in text else "\n"))
    code, out, err = run_notes("check", file)
    assert code == 2 and sentence in out + err


def test_the_configuration_in_force_reads_back(notes, tmp_path):
    at = notes(more=', trusted_proxies: [ "10.0.0.0/8" ], most: 5')
    _, _, text = at.ask_admin("/config")
    assert "service:notes" in text and "most: 5" in text
    (tmp_path / "again.yaml").write_text(text.replace("(hidden)", "sqlite:x.db"))
    assert run_notes("check", tmp_path / "again.yaml")[0] == 0, run_notes("check", tmp_path / "again.yaml")


def test_only_what_there_is_can_be_run(tmp_path):
    (tmp_path / "b.yaml").write_text("services: { notes: { database: \"sqlite:x.db\" } }")
    assert "there is no service \"user2\"" in run_notes("serve", "-c", tmp_path / "b.yaml", "--only", "user2")[2]
    assert run_notes("serve", "-c", tmp_path / "b.yaml", "--only", "notes", "--admin", "0.0.0.0:0")[0] == 2


# Its description

def test_the_description_is_openapi_and_says_what_is_done(lasting):
    said = lasting.say("GET", "/openapi.json", to=lasting.service, who=None)
    document = said.json
    assert document["openapi"] == "3.1.0" and "/healthz" not in document["paths"]
    post = document["paths"]["/v1/notes"]["post"]
    assert {row["name"] for row in post["parameters"]} == {"Idempotency-Key"} and "201" in post["responses"]
    schema = document["components"]["schemas"]["NewNote"]
    assert schema["required"] == ["title"] and schema["properties"]["mood"]["enum"] == ["plain", "glad", "sad"]
    assert schema["additionalProperties"] is False
    refs = json.dumps(document).split("#/components/schemas/")[1:]
    assert {ref.split('"')[0] for ref in refs} <= set(document["components"]["schemas"])
    judge = subprocess.run(["node", ROOT / "tests/plays/actors/openapi.mjs"], input=said.body, cwd=ROOT, capture_output=True, check=False)
    assert judge.returncode == 0, judge.stdout + judge.stderr


def test_the_commands_of_databases_know_the_schemas_that_are_there(notes, stage):
    code, out, err = run_notes("db", "migrate", f"sqlite:{stage.folder}/other.db", "--json")
    assert code == 0 and list(json.loads(out)) == ["store"], out + err
    notes().stop()
    status = json.loads(run_notes("db", "status", f"sqlite:{stage.folder}/notes.db", "--json")[1])
    assert {(step["schema"], step["state"]) for step in status["steps"]} == {(name, "applied") for name in ("store", "service", "notes")}


def test_events_go_to_redis(notes, stage):
    redis = RedisServer(stage.folder)
    stage.enter(redis, redis.kill)
    at = notes(more=f', redis: "{redis.url}"')
    made = at.say("POST", "/v1/notes", {"title": "told"})
    health = until(lambda: (said := at.say("GET", "/healthz", to=at.service)).json["status"] == "ok" and said, "Redis")
    assert health.json["dependencies"]["redis"] == {"status": "ok"}

    def told():
        with Wire(redis.url.removeprefix("redis://")) as wire:
            wire.send(b"KEYS *\r\n")
            return b"notes" in wire.sock.recv(65536)
    until(told, "the event in a stream")
    redis.kill()
    away = until(lambda: (said := at.say("GET", "/healthz", to=at.service)).json["status"] == "degraded" and said, "no Redis")
    assert away.status == 200 and at.say("GET", made.headers["Location"]).status == 200


def test_what_is_kept_is_read_once_and_never_after_it_changed(notes, stage):
    redis = RedisServer(stage.folder)
    stage.enter(redis, redis.kill)
    at = notes(more=f', redis: "{redis.url}"')
    path = at.say("POST", "/v1/notes", {"title": "kept"}).headers["Location"]
    first = at.say("GET", path)
    for _ in range(5):
        assert (again := at.say("GET", path)).body == first.body and again.headers["ETag"] == first.headers["ETag"]
    assert at.metric("banyan_cache_loads_total", cache="notes") == 1
    assert at.say("GET", path, who="bob notes:read").status == 404 and at.say("GET", path, If_None_Match='"v1"').status == 304
    for number in range(20):
        changed = at.say("PATCH", path, {"title": f"turn {number}"})
        assert at.say("GET", path).json == changed.json
    assert at.say("PATCH", path, {"title": "x"}, If_Match='"v1"').status == 412
    redis.kill()
    assert at.say("PATCH", path, {"title": "alone"}).status == 200 and at.say("GET", path).json["title"] == "alone"
    assert at.say("DELETE", path).status == 204 and at.say("GET", path).status == 404
