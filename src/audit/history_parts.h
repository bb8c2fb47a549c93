/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of parts: a change set touches the parts that its files lie in, and what is asked of files can be asked of these. Pure. */
#pragma once
#include "audit/history.h"
#include "audit/parts.h"

typedef struct PartOwner {
	uint32_t part; /* index of Parts.names */
	uint32_t sets, recent, fixes, people;
	uint32_t alone;           /* sets that touch no other part */
	uint32_t main, main_sets; /* index of History.authors */
	double fractal;
	uint32_t bus_factor; /* how many of its people made half of its sets */
	bool left;           /* none of these made a commit in the last year */
} PartOwner;

typedef struct PartHistory {
	Parts parts;
	History sets;        /* its files are the parts with a history, under their names */
	Couplings couplings; /* indexes of sets.files */
	PartOwner *owners;   /* by name; parts with a history */
	size_t count;
} PartHistory;

/* Files whose path is in no part are not counted. Only code, tests and migrations that are Python: *.py. */
void history_parts(Arena *a, const History *h, const Parts *parts, PartHistory *out);
/* An array: {name, changes, changes_last_year, fixes, alone, people, main, main_changes, fractal_value, bus_factor, left, couplings: [{name,
 * degree, shared, average, p}]}. */
void history_parts_put(JsonWriter *w, const PartHistory *h, const History *of);
