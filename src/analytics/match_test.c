/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/match.c"

#include "unit.h"

TEST(a_filter_says_of_a_value_what_people_expect)
{
	static const struct {
		uint8_t op;
		Str value;
		Cell cell;
		bool holds;
	} cases[] = {
		{ FILTER_EQUALS, S("\"pro\""), { CELL_STR, S("pro") }, true },
		{ FILTER_EQUALS, S("\"pro\""), { CELL_STR, S("free") }, false },
		{ FILTER_EQUALS, S("\"pro\""), { 0 }, false },
		{ FILTER_EQUALS, S("null"), { 0 }, true },
		{ FILTER_EQUALS, S("[\"a\",\"pro\"]"), { CELL_STR, S("pro") }, true },
		{ FILTER_EQUALS, S("5"), { CELL_REAL, S("5.0") }, true },
		{ FILTER_EQUALS, S("5"), { CELL_STR, S("5") }, true },
		{ FILTER_EQUALS, S("true"), { CELL_BOOL, S("true") }, true },
		{ FILTER_NOT, S("\"pro\""), { CELL_STR, S("free") }, true },
		{ FILTER_NOT, S("\"pro\""), { 0 }, true },
		{ FILTER_NOT, S("[\"a\",\"pro\"]"), { CELL_STR, S("pro") }, false },
		{ FILTER_CONTAINS, S("\"/shop\""), { CELL_STR, S("a/shop/b") }, true },
		{ FILTER_CONTAINS, S("\"x\""), { 0 }, false },
		{ FILTER_ABOVE, S("10"), { CELL_INT, S("9") }, false },
		{ FILTER_ABOVE, S("10"), { CELL_STR, S("100") }, true },
		{ FILTER_ABOVE, S("10"), { CELL_STR, S("many") }, false },
		{ FILTER_BELOW, S("10"), { CELL_REAL, S("9.5") }, true },
		{ FILTER_BELOW, S("10"), { 0 }, false },
		{ FILTER_SET, S("null"), { CELL_STR, S("") }, true },
		{ FILTER_SET, S("null"), { 0 }, false },
		{ FILTER_NOT_SET, S("null"), { 0 }, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		QueryFilter filter = { .op = cases[i].op };

		CHECK_OK(json_read(a, str_fmt(a, "[%.*s]", STR_ARG(cases[i].value)), 0,
		                   &filter.value));
		filter.value = json_at(filter.value, 0);
		NOTE("case %zu: %.*s", i, STR_ARG(cases[i].value));
		CHECK_INT(match_filter(&filter, cases[i].cell), cases[i].holds);
	}
}
