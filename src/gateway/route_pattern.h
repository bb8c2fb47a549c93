/* SPDX-License-Identifier: Apache-2.0
 *
 * One route's pattern: taken apart, compared, matched on its own. Views into the configuration's text; nothing allocates. */
#pragma once
#include "gateway/conf.h"

enum { ROUTE_SEGMENTS = 32 };

typedef enum RouteHostKind { ROUTE_HOST_EXACT, ROUTE_HOST_BELOW, ROUTE_HOST_ANY } RouteHostKind;
typedef enum RoutePathKind { ROUTE_PATH_EXACT, ROUTE_PATH_NAMED, ROUTE_PATH_PREFIX } RoutePathKind;

typedef struct RoutePattern {
	RouteHostKind host_kind;
	RoutePathKind path_kind;
	Str host; /* BELOW: ".example.org" */
	Str path; /* PREFIX: without the slash and the stars; may be empty then */
	uint32_t segments;
	uint32_t named; /* a bit a segment, the leftmost highest: is it a named part? */
	bool methods;   /* does it name any? */
} RoutePattern;

/* Why one route comes before another, in the order that is looked at. */
typedef enum RouteWhy {
	ROUTE_WHY_HOST,
	ROUTE_WHY_PATH,
	ROUTE_WHY_METHODS,
	ROUTE_WHY_FILE
} RouteWhy;

RoutePattern route_pattern(const MatchConf *match); /* of one without mistakes */
/* Negative: x comes first. 0: the file decides. Consistent over all patterns, those too that never meet. */
int route_compare(const RoutePattern *x, const RoutePattern *y, RouteWhy *why);
bool route_takes_host(const RoutePattern *p, Str host);
bool route_takes_path(const RoutePattern *p, Str path);
bool route_takes_method(const MatchConf *match, Str method);

/* The segments of a path without its first slash: `Str rest = str_sub(path, 1, path.len); while (str_split(&rest, '/', &segment))`. */
bool route_is_named(Str segment); /* "{id}" */
