/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/syntax.c"

#include "base/buf.h"
#include "unit.h"

static SyntaxReader *reader_of(Arena *a)
{
	SyntaxReader *reader = syntax_reader_new();

	arena_defer(a, (void (*)(void *))syntax_reader_free, reader);
	return reader;
}

/* "kind(kind kind)", a node's field before it. */
static Str told(Arena *a, const Syntax *s)
{
	Buf b = { 0 };
	uint32_t open[256], depth = 0;
	Str text;

	for (uint32_t i = 0; i < s->count; i++) {
		while (depth && s->at[open[depth - 1]].end <= i) {
			buf_putc(&b, ')');
			depth--;
		}
		if (i && s->at[i].parent != i - 1)
			buf_putc(&b, ' ');
		if (s->at[i].field)
			buf_fmt(&b, "%s:", field_names[s->at[i].field]);
		buf_fmt(&b, "%s", py_kind_name(s->at[i].kind));
		if (s->at[i].end > i + 1) {
			buf_putc(&b, '(');
			open[depth++] = i;
		}
	}
	while (depth--)
		buf_putc(&b, ')');
	text = str_dup(a, buf_str(&b));
	buf_fini(&b);
	return text;
}

TEST(syntax_is_rows_in_the_order_of_the_text)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "module" },
		{ "# only\n", "module(comment)" },
		{ "x = a + 1\n",
		  "module(expression_statement(assignment(left:identifier right:binary_operator("
		  "left:identifier operator:operator right:integer))))" },
		{ "def f(a): pass\n",
		  "module(function_definition(name:identifier parameters:parameters(identifier) "
		  "body:block(pass_statement)))" },
		{ "x = 1 \\\n + 2\n",
		  "module(expression_statement(assignment(left:identifier right:binary_operator("
		  "left:integer operator:operator right:integer))))" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].text);
		CHECK_STR(told(a, syntax_read(reader_of(a), str_of(cases[i].text))),
		          str_of(cases[i].want));
	}
}

static void check_rows(const Syntax *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const PyNode *row = &s->at[i];

		CHECK(row->from <= row->to && row->to <= s->text.len);
		CHECK(row->end > i && row->end <= s->count && row->parent <= i);
		CHECK(!i || row->end <= s->at[row->parent].end);
	}
}

TEST(syntax_reads_what_is_broken_and_says_where)
{
	static const struct {
		const char *text;
		uint32_t line;
		bool broken;
	} cases[] = {
		{ "x = 1\n", 0, false },
		{ "def f(:\n    pass\n", 1, true },
		{ "x = 1\n\ny = )\n", 3, true },
		{ "print 'two'\nexec 'x' in y\n", 0, false },
		{ "'''open\n", 1, true },
		{ "class A:\n\tdef f(self):\n        return 1\n", 0, false },
		{ "\x01\x02\xff\xfe", 1, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Syntax *s = syntax_read(reader_of(a), str_of(cases[i].text));

		NOTE("%s", cases[i].text);
		check_rows(s);
		CHECK_INT(s->errors != 0, cases[i].broken);
		CHECK_INT(s->error_line, cases[i].line);
	}
}

/* Deeper than any stack of a recursive walk. */
TEST(syntax_has_no_bottom)
{
	enum { DEEP = 20000 };
	SyntaxReader *reader = reader_of(a);
	char *text = arena_alloc_raw(a, 2 * DEEP + 2);
	const Syntax *s;

	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	text[2 * DEEP] = '\n';
	s = syntax_read(reader, (Str){ text, 2 * DEEP + 1 });
	check_rows(s);
	CHECK(s->count > DEEP || s->cut || s->errors);
	CHECK_INT(syntax_read(reader, S("x\n"))->count, 3); /* and the reader goes on */
}

TEST(syntax_finds_children)
{
	const Syntax *s = syntax_read(reader_of(a), S("def f(a, # c\n b=1) -> int: pass\n"));
	uint32_t def = syntax_find(s, 0, PY_FUNCTION_DEFINITION);
	uint32_t parameters = syntax_child(s, def, PY_F_PARAMETERS);

	CHECK(def != SYNTAX_NONE && parameters != SYNTAX_NONE);
	CHECK_STR(syntax_text(s, syntax_child(s, def, PY_F_NAME)), S("f"));
	CHECK_STR(syntax_text(s, syntax_nth(s, parameters, 0)), S("a"));
	CHECK_STR(syntax_text(s, syntax_nth(s, parameters, 1)), S("b=1"));
	CHECK_INT(syntax_nth(s, parameters, 2), SYNTAX_NONE);
	CHECK_INT(syntax_find(s, def, PY_CLASS_DEFINITION), SYNTAX_NONE);
}
