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

/* Events of a user that were counted here, for the others. */
typedef struct SeenNews {
	uint64_t user;
	uint16_t on_new, on_old;
} SeenNews;

typedef struct Seen {
	struct SeenSlot *slots;
	size_t cap;    /* a power of two */
	size_t filled; /* users in it */
	bool full;
	/* several gateways */
	bool shared; /* news are kept */
	bool unheard; /* some of theirs found no place, or of ours were not kept: users may count twice */
	SeenNews *news; /* since they were taken */
	size_t news_count, news_cap;
} Seen;

void seen_init(Seen *seen, size_t users); /* room for at least so many; 22 to 43 bytes each */
void seen_fini(Seen *seen);
void seen_clear(Seen *seen); /* for a new attempt: nobody has had anything */
void seen_step(Seen *seen);  /* those counted on the old side are forgotten; walks the table */

uint32_t seen_get(const Seen *seen, uint64_t user); /* which events he has had */
/* He has had these now. False, and nothing is remembered: it is full. */
bool seen_put(Seen *seen, uint64_t user, bool on_new, uint32_t events);
size_t seen_count(const Seen *seen); /* users in it */

/* --- several gateways --- */

/* What was counted here since, taken out: free it. Then it is news no more. */
SeenNews *seen_take_news(Seen *seen, size_t *count);
void seen_give_news(Seen *seen, const SeenNews *news, size_t count); /* it could not be told */
void seen_say_all(Seen *seen); /* all that was counted here is news again */
/* Another gateway has counted these: they are not counted here any more. What was counted here too comes back, and is that
 * one's alone when `yield`. Half of the table is for one's own. */
SeenNews seen_hear(Seen *seen, const SeenNews *theirs, bool yield);
/* News as text, 24 digits each. */
void seen_put_news(Buf *out, const SeenNews *news, size_t count);
/* The first of them, taken off the text. False: none is left, or it cannot be read (*text is then not empty). */
bool seen_read_news(Str *text, SeenNews *out);
