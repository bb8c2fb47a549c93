/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate: does a change leave the code no worse than it was? New findings, budgets that only shrink, and files that usually change together
 * but did not. Pure. */
#pragma once
#include "audit/baseline.h"
#include "audit/companion.h"
#include "audit/gate_conf.h"

#include <stdio.h>

typedef struct GateBudget {
	Budget budget;
	double now;
	bool known; /* there is something of that name */
	bool kept;
} GateBudget;

typedef struct GateRules {
	GateCare companions;
	FindingLevel level; /* new findings below it are told and do not fail the gate */
	Str against;        /* what is compared with: "banyan-baseline.json", "main" */
	bool own;           /* baseline_match's */
	Str unread; /* who the baseline has findings of and was not read: a tool, "the history"; empty: none */
} GateRules;

typedef struct Gate {
	GateRules rules;
	Delta delta;
	size_t failing; /* of delta.fresh: at the level and above */
	GateBudget *budgets;
	size_t budget_count, broken; /* broken: budgets that are not kept */
	Companions companions;       /* given by the caller of gate_judge */
	AuditFigures figures;
	bool passed;
} Gate;

/* `out` has rules and companions; the rest is filled. */
void gate_judge(Arena *a, const Baseline *was, const Audit *audit, Gate *out);

/* The baseline after an audit: its findings as they are now, its budgets as they were or smaller. `was` NULL: it is the first, with a budget for
 * minutes. `more` are those of the command line, NAME or NAME=MOST. Fails with INVALID "gate.budget": a name that nothing
 * has, no number, or one larger than before. */
Err *gate_renew(Arena *a, const Baseline *was, const Audit *audit, const Str *more, size_t count,
                Baseline *out) MUST_USE;

void gate_screen(FILE *out, Arena *a, const Gate *gate);
/* { passed, against, level, unread, failing, new, grown, fixed, fixed_count, moved, same (delta.h), budgets: [{ name, most, now, kept }],
 * companions: [{ changed, missing, shared, of }], figures } */
void gate_put(JsonWriter *w, const Gate *gate);
/* A budget's number as people compare it: whole, so that what exceeds it is seen to. In the arena. */
Str gate_budget_text(Arena *a, const Budget *budget, double value);
/* Why it did not pass: "3 new findings, 1 budget is exceeded". In the arena. */
Str gate_why(Arena *a, const Gate *gate);
