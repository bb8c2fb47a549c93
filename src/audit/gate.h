/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate: does a change leave the code no worse than it was? New findings, budgets that only shrink, and files that usually change together
 * but did not. Pure. */
#pragma once
#include "audit/baseline.h"

typedef struct GateBudget {
	Budget budget;
	double now;
	bool kept;
} GateBudget;

/* `changed` was changed, and `missing`, which nearly always changes with it, was not. */
typedef struct GateCompanion {
	Str changed, missing;
	uint32_t shared, sets; /* `sets` times `changed` was changed, `shared` times the other as well */
} GateCompanion;

typedef enum GateCare { GATE_OFF, GATE_WARN, GATE_FAIL } GateCare;

typedef struct GateRules {
	GateCare companions;
	FindingLevel level; /* new findings below it are told and do not fail the gate */
} GateRules;

typedef struct Gate {
	Delta delta;
	size_t failing; /* of delta.fresh: at the level and above */
	GateBudget *budgets;
	size_t budget_count, broken; /* broken: budgets that are not kept */
	GateCompanion *companions;   /* given by the caller of gate_judge */
	size_t companion_count;
	Figures figures;
	bool passed;
} Gate;

/* Fills all but the companions, which are there already. */
void gate_judge(Arena *a, const GateRules *rules, const Baseline *was, const Audit *audit, Gate *out);

/* The baseline after an audit: its findings as they are now, its budgets as they were or smaller. A budget in `more` is new, or smaller;
 * fails with INVALID "gate.budget" when it has no name that is known or would grow. */
Err *gate_renew(Arena *a, const Baseline *was, const Audit *audit, const Budget *more, size_t count,
                Baseline *out) MUST_USE;

void gate_screen(FILE *out, Arena *a, const Gate *gate, const GateRules *rules);
/* { passed, new: [finding], fixed: [{ rule, path, count }], moved, same, budgets: [{ name, most, now, kept }], companions: [...], figures } */
void gate_put(JsonWriter *w, const Gate *gate);
