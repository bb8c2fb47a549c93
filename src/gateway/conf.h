/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's configuration: plain structs, filled from YAML by the tables in conf.c (which are the manual too) and
 * immutable after that. Strings live in the arena that was given. Times are microseconds. */
#pragma once
#include "base/conf.h"
#include "gateway/address.h"
#include "gateway/balance.h"
#include "gateway/trust.h"

typedef struct TlsFilesConf {
	Str certificate; /* PEM, the chain after the leaf */
	Str key;
} TlsFilesConf;

typedef struct ListenConf {
	AddressConf address;
	CONF_LIST_OF(TlsFilesConf) tls; /* none: plain */
	bool http2;                     /* over TLS, by ALPN */
	bool h2c;                       /* HTTP/2 without TLS, with prior knowledge */
} ListenConf;

typedef struct AdminConf {
	AddressConf address; /* text "off": no admin port */
	bool on;
	Str token;
} AdminConf;

typedef struct ServerConf {
	AddressConf address;
	uint16_t weight;          /* 0: drained */
	uint32_t max_connections; /* of all loops; 0: no limit */
} ServerConf;

typedef struct HealthConf {
	Str path;
	Str host; /* empty: the server's address */
	int64_t interval_us;
	int64_t timeout_us;
	uint32_t fall;
	uint32_t rise;
	Str status;
	uint16_t status_min, status_max; /* of `status` */
} HealthConf;

typedef struct TimeoutsConf {
	int64_t connect_us; /* connection and TLS */
	int64_t head_us;    /* request sent to answer's head */
	int64_t idle_us;    /* between two pieces of a body, both ways */
	int64_t request_us; /* from its arrival to the answer's head, queue and retries included; 0: no limit */
	int64_t tunnel_us; /* a tunnel without a byte either way */
	bool has_connect, has_head, has_idle, has_request, has_tunnel;
} TimeoutsConf;

/* What they mean is said by conf.c's rows. */
typedef enum RetryOn {
	RETRY_CONNECT,
	RETRY_REFUSED,
	RETRY_RESET,
	RETRY_TIMEOUT,
	RETRY_502,
	RETRY_503,
	RETRY_504
} RetryOn;

typedef struct RetryConf {
	uint32_t attempts; /* in all: 1 is no retry */
	CONF_LIST_OF(uint8_t) on;
	uint32_t mask;       /* 1u << RetryOn, of `on` */
	uint32_t budget_ppm; /* retries over requests, with at least budget_min at a time allowed */
	uint32_t budget_min;
} RetryConf;

typedef enum HashOn { HASH_ON_PEER, HASH_ON_HEADER, HASH_ON_COOKIE } HashOn;
typedef enum UpstreamProtocol { UPSTREAM_HTTP1, UPSTREAM_H2 } UpstreamProtocol;
typedef enum HostHeader { HOST_PRESERVE, HOST_SERVER } HostHeader;

typedef struct UpstreamTlsConf {
	bool verify;
	Str ca;          /* PEM; empty: the system's */
	Str server_name; /* empty: the server's host */
} UpstreamTlsConf;

typedef struct KeepaliveConf {
	uint32_t idle_per_loop;
	int64_t idle_us;
	uint32_t requests; /* per connection; 0: no limit */
} KeepaliveConf;

typedef struct QueueConf {
	uint32_t length; /* 0: refuse at once */
	int64_t timeout_us;
} QueueConf;

typedef struct UpstreamConf {
	Str name;
	CONF_LIST_OF(ServerConf) servers; /* at most GATEWAY_SERVERS */
	uint8_t balance;                  /* BalanceKind */
	Str hash_on;
	bool has_hash_on;
	uint8_t hash_kind; /* HashOn, of `hash_on` */
	Str hash_name;     /* of that header or cookie */
	bool has_health;
	HealthConf health;
	TimeoutsConf timeouts;
	RetryConf retry;
	uint8_t protocol; /* UpstreamProtocol */
	bool has_tls;
	UpstreamTlsConf tls;
	KeepaliveConf keepalive;
	uint32_t max_connections; /* of all servers and loops; 0: no limit */
	QueueConf queue;
	uint8_t host_header; /* HostHeader */
} UpstreamConf;

typedef struct MatchConf {
	Str host;                  /* lower case; "*": any; "*.example.org": below it */
	Str path;                  /* "/exact", "/with/{part}", "/below/" then "**" */
	CONF_LIST_OF(Str) methods; /* none: any; GET means HEAD too */
} MatchConf;

typedef struct RouteConf {
	Str name;
	MatchConf match;
	Str to;
	const UpstreamConf *upstream; /* of that name */
	Str strip_prefix;             /* empty, or "/p": taken off the path that goes upstream */
	TimeoutsConf timeouts;        /* what the route does not say is the upstream's */
	uint64_t body_bytes; /* the request's body; the general limit when the route does not say */
	bool has_body;
} RouteConf;

typedef struct LimitsConf {
	uint32_t head_bytes, line_bytes, headers;
	uint64_t body_bytes; /* 0: no limit */
	int64_t head_us, idle_us, body_idle_us, write_us;
	uint64_t body_rate;   /* bytes a second */
	uint32_t connections; /* 0: no limit */
} LimitsConf;

typedef enum AccessTo { ACCESS_OFF, ACCESS_STDOUT, ACCESS_STDERR, ACCESS_FILE } AccessTo;

typedef struct AccessConf {
	Str text;
	uint8_t to; /* AccessTo, of `text` */
	Str path;
	uint8_t format; /* AccessFormat, obs/access.h */
	uint8_t query;  /* AccessQuery, obs/access.h */
} AccessConf;

typedef enum IdTrust { ID_TRUST_NEVER, ID_TRUST_PROXIES, ID_TRUST_ALWAYS } IdTrust;

typedef struct RequestIdConf {
	Str header;
	uint8_t trust; /* IdTrust */
} RequestIdConf;

typedef struct PathsConf {
	bool encoded_slash, keep_double, semicolons; /* as UrlRules, http/url.h */
} PathsConf;

typedef struct ErrorsConf {
	Str html; /* a file; empty: the built-in page */
} ErrorsConf;
typedef struct DrainConf {
	int64_t timeout_us;
} DrainConf;

typedef struct GatewayConf {
	CONF_LIST_OF(ListenConf) listen;
	AdminConf admin;
	CONF_LIST_OF(UpstreamConf) upstreams;
	CONF_LIST_OF(RouteConf) routes;
	LimitsConf limits;
	AccessConf access_log;
	CONF_LIST_OF(Str) trusted_proxies;
	Trust trust; /* of `trusted_proxies` */
	RequestIdConf request_id;
	PathsConf paths;
	ErrorsConf errors;
	DrainConf drain;
	uint32_t threads;           /* 0: as many as processors */
	CONF_LIST_OF(Str) warnings; /* "banyan.yaml:3:5: ...": in order, but worth a look */
} GatewayConf;

enum { GATEWAY_SERVERS = 1024, GATEWAY_ROUTES = 10000 };

/* The rows, for conf_load() with parts of others beside it, `banyan check` and the reference. Its check does all that can
 * be wrong; gateway_conf_finish() after it fills what needs memory (trust, warnings). */
const ConfTable *gateway_conf_table(void);
const ConfTable *gateway_upstream_table(void); /* of one UpstreamConf */
void gateway_conf_finish(Arena *a, Conf *conf, GatewayConf *g);

/* Reads the whole file; fails with "base.file" or INVALID "conf.invalid", conf_mistakes() having them all. Blocks on the
 * disk (the file, and whether TLS files are there). conf is fresh: conf_new(a). */
Err *gateway_conf_load(Arena *a, Conf *conf, Str path, GatewayConf **out) MUST_USE;
/* The same from a text: `name` is what messages call it. */
Err *gateway_conf_read(Arena *a, Conf *conf, Str name, Str text, GatewayConf **out) MUST_USE;
