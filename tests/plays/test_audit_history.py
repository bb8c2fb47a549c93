# SPDX-License-Identifier: Apache-2.0
"""What `banyan audit` makes of git's history: of repositories that git itself made, whole and in part."""
import json
import os
import subprocess

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
        body = f"def take(a):\n    if a:\n        for x in a:\n            if x: return {i}\n"
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
