# SPDX-License-Identifier: Apache-2.0
"""Two sides that say the same, but for what differs by nature: ids, times, CSRF cookies; and the new one with one wrong price."""
import gzip
import json
import time
import uuid


def page(number, price):
    return {"request_id": uuid.uuid4().hex, "at": time.time(), "user": {"name": "Ann", "email": "ann@shop.test"},
            "items": [{"id": item, "price": price if item == number % 7 == 3 else 12.5} for item in range(7)]}


def side(price):
    def app(environ, start):
        body = json.dumps(page(int(environ["QUERY_STRING"] or 0), price)).encode()
        headers = [("Content-Type", "application/json"), ("Set-Cookie", f"csrftoken={uuid.uuid4().hex}; Path=/; SameSite=Lax"),
                   ("X-Request-Id", uuid.uuid4().hex), ("ETag", f'"{uuid.uuid4().hex}"')]
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            body = gzip.compress(body)
            headers.append(("Content-Encoding", "gzip"))
        start("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]
    return app


old = new = side(12.5)
wrong = side(12.25)
