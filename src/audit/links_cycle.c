/* SPDX-License-Identifier: Apache-2.0
 *
 * Circles of imports. Those that close at the top of modules come first: which of them is imported first decides whether the program starts.
 * Circles that only close by an import within a function work, but none of their modules can be moved away alone; they are told apart. Imports
 * for types only and names in strings close nothing. */
#include "audit/links_graph.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* A package's __init__ hands on what its modules have: the way back is the one to cut. What is imported late is easier to cut than what is
 * imported at the top. */
enum { TRIES = 64, OWN_WEIGHT = 20, TOP_WEIGHT = 2 };

typedef struct Cycles {
	Arena *a, *scratch;
	Links *links;
	Vec rows;
	uint32_t *local; /* of a module: its number within the component at hand */
} Cycles;

static bool counts(const LinkEdge *edge, bool lazy)
{
	return lazy ? link_edge_runs(edge) : link_edge_loads(edge);
}

static GraphEdge graph_edge(const Links *links, size_t e, uint32_t from, uint32_t to)
{
	const LinkEdge *edge = &links->edges[e];
	Str above = links->modules[edge->from].name, name = links->modules[edge->to].name;
	bool own = str_starts(name, above) && name.len > above.len && name.at[above.len] == '.';

	return (GraphEdge){ from, to,
		            (1 + edge->uses + (own ? OWN_WEIGHT : 0)) *
		                    (link_edge_loads(edge) ? TOP_WEIGHT : 1),
		            (uint32_t)e };
}

static uint32_t components(Cycles *c, bool lazy, uint32_t **component)
{
	const Links *links = c->links;
	GraphEdge *edges = ARENA_ARRAY(c->scratch, GraphEdge, links->edge_count + 1);
	uint32_t count = 0;
	Graph g;

	for (size_t e = 0; e < links->edge_count; e++)
		if (counts(&links->edges[e], lazy))
			edges[count++] =
				graph_edge(links, e, links->edges[e].from, links->edges[e].to);
	g = graph_new(c->scratch, (uint32_t)links->module_count, edges, count);
	return graph_components(c->scratch, &g, component);
}

static Graph graph_of(Cycles *c, const uint32_t *members, uint32_t count, bool lazy,
                      const uint32_t *component)
{
	const Links *links = c->links;
	uint32_t room = 0, edge_count = 0;
	GraphEdge *edges;

	for (uint32_t i = 0; i < count; i++) {
		c->local[members[i]] = i;
		room += links->first_edge[members[i] + 1] - links->first_edge[members[i]];
	}
	edges = ARENA_ARRAY(c->scratch, GraphEdge, room + 1);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t e = links->first_edge[members[i]];
		     e < links->first_edge[members[i] + 1]; e++) {
			uint32_t to = links->edges[e].to;

			if (component[to] == component[members[i]] &&
			    counts(&links->edges[e], lazy))
				edges[edge_count++] = graph_edge(links, e, i, c->local[to]);
		}
	return graph_new(c->scratch, count, edges, edge_count);
}

static const uint32_t *ids_of(Arena *a, const Graph *g, const uint32_t *edges, uint32_t count)
{
	uint32_t *ids = ARENA_ARRAY(a, uint32_t, count + 1);

	for (uint32_t i = 0; i < count; i++)
		ids[i] = g->edges[edges[i]].id;
	return ids;
}

static void add_cycle(Cycles *c, const uint32_t *members, uint32_t count, bool lazy,
                      const uint32_t *component)
{
	Mark mark = arena_mark(c->scratch);
	Graph g = graph_of(c, members, count, lazy, component);
	LinkCycle *row = vec_add(&c->rows, sizeof(*row));
	const uint32_t *edges;
	uint32_t *kept = ARENA_ARRAY(c->a, uint32_t, count);

	memcpy(kept, members, count * sizeof(*kept));
	row->modules = kept;
	row->count = count;
	row->lazy = lazy;
	row->circle_count = graph_circle(c->scratch, &g, TRIES, &edges);
	row->circle = ids_of(c->a, &g, edges, row->circle_count);
	row->cut_count = graph_cut(c->scratch, &g, &edges);
	row->cut = ids_of(c->a, &g, edges, row->cut_count);
	arena_reset(c->scratch, mark);
}

/* Does a component say more than one that was found without lazy imports? */
static bool is_more(const uint32_t *members, uint32_t count, const uint32_t *hard)
{
	for (uint32_t i = 0; i < count; i++)
		if (hard[members[i]] == LINK_NONE || hard[members[i]] != hard[members[0]])
			return true;
	return false;
}

/* Every component's members, in the order of their paths. */
static void add_all(Cycles *c, uint32_t found, bool lazy, const uint32_t *component,
                    const uint32_t *hard)
{
	uint32_t modules = (uint32_t)c->links->module_count;
	uint32_t *first = ARENA_ARRAY(c->scratch, uint32_t, found + 2);
	uint32_t *members = ARENA_ARRAY(c->scratch, uint32_t, modules + 1);
	uint32_t *at = ARENA_ARRAY(c->scratch, uint32_t, found + 1);

	for (uint32_t m = 0; m < modules; m++)
		if (component[m] != LINK_NONE)
			first[component[m] + 1]++;
	for (uint32_t k = 0; k < found; k++)
		first[k + 1] += first[k];
	memcpy(at, first, found * sizeof(*at));
	for (uint32_t m = 0; m < modules; m++)
		if (component[m] != LINK_NONE)
			members[at[component[m]]++] = m;
	for (uint32_t k = 0; k < found; k++) {
		const uint32_t *own = members + first[k];
		uint32_t count = first[k + 1] - first[k];

		if (!hard || is_more(own, count, hard))
			add_cycle(c, own, count, lazy, component);
	}
}

static int hard_and_large_first(const void *x, const void *y)
{
	const LinkCycle *p = x, *q = y;

	if (p->lazy != q->lazy)
		return p->lazy ? 1 : -1;
	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return p->modules[0] < q->modules[0] ? -1 : 1;
}

static void tell_modules(Links *links)
{
	for (size_t m = 0; m < links->module_count; m++)
		links->modules[m].cycle = LINK_NONE;
	for (size_t c = links->cycle_count; c-- > 0;)
		for (uint32_t i = 0; i < links->cycles[c].count; i++)
			links->modules[links->cycles[c].modules[i]].cycle = (uint32_t)c;
}

void links_cycles(Arena *a, Links *links)
{
	AUTO(arena_freep) Arena *scratch = arena_new(0);
	Cycles c = { .a = a, .scratch = scratch, .links = links };
	uint32_t *hard, *soft, count;

	c.local = ARENA_ARRAY(scratch, uint32_t, links->module_count + 1);
	count = components(&c, false, &hard);
	add_all(&c, count, false, hard, NULL);
	count = components(&c, true, &soft);
	add_all(&c, count, true, soft, hard);
	if (c.rows.count)
		qsort(c.rows.at, c.rows.count, sizeof(LinkCycle), hard_and_large_first);
	links->cycles = vec_keep(a, &c.rows, sizeof(LinkCycle));
	links->cycle_count = c.rows.count;
	vec_fini(&c.rows);
	tell_modules(links);
}
