/* SPDX-License-Identifier: Apache-2.0
 *
 * A real Redis Cluster of three servers for a unit test, a third of the slots each.
 *
 *     Three three = { .a = a };
 *     three_start(&three);                        all slots are served when this returns
 *     three_move_slot(&three, 12182, 2, 0);       from the third server to the first, with its keys
 *     redis_kill(three.servers[1]);  redis_again(three.servers[1]);
 *     three_end(&three);
 *
 * On a fiber of loop 0. */
#pragma once

#include "base/time.h"
#include "redis_server.h"
#include "rt/fiber.h"
#include "store/redis.h"

enum { SERVERS = 3 };

typedef struct Three {
	Arena *a;
	RedisServerProcess *servers[SERVERS];
	Redis *each[SERVERS]; /* spoken to as if it were alone */
	Str ids[SERVERS];
	Redis *cluster;
} Three;

static inline Redis *three_open_url(Arena *a, Str url)
{
	RedisConf conf;
	Redis *redis;

	redis_conf_defaults(&conf, url);
	conf.timeout_us = conf.connect_us = 10 * US_PER_S;
	conf.backoff_us = US_PER_MS;
	conf.backoff_max_us = 20 * US_PER_MS;
	CHECK_OK(redis_open(a, &conf, &redis));
	return redis;
}

/* A command that must succeed; a reply that is a text. */
static inline Str three_tell(Redis *redis, Arena *a, RedisCommand command)
{
	RedisReply reply;

	CHECK_OK(redis_call(redis, a, command, &reply));
	return reply.text;
}

static inline void three_await(const Three *three)
{
	for (size_t i = 0; i < SERVERS; i++)
		while (str_find(three_tell(three->each[i], three->a,
		                           REDIS_WORDS(S("CLUSTER"), S("INFO"))),
		                S("cluster_state:ok")) < 0)
			CHECK_OK(fiber_sleep(5 * US_PER_MS));
}

static inline void three_start(Three *three)
{
	static const char *const ranges[SERVERS][2] = { { "0", "5460" },
		                                        { "5461", "10922" },
		                                        { "10923", "16383" } };
	Arena *a = three->a;

	for (size_t i = 0; i < SERVERS; i++) {
		uint16_t bus = free_port();
		const char *bus_text = str_z(a, str_fmt(a, "%u", bus));

		three->servers[i] =
			redis_start(a, (const char *[]){
					       "--cluster-enabled", "yes", "--cluster-port",
					       bus_text, "--cluster-node-timeout", "1000",
					       "--cluster-require-full-coverage", "no", NULL });
		three->each[i] = three_open_url(a, three->servers[i]->url);
		three_tell(three->each[i], a,
		           REDIS_WORDS(S("CLUSTER"), S("ADDSLOTSRANGE"), str_of(ranges[i][0]),
		                       str_of(ranges[i][1])));
		three->ids[i] = three_tell(three->each[i], a, REDIS_WORDS(S("CLUSTER"), S("MYID")));
		three_tell(three->each[0], a,
		           REDIS_WORDS(S("CLUSTER"), S("MEET"), S("127.0.0.1"),
		                       str_fmt(a, "%u", three->servers[i]->port),
		                       str_of(bus_text)));
	}
	three_await(three);
	three->cluster =
		three_open_url(a, str_fmt(a, "redis+cluster://127.0.0.1:%u,127.0.0.1:%u",
	                                  three->servers[0]->port, three->servers[1]->port));
}

static inline void three_end(Three *three)
{
	redis_close(three->cluster);
	for (size_t i = 0; i < SERVERS; i++)
		redis_close(three->each[i]);
}

/* Server `at` hears of a slot: IMPORTING from, MIGRATING to, or now of NODE `other`. */
static inline void three_set_slot(const Three *three, size_t at, unsigned slot, Str word,
                                  size_t other)
{
	three_tell(three->each[at], three->a,
	           REDIS_WORDS(S("CLUSTER"), S("SETSLOT"), str_fmt(three->a, "%u", slot), word,
	                       three->ids[other]));
}

/* From here until three_slot_given keys are at either server: who asks for one that is not there is told ASK. */
static inline void three_slot_leaves(const Three *three, unsigned slot, size_t from, size_t to)
{
	three_set_slot(three, to, slot, S("IMPORTING"), from);
	three_set_slot(three, from, slot, S("MIGRATING"), to);
}

static inline void three_slot_given(const Three *three, unsigned slot, size_t from, size_t to)
{
	three_set_slot(three, to, slot, S("NODE"), to);
	three_set_slot(three, from, slot, S("NODE"), to);
}

static inline void three_migrate(const Three *three, Str key, size_t from, size_t to)
{
	three_tell(three->each[from], three->a,
	           REDIS_WORDS(S("MIGRATE"), S("127.0.0.1"),
	                       str_fmt(three->a, "%u", three->servers[to]->port), key, S("0"),
	                       S("5000")));
}

/* The slot with all its keys. */
static inline void three_move_slot(const Three *three, unsigned slot, size_t from, size_t to)
{
	RedisReply keys;

	three_slot_leaves(three, slot, from, to);
	CHECK_OK(redis_call(three->each[from], three->a,
	                    REDIS_WORDS(S("CLUSTER"), S("GETKEYSINSLOT"),
	                                str_fmt(three->a, "%u", slot), S("1000")),
	                    &keys));
	for (size_t i = 0; i < keys.count; i++)
		three_migrate(three, keys.items[i].text, from, to);
	three_slot_given(three, slot, from, to);
}
