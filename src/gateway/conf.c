/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's configuration, row by row. What a user may write, what it means and what it is when he does not is here and
 * nowhere else; the manual's page is made of these rows. What no row can say alone (does that upstream exist, can that
 * route ever be taken) is conf_check.c.
 *
 * Defaults are those a careful operator would set for a Python monolith behind the internet: heads of 32 KiB and 100 lines
 * (Django, gunicorn and nginx all stay below), a total time for heads, an idle time for kept upstream connections below
 * gunicorn's 2 s so that no request meets a connection that is just being closed, retries only where nothing can have
 * happened yet and never more than a fifth of the traffic. */
#include "gateway/conf.h"

#include "base/arena.h"
#include "gateway/conf_int.h"
#include "gateway/route.h"
#include "http/message.h"
#include "obs/access.h"

#include <string.h>

static Err *refuse(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s", STR_ARG(str_quote(a, text)), why);
}

static ConfVerify verify_listen, verify_admin, verify_server, verify_host, verify_path,
	verify_method, verify_prefix, verify_health_path, verify_status, verify_hash_on,
	verify_network, verify_id_header, verify_name, verify_log, verify_ca_name;

static const ConfWord balance_words[] = {
	{ "round_robin", BALANCE_ROUND_ROBIN, "one after the other, by weight" },
	{ "least_request", BALANCE_LEAST_REQUEST,
	  "the one with the fewest requests at work for its weight" },
	{ "ewma", BALANCE_EWMA, "the one that is likely to answer first, by what it did lately" },
	{ "hash", BALANCE_HASH, "the same server for the same client: see hash_on" },
	{ 0 },
};

static const ConfWord retry_words[] = {
	{ "connect", RETRY_CONNECT, "no connection within its time" },
	{ "refused", RETRY_REFUSED,
	  "the connection was refused, the host not reached or its name not found" },
	{ "reset", RETRY_RESET,
	  "the connection closed before a byte of the answer came; a request that may not be repeated only when no byte of "
	  "it was sent" },
	{ "timeout", RETRY_TIMEOUT,
	  "the answer's head did not come in time; requests that may be repeated only" },
	{ "502", RETRY_502, "the server answered 502; requests that may be repeated only" },
	{ "503", RETRY_503, "the server answered 503; requests that may be repeated only" },
	{ "504", RETRY_504, "the server answered 504; requests that may be repeated only" },
	{ 0 },
};

static const ConfWord protocol_words[] = {
	{ "http1", UPSTREAM_HTTP1, "HTTP/1.1, one request at a time on a connection" },
	{ "h2", UPSTREAM_H2, "HTTP/2; without tls with prior knowledge" },
	{ 0 },
};

static const ConfWord host_header_words[] = {
	{ "preserve", HOST_PRESERVE,
	  "what the client asked for, as Django's ALLOWED_HOSTS expects" },
	{ "server", HOST_SERVER, "the server's address" },
	{ 0 },
};

static const ConfWord format_words[] = {
	{ "json", ACCESS_JSON,
	  "one object a line, with the field names of the Elastic Common Schema" },
	{ "text", ACCESS_TEXT, "for people" },
	{ 0 },
};

static const ConfWord query_words[] = {
	{ "redact", ACCESS_QUERY_REDACT,
	  "values of parameters that sound like secrets (token, key, code ...) are hidden" },
	{ "keep", ACCESS_QUERY_KEEP, "as it came" },
	{ "drop", ACCESS_QUERY_DROP, "left out" },
	{ 0 },
};

static const ConfWord id_trust_words[] = {
	{ "never", ID_TRUST_NEVER, "every request gets a new one" },
	{ "proxies", ID_TRUST_PROXIES, "the one that a trusted proxy sent is kept" },
	{ "always", ID_TRUST_ALWAYS, "the one that anybody sent is kept" },
	{ 0 },
};

static const ConfKey tls_files_keys[] = {
	{ "certificate", CONF_PATH, AT(TlsFilesConf, certificate), .required = true,
	  .help = "PEM file of the certificate, the chain after it" },
	{ "key", CONF_PATH, AT(TlsFilesConf, key), .required = true,
	  .help = "PEM file of its private key" },
};
static const ConfTable tls_files_table = {
	"certificate", CONF_ROWS(TlsFilesConf, tls_files_keys),
	.help = "one certificate; which one a client gets is chosen by the name it asks for, the first is for the rest"
};

static const ConfKey listen_keys[] = {
	{ "address", CONF_STR, AT(ListenConf, address.text), .required = true,
	  .verify = verify_listen, .value = "ADDRESS",
	  .help = "127.0.0.1:8080, [::1]:8080, :8080 (all addresses) or unix:/path" },
	{ "tls", CONF_OBJECT, AT_LIST(ListenConf, tls), .table = &tls_files_table,
	  .help = "certificates; without them the port is plain" },
	{ "http2", CONF_BOOL, AT(ListenConf, http2), .def = "on",
	  .help = "offer HTTP/2 to clients that come over TLS" },
	{ "h2c", CONF_BOOL, AT(ListenConf, h2c), .def = "off",
	  .help = "take HTTP/2 without TLS from clients that begin with it",
	  .more = "Only for ports that no browser and no other proxy reaches." },
};
static const ConfTable listen_table = { "listener", CONF_ROWS(ListenConf, listen_keys),
	                                .shorthand = "address",
	                                .help = "one address that clients connect to" };

static const ConfKey admin_keys[] = {
	{ "address", CONF_STR, AT(AdminConf, address.text), .def = "127.0.0.1:8081",
	  .verify = verify_admin, .value = "ADDRESS",
	  .help = "where metrics, health and the console are; off: nowhere" },
	{ "token", CONF_STR, AT(AdminConf, token), .secret = true, .min = "16",
	  .help = "what requests must carry as a bearer token",
	  .more = "Needed for addresses that other machines reach." },
};
static const ConfTable admin_table = { "admin", CONF_ROWS(AdminConf, admin_keys),
	                               .shorthand = "address",
	                               .help = "the port for those who run it" };

static const ConfKey server_keys[] = {
	{ "address", CONF_STR, AT(ServerConf, address.text), .required = true,
	  .verify = verify_server, .value = "ADDRESS",
	  .help = "host:port, [::1]:8000 or unix:/path; a host name is looked up again and again" },
	{ "weight", CONF_UINT, AT(ServerConf, weight), .def = "1", .min = "0", .max = "256",
	  .help = "its share of the requests; 0 drains it" },
	{ "max_connections", CONF_UINT, AT(ServerConf, max_connections), .def = "0",
	  .max = "100000",
	  .help = "connections to it at a time, exactly, over all threads; 0: no limit",
	  .more = "For a gunicorn with sync workers: their number." },
};
static const ConfTable server_table = { "server", CONF_ROWS(ServerConf, server_keys),
	                                .shorthand = "address",
	                                .help = "one address of an upstream" };

static const ConfKey health_keys[] = {
	{ "path", CONF_STR, AT(HealthConf, path), .required = true, .verify = verify_health_path,
	  .value = "PATH", .help = "what is asked for, with GET" },
	{ "host", CONF_STR, AT(HealthConf, host), .max = "255",
	  .help = "the Host header; without it the server's address" },
	{ "interval", CONF_DURATION, AT(HealthConf, interval_us), .def = "2s", .min = "100ms",
	  .max = "1h", .help = "time between two checks of one server" },
	{ "timeout", CONF_DURATION, AT(HealthConf, timeout_us), .def = "1s", .min = "10ms",
	  .max = "1m", .help = "time for one check, connection included" },
	{ "fall", CONF_UINT, AT(HealthConf, fall), .def = "3", .min = "1", .max = "100",
	  .help = "failed checks in a row that take a server out",
	  .more = "A server whose checks only come too late is used while no other is up; one that refuses or answers "
	          "wrongly is not." },
	{ "rise", CONF_UINT, AT(HealthConf, rise), .def = "2", .min = "1", .max = "100",
	  .help = "good checks in a row that bring it back" },
	{ "status", CONF_STR, AT(HealthConf, status), .def = "200-399", .verify = verify_status,
	  .value = "STATUS", .help = "statuses that are good: 200 or 200-399" },
};
static const ConfTable health_table = {
	"health", CONF_ROWS(HealthConf, health_keys), .shorthand = "path",
	.help = "regular checks of each server; without them all count as up"
};

static const ConfKey timeouts_keys[] = {
	{ "connect", CONF_DURATION, AT(TimeoutsConf, connect_us), GIVEN(TimeoutsConf, has_connect),
	  .def = "1s", .min = "1ms", .max = "5m",
	  .help = "for a connection to a server, TLS included" },
	{ "head", CONF_DURATION, AT(TimeoutsConf, head_us), GIVEN(TimeoutsConf, has_head),
	  .def = "15s", .min = "1ms", .max = "1h",
	  .help = "from the request's last byte to the head of the answer" },
	{ "idle", CONF_DURATION, AT(TimeoutsConf, idle_us), GIVEN(TimeoutsConf, has_idle),
	  .def = "60s", .min = "1ms", .max = "24h", .help = "between two pieces of a body" },
	{ "request", CONF_DURATION, AT(TimeoutsConf, request_us), GIVEN(TimeoutsConf, has_request),
	  .def = "60s", .max = "24h",
	  .help = "from the request's arrival to the head of its answer, queue and retries included; 0: no limit",
	  .more = "A long answer is not cut by it: that is what idle is for." },
	{ "tunnel", CONF_DURATION, AT(TimeoutsConf, tunnel_us), GIVEN(TimeoutsConf, has_tunnel),
	  .def = "1h", .min = "1ms", .max = "168h",
	  .help = "a WebSocket or another tunnel without a byte either way" },
};
static const ConfTable timeouts_table = { "timeouts", CONF_ROWS(TimeoutsConf, timeouts_keys),
	                                  .help = "how long things may take" };

static const ConfKey retry_keys[] = {
	{ "attempts", CONF_UINT, AT(RetryConf, attempts), .def = "2", .min = "1", .max = "10",
	  .help = "servers that are tried in all, the first included; 1: no retry" },
	{ "on", CONF_ENUM, AT_LIST(RetryConf, on), .names = retry_words,
	  .def = "connect, refused, reset", .help = "what is tried again" },
	{ "budget", CONF_SHARE, AT(RetryConf, budget_ppm), .def = "20%",
	  .help = "retries, at most this share of the requests at work",
	  .more = "Keeps an upstream that is in trouble from being asked twice as much." },
	{ "budget_min", CONF_UINT, AT(RetryConf, budget_min), .def = "3", .max = "1000",
	  .help = "retries at a time that are allowed whatever the share" },
};
static const ConfTable retry_table = { "retry", CONF_ROWS(RetryConf, retry_keys),
	                               .shorthand = "attempts", .help = "trying another server" };

static const ConfKey upstream_tls_keys[] = {
	{ "verify", CONF_BOOL, AT(UpstreamTlsConf, verify), .def = "on",
	  .help = "check the server's certificate and name" },
	{ "ca", CONF_PATH, AT(UpstreamTlsConf, ca),
	  .help = "PEM file of who may sign it; without it the system's" },
	{ "server_name", CONF_STR, AT(UpstreamTlsConf, server_name), .verify = verify_ca_name,
	  .help = "the name to ask for and to check; without it the server's host" },
};
static const ConfTable upstream_tls_table = { "tls", CONF_ROWS(UpstreamTlsConf, upstream_tls_keys),
	                                      .help = "TLS to the servers" };

static const ConfKey keepalive_keys[] = {
	{ "idle_per_loop", CONF_UINT, AT(KeepaliveConf, idle_per_loop), .def = "256",
	  .max = "10000", .help = "idle connections that each thread keeps; 0: none" },
	{ "idle_time", CONF_DURATION, AT(KeepaliveConf, idle_us), .def = "1500ms", .max = "1h",
	  .help = "how long an idle connection is kept",
	  .more = "Must be below the server's own time, or a request meets a connection that is just being closed: "
	          "gunicorn has 2s, uvicorn 5s." },
	{ "requests", CONF_UINT, AT(KeepaliveConf, requests), .def = "0",
	  .help = "requests on one connection; 0: no limit" },
};
static const ConfTable keepalive_table = { "keepalive", CONF_ROWS(KeepaliveConf, keepalive_keys),
	                                   .help = "connections kept for the next request" };

static const ConfKey queue_keys[] = {
	{ "length", CONF_UINT, AT(QueueConf, length), .def = "128", .max = "100000",
	  .help = "requests that may wait for a connection; 0: refused at once with 503" },
	{ "timeout", CONF_DURATION, AT(QueueConf, timeout_us), .def = "5s", .min = "1ms",
	  .max = "10m", .help = "how long one may wait before it is refused with 503" },
};
static const ConfTable queue_table = { "queue", CONF_ROWS(QueueConf, queue_keys),
	                               .shorthand = "length",
	                               .help = "waiting where max_connections is reached" };

static const ConfKey upstream_keys[] = {
	{ "name", CONF_NAME, AT(UpstreamConf, name), .verify = verify_name,
	  .help = "what routes and metrics call it" },
	{ "servers", CONF_OBJECT, AT_LIST(UpstreamConf, servers), .table = &server_table,
	  .required = true, .help = "its addresses" },
	{ "balance", CONF_ENUM, AT(UpstreamConf, balance), .names = balance_words,
	  .def = "least_request", .help = "how one of them is chosen" },
	{ "hash_on", CONF_STR, AT(UpstreamConf, hash_on), GIVEN(UpstreamConf, has_hash_on),
	  .def = "peer", .verify = verify_hash_on, .value = "WHAT",
	  .help = "with balance: hash, what tells clients apart: peer (the client's address), header:NAME or cookie:NAME",
	  .more = "A request without that header or cookie is told apart by its address." },
	{ "max_connections", CONF_UINT, AT(UpstreamConf, max_connections), .def = "0",
	  .max = "1000000",
	  .help = "connections to all its servers at a time, exactly, over all threads; 0: no limit" },
	{ "queue", CONF_OBJECT, AT(UpstreamConf, queue), .table = &queue_table,
	  .help = "waiting where a limit is reached" },
	{ "health", CONF_OBJECT, AT(UpstreamConf, health), GIVEN(UpstreamConf, has_health),
	  .table = &health_table, .help = "regular checks of each server" },
	{ "timeouts", CONF_OBJECT, AT(UpstreamConf, timeouts), .table = &timeouts_table,
	  .help = "how long things may take" },
	{ "retry", CONF_OBJECT, AT(UpstreamConf, retry), .table = &retry_table,
	  .help = "trying another server" },
	{ "keepalive", CONF_OBJECT, AT(UpstreamConf, keepalive), .table = &keepalive_table,
	  .help = "connections kept for the next request" },
	{ "protocol", CONF_ENUM, AT(UpstreamConf, protocol), .names = protocol_words,
	  .def = "http1", .help = "what the servers speak" },
	{ "tls", CONF_OBJECT, AT(UpstreamConf, tls), GIVEN(UpstreamConf, has_tls),
	  .table = &upstream_tls_table, .help = "TLS to the servers; an empty {} turns it on" },
	{ "host_header", CONF_ENUM, AT(UpstreamConf, host_header), .names = host_header_words,
	  .def = "preserve", .help = "the Host header that they see" },
};
static const ConfTable upstream_table = { "upstream", CONF_ROWS(UpstreamConf, upstream_keys),
	                                  .help = "servers that do the same work" };

static const ConfKey match_keys[] = {
	{ "host", CONF_STR, AT(MatchConf, host), .def = "*", .verify = verify_host, .value = "HOST",
	  .help = "shop.example.org, *.example.org (any name below it) or * (any)" },
	{ "path", CONF_STR, AT(MatchConf, path), .def = "/**", .verify = verify_path,
	  .value = "PATH",
	  .help = "/exact, /users/{id} (any one segment) or /api/** (/api and all below it)" },
	{ "methods", CONF_STR, AT_LIST(MatchConf, methods), .verify = verify_method,
	  .value = "METHOD", .help = "GET, POST and so on; without them any. GET means HEAD too" },
};
static const ConfTable match_table = { "match", CONF_ROWS(MatchConf, match_keys),
	                               .shorthand = "path", .help = "what requests a route takes" };

static const ConfKey route_keys[] = {
	{ "name", CONF_STR, AT(RouteConf, name), .required = true, .unique = true,
	  .verify = verify_name, .value = "NAME", .help = "what metrics and logs call it" },
	{ "match", CONF_OBJECT, AT(RouteConf, match), .table = &match_table,
	  .help = "what requests it takes; without it all",
	  .more = "The most exact route takes a request, wherever it stands: hosts before wildcards before any; exact "
	          "paths, then named parts, then the longest prefix; with methods before without; then the order here." },
	{ "to", CONF_STR, AT(RouteConf, to), .required = true, .value = "UPSTREAM",
	  .help = "the upstream that answers" },
	{ "strip_prefix", CONF_STR, AT(RouteConf, strip_prefix), .verify = verify_prefix,
	  .value = "PATH",
	  .help = "the start of the path that is taken off before it goes upstream" },
	{ "timeouts", CONF_OBJECT, AT(RouteConf, timeouts), .table = &timeouts_table,
	  .help = "instead of the upstream's, key by key" },
	{ "body", CONF_BYTES, AT(RouteConf, body_bytes), GIVEN(RouteConf, has_body),
	  .help = "largest body of a request, instead of limits.body; 0: no limit" },
};
static const ConfTable route_table = { "route", CONF_ROWS(RouteConf, route_keys),
	                               .help = "one way through the gateway" };

static const ConfKey limits_keys[] = {
	{ "head", CONF_BYTES, AT(LimitsConf, head_bytes), .def = "32KiB", .min = "1KiB",
	  .max = "1MiB", .help = "the head of a request; more is refused with 431" },
	{ "line", CONF_BYTES, AT(LimitsConf, line_bytes), .def = "8KiB", .min = "512",
	  .max = "64KiB", .help = "its first line; more is refused with 414" },
	{ "headers", CONF_UINT, AT(LimitsConf, headers), .def = "100", .min = "10", .max = "1000",
	  .help = "header lines; more are refused with 431" },
	{ "body", CONF_BYTES, AT(LimitsConf, body_bytes), .def = "100MiB",
	  .help = "the body of a request; more is refused with 413; 0: no limit" },
	{ "head_time", CONF_DURATION, AT(LimitsConf, head_us), .def = "10s", .min = "100ms",
	  .max = "10m", .help = "from the first byte of a head to its last, however it trickles" },
	{ "idle", CONF_DURATION, AT(LimitsConf, idle_us), .def = "75s", .min = "100ms",
	  .max = "24h", .help = "how long a client's connection may wait for its next request" },
	{ "body_idle", CONF_DURATION, AT(LimitsConf, body_idle_us), .def = "30s", .min = "100ms",
	  .max = "1h", .help = "between two pieces of a request's body" },
	{ "write", CONF_DURATION, AT(LimitsConf, write_us), .def = "60s", .min = "100ms",
	  .max = "1h", .help = "how long a client may take nothing of its answer" },
	{ "body_rate", CONF_BYTES, AT(LimitsConf, body_rate), .def = "0",
	  .help = "slowest body of a request, in bytes a second after the first 5s; 0: no limit" },
	{ "connections", CONF_UINT, AT(LimitsConf, connections), .def = "0", .max = "1000000",
	  .help = "connections of each listener at a time; 0: as many as descriptors allow" },
};
static const ConfTable limits_table = { "limits", CONF_ROWS(LimitsConf, limits_keys),
	                                .help = "what clients may send, and how slowly" };

static const ConfKey access_keys[] = {
	{ "to", CONF_STR, AT(AccessConf, text), .def = "stdout", .verify = verify_log,
	  .value = "WHERE",
	  .help = "stdout, stderr, off, or a file's path; SIGUSR1 opens the file anew" },
	{ "format", CONF_ENUM, AT(AccessConf, format), .names = format_words, .def = "json",
	  .help = "what a line looks like" },
	{ "query", CONF_ENUM, AT(AccessConf, query), .names = query_words, .def = "redact",
	  .help = "what becomes of query strings" },
};
static const ConfTable access_table = { "access_log", CONF_ROWS(AccessConf, access_keys),
	                                .shorthand = "to", .help = "one line a request" };

static const ConfKey id_keys[] = {
	{ "header", CONF_STR, AT(RequestIdConf, header), .def = "X-Request-Id",
	  .verify = verify_id_header, .value = "NAME",
	  .help = "the header that carries it, to the upstream and back to the client" },
	{ "trust", CONF_ENUM, AT(RequestIdConf, trust), .names = id_trust_words, .def = "proxies",
	  .help = "whose id is kept" },
};
static const ConfTable id_table = { "request_id", CONF_ROWS(RequestIdConf, id_keys),
	                            .shorthand = "header", .help = "a name for every request" };

static const ConfKey paths_keys[] = {
	{ "encoded_slash", CONF_BOOL, AT(PathsConf, encoded_slash), .def = "off",
	  .help = "let %2F and %5C pass, kept as they are; else such requests are refused" },
	{ "double_slash", CONF_BOOL, AT(PathsConf, keep_double), .def = "off",
	  .help = "keep // apart from /; else merged" },
	{ "dot_parameters", CONF_BOOL, AT(PathsConf, semicolons), .def = "off",
	  .help = "let /..;x/ pass; else such requests are refused" },
};
static const ConfTable paths_table = {
	"paths", CONF_ROWS(PathsConf, paths_keys),
	.help = "what is let pass in paths, for servers that need it"
};

static const ConfKey errors_keys[] = {
	{ "html", CONF_PATH, AT(ErrorsConf, html),
	  .help = "a page for browsers, with {{status}}, {{title}}, {{detail}} and {{request_id}} in it" },
};
static const ConfTable errors_table = { "errors", CONF_ROWS(ErrorsConf, errors_keys),
	                                .shorthand = "html",
	                                .help = "what the gateway's own errors look like" };

static const ConfKey drain_keys[] = {
	{ "timeout", CONF_DURATION, AT(DrainConf, timeout_us), .def = "30s", .max = "24h",
	  .help = "how long running requests and tunnels may finish after SIGTERM" },
};
static const ConfTable drain_table = { "drain", CONF_ROWS(DrainConf, drain_keys),
	                               .shorthand = "timeout",
	                               .help = "ending without dropping anything" };

static const ConfKey gateway_keys[] = {
	{ "listen", CONF_OBJECT, AT_LIST(GatewayConf, listen), .table = &listen_table,
	  .required = true, .help = "addresses that clients connect to" },
	{ "routes", CONF_OBJECT, AT_LIST(GatewayConf, routes), .table = &route_table,
	  .required = true, .help = "which requests go where" },
	{ "upstreams", CONF_OBJECT, AT_MAP(GatewayConf, upstreams), .table = &upstream_table,
	  .required = true, .help = "servers, by a name for each group" },
	{ "admin", CONF_OBJECT, AT(GatewayConf, admin), .table = &admin_table,
	  .help = "the port for those who run it" },
	{ "limits", CONF_OBJECT, AT(GatewayConf, limits), .table = &limits_table,
	  .help = "what clients may send, and how slowly" },
	{ "access_log", CONF_OBJECT, AT(GatewayConf, access_log), .table = &access_table,
	  .help = "one line a request" },
	{ "trusted_proxies", CONF_STR, AT_LIST(GatewayConf, trusted_proxies),
	  .verify = verify_network, .value = "NETWORK",
	  .help = "proxies before this one, whose X-Forwarded headers are believed: 10.0.0.0/8, loopback, private, unix" },
	{ "request_id", CONF_OBJECT, AT(GatewayConf, request_id), .table = &id_table,
	  .help = "a name for every request" },
	{ "paths", CONF_OBJECT, AT(GatewayConf, paths), .table = &paths_table,
	  .help = "what is let pass in paths" },
	{ "errors", CONF_OBJECT, AT(GatewayConf, errors), .table = &errors_table,
	  .help = "what the gateway's own errors look like" },
	{ "drain", CONF_OBJECT, AT(GatewayConf, drain), .table = &drain_table,
	  .help = "ending without dropping anything" },
	{ "threads", CONF_UINT, AT(GatewayConf, threads), .def = "0", .max = "256",
	  .help = "threads that serve; 0: as many as processors" },
};
static const ConfTable gateway_table = { "gateway", CONF_ROWS(GatewayConf, gateway_keys),
	                                 .check = gateway_conf_check, .help = "the gateway" };

const ConfTable *gateway_upstream_table(void)
{
	return &upstream_table;
}

const ConfTable *gateway_conf_table(void)
{
	return &gateway_table;
}

Err *gateway_conf_read(Arena *a, Conf *conf, Str name, Str text, GatewayConf **out)
{
	GatewayConf *g = ARENA_NEW(a, GatewayConf);

	TRY(conf_read(conf, name, text, &(ConfPart){ &gateway_table, g }, 1));
	gateway_conf_finish(a, conf, g);
	*out = g;
	return NULL;
}

Err *gateway_conf_load(Arena *a, Conf *conf, Str path, GatewayConf **out)
{
	GatewayConf *g = ARENA_NEW(a, GatewayConf);

	TRY(conf_load(conf, path, &(ConfPart){ &gateway_table, g }, 1));
	gateway_conf_finish(a, conf, g);
	*out = g;
	return NULL;
}

/* Single values. */

static Err *verify_listen(Arena *a, Str text)
{
	AddressConf address;

	if (!address_split(text, &address))
		return refuse(a, text, "expected address:port, :port or unix:/path");
	if (!address_is_local_form(&address))
		return refuse(
			a, text,
			"a listener needs an address, not a name: write :port for all of them");
	return NULL;
}

static Err *verify_admin(Arena *a, Str text)
{
	return str_eq(text, S("off")) ? NULL : verify_listen(a, text);
}

static Err *verify_server(Arena *a, Str text)
{
	AddressConf address;

	if (!address_split(text, &address))
		return refuse(a, text, "expected host:port or unix:/path");
	if (!address.unix_path.len && (!address.host.len || !address.port))
		return refuse(a, text, "a server needs a host and a port");
	return NULL;
}

static Err *verify_pattern(Arena *a, Str text, const char *mistake)
{
	return mistake ? refuse(a, text, mistake) : NULL;
}

static Err *verify_host(Arena *a, Str text)
{
	return verify_pattern(a, text, route_host_mistake(text));
}

static Err *verify_path(Arena *a, Str text)
{
	return verify_pattern(a, text, route_path_mistake(text));
}

static Err *verify_method(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] >= 'a' && text.at[i] <= 'z')
			return refuse(a, text, "methods are written in upper case");
	if (!http_is_token(text) || text.len > 24 || str_eq(text, S("CONNECT")))
		return refuse(a, text, "it is no method that a route can take");
	return NULL;
}

static Err *verify_prefix(Arena *a, Str text)
{
	const char *mistake = route_path_mistake(text);

	if (mistake)
		return refuse(a, text, mistake);
	if (text.len < 2 || text.at[text.len - 1] == '/' || str_find_char(text, '{') >= 0 ||
	    str_find_char(text, '*') >= 0)
		return refuse(a, text,
		              "expected a plain path such as /api, without a slash at its end");
	return NULL;
}

static Err *verify_health_path(Arena *a, Str text)
{
	if (!text.len || text.at[0] != '/')
		return refuse(a, text, "it must begin with \"/\"");
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '#')
			return refuse(a, text,
			              "blanks, \"#\" and letters beyond ASCII must be escaped");
	return NULL;
}

bool status_range_split(Str text, uint16_t *min, uint16_t *max)
{
	ptrdiff_t dash = str_find_char(text, '-');
	uint64_t from, to;

	if (!str_to_u64(dash < 0 ? text : str_sub(text, 0, (size_t)dash), &from) ||
	    !str_to_u64(dash < 0 ? text : str_sub(text, (size_t)dash + 1, text.len), &to) ||
	    from < 200 || to > 599 || from > to)
		return false;
	*min = (uint16_t)from;
	*max = (uint16_t)to;
	return true;
}

static Err *verify_status(Arena *a, Str text)
{
	uint16_t min, max;

	return status_range_split(text, &min, &max)
	               ? NULL
	               : refuse(a, text, "expected 200 or 200-399, within 200 to 599");
}

bool hash_on_split(Str text, HashOn *kind, Str *name)
{
	*name = S("");
	*kind = HASH_ON_PEER;
	if (str_eq(text, S("peer")))
		return true;
	if (str_starts(text, S("header:")))
		*kind = HASH_ON_HEADER;
	else if (str_starts(text, S("cookie:")))
		*kind = HASH_ON_COOKIE;
	else
		return false;
	*name = str_sub(text, 7, text.len);
	return http_is_token(*name);
}

static Err *verify_hash_on(Arena *a, Str text)
{
	HashOn kind;
	Str name;

	return hash_on_split(text, &kind, &name)
	               ? NULL
	               : refuse(a, text, "expected peer, header:NAME or cookie:NAME");
}

static Err *verify_network(Arena *a, Str text)
{
	return verify_pattern(a, text, trust_mistake(text));
}

/* Not one that frames a message, routes it or says who the client is. */
static Err *verify_id_header(Arena *a, Str text)
{
	HeaderId id = http_is_token(text) ? header_id(text) : HTTP_HOST;

	if ((id != HTTP_OTHER && id != HTTP_X_REQUEST_ID) || str_find_char(text, '_') >= 0)
		return refuse(a, text, "it is no header that can carry an id");
	return NULL;
}

static Err *verify_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !strchr("_.-", c))
			return refuse(a, text,
			              "a name has letters, digits, \"_\", \"-\" and \".\"");
	}
	return text.len && text.len <= 64 ? NULL : refuse(a, text, "a name has 1 to 64 letters");
}

static Err *verify_log(Arena *a, Str text)
{
	bool path = text.len && (text.at[0] == '/' || text.at[0] == '.');

	if (!path && !str_eq(text, S("stdout")) && !str_eq(text, S("stderr")) &&
	    !str_eq(text, S("off")))
		return refuse(
			a, text,
			"expected stdout, stderr, off, or a path that begins with \"/\" or \".\"");
	return NULL;
}

static Err *verify_ca_name(Arena *a, Str text)
{
	const char *mistake =
		str_starts(text, S("*")) ? "it must be one name" : route_host_mistake(text);

	return mistake ? refuse(a, text, mistake) : NULL;
}
