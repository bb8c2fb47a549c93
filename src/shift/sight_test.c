/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/sight.c"

#include "unit.h"

#define AT (INT64_C(1700000000) * US_PER_S)

static void second(Sight *s, int64_t n, unsigned requests, unsigned failed, int64_t took_us)
{
	for (unsigned i = 0; i < requests; i++)
		sight_note(s, JUDGE_NEW, i < failed, took_us);
	sight_turn(s, AT + n * US_PER_S, NULL, 0);
}

TEST(sight_at_rest_knows_the_old_side_only)
{
	Sight s = { 0 };
	int64_t slow_us[3];

	for (int i = 0; i < SIGHT_ENOUGH - 1; i++)
		sight_note(&s, JUDGE_OLD, false, 1000);
	CHECK(!sight_slow(&s, slow_us));
	sight_note(&s, JUDGE_OLD, false, 1000);
	CHECK(sight_slow(&s, slow_us));
	CHECK(slow_us[0] >= 1000 && slow_us[0] < 1020);
	CHECK(!sight_point(&s, 0));
	sight_fini(&s);
}

TEST(sight_of_ten_seconds)
{
	Sight s = { 0 };
	SightNow now;

	sight_close_up(&s);
	for (int i = 0; i < 20; i++)
		second(&s, i, 10, i >= 10, 5000);
	now = sight_now(&s, JUDGE_NEW);
	CHECK(now.rate == 10);
	CHECK(now.errors > 0.099 && now.errors < 0.101);
	CHECK(now.p99_us >= 5000 && now.p99_us < 5100);
	CHECK_INT(sight_point(&s, 0)->at_us, AT + 19 * US_PER_S);
	CHECK_INT(sight_point(&s, 19)->at_us, AT);
	CHECK(!sight_point(&s, 20));
	sight_fini(&s);
}

TEST(sight_keeps_ten_minutes)
{
	Sight s = { 0 };

	sight_close_up(&s);
	for (int i = 0; i < 2 * SIGHT_POINTS + 5; i++)
		second(&s, i, 1, 0, 1000);
	CHECK_INT(sight_point(&s, SIGHT_POINTS - 1)->at_us, AT + (SIGHT_POINTS + 5) * US_PER_S);
	CHECK(!sight_point(&s, SIGHT_POINTS));
	sight_fini(&s);
}

TEST(sight_forgets_times_of_long_ago)
{
	Sight s = { 0 };
	int64_t slow_us[3];

	for (int i = 0; i < 1000; i++)
		sight_note(&s, JUDGE_OLD, false, 900000);
	for (int64_t at = 0; at <= 3 * WINDOW_US; at += 60 * US_PER_S)
		sight_turn(&s, AT + at, NULL, 0);
	for (int i = 0; i < SIGHT_ENOUGH; i++)
		sight_note(&s, JUDGE_OLD, false, 1000);
	CHECK(sight_slow(&s, slow_us));
	CHECK(slow_us[2] < 1100);
	sight_fini(&s);
}

TEST(sight_of_failures_says_no_time)
{
	Sight s = { 0 };

	sight_close_up(&s);
	second(&s, 0, 5, 5, 900000);
	CHECK_INT(sight_now(&s, JUDGE_NEW).p99_us, 0);
	CHECK(sight_now(&s, JUDGE_NEW).errors == 1);
	sight_fini(&s);
}
