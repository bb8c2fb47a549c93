/* SPDX-License-Identifier: Apache-2.0
 *
 * Cyclomatic complexity by three peers' rules, which differ by a factor of two on the same code: so it is always said whose it is.
 *
 *              if elif ternary for/while  else of loops  except  else of try  and/or  comprehension  its ifs  assert  case
 *   radon      1  1    1       1          1              1       1            1 each  1 a clause     1 each   1       1, but _ or a name
 *   mccabe     1  1    -       1          -              1       1 a try      -       -              -        -       -
 *   Sonar      1  -    1       1          -              -       -            1 each  -              1 each   -       -
 *
 * radon looks into bodies only (no decorators, defaults, annotations, bases), not into what is asserted, and lets the closures of a function
 * count for themselves. mccabe adds them to the function around. */
#include "audit/measure_int.h"

static bool is_group(const Syntax *s, uint32_t try_node)
{
	return syntax_find(s, try_node, PY_EXCEPT_GROUP_CLAUSE) != SYNTAX_NONE;
}

/* A case that takes everything: `case _:`, `case name:`, without a guard it matters not. */
static bool takes_all(const Syntax *s, uint32_t node)
{
	uint32_t pattern = syntax_find(s, node, PY_CASE_PATTERN), inner;
	Str text;

	if (pattern == SYNTAX_NONE || syntax_find(s, pattern + 1, PY_CASE_PATTERN) != SYNTAX_NONE)
		return false;
	inner = pattern + 1;
	text = syntax_text(s, pattern);
	if (str_eq(text, S("_")))
		return true;
	return inner < s->at[pattern].end && s->at[inner].kind == PY_DOTTED_NAME &&
	       str_find_char(text, '.') < 0;
}

static uint32_t cases(const Syntax *s, uint32_t match)
{
	uint32_t count = 0, body = syntax_child(s, match, PY_F_BODY),
		 in = body == SYNTAX_NONE ? match : body;
	bool all = false;

	for (uint32_t i = in + 1; i < s->at[in].end; i = s->at[i].end) {
		if (s->at[i].kind != PY_CASE_CLAUSE)
			continue;
		count++;
		all = all || takes_all(s, i);
	}
	return count - (count && all);
}

static uint32_t of_else(const Syntax *s, uint32_t node, CcRules rules)
{
	const PyNode *parent = &s->at[s->at[node].parent];

	if (parent->kind == PY_TRY_STATEMENT)
		return rules == CC_RADON && !is_group(s, s->at[node].parent);
	return rules == CC_RADON &&
	       (parent->kind == PY_FOR_STATEMENT || parent->kind == PY_WHILE_STATEMENT);
}

static uint32_t of_node(const Syntax *s, uint32_t node, CcRules rules)
{
	bool radon = rules == CC_RADON, mccabe = rules == CC_MCCABE;

	switch (s->at[node].kind) {
	case PY_IF_STATEMENT:
	case PY_FOR_STATEMENT:
	case PY_WHILE_STATEMENT:
		return 1;
	case PY_ELIF_CLAUSE:
		return radon || mccabe;
	case PY_CONDITIONAL_EXPRESSION:
	case PY_BOOLEAN_OPERATOR:
		return !mccabe;
	case PY_EXCEPT_CLAUSE:
		return rules != CC_SONAR && !is_group(s, s->at[node].parent);
	case PY_TRY_STATEMENT: /* one way through it is that none of its handlers is asked */
		return mccabe && !is_group(s, node);
	case PY_ELSE_CLAUSE:
		return of_else(s, node, rules);
	case PY_FOR_IN_CLAUSE:
		return radon;
	case PY_IF_CLAUSE:
		return !mccabe && s->at[s->at[node].parent].kind != PY_CASE_CLAUSE;
	case PY_ASSERT_STATEMENT:
		return radon;
	case PY_MATCH_STATEMENT:
		return radon ? cases(s, node) : 0;
	default:
		return 0;
	}
}

/* mccabe knows neither match nor except*, and does not look into finally. */
static bool is_passed_over(const Syntax *s, uint32_t node, CcRules rules)
{
	const PyNode *at = &s->at[node];

	if (is_definition(at) || at->kind == PY_DECORATOR)
		return true;
	if (rules == CC_RADON)
		return at->kind == PY_ASSERT_STATEMENT;
	return rules == CC_MCCABE &&
	       (at->kind == PY_FINALLY_CLAUSE || at->kind == PY_MATCH_STATEMENT ||
	        (at->kind == PY_TRY_STATEMENT && is_group(s, node)));
}

uint32_t cc_decisions(const Syntax *s, uint32_t from, uint32_t end, CcRules rules)
{
	uint32_t count = 0;

	for (uint32_t i = from; i < end;) {
		count += of_node(s, i, rules);
		i = is_passed_over(s, i, rules) ? s->at[i].end : i + 1;
	}
	return count;
}

static uint32_t own(const Syntax *s, const Unit *unit, CcRules rules)
{
	uint32_t body = unit_body(s, unit->node);

	return 1 + (body == SYNTAX_NONE ? 0 : cc_decisions(s, body, s->at[body].end, rules));
}

/* Units stand before those in them, so from the last to the first all that is inside is known. */
void measure_cc(const Syntax *s, CcRules rules, Measures *m)
{
	m->cc = 1 + cc_decisions(s, 1, s->count, rules);
	for (uint32_t i = m->unit_count; i--;)
		m->units[i].cc += own(s, &m->units[i], rules);
	for (uint32_t i = m->unit_count; i--;) {
		const Unit *unit = &m->units[i];
		Unit *parent = unit->parent == UNIT_NONE ? NULL : &m->units[unit->parent];

		if (!parent)
			m->cc += unit->cc - 1;
		else if (parent->kind == UNIT_CLASS && unit->kind == UNIT_FUNCTION)
			parent->cc += unit->cc;
		else if (parent->kind == UNIT_FUNCTION && rules == CC_MCCABE)
			parent->cc += unit->kind == UNIT_FUNCTION ? unit->cc : unit->cc - 1;
	}
}

char cc_rank(uint32_t cc)
{
	static const uint32_t above[] = { 5, 10, 20, 30, 40 };
	char rank = 'A';

	for (size_t i = 0; i < COUNT(above); i++)
		rank = (char)(rank + (cc > above[i]));
	return rank;
}

uint32_t class_cc_shown(const Unit *unit)
{
	return unit->methods ? unit->cc / unit->methods + (unit->methods > 1) : unit->cc;
}
