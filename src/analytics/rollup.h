/* SPDX-License-Identifier: Apache-2.0
 *
 * Rollup: a day counted once for all: of each event's name and each hour of UTC how many and by how many persons. It counts for the
 * version of the day that it was made of (days.version); a day that changed is counted anew. */
#pragma once
#include "analytics/query.h"
#include "analytics/sketch.h"

enum { ROLLUP_HOURS = 24 };

typedef struct RollupName {
	Str name;
	uint64_t counts[ROLLUP_HOURS];
	Sketch persons[ROLLUP_HOURS]; /* numbers as they came: nobody merged */
} RollupName;
struct Rollup {
	RollupName *names; /* by name */
	size_t count;
	uint64_t events;
};

void rollup_fini(Rollup *r); /* its sketches */
/* The same counts are the same bytes. */
void rollup_put(Buf *b, const Rollup *r);
/* Fails with IO "analytics.damaged"; rollup_fini then too. */
Err *rollup_read(Arena *a, Str bytes, Rollup *out) MUST_USE;

/* From the events. here: without a worker, for whoever is in a transaction. Parks. */
Err *rollup_make(Db *db, Arena *a, int64_t project, int64_t day, bool here, Rollup *out) MUST_USE;
/* Days that are over and are not counted, or changed since; some of them. *counted: how many. Parks. */
Err *rollup_some(Db *db, Arena *a, int64_t now_us, size_t *counted) MUST_USE;
