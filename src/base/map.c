/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing with linear probing; a removed entry leaves a tombstone until the next growth. At most three quarters
 * of the slots are in use. */
#include "base/map.h"

#include "base/hash.h"

#include <stdlib.h>

typedef struct MapSlot {
	Str key;
	uint64_t hash;
	void *value; /* NULL: free, or a tombstone when key.at is set */
} MapSlot;

void map_fini(Map *map)
{
	free(map->slots);
	*map = (Map){ 0 };
}

static MapSlot *find(const Map *map, Str key, uint64_t hash)
{
	if (!map->cap)
		return NULL;
	for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
		MapSlot *slot = &map->slots[i];

		if (!slot->value && !slot->key.at)
			return NULL;
		if (slot->value && slot->hash == hash && str_eq(slot->key, key))
			return slot;
	}
}

static void insert(Map *map, MapSlot entry)
{
	size_t i = entry.hash & (map->cap - 1);

	while (map->slots[i].value)
		i = (i + 1) & (map->cap - 1);
	map->filled += !map->slots[i].key.at;
	map->slots[i] = entry;
}

static void grow(Map *map)
{
	Map bigger = { .cap = map->count * 2 < map->cap && map->cap
		                      ? map->cap
		                      : MAX(map->cap * 2, (size_t)16) };

	bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		abort();
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].value)
			insert(&bigger, map->slots[i]);
	bigger.count = map->count;
	free(map->slots);
	*map = bigger;
}

void *map_get(const Map *map, Str key)
{
	MapSlot *slot = find(map, key, hash_str(key));

	return slot ? slot->value : NULL;
}

void *map_put(Map *map, Str key, void *value)
{
	uint64_t hash = hash_str(key);
	MapSlot *slot = find(map, key, hash);

	if (slot) {
		void *before = slot->value;

		slot->value = value;
		return before;
	}
	if ((map->filled + 1) * 4 > map->cap * 3)
		grow(map);
	if (!key.at)
		key = S("");
	insert(map, (MapSlot){ key, hash, value });
	map->count++;
	return NULL;
}

void *map_remove(Map *map, Str key)
{
	MapSlot *slot = find(map, key, hash_str(key));
	void *value;

	if (!slot)
		return NULL;
	value = slot->value;
	*slot = (MapSlot){ .key = S("") };
	map->count--;
	return value;
}

bool map_next(const Map *map, size_t *at, Str *key, void **value)
{
	for (; *at < map->cap; ++*at) {
		const MapSlot *slot = &map->slots[*at];

		if (slot->value) {
			*key = slot->key;
			*value = slot->value;
			++*at;
			return true;
		}
	}
	return false;
}
