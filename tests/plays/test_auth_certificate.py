# SPDX-License-Identifier: Apache-2.0
"""Clients that are known by their certificate."""
import ssl

import pytest

from actors.certificates import Certificates


def test_who_has_the_right_certificate_comes_in(gateway, upstream, client, certificates, tmp_path):
    shop = upstream()
    gw = gateway(f'listen: [ {{ address: "127.0.0.1:0", tls: [ {certificates.yaml()} ], client_ca: "{certificates.ca}" }} ]\n'
                 f'upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}\n'
                 "auth: { machines: { certificate: on, headers: { X-Who: sub, X-Names: names } } }\n"
                 "routes:\n  - { name: all, match: /**, to: shop, auth: machines }\n"
                 "  - { name: other, match: /other/**, to: shop, auth: machines, allow: '\"DNS:other.test\" in names' }\n")

    def ask(path, *names, by=certificates):
        context = certificates.trust()
        if names:
            context.load_cert_chain(by.certificate(*names), by.key(*names))
        return client.get(gw.tls_address, path, tls=context, sni="localhost")

    assert ask("/x").status == 401
    assert ask("/x", "wild").status == 200
    assert dict(shop.requests[-1].headers)["X-Who"] == "wild"
    assert dict(shop.requests[-1].headers)["X-Names"] == "DNS:*.wild.test"
    assert ask("/other/x", "wild").status == 403
    assert ask("/other/x", "other").status == 200
    strangers = Certificates(tmp_path)
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        ask("/x", "other", by=strangers)
    assert len(shop.requests) == 2
