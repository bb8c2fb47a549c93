# SPDX-License-Identifier: Apache-2.0
"""What the kernel says: CPU time and memory of a family of processes, where they may run, who else was busy.

A process's CPU clock (clock_gettime on the id that clock_getcpuclockid gives) is the same sum of user and system time of
all its threads, living and ended, as /proc/PID/stat, in nanoseconds instead of ticks of ten milliseconds."""
import ctypes
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """A run that proves nothing; the text says why."""


def stat_fields(pid):
    """/proc/PID/stat from its third field (state) on."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(pid):
    """The process and all its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents.setdefault(int(stat_fields(entry)[1]), []).append(int(entry))
            except (FileNotFoundError, ProcessLookupError):
                pass
    found, new = [], [pid]
    while new:
        found += new
        new = [child for parent in new for child in parents.get(parent, [])]
    return sorted(found)


class Cpu:
    """CPU time of some processes so far, in seconds: all of it exactly, and its user part as the ticks have it."""

    def __init__(self, pids):
        self.pids = list(pids)
        self.total = sum(time.clock_gettime((~pid << 3) | 2) for pid in self.pids)
        ticks = [stat_fields(pid) for pid in self.pids]
        self.user = sum(int(fields[11]) for fields in ticks) / TICK
        self.system = sum(int(fields[12]) for fields in ticks) / TICK

    def since(self, before):
        if self.pids != before.pids:
            raise BenchError(f"processes came or went during the run: {before.pids}, then {self.pids}")
        return self.total - before.total


def pss_bytes(pids):
    """Their share of the memory they map: what would be free without them."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


class Busy:
    """Seconds of CPU that the whole machine has spent, and that were stolen from it by its host."""

    def __init__(self):
        fields = [int(field) / TICK for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        user, nice, system, _idle, _wait, irq, softirq, steal = fields
        self.busy, self.steal, self.at = user + nice + system + irq + softirq, steal, time.monotonic()


def plan_cpus():
    """(the contender's, everyone else's): the last processor for the one that is measured. The same with only one."""
    cpus = sorted(os.sched_getaffinity(0))
    return ({cpus[-1]}, set(cpus[:-1])) if len(cpus) > 1 else (set(cpus), set(cpus))


def spawn(command, cpus=None, **options):
    """Popen in a process group of its own that does not outlive us."""
    def settle():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cpus:
            os.sched_setaffinity(0, cpus)
    return subprocess.Popen([str(word) for word in command], preexec_fn=settle, start_new_session=True, **options)


def end(process, patience=10):
    """Asks it to stop; a process that does not is killed, with its group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def counts_instructions():
    """Can perf count user-mode instructions here? Many virtual machines do not lend the counters."""
    if not shutil.which("perf"):
        return False
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True)
    return done.returncode == 0 and done.stderr.strip()[:1].isdigit()


class Instructions:
    """User-mode instructions of some processes between the two ends of a `with`; None where they cannot be counted."""

    def __init__(self, pids, possible):
        self.pids, self.possible, self.count = pids, possible, None

    def __enter__(self):
        if self.possible:
            self.perf = spawn(["perf", "stat", "-x,", "-e", "instructions:u", "-p", ",".join(map(str, self.pids))],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while self.perf.poll() is None and not perf_attached(self.perf.pid, self.pids):
                time.sleep(0.01)
        return self

    def __exit__(self, *_error):
        if self.possible:
            self.perf.send_signal(signal.SIGINT)
            first = self.perf.communicate()[1].strip().split(",")[0]
            self.count = int(first) if first.isdigit() else None


def perf_attached(perf, pids):
    """perf holds an event for each thread at least."""
    threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)
    links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{perf}/fd") if os.path.islink(entry.path)]
    return sum("perf_event" in link for link in links) >= threads


def describe():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processor": model, "processors": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "load_average": os.getloadavg()[0]}
