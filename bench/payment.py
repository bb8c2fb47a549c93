# SPDX-License-Identifier: Apache-2.0
"""How the payment service is measured: `banyan serve --only payment` of the release build with PostgreSQL behind it, asked by wrk. What is
compared is said in docs/guide/benchmarks.md."""
import contextlib
import functools
import json
import os
import pathlib
import re
import subprocess

from contenders import BUILD, ROOT, free_port
from machine import BenchError, Busy, Cpu, end, spawn
from store import FOLDER, family_seconds, fresh_folder, psql
from user import PYTHON, wait_for

BATCH, WALLETS, CLIENTS, CONNECTIONS = 8000, 500, 16, 32
BANYAN = BUILD / "release/banyan"


@functools.lru_cache(maxsize=1)
def durable_start():
    """(URL, pid) of a server that keeps what it says it keeps: with fsync, for a commit is what batches are about."""
    port = subprocess.run([ROOT / "tests/postgres", "start", str(os.getpid()), "durable", "fsync=on", "shared_buffers=256MB", "max_wal_size=4GB",
                           "checkpoint_timeout=1h", "wal_level=replica"], check=True, capture_output=True, text=True).stdout.strip()
    first = next(pathlib.Path("/tmp").glob(f"banyan-postgres-*/{os.getpid()}-durable/data/postmaster.pid"))
    return f"postgresql://tester@127.0.0.1:{port}/postgres", int(first.read_text().split("\n", 1)[0])


@contextlib.contextmanager
def banyan(url, threads=1):
    """(pid, address, key) of the service alone. Its provider is the one within, which says yes at once: none is measured."""
    with fresh_folder("payment") as folder:
        file, output = folder / "banyan.yaml", folder / "output"
        file.write_text(f"threads: {threads}\nadmin: off\nservices:\n  payment:\n    listen: 127.0.0.1:0\n    database: \"{url}\"\n"
                        "    providers: { main: { kind: sandbox } }\n")
        told = subprocess.run([BANYAN, "payment", "key", "add", "--owner", "bench", "--json", "-c", file], capture_output=True, text=True)
        if told.returncode:
            raise BenchError(told.stderr)
        with output.open("w") as to:
            process = spawn([BANYAN, "serve", "-c", file, "--only", "payment"], stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT)
        try:
            yield process.pid, wait_for(output, "service payment", process), json.loads(told.stdout)["key"]
        finally:
            end(process)


def wrk(address, key, kind, seconds, connections, body=None):
    """How many were answered, all of them well."""
    done = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "20s", "-s", ROOT / "bench/payment.lua",
                           f"http://{address}", "--", kind, *([body] if body else [])], capture_output=True, text=True,
                          env={**os.environ, "TOKEN": key})
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchError(f"wrk: {(done.stdout + done.stderr)[-800:]}")
    return int(found[1])


def window(pids, first, ask, each=1):
    """What was spent while ask() ran, of one of `each` of what it did."""
    busy, before, server = Busy(), Cpu(pids), family_seconds(first)
    count = ask() * each
    spent, server_s, after = Cpu(pids).since(before), family_seconds(first) - server, Busy()
    seconds = after.at - busy.at
    return {"requests": count, "cpu": spent * 1e6 / count, "server": server_s * 1e6 / count, "rate": count / seconds, "wall": seconds * 1e6 / count,
            "others": max(after.busy - busy.busy - spent - server_s - seconds, 0) / seconds}


# --- the ledger -------------------------------------------------------------------------------------------------------------------


def call(address, key, path, body):
    done = subprocess.run(["curl", "-s", "-w", "%{http_code}", "-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json",
                           "--data-binary", "@-", f"http://{address}{path}"], input=json.dumps(body), capture_output=True, text=True)
    if done.stdout[-3:] not in ("200", "201"):
        raise BenchError(done.stdout)


def ledger_batch(folder):
    """Eight thousand transfers between 500 wallets with a limit, and a hot account that all of them pay."""
    at = pathlib.Path(folder) / "batch.json"
    at.write_text(json.dumps({"groups": [{"currency": "eur", "transfers": [
        {"debit": f"wallet:{n % WALLETS}", "credit": "sales", "amount": 1 + n % 7} for n in range(BATCH)]}]}))
    return at


def ledger_rounds(bench, names, pairs, seconds):
    """Ours in batches of eight thousand; the peer by one INSERT a transfer, each a commit, into a table with the same columns, indexes and
    checks, and without our balances and limits."""
    url, first = durable_start()
    script = FOLDER / "ledger_insert.sql"

    def ours():
        with banyan(url, 2) as (pid, address, key), fresh_folder("batch") as folder:
            call(address, key, "/v1/ledger/accounts", {"accounts": [
                {"code": f"wallet:{n}", "currency": "eur", "side": "liability", "limit": "credit"} for n in range(WALLETS)]})
            call(address, key, "/v1/ledger/transfers", {"groups": [{"currency": "eur", "source": "begin", "transfers": [
                {"debit": "bank", "credit": f"wallet:{n}", "amount": 10 ** 12} for n in range(WALLETS)]}]})
            body = ledger_batch(folder)
            wrk(address, key, "batch", 1, 4, body)
            found = window([pid], first, lambda: wrk(address, key, "batch", max(seconds, 5), 4, body), BATCH)
        return found | {"cost": found["wall"]}

    def inserts():
        psql(url, "drop table if exists bench_transfers", "create table bench_transfers (like ledger_transfers including all)",
             "alter table bench_transfers add foreign key (debit_id, currency) references ledger_accounts (id, currency), "
             "add foreign key (credit_id, currency) references ledger_accounts (id, currency)",
             "drop table if exists bench_accounts", "create table bench_accounts as select row_number() over () as n, id from ledger_accounts "
             "where code like 'wallet:%'", "alter table bench_accounts add primary key (n)", "checkpoint")
        script.write_text(f"\\set n random(1, {WALLETS})\n"
                          "insert into bench_transfers (id, group_id, deed, debit_id, credit_id, currency, amount, created_at) values "
                          "(gen_random_uuid(), '018f3c1e-7a4b-7000-8000-000000000001', 'post', (select id from bench_accounts where n = :n), "
                          "(select id from ledger_accounts where code = 'sales' and currency = 'eur'), 'eur', 1, now());\n")

        def run():
            done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(max(seconds, 5)), "-f", script, url],
                                  capture_output=True, text=True)
            told = re.search(r"actually processed: (\d+)", done.stdout)
            if not told:
                raise BenchError(done.stdout + done.stderr)
            return int(told[1])
        found = window([], first, run)
        return found | {"cost": found["wall"]}
    for _ in range(pairs):
        yield {name: ours() if name == "banyan" else inserts() for name in names}


def rates(_bench, rounds):
    middle = {name: sorted(one[name]["rate"] for one in rounds)[len(rounds) // 2] for name in rounds[0]}
    return ", ".join(f"{name} {rate:,.0f}/s" for name, rate in middle.items())


# --- intents ----------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def twin(url):
    port = free_port()
    key = "sk_test_bench"
    with fresh_folder("sqlalchemy") as folder, (folder / "output").open("w") as to:
        process = spawn([PYTHON, "-m", "uvicorn", "--app-dir", ROOT / "bench/peers", "payments_sqlalchemy:app", "--no-access-log", "--port", port,
                         "--log-level", "warning"], env={**os.environ, "DATABASE_URL": url, "TOKEN": key}, stdin=subprocess.DEVNULL, stdout=to,
                        stderr=subprocess.STDOUT)
        try:
            yield process.pid, f"127.0.0.1:{port}", key
        finally:
            end(process)


def wait_answer(address, key):
    for _ in range(600):
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--retry", "60", "--retry-connrefused", "--retry-delay", "1",
                               "-H", f"Authorization: Bearer {key}", "-d",
                               "amount=1250&currency=eur&payment_method=pm_card_visa&confirm=true", f"http://{address}/v1/payment_intents"],
                              capture_output=True, text=True)
        if done.stdout == "200":
            return
    raise BenchError(f"the first answer was {done.stdout}")


def intent_rounds(bench, names, pairs, seconds):
    """A payment intent made and confirmed by one request: two commits with a provider asked between them, a charge, what moved the balance,
    the ledger's group, events and the outbox. The process that answers, without the database's part."""
    url, first = durable_start()
    with banyan(url):
        pass  # its tables: the twin uses the same

    def one(name):
        with (banyan if name == "banyan" else twin)(url) as (pid, address, key):
            wait_answer(address, key)
            wrk(address, key, "intent", 1, CONNECTIONS)
            found = window([pid], first, lambda: wrk(address, key, "intent", max(seconds, 5), CONNECTIONS))
            return found | {"cost": found["cpu"]}
    for _ in range(pairs):
        yield {name: one(name) for name in names}
