/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_regex.c"
#include "unit.h"

static const RouteRegex *regex(Arena *a, const char *pattern)
{
	const RouteRegex *re = NULL;

	CHECK_OK(route_regex_new(a, str_of(pattern), &re));
	return re;
}

TEST(an_expression_is_found_anywhere_unless_it_says_otherwise)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} cases[] = {
		{ "b", "abc", true },     { "^b", "abc", false }, { "^a.c$", "abc", true },
		{ "", "", true },         { "x*", "", true },     { "(?i)B", "abc", true },
		{ "a.c", "a\nc", false }, { "^$", "", true },     { "\\bb", "ab", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s in %s", cases[i].pattern, cases[i].text);
		CHECK(route_regex_matches(regex(a, cases[i].pattern), str_of(cases[i].text)) ==
		      cases[i].want);
	}
	CHECK(route_regex_matches(regex(a, ""), (Str){ 0 }));
	CHECK_STR(route_regex_pattern(regex(a, "b")), S("b"));
}

TEST(what_is_wrong_is_said_with_its_place)
{
	static const struct {
		const char *pattern, *want;
	} cases[] = {
		{ "(a", "missing closing parenthesis, at letter 3" },
		{ "a\\C", "disabled" },
		{ "*", "quantifier" },
		{ "()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()",
		  "more than 31 groups" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const RouteRegex *re = NULL;
		Err *err = route_regex_new(a, str_of(cases[i].pattern), &re);

		NOTE("%s", cases[i].pattern);
		CHECK_ERR(err, "conf.value");
		CHECK_NULL(re);
		CHECK(str_find(err->text, str_of(cases[i].want)) >= 0);
		CHECK_ERR(route_regex_check(a, str_of(cases[i].pattern)), "conf.value");
	}
	CHECK_OK(route_regex_check(a, S("(a)")));
}

TEST(a_match_without_end_counts_as_none_and_is_counted)
{
	static const char *const patterns[] = { "^(a+)+$", "^(a|a)*$", "a.*a.*a.*a.*a.*c$",
		                                "^((a*)*)*c$" };
	char text[4096];

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = 'a';
	text[sizeof text - 2] = 'c';
	text[sizeof text - 1] = 'd';
	log_setup(LOG_NONE, LOG_AUTO);
	for (size_t i = 0; i < COUNT(patterns); i++) {
		const RouteRegex *re = regex(a, patterns[i]);

		NOTE("%s", patterns[i]);
		CHECK(!route_regex_matches(re, (Str){ text, sizeof text }));
		CHECK_INT(limits_met, i + 1);
		CHECK(!route_regex_group(re, (Str){ text, sizeof text }, S("0"), &(Str){ 0 }));
		limits_met = i + 1;
		CHECK(route_regex_matches(re, i < 2 ? S("aaa") : S("aaaaaaac")));
		CHECK_INT(limits_met, i + 1);
	}
}

/* Some hundred thousand steps: PCRE2 itself would take them. */
TEST(the_limit_is_ours)
{
	const RouteRegex *re = regex(a, "^(.*)(.*)(.*)(.*)(.*)b$");

	log_setup(LOG_NONE, LOG_AUTO);
	CHECK(!route_regex_matches(re, S("aaaaaaaaaaaaaaaaaaaaaaaaaaabcd")));
	CHECK_INT(limits_met, 1);
	CHECK(!route_regex_matches(re, S("aaabcd")));
	CHECK_INT(limits_met, 1);
}

static void *match_once(void *re)
{
	return route_regex_matches(re, S("abc")) ? re : NULL;
}

TEST(threads_that_end_give_back_what_they_had)
{
	const RouteRegex *re = regex(a, "b");

	for (int i = 0; i < 8; i++) {
		pthread_t thread;
		void *got;

		CHECK(!pthread_create(&thread, NULL, match_once, (void *)re));
		CHECK(!pthread_join(thread, &got) && got == re);
	}
}

TEST(the_metric_is_one_that_prometheus_takes)
{
	size_t count;
	const MetricFamily *rows = route_metrics(&count);

	for (size_t i = 0; i < count; i++)
		CHECK_STR(metric_family_mistake(a, &rows[i]), S(""));
	metrics_add(rows, count);
	limits_met = 7;
	AUTO(buf_fini) Buf b = { 0 };

	metrics_put(&b);
	CHECK(str_find(buf_str(&b), S("banyan_route_expression_limits_total 7\n")) >= 0);
}
