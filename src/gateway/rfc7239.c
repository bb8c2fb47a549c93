/* SPDX-License-Identifier: Apache-2.0
 *
 * Forwarded: elements separated by commas, pairs in them by semicolons, values that are tokens or quoted strings (section
 * 4). Anything else makes all of it worthless: it was not written by a proxy that can be relied on. */
#include "gateway/rfc7239.h"

#include "base/arena.h"
#include "http/message.h"

#include <string.h>

/* Takes an optional blank, and says what comes. */
static char peek(Str *rest)
{
	while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = str_sub(*rest, 1, rest->len);
	return rest->len ? rest->at[0] : 0;
}

static void skip(Str *rest, size_t bytes)
{
	*rest = str_sub(*rest, bytes, rest->len);
}

static Str unescape(Arena *a, Str text)
{
	char *to = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\\' && i + 1 < text.len)
			i++;
		to[len++] = text.at[i];
	}
	return (Str){ to, len };
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool read_quoted(Arena *a, Str *rest, Str *value)
{
	bool escaped = false;
	size_t i;

	for (i = 1; i < rest->len && rest->at[i] != '"'; i++) {
		if (rest->at[i] == '\\') {
			escaped = true;
			i++;
		}
		if (i < rest->len && is_control(rest->at[i]))
			return false;
	}
	if (i >= rest->len)
		return false;
	*value = str_sub(*rest, 1, i);
	if (escaped)
		*value = unescape(a, *value);
	skip(rest, i + 1);
	return true;
}

static bool read_token(Str *rest, Str *token)
{
	size_t len = 0;

	while (len < rest->len && http_is_token(str_sub(*rest, len, len + 1)))
		len++;
	*token = str_sub(*rest, 0, len);
	skip(rest, len);
	return len > 0;
}

/* name "=" value; names in any case, each once. */
static bool read_pair(Arena *a, Str *rest, Hop *hop)
{
	Str name, value = { 0 };
	Str *slot = &value;

	if (!read_token(rest, &name) || !rest->len || rest->at[0] != '=')
		return false;
	skip(rest, 1);
	if (rest->len && rest->at[0] == '"' ? !read_quoted(a, rest, &value)
	                                    : !read_token(rest, &value))
		return false;
	if (str_eq_nocase(name, S("for")))
		slot = &hop->node;
	else if (str_eq_nocase(name, S("proto")))
		slot = &hop->proto;
	else if (str_eq_nocase(name, S("host")))
		slot = &hop->host;
	if (slot != &value && slot->at)
		return false;
	*slot = value;
	return true;
}

static bool read_hop(Arena *a, Str *rest, Hop *hop)
{
	*hop = (Hop){ 0 };
	for (;;) {
		char next = peek(rest);

		if (next && next != ';' && next != ',' && !read_pair(a, rest, hop))
			return false;
		next = peek(rest);
		if (next != ';')
			return !next || next == ',';
		skip(rest, 1);
	}
}

size_t rfc7239_read(Arena *a, Str field, Hop *into, size_t max)
{
	size_t count = 0;
	Hop hop;

	while (peek(&field)) {
		if (!read_hop(a, &field, &hop))
			return 0;
		if (field.len) /* the comma */
			skip(&field, 1);
		if (!hop.node.at && !hop.proto.at && !hop.host.at)
			continue;
		if (count == max)
			memmove(into, into + 1, --count * sizeof *into);
		into[count++] = hop;
	}
	return count;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static Str pair(Arena *a, Str so_far, const char *name, Str value)
{
	const char *quote = http_is_token(value) ? "" : "\"";

	if (!value.len || str_find_char(value, '"') >= 0 || str_find_char(value, '\\') >= 0)
		return so_far;
	return str_fmt(a, "%.*s%s%s=%s%.*s%s", STR_ARG(so_far), so_far.len ? ";" : "", name, quote,
	               STR_ARG(value), quote);
}

Str rfc7239_element(Arena *a, const Hop *hop)
{
	Str text = pair(a, S(""), "for", hop->node);

	text = pair(a, text, "host", hop->host);
	return pair(a, text, "proto", hop->proto);
}

Str rfc7239_node(Arena *a, Str address)
{
	Ip ip;
	char text[IP_TEXT];
	Str plain;

	if (!ip_parse(address, &ip))
		return S("unknown");
	plain = (Str){ text, ip_text(&ip, text) };
	return str_find_char(plain, ':') >= 0 ? str_fmt(a, "[%.*s]", STR_ARG(plain))
	                                      : str_dup(a, plain);
}
