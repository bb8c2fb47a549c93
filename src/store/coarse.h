/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks, cheap and late: what a precise reading costs can be more than a hit in memory. Any thread. */
#pragma once
#include "base/time.h"

#include <time.h>

enum { COARSE_LAG_US = 20000 }; /* it is behind by less than this, and never ahead */

static inline int64_t coarse_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static inline int64_t coarse_us(void) /* monotonic */
{
	return coarse_of(CLOCK_MONOTONIC_COARSE);
}

static inline int64_t coarse_utc_us(void)
{
	return coarse_of(CLOCK_REALTIME_COARSE);
}
