/* SPDX-License-Identifier: Apache-2.0
 *
 * Alarms: for who must act at a moment and not soon after it (the load generator's arrivals). Never early; late by what
 * the kernel needs to wake a thread, some 50 us, and by what the loop does in that turn. A thread that never sets one
 * pays nothing; timers (loop.h) are for everything that is only limited. */
#pragma once
#include "rt/loop.h"

typedef struct Alarm Alarm;
struct Alarm {
	int64_t at_us;              /* loop_now_us() scale */
	uint32_t place;             /* in the loop's heap, from 1; 0: not set */
	void (*fire)(Alarm *alarm); /* outside any fiber; it is not set any more */
};
#define ALARM_INIT(fn) \
	{ \
		.fire = (fn) \
	}

/* This thread's loop; in place in what it wakes. O(log n). */
void alarm_set(Alarm *alarm, int64_t at_us); /* moves it when it is set */
void alarm_remove(Alarm *alarm);             /* fine when it is not set */

/* Parks until then; at once when that is over. Ends early only with an error, as every park. */
Err *fiber_sleep_until(int64_t at_us) MUST_USE;
