/* SPDX-License-Identifier: Apache-2.0
 *
 * A chain of chunks, newest first. The arena itself lives at the start of its first chunk, so a small request costs one
 * allocation; first chunks are kept in a short list per thread, because one is taken and given back per request.
 * Large pieces get a chunk of their own size. Under AddressSanitizer nothing is kept, so that a use after free is seen. */
#include "base/arena.h"

#include "base/sanitize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Chunk {
	struct Chunk *older;
	size_t size; /* of data */
	size_t used;
	size_t pad;
	char data[];
} Chunk;

typedef struct Deferred {
	struct Deferred *older;
	void (*fn)(void *arg);
	void *arg;
} Deferred;

struct Arena {
	Chunk *newest;
	Chunk *first;
	Deferred *deferred;
	size_t total; /* handed out in chunks before the newest */
	size_t limit;
	bool spent;
};

enum {
	CHUNK_BYTES = 8192 - sizeof(Chunk),
	ARENA_HEAD = (sizeof(Arena) + 15) / 16 * 16,
	KEEP_MAX = SANITIZE_ADDRESS || SANITIZE_THREAD
	                   ? 0
	                   : 128, /* first chunks kept per thread: 1 MiB at most */
};

static __thread struct {
	Chunk *list;
	int count;
} kept;

static Chunk *chunk_new(size_t size)
{
	Chunk *chunk = malloc(sizeof *chunk + size);

	if (!chunk) {
		fputs("banyan: out of memory\n", stderr);
		abort();
	}
	chunk->older = NULL;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

static Chunk *chunk_take(void)
{
	Chunk *chunk = kept.list;

	if (!chunk)
		return chunk_new(CHUNK_BYTES);
	kept.list = chunk->older;
	kept.count--;
	chunk->older = NULL;
	return chunk;
}

static void chunk_give(Chunk *chunk)
{
	if (kept.count >= KEEP_MAX) {
		free(chunk);
		return;
	}
	chunk->older = kept.list;
	kept.list = chunk;
	kept.count++;
}

Arena *arena_new(size_t limit_bytes)
{
	Chunk *chunk = chunk_take();
	Arena *a = (Arena *)(void *)chunk->data;

	*a = (Arena){ .newest = chunk, .first = chunk, .limit = limit_bytes };
	chunk->used = ARENA_HEAD;
	return a;
}

static void run_deferred(Arena *a)
{
	while (a->deferred) {
		Deferred *last = a->deferred;

		a->deferred = last->older;
		last->fn(last->arg);
	}
}

static void drop_chunks_above(Arena *a, Chunk *keep)
{
	while (a->newest != keep) {
		Chunk *chunk = a->newest;

		a->newest = chunk->older;
		a->total -= a->newest->used;
		free(chunk);
	}
}

void arena_free(Arena *a)
{
	if (!a)
		return;
	run_deferred(a);
	drop_chunks_above(a, a->first);
	chunk_give(a->first);
}

void arena_freep(Arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_clear(Arena *a)
{
	run_deferred(a);
	drop_chunks_above(a, a->first);
	a->first->used = ARENA_HEAD;
	a->total = 0;
	a->spent = false;
}

static void *alloc_in_new_chunk(Arena *a, size_t bytes)
{
	size_t size = MAX(bytes, MIN(a->newest->size * 2, (size_t)1 << 20));
	Chunk *chunk = chunk_new(size);

	a->total += a->newest->used;
	chunk->older = a->newest;
	chunk->used = bytes;
	a->newest = chunk;
	if (a->limit && arena_used(a) > a->limit)
		a->spent = true;
	return chunk->data;
}

static _Noreturn void impossible(void)
{
	fputs("banyan: impossible allocation\n", stderr);
	abort();
}

void *arena_alloc_raw(Arena *a, size_t bytes)
{
	Chunk *chunk = a->newest;
	size_t room = (bytes + 15) & ~(size_t)15;

	if (UNLIKELY(room < bytes))
		impossible();
	if (UNLIKELY(room > chunk->size - chunk->used))
		return alloc_in_new_chunk(a, room);
	chunk->used += room;
	return chunk->data + chunk->used - room;
}

void *arena_alloc(Arena *a, size_t bytes)
{
	return memset(arena_alloc_raw(a, bytes), 0, bytes);
}

void *arena_alloc_array(Arena *a, size_t each, size_t count)
{
	size_t bytes;

	if (UNLIKELY(__builtin_mul_overflow(each, count, &bytes)))
		impossible();
	return arena_alloc(a, bytes);
}

bool arena_spent(const Arena *a)
{
	return a->spent || (a->limit && arena_used(a) > a->limit);
}

size_t arena_used(const Arena *a)
{
	return a->total + a->newest->used - ARENA_HEAD;
}

Mark arena_mark(const Arena *a)
{
	return (Mark){ a->newest, a->newest->used };
}

/* Is it in memory that was handed out since? */
static bool is_since(const Arena *a, Mark mark, const void *piece)
{
	const char *at = piece;

	for (const Chunk *chunk = a->newest; chunk != mark.chunk; chunk = chunk->older)
		if (at >= chunk->data && at < chunk->data + chunk->size)
			return true;
	return at >= ((Chunk *)mark.chunk)->data + mark.used &&
	       at < ((Chunk *)mark.chunk)->data + ((Chunk *)mark.chunk)->size;
}

void arena_reset(Arena *a, Mark mark)
{
	while (a->deferred && is_since(a, mark, a->deferred)) {
		Deferred *last = a->deferred;

		a->deferred = last->older;
		last->fn(last->arg);
	}
	drop_chunks_above(a, mark.chunk);
	a->newest->used = mark.used;
}

void arena_defer(Arena *a, void (*fn)(void *arg), void *arg)
{
	Deferred *deferred = ARENA_NEW(a, Deferred);

	*deferred = (Deferred){ a->deferred, fn, arg };
	a->deferred = deferred;
}
