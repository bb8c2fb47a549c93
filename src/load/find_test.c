/* SPDX-License-Identifier: Apache-2.0 */
#include "load/find.c"

#include "base/rand.h"
#include "unit.h"

static double search(Arena *a, FindAsk *ask, double knee, double luck, FindResult *result)
{
	double rate;

	*result = (FindResult){ .tries = ARENA_ARRAY(a, FindTry, TRIES_MAX) };
	while ((rate = find_next(result, ask)) > 0) {
		bool holds = rate <= knee;

		if (luck > 0 && fabs(rate / knee - 1) < 0.1 &&
		    rand_below(1000) < (uint64_t)(luck * 1000))
			holds = !holds;
		result->tries[result->try_count++] = (FindTry){ .rate = rate, .holds = holds };
		find_edge(result);
	}
	return result->holds;
}

TEST(the_knee_is_found_within_the_precision)
{
	static const double knees[] = { 3, 50, 99, 101, 777, 12345, 99999 };

	for (size_t i = 0; i < COUNT(knees); i++) {
		FindAsk ask = { .from = 100, .most = 1e6, .precision = 0.05, .confirm = 3 };
		FindResult result;
		double holds = search(a, &ask, knees[i], 0, &result);

		CHECK(holds <= knees[i] && holds >= knees[i] / 1.06);
		CHECK(result.breaks > knees[i] && result.breaks <= knees[i] * 1.06);
		CHECK(result.try_count < 30);
	}
}

TEST(luck_at_the_edge_does_not_lead_far_astray)
{
	for (int i = 0; i < 50; i++) {
		FindAsk ask = { .from = 100, .most = 1e6, .precision = 0.05, .confirm = 3 };
		FindResult result;
		double holds = search(a, &ask, 1000, 0.2, &result);

		CHECK(holds >= 800 && holds <= 1120);
		CHECK(result.try_count <= TRIES_MAX);
	}
}

TEST(a_search_ends_at_its_bounds)
{
	FindAsk ask = { .from = 100, .most = 500, .precision = 0.05, .confirm = 3 };
	AUTO(buf_fini) Buf out = { 0 };
	FindResult result;

	CHECK(search(a, &ask, 1e9, 0, &result) == 500);
	CHECK(result.breaks == 0);
	find_put(&out, &result, &ask);
	CHECK_STR(buf_str(&out), S("it holds at 500/s, the highest rate that was tried\n"));
	CHECK(search(a, &ask, 0, 0, &result) == 0);
	buf_clear(&out);
	find_put(&out, &result, &ask);
	CHECK(str_starts(buf_str(&out), S("it breaks even at 2/s")));
}
