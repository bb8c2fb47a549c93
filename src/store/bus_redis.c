/* SPDX-License-Identifier: Apache-2.0
 *
 * Consuming from Redis: a fiber for each part of a source, each with a connection of its own that waits in XREADGROUP.
 *
 * Redis' groups let many consumers share a stream, and mix up its order between them. So a part has one reader at a time: the
 * one that has its lease in the consumer's own database, where effects are fenced. The group is what Redis
 * remembers for it: what was read and not acknowledged.
 *
 * Whoever takes over a part first claims what the one before had read (XAUTOCLAIM), then goes on. One that slept over its lease
 * may still read, and keep, entries that nobody sees until they are claimed: an entry's `prev` then is not the place where we
 * are, we stop, claim all, and go on in order. What is still missing after that is gone from Redis; it is logged and counted. */
#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"
#include "rt/fiber.h"
#include "store/bus_int.h"

#include <string.h>

enum { BATCH = 64 };

enum { GAPS, CLAIMED };

static const MetricFamily families[] = {
	[GAPS] = { "banyan_bus_gaps_total",
	           METRIC_COUNTER,
	           "gaps",
	           "in a stream: events that Redis does not have any more",
	           { "consumer", "source" } },
	[CLAIMED] = { "banyan_bus_claimed_total",
	              METRIC_COUNTER,
	              "events",
	              "that another instance had read and not finished",
	              { "consumer", "source" } },
};

const MetricFamily *redis_consumer_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static Err odd = ERR_STATIC(UPSTREAM, "redis.protocol", "Redis answered something unexpected");

typedef struct Reader {
	const Bus *bus;
	const ConsumerConf *conf;
	Str source, key;
	Part part;
	RedisSession *session;
	bool grouped;  /* the group is there */
	bool recovers; /* what was read and not acknowledged comes first */
	unsigned *outages;
	MetricCell gaps, claimed;
	Child child;
} Reader;

/* --- entries ---------------------------------------------------------------------------------------------------------- */

typedef struct Entry {
	Str id;
	Str text; /* the CloudEvent */
	int64_t seq, prev;
	bool good; /* has the fields of the relay's */
} Entry;

static Entry entry_of(const RedisReply *reply)
{
	Entry entry = { 0 };
	const RedisReply *fields;
	bool seq = false, prev = false;

	if (reply->type != REDIS_ARRAY || reply->count != 2)
		return entry;
	entry.id = reply->items[0].text;
	fields = &reply->items[1];
	for (size_t i = 0; i + 1 < fields->count; i += 2) {
		Str name = fields->items[i].text, value = fields->items[i + 1].text;

		if (str_eq(name, S("seq")))
			seq = str_to_i64(value, &entry.seq);
		else if (str_eq(name, S("prev")))
			prev = str_to_i64(value, &entry.prev);
		else if (str_eq(name, S("event")))
			entry.text = value;
	}
	entry.good = seq && prev;
	return entry;
}

/* The same for the same entry, so that it is buried once. */
static Uuid burial_id(const Reader *r, Str id)
{
	uint64_t halves[2] = { hash_stable(r->key, 1, 2), hash_stable(id, 3, 4) };
	Uuid uuid;

	memcpy(uuid.at, halves, sizeof uuid.at);
	return uuid;
}

static Err *acknowledge(Reader *r, Arena *a, const RedisReply *entries)
{
	Str *words = ARENA_ARRAY(a, Str, 3 + entries->count);
	RedisCommand command = { words, 3 };
	RedisReply reply;

	words[0] = S("XACK");
	words[1] = r->key;
	words[2] = r->conf->name;
	for (size_t i = 0; i < entries->count; i++)
		if (entries->items[i].type == REDIS_ARRAY && entries->items[i].count)
			words[command.count++] = entries->items[i].items[0].text;
	if (command.count == 3)
		return NULL;
	TRY(redis_session_calls(r->session, a, &command, 1, 0, &reply));
	return redis_reply_err(a, &reply);
}

static bool is_gap(const Entry *entry, int64_t at)
{
	return at > 0 && entry->good && entry->prev > at;
}

/* Delivers what stands in a reply; *gap: stopped before anything, because something is missing and `strict`. */
static Err *deliver(Reader *r, Arena *a, const RedisReply *entries, bool strict, bool *gap)
{
	Event *events = ARENA_ARRAY(a, Event, entries->count);
	int64_t at = r->part.seq;
	size_t count = 0;

	*gap = false;
	for (size_t i = 0; i < entries->count; i++) {
		Entry entry = entry_of(&entries->items[i]);
		Err *err;

		if (!entry.id.len || !entry.text.len)
			continue; /* deleted meanwhile, or nobody's */
		if (is_gap(&entry, at)) {
			*gap = strict;
			if (strict)
				return NULL;
			metric_add(r->gaps, 1);
			log_error("events of %.*s between %" PRId64 " and %" PRId64
			          " are not in Redis any more",
			          STR_ARG(r->source), at, entry.prev);
		}
		err = event_read(a, entry.text, &events[count]);
		if (err)
			TRY(part_bury(&r->part, a, burial_id(r, entry.id), entry.text, err));
		else
			events[count++].seq = entry.seq;
		if (entry.good)
			at = entry.seq;
	}
	TRY(part_deliver(&r->part, a, events, count, at));
	return acknowledge(r, a, entries);
}

/* --- talking to Redis ------------------------------------------------------------------------------------------------- */

static Err *ask(Reader *r, Arena *a, RedisCommand command, int64_t wait_us, RedisReply *reply)
{
	TRY(redis_session_calls(r->session, a, &command, 1, wait_us, reply));
	return redis_reply_err(a, reply);
}

static Err *begin(Reader *r, Arena *a)
{
	RedisReply reply;
	Err *err;

	if (!r->session)
		TRY(redis_session_open(r->bus->redis, a, r->key, &r->session));
	if (r->grouped)
		return NULL;
	err = ask(r, a,
	          REDIS_WORDS(S("XGROUP"), S("CREATE"), r->key, r->conf->name, S("0"),
	                      S("MKSTREAM")),
	          0, &reply);
	if (err && !err_is(err, "redis.busy_group"))
		return err;
	r->grouped = r->recovers = true;
	return NULL;
}

/* Names of instances that are gone and hold nothing. */
static Err *tidy(Reader *r, Arena *a)
{
	RedisReply list, reply;

	TRY(ask(r, a, REDIS_WORDS(S("XINFO"), S("CONSUMERS"), r->key, r->conf->name), 0, &list));
	for (size_t i = 0; i < list.count; i++) {
		const RedisReply *row = &list.items[i];

		if (row->count < 4 || row->items[3].integer > 0 ||
		    str_eq(row->items[1].text, r->part.owner))
			continue;
		TRY(ask(r, a,
		        REDIS_WORDS(S("XGROUP"), S("DELCONSUMER"), r->key, r->conf->name,
		                    row->items[1].text),
		        0, &reply));
	}
	return NULL;
}

/* Everything of the group that was read and not acknowledged, whoever read it: nobody else may, for we have the lease. */
static Err *recover(Reader *r, Arena *a)
{
	Str from = S("0-0");
	bool gap;

	while (from.len) {
		RedisReply reply;

		TRY(ask(r, a,
		        REDIS_WORDS(S("XAUTOCLAIM"), r->key, r->conf->name, r->part.owner, S("0"),
		                    from, S("COUNT"), S("64")),
		        0, &reply));
		if (reply.type != REDIS_ARRAY || reply.count < 2)
			return &odd;
		if (reply.items[1].count) {
			TRY(deliver(r, a, &reply.items[1], false, &gap));
			metric_add(r->claimed, reply.items[1].count);
		}
		from = str_eq(reply.items[0].text, S("0-0")) ? S("") : reply.items[0].text;
	}
	r->recovers = false;
	return tidy(r, a);
}

static Err *read_new(Reader *r, Arena *a, int64_t wait_us)
{
	uint32_t most = r->conf->batch ? r->conf->batch : BATCH;
	RedisReply reply;
	bool gap;

	TRY(ask(r, a,
	        REDIS_WORDS(S("XREADGROUP"), S("GROUP"), r->conf->name, r->part.owner, S("COUNT"),
	                    str_fmt(a, "%u", most), S("BLOCK"),
	                    str_fmt(a, "%" PRId64, MAX(wait_us / US_PER_MS, 1)), S("STREAMS"),
	                    r->key, S(">")),
	        wait_us, &reply));
	if (reply.type == REDIS_NIL)
		return NULL;
	if (reply.type != REDIS_ARRAY || reply.count != 1 || reply.items[0].count != 2)
		return &odd;
	r->recovers = true; /* until what was read is acknowledged */
	TRY(deliver(r, a, &reply.items[0].items[1], true, &gap));
	r->recovers = gap;
	return NULL;
}

/* --- a part ----------------------------------------------------------------------------------------------------------- */

static int64_t most_wait_us(const Reader *r)
{
	int64_t lease = r->conf->lease_us ? r->conf->lease_us : 10 * US_PER_S;

	return MIN(US_PER_S, lease / 4);
}

static Err *turn(Reader *r, Arena *a)
{
	int64_t wait_us = most_wait_us(r);

	if (!r->part.mine) {
		TRY(part_claim(&r->part, a));
		if (!r->part.mine)
			return fiber_sleep(wait_us);
		r->recovers = true;
	}
	TRY(begin(r, a));
	TRY(part_retry(&r->part, a, wait_us, &wait_us));
	if (time_mono_us() >= r->part.renew_us)
		TRY(part_renew(&r->part, a));
	return r->recovers ? recover(r, a) : read_new(r, a, wait_us);
}

static Err *reader_main(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Reader *r = arg;
	Patience patience = { .what = "the consumer", .who = r->conf->name, .others = r->outages };

	for (;;) {
		Err *err = turn(r, a);

		if (err) {
			redis_session_close(TAKE(r->session));
			r->grouped = false;
		}
		TRY(patience_with(&patience, err));
		arena_clear(a);
	}
}

typedef struct Readers {
	Reader *at;
	uint32_t count;
} Readers;

static void readers_end(Readers *readers)
{
	for (uint32_t i = 0; i < readers->count; i++)
		if (readers->at[i].child.fiber && !readers->at[i].child.done)
			fiber_cancel(readers->at[i].child.fiber);
	for (uint32_t i = 0; i < readers->count; i++) {
		Reader *r = &readers->at[i];

		child_end(&r->child);
		redis_session_close(r->session);
		part_fini(&r->part);
		metric_cell_free(r->gaps);
		metric_cell_free(r->claimed);
	}
}

Err *redis_consume(const Bus *bus, const ConsumerConf *conf, Str source)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(readers_end) Readers readers = { .at = ARENA_ARRAY(a, Reader, bus->parts) };
	Str labels[] = { conf->name, source };
	unsigned outages = 0;

	for (uint32_t i = 0; i < bus->parts; i++) {
		Reader *r = &readers.at[readers.count++];

		*r = (Reader){ .bus = bus,
			       .conf = conf,
			       .source = source,
			       .key = stream_key(a, bus, source, i),
			       .outages = &outages,
			       .gaps = metric_cell(&families[GAPS], labels, 2),
			       .claimed = metric_cell(&families[CLAIMED], labels, 2) };
		part_init(&r->part, a, conf, source, i);
		TRY(child_start(&r->child, reader_main, r, "events"));
	}
	for (;;)
		TRY(fiber_park());
}
