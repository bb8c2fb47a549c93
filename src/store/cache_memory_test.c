/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cache_memory.c"

#include "base/rand.h"
#include "unit.h"

static CacheVerdict use(CacheItem *item, const void *arg)
{
	(void)item;
	(void)arg;
	return CACHE_USE;
}

static CacheVerdict drop_it(CacheItem *item, const void *arg)
{
	(void)item;
	(void)arg;
	return CACHE_DROP;
}

static CacheVerdict pass(CacheItem *item, const void *arg)
{
	(void)item;
	(void)arg;
	return CACHE_PASS;
}

static bool put(CacheMemory *m, Str key, Str value, uint64_t born)
{
	CacheItemParts parts = { 0, key, value, true, NULL, 0 };
	AUTO(cache_item_unrefp) CacheItem *item = cache_item_new(&parts);

	item->born = born;
	item->refresh_us = INT64_MAX;
	return cache_memory_put(m, item);
}

static bool get(CacheMemory *m, Arena *a, Str key, CacheJudge *judge, Str *value)
{
	bool found, due;

	return cache_memory_get(m, a, key, judge, NULL, 0, &found, value, &due);
}

TEST(cache_memory_gives_back_what_was_put)
{
	CacheMemory *m = cache_memory_new(1 << 20);
	char *large = arena_alloc(a, 10000);
	Str value;

	large[9999] = 'x';
	CHECK(!get(m, a, S("k"), use, &value));
	CHECK(put(m, S("k"), S("v\0w"), 1));
	CHECK(put(m, S("large"), ((Str){ large, 10000 }), 1));
	CHECK(put(m, S("empty"), S(""), 1));
	CHECK(get(m, a, S("k"), use, &value));
	CHECK_STR(value, S("v\0w"));
	CHECK(get(m, a, S("large"), use, &value));
	CHECK_STR(value, ((Str){ large, 10000 }));
	CHECK(get(m, a, S("empty"), use, &value));
	CHECK_INT(value.len, 0);
	CHECK_INT(cache_memory_stats(m).items, 3);
	cache_memory_free(m);
}

TEST(cache_memory_keeps_the_one_born_later)
{
	CacheMemory *m = cache_memory_new(1 << 20);
	Str value;

	CHECK(put(m, S("k"), S("new"), 5));
	CHECK(!put(m, S("k"), S("old"), 4));
	CHECK(get(m, a, S("k"), use, &value));
	CHECK_STR(value, S("new"));
	CHECK(put(m, S("k"), S("newer"), 6));
	CHECK(get(m, a, S("k"), use, &value));
	CHECK_STR(value, S("newer"));
	CHECK_INT(cache_memory_stats(m).items, 1);
	cache_memory_free(m);
}

TEST(cache_memory_passes_by_or_drops_as_it_is_told)
{
	CacheMemory *m = cache_memory_new(1 << 20);
	Str value;

	put(m, S("k"), S("v"), 1);
	CHECK(!get(m, a, S("k"), pass, &value));
	CHECK(get(m, a, S("k"), use, &value));
	CHECK(!get(m, a, S("k"), drop_it, &value));
	CHECK(!get(m, a, S("k"), use, &value));
	CHECK_INT(cache_memory_stats(m).items, 0);
	cache_memory_free(m);
}

TEST(cache_memory_tells_one_that_a_refresh_is_due)
{
	CacheMemory *m = cache_memory_new(1 << 20);
	CacheItemParts parts = { 0, S("k"), S("v"), true, NULL, 0 };
	AUTO(cache_item_unrefp) CacheItem *item = cache_item_new(&parts);
	bool found, due;
	Str value;

	item->refresh_us = 100;
	cache_memory_put(m, item);
	for (int64_t now = 98; now < 103; now++) {
		NOTE("at %d", (int)now);
		CHECK(cache_memory_get(m, a, S("k"), use, NULL, now, &found, &value, &due));
		CHECK_INT(due, now == 100);
	}
	cache_memory_free(m);
}

/* Every allocation of the tier, as malloc sees it, against what it says; all kinds of sizes, for a long time. */
TEST(cache_memory_never_exceeds_its_bytes)
{
	static const uint64_t limits[] = { 64 << 10, 300 << 10, 1 << 20, 5 << 20 };

	for (size_t i = 0; i < COUNT(limits); i++) {
		CacheMemory *m = cache_memory_new(limits[i]);
		char *bytes = arena_alloc(a, 100000);

		NOTE("limit %zu", (size_t)limits[i]);
		for (int k = 0; k < 20000; k++) {
			size_t len = rand_below(rand_below(20) ? 500 : 100000);
			Str key = str_fmt(a, "%d", (int)rand_below(3000));
			Mark mark = arena_mark(a);
			Str value;

			if (rand_below(2))
				put(m, key, (Str){ bytes, len }, (uint64_t)k);
			else
				get(m, a, key, rand_below(10) ? use : drop_it, &value);
			arena_reset(a, mark);
			CHECK(k % 16 || cache_memory_stats(m).bytes <= limits[i]);
		}
		CHECK(cache_memory_stats(m).bytes > limits[i] / 2);
		CHECK(cache_memory_stats(m).evictions > 0);
		cache_memory_free(m);
	}
}

TEST(cache_memory_lists_add_up)
{
	CacheMemory *m = cache_memory_new(256 << 10);
	Shard *s = &m->shards[0];
	uint64_t sum = sizeof *s + (s->bucket_mask + 1) * sizeof *s->buckets +
	               (s->sketch_mask + 1) * LINE_BYTES;
	uint64_t items = 0;
	Str value;

	CHECK_INT(m->shard_mask, 0);
	for (int k = 0; k < 5000; k++) {
		Str key = str_fmt(a, "%d", (int)rand_below(2000));

		put(m, key, S("0123456789"), 1);
		get(m, a, key, use, &value);
	}
	for (int segment = 0; segment < SEGMENTS; segment++) {
		LIST_EACH (&s->lists[segment], CacheItem, node, item) {
			CHECK_INT(item->segment, segment);
			sum += item->bytes;
			items++;
		}
	}
	CHECK_INT(s->used, sum);
	CHECK_INT(s->items, items);
	CHECK(s->in[PROTECTED] <= s->protected_cap);
	CHECK(s->in[WINDOW] <= s->window_cap);
	cache_memory_free(m);
}

/* What is asked for often survives a scan of ten times the cache's size. */
TEST(cache_memory_is_not_emptied_by_a_scan)
{
	CacheMemory *m = cache_memory_new(256 << 10);
	char *bytes = arena_alloc(a, 1000);
	int left = 0;
	Str value;

	for (int round = 0; round < 8; round++) {
		for (int k = 0; k < 100; k++) {
			Str key = str_fmt(a, "hot%d", k);

			if (!get(m, a, key, use, &value))
				put(m, key, (Str){ bytes, 1000 }, 1);
		}
	}
	for (int k = 0; k < 2500; k++) {
		Str key = str_fmt(a, "cold%d", k);

		if (!get(m, a, key, use, &value))
			put(m, key, (Str){ bytes, 1000 }, 1);
	}
	for (int k = 0; k < 100; k++)
		left += get(m, a, str_fmt(a, "hot%d", k), use, &value);
	CHECK(left >= 90);
	cache_memory_free(m);
}

static bool is_there(CacheMemory *m, Str key)
{
	return *find(&m->shards[0], hash_str(key), key) != NULL;
}

/* Of two that came together the one that was hit stays; one hit is as good as one that moves it in a list. */
TEST(cache_memory_gives_a_second_chance_to_what_was_hit)
{
	CacheMemory *m = cache_memory_new(256 << 10);
	Shard *s = &m->shards[0];
	char *bytes = arena_alloc(a, 1000);
	int hit = 0, others = 0;
	Str value;

	for (int k = 0; k < 100; k++)
		put(m, str_fmt(a, "%d", k), (Str){ bytes, 1000 }, 1);
	for (int k = 0; k < 100; k += 2)
		CHECK(get(m, a, str_fmt(a, "%d", k), use, &value));
	for (int k = 0; k < 1000; k++) {
		Str key = str_fmt(a, "new%d", k);

		for (int asked = 0; asked < 3; asked++)
			get(m, a, key, use, &value);
		put(m, key, (Str){ bytes, 1000 }, 1);
		if (s->in[PROTECTED] > s->protected_cap / 4)
			break;
	}
	for (int k = 0; k < 100; k++)
		*(k % 2 ? &others : &hit) += is_there(m, str_fmt(a, "%d", k));
	NOTE("%d of 50 that were hit, %d of 50 others", hit, others);
	CHECK(hit >= 40);
	CHECK(hit > others);
	cache_memory_free(m);
}

/* A hot item is written to no more: its count stands still, and is halved when all are. */
TEST(cache_memory_counts_hits_up_to_the_most_a_counter_holds)
{
	CacheMemory *m = cache_memory_new(256 << 10);
	Shard *s = &m->shards[0];
	uint64_t left;
	CacheItem *item;
	Str value;

	put(m, S("k"), S("v"), 1);
	item = *find(s, hash_str(S("k")), S("k"));
	for (int i = 0; i < HITS_MAX; i++)
		get(m, a, S("k"), use, &value);
	left = s->count_left;
	get(m, a, S("k"), use, &value);
	CHECK_INT(hits_of(s, item), HITS_MAX);
	CHECK_INT(s->count_left, left);
	halve_all(s);
	CHECK_INT(hits_of(s, item), HITS_MAX / 2);
	get(m, a, S("k"), use, &value);
	CHECK_INT(hits_of(s, item), HITS_MAX / 2 + 1);
	get(m, a, S("k"), drop_it, &value);
	CHECK_INT(asked(s, hash_str(S("k"))), HITS_MAX / 2 + 2); /* the last one is a miss */
	cache_memory_free(m);
}

/* Beside plain LRU of the same size, on keys as users ask for them (Zipf, exponent 1): at least as many hits. */
TEST(cache_memory_hits_more_than_half_of_zipf)
{
	CacheMemory *m = cache_memory_new(256 << 10);
	char *bytes = arena_alloc(a, 1000);
	double sum = 0, *upto = ARENA_ARRAY(a, double, 10000);
	int hits = 0, gets = 40000;

	for (int k = 0; k < 10000; k++)
		upto[k] = sum += 1.0 / (k + 1);
	for (int i = 0; i < gets; i++) {
		double at = (double)rand_below(1 << 30) / (1 << 30) * sum;
		int low = 0, high = 9999;
		Mark mark = arena_mark(a);
		Str key, value;

		while (low < high) {
			int middle = (low + high) / 2;

			if (upto[middle] < at)
				low = middle + 1;
			else
				high = middle;
		}
		key = str_fmt(a, "%d", low);
		if (get(m, a, key, use, &value))
			hits++;
		else
			put(m, key, (Str){ bytes, 1000 }, 1);
		arena_reset(a, mark);
	}
	NOTE("%d hits of %d", hits, gets);
	CHECK(hits > gets / 2);
	cache_memory_free(m);
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

static void *hammer(void *arg)
{
	CacheMemory *m = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	char *bytes = arena_alloc(a, 10000);

	for (int k = 0; k < 20000; k++) {
		Mark mark = arena_mark(a);
		Str key = str_fmt(a, "%d", (int)rand_below(200)), value;

		if (rand_below(4) == 0)
			put(m, key, (Str){ bytes, rand_below(8000) }, 1);
		else if (get(m, a, key, rand_below(50) ? use : drop_it, &value) && value.len)
			CHECK_INT(value.at[value.len - 1], 0);
		arena_reset(a, mark);
	}
	return NULL;
}

TEST(cache_memory_is_shared_by_threads)
{
	CacheMemory *m = cache_memory_new(512 << 10);
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		CHECK_INT(pthread_create(&threads[i], NULL, hammer, m), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(cache_memory_stats(m).bytes <= 512 << 10);
	cache_memory_free(m);
}
