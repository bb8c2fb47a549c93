/* SPDX-License-Identifier: Apache-2.0
 *
 * Stamps: when was anything with this hash last invalidated? A table of fixed size that may say "later than it was", which
 * costs a miss, and never "earlier". Any thread, no lock. */
#pragma once
#include "base/util.h"

enum { STAMPS = 1 << 16 };

typedef struct CacheStamps {
	uint64_t *at;   /* STAMPS of them, atomic */
	uint64_t top;   /* atomic: none of them is above it */
	uint64_t floor; /* atomic: of everything */
} CacheStamps;

void cache_stamps_init(CacheStamps *s);
void cache_stamps_fini(CacheStamps *s);
/* At least `stamp`, for this hash; for all. */
void cache_stamps_raise(CacheStamps *s, uint64_t hash, uint64_t stamp);
void cache_stamps_raise_all(CacheStamps *s, uint64_t stamp);
void cache_stamps_clear(CacheStamps *s);

/* Is what was read when the clock stood at `born` newer than the last invalidation? */
static inline bool cache_stamps_fresh(const CacheStamps *s, uint64_t hash, uint64_t born)
{
	return __atomic_load_n(&s->top, __ATOMIC_ACQUIRE) <= born ||
	       __atomic_load_n(&s->at[hash % STAMPS], __ATOMIC_ACQUIRE) <= born ||
	       __atomic_load_n(&s->at[(hash >> 32) % STAMPS], __ATOMIC_ACQUIRE) <= born;
}

static inline bool cache_stamps_above_floor(const CacheStamps *s, uint64_t born)
{
	return __atomic_load_n(&s->floor, __ATOMIC_ACQUIRE) <= born;
}

/* Nothing at all was invalidated since: true for every hash. */
static inline bool cache_stamps_untouched(const CacheStamps *s, uint64_t born)
{
	return __atomic_load_n(&s->top, __ATOMIC_ACQUIRE) <= born &&
	       cache_stamps_above_floor(s, born);
}
