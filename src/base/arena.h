/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: memory that is given back all at once. One per request, with a limit on each.
 *
 * Allocation cannot fail for the caller. Past the limit the arena is *spent*: it goes on handing out memory, so that the
 * code between two checks ends in order, and whoever reads input asks arena_spent() and answers 413 or 500. An arena
 * belongs to one thread at a time. */
#pragma once
#include "base/str.h"

typedef struct Mark {
	void *chunk;
	size_t used;
} Mark;

Arena *arena_new(size_t limit_bytes) RETURNS_NONNULL; /* 0: no limit */
void arena_free(Arena *a);   /* NULL is fine; runs what was deferred, last first */
void arena_freep(Arena **a); /* for AUTO */

void *arena_alloc(Arena *a, size_t bytes) RETURNS_NONNULL;     /* zeroed, aligned to 16 */
void *arena_alloc_raw(Arena *a, size_t bytes) RETURNS_NONNULL; /* not zeroed, aligned to 16 */
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc_array((a), sizeof(type), (count)))
void *arena_alloc_array(Arena *a, size_t each, size_t count)
	RETURNS_NONNULL; /* zeroed; dies on overflow */

bool arena_spent(const Arena *a);
size_t arena_used(const Arena *a); /* bytes handed out since the last clear, waste included */

/* Scratch work: what was allocated after the mark is gone after the reset, and what was deferred since has run. */
Mark arena_mark(const Arena *a);
void arena_reset(Arena *a, Mark mark);
/* As new: everything handed out is gone, what was deferred has run. */
void arena_clear(Arena *a);

/* Runs fn(arg) when the arena is freed or cleared. */
void arena_defer(Arena *a, void (*fn)(void *arg), void *arg);
