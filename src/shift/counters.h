/* SPDX-License-Identifier: Apache-2.0
 *
 * Business counters: which answers have what a team has declared, in a header or in a field of a JSON body.
 *
 * A body is copied as it passes, up to a limit, and read when the request is over: off the user's path. */
#pragma once
#include "gateway/passage.h"
#include "shift/subject.h"

typedef struct Counters Counters;       /* of one route; as long as its configuration */
typedef struct CounterBody CounterBody; /* a copy on its way */

/* *out NULL: there are none. Fails with INVALID "compare.path" where a field is none. */
Err *counters_new(Arena *a, const ShiftConf *conf, const Counters **out) MUST_USE;

typedef struct CounterTrip {
	uint32_t measured, with; /* a bit a counter */
	CounterBody *body;       /* NULL: none is wanted */
} CounterTrip;

/* Of one request, in this order; none parks. */
void counters_answer(const Counters *counters, Subject *s, const Passage *p, CounterTrip *trip);
void counters_piece(const Passage *p, CounterTrip *trip, Str piece);
/* It is over, and failed or not: s is told, now or when the body is read. counted: all but the bits. */
void counters_done(const Counters *counters, Subject *s, const Passage *p, CounterTrip *trip,
                   bool failed, SubjectCounted *counted);
void counters_drop(CounterTrip *trip); /* it says nothing after all */

/* Once, before anything is served; waits for those that are read. On loop 0; end parks. */
void counters_begin(void);
void counters_end(void);
