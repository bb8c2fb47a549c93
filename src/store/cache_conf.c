/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of a cache in the configuration:
 *
 *   caches:
 *     profiles: { memory: 64MiB, ttl: 5m, redis: shared, staleness: 1s } */
#include "store/cache.h"

#include "base/arena.h"

#include <string.h>

/* It is a part of keys in Redis, where braces mean something. */
static Err *verify_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr("-_.", c))))
			return err_new(a, ERR_INVALID, "conf.value",
			               "%.*s: a name has letters, digits, '-', '_' and '.'",
			               STR_ARG(str_quote(a, text)));
	}
	return NULL;
}

static const ConfKey keys[] = {
	{ "name", CONF_NAME, AT(CacheConf, name), .verify = verify_name,
	  .help = "what it is called in metrics and in Redis" },
	{ "redis", CONF_STR, AT(CacheConf, redis), .value = "NAME",
	  .help = "the Redis that all processes share, by its name; none: each process for itself",
	  .more = "Without it, what one process invalidates other processes serve until it expires." },
	{ "memory", CONF_BYTES, AT(CacheConf, memory_bytes), .def = "64MiB", .max = "1TiB",
	  .help = "of the values each process keeps, everything counted; 0: Redis only" },
	{ "value_size", CONF_BYTES, AT(CacheConf, value_bytes), .def = "1MiB", .min = "1",
	  .max = "64MiB", .help = "larger values are loaded each time" },
	{ "ttl", CONF_DURATION, AT(CacheConf, ttl_us), .def = "5m", .min = "1ms", .max = "30d",
	  .help = "how long a value is kept" },
	{ "negative_ttl", CONF_DURATION, AT(CacheConf, negative_ttl_us), .def = "10s", .min = "0",
	  .max = "1d", .help = "how long it is kept that there is none; 0: not at all" },
	{ "jitter", CONF_SHARE, AT(CacheConf, jitter_ppm), .def = "10%",
	  .help = "of a life, cut off at random, so that not all end together" },
	{ "refresh_ahead", CONF_SHARE, AT(CacheConf, refresh_ppm), .def = "20%",
	  .help = "the last part of a life, in which one reader makes it be loaded anew; 0%: off" },
	{ "staleness", CONF_DURATION, AT(CacheConf, staleness_us), .def = "1s", .min = "100ms",
	  .max = "1h",
	  .help = "how long after an invalidation another process may still serve the old value",
	  .more = "In the process that invalidates it is served no more at once. A process that cannot "
	          "reach Redis serves nothing from memory that it did not load within this time." },
};

static void check(Conf *conf, void *object)
{
	const CacheConf *cache = object;

	if (cache->memory_bytes && cache->memory_bytes < 64 << 10)
		conf_mistake(conf, &cache->memory_bytes, "memory is at least 64KiB, or 0 for none");
	if (!cache->memory_bytes && !cache->redis.len)
		conf_mistake(conf, &cache->memory_bytes, "without memory the cache needs a redis");
	if (cache->negative_ttl_us > cache->ttl_us)
		conf_mistake(conf, &cache->negative_ttl_us, "negative_ttl is more than ttl");
}

static const ConfTable table = { "cache", CONF_ROWS(CacheConf, keys), .check = check,
	                         .help = "one cache of what a database says" };

const ConfTable *cache_conf_table(void)
{
	return &table;
}

void cache_conf_defaults(CacheConf *conf)
{
	AUTO(arena_freep) Arena *a = arena_new(0);

	conf_defaults(a, &table, conf);
	conf->name = S("cache");
}
