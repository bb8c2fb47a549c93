/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/precise.c"

#include "base/rand.h"
#include "base/time.h"
#include "unit.h"

static Err *run(void *body)
{
	void (*fn)(void) = *(void (**)(void))body;

	fn();
	return NULL;
}

static void in_runtime(void (*body)(void))
{
	RtConf conf = { .loops = 1, .workers = 1 };

	CHECK_OK(rt_run(&conf, run, &body));
}

enum { MANY = 500 };

typedef struct Probe {
	Alarm alarm; /* first */
	int64_t fired_us;
	bool removed;
} Probe;

static int64_t last_due_us;
static unsigned fired, disorder;

static void note(Alarm *alarm)
{
	((Probe *)alarm)->fired_us = loop_now_us();
	disorder += alarm->at_us < last_due_us;
	last_due_us = alarm->at_us;
	fired++;
}

static void set_move_and_remove(void)
{
	static Probe probes[MANY];
	unsigned expected = 0;
	int64_t start_us = loop_now_us();

	fired = disorder = 0;
	last_due_us = 0;
	for (unsigned i = 0; i < MANY; i++) {
		probes[i] = (Probe){ .alarm = ALARM_INIT(note) };
		alarm_set(&probes[i].alarm, start_us + 1000000 + (int64_t)rand_below(1000));
	}
	for (unsigned i = 0; i < MANY; i++) {
		probes[i].removed = rand_below(3) == 0;
		if (probes[i].removed)
			alarm_remove(&probes[i].alarm);
		else
			alarm_set(&probes[i].alarm, start_us + (int64_t)rand_below(20000));
		expected += !probes[i].removed;
	}
	CHECK_OK(fiber_sleep_until(start_us + 20000));
	CHECK_OK(fiber_yield());
	CHECK_INT(fired, expected);
	CHECK_INT(disorder, 0);
	for (unsigned i = 0; i < MANY; i++) {
		CHECK_INT(probes[i].alarm.place, 0);
		CHECK(probes[i].removed ? !probes[i].fired_us
		                        : probes[i].fired_us >= probes[i].alarm.at_us);
	}
}

TEST(alarms_fire_in_order_never_early_and_only_when_they_are_set)
{
	in_runtime(set_move_and_remove);
}

static void sleep_in_small_steps(void)
{
	int64_t at_us = loop_now_us();

	for (unsigned i = 0; i < 200; i++) {
		at_us += 150;
		CHECK_OK(fiber_sleep_until(at_us));
		CHECK(loop_now_us() >= at_us);
	}
	CHECK_OK(fiber_sleep_until(at_us - 1)); /* it is over: no wait */
}

TEST(a_sleep_until_a_moment_never_ends_before_it)
{
	in_runtime(sleep_in_small_steps);
}

static void cancel_a_sleep(void)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(1000);

	CHECK_ERR(fiber_sleep_until(loop_now_us() + 60 * US_PER_S), "rt.deadline");
	deadline_end(&limit);
	CHECK_INT(loop_self()->alarms.count, 0);
	fiber_cancel_at_park(1);
	CHECK_ERR(fiber_sleep_until(loop_now_us() + 60 * US_PER_S), "rt.cancelled");
	CHECK_INT(loop_self()->alarms.count, 0);
}

TEST(a_sleep_that_is_cut_leaves_no_alarm_behind)
{
	in_runtime(cancel_a_sleep);
}
