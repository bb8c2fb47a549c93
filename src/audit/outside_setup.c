/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.py, which is a program and is not run: a list of texts behind `install_requires=` is read, anything else there is said to be unknown. */
#include "audit/lex.h"
#include "audit/outside_int.h"
#include "audit/pep440.h"
#include "base/arena.h"

#include <string.h>

/* The next token that means something. */
static Lexeme next(Lex *lex)
{
	Lexeme it;

	do
		it = lex_next(lex);
	while (it.kind == LEX_COMMENT || it.kind == LEX_NEWLINE);
	return it;
}

static bool is_op(const Lexeme *it, char c)
{
	return it->kind == LEX_OP && it->text.len == 1 && it->text.at[0] == c;
}

/* What a string without escapes means; empty: it is another one. */
static Str plain_text(Str text)
{
	while (text.len && strchr("rRuU", text.at[0]))
		text = str_sub(text, 1, text.len);
	if (text.len < 2 || (text.at[0] != '\'' && text.at[0] != '"') ||
	    str_find_char(text, '\\') >= 0)
		return (Str){ 0 };
	while (text.len > 1 && text.at[0] == text.at[text.len - 1] &&
	       (text.at[0] == '\'' || text.at[0] == '"'))
		text = str_sub(text, 1, text.len - 1);
	return text;
}

static void add_row(Gathering *g, const Lexeme *it)
{
	Package row;

	if (!requirement_read(g->arena, str_dup(g->arena, plain_text(it->text)), &row))
		return;
	row.line = it->line;
	row.direct = true;
	package_add(g, row);
}

/* Behind the '=': false when it is not a list of texts, or not only. */
static bool read_list(Gathering *g, Lex *lex)
{
	Lexeme it = next(lex);

	if (!is_op(&it, '[') && !is_op(&it, '('))
		return false;
	for (it = next(lex); it.kind == LEX_STRING || is_op(&it, ','); it = next(lex))
		if (it.kind == LEX_STRING)
			add_row(g, &it);
	return is_op(&it, ']') || is_op(&it, ')');
}

Err *setup_py_read(Gathering *g, Str path, Str text)
{
	Lex lex = lex_new(text);
	bool known = true;

	gather_file(g, path, "setup.py");
	for (Lexeme it = next(&lex); it.kind != LEX_END; it = next(&lex)) {
		bool requires = it.kind == LEX_NAME && str_eq(it.text, S("install_requires"));
		bool python = it.kind == LEX_NAME && str_eq(it.text, S("python_requires"));
		Lexeme after;

		if (!requires && !python)
			continue;
		after = next(&lex);
		if (!is_op(&after, '='))
			continue;
		if (requires) {
			known = read_list(g, &lex) && known;
			continue;
		}
		after = next(&lex);
		if (after.kind == LEX_STRING)
			python_add(g, str_dup(g->arena, plain_text(after.text)), path);
	}
	if (!known)
		((OutsideFile *)(void *)(g->files.at + g->files.len) - 1)->note =
			S("makes up its list of packages: it is not known (nothing is run)");
	return NULL;
}
