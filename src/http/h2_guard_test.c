/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_guard.c"

#include "unit.h"

static const struct {
	unsigned burst, rate;
} allowed[] = {
#define X(act, burst_, rate_, text) [H2_ACT_##act] = { burst_, rate_ },
	H2_ACTS(X)
#undef X
};

static unsigned until_refused(H2Guard *guard, H2Act act, int64_t now_us)
{
	unsigned count = 0;

	while (h2_guard_count(guard, act, now_us))
		count++;
	return count;
}

TEST(each_act_has_its_burst_and_its_rate)
{
	for (unsigned act = 0; act < H2_ACT_COUNT; act++) {
		H2Guard guard = { 0 };
		int64_t now_us = INT64_C(77) * US;
		unsigned passed;

		NOTE("%.*s", STR_ARG(h2_act_text((H2Act)act)));
		CHECK(h2_act_text((H2Act)act).len > 0);
		CHECK_INT(until_refused(&guard, (H2Act)act, now_us), allowed[act].burst);
		/* at its rate it goes on for ever, once the one too many is made up for */
		now_us += rows[act].step_us;
		for (passed = 0; passed < 10 * allowed[act].rate; passed++) {
			now_us += rows[act].step_us;
			CHECK(h2_guard_count(&guard, (H2Act)act, now_us));
		}
		CHECK(!h2_guard_count(&guard, (H2Act)act, now_us));
		/* and after a pause the whole burst is there again */
		now_us += 2 * rows[act].ahead_us;
		CHECK_INT(until_refused(&guard, (H2Act)act, now_us), allowed[act].burst);
	}
}

TEST(acts_do_not_share_an_allowance)
{
	H2Guard guard = { 0 };

	until_refused(&guard, H2_ACT_PING, US);
	CHECK_INT(until_refused(&guard, H2_ACT_SETTINGS, US), allowed[H2_ACT_SETTINGS].burst);
}

TEST(what_we_gave_reason_for_is_forgiven)
{
	H2Guard guard = { 0 };

	for (unsigned i = 0; i < 100 * allowed[H2_ACT_WINDOW_UPDATE].burst; i++) {
		h2_guard_forgive(&guard, H2_ACT_WINDOW_UPDATE, 1);
		CHECK(h2_guard_count(&guard, H2_ACT_WINDOW_UPDATE, US));
	}
	/* but not saved up for later */
	h2_guard_forgive(&guard, H2_ACT_WINDOW_UPDATE, 1000000);
	CHECK_INT(until_refused(&guard, H2_ACT_WINDOW_UPDATE, US),
	          allowed[H2_ACT_WINDOW_UPDATE].burst);
}
