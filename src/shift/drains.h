/* SPDX-License-Identifier: Apache-2.0
 *
 * Single servers of an upstream that somebody took out: what the book says of them is what the gateway does. */
#pragma once
#include "shift/subject.h"

typedef struct Snapshot Snapshot; /* gateway/snapshot.h */
typedef struct Upstream Upstream; /* gateway/upstream.h */

/* The upstream of this configuration that the subject is of; NULL: there is none. */
Upstream *drains_upstream(const Snapshot *snap, Str name);
/* Takes servers out, and back, as the state of each upstream says. Does not park; any loop. */
void drains_enforce(const Snapshot *snap);

/* How many servers would take requests without this one: up, not ejected, not taken out by `state`; and whether it is one of them. */
typedef struct DrainsLeft {
	bool known; /* there is such a server */
	size_t others;
} DrainsLeft;
DrainsLeft drains_left(const Upstream *up, const ShiftState *state, Str server);

/* {"servers": [ ... ]}, each as on /upstreams. Any loop. */
void drains_put(JsonWriter *w, Subject *s, const Snapshot *snap);
