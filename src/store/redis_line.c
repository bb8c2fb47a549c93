/* SPDX-License-Identifier: Apache-2.0
 *
 * A line: one connection shared by all fibers of a loop. Whoever has a command puts its bytes into the line's buffer and
 * itself into the line's ring, then parks; the line's own fiber writes what has gathered in one system call, reads, and
 * gives each reply to whoever stands first in the ring. So the pipeline is as deep as there are fibers that ask at the same
 * time, and nobody has to ask for it.
 *
 * Who leaves (cancelled, late) is struck out of the ring; the reply is dropped when it comes. Who waits on a line whose
 * connection breaks is told so, "redis.closed", since the command may have been done; who waits on one that never came up
 * is told "redis.unavailable". A line that has commands on their way and hears nothing for timeout_us is given up: on a
 * connection where answers come in order, the first that does not come holds up all others.
 *
 * Nothing is sent anew here: only the caller knows what may be done twice. */
#include "store/redis_int.h"

#include "base/arena.h"

#include <stdlib.h>

enum { OUT_BYTES_MAX = 64 << 20, TURN_BYTES = 256 << 10, ERROR_BYTES = 16 << 10 };

typedef struct Pending {
	RedisWait *wait; /* NULL: nobody waits */
	RedisReply *into;
	int64_t sent_us;
} Pending;

struct RedisLine {
	RedisServer *server;
	Fiber *fiber; /* its own; NULL until it runs */
	bool alive;   /* it was started and has not ended */
	RedisWire wire;
	bool up;
	bool dropped;   /* to be given up */
	Buf out;        /* gathers */
	Buf sending;    /* is being written */
	size_t sent;    /* of it */
	Pending *ring;  /* conf.queue */
	uint32_t first; /* in the ring */
	uint32_t count;
	int64_t heard_us;
};

static Err queue_full =
	ERR_STATIC(BUSY, "redis.busy", "too many commands were on their way to Redis");
static Err too_large = ERR_STATIC(BUSY, "redis.busy", "too many bytes waited to be sent to Redis");
static Err silent = ERR_STATIC(TIMEOUT, "redis.timeout", "Redis did not answer in time");
static Err given_up =
	ERR_STATIC(BUSY, "redis.unavailable", "Redis had failed too often and was left alone");
static Err unasked =
	ERR_STATIC(UPSTREAM, "redis.protocol", "Redis said something that nobody had asked for");

/* --- the ring ------------------------------------------------------------------------------------------------------- */

static uint32_t ring_cap(const RedisLine *line)
{
	return line->server->loop->redis->conf.queue;
}

static Pending *pending_at(const RedisLine *line, uint32_t i)
{
	return &line->ring[(line->first + i) % ring_cap(line)];
}

static Pending pending_take(RedisLine *line)
{
	Pending first = *pending_at(line, 0);

	line->first = (line->first + 1) % ring_cap(line);
	line->count--;
	return first;
}

static void wait_done(RedisWait *wait)
{
	if (--wait->left == 0)
		fiber_wake(wait->fiber);
}

static void line_main(void *arg);

Err *redis_line_send(RedisLine *line, RedisWait *wait, RedisCommand command, RedisReply *into)
{
	RedisLoop *loop = line->server->loop;

	if (line->count == ring_cap(line))
		return &queue_full;
	if (line->out.len > OUT_BYTES_MAX)
		return &too_large;
	if (!line->alive &&
	    (loop->closing || background_start(&loop->redis->fibers, line_main, line, "redis")))
		return redis_err_unavailable();
	line->alive = true;
	line->server->left = false;
	if (line->fiber)
		fiber_wake(line->fiber);
	if (!line->count)
		line->heard_us = loop_now_us();
	resp_put(&line->out, command);
	*pending_at(line, line->count++) = (Pending){ wait, into, loop_now_us() };
	if (wait)
		wait->left++;
	return NULL;
}

void redis_lines_forget(RedisLoop *loop, const RedisWait *wait, bool late)
{
	LIST_EACH (&loop->servers, RedisServer, node, server) {
		bool here = false;

		for (uint32_t i = 0; i < loop->redis->conf.connections; i++) {
			RedisLine *line = &server->lines[i];

			for (uint32_t k = 0; k < line->count; k++) {
				Pending *p = pending_at(line, k);

				if (p->wait != wait)
					continue;
				p->wait = NULL;
				p->into = NULL;
				here = true;
				if (k == 0)
					resp_forget(&line->wire.resp);
			}
		}
		if (here && late)
			redis_server_failed(server, &silent);
	}
}

/* --- serving -------------------------------------------------------------------------------------------------------- */

static void deliver(RedisLine *line, const Pending *p)
{
	const RedisCells *cells = &line->server->loop->redis->cells;

	metric_observe_us(cells->seconds, loop_now_us() - p->sent_us);
	if (!p->wait)
		return;
	breaker_worked(&line->server->breaker);
	metric_add(p->into->type == REDIS_ERROR ? cells->answered_error : cells->ok, 1);
	wait_done(p->wait);
}

static Err *give_out(RedisLine *line)
{
	while (line->count) {
		const Pending *p = pending_at(line, 0);
		Pending done;
		bool got;

		TRY(resp_next(&line->wire.resp, p->wait ? p->wait->arena : NULL, p->into, &got));
		if (!got)
			return NULL;
		done = pending_take(line);
		deliver(line, &done);
	}
	return resp_is_empty(&line->wire.resp) ? NULL : &unasked;
}

static Err *write_out(RedisLine *line)
{
	size_t sent;

	for (;;) {
		if (line->sent == line->sending.len) {
			Buf empty = line->sending;

			if (!line->out.len)
				return NULL;
			buf_clear(&empty);
			line->sending = line->out;
			line->out = empty;
			line->sent = 0;
		}
		TRY(stream_try_write(&line->wire.stream,
		                     str_sub(buf_str(&line->sending), line->sent,
		                             line->sending.len),
		                     &sent));
		line->sent += sent;
		if (line->sent < line->sending.len)
			return NULL;
	}
}

/* Nothing of a large one is kept: what was needed once is not needed always. */
static void shrink(Buf *b)
{
	if (b->cap > TURN_BYTES)
		buf_fini(b);
}

static Err *wait_for_more(RedisLine *line)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	int64_t left_us =
		line->heard_us + line->server->loop->redis->conf.timeout_us - loop_now_us();
	Err *err;

	if (line->count)
		limit = deadline_begin(MAX(left_us, INT64_C(0)));
	if (!line->count && line->sent == line->sending.len) {
		shrink(&line->sending);
		line->sent = line->sending.len;
	}
	err = watch_wait_any(&line->wire.stream.watch, true, line->sent < line->sending.len);
	if (err && err->kind == ERR_TIMEOUT)
		return line->wire.stream.watch.readable ? NULL : &silent;
	return err;
}

static bool is_over(const RedisLine *line)
{
	return line->server->loop->closing || (line->server->left && !line->count);
}

static Err *serve(RedisLine *line)
{
	size_t turn = 0;
	bool took;

	for (;;) {
		if (line->out.len && line->sent == line->sending.len)
			TRY(fiber_gather()); /* whatever else is to be sent in this turn */
		if (line->dropped || is_over(line))
			return &given_up;
		TRY(write_out(line));
		TRY(redis_wire_take(&line->wire, &took));
		if (!took) {
			turn = 0;
			TRY(wait_for_more(line));
			continue;
		}
		line->heard_us = loop_now_us();
		TRY(give_out(line));
		turn += 16 << 10;
		if (turn >= TURN_BYTES) {
			turn = 0;
			TRY(fiber_yield());
		}
	}
}

/* --- its life ------------------------------------------------------------------------------------------------------- */

static Err *come_up(RedisLine *line, Arena *a)
{
	RedisLoop *loop = line->server->loop;
	AUTO(deadline_end) Deadline limit = deadline_begin(loop->redis->conf.connect_us);
	Err *err = redis_dial(loop, a, &line->server->host, &line->wire);

	if (err && err->kind == ERR_TIMEOUT)
		return &silent;
	TRY(err);
	line->up = true;
	__atomic_fetch_add(&loop->redis->connections, 1, __ATOMIC_RELAXED);
	metric_add(loop->redis->cells.connections, 1);
	redis_server_up(line->server);
	return NULL;
}

static void fail_all(RedisLine *line, const Err *why)
{
	const RedisCells *cells = &line->server->loop->redis->cells;

	while (line->count) {
		Pending p = pending_take(line);

		if (!p.wait)
			continue;
		metric_add(cells->failed, 1);
		if (!p.wait->err)
			p.wait->err = err_because(
				p.wait->arena, err_copy(p.wait->arena, why),
				line->up ? ERR_UPSTREAM : ERR_BUSY,
				line->up ? "redis.closed" : "redis.unavailable", "%s",
				line->up ? "the connection to Redis broke with a command on its way"
					 : "Redis could not be reached");
		wait_done(p.wait);
	}
}

static void break_down(RedisLine *line, const Err *why)
{
	RedisLoop *loop = line->server->loop;

	fail_all(line, why);
	redis_hang_up(&line->wire);
	buf_fini(&line->out);
	buf_fini(&line->sending);
	line->sent = 0;
	if (line->up) {
		__atomic_fetch_sub(&loop->redis->connections, 1, __ATOMIC_RELAXED);
		metric_sub(loop->redis->cells.connections, 1);
	}
	line->up = line->dropped = false;
}

/* Until the breaker lets it try. */
static Err *rest(const RedisServer *server)
{
	while (server->breaker.open && server->breaker.try_at_us > loop_now_us())
		TRY(fiber_sleep(server->breaker.try_at_us - loop_now_us()));
	return NULL;
}

/* A server may close a connection for reasons of its own, a restart or a limit of idle time: then one try is made at once.
 * One that closes what it has just accepted is away. */
static bool is_outage(const RedisLine *line, int64_t since_us, const Err *why)
{
	bool ended = why->kind == ERR_CLOSED || err_is(why, "redis.closed");

	if (why->kind == ERR_CANCELLED || why == &given_up)
		return false;
	return !line->up || !ended ||
	       loop_now_us() - since_us < line->server->loop->redis->conf.backoff_us;
}

/* One connection from its beginning to its end. False: the line ends too. */
static bool live_once(RedisLine *line)
{
	AUTO(arena_freep) Arena *a = arena_new(ERROR_BYTES);
	int64_t since_us = loop_now_us();
	Err *err = come_up(line, a);

	if (!err) {
		arena_clear(a);
		since_us = line->heard_us = loop_now_us();
		err = serve(line);
	}
	if (is_outage(line, since_us, err))
		redis_server_trip(line->server, since_us, err);
	break_down(line, err);
	return err->kind != ERR_CANCELLED && !rest(line->server);
}

static void line_main(void *arg)
{
	RedisLine *line = arg;
	Redis *redis = line->server->loop->redis;

	line->fiber = fiber_self();
	while (!is_over(line) && live_once(line))
		;
	fail_all(line, redis_err_unavailable()); /* what came after the last connection */
	buf_fini(&line->out);
	line->fiber = NULL;
	line->alive = false;
	background_end(&redis->fibers);
}

void redis_lines_drop(RedisServer *server)
{
	for (uint32_t i = 0; i < server->loop->redis->conf.connections; i++) {
		RedisLine *line = &server->lines[i];

		if (!line->up)
			continue;
		line->dropped = true;
		fiber_wake(line->fiber);
	}
}

void redis_lines_end(RedisServer *server)
{
	for (uint32_t i = 0; i < server->loop->redis->conf.connections; i++)
		if (server->lines[i].fiber)
			fiber_cancel(server->lines[i].fiber);
}

void redis_lines_wake(RedisServer *server)
{
	for (uint32_t i = 0; i < server->loop->redis->conf.connections; i++)
		if (server->lines[i].fiber)
			fiber_wake(server->lines[i].fiber);
}

/* The first that is empty, so that as few are opened as do; else the one with least to do. */
RedisLine *redis_line_idlest(RedisServer *server)
{
	RedisLine *best = &server->lines[0];

	for (uint32_t i = 1; i < server->loop->redis->conf.connections && best->count; i++)
		if (server->lines[i].count < best->count)
			best = &server->lines[i];
	return best;
}

uint32_t redis_line_room(const RedisLine *line)
{
	return ring_cap(line) - line->count;
}

void redis_lines_new(RedisServer *server)
{
	const RedisConf *conf = &server->loop->redis->conf;

	server->lines = calloc(conf->connections, sizeof *server->lines);
	if (!server->lines)
		abort();
	for (uint32_t i = 0; i < conf->connections; i++) {
		RedisLine *line = &server->lines[i];

		line->server = server;
		line->wire.stream = (Stream)STREAM_CLOSED;
		line->ring = calloc(conf->queue, sizeof *line->ring);
		if (!line->ring)
			abort();
	}
}

void redis_lines_free(RedisServer *server)
{
	for (uint32_t i = 0; i < server->loop->redis->conf.connections; i++)
		free(server->lines[i].ring);
	free(server->lines);
}
