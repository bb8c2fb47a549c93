/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/timer.c"

#include "base/rand.h"
#include "unit.h"

#include <string.h>

typedef struct Probe {
	Timer timer;
	int64_t due_us;
	int fired;
	int64_t fired_us;
} Probe;

static int64_t now_us;

static void probe_fire(Timer *timer)
{
	Probe *probe = CONTAINER(timer, Probe, timer);

	probe->fired++;
	probe->fired_us = now_us;
}

static void hang(Wheel *wheel, Probe *probe, int64_t at_us)
{
	*probe = (Probe){ .timer = TIMER_INIT(probe_fire), .due_us = at_us };
	probe->timer.at_us = at_us;
	wheel_hang(wheel, &probe->timer);
}

TEST(a_timer_fires_once_never_early_and_at_most_a_tick_late)
{
	static const int64_t after_us[] = {
		0,
		1,
		8191,
		8192,
		8193,
		524287,
		524288,
		524289,
		33554431,
		33554432,
		33554433,
		INT64_C(2147483648),
		INT64_C(137438953472) - 1,
		INT64_C(137438953472),
		INT64_C(400000000000),
	};
	static const int64_t starts_us[] = { 0, 8191, 524288 * 63 + 5, INT64_C(123456789012) };

	for (size_t s = 0; s < COUNT(starts_us); s++) {
		for (size_t i = 0; i < COUNT(after_us); i++) {
			Wheel wheel;
			Probe probe;

			NOTE("start %" PRId64 " after %" PRId64, starts_us[s], after_us[i]);
			now_us = starts_us[s];
			wheel_init(&wheel, now_us);
			hang(&wheel, &probe, now_us + after_us[i]);
			while (!probe.fired) {
				int64_t next = wheel_next_us(&wheel);

				CHECK(next != INT64_MAX);
				now_us = MAX(next, now_us);
				wheel_advance(&wheel, now_us);
			}
			CHECK(probe.fired_us >= probe.due_us);
			CHECK(probe.fired_us <= probe.due_us + 2 * 8192);
			CHECK_INT(wheel_next_us(&wheel), INT64_MAX);
		}
	}
}

enum { PROBES = 2000 };

TEST(random_timers_fire_in_their_tick_however_time_passes)
{
	static Probe probes[PROBES];
	Wheel wheel;
	int fired = 0;

	now_us = 1000000;
	wheel_init(&wheel, now_us);
	for (int i = 0; i < PROBES; i++)
		hang(&wheel, &probes[i], now_us + (int64_t)rand_below(100000000));
	while (fired < PROBES) {
		now_us += (int64_t)rand_below(50000);
		wheel_advance(&wheel, now_us);
		fired = 0;
		for (int i = 0; i < PROBES; i++) {
			fired += probes[i].fired;
			CHECK(probes[i].fired <= 1);
			CHECK(!probes[i].fired || probes[i].fired_us >= probes[i].due_us);
			CHECK(probes[i].fired || probes[i].due_us + 8192 > now_us);
		}
	}
}

TEST(a_timer_moved_later_is_hung_anew_and_one_cleared_never_fires)
{
	Wheel wheel;
	Probe moved, cleared;

	now_us = 0;
	wheel_init(&wheel, now_us);
	hang(&wheel, &moved, 10000);
	hang(&wheel, &cleared, 10000);
	moved.timer.at_us = 100000;
	timer_clear(&cleared.timer);
	now_us = 50000;
	wheel_advance(&wheel, now_us);
	CHECK_INT(moved.fired, 0);
	CHECK(!node_linked(&cleared.timer.node));
	now_us = 110000;
	wheel_advance(&wheel, now_us);
	CHECK_INT(moved.fired, 1);
	CHECK_INT(cleared.fired, 0);
}

static Wheel *again_wheel;

static void fire_again(Timer *timer)
{
	Probe *probe = CONTAINER(timer, Probe, timer);

	if (++probe->fired < 5) {
		timer->at_us = now_us; /* due at once: still not before the next tick */
		wheel_hang(again_wheel, timer);
	}
}

TEST(a_timer_that_sets_itself_again_waits_for_the_next_tick)
{
	Wheel wheel;
	Probe probe;

	now_us = 0;
	wheel_init(&wheel, now_us);
	again_wheel = &wheel;
	hang(&wheel, &probe, 5000);
	probe.timer.fire = fire_again;
	for (int i = 1; i <= 10; i++) {
		now_us = i * 8192;
		wheel_advance(&wheel, now_us);
		CHECK_INT(probe.fired, MIN(i, 5));
	}
}
