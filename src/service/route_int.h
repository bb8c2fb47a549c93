/* SPDX-License-Identifier: Apache-2.0
 *
 * Which route takes a request: the paths of a service's tables, most exact first. Pure. */
#pragma once
#include "service/service.h"

enum { ROUTE_SEGMENTS = 12 };

typedef struct RouteSegment {
	Str text; /* of a part in braces: its name */
	Str tail; /* what stands behind the brace: "{id}:suspend" */
	bool part;
} RouteSegment;

typedef struct RouteRow {
	const ServiceRoute *route;
	Str method;
	RouteSegment at[ROUTE_SEGMENTS];
	size_t count;
} RouteRow;

typedef struct RouteSet {
	RouteRow *at;
	size_t count;
} RouteSet;

/* Fails with INTERNAL "service.table": a path that is none, a part twice, two routes that are the same. */
Err *routes_build(Arena *a, const ServiceRoutes *tables, size_t count, RouteSet **out) MUST_USE;
/* The row that takes it; NULL: none, and then *allow are the methods that the path has (in the arena; empty: no such path).
 * parts: SERVICE_PARTS of them, still encoded, views into the path. */
const RouteRow *routes_find(const RouteSet *set, Arena *a, Str method, Str path, ServicePart *parts,
                            size_t *part_count, Str *allow);
