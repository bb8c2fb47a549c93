# SPDX-License-Identifier: Apache-2.0
"""`banyan load` beside those whom everybody believes: wrk, h2load, and the access log of the server that was loaded."""
import asyncio
import collections
import json
import math
import re
import subprocess

import pytest

from actors.gateway import BANYAN, everything_to
from actors.origin import Origin

QUICK_S, SLOW_S, SLOW_ONE_IN = 0.1, 0.4, 10
USERS, SECONDS = 8, 5


@pytest.fixture
def origin(stage):
    def start(answer=None):
        actor = Origin(answer)
        return stage.enter(actor, actor.finish)
    return start


def slow_ones():
    """An answer in ten takes four times as long as the others."""
    seen = []

    async def answer(_request):
        seen.append(1)
        await asyncio.sleep(SLOW_S if len(seen) % SLOW_ONE_IN == 0 else QUICK_S)
        return 200, {}, b"hello\n"

    return answer


def said_by(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def at_percent(values, percent):
    """The value that so many are at or below."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100) - 1, 0)]


def percentiles(hist):
    return {row["percent"]: row["us"] for row in hist["percentiles"]}


def ask_ours(server):
    report = json.loads(said_by(BANYAN, "load", server.url, "--users", USERS, "--for", f"{SECONDS}s", "-q", "--json"))
    assert report["all"]["failed"] == 0
    found = percentiles(report["all"]["service"])
    return report["all"]["requests"], {percent: found[percent] / 1e6 for percent in (50, 75, 99)}


def ask_wrk(server, _folder):
    said = said_by("wrk", "-t1", f"-c{USERS}", f"-d{SECONDS}s", "--latency", server.url)
    assert "Socket errors" not in said and "Non-2xx" not in said
    units = {"us": 1e-6, "ms": 1e-3, "s": 1}
    rows = re.findall(r"^ +(50|75|90|99)% +([\d.]+)(us|ms|s)$", said, re.M)
    return int(re.search(r"(\d+) requests in", said)[1]), {int(at): float(number) * units[unit] for at, number, unit in rows}


def ask_h2load(server, folder):
    log = folder / "h2load.log"
    said = said_by("h2load", "--h1", "-t1", f"-c{USERS}", "-D", SECONDS, f"--log-file={log}", server.url)
    times = [int(line.split()[2]) / 1e6 for line in log.read_text().splitlines()]
    assert f"{len(times)} succeeded, 0 failed, 0 errored" in said
    return len(times), {percent: at_percent(times, percent) for percent in (50, 75, 99)}


@pytest.mark.parametrize("ask", [ask_wrk, ask_h2load])
def test_another_generator_sees_what_it_sees(origin, tmp_path, ask):
    ours, theirs = origin(slow_ones()), origin(slow_ones())
    requests, found = ask_ours(ours)
    their_requests, they_found = ask(theirs, tmp_path)
    assert requests == len(ours.requests)                              # it waits for what is in flight; they may not
    assert their_requests <= len(theirs.requests) <= their_requests + USERS
    assert abs(requests / their_requests - 1) < 0.2
    for percent, known in ((50, QUICK_S), (75, QUICK_S), (99, SLOW_S)):
        assert known <= found[percent] * 1.001 and known <= they_found[percent] * 1.001 + 0.005  # wrk says 99.9ms for 100.2
        assert 0.5 < found[percent] / they_found[percent] < 2  # the quick and the slow are four times apart


def test_the_servers_own_log_has_the_same_counts_and_percentiles(origin, gateway, tmp_path):
    seen = collections.Counter()

    async def answer(request):
        seen[request[1]] += 1
        await asyncio.sleep(0.01 * (sum(seen.values()) % 20))
        return (503 if request[1] == "/busy" else 200), {}, b"x" * len(request[1])

    server = origin(answer)
    gw = gateway(everything_to(f"127.0.0.1:{server.port}"))
    scenario = tmp_path / "mix.yaml"
    scenario.write_text(f"""
target: {gw.url}
load: [ {{ rate: 100, for: 4s }} ]
journeys:
  a: {{ weight: 3, steps: [ {{ get: /page }}, {{ post: /order, body: "{{{{}}}}" }} ] }}
  b: {{ weight: 1, steps: [ {{ get: /busy }} ] }}
""")
    report = json.loads(said_by(BANYAN, "load", scenario, "-q", "--json"))
    asked = report["all"]["requests"]
    records = gw.records(asked)
    assert len(records) == asked == sum(seen.values())
    log = collections.Counter(f'{row["method"]} {row["path"]}' for row in records)
    assert log == {row["step"]: row["requests"] for row in report["steps"]} == {
        "GET /page": seen["/page"], "POST /order": seen["/order"], "GET /busy": seen["/busy"]}
    assert report["all"]["failures"] == {"STATUS": seen["/busy"]}
    assert report["all"]["statuses"] == {"2xx": asked - seen["/busy"], "5xx": seen["/busy"]}
    assert report["all"]["bytes_in"] == sum(row["bytes_out"] for row in records)
    assert report["all"]["bytes_out"] == sum(row["bytes_in"] for row in records) == 2 * seen["/order"]
    # A request is never shorter for who waits than for who serves, so no percentile may be; nor much longer on loopback.
    found = percentiles(report["all"]["service"])
    for percent in (50, 75, 90, 95):
        logged = at_percent([row["duration"] for row in records], percent) / 1e3
        assert logged <= found[percent] * 1.001 + 1
        assert found[percent] <= logged * 1.3 + 20_000
