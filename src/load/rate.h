/* SPDX-License-Identifier: Apache-2.0
 *
 * When requests are due in the open model: a rate over time, and the moments it gives. Pure.
 *
 * A plan is a list of stages, each a rate that goes from one value to another in a straight line. The number of arrivals
 * up to a moment is the area below it; the k-th is due where that area is k. Constant arrivals take k = 1, 2, 3 ...;
 * Poisson arrivals take k as a sum of exponential gaps of mean 1, which is a Poisson process of exactly that rate whatever
 * its shape (time rescaling; Cox and Lewis 1966). */
#pragma once
#include "base/util.h"

#include <stddef.h>
#include <stdint.h>

typedef struct RateStage {
	double from, to; /* a second */
	int64_t us;      /* > 0 */
} RateStage;

/* Arrivals due in the first `us` of the plan. */
double rate_area(const RateStage *stages, size_t count, int64_t us);
int64_t rate_length_us(const RateStage *stages, size_t count);
double rate_at(const RateStage *stages, size_t count,
               int64_t us); /* the rate itself; 0 after the end */
double rate_peak(const RateStage *stages, size_t count);

/* One of `parts` processes or threads that share a plan. */
typedef struct Arrivals {
	const RateStage *stages;
	size_t count;
	bool poisson;
	unsigned part, parts;
	/* where it is */
	size_t stage;
	double before;     /* area of the stages before this one */
	int64_t before_us; /* and their time */
	double area;       /* of the arrival given out last */
} Arrivals;

Arrivals arrivals_begin(const RateStage *stages, size_t count, bool poisson, unsigned part,
                        unsigned parts);
/* Moment of the next arrival from the plan's start; false after the last. Uses rand_u64 when poisson. */
bool arrivals_next(Arrivals *arrivals, double *at_us);
