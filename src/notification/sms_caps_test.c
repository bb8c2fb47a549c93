/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/sms_caps.c"

#include "unit.h"

TEST(sms_caps_count_by_the_hour)
{
	SmsCap rows[] = { { S("+44"), 3 }, { S("+4478"), 1 } };
	SmsConf conf = { .caps = { rows, 2 }, .per_number = 2 };
	SmsCaps *caps = sms_caps_new(a, &conf);
	int64_t now = 10 * HOUR_S * US_PER_S + 5 * US_PER_S, wait;

	CHECK_NULL(sms_caps_take(caps, a, S("+441"), now, &wait));
	CHECK_NULL(sms_caps_take(caps, a, S("+441"), now, &wait));
	CHECK_STR(str_of(sms_caps_take(caps, a, S("+441"), now, &wait)),
	          S("this number was written to 2 times in this hour"));
	CHECK_INT(wait, (HOUR_S - 5) * US_PER_S);
	CHECK_NULL(
		sms_caps_take(caps, a, S("+442"), now, &wait)); /* the one before was not counted */
	CHECK_STR(str_of(sms_caps_take(caps, a, S("+443"), now, &wait)),
	          S("3 messages went to +44 in this hour"));
	CHECK_NULL(sms_caps_take(caps, a, S("+44781"), now, &wait)); /* the most exact one counts */
	CHECK(sms_caps_take(caps, a, S("+44782"), now, &wait) != NULL);
	CHECK_NULL(sms_caps_take(caps, a, S("+491"), now, &wait));
	CHECK_NULL(sms_caps_take(caps, a, S("+441"), now + HOUR_S * US_PER_S, &wait));
	CHECK_INT(wait, 0);
}

TEST(sms_caps_know_which_countries_are_served)
{
	Str few[] = { S("+49"), S("+1") };
	SmsConf all = { 0 }, some = { .countries = { few, 2 } };

	CHECK(sms_caps_serves(&all, S("+8861")));
	CHECK(sms_caps_serves(&some, S("+4917")));
	CHECK(sms_caps_serves(&some, S("+1212")));
	CHECK(!sms_caps_serves(&some, S("+4417")));
}
