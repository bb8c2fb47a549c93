/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is master: the first Sentinel that answers and knows is believed, and asked first the next time (Redis' "Guidelines
 * for Redis clients with support for Sentinel"). It is asked anew for every connection, since a connection that broke is
 * just how a failover shows itself; nothing is kept that could be old. */
#include "store/redis_int.h"

#include "base/arena.h"

static Err *read_master(Arena *a, const RedisReply *reply, Str master, RedisHost *out)
{
	uint64_t port;

	if (reply->type == REDIS_ERROR)
		return redis_reply_err(a, reply);
	if (reply->type != REDIS_ARRAY || reply->count != 2 ||
	    !str_to_u64(reply->items[1].text, &port) || !port || port > 65535)
		return err_new(a, ERR_UPSTREAM, "redis.no_master",
		               "Sentinel knows no master \"%.*s\"", STR_ARG(master));
	*out = (RedisHost){ reply->items[0].text, (uint16_t)port };
	return NULL;
}

static Err *ask(RedisLoop *loop, Arena *a, const RedisHost *sentinel, RedisHost *out)
{
	AUTO(redis_hang_up) RedisWire wire = { .stream = STREAM_CLOSED };
	Str master = loop->redis->url.master;
	RedisCommand command = REDIS_WORDS(S("SENTINEL"), S("GET-MASTER-ADDR-BY-NAME"), master);
	RedisReply reply;

	TRY(redis_dial_sentinel(loop, a, sentinel, &wire));
	TRY(redis_wire_talk(&wire, a, &command, 1, &reply));
	return read_master(a, &reply, master, out);
}

/* One that does not answer may take its share of the time, not all of it. */
static Err *ask_in_time(RedisLoop *loop, Arena *a, const RedisHost *sentinel, RedisHost *out)
{
	AUTO(deadline_end)
	Deadline limit = deadline_begin(loop->redis->conf.connect_us / 3);

	return ask(loop, a, sentinel, out);
}

Err *redis_sentinel_master(RedisLoop *loop, Arena *a, RedisHost *out)
{
	const RedisUrl *url = &loop->redis->url;
	Err *err = NULL;

	for (size_t i = 0; i < url->count; i++) {
		uint32_t at = (uint32_t)((loop->sentinel + i) % url->count);

		err = ask_in_time(loop, a, &url->hosts[at], out);
		if (!err) {
			loop->sentinel = at;
			return NULL;
		}
		if (err->kind == ERR_CANCELLED || deadline_at() <= loop_now_us())
			break;
	}
	return err;
}
