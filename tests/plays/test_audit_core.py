# SPDX-License-Identifier: Apache-2.0
"""`banyan audit` as a whole: what it is told by banyan.yaml, several folders, what it keeps from run to run, and what it makes of bad input."""
import json
import os
import pathlib
import resource

import pytest

from actors.gateway import run_banyan

HARD = "def hard(x):\n" + "".join(f"{'    ' * i}if x:\n" for i in range(1, 8)) + "    " * 8 + "return 1\n"


def write(folder, **files):
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def said(*words, **options):
    code, out, err = run_banyan("audit", *words, "--json", **options)
    assert code == 0, err
    return json.loads(out)


def steady(answer):
    return {key: value for key, value in answer.items() if key not in ("taken_s", "cache")}


def test_a_second_run_says_the_same_and_reads_only_what_changed(tmp_path):
    write(tmp_path / "code", a=HARD, b="x = 1\n", c__d="class A:\n    def f(self): pass\n")
    first = said(tmp_path / "code", "--cache", tmp_path / "kept")
    second = said(tmp_path / "code", "--cache", tmp_path / "kept")
    assert first["cache"] == {"files_known": 0, "files_read": 3} and second["cache"] == {"files_known": 3, "files_read": 0}
    assert steady(first) == steady(second)
    write(tmp_path / "code", b="def g(): return 1 if x else 2\n")
    third = said(tmp_path / "code", "--cache", tmp_path / "kept")
    assert third["cache"] == {"files_known": 2, "files_read": 1}
    assert third["files"][1]["units"][0]["cc"] == 2
    assert steady(third) == steady(said(tmp_path / "code", "--cache", "none"))
    [kept] = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    fourth = said(tmp_path / "code", "--cache", tmp_path / "kept")
    assert fourth["cache"]["files_known"] == 0 and "is made anew" in fourth["cache"]["trouble"] and steady(fourth) == steady(third)


def test_the_folder_s_banyan_yaml_says_what_is_read_and_how_it_is_put_together(tmp_path):
    write(tmp_path, shop__orders__take=HARD, shop__orders__models="x = 1\n", shop__mail="y = 2\n", old__z="z = 3\n")
    (tmp_path / "banyan.yaml").write_text("""
routes: [ { of: the gateway } ]
audit:
  exclude: old/
  capacity: 640
  groups: { orders: { paths: "shop/orders/**" } }
  money: { rate: 75, cost: 100K }
""")
    answer = said(tmp_path)
    assert [row["path"] for row in answer["files"]] == ["shop/mail.py", "shop/orders/models.py", "shop/orders/take.py"]
    assert [(row["name"], row["files"]) for row in answer["packages"]] == [("shop", 1), ("shop/orders", 2)]
    [orders] = answer["groups"]
    assert (orders["name"], orders["files"], orders["sloc"]) == ("orders", 2, 10)
    there = [row for row in answer["findings"] if row.get("path", "").startswith("shop/orders/") and "ignored" not in row]
    assert orders["findings"] == len(there) >= 1 and abs(orders["minutes"] - sum(row["minutes"] for row in there)) < 1e-9
    principal = answer["money"]["principal"]["likely"]
    assert abs(principal - 75 * answer["totals"]["minutes"] / 60) < 1e-6 and answer["money"]["inputs"]["principal"]["source"] == "measured"
    assert answer["money"]["inputs"]["hours_lost"]["source"] == "unknown"      # there is no history here
    (tmp_path / "banyan.yaml").write_text("audit: { exclud: old }\n")
    code, out, err = run_banyan("audit", tmp_path)
    assert code == 2 and out == "" and "did you mean exclude?" in err


def test_findings_are_summed_where_they_are(tmp_path):
    write(tmp_path, a=HARD)
    answer = said(tmp_path)
    rules = {row["id"]: row for row in answer["rules"]}
    assert sum(row["count"] for row in rules.values()) == len(answer["findings"]) == answer["totals"]["count"]
    assert abs(sum(row["minutes"] for row in answer["findings"]) - answer["totals"]["minutes"]) < 1e-9
    assert abs(answer["totals"]["ratio"] - answer["totals"]["minutes"] / 30 / answer["files"][0]["lines"]["sloc"]) < 1e-9
    assert answer["totals"]["rating"] in "ABCDE" and all(row["rule"] in rules and len(row["print"]) == 16 for row in answer["findings"])
    code, out, err = run_banyan("audit", tmp_path)
    assert code == 0 and "to mend" in out and len(out.splitlines()) <= 50
    off = ", ".join(rules)
    (tmp_path / "banyan.yaml").write_text(f"audit: {{ off: [ {off} ] }}\n")
    assert said(tmp_path)["findings"] == [] and "No findings" in run_banyan("audit", tmp_path)[1]


def test_several_folders_are_one_audit(tmp_path):
    write(tmp_path, one__a="x = 1\n", two__b="y = 2\n", three__c="z = 3\n")
    answer = said("one", "two", cwd=tmp_path)
    assert answer["root"] == "." and [row["path"] for row in answer["files"]] == ["one/a.py", "two/b.py"]
    answer = said(tmp_path / "one", tmp_path / "three", tmp_path / "one/")
    assert [row["path"] for row in answer["files"]] == ["one/a.py", "three/c.py"]
    assert run_banyan("audit", tmp_path / "one", tmp_path / "none")[0] != 0


DEEP = 2000


def make_odd(folder):
    """Everything that a tree of somebody else's may hold."""
    write(folder, fine="x = 1\n", empty="", broken="def f(:\n  (((\n'''open\n", deep="x = " + "(" * DEEP + ")" * DEEP + "\n",
          nested="".join("    " * i + f"if x{i}:\n" for i in range(90)) + "    " * 90 + "pass\n")
    (folder / "large.py").write_bytes(b"")
    os.truncate(folder / "large.py", 100 << 20)
    (folder / "latin.py").write_bytes(b"x = '\xe4'\n")
    (folder / "nul.py").write_bytes(b"x\0y\n")
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "round").symlink_to(folder)
    (folder / "pipe.py").mkdir()
    os.mkfifo(folder / "fifo.py")
    (folder / "odd\nname\xff.py".encode("utf-8", "surrogateescape").decode()).write_text("y = 1\n")
    os.close(os.open(os.fsencode(folder) + b"/not\xffutf8.py", os.O_CREAT | os.O_WRONLY))


def test_odd_files_are_read_or_named_and_nothing_falls_over(tmp_path):
    make_odd(tmp_path)
    answer = said(tmp_path)
    rows = {row["path"]: row for row in answer["files"]}
    assert {"fine.py", "empty.py", "broken.py", "deep.py", "nested.py"} <= set(rows) and rows["broken.py"]["errors"]
    left = {row["why"]: row["count"] for row in answer["left_out"]}
    assert left == {"larger than 8 MiB": 1, "neither UTF-8 nor in the coding that they name": 1, "hold NUL bytes": 1,
                    "links to folders, which are not followed": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_the_system_refuses_is_named(tmp_path):
    write(tmp_path, fine="x = 1\n", closed="x = 1\n", shut__in="x = 1\n")
    (tmp_path / "closed.py").chmod(0)
    (tmp_path / "shut").chmod(0)
    left = {row["why"]: row["count"] for row in said(tmp_path)["left_out"]}
    (tmp_path / "shut").chmod(0o700)
    assert left == {"could not be read": 2}


@pytest.mark.parametrize("files, says", [((), "it is empty"), (("a.txt", "b.c"), "2 files that are not Python"),
                                         (("a.ipynb",), "1 notebooks, which are not read")])
def test_a_folder_without_python_is_a_sentence(tmp_path, files, says):
    for name in files:
        (tmp_path / name).write_text("{}")
    code, out, err = run_banyan("audit", tmp_path)
    assert code == 2 and out == "" and says in err


def test_many_empty_files_are_no_trouble(tmp_path):
    for i in range(40):
        (tmp_path / f"p{i}").mkdir()
        for k in range(50):
            (tmp_path / f"p{i}" / f"m{k}.py").touch()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    code, out, err = run_banyan("audit", tmp_path)
    assert code == 0 and "2000 files of Python" in out and "No findings" in out, err
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 60


def test_a_report_in_a_file_that_cannot_be_is_said(tmp_path):
    write(tmp_path, a="x = 1\n")
    code, out, err = run_banyan("audit", tmp_path, "--config", tmp_path / "none.yaml")
    assert code != 0 and "none.yaml" in err and out == ""
    assert pathlib.Path(tmp_path / "a.py").read_text() == "x = 1\n"
