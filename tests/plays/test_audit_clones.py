# SPDX-License-Identifier: Apache-2.0
"""Clones that `banyan audit` finds, by another judge: Python's own tokenizer says the same of every place, names and literals apart.
BANYAN_PROOF=1: of all of Debian's Django."""
import functools
import io
import json
import keyword
import os
import pathlib
import subprocess
import tokenize

from actors.gateway import run_banyan
from actors.waiting import PROOF

DJANGO = pathlib.Path("/usr/lib/python3/dist-packages/django")
PART = DJANGO if PROOF else DJANGO / "views"
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
BLANK = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


def audit(folder, *words):
    code, out, err = run_banyan("audit", str(folder), "--json", "--cache", "none", *words)
    assert code == 0, err
    return json.loads(out)


@functools.cache
def statements(path):
    """Logical lines without comments and docstrings: (line, tokens, names, literals)."""
    found, row = [], []
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.NEWLINE:
            if any(item.type != tokenize.STRING for item in row):
                found.append(row)
            row = []
        elif token.type not in BLANK:
            row.append(token)
    return found


def shape(token):
    if token.type == tokenize.STRING:
        return "text"
    if token.type == tokenize.NUMBER:
        return "number" + str("." in token.string)
    return "name" if token.type == tokenize.NAME and not keyword.iskeyword(token.string) else token.string


def read(folder, place):
    """What stands there, without commas before a closing bracket: its shape, with texts side by side as one; and its words."""
    tokens = [token for row in statements(folder / place["path"]) if place["line"] <= row[0].start[0] <= place["end_line"] for token in row]
    tokens = [token for token, after in zip(tokens, [*tokens[1:], None]) if not (token.string == "," and after and after.string in ")]}")]
    shapes = [shape(token) for token in tokens]
    return [word for word, before in zip(shapes, ["", *shapes]) if (word, before) != ("text", "text")], [token.string for token in tokens]


def test_every_place_of_a_class_is_alike_for_pythons_tokenizer():
    clones = audit(PART, "--no-history")["clones"]
    assert len(clones["classes"]) >= (100 if PROOF else 3) and not clones["cut"]
    for row in clones["classes"]:
        first, words = read(PART, row["places"][0])
        assert len(first) >= 40, row
        for place in row["places"][1:]:
            other, others = read(PART, place)
            assert other == first, (row["places"][0], place)
            assert not row["exact"] or others == words, (row["places"][0], place)


BODY = """
def {name}({rows}, limit):
    {total} = 0
    for row in {rows}:
        if row.price > limit and row.count:
            {total} += row.price * row.count
        else:
            log.append(row)
    rate = table.get({total}, {rate})
    {extra}return {total} * rate, len({rows}), table.copy(), log.reverse(), limit
"""


def body(name, rate=5, total="total", rows="rows", extra=""):
    return BODY.format(name=name, rate=rate, total=total, rows=rows, extra=extra)


def commit(folder, message, **files):
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    for words in (["add", "-A"], ["-c", "user.name=ann", "-c", "user.email=ann@shop.test", "commit", "-q", "-m", message]):
        subprocess.run(["git", "-C", str(folder), *words], check=True, env=ENVIRONMENT, capture_output=True, timeout=30)


def test_clones_that_change_together_and_clones_that_drift_apart(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=ENVIRONMENT, timeout=30)
    for rate in range(4):
        commit(tmp_path, "rates", orders=body("order", rate), baskets=body("basket", rate, "all_", "items"))
    commit(tmp_path, "bills", bills=body("bill", extra="if rate is None:\n        raise LookupError(rate)\n    "))
    told = audit(tmp_path)
    whole, part = sorted(told["clones"]["classes"], key=lambda row: len(row["places"]))
    assert [place["path"] for place in whole["places"]] == ["baskets.py", "orders.py"]
    assert (whole["changed_together"], whole["changed_apart"], whole["exact"], whole["renamed"]) == (4, 0, False, 3)
    assert [place["path"] for place in part["places"]] == ["baskets.py", "bills.py", "orders.py"]
    [drift] = part["drifts"]
    assert (drift["one_lines"], drift["other_lines"]) == (None, [10, 11])
    found = {row["rule"]: row for row in told["findings"] if row["rule"].startswith("PY8")}
    assert "4 changes touched several" in found["PY802"]["text"] and "bills.py:2-9 is a copy of lines 2-9" in found["PY803"]["text"]
    (tmp_path / "banyan.yaml").write_text("audit: { clones: { tokens: 500 } }\n")
    assert audit(tmp_path)["clones"]["classes"] == []


def test_an_ignore_at_any_place_is_for_the_whole_class(tmp_path):
    (tmp_path / "a.py").write_text(body("one"))
    (tmp_path / "b.py").write_text("# banyan: ignore duplicate-code another service" + body("two"))
    found = [row for row in audit(tmp_path, "--no-history")["findings"] if row["rule"] == "PY801" or row["rule"].startswith("PY19")]
    assert [(row["path"], row["line"], row["ignored"]) for row in found] == [("b.py", 2, "another service")]
