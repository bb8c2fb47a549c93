/* SPDX-License-Identifier: Apache-2.0
 *
 * AuthCache: who was proved to be whom, until that ends. Keys are SHA-256 of what was shown, so that no secret stays in
 * memory. Bounded; the one that was not used for longest goes. Any thread; a shard's lock is held for a look-up. */
#pragma once
#include "base/json.h"
#include "base/list.h"
#include "obs/metric.h"

typedef struct AuthCache AuthCache;

typedef struct AuthId {
	uint8_t at[32];
} AuthId;
AuthId auth_id(Str text);
/* Of two texts, with their border: ("ab", "c") is not ("a", "bc"). */
AuthId auth_id2(Str one, Str two);

/* Immutable; counted. */
typedef struct AuthEntry {
	unsigned refs;
	AuthId id;
	uint32_t generation; /* of the keys that proved it */
	const Json *claims;  /* an object; NULL: it was proved to be nobody */
	int64_t expires_us;  /* UTC */
	Node used;           /* in its shard, the oldest first */
} AuthEntry;

/* 0: it holds none. policy: the metrics' label. */
AuthCache *auth_cache_new(uint32_t entries, Str policy) RETURNS_NONNULL;
void auth_cache_free(AuthCache *cache); /* NULL is fine */

/* A reference, or NULL: not there, over, or of another generation. */
const AuthEntry *auth_cache_find(AuthCache *cache, AuthId id, uint32_t generation, int64_t now_us);
/* What a cache knows of an id, as claims for as long as the request lives; false: nothing. */
bool auth_recall(AuthCache *cache, Arena *a, AuthId id, int64_t now_us, const Json **claims);
/* Keeps claims (json_keep) as long as need be; instead of an older one of that id. */
void auth_cache_add(AuthCache *cache, AuthId id, uint32_t generation, const Json *claims,
                    int64_t expires_us);
void auth_cache_forget(AuthCache *cache, AuthId id);
void auth_entry_unref(const AuthEntry *entry); /* any thread */

MetricList auth_cache_metrics;
