/* SPDX-License-Identifier: Apache-2.0
 *
 * The monotonic clock, cheap and late: what a precise reading costs can be more than a hit in memory. Any thread. */
#pragma once
#include "base/time.h"

#include <time.h>

enum { COARSE_LAG_US = 20000 }; /* it is behind by less than this, and never ahead */

static inline int64_t coarse_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}
