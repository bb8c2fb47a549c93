/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a template into a flat list of nodes: a text, a value, the begin and the end of a section, each of which knows where the
 * other is. A tag for sections, comments and delimiters that stands alone on its line takes the line with it.
 *
 * While it reads, it follows what kind of place it is in (mustache_place.c), so that every value has its way of escaping before
 * anything is put, and a template that cannot be made safe is refused when it is stored, not when it is sent. */
#include "notification/mustache_int.h"

#include "base/arena.h"

#include <string.h>

enum { DELIMITER_MOST = 8 };

typedef struct Reader {
	Arena *a;
	Mustache *m;
	Str text, open, close;
	size_t at;
	Place place;
	size_t depth;
	size_t begins[MUSTACHE_DEPTH]; /* nodes of the sections that are open */
	Place places[MUSTACHE_DEPTH];  /* where they began */
} Reader;

typedef struct Tag {
	char sigil; /* 0: a value; { & # ^ / ! = */
	Str name;
	size_t from, to; /* in the text */
} Tag;

static Err *wrong(const Reader *r, size_t at, const char *slug, const char *what, Str name)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at && i < r->text.len; i++) {
		column = r->text.at[i] == '\n' ? 1 : column + 1;
		line += r->text.at[i] == '\n';
	}
	return err_new(r->a, ERR_INVALID, slug, "line %zu, column %zu: %s%s%.*s", line, column,
	               what, name.len ? ": " : "", STR_ARG(name));
}

static MustacheNode *node_add(Reader *r, NodeKind kind, Str text)
{
	Mustache *m = r->m;

	if (m->count == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 16;
		MustacheNode *more = ARENA_ARRAY(r->a, MustacheNode, cap);

		if (m->count)
			memcpy(more, m->at, m->count * sizeof(*more));
		m->at = more;
		m->cap = cap;
	}
	m->at[m->count] = (MustacheNode){ .kind = kind, .text = text };
	return &m->at[m->count++];
}

static Err *text_add(Reader *r, size_t from, size_t to)
{
	Str text = str_sub(r->text, from, to);

	if (!text.len)
		return NULL;
	place_feed(&r->place, text);
	if (r->place.unsafe)
		return wrong(r, from, "template.place", "a value may not be the scheme of a URL",
		             S(""));
	node_add(r, NODE_TEXT, text);
	return NULL;
}

static ptrdiff_t find_from(const Reader *r, size_t from, Str what)
{
	ptrdiff_t found = str_find(str_sub(r->text, from, r->text.len), what);

	return found < 0 ? -1 : (ptrdiff_t)from + found;
}

/* --- tags -------------------------------------------------------------------------------------------------------------- */

static bool name_char(unsigned char c)
{
	return c > ' ' && c != 0x7f && !strchr("{}#^/!=&<>\"'", c);
}

static Err *tag_check_name(const Reader *r, const Tag *tag)
{
	if (!tag->name.len)
		return wrong(r, tag->from, "template.syntax", "a tag has no name", S(""));
	for (size_t i = 0; i < tag->name.len; i++)
		if (!name_char((unsigned char)tag->name.at[i]))
			return wrong(r, tag->from, "template.syntax", "that is no name", tag->name);
	return NULL;
}

/* Reads the tag whose opening delimiter stands at `from`. */
static Err *tag_read(Reader *r, size_t from, Tag *tag)
{
	size_t inner = from + r->open.len;
	bool triple = inner < r->text.len && r->text.at[inner] == '{' && str_eq(r->open, S("{{"));
	bool equals = inner < r->text.len && r->text.at[inner] == '=';
	Str end = triple ? S("}}}") : equals ? str_fmt(r->a, "=%.*s", STR_ARG(r->close)) : r->close;
	ptrdiff_t close = find_from(r, inner + triple + equals, end);
	Str body;

	*tag = (Tag){ .from = from };
	if (close < 0)
		return wrong(r, from, "template.syntax", "a tag does not end", S(""));
	body = str_sub(r->text, inner, (size_t)close);
	tag->to = (size_t)close + end.len;
	if (body.len && strchr("{&#^/!=>", body.at[0])) {
		tag->sigil = body.at[0];
		body = str_sub(body, 1, body.len);
	}
	while (body.len && strchr(" \t\r\n", body.at[0]))
		body = str_sub(body, 1, body.len);
	while (body.len && strchr(" \t\r\n", body.at[body.len - 1]))
		body.len--;
	tag->name = body;
	if (tag->sigil == '>')
		return wrong(r, from, "template.syntax", "there are no partials", body);
	return tag->sigil == '!' || tag->sigil == '=' ? NULL : tag_check_name(r, tag);
}

/* Does it stand alone on its line? Then that line's text around it is no text of the template. */
static bool tag_alone(const Reader *r, const Tag *tag, size_t *from, size_t *to)
{
	size_t begin = tag->from, end = tag->to;

	if (!tag->sigil || strchr("{&", tag->sigil))
		return false;
	while (begin && (r->text.at[begin - 1] == ' ' || r->text.at[begin - 1] == '\t'))
		begin--;
	while (end < r->text.len && strchr(" \t\r", r->text.at[end]))
		end++;
	if ((begin && r->text.at[begin - 1] != '\n') ||
	    (end < r->text.len && r->text.at[end] != '\n'))
		return false;
	if (begin == 0 && end == r->text.len && r->m->kind == MUSTACHE_LINE)
		return false;
	*from = begin;
	*to = MIN(end + 1, r->text.len);
	return true;
}

static Err *section_begin(Reader *r, const Tag *tag)
{
	if (r->depth == MUSTACHE_DEPTH)
		return wrong(r, tag->from, "template.syntax",
		             "sections stand too deep in each other", tag->name);
	r->begins[r->depth] = r->m->count;
	r->places[r->depth++] = r->place;
	node_add(r, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED, tag->name);
	return NULL;
}

static Err *section_end(Reader *r, const Tag *tag)
{
	size_t begin;

	if (!r->depth)
		return wrong(r, tag->from, "template.syntax", "there is no such section to end",
		             tag->name);
	begin = r->begins[--r->depth];
	if (!str_eq(r->m->at[begin].text, tag->name))
		return wrong(r, tag->from, "template.syntax",
		             "another section is to be ended first", r->m->at[begin].text);
	if (!place_same(&r->place, &r->places[r->depth]))
		return wrong(r, tag->from, "template.place",
		             "a section must end in the kind of place where it began", tag->name);
	place_leave_section(&r->place, &r->places[r->depth]);
	node_add(r, NODE_END, tag->name)->end = begin;
	r->m->at[begin].end = r->m->count - 1;
	return NULL;
}

static Err *value_add(Reader *r, const Tag *tag)
{
	Escape escape;

	if (!place_value(&r->place, tag->sigil != 0, &escape))
		return wrong(r, tag->from, "template.place", "a value cannot be made safe here",
		             tag->name);
	node_add(r, NODE_VALUE, tag->name)->escape = escape;
	return NULL;
}

/* {{=<% %>=}} */
static Err *delimiters_set(Reader *r, const Tag *tag)
{
	Str rest = tag->name, open, close;

	if (!str_split(&rest, ' ', &open) || !rest.at)
		return wrong(r, tag->from, "template.syntax", "those are no two delimiters",
		             tag->name);
	close = str_trim(rest);
	if (!open.len || !close.len || open.len > DELIMITER_MOST || close.len > DELIMITER_MOST ||
	    str_find_char(open, '=') >= 0 || str_find_char(close, '=') >= 0 ||
	    str_find_char(close, ' ') >= 0)
		return wrong(r, tag->from, "template.syntax", "those are no two delimiters",
		             tag->name);
	r->open = open;
	r->close = close;
	return NULL;
}

static Err *tag_take(Reader *r, const Tag *tag)
{
	switch (tag->sigil) {
	case '#':
	case '^':
		return section_begin(r, tag);
	case '/':
		return section_end(r, tag);
	case '!':
		return NULL;
	case '=':
		return delimiters_set(r, tag);
	default:
		return value_add(r, tag);
	}
}

/* --- all of it --------------------------------------------------------------------------------------------------------- */

static Err *read_all(Reader *r)
{
	for (;;) {
		ptrdiff_t found = find_from(r, r->at, r->open);
		size_t from, to;
		Tag tag;

		if (found < 0) {
			TRY(text_add(r, r->at, r->text.len));
			break;
		}
		TRY(tag_read(r, (size_t)found, &tag));
		if (!tag_alone(r, &tag, &from, &to)) {
			from = tag.from;
			to = tag.to;
		}
		if (from > r->at)
			TRY(text_add(r, r->at, from));
		TRY(tag_take(r, &tag));
		r->at = MAX(r->at, to);
	}
	if (r->depth)
		return wrong(r, r->text.len, "template.syntax", "a section does not end",
		             r->m->at[r->begins[r->depth - 1]].text);
	return NULL;
}

Err *mustache_read(Arena *a, Str text, MustacheKind kind, const Mustache **out)
{
	Reader r = {
		.a = a, .m = ARENA_NEW(a, Mustache), .text = text, .open = S("{{"), .close = S("}}")
	};

	if (text.len > MUSTACHE_TEXT_MOST)
		return err_new(a, ERR_TOO_LARGE, "template.too_large",
		               "a template has %d bytes at most", MUSTACHE_TEXT_MOST);
	r.m->kind = kind;
	place_begin(&r.place, kind);
	TRY(read_all(&r));
	*out = r.m;
	return NULL;
}

Str *mustache_names(const Mustache *m, Arena *a, size_t *count)
{
	Str *names = ARENA_ARRAY(a, Str, m->count + 1);
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++) {
		bool known = m->at[i].kind == NODE_TEXT || m->at[i].kind == NODE_END;

		for (size_t k = 0; k < n && !known; k++)
			known = str_eq(names[k], m->at[i].text);
		if (!known)
			names[n++] = m->at[i].text;
	}
	*count = n;
	return names;
}
