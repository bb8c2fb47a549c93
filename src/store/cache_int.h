/* SPDX-License-Identifier: Apache-2.0
 *
 * A Cache from inside: cache.c does what it is for, cache_metrics.c tells about it. */
#pragma once
#include "base/units.h"
#include "obs/metric.h"
#include "store/background.h"
#include "store/cache.h"
#include "store/cache_flight.h"
#include "store/cache_log.h"
#include "store/cache_memory.h"
#include "store/cache_stamps.h"

typedef struct CacheCells {
	MetricCell memory_hits, redis_hits, loads, collapsed, refreshes, invalidations, heard;
} CacheCells;

struct Cache {
	Node node; /* among all, for the scrape */
	CacheConf conf;
	Arena *strings;   /* conf's */
	Str value_prefix; /* of keys in Redis */
	Redis *redis;
	CacheLog *log;       /* NULL: no Redis */
	CacheMemory *memory; /* NULL: no memory tier */
	CacheFlights *flights;
	CacheStamps stamps;
	uint64_t clock;  /* atomic: moved by every invalidation */
	uint64_t raised; /* atomic, from 1: moved when its stamps are raised */
	CacheCells cells;
	Background fibers;
	List *refreshes; /* one list a loop, its own */
	unsigned loop_count;
	uint32_t refreshing; /* atomic */
	bool closing;        /* atomic */
};

void cache_watch(Cache *cache); /* takes its cells, appears in scrapes */
void cache_unwatch(Cache *cache);
