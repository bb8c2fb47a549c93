/* SPDX-License-Identifier: Apache-2.0 */
#include "load/extract.c"

#include "unit.h"

TEST(variables_are_kept_by_name)
{
	Variables variables = { 0 };
	Str value;

	CHECK(!variables_get(&variables, S("x"), &value));
	variables_set(&variables, S("x"), S("1"));
	variables_set(&variables, S("xy"), S(""));
	variables_set(&variables, S("x"), S("two"));
	CHECK(variables_get(&variables, S("x"), &value));
	CHECK_STR(value, S("two"));
	CHECK(variables_get(&variables, S("xy"), &value));
	CHECK_STR(value, S(""));
	variables_fini(&variables);
}

TEST(values_are_found_where_the_step_says)
{
	static const struct {
		ExtractConf conf;
		Str want; /* "-": not there */
	} cases[] = {
		{ { .pattern = S("token=\"(\\w+)\"") }, S("abc1") },
		{ { .pattern = S("to(ken)?x?=\\S+") }, S("ken") },
		{ { .pattern = S("tok\\w+") }, S("token") },
		{ { .pattern = S("nothing") }, S("-") },
		{ { .header = S("X-THING") }, S("of value") },
		{ { .header = S("X-None") }, S("-") },
		{ { .cookie = S("sid") }, S("s%3D1") },
		{ { .cookie = S("si") }, S("-") },
		{ { .jq = S(".id") }, S("9007199254740993") },
		{ { .jq = S(".items[1].name") }, S("two") },
		{ { .jq = S(".items[0]") }, S("{\"name\":\"one\"}") },
		{ { .jq = S(".[0]") }, S("-") },
		{ { .jq = S(".items[7].name") }, S("-") },
		{ { .jq = S(".nil") }, S("-") },
		{ { .jq = S(".items | map(.name) | join(\"+\")") }, S("one+two") },
		{ { .jq = S(".items | length") }, S("2") },
		{ { .jq = S(".items[] | select(.name == \"x\")") }, S("-") },
	};
	Header lines[] = { { S("x-thing"), S("of value"), HTTP_OTHER },
		           { S("Set-Cookie"), S("sid=s%3D1; Path=/; HttpOnly"), HTTP_SET_COOKIE } };
	Headers headers = { lines, 2, 2 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		ExtractConf conf = cases[i].conf;
		StepConf step = { 0 };
		Variables variables = { 0 };
		Answer answer = { .headers = &headers };
		Str value = S("-");
		Seeker *seeker;

		answer.body =
			conf.jq.len
				? S("{\"id\": 9007199254740993, \"nil\": null, \"items\": [{\"name\": \"one\"}, {\"name\": \"two\"}]}")
				: S("<input token=\"abc1\">");
		conf.variable = S("v");
		step.extract.at = &conf;
		step.extract.count = 1;
		CHECK_OK(seeker_new(a, &step, 1, &seeker));
		CHECK_INT(seeker_extract(seeker, &answer, 0, &variables),
		          !str_eq(cases[i].want, S("-")));
		(void)variables_get(&variables, S("v"), &value);
		CHECK_STR(value, cases[i].want);
		CHECK_INT(seeker_wants_body(seeker), conf.jq.len || conf.pattern.len);
		variables_fini(&variables);
	}
}

TEST(what_is_not_there_is_what_was_said_otherwise)
{
	ExtractConf conf = {
		.variable = S("v"), .header = S("X"), .otherwise = S("none"), .has_otherwise = true
	};
	StepConf step = { .extract = { &conf, 1 } };
	Variables variables = { 0 };
	Headers headers = { 0 };
	Seeker *seeker;
	Str value;

	CHECK_OK(seeker_new(a, &step, 1, &seeker));
	CHECK(seeker_extract(seeker, &(Answer){ .headers = &headers }, 0, &variables));
	CHECK(variables_get(&variables, S("v"), &value));
	CHECK_STR(value, S("none"));
	variables_fini(&variables);
}

TEST(a_check_looks_at_body_and_headers)
{
	NamedText wanted[] = { { S("Content-Type"), S("html") } };
	StepConf step = { .check = { .pattern = S("^<h1>"), .headers = { wanted, 1 } } };
	Header lines[] = { { S("content-type"), S("text/html; charset=utf-8"),
		             HTTP_CONTENT_TYPE } };
	Headers html = { lines, 1, 1 }, none = { 0 };
	Seeker *seeker;

	CHECK_OK(seeker_new(a, &step, 1, &seeker));
	CHECK(seeker_check(seeker,
	                   &(Answer){ .headers = &html, .body = S("<h1>Hi"), .wanted = S("Hi") }));
	CHECK(!seeker_check(seeker,
	                    &(Answer){ .headers = &html, .body = S("<h1>Hi"), .wanted = S("Ho") }));
	CHECK(!seeker_check(seeker, &(Answer){ .headers = &html, .body = S("<p>Hi") }));
	CHECK(!seeker_check(seeker, &(Answer){ .headers = &none, .body = S("<h1>Hi") }));
}

TEST(a_filter_that_is_none_is_refused)
{
	ExtractConf conf = { .variable = S("v"), .jq = S(".a | nonsense(") };
	StepConf step = { .extract = { &conf, 1 } };
	Seeker *seeker;

	CHECK_ERR(seeker_new(a, &step, 1, &seeker), "rt.jq");
}
