/* SPDX-License-Identifier: Apache-2.0
 *
 * Map: bytes to pointer, open addressing, keys compared exactly. Keys are borrowed: they must live as long as the entry.
 * Hashing is keyed with a seed of the process, so that a client cannot choose colliding keys. */
#pragma once
#include "base/str.h"

typedef struct Map {
	struct MapSlot *slots;
	size_t count;
	size_t cap;
	size_t filled; /* with the tombstones */
} Map;

void map_fini(Map *map);                /* not the values */
void *map_get(const Map *map, Str key); /* NULL when there is none */
void *map_put(
	Map *map, Str key,
	void *value); /* value not NULL; returns what was there before, the key stays the old one */
void *map_remove(Map *map, Str key);
/* Every entry, in no order: `size_t at = 0; while (map_next(&map, &at, &key, &value))`. */
bool map_next(const Map *map, size_t *at, Str *key, void **value);
