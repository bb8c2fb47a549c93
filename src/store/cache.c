/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be given out, and why.
 *
 * The process has a clock that every invalidation moves on, and a table of stamps: when was this hash, of a key or a tag, last
 * invalidated. A load reads the clock before it begins (`born`). An item may be given out while none of its stamps is above
 * its birth. So a load that read the old value and ends after the invalidation brings home something that is stale already:
 * the race needs no lock and no lease. It is the same for waiters: they join a load only if it was born after all they
 * could have been told of.
 *
 * With a Redis, others invalidate too; what they say arrives by the log (cache_log.c), which also says up to when it has
 * heard everything. An item is given out while now - max(log heard until, own load began) <= staleness. While Redis is away
 * the first of these stands still, so an item lives as long after its load as the bound allows, and the database sees one
 * load a key and bound from each process, no more.
 *
 * Values of the Redis tier are judged by their place in the log the same way, before they enter memory.
 *
 * Stamps are many, and a look at them costs more than the rest of a hit. So an item in memory notes at which count of raised
 * stamps it was found fresh: while the count is the same, it still is. The count moves after the stamps: who sees the
 * new count sees the stamps, who noted the old one looks again.
 *
 * Order matters in one more place. An invalidation is first told to the log, then the clock moves; a value from Redis takes its
 * birth first and is judged by the log after. Whichever way the two meet, it is refused by one of them. */
#include "store/cache_int.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum {
	REFRESHES_MAX = 64,
	REFRESH_US = 10000000,
};

static Err bad_key = ERR_STATIC(INVALID, "cache.key", "a key has 1 to 1024 bytes");

static uint64_t hash_key(Str key)
{
	return hash_stable(key, UINT64_C(0x62616e79616e2e63), UINT64_C(0x616368652e6b6579));
}

static uint64_t hash_tag(Str tag)
{
	return hash_stable(tag, UINT64_C(0x62616e79616e2e63), UINT64_C(0x616368652e746167));
}

bool cache_fill_tag(CacheFill *fill, Str tag)
{
	if (fill->tag_count == CACHE_TAGS)
		return false;
	fill->tags[fill->tag_count++] = hash_tag(tag);
	return true;
}

/* --- what may be given out ------------------------------------------------------------------------------------------ */

static uint64_t clock_now(const Cache *cache)
{
	return __atomic_load_n(&cache->clock, __ATOMIC_ACQUIRE);
}

static void move_clock(Cache *cache, const uint64_t *hashes, size_t count)
{
	uint64_t now = __atomic_add_fetch(&cache->clock, 1, __ATOMIC_ACQ_REL);

	for (size_t i = 0; i < count; i++)
		cache_stamps_raise(&cache->stamps, hashes[i], now);
	if (!count)
		cache_stamps_raise_all(&cache->stamps, now);
	__atomic_add_fetch(&cache->raised, 1, __ATOMIC_ACQ_REL);
}

static bool is_fresh(const Cache *cache, const CacheItem *item)
{
	bool fresh = cache_stamps_above_floor(&cache->stamps, item->born) &&
	             cache_stamps_fresh(&cache->stamps, item->stamp, item->born);

	for (size_t i = 0; i < item->tag_count && fresh; i++)
		fresh = cache_stamps_fresh(&cache->stamps, item->data[i], item->born);
	return fresh;
}

/* `now_us` may be late by COARSE_LAG_US. */
static bool is_told(const Cache *cache, const CacheItem *item, int64_t now_us)
{
	int64_t known_us;

	if (!cache->log)
		return true;
	known_us = MAX(cache_log_synced_us(cache->log), item->fresh_us);
	return now_us + COARSE_LAG_US - known_us <= cache->conf.staleness_us;
}

typedef struct Moment {
	const Cache *cache;
	int64_t now_us;
} Moment;

static bool is_still_fresh(const Cache *cache, CacheItem *item)
{
	uint64_t raised = __atomic_load_n(&cache->raised, __ATOMIC_ACQUIRE);

	if (LIKELY(item->checked == raised))
		return true;
	if (!is_fresh(cache, item))
		return false;
	item->checked = raised;
	return true;
}

static CacheVerdict judge(CacheItem *item, const void *arg)
{
	const Moment *moment = arg;

	if (moment->now_us >= item->expires_us || !is_still_fresh(moment->cache, item))
		return CACHE_DROP;
	return is_told(moment->cache, item, moment->now_us) ? CACHE_USE : CACHE_PASS;
}

static bool may_join(const CacheFlight *flight, const void *arg)
{
	const Cache *cache = arg;

	return cache_stamps_untouched(&cache->stamps, flight->born) ||
	       (cache_stamps_above_floor(&cache->stamps, flight->born) &&
	        cache_stamps_fresh(&cache->stamps, hash_key(flight->key), flight->born));
}

/* --- a load --------------------------------------------------------------------------------------------------------- */

static void set_times(const Cache *cache, CacheItem *item, int64_t now_us, int64_t life_us)
{
	uint64_t cut_us = (uint64_t)life_us / PPM_WHOLE * cache->conf.jitter_ppm +
	                  (uint64_t)life_us % PPM_WHOLE * cache->conf.jitter_ppm / PPM_WHOLE;
	int64_t ahead_us;

	if (cut_us)
		life_us -= (int64_t)rand_below(cut_us + 1);
	ahead_us = (int64_t)((double)life_us * cache->conf.refresh_ppm / PPM_WHOLE);
	item->expires_us = now_us + life_us;
	item->refresh_us = ahead_us ? item->expires_us - ahead_us : INT64_MAX;
}

static int64_t life_of(const Cache *cache, const CacheFill *fill)
{
	if (fill->ttl_us)
		return fill->ttl_us;
	return fill->found ? cache->conf.ttl_us : cache->conf.negative_ttl_us;
}

typedef struct Load {
	Cache *cache;
	CacheFlight *flight;
	Arena *a;
	Str key;
	const CacheSource *source;
	bool ahead; /* of expiry: what Redis has is as old as what we have */
} Load;

static CacheItem *item_of(const Load *load, const uint64_t *tags, size_t tag_count, bool found,
                          Str value)
{
	CacheItemParts parts = { hash_key(load->key), load->key, value, found, tags, tag_count };
	CacheItem *item = cache_item_new(&parts);

	item->born = load->flight->born;
	return item;
}

static Str redis_key(const Load *load)
{
	Str prefix = load->cache->value_prefix;
	char *at = arena_alloc_raw(load->a, prefix.len + load->key.len);

	memcpy(at, prefix.at, prefix.len);
	memcpy(at + prefix.len, load->key.at, load->key.len);
	return (Str){ at, prefix.len + load->key.len };
}

static bool log_says_fresh(const Load *load, const CacheBlob *blob)
{
	uint64_t hashes[CACHE_TAGS + 1];

	if (cache_log_untouched(load->cache->log, blob->born))
		return true;
	hashes[0] = hash_key(load->key);
	memcpy(hashes + 1, blob->tags, blob->tag_count * sizeof *hashes);
	return cache_log_fresh(load->cache->log, blob->born, hashes, blob->tag_count + 1);
}

/* *got false: Redis has none that may be given out. An error of Redis is a miss; one of the fiber's own is not. */
static Err *read_redis(const Load *load, CacheBlob *blob, bool *got)
{
	Cache *cache = load->cache;
	RedisReply reply;
	Err *err;

	*got = false;
	if (load->ahead || !cache_log_is_synced(cache->log, load->flight->started_us))
		return NULL;
	err = redis_call(cache->redis, load->a, REDIS_WORDS(S("GET"), redis_key(load)), &reply);
	if (err && (fiber_cancelled() || deadline_at() <= loop_now_us()))
		return fiber_park(); /* does not: says which of the two it is */
	*got = !err && reply.type == REDIS_STRING && cache_blob_read(reply.text, blob) &&
	       blob->expires_utc_us > coarse_utc_us() + COARSE_LAG_US && log_says_fresh(load, blob);
	return NULL;
}

static CacheItem *item_of_redis(const Load *load, const CacheBlob *blob, int64_t synced_us)
{
	const CacheConf *conf = &load->cache->conf;
	CacheItem *item = item_of(load, blob->tags, blob->tag_count, blob->found, blob->value);

	item->fresh_us = synced_us;
	set_times(load->cache, item, coarse_us(),
	          MIN(blob->expires_utc_us - coarse_utc_us() - COARSE_LAG_US,
	              MAX(conf->ttl_us, conf->negative_ttl_us)));
	return item;
}

/* Not waited for: what does not arrive is loaded again. */
static void store_redis(const Load *load, CachePlace born, const CacheFill *fill, int64_t life_us)
{
	AUTO(buf_fini) Buf b = { 0 };
	CacheBlob blob = { .born = born,
		           .expires_utc_us = time_utc_us() + life_us,
		           .found = fill->found,
		           .tag_count = fill->tag_count,
		           .value = fill->value };

	memcpy(blob.tags, fill->tags, sizeof blob.tags);
	if (!born.generation || life_us < US_PER_MS || !log_says_fresh(load, &blob))
		return;
	cache_blob_put(&b, &blob);
	if (redis_cast(load->cache->redis,
	               REDIS_WORDS(S("SET"), redis_key(load), buf_str(&b), S("PX"),
	                           str_fmt(load->a, "%" PRId64, life_us / US_PER_MS))))
		return; /* counted there */
}

static Err *load_source(const Load *load, CacheItem **out)
{
	Cache *cache = load->cache;
	CachePlace born = cache->log ? cache_log_place(cache->log) : (CachePlace){ 0 };
	int64_t started_us = coarse_us(), life_us;
	CacheFill fill = { 0 };

	metric_add(cache->cells.loads, 1);
	TRY(load->source->load(load->source->arg, load->a, &fill));
	life_us = life_of(cache, &fill);
	if (!fill.found)
		fill.value = (Str){ 0 };
	*out = item_of(load, fill.tags, fill.tag_count, fill.found, fill.value);
	(*out)->fresh_us = started_us;
	if (life_us <= 0 || fill.value.len > cache->conf.value_bytes)
		return NULL; /* expired from the beginning */
	set_times(cache, *out, coarse_us(), life_us);
	if (cache->log)
		store_redis(load, born, &fill, life_us);
	return NULL;
}

static void give(Arena *a, const CacheItem *item, CacheValue *out)
{
	*out = (CacheValue){ item->found, str_dup(a, cache_item_value(item)) };
}

static void land(const Load *load, CacheItem *item, const Err *err)
{
	Cache *cache = load->cache;

	if (item && item->expires_us && cache->memory)
		cache_memory_put(cache->memory, item);
	cache_flight_land(cache->flights, load->flight, item, err);
}

/* As the leader of the flight: it lands whatever happens. A value from Redis is in the arena already, and is made an item
 * only for memory or others. */
static Err *fly(const Load *load, CacheValue *out)
{
	Cache *cache = load->cache;
	AUTO(cache_item_unrefp) CacheItem *item = NULL;
	int64_t synced_us = cache->log ? cache_log_synced_us(cache->log) : 0;
	CacheBlob blob;
	bool got = false;
	Err *err = cache->log ? read_redis(load, &blob, &got) : NULL;

	if (got) {
		metric_add(cache->cells.redis_hits, 1);
		*out = (CacheValue){ blob.found, blob.value };
		if (!cache->memory && cache_flight_land_alone(cache->flights, load->flight))
			return NULL;
		item = item_of_redis(load, &blob, synced_us);
	} else if (!err) {
		err = load_source(load, &item);
		if (!err)
			give(load->a, item, out);
	}
	land(load, item, fiber_cancelled() || deadline_at() <= loop_now_us() ? NULL : err);
	return err;
}

/* --- ahead of expiry ------------------------------------------------------------------------------------------------ */

typedef struct Refresh {
	Node node; /* in its loop's list */
	Cache *cache;
	Fiber *fiber; /* NULL until it runs */
	Str key;
	CacheSource source;
	uint64_t bytes[]; /* arg, key */
} Refresh;

static void refresh(Refresh *r)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(REFRESH_US);
	AUTO(cache_flight_unrefp) CacheFlight *flight = NULL;
	CacheValue value;
	bool leads;

	flight = cache_flight_join(r->cache->flights, r->key, clock_now(r->cache), coarse_us(),
	                           may_join, r->cache, &leads);
	if (!leads)
		return;
	metric_add(r->cache->cells.refreshes, 1);
	if (fly(&(Load){ r->cache, flight, a, r->key, &r->source, true }, &value))
		return; /* the old one stands until it expires */
}

static void refresh_main(void *arg)
{
	Refresh *r = arg;
	Cache *cache = r->cache;

	r->fiber = fiber_self();
	if (!__atomic_load_n(&cache->closing, __ATOMIC_ACQUIRE))
		refresh(r);
	list_remove(&r->node);
	free(r);
	__atomic_fetch_sub(&cache->refreshing, 1, __ATOMIC_RELAXED);
	background_end(&cache->fibers);
}

static void refresh_soon(Cache *cache, Str key, const CacheSource *source)
{
	Refresh *r;
	char *at;

	if (source->arg && !source->arg_bytes)
		return;
	if (__atomic_fetch_add(&cache->refreshing, 1, __ATOMIC_RELAXED) >= REFRESHES_MAX) {
		__atomic_fetch_sub(&cache->refreshing, 1, __ATOMIC_RELAXED);
		return;
	}
	r = calloc(1, sizeof *r + source->arg_bytes + key.len);
	if (!r)
		abort();
	at = (char *)r->bytes;
	r->cache = cache;
	r->source = *source;
	if (source->arg)
		memcpy(at, source->arg, source->arg_bytes);
	r->source.arg = source->arg ? at : NULL;
	r->key = (Str){ at + source->arg_bytes, key.len };
	memcpy(at + source->arg_bytes, key.at, key.len);
	if (background_start(&cache->fibers, refresh_main, r, "cache-refresh")) {
		__atomic_fetch_sub(&cache->refreshing, 1, __ATOMIC_RELAXED);
		free(r);
		return;
	}
	list_add(&cache->refreshes[loop_index(loop_self())], &r->node);
}

/* --- getting -------------------------------------------------------------------------------------------------------- */

static bool get_memory(Cache *cache, Arena *a, Str key, const CacheSource *source, CacheValue *out)
{
	Moment moment = { cache, 0 };
	bool due;

	if (!cache->memory)
		return false;
	moment.now_us = coarse_us();
	if (!cache_memory_get(cache->memory, a, key, judge, &moment, moment.now_us, &out->found,
	                      &out->bytes, &due))
		return false;
	metric_add(cache->cells.memory_hits, 1);
	if (due)
		refresh_soon(cache, key, source);
	return true;
}

/* Is what another loaded good for one who came at since_us? Both times are late alike, and order is kept. When that load
 * began later, as good as a load of one's own. */
static bool may_share(const Cache *cache, const CacheFlight *flight, int64_t since_us)
{
	return flight->started_us > since_us ||
	       (is_fresh(cache, flight->item) && is_told(cache, flight->item, coarse_us()));
}

/* *again: it came to nothing that this caller can use. */
static Err *wait_for(Cache *cache, Arena *a, CacheFlight *flight, int64_t since_us, CacheValue *out,
                     bool *again)
{
	TRY(cache_flight_await(cache->flights, flight));
	*again = flight->given_up || (flight->item && !may_share(cache, flight, since_us));
	if (*again)
		return NULL;
	metric_add(cache->cells.collapsed, 1);
	if (!flight->item)
		return err_copy(a, flight->err);
	give(a, flight->item, out);
	return NULL;
}

static Err *get_slowly(Cache *cache, Arena *a, Str key, const CacheSource *source, CacheValue *out)
{
	int64_t since_us = coarse_us(), now_us = since_us;
	bool again = true, leads;

	while (again) {
		AUTO(cache_flight_unrefp)
		CacheFlight *flight = cache_flight_join(cache->flights, key, clock_now(cache),
		                                        now_us, may_join, cache, &leads);

		if (!leads) {
			TRY(wait_for(cache, a, flight, since_us, out, &again));
			now_us = coarse_us();
			continue;
		}
		TRY(fly(&(Load){ cache, flight, a, key, source, false }, out));
		again = false;
	}
	return NULL;
}

Err *cache_get(Cache *cache, Arena *a, Str key, const CacheSource *source, CacheValue *out)
{
	if (!key.len || key.len > CACHE_KEY_MAX)
		return &bad_key;
	if (LIKELY(get_memory(cache, a, key, source, out)))
		return NULL;
	return get_slowly(cache, a, key, source, out);
}

/* --- invalidating --------------------------------------------------------------------------------------------------- */

static void heard(void *arg, const uint64_t *hashes, size_t count)
{
	Cache *cache = arg;

	metric_add(cache->cells.heard, 1);
	move_clock(cache, hashes, count);
}

Err *cache_invalidate(Cache *cache, Arena *a, CacheNames names)
{
	size_t count = names.key_count + names.tag_count;
	uint64_t *hashes = ARENA_ARRAY(a, uint64_t, count + 1);
	Err *err = NULL;

	if (!count)
		return NULL;
	for (size_t i = 0; i < names.key_count; i++)
		hashes[i] = hash_key(names.keys[i]);
	for (size_t i = 0; i < names.tag_count; i++)
		hashes[names.key_count + i] = hash_tag(names.tags[i]);
	metric_add(cache->cells.invalidations, 1);
	move_clock(cache, hashes, count);
	if (!cache->log)
		return NULL;
	err = cache_log_tell(cache->log, a, hashes, count);
	move_clock(cache, hashes, count); /* what came from Redis meanwhile was judged too early */
	return err ? err_because(a, err, ERR_BUSY, "cache.not_told",
	                         "other processes were not told what is invalid")
	           : NULL;
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

Err *cache_open(Arena *a, const CacheConf *conf, Redis *redis, Cache **out)
{
	AUTO(cache_closep) Cache *cache = calloc(1, sizeof *cache);

	(void)a;
	if (!cache)
		abort();
	cache->conf = *conf;
	cache->strings = arena_new(0);
	cache->conf.name = str_dup(cache->strings, conf->name);
	cache->conf.redis = str_dup(cache->strings, conf->redis);
	cache->value_prefix = str_fmt(cache->strings, "banyan:%.*s:v:", STR_ARG(conf->name));
	cache->redis = redis;
	cache->clock = 1;
	cache->raised = 1;
	cache_stamps_init(&cache->stamps);
	cache->flights = cache_flights_new();
	if (conf->memory_bytes)
		cache->memory = cache_memory_new(conf->memory_bytes);
	background_init(&cache->fibers);
	cache->loop_count = rt_loops();
	cache->refreshes = calloc(cache->loop_count, sizeof *cache->refreshes);
	if (!cache->refreshes)
		abort();
	for (unsigned i = 0; i < cache->loop_count; i++)
		list_init(&cache->refreshes[i]);
	cache_watch(cache);
	if (redis)
		TRY(cache_log_open(redis, cache->conf.name, conf->staleness_us, heard, cache,
		                   &cache->log));
	*out = TAKE(cache);
	return NULL;
}

static void stop(void *arg)
{
	Cache *cache = arg;

	LIST_EACH (&cache->refreshes[loop_index(loop_self())], Refresh, node, r)
		if (r->fiber)
			fiber_cancel(r->fiber);
}

void cache_close(Cache *cache)
{
	if (!cache)
		return;
	__atomic_store_n(&cache->closing, true, __ATOMIC_RELEASE);
	loop_each(stop, cache);
	background_await(&cache->fibers);
	cache_log_close(cache->log);
	cache_unwatch(cache);
	cache_memory_free(cache->memory);
	cache_flights_free(cache->flights);
	cache_stamps_fini(&cache->stamps);
	free(cache->refreshes);
	arena_free(cache->strings);
	free(cache);
}

void cache_closep(Cache **cache)
{
	cache_close(*cache);
	*cache = NULL;
}
