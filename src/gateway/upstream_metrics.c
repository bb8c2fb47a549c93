/* SPDX-License-Identifier: Apache-2.0
 *
 * What upstreams tell: counters while they work, and a picture of the moment for the admin port. */
#include "gateway/upstream_int.h"

enum {
	M_ANSWERS,
	M_SECONDS,
	M_CONNECTIONS,
	M_REFUSED,
	M_RETRIES,
	M_QUEUED,
	M_RETRY_REFUSED,
	M_EJECTIONS,
	M_EJECTED,
};

/* Labels of servers by six classes: more than most families have. */
enum { MANY_SETS = 8 * 1024 };

static const MetricFamily families[] = {
	[M_ANSWERS] = { "banyan_upstream_requests_total",
	                METRIC_COUNTER,
	                "requests",
	                "Requests sent to a server, by the class of its answer; none: no answer came",
	                { "upstream", "server", "class" },
	                .sets = MANY_SETS },
	[M_SECONDS] = { "banyan_upstream_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a request sent to the head of its answer",
	                { "upstream", "server" } },
	[M_CONNECTIONS] = { "banyan_upstream_connections_total",
	                    METRIC_COUNTER,
	                    "connections",
	                    "Connections taken for a request: opened for it, reused, or stale (closed by the server while idle)",
	                    { "upstream", "server", "kind" },
	                    .sets = MANY_SETS },
	[M_REFUSED] = { "banyan_upstream_refused_total",
	                METRIC_COUNTER,
	                "requests",
	                "Requests refused because all connections were in use",
	                { "upstream" } },
	[M_RETRIES] = { "banyan_upstream_retries_total",
	                METRIC_COUNTER,
	                "requests",
	                "Tries after the first, by why (connect, refused, reset, timeout, status), and those on a new connection because the server had closed the old one (stale)",
	                { "upstream", "cause" },
	                .sets = MANY_SETS },
	[M_QUEUED] = { "banyan_upstream_queued_total",
	               METRIC_COUNTER,
	               "requests",
	               "Requests that waited for a connection",
	               { "upstream" } },
	[M_RETRY_REFUSED] = { "banyan_upstream_retries_refused_total",
	                      METRIC_COUNTER,
	                      "requests",
	                      "Tries that the retry budget did not allow",
	                      { "upstream" } },
	[M_EJECTIONS] = { "banyan_upstream_ejections_total",
	                  METRIC_COUNTER,
	                  "ejections",
	                  "Times a server was left alone because it failed requests in a row",
	                  { "upstream", "server" } },
	[M_EJECTED] = { "banyan_upstream_server_ejected",
	                METRIC_GAUGE,
	                "boolean",
	                "1 while the server is ejected",
	                { "upstream", "server" } },
};

const MetricFamily *upstream_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* --- cells ---------------------------------------------------------------------------------------------------------- */

static const Str causes[RETRY_CAUSES] = { S("connect"), S("refused"), S("reset"),
	                                  S("timeout"), S("status"),  S("stale") };

void trunk_cells_take(Trunk *trunk)
{
	Str labels[2] = { trunk->name };

	trunk->refused = metric_cell(&families[M_REFUSED], labels, 1);
	trunk->queued = metric_cell(&families[M_QUEUED], labels, 1);
	trunk->retry_refused = metric_cell(&families[M_RETRY_REFUSED], labels, 1);
	for (size_t i = 0; i < RETRY_CAUSES; i++) {
		labels[1] = causes[i];
		trunk->retries_by[i] = metric_cell(&families[M_RETRIES], labels, 2);
	}
}

void trunk_cells_free(Trunk *trunk)
{
	metric_cell_free(trunk->refused);
	metric_cell_free(trunk->queued);
	metric_cell_free(trunk->retry_refused);
	for (size_t i = 0; i < RETRY_CAUSES; i++)
		metric_cell_free(trunk->retries_by[i]);
}

/* The cells of a server with two labels, and with three. */
#define PLAIN_CELLS(X) \
	X(seconds, M_SECONDS) \
	X(ejections, M_EJECTIONS) \
	X(ejected, M_EJECTED)
#define KIND_CELLS(X) \
	X(opened) \
	X(reused) \
	X(stale)

void server_cells_take(Server *server)
{
	static const Str classes[ANSWER_CLASSES] = { S("none"), S("1xx"), S("2xx"),
		                                     S("3xx"),  S("4xx"), S("5xx") };
	ServerCells *cells = &server->cells;
	Str labels[3] = { server->trunk->name, server->address };

#define X(cell, family) cells->cell = metric_cell(&families[family], labels, 2);
	PLAIN_CELLS(X)
#undef X
	for (size_t k = 0; k < ANSWER_CLASSES; k++) {
		labels[2] = classes[k];
		cells->answers[k] = metric_cell(&families[M_ANSWERS], labels, 3);
	}
#define X(kind) \
	labels[2] = S(#kind); \
	cells->kind = metric_cell(&families[M_CONNECTIONS], labels, 3);
	KIND_CELLS(X)
#undef X
}

void server_cells_free(Server *server)
{
	ServerCells *cells = &server->cells;

	for (size_t k = 0; k < ANSWER_CLASSES; k++)
		metric_cell_free(cells->answers[k]);
#define X(cell, family) metric_cell_free(cells->cell);
	PLAIN_CELLS(X)
#undef X
#define X(kind) metric_cell_free(cells->kind);
	KIND_CELLS(X)
#undef X
}

void upstream_count_retry(Upstream *up, RetryCause cause)
{
	metric_add(up->trunk->retries_by[cause], 1);
}

/* --- a picture ------------------------------------------------------------------------------------------------------ */

size_t upstream_servers(const Upstream *up)
{
	return up->count;
}

static bool starts_slowly(const Upstream *up, const Server *server)
{
	int64_t back_us = __atomic_load_n(&server->back_us, __ATOMIC_RELAXED);

	return back_us && up->conf->slow_start_us &&
	       loop_now_us() - back_us < up->conf->slow_start_us;
}

static uint32_t requests_at(const Server *server)
{
	uint32_t requests = 0;

	for (unsigned i = 0; i < rt_loops(); i++)
		requests += __atomic_load_n(&server->loops[i].load.in_flight, __ATOMIC_RELAXED);
	return requests;
}

UpstreamServerStats upstream_server_stats(const Upstream *up, size_t i)
{
	const UpServer *s = &up->servers[i];
	const Server *server = s->server;

	return (UpstreamServerStats){
		.name = s->conf->address.text,
		.state = __atomic_load_n(&server->health, __ATOMIC_RELAXED),
		.ejected = __atomic_load_n(&server->outlier.until_us, __ATOMIC_RELAXED),
		.out = __atomic_load_n(&server->out, __ATOMIC_RELAXED),
		.slow_start = starts_slowly(up, server),
		.requests = requests_at(server),
		.connections = __atomic_load_n(&server->connections, __ATOMIC_RELAXED),
		.max_connections = s->conf->max_connections,
		.failures = __atomic_load_n(&server->outlier.failures, __ATOMIC_RELAXED),
		.weight = s->conf->weight,
	};
}

bool upstream_is_up(const Upstream *up)
{
	for (size_t i = 0; i < up->count; i++)
		if (!__atomic_load_n(&up->servers[i].server->out, __ATOMIC_RELAXED) &&
		    __atomic_load_n(&up->servers[i].server->health, __ATOMIC_RELAXED) == BALANCE_UP)
			return true;
	return false;
}

uint32_t upstream_waiting(const Upstream *up)
{
	return __atomic_load_n(&up->trunk->waiting, __ATOMIC_RELAXED);
}

UpstreamStats upstream_stats(const Upstream *up)
{
	const Trunk *trunk = up->trunk;
	int64_t now_us = loop_now_us();
	uint64_t allowed = 0;

	for (unsigned i = 0; i < rt_loops(); i++)
		allowed += budget_sum(&trunk->loops[i].requests, now_us);
	allowed = allowed * up->conf->retry.budget_ppm / 1000000;
	return (UpstreamStats){
		.connections = __atomic_load_n(&trunk->connections, __ATOMIC_RELAXED),
		.max_connections = up->conf->max_connections,
		.waiting = upstream_waiting(up),
		.queue_length = up->conf->queue.length,
		.retries = budget_sum(&trunk->retried, now_us),
		.retries_allowed = MAX((uint32_t)allowed, up->conf->retry.budget_min),
	};
}

void upstream_put_server(JsonWriter *w, const UpstreamServerStats *stats)
{
	static const Str states[] = {
		[BALANCE_UP] = S("up"), [BALANCE_SLOW] = S("slow"), [BALANCE_DOWN] = S("down")
	};

	json_begin_object(w);
	json_put_str(w, "address", stats->name);
	json_put_str(w, "state", states[stats->state]);
	json_put_bool(w, "ejected", stats->ejected);
	json_put_bool(w, "drained", !stats->weight || stats->out);
	json_put_bool(w, "slow_start", stats->slow_start);
	json_put_u64(w, "weight", stats->weight);
	json_put_u64(w, "requests", stats->requests);
	json_put_u64(w, "connections", stats->connections);
	json_put_u64(w, "max_connections", stats->max_connections);
	json_put_u64(w, "failures_in_a_row", stats->failures);
	json_end(w);
}

void upstream_put_json(const Upstream *up, JsonWriter *w)
{
	UpstreamStats stats = upstream_stats(up);

	json_begin_object(w);
	json_put_str(w, "name", up->conf->name);
	json_put_u64(w, "connections", stats.connections);
	json_put_u64(w, "max_connections", stats.max_connections);
	json_put_u64(w, "waiting", stats.waiting);
	json_put_u64(w, "queue_length", stats.queue_length);
	json_put_u64(w, "retries", stats.retries);
	json_put_u64(w, "retries_allowed", stats.retries_allowed);
	json_key(w, S("servers"));
	json_begin_array(w);
	for (size_t i = 0; i < up->count; i++) {
		UpstreamServerStats server = upstream_server_stats(up, i);

		upstream_put_server(w, &server);
	}
	json_end(w);
	json_end(w);
}
