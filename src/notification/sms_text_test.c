/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/sms_text.c"

#include "base/arena.h"
#include "base/buf.h"
#include "unit.h"

static Str repeat(Arena *a, Str piece, unsigned times, Str then)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (unsigned i = 0; i < times; i++)
		buf_put(&b, piece);
	buf_put(&b, then);
	return str_dup(a, buf_str(&b));
}

TEST(sms_text_counts_what_is_paid)
{
	static const struct {
		Str piece;
		unsigned times;
		Str then;
		uint32_t segments, units, room;
		bool unicode;
	} cases[] = {
		{ S(""), 0, S(""), 0, 0, 0, false },
		{ S("a"), 1, S(""), 1, 1, 159, false },
		{ S("a"), 160, S(""), 1, 160, 0, false },
		{ S("a"), 161, S(""), 2, 161, 145, false },
		{ S("a"), 306, S(""), 2, 306, 0, false },
		{ S("a"), 307, S(""), 3, 307, 152, false },
		{ S("\xc3\xa4"), 160, S(""), 1, 160, 0, false },    /* a umlaut is in the table */
		{ S("\xe2\x82\xac"), 80, S(""), 1, 160, 0, false }, /* the euro takes two */
		{ S("{"), 81, S(""), 2, 162, 143,
		  false }, /* 76 pairs fit, one septet is left over */
		{ S("a"), 152, S("[aaaaaaa"), 2, 161, 144,
		  false }, /* the pair is not cut: it begins the second */
		{ S("\xc3\xa7"), 1, S(""), 1, 1, 69,
		  true }, /* c with cedilla: only the capital is there */
		{ S("\xc3\x87"), 1, S(""), 1, 1, 159, false },
		{ S("`"), 1, S(""), 1, 1, 69, true },
		{ S("\xd0\xb4"), 70, S(""), 1, 70, 0, true },
		{ S("\xd0\xb4"), 71, S(""), 2, 71, 63, true },
		{ S("\xf0\x9f\x98\x80"), 35, S(""), 1, 70, 0, true }, /* an emoji is two units */
		{ S("\xf0\x9f\x98\x80"), 36, S(""), 2, 72, 61,
		  true }, /* 33 pairs: a 67th unit would cut the 34th */
		{ S("\xff"), 2, S(""), 1, 2, 68, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		SmsCount count =
			sms_count(repeat(a, cases[i].piece, cases[i].times, cases[i].then));

		NOTE("%u", (unsigned)i);
		CHECK_INT(count.segments, cases[i].segments);
		CHECK_INT(count.units, cases[i].units);
		CHECK_INT(count.room, cases[i].room);
		CHECK_INT(count.unicode, cases[i].unicode);
	}
}

TEST(sms_text_tells_which_character_it_was)
{
	CHECK_STR(sms_count(S("co\xc3\xa7o\xc3\xa7")).odd, S("\xc3\xa7"));
	CHECK_STR(sms_count(S("plain")).odd, S(""));
}

/* TS 23.038 has 127 characters besides the escape, and 10 in the extension, of which form feed, and the euro. */
TEST(sms_text_has_the_whole_tables)
{
	unsigned basic = 0, extension = 0;

	for (uint32_t code = 0; code < 0x3000; code++) {
		basic += in_basic(code);
		extension += in_extension(code);
		CHECK(!(in_basic(code) && in_extension(code)));
	}
	CHECK_INT(basic, 127);
	CHECK_INT(extension, 10);
}
