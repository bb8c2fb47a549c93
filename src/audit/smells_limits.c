/* SPDX-License-Identifier: Apache-2.0
 *
 * Measures held against limits. A god class is one that is large by methods or by lines, and complex as well: a large class of simple methods
 * (a facade, a table of visitors) is none. A file is a god module by its lines, or by what it has at its top. */
#include "audit/smells_int.h"

#include "base/arena.h"

static void add_unit(const Judge *j, SmellId id, const AuditFile *file, uint32_t unit,
                     double amount, Str text)
{
	const Unit *u = &file->measures.units[unit];

	smells_judge_add(j, id, file,
	                 &(Finding){ .line = u->line,
	                             .end_line = u->end_line,
	                             .unit = smell_unit_name(j->a, &file->measures, unit),
	                             .amount = amount,
	                             .text = text });
}

static uint32_t lines_of(const Unit *u)
{
	return u->end_line - u->line + 1;
}

static void judge_function(const Judge *j, const AuditFile *file, uint32_t unit)
{
	const Unit *u = &file->measures.units[unit];
	const SmellsConf *c = j->conf;
	uint32_t arguments = u->arguments - (u->method && u->arguments);

	if (u->statements > c->statements)
		add_unit(j, SMELL_LONG_FUNCTION, file, unit, u->statements - c->statements,
		         str_fmt(j->a, "%u statements on %u lines, above %u", u->statements,
		                 lines_of(u), c->statements));
	if (arguments > c->arguments)
		add_unit(j, SMELL_MANY_ARGUMENTS, file, unit, arguments - c->arguments,
		         str_fmt(j->a, "%u arguments, above %u", arguments, c->arguments));
	if (u->nesting > c->nesting)
		add_unit(j, SMELL_DEEP_NESTING, file, unit, u->nesting - c->nesting,
		         str_fmt(j->a, "control structures %u deep, above %u", u->nesting,
		                 c->nesting));
}

/* A function's figure has those of the functions inside of it, so one that is hard only by an inner one that is told itself is not told again. */
static void judge_reading(const Judge *j, const AuditFile *file)
{
	const Measures *m = &file->measures;
	uint32_t most = j->conf->cognitive,
		 *told = ARENA_ARRAY(j->scratch, uint32_t, m->unit_count + 1);

	for (uint32_t i = m->unit_count; i--;) {
		const Unit *u = &m->units[i];
		uint32_t rest = u->cognitive - MIN(u->cognitive, told[i]);

		if (u->kind == UNIT_FUNCTION && rest > most) {
			add_unit(j, SMELL_HARD_TO_READ, file, i, rest - most,
			         str_fmt(j->a, "cognitive complexity of %u, above %u", rest, most));
			told[i] = u->cognitive;
		}
		if (u->parent != UNIT_NONE)
			told[u->parent] += told[i];
	}
}

static void judge_class(const Judge *j, const AuditFile *file, uint32_t unit)
{
	const Unit *u = &file->measures.units[unit];
	const SmellsConf *c = j->conf;
	uint32_t lines = lines_of(u), above;

	if (u->cc <= c->class_complexity ||
	    (u->methods <= c->class_methods && lines <= c->class_lines))
		return;
	above = u->methods > c->class_methods ? u->methods - c->class_methods
	                                      : (lines - c->class_lines) / 20;
	add_unit(j, SMELL_GOD_CLASS, file, unit, above,
	         str_fmt(j->a, "%u methods on %u lines, their complexity %u, in %u group%s",
	                 u->methods, lines, u->cc, u->lcom4, u->lcom4 == 1 ? "" : "s"));
}

void limits_judge(const Judge *j, const AuditFile *file)
{
	const Measures *m = &file->measures;
	const SmellsConf *c = j->conf;
	uint32_t top = 0;

	judge_reading(j, file);
	for (uint32_t i = 0; i < m->unit_count; i++) {
		top += m->units[i].parent == UNIT_NONE;
		if (m->units[i].kind == UNIT_FUNCTION)
			judge_function(j, file, i);
		else
			judge_class(j, file, i);
	}
	if (m->lines.sloc > c->module_lines || top > c->module_units)
		smells_judge_add(
			j, SMELL_GOD_MODULE, file,
			&(Finding){ .amount = m->lines.sloc > c->module_lines
		                                      ? m->lines.sloc - c->module_lines
		                                      : 0,
		                    .text = str_fmt(j->a,
		                                    "%u lines of code, %u functions and classes",
		                                    m->lines.sloc, top) });
}
