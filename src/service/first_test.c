/* SPDX-License-Identifier: Apache-2.0 */
#include "service/first.c"

#include "unit.h"

TEST(a_route_takes_the_first_parts_of_a_path)
{
	static const struct {
		const char *path, *match;
	} cases[] = {
		{ "/v1/customers", "/v1/customers/**" },
		{ "/v1/customers/{id}/sources", "/v1/customers/**" },
		{ "/v1/users:import", "/v1/users:import/**" },
		{ "/v1/mails/{id}:release", "/v1/mails/**" },
		{ "/.well-known/openid-configuration", "/.well-known/openid-configuration/**" },
		{ "/api/event", "/api/event/**" },
		{ "/batch/", "/batch/**" },
		{ "/u/{token}", "/u/**" },
		{ "/oauth2/jwks", "/oauth2/**" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(match_of(a, cases[i].path), str_of(cases[i].match));
}

static const ServiceRoute shop_rows[] = {
	{ "GET", "/v1/events", NULL, .scopes = "" },
	{ "GET", "/v1/orders/{id}", NULL, .scopes = "orders:read" },
	{ "POST", "/v1/orders", NULL, .scopes = "orders:write" },
};
static const ServiceRoutes shop_routes[] = { SERVICE_ROUTES(shop_rows) };
static const Service shop = { .name = "shop", .routes = shop_routes, .routes_count = 1 };
static const ServiceRoute count_rows[] = {
	{ "POST", "/v1/events", NULL },
	{ "OPTIONS", "/v1/events", NULL },
};
static const ServiceRoutes count_routes[] = { SERVICE_ROUTES(count_rows) };
static const Service counts = { .name = "counts", .routes = count_routes, .routes_count = 1 };

TEST(a_path_that_two_services_have_is_shared_out_by_method)
{
	AUTO(buf_fini) Buf b = { 0 };
	const Service *const rows[] = { &shop, &counts };

	CHECK_OK(services_add(a, rows, COUNT(rows)));
	put_routes(a, &b);
	CHECK_STR(
		buf_str(&b),
		S("  - { name: shop-events, match: { path: \"/v1/events/**\", methods: [ GET ] }, to: \"service:shop\", auth: people }\n"
	          "  - { name: shop-orders, match: \"/v1/orders/**\", to: \"service:shop\", auth: people }\n"
	          "  - { name: counts-events, match: { path: \"/v1/events/**\", methods: [ POST, OPTIONS ] }, to: \"service:counts\" }\n"));
}
