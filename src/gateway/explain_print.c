/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to tell the same: lines for people, an object for programs. Values are texts, as they would be written in the
 * configuration; what may be there several times is a list in JSON. */
#include "gateway/explain_int.h"

#include "base/arena.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_WIDTH = 18, FATE_WIDTH = 6, NAME_WIDTH = 16 };

void explain_begin(Explain *e, const char *section)
{
	if (e->count < EXPLAIN_SECTIONS)
		e->sections[e->count++] = (Section){ .name = section };
}

static void add(Explain *e, Fact fact)
{
	Section *s = &e->sections[e->count - 1];

	if (s->count == s->cap) {
		Fact *more = ARENA_ARRAY(e->arena, Fact, MAX(s->cap * 2, (size_t)16));

		if (s->count)
			memcpy(more, s->at, s->count * sizeof *more);
		s->cap = MAX(s->cap * 2, (size_t)16);
		s->at = more;
	}
	s->at[s->count++] = fact;
}

void explain_fact(Explain *e, const char *key, Str value)
{
	add(e, (Fact){ .key = str_of(key), .value = value });
}

void explain_item(Explain *e, const char *key, Str value)
{
	add(e, (Fact){ .key = str_of(key), .value = value, .item = true });
}

void explain_fmt(Explain *e, const char *key, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	explain_fact(e, key, str_dup(e->arena, str_of(text)));
}

void explain_refused(Explain *e, Err *err)
{
	e->refused = err;
	explain_fmt(e, "refused", "%d %s: %.*s", err_status(err), err->slug, STR_ARG(err->text));
}

/* --- for people ----------------------------------------------------------------------------------------------------- */

static void put_padded(Buf *b, Str text, size_t width)
{
	buf_put(b, text);
	for (size_t i = text.len; i < width; i++)
		buf_putc(b, ' ');
	buf_putc(b, ' ');
}

/* A terminal must not be told what a client's bytes say. */
static void put_shown(Buf *b, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < ' ' || c == 127)
			buf_fmt(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
}

static void put_section(Buf *b, const Section *s)
{
	Str before = { 0 };

	buf_fmt(b, "%s\n", s->name);
	for (size_t i = 0; i < s->count; i++) {
		const Fact *fact = &s->at[i];
		bool again = fact->item && str_eq(fact->key, before);

		buf_put(b, S("  "));
		put_padded(b, again ? S("") : fact->key, KEY_WIDTH);
		put_shown(b, fact->value.len ? fact->value : S("none"));
		buf_putc(b, '\n');
		before = fact->key;
	}
}

static size_t listed(const Explain *e, const char *fate)
{
	size_t count = 0;

	for (size_t i = 0; i < e->verdict_count; i++)
		count += strcmp(e->verdicts[i].fate, fate) == 0;
	return count;
}

static void put_verdicts(const Explain *e, Buf *b)
{
	size_t left = e->also - listed(e, "also") + e->not -listed(e, "not");

	if (e->verdict_count)
		buf_put(b, S("considered, in the order of precedence\n"));
	for (size_t i = 0; i < e->verdict_count; i++) {
		const Verdict *v = &e->verdicts[i];

		buf_put(b, S("  "));
		put_padded(b, str_of(v->fate), FATE_WIDTH);
		put_padded(b, v->route->conf->name, NAME_WIDTH);
		put_shown(b, v->pattern);
		if (v->why.len) {
			buf_put(b, S(": "));
			put_shown(b, v->why);
		}
		buf_putc(b, '\n');
	}
	if (left)
		buf_fmt(b, "  and %zu more\n", left);
}

void explain_put_text(const Explain *e, Buf *b)
{
	for (size_t i = 0; i < e->count; i++) {
		put_section(b, &e->sections[i]);
		if (strcmp(e->sections[i].name, "route") == 0)
			put_verdicts(e, b);
	}
}

/* --- for programs --------------------------------------------------------------------------------------------------- */

/* "request headers" is request_headers there. */
static void put_key(JsonWriter *w, Str key)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < key.len; i++)
		buf_putc(&b, (char)(key.at[i] == ' ' ? '_' : key.at[i]));
	json_key(w, buf_str(&b));
}

static void put_facts(JsonWriter *w, const Section *s)
{
	put_key(w, str_of(s->name));
	json_begin_object(w);
	for (size_t i = 0; i < s->count; i++) {
		const Fact *fact = &s->at[i];

		put_key(w, fact->key);
		if (!fact->item) {
			json_add_str(w, fact->value);
			continue;
		}
		json_begin_array(w);
		for (; i < s->count && s->at[i].item && str_eq(s->at[i].key, fact->key); i++)
			json_add_str(w, s->at[i].value);
		json_end(w);
		i--;
	}
	json_end(w);
}

static void put_considered(const Explain *e, JsonWriter *w)
{
	json_key(w, S("considered"));
	json_begin_array(w);
	for (size_t i = 0; i < e->verdict_count; i++) {
		const Verdict *v = &e->verdicts[i];

		json_begin_object(w);
		json_put_str(w, "route", v->route->conf->name);
		json_put_str(w, "where", conf_where(e->conf, v->route->conf));
		json_put_str(w, "fate", str_of(v->fate));
		json_put_str(w, "pattern", v->pattern);
		json_put_str(w, "why", v->why);
		json_end(w);
	}
	json_end(w);
	json_put_u64(w, "also", e->also);
	json_put_u64(w, "not", e->not );
}

void explain_put_json(const Explain *e, Buf *b)
{
	JsonWriter w = json_writer(b);

	json_begin_object(&w);
	json_put_bool(&w, "taken", e->winner && !e->refused);
	for (size_t i = 0; i < e->count; i++)
		put_facts(&w, &e->sections[i]);
	put_considered(e, &w);
	json_end(&w);
	buf_putc(b, '\n');
}
