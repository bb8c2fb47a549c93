# SPDX-License-Identifier: Apache-2.0
"""TLS on both sides: certificates by name, resumption, broken handshakes, and upstreams that are verified."""
import socket
import ssl

import pytest

from actors import http1
from actors.client import split_address
from actors.gateway import everything_to
from actors.waiting import until


def listener(*tls):
    return f'listen: [ {{ address: "127.0.0.1:0", tls: [ {", ".join(tls)} ] }} ]'


@pytest.fixture
def shop(upstream):
    return upstream()


def test_the_certificate_is_chosen_by_name(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=listener(*(certificates.yaml(name) for name in ("shop", "wild", "other")))))
    for name, names in (("shop.test", "shop.test"), ("a.wild.test", "*.wild.test"), ("other.test", "other.test"), ("localhost", "shop.test")):
        wire = client.connect(gw.tls_address, tls=certificates.trust(), sni=name)
        assert names in wire.certificate_names
        assert wire.ask(http1.request(host=name)).status == 200


def test_without_a_name_the_first_certificate_is_served(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=listener(certificates.yaml("shop"), certificates.yaml("other"))))
    context = certificates.trust()
    context.check_hostname = False
    assert "shop.test" in client.connect(gw.tls_address, tls=context).certificate_names


def test_the_server_learns_that_it_was_https(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=listener(certificates.yaml())))
    client.get(gw.tls_address, "/", tls=certificates.trust(), sni="shop.test")
    assert shop.requests[-1].headers.get("x-forwarded-proto") == "https"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_session_is_resumed_on_whatever_loop(gateway, shop, certificates, version):
    gw = gateway(everything_to(shop, more=listener(certificates.yaml())))
    context, session = certificates.trust(version=version), None
    for number in range(6):
        with socket.create_connection(split_address(gw.tls_address), 20) as plain:
            with context.wrap_socket(plain, server_hostname="shop.test", session=session) as sock:
                sock.sendall(http1.request(target=f"/{number}"))
                assert http1.Reader(sock).answer_head().status == 200
                assert sock.session_reused == (number > 0)
                session = sock.session


def test_handshakes_that_fail_are_counted_and_harm_nobody(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=listener(certificates.yaml())))
    for junk in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + b"x" * 500):
        wire = client.connect(gw.tls_address).send(junk).half_close()
        wire.reader.rest()
    client.connect(gw.tls_address).close()
    until(lambda: gw.metric("banyan_handshakes_failed_total") >= 3, "failed handshakes counted")
    assert client.get(gw.tls_address, "/", tls=certificates.trust(), sni="shop.test").status == 200


def test_a_large_body_goes_both_ways_through_tls(gateway, upstream, certificates, client):
    echo = upstream(answer=lambda request: http1.reply(200, request.body))
    gw = gateway(everything_to(echo, more=listener(certificates.yaml())))
    body = bytes(range(256)) * 8000
    assert client.post(gw.tls_address, "/", body, tls=certificates.trust(), sni="shop.test").body == body


def test_a_client_that_cuts_tls_without_goodbye_is_only_gone(gateway, upstream, certificates, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, more=listener(certificates.yaml())))
    wire = client.connect(gw.tls_address, tls=certificates.trust(), sni="shop.test")
    wire.send(http1.request())
    slow.wait_requests(1)
    wire.reset()
    until(lambda: gw.metric("banyan_upstream_connections", upstream="shop") == 0, "the server's connection is given up")


# Towards the server

def test_an_upstream_over_tls_is_verified_by_name_and_chain(gateway, upstream, certificates, client):
    secure = upstream(tls=certificates.serve("shop"))
    trusted = f'tls: {{ ca: "{certificates.ca}", server_name: shop.test }}'
    assert client.get(gateway(everything_to(secure, upstream=trusted))).status == 200
    wrong_name = f'tls: {{ ca: "{certificates.ca}", server_name: other.test }}'
    answer = client.get(gateway(everything_to(secure, upstream=wrong_name)), "/", "Accept: application/json")
    assert answer.status == 502 and answer.slug.startswith("upstream.")
    assert client.get(gateway(everything_to(secure, upstream="tls: { server_name: shop.test }"))).status == 502
    unverified = "tls: { verify: false, server_name: shop.test }"
    assert client.get(gateway(everything_to(secure, upstream=unverified))).status == 200
    assert len(secure.requests) == 2


def test_a_plain_server_where_tls_was_promised_is_a_502(gateway, upstream, client):
    def puzzled(connection):
        connection.reader.take(10)
        connection.send(http1.reply(400, b"You speak HTTPS to an HTTP port"))

    gw = gateway(everything_to(upstream(script=puzzled), upstream="tls: { verify: false }"))
    assert client.get(gw).status == 502


def test_plain_and_tls_stand_side_by_side_on_ports_the_system_picks(gateway, shop, certificates, client):
    gw = gateway(everything_to(shop, more=f'listen: [ "127.0.0.1:0", {{ address: "127.0.0.1:0", tls: {certificates.yaml()} }} ]'))
    assert client.get(gw).status == 200
    assert client.get(gw.tls_address, "/", tls=certificates.trust(), sni="shop.test").status == 200
    assert [request.headers.get("x-forwarded-proto") for request in shop.requests] == ["http", "https"]
