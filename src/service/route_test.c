/* SPDX-License-Identifier: Apache-2.0 */
#include "service/route.c"

#include "unit.h"

static Err *nothing(ServiceCall *c)
{
	(void)c;
	return NULL;
}

#define ROUTE(method, path) \
	{ \
		method, path, nothing, .help = "x" \
	}

static const ServiceRoute one[] = {
	ROUTE("GET", "/v1/users/{id}"),   ROUTE("PATCH", "/v1/users/{id}"),
	ROUTE("GET", "/v1/users/me"),     ROUTE("POST", "/v1/users/{id}:suspend"),
	ROUTE("POST", "/v1/{kind}/{id}"),
};
static const ServiceRoute two[] = {
	ROUTE("GET", "/v1/users"),
	ROUTE("POST", "/v1/users:import"),
	ROUTE("GET", "/v1/users/{id}/sessions/{session}"),
	ROUTE("GET", "/"),
};

static RouteSet *built(Arena *a)
{
	const ServiceRoutes tables[] = { SERVICE_ROUTES(one), SERVICE_ROUTES(two) };
	RouteSet *set;

	CHECK_OK(routes_build(a, tables, COUNT(tables), &set));
	return set;
}

TEST(the_most_exact_path_takes_a_request)
{
	static const struct {
		Str method, path;
		const char *want; /* the route's path; NULL: none */
		Str parts, allow;
	} cases[] = {
		{ S("GET"), S("/v1/users/7"), "/v1/users/{id}", S("id=7 "), S("") },
		{ S("HEAD"), S("/v1/users/7"), "/v1/users/{id}", S("id=7 "), S("") },
		{ S("GET"), S("/v1/users/me"), "/v1/users/me", S(""), S("") },
		{ S("PATCH"), S("/v1/users/me"), "/v1/users/{id}", S("id=me "), S("") },
		{ S("POST"), S("/v1/users/7:suspend"), "/v1/users/{id}:suspend", S("id=7 "),
		  S("") },
		{ S("POST"), S("/v1/users/:suspend"), "/v1/{kind}/{id}",
		  S("kind=users id=:suspend "), S("") },
		{ S("POST"), S("/v1/users:import"), "/v1/users:import", S(""), S("") },
		{ S("GET"), S("/v1/users/7/sessions/8"), "/v1/users/{id}/sessions/{session}",
		  S("id=7 session=8 "), S("") },
		{ S("GET"), S("/"), "/", S(""), S("") },
		{ S("DELETE"), S("/v1/users/me"), NULL, S(""), S("GET, PATCH, POST") },
		{ S("GET"), S("/v1/users:import"), NULL, S(""), S("POST") },
		{ S("GET"), S("/v1/users/"), NULL, S(""), S("") },
		{ S("GET"), S("/v1"), NULL, S(""), S("") },
		{ S("GET"), S("/a/b/c/d/e/f/g/h/i/j/k/l/m/n"), NULL, S(""), S("") },
	};
	RouteSet *set = built(a);

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf said = { 0 };
		ServicePart parts[SERVICE_PARTS];
		size_t count = 0;
		Str allow;
		const RouteRow *row =
			routes_find(set, a, cases[i].method, cases[i].path, parts, &count, &allow);

		NOTE("%.*s %.*s", STR_ARG(cases[i].method), STR_ARG(cases[i].path));
		CHECK_STR(str_of(row ? row->route->path : ""),
		          str_of(cases[i].want ? cases[i].want : ""));
		for (size_t k = 0; k < count; k++)
			buf_fmt(&said, "%.*s=%.*s ", STR_ARG(parts[k].name),
			        STR_ARG(parts[k].value));
		CHECK_STR(buf_str(&said), cases[i].parts);
		if (!row)
			CHECK_STR(allow, cases[i].allow);
	}
}

TEST(a_table_that_is_wrong_is_refused)
{
	static const ServiceRoute wrong[] = {
		ROUTE("GET", "v1"),
		ROUTE("GET", "/{}"),
		ROUTE("GET", "/a{b}"),
		ROUTE("GET", "/{a}{b}"),
		ROUTE("GET", "/{a"),
		ROUTE("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13"),
		ROUTE("GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"),
		{ "GET", "/a", NULL, .help = "x" },
		{ "GET", "/a", nothing },
	};
	static const ServiceRoute twice[] = { ROUTE("GET", "/{a}"), ROUTE("GET", "/{b}") };
	ServiceRoutes table;
	RouteSet *set;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		table = (ServiceRoutes){ &wrong[i], 1 };
		NOTE("%s", wrong[i].path);
		CHECK_ERR(routes_build(a, &table, 1, &set), "service.table");
	}
	table = (ServiceRoutes){ twice, COUNT(twice) };
	CHECK_ERR(routes_build(a, &table, 1, &set), "service.table");
}
