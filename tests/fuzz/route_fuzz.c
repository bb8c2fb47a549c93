/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table against asking every route on its own.
 *
 * Input: lines of route_lines.h that are routes (those with mistakes are left out), an empty line, then lines that are
 * requests. Held: the ranks follow the order of precedence; the table finds the first route in that order that fits; a
 * route that is said to be shadowed is never found; a miss says 405 exactly when another method would have been taken. */
#include "gateway/route_lines.h"

#include "base/log.h"

#include <stdlib.h>

enum { ROUTES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_routes(Arena *a, Str *rest, RouteConf *routes)
{
	size_t count = 0;
	Str line;

	while (str_split(rest, '\n', &line) && line.len)
		if (count < ROUTES_MAX && route_line_read(a, line, &routes[count]))
			count++;
	return count;
}

static void check_ranks(const RouteTable *t)
{
	for (size_t i = 1; i < route_table_count(t); i++) {
		const Route *x = route_table_ranked(t, i - 1), *y = route_table_ranked(t, i);
		RoutePattern one = route_pattern(&x->conf->match),
			     two = route_pattern(&y->conf->match);
		RouteWhy why;
		int order = route_compare(&one, &two, &why);

		if (order > 0 || (order == 0 && x->index > y->index))
			abort();
	}
}

static void ask(Arena *a, const RouteTable *t, const ptrdiff_t *by, Str line)
{
	RouteAsk q = route_line_ask(a, line);
	const Route *got, *want = NULL;
	bool other_method = false;
	RouteMiss miss;

	for (size_t i = 0; i < route_table_count(t) && !want; i++) {
		const Route *r = route_table_ranked(t, i);
		RouteFit fit;

		if (route_fits(r, &q, &fit))
			want = r;
		other_method = other_method || (fit.host && fit.path && fit.conditions);
	}
	got = route_find(t, &q, &miss);
	if (got != want || (got && by[got->index] >= 0))
		abort();
	if (miss.method != (!got && other_method) || (miss.method && !miss.allow[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	RouteConf routes[ROUTES_MAX];
	ptrdiff_t by[ROUTES_MAX];
	Str rest = { (const char *)data, size }, line;
	size_t count;
	const RouteTable *t;

	if (size > 8192 || !size)
		return 0;
	log_setup(LOG_NONE, LOG_AUTO);
	count = read_routes(a, &rest, routes);
	t = route_table_new(a, routes, count);
	check_ranks(t);
	route_shadows(routes, count, by);
	while (str_split(&rest, '\n', &line))
		ask(a, t, by, line);
	return 0;
}
