/* SPDX-License-Identifier: Apache-2.0
 *
 * All measures of a file: its units first, then what each measure makes of them. */
#include "audit/measure_int.h"

#include "base/arena.h"

#include <math.h>

static uint32_t count_units(const Syntax *s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->count; i++)
		count += is_definition(&s->at[i]);
	return count;
}

static uint32_t count_arguments(const Syntax *s, uint32_t node)
{
	uint32_t list = syntax_child(s, node, PY_F_PARAMETERS), count = 0;

	if (list == SYNTAX_NONE)
		return 0;
	for (uint32_t i = list + 1; i < s->at[list].end; i = s->at[i].end)
		count += s->at[i].kind != PY_COMMENT && s->at[i].kind != PY_KEYWORD_SEPARATOR &&
		         s->at[i].kind != PY_POSITIONAL_SEPARATOR;
	return count;
}

static void fill_unit(const Syntax *s, uint32_t node, Unit *unit)
{
	uint32_t name = syntax_child(s, node, PY_F_NAME);

	unit->kind = s->at[node].kind == PY_CLASS_DEFINITION ? UNIT_CLASS : UNIT_FUNCTION;
	unit->name = name == SYNTAX_NONE ? S("") : syntax_text(s, name);
	unit->node = node;
	unit->line = s->at[node].line;
	unit->end_line = s->at[node].end_line;
	if (unit->kind == UNIT_FUNCTION) {
		unit->async = node + 1 < s->count && s->at[node + 1].kind == PY_ASYNC;
		unit->arguments = count_arguments(s, node);
	}
}

/* Rows are in order, so the unit that was opened last and has not ended is the one around. */
static void find_units(Arena *a, const Syntax *s, Measures *m)
{
	uint32_t around = UNIT_NONE;

	m->unit_count = 0;
	m->units = ARENA_ARRAY(a, Unit, MAX(1U, count_units(s)));
	for (uint32_t i = 0; i < s->count; i++) {
		while (around != UNIT_NONE && i >= s->at[m->units[around].node].end)
			around = m->units[around].parent;
		if (is_definition(&s->at[i])) {
			Unit *unit = &m->units[m->unit_count];

			unit->parent = around;
			fill_unit(s, i, unit);
			if (around != UNIT_NONE && m->units[around].kind == UNIT_CLASS &&
			    unit->kind == UNIT_FUNCTION) {
				unit->method = true;
				m->units[around].methods++;
			}
			around = m->unit_count++;
		} else if (around != UNIT_NONE && s->at[s->at[i].parent].kind == PY_BLOCK &&
		           s->at[i].kind != PY_COMMENT) {
			m->units[around].statements++;
		}
	}
}

double halstead_volume(const Halstead *h)
{
	uint32_t words = h->h1 + h->h2;

	return words ? (double)(h->n1 + h->n2) * log2(words) : 0;
}

double maintainability(double volume, uint32_t cc, uint32_t lloc, double comments)
{
	double raw;

	if (volume <= 0 || !lloc)
		return 100;
	raw = 171 - 5.2 * log(volume) - 0.23 * cc - 16.2 * log(lloc) +
	      50 * sin(sqrt(2.46 * comments * M_PI / 180));
	return fmin(fmax(0, raw * 100 / 171), 100);
}

void measure(Arena *a, const Syntax *s, CcRules rules, Measures *out)
{
	const LineCounts *lines = &out->lines;

	*out = (Measures){ .lines = lex_count(s->text) };
	find_units(a, s, out);
	measure_cc(s, rules, out);
	measure_cognitive(s, out);
	measure_halstead(a, s, out);
	measure_cohesion(a, s, out);
	out->volume = halstead_volume(&out->halstead);
	out->mi =
		maintainability(out->volume, out->cc, lines->lloc,
	                        lines->sloc ? 100.0 * (lines->comments + lines->multi) / lines->sloc
	                                    : 0);
}
