/* SPDX-License-Identifier: Apache-2.0
 *
 * The client as callers see it: opening, closing, commands over shared lines, sessions.
 *
 * Each loop has lines of its own, so no lock is taken and no thread waits for another. A call puts its commands on their
 * lines, parks until every reply is there or its time is over, and, in a cluster, follows what was redirected, one by one. */
#include "store/redis_int.h"

#include "base/arena.h"

#include <stdlib.h>

static Err unavailable = ERR_STATIC(BUSY, "redis.unavailable", "Redis is away");
static Err timeout = ERR_STATIC(TIMEOUT, "redis.timeout", "Redis did not answer in time");
static Err queue_full =
	ERR_STATIC(BUSY, "redis.busy", "too many commands were on their way to Redis");
static Err lost_way = ERR_STATIC(UPSTREAM, "redis.redirections",
                                 "the cluster redirected a command again and again");
static Err broken = ERR_STATIC(UPSTREAM, "redis.closed", "the session has failed before");

Err *redis_err_unavailable(void)
{
	return &unavailable;
}

/* --- metrics -------------------------------------------------------------------------------------------------------- */

enum { M_COMMANDS, M_SECONDS, M_CONNECTIONS, M_CONNECTS, M_OPEN };

static const MetricFamily families[] = {
	[M_COMMANDS] = { "banyan_redis_commands_total",
	                 METRIC_COUNTER,
	                 "commands",
	                 "Commands by result: ok, error (Redis said so), failed (no answer), refused (not even sent)",
	                 { "redis", "result" } },
	[M_SECONDS] = { "banyan_redis_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a command given to its answer",
	                { "redis" } },
	[M_CONNECTIONS] = { "banyan_redis_connections",
	                    METRIC_GAUGE,
	                    "connections",
	                    "Shared connections that are up, of all loops",
	                    { "redis" } },
	[M_CONNECTS] = { "banyan_redis_connects_total",
	                 METRIC_COUNTER,
	                 "connections",
	                 "Connections that came up, of sessions too",
	                 { "redis" } },
	[M_OPEN] = { "banyan_redis_breakers_open",
	             METRIC_GAUGE,
	             "breakers",
	             "Servers left alone because they failed, counted on each loop; 0: all is well",
	             { "redis" } },
};

const MetricFamily *redis_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static MetricCell result_cell(const Redis *redis, Str result)
{
	Str labels[] = { redis->conf.name, result };

	return metric_cell(&families[M_COMMANDS], labels, COUNT(labels));
}

static void cells_take(Redis *redis)
{
	const Str *name = &redis->conf.name;

	redis->cells = (RedisCells){
		.ok = result_cell(redis, S("ok")),
		.answered_error = result_cell(redis, S("error")),
		.failed = result_cell(redis, S("failed")),
		.refused = result_cell(redis, S("refused")),
		.seconds = metric_cell(&families[M_SECONDS], name, 1),
		.connections = metric_cell(&families[M_CONNECTIONS], name, 1),
		.connects = metric_cell(&families[M_CONNECTS], name, 1),
		.breakers = metric_cell(&families[M_OPEN], name, 1),
	};
}

static void cells_give(const RedisCells *cells)
{
	const MetricCell all[] = { cells->ok,       cells->answered_error, cells->failed,
		                   cells->refused,  cells->seconds,        cells->connections,
		                   cells->connects, cells->breakers };

	for (size_t i = 0; i < COUNT(all); i++)
		metric_cell_free(all[i]);
}

RedisStats redis_stats(const Redis *redis)
{
	return (RedisStats){
		.connections = __atomic_load_n(&redis->connections, __ATOMIC_RELAXED),
		.open_breakers = __atomic_load_n(&redis->open, __ATOMIC_RELAXED),
		.connects = __atomic_load_n(&redis->connects, __ATOMIC_RELAXED),
	};
}

int64_t redis_backoff_us(const Redis *redis, unsigned tries)
{
	return breaker_wait_us(redis->conf.backoff_us, redis->conf.backoff_max_us, tries);
}

/* --- opening and closing -------------------------------------------------------------------------------------------- */

static void redis_free(Redis *redis)
{
	if (!redis)
		return;
	for (unsigned i = 0; i < redis->loop_count; i++) {
		redis_servers_free(&redis->loops[i]);
		free(redis->loops[i].slots);
	}
	cells_give(&redis->cells);
	tls_unref(redis->tls);
	arena_free(redis->arena);
}

static void redis_freep(Redis **redis)
{
	redis_free(*redis);
}

static void copy_strings(Arena *a, RedisConf *conf)
{
	Str *strings[] = { &conf->name,
		           &conf->url,
		           &conf->password,
		           &conf->sentinel_password,
		           &conf->tls.ca,
		           &conf->tls.server_name,
		           &conf->tls.certificate,
		           &conf->tls.key };

	for (size_t i = 0; i < COUNT(strings); i++)
		*strings[i] = str_dup(a, *strings[i]);
}

Err *redis_open(Arena *a, const RedisConf *conf, Redis **out)
{
	Arena *own = arena_new(0);
	AUTO(redis_freep) Redis *redis = ARENA_NEW(own, Redis);
	TlsClientConf tls = { conf->tls.ca, conf->tls.certificate, conf->tls.key, conf->tls.verify,
		              false };

	redis->arena = own;
	redis->conf = *conf;
	copy_strings(own, &redis->conf);
	TRY(redis_url_read(a, redis->conf.url, &redis->url));
	TRY(redis_url_read(own, redis->conf.url, &redis->url)); /* again, to live as long */
	if (redis->url.tls)
		TRY(tls_client_new(a, &tls, &redis->tls));
	redis->breaker = (BreakerConf){ redis->conf.failures, redis->conf.backoff_us,
		                        redis->conf.backoff_max_us };
	background_init(&redis->fibers);
	redis->loop_count = rt_loops();
	redis->loops = ARENA_ARRAY(own, RedisLoop, redis->loop_count);
	for (unsigned i = 0; i < redis->loop_count; i++) {
		redis->loops[i].redis = redis;
		list_init(&redis->loops[i].servers);
	}
	cells_take(redis);
	*out = TAKE(redis);
	return NULL;
}

static void close_loop(void *arg)
{
	Redis *redis = arg;
	RedisLoop *loop = &redis->loops[loop_index(loop_self())];

	loop->closing = true;
	if (loop->refresher)
		fiber_cancel(loop->refresher);
	LIST_EACH (&loop->servers, RedisServer, node, server)
		redis_lines_end(server);
}

void redis_close(Redis *redis)
{
	AUTO(shield_end) Shield shield = { 0 };

	if (!redis)
		return;
	shield = shield_begin(INT64_MAX);
	loop_each(close_loop, redis);
	background_await(&redis->fibers);
	redis_free(redis);
}

void redis_closep(Redis **redis)
{
	redis_close(*redis);
	*redis = NULL;
}

/* --- calls ---------------------------------------------------------------------------------------------------------- */

static RedisLoop *own_loop(Redis *redis)
{
	return &redis->loops[loop_index(loop_self())];
}

static Err *server_of(RedisLoop *loop, RedisCommand command, RedisServer **out)
{
	static const RedisHost master;

	if (loop->redis->url.kind == REDIS_CLUSTER)
		return redis_cluster_server(loop, command, out);
	*out = redis_server_find(loop, loop->redis->url.kind == REDIS_SENTINEL
	                                       ? &master
	                                       : &loop->redis->url.hosts[0]);
	return NULL;
}

static Err *wait_for(RedisLoop *loop, RedisWait *wait, int64_t outer_us)
{
	Err *err;

	while (wait->left) {
		err = fiber_park();
		if (!err || !wait->left)
			continue;
		redis_lines_forget(loop, wait, err->kind == ERR_TIMEOUT);
		metric_add(loop->redis->cells.failed, wait->left);
		return err->kind == ERR_TIMEOUT && outer_us > loop_now_us() ? &timeout : err;
	}
	return wait->err;
}

/* All of these to the line of one server, next to each other. */
static Err *send_to(RedisServer *server, RedisWait *wait, const RedisCommand *commands,
                    size_t count, RedisReply *out)
{
	RedisLine *line;

	TRY(redis_server_line(server, &line));
	if (count > redis_line_room(line))
		return &queue_full;
	for (size_t i = 0; i < count; i++)
		TRY(redis_line_send(line, wait, commands[i], out ? &out[i] : NULL));
	return NULL;
}

static Err *ask_server(RedisServer *server, Arena *a, bool asking, RedisCommand command,
                       int64_t outer_us, RedisReply *out)
{
	RedisCommand both[] = { REDIS_WORDS(S("ASKING")), command };
	RedisReply replies[2] = { 0 };
	RedisWait wait = { fiber_self(), a, 0, NULL };
	Err *err = send_to(server, &wait, both + !asking, 1 + asking, replies + !asking);

	if (err) {
		redis_lines_forget(server->loop, &wait, false);
		return err;
	}
	TRY(wait_for(server->loop, &wait, outer_us));
	*out = replies[1];
	return NULL;
}

/* A reply of a cluster that says "not here" is asked for elsewhere. */
static Err *follow(RedisLoop *loop, Arena *a, RedisCommand command, RedisServer *from,
                   int64_t outer_us, RedisReply *reply)
{
	RedisServer *server;
	bool asking;

	for (int i = 0; redis_cluster_redirected(loop, from, reply, &server, &asking); i++) {
		if (i == REDIS_REDIRECTIONS)
			return &lost_way;
		TRY(ask_server(server, a, asking, command, outer_us, reply));
		from = server;
	}
	return NULL;
}

static Err *send_all(RedisLoop *loop, RedisWait *wait, const RedisCommand *commands, size_t count,
                     RedisServer **servers, RedisReply *out)
{
	if (loop->redis->url.kind != REDIS_CLUSTER) {
		TRY(server_of(loop, commands[0], &servers[0]));
		return send_to(servers[0], wait, commands, count, out);
	}
	for (size_t i = 0; i < count; i++) {
		TRY(server_of(loop, commands[i], &servers[i]));
		TRY(send_to(servers[i], wait, &commands[i], 1, &out[i]));
	}
	return NULL;
}

Err *redis_calls(Redis *redis, Arena *a, const RedisCommand *commands, size_t count,
                 RedisReply *out)
{
	RedisLoop *loop = own_loop(redis);
	bool cluster = redis->url.kind == REDIS_CLUSTER;
	RedisServer *one = NULL;
	RedisServer **servers = cluster ? ARENA_ARRAY(a, RedisServer *, count) : &one;
	RedisWait wait = { fiber_self(), a, 0, NULL };
	int64_t outer_us = deadline_at();
	AUTO(deadline_end) Deadline limit = deadline_begin(redis->conf.timeout_us);
	Err *err;

	if (fiber_cancelled())
		TRY(fiber_park()); /* says so without parking */
	err = send_all(loop, &wait, commands, count, servers, out);
	if (err) {
		redis_lines_forget(loop, &wait, false);
		metric_add(redis->cells.refused, count);
		return err;
	}
	TRY(wait_for(loop, &wait, outer_us));
	for (size_t i = 0; cluster && i < count; i++)
		TRY(follow(loop, a, commands[i], servers[i], outer_us, &out[i]));
	return NULL;
}

Err *redis_call(Redis *redis, Arena *a, RedisCommand command, RedisReply *out)
{
	RedisReply reply = { 0 };

	TRY(redis_calls(redis, a, &command, 1, &reply));
	TRY(redis_reply_err(a, &reply));
	*out = reply;
	return NULL;
}

Err *redis_cast(Redis *redis, RedisCommand command)
{
	RedisLoop *loop = own_loop(redis);
	RedisServer *server = NULL;
	Err *err = server_of(loop, command, &server);

	if (!err)
		err = send_to(server, NULL, &command, 1, NULL);
	if (err)
		metric_add(redis->cells.refused, 1);
	return err;
}

/* --- sessions ------------------------------------------------------------------------------------------------------- */

struct RedisSession {
	Redis *redis;
	RedisWire wire;
	bool broken;
};

/* In a cluster: the server that has the key, as the table or the server's own MOVED says. */
static Err *dial_owner(RedisLoop *loop, Arena *a, Str key, RedisWire *wire)
{
	RedisCommand command = key.len ? REDIS_WORDS(S("TYPE"), key) : REDIS_WORDS(S("PING"));
	RedisServer *server = NULL, *next;
	RedisReply reply;
	bool asking;

	TRY(server_of(loop, command, &server));
	for (int i = 0; server && i <= REDIS_REDIRECTIONS; i++) {
		TRY(redis_dial(loop, a, &server->host, wire));
		if (loop->redis->url.kind != REDIS_CLUSTER || !key.len)
			return NULL;
		TRY(redis_wire_talk(wire, a, &command, 1, &reply));
		if (!redis_cluster_redirected(loop, server, &reply, &next, &asking) || asking)
			return NULL;
		redis_hang_up(wire);
		server = next;
	}
	return &lost_way;
}

Err *redis_session_open(Redis *redis, Arena *a, Str key, RedisSession **out)
{
	AUTO(redis_session_closep) RedisSession *session = calloc(1, sizeof *session);
	int64_t outer_us = deadline_at();
	AUTO(deadline_end) Deadline limit = deadline_begin(redis->conf.connect_us);
	Err *err;

	if (!session)
		abort();
	*session = (RedisSession){ .redis = redis, .wire = { .stream = STREAM_CLOSED } };
	err = dial_owner(own_loop(redis), a, key, &session->wire);
	if (err && err->kind == ERR_TIMEOUT && outer_us > loop_now_us())
		return &timeout; /* NOLINT(clang-analyzer-unix.Malloc): it does not know of AUTO */
	TRY(err);
	*out = TAKE(session);
	return NULL;
}

void redis_session_close(RedisSession *session)
{
	if (!session)
		return;
	redis_hang_up(&session->wire);
	free(session);
}

void redis_session_closep(RedisSession **session)
{
	redis_session_close(*session);
	*session = NULL;
}

Err *redis_session_calls(RedisSession *session, Arena *a, const RedisCommand *commands,
                         size_t count, int64_t wait_us, RedisReply *out)
{
	int64_t outer_us = deadline_at();
	AUTO(deadline_end)
	Deadline limit = deadline_begin(session->redis->conf.timeout_us + wait_us);
	Err *err;

	if (session->broken)
		return &broken;
	err = redis_wire_talk(&session->wire, a, commands, count, out);
	session->broken = err != NULL;
	return err && err->kind == ERR_TIMEOUT && outer_us > loop_now_us() ? &timeout : err;
}
