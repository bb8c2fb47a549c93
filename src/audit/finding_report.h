/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings on a screen, and as JSON. */
#pragma once
#include "audit/audit.h"
#include "base/json.h"

#include <stdio.h>

/* What it takes to mend them, by class; the rules that cost most, with their worst place. */
void findings_screen(FILE *out, Arena *a, const Audit *audit);
/* { count, ignored, minutes, ratio (null: no code), rating, by_class: { NAME: { count, minutes } }, by_level: { NAME: count } } */
void findings_put_totals(JsonWriter *w, const AuditTotals *totals);
/* [{ id, name, class, level, summary, why, base_minutes, each_minutes, count, minutes }] of those that found something */
void findings_put_rules(JsonWriter *w, const Findings *findings);
/* [{ rule, path, line, end_line, unit, text, minutes, print (16 hexadecimal digits), paths, ignored }] by path; what is empty is left out */
void findings_put(JsonWriter *w, const Findings *findings);

/* Rules that found something, by what they take, falling; in the arena. */
typedef struct RuleSum {
	const FindingRule *rule;
	uint64_t count, ignored;
	double minutes;       /* of those that count */
	const Finding *worst; /* of those with the most minutes the first; NULL: all are ignored */
} RuleSum;
RuleSum *findings_by_rule(Arena *a, const Findings *findings, size_t *count);
