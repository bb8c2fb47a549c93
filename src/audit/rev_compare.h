/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit --compare REV`: the same audit of another revision, read from git's objects, and what differs. What does not lie in the tree is left
 * out of both sides: other tools' files, history, coverage. */
#pragma once
#include "audit/audit.h"
#include "audit/baseline.h"

#include <stdio.h>

typedef struct RevSource RevSource;

typedef struct RevCompare {
	Str rev, id; /* as it was given; the first digits of the commit's name */
	Baseline was;
	Delta delta;
	AuditFigures before, now;
} RevCompare;

/* Blocks and burns. Fails with NOT_FOUND "audit.revision", "audit.object" (a partial clone without its files), and as audit_all does. The result is
 * in the arena. */
Err *rev_compare_with(Arena *a, const AuditRules *rules, const Audit *audit, RevSource *rev,
                      Str name, RevCompare *out) MUST_USE;
/* Opens the revision, compares, and sets audit->compare. */
Err *rev_compare_audit(Arena *a, const AuditRules *rules, Str rev, Audit *audit) MUST_USE;
void rev_compare_screen(FILE *out, Arena *a, const RevCompare *compare);
/* { rev, id, new, grown, fixed, fixed_count, moved, same (delta.h), figures: { NAME: { before, now } } } */
void rev_compare_put(JsonWriter *w, const RevCompare *compare);
