/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/loop.c"

#include "base/arena.h"
#include "unit.h"

static const int64_t LONG_US = 60000; /* between two bounds of the histogram: 50 ms and 100 ms */

static void burn(int64_t us)
{
	int64_t until = time_mono_us() + us;

	while (time_mono_us() < until)
		;
}

/* A turn of its own: the park ends the one before. */
static Err *burn_twice(void *arg)
{
	(void)arg;
	TRY(fiber_sleep(1));
	burn(LONG_US);
	TRY(fiber_sleep(1));
	burn(LONG_US);
	return NULL;
}

/* Turns that took longer than 50 ms. */
static int64_t long_turns(Arena *a)
{
	AUTO(buf_fini) Buf out = { 0 };
	uint64_t count[2];
	const Str marks[] = { S("_bucket{le=\"0.05\"} "), S("_bucket{le=\"+Inf\"} ") };

	metrics_put(&out);
	for (size_t i = 0; i < COUNT(marks); i++) {
		Str text = buf_str(&out), line;
		ptrdiff_t at = str_find(text, str_fmt(a, "banyan_loop_turn_seconds%.*s",
		                                      STR_ARG(marks[i])));

		CHECK(at >= 0);
		text = str_sub(text, (size_t)at, text.len);
		str_split(&text, '\n', &line);
		CHECK(str_to_u64(str_sub(line, (size_t)str_find_char(line, ' ') + 1, line.len),
		                 &count[i]));
	}
	return (int64_t)(count[1] - count[0]);
}

TEST(a_fiber_that_makes_others_wait_is_seen_in_the_turns)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 2 }, burn_twice, NULL));
	CHECK(long_turns(a) >= 2);
	CHECK(metric_value(turns) > 2);
}
