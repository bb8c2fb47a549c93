/* SPDX-License-Identifier: Apache-2.0
 *
 * What names mean: `from subprocess import Popen as P` makes P() a call of subprocess.Popen. Imports count from where they stand to the end of
 * the file, whatever they stand in: that a name means two things in one file is rare, and an import in a function is found as well.
 * Nothing here follows a chain further than CHAIN_MOST steps, so that text with a chain of a million calls costs no more than others. */
#include "audit/smells_int.h"

#include "base/arena.h"

#include <string.h>

enum { CHAIN_MOST = 48, QUALIFIED_MOST = 512 };

/* FNV-1a: names are short, and no one gains anything by choosing them badly but a slower audit of his own code. */
uint64_t name_hash(Str name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.at[i]) * 0x100000001b3;
	return hash ^ hash >> 29;
}

static Alias *slot_of(Alias *at, uint32_t room, uint64_t hash, Str name)
{
	uint32_t i = (uint32_t)hash & (room - 1);

	while (at[i].name.len && !(at[i].hash == hash && str_eq(at[i].name, name)))
		i = (i + 1) & (room - 1);
	return &at[i];
}

static void grow_aliases(Walk *w)
{
	uint32_t room = MAX(64U, 4 * w->alias_room);
	Alias *at = ARENA_ARRAY(w->scratch, Alias, room);

	for (uint32_t i = 0; i < w->alias_room; i++)
		if (w->aliases[i].name.len)
			*slot_of(at, room, w->aliases[i].hash, w->aliases[i].name) = w->aliases[i];
	w->aliases = at;
	w->alias_room = room;
}

static void learn(Walk *w, Str name, Str means)
{
	Alias *slot;

	if (!name.len || w->alias_count == ALIASES_MOST)
		return;
	if (2 * (w->alias_count + 1) > w->alias_room)
		grow_aliases(w);
	slot = slot_of(w->aliases, w->alias_room, name_hash(name), name);
	w->alias_count += !slot->name.len;
	*slot = (Alias){ name_hash(name), name, means };
}

void names_own(Walk *w, Str name)
{
	static const Str gone[] = { S("unicode"),    S("xrange"), S("raw_input"), S("unichr"),
		                    S("basestring"), S("reduce"), S("long"),      S("execfile") };

	for (size_t i = 0; i < COUNT(gone); i++)
		if (gone[i].len == name.len && str_eq(name, gone[i]))
			learn(w, name, S("?"));
}

Str names_meaning(const Walk *w, Str name)
{
	return w->alias_room && name.len
	               ? slot_of(w->aliases, w->alias_room, name_hash(name), name)->means
	               : S("");
}

static Str joined(const Walk *w, Str module, Str name)
{
	return module.len ? str_fmt(w->scratch, "%.*s.%.*s", STR_ARG(module), STR_ARG(name)) : name;
}

/* `a.b as c`, or a dotted name: under which name it is known, and what that is. */
static void learn_item(Walk *w, uint32_t item, Str module, bool from)
{
	const Syntax *s = w->s;
	Str name, alias = S("");

	if (s->at[item].kind == PY_ALIASED_IMPORT) {
		uint32_t as = syntax_child(s, item, PY_F_ALIAS);

		alias = as == SYNTAX_NONE ? S("") : syntax_text(s, as);
		item = syntax_child(s, item, PY_F_NAME);
		if (item == SYNTAX_NONE)
			return;
	}
	if (s->at[item].kind != PY_DOTTED_NAME)
		return;
	name = syntax_text(s, item);
	if (alias.len) {
		learn(w, alias, joined(w, module, name));
	} else if (from) {
		learn(w, name, joined(w, module, name));
	} else {
		Str head = name;
		ptrdiff_t dot = str_find_char(name, '.');

		head.len = dot < 0 ? name.len : (size_t)dot;
		learn(w, head, head);
	}
	w->django |= str_starts(module, S("django")) || str_starts(name, S("django"));
}

void names_import(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	bool from = s->at[node].kind == PY_IMPORT_FROM_STATEMENT;
	uint32_t module = from ? syntax_child(s, node, PY_F_MODULE_NAME) : SYNTAX_NONE;
	Str of = module == SYNTAX_NONE ? S("") : syntax_text(s, module);

	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
		if (i != module && s->at[i].field == PY_F_NAME)
			learn_item(w, i, of, from);
}

/* --- chains ------------------------------------------------------------------------------------------------------------------------------ */

/* One step to the left: what is called, what has the attribute, what is indexed. */
static uint32_t step_left(const Syntax *s, uint32_t node)
{
	switch (s->at[node].kind) {
	case PY_CALL:
		return syntax_child(s, node, PY_F_FUNCTION);
	case PY_ATTRIBUTE:
		return syntax_child(s, node, PY_F_OBJECT);
	case PY_SUBSCRIPT:
		return syntax_child(s, node, PY_F_VALUE);
	case PY_AWAIT:
	case PY_PARENTHESIZED_EXPRESSION:
		return syntax_nth(s, node, 0);
	default:
		return SYNTAX_NONE;
	}
}

uint32_t chain_root(const Syntax *s, uint32_t node)
{
	for (unsigned n = 0; n < CHAIN_MOST && node != SYNTAX_NONE; n++) {
		if (s->at[node].kind == PY_IDENTIFIER)
			return node;
		node = step_left(s, node);
	}
	return SYNTAX_NONE;
}

Str names_qualify(const Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t root = node;
	Str head, means, rest;

	for (unsigned n = 0; n < CHAIN_MOST && s->at[root].kind == PY_ATTRIBUTE; n++) {
		root = syntax_child(s, root, PY_F_OBJECT);
		if (root == SYNTAX_NONE)
			return S("");
	}
	if (s->at[root].kind != PY_IDENTIFIER)
		return S("");
	head = syntax_text(s, root);
	means = names_meaning(w, head);
	if (root == node)
		return means.len ? means : head;
	rest = str_sub(s->text, s->at[root].to, s->at[node].to);
	if (rest.len > QUALIFIED_MOST)
		return S("");
	if (!means.len || str_eq(means, head))
		return str_sub(s->text, s->at[root].from, s->at[node].to);
	return str_fmt(w->scratch, "%.*s%.*s", STR_ARG(means), STR_ARG(rest));
}

uint32_t call_nth(const Syntax *s, uint32_t call, uint32_t n)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	if (list == SYNTAX_NONE || s->at[list].kind != PY_ARGUMENT_LIST)
		return SYNTAX_NONE;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_LIST_SPLAT)
			return SYNTAX_NONE;
		if (s->at[i].kind != PY_COMMENT && s->at[i].kind != PY_KEYWORD_ARGUMENT &&
		    s->at[i].kind != PY_DICTIONARY_SPLAT && !n--)
			return i;
	}
	return SYNTAX_NONE;
}

uint32_t call_keyword(const Syntax *s, uint32_t call, Str name)
{
	uint32_t list = syntax_child(s, call, PY_F_ARGUMENTS);

	if (list == SYNTAX_NONE)
		return SYNTAX_NONE;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end) {
		uint32_t key = s->at[i].kind == PY_KEYWORD_ARGUMENT ? syntax_child(s, i, PY_F_NAME)
		                                                    : SYNTAX_NONE;

		if (key != SYNTAX_NONE && str_eq(syntax_text(s, key), name))
			return syntax_child(s, i, PY_F_VALUE);
	}
	return SYNTAX_NONE;
}

Str call_verb(const Syntax *s, uint32_t call)
{
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);

	if (node_is(s, function, PY_ATTRIBUTE))
		function = syntax_child(s, function, PY_F_ATTRIBUTE);
	return node_is(s, function, PY_IDENTIFIER) ? syntax_text(s, function) : S("");
}

Str string_text(const Syntax *s, uint32_t node, bool *plain)
{
	uint32_t from = s->at[node].from, to = s->at[node].to;

	*plain = s->at[node].kind == PY_STRING;
	if (!*plain)
		return S("");
	for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_STRING_START)
			from = s->at[i].to;
		else if (s->at[i].kind == PY_STRING_END)
			to = s->at[i].from;
		else if (s->at[i].kind == PY_INTERPOLATION)
			*plain = false;
	}
	return from <= to ? str_sub(s->text, from, to) : S("");
}
