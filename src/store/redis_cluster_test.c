/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots by their published values; redirections by a cluster of three real servers. */
#include "store/redis_cluster.c"

#include "base/time.h"
#include "redis_server.h"
#include "unit.h"

TEST(redis_slot_is_what_redis_computes)
{
	static const struct {
		Str key;
		unsigned slot;
	} cases[] = {
		{ S("123456789"), 0x31c3 }, /* the specification's check value, below 16384 as it is */
		{ S("foo"), 12182 },         { S("{foo}bar"), 12182 },
		{ S("x{foo}{bar}"), 12182 }, { S(""), 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("row %zu", i);
		CHECK_INT(redis_slot(cases[i].key), cases[i].slot);
	}
	CHECK(redis_slot(S("{}foo")) != redis_slot(S("{}bar")));
	CHECK(redis_slot(S("{foo")) != redis_slot(S("foo")));
}

TEST(redis_key_of_finds_the_key)
{
	static const struct {
		Str words[6];
		Str key;
	} cases[] = {
		{ { S("GET"), S("k") }, S("k") },
		{ { S("PING") }, S("") },
		{ { S("info"), S("server") }, S("") },
		{ { S("EVAL"), S("return 1"), S("1"), S("k") }, S("k") },
		{ { S("EVAL"), S("return 1"), S("0") }, S("") },
		{ { S("XREAD"), S("COUNT"), S("1"), S("streams"), S("k"), S("0") }, S("k") },
		{ { S("XREAD"), S("STREAMS") }, S("") },
		{ { S("XGROUP"), S("CREATE"), S("k"), S("g"), S("$") }, S("k") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		RedisCommand command = { cases[i].words, 0 };

		NOTE("row %zu", i);
		while (command.count < COUNT(cases[i].words) && command.words[command.count].len)
			command.count++;
		CHECK_STR(redis_key_of(command), cases[i].key);
	}
}

TEST(redis_redirections_are_read_strictly)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("MOVED 3999 127.0.0.1:6381"), S("3999 127.0.0.1 6381") },
		{ S("ASK 0 ::1:6381"), S("0 ::1 6381") },
		{ S("MOVED 1 :7000"), S("1 here 7000") },
		{ S("MOVED 16384 a:1"), S("no") },
		{ S("MOVED 1 a:0"), S("no") },
		{ S("MOVED 1 a:99999"), S("no") },
		{ S("MOVED 1 a"), S("no") },
		{ S("MOVED"), S("no") },
		{ S("MOVED 1"), S("no") },
	};
	RedisServer from = { .host = { S("here"), 1 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		RedisHost host;
		unsigned slot;
		bool good = read_redirection(&from, cases[i].text, &slot, &host);

		NOTE("row %zu", i);
		CHECK_STR(good ? str_fmt(a, "%u %.*s %u", slot, STR_ARG(host.host), host.port)
		               : S("no"),
		          cases[i].want);
	}
}

/* --- three servers -------------------------------------------------------------------------------------------------- */

enum { SERVERS = 3 };

typedef struct Three {
	Arena *a;
	RedisServerProcess *servers[SERVERS];
	Redis *each[SERVERS]; /* spoken to as if it were alone */
	Str ids[SERVERS];
	Redis *cluster;
} Three;

static Redis *open_url(Arena *a, Str url)
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

static Str tell(Redis *redis, Arena *a, RedisCommand command)
{
	RedisReply reply;

	CHECK_OK(redis_call(redis, a, command, &reply));
	return reply.text;
}

static void await_cluster(const Three *three)
{
	for (size_t i = 0; i < SERVERS; i++)
		while (str_find(tell(three->each[i], three->a,
		                     REDIS_WORDS(S("CLUSTER"), S("INFO"))),
		                S("cluster_state:ok")) < 0)
			CHECK_OK(fiber_sleep(5 * US_PER_MS));
}

static void three_start(Three *three)
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
		three->each[i] = open_url(a, three->servers[i]->url);
		tell(three->each[i], a,
		     REDIS_WORDS(S("CLUSTER"), S("ADDSLOTSRANGE"), str_of(ranges[i][0]),
		                 str_of(ranges[i][1])));
		three->ids[i] = tell(three->each[i], a, REDIS_WORDS(S("CLUSTER"), S("MYID")));
		tell(three->each[0], a,
		     REDIS_WORDS(S("CLUSTER"), S("MEET"), S("127.0.0.1"),
		                 str_fmt(a, "%u", three->servers[i]->port), str_of(bus_text)));
	}
	await_cluster(three);
	three->cluster = open_url(a, str_fmt(a, "redis+cluster://127.0.0.1:%u,127.0.0.1:%u",
	                                     three->servers[0]->port, three->servers[1]->port));
}

static void three_end(Three *three)
{
	redis_close(three->cluster);
	for (size_t i = 0; i < SERVERS; i++)
		redis_close(three->each[i]);
}

static void write_and_read(const Three *three, int from, int to)
{
	Arena *a = three->a;

	for (int i = from; i < to; i++) {
		Str key = str_fmt(a, "key%d", i);
		RedisCommand both[] = { REDIS_WORDS(S("SET"), key, key),
			                REDIS_WORDS(S("GET"), key) };
		RedisReply replies[2];

		CHECK_OK(redis_calls(three->cluster, a, both, 2, replies));
		CHECK_STR(replies[1].text, key);
	}
}

/* The slot of "foo" (12182) is the third server's; it goes to the first, with the key still on its way. */
static void move_slot(const Three *three)
{
	Arena *a = three->a;
	Str slot = S("12182");

	tell(three->cluster, a, REDIS_WORDS(S("SET"), S("foo"), S("here")));
	tell(three->each[0], a,
	     REDIS_WORDS(S("CLUSTER"), S("SETSLOT"), slot, S("IMPORTING"), three->ids[2]));
	tell(three->each[2], a,
	     REDIS_WORDS(S("CLUSTER"), S("SETSLOT"), slot, S("MIGRATING"), three->ids[0]));
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here"));
	tell(three->cluster, a, REDIS_WORDS(S("SET"), S("{foo}new"), S("there"))); /* ASK */
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("{foo}new"))), S("there"));
	tell(three->each[2], a,
	     REDIS_WORDS(S("MIGRATE"), S("127.0.0.1"), str_fmt(a, "%u", three->servers[0]->port),
	                 S("foo"), S("0"), S("5000")));
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here")); /* ASK */
	tell(three->each[0], a,
	     REDIS_WORDS(S("CLUSTER"), S("SETSLOT"), slot, S("NODE"), three->ids[0]));
	tell(three->each[2], a,
	     REDIS_WORDS(S("CLUSTER"), S("SETSLOT"), slot, S("NODE"), three->ids[0]));
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here")); /* MOVED */
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("{foo}new"))), S("there"));
}

static Str key_of_second(Arena *a)
{
	Str key = { 0 };

	for (int i = 0; redis_slot(key) < 5461 || redis_slot(key) > 10922; i++)
		key = str_fmt(a, "second%d", i);
	return key;
}

/* One server goes: its slots are away, those of others are not; it comes back. */
static void lose_one(const Three *three)
{
	Arena *a = three->a;
	Str theirs = key_of_second(a);
	RedisReply reply;

	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("SET"), theirs, S("v"))), S("OK"));
	redis_kill(three->servers[1]);
	while (!redis_call(three->cluster, a, REDIS_WORDS(S("GET"), theirs), &reply))
		CHECK_OK(fiber_yield());
	CHECK_STR(tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here"));
	redis_again(three->servers[1]);
	while (redis_call(three->cluster, a, REDIS_WORDS(S("GET"), theirs), &reply))
		CHECK_OK(fiber_sleep(5 * US_PER_MS));
	CHECK_INT(reply.type, REDIS_NIL); /* it kept nothing */
}

static Err *three_main(void *arg)
{
	Three three = { .a = arg };
	AUTO(redis_session_closep) RedisSession *session = NULL;
	RedisCommand command = REDIS_WORDS(S("GET"), S("foo"));
	RedisReply reply;

	three_start(&three);
	write_and_read(&three, 0, 200);
	move_slot(&three);
	CHECK_OK(redis_session_open(three.cluster, three.a, S("foo"), &session));
	CHECK_OK(redis_session_calls(session, three.a, &command, 1, 0, &reply));
	CHECK_STR(reply.text, S("here"));
	lose_one(&three);
	write_and_read(&three, 200, 260);
	redis_session_close(TAKE(session));
	three_end(&three);
	return NULL;
}

TEST(redis_cluster_redirections_are_followed)
{
	RtConf rt = { .loops = 1 };

	CHECK_OK(rt_run(&rt, three_main, a));
}
