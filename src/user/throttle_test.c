/* SPDX-License-Identifier: Apache-2.0 */
#include "user/throttle.c"

#include "base/time.h"
#include "unit.h"

#define S_(n) ((n)*US_PER_S)

static const ThrottleRule account = {
	.free = 5, .forget_us = S_(900), .delay_us = S_(1), .most_us = S_(900)
};
/* As account, but that nothing is forgotten while it is looked at. */
static const ThrottleRule slow = {
	.free = 5, .forget_us = S_(1000000), .delay_us = S_(1), .most_us = S_(900)
};
static const ThrottleRule address = { .free = 20, .forget_us = S_(30) };

TEST(the_first_tries_are_free_then_each_waits_twice_as_long)
{
	static const int64_t waits_s[] = { 0,  0,  0,  0,   0,   1,   2,   4,  8,
		                           16, 32, 64, 128, 256, 512, 900, 900 };
	Throttle t = { 0 };
	int64_t now = S_(1000000);

	for (size_t i = 0; i < COUNT(waits_s); i++) {
		int64_t wait = throttle_wait_us(&slow, &t, now);

		NOTE("try %zu", i);
		CHECK_INT(wait, S_(waits_s[i]));
		CHECK(!wait || throttle_wait_us(&slow, &t, now + wait - 1) > 0);
		now += wait;
		CHECK_INT(throttle_wait_us(&slow, &t, now), 0);
		throttle_take(&slow, &t, now);
	}
}

TEST(asking_while_one_has_to_wait_makes_it_no_longer)
{
	Throttle t = { 0 };
	int64_t now = S_(1000000), wait;

	for (int i = 0; i < 8; i++)
		throttle_take(&account, &t, now);
	wait = throttle_wait_us(&account, &t, now);
	CHECK_INT(wait, S_(8));
	for (int64_t i = 0; i < 8; i++)
		CHECK_INT(throttle_wait_us(&account, &t, now + S_(i)), S_(8 - i));
}

TEST(tries_are_forgotten)
{
	Throttle t = { 0 };
	int64_t now = S_(1000000);

	for (int i = 0; i < 10; i++)
		throttle_take(&account, &t, now);
	CHECK(throttle_wait_us(&account, &t, now) > 0);
	now += S_(900) * 10;
	for (int i = 0; i < 5; i++) {
		CHECK_INT(throttle_wait_us(&account, &t, now), 0);
		throttle_take(&account, &t, now);
	}
	CHECK(throttle_wait_us(&account, &t, now) > 0);
}

TEST(a_bucket_lets_through_its_rate_and_no_more)
{
	Throttle t = { 0 };
	int64_t begin = S_(1000000), passed = 0;

	for (int64_t ms = 0; ms < 600 * 1000; ms += 100) {
		int64_t now = begin + ms * US_PER_MS;

		if (!throttle_wait_us(&address, &t, now)) {
			throttle_take(&address, &t, now);
			passed++;
		}
	}
	CHECK(passed >= 20 + 600 / 30 - 1 && passed <= 20 + 600 / 30 + 1);
}

TEST(a_bucket_tells_when_the_next_may_come)
{
	Throttle t = { 0 };
	int64_t now = S_(1000000), wait;

	for (int i = 0; i < 20; i++)
		throttle_take(&address, &t, now);
	wait = throttle_wait_us(&address, &t, now);
	CHECK(wait >= S_(30) && wait <= S_(30) + 2);
	CHECK(throttle_wait_us(&address, &t, now + wait - 100) > 0);
	CHECK_INT(throttle_wait_us(&address, &t, now + wait), 0);
}

TEST(good_tries_are_given_back)
{
	Throttle t = { 0 };
	int64_t now = S_(1000000);

	for (int i = 0; i < 1000; i++) {
		CHECK_INT(throttle_wait_us(&address, &t, now), 0);
		throttle_take(&address, &t, now);
		throttle_give(&address, &t, now);
	}
}

TEST(without_free_tries_there_is_no_throttle)
{
	static const ThrottleRule none = { 0 };
	Throttle t = { 0 };

	for (int i = 0; i < 100; i++) {
		CHECK_INT(throttle_wait_us(&none, &t, 1), 0);
		throttle_take(&none, &t, 1);
	}
	CHECK(t.level == 0);
}

TEST(a_clock_that_goes_back_frees_nobody)
{
	Throttle t = { 0 };
	int64_t now = S_(1000000);

	for (int i = 0; i < 20; i++)
		throttle_take(&address, &t, now);
	CHECK(throttle_wait_us(&address, &t, now - S_(1000)) > 0);
	throttle_take(&address, &t, now - S_(1000));
	CHECK_INT(t.at_us, now);
}
