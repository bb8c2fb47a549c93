/* SPDX-License-Identifier: Apache-2.0
 *
 * In Redis: a hash banyan:{NAME}:log with `e`, the moment it was made, and `n`, how many invalidations there were; and a
 * stream banyan:{NAME}:inv with one entry each, its id "e-n". A script writes both, so numbers have no gaps: who reads the
 * stream from where it was and finds the next number missing knows that it has missed something, and who finds `n` larger
 * than what the stream gave knows it too (the stream is cut at LOG_MAX, and a Redis that is full may evict it).
 *
 * The follower has a connection of its own and asks in one go for `n` and, blocking for a quarter of the bound, for what
 * follows. When both answers have been taken in, everything that was told before the question was sent is known: that time
 * is `synced`. Whoever serves a value at time T may do so when T - synced <= bound, and that is all the bound rests on: no
 * clock but our own, no assumption about Redis but that it answers with its present state.
 *
 * A Redis that was restarted or replaced may have lost what it had acknowledged. So places are only comparable within a
 * generation, the run of one server process and one log; when it changes everything kept is dropped, here and in Redis,
 * where values name the generation they were born in. A process that starts reads the entries that are left, so that the
 * values of others are of use to it: all that were born at or after the first of them (`horizon`).
 *
 * What could not be told is owed. While anything is owed nothing of Redis is fresh here; the follower pays when it can.
 *
 * Entries hold hashes, not names: 8 bytes each, and no customer's number lies about in Redis. */
#include "store/cache_log.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"
#include "base/time.h"
#include "store/background.h"
#include "store/cache_stamps.h"
#include "store/coarse.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOG_MAX = 10000,  /* entries kept, more or less */
	BATCH = 1000,     /* read at once */
	HASHES_MAX = 512, /* of one entry */
	OWED_MAX = 4096,  /* above it everything is owed */
	POLL_BYTES = 4 << 20
};

static const int64_t LONG_AGO = INT64_MIN / 2;

/* KEYS: log, stream. ARGV: LOG_MAX, origin, hashes; no hashes: only see to it that there is a log. */
#define SCRIPT \
	"local e = redis.call('HGET', KEYS[1], 'e') " \
	"if not e then " \
	"  local t = redis.call('TIME') " \
	"  e = t[1] .. string.format('%06d', t[2]) " \
	"  redis.call('DEL', KEYS[2]) " \
	"  redis.call('HSET', KEYS[1], 'e', e, 'n', 0) " \
	"end " \
	"if #ARGV == 2 then return { e, tonumber(redis.call('HGET', KEYS[1], 'n')) } end " \
	"local n = redis.call('HINCRBY', KEYS[1], 'n', 1) " \
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], e .. '-' .. n, 'o', ARGV[2], 'h', ARGV[3]) " \
	"return { e, n }"

struct CacheLog {
	Redis *redis;
	Str log_key, stream_key; /* in its own arena */
	Arena *arena;
	Str origin; /* whose entries are ours */
	int64_t staleness_us;
	CacheHeard *heard;
	void *arg;
	Background fibers;
	Fiber *follower; /* of `home` */
	Loop *home;
	bool closing;
	int64_t synced_us; /* atomic */
	uint32_t owes;     /* atomic: of `owed`, or all */

	pthread_mutex_t lock; /* of all below, and of changes to owes */
	CachePlace place;
	uint64_t epoch;
	uint64_t horizon;
	CacheStamps stamps; /* numbers */
	uint64_t *owed;
	size_t owed_count;
	uint64_t owes_all; /* how often; 0: not everything */
};

static Err other_log =
	ERR_STATIC(CONFLICT, "cache.log_changed", "the log of invalidations is another one now");
static Err misread =
	ERR_STATIC(UPSTREAM, "cache.log", "the log of invalidations was not understood");

/* --- questions ------------------------------------------------------------------------------------------------------ */

int64_t cache_log_synced_us(const CacheLog *log)
{
	return __atomic_load_n(&log->synced_us, __ATOMIC_ACQUIRE);
}

bool cache_log_is_synced(const CacheLog *log, int64_t now_us)
{
	return now_us + COARSE_LAG_US - cache_log_synced_us(log) <= log->staleness_us &&
	       !__atomic_load_n(&log->owes, __ATOMIC_ACQUIRE);
}

static CachePlace last_place(CacheLog *log)
{
	CachePlace place;

	pthread_mutex_lock(&log->lock);
	place = log->place;
	pthread_mutex_unlock(&log->lock);
	return place;
}

CachePlace cache_log_place(CacheLog *log)
{
	return cache_log_is_synced(log, coarse_us()) ? last_place(log) : (CachePlace){ 0 };
}

/* With the lock held. */
static bool is_of_this_log(const CacheLog *log, CachePlace born)
{
	return born.generation && born.generation == log->place.generation &&
	       born.number >= log->horizon && cache_log_is_synced(log, coarse_us());
}

bool cache_log_untouched(CacheLog *log, CachePlace born)
{
	bool untouched;

	pthread_mutex_lock(&log->lock);
	untouched = is_of_this_log(log, born) && cache_stamps_untouched(&log->stamps, born.number);
	pthread_mutex_unlock(&log->lock);
	return untouched;
}

bool cache_log_fresh(CacheLog *log, CachePlace born, const uint64_t *hashes, size_t count)
{
	bool fresh;

	pthread_mutex_lock(&log->lock);
	fresh = is_of_this_log(log, born);
	for (size_t i = 0; i < count && fresh; i++)
		fresh = cache_stamps_fresh(&log->stamps, hashes[i], born.number) &&
		        cache_stamps_above_floor(&log->stamps, born.number);
	pthread_mutex_unlock(&log->lock);
	return fresh;
}

/* --- telling -------------------------------------------------------------------------------------------------------- */

static RedisCommand script_of(const CacheLog *log, Arena *a, Str hashes)
{
	Str words[] = { S("EVAL"),    S(SCRIPT),       S("2"),
		        log->log_key, log->stream_key, str_fmt(a, "%d", LOG_MAX),
		        log->origin,  hashes };

	return redis_words_dup(a, (RedisCommand){ words, COUNT(words) - (hashes.at ? 0 : 1) });
}

static Err *read_place(const RedisReply *reply, uint64_t *epoch, uint64_t *number)
{
	if (reply->type != REDIS_ARRAY || reply->count != 2 ||
	    !str_to_u64(reply->items[0].text, epoch) || reply->items[1].type != REDIS_INTEGER ||
	    reply->items[1].integer < 0)
		return &misread;
	*number = (uint64_t)reply->items[1].integer;
	return NULL;
}

static Str bytes_of(const uint64_t *hashes, size_t count)
{
	return (Str){ count ? (const char *)hashes : "", count * sizeof *hashes };
}

/* Nothing born before is fresh here any more. Where the log is another than the one we follow, or was set back, its number
 * says nothing: then nothing of Redis is fresh until the follower has found out. */
static void note_told(CacheLog *log, CachePlace before, uint64_t epoch, uint64_t number,
                      const uint64_t *hashes, size_t count)
{
	pthread_mutex_lock(&log->lock);
	if (before.generation && before.generation == log->place.generation &&
	    (epoch != log->epoch || number <= before.number)) {
		__atomic_store_n(&log->synced_us, LONG_AGO, __ATOMIC_RELEASE);
		number = log->place.number + 1;
	}
	for (size_t i = 0; i < count; i++)
		cache_stamps_raise(&log->stamps, hashes[i], number);
	pthread_mutex_unlock(&log->lock);
}

static void owe(CacheLog *log, const uint64_t *hashes, size_t count)
{
	pthread_mutex_lock(&log->lock);
	if (log->owed_count + count <= OWED_MAX && count) {
		memcpy(log->owed + log->owed_count, hashes, count * sizeof *hashes);
		log->owed_count += count;
	} else {
		log->owes_all++;
	}
	__atomic_store_n(&log->owes, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&log->lock);
}

static Err *tell_some(CacheLog *log, Arena *a, const uint64_t *hashes, size_t count)
{
	CachePlace before = last_place(log);
	uint64_t epoch, number;
	RedisReply reply;

	TRY(redis_call(log->redis, a, script_of(log, a, bytes_of(hashes, count)), &reply));
	TRY(read_place(&reply, &epoch, &number));
	note_told(log, before, epoch, number, hashes, count);
	return NULL;
}

Err *cache_log_tell(CacheLog *log, Arena *a, const uint64_t *hashes, size_t count)
{
	Err *err = NULL;

	for (size_t at = 0; at < count && !err; at += HASHES_MAX)
		err = tell_some(log, a, hashes + at, MIN(count - at, (size_t)HASHES_MAX));
	if (err)
		owe(log, hashes, count);
	return err;
}

/* --- following ------------------------------------------------------------------------------------------------------ */

typedef struct Entry {
	uint64_t epoch, number;
	Str origin;
	const uint64_t *hashes; /* in the arena: aligned */
	size_t count;
} Entry;

static Err *read_entry(Arena *a, const RedisReply *reply, Entry *out)
{
	const RedisReply *fields = reply->count == 2 ? &reply->items[1] : NULL;
	Str id, epoch;

	if (!fields || fields->count != 4)
		return &misread;
	id = reply->items[0].text;
	if (!str_split(&id, '-', &epoch) || !str_to_u64(epoch, &out->epoch) ||
	    !str_to_u64(id, &out->number))
		return &misread;
	out->origin = fields->items[1].text;
	out->count = fields->items[3].text.len / sizeof *out->hashes;
	out->hashes = ARENA_ARRAY(a, uint64_t, out->count + 1);
	if (out->count)
		memcpy((void *)(uintptr_t)out->hashes, fields->items[3].text.at,
		       out->count * sizeof *out->hashes);
	return NULL;
}

/* With the lock held. */
static void raise_entry(CacheLog *log, const Entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		cache_stamps_raise(&log->stamps, entry->hashes[i], entry->number);
	if (!entry->count)
		cache_stamps_raise_all(&log->stamps, entry->number);
}

/* Something was missed before this number. */
static void skip_to(CacheLog *log, uint64_t number)
{
	pthread_mutex_lock(&log->lock);
	log->horizon = number;
	log->place.number = number;
	pthread_mutex_unlock(&log->lock);
	log->heard(log->arg, NULL, 0);
}

static Err *take_entry(CacheLog *log, const Entry *entry)
{
	if (entry->epoch != log->epoch)
		return &other_log;
	if (entry->number <= log->place.number)
		return NULL;
	if (entry->number != log->place.number + 1)
		skip_to(log, entry->number - 1);
	pthread_mutex_lock(&log->lock);
	raise_entry(log, entry);
	log->place.number = entry->number;
	pthread_mutex_unlock(&log->lock);
	if (!str_eq(entry->origin, log->origin))
		log->heard(log->arg, entry->hashes, entry->count);
	return NULL;
}

/* A generation we know nothing of: what is left of its entries is all we will ever know. */
static Err *start_over(CacheLog *log, Arena *a, CachePlace place, uint64_t epoch,
                       const RedisReply *entries)
{
	Entry *read = ARENA_ARRAY(a, Entry, entries->count + 1);
	uint64_t horizon = place.number, last = 0;

	for (size_t i = 0; i < entries->count; i++) {
		TRY(read_entry(a, &entries->items[i], &read[i]));
		if (read[i].epoch != epoch)
			return &other_log;
		if (i == 0 || read[i].number != last + 1)
			horizon = read[i].number - 1;
		last = read[i].number;
	}
	if (last < place.number)
		horizon = place.number;
	__atomic_store_n(&log->synced_us, LONG_AGO, __ATOMIC_RELEASE);
	pthread_mutex_lock(&log->lock);
	log->place = (CachePlace){ place.generation, MAX(place.number, last) };
	log->epoch = epoch;
	log->horizon = horizon;
	cache_stamps_clear(&log->stamps);
	for (size_t i = 0; i < entries->count; i++)
		raise_entry(log, &read[i]);
	pthread_mutex_unlock(&log->lock);
	log->heard(log->arg, NULL, 0);
	return NULL;
}

static Str run_id_of(Str info)
{
	ptrdiff_t at = str_find(info, S("run_id:"));
	Str rest, line = { 0 };

	if (at < 0)
		return line;
	rest = str_sub(info, (size_t)at, info.len);
	str_split(&rest, '\r', &line);
	return line;
}

/* Which run of which server, which log? One that does not say is another each time. */
static uint64_t generation_of(Arena *a, Str run_id, uint64_t epoch)
{
	Str name = str_fmt(a, "%.*s/%" PRIu64, STR_ARG(run_id), epoch);
	uint64_t generation = run_id.len ? hash_stable(name, 0, 0) : rand_u64();

	return generation ? generation : 1;
}

static Err *attach(CacheLog *log, Arena *a, RedisSession *session)
{
	RedisCommand commands[] = {
		REDIS_WORDS(S("INFO"), S("server")),
		script_of(log, a, (Str){ 0 }),
		REDIS_WORDS(S("XRANGE"), log->stream_key, S("-"), S("+")),
	};
	RedisReply replies[COUNT(commands)];
	uint64_t epoch, number;
	CachePlace place;

	TRY(redis_session_calls(session, a, commands, COUNT(commands), 0, replies));
	TRY(redis_reply_err(a, &replies[1]));
	TRY(redis_reply_err(a, &replies[2]));
	TRY(read_place(&replies[1], &epoch, &number));
	place = (CachePlace){ generation_of(a, run_id_of(replies[0].text), epoch), number };
	if (place.generation == log->place.generation && number >= log->place.number)
		return NULL; /* the same: the next question goes on where we were */
	return start_over(log, a, place, epoch, &replies[2]);
}

static Err *take_entries(CacheLog *log, Arena *a, const RedisReply *reply, size_t *count)
{
	const RedisReply *entries;

	*count = 0;
	TRY(redis_reply_err(a, reply));
	if (reply->type == REDIS_NIL)
		return NULL;
	if (reply->count != 1 || reply->items[0].count != 2)
		return &misread;
	entries = &reply->items[0].items[1];
	*count = entries->count;
	for (size_t i = 0; i < entries->count; i++) {
		Entry entry;

		TRY(read_entry(a, &entries->items[i], &entry));
		TRY(take_entry(log, &entry));
	}
	return NULL;
}

static Err *take_head(CacheLog *log, Arena *a, const RedisReply *head, uint64_t *number)
{
	uint64_t epoch;

	TRY(redis_reply_err(a, head));
	if (head->count != 2 || !str_to_u64(head->items[0].text, &epoch) ||
	    !str_to_u64(head->items[1].text, number) || epoch != log->epoch)
		return &other_log;
	return NULL;
}

static Err *poll(CacheLog *log, Arena *a, RedisSession *session)
{
	int64_t wait_us = MIN(log->staleness_us / 4, 250 * US_PER_MS);
	RedisCommand commands[] = {
		REDIS_WORDS(S("HMGET"), log->log_key, S("e"), S("n")),
		REDIS_WORDS(S("XREAD"), S("COUNT"), str_fmt(a, "%d", BATCH), S("BLOCK"),
		            str_fmt(a, "%d", (int)MAX(wait_us / US_PER_MS, INT64_C(1))),
		            S("STREAMS"), log->stream_key,
		            str_fmt(a, "%" PRIu64 "-%" PRIu64, log->epoch, log->place.number)),
	};
	RedisReply replies[COUNT(commands)];
	int64_t asked_us = time_mono_us();
	uint64_t before = log->place.number, number;
	size_t count;

	TRY(redis_session_calls(session, a, commands, COUNT(commands), wait_us, replies));
	TRY(take_head(log, a, &replies[0], &number));
	if (number < before)
		return &other_log; /* set back */
	TRY(take_entries(log, a, &replies[1], &count));
	if (count == BATCH)
		return NULL; /* there is more: not synced yet */
	if (log->place.number < number)
		skip_to(log, number);
	__atomic_store_n(&log->synced_us, asked_us, __ATOMIC_RELEASE);
	return NULL;
}

/* Tells what is owed; it stays owed until that was done. */
static Err *pay(CacheLog *log, Arena *a, RedisSession *session, uint64_t *upto)
{
	uint64_t *hashes = ARENA_ARRAY(a, uint64_t, OWED_MAX);
	uint64_t epoch;
	RedisCommand command;
	RedisReply reply;
	uint64_t all;
	size_t count;

	pthread_mutex_lock(&log->lock);
	count = log->owed_count;
	all = log->owes_all;
	if (count)
		memcpy(hashes, log->owed, count * sizeof *hashes);
	pthread_mutex_unlock(&log->lock);
	for (size_t at = 0; at < count || all; at += HASHES_MAX) {
		size_t some = all ? 0 : MIN(count - at, (size_t)HASHES_MAX);

		command = script_of(log, a, bytes_of(hashes + at, some));
		TRY(redis_session_calls(session, a, &command, 1, 0, &reply));
		TRY(redis_reply_err(a, &reply));
		TRY(read_place(&reply, &epoch, upto));
		if (all)
			break;
	}
	pthread_mutex_lock(&log->lock);
	log->owed_count -= count;
	memmove(log->owed, log->owed + count, log->owed_count * sizeof *log->owed);
	if (log->owes_all == all)
		log->owes_all = 0;
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

/* What was paid is in the log; heard of like anything else, it is in force here too. Then nothing is owed any more. */
static Err *settle(CacheLog *log, Arena *a, RedisSession *session)
{
	uint64_t upto = 0;

	TRY(pay(log, a, session, &upto));
	while (log->place.number < upto)
		TRY(poll(log, a, session));
	pthread_mutex_lock(&log->lock);
	if (!log->owed_count && !log->owes_all)
		__atomic_store_n(&log->owes, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&log->lock);
	return NULL;
}

static Err *follow(CacheLog *log, unsigned *tries)
{
	AUTO(arena_freep) Arena *a = arena_new(POLL_BYTES);
	AUTO(redis_session_closep) RedisSession *session = NULL;

	TRY(redis_session_open(log->redis, a, log->log_key, &session));
	TRY(attach(log, a, session));
	for (;; arena_clear(a)) {
		TRY(poll(log, a, session));
		*tries = 0;
		if (__atomic_load_n(&log->owes, __ATOMIC_ACQUIRE))
			TRY(settle(log, a, session));
	}
}

static void follow_main(void *arg)
{
	CacheLog *log = arg;
	unsigned tries = 0;

	log->follower = fiber_self();
	while (!log->closing) {
		bool at_once = follow(log, &tries) == &other_log && !tries;

		tries++;
		if (fiber_cancelled() ||
		    (!at_once && fiber_sleep(redis_backoff_us(log->redis, tries))))
			break;
	}
	log->follower = NULL;
	background_end(&log->fibers);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

Err *cache_log_open(Redis *redis, Str name, int64_t staleness_us, CacheHeard *heard, void *arg,
                    CacheLog **out)
{
	Arena *a = arena_new(0);
	CacheLog *log = ARENA_NEW(a, CacheLog);
	uint64_t origin;
	Err *err;

	rand_bytes(&origin, sizeof origin);
	log->redis = redis;
	log->arena = a;
	log->log_key = str_fmt(a, "banyan:{%.*s}:log", STR_ARG(name));
	log->stream_key = str_fmt(a, "banyan:{%.*s}:inv", STR_ARG(name));
	log->origin = str_fmt(a, "%016" PRIx64, origin);
	log->staleness_us = staleness_us;
	log->heard = heard;
	log->arg = arg;
	log->home = loop_self();
	log->synced_us = LONG_AGO;
	log->owed = ARENA_ARRAY(a, uint64_t, OWED_MAX);
	pthread_mutex_init(&log->lock, NULL);
	cache_stamps_init(&log->stamps);
	background_init(&log->fibers);
	err = background_start(&log->fibers, follow_main, log, "cache-log");
	if (err) {
		cache_log_close(log);
		return err;
	}
	*out = log;
	return NULL;
}

static void stop(void *arg)
{
	CacheLog *log = arg;

	if (loop_self() != log->home)
		return;
	log->closing = true;
	if (log->follower)
		fiber_cancel(log->follower);
}

void cache_log_close(CacheLog *log)
{
	if (!log)
		return;
	loop_each(stop, log);
	background_await(&log->fibers);
	cache_stamps_fini(&log->stamps);
	pthread_mutex_destroy(&log->lock);
	arena_free(log->arena);
}
