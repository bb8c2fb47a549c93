/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics of the process that are looked up when somebody asks: connections, loops, workers. */
#include "gateway/process_metrics.h"

#include "gateway/watermark.h"
#include "http/server.h"
#include "rt/work.h"

#include <stdio.h>

#define READ(name, value) \
	static void read_##name(MetricOut *out) \
	{ \
		metric_emit(out, NULL, (double)(value)); \
	}
READ(accepted, http_stats().accepted)
READ(conn_refused, http_stats().refused)
READ(handshakes_failed, http_stats().handshakes_failed)
READ(headless, http_stats().headless)
READ(memory_refused, watermark_refused())
READ(timeouts, http_stats().timeouts)
READ(floods, http_stats().floods)
READ(broken, http_stats().broken)
READ(unread, http_stats().unread)
READ(connections, http_stats().connections)
READ(active, http_stats().active)
READ(tunnels, http_stats().tunnels)
READ(accept_paused, listen_stats().paused)
READ(workers_busy, work_stats().busy)
READ(workers_queued, work_stats().queued)
READ(workers_refused, work_stats().refused)

static void read_http_requests(MetricOut *out)
{
	static const Str versions[3] = { S("1"), S("2"), S("refused") };
	HttpStats stats = http_stats();

	for (size_t i = 0; i < COUNT(versions); i++)
		metric_emit(out, &versions[i], (double)stats.requests[i]);
}

static void read_fibers(MetricOut *out)
{
	for (unsigned i = 0; i < rt_loops(); i++) {
		char name[12];

		snprintf(name, sizeof name, "%u", i);
		metric_emit(out, (Str[]){ str_of(name) }, loop_stats(rt_loop(i)).fibers);
	}
}

#define ROW(name_, type_, unit_, help_, read_) \
	{ \
		.name = (name_), .type = METRIC_##type_, .unit = (unit_), .help = (help_), \
		.read = (read_) \
	}
static const MetricFamily families[] = {
	ROW("banyan_connections_accepted_total", COUNTER, "connections",
	    "Connections accepted, admin port included", read_accepted),
	ROW("banyan_connections_refused_total", COUNTER, "connections",
	    "Connections refused at limits.connections or limits.connections_per_address",
	    read_conn_refused),
	ROW("banyan_proxy_headers_refused_total", COUNTER, "connections",
	    "Connections cut for want of a PROXY header, or for one from a peer that is not trusted",
	    read_headless),
	ROW("banyan_memory_refused_total", COUNTER, "requests", "Requests refused at limits.memory",
	    read_memory_refused),
	ROW("banyan_handshakes_failed_total", COUNTER, "connections", "TLS handshakes that failed",
	    read_handshakes_failed),
	ROW("banyan_client_timeouts_total", COUNTER, "connections",
	    "Heads that did not come in time", read_timeouts),
	ROW("banyan_client_floods_total", COUNTER, "connections",
	    "HTTP/2 connections ended for abuse", read_floods),
	ROW("banyan_client_protocol_errors_total", COUNTER, "connections",
	    "HTTP/2 connections ended because the client broke the protocol", read_broken),
	ROW("banyan_client_slow_readers_total", COUNTER, "requests",
	    "Answers given up because the client took nothing of them for limits.write",
	    read_unread),
	ROW("banyan_connections", GAUGE, "connections", "Connections open now", read_connections),
	ROW("banyan_connections_active", GAUGE, "connections", "Connections with a request now",
	    read_active),
	ROW("banyan_tunnels", GAUGE, "connections", "WebSockets and other tunnels open now",
	    read_tunnels),
	ROW("banyan_accept_pauses_total", COUNTER, "pauses",
	    "Times accepting paused for want of file descriptors", read_accept_paused),
	{ "banyan_http_requests_total",
	  METRIC_COUNTER,
	  "requests",
	  "Requests by major version of HTTP; refused: malformed or over a limit",
	  { "version" },
	  read_http_requests },
	{ "banyan_fibers",
	  METRIC_GAUGE,
	  "fibers",
	  "Fibers alive now, by loop",
	  { "loop" },
	  read_fibers },
	ROW("banyan_workers_busy", GAUGE, "threads", "Worker threads at work now",
	    read_workers_busy),
	ROW("banyan_workers_queued", GAUGE, "jobs", "Jobs that wait for a worker now",
	    read_workers_queued),
	ROW("banyan_workers_refused_total", COUNTER, "jobs",
	    "Jobs refused because the queue was full", read_workers_refused),
};

const MetricFamily *process_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}
