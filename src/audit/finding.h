/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings: one thing that is wrong at one place, by a rule that says why it matters and what it takes to mend. Those of other tools that are
 * read in are findings too. All of an audit's reports, its gate and its debt in minutes are made of these rows. */
#pragma once
#include "base/str.h"

typedef enum FindingClass {
	FINDING_MAINTAIN,
	FINDING_BUG,
	FINDING_SECURITY,
	FINDING_SPEED,
	FINDING_ARCHITECTURE,
	FINDING_CLASSES
} FindingClass;
typedef enum FindingLevel {
	FINDING_NOTE,
	FINDING_WARNING,
	FINDING_ERROR,
	FINDING_LEVELS
} FindingLevel; /* SARIF's levels */

/* Rules are rows of the module that finds them; ids never change and are never used again. */
typedef struct FindingRule {
	const char *id; /* "PY101" */
	const char *
		name; /* "god-class": what `# banyan: ignore god-class why` and configurations call it */
	FindingClass class;
	FindingLevel level;
	const char *summary; /* one line, no full stop */
	const char *why;     /* sentences: why it costs, what to do */
	double base_minutes; /* SQALE: constant, and linear in Finding.amount */
	double each_minutes;
	bool beside; /* found by what does not lie in a commit's tree (its history, reports, today's packages): no part of comparing trees */
} FindingRule;

typedef struct Finding {
	const FindingRule *rule;
	Str path;                /* empty: of the project */
	uint32_t line, end_line; /* from 1; 0: of the whole file */
	Str unit;                /* "Order.save"; empty: none */
	Str text;         /* a sentence with the figures: "Order has 43 methods and 1,204 lines" */
	double amount;    /* what each_minutes counts: points above a limit, lines, places */
	const Str *paths; /* other files that have a part in it: a clone's, a cycle's */
	size_t path_count;
	uint64_t
		print; /* stays when lines move, and when the code moves to another file: a hash of rule, unit and the place's own text */
	Str ignored_why; /* of `# banyan: ignore`; empty: it counts */
} Finding;

static inline double finding_minutes(const Finding *f)
{
	return f->rule->base_minutes + f->rule->each_minutes * f->amount;
}

/* A growing list. */
typedef struct Findings {
	Finding *at;
	size_t count, room;
} Findings;
/* Copies the row into the arena's list; strings are borrowed. */
void finding_add(Arena *a, Findings *list, const Finding *finding);
/* By path, line and rule: the order of reports. */
void findings_sort(Findings *list);
/* The path has no part in it: who compares (baseline.h) looks at prints and files together. */
uint64_t finding_print(const FindingRule *rule, Str path, Str unit, Str place);
const char *finding_class_name(FindingClass class);
const char *finding_level_name(FindingLevel level); /* "note", "warning", "error" */
bool finding_is_own(const Finding *finding);        /* of our own rules: not "bandit:B101" */
/* Of our own, and told by files alone: another revision's audit, which reads no history, can tell it too. */
bool finding_has_past(const Finding *finding);
