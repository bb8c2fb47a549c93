/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.c"

#include "base/arena.h"
#include "unit.h"

TEST(buf_numbers)
{
	static const struct {
		int64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ -1, "-1" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		buf_put_i64(&b, cases[i].n);
		CHECK_STR(buf_str(&b), str_of(cases[i].text));
	}
	buf_clear(&b);
	buf_put_u64(&b, UINT64_MAX);
	buf_putc(&b, ' ');
	buf_put_hex(&b, 0);
	buf_put_hex(&b, 0xdeadbeef);
	CHECK_STR(buf_str(&b), S("18446744073709551615 0deadbeef"));
	(void)a;
}

TEST(buf_grows_and_keeps_order)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (int i = 0; i < 5000; i++)
		buf_fmt(&b, "%d,", i);
	CHECK(str_starts(buf_str(&b), S("0,1,2,3,")));
	CHECK(str_ends(buf_str(&b), S(",4998,4999,")));
	buf_fmt(&b, "%s", "");
	CHECK_INT(b.len, 10 * 2 + 90 * 3 + 900 * 4 + 4000 * 5);
	(void)a;
}

TEST(buf_takes_exactly_its_limit)
{
	AUTO(buf_fini) Buf b = { .limit = 10 };
	Str text;

	buf_put(&b, S("0123456789"));
	CHECK_OK(buf_done(&b, &text));
	buf_put(&b, S(""));
	CHECK(!b.broken);
	buf_putc(&b, 'x');
	CHECK(b.broken);
	CHECK_ERR(buf_done(&b, &text), "base.buffer_full");
	CHECK_STR(buf_str(&b), S("0123456789"));
}

TEST(buf_fmt_takes_exactly_its_limit)
{
	AUTO(buf_fini) Buf b = { .limit = 10 };

	buf_fmt(&b, "%s", "0123456789");
	CHECK(!b.broken);
	CHECK_STR(buf_str(&b), S("0123456789"));
	buf_fmt(&b, "%d", 1);
	CHECK(b.broken);
	CHECK_STR(buf_str(&b), S("0123456789"));
	(void)a;
}

TEST(buf_stays_broken_until_cleared)
{
	AUTO(buf_fini) Buf b = { .limit = 4 };
	Str text;

	buf_put(&b, S("abc"));
	buf_put(&b, S("too long"));
	buf_put(&b, S("d")); /* would fit; must not slip in behind what was lost */
	CHECK_STR(buf_str(&b), S("abc"));
	CHECK_NULL(buf_room(&b, 1));
	buf_wrote(&b, 1);
	CHECK_INT(b.len, 3);
	buf_clear(&b);
	buf_put(&b, S("abcd"));
	CHECK_OK(buf_done(&b, &text));
	CHECK_STR(text, S("abcd"));
}

TEST(buf_room_cannot_overflow)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("abc"));
	CHECK_NULL(buf_room(&b, SIZE_MAX));
	CHECK(b.broken);
	(void)a;
}

TEST(buf_room_and_wrote)
{
	AUTO(buf_fini) Buf b = { 0 };
	char *at = buf_room(&b, 5);

	memcpy(at, "hello", 5);
	buf_wrote(&b, 3);
	CHECK_STR(buf_str(&b), S("hel"));
	(void)a;
}

TEST(buf_drop_takes_from_the_front)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_drop(&b, 3);
	buf_put(&b, S("abcdef"));
	buf_drop(&b, 2);
	CHECK_STR(buf_str(&b), S("cdef"));
	buf_drop(&b, 99);
	CHECK_INT(b.len, 0);
	(void)a;
}
