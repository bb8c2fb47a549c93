/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay: from an outbox into the streams of Redis.
 *
 * How far it has come is kept in Redis, beside the stream, and changed by the same script that adds the events. So whatever Redis
 * says it has, it has: when it was killed and lost the last second of what it had acknowledged, place and stream are of
 * the same moment, the relay reads the place and goes on from there, and the outbox still has what is missing. The script also
 * compares: a relay that slept and believes in an older place adds nothing. (The lease only saves two of them the work.)
 *
 * Every entry has the place of its event (`seq`) and that of the entry before it in its stream (`prev`): whoever reads can
 * tell that nothing is missing.
 *
 * A stream has a limit. When it is full the relay waits, and events wait in the outbox, on disk. */
#include "base/log.h"
#include "base/time.h"
#include "rt/fiber.h"
#include "store/bus_int.h"
#include "store/outbox.h"

#include <string.h>

enum { BATCH = 500, SAID_EVERY = 2000, WORDS_BEFORE = 8 };

static const Str script = S(
	"local place = redis.call('HGET', KEYS[2], 'place') or '0'\n"
	"if place ~= ARGV[1] then return {-1, place} end\n"
	"if redis.call('XLEN', KEYS[1]) + (#ARGV - 3) / 2 > tonumber(ARGV[3]) then return {0, place} end\n"
	"local last = redis.call('HGET', KEYS[2], 'last') or '0'\n"
	"for i = 4, #ARGV, 2 do\n"
	"  redis.call('XADD', KEYS[1], '*', 'seq', ARGV[i], 'prev', last, 'event', ARGV[i + 1])\n"
	"  last = ARGV[i]\n"
	"end\n"
	"redis.call('HSET', KEYS[2], 'place', ARGV[2], 'last', last)\n"
	"return {1, ARGV[2]}\n");

enum { MOVED = -1, FULL, ADDED };

static Err odd = ERR_STATIC(UPSTREAM, "redis.protocol", "Redis answered something unexpected");
static Err moved = ERR_STATIC(CONFLICT, "event.lease_lost", "another relay has gone on");

enum { RELAYED, IS_FULL };

static const MetricFamily families[] = {
	[RELAYED] = { "banyan_relay_events_total",
	              METRIC_COUNTER,
	              "events",
	              "copied from the outbox into Redis",
	              { "source" } },
	[IS_FULL] = { "banyan_relay_full",
	              METRIC_GAUGE,
	              "relays",
	              "that wait because a stream is full",
	              { "source" } },
};

const MetricFamily *relay_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

typedef struct Relay {
	const Bus *bus;
	const BusSource *source;
	ConsumerConf lease_conf;
	Part lease;
	Str reader;     /* its name in the outbox */
	int64_t *place; /* of each part: all events up to there are in the stream */
	bool placed;    /* place is what Redis says */
	int64_t at;     /* read so far */
	int64_t said;   /* what the outbox was told */
	RelayTrim trim;
	bool is_full; /* since it was last done with all */
	MetricCell relayed, full;
} Relay;

/* --- where it is ------------------------------------------------------------------------------------------------------ */

static Err *read_places(Relay *r, Arena *a)
{
	RedisCommand *commands = ARENA_ARRAY(a, RedisCommand, r->bus->parts);
	RedisReply *replies = ARENA_ARRAY(a, RedisReply, r->bus->parts);

	for (uint32_t i = 0; i < r->bus->parts; i++) {
		Str *words = ARENA_ARRAY(a, Str, 3);

		words[0] = S("HGET");
		words[1] = stream_place_key(a, r->bus, r->source->name, i);
		words[2] = S("place");
		commands[i] = (RedisCommand){ words, 3 };
	}
	TRY(redis_calls(r->bus->redis, a, commands, r->bus->parts, replies));
	for (uint32_t i = 0; i < r->bus->parts; i++) {
		TRY(redis_reply_err(a, &replies[i]));
		if (replies[i].type == REDIS_NIL)
			r->place[i] = 0; /* new, or Redis has lost all */
		else if (replies[i].type != REDIS_STRING ||
		         !str_to_i64(replies[i].text, &r->place[i]))
			return &odd;
	}
	return NULL;
}

/* A source that was put back to an earlier state gives places again that Redis has passed: then all it has is sent again. */
static Err *begin_again(Relay *r, Arena *a, uint32_t part)
{
	RedisReply reply;

	log_warn("the outbox of %.*s is behind its stream %u in Redis: what it has is sent again",
	         STR_ARG(r->source->name), part);
	r->place[part] = 0;
	return redis_call(r->bus->redis, a,
	                  REDIS_WORDS(S("HSET"), stream_place_key(a, r->bus, r->source->name, part),
	                              S("place"), S("0")),
	                  &reply);
}

static Err *find_place(Relay *r, Arena *a)
{
	int64_t last;

	TRY(read_places(r, a));
	TRY(outbox_last(r->source->db, a, &last));
	r->at = INT64_MAX;
	for (uint32_t i = 0; i < r->bus->parts; i++) {
		if (r->place[i] > last)
			TRY(begin_again(r, a, i));
		r->at = MIN(r->at, r->place[i]);
	}
	r->said = -1;
	r->placed = true;
	return NULL;
}

/* --- a batch ---------------------------------------------------------------------------------------------------------- */

static Str number(Arena *a, int64_t n)
{
	return str_fmt(a, "%" PRId64, n);
}

/* What goes into one part, as a call of the script, whose words have room for all. */
static RedisCommand command_for(Relay *r, Arena *a, uint32_t part, const Event *events,
                                const uint32_t *parts, size_t count, int64_t upto)
{
	Str *words = ARENA_ARRAY(a, Str, WORDS_BEFORE + 2 * count);
	size_t n = 0;

	words[n++] = S("EVAL");
	words[n++] = script;
	words[n++] = S("2");
	words[n++] = stream_key(a, r->bus, r->source->name, part);
	words[n++] = stream_place_key(a, r->bus, r->source->name, part);
	words[n++] = number(a, r->place[part]);
	words[n++] = number(a, upto);
	words[n++] = str_fmt(a, "%" PRIu64, r->bus->most);
	for (size_t i = 0; i < count; i++) {
		AUTO(buf_fini) Buf b = { 0 };

		if (parts[i] != part || events[i].seq <= r->place[part])
			continue;
		event_put(&b, &events[i]);
		words[n++] = number(a, events[i].seq);
		words[n++] = str_dup(a, buf_str(&b));
	}
	return (RedisCommand){ words, n };
}

/* Every part is told the new place, those without an event too: a relay that begins reads from the least of them. */
static Err *send_all(Relay *r, Arena *a, const Event *events, size_t count, int64_t upto,
                     bool *waits)
{
	RedisCommand *commands = ARENA_ARRAY(a, RedisCommand, r->bus->parts);
	RedisReply *replies = ARENA_ARRAY(a, RedisReply, r->bus->parts);
	uint32_t *parts = ARENA_ARRAY(a, uint32_t, count);

	for (size_t i = 0; i < count; i++)
		parts[i] = stream_part(r->bus, event_subject(a, &events[i]));
	for (uint32_t i = 0; i < r->bus->parts; i++)
		commands[i] = command_for(r, a, i, events, parts, count, MAX(upto, r->place[i]));
	TRY(redis_calls(r->bus->redis, a, commands, r->bus->parts, replies));
	for (uint32_t i = 0; i < r->bus->parts; i++) {
		const RedisReply *reply = &replies[i];

		TRY(redis_reply_err(a, reply));
		if (reply->type != REDIS_ARRAY || reply->count != 2)
			return &odd;
		if (reply->items[0].integer == MOVED)
			return &moved;
		if (reply->items[0].integer == FULL) {
			*waits = true;
			continue;
		}
		r->place[i] = MAX(upto, r->place[i]);
		metric_add(r->relayed, (commands[i].count - WORDS_BEFORE) / 2);
	}
	return NULL;
}

static Err *say_place(Relay *r, Arena *a)
{
	if (r->said == r->at)
		return NULL;
	TRY(outbox_seen(r->source->db, a, r->reader, r->at));
	r->said = r->at;
	return NULL;
}

/* Full until all was sent, or the log would tell of every entry that found room. */
static void set_full(Relay *r, bool is_full)
{
	if (is_full && !r->is_full)
		log_warn(
			"a stream of %.*s is full: its consumers are behind or gone; events stay in the outbox",
			STR_ARG(r->source->name));
	if (!is_full && r->is_full)
		log_info("no stream of %.*s is full any more", STR_ARG(r->source->name));
	metric_set(r->full, is_full);
	r->is_full = is_full;
}

static Err *relay_some(Relay *r, Arena *a, int64_t *wait_us)
{
	size_t most = (size_t)MIN((uint64_t)BATCH, r->bus->most);
	Event *events;
	size_t count;
	int64_t upto;
	bool waits = false;

	*wait_us = db_engine(r->source->db) == SQL_SQLITE ? 200 * US_PER_MS : US_PER_S;
	if (!r->lease.mine) {
		r->placed = false;
		TRY(part_claim(&r->lease, a));
		if (!r->lease.mine)
			return NULL;
	}
	if (!r->placed)
		TRY(find_place(r, a));
	if (time_mono_us() >= r->lease.renew_us)
		TRY(part_renew(&r->lease, a));
	TRY(outbox_read(r->source->db, a, r->source->name, r->at, most, &events, &count));
	if (count) {
		upto = events[count - 1].seq;
		TRY(send_all(r, a, events, count, upto, &waits));
		set_full(r, waits || (r->is_full && count == most));
		if (waits) {
			r->trim.due_us = 0;
			r->placed = false;
			return relay_trim(&r->trim, a);
		}
		r->at = upto;
		*wait_us = 0;
	}
	if (count < most || r->at - r->said >= SAID_EVERY)
		TRY(say_place(r, a));
	return relay_trim(&r->trim, a);
}

static Err *relay_turn(void *arg, Arena *a, int64_t *wait_us)
{
	Relay *r = arg;
	Err *err = relay_some(r, a, wait_us);

	if (err)
		r->placed = false; /* what was on its way is there or not: Redis knows */
	return err;
}

static void relay_fini(Relay *r)
{
	part_fini(&r->lease);
	metric_cell_free(r->relayed);
	metric_cell_free(r->full);
}

Err *redis_relay(const Bus *bus, const BusSource *source)
{
	AUTO(arena_freep) Arena *lasting = arena_new(0);
	AUTO(relay_fini)
	Relay r = { .bus = bus,
		    .source = source,
		    .lease_conf = { .name = S("relay"), .db = source->db },
		    .reader = S("relay"),
		    .trim = { .bus = bus, .source = source->name } };

	r.place = ARENA_ARRAY(lasting, int64_t, bus->parts);
	r.relayed = metric_cell(&families[RELAYED], &source->name, 1);
	r.full = metric_cell(&families[IS_FULL], &source->name, 1);
	part_init(&r.lease, lasting, &r.lease_conf, S("redis"), 0);
	return outbox_follow(source->db, "the relay", source->name, relay_turn, &r);
}
