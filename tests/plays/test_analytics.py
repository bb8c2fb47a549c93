# SPDX-License-Identifier: Apache-2.0
"""Events in three shapes, taken once and for all, and what is asked about them. One process for the file, on SQLite; what an engine has a
part in is in src/analytics/intake_test.c for PostgreSQL too."""
import contextlib
import datetime
import gzip
import json
import sqlite3
import subprocess
import threading

import pytest

from actors.accounts import TOKEN, say
from actors.gateway import ROOT
from actors.reports import Analytics, event
from actors.waiting import PROOF, until

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


@pytest.fixture(scope="module")
def analytics(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analytics")
    service = Analytics(folder, f"sqlite:{folder}/analytics.db")
    yield service
    service.finish()


def today(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def now(**more):
    """A query's time: around now."""
    return {"from": today(-86400), "to": today(86400), "interval": "all"} | more


# --- our own shape -------------------------------------------------------------------------------------------------------------


def test_each_line_is_told_what_became_of_it(analytics):
    key = analytics.project("lines")
    rows = [event("view", "ann", id="a"), event("view", "bob", id="b"), event("view", "ann", id="a"), {"event": "view"}, "{", "",
            event("view", "eve", at="2106-01-01T00:00:00Z")]
    told = analytics.send(key, *rows)
    assert told.status == 200
    assert [row["result"] for row in told.json["results"]] == ["stored", "stored", "duplicate", "refused", "refused", "refused"]
    assert [row["code"] for row in told.json["results"] if "code" in row] == ["distinct_id", "json", "timestamp.future"]
    assert (told.json["stored"], told.json["duplicates"], told.json["refused"]) == (2, 1, 3)
    again = analytics.send(key, *rows[:3], event("view", "dan", id="c"), problems=True)
    assert again.json["stored"] == 1 and [row["row"] for row in again.json["results"]] == [1, 2, 3]
    assert analytics.ask("lines", "trend")["total"] == 3


def test_what_was_no_event_is_kept_and_tried_again(analytics):
    key = analytics.project("failed")
    analytics.send(key, {"event": "view"}, '{"event":"paid"', event("view", "ann"))
    kept = analytics.say("GET", "/v1/projects/failed/failed-events").json["data"]
    assert [(row["code"], row["body"]) for row in kept] == [("distinct_id", '{"event": "view"}'), ("json", '{"event":"paid"')]
    assert analytics.say("POST", "/v1/projects/failed/failed-events:replay").json == {"stored": 0, "failed": 2}
    analytics.sql("update failed_events set body = ? where code = 'json'", json.dumps(event("paid", "ann")))
    assert analytics.say("POST", "/v1/projects/failed/failed-events:replay").json == {"stored": 1, "failed": 1}
    left = analytics.say("GET", "/v1/projects/failed/failed-events").json["data"]
    assert len(left) == 1 and left[0]["tries"] == 2
    assert analytics.say("DELETE", f"/v1/projects/failed/failed-events/{left[0]['id']}").status == 204
    assert analytics.say("GET", "/v1/projects/failed/failed-events").json["data"] == []
    assert analytics.ask("failed", "trend", breakdown="event")["total"] == 2


def test_who_may_write_may_not_read_and_the_other_way_round(analytics):
    key = analytics.project("keys")
    assert analytics.send("bp_" + "0" * 32, event("view", "ann")).code == "analytics.key"
    assert analytics.send(analytics.reader, event("view", "ann")).status == 401
    assert say(analytics.address, "POST", f"/v1/events?key={key}", b"").status == 200
    ask = {"project": "keys", "kind": "trend", "from": "2026-11-01", "to": "2026-12-01"}
    assert analytics.say("POST", "/v1/query", ask, Authorization=f"Bearer {key}").status == 401
    code, told, _ = analytics.run("key", "add", "--owner", "nobody", "-s", "analytics:write")
    assert code == 0
    assert analytics.say("POST", "/v1/query", ask, Authorization=f"Bearer {told.split()[-1]}").status == 403
    assert analytics.say("POST", "/v1/query", ask | {"project": "nothing"}).code == "project.unknown"
    assert analytics.say("POST", "/v1/query", ask | {"kind": "funnel"}).code == "query.invalid"
    assert analytics.say("POST", "/v1/query", ask | {"timezone": "Mars/Base"}).code == "zone.unknown"
    assert analytics.say("POST", "/v1/query", ask | {"steps": [{"event": 5}]}).status == 422
    preflight = say(analytics.address, "OPTIONS", "/v1/events")
    assert preflight.status == 204 and preflight.headers["Access-Control-Allow-Origin"] == "*"


def test_a_request_has_limits(analytics):
    key = analytics.project("limits")
    many = analytics.send(key, *['{"event":"x","distinct_id":"u"}'] * 5001)
    assert (many.status, many.code) == (413, "analytics.batch")
    big = say(analytics.address, "POST", "/v1/events", gzip.compress(b" " * (5 << 20)), Authorization=f"Bearer {key}", Content_Encoding="gzip")
    assert big.status == 413
    torn = say(analytics.address, "POST", "/v1/events", gzip.compress(b"{}" * 100)[:-9], Authorization=f"Bearer {key}", Content_Encoding="gzip")
    assert (torn.status, torn.code) == (415, "request.coding")
    assert analytics.ask("limits", "trend")["total"] == 0


# --- others' shapes --------------------------------------------------------------------------------------------------------------


def test_a_report_that_was_made_is_made_again_when_something_changed(analytics):
    key = analytics.project("again")
    analytics.send(key, event("view", "ann"))

    def remembered():
        return analytics.metric("banyan_analytics_queries_remembered_total")

    before = remembered()
    assert [analytics.ask("again", "trend")["total"] for _ in range(3)] == [1, 1, 1] and remembered() == before + 2
    analytics.send(key, event("view", "bob"))
    assert analytics.ask("again", "trend")["total"] == 2 and analytics.ask("again", "uniques")["total"] == 2
    analytics.send(key, event("$create_alias", "ann", at="2026-10-01T00:00:00Z", alias="bob"))  # outside of what is asked
    assert analytics.ask("again", "uniques")["total"] == 1
    assert remembered() == before + 2


def test_events_go_out_as_they_came_in_and_a_person_goes_for_good(analytics):
    key, other = analytics.project("out"), analytics.project("in")
    rows = [event("view", "ann", id=f"v{n}", at=f"2026-11-1{n}T12:00:00Z", plan="=1+1", n=n) for n in range(5)]
    analytics.send(key, *rows, event("paid", "bob", at="2026-11-12T13:00:00Z"), {"event": "view by ann", "distinct_id": ""})
    path = "/v1/projects/out/events?from=2026-11-11&to=2026-11-15"
    lines = analytics.say("GET", path).body.decode().splitlines()
    assert [json.loads(line)["properties"].get("n") for line in lines] == [1, 2, None, 3, 4]
    assert analytics.send(other, *lines).json["stored"] == 5 and analytics.send(key, *lines).json["duplicates"] == 5
    table = analytics.say("GET", path + "&format=csv&event=view&columns=n,plan")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.body.decode().splitlines()[:2] == [
        "id,event,distinct_id,timestamp,n,plan", json.loads(lines[0])["id"] + ",view,ann,2026-11-11T12:00:00.000000Z,1,\"'=1+1\""]
    code, told, _ = analytics.run("export", "out", "--from", "2026-11-11", "--to", "2026-11-15")
    assert code == 0 and told.splitlines() == lines
    job = analytics.say("POST", "/v1/projects/out/persons:erase", {"id": "ann"})
    assert job.status == 202
    left = "select count(*) from failed_events f join projects p on p.id = f.project where p.name = 'out'"
    until(lambda: analytics.sql(left) == [(0,)], "ann to be gone")
    assert analytics.ask("out", "trend")["total"] == 1
    assert b"ann" not in analytics.say("GET", path).body
    assert analytics.ask("in", "trend")["total"] == 5


def test_posthogs_shape_however_it_is_packed(analytics):
    key = analytics.project("hedgehog")
    one = {"api_key": key, "event": "signed up", "distinct_id": "ann", "uuid": "018f3c1e-7a4b-7cc0-b1f2-0123456789ab", "timestamp": today()}
    batch = {"api_key": key, "batch": [one, {"event": "signed up", "distinct_id": "bob", "properties": {"plan": "pro"}}]}
    sent = [("/i/v0/e/", json.dumps(one).encode(), {}), ("/e/", json.dumps([one]).encode(), {}),
            ("/batch/", gzip.compress(json.dumps(batch).encode()), {"Content_Encoding": "gzip"}),
            ("/batch/?compression=gzip", gzip.compress(json.dumps(one).encode()), {"Content_Type": "text/plain"})]
    for path, body, headers in sent:
        answer = say(analytics.address, "POST", path, body, **headers)
        assert (answer.status, answer.json) == (200, {"status": "Ok"}), path
    assert analytics.ask("hedgehog", "trend", **now())["total"] == 2
    assert say(analytics.address, "POST", "/batch/", {"api_key": "no", "batch": []}).status == 401
    assert say(analytics.address, "POST", "/batch/", b"{").status == 400


def test_a_clock_that_is_wrong_is_put_right_and_one_that_is_slow_to_come_is_not(analytics):
    key = analytics.project("clocks")
    for sent_at, name in ((today(-7200), "wrong"), (today(-20), "slow")):
        say(analytics.address, "POST", "/batch/", {"api_key": key, "sent_at": sent_at, "batch": [
            {"event": name, "distinct_id": "ann", "timestamp": sent_at}]})
    hour = analytics.ask("clocks", "trend", **now(**{"from": today(-1800)}), breakdown="event")
    assert {group["value"]: group["total"] for group in hour["groups"]} == {"wrong": 1, "slow": 1}


def test_who_logs_in_was_a_visitor_before(analytics):
    key = analytics.project("names")
    analytics.send(key, event("view", "anon-1"), event("view", "anon-2"), event("view", "zed"))
    assert analytics.ask("names", "uniques")["total"] == 3
    analytics.send(key, event("$identify", "ann", **{"$anon_distinct_id": "anon-1"}), event("$create_alias", "ann", alias="anon-2"))
    assert analytics.ask("names", "uniques")["total"] == 2
    steps = [{"event": "view"}, {"event": "$identify"}]
    analytics.send(key, event("$identify", "ann", at="2026-11-11T00:00:00Z", **{"$anon_distinct_id": "anon-1"}))
    assert [step["persons"] for step in analytics.ask("names", "funnel", steps=steps)["steps"]] == [2, 1]


def test_a_page_is_seen_by_a_visitor_whom_nobody_knows(analytics):
    analytics.project("site", "--domain", "shop.example")

    def see(page, agent=BROWSER, site="shop.example", **more):
        body = {"n": "pageview", "u": page, "d": site, "r": "https://search.example/find?q=x", **more}
        return say(analytics.address, "POST", "/api/event", body, Content_Type="text/plain", User_Agent=agent)

    first = see("https://www.shop.example/a?utm_source=letter&token=x", p={"author": "ann"})
    assert (first.status, first.body) == (202, b"ok") and first.headers["Access-Control-Allow-Origin"] == "*"
    assert see("https://shop.example/b", **{"$": {"currency": "EUR", "amount": "12.50"}}).status == 202
    assert see("https://shop.example/b", agent=BROWSER.replace("Linux", "Windows")).status == 202
    robot = see("https://shop.example/b", agent="Googlebot/2.1")
    assert robot.status == 202 and robot.headers["X-Plausible-Dropped"] == "1"
    assert see("https://x.example/", site="x.example").code == "analytics.site"
    assert see("https://shop.example/" + "x" * 2000).status == 400
    assert analytics.ask("site", "trend", **now())["total"] == 3 and analytics.ask("site", "uniques", **now())["total"] == 2
    for breakdown, told in {"$pathname": {"/a": 1, "/b": 2}, "utm_source": {"letter": 1, None: 2}, "$browser": {"Firefox": 3}, "author": {"ann": 1, None: 2},
                            "$referring_domain": {"search.example": 3}, "$os": {"Linux": 2, "Windows": 1}}.items():
        answer = analytics.ask("site", "trend", **now(), breakdown=breakdown)
        assert {group["value"]: group["total"] for group in answer["groups"]} == told
    assert analytics.ask("site", "trend", **now(), measure="sum", property="$revenue")["total"] == 12.5


def test_trackers_of_others_change_their_host_and_nothing_else(analytics):
    key = analytics.project("trackers", "--domain", "tracked.example")
    done = subprocess.run(["node", ROOT / "tests/plays/actors/trackers.mjs", f"http://{analytics.address}", key, "tracked.example"],
                          capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [202, 202]
    names = analytics.ask("trackers", "trend", **now(), breakdown="event")
    assert {group["value"]: group["total"] for group in names["groups"]} == {
        "view": 45, "paid": 5, "$identify": 1, "$create_alias": 1, "sale": 1, "pageview": 1}
    assert analytics.ask("trackers", "uniques", **now(), events=["view"])["total"] == 4  # one of five has two names
    assert analytics.say("GET", "/v1/projects/trackers/failed-events").json["data"] == []


def test_a_page_that_includes_the_script_tells_of_itself(analytics):
    analytics.project("script", "--domain", "script.example")

    def visit(*words):
        done = subprocess.run(["node", ROOT / "tests/plays/actors/page.mjs", f"http://{analytics.address}", "script.example", *words],
                              capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    told = visit()
    assert told["said"] == [202] * 4 and told["bytes"] < 2000
    assert visit("true")["said"] == []
    names = analytics.ask("script", "trend", **now(), breakdown="event")
    assert {group["value"]: group["total"] for group in names["groups"]} == {"early": 1, "pageview": 2, "paid": 1}
    paths = analytics.ask("script", "trend", **now(), breakdown="$pathname", events=["pageview"])
    assert {group["value"]: group["total"] for group in paths["groups"]} == {"/first": 1, "/second": 1}
    assert analytics.ask("script", "trend", **now(), measure="sum", property="$revenue")["total"] == 12.5


def test_nobody_is_followed_who_does_not_want_to_be(analytics):
    open_, asked = analytics.project("open"), analytics.project("asked", "--privacy", "consent")
    never = analytics.project("never", "--privacy", "visitors")
    for key in open_, asked, never:
        analytics.send(key, event("view", "secret-ann", **{"$ip": "192.0.2.77"}), event("view", "secret-bob", **{"$consent": True}))
        analytics.send(key, event("view", "secret-cat"), Sec_GPC="1")
    names = {row for row in analytics.sql("select p.name, i.name from ids i join projects p on p.id = i.project where i.name like 'secret%'")}
    assert names == {("open", "secret-ann"), ("open", "secret-bob"), ("asked", "secret-bob")}
    assert [analytics.ask(name, "uniques")["total"] for name in ("open", "asked", "never")] == [3, 2, 1]
    kept = b"".join(path.read_bytes() for path in analytics.folder.glob("analytics.db*"))
    assert b"secret-ann" in kept and b"192.0.2.77" not in kept and b"secret-cat" not in kept and b"127.0.0.1" not in kept


# --- what other services tell --------------------------------------------------------------------------------------------------------


def test_what_services_tell_is_counted_once(tmp_path):
    service = Analytics(tmp_path, f"sqlite:{tmp_path}/analytics.db", beside=True)
    week = f"from={today(-86400)}&to={today(86400)}&interval=all"
    assert [row["name"] for row in service.say("GET", "/v1/facts").json["data"]][:2] == ["revenue", "refunds"]
    assert service.say("GET", f"/v1/facts/signups?{week}").json["total"] == 0
    assert service.say("GET", f"/v1/facts/luck?{week}").code == "fact.unknown"
    for n in range(3):
        made = say(service.front, "POST", "/v1/users", {"email": f"ann{n}@shop.test"}, Authorization=f"Bearer {TOKEN}")
        assert made.status == 201, made.body
    until(lambda: service.say("GET", f"/v1/facts/signups?{week}").json["total"] == 3, "three sign-ups")
    assert service.ask("banyan", "uniques", **now(), events=["user.registered"])["total"] == 3
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("analytics.db*"))
    assert b"ann0@shop.test" not in kept
    report = {"project": "banyan", "name": "new people", "days": 7, "question": {"kind": "trend", "events": ["user.registered"]}}
    assert service.say("POST", "/v1/reports", report | {"question": {"kind": "luck"}}).code == "report.question"
    assert service.say("POST", "/v1/reports", report | {"cron": "every day", "to": []}).code == "cron.syntax"
    made = service.say("POST", "/v1/reports", report | {"cron": "0 7 * * mon Europe/Berlin", "to": [{"email": "boss@shop.test"}]})
    assert made.status == 201 and made.json["next_at"] > today()
    path = f"/v1/reports/{made.json['id']}"
    told = service.say("GET", path + "/answer").json
    assert len(told["points"]) == 7 and told["total"] == 0  # whole days: today is none yet
    if PROOF:  # what is due is looked for once a minute
        service.sql("update reports set next_at = 1")
        until(lambda: service.say("GET", path).json.get("sent_at"), "the report to be sent", 90)
        assert service.say("GET", path).json["next_at"] > today() and service.say("GET", path).json["error"] == ""
        with contextlib.closing(sqlite3.connect(tmp_path / "notification.db")) as other:
            assert other.execute("select count(*) from notifications where workflow = 'report'").fetchall() == [(1,)]
    assert service.say("DELETE", path).status == 204 and service.say("GET", path).status == 404
    service.finish()


# --- what is kept ------------------------------------------------------------------------------------------------------------------


def test_what_was_answered_survives_a_kill(tmp_path):
    """Four clients send while the process is killed; what they were told is stored is there once, and known when it comes again."""
    service = Analytics(tmp_path, f"sqlite:{tmp_path}/analytics.db")
    key, taken, rounds = service.project("kill"), [], 6 if PROOF else 2

    def client(number, turn, at):
        for batch in range(1000):
            ids = [f"{number}-{turn}-{batch}-{row}" for row in range(5)]
            try:
                answer = at.send(key, *[event("view", f"p{row}", id=row) for row in ids])
            except OSError:
                return
            if answer.status == 200:
                taken.extend(ids)

    for turn in range(rounds):
        clients = [threading.Thread(target=client, args=(number, turn, service)) for number in range(4)]
        before = len(taken)
        for one in clients:
            one.start()
        while len(taken) < before + 40:
            pass
        service = service.again()
        for one in clients:
            one.join()
    total = service.ask("kill", "trend")["total"]
    assert total >= len(taken) > 0
    again = service.send(key, *[event("view", "p", id=row) for row in taken[:5000]], problems=True).json
    assert again["stored"] == 0 and again["duplicates"] == len(taken[:5000])
    code, told, error = service.run("fsck")
    assert code == 0, told + error
    service.sql("update days set events = events + 1")
    code, told, _ = service.run("fsck")
    assert code != 0 and "analytics.segments" in told
    service.finish()


def test_an_offset_does_not_move_an_event_out_of_all_time(analytics):
    key = analytics.project("offsets")
    for offset in (1500, 9 * 10**18):
        answer = say(analytics.address, "POST", "/i/v0/e/", {"api_key": key, "event": "view", "distinct_id": "ann", "offset": offset})
        assert answer.status == 200
    days = analytics.sql("select day from days d join projects p on p.id = d.project where p.name = 'offsets'")
    assert len(days) == 1 and days[0][0] > 20000, days
    kept = analytics.say("GET", "/v1/projects/offsets/failed-events").json["data"]
    assert [row["code"] for row in kept] == ["timestamp.past"]


def test_a_time_that_no_clock_shows_is_refused(analytics):
    key = analytics.project("aeons")
    ends = [2**63 - 1, -2**63, 2**62]
    told = analytics.send(key, *[{"event": "view", "distinct_id": "ann", "timestamp": at} for at in ends])
    assert told.status == 200 and told.json["refused"] == len(ends), told.body
    for sent_at in (today(-7200), today(7200)):
        answer = say(analytics.address, "POST", "/batch/", {"api_key": key, "sent_at": sent_at, "batch": [
            {"event": "view", "distinct_id": "ann", "timestamp": at} for at in ends]})
        assert answer.status == 200
    assert analytics.ask("aeons", "trend", **now())["total"] == 0


def test_nobody_keeps_another_from_being_erased(analytics):
    key = analytics.project("squatters")
    names = [event("view", f"erased:{n}") for n in range(1, 20)] + [event("$create_alias", "bob", alias=f"erased:{n}") for n in range(1, 20)]
    analytics.send(key, event("view", "ann the first"), *names)
    assert analytics.say("POST", "/v1/projects/squatters/persons:erase", {"id": "ann the first"}).status == 202
    until(lambda: analytics.sql("select count(*) from ids where name = 'ann the first'") == [(0,)], "ann's name to be gone")
    until(lambda: analytics.sql("select count(*) from jobs where kind = 'analytics.erase' and state = 'running'") == [(0,)], "the job to be over")
    text = "\n".join(row for row in dump(analytics) if "ann the first" in row)
    assert not text


def test_a_question_takes_no_more_memory_than_it_may(analytics):
    key = analytics.project("wide")
    rows = [event("view", f"p{n}", at="2026-11-10T12:00:00Z", v=f"value {n}") for n in range(9900)]
    for at in range(0, len(rows), 990):
        assert analytics.send(key, *rows[at:at + 990], problems=True).json["stored"] == 990
    wide = {"project": "wide", "kind": "trend", "from": "2026-09-10", "to": "2026-12-01", "interval": "hour", "breakdown": "v"}
    refused = analytics.say("POST", "/v1/query", wide)
    assert (refused.status, refused.code) == (413, "query.too_large")
    assert peak_bytes(analytics) < 700 << 20          # 256 MiB, and what is there without it
    assert analytics.say("POST", "/v1/query", wide | {"interval": "week"}).status == 200


def test_what_came_first_is_first_though_the_clock_says_the_same(analytics):
    key, at = analytics.project("ties"), "2026-11-10T12:00:00Z"
    steps = {"steps": [{"event": "basket"}, {"event": "paid"}]}
    for person in ("ann", "bob"):
        analytics.send(key, event("basket", person, at=at), *[event("view", f"{person}-{n}", at=at) for n in range(50)])
        analytics.send(key, event("paid", person, at=at))
    assert [step["persons"] for step in analytics.ask("ties", "funnel", **steps)["steps"]] == [2, 2]


def peak_bytes(service):
    lines = open(f"/proc/{service.program.process.pid}/status").read().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def dump(analytics):
    with contextlib.closing(sqlite3.connect(f"file:{analytics.folder}/analytics.db?mode=ro", uri=True)) as db:
        return list(db.iterdump())
