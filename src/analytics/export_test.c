/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/export.c"

#include "unit.h"

TEST(a_value_of_csv_is_quoted_where_it_must_be_and_never_run)
{
	static const struct {
		Str text, want;
		bool is_number;
	} cases[] = {
		{ S("plain"), S("plain"), false },
		{ S(""), S(""), false },
		{ S("a,b"), S("\"a,b\""), false },
		{ S("say \"hi\""), S("\"say \"\"hi\"\"\""), false },
		{ S("two\nlines"), S("\"two\nlines\""), false },
		{ S("=cmd|' /C calc'!A0"), S("\"'=cmd|' /C calc'!A0\""), false },
		{ S("+1"), S("\"'+1\""), false },
		{ S("-5"), S("-5"), true },
		{ S("-5"), S("\"'-5\""), false },
		{ S("@SUM(A1)"), S("\"'@SUM(A1)\""), false },
		{ S("\tx"), S("\"'\tx\""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		export_put_csv(&b, cases[i].text, cases[i].is_number);
		CHECK_STR(buf_str(&b), cases[i].want);
	}
}
