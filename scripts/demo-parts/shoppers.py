# SPDX-License-Identifier: Apache-2.0
"""The demo's visitors: `banyan load` with the journeys of examples/shop, half of them over TLS. They come at random and at
their own pace, whatever the shop does, so that what keeps them waiting is seen."""
import contextlib
import json

FOR = "24h"  # nobody watches a demo for longer
ENDS = (0, 3, 9)  # of a load: all is well; a threshold does not hold; it was interrupted, which is how ours ends


class Shoppers:
    def __init__(self, programs, banyan):
        self.programs, self.banyan, self.saved = programs, banyan, []

    def start(self, what, journeys, rate, urls):
        """At each port ("http://localhost:8080") their part of them. One thread is enough for a thousand requests a second."""
        for number, url in enumerate(urls if rate else []):
            name = f"{what}{number + 1}"
            report = self.programs.folder / f"{name}.json"
            report.unlink(missing_ok=True)
            self.saved.append(report)
            self.programs.start(name, [
                self.banyan, "load", journeys, "--rate", rate / len(urls), "--for", FOR, "--warmup", "0s", "--poisson",
                "--insecure", "--quiet", "--threads", 1, "--save", report, "--html", report.with_suffix(".html")],
                good=ENDS, env={"SHOP_URL": url})

    def summary(self):
        """What all of them did and met, in a line. What was on its way when they were sent home has not failed."""
        reports = []
        for file in self.saved:
            with contextlib.suppress(OSError, ValueError):
                reports.append(json.loads(file.read_text()))
        orders = sum(step["requests"] - step["failed"] for report in reports for step in report["steps"] if step["step"] == "check out")
        failures, unfinished = {}, 0
        for step in (step for report in reports for step in report["steps"] if step["failed"]):
            for kind, count in step["failures"].items():
                if kind.lower() == "unfinished":
                    unfinished += count
                    continue
                what = f"{step['step']}: {kind.lower()}"
                failures[what] = failures.get(what, 0) + count
        visits = sum(report["arrivals_begun"] for report in reports)
        return (f"shoppers: {visits:.0f} visits, {orders} orders, {sum(report['all']['requests'] for report in reports)} requests, "
                f"{sum(failures.values())} failed"
                + "".join(f"; {count} at {what}" for what, count in failures.items()))
