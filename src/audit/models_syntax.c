/* SPDX-License-Identifier: Apache-2.0
 *
 * Small questions about the rows of a syntax that the readers of models, routes and tasks ask again and again: what is this name, what does
 * this string say, which argument is that. Nothing here looks further than a node's own children. */
#include "audit/models_take.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

enum { SHORT_BYTES = 80, PREFIX_MOST = 3 };

static bool is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c >= 0x80;
}

Str syntax_dotted(const Syntax *s, uint32_t node)
{
	uint8_t kind = s->at[node].kind;
	Str text;

	if (kind != PY_IDENTIFIER && kind != PY_ATTRIBUTE && kind != PY_DOTTED_NAME)
		return S("");
	text = syntax_text(s, node);
	for (size_t i = 0; kind != PY_IDENTIFIER && i < text.len; i++)
		if (!is_name_byte((unsigned char)text.at[i]))
			return S("");
	return text;
}

/* Between the quotes. */
static Str inside(Str text)
{
	size_t from = 0, quotes = 1;

	while (from < text.len && from < PREFIX_MOST && text.at[from] != '"' &&
	       text.at[from] != '\'')
		from++;
	if (text.len >= from + 6 && text.at[from] == text.at[from + 1] &&
	    text.at[from] == text.at[from + 2])
		quotes = 3;
	return text.len >= from + 2 * quotes ? str_sub(text, from + quotes, text.len - quotes)
	                                     : S("");
}

static bool is_computed(const Syntax *s, uint32_t string)
{
	return syntax_find(s, string, PY_INTERPOLATION) != SYNTAX_NONE;
}

static bool pieces(Arena *a, const Syntax *s, uint32_t node, bool computed, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_STRING && !computed && is_computed(s, i))
			return false;
		if (s->at[i].kind == PY_STRING)
			buf_put(&b, inside(syntax_text(s, i)));
	}
	*out = str_dup(a, buf_str(&b));
	return true;
}

Str syntax_raw(Arena *a, const Syntax *s, uint32_t string)
{
	Str text = S("");

	if (s->at[string].kind == PY_CONCATENATED_STRING)
		(void)pieces(a, s, string, true, &text);
	else if (s->at[string].kind == PY_STRING)
		text = inside(syntax_text(s, string));
	return text;
}

bool syntax_literal(Arena *a, const Syntax *s, uint32_t node, Str *out)
{
	if (node == SYNTAX_NONE)
		return false;
	while (s->at[node].kind == PY_PARENTHESIZED_EXPRESSION &&
	       syntax_nth(s, node, 0) != SYNTAX_NONE)
		node = syntax_nth(s, node, 0);
	if (s->at[node].kind == PY_CONCATENATED_STRING)
		return pieces(a, s, node, false, out);
	if (s->at[node].kind != PY_STRING || is_computed(s, node))
		return false;
	*out = str_dup(a, inside(syntax_text(s, node)));
	return true;
}

uint32_t syntax_argument(const Syntax *s, uint32_t call, uint32_t n)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	if (list == SYNTAX_NONE || s->at[list].kind != PY_ARGUMENT_LIST)
		return SYNTAX_NONE;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_COMMENT)
			continue;
		if (s->at[i].kind == PY_KEYWORD_ARGUMENT || s->at[i].kind == PY_DICTIONARY_SPLAT ||
		    s->at[i].kind == PY_LIST_SPLAT)
			return SYNTAX_NONE;
		if (!n--)
			return i;
	}
	return SYNTAX_NONE;
}

uint32_t syntax_keyword(const Syntax *s, uint32_t call, Str name)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	if (list == SYNTAX_NONE)
		return SYNTAX_NONE;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end)
		if (s->at[i].kind == PY_KEYWORD_ARGUMENT && str_eq(syntax_text(s, i + 1), name))
			return syntax_child(s, i, PY_F_VALUE);
	return SYNTAX_NONE;
}

Str syntax_callee(const Syntax *s, uint32_t call)
{
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);

	return function == SYNTAX_NONE ? S("") : syntax_dotted(s, function);
}

Str syntax_last(const Syntax *s, uint32_t call)
{
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION), name;

	if (function == SYNTAX_NONE)
		return S("");
	if (s->at[function].kind == PY_IDENTIFIER)
		return syntax_text(s, function);
	if (s->at[function].kind != PY_ATTRIBUTE)
		return S("");
	name = syntax_child(s, function, PY_F_ATTRIBUTE);
	return name == SYNTAX_NONE ? S("") : syntax_text(s, name);
}

Str name_last(Str dotted)
{
	ptrdiff_t at = str_rfind_char(dotted, '.');

	return at < 0 ? dotted : str_sub(dotted, (size_t)at + 1, dotted.len);
}

Str name_first(Str dotted)
{
	ptrdiff_t at = str_find_char(dotted, '.');

	return at < 0 ? dotted : str_sub(dotted, 0, (size_t)at);
}

bool is_upper_name(Str name)
{
	bool letter = false;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
		letter |= c >= 'A' && c <= 'Z';
	}
	return letter;
}

Str syntax_short(Arena *a, const Syntax *s, uint32_t node)
{
	Str text = syntax_text(s, node);
	char *copy = arena_alloc_raw(a, SHORT_BYTES + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < SHORT_BYTES; i++) {
		bool blank = text.at[i] == '\n' || text.at[i] == '\t' || text.at[i] == '\r' ||
		             text.at[i] == ' ';

		if (!blank)
			copy[len++] = text.at[i];
		else if (len && copy[len - 1] != ' ')
			copy[len++] = ' ';
	}
	while (len && ((unsigned char)copy[len - 1] & 0xC0) == 0x80 && len == SHORT_BYTES)
		len--;
	return (Str){ copy, len };
}
