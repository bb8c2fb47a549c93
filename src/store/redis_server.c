/* SPDX-License-Identifier: Apache-2.0
 *
 * A server as one loop sees it: its address, its lines and its breaker.
 *
 * While the breaker is open nobody's command goes there; the lines try on by themselves, after a wait that grows, and a
 * connection whose PING was answered closes it. So users do not pay for finding out, and a server that comes back meets one
 * connection a line, each at a moment of its own, and not all that had waited.
 *
 * The log has a line for the beginning of an outage and one for its end. An outage is a time in which any breaker of the
 * deployment is open, on any loop. */
#include "store/redis_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

static Err left_alone = ERR_STATIC(BUSY, "redis.unavailable", "Redis is away");
static Err too_many =
	ERR_STATIC(UPSTREAM, "redis.servers", "the cluster has more servers than are looked after");

static bool same_host(const RedisHost *x, const RedisHost *y)
{
	return x->port == y->port && str_eq(x->host, y->host);
}

static RedisServer *server_new(RedisLoop *loop, const RedisHost *host)
{
	RedisServer *server = calloc(1, sizeof *server + host->host.len);

	if (!server)
		abort();
	if (host->host.len)
		memcpy(server->name, host->host.at, host->host.len);
	server->loop = loop;
	server->host = (RedisHost){ { server->name, host->host.len }, host->port };
	redis_lines_new(server);
	list_add(&loop->servers, &server->node);
	loop->server_count++;
	return server;
}

RedisServer *redis_server_find(RedisLoop *loop, const RedisHost *host)
{
	LIST_EACH (&loop->servers, RedisServer, node, server)
		if (same_host(&server->host, host))
			return server;
	return loop->server_count < REDIS_SERVERS_MAX ? server_new(loop, host) : NULL;
}

void redis_servers_free(RedisLoop *loop)
{
	LIST_EACH (&loop->servers, RedisServer, node, server) {
		redis_lines_free(server);
		free(server);
	}
	list_init(&loop->servers);
}

Err *redis_server_line(RedisServer *server, RedisLine **out)
{
	if (!server)
		return &too_many;
	if (server->breaker.open)
		return &left_alone;
	*out = redis_line_idlest(server);
	return NULL;
}

/* --- outages -------------------------------------------------------------------------------------------------------- */

static void opened(RedisServer *server, const Err *why)
{
	Redis *redis = server->loop->redis;
	AUTO(arena_freep) Arena *a = NULL;

	metric_add(redis->cells.breakers, 1);
	if (__atomic_fetch_add(&redis->open, 1, __ATOMIC_ACQ_REL))
		return;
	a = arena_new(0);
	__atomic_store_n(&redis->away_us, time_mono_us(), __ATOMIC_RELAXED);
	log_warn_with(LOG_FIELDS(log_str("redis", redis->conf.name),
	                         log_str("server", server->host.host.len ? server->host.host
	                                                                 : redis->url.master)),
	              "Redis is away: %.*s", STR_ARG(err_chain(a, why)));
}

static void closed(RedisServer *server)
{
	Redis *redis = server->loop->redis;
	int64_t away_us = time_mono_us() - __atomic_load_n(&redis->away_us, __ATOMIC_RELAXED);

	metric_sub(redis->cells.breakers, 1);
	if (__atomic_sub_fetch(&redis->open, 1, __ATOMIC_ACQ_REL))
		return;
	log_info_with(LOG_FIELDS(log_str("redis", redis->conf.name),
	                         log_i64("away_ms", away_us / US_PER_MS)),
	              "Redis is back");
}

static void now_open(RedisServer *server, const Err *why)
{
	opened(server, why);
	redis_lines_drop(server);
	if (server->loop->redis->url.kind == REDIS_CLUSTER)
		redis_cluster_refresh(server->loop);
}

void redis_server_trip(RedisServer *server, int64_t since_us, const Err *why)
{
	if (since_us < server->tripped_us || server->loop->closing || server->left)
		return;
	server->tripped_us = loop_now_us();
	if (breaker_trip(&server->breaker, &server->loop->redis->breaker, server->tripped_us))
		now_open(server, why);
}

void redis_server_failed(RedisServer *server, const Err *why)
{
	if (server->loop->closing || server->left ||
	    !breaker_failed(&server->breaker, &server->loop->redis->breaker, loop_now_us()))
		return;
	server->tripped_us = loop_now_us();
	now_open(server, why);
}

void redis_server_up(RedisServer *server)
{
	if (breaker_close(&server->breaker, loop_now_us()))
		closed(server);
}

void redis_server_leave(RedisServer *server)
{
	server->left = true;
	redis_lines_wake(server);
	if (breaker_close(&server->breaker, loop_now_us()))
		closed(server);
}
