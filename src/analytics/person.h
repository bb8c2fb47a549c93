/* SPDX-License-Identifier: Apache-2.0
 *
 * Persons: the same one under several names. What is said to be one (a visitor who logs in) is kept as pairs of numbers, only ever
 * added; who they all are is the smallest number of those connected, whatever order the pairs came in. */
#pragma once
#include "analytics/analytics_int.h"
#include "analytics/hit.h"

/* $identify ($anon_distinct_id) and $create_alias (alias) among these. Parks. */
Err *persons_merge_of(Analytics *s, Arena *a, const Hit *hits, size_t count) MUST_USE;
/* Both names get numbers where they have none. Said twice: the same as once. Parks. */
Err *person_merge(Db *db, Arena *a, int64_t project, Str one, Str other) MUST_USE;

/* For each number the number it counts as; NULL when nobody was merged. *most: the highest number. */
typedef struct Persons {
	uint32_t *roots; /* of 0 .. most */
	uint32_t most;
} Persons;
Err *persons_load(Db *db, Arena *a, int64_t project, Persons *out) MUST_USE;
/* Pure: the pairs as roots. */
uint32_t *persons_join(Arena *a, uint32_t most, const uint32_t (*pairs)[2], size_t count);
static inline uint32_t person_root(const Persons *p, uint32_t number)
{
	return p->roots && number <= p->most ? p->roots[number] : number;
}

Str failed_text(Arena *a, Str raw); /* as it may be kept: UTF-8, cut */
