/* SPDX-License-Identifier: Apache-2.0
 *
 * Funnels. One pass over the events in order of time. A person who has taken the first step has a place in a table: for each step, when
 * the latest chain that reached it began. An event that is step n goes on with the chain of step n - 1 if that began within the window;
 * a later beginning leaves more of the window, so the latest is all that must be known (ClickHouse's windowFunnel does the same).
 * Steps are looked at from the last to the first, so that one event is never two steps of one chain.
 *
 * Persons who never take the first step cost four bytes. */
#include "analytics/query.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW_S = 14 * 86400, FIRST_CHAINS = 1024 };
#define NEVER INT64_MIN

typedef struct Tally {
	uint64_t reached[QUERY_STEPS];
	double took_ms[QUERY_STEPS]; /* from the first step, of all who reached it */
} Tally;

typedef struct Funnel {
	uint32_t *chain_of; /* of a person; 0: none yet */
	uint32_t persons;
	int64_t *began; /* chains x steps */
	uint8_t *level; /* of a chain: steps that were reached */
	uint32_t *group;
	size_t chains, cap; /* the first is nobody's */
	int64_t window_ms;
	Tally *tallies; /* of each group */
	size_t tally_cap;
} Funnel;

static void begin(Query *q)
{
	Funnel *f = ARENA_NEW(q->arena, Funnel);

	f->window_ms = (q->in->window_s ? q->in->window_s : WINDOW_S) * 1000;
	f->chains = 1;
	q->state = f;
}

static void end(Query *q)
{
	Funnel *f = q->state;

	free(f->chain_of);
	free(f->began);
	free(f->level);
	free(f->group);
	free(f->tallies);
}

static void *resized(void *at, size_t each, size_t from, size_t to)
{
	char *more = reallocarray(at, to, each);

	if (!more)
		abort();
	memset(more + from * each, 0, (to - from) * each);
	return more;
}

static void know_person(Query *q, Funnel *f, uint32_t person)
{
	uint32_t to;

	if (person < f->persons)
		return;
	to = MAX(person + 1, f->persons + f->persons / 2);
	f->chain_of = resized(f->chain_of, sizeof(*f->chain_of), f->persons, to);
	query_charge(q, (to - f->persons) * sizeof(*f->chain_of));
	f->persons = to;
}

static Tally *tally_of(Funnel *f, uint32_t group)
{
	if (group >= f->tally_cap) {
		size_t to = MAX((size_t)group + 1, f->tally_cap * 2);

		f->tallies = resized(f->tallies, sizeof(*f->tallies), f->tally_cap, to);
		f->tally_cap = to;
	}
	return &f->tallies[group];
}

static uint32_t new_chain(Funnel *f, size_t steps, uint32_t group)
{
	if (f->chains >= f->cap) {
		size_t to = f->cap ? f->cap * 2 : FIRST_CHAINS;

		f->began = resized(f->began, sizeof(*f->began) * steps, f->cap, to);
		f->level = resized(f->level, 1, f->cap, to);
		f->group = resized(f->group, sizeof(*f->group), f->cap, to);
		f->cap = to;
	}
	for (size_t s = 0; s < steps; s++)
		f->began[f->chains * steps + s] = NEVER;
	f->group[f->chains] = group;
	return (uint32_t)f->chains++;
}

static void reach(Funnel *f, uint32_t chain, size_t step, int64_t took_ms)
{
	Tally *tally;

	if (f->level[chain] > step)
		return;
	f->level[chain] = (uint8_t)(step + 1);
	tally = tally_of(f, f->group[chain]);
	tally->reached[step]++;
	tally->took_ms[step] += (double)took_ms;
}

static void take_step(Funnel *f, size_t steps, const Dot *dot, int64_t ms)
{
	uint32_t chain = f->chain_of[dot->person];
	int64_t *began;

	if (!chain) {
		if (!(dot->steps & 1))
			return;
		chain = f->chain_of[dot->person] = new_chain(f, steps, dot->group);
	}
	began = &f->began[chain * steps];
	for (size_t s = steps; s-- > 1;) {
		if (!(dot->steps >> s & 1) || began[s - 1] == NEVER ||
		    ms - began[s - 1] > f->window_ms)
			continue;
		began[s] = MAX(began[s], began[s - 1]);
		reach(f, chain, s, ms - began[s - 1]);
	}
	if (dot->steps & 1) {
		began[0] = ms;
		reach(f, chain, 0, 0);
	}
}

static void take(Query *q, int64_t day, const Dot *dots, size_t count)
{
	Funnel *f = q->state;
	int64_t start = day * MS_OF_DAY;
	size_t before = f->cap;

	for (size_t i = 0; i < count; i++) {
		know_person(q, f, dots[i].person);
		take_step(f, q->step_count, &dots[i], start + dots[i].time);
	}
	query_charge(q, (f->cap - before) * (q->step_count * sizeof(*f->began) + 5));
}

/* --- the answer --------------------------------------------------------------------------------------------------------- */

static void put_steps(const Query *q, JsonWriter *w, const Tally *tally)
{
	json_key(w, S("steps"));
	json_begin_array(w);
	for (size_t s = 0; s < q->step_count; s++) {
		uint64_t n = tally->reached[s];

		json_begin_object(w);
		json_put_str(w, "event", q->steps[s].event);
		json_put_u64(w, "persons", n);
		json_put_real(w, "share",
		              tally->reached[0] ? (double)n / (double)tally->reached[0] : 0);
		if (s && n)
			json_put_real(w, "average_seconds", tally->took_ms[s] / (double)n / 1000);
		json_end(w);
	}
	json_end(w);
}

static void put_groups(const Query *q, JsonWriter *w, const Funnel *f)
{
	double *weights = ARENA_ARRAY(q->arena, double, f->tally_cap + 1);
	size_t count;
	uint32_t *top;

	for (size_t i = 0; i < f->tally_cap; i++)
		weights[i] = (double)f->tallies[i].reached[0];
	top = query_top(q, weights, f->tally_cap, q->in->limit ? (size_t)q->in->limit : 25, &count);
	json_key(w, S("groups"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(w);
		query_put_group(q, w, "value", top[i]);
		put_steps(q, w, &f->tallies[top[i]]);
		json_end(w);
	}
	json_end(w);
}

static void put(Query *q, JsonWriter *w)
{
	const Funnel *f = q->state;
	Tally all = { 0 };

	for (size_t i = 0; i < f->tally_cap; i++)
		for (size_t s = 0; s < q->step_count; s++) {
			all.reached[s] += f->tallies[i].reached[s];
			all.took_ms[s] += f->tallies[i].took_ms[s];
		}
	json_put_i64(w, "window_s", f->window_ms / 1000);
	put_steps(q, w, &all);
	if (q->in->breakdown.len)
		put_groups(q, w, f);
}

const QueryRunner *query_funnel(void)
{
	static const QueryRunner runner = { .begin = begin, .take = take, .put = put, .end = end };

	return &runner;
}
