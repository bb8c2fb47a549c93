/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's configuration, row by row. What a user may write, what it means and what it is when he does not is here and
 * nowhere else; the manual's page is made of these rows. Whether a single value is in order is conf_verify.c; what no row
 * can say alone (does that upstream exist, can that route ever be taken) is conf_check.c.
 *
 * Defaults are those a careful operator would set for a Python monolith behind the internet: heads of 32 KiB and 100 lines
 * (Django, gunicorn and nginx all stay below), a total time for heads, an idle time for kept upstream connections below
 * gunicorn's 2 s so that no request meets a connection that is just being closed, retries only where nothing can have
 * happened yet and never more than a fifth of the traffic. */
#include "gateway/conf.h"

#include "base/arena.h"
#include "gateway/balance.h"
#include "gateway/conf_int.h"
#include "gateway/conf_writes.h"
#include "http/admin.h"
#include "obs/access.h"

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
	  "the connection closed before a byte of the answer came; a request that may not be repeated only when the server "
	  "certainly got nothing of it" },
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
	{ "auto", ACCESS_AUTO, "text on a terminal, else json" },
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
	{ "client_ca", CONF_PATH, AT(ListenConf, client_ca),
	  .help = "PEM file of who signs certificates of clients, which are asked for one then" },
	{ "client_must", CONF_BOOL, AT(ListenConf, client_must), .def = "off",
	  .help = "refuse those who have none" },
	{ "http2", CONF_BOOL, AT(ListenConf, http2), .def = "on",
	  .help = "offer HTTP/2 to clients that come over TLS" },
	{ "h2c", CONF_BOOL, AT(ListenConf, h2c), .def = "off",
	  .help = "take HTTP/2 without TLS from clients that begin with it",
	  .more = "Only for ports that no browser and no other proxy reaches." },
	{ "proxy_protocol", CONF_BOOL, AT(ListenConf, proxy_protocol), .def = "off",
	  .help = "connections begin with a PROXY header (version 1 or 2) that says who the client is",
	  .more = "Only trusted_proxies may connect then; others are cut." },
};
static const ConfTable listen_table = { "listener", CONF_ROWS(ListenConf, listen_keys),
	                                .shorthand = "address",
	                                .help = "one address that clients connect to" };

static const ConfWord role_words[] = {
	{ "view", ADMIN_VIEW, "sees everything, changes nothing" },
	{ "operate", ADMIN_OPERATE, "sees, reloads, and moves traffic" },
	{ "approve", ADMIN_APPROVE, "may do everything, and says yes where a second person must" },
	{ 0 },
};

static const ConfKey admin_token_keys[] = {
	{ "name", CONF_STR, AT(AdminTokenConf, name), .required = true, .unique = true,
	  .verify = verify_name, .value = "NAME", .help = "who has it; the journal names them" },
	{ "token", CONF_STR, AT(AdminTokenConf, token), .required = true, .secret = true,
	  .min = "16", .help = "the secret" },
	{ "role", CONF_ENUM, AT(AdminTokenConf, role), .names = role_words, .def = "view",
	  .help = "what they may do" },
};
static const ConfTable admin_token_table = {
	"admin token", CONF_ROWS(AdminTokenConf, admin_token_keys),
	.help = "one person or program that runs the gateway"
};

static const ConfKey admin_keys[] = {
	{ "address", CONF_STR, AT(AdminConf, address.text), .def = "127.0.0.1:8081",
	  .verify = verify_admin, .value = "ADDRESS",
	  .help = "where metrics, health and the console are; off: nowhere" },
	{ "token", CONF_STR, AT(AdminConf, token), .secret = true, .min = "16",
	  .help = "what requests must carry as a bearer token; it may do everything",
	  .more = "This, tokens or openid is needed for addresses that other machines reach." },
	{ "tokens", CONF_OBJECT, AT_LIST(AdminConf, tokens), .table = &admin_token_table,
	  .help = "a token for each who may come, with a name and a role" },
	{ "openid", CONF_OBJECT, AT(AdminConf, openid), GIVEN(AdminConf, has_openid),
	  .table = &admin_openid_table,
	  .help = "people may log in to the console at a provider of OpenID Connect" },
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
	  .help = "from when the request is there, its body included, to the head of its answer, queue and retries included; 0: no limit",
	  .more = "A long answer is not cut by it: that is what idle is for. A slow upload neither: see limits." },
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
	  .help = "retries, at most this share of the requests of the last ten seconds, over all threads",
	  .more = "Keeps an upstream that is in trouble from being asked twice as much. A try after a connection that could not "
	          "be made is not counted: nobody did any work." },
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
	{ "certificate", CONF_PATH, AT(UpstreamTlsConf, certificate),
	  .help = "PEM file of the certificate shown to servers that ask for one" },
	{ "key", CONF_PATH, AT(UpstreamTlsConf, key), .help = "PEM file of its private key" },
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
	{ "unsafe_idle", CONF_DURATION, AT(KeepaliveConf, unsafe_idle_us), .def = "1s", .max = "1h",
	  .help = "a request that may not be repeated (POST) takes no connection that was idle for longer",
	  .more = "It gets a new one instead: should the server be closing the old one just then, nobody could tell whether "
	          "the request was taken." },
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

static const ConfKey outlier_keys[] = {
	{ "failures", CONF_UINT, AT(OutlierConf, failures), .def = "5", .max = "1000",
	  .help = "failed requests in a row that take a server out; 0: never",
	  .more = "A connection that cannot be made, an answer that does not come or is broken, and 502, 503, 504 and 500 "
	          "count." },
	{ "interval", CONF_DURATION, AT(OutlierConf, interval_us), .def = "10s", .min = "100ms",
	  .max = "10m", .help = "how often it is looked who may come back" },
	{ "ejection", CONF_DURATION, AT(OutlierConf, ejection_us), .def = "30s", .min = "100ms",
	  .max = "1h", .help = "how long a server stays out, times how often it was" },
	{ "ejection_max", CONF_DURATION, AT(OutlierConf, ejection_max_us), .def = "5m",
	  .min = "100ms", .max = "24h", .help = "and the longest" },
	{ "max_ejected", CONF_SHARE, AT(OutlierConf, max_ejected_ppm), .def = "10%",
	  .help = "share of the servers that may be out at a time; one always may, unless it is the only one" },
};
static const ConfTable outlier_table = {
	"outlier", CONF_ROWS(OutlierConf, outlier_keys), .shorthand = "failures",
	.help = "servers that fail what they are given are left alone for a while"
};

static const ConfWord proxy_protocol_words[] = {
	{ "off", PROXY_PROTOCOL_OFF, "none" },
	{ "v1", PROXY_PROTOCOL_V1, "a line of text" },
	{ "v2", PROXY_PROTOCOL_V2, "binary" },
	{ 0 },
};

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
	{ "outlier", CONF_OBJECT, AT(UpstreamConf, outlier), .table = &outlier_table,
	  .help = "servers that fail what they are given are left alone for a while" },
	{ "slow_start", CONF_DURATION, AT(UpstreamConf, slow_start_us), .def = "0", .max = "1h",
	  .help = "time over which a server that came back gets its full share again; 0: at once",
	  .more = "Not at the gateway's own start." },
	{ "proxy_protocol", CONF_ENUM, AT(UpstreamConf, proxy_protocol),
	  .names = proxy_protocol_words, .def = "off",
	  .help = "a PROXY header begins each connection, which is then used for one client only" },
};
static const ConfTable upstream_table = { "upstream", CONF_ROWS(UpstreamConf, upstream_keys),
	                                  .help = "servers that do the same work" };

static const ConfKey condition_keys[] = {
	{ "name", CONF_NAME, AT(ConditionConf, name), .verify = verify_condition_name,
	  .help = "of the header, parameter or cookie" },
	{ "is", CONF_STR, AT(ConditionConf, is), GIVEN(ConditionConf, has_is),
	  .help = "the whole value; *: any, as long as it is there" },
	{ "pattern", CONF_STR, AT(ConditionConf, pattern), GIVEN(ConditionConf, has_pattern),
	  .verify = verify_expression, .value = "EXPRESSION",
	  .help = "a regular expression (PCRE2) that is found in the value" },
	{ "absent", CONF_BOOL, AT(ConditionConf, absent), .def = "off",
	  .help = "it must not be there" },
};
static const ConfTable condition_table = { "condition", CONF_ROWS(ConditionConf, condition_keys),
	                                   .shorthand = "is",
	                                   .help = "something that a request must have" };

static const ConfWord scheme_words[] = {
	{ "any", MATCH_ANY_SCHEME, "either" },
	{ "http", MATCH_HTTP, "without TLS" },
	{ "https", MATCH_HTTPS, "with TLS" },
	{ 0 },
};

static const ConfKey match_keys[] = {
	{ "host", CONF_STR, AT(MatchConf, host), .def = "*", .verify = verify_host, .value = "HOST",
	  .help = "shop.example.org, *.example.org (any name below it) or * (any)" },
	{ "path", CONF_STR, AT(MatchConf, path), .def = "/**", .verify = verify_path,
	  .value = "PATH",
	  .help = "/exact, /users/{id} (any one segment), /api/** (/api and all below it) or \"~ EXPRESSION\" (PCRE2)",
	  .more = "It is held against the canonical path. An expression is found anywhere unless it says ^ and $." },
	{ "methods", CONF_STR, AT_LIST(MatchConf, methods), .verify = verify_method,
	  .value = "METHOD", .help = "GET, POST and so on; without them any. GET means HEAD too" },
	{ "headers", CONF_OBJECT, AT_MAP(MatchConf, headers), .table = &condition_table,
	  .help = "headers, by name, and what they must be",
	  .more = "As the client sent them, so they are no proof of anything. Of several lines any will do." },
	{ "query", CONF_OBJECT, AT_MAP(MatchConf, query), .table = &condition_table,
	  .help = "parameters of the query, by name; decoded, + being a blank" },
	{ "cookies", CONF_OBJECT, AT_MAP(MatchConf, cookies), .table = &condition_table,
	  .help = "cookies, by name" },
	{ "scheme", CONF_ENUM, AT(MatchConf, scheme), .names = scheme_words, .def = "any",
	  .help = "how the client came: as a trusted proxy says, else whether the connection has TLS" },
};
static const ConfTable match_table = { "match", CONF_ROWS(MatchConf, match_keys),
	                               .shorthand = "path", .help = "what requests a route takes" };

static const ConfWord query_rule_words[] = {
	{ "drop", false, "left out" },
	{ "keep", true, "appended, unless the template has one" },
	{ 0 },
};

static const ConfKey redirect_keys[] = {
	{ "to", CONF_STR, AT(RedirectConf, to), .required = true, .verify = verify_template,
	  .value = "TEMPLATE", .help = "where to: https://{host}{path}, /new/{id}, /new/{rest}",
	  .more = "Parts of the path and of regular expressions stand under their names; {rest} is what ** took." },
	{ "status", CONF_UINT, AT(RedirectConf, status), .def = "308", .min = "301", .max = "308",
	  .help = "301, 302, 303, 307 or 308" },
	{ "query", CONF_ENUM, AT(RedirectConf, keep_query), .names = query_rule_words,
	  .def = "keep", .help = "what becomes of the query" },
};
static const ConfTable redirect_table = { "redirect", CONF_ROWS(RedirectConf, redirect_keys),
	                                  .shorthand = "to",
	                                  .help = "the client is sent elsewhere" };

static const ConfKey answer_keys[] = {
	{ "status", CONF_UINT, AT(AnswerConf, status), .def = "200", .min = "200", .max = "599",
	  .help = "its status" },
	{ "type", CONF_STR, AT(AnswerConf, type), .def = "text/plain; charset=utf-8",
	  .verify = verify_field_value, .help = "its Content-Type" },
	{ "body", CONF_STR, AT(AnswerConf, body), .help = "what it says" },
	{ "file", CONF_PATH, AT(AnswerConf, file),
	  .help = "a file, of at most 1MiB, that says it instead; read at the start and at a reload" },
};
static const ConfTable answer_table = { "answer", CONF_ROWS(AnswerConf, answer_keys),
	                                .shorthand = "body",
	                                .help = "always the same answer, from the gateway itself" };

static const ConfKey files_keys[] = {
	{ "dir", CONF_PATH, AT(FilesConf, dir), .required = true, .value = "DIR",
	  .help = "the folder; what a route's ** or strip_prefix leaves of the path is looked for below it" },
	{ "index", CONF_STR, AT_LIST(FilesConf, index), .def = "index.html",
	  .verify = verify_index_name, .help = "files that stand for a folder" },
	{ "fallback", CONF_STR, AT(FilesConf, fallback), .verify = verify_health_path,
	  .value = "PATH",
	  .help = "the file that is given for what is not there, as single pages want" },
	{ "cache", CONF_STR, AT(FilesConf, cache), .verify = verify_field_value,
	  .help = "their Cache-Control" },
	{ "precompressed", CONF_BOOL, AT(FilesConf, precompressed), .def = "on",
	  .help = "give FILE.br or FILE.gz, where they are, to clients that take them" },
};
static const ConfTable files_table = { "files", CONF_ROWS(FilesConf, files_keys),
	                               .shorthand = "dir",
	                               .help = "static files, never from outside their folder" };

static const ConfKey sendfile_keys[] = {
	{ "dir", CONF_PATH, AT(SendfileConf, dir), .required = true, .value = "DIR",
	  .help = "the folder that nothing is given from outside of" },
	{ "prefix", CONF_STR, AT(SendfileConf, prefix), .def = "/", .verify = verify_health_path,
	  .value = "PATH", .help = "the start of X-Accel-Redirect that stands for it" },
};
static const ConfTable sendfile_table = {
	"sendfile", CONF_ROWS(SendfileConf, sendfile_keys), .shorthand = "dir",
	.help = "files that an upstream names in X-Accel-Redirect or X-Sendfile are given in its place"
};

static const ConfKey maintenance_keys[] = {
	{ "on", CONF_BOOL, AT(MaintenanceConf, on), .def = "on", .help = "is it?" },
	{ "status", CONF_UINT, AT(MaintenanceConf, status), .def = "503", .min = "200",
	  .max = "599", .help = "status of the answer" },
	{ "retry_after", CONF_DURATION, AT(MaintenanceConf, retry_after_us), .def = "5m",
	  .max = "168h", .help = "when clients are told to come back; 0: they are not" },
	{ "html", CONF_PATH, AT(MaintenanceConf, html),
	  .help = "a page for browsers, with the same places as that of errors" },
	{ "allow", CONF_STR, AT_LIST(MaintenanceConf, allow), .verify = verify_network,
	  .value = "NETWORK", .help = "clients that go on as ever" },
};
static const ConfTable maintenance_table = { "maintenance",
	                                     CONF_ROWS(MaintenanceConf, maintenance_keys),
	                                     .shorthand = "on",
	                                     .help = "closed for a while, and saying so" };

static const ConfKey route_limits_keys[] = {
	{ "body_idle", CONF_DURATION, AT(RouteLimitsConf, body_idle_us),
	  GIVEN(RouteLimitsConf, has_body_idle), .min = "100ms", .max = "24h",
	  .help = "between two pieces of a request's body" },
	{ "write", CONF_DURATION, AT(RouteLimitsConf, write_us), GIVEN(RouteLimitsConf, has_write),
	  .min = "100ms", .max = "24h",
	  .help = "how long a client may take nothing of its answer" },
	{ "body_rate", CONF_BYTES, AT(RouteLimitsConf, body_rate),
	  GIVEN(RouteLimitsConf, has_body_rate),
	  .help = "slowest body of a request, in bytes a second after the first 5s; 0: no limit" },
};
static const ConfTable route_limits_table = { "limits",
	                                      CONF_ROWS(RouteLimitsConf, route_limits_keys),
	                                      .help = "instead of the general ones, key by key" };

static const ConfWord buffering_words[] = {
	{ "auto", BUFFERING_AUTO,
	  "held, but for event streams, gRPC, upgrades and what says X-Accel-Buffering: no" },
	{ "off", BUFFERING_OFF, "passed on as it comes" },
	{ 0 },
};

static const ConfKey buffering_keys[] = {
	{ "requests", CONF_ENUM, AT(BufferingConf, requests), GIVEN(BufferingConf, has_requests),
	  .names = buffering_words, .def = "auto",
	  .help = "bodies of requests, before a server is chosen" },
	{ "answers", CONF_ENUM, AT(BufferingConf, answers), GIVEN(BufferingConf, has_answers),
	  .names = buffering_words, .def = "auto",
	  .help = "bodies of answers, towards clients slower than the server" },
	{ "memory", CONF_BYTES, AT(BufferingConf, memory), GIVEN(BufferingConf, has_memory),
	  .def = "64KiB", .min = "4KiB", .max = "16MiB",
	  .help = "how much of one body is held in memory" },
	{ "file", CONF_BYTES, AT(BufferingConf, file), GIVEN(BufferingConf, has_file),
	  .def = "1GiB", .help = "and how much more in a file; 0: none",
	  .more = "A request's body that is larger is passed on while it comes, an answer waits for its client then." },
};
static const ConfTable buffering_table = {
	"buffering", CONF_ROWS(BufferingConf, buffering_keys),
	.help = "bodies held here, so that no slow client keeps one of a server's workers"
};

static const ConfKey route_keys[] = {
	{ "name", CONF_STR, AT(RouteConf, name), .required = true, .unique = true,
	  .verify = verify_name, .value = "NAME", .help = "what metrics and logs call it" },
	{ "match", CONF_OBJECT, AT(RouteConf, match), .table = &match_table,
	  .help = "what requests it takes; without it all",
	  .more = "The most exact route takes a request, wherever it stands: hosts before wildcards before any; exact "
	          "paths, then named parts, then the longest prefix, then expressions in the order here, then /**; more "
	          "conditions (methods, scheme, headers, query, cookies) before fewer; then the order here." },
	{ "to", CONF_STR, AT(RouteConf, to), GIVEN(RouteConf, has_to), .value = "UPSTREAM",
	  .help = "the upstream that answers",
	  .more = "Each route has one of to, files, redirect and answer; with files and to, requests for files that are not "
	          "there go to the upstream, and so does what reads nothing (POST)." },
	{ "old", CONF_STR, AT(RouteConf, old), GIVEN(RouteConf, has_old), .value = "UPSTREAM",
	  .help = "instead of to: the side that answers today" },
	{ "new", CONF_STR, AT(RouteConf, new), GIVEN(RouteConf, has_new), .value = "UPSTREAM",
	  .help = "the side that is to answer; `banyan shift` moves users there" },
	{ "shift", CONF_OBJECT, AT(RouteConf, shift), GIVEN(RouteConf, has_shift),
	  .table = &shift_conf_table, .help = "how it moves from old to new" },
	{ "reshape", CONF_OBJECT, AT(RouteConf, reshape), GIVEN(RouteConf, has_reshape),
	  .table = &reshape_conf_table,
	  .help = "what of requests and answers is changed where the new side has another form" },
	{ "writes", CONF_OBJECT, AT(RouteConf, writes), .table = &writes_conf_table,
	  .help = "where requests that change something go, while the route has two sides" },
	{ "files", CONF_OBJECT, AT(RouteConf, files), GIVEN(RouteConf, has_files),
	  .table = &files_table, .help = "a folder of static files" },
	{ "redirect", CONF_OBJECT, AT(RouteConf, redirect), GIVEN(RouteConf, has_redirect),
	  .table = &redirect_table, .help = "another address" },
	{ "answer", CONF_OBJECT, AT(RouteConf, answer), GIVEN(RouteConf, has_answer),
	  .table = &answer_table, .help = "an answer of the gateway's own" },
	{ "auth", CONF_STR, AT(RouteConf, auth), .value = "POLICY",
	  .help = "who may come: the name of a policy; without it anybody" },
	{ "allow", CONF_STR, AT(RouteConf, allow), .value = "RULE",
	  .help = "what must be so besides: sub == path.id or \"admin\" in roles" },
	{ "strip_prefix", CONF_STR, AT(RouteConf, strip_prefix), .verify = verify_prefix,
	  .value = "PATH",
	  .help = "the start of the path that is taken off before it goes upstream" },
	{ "rewrite", CONF_STR, AT(RouteConf, rewrite), .verify = verify_rewrite,
	  .value = "TEMPLATE",
	  .help = "the path that goes upstream: /v2/users/{id}, /old{rest}; the query stays" },
	{ "request_headers", CONF_OBJECT, AT(RouteConf, request_headers),
	  .table = &fields_conf_table, .help = "what is changed in the headers that go upstream" },
	{ "response_headers", CONF_OBJECT, AT(RouteConf, response_headers),
	  .table = &fields_conf_table, .help = "what is changed in the headers of the answer" },
	{ "sendfile", CONF_OBJECT, AT(RouteConf, sendfile), GIVEN(RouteConf, has_sendfile),
	  .table = &sendfile_table,
	  .help = "files that the upstream may name in X-Accel-Redirect or X-Sendfile" },
	{ "maintenance", CONF_OBJECT, AT(RouteConf, maintenance), GIVEN(RouteConf, has_maintenance),
	  .table = &maintenance_table, .help = "closed for a while, and saying so" },
	{ "timeouts", CONF_OBJECT, AT(RouteConf, timeouts), .table = &timeouts_table,
	  .help = "instead of the upstream's, key by key" },
	{ "body", CONF_BYTES, AT(RouteConf, body_bytes), GIVEN(RouteConf, has_body),
	  .help = "largest body of a request, instead of limits.body; 0: no limit" },
	{ "limits", CONF_OBJECT, AT(RouteConf, limits), .table = &route_limits_table,
	  .help = "instead of the general ones, key by key" },
	{ "retry", CONF_OBJECT, AT(RouteConf, retry), GIVEN(RouteConf, has_retry),
	  .table = &retry_table, .help = "instead of the upstream's" },
	{ "buffering", CONF_OBJECT, AT(RouteConf, buffering), .table = &buffering_table,
	  .help = "instead of the general one, key by key" },
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
	  .help = "connections of clients at a time, over all listeners; 0: as many as descriptors allow" },
	{ "connections_per_address", CONF_UINT, AT(LimitsConf, connections_per_address), .def = "0",
	  .max = "1000000",
	  .help = "connections of one client at a time: of one IPv4 address, of one IPv6 network of 64 bits; 0: no limit",
	  .more = "trusted_proxies are not counted." },
	{ "memory", CONF_BYTES, AT(LimitsConf, memory), .def = "0",
	  .help = "memory of the process above which new requests are refused with 503; 0: no limit" },
};
static const ConfTable limits_table = { "limits", CONF_ROWS(LimitsConf, limits_keys),
	                                .help = "what clients may send, and how slowly" };

static const ConfKey access_keys[] = {
	{ "to", CONF_STR, AT(AccessConf, text), .def = "stdout", .verify = verify_log,
	  .value = "WHERE",
	  .help = "stdout, stderr, off, or a file's path; SIGUSR1 opens the file anew" },
	{ "format", CONF_ENUM, AT(AccessConf, format), .names = format_words, .def = "auto",
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

static const ConfKey trace_keys[] = {
	{ "on", CONF_BOOL, AT(TraceConf, on), .def = "on",
	  .help = "off: traceparent passes as it comes, and none is made" },
	{ "trust", CONF_ENUM, AT(TraceConf, trust), .names = id_trust_words, .def = "proxies",
	  .help = "whose trace is continued; others begin a new one" },
	{ "sample", CONF_SHARE, AT(TraceConf, sample_ppm), .def = "100%",
	  .help = "how many of the traces that begin here are marked as sampled",
	  .more = "Servers whose sampling follows the caller's record those and no others." },
};
static const ConfTable trace_table = {
	"trace", CONF_ROWS(TraceConf, trace_keys), .shorthand = "on",
	.help = "W3C traceparent: a trace is continued or begun, with a span of the gateway's own"
};

static const ConfWord forwarded_words[] = {
	{ "x_forwarded", FORWARDED_X, "X-Forwarded-For, -Proto, -Host, -Port and X-Real-IP" },
	{ "rfc7239", FORWARDED_SPEC, "Forwarded" },
	{ "both", FORWARDED_BOTH, "all of them" },
	{ 0 },
};

/* Its rows are other features': filled in once, by main, before anything is read. */
static ConfTable services_table = {
	"services", .size = GATEWAY_SERVICES_BYTES,
	.help = "services that run in this process, or are reached by it"
};

static ConfTable audit_table = { "audit", .size = GATEWAY_AUDIT_BYTES, .open = true,
	                         .help = "what `banyan audit` and `banyan gate` go by" };

static const ConfKey gateway_keys[] = {
	{ "listen", CONF_OBJECT, AT_LIST(GatewayConf, listen), GIVEN(GatewayConf, has_listen),
	  .table = &listen_table,
	  .help = "addresses that clients connect to; needed, unless there are services only" },
	{ "routes", CONF_OBJECT, AT_LIST(GatewayConf, routes), GIVEN(GatewayConf, has_routes),
	  .table = &route_table,
	  .help = "which requests go where; needed, unless there are services only" },
	{ "upstreams", CONF_OBJECT, AT_MAP(GatewayConf, upstreams), .table = &upstream_table,
	  .help = "servers, by a name for each group" },
	{ "auth", CONF_OBJECT, AT_MAP(GatewayConf, auth), .table = &auth_conf_table,
	  .help = "policies of who may come, by name" },
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
	{ "trace", CONF_OBJECT, AT(GatewayConf, trace), .table = &trace_table,
	  .help = "a trace for every request" },
	{ "forwarded", CONF_ENUM, AT(GatewayConf, forwarded), .names = forwarded_words,
	  .def = "x_forwarded", .help = "how servers are told who the client is" },
	{ "paths", CONF_OBJECT, AT(GatewayConf, paths), .table = &paths_conf_table,
	  .help = "what is let pass in paths" },
	{ "errors", CONF_OBJECT, AT(GatewayConf, errors), .table = &errors_conf_table,
	  .help = "what the gateway's own errors look like" },
	{ "drain", CONF_OBJECT, AT(GatewayConf, drain), .table = &drain_conf_table,
	  .help = "ending without dropping anything" },
	{ "maintenance", CONF_OBJECT, AT(GatewayConf, maintenance),
	  GIVEN(GatewayConf, has_maintenance), .table = &maintenance_table,
	  .help = "all routes that have none of their own closed for a while" },
	{ "buffering", CONF_OBJECT, AT(GatewayConf, buffering), .table = &buffering_table,
	  .help = "bodies held here, so that no slow client keeps one of a server's workers" },
	{ "spool_dir", CONF_PATH, AT(GatewayConf, spool_dir), .def = "/tmp", .value = "DIR",
	  .help = "where bodies too large for memory are held, in files without a name" },
	{ "spool_max", CONF_BYTES, AT(GatewayConf, spool_max), .def = "10GiB",
	  .help = "bytes of all those files together; beyond it bodies pass on as they come; 0: no limit" },
	{ "shift", CONF_OBJECT, AT(GatewayConf, shift), GIVEN(GatewayConf, has_shift),
	  .table = &shift_all_conf_table, .help = "what all moves of routes share" },
	{ "services", CONF_OBJECT, AT(GatewayConf, services), .table = &services_table,
	  .help = "services that run in this process, or are reached by it",
	  .more = "A route names one as its upstream: `to: service:user`." },
	{ "audit", CONF_OBJECT, AT(GatewayConf, audit), .table = &audit_table,
	  .help = "what `banyan audit` and `banyan gate` go by; no business of the gateway" },
	{ "takeover", CONF_STR, AT(GatewayConf, takeover), .verify = verify_takeover,
	  .value = "ADDRESS",
	  .help = "where `banyan serve --takeover` asks for the listening sockets: unix:/path, or off",
	  .more = "Only processes of the same user are answered. Without it a name that is made of the user and the "
	          "configuration file's path, which leaves nothing on the disk (an abstract socket)." },
	{ "threads", CONF_UINT, AT(GatewayConf, threads), .def = "0", .max = "256",
	  .help = "threads that serve; 0: as many as processors" },
};
static const ConfTable gateway_table = { "gateway", CONF_ROWS(GatewayConf, gateway_keys),
	                                 .check = gateway_conf_check, .help = "the gateway" };

const ConfTable *gateway_upstream_table(void)
{
	return &upstream_table;
}

const ConfTable *gateway_listen_table(void)
{
	return &listen_table;
}

const ConfTable *gateway_route_table(void)
{
	return &route_table;
}

const ConfTable *gateway_admin_table(void)
{
	return &admin_table;
}

static Err *hand_over(Arena *a, const ConfTable *table, ConfTable *into)
{
	if (table->size != into->size)
		return err_new(a, ERR_INTERNAL, "conf.table", "%s: %zu bytes, not %zu", into->name,
		               into->size, table->size);
	*into = *table;
	return NULL;
}

Err *gateway_conf_services(Arena *a, const ConfTable *table)
{
	return hand_over(a, table, &services_table);
}

Err *gateway_conf_audit(Arena *a, const ConfTable *table)
{
	return hand_over(a, table, &audit_table);
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
	g->file = path;
	gateway_conf_finish(a, conf, g);
	*out = g;
	return NULL;
}
