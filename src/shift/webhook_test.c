/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/webhook.c"

#include "unit.h"

TEST(tries_come_from_a_second_up_to_ten_minutes_apart)
{
	static const struct {
		uint32_t tries;
		int64_t most_s;
	} cases[] = { { 1, 1 },    { 2, 2 },    { 5, 16 },          { 10, 512 },
		      { 11, 600 }, { 12, 600 }, { UINT32_MAX, 600 } };

	for (size_t i = 0; i < COUNT(cases); i++)
		for (int k = 0; k < 1000; k++) {
			int64_t us = retry_after_us(cases[i].tries);

			NOTE("after %u", cases[i].tries);
			CHECK(us <= cases[i].most_s * US_PER_S);
			CHECK(us > cases[i].most_s * US_PER_S * 3 / 4);
		}
}

TEST(what_comes_of_a_try)
{
	static const struct {
		WebhookResult result;
		int64_t age_s;
		bool passed, gone, again; /* again: later */
	} cases[] = {
		{ WEBHOOK_DELIVERED, 1, true, false, false },
		{ WEBHOOK_DELIVERED, 4 * 86400, true, false, false },
		{ WEBHOOK_REFUSED, 1, false, false, true },
		{ WEBHOOK_UNVERIFIED, 1, false, false, true },
		{ WEBHOOK_FAILED, 3 * 86400 - 60, false, false, true },
		{ WEBHOOK_FAILED, 3 * 86400 + 60, true, false, false },
		{ WEBHOOK_GONE, 1, false, true, true },
		{ WEBHOOK_GONE, 4 * 86400, false, true, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Webhook h = { .conf = { .name = S("hook") } };
		int64_t now_us = time_utc_us();
		WebhookPlace place = { .tries = 3,
			               .subject = S("users"),
			               .entry = { .at_us = now_us - cases[i].age_s * US_PER_S,
			                          .verb = S("back") } };

		NOTE("%zu", i);
		CHECK_INT(judge_try(&h, &place, cases[i].result, S("why")), cases[i].passed);
		CHECK_INT(place.gone, cases[i].gone);
		CHECK_INT(place.tries, cases[i].again ? 4 : 0);
		CHECK_INT(place.retry_at > now_us, cases[i].again);
	}
}

TEST(when_it_is_due)
{
	static const struct {
		bool due, gone, hurries;
		int64_t later_us, wait_us;
		bool want;
	} cases[] = {
		{ true, false, false, -1, POLL_US, true },
		{ false, false, false, -1, POLL_US, false },
		{ true, true, true, -1, POLL_US, false },
		{ true, false, false, 3600 * US_PER_S, POLL_US, false },
		{ true, false, true, 3600 * US_PER_S, POLL_US, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Webhook h = { .hurries = cases[i].hurries };
		WebhookPlace place = { .due = cases[i].due,
			               .gone = cases[i].gone,
			               .retry_at = time_utc_us() + cases[i].later_us };
		int64_t wait_us = 0;

		NOTE("%zu", i);
		CHECK_INT(is_due(&h, &place, &wait_us), cases[i].want);
		CHECK_INT(wait_us, cases[i].wait_us);
	}
}
