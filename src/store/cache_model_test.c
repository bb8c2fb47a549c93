/* SPDX-License-Identifier: Apache-2.0
 *
 * Two caches of one name (two processes to each other), one Redis and a database that is a plain array of versions, under a
 * crowd of readers and writers on all loops and a fate that kills, stops, empties and fills Redis. What a reader is given is
 * held against what it must at least know:
 *
 *   - everything whose invalidation its own cache was told of before it asked, whether Redis heard it or not,
 *   - everything whose invalidation succeeded anywhere, the bound before it asked,
 *   - and nothing that was never committed.
 *
 * No step waits for a time: a slow machine only makes the second rule say less. */
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/cache.h"

#include "redis_server.h"
#include "unit.h"

#include <pthread.h>

enum { KEYS = 24, GROUPS = 4, TOLD = 64, READERS = 6, WRITERS = 2, CACHES = 2 };

static const int64_t BOUND_US = 100 * US_PER_MS;

typedef struct Told {
	uint64_t version;
	int64_t at_us;
} Told;

typedef struct Row {
	uint64_t version;     /* committed */
	uint64_t own[CACHES]; /* told to that cache */
	Told told[TOLD];      /* to all */
	size_t told_count;
} Row;

typedef struct World {
	pthread_mutex_t lock; /* of rows */
	Row rows[KEYS];
	Cache *caches[CACHES];
	uint32_t steps;                             /* atomic: left */
	uint32_t actors;                            /* atomic: at work */
	uint32_t reads, served_stale, failed_tells; /* atomic */
	Loop *home;
	Fiber *fiber;
} World;

static World world = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Every fifth version of a row is that there is none. */
static bool is_there(uint64_t version)
{
	return version % 5 != 0;
}

static Str key_name(Arena *a, size_t key)
{
	return str_fmt(a, "key%zu", key);
}

static Str group_name(Arena *a, size_t key)
{
	return str_fmt(a, "group%zu", key % GROUPS);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static void dawdle(unsigned most)
{
	for (uint64_t i = rand_below(most); i; i--)
		if (fiber_yield())
			return;
}

static Err *read_row(const void *arg, Arena *a, CacheFill *fill)
{
	size_t key = *(const size_t *)arg;
	uint64_t version;

	dawdle(3);
	pthread_mutex_lock(&world.lock);
	version = world.rows[key].version;
	pthread_mutex_unlock(&world.lock);
	if (rand_below(50) == 0)
		return err_new(a, ERR_UPSTREAM, "truth.away", "the database was away");
	if (rand_below(20) == 0)
		TRY(fiber_sleep((int64_t)rand_below(2 * BOUND_US)));
	dawdle(8);
	fill->found = is_there(version);
	fill->value = str_fmt(a, "%" PRIu64, version);
	cache_fill_tag(fill, group_name(a, key));
	return NULL;
}

static uint64_t must_know(const Row *row, size_t cache, int64_t now_us)
{
	uint64_t version = row->own[cache];

	for (size_t i = 0; i < MIN(row->told_count, (size_t)TOLD); i++)
		if (row->told[i].at_us < now_us - BOUND_US)
			version = MAX(version, row->told[i].version);
	return version;
}

static bool some_version_is_none(uint64_t from, uint64_t to)
{
	for (uint64_t version = from; version <= to; version++)
		if (!is_there(version))
			return true;
	return false;
}

static void hold_against(size_t key, uint64_t least, const CacheValue *value)
{
	uint64_t most, got = 0;

	pthread_mutex_lock(&world.lock);
	most = world.rows[key].version;
	pthread_mutex_unlock(&world.lock);
	__atomic_fetch_add(&world.reads, 1, __ATOMIC_RELAXED);
	if (!value->found) {
		CHECK(some_version_is_none(least, most));
		return;
	}
	CHECK(str_to_u64(value->bytes, &got));
	if (got < least || got > most || !is_there(got))
		unit_fail(__FILE__, __LINE__,
		          "key %zu: got %" PRIu64 ", must be %" PRIu64 " to %" PRIu64, key, got,
		          least, most);
	if (got < most)
		__atomic_fetch_add(&world.served_stale, 1, __ATOMIC_RELAXED);
}

static void read_once(Arena *a, bool leaves)
{
	size_t key = rand_below(rand_below(KEYS) + 1), cache = rand_below(CACHES);
	CacheSource source = { read_row, &key, sizeof key };
	uint64_t least;
	CacheValue value;
	Err *err;

	pthread_mutex_lock(&world.lock);
	least = must_know(&world.rows[key], cache, time_mono_us());
	pthread_mutex_unlock(&world.lock);
	if (leaves) {
		AUTO(deadline_end)
		Deadline limit = deadline_begin((int64_t)rand_below(BOUND_US));

		err = cache_get(world.caches[cache], a, key_name(a, key), &source, &value);
	} else {
		err = cache_get(world.caches[cache], a, key_name(a, key), &source, &value);
	}
	if (!err)
		hold_against(key, least, &value);
	else if (!err_is(err, "truth.away") && !(leaves && err_is(err, "rt.deadline")))
		CHECK_OK(err);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static void commit(size_t key, size_t step, uint64_t *versions)
{
	pthread_mutex_lock(&world.lock);
	for (size_t k = key; k < KEYS; k += step)
		versions[k] = ++world.rows[k].version;
	pthread_mutex_unlock(&world.lock);
}

static void note_told(size_t key, size_t step, const uint64_t *versions, size_t cache, bool all)
{
	pthread_mutex_lock(&world.lock);
	for (size_t k = key; k < KEYS; k += step) {
		Row *row = &world.rows[k];

		row->own[cache] = MAX(row->own[cache], versions[k]);
		if (all)
			row->told[row->told_count++ % TOLD] = (Told){ versions[k], time_mono_us() };
	}
	pthread_mutex_unlock(&world.lock);
}

static void write_once(Arena *a)
{
	bool group = rand_below(4) == 0;
	size_t key = group ? rand_below(GROUPS) : rand_below(rand_below(KEYS) + 1);
	size_t step = group ? GROUPS : KEYS, cache = rand_below(CACHES);
	Str name = group ? group_name(a, key) : key_name(a, key);
	CacheNames names = {
		.keys = &name, .key_count = !group, .tags = &name, .tag_count = group
	};
	uint64_t versions[KEYS];
	Err *err;

	commit(key, step, versions);
	dawdle(4);
	err = cache_invalidate(world.caches[cache], a, names);
	if (err && !err_is(err, "cache.not_told"))
		CHECK_OK(err);
	if (err)
		__atomic_fetch_add(&world.failed_tells, 1, __ATOMIC_RELAXED);
	note_told(key, step, versions, cache, !err);
}

/* --- the crowd ------------------------------------------------------------------------------------------------------ */

static bool step_taken(void)
{
	uint32_t left = __atomic_load_n(&world.steps, __ATOMIC_RELAXED);

	while (left && !__atomic_compare_exchange_n(&world.steps, &left, left - 1, true,
	                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return left > 0;
}

static void wake_home(void *arg)
{
	(void)arg;
	fiber_wake(world.fiber);
}

static void act(void *arg)
{
	bool writes = arg != NULL;

	while (step_taken()) {
		AUTO(arena_freep) Arena *a = arena_new(0);

		if (writes)
			write_once(a);
		else
			read_once(a, rand_below(30) == 0);
		if (fiber_yield())
			break;
		if (writes && fiber_sleep((int64_t)rand_below(5 * US_PER_MS)))
			break;
	}
	__atomic_fetch_sub(&world.actors, 1, __ATOMIC_RELAXED);
	loop_post(world.home, wake_home, NULL);
}

static void start_crowd(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < READERS; i++)
		CHECK_OK(fiber_start(act, NULL, "reader"));
	for (size_t i = 0; i < WRITERS; i++)
		CHECK_OK(fiber_start(act, &world, "writer"));
}

/* --- fate ----------------------------------------------------------------------------------------------------------- */

static void let_steps_pass(uint32_t count)
{
	uint32_t from = __atomic_load_n(&world.steps, __ATOMIC_RELAXED);

	while (__atomic_load_n(&world.actors, __ATOMIC_RELAXED) &&
	       from - __atomic_load_n(&world.steps, __ATOMIC_RELAXED) < count)
		if (fiber_sleep(US_PER_MS))
			return;
}

static void say(Redis *redis, Arena *a, RedisCommand command)
{
	RedisReply reply;

	if (redis_call(redis, a, command, &reply))
		return; /* it is away: fate had its way already */
}

static void strike(RedisServerProcess *server, Redis *redis, Arena *a)
{
	switch (rand_below(6)) {
	case 0:
		redis_kill(server);
		let_steps_pass((uint32_t)rand_below(200));
		redis_again(server);
		return;
	case 1:
		redis_signal(server, SIGSTOP);
		let_steps_pass((uint32_t)rand_below(200));
		redis_signal(server, SIGCONT);
		return;
	case 2:
		say(redis, a, REDIS_WORDS(S("FLUSHALL")));
		return;
	case 3:
		say(redis, a, REDIS_WORDS(S("DEL"), S("banyan:{cache}:inv")));
		return;
	case 4:
		say(redis, a, REDIS_WORDS(S("DEL"), S("banyan:{cache}:log")));
		return;
	default:
		say(redis, a, REDIS_WORDS(S("CONFIG"), S("SET"), S("maxmemory"), S("1")));
		let_steps_pass((uint32_t)rand_below(200));
		say(redis, a, REDIS_WORDS(S("CONFIG"), S("SET"), S("maxmemory"), S("0")));
		return;
	}
}

static Err *model_main(void *arg)
{
	Arena *a = arg;
	RedisServerProcess *server = redis_start(a, NULL);
	AUTO(redis_closep) Redis *redis = NULL;
	RedisConf redis_conf;
	CacheConf conf;

	redis_conf_defaults(&redis_conf, server->url);
	redis_conf.timeout_us = redis_conf.connect_us = 50 * US_PER_MS;
	redis_conf.backoff_us = US_PER_MS;
	redis_conf.backoff_max_us = 20 * US_PER_MS;
	CHECK_OK(redis_open(a, &redis_conf, &redis));
	cache_conf_defaults(&conf);
	conf.staleness_us = BOUND_US;
	conf.ttl_us = 2 * US_PER_S;
	conf.memory_bytes = 64 << 10;
	for (size_t i = 0; i < CACHES; i++)
		CHECK_OK(cache_open(a, &conf, redis, &world.caches[i]));
	world.home = loop_self();
	world.fiber = fiber_self();
	world.actors = (READERS + WRITERS) * rt_loops();
	loop_each(start_crowd, NULL);
	while (__atomic_load_n(&world.actors, __ATOMIC_RELAXED)) {
		let_steps_pass(100 + (uint32_t)rand_below(500));
		strike(server, redis, a);
	}
	NOTE("%u reads, %u of them behind, %u invalidations not told, %zu hits in Redis",
	     world.reads, world.served_stale, world.failed_tells,
	     (size_t)cache_stats(world.caches[0]).redis_hits);
	CHECK(world.reads > 0);
	CHECK(cache_stats(world.caches[0]).memory_hits > 0);
	CHECK(cache_stats(world.caches[0]).redis_hits > 0);
	for (size_t i = 0; i < CACHES; i++)
		cache_close(world.caches[i]);
	return NULL;
}

TEST(cache_is_never_further_behind_than_it_says)
{
	const char *proof = getenv("BANYAN_PROOF");
	RtConf rt = { .loops = 2 };

	world.steps = proof && *proof == '1' ? 100000 : 5000;
	CHECK_OK(rt_run(&rt, model_main, a));
}
