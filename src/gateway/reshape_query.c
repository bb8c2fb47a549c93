/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of a query, renamed, set and removed. Names are compared decoded, since "q" and "%71" are the same to every
 * server; a value that is not set anew stays byte by byte, since servers differ in what they make of odd ones. */
#include "gateway/reshape_query.h"

#include "base/arena.h"
#include "base/buf.h"

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As forms are read: "+" is a blank, what is no escape is itself. */
static Str decoded(Arena *a, Str text)
{
	char *to = arena_alloc_raw(a, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		bool escape = c == '%' && i + 2 < text.len && hex_of(text.at[i + 1]) >= 0 &&
		              hex_of(text.at[i + 2]) >= 0;

		if (escape) {
			c = (char)(hex_of(text.at[i + 1]) << 4 | hex_of(text.at[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		to[len++] = c;
	}
	return (Str){ to, len };
}

static void put_escaped(Buf *b, Str text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '-' || c == '_' || c == '.' || c == '~') {
			buf_putc(b, (char)c);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, digits[c >> 4]);
		buf_putc(b, digits[c & 15]);
	}
}

static const ReshapeRenameConf *rename_of(const ReshapeQueryConf *conf, Str name)
{
	for (size_t i = 0; i < conf->rename.count; i++)
		if (str_eq(conf->rename.at[i].from, name))
			return &conf->rename.at[i];
	return NULL;
}

static Str name_of(Arena *a, Str pair)
{
	ptrdiff_t equals = str_find_char(pair, '=');

	return decoded(a, equals < 0 ? pair : str_sub(pair, 0, (size_t)equals));
}

static bool has(Arena *a, Str query, Str name)
{
	Str pair;

	while (str_split(&query, '&', &pair))
		if (pair.len && str_eq(name_of(a, pair), name))
			return true;
	return false;
}

/* Does another come in its place? */
static bool is_displaced(const ReshapeQueryConf *conf, Arena *a, Str query, Str name)
{
	for (size_t i = 0; i < conf->rename.count; i++)
		if (str_eq(conf->rename.at[i].to, name) && has(a, query, conf->rename.at[i].from))
			return true;
	return false;
}

/* By its name on the new side. */
static bool is_dropped(const ReshapeQueryConf *conf, Str name)
{
	for (size_t i = 0; i < conf->remove.count; i++)
		if (str_eq(conf->remove.at[i], name))
			return true;
	for (size_t i = 0; i < conf->set.count; i++)
		if (str_eq(conf->set.at[i].name, name))
			return true;
	return false;
}

static void begin_pair(Buf *b)
{
	if (b->len)
		buf_putc(b, '&');
}

static void put_pair(const ReshapeQueryConf *conf, Arena *a, Buf *b, Str query, Str pair)
{
	ptrdiff_t equals = str_find_char(pair, '=');
	Str name = name_of(a, pair);
	const ReshapeRenameConf *rename = rename_of(conf, name);

	if (is_dropped(conf, rename ? rename->to : name) ||
	    (!rename && is_displaced(conf, a, query, name)))
		return;
	begin_pair(b);
	if (rename) {
		put_escaped(b, rename->to);
		pair = equals < 0 ? (Str){ 0 } : str_sub(pair, (size_t)equals, pair.len);
	}
	buf_put(b, pair);
}

Str reshape_query(const ReshapeQueryConf *conf, Arena *a, Str query)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str rest = query, pair;

	if (!(conf->rename.count + conf->set.count + conf->remove.count))
		return query;
	while (str_split(&rest, '&', &pair))
		if (pair.len)
			put_pair(conf, a, &b, query, pair);
	for (size_t i = 0; i < conf->set.count; i++) {
		begin_pair(&b);
		put_escaped(&b, conf->set.at[i].name);
		buf_putc(&b, '=');
		put_escaped(&b, conf->set.at[i].value);
	}
	return b.len ? str_dup(a, buf_str(&b)) : (Str){ 0 };
}
