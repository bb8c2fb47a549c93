/* SPDX-License-Identifier: Apache-2.0
 *
 * Golden values: radon 5.1, mccabe 0.7 and Sonar's analyser, one construct at a time. tests/plays/test_audit_parity.py asks radon and mccabe
 * themselves. */
#include "audit/measure.c"

#include "base/buf.h"

#include "unit.h"

#include <stdio.h>

static const Measures *measured(Arena *a, SyntaxReader *reader, const char *text, CcRules rules)
{
	Measures *m = ARENA_NEW(a, Measures);

	measure(a, syntax_read(reader, str_of(text)), rules, m);
	return m;
}

static void readerp(SyntaxReader **reader)
{
	syntax_reader_free(*reader);
}

TEST(measure_cc_is_that_of_its_peers)
{
	static const struct {
		const char *body;
		uint32_t radon, mccabe;
	} cases[] = {
		{ " pass", 1, 1 },
		{ " if a: pass", 2, 2 },
		{ " if a: pass\n elif b: pass\n else: pass", 3, 3 },
		{ " for x in y: pass\n else: pass", 3, 2 },
		{ " while x: pass\n else: pass", 3, 2 },
		{ " try: pass\n except A: pass\n except B: pass\n else: pass", 4, 4 },
		{ " try: pass\n finally: pass", 1, 2 },
		{ " try: pass\n except* A: pass", 1, 1 },
		{ " try: pass\n finally:\n  if a: pass", 2, 2 },
		{ " with a: pass", 1, 1 },
		{ " assert a", 2, 1 },
		{ " assert a and b", 2, 1 },
		{ " a and b and c or d", 4, 1 },
		{ " x = 1 if a else 2", 2, 1 },
		{ " x = lambda: 1 if a else 2", 2, 1 },
		{ " x = [x for x in a if x if y]", 4, 1 },
		{ " x = {a: b for a in c for b in d}", 3, 1 },
		{ " def g():\n  if a: pass", 1, 3 },
		{ " class C:\n  def m(self):\n   if a: pass", 1, 3 },
		{ " return f'{1 if a else 2}'", 2, 1 },
		{ " match a:\n  case 1: pass\n  case 2: pass\n  case 3: pass\n  case _: pass", 4,
		  1 },
		{ " match a:\n  case 1: pass\n  case 2 if b and c: pass", 4, 1 },
	};
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	char text[400];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text),
		         "@d(1 if x else 2)\ndef f(a=1 if b else 2, *c: d or e) -> g or h:\n%s\n",
		         cases[i].body);
		NOTE("%s", cases[i].body);
		CHECK_INT(measured(a, reader, text, CC_RADON)->units[0].cc, cases[i].radon);
		CHECK_INT(measured(a, reader, text, CC_MCCABE)->units[0].cc, cases[i].mccabe);
	}
}

TEST(measure_cc_of_classes_and_files_is_radon_s)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	const Measures *m = measured(a, reader,
	                             "class A(B if c else D):\n"
	                             " x = 1 if y else 2\n"
	                             " def f(self):\n  if a: pass\n"
	                             " def g(self): pass\n"
	                             " class I:\n  def h(self):\n   if a: pass\n"
	                             "if A:\n def k(): pass\n",
	                             CC_RADON);

	CHECK_INT(m->unit_count, 6);
	CHECK_INT(m->units[0].cc, 5); /* 1, the ternary, 2 of f, 1 of g */
	CHECK_INT(class_cc_shown(&m->units[0]), 3);
	CHECK_INT(m->units[0].methods, 2);
	CHECK_INT(m->cc, 6); /* 1, the if, 4 of A, 0 of k */
}

TEST(measure_cognitive_is_sonar_s)
{
	static const struct {
		const char *body;
		uint32_t cognitive;
	} cases[] = {
		{ " pass", 0 },
		{ " if a: pass\n elif b: pass\n else: pass", 3 },
		{ " if a:\n  if b:\n   if c: pass", 6 },
		{ " for x in y:\n  while z: pass\n else: pass", 4 },
		{ " try: pass\n except A:\n  if b: pass\n finally:\n  if c: pass", 4 },
		{ " with a:\n  if b: pass", 1 },
		{ " a and b and c", 1 },
		{ " a and b or c and d", 3 },
		{ " a and (b or c)", 2 },
		{ " x = 1 if a else (2 if b else 3)", 3 },
		{ " match a:\n  case 1:\n   if b: pass", 2 },
		{ " x = [y for y in z if y]", 0 },
		{ " def g():\n  if a: pass\n x()", 2 },
		{ " def g():\n  if a: pass\n return g", 1 }, /* a decorator */
		{ " f()", 0 },                               /* recursion adds nothing */
	};
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	char text[400];

	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "def f():\n%s\n", cases[i].body);
		NOTE("%s", cases[i].body);
		CHECK_INT(measured(a, reader, text, CC_RADON)->units[0].cognitive,
		          cases[i].cognitive);
	}
}

TEST(measure_halstead_knows_operands_as_radon_does)
{
	static const struct {
		const char *text;
		Halstead want; /* h1 h2 n1 n2 */
	} cases[] = {
		{ "a.x+b.x; f()+f()", { 1, 3, 2, 4 } },
		{ "a + 1 - 1.0 * True",
		  { 3, 4, 3, 6 } }, /* 1, 1.0 and True are one; so are the two nodes apart */
		{ "a and b and c", { 1, 3, 1, 3 } },
		{ "a < b <= c", { 2, 3, 2, 3 } },
		{ "a is  not b", { 1, 2, 1, 2 } },
		{ "x += 1", { 1, 2, 1, 2 } },
		{ "-a + ~b", { 3, 4, 3, 4 } },
		{ "a + 'a' + b'a' + '\\x61'", { 1, 4, 3, 6 } },
		{ "def f(x=1+2):\n return x + y\nx + y",
		  { 1, 4, 2, 4 } }, /* names count by function; defaults are not looked into */
	};
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();

	for (size_t i = 0; i < COUNT(cases); i++) {
		Halstead got = measured(a, reader, cases[i].text, CC_RADON)->halstead,
			 want = cases[i].want;

		NOTE("%s", cases[i].text);
		CHECK_INT(got.h1, want.h1);
		CHECK_INT(got.h2, want.h2);
		CHECK_INT(got.n1, want.n1);
		CHECK_INT(got.n2, want.n2);
	}
}

TEST(measure_cohesion_tells_two_classes_under_one_name)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	const Measures *m = measured(a, reader,
	                             "class A:\n"
	                             " def __init__(self):\n  self.a = self.b = 1\n"
	                             " def f(self): return self.a\n"
	                             " def g(self): return self.f()\n"
	                             " def h(me): return me.b\n"
	                             " @staticmethod\n def s(x): return 1\n",
	                             CC_RADON);

	CHECK_INT(m->units[0].lcom4, 2);
}

TEST(measure_reads_any_python_and_what_is_none)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	const Syntax *s =
		syntax_read(reader,
	                    S("print 'a' % x\nexec 'y' in z\nraise E, 'm'\ndef f((a, b)): pass\n"));

	CHECK_INT(s->errors, 0);
	s = syntax_read(reader, S("def f():\n  return ((\n\nclass A:\n  def g(self): pass\n"));
	CHECK(s->errors > 0);
	s = syntax_read(reader, S(""));
	CHECK_INT(s->count, 1);
	CHECK_INT(s->at[0].end, 1);
}

TEST(measure_rows_are_in_the_order_of_the_text)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	AUTO(buf_fini) Buf deep = { 0 };
	const Syntax *s;

	buf_put(&deep, S("x = "));
	for (int i = 0; i < 20000; i++)
		buf_put(&deep, S("a+"));
	buf_put(&deep, S("a\n"));
	s = syntax_read(reader, buf_str(&deep));
	CHECK(s->count > 40000);
	for (uint32_t i = 1; i < s->count; i++) {
		CHECK(s->at[i].parent < i);
		CHECK(s->at[i].end > i && s->at[i].end <= s->at[s->at[i].parent].end);
		CHECK(s->at[i].from >= s->at[i - 1].from);
	}
	buf_putc(&deep, 0);
	CHECK_INT(measured(a, reader, deep.at, CC_RADON)->halstead.n1, 20000);
}
