/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions: events of one person with no pause of 30 minutes between them. One that goes on over midnight is one, of the interval in which
 * it began; so is one that was under way when the query's time began, from the first event that is in it. */
#include "analytics/query.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { PAUSE_MS = 30 * 60 * 1000 };

typedef struct Open {
	int64_t began_ms, last_ms;
	uint32_t events;
	uint32_t bucket;
} Open;

typedef struct Sums {
	uint64_t sessions, events, bounces;
	double seconds;
} Sums;

typedef struct Sessions {
	Open *open; /* of each person; events 0: none */
	uint32_t persons;
	Sums *sums; /* of each interval, then of all */
} Sessions;

static void begin(Query *q)
{
	Sessions *s = ARENA_NEW(q->arena, Sessions);

	s->sums = ARENA_ARRAY(q->arena, Sums, q->buckets + 1);
	q->state = s;
}

static void end(Query *q)
{
	free(((Sessions *)q->state)->open);
}

static Open *open_of(Query *q, Sessions *s, uint32_t person)
{
	if (person >= s->persons) {
		uint32_t to = MAX(person + 1, s->persons + s->persons / 2);

		s->open = reallocarray(s->open, to, sizeof(*s->open));
		if (!s->open)
			abort();
		memset(s->open + s->persons, 0, (to - s->persons) * sizeof(*s->open));
		query_charge(q, (to - s->persons) * sizeof(*s->open));
		s->persons = to;
	}
	return &s->open[person];
}

static void close_session(Query *q, Sessions *s, Open *open)
{
	Sums *const sums[] = { &s->sums[open->bucket], &s->sums[q->buckets] };

	for (size_t i = 0; i < COUNT(sums); i++) {
		sums[i]->sessions++;
		sums[i]->events += open->events;
		sums[i]->bounces += open->events == 1;
		sums[i]->seconds += (double)(open->last_ms - open->began_ms) / 1000;
	}
	open->events = 0;
}

static void take(Query *q, int64_t day, const Dot *dots, size_t count)
{
	Sessions *s = q->state;
	size_t bucket = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t ms = day * MS_OF_DAY + dots[i].time;
		Open *open = open_of(q, s, dots[i].person);

		if (open->events && ms - open->last_ms >= PAUSE_MS)
			close_session(q, s, open);
		if (!open->events) {
			bucket = query_bucket(q, ms, bucket);
			open->bucket = (uint32_t)bucket;
			open->began_ms = ms;
		}
		open->events++;
		open->last_ms = ms;
	}
}

static void put_sums(JsonWriter *w, const Sums *sums)
{
	double n = sums->sessions ? (double)sums->sessions : 1;

	json_put_u64(w, "sessions", sums->sessions);
	json_put_u64(w, "events", sums->events);
	json_put_u64(w, "bounces", sums->bounces);
	json_put_real(w, "average_events", (double)sums->events / n);
	json_put_real(w, "average_seconds", sums->seconds / n);
}

static void put(Query *q, JsonWriter *w)
{
	Sessions *s = q->state;

	for (uint32_t i = 0; i < s->persons; i++)
		if (s->open[i].events)
			close_session(q, s, &s->open[i]);
	put_sums(w, &s->sums[q->buckets]);
	json_key(w, S("points"));
	json_begin_array(w);
	for (size_t b = 0; b < q->buckets; b++) {
		json_begin_object(w);
		query_put_edge(q, w, "at", b);
		put_sums(w, &s->sums[b]);
		json_end(w);
	}
	json_end(w);
}

const QueryRunner *query_sessions(void)
{
	static const QueryRunner runner = { .begin = begin, .take = take, .put = put, .end = end };

	return &runner;
}
