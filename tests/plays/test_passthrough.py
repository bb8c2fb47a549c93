# SPDX-License-Identifier: Apache-2.0
"""`banyan serve --passthrough`: the way out of any trouble."""
import signal

import pytest

from actors.gateway import everything_to, run_banyan
from actors.http1 import chunk, reply, request
from actors.waiting import until
from actors.websocket import HANDSHAKE, SWITCH

# Everything in it would refuse, change or divert the requests of the plays.
HARSH = """
upstreams:
  shop: {{ servers: [ {{ address: "{0}", max_connections: 1 }} ], queue: 0, health: {{ path: /nothing, interval: 100ms, timeout: 50ms, fall: 1 }} }}
  other: {{ servers: [ "127.0.0.1:1" ] }}
routes:
  - {{ name: moved, match: {{ path: /moved }}, redirect: /elsewhere }}
  - {{ name: said, match: {{ path: /said }}, answer: "no" }}
  - {{ name: api, match: {{ path: /api/** }}, to: other }}
  - {{ name: only, match: {{ path: /only/**, methods: GET }}, to: shop, strip_prefix: /only,
      request_headers: {{ set: {{ X-Changed: "yes" }} }}, response_headers: {{ set: {{ X-Changed: "yes" }} }} }}
maintenance: on
limits: {{ body: 10, connections: 2, connections_per_address: 2, head: 1KiB, line: 512, headers: 10 }}
drain: {{ timeout: 3s, idle: 100ms }}
"""


@pytest.fixture
def shop(upstream):
    return upstream(answer=lambda asked: reply(200, b"shop"))


@pytest.fixture(params=["an upstream of the file", "an address and the file", "an address alone"])
def gw(request, gateway, shop):
    if request.param == "an address alone":
        return gateway(None, words=["--passthrough", shop.address, "--listen", "127.0.0.1:0"])
    name = "shop" if request.param.startswith("an upstream") else shop.address
    return gateway(HARSH.format(shop.address), words=["--passthrough", name])


TARGETS = ["/", "/moved", "/said", "/api/x", "/only/x", "/a/../b", "/a//b", "/%2e%2e/x", "/a%2Fb", "/a%5cb", "/..;x/admin", "/%c0%af",
           "/x?y=/../z", "/.", "//evil.test/x", "/%zz", "/" + "a" * 5000]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[:20])
def test_targets_go_through_as_they_came(gw, shop, client, target):
    assert client.get(gw, target).text == "shop"
    assert shop.requests[0].target == target


def test_any_method_body_and_header_goes_through(gw, shop, client):
    for method in ("POST", "DELETE", "PROPFIND", "PATCH"):
        assert client.ask(gw, method, "/only/x", "X-Long: " + "y" * 20000, *[f"X-{number}: z" for number in range(150)], body=b"x" * 100000).status == 200
    for asked in shop.requests:
        assert len(asked.body) == 100000 and asked.headers.get("x-149") == "z" and asked.headers.get("x-changed") is None
        assert asked.headers.get("host") == "shop.test"


def test_who_asks_is_told_as_ever(gw, shop, client):
    """The monolith has come to rely on it; and a client's own claims are still not believed."""
    client.get(gw, "/", "X-Forwarded-For: 198.51.100.1")
    asked = shop.requests[0].headers
    assert asked.get("x-forwarded-for") == "127.0.0.1" and asked.get("x-forwarded-proto") == "http" and asked.get("x-request-id")


def test_nobody_says_who_he_is_by_himself(gateway, shop, client):
    """Servers have come to take the gateway's word on it, and there is nobody to give it."""
    policies = ("auth: { a: { certificate: on, headers: { X-User-Id: sub } }, b: { certificate: on, token: { issuer: x, header: X-Token } } }\n"
                "routes: [ { name: all, to: shop, auth: a } ]\n")
    gw = gateway(f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n' + policies, words=["--passthrough", "shop"])
    assert client.get(gw, "/", "X-User-Id: admin", "x-token: made-up", "X-Other: 1").status == 200
    names = {name.lower() for name, _ in shop.requests[0].headers}
    assert "x-other" in names and not names & {"x-user-id", "x-token"}


TOLD = [("forwarded: rfc7239\ntrace: off", {"forwarded"}, "as it came"), ("forwarded: both\ntrace: { trust: always }", {"forwarded", "x-forwarded-for"}, "goes on"),
        ("forwarded: x_forwarded", {"x-forwarded-for"}, "anew")]


@pytest.mark.parametrize("keys, names, trace", TOLD, ids=[row[2] for row in TOLD])
def test_servers_are_told_in_the_form_of_the_file(gateway, shop, client, keys, names, trace):
    """Of clients and of traces: nothing that they have come to rely on is different in an emergency."""
    theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for words in ([], ["--passthrough", "shop"]):
        gw = gateway(everything_to(shop, more=keys), words=words)
        client.get(gw, "/", f"traceparent: {theirs}")
        headers = shop.requests[-1].headers
        assert {name for name in ("forwarded", "x-forwarded-for") if headers.get(name)} == names, words
        got = headers.get("traceparent")
        assert (got == theirs, got[3:35] == theirs[3:35]) == {"as it came": (True, True), "goes on": (False, True), "anew": (False, False)}[trace], words


def test_many_at_the_same_time(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(HARSH.format(slow.address), words=["--passthrough", "shop"])
    wires = [client.connect(gw).send(request()) for _ in range(50)]
    slow.wait_requests(50)
    slow.release()
    assert {wire.answer().status for wire in wires} == {200}


def test_what_http_forbids_is_still_refused(gw, shop, client):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n"):
        assert client.raw(gw, data).status == 400
    assert shop.requests == []


def test_bodies_stream_both_ways(gateway, upstream, client):
    def talk(connection):
        asked = connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"first"))
        connection.body(asked)
        connection.send(b"0\r\n\r\n")

    gw = gateway(None, words=["--passthrough", upstream(script=talk).address, "--listen", "127.0.0.1:0"])
    wire = client.connect(gw).send(b"POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"hello"))
    assert wire.head().status == 200
    assert wire.reader.take(10) == chunk(b"first")
    wire.send(b"0\r\n\r\n")
    assert wire.reader.take(5) == b"0\r\n\r\n"


def test_websockets_go_through(gateway, upstream, client):
    def talk(connection):
        connection.head()
        connection.send(SWITCH + b"x")
        connection.send(connection.reader.take(4))

    gw = gateway(None, words=["--passthrough", upstream(script=talk).address, "--listen", "127.0.0.1:0"])
    wire = client.connect(gw).send(HANDSHAKE)
    assert wire.head().status == 101 and wire.reader.take(1) == b"x"
    wire.send(b"echo")
    assert wire.reader.take(4) == b"echo"


def test_a_server_that_is_not_there_is_told(gateway, client):
    gw = gateway(None, words=["--passthrough", "127.0.0.1:1", "--listen", "127.0.0.1:0"])
    answer = client.get(gw)
    assert answer.status == 502 and answer.slug == "upstream.refused"


def test_tls_and_the_admin_port_stay_as_the_file_has_them(gateway, shop, client, certificates):
    gw = gateway(everything_to("127.0.0.1:1", more=f'listen: [ {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]'),
                 words=["--passthrough", shop.address])
    wire = client.connect(gw.tls_address, tls=certificates.trust(), sni="shop.test")
    assert wire.ask(request()).text == "shop"
    gw.wait_metric("banyan_requests_total", 1, route="passthrough")
    assert gw.record()["route"] == "passthrough"


def test_it_takes_over_from_a_gateway_in_trouble_and_gives_back(gateway, shop, client):
    trouble = gateway(HARSH.format(shop.address))
    assert client.get(trouble, "/only/x").status == 503
    out = gateway(None, after=trouble, words=["--takeover", "--passthrough", "shop"])
    assert trouble.program.wait(10) == 0
    assert client.get(out).text == "shop" and out.address == trouble.address
    back = gateway(everything_to(shop), after=out, words=["--takeover"])
    assert out.program.wait(10) == 0
    assert client.get(back).text == "shop"
    assert client.get(back, "/a%2Fb").status == 400
    trouble.stop()
    out.stop()


def test_a_reload_keeps_it(gateway, shop, client):
    gw = gateway(HARSH.format(shop.address), words=["--passthrough", "shop"])
    gw.hup()
    assert client.get(gw, "/a/../b").text == "shop"
    gw.write("routes: [")
    gw.hup(good=False)
    assert client.get(gw, "/a/../b").text == "shop"


def test_without_a_file_sighup_changes_nothing(gateway, shop, client):
    gw = gateway(None, words=["--passthrough", shop.address, "--listen", "127.0.0.1:0"])
    gw.program.signal(signal.SIGHUP)
    until(lambda: "reloaded" in gw.stderr, "it was looked at")
    assert client.get(gw, "//x").text == "shop"


@pytest.mark.parametrize("words, said", [
    (["--passthrough", "nonsense"], "there is no upstream"),
    (["-c", "FILE", "--passthrough", "shop2"], "there is no upstream"),
    (["-c", "FILE", "--listen", ":1"], "--listen is for --passthrough"),
    (["-c", "FILE", "--passthrough", "shop", "--listen", ":1"], "--listen is for --passthrough"),
    (["--passthrough", "127.0.0.1:1", "--listen", "nonsense"], "--passthrough has 1 mistake"),
], ids=lambda words: " ".join(words) if isinstance(words, list) else "")
def test_words_that_do_not_go_together(tmp_path, words, said):
    (tmp_path / "banyan.yaml").write_text(everything_to("127.0.0.1:1", more='listen: [ "127.0.0.1:0" ]\nadmin: off'))
    code, _, errors = run_banyan("serve", *[str(tmp_path / "banyan.yaml") if word == "FILE" else word for word in words])
    assert code == 2 and said in errors, errors
