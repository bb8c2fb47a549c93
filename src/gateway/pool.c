/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections of one loop to a server. HTTP/1: one call at a time, so a connection on loan is in no list; HTTP/2: it stays
 * in the list while it has streams left. The one used last is used first, so that those too many grow old and are closed
 * by their timers.
 *
 * A connection suits a request or not: what may not be sent twice takes none that was idle for long (the server may be
 * closing it this moment: docs/decisions/0012), and one that began with a PROXY header serves the client it named. Where
 * none suits and the limit is reached, an idle one is closed and its place used. */
#include "gateway/upstream_int.h"

#include "base/arena.h"
#include "gateway/proxy_out.h"
#include "rt/dns.h"

#include <stdlib.h>
#include <string.h>

static void idle_add(const Server *server, int n)
{
	uint32_t *idle = &server_loop(server)->idle;

	__atomic_store_n(idle, *idle + (uint32_t)n, __ATOMIC_SEQ_CST);
}

void pool_drop(Pooled *pooled)
{
	list_remove(&pooled->node);
	timer_remove(&pooled->idle);
	http_conn_free(pooled->conn);
	if (pooled->yields)
		__atomic_store_n(&pooled->server->trunk->yielding, false, __ATOMIC_RELEASE);
	free(pooled);
}

static void pooled_free(Pooled *pooled)
{
	Server *server = pooled->server;

	pool_drop(pooled);
	slot_give(server);
}

static void idle_gone(Pooled *pooled)
{
	idle_add(pooled->server, -1);
	pooled_free(pooled);
}

static void share(Pooled *pooled);

/* There is a call on it that does not end: it goes on for its own loop. */
static void yield_in_vain(Pooled *pooled)
{
	pooled->yields = false;
	__atomic_store_n(&pooled->server->trunk->yielding, false, __ATOMIC_RELEASE);
	if (http_conn_usable(pooled->conn))
		share(pooled);
}

static void idle_expired(Timer *timer)
{
	Pooled *pooled = CONTAINER(timer, Pooled, idle);

	if (!pooled->calls)
		idle_gone(pooled);
	else if (pooled->yields)
		yield_in_vain(pooled);
}

static void server_closed(HttpConn *conn, void *arg)
{
	Pooled *pooled = arg;

	(void)conn;
	list_remove(&pooled->node);
	if (!pooled->calls)
		idle_gone(pooled);
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

bool pool_suits(const Pooled *pooled, const Upstream *up, const LeaseAsk *ask)
{
	if (ask->fresh)
		return false;
	if (pooled->h2)
		return true;
	if (ask->unsafe && loop_now_us() - pooled->rest_us > up->conf->keepalive.unsafe_idle_us)
		return false;
	return up->conf->proxy_protocol == PROXY_PROTOCOL_OFF ||
	       !memcmp(&pooled->client, &ask->client, sizeof ask->client);
}

/* HTTP/2: calls it can still be given; some were, to fibers that have not begun them yet. */
static unsigned streams_left(const Pooled *pooled)
{
	unsigned streams = http_conn_streams(pooled->conn);

	return streams > pooled->promised ? streams - pooled->promised : 0;
}

/* Out of its rest, with one call more. */
static void rouse(Pooled *pooled)
{
	if (pooled->calls++)
		return;
	idle_add(pooled->server, -1);
	timer_clear(&pooled->idle);
}

Pooled *pool_take(Upstream *up, size_t i, const LeaseAsk *ask)
{
	List *ready = &server_loop(up->servers[i].server)->ready;

	LIST_EACH (ready, Pooled, node, pooled) {
		if (!http_conn_usable(pooled->conn)) {
			list_remove(&pooled->node);
			if (!pooled->calls)
				idle_gone(pooled);
			continue;
		}
		if (!pool_suits(pooled, up, ask))
			continue;
		rouse(pooled);
		if (streams_left(pooled) <= 1) /* the one it is taken for */
			list_remove(&pooled->node);
		return pooled;
	}
	return NULL;
}

bool pool_has(const Upstream *up, size_t i, const LeaseAsk *ask)
{
	const List *ready = &server_loop(up->servers[i].server)->ready;

	LIST_EACH (ready, Pooled, node, pooled)
		if (!pooled->calls || pool_suits(pooled, up, ask))
			return true;
	return false;
}

/* The one that rested longest. */
bool pool_swap(Server *server)
{
	const List *ready = &server_loop(server)->ready;

	for (Node *at = ready->head.prev; at != &ready->head; at = at->prev) {
		Pooled *pooled = CONTAINER(at, Pooled, node);

		if (pooled->calls)
			continue;
		idle_add(server, -1);
		pool_drop(pooled);
		return true;
	}
	return false;
}

/* --- giving back ---------------------------------------------------------------------------------------------------- */

static bool is_worn_out(const Upstream *up, const Pooled *pooled)
{
	uint32_t requests = up->conf->keepalive.requests;

	return pooled->yields || (requests && http_conn_calls(pooled->conn) >= requests) ||
	       server_is_left(pooled->server);
}

static void list_ready(Pooled *pooled)
{
	if (pooled->yields)
		list_remove(&pooled->node);
	else if (!node_linked(&pooled->node))
		list_push(&server_loop(pooled->server)->ready, &pooled->node);
}

/* HTTP/2: streams that are left go to those of this loop who wait. */
static void share(Pooled *pooled)
{
	for (unsigned left = streams_left(pooled); left; left--) {
		pooled->calls++;
		if (queue_hand_over(pooled))
			continue;
		pooled->calls--;
		break;
	}
	list_ready(pooled);
}

static uint32_t idle_here(const Upstream *up)
{
	uint32_t idle = 0;

	for (size_t i = 0; i < up->count; i++)
		idle += server_loop(up->servers[i].server)->idle;
	return idle;
}

/* The last call has left; what nobody may use, or somebody needs the place of, is closed. */
static void settle(Upstream *up, Pooled *pooled)
{
	idle_add(pooled->server, 1);
	timer_set(&pooled->idle, pooled->rest_us + up->conf->keepalive.idle_us);
	if (pooled->yields || idle_here(up) > up->conf->keepalive.idle_per_loop ||
	    queue_wants(pooled->server))
		idle_gone(pooled);
}

static void rest(Upstream *up, Pooled *pooled)
{
	list_ready(pooled);
	if (!--pooled->calls)
		settle(up, pooled);
}

void pool_give(Upstream *up, Pooled *pooled)
{
	pooled->rest_us = loop_now_us();
	if (!http_conn_usable(pooled->conn) || is_worn_out(up, pooled)) {
		list_remove(&pooled->node);
		if (!--pooled->calls)
			pooled_free(pooled);
		return;
	}
	if (!pooled->h2) {
		if (!queue_hand_over(pooled))
			rest(up, pooled);
	} else if (queue_hand_over(pooled)) {
		share(pooled);
	} else {
		rest(up, pooled);
	}
}

void pool_leave(Pooled *pooled)
{
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

static void offer(Upstream *up, Pooled *pooled)
{
	bool h2 = pooled->h2;

	if (!http_conn_usable(pooled->conn)) {
		list_remove(&pooled->node);
		if (!pooled->calls)
			idle_gone(pooled);
		return;
	}
	if (pooled->calls) {
		share(pooled);
		return;
	}
	rouse(pooled);
	if (!queue_hand_over(pooled))
		rest(up, pooled);
	else if (h2)
		share(pooled);
}

void pool_offer(Upstream *up)
{
	for (size_t i = 0; i < up->count; i++)
		LIST_EACH (&server_loop(up->servers[i].server)->ready, Pooled, node, pooled)
			if (!queue_is_empty(up->trunk))
				offer(up, pooled);
}

void pool_empty(Server *server)
{
	LIST_EACH (&server_loop(server)->ready, Pooled, node, pooled)
		if (!pooled->calls)
			idle_gone(pooled);
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static Err *connect_any(const Addr *addrs, size_t count, Stream *stream, const Addr **used)
{
	Err *err = NULL;

	for (size_t i = 0; i < count; i++) {
		*used = &addrs[i];
		err = stream_connect(stream, &addrs[i]);
		if (!err || err->kind == ERR_CANCELLED || err->kind == ERR_TIMEOUT)
			return err;
	}
	return err;
}

static Err *say_who(const Upstream *up, const Peer *client, const Addr *server, Stream *stream)
{
	char space[PROXY_OUT_BYTES];
	Peer to = peer_of(server);

	if (up->conf->proxy_protocol == PROXY_PROTOCOL_OFF)
		return NULL;
	return stream_write(stream, proxy_out(up->conf->proxy_protocol, client, &to, space));
}

Err *server_dial(Upstream *up, Arena *a, size_t i, const Peer *client, Stream *stream)
{
	const AddressConf *to = &up->servers[i].conf->address;
	const Addr *used = NULL;
	Addr unix_addr;
	Addr *addrs = &unix_addr;
	size_t count = 1;
	Str name;

	if (to->unix_path.len)
		TRY(addr_parse(a, to->text, &unix_addr));
	else
		TRY(dns_resolve(a, to->host, to->port, &addrs, &count));
	TRY(connect_any(addrs, count, stream, &used));
	TRY(say_who(up, client, used, stream));
	if (!up->tls)
		return NULL;
	name = up->conf->tls.server_name.len ? up->conf->tls.server_name : to->host;
	return stream_tls_connect(stream, up->tls, name);
}

static Err *opened(Upstream *up, const LeaseAsk *ask, size_t i, HttpConn **out)
{
	const HttpConnConf conf = {
		.head = { .head_bytes = 32 << 10,
		          .line_bytes = 8 << 10,
		          .headers = 200,
		          .underscores = true },
		.h2 = up->conf->protocol == UPSTREAM_H2,
	};
	AUTO(deadline_end) Deadline limit = deadline_begin(ask->connect_us);
	AUTO(stream_close) Stream stream = STREAM_CLOSED;

	TRY(server_dial(up, ask->arena, i, &ask->client, &stream));
	return http_conn_new(&stream, &conf, out);
}

Err *pool_open(Upstream *up, const LeaseAsk *ask, size_t i, Pooled **out)
{
	HttpConn *conn = NULL;
	Pooled *pooled;

	TRY(opened(up, ask, i, &conn));
	pooled = zeroed(1, sizeof *pooled);
	*pooled = (Pooled){
		.conn = conn,
		.server = up->servers[i].server,
		.h2 = http_conn_is_h2(conn),
		.calls = 1,
		.client = ask->client,
		.rest_us = loop_now_us(),
		.idle = TIMER_INIT(idle_expired),
	};
	http_conn_on_close(conn, server_closed, pooled);
	*out = pooled;
	if (!pooled->h2)
		return NULL;
	pooled->promised = 1; /* the caller's own */
	share(pooled);
	pooled->promised--;
	return NULL;
}
