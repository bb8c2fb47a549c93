# SPDX-License-Identifier: Apache-2.0
"""The console in Chromium: what people see of a gateway, and do to it."""
import json
import re

import pytest
from selenium.webdriver.common.keys import Keys

from actors.browser import chromedriver
from actors.console import ShiftPort, subject, visit
from actors.gateway import everything_to
from actors.http1 import reply
from actors.shift import TOKEN as PLAY_TOKEN
from actors.shift import Shift, crowd, sides, two_sides
from actors.waiting import until

TOKEN, OPERATOR, VIEWER = "the-token-of-all-roles", "ann-has-this-secret", "bob-has-this-secret"
TOKENS = f"""
    admin:
      address: "127.0.0.1:0"
      token: {TOKEN}
      tokens:
        - {{ name: ann, token: {OPERATOR}, role: operate }}
        - {{ name: bob, token: {VIEWER}, role: view }}
"""
BUSY = [
    subject("users", "canary", 5),
    subject("orders", "shadow", blocked="a person must accept 2 kinds of difference: banyan shift orders accept PATH KIND"),
    subject("search", "new", 98, verdict={"say": "on", "line": "p99: old 30 of 2981, new 1 of 157"}),
    subject("basket", "old"), subject("login", "retired", 100),
    subject("payments", "canary", 25, paused=True, verdict={"say": "back", "line": "errors: old 3 of 2981, new 14 of 157"})]


@pytest.fixture(scope="module")
def driver(long_stage):
    program = chromedriver(long_stage.folder)
    return long_stage.enter(program, lambda: (program.signal(15), program.wait(20)))


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def gw(gateway, shop):
    return gateway(everything_to(shop, more=TOKENS), token=TOKEN)


@pytest.fixture
def port(stage, gw):
    def start(*subjects):
        actor = ShiftPort(gw, json.loads(json.dumps(subjects or BUSY)))
        return stage.enter(actor, actor.finish)
    return start


@pytest.fixture
def console(stage, driver, tmp_path):
    return lambda where, token=TOKEN: visit(stage, driver, tmp_path, where, token)


# Who may

def test_a_browser_is_led_to_the_console_and_others_are_told(gw):
    status, headers, _ = gw.ask_admin("/", Accept="text/html,*/*", Authorization="")
    assert (status, headers["Location"]) == (307, "/console/")
    assert gw.ask_admin("/", Authorization="")[0] == 404
    assert gw.ask_admin("/console", Authorization="")[1]["Location"] == "/console/"


def test_the_page_s_files_are_guarded_and_kept(gw):
    status, headers, text = gw.ask_admin("/console/", Authorization="")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8" and headers["Cache-Control"] == "no-cache"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["trusted-types"] == "'none'" and "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert gw.ask_admin("/console/", Authorization="", **{"If-None-Match": headers["ETag"]})[0] == 304
    script = "/console/" + next(part for part in text.split('"') if part.endswith("app.js"))
    status, headers, _ = gw.ask_admin(script, Authorization="")
    assert status == 200 and "immutable" in headers["Cache-Control"] and headers["Content-Type"].startswith("text/javascript")
    assert gw.ask_admin(script.replace("app.js", "none.js"), Authorization="")[0] == 404


def log_in(gw, token, **headers):
    status, fields, text = gw.ask_admin("/console/login", "POST", Authorization=f"Bearer {token}", **headers)
    return status, fields.get("Set-Cookie", ""), json.loads(text)


def test_a_session_stands_for_a_token_and_changes_take_the_proof(gw):
    status, cookie, who = log_in(gw, OPERATOR)
    assert status == 200 and (who["name"], who["role"]) == ("ann", "operate")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; ")) and "Secure" not in cookie
    by = {"Authorization": "", "Cookie": cookie.split(";")[0]}
    proof = {"X-Banyan-Proof": who["proof"]}
    assert json.loads(gw.ask_admin("/console/who", **by)[2])["name"] == "ann"
    assert gw.ask_admin("/metrics", **by)[0] == 200 and gw.metric("banyan_console_sessions") == 1
    assert "proof" not in json.loads(gw.ask_admin("/console/who", **by)[2]), "it is given once"
    assert gw.ask_admin("/metrics", **by, **{"Sec-Fetch-Site": "same-site"})[0] == 403, "another port of this host"
    assert gw.ask_admin("/config/reload", "POST", **by)[0] == 403
    assert gw.ask_admin("/config/reload", "POST", **by, **proof, Origin="http://evil.test")[0] == 403
    assert gw.ask_admin("/config/reload", "POST", **by, **proof, Origin=f"http://{gw.admin}")[0] == 200
    assert gw.ask_admin("/console/logout", "POST", **by, **proof)[0] == 200
    assert gw.ask_admin("/metrics", **by)[0] == 401 and gw.metric("banyan_console_sessions") == 0


def test_a_session_has_the_role_of_its_token(gw):
    _, cookie, who = log_in(gw, VIEWER)
    by = {"Authorization": "", "Cookie": cookie.split(";")[0], "X-Banyan-Proof": who["proof"]}
    assert gw.ask_admin("/upstreams", **by)[0] == 200 and gw.ask_admin("/config/reload", "POST", **by)[0] == 403


def test_logging_in_is_for_those_who_have_a_token_on_a_page_of_ours(gw):
    assert log_in(gw, "x")[0] == 401 and log_in(gw, OPERATOR, Origin="http://evil.test")[0] == 403
    _, cookie, who = log_in(gw, OPERATOR)
    by = {"Authorization": "", "Cookie": cookie.split(";")[0], "X-Banyan-Proof": who["proof"]}
    assert gw.ask_admin("/console/login", "POST", **by)[0] == 403, "a session begins no other session"


def test_a_wrong_token_is_said_and_a_right_one_lets_in(port, console):
    page = console(port(), token=None)
    page.open("/console/")
    page.wait("return document.activeElement.id === 'token'")
    page.keys("nonsense", Keys.ENTER)
    page.shows("#token-wrong", "No one has this token")
    page.keys(OPERATOR, Keys.ENTER)
    page.shows("h1", "Moves")
    page.shows(".who", "ann (operate)")
    page.click(".status button:last-child")
    page.shows("h1", "Log in")
    page.open("/console/")
    page.shows("h1", "Log in")


def test_without_a_token_one_may_look(gateway, shop, console):
    gw = gateway(everything_to(shop))
    page = console(gw, token=None)
    page.open("/console/")
    page.shows(".notice", "You may look, and change nothing")
    page.go("#/upstreams")
    page.shows(".upstream[data-name=shop]", "Servers that take requests: 1 of 1")
    page.shows(".limits tbody tr", "console sessions0256")


# What is seen

def test_the_list_says_where_each_stands(port, console):
    page = console(port())
    page.shows(".counted", "6 in all")
    names = page.script("return [...document.querySelectorAll('.subjects tbody tr')].map((row) => row.dataset.name)")
    assert names == ["orders", "payments", "users", "basket", "login", "search"], "who needs somebody comes first"
    for name, *words in (("users", "canary", "5 % new", "0.10 % errors", "p99 90 ms", "wait"), ("payments", "paused", "go back", "14 of 157"),
                         ("orders", "shadow", "Waits: a person must accept")):
        for word in words:
            page.shows(f"tr[data-name={name}]", word)
    page.find("#filter").send_keys("pay")
    page.shows(".counted", "1 of 6")
    page.picture("list")


def test_events_change_what_is_seen_and_say_it(port, console):
    shift = port()
    page = console(shift)
    page.shows("tr[data-name=users]", "5 % new")
    shift.set("users", percent=25, step=2)
    page.shows("tr[data-name=users]", "25 % new")
    page.wait("return document.getElementById('said').textContent.includes('users: 25 %')")
    shift.set("users", phase="old", percent=0, verdict={"say": "back", "line": "errors: old 3 of 2981, new 14 of 157"})
    page.wait("return document.getElementById('said').textContent.includes('canary to old')")
    page.shows("tr[data-name=users] .verdict", "go back")


def test_a_lost_connection_is_said_and_found_again(port, console):
    shift = port()
    page = console(shift)
    page.shows(".live", "● live")
    shift.hang_up(down=True)
    page.shows(".notice.lost", "Connection lost since")
    page.picture("lost")
    with shift.lock:
        del shift.subjects["basket"]
        shift.subjects["users"]["percent"] = 50
        shift.is_down = False
    page.shows(".live", "● live")
    page.wait("return !document.querySelector('.notice.lost').checkVisibility()")
    page.shows("tr[data-name=users]", "50 % new")
    page.shows(".counted", "5 in all")


PAINTED = """const canvas = document.querySelector(`[data-chart=${arguments[0]}] canvas`);
if (!canvas) return 0;
const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
const colours = new Set();
for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) colours.add(`${data[i] >> 4},${data[i + 1] >> 4},${data[i + 2] >> 4}`);
return colours.size"""


def test_a_subject_s_page_draws_its_life(port, console):
    shift = port()
    page = console(shift)
    page.click("tr[data-name=users] a")
    page.shows("h1", "users")
    page.wait("return document.querySelectorAll('.chart canvas').length === 4")
    for chart in ("split", "errors", "p99", "evidence"):
        page.wait(f"{PAINTED.replace('return colours.size', 'return colours.size > 2')}", chart)
    page.shows("[data-chart=evidence] .words", "Errors 12.3 of 3,000")
    page.shows(".steps [aria-current]", "5 %")
    for words in ("What the judge counts", "12, at most 100", "Objective 99.9", "541 requests", "Compared480"):
        page.shows(".cards", words)
    page.shows(".differences", "480 answers compared, 2 kinds")
    page.shows(".journal tbody tr", "reason 45")
    page.click(".examples summary")
    page.shows(".pair [data-side=new] pre", "<b>12.0</b>")
    assert page.script("return document.querySelectorAll('.pair b').length") == 0, "what a side answered is text"
    page.click(".journal > button")
    page.shows(".journal tbody tr", "reason 25")
    drawn = page.script("return document.querySelector('[data-chart=errors] .words').textContent")
    shift.set("users", revise=False, now={"old": {"rate": 50, "errors": 0.5, "p50_ms": 1, "p99_ms": 2}, "new": {"rate": 50, "errors": 0.25, "p50_ms": 1, "p99_ms": 2}})
    page.shows("[data-chart=errors] .words", "new 25.0 %")
    assert "25.0" not in drawn
    page.picture("subject")


# What is done

def test_a_verb_says_what_will_happen_and_asks_why(port, console):
    shift = port()
    page = console(shift, OPERATOR)
    page.go("#/shift/users")
    page.click(".verbs > [data-verb=to]")
    page.shows("dialog .foretold", "users: to takes it from canary at 5 % to canary at 5 %")
    field = page.find("dialog input[type=number]")
    field.clear()
    field.send_keys("30")
    page.shows("dialog .foretold", "to canary at 30 %")
    page.picture("dialog")
    assert shift.done == []
    page.find("dialog .confirm").click()  # without a reason it is not done
    assert page.script("return document.querySelector('dialog input[type=text]').validity.valueMissing") and shift.done == []
    page.find("dialog input[type=text]").send_keys("a quiet morning")
    page.find("dialog .confirm").click()
    page.wait("return !document.querySelector('dialog')")
    verb, name, who, body = shift.done[0]
    assert (verb, name, who, body["why"], body["percent"], body["expect"]) == ("to", "users", "ann", "a quiet morning", 30, 1)
    page.shows(".split", "30 % new")
    page.shows(".journal tbody tr:first-child", "a quiet morning")
    page.wait("return document.getElementById('said').textContent.includes('to canary at 30 %')")


def test_a_verb_that_cannot_be_is_not_done(port, console):
    shift = port()
    page = console(shift)
    page.go("#/shift/login")
    page.click(".verbs summary")
    page.click("[data-verb=canary]")
    page.shows("dialog .foretold.wrong", "no old side to compare with")
    assert page.script("return document.querySelector('dialog .confirm').disabled")
    page.keys(Keys.ESCAPE)
    page.wait("return !document.querySelector('dialog')")
    assert shift.done == []


def test_what_somebody_else_did_meanwhile_is_shown_before_it_is_confirmed(port, console):
    shift = port()
    page = console(shift)
    page.go("#/shift/users")
    page.click(".verbs > [data-verb=back]")
    page.shows("dialog .foretold", "from canary at 5 %")
    shift.set("users", percent=50)
    page.find("dialog input[type=text]").send_keys("too many errors")
    page.find("dialog .confirm").click()
    page.shows("dialog .foretold", "It has changed meanwhile")
    page.shows("dialog .foretold", "from canary at 50 %")
    assert shift.done == []
    page.find("dialog .confirm").click()
    page.wait("return !document.querySelector('dialog')")
    assert [done[0] for done in shift.done] == ["back"]


def test_what_is_refused_with_care_can_be_forced(port, console):
    shift = port()
    page = console(shift)
    page.go("#/shift/users")
    page.click(".verbs > [data-verb=drill]")
    page.shows("dialog .foretold.wrong", "no server of the old side is up")
    page.click("dialog input[type=checkbox]")
    page.shows("dialog .foretold:not(.wrong)", "drill takes it")
    page.find("dialog input[type=text]").send_keys("a rehearsal" + Keys.ENTER)
    page.wait("return !document.querySelector('dialog')")
    assert shift.done[0][0] == "drill" and shift.done[0][3]["force"] is True


def test_what_one_asked_for_another_approves(port, console):
    shift = port(subject("search", "new", 98), subject("users", "canary", 5))
    page = console(shift)
    page.shows("tr:first-child[data-name=users]")
    shift.set("search", asked="retire", asked_by="ann", needs="approve")
    page.shows("tr:first-child[data-name=search]", "Waits: ann asked for retire; another person approves it")
    page.go("#/shift/search")
    page.shows(".blocked.notice", "another person approves it")
    page.click(".verbs > [data-verb=approve]")
    page.shows("dialog .foretold", "approve takes it")
    page.find("dialog input[type=text]").send_keys("we agreed" + Keys.ENTER)
    page.wait("return !document.querySelector('dialog')")
    assert shift.done[0][:3] == ("approve", "search", "admin")
    page.wait("return !document.querySelector('[data-verb=approve]') && !document.querySelector('.blocked.notice').checkVisibility()")


def test_an_upstream_is_swapped_for_another(gateway, shop, stage, console):
    text = everything_to(shop, more=TOKENS)
    gw = gateway(text.replace("upstreams: {", f"upstreams: {{ shop-next: {{ servers: [ '{shop.address}' ] }},"), token=TOKEN)
    swap = subject("upstream:shop", kind="upstream", new="", since=None)
    shift = ShiftPort(gw, [swap])
    stage.enter(shift, shift.finish)
    page = console(shift)
    page.click("tr[data-name='upstream:shop'] a")
    page.shows("h1", "upstream:shop")
    page.click(".verbs > [data-verb=canary]")
    page.shows("dialog .foretold", "canary takes it")
    page.find("dialog input[type=text]").send_keys("blue to green" + Keys.ENTER)
    page.wait("return !document.querySelector('dialog')")
    assert shift.done[0][1] == "upstream:shop" and shift.done[0][3]["target"] == "shop-next"


def test_a_difference_is_accepted(port, console):
    shift = port()
    page = console(shift)
    page.go("#/shift/users")
    page.click(".differences [data-verb=accept]")
    page.shows("dialog", ".items[].price")
    page.shows("dialog .foretold", "accept takes")
    page.find("dialog input[type=text]").send_keys("a trailing zero" + Keys.ENTER)
    page.shows(".differences", "✓ accepted by admin")
    assert shift.done[0][3]["path"] == ".items[].price" and shift.done[0][3]["kind"] == "value"
    page.click(".differences [data-verb=unaccept]")
    page.shows("dialog .foretold", "unaccept takes")
    page.find("dialog input[type=text]").send_keys("it was not meant" + Keys.ENTER)
    page.shows(".differences", "? open")
    assert shift.done[1][0] == "unaccept" and shift.done[1][3]["path"] == shift.done[0][3]["path"]


def test_who_may_only_look_is_told_so(port, console):
    page = console(port(), VIEWER)
    page.go("#/shift/users")
    page.shows(".verbs", "Your role, view, may look")
    assert page.script("return [...document.querySelectorAll('[data-verb]')].every((button) => button.disabled)")


def test_the_keyboard_is_enough(port, console):
    shift = port()
    page = console(shift, token=None)
    page.open("/console/")
    page.wait("return document.activeElement.id === 'token'")
    page.keys(OPERATOR, Keys.ENTER)
    page.shows("tr[data-name=users]")
    page.tab_to("tr[data-name=users] a")
    assert page.script("return getComputedStyle(document.activeElement).outlineStyle") != "none", "one sees where one is"
    page.keys(Keys.ENTER)
    page.shows("h1", "users")
    page.wait("return document.activeElement.tagName === 'H1'")
    page.shows(".verbs > [data-verb=back]")
    page.tab_to(".verbs > [data-verb=back]")
    page.keys(Keys.ENTER)
    page.shows("dialog .foretold", "back takes it")
    for _ in range(12):
        page.keys(Keys.TAB)
        assert page.script("return document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"), "the page behind waits"
    page.tab_to("dialog input[type=text]")
    page.keys("it is Friday", Keys.ENTER)
    page.wait("return !document.querySelector('dialog')")
    assert [done[:3] for done in shift.done] == [("back", "users", "ann")]
    page.wait("return document.activeElement.closest('.verbs') !== null")


# The whole way, with nothing played

def test_a_route_is_moved_from_the_console_and_back(gateway, upstream, client, console):
    old, new = upstream(answer=reply(200, b"old")), upstream(answer=reply(200, b"new"))
    gw = gateway(two_sides(old, new, "{ steps: [ 50%, 100% ] }"), token=PLAY_TOKEN)
    page = console(gw, PLAY_TOKEN)
    page.shows("tr[data-name=users]", "0 % new")
    page.shows("tr[data-name=users]", "no requests")
    page.shows(".live", "● live")
    page.click("tr[data-name=users] a")
    page.click(".verbs > [data-verb=canary]")
    page.wait("return !document.querySelector('dialog .confirm').disabled")
    said = page.text("dialog .foretold")
    page.find("dialog input[type=text]").send_keys("release 42" + Keys.ENTER)
    page.wait("return !document.querySelector('dialog')")
    page.shows(".phase", "canary")
    page.shows(".split", "50 % new")
    page.shows(".journal tbody tr:first-child", "release 42")
    people = crowd(client, gw, 40)
    assert "users" in said and 0 < sides(people)["new"] < 40
    page.wait("return document.querySelectorAll('.chart canvas').length === 4")
    page.shows("[data-chart=evidence] .words", "Errors")
    page.shows(".cards", "What the judge counts")
    until(lambda: sides(people) and re.fullmatch(r"Now: old [\d.]+ ms, new [\d.]+ ms", page.text("[data-chart=p99] .words")), "numbers of both sides")
    page.picture("real")
    page.click(".verbs > [data-verb=back]")
    page.wait("return !document.querySelector('dialog .confirm').disabled")
    page.find("dialog input[type=text]").send_keys("enough for today" + Keys.ENTER)
    page.shows(".phase", "old")
    page.shows(".journal tbody tr:first-child", "enough for today")
    assert [(row["verb"], row["why"]) for row in Shift(gw).history if row["who"] == "admin"] == [
        ("back", "enough for today"), ("canary", "release 42")]
    assert sides(people) == {"old": 40}


def test_a_server_is_taken_out_and_put_back(gateway, upstream, client, console):
    one, two = upstream(answer=reply(200, b"one")), upstream(answer=reply(200, b"two"))
    gw = gateway(f"admin: {{ address: '127.0.0.1:0', token: {PLAY_TOKEN} }}\nshift: {{}}\n"
                 f"upstreams: {{ shop: {{ servers: [ '{one.address}', '{two.address}' ] }} }}\n"
                 "routes: [ { name: all, match: /**, to: shop } ]\n", token=PLAY_TOKEN)
    page = console(gw, PLAY_TOKEN)
    page.go("#/upstreams")
    button = f".upstream[data-name=shop] button[aria-label='Take out: {one.address}']"
    page.click(button)
    page.shows("dialog", one.address)
    page.shows("dialog .foretold", "takes no new requests")
    assert page.axe() == []
    page.find("dialog input[type=text]").send_keys("a new kernel" + Keys.ENTER)
    page.shows("table.servers tr", "up, drained")
    assert [client.get(gw).text for _ in range(10)] == ["two"] * 10
    page.shows(".facts", "Servers that take requests: 1 of 2")
    page.click(f"button[aria-label='Take out: {two.address}']")
    page.shows("dialog .foretold", "no other server of shop is up")
    page.click("dialog .cancel")
    page.click(f"button[aria-label='Put back: {one.address}']")
    page.shows("dialog .foretold", "takes requests again")
    page.find("dialog input[type=text]").send_keys("done" + Keys.ENTER)
    page.shows(".facts", "Servers that take requests: 2 of 2")
    assert [(row["verb"], row["why"]) for row in Shift(gw, "upstream:shop").history] == [("undrain", f"{one.address}: done"), ("drain", f"{one.address}: a new kernel")]


# For everybody

VIEWS = (("#/", "tr[data-name=users]"), ("#/shift/users", ".journal tbody tr"), ("#/upstreams", ".upstream"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(port, console, theme):
    page = console(port(), token=None)
    page.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    page.open("/console/")
    page.shows("h1", "Log in")
    assert page.axe() == []
    page.log_in(TOKEN)
    assert page.script("return document.documentElement.dataset.theme") == theme
    for place, there in VIEWS:
        page.go(place)
        page.shows(there)
        if "users" in place:
            page.wait("return document.querySelectorAll('.chart canvas').length === 4")
            page.click(".examples summary")
        assert page.axe() == [], place
        page.picture(f"{place.strip('#/').replace('/', '-') or 'list'}-{theme}")
    page.go("#/shift/users")
    page.click(".verbs > [data-verb=back]")
    page.shows("dialog .foretold", "back takes it")
    assert page.axe() == []
    page.picture(f"dialog-{theme}")


def test_light_and_dark_are_the_system_s_until_somebody_chooses(port, console):
    page = console(port())
    page.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    theme = "return [document.documentElement.dataset.theme, getComputedStyle(document.documentElement).backgroundColor]"
    page.wait("return document.documentElement.dataset.theme === 'dark'")
    dark = page.script(theme)
    page.shows(".status button", "Auto").click()
    page.shows(".status button", "Light")
    light = page.script(theme)
    assert light[0] == "light" and light[1] != dark[1]
    page.open("/console/")
    page.shows(".status button", "Light")
    assert page.script(theme) == light


@pytest.mark.parametrize("place, there", VIEWS)
def test_a_phone_needs_no_scrolling_sideways(port, console, place, there):
    page = console(port())
    page.resize(360)
    page.go(place)
    page.shows(there)
    if "users" in place:
        page.wait("return document.querySelectorAll('.chart canvas').length === 4")
    wide = page.script("""return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.scroll, .hidden, .skip') &&
        e.getBoundingClientRect().right > 360.5).map((e) => e.outerHTML.slice(0, 120))""")
    assert page.script("return document.documentElement.scrollWidth") <= 360 and wide == []
    page.picture(f"phone-{place.strip('#/').replace('/', '-') or 'list'}")


COUNT = """window.work = { rows: 0, cells: 0 };
new MutationObserver((records) => records.forEach((r) => {
  work.rows += [...r.addedNodes].filter((n) => n.nodeName === 'TR').length;
  work.cells += r.type === 'characterData' || r.target.closest?.('tr') ? 1 : 0;
})).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });"""


def test_a_thousand_are_shown_once_and_then_only_what_changes(port, console):
    shift = port(*[subject(f"route-{number:04}", "canary" if number < 50 else "old", 5 if number < 50 else 0) for number in range(1000)])
    page = console(shift, token=None)
    page.devtools("Page.addScriptToEvaluateOnNewDocument", {"source": f"addEventListener('DOMContentLoaded', () => {{ {COUNT} }})"})
    page.log_in(TOKEN)
    page.shows(".counted", "1000 in all")
    page.shows(".live", "● live")
    shift.set("route-0999", revise=False, percent=0.5)
    page.shows("tr[data-name=route-0999]", "0.50 % new")
    # The table came in one piece, with its rows in it; the 1,000 events after it changed nothing that they had not changed.
    assert page.script("return work.rows") <= 1000
    page.script("work.rows = work.cells = 0")
    shift.set("route-0010", revise=False, now={"old": {"rate": 9, "errors": 0.5, "p50_ms": 1, "p99_ms": 2}, "new": {"rate": 1, "errors": 0, "p50_ms": 1, "p99_ms": 2}})
    page.shows("tr[data-name=route-0010]", "50.0 % errors")
    assert page.script("return work.rows") == 0 and 0 < page.script("return work.cells") <= 12
    assert page.script("return document.querySelectorAll('*').length") < 40000
    page.find("#filter").send_keys("0999")
    until(lambda: page.script("return [...document.querySelectorAll('.subjects tbody tr')].filter((r) => !r.hidden).length") == 1, "the filter")
    page.picture("thousand")
