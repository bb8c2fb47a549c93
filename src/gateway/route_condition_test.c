/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route_condition.c"
#include "gateway/route.h"
#include "gateway/route_lines.h"
#include "unit.h"

TEST(what_holds_and_what_does_not)
{
	static const struct {
		const char *wanted, *given;
		bool want;
	} cases[] = {
		/* headers */
		{ "h:X-A=1", "h:x-a=1", true },
		{ "h:X-A=1", "h:x-a=11", false },
		{ "h:X-A=a", "h:x-a=A", false }, /* values have case */
		{ "h:X-A=1", "h:x-a=0 h:X-A=1", true },
		{ "h:X-A=1", "", false },
		{ "h:X-A*", "h:x-a=", true },
		{ "h:X-A*", "h:x-b=1", false },
		{ "h:X-A!", "h:x-b=1", true },
		{ "h:X-A!", "h:x-a=", false },
		{ "h:X-A~^\\d+$", "h:x-a=17", true },
		{ "h:X-A~^\\d+$", "h:x-a=x", false },
		{ "h:X-A~", "h:x-a=", true },
		{ "h:Accept~json", "h:accept=text/html h:ACCEPT=application/json", true },
		{ "h:X-A=1 h:X-B=2", "h:x-b=2 h:x-a=1", true },
		{ "h:X-A=1 h:X-B=2", "h:x-a=1", false },
		/* cookies */
		{ "c:beta=1", "h:cookie=a=2;beta=1", true },
		{ "c:beta=1", "h:cookie=beta=0;beta=1", true },
		{ "c:beta=1", "h:cookie=beta=0 h:cookie=beta=1", true },
		{ "c:beta=1", "h:cookie=beta=\"1\"", true },
		{ "c:beta=1", "h:cookie=BETA=1", false },
		{ "c:beta*", "h:cookie=beta=", true },
		{ "c:beta*", "h:cookie=beta", false }, /* no pair */
		{ "c:beta!", "h:cookie=alpha=1", true },
		{ "c:beta~^[a-m]", "h:cookie=beta=zoe", false },
		/* query */
		{ "q:page=2", "?page=2", true },
		{ "q:page=2", "?a=1&page=2&b", true },
		{ "q:page=2", "?page=1&page=2", true },
		{ "q:page=2", "?page=22", false },
		{ "q:page=2", "?pages=2", false },
		{ "q:page=2", "?Page=2", false },
		{ "q:page=2", "?p%61ge=%32", true },
		{ "q:page=2", "?page=%2", false },
		{ "q:page=2%", "?page=2%", true }, /* an escape that is none */
		{ "q:page=%zz", "?page=%zz", true },
		{ "q:q=+", "?q=%2B", true },
		{ "q:q=+", "?q=+", false }, /* that is a blank */
		{ "q:q~^a\\x20b$", "?q=a+b", true },
		{ "q:q~^a\\x20b$", "?q=a%20b", true },
		{ "q:q~%", "?q=%25", true },
		{ "q:page*", "?page", true },
		{ "q:page*", "?page=", true },
		{ "q:page*", "?", false },
		{ "q:page*", "?&&=&=page", false },
		{ "q:page!", "?page", false },
		{ "q:page!", "", true },
		{ "q:page!", "?a=page", true },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		RouteConf route;
		RouteAsk ask = route_line_ask(a, str_fmt(a, "h / GET %s", cases[i].given));
		const ConditionConf *failed = NULL;
		const RouteConditions *c;
		bool got;

		NOTE("%s of %s", cases[i].wanted, cases[i].given);
		CHECK(route_line_read(a, str_fmt(a, "r * / %s", cases[i].wanted), &route));
		c = route_conditions_new(a, &route.match);
		got = route_conditions_hold(c, ask.headers, ask.query, &failed, NULL);
		CHECK(got == cases[i].want);
		CHECK(got == !failed);
	}
}

TEST(without_conditions_everything_holds)
{
	CHECK_NULL(route_conditions_new(a, &(MatchConf){ 0 }));
	CHECK(route_conditions_hold(NULL, NULL, S(""), NULL, NULL));
}

TEST(the_first_that_fails_is_told)
{
	const ConditionConf *failed = NULL;
	const RouteConditions *c;
	RouteIn in = ROUTE_IN_HEADERS;
	RouteConf route;

	CHECK(route_line_read(a, S("r * / q:page=1 c:b! h:A!"), &route));
	c = route_conditions_new(a, &route.match);
	CHECK(!route_conditions_hold(c, NULL, S("page=2"), &failed, &in));
	CHECK(failed == &route.match.query.at[0] && in == ROUTE_IN_QUERY);
}
