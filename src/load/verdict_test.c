/* SPDX-License-Identifier: Apache-2.0 */
#include "load/verdict.c"

#include "base/time.h"
#include "unit.h"

static const StepConf home = { .name = S("home"), .index = 0 };
static const StepConf list = { .name = S("list.all"), .index = 1 };
static const StepConf *steps[] = { &home, &list };
static const ScenarioConf scenario = { .all = { steps, 2 } };

static void fill(LoadResult *result)
{
	*result = (LoadResult){
		.conf = &scenario, .measured_us = 10 * US_PER_S, .asked = 1000, .got = 999
	};
	load_stats_init(&result->stats, 2);
	for (int i = 1; i <= 999; i++) {
		Sample sample = { .due_us = 0,
			          .sent_us = 1000,
			          .done_us = 1000 + i * 1000,
			          .status = 200,
			          .failure = i <= 9 ? LOAD_STATUS : LOAD_OK };

		load_stats_record(&result->stats, i % 3 ? 0 : 1, &sample, false);
	}
}

TEST(a_threshold_is_judged_by_what_was_counted)
{
	static const struct {
		Str text;
		bool holds;
	} cases[] = {
		{ S("p50 < 502ms"), true },
		{ S("p50 < 500ms"), false },
		{ S("p99.9 < 1.1s"), true },
		{ S("p100 > 999ms"), true },
		{ S("service_p50 < 501ms"), true },
		{ S("service_p50<499ms"), false },
		{ S("errors < 1%"), true },
		{ S("errors < 0.9%"), false },
		{ S("failed <= 9"), true },
		{ S("failed < 9"), false },
		{ S("requests >= 999"), true },
		{ S("requests > 999"), false },
		{ S("rate > 99"), true },
		{ S("rate>100"), false },
		{ S("arrivals > 99.5%"), true },
		{ S("arrivals >= 100%"), false },
		{ S("home.requests >= 666"), true },
		{ S("list.all.requests > 400"), false },
		{ S("list.all.p99.9 < 2s"), true },
		{ S("home.errors < 0.95%"), true },
		{ S("mean < 505ms"), true },
		{ S("max < 1s"), false },
		{ S("none.p99 < 1h"), false },
		{ S("none.errors < 100%"), false },
	};
	LoadResult result;

	fill(&result);
	for (size_t i = 0; i < COUNT(cases); i++) {
		Threshold t;

		CHECK_OK(threshold_read(a, cases[i].text, &t));
		if (verdict_of(&t, &result).holds != cases[i].holds)
			CHECK_STR(cases[i].text, S("the other way"));
	}
	load_stats_fini(&result.stats);
}

TEST(what_is_no_condition_is_refused)
{
	static const Str cases[] = { S(""),
		                     S("p99"),
		                     S("p99 < 20"),
		                     S("p99 = 20ms"),
		                     S("p101 < 20ms"),
		                     S("errors < 20ms"),
		                     S("rate < 20ms"),
		                     S("speed > 3"),
		                     S("x.arrivals > 99%"),
		                     S("p < 1s"),
		                     S("p-1 < 1s"),
		                     S("requests > -1") };

	for (size_t i = 0; i < COUNT(cases); i++) {
		Threshold t;

		CHECK_ERR(threshold_read(a, cases[i], &t), "load.threshold");
	}
}

TEST(values_are_shown_in_their_own_units)
{
	static const struct {
		Str text;
		double value;
		Str want;
	} cases[] = {
		{ S("p99 < 1s"), 312000, S("312ms") }, { S("errors < 1%"), 0.00123, S("0.123%") },
		{ S("rate > 1"), 1994.4, S("1994") },  { S("max < 1s"), 950, S("950us") },
		{ S("failed < 1"), 3, S("3") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };
		Threshold t;

		CHECK_OK(threshold_read(a, cases[i].text, &t));
		verdict_put_value(&out, &t, cases[i].value);
		CHECK_STR(buf_str(&out), cases[i].want);
	}
}
