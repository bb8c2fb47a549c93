# SPDX-License-Identifier: Apache-2.0
"""A monolith with one worker, that writes down when it has begun and when it has done with each request.

The lines go to the file that $EVENTS names, so that they can be read while the worker is held."""
import hashlib
import os

PIECE = bytes(range(256)) * 256


def note(*words):
    descriptor = os.open(os.environ["EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, " ".join(map(str, words)).encode() + b"\n")
    os.close(descriptor)


def pieces(path, bytes_left):
    while bytes_left > 0:
        yield PIECE[:bytes_left]
        bytes_left -= len(PIECE)
    note("done", path)  # the server has taken the last piece of us


def app(environ, start):
    path = environ["PATH_INFO"]
    note("begun", path)
    if path.startswith("/big"):
        count = int(environ["QUERY_STRING"])
        start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(count))])
        return pieces(path, count)
    digest, count = hashlib.sha256(), 0
    while piece := environ["wsgi.input"].read(1 << 16):
        digest.update(piece)
        count += len(piece)
    body = f"{count} {digest.hexdigest()}".encode()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    note("done", path)
    return [body]
