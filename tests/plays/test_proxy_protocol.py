# SPDX-License-Identifier: Apache-2.0
"""PROXY headers before everything else on a connection: who the client is, as a balancer in front of the gateway says it."""
import json
import socket
import struct
import subprocess
import threading

import pytest

from actors import servers
from actors.client import Wire
from actors.gateway import everything_to
from actors.h2wire import H2Wire, get
from actors.http1 import Closed, request
from actors.waiting import until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n"


def v2(client="192.0.2.7", port=4711, command=1, tail=b""):
    """A header of version 2 that names an IPv4 or IPv6 client."""
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    server = "::1" if ":" in client else "10.0.0.1"
    block = socket.inet_pton(family, client) + socket.inet_pton(family, server) + struct.pack("!HH", port, 80) + tail
    return SIGNATURE + bytes([0x20 | command, 0x21 if ":" in client else 0x11]) + struct.pack("!H", len(block)) + block


def listening(more="", trusted="127.0.0.1", words=""):
    return (f'listen: [ {{ address: "127.0.0.1:0", proxy_protocol: on{words} }} ]\n'
            f'trusted_proxies: [ "{trusted}" ]\n{more}')


@pytest.fixture
def shop(upstream):
    return upstream()


@pytest.fixture
def gw(gateway, shop):
    return gateway(everything_to(shop, more=listening()))


CASES = {
    "v1": (V1, "192.0.2.7"),
    "v1-ipv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n", "2001:db8::7"),
    "v1-mapped": (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 4711 80\r\n", "192.0.2.7"),
    "v1-unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2": (v2(), "192.0.2.7"),
    "v2-ipv6": (v2("2001:db8::7"), "2001:db8::7"),
    "v2-extensions": (v2(tail=b"\x01\x00\x02h2" + b"\x04" + struct.pack("!H", 300) + bytes(300)), "192.0.2.7"),
    "v2-local": (v2(command=0), "127.0.0.1"),
    "v2-local-empty": (SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1"),
}


@pytest.mark.parametrize("header, client_ip", CASES.values(), ids=CASES)
def test_the_client_is_whom_the_header_names(gw, shop, client, header, client_ip):
    wire = client.connect(gw).send(header)
    for _ in range(2):
        assert wire.ask(request()).status == 200
    assert {asked.headers.get("x-forwarded-for") for asked in shop.requests} == {client_ip}
    assert {record["client"] for record in gw.records(2)} == {client_ip}


def test_a_unix_client_has_no_address(gw, client):
    header = SIGNATURE + b"\x21\x31\x00\xd8" + b"/run/shop.sock".ljust(216, b"\0")
    assert client.connect(gw).send(header).ask(request()).status == 200
    assert gw.records(1)


def test_the_header_may_come_in_pieces_and_with_the_request(gw, client):
    for header in (V1, v2()):
        assert client.connect(gw).send_split(header + request()).answer().status == 200
        assert client.connect(gw).send(header + request()).answer().status == 200


@pytest.mark.parametrize("header", [
    b"", b"PROXY TCP4 192.0.2.7 10.0.0.1 4711\r\n", b"PROXY TCP4 nonsense\r\n", b"PROXY UDP4 192.0.2.7 10.0.0.1 4711 80\r\n",
    V1.replace(b"\r\n", b"\n"), b"PROXY " + b"x" * 200, SIGNATURE + b"\x21\x12\x00\x0c" + bytes(12), SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\x00\x04" + bytes(4), SIGNATURE + b"\x21\x11\xff\xff",
], ids=["none", "short", "words", "udp", "lf", "long", "datagram", "version", "no-room", "huge"])
def test_what_is_no_header_is_cut_and_counted(gw, shop, client, header):
    wire = client.connect(gw).send(header + request())
    assert wire.is_closed()
    gw.wait_metric("banyan_proxy_headers_refused_total", 1)
    assert shop.requests == []


def test_a_header_that_does_not_come_whole_is_waited_for_in_vain(gateway, shop, client):
    gw = gateway(everything_to(shop, more=listening("limits: { head_time: 300ms }")))
    wires = [client.connect(gw).send(part) for part in (b"", V1[:20], v2()[:20])]
    assert all(wire.is_closed() for wire in wires)
    assert gw.metric("banyan_fibers", loop="0") + gw.metric("banyan_fibers", loop="1") < 20


def test_only_trusted_proxies_may_connect(gateway, shop, client):
    gw = gateway(everything_to(shop, more=listening(trusted="10.0.0.0/8")))
    wire = client.connect(gw)
    try:
        wire.send(V1, request())
        assert wire.is_closed()
    except OSError:
        pass
    gw.wait_metric("banyan_proxy_headers_refused_total", 1)
    assert shop.requests == []


def test_it_comes_before_tls(gateway, shop, client, certificates):
    gw = gateway(everything_to(shop, more=listening(words=f", tls: {certificates.yaml()}")))
    for header in (V1, v2()):
        with socket.create_connection(tuple_of(gw.tls_address), 10) as sock:
            sock.sendall(header)
            with certificates.trust().wrap_socket(sock, server_hostname="shop.test") as secure:
                secure.sendall(request())
                assert secure.recv(1000).startswith(b"HTTP/1.1 200")
    assert {record["client"] for record in gw.records(2)} == {"192.0.2.7"}


def tuple_of(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def test_http2_after_it(gateway, shop):
    gw = gateway(everything_to(shop, more=listening(words=", h2c: on")))
    wire = h2_behind(gw, v2())
    assert wire.answer(wire.request(get("/"))).status == 200
    wire.close()
    assert gw.record()["client"] == "192.0.2.7"


def h2_behind(gw, header):
    """An H2Wire whose first bytes are the header: a relay in front sends it."""
    near = socket.create_server(("127.0.0.1", 0))

    def relay():
        one, _ = near.accept()
        two = socket.create_connection(tuple_of(gw.address), 10)
        two.sendall(header)
        for source, target in ((one, two), (two, one)):
            threading.Thread(target=pump, args=(source, target), daemon=True).start()

    def pump(source, target):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    threading.Thread(target=relay, daemon=True).start()
    return H2Wire("127.0.0.1:%d" % near.getsockname()[1])


def test_claims_of_the_client_behind_it_are_not_believed(gw, shop, client):
    """The balancer is trusted, the client that it names is not."""
    wire = client.connect(gw).send(V1)
    assert wire.ask(request("GET", "/", "X-Forwarded-For: 198.51.100.1", "X-Real-IP: 198.51.100.1")).status == 200
    assert shop.requests[0].headers.get("x-forwarded-for") == "192.0.2.7"


def test_connections_count_for_the_client_that_the_header_names(gateway, shop, client):
    gw = gateway(everything_to(shop, more=listening("limits: { connections_per_address: 2 }")))
    wires = [client.connect(gw).send(v2(port=port)) for port in range(2)]
    assert all(wire.ask(request()).status == 200 for wire in wires)
    answer = client.connect(gw).send(v2(port=3), request()).answer()
    assert answer.status == 503 and json.loads(answer.text)["type"] == "urn:banyan:problem:http.connections_per_address"
    assert client.connect(gw).send(v2("192.0.2.8"), request()).answer().status == 200
    assert client.connect(gw).send(v2(command=0), request()).answer().status == 200
    wires.pop().close()
    until(lambda: serves(client, gw, v2(port=4)), "a place for another")


def serves(client, gw, header):
    try:
        return client.connect(gw).send(header, request()).answer().status == 200
    except (Closed, OSError):
        return False


# Real peers

HAPROXY = """
global
    maxconn 200
defaults
    mode tcp
    timeout connect 10s
    timeout client 20s
    timeout server 20s
frontend front
    bind fd@{fd}
    default_backend gateway
backend gateway
    server one {address} {words}
"""


@pytest.mark.parametrize("words", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options ssl,cert-cn,crc32c,unique-id",
                                   "send-proxy-v2 check check-send-proxy inter 100ms"],
                         ids=["v1", "v2", "v2-options", "v2-checked"])
def test_behind_haproxy(stage, gw, shop, client, words):
    own = servers.listening_socket()
    conf = stage.folder / "haproxy.cfg"
    conf.write_text(HAPROXY.format(fd=own.fileno(), address=gw.address, words=words))
    haproxy = servers.Server("haproxy", stage.folder, ["/usr/sbin/haproxy", "-db", "-f", conf], own, pass_fds=[own.fileno()])
    stage.enter(haproxy, haproxy.finish)
    with Wire(haproxy.address) as wire:
        for _ in range(3):
            assert wire.ask(request()).status == 200
        port = wire.sock.getsockname()[1]
    assert {asked.headers.get("x-forwarded-for") for asked in shop.requests} == {"127.0.0.1"}
    assert {record.row["client"]["port"] if "client" in record.row else record.row["client.port"] for record in gw.records(3)} == {port}
    assert gw.metric("banyan_proxy_headers_refused_total") == 0


def test_asked_by_curl(gw, shop):
    done = subprocess.run(["curl", "-sS", "--haproxy-protocol", "-o", "/dev/null", "-w", "%{http_code}", gw.url], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.stdout == "200", done.stderr
    assert len(shop.requests) == 1
