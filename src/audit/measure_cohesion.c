/* SPDX-License-Identifier: Apache-2.0
 *
 * Lack of cohesion of methods (LCOM4, Hitz and Montazeri): two methods belong together when they touch the same attribute of self, or one
 * calls the other; the figure is how many groups that makes. A class with two or more is two classes that share a name. Methods that touch
 * nothing of self (static ones, hooks that only pass) are left out, and so is the constructor: it touches everything. */
#include "audit/measure_int.h"

#include "base/arena.h"
#include "base/hash.h"

#include <stdlib.h>

typedef struct Touch {
	uint64_t name;
	uint32_t method; /* the n-th of its class */
} Touch;

static uint32_t find_root(uint32_t *of, uint32_t i)
{
	while (of[i] != i)
		i = of[i] = of[of[i]];
	return i;
}

static Str first_argument(const Syntax *s, uint32_t function)
{
	uint32_t list = syntax_child(s, function, PY_F_PARAMETERS), first;

	first = list == SYNTAX_NONE ? SYNTAX_NONE : syntax_nth(s, list, 0);
	return first != SYNTAX_NONE && s->at[first].kind == PY_IDENTIFIER ? syntax_text(s, first)
	                                                                  : S("");
}

/* Names after `self.` in a method; the name of a method is one of them when it is called. */
static uint32_t touches_of(const Syntax *s, const Unit *unit, uint32_t method, Touch *out)
{
	Str self = first_argument(s, unit->node);
	uint32_t body = unit_body(s, unit->node), count = 0;

	if (!self.len || body == SYNTAX_NONE)
		return 0;
	for (uint32_t i = body; i < s->at[body].end; i++) {
		uint32_t object, name;

		if (s->at[i].kind != PY_ATTRIBUTE)
			continue;
		object = syntax_child(s, i, PY_F_OBJECT);
		name = syntax_child(s, i, PY_F_ATTRIBUTE);
		if (object == SYNTAX_NONE || name == SYNTAX_NONE ||
		    s->at[object].kind != PY_IDENTIFIER || !str_eq(syntax_text(s, object), self))
			continue;
		out[count++] = (Touch){ hash_stable(syntax_text(s, name), 1, 2), method };
	}
	return count;
}

static int by_name(const void *x, const void *y)
{
	const Touch *p = x, *q = y;

	return p->name != q->name ? (p->name < q->name ? -1 : 1)
	                          : (p->method > q->method) - (p->method < q->method);
}

static uint32_t groups(Touch *touches, uint32_t count, uint32_t *root, const bool *counts,
                       uint32_t methods)
{
	uint32_t found = 0;

	qsort(touches, count, sizeof(*touches), by_name);
	for (uint32_t i = 1; i < count; i++)
		if (touches[i].name == touches[i - 1].name)
			root[find_root(root, touches[i].method)] =
				find_root(root, touches[i - 1].method);
	for (uint32_t i = 0; i < methods; i++)
		found += counts[i] && find_root(root, i) == i;
	return found;
}

static bool is_constructor(const Unit *unit)
{
	return str_eq(unit->name, S("__init__")) || str_eq(unit->name, S("__new__"));
}

static void of_class(Arena *a, const Syntax *s, Measures *m, uint32_t class)
{
	const Unit *unit = &m->units[class];
	Touch *touches = ARENA_ARRAY(a, Touch, s->at[unit->node].end - unit->node + unit->methods);
	uint32_t *root = ARENA_ARRAY(a, uint32_t, unit->methods);
	bool *counts = ARENA_ARRAY(a, bool, unit->methods);
	uint32_t count = 0, method = 0;

	for (uint32_t i = class + 1; i < m->unit_count && m->units[i].node < s->at[unit->node].end;
	     i++) {
		uint32_t own;

		if (m->units[i].parent != class || m->units[i].kind != UNIT_FUNCTION)
			continue;
		root[method] = method;
		own = is_constructor(&m->units[i])
		              ? 0
		              : touches_of(s, &m->units[i], method, touches + count);
		if (own) {
			counts[method] = true;
			count += own;
			touches[count++] = (Touch){ hash_stable(m->units[i].name, 1, 2), method };
		}
		method++;
	}
	m->units[class].lcom4 = groups(touches, count, root, counts, method);
}

void measure_cohesion(Arena *a, const Syntax *s, Measures *m)
{
	for (uint32_t i = 0; i < m->unit_count; i++) {
		Mark mark = arena_mark(a);

		if (m->units[i].kind == UNIT_CLASS && m->units[i].methods)
			of_class(a, s, m, i);
		arena_reset(a, mark);
	}
}
