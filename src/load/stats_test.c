/* SPDX-License-Identifier: Apache-2.0 */
#include "load/stats.c"

#include "unit.h"

TEST(each_failure_has_a_text_and_a_name_of_its_own)
{
	for (LoadFailure f = LOAD_OK + 1; f < LOAD_FAILURE_KINDS; f++) {
		CHECK(load_failure_text(f)[0]);
		for (LoadFailure g = LOAD_OK + 1; g < f; g++)
			CHECK(!str_eq(str_of(load_failure_name(f)), str_of(load_failure_name(g))));
	}
}

TEST(what_counts_as_time_and_from_when)
{
	static const struct {
		Sample sample;
		bool warm;
		uint64_t count, failed, responses, services;
		int64_t response_us, service_us;
	} cases[] = {
		{ { .due_us = 1000, .sent_us = 5000, .done_us = 6000, .status = 200 },
		  false,
		  1,
		  0,
		  1,
		  1,
		  5000,
		  1000 },
		{ { .due_us = 1000,
		    .sent_us = 5000,
		    .done_us = 6000,
		    .status = 500,
		    .failure = LOAD_STATUS },
		  false,
		  1,
		  1,
		  1,
		  1,
		  5000,
		  1000 },
		{ { .due_us = 1000, .sent_us = 2000, .done_us = 9000, .failure = LOAD_TIMEOUT },
		  false,
		  1,
		  1,
		  1,
		  1,
		  8000,
		  7000 },
		{ { .due_us = 1000, .done_us = 9000, .failure = LOAD_REFUSED },
		  false,
		  1,
		  1,
		  0,
		  0,
		  0,
		  0 },
		{ { .due_us = 1000, .sent_us = 5000, .done_us = 6000, .status = 200 },
		  true,
		  0,
		  0,
		  0,
		  0,
		  0,
		  0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		LoadStats stats;
		const StepStats *step;

		load_stats_init(&stats, 2);
		load_stats_record(&stats, 1, &cases[i].sample, cases[i].warm);
		step = &stats.steps[1];
		CHECK_INT(step->count, cases[i].count);
		CHECK_INT(step_stats_failed(step), cases[i].failed);
		CHECK_INT(hist_count(step->response), cases[i].responses);
		CHECK_INT(hist_count(step->service), cases[i].services);
		CHECK_INT(hist_max_us(step->response), cases[i].response_us);
		CHECK_INT(hist_max_us(step->service), cases[i].service_us);
		CHECK_INT(stats.steps[0].count, 0);
		CHECK_INT(stats.warm, cases[i].warm);
		load_stats_fini(&stats);
	}
}

TEST(two_add_up)
{
	const Sample sample = {
		.due_us = 1, .sent_us = 2, .done_us = 1000, .status = 200, .bytes_in = 5
	};
	LoadStats x, y;

	load_stats_init(&x, 1);
	load_stats_init(&y, 1);
	load_stats_record(&x, 0, &sample, false);
	load_stats_record(&y, 0, &sample, false);
	load_stats_record(&y, 0, &sample, true);
	y.in_flight = 3;
	load_stats_add(&x, &y);
	CHECK_INT(x.steps[0].count, 2);
	CHECK_INT(hist_count(x.steps[0].response), 2);
	CHECK_INT(x.warm, 1);
	CHECK_INT(x.ended, 3);
	load_stats_fini(&x);
	load_stats_fini(&y);
}
