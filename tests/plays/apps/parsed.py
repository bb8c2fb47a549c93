# SPDX-License-Identifier: Apache-2.0
"""WSGI and ASGI applications that write down, as a line of JSON in $PARSED_LOG, what their server took a request for.

`parsed:app` under gunicorn, with this file as its configuration too (the hook sees the parser's own list of fields, which
environ has folded); `parsed.py FD` runs uvicorn on a listening socket."""
import hashlib
import json
import os
import sys
import threading

LOG = os.environ.get("PARSED_LOG", os.devnull)
SEEN = sys.__dict__.setdefault("parsed_requests", {})  # by thread


def write(row):
    with open(LOG, "a", encoding="ascii") as log:
        log.write(json.dumps(row) + "\n")


def body_of(body):
    return {"body_bytes": len(body), "body_sha": hashlib.sha256(body).hexdigest()}


# gunicorn

def pre_request(_worker, request):
    SEEN[threading.get_ident()] = request  # the configuration and the application are two copies of this module


def app(environ, start):
    request = SEEN.pop(threading.get_ident())
    body = environ["wsgi.input"].read()
    write({"method": environ["REQUEST_METHOD"], "target": environ["RAW_URI"], "path": environ["PATH_INFO"], "query": environ["QUERY_STRING"],
           "length": environ.get("CONTENT_LENGTH"), "host": environ.get("HTTP_HOST"), "headers": [list(pair) for pair in request.headers], **body_of(body)})
    start("200 OK", [("Content-Length", "0")])  # no body: one write, which no delayed acknowledgement holds up
    return []


# uvicorn

async def asgi(scope, receive, send):
    assert scope["type"] == "http", scope
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            return
        body, more = body + event["body"], event["more_body"]
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    write({"method": scope["method"], "target": path, "path": scope["path"], "query": query, "headers": headers, **body_of(body)})
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def run_uvicorn(fd):
    import socket
    import uvicorn
    config = uvicorn.Config(asgi, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False, server_header=False,
                            timeout_keep_alive=60, proxy_headers=False)
    server = uvicorn.Server(config)
    server.run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    run_uvicorn(int(sys.argv[1]))
