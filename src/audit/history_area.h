/* SPDX-License-Identifier: Apache-2.0
 *
 * The history of areas: a change set touches the areas that its files lie in, and what is asked of files can be asked of these. Pure. */
#pragma once
#include "audit/history.h"
#include "audit/area.h"
#include "base/json.h"

typedef struct AreaOwner {
	uint32_t area; /* index of Areas.names */
	uint32_t sets, recent, fixes, people;
	uint32_t alone;           /* sets that touch no other area */
	uint32_t main, main_sets; /* index of History.authors */
	double fractal;
	uint32_t bus_factor; /* how many of its people made half of its sets */
	bool left;           /* none of these made a commit in the last year */
} AreaOwner;

typedef struct AreaHistory {
	Areas areas;
	History sets;        /* its files are the areas with a history, under their names */
	Couplings couplings; /* indexes of sets.files */
	AreaOwner *owners;   /* by name; areas with a history */
	size_t count;
} AreaHistory;

/* Files whose path is in no area are not counted. Only code, tests and migrations that are Python: *.py. */
void history_areas(Arena *a, const History *h, const Areas *areas, AreaHistory *out);
/* {areas: [{name, changes, changes_last_year, fixes, alone, people, main, main_changes, fractal_value, bus_factor, left}],
 * couplings: [{one, other, degree, shared, average, p}]}. */
void history_areas_put(JsonWriter *w, const AreaHistory *h);
