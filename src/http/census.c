/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting clients exactly, on all loops.
 *
 * The total is one number, raised only when it is below the limit, so it is never above it, not for a moment.
 *
 * Addresses are in tables with a lock each, so that loops seldom meet. An address is in its table for as long as it has a
 * connection: there are never more entries than connections, which have a limit of their own. An IPv6 client commonly has
 * a network of 64 bits to itself, so that is what counts as one. Hashes are keyed: nobody can choose addresses that meet. */
#include "http/census.h"

#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 64, SLOTS_FIRST = 16, KEY_BYTES = 9 };

typedef struct Address {
	uint8_t key[KEY_BYTES]; /* family, then its bytes that count */
	uint32_t count;         /* 0: the slot is free */
} Address;

/* Open addressing with linear probing; a removal moves those that follow up, so there are no tombstones. */
typedef struct Shard {
	_Alignas(64) pthread_mutex_t lock;
	Address *slots;
	uint32_t cap; /* a power of two */
	uint32_t used;
} Shard;

static uint32_t total; /* atomic */
static Shard shards[SHARDS] = { [0 ... SHARDS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER } };

bool census_enter(uint32_t limit)
{
	uint32_t now = __atomic_load_n(&total, __ATOMIC_RELAXED);

	do
		if (limit && now >= limit)
			return false;
	while (!__atomic_compare_exchange_n(&total, &now, now + 1, true, __ATOMIC_RELAXED,
	                                    __ATOMIC_RELAXED));
	return true;
}

void census_leave(void)
{
	__atomic_sub_fetch(&total, 1, __ATOMIC_RELAXED);
}

/* --- addresses ------------------------------------------------------------------------------------------------------ */

static Address key_of(const Peer *peer)
{
	Address address = { .key = { (uint8_t)peer->family } };

	if (peer->family == AF_INET)
		memcpy(address.key + 1, peer->ip, 4);
	else if (peer->family == AF_INET6)
		memcpy(address.key + 1, peer->ip, 8);
	return address;
}

static uint64_t hash_of(const Address *address)
{
	return hash_str((Str){ (const char *)address->key, KEY_BYTES });
}

static Shard *shard_of(uint64_t hash)
{
	return &shards[hash >> 32 & (SHARDS - 1)];
}

/* Where it is, or the free slot where it would be. */
static Address *slot_of(const Shard *shard, const Address *address, uint64_t hash)
{
	for (uint32_t at = (uint32_t)hash;; at++) {
		Address *slot = &shard->slots[at & (shard->cap - 1)];

		if (!slot->count || memcmp(slot->key, address->key, KEY_BYTES) == 0)
			return slot;
	}
}

static void shard_resize(Shard *shard, uint32_t cap)
{
	Shard bigger = { .slots = calloc(cap, sizeof(Address)), .cap = cap };

	if (!bigger.slots)
		abort();
	for (uint32_t i = 0; i < shard->cap; i++)
		if (shard->slots[i].count)
			*slot_of(&bigger, &shard->slots[i], hash_of(&shard->slots[i])) =
				shard->slots[i];
	free(shard->slots);
	shard->slots = bigger.slots;
	shard->cap = cap;
}

/* At most three quarters full, so that a search ends. */
static void make_room(Shard *shard)
{
	if (!shard->cap)
		shard_resize(shard, SLOTS_FIRST);
	else if ((shard->used + 1) * 4 > shard->cap * 3)
		shard_resize(shard, shard->cap * 2);
}

static void slot_free(Shard *shard, Address *slot)
{
	uint32_t mask = shard->cap - 1;
	uint32_t hole = (uint32_t)(slot - shard->slots);

	for (uint32_t at = (hole + 1) & mask; shard->slots[at].count; at = (at + 1) & mask) {
		uint32_t home = (uint32_t)hash_of(&shard->slots[at]) & mask;

		if (((at - home) & mask) < ((at - hole) & mask))
			continue; /* it would come before its home */
		shard->slots[hole] = shard->slots[at];
		hole = at;
	}
	shard->slots[hole].count = 0;
	shard->used--;
	if (shard->cap > SLOTS_FIRST && shard->used * 8 < shard->cap)
		shard_resize(shard, shard->cap / 2);
}

bool census_enter_address(const Peer *peer, uint32_t limit)
{
	Address address = key_of(peer);
	uint64_t hash = hash_of(&address);
	Shard *shard = shard_of(hash);
	Address *slot;
	bool enters;

	pthread_mutex_lock(&shard->lock);
	make_room(shard);
	slot = slot_of(shard, &address, hash);
	enters = slot->count < limit;
	if (enters && !slot->count) {
		*slot = address;
		shard->used++;
	}
	if (enters)
		slot->count++;
	pthread_mutex_unlock(&shard->lock);
	return enters;
}

void census_leave_address(const Peer *peer)
{
	Address address = key_of(peer);
	uint64_t hash = hash_of(&address);
	Shard *shard = shard_of(hash);
	Address *slot;

	pthread_mutex_lock(&shard->lock);
	slot = slot_of(shard, &address, hash);
	if (slot->count == 1)
		slot_free(shard, slot);
	else
		slot->count--;
	pthread_mutex_unlock(&shard->lock);
}

CensusStats census_stats(void)
{
	CensusStats stats = { .connections = __atomic_load_n(&total, __ATOMIC_RELAXED) };

	for (unsigned i = 0; i < SHARDS; i++) {
		Shard *shard = &shards[i];

		pthread_mutex_lock(&shard->lock);
		stats.addresses += shard->used;
		for (uint32_t k = 0; k < shard->cap; k++)
			stats.most = MAX(stats.most, shard->slots[k].count);
		pthread_mutex_unlock(&shard->lock);
	}
	return stats;
}
