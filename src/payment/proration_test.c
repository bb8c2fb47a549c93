/* SPDX-License-Identifier: Apache-2.0
 *
 * The failures that billing systems are known for: ends of months, leap days, changes of the clocks, changes on the first and on
 * the last day, periods that drift. */
#include "payment/proration.c"

#include "base/arena.h"
#include "base/buf.h"
#include "unit.h"

static int64_t moment(const char *text)
{
	int64_t us = 0;

	CHECK(time_read_rfc3339(str_of(text), &us));
	return us;
}

static Str text_of(Arena *a, int64_t us)
{
	AUTO(buf_fini) Buf b = { 0 };

	time_put_rfc3339(&b, us);
	return str_sub(str_dup(a, buf_str(&b)), 0, 19);
}

static const Zone *zone_of(Arena *a, const char *name)
{
	const Zone *zone;

	CHECK_OK(zone_load(a, str_of(name), &zone));
	return zone;
}

TEST(periods_keep_the_day_and_the_hour_of_their_anchor)
{
	static const struct {
		const char *zone, *anchor;
		Every every;
		int64_t count, n;
		const char *want; /* UTC */
	} cases[] = {
		{ "UTC", "2026-01-31T10:00:00Z", EVERY_MONTH, 1, 1, "2026-02-28T10:00:00" },
		{ "UTC", "2026-01-31T10:00:00Z", EVERY_MONTH, 1, 2,
		  "2026-03-31T10:00:00" }, /* it comes back */
		{ "UTC", "2026-01-31T10:00:00Z", EVERY_MONTH, 1, 3, "2026-04-30T10:00:00" },
		{ "UTC", "2028-01-31T10:00:00Z", EVERY_MONTH, 1, 1, "2028-02-29T10:00:00" },
		{ "UTC", "2024-02-29T00:00:00Z", EVERY_YEAR, 1, 1, "2025-02-28T00:00:00" },
		{ "UTC", "2024-02-29T00:00:00Z", EVERY_YEAR, 1, 4, "2028-02-29T00:00:00" },
		{ "UTC", "2026-11-30T00:00:00Z", EVERY_MONTH, 3, 1, "2027-02-28T00:00:00" },
		{ "UTC", "2026-01-31T00:00:00Z", EVERY_MONTH, 1, -2, "2025-11-30T00:00:00" },
		/* midnight of the first in Berlin, winter and summer */
		{ "Europe/Berlin", "2026-02-28T23:00:00Z", EVERY_MONTH, 1, 1,
		  "2026-03-31T22:00:00" },
		/* 2:30 is left out on 2026-03-29: the leap; a day later it is there */
		{ "Europe/Berlin", "2026-03-28T01:30:00Z", EVERY_DAY, 1, 1, "2026-03-29T01:00:00" },
		{ "Europe/Berlin", "2026-03-28T01:30:00Z", EVERY_DAY, 1, 2, "2026-03-30T00:30:00" },
		/* 2:30 is there twice on 2026-10-25: the first */
		{ "Europe/Berlin", "2026-10-24T00:30:00Z", EVERY_DAY, 1, 1, "2026-10-25T00:30:00" },
		{ "Europe/Berlin", "2026-10-24T00:30:00Z", EVERY_DAY, 1, 2, "2026-10-26T01:30:00" },
		{ "Europe/Berlin", "2026-03-25T10:00:00Z", EVERY_WEEK, 1, 1,
		  "2026-04-01T09:00:00" },
		/* 31 January there is 1 February in UTC */
		{ "America/Los_Angeles", "2026-02-01T07:00:00Z", EVERY_MONTH, 1, 1,
		  "2026-03-01T07:00:00" },
		{ "America/Los_Angeles", "2026-02-01T07:00:00Z", EVERY_MONTH, 1, 2,
		  "2026-04-01T06:00:00" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Rhythm r = { zone_of(a, cases[i].zone), moment(cases[i].anchor), cases[i].every,
			     cases[i].count };

		NOTE("case %zu", i);
		CHECK_STR(text_of(a, rhythm_boundary(&r, cases[i].n)), str_of(cases[i].want));
	}
}

TEST(every_moment_lies_in_one_period_and_they_leave_no_gap)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin", "America/St_Johns",
		                             "Pacific/Apia" };
	static const Every everies[] = { EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_YEAR };

	for (size_t z = 0; z < COUNT(zones); z++) {
		for (size_t e = 0; e < COUNT(everies); e++) {
			Rhythm r = { zone_of(a, zones[z]), moment("2026-01-31T02:30:00Z"),
				     everies[e], 1 + (int64_t)(z % 3) };
			Period before = rhythm_period(&r, moment("2019-06-15T12:00:00Z"));

			for (int i = 0; i < 200; i++) {
				Period p = rhythm_period(&r, before.end_us);

				NOTE("%s %zu %d", zones[z], e, i);
				CHECK_INT(p.start_us, before.end_us);
				CHECK(p.end_us > p.start_us);
				CHECK_INT(rhythm_period(&r, p.end_us - 1).start_us, p.start_us);
				before = p;
			}
		}
	}
}

TEST(a_part_is_counted_in_dates)
{
	static const struct {
		const char *zone, *start, *end, *at;
		int64_t left, all;
	} cases[] = {
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-04-01T10:00:00Z", 30,
		  30 }, /* on its first moment */
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-04-01T23:59:59Z", 30,
		  30 }, /* and on its first day */
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-04-16T00:00:00Z", 15,
		  30 },
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-04-30T10:00:00Z", 1,
		  30 },
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-05-01T09:00:00Z", 0,
		  30 }, /* hours before it ends */
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-05-01T10:00:00Z", 0,
		  30 },
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-03-01T10:00:00Z", 30,
		  30 },
		/* in Berlin it is the 16th already */
		{ "Europe/Berlin", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z",
		  "2026-04-15T22:30:00Z", 15, 30 },
		{ "UTC", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z", "2026-04-15T22:30:00Z", 16,
		  30 },
		/* March has an hour less there, and 31 days all the same */
		{ "Europe/Berlin", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z",
		  "2026-03-29T22:00:00Z", 2, 31 },
		{ "UTC", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", "2028-02-29T00:00:00Z", 1,
		  29 },
		/* a period within one date */
		{ "UTC", "2026-04-01T01:00:00Z", "2026-04-01T09:00:00Z", "2026-04-01T05:00:00Z", 0,
		  1 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Period p = { moment(cases[i].start), moment(cases[i].end) };
		Share share = proration_share(zone_of(a, cases[i].zone), p, moment(cases[i].at));

		NOTE("case %zu", i);
		CHECK_INT(share.left, cases[i].left);
		CHECK_INT(share.all, cases[i].all);
	}
}

TEST(what_is_given_back_is_what_was_charged)
{
	static const struct {
		int64_t amount, left, all, want;
	} cases[] = {
		{ 1000, 30, 30, 1000 },
		{ 1000, 0, 30, 0 },
		{ 1000, 15, 30, 500 },
		{ 1000, 10, 30, 333 },
		{ 1000, 20, 30, 667 },
		{ 1, 1, 2, 1 },
		{ -1, 1, 2, -1 },
		{ 5, 1, 2, 3 },
		{ 99999999999999, 364, 365, 99726027397259 },
		{ 0, 3, 7, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Share share = { cases[i].left, cases[i].all };

		NOTE("case %zu", i);
		CHECK_INT(proration_part(cases[i].amount, share), cases[i].want);
		CHECK_INT(proration_part(-cases[i].amount, share), -cases[i].want);
	}
}

TEST(nothing_is_lost_when_an_amount_is_shared_out)
{
	static const struct {
		int64_t amount, weights[3], want[3];
	} cases[] = {
		{ 100, { 1, 1, 1 }, { 34, 33, 33 } },
		{ -100, { 1, 1, 1 }, { -34, -33, -33 } },
		{ 5, { 3, 7, 0 }, { 2, 3, 0 } }, /* 1.5 and 3.5: the first of equal remainders */
		{ 0, { 1, 2, 3 }, { 0, 0, 0 } },
		{ 1, { 0, 0, 9 }, { 0, 0, 1 } },
		{ 99999999999999,
		  { 50, 30, 20 },
		  { 49999999999999, 30000000000000, 20000000000000 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t parts[3], sum = 0;

		NOTE("case %zu", i);
		money_allocate(cases[i].amount, cases[i].weights, 3, parts);
		for (size_t k = 0; k < 3; k++)
			sum += parts[k];
		CHECK_INT(sum, cases[i].amount);
		for (size_t k = 0; k < 2; k++)
			CHECK_INT(parts[k], cases[i].want[k]);
	}
}
