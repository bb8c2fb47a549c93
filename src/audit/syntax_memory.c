/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of a file is a hundred thousand small pieces, each of which tree-sitter asks malloc for and gives back one by one, which takes a quarter of
 * the time of parsing. Here a piece is cut from a chunk, pieces that are given back wait in a list of their size for the next who asks, and a tree
 * is never given back at all: the chunks are used anew for the next file.
 *
 * Sizes up to SMALL are multiples of 16, above it powers of two. Before each piece stands its size and whose it is; one that was asked for outside
 * of begin and end is malloc's. Chunks above KEPT bytes go back after the file that needed them. */
#include "audit/syntax_memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

enum {
	UNIT = 16,
	SMALL = 1024,
	SMALLS = SMALL / UNIT,
	SIZES = SMALLS + 40,
	CHUNK = 1 << 20,
	KEPT = 16 << 20
};

typedef struct Piece {
	uint64_t size; /* index of it */
	SyntaxMemory *owner;
	union {
		struct Piece *next; /* while nobody has it */
		char at[0];
	};
} Piece;
_Static_assert(offsetof(Piece, at) == UNIT, "pieces are not aligned");

typedef struct Chunk {
	struct Chunk *next;
	size_t room;
	_Alignas(UNIT) char at[];
} Chunk;

struct SyntaxMemory {
	Chunk *first, *now;
	size_t used; /* of the chunk that is at work */
	size_t bytes;
	Piece *free[SIZES];
};

static __thread SyntaxMemory *current;

static void *must(void *at)
{
	if (!at)
		abort(); /* tree-sitter knows no other answer */
	return at;
}

static size_t index_of(size_t bytes)
{
	if (bytes <= SMALL)
		return bytes ? (bytes - 1) / UNIT : 0;
	return SMALLS + 64 - 10 - (size_t)__builtin_clzll(bytes - 1) - 1;
}

static size_t bytes_of(size_t index)
{
	return index < SMALLS ? (index + 1) * UNIT : (size_t)SMALL << (index - SMALLS + 1);
}

/* The next chunk that is large enough, or a new one behind this. */
static void next_chunk(SyntaxMemory *m, size_t bytes)
{
	Chunk **place = m->now ? &m->now->next : &m->first;
	size_t room = MAX((size_t)CHUNK, bytes);

	while (*place && (*place)->room < bytes)
		place = &(*place)->next;
	if (!*place) {
		*place = must(malloc(sizeof(Chunk) + room));
		**place = (Chunk){ .room = room };
		m->bytes += room;
	}
	m->now = *place;
	m->used = 0;
}

static void *cut(SyntaxMemory *m, size_t index)
{
	size_t bytes = UNIT + bytes_of(index);
	Piece *piece;

	if (!m->now || m->now->room - m->used < bytes)
		next_chunk(m, bytes);
	piece = (void *)(m->now->at + m->used);
	m->used += bytes;
	piece->size = index;
	piece->owner = m;
	return piece->at;
}

static void *give(size_t bytes)
{
	size_t index = index_of(bytes);
	SyntaxMemory *m = current;
	Piece *piece;

	if (index >= SIZES)
		abort();
	if (!m) {
		piece = must(malloc(UNIT + bytes_of(index)));
		piece->size = index;
		piece->owner = NULL;
		return piece->at;
	}
	piece = m->free[index];
	if (!piece)
		return cut(m, index);
	m->free[index] = piece->next;
	return piece->at;
}

static Piece *piece_of(void *at)
{
	return (void *)((char *)at - UNIT);
}

static void take_back(void *at)
{
	Piece *piece;

	if (!at)
		return;
	piece = piece_of(at);
	if (!piece->owner) {
		free(piece);
		return;
	}
	piece->next = piece->owner->free[piece->size];
	piece->owner->free[piece->size] = piece;
}

static void *give_zeros(size_t count, size_t each)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, each, &bytes))
		abort();
	return memset(give(bytes), 0, bytes);
}

static void *give_more(void *at, size_t bytes)
{
	size_t had;
	void *more;

	if (!at)
		return give(bytes);
	had = bytes_of(piece_of(at)->size);
	if (bytes <= had)
		return at;
	more = give(bytes);
	memcpy(more, at, had);
	take_back(at);
	return more;
}

static void take_over(void)
{
	ts_set_allocator(give, give_zeros, give_more, take_back);
}

SyntaxMemory *syntax_memory_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, take_over);
	return must(calloc(1, sizeof(SyntaxMemory)));
}

static void drop(SyntaxMemory *m, Chunk **from)
{
	while (*from) {
		Chunk *chunk = *from;

		*from = chunk->next;
		m->bytes -= chunk->room;
		free(chunk);
	}
}

void syntax_memory_free(SyntaxMemory *m)
{
	if (!m)
		return;
	drop(m, &m->first);
	free(m);
}

void syntax_memory_begin(SyntaxMemory *m)
{
	if (m->bytes > KEPT)
		drop(m, &m->first);
	m->now = NULL;
	m->used = 0;
	memset(m->free, 0, sizeof(m->free));
	current = m;
}

void syntax_memory_end(void)
{
	current = NULL;
}

size_t syntax_memory_bytes(const SyntaxMemory *m)
{
	return m->bytes;
}
