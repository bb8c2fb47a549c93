/* SPDX-License-Identifier: Apache-2.0
 *
 * One walk over a file's rows. It keeps where it is (which function, class, loop) on a stack of its own, and hands each row to those who look
 * at its kind; nobody walks again but over the few rows of one call, string or definition. What is found goes into the file's facts, without
 * any limit of the configuration, so that the cache holds for all of them; smells_step makes findings of it. */
#include "audit/smells_int.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { UNIT_DEPTH = 8, PLACE_BYTES = 400 };

void *walk_grow(Arena *a, void *at, uint32_t count, uint32_t *room, size_t each)
{
	void *more;

	if (count < *room)
		return at;
	*room = MAX(8U, 2 * *room);
	more = arena_alloc_array(a, each, *room);
	if (count)
		memcpy(more, at, count * each);
	return more;
}

Str smell_unit_name(Arena *a, const Measures *m, uint32_t unit)
{
	Str parts[UNIT_DEPTH], name;
	size_t count = 0;

	for (; unit != UNIT_NONE && count < UNIT_DEPTH; unit = m->units[unit].parent)
		parts[count++] = m->units[unit].name;
	if (!count)
		return S("");
	name = parts[--count];
	if (!count)
		return str_dup(a, name);
	while (count--)
		name = str_fmt(a, "%.*s.%.*s", STR_ARG(name), STR_ARG(parts[count]));
	return name;
}

void smell_add_at(Walk *w, SmellId id, uint32_t node, Str place, Str text)
{
	FileSmells *out = w->out;
	const PyNode *at = &w->s->at[node];

	if (!smell_is_for(id, w->file->kind))
		return;
	out->smells = walk_grow(w->a, out->smells, out->smell_count, &w->smell_room, sizeof(Smell));
	out->smells[out->smell_count++] = (Smell){
		.rule = id,
		.line = at->line,
		.end_line = at->end_line,
		.unit = smell_unit_name(w->a, &w->file->measures, walk_scope(w)->unit),
		.text = str_dup(w->a, text),
		.place = hash_stable(place, 0x736d656c, 1),
	};
}

void smell_add(Walk *w, SmellId id, uint32_t node, double amount, Str text)
{
	uint32_t count = w->out->smell_count;

	smell_add_at(w, id, node, str_sub(syntax_text(w->s, node), 0, PLACE_BYTES), text);
	if (w->out->smell_count > count)
		w->out->smells[count].amount = amount;
}

/* --- where it is ------------------------------------------------------------------------------------------------------------------------- */

static void push(Walk *w, Scope scope)
{
	w->scopes = walk_grow(w->scratch, w->scopes, w->depth, &w->scope_room, sizeof(*w->scopes));
	w->scopes[w->depth++] = scope;
}

static void leave(Walk *w, uint32_t row)
{
	while (w->depth > 1 && row >= walk_scope(w)->end) {
		if (walk_scope(w)->is_method)
			code_method_end(w, walk_scope(w));
		w->depth--;
	}
}

static void enter_definition(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	Scope scope = { .end = s->at[node].end, .unit = w->next_unit, .function = node };
	const Unit *unit = &w->file->measures.units[w->next_unit++];

	if (unit->kind == UNIT_CLASS) {
		scope.function = SYNTAX_NONE;
	} else {
		scope.async = unit->async;
		scope.is_method = unit->method;
	}
	push(w, scope);
	if (unit->kind == UNIT_CLASS)
		code_class(w, node);
	else
		code_function(w, node);
}

static void enter_lambda(Walk *w, uint32_t node)
{
	Scope scope = *walk_scope(w);

	scope.end = w->s->at[node].end;
	scope.loop = SYNTAX_NONE;
	scope.async = false;
	scope.is_method = false;
	push(w, scope);
}

static void enter_loop(Walk *w, uint32_t node, uint32_t from)
{
	Scope scope = *walk_scope(w);

	scope.end = w->s->at[from].end;
	scope.loop = node;
	scope.is_method = false;
	push(w, scope);
}

/* A loop over a few things that are written there is no loop. */
static bool is_written_out(const Syntax *s, uint32_t loop)
{
	uint32_t over = syntax_child(s, loop, PY_F_RIGHT);

	return node_is(s, over, PY_TUPLE) || node_is(s, over, PY_LIST) ||
	       node_is(s, over, PY_EXPRESSION_LIST);
}

/* A body that is run for each: of a for, of a comprehension. */
static void enter_body(Walk *w, uint32_t node)
{
	const Syntax *s = w->s;
	uint32_t parent = s->at[node].parent, clause = SYNTAX_NONE;

	switch (s->at[parent].kind) {
	case PY_FOR_STATEMENT:
		clause = parent;
		break;
	case PY_LIST_COMPREHENSION:
	case PY_SET_COMPREHENSION:
	case PY_DICTIONARY_COMPREHENSION:
	case PY_GENERATOR_EXPRESSION:
		clause = syntax_find(s, parent, PY_FOR_IN_CLAUSE);
		if (clause != SYNTAX_NONE)
			query_for(w, clause);
		break;
	default:
		break;
	}
	if (clause != SYNTAX_NONE && !is_written_out(s, clause))
		enter_loop(w, parent, node);
}

/* --- rows ---------------------------------------------------------------------------------------------------------------------------------- */

static bool is_statement(const Syntax *s, uint32_t node)
{
	const PyNode *at = &s->at[node];
	uint8_t parent = s->at[at->parent].kind;

	return node && (parent == PY_BLOCK || parent == PY_MODULE) && at->kind != PY_COMMENT;
}

static bool is_docstring(const Syntax *s, uint32_t node)
{
	return s->at[node].kind == PY_EXPRESSION_STATEMENT &&
	       node_is(s, syntax_nth(s, node, 0), PY_STRING);
}

static void look(Walk *w, uint32_t node)
{
	switch (w->s->at[node].kind) {
	case PY_FUNCTION_DEFINITION:
	case PY_CLASS_DEFINITION:
		enter_definition(w, node);
		break;
	case PY_LAMBDA:
		enter_lambda(w, node);
		break;
	case PY_FOR_STATEMENT:
		query_for(w, node);
		break;
	case PY_CALL:
		calls_look(w, node);
		query_call(w, node);
		break;
	case PY_ATTRIBUTE:
		query_attribute(w, node);
		code_use(w, node);
		break;
	case PY_STRING:
		text_string(w, node);
		break;
	case PY_ASSIGNMENT:
		query_assignment(w, node);
		text_assignment(w, node);
		break;
	case PY_KEYWORD_ARGUMENT:
	case PY_PAIR:
	case PY_DEFAULT_PARAMETER:
	case PY_TYPED_DEFAULT_PARAMETER:
	case PY_COMPARISON_OPERATOR:
		text_assignment(w, node);
		break;
	case PY_EXCEPT_CLAUSE:
		code_except(w, node);
		break;
	case PY_COMMENT:
		ignore_comment(w, node);
		break;
	default:
		code_statement(w, node);
		break;
	}
}

static void walk_rows(Walk *w)
{
	const Syntax *s = w->s;

	for (uint32_t i = 0; i < s->count; i++) {
		leave(w, i);
		if (is_statement(s, i)) {
			if (w->waiting < w->out->ignore_count)
				ignore_statement(w, i);
			w->statement = i;
			w->code_seen |= !is_docstring(s, i);
		}
		if (s->at[i].field == PY_F_BODY)
			enter_body(w, i);
		look(w, i);
	}
	leave(w, s->count);
}

/* What a script prints is its purpose; that it is one is said at its end. */
static void drop_prints(Walk *w)
{
	FileSmells *out = w->out;
	uint32_t count = 0;

	for (uint32_t i = 0; w->is_script && i < out->smell_count; i++)
		if (out->smells[i].rule != SMELL_PRINT_CALL)
			out->smells[count++] = out->smells[i];
	if (w->is_script)
		out->smell_count = count;
}

static const void *extract(Arena *a, const Syntax *s, const AuditFile *file)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	FileSmells *out = ARENA_NEW(a, FileSmells);
	Walk w = { .a = a, .scratch = scratch, .s = s, .file = file, .out = out };

	push(&w, (Scope){ .end = UINT32_MAX, .unit = UNIT_NONE });
	code_file_begin(&w);
	text_source(&w);
	walk_rows(&w);
	drop_prints(&w);
	code_file_end(&w);
	ignore_end(&w);
	return out;
}

/* --- how it is kept ------------------------------------------------------------------------------------------------------------------------ */

static const PackType number_pack = { PACK_PLAIN(uint32_t) };
static const PackField smell_fields[] = { PACK_TEXT(Smell, unit), PACK_TEXT(Smell, text) };
static const PackType smell_pack = { PACK_FIELDS(Smell, smell_fields) };
static const PackField ignore_fields[] = { PACK_TEXTS(Ignore, rules, rule_count),
	                                   PACK_TEXT(Ignore, why) };
static const PackType ignore_pack = { PACK_FIELDS(Ignore, ignore_fields) };
static const PackField signature_fields[] = { PACK_TEXT(SmellSignature, unit),
	                                      PACK_TEXTS(SmellSignature, names, name_count) };
static const PackType signature_pack = { PACK_FIELDS(SmellSignature, signature_fields) };
static const PackField relation_fields[] = { PACK_TEXT(SmellRelation, name),
	                                     PACK_TEXT(SmellRelation, target),
	                                     PACK_TEXT(SmellRelation, back) };
static const PackType relation_pack = { PACK_FIELDS(SmellRelation, relation_fields) };
static const PackField class_fields[] = {
	PACK_TEXT(SmellClass, name), PACK_TEXTS(SmellClass, bases, base_count),
	PACK_ARRAY(SmellClass, relations, relation_count, &relation_pack)
};
static const PackType class_pack = { PACK_FIELDS(SmellClass, class_fields) };
static const PackField touch_fields[] = { PACK_TEXT(SmellTouch, model), PACK_TEXT(SmellTouch, name),
	                                  PACK_TEXT(SmellTouch, unit) };
static const PackType touch_pack = { PACK_FIELDS(SmellTouch, touch_fields) };

const FactsModule *smells_facts(void)
{
	static const PackField fields[] = {
		PACK_ARRAY(FileSmells, smells, smell_count, &smell_pack),
		PACK_ARRAY(FileSmells, ignores, ignore_count, &ignore_pack),
		PACK_ARRAY(FileSmells, signatures, signature_count, &signature_pack),
		PACK_ARRAY(FileSmells, classes, class_count, &class_pack),
		PACK_ARRAY(FileSmells, touches, touch_count, &touch_pack),
		PACK_ARRAY(FileSmells, views, view_count, &number_pack),
	};
	static const PackType pack = { PACK_FIELDS(FileSmells, fields) };
	static const FactsModule module = { .extract = extract, .type = &pack, .version = 1 };

	return &module;
}
