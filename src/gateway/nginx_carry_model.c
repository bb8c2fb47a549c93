/* SPDX-License-Identifier: Apache-2.0
 *
 * The result while it grows: blocks of items in the order of the file, and what was left out. An item's value is YAML
 * already, so that two routes can be compared by what they say; whoever sets one from foreign text quotes it. */
#include "gateway/nginx_carry_int.h"

#include "base/arena.h"
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

CarryBlock *carry_block(Carry *c, CarryBlock ***tail, Str name)
{
	CarryBlock *block = ARENA_NEW(c->arena, CarryBlock);

	block->name = name;
	**tail = block;
	*tail = &block->next;
	return block;
}

static CarryItem *find_item(CarryItem *first, Str key)
{
	while (first && !str_eq(first->key, key))
		first = first->next;
	return first;
}

static CarryItem *take_item(Arena *a, CarryItem **first, Str key)
{
	CarryItem *item = find_item(*first, key);

	if (item)
		return item;
	while (*first)
		first = &(*first)->next;
	*first = ARENA_NEW(a, CarryItem);
	(*first)->key = key;
	return *first;
}

CarryItem *carry_item(Arena *a, CarryBlock *block, const char *path)
{
	Str rest = str_of(path), key;
	CarryItem **first = &block->first, *item = NULL;

	while (str_split(&rest, '.', &key)) {
		item = take_item(a, first, key);
		first = &item->first;
	}
	return item;
}

CarryItem *carry_child(Arena *a, CarryItem *item, Str key)
{
	return take_item(a, &item->first, key);
}

const CarryItem *carry_find(const CarryBlock *block, const char *path)
{
	Str rest = str_of(path), key;
	CarryItem *first = block->first, *item = NULL;

	while (str_split(&rest, '.', &key)) {
		item = find_item(first, key);
		if (!item)
			return NULL;
		first = item->first;
	}
	return item;
}

void carry_remove(CarryBlock *block, const char *key)
{
	CarryItem **at = &block->first;

	while (*at && !str_eq((*at)->key, str_of(key)))
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
}

/* Paths are plain in YAML, inside { } too; the writer of scalars is more careful than they need. */
static bool is_plain_path(Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !(c && strchr("/_.-+@*~", c)))
			return false;
	}
	return text.len && text.at[0] == '/';
}

Str carry_scalar(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (is_plain_path(text))
		return text;
	yaml_put_scalar(&b, text);
	return str_dup(a, buf_str(&b));
}

void carry_set(Arena *a, CarryBlock *block, const char *path, Str value)
{
	carry_item(a, block, path)->value = value;
}

void carry_set_text(Arena *a, CarryBlock *block, const char *path, Str text)
{
	carry_set(a, block, path, carry_scalar(a, text));
}

Str carry_flow(Arena *a, const CarryItem *item)
{
	Str text = S("{");

	if (item->value.at)
		return item->value;
	for (const CarryItem *at = item->first; at; at = at->next)
		text = str_fmt(a, "%.*s%s%.*s: %.*s", STR_ARG(text), at == item->first ? " " : ", ",
		               STR_ARG(carry_scalar(a, at->key)), STR_ARG(carry_flow(a, at)));
	return str_fmt(a, "%.*s%s}", STR_ARG(text), item->first ? " " : "");
}

void carry_append(Arena *a, CarryItem *item, Str text)
{
	Str scalar = carry_scalar(a, text);

	if (!item->value.len)
		item->value = str_fmt(a, "[ %.*s ]", STR_ARG(scalar));
	else
		item->value = str_fmt(a, "%.*s, %.*s ]", (int)item->value.len - 2, item->value.at,
		                      STR_ARG(scalar));
}

static void note(Carry *c, CarryBlock *block, NginxNode *node, bool differs, Str advice)
{
	CarryNote *note = ARENA_NEW(c->arena, CarryNote), **last = &block->notes;

	*note = (CarryNote){ .file = node->file, .line = node->line, .differs = differs };
	note->number = node->number;
	note->directive = nginx_quote(c->arena, node);
	note->advice = advice;
	while (*last && (*last)->number <= note->number)
		last = &(*last)->beside;
	note->beside = *last;
	*last = note;
	*c->note_tail = note;
	c->note_tail = &note->next;
	c->out->left_out++;
}

static Str format(Arena *a, const char *fmt, va_list args)
{
	char line[600];
	int len = vsnprintf(line, sizeof line, fmt, args);

	return str_dup(a, (Str){ line, (size_t)MIN(MAX(len, 0), (int)sizeof line - 1) });
}

void carry_say(Carry *c, CarryBlock *block, NginxNode *node, const char *fmt, ...)
{
	va_list args;

	if (node->fate == FATE_SAID)
		return;
	node->fate = FATE_SAID;
	va_start(args, fmt);
	note(c, block, node, false, format(c->arena, fmt, args));
	va_end(args);
}

void carry_differs(Carry *c, CarryBlock *block, NginxNode *node, const char *fmt, ...)
{
	va_list args;

	if (node->fate == FATE_SAID)
		return;
	node->fate = FATE_SAID;
	va_start(args, fmt);
	note(c, block, node, true, format(c->arena, fmt, args));
	va_end(args);
}

bool carry_checks(Carry *c, CarryBlock *block, NginxNode *node, ConfVerify *verify, Str text)
{
	Err *err = verify(c->arena, text);

	if (err)
		carry_say(c, block, node, "%.*s", STR_ARG(err->text));
	return !err;
}

/* Directives. */

bool node_is(const NginxNode *node, const char *name)
{
	return str_eq(node->name, str_of(name));
}

Str node_word(const NginxNode *node, size_t i)
{
	return i < node->count ? node->words[i] : S("");
}

static NginxNode *find_node(NginxNode *node, Str name)
{
	while (node && !str_eq(node->name, name))
		node = node->next;
	return node;
}

NginxNode *scope_own(const Scope *s, const char *name)
{
	return find_node(s->first, str_of(name));
}

NginxNode *scope_find(const Scope *s, const char *name)
{
	NginxNode *node = NULL;

	for (; s && !node; s = s->outer)
		node = scope_own(s, name);
	return node;
}

NginxNode *node_same(const NginxNode *node)
{
	return find_node(node->next, node->name);
}
