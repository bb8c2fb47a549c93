# SPDX-License-Identifier: Apache-2.0
"""Another client of a gateway under attack: it asks one request after the other, and counts.

    with Bystander(gw) as other:
        while other.served < 50:
            attack()
    assert not other.failures"""
import threading

from actors import http1
from actors.client import Wire
from actors.waiting import PATIENCE_S, until


class Bystander:
    def __init__(self, where, target="/bystander"):
        self.where, self.data = where, http1.request("GET", target)
        self.served, self.failures = 0, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        """On one connection: a gateway that closes it, for whatever others do, has failed."""
        try:
            with Wire(self.where) as wire:
                while not self.stop.is_set():
                    answer = wire.ask(self.data)
                    if answer.status == 200:
                        self.served += 1
                    else:
                        self.failures.append(answer.start)
        except (OSError, http1.Closed, AssertionError) as error:
            self.failures.append(repr(error))

    def wait_served(self, more):
        """Until it has had so many answers more."""
        want = self.served + more
        until(lambda: self.served >= want or self.failures, f"{more} answers for the bystander")
        assert not self.failures, self.failures

    def __enter__(self):
        self.thread.start()
        self.wait_served(1)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(PATIENCE_S)


def besiege(gw, attack, served=40, most=60):
    """Attacks again and again until another client of the same gateway has had so many answers meanwhile; gives how often.
    Not one of that client's requests may fail."""
    with Bystander(gw) as other:
        began, rounds = other.served, 0
        while other.served < began + served and rounds < most:
            attack()
            rounds += 1
        other.wait_served(max(0, began + served - other.served))
    assert not other.failures, other.failures
    return rounds
