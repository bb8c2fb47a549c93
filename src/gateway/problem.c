/* SPDX-License-Identifier: Apache-2.0
 *
 * Problem documents and error pages. The page is a text with names in double braces; what stands for them is escaped, so
 * that nothing a client sent can become markup. */
#include "gateway/problem.h"

#include "base/json.h"

static const char builtin_page[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>{{status}} {{title}}</title>\n"
	"<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;"
	"padding:0 1rem}h1{font-size:1.4rem}small{color:#666}</style>\n"
	"<h1>{{status}} {{title}}</h1>\n<p>{{detail}}.</p>\n"
	"<p><small>{{slug}} &middot; request {{request_id}}</small></p>\n</html>\n";

Problem problem_of(const Err *err, Str request_id, Str path)
{
	unsigned status = (unsigned)err_status(err);

	return (Problem){ status,     err->slug, err->text,
		          request_id, path,      status == 503 || status == 429 ? 1 : 0 };
}

/* --- what the client accepts ---------------------------------------------------------------------------------------- */

/* "0.8" as thousandths; what is no q-value counts as 1. */
static unsigned q_value(Str parameters)
{
	Str parameter;

	while (str_split(&parameters, ';', &parameter)) {
		Str trimmed = str_trim(parameter);
		unsigned q = 0;

		if (!str_eq_nocase(str_sub(trimmed, 0, 2), S("q=")))
			continue;
		if (trimmed.len > 2 && trimmed.at[2] != '0')
			return 1000;
		for (size_t i = 4; i < 7; i++)
			q = q * 10 +
			    (i < trimmed.len && trimmed.at[i] >= '0' && trimmed.at[i] <= '9'
			             ? (unsigned)trimmed.at[i] - '0'
			             : 0);
		return q;
	}
	return 1000;
}

typedef struct Taste {
	int exact, range, any; /* q of "text/html", of "text" with a star, of all; -1: not said */
} Taste;

static unsigned taste_of(const Taste *taste)
{
	if (taste->exact >= 0)
		return (unsigned)taste->exact;
	if (taste->range >= 0)
		return (unsigned)taste->range;
	return taste->any >= 0 ? (unsigned)taste->any : 0;
}

static void note(int *q, unsigned value)
{
	*q = MAX(*q, (int)value);
}

bool problem_wants_html(Str accept)
{
	Taste html = { -1, -1, -1 };
	Taste json = { -1, -1, -1 };
	Str item;

	while (str_split(&accept, ',', &item)) {
		ptrdiff_t semicolon = str_find_char(item, ';');
		Str type = str_trim(semicolon < 0 ? item : str_sub(item, 0, (size_t)semicolon));
		unsigned q =
			q_value(semicolon < 0 ? (Str){ 0 }
		                              : str_sub(item, (size_t)semicolon + 1, item.len));

		if (str_eq_nocase(type, S("text/html")) ||
		    str_eq_nocase(type, S("application/xhtml+xml")))
			note(&html.exact, q);
		else if (str_eq_nocase(type, S("application/json")) ||
		         str_eq_nocase(type, S("application/problem+json")))
			note(&json.exact, q);
		else if (str_eq_nocase(type, S("text/*")))
			note(&html.range, q);
		else if (str_eq_nocase(type, S("application/*")))
			note(&json.range, q);
		else if (str_eq(type, S("*/*"))) {
			note(&html.any, q);
			note(&json.any, q);
		}
	}
	return taste_of(&html) > taste_of(&json);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

void problem_put_json(Buf *out, const Problem *problem)
{
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_key(&w, S("type"));
	{
		AUTO(buf_fini) Buf type = { 0 };

		buf_fmt(&type, "urn:banyan:problem:%s", problem->slug);
		json_add_str(&w, buf_str(&type));
	}
	json_put_str(&w, "title", http_reason(problem->status));
	json_put_u64(&w, "status", problem->status);
	json_put_str(&w, "detail", problem->text);
	if (problem->path.len)
		json_put_str(&w, "instance", problem->path);
	if (problem->request_id.len)
		json_put_str(&w, "request_id", problem->request_id);
	json_end(&w);
	buf_putc(out, '\n');
}

static void put_escaped(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
			buf_fmt(out, "&#%u;", c);
		else if (c >= ' ' || c == '\t')
			buf_putc(out, (char)c);
	}
}

static void put_value(Buf *out, const Problem *problem, Str name)
{
	const struct {
		Str name, value;
	} values[] = {
		{ S("title"), http_reason(problem->status) },
		{ S("detail"), problem->text },
		{ S("slug"), str_of(problem->slug) },
		{ S("request_id"), problem->request_id },
	};

	if (str_eq(name, S("status")))
		buf_put_u64(out, problem->status);
	for (size_t i = 0; i < COUNT(values); i++)
		if (str_eq(values[i].name, name))
			put_escaped(out, values[i].value);
}

void problem_put_html(Buf *out, const Problem *problem, Str page)
{
	Str rest = page.len ? page : (Str){ builtin_page, sizeof builtin_page - 1 };

	for (;;) {
		ptrdiff_t open = str_find(rest, S("{{"));
		ptrdiff_t close =
			open < 0 ? -1 : str_find(str_sub(rest, (size_t)open, rest.len), S("}}"));

		if (close < 0)
			break;
		buf_put(out, str_sub(rest, 0, (size_t)open));
		put_value(out, problem,
		          str_trim(str_sub(rest, (size_t)open + 2, (size_t)(open + close))));
		rest = str_sub(rest, (size_t)(open + close) + 2, rest.len);
	}
	buf_put(out, rest);
}
