/* SPDX-License-Identifier: Apache-2.0 */
#include "load/metrics.c"

#include "unit.h"

TEST(rows_are_as_prometheus_wants_them)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
}

TEST(steps_of_one_name_are_one_series_and_buckets_add_up)
{
	AUTO(buf_fini) Buf out = { 0 };
	StepConf one = { .name = S("a \"b\""), .kind = STEP_REQUEST },
		 two = { .kind = STEP_REQUEST, .method = S("GET"), .path = S("/") },
		 wait = { .name = S("wait"), .kind = STEP_WAIT };
	const StepConf *all[] = { &one, &two, &one, &wait };
	ScenarioConf conf = { .all = { all, COUNT(all) } };
	LoadStats stats;

	load_stats_init(&stats, COUNT(all));
	stats.steps[0].count = 3;
	stats.steps[2].count = 4;
	stats.steps[0].failures[LOAD_TIMEOUT] = 1;
	stats.steps[2].failures[LOAD_TIMEOUT] = 2;
	hist_record_n(stats.steps[0].response, 900, 2);
	hist_record_n(stats.steps[2].response, 2000000, 5);
	put_all(&out, &conf, &stats, &(Moment){ .users = 7 });
	load_stats_fini(&stats);
	static const Str wanted[] = {
		S("\nbanyan_load_requests_total{step=\"a \\\"b\\\"\"} 7\n"),
		S("\nbanyan_load_requests_total{step=\"GET /\"} 0\n"),
		S("{step=\"a \\\"b\\\"\",kind=\"timeout\"} 3\n"),
		S("_bucket{le=\"0.001\"} 2\n"),
		S("_bucket{le=\"1\"} 2\n"),
		S("_bucket{le=\"2.5\"} 7\n"),
		S("_bucket{le=\"+Inf\"} 7\n"),
		S("\nbanyan_load_users 7\n"),
	};
	for (size_t i = 0; i < COUNT(wanted); i++) {
		CHECK(str_find(buf_str(&out), wanted[i]) >= 0);
	}
	CHECK(str_find(buf_str(&out), S("wait")) < 0);
}
