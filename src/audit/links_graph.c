/* SPDX-License-Identifier: Apache-2.0
 *
 * Components by Tarjan's algorithm with a stack of its own; shortest circles by breadth-first search; a small set of edges to cut by the order of
 * Eades, Lin and Smyth ("A fast and effective heuristic for the feedback arc set problem", 1993): sinks to the end, sources to the front, and
 * when there are neither, the node that has most out over in; what then points backwards is cut. The smallest such set is NP-hard to find. */
#include "audit/links_graph.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static int by_ends(const void *x, const void *y)
{
	const GraphEdge *p = x, *q = y;

	if (p->from != q->from)
		return p->from < q->from ? -1 : 1;
	if (p->to != q->to)
		return p->to < q->to ? -1 : 1;
	return (p->id > q->id) - (p->id < q->id);
}

Graph graph_new(Arena *a, uint32_t nodes, GraphEdge *edges, uint32_t count)
{
	uint32_t *first = ARENA_ARRAY(a, uint32_t, nodes + 1);

	if (count)
		qsort(edges, count, sizeof(*edges), by_ends);
	for (uint32_t n = 0, e = 0; n <= nodes; n++) {
		while (e < count && edges[e].from < n)
			e++;
		first[n] = e;
	}
	return (Graph){ nodes, count, edges, first };
}

/* --- components ----------------------------------------------------------------------------------------------------------------------- */

typedef struct Tarjan {
	const Graph *g;
	uint32_t *index, *low; /* index 0: not seen */
	uint32_t *next;        /* edge to be looked at, of every node */
	uint32_t *component;
	uint32_t *open, open_count; /* nodes whose component is not known yet */
	uint32_t *path, path_count;
	bool *is_open;
	uint32_t seen, found;
} Tarjan;

static void enter(Tarjan *t, uint32_t node)
{
	t->index[node] = t->low[node] = ++t->seen;
	t->next[node] = t->g->first[node];
	t->open[t->open_count++] = node;
	t->is_open[node] = true;
	t->path[t->path_count++] = node;
}

static bool leads_to_itself(const Graph *g, uint32_t node)
{
	for (uint32_t e = g->first[node]; e < g->first[node + 1]; e++)
		if (g->edges[e].to == node)
			return true;
	return false;
}

/* A component is what was opened since its first node. */
static void close_component(Tarjan *t, uint32_t root)
{
	bool alone = t->open[t->open_count - 1] == root && !leads_to_itself(t->g, root);
	uint32_t number = alone ? LINK_NONE : t->found++, node;

	do {
		node = t->open[--t->open_count];
		t->is_open[node] = false;
		t->component[node] = number;
	} while (node != root);
}

static void leave(Tarjan *t, uint32_t node)
{
	t->path_count--;
	if (t->low[node] == t->index[node])
		close_component(t, node);
	if (t->path_count) {
		uint32_t above = t->path[t->path_count - 1];

		t->low[above] = MIN(t->low[above], t->low[node]);
	}
}

static void search(Tarjan *t, uint32_t start)
{
	enter(t, start);
	while (t->path_count) {
		uint32_t node = t->path[t->path_count - 1], to;

		if (t->next[node] == t->g->first[node + 1]) {
			leave(t, node);
			continue;
		}
		to = t->g->edges[t->next[node]++].to;
		if (!t->index[to])
			enter(t, to);
		else if (t->is_open[to])
			t->low[node] = MIN(t->low[node], t->index[to]);
	}
}

uint32_t graph_components(Arena *a, const Graph *g, uint32_t **component)
{
	Tarjan t = { .g = g, .component = ARENA_ARRAY(a, uint32_t, g->nodes + 1) };
	Mark mark = arena_mark(a);

	t.index = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	t.low = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	t.next = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	t.open = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	t.path = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	t.is_open = ARENA_ARRAY(a, bool, g->nodes + 1);
	for (uint32_t n = 0; n < g->nodes; n++)
		if (!t.index[n])
			search(&t, n);
	arena_reset(a, mark);
	*component = t.component;
	return t.found;
}

/* --- circles -------------------------------------------------------------------------------------------------------------------------- */

static uint32_t edge_between(const Graph *g, uint32_t from, uint32_t to)
{
	uint32_t low = g->first[from], high = g->first[from + 1];

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (g->edges[middle].to < to)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->first[from + 1] && g->edges[low].to == to ? low : LINK_NONE;
}

typedef struct Search {
	const Graph *g;
	uint32_t *queue, *by, *depth; /* by: the edge that a node was reached over */
	uint32_t *mark;               /* the search that has seen a node */
} Search;

/* The shortest circle through a node that has fewer than `most` edges: its last edge; LINK_NONE. */
static uint32_t circle_through(Search *s, uint32_t start, uint32_t round, uint32_t most)
{
	uint32_t from = 0, to = 0;

	s->queue[to++] = start;
	s->mark[start] = round;
	s->depth[start] = 0;
	while (from < to) {
		uint32_t node = s->queue[from++];

		if (s->depth[node] + 1 >= most)
			return LINK_NONE;
		for (uint32_t e = s->g->first[node]; e < s->g->first[node + 1]; e++) {
			uint32_t next = s->g->edges[e].to;

			if (next == start)
				return e;
			if (s->mark[next] == round)
				continue;
			s->mark[next] = round;
			s->depth[next] = s->depth[node] + 1;
			s->by[next] = e;
			s->queue[to++] = next;
		}
	}
	return LINK_NONE;
}

static uint32_t walk_back(const Search *s, uint32_t start, uint32_t last, uint32_t *out)
{
	uint32_t count = s->depth[s->g->edges[last].from] + 1, at = count;

	out[--at] = last;
	for (uint32_t node = s->g->edges[last].from; node != start;) {
		out[--at] = s->by[node];
		node = s->g->edges[s->by[node]].from;
	}
	return count;
}

uint32_t graph_circle(Arena *a, const Graph *g, uint32_t tries, const uint32_t **edges)
{
	uint32_t *best = ARENA_ARRAY(a, uint32_t, g->nodes + 2), count = 0;
	Mark mark = arena_mark(a);
	Search s = { g, ARENA_ARRAY(a, uint32_t, g->nodes + 1),
		     ARENA_ARRAY(a, uint32_t, g->nodes + 1), ARENA_ARRAY(a, uint32_t, g->nodes + 1),
		     ARENA_ARRAY(a, uint32_t, g->nodes + 1) };

	*edges = best;
	for (uint32_t e = 0; e < g->count; e++) {
		uint32_t back = edge_between(g, g->edges[e].to, g->edges[e].from);

		if (back == LINK_NONE || (count && back != e))
			continue;
		best[0] = e;
		best[1] = back;
		count = back == e ? 1 : 2;
		tries = 0;
	}
	for (uint32_t n = 0; n < MIN(tries, g->nodes); n++) {
		uint32_t last = circle_through(&s, n, n + 1, count ? count : UINT32_MAX);

		if (last != LINK_NONE)
			count = walk_back(&s, n, last, best);
	}
	arena_reset(a, mark);
	return count;
}

/* --- an order, and what is against it ------------------------------------------------------------------------------------------------- */

typedef struct Entry {
	int64_t score;
	uint32_t node;
} Entry;

typedef struct Order {
	const Graph *g;
	const uint32_t *in_first, *in_edges; /* edges by where they lead to */
	int64_t *in, *out;                   /* weights that are left */
	uint32_t *rank;
	bool *gone;
	Vec heap, ends; /* Entry; nodes that have become sinks or sources */
	uint32_t front, back;
} Order;

static void heap_push(Vec *heap, Entry entry)
{
	uint32_t i = heap->count;
	Entry *at;

	vec_add(heap, sizeof(Entry));
	at = heap->at;
	for (; i && at[(i - 1) / 2].score < entry.score; i = (i - 1) / 2)
		at[i] = at[(i - 1) / 2];
	at[i] = entry;
}

static Entry heap_pop(Vec *heap)
{
	Entry *at = heap->at, top = at[0], last = at[--heap->count];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && at[child + 1].score > at[child].score)
			child++;
		if (at[child].score <= last.score)
			break;
		at[i] = at[child];
		i = child;
	}
	if (heap->count)
		at[i] = last;
	return top;
}

static void note_change(Order *o, uint32_t node)
{
	if (o->gone[node])
		return;
	if (!o->in[node] || !o->out[node])
		*(uint32_t *)vec_add(&o->ends, sizeof(uint32_t)) = node;
	else
		heap_push(&o->heap, (Entry){ o->out[node] - o->in[node], node });
}

static void take_node(Order *o, uint32_t node, bool front)
{
	const Graph *g = o->g;

	o->gone[node] = true;
	o->rank[node] = front ? o->front++ : --o->back;
	for (uint32_t e = g->first[node]; e < g->first[node + 1]; e++) {
		o->in[g->edges[e].to] -= g->edges[e].weight;
		note_change(o, g->edges[e].to);
	}
	for (uint32_t i = o->in_first[node]; i < o->in_first[node + 1]; i++) {
		const GraphEdge *edge = &g->edges[o->in_edges[i]];

		o->out[edge->from] -= edge->weight;
		note_change(o, edge->from);
	}
}

static void put_in_order(Order *o)
{
	for (uint32_t n = 0; n < o->g->nodes; n++)
		note_change(o, n);
	for (;;) {
		if (o->ends.count) {
			uint32_t node = ((uint32_t *)o->ends.at)[--o->ends.count];

			if (!o->gone[node])
				take_node(o, node, o->out[node] != 0);
		} else if (o->heap.count) {
			Entry top = heap_pop(&o->heap);

			if (!o->gone[top.node] && top.score == o->out[top.node] - o->in[top.node])
				take_node(o, top.node, true);
		} else {
			return;
		}
	}
}

static const uint32_t *incoming(Arena *a, const Graph *g, const uint32_t **first)
{
	uint32_t *counts = ARENA_ARRAY(a, uint32_t, g->nodes + 2);
	uint32_t *edges = ARENA_ARRAY(a, uint32_t, g->count + 1);
	uint32_t *at = ARENA_ARRAY(a, uint32_t, g->nodes + 1);

	for (uint32_t e = 0; e < g->count; e++)
		counts[g->edges[e].to + 1]++;
	for (uint32_t n = 0; n < g->nodes; n++)
		counts[n + 1] += counts[n];
	memcpy(at, counts, g->nodes * sizeof(*at));
	for (uint32_t e = 0; e < g->count; e++)
		edges[at[g->edges[e].to]++] = e;
	*first = counts;
	return edges;
}

static bool leads(Search *s, const bool *cut, uint32_t from, uint32_t to, uint32_t round)
{
	uint32_t done = 0, count = 0;

	s->queue[count++] = from;
	s->mark[from] = round;
	while (done < count) {
		uint32_t node = s->queue[done++];

		if (node == to)
			return true;
		for (uint32_t e = s->g->first[node]; e < s->g->first[node + 1]; e++) {
			uint32_t next = s->g->edges[e].to;

			if (cut[e] || s->mark[next] == round)
				continue;
			s->mark[next] = round;
			s->queue[count++] = next;
		}
	}
	return false;
}

typedef struct Cut {
	uint32_t weight, edge;
} Cut;

static int dearest_first(const void *x, const void *y)
{
	const Cut *p = x, *q = y;

	if (p->weight != q->weight)
		return p->weight < q->weight ? 1 : -1;
	return (p->edge > q->edge) - (p->edge < q->edge);
}

/* Puts back what closes no circle, the dearest first. */
static void put_back(Arena *a, const Graph *g, bool *cut, Cut *cuts, uint32_t count)
{
	Search s = { .g = g,
		     .queue = ARENA_ARRAY(a, uint32_t, g->nodes + 1),
		     .mark = ARENA_ARRAY(a, uint32_t, g->nodes + 1) };

	qsort(cuts, count, sizeof(*cuts), dearest_first);
	for (uint32_t i = 0; i < count; i++) {
		const GraphEdge *edge = &g->edges[cuts[i].edge];

		cut[cuts[i].edge] = leads(&s, cut, edge->to, edge->from, i + 1);
	}
}

static void order_fini(Order *o)
{
	vec_fini(&o->heap);
	vec_fini(&o->ends);
}

uint32_t graph_cut(Arena *a, const Graph *g, const uint32_t **edges)
{
	uint32_t *kept = ARENA_ARRAY(a, uint32_t, g->count + 1), count = 0;
	Mark mark = arena_mark(a);
	AUTO(order_fini) Order o = { .g = g, .back = g->nodes };
	bool *cut = ARENA_ARRAY(a, bool, g->count + 1);
	Cut *cuts = ARENA_ARRAY(a, Cut, g->count + 1);

	o.in_edges = incoming(a, g, &o.in_first);
	o.in = ARENA_ARRAY(a, int64_t, g->nodes + 1);
	o.out = ARENA_ARRAY(a, int64_t, g->nodes + 1);
	o.rank = ARENA_ARRAY(a, uint32_t, g->nodes + 1);
	o.gone = ARENA_ARRAY(a, bool, g->nodes + 1);
	for (uint32_t e = 0; e < g->count; e++) {
		o.out[g->edges[e].from] += g->edges[e].weight;
		o.in[g->edges[e].to] += g->edges[e].weight;
	}
	put_in_order(&o);
	for (uint32_t e = 0; e < g->count; e++) {
		cut[e] = o.rank[g->edges[e].from] >= o.rank[g->edges[e].to];
		if (cut[e])
			cuts[count++] = (Cut){ g->edges[e].weight, e };
	}
	if (count <= GRAPH_PUT_BACK)
		put_back(a, g, cut, cuts, count);
	count = 0;
	for (uint32_t e = 0; e < g->count; e++)
		if (cut[e])
			kept[count++] = e;
	arena_reset(a, mark);
	*edges = kept;
	return count;
}
