/* SPDX-License-Identifier: Apache-2.0
 *
 * The exact mapper: reads a JSON text into a tree of views, moves nodes, writes it again.
 *
 * A value that moves within one object keeps its place among the members, so a rename leaves the order as it was; what
 * comes to another object stands at its end. To that end a value that is taken leaves a hole (TEXT_GONE) in the list, into
 * which it, or what takes its name, may be put back; holes are not written.
 *
 * Keys that come twice are legal and every reader takes the last, so the last is what a path means; had the others been
 * left, the new side would see a value that the old one never did. Nothing here recurses deeper than TEXT_DEPTH. */
#include "gateway/reshape_text.h"

#include "base/arena.h"
#include "gateway/conf_reshape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading -------------------------------------------------------------------------------------------------------- */

typedef struct Reader {
	Arena *arena;
	Str text;
	size_t at;
	unsigned depth;
	const char *mistake;
} Reader;

static bool fail(Reader *r, const char *why)
{
	if (!r->mistake)
		r->mistake = why;
	return false;
}

static char look(const Reader *r)
{
	return r->at < r->text.len ? r->text.at[r->at] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(Reader *r)
{
	while (r->at < r->text.len && is_blank(r->text.at[r->at]))
		r->at++;
}

static bool take(Reader *r, char c)
{
	if (look(r) != c || r->at == r->text.len)
		return false;
	r->at++;
	return true;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After "\u". */
static bool read_unit(Reader *r, uint32_t *unit)
{
	*unit = 0;
	for (size_t i = 0; i < 4; i++, r->at++) {
		int digit = hex_of(look(r));

		if (digit < 0)
			return fail(r, "an escape \\u has four hexadecimal digits");
		*unit = *unit << 4 | (uint32_t)digit;
	}
	return true;
}

static void put_code(Buf *name, uint32_t code)
{
	if (code < 0x80) {
		buf_putc(name, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_putc(name, (char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			buf_putc(name, (char)(0xe0 | code >> 12));
		} else {
			buf_putc(name, (char)(0xf0 | code >> 18));
			buf_putc(name, (char)(0x80 | (code >> 12 & 0x3f)));
		}
		buf_putc(name, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_putc(name, (char)(0x80 | (code & 0x3f)));
}

/* A lone surrogate is legal JSON and no character: it stays what it is in the text, and matches no path. */
static bool read_escape_u(Reader *r, Buf *name)
{
	uint32_t high, low;

	if (!read_unit(r, &high))
		return false;
	if (high >> 10 == 0xd800 >> 10 &&
	    str_starts(str_sub(r->text, r->at, r->text.len), S("\\u"))) {
		size_t back = r->at;

		r->at += 2;
		if (!read_unit(r, &low))
			return false;
		if (low >> 10 == 0xdc00 >> 10)
			high = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
		else
			r->at = back;
	}
	put_code(name, high >> 11 == 0xd800 >> 11 ? 0xfffd : high);
	return true;
}

static bool read_escape(Reader *r, Buf *name)
{
	static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	char c = look(r);
	const char *found = c ? strchr(letters, c) : NULL;

	r->at++;
	if (c == 'u')
		return read_escape_u(r, name);
	if (!found)
		return fail(r, "there is no such escape");
	buf_putc(name, means[found - letters]);
	return true;
}

/* After the opening quote. *name is what the string says; NULL: nobody asks. */
static bool read_string(Reader *r, Str *name)
{
	AUTO(buf_fini) Buf said = { 0 };
	size_t from = r->at;
	bool escapes = false;

	while (!take(r, '"')) {
		Str rest = str_sub(r->text, r->at, r->text.len);
		uint32_t code;
		size_t bytes = str_utf8(rest, &code);

		if (!bytes || code < 0x20)
			return fail(r, rest.len ? "a string has UTF-8 without control characters"
			                        : "a string is not closed");
		r->at += bytes;
		if (code != '\\') {
			if (escapes)
				buf_put(&said, str_sub(rest, 0, bytes));
			continue;
		}
		if (!escapes)
			buf_put(&said, str_sub(r->text, from, r->at - 1));
		escapes = true;
		if (!read_escape(r, &said))
			return false;
	}
	if (name)
		*name = escapes ? str_dup(r->arena, buf_str(&said))
		                : str_sub(r->text, from, r->at - 1);
	return true;
}

static bool take_digits(Reader *r)
{
	size_t from = r->at;

	while (look(r) >= '0' && look(r) <= '9')
		r->at++;
	return r->at > from || fail(r, "a number lacks digits");
}

static bool read_number(Reader *r)
{
	take(r, '-');
	if (!take(r, '0') && !take_digits(r))
		return false;
	if (take(r, '.') && !take_digits(r))
		return false;
	if (!take(r, 'e') && !take(r, 'E'))
		return true;
	if (!take(r, '+'))
		take(r, '-');
	return take_digits(r);
}

static bool read_word(Reader *r)
{
	static const Str words[] = { S("true"), S("false"), S("null") };

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_starts(str_sub(r->text, r->at, r->text.len), words[i])) {
			r->at += words[i].len;
			return true;
		}
	return fail(r, "expected a value");
}

static bool read_value(Reader *r, TextNode *node);

static void add_child(TextNode *parent, TextNode *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static bool read_key(Reader *r, TextNode *member)
{
	size_t from = r->at;

	if (!take(r, '"'))
		return fail(r, "expected a key");
	if (!read_string(r, &member->name))
		return false;
	member->key = str_sub(r->text, from, r->at);
	skip_blanks(r);
	return take(r, ':') || fail(r, "expected a colon after the key");
}

/* After the opening bracket. */
static bool read_inside(Reader *r, TextNode *node, char end)
{
	skip_blanks(r);
	if (take(r, end))
		return true;
	do {
		TextNode *child = ARENA_NEW(r->arena, TextNode);

		skip_blanks(r);
		if (node->kind == TEXT_OBJECT && !read_key(r, child))
			return false;
		add_child(node, child);
		if (!read_value(r, child))
			return false;
		skip_blanks(r);
	} while (take(r, ','));
	return take(r, end) || fail(r, "expected a comma or the end of an object or array");
}

static bool read_nested(Reader *r, TextNode *node)
{
	bool good;

	node->kind = take(r, '{') ? TEXT_OBJECT : TEXT_ARRAY;
	if (node->kind == TEXT_ARRAY)
		take(r, '[');
	if (++r->depth > TEXT_DEPTH)
		return fail(r, "it is nested deeper than 64");
	good = read_inside(r, node, node->kind == TEXT_OBJECT ? '}' : ']');
	r->depth -= good;
	return good;
}

static bool read_value(Reader *r, TextNode *node)
{
	size_t from;
	bool good;
	char c;

	skip_blanks(r);
	from = r->at;
	c = look(r);
	if (c == '{' || c == '[')
		return read_nested(r, node);
	if (take(r, '"')) {
		node->kind = TEXT_STRING;
		good = read_string(r, NULL);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		node->kind = TEXT_NUMBER;
		good = read_number(r);
	} else {
		node->kind = TEXT_WORD;
		good = read_word(r);
	}
	node->text = str_sub(r->text, from, r->at);
	return good;
}

Err *reshape_text_read(Arena *a, Str text, TextNode **out)
{
	Reader r = { .arena = a, .text = text };
	TextNode *root = ARENA_NEW(a, TextNode);

	if (read_value(&r, root)) {
		skip_blanks(&r);
		if (r.at == text.len) {
			*out = root;
			return NULL;
		}
		fail(&r, "something follows the value");
	}
	return err_new(a, ERR_INVALID, r.depth > TEXT_DEPTH ? "json.too_deep" : "json.syntax",
	               "it is no JSON at byte %zu: %s", r.at, r.mistake);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static bool is_nest(const TextNode *node)
{
	return node->kind == TEXT_OBJECT || node->kind == TEXT_ARRAY;
}

void reshape_text_put(Buf *b, const TextNode *node)
{
	bool more = false;

	if (!is_nest(node)) {
		buf_put(b, node->text);
		return;
	}
	buf_putc(b, node->kind == TEXT_OBJECT ? '{' : '[');
	for (const TextNode *child = node->first; child; child = child->next) {
		if (child->kind == TEXT_GONE)
			continue;
		if (more)
			buf_putc(b, ',');
		more = true;
		if (child->key.len) {
			buf_put(b, child->key);
			buf_putc(b, ':');
		}
		reshape_text_put(b, child);
	}
	buf_putc(b, node->kind == TEXT_OBJECT ? '}' : ']');
}

/* --- doubles -------------------------------------------------------------------------------------------------------- */

enum { DIGITS = 17 }; /* more than that no double keeps */

/* The significant digits of a number, without zeros at either end; empty for zero, too many: false. */
static bool digits_of(Str number, char digits[DIGITS + 1])
{
	size_t count = 0, zeros = 0;

	for (size_t i = 0; i < number.len && (number.at[i] | 0x20) != 'e'; i++) {
		char c = number.at[i];

		if (c < '0' || c > '9' || (c == '0' && !count))
			continue;
		if (c == '0') {
			zeros++;
			continue;
		}
		if (count + zeros >= DIGITS)
			return false;
		for (; zeros; zeros--)
			digits[count++] = '0';
		digits[count++] = c;
	}
	digits[count] = '\0';
	return true;
}

/* The fewest digits that give the same double: what libjq writes. */
static void shortest(double value, char text[40])
{
	for (int precision = 0; precision < DIGITS; precision++) {
		snprintf(text, 40, "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

static bool is_integer(Str number)
{
	return str_find_char(number, '.') < 0 && str_find_char(number, 'e') < 0 &&
	       str_find_char(number, 'E') < 0;
}

static bool fits_integer(Str number)
{
	const uint64_t most = (uint64_t)1 << 53;
	uint64_t value;

	if (number.at[0] == '-')
		number = str_sub(number, 1, number.len);
	return str_to_u64(number, &value) && value <= most;
}

static bool fits_real(Str number)
{
	char ours[DIGITS + 1], theirs[DIGITS + 1], text[64];
	double value;

	if (number.len >= sizeof text || !digits_of(number, ours))
		return false;
	memcpy(text, number.at, number.len);
	text[number.len] = '\0';
	value = strtod(text, NULL);
	if (value - value != 0)
		return false; /* beyond all doubles */
	if (value == 0)
		return ours[0] == '\0';
	shortest(value, text);
	return digits_of(str_of(text), theirs) && strcmp(ours, theirs) == 0;
}

bool reshape_text_is_double(const TextNode *node, Str *which)
{
	if (node->kind == TEXT_NUMBER &&
	    !(is_integer(node->text) ? fits_integer(node->text) : fits_real(node->text))) {
		*which = node->text;
		return false;
	}
	if (!is_nest(node))
		return true;
	for (const TextNode *child = node->first; child; child = child->next)
		if (!reshape_text_is_double(child, which))
			return false;
	return true;
}

/* --- moving --------------------------------------------------------------------------------------------------------- */

/* The member that the name means, those before it with the same name taken out. */
static TextNode *find_member(TextNode *object, Str name)
{
	TextNode *found = NULL;

	if (object->kind != TEXT_OBJECT)
		return NULL;
	for (TextNode *child = object->first; child; child = child->next) {
		if (child->kind == TEXT_GONE || !str_eq(child->name, name))
			continue;
		if (found)
			found->kind = TEXT_GONE;
		found = child;
	}
	return found;
}

typedef struct Taken {
	struct Taken *next;
	const TextMove *move;
	TextNode *base;   /* where the rest of the move's target begins */
	TextNode *parent; /* the object it stood in */
	TextNode *hole;   /* and its place there */
	TextNode value;
} Taken;

typedef struct Mover {
	Arena *arena;
	const TextMove *move;
	size_t shared;
	Taken *first, **end;
	size_t count;
} Mover;

static void take_member(Mover *m, TextNode *base, TextNode *parent, TextNode *member)
{
	Taken *taken = ARENA_NEW(m->arena, Taken);

	*taken = (Taken){
		.move = m->move, .base = base, .parent = parent, .hole = member, .value = *member
	};
	member->kind = TEXT_GONE;
	*m->end = taken;
	m->end = &taken->next;
	m->count++;
}

/* What the path means from its at-th part on; base: the node that its shared parts have led to. */
static void take_at(Mover *m, TextNode *node, TextNode *base, size_t at)
{
	const ReshapePath *from = m->move->from;
	TextNode *member;

	if (at == m->shared)
		base = node;
	if (!from->names[at].len) {
		if (node->kind == TEXT_ARRAY)
			for (TextNode *child = node->first; child; child = child->next)
				take_at(m, child, base, at + 1);
		return;
	}
	member = find_member(node, from->names[at]);
	if (member && at + 1 == from->count)
		take_member(m, base, node, member);
	else if (member)
		take_at(m, member, base, at + 1);
}

static Str quoted(Arena *a, Str name)
{
	return str_fmt(a, "\"%.*s\"",
	               STR_ARG(name)); /* a path's name has no quote and no backslash */
}

static TextNode *new_member(Arena *a, TextNode *object, Str name)
{
	TextNode *member = ARENA_NEW(a, TextNode);

	*member = (TextNode){ .key = quoted(a, name), .name = name };
	add_child(object, member);
	return member;
}

/* The object that the value is put into, made where there is nothing, or null. NULL: something is in the way. */
static TextNode *reach(Arena *a, const Taken *taken)
{
	const ReshapePath *to = taken->move->to;
	TextNode *node = taken->base;

	for (size_t at = reshape_path_shared(to); at + 1 < to->count; at++) {
		TextNode *member = find_member(node, to->names[at]);

		if (!member)
			member = new_member(a, node, to->names[at]);
		if (member->kind == TEXT_GONE ||
		    (member->kind == TEXT_WORD && str_eq(member->text, S("null")))) {
			member->kind = TEXT_OBJECT;
			member->first = member->last = NULL;
		}
		if (member->kind != TEXT_OBJECT)
			return NULL;
		node = member;
	}
	return node->kind == TEXT_OBJECT ? node : NULL;
}

static Err *put(Arena *a, Taken *taken)
{
	const ReshapePath *to = taken->move->to;
	Str name = to->names[to->count - 1];
	TextNode *object = reach(a, taken), *place, *next;

	if (!object)
		return err_new(a, ERR_INVALID, "shift.reshape_place",
		               "what should hold %.*s is no object", STR_ARG(str_quote(a, name)));
	place = find_member(object, name);
	if (place)
		place->kind = TEXT_GONE;
	if (object == taken->parent)
		place = taken->hole;
	else if (!place)
		place = new_member(a, object, name);
	next = place->next;
	*place = taken->value;
	place->next = next;
	place->name = name;
	place->key = quoted(a, name);
	return NULL;
}

Err *reshape_text_move(Arena *a, TextNode *root, const TextMove *moves, size_t move_count,
                       size_t *count)
{
	Mover m = { .arena = a };

	m.end = &m.first;
	for (size_t i = 0; i < move_count; i++) {
		m.move = &moves[i];
		m.shared = reshape_path_shared(moves[i].from);
		take_at(&m, root, root, 0);
	}
	for (Taken *taken = m.first; taken; taken = taken->next)
		TRY(put(a, taken));
	*count += m.count;
	return NULL;
}

static void remove_at(TextNode *node, const ReshapePath *path, size_t at, size_t *count)
{
	TextNode *member;

	if (!path->names[at].len) {
		if (node->kind == TEXT_ARRAY)
			for (TextNode *child = node->first; child; child = child->next)
				remove_at(child, path, at + 1, count);
		return;
	}
	member = find_member(node, path->names[at]);
	if (member && at + 1 < path->count) {
		remove_at(member, path, at + 1, count);
	} else if (member) {
		member->kind = TEXT_GONE;
		++*count;
	}
}

void reshape_text_remove(TextNode *root, const ReshapePath *path, size_t *count)
{
	remove_at(root, path, 0, count);
}
