/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/balance.c"
#include "base/arena.h"
#include "unit.h"

enum { MANY = 60000 };

static BalanceServer up(uint16_t weight)
{
	return (BalanceServer){ .weight = weight };
}

static void count_picks(BalanceServer *servers, size_t count, BalancePick pick, size_t picks,
                        size_t *got)
{
	for (size_t i = 0; i < count; i++)
		got[i] = 0;
	for (size_t i = 0; i < picks; i++) {
		int at = balance_pick(servers, count, &pick);

		CHECK(at >= 0 && (size_t)at < count);
		got[at]++;
	}
}

/* The order that smooth weighted round robin is known for: 5:1:1 does not come as aaaaabc. */
TEST(round_robin_is_smooth)
{
	BalanceServer servers[] = { up(5), up(1), up(1) };
	static const int want[] = { 0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0 };

	for (size_t i = 0; i < COUNT(want); i++) {
		NOTE("turn %zu", i);
		CHECK_INT(balance_pick(servers, 3, &(BalancePick){ .kind = BALANCE_ROUND_ROBIN }),
		          want[i]);
	}
}

TEST(round_robin_keeps_its_shares_exactly_when_one_goes_and_comes_back)
{
	BalanceServer servers[] = { up(3), up(2), up(1) };
	BalancePick pick = { .kind = BALANCE_ROUND_ROBIN };
	size_t got[3];

	count_picks(servers, 3, pick, 600, got);
	CHECK_INT(got[0], 300);
	CHECK_INT(got[1], 200);
	CHECK_INT(got[2], 100);
	servers[0].state = BALANCE_DOWN;
	count_picks(servers, 3, pick, 300, got);
	CHECK_INT(got[0], 0);
	CHECK_INT(got[1], 200);
	CHECK_INT(got[2], 100);
	servers[0].state = BALANCE_UP;
	count_picks(servers, 3, pick, 60, got);
	CHECK_INT(got[0], 30); /* its share, no burst for the time away */
}

TEST(round_robin_starts_anywhere)
{
	size_t first[4] = { 0 };

	for (int i = 0; i < 4000; i++) {
		BalanceServer servers[] = { up(1), up(1), up(1), up(1) };

		balance_start(servers, 4);
		first[balance_pick(servers, 4, &(BalancePick){ .kind = BALANCE_ROUND_ROBIN })]++;
	}
	for (size_t i = 0; i < 4; i++)
		CHECK_NEAR((double)first[i], 1000, 150);
}

TEST(every_kind_skips_what_may_not_be_used_and_says_why_none_is_left)
{
	static const uint16_t first[] = { 0 }, both[] = { 0, 1 };
	static const struct {
		BalanceServer one, two;
		const uint16_t *tried;
		size_t tried_count;
		int want;
	} cases[] = {
		{ { .weight = 1, .state = BALANCE_DOWN }, { .weight = 1 }, NULL, 0, 1 },
		{ { .weight = 1, .state = BALANCE_SLOW }, { .weight = 1 }, NULL, 0, 1 },
		{ { .weight = 0 }, { .weight = 1 }, NULL, 0, 1 },
		{ { .weight = 1, .full = true }, { .weight = 1 }, NULL, 0, 1 },
		{ { .weight = 1 }, { .weight = 1 }, first, 1, 1 },
		/* when none is up, a slow one is better than none; a down one is not */
		{ { .weight = 1, .state = BALANCE_SLOW },
		  { .weight = 1, .state = BALANCE_DOWN },
		  NULL,
		  0,
		  0 },
		{ { .weight = 1, .state = BALANCE_SLOW }, { .weight = 0 }, NULL, 0, 0 },
		{ { .weight = 1, .state = BALANCE_DOWN },
		  { .weight = 1, .state = BALANCE_DOWN },
		  NULL,
		  0,
		  BALANCE_NONE_UP },
		{ { .weight = 0 }, { .weight = 0 }, NULL, 0, BALANCE_NONE_UP },
		{ { .weight = 1, .full = true },
		  { .weight = 1, .full = true },
		  NULL,
		  0,
		  BALANCE_ALL_FULL },
		{ { .weight = 1, .full = true },
		  { .weight = 1, .state = BALANCE_DOWN },
		  NULL,
		  0,
		  BALANCE_ALL_FULL },
		{ { .weight = 1 }, { .weight = 1 }, both, 2, BALANCE_ALL_TRIED },
		{ { .weight = 1 },
		  { .weight = 1, .state = BALANCE_DOWN },
		  first,
		  1,
		  BALANCE_ALL_TRIED },
		{ { .weight = 1 }, { .weight = 1, .full = true }, first, 1, BALANCE_ALL_FULL },
		/* a slow one does not stand in for an up one that was tried */
		{ { .weight = 1 },
		  { .weight = 1, .state = BALANCE_SLOW },
		  first,
		  1,
		  BALANCE_ALL_TRIED },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int kind = BALANCE_ROUND_ROBIN; kind <= BALANCE_HASH; kind++) {
			/* as they are, and hidden among many others to pass the limit of the full scan */
			for (size_t count = 2; count <= 8; count += 6) {
				BalanceServer servers[8] = { cases[i].one, cases[i].two };
				BalancePick pick = { .kind = (BalanceKind)kind,
					             .key = i,
					             .tried = cases[i].tried,
					             .tried_count = cases[i].tried_count };

				for (size_t k = 2; k < count; k++)
					servers[k] = (BalanceServer){ .weight = 1,
						                      .state = BALANCE_DOWN };
				NOTE("case %zu, kind %d, %zu servers", i, kind, count);
				CHECK_INT(balance_pick(servers, count, &pick), cases[i].want);
			}
		}
	}
	CHECK_INT(balance_pick(NULL, 0, &(BalancePick){ .kind = BALANCE_LEAST_REQUEST }),
	          BALANCE_NONE_UP);
}

TEST(least_request_takes_the_least_for_its_weight)
{
	BalanceServer servers[] = { up(1), up(4), up(1) };
	BalancePick pick = { .kind = BALANCE_LEAST_REQUEST };

	servers[0].load.in_flight = 2;
	servers[1].load.in_flight = 7;
	servers[2].load.in_flight = 2;
	CHECK_INT(balance_pick(servers, 3, &pick), 1);
	servers[1].load.in_flight = 9;
	servers[2].load.in_flight = 1;
	CHECK_INT(balance_pick(servers, 3, &pick), 2);
}

TEST(least_request_draws_equals_by_weight)
{
	BalanceServer servers[] = { up(1), up(2), up(3) };
	size_t got[3];

	count_picks(servers, 3, (BalancePick){ .kind = BALANCE_LEAST_REQUEST }, MANY, got);
	CHECK_NEAR((double)got[0], MANY / 6.0, 500);
	CHECK_NEAR((double)got[1], MANY / 3.0, 700);
	CHECK_NEAR((double)got[2], MANY / 2.0, 700);
}

TEST(least_request_of_many_is_two_choices_by_weight)
{
	BalanceServer servers[6] = { up(2), up(1), up(1), up(1), up(1), up(1) };
	size_t got[6];

	count_picks(servers, 6, (BalancePick){ .kind = BALANCE_LEAST_REQUEST }, MANY, got);
	CHECK_NEAR((double)got[0], MANY * 2 / 7.0, 800); /* all equal: the first drawn, by weight */
	CHECK_NEAR((double)got[5], MANY / 7.0, 600);
	for (size_t i = 0; i < 6; i++)
		servers[i] = up(1);
	servers[3].load.in_flight = 50;
	count_picks(servers, 6, (BalancePick){ .kind = BALANCE_LEAST_REQUEST }, MANY, got);
	CHECK_INT(got[3], 0); /* loses against whomever it is drawn with */
	servers[3].load.in_flight = 0;
	for (size_t i = 0; i < 6; i++)
		servers[i].load.in_flight = (uint32_t)i;
	count_picks(servers, 6, (BalancePick){ .kind = BALANCE_LEAST_REQUEST }, MANY, got);
	CHECK_NEAR((double)got[0], MANY * 10 / 30.0, 700); /* in 10 of the 30 ordered pairs */
	CHECK_NEAR((double)got[4], MANY * 2 / 30.0, 400);
	CHECK_INT(got[5], 0);
}

TEST(ewma_flees_from_a_peak_and_forgives_slowly)
{
	BalanceServer s = up(1);

	balance_observe(&s.load, 1000000, 10000);
	CHECK_INT(s.load.ewma_us, 10000);
	balance_observe(&s.load, 2000000, 500000);
	CHECK_INT(s.load.ewma_us, 500000);
	balance_observe(&s.load, 3000000, 10000); /* one second of ten: e^-0.1 of it stays */
	CHECK_NEAR((double)s.load.ewma_us, 10000 + 490000 * 0.904837, 2);
	for (int64_t at = 4; at < 120; at++)
		balance_observe(&s.load, at * 1000000, 10000);
	CHECK_NEAR((double)s.load.ewma_us, 10000, 20);
}

TEST(ewma_prefers_the_least_expected_wait)
{
	BalanceServer servers[] = { up(1), up(1) };
	BalancePick pick = { .kind = BALANCE_EWMA, .now_us = 1000000 };

	balance_observe(&servers[0].load, 1000000, 30000);
	CHECK_INT(balance_pick(servers, 2, &pick), 1); /* nothing known: worth a trial */
	servers[1].load.in_flight = 1;
	CHECK_INT(balance_pick(servers, 2, &pick), 0); /* but one at a time */
	servers[1].load.in_flight = 0;
	balance_observe(&servers[1].load, 1000000, 10000);
	CHECK_INT(balance_pick(servers, 2, &pick), 1);
	servers[1].load.in_flight = 3; /* 10 ms x 4 > 30 ms x 1 */
	CHECK_INT(balance_pick(servers, 2, &pick), 0);
	servers[1].weight = 4;
	CHECK_INT(balance_pick(servers, 2, &pick), 1);
	servers[1].weight = 1;
	balance_observe(&servers[0].load, 1000000, 900000);
	servers[1].load.in_flight = 60;
	CHECK_INT(balance_pick(servers, 2, &pick), 1);
	servers[0].load.ewma_at_us -= 60 * 1000000; /* a minute later it is tried again */
	CHECK_INT(balance_pick(servers, 2, &pick), 0);
}

static void hash_servers(Arena *a, BalanceServer *servers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		servers[i] = up(1);
		servers[i].hash = balance_hash(str_fmt(a, "10.0.0.%zu:8000", i));
	}
}

TEST(hash_moves_only_the_keys_of_the_server_that_goes)
{
	enum { SERVERS = 10, KEYS = 20000 };
	BalanceServer servers[SERVERS];
	size_t got[SERVERS] = { 0 };

	hash_servers(a, servers, SERVERS);
	for (uint64_t key = 0; key < KEYS; key++) {
		BalancePick pick = { .kind = BALANCE_HASH, .key = key };
		int before, after;

		servers[3].state = BALANCE_UP;
		before = balance_pick(servers, SERVERS, &pick);
		CHECK_INT(balance_pick(servers, SERVERS, &pick), before);
		got[before]++;
		servers[3].state = BALANCE_DOWN;
		after = balance_pick(servers, SERVERS, &pick);
		CHECK(before == 3 ? after != 3 : after == before);
	}
	for (size_t i = 0; i < SERVERS; i++)
		CHECK_NEAR((double)got[i], KEYS / SERVERS, 150);
}

TEST(hash_keeps_to_weights_and_changing_one_moves_little)
{
	enum { KEYS = 40000 };
	BalanceServer servers[4];
	size_t got[4] = { 0 }, moved = 0;

	hash_servers(a, servers, 4);
	for (uint64_t key = 0; key < KEYS; key++) {
		BalancePick pick = { .kind = BALANCE_HASH,
			             .key = balance_hash(str_fmt(a, "user-%" PRIu64, key)) };
		int before, after;

		servers[0].weight = 1;
		before = balance_pick(servers, 4, &pick);
		servers[0].weight = 3;
		after = balance_pick(servers, 4, &pick);
		got[after]++;
		moved += before != after;
		CHECK(before == after || after == 0);
	}
	CHECK_NEAR((double)got[0], KEYS / 2, 400);
	CHECK_NEAR((double)got[3], KEYS / 6, 300);
	CHECK_NEAR((double)moved, KEYS / 4, 350);
}

/* These numbers are in use in every process there is: they must never change. */
TEST(hash_is_the_same_for_ever)
{
	BalanceServer servers[8];
	static const int want[] = { 5, 4, 3, 6, 5, 2, 7, 1 };

	hash_servers(a, servers, 8);
	CHECK_INT(balance_hash(S("10.0.0.1:8000")), INT64_C(735620503279354705));
	for (uint64_t key = 0; key < COUNT(want); key++)
		CHECK_INT(balance_pick(servers, 8,
		                       &(BalancePick){ .kind = BALANCE_HASH, .key = key }),
		          want[key]);
}

TEST(a_share_grows_with_time_and_is_never_less_than_a_tenth)
{
	static const struct {
		uint16_t weight;
		int64_t since_us, slow_start_us;
		uint32_t want;
	} cases[] = {
		{ 1, 0, 0, 1000 },
		{ 7, INT64_MAX, 0, 7000 },
		{ 7, INT64_MAX, 60, 7000 },
		{ 2, 0, 1000000, 200 },
		{ 2, 50000, 1000000, 200 },
		{ 2, 250000, 1000000, 500 },
		{ 2, 999999, 1000000, 1999 },
		{ 2, 1000000, 1000000, 2000 },
		{ 0, 250000, 1000000, 0 },
		{ 256, 1, INT64_MAX, 25600 },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("case %zu", i);
		CHECK_INT(balance_share(cases[i].weight, cases[i].since_us, cases[i].slow_start_us),
		          cases[i].want);
	}
}

/* Requests of the same length come one after another, each kind with its own idea of load: all keep to the weights. */
TEST(every_kind_keeps_to_weights_under_load)
{
	enum { SERVERS = 6, WORK = 60, PICKS = 60000 };
	static const uint16_t weights[SERVERS] = { 1, 2, 3, 4, 5, 5 };
	size_t queue[WORK];

	(void)a;
	for (int kind = BALANCE_ROUND_ROBIN; kind <= BALANCE_HASH; kind++) {
		BalanceServer servers[SERVERS] = { 0 };
		size_t got[SERVERS] = { 0 };

		for (size_t i = 0; i < SERVERS; i++) {
			servers[i].hash = balance_hash(S("x")) + i * 7919;
			servers[i].weight = balance_share(weights[i], 0, 0);
			balance_observe(&servers[i].load, 1, 1000);
		}
		for (size_t n = 0; n < PICKS; n++) {
			BalancePick pick = { .kind = (BalanceKind)kind, .key = n, .now_us = 1 };
			int at = balance_pick(servers, SERVERS, &pick);

			CHECK(at >= 0);
			if (n >= WORK)
				servers[queue[n % WORK]].load.in_flight--;
			queue[n % WORK] = (size_t)at;
			servers[at].load.in_flight++;
			got[at]++;
		}
		for (size_t i = 0; i < SERVERS; i++) {
			NOTE("kind %d, server %zu", kind, i);
			CHECK_NEAR((double)got[i], PICKS * weights[i] / 20.0, PICKS * 0.02);
		}
	}
}

TEST(what_balance_pick_would_say_were_all_full)
{
	static const uint16_t first[] = { 0 };
	BalanceServer servers[] = { up(1), up(1) };
	BalancePick pick = { .kind = BALANCE_ROUND_ROBIN };

	(void)a;
	CHECK_INT(balance_none(servers, 2, &pick), BALANCE_ALL_FULL);
	pick.tried = first;
	pick.tried_count = 1;
	CHECK_INT(balance_none(servers, 2, &pick), BALANCE_ALL_FULL);
	CHECK_INT(balance_none(servers, 1, &pick), BALANCE_ALL_TRIED);
	servers[0].state = servers[1].state = BALANCE_DOWN;
	CHECK_INT(balance_none(servers, 2, &pick), BALANCE_NONE_UP);
}
