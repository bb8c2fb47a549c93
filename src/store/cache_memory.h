/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory tier: items by key, bounded in bytes, shared by all loops. Any thread; a shard's lock is held for a look-up or
 * a change of a few pointers, and never across a park. */
#pragma once
#include "base/str.h"
#include "base/list.h"

typedef struct CacheMemory CacheMemory;

/* Immutable once it is known to others, but for what the shard's lock guards. */
typedef struct CacheItem CacheItem;
struct CacheItem {
	Node node;        /* guarded: in a list of its shard */
	uint64_t stamp;   /* the hash that invalidations know its key by */
	uint64_t born;    /* the clock of stamps before it was read */
	int64_t fresh_us; /* monotonic: it shows all that was committed by then */
	uint32_t refs;    /* atomic */
	uint32_t pins;    /* guarded: who copies from it without the lock */
	uint32_t bytes;   /* of it, as malloc gives them */
	uint32_t aged;    /* guarded: the shard's halvings that `hits` has seen */
	/* What a hit reads, next to what it copies: */
	CacheItem *next;    /* guarded: in its bucket */
	uint64_t hash;      /* the process's own, of the key */
	int64_t expires_us; /* monotonic */
	int64_t refresh_us; /* guarded: when it is to be loaded anew */
	uint64_t checked;   /* guarded: the judge's own */
	uint32_t value_len;
	uint16_t key_len;
	uint8_t tag_count;
	bool found;
	uint8_t segment; /* guarded */
	uint8_t hits;    /* guarded: of those that the sketch does not know */
	bool touched;    /* guarded: hit since it came to its place in the list */
	uint64_t data[]; /* tags, then key, then value */
};

typedef struct CacheItemParts {
	uint64_t stamp;
	Str key, value;
	bool found;
	const uint64_t *tags;
	size_t tag_count;
} CacheItemParts;
CacheItem *cache_item_new(
	const CacheItemParts *parts); /* one reference, the caller's; times are 0 */
CacheItem *cache_item_ref(CacheItem *item);
void cache_item_unref(CacheItem *item); /* NULL is fine */
void cache_item_unrefp(CacheItem **item);

static inline Str cache_item_key(const CacheItem *item)
{
	return (Str){ (const char *)(item->data + item->tag_count), item->key_len };
}

static inline Str cache_item_value(const CacheItem *item)
{
	return (Str){ (const char *)(item->data + item->tag_count) + item->key_len,
		      item->value_len };
}

CacheMemory *cache_memory_new(uint64_t bytes); /* at least 64 KiB */
void cache_memory_free(CacheMemory *m);        /* NULL is fine */

typedef enum CacheVerdict { CACHE_USE, CACHE_PASS, CACHE_DROP } CacheVerdict;
/* May it be given out? Called with the lock held: quick, no park, no lock. It may note something in item->checked, which
 * is 0 at first. */
typedef CacheVerdict CacheJudge(CacheItem *item, const void *arg);

/* The value in the arena. False: there is none, or none to be used. *due: it is past its refresh_us, and nobody else was
 * told so; refresh_us is now `again_us`. */
bool cache_memory_get(CacheMemory *m, Arena *a, Str key, CacheJudge *judge, const void *arg,
                      int64_t now_us, bool *found, Str *value, bool *due);
/* Takes a reference of its own, if it keeps it: one born later stays, and what is asked for too seldom has no place. */
bool cache_memory_put(CacheMemory *m, CacheItem *item);

typedef struct CacheMemoryStats {
	uint64_t bytes; /* everything: items, their index, frequencies */
	uint64_t items;
	uint64_t evictions; /* ever; what was dropped as stale does not count */
	uint64_t refused;   /* not let in */
} CacheMemoryStats;
CacheMemoryStats cache_memory_stats(CacheMemory *m);
