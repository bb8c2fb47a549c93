# SPDX-License-Identifier: Apache-2.0
"""A WSGI application that books what it is given: every POST's body is an id, and GET /ledger says how often each was booked.
One process only: the book is in its memory."""
import collections
import json
import threading

booked = collections.Counter()
lock = threading.Lock()


def app(environ, start):
    if environ["REQUEST_METHOD"] == "POST":
        name = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)).decode()
        with lock:
            booked[name] += 1
        body = b"booked"
    elif environ["PATH_INFO"].endswith("/ledger"):
        with lock:
            body = json.dumps(booked).encode()
    else:
        body = b"nothing"
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
