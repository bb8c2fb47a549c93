/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections of one loop to the servers of an upstream. HTTP/1: one call at a time, so a connection on loan is in no
 * list; HTTP/2: it stays in the list while it has streams left. The one used last is used first, so that those too many
 * grow old and are closed by their timers. */
#include "gateway/upstream_int.h"

#include "base/arena.h"
#include "rt/dns.h"

#include <stdlib.h>
#include <string.h>

static Err refused = ERR_STATIC(UPSTREAM, "upstream.refused", "the server refused the connection");
static Err late = ERR_STATIC(TIMEOUT, "upstream.connect_timeout",
                             "the server did not accept the connection in time");

static void idle_add(Upstream *up, int n)
{
	UpLoop *l = up_loop(up);

	__atomic_store_n(&l->idle, l->idle + (uint32_t)n, __ATOMIC_SEQ_CST);
}

void pool_drop(Pooled *pooled)
{
	list_remove(&pooled->node);
	timer_remove(&pooled->idle);
	http_conn_free(pooled->conn);
	free(pooled);
}

static void pooled_free(Pooled *pooled)
{
	Upstream *up = pooled->up;
	uint16_t server = pooled->server;

	pool_drop(pooled);
	slot_give(up, server);
}

static void idle_gone(Pooled *pooled)
{
	idle_add(pooled->up, -1);
	pooled_free(pooled);
}

static void idle_expired(Timer *timer)
{
	Pooled *pooled = CONTAINER(timer, Pooled, idle);

	if (!pooled->calls)
		idle_gone(pooled);
}

static void server_closed(HttpConn *conn, void *arg)
{
	Pooled *pooled = arg;

	(void)conn;
	list_remove(&pooled->node);
	if (!pooled->calls)
		idle_gone(pooled);
}

Pooled *pool_take(Upstream *up, size_t server)
{
	List *ready = &up_loop(up)->ready[server];

	LIST_EACH (ready, Pooled, node, pooled) {
		if (!http_conn_usable(pooled->conn)) {
			list_remove(&pooled->node);
			if (!pooled->calls)
				idle_gone(pooled);
			continue;
		}
		if (!pooled->calls++) {
			idle_add(up, -1);
			timer_clear(&pooled->idle);
		}
		if (http_conn_streams(pooled->conn) <= 1) /* the one it is taken for */
			list_remove(&pooled->node);
		return pooled;
	}
	return NULL;
}

static bool worn_out(const Pooled *pooled)
{
	uint32_t requests = pooled->up->conf->keepalive.requests;

	return requests && http_conn_calls(pooled->conn) >= requests;
}

/* Streams that are left go to those of this loop who wait. */
static void share(Pooled *pooled)
{
	for (unsigned left = http_conn_streams(pooled->conn); left > 1; left--) {
		pooled->calls++;
		if (!queue_hand_over(pooled->up, pooled)) {
			pooled->calls--;
			return;
		}
	}
}

static void give_back(Pooled *pooled)
{
	Upstream *up = pooled->up;
	UpLoop *l = up_loop(up);

	if (!node_linked(&pooled->node))
		list_push(&l->ready[pooled->server], &pooled->node);
	if (--pooled->calls)
		return;
	timer_set(&pooled->idle, loop_now_us() + up->conf->keepalive.idle_us);
	idle_add(up, 1);
	if (!queue_is_empty(up) || l->idle > up->conf->keepalive.idle_per_loop)
		idle_gone(pooled); /* its slot goes to who waits, or there are too many */
}

void pool_give(Pooled *pooled)
{
	if (!http_conn_usable(pooled->conn) || worn_out(pooled)) {
		list_remove(&pooled->node);
		if (!--pooled->calls)
			pooled_free(pooled);
		return;
	}
	if (!queue_hand_over(pooled->up, pooled))
		give_back(pooled);
}

void pool_leave(Pooled *pooled)
{
	list_remove(&pooled->node);
	timer_remove(&pooled->idle);
	http_conn_leave(pooled->conn);
}

bool pool_arrive(Pooled *pooled)
{
	if (!http_conn_arrive(pooled->conn))
		return true;
	pool_drop(pooled);
	return false;
}

void pool_shed(Upstream *up)
{
	UpLoop *l = up_loop(up);

	for (size_t i = 0; i < up->count; i++)
		LIST_EACH (&l->ready[i], Pooled, node, pooled)
			if (!pooled->calls) {
				idle_gone(pooled);
				return;
			}
}

void pool_empty(Upstream *up)
{
	UpLoop *l = up_loop(up);

	for (size_t i = 0; i < up->count; i++)
		LIST_EACH (&l->ready[i], Pooled, node, pooled)
			if (!pooled->calls)
				idle_gone(pooled);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static Err *connect_any(const Addr *addrs, size_t count, Stream *stream)
{
	Err *err = NULL;

	for (size_t i = 0; i < count; i++) {
		err = stream_connect(stream, &addrs[i]);
		if (!err || err->kind == ERR_CANCELLED || err->kind == ERR_TIMEOUT)
			return err;
	}
	return err;
}

Err *server_dial(Upstream *up, Arena *a, size_t server, Stream *stream)
{
	const AddressConf *to = &up->servers[server].conf->address;
	Addr unix_addr;
	Addr *addrs = &unix_addr;
	size_t count = 1;
	Str name;

	if (to->unix_path.len)
		TRY(addr_parse(a, up->servers[server].conf->address.text, &unix_addr));
	else
		TRY(dns_resolve(a, to->host, to->port, &addrs, &count));
	TRY(connect_any(addrs, count, stream));
	if (!up->tls)
		return NULL;
	name = up->conf->tls.server_name.len ? up->conf->tls.server_name : to->host;
	return stream_tls_connect(stream, up->tls, name);
}

static Err *opened(Upstream *up, Arena *a, size_t server, HttpConn **out)
{
	const HttpConnConf conf = {
		.head = { .head_bytes = 32 << 10,
		          .line_bytes = 8 << 10,
		          .headers = 200,
		          .underscores = true },
		.h2 = up->conf->protocol == UPSTREAM_H2,
	};
	AUTO(stream_close) Stream stream = STREAM_CLOSED;

	TRY(server_dial(up, a, server, &stream));
	return http_conn_new(&stream, &conf, out);
}

/* What the client is told says nothing of the inside; the cause does, for the log. */
static Err *translated(Arena *a, Err *err)
{
	if (err->kind == ERR_CANCELLED)
		return err;
	if (err_is(err, "rt.refused"))
		return &refused;
	if (err_is(err, "rt.deadline"))
		return &late;
	return err_because(a, err, ERR_UPSTREAM, "upstream.connect",
	                   "no connection to a server could be made");
}

Err *pool_open(Upstream *up, const LeaseAsk *ask, size_t server, Pooled **out)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ask->connect_us);
	HttpConn *conn = NULL;
	Err *err = opened(up, ask->arena, server, &conn);
	Pooled *pooled;

	if (err) {
		slot_give(up, server);
		return translated(ask->arena, err);
	}
	pooled = calloc(1, sizeof *pooled);
	if (!pooled)
		abort();
	pooled->conn = conn;
	pooled->up = up;
	pooled->server = (uint16_t)server;
	pooled->h2 = http_conn_is_h2(conn);
	pooled->calls = 1;
	pooled->idle = (Timer)TIMER_INIT(idle_expired);
	http_conn_on_close(conn, server_closed, pooled);
	if (pooled->h2) {
		list_push(&up_loop(up)->ready[server], &pooled->node);
		share(pooled);
	}
	*out = pooled;
	return NULL;
}
