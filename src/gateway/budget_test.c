/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/budget.c"

#include "base/time.h"
#include "unit.h"

TEST(a_window_forgets_what_is_ten_seconds_old)
{
	BudgetWindow w = { 0 };

	(void)a;
	for (int64_t second = 100; second < 130; second++)
		for (int i = 0; i < second % 3; i++) /* 0, 1 or 2 in each second */
			budget_count(&w, second * US_PER_S + i);
	CHECK_INT(budget_sum(&w, 129 * US_PER_S), 3 * (0 + 1 + 2) + 0);
	CHECK_INT(budget_sum(&w, 134 * US_PER_S + 999999), 2 + 0 + 1 + 2 + 0);
	CHECK_INT(budget_sum(&w, 139 * US_PER_S), 0);
	CHECK_INT(budget_sum(&(BudgetWindow){ 0 }, 5 * US_PER_S), 0);
}

TEST(a_slot_is_used_again_for_another_second)
{
	BudgetWindow w = { 0 };

	(void)a;
	budget_count(&w, 100 * US_PER_S);
	budget_count(&w, 110 * US_PER_S);
	CHECK_INT(budget_sum(&w, 110 * US_PER_S), 1);
}

TEST(a_share_of_the_requests_and_a_few_at_a_time_may_be_retried)
{
	static const struct {
		uint64_t requests, retries;
		uint32_t share_ppm, at_work, min;
		bool allowed;
	} cases[] = {
		{ 100, 19, 200000, 50, 3, true }, /* the twentieth of 100 */
		{ 100, 20, 200000, 50, 3, false },
		{ 100, 20, 200000, 2, 3, true }, /* but three at a time always */
		{ 100, 20, 200000, 3, 3, false },
		{ 4, 0, 200000, 0, 0, false },
		{ 5, 0, 200000, 0, 0, true },
		{ 1000, 0, 0, 0, 0, false },
		{ UINT32_MAX, UINT32_MAX - 1, 1000000, 9, 0, true },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_INT(budget_allows(cases[i].requests, cases[i].retries, cases[i].share_ppm,
		                        cases[i].at_work, cases[i].min),
		          cases[i].allowed);
	}
}
