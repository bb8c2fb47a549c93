/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conditional.c"
#include "field_cases.h"
#include "unit.h"

TEST(dates_in_all_three_forms)
{
	static const struct {
		const char *text;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Wed Nov 16 08:49:37 1994", 784975777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
		{ "Thu, 29 Feb 2024 23:59:60 GMT", 1709251200 },
		{ "Friday, 01-Jan-69 00:00:00 GMT", 3124224000 },
		{ "Fri, 31 Dec 1999 23:59:59 GMT", 946684799 },
		{ "Mon, 29 Feb 2100 00:00:00 GMT", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 CET", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
		{ "Sun, 31 Nov 1994 00:00:00 GMT", -1 },
		{ "Sun, 00 Nov 1994 00:00:00 GMT", -1 },
		{ "Sun, 06 XXX 1994 08:49:37 GMT", -1 },
		{ "Sun,06 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun Nov 6 08:49:37 1994", -1 },
		{ "784111777", -1 },
		{ "", -1 },
		{ ",", -1 },
		{ "Sun, ", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t got = -1;
		bool good = http_date_read(str_of(cases[i].text), &got);

		NOTE("%s", cases[i].text);
		CHECK_INT(good ? got : -1, cases[i].want);
	}
}

#define AT_DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

TEST(preconditions_in_their_order)
{
	static const struct {
		const char *etag, *headers;
		Conditional want;
	} cases[] = {
		{ "\"a\"", "Accept: x|Range: bytes=0-", CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match: \"a\"", CONDITIONAL_SAME },
		{ "\"a\"", "if-none-match: W/\"a\"", CONDITIONAL_SAME },
		{ "W/\"a\"", "If-None-Match: \"a\"", CONDITIONAL_SAME },
		{ "\"a\"", "If-None-Match: \"b\", \"c,\" , W/\"a\"", CONDITIONAL_SAME },
		{ "\"a\"", "If-None-Match: \"b\"|X: y|If-None-Match: \"a\"", CONDITIONAL_SAME },
		{ "\"a\"", "If-None-Match: *", CONDITIONAL_SAME },
		{ "", "If-None-Match: *", CONDITIONAL_SAME },
		{ "\"a\"", "If-None-Match: a", CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match: \"a", CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match: \"b\" x \"a\"", CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match:", CONDITIONAL_GO },
		{ "\"a\"", "If-Match: \"a\"", CONDITIONAL_GO },
		{ "\"a\"", "If-Match: *", CONDITIONAL_GO },
		{ "\"a\"", "If-Match: W/\"a\"", CONDITIONAL_FAILED },
		{ "W/\"a\"", "If-Match: \"a\"", CONDITIONAL_FAILED },
		{ "\"a\"", "If-Match: \"b\"", CONDITIONAL_FAILED },
		{ "\"a\"", "If-Match: \"a\"|If-None-Match: \"a\"", CONDITIONAL_SAME },
		{ "\"a\"", "If-Modified-Since: " AT_DATE, CONDITIONAL_SAME },
		{ "\"a\"", "If-Modified-Since: " AFTER, CONDITIONAL_SAME },
		{ "\"a\"", "If-Modified-Since: " BEFORE, CONDITIONAL_GO },
		{ "\"a\"", "If-Modified-Since: yesterday", CONDITIONAL_GO },
		{ "\"a\"", "If-Unmodified-Since: " AT_DATE, CONDITIONAL_GO },
		{ "\"a\"", "If-Unmodified-Since: " BEFORE, CONDITIONAL_FAILED },
		{ "\"a\"", "If-Unmodified-Since: never", CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match: \"b\"|If-Modified-Since: " AT_DATE, CONDITIONAL_GO },
		{ "\"a\"", "If-None-Match: \"a\"|If-Modified-Since: " BEFORE, CONDITIONAL_SAME },
		{ "\"a\"", "If-Match: \"a\"|If-Unmodified-Since: " BEFORE, CONDITIONAL_GO },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = headers_of(a, cases[i].headers);

		NOTE("%s %s", cases[i].etag, cases[i].headers);
		CHECK_INT(conditional_check(&headers,
		                            &(Validators){ str_of(cases[i].etag), 784111777 }),
		          cases[i].want);
	}
}

TEST(what_is_not_dated_is_never_old_or_new)
{
	static const char *const texts[] = { "If-Modified-Since: " AT_DATE,
		                             "If-Unmodified-Since: " AT_DATE };

	for (size_t i = 0; i < COUNT(texts); i++) {
		Headers headers = headers_of(a, texts[i]);

		CHECK_INT(conditional_check(&headers, &(Validators){ S("\"a\""), -1 }),
		          CONDITIONAL_GO);
	}
}

TEST(a_range_only_of_the_very_same)
{
	static const struct {
		const char *etag, *headers;
		bool want;
	} cases[] = {
		{ "\"a\"", "Range: bytes=0-", true },
		{ "\"a\"", "If-None-Match: \"b\"", true },
		{ "\"a\"", "If-Range: \"a\"", true },
		{ "\"a\"", "If-Range: W/\"a\"", false },
		{ "W/\"a\"", "If-Range: W/\"a\"", false },
		{ "\"a\"", "If-Range: \"b\"", false },
		{ "\"a\"", "If-Range: " AT_DATE, true },
		{ "\"a\"", "If-Range: " AFTER, false },
		{ "W/\"a\"", "If-Range: " AT_DATE, false },
		{ "\"a\"", "If-Range: x", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = headers_of(a, cases[i].headers);

		NOTE("%s %s", cases[i].etag, cases[i].headers);
		CHECK_INT(conditional_range(&headers,
		                            &(Validators){ str_of(cases[i].etag), 784111777 }),
		          cases[i].want);
	}
}

TEST(ranges)
{
	static const struct {
		const char *value;
		uint64_t size;
		RangeResult result;
		Range want[2];
	} cases[] = {
		{ "bytes=0-0", 100, RANGE_PARTS, { { 0, 1 } } },
		{ "bytes=0-99", 100, RANGE_PARTS, { { 0, 100 } } },
		{ "bytes=10-", 100, RANGE_PARTS, { { 10, 90 } } },
		{ "bytes=-10", 100, RANGE_PARTS, { { 90, 10 } } },
		{ "bytes=-1000", 100, RANGE_PARTS, { { 0, 100 } } },
		{ "bytes=90-1000", 100, RANGE_PARTS, { { 90, 10 } } },
		{ "BYTES= 1 - 2 , 5-6", 100, RANGE_PARTS, { { 1, 2 }, { 5, 2 } } },
		{ "bytes=50-59,-10", 100, RANGE_PARTS, { { 50, 10 }, { 90, 10 } } },
		{ "bytes=200-300,0-0", 100, RANGE_PARTS, { { 0, 1 } } },
		{ "bytes=100-", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=100-200", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=-0", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=5-2", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=", 100, RANGE_WHOLE, { { 0 } } },
		{ "bytes=-", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=a-b", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=1-2;3-4", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=0-1,", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=0-18446744073709551616", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=0-18446744073709551615", 100, RANGE_PARTS, { { 0, 100 } } },
		{ "bytes=18446744073709551615-", 100, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "bytes=-18446744073709551615", 100, RANGE_PARTS, { { 0, 100 } } },
		{ "bytes=0-60,40-99", 100, RANGE_WHOLE, { { 0 } } },
		{ "bytes=0-,0-", 100, RANGE_WHOLE, { { 0 } } },
		{ "bytes=0-", 0, RANGE_WHOLE, { { 0 } } },
		{ "bytes=-5", 0, RANGE_WHOLE, { { 0 } } },
		{ "bytes=1-", 0, RANGE_UNSATISFIABLE, { { 0 } } },
		{ "lines=0-1", 100, RANGE_WHOLE, { { 0 } } },
		{ "bytes", 100, RANGE_WHOLE, { { 0 } } },
		{ "", 100, RANGE_WHOLE, { { 0 } } },
		{ "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
		  "30-30,32-32",
		  100,
		  RANGE_WHOLE,
		  { { 0 } } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Range got[RANGES_MAX];
		size_t count, want = 0;

		NOTE("%s of %" PRIu64, cases[i].value, cases[i].size);
		CHECK_INT(range_read(str_of(cases[i].value), cases[i].size, got, &count),
		          cases[i].result);
		if (cases[i].result != RANGE_PARTS)
			continue;
		while (want < 2 && cases[i].want[want].count)
			want++;
		CHECK_INT(count, want);
		for (size_t k = 0; k < want; k++) {
			CHECK_INT(got[k].from, cases[i].want[k].from);
			CHECK_INT(got[k].count, cases[i].want[k].count);
		}
	}
}

TEST(the_date_that_is_told_can_be_read)
{
	int64_t before_s = time_utc_us() / US_PER_S, told_s;

	CHECK(http_date_read(http_date_now(a), &told_s));
	CHECK(told_s >= before_s && told_s <= time_utc_us() / US_PER_S);
}
