/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.c"

#include "base/arena.h"
#include "unit.h"

#include <string.h>

TEST(map_puts_gets_and_removes)
{
	AUTO(map_fini) Map map = { 0 };
	int x = 1, y = 2;

	CHECK_NULL(map_get(&map, S("a")));
	CHECK_NULL(map_remove(&map, S("a")));
	CHECK_NULL(map_put(&map, S("a"), &x));
	CHECK(map_put(&map, S("a"), &y) == &x);
	CHECK(map_get(&map, S("a")) == &y);
	CHECK_INT(map.count, 1);
	CHECK(map_remove(&map, S("a")) == &y);
	CHECK_NULL(map_get(&map, S("a")));
	CHECK_INT(map.count, 0);
	(void)a;
}

TEST(map_takes_any_bytes_as_keys)
{
	AUTO(map_fini) Map map = { 0 };
	int values[4];

	map_put(&map, (Str){ 0 }, &values[0]);
	map_put(&map, (Str){ "\0", 1 }, &values[1]);
	map_put(&map, (Str){ "\0\0", 2 }, &values[2]);
	map_put(&map, S("\xff"), &values[3]);
	CHECK_INT(map.count, 4);
	CHECK(map_get(&map, S("")) == &values[0]);
	CHECK(map_get(&map, (Str){ "\0", 1 }) == &values[1]);
	CHECK(map_get(&map, (Str){ "\0\0", 2 }) == &values[2]);
	CHECK(map_remove(&map, (Str){ 0 }) == &values[0]);
	CHECK_NULL(map_get(&map, S("")));
	(void)a;
}

/* The map beside a plain array of what it ought to hold. */
TEST(map_agrees_with_a_model)
{
	enum { KEYS = 500, STEPS = 60000 };
	AUTO(map_fini) Map map = { 0 };
	Str keys[KEYS];
	void *model[KEYS] = { 0 };
	uint64_t seed = 1;
	size_t count = 0;

	for (int i = 0; i < KEYS; i++)
		keys[i] = str_fmt(a, "key-%d", i);
	for (int step = 0; step < STEPS; step++) {
		size_t i;
		void *value = (void *)(uintptr_t)(step + 1);

		seed = seed * 6364136223846793005 + 1442695040888963407;
		i = (size_t)(seed >> 33) % KEYS;
		if (seed >> 63) {
			CHECK(map_put(&map, keys[i], value) == model[i]);
			model[i] = value;
		} else {
			CHECK(map_remove(&map, keys[i]) == model[i]);
			model[i] = NULL;
		}
		CHECK(map.cap <= 2048);
	}
	for (int i = 0; i < KEYS; i++) {
		CHECK(map_get(&map, keys[i]) == model[i]);
		count += model[i] != NULL;
	}
	CHECK_INT(map.count, count);
}

TEST(map_next_sees_each_entry_once)
{
	AUTO(map_fini) Map map = { 0 };
	unsigned char seen[300] = { 0 };
	size_t at = 0, count = 0;
	Str key;
	void *value;

	for (size_t i = 0; i < COUNT(seen); i++)
		map_put(&map, str_fmt(a, "%zu", i), &seen[i]);
	for (size_t i = 0; i < COUNT(seen); i += 3)
		map_remove(&map, str_fmt(a, "%zu", i));
	for (; map_next(&map, &at, &key, &value); count++) {
		size_t i = (size_t)((unsigned char *)value - seen);

		CHECK_STR(key, str_fmt(a, "%zu", i));
		CHECK_INT(seen[i]++, 0);
		CHECK(i % 3 != 0);
	}
	CHECK_INT(count, 200);
}
