/* SPDX-License-Identifier: Apache-2.0
 *
 * What was found before, to tell new findings from those that were there: banyan-baseline.json, or another revision of the same code.
 *
 * A finding is known by its print (finding.h), which has no line and no path in it, and by the files that have a part in it, each counted. So
 * code that moves to another file keeps its findings (one file has one less, another one more), and what is copied to one more file is new,
 * though its text is known. Findings that are ignored with a reason are in none of this. Pure, but for baseline_load and baseline_store. */
#pragma once
#include "audit/audit_figures.h"

typedef struct BaselineFile {
	Str path;
	uint32_t count;
} BaselineFile;

typedef struct BaselineRow {
	uint64_t print;
	Str rule, name;      /* "PY101", "god-class" */
	BaselineFile *files; /* by path */
	uint32_t file_count;
	double minutes; /* of all of them */
} BaselineRow;

typedef struct Budget {
	Str name; /* audit_figure_name, or "rule:PY101" */
	double most;
} Budget;

typedef struct Baseline {
	BaselineRow *rows; /* by print, each once */
	size_t count;
	Budget *budgets; /* by name */
	size_t budget_count;
} Baseline;

/* The print that findings are known by: their own, or, for those that have none, one of rule, unit and text without its digits. */
uint64_t baseline_print(const Finding *finding);
/* In the arena, strings borrowed; budgets are none. */
void baseline_of(Arena *a, const Findings *findings, Baseline *out);

/* One finding a line, by rule and print, so that two branches that both changed it can be merged; what a merge left in it twice is read as the
 * larger of both. */
void baseline_put(Buf *b, Arena *a, const Baseline *baseline);
/* Fails with INVALID "gate.baseline", and as json_read does. Strings are in the arena. */
Err *baseline_read(Arena *a, Str text, Baseline *out) MUST_USE;

typedef struct Fresh {
	const Finding *finding;
	Str path; /* where it is new: the finding's own, or another that now has a part in it */
} Fresh;
typedef struct Gone {
	const BaselineRow *row;
	Str path;
	uint32_t count;
} Gone;
/* It was there, and takes longer to mend now. */
typedef struct Grown {
	const Finding *finding; /* the first of its row */
	double before, now;     /* minutes */
} Grown;
typedef struct Delta {
	Fresh *fresh; /* by path, line and rule; each finding once */
	Gone *gone;   /* by path and rule */
	Grown *grown; /* the most first */
	size_t fresh_count, gone_count, grown_count;
	size_t same;         /* findings that count and are not fresh */
	size_t fixed, moved; /* places: gone's counts; those that are in another file now */
	bool own;            /* only what lies in a commit's tree was compared */
} Delta;
/* own: only such as have a past in another revision (finding_has_past). */
void baseline_match(Arena *a, const Baseline *was, const Findings *now, bool own, Delta *out);

/* What a budget is about: a figure that is debt, or the findings of a rule by its id or name. False: neither. */
bool budget_measure(const Audit *audit, const AuditFigures *figures, Str name, double *out);
