/* SPDX-License-Identifier: Apache-2.0
 *
 * Shards by hash, each with a lock, an index of fixed size, lists and a sketch of frequencies (W-TinyLFU; Einziger, Friedman
 * and Manes 2017). A new item enters the window; what leaves the window, oldest first, has to have been asked for more often
 * than the one that would make room for it in the main part. There a first hit moves an item from probation to protected.
 * So a scan of a million keys asked for once passes through the window and throws nobody out.
 *
 * The sketch counts all who ask, those who miss too: counters of four bits, four of one cache line for each hash, all halved
 * when they have counted ten times as many as there are.
 *
 * Bytes are those of the allocations, with index and sketch, and room is made before an item is linked: the sum is below
 * the bound at every moment. An item that was thrown out while somebody copies from it counts until that one is done.
 *
 * Values up to COPY_BYTES are copied under the lock: two more atomic operations on a line that all cores want cost more. */
#include "store/cache_memory.h"

#include "base/arena.h"
#include "base/rand.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARD_BYTES_MIN = 256 << 10,
	COPY_BYTES = 4096,
	LINE_BYTES = 64,
	TOUCH_EVERY =
		8, /* hits that move an item within its list: moving writes to lines that others read */
	AGAIN_US = 1000000, /* a refresh that came to nothing is tried again */
	BYTES_PER_BUCKET = 512,
	BYTES_PER_SKETCH_BYTE = 128,
};

typedef enum Segment { WINDOW, PROBATION, PROTECTED, SEGMENTS, NOWHERE } Segment;

typedef struct Shard {
	pthread_mutex_t lock; /* of all below */
	CacheItem **buckets;
	size_t bucket_mask;
	uint8_t *sketch;
	size_t sketch_mask; /* of lines */
	uint64_t counted, count_max;
	List lists[SEGMENTS]; /* the latest first */
	uint64_t in[SEGMENTS];
	uint64_t used, cap, window_cap, protected_cap;
	uint64_t items, evictions, refused;
	uint32_t touches;
} __attribute__((aligned(128))) Shard;

struct CacheMemory {
	uint64_t secret; /* whoever chooses keys does not choose buckets */
	size_t shard_mask;
	Shard *shards;
};

/* --- items ---------------------------------------------------------------------------------------------------------- */

CacheItem *cache_item_new(const CacheItemParts *parts)
{
	size_t tag_bytes = parts->tag_count * sizeof *parts->tags;
	CacheItem *item = malloc(sizeof *item + tag_bytes + parts->key.len + parts->value.len);
	char *at;

	if (!item)
		abort();
	*item = (CacheItem){ .hash = parts->hash,
		             .refs = 1,
		             .bytes = (uint32_t)(malloc_usable_size(item) + sizeof(size_t)),
		             .value_len = (uint32_t)parts->value.len,
		             .key_len = (uint16_t)parts->key.len,
		             .tag_count = (uint8_t)parts->tag_count,
		             .segment = NOWHERE,
		             .found = parts->found };
	at = (char *)item->data;
	if (tag_bytes)
		memcpy(at, parts->tags, tag_bytes);
	memcpy(at + tag_bytes, parts->key.at, parts->key.len);
	if (parts->value.len)
		memcpy(at + tag_bytes + parts->key.len, parts->value.at, parts->value.len);
	return item;
}

CacheItem *cache_item_ref(CacheItem *item)
{
	__atomic_fetch_add(&item->refs, 1, __ATOMIC_RELAXED);
	return item;
}

void cache_item_unref(CacheItem *item)
{
	if (item && __atomic_sub_fetch(&item->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(item);
}

void cache_item_unrefp(CacheItem **item)
{
	cache_item_unref(*item);
	*item = NULL;
}

/* --- frequencies ---------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 32);
}

/* Four of the 128 counters of one line. */
static uint8_t *line_of(const Shard *s, uint64_t mixed)
{
	return s->sketch + ((mixed >> 28) & s->sketch_mask) * LINE_BYTES;
}

static unsigned counter_get(const uint8_t *line, unsigned i)
{
	return line[i / 2] >> (i % 2 * 4) & 15;
}

static unsigned frequency(const Shard *s, uint64_t mixed)
{
	const uint8_t *line = line_of(s, mixed);
	unsigned least = 15;

	for (unsigned k = 0; k < 4; k++)
		least = MIN(least, counter_get(line, (mixed >> (7 * k)) & 127));
	return least;
}

static void halve_all(Shard *s)
{
	for (size_t i = 0; i < (s->sketch_mask + 1) * LINE_BYTES; i++)
		s->sketch[i] = s->sketch[i] >> 1 & 0x77;
	s->counted /= 2;
}

static void count_one(Shard *s, uint64_t mixed)
{
	uint8_t *line = line_of(s, mixed);
	bool counted = false;

	for (unsigned k = 0; k < 4; k++) {
		unsigned i = (mixed >> (7 * k)) & 127;

		if (counter_get(line, i) == 15)
			continue;
		line[i / 2] = (uint8_t)(line[i / 2] + (1u << (i % 2 * 4)));
		counted = true;
	}
	if (counted && ++s->counted >= s->count_max)
		halve_all(s);
}

/* --- lists and index ------------------------------------------------------------------------------------------------ */

static void put_in(Shard *s, CacheItem *item, Segment segment)
{
	list_push(&s->lists[segment], &item->node);
	item->segment = (uint8_t)segment;
	s->in[segment] += item->bytes;
}

static void take_out(Shard *s, CacheItem *item)
{
	list_remove(&item->node);
	s->in[item->segment] -= item->bytes;
	item->segment = NOWHERE;
}

static CacheItem *oldest(const Shard *s, Segment segment)
{
	const List *list = &s->lists[segment];

	return list_empty(list) ? NULL : CONTAINER(list->head.prev, CacheItem, node);
}

static CacheItem **find(const Shard *s, uint64_t mixed, uint64_t hash, Str key)
{
	CacheItem **at = &s->buckets[mixed >> 32 & s->bucket_mask];

	while (*at && !((*at)->hash == hash && str_eq(cache_item_key(*at), key)))
		at = &(*at)->next;
	return at;
}

static void let_go(Shard *s, CacheItem *item)
{
	s->used -= item->bytes;
	cache_item_unref(item);
}

static void drop(Shard *s, CacheItem **at)
{
	CacheItem *item = *at;

	*at = item->next;
	take_out(s, item);
	s->items--;
	if (!item->pins)
		let_go(s, item);
}

static void evict(const CacheMemory *m, Shard *s, CacheItem *item)
{
	s->evictions++;
	drop(s, find(s, mix(item->hash ^ m->secret), item->hash, cache_item_key(item)));
}

static void touch(Shard *s, CacheItem *item)
{
	Segment to = item->segment == WINDOW ? WINDOW : PROTECTED;

	if (item->segment == to && ++s->touches % TOUCH_EVERY)
		return;
	take_out(s, item);
	put_in(s, item, to);
	while (s->in[PROTECTED] > s->protected_cap) {
		CacheItem *last = oldest(s, PROTECTED);

		if (last == item)
			return;
		take_out(s, last);
		put_in(s, last, PROBATION);
	}
}

/* --- looking up ----------------------------------------------------------------------------------------------------- */

static bool is_due(CacheItem *item, int64_t now_us)
{
	if (now_us < item->refresh_us)
		return false;
	item->refresh_us = now_us + AGAIN_US;
	return true;
}

/* A long value is copied without the lock, the item being pinned meanwhile. */
static Str copy_value(Shard *s, Arena *a, CacheItem *item)
{
	Str copy;

	if (item->value_len <= COPY_BYTES)
		return str_dup(a, cache_item_value(item));
	item->pins++;
	pthread_mutex_unlock(&s->lock);
	copy = str_dup(a, cache_item_value(item));
	pthread_mutex_lock(&s->lock);
	if (--item->pins == 0 && item->segment == NOWHERE)
		let_go(s, item);
	return copy;
}

static Shard *shard_of(const CacheMemory *m, uint64_t mixed)
{
	return &m->shards[mixed >> 56 & m->shard_mask];
}

bool cache_memory_get(CacheMemory *m, Arena *a, uint64_t hash, Str key, CacheJudge *judge,
                      const void *arg, int64_t now_us, bool *found, Str *value, bool *due)
{
	uint64_t mixed = mix(hash ^ m->secret);
	Shard *s = shard_of(m, mixed);
	CacheVerdict verdict = CACHE_PASS;
	CacheItem **at;

	pthread_mutex_lock(&s->lock);
	count_one(s, mixed);
	at = find(s, mixed, hash, key);
	if (*at)
		verdict = judge(*at, arg);
	if (verdict == CACHE_USE) {
		*found = (*at)->found;
		*due = is_due(*at, now_us);
		touch(s, *at);
		*value = copy_value(s, a, *at);
	} else if (verdict == CACHE_DROP) {
		drop(s, at);
	}
	pthread_mutex_unlock(&s->lock);
	return verdict == CACHE_USE;
}

/* --- putting in ----------------------------------------------------------------------------------------------------- */

static CacheItem *victim_of(const Shard *s)
{
	CacheItem *item = oldest(s, PROBATION);

	return item ? item : oldest(s, PROTECTED);
}

/* False: the new one itself was found to be asked for too seldom. */
static bool make_room(const CacheMemory *m, Shard *s, const CacheItem *item, uint64_t mixed)
{
	while (s->used + item->bytes > s->cap) {
		CacheItem *candidate = oldest(s, WINDOW), *victim = victim_of(s);
		unsigned wanted = candidate ? frequency(s, mix(candidate->hash ^ m->secret))
		                            : frequency(s, mixed);

		if (victim && wanted > frequency(s, mix(victim->hash ^ m->secret)))
			evict(m, s, victim);
		else if (candidate)
			evict(m, s, candidate);
		else
			return false;
	}
	return true;
}

static void narrow_window(Shard *s, uint64_t need)
{
	CacheItem *last;

	while (s->in[WINDOW] + need > s->window_cap && (last = oldest(s, WINDOW))) {
		take_out(s, last);
		put_in(s, last, PROBATION);
	}
}

bool cache_memory_put(CacheMemory *m, CacheItem *item)
{
	uint64_t mixed = mix(item->hash ^ m->secret);
	Shard *s = shard_of(m, mixed);
	CacheItem **at;
	bool kept;

	pthread_mutex_lock(&s->lock);
	at = find(s, mixed, item->hash, cache_item_key(item));
	kept = !*at || (*at)->born <= item->born;
	if (*at && kept)
		drop(s, at);
	if (kept && item->bytes <= s->cap / 4 && make_room(m, s, item, mixed)) {
		narrow_window(s, item->bytes);
		at = &s->buckets[mixed >> 32 & s->bucket_mask];
		item->next = *at;
		*at = cache_item_ref(item);
		put_in(s, item, WINDOW);
		s->used += item->bytes;
		s->items++;
	} else {
		kept = false;
		s->refused++;
	}
	pthread_mutex_unlock(&s->lock);
	return kept;
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

static size_t power_below(uint64_t n)
{
	size_t power = 1;

	while (power * 2 <= n)
		power *= 2;
	return power;
}

static void *zeroed(size_t count, size_t each)
{
	void *at = calloc(count, each);

	if (!at)
		abort();
	return at;
}

static void shard_init(Shard *s, uint64_t bytes)
{
	size_t buckets = power_below(MAX(bytes / BYTES_PER_BUCKET, UINT64_C(16)));
	size_t lines = power_below(MAX(bytes / BYTES_PER_SKETCH_BYTE / LINE_BYTES, UINT64_C(4)));
	uint64_t fixed = sizeof *s + buckets * sizeof *s->buckets + lines * LINE_BYTES;

	pthread_mutex_init(&s->lock, NULL);
	s->buckets = zeroed(buckets, sizeof *s->buckets);
	s->bucket_mask = buckets - 1;
	s->sketch = zeroed(lines, LINE_BYTES);
	s->sketch_mask = lines - 1;
	s->count_max = lines * 128 * 10 / 4;
	s->cap = bytes;
	s->used = fixed;
	s->window_cap = (bytes - fixed) / 50;
	s->protected_cap = (bytes - fixed) / 5 * 4;
	for (int i = 0; i < SEGMENTS; i++)
		list_init(&s->lists[i]);
}

CacheMemory *cache_memory_new(uint64_t bytes)
{
	CacheMemory *m = zeroed(1, sizeof *m);
	size_t shards = power_below(MIN(MAX(bytes / SHARD_BYTES_MIN, UINT64_C(1)), UINT64_C(64)));

	m->secret = rand_u64();
	m->shard_mask = shards - 1;
	m->shards = aligned_alloc(128, shards * sizeof *m->shards);
	if (!m->shards)
		abort();
	memset(m->shards, 0, shards * sizeof *m->shards);
	for (size_t i = 0; i < shards; i++)
		shard_init(&m->shards[i], bytes / shards - sizeof *m / shards - 1);
	return m;
}

static void shard_fini(Shard *s)
{
	for (int segment = 0; segment < SEGMENTS; segment++)
		LIST_EACH (&s->lists[segment], CacheItem, node, item) {
			list_remove(&item->node);
			cache_item_unref(item);
		}
	free(s->buckets);
	free(s->sketch);
	pthread_mutex_destroy(&s->lock);
}

void cache_memory_free(CacheMemory *m)
{
	if (!m)
		return;
	for (size_t i = 0; i <= m->shard_mask; i++)
		shard_fini(&m->shards[i]);
	free(m->shards);
	free(m);
}

CacheMemoryStats cache_memory_stats(CacheMemory *m)
{
	CacheMemoryStats stats = { .bytes = sizeof *m };

	for (size_t i = 0; i <= m->shard_mask; i++) {
		Shard *s = &m->shards[i];

		pthread_mutex_lock(&s->lock);
		stats.bytes += s->used;
		stats.items += s->items;
		stats.evictions += s->evictions;
		stats.refused += s->refused;
		pthread_mutex_unlock(&s->lock);
	}
	return stats;
}
