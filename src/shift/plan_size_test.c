/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/plan_size.c"

#include "unit.h"

#include "shift/sizes_sample.h"

TEST(plan_sizes_are_those_of_the_reference_within_a_tenth)
{
	for (size_t i = 0; i < COUNT(sizes); i++) {
		const SizeRow *row = &sizes[i];
		ShiftSize size = shift_plan_size(row->from, row->to, row->share, row->limit);

		NOTE("%g -> %g at %g, limit %g: %.0f (%.0f) for %.0f (%.0f)", row->from, row->to,
		     row->share, row->limit, size.median, size.p90, row->median, row->p90);
		CHECK(size.reached);
		CHECK_NEAR(size.median / row->median, 1, 0.1);
		if (row->p90 > 0)
			CHECK_NEAR(size.p90 / row->p90, 1, 0.1);
	}
}

TEST(plan_power_is_the_other_way_round)
{
	ShiftSize size = shift_plan_size(0.001, 0.01, 0.05, 1000);

	CHECK_NEAR(shift_plan_power(0.001, 0.01, 0.05, 1000, size.median), 0.5, 0.005);
	CHECK_NEAR(shift_plan_power(0.001, 0.01, 0.05, 1000, size.p90), 0.9, 0.005);
	CHECK_NEAR(shift_plan_power(0.001, 0.01, 0.05, 1000, 20 * size.p90), 1, 0.001);
	CHECK(shift_plan_power(0.001, 0.0011, 0.05, 1000, size.p90) < 0.01);
}

TEST(plan_size_knows_what_cannot_be)
{
	CHECK(!shift_plan_size(0.001, 0.001, 0.1, 1000).reached);
	CHECK(!shift_plan_size(0.001, 0.0005, 0.1, 1000).reached);
	CHECK(!shift_plan_size(0.001, 0.01, 0, 1000).reached);
	CHECK(!shift_plan_size(0.001, 0.01, 1, 1000).reached);
	CHECK(isinf(shift_plan_size(0.1, 0.1001, 0.5, 1000).median));
	CHECK_NEAR(shift_plan_power(0.001, 0.01, 0.1, 1000, 0), 0, 0);
	CHECK(shift_plan_size(0, 0.01, 0.5, 1000).reached); /* no error has ever been seen on old */
}
