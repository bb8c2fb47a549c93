# SPDX-License-Identifier: Apache-2.0
"""Whoever is logged in at the monolith is known to the services beside it."""
import http.cookiejar
import json
import re
import threading
import urllib.parse
import urllib.request


from actors import http1
from actors.client import Wire
from actors.http1 import reply
from actors.shop import PASSWORD, Shop
from actors.waiting import until


def slug(answer):
    return answer.problem["type"].rsplit(":", 1)[1]


def text_of(mono, service, bridge, more="", cache="30s"):
    return (f'upstreams:\n  shop: {{ servers: [ "{mono.address}" ] }}\n  service: {{ servers: [ "{service.address}" ] }}\n'
            f"auth: {{ users: {{ bridge: {{ {bridge}, cache: {cache} }}, keep: off, headers: {{ X-User-Id: sub }}{more} }} }}\n"
            f"routes:\n  - {{ name: service, match: /service/**, to: service, auth: users }}\n"
            f"  - {{ name: rest, match: /**, to: shop }}\n")


class Browser:
    def __init__(self, gw):
        self.gw, self.jar = gw, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path):
        with self.opener.open(self.gw.url + path, timeout=30) as answer:
            return answer.read().decode()

    def post(self, path, **fields):
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.gw.url + path, data, {"Referer": self.gw.url + path})
        with self.opener.open(request, timeout=30) as answer:
            return answer.read().decode()

    def cookie(self, name):
        return next((cookie.value for cookie in self.jar if cookie.name == name), None)


def test_a_login_at_the_real_shop_counts_for_a_service_and_a_log_out_ends_it(stage, gateway, upstream, client, jose):
    shop = Shop(stage.folder, users=20, orders=20)
    stage.enter(shop, shop.finish)
    service = upstream()
    gw = gateway(text_of(shop, service, "cookie: sessionid, whoami: http://shop/api/v1/profile, subject: username",
                         more=", token: { issuer: https://gw.test, audience: services, claims: [ email ], jwks: /.well-known/jwks.json }",
                         cache="1s"))
    user = Browser(gw)
    page = user.get("/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    name = "alice"
    user.post("/login/", csrfmiddlewaretoken=token, username=name, password=PASSWORD)
    session = user.cookie("sessionid")
    assert session, "the login failed"
    answer = client.get(gw, "/service/x", f"Cookie: sessionid={session}", "X-User-Id: admin")
    assert answer.status == 200, answer.body
    seen = [pair for pair in service.requests[-1].headers if pair[0] in ("X-User-Id", "Authorization")]
    assert seen[0] == ("X-User-Id", name) and len(seen) == 2
    jwks = json.loads(client.get(gw, "/.well-known/jwks.json").body)
    checked = jose.ask("verify", token=seen[1][1].removeprefix("Bearer "), jwks=jwks,
                       options={"issuer": "https://gw.test", "audience": "services", "algorithms": ["ES256"]})
    assert checked["claims"]["sub"] == name and "@" in checked["claims"]["email"]
    assert checked["claims"]["exp"] - checked["claims"]["iat"] == 60
    assert client.get(gw, "/service/x", "Cookie: sessionid=made-up").status == 401
    assert client.get(gw, "/service/x").status == 401
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', user.get("/profile/"))[1]
    user.post("/logout/", csrfmiddlewaretoken=token)
    until(lambda: client.get(gw, "/service/x", f"Cookie: sessionid={session}").status == 401, "the log-out counts")


def test_flask_sessions_are_read_without_asking(stage, gateway, gunicorn, upstream, client):
    app, service = gunicorn("flasky:app"), upstream()
    gw = gateway(text_of(app, service, 'cookie: session, flask: { secret: "flask-secret" }'))
    user = Browser(gw)
    user.post("/login", user="7")
    session = user.cookie("session")
    answer = client.get(gw, "/service/x", f"Cookie: session={session}")
    assert answer.status == 200, answer.body
    assert dict(service.requests[-1].headers)["X-User-Id"] == "7"
    forged = session[:-2] + ("aa" if session[-2:] != "aa" else "bb")
    assert client.get(gw, "/service/x", f"Cookie: session={forged}").status == 401
    gw.reload(gw.text.replace("flask-secret", "another-secret"))
    assert client.get(gw, "/service/x", f"Cookie: session={session}").status == 401
    gw.reload(gw.text.replace('flask: { secret: "another-secret" }', "whoami: http://shop/whoami, subject: user.id"))
    assert client.get(gw, "/service/x", f"Cookie: session={session}").status == 200  # asked, at the real application


WHO = json.dumps({"id": 7, "email": "a@b.test", "roles": ["staff"]}).encode()


def test_the_monolith_is_asked_once_and_nobody_is_not_remembered(gateway, upstream, client):
    answers = {"a": reply(200, WHO, "Content-Type: application/json"), "b": reply(401, b"")}

    def monolith(request):
        return answers[dict(request.headers)["Cookie"].split("=")[1]]
    mono, service = upstream(answer=monolith), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who"))
    for _ in range(3):
        assert client.get(gw, "/service/x", "Cookie: a=1; sid=a; b=2").status == 200
    assert len(mono.requests) == 1
    assert dict(mono.requests[0].headers)["Cookie"] == "sid=a" and mono.requests[0].target == "/who"
    assert dict(service.requests[-1].headers)["X-User-Id"] == "7"
    assert client.get(gw, "/service/x", "Cookie: sid=b").status == 401
    answers["b"] = answers["a"]
    assert client.get(gw, "/service/x", "Cookie: sid=b").status == 200
    answer = client.get(gw, "/service/x", "Cookie: sid=a; sid=b")
    assert (answer.status, slug(answer)) == (401, "auth.twice")


def test_a_monolith_that_is_down_is_503_and_no_log_out(gateway, upstream, client):
    mono, service = upstream(answer=reply(500, b"")), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who"))
    answer = client.get(gw, "/service/x", "Cookie: sid=a")
    assert (answer.status, slug(answer)) == (503, "auth.unavailable")


def test_other_sites_do_not_change_things_with_a_session(gateway, upstream, client):
    mono, service = upstream(answer=reply(200, WHO, "Content-Type: application/json")), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who"))
    cookie = "Cookie: sid=a"
    rows = [
        ([], 200), (["Origin: http://shop.test"], 200), (["Sec-Fetch-Site: same-origin", "Origin: http://shop.test"], 200),
        (["Origin: https://evil.test"], 403), (["Origin: null"], 403), (["Sec-Fetch-Site: cross-site"], 403),
        (["Sec-Fetch-Site: same-site", "Origin: http://x.shop.test"], 403),
    ]
    for headers, status in rows:
        answer = client.post(gw, "/service/x", b"x", cookie, *headers)
        assert answer.status == status, headers
    assert client.get(gw, "/service/x", cookie, "Sec-Fetch-Site: cross-site").status == 200


def test_another_server_decides(gateway, upstream, client):
    def decide(request):
        seen.append(dict(request.headers))
        return {"good": reply(200, b"", "X-Auth-User: ann", "X-Auth-Groups: staff"),
                "bad": reply(401, b"", 'WWW-Authenticate: Custom realm="x"'), "no": reply(403, b""), "odd": reply(500, b"")}.get(
                    seen[-1].get("Authorization"), reply(302, b"", "Location: https://login.test/?next=/x", "Set-Cookie: state=1"))
    seen = []
    judge, service = upstream(answer=decide), upstream()
    gw = gateway(f'upstreams:\n  judge: {{ servers: [ "{judge.address}" ] }}\n  service: {{ servers: [ "{service.address}" ] }}\n'
                 "auth: { outer: { forward: { url: http://judge/check, claims: { X-Auth-User: sub, X-Auth-Groups: groups } }, "
                 "headers: { X-User-Id: sub }, allow: '\"staff\" in groups' } }\n"
                 "routes: [ { name: all, match: /**, to: service, auth: outer } ]\n")
    for _ in range(3):
        assert client.get(gw, "/x?q=1", "Authorization: good", "X-User-Id: root").status == 200
    assert len(seen) == 1
    assert (seen[0]["X-Forwarded-Method"], seen[0]["X-Forwarded-Uri"], seen[0]["X-Forwarded-Host"]) == ("GET", "/x?q=1", "shop.test")
    assert [v for k, v in service.requests[-1].headers if k == "X-User-Id"] == ["ann"]
    assert client.get(gw, "/other", "Authorization: good").status == 200 and len(seen) == 2
    answer = client.get(gw, "/x", "Authorization: bad")
    assert (answer.status, answer.headers.get("www-authenticate")) == (401, 'Custom realm="x"')
    assert client.get(gw, "/x", "Authorization: no").status == 403
    assert client.get(gw, "/x", "Authorization: odd").status == 503
    answer = client.get(gw, "/x")
    assert (answer.status, answer.headers.get("location"), answer.headers.get("set-cookie")) == \
        (302, "https://login.test/?next=/x", "state=1")
    assert len(service.requests) == 4


def at_once(count, ask):
    answers = []
    threads = [threading.Thread(target=lambda number=number: answers.append(ask(number))) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


class Judge:
    """Answers nobody before it is told to; every question is counted."""

    def __init__(self, answer):
        self.answer, self.asked, self.may = answer, 0, threading.Event()

    def __call__(self, request):
        self.asked += 1
        answer = self.answer
        assert self.may.wait(30)
        return answer


def waiting(gw, count):
    until(lambda: gw.metric("banyan_connections_active") >= count, f"{count} requests wait")


def test_parallel_first_requests_of_a_session_ask_once(gateway, upstream, client):
    judge = Judge(reply(200, WHO, "Content-Type: application/json"))
    mono, service = upstream(answer=judge), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who, timeout: 30s") + "threads: 2\n")
    threads, answers = at_once(12, lambda number: client.get(gw, f"/service/{number}", "Cookie: sid=a"))
    waiting(gw, 12)
    judge.may.set()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 12 and judge.asked == 1


def test_nobody_counts_only_for_who_came_before_the_question(gateway, upstream, client):
    judge = Judge(reply(401, b""))
    mono, service = upstream(answer=judge), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who, timeout: 30s") + "threads: 2\n")
    first, before = at_once(1, lambda number: client.get(gw, "/service/x", "Cookie: sid=a"))
    until(lambda: judge.asked == 1, "the first asks")
    judge.answer = reply(200, WHO, "Content-Type: application/json")
    threads, after = at_once(8, lambda number: client.get(gw, "/service/x", "Cookie: sid=a"))
    waiting(gw, 9)
    judge.may.set()
    for thread in first + threads:
        thread.join()
    assert [answer.status for answer in before] == [401]
    assert [answer.status for answer in after] == [200] * 8 and judge.asked == 2


def test_a_client_that_leaves_while_it_asks_for_others_takes_nothing_from_them(gateway, upstream, client):
    judge = Judge(reply(200, WHO, "Content-Type: application/json"))
    mono, service = upstream(answer=judge), upstream()
    gw = gateway(text_of(mono, service, "cookie: sid, whoami: http://shop/who, timeout: 30s") + "threads: 2\n")
    with Wire(gw.address) as wire:
        wire.send(http1.request("GET", "/service/x", "Cookie: sid=a"))
        until(lambda: judge.asked == 1, "the first asks")
        threads, answers = at_once(4, lambda number: client.get(gw, "/service/x", "Cookie: sid=a"))
        waiting(gw, 5)
        wire.reset()
    until(lambda: judge.asked == 2, "another asks in its place")
    judge.may.set()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * 4 and judge.asked == 2


def test_parallel_requests_ask_the_other_server_once_and_its_refusals_are_each_ones_own(gateway, upstream, client):
    judge = Judge(reply(200, b"", "X-Auth-User: ann"))
    mono, service = upstream(answer=judge), upstream()
    gw = gateway(f'upstreams:\n  judge: {{ servers: [ "{mono.address}" ] }}\n  service: {{ servers: [ "{service.address}" ] }}\n'
                 "auth: { outer: { forward: { url: http://judge/check, timeout: 30s } } }\n"
                 "routes: [ { name: all, match: /**, to: service, auth: outer } ]\nthreads: 2\n")
    for answer, status, asked in ((judge.answer, 200, 1), (reply(302, b"", "Location: /login", "Set-Cookie: state=1"), 302, 9)):
        judge.answer = answer
        judge.may.clear()
        threads, answers = at_once(8, lambda number: client.get(gw, "/x", f"Authorization: {status}"))
        waiting(gw, 8)
        judge.may.set()
        for thread in threads:
            thread.join()
        assert [answer.status for answer in answers] == [status] * 8 and judge.asked == asked
