/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the configuration that upstreams go by. Its rows are in conf_upstream.c; see conf.h. */
#pragma once
#include "base/conf.h"
#include "gateway/address.h"

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
	int64_t request_us; /* all of it there to the answer's head, queue and retries included; 0: no limit */
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
	Str certificate; /* of this client, PEM; empty: none */
	Str key;
} UpstreamTlsConf;

typedef struct KeepaliveConf {
	uint32_t idle_per_loop;
	int64_t idle_us;
	uint32_t requests;      /* per connection; 0: no limit */
	int64_t unsafe_idle_us; /* what may not be repeated takes none that was idle for longer */
} KeepaliveConf;

/* Servers that fail the requests they are given are left alone for a while. */
typedef struct OutlierConf {
	uint32_t failures; /* in a row; 0: off */
	int64_t interval_us;
	int64_t ejection_us; /* times the number of ejections */
	int64_t ejection_max_us;
	uint32_t max_ejected_ppm; /* of the servers; one may always be */
} OutlierConf;

typedef enum ProxyProtocol {
	PROXY_PROTOCOL_OFF,
	PROXY_PROTOCOL_V1,
	PROXY_PROTOCOL_V2
} ProxyProtocol;

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
	uint8_t host_header;    /* HostHeader */
	uint8_t proxy_protocol; /* ProxyProtocol */
	OutlierConf outlier;
	int64_t slow_start_us; /* 0: none */
} UpstreamConf;

enum { GATEWAY_SERVERS = 1024 };

const ConfTable *gateway_upstream_table(void); /* of one UpstreamConf */
