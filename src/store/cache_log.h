/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of invalidations that all processes with one cache share: numbered without gaps, kept in Redis, followed by each.
 *
 * What this gives: `synced`, a time up to which this process has heard every invalidation that had been told by then; and
 * whether something loaded at a place of the log has been invalidated since. Any thread, unless said otherwise. */
#pragma once
#include "store/cache_blob.h"
#include "store/redis.h"

typedef struct CacheLog CacheLog;

/* Others have invalidated these; count 0: nobody knows what, so everything. On the follower's loop; must not park. */
typedef void CacheHeard(void *arg, const uint64_t *hashes, size_t count);

/* Starts to follow. From a fiber; does not wait for Redis. */
Err *cache_log_open(Redis *redis, Str name, int64_t staleness_us, CacheHeard *heard, void *arg,
                    CacheLog **out) MUST_USE;
void cache_log_close(CacheLog *log); /* parks, shielded; NULL is fine */

/* Monotonic; very early: not for a long time, or never. */
int64_t cache_log_synced_us(const CacheLog *log);

/* Is anything that Redis has to be called fresh now? `now_us` is monotonic and may be late by COARSE_LAG_US. */
bool cache_log_is_synced(const CacheLog *log, int64_t now_us);
/* Where a load begins that goes to Redis; generation 0: it must not. */
CachePlace cache_log_place(CacheLog *log);
/* Has what was loaded at `born`, by any process, not been invalidated since, as far as `synced`, and here until now? */
bool cache_log_fresh(CacheLog *log, CachePlace born, const uint64_t *hashes, size_t count);

/* The same of everything, without looking at anything: false says nothing. */
bool cache_log_untouched(CacheLog *log, CachePlace born);

/* Parks. After it others hear of it within staleness_us, and nothing older is fresh here. After a failure nothing is fresh
 * here until the follower has told it in our place. Fails as redis_call does. */
Err *cache_log_tell(CacheLog *log, Arena *a, const uint64_t *hashes, size_t count) MUST_USE;
