# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, never for time."""
import os
import time

PROOF = os.environ.get("BANYAN_PROOF") == "1"
PATIENCE_S = 20.0  # for what normally takes milliseconds; sanitizers and two busy cores included
TICK_S = 0.005


def until(condition, what, within=PATIENCE_S):
    """Waits until condition() gives something true, and gives it; else fails with what was waited for."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within:g} s for: {what}; last seen: {value!r}")
        time.sleep(TICK_S)


def always(condition, what, during=0.3):
    """The opposite: condition() stays true for a while. For what must not happen; keep `during` short."""
    deadline = time.monotonic() + during
    while time.monotonic() < deadline:
        value = condition()
        assert value, f"held only until {deadline - time.monotonic():.2f} s before the end: {what}; last seen: {value!r}"
        time.sleep(TICK_S)
