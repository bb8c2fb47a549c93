# SPDX-License-Identifier: Apache-2.0
"""A line of figures a second, while somebody waits for something."""
import shutil
import sys
import time

from programs import Problem, say

BEAT_S = 0.1


class Over(Exception):
    """So many lines as were asked for have been shown."""


class Pulse:
    def __init__(self, line, seconds=None):
        """line: makes the next one, and finds out whether all is well."""
        self.line, self.seconds = line, seconds
        self.fancy, self.open = sys.stdout.isatty(), False
        self.began, self.second = time.monotonic(), 0

    def beat(self):
        """A tenth of a second; the line when it is time."""
        time.sleep(BEAT_S)
        due = int(time.monotonic() - self.began)
        if due <= self.second:
            return
        self.second = due
        line = f"{due:4} s {self.line()}"
        if self.fancy:
            print(f"\r\033[K{line[:max(20, shutil.get_terminal_size().columns - 1)]}", end="", flush=True)
            self.open = True
        else:
            say(line)
        if self.seconds and due >= self.seconds:
            raise Over

    def until(self, condition, what, within_s):
        """What the condition gives, once it is something; a Problem when it does not come."""
        ends = time.monotonic() + within_s
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > ends:
                raise Problem(f"{what}: not within {within_s} s")
            self.beat()

    def say(self, text=""):
        self.close()
        say(text)

    def close(self):
        """Ends a line that is written over and over."""
        if self.open:
            print(flush=True)
            self.open = False
