/* SPDX-License-Identifier: Apache-2.0
 *
 * A gateway's configuration from any bytes. Held: either there are mistakes, each with a sentence, or everything the
 * gateway relies on is there (routes have their upstream and can be found, upstreams a server with a weight, addresses are
 * taken apart); and what was understood, written out, is understood as the same. */
#include "base/arena.h"
#include "gateway/route.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool yes)
{
	if (!yes)
		abort();
}

static void look_at_mistakes(const Conf *conf, const Err *err)
{
	size_t count;
	const ConfMistake *mistakes = conf_mistakes(conf, &count);

	need(err_is(err, "conf.invalid") && count > 0);
	for (size_t i = 0; i < count; i++)
		need(mistakes[i].text.len > 0);
}

static void look_at_upstream(const UpstreamConf *u)
{
	uint32_t weights = 0;

	for (size_t i = 0; i < u->servers.count; i++) {
		const AddressConf *address = &u->servers.at[i].address;

		weights += u->servers.at[i].weight;
		need(address->unix_path.len || (address->host.len && address->port));
	}
	need(weights > 0 && u->retry.attempts > 0 && u->health.status_min >= 200 &&
	     u->health.status_max <= 599);
	need((u->hash_kind == HASH_ON_PEER) == (u->hash_name.len == 0));
}

static void look_at_routes(Arena *a, const GatewayConf *g)
{
	const RouteTable *t = route_table_new(a, g->routes.at, g->routes.count);

	for (size_t i = 0; i < g->routes.count; i++) {
		const RouteConf *r = &g->routes.at[i];

		need(r->upstream && r->name.len && !route_path_mistake(r->match.path) &&
		     !route_host_mistake(r->match.host));
		need(str_starts(r->match.path, r->strip_prefix) && route_table_at(t, i)->conf == r);
	}
	for (size_t i = 0; i < g->listen.count; i++)
		need(g->listen.at[i].address.text.len > 0);
}

static Str yaml_of(Arena *a, const GatewayConf *g)
{
	AUTO(buf_fini) Buf b = { 0 };

	conf_put_yaml(&b, gateway_conf_table(), g);
	return str_dup(a, buf_str(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size }, yaml;
	Conf *conf = conf_new(a);
	GatewayConf *g = NULL, *again = NULL;
	Err *err;

	if (size > 16384)
		return 0;
	err = gateway_conf_read(a, conf, S("fuzz.yaml"), text, &g);
	if (err) {
		look_at_mistakes(conf, err);
		return 0;
	}
	for (size_t i = 0; i < g->upstreams.count; i++)
		look_at_upstream(&g->upstreams.at[i]);
	look_at_routes(a, g);
	if (g->admin.token.len)
		return 0; /* hidden when printed */
	yaml = yaml_of(a, g);
	need(!gateway_conf_read(a, conf_new(a), S("again.yaml"), yaml, &again));
	need(str_eq(yaml_of(a, again), yaml));
	return 0;
}
