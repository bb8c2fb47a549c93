/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links_file.c"

#include "unit.h"

static const FileLinks *taken(Arena *a, const char *text)
{
	SyntaxReader *reader = syntax_reader_new();
	const FileLinks *links =
		extract(a, syntax_read(reader, str_of(text)), &(AuditFile){ .path = S("x.py") });

	syntax_reader_free(reader);
	return links;
}

static Str import_text(Arena *a, const LinkImport *i)
{
	return str_fmt(a, "%s %.*s%.*s/%.*s=%.*s", import_kind_name(i->kind), (int)i->dots, ".....",
	               STR_ARG(i->module), STR_ARG(i->name), STR_ARG(i->bound));
}

TEST(links_file_takes_imports_by_kind)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "import a", "top a/=a" },
		{ "import a.b", "top a.b/=a" },
		{ "import a.b as c", "top a.b/=c" },
		{ "from a import b", "top a/b=b" },
		{ "from a import b as c", "top a/b=c" },
		{ "from a import *", "top a/*=" },
		{ "from . import b", "top ./b=b" },
		{ "from ..a.b import c", "top ..a.b/c=c" },
		{ "from a \\\n  import (b,\n)", "top a/b=b" },
		{ "def f():\n  import a", "lazy a/=a" },
		{ "class C:\n  import a", "top a/=a" },
		{ "class C:\n  def f(self):\n    if x:\n      import a", "lazy a/=a" },
		{ "try:\n  import a\nexcept ImportError: pass", "optional a/=a" },
		{ "try:\n  pass\nexcept ImportError:\n  import a", "optional a/=a" },
		{ "if x:\n  import a", "optional a/=a" },
		{ "if x: pass\nelse:\n  import a", "optional a/=a" },
		{ "if TYPE_CHECKING:\n  import a", "typing a/=a" },
		{ "if typing.TYPE_CHECKING:\n  from a import b", "typing a/b=b" },
		{ "if not TYPE_CHECKING:\n  import a", "optional a/=a" },
		{ "if TYPE_CHECKING: pass\nelse:\n  import a", "optional a/=a" },
		{ "if __name__ == '__main__':\n  import a", "lazy a/=a" },
		{ "with x:\n  import a", "top a/=a" },
		{ "importlib.import_module('a.b')", "dynamic a.b/=" },
		{ "import_module('.b', 'a')", "dynamic .b/=" },
		{ "__import__('a')", "dynamic a/=" },
		{ "print 'x'\nimport a", "top a/=a" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const FileLinks *links = taken(a, cases[i].text);

		NOTE("%s", cases[i].text);
		CHECK_INT(links->import_count, 1);
		CHECK_STR(import_text(a, &links->imports[0]), str_of(cases[i].want));
	}
	CHECK_INT(taken(a, "from __future__ import print_function")->import_count, 0);
	CHECK_INT(taken(a, "import a, b.c as d, e")->import_count, 3);
	CHECK_INT(taken(a, "import_module(name)")->import_count, 0);
}

static bool names(const FileLinks *links, const char *name, uint32_t def)
{
	for (uint32_t i = 0; i < links->name_count; i++)
		if (links->names[i].hash == (uint32_t)link_hash(str_of(name)) &&
		    links->names[i].def == def)
			return true;
	return false;
}

TEST(links_file_tells_what_is_read_from_what_is_written)
{
	static const struct {
		const char *text;
		bool want;
	} cases[] = {
		{ "x", true },
		{ "a.x", true },
		{ "x.a", true },
		{ "f(x)", true },
		{ "f(x=1)", false },
		{ "f(a=x)", true },
		{ "x = 1", false },
		{ "a = x", true },
		{ "x, y = z", false },
		{ "for x in y: pass", false },
		{ "[a for a in x]", true },
		{ "lambda x: 1", false },
		{ "def f(x, *y, **z): pass", false },
		{ "def f(a=x): pass", true },
		{ "def f(a: x): pass", true },
		{ "def f(a: 'List[x]'): pass", true },
		{ "def x(): pass", false },
		{ "class x: pass", false },
		{ "class A(x): pass", true },
		{ "@x\ndef f(): pass", true },
		{ "'x'", true },
		{ "'a.x'", true },
		{ "'a x'", false },
		{ "getattr(a, 'x')", true },
		{ "with a as x: pass", false },
		{ "import x", false },
		{ "from a import x", true },
		{ "match a:\n  case b.x: pass", true },
		{ "f'{x}'", true },
		{ "x += 1", true },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const FileLinks *links = taken(a, cases[i].text);
		bool found = names(links, "x", LINK_NONE) || names(links, "x", 0);

		NOTE("%s", cases[i].text);
		CHECK_INT(found, cases[i].want);
	}
}

TEST(links_file_takes_definitions_with_what_hangs_on_them)
{
	const FileLinks *links = taken(a, "import m\n"
	                                  "A = 1\n"
	                                  "@m.task(name='x')\n@plain\n"
	                                  "async def f(): return m.n(1)\n"
	                                  "class C(m.Base, Gen[int], metaclass=X):\n"
	                                  "    def g(self):\n"
	                                  "        def h(): return m.n\n"
	                                  "        return h\n");

	CHECK_INT(links->def_count, 5);
	CHECK_STR(links->defs[0].name, S("A"));
	CHECK_INT(links->defs[0].kind, DEF_VARIABLE);
	CHECK_STR(links->defs[1].decorators[0], S("m.task"));
	CHECK_STR(links->defs[1].decorators[1], S("plain"));
	CHECK(links->defs[1].async);
	CHECK_INT(links->defs[2].base_count, 2);
	CHECK_STR(links->defs[2].bases[0], S("m.Base"));
	CHECK_STR(links->defs[2].bases[1], S("Gen"));
	CHECK_INT(links->defs[3].kind, DEF_METHOD);
	CHECK_INT(links->defs[3].parent, 2);
	CHECK_INT(links->defs[4].kind, DEF_FUNCTION);
	CHECK_INT(links->defs[4].parent, 3);
	CHECK_INT(links->use_count, 4); /* m.task, m.n in f, m.Base, m.n in h */
	CHECK_STR(links->uses[1].chain, S("m.n"));
	CHECK_INT(links->uses[1].calls, 1);
	CHECK_INT(links->imports[0].used, 4);
}

TEST(links_file_takes_what_is_exported_and_what_hides_uses)
{
	CHECK_INT(taken(a, "__all__ = ['a', 'b']\n__all__ += ['c']")->exported_count, 3);
	CHECK(!names(taken(a, "__all__ = ['x']"), "x", LINK_NONE));
	CHECK(taken(a, "if __name__ == '__main__':\n  f()")->main);
	CHECK(!taken(a, "def f():\n  if __name__ == '__main__': pass")->main);
	CHECK(taken(a, "globals()['x']")->dynamic);
	CHECK(!taken(a, "a.globals()")->dynamic);
	CHECK(taken(a, "getattr(a, b)")->reflects);
	CHECK(!taken(a, "getattr(a, 'b')")->reflects);
	CHECK(taken(a, "import_module(x)")->loads);
	CHECK(taken(a, "print 'x'")->python2);
	CHECK_INT(taken(a, "INSTALLED = ['a.b', 'a.b', 'c', '.d', '1.2', 'e:f']")->string_count, 2);
}

/* As deep as a file can nest, and broken in every place: it ends, and in time. */
TEST(links_file_survives_what_is_deep_or_broken)
{
	static const char text[] =
		"@a.b(\nclass C(x.y[z], k=1):\n def f(self, a: 'b.c' = d.e):\n"
		"  import q.r as s\n  from . import (t\n  if __name__ == '__main__':\n";
	Buf b = { 0 };

	for (size_t i = 0; i < sizeof(text); i++)
		taken(a, str_z(a, str_sub(str_of(text), 0, i)));
	for (size_t i = 0; i < sizeof(text); i++)
		taken(a, text + i);
	for (int i = 0; i < 20000; i++)
		buf_put(&b, S("f(a."));
	taken(a, str_z(a, buf_str(&b)));
	buf_clear(&b);
	for (int i = 0; i < 50000; i++)
		buf_put(&b, S("a."));
	buf_put(&b, S("a"));
	taken(a, str_z(a, buf_str(&b)));
	buf_fini(&b);
}
