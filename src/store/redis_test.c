/* SPDX-License-Identifier: Apache-2.0
 *
 * The client against a real Redis: one that works, is slow, is killed, comes back, is full, is asked too much. */
#include "store/redis.c"

#include "base/time.h"

#include "redis_server.h"
#include "unit.h"

typedef void Body(Arena *a, RedisServerProcess *server, Redis *redis);

typedef struct Setup {
	Arena *a;
	Body *body;
	const char *const *options;
	void (*adjust)(RedisConf *conf);
} Setup;

static Err *with_redis_main(void *arg)
{
	const Setup *setup = arg;
	RedisServerProcess *server = redis_start(setup->a, setup->options);
	AUTO(redis_closep) Redis *redis = NULL;
	RedisConf conf;

	redis_conf_defaults(&conf, server->url);
	conf.timeout_us = 20 * US_PER_S;
	conf.connect_us = 20 * US_PER_S;
	if (setup->adjust)
		setup->adjust(&conf);
	CHECK_OK(redis_open(setup->a, &conf, &redis));
	setup->body(setup->a, server, redis);
	return NULL;
}

static void with_redis(Setup setup)
{
	RtConf rt = { .loops = 2 };

	CHECK_OK(rt_run(&rt, with_redis_main, &setup));
}

static void words_and_types(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;

	(void)server;
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("SET"), S("k"), S("a\r\n\0b")), &reply));
	CHECK_INT(reply.type, REDIS_STATUS);
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("GET"), S("k")), &reply));
	CHECK_STR(reply.text, S("a\r\n\0b"));
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("GET"), S("none")), &reply));
	CHECK_INT(reply.type, REDIS_NIL);
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("INCR"), S("n")), &reply));
	CHECK_INT(reply.integer, 1);
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("RPUSH"), S("l"), S("x"), S(""), S("z")),
	                    &reply));
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("LRANGE"), S("l"), S("0"), S("-1")), &reply));
	CHECK_INT(reply.count, 3);
	CHECK_STR(reply.items[2].text, S("z"));
	CHECK_ERR(redis_call(redis, a, REDIS_WORDS(S("INCR"), S("l")), &reply), "redis.type");
	CHECK_ERR(redis_call(redis, a, REDIS_WORDS(S("NONSENSE")), &reply), "redis.error");
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply));
	CHECK_INT(redis_stats(redis).connects, 1);
}

TEST(redis_call_gives_every_type)
{
	with_redis((Setup){ a, words_and_types });
}

/* --- many at once --------------------------------------------------------------------------------------------------- */

typedef struct Crowd {
	Redis *redis;
	int id;
	Child child;
} Crowd;

static Err *ask_many(void *arg)
{
	const Crowd *c = arg;

	for (int i = 0; i < 50; i++) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		Str key = str_fmt(a, "k%d", c->id), value = str_fmt(a, "%d-%d", c->id, i);
		RedisCommand both[] = { REDIS_WORDS(S("SET"), key, value),
			                REDIS_WORDS(S("GET"), key) };
		RedisReply replies[2];

		TRY(redis_calls(c->redis, a, both, 2, replies));
		CHECK_STR(replies[1].text, value);
	}
	return NULL;
}

static void crowd(Arena *a, RedisServerProcess *server, Redis *redis)
{
	Crowd *crowds = ARENA_ARRAY(a, Crowd, 100);

	(void)server;
	for (int i = 0; i < 100; i++) {
		crowds[i] = (Crowd){ .redis = redis, .id = i };
		CHECK_OK(child_start(&crowds[i].child, ask_many, &crowds[i], "ask"));
	}
	for (int i = 0; i < 100; i++)
		CHECK_OK(child_join(&crowds[i].child));
	CHECK_INT(redis_stats(redis).connects, 1);
}

TEST(redis_calls_of_many_fibers_share_one_connection)
{
	with_redis((Setup){ a, crowd });
}

/* --- faults --------------------------------------------------------------------------------------------------------- */

static void brief(RedisConf *conf)
{
	conf->timeout_us = conf->connect_us = 50 * US_PER_MS;
	conf->backoff_us = US_PER_MS;
	conf->backoff_max_us = 10 * US_PER_MS;
	conf->failures = 2;
}

/* Until it works again, whatever it takes: the runner's time-out is the limit. */
static void until_it_works(Redis *redis)
{
	for (;;) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		RedisReply reply;

		if (!redis_call(redis, a, REDIS_WORDS(S("PING")), &reply))
			return;
		CHECK_OK(fiber_sleep(US_PER_MS));
	}
}

static void until_open(Redis *redis)
{
	while (!redis_stats(redis).open_breakers) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		RedisReply reply;
		Err *err = redis_call(redis, a, REDIS_WORDS(S("PING")), &reply);

		CHECK(err || !redis_stats(redis).open_breakers);
	}
}

static void killed(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;

	for (int i = 0; i < 3; i++) {
		NOTE("round %d", i);
		until_it_works(redis);
		redis_kill(server);
		until_open(redis);
		CHECK_ERR(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply),
		          "redis.unavailable");
		CHECK_ERR(redis_cast(redis, REDIS_WORDS(S("PING"))), "redis.unavailable");
		redis_again(server);
		until_it_works(redis);
		CHECK_INT(redis_stats(redis).open_breakers, 0);
	}
}

TEST(redis_that_is_killed_is_left_alone_and_found_again)
{
	with_redis((Setup){ a, killed, .adjust = brief });
}

static void stopped(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;
	Err *err;

	until_it_works(redis);
	redis_signal(server, SIGSTOP);
	err = redis_call(redis, a, REDIS_WORDS(S("PING")), &reply);
	CHECK(err != NULL);
	until_open(redis);
	CHECK_ERR(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply), "redis.unavailable");
	redis_signal(server, SIGCONT);
	until_it_works(redis);
}

TEST(redis_that_is_stopped_times_out_then_is_left_alone)
{
	with_redis((Setup){ a, stopped, .adjust = brief });
}

static void never_there(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;
	Err *err;

	redis_kill(server);
	err = redis_call(redis, a, REDIS_WORDS(S("PING")), &reply);
	CHECK_ERR(err, "redis.unavailable");
	CHECK(err->why && err_is(err->why, "rt.refused"));
	CHECK_ERR(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply), "redis.unavailable");
}

TEST(redis_that_was_never_there_says_why_once_then_at_once)
{
	with_redis((Setup){ a, never_there });
}

/* A fiber that leaves with replies on their way: they go to nobody, the next ones to whom they are for. */
static Err *ask_large(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	RedisCommand commands[3];
	RedisReply replies[3];

	for (size_t i = 0; i < COUNT(commands); i++)
		commands[i] = redis_words_dup(a, REDIS_WORDS(S("LRANGE"), S("l"), S("0"), S("-1")));
	return redis_calls(arg, a, commands, COUNT(commands), replies);
}

static void leaving(Arena *a, RedisServerProcess *server, Redis *redis)
{
	Buf b = { 0 };
	RedisReply reply;

	(void)server;
	for (int i = 0; i < 1000; i++)
		buf_put(&b, S("0123456789abcdef"));
	for (int i = 0; i < 20; i++)
		CHECK_OK(
			redis_call(redis, a, REDIS_WORDS(S("RPUSH"), S("l"), buf_str(&b)), &reply));
	buf_fini(&b);
	for (int parks = 0; parks < 30; parks++) {
		AUTO(child_end) Child child = { 0 };

		CHECK_OK(child_start(&child, ask_large, redis, "leaves"));
		for (int i = 0; i < parks; i++)
			CHECK_OK(fiber_yield());
		child_end(&child);
		CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("ECHO"), S("mine")), &reply));
		CHECK_STR(reply.text, S("mine"));
	}
	CHECK_INT(redis_stats(redis).connects, 1);
}

TEST(redis_calls_of_a_fiber_that_left_are_dropped)
{
	with_redis((Setup){ a, leaving });
}

static void small_queue(RedisConf *conf)
{
	conf->queue = 16;
	conf->timeout_us = 20 * US_PER_S;
}

static void too_much(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisCommand commands[17];
	RedisReply replies[17];

	(void)server;
	for (size_t i = 0; i < COUNT(commands); i++)
		commands[i] = redis_words_dup(a, REDIS_WORDS(S("PING")));
	CHECK_ERR(redis_calls(redis, a, commands, 17, replies), "redis.busy");
	CHECK_OK(redis_calls(redis, a, commands, 16, replies));
	for (int i = 0; i < 16; i++)
		CHECK_OK(redis_cast(redis, commands[0]));
	CHECK_ERR(redis_cast(redis, commands[0]), "redis.busy");
	CHECK_ERR(redis_calls(redis, a, commands, 1, replies), "redis.busy");
}

TEST(redis_queue_is_bounded)
{
	with_redis((Setup){ a, too_much, .adjust = small_queue });
}

static void full(Arena *a, RedisServerProcess *server, Redis *redis)
{
	Buf b = { 0 };
	RedisReply reply;
	Err *err = NULL;

	(void)server;
	buf_wrote(&b, buf_room(&b, 100000) ? 100000 : 0);
	for (int i = 0; !err; i++)
		err = redis_call(redis, a, REDIS_WORDS(S("SET"), str_fmt(a, "%d", i), buf_str(&b)),
		                 &reply);
	CHECK_ERR(err, "redis.full");
	buf_fini(&b);
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("GET"), S("0")), &reply));
	CHECK_INT(reply.text.len, 100000);
}

TEST(redis_that_is_full_says_so_and_still_reads)
{
	with_redis((Setup){ a, full,
	                    (const char *[]){ "--maxmemory", "3mb", "--maxmemory-policy",
	                                      "noeviction", NULL } });
}

/* --- passwords ------------------------------------------------------------------------------------------------------ */

static void right_password(RedisConf *conf)
{
	conf->password = S("hunter2");
}

static void let_in(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;

	(void)server;
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply));
}

static void left_out(Arena *a, RedisServerProcess *server, Redis *redis)
{
	RedisReply reply;
	Err *err = redis_call(redis, a, REDIS_WORDS(S("PING")), &reply);

	(void)server;
	CHECK_ERR(err, "redis.unavailable");
	CHECK(err_is(err->why, "redis.denied"));
}

TEST(redis_asks_for_a_password)
{
	const char *options[] = { "--requirepass", "hunter2", NULL };

	with_redis((Setup){ a, let_in, options, right_password });
	with_redis((Setup){ a, left_out, options });
}

/* --- sessions ------------------------------------------------------------------------------------------------------- */

typedef struct Reader {
	Redis *redis;
	Str got;
	Arena *a;
	bool asked;
} Reader;

static Err *read_stream(void *arg)
{
	Reader *r = arg;
	AUTO(redis_session_closep) RedisSession *session = NULL;
	RedisCommand command =
		REDIS_WORDS(S("XREAD"), S("BLOCK"), S("20000"), S("STREAMS"), S("s"), S("0"));
	RedisReply reply;

	TRY(redis_session_open(r->redis, r->a, S("s"), &session));
	r->asked = true;
	TRY(redis_session_calls(session, r->a, &command, 1, 20 * US_PER_S, &reply));
	r->got = reply.items[0].items[1].items[0].items[1].items[1].text;
	return NULL;
}

static void blocking(Arena *a, RedisServerProcess *server, Redis *redis)
{
	Reader reader = { .redis = redis, .a = a };
	AUTO(child_end) Child child = { 0 };
	RedisReply reply;

	CHECK_OK(child_start(&child, read_stream, &reader, "reads"));
	while (!reader.asked)
		CHECK_OK(fiber_sleep(US_PER_MS));
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("PING")), &reply)); /* not held up */
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("XADD"), S("s"), S("*"), S("f"), S("v")),
	                    &reply));
	CHECK_OK(child_join(&child));
	CHECK_STR(reader.got, S("v"));

	reader.asked = false;
	CHECK_OK(redis_call(redis, a, REDIS_WORDS(S("DEL"), S("s")), &reply));
	CHECK_OK(child_start(&child, read_stream, &reader, "reads"));
	while (!reader.asked)
		CHECK_OK(fiber_sleep(US_PER_MS));
	redis_kill(server);
	CHECK(child_join(&child) != NULL);
}

TEST(redis_session_blocks_without_holding_up_others)
{
	with_redis((Setup){ a, blocking });
}

static void broken_session(Arena *a, RedisServerProcess *server, Redis *redis)
{
	AUTO(redis_session_closep) RedisSession *session = NULL;
	RedisCommand command = REDIS_WORDS(S("BLPOP"), S("none"), S("0"));
	RedisCommand ping = REDIS_WORDS(S("PING"));
	RedisReply reply;

	(void)server;
	CHECK_OK(redis_session_open(redis, a, (Str){ 0 }, &session));
	CHECK_OK(redis_session_calls(session, a, &ping, 1, 0, &reply));
	{
		AUTO(deadline_end) Deadline limit = deadline_begin(10 * US_PER_MS);

		CHECK_ERR(redis_session_calls(session, a, &command, 1, 0, &reply), "rt.deadline");
	}
	CHECK_ERR(redis_session_calls(session, a, &ping, 1, 0, &reply), "redis.closed");
}

TEST(redis_session_is_broken_by_a_late_answer)
{
	with_redis((Setup){ a, broken_session });
}

/* --- all loops ------------------------------------------------------------------------------------------------------ */

typedef struct Everywhere {
	Redis *redis;
	uint32_t left; /* atomic */
	Fiber *fiber;
	Loop *home;
} Everywhere;

static void wake_home(void *arg)
{
	fiber_wake(((Everywhere *)arg)->fiber);
}

static void ask_there(void *arg)
{
	Everywhere *e = arg;
	Crowd c = { .redis = e->redis, .id = (int)loop_index(loop_self()) };

	CHECK_OK(ask_many(&c));
	__atomic_fetch_sub(&e->left, 1, __ATOMIC_RELAXED);
	loop_post(e->home, wake_home, e);
}

static void start_there(void *arg)
{
	CHECK_OK(fiber_start(ask_there, arg, "there"));
}

static void everywhere(Arena *a, RedisServerProcess *server, Redis *redis)
{
	Everywhere e = { redis, 2 * 16, fiber_self(), loop_self() };

	(void)a;
	(void)server;
	for (int i = 0; i < 16; i++)
		loop_each(start_there, &e);
	while (__atomic_load_n(&e.left, __ATOMIC_RELAXED))
		CHECK_OK(fiber_park());
	CHECK_INT(redis_stats(redis).connects, 2);
}

TEST(redis_has_a_connection_on_each_loop)
{
	with_redis((Setup){ a, everywhere });
}
