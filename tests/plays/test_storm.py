# SPDX-License-Identifier: Apache-2.0
"""Everything at once: clients that break off, servers that die and come back, a new configuration every 20 ms, scrapes all the
while, and a new process in place of the old one now and then. What need not fail must not, and what was taken is given back.

The servers and the clients are processes of their own (tests/plays/storm). The seed is in the report of a failure;
BANYAN_STORM=SECONDS[,SEED] asks for a storm of one's own."""
import contextlib
import json
import os
import pathlib
import random
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

from actors.gateway import complete
from actors.process import Program, listening_socket
from actors.waiting import PATIENCE_S, PROOF, until

STORM = pathlib.Path(__file__).parent / "storm"
LIVES = 20 if PROOF else 3
SECONDS, _, SEED = os.environ.get("BANYAN_STORM", "120" if PROOF else "4").partition(",")
TOKEN = "a word that only the storm knows"
RELOAD_S, LIFE_S = 0.02, 1.5


class Weather(Program):
    """One of the two scripts: a word a line in, a line of JSON out."""

    def __init__(self, folder, script, *words):
        super().__init__(f"storm-{script}", folder, [sys.executable, STORM / script, *words], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, bufsize=0)

    def line(self, within=PATIENCE_S * 6):
        assert select.select([self.process.stdout], [], [], within)[0], f"{self.name} says nothing\n{self.report()}"
        line = self.process.stdout.readline().decode()
        assert line, f"{self.name} has ended\n{self.report()}"
        return line

    def tell(self, word):
        self.process.stdin.write(word.encode() + b"\n")
        return self.line()

    def finish(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.wait(PATIENCE_S)
        self.process.stdout.close()


def yaml_of(conf):
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in conf.items())


class Configurations:
    """One after another, all of them right, and good for what the calm ones ask."""

    def __init__(self, chance, servers, folder, extra):
        self.chance, self.servers, self.extra, self.has_extra = chance, servers, extra, False
        self.files = folder / "files"
        self.files.mkdir()
        (self.files / "f").write_text("file\n" * 1000)

    def one_of(self, *items):
        return self.chance.choice(items)

    def some(self, kind):
        """Servers of a kind, one at least with a weight, sometimes with limits."""
        every = list(self.servers[kind])
        self.chance.shuffle(every)
        every = every[:self.chance.randint(1, len(every))]
        return [{"address": address, "weight": self.one_of(1, 2, 7) if at == 0 else self.one_of(0, 1, 5),
                 **({"max_connections": self.one_of(1, 3, 6)} if self.chance.random() < 0.4 else {})}
                for at, address in enumerate(every)]

    def keepalive(self):
        return {"idle_per_loop": self.one_of(0, 1, 8, 256), "requests": self.one_of(0, 0, 3), "idle_time": self.one_of("5ms", "50ms", "1500ms")}

    def upstream(self, kind):
        up = {"servers": self.some(kind), "balance": self.one_of("round_robin", "least_request", "ewma", "hash"),
              "keepalive": self.keepalive(), "max_connections": self.one_of(0, 1, 2, 5)}
        if kind.endswith("2"):
            up["protocol"] = "h2"
        if kind.startswith("calm"):
            return {**up, "queue": {"length": 10000, "timeout": "2m"},
                    "timeouts": {"connect": "60s", "head": "60s", "request": "2m"}}
        up |= {"queue": {"length": self.one_of(0, 1, 5, 100), "timeout": self.one_of("5ms", "100ms", "2s")},
               "timeouts": {"connect": self.one_of("20ms", "1s"), "head": self.one_of("50ms", "5s"), "idle": self.one_of("100ms", "5s"),
                            "request": self.one_of("200ms", "20s"), "tunnel": self.one_of("200ms", "20s")},
               "retry": {"attempts": self.one_of(1, 2, 3), "budget_min": self.one_of(0, 3, 100),
                         "on": self.one_of(["connect"], ["connect", "refused", "reset", "timeout", "503"])},
               "outlier": {"failures": self.one_of(0, 2, 5), "interval": "100ms", "ejection": "100ms", "max_ejected": "100%"}}
        if kind == "wild2":
            return up
        if self.chance.random() < 0.5:
            up["health"] = {"path": "/health", "interval": "100ms", "timeout": self.one_of("20ms", "100ms"), "fall": 1, "rise": 1}
        return {**up, "proxy_protocol": self.one_of("off", "off", "v1"), "slow_start": self.one_of("0", "1s")}

    def next(self, listen, same_ports=False):
        if not same_ports:
            self.has_extra = self.chance.random() < 0.5
        kinds = {"calm": "calm", "calm2": "calm2", "wild": "wild", "wild2": "wild2", "extra": "wild"}
        gone = {name for name in ("wild", "wild2", "extra") if self.chance.random() < 0.2}
        conf = {
            "listen": [{"address": listen, "h2c": True}] + ([self.extra] if self.has_extra else []),
            "upstreams": {name: self.upstream(kind) for name, kind in kinds.items() if name not in gone},
            "routes": [{"name": name, "match": f"/{name}/**", **({"answer": {"body": "gone"}} if name in gone else {"to": name})}
                       for name in kinds] + [{"name": "files", "match": "/files/**", "files": str(self.files)},
                                             {"name": "here", "match": "/here/**", "answer": {"body": "here"}}],
            "buffering": {"requests": self.one_of("auto", "auto", "off"), "answers": self.one_of("auto", "auto", "off"),
                          "memory": self.one_of("4KiB", "64KiB"), "file": self.one_of(0, "100KiB", "1GiB")},
            "spool_max": self.one_of(0, "1MiB", "10GiB"),
            "limits": {"write": self.one_of("200ms", "60s"), "head_time": self.one_of("5s", "10s"), "body_idle": self.one_of("200ms", "30s")},
            "drain": {"timeout": "60s", "idle": "3s", "tunnels": "1s"},
            "admin": {"address": "127.0.0.1:0", "token": TOKEN},
            "threads": 2,
        }
        if conf["limits"]["write"] == "200ms" or conf["limits"]["body_idle"] == "200ms":
            for route in conf["routes"][:2]:
                route["limits"] = {"write": "60s", "body_idle": "60s"}
        return yaml_of(conf)

    @staticmethod
    def last(listen):
        """Nothing of all that is in it."""
        return yaml_of({"listen": [{"address": listen, "h2c": True}], "admin": {"address": "127.0.0.1:0", "token": TOKEN},
                        "routes": [{"name": "end", "answer": {"body": "end"}}], "threads": 2})


class Reader:
    """Asks the admin port again and again, from a thread of its own."""

    def __init__(self, gateway_now, path):
        self.gateway_now, self.path, self.count, self.wrong = gateway_now, path, 0, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                status, _, text = self.gateway_now().ask_admin(self.path)
                self.count += 1
                if status != 200 or not text:
                    self.wrong.append(f"{self.path}: {status}")
            except OSError as error:  # it does not answer any more
                self.wrong.append(f"{self.path}: {error!r}")
                return

    def end(self):
        self.stop.set()
        self.thread.join(PATIENCE_S * 2)
        assert not self.thread.is_alive()


@pytest.fixture
def storm(stage):
    def start(script, *words):
        actor = Weather(stage.folder, script, *words)
        return stage.enter(actor, actor.finish)
    return start


def replace(gw, text):
    """In one go: a reload that is still under way reads the one or the other."""
    new = gw.file.with_suffix(".new")
    new.write_text(complete(text, gw.access_path))
    new.replace(gw.file)


def eventually(left, gw):
    try:
        until(lambda: not left(gw), "everything is given back")
    except AssertionError:
        assert not left(gw)


def free_address():
    with contextlib.closing(listening_socket()) as sock:
        return "127.0.0.1:%d" % sock.getsockname()[1]


# What is in use when nobody is served: connections of the admin port ask for it.
AT_REST = {"banyan_connections_active": 1, "banyan_connections": 1, "banyan_tunnels": 0, "banyan_spool_bytes": 0,
           "banyan_workers_queued": 0, "banyan_workers_busy": 0, "banyan_upstream_waiting": 0, "banyan_upstream_connections": 0,
           "banyan_upstream_server_ejected": 0}


def not_back(gw):
    """Gauges that say that something is still in use, and how much."""
    scrape = gw.scrape()
    left = {name: scrape.value(name) for name, most in AT_REST.items() if scrape.value(name) > most}
    for limit in ("connections", "connections_per_address", "spool"):
        if scrape.value("banyan_limit_used", limit=limit):
            left[limit] = scrape.value("banyan_limit_used", limit=limit)
    down = [labels for (name, labels), value in scrape.samples.items() if name == "banyan_upstream_server_up" and not value]
    return {**left, "down": down} if down else left


def not_forgotten(gw):
    """Counters of configurations that are gone: somebody holds on to them."""
    return [key for key in gw.scrape().samples if any(label in ("route", "upstream") and value not in ("", "end") for label, value in key[1])]


def test_a_storm_of_everything_leaves_no_trace(stage, gateway, storm, tmp_path):
    seed = int(SEED) if SEED else random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    servers = storm("servers.py", seed)
    confs = Configurations(chance, json.loads(servers.line()), tmp_path, f"unix:{tmp_path}/extra")
    listen = free_address()
    gw, past = gateway(confs.next(listen), token=TOKEN), []
    clients = storm("clients.py", seed, gw.address, tmp_path / "extra")
    readers = [Reader(lambda: gw, path) for path in ("/metrics", "/upstreams", "/config", "/healthz")]
    over, next_life = time.monotonic() + float(SECONDS), time.monotonic() + LIFE_S
    while time.monotonic() < over:
        replace(gw, confs.next(listen))
        if time.monotonic() > next_life:  # reloads go on meanwhile, but for ports: those are handed over as they are
            assert gw.ask_admin("/config/reload", "POST")[0] == 200, gw.stderr[-2000:]
            replace(gw, confs.next(listen, same_ports=True))
            gw.program.signal(signal.SIGHUP)
            past.append(gw)
            gw = gateway(None, after=gw, words=["--takeover"], token=TOKEN)
            next_life = time.monotonic() + LIFE_S
        gw.program.signal(signal.SIGHUP)
        time.sleep(RELOAD_S)
        assert gw.program.is_running(), gw.report()
    for reader in readers:
        reader.end()
    clients.process.stdin.close()
    told = json.loads(clients.line())
    print(told, [(reader.path, reader.count) for reader in readers], "lives", len(past) + 1, "reloads", gw.reloads(), gw.reloads(False))
    servers.tell("calm down")
    assert not told["wrong"], told["wrong"][:5]
    assert not any(reader.wrong for reader in readers), [reader.wrong[:3] for reader in readers]
    assert set(told["calm"]) == {"200"}
    assert gw.reloads(False) == 0, gw.stderr[-2000:]
    eventually(not_back, gw)
    gw.reload(confs.last(listen))
    eventually(not_forgotten, gw)
    for one in past:
        assert one.program.wait(30) == 0, one.report()
        one.stop()


def test_processes_that_are_told_to_end_in_a_storm_end_well(gateway, storm, tmp_path):
    """Whatever is going on: a drain, a reload before it, or a second signal that cuts it short."""
    seed = int(SEED) if SEED else random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    servers = storm("servers.py", seed)
    confs = Configurations(chance, json.loads(servers.line()), tmp_path, f"unix:{tmp_path}/extra")
    clients = storm("clients.py", seed, f"unix:{tmp_path}/storm", tmp_path / "extra")
    for _ in range(LIVES):
        gw = gateway(confs.next(f"unix:{tmp_path}/storm"), token=TOKEN)
        until(lambda gw=gw: gw.metric("banyan_http_requests_total") > 50, "a storm")
        for _ in range(chance.randrange(3)):
            replace(gw, confs.next(f"unix:{tmp_path}/storm"))
            gw.program.signal(signal.SIGHUP)
        gw.program.signal(signal.SIGTERM)
        if chance.random() < 0.7:
            until(lambda gw=gw: gw.ask_admin("/readyz")[0] == 503, "the drain")
            gw.program.signal(signal.SIGTERM)
        assert gw.program.wait(PATIENCE_S * 6) == 0, gw.report()
        gw.stop()
    clients.process.stdin.close()
    print(clients.line())
