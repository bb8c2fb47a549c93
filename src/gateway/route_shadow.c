/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes that can never be taken: another comes first and takes all that they could.
 *
 * What is more special comes first and leaves something, so one that takes all of another has the same host, path and
 * scheme, and conditions that follow from the other's: the same, or "is there" of what the other wants to be something, and
 * methods that hold all of the other's. Expressions go by the file, so there it may also want fewer things; and a prefix before them
 * takes all of an expression that begins below it.
 *
 * Routes are kept by host, path and conditions as one text; for each route the texts of what could take all of it are
 * looked up, a handful, so ten thousand routes of one path that differ in a header cost no more than others. Nothing is
 * proved of what two expressions have in common, nor of one with more than CONDITIONS conditions. */
#include "gateway/route.h"

#include "base/arena.h"
#include "base/map.h"
#include "gateway/route_literal.h"
#include "gateway/route_pattern.h"

#include <stdlib.h>

enum { CONDITIONS = 4 };

typedef enum Weaker { SAME, THERE, DROPPED, WEAKERS } Weaker;

typedef struct Twin Twin;
struct Twin {
	const MatchConf *match;
	size_t index;
	Twin *next;
};

typedef struct Wanted {
	const ConditionConf *conf;
	char in;
} Wanted;

typedef struct Shadows {
	Arena *arena;
	Map twins; /* the first Twin of each text */
	Buf text;
	size_t base; /* so much of it is host and path */
	Wanted wanted[CONDITIONS];
	size_t count;
} Shadows;

/* --- texts ---------------------------------------------------------------------------------------------------------- */

static void put_host(Buf *b, const RoutePattern *p)
{
	buf_putc(b, (char)('0' + p->host_kind));
	if (p->host_kind != ROUTE_HOST_ANY)
		buf_put(b, p->host);
	buf_putc(b, '\n');
}

static void put_path(Buf *b, const RoutePattern *p)
{
	Str rest = str_sub(p->path, 1, p->path.len), segment;

	buf_putc(b, (char)('0' + p->path_kind));
	if (p->path_kind == ROUTE_PATH_REGEX || !p->named) {
		buf_put(b, p->path);
		return;
	}
	while (str_split(&rest, '/', &segment)) {
		buf_putc(b, '/');
		buf_put(b, route_is_named(segment) ? S("{}") : segment);
	}
}

static void put_scheme(Buf *b, const MatchConf *match)
{
	buf_putc(b, '\n');
	buf_putc(b, (char)('0' + match->scheme));
}

static int by_name(const void *x, const void *y)
{
	const Wanted *one = x, *two = y;

	return one->in != two->in ? one->in - two->in : str_cmp(one->conf->name, two->conf->name);
}

static bool want(Shadows *s, const ConditionConf *conf, size_t count, char in)
{
	for (size_t i = 0; i < count; i++) {
		if (s->count == CONDITIONS)
			return false;
		s->wanted[s->count++] = (Wanted){ &conf[i], in };
	}
	return true;
}

/* False: there are too many. */
static bool take_conditions(Shadows *s, const MatchConf *match)
{
	s->count = 0;
	if (!want(s, match->headers.at, match->headers.count, 'h') ||
	    !want(s, match->query.at, match->query.count, 'q') ||
	    !want(s, match->cookies.at, match->cookies.count, 'c'))
		return false;
	qsort(s->wanted, s->count, sizeof *s->wanted, by_name);
	return true;
}

static void put_condition(Shadows *s, const Wanted *w, Weaker weaker)
{
	const ConditionConf *conf = w->conf;
	Str name = w->in == 'h' ? str_lower(s->arena, conf->name) : conf->name;
	bool there = weaker == THERE || (conf->has_is && str_eq(conf->is, S("*")));

	buf_fmt(&s->text, "\n%c%.*s", w->in, STR_ARG(name));
	if (conf->absent)
		buf_putc(&s->text, '!');
	else if (there)
		buf_putc(&s->text, '*');
	else
		buf_fmt(&s->text, "%c%.*s", conf->has_is ? '=' : '~',
		        STR_ARG(conf->has_is ? conf->is : conf->pattern));
}

/* Host and path are in the text; how much weaker each condition is, is a digit of `how`. */
static Str whole_text(Shadows *s, bool methods, size_t how)
{
	s->text.len = s->base;
	buf_put(&s->text, methods ? S("\nm") : S("\n"));
	for (size_t i = 0; i < s->count; i++, how /= WEAKERS)
		if (how % WEAKERS != DROPPED)
			put_condition(s, &s->wanted[i], (Weaker)(how % WEAKERS));
	return buf_str(&s->text);
}

/* --- looking -------------------------------------------------------------------------------------------------------- */

static bool takes_methods_of(const MatchConf *x, const MatchConf *y)
{
	for (size_t i = 0; i < y->methods.count; i++)
		if (!route_takes_method(x, y->methods.at[i]))
			return false;
	return y->methods.count > 0 || x->methods.count == 0;
}

static ptrdiff_t find_twin(const Shadows *s, Str text, const MatchConf *match)
{
	for (const Twin *t = map_get(&s->twins, text); t; t = t->next)
		if (takes_methods_of(t->match, match))
			return (ptrdiff_t)t->index;
	return -1;
}

/* drop: may it want fewer things? */
static ptrdiff_t find_cover(Shadows *s, const MatchConf *match, bool drop)
{
	bool methods = match->methods.count > 0;
	size_t ways = 1;

	for (size_t i = 0; i < s->count; i++)
		ways *= WEAKERS;
	for (size_t how = 0; how < ways; how++) {
		bool dropped = false;
		ptrdiff_t by;

		for (size_t i = 0, rest = how; i < s->count; i++, rest /= WEAKERS)
			dropped = dropped || rest % WEAKERS == DROPPED;
		if (dropped && !drop)
			continue;
		by = find_twin(s, whole_text(s, methods, how), match);
		if (by < 0 && drop && methods)
			by = find_twin(s, whole_text(s, false, how), match);
		if (by >= 0)
			return by;
	}
	return -1;
}

static void keep(Shadows *s, const MatchConf *match, size_t index)
{
	Str text = str_dup(s->arena, whole_text(s, match->methods.count > 0, 0));
	Twin *twin = ARENA_NEW(s->arena, Twin);
	Twin *first = map_get(&s->twins, text);

	*twin = (Twin){ match, index, NULL };
	if (first) {
		twin->next = first->next;
		first->next = twin;
	} else {
		map_put(&s->twins, text, twin);
	}
}

static ptrdiff_t shadow_of_twin(Shadows *s, const MatchConf *match, size_t index)
{
	RoutePattern p = route_pattern(match);
	ptrdiff_t by;

	buf_clear(&s->text);
	put_host(&s->text, &p);
	put_path(&s->text, &p);
	put_scheme(&s->text, match);
	s->base = s->text.len;
	if (!take_conditions(s, match))
		return -1;
	by = find_cover(s, match, p.path_kind == ROUTE_PATH_REGEX);
	if (by < 0)
		keep(s, match, index);
	return by;
}

/* Prefixes that take all that begins as the expression does. */
static ptrdiff_t shadow_of_prefix(Shadows *s, const MatchConf *match)
{
	RoutePattern p = route_pattern(match);
	Str start = route_literal_start(s->arena, p.path);
	RoutePattern prefix = { .path_kind = ROUTE_PATH_PREFIX };
	ptrdiff_t by = -1;

	if (!take_conditions(s, match))
		return -1;
	for (size_t i = start.len; i-- > 1 && by < 0;) {
		if (start.at[i] != '/')
			continue;
		prefix.path = str_sub(start, 0, i);
		buf_clear(&s->text);
		put_host(&s->text, &p);
		put_path(&s->text, &prefix);
		put_scheme(&s->text, match);
		s->base = s->text.len;
		by = find_cover(s, match, true);
	}
	return by;
}

static void shadows_fini(Shadows *s)
{
	map_fini(&s->twins);
	buf_fini(&s->text);
	arena_free(s->arena);
}

void route_shadows(const RouteConf *routes, size_t count, ptrdiff_t *by)
{
	AUTO(shadows_fini) Shadows s = { .arena = arena_new(0) };
	Str expression;

	for (size_t i = 0; i < count; i++)
		by[i] = shadow_of_twin(&s, &routes[i].match, i);
	for (size_t i = 0; i < count; i++)
		if (by[i] < 0 && route_is_expression(routes[i].match.path, &expression))
			by[i] = shadow_of_prefix(&s, &routes[i].match);
}
