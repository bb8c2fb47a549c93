/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing in a table that never grows: its memory is the bound. A slot has the events counted on new (for the attempt)
 * and on old (for the step); nothing is ever taken out one by one, so a new step, which is rare, moves what stays to a fresh
 * table. */
#include "shift/seen.h"

#include "shift/figures.h"

#include <stdlib.h>
#include <string.h>

typedef struct SeenSlot {
	uint64_t user; /* 0: empty */
	uint16_t on_new, on_old;
} SeenSlot;

enum { HEX_USER = 16, HEX_SIDE = 4, HEX_ENTRY = HEX_USER + 2 * HEX_SIDE };

void seen_init(Seen *seen, size_t users)
{
	size_t cap = 16;

	while (cap - cap / 4 < users)
		cap *= 2;
	*seen = (Seen){ .slots = calloc(cap, sizeof *seen->slots), .cap = cap };
	if (!seen->slots)
		abort();
}

void seen_fini(Seen *seen)
{
	free(seen->slots);
	*seen = (Seen){ 0 };
}

void seen_clear(Seen *seen)
{
	memset(seen->slots, 0, seen->cap * sizeof *seen->slots);
	seen->filled = 0;
	seen->full = false;
}

static uint64_t name_of(uint64_t user)
{
	return user ? user : 1;
}

static size_t home_of(const Seen *seen, uint64_t user)
{
	return (size_t)((user * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (seen->cap - 1);
}

/* The user's slot, or the free one that may become his, or NULL when there is no room. */
static SeenSlot *find(const Seen *seen, uint64_t user)
{
	size_t at = home_of(seen, user);

	while (seen->slots[at].user && seen->slots[at].user != user)
		at = (at + 1) & (seen->cap - 1);
	if (!seen->slots[at].user && seen->filled >= seen->cap - seen->cap / 4)
		return NULL;
	return &seen->slots[at];
}

uint32_t seen_get(const Seen *seen, uint64_t user)
{
	const SeenSlot *slot = find(seen, name_of(user));

	return slot ? slot->on_new | slot->on_old : 0;
}

static bool put_both(Seen *seen, uint64_t user, uint32_t on_new, uint32_t on_old)
{
	SeenSlot *slot = find(seen, user);

	if (!slot) {
		seen->full = true;
		return false;
	}
	seen->filled += !slot->user;
	slot->user = user;
	slot->on_new |= (uint16_t)on_new;
	slot->on_old |= (uint16_t)on_old;
	return true;
}

bool seen_put(Seen *seen, uint64_t user, bool on_new, uint32_t events)
{
	return put_both(seen, name_of(user), on_new ? events : 0, on_new ? 0 : events);
}

void seen_step(Seen *seen)
{
	Seen next;

	seen_init(&next, seen->cap / 2);
	for (size_t i = 0; i < seen->cap; i++)
		if (seen->slots[i].on_new)
			put_both(&next, seen->slots[i].user, seen->slots[i].on_new, 0);
	seen_fini(seen);
	*seen = next;
}

size_t seen_count(const Seen *seen)
{
	return seen->filled;
}

/* --- kept ----------------------------------------------------------------------------------------------------------- */

void seen_write(JsonWriter *w, const Seen *seen)
{
	AUTO(buf_fini) Buf text = { 0 };

	for (size_t i = 0; i < seen->cap; i++) {
		const SeenSlot *slot = &seen->slots[i];
		char *at;

		if (!slot->user)
			continue;
		at = buf_room(&text, HEX_ENTRY);
		at = str_put_hex(at, slot->user, HEX_USER);
		at = str_put_hex(at, slot->on_new, HEX_SIDE);
		str_put_hex(at, slot->on_old, HEX_SIDE);
		buf_wrote(&text, HEX_ENTRY);
	}
	json_add_str(w, buf_str(&text));
}

static bool take_hex(Str *text, size_t digits, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < digits; i++) {
		char c = text->at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*text = str_sub(*text, digits, text->len);
	*out = n;
	return true;
}

Err *seen_read(Arena *a, const Json *from, Seen *into)
{
	Str text;

	if (!json_to_str(from, &text) || text.len % HEX_ENTRY)
		return figures_wrong(a, "table of users");
	while (text.len) {
		uint64_t user, on_new, on_old;

		if (!take_hex(&text, HEX_USER, &user) || !take_hex(&text, HEX_SIDE, &on_new) ||
		    !take_hex(&text, HEX_SIDE, &on_old) || !user)
			return figures_wrong(a, "table of users");
		if (!put_both(into, user, (uint32_t)on_new, (uint32_t)on_old))
			break;
	}
	return NULL;
}
