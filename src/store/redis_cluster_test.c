/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots by their published values; redirections by a cluster of three real servers. */
#include "store/redis_cluster.c"

#include "redis_cluster.h"
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

enum { FOO = 12182 }; /* the slot of "foo": the third server's */

/* It goes to the first, with the key still on its way. */
static void move_slot(const Three *three)
{
	Arena *a = three->a;

	three_tell(three->cluster, a, REDIS_WORDS(S("SET"), S("foo"), S("here")));
	three_slot_leaves(three, FOO, 2, 0);
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here"));
	three_tell(three->cluster, a, REDIS_WORDS(S("SET"), S("{foo}new"), S("there"))); /* ASK */
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("{foo}new"))), S("there"));
	three_migrate(three, S("foo"), 2, 0);
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))),
	          S("here")); /* ASK */
	three_slot_given(three, FOO, 2, 0);
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))),
	          S("here")); /* MOVED */
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("{foo}new"))), S("there"));
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

	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("SET"), theirs, S("v"))), S("OK"));
	redis_kill(three->servers[1]);
	while (!redis_call(three->cluster, a, REDIS_WORDS(S("GET"), theirs), &reply))
		CHECK_OK(fiber_yield());
	CHECK_STR(three_tell(three->cluster, a, REDIS_WORDS(S("GET"), S("foo"))), S("here"));
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
