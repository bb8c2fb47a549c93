/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams are kept short: what every group has acknowledged goes. A group that is behind, or whose service is gone for good, keeps
 * all that it has not read; `XGROUP DESTROY` is the remedy for the latter. A stream without a group is left alone: its first
 * consumer may be on its way. */
#include "base/log.h"
#include "base/time.h"
#include "store/bus_int.h"

#include <string.h>

enum { EVERY_S = 10 };

typedef struct StreamId {
	uint64_t ms, n;
} StreamId;

static bool read_id(Str text, StreamId *out)
{
	Str rest = text, ms;

	return str_split(&rest, '-', &ms) && str_to_u64(ms, &out->ms) && rest.at &&
	       str_to_u64(rest, &out->n);
}

static bool before(StreamId x, StreamId y)
{
	return x.ms != y.ms ? x.ms < y.ms : x.n < y.n;
}

/* A value of a reply that is a list of names and values. */
static const RedisReply *field(const RedisReply *pairs, Str name)
{
	for (size_t i = 0; i + 1 < pairs->count; i += 2)
		if (str_eq(pairs->items[i].text, name))
			return &pairs->items[i + 1];
	return NULL;
}

/* The first entry that this group still needs. */
static Err *group_needs(const RelayTrim *t, Arena *a, Str key, const RedisReply *group,
                        StreamId *out, bool *known)
{
	const RedisReply *name = field(group, S("name")), *pending = field(group, S("pending"));
	const RedisReply *last = field(group, S("last-delivered-id"));
	RedisReply reply;

	*known = name && pending && last && read_id(last->text, out);
	if (!*known)
		return NULL;
	out->n++;
	if (pending->integer == 0)
		return NULL;
	TRY(redis_call(t->bus->redis, a, REDIS_WORDS(S("XPENDING"), key, name->text), &reply));
	if (reply.type == REDIS_ARRAY && reply.count >= 2 && reply.items[1].type == REDIS_STRING)
		*known = read_id(reply.items[1].text, out);
	return NULL;
}

static Err *trim_one(const RelayTrim *t, Arena *a, uint32_t part)
{
	Str key = stream_key(a, t->bus, t->source, part);
	StreamId least = { UINT64_MAX, UINT64_MAX }, needs;
	RedisReply groups, reply;
	Err *err = redis_call(t->bus->redis, a, REDIS_WORDS(S("XINFO"), S("GROUPS"), key), &groups);
	bool known = true;

	if (err && err_is(err, "redis.error"))
		return NULL; /* there is no such stream yet */
	TRY(err);
	for (size_t i = 0; i < groups.count && known; i++) {
		TRY(group_needs(t, a, key, &groups.items[i], &needs, &known));
		if (known && before(needs, least))
			least = needs;
	}
	if (!groups.count || !known)
		return NULL;
	return redis_call(t->bus->redis, a,
	                  REDIS_WORDS(S("XTRIM"), key, S("MINID"),
	                              str_fmt(a, "%" PRIu64 "-%" PRIu64, least.ms, least.n)),
	                  &reply);
}

Err *relay_trim(RelayTrim *trim, Arena *a)
{
	if (time_mono_us() < trim->due_us)
		return NULL;
	for (uint32_t i = 0; i < trim->bus->parts; i++)
		TRY(trim_one(trim, a, i));
	trim->due_us = time_mono_us() + EVERY_S * US_PER_S;
	return NULL;
}
