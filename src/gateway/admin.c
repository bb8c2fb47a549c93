/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin port. One row a page; a page writes its text into a buffer, the rest is the same for all.
 *
 * It listens on loopback unless told otherwise. A browser on the same machine is kept out by looking at Host (a name that
 * is not an address or localhost is refused: DNS rebinding) before anything is answered. */
#include "gateway/admin.h"

#include "base/arena.h"
#include "base/json.h"
#include "gateway/command.h"
#include "gateway/spool.h"
#include "obs/access.h"
#include "rt/work.h"

#include <stdio.h>

struct Admin {
	Arena *arena;
	Gateway *gateway;
	Str token;
	Listener *listener;
	HttpListener *http;
	HttpServer *server;
};

static Err not_found = ERR_STATIC(NOT_FOUND, "admin.unknown",
                                  "there is no such page: /healthz, /readyz, /metrics, /config");
static Err not_get = ERR_STATIC(METHOD, "admin.method", "the admin port takes GET only");
static Err wrong_host =
	ERR_STATIC(MISDIRECTED, "admin.host", "the admin port is asked by address or as localhost");
static Err no_token = ERR_STATIC(UNAUTHENTICATED, "admin.token",
                                 "the admin port wants \"Authorization: Bearer TOKEN\"");
static Err not_ready = ERR_STATIC(BUSY, "admin.not_ready", "the gateway starts or drains");

/* --- pages ---------------------------------------------------------------------------------------------------------- */

static Err *page_health(Gateway *g, Buf *out)
{
	(void)g;
	buf_put(out, S("ok\n"));
	return NULL;
}

static Err *page_ready(Gateway *g, Buf *out)
{
	if (!gateway_is_ready(g))
		return &not_ready;
	buf_put(out, S("ready\n"));
	return NULL;
}

static Err *page_metrics(Gateway *g, Buf *out)
{
	(void)g;
	metrics_put(out);
	return NULL;
}

static Err *page_config(Gateway *g, Buf *out)
{
	Snapshot *snap = gateway_snapshot(g);

	buf_put(out, snap->text);
	snapshot_unref(snap);
	return NULL;
}

static const struct {
	Str path;
	Str type;
	Err *(*write)(Gateway *g, Buf *out);
	bool open; /* no token is asked for */
} pages[] = {
	{ S("/healthz"), S("text/plain; charset=utf-8"), page_health, true },
	{ S("/readyz"), S("text/plain; charset=utf-8"), page_ready, true },
	{ S("/metrics"), S(METRICS_CONTENT_TYPE), page_metrics, false },
	{ S("/config"), S("application/yaml; charset=utf-8"), page_config, false },
};

/* --- the port ------------------------------------------------------------------------------------------------------- */

static bool host_is_ours(Arena *a, Str authority)
{
	Str host;
	uint16_t port;

	if (!authority.len || url_authority(a, authority, &host, &port))
		return false;
	return str_eq(host, S("localhost")) ||
	       str_find_char(host, ':') >= 0 || /* an IPv6 literal */
	       (host.len && host.at[host.len - 1] >= '0' && host.at[host.len - 1] <= '9');
}

static bool same_secret(Str x, Str y)
{
	unsigned char diff = x.len != y.len;

	for (size_t i = 0; i < MIN(x.len, y.len); i++)
		diff |= (unsigned char)(x.at[i] ^ y.at[i]);
	return !diff;
}

static bool may_see(const Admin *admin, const Exchange *x)
{
	Str given = headers_get(&x->request.headers, HTTP_AUTHORIZATION);
	Str scheme = S("Bearer ");

	if (!admin->token.len)
		return true;
	return str_eq_nocase(str_sub(given, 0, scheme.len), scheme) &&
	       same_secret(str_trim(str_sub(given, scheme.len, given.len)), admin->token);
}

static Err *admin_handle(Exchange *x)
{
	Admin *admin = x->listener_arg;
	AUTO(buf_fini) Buf out = { 0 };
	Url url;

	TRY(url_canonical(x->arena, x->request.target, &(UrlRules){ 0 }, &url));
	for (size_t i = 0; i < COUNT(pages); i++) {
		if (!str_eq(url.path, pages[i].path))
			continue;
		if (!str_eq(x->request.method, S("GET")) && !str_eq(x->request.method, S("HEAD")))
			return &not_get;
		if (!pages[i].open && !host_is_ours(x->arena, x->request.authority))
			return &wrong_host;
		if (!pages[i].open && !may_see(admin, x))
			return &no_token;
		TRY(pages[i].write(admin->gateway, &out));
		return http_reply(x, 200, pages[i].type, buf_str(&out));
	}
	return &not_found;
}

static Err *admin_fail(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain; charset=utf-8"),
	                  str_fmt(x->arena, "%.*s\n", STR_ARG(err->text)));
}

static Err *admin_listen(Admin *admin, Str address)
{
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = admin_handle,
		          .fail = admin_fail };
	Addr addr;

	TRY(addr_parse(admin->arena, address, &addr));
	TRY(listener_open(admin->arena, &addr, &admin->listener));
	admin->server = http_server_new(&conf, NULL);
	return http_listen(admin->listener, admin->server, admin, &admin->http);
}

static void admin_register(Gateway *g);

Err *admin_open(Gateway *gateway, const AdminConf *conf, Admin **out)
{
	Arena *a;
	Admin *admin;
	Err *err;

	*out = NULL;
	if (!conf->on)
		return NULL;
	a = arena_new(0);
	admin = ARENA_NEW(a, Admin);
	*admin = (Admin){ .arena = a, .gateway = gateway, .token = str_dup(a, conf->token) };
	admin_register(gateway);
	err = admin_listen(admin, conf->address.text);
	if (err) { /* it must outlive the arena it may lie in */
		static Err failed =
			ERR_STATIC(IO, "admin.listen", "the admin port could not be opened");

		failed.why = NULL;
		admin_close(admin);
		return &failed;
	}
	*out = admin;
	return NULL;
}

void admin_close(Admin *admin)
{
	if (!admin)
		return;
	http_listen_close(admin->http);
	listener_close(admin->listener);
	http_server_unref(admin->server);
	arena_free(admin->arena);
}

const Addr *admin_addr(const Admin *admin)
{
	return admin ? listener_addr(admin->listener) : NULL;
}

/* --- what only a scrape knows --------------------------------------------------------------------------------------- */

/* A scrape's functions get no argument: there is one gateway in a process. */
static Gateway *watched;

#define READ(name, value) \
	static void read_##name(MetricOut *out) \
	{ \
		metric_emit(out, NULL, (double)(value)); \
	}
READ(accepted, http_stats().accepted)
READ(conn_refused, http_stats().refused)
READ(handshakes_failed, http_stats().handshakes_failed)
READ(timeouts, http_stats().timeouts)
READ(floods, http_stats().floods)
READ(connections, http_stats().connections)
READ(active, http_stats().active)
READ(tunnels, http_stats().tunnels)
READ(accept_paused, listen_stats().paused)
READ(workers_busy, work_stats().busy)
READ(workers_queued, work_stats().queued)
READ(workers_refused, work_stats().refused)
READ(reloads, gateway_stats(watched).reloads)
READ(reloads_failed, gateway_stats(watched).reloads_failed)

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

static void each_server(MetricOut *out, double (*value)(const UpstreamServerStats *stats))
{
	Snapshot *snap = gateway_snapshot(watched);

	for (size_t i = 0; i < snap->conf->upstreams.count; i++)
		for (size_t k = 0; k < upstream_servers(snap->upstreams[i]); k++) {
			UpstreamServerStats stats = upstream_server_stats(snap->upstreams[i], k);

			metric_emit(out, (Str[]){ snap->conf->upstreams.at[i].name, stats.name },
			            value(&stats));
		}
	snapshot_unref(snap);
}

static double is_up(const UpstreamServerStats *stats)
{
	return stats->state == BALANCE_UP;
}

static double connections_of(const UpstreamServerStats *stats)
{
	return stats->connections;
}

static void read_server_up(MetricOut *out)
{
	each_server(out, is_up);
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
		            upstream_waiting(snap->upstreams[i]));
	snapshot_unref(snap);
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
	    "Connections refused at limits.connections", read_conn_refused),
	ROW("banyan_handshakes_failed_total", COUNTER, "connections", "TLS handshakes that failed",
	    read_handshakes_failed),
	ROW("banyan_client_timeouts_total", COUNTER, "connections",
	    "Heads that did not come in time", read_timeouts),
	ROW("banyan_client_floods_total", COUNTER, "connections",
	    "HTTP/2 connections ended for abuse", read_floods),
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
	ROW("banyan_reloads_total", COUNTER, "reloads", "Configurations taken over", read_reloads),
	ROW("banyan_reloads_failed_total", COUNTER, "reloads", "Configurations refused",
	    read_reloads_failed),
	{ "banyan_upstream_server_up",
	  METRIC_GAUGE,
	  "boolean",
	  "1 while the server is up by its health checks",
	  { "upstream", "server" },
	  read_server_up },
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
};

const MetricFamily *admin_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* Everything a scrape shows, in this order. */
static MetricList *const lists[] = { snapshot_metrics, route_metrics, upstream_metrics,
	                             spool_metrics,    admin_metrics, access_metrics,
	                             obs_metrics };

static void admin_register(Gateway *g)
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
