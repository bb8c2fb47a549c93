/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a configuration into what requests go by, and taking it apart when its last user has left. An upstream whose
 * part of the configuration reads the same as before is the same upstream; one that changed takes over what stays true of its
 * servers (upstream.c). */
#include "gateway/snapshot.h"

#include "base/arena.h"
#include "base/file.h"
#include "gateway/action.h"
#include "gateway/auth.h"

enum { PAGE_BYTES_MAX = 256 << 10, ANSWER_BYTES_MAX = 1 << 20 };

enum { M_REQUESTS, M_SECONDS, M_BYTES_IN, M_BYTES_OUT, M_UP_BYTES_IN, M_UP_BYTES_OUT };

static const MetricFamily families[] = {
	[M_REQUESTS] = { "banyan_requests_total",
	                 METRIC_COUNTER,
	                 "requests",
	                 "Requests answered, by route and class of status; none: the client left first",
	                 { "route", "class" } },
	[M_SECONDS] = { "banyan_request_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a request's first byte to its answer's last, by route",
	                { "route" } },
	[M_BYTES_IN] = { "banyan_request_bytes_total",
	                 METRIC_COUNTER,
	                 "bytes",
	                 "Bodies that clients sent, and what they said in tunnels, by route",
	                 { "route" } },
	[M_BYTES_OUT] = { "banyan_response_bytes_total",
	                  METRIC_COUNTER,
	                  "bytes",
	                  "Bodies that clients got, and what they were told in tunnels, by route",
	                  { "route" } },
	[M_UP_BYTES_IN] = { "banyan_upstream_request_bytes_total",
	                    METRIC_COUNTER,
	                    "bytes",
	                    "Of the bodies that clients sent, those for servers of the upstream",
	                    { "upstream" } },
	[M_UP_BYTES_OUT] = { "banyan_upstream_response_bytes_total",
	                     METRIC_COUNTER,
	                     "bytes",
	                     "Of the bodies that clients got, those from servers of the upstream",
	                     { "upstream" } },
};

const MetricFamily *snapshot_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static const Str classes[6] = { S("none"), S("1xx"), S("2xx"), S("3xx"), S("4xx"), S("5xx") };

static void cells_take(MetricCell cells[6], Str route)
{
	for (size_t k = 0; k < COUNT(classes); k++)
		cells[k] = metric_cell(&families[M_REQUESTS], (Str[]){ route, classes[k] }, 2);
}

static void cells_free(const MetricCell cells[6])
{
	for (size_t k = 0; k < COUNT(classes); k++)
		metric_cell_free(cells[k]);
}

/* --- parts ---------------------------------------------------------------------------------------------------------- */

static Upstream *find_upstream(const Snapshot *snap, Str name)
{
	for (size_t i = 0; snap && i < snap->conf->upstreams.count; i++)
		if (str_eq(snap->conf->upstreams.at[i].name, name))
			return snap->targets[i].up;
	return NULL;
}

/* The same words may mean another upstream, when its files were written since. */
static bool is_same(const Upstream *before, const UpstreamConf *conf)
{
	return before && conf_equal(gateway_upstream_table(), upstream_conf(before), conf) &&
	       !upstream_is_stale(before);
}

static Err *take_upstreams(Snapshot *snap, Arena *a, const Snapshot *before)
{
	size_t count = snap->conf->upstreams.count;

	snap->targets = ARENA_ARRAY(a, Target, count);
	for (size_t i = 0; i < count; i++) {
		const UpstreamConf *conf = &snap->conf->upstreams.at[i];
		Upstream *known = find_upstream(before, conf->name);
		Target *target = &snap->targets[i];

		target->conf = conf;
		if (is_same(known, conf))
			target->up = upstream_ref(known);
		else
			TRY(upstream_new(a, snap->hold, conf, known, &target->up));
	}
	return NULL;
}

static void route_cells_take(RouteState *state, const RouteConf *route)
{
	cells_take(state->answers, route->name);
	state->seconds = metric_cell(&families[M_SECONDS], &route->name, 1);
	state->bytes_in = metric_cell(&families[M_BYTES_IN], &route->name, 1);
	state->bytes_out = metric_cell(&families[M_BYTES_OUT], &route->name, 1);
}

static void route_cells_free(const RouteState *state)
{
	cells_free(state->answers);
	metric_cell_free(state->seconds);
	metric_cell_free(state->bytes_in);
	metric_cell_free(state->bytes_out);
}

static void targets_take(Snapshot *snap)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++) {
		Target *target = &snap->targets[i];

		target->bytes_in = metric_cell(&families[M_UP_BYTES_IN], &target->conf->name, 1);
		target->bytes_out = metric_cell(&families[M_UP_BYTES_OUT], &target->conf->name, 1);
	}
}

static void targets_free(const Snapshot *snap)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++) {
		metric_cell_free(snap->targets[i].bytes_in);
		metric_cell_free(snap->targets[i].bytes_out);
	}
}

static const Target *target_of(const Snapshot *snap, const UpstreamConf *conf)
{
	return conf ? &snap->targets[conf - snap->conf->upstreams.at] : NULL;
}

static void take_routes(Snapshot *snap, Arena *a)
{
	const GatewayConf *conf = snap->conf;

	snap->routes = route_table_new(a, conf->routes.at, conf->routes.count);
	for (size_t i = 0; i < conf->routes.count; i++) {
		const RouteConf *route = &conf->routes.at[i];
		RouteState *state = &snap->states[i];

		state->target = target_of(snap, route->upstream);
		state->new_target = target_of(snap, route->new_upstream);
		state->auth = auth_policy(snap->auth, route);
		state->allow = auth_rule(a, route->allow);
		route_cells_take(state, route);
	}
	cells_take(snap->unrouted, S(""));
	targets_take(snap);
}

static Err *read_page(Arena *a, Str path, Str *page)
{
	return path.len ? file_read(a, path, PAGE_BYTES_MAX, page) : NULL;
}

static Err *read_files(Snapshot *snap, Arena *a)
{
	const GatewayConf *conf = snap->conf;
	Str closed = { 0 };

	TRY(read_page(a, conf->errors.html, &snap->error_page));
	TRY(read_page(a, conf->maintenance.html, &closed));
	snap->states = ARENA_ARRAY(a, RouteState, conf->routes.count);
	for (size_t i = 0; i < conf->routes.count; i++) {
		const RouteConf *route = &conf->routes.at[i];
		RouteState *state = &snap->states[i];

		state->content = route->answer.body;
		if (route->has_answer && route->answer.file.len)
			TRY(file_read(a, route->answer.file, ANSWER_BYTES_MAX, &state->content));
		if (!route->has_maintenance)
			state->page = closed;
		else
			TRY(read_page(a, route->maintenance.html, &state->page));
		action_prepare(a, route, state);
	}
	return NULL;
}

static HttpLimits http_limits(const LimitsConf *conf)
{
	HttpLimits limits = http_limits_default();

	limits.head = (H1Limits){ .head_bytes = conf->head_bytes,
		                  .line_bytes = conf->line_bytes,
		                  .headers = conf->headers };
	limits.head_us = conf->head_us;
	limits.idle_us = conf->idle_us;
	limits.write_us = conf->write_us;
	limits.body_us = conf->body_idle_us;
	limits.body_bytes = conf->body_bytes;
	limits.body_rate = conf->body_rate;
	limits.connections = conf->connections;
	limits.connections_per_address = conf->connections_per_address;
	return limits;
}

/* As the file would have it: without the upstreams that stand for services. */
static Str effective_text(Arena *a, const GatewayConf *conf)
{
	AUTO(buf_fini) Buf b = { 0 };
	GatewayConf *said = ARENA_NEW(a, GatewayConf);

	*said = *conf;
	said->upstreams.count -= conf->service_upstreams;
	conf_put_yaml(&b, gateway_conf_table(), said);
	return str_dup(a, buf_str(&b));
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

static void drop_upstreams(Snapshot *snap)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		upstream_unref(snap->targets ? snap->targets[i].up : NULL);
}

Err *snapshot_new(Arena *a, ConfHold *hold, const GatewayConf *conf, const Snapshot *before,
                  Snapshot **out)
{
	Snapshot *snap = ARENA_NEW(a, Snapshot);
	Err *err;

	*snap = (Snapshot){ .refs = 1, .conf = conf, .hold = conf_hold_ref(hold) };
	err = read_files(snap, a);
	err = err ? err : take_upstreams(snap, a, before);
	err = err ? err : auth_new(a, snap, before ? before->auth : NULL, &snap->auth);
	if (err) {
		drop_upstreams(snap);
		conf_hold_unref(snap->hold);
		return err;
	}
	snap->paths = (UrlRules){ conf->paths.encoded_slash, conf->paths.keep_double,
		                  conf->paths.semicolons };
	snap->limits = http_limits(&conf->limits);
	snap->text = effective_text(a, conf);
	take_routes(snap, a);
	*out = snap;
	return NULL;
}

Snapshot *snapshot_ref(Snapshot *snap)
{
	__atomic_add_fetch(&snap->refs, 1, __ATOMIC_RELAXED);
	return snap;
}

void snapshot_unref(Snapshot *snap)
{
	if (!snap || __atomic_sub_fetch(&snap->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < snap->conf->routes.count; i++)
		route_cells_free(&snap->states[i]);
	cells_free(snap->unrouted);
	targets_free(snap);
	auth_free(snap->auth);
	drop_upstreams(snap);
	conf_hold_unref(snap->hold);
}

static bool has_upstream(const Snapshot *snap, const Upstream *up)
{
	for (size_t i = 0; snap && i < snap->conf->upstreams.count; i++)
		if (snap->targets[i].up == up)
			return true;
	return false;
}

Err *snapshot_begin(Snapshot *snap, const Snapshot *before)
{
	for (size_t i = 0; i < snap->conf->upstreams.count; i++) {
		upstream_enforce(snap->targets[i].up);
		if (!has_upstream(before, snap->targets[i].up))
			TRY(upstream_start(snap->targets[i].up));
	}
	return auth_begin(snap->auth);
}

void snapshot_end(Snapshot *snap, const Snapshot *after)
{
	for (size_t i = 0; after && i < after->conf->upstreams.count; i++)
		upstream_enforce(
			after->targets[i].up); /* it is already, unless a reload failed late */
	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		if (!has_upstream(after, snap->targets[i].up))
			upstream_stop(snap->targets[i].up);
	auth_end(snap->auth, after ? after->auth : NULL);
}
