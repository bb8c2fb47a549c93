# SPDX-License-Identifier: Apache-2.0
"""The money, as `banyan roi` says it: the case with a known answer, options over a file, and nothing invented."""
import json
import pathlib

from actors.gateway import run_banyan

STORY = pathlib.Path(__file__).parents[1] / "data/audit/story.yaml"


def test_the_known_case_comes_out_and_its_contradictions_are_told():
    code, out, err = run_banyan("roi", STORY, "--json")
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said["refactoring_cost"]["likely"] == 1_690_000 and said["weeks"] == 37
    assert 11 < said["payback_months"]["likely"] < 11.3 and said["net"]["likely"] == 3_710_000
    assert len(said["contradictions"]) == 1
    for figure in ("$3M", "$2.4M", "$1.8M", "$250K", "$200K"):
        assert figure in said["contradictions"][0]


def test_an_option_wins_over_the_file_and_what_is_not_given_stays_unknown():
    code, out, err = run_banyan("roi", STORY, "--saving", "10K", "--rate", "60..75..95", "--json")
    said = json.loads(out)
    assert (code, err) == (0, "")
    assert said["verdict"] == "does-not-pay"
    assert said["annual_cost"]["likely"] == 800 * 75 * 12 and said["parts"]["churn"] is None
    assert said["inputs"]["churn"] == {"value": None, "source": "unknown"}
    assert said["inputs"]["rate"]["value"] == {"low": 60, "likely": 75, "high": 95}


def test_every_mistake_of_a_file_is_told_with_its_place(tmp_path):
    (tmp_path / "money.yaml").write_text("rate: -1\nremoved: 120%\nsalary: 5\n")
    code, out, err = run_banyan("roi", "money.yaml", cwd=tmp_path)
    assert code == 2 and out == ""
    for line in (1, 2, 3):
        assert f"money.yaml:{line}:" in err
    assert run_banyan("roi")[0] == 2
