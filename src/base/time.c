/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, and the two ways Banyan writes an instant. strftime is not used: its names follow the locale. */
#include "base/time.h"

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
