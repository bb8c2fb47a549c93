/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan audit --compare REV`: the same audit of another revision, read from git's objects, and what differs. Its history, other tools' files and
 * measures that do not lie in the tree are left out of both sides. */
#pragma once
#include "audit/audit_conf.h"
#include "audit/baseline.h"

typedef struct Compare {
	Str rev, id; /* as it was given; the first digits of the commit's name */
	Baseline was;
	Delta delta;
	Figures before, now;
} Compare;

/* Blocks and burns. Fails with NOT_FOUND "audit.revision" (no such revision, no repository), and as audit_all does. */
Err *compare_with(Arena *a, const AuditRules *rules, const Audit *audit, Str rev, Compare *out)
	MUST_USE;
void compare_screen(FILE *out, Arena *a, const Compare *compare);
/* { rev, id, new: [finding], fixed: [{ rule, path, count }], moved, same, figures: { name: { before, now } } } */
void compare_put(JsonWriter *w, const Compare *compare);
