# SPDX-License-Identifier: Apache-2.0
"""The benchmarks and how each is run: rounds of all contenders in turn, each in a process of its own, and of every round
the ratios of ours to theirs."""
import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

from contenders import BUILD, CONTENDERS, ROOT, Origin, Setup, first_line, make_certificate
from generators import GENERATORS, USERS, run_cost, run_precision, run_users
from machine import BenchError, Busy, Cpu, Instructions, end, plan_cpus, pss_bytes, spawn
import analytics
import audit
import jwt
import mail
import notification
import past
import payment
import serve
import store
import user

FLAGS = "-std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror".split()
PROGRAMS = {"origin": [], "relay": [], "hold": [], "load": ["-lssl", "-lcrypto"]}
FOLDER = BUILD / "bench"
PEERS = ("nginx", "haproxy")
SERVERS = ("nginx", "nginx-ofc")    # of files, the second with open_file_cache
MAKERS = ("wrk", "h2load")         # of load
FEW = "few"                         # ours with ten routes, where that is the rival
MIB = 1 << 20
FILE_SIZES = (1024, 102400, MIB)
NOISE = 0.05                        # of one processor, spent by others or stolen: above it a run is called noisy
VERIFIER = "apache"                 # of tokens
BEST = "best peer"                  # the cheaper of nginx and HAProxy


@dataclasses.dataclass
class Budget:
    """What design.md section 9 allows: a ratio to someone, or, with `against` empty, an amount of ours."""
    against: str
    limit: float


@dataclasses.dataclass
class Bench:
    name: str
    title: str
    unit: str
    run: callable                               # (bench, contender, share of the work) -> result with "cost"
    args: str = ""                              # of load or h2load, {n} being the requests of one run
    requests: int = 0
    per_request: float = 1                      # units in one request
    rivals: tuple = PEERS
    budgets: tuple = ()
    full: bool = False
    tls: bool = False
    site: bool = False                          # with static files
    large: bool = False                         # large bodies: whoever has a knob for them turns it
    held: bool = False                          # bodies of requests are held until they are whole
    everywhere: bool = False                    # all processors for all, a thread on each
    connections: int = 4096
    queued: bool = False                        # ours waits for one of few connections to the upstream
    routes: int = 0                             # of ours
    kinds: dict = dataclasses.field(default_factory=lambda: CONTENDERS)
    rounds: callable = None                     # (bench, names, pairs, requests) -> rounds, instead of run: the store's
    notes: callable = lambda _bench, _rounds: ""  # something more to say on the line


def compile_programs():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, libraries in PROGRAMS.items():
        source, target, header = ROOT / f"bench/{name}.c", FOLDER / name, ROOT / "bench/net.h"
        if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime, header.stat().st_mtime):
            subprocess.run(["cc", *FLAGS, "-o", target, source, *libraries], check=True)


def make_site():
    """A file of each size, never to be compressed."""
    folder = FOLDER / "site"
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for size in FILE_SIZES:
        file = folder / f"files/{size}.bin"
        if not file.exists():
            file.write_bytes(os.urandom(size))
            os.utime(file, (1600000000, 1600000000))
    return folder


class Runner:
    """One session of benchmarks: where processes run, and what can be counted here."""

    def __init__(self, contenders, instructions):
        self.contenders, self.instructions = contenders, instructions
        self.measured_cpus, self.other_cpus = plan_cpus()

    def rounds(self, bench, pairs, share):
        """[{contender: result}] of every round, everyone in the same order."""
        names = [name for name in ("banyan", "before", *bench.rivals) if name in self.contenders]
        if bench.rounds:
            if "banyan" in names:
                yield from bench.rounds(bench, [name for name in names if name != "before"], pairs, int(bench.requests * share))
            return
        for number in range(pairs):
            yield {name: self.one(bench, name, number, share) for name in names}

    def one(self, bench, name, number, share):
        folder = FOLDER / "run" / f"{bench.name}.{number}.{name}"
        shutil.rmtree(folder, ignore_errors=True)
        cpus, others = (None, None) if bench.everywhere else (self.measured_cpus, self.other_cpus)
        self.cpus = others
        # Fewer idle connections would each carry more of what is there anyway.
        requests = bench.requests if bench.run is run_idle else max(int(bench.requests * share), 64)
        with Origin(others) as origin:
            setup = Setup(upstream=origin.port, folder=folder, cpus=cpus, full=bench.full, large=bench.large, held=bench.held,
                          connections=bench.connections,
                          threads=len(self.measured_cpus | self.other_cpus) if bench.everywhere else 1,
                          tls=make_certificate() if bench.tls else None, routes=bench.routes, queued=bench.queued,
                          site=make_site() if bench.site else None)
            self.origin = origin
            contender = bench.kinds[name](setup)
            with contender:
                result = bench.run(self, bench, contender, requests)
        if bench.full and contender.log_lines() < requests:
            raise BenchError(f"{name}: {contender.log_lines()} lines in the access log for {requests} requests")
        shutil.rmtree(folder, ignore_errors=True)
        return result

    @contextlib.contextmanager
    def measured(self, bench, contender, requests, result, generator):
        """Fills `result` with what the contender spent inside the `with`."""
        pids = contender.pids()
        ours = [self.origin.process.pid, generator]
        with Instructions(pids, self.instructions) as counted:
            busy, before, rest = Busy(), Cpu(pids), Cpu(ours)
            yield
            after, busy_after, rest_after = Cpu(contender.pids()), Busy(), Cpu(ours)
        spent, units = after.since(before), requests * bench.per_request
        seconds = busy_after.at - busy.at
        known = spent + rest_after.since(rest)
        result.update(
            cost=spent * 1e6 / units, seconds=seconds, rate=units / seconds, of_one_processor=spent / seconds,
            user_share=(after.user - before.user) / max(after.user - before.user + after.system - before.system, 1e-9),
            others=max(busy_after.busy - busy.busy - known, 0) / seconds,
            stolen=(busy_after.steal - busy.steal) / seconds,
            instructions=counted.count / units if counted.count else None)


def run_load(runner, bench, contender, requests):
    """bench/load: the window is exactly its requests, on connections that are open already."""
    command = [FOLDER / "load", "-p", contender.port,
               *bench.args.format(n=requests, w=max(requests // 10, 200), folder=contender.setup.folder).split()]
    load = spawn(command, runner.cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    result = {}
    try:
        told = first_line(load.stdout, 60)
        if told == "warm":
            with runner.measured(bench, contender, requests, result, load.pid):
                load.stdin.write(b"\n")
                load.stdin.flush()
                told = first_line(load.stdout, 120)
        if not told.startswith("{"):
            raise BenchError(f"{contender.name}: {load.stderr.read().decode().strip() or 'the load ended early'}")
    finally:
        end(load)
    result.update(json.loads(told))
    if result["requests"] != requests:
        raise BenchError(f"{contender.name}: {result['requests']} answers for {requests} requests")
    if "-R" in bench.args.split() and result["resumed"] != requests:
        raise BenchError(f"{contender.name}: resumed {result['resumed']} of {requests} sessions")
    return result


run_jwt = functools.partial(jwt.run_jwt, run_load)


def run_scale(runner, bench, contender, requests):
    """bench/load with many connections, for the rival with few."""
    few = dataclasses.replace(bench, args=bench.args.replace("-c 15000", "-c 100"))
    return run_load(runner, few if contender.name == FEW else bench, contender, requests)


def run_reload(runner, bench, contender, requests):
    """So many reloads, each of which changes a limit and one route of all."""
    file, pid, result = contender.setup.folder / "banyan.yaml", contender.process.pid, {"requests": requests}
    texts = [file.read_text()]
    texts.append(texts[0].replace("idle: 300s", "idle: 301s", 1).replace("name: r1,", "name: s1,"))
    touch(contender, "/exact/section-10000/page" if bench.routes else "/items/42")
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted from here
    start = status_bytes(pid, "VmRSS")
    with runner.measured(bench, contender, requests, result, os.getpid()):
        for number in range(1, requests + 1):
            file.write_text(texts[number % 2])
            contender.process.send_signal(signal.SIGHUP)
            give_up = time.monotonic() + 60
            while contender.output.read_text().count("was reloaded") < number:
                if time.monotonic() > give_up:
                    raise BenchError(f"{contender.name}: {contender.output.read_text()[-2000:]}")
                time.sleep(0.005)
    result.update(start_bytes=start, grown_bytes=status_bytes(pid, "VmRSS") - start, peak_bytes=status_bytes(pid, "VmHWM") - start,
                  cpu_ms=result["cost"])
    if bench.unit.startswith("MiB"):
        result["cost"] = result["peak_bytes"] / MIB
    return result


def status_bytes(pid, name):
    return int(re.search(rf"{name}:\s*(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def compile_find():
    """bench/find.c, with the library of the release build beside it."""
    source, target, library = ROOT / "bench/find.c", FOLDER / "find", BUILD / "release/libbanyan.a"
    libraries = "libpcre2-8 jansson yaml-0.1 openssl libnghttp2 libcares zlib".split()
    if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime, library.stat().st_mtime):
        found = subprocess.run(["pkg-config", "--libs", *libraries], check=True, capture_output=True, text=True)
        subprocess.run(["cc", *FLAGS, "-w", "-flto=auto", f"-I{ROOT / 'src'}", f"-I{ROOT / 'bench'}", "-o", target, source,
                        library, *found.stdout.split(), "-lm", "-ldl", "-pthread"], check=True)
    return target


def run_routes(runner, bench, contender, requests):
    """bench/load with a list of paths; and what finding a route costs by itself."""
    result = run_load(runner, bench, contender, requests)
    folder = contender.setup.folder
    found = subprocess.run([compile_find(), folder / "banyan.yaml", folder / "targets"], check=True, capture_output=True)
    result.update(json.loads(found.stdout))
    return result


def run_h2load(runner, bench, contender, requests):
    """h2load: the window holds its few handshakes too, the same for everyone."""
    words = bench.args.format(n=requests).split()
    result, text = {}, ""
    warm = spawn(["h2load", *bench.args.format(n=requests // 10).split(), f"https://127.0.0.1:{contender.port}/items/42"],
                 runner.cpus, stdout=subprocess.DEVNULL)
    warm.wait(60)
    with (contender.setup.folder / "h2load").open("w+") as output:
        load = spawn(["sh", "-c", 'read -r go && "$@" && echo done >&2 && read -r end', "-", "h2load", *words,
                      f"https://127.0.0.1:{contender.port}/items/42"],
                     runner.cpus, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE)
        try:
            with runner.measured(bench, contender, requests, result, load.pid):
                load.stdin.write(b"\n")
                load.stdin.flush()
                first_line(load.stderr, 120)
        finally:
            end(load)
        output.seek(0)
        text = output.read()
    wanted = [rf"{requests} total, {requests} started, {requests} done, {requests} succeeded, 0 failed, 0 errored",
              rf"status codes: {requests} 2xx, 0 3xx", rf"\({requests * 128}\) data"]
    if not all(re.search(pattern, text) for pattern in wanted):
        raise BenchError(f"{contender.name}: {text.strip()[-800:]}")
    result["requests"] = requests
    return result


def touch(contender, path="/items/42"):
    """One request, so that every worker is known to have set itself up."""
    with socket.create_connection(("127.0.0.1", contender.port), 10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    if not answer.startswith(b"HTTP/1.1 200"):
        raise BenchError(f"{contender.name}: the first answer was {answer[:200]!r}")


def run_idle(runner, bench, contender, requests):
    """bench/hold: the contender's own memory for connections that are open, have been used once and do nothing."""
    touch(contender)
    start = pss_bytes(contender.pids())
    hold = spawn([FOLDER / "hold", contender.port, requests, bench.args], runner.cpus, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE)
    try:
        told = first_line(hold.stdout, 120)
        if told != f"held {requests}":
            raise BenchError(f"{contender.name}: {hold.stderr.read().decode().strip() or told}")
        full = pss_bytes(contender.pids())
        hold.stdin.write(b"\n")
        hold.stdin.flush()
        told = first_line(hold.stdout, 60)
        if told != f"alive {requests}":
            raise BenchError(f"{contender.name}: {told} of {requests} idle connections")
    finally:
        end(hold)
    return {"cost": (full - start) / requests, "start_bytes": start, "full_bytes": full, "requests": requests,
            "whole": full / requests}


def middle(rounds, name, what):
    return statistics.median(one[name][what] for one in rounds)


def sides(_bench, rounds):
    """The client's and the server's part of everyone."""
    return "client and server " + ", ".join(f"{name} {middle(rounds, name, 'client'):.2f} and {middle(rounds, name, 'server'):.2f}"
                                            for name in rounds[0])


def delays(_bench, rounds):
    parts = [f"{name} {middle(rounds, name, 'rate'):.0f}/s" for name in rounds[0]]
    parts += [f"at {middle(rounds, 'banyan', 'offered'):.0f}/s offered"]
    parts += [f"{name} p50 {middle(rounds, name, 'p50_us') / 1000:.1f} and p99 {middle(rounds, name, 'p99_us') / 1000:.1f} ms "
              f"({middle(rounds, name, 'paced_rate'):.0f}/s)" for name in rounds[0]]
    return ", ".join(parts)


CPU = "us CPU/request"
BENCHES = (
    Bench("gateway.cpu", "keep-alive requests, 128 B JSON, 64 connections, as fast as they are answered", CPU, run_load,
          "-n {n} -w {w}", 60000, rivals=(*PEERS, "relay"), budgets=(Budget(BEST, 0.80), Budget("relay", 1.15))),
    Bench("gateway.cpu.paced", "the same at 8,000 a second, which all can serve with time to spare", CPU, run_load,
          "-n {n} -w {w} -r 8000", 24000, rivals=(*PEERS, "relay")),
    Bench("gateway.cpu.all", "the same with a thread on every processor and nobody pinned", CPU, run_load,
          "-n {n} -w {w}", 60000, everywhere=True),
    Bench("gateway.cpu_full", "the same with access log, metrics and request ids on everywhere", CPU, run_load,
          "-n {n} -w {w}", 60000, full=True, budgets=(Budget(BEST, 0.85),)),
    Bench("gateway.routes", "10,000 routes against 10, with the same mix of exact paths, prefixes, named parts, expressions, misses",
          CPU, run_routes, "-n {n} -w {w} -T {folder}/targets", 40000, rivals=(FEW,), budgets=(Budget(FEW, 1.2),),
          routes=10000),
    Bench("gateway.scale", "15,000 connections against 100, at the same 4,000 requests a second", CPU, run_scale,
          "-c 15000 -n {n} -w 20000 -r 4000", 24000, rivals=(FEW,), budgets=(Budget(FEW, 1.3),), connections=16000,
          queued=True),
    Bench("gateway.reload", "a reload with 10,000 routes of which one has changed", "ms CPU/reload", run_reload,
          "", 64, per_request=1000, rivals=(), routes=10000),
    Bench("gateway.reload.memory", "the same: what it takes above what was there, at its peak", "MiB", run_reload,
          "", 64, rivals=(), routes=10000),
    Bench("gateway.idle", "15,000 idle keep-alive connections after a request each, 64 of them active at a time",
          "B PSS/connection", run_idle, "64", 15000, connections=16000, budgets=(Budget("", 400),)),
    Bench("gateway.idle.calm", "the same with one active at a time, which is kindest to an allocator", "B PSS/connection",
          run_idle, "1", 15000, connections=16000, budgets=(Budget("", 400),)),
    Bench("gateway.tls", "keep-alive requests over TLS 1.3", CPU, run_load, "-s -n {n} -w {w}", 50000, tls=True),
    Bench("gateway.tls.new", "a connection, a full TLS 1.3 handshake (P-256) and a request", "us CPU/connection", run_load,
          "-s -1 -c 16 -n {n} -w {w}", 3000, tls=True),
    Bench("gateway.tls.resumed", "the same, the session resumed from a ticket", "us CPU/connection", run_load,
          "-s -1 -R -c 16 -n {n} -w {w}", 5000, tls=True),
    Bench("gateway.h2", "HTTP/2 over TLS towards clients, HTTP/1.1 upstream, 16 connections of 16 streams", CPU, run_h2load,
          "-t 1 -c 16 -m 16 -n {n}", 50000, tls=True),
    Bench("gateway.large.down", "answers of 1 MiB, 16 connections", "us CPU/MiB", run_load,
          "-c 16 -t /bytes/1048576 -b 1048576 -n {n} -w {w}", 3000, rivals=(*PEERS, "relay"), large=True),
    Bench("gateway.large.up", "request bodies of 1 MiB, 16 connections", "us CPU/MiB", run_load,
          "-c 16 -u 1048576 -n {n} -w {w}", 3000, rivals=(*PEERS, "relay"), large=True),
    Bench("gateway.large.held", "the same, each body held until it is whole, 64 KiB of it in memory and the rest in a file",
          "us CPU/MiB", run_load, "-c 16 -u 1048576 -n {n} -w {w}", 1500, rivals=("nginx",), large=True, held=True),
    Bench("gateway.files.1k", "a static file of 1 KiB", CPU, run_load, "-t /files/1024.bin -b 1024 -n {n} -w {w}", 60000,
          rivals=SERVERS, site=True, budgets=(Budget(BEST, 1.0),)),
    Bench("gateway.files.100k", "a static file of 100 KiB", CPU, run_load, "-t /files/102400.bin -b 102400 -n {n} -w {w}", 20000,
          rivals=SERVERS, site=True, budgets=(Budget(BEST, 1.0),)),
    Bench("gateway.files.1m", "a static file of 1 MiB, 16 connections", "us CPU/MiB", run_load,
          "-c 16 -t /files/1048576.bin -b 1048576 -n {n} -w {w}", 4000, rivals=SERVERS, site=True),
    Bench("gateway.files.tls", "a static file of 100 KiB over TLS 1.3", CPU, run_load,
          "-s -t /files/102400.bin -b 102400 -n {n} -w {w}", 8000, rivals=SERVERS, site=True, tls=True),
    Bench("gateway.jwt.cached", "what a policy adds to a request whose token (ES256, one of 1,000 in turn) is remembered", CPU, run_jwt,
          "-n {n} -w 3000", 30000, rivals=(VERIFIER,), kinds=jwt.CACHED, notes=jwt.parts),
    Bench("gateway.jwt.es256", "the same, every token being verified: ours with `cache: 0`", CPU, run_jwt,
          "-n {n} -w 3000", 15000, rivals=(VERIFIER,), kinds=jwt.ES256, notes=jwt.parts),
    Bench("load.cpu", "`banyan load` against other generators: 64 connections, each asking again as soon as it is answered", CPU,
          run_cost, "", 3000, rivals=MAKERS, kinds=GENERATORS, budgets=(Budget("wrk", 1.1), Budget("h2load", 1.0))),
    Bench("load.memory", "15,000 users with cookies, variables and time to think; of the others, connections",
          "B PSS/user", run_users, "", USERS, rivals=MAKERS, kinds=GENERATORS, budgets=(Budget("", 200e6 / USERS),)),
    Bench("load.memory.tls", "the same over TLS 1.3", "B PSS/user", run_users, "", USERS, rivals=(), kinds=GENERATORS, tls=True),
    Bench("load.precision", "10,000 arrivals a second: how late each begins", "us late, median", run_precision, "", 5000,
          rivals=(), kinds=GENERATORS, budgets=(Budget("", 100),)),
    Bench("store.commit", "durable rows in SQLite, a transaction each, 64 fibers; by the bare C API one after another",
          "us/commit", None, "commit 0.05", 60000, rivals=("sqlite",), budgets=(Budget("sqlite", 0.2),), rounds=store.sqlite_rounds),
    Bench("store.read", "point reads from SQLite, 16 fibers; by the bare C API one after another", "us CPU/read", None, "read 1",
          400000, rivals=("sqlite",), budgets=(Budget("sqlite", 1.5),), rounds=store.sqlite_rounds),
    Bench("store.read.pg", "point reads from PostgreSQL, 16 in flight on one thread; by libpq as it is; without the server's part",
          "us CPU/read", None, "", 200000, rivals=("libpq",), budgets=(Budget("libpq", 1.5),), rounds=store.pg_read_rounds),
    Bench("store.pg", "point reads from PostgreSQL over 8 connections, two threads; pgbench -M prepared; with the server's part",
          "us CPU/read", None, "", 200000, rivals=("pgbench",), budgets=(Budget("pgbench", 1.2),), rounds=store.pg_rounds,
          notes=sides),
    Bench("store.copy", "a million rows of four columns into PostgreSQL; psql's \\copy; with the server's part", "us CPU/row", None, "",
          1000000, rivals=("psql",), budgets=(Budget("psql", 1.1),), rounds=store.copy_rounds, notes=sides),
    Bench("cache.get", "gets from the memory tier by two threads; a hash map under a mutex", "ns CPU/get", None, "", 5000000,
          rivals=("map",), budgets=(Budget("map", 1.5),), rounds=store.memory_rounds),
    Bench("cache.redis", "gets from the Redis tier, 16 at a time; redis-benchmark with -P 16", "ns CPU/get", None, "16", 1000000,
          rivals=("redis-benchmark",), budgets=(Budget("redis-benchmark", 1.3),), rounds=store.redis_rounds),
    Bench("cache.redis.deep", "the same, 64 at a time; -P 64", "ns CPU/get", None, "64", 1000000,
          rivals=("redis-benchmark",), budgets=(Budget("redis-benchmark", 1.3),), rounds=store.redis_rounds),
    Bench("bus.relay", "events from a full outbox through relay, Redis and consumer; a plain XADD/XREADGROUP/XACK loop, which keeps "
          "no promise; the delay of both at half of our rate", "us/event", None, "", 100000, rivals=("plain",),
          rounds=store.bus_rounds, notes=delays),
    Bench("notification.accept", "POST /v1/notifications with PostgreSQL behind, durable before the answer, 64 connections, one thread; a twin "
          "of FastAPI and asyncpg; without the database's part", CPU, None, "", 8, rivals=("fastapi",), rounds=notification.accept_rounds,
          notes=notification.lite_too),
    Bench("notification.sent", "a notification for a topic of 5,000, until the last of them is with a provider; SQLite, every attempt durable "
          "before and after", "us CPU/delivery", None, "", 8, rivals=(), rounds=notification.sent_rounds),
    Bench("analytics.query", "a funnel of four steps over thirty days and ten million events; the same in one statement in PostgreSQL, over "
          "a table with the index for it", "s CPU", None, "", 10000000, rivals=("postgres",), budgets=(Budget("postgres", 0.2),),
          rounds=analytics.query_rounds, notes=analytics.seconds_too),
    Bench("analytics.ingest", "events of 160 bytes taken durably, 100 in a request, wrk and the service on the same processors", "us/event", None,
          "batch", 10, rivals=(), budgets=(Budget("", 100),), rounds=analytics.ingest_rounds, notes=analytics.events_too),
    Bench("analytics.ingest.one", "the same, one in a request, 64 connections", "us/event", None, "one", 10, rivals=(), budgets=(),
          rounds=analytics.ingest_rounds, notes=analytics.events_too),
    Bench("user.read", "GET /v1/users/{id} with PostgreSQL behind, 32 connections, one thread; a twin of FastAPI and asyncpg; without the "
          "database's part", CPU, None, "", 8, rivals=("fastapi",), budgets=(Budget("fastapi", 0.1),), rounds=user.read_rounds),
    Bench("user.pg", "the database's part of the same; pgbench -M prepared with the same columns", "us CPU/read", None, "", 8,
          rivals=("pgbench",), budgets=(Budget("pgbench", 1.2),), rounds=user.pg_rounds),
    Bench("user.cache", "reads drawn by Zipf out of 100,000 users with a change in a hundred, memory and Redis in front, from a cold start: "
          "those that went to the database", "% of the reads", None, "", 8, rivals=(), budgets=(Budget("", 30),), rounds=user.cache_rounds,
          notes=user.warm_too),
    Bench("notification.smtp", "mails of 2 KiB handed to postfix over 20 connections; smtp-source", "us/mail", None, "", 4000,
          rivals=("smtp-source",), budgets=(Budget("smtp-source", 1.2),), rounds=mail.smtp_rounds, notes=mail.rates),
    Bench("serve.memory", "the gateway and all services as `banyan serve` starts them in an empty folder, at rest", "MiB resident", None, "", 1,
          rivals=(), budgets=(Budget("", 64),), rounds=serve.memory_rounds),
    Bench("user.memory", "the service after 10,000 sessions of 100,000 users were used, on 256 connections", "MiB resident", None, "", 8,
          rivals=(), budgets=(Budget("", 64),), rounds=user.memory_rounds),
    Bench("payment.ledger", "durable transfers in batches of 8,000 between 500 wallets with limits and a hot account; single INSERTs, each a "
          "commit, by pgbench with 16 clients", "us/transfer", None, "", 8, rivals=("inserts",), budgets=(Budget("inserts", 0.1),),
          rounds=payment.ledger_rounds, notes=payment.rates),
    Bench("payment.intents", "payment intents made and confirmed, durable, PostgreSQL behind, 32 connections, one thread; a twin of FastAPI and "
          "SQLAlchemy; without the database's part", "us CPU/intent", None, "", 8, rivals=("sqlalchemy",), budgets=(Budget("sqlalchemy", 0.1),),
          rounds=payment.intent_rounds, notes=payment.rates),
    Bench("audit.cold", "everything that an audit says of Debian's Django, with nothing known before; parsing the same files by tree-sitter, and "
          "nothing else", "s CPU", None, "", 1, rivals=("tree-sitter",), budgets=(Budget("tree-sitter", 1.5),), rounds=audit.cold_rounds,
          notes=audit.sizes),
    Bench("audit.warm", "the same once more, nothing having changed", "s CPU", None, "", 1, rivals=("cold",), budgets=(Budget("cold", 0.1),),
          rounds=audit.warm_rounds, notes=audit.seconds),
    Bench("audit.memory", "the most that the first of these had at any time", "MiB resident", None, "", 1, rivals=(), budgets=(Budget("", 150),),
          rounds=audit.memory_rounds),
    Bench("audit.history", "hotspots, coupling and ownership of 10,000 commits: an audit with its history, less one without; git log --name-only", "s CPU",
          None, "", 1, rivals=("git-log",), budgets=(Budget("git-log", 2.0),), rounds=past.history_rounds, notes=past.figures),
    Bench("audit.trends", "24 moments of the same, each text read once; an audit with them, less one without", "s CPU", None, "", 1, rivals=(),
          rounds=past.trend_rounds, notes=past.figures),
    Bench("audit.deep", "who wrote what was mended, of the same; an audit with it, less one without", "s CPU", None, "", 1, rivals=(),
          rounds=past.deep_rounds, notes=past.figures),
)


def selected(names):
    """Each name stands for itself and for what is below it."""
    chosen = [bench for bench in BENCHES
              if not names or any(bench.name == name or bench.name.startswith(name + ".") for name in names)]
    for name in names:
        if not any(bench.name == name or bench.name.startswith(name + ".") for bench in BENCHES):
            raise SystemExit(f"no benchmark {name}; there are: {', '.join(bench.name for bench in BENCHES)}")
    return chosen


def median_cost(rounds, name):
    return statistics.median(one[name]["cost"] for one in rounds)


def median_instructions(rounds, name):
    counts = [one[name]["instructions"] for one in rounds if one[name].get("instructions")]
    return statistics.median(counts) if counts else None


def median_find(rounds, name):
    return statistics.median(one[name]["find_ns"] for one in rounds) if "find_ns" in rounds[0][name] else None


def ratios(rounds, against):
    """Of every round; {} where ours or theirs was not run."""
    if not all(name in rounds[0] for name in ("banyan", against)):
        return {}
    all_of_them = [one["banyan"]["cost"] / one[against]["cost"] for one in rounds]
    return {"ratio": statistics.median(all_of_them), "least": min(all_of_them), "most": max(all_of_them)}


def judge(bench, rounds):
    """What the rounds say: costs, ratios, budgets with their verdicts."""
    peers = [name for name in (*PEERS, *SERVERS[1:], *MAKERS, FEW, VERIFIER, *store.PEERS) if name in rounds[0]]
    best = min(peers, key=lambda name: median_cost(rounds, name)) if peers else None
    costs = {name: {"median": median_cost(rounds, name), "least": min(one[name]["cost"] for one in rounds),
                    "most": max(one[name]["cost"] for one in rounds),
                    "instructions": median_instructions(rounds, name), "find_ns": median_find(rounds, name)}
             for name in rounds[0]}
    against = {name: found for name in rounds[0] if name != "banyan" for found in [ratios(rounds, name)] if found}
    verdicts = []
    for budget in bench.budgets:
        to = best if budget.against == BEST else budget.against
        got = against.get(to, {}).get("ratio") if budget.against else costs.get("banyan", {}).get("median")
        if got is not None:
            verdicts.append({"against": to, "limit": budget.limit, "got": got, "met": got <= budget.limit})
    noisy = max((one[name].get("others", 0) + one[name].get("stolen", 0) for one in rounds for name in one), default=0)
    return {"name": bench.name, "title": bench.title, "unit": bench.unit, "pairs": len(rounds), "best": best,
            "costs": costs, "ratios": against, "budgets": verdicts, "notes": bench.notes(bench, rounds), "noise": noisy, "noisy": noisy > NOISE,
            "rounds": rounds}


def result_path(name):
    return pathlib.Path(FOLDER / f"{name}.json")
