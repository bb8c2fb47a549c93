/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links.c"

#include "links_project.h"

#include <stdlib.h>
#include <string.h>

static const LinksConf plain = { .confidence = 60 };
#define LINKS(a, pages) links_of((a), &plain, (pages), COUNT(pages))

static int by_page(const void *x, const void *y)
{
	return strcmp(((const Page *)x)->path, ((const Page *)y)->path);
}

TEST(links_lead_where_python_looks)
{
	static const Page pages[] = {
		{ "lib/deep/pkg/__init__.py", "" },
		{ "lib/deep/pkg/mod.py", "from pkg import far\nimport pkg.far as f" },
		{ "lib/deep/pkg/far.py", "import utils" },
		{ "scripts/run.py", "import helper, pkg.mod" },
		{ "scripts/helper.py", "" },
		{ "shop/__init__.py", "from .orders import Order\nfrom . import views" },
		{ "shop/orders.py", "class Order: pass" },
		{ "shop/utils.py", "" },
		{ "shop/views.py",
		  "from shop import Order, orders\nimport shop.utils\nfrom .sub import *" },
		{ "shop/sub/__init__.py", "from ..orders import Order\nfrom .. import utils" },
		{ "shop/sub/old.py", "import cStringIO\nimport near\nprint 'x'" },
		{ "shop/sub/near.py", "from ... import x" },
		{ "space/inner/leaf.py", "from space.inner import twig" },
		{ "space/inner/twig.py", "" },
		{ "utils/__init__.py", "" },
	};
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{ "pkg.mod", "pkg.far", "top" },
		{ "pkg.far", "utils", "top" },
		{ "run", "helper", "top" },
		{ "run", "pkg.mod", "top" },
		{ "shop", "shop.orders", "top" },
		{ "shop", "shop.views", "top" },
		{ "shop.views", "shop", "top" },        /* Order is in the package itself */
		{ "shop.views", "shop.orders", "top" }, /* orders is a module of it */
		{ "shop.views", "shop.utils", "top" },
		{ "shop.views", "shop.sub", "top" },
		{ "shop.sub", "shop.orders", "top" },
		{ "shop.sub", "shop.utils", "top" },
		{ "shop.sub.old", "shop.sub.near", "top" },
		{ "space.inner.leaf", "space.inner.twig", "top" },
	};
	Page sorted[COUNT(pages)];
	const Links *links;

	memcpy(sorted, pages, sizeof(pages));
	qsort(sorted, COUNT(sorted), sizeof(*sorted), by_page);
	links = LINKS(a, sorted);
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s -> %s", cases[i].from, cases[i].to);
		CHECK_STR(edge_text(a, links, cases[i].from, cases[i].to), str_of(cases[i].want));
	}
	CHECK_INT(links->unresolved, 1); /* from ... import x: above the top */
	CHECK_INT(links->outside_count, 1);
	CHECK_STR(links->outside[0].name, S("cStringIO"));
	CHECK(links->outside[0].standard);
}

TEST(links_find_follows_names_to_their_definitions)
{
	static const Page pages[] = {
		{ "a/__init__.py", "from .b import C as D\nfrom .s import *\nfrom .e import e" },
		{ "a/b.py", "import os.path\nclass C:\n  def m(self): pass\nX = C()" },
		{ "a/e.py", "def e(): pass" },
		{ "a/s.py", "from .b import X\ndef star(): pass" },
		{ "loop.py", "from loop2 import x" },
		{ "loop2.py", "from loop import x" },
		{ "use.py",
		  "import a, a.b, os.path as p\nfrom a import D as E, nothing\nfrom django.db import models\nfrom loop import x\nfrom a import *" },
	};
	static const struct {
		const char *chain, *want;
	} cases[] = {
		{ "a", "a::" },
		{ "a.b", "a.b::" },
		{ "a.b.C", "a.b:C:" },
		{ "a.b.C.m", "a.b:m:" },
		{ "a.b.C.m.n.o", "a.b:m:n.o" },
		{ "a.D", "a.b:C:" },
		{ "E.m", "a.b:m:" },
		{ "a.star", "a.s:star:" },
		{ "star", "a.s:star:" },
		{ "a.X.m", "a.b:X:m" },
		{ "a.e", "a.e:e:" },
		{ "a.gone.x", "a::gone.x" },
		{ "nothing.y", "a::nothing.y" },
		{ "models.Model", "outside django.db.models.Model" },
		{ "p.join", "outside os.path.join" },
		{ "unbound", "outside " },
		{ "x", "outside " }, /* round and round, and then no more */
	};
	const Links *links = LINKS(a, pages);

	for (size_t i = 0; i < COUNT(cases); i++) {
		LinkPlace p;
		Str outside, got;

		NOTE("%s", cases[i].chain);
		if (links_find(links, a, links_module(links, S("use")), str_of(cases[i].chain), &p,
		               &outside))
			got = str_fmt(
				a, "%.*s:%.*s:%.*s", STR_ARG(links->modules[p.module].name),
				STR_ARG(p.def == LINK_NONE
			                        ? S("")
			                        : links->modules[p.module].links->defs[p.def].name),
				STR_ARG(p.rest));
		else
			got = str_fmt(a, "outside %.*s", STR_ARG(outside));
		CHECK_STR(got, str_of(cases[i].want));
	}
}

TEST(links_edges_have_their_reasons_and_what_is_used_over_them)
{
	static const Page pages[] = {
		{ "a.py",
		  "import b\nif TYPE_CHECKING:\n  import c\ndef f():\n  import c\n  return b.x(), b.x(), b.y, c.z" },
		{ "b.py", "def x(): pass\ny = 1\nAPPS = ['d.thing', 'd.other', 'nowhere.x', 'c']" },
		{ "c.py", "import importlib\nimportlib.import_module('d')" },
		{ "d.py", "def thing(): pass" },
	};
	const Links *links = LINKS(a, pages);
	const LinkEdge *edge = links_edge(links, 0, 1);

	CHECK_STR(edge_text(a, links, "a", "b"), S("top"));
	CHECK_STR(edge_text(a, links, "a", "c"), S("lazy typing"));
	CHECK_STR(edge_text(a, links, "b", "d"), S("named"));
	CHECK_STR(edge_text(a, links, "c", "d"), S("dynamic"));
	CHECK_STR(edge_text(a, links, "b", "c"), S("none"));
	CHECK_INT(edge->uses, 3);
	CHECK_INT(edge->calls, 2);
	CHECK_INT(edge->line, 1);
	CHECK_INT(links_edge(links, 0, 2)->line, 5);
	CHECK_INT(links->modules[0].fan_out, 2);
	CHECK_INT(links->modules[3].fan_in, 1);
	CHECK_INT(links->by_kind[IMPORT_NAMED], 1);
}

TEST(links_packages_know_who_leans_on_them)
{
	static const Page pages[] = {
		{ "a/__init__.py", "" },
		{ "a/x.py", "import b.y, b.z" },
		{ "a/y.py", "import b.y" },
		{ "b/__init__.py", "" },
		{ "b/deep/__init__.py", "from a import x" },
		{ "b/y.py", "" },
		{ "b/z.py", "" },
		{ "main.py", "import a.x" },
	};
	const Links *links = LINKS(a, pages);

	CHECK_INT(links->package_count, 4);
	CHECK_STR(links->packages[0].name, S("."));
	CHECK_STR(links->packages[1].name, S("a"));
	CHECK_STR(links->packages[3].name, S("b.deep"));
	CHECK_INT(links->packages[3].parent, 2);
	CHECK_INT(links->packages[2].modules, 3);
	CHECK_INT(links->packages[2].all, 4);
	CHECK_INT(links->packages[1].fan_in, 2);  /* b.deep, main */
	CHECK_INT(links->packages[1].fan_out, 2); /* b.y, b.z */
	CHECK_NEAR(links->packages[1].instability, 0.5, 0);
	CHECK_INT(links->packages[2].fan_in, 2);
	CHECK_NEAR(links->packages[2].instability, 0, 0);
	CHECK_INT(links->package_edge_count, 3);
	CHECK_INT(links->package_edges[1].edges, 3); /* a to b */
}

static Str cycle_text(Arena *a, const Links *links, size_t i)
{
	const LinkCycle *c = &links->cycles[i];
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, c->lazy ? S("lazy") : S("hard"));
	for (uint32_t m = 0; m < c->count; m++)
		buf_fmt(&b, " %.*s", STR_ARG(links->modules[c->modules[m]].name));
	for (uint32_t e = 0; e < c->cut_count; e++)
		buf_fmt(&b, " cut %.*s-%.*s",
		        STR_ARG(links->modules[links->edges[c->cut[e]].from].name),
		        STR_ARG(links->modules[links->edges[c->cut[e]].to].name));
	return str_dup(a, buf_str(&b));
}

TEST(links_cycles_of_loading_are_not_those_of_functions)
{
	static const Page pages[] = {
		{ "a.py", "import b" },
		{ "b.py", "import c\nc.x(); c.y()" },
		{ "c.py", "import a\na.x(); a.y(); a.z()" },
		{ "d.py", "import a\nif TYPE_CHECKING:\n  import e" },
		{ "e.py", "import d" },
		{ "f.py", "import g" },
		{ "g.py", "def x():\n  import f" },
		{ "h.py", "def x():\n  import c" },
		{ "i.py", "import i" },
	};
	const Links *links = LINKS(a, pages);

	CHECK_INT(links->cycle_count, 2);
	CHECK_STR(cycle_text(a, links, 0), S("hard a b c cut a-b"));
	CHECK_STR(cycle_text(a, links, 1), S("lazy f g cut g-f"));
	CHECK_INT(links->cycles[0].circle_count, 3);
	CHECK_INT(links->modules[1].cycle, 0);
	CHECK_INT(links->modules[3].cycle, LINK_NONE);
}

/* --- dead code ------------------------------------------------------------------------------------------------------------------------ */

static Str dead_text(Arena *a, const LinksConf *conf, const Page *pages, size_t count,
                     const OtherWords *words)
{
	const Links *links = links_of(a, conf, pages, count);
	AUTO(buf_fini) Buf b = { 0 };

	links_dead(a, conf, words, (Links *)(uintptr_t)links);
	for (size_t i = 0; i < links->dead_count; i++) {
		const LinkDead *d = &links->dead[i];
		const LinkModule *m = &links->modules[d->module];

		if (d->confidence >= conf->confidence)
			buf_fmt(&b, "%s%.*s%s%.*s", b.len ? " " : "", STR_ARG(m->name),
			        d->def == LINK_NONE ? "" : ":",
			        STR_ARG(d->def == LINK_NONE ? S("") : m->links->defs[d->def].name));
	}
	return str_dup(a, buf_str(&b));
}

TEST(links_dead_is_what_no_living_code_names)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "def f(): pass", "m:f" },
		{ "def f(): pass\nf()", "" },
		{ "def f(): return f()", "m:f" },
		{ "def f(): return g()\ndef g(): return f()", "m:f m:g" },
		{ "def f(): pass\nx = 'f'\nprint(x)", "" },
		{ "def f(): pass\n__all__ = ['f']", "" },
		{ "@route('/')\ndef f(): return g()\ndef g(): pass", "" },
		{ "@contextmanager\ndef f(): pass", "m:f" },
		{ "class C: pass", "m:C" },
		{ "class C:\n  def f(self): pass\nC()", "m:f" },
		{ "class C:\n  def f(self): pass\nC().f()", "" },
		{ "class C:\n  def f(self): pass", "m:C" }, /* its method goes with it */
		{ "class C:\n  def __len__(self): return g()\ndef g(): pass\nC()", "" },
		{ "class C(View):\n  def get(self): return g()\ndef g(): pass\nC()", "" },
		{ "class C(Exception):\n  def f(self): return g()\ndef g(): pass\nC()", "m:f m:g" },
		{ "class M:\n  def f(self): pass\nclass C(M, View): pass\nC()", "" },
		{ "class B(View): pass\nclass C(B):\n  def f(self): pass\nC()", "" },
		{ "A = 1", "m:A" },
		{ "A = 1\nA = 2", "m:A" },
		{ "A = 1\nprint(A)", "" },
		{ "__version__ = 1\nurlpatterns = []", "" },
		{ "def create_app(): return g()\ndef g(): pass",
		  "" },                                   /* `flask run` looks for it */
		{ "def f():\n  def g(): pass\nf()", "" }, /* what is local, a linter sees */
		{ "def f(): pass\nglobals()[x]()", "" },
		{ "class C:\n  def f(self): pass\ngetattr(C(), x)()", "" },
		{ "def f(): pass\nif __name__ == '__main__':\n  f()", "" },
		{ "def test_f(): pass", "m:test_f" },       /* in no file of tests */
		{ "def on_start(): pass", "" },             /* kept by the configuration */
		{ "def tag(): pass\ndef job(): pass", "" }, /* named in a template, by a Procfile */
	};
	static Str keep[] = { S("on_*") };
	const LinksConf conf = { .confidence = 60, .keep = { keep, 1 } };
	OtherWords words = { 0 };
	bool fresh;

	pair_at(&words.templates, link_hash(S("tag")), 0, &fresh);
	pair_at(&words.entries, link_hash(S("job")), 0, &fresh);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Page pages[] = { { "m.py", cases[i].text },
			               { "main.py", "import m\nif __name__ == '__main__': m" } };

		NOTE("%s", cases[i].text);
		CHECK_STR(dead_text(a, &conf, pages, COUNT(pages), &words), str_of(cases[i].want));
	}
	links_words_fini(&words);
}

TEST(links_dead_looks_over_modules_and_sees_tests)
{
	static const Page pages[] = {
		{ "a/__init__.py", "" },
		{ "a/lost.py", "def f(): pass" },
		{ "a/models.py", "class M: pass" },
		{ "a/used.py", "def f(): pass\ndef only_tested(): pass\ndef gone(): pass" },
		{ "main.py", "from a.used import f\nf()\nif __name__ == '__main__': pass" },
		{ "tests/test_a.py",
		  "from a.used import only_tested\ndef test_x(): only_tested()" },
	};
	static const Page library[] = {
		{ "a/__init__.py", "" },
		{ "a/used.py", "def f(): return _g()\ndef _g(): pass\ndef _h(): pass" },
		{ "setup.py", "from setuptools import setup\nsetup()" },
	};
	const OtherWords none = { 0 };

	CHECK_STR(dead_text(a, &plain, pages, COUNT(pages), &none),
	          S("a.lost a.used:only_tested a.used:gone"));
	CHECK_STR(dead_text(a, &plain, library, COUNT(library), &none), S("a.used:_h"));
}
