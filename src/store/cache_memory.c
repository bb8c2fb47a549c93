/* SPDX-License-Identifier: Apache-2.0
 *
 * Shards by hash, each with a lock, an index of fixed size, lists and a sketch of frequencies (W-TinyLFU; Einziger, Friedman
 * and Manes 2017). A new item enters the window; what leaves the window, oldest first, has to have been asked for more often
 * than the one that would make room for it in the main part. There one that was hit goes from probation to protected.
 * So a scan of a million keys asked for once passes through the window and throws nobody out.
 *
 * A hit is what happens most, so it leaves all of this alone: it only marks the item as touched and counts in the item, up to
 * the most that a counter holds. Lists are put in order when room is needed: who is touched then gets a second chance.
 * The sketch counts those who miss, and takes over an item's count when it goes: counters of four bits, four of one cache
 * line for each hash. All are halved, an item's when somebody next looks at it, when they have counted ten times as many
 * as there are.
 *
 * The hash is the process's own: whoever chooses keys does not choose buckets.
 *
 * Bytes are those of the allocations, with index and sketch, and room is made before an item is linked: the sum is below
 * the bound at every moment. An item that was thrown out while somebody copies from it counts until that one is done.
 *
 * Values up to COPY_BYTES are copied under the lock: two more atomic operations on a line that all cores want cost more. */
#include "store/cache_memory.h"

#include "base/arena.h"
#include "base/hash.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHARD_BYTES_MIN = 256 << 10,
	COPY_BYTES = 4096,
	LINE_BYTES = 64,
	FETCH_BYTES = 256,
	HITS_MAX = 15,
	CHANCES = 16,       /* second ones, while a lock is held */
	AGAIN_US = 1000000, /* a refresh that came to nothing is tried again */
	BYTES_PER_BUCKET = 512,
	BYTES_PER_SKETCH_BYTE = 128,
};

typedef enum Segment { WINDOW, PROBATION, PROTECTED, SEGMENTS, NOWHERE } Segment;

typedef struct Shard {
	pthread_mutex_t lock; /* of all below; with it in one line what a hit needs */
	CacheItem **buckets;
	uint32_t bucket_mask;
	uint32_t halvings;
	uint64_t count_left; /* until the next */
	uint64_t count_max;
	uint8_t *sketch;
	size_t sketch_mask;   /* of lines */
	List lists[SEGMENTS]; /* the latest first */
	uint64_t in[SEGMENTS];
	uint64_t used, cap, window_cap, protected_cap;
	uint64_t items, evictions, refused;
} __attribute__((aligned(128))) Shard;

struct CacheMemory {
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
	*item = (CacheItem){ .stamp = parts->stamp,
		             .hash = hash_str(parts->key),
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

/* Four of the 128 counters of one line. */
static uint8_t *line_of(const Shard *s, uint64_t hash)
{
	return s->sketch + ((hash >> 28) & s->sketch_mask) * LINE_BYTES;
}

static unsigned counter_get(const uint8_t *line, unsigned i)
{
	return line[i / 2] >> (i % 2 * 4) & 15;
}

static unsigned asked(const Shard *s, uint64_t hash)
{
	const uint8_t *line = line_of(s, hash);
	unsigned least = HITS_MAX;

	for (unsigned k = 0; k < 4; k++)
		least = MIN(least, counter_get(line, (hash >> (7 * k)) & 127));
	return least;
}

static unsigned hits_of(const Shard *s, const CacheItem *item)
{
	uint32_t halvings = s->halvings - item->aged;

	return halvings < 4 ? item->hits >> halvings : 0;
}

static void halve_all(Shard *s)
{
	for (size_t i = 0; i < (s->sketch_mask + 1) * LINE_BYTES; i++)
		s->sketch[i] = s->sketch[i] >> 1 & 0x77;
	s->halvings++;
	s->count_left = s->count_max / 2;
}

static void counted_one(Shard *s)
{
	if (--s->count_left == 0)
		halve_all(s);
}

/* True: at least one of the four could still count. */
static bool sketch_add(Shard *s, uint64_t hash, unsigned n)
{
	uint8_t *line = line_of(s, hash);
	bool counted = false;

	for (unsigned k = 0; k < 4; k++) {
		unsigned i = (hash >> (7 * k)) & 127;
		unsigned more = MIN(n, HITS_MAX - counter_get(line, i));

		line[i / 2] = (uint8_t)(line[i / 2] + (more << (i % 2 * 4)));
		counted |= more > 0;
	}
	return counted;
}

static void count_miss(Shard *s, uint64_t hash)
{
	if (sketch_add(s, hash, 1))
		counted_one(s);
}

static void count_hit(Shard *s, CacheItem *item)
{
	unsigned hits;

	if (!item->touched) /* no write where none is needed: other cores have the line too */
		item->touched = true;
	if (item->hits == HITS_MAX && item->aged == s->halvings)
		return;
	hits = hits_of(s, item);
	item->aged = s->halvings;
	item->hits = (uint8_t)(hits + 1);
	counted_one(s);
}

/* --- lists and index ------------------------------------------------------------------------------------------------ */

static void put_in(Shard *s, CacheItem *item, Segment segment)
{
	list_push(&s->lists[segment], &item->node);
	item->segment = (uint8_t)segment;
	item->touched = false;
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

static CacheItem **bucket_of(const Shard *s, uint64_t hash)
{
	return &s->buckets[hash >> 32 & s->bucket_mask];
}

static void link_set(CacheItem **at, CacheItem *item)
{
	__atomic_store_n(at, item, __ATOMIC_RELAXED);
}

/* What is most likely looked for, on its way while the lock is waited for. It may be gone: it is not looked at. */
static void fetch_ahead(const Shard *s, uint64_t hash)
{
	const char *item = (const char *)__atomic_load_n(bucket_of(s, hash), __ATOMIC_RELAXED);

	for (size_t at = offsetof(CacheItem, next); at < FETCH_BYTES; at += LINE_BYTES)
		__builtin_prefetch((const void *)((uintptr_t)item + at));
}

static CacheItem **find(const Shard *s, uint64_t hash, Str key)
{
	CacheItem **at = bucket_of(s, hash);

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

	link_set(at, item->next);
	sketch_add(s, item->hash, hits_of(s, item));
	take_out(s, item);
	s->items--;
	if (!item->pins)
		let_go(s, item);
}

static void evict(Shard *s, CacheItem *item)
{
	s->evictions++;
	drop(s, find(s, item->hash, cache_item_key(item)));
}

static void move_to(Shard *s, CacheItem *item, Segment segment)
{
	take_out(s, item);
	put_in(s, item, segment);
}

static void narrow_protected(Shard *s)
{
	for (int chances = CHANCES; s->in[PROTECTED] > s->protected_cap; chances--) {
		CacheItem *last = oldest(s, PROTECTED);

		move_to(s, last, last->touched && chances > 0 ? PROTECTED : PROBATION);
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

static Shard *shard_of(const CacheMemory *m, uint64_t hash)
{
	return &m->shards[hash >> 56 & m->shard_mask];
}

bool cache_memory_get(CacheMemory *m, Arena *a, Str key, CacheJudge *judge, const void *arg,
                      int64_t now_us, bool *found, Str *value, bool *due)
{
	uint64_t hash = hash_str(key);
	Shard *s = shard_of(m, hash);
	CacheVerdict verdict = CACHE_PASS;
	CacheItem **at;

	fetch_ahead(s, hash);
	pthread_mutex_lock(&s->lock);
	at = find(s, hash, key);
	if (*at)
		verdict = judge(*at, arg);
	if (LIKELY(verdict == CACHE_USE)) {
		*found = (*at)->found;
		*due = is_due(*at, now_us);
		count_hit(s, *at);
		*value = copy_value(s, a, *at);
	} else {
		count_miss(s, hash);
		if (verdict == CACHE_DROP)
			drop(s, at);
	}
	pthread_mutex_unlock(&s->lock);
	return verdict == CACHE_USE;
}

/* --- putting in ----------------------------------------------------------------------------------------------------- */

static CacheItem *victim_of(Shard *s)
{
	CacheItem *item;

	for (int chances = CHANCES; (item = oldest(s, PROBATION)) && item->touched && chances;
	     chances--) {
		move_to(s, item, PROTECTED);
		narrow_protected(s);
	}
	return item ? item : oldest(s, PROTECTED);
}

static unsigned frequency(const Shard *s, const CacheItem *item)
{
	return asked(s, item->hash) + hits_of(s, item);
}

/* False: the new one itself was found to be asked for too seldom. */
static bool make_room(Shard *s, const CacheItem *item)
{
	while (s->used + item->bytes > s->cap) {
		CacheItem *candidate = oldest(s, WINDOW), *victim = victim_of(s);
		unsigned wanted = candidate ? frequency(s, candidate) : asked(s, item->hash);

		if (victim && wanted > frequency(s, victim))
			evict(s, victim);
		else if (candidate)
			evict(s, candidate);
		else
			return false;
	}
	return true;
}

static void narrow_window(Shard *s, uint64_t need)
{
	CacheItem *last;

	while (s->in[WINDOW] + need > s->window_cap && (last = oldest(s, WINDOW)))
		move_to(s, last, PROBATION);
}

bool cache_memory_put(CacheMemory *m, CacheItem *item)
{
	Shard *s = shard_of(m, item->hash);
	CacheItem **at;
	bool kept;

	pthread_mutex_lock(&s->lock);
	at = find(s, item->hash, cache_item_key(item));
	kept = !*at || (*at)->born <= item->born;
	if (*at && kept)
		drop(s, at);
	if (kept && item->bytes <= s->cap / 4 && make_room(s, item)) {
		narrow_window(s, item->bytes);
		at = bucket_of(s, item->hash);
		item->next = *at;
		link_set(at, cache_item_ref(item));
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
	s->bucket_mask = (uint32_t)(buckets - 1);
	s->sketch = zeroed(lines, LINE_BYTES);
	s->sketch_mask = lines - 1;
	s->count_max = s->count_left = lines * 128 * 10 / 4;
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
