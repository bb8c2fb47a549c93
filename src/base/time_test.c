/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.c"

#include "unit.h"

TEST(time_is_written_as_the_standards_have_it)
{
	static const struct {
		int64_t us;
		const char *rfc3339, *http;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777000000, "1994-11-06T08:49:37.000000Z", "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 1769903999123456, "2026-01-31T23:59:59.123456Z",
		  "Sat, 31 Jan 2026 23:59:59 GMT" },
		{ 951782400000000, "2000-02-29T00:00:00.000000Z", "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ -1, "1969-12-31T23:59:59.999999Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
	};
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		time_put_rfc3339(&b, cases[i].us);
		CHECK_STR(buf_str(&b), str_of(cases[i].rfc3339));
		buf_clear(&b);
		time_put_http(&b, cases[i].us);
		CHECK_STR(buf_str(&b), str_of(cases[i].http));
	}
	(void)a;
}

TEST(time_clocks_go_forward)
{
	int64_t before = time_mono_us();

	CHECK(time_mono_us() >= before);
	CHECK(time_utc_us() > INT64_C(1700000000) * US_PER_S);
	(void)a;
}

TEST(time_read_rfc3339_reads_what_others_write)
{
	static const struct {
		const char *text, *want; /* NULL: it is no time */
	} cases[] = {
		{ "2026-01-31T23:59:59Z", "2026-01-31T23:59:59.000000Z" },
		{ "2026-01-31t23:59:59.5z", "2026-01-31T23:59:59.500000Z" },
		{ "2026-01-31 23:59:59.1234567+01:30", "2026-01-31T22:29:59.123456Z" },
		{ "1969-12-31T16:00:00-08:00", "1970-01-01T00:00:00.000000Z" },
		{ "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z" },
		{ "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z" },
		{ "2026-02-29T00:00:00Z", NULL },
		{ "2026-13-01T00:00:00Z", NULL },
		{ "2026-00-01T00:00:00Z", NULL },
		{ "2026-01-01T24:00:00Z", NULL },
		{ "2026-01-01T00:00:00", NULL },
		{ "2026-01-01T00:00:00.Z", NULL },
		{ "2026-01-01T00:00:00+0100", NULL },
		{ "2026-01-01T00:00Z", NULL },
		{ "2026/01/01T00:00:00Z", NULL },
		{ "2026-01-01T00:00:00Zx", NULL },
		{ "2026-01-01", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf b = { 0 };
		int64_t us;

		NOTE("%s", cases[i].text);
		CHECK_INT(time_read_rfc3339(str_of(cases[i].text), &us), cases[i].want != NULL);
		if (!cases[i].want)
			continue;
		time_put_rfc3339(&b, us);
		CHECK_STR(buf_str(&b), str_of(cases[i].want));
	}
}
