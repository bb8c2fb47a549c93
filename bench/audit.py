# SPDX-License-Identifier: Apache-2.0
"""How the audit is measured: `banyan audit` of the release build on Debian's Django, everything that it says in JSON, beside a program that
does nothing but parse the same files with the same grammar (bench/audit.c). docs/guide/benchmarks.md says what is compared."""
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from contenders import BUILD, ROOT
from machine import BenchError, Busy, spawn
from store import FOLDER, fresh_folder

DJANGO = pathlib.Path("/usr/lib/python3/dist-packages/django")
BANYAN = BUILD / "release/banyan"
MIB = 1 << 20


def spent(command, give=None):
    """CPU seconds of one program from its start to its end, what others took meanwhile, the most memory that it had; and what it said. All are on
    one processor: two that share a core would each seem slower."""
    busy, at = Busy(), time.monotonic()
    with spawn(command, {min(os.sched_getaffinity(0))}, stdin=subprocess.PIPE if give else subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        if give:
            process.stdin.write(give)
            process.stdin.close()
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds, after, cpu = time.monotonic() - at, Busy(), usage.ru_utime + usage.ru_stime
    if process.returncode:
        raise BenchError(f"{command[0]} ended with {process.returncode}")
    return {"cost": cpu, "seconds": seconds, "memory": usage.ru_maxrss * 1024, "others": max(after.busy - busy.busy - cpu, 0) / seconds}, told


@functools.cache
def parser():
    target, source, grammar = FOLDER / "audit", ROOT / "bench/audit.c", BUILD / "release/libpython_grammar.a"
    if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime, grammar.stat().st_mtime):
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", target, source, grammar, "-ltree-sitter"], check=True)
    return target


def audit(cache):
    found, told = spent([BANYAN, "audit", DJANGO, "--json", "--cache", cache])
    answer = json.loads(told)
    return found | {"files": [DJANGO / row["path"] for row in answer["files"]], "findings": len(answer["findings"])}


def bare(files):
    found, told = spent([parser()], "".join(f"{file}\n" for file in files).encode())
    if json.loads(told)["files"] != len(files):
        raise BenchError("the parser did not see the same files")
    return found


def cold_rounds(_bench, names, pairs, _count):
    for _ in range(pairs):
        with fresh_folder("audit") as folder:
            ours = audit(folder)
        yield {"banyan": ours | {"files": len(ours["files"])}} | ({"tree-sitter": bare(ours["files"])} if "tree-sitter" in names else {})


def warm_rounds(_bench, _names, pairs, _count):
    for _ in range(pairs):
        with fresh_folder("audit") as folder:
            cold = audit(folder)
            warm = audit(folder)
        if cold["files"] != warm["files"] or cold["findings"] != warm["findings"]:
            raise BenchError("what was kept is not what was found")
        yield {"banyan": warm | {"files": len(warm["files"])}, "cold": cold | {"files": len(cold["files"])}}


def memory_rounds(_bench, _names, pairs, _count):
    for _ in range(pairs):
        with fresh_folder("audit") as folder:
            ours = audit(folder)
        yield {"banyan": ours | {"cost": ours["memory"] / MIB, "files": len(ours["files"])}}


@functools.cache
def radon_seconds():
    """For information: what `radon cc` and `radon mi` take, which say a part of the same."""
    total = 0
    for what in ("cc", "mi"):
        found, _ = spent(["/usr/bin/python3", "-m", "radon", what, "-s", DJANGO])
        total += found["cost"]
    return total


@functools.cache
def jscpd_seconds():
    """The same for clones, of a peer that is not installed with the others: jscpd 4 from npm, if it is on the PATH."""
    program = shutil.which("jscpd")
    if not program:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        found, _ = spent([program, "--pattern", "**/*.py", "--reporters", "json", "--output", folder, "--silent", DJANGO])
    return f", jscpd {found['cost']:.1f} s"


def sizes(_bench, rounds):
    first, best = rounds[0]["banyan"], min(one["banyan"]["seconds"] for one in rounds)
    return f"{first['files']} files, {first['findings']} findings, {best:.2f} s at least; radon cc and mi {radon_seconds():.1f} s{jscpd_seconds()} CPU"


def seconds(_bench, rounds):
    return f"{min(one['banyan']['seconds'] for one in rounds):.2f} s at least"
