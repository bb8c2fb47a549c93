# SPDX-License-Identifier: Apache-2.0
"""A WSGI application that says what it was asked: the monolith's view of a request, without a monolith."""
import json
import time


def environ_of(environ):
    return {key: value for key, value in environ.items() if isinstance(value, str)}


def answer(start, status, body, *headers):
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers])
    return [body]


def read_all(environ):
    count = 0
    while piece := environ["wsgi.input"].read(1 << 16):
        count += len(piece)
    return count


def events():
    for number in range(3):
        yield b"data: %d\n\n" % number


def app(environ, start):
    path = environ["PATH_INFO"]
    if path == "/events":
        start("200 OK", [("Content-Type", "text/event-stream")])
        return events()
    if path == "/wait":
        time.sleep(float(environ["QUERY_STRING"] or "0.2"))
        return answer(start, "200 OK", b'"waited"')
    if path == "/boom":
        raise RuntimeError("on purpose")
    if path == "/teapot":
        return answer(start, "418 I'm a teapot", b'"short and stout"', ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    length = read_all(environ)
    return answer(start, "200 OK", json.dumps({"environ": environ_of(environ), "body_bytes": length}).encode())
