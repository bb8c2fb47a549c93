/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader goes by lines as people write them: a header opens a table, a line adds a value to it. Arrays and inline tables may nest to
 * TOML_DEPTH. Looking for a table takes the last one first, as lock files are lists of thousands of tables that are only added to; what is
 * looked at in all is limited. */
#include "audit/toml.h"

#include "base/arena.h"
#include "base/buf.h"

#include <string.h>

enum { LOOKS_MOST = 200000000 };

typedef struct Reader {
	Arena *arena;
	Str name, text;
	size_t at;
	uint32_t line;
	uint32_t depth, nodes, looks;
	Toml *root;
} Reader;

static Err *fault(Reader *r, const char *sentence)
{
	return err_new(r->arena, ERR_INVALID, "toml.syntax", "%.*s:%u: %s", STR_ARG(r->name),
	               r->line, sentence);
}

static char peek(const Reader *r, size_t ahead)
{
	return r->at + ahead < r->text.len ? r->text.at[r->at + ahead] : '\0';
}

static bool at_end(const Reader *r)
{
	return r->at >= r->text.len;
}

static char take(Reader *r)
{
	char c = peek(r, 0);

	r->line += c == '\n';
	r->at += !at_end(r);
	return c;
}

static void skip_blanks(Reader *r)
{
	while (peek(r, 0) == ' ' || peek(r, 0) == '\t')
		r->at++;
}

static void skip_comment(Reader *r)
{
	skip_blanks(r);
	if (peek(r, 0) == '#')
		while (!at_end(r) && peek(r, 0) != '\n')
			r->at++;
}

/* Blanks, comments and line ends. */
static void skip_all(Reader *r)
{
	do
		skip_comment(r);
	while ((peek(r, 0) == '\n' || peek(r, 0) == '\r') && take(r));
}

static Err *end_line(Reader *r)
{
	skip_comment(r);
	if (peek(r, 0) == '\r')
		r->at++;
	if (!at_end(r) && peek(r, 0) != '\n')
		return fault(r, "something stands behind the value");
	take(r);
	return NULL;
}

/* --- the tree ---------------------------------------------------------------------------------------------------------------------------- */

static RETURNS_NONNULL Toml *add(Reader *r, Toml *parent, Str key, TomlKind kind)
{
	Toml *node = ARENA_NEW(r->arena, Toml);

	r->nodes++;
	*node = (Toml){ .kind = kind, .key = key, .line = r->line };
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
	return node;
}

static Toml *look(Reader *r, const Toml *table, Str key)
{
	if (table->last && str_eq(table->last->key, key))
		return table->last;
	for (Toml *node = table->first; node; node = node->next) {
		r->looks++;
		if (str_eq(node->key, key))
			return node;
	}
	return NULL;
}

/* Before each key and each value: is it still less than may be? */
static Err *check_size(Reader *r)
{
	if (r->nodes <= TOML_NODES && r->looks <= LOOKS_MOST)
		return NULL;
	return err_new(r->arena, ERR_TOO_LARGE, "toml.too_large", "%.*s has too many values",
	               STR_ARG(r->name));
}

/* The table of that name, made if need be; of an array of tables the last. */
static Err *enter(Reader *r, Toml **table, Str key)
{
	Toml *found = look(r, *table, key);

	if (!found)
		found = add(r, *table, key, TOML_TABLE);
	if (found->kind == TOML_ARRAY && found->last)
		found = found->last;
	if (found->kind != TOML_TABLE)
		return fault(r, "a table has the name of a value");
	*table = found;
	return NULL;
}

/* --- texts -------------------------------------------------------------------------------------------------------------------------------- */

static void put_code(Buf *b, uint32_t code)
{
	if (code < 0x80) {
		buf_putc(b, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_putc(b, (char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			buf_putc(b, (char)(0xe0 | code >> 12));
		} else {
			buf_putc(b, (char)(0xf0 | code >> 18));
			buf_putc(b, (char)(0x80 | (code >> 12 & 0x3f)));
		}
		buf_putc(b, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_putc(b, (char)(0x80 | (code & 0x3f)));
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Err *read_code(Reader *r, Buf *b, int digits)
{
	uint32_t code = 0;

	while (digits-- > 0) {
		int digit = hex_of(take(r));

		if (digit < 0)
			return fault(r, "an escape has too few digits");
		code = code << 4 | (uint32_t)digit;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return fault(r, "an escape is no character");
	put_code(b, code);
	return NULL;
}

static Err *read_escape(Reader *r, Buf *b, bool triple)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = take(r);
	const char *known = c ? strchr(from, c) : NULL;

	if (known) {
		buf_putc(b, to[known - from]);
		return NULL;
	}
	if (c == 'u' || c == 'U')
		return read_code(r, b, c == 'u' ? 4 : 8);
	if (triple && (c == '\n' || c == '\r' || c == ' ' || c == '\t')) {
		while (peek(r, 0) == '\n' || peek(r, 0) == '\r' || peek(r, 0) == ' ' ||
		       peek(r, 0) == '\t')
			take(r);
		return NULL;
	}
	return fault(r, "a text has an unknown escape");
}

/* Up to two quotes may stand right before the three that end it. */
static bool ends_text(const Reader *r, char quote, bool triple)
{
	if (peek(r, 0) != quote)
		return false;
	return !triple || (peek(r, 1) == quote && peek(r, 2) == quote && peek(r, 3) != quote);
}

static Err *read_text(Reader *r, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	char quote = take(r);
	bool triple = peek(r, 0) == quote && peek(r, 1) == quote;

	if (triple) {
		r->at += 2;
		if (peek(r, 0) == '\r' && peek(r, 1) == '\n')
			r->at++;
		if (peek(r, 0) == '\n')
			take(r);
	}
	while (!ends_text(r, quote, triple)) {
		char c = peek(r, 0);

		if (at_end(r) || (!triple && c == '\n'))
			return fault(r, "a text has no end");
		take(r);
		if (c == '\\' && quote == '"')
			TRY(read_escape(r, &b, triple));
		else
			buf_putc(&b, c);
	}
	r->at += triple ? 3 : 1;
	*out = str_dup(r->arena, buf_str(&b));
	return NULL;
}

static bool in_bare_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static Err *read_key(Reader *r, Str *out)
{
	size_t from;

	TRY(check_size(r));
	skip_blanks(r);
	if (peek(r, 0) == '"' || peek(r, 0) == '\'') {
		TRY(read_text(r, out));
	} else {
		for (from = r->at; in_bare_key(peek(r, 0));)
			r->at++;
		*out = str_sub(r->text, from, r->at);
		if (!out->len)
			return fault(r, "a key was expected");
	}
	skip_blanks(r);
	return NULL;
}

/* --- values ---------------------------------------------------------------------------------------------------------------------------------- */

static Err *read_value(Reader *r, Toml *parent, Str key);

static Err *read_pair(Reader *r, Toml *table)
{
	Str key;

	TRY(read_key(r, &key));
	while (peek(r, 0) == '.') {
		r->at++;
		TRY(enter(r, &table, key));
		TRY(read_key(r, &key));
	}
	if (peek(r, 0) != '=')
		return fault(r, "a key has no value");
	r->at++;
	return read_value(r, table, key);
}

/* An array or an inline table; comments and line ends are fine in both. */
static Err *read_items(Reader *r, Toml *node)
{
	char close = node->kind == TOML_ARRAY ? ']' : '}';

	r->at++;
	if (++r->depth > TOML_DEPTH)
		return fault(r, "values are nested too deep");
	for (skip_all(r); peek(r, 0) != close; skip_all(r)) {
		TRY(node->kind == TOML_ARRAY ? read_value(r, node, (Str){ 0 })
		                             : read_pair(r, node));
		skip_all(r);
		if (peek(r, 0) == ',')
			r->at++;
		else if (peek(r, 0) != close)
			return fault(r, "a list has no end");
	}
	r->at++;
	r->depth--;
	return NULL;
}

static Err *read_word(Reader *r, Str *out)
{
	size_t from = r->at;

	while (!at_end(r) && !strchr(",]}#\n\r", peek(r, 0)))
		r->at++;
	*out = str_trim(str_sub(r->text, from, r->at));
	return out->len ? NULL : fault(r, "a value was expected");
}

static Err *read_value(Reader *r, Toml *parent, Str key)
{
	Toml *node;
	char c;

	TRY(check_size(r));
	skip_blanks(r);
	c = peek(r, 0);
	node = add(r, parent, key,
	           c == '"' || c == '\'' ? TOML_TEXT
	           : c == '['            ? TOML_ARRAY
	           : c == '{'            ? TOML_TABLE
	                                 : TOML_WORD);
	switch (node->kind) {
	case TOML_TEXT:
		return read_text(r, &node->text);
	case TOML_WORD:
		return read_word(r, &node->text);
	case TOML_ARRAY:
	case TOML_TABLE:
		break;
	}
	return read_items(r, node);
}

/* "[a.b]" or "[[a.b]]": the table whose values follow. */
static Err *read_header(Reader *r, Toml **table)
{
	bool list = peek(r, 1) == '[';
	Toml *at = r->root, *found;
	Str key;

	r->at += list ? 2 : 1;
	TRY(read_key(r, &key));
	while (peek(r, 0) == '.') {
		r->at++;
		TRY(enter(r, &at, key));
		TRY(read_key(r, &key));
	}
	if (peek(r, 0) != ']' || (list && peek(r, 1) != ']'))
		return fault(r, "a header has no end");
	r->at += list ? 2 : 1;
	if (list) {
		found = look(r, at, key);
		if (!found)
			found = add(r, at, key, TOML_ARRAY);
		if (found->kind != TOML_ARRAY)
			return fault(r, "a list of tables has the name of a value");
		*table = add(r, found, (Str){ 0 }, TOML_TABLE);
	} else {
		TRY(enter(r, &at, key));
		at->line = at->line ? at->line : r->line;
		*table = at;
	}
	return end_line(r);
}

Err *toml_read(Arena *a, Str name, Str text, const Toml **out)
{
	Reader r = {
		.arena = a, .name = name, .text = text, .line = 1, .root = ARENA_NEW(a, Toml)
	};
	Toml *table = r.root;

	if (text.len > TOML_BYTES)
		return err_new(a, ERR_TOO_LARGE, "toml.too_large", "%.*s is too large",
		               STR_ARG(name));
	r.root->kind = TOML_TABLE;
	if (str_starts(text, S("\xef\xbb\xbf")))
		r.at = 3;
	for (skip_all(&r); !at_end(&r); skip_all(&r)) {
		if (peek(&r, 0) == '[') {
			TRY(read_header(&r, &table));
			continue;
		}
		TRY(read_pair(&r, table));
		TRY(end_line(&r));
	}
	*out = r.root;
	return NULL;
}

const Toml *toml_get(const Toml *table, Str key)
{
	if (!table || table->kind != TOML_TABLE)
		return NULL;
	TOML_EACH(table, node)
	if (str_eq(node->key, key))
		return node;
	return NULL;
}

const Toml *toml_path(const Toml *table, Str path)
{
	Str key;

	while (table && str_split(&path, '.', &key))
		table = toml_get(table, key);
	return table;
}

Str toml_text(const Toml *table, Str key)
{
	const Toml *node = toml_get(table, key);

	return node && node->kind == TOML_TEXT ? node->text : (Str){ 0 };
}
