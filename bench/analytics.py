# SPDX-License-Identifier: Apache-2.0
"""How analytics is measured. analytics.query: a funnel of four steps over thirty days and ten million events, by the program of
bench/analytics.c, which does what POST /v1/query does, and by one statement in PostgreSQL over a table of the same rows with the index
that it likes best; both must count the same. analytics.ingest: what is taken durably of wrk's batches, generator and service on the
same two processors. docs/guide/benchmarks.md says why it is fair."""
import contextlib
import functools
import pathlib
import re
import subprocess
import time

from contenders import BUILD, ROOT
from machine import BenchError, Busy, Cpu, end, spawn
from store import compile_program, family_seconds, fresh_folder, postgres_start, psql, run_program
from user import wait_for

PERSONS, STEPS = 200000, ("view", "cart", "checkout", "paid")
FIRST = "timestamptz '2026-11-01 00:00:00+00'"
MIB = 1 << 20
# Event i of {n}: the arithmetic of bench/analytics.c.
FILL = """
create unlogged table events (person int not null, event text not null, at timestamptz not null);
insert into events
select i * 1103515245 % 2147483647 % {persons} + 1,
       case when draw < 40 then 'view' when draw < 50 then 'cart' when draw < 54 then 'checkout' when draw < 56 then 'paid'
            else 'other ' || draw % 20 end,
       {first} + (i * 2592000 / {n} * 1000 + i % 1000) * interval '1 millisecond'
from (select i, (i * 48271 + 11) % 99991 % 100 as draw from generate_series(0::bigint, {n} - 1) as i) as drawn;
create index on events (event, person, at);
"""
# One sort, and a window for each step: what it is the latest beginning of, which is the quickest that was found.
ASK = """
with one as (select person, at, event, max(at) filter (where event = 'view') over w as began
             from events where event in ('view', 'cart', 'checkout', 'paid') and at >= {first} and at < {first} + interval '30 days'
             window w as (partition by person order by at)),
two as (select *, max(began) filter (where event = 'cart' and at - began <= interval '14 days') over w as began2
        from one window w as (partition by person order by at)),
three as (select *, max(began2) filter (where event = 'checkout' and at - began2 <= interval '14 days') over w as began3
          from two window w as (partition by person order by at))
select count(distinct person) filter (where began is not null), count(distinct person) filter (where began2 is not null),
       count(distinct person) filter (where began3 is not null),
       count(distinct person) filter (where event = 'paid' and at - began3 <= interval '14 days')
from three
"""


@functools.cache
def fill_postgres(count):
    """(URL, pid) of a server with the rows in it."""
    url, first = postgres_start()
    psql(url, "drop table if exists events", *filter(None, (part.strip() for part in
         FILL.format(n=count, persons=PERSONS, first=FIRST).split(";"))), "vacuum (analyze) events", "checkpoint")
    return url, first


def ask_postgres(count):
    url, first = fill_postgres(count)
    before, at, busy = family_seconds(first), time.monotonic(), Busy()
    told = subprocess.run(["psql", "-qAtX", url, "-c", "set work_mem = '256MB'", "-c", ASK.format(first=FIRST)], check=True, capture_output=True,
                          text=True).stdout.strip()
    seconds, spent, after = time.monotonic() - at, family_seconds(first) - before, Busy()
    return {"cost": spent, "seconds": seconds, "counts": [int(n) for n in told.split("|")],
            "others": max(after.busy - busy.busy - spent, 0) / seconds}


def ask_banyan(program, count, folder):
    told, _, _, others = run_program([program, "query", count, folder])
    return {"cost": told["cpu"], "seconds": told["seconds"], "counts": [step["persons"] for step in told["answer"]["steps"]], "others": others}


def query_rounds(bench, names, pairs, count):
    program = compile_program("analytics")
    with fresh_folder("analytics") as folder:
        run_program([program, "fill", count, folder])
        for _ in range(pairs):
            found = {name: ask_banyan(program, count, folder) if name == "banyan" else ask_postgres(count) for name in names}
            counts = {tuple(one["counts"]) for one in found.values()}
            if len(counts) != 1:
                raise BenchError(f"they do not count the same: {counts}")
            yield found


def seconds_too(_bench, rounds):
    return ", ".join(f"{name} {min(one[name]['seconds'] for one in rounds):.2f} s" for name in rounds[0])


# --- taking events --------------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def service():
    """(pid, address, a project's key)."""
    with fresh_folder("analytics") as folder:
        file, output = folder / "banyan.yaml", folder / "output"
        file.write_text(f"admin: off\nservices:\n  analytics:\n    listen: 127.0.0.1:0\n    database: \"sqlite:{folder}/analytics.db\"\n")
        banyan = BUILD / "release/banyan"
        key = subprocess.run([banyan, "analytics", "project", "bench", "-c", file], check=True, capture_output=True, text=True).stdout.strip()
        with output.open("w") as to:
            process = spawn([banyan, "serve", "-c", file, "--only", "analytics"], stdin=subprocess.DEVNULL, stdout=to, stderr=subprocess.STDOUT)
        try:
            yield process.pid, wait_for(output, "service analytics", process), key, folder / "analytics.db"
        finally:
            end(process)


def peak_bytes(pid):
    """The most that was resident at any time."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) << 10


def stored(database):
    import sqlite3
    with contextlib.closing(sqlite3.connect(database)) as other:
        return other.execute("select coalesce(sum(events), 0) from days").fetchone()[0]


def ingest(seconds, shape):
    with service() as (pid, address, key, database):
        before = Cpu([pid])
        done = subprocess.run(["wrk", "-t1", "-c64" if shape == "one" else "-c16", f"-d{seconds}", "--timeout", "10", "-s", ROOT / "bench/analytics.lua",
                               f"http://{address}/", "--", key, shape], check=True, capture_output=True, text=True).stdout
        spent = Cpu([pid]).since(before)
        failed = re.search(r"Non-2xx.*: (\d+)|Socket errors: (.*)", done)
        if failed:
            raise BenchError(f"not all was taken: {failed[0]}")
        there, memory = stored(database), peak_bytes(pid)
    return {"cost": seconds / there * 1e6, "events": there / seconds, "cpu_us": spent / there * 1e6, "memory": memory / MIB}


def ingest_rounds(bench, names, pairs, count):
    for _ in range(pairs):
        yield {"banyan": ingest(count, bench.args)}


def events_too(_bench, rounds):
    worst = min(rounds, key=lambda one: one["banyan"]["events"])["banyan"]
    return (f"{worst['events']:.0f} durable events/s at least, {worst['cpu_us']:.0f} us CPU each, "
            f"{max(one['banyan']['memory'] for one in rounds):.0f} MiB resident at most")
