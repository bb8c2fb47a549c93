/* SPDX-License-Identifier: Apache-2.0 */
#include "service/pointer.c"

#include "unit.h"

TEST(a_place_is_the_member_or_item_that_was_being_read)
{
	static const struct {
		Str before, after; /* of the place */
		Str want;
	} cases[] = {
		{ S(""), S(""), S("") },
		{ S("{"), S("}"), S("") },
		{ S("{\"a\""), S(":1}"), S("/a") },
		{ S("{\"a\":1,"), S("\"b\":2}"), S("") },
		{ S("{\"a\":1,\"b\":"), S("2}"), S("/b") },
		{ S("{\"a\":{\"b\":1},\"c\":[1,{\"d\":"), S("1}]}"), S("/c/1/d") },
		{ S("{\"a\":\"b\",\"c\""), S(""), S("/c") },
		{ S("[[],["), S("]]"), S("/1/0") },
		{ S("{\"a/b~c\":"), S("1}"), S("/a~1b~0c") },
		{ S("{\"a\\u002fb\":"), S("1}"), S("/a~1b") },
		{ S("{\"a\\\"b\":"), S("1}"), S("/a\"b") },
		{ S("{\"bad\\escape\":"), S("1}"), S("/bad\\escape") },
		{ S("{\"a\":\"x,{[\\\"]}\",\"b\":"), S("1}"), S("/b") },
		{ S("{\"never"), S(" ends"), S("") },
		{ S("}}}],,{\"a\":"), S("1"), S("/a") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text =
			str_fmt(a, "%.*s%.*s", STR_ARG(cases[i].before), STR_ARG(cases[i].after));

		NOTE("case %zu: %.*s", i, STR_ARG(text));
		CHECK_STR(pointer_at(a, text, cases[i].before.len), cases[i].want);
	}
}

TEST(a_place_has_no_more_levels_than_a_reader_takes)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str pointer;

	for (size_t i = 0; i < 5000; i++)
		buf_put(&b, S("{\"k\":"));
	pointer = pointer_at(a, buf_str(&b), b.len);
	CHECK_INT(pointer.len, 2 * LEVELS);
}

TEST(a_key_is_cut)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("{\""));
	for (size_t i = 0; i < 1 << 20; i++)
		buf_putc(&b, 'x');
	buf_put(&b, S("\":"));
	CHECK_INT(pointer_at(a, buf_str(&b), b.len).len, 1 + KEY_MOST);
}
