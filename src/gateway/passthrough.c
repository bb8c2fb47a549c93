/* SPDX-License-Identifier: Apache-2.0
 *
 * Passthrough: a configuration made here, so that the same code serves it as any other, and a flag that leaves targets
 * alone.
 *
 * Off: routes, policies of who may come, rewriting and changes of headers, canonical paths, limits on bodies, their pace and the number of
 * connections, maintenance, buffering, retries, health, ejection, queues and limits of the servers' connections. What HTTP
 * itself wants stays (framing, hop-by-hop fields, heads of a sane size), and so does what the servers have come to rely on:
 * X-Forwarded-For and its kin from the same trusted proxies, the request's id and trace, the Host header, and that nobody but
 * the gateway says who a client is: nobody says it now. */
#include "gateway/passthrough.h"

#include "base/arena.h"
#include "base/json.h"
#include "gateway/gateway.h"
#include "http/message.h"

static Err *no_upstream(Arena *a, Str name)
{
	return err_new(
		a, ERR_INVALID, "gateway.passthrough",
		"--passthrough wants host:port, unix:/path or an upstream of the configuration: "
		"there is no upstream %.*s",
		STR_ARG(str_quote(a, name)));
}

static const UpstreamConf *find_upstream(const GatewayConf *g, Str name)
{
	for (size_t i = 0; g && i < g->upstreams.count; i++)
		if (str_eq(g->upstreams.at[i].name, name))
			return &g->upstreams.at[i];
	return NULL;
}

static Err *read_bare(Arena *a, Str server, Str listen, GatewayConf **out)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, S("listen: [ { address: "));
	json_put_quoted(&b, listen); /* JSON's strings are YAML's */
	buf_put(&b, S(", h2c: on } ]\nadmin: off\n"
	              "limits: { head: 1MiB, line: 64KiB, headers: 1000, body: 0, head_time: 1m,\n"
	              "          body_idle: 1h, write: 1h }\n"
	              "routes: [ { name: passthrough, to: passthrough,\n"
	              "            buffering: { requests: off, answers: off } } ]\n"
	              "upstreams:\n"
	              "  passthrough:\n"
	              "    servers: [ "));
	json_put_quoted(&b, server);
	buf_put(&b,
	        S(" ]\n"
	          "    balance: round_robin\n"
	          "    timeouts: { connect: 10s, head: 1h, idle: 24h, request: 0, tunnel: 168h }\n"
	          "    retry: { attempts: 1 }\n"
	          "    outlier: { failures: 0 }\n"));
	return gateway_conf_read(a, conf_new(a), S("--passthrough"), str_dup(a, buf_str(&b)), out);
}

/* The servers and how they are spoken to; what protects or judges them not. */
static void keep_servers(Arena *a, UpstreamConf *up, const UpstreamConf *from)
{
	up->name = from->name;
	up->servers = from->servers;
	up->servers.at = ARENA_ARRAY(a, ServerConf, from->servers.count);
	for (size_t i = 0; i < from->servers.count; i++) {
		up->servers.at[i] = from->servers.at[i];
		up->servers.at[i].max_connections = 0;
	}
	up->protocol = from->protocol;
	up->has_tls = from->has_tls;
	up->tls = from->tls;
	up->keepalive = from->keepalive;
	up->host_header = from->host_header;
	up->proxy_protocol = from->proxy_protocol;
}

/* Names that clients may not say; no way to be known. */
static void keep_names(Arena *a, GatewayConf *g, const GatewayConf *from)
{
	g->auth.count = from->auth.count;
	g->auth.at = ARENA_ARRAY(a, AuthConf, from->auth.count);
	for (size_t i = 0; i < from->auth.count; i++) {
		const AuthConf *row = &from->auth.at[i];
		AuthConf *kept = &g->auth.at[i];
		IdentityHeaderConf *names =
			ARENA_ARRAY(a, IdentityHeaderConf, row->headers.count + 1);

		for (size_t k = 0; k < row->headers.count; k++)
			names[k] = row->headers.at[k];
		kept->name = row->name;
		kept->headers.at = names;
		kept->headers.count = row->headers.count;
		if (row->has_token && header_id(row->token.header) == HTTP_OTHER)
			names[kept->headers.count++].name = row->token.header;
	}
}

static void keep_process(GatewayConf *g, const GatewayConf *from)
{
	g->listen = from->listen;
	g->admin = from->admin;
	g->access_log = from->access_log;
	g->trusted_proxies = from->trusted_proxies;
	g->trust = from->trust;
	g->request_id = from->request_id;
	g->trace = from->trace;
	g->forwarded = from->forwarded;
	g->errors = from->errors;
	g->drain = from->drain;
	g->spool_dir = from->spool_dir;
	g->takeover = from->takeover;
	g->threads = from->threads;
	g->limits.memory = from->limits.memory;
}

Err *passthrough_load(Arena *a, Conf *conf, const GatewayArgs *args, GatewayConf **out)
{
	Str server = args->passthrough;
	Str listen = args->listen.len ? args->listen : S("127.0.0.1:8080");
	const UpstreamConf *up;
	AddressConf address;
	GatewayConf *file = NULL, *bare;

	if (args->file.len)
		TRY(gateway_conf_load(a, conf, args->file, &file));
	up = find_upstream(file, server);
	if (!up && !address_split(server, &address))
		return no_upstream(a, server);
	TRY(read_bare(a, up ? S("127.0.0.1:1") : server, listen, &bare));
	if (file) {
		keep_process(bare, file);
		keep_names(a, bare, file);
	}
	if (up)
		keep_servers(a, &bare->upstreams.at[0], up);
	bare->passthrough = true;
	*out = bare;
	return NULL;
}
