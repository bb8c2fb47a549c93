/* SPDX-License-Identifier: Apache-2.0
 *
 * What is usually changed together with a file: asked of a change that is to be, it tells what may have been forgotten. Pure. */
#pragma once
#include "audit/history.h"

typedef struct Companion {
	Str changed, absent; /* today's paths */
	uint32_t shared, of; /* change sets with both, of those with the changed one */
	double p;            /* by chance alone; Fisher's exact test, as of couplings */
} Companion;

typedef struct Companions {
	Companion *at; /* the surest first: shared / of, then shared */
	size_t count;
} Companions;

typedef struct CompanionRules {
	uint32_t shared;  /* at least */
	uint32_t percent; /* of the changed file's sets, at least */
	double p;         /* below */
} CompanionRules;
#define COMPANION_RULES ((CompanionRules){ 5, 70, 0.05 })

/* The files, each named once by the surest of the changed ones, that are usually changed with these and are not among them. Only such as are there
 * now (`there`, sorted: paths of the newest tree; NULL: all that the history knows). */
Companions companions_absent(Arena *a, const History *h, const Str *changed, size_t count,
                             const Str *there, size_t there_count, CompanionRules rules);
