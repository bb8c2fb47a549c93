/* SPDX-License-Identifier: Apache-2.0
 *
 * A configuration with one of everything that conf.h can say, for its unit tests and its fuzz target. */
#pragma once
#include "base/conf.h"

#include <string.h>

typedef struct SampleTls {
	Str certificate, key;
} SampleTls;

typedef struct SampleListen {
	Str address;
	bool has_tls;
	SampleTls tls;
} SampleListen;

typedef struct SampleServer {
	Str address;
	uint16_t weight;
	uint32_t max_connections;
} SampleServer;

typedef struct SampleHealth {
	Str path;
	int64_t interval_us;
	uint8_t fall;
} SampleHealth;

typedef struct SampleUpstream {
	Str name;
	CONF_LIST_OF(SampleServer) servers;
	uint8_t balance;
	bool has_health;
	SampleHealth health;
	CONF_LIST_OF(uint32_t) on;
	uint32_t budget_ppm;
	Str token, note, header;
	bool header_outside;
} SampleUpstream;

typedef struct SampleRoute {
	Str name, path;
	CONF_LIST_OF(Str) methods;
	Str to;
} SampleRoute;

typedef struct SampleHeader {
	Str name, value;
} SampleHeader;

typedef struct Sample {
	CONF_LIST_OF(SampleListen) listen;
	CONF_LIST_OF(SampleUpstream) upstreams;
	CONF_LIST_OF(SampleRoute) routes;
	CONF_LIST_OF(SampleHeader) headers;
	uint64_t body_bytes;
	int32_t offset;
	double alpha;
	bool strict;
	Str log;
} Sample;

static inline Err *sample_verify_address(Arena *a, Str text)
{
	if (str_find_char(text, ':') < 0)
		return err_new(a, ERR_INVALID, "sample.address", "%.*s has no port",
		               STR_ARG(str_quote(a, text)));
	return NULL;
}

static const ConfKey sample_tls_keys[] = {
	{ "certificate", CONF_PATH, AT(SampleTls, certificate), .required = true,
	  .help = "PEM file, the chain after the leaf" },
	{ "key", CONF_PATH, AT(SampleTls, key), .required = true, .help = "PEM file" },
};
static const ConfTable sample_tls = { "tls", CONF_ROWS(SampleTls, sample_tls_keys) };

static const ConfKey sample_listen_keys[] = {
	{ "address", CONF_STR, AT(SampleListen, address), .required = true,
	  .verify = sample_verify_address, .help = "host:port" },
	{ "tls", CONF_OBJECT, AT(SampleListen, tls), GIVEN(SampleListen, has_tls),
	  .table = &sample_tls, .help = "speak TLS" },
};
static const ConfTable sample_listen = { "listener", CONF_ROWS(SampleListen, sample_listen_keys) };

static const ConfKey sample_server_keys[] = {
	{ "address", CONF_STR, AT(SampleServer, address), .required = true,
	  .verify = sample_verify_address, .help = "host:port" },
	{ "weight", CONF_UINT, AT(SampleServer, weight), .def = "1", .max = "1000",
	  .help = "its share of requests" },
	{ "max_connections", CONF_UINT, AT(SampleServer, max_connections),
	  .help = "at most; 0: any" },
};
static const ConfTable sample_server = { "server", CONF_ROWS(SampleServer, sample_server_keys),
	                                 .shorthand = "address", .help = "One address" };

static const ConfKey sample_health_keys[] = {
	{ "path", CONF_STR, AT(SampleHealth, path), .def = "/", .min = "1", .max = "100",
	  .help = "what is asked for" },
	{ "interval", CONF_DURATION, AT(SampleHealth, interval_us), .def = "2s", .min = "100ms",
	  .max = "1h", .help = "from one check to the next" },
	{ "fall", CONF_UINT, AT(SampleHealth, fall), .def = "3", .min = "1", .help = "failures" },
};
static const ConfTable sample_health = { "health", CONF_ROWS(SampleHealth, sample_health_keys) };

static const ConfWord sample_balances[] = { { "round_robin", 0, "in turn" },
	                                    { "least_request", 1, "the least busy" },
	                                    { "hash", 7, "by key" },
	                                    { 0 } };
static const ConfWord sample_reasons[] = { { "connect", 0, "no connection" },
	                                   { "reset", 1, "it was reset" },
	                                   { 0 } };

static const ConfKey sample_upstream_keys[] = {
	{ "name", CONF_NAME, AT(SampleUpstream, name), .max = "20", .help = "what routes call it" },
	{ "servers", CONF_OBJECT, AT_LIST(SampleUpstream, servers), .table = &sample_server,
	  .required = true, .help = "its addresses" },
	{ "balance", CONF_ENUM, AT(SampleUpstream, balance), .names = sample_balances,
	  .def = "least_request", .help = "who is next" },
	{ "health", CONF_OBJECT, AT(SampleUpstream, health), GIVEN(SampleUpstream, has_health),
	  .table = &sample_health, .help = "checks" },
	{ "on", CONF_ENUM, AT_LIST(SampleUpstream, on), .names = sample_reasons,
	  .def = "connect, reset", .help = "what is tried again" },
	{ "budget", CONF_SHARE, AT(SampleUpstream, budget_ppm), .def = "20%",
	  .help = "of requests" },
	{ "token", CONF_STR, AT(SampleUpstream, token), .secret = true, .help = "a password" },
	{ "note", CONF_STR, AT(SampleUpstream, note), .expand = true, .help = "anything" },
	{ "header", CONF_STR, AT(SampleUpstream, header), OUTSIDE(SampleUpstream, header_outside),
	  .max = "20", .help = "a secret or none" },
};
static const ConfTable sample_upstream = { "upstream",
	                                   CONF_ROWS(SampleUpstream, sample_upstream_keys) };

static const ConfKey sample_route_keys[] = {
	{ "name", CONF_STR, AT(SampleRoute, name), .unique = true, .help = "for metrics" },
	{ "path", CONF_STR, AT(SampleRoute, path), .def = "/**", .help = "which paths" },
	{ "methods", CONF_STR, AT_LIST(SampleRoute, methods), .help = "which methods; none: any" },
	{ "to", CONF_STR, AT(SampleRoute, to), .required = true, .help = "an upstream's name" },
};
static const ConfTable sample_route = { "route", CONF_ROWS(SampleRoute, sample_route_keys) };

static const ConfKey sample_header_keys[] = {
	{ "name", CONF_NAME, AT(SampleHeader, name), .help = "the header's name" },
	{ "value", CONF_STR, AT(SampleHeader, value), .required = true, .help = "what it says" },
};
static const ConfTable sample_header = { "header", CONF_ROWS(SampleHeader, sample_header_keys),
	                                 .shorthand = "value" };

static inline void sample_check(Conf *conf, void *object)
{
	Sample *s = object;

	for (size_t i = 0; i < s->routes.count; i++) {
		bool known = false;

		for (size_t k = 0; k < s->upstreams.count; k++)
			known |= str_eq(s->upstreams.at[k].name, s->routes.at[i].to);
		if (!known)
			conf_mistake(conf, &s->routes.at[i].to, "no upstream is called \"%.*s\"",
			             STR_ARG(s->routes.at[i].to));
	}
}

static const ConfKey sample_keys[] = {
	{ "listen", CONF_OBJECT, AT_LIST(Sample, listen), .table = &sample_listen, .required = true,
	  .help = "where connections are taken" },
	{ "upstreams", CONF_OBJECT, AT_MAP(Sample, upstreams), .table = &sample_upstream,
	  .help = "groups of servers" },
	{ "routes", CONF_OBJECT, AT_LIST(Sample, routes), .table = &sample_route,
	  .help = "what goes where" },
	{ "headers", CONF_OBJECT, AT_MAP(Sample, headers), .table = &sample_header,
	  .help = "added to answers" },
	{ "body", CONF_BYTES, AT(Sample, body_bytes), .def = "10MiB", .min = "1k", .max = "1GiB",
	  .help = "of a request" },
	{ "offset", CONF_INT, AT(Sample, offset), .min = "-5", .max = "5", .help = "a number" },
	{ "alpha", CONF_REAL, AT(Sample, alpha), .def = "0.001", .min = "0", .max = "0.5",
	  .help = "false alarms" },
	{ "strict", CONF_BOOL, AT(Sample, strict), .def = "yes", .help = "or not" },
	{ "log", CONF_PATH, AT(Sample, log), .help = "where lines go" },
};
static const ConfTable sample_table = { "configuration", CONF_ROWS(Sample, sample_keys),
	                                .check = sample_check, .help = "Everything" };
