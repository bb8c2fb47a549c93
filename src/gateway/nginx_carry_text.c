/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of an nginx configuration in our terms: times and sizes, paths, names, variables. Pure.
 *
 * A variable becomes a place of a template, a constant (`set $x y`, $server_name) its value; what has no counterpart is
 * told by name, so that whoever asked can say what cannot be carried. */
#include "gateway/nginx_carry_text.h"

#include "base/arena.h"
#include "base/units.h"
#include "gateway/route_pattern.h"

#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Times and sizes. */

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

/* "ms" before "m". */
static const struct {
	const char *name;
	int64_t us;
} time_units[] = {
	{ "ms", 1000 },         { "s", SECOND },    { "m", 60 * SECOND },
	{ "h", 3600 * SECOND }, { "d", DAY },       { "w", 7 * DAY },
	{ "M", 30 * DAY },      { "y", 365 * DAY }, { "", SECOND },
};

bool text_read_time(Str text, int64_t *us)
{
	const int64_t most = 100 * 365 * DAY;
	int64_t sum = 0;

	do {
		size_t digits = 0, unit = 0;
		uint64_t n;

		while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
			digits++;
		if (!str_to_u64(str_sub(text, 0, digits), &n))
			return false;
		text = str_sub(text, digits, text.len);
		while (!str_starts(text, str_of(time_units[unit].name)))
			unit++;
		text = str_sub(text, strlen(time_units[unit].name), text.len);
		if ((text.len && unit + 1 == COUNT(time_units)) ||
		    n > (uint64_t)((most - sum) / time_units[unit].us))
			return false;
		sum += (int64_t)n * time_units[unit].us;
	} while (text.len);
	*us = sum;
	return true;
}

bool text_read_size(Str text, uint64_t *bytes)
{
	char unit = text.len ? (char)(text.at[text.len - 1] | 0x20) : 0;
	int shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
	uint64_t n;

	if (!str_to_u64(str_sub(text, 0, text.len - (shift > 0)), &n) || n > UINT64_MAX >> 34)
		return false;
	*bytes = n << shift;
	return true;
}

Str text_time(Arena *a, int64_t us, int64_t min_us, int64_t max_us)
{
	AUTO(buf_fini) Buf b = { 0 };

	us = MAX(us, min_us);
	units_put_duration(&b, MIN(us, max_us));
	return str_dup(a, buf_str(&b));
}

Str text_size(Arena *a, uint64_t bytes)
{
	AUTO(buf_fini) Buf b = { 0 };

	units_put_bytes(&b, bytes);
	return str_dup(a, buf_str(&b));
}

/* Paths and names. */

bool text_is_url(Str text)
{
	return str_starts(text, S("http://")) || str_starts(text, S("https://")) ||
	       str_starts(text, S("$scheme://"));
}

bool text_path(Arena *a, Str path, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < path.len; i++) {
		char c = path.at[i];

		if (c == '*')
			return false;
		if (is_alnum(c) || (c && strchr("/-._~!$&'()+,;=:@", c)))
			buf_putc(&b, c);
		else
			buf_fmt(&b, "%%%02X", (unsigned char)c);
	}
	*out = str_dup(a, buf_str(&b));
	return !route_path_mistake(*out);
}

Str text_name(Arena *a, Str text, Str none)
{
	char name[48];
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < sizeof name; i++) {
		char c = text.at[i];

		if (is_alnum(c) || (len && (c == '.' || c == '_')))
			name[len++] = c;
		else if (len && name[len - 1] != '-')
			name[len++] = '-';
	}
	while (len && !is_alnum(name[len - 1]))
		len--;
	return len ? str_dup(a, (Str){ name, len }) : none;
}

Str text_join(Arena *a, Str folder, Str path)
{
	while (folder.len > 1 && str_ends(folder, S("/")))
		folder.len--;
	while (str_starts(path, S("/")))
		path = str_sub(path, 1, path.len);
	if (!path.len)
		return folder;
	return str_fmt(a, "%.*s%s%.*s", STR_ARG(folder), str_ends(folder, S("/")) ? "" : "/",
	               STR_ARG(path));
}

/* Variables. */

static const struct {
	const char *name, *place;
} places[] = {
	{ "host", "{host}" },
	{ "http_host", "{host}" },
	{ "scheme", "{scheme}" },
	{ "remote_addr", "{client_ip}" },
	{ "request_id", "{request_id}" },
	{ "uri", "{path}" },
	{ "document_uri", "{path}" },
	{ "args", "{query}" },
	{ "query_string", "{query}" },
};

static bool is_name_char(char c)
{
	return is_alnum(c) || c == '_';
}

/* A "$" and its name at the start of a text; false: it is none, the "$" stands for itself. */
static bool split_variable(Str text, Str *name, Str *rest)
{
	bool braces = str_starts(text, S("${"));
	size_t from = braces ? 2 : 1, to = from;

	while (to < text.len && is_name_char(text.at[to]))
		to++;
	if (!braces && to > from && text.at[from] >= '1' && text.at[from] <= '9')
		to = from + 1;
	if (to == from || (braces && (to == text.len || text.at[to] != '}')))
		return false;
	*name = str_sub(text, from, to);
	*rest = str_sub(text, to + braces, text.len);
	return true;
}

static bool value_of(Place *p, Str name, Str *value)
{
	for (const Constant *at = p->constants; at; at = at->next)
		if (str_eq(at->name, name)) {
			*value = at->value;
			return true;
		}
	if (str_eq(name, S("server_name"))) {
		*value = p->vhost->server->name;
		return value->len > 0;
	}
	for (size_t i = 0; i < COUNT(places); i++)
		if (str_eq(name, str_of(places[i].name))) {
			*value = str_of(places[i].place);
			return true;
		}
	if (!p->regex.len || !regex_has_group(p->c->arena, p->regex, name))
		return false;
	*value = str_fmt(p->c->arena, "{%.*s}", STR_ARG(name));
	p->grouped = true;
	return true;
}

Str template_text(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '{' || text.at[i] == '}')
			buf_putc(&b, text.at[i]);
		buf_putc(&b, text.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

bool text_has_variable(Str text)
{
	Str name, rest;

	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '$' && split_variable(str_sub(text, i, text.len), &name, &rest))
			return true;
	return false;
}

bool template_of(Place *p, Str text, Str *out, Str *bad)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str name, rest, value;

	for (; text.len; text = rest) {
		rest = str_sub(text, 1, text.len);
		if (text.at[0] == '$' && split_variable(text, &name, &rest)) {
			*bad = str_sub(text, 0, text.len - rest.len);
			if (!value_of(p, name, &value))
				return false;
			buf_put(&b, value);
		} else {
			if (text.at[0] == '{' || text.at[0] == '}')
				buf_putc(&b, text.at[0]);
			buf_putc(&b, text.at[0]);
		}
	}
	*out = str_dup(p->c->arena, buf_str(&b));
	return true;
}

bool template_of_url(Place *p, Str text, Str *out, bool *query, Str *bad)
{
	static const Str ends[] = { S("$is_args$args"), S("$is_args$query_string"), S("?$args"),
		                    S("?$query_string") };

	*query = false;
	for (size_t i = 0; i < COUNT(ends) && !*query; i++)
		if (str_ends(text, ends[i])) {
			text.len -= ends[i].len;
			*query = true;
		}
	if (!*query && str_ends(text, S("$request_uri"))) {
		*query = true;
		text = str_fmt(p->c->arena, "%.*s$uri", (int)(text.len - strlen("$request_uri")),
		               text.at);
	}
	return template_of(p, text, out, bad);
}
