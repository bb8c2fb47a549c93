/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting a template with its data. Names are looked for from the innermost section outwards; of a.b.c only `a` is, the rest
 * must be within. False, null, 0, "" and an empty list are nothing: a section is left out, an inverted one is put. Every node that is put is
 * a step, and steps are counted: lists in lists of lists end before they fill the machine. */
#include "notification/mustache_int.h"

#include "base/arena.h"

#include <string.h>

enum { STEP_BYTES = 64 };

typedef struct Putter {
	const Mustache *m;
	Arena *a;
	Buf *out;
	const Json *stack[MUSTACHE_DEPTH + 1];
	size_t depth;
	size_t steps;
} Putter;

/* --- names ------------------------------------------------------------------------------------------------------------- */

static const Json *find(const Putter *p, Str name)
{
	const Json *value = NULL;
	Str rest = name, part;

	if (str_eq(name, S(".")))
		return p->stack[p->depth - 1];
	if (!str_split(&rest, '.', &part))
		return NULL;
	for (size_t i = p->depth; i-- && !value;)
		value = json_get(p->stack[i], part);
	while (value && rest.at && str_split(&rest, '.', &part))
		value = json_get(value, part);
	return value;
}

static bool truthy(const Json *value)
{
	Str text;
	double real;
	bool yes;

	if (json_to_bool(value, &yes))
		return yes;
	if (json_to_real(value, &real))
		return real != 0;
	if (json_to_str(value, &text))
		return text.len > 0;
	if (json_kind(value) == JSON_KIND_ARRAY)
		return json_count(value) > 0;
	return json_kind(value) == JSON_KIND_OBJECT;
}

/* --- escaping ---------------------------------------------------------------------------------------------------------- */

static bool control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

static void put_text(Buf *out, Str text, bool line)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (!control(c) || (!line && (c == '\n' || c == '\t')))
			buf_putc(out, (char)c);
		else if (line && (c == '\n' || c == '\t'))
			buf_putc(out, ' ');
	}
}

static void put_html(Buf *out, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '&')
			buf_put(out, S("&amp;"));
		else if (c == '<')
			buf_put(out, S("&lt;"));
		else if (c == '>')
			buf_put(out, S("&gt;"));
		else if (c == '"')
			buf_put(out, S("&quot;"));
		else if (c == '\'')
			buf_put(out, S("&#39;"));
		else if (!control(c) || c == '\n' || c == '\t')
			buf_putc(out, (char)c);
	}
}

static void put_percent(Buf *out, Str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c && strchr("-._~", c))) {
			buf_putc(out, (char)c);
			continue;
		}
		buf_putc(out, '%');
		buf_putc(out, digits[c >> 4]);
		buf_putc(out, digits[c & 15]);
	}
}

/* A whole URL: of a scheme that leads nowhere dangerous, or none; what is no part of any URL is percent-encoded. */
static Str url_safe(Arena *a, Str text)
{
	static const Str schemes[] = { S("https"), S("http"), S("mailto"), S("tel"), S("sms") };
	ptrdiff_t colon = str_find_char(text, ':');
	Buf out = { 0 };
	Str safe;
	bool good = colon < 0;

	for (ptrdiff_t i = 0; i < colon && !good; i++)
		good = strchr("/?#", text.at[i]) != NULL; /* the colon is of no scheme */
	for (size_t i = 0; i < COUNT(schemes) && !good; i++)
		good = str_eq_nocase(str_sub(text, 0, (size_t)colon), schemes[i]);
	for (size_t i = 0; i < text.len && good; i++) {
		char c = text.at[i];

		if (control((unsigned char)c) || (unsigned char)c >= 0x80 ||
		    strchr(" <>\"'\\^`{|}", c))
			put_percent(&out, (Str){ &text.at[i], 1 });
		else
			buf_putc(&out, c);
	}
	safe = good ? str_dup(a, buf_str(&out)) : S("#");
	buf_fini(&out);
	return safe;
}

static void put_json_text(Buf *out, Str text)
{
	size_t from = out->len;

	json_put_quoted(out, text);
	if (out->broken || out->len < from + 2)
		return;
	memmove(out->at + from, out->at + from + 1, out->len - from - 2);
	out->len -= 2;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

static void put_json(Buf *out, const Json *value)
{
	Buf text = { .limit = out->limit };
	JsonWriter w = json_writer(&text);

	json_put(&w, value);
	buf_put(out, buf_str(&text));
	out->broken = out->broken || text.broken;
	buf_fini(&text);
}

static Str value_text(const Putter *p, const Json *value)
{
	Buf text = { .limit = p->out->limit };
	Str plain;

	if (!value || json_kind(value) == JSON_KIND_NULL)
		return S("");
	if (json_to_str(value, &plain))
		return plain;
	put_json(&text, value);
	plain = str_dup(p->a, buf_str(&text));
	buf_fini(&text);
	return plain;
}

static void put_value(Putter *p, const MustacheNode *node)
{
	const Json *value = find(p, node->text);
	Str text;

	if (node->escape == ESCAPE_JSON) {
		put_json(p->out, value);
		return;
	}
	text = value_text(p, value);
	p->steps += text.len / STEP_BYTES; /* what is left out of it costs too */
	switch (node->escape) {
	case ESCAPE_LINE:
		put_text(p->out, text, true);
		break;
	case ESCAPE_HTML:
		put_html(p->out, text);
		break;
	case ESCAPE_HTML_URL:
		put_html(p->out, url_safe(p->a, text));
		break;
	case ESCAPE_PART:
		put_percent(p->out, text);
		break;
	case ESCAPE_URL:
		buf_put(p->out, url_safe(p->a, text));
		break;
	case ESCAPE_JSON_STR:
		put_json_text(p->out, text);
		break;
	case ESCAPE_RAW:
		buf_put(p->out, text);
		break;
	case ESCAPE_JSON:
	case ESCAPE_TEXT:
		put_text(p->out, text, false);
		break;
	}
}

/* --- nodes ------------------------------------------------------------------------------------------------------------- */

static Err *put_nodes(Putter *p, size_t from, size_t to);

static Err *put_within(Putter *p, size_t at, const Json *value)
{
	Err *err;

	p->stack[p->depth++] = value;
	err = put_nodes(p, at + 1, p->m->at[at].end);
	p->depth--;
	return err;
}

static Err *put_section(Putter *p, size_t at)
{
	const MustacheNode *node = &p->m->at[at];
	const Json *value = find(p, node->text);
	bool yes = truthy(value);

	if (node->kind == NODE_INVERTED)
		return yes ? NULL : put_nodes(p, at + 1, node->end);
	if (!yes)
		return NULL;
	if (json_kind(value) != JSON_KIND_ARRAY)
		return put_within(p, at, value);
	for (size_t i = 0; i < json_count(value); i++)
		TRY(put_within(p, at, json_at(value, i)));
	return NULL;
}

static Err *put_nodes(Putter *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const MustacheNode *node = &p->m->at[i];

		if (++p->steps > MUSTACHE_STEPS || p->out->broken)
			return err_new(p->a, ERR_TOO_LARGE, "template.output",
			               "what the template gives is too long");
		if (node->kind == NODE_TEXT) {
			buf_put(p->out, node->text);
		} else if (node->kind == NODE_VALUE) {
			put_value(p, node);
		} else if (node->kind != NODE_END) {
			TRY(put_section(p, i));
			i = node->end;
		}
	}
	return NULL;
}

Err *mustache_put(const Mustache *m, Arena *a, const Json *data, Buf *out)
{
	Putter p = { .m = m, .a = a, .out = out, .stack = { data }, .depth = 1 };

	TRY(put_nodes(&p, 0, m->count));
	if (out->broken)
		return err_new(a, ERR_TOO_LARGE, "template.output",
		               "what the template gives is too long");
	return NULL;
}

/* What ends a line, or hides in one, beside ASCII's: no header takes it, and no mail is lost for it. */
static Str without_unseen(Arena *a, Str text)
{
	char *into = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0, step; i < text.len; i += step) {
		uint32_t code;

		step = str_utf8(str_sub(text, i, text.len), &code);
		if (!step || (code >= 0x80 && code < 0xa0) || code == 0x2028 || code == 0x2029)
			into[len++] = ' ';
		else
			memcpy(into + len, text.at + i, step), len += step;
		step = step ? step : 1;
	}
	return (Str){ into, len };
}

/* A subject stays on its line, whatever stands in the template. */
static Str one_line(Arena *a, Str text)
{
	Buf line = { 0 };
	Str out;

	put_text(&line, str_trim(without_unseen(a, text)), true);
	out = str_dup(a, buf_str(&line));
	buf_fini(&line);
	return out;
}

Err *mustache_render(Arena *a, Str text, MustacheKind kind, const Json *data, size_t most, Str *out)
{
	AUTO(buf_fini) Buf put = { .limit = most };
	const Mustache *m;

	TRY(mustache_read(a, text, kind, &m));
	TRY(mustache_put(m, a, data, &put));
	*out = kind == MUSTACHE_LINE ? one_line(a, buf_str(&put)) : str_dup(a, buf_str(&put));
	return NULL;
}
