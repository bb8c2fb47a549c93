/* SPDX-License-Identifier: Apache-2.0
 *
 * A binary heap of alarms a loop, and a thread that asks the kernel to be woken within a nanosecond of the first one (its
 * timer slack is 50 us otherwise). The loop waits with epoll_pwait2, whose time is not rounded to milliseconds, as long as
 * an alarm is set. Microseconds are all that the rest of the runtime counts in, and less than a wake-up takes. */
#include "rt/precise.h"

#include "rt/rt_int.h"

#include <stdlib.h>
#include <sys/prctl.h>

static bool before(const Alarm *x, const Alarm *y)
{
	return x->at_us < y->at_us;
}

static void put(Alarms *heap, uint32_t place, Alarm *alarm)
{
	heap->at[place - 1] = alarm;
	alarm->place = place;
}

static void rise(Alarms *heap, Alarm *alarm)
{
	uint32_t place = alarm->place;

	for (; place > 1 && before(alarm, heap->at[place / 2 - 1]); place /= 2)
		put(heap, place, heap->at[place / 2 - 1]);
	put(heap, place, alarm);
}

static void sink(Alarms *heap, Alarm *alarm)
{
	uint32_t place = alarm->place;

	for (;;) {
		uint32_t child = place * 2;

		if (child < heap->count && before(heap->at[child], heap->at[child - 1]))
			child++;
		if (child > heap->count || !before(heap->at[child - 1], alarm))
			break;
		put(heap, place, heap->at[child - 1]);
		place = child;
	}
	put(heap, place, alarm);
}

static void make_room(Alarms *heap)
{
	if (heap->count < heap->cap)
		return;
	if (!heap->cap)
		prctl(PR_SET_TIMERSLACK, 1UL);
	heap->cap = heap->cap ? heap->cap * 2 : 64;
	heap->at = realloc(heap->at, heap->cap * sizeof(Alarm *));
	if (!heap->at)
		abort();
}

void alarm_set(Alarm *alarm, int64_t at_us)
{
	Alarms *heap = &loop_self()->alarms;

	alarm_remove(alarm);
	make_room(heap);
	alarm->at_us = at_us;
	alarm->place = ++heap->count;
	rise(heap, alarm);
}

void alarm_remove(Alarm *alarm)
{
	Alarms *heap = &loop_self()->alarms;
	Alarm *last;

	if (!alarm->place)
		return;
	last = heap->at[--heap->count];
	if (last != alarm) {
		put(heap, alarm->place, last);
		rise(heap, last);
		sink(heap, last);
	}
	alarm->place = 0;
}

int64_t alarms_next_us(const Alarms *heap)
{
	return heap->count ? heap->at[0]->at_us : INT64_MAX;
}

void alarms_fire(Alarms *heap, int64_t now_us)
{
	while (heap->count && heap->at[0]->at_us <= now_us) {
		Alarm *alarm = heap->at[0];

		alarm_remove(alarm);
		alarm->fire(alarm);
	}
}

typedef struct Sleeper {
	Alarm alarm; /* first */
	Fiber *fiber;
} Sleeper;

static void wake_sleeper(Alarm *alarm)
{
	fiber_wake(((Sleeper *)alarm)->fiber);
}

static void sleeper_end(Sleeper *sleeper)
{
	alarm_remove(&sleeper->alarm);
}

Err *fiber_sleep_until(int64_t at_us)
{
	AUTO(sleeper_end) Sleeper sleeper = { ALARM_INIT(wake_sleeper), fiber_self() };

	if (at_us > loop_now_us())
		alarm_set(&sleeper.alarm, at_us);
	while (loop_now_us() < at_us)
		TRY(fiber_park());
	return NULL;
}
