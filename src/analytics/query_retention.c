/* SPDX-License-Identifier: Apache-2.0
 *
 * Retention. A person belongs to the interval in which the first step was taken first (within the query's time), and comes back in every
 * later one in which the second was (the first, where there is only one). A bit for each interval and person, and the first of them:
 * counted at the end. */
#include "analytics/query.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { INTERVALS_MOST = 366 };

typedef struct Retention {
	size_t words; /* of bits, a person */
	uint32_t persons;
	uint64_t *back;  /* intervals in which the person came back */
	uint16_t *first; /* + 1; 0: never came */
	size_t buckets;
} Retention;

static void begin(Query *q)
{
	Retention *r = ARENA_NEW(q->arena, Retention);

	r->buckets = MIN(q->buckets, (size_t)INTERVALS_MOST);
	r->words = (r->buckets + 63) / 64;
	q->state = r;
}

static void end(Query *q)
{
	Retention *r = q->state;

	free(r->back);
	free(r->first);
}

static void know_person(Query *q, Retention *r, uint32_t person)
{
	uint32_t to = MAX(person + 1, r->persons + r->persons / 2), more = to - r->persons;

	if (person < r->persons)
		return;
	r->back = reallocarray(r->back, to, r->words * sizeof(*r->back));
	r->first = reallocarray(r->first, to, sizeof(*r->first));
	if (!r->back || !r->first)
		abort();
	memset(r->back + r->persons * r->words, 0, more * r->words * sizeof(*r->back));
	memset(r->first + r->persons, 0, more * sizeof(*r->first));
	query_charge(q, more * (r->words * sizeof(*r->back) + sizeof(*r->first)));
	r->persons = to;
}

static void take(Query *q, int64_t day, const Dot *dots, size_t count)
{
	Retention *r = q->state;
	uint32_t back = q->step_count > 1 ? 2 : 1;
	size_t bucket = 0;

	for (size_t i = 0; i < count; i++) {
		const Dot *m = &dots[i];

		bucket = query_bucket(q, day * MS_OF_DAY + m->time, bucket);
		if (bucket >= r->buckets)
			continue;
		know_person(q, r, m->person);
		if ((m->steps & 1) && !r->first[m->person])
			r->first[m->person] = (uint16_t)(bucket + 1);
		if (m->steps & back)
			r->back[m->person * r->words + bucket / 64] |= (uint64_t)1 << bucket % 64;
	}
}

static void count_all(const Retention *r, uint64_t *size, uint64_t *came)
{
	for (uint32_t p = 0; p < r->persons; p++) {
		size_t first = r->first[p];

		if (!first--)
			continue;
		size[first]++;
		for (size_t b = first + 1; b < r->buckets; b++)
			came[first * r->buckets + b - first] +=
				r->back[p * r->words + b / 64] >> b % 64 & 1;
	}
}

static void put(Query *q, JsonWriter *w)
{
	const Retention *r = q->state;
	uint64_t *size = ARENA_ARRAY(q->arena, uint64_t, r->buckets);
	uint64_t *came = ARENA_ARRAY(q->arena, uint64_t, r->buckets * r->buckets);

	count_all(r, size, came);
	json_key(w, S("cohorts"));
	json_begin_array(w);
	for (size_t c = 0; c < r->buckets; c++) {
		json_begin_object(w);
		query_put_edge(q, w, "at", c);
		json_put_u64(w, "persons", size[c]);
		json_key(w, S("back"));
		json_begin_array(w);
		for (size_t b = 1; c + b < r->buckets; b++)
			json_add_u64(w, came[c * r->buckets + b]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

const QueryRunner *query_retention(void)
{
	static const QueryRunner runner = { .begin = begin, .take = take, .put = put, .end = end };

	return &runner;
}
