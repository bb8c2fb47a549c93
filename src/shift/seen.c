/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing in a table that never grows: its memory is the bound. A slot has the events counted on new (for the attempt)
 * and on old (for the step); nothing is ever taken out one by one, so a new step, which is rare, moves what stays to a fresh
 * table. */
#include "shift/seen.h"

#include <stdlib.h>
#include <string.h>

typedef struct SeenSlot {
	uint64_t user;                   /* 0: empty */
	uint16_t on_new, on_old;         /* counted here */
	uint16_t theirs_new, theirs_old; /* by others */
} SeenSlot;

enum { NEWS_MAX = 1 << 17 };
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
	free(seen->news);
	*seen = (Seen){ 0 };
}

void seen_clear(Seen *seen)
{
	memset(seen->slots, 0, seen->cap * sizeof *seen->slots);
	seen->filled = 0;
	seen->full = seen->unheard = false;
	seen->news_count = 0;
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

	return slot ? slot->on_new | slot->on_old | slot->theirs_new | slot->theirs_old : 0;
}

static void add_news(Seen *seen, SeenNews news)
{
	if (!seen->shared || !(news.on_new | news.on_old))
		return;
	if (seen->news_count == seen->news_cap) {
		size_t cap = seen->news_cap ? 2 * seen->news_cap : 64;
		SeenNews *more =
			cap > NEWS_MAX ? NULL : realloc(seen->news, cap * sizeof *seen->news);

		if (!more) {
			seen->unheard = true;
			return;
		}
		seen->news = more;
		seen->news_cap = cap;
	}
	seen->news[seen->news_count++] = news;
}

static SeenSlot *need(Seen *seen, uint64_t user)
{
	SeenSlot *slot = find(seen, user);

	if (slot) {
		seen->filled += !slot->user;
		slot->user = user;
	}
	return slot;
}

bool seen_put(Seen *seen, uint64_t user, bool on_new, uint32_t events)
{
	SeenSlot *slot = need(seen, name_of(user));
	SeenNews news;

	if (!slot) {
		seen->full = true;
		return false;
	}
	news = (SeenNews){ .user = slot->user,
		           .on_new = on_new ? (uint16_t)(events & ~slot->on_new) : 0,
		           .on_old = on_new ? 0 : (uint16_t)(events & ~slot->on_old) };
	slot->on_new |= news.on_new;
	slot->on_old |= news.on_old;
	add_news(seen, news);
	return true;
}

void seen_step(Seen *seen)
{
	Seen next;

	seen_init(&next, seen->cap / 2);
	for (size_t i = 0; i < seen->cap; i++) {
		const SeenSlot *slot = &seen->slots[i];
		SeenSlot *to = slot->on_new | slot->theirs_new ? need(&next, slot->user) : NULL;

		if (to) {
			to->on_new = slot->on_new;
			to->theirs_new = slot->theirs_new;
		}
	}
	free(seen->slots);
	seen->slots = next.slots;
	seen->cap = next.cap;
	seen->filled = next.filled;
	seen->full = false;
	for (size_t i = 0; i < seen->news_count; i++)
		seen->news[i].on_old = 0;
}

size_t seen_count(const Seen *seen)
{
	return seen->filled;
}

/* --- several gateways ------------------------------------------------------------------------------------------------ */

SeenNews *seen_take_news(Seen *seen, size_t *count)
{
	SeenNews *news = seen->news;

	*count = seen->news_count;
	seen->news = NULL;
	seen->news_count = seen->news_cap = 0;
	return news;
}

void seen_give_news(Seen *seen, const SeenNews *news, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_news(seen, news[i]);
}

void seen_say_all(Seen *seen)
{
	seen->news_count = 0;
	for (size_t i = 0; i < seen->cap; i++) {
		const SeenSlot *slot = &seen->slots[i];

		add_news(seen, (SeenNews){ slot->user, slot->on_new, slot->on_old });
	}
}

SeenNews seen_hear(Seen *seen, const SeenNews *theirs, bool yield)
{
	uint64_t user = name_of(theirs->user);
	SeenSlot *slot = find(seen, user);
	SeenNews both = { .user = user };

	if (!slot || (!slot->user && seen->filled >= seen->cap * 3 / 8)) {
		seen->unheard = true;
		return both;
	}
	slot = need(seen, user);
	both.on_new = slot->on_new & theirs->on_new;
	both.on_old = slot->on_old & theirs->on_old;
	slot->theirs_new |= theirs->on_new;
	slot->theirs_old |= theirs->on_old;
	if (yield) {
		slot->on_new &= (uint16_t)~both.on_new;
		slot->on_old &= (uint16_t)~both.on_old;
	}
	return both;
}

void seen_put_news(Buf *out, const SeenNews *news, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *at = buf_room(out, HEX_ENTRY);

		at = str_put_hex(at, news[i].user, HEX_USER);
		at = str_put_hex(at, news[i].on_new, HEX_SIDE);
		str_put_hex(at, news[i].on_old, HEX_SIDE);
		buf_wrote(out, HEX_ENTRY);
	}
}

static bool take_hex(Str *text, size_t digits, uint64_t *out)
{
	uint64_t n = 0;

	if (text->len < digits)
		return false;
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

bool seen_read_news(Str *text, SeenNews *out)
{
	Str rest = *text;
	uint64_t user, on_new, on_old;

	if (!take_hex(&rest, HEX_USER, &user) || !take_hex(&rest, HEX_SIDE, &on_new) ||
	    !take_hex(&rest, HEX_SIDE, &on_old) || !user)
		return false;
	*text = rest;
	*out = (SeenNews){ user, (uint16_t)on_new, (uint16_t)on_old };
	return true;
}
