/* SPDX-License-Identifier: Apache-2.0
 *
 * The route table against asking every pattern on its own.
 *
 * Input: lines "HOST PATH METHOD..." that are routes (those with mistakes are left out), an empty line, then lines
 * "HOST PATH METHOD" that are requests. Held: the table finds what the order of precedence says; a route that is said to
 * be shadowed is never found; a miss says 405 exactly when another method would have been taken. */
#include "base/arena.h"
#include "gateway/route.h"
#include "gateway/route_pattern.h"

#include <stdlib.h>

enum { ROUTES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The configuration lets only tokens pass. */
static bool is_method(Str word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] < 'A' || word.at[i] > 'Z')
			return false;
	return word.len > 0 && word.len < 20;
}

static size_t read_routes(Arena *a, Str *rest, RouteConf *routes)
{
	size_t count = 0;
	Str line;

	while (str_split(rest, '\n', &line) && line.len) {
		RouteConf r = { 0 };
		Str word;

		if (count == ROUTES_MAX || !str_split(&line, ' ', &r.match.host) ||
		    !str_split(&line, ' ', &r.match.path) || route_host_mistake(r.match.host) ||
		    route_path_mistake(r.match.path))
			continue;
		r.match.methods.at = ARENA_ARRAY(a, Str, 4);
		while (r.match.methods.count < 4 && str_split(&line, ' ', &word))
			if (is_method(word))
				r.match.methods.at[r.match.methods.count++] = word;
		routes[count++] = r;
	}
	return count;
}

static ptrdiff_t reference(const RouteConf *routes, size_t count, Str host, Str path, Str method,
                           bool *other_method)
{
	ptrdiff_t best = -1;

	for (size_t i = 0; i < count; i++) {
		RoutePattern p = route_pattern(&routes[i].match), winner;
		RouteWhy why;

		if (!route_takes_host(&p, host) || !route_takes_path(&p, path))
			continue;
		if (!route_takes_method(&routes[i].match, method)) {
			*other_method = true;
			continue;
		}
		if (best >= 0)
			winner = route_pattern(&routes[best].match);
		if (best < 0 || route_compare(&p, &winner, &why) < 0)
			best = (ptrdiff_t)i;
	}
	return best;
}

static void ask(const RouteTable *t, const RouteConf *routes, size_t count, const ptrdiff_t *by,
                Str line)
{
	Str host = { 0 }, path = { 0 }, method = { 0 };
	bool other_method = false;
	const Route *got;
	ptrdiff_t want;
	RouteMiss miss;

	str_split(&line, ' ', &host);
	str_split(&line, ' ', &path);
	str_split(&line, ' ', &method);
	want = reference(routes, count, host, path, method, &other_method);
	got = route_find(t, host, path, method, &miss);
	if ((got ? (ptrdiff_t)got->index : -1) != want || (got && by[got->index] >= 0))
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
	count = read_routes(a, &rest, routes);
	t = route_table_new(a, routes, count);
	route_shadows(routes, count, by);
	while (str_split(&rest, '\n', &line))
		ask(t, routes, count, by, line);
	return 0;
}
