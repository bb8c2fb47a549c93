/* SPDX-License-Identifier: Apache-2.0
 *
 * A cluster: which server has which of 16384 slots (Redis Cluster Specification, "Keys distribution model", "Redirections").
 *
 * The table begins empty: the first command goes to a server of the URL, whose MOVED says where its slot is, and makes the
 * whole table be read (CLUSTER SLOTS) by a fiber of its own. Every MOVED after that, and every server that goes away, makes
 * it be read again, at most every 100 ms. ASK is for one command only and changes nothing.
 *
 * A server keeps its struct when it leaves the cluster, without connections, in case it returns; REDIS_SERVERS_MAX of them. */
#include "store/redis_int.h"

#include "base/arena.h"

#include <stdlib.h>

enum { REFRESH_EVERY_US = 100000, TABLE_BYTES = 4 << 20 };

static Err no_server = ERR_STATIC(BUSY, "redis.unavailable", "no server of the cluster is known");

/* CRC-16/XMODEM: polynomial 0x1021, from 0. */
static uint16_t crc16(Str text)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < text.len; i++) {
		crc = (uint16_t)(crc ^ (uint16_t)((unsigned char)text.at[i] << 8));
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

unsigned redis_slot(Str key)
{
	ptrdiff_t open = str_find_char(key, '{');
	ptrdiff_t close =
		open < 0 ? -1 : str_find_char(str_sub(key, (size_t)open + 1, key.len), '}');

	if (close > 0)
		key = str_sub(key, (size_t)open + 1, (size_t)(open + 1 + close));
	return crc16(key) % REDIS_SLOTS;
}

/* --- where a command has its key ------------------------------------------------------------------------------------ */

enum { NO_KEY = 0, AFTER_STREAMS = 255 };

static const struct {
	Str name;
	uint8_t at;
} commands[] = {
	{ S("PING"), NO_KEY },
	{ S("INFO"), NO_KEY },
	{ S("TIME"), NO_KEY },
	{ S("ECHO"), NO_KEY },
	{ S("CLUSTER"), NO_KEY },
	{ S("SCRIPT"), NO_KEY },
	{ S("CONFIG"), NO_KEY },
	{ S("CLIENT"), NO_KEY },
	{ S("PUBLISH"), NO_KEY },
	{ S("FLUSHALL"), NO_KEY },
	{ S("FLUSHDB"), NO_KEY },
	{ S("DBSIZE"), NO_KEY },
	{ S("EVAL"), 3 },
	{ S("EVALSHA"), 3 },
	{ S("EVAL_RO"), 3 },
	{ S("EVALSHA_RO"), 3 },
	{ S("FCALL"), 3 },
	{ S("XGROUP"), 2 },
	{ S("XINFO"), 2 },
	{ S("OBJECT"), 2 },
	{ S("MEMORY"), 2 },
	{ S("XREAD"), AFTER_STREAMS },
	{ S("XREADGROUP"), AFTER_STREAMS },
};

Str redis_key_of(RedisCommand command)
{
	size_t at = 1;

	for (size_t i = 0; i < COUNT(commands); i++)
		if (str_eq_nocase(command.words[0], commands[i].name))
			at = commands[i].at;
	if (at == AFTER_STREAMS)
		for (at = 1; at < command.count; at++)
			if (str_eq_nocase(command.words[at++], S("STREAMS")))
				break;
	return at && at < command.count ? command.words[at] : (Str){ 0 };
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

static bool read_server(RedisLoop *loop, const RedisHost *asked, const RedisReply *entry,
                        RedisServer **out)
{
	RedisHost host;

	if (entry->type != REDIS_ARRAY || entry->count < 2 || entry->items[1].integer <= 0 ||
	    entry->items[1].integer > 65535)
		return false;
	host = (RedisHost){ entry->items[0].text, (uint16_t)entry->items[1].integer };
	if (!host.host.len || str_eq(host.host, S("?")))
		host.host = asked->host; /* "the one you speak to" */
	*out = redis_server_find(loop, &host);
	return *out != NULL;
}

static bool read_range(RedisLoop *loop, const RedisHost *asked, const RedisReply *range,
                       RedisServer **slots)
{
	int64_t from, to;
	RedisServer *server;

	if (range->type != REDIS_ARRAY || range->count < 3 ||
	    !read_server(loop, asked, &range->items[2], &server))
		return false;
	from = range->items[0].integer;
	to = range->items[1].integer;
	if (from < 0 || to < from || to >= REDIS_SLOTS)
		return false;
	for (int64_t slot = from; slot <= to; slot++)
		slots[slot] = server;
	return true;
}

static bool is_in_table(RedisServer *const *slots, const RedisServer *server)
{
	for (size_t i = 0; i < REDIS_SLOTS; i++)
		if (slots[i] == server)
			return true;
	return false;
}

static void take_table(RedisLoop *loop, RedisServer **slots)
{
	free(loop->slots);
	loop->slots = slots;
	LIST_EACH (&loop->servers, RedisServer, node, server)
		if (!is_in_table(slots, server))
			redis_server_leave(server);
}

static Err *ask_table(RedisLoop *loop, Arena *a, const RedisHost *host)
{
	AUTO(redis_hang_up) RedisWire wire = { .stream = STREAM_CLOSED };
	AUTO(deadline_end) Deadline limit = deadline_begin(loop->redis->conf.connect_us);
	RedisCommand command = REDIS_WORDS(S("CLUSTER"), S("SLOTS"));
	RedisServer **slots;
	RedisReply reply;

	TRY(redis_dial(loop, a, host, &wire));
	TRY(redis_wire_talk(&wire, a, &command, 1, &reply));
	TRY(redis_reply_err(a, &reply));
	slots = calloc(REDIS_SLOTS, sizeof *slots);
	if (!slots)
		abort();
	for (size_t i = 0; i < reply.count; i++) {
		if (read_range(loop, host, &reply.items[i], slots))
			continue;
		free(slots);
		return err_new(a, ERR_UPSTREAM, "redis.protocol",
		               "CLUSTER SLOTS was not understood");
	}
	if (!reply.count) {
		free(slots);
		return &no_server;
	}
	take_table(loop, slots);
	return NULL;
}

static bool ask_known(RedisLoop *loop)
{
	LIST_EACH (&loop->servers, RedisServer, node, server) {
		AUTO(arena_freep) Arena *a = arena_new(TABLE_BYTES);
		Err *err;

		if (server->breaker.open)
			continue;
		err = ask_table(loop, a, &server->host);
		if (!err || err->kind == ERR_CANCELLED)
			return true;
	}
	return false;
}

static void refresh(void *arg)
{
	RedisLoop *loop = arg;
	const RedisUrl *url = &loop->redis->url;
	int64_t wait_us = loop->refreshed_us + REFRESH_EVERY_US - loop_now_us();
	bool done = wait_us > 0 && fiber_sleep(wait_us);

	done = done || ask_known(loop);
	for (size_t i = 0; i < url->count && !done; i++) {
		AUTO(arena_freep) Arena *a = arena_new(TABLE_BYTES);
		Err *err = ask_table(loop, a, &url->hosts[i]);

		done = !err || err->kind == ERR_CANCELLED;
	}
	loop->refreshed_us = loop_now_us();
	loop->refreshing = false;
	loop->refresher = NULL;
	background_end(&loop->redis->fibers);
}

static void refresh_main(void *arg)
{
	RedisLoop *loop = arg;

	loop->refresher = fiber_self();
	refresh(loop);
}

void redis_cluster_refresh(RedisLoop *loop)
{
	if (loop->refreshing || loop->closing ||
	    background_start(&loop->redis->fibers, refresh_main, loop, "redis-cluster"))
		return;
	loop->refreshing = true;
}

/* --- commands ------------------------------------------------------------------------------------------------------- */

/* Any that is thought to work: of the table, else of the URL. */
static RedisServer *any_server(RedisLoop *loop)
{
	const RedisUrl *url = &loop->redis->url;

	for (size_t i = 0; loop->slots && i < REDIS_SLOTS; i += REDIS_SLOTS / 64)
		if (loop->slots[i] && !loop->slots[i]->breaker.open)
			return loop->slots[i];
	for (size_t i = 0; i < url->count; i++) {
		RedisServer *server = redis_server_find(loop, &url->hosts[i]);

		if (server && !server->breaker.open)
			return server;
	}
	return NULL;
}

Err *redis_cluster_server(RedisLoop *loop, RedisCommand command, RedisServer **out)
{
	Str key = redis_key_of(command);
	RedisServer *server = loop->slots && key.len ? loop->slots[redis_slot(key)] : NULL;

	if (!server)
		server = any_server(loop);
	if (!server)
		return &no_server;
	*out = server;
	return NULL;
}

/* "MOVED 3999 127.0.0.1:6381"; the host may be empty or an IPv6 address without brackets. */
static bool read_redirection(const RedisServer *from, Str text, unsigned *slot, RedisHost *host)
{
	Str word, rest = text;
	uint64_t n, port;
	ptrdiff_t colon;

	str_split(&rest, ' ', &word);
	if (!str_split(&rest, ' ', &word) || !str_to_u64(word, &n) || n >= REDIS_SLOTS)
		return false;
	colon = str_rfind_char(rest, ':');
	if (colon < 0 || !str_to_u64(str_sub(rest, (size_t)colon + 1, rest.len), &port) || !port ||
	    port > 65535)
		return false;
	*slot = (unsigned)n;
	*host = (RedisHost){ str_sub(rest, 0, (size_t)colon), (uint16_t)port };
	if (!host->host.len)
		host->host = from->host.host;
	return true;
}

bool redis_cluster_redirected(RedisLoop *loop, const RedisServer *from, const RedisReply *reply,
                              RedisServer **out, bool *asking)
{
	bool moved = reply->type == REDIS_ERROR && str_starts(reply->text, S("MOVED "));
	RedisHost host;
	unsigned slot;

	*asking = reply->type == REDIS_ERROR && str_starts(reply->text, S("ASK "));
	if ((!moved && !*asking) || !read_redirection(from, reply->text, &slot, &host))
		return false;
	*out = redis_server_find(loop, &host);
	if (!*out)
		return false;
	if (moved) {
		if (loop->slots)
			loop->slots[slot] = *out;
		redis_cluster_refresh(loop);
	}
	return true;
}
