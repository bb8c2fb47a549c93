/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing a server.
 *
 * First it is settled which state may be used at all: UP, or SLOW when none is up. Among those, servers that are full or
 * were tried are passed over. The kinds:
 *
 * round robin    smooth: every server gains its weight, the richest is taken and pays the sum of all who played. A server
 *                that is passed over does not gain meanwhile, so it does not come back with a burst.
 * least request  in_flight / weight, compared by cross multiplication. Idle servers are equal, and ties go by weight, so
 *                that a lightly loaded upstream sees its weights too. Above four servers two candidates are drawn by
 *                weight, the power of two choices (Mitzenmacher 2001): loops that do not know
 *                of each other then do not all run to the same one.
 * ewma           expected wait: moving average times (in_flight + 1), over weight. A sample above the average replaces it at
 *                once, one below pulls it down over TAU: a server that turns slow is left quickly and forgiven slowly
 *                (Finagle's peak EWMA). One with a request out and no answer yet is a stranger and costs STRANGER_US.
 * hash           weighted rendezvous: -weight / ln(u), u in (0, 1) from key and server (Thaler and Ravishankar 1998, with
 *                the logarithmic weights of Schindelhauer and Schomaker 2005). O(count), no table to rebuild, and what is
 *                passed over loses only its own keys. */
#include "gateway/balance.h"

#include "base/hash.h"
#include "base/rand.h"

#include <math.h>

static const double TAU_US = 10e6;
static const double STRANGER_US = 1e6;

typedef struct Choice {
	BalanceServer *servers;
	size_t count;
	const BalancePick *pick;
	BalanceState state; /* the one that may be used */
} Choice;

static bool is_tried(const BalancePick *pick, size_t i)
{
	for (size_t k = 0; k < pick->tried_count; k++)
		if (pick->tried[k] == i)
			return true;
	return false;
}

static bool may_use(const Choice *c, size_t i)
{
	const BalanceServer *s = &c->servers[i];

	return s->state == c->state && s->weight && !s->full && !is_tried(c->pick, i);
}

static int choose_in_turn(const Choice *c)
{
	int64_t total = 0;
	int best = -1;

	for (size_t i = 0; i < c->count; i++) {
		BalanceServer *s = &c->servers[i];

		if (!may_use(c, i))
			continue;
		s->turn += s->weight;
		total += s->weight;
		if (best < 0 || s->turn > c->servers[best].turn)
			best = (int)i;
	}
	if (best >= 0)
		c->servers[best].turn -= total;
	return best;
}

typedef double Cost(const Choice *c, const BalanceServer *s);

static double cost_in_flight(const Choice *c, const BalanceServer *s)
{
	(void)c;
	return (double)s->load.in_flight / s->weight;
}

static double decayed(const BalanceLoad *load, int64_t now_us)
{
	double age_us = (double)(now_us - load->ewma_at_us);

	return (double)load->ewma_us * exp(-MAX(age_us, 0.0) / TAU_US);
}

static double cost_wait(const Choice *c, const BalanceServer *s)
{
	const BalanceLoad *load = &s->load;
	double each_us = decayed(load, c->pick->now_us);

	if (!load->ewma_us && load->in_flight)
		each_us = STRANGER_US;
	return each_us * (load->in_flight + 1.0) / s->weight;
}

/* The cheapest of all; equals are drawn by weight. */
static int choose_by_scan(const Choice *c, Cost *cost)
{
	uint64_t weights = 0;
	double best_cost = 0;
	int best = -1;

	for (size_t i = 0; i < c->count; i++) {
		double own;

		if (!may_use(c, i))
			continue;
		own = cost(c, &c->servers[i]);
		if (best < 0 || own < best_cost)
			weights = 0;
		else if (own > best_cost)
			continue;
		weights += c->servers[i].weight;
		best_cost = own;
		if (weights == c->servers[i].weight || rand_below(weights) < c->servers[i].weight)
			best = (int)i;
	}
	return best;
}

/* One of those that may be used, but not `other`, at random by weight; -1: there is none. */
static int draw(const Choice *c, int other)
{
	uint64_t weights = 0;
	int at = -1;

	for (size_t i = 0; i < c->count; i++)
		if ((int)i != other && may_use(c, i))
			weights += c->servers[i].weight;
	weights = weights ? rand_below(weights) + 1 : 0;
	for (size_t i = 0; i < c->count && weights; i++) {
		if ((int)i == other || !may_use(c, i))
			continue;
		at = (int)i;
		weights -= MIN(weights, (uint64_t)c->servers[i].weight);
	}
	return at;
}

static int choose_of_two(const Choice *c, Cost *cost)
{
	int one = draw(c, -1);
	int two = one < 0 ? -1 : draw(c, one);

	if (two < 0)
		return one;
	return cost(c, &c->servers[two]) < cost(c, &c->servers[one]) ? two : one;
}

static int choose_cheapest(const Choice *c, Cost *cost)
{
	return c->count > BALANCE_FULL_SCAN ? choose_of_two(c, cost) : choose_by_scan(c, cost);
}

/* The finaliser of SplitMix64: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int choose_by_key(const Choice *c)
{
	double best_score = 0;
	int best = -1;

	for (size_t i = 0; i < c->count; i++) {
		const BalanceServer *s = &c->servers[i];
		double unit, score;

		if (!may_use(c, i))
			continue;
		unit = ((double)(mix(s->hash ^ mix(c->pick->key)) >> 11) + 0.5) * 0x1p-53;
		score = -(double)s->weight / log(unit);
		if (best < 0 || score > best_score) {
			best = (int)i;
			best_score = score;
		}
	}
	return best;
}

static int choose(const Choice *c)
{
	switch (c->pick->kind) {
	case BALANCE_ROUND_ROBIN:
		return choose_in_turn(c);
	case BALANCE_LEAST_REQUEST:
		return choose_cheapest(c, cost_in_flight);
	case BALANCE_EWMA:
		return choose_cheapest(c, cost_wait);
	case BALANCE_HASH:
		return choose_by_key(c);
	}
	return -1;
}

static BalanceState usable_state(const BalanceServer *servers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (servers[i].state == BALANCE_UP && servers[i].weight)
			return BALANCE_UP;
	return BALANCE_SLOW;
}

int balance_none(const BalanceServer *servers, size_t count, const BalancePick *pick)
{
	BalanceState state = usable_state(servers, count);
	bool tried = false;

	for (size_t i = 0; i < count; i++) {
		if (servers[i].state != state || !servers[i].weight)
			continue;
		if (!is_tried(pick, i))
			return BALANCE_ALL_FULL;
		tried = true;
	}
	return tried ? BALANCE_ALL_TRIED : BALANCE_NONE_UP;
}

int balance_pick(BalanceServer *servers, size_t count, const BalancePick *pick)
{
	Choice c = { servers, count, pick, usable_state(servers, count) };
	int at = choose(&c);

	return at >= 0 ? at : balance_none(servers, count, pick);
}

uint32_t balance_share(uint16_t weight, int64_t since_us, int64_t slow_start_us)
{
	uint32_t full = weight * UINT32_C(1000), least = full / 10;
	double grown;

	if (since_us >= slow_start_us)
		return full;
	grown = (double)full * (double)since_us / (double)slow_start_us;
	return grown < least ? least : (uint32_t)grown;
}

void balance_start(BalanceServer *servers, size_t count)
{
	static const BalancePick turn = { .kind = BALANCE_ROUND_ROBIN };
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		servers[i].turn = 0;
		total += servers[i].weight;
	}
	total = total ? rand_below(MIN(total, UINT64_C(1024))) : 0;
	for (uint64_t i = 0; i < total; i++)
		balance_pick(servers, count, &turn);
}

void balance_observe(BalanceLoad *load, int64_t now_us, int64_t took_us)
{
	double keep = exp(-(double)MAX(now_us - load->ewma_at_us, INT64_C(0)) / TAU_US);
	double pulled = (double)load->ewma_us * keep + (double)took_us * (1 - keep);

	load->ewma_us = MAX(took_us >= load->ewma_us ? took_us : (int64_t)pulled, INT64_C(1));
	load->ewma_at_us = now_us;
}

uint64_t balance_hash(Str text)
{
	return hash_stable(text, UINT64_C(0x62616e79616e2e62), UINT64_C(0x616c616e63652e31));
}
