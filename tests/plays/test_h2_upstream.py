# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on the way out, and gRPC all the way through."""
import concurrent.futures
import queue
import select

import grpc
import pytest

from actors.gateway import everything_to
from actors.h2wire import get
from actors.http1 import chunk, request
from actors.waiting import until

H2C = 'listen: [ { address: "127.0.0.1:0", h2c: true } ]'
TO_H2 = "protocol: h2"


def test_an_http1_request_goes_out_as_http2(gateway, h2_upstream, client):
    up = h2_upstream(answer=lambda asked: (201, [("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"made", None))
    gw = gateway(everything_to(up, upstream=TO_H2))
    answer = client.post(gw, "/x?y", b"hello", "X-Mixed-Case: Kept", "Connection: close, X-Hop", "X-Hop: 1", "Keep-Alive: 5")
    assert (answer.status, answer.body, answer.headers.all("set-cookie")) == (201, b"made", ["a=1", "b=2"])
    seen = up.requests[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/x?y", b"hello")
    assert seen.headers.get(":authority") == "shop.test" and seen.headers.get(":scheme") == "http"
    assert seen.headers.get("x-mixed-case") == "Kept" and seen.headers.get("x-forwarded-for") == "127.0.0.1"
    assert all(name == name.lower() for name in seen.headers.names())
    assert not {"connection", "x-hop", "keep-alive", "transfer-encoding", "host"} & set(seen.headers.names())


def test_http2_goes_through_as_http2_with_trailers(gateway, h2_upstream, h2):
    up = h2_upstream(answer=lambda asked: (200, [], asked.body[::-1], [("x-sum", str(len(asked.body)))]))
    gw = gateway(everything_to(up, upstream=TO_H2, more=H2C))
    wire = h2(gw)
    stream = wire.ask(get("/", ("te", "trailers"), method="POST"), b"hello", [("x-check", "7")])
    assert (stream.status, stream.body, stream.trailers.get("x-sum")) == (200, b"olleh", "5")
    assert up.requests[0].trailers == [("x-check", "7")] and up.requests[0].headers.get("te") == "trailers"


def test_many_requests_share_one_connection(gateway, h2_upstream, client):
    up = h2_upstream(answer=lambda asked: (200, [], asked.target.encode(), None))
    gw = gateway(everything_to(up, upstream=TO_H2, more="threads: 1"))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: client.get(gw, f"/{number}").text, range(100)))
    assert answers == [f"/{number}" for number in range(100)]
    assert len(up.connections) == 1


def test_large_bodies_go_both_ways(gateway, h2_upstream, client):
    up = h2_upstream(answer=lambda asked: (200, [], bytes(asked.body), None))
    gw = gateway(everything_to(up, upstream=TO_H2))
    body = bytes(range(256)) * 8000
    assert client.post(gw, "/", body).body == body
    chunks = b"".join(chunk(body[at:at + 9999]) for at in range(0, len(body), 9999))
    assert client.raw(gw, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n").body == body


def test_a_stream_that_the_server_refused_is_tried_again_also_post(gateway, h2_upstream, client):
    """REFUSED_STREAM promises that nothing was done (RFC 9113 8.7)."""
    refusing, good = h2_upstream(reset_with=7), h2_upstream(answer=lambda asked: (200, [], b"good", None))
    gw = gateway(everything_to(refusing, good, upstream=f"{TO_H2}, balance: round_robin", more="threads: 1"))
    assert [client.post(gw, "/", b"x").text for _ in range(4)] == ["good"] * 4


def test_a_stream_that_the_server_broke_is_a_502(gateway, h2_upstream, client):
    gw = gateway(everything_to(h2_upstream(reset_with=2), upstream=f"{TO_H2}, retry: {{ attempts: 1 }}"))
    assert client.get(gw).status == 502


def test_a_server_that_speaks_http1_only_is_a_502(gateway, upstream, client):
    plain = upstream(script=lambda connection: (connection.reader.take(24), connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
    gw = gateway(everything_to(plain, upstream=f"{TO_H2}, retry: {{ attempts: 1 }}"))
    assert client.get(gw).status == 502


def test_a_client_that_leaves_resets_only_its_stream(gateway, h2_upstream, client):
    up = h2_upstream(hold=True)
    gw = gateway(everything_to(up, upstream=TO_H2, more="threads: 1"))
    with client.pending(gw, "/left", up) as wire:
        wire.reset()
    up.release()
    until(lambda: client.get(gw).status == 200, "the next")
    assert len(up.connections) <= 2


def test_clients_that_do_not_read_hold_up_nobody_else_on_the_connection(gateway, h2_upstream, client):
    """What waits for them would fill the connection's window; those of their streams are enough of a limit."""
    large = bytes(4 << 20)
    up = h2_upstream(answer=lambda asked: (200, [], large if asked.target == "/large" else b"small", None))
    gw = gateway(everything_to(up, upstream=TO_H2, more="threads: 1\nbuffering: { answers: off }"))
    assert client.get(gw, "/small").text == "small"
    for count in range(24):
        client.connect(gw, receive_buffer=4096).send(request(target="/large"))
        up.wait_requests(2 + count)
    assert client.get(gw, "/small").text == "small"
    assert len(up.connections) == 1


def test_an_answer_without_end_does_not_keep_a_connection_from_others(gateway, h2_upstream, client):
    """The one connection there may be is on the other thread than half of the clients. It is to end with its calls, for them;
    but where one of these has no end, that would leave nobody with a connection."""
    large = bytes(4 << 20)
    up = h2_upstream(answer=lambda asked: (200, [], large if asked.target == "/large" else b"small", None))
    gw = gateway(everything_to(up, upstream=TO_H2 + ", max_connections: 1, queue: { timeout: 4s }",
                               more="threads: 2\nbuffering: { answers: off }"))
    endless = client.connect(gw, receive_buffer=4096).send(request(target="/large"))
    up.wait_requests(1)
    wires = [client.connect(gw).send(request(target="/small")) for _ in range(8)]

    def answered():
        return select.select([wire.sock for wire in wires], [], [], 0)[0]

    until(lambda: len(answered()) + gw.metric("banyan_upstream_waiting") == len(wires), "some are served and the others wait")
    here = next(wire for wire in wires if wire.sock in answered())
    assert len(answered()) < len(wires) and here.answer().text == "small"
    while gw.metric("banyan_upstream_waiting"):
        assert here.ask(request(target="/small")).status == 200
    assert here.ask(request(target="/small")).status == 200
    assert not endless.is_closed() and len(up.connections) == 1


def test_nginx_answers_over_http2(gateway, nginx, client):
    gw = gateway(everything_to(nginx('return 200 "$server_protocol";', listen="http2"), upstream=TO_H2))
    assert client.get(gw).text == "HTTP/2.0"


# gRPC, with the real library on both sides

def unary(message, context):
    if message == b"fail":
        context.set_trailing_metadata((("x-why", "on-purpose"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")
    context.send_initial_metadata((("x-initial", "1"),))
    context.set_trailing_metadata((("x-trailing", "2"),))
    return message[::-1]


def count_up(message, context):
    for number in range(int(message)):
        yield b"%d" % number


def echo(messages, context):
    for message in messages:
        yield b"echo " + message


@pytest.fixture
def greeter(stage):
    handlers = {"Unary": grpc.unary_unary_rpc_method_handler(unary), "Count": grpc.unary_stream_rpc_method_handler(count_up),
                "Echo": grpc.stream_stream_rpc_method_handler(echo)}
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("plays.Greeter", handlers),))
    server.address = "127.0.0.1:%d" % server.add_insecure_port("127.0.0.1:0")
    server.start()
    return stage.enter(server, lambda: server.stop(None).wait())


@pytest.fixture
def channel(stage, gateway, greeter):
    gw = gateway(everything_to(greeter, upstream=TO_H2, more=H2C))
    return stage.enter_context(grpc.insecure_channel(gw.address))


def test_grpc_unary_with_metadata_and_trailers(channel):
    answer, call = channel.unary_unary("/plays.Greeter/Unary").with_call(b"hello", timeout=20)
    assert answer == b"olleh"
    assert dict(call.initial_metadata())["x-initial"] == "1" and dict(call.trailing_metadata())["x-trailing"] == "2"
    big = bytes(3000000)
    assert channel.unary_unary("/plays.Greeter/Unary")(big, timeout=20) == big


def test_grpc_errors_come_with_their_status_and_trailers(channel):
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/plays.Greeter/Unary")(b"fail", timeout=20)
    assert failed.value.code() == grpc.StatusCode.FAILED_PRECONDITION and failed.value.details() == "not now"
    assert dict(failed.value.trailing_metadata())["x-why"] == "on-purpose"
    with pytest.raises(grpc.RpcError) as failed:
        channel.unary_unary("/plays.Greeter/None")(b"", timeout=20)
    assert failed.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_grpc_streams_from_the_server(channel):
    assert list(channel.unary_stream("/plays.Greeter/Count")(b"500", timeout=20)) == [b"%d" % number for number in range(500)]


def test_grpc_talks_both_ways_at_once(channel):
    to_send = queue.Queue()
    answers = channel.stream_stream("/plays.Greeter/Echo")(iter(to_send.get, None), timeout=20)
    for number in range(20):
        to_send.put(b"%d" % number)
        assert next(answers) == b"echo %d" % number
    to_send.put(None)
    assert list(answers) == []


def test_http1_clients_reach_a_server_of_http2_by_keep_alive(gateway, h2_upstream, client):
    gw = gateway(everything_to(h2_upstream(), upstream=TO_H2))
    wire = client.connect(gw)
    assert [wire.ask(request(target=f"/{number}")).text for number in range(20)] == ["ok"] * 20
