# SPDX-License-Identifier: Apache-2.0
"""What a client is told when something is wrong: the right status, a document or a page, and nothing of the inside."""
import pytest

from actors import http1
from actors.gateway import everything_to
from actors.http1 import reply, request
from actors.waiting import until

JSON = "Accept: application/json"


@pytest.fixture
def shop(upstream):
    return upstream()


def one_route(shop, match, more=""):
    return f"""
        upstreams: {{ shop: {{ servers: [ "{shop.address}" ] }} }}
        routes: [ {{ name: one, match: {match}, to: shop }} ]
        {more}
    """


def test_a_path_without_a_route_is_404(gateway, shop, client):
    gw = gateway(one_route(shop, "{ path: /here }"))
    answer = client.get(gw, "/elsewhere", JSON)
    assert answer.status == 404 and answer.slug == "gateway.no_route"
    assert client.get(gw, "/here").status == 200


def test_a_host_without_a_route_is_404(gateway, shop, client):
    gw = gateway(one_route(shop, "{ host: shop.test, path: /** }"))
    assert client.get(gw, "/", JSON, host="other.test").status == 404
    assert client.get(gw, "/", host="shop.test").status == 200


def test_a_method_without_a_route_is_405_with_those_that_there_are(gateway, shop, client):
    gw = gateway(one_route(shop, "{ path: /here, methods: [ GET, PUT ] }"))
    answer = client.post(gw, "/here", b"x", JSON)
    assert answer.status == 405 and answer.slug == "gateway.method"
    assert {word.strip() for word in answer.headers.get("allow").split(",")} == {"GET", "HEAD", "PUT"}


@pytest.mark.parametrize("accept, html", [
    (None, False), ("application/json", False), ("*/*", False), ("application/problem+json", False), ("text/html", True),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", True),
    ("application/json, text/html;q=0.5", False), ("text/html;q=0", False),
])
def test_browsers_get_a_page_and_programs_a_problem(gateway, shop, client, accept, html):
    gw = gateway(one_route(shop, "{ path: /here }"))
    answer = client.get(gw, "/x<script>", *([f"Accept: {accept}"] if accept else []))
    if html:
        assert answer.headers.get("content-type").startswith("text/html") and b"<script>" not in answer.body
        assert answer.headers.get("x-request-id") in answer.text and "404" in answer.text
    else:
        assert answer.status == 404 and answer.problem


def test_a_problem_has_all_its_fields_and_the_id_of_the_log(gateway, shop, client):
    gw = gateway(one_route(shop, "{ path: /here }"))
    answer = client.get(gw, "/gone?token=secret", JSON)
    problem = answer.problem
    assert set(problem) >= {"type", "title", "status", "detail", "instance", "request_id"}
    assert problem["instance"] == "/gone" and "secret" not in answer.text
    assert problem["request_id"] == answer.headers.get("x-request-id")
    record = gw.record(path="/gone")
    assert (record["id"], record["status"], record["error"]) == (problem["request_id"], 404, "gateway.no_route")
    assert answer.headers.get("cache-control") == "no-store"


def test_the_teams_own_page_is_used_with_everything_escaped(gateway, shop, client, tmp_path):
    (tmp_path / "page.html").write_text("<h1>{{status}} {{title}}</h1><p>{{detail}} {{request_id}}</p>")
    gw = gateway(one_route(shop, "{ path: /here }", f'errors: {{ html: "{tmp_path}/page.html" }}'))
    answer = client.get(gw, "/x", "Accept: text/html")
    assert answer.text.startswith("<h1>404 Not Found</h1>") and answer.headers.get("x-request-id") in answer.text
    assert "{{" not in answer.text


def test_the_answer_to_head_has_no_body_but_its_length(gateway, shop, client):
    gw = gateway(one_route(shop, "{ path: /here }"))
    wire = client.connect(gw)
    answer = wire.ask(request("HEAD", "/x"), "HEAD")
    assert answer.status == 404 and int(answer.headers.get("content-length")) > 0
    assert wire.ask(request("GET", "/here")).status == 200


def test_an_error_before_the_body_was_read_leaves_no_confusion(gateway, shop, client):
    gw = gateway(one_route(shop, "{ path: /here }"))
    wire = client.connect(gw)
    wire.send(request("POST", "/x", body=b"hello"))
    assert wire.answer().status == 404
    try:
        assert wire.ask(request("GET", "/here")).status == 200
    except (http1.Closed, OSError):
        pass
    assert shop.targets in ([], ["/here"])


def test_a_server_that_refuses_is_502(gateway, shop, client):
    gw = gateway(everything_to(shop))
    shop.stop()
    answer = client.get(gw, "/", JSON)
    assert answer.status == 502 and answer.slug in ("upstream.refused", "upstream.connect", "upstream.exhausted")
    assert shop.address not in answer.text, "the inside is told"


def test_a_name_that_does_not_exist_is_502(gateway, client):
    gw = gateway(everything_to("nowhere.invalid:80"))
    answer = client.get(gw, "/", JSON)
    assert answer.status in (502, 503) and answer.slug.startswith("upstream.")


def test_a_server_that_accepts_and_closes_is_502(gateway, upstream, client):
    gw = gateway(everything_to(upstream(script=lambda connection: connection.head()), upstream="retry: { attempts: 1 }"))
    answer = client.get(gw, "/", JSON)
    assert answer.status == 502 and answer.slug == "upstream.closed"


def test_a_server_that_does_not_answer_in_time_is_504(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(everything_to(slow, upstream="timeouts: { head: 200ms }"))
    answer = client.get(gw, "/", JSON)
    assert answer.status == 504 and answer.slug == "upstream.timeout"
    until(lambda: gw.metric("banyan_upstream_connections", upstream="shop") == 0, "the connection is not used again")


def test_request_time_is_the_limit_of_it_all(gateway, upstream, client):
    slow = [upstream(hold=True) for _ in range(2)]
    gw = gateway(everything_to(*slow, upstream="timeouts: { head: 10s, request: 300ms }, retry: { on: [ timeout ] }"))
    answer = client.get(gw, "/", JSON)
    assert answer.status == 504


def test_a_routes_time_is_its_own(gateway, upstream, client):
    slow = upstream(hold=True)
    gw = gateway(f"""
        upstreams: {{ slow: {{ servers: [ "{slow.address}" ], timeouts: {{ head: 20s }} }} }}
        routes:
          - {{ name: quick, match: {{ path: /quick }}, to: slow, timeouts: {{ head: 100ms }} }}
          - {{ name: rest, to: slow }}
    """)
    with client.pending(gw, "/slow", slow) as patient:
        assert client.get(gw, "/quick").status == 504
        slow.release()
        assert patient.answer().status == 200


def test_a_server_that_stops_inside_its_answer_ends_the_connection(gateway, upstream, client):
    def stall(connection):
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        connection.wait_end()

    gw = gateway(everything_to(upstream(script=stall), upstream="timeouts: { idle: 200ms }"))
    wire = client.connect(gw).send(request())
    assert wire.head().status == 200
    assert wire.reader.take(5) == b"hello" and wire.is_closed()
    assert gw.record()["error"] == "upstream.stalled"


def test_errors_of_the_server_pass_untouched(gateway, upstream, client):
    page = b"<h1>Server Error (500)</h1>"
    gw = gateway(everything_to(upstream(answer=reply(500, page, "Content-Type: text/html"))))
    answer = client.get(gw, "/", JSON)
    assert (answer.status, answer.body) == (500, page)


def test_a_bad_request_gets_a_problem_too(gateway, shop, client):
    gw = gateway(everything_to(shop))
    answer = client.raw(gw, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    assert answer.status == 400 and answer.slug.startswith("http.")
    assert gw.record(status=400)["error"] == answer.slug
