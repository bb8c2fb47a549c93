/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the bus share: patience with what is away, and following an outbox. */
#pragma once
#include "base/arena.h"
#include "store/bus.h"
#include "store/redis.h"

struct Bus {
	Redis *redis;
	uint32_t parts;
	uint64_t most;
	Str prefix;
};

/* An outage: `what` and `who` name what is out, for the log. `others`: a count shared by fibers of one loop whose outages are one;
 * NULL: none. */
typedef struct Patience {
	const char *what;
	Str who;
	unsigned *others;
	unsigned tries;
} Patience;
/* After an error: logs the first of an outage, waits longer each time, at most 5 s. NULL: try again; else what ends the fiber.
 * After a success (err NULL): logs the end of the outage; never parks. A lost lease is no outage. */
Err *patience_with(Patience *patience, const Err *err) MUST_USE;

/* Looks into an outbox again and again, woken by it or after *wait_us (0: at once), until the fiber is told to end; with patience
 * for what fails, in `what` and `who`'s name. The arena is cleared between looks. */
typedef Err *OutboxLook(void *arg, Arena *a, int64_t *wait_us);
Err *outbox_follow(Db *db, const char *what, Str who, OutboxLook *look, void *arg) MUST_USE;

Err *local_consume(const ConsumerConf *conf, const BusSource *source) MUST_USE;
Err *redis_consume(const Bus *bus, const ConsumerConf *conf, Str source) MUST_USE;
Err *redis_relay(const Bus *bus, const BusSource *source) MUST_USE;

/* Keys of one part of a source: its stream, and the hash of the place that the relay has reached in it. The braces keep both on
 * one server of a cluster: "banyan:{/shop:3}", "banyan:{/shop:3}:place". */
Str stream_key(Arena *a, const Bus *bus, Str source, uint32_t part);
Str stream_place_key(Arena *a, const Bus *bus, Str source, uint32_t part);
uint32_t stream_part(const Bus *bus, Str subject);

typedef struct RelayTrim {
	const Bus *bus;
	Str source;
	int64_t due_us; /* monotonic */
} RelayTrim;
/* When it is due: takes out of every stream what all its groups are done with. */
Err *relay_trim(RelayTrim *trim, Arena *a) MUST_USE;
