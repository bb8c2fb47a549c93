# SPDX-License-Identifier: Apache-2.0
"""Programs as actors: started with their output kept, waited for, and never left behind."""
import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess

from actors.waiting import until

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """The parent is the thread that starts it: programs are started by the main one."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def listening_socket():
    """A listening socket to hand down to a program that can take one: no race for its port."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(512)
    sock.set_inheritable(True)
    return sock


def reserved_port():
    """(number, socket): a port that stays ours while the socket is open, for programs that listen with SO_REUSEPORT."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", 0))
    return sock.getsockname()[1], sock


class Program:
    """A running program; what it says goes to files in its folder and is shown when the play fails."""

    def __init__(self, name, folder, command, env=None, stdout=None, limit=None, **options):
        self.name, self.folder, self.said = name, pathlib.Path(folder), ""
        self.stderr_path = self.folder / f"{name}.stderr"

        def before():
            die_with_parent()
            if limit:
                limit()

        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen([str(word) for word in command], stdout=stdout or stderr, stderr=stderr,
                                            env={**os.environ, **(env or {})}, preexec_fn=before,
                                            **{"stdin": subprocess.DEVNULL, **options})

    @property
    def pid(self):
        return self.process.pid

    @property
    def stderr(self):
        if self.stderr_path.exists():  # its folder goes with the stage
            self.said = self.stderr_path.read_text(errors="replace")
        return self.said

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, within):
        """Its exit code; fails, and kills it, when it does not end in time."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end within {within} s:\n{self.stderr[-4000:]}") from None

    def kill(self):
        """kill -9 of it and of its children (a server's workers), which are gone when this returns."""
        children = []
        with contextlib.suppress(OSError):
            children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        self.process.kill()
        for child in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait()
        for child in children:
            until(lambda child=child: state_of(child) == "Z", "the child's end")

    def report(self):
        """What to show when the play has failed."""
        return f"exit status {self.process.poll()}\n{self.stderr[-6000:]}"


def state_of(pid):
    """Its letter in /proc, "Z" when there is no such process any more."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return "Z"


def memory_bytes(pid):
    """Resident set: of shared memory too, so a little too much."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) * 1024
