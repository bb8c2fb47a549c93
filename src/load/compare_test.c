/* SPDX-License-Identifier: Apache-2.0 */
#include "load/compare.c"

#include "unit.h"

TEST(the_critical_value_is_that_of_the_tables)
{
	static const struct {
		double freedom, want;
	} cases[] = { { 5, 6.869 }, { 10, 4.587 }, { 20, 3.850 }, { 60, 3.460 }, { 1e6, 3.291 } };

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(fabs(critical(cases[i].freedom) - cases[i].want) < 0.03 * cases[i].want);
}

static Sums sums_of(const double *values, size_t count)
{
	Sums sums = { 0 };

	for (size_t i = 0; i < count; i++)
		take(&sums, values[i]);
	return sums;
}

TEST(a_difference_is_told_from_noise)
{
	static const double calm[] = { 10, 11, 9, 10, 10, 11, 9, 10 };
	static const double calm_too[] = { 11, 10, 10, 9, 12, 10, 9, 10 };
	static const double higher[] = { 20, 21, 19, 20, 22, 20, 19, 20 };
	static const double wild[] = { 1, 90, 4, 60, 8, 100, 2, 55 };
	static const double still[] = { 5, 5, 5, 5, 5 };
	Sums x = sums_of(calm, 8), y = sums_of(calm_too, 8), z = sums_of(higher, 8),
	     w = sums_of(wild, 8);
	Sums s = sums_of(still, 5), few = sums_of(higher, 4);

	CHECK_INT(difference(&x, &y), DIFFERENCE_NOISE);
	CHECK_INT(difference(&x, &z), DIFFERENCE_REAL);
	CHECK_INT(difference(&x, &w), DIFFERENCE_NOISE);
	CHECK_INT(difference(&x, &few), DIFFERENCE_UNKNOWN);
	CHECK_INT(difference(&s, &s), DIFFERENCE_NOISE);
	CHECK_INT(difference(&s, &(Sums){ 5, 6, 0 }), DIFFERENCE_REAL);
}

static LoadResult run_at(Moment *moments, int64_t p99_us, double failed)
{
	static const StepConf step = { .name = S("x") };
	static const StepConf *steps[] = { &step };
	static const ScenarioConf conf = { .all = { steps, 1 } };
	static int64_t expect = -1;
	LoadResult result = {
		.conf = &conf, .moments = moments, .moment_count = 10, .expect_us = &expect
	};

	for (int i = 0; i < 10; i++)
		moments[i] = (Moment){ .p50_us = 1000 + i,
			               .p99_us = p99_us + 10 * i,
			               .ended = 100 + i % 2,
			               .failed = failed,
			               .warm = i == 0 };
	load_stats_init(&result.stats, 1);
	for (int i = 1; i < 1000; i++)
		load_stats_record(&result.stats, 0,
		                  &(Sample){ .sent_us = 1, .done_us = p99_us, .status = 200 },
		                  false);
	return result;
}

TEST(a_report_is_compared_with_the_next_run)
{
	static const struct {
		int64_t p99_us;
		double failed;
		bool worse;
		Str says;
	} cases[] = {
		{ 5000, 0, false,
		  S("p99, by second         5.05ms     5.05ms     +0.0%   noise\n") },
		{ 9000, 0, true,
		  S("p99, by second         5.05ms     9.05ms    +79.2%   more than noise\n") },
		{ 2000, 0, false,
		  S("p99, by second         5.05ms     2.05ms    -59.4%   more than noise\n") },
		{ 5000, 3, true,
		  S("failed/s                    0          3       new   more than noise\n") },
	};
	Moment old_moments[10], moments[10];
	LoadResult old = run_at(old_moments, 5000, 0);
	AUTO(buf_fini) Buf saved = { 0 };

	report_put_json(&saved, &(Report){ .result = &old });
	for (size_t i = 0; i < COUNT(cases); i++) {
		LoadResult now = run_at(moments, cases[i].p99_us, cases[i].failed);
		AUTO(buf_fini) Buf out = { 0 };
		bool worse;

		CHECK_OK(compare_put(a, &out, S("old.json"), buf_str(&saved),
		                     &(Report){ .result = &now }, &worse));
		CHECK_INT(worse, cases[i].worse);
		if (str_find(buf_str(&out), cases[i].says) < 0)
			CHECK_STR(buf_str(&out), cases[i].says);
		load_stats_fini(&now.stats);
	}
	load_stats_fini(&old.stats);
}

TEST(what_is_no_report_is_refused)
{
	AUTO(buf_fini) Buf out = { 0 };
	bool worse;

	CHECK_ERR(compare_put(a, &out, S("x"), S("[]"), &(Report){ 0 }, &worse), "load.report");
	CHECK_ERR(compare_put(a, &out, S("x"), S("{"), &(Report){ 0 }, &worse), "load.report");
}
