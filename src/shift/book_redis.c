/* SPDX-License-Identifier: Apache-2.0
 *
 * The book in Redis. All keys are below `banyan:{shift}:`, in one slot of a cluster:
 *
 *   states            hash    subject: "REVISION STATE"
 *   journal:SUBJECT   stream  an entry's number is its revision; the last 10,000 or so
 *   seen:SUBJECT:N    hash    of attempt N, run: "STEP AT EVIDENCE"
 *   users:SUBJECT:N:RUN       stream, users that this run has counted
 *   differences:SUBJECT:N     hash, gateway: what it found in shadowing N
 *   accepted:SUBJECT  hash    "KIND PATH": "AT WHO"
 *   keys              hash    name: secret
 *
 * What must be done at once is a script. A change is made from the revision that was seen, as in a database, but Redis may lose
 * what it said it has: then gateways put back what they know (keeper.c), and the journal has a gap. What belongs to an attempt
 * is given up 30 days after it was touched last. */
#include "shift/book_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "rt/loop.h"
#include "store/redis.h"

#include <stdlib.h>

#define PREFIX "banyan:{shift}:"
#define JOURNAL "10000"
#define KEPT "2592000" /* seconds */

typedef struct RedisBook {
	Book base;
	Redis *redis;
} RedisBook;

static Err misread = ERR_STATIC(UPSTREAM, "shift.redis",
                                "Redis has something else where the book of moves should be");

static Redis *redis_of(const Book *book)
{
	return CONTAINER((Book *)(uintptr_t)book, RedisBook, base)->redis;
}

static Str key_of(Arena *a, const char *what, Str subject)
{
	return str_fmt(a, PREFIX "%s:%.*s", what, STR_ARG(subject));
}

static Str key_of_part(Arena *a, const char *what, Str subject, uint32_t part)
{
	return str_fmt(a, PREFIX "%s:%.*s:%u", what, STR_ARG(subject), part);
}

static Str key_of_users(Arena *a, Str subject, uint32_t attempt, Str run)
{
	return str_fmt(a, PREFIX "users:%.*s:%u:%.*s", STR_ARG(subject), attempt, STR_ARG(run));
}

static Str number(Arena *a, int64_t n)
{
	return str_fmt(a, "%" PRId64, n);
}

/* The number before the next space, and what is behind it. */
static bool take_number(Str *rest, int64_t *out)
{
	Str head;

	return str_split(rest, ' ', &head) && rest->at && str_to_i64(head, out);
}

/* A hash: fields and values in turn. */
static Err *read_hash(const Book *book, Arena *a, Str key, RedisReply *out)
{
	TRY(redis_call(redis_of(book), a, REDIS_WORDS(S("HGETALL"), key), out));
	return out->type == REDIS_ARRAY && out->count % 2 == 0 ? NULL : &misread;
}

/* A script that says whether it did it. */
static Err *run(const Book *book, Arena *a, RedisCommand command, bool *done)
{
	RedisReply reply;

	TRY(redis_call(redis_of(book), a, command, &reply));
	*done = reply.type == REDIS_INTEGER && reply.integer == 1;
	return reply.type == REDIS_INTEGER ? NULL : &misread;
}

static Err *nothing_to_do(Book *book, Arena *a)
{
	RedisReply reply;

	return redis_call(redis_of(book), a, REDIS_WORDS(S("HLEN"), S(PREFIX "states")), &reply);
}

static void close_redis(Book *book)
{
	redis_close(redis_of(book));
	arena_free(book->arena);
}

/* --- states and the journal ------------------------------------------------------------------------------------------- */

static Err *states(Book *book, Arena *a, BookRow **out, size_t *count)
{
	RedisReply reply;

	TRY(read_hash(book, a, S(PREFIX "states"), &reply));
	*count = reply.count / 2;
	*out = ARENA_ARRAY(a, BookRow, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		BookRow *row = &(*out)[i];

		row->subject = reply.items[2 * i].text;
		row->state = reply.items[2 * i + 1].text;
		if (!take_number(&row->state, &row->revision))
			return &misread;
	}
	return NULL;
}

#define CHANGE \
	"local is = redis.call('HGET', KEYS[1], ARGV[1])\n" \
	"local at = is and string.match(is, '^%d+') or '0'\n" \
	"if at ~= ARGV[2] then return 0 end\n" \
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[3] .. ' ' .. ARGV[4])\n" \
	"redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', '" JOURNAL \
	"', ARGV[3] .. '-0', unpack(ARGV, 5))\n" \
	"return 1"

static Err *change(Book *book, Arena *a, const BookChange *c, bool *done)
{
	const BookEntry *e = c->entry;

	return run(book, a,
	           REDIS_WORDS(S("EVAL"), S(CHANGE), S("2"), S(PREFIX "states"),
	                       key_of(a, "journal", c->subject), c->subject, number(a, c->before),
	                       number(a, c->revision), c->state, S("at"), number(a, e->at_us),
	                       S("who"), e->who, S("verb"), e->verb, S("from"), e->from, S("to"),
	                       e->to, S("ppm"), number(a, e->share_ppm), S("why"), e->why,
	                       S("evidence"), e->evidence.len ? e->evidence : S("{}")),
	           done);
}

static Str field(const RedisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->count; i += 2)
		if (str_eq(fields->items[i].text, str_of(name)))
			return fields->items[i + 1].text;
	return (Str){ 0 };
}

/* [id, [field, value, ...]] */
static bool read_item(const RedisReply *item, int64_t *id, const RedisReply **fields)
{
	Str rest, head;

	if (item->type != REDIS_ARRAY || item->count != 2 || item->items[1].type != REDIS_ARRAY)
		return false;
	rest = item->items[0].text;
	*fields = &item->items[1];
	return str_split(&rest, '-', &head) && str_to_i64(head, id);
}

static bool read_entry(const RedisReply *item, BookEntry *out)
{
	const RedisReply *fields;
	int64_t ppm = 0;

	*out = (BookEntry){ 0 };
	if (!read_item(item, &out->revision, &fields))
		return false;
	out->who = field(fields, "who");
	out->verb = field(fields, "verb");
	out->from = field(fields, "from");
	out->to = field(fields, "to");
	out->why = field(fields, "why");
	out->evidence = field(fields, "evidence");
	if (!str_to_i64(field(fields, "at"), &out->at_us) ||
	    !str_to_i64(field(fields, "ppm"), &ppm))
		return false;
	out->share_ppm = (uint32_t)ppm;
	return true;
}

static Err *history(Book *book, Arena *a, Str subject, int64_t before, uint32_t most,
                    BookEntry **out, size_t *count)
{
	Str from = before == INT64_MAX ? S("+") : number(a, before - 1);
	RedisReply reply;

	TRY(redis_call(redis_of(book), a,
	               REDIS_WORDS(S("XREVRANGE"), key_of(a, "journal", subject), from, S("-"),
	                           S("COUNT"), number(a, most)),
	               &reply));
	*count = reply.type == REDIS_ARRAY ? reply.count : 0;
	*out = ARENA_ARRAY(a, BookEntry, *count + 1);
	for (size_t i = 0; i < *count; i++)
		if (!read_entry(&reply.items[i], &(*out)[i]))
			return &misread;
	return NULL;
}

/* --- evidence --------------------------------------------------------------------------------------------------------- */

#define SEE \
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n" \
	"redis.call('EXPIRE', KEYS[1], " KEPT ")\n" \
	"if #ARGV > 2 then redis.pcall('XADD', KEYS[2], ARGV[3] .. '-0', 's', ARGV[4], 'u', ARGV[5]) end\n" \
	"redis.call('EXPIRE', KEYS[2], " KEPT ")\n" \
	"return 1"

static Str seen_text(Arena *a, const BookSeen *seen)
{
	return str_fmt(a, "%d %" PRId64 " %.*s", seen->step, seen->at_us, STR_ARG(seen->evidence));
}

static Err *see(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *seen,
                const BookUsers *users)
{
	Str words[] = { S("EVAL"),
		        S(SEE),
		        S("2"),
		        key_of_part(a, "seen", subject, attempt),
		        key_of_users(a, subject, attempt, seen->run),
		        seen->run,
		        seen_text(a, seen),
		        users ? number(a, users->seq) : S(""),
		        users ? number(a, users->step) : S(""),
		        users ? users->users : S("") };
	bool done;

	return run(book, a, (RedisCommand){ words, COUNT(words) - (users ? 0 : 3) }, &done);
}

static Err *seen(Book *book, Arena *a, Str subject, uint32_t attempt, BookSeen **out, size_t *count)
{
	RedisReply reply;

	TRY(read_hash(book, a, key_of_part(a, "seen", subject, attempt), &reply));
	*count = reply.count / 2;
	*out = ARENA_ARRAY(a, BookSeen, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		BookSeen *row = &(*out)[i];
		int64_t step;

		row->run = reply.items[2 * i].text;
		row->evidence = reply.items[2 * i + 1].text;
		if (!take_number(&row->evidence, &step) ||
		    !take_number(&row->evidence, &row->at_us))
			return &misread;
		row->step = (int32_t)step;
	}
	return NULL;
}

static Err *users(Book *book, Arena *a, Str subject, uint32_t attempt, Str run_, int64_t after,
                  BookUsers **out, size_t *count)
{
	RedisReply reply;

	TRY(redis_call(redis_of(book), a,
	               REDIS_WORDS(S("XRANGE"), key_of_users(a, subject, attempt, run_),
	                           number(a, after + 1), S("+"), S("COUNT"),
	                           number(a, BOOK_USERS_ROWS)),
	               &reply));
	*count = reply.type == REDIS_ARRAY ? reply.count : 0;
	*out = ARENA_ARRAY(a, BookUsers, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		BookUsers *row = &(*out)[i];
		const RedisReply *fields;
		int64_t step;

		if (!read_item(&reply.items[i], &row->seq, &fields) ||
		    !str_to_i64(field(fields, "s"), &step))
			return &misread;
		row->step = (int32_t)step;
		row->users = field(fields, "u");
	}
	return NULL;
}

#define FOLD \
	"local is = redis.call('HGET', KEYS[1], ARGV[1])\n" \
	"if not is or string.match(is, '^%-?%d+ (%-?%d+) ') ~= ARGV[2] then return 0 end\n" \
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5])\n" \
	"return 1"

static Err *fold(Book *book, Arena *a, Str subject, uint32_t attempt, const BookSeen *own,
                 const BookSeen *ended, bool *done)
{
	return run(book, a,
	           REDIS_WORDS(S("EVAL"), S(FOLD), S("1"), key_of_part(a, "seen", subject, attempt),
	                       ended->run, number(a, ended->at_us), seen_text(a, ended), own->run,
	                       seen_text(a, own)),
	           done);
}

/* Time does it. */
static Err *forget(Book *book, Arena *a, Str subject, uint32_t attempt)
{
	(void)book;
	(void)a;
	(void)subject;
	(void)attempt;
	return NULL;
}

/* --- differences ------------------------------------------------------------------------------------------------------ */

static Err *keep_differences(Book *book, Arena *a, Str subject, uint32_t shadows,
                             const BookDifferences *found)
{
	Str key = key_of_part(a, "differences", subject, shadows);
	RedisCommand commands[] = {
		REDIS_WORDS(S("HSET"), key, found->gateway, found->differences),
		REDIS_WORDS(S("EXPIRE"), key, S(KEPT)),
	};
	RedisReply replies[COUNT(commands)];

	TRY(redis_calls(redis_of(book), a, commands, COUNT(commands), replies));
	return redis_reply_err(a, &replies[0]);
}

static Err *differences(Book *book, Arena *a, Str subject, uint32_t shadows, BookDifferences **out,
                        size_t *count)
{
	RedisReply reply;

	TRY(read_hash(book, a, key_of_part(a, "differences", subject, shadows), &reply));
	*count = reply.count / 2;
	*out = ARENA_ARRAY(a, BookDifferences, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] =
			(BookDifferences){ reply.items[2 * i].text, reply.items[2 * i + 1].text };
	return NULL;
}

static Err *put_accepted(Book *book, Arena *a, Str subject, const BookAccepted *accepted)
{
	Str name = str_fmt(a, "%.*s %.*s", STR_ARG(accepted->kind), STR_ARG(accepted->path));
	Str value = str_fmt(a, "%" PRId64 " %.*s", accepted->at_us, STR_ARG(accepted->who));
	RedisReply reply;

	return redis_call(redis_of(book), a,
	                  REDIS_WORDS(S("HSET"), key_of(a, "accepted", subject), name, value),
	                  &reply);
}

static int by_time(const void *x, const void *y)
{
	const BookAccepted *one = x, *other = y;

	return one->at_us < other->at_us ? -1 : one->at_us > other->at_us;
}

static Err *accepted(Book *book, Arena *a, Str subject, BookAccepted **out, size_t *count)
{
	RedisReply reply;

	TRY(read_hash(book, a, key_of(a, "accepted", subject), &reply));
	*count = reply.count / 2;
	*out = ARENA_ARRAY(a, BookAccepted, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		BookAccepted *row = &(*out)[i];

		row->path = reply.items[2 * i].text;
		row->who = reply.items[2 * i + 1].text;
		if (!str_split(&row->path, ' ', &row->kind) || !take_number(&row->who, &row->at_us))
			return &misread;
	}
	qsort(*out, *count, sizeof **out, by_time);
	return NULL;
}

/* --- the rest --------------------------------------------------------------------------------------------------------- */

static Err *key(Book *book, Arena *a, Str name, Str offered, bool insist, Str *secret)
{
	RedisCommand commands[] = {
		REDIS_WORDS(insist ? S("HSET") : S("HSETNX"), S(PREFIX "keys"), name, offered),
		REDIS_WORDS(S("HGET"), S(PREFIX "keys"), name),
	};
	RedisReply replies[COUNT(commands)];

	TRY(redis_calls(redis_of(book), a, commands, COUNT(commands), replies));
	TRY(redis_reply_err(a, &replies[0]));
	TRY(redis_reply_err(a, &replies[1]));
	*secret = replies[1].text;
	return NULL;
}

static Err *wait_a_while(Book *book, Arena *a, int64_t most_us)
{
	(void)book;
	(void)a;
	return fiber_sleep(most_us);
}

static const BookOps ops = {
	.far = true,
	.close = close_redis,
	.ready = nothing_to_do,
	.states = states,
	.change = change,
	.history = history,
	.see = see,
	.seen = seen,
	.users = users,
	.fold = fold,
	.forget = forget,
	.keep_differences = keep_differences,
	.differences = differences,
	.accept = put_accepted,
	.accepted = accepted,
	.key = key,
	.wait = wait_a_while,
};

Err *book_redis_open(Arena *a, Str url, Book **out)
{
	Arena *own = arena_new(0);
	RedisBook *r = ARENA_NEW(own, RedisBook);
	RedisConf conf;
	Err *err;

	*r = (RedisBook){ .base = { &ops, own } };
	redis_conf_defaults(&conf, url);
	conf.name = S("shift");
	conf.timeout_us = US_PER_S;
	err = redis_open(a, &conf, &r->redis);
	if (err)
		arena_free(own);
	else
		*out = &r->base;
	return err;
}
