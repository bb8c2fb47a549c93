/* SPDX-License-Identifier: Apache-2.0
 *
 * What a step can see, and by when: how many requests of the new side until the judge finds a regression, worked out from
 * the distribution itself (no simulation), and from that how long each step should be. Pure. */
#pragma once
#include "base/json.h"

typedef struct ShiftSize {
	bool reached; /* false: not within what can be worked out in a few milliseconds (many thousand events) */
	double median, p90;   /* requests of the new side */
	double median_events; /* of the new side, in the median case */
} ShiftSize;

/* Until a ratio of events from `from` to `to` is found, new having this share and the evidence its limit (1 / alpha). */
ShiftSize shift_plan_size(double from, double to, double share, double limit);

typedef struct ShiftGoal {
	Str metric;    /* "errors" */
	double from;   /* ratio of events on the old side, as measured; 0: none seen */
	double weight; /* its part of alpha, as in judge.h; 0 counts as 1 */
} ShiftGoal;

typedef struct ShiftDetects {
	Str metric;
	double from, to;
	ShiftSize size;
	double seconds; /* at p90; infinite without traffic */
	double least; /* the smallest multiple of `from` that the step's length finds in nine of ten cases, of those up to 64 and `to`; 0: none */
} ShiftDetects;

enum { SHIFT_PLAN_METRICS = 12 };

typedef struct ShiftStepPlan {
	double share;
	int64_t hold_us;
	uint64_t requests; /* of the new side; with hold_us what judge.h waits for */
	bool capped;       /* the ceiling cut it: the line says what it does not see */
	unsigned count;
	ShiftDetects detects[SHIFT_PLAN_METRICS];
	Str line; /* what it sees and what not, in words; in the arena */
} ShiftStepPlan;

typedef struct ShiftPlanConf {
	double rate;                  /* requests a second of the subject, both sides */
	double alpha;                 /* of the judge, all metrics together */
	int64_t floor_us, ceiling_us; /* of a step; 0: SHIFT_PLAN_FLOOR_US, SHIFT_PLAN_CEILING_US */
	int64_t hold_us;              /* a fixed length instead of `hold: auto`; 0: auto */
} ShiftPlanConf;

/* The probability (0 to 1) that it is found within so many requests of the new side. */
double shift_plan_power(double from, double to, double share, double limit, double requests);

enum { SHIFT_PLAN_LEAST_REQUESTS = 50 }; /* of the new side: no step is over with fewer */
#define SHIFT_PLAN_FLOOR_US (60 * INT64_C(1000000))
#define SHIFT_PLAN_CEILING_US (24 * 3600 * INT64_C(1000000))

/* What a step must be able to see: ten times the ratio of the old side, at least 1 %, at most halfway to all. */
double shift_plan_target(double from);
/* share: of new in this step, 0 to 1 (1 leaves nothing to compare with: hold only). */
ShiftStepPlan shift_plan_step(const ShiftPlanConf *conf, double share, const ShiftGoal *goals,
                              unsigned count, Arena *a);
