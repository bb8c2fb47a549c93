/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/review.c"

#include "unit.h"

static const FindingRule minutes_rule = { .id = "T1", .name = "test", .each_minutes = 1 };

static void add(Arena *a, Findings *list, Str path, double minutes, Str ignored)
{
	finding_add(a, list,
	            &(Finding){ .rule = &minutes_rule,
	                        .path = path,
	                        .line = 7,
	                        .amount = minutes,
	                        .text = S("found"),
	                        .ignored_why = ignored });
}

static double weight_of(const void *arg, Str path)
{
	(void)arg;
	if (str_starts(path, S("still")))
		return 0;
	return str_eq(path, S("hot.py")) ? 10 : 1;
}

TEST(review_puts_first_what_matters_and_cuts_at_the_share)
{
	Findings list = { 0 };
	ReviewRules rules = {
		.capacity_hours = 20, .share = 0.2, .weight = weight_of, .weight_text = S("a test")
	};
	Review r;

	add(a, &list, S("cold.py"), 100, S(""));
	add(a, &list, S("hot.py"), 30, S(""));
	add(a, &list, S("cold.py"), 50, S(""));
	add(a, &list, S("huge.py"), 250, S(""));
	add(a, &list, S("small.py"), 60, S(""));
	add(a, &list, S("late.py"), 5, S(""));
	add(a, &list, S("fine.py"), 60, S("it is meant so"));
	add(a, &list, S("done.py"), 0, S(""));
	review_plan(a, &list, &rules, &r);
	CHECK_INT(r.count, 5);
	CHECK_INT(r.fitting, 3); /* 240 minutes: 30 + 150 + 60 */
	CHECK_STR(r.items[0].path, S("hot.py"));
	CHECK_STR(r.items[1].path, S("cold.py"));
	CHECK_INT(r.items[1].findings, 2);
	CHECK_NEAR(r.items[1].worst->amount, 100, 1e-9);
	CHECK_STR(r.items[2].path, S("small.py"));
	CHECK_STR(r.items[3].path, S("huge.py"));
	CHECK(r.items[3].too_large && !r.items[3].fits);
	CHECK_STR(r.items[4].path, S("late.py"));
	CHECK_NEAR(r.minutes, 240, 1e-9);
}

TEST(review_says_what_it_does_not_know)
{
	AUTO(buf_fini) Buf b = { 0 };
	Findings list = { 0 };
	ReviewRules rules = { .share = 0.2 };
	Review r;

	add(a, &list, S("a.py"), 30, S(""));
	review_plan(a, &list, &rules, &r);
	review_put(&b, &r, &rules);
	CHECK_STR(
		buf_str(&b),
		S("# Review of the debt\n\n"
	          "Ordered by minutes to mend (SQALE). What matters to the business is not known, so every file weighs the same.\n"
	          "The team's hours a month are not known (--capacity), so nothing is cut.\n"
	          "\n## Worst first\n\n"
	          "1. `a.py`: 1 finding, 0.5 h\n   - line 7: test, found (30 min)\n"));
}

TEST(review_of_nothing_is_said_to_be_empty)
{
	AUTO(buf_fini) Buf b = { 0 };
	Findings list = { 0 };
	ReviewRules rules = { .share = 0.2, .capacity_hours = 100 };
	Review r;

	review_plan(a, &list, &rules, &r);
	review_put(&b, &r, &rules);
	CHECK(str_find(buf_str(&b), S("Nothing was found")) > 0);
}

TEST(review_names_what_is_of_no_file)
{
	AUTO(buf_fini) Buf b = { 0 };
	Findings list = { 0 };
	ReviewRules rules = { .share = 0.2 };
	Review r;

	add(a, &list, S(""), 60, S(""));
	list.at[0].line = 0;
	review_plan(a, &list, &rules, &r);
	review_put(&b, &r, &rules);
	CHECK(str_find(
		      buf_str(&b),
		      S("1. the project as a whole: 1 finding, 1.0 h\n   - test, found (60 min)")) >
	      0);
}

TEST(review_goes_by_minutes_where_nothing_changes)
{
	Findings list = { 0 };
	ReviewRules rules = { .share = 0.2, .weight = weight_of, .weight_text = S("a test") };
	Review r;

	add(a, &list, S("still/a.py"), 5, S(""));
	add(a, &list, S("still/b.py"), 90, S(""));
	review_plan(a, &list, &rules, &r);
	CHECK_STR(r.items[0].path, S("still/b.py"));
}
