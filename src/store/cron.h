/* SPDX-License-Identifier: Apache-2.0
 *
 * Cron lines: when something is to be done again and again, by the wall clock of a time zone.
 *
 *   MINUTE HOUR DAY MONTH WEEKDAY [ZONE]        "30 2 * * mon-fri Europe/Berlin"; UTC when no zone is named
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually [ZONE]
 *
 * A field: a star, a number, a range 1-5, a list 1,15,30, a step 8-18/2 or 5/10 (from 5 on) or a star with one; months and
 * weekdays also as jan, mon; Sunday is 0 and 7. When DAY and WEEKDAY are both narrowed either will do, as in every cron.
 *
 * When clocks are put forward or back: a line with a star at the beginning of MINUTE or HOUR goes by what clocks show: nothing in
 * the hour that is left out, twice in the hour that is repeated. Any other line stands for certain times of a day and runs
 * once a day at each: what falls into the hour that is left out runs at the moment of the leap (several times in it: once),
 * what falls into the hour that is repeated runs the first time. Pure; any thread. */
#pragma once
#include "base/err.h"

typedef struct Zone Zone;

typedef struct Cron {
	uint64_t minutes; /* a bit each */
	uint32_t hours, days, months;
	uint8_t weekdays;
	bool any_day, any_weekday; /* that field begins with a star */
	bool by_clock;             /* see above */
	const Zone *zone;
} Cron;

/* Without ZONE: that is given. Fails with INVALID "cron.syntax" (the sentence names the field) and "cron.never": 30 February. */
Err *cron_read(Arena *a, Str line, const Zone *zone, Cron *out) MUST_USE;
/* With ZONE, whose file is read: see zone_load, which adds its errors. */
Err *cron_load(Arena *a, Str line, Cron *out) MUST_USE;

/* The first time after that moment, both microseconds of UTC. Every line that was read has one for years to come; false past the
 * year 9000. */
bool cron_next(const Cron *cron, int64_t after_us, int64_t *out);
