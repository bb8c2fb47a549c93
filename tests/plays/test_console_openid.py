# SPDX-License-Identifier: Apache-2.0
"""The console's people come from elsewhere: our own user service in a real browser, and a provider that lies."""
import base64
import contextlib
import hashlib
import http.client
import json
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.browser import chromedriver
from actors.console import visit
from actors.gateway import BANYAN, everything_to
from actors.liar import Liar, unsigned
from actors.provider import PASSWORD, Provider
from actors.waiting import PATIENCE_S

TOKEN = "the-token-of-all-roles"
BACK, GONE = "http://127.0.0.1/console/openid/back", "http://127.0.0.1/console/"
OPENID = """
admin:
  address: "127.0.0.1:0"
  token: {token}
  openid:
    issuer: "{issuer}"
    client_id: console
    roles: {{ operate: [sre], approve: [lead], view: ["*", guest] }}
    {more}
"""


@pytest.fixture(scope="module")
def driver(long_stage):
    program = chromedriver(long_stage.folder)
    return long_stage.enter(program, lambda: (program.signal(15), program.wait(20)))


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def provider(stage):
    at = Provider(stage.folder)
    return stage.enter(at, at.finish)


@pytest.fixture
def liar(stage, jose):
    at = Liar(jose)
    return stage.enter(at, at.finish)


@pytest.fixture
def console(stage, driver, tmp_path):
    return lambda where: visit(stage, driver, tmp_path, where)


@pytest.fixture
def gw(gateway, shop):
    def start(at, more=""):
        return gateway(everything_to(shop, more=OPENID.format(token=TOKEN, issuer=at.issuer, more=more)), token=TOKEN)
    return start


def add_person(provider, name, *roles):
    words = [word for role in roles for word in ("--role", role)]
    subprocess.run([BANYAN, "user", "add", "--email", f"{name}@shop.test", "--verified", "--username", name, *words, "--password-stdin", "-c", provider.file],
                   input=PASSWORD, text=True, check=True, capture_output=True, timeout=60)


# Our own provider, a real browser

def enter_by_provider(page, name):
    page.open("/console/")
    page.click("#openid")
    page.wait("return document.getElementById('password')")
    page.find("#login").send_keys(name)
    page.find("#password").send_keys(PASSWORD)
    page.find("form button").click()


def agree(page):
    page.wait("return document.querySelector('button[value=yes]')")
    page.find("button[value=yes]").click()


@pytest.mark.parametrize("proof", ["none", "client_secret_basic"])
def test_a_person_comes_in_by_the_provider_works_and_leaves_both(gw, provider, console, proof):
    client = provider.client("console", "--name", "The Console", "--redirect", BACK, "--logout-redirect", GONE, "--auth", proof, "--scope", "openid profile email roles")
    add_person(provider, "ann", "sre")
    gate = gw(provider, "scopes: [openid, profile, roles]" + (f"\n    client_secret: {client['client_secret']}" if proof != "none" else ""))
    page = console(gate)
    page.open("/console/")
    page.shows("#openid", f"Log in at {provider.where}")
    assert page.axe() == []
    page.picture(f"openid-login-{proof}")
    enter_by_provider(page, "ann")
    agree(page)
    page.shows("h1", "Moves")
    page.shows(".who", "ann (operate)")
    assert page.script("return location.href") == f"http://{gate.admin}/console/#/", "the code is in nobody's address"
    assert page.script("return fetch('/config/reload', { method: 'POST', headers: { 'X-Banyan-Proof': localStorage['banyan.proof'] } }).then((a) => a.status)") == 200
    page.find("button.quiet:last-child").click()
    page.wait("return location.href === arguments[0]", f"http://{gate.admin}/console/")
    page.shows("h1", "Log in")
    page.click("#openid")
    page.wait("return document.getElementById('password')")  # logged out there too



def test_who_has_no_role_is_told_so_and_stays_outside(gw, provider, console):
    provider.client("console", "--redirect", BACK, "--auth", "none", "--trusted", "--scope", "openid profile email roles")
    add_person(provider, "bob", "gardener")
    gate = gw(provider, "scopes: [openid, profile, roles]")
    page = console(gate)
    enter_by_provider(page, "bob")
    page.shows("h1", "You may not come in")
    page.shows("#openid-wrong", "You are bob, and none of your roles at the provider opens this console")
    assert page.axe() == [] and page.script("return document.activeElement.tagName") == "H1"
    page.picture("openid-no-role")
    assert gate.metric("banyan_console_sessions") == 0


# A provider that lies, and a browser without a screen

class Visitor:
    """What the page does, by hand."""

    def __init__(self, gate):
        self.gate, self.cookie, self.proof = gate, "", ""

    def ask(self, path, method="GET", **headers):
        return self.gate.ask_admin(path, method, Authorization="", **headers)

    def begin(self):
        """Where to go, as what a browser would bring there."""
        status, headers, text = self.ask("/console/openid/begin", "POST")
        said = json.loads(text)
        assert status == 200, said
        self.cookie, self.proof, self.to = headers["Set-Cookie"].split(";")[0], said["proof"], said["to"]
        return parse_qs(urlsplit(said["to"]).query)

    def come_back(self, url):
        """By the provider's redirect: the text that the page takes from its address."""
        at = urlsplit(url)
        assert at.path == "/console/openid/back"
        status, headers, _ = self.ask(f"{at.path}?{at.query}")
        assert status == 303 and headers["Location"] == f"/console/#/openid?{at.query}"
        return at.query

    def end(self, said, **headers):
        with contextlib.closing(http.client.HTTPConnection(*self.gate.admin.rsplit(":", 1), timeout=PATIENCE_S)) as connection:
            connection.request("POST", "/console/openid/end", said, {"Cookie": self.cookie, "X-Banyan-Proof": self.proof, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())

    def enter(self, liar):
        return self.end(self.come_back(liar.leads_back(self.begin())))


def slug(answer):
    return answer[0], answer[2].get("type", "").split(":")[-1]


def test_a_person_in_order_gets_a_session_as_by_token(gw, liar):
    gate = gw(liar)
    visitor = Visitor(gate)
    asked = visitor.begin()
    assert visitor.to.startswith(f"{liar.issuer}/authorize?") and asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"http://{gate.admin}/console/openid/back"] and asked["scope"] == ["openid profile email"]
    status, headers, who = visitor.end(visitor.come_back(liar.leads_back(asked)))
    assert (status, who["name"], who["role"], who["changes"]) == (200, "eve", "operate", True)
    cookies = headers.get_all("Set-Cookie")
    assert len(cookies) == 2 and "Max-Age=0" in cookies[1] and {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookies[0].split("; "))
    by = {"Cookie": cookies[0].split(";")[0], "X-Banyan-Proof": who["proof"]}
    assert visitor.ask("/config/reload", "POST", **by)[0] == 200 and visitor.ask("/drain", "POST", Cookie=by["Cookie"])[0] == 403
    (_, form), = liar.asked_at("/token")
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == liar.challenge
    assert form["client_id"] == ["console"] and form["redirect_uri"] == asked["redirect_uri"] and form["code"] == ["a-code"]
    gone = json.loads(visitor.ask("/console/logout", "POST", **by)[2])["to"]
    query = parse_qs(urlsplit(gone).query)
    assert gone.startswith(f"{liar.issuer}/leave?") and query["post_logout_redirect_uri"] == [f"http://{gate.admin}/console/"] and query["id_token_hint"]
    assert visitor.ask("/metrics", **by)[0] == 401


LIES = [
    ({"nonce": "another"}, {}, "openid.nonce"), ({"nonce": None}, {}, "openid.nonce"),
    ({"iss": "http://127.0.0.1:1"}, {}, "openid.token"), ({"aud": "another"}, {}, "openid.token"),
    ({"aud": ["console", "another"]}, {}, "openid.token"), ({"aud": ["console", "another"], "azp": "another"}, {}, "openid.token"),
    ({"exp": 1000000000}, {}, "openid.token"), ({"exp": None}, {}, "openid.token"), ({"sub": None}, {}, "openid.token"), ({"iat": None}, {}, "openid.token"),
    ({"roles": []}, {}, "openid.role"), ({"roles": ["SRE", "view"]}, {}, "openid.role"), ({"roles": {"sre": True}}, {}, "openid.role"),
    ({"preferred_username": "admin"}, {}, "openid.name"), ({"preferred_username": "x" * 65}, {}, "openid.name"),
    ({"preferred_username": "a\nb"}, {}, "openid.name"), ({"preferred_username": 7}, {}, "openid.name"),
    ({}, {"token": unsigned}, "openid.token"), ({}, {"token": lambda _: "nonsense"}, "openid.token"), ({}, {"token": lambda _: ""}, "openid.token"),
    ({}, {"back": {"iss": "http://127.0.0.1:1"}}, "openid.issuer"), ({}, {"back": {"iss": None}}, "openid.issuer"),
    ({}, {"back": {"state": "another"}}, "openid.state"), ({}, {"back": {"state": None}}, "openid.state"),
    ({}, {"back": {"code": None, "error": "access_denied", "error_description": "no, \"you\""}}, "openid.refused"),
    ({}, {"tokens": {"status": 400, "error": "invalid_grant"}}, "openid.refused"),
    ({"roles": None}, {"info": {"sub": "another", "roles": ["sre"]}}, "openid.token")]


def test_a_provider_that_lies_lets_nobody_in(gw, liar):
    gate = gw(liar)
    for claims, more, wanted in LIES:
        liar.claims = claims
        liar.back, liar.tokens, liar.info, liar.token = (more.get(key) or {} for key in ("back", "tokens", "info", "token"))
        answer = Visitor(gate).enter(liar)
        assert slug(answer) == (403, wanted), (claims, more, answer[2])
        assert "Set-Cookie" not in answer[1]
    liar.claims, liar.back, liar.tokens, liar.info, liar.token = {}, {}, {}, {}, None
    assert Visitor(gate).enter(liar)[0] == 200 and gate.metric("banyan_console_sessions") == 1
    for what in ("invalid_grant", "access_denied"):
        assert what not in gate.stderr


def test_what_a_browser_brings_back_is_good_for_that_browser_alone(gw, liar):
    gate = gw(liar)
    ann, eve = Visitor(gate), Visitor(gate)
    asked = ann.begin()
    said = ann.come_back(liar.leads_back(asked))
    eve.come_back(liar.leads_back(eve.begin()))
    assert slug(eve.end(said)) == (403, "openid.state")
    eve.cookie = ann.cookie  # planted by another port of this host; the proof is not
    assert slug(eve.end(said)) == (403, "openid.stale")
    for cookie in ("", "banyan_console_1_openid=x", ann.cookie[:-2] + "AA"):
        eve.cookie, eve.proof = cookie, ann.proof
        assert slug(eve.end(said)) == (403, "openid.stale")
    assert slug(ann.end(said + "&state=x")) == (400, "openid.query")
    assert slug(ann.end(said, Origin="http://evil.test")) == (403, "admin.origin")
    assert slug(ann.end(said, Host="evil.test")) == (421, "admin.host")
    assert slug(ann.end("x" * 9000)) == (413, "openid.query")
    liar.leads_back(asked)  # it remembers one nonce
    assert ann.end(said)[0] == 200


def test_new_keys_are_asked_for_and_strangers_are_not_believed(gw, liar, jose):
    gate = gw(liar)
    assert Visitor(gate).enter(liar)[0] == 200 and liar.paths().count("/keys") == 1
    assert Visitor(gate).enter(liar)[0] == 200 and liar.paths().count("/keys") == 1, "they are kept"
    jose.key("ES256", "two")
    liar.kid = "two"
    assert slug(Visitor(gate).enter(liar)) == (403, "openid.token")


def test_a_provider_that_is_wrong_about_itself_or_gone_is_said(gw, liar):
    gate = gw(liar)
    liar.metadata = {"issuer": "http://127.0.0.1:1"}
    status, _, text = Visitor(gate).ask("/console/openid/begin", "POST")
    assert status == 502 and "the provider calls itself" in json.loads(text)["detail"]
    status, _, text = Visitor(gate).ask("/console/openid/begin", "POST")
    assert status == 502 and liar.paths().count("/.well-known/openid-configuration") <= 2


def test_over_tls_the_provider_is_who_it_says_and_leads_nowhere_else(stage, gw, jose, certificates):
    liar = Liar(jose, certificates.serve())
    stage.enter(liar, liar.finish)
    assert Visitor(gw(liar, f'ca: "{certificates.ca}"')).enter(liar)[0] == 200
    stranger = gw(liar)  # the system's authorities do not know it
    status, _, text = Visitor(stranger).ask("/console/openid/begin", "POST")
    assert status == 502 and "certificate" in json.loads(text)["detail"] and stranger.metric("banyan_console_sessions") == 0
    liar.metadata = {"token_endpoint": liar.issuer.replace("https:", "http:") + "/token"}
    answer = Visitor(gw(liar, f'ca: "{certificates.ca}"')).enter(liar)
    assert slug(answer) == (502, "openid.provider") and "without TLS" in answer[2]["detail"]


def test_a_secret_goes_where_the_provider_wants_it(gw, liar):
    gate = gw(liar, "client_secret: \"a:b c%\"\n    name: sub\n    claim: realm.roles")
    liar.claims = {"realm": {"roles": "lead"}, "roles": None}
    status, _, who = Visitor(gate).enter(liar)
    assert (status, who["name"], who["role"]) == (200, "u1", "approve")
    (headers, form), = liar.asked_at("/token")
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"console:a:b%20c%25" and "client_id" not in form


def test_a_secret_goes_into_the_form_where_nothing_else_is_taken(gw, liar):
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]}
    assert Visitor(gw(liar, "client_secret: a-secret")).enter(liar)[0] == 200
    (headers, form), = liar.asked_at("/token")
    assert "Authorization" not in headers and (form["client_id"], form["client_secret"]) == (["console"], ["a-secret"])


def test_what_the_token_does_not_say_is_asked_for(gw, liar):
    gate = gw(liar)
    liar.claims, liar.info = {"roles": None}, {"sub": "u1", "roles": ["guest"]}
    status, _, who = Visitor(gate).enter(liar)
    assert (status, who["role"]) == (200, "view") and liar.asked_at("/info")[0][0]["Authorization"] == "Bearer an-access-token"


def test_without_it_there_is_no_button_and_no_way(gateway, shop):
    gate = gateway(everything_to(shop, more=f'admin: {{ address: "127.0.0.1:0", token: {TOKEN} }}'), token=TOKEN)
    assert json.loads(gate.ask_admin("/console/openid", Authorization="")[2]) == {}
    for method, path in (("POST", "begin"), ("GET", "back?code=x"), ("POST", "end")):
        assert gate.ask_admin(f"/console/openid/{path}", method, Authorization="")[0] == 404
