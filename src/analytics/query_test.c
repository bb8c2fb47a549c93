/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports on SQLite; the same on PostgreSQL: intake_test.c. */
#include "analytics/query.c"

#include "suite.h"

#include "events_lite.h"

#include "analytics_suite.h"

TEST(intervals_begin_where_the_zone_s_clocks_say)
{
	static const struct {
		Str from, to, zone;
		uint8_t interval;
		size_t buckets;
		int64_t first_ms, second_ms;
	} cases[] = {
		{ S("2026-11-03"), S("2026-11-05"), S(""), EVERY_DAY, 2, 1793664000000,
		  1793750400000 },
		{ S("2026-11-03"), S("2026-11-05"), S("Europe/Berlin"), EVERY_DAY, 2, 1793660400000,
		  1793746800000 },
		/* the night of 25 hours, and the one of 23 */
		{ S("2026-10-25"), S("2026-10-27"), S("Europe/Berlin"), EVERY_DAY, 2, 1792879200000,
		  1792969200000 },
		{ S("2026-03-29"), S("2026-03-31"), S("Europe/Berlin"), EVERY_DAY, 2, 1774738800000,
		  1774821600000 },
		{ S("2026-11-04"), S("2026-11-11"), S(""), EVERY_WEEK, 2, 1793577600000,
		  1794182400000 },
		{ S("2026-11-04"), S("2027-01-02"), S(""), EVERY_MONTH, 3, 1793491200000,
		  1796083200000 },
		{ S("2026-11-03T10:20:00Z"), S("2026-11-03T12:20:00Z"), S(""), EVERY_HOUR, 3,
		  1793700000000, 1793703600000 },
		{ S("2026-11-03"), S("2026-11-05"), S(""), EVERY_ALL, 1, 1793664000000,
		  1793836800000 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		QueryIn in = { .from = cases[i].from,
			       .to = cases[i].to,
			       .timezone = cases[i].zone,
			       .interval = cases[i].interval };
		AUTO(query_close) Query q = { 0 };

		NOTE("case %zu", i);
		CHECK_OK(query_open(a, &in, &q));
		CHECK_INT(q.buckets, cases[i].buckets);
		CHECK_INT(q.edges[0], cases[i].first_ms);
		CHECK_INT(q.edges[1], cases[i].second_ms);
		for (size_t b = 0; b < q.buckets; b++) {
			CHECK_INT(query_bucket(&q, q.edges[b], 0), b);
			CHECK_INT(query_bucket(&q, q.edges[b + 1] - 1, 0), b);
		}
	}
}

TEST(what_cannot_be_answered_is_refused)
{
	static const QueryStep step = { .event = S("x") };
	static const QueryIn cases[] = {
		{ .from = S("2026-11-05"), .to = S("2026-11-05") },
		{ .from = S("2026-11-31"), .to = S("2026-12-05") },
		{ .from = S("2026-11-1"), .to = S("2026-12-05") },
		{ .from = S("soon"), .to = S("2026-12-05") },
		{ .from = S("2026-11-01"), .to = S("2026-12-05"), .kind = QUERY_FUNNEL },
		{ .from = S("2026-11-01"),
		  .to = S("2026-12-05"),
		  .steps = { (QueryStep *)&step, 1 } },
		{ .from = S("2026-11-01"), .to = S("2026-12-05"), .measure = MEASURE_SUM },
		{ .from = S("2026-11-01"),
		  .to = S("2026-12-05"),
		  .kind = QUERY_PATHS,
		  .breakdown = S("country") },
		{ .from = S("1990-11-01"), .to = S("2026-12-05"), .interval = EVERY_HOUR },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(query_close) Query q = { 0 };

		NOTE("case %zu", i);
		CHECK_ERR(query_open(a, &cases[i], &q), "query.invalid");
	}
}
