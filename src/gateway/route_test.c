/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route.c"
#include "base/rand.h"
#include "unit.h"

#include <stdio.h>

enum { ROUTES_MAX = 40 };

typedef struct Made {
	RouteConf routes[ROUTES_MAX];
	size_t count;
} Made;

/* "NAME HOST PATH METHOD METHOD...", a line a route. */
static Made *made(Arena *a, const char *text)
{
	Made *m = ARENA_NEW(a, Made);
	Str rest = str_of(text), line, word;

	while (str_split(&rest, '\n', &line)) {
		RouteConf *r = &m->routes[m->count];

		if (!line.len)
			continue;
		CHECK(str_split(&line, ' ', &r->name) && str_split(&line, ' ', &r->match.host) &&
		      str_split(&line, ' ', &r->match.path));
		r->match.methods.at = ARENA_ARRAY(a, Str, 8);
		while (str_split(&line, ' ', &word))
			r->match.methods.at[r->match.methods.count++] = word;
		CHECK_NULL(route_path_mistake(r->match.path));
		CHECK_NULL(route_host_mistake(r->match.host));
		m->count++;
	}
	return m;
}

static const char shop[] = "any * /**\n"
			   "api * /api/**\n"
			   "api2 * /api/v2/**\n"
			   "me * /users/me\n"
			   "user * /users/{id}\n"
			   "orders * /users/{id}/orders/**\n"
			   "new-order * /orders POST\n"
			   "order-list * /orders GET\n"
			   "one-or-other * /{a}/x\n"
			   "other-or-one * /y/{b}\n"
			   "below *.example.org /**\n"
			   "deeper *.shop.example.org /**\n"
			   "exact www.shop.example.org /only\n"
			   "slash * /dir/\n"
			   "v6 [::1] /**\n"
			   "late-any * /**\n"
			   "early-get * /same GET\n"
			   "late-all * /same\n";

TEST(precedence_rule_by_rule)
{
	static const struct {
		const char *host, *path, *method, *want; /* want NULL: none */
	} cases[] = {
		{ "h", "/", "GET", "any" },
		{ "", "/x", "GET", "any" },
		{ "h", "/api", "GET", "api" }, /* the prefix itself */
		{ "h", "/api/", "GET", "api" },
		{ "h", "/api/v2", "GET", "api2" }, /* the longest prefix */
		{ "h", "/api/v2/x/y", "GET", "api2" },
		{ "h", "/api/v22", "GET", "api" }, /* whole segments only */
		{ "h", "/apix", "GET", "any" },
		{ "h", "/users/me", "GET", "me" },  /* exact before named */
		{ "h", "/users/7", "GET", "user" }, /* named before prefix */
		{ "h", "/users/", "GET", "any" },   /* a named part is not empty */
		{ "h", "/users/7/", "GET", "any" },
		{ "h", "/users/7/orders", "GET", "orders" },
		{ "h", "/users/7/orders/9", "GET", "orders" },
		{ "h", "/users/me/orders", "GET",
		  "orders" },                           /* back from the literal to the part */
		{ "h", "/y/x", "GET", "other-or-one" }, /* leftmost literal first */
		{ "h", "/z/x", "GET", "one-or-other" },
		{ "h", "/dir/", "GET", "slash" },
		{ "h", "/dir", "GET", "any" },
		{ "h", "/orders", "POST", "new-order" },
		{ "h", "/orders", "GET", "order-list" },
		{ "h", "/orders", "HEAD", "order-list" }, /* GET takes HEAD too */
		{ "h", "/orders", "DELETE", "any" },
		{ "h", "/same", "GET", "early-get" }, /* methods before none */
		{ "h", "/same", "PUT", "late-all" },
		{ "example.org", "/users/me", "GET",
		  "me" }, /* the wildcard is not the name itself */
		{ "a.example.org", "/users/me", "GET", "below" }, /* host before path */
		{ "a.b.example.org", "/", "GET", "below" },
		{ "a.shop.example.org", "/", "GET", "deeper" }, /* longest suffix */
		{ "www.shop.example.org", "/only", "GET", "exact" },
		{ "www.shop.example.org", "/else", "GET",
		  "deeper" }, /* exact host without such a path: on to the next */
		{ "www.shop.example.org.", "/only", "GET", "exact" }, /* the root's dot */
		{ "xexample.org", "/", "GET", "any" },
		{ ".example.org", "/", "GET", "any" },
		{ "[::1]", "/", "GET", "v6" },
		{ "h", "*", "OPTIONS", NULL }, /* no path at all */
		{ "h", "", "GET", NULL },
	};
	const Made *m = made(a, shop);
	const RouteTable *t = route_table_new(a, m->routes, m->count);

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Route *got = route_find(t, str_of(cases[i].host), str_of(cases[i].path),
		                              str_of(cases[i].method), NULL);

		NOTE("%s %s %s", cases[i].method, cases[i].host, cases[i].path);
		CHECK_STR(got ? got->conf->name : S("none"),
		          str_of(cases[i].want ? cases[i].want : "none"));
	}
	for (size_t i = 0; i < m->count; i++)
		CHECK(route_table_at(t, i)->conf == &m->routes[i] &&
		      route_table_at(t, i)->index == i);
	CHECK_NULL(route_table_at(t, m->count));
	CHECK_INT(route_table_count(t), m->count);
}

TEST(a_known_path_with_an_unknown_method_names_those_allowed)
{
	static const struct {
		const char *host, *path, *method, *allow; /* NULL: the path is not known */
	} cases[] = {
		{ "h", "/a", "PUT", "POST, GET, HEAD, DELETE" },
		{ "h", "/a", "get", "POST, GET, HEAD, DELETE" }, /* methods have case */
		{ "h", "/b", "GET", NULL },
		{ "x.org", "/a", "PATCH", "PURGE, POST, GET, HEAD, DELETE" },
	};
	const Made *m = made(a, "one * /a POST GET\ntwo * /a GET DELETE\nthree x.org /{p} PURGE\n");
	const RouteTable *t = route_table_new(a, m->routes, m->count);
	RouteMiss miss;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_NULL(route_find(t, str_of(cases[i].host), str_of(cases[i].path),
		                      str_of(cases[i].method), &miss));
		CHECK_INT(miss.method, cases[i].allow != NULL);
		CHECK_STR(str_of(miss.allow), str_of(cases[i].allow ? cases[i].allow : ""));
	}
}

TEST(an_allow_list_that_is_too_long_ends_at_a_name)
{
	Buf b = { 0 };
	RouteMiss miss;
	const Made *m;
	Str rest, one;

	for (int i = 0; i < 30; i++)
		buf_fmt(&b, "r%d * /a METHOD%d\n", i, i);
	buf_putc(&b, 0);
	m = made(a, b.at);
	CHECK_NULL(route_find(route_table_new(a, m->routes, m->count), S("h"), S("/a"), S("GET"),
	                      &miss));
	rest = str_of(miss.allow);
	CHECK(rest.len < sizeof miss.allow && rest.len > 90);
	for (int i = 0; str_split(&rest, ',', &one); i++)
		CHECK_STR(str_trim(one), str_fmt(a, "METHOD%d", i));
	buf_fini(&b);
}

TEST(named_parts_have_values)
{
	const Made *m = made(a, "r * /users/{id}/orders/{order}/**\n");
	const Route *r = route_table_at(route_table_new(a, m->routes, m->count), 0);
	Str value = S("");

	CHECK(route_part(r, S("/users/7/orders/9/x/y"), S("id"), &value));
	CHECK_STR(value, S("7"));
	CHECK(route_part(r, S("/users/7/orders/9"), S("order"), &value));
	CHECK_STR(value, S("9"));
	CHECK(!route_part(r, S("/users/7/orders/9"), S("users"), &value));
}

TEST(explains_who_wins_and_why_the_others_do_not)
{
	const Made *m = made(
		a,
		"all * /**\nusers * /users/{id} GET\nme * /users/{x}\nhost x.org /users/me POST\n"
		"last * /users/{y}\nput * /users/me PUT\n");
	const RouteTable *t = route_table_new(a, m->routes, m->count);

	CHECK_STR(route_explain(t, a, S("h"), S("/users/me"), S("GET")),
	          S("not: put (any host, /users/me, PUT): it does not take the method\n"
	            "taken: users (any host, /users/{id}, GET)\n"
	            "also fits: me (any host, /users/{x}): comes later, it names no methods\n"
	            "also fits: last (any host, /users/{y}): comes later, it names no methods\n"
	            "also fits: all (any host, /**): comes later, its path is less exact\n"));
	CHECK_STR(
		route_explain(t, a, S("h"), S("/users/me"), S("POST")),
		S("not: host (x.org, /users/me, POST): it is for another host\n"
	          "not: put (any host, /users/me, PUT): it does not take the method\n"
	          "not: users (any host, /users/{id}, GET): it does not take the method\n"
	          "taken: me (any host, /users/{x})\n"
	          "also fits: last (any host, /users/{y}): comes later, it stands later in the file\n"
	          "also fits: all (any host, /**): comes later, its path is less exact\n"));
	CHECK_STR(route_explain(route_table_new(a, NULL, 0), a, S("h"), S("/"), S("GET")),
	          S("no route takes it\n"));
}

TEST(patterns_that_could_never_match_are_mistakes)
{
	static const struct {
		const char *path, *want; /* NULL: in order */
	} cases[] = {
		{ "/", NULL },
		{ "/**", NULL },
		{ "/a/**", NULL },
		{ "/a/", NULL },
		{ "/a/{id}/", NULL },
		{ "/{a_1}/{b}/**", NULL },
		{ "/a%20b/~x/@:!$&'()+,;=", NULL },
		{ "/caf%C3%A9", NULL },
		{ "", "begin" },
		{ "a", "begin" },
		{ "**", "begin" },
		{ "/a//b", "merged" },
		{ "//", "merged" },
		{ "/a//**", "merged" },
		{ "/*", "stars" },
		{ "/a**", "stars" },
		{ "/a/**/b", "stars" },
		{ "/a/*/b", "stars" },
		{ "/x{id}", "fills" },
		{ "/{id}x", "fills" },
		{ "/{}", "fills" },
		{ "/{i d}", "name" },
		{ "/{a}/{a}", "same name" },
		{ "/{a{b}}", "name" },
		{ "/a?b", "query" },
		{ "/a#b", "query" },
		{ "/a b", "escaped" },
		{ "/a\"b", "escaped" },
		{ "/caf\xc3\xa9", "escaped" },
		{ "/%c3%a9", "upper" },
		{ "/%4", "upper" },
		{ "/%", "upper" },
		{ "/%4G", "upper" },
		{ "/%41", "as they are" },
		{ "/a/../b", "resolved" },
		{ "/.", "resolved" },
		{ "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/33",
		  "32" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = route_path_mistake(str_of(cases[i].path));

		NOTE("%s: %s", cases[i].path, got ? got : "in order");
		CHECK(cases[i].want ? got && strstr(got, cases[i].want) : !got);
	}
}

TEST(hosts_that_could_never_match_are_mistakes)
{
	static const struct {
		const char *host, *want;
	} cases[] = {
		{ "*", NULL },
		{ "example.org", NULL },
		{ "*.example.org", NULL },
		{ "a_b-c.x", NULL },
		{ "10.0.0.1", NULL },
		{ "[::1]", NULL },
		{ "", "must be" },
		{ "*.", "must be" },
		{ "Example.org", "lower" },
		{ "example.org:80", "port" },
		{ "[::1]:80", "port" },
		{ "*.[::1]", "IPv6" },
		{ "a.*.org", "star" },
		{ "*example.org", "star" },
		{ "a..b", "no host" },
		{ ".a", "no host" },
		{ "a b", "no host" },
		{ "a.", "dot" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *got = route_host_mistake(str_of(cases[i].host));

		NOTE("%s: %s", cases[i].host, got ? got : "in order");
		CHECK(cases[i].want ? got && strstr(got, cases[i].want) : !got);
	}
}

TEST(routes_that_can_never_be_taken_are_found)
{
	static const struct {
		const char *routes;
		ptrdiff_t want[4];
	} cases[] = {
		{ "a * /x\nb * /x\n", { -1, 0 } },
		{ "a * /{x}/**\nb * /{y}/**\n", { -1, 0 } },
		{ "a * /x\nb * /x GET\n", { -1, -1 } }, /* methods come first, the rest is left */
		{ "a * /x GET\nb * /x HEAD\n", { -1, 0 } },
		{ "a * /x GET\nb * /x GET POST\n", { -1, -1 } },
		{ "a * /x GET POST\nb * /x POST\nc * /x\n", { -1, 0, -1 } },
		{ "a * /x\nb h /x\nc *.h /x\nd *.i /x\n", { -1, -1, -1, -1 } },
		{ "a * /x\nb * /x/\nc * /x/**\nd * /{x}\n", { -1, -1, -1, -1 } },
		{ "a * /**\nb * /\n", { -1, -1 } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Made *m = made(a, cases[i].routes);
		ptrdiff_t by[ROUTES_MAX];

		route_shadows(m->routes, m->count, by);
		for (size_t k = 0; k < m->count; k++) {
			NOTE("case %zu route %zu", i, k);
			CHECK_INT(by[k], cases[i].want[k]);
		}
	}
}

/* The reference: the words of route.h, written a second time, without the pattern's code. */

static size_t cut(Str path, Str *segments)
{
	size_t count = 0, from = 1;

	for (size_t i = 1; i <= path.len; i++) {
		if (i < path.len && path.at[i] != '/')
			continue;
		segments[count++] = str_sub(path, from, i);
		from = i + 1;
	}
	return count;
}

static bool is_part(Str segment)
{
	return segment.len && segment.at[0] == '{';
}

static bool fits(const RouteConf *r, Str host, Str path, Str method)
{
	Str want[64], got[64];
	bool prefix = str_ends(r->match.path, S("**"));
	size_t wants = cut(r->match.path, want) - prefix, gots = cut(path, got);
	bool any = r->match.methods.count == 0;

	if (r->match.host.at[0] == '*' ? !str_ends(host, str_sub(r->match.host, 1, 99))
	                               : !str_eq(r->match.host, host))
		return false;
	if (gots < wants || (!prefix && gots != wants))
		return false;
	for (size_t i = 0; i < wants; i++)
		if (is_part(want[i]) ? got[i].len == 0 : !str_eq(want[i], got[i]))
			return false;
	for (size_t i = 0; i < r->match.methods.count; i++)
		any = any || str_eq(r->match.methods.at[i], method) ||
		      (str_eq(method, S("HEAD")) && str_eq(r->match.methods.at[i], S("GET")));
	return any;
}

/* Does x come before y, both of which fit? */
static bool before(const RouteConf *x, const RouteConf *y)
{
	Str one[64], two[64];
	size_t ones = cut(x->match.path, one), twos = cut(y->match.path, two);
	bool stars_x = str_ends(x->match.path, S("**")), stars_y = str_ends(y->match.path, S("**"));
	bool part_x = str_find_char(x->match.path, '{') >= 0,
	     part_y = str_find_char(y->match.path, '{') >= 0;
	bool wild_x = x->match.host.at[0] == '*', wild_y = y->match.host.at[0] == '*';

	if (wild_x != wild_y)
		return wild_y;
	if (x->match.host.len != y->match.host.len)
		return x->match.host.len > y->match.host.len;
	if (stars_x != stars_y)
		return stars_y;
	if (!stars_x && part_x != part_y)
		return part_y;
	if (ones != twos)
		return ones > twos;
	for (size_t i = 0; i < ones; i++)
		if (is_part(one[i]) != is_part(two[i]))
			return is_part(two[i]);
	if (!x->match.methods.count != !y->match.methods.count)
		return x->match.methods.count > 0;
	return x < y;
}

static Str pick(const char *const *words, size_t count)
{
	return str_of(words[rand_below(count)]);
}

static const char *const hosts[] = { "*", "*", "a.b.c", "b.c", "*.b.c", "*.c", "*.a.b.c" };
static const char *const asked_hosts[] = { "a.b.c",   "b.c",   "c", "x.b.c",
	                                   "x.a.b.c", "other", "",  "x.x.x.c" };
static const char *const methods[] = { "GET", "POST", "HEAD", "PUT" };
static const char *const parts[] = { "a", "b", "{p}", "{q}" };
static const char *const asked_parts[] = { "a", "b", "c", "" };

static void random_route(Arena *a, RouteConf *r)
{
	static const char *const ends[] = { "", "", "/", "/**", "/**" };
	Str path = S("");
	bool used_p = false, used_q = false;

	*r = (RouteConf){ .name = S("r"), .match.host = pick(hosts, COUNT(hosts)) };
	for (size_t n = rand_below(4); n > 0; n--) {
		Str part = pick(parts, COUNT(parts));
		bool *used = str_eq(part, S("{p}"))   ? &used_p
		             : str_eq(part, S("{q}")) ? &used_q
		                                      : NULL;

		if (used && *used)
			part = S("a");
		if (used)
			*used = true;
		path = str_fmt(a, "%.*s/%.*s", STR_ARG(path), STR_ARG(part));
	}
	path = str_fmt(a, "%.*s%.*s", STR_ARG(path), STR_ARG(pick(ends, COUNT(ends))));
	r->match.path = path.len ? path : S("/");
	r->match.methods.at = ARENA_ARRAY(a, Str, 2);
	for (size_t n = rand_below(3); n > 0; n--)
		r->match.methods.at[r->match.methods.count++] = pick(methods, COUNT(methods));
}

static Str random_path(Arena *a)
{
	Str path = S("");

	for (size_t n = 1 + rand_below(5); n > 0; n--)
		path = str_fmt(a, "%.*s/%.*s", STR_ARG(path),
		               STR_ARG(pick(asked_parts, COUNT(asked_parts))));
	return path;
}

static const RouteConf *reference(const Made *m, Str host, Str path, Str method)
{
	const RouteConf *best = NULL;

	for (size_t i = 0; i < m->count; i++)
		if (fits(&m->routes[i], host, path, method) &&
		    (!best || before(&m->routes[i], best)))
			best = &m->routes[i];
	return best;
}

TEST(agrees_with_the_reference_on_random_tables)
{
	size_t hits = 0, asked = 0;

	for (int round = 0; round < 1000; round++) {
		Mark mark = arena_mark(a);
		Made *m = ARENA_NEW(a, Made);
		const RouteTable *t;

		m->count = rand_below(ROUTES_MAX);
		for (size_t i = 0; i < m->count; i++) {
			random_route(a, &m->routes[i]);
			CHECK_NULL(route_path_mistake(m->routes[i].match.path));
		}
		t = route_table_new(a, m->routes, m->count);
		for (int i = 0; i < 30; i++, asked++) {
			Str host = pick(asked_hosts, COUNT(asked_hosts)), path = random_path(a),
			    method = pick(methods, 4);
			RouteMiss miss;
			const Route *got = route_find(t, host, path, method, &miss);
			const RouteConf *want = reference(m, host, path, method);
			bool other_method = false;

			for (size_t k = 0; k < 4 && !want; k++)
				other_method = other_method ||
				               reference(m, host, path, str_of(methods[k]));
			NOTE("%.*s %.*s %.*s: route %td, not %td of %zu", STR_ARG(method),
			     STR_ARG(host), STR_ARG(path), got ? (ptrdiff_t)got->index : -1,
			     want ? want - m->routes : -1, m->count);
			CHECK((got ? got->conf : NULL) == want);
			CHECK_INT(miss.method, other_method);
			CHECK_INT(str_find(route_explain(t, a, host, path, method), S("taken: ")) >=
			                  0,
			          want != NULL);
			hits += got != NULL;
		}
		arena_reset(a, mark);
	}
	CHECK(hits > asked / 4 && hits < asked);
}

TEST(ten_thousand_routes_are_found_each)
{
	enum { COUNT_ = 10000 };
	RouteConf *routes = ARENA_ARRAY(a, RouteConf, COUNT_);
	const RouteTable *t;
	ptrdiff_t *by = ARENA_ARRAY(a, ptrdiff_t, COUNT_);

	for (size_t i = 0; i < COUNT_; i++) {
		static const char *const forms[] = { "/r/%zu", "/r/%zu/{id}", "/p/%zu/**",
			                             "/{any}/%zu/x" };
		char path[40];

		snprintf(path, sizeof path, forms[i % 4], i);
		routes[i] = (RouteConf){ .match = { .host = S("*"),
			                            .path = str_dup(a, str_of(path)) } };
	}
	t = route_table_new(a, routes, COUNT_);
	for (size_t i = 0; i < COUNT_; i++) {
		static const char *const asked[] = { "/r/%zu", "/r/%zu/7", "/p/%zu/a/b",
			                             "/q/%zu/x" };
		char path[40];
		const Route *got;

		snprintf(path, sizeof path, asked[i % 4], i);
		got = route_find(t, S("h"), str_of(path), S("GET"), NULL);
		CHECK(got && got->index == i);
	}
	route_shadows(routes, COUNT_, by);
	for (size_t i = 0; i < COUNT_; i++)
		CHECK_INT(by[i], -1);
}
