/* SPDX-License-Identifier: Apache-2.0
 *
 * HTML into a tree, for comparing: not what a browser would build, but the same tree for the same markup, and nearly the same
 * for markup that means the same. Two pages of different frameworks differ in spaces, quotes, entities, the order of attributes
 * and classes, optional end tags and comments; none of that is left in the tree. Scripts and styles are left out with all that is in
 * them.
 *
 * Elements that need no end tag end where another one begins that cannot stand in them (a table of a few rows, not the whole
 * algorithm of the standard). Below 62 open elements nothing is nested any deeper. */
#include "shift/compare_html_int.h"

#include <stdlib.h>
#include <string.h>

enum { OPEN_MAX = COMPARE_DEPTH_MAX - 2, NAME_MAX_BYTES = 40, NAME_MAX_DIGITS = 8 };

typedef struct HtmlReader {
	Arena *arena;
	Str text;
	size_t at;
	HtmlNode *open;
	size_t depth;
	size_t nodes;
	uint32_t known, seen;
	Buf pending; /* text that was met and has no node yet */
} HtmlReader;

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool in_list(Str name, const char *list) /* of words, each between spaces */
{
	const char *found = list;

	while (name.len && (found = strstr(found, " "))) {
		found++;
		if (!strncmp(found, name.at, name.len) &&
		    (found[name.len] == ' ' || !found[name.len]))
			return true;
	}
	return false;
}

/* --- tags that are special ------------------------------------------------------------------------------------------- */

enum { P = 1, ITEM = 2, TERM = 4, CELL = 8, ROW = 16, PART = 32, OPTION = 64, GROUP = 128 };

typedef enum Content { MARKUP, VOID, PLAIN, DROPPED } Content;

typedef struct TagRow {
	Str name;
	uint8_t group;   /* elements that may end where another one begins */
	uint8_t ends;    /* those groups, when they are open where this one begins */
	uint8_t content; /* Content */
} TagRow;

static const TagRow tags[] = {
	/* sorted */
	{ { "address", 7 }, .ends = P },
	{ { "area", 4 }, .content = VOID },
	{ { "article", 7 }, .ends = P },
	{ { "aside", 5 }, .ends = P },
	{ { "base", 4 }, .content = VOID },
	{ { "blockquote", 10 }, .ends = P },
	{ { "br", 2 }, .content = VOID },
	{ { "col", 3 }, .content = VOID },
	{ { "dd", 2 }, .group = TERM, .ends = TERM | P },
	{ { "div", 3 }, .ends = P },
	{ { "dl", 2 }, .ends = P },
	{ { "dt", 2 }, .group = TERM, .ends = TERM | P },
	{ { "embed", 5 }, .content = VOID },
	{ { "fieldset", 8 }, .ends = P },
	{ { "figure", 6 }, .ends = P },
	{ { "footer", 6 }, .ends = P },
	{ { "form", 4 }, .ends = P },
	{ { "h1", 2 }, .ends = P },
	{ { "h2", 2 }, .ends = P },
	{ { "h3", 2 }, .ends = P },
	{ { "h4", 2 }, .ends = P },
	{ { "h5", 2 }, .ends = P },
	{ { "h6", 2 }, .ends = P },
	{ { "header", 6 }, .ends = P },
	{ { "hr", 2 }, .ends = P, .content = VOID },
	{ { "img", 3 }, .content = VOID },
	{ { "input", 5 }, .content = VOID },
	{ { "li", 2 }, .group = ITEM, .ends = ITEM | P },
	{ { "link", 4 }, .content = VOID },
	{ { "main", 4 }, .ends = P },
	{ { "meta", 4 }, .content = VOID },
	{ { "nav", 3 }, .ends = P },
	{ { "ol", 2 }, .ends = P },
	{ { "optgroup", 8 }, .group = GROUP, .ends = OPTION | GROUP },
	{ { "option", 6 }, .group = OPTION, .ends = OPTION },
	{ { "p", 1 }, .group = P, .ends = P },
	{ { "param", 5 }, .content = VOID },
	{ { "pre", 3 }, .ends = P },
	{ { "script", 6 }, .content = DROPPED },
	{ { "section", 7 }, .ends = P },
	{ { "source", 6 }, .content = VOID },
	{ { "style", 5 }, .content = DROPPED },
	{ { "table", 5 }, .ends = P },
	{ { "tbody", 5 }, .group = PART, .ends = CELL | ROW | PART | P },
	{ { "td", 2 }, .group = CELL, .ends = CELL | P },
	{ { "textarea", 8 }, .content = PLAIN },
	{ { "tfoot", 5 }, .group = PART, .ends = CELL | ROW | PART | P },
	{ { "th", 2 }, .group = CELL, .ends = CELL | P },
	{ { "thead", 5 }, .group = PART, .ends = CELL | ROW | PART | P },
	{ { "title", 5 }, .content = PLAIN },
	{ { "tr", 2 }, .group = ROW, .ends = CELL | ROW | P },
	{ { "track", 5 }, .content = VOID },
	{ { "ul", 2 }, .ends = P },
	{ { "wbr", 3 }, .content = VOID },
};

static int by_tag(const void *name, const void *row)
{
	return str_cmp(*(const Str *)name, ((const TagRow *)row)->name);
}

static const TagRow *find_tag(Str name)
{
	static const TagRow plain = { 0 };
	const TagRow *row = bsearch(&name, tags, COUNT(tags), sizeof *tags, by_tag);

	return row ? row : &plain;
}

/* --- entities ------------------------------------------------------------------------------------------------------- */

typedef struct EntityRow {
	Str name;
	uint32_t code;
} EntityRow;

static const EntityRow entities[] = {
	{ { "amp", 3 }, '&' },      { { "lt", 2 }, '<' },       { { "gt", 2 }, '>' },
	{ { "quot", 4 }, '"' },     { { "apos", 4 }, '\'' },    { { "nbsp", 4 }, 0xa0 },
	{ { "copy", 4 }, 0xa9 },    { { "reg", 3 }, 0xae },     { { "euro", 4 }, 0x20ac },
	{ { "ndash", 5 }, 0x2013 }, { { "mdash", 5 }, 0x2014 }, { { "hellip", 6 }, 0x2026 },
	{ { "laquo", 5 }, 0xab },   { { "raquo", 5 }, 0xbb },   { { "middot", 6 }, 0xb7 },
	{ { "lsquo", 5 }, 0x2018 }, { { "rsquo", 5 }, 0x2019 }, { { "ldquo", 5 }, 0x201c },
	{ { "rdquo", 5 }, 0x201d }, { { "times", 5 }, 0xd7 },   { { "commat", 6 }, '@' },
};

static uint32_t number_entity(Str digits)
{
	bool hex = digits.len && (digits.at[0] == 'x' || digits.at[0] == 'X');
	uint32_t code = 0;

	for (size_t i = hex; i < digits.len; i++) {
		char c = digits.at[i];
		uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
		                                      : (uint32_t)((c | 32) - 'a' + 10);

		if (digit >= (hex ? 16u : 10u) || code > 0x10ffff)
			return 0;
		code = code * (hex ? 16 : 10) + digit;
	}
	return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : code;
}

/* The entity that begins here ("&...;"): its length, and the character; 0: none that is known. */
static size_t entity_at(Str text, uint32_t *code)
{
	ptrdiff_t end = str_find_char(str_sub(text, 0, 12), ';');
	Str name;

	if (end < 2)
		return 0;
	name = str_sub(text, 1, (size_t)end);
	if (name.at[0] == '#') {
		*code = number_entity(str_sub(name, 1, name.len));
		return *code ? (size_t)end + 1 : 0;
	}
	for (size_t i = 0; i < COUNT(entities); i++) {
		if (!str_eq(name, entities[i].name))
			continue;
		*code = entities[i].code;
		return (size_t)end + 1;
	}
	return 0;
}

/* Entities decoded, spaces (no-break ones too) made one, none at the ends. */
static Str plain_text(Arena *a, Str raw)
{
	AUTO(buf_fini) Buf b = { 0 };
	bool space = false;

	for (size_t i = 0; i < raw.len;) {
		uint32_t code = 0;
		size_t len = raw.at[i] == '&' ? entity_at(str_sub(raw, i, raw.len), &code) : 0;

		if (!len && str_starts(str_sub(raw, i, raw.len), S("\xc2\xa0")))
			len = 2, code = 0xa0;
		if (len ? code == 0xa0 || (code < 0x80 && is_space((char)code))
		        : is_space(raw.at[i])) {
			space = true;
		} else {
			if (space && b.len)
				buf_putc(&b, ' ');
			space = false;
			if (len)
				compare_put_utf8(&b, code);
			else
				buf_putc(&b, raw.at[i]);
		}
		i += MAX(len, (size_t)1);
	}
	return str_dup(a, buf_str(&b));
}

/* --- the tree ------------------------------------------------------------------------------------------------------- */

static HtmlNode *add_node(HtmlReader *r, Str tag, Str text)
{
	HtmlNode *node = ARENA_NEW(r->arena, HtmlNode);

	node->tag = tag;
	node->text = text;
	node->up = r->open;
	if (r->open->last)
		r->open->last->next = node;
	else
		r->open->child = node;
	r->open->last = node;
	r->open->children++;
	r->nodes++;
	return node;
}

static void flush_text(HtmlReader *r)
{
	Str text = r->pending.len ? plain_text(r->arena, buf_str(&r->pending)) : (Str){ 0 };

	buf_clear(&r->pending);
	if (text.len)
		add_node(r, (Str){ 0 }, text);
}

static void close_one(HtmlReader *r)
{
	flush_text(r);
	r->open = r->open->up;
	r->depth--;
}

static void close_tag(HtmlReader *r, Str tag)
{
	const HtmlNode *node = r->open;

	while (node->up && !str_eq(node->tag, tag))
		node = node->up;
	if (!node->up)
		return;
	while (r->open != node)
		close_one(r);
	close_one(r);
}

static void close_implied(HtmlReader *r, const TagRow *tag)
{
	while (r->open->up && (r->open->group & tag->ends))
		close_one(r);
}

/* --- attributes ----------------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const HtmlAttr *)x)->name, ((const HtmlAttr *)y)->name);
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const Str *)x, *(const Str *)y);
}

/* The classes in the order of the alphabet. */
static Str sorted_words(Arena *a, Str value)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str words[HTML_ATTRS_MAX], rest = value, word;
	size_t count = 0;

	while (str_split(&rest, ' ', &word)) {
		if (count == HTML_ATTRS_MAX)
			return value;
		if (word.len)
			words[count++] = word;
	}
	if (count)
		qsort(words, count, sizeof *words, by_text);
	for (size_t i = 0; i < count; i++) {
		buf_put(&b, i ? S(" ") : S(""));
		buf_put(&b, words[i]);
	}
	return str_dup(a, buf_str(&b));
}

static Str read_value(HtmlReader *r)
{
	char quote = r->at < r->text.len ? r->text.at[r->at] : 0;
	size_t from;

	if (quote == '"' || quote == '\'') {
		from = ++r->at;
		while (r->at < r->text.len && r->text.at[r->at] != quote)
			r->at++;
		return str_sub(r->text, from, r->at++);
	}
	from = r->at;
	while (r->at < r->text.len && !is_space(r->text.at[r->at]) && r->text.at[r->at] != '>')
		r->at++;
	return str_sub(r->text, from, r->at);
}

static void skip_spaces(HtmlReader *r)
{
	while (r->at < r->text.len && is_space(r->text.at[r->at]))
		r->at++;
}

/* As it can stand in a path: what is too long for a name, or is no name but an address, a card's number, a token, is *. */
static Str clean_name(Arena *a, Str raw)
{
	Str name = str_lower(a, str_sub(raw, 0, NAME_MAX_BYTES + 1));
	size_t digits = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		digits += c >= '0' && c <= '9';
		if (c <= ' ' || c >= 0x7f || (strchr("\"'<>/@*=%", c) && !(c == '@' && !i)))
			return S("*");
	}
	if (!name.len || name.len > NAME_MAX_BYTES || digits > NAME_MAX_DIGITS ||
	    str_starts(name, S("eyj")))
		return S("*");
	return name;
}

/* The next attribute of the tag; false at its end. */
static bool read_attr(HtmlReader *r, HtmlAttr *attr, bool *closed)
{
	size_t from;

	skip_spaces(r);
	while (r->at < r->text.len && r->text.at[r->at] == '/') {
		r->at++;
		*closed = r->at < r->text.len && r->text.at[r->at] == '>';
		skip_spaces(r);
	}
	if (r->at >= r->text.len || r->text.at[r->at] == '>')
		return false;
	from = r->at++;
	while (r->at < r->text.len && !is_space(r->text.at[r->at]) &&
	       !strchr("/>=", r->text.at[r->at]))
		r->at++;
	attr->name = clean_name(r->arena, str_sub(r->text, from, r->at));
	attr->value = (Str){ 0 };
	skip_spaces(r);
	if (r->at < r->text.len && r->text.at[r->at] == '=') {
		r->at++;
		skip_spaces(r);
		attr->value = plain_text(r->arena, read_value(r));
	}
	if (str_eq(attr->name, S("class")))
		attr->value = sorted_words(r->arena, attr->value);
	else if (str_eq_nocase(attr->name, attr->value)) /* checked="checked" */
		attr->value = (Str){ 0 };
	return true;
}

static const HtmlAttr *find_attr(const HtmlAttr *attrs, size_t count, Str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(attrs[i].name, name))
			return &attrs[i];
	return NULL;
}

/* Takes out what is known to differ each time. */
static size_t drop_known(HtmlReader *r, Str tag, HtmlAttr *attrs, size_t count)
{
	static const char tokens[] =
		" csrfmiddlewaretoken csrf_token csrf-token csrftoken _csrf _csrf_token "
		"authenticity_token _token __requestverificationtoken csrf xsrf_token _xsrf";
	const HtmlAttr *name = find_attr(attrs, count, S("name"));
	bool guards = (str_eq(tag, S("input")) || str_eq(tag, S("meta"))) && name &&
	              in_list(str_lower(r->arena, name->value), tokens);
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool nonce =
			str_eq(attrs[i].name, S("nonce")) || str_eq(attrs[i].name, S("integrity"));
		bool token = guards && (str_eq(attrs[i].name, S("value")) ||
		                        str_eq(attrs[i].name, S("content")));
		uint32_t known = r->known & ((nonce ? COMPARE_NONCES : 0u) |
		                             (token ? COMPARE_CSRF_FIELDS : 0u));

		r->seen |= known;
		if (!known)
			attrs[kept++] = attrs[i];
	}
	return kept;
}

/* --- tags ----------------------------------------------------------------------------------------------------------- */

/* Goes on after the end tag of an element whose content is no markup; gives the content. */
static Str skip_raw(HtmlReader *r, Str tag)
{
	size_t from = r->at;

	while (r->at < r->text.len) {
		Str rest = str_sub(r->text, r->at, r->text.len);
		ptrdiff_t found = str_find(rest, S("</"));
		size_t end;

		if (found < 0)
			break;
		end = r->at + (size_t)found;
		r->at = end + 2;
		if (!str_eq_nocase(str_sub(r->text, r->at, r->at + tag.len), tag))
			continue;
		while (r->at < r->text.len && r->text.at[r->at] != '>')
			r->at++;
		r->at += r->at < r->text.len;
		return str_sub(r->text, from, end);
	}
	r->at = r->text.len;
	return str_sub(r->text, from, r->text.len);
}

static void open_tag(HtmlReader *r, Str tag)
{
	HtmlAttr attrs[HTML_ATTRS_MAX], attr;
	const TagRow *row = find_tag(tag);
	size_t count = 0;
	bool closed = false;
	HtmlNode *node;
	HtmlAttr *kept;

	while (read_attr(r, &attr, &closed))
		if (count < HTML_ATTRS_MAX && !find_attr(attrs, count, attr.name))
			attrs[count++] = attr;
	r->at += r->at < r->text.len;
	if (row->content == DROPPED) {
		if (!closed)
			skip_raw(r, tag);
		return;
	}
	flush_text(r);
	close_implied(r, row);
	count = drop_known(r, tag, attrs, count);
	if (count)
		qsort(attrs, count, sizeof *attrs, by_name);
	kept = ARENA_ARRAY(r->arena, HtmlAttr, count + 1);
	if (count)
		memcpy(kept, attrs, count * sizeof *kept);
	node = add_node(r, tag, (Str){ 0 });
	node->attrs = kept;
	node->attr_count = count;
	node->group = row->group;
	if (closed || r->depth >= OPEN_MAX || row->content == VOID)
		return;
	r->open = node;
	r->depth++;
	if (row->content == PLAIN) {
		buf_put(&r->pending, skip_raw(r, tag));
		close_one(r);
	}
}

/* Goes on after the next `end`. */
static void skip_to(HtmlReader *r, Str end)
{
	ptrdiff_t found = str_find(str_sub(r->text, r->at, r->text.len), end);

	r->at = found < 0 ? r->text.len : r->at + (size_t)found + end.len;
}

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static void read_markup(HtmlReader *r) /* at a "<" */
{
	Str rest = str_sub(r->text, r->at, r->text.len);
	bool ends_one = str_starts(rest, S("</"));
	size_t from = r->at + 1 + ends_one, end = from;
	Str tag;

	if (str_starts(rest, S("<!--"))) {
		skip_to(r, S("-->"));
		return;
	}
	if (str_starts(rest, S("<!")) || str_starts(rest, S("<?"))) {
		skip_to(r, S(">"));
		return;
	}
	while (end < r->text.len && !is_space(r->text.at[end]) && !strchr("/>", r->text.at[end]))
		end++;
	if (from == end || !is_letter(r->text.at[from])) { /* a "<" of the text */
		buf_putc(&r->pending, '<');
		r->at++;
		return;
	}
	tag = clean_name(r->arena, str_sub(r->text, from, end));
	r->at = end;
	if (!ends_one) {
		open_tag(r, tag);
		return;
	}
	skip_to(r, S(">"));
	flush_text(r);
	close_tag(r, tag);
}

static void fini_text(HtmlReader *r)
{
	buf_fini(&r->pending);
}

HtmlNode *html_read(Arena *a, Str text, uint32_t known, uint32_t *seen)
{
	HtmlNode *root = ARENA_NEW(a, HtmlNode);
	AUTO(fini_text) HtmlReader r = { .arena = a, .text = text, .open = root, .known = known };

	while (r.at < text.len && r.nodes < HTML_NODES_MAX) {
		ptrdiff_t found = str_find_char(str_sub(text, r.at, text.len), '<');
		size_t end = found < 0 ? text.len : r.at + (size_t)found;

		buf_put(&r.pending, str_sub(text, r.at, end));
		r.at = end;
		if (end < text.len)
			read_markup(&r);
	}
	while (r.open != root)
		close_one(&r);
	flush_text(&r);
	*seen |= r.seen;
	return r.nodes < HTML_NODES_MAX ? root : NULL;
}
