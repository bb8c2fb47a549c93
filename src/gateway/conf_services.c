/* SPDX-License-Identifier: Apache-2.0
 *
 * `service:NAME` as the upstream of a route. For each that a route names an upstream is added behind those of the file, with one
 * server: the service's own listener where it runs in this process, else the host of its url. So all that an upstream has it has
 * too: retries, ejection, metrics, and moves of routes from the monolith to it (`new: service:user`). */
#include "base/arena.h"
#include "base/conf_arena.h"
#include "gateway/conf_int.h"
#include "gateway/services.h"

#define PREFIX S("service:")

static bool is_there(const GatewayConf *g, Str name)
{
	for (size_t i = 0; i < g->upstreams.count; i++)
		if (str_eq(g->upstreams.at[i].name, name))
			return true;
	return false;
}

static void add(Arena *a, GatewayConf *g, Str name, Str address, bool tls)
{
	UpstreamConf *at = ARENA_ARRAY(a, UpstreamConf, g->upstreams.count + 1);
	UpstreamConf *up = &at[g->upstreams.count];

	for (size_t i = 0; i < g->upstreams.count; i++)
		at[i] = g->upstreams.at[i];
	conf_defaults(a, gateway_upstream_table(), up);
	up->name = name;
	up->servers.at = ARENA_NEW(a, ServerConf);
	up->servers.count = 1;
	*up->servers.at = (ServerConf){ .address = { .text = address }, .weight = 1 };
	up->has_tls = tls;
	up->tls.verify = true;
	g->upstreams.at = at;
	g->upstreams.count++;
	g->service_upstreams++;
}

static void add_named(Conf *conf, GatewayConf *g, const char *key, const Str *at)
{
	Arena *a = conf_arena(conf);
	Str name = str_sub(*at, PREFIX.len, at->len), address = { 0 };
	AddressConf split;
	const char *why;
	bool tls = false;

	if (!str_starts(*at, PREFIX) || is_there(g, *at))
		return;
	why = gateway_services()->place(a, g->services.at, name, &address, &tls);
	if (!why && !address_split(address, &split)) {
		address = str_fmt(a, "%.*s:%s", STR_ARG(address), tls ? "443" : "80");
		why = address_split(address, &split) ? NULL : "has no usable url";
	}
	if (why)
		conf_mistake(conf, at, "%s: the service %.*s %s", key, STR_ARG(name), why);
	add(a, g, *at, why ? S("127.0.0.1:1") : address, tls);
}

/* `jwks: service:user`: keys come from there. */
static void find_keys(Conf *conf, const GatewayConf *g, JwtConf *jwt)
{
	Str name = str_sub(jwt->jwks, PREFIX.len, jwt->jwks.len);
	const char *why;

	if (!str_starts(jwt->jwks, PREFIX))
		return;
	why = gateway_services()->place(conf_arena(conf), g->services.at, name, &jwt->keys_at,
	                                &jwt->keys_tls);
	if (why)
		conf_mistake(conf, &jwt->jwks, "jwks: the service %.*s %s", STR_ARG(name), why);
}

void gateway_conf_add_services(Conf *conf, GatewayConf *g)
{
	for (size_t i = 0; i < g->auth.count; i++)
		find_keys(conf, g, &g->auth.at[i].jwt);
	for (size_t i = 0; i < g->routes.count; i++) {
		const RouteConf *r = &g->routes.at[i];

		if (r->has_to)
			add_named(conf, g, "to", &r->to);
		if (r->has_old)
			add_named(conf, g, "old", &r->old);
		if (r->has_new)
			add_named(conf, g, "new", &r->new);
	}
}

/* As the reader says it of a key that is required. */
static void need(Conf *conf, const void *at, bool given, const char *key, const char *type)
{
	if (given)
		conf_mistake(conf, at, "%s: must not be empty", key);
	else
		conf_mistake(conf, NULL, "gateway needs the key \"%s\" (list of %s)", key, type);
}

/* A file may hold services alone. */
void gateway_conf_need_gateway(Conf *conf, const GatewayConf *g)
{
	bool alone = gateway_services()->any(g->services.at) && !g->has_listen && !g->has_routes;

	if (!alone && !g->listen.count)
		need(conf, &g->listen, g->has_listen, "listen", "listener");
	if (!alone && !g->routes.count)
		need(conf, &g->routes, g->has_routes, "routes", "route");
}
