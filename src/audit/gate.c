/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate's judgement. What was there before passes, however bad it is: a team that starts with thousands of findings can begin today. What is new
 * fails. Budgets catch what is no new finding: those that grow, and (for who wants that) those that are waved through with an ignore. They follow the code downwards
 * each time the baseline is renewed, and never up; who wants to raise one edits the file, where the review sees it. */
#include "audit/gate.h"

#include "base/arena.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SLACK 1e-6

static void judge_budgets(Arena *a, const Baseline *was, const Audit *audit, Gate *out)
{
	out->budgets = ARENA_ARRAY(a, GateBudget, was->budget_count + 1);
	out->budget_count = was->budget_count;
	out->broken = 0;
	for (size_t i = 0; i < was->budget_count; i++) {
		GateBudget *g = &out->budgets[i];

		*g = (GateBudget){ .budget = was->budgets[i] };
		g->known = budget_measure(audit, &out->figures, g->budget.name, &g->now);
		g->kept = g->known && g->now <= g->budget.most + SLACK;
		out->broken += !g->kept;
	}
}

void gate_judge(Arena *a, const Baseline *was, const Audit *audit, Gate *out)
{
	audit_figures_of_tree(audit, &out->figures);
	baseline_match(a, was, &audit->findings, out->rules.own, &out->delta);
	judge_budgets(a, was, audit, out);
	out->failing = out->beside = 0;
	for (size_t i = 0; i < out->delta.fresh_count; i++) {
		const FindingRule *rule = out->delta.fresh[i].finding->rule;

		out->beside += rule->beside;
		out->failing += !rule->beside && rule->level >= out->rules.level;
	}
	out->passed = !out->failing && !out->broken &&
	              !(out->rules.companions == GATE_FAIL && out->companions.count);
}

/* --- renewing ----------------------------------------------------------------------------------------------------------------------------------- */

typedef struct Renewal {
	Arena *a;
	const Audit *audit;
	AuditFigures figures;
	Baseline *out;
} Renewal;

/* Upwards, so that what was measured is within. */
static double kept_digits(double n)
{
	return fmax(0, ceil(n * 1e4 - SLACK) / 1e4);
}

static Budget *budget_at(Baseline *b, Str name)
{
	for (size_t i = 0; i < b->budget_count; i++)
		if (str_eq(b->budgets[i].name, name))
			return &b->budgets[i];
	return NULL;
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(((const Budget *)x)->name, ((const Budget *)y)->name);
}

static Err *renew_one(Renewal *r, Str name, double most)
{
	Budget *there = budget_at(r->out, name);
	double now;

	if (!budget_measure(r->audit, &r->figures, name, &now))
		return err_new(
			r->a, ERR_INVALID, "gate.budget",
			"there is no budget called %.*s: name a figure of `banyan gate --json`"
			" that is debt, or rule:NAME with a rule of `banyan audit --rules`",
			STR_ARG(str_quote(r->a, name)));
	most = MIN(most, kept_digits(now));
	if (!there) {
		there = &r->out->budgets[r->out->budget_count++];
		*there = (Budget){ name, most };
	}
	there->most = MIN(there->most, most);
	return NULL;
}

static Err *renew_said(Renewal *r, Str said)
{
	Str rest = said, name;
	const char *text;
	char *end;
	double most;
	Budget *there;

	str_split(&rest, '=', &name);
	there = budget_at(r->out, name);
	if (!rest.at)
		return renew_one(r, name, INFINITY);
	text = str_z(r->a, rest);
	errno = 0;
	most = strtod(text, &end);
	if (!rest.len || *end || errno || !(most >= 0 && most < 1e15))
		return err_new(r->a, ERR_INVALID, "gate.budget",
		               "%.*s: expected NAME or NAME=NUMBER",
		               STR_ARG(str_quote(r->a, said)));
	if (there && most > there->most + SLACK)
		return err_new(
			r->a, ERR_INVALID, "gate.budget",
			"the budget of %.*s is %.10g and only shrinks; who must raise it edits the file",
			STR_ARG(name), there->most);
	return renew_one(r, name, most);
}

Err *gate_renew(Arena *a, const Baseline *was, const Audit *audit, const Str *more, size_t count,
                Baseline *out)
{
	static const Str first[] = { S("minutes") };
	size_t before = was ? was->budget_count : COUNT(first);
	Renewal r = { .a = a, .audit = audit, .out = out };

	audit_figures_of_tree(audit, &r.figures);
	baseline_of(a, &audit->findings, out);
	out->budgets = ARENA_ARRAY(a, Budget, before + count + 1);
	for (size_t i = 0; i < before && was; i++)
		out->budgets[out->budget_count++] = was->budgets[i];
	for (size_t i = 0; i < before; i++)
		TRY(renew_one(&r, was ? was->budgets[i].name : first[i], INFINITY));
	for (size_t i = 0; i < count; i++)
		TRY(renew_said(&r, more[i]));
	if (out->budget_count)
		qsort(out->budgets, out->budget_count, sizeof(*out->budgets), by_name);
	return NULL;
}
