# SPDX-License-Identifier: Apache-2.0
"""How the store is measured: programs linked with the library of the release build, each beside a peer of its own. What is
compared is said in docs/guide/benchmarks.md. Rounds are in turn, each run in a fresh process."""
import contextlib
import functools
import glob
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

from contenders import BUILD, ROOT
from machine import TICK, BenchError, Busy, Cpu, stat_fields

FOLDER = BUILD / "bench"
FLAGS = "-std=gnu17 -D_GNU_SOURCE -O2 -flto=auto -w".split()  # warnings are for the build; this is another optimizer's view
LIBRARIES = "sqlite3 libpq openssl libnghttp2 jansson yaml-0.1 libcares libpcre2-8 zlib hiredis libzstd libbrotlidec libidn2 libargon2 libcrypt".split()
ACCOUNTS, CLIENTS = 100000, 8
DEPTH = 16
TABLE = "create unlogged table bench_load (id uuid not null, n bigint not null, name text not null, at timestamptz not null)"
# who else there is: what says its version; those that are in our own programs have none
PEERS = {"sqlite": ["sqlite3", "-version"], "libpq": ["pg_config", "--version"], "pgbench": ["pgbench", "--version"],
         "psql": ["psql", "--version"], "map": None, "redis-benchmark": ["redis-benchmark", "--version"], "plain": None, "postgres": ["pg_config", "--version"],
         "smtp-source": ["postconf", "-d", "mail_version"],
         "fastapi": ["/usr/bin/python3", "-c", "import asyncpg, fastapi, uvicorn; print('FastAPI', fastapi.__version__, 'asyncpg', "
                     "asyncpg.__version__, 'uvicorn', uvicorn.__version__)"],
         "tree-sitter": None, "cold": None, "git-log": ["git", "--version"],
         "inserts": ["pgbench", "--version"],
         "sqlalchemy": ["/usr/bin/python3", "-c", "import fastapi, sqlalchemy; print('FastAPI', fastapi.__version__, 'SQLAlchemy', "
                        "sqlalchemy.__version__)"]}


def versions():
    """name: what it calls itself."""
    found = {name: "" for name in ("sqlite", "libpq", "map", "plain", "tree-sitter", "cold")}
    for name, command in PEERS.items():
        if command and shutil.which(command[0]):
            told = subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0].split(" (Debian")[0]
            if told:
                found[name] = "SQLite " + told.split()[0] if name == "sqlite" else told
    return found


def build():
    """The library that the programs are linked with."""
    subprocess.run([ROOT / "scripts/build", "release", "--quiet"], check=True)


def compile_program(name):
    """bench/NAME.c, when it or the library has changed."""
    target, source, library = FOLDER / name, ROOT / f"bench/{name}.c", BUILD / "release/libbanyan.a"
    if target.exists() and target.stat().st_mtime > max(source.stat().st_mtime, library.stat().st_mtime):
        return target
    words = subprocess.run(["pkg-config", "--cflags", "--libs", *LIBRARIES], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", *FLAGS, "-Isrc", "-Ibench", f"-I{BUILD / 'release'}", "-o", target, source, library, *words, "-lunistring", "-ljq", "-lm",
                    "-lpthread", "-ldl"], check=True, cwd=ROOT)
    return target


def spent_by_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_program(command, others=()):
    """(its last line as JSON or {}, CPU seconds it took, seconds, what of a processor others took but for these pids)."""
    before, busy, known = spent_by_children(), Busy(), Cpu(others)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=180)
    spent, rest, after = spent_by_children() - before, Cpu(others).since(known), Busy()
    if done.returncode != 0:
        raise BenchError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-800:]}")
    seconds = after.at - busy.at
    lines = done.stdout.strip().splitlines()
    told = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return told, spent, seconds, max(after.busy - busy.busy - spent - rest, 0) / seconds


@contextlib.contextmanager
def fresh_folder(name):
    folder = FOLDER / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def in_turn(names, pairs, one):
    """[{name: result}] of every round."""
    for _ in range(pairs):
        yield {name: one(name) for name in names}


# --- SQLite -----------------------------------------------------------------------------------------------------------

def sqlite_rounds(bench, names, pairs, count):
    """What the program calls it stands in bench.args, with the bare API's share of the work, which takes so much longer."""
    what, share = bench.args.split()
    program = compile_program("store_lite")

    def one(name):
        bare = name != "banyan"
        with fresh_folder("sqlite") as folder:
            told, _, _, others = run_program([program, what, "bare" if bare else "banyan",
                                              int(count * (float(share) if bare else 1)), folder])
        return told | {"others": others}
    yield from in_turn(names, pairs, one)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

@functools.cache
def postgres_start():
    """(URL, pid) of one server for all: no fsync, so that no disk is measured. It ends with us."""
    port = subprocess.run([ROOT / "tests/postgres", "start", str(os.getpid()), "bench", "shared_buffers=256MB", "max_wal_size=4GB",
                           "checkpoint_timeout=1h"], check=True, capture_output=True, text=True).stdout.strip()
    first = glob.glob(f"/tmp/banyan-postgres-*/{os.getpid()}-bench/data/postmaster.pid")[0]
    return f"postgresql://tester@127.0.0.1:{port}/postgres", int(pathlib.Path(first).read_text().split("\n", 1)[0])


def psql(url, *commands):
    subprocess.run(["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", url, *[word for text in commands for word in ("-c", text)]], check=True,
                   env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"})


def family_seconds(first):
    """Of the server: what runs now and what has ended."""
    while True:
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True).stdout.split()
        try:
            running = sum(time.clock_gettime((~int(pid) << 3) | 2) for pid in children)
        except OSError:
            continue  # one has ended since the list was made
        return running + sum(int(field) for field in stat_fields(first)[11:15]) / TICK


def backends_gone(url):
    text = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
    while subprocess.run(["psql", "-qAtX", url, "-c", text], check=True, capture_output=True, text=True).stdout.strip() != "0":
        pass


def both_sides(url, first, command, count):
    """Microseconds of processor time for each of `count`, the client's and the server's."""
    backends_gone(url)
    server = family_seconds(first)
    told, client_s, seconds, others = run_program(command)
    backends_gone(url)
    server_s = family_seconds(first) - server
    return told | {"cost": (client_s + server_s) * 1e6 / count, "client": client_s * 1e6 / count, "server": server_s * 1e6 / count,
                   "wall": seconds * 1e6 / count, "others": max(others - server_s / seconds, 0)}


def accounts(url):
    subprocess.run(["pgbench", "-i", "-q", "-I", "dtGvp", url], check=True, capture_output=True)


def pg_rounds(bench, names, pairs, count):
    url, first = postgres_start()
    script = FOLDER / "point_read.sql"
    script.write_text(f"\\set aid random(1, {ACCOUNTS})\nselect aid, bid, abalance from pgbench_accounts where aid = :aid;\n")
    accounts(url)
    commands = {"banyan": [compile_program("store_pg"), "read", CLIENTS, 2, count, url],
                "pgbench": ["pgbench", "-n", "-M", "prepared", "-c", CLIENTS, "-j", 2, "-t", count // CLIENTS, "-f", script, url]}
    yield from in_turn(names, pairs, lambda name: both_sides(url, first, commands[name], count))


def pg_read_rounds(bench, names, pairs, count):
    """The client's part only: what the store adds to libpq."""
    url, first = postgres_start()
    program = compile_program("store_pg")
    accounts(url)

    def one(name):
        found = both_sides(url, first, [program, "read" if name == "banyan" else "bare", DEPTH, 1, count, url], count)
        return found | {"cost": found["cpu"] * 1e6 / count}
    yield from in_turn(names, pairs, one)


def copy_rounds(bench, names, pairs, count):
    url, first = postgres_start()
    data = FOLDER / "load.txt"
    with open(data, "w", encoding="ascii") as file:
        for i in range(count):
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1700000000 + i * 1000003 // 1000000))
            file.write(f"00000000-0000-0000-{i >> 48:04x}-{i & 0xffffffffffff:012x}\t{i * 7919}\tthe name of row {i}\t"
                       f"{at}.{i * 1000003 % 1000000:06d}+00\n")
    psql(url, "drop table if exists bench_load", TABLE)
    commands = {"banyan": [compile_program("store_pg"), "load", CLIENTS, 2, count, url],
                "psql": ["psql", "-qX", url, "-c", f"\\copy bench_load from '{data}'"]}

    def one(name):
        psql(url, "truncate bench_load", "checkpoint")
        return both_sides(url, first, commands[name], count)
    yield from in_turn(names, pairs, one)
    data.unlink()


# --- the cache --------------------------------------------------------------------------------------------------------

class Redis:
    """A server of its own that keeps nothing on disk."""

    def __enter__(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", FOLDER],
                                        stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if "eady to accept connections" in line:
                return self
        raise BenchError("redis-server did not start: scripts/bootstrap test")

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def memory_rounds(bench, names, pairs, count):
    program = compile_program("cache")

    def one(name):
        told, _, _, others = run_program([program, "memory" if name == "banyan" else "map", count])
        return {"cost": told["ns"], "others": others}
    yield from in_turn(names, pairs, one)


def redis_rounds(bench, names, pairs, count):
    """The pipeline's depth stands in bench.args. Of redis-benchmark its whole process counts: start and end are a millisecond."""
    program, depth = compile_program("cache"), bench.args

    with Redis() as redis:
        subprocess.run([program, "fill", str(redis.port)], check=True, capture_output=True)

        def one(name):
            if name == "banyan":
                told, _, _, others = run_program([program, "redis", redis.port, count, depth], [redis.process.pid])
                return {"cost": told["ns"], "others": others}
            _, spent, _, others = run_program(["redis-benchmark", "-p", redis.port, "-n", count, "-P", depth, "-c", 1, "-q", "GET",
                                               "user:100000:profile"], [redis.process.pid])
            return {"cost": spent * 1e9 / count, "others": others}
        yield from in_turn(names, pairs, one)


# --- the bus ----------------------------------------------------------------------------------------------------------

def bus_rounds(bench, names, pairs, count):
    """First as fast as it goes, then the delay of everyone at half of our rate."""
    program = compile_program("bus")

    def one(redis, name, number, rate):
        with fresh_folder("bus") as folder:
            told, _, _, others = run_program([program, name, number, rate, redis.url, f"sqlite:{folder}/bus.db"], [redis.process.pid])
        return told | {"others": others}

    with Redis() as redis:
        for _ in range(pairs):
            full = {name: one(redis, name, count, 0) for name in names}
            half = int(full["banyan"]["rate"] / 2)
            paced = {name: one(redis, name, min(count, half * 4), half) for name in names}
            yield {name: {"cost": 1e6 / full[name]["rate"], "rate": full[name]["rate"], "offered": half,
                          "paced_rate": paced[name]["rate"], "p50_us": paced[name]["p50_us"], "p99_us": paced[name]["p99_us"],
                          "others": max(full[name]["others"], paced[name]["others"])} for name in names}
