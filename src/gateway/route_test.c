/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route.c"
#include "base/buf.h"
#include "base/rand.h"
#include "gateway/route_lines.h"
#include "unit.h"

#include <stdio.h>

enum { ROUTES_MAX = 40 };

typedef struct Made {
	RouteConf routes[ROUTES_MAX];
	size_t count;
} Made;

/* Lines of route_lines.h. */
static Made *made(Arena *a, const char *text)
{
	Made *m = ARENA_NEW(a, Made);
	Str rest = str_of(text), line;

	while (str_split(&rest, '\n', &line)) {
		if (!line.len)
			continue;
		NOTE("%.*s", STR_ARG(line));
		CHECK(m->count < ROUTES_MAX && route_line_read(a, line, &m->routes[m->count++]));
	}
	return m;
}

static const RouteTable *table_of(Arena *a, const char *text)
{
	const Made *m = made(a, text);

	return route_table_new(a, m->routes, m->count);
}

static const Route *find(const RouteTable *t, Str host, Str path, Str method, RouteMiss *miss)
{
	return route_find(t, &(RouteAsk){ .host = host, .path = path, .method = method }, miss);
}

/* The name of the winner for a request's line; "none". */
static Str winner(Arena *a, const RouteTable *t, const char *line)
{
	RouteAsk ask = route_line_ask(a, str_of(line));
	const Route *got = route_find(t, &ask, NULL);

	return got ? got->conf->name : S("none");
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
		const Route *got = find(t, str_of(cases[i].host), str_of(cases[i].path),
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
		CHECK_NULL(find(t, str_of(cases[i].host), str_of(cases[i].path),
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
	CHECK_NULL(find(route_table_new(a, m->routes, m->count), S("h"), S("/a"), S("GET"), &miss));
	rest = str_of(miss.allow);
	CHECK(rest.len < sizeof miss.allow && rest.len > 90);
	for (int i = 0; str_split(&rest, ',', &one); i++)
		CHECK_STR(str_trim(one), str_fmt(a, "METHOD%d", i));
	buf_fini(&b);
}

TEST(parts_have_values)
{
	static const struct {
		const char *route, *path, *name, *want; /* NULL: no such part */
	} cases[] = {
		{ "/users/{id}/orders/{order}/**", "/users/7/orders/9/x/y", "id", "7" },
		{ "/users/{id}/orders/{order}/**", "/users/7/orders/9", "order", "9" },
		{ "/users/{id}/orders/{order}/**", "/users/7/orders/9", "users", NULL },
		{ "/users/{id}", "/users/a%2Fb", "id", "a%2Fb" },
		{ "/users/{rest}/**", "/users/7/x", "rest", "7" },
		{ "/users/**", "/users/7", "rest", NULL },
		{ "~^/u/(?<id>\\d+)/(?<tab>\\w+)?", "/u/17/me", "id", "17" },
		{ "~^/u/(?<id>\\d+)/(?<tab>\\w+)?", "/u/17/me", "2", "me" },
		{ "~^/u/(?<id>\\d+)/(?<tab>\\w+)?", "/u/17/", "tab", "" },
		{ "~^/u/(?<id>\\d+)/(?<tab>\\w+)?", "/u/17/me/x", "0", "/u/17/me" },
		{ "~^/u/(?<id>\\d+)/(?<tab>\\w+)?", "/u/17/", "3", NULL },
		{ "~(?|^/u/(?<n>\\d+)|^/v/(?<n>\\w+))", "/v/x", "n", "x" },
		{ "~(?J)^/u/(?<n>\\d+)|^/v/(?<n>\\w+)", "/v/x", "n", "x" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str line = str_fmt(a, "r * %s", cases[i].route), value = S("as it was");
		const Route *r = route_table_at(table_of(a, str_z(a, line)), 0);
		Str want = str_of(cases[i].want ? cases[i].want : "as it was");

		NOTE("%s %s {%s}", cases[i].route, cases[i].path, cases[i].name);
		CHECK(route_part(r, str_of(cases[i].path), str_of(cases[i].name), &value) ==
		      (cases[i].want != NULL));
		CHECK_STR(value, want);
	}
}

TEST(each_criterion_is_told_on_its_own)
{
	const RouteTable *t = table_of(a, "r *.x.org /u/{id} POST h:A=1 q:b* c:s!\n");
	const Route *r = route_table_at(t, 0);
	static const struct {
		const char *ask;
		bool host, path, method, conditions;
		const char *failed;
	} cases[] = {
		{ "a.x.org /u/7 POST ?b h:a=1", true, true, true, true, NULL },
		{ "x.org /u/7 POST ?b h:a=1", false, true, true, true, NULL },
		{ "a.x.org /u/ POST ?b h:a=1", true, false, true, true, NULL },
		{ "a.x.org /u/7 GET ?b h:a=1", true, true, false, true, NULL },
		{ "a.x.org /u/7 POST ?b h:a=2", true, true, true, false, "A" },
		{ "a.x.org /u/7 POST ?bb h:a=1", true, true, true, false, "b" },
		{ "a.x.org /u/7 POST ?b h:a=1 h:Cookie=s=1", true, true, true, false, "s" },
		{ "a.x.org /u/7 POST", true, true, true, false, "A" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		RouteAsk ask = route_line_ask(a, str_of(cases[i].ask));
		RouteFit fit;

		NOTE("%s", cases[i].ask);
		CHECK(route_fits(r, &ask, &fit) ==
		      (cases[i].host && cases[i].path && cases[i].method && cases[i].conditions));
		CHECK(fit.host == cases[i].host && fit.path == cases[i].path);
		CHECK(fit.method == cases[i].method && fit.conditions == cases[i].conditions);
		CHECK_STR(fit.failed ? fit.failed->name : S(""),
		          str_of(cases[i].failed ? cases[i].failed : ""));
		CHECK((route_find(t, &ask, NULL) == r) == route_fits(r, &ask, &fit));
	}
}

TEST(expressions_come_after_prefixes_and_before_what_says_nothing)
{
	static const struct {
		const char *ask, *want;
	} cases[] = {
		{ "h /u/7 GET", "number" },       { "h /u/x GET", "word" },
		{ "h /u/7.php GET", "php" }, /* the file decides, not what is longer */
		{ "h /api/7.php GET", "api" },    { "h /exact GET", "exact" },
		{ "h /n/7 GET", "named" },        { "h /n/7/8 GET", "word" },
		{ "h /--- GET", "all" },          { "h /post/7 POST", "post" },
		{ "h /post/7 GET", "all" },       { "x.org /u/7 GET", "x-all" },
		{ "x.org /a/b/c GET", "x-tail" },
	};
	const RouteTable *t = table_of(a, "all * /**\n"
	                                  "exact * /exact\n"
	                                  "named * /n/{x}\n"
	                                  "api * /api/**\n"
	                                  "post * ~^/post/ POST\n"
	                                  "php * ~\\.php$\n"
	                                  "number * ~^/u/\\d+$\n"
	                                  "number-again * ~^/u/\\d+$ h:X=1\n"
	                                  "word * ~^/[un]/\\w+\n"
	                                  "x-tail x.org ~/b/c$\n"
	                                  "x-all x.org /**\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].ask);
		CHECK_STR(winner(a, t, cases[i].ask), str_of(cases[i].want));
	}
}

TEST(more_conditions_come_first_and_what_fails_falls_through)
{
	static const struct {
		const char *ask, *want;
	} cases[] = {
		{ "h /x GET", "plain" },
		{ "h /x GET h:X-Beta=1", "beta" },
		{ "h /x GET h:x-beta=1", "beta" },
		{ "h /x GET h:X-Beta=2", "plain" },
		{ "h /x GET h:X-Beta=0 h:X-Beta=1", "beta" }, /* any of them will do */
		{ "h /x GET h:X-Beta=1 ?page=2", "beta-page" },
		{ "h /x POST h:X-Beta=1 ?page=2", "beta-page" },
		{ "h /x POST h:X-Beta=1", "post" }, /* one each: the file decides */
		{ "h /x GET ?page", "plain" },
		{ "h /y GET", "y-all" }, /* exact, then prefix */
		{ "h /y GET h:Cookie=b=1;a=on", "y-cookie" },
		{ "shop.org /y GET", "y-all" }, /* and from host to host */
		{ "shop.org /y GET ?a=%6Fn", "y-host" },
		{ "h /z GET", "z-none" },
		{ "h /z GET h:X-Beta=", "z-any" },
		{ "h /z GET h:X-Beta=x", "z-any" },
		{ "h /z GET h:X-Beta=17", "z-number" },
		{ "h /nowhere GET", "none" },
	};
	const RouteTable *t = table_of(a, "plain * /x\n"
	                                  "post * /x POST\n"
	                                  "beta * /x h:X-Beta=1\n"
	                                  "beta-page * /x q:page* h:X-Beta=1\n"
	                                  "y-cookie * /y c:a=on\n"
	                                  "y-all * /y/**\n"
	                                  "y-host shop.org /y q:a=on\n"
	                                  "z-number * /z h:x-beta~^\\d+$ h:other!\n"
	                                  "z-any * /z h:X-Beta*\n"
	                                  "z-none * /z h:X-Beta! c:c! q:q!\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].ask);
		CHECK_STR(winner(a, t, cases[i].ask), str_of(cases[i].want));
	}
}

TEST(a_scheme_is_a_condition)
{
	Made *m = made(a, "all h /**\nplain h /**\ntls h /x/**\nposts h /x/** POST\n");
	static const struct {
		const char *path, *method, *want;
		uint8_t scheme;
	} cases[] = {
		{ "/", "GET", "plain", MATCH_HTTP },     { "/", "GET", "all", MATCH_HTTPS },
		{ "/", "GET", "all", MATCH_ANY_SCHEME }, { "/x/y", "GET", "tls", MATCH_HTTPS },
		{ "/x/y", "GET", "plain", MATCH_HTTP },  { "/x/y", "POST", "posts", MATCH_HTTP },
	};
	const RouteTable *t;

	m->routes[1].match.scheme = MATCH_HTTP;
	m->routes[2].match.scheme = MATCH_HTTPS;
	t = route_table_new(a, m->routes, m->count);
	for (size_t i = 0; i < COUNT(cases); i++) {
		RouteAsk ask = { .host = S("h"),
			         .path = str_of(cases[i].path),
			         .method = str_of(cases[i].method),
			         .scheme = cases[i].scheme };
		const Route *got = route_find(t, &ask, NULL);
		RouteFit fit;

		NOTE("%s %s %d", cases[i].method, cases[i].path, cases[i].scheme);
		CHECK_STR(got ? got->conf->name : S("none"), str_of(cases[i].want));
		CHECK(route_fits(got, &ask, &fit) && fit.scheme);
		CHECK_INT(route_fits(route_table_at(t, 1), &ask, &fit),
		          cases[i].scheme == MATCH_HTTP);
		CHECK_INT(fit.scheme, cases[i].scheme == MATCH_HTTP);
	}
}

TEST(a_scheme_keeps_routes_apart)
{
	Made *m = made(a, "one h /a\ntwo h /a\nthree h /a\n");
	ptrdiff_t by[3];

	m->routes[0].match.scheme = MATCH_HTTP;
	m->routes[1].match.scheme = MATCH_HTTPS;
	m->routes[2].match.scheme = MATCH_HTTPS;
	route_shadows(m->routes, m->count, by);
	CHECK_INT(by[0], -1);
	CHECK_INT(by[1], -1);
	CHECK_INT(by[2], 1);
}

TEST(conditions_make_no_405_unless_another_method_would_do)
{
	static const struct {
		const char *ask, *allow;
	} cases[] = {
		{ "h /a PUT", "GET, HEAD" },
		{ "h /a PUT h:X=1", "POST, GET, HEAD" },
		{ "h /b PUT", "" }, /* 404: no method would do */
		{ "h /b PUT h:X=1", "PATCH" },
		{ "h /c/7 PUT", "DELETE" },
		{ "h /c/x PUT", "" },
	};
	const RouteTable *t = table_of(
		a,
		"one * /a GET\ntwo * /a POST h:X=1\nthree * /b PATCH h:X=1\nfour * ~^/c/\\d DELETE\n");

	for (size_t i = 0; i < COUNT(cases); i++) {
		RouteAsk ask = route_line_ask(a, str_of(cases[i].ask));
		RouteMiss miss;

		NOTE("%s", cases[i].ask);
		CHECK_NULL(route_find(t, &ask, &miss));
		CHECK_INT(miss.method, cases[i].allow[0] != 0);
		CHECK_STR(str_of(miss.allow), str_of(cases[i].allow));
	}
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
		{ "~ ^/x", NULL },
		{ "~", "a blank" },
		{ "~ ", "a blank" },
		{ "~^/x", "a blank" },
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

static bool fits_path(const RouteConf *r, Str path)
{
	Str want[64], got[64];
	bool prefix = str_ends(r->match.path, S("**"));
	size_t wants = cut(r->match.path, want) - prefix, gots = cut(path, got);

	if (r->match.path.at[0] == '~') /* "~ ^/a" or "~ b$" */
		return r->match.path.at[2] == '^'
		               ? str_starts(path, str_sub(r->match.path, 3, 99))
		               : str_ends(path, str_sub(r->match.path, 2, r->match.path.len - 1));
	if (gots < wants || (!prefix && gots != wants))
		return false;
	for (size_t i = 0; i < wants; i++)
		if (is_part(want[i]) ? got[i].len == 0 : !str_eq(want[i], got[i]))
			return false;
	return true;
}

/* Conditions of the reference are of one header, "X". */
static bool fits(const RouteConf *r, const RouteAsk *ask, bool any)
{
	Str x = headers_get_name(ask->headers, S("X"));

	if (r->match.host.at[0] == '*' ? !str_ends(ask->host, str_sub(r->match.host, 1, 99))
	                               : !str_eq(r->match.host, ask->host))
		return false;
	if (r->match.headers.count &&
	    (r->match.headers.at->absent ? x.len > 0 : !str_eq(r->match.headers.at->is, x)))
		return false;
	any = any || r->match.methods.count == 0;
	for (size_t i = 0; i < r->match.methods.count; i++)
		any = any || str_eq(r->match.methods.at[i], ask->method) ||
		      (str_eq(ask->method, S("HEAD")) && str_eq(r->match.methods.at[i], S("GET")));
	return any && fits_path(r, ask->path);
}

static int kind(const RouteConf *r)
{
	if (r->match.path.at[0] == '~')
		return 3;
	if (str_ends(r->match.path, S("/**")))
		return r->match.path.len == 3 ? 4 : 2;
	return str_find_char(r->match.path, '{') >= 0;
}

/* Does x come before y, both of which fit? */
static bool before(const RouteConf *x, const RouteConf *y)
{
	Str one[64], two[64];
	size_t ones = cut(x->match.path, one), twos = cut(y->match.path, two);
	size_t wants_x = x->match.headers.count + (x->match.methods.count > 0),
	       wants_y = y->match.headers.count + (y->match.methods.count > 0);
	bool wild_x = x->match.host.at[0] == '*', wild_y = y->match.host.at[0] == '*';

	if (wild_x != wild_y)
		return wild_y;
	if (x->match.host.len != y->match.host.len)
		return x->match.host.len > y->match.host.len;
	if (kind(x) != kind(y))
		return kind(x) < kind(y);
	if (kind(x) == 3)
		return x < y;
	if (ones != twos)
		return ones > twos;
	for (size_t i = 0; i < ones; i++)
		if (is_part(one[i]) != is_part(two[i]))
			return is_part(two[i]);
	return wants_x != wants_y ? wants_x > wants_y : x < y;
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
static const char *const expressions[] = { "~^/a", "~^/a/b", "~^/", "~b$", "~/b/a$", "~^/b/a/c" };
static const char *const wanted[] = { "", "", "", " h:X=1", " h:X=2", " h:X!" };

static Str add(Arena *a, Str text, const char *between, Str more)
{
	return str_fmt(a, "%.*s%s%.*s", STR_ARG(text), between, STR_ARG(more));
}

static Str random_path_of_a_route(Arena *a)
{
	static const char *const ends[] = { "", "", "/", "/**", "/**" };
	bool used_p = false, used_q = false;
	Str path = S("");

	if (rand_below(5) == 0)
		return pick(expressions, COUNT(expressions));
	for (size_t n = rand_below(4); n > 0; n--) {
		Str part = pick(parts, COUNT(parts));
		bool *used = str_eq(part, S("{p}"))   ? &used_p
		             : str_eq(part, S("{q}")) ? &used_q
		                                      : NULL;

		if (used && *used)
			part = S("a");
		if (used)
			*used = true;
		path = add(a, path, "/", part);
	}
	path = add(a, path, "", pick(ends, COUNT(ends)));
	return path.len ? path : S("/");
}

static Made *random_routes(Arena *a)
{
	Made *m = ARENA_NEW(a, Made);

	m->count = rand_below(ROUTES_MAX);
	for (size_t i = 0; i < m->count; i++) {
		Str line = str_fmt(a, "r%zu ", i);

		line = add(a, line, "", pick(hosts, COUNT(hosts)));
		line = add(a, line, " ", random_path_of_a_route(a));
		line = add(a, line, "", pick(wanted, COUNT(wanted)));
		for (size_t n = rand_below(3); n > 0; n--)
			line = add(a, line, " ", pick(methods, COUNT(methods)));
		CHECK(route_line_read(a, line, &m->routes[i]));
	}
	return m;
}

static RouteAsk random_ask(Arena *a)
{
	static const char *const with[] = { "", "", " h:X=1", " h:X=2", " h:Y=1" };
	Str line = add(a, pick(asked_hosts, COUNT(asked_hosts)), " ", S(""));

	for (size_t n = 1 + rand_below(5); n > 0; n--)
		line = add(a, line, "/", pick(asked_parts, COUNT(asked_parts)));
	line = add(a, line, " ", pick(methods, COUNT(methods)));
	return route_line_ask(a, add(a, line, "", pick(with, COUNT(with))));
}

static const RouteConf *reference(const Made *m, const RouteAsk *ask, bool any_method)
{
	const RouteConf *best = NULL;

	for (size_t i = 0; i < m->count; i++)
		if (fits(&m->routes[i], ask, any_method) && (!best || before(&m->routes[i], best)))
			best = &m->routes[i];
	return best;
}

TEST(agrees_with_the_reference_on_random_tables)
{
	size_t hits = 0, asked = 0;

	for (int round = 0; round < 1000; round++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		const Made *m = random_routes(own);
		const RouteTable *t = route_table_new(own, m->routes, m->count);

		for (int i = 0; i < 30; i++, asked++) {
			RouteAsk ask = random_ask(own);
			RouteMiss miss;
			const Route *got = route_find(t, &ask, &miss);
			const RouteConf *want = reference(m, &ask, false);

			NOTE("%.*s %.*s %.*s: route %td, not %td of %zu", STR_ARG(ask.method),
			     STR_ARG(ask.host), STR_ARG(ask.path), got ? (ptrdiff_t)got->index : -1,
			     want ? want - m->routes : -1, m->count);
			CHECK((got ? got->conf : NULL) == want);
			CHECK_INT(miss.method, !want && reference(m, &ask, true));
			hits += got != NULL;
		}
	}
	CHECK(hits > asked / 4 && hits < asked);
}

/* Without those that only the file tells apart. */
static size_t drop_ties(Made *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++) {
		RoutePattern p = route_pattern(&m->routes[i].match);
		bool tie = false;

		for (size_t k = 0; k < kept && !tie; k++) {
			RoutePattern q = route_pattern(&m->routes[k].match);
			RouteWhy why;

			tie = route_compare(&p, &q, &why) == 0;
		}
		if (!tie)
			m->routes[kept++] = m->routes[i];
	}
	return m->count = kept;
}

TEST(the_order_of_the_file_decides_only_between_equals)
{
	size_t hits = 0;

	for (int round = 0; round < 300; round++) {
		AUTO(arena_freep) Arena *own = arena_new(0);
		Made *m = random_routes(own), *other = ARENA_NEW(own, Made);
		size_t count = drop_ties(m);
		const RouteTable *t = route_table_new(own, m->routes, count), *u;

		*other = *m;
		for (size_t i = count; i > 1; i--) {
			size_t with = rand_below(i);
			RouteConf moved = other->routes[i - 1];

			other->routes[i - 1] = other->routes[with];
			other->routes[with] = moved;
		}
		u = route_table_new(own, other->routes, count);
		for (size_t i = 0; i < count; i++)
			CHECK_STR(route_table_ranked(t, i)->conf->name,
			          route_table_ranked(u, i)->conf->name);
		for (int i = 0; i < 20; i++) {
			RouteAsk ask = random_ask(own);
			const Route *one = route_find(t, &ask, NULL);
			const Route *two = route_find(u, &ask, NULL);

			CHECK(!one == !two);
			CHECK(!one || str_eq(one->conf->name, two->conf->name));
			hits += one != NULL;
		}
	}
	CHECK(hits > 1000);
}

TEST(ten_thousand_routes_are_found_each)
{
	enum { COUNT_ = 10000 };
	RouteConf *routes = ARENA_ARRAY(a, RouteConf, COUNT_);
	const RouteTable *t;

	for (size_t i = 0; i < COUNT_; i++) {
		static const char *const forms[] = { "/r/%zu", "/r/%zu/{id}", "/p/%zu/**",
			                             "/{any}/%zu/x", "~ ^/e/%zu-\\d+$" };
		char path[40];

		snprintf(path, sizeof path, forms[i % 5], i);
		routes[i] = (RouteConf){ .match = { .host = S("*"),
			                            .path = str_dup(a, str_of(path)) } };
	}
	t = route_table_new(a, routes, COUNT_);
	for (size_t i = 0; i < COUNT_; i++) {
		static const char *const asked[] = { "/r/%zu", "/r/%zu/7", "/p/%zu/a/b", "/q/%zu/x",
			                             "/e/%zu-17" };
		char path[40];
		const Route *got;

		snprintf(path, sizeof path, asked[i % 5], i);
		got = find(t, S("h"), str_of(path), S("GET"), NULL);
		CHECK(got && got->index == i);
	}
}
