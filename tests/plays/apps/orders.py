# SPDX-License-Identifier: Apache-2.0
"""An order system for checkouts, with a book of its own on the disk: goods are reserved, confirmed, released, each once for a checkout. It may
go wrong as its script says, in shares of requests: `before` (503, nothing done), `running` (409: the first one is still at it), `after` (done, and no answer), `slow` (half a second),
`hold` (a verb that is never answered), `refuse` (a verb that is answered 409), `plan` ({verb: ["before", "after", ...]}: how the first
requests of every checkout go).

    orders.py FOLDER     prints its address; GET /book: what it has done; POST /script: what goes wrong from now on"""
import collections
import http.server
import json
import pathlib
import random
import socketserver
import sqlite3
import sys
import threading
import time

BOOK = """
create table if not exists orders (key text primary key, state text not null, number text, sku text, quantity integer, amount integer,
    currency text, payment text);
create table if not exists asked (key text not null, verb text not null, idem text not null, trace text not null, times integer not null,
    primary key (key, verb, idem, trace));
create table if not exists stock (sku text primary key, on_hand integer not null, reserved integer not null);
create table if not exists script (one integer primary key, script text not null);
"""
PRICES = {"anvil": 2590, "pine": 1200, "yen": 300}
STOCK = 1000000


class Book:
    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.lock, self.tries = threading.Lock(), collections.Counter()
        self.db.executescript("pragma journal_mode = wal; pragma synchronous = normal;" + BOOK)
        row = self.db.execute("select script from script").fetchone()
        self.script = json.loads(row[0]) if row else {}
        self.db.executemany("insert into stock values (?, ?, 0) on conflict do nothing", [(sku, STOCK) for sku in PRICES] + [("rare", 1)])

    def keep_script(self, script):
        with self.lock:
            self.script = script
            self.db.execute("insert into script values (1, ?) on conflict (one) do update set script = excluded.script", (json.dumps(script),))

    def fate(self, verb, key):
        with self.lock:
            self.tries[verb, key] += 1
            plan = self.script.get("plan", {}).get(verb, [])
            if self.tries[verb, key] <= len(plan):
                return plan[self.tries[verb, key] - 1]
        return next((what for what in ("before", "running", "after") if random.random() < self.script.get(what, 0)), "")

    def order(self, key):
        row = self.db.execute("select key, state, number, sku, quantity, amount, currency, payment from orders where key = ?", (key,)).fetchone()
        return row and dict(zip(("key", "state", "number", "sku", "quantity", "amount", "currency", "payment"), row))

    def act(self, verb, key, body, idem, trace):
        with self.lock:
            self.db.execute("begin immediate")
            try:
                self.db.execute("insert into asked values (?, ?, ?, ?, 1) on conflict do update set times = times + 1", (key, verb, idem, trace))
                return getattr(self, verb)(key, body)
            finally:
                self.db.execute("commit")

    def move(self, order, on_hand, reserved):
        self.db.execute("update stock set on_hand = on_hand + ?, reserved = reserved + ? where sku = ?",
                        (on_hand * order["quantity"], reserved * order["quantity"], order["sku"]))

    def about(self, order):
        return 200, {"order": order["number"], "amount": order["amount"], "currency": order["currency"], "state": order["state"]}

    def reserve(self, key, body):
        known, wanted = self.order(key), body["order"]
        if known:
            return (409, {"code": "released", "message": "too late"}) if known["state"] == "released" else self.about(known)
        sku, quantity = wanted.get("sku", "anvil"), int(wanted.get("quantity", 1))
        row = self.db.execute("select on_hand - reserved from stock where sku = ?", (sku,)).fetchone()
        if not row or row[0] < quantity:
            return 409, {"code": "sold_out", "message": "there are none left"}
        count = self.db.execute("select count(*) from orders").fetchone()[0]
        order = {"key": key, "state": "reserved", "number": f"PA-{count + 1:07}", "sku": sku, "quantity": quantity,
                 "amount": wanted.get("amount") or PRICES.get(sku, 100) * quantity, "currency": wanted.get("currency", "EUR"), "payment": None}
        self.db.execute("insert into orders values (:key, :state, :number, :sku, :quantity, :amount, :currency, :payment)", order)
        self.move(order, 0, 1)
        return self.about(order)

    def confirm(self, key, body):
        order = self.order(key)
        if not order or order["state"] == "released":
            return 409, {"code": "released", "message": "there is no such order any more"}
        if order["state"] == "confirmed":
            return self.about(order) if order["payment"] == body["payment_intent"] else (409, {"code": "paid_twice", "message": "paid twice"})
        if (order["amount"], order["currency"].lower()) != (body["amount"], body["currency"].lower()):
            return 409, {"code": "amount", "message": "that is not what it costs"}
        self.db.execute("update orders set state = 'confirmed', payment = ? where key = ?", (body["payment_intent"], key))
        self.move(order, -1, -1)
        return self.about(self.order(key))

    def release(self, key, body):
        order = self.order(key)
        if not order:
            self.db.execute("insert into orders (key, state) values (?, 'released')", (key,))
        elif order["state"] != "released":
            self.db.execute("update orders set state = 'released' where key = ?", (key,))
            self.move(order, *((0, -1) if order["state"] == "reserved" else (1, 0)))
        return 200, {"released": True}

    def whole(self):
        with self.lock:
            names = ("key", "state", "number", "sku", "quantity", "amount", "currency", "payment")
            orders = [dict(zip(names, row)) for row in self.db.execute(f"select {', '.join(names)} from orders")]
            asked = [dict(zip(("key", "verb", "idem", "trace", "times"), row)) for row in self.db.execute("select key, verb, idem, trace, times from asked")]
            stock = {sku: (on_hand, reserved) for sku, on_hand, reserved in self.db.execute("select sku, on_hand, reserved from stock")}
        return {"orders": orders, "asked": asked, "stock": stock}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def say(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.say(200, self.server.book.whole())

    def do_POST(self):
        book = self.server.book
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/script":
            book.keep_script(body)
            return self.say(200, {})
        script, (key, verb) = book.script, self.path.split("/")[-2:]
        if self.headers.get("Authorization") != "Bearer the-orders":
            return self.say(401, {})
        fate = book.fate(verb, key)
        if fate == "before":
            return self.say(503, {"code": "busy"})
        if fate == "running":
            return self.say(409, {"type": "about:blank", "code": "idempotency.running", "detail": "it is at work"})
        if random.random() < script.get("slow", 0):
            time.sleep(0.5)
        while book.script.get("hold") == verb:
            time.sleep(0.02)
        if script.get("refuse") == verb:
            return self.say(409, {"code": "shipped", "message": "it has left the house"})
        trace = self.headers.get("traceparent", "").split("-")
        status, answer = book.act(verb, key, body, self.headers.get("Idempotency-Key", ""), trace[1] if len(trace) == 4 else "")
        if fate == "after":
            self.close_connection = True
            return None
        return self.say(status, answer)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_port = True


def main():
    folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = Server(("127.0.0.1", port), Handler)
    server.book = Book(folder / "orders.book")
    print(f"127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


main()
