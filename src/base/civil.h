/* SPDX-License-Identifier: Apache-2.0
 *
 * Days of the Gregorian calendar, counted from 1970-01-01, which is 0 and was a Thursday. Exact for every year that anybody
 * writes, without the C library: no locale, no environment, no limit of time_t. */
#pragma once
#include "base/util.h"

enum { SECONDS_OF_DAY = 86400 };

typedef struct Civil {
	int64_t year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
} Civil;

/* Eras of 400 years that begin with March, so that the leap day is the last of a year. */
static inline int64_t civil_days(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static inline Civil civil_of(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int m = (int)((5 * of_year + 2) / 153);
	int month = m < 10 ? m + 3 : m - 9;

	return (Civil){ year + era * 400 + (month <= 2), month,
		        (int)(of_year - (153 * m + 2) / 5 + 1) };
}

static inline int civil_weekday(int64_t days) /* 0 is Sunday */
{
	int64_t n = (days + 4) % 7;

	return (int)(n < 0 ? n + 7 : n);
}

static inline bool civil_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static inline int civil_month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && civil_leap(year));
}

static inline int64_t civil_floor(int64_t n, int64_t by) /* division towards minus infinity */
{
	return n / by - (n % by < 0);
}
