/* SPDX-License-Identifier: Apache-2.0
 *
 * Which route takes a request, each of its criteria, and why the others do not: each route is asked on its own, in the order
 * of precedence (route_fits), so what is said here does not come from what route_find goes by. Routes that fail in one
 * criterion alone came near; of those that fail in the path, only paths that look like a slip. */
#include "gateway/explain_int.h"

#include "base/arena.h"
#include "gateway/route_pattern.h"
#include "http/cookie.h"
#include "http/url.h"

static const char *const places[] = {
	[ROUTE_IN_HEADERS] = "header",
	[ROUTE_IN_QUERY] = "parameter",
	[ROUTE_IN_COOKIES] = "cookie",
};

/* --- patterns in words ---------------------------------------------------------------------------------------------- */

static void put_condition(Buf *b, const ConditionConf *c, RouteIn in)
{
	buf_fmt(b, "%s %.*s", places[in], STR_ARG(c->name));
	if (c->absent)
		buf_put(b, S(" absent"));
	else if (c->has_pattern)
		buf_fmt(b, " ~ %.*s", STR_ARG(c->pattern));
	else if (!str_eq(c->is, S("*")))
		buf_fmt(b, " = %.*s", STR_ARG(c->is));
}

typedef void EachCondition(void *arg, const ConditionConf *c, RouteIn in);

static void each_condition(const MatchConf *match, EachCondition *fn, void *arg)
{
	for (size_t i = 0; i < match->headers.count; i++)
		fn(arg, &match->headers.at[i], ROUTE_IN_HEADERS);
	for (size_t i = 0; i < match->cookies.count; i++)
		fn(arg, &match->cookies.at[i], ROUTE_IN_COOKIES);
	for (size_t i = 0; i < match->query.count; i++)
		fn(arg, &match->query.at[i], ROUTE_IN_QUERY);
}

static void put_next(void *arg, const ConditionConf *c, RouteIn in)
{
	buf_put(arg, S(", "));
	put_condition(arg, c, in);
}

static void put_methods(Buf *b, const MatchConf *match)
{
	for (size_t i = 0; i < match->methods.count; i++)
		buf_fmt(b, "%s%.*s", i ? " " : "", STR_ARG(match->methods.at[i]));
}

static Str pattern_text(Arena *a, const MatchConf *match)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (route_pattern(match).host_kind != ROUTE_HOST_ANY)
		buf_fmt(&b, "%.*s", STR_ARG(match->host));
	buf_fmt(&b, "%s%.*s", b.len ? " " : "", STR_ARG(match->path));
	if (match->methods.count)
		buf_put(&b, S(", "));
	put_methods(&b, match);
	if (match->scheme != MATCH_ANY_SCHEME)
		buf_put(&b, match->scheme == MATCH_HTTPS ? S(", https") : S(", http"));
	each_condition(match, put_next, &b);
	return str_dup(a, buf_str(&b));
}

/* --- verdicts ------------------------------------------------------------------------------------------------------- */

static Str found_text(const Explain *e, const ConditionConf *c, RouteIn in, bool *there)
{
	const Headers *headers = e->ask.headers;
	CookieAt at = { 0 };
	Str value = { 0 };

	if (in == ROUTE_IN_QUERY)
		*there = url_query_get(e->ask.query, c->name, &value);
	else if (in == ROUTE_IN_COOKIES)
		*there = http_cookie_next(headers, c->name, &at, &value);
	else
		value = headers_get_name(headers, c->name), *there = value.at != NULL;
	return value;
}

static Str why_condition(const Explain *e, const RouteFit *fit)
{
	AUTO(buf_fini) Buf b = { 0 };
	bool there = false;
	Str value = found_text(e, fit->failed, fit->in, &there);

	buf_put(&b, S("it wants "));
	put_condition(&b, fit->failed, fit->in);
	if (there)
		buf_fmt(&b, ", and there is %.*s", STR_ARG(str_quote(e->arena, value)));
	else
		buf_put(&b, S(", and there is none"));
	return str_dup(e->arena, buf_str(&b));
}

/* "/dir" for "/dir/", "/api/user" for "/api/users". */
static bool is_slip(const MatchConf *match, Str path)
{
	RoutePattern p = route_pattern(match);
	Str want = str_sub(p.path, 1, p.path.len), got = str_sub(path, 1, path.len), part;
	Str segment = { 0 };
	size_t wrong = 0;

	if (p.path_kind == ROUTE_PATH_REGEX || p.path_kind == ROUTE_PATH_ANY)
		return false;
	while (str_split(&want, '/', &part)) {
		if (!str_split(&got, '/', &segment))
			return !part.len && !wrong;
		if (route_is_named(part) ? segment.len > 0 : str_eq(part, segment))
			continue;
		if (wrong++ || !str_nearest(segment, &part, 1).len)
			return false;
	}
	if (got.at && p.path_kind != ROUTE_PATH_PREFIX)
		return !got.len && !wrong;
	return wrong == 1;
}

/* Empty: it does not come near. */
static Str why_not(const Explain *e, const Route *r, const RouteFit *fit)
{
	const MatchConf *match = &r->conf->match;
	int failed = !fit->host + !fit->path + !fit->method + !fit->scheme + !fit->conditions;

	if (failed != 1)
		return S("");
	if (!fit->host)
		return S("it is for another host");
	if (!fit->method)
		return S("it does not take the method");
	if (!fit->scheme)
		return match->scheme == MATCH_HTTPS ? S("it is for https") : S("it is for http");
	if (!fit->conditions)
		return why_condition(e, fit);
	return is_slip(match, e->ask.path) ? S("its path is nearly the same") : S("");
}

static Str why_later(const Route *winner, const Route *r)
{
	static const Str reasons[] = {
		[ROUTE_WHY_HOST] = S("comes later, its host is less exact"),
		[ROUTE_WHY_PATH] = S("comes later, its path is less exact"),
		[ROUTE_WHY_CONDITIONS] = S("comes later, it wants fewer things"),
		[ROUTE_WHY_FILE] = S("comes later in the file"),
	};

	return reasons[route_why(winner, r)];
}

static void add_verdict(Explain *e, const Route *r, const char *fate, Str why)
{
	e->verdicts[e->verdict_count++] =
		(Verdict){ r, fate, pattern_text(e->arena, &r->conf->match), why };
}

static void judge_all(Explain *e)
{
	const RouteTable *t = e->table;
	const Route *winner = e->winner;

	e->verdicts = ARENA_ARRAY(e->arena, Verdict, EXPLAIN_LISTED * 2 + 1);
	for (size_t i = 0; i < route_table_count(t); i++) {
		const Route *r = route_table_ranked(t, i);
		RouteFit fit;
		Str why;

		if (route_fits(r, &e->ask, &fit)) {
			if (r == winner)
				add_verdict(e, r, "taken", S(""));
			else if (e->also++ < EXPLAIN_LISTED)
				add_verdict(e, r, "also", why_later(winner, r));
			continue;
		}
		why = why_not(e, r, &fit);
		if (why.len && e->not ++ < EXPLAIN_LISTED)
			add_verdict(e, r, "not", why);
	}
}

/* --- the winner ----------------------------------------------------------------------------------------------------- */

static void tell_host(Explain *e, const MatchConf *match)
{
	static const char *const kinds[] = {
		[ROUTE_HOST_EXACT] = "this very name",
		[ROUTE_HOST_BELOW] = "a name below it",
	};
	RouteHostKind kind = route_pattern(match).host_kind;

	if (kind == ROUTE_HOST_ANY)
		explain_fact(e, "host", S("any"));
	else
		explain_fmt(e, "host", "%.*s: %s", STR_ARG(match->host), kinds[kind]);
}

static void tell_path(Explain *e, const MatchConf *match)
{
	static const char *const kinds[] = {
		[ROUTE_PATH_EXACT] = "this very path",
		[ROUTE_PATH_NAMED] = "with named parts",
		[ROUTE_PATH_PREFIX] = "it and all below",
		[ROUTE_PATH_REGEX] = "an expression",
		[ROUTE_PATH_ANY] = "any path",
	};

	explain_fmt(e, "path", "%.*s: %s", STR_ARG(match->path),
	            kinds[route_pattern(match).path_kind]);
}

static void tell_condition(void *arg, const ConditionConf *c, RouteIn in)
{
	AUTO(buf_fini) Buf b = { 0 };
	Explain *e = arg;

	put_condition(&b, c, in);
	explain_item(e, "conditions", str_dup(e->arena, buf_str(&b)));
}

static void tell_parts(Explain *e, const Route *r)
{
	Str name, value;

	for (uint32_t i = 0; route_part_name(r, e->arena, i, &name); i++)
		if (route_part(r, e->ask.path, name, &value))
			explain_item(e, "parts",
			             str_fmt(e->arena, "{%.*s} = %.*s", STR_ARG(name),
			                     STR_ARG(value)));
}

static void tell_winner(Explain *e, const Route *r)
{
	const MatchConf *match = &r->conf->match;
	AUTO(buf_fini) Buf methods = { 0 };

	put_methods(&methods, match);
	explain_fact(e, "name", r->conf->name);
	explain_fact(e, "where", conf_where(e->conf, r->conf));
	tell_host(e, match);
	tell_path(e, match);
	explain_fact(e, "methods",
	             match->methods.count ? str_dup(e->arena, buf_str(&methods)) : S("any"));
	if (match->scheme != MATCH_ANY_SCHEME)
		explain_fact(e, "scheme", match->scheme == MATCH_HTTPS ? S("https") : S("http"));
	each_condition(match, tell_condition, e);
	tell_parts(e, r);
}

void explain_route(Explain *e)
{
	explain_begin(e, "route");
	if (e->own) {
		explain_fact(e, "name", S("none: 204, the gateway answers it itself"));
		return;
	}
	judge_all(e);
	if (e->winner)
		tell_winner(e, e->winner);
	else if (e->miss.method)
		explain_fmt(e, "name", "none: 405 (gateway.method), Allow: %s", e->miss.allow);
	else
		explain_fact(e, "name", S("none: 404 (gateway.no_route)"));
}
