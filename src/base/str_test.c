/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.c"

#include "unit.h"

TEST(str_of_takes_null_and_text)
{
	CHECK_INT(str_of(NULL).len, 0);
	CHECK_STR(str_of("abc"), S("abc"));
	(void)a;
}

TEST(str_eq_compares_bytes_and_knows_the_empty)
{
	static const struct {
		Str x, y;
		bool same, nocase;
		int order;
	} cases[] = {
		{ { NULL, 0 }, { "", 0 }, true, true, 0 },
		{ { "a", 1 }, { "a", 1 }, true, true, 0 },
		{ { "a", 1 }, { "A", 1 }, false, true, 1 },
		{ { "a", 1 }, { "ab", 2 }, false, false, -1 },
		{ { "a\0b", 3 }, { "a\0c", 3 }, false, false, -1 },
		{ { "\xc3", 1 }, { "\xe3", 1 }, false, false, -1 },
		{ { "[", 1 }, { "{", 1 }, false, false, -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int order = str_cmp(cases[i].x, cases[i].y);

		NOTE("case %zu", i);
		CHECK_INT(str_eq(cases[i].x, cases[i].y), cases[i].same);
		CHECK_INT(str_eq_nocase(cases[i].x, cases[i].y), cases[i].nocase);
		CHECK_INT((order > 0) - (order < 0), cases[i].order);
	}
}

TEST(str_starts_ends_and_finds)
{
	CHECK(str_starts(S("/api/x"), S("/api/")) && !str_starts(S("/ap"), S("/api")));
	CHECK(str_ends(S("a.json"), S(".json")) && !str_ends(S("json"), S(".json")));
	CHECK(str_starts(S(""), S("")) && str_ends(S("x"), S("")));
	CHECK_INT(str_find(S("needle in hay"), S("in")), 7);
	CHECK_INT(str_find(S("aaab"), S("ab")), 2);
	CHECK_INT(str_find(S("a"), S("ab")), -1);
	CHECK_INT(str_find((Str){ 0 }, S("")), 0);
	CHECK_INT(str_find_char(S("a:b:c"), ':'), 1);
	CHECK_INT(str_rfind_char(S("a:b:c"), ':'), 3);
	CHECK_INT(str_find_char((Str){ 0 }, ':'), -1);
	CHECK_INT(str_rfind_char(S("abc"), ':'), -1);
}

TEST(str_sub_never_leaves_the_view)
{
	CHECK_STR(str_sub(S("abcdef"), 1, 3), S("bc"));
	CHECK_STR(str_sub(S("abc"), 2, 99), S("c"));
	CHECK_STR(str_sub(S("abc"), 9, 99), S(""));
	CHECK_STR(str_sub(S("abc"), 2, 1), S(""));
	CHECK_NULL(str_sub((Str){ 0 }, 1, 2).at);
}

TEST(str_trim_takes_blanks_and_tabs_only)
{
	static const struct {
		Str raw, want;
	} cases[] = {
		{ { " a b\t", 5 }, { "a b", 3 } },
		{ { " \t ", 3 }, { "", 0 } },
		{ { "\na", 2 }, { "\na", 2 } },
		{ { NULL, 0 }, { "", 0 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(str_trim(cases[i].raw), cases[i].want);
}

TEST(str_split_gives_every_item_empty_ones_too)
{
	static const struct {
		const char *text;
		const char *joined; /* items between bars */
	} cases[] = {
		{ "a,b,c", "a|b|c|" }, { "a,,b", "a||b|" }, { ",", "||" },
		{ "", "|" },           { "abc", "abc|" },   { NULL, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str rest = str_of(cases[i].text);
		Str joined = S("");
		Str item;

		while (str_split(&rest, ',', &item))
			joined = str_fmt(a, "%.*s%.*s|", STR_ARG(joined), STR_ARG(item));
		CHECK_STR(joined, str_of(cases[i].joined));
	}
}

TEST(str_to_numbers_takes_digits_only_and_never_wraps)
{
	static const struct {
		const char *text;
		bool is_u64, is_i64;
		uint64_t u64;
		int64_t i64;
	} cases[] = {
		{ "0", true, true, 0, 0 },
		{ "007", true, true, 7, 7 },
		{ "18446744073709551615", true, false, UINT64_MAX, 0 },
		{ "18446744073709551616", false, false, 0, 0 },
		{ "9223372036854775807", true, true, INT64_MAX, INT64_MAX },
		{ "9223372036854775808", true, false, UINT64_C(1) << 63, 0 },
		{ "-9223372036854775808", false, true, 0, INT64_MIN },
		{ "-9223372036854775809", false, false, 0, 0 },
		{ "-0", false, true, 0, 0 },
		{ "", false, false, 0, 0 },
		{ "-", false, false, 0, 0 },
		{ "+1", false, false, 0, 0 },
		{ " 1", false, false, 0, 0 },
		{ "1x", false, false, 0, 0 },
		{ "--1", false, false, 0, 0 },
		{ "99999999999999999999999", false, false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t u = 77;
		int64_t n = 77;

		NOTE("%s", cases[i].text);
		CHECK_INT(str_to_u64(str_of(cases[i].text), &u), cases[i].is_u64);
		CHECK(u == (cases[i].is_u64 ? cases[i].u64 : 77));
		CHECK_INT(str_to_i64(str_of(cases[i].text), &n), cases[i].is_i64);
		CHECK_INT(n, cases[i].is_i64 ? cases[i].i64 : 77);
	}
}

TEST(str_copies_are_the_arenas)
{
	char raw[] = "Hello\0World";
	Str copy = str_dup(a, (Str){ raw, 11 });

	raw[0] = 'X';
	CHECK_STR(copy, ((Str){ "Hello\0World", 11 }));
	CHECK_INT(copy.at[11], 0);
	CHECK_INT(strlen(str_z(a, S("abc"))), 3);
	CHECK_INT(str_z(a, (Str){ 0 })[0], 0);
	CHECK_STR(str_lower(a, S("AbC-\xc3\x84Z")), S("abc-\xc3\x84z"));
	CHECK_STR(str_fmt(a, "%s-%d", "x", 7), S("x-7"));
	CHECK_INT(str_fmt(a, "%5000s", "").len, 5000);
}

TEST(str_utf8_takes_what_rfc_3629_takes)
{
	static const struct {
		Str bytes;
		size_t len;
		uint32_t code;
	} cases[] = {
		{ { "a", 1 }, 1, 'a' },
		{ { "\0", 1 }, 1, 0 },
		{ { "\xc2\x80", 2 }, 2, 0x80 },
		{ { "\xdf\xbf", 2 }, 2, 0x7ff },
		{ { "\xe0\xa0\x80", 3 }, 3, 0x800 },
		{ { "\xef\xbf\xbf", 3 }, 3, 0xffff },
		{ { "\xf0\x90\x80\x80", 4 }, 4, 0x10000 },
		{ { "\xf4\x8f\xbf\xbf", 4 }, 4, 0x10ffff },
		{ { "\xf4\x90\x80\x80", 4 }, 0, 0 }, /* above the last */
		{ { "\xc0\x80", 2 }, 0, 0 },         /* overlong */
		{ { "\xc1\xbf", 2 }, 0, 0 },
		{ { "\xe0\x9f\xbf", 3 }, 0, 0 },
		{ { "\xf0\x8f\xbf\xbf", 4 }, 0, 0 },
		{ { "\xed\xa0\x80", 3 }, 0, 0 }, /* a surrogate */
		{ { "\xed\xbf\xbf", 3 }, 0, 0 },
		{ { "\x80", 1 }, 0, 0 },
		{ { "\xc3", 1 }, 0, 0 },
		{ { "\xe2\x82", 2 }, 0, 0 },
		{ { "\xc3(", 2 }, 0, 0 },
		{ { "\xf8\x88\x80\x80\x80", 5 }, 0, 0 },
		{ { "\xff", 1 }, 0, 0 },
		{ { NULL, 0 }, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t code = 0;

		NOTE("case %zu", i);
		CHECK_INT(str_utf8(cases[i].bytes, &code), cases[i].len);
		CHECK_INT(code, cases[i].code);
	}
	(void)a;
}

TEST(str_quote_shows_what_could_mislead)
{
	static const struct {
		Str raw;
		const char *want;
	} cases[] = {
		{ { "plain", 5 }, "\"plain\"" },
		{ { NULL, 0 }, "\"\"" },
		{ { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
		{ { "\n\r\t\x1b[2J\0", 8 }, "\"\\n\\r\\t\\x1b[2J\\x00\"" },
		{ { "\xc3\xa4\xff", 3 }, "\"\xc3\xa4\\xff\"" },
		{ { "\xe2\x80\xae", 3 }, "\"\\u202e\"" }, /* would turn the line around */
		{ { "\xc2\x85", 2 }, "\"\\u0085\"" },
	};
	char many[200];

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(str_quote(a, cases[i].raw), str_of(cases[i].want));
	memset(many, 1, sizeof many);
	CHECK_INT(str_quote(a, (Str){ many, sizeof many }).len, 60 * 4 + 5);
	memset(many, 'x', sizeof many);
	CHECK_INT(str_quote(a, (Str){ many, sizeof many }).len, 60 + 5);
}

TEST(str_distance_counts_slips)
{
	static const struct {
		const char *x, *y;
		unsigned far;
	} cases[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "balance", "blance", 1 },
		{ "balance", "blaance", 1 },
		{ "weight", "wieght", 1 },
		{ "kitten", "sitting", 3 },
		{ "Check", "check", 0 },
		{ "abc", "xyz", 3 },
	};
	char far[80];

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s %s", cases[i].x, cases[i].y);
		CHECK_INT(str_distance(str_of(cases[i].x), str_of(cases[i].y)), cases[i].far);
		CHECK_INT(str_distance(str_of(cases[i].y), str_of(cases[i].x)), cases[i].far);
	}
	memset(far, 'a', sizeof far);
	CHECK_INT(str_distance((Str){ far, 64 }, (Str){ far, 64 }), 0);
	CHECK_INT(str_distance((Str){ far, 65 }, (Str){ far, 65 }), 65);
	(void)a;
}

TEST(str_nearest_is_a_slip_or_nothing)
{
	static const Str names[] = {
		{ "servers", 7 }, { "balance", 7 }, { "retry", 5 }, { "on", 2 }, { "health", 6 }
	};
	static const struct {
		const char *word, *want;
	} cases[] = {
		{ "server", "servers" },
		{ "blance", "balance" },
		{ "rety", "retry" },
		{ "retries", "" },
		{ "completely", "" },
		{ "x", "" },
		{ "", "" },
		{ "HEALTH", "health" },
		{ "heatlh", "health" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].word);
		CHECK_STR(str_nearest(str_of(cases[i].word), names, COUNT(names)),
		          str_of(cases[i].want));
	}
	(void)a;
}

TEST(hexadecimal_digits_are_the_last_ones)
{
	static const struct {
		uint64_t n;
		size_t digits;
		const char *want;
	} cases[] = {
		{ UINT64_C(0x0123456789abcdef), 16, "0123456789abcdef" },
		{ UINT64_C(0xfedcba9876543210), 16, "fedcba9876543210" },
		{ UINT64_C(0xfedcba9876543210), 9, "876543210" },
		{ UINT64_C(0x90a0f), 8, "00090a0f" },
		{ 0xa9, 2, "a9" },
		{ 7, 1, "7" },
		{ 7, 0, "" },
		{ UINT64_MAX, 16, "ffffffffffffffff" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[16];
		char *end = str_put_hex(text, cases[i].n, cases[i].digits);

		NOTE("%s", cases[i].want);
		CHECK_STR(((Str){ text, (size_t)(end - text) }), str_of(cases[i].want));
	}
	(void)a;
}
