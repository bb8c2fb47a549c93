/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links_findings.c"

#include "links_project.h"

#include <string.h>

static Str told(Arena *a, const Page *pages, size_t count)
{
	static const LinksConf conf = { .confidence = 60 };
	const Links *links = links_of(a, &conf, pages, count);
	const OtherWords none = { 0 };
	AUTO(buf_fini) Buf b = { 0 };
	Findings found = { 0 };

	links_dead(a, &conf, &none, (Links *)(uintptr_t)links);
	links_findings(a, &conf, links, links_project(links), &found);
	for (size_t i = 0; i < found.count; i++) {
		const Finding *f = &found.at[i];

		CHECK(f->print);
		buf_fmt(&b, "%s%s %.*s:%u %.*s", i ? "\n" : "", f->rule->id, STR_ARG(f->path),
		        f->line, STR_ARG(f->text));
	}
	return str_dup(a, buf_str(&b));
}

TEST(findings_say_where_and_how_much)
{
	static const Page pages[] = {
		{ "a/__init__.py", "" },
		{ "a/b.py", "import a.c\nfrom . import gone, lost\nfrom .gone import x" },
		{ "a/c.py", "def f():\n  return a\nimport a.d\na.d.x()" },
		{ "a/d.py", "import a.b\nclass C:\n  def m(self):\n    pass\nC()" },
		{ "main.py", "import a.b\ntry:\n  import a.nowhere\nexcept ImportError: pass\n"
		             "if __name__ == '__main__': pass" },
	};

	CHECK_STR(
		told(a, pages, COUNT(pages)),
		S("PY501 a/b.py:1 3 modules import each other when they are loaded: a.b -> a.c -> "
	          "a.d -> a.b; no circle is left without 1 import: a.b -> a.c\n"
	          "PY504 a/b.py:3 there is no module .gone\n"
	          "PY511 a/c.py:1 function f: its name stands nowhere else (90 % sure)\n"
	          "PY511 a/d.py:3 method C.m: its name stands nowhere else (70 % sure)"));
}

TEST(findings_shorten_long_circles)
{
	enum { LONG = 30 };
	Page pages[LONG];
	Str text;

	for (int i = 0; i < LONG; i++) {
		pages[i].path = str_z(a, str_fmt(a, "m%02d.py", i));
		pages[i].text = str_z(a, str_fmt(a, "import m%02d", (i + 1) % LONG));
	}
	text = told(a, pages, LONG);
	CHECK(str_find(text, S("m00 -> m01 -> m02 -> m03 -> m04 -> (25 more) -> m00; ")) > 0);
}

TEST(rules_are_whole)
{
	size_t count;
	const FindingRule *rows = links_rules(&count);

	for (size_t i = 0; i < count; i++) {
		CHECK(str_starts(str_of(rows[i].id), S("PY5")));
		CHECK(rows[i].name && rows[i].summary && rows[i].why && rows[i].base_minutes > 0);
		CHECK(!i || strcmp(rows[i - 1].id, rows[i].id) < 0);
	}
}
