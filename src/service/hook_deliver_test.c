/* SPDX-License-Identifier: Apache-2.0 */
#include "service/hook_deliver.c"

#include "unit.h"

#include <string.h>

static unsigned turns(Hooks *hooks, const Hook *hook, unsigned wanted)
{
	unsigned count = 0;

	for (unsigned i = 0; i < wanted; i++)
		count += take_turn(hooks, hook);
	return count;
}

TEST(who_does_not_answer_has_few_tries_at_once_and_others_have_theirs)
{
	Hooks *hooks = ARENA_NEW(a, Hooks);
	Hook slow = { .id = uuid_new(), .failing_since_us = 1 },
	     other = { .id = uuid_new(), .failing_since_us = 1 }, well = { .id = uuid_new() };

	CHECK_INT(turns(hooks, &slow, 10), SLOW_MOST);
	CHECK_INT(turns(hooks, &other, 10), SLOW_MOST);
	CHECK_INT(turns(hooks, &well, 10), 10);
	give_turn(hooks, &slow);
	CHECK_INT(turns(hooks, &slow, 10), 1);
	for (int i = 0; i < SLOW_MOST; i++)
		give_turn(hooks, &slow);
	CHECK_INT(turns(hooks, &slow, 10), SLOW_MOST);
}

TEST(more_endpoints_at_once_than_are_counted_wait_for_another_time)
{
	Hooks *hooks = ARENA_NEW(a, Hooks);
	Hook hook = { 0 };

	for (unsigned i = 0; i < BUSY_MOST; i++) {
		hook.id = uuid_new();
		CHECK(take_turn(hooks, &hook));
	}
	hook.id = uuid_new();
	CHECK(!take_turn(hooks, &hook));
}

static Str signature_of(Arena *a, const HookTask *task, int64_t now_us, const char *name)
{
	Headers headers = { 0 };

	add_signatures(a, &headers, task, now_us);
	return headers_get_name(&headers, str_of(name));
}

TEST(an_old_secret_signs_too_until_its_time_is_over)
{
	Hook hook = { .secret = S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
		      .old_secret = S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"),
		      .old_until_us = 100 * US_PER_S };
	HookTask task = { .hook = &hook, .body = S("{}"), .delivery = { .event = S("evt_1") } };
	Str both = signature_of(a, &task, 99 * US_PER_S, "webhook-signature"),
	    one = signature_of(a, &task, 100 * US_PER_S, "webhook-signature");

	CHECK(str_find_char(both, ' ') > 0 && str_find_char(one, ' ') < 0);
	both = signature_of(a, &task, 99 * US_PER_S, "stripe-signature");
	one = signature_of(a, &task, 100 * US_PER_S, "stripe-signature");
	CHECK(both.len > one.len && str_starts(both, S("t=99,v1=")) &&
	      str_starts(one, S("t=100,v1=")));
}

TEST(an_endpoint_is_disabled_when_it_is_gone_or_silent_for_long)
{
	HookConf conf = { .disable_after_us = 3600 * US_PER_S };
	Hooks hooks = { .conf = &conf };
	int64_t now_us = time_utc_us();
	static const struct {
		int64_t status, failing_s;
		bool delivered, disabled;
	} cases[] = {
		{ 200, 7200, true, false },  { 410, 0, false, true },    { 500, 0, false, false },
		{ 500, 3000, false, false }, { 500, 4000, false, true }, { 0, 4000, false, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Hook hook = { .failing_since_us = cases[i].failing_s
			                                  ? now_us - cases[i].failing_s * US_PER_S
			                                  : 0 };
		HookTask task = { .hook = &hook };
		HookOutcome outcome = { .delivered = cases[i].delivered,
			                .status = cases[i].status };

		CHECK_INT(reason_to_disable(&hooks, &task, &outcome) != NULL, cases[i].disabled);
	}
}
