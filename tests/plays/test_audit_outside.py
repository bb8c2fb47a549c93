# SPDX-License-Identifier: Apache-2.0
"""What `banyan audit` reads beside the code: reports that coverage, tests and CI leave, lists of packages and their known holes."""
import json
import re

import pytest

from actors.gateway import run_banyan

COVERAGE = """<?xml version="1.0" ?>
<coverage timestamp="1700000000000"><sources><source>/ci/build/shop</source></sources><packages><package><classes>
<class filename="models.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>"""
JUNIT = """<testsuite><testcase classname="tests.test_order" name="test_a" time="1.5"/>
<testcase classname="tests.test_order.TestOrder" name="test_b" time="0.5"><failure message="no"/></testcase></testsuite>"""
LOG = "2024-01-31T12:00:00.0000000Z ##[group]Run make\n2024-01-31T12:10:00.0000000Z done\n"
LOCK = """[[package]]
name = "django"
version = "3.2.10"
[package.dependencies]
asgiref = ">=3"

[[package]]
name = "asgiref"
version = "3.7.2"
"""
HOLE = {"id": "GHSA-1", "aliases": ["CVE-2022-1"], "summary": "SQL injection", "database_specific": {"severity": "HIGH"}, "affected": [
    {"package": {"ecosystem": "PyPI", "name": "Django"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "3.2"}, {"fixed": "3.2.13"}]}]}]}


@pytest.fixture
def shop(tmp_path):
    for name, text in {"shop/models.py": "def f(a):\n    return a\n", "tests/test_order.py": "x = 1\n", "coverage.xml": COVERAGE, "junit.xml": JUNIT,
                       "ci.log": LOG, "poetry.lock": LOCK, "pyproject.toml": "[project]\ndependencies = ['django>=3,<4', 'left']\n",
                       ".python-version": "3.8.10\n", "osv/1.json": json.dumps(HOLE),
                       "banyan.yaml": "audit: { outside: { today: 2026-01-31, builds: ci.log } }\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run(folder, *words):
    return run_banyan("audit", str(folder), "--no-history", "--cache", "none", *map(str, words))


def test_all_that_lies_beside_the_code_is_read(shop):
    code, out, err = run(shop, "--json", "--advisories", shop / "osv")
    assert code == 0, err
    told = json.loads(out)
    outside = told["outside"]
    assert outside["coverage"]["files"] == [{"path": "shop/models.py", "lines": 2, "covered": 1}]
    assert (outside["tests"]["tests"], outside["tests"]["failures"], outside["builds"]["median"]) == (2, 1, 600)
    assert [(row["name"], row["version"], row["direct"]) for row in outside["packages"]] == [
        ("asgiref", "3.7.2", False), ("django", "3.2.10", True), ("left", "", True)]
    assert [(row["id"], row["fixed"], row["severity"]) for row in outside["holes"]] == [("GHSA-1", "3.2.13", "HIGH")]
    assert [(row["product"], row["cycle"], row["days"]) for row in outside["ends"]] == [("Django", "3.2", -670), ("Python", "3.8", -481)]
    places = {(row["rule"], row["path"]) for row in told["findings"]}
    assert places >= {("PY901", "poetry.lock"), ("PY902", ".python-version"), ("PY902", "poetry.lock"), ("PY903", "pyproject.toml"),
                      ("PY906", "tests/test_order.py")}


def test_what_nobody_tells_is_unknown_and_what_is_wrong_is_said(shop):
    (shop / "coverage.xml").write_text(COVERAGE.partition("</lines>")[0])   # half of it is none of it
    (shop / "report.xml").write_text("<somebody><elses/></somebody>")
    code, out, err = run(shop)
    assert code == 0, err
    assert "report.xml" not in out and "known holes unknown" in out and "coverage unknown" in out and "coverage.xml:3: no element found" in out
    code, out, err = run(shop, "--coverage", shop / "junit.xml")
    assert code == 2 and "is no report of coverage" in err
    code, out, err = run(shop, "--advisories", shop / "nothing.json")
    assert code == 5 and "nothing.json (--advisories" in err
    (shop / "osv.txt").write_text("# no JSON")
    code, out, err = run(shop, "--advisories", shop / "osv.txt")
    assert code == 2 and "osv.txt could not be read as advisories" in err


def test_the_bill_of_materials_is_cyclonedx(shop):
    code, out, err = run(shop, "--sbom", "-", "--advisories", shop / "osv")
    assert code == 0, err
    bom = json.loads(out)
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bom["serialNumber"])
    refs = {row["bom-ref"]: row for row in bom["components"]}
    assert set(refs) == {"pkg:pypi/asgiref@3.7.2", "pkg:pypi/django@3.2.10", "pkg:pypi/left"}
    assert all(row["type"] == "library" and row["purl"] == ref and row["scope"] == "required" for ref, row in refs.items())
    needs = {row["ref"]: row["dependsOn"] for row in bom["dependencies"]}
    assert needs == {"root": ["pkg:pypi/django@3.2.10", "pkg:pypi/left"], "pkg:pypi/django@3.2.10": ["pkg:pypi/asgiref@3.7.2"],
                     "pkg:pypi/asgiref@3.7.2": [], "pkg:pypi/left": []}
    assert bom["vulnerabilities"][0]["affects"] == [{"ref": "pkg:pypi/django@3.2.10"}]
    assert run(shop, "--sbom", "-", "--advisories", shop / "osv")[1] == out
