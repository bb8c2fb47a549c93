/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON. The state is a bit a level: is this level an object, and has it something in it already? So a comma is
 * never forgotten and never too many, and the writer costs no memory. After misuse everything is ignored. */
#include "base/json.h"

#include "base/time.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Err misuse =
	ERR_STATIC(INTERNAL, "json.writer", "JSON was written out of order or not to its end");

JsonWriter json_writer(Buf *b)
{
	return (JsonWriter){ .buf = b };
}

static uint64_t level_bit(const JsonWriter *w)
{
	return w->depth ? UINT64_C(1) << (w->depth - 1) : 0;
}

/* A value begins: is it due here, and does a comma go before it? */
static bool begin_value(JsonWriter *w)
{
	uint64_t bit = level_bit(w);

	if (w->broken || w->whole || ((w->objects & bit) && !w->keyed)) {
		w->broken = true;
		return false;
	}
	if (!w->keyed && (w->filled & bit))
		buf_putc(w->buf, ',');
	w->filled |= bit;
	w->keyed = false;
	w->whole = w->depth == 0;
	return true;
}

static void begin_level(JsonWriter *w, bool is_object)
{
	uint64_t bit;

	if (!begin_value(w))
		return;
	if (w->depth == JSON_MAX_DEPTH) {
		w->broken = true;
		return;
	}
	w->whole = false;
	w->depth++;
	bit = level_bit(w);
	w->filled &= ~bit;
	w->objects = is_object ? w->objects | bit : w->objects & ~bit;
	buf_putc(w->buf, is_object ? '{' : '[');
}

void json_begin_object(JsonWriter *w)
{
	begin_level(w, true);
}

void json_begin_array(JsonWriter *w)
{
	begin_level(w, false);
}

void json_end(JsonWriter *w)
{
	if (w->broken || !w->depth || w->keyed) {
		w->broken = true;
		return;
	}
	buf_putc(w->buf, w->objects & level_bit(w) ? '}' : ']');
	w->depth--;
	w->whole = w->depth == 0;
}

void json_key(JsonWriter *w, Str key)
{
	uint64_t bit = level_bit(w);

	if (w->broken || w->keyed || !(w->objects & bit)) {
		w->broken = true;
		return;
	}
	if (w->filled & bit)
		buf_putc(w->buf, ',');
	json_put_quoted(w->buf, key);
	buf_putc(w->buf, ':');
	w->filled |= bit;
	w->keyed = true;
}

static bool goes_as_it_is(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that does not; returns its bytes. */
static size_t put_special(Buf *b, Str rest)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
		                        ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };
	uint32_t code = 0;
	size_t len = str_utf8(rest, &code);

	if (!len)
		buf_put(b, S("\xef\xbf\xbd"));
	else if (code < sizeof letters && letters[code])
		buf_put(b, (Str){ (const char[]){ '\\', letters[code] }, 2 });
	else if (code < 0x20 || code == 0x7f || code == 0x2028 || code == 0x2029)
		buf_fmt(b, "\\u%04x", code);
	else
		buf_put(b, str_sub(rest, 0, len));
	return MAX(len, (size_t)1);
}

void json_put_quoted(Buf *b, Str text)
{
	size_t at = 0;

	buf_putc(b, '"');
	while (at < text.len) {
		size_t from = at;

		while (at < text.len && goes_as_it_is((unsigned char)text.at[at]))
			at++;
		buf_put(b, str_sub(text, from, at));
		if (at < text.len)
			at += put_special(b, str_sub(text, at, text.len));
	}
	buf_putc(b, '"');
}

void json_add_str(JsonWriter *w, Str text)
{
	if (begin_value(w))
		json_put_quoted(w->buf, text);
}

void json_add_i64(JsonWriter *w, int64_t n)
{
	if (begin_value(w))
		buf_put_i64(w->buf, n);
}

void json_add_u64(JsonWriter *w, uint64_t n)
{
	if (begin_value(w))
		buf_put_u64(w->buf, n);
}

void json_add_real(JsonWriter *w, double n)
{
	char text[40] = "null";

	for (int digits = DBL_DIG; isfinite(n) && digits <= DBL_DECIMAL_DIG; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, n);
		if (strtod(text, NULL) == n)
			break;
	}
	if (!begin_value(w))
		return;
	buf_put(w->buf, str_of(text));
	if (isfinite(n) && !strpbrk(text, ".e"))
		buf_put(w->buf, S(".0"));
}

void json_add_bool(JsonWriter *w, bool yes)
{
	if (begin_value(w))
		buf_put(w->buf, yes ? S("true") : S("false"));
}

void json_add_null(JsonWriter *w)
{
	if (begin_value(w))
		buf_put(w->buf, S("null"));
}

void json_add_time(JsonWriter *w, int64_t utc_us)
{
	if (!begin_value(w))
		return;
	buf_putc(w->buf, '"');
	time_put_rfc3339(w->buf, utc_us);
	buf_putc(w->buf, '"');
}

void json_add_raw(JsonWriter *w, Str json)
{
	if (begin_value(w))
		buf_put(w->buf, json);
}

void json_put_str(JsonWriter *w, const char *key, Str text)
{
	json_key(w, str_of(key));
	json_add_str(w, text);
}

void json_put_i64(JsonWriter *w, const char *key, int64_t n)
{
	json_key(w, str_of(key));
	json_add_i64(w, n);
}

void json_put_u64(JsonWriter *w, const char *key, uint64_t n)
{
	json_key(w, str_of(key));
	json_add_u64(w, n);
}

void json_put_real(JsonWriter *w, const char *key, double n)
{
	json_key(w, str_of(key));
	json_add_real(w, n);
}

void json_put_bool(JsonWriter *w, const char *key, bool yes)
{
	json_key(w, str_of(key));
	json_add_bool(w, yes);
}

Err *json_done(const JsonWriter *w, Str *out)
{
	if (w->broken || !w->whole)
		return &misuse;
	return buf_done(w->buf, out);
}
