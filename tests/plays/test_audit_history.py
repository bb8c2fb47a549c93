# SPDX-License-Identifier: Apache-2.0
"""What `banyan audit` makes of git's history: of repositories that git itself made, whole and in part."""
import json
import os
import pathlib
import random
import re
import subprocess

import jsonschema
import pytest

from actors.gateway import run_banyan

DAY = 86400
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def git(*words, text=""):
    subprocess.run(["git", *map(str, words)], check=True, input=text.encode(), env=ENVIRONMENT, capture_output=True, timeout=30)


def commit(day, who, message, **files):
    """One commit for `git fast-import`; names of files have _ for the dot."""
    stream = f"commit refs/heads/main\ncommitter {who} <{who}@shop.test> {day * DAY} +0000\ndata {len(message)}\n{message}\n"
    for name, text in files.items():
        stream += f"M 100644 inline {name.replace('_', '.')}\ndata {len(text)}\n{text}\n"
    return stream


@pytest.fixture
def shop(tmp_path):
    """Thirteen commits over a year: orders and prices change together seven times, names five times alone."""
    stream = commit(100, "ann", "first", orders_py="", prices_py="def f(a):\n    return 1 if a else 2\n", names_py="")
    for i in range(6):
        body = f"def take(a, b=[]):\n    if a:\n        for x in a:\n            if x: return {i}\n"
        stream += commit(200 + i, "bob", "Fix the total" if i < 2 else "orders: more", orders_py=body, prices_py=f"{i}\n")
    for i in range(5):
        stream += commit(300 + i, "ann", "names", names_py=f"{i}\n")
    stream += commit(465, "dependabot[bot]", "bump", names_py="bumped\n")
    folder = tmp_path / "shop"
    git("init", "-q", "-b", "main", folder)
    git("-C", folder, "fast-import", "--quiet", text=stream)
    git("-C", folder, "reset", "-q", "--hard")
    return folder


def history(folder):
    code, out, err = run_banyan("audit", str(folder), "--json")
    assert code == 0, err
    return json.loads(out)["history"]


def test_the_history_is_told_with_what_was_left_out(shop):
    told = history(shop)
    assert (told["commits"], told["change_sets"], told["left_out"]) == (13, 12, [{"why": "by bots", "count": 1}])
    [pair] = told["couplings"]
    assert (pair["one"], pair["other"], pair["shared"], pair["average"], pair["degree"]) == ("orders.py", "prices.py", 7, 7, 100)
    assert abs(pair["p"] - 1 / 792) < 1e-9                               # 1 / C(12, 7)
    assert told["hotspots"][0]["path"] == "orders.py" and told["hotspots"][0]["score"] == 5
    owner = {row["path"]: row for row in told["owners"]}["orders.py"]
    assert (owner["main"], owner["main_changes"], owner["changes"], owner["people"]) == ("bob", 6, 7, 2)
    assert told["fixes"] == 2 and told["fixes_per_kloc_and_year"] > 0
    assert told["bus_factor"] == 2 and told["bus_factor_people"] == ["ann", "bob"]  # both know orders and prices


def test_a_shallow_clone_is_read_as_far_as_it_goes(shop, tmp_path):
    git("clone", "-q", "--depth", "5", f"file://{shop}", tmp_path / "clone")
    told = history(tmp_path / "clone")
    assert (told["shallow"], told["commits"], told["change_sets"]) == (True, 5, 3)
    assert {"why": "where the shallow clone ends", "count": 1} in told["left_out"]
    assert told["fixes_per_kloc_and_year"] == 0


def test_without_git_the_report_says_so(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    told = history(tmp_path)
    assert told["read"] is False and told["why_not"].startswith("no git repository could be opened")
    code, out, err = run_banyan("audit", str(tmp_path))
    assert code == 0 and "History was not read: no git repository" in out, err
    code, out, err = run_banyan("audit", str(tmp_path), "--no-history")
    assert code == 0 and "History was not read: --no-history" in out, err


SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/reference/audit.schema.json").read_text())


def audit(folder, *options):
    code, out, err = run_banyan("audit", str(folder), "--json", *options)
    assert code == 0, err
    told = json.loads(out)
    for part in ("past", "trends"):
        jsonschema.validate(told[part], {"$defs": SCHEMA["$defs"], **SCHEMA["properties"][part]})
    return told


def test_trends_end_where_the_code_is_now(shop):
    told = audit(shop, "--trends", "4")
    trends, files = told["trends"], told["files"]
    names = [metric["name"] for metric in trends["metrics"]]
    first, last = (dict(zip(names, row)) for row in (trends["areas"][-1]["values"][0], trends["areas"][-1]["values"][-1]))
    functions = [unit for file in files for unit in file["units"] if unit["kind"] != "class"]
    assert trends["areas"][-1]["name"] is None and len(trends["samples"]) == 4
    assert last["sloc"] == sum(file["lines"]["sloc"] for file in files) and last["cc"] == sum(file["cc"] for file in files)
    assert last["cognitive"] == sum(file["cognitive"] for file in files) and last["functions"] == len(functions)
    smells = [row for row in told["findings"] if row["rule"] < "PY5" and not row.get("ignored")]
    assert last["findings"] == len(smells) > 0 and last["minutes"] == sum(row["minutes"] for row in smells)
    assert (first["functions"], first["changes"], last["files"]) == (1, 1, 3)
    assert sum(row[names.index("changes")] for row in trends["areas"][-1]["values"]) == told["history"]["change_sets"]
    blobs = {line.split()[2] for sample in trends["samples"] for line in
             subprocess.run(["git", "-C", shop, "ls-tree", "-r", sample["commit"]], check=True, capture_output=True, text=True).stdout.splitlines()}
    assert trends["texts"] == len(blobs)                                # each text is read once
    assert audit(shop, "--trends", "4")["trends"]["texts_kept"] == len(blobs)


def test_a_partial_clone_has_a_history_and_says_which_texts_it_has_not(shop, tmp_path):
    git("-C", shop, "config", "uploadpack.allowFilter", "true")
    git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{shop}", tmp_path / "clone")
    (tmp_path / "clone/orders.py").write_text("x = 1\n")
    told = audit(tmp_path / "clone", "--trends", "3", "--deep")
    assert told["history"]["change_sets"] == 12 and told["history"]["missing"] == 0
    assert [sample["missing"] for sample in told["trends"]["samples"]] == [3, 3, 3]
    assert (told["past"]["szz"]["fixes"], told["past"]["szz"]["lost"]) == (2, 2)


def blamed(folder, fix):
    """The commits that `git blame` says wrote the lines with code that a fix took away and put nowhere else; as many times as lines."""
    run = lambda *words: subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True).stdout
    squeezed = lambda line: re.sub(r"\s", "", line)
    diff = run("diff", "-U0", "--no-renames", f"{fix}^", fix)
    added = {squeezed(line[1:]) for line in diff.splitlines() if re.match(r"\+(?!\+\+ )", line)}
    found = []
    for name, body in re.findall(r"^--- a/(\S+)\n(.*?)(?=^diff |\Z)", diff, re.S | re.M):
        writers = run("blame", "-l", "-s", f"{fix}^", "--", name).splitlines()
        for start, count in re.findall(r"^@@ -(\d+)(?:,(\d+))? ", body, re.M):
            for row in writers[int(start) - 1:int(start) - 1 + int(count or 1)] if count != "0" else ():
                commit, line = re.match(r"\^?(\w+) +\d+\) ?(.*)", row).groups()
                if squeezed(line) and squeezed(line)[0] != "#" and squeezed(line) not in added:
                    found.append(commit)
    return found


def test_what_was_mended_is_traced_as_git_blames(tmp_path):
    chance, stream = random.Random(7), ""
    files = {name: [f"{name}_{i} = {i}" for i in range(12)] for name in ("orders", "prices")}
    for day in range(60):
        for lines in files.values():
            for _ in range(chance.randrange(3)):
                at = chance.randrange(len(lines))
                change = chance.randrange(4)
                if change == 0:
                    lines.insert(at, f"new_{day}_{at} = {chance.randrange(1000)}")
                elif change == 1 and len(lines) > 6:
                    del lines[at]
                else:
                    lines[at] = chance.choice(["# a note", f"changed_{day}_{at} = {chance.randrange(1000)}", "    " + lines[at].strip()])
        stream += commit(100 + day, "ann", "Fix it" if day and chance.random() < 0.4 else "more", **{f"{name}_py": "\n".join(lines) + "\n" for name, lines in files.items()})
    git("init", "-q", "-b", "main", tmp_path / "shop")
    git("-C", tmp_path / "shop", "fast-import", "--quiet", text=stream)
    git("-C", tmp_path / "shop", "reset", "-q", "--hard")
    fixes = subprocess.run(["git", "-C", tmp_path / "shop", "log", "--format=%H", "--grep=^Fix"], check=True, capture_output=True, text=True).stdout.split()
    writers = [blamed(tmp_path / "shop", fix) for fix in fixes]
    szz = audit(tmp_path / "shop", "--deep")["past"]["szz"]
    assert szz["traced"] == sum(1 for found in writers if found) > 10
    assert sum(file["lines"] for file in szz["files"]) == sum(map(len, writers))
    assert szz["commits"] == len({commit for found in writers for commit in found}) and szz["lost"] == 0


def test_owners_who_know_nothing_of_what_is_theirs_are_found(shop):
    (shop / "CODEOWNERS").write_text("/orders.py @ann\n/prices.py @bob @shop/team\n/nowhere/ @ann\n")
    told = audit(shop)
    owners = {row["name"]: row for row in told["past"]["codeowners"]["owners"]}
    assert (owners["@ann"]["files"], owners["@ann"]["changes"], owners["@ann"]["of"]) == (1, 1, 7)
    assert owners["@shop/team"]["team"] and not owners["@shop/team"]["known"]
    found = {row["rule"]: row["text"] for row in told["findings"] if row["path"] == "CODEOWNERS"}
    assert found == {"PY711": "1 of the 3 files of code in the root have no owner", "PY715": '"/nowhere/" fits no file'}


def test_groups_that_are_changed_together_are_no_good_cut(shop):
    (shop / "banyan.yaml").write_text("audit:\n  groups: { Orders: { paths: [orders.py] }, Prices: { paths: [prices.py] } }\n")
    told = audit(shop, "--trends", "2")
    assert [(pair["one"], pair["other"], pair["shared"], pair["degree"]) for pair in told["past"]["groups"]["couplings"]] == [("Orders", "Prices", 7, 100)]
    assert [row["text"] for row in told["findings"] if row["rule"] == "PY702"] == ["Orders and Prices are changed together: 7 times, which is 100 % of what each is changed on average"]
    assert [(row["name"], row["changes"], row["alone"], row["bus_factor"]) for row in told["past"]["groups"]["areas"]] == [("Orders", 7, 0, 1), ("Prices", 7, 0, 1)]
    assert [row["name"] for row in told["trends"]["groups"]] == ["Orders", "Prices"]


def test_what_only_the_history_tells_is_not_new_beside_a_revision(shop):
    for i in range(6):
        (shop / "names.py").write_text(f"names = {i}\n")
        git("-C", shop, "-c", "user.name=bob", "-c", "user.email=bob@shop.test", "commit", "-q", "-a", "-m", "Fix names")
    told = audit(shop, "--compare", "HEAD~1")
    assert "PY703" in [row["rule"] for row in told["findings"]]
    assert not [row for row in told["compare"]["new"] if row["rule"].startswith("PY7")]
