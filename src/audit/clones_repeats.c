/* SPDX-License-Identifier: Apache-2.0
 *
 * Repeats in a row of numbers: a suffix array by doubling (Manber and Myers, with counting sorts), the lengths of common prefixes by Kasai et al.,
 * and the intervals of these from front to back with a stack. O(n log n) whatever the numbers are. What stands before a place is kept as one number
 * an interval: when all places have the same before them, the repeat is a part of a longer one, and not told. */
#include "audit/clones_int.h"

#include <stdlib.h>
#include <string.h>

enum { NO_SYMBOL = UINT32_MAX };

typedef struct Suffixes {
	const uint32_t *symbols;
	uint32_t count;
	uint32_t *order;  /* places by what stands from there on */
	uint32_t *rank;   /* of each place among them; while sorting: by the first few symbols */
	uint32_t *second; /* places by what follows those */
	uint32_t *common; /* common[i]: symbols that order[i - 1] and order[i] have in common */
	uint32_t *counts;
} Suffixes;

static uint32_t *array(size_t count)
{
	uint32_t *at = calloc(count + 1, sizeof(*at));

	if (!at)
		abort();
	return at;
}

/* Places in `second` to `order`, by rank; those of a rank stay as they are. */
static void sort_by_rank(Suffixes *s, uint32_t ranks)
{
	memset(s->counts, 0, ranks * sizeof(*s->counts));
	for (uint32_t i = 0; i < s->count; i++)
		s->counts[s->rank[i]]++;
	for (uint32_t i = 1; i < ranks; i++)
		s->counts[i] += s->counts[i - 1];
	for (uint32_t i = s->count; i-- > 0;)
		s->order[--s->counts[s->rank[s->second[i]]]] = s->second[i];
}

static uint32_t rank_at(const Suffixes *s, const uint32_t *rank, uint32_t place)
{
	return place < s->count ? rank[place] : NO_SYMBOL;
}

/* Ranks by twice as many symbols; how many there are. */
static uint32_t rank_again(Suffixes *s, uint32_t length)
{
	uint32_t *old = s->rank, ranks = 1;

	s->rank = s->second;
	s->second = old;
	s->rank[s->order[0]] = 0;
	for (uint32_t i = 1; i < s->count; i++) {
		uint32_t x = s->order[i - 1], y = s->order[i];

		if (old[x] != old[y] || rank_at(s, old, x + length) != rank_at(s, old, y + length))
			ranks++;
		s->rank[y] = ranks - 1;
	}
	return ranks;
}

static void sort(Suffixes *s, uint32_t most)
{
	uint32_t ranks = most;

	for (uint32_t i = 0; i < s->count; i++) {
		s->rank[i] = s->symbols[i];
		s->second[i] = i;
	}
	sort_by_rank(s, ranks);
	for (uint32_t length = 1; length < s->count; length *= 2) {
		uint32_t n = 0;

		for (uint32_t i = s->count - MIN(length, s->count); i < s->count; i++)
			s->second[n++] = i;
		for (uint32_t i = 0; i < s->count; i++)
			if (s->order[i] >= length)
				s->second[n++] = s->order[i] - length;
		sort_by_rank(s, ranks);
		ranks = rank_again(s, length);
		if (ranks == s->count)
			break;
	}
}

static void compare(Suffixes *s)
{
	uint32_t same = 0;

	for (uint32_t i = 0; i < s->count; i++)
		s->rank[s->order[i]] = i;
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t before;

		if (!s->rank[i]) {
			same = 0;
			continue;
		}
		before = s->order[s->rank[i] - 1];
		while (MAX(i, before) + same < s->count &&
		       s->symbols[i + same] == s->symbols[before + same])
			same++;
		s->common[s->rank[i]] = same;
		same -= same != 0;
	}
}

/* An interval of the order that is still open: its places have `length` symbols in common. */
typedef struct Open {
	uint32_t length, from;
	uint32_t before; /* what stands before all of its places so far; NO_SYMBOL: not the same */
} Open;

static uint32_t both(uint32_t x, uint32_t y)
{
	return x == y ? x : NO_SYMBOL;
}

static void tell(const Suffixes *s, RepeatFound *found, void *arg)
{
	Open *open = calloc(s->count + 2, sizeof(*open));
	size_t depth = 1;

	if (!open)
		abort();
	for (uint32_t i = 1; i <= s->count; i++) {
		uint32_t length = i < s->count ? s->common[i] : 0, place = s->order[i - 1];
		Open now = { length, i - 1, place ? s->symbols[place - 1] : NO_SYMBOL };

		while (open[depth - 1].length > length) {
			Open *top = &open[--depth];

			now.before = both(now.before, top->before);
			now.from = top->from;
			if (now.before == NO_SYMBOL)
				found(arg, top->length, s->order + top->from, i - top->from);
		}
		if (open[depth - 1].length < length)
			open[depth++] = now;
		else
			open[depth - 1].before = both(open[depth - 1].before, now.before);
	}
	free(open);
}

void repeats_find(const uint32_t *symbols, uint32_t count, uint32_t most, RepeatFound *found,
                  void *arg)
{
	Suffixes s = { .symbols = symbols, .count = count };

	if (!count)
		return;
	s.order = array(count);
	s.rank = array(count);
	s.second = array(count);
	s.common = array(count);
	s.counts = array(MAX(count, most));
	sort(&s, most);
	compare(&s);
	tell(&s, found, arg);
	free(s.order);
	free(s.rank);
	free(s.second);
	free(s.common);
	free(s.counts);
}
