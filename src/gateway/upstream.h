/* SPDX-License-Identifier: Apache-2.0
 *
 * An upstream at work: its servers, the connections to them, their limits, and who waits for one.
 *
 * Connections belong to the loop that made them; limits are exact over all loops. An Upstream is counted and outlives the
 * configuration that named it: a reload that does not change it keeps its connections and what is known of its health. */
#pragma once
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

/* Reads TLS files: at start or on a worker. Fails as tls_client_new does. */
Err *upstream_new(Arena *a, ConfHold *hold, const UpstreamConf *conf, Upstream **out) MUST_USE;
Upstream *upstream_ref(Upstream *up);
void upstream_unref(Upstream *up); /* on any loop; the last closes what is idle; NULL is fine */
const UpstreamConf *upstream_conf(const Upstream *up);
int64_t upstream_born_us(const Upstream *up); /* UTC */

/* Health checks, one fiber a server, which hold references until upstream_stop_checks. On loop 0. */
Err *upstream_start_checks(Upstream *up) MUST_USE;
void upstream_stop_checks(Upstream *up);

/* A connection on loan for one request. */
typedef struct Lease {
	Upstream *up;
	struct Pooled *pooled;
	HttpConn *conn;
	uint16_t server; /* index */
	bool reused;
} Lease;

typedef struct LeaseAsk {
	Arena *arena;
	uint64_t key;          /* of BALANCE_HASH */
	const uint16_t *tried; /* servers this request has been to */
	size_t tried_count;
	int64_t connect_us;
	bool fresh; /* no connection that was idle */
} LeaseAsk;

/* Picks a server and a connection to it, made when none is idle; waits in the queue when all are at their limits. Parks.
 * Fails with BUSY "upstream.busy" (queue full, or too long in it), "upstream.down" (no server is up); UPSTREAM
 * "upstream.exhausted" (all tried), "upstream.connect", "upstream.refused"; TIMEOUT "upstream.connect_timeout". After
 * the last three lease->server says which server it was. */
Err *lease_take(Upstream *up, const LeaseAsk *ask, Lease *lease) MUST_USE;
void lease_end(
	Lease *lease); /* back to the pool, or closed when it is not usable; fine when empty. Does not park */
/* The head of an answer came, after so long; or the request failed at it (took: the limit it was given). */
void lease_observe(const Lease *lease, int64_t took_us, unsigned status);
Str lease_server(const Lease *lease); /* "127.0.0.1:8000", as configured */
Str lease_authority(
	const Lease *lease); /* the same for a Host header; "localhost" for a Unix socket */

/* May one more retry run now (the budget of conf, a route's)? True takes it: upstream_retry_end gives it back. */
bool upstream_retry_begin(Upstream *up, const RetryConf *conf);
void upstream_retry_end(Upstream *up);

typedef struct UpstreamServerStats {
	Str name;
	BalanceState state;
	uint32_t connections;
	uint16_t weight;
} UpstreamServerStats;
size_t upstream_servers(const Upstream *up);
UpstreamServerStats upstream_server_stats(const Upstream *up, size_t server); /* any thread */
uint32_t upstream_waiting(const Upstream *up);

MetricList upstream_metrics;
