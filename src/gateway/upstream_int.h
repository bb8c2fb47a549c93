/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of upstreams: upstream.c (life), queue.c (limits and who waits), lease.c (one request's choice),
 * pool.c (connections of one loop), outlier.c, health.c and upstream_metrics.c. */
#pragma once
#include "gateway/budget.h"
#include "gateway/upstream.h"
#include "rt/tls.h"

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

enum { ANSWER_CLASSES = 6, LINE_BYTES = 64 };

/* --- what outlives a configuration ---------------------------------------------------------------------------------- */

typedef struct Server Server;

typedef struct ServerLoop {
	Server *server;
	Timer unshun;
	List ready;    /* connections that can take a call, hot first */
	uint32_t idle; /* atomic: those without a call, so that other loops know whom to ask */
	BalanceLoad load;
	WaitQueue opened;  /* HTTP/2: those who wait for a connection that is being made */
	uint32_t awaiting; /* so many */
	uint32_t opening;  /* connections being made */
	bool no_h2;        /* the last one made did not speak it */
} __attribute__((aligned(LINE_BYTES))) ServerLoop;

/* Ejection, under the trunk's lock but for what is atomic. */
typedef struct Outlier {
	uint32_t failures; /* atomic: in a row, over all loops */
	uint32_t times;    /* it was ejected, less what was forgiven since */
	int64_t until_us;  /* atomic: ejected, at least until then; 0: not */
} Outlier;

typedef struct ServerCells {
	MetricCell answers[ANSWER_CLASSES]; /* by class of status; [0]: none came */
	MetricCell seconds, opened, reused, stale, ejections, ejected;
} ServerCells;

/* A server, whichever configuration names it. */
struct Server {
	Node node;     /* trunk->servers */
	unsigned refs; /* atomic: of upstreams */
	struct Trunk *trunk;
	Str address;          /* as configured; its own copy */
	uint32_t connections; /* atomic; exact */
	uint32_t weight;      /* atomic: in the configuration in force; 0: drained */
	uint8_t health;       /* atomic, BalanceState */
	bool out;             /* atomic: somebody took it out */
	int64_t shunned_us;   /* atomic: passed over until then */
	int64_t back_us;      /* atomic: when it came back; 0: it was never away */
	uint32_t good, bad;   /* checks in a row; loop 0 */
	Outlier outlier;
	ServerCells cells;
	ServerLoop *loops;
	unsigned closing; /* atomic: loops that have not let go yet */
};

typedef struct TrunkLoop {
	BudgetWindow requests;
} __attribute__((aligned(LINE_BYTES))) TrunkLoop;

/* What upstreams of one name, one after another, stand on. */
typedef struct Trunk {
	unsigned refs; /* atomic: of upstreams and servers */
	Str name;      /* its own copy */
	pthread_mutex_t lock;
	const Upstream *enforced; /* under the lock; only compared */
	List servers;
	uint32_t connections; /* atomic; exact */
	List waiters;
	uint32_t waiting; /* atomic: length of waiters */
	uint32_t guests;  /* of them: those that only wait for idle connections */
	uint64_t last_waiter;
	bool yielding; /* atomic: an HTTP/2 connection takes no more calls, for a waiter elsewhere */
	uint32_t retries;     /* atomic: at work, against the budget */
	BudgetWindow retried; /* under the lock */
	TrunkLoop *loops;
	MetricCell refused, queued, retry_refused, retries_by[RETRY_CAUSES];
} Trunk;

/* --- an upstream of one configuration ------------------------------------------------------------------------------- */

typedef struct UpServer {
	const ServerConf *conf;
	Server *server; /* counted */
	bool arrives;   /* it was not there, or drained, in the configuration before */
} UpServer;

typedef struct FileStamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
} FileStamp;

enum { TLS_FILES = 3 };

typedef struct Checker Checker;

struct Upstream {
	unsigned refs; /* atomic */
	ConfHold *hold;
	const UpstreamConf *conf;
	TlsContext *tls;             /* NULL: plain */
	FileStamp stamps[TLS_FILES]; /* of its files, from before they were read */
	Trunk *trunk;
	UpServer *servers;
	size_t count;
	BalanceServer **balance; /* one row a loop */
	Checker *checkers;       /* one a server, or NULL; health.c */
	Timer sweep;             /* on loop 0; outlier.c */
	bool sweeping;
};

typedef struct Pooled {
	Node node; /* in ServerLoop.ready */
	HttpConn *conn;
	Server *server;
	uint32_t calls;    /* leases on it now */
	uint32_t promised; /* HTTP/2: of them, those that wake only now */
	bool h2;
	bool yields;      /* takes no more calls: its place is wanted elsewhere */
	int64_t peace_us; /* and is not wanted again before this */
	Peer client;      /* whom its PROXY header named */
	int64_t rest_us;  /* when its last call ended */
	Timer idle;       /* it has rested for long, or its last calls do not end */
} Pooled;

/* Is it the one of its name that was enforced last? What is learned under another is not held against servers: nobody would
 * ever take it back. */
bool upstream_is_enforced(const Upstream *up);
void *zeroed(size_t count, size_t bytes) RETURNS_NONNULL;
ServerLoop *server_loop(const Server *server); /* this thread's */
/* How it may be used now: its checks, and for a server that refused connections or was ejected, as a slow one. */
BalanceState server_state(const Server *server);
bool server_is_left(
	const Server *server); /* it shall have no more connections than its requests need */
bool server_takes(
	const UpServer *s); /* anything new at all: it has a weight, and nobody took it out */
uint32_t server_share(const Upstream *up,
                      size_t i); /* balance_share of it, now; 0: it takes nothing */
/* Passed over for so long: it could not be connected to, or broke a connection. */
void server_shun(Server *server, int64_t us);
/* It answers again after it did not: its share begins small, and who waits may use it. */
void server_back(Upstream *up, size_t i);

/* --- queue.c: slots are connections' places under the limits -------------------------------------------------------- */
bool slot_take(Upstream *up, size_t i);
bool slot_free(const Upstream *up, size_t i);
void slot_give(Server *server); /* the first who waits and can use it gets it */
bool queue_is_empty(const Trunk *trunk);
void queue_serve(Trunk *trunk); /* slots that are free go to who waits */
/* Waits for a place at one of the servers, in line. Parks. *pooled: a connection of this loop (a call on it counted), else
 * a slot of server *i. Fails with "upstream.busy", "upstream.down", "upstream.exhausted". */
Err *queue_wait(Upstream *up, const LeaseAsk *ask, Pooled **pooled, size_t *i) MUST_USE;
/* Gives a connection of this loop, which has a call counted that nobody makes, to the first who waits and can use it. */
bool queue_hand_over(Pooled *pooled);
bool queue_wants(const Server *server); /* would a connection less to it serve anybody? */
void queue_look_again(Trunk *trunk);    /* servers came or went */

/* --- pool.c --------------------------------------------------------------------------------------------------------- */
bool pool_suits(const Pooled *pooled, const Upstream *up, const LeaseAsk *ask);
Pooled *pool_take(Upstream *up, size_t i,
                  const LeaseAsk *ask); /* a connection that suits, or NULL */
/* Could pool_take give one, or pool_swap make room? */
bool pool_has(const Upstream *up, size_t i, const LeaseAsk *ask);
bool pool_swap(
	Server *server); /* closes an idle connection of this loop; its slot is the caller's */
Err *pool_open(Upstream *up, const LeaseAsk *ask, size_t i, Pooled **out)
	MUST_USE; /* holds a slot, and keeps it when it fails; parks */
void pool_give(Upstream *up, Pooled *pooled);
void pool_offer(Upstream *up);   /* what this loop can spare goes to who waits */
void pool_empty(Server *server); /* closes all idle ones of this loop */
/* HTTP/1 and not idle: from this loop, to this loop. False: it could not be watched here and is gone, not its slot. */
void pool_drop(Pooled *pooled); /* closed, its slot kept */
void pool_leave(Pooled *pooled);
bool pool_arrive(Pooled *pooled);
/* Resolves and connects, PROXY header and TLS too; client NULL: for ourselves. Parks. */
Err *server_dial(Upstream *up, Arena *a, size_t i, const Peer *client, Stream *stream) MUST_USE;

/* --- health.c ------------------------------------------------------------------------------------------------------- */
Err *health_start(Upstream *up) MUST_USE;
void health_stop(Upstream *up);

/* --- outlier.c ------------------------------------------------------------------------------------------------------ */
void outlier_good(Server *server);
void outlier_bad(Upstream *up, size_t i, Str why);
void outlier_start(Upstream *up);
void outlier_stop(Upstream *up);

/* --- upstream_metrics.c --------------------------------------------------------------------------------------------- */
void trunk_cells_take(Trunk *trunk);
void trunk_cells_free(Trunk *trunk);
void server_cells_take(Server *server);
void server_cells_free(Server *server);
