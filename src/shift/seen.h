/* SPDX-License-Identifier: Apache-2.0
 *
 * Which users have had their event, so that one broken user is one error and not thousands.
 *
 * Bounded: users are 64-bit hashes in an open-addressing table of a fixed size, made at once. Up to 16 kinds of event a user
 * (a bit each). One counted on the new side stays counted for the whole attempt: by the draw he stays on new, so he would
 * count again in every step without telling anything new. One counted on the old side is forgotten with the step. When
 * no room is left the table is full, says so, and takes no further user. Not thread-safe. */
#pragma once
#include "base/json.h"

typedef struct Seen {
	struct SeenSlot *slots;
	size_t cap;    /* a power of two */
	size_t filled; /* users in it */
	bool full;
} Seen;

void seen_init(Seen *seen, size_t users); /* room for at least so many; 16 to 32 bytes each */
void seen_fini(Seen *seen);
void seen_clear(Seen *seen); /* for a new attempt: nobody has had anything */
void seen_step(Seen *seen);  /* those counted on the old side are forgotten; walks the table */

uint32_t seen_get(const Seen *seen, uint64_t user); /* which events he has had */
/* He has had these now. False, and nothing is remembered: it is full. */
bool seen_put(Seen *seen, uint64_t user, bool on_new, uint32_t events);
size_t seen_count(const Seen *seen); /* users in it */

/* For a state kept over a restart, or another gateway's: one string. Reading adds to what is there, and stops when full.
 * Fails with INVALID "shift.state". */
void seen_write(JsonWriter *w, const Seen *seen);
Err *seen_read(Arena *a, const Json *from, Seen *into) MUST_USE;
