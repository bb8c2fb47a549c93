/* SPDX-License-Identifier: Apache-2.0
 *
 * When a period begins, and what a part of it costs.
 *
 * Boundaries are counted from one anchor, on the calendar and the clocks of a zone: the n-th is the anchor's date n times further, at
 * the anchor's time of day. They are never counted from one another, for then a subscription of the 31st would end up on the 28th
 * for ever. Where clocks leave the time out, it is the moment of the leap; where they show it twice, the first.
 *
 * A change in a period is paid by dates, not by seconds: what a customer is told ("from the 10th on") is what is charged, an hour that
 * the clocks drop costs nobody anything, and a change on the first day is for the whole period. */
#include "payment/proration.h"

#include "base/civil.h"
#include "base/time.h"
#include "base/zone.h"
#include "base/money.h"

static const Str names[] = {
	[EVERY_DAY] = S("day"),
	[EVERY_WEEK] = S("week"),
	[EVERY_MONTH] = S("month"),
	[EVERY_YEAR] = S("year"),
};
_Static_assert(COUNT(names) == EVERIES, "an interval has no name");

Str every_name(Every every)
{
	return names[every];
}

bool every_read(Str text, Every *out)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (str_eq(text, names[i])) {
			*out = (Every)i;
			return true;
		}
	}
	return false;
}

/* --- the calendar ------------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

static int64_t wall_s(const Zone *zone, int64_t at_us)
{
	int64_t utc_s = floor_div(at_us, US_PER_S);

	return utc_s + zone_offset(zone, utc_s);
}

static int64_t date_of(const Zone *zone, int64_t at_us)
{
	return floor_div(wall_s(zone, at_us), SECONDS_OF_DAY);
}

static int days_of_month(int64_t year, int month)
{
	return (int)(civil_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
	             civil_days(year, month, 1));
}

static int64_t months_later(int64_t date, int64_t months)
{
	Civil day = civil_of(date);
	int64_t index = day.year * 12 + day.month - 1 + months;
	int64_t year = floor_div(index, 12);
	int month = (int)(index - year * 12) + 1;

	return civil_days(year, month, MIN(day.day, days_of_month(year, month)));
}

static int64_t dates_later(const Rhythm *r, int64_t date, int64_t n)
{
	int64_t steps = n * r->count;

	switch (r->every) {
	case EVERY_DAY:
		return date + steps;
	case EVERY_WEEK:
		return date + 7 * steps;
	case EVERY_MONTH:
		return months_later(date, steps);
	case EVERY_YEAR:
	case EVERIES:
		break;
	}
	return months_later(date, 12 * steps);
}

int64_t rhythm_boundary(const Rhythm *r, int64_t n)
{
	int64_t wall = wall_s(r->zone, r->anchor_us);
	int64_t date = floor_div(wall, SECONDS_OF_DAY);
	int64_t of_day = wall - date * SECONDS_OF_DAY;
	int64_t moments[2] = { 0 };

	if (n == 0)
		return r->anchor_us; /* even if clocks show that time twice, and it was the second */
	zone_moments(r->zone, dates_later(r, date, n) * SECONDS_OF_DAY + of_day, moments);
	return moments[0] * US_PER_S +
	       (r->anchor_us - floor_div(r->anchor_us, US_PER_S) * US_PER_S);
}

Period rhythm_period(const Rhythm *r, int64_t at_us)
{
	static const int64_t days[] = {
		[EVERY_DAY] = 1, [EVERY_WEEK] = 7, [EVERY_MONTH] = 28, [EVERY_YEAR] = 365
	};
	int64_t least_us = days[r->every] * r->count * SECONDS_OF_DAY * US_PER_S;
	int64_t n = floor_div(at_us - r->anchor_us,
	                      least_us); /* not before the right one, or it was in the past */

	if (n < 0)
		n = floor_div(at_us - r->anchor_us, 2 * least_us) - 1;
	while (rhythm_boundary(r, n) > at_us)
		n--;
	while (rhythm_boundary(r, n + 1) <= at_us)
		n++;
	return (Period){ rhythm_boundary(r, n), rhythm_boundary(r, n + 1) };
}

/* --- parts -------------------------------------------------------------------------------------------------------------- */

Share proration_share(const Zone *zone, Period period, int64_t at_us)
{
	int64_t first = date_of(zone, period.start_us), end = date_of(zone, period.end_us);
	int64_t all = MAX(end - first, INT64_C(1));
	int64_t left = end - date_of(zone, at_us);

	if (at_us <= period.start_us)
		left = all;
	if (at_us >= period.end_us)
		left = 0;
	return (Share){ MAX(MIN(left, all), INT64_C(0)), all };
}

int64_t proration_part(int64_t amount, Share share)
{
	__int128 product = (__int128)(amount < 0 ? -amount : amount) * share.left * 2 + share.all;
	int64_t part = (int64_t)(product / (2 * (__int128)share.all));

	return amount < 0 ? -part : part;
}

/* --- money -------------------------------------------------------------------------------------------------------------- */

void money_allocate(int64_t amount, const int64_t *weights, size_t count, int64_t *parts)
{
	__int128 whole = amount < 0 ? -(__int128)amount : amount, all = 0;
	int64_t rest;

	for (size_t i = 0; i < count; i++)
		all += weights[i];
	rest = (int64_t)whole;
	for (size_t i = 0; i < count; i++) {
		parts[i] = (int64_t)(whole * weights[i] / all);
		rest -= parts[i];
	}
	for (; rest > 0; rest--) {
		size_t best = 0;
		__int128 most = -1;

		for (size_t i = 0; i < count; i++) { /* who got one already is below zero */
			__int128 over = whole * weights[i] - (__int128)parts[i] * all;

			if (over > most) {
				most = over;
				best = i;
			}
		}
		parts[best]++;
	}
	for (size_t i = 0; i < count && amount < 0; i++)
		parts[i] = -parts[i];
}

bool money_times(int64_t unit, int64_t quantity, int64_t *out)
{
	return !__builtin_mul_overflow(unit, quantity, out) && *out <= MONEY_MOST &&
	       *out >= -MONEY_MOST;
}
