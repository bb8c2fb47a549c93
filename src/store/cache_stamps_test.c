/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cache_stamps.c"

#include "base/rand.h"
#include "unit.h"

TEST(cache_stamps_never_call_fresh_what_was_invalidated_since)
{
	CacheStamps s;
	uint64_t *hashes = ARENA_ARRAY(a, uint64_t, 20000);

	cache_stamps_init(&s);
	for (size_t i = 0; i < 20000; i++) {
		hashes[i] = rand_u64();
		CHECK(cache_stamps_fresh(&s, hashes[i], 0) || i);
		cache_stamps_raise(&s, hashes[i], i + 1);
	}
	for (size_t i = 0; i < 20000; i++)
		for (uint64_t born = 0; born <= i; born += 1000)
			CHECK(!cache_stamps_fresh(&s, hashes[i], born));
	for (size_t i = 0; i < 20000; i++)
		CHECK(cache_stamps_fresh(&s, hashes[i], 20000));
	cache_stamps_clear(&s);
	CHECK(cache_stamps_fresh(&s, hashes[0], 0));
	cache_stamps_fini(&s);
}

TEST(cache_stamps_disturb_few_others)
{
	CacheStamps s;
	int stale = 0;

	cache_stamps_init(&s);
	for (size_t i = 0; i < 6000; i++)
		cache_stamps_raise(&s, rand_u64(), 1);
	for (size_t i = 0; i < 10000; i++)
		stale += !cache_stamps_fresh(&s, rand_u64(), 0);
	NOTE("%d of 10000", stale);
	CHECK(stale < 500);
	cache_stamps_fini(&s);
}

TEST(cache_stamps_only_rise)
{
	CacheStamps s;

	cache_stamps_init(&s);
	cache_stamps_raise(&s, 1, 9);
	cache_stamps_raise(&s, 1, 3);
	CHECK(!cache_stamps_fresh(&s, 1, 8) || !cache_stamps_fresh(&s, 1 | UINT64_C(1) << 32, 8));
	cache_stamps_raise_all(&s, 7);
	cache_stamps_raise_all(&s, 5);
	CHECK(!cache_stamps_above_floor(&s, 6));
	CHECK(cache_stamps_above_floor(&s, 7));
	cache_stamps_fini(&s);
}
