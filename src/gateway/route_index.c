/* SPDX-License-Identifier: Apache-2.0
 *
 * Four letters in a row, a gram, out of those that a match must hold (route_literal.c) stand for an expression. A path's
 * grams, one for each of its letters, are looked for in a table; what is found is held against the whole run of letters,
 * and against the start that the path must have. A bit map in front of the table answers most grams with one look at
 * memory that stays in the nearest cache.
 *
 * Which gram: one that stands for the fewest expressions so far, the last of them, since neighbours in a file begin
 * alike. Expressions without four letters in a row are candidates for every path that has their start. */
#include "gateway/route_index.h"

#include "base/arena.h"
#include "gateway/route_literal.h"

#include <string.h>

enum { GRAM = ROUTE_GRAM };

/* A run of letters that expression `number` holds. */
typedef struct Entry {
	Str run;
	Str start;   /* what the path begins with */
	uint32_t at; /* of the gram in the run */
	bool first;  /* the run is the start */
	uint32_t number;
	uint32_t next; /* with the same gram; entries are counted from 1, 0 ends them */
} Entry;

typedef struct Slot {
	uint32_t gram;
	uint32_t entries; /* the first of its entries; 0: a free slot */
	uint32_t count;
} Slot;

struct RouteIndex {
	uint64_t *always; /* a bit an expression */
	uint64_t *seen;   /* bits of the grams' hashes */
	Slot *slots;
	Entry *entries;
	Entry *loose; /* those without a gram but with a start */
	uint32_t entry_count, loose_count;
	uint32_t seen_shift, slot_shift; /* of a hash of 32 bits */
	size_t words;
};

static uint32_t load_gram(const char *at)
{
	uint32_t gram;

	memcpy(&gram, at, sizeof gram);
	return gram;
}

static uint32_t hash_gram(uint32_t gram)
{
	return gram * UINT32_C(0x9e3779b1);
}

static bool is_seen(const RouteIndex *index, uint32_t hash)
{
	uint32_t bit = hash >> index->seen_shift;

	return index->seen[bit / 64] >> (bit % 64) & 1;
}

static Slot *slot_of(const RouteIndex *index, uint32_t gram)
{
	uint32_t mask = (UINT32_C(1) << (32 - index->slot_shift)) - 1;

	for (uint32_t i = hash_gram(gram) >> index->slot_shift;; i = (i + 1) & mask)
		if (!index->slots[i].entries || index->slots[i].gram == gram)
			return &index->slots[i];
}

/* --- making --------------------------------------------------------------------------------------------------------- */

static bool choose(const RouteIndex *index, const RouteLiteral *found, size_t count, Entry *entry)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = count; i-- > 0;) {
		Str run = found[i].text;

		for (size_t k = run.len; k >= GRAM; k--) {
			uint32_t used = slot_of(index, load_gram(run.at + k - GRAM))->count;

			if (used >= least)
				continue;
			least = used;
			entry->run = run;
			entry->at = (uint32_t)(k - GRAM);
			entry->first = found[i].start;
		}
	}
	return least != UINT32_MAX;
}

static void hang(RouteIndex *index, const Entry *entry)
{
	uint32_t gram = load_gram(entry->run.at + entry->at);
	uint32_t bit = hash_gram(gram) >> index->seen_shift;
	Slot *slot = slot_of(index, gram);
	uint32_t number = ++index->entry_count;

	index->entries[number] = *entry;
	index->entries[number].next = slot->entries;
	*slot = (Slot){ gram, number, slot->count + 1 };
	index->seen[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void add(RouteIndex *index, Arena *a, const RouteRegex *re, uint32_t number)
{
	RouteLiteral found[ROUTE_LITERALS];
	size_t count = route_literals(a, route_regex_pattern(re), found);
	Entry entry = { .number = number };

	if (count && found[0].start)
		entry.start = found[0].text;
	if (choose(index, found, count, &entry)) {
		hang(index, &entry);
	} else if (entry.start.len > 1) {
		index->loose[index->loose_count++] = entry;
	} else {
		index->always[number / 64] |= UINT64_C(1) << (number % 64);
	}
}

static uint32_t bits_for(size_t count)
{
	uint32_t bits = 1;

	while ((size_t)1 << bits < count)
		bits++;
	return bits;
}

const RouteIndex *route_index_new(Arena *a, const RouteRegex *const *regexes, size_t count)
{
	RouteIndex *index = ARENA_NEW(a, RouteIndex);
	uint32_t slot_bits = bits_for(count * 2), seen_bits = MAX(bits_for(count * 16), 6u);

	index->words = (count + 63) / 64;
	index->always = ARENA_ARRAY(a, uint64_t, index->words + 1);
	index->seen = ARENA_ARRAY(a, uint64_t, (size_t)1 << (seen_bits - 6));
	index->slots = ARENA_ARRAY(a, Slot, (size_t)1 << slot_bits);
	index->entries = ARENA_ARRAY(a, Entry, count + 1);
	index->loose = ARENA_ARRAY(a, Entry, count + 1);
	index->slot_shift = 32 - slot_bits;
	index->seen_shift = 32 - seen_bits;
	for (size_t i = 0; i < count; i++)
		add(index, a, regexes[i], (uint32_t)i);
	return index;
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

/* The gram stands at `at` of the path: does the rest? */
static bool fits(const Entry *entry, Str path, size_t at)
{
	if (at < entry->at || (entry->first && at != entry->at) || !str_starts(path, entry->start))
		return false;
	return str_starts(str_sub(path, at - entry->at, path.len), entry->run);
}

static void mark(uint64_t *bits, const Entry *entry)
{
	bits[entry->number / 64] |= UINT64_C(1) << (entry->number % 64);
}

void route_index_ask(const RouteIndex *index, Str path, uint64_t *bits)
{
	memcpy(bits, index->always, index->words * sizeof *bits);
	for (uint32_t i = 0; i < index->loose_count; i++)
		if (str_starts(path, index->loose[i].start))
			mark(bits, &index->loose[i]);
	for (size_t i = 0; i + GRAM <= path.len && index->entry_count; i++) {
		uint32_t gram = load_gram(path.at + i);

		if (LIKELY(!is_seen(index, hash_gram(gram))))
			continue;
		for (uint32_t n = slot_of(index, gram)->entries; n; n = index->entries[n].next)
			if (fits(&index->entries[n], path, i))
				mark(bits, &index->entries[n]);
	}
}
