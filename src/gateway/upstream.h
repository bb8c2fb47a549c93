/* SPDX-License-Identifier: Apache-2.0
 *
 * An upstream at work: its servers, the connections to them, their limits, and who waits for one.
 *
 * An Upstream is of one configuration, and counted: a reload that does not change it keeps it. What it stands on is shared
 * with the upstreams of its name before and after it: limits and the queue, and for each server that stays its
 * connections, its health and what is known of its failures. Connections belong to the loop that made them; limits are
 * exact over all loops. */
#pragma once
#include "base/json.h"
#include "gateway/balance.h"
#include "gateway/conf_upstream.h"
#include "http/client.h"
#include "obs/metric.h"

typedef struct Upstream Upstream;
typedef struct ConfHold ConfHold;

/* What keeps a configuration's strings alive: counted, from any thread. */
ConfHold *conf_hold_new(Arena *a); /* takes the arena */
ConfHold *conf_hold_ref(ConfHold *hold);
void conf_hold_unref(ConfHold *hold); /* NULL is fine */

/* before: the one of this name that is at work now, or NULL. Reads TLS files: at start or on a worker. Fails as
 * tls_client_new does. */
Err *upstream_new(Arena *a, ConfHold *hold, const UpstreamConf *conf, const Upstream *before,
                  Upstream **out) MUST_USE;
Upstream *upstream_ref(Upstream *up);
void upstream_unref(Upstream *up); /* on any loop; the last closes what is idle; NULL is fine */
const UpstreamConf *upstream_conf(const Upstream *up);
bool upstream_is_stale(const Upstream *up); /* a file it read was written since; blocks */

/* It is the one of its name that new requests go to: servers that it does not use any more are drained, those it adds
 * start slowly, its limits are shown. Fine when it is already. On loop 0. */
void upstream_enforce(Upstream *up);
/* Health checks, one fiber a server, and the look-out for ejected servers; they hold references until upstream_stop.
 * Nothing when they run. On loop 0. */
Err *upstream_start(Upstream *up) MUST_USE;
/* Ends them. When no other was enforced since, its servers are drained. On loop 0. */
void upstream_stop(Upstream *up);

/* Server i takes nothing new from now on, under this configuration and those that follow, or does again; what it has been given
 * it finishes, and what is idle at it is closed. On a loop. */
void upstream_take_out(Upstream *up, size_t i, bool out);

/* A connection on loan for one request. */
typedef struct Lease {
	Upstream *up;
	struct Pooled *pooled;
	HttpConn *conn;
	uint16_t server; /* index */
	bool named;      /* there is one: it was asked, though it may not have been reached */
	bool reused;
} Lease;

enum { GATEWAY_TRIES = 10 }; /* servers that one request is sent to, at most */

typedef struct LeaseAsk {
	Arena *arena;
	uint64_t key;          /* of BALANCE_HASH */
	const uint16_t *tried; /* servers this request has been to */
	size_t tried_count;
	int64_t connect_us;
	bool fresh;  /* no connection that was idle */
	bool unsafe; /* it may not be sent twice: none that was idle for keepalive.unsafe_idle */
	bool now; /* does not stand in line; nobody waits for it, and it tells nothing of the traffic */
	Peer client; /* whom a PROXY header names; looked at only where the upstream wants one */
} LeaseAsk;

/* Picks a server and a connection to it, made when none is idle; waits in the queue when all are at their limits. Parks.
 * Fails with BUSY "upstream.busy" (queue full, or too long in it, or it would have to wait), "upstream.down" (no server is up); UPSTREAM
 * "upstream.exhausted" (all tried), "upstream.connect", "upstream.refused"; TIMEOUT "upstream.connect_timeout". After
 * the last three lease->server says which server it was. */
Err *lease_take(Upstream *up, const LeaseAsk *ask, Lease *lease) MUST_USE;
void lease_end(
	Lease *lease); /* back to the pool, or closed when it is not usable; fine when empty. Does not park */
/* The head of an answer came, after so long; or the request failed at it: status 0, took_us the limit it was given, or -1
 * when that says nothing of the server (the client left). */
void lease_observe(const Lease *lease, int64_t took_us, unsigned status);
/* The server had closed the connection while it was idle: counts it as stale, not as used. */
void lease_stale(const Lease *lease);
/* The server closed it upon a request. When it has others too it may be dying, and others are preferred for a moment: a
 * process that is killed takes connections until its last descriptor is closed, and answers on none of them. */
void lease_broke(const Lease *lease);
/* For ejection: the server did what it should, or failed; why is for the log. */
void lease_good(const Lease *lease);
void lease_bad(const Lease *lease, Str why);
/* Would another server than those tried and this one be picked? */
bool lease_has_other(const Lease *lease, const LeaseAsk *ask);
Str lease_server(const Lease *lease); /* "127.0.0.1:8000", as configured */
Str lease_authority(
	const Lease *lease); /* the same for a Host header; "localhost" for a Unix socket */

/* May one more try run that may do work twice (the budget of conf, a route's)? True takes it: upstream_retry_end gives it
 * back. Exact over all loops. */
bool upstream_retry_begin(Upstream *up, const RetryConf *conf);
void upstream_retry_end(Upstream *up);
typedef enum RetryCause {
	CAUSE_CONNECT,
	CAUSE_REFUSED,
	CAUSE_RESET,
	CAUSE_TIMEOUT,
	CAUSE_STATUS, /* an answer that `on` names */
	CAUSE_STALE,  /* the server had closed the connection while it was idle */
	RETRY_CAUSES
} RetryCause;
void upstream_count_retry(Upstream *up, RetryCause cause); /* a try after the first */

typedef struct UpstreamServerStats {
	Str name;
	BalanceState state; /* by its checks */
	bool ejected;
	bool out;          /* somebody took it out */
	bool slow_start;   /* its share still grows */
	uint32_t requests; /* that it has been given and has not finished */
	uint32_t connections, max_connections;
	uint32_t failures; /* in a row */
	uint16_t weight;
} UpstreamServerStats;
size_t upstream_servers(const Upstream *up);
bool upstream_is_up(const Upstream *up); /* of its servers at least one, and nobody took it out */
UpstreamServerStats upstream_server_stats(const Upstream *up, size_t i);
uint32_t upstream_waiting(const Upstream *up);

/* How full everything is that has a limit; a limit of 0 connections is none. On a loop. */
typedef struct UpstreamStats {
	uint32_t connections, max_connections;
	uint32_t waiting, queue_length;
	uint32_t retries, retries_allowed; /* of the budget's last seconds */
} UpstreamStats;
UpstreamStats upstream_stats(const Upstream *up);
void upstream_put_server(JsonWriter *w,
                         const UpstreamServerStats *stats); /* an object, for the admin port */
/* All of it as one JSON object, for the admin port. On a loop. */
void upstream_put_json(const Upstream *up, JsonWriter *w);

MetricList upstream_metrics;
