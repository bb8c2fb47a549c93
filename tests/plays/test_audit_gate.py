# SPDX-License-Identifier: Apache-2.0
"""`banyan gate` and what an audit gives to others: SARIF by its schema (npm's @microsoft/jest-sarif has it), JSON by ours, Markdown, a badge; and
what it takes from them: the output of bandit, mypy, pylint and ruff."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

import jsonschema
import pytest

from actors.gateway import run_banyan
from actors.waiting import PROOF

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SARIF = json.loads((ROOT / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text())
OURS = json.loads((ROOT / "docs/reference/audit.schema.json").read_text())
GATE = json.loads((ROOT / "docs/reference/gate.schema.json").read_text())
TOOLS = ROOT / "tests/data/audit/tools"
HARD = """def {name}(a, b):
    for i in a:
        if i:
            for j in i:
                if j and b or a:
                    for k in j:
                        if k:
                            while b:
                                b -= k
    return b
"""
WEB = """from flask import Flask
from sqlalchemy import Column, ForeignKey
from sqlalchemy.orm import declarative_base
import shop.orders
app = Flask(__name__)

class Line(declarative_base()):
    __tablename__ = "lines"
    order = Column(ForeignKey("nowhere.id"))

@app.route("/lines/<int:n>")
def lines(n):
    session.execute("select * from lines join orders on 1 = 1")
    return shop.orders.place(n, n)
"""
EASY = "def easy(a):\n    return a\n"


class Shop:
    """A repository with one hard function, and what the gate says of it."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "-q", "-b", "main")
        self.write("shop/orders.py", HARD.format(name="place"))
        self.write("shop/easy.py", EASY)
        self.commit("a shop")

    def git(self, *words):
        return subprocess.run(["git", "-C", self.folder, "-c", "user.name=Ada", "-c", "user.email=ada@shop.test", *words], check=True, capture_output=True,
                              text=True).stdout

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def commit(self, what):
        self.git("add", "-A")
        self.git("commit", "-qm", what)

    def history(self, commits, words="more"):
        """Commits on main, many at once."""
        stream = ""
        for files in commits:
            stream += f"commit refs/heads/main\ncommitter Ada <ada@shop.test> now\ndata {len(words)}\n{words}\n" + ("" if stream else "from refs/heads/main^0\n")
            stream += "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items())
        subprocess.run(["git", "-C", self.folder, "fast-import", "--quiet", "--date-format=now"], input=stream.encode(), check=True)
        self.git("reset", "-q", "--hard")

    def run(self, *words):
        return run_banyan(*words, "--cache", "none", cwd=self.folder)

    def gate(self, *words, history=False):
        """(exit code, what it said)"""
        code, out, err = self.run("gate", "--json", *([] if history else ["--no-history"]), *words)
        return code, json.loads(out) if out else err


MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [migrations.AddIndex("order", models.Index(fields=["name"], name="n")), migrations.RunPython(lambda apps, editor: None)]
"""


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def places(said):
    return [(row["rule"], row.get("new_in", row["path"])) for row in said["new"]]


def test_the_gate_passes_what_was_there_and_fails_what_is_new(shop):
    code, said = shop.gate()
    assert code == 2 and "there is no banyan-baseline.json" in said
    code, said = shop.gate("--update")
    assert code == 0 and said["places"] >= 1
    known, budgets = said["places"], said["budgets"]
    assert shop.gate()[0] == 0

    shop.write("shop/orders.py", "\n\n# A line above.\n" + HARD.format(name="place"))          # lines move
    assert shop.gate()[0] == 0
    (shop.folder / "shop/orders.py").rename(shop.folder / "shop/placing.py")                    # the code moves
    code, said = shop.gate()
    assert code == 0 and said["moved"] >= 1 and not said["new"] and not said["fixed"]
    shutil.copy(shop.folder / "shop/placing.py", shop.folder / "shop/orders.py")                # it is copied
    code, said = shop.gate()
    assert code == 3 and said["failing"] and {path for _, path in places(said)} >= {"shop/placing.py"}
    assert [row["name"] for row in said["budgets"] if not row["kept"]] == ["minutes"]

    (shop.folder / "shop/orders.py").unlink()
    shop.write("shop/placing.py", EASY)                                                          # it is mended
    code, said = shop.gate()
    assert code == 0 and said["fixed_count"] >= 1
    code, said = shop.gate("--update")
    assert code == 0 and said["places"] < known and said["budgets"]["minutes"] < budgets["minutes"]
    shop.write("shop/placing.py", HARD.format(name="place"))                                     # and comes back
    assert shop.gate()[0] == 3
    code, said = shop.gate("--update")                                                           # budgets do not grow again
    assert said["budgets"]["minutes"] < budgets["minutes"] and shop.gate()[0] == 3
    assert "edit the budget" in shop.run("gate")[1]
    shop.write("shop/placing.py", HARD.format(name="place") + "\n\ndef f(x=[]):\n    return x\n")
    assert "2 new findings were taken in" in shop.run("gate", "--update")[1] and "taken in" not in shop.run("gate", "--update")[1]


def test_budgets_are_recorded_and_only_shrink(shop):
    assert shop.gate("--budget", "hard")[0] == 2
    assert shop.gate("--update", "--budget", "hrad")[0] == 2
    code, said = shop.gate("--update", "--budget", "hard", "--budget", "security=0")
    assert code == 0 and said["budgets"]["hard"] == 1 and said["budgets"]["security"] == 0
    assert "only shrinks" in shop.gate("--update", "--budget", "hard=2")[1]
    baseline = shop.folder / "banyan-baseline.json"
    baseline.write_text(baseline.read_text().replace('"hard": 1', '"hard": 0'))
    code, said = shop.gate()
    assert code == 3 and [row["name"] for row in said["budgets"] if not row["kept"]] == ["hard"]
    baseline.write_text("{}")
    code, said = shop.gate()
    assert code == 2 and "this is no baseline" in said


def test_without_a_baseline_it_is_where_the_branch_began(shop):
    shop.git("checkout", "-qb", "work")
    shop.write("shop/more.py", HARD.format(name="more"))
    shop.commit("more")
    shop.git("checkout", "-q", "main")
    shop.write("shop/other.py", HARD.format(name="other"))
    shop.commit("of somebody else")
    shop.git("checkout", "-q", "work")
    code, said = shop.gate("--since", "main")
    assert code == 3 and {path for _, path in places(said)} == {"shop/more.py"} and not said["fixed"]
    assert shop.gate("--since", "main", "--level", "error")[0] == 0
    shop.write("banyan.yaml", "audit: { gate: { level: error, baseline: of/gate.json } }\n")
    assert shop.gate("--since", "main")[0] == 0
    assert shop.gate("--since", "main", "--level", "note")[0] == 3
    assert "/of/gate.json: record one" in shop.gate()[1]
    assert shop.gate("--since", "nowhere")[0] == 5


def test_what_no_tree_has_is_not_new_in_one(shop):
    """Findings of the history, of a lock file and of migrations that were before a revision."""
    shop.write("requirements.txt", "django>=1.0\n")
    shop.write("shop/migrations/0001_first.py", MIGRATION)
    shop.write("banyan.yaml", "audit: { models: { migrations_since: HEAD } }\n")
    shop.commit("more")
    shop.history([{"shop/orders.py": HARD.format(name="place") + f"# {n}\n"} for n in range(12)], "fix a bug")
    found = {row["rule"] for row in json.loads(shop.run("audit", "--json")[1])["findings"]}
    assert {"PY703", "PY903"} <= found and not any(rule.startswith("PY6") for rule in found)
    code, said = shop.gate("--since", "HEAD", "--level", "note", history=True)
    assert code == 0 and not said["new"] and not said["fixed"]
    assert shop.gate("--update", history=True)[0] == 0
    code, said = shop.gate()
    assert code == 0 and said["unread"] == "the history" and not said["fixed"]
    assert "findings of the history" in shop.gate("--update")[1]
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{shop.folder}", shop.folder / "shallow"], check=True, capture_output=True)
    code, out, _ = run_banyan("gate", "--json", "-b", shop.folder / "banyan-baseline.json", "--cache", "none", cwd=shop.folder / "shallow")
    shutil.rmtree(shop.folder / "shallow")
    assert code == 0 and json.loads(out)["unread"] == "the history"
    figures = json.loads(shop.run("audit", "--json", "--compare", "HEAD")[1])["compare"]["figures"]
    assert all(row["before"] == row["now"] for row in figures.values())


def test_a_file_s_name_does_nothing_to_a_terminal(shop):
    shop.write("shop/\x1b[2J\u202e.py", HARD.format(name="place"))
    for words in [["audit"], ["gate", "--since", "HEAD"], ["audit", "--review"]]:
        _, out, _ = shop.run(*words, "--no-history")
        assert "\x1b" not in out and "\u202e" not in out and "\\x1b[2J\\u202e.py" in out


def test_a_pipe_in_the_tree_is_waited_for_by_nobody(shop):
    os.mkfifo(shop.folder / "banyan-scorecard.json")
    assert shop.run("audit", "--no-history", "--html", shop.folder / "page.html")[0] == 0
    os.mkfifo(shop.folder / "banyan-baseline.json")
    code, said = shop.gate()
    assert code == 2 and "is no file" in said


def test_what_usually_changes_too_is_asked_for(shop):
    shop.history([{"shop/easy.py": EASY + f"# {n}\n", "shop/page.html": f"<p>{n}", "banyan-baseline.json": f"[{n}]"} for n in range(6)] + [{f"docs/{n}.txt": "x"} for n in range(30)])
    (shop.folder / "banyan-baseline.json").unlink()
    shop.gate("--update")
    shop.commit("the baseline, which nobody has to change")
    shop.write("shop/easy.py", EASY + "# now\n")
    code, said = shop.gate(history=True)
    assert code == 0 and [(row["changed"], row["missing"]) for row in said["companions"]] == [("shop/easy.py", "shop/page.html")]
    assert shop.gate("--companions", "fail", history=True)[0] == 3
    shop.write("shop/page.html", "<p>now")
    assert shop.gate("--companions", "fail", history=True)[0] == 0
    assert shop.gate("--companions", "off", history=True)[1]["companions"] == []


def test_two_states_are_compared_without_a_checkout(shop):
    shop.git("tag", "before")
    shop.write("shop/orders.py", EASY)
    shop.write("shop/new.py", HARD.format(name="anew") + "\n\n" + HARD.format(name="again"))
    code, out, err = shop.run("audit", "--json", "--compare", "before")
    assert code == 0, err
    said = json.loads(out)["compare"]
    assert said["rev"] == "before" and re.fullmatch("[0-9a-f]{12}", said["id"])
    assert {path for rule, path in places(said) if rule == "PY100"} == {"shop/new.py"}
    assert ("PY100", "shop/orders.py") in [(row["rule"], row["path"]) for row in said["fixed"]]
    assert said["figures"]["hard"] == {"before": 1, "now": 2}
    shop.write("banyan.yaml", "audit: { outside: { python: '3.7' } }\n")                          # ended, and lies in no revision
    assert [row for row in json.loads(shop.run("audit", "--json", "--compare", "before")[1])["compare"]["fixed"] if row["rule"] == "PY902"] == []
    (shop.folder / "banyan.yaml").unlink()
    out = shop.run("audit", "--compare", "before", "--trends", "5", "--deep")[1]
    assert "Compared with before" in out and "Trends:" in out and len(out.splitlines()) < 50
    assert out.splitlines()[-4] == "Next:" and "banyan gate --update" in out.splitlines()[-1]
    assert shop.run("audit", "--compare", "nowhere")[0] == 5
    assert (shop.folder / "shop/new.py").exists()
    blob = shop.git("rev-parse", "before:shop/orders.py").strip()                                # as in a clone that has not all files
    (shop.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    code, _, err = shop.run("audit", "--compare", "before")
    assert code == 5 and "1 files of before are not in this clone" in err


def tool_files(shop):
    shop.write("shop/orders.py", (TOOLS / "orders.py.txt").read_text())
    return [word for file in ("bandit.json", "mypy.txt", "pylint.json", "ruff.json", "scanner.sarif") for word in ("--with", TOOLS / file)]


def test_what_other_tools_found_is_found_here_too(shop):
    with_tools = tool_files(shop)
    code, out, err = shop.run("audit", "--json", *with_tools)
    assert code == 0, err
    said = json.loads(out)
    theirs = [row for row in said["findings"] if ":" in row["rule"]]
    ours = {row["rule"] for row in said["findings"]} - {row["rule"] for row in theirs}
    assert {row["rule"] for row in theirs} >= {"bandit:B404", "mypy:return-value", "pylint:W0613", "ruff:syntax-error", "shop-scanner-free:python.eval"}
    assert {row["format"]: row["findings"] for row in said["tools"]} == \
        {"bandit's JSON": 6, "mypy's text": 1, "pylint's JSON": 4, "ruff's JSON": 3, "SARIF": 3}
    twice = {row["format"]: row["twice"] for row in said["tools"]}                               # eval, pickle, a shell: ours; an unused import: pylint's
    assert {"PY303", "PY311", "PY325"} <= ours and twice["bandit's JSON"] >= 3 and twice["ruff's JSON"] == 2 and twice["mypy's text"] == 0
    units = {(row["rule"], row.get("unit")) for row in theirs}
    assert ("mypy:return-value", "Order.total") in units and ("pylint:W0613", "Order.load") in units
    assert all(row["path"] == "shop/orders.py" for row in theirs if row["rule"].startswith(("bandit", "pylint", "mypy")))

    assert shop.gate("--update", *with_tools)[0] == 0
    shop.write("shop/orders.py", "# A line above: what the tools say now is a line further down.\n" + (TOOLS / "orders.py.txt").read_text())
    moved = json.loads((TOOLS / "bandit.json").read_text())
    for row in moved["results"]:
        row["line_number"] += 1
    shop.write("bandit.json", json.dumps(moved))
    assert shop.gate("--with", "bandit.json")[1]["new"] == []
    code, said = shop.gate()                                                                     # where nobody ran the tools
    assert code == 0 and said["unread"] in ("bandit", "mypy", "pylint", "ruff", "shop-scanner-free") and not said["fixed"]
    assert "let that be read (a tool's by --with)" in shop.gate("--update", "--with", "bandit.json")[1]
    shop.write("notes.txt", "these are no findings\n")
    code, said = shop.gate("--with", "notes.txt")
    assert code == 2 and "notes.txt could not be read: this is neither SARIF nor" in said


def test_sarif_is_valid_by_its_schema(shop):
    with_tools = tool_files(shop)
    shop.gate("--update")
    shop.write("shop/a b&c.py", HARD.format(name="fresh") + "x = )\n")
    code, said = shop.gate("--sarif", "gate.sarif", "--markdown", "gate.md", "--badge", "badge.svg", *with_tools)
    assert code == 3
    sarif = json.loads((shop.folder / "gate.sarif").read_text())
    jsonschema.Draft7Validator(SARIF).validate(sarif)
    runs = {run["tool"]["driver"]["name"]: run for run in sarif["runs"]}
    assert set(runs) == {"Banyan", "bandit", "mypy", "pylint", "ruff", "shop-scanner-free"}
    fresh = [row for row in runs["Banyan"]["results"] if row["baselineState"] == "new"]
    assert "shop/a%20b%26c.py" in {row["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for row in fresh}
    assert [row["level"] for row in runs["Banyan"]["invocations"][0]["toolExecutionNotifications"]] == ["warning"]
    for run in sarif["runs"]:
        for row in run["results"]:
            assert run["tool"]["driver"]["rules"][row["ruleIndex"]]["id"] == row["ruleId"]
    scanned = runs["shop-scanner-free"]["results"]
    assert [row["suppressions"][0]["justification"] for row in scanned if "suppressions" in row] == ["it runs once a year"]
    assert shop.run("audit", "--sarif", "part.sarif", "shop")[0] == 0                            # from the repository's root, as code scanning wants it
    part = json.loads((shop.folder / "part.sarif").read_text())["runs"][0]["results"]
    assert {row["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].split("/")[0] for row in part} == {"shop"}
    comment = (shop.folder / "gate.md").read_text()
    assert comment.startswith("## The gate is shut: ") and "shop/a b&#38;c.py:1" in comment
    badge = xml.etree.ElementTree.fromstring((shop.folder / "badge.svg").read_text())
    assert re.fullmatch(r"technical debt: [A-E] [\d.]+ %", badge.get("aria-label"))


def test_the_report_keeps_its_own_schema(shop):
    jsonschema.Draft202012Validator.check_schema(OURS)
    validator = jsonschema.Draft202012Validator(OURS)
    shop.write("shop/web.py", WEB)
    subjects = [(ROOT / "examples/shop", ()), (shop.folder, ("--compare", "HEAD", *tool_files(shop)))]
    if PROOF:
        subjects.append((pathlib.Path("/usr/lib/python3/dist-packages/django/contrib"), ()))
    for folder, words in subjects:
        code, out, err = run_banyan("audit", "--json", "--cache", "none", *words, folder)
        assert code == 0, err
        said = json.loads(out)
        validator.validate(said)
        assert not set(said) - set(OURS["properties"]), "members that the schema does not know"
    shop.gate("--update")
    shop.write("shop/fresh.py", HARD.format(name="fresh"))
    jsonschema.Draft202012Validator(GATE).validate(shop.gate()[1])
    said["findings"][0]["line"] = "one"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(said)
