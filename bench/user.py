# SPDX-License-Identifier: Apache-2.0
"""How the user service is measured: `banyan serve --only user` of the release build with PostgreSQL behind it, asked by wrk. What is
compared is said in docs/guide/benchmarks.md. Both sides run on one thread and read the same 100,000 rows."""
import contextlib
import hashlib
import os
import re
import select
import subprocess
import time

from contenders import BUILD, ROOT, free_port
from machine import BenchError, Busy, Cpu, end, spawn
from store import FOLDER, Redis, backends_gone, both_sides, family_seconds, fresh_folder, postgres_start, psql

USERS, SESSIONS, CONNECTIONS = 100000, 10000, 32
TOKEN = "bst_bench"
ROW = f"bench:users:read users:write:{hashlib.sha256(TOKEN.encode()).hexdigest()}"
PYTHON = "/usr/bin/python3"  # Debian's, which has Debian's FastAPI
MIB = 1 << 20
ID = "('018f3c1e-7a4b-7000-8000-' || lpad(to_hex({}), 12, '0'))::uuid"
COLUMNS = ("id, status, email, email_norm, email_verified_at, username, external, name, locale, profile, roles, version, created_at, "
           "updated_at, login_at, password_at, totp_at")


def wait_for(output, word, process):
    """The address that a line of the output has behind a word."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        text = output.read_text()
        found = re.search(rf"^{word} http://(\S+)", text, re.M)
        if found and re.search(r"^ready", text, re.M):
            return found[1]
        select.select([], [], [], 0.01)
    raise BenchError(f"the service did not start: {output.read_text()[-2000:]}")


@contextlib.contextmanager
def banyan(url, threads=1, redis=None):
    """(pid, address) of the service alone."""
    with fresh_folder("user") as folder:
        file, output = folder / "banyan.yaml", folder / "output"
        file.write_text(f"threads: {threads}\nadmin: off\nservices:\n  user:\n    listen: 127.0.0.1:0\n    database: \"{url}\"\n"
                        f"    key_file: user.key\n    tokens: [ \"{ROW}\" ]\n" + (f"    redis: {redis}\n" if redis else ""))
        with output.open("w") as to:
            process = spawn([BUILD / "release/banyan", "serve", "-c", file, "--only", "user"], stdin=subprocess.DEVNULL, stdout=to,
                            stderr=subprocess.STDOUT)
        try:
            yield process.pid, wait_for(output, "service user", process)
        finally:
            end(process)


@contextlib.contextmanager
def fastapi(url):
    port = free_port()
    with fresh_folder("fastapi") as folder, (folder / "output").open("w") as to:
        process = spawn([PYTHON, "-m", "uvicorn", "--app-dir", ROOT / "bench/peers", "users_fastapi:app", "--no-access-log", "--port",
                         port, "--log-level", "warning"], env={**os.environ, "DATABASE_URL": url, "TOKEN": TOKEN},
                        stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT)
        try:
            yield process.pid, f"127.0.0.1:{port}"
        finally:
            end(process)


def fill(url):
    """Users, once: the schema is the service's own."""
    with banyan(url):
        pass
    at = "timestamptz '2026-01-01 00:00:00+00'"
    psql(url, "truncate users cascade", f"""insert into users (id, status, email, email_norm, email_verified_at, name, locale, profile, roles,
        version, created_at, updated_at, password_at) select {ID.format('i')}, 'active', 'user' || i || '@shop.example',
        'user' || i || '@shop.example', {at}, 'User Number ' || i, 'en', '{{"city":"Berlin","newsletter":true}}', 'customer', 1,
        {at}, {at}, {at} from generate_series(1, {USERS}) i""",
         "drop table if exists bench_users", f"create table bench_users as select row_number() over (order by id) as n, {COLUMNS} from users",
         "alter table bench_users add primary key (n)",
         f"""insert into sessions (id, token_hash, user_id, level, methods, address, agent, created_at, proved_at, used_at, idle_until, until)
        select {ID.format('i')}, sha256(('session-' || lpad(i::text, 35, '0'))::bytea), {ID.format('i')}, 1, 'pwd', '192.0.2.1', 'bench', now(), now(), now(),
        now() + interval '7 days', now() + interval '30 days' from generate_series(1, {SESSIONS}) i""", "analyze", "checkpoint")


def wait_answer(address):
    path, give_up = f"http://{address}/v1/users/usr_018f3c1e-7a4b-7000-8000-000000000001", time.monotonic() + 30
    while time.monotonic() < give_up:
        done = subprocess.run(["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-H", f"Authorization: Bearer {TOKEN}", path],
                              capture_output=True, text=True)
        if done.stdout == "200":
            return
    raise BenchError(f"the first answer was {done.stdout}")


def wrk(address, kind, count, seconds, connections=CONNECTIONS, seed=1):
    """How many were answered, all of them well."""
    done = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "-s", ROOT / "bench/user.lua", f"http://{address}",
                           "--", kind, str(count), str(seed)], capture_output=True, text=True, env={**os.environ, "TOKEN": TOKEN})
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchError(f"wrk: {(done.stdout + done.stderr)[-800:]}")
    return int(found[1])


def window(pid, first, ask):
    """What was spent while ask() ran: of the service, of PostgreSQL, and what others took."""
    busy, before, server = Busy(), Cpu([pid]), family_seconds(first)
    count = ask()
    spent, server_s, after = Cpu([pid]).since(before), family_seconds(first) - server, Busy()
    seconds = after.at - busy.at
    return {"requests": count, "cost": spent * 1e6 / count, "server": server_s * 1e6 / count, "rate": count / seconds,
            "others": max(after.busy - busy.busy - spent - server_s - seconds, 0) / seconds}  # wrk: a processor at most


def read_rounds(bench, names, pairs, seconds):
    """Of ours and of the twin: the process that answers, without the database's part."""
    url, first = postgres_start()
    fill(url)

    def one(name):
        with (banyan if name == "banyan" else fastapi)(url) as (pid, address):
            wait_answer(address)
            wrk(address, "even", USERS, 1)
            return window(pid, first, lambda: wrk(address, "even", USERS, max(seconds, 2)))
    for _ in range(pairs):
        yield {name: one(name) for name in names}


def pg_rounds(bench, names, pairs, seconds):
    """The server's part alone: the same columns of the same row by its key, one statement for each read."""
    url, first = postgres_start()
    fill(url)
    script = FOLDER / "user_read.sql"
    script.write_text(f"\\set n random(1, {USERS})\nselect {COLUMNS} from bench_users where n = :n;\n")

    def one(name):
        if name != "banyan":
            count = 15000 * max(seconds, 2)
            told = both_sides(url, first, ["pgbench", "-n", "-M", "prepared", "-c", 16, "-j", 1, "-t", count // 16, "-f", script, url], count)
            return told | {"cost": told["server"]}
        with banyan(url) as (pid, address):
            wait_answer(address)
            wrk(address, "even", USERS, 1)
            found = window(pid, first, lambda: wrk(address, "even", USERS, max(seconds, 2)))
        backends_gone(url)
        return found | {"cost": found["server"]}
    for _ in range(pairs):
        yield {name: one(name) for name in names}


def metric(address, name, **labels):
    text = subprocess.run(["curl", "-s", f"http://{address}/metrics"], check=True, capture_output=True, text=True).stdout
    rows = [line for line in text.splitlines() if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items())]
    return sum(float(line.split()[-1]) for line in rows)


def cache_rounds(bench, names, pairs, seconds):
    """Of reads that are drawn by Zipf (exponent 1) out of all users, with a change in a hundred, those that went to the database: from a
    cold start on, when nearly all of them are of users that nobody read before; then once more."""
    url, first = postgres_start()
    fill(url)

    def share(pid, address, seed):
        loads, reads = counts(address)
        found = window(pid, first, lambda: wrk(address, "zipf", USERS, max(seconds, 4), seed=seed))
        now = counts(address)
        return found | {"us": found["cost"], "reads": now[1] - reads, "cost": 100 * (now[0] - loads) / (now[1] - reads)}
    for _ in range(pairs):
        with Redis() as redis, banyan(url, redis=redis.url) as (pid, address):
            cold = share(pid, address, 1)
            yield {"banyan": cold | {"warm": share(pid, address, 2)["cost"]}}


def counts(address):
    return (metric(address, "banyan_cache_loads_total", cache="user"),
            metric(address, "banyan_service_requests_total", route="GET /v1/users/{id}"))


def warm_too(_bench, rounds):
    shares = sorted(one["banyan"]["warm"] for one in rounds)
    return f"{shares[len(shares) // 2]:.1f} % once it is warm"


def rss_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+) kB", file.read())[1]) * 1024


def memory_rounds(bench, names, pairs, seconds):
    """After every session was used and users were read from 256 connections."""
    url, _first = postgres_start()
    fill(url)
    for _ in range(pairs):
        with banyan(url, threads=2) as (pid, address):
            wait_answer(address)
            start = rss_bytes(pid)
            if not any(wrk(address, "sessions", SESSIONS, long, 256) >= SESSIONS for long in (4, 8, 16, 32)):
                raise BenchError("not every session was used")
            wrk(address, "even", USERS, max(seconds, 3), 256)
            yield {"banyan": {"cost": rss_bytes(pid) / MIB, "start": start / MIB, "others": 0}}
