/* SPDX-License-Identifier: Apache-2.0
 *
 * What baseline.c and baseline_file.c share: rows made of places. */
#pragma once
#include "audit/baseline.h"

typedef struct Place {
	uint64_t print;
	Str path;
	uint32_t count;
	const Finding *finding; /* NULL: from a file */
	Str rule, name;
	double minutes; /* of the row's; 0: another place has them */
} Place;

/* Sorts the places and makes rows of them. Places of one print and path are added up, or (a file's) the largest counts. */
void rows_of(Arena *a, Place *places, size_t count, bool add, Baseline *out);
