/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: host, path, method and conditions to one row of the configuration. The table is immutable and shared by all loops.
 *
 * Order of precedence, a total one; the first route in it that matches wins:
 *   1. host: exact, then "*.suffix" (longest suffix first), then any;
 *   2. path: exact, then with named parts, then prefixes (more segments first), then expressions, then "/" and two stars,
 *      which says nothing of the path; of two of the same kind the one whose leftmost different segment is literal;
 *   3. more conditions before fewer: each header, parameter and cookie is one, the scheme is one, methods are one together;
 *      but expressions go by the file alone;
 *   4. the order of the file.
 * "/api/" followed by two stars matches /api and all below it. A named part matches one segment, not an empty one. GET takes
 * HEAD too. A route whose conditions do not hold leaves the request to the next in the order, on whatever host or path. */
#pragma once
#include "gateway/conf.h"
#include "obs/metric.h"

typedef struct RouteTable RouteTable;
typedef struct Headers Headers;

typedef struct Route {
	const RouteConf *conf;
	uint32_t index; /* in the configuration: for arrays beside it */
	uint32_t rank;  /* in the order of precedence, from 0 */
} Route;

typedef struct RouteAsk {
	Str host; /* canonical (url_authority); may be empty */
	Str path; /* canonical (url_canonical) */
	Str method;
	Str query;              /* as it came, without "?" */
	const Headers *headers; /* as they came; NULL: none */
	uint8_t scheme;         /* MatchScheme; any: only routes that do not ask for it */
} RouteAsk;

typedef struct RouteMiss {
	bool method; /* a route would take it with another method: 405 */
	char allow
		[120]; /* of the Allow header, ended by NUL: "GET, HEAD, POST"; cut at a name when it is longer */
} RouteMiss;

/* Patterns must have passed route_path_mistake and route_host_mistake, expressions must be in order; at most GATEWAY_ROUTES.
 * Lives as long as the arena; borrows the rows. */
const RouteTable *route_table_new(Arena *a, const RouteConf *routes, size_t count);
size_t route_table_count(const RouteTable *table);
const Route *route_table_at(const RouteTable *table, size_t index);    /* by Route.index */
const Route *route_table_ranked(const RouteTable *table, size_t rank); /* by Route.rank */

/* NULL when none matches: *miss says why (miss may be NULL). Cost does not depend on the number of routes, but on how many
 * have the same host and path and differ in methods and conditions. Any thread; allocates only to decode a parameter for an
 * expression. */
const Route *route_find(const RouteTable *table, const RouteAsk *ask, RouteMiss *miss);

/* Where a condition stands. */
typedef enum RouteIn { ROUTE_IN_HEADERS, ROUTE_IN_QUERY, ROUTE_IN_COOKIES } RouteIn;

/* Why one route comes before another, in the order that is looked at. */
typedef enum RouteWhy {
	ROUTE_WHY_HOST,
	ROUTE_WHY_PATH,
	ROUTE_WHY_CONDITIONS,
	ROUTE_WHY_FILE
} RouteWhy;

/* One route of a table and one request, each criterion on its own. Goes by the patterns, not by what route_find uses. */
typedef struct RouteFit {
	bool host, path, method, scheme, conditions;
	const ConditionConf *failed; /* the first condition that does not hold */
	RouteIn in;                  /* and where it stands */
} RouteFit;
bool route_fits(const Route *route, const RouteAsk *ask, RouteFit *fit); /* all of them? */
/* Why x comes before y, in the order of precedence. */
RouteWhy route_why(const Route *x, const Route *y);

/* A part of a path that the route takes: a named part ("id"), or a group of an expression by its name or number ("1"). In
 * the form of the canonical path: escapes are left as they are. False when the route has no such part. */
bool route_part(const Route *route, Str path, Str name, Str *value);
/* The name of the number-th part, from 0: "id", or "1" of a group without a name. False when there are fewer. */
bool route_part_name(const Route *route, Arena *a, uint32_t number, Str *name);

/* What is wrong with a pattern, or NULL; of expressions only the form. For ConfVerify and tests. */
const char *route_path_mistake(Str pattern);
const char *route_host_mistake(Str pattern);

/* by[i]: a route that comes before route i and takes everything it could, or -1. Finds routes of the same host and path (or
 * an expression below a prefix) whose conditions take in the other's; not all that could be proved. About O(count). */
void route_shadows(const RouteConf *routes, size_t count, ptrdiff_t *by);

MetricList route_metrics;
