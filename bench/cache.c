/* SPDX-License-Identifier: Apache-2.0
 *
 * cache memory N        gets of N values by each of two threads from the memory tier
 * cache map N           the same from a bare hash map under a mutex
 * cache redis PORT N D  N gets from the Redis tier, D fibers at a time on one loop
 * cache client PORT N D the same GETs by the client alone
 * cache fill PORT       puts what `cache redis` and `cache client` will get; nothing is measured
 *
 * Keys are drawn from 10,000 as users do (Zipf, exponent 1), values have 100 bytes. Prints one line of JSON: CPU nanoseconds a
 * get of this process, all threads, kernel included. Linked with the library of the release build. */
#include "base/arena.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/time.h"
#include "net.h"
#include "store/cache.h"

#include <pthread.h>
#include <time.h>

enum { KEYS = 10000, DRAWN = 1 << 16, VALUE_BYTES = 100, THREADS = 2 };

typedef struct Bench {
	const char *mode;
	uint64_t count;
	unsigned depth;
	uint16_t port;
	Arena *a;
	Str keys[KEYS];
	Str drawn[DRAWN];
	char value[VALUE_BYTES];
	Cache *cache;
	Redis *redis;
	uint64_t left;   /* atomic: fibers */
	uint64_t loads;  /* atomic */
	uint64_t asked;  /* of one loop */
	Fiber *fiber;
	double ns;
} Bench;

static Bench bench;

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void draw_keys(void)
{
	static double upto[KEYS];
	double sum = 0;

	for (int k = 0; k < KEYS; k++) {
		bench.keys[k] = str_fmt(bench.a, "user:%d:profile", 100000 + k);
		upto[k] = sum += 1.0 / (k + 1);
	}
	for (int i = 0; i < DRAWN; i++) {
		double at = (double)rand_below(1 << 30) / (1 << 30) * sum;
		int low = 0, high = KEYS - 1;

		while (low < high) {
			int middle = (low + high) / 2;

			if (upto[middle] < at)
				low = middle + 1;
			else
				high = middle;
		}
		bench.drawn[i] = bench.keys[low];
	}
}

/* --- memory --------------------------------------------------------------------------------------------------------- */

static Err *load(const void *arg, Arena *a, CacheFill *fill)
{
	(void)arg;
	(void)a;
	__atomic_fetch_add(&bench.loads, 1, __ATOMIC_RELAXED);
	fill->found = true;
	fill->value = (Str){ bench.value, VALUE_BYTES };
	return NULL;
}

static const CacheSource source = { load, NULL, 0 };

static void get_one(Arena *a, Str key)
{
	Mark mark = arena_mark(a);
	CacheValue value;

	if (cache_get(bench.cache, a, key, &source, &value) || value.bytes.len != VALUE_BYTES)
		die("a get went wrong");
	arena_reset(a, mark);
}

static void wake(void *arg)
{
	(void)arg;
	fiber_wake(bench.fiber);
}

static void get_many(void *arg)
{
	Arena *a = arena_new(0);
	size_t at = rand_below(DRAWN);

	(void)arg;
	for (uint64_t i = 0; i < bench.count; i++)
		get_one(a, bench.drawn[at++ % DRAWN]);
	arena_free(a);
	__atomic_fetch_sub(&bench.left, 1, __ATOMIC_RELEASE);
	loop_post(rt_loop(0), wake, NULL);
}

static void start_many(void *arg)
{
	if (fiber_start(get_many, arg, "get"))
		die("no fiber");
}

static Err *memory_main(void *arg)
{
	Arena *a = arena_new(0);
	CacheConf conf;
	int64_t start;

	cache_conf_defaults(&conf);
	conf.ttl_us = 3600 * US_PER_S;
	conf.refresh_ppm = 0;
	TRY(cache_open(a, &conf, NULL, &bench.cache));
	for (int k = 0; k < KEYS; k++)
		get_one(a, bench.keys[k]);
	bench.fiber = fiber_self();
	bench.left = THREADS;
	start = cpu_ns();
	loop_each(start_many, arg);
	while (__atomic_load_n(&bench.left, __ATOMIC_ACQUIRE))
		TRY(fiber_park());
	bench.ns = (double)(cpu_ns() - start) / (double)(bench.count * THREADS);
	if (bench.loads != KEYS)
		die("%llu loads, not %d", (unsigned long long)bench.loads, KEYS);
	cache_close(bench.cache);
	arena_free(a);
	return NULL;
}

/* --- a map under a mutex -------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Map map;

static void *map_many(void *arg)
{
	Arena *a = arena_new(0);
	size_t at = rand_below(DRAWN);

	(void)arg;
	for (uint64_t i = 0; i < bench.count; i++) {
		Mark mark = arena_mark(a);
		const Str *found;
		Str copy = { 0 };

		pthread_mutex_lock(&lock);
		found = map_get(&map, bench.drawn[at++ % DRAWN]);
		if (found)
			copy = str_dup(a, *found);
		pthread_mutex_unlock(&lock);
		if (copy.len != VALUE_BYTES)
			die("a get went wrong");
		arena_reset(a, mark);
	}
	arena_free(a);
	return NULL;
}

static void map_main(void)
{
	pthread_t threads[THREADS];
	int64_t start;

	for (int k = 0; k < KEYS; k++) {
		Str *value = ARENA_NEW(bench.a, Str);

		*value = str_dup(bench.a, (Str){ bench.value, VALUE_BYTES });
		map_put(&map, bench.keys[k], value);
	}
	start = cpu_ns();
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, map_many, NULL) != 0)
			die("no thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	bench.ns = (double)(cpu_ns() - start) / (double)(bench.count * THREADS);
}

/* --- Redis ---------------------------------------------------------------------------------------------------------- */

static void ask_one(Arena *a, Str key)
{
	Mark mark = arena_mark(a);
	RedisReply reply;

	if (bench.cache) {
		get_one(a, key);
	} else if (redis_call(bench.redis, a, REDIS_WORDS(S("GET"), key), &reply) ||
	           reply.text.len < VALUE_BYTES) {
		die("a GET went wrong");
	}
	arena_reset(a, mark);
}

static Err *ask_many(void *arg)
{
	Arena *a = arena_new(0);

	(void)arg;
	while (bench.asked < bench.count)
		ask_one(a, bench.drawn[bench.asked++ % DRAWN]);
	arena_free(a);
	return NULL;
}

static Err *open_cache(Arena *a, Cache **out)
{
	CacheConf conf;

	cache_conf_defaults(&conf);
	conf.name = S("bench");
	conf.memory_bytes = 0;
	conf.ttl_us = 3600 * US_PER_S;
	conf.staleness_us = 3600 * US_PER_S;
	TRY(cache_open(a, &conf, bench.redis, out));
	while (!cache_stats(*out).told)
		TRY(fiber_sleep(US_PER_MS));
	return NULL;
}

static Err *fill(Arena *a)
{
	RedisReply reply;

	TRY(open_cache(a, &bench.cache));
	for (int k = 0; k < KEYS; k++)
		get_one(a, bench.keys[k]);
	cache_close(bench.cache);
	for (int k = 0; k < KEYS; k++)
		TRY(redis_call(bench.redis, a,
		               REDIS_WORDS(S("SET"), bench.keys[k], (Str){ bench.value, VALUE_BYTES }),
		               &reply));
	return NULL;
}

static Err *ask_all(Arena *a)
{
	Child *children = ARENA_ARRAY(a, Child, bench.depth);
	int64_t start;

	if (strcmp(bench.mode, "redis") == 0)
		TRY(open_cache(a, &bench.cache));
	ask_one(a, bench.keys[0]);
	bench.loads = 0;
	start = cpu_ns();
	for (unsigned i = 0; i < bench.depth; i++)
		TRY(child_start(&children[i], ask_many, NULL, "ask"));
	for (unsigned i = 0; i < bench.depth; i++)
		TRY(child_join(&children[i]));
	bench.ns = (double)(cpu_ns() - start) / (double)bench.count;
	if (bench.loads)
		die("%llu loads", (unsigned long long)bench.loads);
	cache_close(bench.cache);
	return NULL;
}

static Err *redis_main(void *arg)
{
	Arena *a = arena_new(0);
	RedisConf conf;

	(void)arg;
	redis_conf_defaults(&conf, str_fmt(a, "redis://127.0.0.1:%u", bench.port));
	conf.timeout_us = 10 * US_PER_S;
	TRY(redis_open(a, &conf, &bench.redis));
	TRY(strcmp(bench.mode, "fill") == 0 ? fill(a) : ask_all(a));
	redis_close(bench.redis);
	arena_free(a);
	return NULL;
}

int main(int argc, char **argv)
{
	RtConf rt = { .loops = 1 };
	Err *err = NULL;

	if (argc < 3)
		die("usage: cache memory N | map N | redis PORT N DEPTH | client PORT N DEPTH | fill PORT");
	bench.mode = argv[1];
	bench.a = arena_new(0);
	draw_keys();
	bench.count = strtoull(argv[argc > 3 ? 3 : 2], NULL, 10);
	bench.port = (uint16_t)atoi(argv[2]);
	bench.depth = argc > 4 ? (unsigned)atoi(argv[4]) : 1;
	if (strcmp(bench.mode, "map") == 0) {
		map_main();
	} else if (strcmp(bench.mode, "memory") == 0) {
		rt.loops = THREADS;
		err = rt_run(&rt, memory_main, NULL);
	} else {
		err = rt_run(&rt, redis_main, NULL);
	}
	if (err)
		die("%.*s", STR_ARG(err_chain(bench.a, err)));
	printf("{\"ns\": %.2f}\n", bench.ns);
	return 0;
}
