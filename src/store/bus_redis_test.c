/* SPDX-License-Identifier: Apache-2.0
 *
 * The bus over a real Redis: relay and consumers, what the dead had read, what Redis loses. The database is SQLite. */
#include "store/bus_redis.c"

#include "events_effects.h"
#include "redis_server.h"

enum { PARTS = 3 };

typedef struct Play Play;

typedef struct Eater {
	Play *play;
	Taker taker;
	ConsumerConf conf;
	Child child;
} Eater;

struct Play {
	Arena *a;
	Db *db;
	RedisServerProcess *server;
	Redis *redis;
	Bus *bus;
	BusSource source;
	Child relay;
	Eater eaters[2];
};

static void play_end(Play *play)
{
	for (size_t i = 0; i < COUNT(play->eaters); i++)
		child_end(&play->eaters[i].child);
	child_end(&play->relay);
}

typedef Err *PlayFn(Play *play, Arena *a);

typedef struct Setup {
	Arena *a;
	PlayFn *fn;
	uint64_t most;
} Setup;

#include "events_lite.h"

static Err *play_main(void *arg)
{
	const Setup *setup = arg;
	Arena *a = setup->a;
	AUTO(redis_closep) Redis *redis = NULL;
	AUTO(db_closep) Db *db = NULL;
	AUTO(play_end) Play play = { .a = a, .server = redis_start(a, NULL) };
	uint32_t applied;
	RedisConf conf;

	redis_conf_defaults(&conf, play.server->url);
	conf.backoff_us = conf.backoff_max_us = 10 * US_PER_MS;
	TRY(redis_open(a, &conf, &redis));
	TRY(suite_open(a, &db));
	TRY(schema_apply(db, a, store_own_schema(), &applied));
	TRY(schema_apply(db, a, &events_schema, &applied));
	play.db = db;
	play.redis = redis;
	play.bus = bus_new(a, &(BusConf){ .redis = redis, .parts = PARTS, .most = setup->most });
	play.source = (BusSource){ S("/test"), db };
	return setup->fn(&play, a);
}

#define PLAY(name_, most_) \
	static Err *play_##name_(Play *play, Arena *a); \
	TEST(name_) \
	{ \
		Setup setup = { a, play_##name_, most_ }; \
\
		CHECK_OK(rt_run(&(RtConf){ .loops = 2 }, play_main, &setup)); \
	} \
	static Err *play_##name_(Play *play, Arena *a)

/* --- actors ----------------------------------------------------------------------------------------------------------- */

static Err *relay_main(void *arg)
{
	Play *play = arg;

	return bus_relay(play->bus, &play->source);
}

static Err *relay_start(Play *play)
{
	play->relay = (Child){ 0 };
	return child_start(&play->relay, relay_main, play, "relay");
}

static Err *stop(Child *child)
{
	fiber_cancel(child->fiber);
	CHECK_ERR(child_join(child), "rt.cancelled");
	return NULL;
}

static Err *eater_main(void *arg)
{
	Eater *eater = arg;

	return bus_consume(eater->play->bus, &eater->conf,
	                   &(BusSource){ eater->play->source.name, NULL });
}

static Err *eater_start(Eater *eater, Play *play, const char *name)
{
	*eater = (Eater){ .play = play, .taker.name = name };
	eater->conf = consumer_of(play->db, &eater->taker);
	return child_start(&eater->child, eater_main, eater, "eater");
}

static Err *call(Play *play, Arena *a, RedisCommand command, RedisReply *reply)
{
	return redis_call(play->redis, a, command, reply);
}

/* Entries in all streams. */
static Err *entries(Play *play, Arena *a, int64_t *n)
{
	*n = 0;
	for (uint32_t i = 0; i < PARTS; i++) {
		RedisReply reply;

		TRY(call(play, a, REDIS_WORDS(S("XLEN"), stream_key(a, play->bus, S("/test"), i)),
		         &reply));
		*n += reply.integer;
	}
	return NULL;
}

/* Until the relay has passed on everything up to there. (Entries come and go: it trims.) */
static Err *relayed(Play *play, Arena *a, int64_t seq)
{
	for (uint32_t i = 0; i < PARTS; i++) {
		int64_t place = 0;
		RedisReply reply;

		while (place < seq) {
			TRY(fiber_sleep(US_PER_MS));
			TRY(call(play, a,
			         REDIS_WORDS(S("HGET"),
			                     stream_place_key(a, play->bus, S("/test"), i),
			                     S("place")),
			         &reply));
			if (reply.type == REDIS_STRING)
				CHECK(str_to_i64(reply.text, &place));
		}
	}
	return NULL;
}

static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };

static Err *cause_for_all(Play *play, Arena *a, unsigned each)
{
	for (unsigned i = 0; i < each; i++)
		for (size_t k = 0; k < COUNT(names); k++)
			TRY(cause_some(play->db, a, names[k], 1));
	return NULL;
}

/* Every event once, those of an aggregate in order. */
static Err *check_order(Play *play, Arena *a, const char *consumer, int64_t each)
{
	int64_t seen[COUNT(names)] = { 0 };
	EffectsOfRow *rows;
	size_t count;

	TRY(db_all(play->db, a, effects_of, &rows, &count, .consumer = str_of(consumer)));
	for (size_t i = 0; i < count; i++)
		CHECK_INT(rows[i].n, ++seen[rows[i].aggregate.at[0] - 'a']);
	for (size_t k = 0; k < COUNT(names); k++)
		CHECK_INT(seen[k], each);
	return NULL;
}

/* --- plays ------------------------------------------------------------------------------------------------------------ */

PLAY(everything_comes_once_and_in_order, 0)
{
	Eater *one = &play->eaters[0], *two = &play->eaters[1];

	TRY(cause_for_all(play, a, 20));
	TRY(eater_start(one, play, "one"));
	TRY(eater_start(two, play, "two"));
	TRY(relay_start(play));
	TRY(effects_reach(play->db, a, "one", 160));
	TRY(cause_for_all(play, a, 20));
	TRY(effects_reach(play->db, a, "one", 320));
	TRY(effects_reach(play->db, a, "two", 320));
	TRY(stop(&play->relay));
	TRY(relay_start(play)); /* goes on where it was */
	TRY(cause_for_all(play, a, 5));
	TRY(effects_reach(play->db, a, "two", 360));
	TRY(effects_reach(play->db, a, "one", 360));
	TRY(stop(&one->child));
	TRY(stop(&two->child));
	TRY(stop(&play->relay));
	TRY(check_order(play, a, "one", 45));
	TRY(check_order(play, a, "two", 45));
	CHECK_INT(one->taker.calls, 360);
	return NULL;
}

/* As an instance that read and was killed: entries are pending under its name. */
static Err *ghost_reads(Play *play, Arena *a, Str group, unsigned count, int64_t *got)
{
	*got = 0;
	for (uint32_t i = 0; i < PARTS; i++) {
		RedisReply reply;

		Err *err = call(play, a,
		                REDIS_WORDS(S("XREADGROUP"), S("GROUP"), group, S("ghost"),
		                            S("COUNT"), str_fmt(a, "%u", count), S("STREAMS"),
		                            stream_key(a, play->bus, S("/test"), i), S(">")),
		                &reply);

		if (err && err_is(err, "redis.no_group"))
			continue; /* nobody was here yet */
		TRY(err);
		if (reply.type == REDIS_ARRAY)
			*got += (int64_t)reply.items[0].items[1].count;
	}
	return NULL;
}

PLAY(what_the_dead_had_read_is_claimed_in_order, 0)
{
	RedisReply reply;
	int64_t got;
	Eater *eater = &play->eaters[0];

	TRY(relay_start(play));
	TRY(eater_start(eater, play, "one"));
	TRY(cause_for_all(play, a, 2));
	TRY(effects_reach(play->db, a, "one", 16));
	TRY(stop(&eater->child));
	TRY(cause_for_all(play, a, 3));
	TRY(relayed(play, a, 40));
	TRY(ghost_reads(play, a, S("one"), 4, &got));
	CHECK(got >= 4);
	TRY(eater_start(eater, play, "one"));
	TRY(effects_reach(play->db, a, "one", 40));
	TRY(check_order(play, a, "one", 5));
	TRY(stop(&eater->child));
	TRY(call(play, a,
	         REDIS_WORDS(S("XINFO"), S("CONSUMERS"), stream_key(a, play->bus, S("/test"), 0),
	                     S("one")),
	         &reply));
	CHECK_INT(reply.count, 1); /* the ghost's name is gone */
	return stop(&play->relay);
}

/* A reader that slept over its lease and takes an entry from under the nose of the one that has it now. */
PLAY(an_entry_taken_by_a_sleeper_is_noticed_and_waited_for, 0)
{
	Taker taker = { .name = "one" };
	ConsumerConf conf = consumer_of(play->db, &taker);
	Reader r = { .bus = play->bus, .conf = &conf, .source = S("/test") };
	AUTO(part_fini) Part part = { 0 };
	unsigned with = stream_part(play->bus, S("thing/a"));
	int64_t got;

	part_init(&part, a, &conf, S("/test"), with);
	r.key = stream_key(a, play->bus, S("/test"), with);
	r.part = part;
	TRY(part_claim(&r.part, a));
	TRY(begin(&r, a));
	TRY(relay_start(play));
	TRY(cause_some(play->db, a, "a", 1));
	TRY(relayed(play, a, 1));
	TRY(recover(&r, a));
	TRY(read_new(&r, a, US_PER_S));
	CHECK(!r.recovers);
	TRY(cause_some(play->db, a, "a", 3));
	TRY(relayed(play, a, 4));
	TRY(ghost_reads(play, a, S("one"), 1, &got));
	CHECK_INT(got, 1);
	TRY(read_new(&r, a, US_PER_S));
	CHECK(r.recovers);
	TRY(check_effects(play->db, a, "one", "a1"));
	TRY(recover(&r, a));
	TRY(check_effects(play->db, a, "one", "a1 a2 a3 a4"));
	redis_session_close(r.session);
	return stop(&play->relay);
}

PLAY(what_redis_loses_comes_again_from_the_outbox, 0)
{
	Eater *eater = &play->eaters[0];
	int64_t seen;

	TRY(relay_start(play));
	TRY(eater_start(eater, play, "one"));
	TRY(cause_for_all(play, a, 5));
	TRY(effects_reach(play->db, a, "one", 40));
	redis_kill(play->server); /* it keeps nothing: all streams, groups and places are gone */
	TRY(cause_for_all(play, a, 5));
	redis_again(play->server);
	TRY(cause_for_all(play, a, 5));
	TRY(effects_reach(play->db, a, "one", 120));
	TRY(outbox_last(play->db, a, &seen));
	CHECK_INT(seen, 120);
	TRY(stop(&eater->child));
	TRY(stop(&play->relay));
	TRY(check_order(play, a, "one", 15));
	CHECK_INT(eater->taker.calls, 120);
	return NULL;
}

PLAY(a_full_stream_makes_the_relay_wait_and_loses_nothing, 5)
{
	Eater *eater = &play->eaters[0];
	int64_t n;

	TRY(cause_for_all(play, a, 10));
	TRY(relay_start(play));
	do {
		TRY(fiber_sleep(US_PER_MS));
		TRY(entries(play, a, &n));
	} while (n < 5);
	CHECK(n <= 5 * PARTS);
	TRY(eater_start(eater, play, "one"));
	TRY(effects_reach(play->db, a, "one", 80));
	TRY(entries(play, a, &n));
	CHECK(n <= 5 * PARTS);
	TRY(stop(&eater->child));
	TRY(stop(&play->relay));
	return check_order(play, a, "one", 10);
}

PLAY(what_is_no_event_is_a_dead_letter, 0)
{
	Str key = stream_key(a, play->bus, S("/test"), 1);
	RedisReply reply;
	DeadLetter *dead;
	size_t count = 0;
	Eater *eater = &play->eaters[0];

	TRY(call(play, a, REDIS_WORDS(S("XADD"), key, S("*"), S("event"), S("{\"x\":1}")), &reply));
	TRY(call(play, a, REDIS_WORDS(S("XADD"), key, S("*"), S("other"), S("thing")), &reply));
	TRY(eater_start(eater, play, "one"));
	TRY(relay_start(play));
	TRY(cause_for_all(play, a, 2));
	TRY(effects_reach(play->db, a, "one", 16));
	while (!count) {
		TRY(dead_list(play->db, a, 0, 10, &dead, &count));
		TRY(fiber_sleep(US_PER_MS));
	}
	CHECK_INT(count, 1);
	CHECK_STR(dead[0].event, S("\"{\\\"x\\\":1}\""));
	CHECK_STR(str_sub(dead[0].error, 0, 12), S("json.member:"));
	TRY(stop(&eater->child));
	return stop(&play->relay);
}

PLAY(a_relay_takes_out_what_all_have_done, 0)
{
	RelayTrim trim = { .bus = play->bus, .source = S("/test") };
	Eater *eater = &play->eaters[0];
	int64_t n;

	TRY(relay_trim(&trim, a)); /* no stream yet */
	TRY(relay_start(play));
	TRY(cause_for_all(play, a, 5));
	TRY(relayed(play, a, 40));
	trim.due_us = 0;
	TRY(relay_trim(&trim, a)); /* nobody has read them */
	TRY(entries(play, a, &n));
	CHECK_INT(n, 40);
	TRY(eater_start(eater, play, "one"));
	TRY(effects_reach(play->db, a, "one", 40));
	TRY(stop(&eater->child));
	for (n = -1; n;) { /* the last acknowledgement may be on its way */
		trim.due_us = 0;
		TRY(relay_trim(&trim, a));
		TRY(entries(play, a, &n));
	}
	TRY(cause_for_all(play, a, 1));
	TRY(eater_start(eater, play, "one"));
	TRY(effects_reach(play->db, a, "one", 48));
	TRY(stop(&eater->child));
	TRY(stop(&play->relay));
	return check_order(play, a, "one", 6);
}
