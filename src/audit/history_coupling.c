/* SPDX-License-Identifier: Apache-2.0
 *
 * Change coupling. Pairs are counted in one table of numbers; files with fewer sets than a pair must share are never paired, which keeps the table
 * small: of a code base's files few are ever changed that often.
 *
 * The test: of N change sets, n1 touch one file and n2 the other. Were they chosen independently, the shared ones would be hypergeometric; p is the
 * chance of as many as there are, or more. */
#include "audit/history_int.h"

#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

enum { SLOTS_FIRST = 1024 };

static Pair *pair_slot(const Pairs *p, uint64_t key)
{
	size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (p->cap - 1);

	while (p->at[i].key && p->at[i].key != key)
		i = (i + 1) & (p->cap - 1);
	return &p->at[i];
}

static void pairs_grow(Pairs *p)
{
	Pairs more = { .a = p->a, .count = p->count, .cap = p->cap ? p->cap * 2 : SLOTS_FIRST };

	more.at = ARENA_ARRAY(p->a, Pair, more.cap);
	for (size_t i = 0; i < p->cap; i++)
		if (p->at[i].key)
			*pair_slot(&more, p->at[i].key) = p->at[i];
	*p = more;
}

void pairs_add(Pairs *p, uint32_t one, uint32_t other)
{
	uint64_t key = ((uint64_t)one << 32 | other) + 1;
	Pair *slot;

	if (p->count * 2 >= p->cap)
		pairs_grow(p);
	slot = pair_slot(p, key);
	p->count += !slot->key;
	slot->key = key;
	slot->shared++;
}

static void add_set(Pairs *p, const History *h, const ChangeSet *set, uint32_t least)
{
	for (uint32_t i = 0; i < set->count; i++)
		for (uint32_t j = i + 1; j < set->count; j++)
			if (h->files[set->files[i]].revs >= least &&
			    h->files[set->files[j]].revs >= least)
				pairs_add(p, set->files[i], set->files[j]);
}

/* logs[n] = ln(n!) */
static double ln_choose(const double *logs, uint32_t n, uint32_t k)
{
	return logs[n] - logs[k] - logs[n - k];
}

double history_chance(const double *logs, uint32_t all, uint32_t one, uint32_t other,
                      uint32_t shared)
{
	double p = 0, whole = ln_choose(logs, all, other);

	for (uint32_t k = shared; k <= MIN(one, other); k++)
		if (other - k <= all - one)
			p += exp(ln_choose(logs, one, k) + ln_choose(logs, all - one, other - k) -
			         whole);
	return MIN(p, 1.0);
}

const double *history_logs(Arena *a, size_t most)
{
	double *logs = ARENA_ARRAY(a, double, most + 1);

	for (size_t i = 1; i <= most; i++)
		logs[i] = logs[i - 1] + log((double)i);
	return logs;
}

static int stronger_first(const void *x, const void *y)
{
	const Coupling *p = x, *q = y;

	if (p->degree != q->degree)
		return p->degree < q->degree ? 1 : -1;
	if (p->average != q->average)
		return p->average < q->average ? 1 : -1;
	if (p->one != q->one)
		return p->one < q->one ? -1 : 1;
	return (p->other > q->other) - (p->other < q->other);
}

/* False: below the limits. */
static bool coupling_of(const History *h, const Pair *pair, CouplingRules rules, Coupling *out)
{
	uint32_t one = (uint32_t)((pair->key - 1) >> 32), other = (uint32_t)(pair->key - 1);
	uint32_t both = h->files[one].revs + h->files[other].revs;

	*out = (Coupling){ .one = one,
		           .other = other,
		           .shared = pair->shared,
		           .degree = (uint32_t)(UINT64_C(200) * pair->shared / both),
		           .average = (both + 1) / 2 };
	return pair->shared >= rules.shared && both >= 2 * rules.revs &&
	       out->degree >= rules.degree;
}

Couplings history_couplings(Arena *a, const History *h, CouplingRules rules)
{
	Pairs pairs = { .a = a };
	const double *logs = history_logs(a, h->set_count);
	Couplings out = { 0 };

	for (size_t i = 0; i < h->set_count; i++)
		add_set(&pairs, h, &h->sets[i], MAX(rules.shared, (uint32_t)1));
	out.at = ARENA_ARRAY(a, Coupling, pairs.count + 1);
	for (size_t i = 0; i < pairs.cap; i++) {
		Coupling *c = &out.at[out.count];

		if (!pairs.at[i].key || !coupling_of(h, &pairs.at[i], rules, c))
			continue;
		c->p = history_chance(logs, (uint32_t)h->set_count, h->files[c->one].revs,
		                      h->files[c->other].revs, c->shared);
		if (c->p < rules.p)
			out.count++;
		else
			out.chance++;
	}
	if (out.count)
		qsort(out.at, out.count, sizeof(*out.at), stronger_first);
	return out;
}
