/* SPDX-License-Identifier: Apache-2.0
 *
 * Redis 6 and later, from fibers: commands of many fibers travel together over few connections of each loop.
 *
 * A Redis is one deployment: a server, what a Sentinel calls master, or a cluster; shared by all loops. Commands are
 * arrays of Str; replies are views in the caller's arena. Times are microseconds. A fiber only, unless said otherwise.
 *
 * Errors: BUSY "redis.unavailable" (away, or its breaker is open: said at once), TIMEOUT "redis.timeout", BUSY
 * "redis.busy" (too many commands wait), UPSTREAM "redis.closed" (the connection broke with the command on its way: done
 * or not done), "redis.protocol", and what Redis answered: see redis_reply_err. Those of a park go through unchanged. */
#pragma once
#include "base/conf.h"
#include "rt/tls.h"

typedef struct Redis Redis;

typedef struct RedisTlsConf {
	bool verify;
	Str ca;          /* PEM; empty: the system's */
	Str server_name; /* empty: the host */
	Str certificate; /* of this client, PEM; empty: none */
	Str key;
} RedisTlsConf;

typedef struct RedisConf {
	Str name; /* in metrics and logs */
	Str url;
	Str password; /* instead of the URL's */
	Str sentinel_password;
	RedisTlsConf tls;     /* for rediss:// */
	uint32_t connections; /* of each loop to each server */
	uint32_t queue;       /* commands that may be on their way over one connection */
	uint64_t reply_bytes; /* of one reply, at most */
	int64_t connect_us;   /* name, connection, TLS, AUTH, PING */
	int64_t timeout_us;   /* of one command */
	uint32_t failures;    /* in a row open the breaker */
	int64_t backoff_us;   /* before the first try after that; doubled each time, with jitter */
	int64_t backoff_max_us;
} RedisConf;
const ConfTable *redis_conf_table(void); /* of one RedisConf, in a map by its name */
void redis_conf_defaults(RedisConf *conf, Str url);

/* Nothing is connected yet, and nothing need be there. The conf is copied. Reads the files of conf->tls: at start, or on a
 * worker. Fails with INVALID "redis.url" and those of tls_client_new. Any thread within rt_run. */
Err *redis_open(Arena *a, const RedisConf *conf, Redis **out) MUST_USE;
/* Parks, shielded, until its connections are closed on all loops: what is on its way fails. Nobody may use it after. */
void redis_close(Redis *redis);
void redis_closep(Redis **redis);

typedef enum RedisType {
	REDIS_NIL,
	REDIS_STRING,
	REDIS_STATUS, /* "+OK" */
	REDIS_INTEGER,
	REDIS_ERROR,
	REDIS_ARRAY,
} RedisType;

typedef struct RedisReply RedisReply;
struct RedisReply {
	RedisType type;
	Str text;          /* of STRING, STATUS, ERROR */
	int64_t integer;   /* of INTEGER */
	RedisReply *items; /* of ARRAY */
	size_t count;
};

typedef struct RedisCommand {
	const Str *words;
	size_t count; /* at least 1 */
} RedisCommand;
/* The words live as long as the block that this stands in (a compound literal): do not keep it beyond that. */
#define REDIS_WORDS(...) \
	(RedisCommand) \
	{ \
		(const Str[]){ __VA_ARGS__ }, sizeof((const Str[]){ __VA_ARGS__ }) / sizeof(Str) \
	}

RedisCommand redis_words_dup(
	Arena *a, RedisCommand command); /* the array, not the bytes; as long as the arena */

/* One command; parks. An error that Redis answered is an Err (redis_reply_err), so *out is never REDIS_ERROR. Redirections
 * of a cluster are followed. Ends within conf->timeout_us or the fiber's deadline, whichever is first. */
Err *redis_call(Redis *redis, Arena *a, RedisCommand command, RedisReply *out) MUST_USE;
/* Several at once, one reply each, in order. Errors that Redis answered stand in the replies. They are not a transaction:
 * others' commands may run between them, and when it fails some may have been done. */
Err *redis_calls(Redis *redis, Arena *a, const RedisCommand *commands, size_t count,
                 RedisReply *out) MUST_USE;
/* Sent, its reply not waited for: for what may be lost. Never parks. Redirections are not followed. Fails with
 * "redis.unavailable" or "redis.busy" when it could not even be sent. */
Err *redis_cast(Redis *redis, RedisCommand command) MUST_USE;

/* What Redis answered, as an Err; NULL when it is no error. By its first word: "redis.busy_group" CONFLICT, "redis.no_group"
 * NOT_FOUND, "redis.no_script" NOT_FOUND, "redis.denied" DENIED (NOAUTH, WRONGPASS, NOPERM), "redis.full" BUSY (OOM),
 * "redis.unavailable" BUSY (LOADING, MASTERDOWN, CLUSTERDOWN, READONLY, NOREPLICAS, TRYAGAIN and the like), "redis.type"
 * INTERNAL (WRONGTYPE), else "redis.error" INTERNAL. */
Err *redis_reply_err(Arena *a, const RedisReply *reply);

/* A connection of one's own, for commands that block (XREAD BLOCK) or belong together (MULTI, WATCH). After any error that
 * is not an answer it is broken: close it and open another, waiting between (redis_backoff_us). Belongs to one fiber. */
typedef struct RedisSession RedisSession;
/* Parks. To the server that has `key`; empty: to any. */
Err *redis_session_open(Redis *redis, Arena *a, Str key, RedisSession **out) MUST_USE;
void redis_session_close(RedisSession *session); /* never parks; NULL is fine */
void redis_session_closep(RedisSession **session);
/* As redis_calls. `wait_us` is what the commands may block for; the answer is waited for conf->timeout_us longer. */
Err *redis_session_calls(RedisSession *session, Arena *a, const RedisCommand *commands,
                         size_t count, int64_t wait_us, RedisReply *out) MUST_USE;
/* How long to wait before the n-th try in a row (from 1): conf's back-off with jitter. Any thread. */
int64_t redis_backoff_us(const Redis *redis, unsigned tries);

typedef struct RedisStats { /* of all loops, a moment's picture; any thread */
	uint32_t connections;
	uint32_t open_breakers;
	uint64_t connects; /* ever */
} RedisStats;
RedisStats redis_stats(const Redis *redis);

typedef struct MetricFamily MetricFamily;
const MetricFamily *redis_metrics(size_t *count);
