/* SPDX-License-Identifier: Apache-2.0
 *
 * What caches tell. What happens per request is counted in cells, by each thread for itself; what memory holds is asked of
 * it when somebody scrapes. */
#include "store/cache_int.h"

#include "base/time.h"

#include <pthread.h>

static struct {
	pthread_mutex_t lock;
	List all;
} caches = { .lock = PTHREAD_MUTEX_INITIALIZER, .all = { { &caches.all.head, &caches.all.head } } };

static bool is_told(const Cache *cache)
{
	return !cache->log ||
	       time_mono_us() - cache_log_synced_us(cache->log) <= cache->conf.staleness_us;
}

static double bytes_of(const Cache *cache)
{
	return cache->memory ? (double)cache_memory_stats(cache->memory).bytes : 0;
}

static double items_of(const Cache *cache)
{
	return cache->memory ? (double)cache_memory_stats(cache->memory).items : 0;
}

static double limit_of(const Cache *cache)
{
	return (double)cache->conf.memory_bytes;
}

static double evictions_of(const Cache *cache)
{
	return cache->memory ? (double)cache_memory_stats(cache->memory).evictions : 0;
}

static double refused_of(const Cache *cache)
{
	return cache->memory ? (double)cache_memory_stats(cache->memory).refused : 0;
}

static double told_of(const Cache *cache)
{
	return is_told(cache);
}

static void emit_all(MetricOut *out, double (*value)(const Cache *cache))
{
	pthread_mutex_lock(&caches.lock);
	LIST_EACH (&caches.all, Cache, node, cache)
		metric_emit(out, &cache->conf.name, value(cache));
	pthread_mutex_unlock(&caches.lock);
}

static void read_bytes(MetricOut *out)
{
	emit_all(out, bytes_of);
}

static void read_limit(MetricOut *out)
{
	emit_all(out, limit_of);
}

static void read_items(MetricOut *out)
{
	emit_all(out, items_of);
}

static void read_evictions(MetricOut *out)
{
	emit_all(out, evictions_of);
}

static void read_refused(MetricOut *out)
{
	emit_all(out, refused_of);
}

static void read_told(MetricOut *out)
{
	emit_all(out, told_of);
}

enum {
	M_HITS,
	M_LOADS,
	M_COLLAPSED,
	M_REFRESHES,
	M_INVALIDATIONS,
	M_BYTES,
	M_LIMIT,
	M_ITEMS,
	M_EVICTIONS,
	M_REFUSED,
	M_TOLD
};

static const MetricFamily families[] = {
	[M_HITS] = { "banyan_cache_hits_total",
	             METRIC_COUNTER,
	             "hits",
	             "Answers without a load, by where they were found: memory or redis",
	             { "cache", "tier" } },
	[M_LOADS] = { "banyan_cache_loads_total",
	              METRIC_COUNTER,
	              "loads",
	              "Misses: the truth was read",
	              { "cache" } },
	[M_COLLAPSED] = { "banyan_cache_collapsed_total",
	                  METRIC_COUNTER,
	                  "misses",
	                  "Misses that waited for the load of another",
	                  { "cache" } },
	[M_REFRESHES] = { "banyan_cache_refreshes_total",
	                  METRIC_COUNTER,
	                  "loads",
	                  "Loads ahead of expiry",
	                  { "cache" } },
	[M_INVALIDATIONS] = { "banyan_cache_invalidations_total",
	                      METRIC_COUNTER,
	                      "invalidations",
	                      "Invalidations, by whose: own, or heard from other processes",
	                      { "cache", "from" } },
	[M_BYTES] = { "banyan_cache_memory_bytes",
	              METRIC_GAUGE,
	              "bytes",
	              "Memory in use, index and frequencies included",
	              { "cache" },
	              read_bytes },
	[M_LIMIT] = { "banyan_cache_memory_limit_bytes",
	              METRIC_GAUGE,
	              "bytes",
	              "Memory that may be in use",
	              { "cache" },
	              read_limit },
	[M_ITEMS] = { "banyan_cache_memory_items",
	              METRIC_GAUGE,
	              "items",
	              "Values in memory",
	              { "cache" },
	              read_items },
	[M_EVICTIONS] = { "banyan_cache_evictions_total",
	                  METRIC_COUNTER,
	                  "items",
	                  "Values that made room for others",
	                  { "cache" },
	                  read_evictions },
	[M_REFUSED] = { "banyan_cache_refused_total",
	                METRIC_COUNTER,
	                "items",
	                "Values not kept in memory: asked for too seldom, too large, or older than what is there",
	                { "cache" },
	                read_refused },
	[M_TOLD] = { "banyan_cache_told",
	             METRIC_GAUGE,
	             "boolean",
	             "1 while what other processes invalidate is heard within the bound",
	             { "cache" },
	             read_told },
};

const MetricFamily *cache_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static MetricCell cell(const Cache *cache, int family, Str second)
{
	Str labels[] = { cache->conf.name, second };

	return metric_cell(&families[family], labels, second.len ? 2 : 1);
}

void cache_watch(Cache *cache)
{
	cache->cells = (CacheCells){
		.memory_hits = cell(cache, M_HITS, S("memory")),
		.redis_hits = cell(cache, M_HITS, S("redis")),
		.loads = cell(cache, M_LOADS, S("")),
		.collapsed = cell(cache, M_COLLAPSED, S("")),
		.refreshes = cell(cache, M_REFRESHES, S("")),
		.invalidations = cell(cache, M_INVALIDATIONS, S("own")),
		.heard = cell(cache, M_INVALIDATIONS, S("others")),
	};
	pthread_mutex_lock(&caches.lock);
	list_add(&caches.all, &cache->node);
	pthread_mutex_unlock(&caches.lock);
}

void cache_unwatch(Cache *cache)
{
	const CacheCells *c = &cache->cells;
	const MetricCell all[] = { c->memory_hits, c->redis_hits,    c->loads, c->collapsed,
		                   c->refreshes,   c->invalidations, c->heard };

	pthread_mutex_lock(&caches.lock);
	list_remove(&cache->node);
	pthread_mutex_unlock(&caches.lock);
	for (size_t i = 0; i < COUNT(all); i++)
		metric_cell_free(all[i]);
}

CacheStats cache_stats(const Cache *cache)
{
	CacheMemoryStats memory =
		cache->memory ? cache_memory_stats(cache->memory) : (CacheMemoryStats){ 0 };

	return (CacheStats){
		.memory_hits = (uint64_t)metric_value(cache->cells.memory_hits),
		.redis_hits = (uint64_t)metric_value(cache->cells.redis_hits),
		.loads = (uint64_t)metric_value(cache->cells.loads),
		.collapsed = (uint64_t)metric_value(cache->cells.collapsed),
		.refreshes = (uint64_t)metric_value(cache->cells.refreshes),
		.evictions = memory.evictions,
		.refused = memory.refused,
		.bytes = memory.bytes,
		.items = memory.items,
		.told = is_told(cache),
	};
}
