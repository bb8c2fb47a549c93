/* SPDX-License-Identifier: Apache-2.0
 *
 * Erase: everything that is kept of a person goes. */
#pragma once
#include "analytics/analytics_int.h"

typedef struct Erased {
	uint64_t names;  /* that the person had */
	uint64_t events; /* that are gone */
} Erased;

/* Whoever this name is of, under all names that were said to be the same person: events, names, merges, failed events that hold the
 * name. What such a client sends later is of somebody new. Again: nothing more to do. Parks, as long as it takes to look at all days. */
Err *erase_person(Db *db, Arena *a, int64_t project, Str name, Erased *out) MUST_USE;
/* The same by a job, and once more after the time that processes remember numbers: *id is its. */
Err *erase_later(Db *db, Arena *a, int64_t project, Str name, Uuid *id) MUST_USE;
