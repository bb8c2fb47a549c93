/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the bus share: patience with what is away. */
#pragma once
#include "base/arena.h"
#include "store/bus.h"

struct Bus {
	Redis *redis;
	uint32_t parts;
	uint64_t most;
	Str prefix;
};

/* An outage: `text` names what is out, for the log. Zeroed otherwise. */
typedef struct Patience {
	const char *what;
	Str who;
	unsigned tries;
} Patience;
/* After an error: logs the first of an outage, waits longer each time, at most 5 s. NULL: try again; else what ends the fiber.
 * After a success (err NULL): logs the end of the outage; never parks. A lost lease is no outage. */
Err *patience_with(Patience *patience, const Err *err) MUST_USE;

Err *local_consume(const ConsumerConf *conf, const BusSource *source) MUST_USE;
Err *redis_consume(const Bus *bus, const ConsumerConf *conf, Str source) MUST_USE;
Err *redis_relay(const Bus *bus, const BusSource *source) MUST_USE;

/* "banyan:{/shop:3}": the braces keep what belongs together on one server of a cluster. */
Str stream_key(Arena *a, const Bus *bus, Str source, uint32_t part);
Str stream_place_key(Arena *a, const Bus *bus, Str source, uint32_t part);
uint32_t stream_part(const Bus *bus, Str subject);
