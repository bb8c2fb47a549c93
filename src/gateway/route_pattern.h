/* SPDX-License-Identifier: Apache-2.0
 *
 * One route's pattern: taken apart, compared, matched on its own. Views into the configuration's text; nothing allocates. */
#pragma once
#include "gateway/route.h"

enum { ROUTE_SEGMENTS = 32 };

typedef enum RouteHostKind { ROUTE_HOST_EXACT, ROUTE_HOST_BELOW, ROUTE_HOST_ANY } RouteHostKind;
typedef enum RoutePathKind {
	ROUTE_PATH_EXACT,
	ROUTE_PATH_NAMED,
	ROUTE_PATH_PREFIX,
	ROUTE_PATH_REGEX,
	ROUTE_PATH_ANY
} RoutePathKind;

typedef struct RoutePattern {
	RouteHostKind host_kind;
	RoutePathKind path_kind;
	Str host; /* BELOW: ".example.org" */
	Str path; /* PREFIX: without the slash and the stars; ANY: empty; REGEX: the expression */
	uint32_t segments;
	uint32_t named; /* a bit a segment, the leftmost highest: is it a named part? */
	uint32_t
		conditions; /* headers, parameters and cookies that it names, one more for methods, one for the scheme */
} RoutePattern;

RoutePattern route_pattern(const MatchConf *match); /* of one without mistakes */
/* Negative: x comes first. 0: the file decides. Consistent over all patterns, those too that never meet. */
int route_compare(const RoutePattern *x, const RoutePattern *y, RouteWhy *why);
bool route_takes_host(const RoutePattern *p, Str host);
bool route_takes_path(const RoutePattern *p, Str path); /* not of a REGEX */
bool route_takes_method(const MatchConf *match, Str method);
bool route_takes_scheme(const MatchConf *match, uint8_t scheme); /* MatchScheme */

/* The segments of a path without its first slash: `Str rest = str_sub(path, 1, path.len); while (str_split(&rest, '/', &segment))`. */
bool route_is_named(Str segment); /* "{id}" */
/* "~ EXPRESSION": what stands after the sign; false: it is another pattern. */
bool route_is_expression(Str path, Str *expression);
