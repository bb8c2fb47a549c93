# SPDX-License-Identifier: Apache-2.0
"""`banyan audit --html`: the page in Chromium, from the disk, of a shop with a history. BANYAN_PROOF=1: every part of it, in both colours, of the
shop and of this repository's own Python and of Django."""
import json
import os
import pathlib
import re
import subprocess

import pytest
from selenium.webdriver.common.keys import Keys

from actors.browser import chromedriver
from actors.console import Console
from actors.gateway import ROOT, run_banyan
from actors.waiting import PROOF

DAY = 86400
ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
HARD = """def total(order, kinds):
    text = "</script><img src=x onerror=alert(1)>"
    for line in order:
        if line.kind in kinds:
            for part in line.parts:
                if part.price and part.count:
                    while part.count > 3:
                        if part.free or part.gift:
                            text += "<b>"
                        elif part.late and not part.paid:
                            text += "&amp;"
    return text
"""
SHOP = {"shop/__init__.py": "", "shop/orders/__init__.py": "", "shop/orders/prices.py": HARD, "shop/orders/names.py": "from shop.cart import basket\nNAME = 'x'\n",
        "shop/cart/__init__.py": "", "shop/cart/basket.py": "from shop.orders import prices\n\n\ndef size(basket):\n    return len(basket) if basket else 0\n",
        "tests/test_prices.py": "def test_total():\n    assert True\n",
        "banyan.yaml": "audit:\n  groups: { ordering: { paths: [ 'shop/orders/**' ] } }\n"
                       "  money: { rate: 75, hours_lost: 800, cost: 1.69M, saving: 150K }\n"}


def repository(folder):
    """Ten changes of two files together, by two people, and ten of a third one."""
    stream = ""
    for i in range(20):
        who = "ann" if i < 7 else "bob"
        stream += f"commit refs/heads/main\ncommitter {who} <{who}@shop.test> {(20000 + i) * DAY} +0000\ndata 9\nfix it {i:02}\n"
        files = SHOP if i == 0 else {name: SHOP[name] + f"# {i}\n" for name in ("shop/orders/prices.py", "shop/cart/basket.py")} if i < 10 else \
            {"shop/orders/names.py": f"NAME = {i}\n"}
        for name, text in files.items():
            stream += f"M 100644 inline {name}\ndata {len(text)}\n{text}\n"
    for words in (["init", "-q", "-b", "main", folder], ["-C", folder, "fast-import", "--quiet"], ["-C", folder, "reset", "-q", "--hard"]):
        subprocess.run(["git", *words], check=True, capture_output=True, input=stream.encode(), env=ENVIRONMENT, timeout=30)
    return folder


def write_page(folder, to, *words):
    code, _, err = run_banyan("audit", folder, "--html", to, "--cache", "none", *words)
    assert code == 0, err
    return to


@pytest.fixture(scope="module")
def driver(long_stage):
    program = chromedriver(long_stage.folder)
    return long_stage.enter(program, lambda: (program.signal(15), program.wait(20)))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    return write_page(repository(folder / "the shop"), folder / "shop.html")


def check_quiet(reader):
    """Nothing was refused, complained of, or fetched."""
    assert reader.script("return window.violations") == [] and reader.complaints() == []
    asked = {event["params"]["request"]["url"] for event in reader.read_log() if event["method"] == "Network.requestWillBeSent"}
    assert all(url.startswith(("file://", "data:", "chrome://")) for url in asked), asked


@pytest.fixture(scope="module")
def reader(long_stage, driver, tmp_path_factory):
    """Opens pages, in one browser for all plays of this file."""
    browser = Console(driver, tmp_path_factory.mktemp("browser"), "file://")
    long_stage.callback(browser.quit)
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", {"source":
        "window.violations = []; document.addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI))"})
    return browser


@pytest.fixture
def page(reader, shop):
    reader.open(str(shop))
    reader.shows("h2", "Summary")
    yield reader
    check_quiet(reader)


def go(page, place, title):
    page.go(f"#{place}")
    page.shows("h2", title)
    assert page.script("return document.activeElement.tagName") == "H2"


def places(page):
    return page.script("return [...document.querySelectorAll('.top nav a')].map((a) => [a.getAttribute('href').slice(1), a.textContent])")


def test_every_part_is_drawn_and_axe_finds_nothing(page):
    known = dict(places(page))
    assert {"summary", "findings", "hotspots", "graph", "coupling", "people", "money"} <= set(known)
    for place, title in known.items():
        go(page, place, title)
        assert not page.script("return [...document.querySelectorAll('.note')].some((e) => e.textContent.includes('could not be drawn'))"), place
        if PROOF or place in ("summary", "hotspots", "money"):
            assert page.axe() == [], place
    assert page.script("return document.title") == f"{list(known.values())[-1]}: audit of the shop"


def test_a_finding_shows_its_code_as_text(page):
    go(page, "findings", "Findings")
    page.shows(".counted", "finding")
    page.find("input[type=search]").send_keys("prices.py total")
    page.wait("return document.querySelectorAll('.finding').length && [...document.querySelectorAll('.finding')].every((e) => e.textContent.includes('prices.py'))")
    page.tab_to(".finding summary")
    page.keys(Keys.ENTER)
    page.shows(".finding[open] .code", '"</script><img src=x onerror=alert(1)>"')
    assert page.script("return document.querySelectorAll('img, .code b').length") == 0
    assert page.script("return document.querySelector('.line[data-here]').textContent").startswith("1def total")
    page.find("input[type=search]").send_keys(" nothing-like-this")
    page.shows(".counted", "0 findings")
    go(page, "findings?group=ordering", "Findings")
    page.shows(".finding", "shop/orders/prices.py")


def test_the_treemap_is_walked_by_keys(page):
    go(page, "hotspots", "Hotspots")
    page.tab_to(".box")
    first = page.script("return document.activeElement.getAttribute('aria-label')")
    assert "lines" in first and "score" in first
    page.keys(Keys.ARROW_RIGHT)
    assert page.script("return document.activeElement.getAttribute('aria-label')") != first
    page.script("document.querySelector('.box[aria-label^=\"shop/orders:\"]').focus()")
    page.keys(Keys.ENTER)
    page.shows(".crumbs [aria-current]", "orders")
    page.script("document.querySelector('.box[aria-label*=\"prices.py\"]').focus()")
    page.keys(Keys.ENTER)
    page.shows(".about .card", "Main author")
    page.shows(".about .card", "ann (70 %), of 2 people")
    page.keys(Keys.ESCAPE)
    page.wait("return !document.querySelector('.crumbs [aria-current]').textContent.includes('orders')")
    page.shows(".gridded tr", "shop/orders/prices.py")
    page.click(".gridded a[href$='prices.py']")
    page.shows("h2", "File")
    page.shows(".finding", "prices.py")
    page.shows(".gridded", "shop/cart/basket.py")


def test_the_graph_is_walked_by_keys(page):
    go(page, "graph", "Dependencies")
    page.tab_to(".node")
    first = page.script("return document.activeElement.querySelector('title').textContent")
    assert "imports" in first
    page.keys(Keys.ARROW_DOWN)
    assert page.script("return document.activeElement.querySelector('title').textContent") != first
    page.keys(Keys.ENTER)
    page.wait("return document.activeElement.matches('.node')")


def roi(**figures):
    code, out, err = run_banyan("roi", *(word for name, value in figures.items() for word in (f"--{name.replace('_', '-')}", value)), "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_slider_says_what_the_program_would(page):
    go(page, "money", "Money")
    result = "return document.querySelector('.results').textContent"
    page.shows(".results", "$1.69M")
    page.shows(".verdict", "It pays")
    field = page.find("#money-saving")
    field.clear()
    field.send_keys("10000")
    page.shows(".verdict", "It does not pay")
    said = roi(rate="75", hours_lost="800", cost="1.69M", saving="10K")
    assert f"{said['payback_months']['likely']:.1f}" in page.script(result)
    slider = "input[type=range][aria-label^='Rate']"
    page.script(f"document.querySelector(\"{slider}\").focus()")
    page.keys(Keys.ARROW_RIGHT)
    rate = float(page.script("return document.getElementById('money-rate').value"))
    assert 75 < rate < 76
    yearly = roi(rate=str(rate), hours_lost="800")["annual_cost"]["likely"]
    assert f"${yearly / 1000:.0f}K" in page.script(result)
    page.script("[...document.querySelectorAll('button')].find((b) => b.textContent === 'All as it was').click()")
    page.shows(".verdict", "It pays")
    assert page.script("return document.getElementById('money-rate').value") == "75"


def test_paper_has_all_of_it(page):
    page.script("dispatchEvent(new Event('beforeprint'))")
    assert page.script("return [...document.querySelectorAll('h2')].map((e) => e.textContent)") == [title for _, title in places(page)]
    page.script("dispatchEvent(new Event('afterprint'))")
    page.wait("return document.querySelectorAll('h2').length === 1")


def test_the_file_stands_alone(shop):
    text = shop.read_text()
    assert text.startswith("<!doctype html>") and text.count("</script>") == 2 and "onerror=alert" in text
    assert not re.search(r"<(link|img|iframe|base|form|object)\b|\bsrc=[\"']?http|@import|url\(", text.replace('\\u003cimg', ""))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert str(shop.parent) not in text and "onerror" not in re.search(r"<title>.*?</title>", text)[0]


@pytest.mark.skipif(not PROOF, reason="three larger pages, every part of each in two colours")
@pytest.mark.parametrize("name, what", [("shop", ROOT / "examples/shop"), ("own", ROOT), ("django", pathlib.Path("/usr/lib/python3/dist-packages/django"))])
def test_real_pages_are_drawn(reader, tmp_path, name, what):
    reader.open(str(write_page(what, tmp_path / "page.html")))
    for theme in ("light", "dark"):
        reader.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
        reader.wait("return document.documentElement.dataset.theme === arguments[0]", theme)
        for place, title in places(reader):
            go(reader, place, title)
            assert reader.axe() == [], (place, theme)
            reader.picture(f"audit-{name}-{place}-{theme}")
    check_quiet(reader)
