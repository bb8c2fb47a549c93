/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen shards, chosen by the first byte of the hash, each a table and a list in the order of use under a lock of its own.
 * An entry that was found is counted for the request that found it, so it may be thrown out meanwhile. What is over is met
 * when it is looked for, or pushed out by others: nothing walks the cache. */
#include "auth/proved.h"

#include "base/arena.h"
#include "base/json_keep.h"
#include "base/map.h"

#include <openssl/evp.h>

#include <pthread.h>
#include <stdlib.h>

enum { SHARDS = 16 };

typedef struct Shard {
	pthread_mutex_t lock;
	Map entries; /* by id */
	List used;   /* the oldest first */
} Shard;

static const MetricFamily families[] = {
	{ "banyan_auth_cached",
	  METRIC_GAUGE,
	  "entries",
	  "Tokens, keys and sessions that are remembered as proved, by policy",
	  { "policy" } },
	{ "banyan_auth_evicted_total",
	  METRIC_COUNTER,
	  "entries",
	  "Those that were forgotten before their end, for want of room, by policy",
	  { "policy" } },
};

const MetricFamily *auth_cache_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

struct AuthCache {
	size_t limit; /* of a shard */
	MetricCell entries, evicted;
	Shard shards[SHARDS];
};

/* --- ids ---------------------------------------------------------------------------------------------------------------- */

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort();
}

static void free_md(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

AuthId auth_id2(Str one, Str two)
{
	AUTO(free_md) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint64_t border = one.len;
	AuthId id;

	pthread_once(&fetched, fetch);
	if (!ctx || EVP_DigestInit_ex(ctx, sha256, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &border, sizeof border) != 1 ||
	    EVP_DigestUpdate(ctx, one.at, one.len) != 1 ||
	    EVP_DigestUpdate(ctx, two.at, two.len) != 1 ||
	    EVP_DigestFinal_ex(ctx, id.at, NULL) != 1)
		abort();
	return id;
}

AuthId auth_id(Str text)
{
	return auth_id2(text, (Str){ 0 });
}

/* --- entries ------------------------------------------------------------------------------------------------------------ */

static Str key_of(const AuthEntry *entry)
{
	return (Str){ (const char *)entry->id.at, sizeof entry->id.at };
}

void auth_entry_unref(const AuthEntry *entry)
{
	AuthEntry *own = (AuthEntry *)entry;

	if (!own || __atomic_sub_fetch(&own->refs, 1, __ATOMIC_ACQ_REL))
		return;
	json_let_go(own->claims);
	free(own);
}

/* Under the lock. */
static void drop(const AuthCache *cache, Shard *shard, AuthEntry *entry)
{
	metric_sub(cache->entries, 1);
	map_remove(&shard->entries, key_of(entry));
	list_remove(&entry->used);
	auth_entry_unref(entry);
}

static AuthEntry *entry_new(AuthId id, uint32_t generation, const Json *claims, int64_t expires_us)
{
	AuthEntry *entry = calloc(1, sizeof *entry);

	if (!entry)
		abort();
	*entry = (AuthEntry){ .refs = 1,
		              .id = id,
		              .generation = generation,
		              .claims = claims ? json_keep(claims) : NULL,
		              .expires_us = expires_us };
	return entry;
}

/* --- the cache ---------------------------------------------------------------------------------------------------------- */

AuthCache *auth_cache_new(uint32_t entries, Str policy)
{
	AuthCache *cache = calloc(1, sizeof *cache);

	if (!cache)
		abort();
	cache->limit = (entries + SHARDS - 1) / SHARDS;
	cache->entries = metric_cell(&families[0], &policy, 1);
	cache->evicted = metric_cell(&families[1], &policy, 1);
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&cache->shards[i].lock, NULL);
		list_init(&cache->shards[i].used);
	}
	return cache;
}

void auth_cache_free(AuthCache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		Shard *shard = &cache->shards[i];

		while (!list_empty(&shard->used))
			drop(cache, shard, LIST_FIRST(&shard->used, AuthEntry, used));
		map_fini(&shard->entries);
		pthread_mutex_destroy(&shard->lock);
	}
	metric_cell_free(cache->entries);
	metric_cell_free(cache->evicted);
	free(cache);
}

static Shard *shard_of(AuthCache *cache, const AuthId *id)
{
	return &cache->shards[id->at[0] % SHARDS];
}

const AuthEntry *auth_cache_find(AuthCache *cache, AuthId id, uint32_t generation, int64_t now_us)
{
	Shard *shard = shard_of(cache, &id);
	AuthEntry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = map_get(&shard->entries, (Str){ (const char *)id.at, sizeof id.at });
	if (entry && (entry->generation != generation || now_us >= entry->expires_us)) {
		drop(cache, shard, entry);
		entry = NULL;
	}
	if (entry) {
		list_remove(&entry->used);
		list_add(&shard->used, &entry->used);
		__atomic_add_fetch(&entry->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&shard->lock);
	return entry;
}

static void let_entry_go(void *entry)
{
	auth_entry_unref(entry);
}

bool auth_recall(AuthCache *cache, Arena *a, AuthId id, int64_t now_us, const Json **claims)
{
	const AuthEntry *entry = auth_cache_find(cache, id, 0, now_us);

	if (!entry)
		return false;
	arena_defer(a, let_entry_go, (void *)entry);
	*claims = entry->claims;
	return true;
}

void auth_cache_add(AuthCache *cache, AuthId id, uint32_t generation, const Json *claims,
                    int64_t expires_us)
{
	Shard *shard = shard_of(cache, &id);
	AuthEntry *entry, *before;

	if (!cache->limit)
		return;
	entry = entry_new(id, generation, claims, expires_us);
	pthread_mutex_lock(&shard->lock);
	before = map_get(&shard->entries, key_of(entry));
	if (before)
		drop(cache, shard, before);
	if (shard->entries.count >= cache->limit) {
		drop(cache, shard, LIST_FIRST(&shard->used, AuthEntry, used));
		metric_add(cache->evicted, 1);
	}
	map_put(&shard->entries, key_of(entry), entry);
	list_add(&shard->used, &entry->used);
	metric_add(cache->entries, 1);
	pthread_mutex_unlock(&shard->lock);
}

void auth_cache_forget(AuthCache *cache, AuthId id)
{
	Shard *shard = shard_of(cache, &id);
	AuthEntry *entry;

	pthread_mutex_lock(&shard->lock);
	entry = map_get(&shard->entries, (Str){ (const char *)id.at, sizeof id.at });
	if (entry)
		drop(cache, shard, entry);
	pthread_mutex_unlock(&shard->lock);
}
