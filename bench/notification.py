# SPDX-License-Identifier: Apache-2.0
"""How the notification service is measured: `banyan serve --only notification` of the release build, asked by wrk. What is compared is
said in docs/guide/benchmarks.md."""
import contextlib
import datetime
import json
import os
import re
import subprocess
import time
import urllib.request

from contenders import BUILD, ROOT, free_port
from machine import BenchError, Busy, Cpu, end, spawn
from store import backends_gone, family_seconds, fresh_folder, postgres_start, psql
from user import PYTHON, wait_for

CONNECTIONS, TOPIC = 64, 5000
TOKEN = "bk_bench"
TEMPLATE = {"parts": [{"channel": "email", "locale": "en", "subject": "Order {{id}}", "text": "Hello {{name}}, order {{id}} is on its way.\n"}]}


@contextlib.contextmanager
def banyan(database, threads=1):
    """(pid, address, key) of the service alone, with one workflow."""
    with fresh_folder("notification") as folder:
        file, output = folder / "banyan.yaml", folder / "output"
        database = database or f"sqlite:{folder}/notification.db"
        file.write_text(f"threads: {threads}\nadmin: off\nservices:\n  notification:\n    listen: 127.0.0.1:0\n    database: \"{database}\"\n"
                        f"    record: record.jsonl\n")
        with output.open("w") as to:
            process = spawn([BUILD / "release/banyan", "serve", "-c", file, "--only", "notification"], stdin=subprocess.DEVNULL, stdout=to,
                            stderr=subprocess.STDOUT)
        try:
            address = wait_for(output, "service notification", process)
            key = json.loads(subprocess.run([BUILD / "release/banyan", "notification", "key", "add", "-c", file, "--owner", "bench", "--scope",
                                             "notifications:send", "--scope", "notifications:write", "--scope", "notifications:read", "--json"],
                                            check=True, capture_output=True).stdout)["key"]
            say(address, key, "POST", "/v1/templates/order/versions", TEMPLATE)
            say(address, key, "PUT", "/v1/workflows/order", {"channels": ["email"]})
            yield process.pid, address, key
        finally:
            end(process)


@contextlib.contextmanager
def fastapi(url):
    psql(url, "drop table if exists twin_notifications, twin_jobs, twin_workflows",
         "create table twin_workflows (name text primary key, class text, category text, channels text)",
         "insert into twin_workflows values ('order', 'transactional', 'order', 'email')",
         "create table twin_notifications (id uuid primary key, workflow text, class text, category text, state text, recipients jsonb, "
         "channels text, data jsonb, priority int, send_at timestamptz, created_at timestamptz)",
         "create table twin_jobs (id uuid primary key, kind text, unique_key text, state text, priority int, data jsonb, run_at timestamptz, "
         "created_at timestamptz)", "create unique index on twin_jobs (kind, unique_key) where state in ('scheduled', 'ready', 'running')",
         "create index on twin_jobs (run_at) where state = 'scheduled'")
    port = free_port()
    with fresh_folder("fastapi") as folder, (folder / "output").open("w") as to:
        process = spawn([PYTHON, "-m", "uvicorn", "--app-dir", ROOT / "bench/peers", "notifications_fastapi:app", "--no-access-log", "--port",
                         port, "--log-level", "warning"], env={**os.environ, "DATABASE_URL": url, "TOKEN": TOKEN},
                        stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT)
        try:
            yield process.pid, f"127.0.0.1:{port}", TOKEN
        finally:
            end(process)


def say(address, key, method, path, body=None):
    asked = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode() if body is not None else None, method=method,
                                   headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read() or b"null")


def asked(to, **more):
    return {"workflow": "order", "to": [to], "data": {"id": 7, "name": "Ann"}, **more}


def later():
    """Put down for tomorrow: what is measured is accepting, not what comes of it."""
    return asked({"email": "ann@shop.example"}, send_at=(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).isoformat())


def wait_answer(address, key):
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        try:
            return say(address, key, "POST", "/v1/notifications", later())
        except OSError:
            time.sleep(0.05)
    raise BenchError("nothing was accepted")


def wrk(address, key, seconds):
    with fresh_folder("wrk") as folder:
        script = folder / "accept.lua"
        script.write_text(f"wrk.method = 'POST'\nwrk.body = [[{json.dumps(later())}]]\nwrk.headers['Authorization'] = 'Bearer {key}'\n"
                          "wrk.headers['Content-Type'] = 'application/json'\n")
        done = subprocess.run(["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", script, f"http://{address}/v1/notifications"],
                              capture_output=True, text=True)
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchError(f"wrk: {(done.stdout + done.stderr)[-800:]}")
    return int(found[1])


def window(pid, server, ask):
    busy, before, there = Busy(), Cpu([pid]), family_seconds(server) if server else 0
    count = ask()
    spent, server_s, after = Cpu([pid]).since(before), family_seconds(server) - there if server else 0, Busy()
    seconds = after.at - busy.at
    return {"requests": count, "cost": spent * 1e6 / count, "rate": count / seconds,
            "others": max(after.busy - busy.busy - spent - server_s - seconds, 0) / seconds}


def accept_rounds(bench, names, pairs, seconds):
    """Durable accepts with PostgreSQL behind, without the database's part; and, of ours, on SQLite."""
    url, server = postgres_start()

    def one(name):
        with (banyan if name == "banyan" else fastapi)(url) as (pid, address, key):
            wait_answer(address, key)
            wrk(address, key, 1)
            found = window(pid, server, lambda: wrk(address, key, max(seconds, 2)))
        backends_gone(url)
        return found

    def lite():
        with banyan(None) as (pid, address, key):
            wrk(address, key, 1)
            return window(pid, None, lambda: wrk(address, key, max(seconds, 2)))
    for _ in range(pairs):
        round_ = {name: one(name) for name in names}
        if "banyan" in round_:
            round_["banyan"]["lite"] = lite()
        yield round_


def lite_too(_bench, rounds):
    rows = sorted((one["banyan"]["lite"]["rate"], one["banyan"]["rate"]) for one in rounds if "banyan" in one)
    if not rows:
        return ""
    lite, pg = rows[len(rows) // 2]
    return f"{pg:,.0f}/s; on SQLite, each durable, {lite:,.0f}/s"


def sent_rounds(bench, names, pairs, seconds):
    """From one request for a topic to the last message given to a provider (which writes it to a file), on SQLite."""
    for _ in range(pairs):
        with banyan(None) as (pid, address, key):
            say(address, key, "PUT", "/v1/topics/all", {})
            for first in range(0, TOPIC, 500):
                say(address, key, "POST", "/v1/topics/all/members", {"add": [f"r{n}" for n in range(first, first + 500)]})
            for n in range(TOPIC):
                say(address, key, "PUT", f"/v1/recipients/r{n}/contacts/email", {"address": f"r{n}@shop.example"})
            yield {"banyan": window(pid, None, lambda: send_all(pid, address, key))}


def send_all(pid, address, key):
    record = os.path.join(os.readlink(f"/proc/{pid}/cwd"), "record.jsonl")
    path = next(path for path in (f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")) if os.path.realpath(path).endswith("record.jsonl"))
    record = os.path.realpath(path) or record
    say(address, key, "POST", "/v1/notifications", asked({"topic": "all"}))
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        with open(record, "rb") as file:
            if file.read().count(b"\n") >= TOPIC:
                return TOPIC
        time.sleep(0.05)
    raise BenchError("not all of them went out")
