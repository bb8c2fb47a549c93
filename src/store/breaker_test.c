/* SPDX-License-Identifier: Apache-2.0 */
#include "store/breaker.c"

#include "unit.h"

static const BreakerConf conf = { .failures = 3, .wait_us = 1000, .wait_max_us = 8000 };

TEST(breaker_opens_at_failures_in_a_row_only)
{
	Breaker b = { 0 };

	CHECK(!breaker_failed(&b, &conf, 1));
	CHECK(!breaker_failed(&b, &conf, 2));
	breaker_worked(&b);
	CHECK(!breaker_failed(&b, &conf, 3));
	CHECK(!breaker_failed(&b, &conf, 4));
	CHECK(breaker_failed(&b, &conf, 5));
	CHECK(b.open);
	CHECK(!breaker_failed(&b, &conf, 6));
	CHECK(breaker_close(&b, 7));
	CHECK(!breaker_close(&b, 8));
	CHECK(!b.open);
}

TEST(breaker_waits_double_within_their_jitter_up_to_the_most)
{
	for (int round = 0; round < 1000; round++) {
		Breaker b = { 0 };
		static const int64_t want[] = { 1000, 2000, 4000, 8000, 8000, 8000 };

		for (size_t i = 0; i < COUNT(want); i++) {
			NOTE("wait %zu", i);
			CHECK_INT(breaker_trip(&b, &conf, 100), i == 0);
			CHECK(b.try_at_us - 100 > want[i] / 2);
			CHECK(b.try_at_us - 100 <= want[i] * 3 / 2);
		}
	}
	CHECK(breaker_wait_us(0, 0, 1) > 0);
	CHECK(breaker_wait_us(1, INT64_MAX / 4, 64) > INT64_MAX / 8);
}

TEST(breaker_that_closed_for_a_moment_goes_on_where_it_was)
{
	Breaker b = { 0 };

	breaker_trip(&b, &conf, 0);
	breaker_trip(&b, &conf, 0);
	breaker_close(&b, 10000);
	breaker_trip(&b, &conf, 10001);
	CHECK_INT(b.tries, 3);
	breaker_close(&b, 20000);
	breaker_trip(&b, &conf, 28000);
	CHECK_INT(b.tries, 1);
}
