/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's configuration: plain structs, filled from YAML by the tables in conf.c (which are the manual too) and
 * immutable after that. Strings live in the arena that was given. Times are microseconds. */
#pragma once
#include "gateway/conf_route.h"
#include "http/admin_openid.h"

typedef struct TlsFilesConf {
	Str certificate; /* PEM, the chain after the leaf */
	Str key;
} TlsFilesConf;

typedef struct ListenConf {
	AddressConf address;
	CONF_LIST_OF(TlsFilesConf) tls; /* none: plain */
	bool http2;                     /* over TLS, by ALPN */
	bool h2c;                       /* HTTP/2 without TLS, with prior knowledge */
	Str client_ca;                  /* PEM file; empty: clients are asked for no certificate */
	bool client_must;
	bool proxy_protocol; /* a PROXY header comes first, from trusted proxies only */
} ListenConf;

typedef struct AdminTokenConf {
	Str name;
	Str token;
	uint8_t role; /* AdminRole, http/admin.h */
} AdminTokenConf;

typedef struct AdminConf {
	AddressConf address; /* text "off": no admin port */
	bool on;
	Str token; /* with every role; who uses it is called "admin" */
	CONF_LIST_OF(AdminTokenConf) tokens;
	AdminOpenidConf openid;
	bool has_openid;
} AdminConf;

typedef struct LimitsConf {
	uint32_t head_bytes, line_bytes, headers;
	uint64_t body_bytes; /* 0: no limit */
	int64_t head_us, idle_us, body_idle_us, write_us;
	uint64_t body_rate;               /* bytes a second */
	uint32_t connections;             /* of all listeners; 0: no limit */
	uint32_t connections_per_address; /* 0: no limit */
	uint64_t memory; /* of the process; above it new requests are refused; 0: no limit */
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

/* W3C Trace Context: the traceparent that servers get. */
typedef struct TraceConf {
	bool on;
	uint8_t trust;       /* IdTrust: whose trace is continued */
	uint32_t sample_ppm; /* of the traces that begin here, how many are marked as sampled */
} TraceConf;

/* How servers are told of the client. */
typedef enum ForwardedForm { FORWARDED_X, FORWARDED_SPEC, FORWARDED_BOTH } ForwardedForm;

typedef struct PathsConf {
	bool encoded_slash, keep_double, semicolons; /* as UrlRules, http/url.h */
} PathsConf;

typedef struct ErrorsConf {
	Str html; /* a file; empty: the built-in page */
} ErrorsConf;
typedef struct DrainConf {
	int64_t timeout_us; /* requests */
	int64_t idle_us;    /* idle connections wait for one more */
	int64_t tunnels_us; /* then they are asked to end */
	int64_t upgrade_us; /* the same after a take-over */
} DrainConf;

enum { GATEWAY_SERVICES_BYTES = 32 << 10, GATEWAY_AUDIT_BYTES = 16 << 10 };

typedef struct GatewayConf {
	Str file; /* that it was read from; empty: none */
	CONF_LIST_OF(ListenConf) listen;
	AdminConf admin;
	CONF_LIST_OF(UpstreamConf) upstreams;
	CONF_LIST_OF(RouteConf) routes;
	bool has_listen, has_routes; /* they stand in the file */
	size_t service_upstreams;    /* of upstreams, the last: `service:NAME`, not in the file */
	union {
		max_align_t align;
		char at[GATEWAY_SERVICES_BYTES];
	} services; /* by the table that main hands over: gateway/services.h */
	union {
		max_align_t align;
		char at[GATEWAY_AUDIT_BYTES];
	} audit; /* the same; the gateway has no use for it, but a slip in it is to be named */
	CONF_LIST_OF(AuthConf) auth;
	LimitsConf limits;
	AccessConf access_log;
	CONF_LIST_OF(Str) trusted_proxies;
	Trust trust; /* of `trusted_proxies` */
	RequestIdConf request_id;
	TraceConf trace;
	uint8_t forwarded; /* ForwardedForm */
	PathsConf paths;
	ErrorsConf errors;
	DrainConf drain;
	bool has_maintenance;
	MaintenanceConf maintenance;
	BufferingConf buffering;
	Str spool_dir;      /* where bodies too large for memory are held */
	uint64_t spool_max; /* bytes of all of them together; 0: no limit */
	bool has_shift;     /* or one of the routes has */
	ShiftAllConf shift;
	Str takeover;     /* "unix:/path", "off"; empty: a name made of the file's */
	bool passthrough; /* the first route takes everything, as it came (passthrough.h) */
	uint32_t threads; /* 0: as many as processors */
	CONF_LIST_OF(Str) warnings; /* "banyan.yaml:3:5: ...": in order, but worth a look */
} GatewayConf;

/* The rows, for conf_load() with parts of others beside it, `banyan check` and the reference. Its check does all that can
 * be wrong; gateway_conf_finish() after it fills what needs memory (trust, warnings). */
const ConfTable *gateway_conf_table(void);
const ConfTable *gateway_admin_table(void);
const ConfTable *gateway_listen_table(void); /* of one listener, ListenConf */
const ConfTable *gateway_route_table(void);  /* of one route, RouteConf */
void gateway_conf_finish(Arena *a, Conf *conf, GatewayConf *g);

/* That table is known: called once, before any configuration is read. Fails with INTERNAL "conf.table". */
Err *gateway_conf_services(Arena *a, const ConfTable *table) MUST_USE;
Err *gateway_conf_audit(Arena *a, const ConfTable *table) MUST_USE; /* likewise */

/* Reads the whole file; fails with "base.file" or INVALID "conf.invalid", conf_mistakes() having them all. Blocks on the
 * disk (the file, and whether TLS files are there). conf is fresh: conf_new(a). */
Err *gateway_conf_load(Arena *a, Conf *conf, Str path, GatewayConf **out) MUST_USE;
/* The same from a text: `name` is what messages call it. */
Err *gateway_conf_read(Arena *a, Conf *conf, Str name, Str text, GatewayConf **out) MUST_USE;
