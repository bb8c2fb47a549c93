/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/objective.c"

#include "unit.h"

#define AT (INT64_C(1700000000) * US_PER_S)

TEST(objective_of_nothing_all_is_left)
{
	Objective *o = ARENA_NEW(a, Objective);

	*o = (Objective){ 0 };
	CHECK(objective_left(o, AT, 0.999) == 1);
	CHECK(!objective_alert(o, AT, 0.999));
}

TEST(objective_windows_hold_what_is_theirs)
{
	Objective *o = ARENA_NEW(a, Objective);
	static const struct {
		uint32_t minutes;
		unsigned requests;
	} cases[] = { { 5, 5 }, { 30, 30 }, { 60, 60 }, { 360, 360 } };

	*o = (Objective){ 0 };
	for (int64_t i = 0; i < 1000; i++)
		objective_note(o, AT + i * MINUTE_US, 1, 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(objective_count(o, AT + 999 * MINUTE_US, cases[i].minutes).requests,
		          cases[i].requests);
	CHECK_INT(objective_count(o, AT + 999 * MINUTE_US, OBJECTIVE_HOURS * 60).requests, 1000);
	CHECK_INT(objective_count(o, AT + 1004 * MINUTE_US, 5).requests, 0);
}

TEST(objective_a_sleep_leaves_nothing_behind)
{
	Objective *o = ARENA_NEW(a, Objective);

	*o = (Objective){ 0 };
	objective_note(o, AT, 100, 50);
	objective_note(o, AT + 40 * 24 * HOUR_US, 10, 0);
	CHECK_INT(objective_count(o, AT + 40 * 24 * HOUR_US, OBJECTIVE_HOURS * 60).requests, 10);
}

TEST(objective_alerts_when_both_windows_burn)
{
	static const struct {
		unsigned bad_from, bad_to; /* minutes of 360 */
		uint32_t failed;           /* of 1000 a minute */
		bool alert;
	} cases[] = {
		{ 0, 360, 1, false },    { 300, 360, 20, true }, { 355, 360, 20, false },
		{ 300, 330, 40, false }, { 0, 360, 7, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Objective *o = ARENA_NEW(a, Objective);

		*o = (Objective){ 0 };
		for (unsigned m = 0; m < 360; m++)
			objective_note(o, AT + m * MINUTE_US, 1000,
			               m >= cases[i].bad_from && m < cases[i].bad_to
			                       ? cases[i].failed
			                       : 0);
		CHECK_INT(objective_alert(o, AT + 359 * MINUTE_US, 0.999) != NULL, cases[i].alert);
	}
}

TEST(objective_says_what_is_left)
{
	Objective *o = ARENA_NEW(a, Objective);

	*o = (Objective){ 0 };
	objective_note(o, AT, 100000, 50);
	CHECK(objective_left(o, AT, 0.999) > 0.49);
	CHECK(objective_left(o, AT, 0.999) < 0.51);
	objective_note(o, AT, 0, 100);
	CHECK(objective_left(o, AT, 0.999) < 0);
}
