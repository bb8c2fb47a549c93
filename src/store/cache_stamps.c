/* SPDX-License-Identifier: Apache-2.0
 *
 * Each hash has two places, and an invalidation raises both: something is stale only when both are above it. Two keys that
 * meet in one place do not disturb each other, they would have to meet in both, or in two with two others (a Bloom filter
 * with times in place of bits). With 65,536 places and 6,000 invalidations in the life of a value, one value in thirty is
 * loaded once too often. */
#include "store/cache_stamps.h"

#include <stdlib.h>

void cache_stamps_init(CacheStamps *s)
{
	s->at = calloc(STAMPS, sizeof *s->at);
	if (!s->at)
		abort();
	s->top = s->floor = 0;
}

void cache_stamps_fini(CacheStamps *s)
{
	free(s->at);
	s->at = NULL;
}

static void raise_to(uint64_t *at, uint64_t stamp)
{
	uint64_t now = __atomic_load_n(at, __ATOMIC_RELAXED);

	while (now < stamp && !__atomic_compare_exchange_n(at, &now, stamp, true, __ATOMIC_RELEASE,
	                                                   __ATOMIC_RELAXED))
		;
}

void cache_stamps_raise(CacheStamps *s, uint64_t hash, uint64_t stamp)
{
	raise_to(&s->top, stamp);
	raise_to(&s->at[hash % STAMPS], stamp);
	raise_to(&s->at[(hash >> 32) % STAMPS], stamp);
}

void cache_stamps_raise_all(CacheStamps *s, uint64_t stamp)
{
	raise_to(&s->floor, stamp);
}

void cache_stamps_clear(CacheStamps *s)
{
	for (size_t i = 0; i < STAMPS; i++)
		__atomic_store_n(&s->at[i], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&s->top, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&s->floor, 0, __ATOMIC_RELEASE);
}
