# SPDX-License-Identifier: Apache-2.0
"""What it costs to move a route, and how soon it is back: the gateway beside itself with nothing to move.

Load is wrk with the cookies of a thousand users, the same on all sides; processor time is the kernel's, of the gateway alone."""
import http.client
import http.server
import json
import os
import re
import socket
import socketserver
import statistics
import subprocess
import threading
import time

from contenders import BUILD, ROOT, Origin, free_port
from machine import BenchError, end, spawn

FOLDER = BUILD / "bench"
TOKEN = "bench-bench-bench"
USERS = 1000
TICK = os.sysconf("SC_CLK_TCK")
LUA = """
local cookies = {{ {cookies} }}
local at = 0
request = function()
  at = at % #cookies + 1
  return wrk.format("GET", "/", {{ ["Cookie"] = cookies[at] }})
end
"""


class Gateway:
    """One route: `to` one server, or `old` and `new`."""

    def __init__(self, name, old, new=None, shift="{}"):
        self.folder, self.port, self.admin = FOLDER / "run" / f"shift.{name}", free_port(), free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in self.folder.glob("banyan.yaml*"):
            file.unlink()
        sides = "to: old" if new is None else f"old: old, new: new, shift: {shift}"
        (self.folder / "banyan.yaml").write_text(
            f"listen: 127.0.0.1:{self.port}\nadmin: {{ address: '127.0.0.1:{self.admin}', token: {TOKEN} }}\n"
            f"access_log: off\nthreads: 1\n"
            f"upstreams:\n  old: {{ servers: [ '127.0.0.1:{old}' ] }}\n" +
            (f"  new: {{ servers: [ '127.0.0.1:{new}' ] }}\n" if new else "") + f"routes: [ {{ name: all, {sides} }} ]\n")

    def __enter__(self):
        with (self.folder / "output").open("w") as errors:
            self.process = spawn([BUILD / "release/banyan", "serve", "-c", self.folder / "banyan.yaml"], None,
                                 stdout=subprocess.PIPE, stderr=errors)
        said = b"."
        while said and said.strip() != b"ready":
            said = self.process.stdout.readline()
        if not said:
            raise BenchError((self.folder / "output").read_text())
        return self

    def __exit__(self, *_error):
        end(self.process)

    def ask(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("POST" if body is not None else "GET", path, body and json.dumps(body), {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(text)
        return json.loads(text)

    def do(self, verb, **words):
        return self.ask(f"/shift/all/{verb}", {"why": "bench", "force": True, **words})

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK


def cookies(gateway):
    """Of so many users, as the gateway has given them."""
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    for _ in range(USERS):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        found.append(answer.headers["Set-Cookie"].split(";")[0])
    return found


def wrk(gateway, jar, seconds, connections=64):
    """(requests, p99 in ms)"""
    script = FOLDER / "shift.lua"
    script.write_text(LUA.format(cookies=", ".join(f'"{cookie}"' for cookie in jar)))
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{gateway.port}/"],
                         check=True, capture_output=True, text=True, cwd=ROOT).stdout
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return int(re.search(r"(\d+) requests in", out)[1]), float(p99) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def cost(gateway, jar, seconds):
    """us of the gateway's processor for a request, and its p99 in ms"""
    before = gateway.cpu_s()
    requests, p99 = wrk(gateway, jar, seconds)
    return (gateway.cpu_s() - before) / requests * 1e6, p99


class Hung:
    """Takes connections and never answers."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.socket.getsockname()[1]
        return self

    def __exit__(self, *_error):
        self.socket.close()


def compared(pairs, seconds):
    """{name: [cost]} in pairs with `off`, each in a process of its own."""
    rows = {name: [] for name in ("off", "canary", "shadow", "hung")}
    with Origin(None) as old, Origin(None) as new, Hung() as hung:
        with Gateway("jar", old.port, new.port) as gateway:
            gateway.do("canary", percent=50)
            jar = cookies(gateway)
        for _ in range(pairs):
            for name in rows:
                side = {"off": None, "hung": hung.port}.get(name, new.port)
                shift = "{ judge: { hold: 24h } }" if name == "canary" else "{ shadow: { effects: none, timeout: 1s } }"
                with Gateway(name, old.port, side, shift) as gateway:
                    if name == "canary":
                        gateway.do("canary", percent=50)
                    elif name != "off":
                        gateway.do("shadow")
                    rows[name].append(cost(gateway, jar, seconds))
    return rows


class Turncoat(http.server.BaseHTTPRequestHandler):
    """A new side that turns bad, and remembers when it was asked last."""
    protocol_version = "HTTP/1.1"
    bad, last = False, 0.0

    def do_GET(self):
        Turncoat.last = time.time()
        self.send_response(500 if Turncoat.bad else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads, request_queue_size = True, 512


def react(times):
    """Seconds from the judge's verdict, as the journal has it, to the last request that the new side was sent."""
    found = []
    server = Server(("127.0.0.1", 0), Turncoat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Origin(None) as old:
        for _ in range(times):
            Turncoat.bad = False
            with Gateway("react", old.port, server.server_port, "{ judge: { hold: 24h, metrics: [ errors ] } }") as gateway:
                gateway.do("canary", percent=50)
                jar = cookies(gateway)
                load = threading.Thread(target=wrk, args=(gateway, jar, 4, 16))
                load.start()
                time.sleep(1.5)
                Turncoat.bad = True
                load.join()
                back = [row for row in gateway.ask("/shift/all/history")["entries"] if row["verb"] == "back"]
                if not back:
                    raise RuntimeError("it did not go back")
                at = time.mktime(time.strptime(back[0]["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float("0" + back[0]["at"][19:-1])
                found.append(max(0.0, Turncoat.last - at))
    server.shutdown()
    return found


def ratio_of(rows, name, part=0):
    return [one[part] / off[part] for one, off in zip(rows[name], rows["off"])]


def run(quick):
    rows = compared(2 if quick else 5, 2 if quick else 5)
    median = {name: statistics.median(one[0] for one in some) for name, some in rows.items()}
    canary = statistics.median(ratio_of(rows, "canary"))
    added = statistics.median(one[1] - off[1] for one, off in zip(rows["hung"], rows["off"]))
    print(f"bench shift.cost {canary:.2f} us of the gateway's processor for a request: off {median['off']:.1f}, canary at 50 % {median['canary']:.1f} "
          f"({min(ratio_of(rows, 'canary')):.2f}-{max(ratio_of(rows, 'canary')):.2f}), every request shadowed {median['shadow']:.1f} "
          f"({statistics.median(ratio_of(rows, 'shadow')):.2f}), shadowed to a side that hangs {median['hung']:.1f}; "
          f"p99 off {statistics.median(one[1] for one in rows['off']):.2f} ms, with a side that hangs {added:+.2f} ms; "
          f"budget 1.05 of off: {'met' if canary <= 1.05 else f'missed by {canary / 1.05 - 1:.0%}'}", flush=True)
    seconds = react(2 if quick else 5)
    print(f"bench shift.react {max(seconds):.2f} s from the verdict to the last request of the new side, the longest of {len(seconds)} "
          f"(median {statistics.median(seconds):.2f}); budget 1 s: {'met' if max(seconds) <= 1 else 'missed'}", flush=True)
    (FOLDER / "shift.cost.json").write_text(json.dumps(rows, indent=1) + "\n")
    (FOLDER / "shift.react.json").write_text(json.dumps(seconds) + "\n")
