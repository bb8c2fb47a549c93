# SPDX-License-Identifier: Apache-2.0
"""Who needs whom: `banyan audit` beside Python's own parser, brute force and vulture. BANYAN_PROOF=1: of all of Debian's Django, and of its library."""
import ast
import collections
import json
import pathlib
import re
import subprocess

import jsonschema
import pytest

from actors.gateway import run_banyan
from actors.waiting import PROOF

DJANGO = pathlib.Path("/usr/lib/python3/dist-packages/django")
SHOP = pathlib.Path(__file__).parents[2] / "examples/shop"
SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "docs/reference/audit.schema.json").read_text())
TREES = [SHOP, DJANGO] if PROOF else [SHOP]


def audit(folder, cache="none"):
    code, out, err = run_banyan("audit", str(folder), "--json", "--no-history", "--cache", cache)
    assert code == 0, err
    return json.loads(out)


class Judge(ast.NodeVisitor):
    """The modules that one file imports, as {name: kinds}, by rules as short as they can be told."""

    def __init__(self, name, is_package, names):
        self.package = name if is_package else name.rpartition(".")[0]
        self.names, self.found, self.kind = names, collections.defaultdict(set), "top"

    def add(self, name):
        if name in self.names:
            self.found[name].add(self.kind)

    def within(self, kind, nodes):
        outer, strength = self.kind, ["top", "optional", "lazy", "typing"]
        self.kind = max(outer, kind, key=strength.index)
        for node in nodes:
            self.visit(node)
        self.kind = outer

    def visit_Import(self, node):
        for alias in node.names:
            self.add(alias.name)

    def visit_ImportFrom(self, node):
        base = self.package.split(".")[:len(self.package.split(".")) - node.level + 1] if node.level else []
        module = ".".join(filter(None, base + [node.module or ""]))
        for alias in node.names:
            inner = f"{module}.{alias.name}"
            self.add(inner if inner in self.names else module)

    def visit_FunctionDef(self, node):
        self.within("lazy", node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node):
        test = ast.unparse(node.test)
        kind = "typing" if test.endswith("TYPE_CHECKING") and "not" not in test else "lazy" if "__main__" in test else "optional"
        self.within(kind, node.body)
        self.within("optional", node.orelse)

    def visit_Try(self, node):
        self.within("optional", node.body + node.handlers + node.orelse)
        self.within(self.kind, node.finalbody)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_the_imports_are_those_that_python_reads(tree):
    links = audit(tree)["links"]
    names = {module["name"] for module in links["modules"]}
    ours, judged = {}, {}
    for source, to, kinds, *_ in links["edges"]:
        kinds = {kind for bit, kind in enumerate(links["kinds"]) if kinds >> bit & 1} - {"dynamic", "named"}
        if kinds:
            ours[links["modules"][source]["name"], links["modules"][to]["name"]] = kinds
    for module in links["modules"]:
        judge = Judge(module["name"], module["path"].endswith("__init__.py"), names)
        judge.visit(ast.parse((tree / module["path"]).read_bytes()))
        judged.update({(module["name"], to): kinds for to, kinds in judge.found.items() if to != module["name"]})
    assert len(judged) > 100
    assert ours == judged


def test_what_was_kept_says_the_same(tmp_path):
    assert audit(SHOP, tmp_path)["links"] == audit(SHOP, tmp_path)["links"] == audit(SHOP)["links"]


def components(nodes, edges):
    """By brute force: what reaches what, and back."""
    ahead = collections.defaultdict(set)
    for source, to in edges:
        ahead[source].add(to)

    def reached(start):
        seen, open_ = set(), [start]
        while open_:
            for to in ahead[open_.pop()]:
                if to not in seen:
                    seen.add(to)
                    open_.append(to)
        return seen
    reach = {node: reached(node) for node in nodes}
    return {frozenset(other for other in reach[node] if node in reach[other]) for node in nodes if node in reach[node]}


@pytest.mark.parametrize("tree", [DJANGO if PROOF else DJANGO / "db"], ids=lambda tree: tree.name)
def test_circles_are_those_of_brute_force_and_their_cuts_leave_none(tree):
    links = audit(tree)["links"]
    bit = {kind: 1 << i for i, kind in enumerate(links["kinds"])}
    loads = {(e[0], e[1]) for e in links["edges"] if e[2] & (bit["top"] | bit["optional"])}
    runs = {(e[0], e[1]) for e in links["edges"] if e[2] & ~(bit["typing"] | bit["named"])}
    nodes = range(len(links["modules"]))
    hard = {frozenset(c["modules"]) for c in links["cycles"] if not c["lazy"]}
    lazy = {frozenset(c["modules"]) for c in links["cycles"] if c["lazy"]}
    assert hard == components(nodes, loads) and hard
    assert lazy == components(nodes, runs) - hard
    for cycle in links["cycles"]:
        edges = runs if cycle["lazy"] else loads
        circle = [(a, b) for a, b, _ in cycle["circle"]]
        assert set(circle) <= edges and all(a[1] == b[0] for a, b in zip(circle, circle[1:] + circle[:1]))
        inside = {e for e in edges if set(e) <= set(cycle["modules"])} - {(a, b) for a, b, _ in cycle["cut"]}
        assert not components(cycle["modules"], inside)


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_contracts_of_the_team_and_of_import_linter_are_kept_or_broken(tmp_path):
    write(tmp_path, shop__api_py="from shop import data\nimport shop.web\n", shop__web_py="def page():\n    import requests\n",
          shop__data_py="from shop import helper\n", shop__helper_py="from shop import api\n")
    (tmp_path / "shop/__init__.py").touch()
    (tmp_path / "banyan.yaml").write_text(
        "audit:\n  groups: { front: { paths: ['shop/web.py', 'shop/api.py'] }, back: { paths: 'shop/**' } }\n  imports:\n    contracts:\n      tiers: { type: layers, layers: [shop.api, shop.data] }\n"
        "      offline: { type: forbidden, modules: [shop.web], forbidden: [requests] }\n")
    (tmp_path / "setup.cfg").write_text(
        "[importlinter]\nroot_package = shop\n[importlinter:contract:1]\nname = Apart\ntype = independence\nmodules =\n    shop.web\n    shop.data\n")
    told = audit(tmp_path)
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert [(c["name"], c["from"], c["breaches"]) for c in told["links"]["contracts"]] == \
        [("tiers", "configuration", 1), ("offline", "configuration", 1), ("Apart", "setup.cfg", 1)]
    assert [(row[0], row[1], row[3]) for row in told["links"]["group_matrix"]] == [(0, 1, 1), (1, 0, 1)]
    breaches = sorted((f["path"], f["line"], f["text"]) for f in told["findings"] if f["rule"] == "PY503")
    assert breaches == [
        ("shop/data.py", 1, 'breaks "Apart" (independence): shop.data -> shop.helper -> shop.api -> shop.web'),
        ("shop/data.py", 1, 'breaks "tiers" (layers): shop.data -> shop.helper -> shop.api'),
        ("shop/web.py", 2, 'breaks "offline" (forbidden): shop.web -> requests')]


@pytest.mark.skipif(not PROOF, reason="BANYAN_PROOF=1")
def test_what_has_no_name_elsewhere_vulture_finds_too():
    tree = pathlib.Path("/usr/lib/python3.11")
    told = audit(tree)["links"]
    ours = set()
    for row in told["dead"]:
        path, name = told["modules"][row["module"]]["path"], row.get("name", "")
        # vulture passes over _variables, and takes a method that calls its namesake for used.
        if row["why"] == "its name stands nowhere else" and row.get("kind") in ("function", "class", "method") \
                and len(re.findall(rf"\b{name}\b", (tree / path).read_text())) == 1:
            ours.add((path, name))
    out = subprocess.run(["vulture", "--min-confidence", "60", tree], capture_output=True, text=True, timeout=600).stdout
    theirs = set()
    for line in out.splitlines():
        path, _, what = line.split(":", 2)
        theirs.add((str(pathlib.Path(path).relative_to(tree)), what.split("'")[1]))
    assert len(ours) > 300
    assert ours <= theirs
