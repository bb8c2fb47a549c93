/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, and the two ways Banyan writes an instant. strftime is not used: its names follow the locale. */
#include "base/time.h"

#include "base/civil.h"

#include <time.h>

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t time_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t time_utc_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

static struct tm split(int64_t utc_us, int64_t *us)
{
	time_t seconds = utc_us / US_PER_S;
	struct tm parts = { 0 };

	*us = utc_us % US_PER_S;
	if (*us < 0) {
		*us += US_PER_S;
		seconds--;
	}
	gmtime_r(&seconds, &parts);
	return parts;
}

void time_put_rfc3339(Buf *b, int64_t utc_us)
{
	int64_t us;
	struct tm t = split(utc_us, &us);

	buf_fmt(b, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
	        t.tm_hour, t.tm_min, t.tm_sec, (int)us);
}

/* `count` digits at `at`, up to `most`; -1: they are not. */
static int digits(Str text, size_t at, size_t count, int most)
{
	int n = 0;

	for (size_t i = at; i < at + count; i++) {
		if (i >= text.len || text.at[i] < '0' || text.at[i] > '9')
			return -1;
		n = n * 10 + (text.at[i] - '0');
	}
	return n <= most ? n : -1;
}

/* What stands behind the seconds: a fraction and the offset. */
static bool read_tail(Str rest, int64_t *us, int *offset_s)
{
	int64_t unit = US_PER_S / 10;
	size_t at = 0;
	int hours, minutes;

	*us = 0;
	if (rest.len && rest.at[0] == '.') {
		for (at = 1; digits(rest, at, 1, 9) >= 0; at++, unit /= 10)
			*us += digits(rest, at, 1, 9) * unit;
		if (at == 1)
			return false;
	}
	rest = str_sub(rest, at, rest.len);
	*offset_s = 0;
	if (rest.len == 1 && (rest.at[0] | 32) == 'z')
		return true;
	if (rest.len != 6 || (rest.at[0] != '+' && rest.at[0] != '-') || rest.at[3] != ':')
		return false;
	hours = digits(rest, 1, 2, 23);
	minutes = digits(rest, 4, 2, 59);
	*offset_s = (hours * 3600 + minutes * 60) * (rest.at[0] == '-' ? -1 : 1);
	return hours >= 0 && minutes >= 0;
}

bool time_read_rfc3339(Str text, int64_t *utc_us)
{
	int year = digits(text, 0, 4, 9999), month = digits(text, 5, 2, 12);
	int day = digits(text, 8, 2, 31), hour = digits(text, 11, 2, 23);
	int minute = digits(text, 14, 2, 59), second = digits(text, 17, 2, 60);
	int offset_s;
	int64_t us;

	if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 || second < 0 ||
	    day > civil_month_days(year, month) || text.at[4] != '-' || text.at[7] != '-' ||
	    ((text.at[10] | 32) != 't' && text.at[10] != ' ') || text.at[13] != ':' ||
	    text.at[16] != ':' || !read_tail(str_sub(text, 19, text.len), &us, &offset_s))
		return false;
	*utc_us = (civil_days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60 +
	           second - offset_s) *
	                  US_PER_S +
	          us;
	return true;
}

void time_put_http(Buf *b, int64_t utc_us)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t us;
	struct tm t = split(utc_us, &us);

	buf_fmt(b, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
	        months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}
