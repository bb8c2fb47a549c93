/* SPDX-License-Identifier: Apache-2.0
 *
 * Periods of a subscription on the clocks of its zone, and what a part of one costs. Pure; nothing parks. Moments are microseconds of UTC. */
#pragma once
#include "base/str.h"

typedef struct Zone Zone;

typedef enum Every { EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_YEAR, EVERIES } Every;
Str every_name(Every every); /* "month" */
bool every_read(Str text, Every *out);

typedef struct Rhythm {
	const Zone *zone;
	int64_t anchor_us; /* a period begins there; others so many days, weeks, months, years before and after */
	Every every;
	int64_t count; /* 1 and more: every three months */
} Rhythm;

/* The n-th boundary from the anchor, which is 0. On the same day of the month and at the same time of the day, as clocks there show
 * it; a month that has no such day ends it on its last. Always counted from the anchor, so the 31st comes back after February. */
int64_t rhythm_boundary(const Rhythm *rhythm, int64_t n);

typedef struct Period {
	int64_t start_us, end_us; /* start <= moment < end */
} Period;
/* The period that a moment lies in. */
Period rhythm_period(const Rhythm *rhythm, int64_t at_us);

/* The dates of a period that are left at a moment, the moment's own among them, out of all of them: on the day that it begins all
 * are left. A day is a date, however many hours a change of the clocks gives it. */
typedef struct Share {
	int64_t left, all; /* 0 <= left <= all, all > 0 */
} Share;
Share proration_share(const Zone *zone, Period period, int64_t at_us);
/* That part of an amount; a half is rounded away from zero, so that what is charged and given back for the same days is the same. */
int64_t proration_part(int64_t amount, Share share);

/* An amount shared out by weights (not negative, not all 0) without losing a unit: each gets its part rounded down, and those with
 * the largest remainders, the first of equal ones, one more. */
void money_allocate(int64_t amount, const int64_t *weights, size_t count, int64_t *parts);
/* quantity * unit; false: it is beyond what money may be. */
bool money_times(int64_t unit, int64_t quantity, int64_t *out);
