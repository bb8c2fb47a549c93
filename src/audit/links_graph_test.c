/* SPDX-License-Identifier: Apache-2.0
 *
 * Against brute force: what reaches what by going everywhere, and the cheapest cut by trying all. */
#include "audit/links_graph.c"

#include "unit.h"

enum { NODES_MOST = 6, EDGES_MOST = 12, ROUNDS = 3000 };

/* Numbers that are the same in every run. */
static uint64_t below(uint64_t *seed, uint64_t bound)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % bound;
}

typedef struct Reach {
	bool at[NODES_MOST][NODES_MOST]; /* in one step or more */
} Reach;

static Reach reach_of(const Graph *g, uint32_t without)
{
	Reach r = { 0 };

	for (uint32_t e = 0; e < g->count; e++)
		if (!(without & 1U << e))
			r.at[g->edges[e].from][g->edges[e].to] = true;
	for (uint32_t k = 0; k < g->nodes; k++)
		for (uint32_t i = 0; i < g->nodes; i++)
			for (uint32_t j = 0; j < g->nodes; j++)
				r.at[i][j] |= r.at[i][k] && r.at[k][j];
	return r;
}

static bool has_circle(const Graph *g, uint32_t without)
{
	Reach r = reach_of(g, without);

	for (uint32_t i = 0; i < g->nodes; i++)
		if (r.at[i][i])
			return true;
	return false;
}

static Graph any_graph(Arena *a, uint64_t *seed)
{
	uint32_t nodes = 1 + (uint32_t)below(seed, NODES_MOST), count = 0;
	GraphEdge *edges = ARENA_ARRAY(a, GraphEdge, EDGES_MOST);
	bool there[NODES_MOST][NODES_MOST] = { 0 };
	uint64_t tries = below(seed, EDGES_MOST + 1);

	for (uint64_t i = 0; i < tries; i++) {
		uint32_t from = (uint32_t)below(seed, nodes), to = (uint32_t)below(seed, nodes);

		if (there[from][to])
			continue;
		there[from][to] = true;
		edges[count] = (GraphEdge){ from, to, 1 + (uint32_t)below(seed, 9), count };
		count++;
	}
	return graph_new(a, nodes, edges, count);
}

static uint32_t weight_of(const Graph *g, uint32_t set)
{
	uint32_t sum = 0;

	for (uint32_t e = 0; e < g->count; e++)
		sum += set & 1U << e ? g->edges[e].weight : 0;
	return sum;
}

TEST(graph_components_are_those_of_brute_force)
{
	uint64_t seed = 1;

	for (int round = 0; round < ROUNDS; round++) {
		Mark mark = arena_mark(a);
		Graph g = any_graph(a, &seed);
		Reach r = reach_of(&g, 0);
		uint32_t *component;

		graph_components(a, &g, &component);
		for (uint32_t i = 0; i < g.nodes; i++)
			for (uint32_t j = 0; j < g.nodes; j++)
				CHECK_INT(component[i] != LINK_NONE && component[i] == component[j],
				          r.at[i][j] && r.at[j][i]);
		arena_reset(a, mark);
	}
}

/* Of each length below its own there is no circle: steps counted by repeated multiplication. */
static uint32_t shortest(const Graph *g)
{
	bool now[NODES_MOST][NODES_MOST] = { 0 };

	for (uint32_t e = 0; e < g->count; e++)
		now[g->edges[e].from][g->edges[e].to] = true;
	for (uint32_t length = 1; length <= g->nodes; length++) {
		bool next[NODES_MOST][NODES_MOST] = { 0 };

		for (uint32_t i = 0; i < g->nodes; i++)
			if (now[i][i])
				return length;
		for (uint32_t i = 0; i < g->nodes; i++)
			for (uint32_t e = 0; e < g->count; e++)
				next[i][g->edges[e].to] |= now[i][g->edges[e].from];
		memcpy(now, next, sizeof(now));
	}
	return 0;
}

TEST(graph_circle_is_a_shortest_one)
{
	uint64_t seed = 2;

	for (int round = 0; round < ROUNDS; round++) {
		Mark mark = arena_mark(a);
		Graph g = any_graph(a, &seed);
		const uint32_t *edges;
		uint32_t count = graph_circle(a, &g, NODES_MOST, &edges), want = shortest(&g);

		CHECK_INT(count, want);
		for (uint32_t i = 0; i < count; i++)
			CHECK_INT(g.edges[edges[i]].to, g.edges[edges[(i + 1) % count]].from);
		arena_reset(a, mark);
	}
}

TEST(graph_cut_leaves_no_circle_and_nothing_of_it_can_stay)
{
	uint64_t seed = 3;
	uint64_t ours = 0, best = 0;

	for (int round = 0; round < ROUNDS / 3; round++) {
		Mark mark = arena_mark(a);
		Graph g = any_graph(a, &seed);
		const uint32_t *edges;
		uint32_t count = graph_cut(a, &g, &edges), set = 0, least = UINT32_MAX;

		for (uint32_t i = 0; i < count; i++)
			set |= 1U << edges[i];
		CHECK(!has_circle(&g, set));
		for (uint32_t i = 0; i < count; i++)
			CHECK(has_circle(&g, set & ~(1U << edges[i])));
		for (uint32_t other = 0; other < 1U << g.count; other++)
			if (weight_of(&g, other) < least && !has_circle(&g, other))
				least = weight_of(&g, other);
		ours += weight_of(&g, set);
		best += least;
		arena_reset(a, mark);
	}
	/* All together within a tenth of the best there is. */
	CHECK(ours * 10 <= best * 11);
}

TEST(graph_takes_a_long_way)
{
	enum { LONG = 200000 };
	GraphEdge *edges = ARENA_ARRAY(a, GraphEdge, LONG);
	const uint32_t *found;
	uint32_t *component;
	Graph g;

	for (uint32_t i = 0; i < LONG; i++)
		edges[i] = (GraphEdge){ i, (i + 1) % LONG, 1, i };
	g = graph_new(a, LONG, edges, LONG);
	CHECK_INT(graph_components(a, &g, &component), 1);
	CHECK_INT(graph_circle(a, &g, 1, &found), LONG);
	CHECK_INT(graph_cut(a, &g, &found), 1);
}
