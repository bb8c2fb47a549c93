# SPDX-License-Identifier: Apache-2.0
"""Checkouts under siege: every process that they need, each in its own, killed (-9) in turn and begun again; and what all their books say in
the end. Nobody is asked how it went but those who kept a book: the order system, the provider, the mails, the ledger."""
import collections
import datetime
import http.client
import json
import os
import queue
import signal
import sqlite3
import threading
import time
import uuid

from actors.accounts import say
from actors.gateway import BANYAN, run_banyan
from actors.orders import Orders, quiet_get
from actors.process import Program, reserved_port
from actors.waiting import until

CONF = """
admin: {{ address: "127.0.0.1:0" }}
threads: 2
services:
  secret: "the secret that the services of this play share"
  payment:
    listen: "{payment}"
    url: "http://{payment}"
    development: true
    database: {{ url: "{databases[payment]}" }}
    {redis}
    providers: {{ main: {{ kind: fault, url: "http://{provider}", absent: 3s, timeout: 2s }} }}
    checkout: {{ orders: "{orders}", token: the-orders, timeout: 3s }}
  notification:
    listen: "{notification}"
    url: "http://{notification}"
    development: true
    database: {{ url: "{databases[notification]}" }}
    {redis}
    record: "{folder}/mails.jsonl"
  analytics:
    listen: "{analytics}"
    url: "http://{analytics}"
    development: true
    database: {{ url: "{databases[analytics]}" }}
    {redis}
"""


def free_port():
    port, socket = reserved_port()
    socket.close()
    return f"127.0.0.1:{port}"


class Process(Program):
    """One that comes back at the address that it had."""

    def __init__(self, name, folder, words, address, path):
        self.words, self.address, self.path = words, address, path
        super().__init__(name, folder, words)

    def is_up(self):
        answer = quiet_get(self.address, self.path, timeout=2)
        return answer and answer[0] < 500

    def again(self):
        """Without waiting: those who need it have to."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        super().__init__(self.name, self.folder, self.words)

    def finish(self):
        self.process.kill()
        self.process.wait()


class Siege:
    def __init__(self, stage, databases, redis=None):
        """databases: {service: URL}; redis: one that may be killed too."""
        self.stage, self.folder, self.databases = stage, stage.folder, databases
        self.orders = stage.enter(Orders(self.folder), lambda: self.orders.finish())
        self.redis = redis
        places = {name: free_port() for name in ("payment", "notification", "analytics", "provider")}
        self.file = self.folder / "siege.yaml"
        self.file.write_text(CONF.format(**places, orders=self.orders.url, databases=databases, folder=self.folder,
                                         redis=f'redis: "{redis.url}"' if redis else ""))
        self.provider = self.begin("provider", [BANYAN, "payment", "fault-provider", "--listen", places["provider"], "--book",
                                                self.folder / "provider.book"], places["provider"], "/healthz")
        self.payment = self.serve("payment", places)
        self.notification = self.serve("notification", places)
        self.analytics = self.serve("analytics", places)
        self.wait_up()
        self.key = self.command("payment", "key", "add", "--owner", "siege", "--json")["key"]
        self.reader = self.command("analytics", "key", "add", "--owner", "siege", "--scope", "analytics:read", "--json")["key"]

    def rather_twice(self):
        """A mail whose sender died while it was on the wire is not sent again, unless its workflow says that twice is better than never. Then
        it has the same id as before, and mail servers know it by that."""
        key = self.command("notification", "key", "add", "--owner", "siege", "--scope", "notifications:write", "--json")["key"]
        part = {"channel": "email", "locale": "en", "subject": "Order {{order}}", "text": "{{total}}"}
        for method, path, body in (("POST", "/v1/templates/checkout_paid/versions", {"parts": [part]}),
                                   ("PUT", "/v1/workflows/checkout_paid", {"class": "critical", "channels": ["email"], "locale": "en"})):
            answer = say(self.notification.address, method, path, body, Authorization=f"Bearer {key}")
            assert answer.status < 300, answer.body

    def begin(self, name, words, address, path):
        program = Process(name, self.folder, words, address, path)
        return self.stage.enter(program, program.finish)

    def serve(self, name, places):
        return self.begin(name, [BANYAN, "serve", "-c", self.file, "--only", name], places[name], "/healthz")

    def programs(self):
        return [self.provider, self.payment, self.notification, self.analytics]

    def wait_up(self):
        for one in self.programs():
            until(one.is_up, f"{one.name} is up", within=60)

    def command(self, *words):
        code, out, err = run_banyan(*words, "-c", str(self.file))
        assert code == 0, err
        return json.loads(out)

    def goes_wrong(self, *faults):
        assert say(self.provider.address, "POST", "/script", {"seed": 7, "faults": list(faults)}).status == 200

    # --- the load ---

    def send(self, number, method):
        """Until it is taken: a client that was given no answer asks again, with the same key."""
        host, _, port = self.payment.address.rpartition(":")
        body = json.dumps({"order": {"sku": "anvil", "quantity": 1 + number % 3}, "payment_method": method,
                           "email": f"c{number}@shop.test"})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}", "Idempotency-Key": f"siege-{number}"}
        while not self.over.is_set():
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            try:
                connection.request("POST", "/v1/checkout", body, headers)
                answer = connection.getresponse()
                said = json.loads(answer.read() or b"{}")
                if answer.status == 202:
                    self.taken[number] = said["id"]
                    return
                if answer.status < 500 and answer.status != 409:
                    self.refused.append((number, answer.status, said))
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            finally:
                connection.close()
            time.sleep(0.05)

    def load(self, count, rate, method_of, hands=24):
        """In threads of its own; `load_done` is set at its end."""
        self.over, self.load_done, self.taken, self.refused = threading.Event(), threading.Event(), {}, []
        tasks = queue.Queue()

        def pace():
            begun = time.monotonic()
            for number in range(count):
                if self.over.wait(max(0.0, begun + number / rate - time.monotonic())):
                    break
                tasks.put(number)
            for _ in range(hands):
                tasks.put(None)

        def work():
            while (number := tasks.get()) is not None:
                self.send(number, method_of(number))

        def all_of_it():
            threads = [threading.Thread(target=pace, daemon=True)] + [threading.Thread(target=work, daemon=True) for _ in range(hands)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.load_done.set()

        threading.Thread(target=all_of_it, daemon=True).start()

    def storm(self, every=1.0, least=0):
        """Kills one after the other while the load lasts, and each at least so often."""
        turn = 0
        victims = [self.payment, self.provider, self.orders, self.notification, self.analytics] + [self.redis] * bool(self.redis)
        deaths = collections.Counter()
        while not self.load_done.is_set() or turn < least * len(victims):
            time.sleep(every)
            victim = victims[turn % len(victims)]
            victim.again()
            deaths[victim.name] += 1
            turn += 1
        return dict(deaths)

    # --- the end ---

    def sql(self, service, text):
        url = self.databases[service]
        if url.startswith("sqlite:"):
            with sqlite3.connect(url.removeprefix("sqlite:"), timeout=20) as other:
                return other.execute(text).fetchall()
        import psycopg2
        other = psycopg2.connect(url)
        try:
            with other, other.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else []
        finally:
            other.close()

    def states(self):
        return collections.Counter(dict(self.sql("payment", "select state, count(*) from sagas group by state")))

    def free_the_dead(self, service):
        """Leases of processes that were killed end now, and what waits for its next attempt is tried: the play has no time to wait for either."""
        past = "1" if self.databases[service].startswith("sqlite:") else "timestamptz '2000-01-01'"
        self.sql(service, f"update jobs set leased_until = {past} where leased_until is not null")
        self.sql(service, f"update jobs set run_at = {past} where state = 'scheduled'")

    def settle(self, hurry, within):
        """Until every checkout has ended. hurry: does not wait for leases and pauses."""
        if hurry:
            self.free_the_dead("payment")
        deadline = time.monotonic() + within
        while True:
            states = self.states()
            open_ones = sum(states[state] for state in ("running", "committing", "compensating"))
            if not open_ones:
                return states
            assert time.monotonic() < deadline, f"{dict(states)} after {within} s\n{self.unsettled()}"
            time.sleep(0.2 if hurry else 1)

    def unsettled(self):
        rows = self.sql("payment", "select id, state, step, error, next_at from sagas where ended_at is null limit 5")
        return "\n".join(map(str, rows)) + self.payment.stderr[-2000:]

    def mails(self):
        """{delivery: address}: what a mail server has that knows a message by its id when it comes again."""
        path = self.folder / "mails.jsonl"
        lines = path.read_text().splitlines() if os.path.exists(path) else []
        return {said["delivery"]: said["to"] for said in (json.loads(line) for line in lines if line.endswith("}"))}

    def all_mails(self, count, hurry, within):
        """{address: mails}, once there are so many."""
        deadline = time.monotonic() + within
        while len(mails := self.mails()) < count:
            if time.monotonic() > deadline:
                states = self.sql("notification", "select state, count(*) from deliveries group by state")
                raise AssertionError(f"{len(mails)} of {count} mails after {within} s; deliveries: {states}\n{self.notification.stderr[-2000:]}")
            if hurry:
                self.free_the_dead("notification")
            time.sleep(0.2 if hurry else 2)
        return collections.Counter(mails.values())


    def fact(self, name):
        """What analytics has counted of what the others told it, over all days."""
        days = [(datetime.date.today() + datetime.timedelta(days=more)).isoformat() for more in (-2, 3)]
        answer = say(self.analytics.address, "GET", f"/v1/facts/{name}?from={days[0]}&to={days[1]}", Authorization=f"Bearer {self.reader}")
        assert answer.status == 200, answer.body
        return answer.json["total"]

    def counted(self, within):
        """What does not agree between analytics and the ledger, once analytics has read everything, or after so long."""
        paid, ended = (self.sql("payment", text)[0][0] for text in (
            "select sum(received) from intents where status = 'succeeded'", "select count(*) from sagas where ended_at is not null"))
        deadline = time.monotonic() + within
        while (seen := (self.fact("revenue"), self.fact("checkouts"))) != (paid, ended) and time.monotonic() < deadline:
            time.sleep(0.5)
        return [] if seen == (paid, ended) else [f"analytics has a revenue of {seen[0]} and {seen[1]} checkouts; they are {paid} and {ended}"]


def verdict(siege, expected):
    """What the books say; a list of what does not add up."""
    wrong = []
    sagas = {"co_" + str(uuid.UUID(bytes=ident) if isinstance(ident, bytes) else ident): state
             for ident, state in siege.sql("payment", "select id, state from sagas")}
    orders = {order["key"]: order for order in siege.orders.book()["orders"]}
    if len(siege.taken) != expected or siege.refused:
        wrong.append(f"{expected} checkouts were sent, {len(siege.taken)} taken, refused: {siege.refused[:3]}")
    if set(siege.taken.values()) != set(sagas):
        wrong.append(f"{len(set(siege.taken.values()) ^ set(sagas))} checkouts are not those that were acknowledged")
    for checkout, state in sagas.items():
        order = orders.get(checkout)
        is_state = order["state"] if order else "none"
        if (state, is_state) not in (("done", "confirmed"), ("compensated", "released"), ("compensated", "none")):
            wrong.append(f"{checkout} is {state}, its order {is_state}")
    done = {checkout for checkout, state in sagas.items() if state == "done"}
    wrong += charges(siege, orders, done)
    stock = siege.orders.book()["stock"]
    sold = sum(orders[checkout]["quantity"] for checkout in done)
    if stock["anvil"] != [1000000 - sold, 0]:
        wrong.append(f"the stock is {stock['anvil']}, {sold} were sold")
    wrong += events(siege, orders, sagas)
    keys = collections.Counter((row["key"], row["verb"]) for row in siege.orders.book()["asked"])
    if [key for key, count in keys.items() if count > 1]:
        wrong.append(f"not one key for each act, and one trace: {[key for key, count in keys.items() if count > 1][:3]}")
    return wrong


def events(siege, orders, sagas):
    """What the service told everybody else: each end once, and the money of it."""
    wrong, told, revenue = [], collections.defaultdict(list), 0
    for kind, checkout, data in siege.sql("payment", "select type, aggregate_id, data from outbox where aggregate_type = 'checkout'"):
        told[checkout].append(kind)
        revenue += (data if isinstance(data, dict) else json.loads(data))["amount"] if kind == "checkout.completed" else 0
    for checkout, state in sagas.items():
        if told[checkout] != [{"done": "checkout.completed"}.get(state, "checkout.undone")]:
            wrong.append(f"{checkout} is {state}, and {told[checkout]} was told")
    earned = sum(orders[checkout]["amount"] for checkout, state in sagas.items() if state == "done")
    if revenue != earned:
        wrong.append(f"events tell of {revenue}, the orders are worth {earned}")
    return wrong


def charges(siege, orders, done):
    """The provider's book against the orders: who was charged, and how often."""
    wrong, charged = [], collections.defaultdict(list)
    book = json.loads(quiet_get(siege.provider.address, "/book")[1])
    for payment in book["payments"]:
        net = payment["captured"] - payment["refunded"]
        if net:
            charged[payment.get("order") or payment["key"]].append(net)
        elif payment["state"] == "authorized":
            wrong.append(f"payment {payment['id']} is held for ever")
    paid = {orders[checkout]["number"]: orders[checkout]["amount"] for checkout in done}
    for order, nets in charged.items():
        if len(nets) != 1 or paid.get(order) != nets[0]:
            wrong.append(f"order {order} was charged {nets}, and costs {paid.get(order)}")
    for order in set(paid) - set(charged):
        wrong.append(f"order {order} is confirmed and was never charged")
    return wrong
