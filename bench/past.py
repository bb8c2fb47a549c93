# SPDX-License-Identifier: Apache-2.0
"""How the history in an audit is measured: a repository of 10,000 commits is made by fast-import, and audited with and without its history; the
difference is what the history costs, beside `git log --name-only` of the same. docs/guide/benchmarks.md says what is compared."""
import functools
import json
import random
import re
import shutil
import subprocess

from audit import BANYAN, spent
from machine import BenchError
from store import FOLDER

COMMITS, FOLDERS, FILES, PEOPLE = 10_000, 60, 12, 25
FIRST, EACH = 1_500_000_000, 15_000    # seconds: about five years
MOMENTS = 24


def function(chance, number):
    lines = [f"def step_{number}(order, items=()):", f"    total = {chance.randrange(1000)}"]
    for _ in range(chance.randrange(1, 4)):
        lines += ["    for item in items:", f"        if item.price > {chance.randrange(1000)} and order:", f"            total += item.price * {chance.randrange(9)}"]
    return "\n".join(lines + ["    return total\n\n\n"])


class Shop:
    """Files as lists of functions, and a stream of commits that change them."""

    def __init__(self):
        self.chance = random.Random(1)
        self.files = {f"shop/p{p:02}/m{m:02}.py": [function(self.chance, i) for i in range(6)] for p in range(FOLDERS) for m in range(FILES)}
        self.moved = 0

    def put(self, name):
        text = "".join(self.files[name])
        return f"M 100644 inline {name}\ndata {len(text)}\n{text}\n"

    def head(self, number, message):
        who = f"person{min(int(self.chance.paretovariate(0.7)) - 1, PEOPLE - 1)}"
        return f"commit refs/heads/main\ncommitter {who} <{who}@shop.test> {FIRST + number * EACH} +0000\ndata {len(message)}\n{message}\n"

    def names(self):
        """Mostly of one folder, as people work."""
        names = list(self.files)
        at = min(int(self.chance.paretovariate(0.4)) - 1, len(names) - 1)
        near = names[max(0, at - 4):at + 4]
        return {names[at], *self.chance.sample(near, min(len(near), self.chance.randrange(4)))}

    def change(self, number):
        stream = self.head(number, "Fix the total" if self.chance.random() < 0.2 else "orders: more")
        if self.chance.random() < 0.01:
            old = self.chance.choice(list(self.files))
            new = re.sub(r"m\d+", f"m{100 + self.moved}", old)
            self.moved += 1
            self.files[new] = self.files.pop(old)
            return stream + f"R {old} {new}\n"
        for name in sorted(self.names()):
            self.files[name][self.chance.randrange(6)] = function(self.chance, self.chance.randrange(100))
            stream += self.put(name)
        return stream


@functools.cache
def repository():
    folder, shop = FOLDER / "past", Shop()
    mark = folder / ".git/made"
    if mark.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    with subprocess.Popen(["git", "-C", folder, "fast-import", "--quiet"], stdin=subprocess.PIPE) as process:
        process.stdin.write((shop.head(0, "first") + "".join(shop.put(name) for name in shop.files)).encode())
        for number in range(1, COMMITS):
            process.stdin.write(shop.change(number).encode())
        process.stdin.close()
        if process.wait():
            raise BenchError("git fast-import failed")
    subprocess.run(["git", "-C", folder, "repack", "-adq"], check=True)
    subprocess.run(["git", "-C", folder, "reset", "-q", "--hard"], check=True)
    mark.touch()
    return folder


def audit(*options):
    found, told = spent([BANYAN, "audit", repository(), "--json", "--cache", "none", *options])
    return found | {"told": json.loads(told)}


def log():
    found, _ = spent(["git", "-C", repository(), "log", "--name-only"])
    return found


def over(more, less, told):
    """What one run costs over another."""
    return more | {"cost": more["cost"] - less["cost"], "seconds": more["seconds"] - less["seconds"], "told": told}


def history_rounds(_bench, names, pairs, _count):
    for _ in range(pairs):
        without, with_it = audit("--no-history"), audit()
        told = with_it["told"]["history"]
        if told["commits"] != COMMITS:
            raise BenchError(f"{told['commits']} commits were read")
        told = {"sets": told["change_sets"], "couplings": len(told["couplings"]), "hotspots": len(told["hotspots"]), "owners": len(told["owners"])}
        yield {"banyan": over(with_it, without, told)} | ({"git-log": log()} if "git-log" in names else {})


@functools.cache
def texts(commits):
    """How many different texts of Python there are in these."""
    return len({line.split()[2] for commit in commits for line in
                subprocess.run(["git", "-C", repository(), "ls-tree", "-r", commit], check=True, capture_output=True, text=True).stdout.splitlines()
                if line.endswith(".py")})


def trend_rounds(_bench, _names, pairs, _count):
    for _ in range(pairs):
        without, with_it = audit(), audit("--trends", str(MOMENTS))
        told = with_it["told"]["trends"]
        commits = tuple(sample["commit"] for sample in told["samples"])
        if len(commits) != MOMENTS or told["texts"] != texts(commits):
            raise BenchError(f"{told['texts']} texts of {len(commits)} moments were read")
        yield {"banyan": over(with_it, without, {"texts": told["texts"]})}


def deep_rounds(_bench, _names, pairs, _count):
    for _ in range(pairs):
        without, with_it = audit(), audit("--deep")
        told = with_it["told"]["past"]["szz"]
        yield {"banyan": over(with_it, without, {name: told[name] for name in ("fixes", "traced", "lost", "versions")})}


def figures(_bench, rounds):
    first, best = rounds[0]["banyan"], min(one["banyan"]["seconds"] for one in rounds)
    return ", ".join(f"{value} {name}" for name, value in first["told"].items()) + f"; {best:.2f} s at least"
