/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/lex.c"

#include "base/arena.h"
#include "unit.h"

/* What radon 5.1 says of the same texts (`radon raw`). */
TEST(lex_lines_are_counted_as_radon_counts_them)
{
	static const struct {
		const char *text;
		LineCounts want; /* loc lloc sloc comments multi blank single */
	} cases[] = {
		{ "", { 0, 0, 0, 0, 0, 0, 0 } },
		{ "x = {1: 2}\n", { 1, 2, 1, 0, 0, 0, 0 } },
		{ "if x: a; b\n", { 1, 2, 1, 0, 0, 0, 0 } },
		{ "'''a\n\nb'''\n", { 3, 1, 0, 0, 2, 1, 0 } },
		{ "f(a,\n\n # c\n b)\n", { 4, 1, 3, 1, 0, 1, 0 } },
		{ "x = 1 \\\n\n + 2\n",
		  { 3, 2, 2, 0, 0, 1, 0 } }, /* radon says 1: no Python reads it as one line */
		{ "'a' 'b'\n", { 1, 1, 1, 0, 0, 0, 0 } },
		{ "'a'; b\n", { 1, 2, 1, 0, 0, 0, 0 } },
		{ "x = '''a\n\n\n'''\n", { 4, 1, 2, 0, 0, 2, 0 } },
		{ "a = 'x\\\ny'\n", { 2, 1, 2, 0, 0, 0, 0 } },
		{ "x=1;\n", { 1, 1, 1, 0, 0, 0, 0 } },
		{ "#c\n", { 1, 0, 0, 1, 0, 0, 1 } },
		{ "x = 1 # c\n", { 1, 1, 1, 1, 0, 0, 0 } },
		{ "class A:\n  'd'\n  # k\n  def f(self): pass\n", { 4, 4, 2, 1, 0, 0, 2 } },
		{ "x: int = 3\na[1:2]\ny = {1: 2}\nz\n", { 4, 7, 4, 0, 0, 0, 0 } },
		{ "\xef\xbb\xbfx = 1\r\n\r\ny = 2", { 3, 2, 2, 0, 0, 1, 0 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		LineCounts got = lex_count(str_of(cases[i].text)), want = cases[i].want;

		NOTE("%s", cases[i].text);
		CHECK_INT(got.loc, want.loc);
		CHECK_INT(got.lloc, want.lloc);
		CHECK_INT(got.sloc, want.sloc);
		CHECK_INT(got.comments, want.comments);
		CHECK_INT(got.multi, want.multi);
		CHECK_INT(got.blank, want.blank);
		CHECK_INT(got.single_comments, want.single_comments);
		CHECK_INT(got.sloc + got.multi + got.blank + got.single_comments, got.loc);
	}
}

static const char letters[] = {
	[LEX_END] = '$', [LEX_NAME] = 'n',    [LEX_NUMBER] = '1',  [LEX_STRING] = 's',
	[LEX_OP] = 'o',  [LEX_COMMENT] = '#', [LEX_NEWLINE] = ';', [LEX_ODD] = '?'
};

/* Tokens of every Python from 2.7 on. */
TEST(lex_tokens_are_what_they_are)
{
	static const struct {
		const char *text, *kinds;
	} cases[] = {
		{ "print 'a', `x`, 0777L, 1e-3j", "nsoonoo1o1$" },
		{ "if a <> b: pass", "nnonon$" },
		{ "ur'a' Rb\"b\" f'{x!r:>{w}}'", "sss$" },
		{ "f'{d[\"k\"]}' + f\"{f'{1}'}\"", "sos$" },
		{ "f'{{\"}}' + f'{x:\"^10}'", "sos$" },
		{ "f\"{x[\"a\"]}\" f'{a['b']}'", "ss$" },
		{ "'open\nx", "?;n$" },
		{ "'''open\nx", "?$" },
		{ "a $ b ? c ! d", "n?n?n?n$" },
		{ "x := 1 ** 2 // 3 >>= ... -> @", "no1o1o1oooo$" },
		{ "(a,\n b)\nc", "onono;n$" },
		{ "1if x else.5", "1nnn1$" },
		{ "\\\na", "n$" },
		{ "0x_ff 0b1_0 0o17 1_000.5e+10 .5 5.", "111111$" },
		{ "t'{x}' ', ' \xc3\xa4\xc3\xb6 = 1", "ssno1$" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Lex lex = lex_new(str_of(cases[i].text));
		char got[64];
		size_t n = 0;
		Lexeme it;

		do {
			it = lex_next(&lex);
			if (!(it.kind == LEX_NEWLINE && it.nl))
				got[n++] = letters[it.kind];
		} while (it.kind != LEX_END && n < sizeof(got) - 1);
		got[n] = '\0';
		NOTE("%s", cases[i].text);
		CHECK_STR(str_of(got), str_of(cases[i].kinds));
	}
}

TEST(lex_knows_where_it_is)
{
	Lex lex = lex_new(S("a\n'''\n\n'''\nb # c\n"));
	static const uint32_t lines[] = { 1, 1, 2, 4, 5, 5, 5, 6 };

	for (size_t i = 0; i < COUNT(lines); i++)
		CHECK_INT(lex_next(&lex).line, lines[i]);
	CHECK_INT(lex_next(&lex).kind, LEX_END);
}
