# SPDX-License-Identifier: Apache-2.0
"""Load generators, measured at the same target: what a request costs them, what a user takes of their memory, and how
exactly ours begins a request when it is due. The target has the processors that a gateway's clients have elsewhere."""
import contextlib
import json
import os
import re
import resource
import subprocess
import time

from contenders import Nginx, Setup, program
from machine import BenchError, Busy, Cpu, end, pss_bytes, spawn

USERS = 15000
# Every kind of step but a WebSocket (which needs a server for it): what is extracted by all four means, a form, cookies.
SCENARIO = """
target: {target}
users: {{ count: {users}, for: {seconds}s, ramp: {ramp}s }}
timeout: 60s
connections: {{ tls: {{ verify: off }} }}
headers: {{ Cookie: "sid=u{{user}}" }}
journeys:
  everyone:
    once:
      - get: /items/42
        extract: {{ id: {{ jq: .id }}, name: {{ pattern: '"name":"([^"]+)"' }}, kind: {{ header: Content-Type }} }}
        think: 1s..3s
      - {{ post: /items, form: {{ id: "{{id}}", name: "{{name}}" }}, check: {{ status: "200", body: Banyan }}, think: 1s..3s }}
    steps:
      - {{ get: "/items/{{id}}", check: "200", think: 4s..8s }}
"""


class Generator:
    """A program that makes load: there from `with` on, started by what is measured."""
    name = ""

    def __init__(self, setup):
        self.setup = setup
        setup.folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def closed(self, url, connections, seconds):
        """The command for so many connections, each of which asks again as soon as it is answered."""
        raise NotImplementedError

    def requests(self, told):
        """How many were answered, of what it said; an error unless all were answered well."""
        raise NotImplementedError


class Ours(Generator):
    name = "banyan"

    def closed(self, url, connections, seconds):
        return [program(self.name), "load", url, "--users", connections, "--for", f"{seconds}s", "--threads", 1, "-q", "--json"]

    def requests(self, told):
        total = json.loads(told)["all"]
        if total["failed"]:
            raise BenchError(f"{self.name}: {total['failed']} requests failed: {total['failures']}")
        return total["requests"]


class OursBefore(Ours):
    name = "before"


class Wrk(Generator):
    name = "wrk"

    def closed(self, url, connections, seconds):
        return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]

    def requests(self, told):
        found = re.search(r"(\d+) requests in", told)
        if not found or "Socket errors" in told or "Non-2xx" in told:
            raise BenchError(f"wrk: {told.strip()[-500:]}")
        return int(found[1])


class H2load(Generator):
    name = "h2load"

    def closed(self, url, connections, seconds):
        return ["h2load", "--h1", "-t1", f"-c{connections}", "-D", seconds, url]

    def requests(self, told):
        found = re.search(r"(\d+) succeeded, 0 failed, 0 errored, 0 timeout", told)
        if not found:
            raise BenchError(f"h2load: {told.strip()[-500:]}")
        return int(found[1])


GENERATORS = {kind.name: kind for kind in (Ours, OursBefore, Wrk, H2load)}


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_to_its_end(runner, command):
    """What it said and what was spent, by it and by others, from its start to its end."""
    target = [runner.origin.process.pid, os.getpid()]
    busy, rest, before = Busy(), Cpu(target), children_seconds()
    process = spawn(command, runner.measured_cpus, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True)
    try:
        told, complaint = process.communicate(timeout=300)
    finally:
        end(process)
    if process.returncode:
        raise BenchError(f"{command[0]}: {complaint.strip()[-500:]}")
    spent, busy_after = children_seconds() - before, Busy()
    seconds = busy_after.at - busy.at
    return told, {"spent": spent, "seconds": seconds, "of_one_processor": spent / seconds,
                  "others": max(busy_after.busy - busy.busy - spent - Cpu(target).since(rest), 0) / seconds,
                  "stolen": (busy_after.steal - busy.steal) / seconds}


def run_cost(runner, _bench, generator, milliseconds):
    """Its CPU time, start and end with it, over the requests it had answered."""
    url = f"http://127.0.0.1:{runner.origin.port}/items/42"
    told, result = run_to_its_end(runner, generator.closed(url, 64, max(milliseconds // 1000, 1)))
    requests = generator.requests(told)
    return {**result, "requests": requests, "rate": requests / result["seconds"], "cost": result["spent"] * 1e6 / requests}


def run_precision(runner, _bench, generator, milliseconds):
    """Constant arrivals: how much later than it was due each began, as the generator itself notes it."""
    rate = 10000
    url = f"http://127.0.0.1:{runner.origin.port}/items/42"
    told, result = run_to_its_end(runner, [program(generator.name), "load", url, "--rate", rate, "--warmup", "1s", "--for",
                                           f"{max(milliseconds // 1000, 1) + 1}s", "--threads", 1, "-q", "--json"])
    report = json.loads(told)
    late = {row["percent"]: row["us"] for row in report["late"]["percentiles"]}
    return {**result, "requests": generator.requests(told), "asked": report["arrivals_asked"],
            "begun": report["arrivals_begun"], "late_us": late, "cost": late[50]}


@contextlib.contextmanager
def tls_target(runner, tls, folder):
    """nginx in front of the origin, for generators that are to encrypt."""
    with Nginx(Setup(upstream=runner.origin.port, folder=folder / "target", cpus=runner.other_cpus, connections=USERS + 4096,
                     tls=tls)) as nginx:
        yield f"https://127.0.0.1:{nginx.port}"


def most_memory(process, told, users):
    """Its largest PSS at any moment from when all are there to its end; 0: they never were."""
    most = 0
    while process.poll() is None:
        if users is None or f"users {users} " in told.read_text():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                most = max(most, pss_bytes([process.pid]))
        time.sleep(0.5)
    return most


def run_users(runner, bench, generator, _requests):
    """Memory of the whole generator with 15,000 users, each of which has a connection, over the number of users."""
    folder, ramp = generator.setup.folder, 40 if bench.tls else 8
    told, users = folder / "told", None
    with contextlib.ExitStack() as stack:
        target = f"http://127.0.0.1:{runner.origin.port}"
        if bench.tls:
            target = stack.enter_context(tls_target(runner, generator.setup.tls, folder))
        command = generator.closed(f"{target}/items/42", USERS, 10)
        if isinstance(generator, Ours):
            scenario, users = folder / "users.yaml", USERS
            scenario.write_text(SCENARIO.format(target=target, users=USERS, seconds=ramp + 16, ramp=ramp))
            command = [program(generator.name), "load", scenario, "--threads", 1]
        with told.open("w") as output:
            process = spawn(command, runner.measured_cpus, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            try:
                most = most_memory(process, told, users)
            finally:
                end(process)
    if process.returncode or not most:
        raise BenchError(f"{generator.name}: status {process.returncode}, {told.read_text().strip()[-500:]}")
    return {"cost": most / USERS, "bytes": most, "users": USERS}
