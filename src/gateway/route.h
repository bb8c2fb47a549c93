/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: host, path and method to one row of the configuration. The table is immutable and shared by all loops.
 *
 * Order of precedence, a total one; the first route in it that matches wins:
 *   1. host: exact, then "*.suffix" (longest suffix first), then any;
 *   2. path: exact, then with named parts, then prefixes (more segments first); of two of the same kind the one whose
 *      leftmost different segment is literal;
 *   3. with methods before without;
 *   4. the order of the file.
 * "/api/" followed by two stars matches /api and all below it. A named part matches one segment, not an empty one. GET takes HEAD too. */
#pragma once
#include "gateway/conf.h"

typedef struct RouteTable RouteTable;

typedef struct Route {
	const RouteConf *conf;
	uint32_t index; /* in the configuration: for arrays beside it */
	uint32_t rank;  /* in the order of precedence, from 0 */
} Route;

typedef struct RouteMiss {
	bool method; /* host and path are known, but not with this method: 405 */
	char allow
		[120]; /* of the Allow header, ended by NUL: "GET, HEAD, POST"; cut at a name when it is longer */
} RouteMiss;

/* Patterns must have passed route_path_mistake and route_host_mistake. Lives as long as the arena; borrows the rows. */
const RouteTable *route_table_new(Arena *a, const RouteConf *routes, size_t count);
size_t route_table_count(const RouteTable *table);
const Route *route_table_at(const RouteTable *table, size_t index); /* by Route.index */

/* host: canonical (url_authority), may be empty; path: canonical (url_canonical). NULL when none matches: *miss says why
 * (miss may be NULL). Cost does not depend on the number of routes. Any thread; does not allocate. */
const Route *route_find(const RouteTable *table, Str host, Str path, Str method, RouteMiss *miss);

/* The same question answered at length for people: the winner, what else would have matched and why it lost, and what
 * came near. Looks at every route. */
Str route_explain(const RouteTable *table, Arena *a, Str host, Str path, Str method);

/* The value of a named part of the route in this path (which it matches): {id}. False when it has no such part. */
bool route_part(const Route *route, Str path, Str name, Str *value);

/* What is wrong with a pattern, or NULL. For ConfVerify and tests. */
const char *route_path_mistake(Str pattern);
const char *route_host_mistake(Str pattern);
/* by[i]: a route that comes before route i and takes everything it could, or -1. O(count). */
void route_shadows(const RouteConf *routes, size_t count, ptrdiff_t *by);
