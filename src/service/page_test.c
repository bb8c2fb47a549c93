/* SPDX-License-Identifier: Apache-2.0 */
#include "service/page.c"

#include "unit.h"

TEST(a_cursor_reads_back_as_its_key)
{
	char bytes[300];

	for (size_t len = 0; len < sizeof bytes; len++) {
		Str key, cursor;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(i * 7 + len);
		cursor = cursor_of(a, (Str){ bytes, len });
		NOTE("%zu bytes: %.*s", len, STR_ARG(cursor));
		CHECK(cursor_read(a, cursor, &key));
		CHECK_STR(key, ((Str){ bytes, len }));
	}
}

TEST(what_is_no_cursor_is_refused)
{
	static const Str cases[] = { S(""),    S("A"),    S("AQ="),  S("AR"),
		                     S("A Q"), S("AgAA"), S("\xff"), S("A\0Q") };
	Str key;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK(!cursor_read(a, cases[i], &key));
	}
	CHECK(cursor_read(a, S("AQ"), &key));
	CHECK_INT(key.len, 0);
}
