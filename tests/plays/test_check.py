# SPDX-License-Identifier: Apache-2.0
"""`banyan check`: every mistake at once, each with its place and what was probably meant."""
import json
import re
import textwrap

import pytest

from actors.certificates import openssl
from actors.gateway import run_banyan

GOOD = """
    listen: [ "127.0.0.1:8080" ]
    upstreams:
      shop: { servers: [ "127.0.0.1:8000" ] }
    routes:
      - { name: all, match: { path: /** }, to: shop }
"""
MISTAKES = [
    ("a key that is unknown", "balance: hash", "balanse: hash", 5, "balance"),
    ("a value that is unknown", "least_request", "least_reqest", 5, "least_request"),
    ("an upstream that is unknown", "to: shop", "to: shpo", 8, "shop"),
    ("an address without a port", "127.0.0.1:8000", "127.0.0.1", 4, "port"),
    ("a duration that is none", "interval: 2s", "interval: 2 moons", 6, "moons"),
    ("a number beyond its range", "weight: 2", "weight: 2000", 4, "256"),
    ("a path that does not begin with a slash", "path: /api/**", "path: api/**", 8, "/"),
]
WHOLE = """listen: [ "127.0.0.1:8080" ]
upstreams:
  shop:
    servers: [ { address: "127.0.0.1:8000", weight: 2 } ]
    balance: least_request
    health: { path: /h, interval: 2s }
routes:
  - { name: api, match: { path: /api/** }, to: shop }
"""


@pytest.fixture
def check(tmp_path):
    def run(text, *words):
        (tmp_path / "banyan.yaml").write_text(textwrap.dedent(text))
        return run_banyan("check", *words, "-c", "banyan.yaml", cwd=tmp_path)
    return run


def test_a_good_file_is_in_order(check):
    code, out, err = check(GOOD)
    assert (code, err) == (0, "") and "1 upstream" in out
    assert check(WHOLE)[0] == 0


@pytest.mark.parametrize("name, right, wrong, line, word", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_a_hint(check, name, right, wrong, line, word):
    text = WHOLE.replace("balance: least_request", "balance: hash") if right == "balance: hash" else WHOLE
    assert right in text
    code, out, err = check(text.replace(right, wrong))
    assert code == 2
    found = re.search(rf"^banyan\.yaml:{line}:(\d+): (.*)$", out + err, re.M)
    assert found and word in found[2], out + err
    column = int(found[1])
    assert 1 <= column <= len(text.splitlines()[line - 1]) + 10


def test_all_mistakes_are_told_at_once(check):
    text = WHOLE
    for _, right, wrong, _, _ in MISTAKES:
        text = text.replace(right, wrong)
    text = text.replace("balance: least_reqest", "balanse: hash")
    code, out, err = check(text)
    assert code == 2
    lines = re.findall(r"^banyan\.yaml:(\d+):\d+: ", out, re.M)
    assert len(lines) >= 6 and [int(line) for line in lines] == sorted(int(line) for line in lines), out + err


def test_yaml_that_is_broken_is_told_with_its_place(check):
    code, out, err = check("listen: [ 1\nroutes: {")
    assert code == 2 and re.search(r"banyan\.yaml:\d+:\d+: ", out + err), out + err


def test_a_key_given_twice_is_a_mistake(check):
    code, out, _ = check(GOOD + "    listen: [ \"127.0.0.1:8081\" ]\n")
    assert code == 2 and "banyan.yaml:7:" in out and "listen" in out


def test_what_must_be_there_is_missed(check):
    code, out, err = check("upstreams: { shop: { servers: [ '127.0.0.1:1' ] } }\n")
    assert code == 2 and "listen" in out + err and "routes" in out + err


def test_a_route_that_can_never_be_taken_is_a_warning_or_a_mistake(check):
    text = GOOD + "      - { name: never, match: { path: /** }, to: shop }\n"
    code, out, err = check(text)
    assert "never" in out + err and code in (0, 2)


def test_a_certificate_that_is_not_there_is_a_mistake(check):
    code, out, err = check(GOOD.replace('[ "127.0.0.1:8080" ]', '[ { address: "127.0.0.1:8080", tls: { certificate: no.pem, key: no.pem } } ]'))
    assert code == 2 and "no.pem" in out + err and "banyan.yaml:2:" in out + err


def test_a_file_that_is_not_there_is_said(tmp_path):
    code, out, err = run_banyan("check", "-c", tmp_path / "none.yaml")
    assert code not in (0, 2) and "none.yaml" in out + err or code == 5


def test_json_has_the_same(check):
    code, out, _ = check(WHOLE.replace("to: shop", "to: shpo"), "--json")
    told = json.loads(out)
    assert code == 2 and told["ok"] is False
    assert told["mistakes"][0]["line"] == 8 and told["mistakes"][0]["column"] > 1 and "shop" in told["mistakes"][0]["text"]
    code, out, _ = check(WHOLE, "--json")
    told = json.loads(out)
    assert code == 0 and told["ok"] is True and told["mistakes"] == []


def test_the_file_may_be_named_without_an_option(tmp_path):
    (tmp_path / "banyan.yaml").write_text(textwrap.dedent(GOOD))
    assert run_banyan("check", "banyan.yaml", cwd=tmp_path)[0] == 0


def test_serve_with_a_bad_file_says_the_same_and_ends(tmp_path):
    (tmp_path / "banyan.yaml").write_text(WHOLE.replace("to: shop", "to: shpo"))
    code, out, err = run_banyan("serve", "-c", "banyan.yaml", cwd=tmp_path)
    assert code == 2 and "banyan.yaml:8:" in err and "ready" not in out


@pytest.mark.parametrize("text", ["listen: {taken}\nadmin: off\n", "listen: 127.0.0.1:0\nadmin: {taken}\n"], ids=["listen", "admin"])
def test_serve_on_an_address_that_is_taken_says_so_and_ends(tmp_path, upstream, text):
    up = upstream()
    (tmp_path / "banyan.yaml").write_text(text.format(taken=up.address) + "routes: [ { name: all, answer: hi } ]\n")
    code, out, err = run_banyan("serve", "-c", "banyan.yaml", cwd=tmp_path)
    last = err.splitlines()[-1]
    assert code == 7 and f"somebody listens on {up.address} already" in last and "ready" not in out


# Twenty slips of an afternoon, each with the place and the words that put it right.
TWENTY = """\
listen:
  - { adress: "127.0.0.1:8080" }
  - "127.0.0.1:80800"
  - "www.example.org:443"
limits:
  head: 32kb
  boddy: 10MiB
  head_time: 10
thread: 4
upstreams:
  shop:
    servers: [ "127.0.0.1:8000", "127.0.0.1:8000", "http://127.0.0.1:8001" ]
    balance: roundrobin
    retry: { on: [ conect ], budget: 120% }
    health: { path: healthz }
    balance: hash
routes:
  - { name: one, to: shpo }
  - { name: one, match: /x, to: shop }
  - { name: both, match: /y, to: shop, redirect: /z }
  - { name: open, match: "~ ^/(unclosed", to: shop }
  - { name: part, match: "/u/{id}", redirect: "/v/{idd}" }
  - { name: files, match: /f/**, files: no-such-folder }
trusted_proxies: 10.0.0.0/33
admin: 0.0.0.0:8081
limits: { line: 4KiB }
"""
THEIR_PLACES = [
    (2, 7, 'no key "adress": did you mean address?'), (3, 5, "a port is at most 65535"), (4, 5, "not a name"), (6, 9, "write KiB"),
    (7, 3, "did you mean body?"), (8, 14, "has no unit"), (9, 1, "did you mean threads?"), (12, 34, "is a server of shop already"),
    (12, 52, "no http://"), (13, 14, "did you mean round_robin?"), (14, 20, "did you mean connect?"), (14, 38, "within 0% and 100%"),
    (15, 21, 'must begin with "/"'), (16, 5, '"balance" is there already, in line 13'), (18, 22, "did you mean shop?"),
    (19, 13, "taken already, in line 18"), (20, 13, "exactly one of"), (21, 26, "parenthesis"), (22, 47, "did you mean {id}?"),
    (23, 41, "No such file"), (24, 18, "0 to 32"), (25, 8, "a token is needed"), (26, 1, '"limits" is there already, in line 5'),
]


def test_twenty_different_mistakes_are_told_in_one_run_each_at_its_place(tmp_path):
    (tmp_path / "banyan.yaml").write_text(TWENTY)
    code, out, err = run_banyan("check", "banyan.yaml", cwd=tmp_path)
    told = [(int(line), int(column), text) for line, column, text in re.findall(r"^banyan\.yaml:(\d+):(\d+): (.*)$", out, re.M)]
    assert code == 2 and len(told) == len(out.splitlines())
    missing = [row for row in THEIR_PLACES if not any(row[:2] == one[:2] and row[2] in one[2] for one in told)]
    assert not missing, out
    assert f"has {len(told)} mistakes" in err
    code, _, said = run_banyan("serve", "-c", "banyan.yaml", cwd=tmp_path)
    assert code == 2 and said.count("banyan.yaml:") == len(told) + 1


def test_what_the_start_would_refuse_the_check_refuses(tmp_path, certificates):
    pem, key, other = certificates.certificate(), certificates.key(), certificates.key("other")
    (tmp_path / "empty.pem").write_text("")
    cases = [
        (f"listen: {{ address: '127.0.0.1:0', tls: {{ certificate: {pem}, key: {other} }} }}", "does not belong to certificate"),
        (f"listen: {{ address: '127.0.0.1:0', tls: {{ certificate: {key}, key: {key} }} }}", "cannot be used"),
        (f"listen: {{ address: '127.0.0.1:0', tls: {{ certificate: empty.pem, key: {key} }} }}", "nothing of the kind"),
        ("listen: '127.0.0.1:0'\nupstreams: { a: { servers: 'h:1', tls: { ca: empty.pem } } }", "CA file"),
        (f"listen: '127.0.0.1:0'\nupstreams: {{ a: {{ servers: 'h:1', tls: {{ certificate: {pem}, key: {other} }} }} }}", "does not belong"),
    ]
    for text, words in cases:
        (tmp_path / "banyan.yaml").write_text(text + "\nadmin: off\nroutes: [ { name: all, answer: hi } ]\n")
        code, out, _ = run_banyan("check", "banyan.yaml", cwd=tmp_path)
        assert code == 2 and words in out and re.match(r"banyan\.yaml:\d+:\d+: ", out), (text, out)
        assert run_banyan("serve", "-c", "banyan.yaml", cwd=tmp_path)[0] == 2


def test_an_unknown_command_is_answered_with_the_nearest(tmp_path):
    code, out, err = run_banyan("chek", cwd=tmp_path)
    assert code == 2 and "check" in out + err


def test_a_certificate_that_ends_is_a_warning(tmp_path):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=short",
            "-keyout", tmp_path / "key.pem", "-out", tmp_path / "short.pem")
    (tmp_path / "banyan.yaml").write_text("listen: { address: '127.0.0.1:0', tls: { certificate: short.pem, key: key.pem } }\n"
                                          "access_log: ./no/such/access.log\nroutes: [ { name: all, answer: hi } ]\n")
    code, out, _ = run_banyan("check", "banyan.yaml", cwd=tmp_path)
    assert code == 0 and re.search(r"^banyan.yaml:1:\d+: certificate: it ends in [12] days \(a warning\)$", out, re.M)
    assert re.search(r"^banyan.yaml:2:13: to: ./no/such: No such file or directory \(a warning\)$", out, re.M)


def test_a_policy_that_takes_tokens_made_for_others_is_a_warning(check):
    def policy(more):
        return ('listen: "127.0.0.1:0"\nupstreams: { shop: { servers: "127.0.0.1:1" } }\n'
                f'auth: {{ api: {{ jwt: {{ secret: "{"s" * 32}"{more} }} }} }}\n'
                "routes: [ { name: all, to: shop, auth: api } ]\n")
    for more, missing in (("", "issuer and audience"), (", issuer: x", "audience"), (", audience: x", "issuer")):
        code, out, _ = check(policy(more))
        assert code == 0 and f"policy api: jwt: without {missing} a token" in out, out
    assert "jwt: without" not in check(policy(", issuer: x, audience: x"))[1]
