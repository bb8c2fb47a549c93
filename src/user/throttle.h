/* SPDX-License-Identifier: Apache-2.0
 *
 * Throttle: how many tries are too many. A level counts them and falls by itself; what is below `free` passes, what is above has
 * to wait, longer each time. A try that may not be made changes nothing: whoever hammers waits as long as one who does not, and
 * nobody is locked out for good. Pure; the clock is the caller's. */
#pragma once
#include "base/util.h"

typedef struct ThrottleRule {
	uint32_t free;     /* tries before anybody waits; 0: no throttle */
	int64_t forget_us; /* the level falls by one in this time */
	int64_t delay_us; /* after the first above `free`, doubled with each; 0: until the level is below it */
	int64_t most_us; /* the longest such wait */
} ThrottleRule;

typedef struct Throttle {
	double level;
	int64_t at_us; /* of the level; 0 with level 0: as new */
} Throttle;

/* How long until one may be made; 0: now. */
int64_t throttle_wait_us(const ThrottleRule *rule, const Throttle *t, int64_t now_us);
void throttle_take(const ThrottleRule *rule, Throttle *t, int64_t now_us); /* one is made */
void throttle_give(const ThrottleRule *rule, Throttle *t,
                   int64_t now_us); /* it was a good one after all */
