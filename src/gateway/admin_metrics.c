/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics that only a configuration in force knows: its servers, and how full its limits are. And the list of all there
 * are. */
#include "gateway/admin.h"
#include "gateway/auth.h"
#include "auth/proved.h"
#include "gateway/auth_keys.h"
#include "gateway/command.h"
#include "gateway/files_cache.h"
#include "gateway/process_metrics.h"
#include "gateway/snapshot.h"
#include "gateway/spool.h"
#include "gateway/watermark.h"
#include "http/census.h"
#include "obs/access.h"
#include "rt/loop_metrics.h"

#include <string.h>
#include <sys/resource.h>

/* A scrape's functions get no argument: there is one gateway in a process. */
static Gateway *watched;

typedef struct Limit {
	const char *name;
	double limit, used;
} Limit;

enum { LIMITS = 6 };

static double files_limit(void)
{
	struct rlimit files;

	return getrlimit(RLIMIT_NOFILE, &files) == 0 ? (double)files.rlim_cur : 0;
}

static double sum_of_loops(bool fibers)
{
	double sum = 0;

	for (unsigned i = 0; i < rt_loops(); i++) {
		LoopStats stats = loop_stats(rt_loop(i));

		sum += fibers ? stats.fibers : stats.watches;
	}
	return sum;
}

static void read_limits(Limit out[LIMITS])
{
	Snapshot *snap = gateway_snapshot(watched);
	const LimitsConf *conf = &snap->conf->limits;
	CensusStats census = census_stats();
	Limit limits[LIMITS] = {
		{ "connections", conf->connections, census.connections },
		{ "connections_per_address", conf->connections_per_address, census.most },
		{ "descriptors", files_limit(), sum_of_loops(false) },
		{ "fibers", 30000, sum_of_loops(true) },
		{ "memory", (double)watermark_limit(), (double)watermark_used() },
		{ "spool", (double)snap->conf->spool_max, (double)spool_file_bytes() },
	};

	memcpy(out, limits, sizeof limits);
	snapshot_unref(snap);
}

static void read_limit(MetricOut *out)
{
	Limit limits[LIMITS];

	read_limits(limits);
	for (size_t i = 0; i < LIMITS; i++)
		metric_emit(out, (Str[]){ str_of(limits[i].name) }, limits[i].limit);
}

static void read_limit_used(MetricOut *out)
{
	Limit limits[LIMITS];

	read_limits(limits);
	for (size_t i = 0; i < LIMITS; i++)
		metric_emit(out, (Str[]){ str_of(limits[i].name) }, limits[i].used);
}

static void each_server(MetricOut *out, double (*value)(const UpstreamServerStats *stats))
{
	Snapshot *snap = gateway_snapshot(watched);

	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		for (size_t k = 0; k < upstream_servers(snap->targets[i].up); k++) {
			UpstreamServerStats stats = upstream_server_stats(snap->targets[i].up, k);

			metric_emit(out, (Str[]){ snap->conf->upstreams.at[i].name, stats.name },
			            value(&stats));
		}
	snapshot_unref(snap);
}

static double is_up(const UpstreamServerStats *stats)
{
	return stats->state == BALANCE_UP;
}

static double is_drained(const UpstreamServerStats *stats)
{
	return !stats->weight || stats->out;
}

static double requests_of(const UpstreamServerStats *stats)
{
	return stats->requests;
}

static double connections_of(const UpstreamServerStats *stats)
{
	return stats->connections;
}

static void read_server_up(MetricOut *out)
{
	each_server(out, is_up);
}

static void read_server_drained(MetricOut *out)
{
	each_server(out, is_drained);
}

static void read_server_requests(MetricOut *out)
{
	each_server(out, requests_of);
}

static void read_server_connections(MetricOut *out)
{
	each_server(out, connections_of);
}

static void read_waiting(MetricOut *out)
{
	Snapshot *snap = gateway_snapshot(watched);

	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		metric_emit(out, &snap->conf->upstreams.at[i].name,
		            upstream_waiting(snap->targets[i].up));
	snapshot_unref(snap);
}

static double connections_limit(const UpstreamServerStats *stats)
{
	return stats->max_connections;
}

static void read_server_connections_limit(MetricOut *out)
{
	each_server(out, connections_limit);
}

/* What of an upstream has a limit: how much of it is used, or the limit. */
static void each_limit(MetricOut *out, bool used)
{
	Snapshot *snap = gateway_snapshot(watched);

	for (size_t i = 0; i < snap->conf->upstreams.count; i++) {
		Str name = snap->conf->upstreams.at[i].name;
		UpstreamStats s = upstream_stats(snap->targets[i].up);
		const struct {
			Str name;
			uint32_t used, limit;
		} rows[] = { { S("connections"), s.connections, s.max_connections },
			     { S("queue"), s.waiting, s.queue_length },
			     { S("retries"), s.retries, s.retries_allowed } };

		for (size_t k = 0; k < COUNT(rows); k++)
			metric_emit(out, (Str[]){ name, rows[k].name },
			            used ? rows[k].used : rows[k].limit);
	}
	snapshot_unref(snap);
}

static void read_upstream_limit(MetricOut *out)
{
	each_limit(out, false);
}

static void read_upstream_limit_used(MetricOut *out)
{
	each_limit(out, true);
}

static void read_reloads(MetricOut *out)
{
	metric_emit(out, NULL, (double)gateway_stats(watched).reloads);
}

static void read_reloads_failed(MetricOut *out)
{
	metric_emit(out, NULL, (double)gateway_stats(watched).reloads_failed);
}

static const MetricFamily families[] = {
	{ .name = "banyan_reloads_total",
	  .type = METRIC_COUNTER,
	  .unit = "reloads",
	  .help = "Configurations taken over",
	  .read = read_reloads },
	{ .name = "banyan_reloads_failed_total",
	  .type = METRIC_COUNTER,
	  .unit = "reloads",
	  .help = "Configurations refused",
	  .read = read_reloads_failed },
	{ "banyan_limit",
	  METRIC_GAUGE,
	  "of its own",
	  "Limits of the process; 0: none",
	  { "limit" },
	  read_limit },
	{ "banyan_limit_used",
	  METRIC_GAUGE,
	  "of its own",
	  "What is used of them now; of connections_per_address: by the address that has most",
	  { "limit" },
	  read_limit_used },
	{ "banyan_upstream_server_up",
	  METRIC_GAUGE,
	  "boolean",
	  "1 while the server is up by its health checks",
	  { "upstream", "server" },
	  read_server_up },
	{ "banyan_upstream_server_drained",
	  METRIC_GAUGE,
	  "boolean",
	  "1 while the server takes no new requests: somebody took it out, or its weight is 0",
	  { "upstream", "server" },
	  read_server_drained },
	{ "banyan_upstream_server_requests",
	  METRIC_GAUGE,
	  "requests",
	  "Requests at the server now",
	  { "upstream", "server" },
	  read_server_requests },
	{ "banyan_upstream_connections",
	  METRIC_GAUGE,
	  "connections",
	  "Connections open to the server now",
	  { "upstream", "server" },
	  read_server_connections },
	{ "banyan_upstream_waiting",
	  METRIC_GAUGE,
	  "requests",
	  "Requests that wait for a connection now",
	  { "upstream" },
	  read_waiting },
	{ "banyan_upstream_server_connections_limit",
	  METRIC_GAUGE,
	  "connections",
	  "Connections that the server may have; 0: no limit of its own",
	  { "upstream", "server" },
	  read_server_connections_limit },
	{ "banyan_upstream_limit",
	  METRIC_GAUGE,
	  "of its own",
	  "Limits of an upstream: connections (0: none), queue, retries in the last 10 seconds",
	  { "upstream", "limit" },
	  read_upstream_limit },
	{ "banyan_upstream_limit_used",
	  METRIC_GAUGE,
	  "of its own",
	  "What is used of them now",
	  { "upstream", "limit" },
	  read_upstream_limit_used },
};

const MetricFamily *admin_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* Everything a scrape shows, in this order. */
static MetricList *const lists[] = { auth_metrics,     auth_cache_metrics, auth_keys_metrics,
	                             snapshot_metrics, route_metrics,      files_metrics,
	                             upstream_metrics, spool_metrics,      process_metrics,
	                             loop_metrics,     admin_metrics,      access_metrics,
	                             obs_metrics };

void admin_metrics_begin(Gateway *g)
{
	watched = g;
	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t count;
		const MetricFamily *rows = lists[i](&count);

		metrics_add(rows, count);
	}
}

void gateway_put_metrics(Buf *b)
{
	for (size_t i = 0; i < COUNT(lists); i++) {
		size_t count;
		const MetricFamily *rows = lists[i](&count);

		buf_putc(b, '\n');
		metrics_put_markdown(b, rows, count);
	}
}
