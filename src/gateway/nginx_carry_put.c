/* SPDX-License-Identifier: Apache-2.0
 *
 * The result as a file for people: what is short on one line, what is long in a block, what was left out as a comment where
 * it would stand. */
#include "gateway/nginx_carry_int.h"

#include "base/arena.h"

enum { LINE_COLUMNS = 118, COMMENT_COLUMNS = 118 };

void nginx_carry_put_note(Buf *b, const CarryNote *note)
{
	buf_fmt(b, "%.*s:%u: %.*s: %s: %.*s", STR_ARG(note->file), note->line,
	        STR_ARG(note->directive),
	        note->differs ? "carried over, not quite the same" : "not carried over",
	        STR_ARG(note->advice));
}

typedef struct Writer {
	Arena *arena;
	Buf *b;
} Writer;

static void put_indent(Writer *w, size_t columns)
{
	while (columns--)
		buf_putc(w->b, ' ');
}

/* What a comment of YAML may hold: no line ends of any kind, no bytes that are no text. */
static void put_word(Writer *w, Str word)
{
	while (word.len) {
		uint32_t code = 0;
		size_t len = str_utf8(word, &code);
		bool fine =
			len && ((code >= ' ' && code < 127) || (code >= 0xa0 && code < 0x2000) ||
		                (code >= 0x3000 && code < 0xd800));

		buf_put(w->b, fine ? str_sub(word, 0, len) : S("?"));
		word = str_sub(word, MAX(len, (size_t)1), word.len);
	}
}

static void put_comment(Writer *w, size_t indent, Str text)
{
	size_t column = indent;
	Str word;

	put_indent(w, indent);
	buf_putc(w->b, '#');
	while (str_split(&text, ' ', &word)) {
		if (column > indent && column + word.len + 3 > COMMENT_COLUMNS) {
			buf_putc(w->b, '\n');
			put_indent(w, indent);
			buf_put(w->b, S("#  "));
			column = indent + 2;
		}
		buf_putc(w->b, ' ');
		put_word(w, word);
		column += word.len + 1;
	}
	buf_putc(w->b, '\n');
}

static void put_notes(Writer *w, size_t indent, const CarryNote *note)
{
	for (; note; note = note->beside) {
		AUTO(buf_fini) Buf text = { 0 };

		nginx_carry_put_note(&text, note);
		put_comment(w, indent, buf_str(&text));
	}
}

static void put_item(Writer *w, size_t indent, const CarryItem *item)
{
	Str flow = carry_flow(w->arena, item), key = carry_scalar(w->arena, item->key);
	bool fits = item->value.at || indent + key.len + 2 + flow.len <= LINE_COLUMNS;
	bool beside = indent + key.len + flow.len + item->comment.len + 6 <= COMMENT_COLUMNS;

	if (item->comment.len && !(fits && beside))
		put_comment(w, indent, item->comment);
	put_indent(w, indent);
	buf_fmt(w->b, "%.*s:", STR_ARG(key));
	if (fits)
		buf_fmt(w->b, " %.*s", STR_ARG(flow));
	if (item->comment.len && fits && beside)
		buf_fmt(w->b, "  # %.*s", STR_ARG(item->comment));
	buf_putc(w->b, '\n');
	for (const CarryItem *at = fits ? NULL : item->first; at; at = at->next)
		put_item(w, indent + 2, at);
}

static bool has_comments(const CarryItem *item)
{
	for (; item; item = item->next)
		if (item->comment.len || has_comments(item->first))
			return true;
	return false;
}

/* "- { a: b }", or "- a: b" and the rest below it. */
static void put_entry(Writer *w, const CarryBlock *block)
{
	CarryItem whole = { .first = block->first };
	Str flow = carry_flow(w->arena, &whole);
	size_t start;

	put_notes(w, 2, block->notes);
	if (block->comment.len)
		put_comment(w, 2, block->comment);
	if (flow.len + 4 <= LINE_COLUMNS && !has_comments(block->first)) {
		buf_fmt(w->b, "  - %.*s\n", STR_ARG(flow));
		return;
	}
	start = w->b->len;
	for (const CarryItem *item = block->first; item; item = item->next)
		put_item(w, 4, item);
	if (w->b->len > start + 2)
		w->b->at[start + 2] = '-';
}

static void put_listener(Writer *w, const CarryBlock *block)
{
	if (block->first->next || block->notes) {
		put_entry(w, block);
		return;
	}
	buf_fmt(w->b, "  - %.*s\n", STR_ARG(block->first->value));
}

static void put_upstream(Writer *w, const CarryBlock *block)
{
	CarryItem whole = { .key = block->name, .first = block->first };
	size_t room = LINE_COLUMNS - 10;

	put_notes(w, 2, block->notes);
	if (!has_comments(block->first) && carry_flow(w->arena, &whole).len < room) {
		put_item(w, 2, &whole);
		return;
	}
	buf_fmt(w->b, "  %.*s:\n", STR_ARG(carry_scalar(w->arena, block->name)));
	for (const CarryItem *item = block->first; item; item = item->next)
		put_item(w, 4, item);
}

static void put_heading(Writer *w, const Carried *carried)
{
	AUTO(buf_fini) Buf text = { 0 };

	buf_fmt(&text, "Written by banyan init from %.*s.", STR_ARG(carried->source));
	if (carried->left_out)
		buf_fmt(&text,
		        " %zu %s not, or not quite, carried over: each stands as a comment where it would "
		        "have its place.",
		        carried->left_out, carried->left_out == 1 ? "thing was" : "things were");
	put_comment(w, 0, buf_str(&text));
	put_notes(w, 0, carried->top.notes);
}

void nginx_carry_put(Buf *b, const Carried *carried)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Writer w = { a, b };

	put_heading(&w, carried);
	buf_put(b, S("listen:\n"));
	for (const CarryBlock *at = carried->listeners; at; at = at->next)
		put_listener(&w, at);
	for (const CarryItem *item = carried->top.first; item; item = item->next)
		put_item(&w, 0, item);
	if (carried->upstreams)
		buf_put(b, S("\nupstreams:\n"));
	for (const CarryBlock *at = carried->upstreams; at; at = at->next)
		put_upstream(&w, at);
	buf_put(b, S("\nroutes:\n"));
	for (const CarryBlock *at = carried->routes; at; at = at->next)
		put_entry(&w, at);
}
