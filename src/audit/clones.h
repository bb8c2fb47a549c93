/* SPDX-License-Identifier: Apache-2.0
 *
 * Clones: pieces of code that are the same but for names, literals and comments. Compared are whole statements (a compound one by its head),
 * each by a hash of its tokens in which names are numbered as they come; a class of clones is a run of such statements that stands at two places or
 * more and is worth enough tokens. Not compared: imports, literal tables, docstrings, and files that are generated, vendored or migrations. */
#pragma once
#include "audit/audit.h"
#include "audit/clones_conf.h"

#include <stdio.h>

const FactsModule *tokens_facts(void) RETURNS_NONNULL;

typedef struct ClonePlace {
	uint32_t file; /* index of the project's files */
	uint32_t line, end_line;
	Str unit; /* what it stands in: "Order.save"; empty: the module */
} ClonePlace;

/* Places of one class that another one goes on from, but for a few statements between. */
typedef struct CloneDrift {
	uint32_t one, other;             /* indexes of CloneClass.at */
	uint32_t one_line, one_end_line; /* what only the one has; 0: nothing */
	uint32_t other_line, other_end_line;
	uint32_t tokens; /* that are alike after it */
} CloneDrift;

typedef struct CloneClass {
	ClonePlace *at;         /* by path and line */
	uint32_t count;         /* 2 at least */
	uint32_t tokens, lines; /* of one place: the first */
	uint32_t names;         /* different names in it */
	uint32_t renamed;       /* of those, how many are called otherwise somewhere */
	bool exact;             /* not a name and not a literal differs */
	bool tests;             /* every place is in a test */
	uint32_t together;      /* change sets that touched more than one of its files */
	uint32_t apart;         /* change sets that touched just one */
	const CloneDrift *drifts;
	uint32_t drift_count;
	uint64_t print; /* of its content: that of its finding too */
} CloneClass;

typedef struct CloneLines {
	uint64_t lines;   /* of the files compared: all lines */
	uint64_t cloned;  /* that stand in a clone, each counted once */
	uint64_t surplus; /* of those, what would go if one place of every class were kept */
} CloneLines;

typedef struct Clones {
	CloneClass *at; /* the most surplus lines first */
	size_t count;
	CloneLines code, tests;
	uint32_t *cloned_lines; /* one a file of the project */
	uint64_t files;         /* compared */
	uint64_t tables,
		runs; /* statements passed over: literal tables; one more like the two before it */
	uint32_t together; /* classes that change together */
	uint32_t drifted;  /* classes that drifted apart */
	bool cut;          /* there was more than can be compared: some classes are missing */
	ClonesConf conf;
} Clones;

/* A step: sets audit->clones, adds PY801 (duplicate-code), PY802 (clones-change-together), PY803 (clone-drifted). Of the history only the change sets are used. */
Err *clones_step(Arena *a, const AuditRules *rules, Audit *audit) MUST_USE;
/* The same without the rules around it. Cannot fail; what is too much is `cut`. */
Clones *clones_find(Arena *a, const ClonesConf *conf, const Project *p, const History *h);
double clones_density(const CloneLines *lines); /* percent; 0 without lines */

/* A few lines. */
void clones_screen(FILE *out, const Clones *clones, const Audit *audit);
/* { "tokens": 50, "lines": 5, "files": 812, "code": { "lines", "cloned", "surplus", "percent" }, "tests": the same, "together", "drifted", "cut": false,
 *   "classes": [ { "print": "16 hex digits", "tokens", "lines", "exact", "tests", "names", "renamed", "changed_together", "changed_apart",
 *                  "places": [ { "path", "line", "end_line", "unit" } ],
 *                  "drifts": [ { "one", "other": indexes of places, "one_lines": [from, to], "other_lines": [from, to] or null, "tokens" } ] } ] }
 * of classes the first CLONES_SHOWN. */
enum { CLONES_SHOWN = 1000 };
void clones_put(JsonWriter *w, const Clones *clones, const Project *p);
