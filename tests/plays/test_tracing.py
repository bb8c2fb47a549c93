# SPDX-License-Identifier: Apache-2.0
"""W3C Trace Context: every request has a trace, continued where the peer is trusted, and the access log knows it."""
import re

import pytest

from actors.gateway import everything_to
from actors.h2wire import get as h2_get
from actors.http1 import request

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = f"traceparent: 00-{ID}-{SPAN}-01"
TRUSTED = 'trusted_proxies: [ "127.0.0.0/8" ]\n'


def parts(seen):
    """(trace, span, flags) of the one traceparent that the server got, in the standard's own form."""
    found = re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", seen.headers.get("traceparent"))
    assert found and set(found[1]) != {"0"} and set(found[2]) != {"0"}
    return found.groups()


def logged(gw, **wanted):
    row = gw.record(**wanted).row
    return row["trace.id"], row["span.id"]


def test_a_trace_begins_at_the_gateway(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up))
    for path in ("/one", "/two"):
        client.get(gw, path)
        trace, span, flags = parts(up.requests[-1])
        assert flags == "01" and logged(gw, path=path) == (trace, span)
    assert parts(up.requests[0])[0] != parts(up.requests[1])[0]


def test_a_trusted_proxys_trace_goes_on_with_a_span_of_ours(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=TRUSTED))
    client.get(gw, "/", SENT, "tracestate: a=1,b=2", "TraceState: c=3")
    trace, span, flags = parts(up.requests[-1])
    assert (trace, flags) == (ID, "01") and span != SPAN
    assert up.requests[-1].headers.all("tracestate") == ["a=1,b=2", "c=3"]
    assert logged(gw) == (ID, span)


def test_what_was_not_sampled_stays_so(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=TRUSTED))
    client.get(gw, "/", SENT.replace("-01", "-00"))
    assert parts(up.requests[-1])[2] == "00"


@pytest.mark.parametrize("trust, continued", [("never", False), ("proxies", False), ("always", True)])
def test_a_strangers_trace_goes_on_only_where_asked_for(gateway, upstream, client, trust, continued):
    up = upstream()
    gw = gateway(everything_to(up, more=f"trace: {{ trust: {trust} }}"))
    client.get(gw, "/", SENT, "tracestate: a=1")
    assert (parts(up.requests[-1])[0] == ID) == continued
    assert ("tracestate" in up.requests[-1].headers) == continued


@pytest.mark.parametrize("sent", [
    f"00-{ID.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{ID}-{'0' * 16}-01", f"ff-{ID}-{SPAN}-01", f"00-{ID}-{SPAN}-01-x",
    f"00-{ID}-{SPAN}", f"00-{ID}-{SPAN}-1", "00", "x" * 55, f"00-{ID}-{SPAN}-01, 00-{ID}-{SPAN}-01",
])
def test_what_is_no_traceparent_begins_a_new_trace(gateway, upstream, client, sent):
    up = upstream()
    gw = gateway(everything_to(up, more=TRUSTED))
    client.get(gw, "/", f"traceparent: {sent}", "tracestate: a=1")
    assert parts(up.requests[-1])[0] != ID and "tracestate" not in up.requests[-1].headers


def test_two_traceparents_are_none(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=TRUSTED))
    client.get(gw, "/", SENT, SENT)
    assert parts(up.requests[-1])[0] != ID


def test_a_later_version_is_continued_in_ours(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more=TRUSTED))
    client.get(gw, "/", f"traceparent: cc-{ID}-{SPAN}-05-what-the-future-brings")
    trace, _, flags = parts(up.requests[-1])
    assert (trace, flags) == (ID, "01")


def test_none_is_sampled_where_so_configured(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more="trace: { sample: 0% }"))
    client.get(gw)
    assert parts(up.requests[-1])[2] == "00"


def test_traces_can_be_left_alone(gateway, upstream, client):
    up = upstream()
    gw = gateway(everything_to(up, more="trace: off"))
    client.get(gw, "/", "TraceParent: what ever", "tracestate: a=1")
    assert ("TraceParent", "what ever") in list(up.requests[-1].headers) and up.requests[-1].headers.get("tracestate") == "a=1"
    client.get(gw, "/none")
    assert "traceparent" not in up.requests[-1].headers and "trace.id" not in gw.record(path="/none").row


def test_a_retry_is_of_the_same_trace(gateway, upstream, client):
    def cut(connection):
        connection.request()
        connection.reset()

    bad, good = upstream(script=cut), upstream()
    gw = gateway(everything_to(bad, good, upstream="balance: round_robin", more="threads: 1"))
    for path in ("/a", "/b"):
        assert client.get(gw, path).status == 200
    both = [up.requests[0] for up in (bad, good)]
    assert len(bad.requests) == 1 and {parts(seen)[0] for seen in both} <= {parts(seen)[0] for seen in good.requests}


def test_over_http2_too(gateway, upstream, h2):
    up = upstream()
    gw = gateway(everything_to(up, more='listen: [ { address: "127.0.0.1:0", h2c: on } ]\n' + TRUSTED))
    h2(gw).ask(h2_get("/", ("traceparent", f"00-{ID}-{SPAN}-01"), ("tracestate", "a=1")))
    assert parts(up.requests[-1])[0] == ID and up.requests[-1].headers.get("tracestate") == "a=1"


def test_requests_without_a_route_have_a_trace_too(gateway, upstream, client):
    up = upstream()
    gw = gateway(f'upstreams: {{ shop: {{ servers: [ "{up.address}" ] }} }}\n'
                 "routes: [ { name: one, match: { path: /one }, to: shop } ]")
    assert client.raw(gw, request("GET", "/other")).status == 404
    assert len(logged(gw, path="/other")[0]) == 32
