/* SPDX-License-Identifier: Apache-2.0
 *
 * Scratch for joining: arrays and tables on the heap. A file's or a project's worth of them is made, filled and given back by one function;
 * what stays is copied into an arena in its exact size, as facts of 100,000 files are kept at once. */
#include "audit/links_int.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 32 };

typedef struct PairSlot {
	uint64_t hash;
	uint32_t number;
	uint32_t value;
	bool filled;
} PairSlot;

void *vec_add(Vec *v, size_t each)
{
	void *row;

	if (v->count == v->room) {
		v->room = MAX((uint32_t)FIRST_ROOM, 2 * v->room);
		v->at = realloc(v->at, v->room * each);
		if (!v->at)
			abort();
	}
	row = (char *)v->at + each * v->count++;
	memset(row, 0, each);
	return row;
}

void vec_fini(Vec *v)
{
	free(v->at);
	*v = (Vec){ 0 };
}

void *vec_keep(Arena *a, const Vec *v, size_t each)
{
	void *kept = arena_alloc_array(a, each, v->count + !v->count);

	if (v->count)
		memcpy(kept, v->at, each * v->count);
	return kept;
}

static PairSlot *slot_of(const PairTable *t, uint64_t hash, uint32_t number)
{
	uint64_t i = (hash ^ (number * UINT64_C(0x9e3779b97f4a7c15))) >> 7;

	for (;; i++) {
		PairSlot *slot = &t->slots[i & (t->room - 1)];

		if (!slot->filled || (slot->hash == hash && slot->number == number))
			return slot;
	}
}

static void grow(PairTable *t)
{
	PairTable larger = { .count = t->count, .room = t->room ? 2 * t->room : FIRST_ROOM };

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		abort();
	for (uint32_t i = 0; i < t->room; i++)
		if (t->slots[i].filled)
			*slot_of(&larger, t->slots[i].hash, t->slots[i].number) = t->slots[i];
	free(t->slots);
	*t = larger;
}

uint32_t *pair_at(PairTable *t, uint64_t hash, uint32_t number, bool *fresh)
{
	PairSlot *slot;

	if (2 * t->count >= t->room)
		grow(t);
	slot = slot_of(t, hash, number);
	*fresh = !slot->filled;
	if (*fresh) {
		*slot = (PairSlot){ .hash = hash, .number = number, .filled = true };
		t->count++;
	}
	return &slot->value;
}

const uint32_t *pair_find(const PairTable *t, uint64_t hash, uint32_t number)
{
	const PairSlot *slot;

	if (!t->room)
		return NULL;
	slot = slot_of(t, hash, number);
	return slot->filled ? &slot->value : NULL;
}

void pair_fini(PairTable *t)
{
	free(t->slots);
	*t = (PairTable){ 0 };
}

bool name_fits(Str name, Str pattern)
{
	ptrdiff_t star = str_find_char(pattern, '*');

	if (star < 0)
		return str_eq(name, pattern);
	return name.len + 1 >= pattern.len && str_starts(name, str_sub(pattern, 0, (size_t)star)) &&
	       str_ends(name, str_sub(pattern, (size_t)star + 1, pattern.len));
}
