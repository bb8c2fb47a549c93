/* SPDX-License-Identifier: Apache-2.0
 *
 * bus banyan|plain COUNT RATE REDIS DATABASE
 *
 *   banyan   COUNT events are in an outbox already; the time until a relay has put them into Redis and a consumer has noted each
 *            in its inbox, with RATE 0. With a RATE so many are put each second, a durable transaction each, by 16 fibers, and
 *            the delay from there to the consumer's function is taken.
 *   plain    the same entries by XADD, 500 in a pipeline (RATE 0) or one by one by 16 fibers, to a loop of XREADGROUP and XACK:
 *            no outbox, no inbox, no order across restarts.
 *
 * Prints {"rate":EVENTS A SECOND,"p50_us":...,"p99_us":...}. Programs of the measured part only: no sanitizer. */
#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/bus.h"
#include "store/outbox.h"
#include "store/redis.h"
#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITERS = 16, AGGREGATES = 64, PIPELINE = 500, READ = 64, FILL = 500 };

typedef struct Bench {
	bool plain;
	int64_t count, rate;
	Str redis_url, db_url;
	Arena *arena;
	Redis *redis;
	Db *db;
	Bus *bus;
	BusSource source;
	ConsumerConf conf;
	int64_t *delays;
	int64_t done;    /* atomic: events that have come */
	int64_t written; /* of those with a RATE */
	int64_t begun_us;
} Bench;

static void came(Bench *b, Str data)
{
	int64_t at_us = 0;
	int64_t n = __atomic_fetch_add(&b->done, 1, __ATOMIC_RELAXED);

	if (str_to_i64(data, &at_us) && n < b->count)
		b->delays[n] = time_mono_us() - at_us;
}

/* --- ours ------------------------------------------------------------------------------------------------------------- */

static Err *on_event(Db *tx, Arena *a, const Event *event, void *arg)
{
	(void)tx;
	(void)a;
	came(arg, event->data);
	return NULL;
}

static Err *put(Db *tx, Arena *a, int64_t n)
{
	return outbox_put(tx, a,
	                  &(Event){ .type = S("thing.changed"),
	                            .aggregate_type = S("thing"),
	                            .aggregate_id = str_fmt(a, "%" PRId64, n % AGGREGATES),
	                            .data = str_fmt(a, "%" PRId64, time_mono_us()) },
	                  NULL);
}

static Err *put_many(Db *tx, Arena *a, void *arg)
{
	for (int64_t i = 0; i < *(int64_t *)arg; i++)
		TRY(put(tx, a, i));
	return NULL;
}

static Err *put_one(Db *tx, Arena *a, void *arg)
{
	return put(tx, a, *(int64_t *)arg);
}

static Err *fill(Bench *b)
{
	for (int64_t left = b->count; left > 0;) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		int64_t some = MIN(left, FILL);

		TRY(db_txn(b->db, a, DB_READ_COMMITTED, put_many, &some));
		left -= some;
	}
	return NULL;
}

static Err *consume(void *arg)
{
	Bench *b = arg;

	return bus_consume(b->bus, &b->conf, &b->source);
}

static Err *relay(void *arg)
{
	Bench *b = arg;

	return bus_relay(b->bus, &b->source);
}

/* --- plain ------------------------------------------------------------------------------------------------------------ */

static RedisCommand xadd(Arena *a, int64_t n)
{
	Str *words = ARENA_ARRAY(a, Str, 9);

	words[0] = S("XADD");
	words[1] = S("plain");
	words[2] = S("*");
	words[3] = S("subject");
	words[4] = str_fmt(a, "thing/%" PRId64, n % AGGREGATES);
	words[5] = S("type");
	words[6] = S("thing.changed");
	words[7] = S("data");
	words[8] = str_fmt(a, "%" PRId64, time_mono_us());
	return (RedisCommand){ words, 9 };
}

static Err *pipeline(void *arg)
{
	Bench *b = arg;

	for (int64_t at = 0; at < b->count; at += PIPELINE) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		RedisCommand commands[PIPELINE];
		RedisReply replies[PIPELINE];

		for (int64_t i = 0; i < PIPELINE; i++)
			commands[i] = xadd(a, at + i);
		TRY(redis_calls(b->redis, a, commands, PIPELINE, replies));
	}
	return NULL;
}

static Err *plain_reader(void *arg)
{
	AUTO(redis_session_closep) RedisSession *session = NULL;
	Bench *b = arg;

	TRY(redis_session_open(b->redis, b->arena, S("plain"), &session));
	for (;;) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		Str acks[3 + READ] = { S("XACK"), S("plain"), S("g") };
		RedisCommand ack = { acks, 3 };
		RedisCommand read = REDIS_WORDS(S("XREADGROUP"), S("GROUP"), S("g"), S("me"),
		                                S("COUNT"), S("64"), S("BLOCK"), S("1000"),
		                                S("STREAMS"), S("plain"), S(">"));
		RedisReply reply;

		TRY(redis_session_calls(session, a, &read, 1, US_PER_S, &reply));
		TRY(redis_reply_err(a, &reply));
		if (reply.type != REDIS_ARRAY)
			continue;
		for (size_t i = 0; i < reply.items[0].items[1].count; i++) {
			const RedisReply *entry = &reply.items[0].items[1].items[i];

			acks[ack.count++] = entry->items[0].text;
			came(b, entry->items[1].items[5].text);
		}
		TRY(redis_session_calls(session, a, &ack, 1, 0, &reply));
	}
}

/* --- both ------------------------------------------------------------------------------------------------------------- */

static Err *writer(void *arg)
{
	Bench *b = arg;
	int64_t n;

	while ((n = b->written++) < b->count) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		int64_t due = b->begun_us + n * US_PER_S / b->rate;
		RedisReply reply;

		if (due > time_mono_us())
			TRY(fiber_sleep(due - time_mono_us()));
		if (b->plain)
			TRY(redis_call(b->redis, a, xadd(a, n), &reply));
		else
			TRY(db_txn(b->db, a, DB_READ_COMMITTED, put_one, &n));
	}
	return NULL;
}

static int by_value(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static void tell(Bench *b)
{
	double seconds = (double)(time_mono_us() - b->begun_us) / 1e6;

	qsort(b->delays, (size_t)b->count, sizeof b->delays[0], by_value);
	printf("{\"rate\":%.0f,\"p50_us\":%" PRId64 ",\"p99_us\":%" PRId64 "}\n",
	       (double)b->count / seconds, b->delays[b->count / 2], b->delays[b->count * 99 / 100]);
	fflush(stdout);
	_Exit(0); /* what still waits for more need not be ended */
}

static Err *begin(Bench *b, Arena *a)
{
	RedisReply reply;
	RedisConf conf;
	uint32_t applied;

	redis_conf_defaults(&conf, b->redis_url);
	TRY(redis_open(a, &conf, &b->redis));
	TRY(redis_call(b->redis, a, REDIS_WORDS(S("FLUSHALL")), &reply));
	if (b->plain)
		return redis_call(b->redis, a,
		                  REDIS_WORDS(S("XGROUP"), S("CREATE"), S("plain"), S("g"), S("0"),
		                              S("MKSTREAM")),
		                  &reply);
	TRY(db_open(a, &(DbConf){ .url = b->db_url, .create = true }, &b->db));
	TRY(schema_apply(b->db, a, store_own_schema(), &applied));
	b->bus = bus_new(a, &(BusConf){ .redis = b->redis });
	b->source = (BusSource){ S("/bench"), b->db };
	b->conf = (ConsumerConf){ .name = S("bench"), .db = b->db, .fn = on_event, .arg = b };
	return b->rate ? NULL : fill(b);
}

static Err *bench_main(void *arg)
{
	Bench *b = arg;
	Child reading = { 0 }, sending = { 0 }, writing[WRITERS] = { 0 };

	TRY(begin(b, b->arena));
	b->begun_us = time_mono_us();
	TRY(child_start(&reading, b->plain ? plain_reader : consume, b, "reader"));
	if (!b->plain)
		TRY(child_start(&sending, relay, b, "relay"));
	else if (!b->rate)
		TRY(child_start(&sending, pipeline, b, "pipeline"));
	for (unsigned i = 0; b->rate && i < WRITERS; i++)
		TRY(child_start(&writing[i], writer, b, "writer"));
	while (__atomic_load_n(&b->done, __ATOMIC_RELAXED) < b->count)
		TRY(fiber_sleep(US_PER_MS));
	tell(b);
	return NULL;
}

int main(int argc, char **argv)
{
	Bench b = { .arena = arena_new(0) };
	Err *err;

	if (argc != 6) {
		fputs("bus banyan|plain COUNT RATE REDIS DATABASE\n", stderr);
		return 2;
	}
	b.plain = strcmp(argv[1], "plain") == 0;
	b.count = atoll(argv[2]) / PIPELINE * PIPELINE;
	b.rate = atoll(argv[3]);
	b.redis_url = str_of(argv[4]);
	b.db_url = str_of(argv[5]);
	b.delays = ARENA_ARRAY(b.arena, int64_t, (size_t)b.count);
	log_setup(LOG_WARN, LOG_TEXT);
	err = rt_run(&(RtConf){ .loops = 1, .workers = 2 }, bench_main, &b);
	if (err)
		log_err(err, "bus");
	return err_exit(err);
}
