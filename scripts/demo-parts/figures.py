# SPDX-License-Identifier: Apache-2.0
"""Figures of one second, from two readings of /metrics (Prometheus' text format)."""
import collections
import http.client
import re
import time

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
TIMEOUT_S = 5


class Reading:
    """All samples of one moment."""

    def __init__(self, port, token):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        try:
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"})
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        self.at = time.monotonic()
        self.samples = collections.defaultdict(list)
        for line in text.splitlines():
            found = SAMPLE.match(line)
            if found:
                self.samples[found[1]].append((dict(LABEL.findall(found[2] or "")), float(found[3])))

    def sum(self, name, **wanted):
        return sum(value for labels, value in self.samples[name] if all(labels.get(key) == want for key, want in wanted.items()))

    def buckets(self, name):
        """{upper bound: requests up to it}, over all label sets."""
        sums = collections.Counter()
        for labels, value in self.samples[name + "_bucket"]:
            sums[float(labels["le"].replace("+Inf", "inf"))] += value
        return sums


def quantile(before, after, share):
    """As Prometheus' histogram_quantile: linear within the bucket; None when there was nothing."""
    counts = [(bound, after[bound] - before[bound]) for bound in sorted(after)]
    if not counts or counts[-1][1] <= 0:
        return None
    rank, low, below = share * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= rank:
            return low if bound == float("inf") else low + (bound - low) * (rank - below) / max(count - below, 1)
        low, below = bound, count
    return low


def duration(seconds):
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Figures:
    """What happened between two readings."""

    def __init__(self, before, after):
        def delta(name, **labels):
            return after.sum(name, **labels) - before.sum(name, **labels)

        self.seconds = max(after.at - before.at, 0.001)
        self.requests = delta("banyan_requests_total")
        self.errors = delta("banyan_requests_total", **{"class": "5xx"})
        bounds = before.buckets("banyan_request_seconds"), after.buckets("banyan_request_seconds")
        self.p50, self.p99 = (quantile(*bounds, share) for share in (0.5, 0.99))
        self.connections, self.active = after.sum("banyan_connections"), after.sum("banyan_connections_active")
        self.waiting = after.sum("banyan_upstream_waiting")
        reused, opened = (delta("banyan_upstream_connections_total", kind=kind) for kind in ("reused", "opened"))
        self.reused = reused / (reused + opened) if reused + opened else None
        self.up = after.sum("banyan_upstream_server_up") > 0

    def line(self):
        """At most 80 columns while all is well."""
        reused = "-" if self.reused is None else f"{self.reused:.0%}"
        waiting = f"  {self.waiting:.0f} waiting" if self.waiting else ""
        down = "" if self.up else "  THE SHOP IS DOWN"
        return (f"{self.requests / self.seconds:6.1f} req/s {self.errors:3.0f} errors  p50 {duration(self.p50):>6}  p99 {duration(self.p99):>6}  "
                f"{self.active:.0f} of {self.connections:.0f} active {reused:>4} reused{waiting}{down}")
