# SPDX-License-Identifier: Apache-2.0
"""The OpenID Connect provider: real relying parties, people with forms, tokens that are shown twice."""
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.provider import PASSWORD, Person, Provider, Refused, RelyingParty, oathtool, totp_key

BACK = "http://127.0.0.1/back"
ANN = "ann@shop.test"


@pytest.fixture
def provider(stage):
    def start(**options):
        at = Provider(stage.folder, number=stage.count(Provider), **options)
        return stage.enter(at, at.finish)
    return start


@pytest.fixture
def party(stage):
    def start(*args, **options):
        at = RelyingParty(*args, **options)
        return stage.enter(at, at.finish)
    return start


@pytest.fixture
def shop(provider, party):
    """(provider, relying party, a person with an account)"""
    at = provider()
    registered = at.client("shop", "--name", "The Shop", "--redirect", BACK, "--logout-redirect", BACK)
    return at, party(at, registered), at.register(ANN)


def agree(page):
    """Through whatever pages there are, to the client's address."""
    if urlsplit(page.url).path == "/login":
        page = page.person.log_in(page, ANN)
    if page.forms and page.forms[0][0] == "/oauth2/consent":
        page = page.submit(answer="yes")
    assert page.url.startswith("http://127.0.0.1:9/back"), page.text
    return page.url


# A code, and what comes of it

def test_a_person_logs_in_to_a_client(shop):
    at, rp, ann = shop
    assert rp.metadata["issuer"] == at.issuer
    page = ann.open(rp.ask("openid email profile offline_access"))
    assert urlsplit(page.url).path == "/login" and "The Shop" in page.text
    page = ann.log_in(page, ANN)
    assert "The Shop asks for access" in page.text and ANN in page.text
    url = page.submit(answer="yes").url
    assert parse_qs(urlsplit(url).query)["iss"] == [at.issuer]
    tokens = rp.do("answer", url=url)
    assert tokens["claims"]["sub"].startswith("usr_") and tokens["claims"]["acr"] == "aal1"
    assert tokens["scope"] == "openid email profile offline_access" and tokens["token_type"] == "bearer"
    about = rp.do("userinfo", token=tokens["access_token"], subject=tokens["claims"]["sub"])
    assert (about["email"], about["email_verified"], about["name"]) == (ANN, True, "Ann Archer")
