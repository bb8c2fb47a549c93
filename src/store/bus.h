/* SPDX-License-Identifier: Apache-2.0
 *
 * Bus: how events get from one service's outbox to another's consumers.
 *
 *   local    a consumer reads the outbox itself: both in one process, or in several that share the data folder (SQLite) or the
 *            database (PostgreSQL). Nothing else runs.
 *   Redis    a relay copies each outbox into Redis streams, a consumer reads those: services share nothing but Redis. An event goes
 *            to one of `parts` streams by its subject; each has its order. See bus_redis.c for what happens when Redis loses what it
 *            said it had.
 *
 * All of bus_consume and bus_relay parks until the fiber is cancelled, and comes back after every outage by itself: fibers of
 * their own, as many instances as you like. An outage is logged once, and its end. */
#pragma once
#include "store/consumer.h"

typedef struct Redis Redis;
typedef struct Bus Bus;

typedef struct BusConf {
	Redis *redis;   /* NULL: local. Outlives the bus */
	uint32_t parts; /* streams of a source. 0: 4; for ever the same for a source */
	uint64_t
		most; /* events in one stream: then the relay waits, and events stay in the outbox. 0: 1,000,000 */
	Str prefix; /* of keys in Redis. Empty: "banyan" */
} BusConf;

Bus *bus_new(Arena *a, const BusConf *conf) RETURNS_NONNULL; /* lives as long as the arena */
bool bus_is_local(const Bus *bus);

/* A service that tells events. */
typedef struct BusSource {
	Str name; /* "/shop": what its events have as source */
	Db *db;   /* of its outbox; NULL where it is not at hand: a bus of Redis does without */
} BusSource;

/* Gives every event of the source to the consumer. Returns "rt.cancelled", "rt.deadline", or what is wrong with the call
 * (INVALID "bus.no_outbox": a local bus needs source->db). */
Err *bus_consume(const Bus *bus, const ConsumerConf *conf, const BusSource *source) MUST_USE;
/* Copies the source's outbox into the bus; on a local bus it waits for its end. Several at once: one works. */
Err *bus_relay(const Bus *bus, const BusSource *source) MUST_USE;

/* --- for keeping house ------------------------------------------------------------------------------------------------ */

typedef struct KeepConf {  /* how long what is done with stays. 0: the default */
	int64_t outbox_us; /* 1 day: what Redis may lose must be younger */
	int64_t inbox_us;  /* 14 days: a duplicate that comes later takes effect again */
	int64_t dead_us;   /* 90 days */
	int64_t jobs_us;   /* 7 days */
	int64_t every_us;  /* 1 min */
} KeepConf;
/* Deletes what is old, and measures (metrics of this file), until cancelled. */
Err *bus_keep(Db *db, const KeepConf *conf) MUST_USE;

MetricList bus_metrics, relay_metrics, redis_consumer_metrics;
