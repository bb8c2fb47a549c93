/* SPDX-License-Identifier: Apache-2.0
 *
 * Cognitive complexity as Sonar's analyser of Python counts it (S3776), which is not quite its white paper: recursion adds nothing.
 *
 * What breaks the straight line costs one, and one more for each level that it is nested in; `elif`, `else` and each change between
 * `and` and `or` cost one. A level is the body of if, elif, else, for, while, except or case, and an operand of a ternary. A function in a
 * function is one level deeper, unless all that the outer one does is return it: then it is a decorator, and costs nothing. */
#include "audit/measure_int.h"

#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>

/* The level of each row, and which unit it is in. */
typedef struct Walk {
	const Syntax *s;
	Measures *m;
	uint16_t *levels; /* what is inside of a row has, before it adds its own */
	uint32_t around;
} Walk;

static bool nests(const Syntax *s, uint32_t node)
{
	if (s->at[node].kind != PY_BLOCK)
		return false;
	switch (s->at[s->at[node].parent].kind) {
	case PY_IF_STATEMENT:
	case PY_ELIF_CLAUSE:
	case PY_ELSE_CLAUSE:
	case PY_FOR_STATEMENT:
	case PY_WHILE_STATEMENT:
	case PY_EXCEPT_CLAUSE:
	case PY_EXCEPT_GROUP_CLAUSE:
	case PY_CASE_CLAUSE:
		break;
	default:
		return false;
	}
	/* The else of a try is a list of its own, and nests too. */
	return true;
}

static uint32_t inner_function(const Syntax *s, uint32_t node)
{
	if (s->at[node].kind == PY_DECORATED_DEFINITION)
		node = syntax_child(s, node, PY_F_DEFINITION);
	return node != SYNTAX_NONE && s->at[node].kind == PY_FUNCTION_DEFINITION ? node
	                                                                         : SYNTAX_NONE;
}

static bool returns_name(const Syntax *s, uint32_t node)
{
	uint32_t value =
		s->at[node].kind == PY_RETURN_STATEMENT ? syntax_nth(s, node, 0) : SYNTAX_NONE;

	return value != SYNTAX_NONE && s->at[value].kind == PY_IDENTIFIER;
}

/* Does a function only make another and return it? */
static bool is_decorator(const Syntax *s, uint32_t function)
{
	uint32_t body = unit_body(s, function), functions = 0;

	if (body == SYNTAX_NONE)
		return false;
	for (uint32_t i = body + 1; i < s->at[body].end; i = s->at[i].end) {
		if (s->at[i].kind == PY_COMMENT)
			continue;
		if (inner_function(s, i) != SYNTAX_NONE)
			functions++;
		else if (!returns_name(s, i))
			return false;
	}
	return functions == 1;
}

/* What the body of a unit begins with. */
static uint16_t base_level(const Walk *w, const Unit *unit)
{
	const Unit *outer = unit->parent == UNIT_NONE ? NULL : &w->m->units[unit->parent];
	uint16_t level = w->levels[w->s->at[unit->node].parent];

	if (unit->kind == UNIT_CLASS || !outer || outer->kind == UNIT_CLASS)
		return 0;
	return is_decorator(w->s, outer->node) ? level : (uint16_t)(level + 1);
}

/* Changes between the words of one chain, which stand in the order of the text. */
static uint32_t chain(const Syntax *s, uint32_t node)
{
	uint32_t runs = 0;
	Str last = S("");

	if (s->at[s->at[node].parent].kind == PY_BOOLEAN_OPERATOR)
		return 0;
	for (uint32_t i = node; i < s->at[node].end;) {
		const PyNode *at = &s->at[i];

		if (at->kind == PY_BOOLEAN_OPERATOR) {
			i++;
			continue;
		}
		if (at->kind == PY_OPERATOR && !str_eq(syntax_text(s, i), last)) {
			last = syntax_text(s, i);
			runs++;
		}
		i = at->end;
	}
	return runs;
}

static uint32_t cost(const Walk *w, uint32_t node, uint16_t level)
{
	switch (w->s->at[node].kind) {
	case PY_IF_STATEMENT:
	case PY_WHILE_STATEMENT:
	case PY_FOR_STATEMENT:
	case PY_EXCEPT_CLAUSE:
	case PY_EXCEPT_GROUP_CLAUSE:
	case PY_CONDITIONAL_EXPRESSION:
		return 1U + level;
	case PY_ELIF_CLAUSE:
	case PY_ELSE_CLAUSE:
		return 1;
	case PY_BOOLEAN_OPERATOR:
		return chain(w->s, node);
	default:
		return 0;
	}
}

static void step(Walk *w, uint32_t node, uint32_t *next_unit)
{
	const Syntax *s = w->s;
	Measures *m = w->m;
	uint16_t level = node ? w->levels[s->at[node].parent] : 0;
	uint32_t costs;

	while (w->around != UNIT_NONE && node >= s->at[m->units[w->around].node].end)
		w->around = m->units[w->around].parent;
	costs = cost(w, node, level);
	if (w->around == UNIT_NONE)
		m->cognitive += costs;
	else
		m->units[w->around].cognitive += costs;
	w->levels[node] = (uint16_t)(level + (nests(s, node) ||
	                                      s->at[node].kind == PY_CONDITIONAL_EXPRESSION));
	if (*next_unit < m->unit_count && m->units[*next_unit].node == node) {
		w->levels[node] = base_level(w, &m->units[*next_unit]);
		w->around = (*next_unit)++;
	} else if (w->around != UNIT_NONE) {
		Unit *unit = &m->units[w->around];
		uint32_t from = w->levels[unit->node];

		unit->nesting =
			MAX(unit->nesting, w->levels[node] > from ? w->levels[node] - from : 0);
	}
}

void measure_cognitive(const Syntax *s, Measures *m)
{
	Walk w = {
		.s = s, .m = m, .around = UNIT_NONE, .levels = calloc(s->count, sizeof(*w.levels))
	};
	uint32_t next_unit = 0;

	if (!w.levels)
		abort();
	for (uint32_t i = 0; i < s->count; i++)
		step(&w, i, &next_unit);
	for (uint32_t i = m->unit_count; i--;) {
		const Unit *unit = &m->units[i];

		if (unit->parent == UNIT_NONE)
			m->cognitive += unit->cognitive;
		else
			m->units[unit->parent].cognitive += unit->cognitive;
	}
	free(w.levels);
}
