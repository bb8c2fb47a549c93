/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table: one hash of edges (parent node, text) -> node serves for everything.
 *
 *   exact hosts        HOSTS  + "shop.example.org"  -> a root
 *   wildcard hosts     BELOW  + ".example.org"      -> a root
 *   any host           the root ANY
 *   exact paths        root   + "/users/me"         -> a node; segments never begin with "/", so nothing else meets it
 *   other patterns     root   + "users" + part "{}" -> a node; a named part is a field of the node, not an edge
 *   expressions        of each root, with an index of letters that a path must hold (route_index.c)
 *
 * Rank is a route's place in the order of precedence. A node has two chains of routes, by rank: those that end there and
 * those that take all below it. A search walks the nodes a path can reach (one per segment; twice as many where a literal and
 * a named part compete) and keeps the lowest rank whose method and conditions fit: the order itself is decided once, when
 * the table is made. Hosts are asked from the most exact on, so the first root with a winner ends the search.
 *
 * route_fits does not use any of this: it asks one pattern on its own, and the tests hold the two against each other. */
#include "gateway/route.h"

#include "base/arena.h"
#include "gateway/route_condition.h"
#include "gateway/route_index.h"
#include "gateway/route_pattern.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX, HOSTS = 0, BELOW = 1, ANY = 2, FIXED_NODES = 3 };

_Static_assert((int)ROUTE_INDEX_MOST >= (int)GATEWAY_ROUTES, "an index holds all expressions");

typedef struct Ranked {
	Route route;   /* first: what is given out */
	uint32_t next; /* in its chain; NONE ends it */
	bool plain;    /* no methods, no scheme, no conditions */
	const RouteConditions *conditions;
	const RouteRegex *regex; /* of its path */
	RoutePattern pattern;
} Ranked;

typedef struct Edge {
	Str text;
	uint64_t hash;
	uint32_t parent;
	uint32_t child; /* 0: a free slot; no edge leads to HOSTS */
} Edge;

typedef struct RouteNode {
	uint32_t part;  /* the child that a named part leads to; 0: none */
	uint32_t ends;  /* first of the routes that end here */
	uint32_t below; /* first of those that take everything below */
	uint32_t
		expressions; /* a root's, in RouteTable.expressions; NONE. While it is made: the first of them */
	bool exact; /* a root that has exact paths */
	bool leads; /* has edges for segments */
} RouteNode;

/* Of one root. */
typedef struct Expressions {
	const RouteIndex *index;
	uint32_t *ranks; /* of its expressions, rising */
	uint32_t count;
} Expressions;

struct RouteTable {
	Ranked *ranked; /* by rank */
	uint32_t count;
	uint32_t *rank_of; /* by index in the configuration */
	Edge *edges;
	size_t edge_mask;
	RouteNode *nodes;
	uint32_t node_count;
	Expressions *expressions;
	uint32_t expressions_count;
	uint32_t below_dots; /* most dots of a wildcard host */
	bool exact_hosts;
	bool methods; /* does any route name some? */
};

typedef struct Search {
	const RouteTable *table;
	const RouteAsk *ask;
	uint32_t best;
	RouteMiss *miss; /* not NULL: all methods are collected there instead */
	size_t allow_len;
} Search;

/* Building. */

static inline uint64_t load(const char *at, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, at, len);
	return word;
}

/* All bytes of a text shorter than eight; lengths that the compiler knows make these plain loads. */
static uint64_t load_short(Str text)
{
	if (text.len >= 4)
		return load(text.at, 4) | load(text.at + text.len - 4, 4) << 32;
	if (text.len >= 2)
		return load(text.at, 2) | load(text.at + text.len - 2, 2) << 32;
	return text.len ? load(text.at, 1) : 0;
}

/* Not keyed, because clients do not choose what is in the table: only what is looked for. */
static inline uint64_t edge_hash(uint32_t parent, Str text)
{
	uint64_t hash = (parent + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15) ^ text.len;
	uint64_t last = text.len < 8 ? load_short(text) : load(text.at + text.len - 8, 8);

	for (; text.len > 8; text.at += 8, text.len -= 8) {
		hash = (hash ^ load(text.at, 8)) * UINT64_C(0xbf58476d1ce4e5b9);
		hash ^= hash >> 32;
	}
	hash = (hash ^ last) * UINT64_C(0x94d049bb133111eb);
	return hash ^ (hash >> 29);
}

static const Edge *edge_slot(const RouteTable *t, uint32_t parent, Str text, uint64_t hash)
{
	for (size_t i = hash & t->edge_mask;; i = (i + 1) & t->edge_mask) {
		const Edge *edge = &t->edges[i];

		if (!edge->child ||
		    (edge->hash == hash && edge->parent == parent && str_eq(edge->text, text)))
			return edge;
	}
}

static uint32_t edge_find(const RouteTable *t, uint32_t parent, Str text)
{
	return edge_slot(t, parent, text, edge_hash(parent, text))->child;
}

static uint32_t node_new(RouteTable *t)
{
	t->nodes[t->node_count] = (RouteNode){ .ends = NONE, .below = NONE, .expressions = NONE };
	return t->node_count++;
}

static uint32_t edge_need(RouteTable *t, uint32_t parent, Str text)
{
	uint64_t hash = edge_hash(parent, text);
	const Edge *slot = edge_slot(t, parent, text, hash);

	if (!slot->child)
		t->edges[slot - t->edges] = (Edge){ text, hash, parent, node_new(t) };
	return slot->child;
}

static uint32_t dots(Str host)
{
	uint32_t count = 0;

	for (size_t i = 0; i < host.len; i++)
		count += host.at[i] == '.';
	return count;
}

static uint32_t root_need(RouteTable *t, const RoutePattern *p)
{
	if (p->host_kind == ROUTE_HOST_ANY)
		return ANY;
	if (p->host_kind == ROUTE_HOST_BELOW)
		t->below_dots = MAX(t->below_dots, dots(p->host));
	else
		t->exact_hosts = true;
	return edge_need(t, p->host_kind == ROUTE_HOST_BELOW ? BELOW : HOSTS, p->host);
}

static uint32_t node_need(RouteTable *t, const RoutePattern *p)
{
	uint32_t at = root_need(t, p);
	Str rest = str_sub(p->path, 1, p->path.len), segment;

	if (p->path_kind == ROUTE_PATH_REGEX)
		return at;
	if (p->path_kind == ROUTE_PATH_EXACT) {
		t->nodes[at].exact = true;
		return edge_need(t, at, p->path);
	}
	while (p->path.len && str_split(&rest, '/', &segment)) {
		if (!route_is_named(segment)) {
			t->nodes[at].leads = true;
			at = edge_need(t, at, segment);
			continue;
		}
		if (!t->nodes[at].part) {
			uint32_t part = node_new(t);

			t->nodes[at].part = part;
		}
		at = t->nodes[at].part;
	}
	return at;
}

static uint32_t *chain_of(RouteNode *node, RoutePathKind kind)
{
	if (kind == ROUTE_PATH_REGEX)
		return &node->expressions;
	return kind == ROUTE_PATH_PREFIX || kind == ROUTE_PATH_ANY ? &node->below : &node->ends;
}

/* Called from the last rank to the first, so that chains begin with the first. */
static void hang(RouteTable *t, uint32_t rank)
{
	Ranked *r = &t->ranked[rank];
	RouteNode *node = &t->nodes[node_need(t, &r->pattern)];
	uint32_t *chain = chain_of(node, r->pattern.path_kind);

	r->next = *chain;
	*chain = rank;
	r->route.rank = rank;
	t->rank_of[r->route.index] = rank;
}

/* A root's chain of expressions becomes a list with an index. */
static void index_expressions(RouteTable *t, Arena *a, RouteNode *root)
{
	Expressions *e = &t->expressions[t->expressions_count];
	const RouteRegex **regexes;
	uint32_t count = 0;

	for (uint32_t rank = root->expressions; rank != NONE; rank = t->ranked[rank].next)
		count++;
	regexes = ARENA_ARRAY(a, const RouteRegex *, count);
	e->ranks = ARENA_ARRAY(a, uint32_t, count);
	for (uint32_t rank = root->expressions; rank != NONE; rank = t->ranked[rank].next) {
		regexes[e->count] = t->ranked[rank].regex;
		e->ranks[e->count++] = rank;
	}
	e->index = route_index_new(a, regexes, count);
	root->expressions = t->expressions_count++;
}

static int by_precedence(const void *x, const void *y)
{
	const Ranked *one = x, *two = y;
	RouteWhy why;
	int order = route_compare(&one->pattern, &two->pattern, &why);

	return order ? order
	             : (one->route.index > two->route.index) -
	                       (one->route.index < two->route.index);
}

/* What of it is there once for all that come. */
static Ranked ranked_of(Arena *a, const RouteConf *conf, uint32_t index)
{
	const MatchConf *match = &conf->match;
	Ranked r = { .route = { conf, index, 0 },
		     .pattern = route_pattern(match),
		     .conditions = route_conditions_new(a, match) };

	r.plain = !r.conditions && !match->methods.count && match->scheme == MATCH_ANY_SCHEME;
	if (r.pattern.path_kind == ROUTE_PATH_REGEX && route_regex_new(a, r.pattern.path, &r.regex))
		r.regex = NULL;
	return r;
}

static void tree_new(RouteTable *t, Arena *a, size_t edges)
{
	size_t slots = 8;

	while (slots < edges * 2)
		slots *= 2;
	t->edges = ARENA_ARRAY(a, Edge, slots);
	t->edge_mask = slots - 1;
	t->nodes = ARENA_ARRAY(a, RouteNode, edges + FIXED_NODES);
	for (int i = 0; i < FIXED_NODES; i++)
		node_new(t);
}

const RouteTable *route_table_new(Arena *a, const RouteConf *routes, size_t count)
{
	RouteTable *t = ARENA_NEW(a, RouteTable);
	size_t edges = 1, expressions = 0;

	t->count = (uint32_t)count;
	t->ranked = ARENA_ARRAY(a, Ranked, count + 1);
	t->rank_of = ARENA_ARRAY(a, uint32_t, count + 1);
	for (size_t i = 0; i < count; i++) {
		t->ranked[i] = ranked_of(a, &routes[i], (uint32_t)i);
		edges += t->ranked[i].pattern.segments + 2;
		expressions += t->ranked[i].pattern.path_kind == ROUTE_PATH_REGEX;
		t->methods = t->methods || routes[i].match.methods.count > 0;
	}
	tree_new(t, a, edges);
	qsort(t->ranked, count, sizeof *t->ranked, by_precedence);
	for (uint32_t rank = t->count; rank-- > 0;)
		hang(t, rank);
	t->expressions = ARENA_ARRAY(a, Expressions, expressions + 1);
	for (uint32_t i = 0; i < t->node_count && expressions; i++)
		if (t->nodes[i].expressions != NONE)
			index_expressions(t, a, &t->nodes[i]);
	return t;
}

size_t route_table_count(const RouteTable *t)
{
	return t->count;
}

const Route *route_table_at(const RouteTable *t, size_t index)
{
	return index < t->count ? &t->ranked[t->rank_of[index]].route : NULL;
}

const Route *route_table_ranked(const RouteTable *t, size_t rank)
{
	return rank < t->count ? &t->ranked[rank].route : NULL;
}

/* Searching. */

static bool is_listed(const RouteMiss *miss, size_t len, Str method)
{
	Str rest = { miss->allow, len }, one;

	while (len && str_split(&rest, ',', &one))
		if (str_eq(str_trim(one), method))
			return true;
	return false;
}

static void allow(Search *s, Str method)
{
	size_t need = method.len + (s->allow_len ? 2 : 0);

	s->miss->method = true;
	if (is_listed(s->miss, s->allow_len, method) ||
	    s->allow_len + need >= sizeof s->miss->allow)
		return;
	if (s->allow_len)
		memcpy(s->miss->allow + s->allow_len, ", ", 2);
	memcpy(s->miss->allow + s->allow_len + need - method.len, method.at, method.len);
	s->allow_len += need;
	s->miss->allow[s->allow_len] = 0;
}

static void allow_all_of(Search *s, const MatchConf *match)
{
	for (size_t i = 0; i < match->methods.count; i++) {
		allow(s, match->methods.at[i]);
		if (str_eq(match->methods.at[i], S("GET")))
			allow(s, S("HEAD"));
	}
}

static bool holds(const Search *s, const Ranked *r)
{
	return route_takes_scheme(&r->route.conf->match, s->ask->scheme) &&
	       route_conditions_hold(r->conditions, s->ask->headers, s->ask->query, NULL, NULL);
}

/* Host and path fit, but for an expression, which is asked last. */
static void try_route(Search *s, uint32_t rank)
{
	const Ranked *r = &s->table->ranked[rank];
	const MatchConf *match = &r->route.conf->match;
	bool method = s->miss || r->plain || route_takes_method(match, s->ask->method);

	if (!method || (!r->plain && !holds(s, r)))
		return;
	if (r->pattern.path_kind == ROUTE_PATH_REGEX &&
	    (!r->regex || !route_regex_matches(r->regex, s->ask->path)))
		return;
	if (s->miss)
		allow_all_of(s, match);
	else
		s->best = rank;
}

static void look_at_chain(Search *s, uint32_t first)
{
	for (uint32_t rank = first; rank != NONE && rank < s->best;
	     rank = s->table->ranked[rank].next)
		try_route(s, rank);
}

static void look_at_expressions(Search *s, const Expressions *e)
{
	uint64_t bits[ROUTE_INDEX_WORDS];

	if (e->ranks[0] >= s->best)
		return;
	route_index_ask(e->index, s->ask->path, bits);
	for (uint32_t word = 0; word * 64 < e->count; word++) {
		for (uint64_t left = bits[word]; left; left &= left - 1) {
			uint32_t rank = e->ranks[word * 64 + (uint32_t)__builtin_ctzll(left)];

			if (rank >= s->best)
				return;
			try_route(s, rank);
		}
	}
}

/* rest: what follows the node, without its first slash; at == NULL: nothing. */
static void walk(Search *s, uint32_t at, Str rest)
{
	for (;;) {
		const RouteNode *node = &s->table->nodes[at];
		Str segment;

		look_at_chain(s, node->below);
		if (!str_split(&rest, '/', &segment)) {
			look_at_chain(s, node->ends);
			return;
		}
		if (node->part && segment.len)
			walk(s, node->part, rest);
		if (!node->leads)
			return;
		at = edge_find(s->table, at, segment);
		if (!at)
			return;
	}
}

/* Has the root a winner? (When methods are collected: never.) */
static bool look_at_root(Search *s, uint32_t root, Str path)
{
	const RouteNode *node = &s->table->nodes[root];
	uint32_t exact = node->exact ? edge_find(s->table, root, path) : 0;

	if (exact)
		look_at_chain(s, s->table->nodes[exact].ends);
	if (s->best == NONE)
		walk(s, root, str_sub(path, 1, path.len));
	if (node->expressions != NONE)
		look_at_expressions(s, &s->table->expressions[node->expressions]);
	return s->best != NONE;
}

static void look_at_hosts(Search *s, Str host, Str path)
{
	uint32_t root = s->table->exact_hosts ? edge_find(s->table, HOSTS, host) : 0;
	uint32_t left = s->table->below_dots ? dots(host) : 0;

	if (root && look_at_root(s, root, path))
		return;
	for (size_t i = 0; i < host.len && s->table->below_dots; i++) {
		if (host.at[i] != '.' || left-- > s->table->below_dots || i == 0)
			continue;
		root = edge_find(s->table, BELOW, str_sub(host, i, host.len));
		if (root && look_at_root(s, root, path))
			return;
	}
	look_at_root(s, ANY, path);
}

static Str without_root_dot(Str host)
{
	if (host.len > 1 && host.at[host.len - 1] == '.')
		host.len--;
	return host;
}

const Route *route_find(const RouteTable *t, const RouteAsk *ask, RouteMiss *miss)
{
	Search search = { .table = t, .ask = ask, .best = NONE };
	Str host = without_root_dot(ask->host);

	if (miss)
		*miss = (RouteMiss){ 0 };
	if (!ask->path.len || ask->path.at[0] != '/')
		return NULL;
	look_at_hosts(&search, host, ask->path);
	if (search.best != NONE)
		return &t->ranked[search.best].route;
	if (miss && t->methods) {
		search.miss = miss;
		look_at_hosts(&search, host, ask->path);
	}
	return NULL;
}

/* One route on its own. */

bool route_fits(const Route *route, const RouteAsk *ask, RouteFit *fit)
{
	const Ranked *r = (const Ranked *)route;
	bool is_path = ask->path.len && ask->path.at[0] == '/';

	*fit = (RouteFit){ .host = route_takes_host(&r->pattern, ask->host),
		           .method = route_takes_method(&route->conf->match, ask->method),
		           .scheme = route_takes_scheme(&route->conf->match, ask->scheme) };
	if (r->pattern.path_kind == ROUTE_PATH_REGEX)
		fit->path = is_path && r->regex && route_regex_matches(r->regex, ask->path);
	else
		fit->path = route_takes_path(&r->pattern, ask->path);
	fit->conditions = route_conditions_hold(r->conditions, ask->headers, ask->query,
	                                        &fit->failed, &fit->in);
	return fit->host && fit->path && fit->method && fit->scheme && fit->conditions;
}

RouteWhy route_why(const Route *x, const Route *y)
{
	RouteWhy why;

	route_compare(&((const Ranked *)x)->pattern, &((const Ranked *)y)->pattern, &why);
	return why;
}

/* Parts. */

bool route_part(const Route *route, Str path, Str name, Str *value)
{
	const Ranked *r = (const Ranked *)route;
	Str want = str_sub(r->pattern.path, 1, r->pattern.path.len), part;
	Str got = str_sub(path, 1, path.len), segment = { 0 };

	if (r->pattern.path_kind == ROUTE_PATH_REGEX)
		return r->regex && route_regex_group(r->regex, path, name, value);
	while (r->pattern.path.len && str_split(&want, '/', &part)) {
		str_split(&got, '/', &segment);
		if (!route_is_named(part) || !str_eq(str_sub(part, 1, part.len - 1), name))
			continue;
		*value = segment;
		return true;
	}
	return false;
}

bool route_part_name(const Route *route, Arena *a, uint32_t number, Str *name)
{
	const Ranked *r = (const Ranked *)route;
	Str rest = str_sub(r->pattern.path, 1, r->pattern.path.len), part;

	if (r->pattern.path_kind == ROUTE_PATH_REGEX) {
		if (!r->regex || !route_regex_group_name(r->regex, number + 1, name))
			return false;
		if (!name->len)
			*name = str_fmt(a, "%u", number + 1);
		return true;
	}
	while (r->pattern.path.len && str_split(&rest, '/', &part)) {
		if (!route_is_named(part) || number--)
			continue;
		*name = str_sub(part, 1, part.len - 1);
		return true;
	}
	return false;
}
