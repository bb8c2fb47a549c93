/* SPDX-License-Identifier: Apache-2.0
 *
 * Expressions of an nginx configuration: what they begin with, whether they are a plain prefix in disguise. Nothing here understands expressions as a whole: where a shape is not known the answer is "nothing is known",
 * and whoever asked takes the safe way. Both sides are PCRE, so the text itself is carried as it is. */
#include "gateway/nginx_carry_text.h"

#include "base/arena.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool is_special(char c)
{
	return c && strchr("\\^$.[]|()?*+{}", c) != NULL;
}

/* The length of one unit that is not looked into: an escape or a class; else 1. */
static size_t unit_len(Str text)
{
	size_t at = 1;

	if (text.at[0] == '\\')
		return MIN(text.len, (size_t)2);
	if (text.at[0] != '[')
		return 1;
	at += at < text.len && text.at[at] == '^';
	at += at < text.len && text.at[at] == ']';
	while (at < text.len && text.at[at] != ']')
		at += text.at[at] == '\\' ? 2 : 1;
	return MIN(text.len, at + 1);
}

static bool has_top_choice(Str expression)
{
	size_t depth = 0;

	while (expression.len) {
		char c = expression.at[0];

		if (c == '|' && !depth)
			return true;
		depth = c == '(' ? depth + 1 : c == ')' && depth ? depth - 1 : depth;
		expression = str_sub(expression, unit_len(expression), expression.len);
	}
	return false;
}

/* Literal letters after "^"; *rest: what follows them. */
static Str literal_head(Arena *a, Str expression, Str *rest)
{
	AUTO(buf_fini) Buf b = { 0 };

	*rest = expression;
	if (!str_starts(expression, S("^")) || has_top_choice(expression))
		return S("");
	expression = str_sub(expression, 1, expression.len);
	while (expression.len) {
		bool escape = expression.at[0] == '\\' && expression.len > 1;
		char c = expression.at[escape];
		Str after = str_sub(expression, escape ? 2 : 1, expression.len);

		if (escape ? !strchr("/.-_~ $+()[]{}*?^|\\", c) : is_special(c))
			break;
		if (after.len && strchr("?*+{", after.at[0]))
			break;
		buf_putc(&b, c);
		expression = after;
	}
	*rest = expression;
	return str_dup(a, buf_str(&b));
}

Str regex_head(Arena *a, Str expression)
{
	Str rest;

	return literal_head(a, expression, &rest);
}

bool regex_is_all(Str expression)
{
	static const Str all[] = { S("^"),    S(""),     S(".*"),    S("^.*"),
		                   S("^.*$"), S("(.*)"), S("^(.*)"), S("^(.*)$") };

	for (size_t i = 0; i < COUNT(all); i++)
		if (str_eq(expression, all[i]))
			return true;
	return false;
}

bool regex_is_plain(Arena *a, Str expression, Str *head, bool *tail)
{
	static const Str tails[] = { S("(.*)$"), S("(.*)"), S(".*$"), S(".*"), S("") };
	Str rest;

	*head = S("/");
	*tail = true;
	if (regex_is_all(expression))
		return true;
	*head = literal_head(a, expression, &rest);
	if (!str_starts(*head, S("/")))
		return false;
	*tail = !str_eq(rest, S("$"));
	for (size_t i = 0; i < COUNT(tails); i++)
		if (str_eq(rest, tails[i]))
			return true;
	return !*tail;
}

Str regex_quote(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		if (is_special(text.at[i]))
			buf_putc(&b, '\\');
		buf_putc(&b, text.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

static void code_end(pcre2_code **code)
{
	pcre2_code_free(*code);
}

static void match_end(pcre2_match_data **match)
{
	pcre2_match_data_free(*match);
}

static pcre2_code *compile(Str expression, bool nocase)
{
	int error;
	PCRE2_SIZE at;

	return pcre2_compile((PCRE2_SPTR)expression.at, expression.len, nocase ? PCRE2_CASELESS : 0,
	                     &error, &at, NULL);
}

bool regex_has_group(Arena *a, Str expression, Str name)
{
	AUTO(code_end) pcre2_code *code = compile(expression, false);
	uint32_t groups = 0;
	uint64_t number;

	if (!code || pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups) != 0)
		return false;
	if (str_to_u64(name, &number))
		return number >= 1 && number <= groups;
	return pcre2_substring_number_from_name(code, (PCRE2_SPTR)str_z(a, name)) > 0;
}

bool regex_takes(Str expression, bool nocase, Str path)
{
	AUTO(code_end) pcre2_code *code = compile(expression, nocase);
	AUTO(match_end)
	pcre2_match_data *match = code ? pcre2_match_data_create_from_pattern(code, NULL) : NULL;

	return match && pcre2_match(code, (PCRE2_SPTR)path.at, path.len, 0, 0, match, NULL) >= 0;
}
