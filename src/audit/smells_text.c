/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings, and what is given to names: SQL put together, addresses and paths, secrets, switches that turn safety off. */
#include "audit/smells_int.h"

#include "base/arena.h"

#include <ctype.h>
#include <string.h>

enum { SQL_LOOKED = 4096, PREFIX_MOST = 3, TROJANS_MOST = 10, AROUND_MOST = 8 };

/* --- SQL ----------------------------------------------------------------------------------------------------------------------------------- */

/* A word, letters of either case, with a blank after it; gives where it ends, or -1. */
static ptrdiff_t find_word(Str text, size_t from, Str word)
{
	for (size_t i = from; i + word.len < text.len; i++) {
		if ((i && isalnum((unsigned char)text.at[i - 1])) ||
		    !isspace((unsigned char)text.at[i + word.len]))
			continue;
		if (str_eq_nocase(str_sub(text, i, i + word.len), word))
			return (ptrdiff_t)(i + word.len);
	}
	return -1;
}

static bool has_words(Str text, Str first, Str second)
{
	ptrdiff_t at = find_word(text, 0, first);

	return at >= 0 && find_word(text, (size_t)at, second) >= 0;
}

/* select ... from, delete from, insert into ... values, update ... set: bandit's shapes, but at the beginning of the text: a sentence that
 * speaks of SQL is none. */
static bool is_sql(Str text)
{
	static const Str words[] = { S("select"), S("delete"),  S("insert"), S("update"),
		                     S("with"),   S("explain"), S("create"), S("copy") };
	bool begins = false;
	size_t from = 0;

	while (from < text.len && from < PREFIX_MOST && !strchr("\"'", text.at[from]))
		from++;
	while (from < text.len &&
	       (strchr("\"'(\\", text.at[from]) || isspace((unsigned char)text.at[from])))
		from++;
	text = str_sub(text, from, from + SQL_LOOKED);
	for (size_t i = 0; i < COUNT(words); i++)
		begins |= str_eq_nocase(str_sub(text, 0, words[i].len), words[i]);
	if (!begins)
		return false;
	return has_words(text, S("select"), S("from")) || has_words(text, S("delete"), S("from")) ||
	       has_words(text, S("insert"), S("into")) || has_words(text, S("update"), S("set"));
}

static bool has_interpolation(const Syntax *s, uint32_t node)
{
	for (uint32_t i = node + 1; i < s->at[node].end; i++)
		if (s->at[i].kind == PY_INTERPOLATION)
			return true;
	return false;
}

/* Is a text put together with something that is not written there? */
static bool is_made(const Syntax *s, uint32_t node)
{
	uint32_t parent = s->at[node].parent, name, other;

	if (s->at[parent].kind == PY_BINARY_OPERATOR) {
		name = syntax_child(s, parent, PY_F_OPERATOR);
		other = syntax_child(s, parent,
		                     s->at[node].field == PY_F_LEFT ? PY_F_RIGHT : PY_F_LEFT);
		if (name == SYNTAX_NONE || other == SYNTAX_NONE)
			return false;
		if (str_eq(syntax_text(s, name), S("%")))
			return s->at[node].field == PY_F_LEFT;
		return s->at[other].kind != PY_STRING &&
		       s->at[other].kind != PY_CONCATENATED_STRING;
	}
	if (s->at[parent].kind == PY_ATTRIBUTE) {
		name = syntax_child(s, parent, PY_F_ATTRIBUTE);
		return name != SYNTAX_NONE && str_eq(syntax_text(s, name), S("format"));
	}
	return has_interpolation(s, node);
}

/* ",".join(["%s"] * len(ids)): as many signs as there are parameters, which are given apart. */
static bool is_signs(const Syntax *s, uint32_t node)
{
	static const Str signs[] = { S("%s"), S("?"), S("(%s)"), S("(?)") };
	uint32_t list, strings = 0;

	if (!node_is(s, node, PY_CALL) || !str_eq(call_verb(s, node), S("join")))
		return false;
	list = call_nth(s, node, 0);
	for (uint32_t i = list; list != SYNTAX_NONE && i < s->at[list].end; i++) {
		bool plain, known = false;
		Str text = s->at[i].kind == PY_STRING ? string_text(s, i, &plain) : S("");

		if (s->at[i].kind != PY_STRING)
			continue;
		for (size_t k = 0; k < COUNT(signs); k++)
			known |= str_eq(text, signs[k]);
		if (!known)
			return false;
		strings++;
	}
	return strings == 1;
}

/* "... in (%s)" % signs */
static bool has_signs_only(const Syntax *s, uint32_t whole)
{
	uint32_t parent = s->at[whole].parent, right;

	if (s->at[parent].kind != PY_BINARY_OPERATOR || s->at[whole].field != PY_F_LEFT)
		return false;
	right = syntax_child(s, parent, PY_F_RIGHT);
	if (node_is(s, right, PY_PARENTHESIZED_EXPRESSION))
		right = syntax_nth(s, right, 0);
	return is_signs(s, right);
}

/* What errors, logs and people are told is no SQL, though it may say "Delete %s from %s". */
static bool is_said(const Syntax *s, uint32_t node)
{
	static const Str speakers[] = { S("debug"),    S("info"),     S("warning"),
		                        S("warn"),     S("error"),    S("exception"),
		                        S("critical"), S("log"),      S("print"),
		                        S("gettext"),  S("_"),        S("gettext_lazy"),
		                        S("ngettext"), S("fail"),     S("exit"),
		                        S("echo"),     S("add_error") };
	uint32_t call = node;

	for (unsigned n = 0; n < AROUND_MOST && call; n++) {
		call = s->at[call].parent;
		if (s->at[call].kind == PY_RAISE_STATEMENT)
			return true;
		if (s->at[call].kind != PY_CALL || str_eq(call_verb(s, call), S("format")))
			continue;
		for (size_t i = 0; i < COUNT(speakers); i++)
			if (str_eq(call_verb(s, call), speakers[i]))
				return true;
		return str_ends(call_verb(s, call), S("Error")) ||
		       str_ends(call_verb(s, call), S("Exception"));
	}
	return false;
}

static void look_for_sql(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t whole =
		node_is(s, s->at[node].parent, PY_CONCATENATED_STRING) ? s->at[node].parent : node;

	if ((whole != node && node != whole + 1) || !is_made(s, whole) ||
	    !is_sql(syntax_text(s, whole)) || has_signs_only(s, whole) || is_said(s, whole))
		return;
	smell_add(w, SMELL_SQL_BY_TEXT, whole, 0,
	          S("SQL with something put into its text; give it as a parameter"));
}

/* --- strings ------------------------------------------------------------------------------------------------------------------------------- */

static bool is_tmp(Str text)
{
	return str_eq(text, S("/tmp")) || str_starts(text, S("/tmp/")) ||
	       str_starts(text, S("/var/tmp")) || str_starts(text, S("/dev/shm"));
}

void text_string(Walk *w, uint32_t node)
{
	bool plain;
	Str text = string_text(w->s, node, &plain);
	SecretFound found;

	if (w->s->at[w->s->at[node].parent].kind == PY_EXPRESSION_STATEMENT || text.len < 4)
		return;
	if (text.at[0] == '/' && is_tmp(text))
		smell_add(w, SMELL_TMP_PATH, node, 0,
		          str_fmt(w->scratch, "%.*s is a path that anybody can take first",
		                  STR_ARG(str_quote(w->scratch, text))));
	else if (text.at[0] == '0' && str_eq(text, S("0.0.0.0")))
		smell_add(w, SMELL_BIND_ALL, node, 0, S("0.0.0.0 is every network of the machine"));
	if (secret_find(text, &found) && !(found.local && w->file->kind == SOURCE_TEST))
		smell_add_at(w, SMELL_SECRET, node, str_of(found.what),
		             str_fmt(w->scratch, "%s: %.*s", found.what,
		                     STR_ARG(secret_hidden(w->scratch, found.text))));
	else
		look_for_sql(w, node);
}

/* --- what names are given ------------------------------------------------------------------------------------------------------------------ */

/* The name on the left: x, self.x, x["y"], the key of a pair. */
static Str given_name(const Syntax *s, uint32_t left)
{
	bool plain;

	if (node_is(s, left, PY_ATTRIBUTE))
		left = syntax_child(s, left, PY_F_ATTRIBUTE);
	else if (node_is(s, left, PY_SUBSCRIPT))
		left = syntax_child(s, left, PY_F_SUBSCRIPT);
	if (node_is(s, left, PY_STRING))
		return string_text(s, left, &plain);
	return node_is(s, left, PY_IDENTIFIER) ? syntax_text(s, left) : S("");
}

static void look_for_password(Walk *w, uint32_t node, Str name, uint32_t value)
{
	SecretFound found;
	bool plain, word;
	Str text;

	if (!node_is(w->s, value, PY_STRING) || !secret_name(name, &word))
		return;
	text = string_text(w->s, value, &plain);
	if (!plain || !secret_value(text, name, word) || secret_find(text, &found))
		return;
	smell_add_at(w, SMELL_PASSWORD, node, name,
	             str_fmt(w->scratch, "%.*s is %.*s in the code", STR_ARG(name),
	                     STR_ARG(secret_hidden(w->scratch, text))));
}

static void look_at_setting(Walk *w, uint32_t node, Str name, uint32_t value)
{
	if (walk_scope(w)->unit != UNIT_NONE)
		return;
	if (str_eq(name, S("DEBUG")) && node_is(w->s, value, PY_TRUE))
		smell_add(w, SMELL_DJANGO_DEBUG, node, 0, S("DEBUG is on for everybody"));
	if (str_eq(name, S("ALLOWED_HOSTS")) && (str_eq(syntax_text(w->s, value), S("[\"*\"]")) ||
	                                         str_eq(syntax_text(w->s, value), S("['*']"))))
		smell_add(w, SMELL_DJANGO_DEBUG, node, 0, S("any host is allowed"));
}

static bool turns_tls_off(const Walk *w, Str name, uint32_t value)
{
	Str text = syntax_text(w->s, value);

	if (str_eq(name, S("verify")) || str_eq(name, S("check_hostname")))
		return w->s->at[value].kind == PY_FALSE &&
		       (name.len > 6 || names_meaning(w, S("requests")).len);
	return (str_eq(name, S("_create_default_https_context")) &&
	        str_ends(text, S("_create_unverified_context"))) ||
	       (str_eq(name, S("verify_mode")) && str_ends(text, S("CERT_NONE")));
}

static void look_at_assigned(Walk *w, uint32_t node)
{
	uint32_t left = syntax_child(w->s, node, PY_F_LEFT),
		 value = syntax_child(w->s, node, PY_F_RIGHT);
	Str name = left == SYNTAX_NONE ? S("") : given_name(w->s, left);

	if (!name.len || value == SYNTAX_NONE)
		return;
	look_for_password(w, node, name, value);
	if (node_is(w->s, left, PY_ATTRIBUTE) && turns_tls_off(w, name, value))
		smell_add(w, SMELL_NO_TLS_CHECK, node, 0,
		          str_fmt(w->scratch, "%.*s is turned off", STR_ARG(name)));
	else if (node_is(w->s, left, PY_IDENTIFIER)) {
		names_own(w, name);
		look_at_setting(w, node, name, value);
	}
}

static void look_at_default(Walk *w, uint32_t node)
{
	static const Str old[] = { S(".PROTOCOL_SSLv2"), S(".PROTOCOL_SSLv3"), S(".PROTOCOL_TLSv1"),
		                   S(".SSLv2_METHOD"),   S(".SSLv3_METHOD"),   S(".SSLv23_METHOD"),
		                   S(".TLSv1_METHOD") };
	uint32_t name = syntax_child(w->s, node, PY_F_NAME),
		 value = syntax_child(w->s, node, PY_F_VALUE);

	if (name == SYNTAX_NONE || value == SYNTAX_NONE)
		return;
	look_for_password(w, node, given_name(w->s, name), value);
	for (size_t i = 0; i < COUNT(old); i++)
		if (w->s->at[value].kind == PY_ATTRIBUTE &&
		    str_ends(syntax_text(w->s, value), old[i]))
			smell_add(w, SMELL_OLD_TLS, node, 0, S("the default is an old version"));
}

static void look_at_compared(Walk *w, uint32_t node)
{
	uint32_t left = syntax_nth(w->s, node, 0), sign, right;

	if (!node_is(w->s, left, PY_IDENTIFIER) && !node_is(w->s, left, PY_ATTRIBUTE))
		return;
	sign = w->s->at[left].end;
	right = sign < w->s->at[node].end ? w->s->at[sign].end : SYNTAX_NONE;
	if (right != SYNTAX_NONE && right < w->s->at[node].end &&
	    str_eq(syntax_text(w->s, sign), S("==")))
		look_for_password(w, node, given_name(w->s, left), right);
}

void text_assignment(Walk *w, uint32_t node)
{
	uint32_t name;

	switch (w->s->at[node].kind) {
	case PY_ASSIGNMENT:
		look_at_assigned(w, node);
		break;
	case PY_COMPARISON_OPERATOR:
		look_at_compared(w, node);
		break;
	case PY_DEFAULT_PARAMETER:
	case PY_TYPED_DEFAULT_PARAMETER:
		look_at_default(w, node);
		break;
	default:
		name = syntax_child(w->s, node,
		                    w->s->at[node].kind == PY_PAIR ? PY_F_KEY : PY_F_NAME);
		if (name != SYNTAX_NONE)
			look_for_password(w, node, given_name(w->s, name),
			                  syntax_child(w->s, node, PY_F_VALUE));
		break;
	}
}

/* --- the whole file ------------------------------------------------------------------------------------------------------------------------ */

/* U+202A to U+202E and U+2066 to U+2069 turn the direction; CVE-2021-42574. */
static bool turns(const char *at)
{
	unsigned char b = (unsigned char)at[1], c = (unsigned char)at[2];

	return (b == 0x80 && c >= 0xaa && c <= 0xae) || (b == 0x81 && c >= 0xa6 && c <= 0xa9);
}

static uint32_t line_of(Str text, const char *at)
{
	uint32_t line = 1;

	for (const char *p = text.at; (p = memchr(p, '\n', (size_t)(at - p))); p++)
		line++;
	return line;
}

void text_source(Walk *w)
{
	Str text = w->s->text;
	const char *at = text.at, *end = text.at + text.len;
	uint32_t found = 0;

	while (found < TROJANS_MOST && at < end && (at = memchr(at, 0xe2, (size_t)(end - at))) &&
	       end - at > 2) {
		uint32_t count = w->out->smell_count;

		if (!turns(at++))
			continue;
		smell_add_at(w, SMELL_TROJAN_SOURCE, 0, S("turn"),
		             S("the direction of the text turns here"));
		if (w->out->smell_count > count)
			w->out->smells[count].line = w->out->smells[count].end_line =
				line_of(text, at);
		found++;
		at = memchr(at, '\n', (size_t)(end - at)); /* one a line */
		if (!at)
			break;
	}
}
