/* SPDX-License-Identifier: Apache-2.0
 *
 * Cache: what a database said, kept in memory (shared by all loops) and, if there is one, in Redis (shared by all processes).
 *
 * Read through: cache_get() answers from memory, else from Redis, else calls the load; callers who miss the same key at the
 * same time share one load. Redis slow, away, restarted or full makes it slower, never wrong.
 *
 * What is promised. Let an invalidation have returned NULL at time T. A cache_get() that begins after T in the same process
 * never gives a value from before it. In another process it never does from T + conf->staleness_us on. Both hold whatever
 * happens to Redis in between, but for a failover that loses what the old master had acknowledged (docs/guide/cache.md). An
 * invalidation that fails is in force in its own process all the same, and is told to the others when Redis can be reached
 * again; repeat it if the process might end before (an outbox does). Without Redis other processes are told nothing. */
#pragma once
#include "base/conf.h"
#include "store/redis.h"

typedef struct Cache Cache;

enum { CACHE_TAGS = 16, CACHE_KEY_MAX = 1024 };

typedef struct CacheConf {
	Str name;              /* in metrics, logs and Redis */
	Str redis;             /* which Redis; empty: none */
	uint64_t memory_bytes; /* of the memory tier, all of it counted; 0: none */
	uint64_t value_bytes;  /* larger values are not kept */
	int64_t ttl_us;
	int64_t negative_ttl_us; /* of "there is none"; 0: that is not kept */
	uint32_t jitter_ppm;     /* of a life, cut off at random */
	uint32_t
		refresh_ppm; /* the last part of a life, in which it is loaded anew ahead; 0: off */
	int64_t staleness_us;
} CacheConf;
const ConfTable *cache_conf_table(void); /* of one CacheConf, in a map by its name */
void cache_conf_defaults(CacheConf *conf);

/* `redis` outlives the cache; NULL: memory only. From a fiber. */
Err *cache_open(Arena *a, const CacheConf *conf, Redis *redis, Cache **out) MUST_USE;
/* Parks, shielded, until what runs in the background has ended. Nobody may use it after. */
void cache_close(Cache *cache);
void cache_closep(Cache **cache);

/* What a load found; filled by it. found false: there is none, which is kept too. */
typedef struct CacheFill {
	bool found;
	Str value;      /* anywhere that lives as long as the load's arena */
	int64_t ttl_us; /* 0: the cache's; negative: not to be kept */
	uint64_t tags[CACHE_TAGS];
	size_t tag_count;
} CacheFill;
/* An invalidation of the tag is one of this value. False: it has CACHE_TAGS already; do not keep it then. */
bool cache_fill_tag(CacheFill *fill, Str tag);

/* Reads the truth. Must begin its reading after it was called. May park. */
typedef Err *CacheLoad(const void *arg, Arena *a, CacheFill *fill);
typedef struct CacheSource {
	CacheLoad *load;
	const void *arg;
	size_t arg_bytes; /* of *arg, which is copied to load ahead of expiry; 0: no loading ahead, unless arg is NULL */
} CacheSource;

typedef struct CacheValue {
	bool found;
	Str bytes; /* in the caller's arena */
} CacheValue;

/* Parks but for a hit in memory. Fails as the load does (an error is not kept, those who waited for it get it too), and
 * with INVALID "cache.key" (empty, or above CACHE_KEY_MAX). */
Err *cache_get(Cache *cache, Arena *a, Str key, const CacheSource *source, CacheValue *out)
	MUST_USE;

typedef struct CacheNames {
	const Str *keys;
	size_t key_count;
	const Str *tags;
	size_t tag_count;
} CacheNames;

/* After the commit that changed them. Parks when there is a Redis. Fails with BUSY "cache.not_told" and why: see above. */
Err *cache_invalidate(Cache *cache, Arena *a, CacheNames names) MUST_USE;

typedef struct CacheStats { /* a moment's picture; any thread */
	uint64_t memory_hits, redis_hits, loads, collapsed, refreshes, evictions, refused;
	uint64_t bytes, items;
	bool told; /* it hears what other processes invalidate, within staleness_us; true without Redis */
} CacheStats;
CacheStats cache_stats(const Cache *cache);

const MetricFamily *cache_metrics(size_t *count);
