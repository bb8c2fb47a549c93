/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk itself; what each rule finds is said in tests/data/audit/smells, line by line. */
#include "audit/smells.c"

#include "base/buf.h"

#include "unit.h"

static void readerp(SyntaxReader **reader)
{
	syntax_reader_free(*reader);
}

static const FileSmells *facts_of(Arena *a, SyntaxReader *reader, Str text, SourceKind kind)
{
	const Syntax *s = syntax_read(reader, text);
	AuditFile *file = ARENA_NEW(a, AuditFile);

	*file = (AuditFile){ .path = S("a.py"), .kind = kind };
	measure(a, s, CC_RADON, &file->measures);
	return extract(a, s, file);
}

/* "id@line" of each, with blanks between. */
static Str told(Arena *a, const FileSmells *facts)
{
	Buf b = { 0 };
	Str text;

	for (uint32_t i = 0; i < facts->smell_count; i++)
		buf_fmt(&b, "%s%s@%u", i ? " " : "", smell_rule((SmellId)facts->smells[i].rule)->id,
		        facts->smells[i].line);
	text = str_dup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

TEST(smells_see_through_imports)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "import os\nos.system(x)\n", "PY325@2" },
		{ "import os as o\no.system(x)\n", "PY325@2" },
		{ "from os import system\nsystem(x)\n", "PY325@2" },
		{ "from os import system as run\nrun(x)\n", "PY325@2" },
		{ "import os.path\nos.system(x)\n", "PY325@2" },
		{ "import my\nmy.os.system(x)\n", "" },
		{ "from my import system\nsystem(x)\n", "" },
		{ "def f():\n  from os import system\n  system(x)\n", "PY325@3" },
		{ "self.eval(x)\neval.x\n", "" },
		{ "eval(x)\n", "PY303@1" },
	};
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(told(a, facts_of(a, reader, str_of(cases[i].text), SOURCE_CODE)),
		          str_of(cases[i].want));
}

TEST(smells_look_where_their_rules_say)
{
	const Str text = S("def f(a=[]):\n  assert a\n  breakpoint()\n  eval(a)\n");
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();

	CHECK_STR(told(a, facts_of(a, reader, text, SOURCE_CODE)),
	          S("PY201@1 PY301@2 PY204@3 PY303@4"));
	CHECK_STR(told(a, facts_of(a, reader, text, SOURCE_TEST)), S("PY201@1 PY204@3"));
	CHECK_STR(told(a, facts_of(a, reader, text, SOURCE_VENDORED)), S(""));
	CHECK_STR(told(a, facts_of(a, reader, text, SOURCE_GENERATED)), S(""));
}

TEST(smells_know_the_unit_and_the_place)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	const FileSmells *x =
		facts_of(a, reader, S("class C:\n  def m(self):\n    for x in y:\n      eval(x)\n"),
	                 SOURCE_CODE);
	const FileSmells *y =
		facts_of(a, reader,
	                 S("\n\nclass C:\n  def m(self):\n    for x in y:\n      eval(x)\n"),
	                 SOURCE_CODE);

	CHECK_INT(x->smell_count, 1);
	CHECK_STR(x->smells[0].unit, S("C.m"));
	CHECK_INT(x->smells[0].line, 4);
	CHECK_INT(y->smells[0].line, 6);
	CHECK(x->smells[0].place == y->smells[0].place);
}

/* A field that the table of types forgot would point to where it was written from. */
static bool is_from(const Buf *b, Str text)
{
	return text.at >= b->at && text.at + text.len <= b->at + b->len && text.len;
}

TEST(smells_are_the_same_from_the_cache)
{
	static const char text[] =
		"# banyan: ignore eval-call why\n\nfrom django.db import models\n"
		"class A(models.Model):\n  b = models.ForeignKey('x.B', related_name='as')\n"
		"  def f(self, one, two, three):\n    for a in A.objects.all(): eval(a.b.c)\n"
		"def view(request): pass\n";
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	AUTO(buf_fini) Buf first = { 0 };
	AUTO(buf_fini) Buf second = { 0 };
	const FileSmells *x = facts_of(a, reader, str_of(text), SOURCE_CODE);
	const PackType *type = smells_facts()->type;
	void *y;
	Str in;

	pack_write(&first, type, x);
	in = buf_str(&first);
	CHECK(pack_read(a, type, &in, &y));
	CHECK_INT(in.len, 0);
	pack_write(&second, type, y);
	CHECK_STR(buf_str(&second), buf_str(&first));
	x = y;
	CHECK_STR(told(a, x), S("PY303@7"));
	CHECK(is_from(&first, x->smells[0].text) && is_from(&first, x->smells[0].unit));
	CHECK(is_from(&first, x->ignores[0].why) && is_from(&first, x->classes[0].name));
	CHECK(is_from(&first, x->touches[0].model) && is_from(&first, x->touches[0].unit));
	CHECK(is_from(&first, x->signatures[0].unit));
	CHECK(is_from(&first, x->classes[0].relations[0].name));
	CHECK_STR(x->ignores[0].rules[0], S("eval-call"));
	CHECK_STR(x->classes[0].bases[0], S("Model"));
	CHECK_STR(x->classes[0].relations[0].target, S("B"));
	CHECK_STR(x->classes[0].relations[0].back, S("as"));
	CHECK_STR(x->touches[0].name, S("b"));
	CHECK_STR(x->signatures[0].names[2], S("two"));
	CHECK_INT(x->view_count, 1);
}

/* Chains of a hundred thousand calls, loops within loops, a class in a class: no stack is too small, and nothing is quadratic. */
TEST(smells_take_any_depth)
{
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("x = A.objects"));
	for (unsigned i = 0; i < 20000; i++)
		buf_put(&b, S(".filter(a)"));
	buf_put(&b, S("\nfor y in "));
	for (unsigned i = 0; i < 2000; i++)
		buf_put(&b, S("[f(x) for x in "));
	for (unsigned i = 0; i < 2000; i++)
		buf_put(&b, S("]"));
	buf_put(&b, S(": pass\n"));
	for (unsigned i = 0; i < 90; i++)
		buf_fmt(&b, "%*sclass C%u:\n%*sdef m(self, a):\n", (int)(2 * i), "", i,
		        (int)(2 * i + 1), "");
	buf_fmt(&b, "%*seval(x)\n", 180, "");
	CHECK(facts_of(a, reader, buf_str(&b), SOURCE_CODE)->smell_count <= 2);
}
