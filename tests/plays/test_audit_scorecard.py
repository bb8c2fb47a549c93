# SPDX-License-Identifier: Apache-2.0
"""Before and after, and the agenda of the review: `banyan audit --baseline` and `--review`."""
import json

import pytest

from actors.gateway import run_banyan

HARD = "def f(x):\n" + "".join(f"{'    ' * i}if x:\n" for i in range(1, 8)) + "    " * 8 + "return 1\n"
LOAD = {"seconds": [{"warmup": True, "users": 900}, {"warmup": False, "users": 800}], "passed": True}


@pytest.fixture
def code(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "hard.py").write_text("__all__ = ['f']\n" + HARD)
    (tmp_path / "code" / "easy.py").write_text("__all__ = ['g']\n\n\ndef g():\n    return 2\n")

    def run(*words):
        return run_banyan("audit", "code", "-q", *words, cwd=tmp_path)
    return run


def test_the_second_run_says_before_and_after(code, tmp_path):
    status, out, err = code("--baseline", "--score", "users=500", "--score", "deploy=45")
    assert (status, err) == (0, "") and out.startswith("Recorded in")
    kept = (tmp_path / "banyan-scorecard.json").read_bytes()
    (tmp_path / "load.json").write_text(json.dumps(LOAD))
    (tmp_path / "metrics").write_text('banyan_requests_total{route="a",class="2xx"} 999\n'
                                      'banyan_requests_total{route="a",class="5xx"} 1\n')
    (tmp_path / "code" / "hard.py").write_text("def f():\n    return 1\n")
    status, out, err = code("--baseline", "--load-report", "load.json", "--metrics", "metrics", "--json")
    said = json.loads(out)
    assert (status, err) == (0, "")
    before, after = said["before"]["scores"], said["after"]["scores"]
    assert before["users"]["value"] == 500 and before["users"]["source"] == "configured"
    assert after["users"]["value"] == 800 and after["users"]["source"] == "measured"
    assert after["availability"]["value"] == 0.999 and "deploy" not in after
    assert before["hard"]["value"] == 0.5 and after["hard"]["value"] == 0
    assert (tmp_path / "banyan-scorecard.json").read_bytes() == kept


def test_what_is_no_scorecard_is_refused_and_left_alone(code, tmp_path):
    (tmp_path / "banyan-scorecard.json").write_text("{}")
    status, out, err = code("--baseline")
    assert status == 2 and out == "" and "this is no scorecard" in err
    assert (tmp_path / "banyan-scorecard.json").read_text() == "{}"
    assert code("--score", "users=3")[0] == 2 and "is for --review" in code("--capacity", "3")[2]


def test_reports_are_written_beside_the_agenda_and_named_below_the_screen(code, tmp_path):
    assert code("--review", "--badge", "badge.svg")[0] == 0 and (tmp_path / "badge.svg").exists()
    assert code("--badge", "badge.svg", "--sarif", "all.sarif")[1].splitlines()[-1] == "Written: all.sarif, badge.svg"


def test_the_agenda_is_cut_at_the_share_of_the_month(code):
    status, out, err = code("--review", "--capacity", "10")
    assert (status, err) == (0, "")
    assert "20 % of 10 hours a month: 2.0 hours" in out and "## This month" in out and "`hard.py`: 2 findings" in out
    assert "easy.py" not in out
    items = json.loads(code("--review", "--capacity", "1", "--json")[1])["items"]
    assert [item["path"] for item in items] == ["hard.py"] and items[0]["too_large"] and not items[0]["this_month"]
