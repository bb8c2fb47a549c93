/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cron.c"

#include "unit.h"

#include <stdio.h>

static int64_t minute_of(int64_t year, int month, int day, int hour, int minute)
{
	return (civil_days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60) *
	       US_PER_S;
}

static int64_t when(const char *text)
{
	int year, month, day, hour, minute;

	CHECK_INT(sscanf(text, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
	return minute_of(year, month, day, hour, minute);
}

TEST(cron_lines_that_are_wrong)
{
	static const struct {
		const char *line, *slug;
	} cases[] = {
		{ "", "cron.syntax" },
		{ "   ", "cron.syntax" },
		{ "* * * *", "cron.syntax" },
		{ "60 * * * *", "cron.syntax" },
		{ "* 24 * * *", "cron.syntax" },
		{ "* * 0 * *", "cron.syntax" },
		{ "* * 32 * *", "cron.syntax" },
		{ "* * * 13 *", "cron.syntax" },
		{ "* * * * 8", "cron.syntax" },
		{ "5-1 * * * *", "cron.syntax" },
		{ "*/0 * * * *", "cron.syntax" },
		{ "*/ * * * *", "cron.syntax" },
		{ "1,,2 * * * *", "cron.syntax" },
		{ "1, * * * *", "cron.syntax" },
		{ "-1 * * * *", "cron.syntax" },
		{ "000 * * * *", "cron.syntax" },
		{ "* * * * mo", "cron.syntax" },
		{ "* * jan * *", "cron.syntax" },
		{ "@reboot", "cron.syntax" },
		{ "* * * * * x", "zone.unknown" },
		{ "* * * * * Europe/Atlantis", "zone.unknown" },
		{ "* * * * * UTC UTC", "cron.syntax" },
		{ "0 0 30 2 *", "cron.never" },
		{ "0 0 31 4,6,9,11 *", "cron.never" },
	};
	Cron cron;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].line);
		CHECK_ERR(cron_load(a, str_of(cases[i].line), &cron), cases[i].slug);
	}
}

TEST(cron_next_times)
{
	static const struct {
		const char *line, *after, *next; /* both UTC */
	} cases[] = {
		{ "* * * * *", "2026-01-01 00:00", "2026-01-01 00:01" },
		{ "*/15 * * * *", "2026-01-01 00:45", "2026-01-01 01:00" },
		{ "5/20 * * * *", "2026-01-01 00:25", "2026-01-01 00:45" },
		{ "0 9-17/4 * * *", "2026-01-01 13:00", "2026-01-01 17:00" },
		{ "0 9 * * mon-fri", "2026-01-02 09:00", "2026-01-05 09:00" },
		{ "0 9 * * 7", "2026-01-01 00:00", "2026-01-04 09:00" },
		{ "0 9 * * 0", "2026-01-01 00:00", "2026-01-04 09:00" },
		{ "0 0 13 * fri", "2026-02-01 00:00", "2026-02-06 00:00" }, /* either will do */
		{ "0 0 13 * fri", "2026-02-06 00:00", "2026-02-13 00:00" },
		{ "0 0 */2 * mon", "2026-01-01 00:00", "2026-01-05 00:00" }, /* both must */
		{ "0 0 29 2 *", "2026-01-01 00:00", "2028-02-29 00:00" },
		{ "0 0 29 2 *", "2096-03-01 00:00", "2104-02-29 00:00" },
		{ "0 0 31 * *", "2026-01-31 00:00", "2026-03-31 00:00" },
		{ "59 23 31 dec *", "2026-12-31 23:59", "2027-12-31 23:59" },
		{ "@hourly", "2026-01-01 00:30", "2026-01-01 01:00" },
		{ "@daily", "2026-01-01 00:30", "2026-01-02 00:00" },
		{ "@weekly", "2026-01-01 00:30", "2026-01-04 00:00" },
		{ "@monthly", "2026-01-01 00:30", "2026-02-01 00:00" },
		{ "@yearly", "2026-01-01 00:30", "2027-01-01 00:00" },
		{ "@daily Europe/Berlin", "2026-07-01 00:30", "2026-07-01 22:00" },
		{ "0 9 * * * America/New_York", "2026-01-01 00:00", "2026-01-01 14:00" },
		/* Clocks go forward in Berlin on 29 March at 01:00 UTC, from 02:00 to 03:00. */
		{ "30 2 * * * Europe/Berlin", "2026-03-28 02:00", "2026-03-29 01:00" },
		{ "30 2 * * * Europe/Berlin", "2026-03-29 01:00", "2026-03-30 00:30" },
		{ "0,30 2 * * * Europe/Berlin", "2026-03-29 01:00", "2026-03-30 00:00" },
		{ "0 1,2,3 * * * Europe/Berlin", "2026-03-29 00:00", "2026-03-29 01:00" },
		{ "0 1,2,3 * * * Europe/Berlin", "2026-03-29 01:00", "2026-03-29 23:00" },
		{ "*/30 2 * * * Europe/Berlin", "2026-03-28 02:00", "2026-03-30 00:00" },
		{ "30 * * * * Europe/Berlin", "2026-03-29 00:30", "2026-03-29 01:30" },
		/* And back on 25 October at 01:00 UTC, from 03:00 to 02:00. */
		{ "30 2 * * * Europe/Berlin", "2026-10-24 12:00", "2026-10-25 00:30" },
		{ "30 2 * * * Europe/Berlin", "2026-10-25 00:30", "2026-10-26 01:30" },
		{ "30 * * * * Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30" },
		{ "*/20 * * * * Europe/Berlin", "2026-10-25 00:40", "2026-10-25 01:00" },
		{ "*/20 2 * * * Europe/Berlin", "2026-10-25 00:40", "2026-10-25 01:00" },
		{ "*/20 2 * * * Europe/Berlin", "2026-10-25 01:40", "2026-10-26 01:00" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t next_us = 0;
		Cron cron;

		NOTE("%s after %s", cases[i].line, cases[i].after);
		CHECK_OK(cron_load(a, str_of(cases[i].line), &cron));
		CHECK(cron_next(&cron, when(cases[i].after), &next_us));
		CHECK_INT(next_us / US_PER_S, when(cases[i].next) / US_PER_S);
	}
}

/* Every minute of days on which clocks change, against a plain look at each. */
TEST(cron_by_the_clock_is_what_clocks_show)
{
	static const char *const zones[] = { "Europe/Berlin", "America/New_York",
		                             "Australia/Lord_Howe" };
	static const int days[][2] = { { 3, 29 }, { 10, 25 }, { 3, 8 },
		                       { 11, 1 }, { 4, 5 },   { 10, 4 } };

	for (size_t z = 0; z < COUNT(zones); z++) {
		Cron cron;

		CHECK_OK(cron_load(a, str_fmt(a, "*/7 1-3 * * * %s", zones[z]), &cron));
		for (size_t d = 0; d < COUNT(days); d++) {
			int64_t at = minute_of(2026, days[d][0], days[d][1] - 1, 12, 0);
			int64_t end = at + 2 * SECONDS_OF_DAY * US_PER_S, next = 0;

			for (int64_t t = at + 60 * US_PER_S; t < end; t += 60 * US_PER_S) {
				int64_t wall = t / US_PER_S + zone_offset(cron.zone, t / US_PER_S);
				int64_t of_day = wall % SECONDS_OF_DAY;

				if (of_day < 3600 || of_day >= 4 * 3600 || of_day / 60 % 60 % 7)
					continue;
				NOTE("%s, after minute %" PRId64, zones[z], at / US_PER_S / 60);
				CHECK(cron_next(&cron, at, &next));
				CHECK_INT(next / US_PER_S / 60, t / US_PER_S / 60);
				at = t;
			}
		}
	}
}

TEST(cron_ends_with_the_calendar)
{
	int64_t next;
	Cron cron;

	CHECK_OK(cron_load(a, S("@yearly"), &cron));
	CHECK(!cron_next(&cron, minute_of(9000, 1, 1, 0, 1), &next));
}
