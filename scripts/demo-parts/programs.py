# SPDX-License-Identifier: Apache-2.0
"""Programs that the demo starts and stops, and how it speaks of them."""
import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_S = 180  # the first time a database is made and filled
STOP_S = 45
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Problem(Exception):
    """A sentence for people; the exit code is 1."""


class Stop(Exception):
    """A signal came; its name."""


def on_signal(number, _frame):
    ignore_signals()  # one is enough: from here on everything is being stopped
    raise Stop(signal.Signals(number).name)


def ignore_signals():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def say(text=""):
    print(text, flush=True)


def tail(path, lines=12):
    with contextlib.suppress(OSError):
        return "\n".join("    " + line for line in path.read_text(errors="replace").splitlines()[-lines:])
    return "    (nothing)"


class Programs:
    """What we started, in order. Each ends when we do, even if we are killed."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, name, command, patience_s=STOP_S, good=(0,), env=None):
        """Its output, both kinds, goes to NAME.out. good: the exit codes of a good end; env: variables of its own."""
        parent = os.getpid()

        def prepare():
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
            if os.getppid() != parent:
                os._exit(1)

        out = self.folder / f"{name}.out"
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # no signal between the fork and the list
        try:
            with open(out, "wb") as file:
                program = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                           start_new_session=True, preexec_fn=prepare, env={**os.environ, **(env or {})})
            self.running.append((name, program, out, patience_s, good))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return out

    def check(self):
        """None may have ended."""
        for name, program, out, *_ in self.running:
            code = program.poll()
            if code is not None:
                how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
                raise Problem(f"the {name} {how}; {shown(out)} ends with\n{tail(out)}")

    def wait_for(self, name, out, word):
        """The rest of the line that begins with this word, once it is there."""
        deadline = time.monotonic() + START_S
        while True:
            for line in out.read_text(errors="replace").splitlines(keepends=True):
                if line.split()[:1] == [word] and line.endswith("\n"):
                    return line.split()[1:]
            self.check()
            if time.monotonic() > deadline:
                raise Problem(f"the {name} was not ready after {START_S} s; {shown(out)} ends with\n{tail(out)}")
            time.sleep(0.02)

    def stop(self, all_at_once=False):
        """The last one first. Who does not go is killed with all it started."""
        clean = True
        for _, program, *_ in self.running:
            if all_at_once and program.poll() is None:
                program.terminate()
        for name, program, _, patience_s, good in reversed(self.running):
            if program.poll() is None:
                program.terminate()
            try:
                clean = program.wait(patience_s) in (*good, -signal.SIGTERM) and clean  # by the signal: it was hardly there yet
            except subprocess.TimeoutExpired:
                say(f"the {name} does not stop: killing it")
                clean = False
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        return clean


def shown(path):
    """As the user would write it from where he stands."""
    with contextlib.suppress(ValueError):
        return path.relative_to(pathlib.Path.cwd())
    return path
