/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing in a table that never grows: its memory is given once and is the bound.
 *
 * A slot has the events counted on new (for the attempt) and on old (for the step whose number it bears). A slot whose
 * step is over and that has nothing on new is outdated: it counts as absent and is used again by whoever comes by, but it
 * does not end a search. A new step therefore costs one addition, whatever the table holds. */
#include "shift/seen.h"

#include "shift/figures.h"

#include <stdlib.h>
#include <string.h>

typedef struct SeenSlot {
	uint64_t user; /* 0: empty */
	uint16_t on_new, on_old;
	uint32_t step; /* of on_old */
} SeenSlot;

enum { HEX_USER = 16, HEX_SIDE = 4, HEX_ENTRY = HEX_USER + 2 * HEX_SIDE };

void seen_init(Seen *seen, size_t users)
{
	size_t cap = 16;

	while (cap < users + users / 3 + 1)
		cap *= 2;
	*seen = (Seen){ .slots = calloc(cap, sizeof *seen->slots), .cap = cap, .step = 1 };
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
	seen->step = 1;
	seen->full = false;
}

void seen_step(Seen *seen)
{
	seen->step++;
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

static bool is_outdated(const Seen *seen, const SeenSlot *slot)
{
	return !slot->on_new && slot->step != seen->step;
}

/* The user's slot, or one that may become his (free or outdated), or NULL when there is no room. */
static SeenSlot *find(const Seen *seen, uint64_t user)
{
	SeenSlot *reuse = NULL;
	size_t at = home_of(seen, user);

	for (size_t i = 0; i < seen->cap; i++, at = (at + 1) & (seen->cap - 1)) {
		SeenSlot *slot = &seen->slots[at];

		if (slot->user == user)
			return slot;
		if (!slot->user)
			return reuse                                      ? reuse
			       : seen->filled < seen->cap - seen->cap / 4 ? slot
			                                                  : NULL;
		if (!reuse && is_outdated(seen, slot))
			reuse = slot;
	}
	return reuse;
}

static uint32_t events_of(const Seen *seen, const SeenSlot *slot)
{
	return slot->on_new | (slot->step == seen->step ? slot->on_old : 0u);
}

uint32_t seen_get(const Seen *seen, uint64_t user)
{
	const SeenSlot *slot = find(seen, name_of(user));

	return slot && slot->user == name_of(user) ? events_of(seen, slot) : 0;
}

static bool put_both(Seen *seen, uint64_t user, uint32_t on_new, uint32_t on_old)
{
	SeenSlot *slot = find(seen, user);

	if (!slot) {
		seen->full = true;
		return false;
	}
	if (slot->user != user) {
		seen->filled += !slot->user;
		*slot = (SeenSlot){ .user = user };
	}
	if (slot->step != seen->step) {
		slot->step = seen->step;
		slot->on_old = 0;
	}
	slot->on_new |= (uint16_t)on_new;
	slot->on_old |= (uint16_t)on_old;
	return true;
}

bool seen_put(Seen *seen, uint64_t user, bool on_new, uint32_t events)
{
	return put_both(seen, name_of(user), on_new ? events : 0, on_new ? 0 : events);
}

size_t seen_count(const Seen *seen)
{
	size_t count = 0;

	for (size_t i = 0; i < seen->cap; i++)
		count += seen->slots[i].user && events_of(seen, &seen->slots[i]);
	return count;
}

/* --- kept ----------------------------------------------------------------------------------------------------------- */

void seen_write(JsonWriter *w, const Seen *seen)
{
	AUTO(buf_fini) Buf text = { 0 };

	for (size_t i = 0; i < seen->cap; i++) {
		const SeenSlot *slot = &seen->slots[i];
		char *at;

		if (!slot->user || !events_of(seen, slot))
			continue;
		at = buf_room(&text, HEX_ENTRY);
		at = str_put_hex(at, slot->user, HEX_USER);
		at = str_put_hex(at, slot->on_new, HEX_SIDE);
		str_put_hex(at, slot->step == seen->step ? slot->on_old : 0, HEX_SIDE);
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
