/* SPDX-License-Identifier: Apache-2.0
 *
 * A master, a replica and a Sentinel that makes the one into the other. */
#include "store/redis_sentinel.c"

#include "base/time.h"
#include "redis_server.h"
#include "unit.h"

typedef struct Trio {
	RedisServerProcess *master, *replica, *sentinel;
} Trio;

static void trio_start(Arena *a, Trio *trio)
{
	const char *conf = str_z(a, str_fmt(a, "%s/sentinel.conf", unit_dir()));
	FILE *file;

	trio->master = redis_start(a, (const char *[]){ "--repl-diskless-sync-delay", "0", NULL });
	trio->replica = redis_start(a, (const char *[]){ "--replicaof",
	                                                 str_z(a, str_fmt(a, "127.0.0.1 %u",
	                                                                  trio->master->port)),
	                                                 NULL });
	file = fopen(conf, "w");
	CHECK(file != NULL);
	fprintf(file,
	        "sentinel monitor main 127.0.0.1 %u 1\nsentinel down-after-milliseconds main 200\n"
	        "sentinel failover-timeout main 2000\n",
	        trio->master->port);
	fclose(file);
	trio->sentinel =
		redis_start_at(a, free_port(), (const char *[]){ conf, "--sentinel", NULL });
	trio->sentinel->ready = "+monitor master";
	redis_again(trio->sentinel);
	arena_defer(a, redis_end, trio->sentinel);
}

static Redis *open_sentinel(Arena *a, const Trio *trio, const char *master)
{
	RedisConf conf;
	Redis *redis;

	/* the first of the Sentinels is not there */
	redis_conf_defaults(&conf, str_fmt(a, "redis+sentinel://127.0.0.1:1,127.0.0.1:%u/%s",
	                                   trio->sentinel->port, master));
	conf.timeout_us = conf.connect_us = 10 * US_PER_S;
	conf.backoff_us = US_PER_MS;
	conf.backoff_max_us = 20 * US_PER_MS;
	CHECK_OK(redis_open(a, &conf, &redis));
	return redis;
}

/* The Sentinel must know of the replica, and the replica must have all, before the master goes. */
static void await_replica(Arena *a, Redis *redis)
{
	RedisReply reply;

	do
		CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("WAIT"), S("1"), S("100")), &reply));
	while (reply.integer < 1);
}

static void await_sentinel(Arena *a, const Trio *trio)
{
	AUTO(redis_closep) Redis *sentinel = NULL;
	RedisConf conf;
	RedisReply reply;

	redis_conf_defaults(&conf, trio->sentinel->url);
	CHECK_OK(redis_open(a, &conf, &sentinel));
	for (;;) {
		CHECK_OK(redis_call(sentinel, a,
		                    REDIS_WORDS(S("SENTINEL"), S("REPLICAS"), S("main")), &reply));
		if (reply.count)
			return;
		CHECK_OK(fiber_sleep(5 * US_PER_MS));
	}
}

static Err *trio_main(void *arg)
{
	Arena *a = arg;
	AUTO(redis_closep) Redis *redis = NULL;
	AUTO(redis_closep) Redis *unknown = NULL;
	RedisReply reply;
	Trio trio;
	Err *err;

	trio_start(a, &trio);
	unknown = open_sentinel(a, &trio, "nobody");
	err = redis_call(unknown, a, REDIS_WORDS(S("PING")), &reply);
	CHECK_ERR(err, "redis.unavailable");
	CHECK_ERR(err->why, "redis.no_master");
	redis = open_sentinel(a, &trio, "main");
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("SET"), S("k"), S("v")), &reply));
	await_replica(a, redis);
	await_sentinel(a, &trio);
	redis_kill(trio.master);
	while (redis_call(redis, a, REDIS_WORDS(S("SET"), S("after"), S("w")), &reply))
		CHECK_OK(fiber_sleep(5 * US_PER_MS));
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("GET"), S("k")), &reply));
	CHECK_STR(reply.text, S("v"));
	return NULL;
}

TEST(redis_sentinel_is_asked_who_is_master_and_again_after_a_failover)
{
	RtConf rt = { .loops = 1 };

	CHECK_OK(rt_run(&rt, trio_main, a));
}
