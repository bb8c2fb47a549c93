/* SPDX-License-Identifier: Apache-2.0
 *
 * Directed graphs of numbered nodes: components, circles, cuts, an order. Iterative: no depth of input is a depth of stack. Pure. */
#pragma once
#include "audit/links_int.h"

typedef struct GraphEdge {
	uint32_t from, to;
	uint32_t weight; /* what it costs to cut it; at least 1 */
	uint32_t id;     /* the caller's */
} GraphEdge;

typedef struct Graph {
	uint32_t nodes;
	uint32_t count;
	GraphEdge *edges;      /* by from; within one by to */
	const uint32_t *first; /* nodes + 1 */
} Graph;

/* Sorts the edges where they are. */
Graph graph_new(Arena *a, uint32_t nodes, GraphEdge *edges, uint32_t count);

/* Numbers of the strongly connected components (Tarjan), one a node; those of one node that does not lead to itself are LINK_NONE. How many. */
uint32_t graph_components(Arena *a, const Graph *g, uint32_t **component);

/* One of the shortest circles (of all that pass one of the first `tries` nodes; two nodes in a row are always found): indices of edges.
 * 0: there is none. */
uint32_t graph_circle(Arena *a, const Graph *g, uint32_t tries, const uint32_t **edges);

/* Edges without which there is no circle: few and cheap, by the greedy order of Eades, Lin and Smyth; then none of them can be put back
 * (when there are no more than GRAPH_PUT_BACK). Indices of edges. */
enum { GRAPH_PUT_BACK = 512 };
uint32_t graph_cut(Arena *a, const Graph *g, const uint32_t **edges);
