/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of invalidations and who follows it, on a cluster of three real servers: its slot moves to another server, and the
 * server that has it goes and comes back with nothing. cache_test.c has the log on one server, as a cache sees it. */
#include "store/cache_log.c"

#include "redis_cluster.h"
#include "store/redis_int.h"
#include "unit.h"

/* A process that follows, and what it was told of others. */
typedef struct Process {
	CacheLog *log;
	uint64_t last; /* the last hash */
	unsigned all;  /* how often nobody knew what */
} Process;

static void hear(void *arg, const uint64_t *hashes, size_t count)
{
	Process *process = arg;

	if (count)
		process->last = hashes[count - 1];
	else
		process->all++;
}

static void start(Process *process, Redis *redis)
{
	CHECK_OK(cache_log_open(redis, S("cache"), 60 * US_PER_S, hear, process, &process->log));
}

/* Until a load may go to Redis; where it would begin. */
static CachePlace place_of(const Process *process)
{
	CachePlace place = cache_log_place(process->log);

	for (; !place.generation; place = cache_log_place(process->log))
		CHECK_OK(fiber_sleep(US_PER_MS));
	return place;
}

static bool is_fresh(const Process *process, CachePlace born, uint64_t hash)
{
	return cache_log_fresh(process->log, born, &hash, 1);
}

/* One tells, the other hears; what was loaded before is not fresh any more, and nothing else. */
static void check_told(Arena *a, const Process *from, const Process *to, uint64_t hash)
{
	CachePlace born = place_of(to);

	place_of(from);
	CHECK(is_fresh(to, born, hash));
	CHECK_OK(cache_log_tell(from->log, a, &hash, 1));
	while (to->last != hash)
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK(!is_fresh(to, born, hash));
	CHECK(is_fresh(to, born, hash + 1000));
	CHECK(is_fresh(to, place_of(to), hash));
}

static size_t owner_of(unsigned slot)
{
	return slot <= 5460 ? 0 : slot <= 10922 ? 1 : 2;
}

/* Until this one follows the log where it is now: another generation. */
static void await_other(const Process *process, CachePlace before)
{
	while (place_of(process).generation == before.generation)
		CHECK_OK(fiber_sleep(US_PER_MS));
}

/* The log goes to another server, with what is in it. */
static void slot_moves(const Three *three, unsigned slot, size_t to, const Process *one,
                       const Process *two)
{
	CachePlace before = place_of(two);
	unsigned all = two->all;

	three_move_slot(three, slot, owner_of(slot), to);
	await_other(one, before);
	await_other(two, before);
	CHECK(!is_fresh(two, before, 1)); /* another server may be one that has lost something */
	CHECK(two->all > all);
	check_told(three->a, one, two, 3);
	check_told(three->a, two, one, 4);
}

/* What is told meanwhile is owed, in force here at once, and told by itself later. */
static void server_goes(const Three *three, size_t owner, const Process *one, const Process *two)
{
	CachePlace mine = place_of(one), before = place_of(two);
	uint64_t hash = 5;

	redis_kill(three->servers[owner]);
	CHECK(cache_log_tell(one->log, three->a, &hash, 1) != NULL);
	CHECK(!is_fresh(one, mine, hash));
	CHECK_INT(cache_log_place(one->log).generation, 0);
	redis_again(three->servers[owner]);
	await_other(one, mine);
	await_other(two, before);
	CHECK(!is_fresh(two, before, hash));
	check_told(three->a, one, two, 6);
	check_told(three->a, two, one, 7);
}

static Err *cluster_main(void *arg)
{
	Three three = { .a = arg };
	Process one = { 0 }, two = { 0 };
	unsigned slot = redis_slot(S("banyan:{cache}:log"));
	size_t other = (owner_of(slot) + 1) % SERVERS;

	three_start(&three);
	start(&one, three.cluster);
	start(&two, three.cluster);
	check_told(three.a, &one, &two, 1);
	check_told(three.a, &two, &one, 2);
	slot_moves(&three, slot, other, &one, &two);
	server_goes(&three, other, &one, &two);
	cache_log_close(one.log);
	cache_log_close(two.log);
	three_end(&three);
	return NULL;
}

TEST(cache_log_is_followed_through_a_cluster_that_changes)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, cluster_main, a));
}
