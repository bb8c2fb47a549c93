/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache by itself and with a real Redis: two caches of one name are two processes to each other. */
#include "store/cache.c"

#include "redis_server.h"
#include "unit.h"

/* A database of one value, that can be slow, fail, and count who asks. */
typedef struct Truth {
	const char *value; /* NULL: there is none */
	const char *tag;
	int64_t ttl_us;
	uint32_t loads; /* atomic */
	bool hold;      /* a load waits, once it has read */
	bool fail;
	Fiber *held;
} Truth;

static Err *load_truth(const void *arg, Arena *a, CacheFill *fill)
{
	Truth *truth = *(Truth *const *)arg;

	__atomic_fetch_add(&truth->loads, 1, __ATOMIC_RELAXED);
	fill->found = truth->value != NULL;
	fill->value = str_dup(a, str_of(truth->value));
	fill->ttl_us = truth->ttl_us;
	if (truth->tag)
		CHECK(cache_fill_tag(fill, str_of(truth->tag)));
	if (truth->fail)
		return err_new(a, ERR_UPSTREAM, "truth.away", "the database was away");
	truth->held = fiber_self();
	while (truth->hold)
		TRY(fiber_park());
	truth->held = NULL;
	return NULL;
}

static void let_go(Truth *truth)
{
	truth->hold = false;
	fiber_wake(truth->held);
}

/* What the cache says, "-" when there is none. */
static Str ask(Cache *cache, Arena *a, const char *key, Truth *truth)
{
	CacheSource source = { load_truth, &truth, sizeof truth };
	CacheValue value;
	Err *err = cache_get(cache, a, str_of(key), &source, &value);

	if (err)
		return str_of(err->slug);
	return value.found ? value.bytes : S("-");
}

static void forget(Cache *cache, Arena *a, const char *key)
{
	Str name = str_of(key);

	CHECK_OK(cache_invalidate(cache, a, (CacheNames){ .keys = &name, .key_count = 1 }));
}

typedef void Body(Arena *a, Cache *cache);
typedef struct Alone {
	Arena *a;
	Body *body;
	void (*adjust)(CacheConf *conf);
} Alone;

static Err *alone_main(void *arg)
{
	const Alone *alone = arg;
	AUTO(cache_closep) Cache *cache = NULL;
	CacheConf conf;

	cache_conf_defaults(&conf);
	if (alone->adjust)
		alone->adjust(&conf);
	CHECK_OK(cache_open(alone->a, &conf, NULL, &cache));
	alone->body(alone->a, cache);
	return NULL;
}

static void run_alone(Alone alone)
{
	RtConf rt = { .loops = 2 };

	CHECK_OK(rt_run(&rt, alone_main, &alone));
}

/* --- memory only ---------------------------------------------------------------------------------------------------- */

static void hits(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one" }, none = { 0 };
	char large[CACHE_KEY_MAX + 2] = { 0 };

	CHECK_STR(ask(cache, a, "k", &truth), S("one"));
	truth.value = "two";
	CHECK_STR(ask(cache, a, "k", &truth), S("one"));
	CHECK_INT(truth.loads, 1);
	CHECK_STR(ask(cache, a, "other", &truth), S("two"));
	CHECK_STR(ask(cache, a, "n", &none), S("-"));
	CHECK_STR(ask(cache, a, "n", &none), S("-"));
	CHECK_INT(none.loads, 1);
	CHECK_STR(ask(cache, a, "", &truth), S("cache.key"));
	memset(large, 'k', CACHE_KEY_MAX + 1);
	CHECK_STR(ask(cache, a, large, &truth), S("cache.key"));
	large[CACHE_KEY_MAX] = 0;
	CHECK_STR(ask(cache, a, large, &truth), S("two"));
	CHECK_INT(cache_stats(cache).memory_hits, 2);
	CHECK_INT(cache_stats(cache).loads, 4);
	CHECK_INT(cache_stats(cache).items, 4);
}

TEST(cache_get_loads_once_what_is_there_and_what_is_not)
{
	run_alone((Alone){ a, hits });
}

static void invalid(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one", .tag = "shop" };
	Str tag = S("shop");

	CHECK_STR(ask(cache, a, "k", &truth), S("one"));
	truth.value = "two";
	forget(cache, a, "k");
	CHECK_STR(ask(cache, a, "k", &truth), S("two"));
	truth.value = "three";
	CHECK_OK(cache_invalidate(cache, a, (CacheNames){ .tags = &tag, .tag_count = 1 }));
	CHECK_STR(ask(cache, a, "k", &truth), S("three"));
	truth.value = NULL;
	forget(cache, a, "another");
	CHECK_STR(ask(cache, a, "k", &truth), S("three"));
	forget(cache, a, "shop"); /* a key of that name is not the tag */
	CHECK_STR(ask(cache, a, "k", &truth), S("three"));
	CHECK_OK(cache_invalidate(cache, a, (CacheNames){ 0 }));
}

TEST(cache_invalidate_is_in_force_at_once_by_key_and_tag)
{
	run_alone((Alone){ a, invalid });
}

static void not_kept(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one", .ttl_us = -1 };
	Truth failing = { .value = "one", .fail = true };
	char *large = arena_alloc(a, (2 << 20) + 1);
	Truth big = { .value = memset(large, 'x', 2 << 20) };

	CHECK_STR(ask(cache, a, "k", &truth), S("one"));
	CHECK_STR(ask(cache, a, "k", &truth), S("one"));
	CHECK_INT(truth.loads, 2);
	CHECK_STR(ask(cache, a, "f", &failing), S("truth.away"));
	CHECK_STR(ask(cache, a, "f", &failing), S("truth.away"));
	CHECK_INT(failing.loads, 2);
	CHECK_INT(ask(cache, a, "big", &big).len, 2 << 20);
	CHECK_INT(ask(cache, a, "big", &big).len, 2 << 20);
	CHECK_INT(big.loads, 2);
	CHECK_INT(cache_stats(cache).items, 0);
}

TEST(cache_keeps_no_errors_nothing_too_large_and_nothing_it_is_told_not_to)
{
	run_alone((Alone){ a, not_kept });
}

/* --- the classic race ----------------------------------------------------------------------------------------------- */

typedef struct Asker {
	Cache *cache;
	Truth *truth;
	Arena *a;
	Str got;
	Child child;
} Asker;

static Err *ask_child(void *arg)
{
	Asker *asker = arg;

	asker->got = ask(asker->cache, asker->a, "k", asker->truth);
	return NULL;
}

static void start_asking(Asker *asker, Cache *cache, Arena *a, Truth *truth)
{
	*asker = (Asker){ .cache = cache, .truth = truth, .a = a };
	CHECK_OK(child_start(&asker->child, ask_child, asker, "asks"));
	CHECK_OK(fiber_yield());
	CHECK_OK(fiber_yield());
}

static void old_read(Arena *a, Cache *cache)
{
	Truth truth = { .value = "old", .hold = true };
	Asker slow, late;

	start_asking(&slow, cache, a, &truth); /* has read "old" */
	truth.value = "new";
	forget(cache, a, "k");
	truth.hold = false;
	start_asking(&late, cache, a, &truth); /* must not wait for the old load */
	CHECK_OK(child_join(&late.child));
	CHECK_STR(late.got, S("new"));
	fiber_wake(slow.child.fiber); /* its fill comes last */
	CHECK_OK(child_join(&slow.child));
	CHECK_STR(slow.got, S("old"));
	CHECK_STR(ask(cache, a, "k", &truth), S("new"));
	CHECK_INT(truth.loads, 2);
}

TEST(cache_fill_of_an_old_read_does_not_outlive_the_invalidation)
{
	run_alone((Alone){ a, old_read });
}

static void told_by_tag(Arena *a, Cache *cache)
{
	Truth truth = { .value = "old", .tag = "shop", .hold = true };
	Str tag = S("shop");
	Asker slow, late;

	start_asking(&slow, cache, a, &truth);
	truth.value = "new";
	CHECK_OK(cache_invalidate(cache, a, (CacheNames){ .tags = &tag, .tag_count = 1 }));
	start_asking(&late, cache, a, &truth); /* joins: nobody knows the tags of the load yet */
	CHECK_INT(truth.loads, 1);
	let_go(&truth);
	CHECK_OK(child_join(&slow.child));
	CHECK_OK(child_join(&late.child));
	CHECK_STR(slow.got, S("old"));
	CHECK_STR(late.got, S("new"));
}

TEST(cache_waiter_does_not_take_what_was_tagged_and_invalidated)
{
	run_alone((Alone){ a, told_by_tag });
}

/* --- one load for all ----------------------------------------------------------------------------------------------- */

static void collapse(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one", .hold = true };
	Asker *askers = ARENA_ARRAY(a, Asker, 50);

	for (int i = 0; i < 50; i++)
		start_asking(&askers[i], cache, a, &truth);
	let_go(&truth);
	for (int i = 0; i < 50; i++) {
		CHECK_OK(child_join(&askers[i].child));
		CHECK_STR(askers[i].got, S("one"));
	}
	CHECK_INT(truth.loads, 1);
	CHECK_INT(cache_stats(cache).collapsed, 49);
}

TEST(cache_misses_of_one_key_share_a_load)
{
	run_alone((Alone){ a, collapse });
}

static void collapse_error(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one", .fail = true };
	Asker askers[3];

	for (size_t i = 0; i < COUNT(askers); i++)
		askers[i] = (Asker){ .cache = cache, .truth = &truth, .a = a };
	truth.fail = false;
	truth.hold = true;
	for (size_t i = 0; i < COUNT(askers); i++)
		start_asking(&askers[i], cache, a, &truth);
	child_end(&askers[0].child); /* the one who loads leaves: another loads */
	CHECK_STR(askers[0].got, S("rt.cancelled"));
	while (truth.loads < 2 || !truth.held)
		CHECK_OK(fiber_yield());
	child_end(&askers[2].child); /* one who waits leaves */
	CHECK_STR(askers[2].got, S("rt.cancelled"));
	let_go(&truth);
	CHECK_OK(child_join(&askers[1].child));
	CHECK_STR(askers[1].got, S("one"));
}

TEST(cache_load_is_taken_over_when_its_leader_leaves)
{
	run_alone((Alone){ a, collapse_error });
}

typedef struct Everywhere {
	Cache *cache;
	Truth *truth;
	uint32_t left; /* atomic */
	Loop *home;
	Fiber *fiber;
} Everywhere;

static void wake_home(void *arg)
{
	fiber_wake(((Everywhere *)arg)->fiber);
}

static Err *load_apart(const void *arg, Arena *a, CacheFill *fill)
{
	Truth *truth = *(Truth *const *)arg;

	(void)a;
	__atomic_fetch_add(&truth->loads, 1, __ATOMIC_RELAXED);
	TRY(fiber_sleep(20 * US_PER_MS));
	fill->found = true;
	fill->value = S("one");
	return NULL;
}

static void ask_there(void *arg)
{
	Everywhere *e = arg;
	AUTO(arena_freep) Arena *a = arena_new(0);
	CacheSource source = { load_apart, &e->truth, 0 };
	CacheValue value;

	CHECK_OK(cache_get(e->cache, a, S("k"), &source, &value));
	CHECK_STR(value.bytes, S("one"));
	__atomic_fetch_sub(&e->left, 1, __ATOMIC_RELAXED);
	loop_post(e->home, wake_home, e);
}

static void start_there(void *arg)
{
	CHECK_OK(fiber_start(ask_there, arg, "there"));
}

static void collapse_loops(Arena *a, Cache *cache)
{
	Truth truth = { 0 };
	Everywhere e = { cache, &truth, 2 * 20, loop_self(), fiber_self() };

	(void)a;
	for (int i = 0; i < 20; i++)
		loop_each(start_there, &e);
	while (__atomic_load_n(&e.left, __ATOMIC_RELAXED))
		CHECK_OK(fiber_park());
	CHECK_INT(truth.loads, 1);
}

TEST(cache_misses_of_all_loops_share_a_load)
{
	run_alone((Alone){ a, collapse_loops });
}

/* --- expiry --------------------------------------------------------------------------------------------------------- */

static void short_lives(CacheConf *conf)
{
	conf->ttl_us = 30 * US_PER_MS;
	conf->negative_ttl_us = 0;
	conf->refresh_ppm = 0;
}

static void expires(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one" }, none = { 0 };

	ask(cache, a, "k", &truth);
	truth.value = "two";
	while (!str_eq(ask(cache, a, "k", &truth), S("two")))
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK_INT(truth.loads, 2);
	ask(cache, a, "n", &none);
	ask(cache, a, "n", &none);
	CHECK_INT(none.loads, 2);
}

TEST(cache_values_expire)
{
	run_alone((Alone){ a, expires, short_lives });
}

static void early(CacheConf *conf)
{
	conf->ttl_us = 60 * US_PER_S;
	conf->refresh_ppm = 999999;
}

static void ahead(Arena *a, Cache *cache)
{
	Truth truth = { .value = "one" };
	uint32_t loads;

	ask(cache, a, "k", &truth);
	truth.value = "two";
	while (!str_eq(ask(cache, a, "k", &truth), S("two")))
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK_INT(truth.loads, 2);
	CHECK_INT(cache_stats(cache).refreshes, 1);
	truth.fail = true; /* the old one stands */
	while ((loads = truth.loads) == 2) {
		CHECK_STR(ask(cache, a, "k", &truth), S("two"));
		CHECK_OK(fiber_sleep(US_PER_MS));
	}
	CHECK_STR(ask(cache, a, "k", &truth), S("two"));
	truth.fail = false;
	truth.hold = true; /* closing does not wait for it */
}

TEST(cache_loads_ahead_of_expiry_while_the_old_value_serves)
{
	run_alone((Alone){ a, ahead, early });
}

TEST(cache_lives_are_cut_at_random_within_the_jitter)
{
	Cache cache = { .conf = { .jitter_ppm = 100000, .refresh_ppm = 200000 } };
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < 10000; i++) {
		CacheItem item = { 0 };

		set_times(&cache, &item, 1000, 1000000);
		least = MIN(least, item.expires_us);
		most = MAX(most, item.expires_us);
		CHECK_NEAR((double)(item.expires_us - item.refresh_us),
		           (double)(item.expires_us - 1000) / 5, 1);
	}
	CHECK(least >= 901000 && least < 902000);
	CHECK(most <= 1001000 && most > 1000000);
}

/* --- two processes -------------------------------------------------------------------------------------------------- */

typedef struct Pair {
	Arena *a;
	RedisServerProcess *server;
	Redis *redis;
	Cache *one, *two;
} Pair;
typedef void PairBody(Arena *a, Pair *pair);
typedef struct PairSetup {
	Arena *a;
	PairBody *body;
	const char *const *options;
	int64_t staleness_us;
} PairSetup;

static Err *pair_main(void *arg)
{
	const PairSetup *setup = arg;
	RedisServerProcess *server = redis_start(setup->a, setup->options);
	AUTO(redis_closep) Redis *redis = NULL;
	AUTO(cache_closep) Cache *one = NULL;
	AUTO(cache_closep) Cache *two = NULL;
	RedisConf redis_conf;
	CacheConf conf;

	redis_conf_defaults(&redis_conf, server->url);
	redis_conf.backoff_us = US_PER_MS;
	redis_conf.backoff_max_us = 10 * US_PER_MS;
	CHECK_OK(redis_open(setup->a, &redis_conf, &redis));
	cache_conf_defaults(&conf);
	conf.staleness_us = setup->staleness_us ? setup->staleness_us : 60 * US_PER_S;
	CHECK_OK(cache_open(setup->a, &conf, redis, &one));
	CHECK_OK(cache_open(setup->a, &conf, redis, &two));
	while (!cache_stats(one).told || !cache_stats(two).told)
		CHECK_OK(fiber_sleep(US_PER_MS));
	setup->body(setup->a, &(Pair){ setup->a, server, redis, one, two });
	return NULL;
}

static void run_pair(PairSetup setup)
{
	RtConf rt = { .loops = 2 };

	CHECK_OK(rt_run(&rt, pair_main, &setup));
}

/* Until what was cast has arrived. */
static void flush(Arena *a, Pair *pair)
{
	RedisReply reply;

	CHECK_OK(redis_call(pair->redis, a, REDIS_WORDS(S("PING")), &reply));
}

static void until_says(Arena *a, Cache *cache, Truth *truth, Str want)
{
	while (!str_eq(ask(cache, a, "k", truth), want))
		CHECK_OK(fiber_sleep(US_PER_MS));
}

static void shared(Arena *a, Pair *pair)
{
	Truth truth = { .value = "one", .tag = "shop" }, none = { 0 };
	Str tag = S("shop");

	CHECK_STR(ask(pair->one, a, "k", &truth), S("one"));
	CHECK_STR(ask(pair->one, a, "n", &none), S("-"));
	flush(a, pair);
	truth.value = "two";
	CHECK_STR(ask(pair->two, a, "k", &truth), S("one"));
	CHECK_STR(ask(pair->two, a, "n", &none), S("-"));
	CHECK_INT(truth.loads, 1);
	CHECK_INT(none.loads, 1);
	CHECK_INT(cache_stats(pair->one).redis_hits, 2);
	CHECK_OK(cache_invalidate(pair->one, a, (CacheNames){ .tags = &tag, .tag_count = 1 }));
	CHECK_STR(ask(pair->one, a, "k", &truth), S("two"));
	until_says(a, pair->two, &truth, S("two"));
	forget(pair->two, a, "k");
	truth.value = "three";
	CHECK_STR(ask(pair->two, a, "k", &truth), S("three"));
	until_says(a, pair->one, &truth, S("three"));
}

TEST(cache_is_shared_through_redis_and_so_are_invalidations)
{
	run_pair((PairSetup){ a, shared });
}

/* A value that another process read before a commit, and writes to Redis after the invalidation. */
static void late_fill(Arena *a, Pair *pair)
{
	Truth old = { .value = "old", .hold = true }, new = { .value = "new" };
	Asker slow;

	start_asking(&slow, pair->two, a, &old);
	while (!old.held)
		CHECK_OK(fiber_sleep(US_PER_MS));
	forget(pair->one, a, "k");
	let_go(&old);
	CHECK_OK(child_join(&slow.child));
	CHECK_STR(slow.got, S("old"));
	flush(a, pair);
	CHECK_STR(ask(pair->one, a, "k", &new), S("new"));
	until_says(a, pair->two, &new, S("new"));
}

TEST(cache_late_fill_of_another_process_is_not_believed)
{
	run_pair((PairSetup){ a, late_fill });
}

static void owed(Arena *a, Pair *pair)
{
	Truth truth = { .value = "one" };
	Str key = S("k");

	CHECK_STR(ask(pair->one, a, "k", &truth), S("one"));
	flush(a, pair);
	CHECK_STR(ask(pair->two, a, "k", &truth), S("one"));
	truth.value = "two";
	redis_signal(pair->server, SIGSTOP);
	CHECK_ERR(cache_invalidate(pair->one, a, (CacheNames){ .keys = &key, .key_count = 1 }),
	          "cache.not_told");
	CHECK_STR(ask(pair->one, a, "k", &truth), S("two"));
	CHECK_STR(ask(pair->two, a, "k", &truth), S("one")); /* was not told, and may */
	redis_signal(pair->server, SIGCONT);
	until_says(a, pair->two, &truth, S("two")); /* nobody repeated it */
	CHECK_STR(ask(pair->one, a, "k", &truth), S("two"));
}

TEST(cache_invalidation_that_failed_is_in_force_here_and_told_later)
{
	run_pair((PairSetup){ a, owed });
}

/* Redis goes: what is not older than the bound serves, the rest is loaded; one load for each bound and key. */
static void away(Arena *a, Pair *pair)
{
	Truth truth = { .value = "one" };

	CHECK_STR(ask(pair->one, a, "k", &truth), S("one"));
	redis_kill(pair->server);
	truth.value = "two";
	until_says(a, pair->one, &truth, S("two"));
	CHECK_INT(truth.loads, 2);
	CHECK(!cache_stats(pair->one).told);
	truth.value = "three";
	until_says(a, pair->one, &truth, S("three"));
	CHECK_INT(truth.loads, 3);
	redis_again(pair->server);
	while (!cache_stats(pair->one).told || !cache_stats(pair->two).told)
		CHECK_OK(fiber_sleep(US_PER_MS));
	truth.loads = 0;
	until_says(a, pair->two, &truth, S("three"));
	flush(a, pair);
	forget(pair->two, a, "k");
	truth.value = "four";
	until_says(a, pair->one, &truth, S("four"));
}

TEST(cache_without_its_redis_serves_nothing_older_than_the_bound)
{
	run_pair((PairSetup){ a, away, .staleness_us = 100 * US_PER_MS });
}

/* Everything in Redis is lost while it runs, or evicted: nothing kept is believed any more. */
static void lost_log(Arena *a, Pair *pair)
{
	static const char *const lose[][3] = {
		{ "FLUSHALL", NULL },
		{ "DEL", "banyan:{cache}:log" },
	};

	for (size_t i = 0; i < COUNT(lose); i++) {
		Truth truth = { .value = "one" };
		Str words[] = { str_of(lose[i][0]), str_of(lose[i][1]) };
		RedisReply reply;

		NOTE("round %zu", i);
		forget(pair->one, a, "k");
		until_says(a, pair->one, &truth, S("one"));
		truth.value = "two";
		CHECK_OK(redis_call(pair->redis, a, (RedisCommand){ words, words[1].len ? 2 : 1 },
		                    &reply));
		until_says(a, pair->one, &truth, S("two"));
		until_says(a, pair->two, &truth, S("two"));
	}
}

TEST(cache_whose_log_is_lost_starts_over)
{
	run_pair((PairSetup){ a, lost_log });
}

/* The stream is cut while a follower has not read all of it. */
static void gap(Arena *a, Pair *pair)
{
	Truth truth = { .value = "one" };
	RedisReply reply;
	RedisCommand both[] = { REDIS_WORDS(S("HINCRBY"), S("banyan:{cache}:log"), S("n"), S("1")),
		                REDIS_WORDS(S("DEL"), S("banyan:{cache}:inv")) };
	RedisReply replies[2];

	CHECK_STR(ask(pair->two, a, "k", &truth), S("one"));
	truth.value = "two";
	CHECK_OK(redis_calls(pair->redis, a, both, 2, replies)); /* an entry that nobody will see */
	until_says(a, pair->two, &truth, S("two"));
	(void)reply;
}

TEST(cache_that_missed_an_entry_drops_everything)
{
	run_pair((PairSetup){ a, gap });
}

/* A process that starts finds the values of others, and what became of them. */
static void newcomer(Arena *a, Pair *pair)
{
	AUTO(cache_closep) Cache *third = NULL;
	Truth stale = { .value = "old" }, truth = { .value = "one" };
	CacheConf conf = pair->one->conf;

	CHECK_STR(ask(pair->one, a, "stale", &stale), S("old"));
	CHECK_STR(ask(pair->one, a, "k", &truth), S("one"));
	flush(a, pair);
	stale.value = "new";
	forget(pair->one, a, "stale");
	CHECK_OK(cache_open(a, &conf, pair->redis, &third));
	while (!cache_stats(third).told)
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK_STR(ask(third, a, "k", &truth), S("one"));
	CHECK_INT(truth.loads, 1);
	CHECK_STR(ask(third, a, "stale", &stale), S("new"));
}

TEST(cache_of_a_new_process_takes_over_what_is_fresh)
{
	run_pair((PairSetup){ a, newcomer });
}

static void full(Arena *a, Pair *pair)
{
	Truth truth = { .value = "one" };
	RedisReply reply;
	Str key = S("k");

	CHECK_STR(ask(pair->one, a, "k", &truth), S("one"));
	flush(a, pair);
	CHECK_OK(redis_call(pair->redis, a,
	                    REDIS_WORDS(S("CONFIG"), S("SET"), S("maxmemory"), S("1")), &reply));
	truth.value = "two";
	CHECK_ERR(cache_invalidate(pair->one, a, (CacheNames){ .keys = &key, .key_count = 1 }),
	          "cache.not_told");
	CHECK_STR(ask(pair->one, a, "k", &truth), S("two"));
	CHECK_OK(redis_call(pair->redis, a,
	                    REDIS_WORDS(S("CONFIG"), S("SET"), S("maxmemory"), S("0")), &reply));
	until_says(a, pair->two, &truth, S("two"));
}

TEST(cache_of_a_redis_that_is_full_is_slower_not_wrong)
{
	run_pair((PairSetup){ a, full });
}
