/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of a Redis. All but Redis itself belongs to one loop.
 *
 *   Redis -> RedisLoop, one a loop -> RedisServer, each address -> RedisLine, each connection, with a fiber of its own */
#pragma once
#include "obs/metric.h"
#include "store/background.h"
#include "store/breaker.h"
#include "store/redis.h"
#include "store/redis_url.h"
#include "store/resp.h"

typedef struct RedisLoop RedisLoop;
typedef struct RedisServer RedisServer;
typedef struct RedisLine RedisLine;

enum { REDIS_SLOTS = 16384, REDIS_REDIRECTIONS = 8, REDIS_SERVERS_MAX = 512 };

typedef struct RedisCells {
	MetricCell ok, answered_error, failed, refused, seconds, connections, connects, breakers;
} RedisCells;

struct Redis {
	Arena *arena; /* of all strings here */
	RedisConf conf;
	RedisUrl url;
	TlsContext *tls;
	BreakerConf breaker;
	RedisCells cells;
	RedisLoop *loops;
	unsigned loop_count;
	Background fibers;    /* of lines, and those that read a cluster's table */
	uint32_t connections; /* atomic */
	uint32_t open;        /* atomic: breakers */
	uint64_t connects;    /* atomic */
	int64_t away_us;      /* atomic: since when a breaker is open; 0: none is */
};

struct RedisLoop {
	Redis *redis;
	List servers;
	uint32_t server_count;
	RedisServer **slots; /* of a cluster; NULL entries: not known */
	bool refreshing;
	Fiber *refresher; /* NULL: none runs yet */
	int64_t refreshed_us;
	uint32_t sentinel; /* who is asked first */
	bool closing;
};

struct RedisServer {
	Node node; /* in loop->servers */
	RedisLoop *loop;
	RedisHost host; /* its name is `name`; of a Sentinel's master empty */
	Breaker breaker;
	int64_t tripped_us; /* what began before does not count against it again */
	bool left;          /* the cluster: no connection is kept that has nothing to do */
	RedisLine *lines;   /* conf.connections */
	char name[];
};

/* The commands of one fiber, in its frame. */
typedef struct RedisWait {
	Fiber *fiber;
	Arena *arena;
	size_t left;
	Err *err; /* the first */
} RedisWait;

/* --- redis_wire.c: one connection, spoken to by one fiber ------------------------------------------------------------ */

typedef struct RedisWire {
	Stream stream;
	Resp resp;
} RedisWire;
/* Connection, TLS, AUTH, SELECT, and an answer to PING. Parks; the caller sets a deadline. Closed after a failure. */
Err *redis_dial(RedisLoop *loop, Arena *a, const RedisHost *host, RedisWire *wire) MUST_USE;
/* The same to a Sentinel: other password, no database. */
Err *redis_dial_sentinel(RedisLoop *loop, Arena *a, const RedisHost *host, RedisWire *wire)
	MUST_USE;
void redis_hang_up(RedisWire *wire); /* fine when closed */
Err *redis_wire_talk(RedisWire *wire, Arena *a, const RedisCommand *commands, size_t count,
                     RedisReply *out) MUST_USE;
/* Bytes that are there, at most 16 KiB, to wire->resp. *took false: none. Never parks. */
Err *redis_wire_take(RedisWire *wire, bool *took) MUST_USE;

/* --- redis_sentinel.c -------------------------------------------------------------------------------------------------- */

/* Who is master now, as the Sentinels say. Parks. */
Err *redis_sentinel_master(RedisLoop *loop, Arena *a, RedisHost *out) MUST_USE;

/* --- redis_line.c ------------------------------------------------------------------------------------------------------ */

/* Queues a command; its reply goes to *into and counts wait->left down. wait NULL: nobody waits. Never parks. */
Err *redis_line_send(RedisLine *line, RedisWait *wait, RedisCommand command, RedisReply *into)
	MUST_USE;
/* The waiting fiber leaves: nothing of `wait` is touched any more. Counts as a failure of those servers when `late`. */
void redis_lines_forget(RedisLoop *loop, const RedisWait *wait, bool late);
void redis_lines_new(RedisServer *server);
void redis_lines_free(RedisServer *server);
RedisLine *redis_line_idlest(RedisServer *server);
uint32_t redis_line_room(const RedisLine *line); /* commands that it would take now */
void redis_lines_end(RedisServer *server);       /* their fibers, soon */
void redis_lines_wake(RedisServer *server);      /* to look around */
void redis_lines_drop(RedisServer *server);      /* connections that are up are given up */

/* --- redis_server.c ---------------------------------------------------------------------------------------------------- */

RedisServer *redis_server_find(RedisLoop *loop, const RedisHost *host); /* or new; NULL: too many */
/* The line with the fewest commands on their way. "redis.unavailable" when the breaker is open. */
Err *redis_server_line(RedisServer *server, RedisLine **out) MUST_USE;
void redis_server_failed(RedisServer *server, const Err *why); /* a command had no answer in time */
/* A connection could not be had, or broke in use, by a try begun at since_us. */
void redis_server_trip(RedisServer *server, int64_t since_us, const Err *why);
void redis_server_up(RedisServer *server); /* answered PING */
void redis_servers_free(RedisLoop *loop);
/* It is not one of the cluster any more: its lines end when they have nothing to do, its breaker is as new. */
void redis_server_leave(RedisServer *server);

/* --- redis_cluster.c --------------------------------------------------------------------------------------------------- */

unsigned redis_slot(Str key);
Str redis_key_of(RedisCommand command); /* empty: the command has none, any server will do */
Err *redis_cluster_server(RedisLoop *loop, RedisCommand command, RedisServer **out) MUST_USE;
/* Is it MOVED or ASK? Then to whom. The table is put right on the way. */
bool redis_cluster_redirected(RedisLoop *loop, const RedisServer *from, const RedisReply *reply,
                              RedisServer **out, bool *asking);
void redis_cluster_refresh(RedisLoop *loop); /* soon, by a fiber of its own */

/* --- redis.c ----------------------------------------------------------------------------------------------------------- */

Err *redis_err_unavailable(void);
