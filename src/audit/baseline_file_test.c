/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/baseline_file.c"

#include "unit.h"

TEST(a_baseline_is_read_as_it_was_written)
{
	static const char text[] =
		"{\n\"version\": 1,\n\"budgets\": {\n\"minutes\": 12.5,\n\"rule:god\": 0\n},\n"
		"\"findings\": [\n"
		"{\"rule\":\"T1\",\"name\":\"god\",\"print\":\"00000000000000ff\","
		"\"minutes\":20,\"files\":{\"a.py\":1,\"b.py\":2}},\n"
		"{\"rule\":\"T2\",\"name\":\"clone\",\"print\":\"0000000000000001\","
		"\"minutes\":0,\"files\":{\"\":1}}\n]\n}\n";
	AUTO(buf_fini) Buf b = { 0 };
	Baseline baseline;

	CHECK_OK(baseline_read(a, str_of(text), &baseline));
	CHECK_INT(baseline.count, 2);
	CHECK_INT(baseline.rows[1].print, 0xff);
	CHECK_INT(baseline.rows[1].file_count, 2);
	CHECK_INT(baseline.rows[1].files[1].count, 2);
	CHECK_INT(baseline.budget_count, 2);
	baseline_put(&b, a, &baseline);
	CHECK_STR(buf_str(&b), str_of(text));
}

TEST(an_empty_baseline_is_one_too)
{
	AUTO(buf_fini) Buf b = { 0 };
	Baseline baseline = { 0 };

	baseline_put(&b, a, &baseline);
	CHECK_OK(baseline_read(a, buf_str(&b), &baseline));
	CHECK_INT(baseline.count, 0);
}

TEST(paths_in_odd_codings_are_told_apart)
{
	BaselineFile files[] = { { S("\xe4.py"), 1 },
		                 { S("\xfc.py"), 1 },
		                 { S("\xc3\xa4.py"), 1 } };
	BaselineRow row = {
		.print = 1, .rule = S("T"), .files = files, .file_count = COUNT(files)
	};
	Baseline baseline = { .rows = &row, .count = 1 };
	AUTO(buf_fini) Buf b = { 0 };

	baseline_put(&b, a, &baseline);
	CHECK_OK(baseline_read(a, buf_str(&b), &baseline));
	CHECK_INT(baseline.rows[0].file_count, 3);
	CHECK_STR(baseline.rows[0].files[0].path, S("%E4.py"));
	CHECK_STR(baseline.rows[0].files[2].path, S("\xc3\xa4.py"));
}

TEST(what_a_merge_left_twice_is_read_once)
{
	Baseline baseline;

	CHECK_OK(baseline_read(
		a,
		S("{\"version\":1,\"findings\":["
	          "{\"rule\":\"T\",\"print\":\"000000000000000a\",\"files\":{\"a.py\":1}},"
	          "{\"rule\":\"T\",\"print\":\"000000000000000a\",\"files\":{\"a.py\":3,"
	          "\"b.py\":1}}]}"),
		&baseline));
	CHECK_INT(baseline.count, 1);
	CHECK_INT(baseline.rows[0].file_count, 2);
	CHECK_INT(baseline.rows[0].files[0].count, 3);
}

TEST(what_is_no_baseline_is_refused)
{
	static const Str cases[] = {
		S("{}"),
		S("[]"),
		S("{\"version\":2,\"findings\":[]}"),
		S("{\"version\":1}"),
		S("{\"version\":1,\"findings\":[],\"budgets\":[]}"),
		S("{\"version\":1,\"findings\":[],\"budgets\":{\"minutes\":-1}}"),
		S("{\"version\":1,\"findings\":[],\"budgets\":{\"minutes\":\"1\"}}"),
		S("{\"version\":1,\"findings\":[{}]}"),
		S("{\"version\":1,\"findings\":[{\"rule\":\"T\",\"print\":\"xyz\",\"files\":{\"a\":1}}]}"),
		S("{\"version\":1,\"findings\":[{\"rule\":\"T\",\"print\":\"000000000000000a\",\"files\":{}}]}"),
		S("{\"version\":1,\"findings\":[{\"rule\":\"T\",\"print\":\"000000000000000a\",\"files\":{\"a\":0}}]}"),
	};
	Baseline baseline;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_ERR(baseline_read(a, cases[i], &baseline), "gate.baseline");
	}
	CHECK_ERR(baseline_read(a, S("{"), &baseline), "json.syntax");
}
