# SPDX-License-Identifier: Apache-2.0
"""`banyan audit` on models, tables and routes: Django itself is asked what it makes of the same code. BANYAN_PROOF=1: of its own applications too."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from actors.gateway import run_banyan
from actors.waiting import PROOF

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples/shop"
DJANGO = pathlib.Path("/usr/lib/python3/dist-packages/django")
CONTRIB = ["admin", "auth", "contenttypes", "flatpages", "redirects", "sessions", "sites"]

# What Django knows once it has loaded everything.
ASK = """
import json, os, sys, weakref
import django
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.dispatch import Signal
from django.urls import URLPattern, get_resolver
if not os.environ.get("DJANGO_SETTINGS_MODULE"):
    settings.configure(INSTALLED_APPS=["django.contrib." + app for app in sys.argv[1:]], SITE_ID=1, SECRET_KEY="x", ROOT_URLCONF="django.contrib.auth.urls",
                       DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, USE_TZ=True)
django.setup()
models, relations, routes = [], [], []
for model in apps.get_models():
    meta = model._meta
    own = [field for field in meta.get_fields() if not field.auto_created or field.concrete]
    models.append([meta.app_label, model.__name__, meta.db_table, len(meta.local_concrete_fields), meta.proxy])
    relations += [[model.__name__, field.name, field.related_model.__name__, type(field).__name__] for field in own
                  if field.is_relation and field.related_model and not field.auto_created and hasattr(field, "remote_field")]
def walk(resolver, before):
    for entry in resolver.url_patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            view = getattr(entry.callback, "view_class", entry.callback)
            routes.append([text, view.__module__, view.__name__, entry.name])
        elif entry.app_name != "admin":
            walk(entry, text)
walk(get_resolver(), "/")
commands = [name for name, app in get_commands().items() if not app.startswith("django")]
receivers = []
for module in [module for name, module in sys.modules.items() if name.endswith(".signals")]:
    for name, signal in vars(module).items():
        if isinstance(signal, Signal) and module.__name__ != "django.core.signals":
            functions = [kept[1]() if isinstance(kept[1], weakref.ReferenceType) else kept[1] for kept in signal.receivers]
            receivers += [[name, function.__module__, function.__name__] for function in functions]
print(json.dumps({"models": models, "relations": relations, "routes": routes, "commands": commands, "receivers": receivers}))
"""


def django_says(*apps, **environment):
    out = subprocess.run(["/usr/bin/python3", "-c", ASK, *apps], cwd=SHOP, env={**os.environ, **environment}, check=True,
                         capture_output=True, text=True, timeout=120).stdout
    return json.loads(out)


def audit(*words):
    code, out, err = run_banyan("audit", *words, "--json", "--cache", "none", "--no-history")
    assert code == 0, err
    return json.loads(out)["models"]


def ours(models, *, labels):
    """The same lists as Django's, of these applications."""
    tables, found = models["tables"], []
    rows = [row for row in models["models"] if row.get("app") in labels and not row["abstract"]]
    for row in rows:
        found.append([row["app"], row["name"], tables[row["table"]]["name"], 0 if row["proxy"] else row["columns"], row["proxy"]])
    kinds = {"key": "ForeignKey", "one": "OneToOneField", "many": "ManyToManyField"}
    relations = []
    for row in models["relations"]:
        at = models["models"][row["from"]]
        if at in rows and row["kind"] in kinds:
            to = models["models"][row["to"]]["name"] if row["to"] is not None else "User" if "USER" in row["to_text"] else row["to_text"]
            relations.append([at["name"], row["field"], to, kinds[row["kind"]]])
    return sorted(found), sorted(relations)


def test_the_shop_s_models_and_routes_are_those_that_django_knows():
    labels = {"accounts", "analytics", "cart", "catalogue", "notifications", "orders", "payments"}
    django, models = django_says(DJANGO_SETTINGS_MODULE="shop.settings", SHOP_DATA="/tmp"), audit(SHOP)
    found, relations = ours(models, labels=labels)
    assert found == sorted(row for row in django["models"] if row[0] in labels)
    names = {row[1] for row in found}
    assert relations == sorted(row for row in django["relations"] if row[0] in names)
    routes = {(row["route"], row.get("name")) for row in models["routes"] if row["route"] != "/admin/"}
    assert {(re.sub(r"/\^", "/", path), name) for path, name in routes} == \
        {(re.sub(r"/\^", "/", row[0]), row[3]) for row in django["routes"]}
    by_route = {re.sub(r"/\^", "/", row[0]): row for row in django["routes"]}
    for row in models["routes"]:
        if row["route"] != "/admin/" and not row["view"].startswith("api("):
            told = by_route[re.sub(r"/\^", "/", row["route"])]
            assert (row["target_path"][:-3].replace("/", "."), row["target_unit"]) == tuple(told[1:3])
    assert models["unknown"]["queries"] == 0
    assert {row["name"] for row in models["tasks"]} == set(django["commands"])
    assert {(row["name"].split(".")[-1], row["path"][:-3].replace("/", "."), row["unit"]) for row in models["signals"]} == \
        {tuple(row) for row in django["receivers"] if row[1].split(".")[0] in labels}
    templates = {row["name"]: row for row in models["templates"]}
    assert all((SHOP / row["file"]).is_file() for row in templates.values())
    assert templates["base.html"]["included"] == len([1 for path in (SHOP / "templates").rglob("*.html") if '{% extends "base.html"' in path.read_text() or "{% extends 'base.html'" in path.read_text()])


@pytest.mark.skipif(not PROOF, reason="reads all of Django")
def test_django_s_own_applications_are_those_that_django_knows():
    django, models = django_says(*CONTRIB), audit(DJANGO)
    found, relations = ours(models, labels=set(CONTRIB))
    assert found == sorted(django["models"])
    assert relations == sorted(row for row in django["relations"] if row[1] != "content_object")


def git(folder, *words):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True)


def test_migrations_that_a_release_has_are_not_judged(tmp_path):
    text = "from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = [{}]\n    operations = [migrations.RemoveField('a', 'b')]\n"
    folder = tmp_path / "shop/migrations"
    folder.mkdir(parents=True)
    (folder / "0001_initial.py").write_text(text.format(""))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "tag", "v1")
    (folder / "0002_more.py").write_text(text.format("('shop', '0001_initial')"))
    seen = {}
    for name, said in {"all": "", "new": "audit: { models: { migrations_since: v1 } }\n", "none": "audit: { models: { migrations_since: v9 } }\n"}.items():
        (tmp_path / "banyan.yaml").write_text(said or "{}\n")
        code, out, err = run_banyan("audit", tmp_path, "--json", "--cache", "none", "--no-history")
        seen[name] = [(pathlib.Path(row["path"]).name, row["minutes"]) for row in json.loads(out)["findings"] if row["rule"] == "PY605"] if code == 0 else err
    assert seen["all"] == [("0001_initial.py", 0), ("0002_more.py", 0)] and seen["new"] == [("0002_more.py", 30)]
    assert 'no revision "v9"' in seen["none"]


def test_groups_of_the_rules_own_tables(tmp_path):
    for name, text in {"a/models.py": "from django.db import models\nclass A(models.Model): pass\n",
                       "b/views.py": "from a.models import A\ndef f():\n    A.objects.create()\n"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    assert [row["packages"] for row in audit(tmp_path)["tables"]] == [1]
    (tmp_path / "banyan.yaml").write_text("audit: { groups: { one: { paths: 'a/**' }, two: { paths: 'b/**' } } }\n")
    models = audit(tmp_path)
    assert [(row["name"], models["packages"][row["package"]]) for row in models["tables"]] == [("a_a", "one")]
    assert [(models["packages"][row["package"]], row["writes"]) for row in models["cells"]] == [("two", 1)]
