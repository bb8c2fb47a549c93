# SPDX-License-Identifier: Apache-2.0
"""What stands behind an nginx site: says what it was asked, but nothing that may differ from one proxy to another."""
import json

SAID = ("HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_API_VERSION", "HTTP_COOKIE", "CONTENT_TYPE", "HTTP_ACCEPT_ENCODING")


def said(environ):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    return {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "query": environ["QUERY_STRING"],
            "headers": {name: environ[name] for name in SAID if name in environ}, "body": len(body)}


def answer(start, status, body, *headers):
    start(status, [("Content-Length", str(len(body))), *headers])
    return [body]


def app(environ, start):
    path = environ["PATH_INFO"]
    what = json.dumps(said(environ), sort_keys=True).encode()
    if path == "/download/report":
        return answer(start, "200 OK", b"", ("X-Accel-Redirect", "/protected/report.txt"), ("Content-Type", "text/plain"))
    if path == "/download/nowhere":
        return answer(start, "200 OK", b"", ("X-Accel-Redirect", "/protected/nowhere.txt"))
    if path == "/login":
        return answer(start, "302 Found", b"", ("Location", "/account/?next=%2F"), ("Set-Cookie", "session=1; Path=/"))
    if path == "/gone":
        return answer(start, "410 Gone", b"gone", ("Content-Type", "text/plain"), ("X-Powered-By", "Python"))
    if path == "/cached":
        return answer(start, "200 OK", what, ("Content-Type", "application/json"), ("Cache-Control", "private"), ("ETag", '"1"'))
    return answer(start, "200 OK", what, ("Content-Type", "application/json"), ("X-Powered-By", "Python"))
