/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.c"

#include "base/arena.h"
#include "unit.h"

TEST(units_durations)
{
	static const struct {
		const char *text;
		int64_t us; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "250ms", 250000 },
		{ "5s", 5000000 },
		{ "10m", 600000000 },
		{ "1h", 3600000000 },
		{ "2d", 172800000000 },
		{ "7us", 7 },
		{ "1h30m", 5400000000 },
		{ "1d2h3m4s5ms6us", 93784005006 },
		{ "1.5s", 1500000 },
		{ "0.000001s", 1 },
		{ "1.000000s", 1000000 },
		{ "0.5ms", 500 },
		{ "5S", 5000000 },
		{ "106751991d", 9223372022400000000 },
		{ "", -1 },
		{ "5", -1 },
		{ "s", -1 },
		{ "5 s", -1 },
		{ "-5s", -1 },
		{ "+5s", -1 },
		{ "5x", -1 },
		{ "5s3", -1 },
		{ "30m1h", -1 },
		{ "1s1s", -1 },
		{ "0.5us", -1 },
		{ "1.s", -1 },
		{ ".5s", -1 },
		{ "1.2.3s", -1 },
		{ "106751992d", -1 },
		{ "99999999999999999999s", -1 },
		{ "1.0000000000000000000000s", -1 },
		{ "5min", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t us = -1;
		Err *err = units_read_duration(a, str_of(cases[i].text), &us);

		NOTE("%s", cases[i].text);
		CHECK_ERR(err, cases[i].us < 0 ? "units.duration" : NULL);
		CHECK_INT(us, cases[i].us);
	}
}

TEST(units_bytes)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t bytes;
	} cases[] = {
		{ "0", true, 0 },
		{ "512", true, 512 },
		{ "64KiB", true, 65536 },
		{ "64kib", true, 65536 },
		{ "32k", true, 32768 },
		{ "1GiB", true, 1 << 30 },
		{ "1.5KiB", true, 1536 },
		{ "2TiB", true, UINT64_C(2) << 40 },
		{ "10B", true, 10 },
		{ "3m", true, 3 << 20 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "0.5k", true, 512 },
		{ "", false, 0 },
		{ "k", false, 0 },
		{ "64KB", false, 0 },
		{ "1GB", false, 0 },
		{ "-1", false, 0 },
		{ "1 KiB", false, 0 },
		{ "0.3", false, 0 },
		{ "0.0001k", false, 0 },
		{ "16777216TiB", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "5s", false, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t bytes = 0;
		Err *err = units_read_bytes(a, str_of(cases[i].text), &bytes);

		NOTE("%s", cases[i].text);
		CHECK_ERR(err, cases[i].good ? NULL : "units.bytes");
		CHECK_INT(bytes, cases[i].bytes);
	}
}

TEST(units_shares)
{
	static const struct {
		const char *text;
		int64_t ppm; /* -1: refused */
	} cases[] = {
		{ "0", 0 },
		{ "0%", 0 },
		{ "20%", 200000 },
		{ "0.1%", 1000 },
		{ "0.0001%", 1 },
		{ "100%", 1000000 },
		{ "99.9999%", 999999 },
		{ "", -1 },
		{ "20", -1 },
		{ "0.2", -1 },
		{ "%", -1 },
		{ "101%", -1 },
		{ "0.00001%", -1 },
		{ "-1%", -1 },
		{ "1%%", -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t ppm = UINT32_MAX;
		Err *err = units_read_share(a, str_of(cases[i].text), &ppm);

		NOTE("%s", cases[i].text);
		CHECK_ERR(err, cases[i].ppm < 0 ? "units.share" : NULL);
		CHECK_INT((int32_t)ppm, cases[i].ppm);
	}
}

TEST(units_write_the_largest_that_divides)
{
	static const struct {
		uint64_t value;
		const char *duration, *bytes;
	} cases[] = {
		{ 0, "0s", "0" },
		{ 1, "1us", "1" },
		{ 1500000, "1500ms", "1500000" },
		{ 90000000, "90s", "90000000" },
		{ 60000000, "1m", "60000000" },
		{ 86400000000, "1d", "84375000KiB" },
		{ 65536, "65536us", "64KiB" },
		{ UINT64_C(1) << 40, "1099511627776us", "1TiB" },
	};
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		units_put_duration(&b, (int64_t)cases[i].value);
		CHECK_STR(buf_str(&b), str_of(cases[i].duration));
		buf_clear(&b);
		units_put_bytes(&b, cases[i].value);
		CHECK_STR(buf_str(&b), str_of(cases[i].bytes));
	}
	(void)a;
}

TEST(units_read_back_what_they_write)
{
	uint64_t n = 1;

	for (int i = 0; i < 20000; i++) {
		AUTO(buf_fini) Buf b = { 0 };
		int64_t us = -1;
		uint64_t bytes = 0;
		uint32_t ppm = 0;

		n = n * 6364136223846793005 + 1442695040888963407;
		units_put_duration(&b, (int64_t)(n >> (1 + i % 60)));
		CHECK_OK(units_read_duration(a, buf_str(&b), &us));
		CHECK_INT(us, n >> (1 + i % 60));
		buf_clear(&b);
		units_put_bytes(&b, n << (i % 50));
		CHECK_OK(units_read_bytes(a, buf_str(&b), &bytes));
		CHECK_INT(bytes, n << (i % 50));
		buf_clear(&b);
		units_put_share(&b, (uint32_t)(n >> 40) % (PPM_WHOLE + 1));
		CHECK_OK(units_read_share(a, buf_str(&b), &ppm));
		CHECK_INT(ppm, (n >> 40) % (PPM_WHOLE + 1));
	}
}
