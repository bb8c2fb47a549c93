/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/finding_report.c"

#include "unit.h"

static const FindingRule small = { .id = "T1", .name = "small", .base_minutes = 1 };
static const FindingRule large = { .id = "T2", .name = "large", .each_minutes = 60 };
static const FindingRule twin = { .id = "T2", .name = "large", .each_minutes = 60 };
static const FindingRule silent = { .id = "T3", .name = "silent", .base_minutes = 1000 };

static void add(Arena *a, Findings *list, const FindingRule *rule, Str path, double amount, Str why)
{
	finding_add(a, list,
	            &(Finding){ .rule = rule,
	                        .path = path,
	                        .line = 7,
	                        .amount = amount,
	                        .text = S("\"it\""),
	                        .print = 0xab,
	                        .ignored_why = why });
}

static Findings some(Arena *a)
{
	Findings list = { 0 };

	add(a, &list, &small, S("a.py"), 0, S(""));
	add(a, &list, &large, S("b.py"), 1, S(""));
	add(a, &list, &twin, S("c.py"), 2, S(""));
	add(a, &list, &silent, S("d.py"), 0, S("as it is"));
	return list;
}

TEST(findings_are_summed_by_the_rule_s_id)
{
	Findings list = some(a);
	size_t count;
	const RuleSum *sums = findings_by_rule(a, &list, &count);

	CHECK_INT(count, 3);
	CHECK_STR(str_of(sums[0].rule->id), S("T2"));
	CHECK_INT(sums[0].count, 2);
	CHECK_NEAR(sums[0].minutes, 180, 1e-9);
	CHECK_STR(sums[0].worst->path, S("c.py"));
	CHECK_STR(str_of(sums[1].rule->id), S("T1"));
	CHECK_NULL(sums[2].worst);
	CHECK_INT(sums[2].ignored, 1);
	CHECK_NULL(findings_by_rule(a, &(Findings){ 0 }, &count));
	CHECK_INT(count, 0);
}

TEST(findings_of_many_rules_are_all_summed)
{
	FindingRule *rules = ARENA_ARRAY(a, FindingRule, 500);
	Findings list = { 0 };
	size_t count;

	for (int i = 0; i < 1000; i++) {
		rules[i % 500] =
			(FindingRule){ .id = str_fmt(a, "T%d", i % 500).at, .base_minutes = 1 };
		add(a, &list, &rules[i % 500], S("a.py"), 0, S(""));
	}
	CHECK(findings_by_rule(a, &list, &count) != NULL);
	CHECK_INT(count, 500);
}

TEST(findings_as_json_have_what_there_is)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Findings list = some(a);
	const Json *json;
	Str text;

	list.at[1].unit = S("A.f");
	list.at[3].path = S("");
	list.at[3].line = 0;
	findings_put(&w, &list);
	CHECK_OK(json_done(&w, &text));
	CHECK_OK(json_read(a, text, 0, &json));
	CHECK_INT(json_count(json), 4);
	CHECK_OK(json_need_str(a, json_at(json, 1), "unit", &text));
	CHECK_STR(text, S("A.f"));
	CHECK_OK(json_need_str(a, json_at(json, 0), "print", &text));
	CHECK_STR(text, S("00000000000000ab"));
	CHECK(!json_get(json_at(json, 3), S("line")));
	CHECK_OK(json_need_str(a, json_at(json, 3), "ignored", &text));
}
