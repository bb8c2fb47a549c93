/* SPDX-License-Identifier: Apache-2.0
 *
 * hiredis' reader calls back for each object it meets; here these go straight into the arena of the one who waits, an array
 * as one block of items that its parts are then written to. A reply may come in many pieces, and whoever waits for it may
 * leave in the middle: what is still to come of it is then read and dropped, with a stand-in for every object.
 *
 * The reader looks at no size but that of its own integers, so limits are kept here: bytes that it holds, items of a reply. */
#include "store/resp.h"

#include "base/arena.h"

#include <hiredis/read.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_BYTES = 4 }; /* the shortest: ":1\r\n" */

static Err protocol = ERR_STATIC(UPSTREAM, "redis.protocol", "what came was no reply of Redis");
static Err too_large =
	ERR_STATIC(UPSTREAM, "redis.reply_too_large", "a reply was larger than is allowed");

static RedisReply nobody; /* stands for what is dropped; never written */

static void put_head(Buf *b, char mark, size_t n)
{
	buf_putc(b, mark);
	buf_put_u64(b, n);
	buf_put(b, S("\r\n"));
}

void resp_put(Buf *b, RedisCommand command)
{
	put_head(b, '*', command.count);
	for (size_t i = 0; i < command.count; i++) {
		put_head(b, '$', command.words[i].len);
		buf_put(b, command.words[i]);
		buf_put(b, S("\r\n"));
	}
}

RedisCommand redis_words_dup(Arena *a, RedisCommand command)
{
	Str *words = ARENA_ARRAY(a, Str, command.count);

	memcpy(words, command.words, command.count * sizeof *words);
	return (RedisCommand){ words, command.count };
}

/* --- what the reader calls ------------------------------------------------------------------------------------------ */

static RedisReply *place_of(const Resp *r, const redisReadTask *task)
{
	RedisReply *parent;

	if (!r->root)
		return &nobody;
	if (!task->parent)
		return r->root;
	parent = task->parent->obj;
	return &parent->items[task->idx];
}

static void *on_string(const redisReadTask *task, char *bytes, size_t len)
{
	Resp *r = task->privdata;
	RedisReply *reply = place_of(r, task);

	if (r->root)
		*reply = (RedisReply){ .type = task->type == REDIS_REPLY_STRING   ? REDIS_STRING
			                       : task->type == REDIS_REPLY_STATUS ? REDIS_STATUS
			                                                          : REDIS_ERROR,
			               .text = str_dup(r->arena, (Str){ bytes, len }) };
	return reply;
}

static void *on_array(const redisReadTask *task, int count)
{
	Resp *r = task->privdata;
	RedisReply *reply = place_of(r, task);

	r->items += (size_t)count;
	if (r->items > r->reply_bytes / ITEM_BYTES)
		return NULL;
	if (r->root)
		*reply = (RedisReply){ .type = REDIS_ARRAY,
			               .items = ARENA_ARRAY(r->arena, RedisReply, (size_t)count),
			               .count = (size_t)count };
	return reply;
}

static void *on_integer(const redisReadTask *task, long long integer)
{
	Resp *r = task->privdata;
	RedisReply *reply = place_of(r, task);

	if (r->root)
		*reply = (RedisReply){ .type = REDIS_INTEGER, .integer = integer };
	return reply;
}

static void *on_nil(const redisReadTask *task)
{
	Resp *r = task->privdata;
	RedisReply *reply = place_of(r, task);

	if (r->root)
		*reply = (RedisReply){ .type = REDIS_NIL };
	return reply;
}

static void on_free(void *object)
{
	(void)object; /* the arena's */
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

void resp_init(Resp *r, uint64_t reply_bytes)
{
	static redisReplyObjectFunctions functions = { on_string, on_array, on_integer, on_nil,
		                                       on_free };

	*r = (Resp){ .reader = redisReaderCreateWithFunctions(&functions),
		     .reply_bytes = reply_bytes };
	if (!r->reader)
		abort();
}

void resp_fini(Resp *r)
{
	if (r->reader)
		redisReaderFree(r->reader);
	*r = (Resp){ 0 };
}

Err *resp_feed(Resp *r, Str bytes)
{
	if (r->reader->len - r->reader->pos + bytes.len > r->reply_bytes)
		return &too_large;
	return redisReaderFeed(r->reader, bytes.at, bytes.len) == REDIS_OK ? NULL : &protocol;
}

Err *resp_next(Resp *r, Arena *a, RedisReply *into, bool *got)
{
	void *object = NULL;

	if (!r->begun) {
		r->arena = a;
		r->root = into;
		r->items = 0;
		r->begun = true;
		r->reader->privdata = r;
	}
	if (redisReaderGetReply(r->reader, &object) != REDIS_OK)
		return r->reader->err == REDIS_ERR_OOM ? &too_large : &protocol;
	*got = object != NULL;
	if (*got)
		r->begun = false;
	return NULL;
}

void resp_forget(Resp *r)
{
	r->arena = NULL;
	r->root = NULL;
}

bool resp_is_empty(const Resp *r)
{
	return r->reader->len == r->reader->pos;
}
