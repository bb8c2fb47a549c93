/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reshape_query.c"

#include "unit.h"

TEST(a_query_is_changed_and_the_rest_stays)
{
	static const struct {
		Str query, want;
	} cases[] = {
		{ S("q=a"), S("search=a&v=2%263") },
		{ S("q=a%20b+c&x=1"), S("search=a%20b+c&x=1&v=2%263") },
		{ S("%71=a"), S("search=a&v=2%263") },
		{ S("q&x"), S("search&x&v=2%263") },
		{ S("q=1&q=2"), S("search=1&search=2&v=2%263") },
		{ S("search=x"), S("search=x&v=2%263") },
		{ S("search=x&q=y"), S("search=y&v=2%263") },
		{ S("b=1&a=2"), S("a=1&b=2&v=2%263") },
		{ S("v=1&V=1"), S("V=1&v=2%263") },
		{ S("debug=1&x=%zz&&=&y"), S("x=%zz&=&y&v=2%263") },
		{ S("odd+name=1"), S("an%20%C3%A4=1&v=2%263") },
		{ S("old=1"), S("v=2%263") },
		{ S(""), S("v=2%263") },
	};
	ReshapeRenameConf renames[] = { { S("q"), S("search") },
		                        { S("a"), S("b") },
		                        { S("b"), S("a") },
		                        { S("odd name"), S("an \xc3\xa4") },
		                        { S("old"), S("debug") } };
	ReshapeSetConf sets[] = { { S("v"), S("2&3") } };
	Str removes[] = { S("debug") };
	ReshapeQueryConf conf = { .rename = { renames, COUNT(renames) },
		                  .set = { sets, 1 },
		                  .remove = { removes, 1 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].query));
		CHECK_STR(reshape_query(&conf, a, cases[i].query), cases[i].want);
	}
}

TEST(what_was_there_or_not_stays_so)
{
	Str removes[] = { S("debug") };
	ReshapeQueryConf none = { 0 }, conf = { .remove = { removes, 1 } };

	CHECK_STR(reshape_query(&none, a, S("&&x=%")), S("&&x=%"));
	CHECK_NULL(reshape_query(&none, a, (Str){ 0 }).at);
	CHECK_NULL(reshape_query(&conf, a, (Str){ 0 }).at);
	CHECK_NULL(reshape_query(&conf, a, S("debug=1")).at);
}
