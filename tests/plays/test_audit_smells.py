# SPDX-License-Identifier: Apache-2.0
"""Smells on fixtures that say in comments what is to be found on each line; bandit beside us on the same file; secrets, which must not be shown."""
import ast
import collections
import json
import pathlib
import re
import subprocess
import sys

from actors.gateway import run_banyan
from actors.waiting import PROOF

SUBJECTS = [pathlib.Path("/usr/lib/python3/dist-packages/django/db"), pathlib.Path("/usr/lib/python3.11")]
FIXTURES = pathlib.Path(__file__).parents[1] / "data/audit/smells"


def audit(folder):
    code, out, err = run_banyan("audit", folder, "--json", "--no-history", "--cache", "none")
    assert code == 0, err
    return json.loads(out)


def findings(folder):
    """Of smells: other modules have plays of their own."""
    return [row for row in audit(folder)["findings"] if row["rule"] < "PY5"]


def rules():
    code, out, err = run_banyan("audit", "--rules", "--json")
    assert code == 0, err
    return {row["id"]: row for row in json.loads(out)}


def names_by_line(rows, known):
    found = collections.defaultdict(list)
    for row in rows:
        found[row["path"], row.get("line", 0)].append("ignored" if row.get("ignored") else known[row["rule"]]["name"])
    return {place: sorted(names) for place, names in found.items()}


def test_what_the_fixtures_say_is_found_and_nothing_else():
    expected = {}
    for path in FIXTURES.glob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "# expect: " in line:
                expected[path.name, number] = sorted(line.split("# expect: ")[1].split(", "))
            elif "# whole: " in line:
                expected[path.name, 0] = line.split("# whole: ")[1].split(", ")
    known = rules()
    assert names_by_line(findings(FIXTURES), known) == expected
    everywhere = {name for names in expected.values() for name in names}
    assert {row["name"] for row in known.values() if row["id"] < "PY5"} - everywhere == {"secret-in-code", "trojan-source"}  # below


# What bandit says and we do not, and why.
SILENT = {"B403": "an import does nothing; the call is found", "B404": "an import does nothing; the call is found",
          "B405": "an import does nothing; the call is found", "B406": "an import does nothing; the call is found",
          "B408": "an import does nothing; the call is found", "B410": "an import does nothing; the call is found",
          "B603": "a list of words without a shell is how it should be"}
LITERAL = {"B308": "a text that is written there is safe", "B310": "an address that is written there is known"}


def test_bandit_finds_nothing_that_is_not_found_here():
    path = FIXTURES / "security.py"
    told = json.loads(subprocess.run([sys.executable, "-m", "bandit", "-q", "-f", "json", path], capture_output=True, text=True, timeout=60).stdout)
    known, lines = rules(), path.read_text().splitlines()
    ours = collections.defaultdict(set)
    for row in findings(FIXTURES):
        if row["path"] == path.name:
            ours[row["line"]].update(known[row["rule"]]["bandit"])
    theirs = {(row["line_number"], row["test_id"]) for row in told["results"]}
    silent = {(line, test) for line, test in theirs if test in SILENT}
    literal = {(line, test) for line, test in theirs if test in LITERAL and re.search(r'\("[^"]*"\)$', lines[line - 1])}
    once = {(line, test) for line, test in theirs if test == "B413" and " Crypto" in lines[line - 2]}  # one finding a file
    meant = {(line, test) for line, test in theirs if "usedforsecurity=False" in lines[line - 1]}  # which it has learnt since
    silent |= once | meant
    assert {(line, test) for line, test in theirs - silent - literal if test not in ours[line]} == set()
    assert len(theirs - silent - literal) > 60 and len(silent) == 11 and len(literal) == 2


def sets(function, name):
    """Does a function give a name something?"""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)) and node.name == name:
            return True
        if isinstance(node, ast.alias) and name in (node.asname or node.name).split("."):
            return True
    return False


def globals_that_are_set(tree):
    """Lines of `global` by which the function around sets one."""
    around = {}
    for node in ast.walk(tree):  # outer functions come first
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            around.update({row: node for row in ast.walk(node) if isinstance(row, ast.Global)})
    return [row.lineno for row, function in around.items() if any(sets(function, name) for name in row.names)]


def of_python_itself(text):
    """What Python's own parser says: names of rules with lines."""
    tree = ast.parse(text)
    yield from (("hidden-global", line) for line in globals_that_are_set(tree))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for default in node.args.defaults + node.args.kw_defaults:
                if isinstance(default, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)):
                    yield "mutable-default", node.name
        elif isinstance(node, ast.ExceptHandler) and not (isinstance(node.body[-1], ast.Raise) and not node.body[-1].exc):
            empty = all(isinstance(row, (ast.Pass, ast.Continue)) for row in node.body)
            if node.type is None and not empty:
                yield "bare-except", node.lineno
        elif isinstance(node, ast.Assert) and not isinstance(node.test, ast.Tuple):
            yield "assert-guard", node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
            yield node.func.id + "-call", node.lineno
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield "star-import", node.lineno


def test_pythons_own_parser_says_the_same():
    """Of Django, and with BANYAN_PROOF=1 of Python's library too."""
    names = {"mutable-default", "bare-except", "hidden-global", "assert-guard", "eval-call", "exec-call", "star-import"}
    known, compared = rules(), collections.Counter()
    for root in SUBJECTS if PROOF else SUBJECTS[:1]:
        told, ours = audit(root), collections.defaultdict(collections.Counter)
        for row in told["findings"]:
            name = known[row["rule"]]["name"]
            if name in names:
                ours[row["path"]][name, row["unit"].rpartition(".")[2] if name == "mutable-default" else row["line"]] += 1
        for file in told["files"]:
            if file["kind"] == "code" and "errors" not in file:
                theirs = collections.Counter(of_python_itself((root / file["path"]).read_text()))
                if file["path"].endswith("__init__.py"):
                    theirs = +collections.Counter({row: count for row, count in theirs.items() if row[0] != "star-import"})
                assert ours[file["path"]] == theirs, file["path"]
                compared.update(name for name, _ in theirs)
    assert compared["assert-guard"] > 20 and (not PROOF or all(compared[name] > 15 for name in names))


def test_a_secret_is_found_and_never_shown(tmp_path):
    made = {"AWS": "AKIA" + "Q7ZJ2M4XK9WTR3LB", "GitHub": "ghp_" + "a8Kd03nVz71QwErTyU5sXc92LmPo4bGh6iJe", "Stripe": "sk_live_" + "9fJ2kLw81mNzQx47RtVb",
            "with a password": "pg" + "w8!Kq21z"}
    (tmp_path / "app.py").write_text(f'key = "{made["AWS"]}"\ncall("token {made["GitHub"]}")\nX = dict(stripe="{made["Stripe"]}")\n'
                                     f'url = "postgresql://shop:{made["with a password"]}@db/shop"\nfine = "AKIA" "EXAMPLE"\n')
    code, screen, _ = run_banyan("audit", tmp_path, "--no-history", "--cache", "none")
    code, out, _ = run_banyan("audit", tmp_path, "--json", "--no-history", "--cache", "none")
    rows = [row for row in json.loads(out)["findings"] if row["rule"] == "PY331"]
    assert [row["line"] for row in rows] == [1, 2, 3, 4]
    for name, row in zip(made, rows):
        assert name in row["text"] and made[name][:3] in row["text"]
        assert made[name] not in out + screen and made[name][-8:] not in out + screen


def test_text_that_turns_its_direction_is_found(tmp_path):
    (tmp_path / "app.py").write_text('x = 1\nif admin: # \u202e } \u2066if\ny = "\u05d0"\n', encoding="utf-8")
    assert [(row["rule"], row["line"]) for row in findings(tmp_path)] == [("PY330", 2)]


def test_a_rule_that_is_off_is_not_missed(tmp_path):
    """Nor is a comment that ignores it called unused."""
    (tmp_path / "app.py").write_text("def f(a=[]):\n    eval(a)  # banyan: ignore eval-call ours\n    exec(a)\n")
    assert [row["rule"] for row in findings(tmp_path)] == ["PY201", "PY303", "PY302"]
    (tmp_path / "banyan.yaml").write_text("audit: { off: [eval-call, PY201] }\n")
    assert [row["rule"] for row in findings(tmp_path)] == ["PY302"]


def test_rules_are_listed_and_explained():
    code, out, _ = run_banyan("audit", "--explain", "mutable-default")
    assert code == 0 and out.startswith("PY201 mutable-default: ") and "# banyan: ignore mutable-default why" in out
    code, out, err = run_banyan("audit", "--explain", "mutable-defualt")
    assert code != 0 and "near is mutable-default" in err and out == ""
    code, out, _ = run_banyan("audit", "--rules")
    assert len(out.splitlines()) == len(rules()) and "PY303  eval-call" in out
