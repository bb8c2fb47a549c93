/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths: what is done after what. A tree of names, one level for each event of a session from its first on; a person is somewhere in it and
 * goes down with each event, as deep as was asked. So each session is counted once on each level that it reaches: a node's number is
 * how many sessions began in this very way. A pause of 30 minutes begins anew at the root. */
#include "analytics/query.h"

#include "base/arena.h"
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum { PAUSE_MS = 30 * 60 * 1000, NODES_MOST = 200000, DEPTH = 4, DEPTH_MOST = 10 };

typedef struct PathNode {
	struct {
		uint32_t parent, group;
	} key;
	uint32_t depth;
	uint64_t count;
} PathNode;

typedef struct Walker {
	int64_t last_ms; /* 0: never seen */
	uint32_t node;
} Walker;

typedef struct Paths {
	PathNode **nodes; /* [0] is the root */
	uint32_t count;
	Map by_key;
	Walker *walkers; /* of each person */
	uint32_t persons;
	uint32_t depth;
	bool full;
} Paths;

static void begin(Query *q)
{
	Paths *p = ARENA_NEW(q->arena, Paths);

	p->depth = q->in->depth ? (uint32_t)q->in->depth : DEPTH;
	p->nodes = ARENA_ARRAY(q->arena, PathNode *, NODES_MOST);
	p->nodes[p->count++] = ARENA_NEW(q->arena, PathNode);
	q->state = p;
}

static void end(Query *q)
{
	Paths *p = q->state;

	map_fini(&p->by_key);
	free(p->walkers);
}

static Walker *walker_of(Query *q, Paths *p, uint32_t person)
{
	if (person >= p->persons) {
		uint32_t to = MAX(person + 1, p->persons + p->persons / 2);

		p->walkers = reallocarray(p->walkers, to, sizeof(*p->walkers));
		if (!p->walkers)
			abort();
		memset(p->walkers + p->persons, 0, (to - p->persons) * sizeof(*p->walkers));
		query_charge(q, (to - p->persons) * sizeof(*p->walkers));
		p->persons = to;
	}
	return &p->walkers[person];
}

/* The node below, made if need be; the same node when there may be no more. */
static uint32_t go_down(Query *q, Paths *p, uint32_t at, uint32_t group)
{
	PathNode draft = { .key = { at, group }, .depth = p->nodes[at]->depth + 1 }, *node;
	uintptr_t found =
		(uintptr_t)map_get(&p->by_key, (Str){ (char *)&draft.key, sizeof(draft.key) });

	if (found)
		return (uint32_t)found;
	if (p->count == NODES_MOST) {
		p->full = true;
		return at;
	}
	node = ARENA_NEW(q->arena, PathNode);
	*node = draft;
	p->nodes[p->count] = node;
	map_put(&p->by_key, (Str){ (char *)&node->key, sizeof(node->key) },
	        (void *)(uintptr_t)p->count);
	return p->count++;
}

static void take(Query *q, int64_t day, const Dot *dots, size_t count)
{
	Paths *p = q->state;

	for (size_t i = 0; i < count; i++) {
		int64_t ms = day * MS_OF_DAY + dots[i].time;
		Walker *walker = walker_of(q, p, dots[i].person);
		uint32_t next;

		if (!walker->last_ms || ms - walker->last_ms >= PAUSE_MS)
			walker->node = 0;
		walker->last_ms = ms;
		if (p->nodes[walker->node]->depth >= p->depth)
			continue;
		next = go_down(q, p, walker->node, dots[i].group);
		p->nodes[next]->count += next != walker->node;
		walker->node = next;
	}
}

static void put_path(const Query *q, const Paths *p, JsonWriter *w, uint32_t at)
{
	uint32_t names[DEPTH_MOST + 1], depth = 0;

	json_begin_object(w);
	json_put_u64(w, "sessions", p->nodes[at]->count);
	json_key(w, S("path"));
	json_begin_array(w);
	for (uint32_t n = at; n && depth < COUNT(names); n = p->nodes[n]->key.parent)
		names[depth++] = p->nodes[n]->key.group;
	while (depth--)
		cell_put_json(w, q->groups.cells[names[depth]]);
	json_end(w);
	json_end(w);
}

static void put(Query *q, JsonWriter *w)
{
	const Paths *p = q->state;
	double *weights = ARENA_ARRAY(q->arena, double, p->count);
	size_t count;
	uint32_t *top;

	for (uint32_t i = 1; i < p->count; i++)
		weights[i] = (double)p->nodes[i]->count;
	top = query_top(q, weights, p->count, q->in->limit ? (size_t)q->in->limit : 25, &count);
	json_key(w, S("paths"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		put_path(q, p, w, top[i]);
	json_end(w);
	json_put_bool(w, "cut", p->full);
}

const QueryRunner *query_paths(void)
{
	static const QueryRunner runner = {
		.begin = begin, .take = take, .put = put, .end = end, .names = true
	};

	return &runner;
}
