/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.c"

#include "unit.h"

#include <stdlib.h>
#include <time.h>

static int64_t at(int64_t year, int month, int day, int hour, int minute)
{
	return civil_days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60;
}

TEST(civil_days_go_there_and_back)
{
	CHECK_INT(civil_days(1970, 1, 1), 0);
	CHECK_INT(civil_days(2000, 3, 1), 11017);
	CHECK_INT(civil_weekday(0), 4);
	CHECK_INT(civil_weekday(-4), 0);
	for (int64_t day = -800000; day < 800000; day += 13) {
		Civil c = civil_of(day);

		NOTE("day %" PRId64, day);
		CHECK_INT(civil_days(c.year, c.month, c.day), day);
		CHECK(c.day >= 1 && c.day <= civil_month_days(c.year, c.month));
	}
}

TEST(zone_offset_agrees_with_the_c_library)
{
	static const char *const names[] = {
		"Europe/Berlin", "America/New_York",  "Asia/Kolkata",       "Australia/Sydney",
		"Asia/Tehran",   "America/Sao_Paulo", "Africa/Casablanca",  "Pacific/Apia",
		"America/Nuuk",  "Europe/Dublin",     "Australia/Lord_Howe"
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		const Zone *zone;

		CHECK_OK(zone_load(a, str_of(names[i]), &zone));
		setenv("TZ", names[i], 1);
		tzset();
		for (int64_t t = at(1950, 1, 1, 0, 0); t < at(2100, 1, 1, 0, 0); t += 33333 * 7) {
			struct tm tm;
			time_t seconds = t;

			NOTE("%s at %" PRId64, names[i], t);
			CHECK(localtime_r(&seconds, &tm) != NULL);
			CHECK_INT(zone_offset(zone, t), tm.tm_gmtoff);
		}
	}
}

TEST(zone_moments_of_a_wall_time)
{
	static const struct {
		const char *zone;
		int month, day, hour, minute;
		unsigned count;
		int64_t first, second; /* minutes from the wall time, as if it were UTC */
	} cases[] = {
		{ "UTC", 3, 29, 2, 30, 1, 0, 0 },
		{ "Europe/Berlin", 1, 15, 12, 0, 1, -60, 0 },
		{ "Europe/Berlin", 7, 15, 12, 0, 1, -120, 0 },
		{ "Europe/Berlin", 3, 29, 1, 59, 1, -60, 0 },
		{ "Europe/Berlin", 3, 29, 2, 0, 0, -60, 0 }, /* the leap is at 01:00 UTC */
		{ "Europe/Berlin", 3, 29, 2, 30, 0, -90, 0 },
		{ "Europe/Berlin", 3, 29, 3, 0, 1, -120, 0 },
		{ "Europe/Berlin", 10, 25, 1, 59, 1, -120, 0 },
		{ "Europe/Berlin", 10, 25, 2, 0, 2, -120, -60 },
		{ "Europe/Berlin", 10, 25, 2, 59, 2, -120, -60 },
		{ "Europe/Berlin", 10, 25, 3, 0, 1, -60, 0 },
		{ "America/New_York", 3, 8, 2, 30, 0, 270, 0 },
		{ "America/New_York", 11, 1, 1, 30, 2, 240, 300 },
		{ "Australia/Lord_Howe", 10, 4, 2, 15, 0, -645, 0 }, /* half an hour */
		{ "Australia/Lord_Howe", 4, 5, 1, 45, 2, -660, -630 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Zone *zone;
		int64_t wall =
			at(2026, cases[i].month, cases[i].day, cases[i].hour, cases[i].minute);
		int64_t moments[2] = { 0 };

		NOTE("row %zu", i);
		CHECK_OK(zone_load(a, str_of(cases[i].zone), &zone));
		CHECK_INT(zone_moments(zone, wall, moments), cases[i].count);
		CHECK_INT((moments[0] - wall) / 60, cases[i].first);
		if (cases[i].count == 2)
			CHECK_INT((moments[1] - wall) / 60, cases[i].second);
	}
}

TEST(zone_names_lead_nowhere_else)
{
	static const char *const names[] = {
		"",       "/etc/passwd", "../zoneinfo/UTC", "Europe/Berlni", "-x",
		"Europe", "a b",         "Europe/Berlin\n", "tzdata.zi"
	};
	const Zone *zone = NULL;

	for (size_t i = 0; i < COUNT(names); i++) {
		Err *err = zone_load(a, str_of(names[i]), &zone);

		NOTE("%s", names[i]);
		CHECK_ERR(err, "zone.unknown");
	}
	CHECK_NULL(zone);
}

TEST(zone_files_that_are_damaged)
{
	const Zone *zone = NULL;
	Str text;

	CHECK_OK(file_read(a, S("/usr/share/zoneinfo/Europe/Berlin"), 0, &text));
	CHECK_OK(zone_read(a, S("x"), text, &zone));
	for (size_t n = 0; n + 1 < text.len; n++) {
		NOTE("cut at %zu", n);
		CHECK_ERR(zone_read(a, S("x"), str_sub(text, 0, n), &zone), "zone.file");
	}
}

TEST(zone_footers)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "", true },
		{ "UTC0", true },
		{ "<+0330>-3:30", true },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", true },
		{ "EST5EDT4,M3.2.0/2,M11.1.0", true },
		{ "X1", false },
		{ "CET", false },
		{ "CET-1CEST", false },
		{ "CET-1CEST,M3.5.0", false },
		{ "CET-1CEST,M13.5.0,M10.5.0", false },
		{ "CET-1CEST,M3.6.0,M10.5.0", false },
		{ "CET-1CEST,M3.5.7,M10.5.0", false },
		{ "CET-1CEST,J0,J365", false },
		{ "CET-1CEST,J1,J365/167", true },
		{ "CET-1CEST,0,365/168", false },
		{ "CET-1CEST,M3.5.0,M10.5.0/3x", false },
		{ "<>1", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Zone zone = { 0 };

		NOTE("%s", cases[i].text);
		CHECK_INT(read_footer(&zone, str_of(cases[i].text)), cases[i].good);
	}
}
