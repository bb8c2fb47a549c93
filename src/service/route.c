/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of a service. Paths are cut into segments once; a request's path is cut and held against the rows, which are ordered so
 * that the first that fits is the most exact: a word before a part in braces, from the left. A service has some dozens of them,
 * so they are just walked: the number of segments and the first different byte turn nearly all away. */
#include "service/route_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* --- building ---------------------------------------------------------------------------------------------------------- */

static Err *bad_path(Arena *a, const ServiceRoute *route, const char *why)
{
	return err_new(a, ERR_INTERNAL, "service.table", "%s %s: %s", route->method, route->path,
	               why);
}

static bool cut_segment(Str text, RouteSegment *out)
{
	ptrdiff_t close = str_find_char(text, '}');

	*out = (RouteSegment){ .text = text };
	if (!text.len || text.at[0] != '{')
		return str_find_char(text, '{') < 0 && close < 0;
	if (close < 2)
		return false;
	out->part = true;
	out->text = str_sub(text, 1, (size_t)close);
	out->tail = str_sub(text, (size_t)close + 1, text.len);
	return str_find_char(out->tail, '{') < 0;
}

static Err *cut_path(Arena *a, const ServiceRoute *route, RouteRow *row)
{
	Str rest = str_of(route->path), text;

	*row = (RouteRow){ .route = route, .method = str_of(route->method) };
	if (!rest.len || rest.at[0] != '/')
		return bad_path(a, route, "a path begins with /");
	rest = str_sub(rest, 1, rest.len);
	while (str_split(&rest, '/', &text)) {
		if (row->count == ROUTE_SEGMENTS)
			return bad_path(a, route, "too many segments");
		if (!cut_segment(text, &row->at[row->count]))
			return bad_path(a, route, "braces are put wrongly");
		row->count++;
	}
	return NULL;
}

static int compare(const void *left, const void *right)
{
	const RouteRow *x = left, *y = right;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	for (size_t i = 0; i < x->count; i++) {
		const RouteSegment *s = &x->at[i], *t = &y->at[i];
		int order;

		if (s->part != t->part)
			return s->part ? 1 : -1;
		if (s->part && s->tail.len != t->tail.len)
			return s->tail.len > t->tail.len ? -1 : 1;
		order = s->part ? str_cmp(s->tail, t->tail) : str_cmp(s->text, t->text);
		if (order)
			return order;
	}
	return str_cmp(x->method, y->method);
}

static Err *check_row(Arena *a, const RouteSet *set, size_t i)
{
	const RouteRow *row = &set->at[i];
	size_t parts = 0;

	if (i && compare(row, row - 1) == 0)
		return bad_path(a, row->route, "there are two of it");
	for (size_t k = 0; k < row->count; k++)
		parts += row->at[k].part;
	if (parts > SERVICE_PARTS)
		return bad_path(a, row->route, "too many parts");
	if (!row->route->run || !row->route->help)
		return bad_path(a, row->route, "it has no handler or no help");
	if (row->route->query)
		TRY(field_table_check_read(a, row->route->query));
	if (row->route->body)
		TRY(field_table_check_read(a, row->route->body));
	return row->route->answer ? field_table_check(a, row->route->answer) : NULL;
}

Err *routes_build(Arena *a, const ServiceRoutes *tables, size_t count, RouteSet **out)
{
	RouteSet *set = ARENA_NEW(a, RouteSet);
	size_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += tables[i].count;
	set->at = ARENA_ARRAY(a, RouteRow, MAX(all, (size_t)1));
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < tables[i].count; k++)
			TRY(cut_path(a, &tables[i].at[k], &set->at[set->count++]));
	qsort(set->at, set->count, sizeof *set->at, compare);
	for (size_t i = 0; i < set->count; i++)
		TRY(check_row(a, set, i));
	*out = set;
	return NULL;
}

/* --- finding ----------------------------------------------------------------------------------------------------------- */

static bool fits(const RouteRow *row, const Str *segments)
{
	for (size_t i = 0; i < row->count; i++) {
		const RouteSegment *s = &row->at[i];

		if (s->part ? segments[i].len <= s->tail.len || !str_ends(segments[i], s->tail)
		            : !str_eq(s->text, segments[i]))
			return false;
	}
	return true;
}

static bool takes(const RouteRow *row, Str method)
{
	return str_eq(row->method, method) ||
	       (str_eq(method, S("HEAD")) && str_eq(row->method, S("GET")));
}

static void take_parts(const RouteRow *row, const Str *segments, ServicePart *parts, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < row->count; i++)
		if (row->at[i].part)
			parts[(*count)++] =
				(ServicePart){ row->at[i].text,
				               str_sub(segments[i], 0,
				                       segments[i].len - row->at[i].tail.len) };
}

static void allow_one(Arena *a, Str *allow, Str method)
{
	Str rest = *allow, one;

	while (str_split(&rest, ',', &one))
		if (str_eq(str_trim(one), method))
			return;
	*allow = allow->len ? str_fmt(a, "%.*s, %.*s", STR_ARG(*allow), STR_ARG(method)) : method;
}

const RouteRow *routes_find(const RouteSet *set, Arena *a, Str method, Str path, ServicePart *parts,
                            size_t *part_count, Str *allow)
{
	Str segments[ROUTE_SEGMENTS], rest = str_sub(path, 1, path.len), text;
	size_t count = 0;

	*allow = (Str){ 0 };
	while (str_split(&rest, '/', &text)) {
		if (count == ROUTE_SEGMENTS)
			return NULL;
		segments[count++] = text;
	}
	for (size_t i = 0; i < set->count; i++) {
		const RouteRow *row = &set->at[i];

		if (row->count != count || !fits(row, segments))
			continue;
		if (takes(row, method)) {
			take_parts(row, segments, parts, part_count);
			return row;
		}
		allow_one(a, allow, row->method);
	}
	return NULL;
}
