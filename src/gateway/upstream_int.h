/* SPDX-License-Identifier: Apache-2.0
 *
 * Between upstream.c (life, limits, queue), pool.c (connections of one loop) and health.c. */
#pragma once
#include "gateway/upstream.h"
#include "rt/tls.h"

#include <pthread.h>

typedef struct UpServer {
	const ServerConf *conf;
	uint32_t connections;  /* atomic; exact against conf->max_connections */
	uint8_t state;         /* atomic, BalanceState */
	int64_t shunned_us;    /* atomic: no connection could be made; passed over until then */
	MetricCell answers[6]; /* by class of status; [0]: none came */
	MetricCell seconds;
	MetricCell opened;
	MetricCell reused;
} UpServer;

/* One loop's view. */
typedef struct UpLoop {
	BalanceServer *balance; /* one a server */
	List *ready;            /* one a server: connections that can take a call, hot first */
	uint32_t
		idle; /* atomic: connections without a call, so that other loops know whom to ask */
	uint32_t active; /* leases */
	uint32_t retries;
} UpLoop;

typedef struct Checker Checker;

struct Upstream {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const UpstreamConf *conf;
	TlsContext *tls; /* NULL: plain */
	int64_t born_us;
	UpServer *servers;
	size_t count;
	uint32_t connections; /* atomic; exact against conf->max_connections */
	UpLoop *loops;
	pthread_mutex_t lock; /* of waiters */
	List waiters;
	uint32_t waiting;  /* atomic: length of waiters */
	unsigned closing;  /* atomic: loops that have not let go yet */
	Checker *checkers; /* one a server, or NULL; health.c */
	MetricCell refused, retries, queued;
};

typedef struct Pooled {
	Node node; /* in UpLoop.ready */
	HttpConn *conn;
	Upstream *up;
	uint32_t calls; /* leases on it now */
	uint16_t server;
	bool h2;
	Timer idle;
} Pooled;

UpLoop *up_loop(const Upstream *up); /* this thread's */

/* Slots: a connection's place under the limits. */
bool slot_take(Upstream *up, size_t server);
void slot_give(Upstream *up, size_t server); /* wakes the first who waits */
bool slot_free(const Upstream *up, size_t server);
bool queue_is_empty(const Upstream *up);
/* Gives a connection of this loop to the first who waits, on whichever loop; an HTTP/2 one to the first of this loop. What
 * it counts as (calls) goes with it. False: nobody took it. */
bool queue_hand_over(Upstream *up, struct Pooled *pooled);

/* pool.c */
Pooled *pool_take(Upstream *up, size_t server); /* an idle or shared connection, or NULL */
Err *pool_open(Upstream *up, const LeaseAsk *ask, size_t server, Pooled **out)
	MUST_USE; /* holds a slot; parks */
void pool_give(Pooled *pooled);
void pool_shed(Upstream *up);  /* closes one idle connection of this loop */
void pool_empty(Upstream *up); /* all idle ones of this loop */
/* HTTP/1 and not idle: from this loop, to this loop. False: it could not be watched here and is gone, not its slot. */
void pool_drop(Pooled *pooled); /* closed, its slot kept */
void pool_leave(Pooled *pooled);
bool pool_arrive(Pooled *pooled);
/* Resolves and connects, TLS too. Parks. */
Err *server_dial(Upstream *up, Arena *a, size_t server, Stream *stream) MUST_USE;
