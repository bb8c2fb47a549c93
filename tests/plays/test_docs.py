# SPDX-License-Identifier: Apache-2.0
"""The guides say what is true: names of errors and metrics, defaults, examples that the program takes, links that lead somewhere."""
import os
import re

import pytest
import yaml

from actors.gateway import ROOT, run_banyan

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/guide").glob("*.md"), *(ROOT / "docs/decisions").glob("*.md")])
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.M | re.S)
SLUG = re.compile(r'"((?:http|h2|url|gateway|upstream|rt|tls|dns|access|admin)\.[a-z0-9_]+)"')
# Nobody ever sees them.
UNTOLD = {"http.fine", "rt.secret"}
NO_METRICS = {"banyan_schema", "banyan_id"}  # a table of databases, a cookie
FILES = ("admin.token", "console.secret", "error.html", "page.html", "stripe.key", "stripe.webhook")
FOLDERS = ("static", "media", "private")
KEPT = {"limits", "timeouts", "queue", "retry", "keepalive", "drain"}


def name(page):
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """{page: text}, written by the program."""
    folder = tmp_path_factory.mktemp("reference")
    code, _, errors = run_banyan("docs", "reference", folder)
    assert code == 0, errors
    return {page.stem: page.read_text() for page in folder.glob("*.md")}


def examples():
    """Every YAML block that is a part of a configuration."""
    for page in PAGES:
        for number, text in enumerate(FENCE.findall(page.read_text()), 1):
            if not text.startswith("groups:") and "\njourneys:" not in text:  # Prometheus' rules; scenarios: test_load.py
                yield pytest.param(text, id=f"{name(page)}-{number}")


def complete(text):
    """A fragment with what it leaves out."""
    given = yaml.safe_load(text)
    given.setdefault("listen", "127.0.0.1:8080")
    given.setdefault("routes", [{"name": "rest", "to": next(iter(given.get("upstreams", {"monolith": 0})))}])
    wanted = {route[side] for route in given["routes"] for side in ("to", "old", "new") if side in route} - set(given.get("upstreams", {}))
    wanted = {one for one in wanted if not one.startswith("service:")}
    given["upstreams"] = {**given.get("upstreams", {}), **{one: {"servers": ["127.0.0.1:8000"]} for one in wanted}}
    return yaml.safe_dump(given, sort_keys=False).replace("/etc/banyan/", "")


@pytest.mark.parametrize("text", examples())
def test_an_example_is_a_configuration(text, tmp_path, certificates):
    (tmp_path / "tls.crt").write_bytes(certificates.certificate().read_bytes())
    (tmp_path / "tls.key").write_bytes(certificates.key().read_bytes())
    (tmp_path / "ca.pem").write_bytes(certificates.ca.read_bytes())
    (tmp_path / "users.htpasswd").write_text("ann:!\n")
    for file in (*FILES, *re.findall(r"file:(secrets/[a-z.-]+)", text)):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("0123456789abcdef" * 4 + "\n")
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
    whole = tmp_path / "banyan.yaml"
    whole.write_text(complete(text).replace("/var/log/banyan/", f"{tmp_path}/"))
    names = re.findall(r"\$\{([A-Z_]+)\}", text)
    code, said, errors = run_banyan("check", "-c", whole, env={**os.environ, **{one: "0123456789abcdef" * 4 for one in names}})
    assert code == 0, said + errors
    assert "(a warning)" not in said, said


def test_every_error_is_explained():
    """On one page, and none that does not exist."""
    source = "".join(file.read_text() for folder in ("gateway", "http", "rt", "obs") for file in sorted((ROOT / "src" / folder).glob("*.[ch]"))
                     if not file.stem.endswith("_test") and not file.stem.startswith("nginx_carry"))  # keys that look like slugs
    there = set(SLUG.findall(source)) - UNTOLD
    told = set(re.findall(r"`([a-z0-9]+\.[a-z0-9_]+)`", (ROOT / "docs/guide/errors.md").read_text()))
    assert there - told == set(), "not in docs/guide/errors.md"
    assert {slug for slug in told if SLUG.fullmatch(f'"{slug}"')} - there == set(), "no such error in src"


def test_every_metric_exists(reference):
    for page in PAGES:
        for metric in re.findall(r"\b(banyan_[a-z_]*[a-z])\b", page.read_text()):
            told = any(f"`{metric}`" in text for page_name, text in reference.items() if page_name.endswith("metrics"))
            assert told or metric in NO_METRICS, f"{name(page)}: {metric}"


def test_limits_have_the_defaults_that_are_told(reference):
    rows = {}  # {"limits.head": "32KiB"}
    for section in re.split(r"^## ", reference["configuration"], flags=re.M):
        title = section.split("\n", 1)[0]
        rows.update({f"{title}.{key}": default for key, default in re.findall(r"^\| `(\w+)` \| [^|]* \| `([^`]*)` \|", section, re.M)})
    told = 0
    for keys, defaults in re.findall(r"^\| ((?:`[a-z_.]+`(?:, )?)+)[^|]*\| ([^|]*) \|", (ROOT / "docs/guide/limits.md").read_text(), re.M):
        for key, default in zip(re.findall(r"`([a-z_.]+)`", keys), defaults.split(", ")):
            if key.split(".")[0] in KEPT:
                assert rows.get(key) == default, key
                told += 1
    assert told >= 20
    wanted = {key for key in rows if key.split(".")[0] in KEPT} - {"retry.on"}
    text = (ROOT / "docs/guide/limits.md").read_text()
    missing = {key for key in wanted if f"`{key}`" not in text}
    assert missing == set()


def test_links_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^```.*?^```|^    .*?$", "", page.read_text(), flags=re.M | re.S)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{name(page)}: {link}"
            if anchor:
                heads = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", target.read_text(), re.M)]
                assert anchor in heads, f"{name(page)}: {link}, there is {heads}"
