/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection as one fiber uses it: dialling with everything that has to be said before it is of use, and commands whose
 * answers are waited for. The shared lines dial here too, then go on by themselves (redis_line.c).
 *
 * A connection is of use when it has answered PING within the deadline: one that is accepted by the kernel of a machine
 * whose Redis is stopped is not. A Sentinel's master must also say that it is one (ROLE), since a Sentinel may still name
 * the old one, and a replica would answer reads with old data. */
#include "store/redis_int.h"

#include "base/arena.h"
#include "rt/dns.h"

enum { CHUNK_BYTES = 16 << 10, HELLO_MAX = 4 };

static Err ended = ERR_STATIC(UPSTREAM, "redis.closed", "Redis closed the connection");
static Err not_master =
	ERR_STATIC(UPSTREAM, "redis.not_master", "the server that Sentinel named is not a master");

void redis_hang_up(RedisWire *wire)
{
	if (stream_is_open(&wire->stream))
		stream_close(&wire->stream);
	resp_fini(&wire->resp);
}

Err *redis_wire_take(RedisWire *wire, bool *took)
{
	char bytes[CHUNK_BYTES];
	size_t got;
	bool more;

	TRY(stream_try_read(&wire->stream, bytes, sizeof bytes, &got, &more));
	*took = got > 0;
	if (!got)
		return more ? NULL : &ended;
	return resp_feed(&wire->resp, (Str){ bytes, got });
}

static Err *read_reply(RedisWire *wire, Arena *a, RedisReply *out)
{
	char bytes[CHUNK_BYTES];
	bool there;
	size_t got;

	for (;;) {
		TRY(resp_next(&wire->resp, a, out, &there));
		if (there)
			return NULL;
		TRY(stream_read(&wire->stream, bytes, sizeof bytes, &got));
		if (!got)
			return &ended;
		TRY(resp_feed(&wire->resp, (Str){ bytes, got }));
	}
}

Err *redis_wire_talk(RedisWire *wire, Arena *a, const RedisCommand *commands, size_t count,
                     RedisReply *out)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < count; i++)
		resp_put(&b, commands[i]);
	TRY(stream_write(&wire->stream, buf_str(&b)));
	for (size_t i = 0; i < count; i++)
		TRY(read_reply(wire, a, &out[i]));
	return NULL;
}

/* --- dialling ------------------------------------------------------------------------------------------------------- */

typedef struct Hello {
	Str user, password;
	uint32_t db;
	bool role;
} Hello;

static Err *say_hello(RedisWire *wire, Arena *a, const Hello *hello)
{
	RedisReply replies[HELLO_MAX];
	RedisCommand commands[HELLO_MAX];
	size_t count = 0;

	if (hello->user.len)
		commands[count++] =
			redis_words_dup(a, REDIS_WORDS(S("AUTH"), hello->user, hello->password));
	else if (hello->password.len)
		commands[count++] = redis_words_dup(a, REDIS_WORDS(S("AUTH"), hello->password));
	if (hello->db)
		commands[count++] =
			redis_words_dup(a, REDIS_WORDS(S("SELECT"), str_fmt(a, "%u", hello->db)));
	commands[count++] = redis_words_dup(a, REDIS_WORDS(S("PING")));
	if (hello->role)
		commands[count++] = redis_words_dup(a, REDIS_WORDS(S("ROLE")));
	TRY(redis_wire_talk(wire, a, commands, count, replies));
	for (size_t i = 0; i < count; i++)
		TRY(redis_reply_err(a, &replies[i]));
	if (hello->role &&
	    !(replies[count - 1].count && str_eq(replies[count - 1].items[0].text, S("master"))))
		return &not_master;
	return NULL;
}

static Err *connect_to(const Redis *redis, RedisWire *wire, const Addr *addr, Str name)
{
	TRY(stream_connect(&wire->stream, addr));
	if (!redis->tls || addr->sa.sa_family == AF_UNIX)
		return NULL;
	return stream_tls_connect(&wire->stream, redis->tls,
	                          redis->conf.tls.server_name.len ? redis->conf.tls.server_name
	                                                          : name);
}

static Err *addresses_of(Arena *a, const RedisHost *host, Addr **addrs, size_t *count)
{
	if (host->port)
		return dns_resolve(a, host->host, host->port, addrs, count);
	*addrs = ARENA_NEW(a, Addr);
	*count = 1;
	return addr_parse(a, str_fmt(a, "unix:%.*s", STR_ARG(host->host)), *addrs);
}

static Err *dial(const Redis *redis, Arena *a, const RedisHost *host, const Hello *hello,
                 RedisWire *wire)
{
	Err *err = NULL;
	Addr *addrs;
	size_t count;

	*wire = (RedisWire){ .stream = STREAM_CLOSED };
	TRY(addresses_of(a, host, &addrs, &count));
	for (size_t i = 0; i < count; i++) {
		err = connect_to(redis, wire, &addrs[i], host->host);
		if (!err) {
			resp_init(&wire->resp, redis->conf.reply_bytes);
			err = say_hello(wire, a, hello);
		}
		if (!err)
			return NULL;
		redis_hang_up(wire);
		if (err->kind == ERR_CANCELLED || deadline_at() <= loop_now_us())
			return err;
	}
	return err;
}

Err *redis_dial(RedisLoop *loop, Arena *a, const RedisHost *host, RedisWire *wire)
{
	Redis *redis = loop->redis;
	Hello hello = { redis->url.user,
		        redis->conf.password.len ? redis->conf.password : redis->url.password,
		        redis->url.db, redis->url.kind == REDIS_SENTINEL };
	RedisHost master;

	if (redis->url.kind == REDIS_SENTINEL) {
		*wire = (RedisWire){ .stream = STREAM_CLOSED };
		TRY(redis_sentinel_master(loop, a, &master));
		host = &master;
	}
	TRY(dial(redis, a, host, &hello, wire));
	__atomic_fetch_add(&redis->connects, 1, __ATOMIC_RELAXED);
	metric_add(redis->cells.connects, 1);
	return NULL;
}

Err *redis_dial_sentinel(RedisLoop *loop, Arena *a, const RedisHost *host, RedisWire *wire)
{
	Hello hello = { .password = loop->redis->conf.sentinel_password };

	return dial(loop->redis, a, host, &hello, wire);
}
