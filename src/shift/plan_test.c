/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/plan.c"

#include "unit.h"

#define SECOND INT64_C(1000000)

static const ShiftGoal errors[] = { { .metric = { "errors", 6 }, .from = 0.001 } };

TEST(plan_target_is_ten_times_but_within_reason)
{
	CHECK_NEAR(shift_plan_target(0.001), 0.01, 1e-12);
	CHECK_NEAR(shift_plan_target(0.00001), 0.01, 1e-12);
	CHECK_NEAR(shift_plan_target(0.01), 0.1, 1e-12);
	CHECK_NEAR(shift_plan_target(0.5), 0.75, 1e-12);
}

TEST(plan_of_a_step_says_what_it_sees)
{
	ShiftPlanConf conf = { .rate = 98, .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.05, errors, 1, a);

	CHECK_NEAR((double)plan.requests, 1300, 130);
	CHECK_NEAR((double)plan.hold_us / 1e6, (double)plan.requests / 4.9, 1);
	CHECK(!plan.capped);
	CHECK_INT(plan.count, 1);
	CHECK_NEAR(plan.detects[0].to, 0.01, 1e-12);
	CHECK_NEAR(plan.detects[0].least, 10, 1e-9);
	CHECK_STR(
		plan.line,
		S("5 %: 1,273 requests of the new side, 4.3 min at 98 a second; errors: a rise "
	          "from 0.1 % to 1 % (10 times) is found nine times of ten, a smaller one not for sure"));
}

TEST(plan_has_a_floor_and_then_sees_more)
{
	ShiftPlanConf conf = { .rate = 10000, .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.25, errors, 1, a);

	CHECK_INT(plan.hold_us, 60 * SECOND);
	CHECK(plan.requests < 2500);
	CHECK_NEAR(plan.detects[0].least, 2, 1e-9);
}

TEST(plan_of_a_side_without_errors_says_what_it_is_made_for)
{
	static const ShiftGoal none[] = { { S("errors"), 0, 1 } };
	ShiftPlanConf conf = { .rate = 98, .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.1, none, 1, a);

	NOTE("%.*s", STR_ARG(plan.line));
	CHECK(str_find(plan.line, S("to 1 % (")) > 0);
	CHECK(str_find(plan.line, S("is found nine times of ten")) > 0);
}

TEST(plan_has_a_ceiling_and_then_says_what_it_does_not_see)
{
	ShiftPlanConf conf = { .rate = 0.5, .alpha = 0.001, .ceiling_us = 3600 * SECOND };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.05, errors, 1, a);

	CHECK(plan.capped);
	CHECK_INT(plan.hold_us, 3600 * SECOND);
	CHECK_INT(plan.requests, 90);
	CHECK(plan.detects[0].least >= 64 || plan.detects[0].least == 0);
	CHECK(str_find(plan.line, S("cut to the longest")) > 0);
}

TEST(plan_without_traffic_waits_for_requests)
{
	ShiftPlanConf conf = { .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.05, errors, 1, a);

	CHECK_INT(plan.hold_us, 60 * SECOND);
	CHECK(plan.requests > 1000);
	CHECK(isinf(plan.detects[0].seconds));
	CHECK(str_find(plan.line, S("no traffic now")) > 0);
}

TEST(plan_never_lets_a_step_pass_with_hardly_a_request)
{
	ShiftPlanConf conf = { .rate = 0.0001, .alpha = 0.001 };

	CHECK_INT(shift_plan_step(&conf, 0.01, errors, 1, a).requests, SHIFT_PLAN_LEAST_REQUESTS);
}

TEST(plan_of_a_fixed_length_is_as_long_as_it_says)
{
	ShiftPlanConf conf = { .rate = 100, .alpha = 0.001, .hold_us = 30 * SECOND };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.05, errors, 1, a);

	CHECK_INT(plan.hold_us, 30 * SECOND);
	CHECK_INT(plan.requests, 150);
}

TEST(plan_of_all_users_has_nothing_to_compare)
{
	ShiftPlanConf conf = { .rate = 100, .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 1, errors, 1, a);

	CHECK_INT(plan.count, 0);
	CHECK_INT(plan.requests, SHIFT_PLAN_LEAST_REQUESTS);
	CHECK(str_find(plan.line, S("nothing is left to compare with")) > 0);
}

TEST(plan_of_several_metrics_splits_alpha_and_waits_for_the_slowest)
{
	static const ShiftGoal goals[] = { { .metric = { "errors", 6 }, .from = 0 },
		                           { .metric = { "p99", 3 }, .from = 0.01 },
		                           { .metric = { "p50", 3 }, .from = 0.5, .weight = 2 } };
	ShiftPlanConf conf = { .rate = 1000, .alpha = 0.001 };
	ShiftStepPlan plan = shift_plan_step(&conf, 0.01, goals, 3, a);

	CHECK_NEAR(limit_of(&conf, goals, 3, 0), 4000, 1e-9);
	CHECK_NEAR(limit_of(&conf, goals, 3, 2), 2000, 1e-9);
	CHECK_NEAR(plan.detects[0].from, 0.0001, 1e-12);
	CHECK(plan.detects[1].size.p90 < plan.detects[0].size.p90);
	for (unsigned i = 0; i < 3; i++)
		CHECK((double)plan.requests + 1 > plan.detects[i].size.p90);
}
