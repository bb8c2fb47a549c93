/* SPDX-License-Identifier: Apache-2.0
 *
 * One request and the server it goes to: which one, on which connection, and what is learned of it.
 *
 * Each loop chooses by its own view of what is in flight; what a server can be used for at all (health, ejection, limits,
 * weight) is the same for all. A request that cannot go at once stands in line, and so does one that comes while others
 * stand there; one that has nowhere to go is told so at once. */
#include "gateway/upstream_int.h"

#include "base/arena.h"
#include "base/time.h"

enum {
	REFUSED_US = 1000 * 1000,
	BROKE_US = 100 * 1000,
	STREAMS =
		100, /* of an HTTP/2 connection that is still being made: what servers commonly allow */
};

static Err down = ERR_STATIC(BUSY, "upstream.down", "no server of the upstream is up");
static Err exhausted =
	ERR_STATIC(UPSTREAM, "upstream.exhausted", "every server of the upstream was tried");
static Err occupied = ERR_STATIC(BUSY, "upstream.busy", "every connection was in use");
static Err refused = ERR_STATIC(UPSTREAM, "upstream.refused", "the server refused the connection");
static Err late = ERR_STATIC(TIMEOUT, "upstream.connect_timeout",
                             "the server did not accept the connection in time");

/* --- choosing ------------------------------------------------------------------------------------------------------- */

/* This loop's row, as things are now. */
static BalanceServer *row_now(Upstream *up, const LeaseAsk *ask)
{
	BalanceServer *row = up->balance[loop_index(loop_self())];

	for (size_t i = 0; i < up->count; i++) {
		const Server *server = up->servers[i].server;

		row[i].state = server_state(server);
		row[i].weight = server_share(up, i);
		row[i].full = !slot_free(up, i) && !pool_has(up, i, ask);
		row[i].load = server_loop(server)->load;
	}
	return row;
}

static BalancePick pick_of(const Upstream *up, const LeaseAsk *ask)
{
	return (BalancePick){ up->conf->balance, ask->key, loop_now_us(), ask->tried,
		              ask->tried_count };
}

static int pick(Upstream *up, const LeaseAsk *ask)
{
	BalancePick how = pick_of(up, ask);
	BalanceServer *row = row_now(up, ask);

	return queue_is_empty(up->trunk) ? balance_pick(row, up->count, &how)
	                                 : balance_none(row, up->count, &how);
}

bool lease_has_other(const Lease *lease, const LeaseAsk *ask)
{
	Upstream *up = lease->up;
	uint16_t tried[GATEWAY_TRIES + 1];
	BalancePick how = pick_of(up, ask);

	how.tried_count = 0;
	how.tried = tried;
	for (size_t i = 0; i < MIN(ask->tried_count, (size_t)GATEWAY_TRIES); i++)
		tried[how.tried_count++] = ask->tried[i];
	tried[how.tried_count++] = lease->server;
	return balance_none(row_now(up, ask), up->count, &how) == BALANCE_ALL_FULL;
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

/* Other loops look at it for the admin port. */
static void count_call(Server *server, int32_t more)
{
	uint32_t *calls = &server_loop(server)->load.in_flight;

	__atomic_store_n(calls, *calls + (uint32_t)more, __ATOMIC_RELAXED);
}

static void lease_begin(Lease *lease, Pooled *pooled, size_t i, bool reused)
{
	lease->pooled = pooled;
	lease->conn = pooled->conn;
	lease->server = (uint16_t)i;
	lease->named = true;
	lease->reused = reused;
	count_call(pooled->server, 1);
	if (!reused)
		metric_add(pooled->server->cells.opened, 1);
}

/* What the client is told says nothing of the inside; the cause does, for the log. */
static Err *translated(Arena *a, Err *err)
{
	if (err->kind == ERR_CANCELLED || err->kind == ERR_BUSY)
		return err;
	if (err_is(err, "rt.refused"))
		return &refused;
	if (err_is(err, "rt.deadline"))
		return &late;
	return err_because(a, err, ERR_UPSTREAM, "upstream.connect",
	                   "no connection to a server could be made");
}

/* Whose fault is it that no connection came about? Ours, when we have no files, ports or fibers left. */
static bool is_servers_fault(const Err *err)
{
	return err->kind != ERR_CANCELLED && err->kind != ERR_BUSY && err->kind != ERR_INTERNAL &&
	       !err_is(err, "rt.no_ports");
}

static Err *open_one(Upstream *up, const LeaseAsk *ask, size_t i, Pooled **pooled)
{
	ServerLoop *l = server_loop(up->servers[i].server);
	Err *err;

	l->opening++;
	err = pool_open(up, ask, i, pooled);
	l->opening--;
	if (!err)
		l->no_h2 = !(*pooled)->h2;
	wait_queue_wake_all(&l->opened);
	return err;
}

/* Many requests that come at once need one HTTP/2 connection, not one each. */
static bool is_one_coming(const Upstream *up, const LeaseAsk *ask, size_t i)
{
	const ServerLoop *l = server_loop(up->servers[i].server);

	return up->conf->protocol == UPSTREAM_H2 && !l->no_h2 && !ask->fresh &&
	       l->awaiting + 1 < l->opening * STREAMS;
}

static Err *await_it(const Upstream *up, size_t i)
{
	ServerLoop *l = server_loop(up->servers[i].server);
	Err *err;

	l->awaiting++;
	err = wait_queue_park(&l->opened);
	l->awaiting--;
	return err;
}

/* With a slot of that server held. */
static Err *open_for(Upstream *up, const LeaseAsk *ask, size_t i, Lease *lease)
{
	Server *server = up->servers[i].server;
	Pooled *pooled;
	Err *err;

	lease->server = (uint16_t)i;
	lease->named = true;
	err = open_one(up, ask, i, &pooled);
	if (!err) {
		lease_begin(lease, pooled, i, false);
		return NULL;
	}
	if (is_servers_fault(err)) {
		server_shun(server, REFUSED_US);
		outlier_bad(up, i, err_chain(ask->arena, err));
	}
	slot_give(server);
	return translated(ask->arena, err);
}

static Err *wait_for_turn(Upstream *up, const LeaseAsk *ask, Lease *lease)
{
	Pooled *pooled;
	size_t i;

	TRY(queue_wait(up, ask, &pooled, &i));
	if (pooled && http_conn_usable(pooled->conn)) {
		lease_begin(lease, pooled, i, true);
		return NULL;
	}
	if (pooled && pooled->h2) { /* it took its leave meanwhile, and others are on it */
		pool_give(up, pooled);
		return lease_take(up, ask, lease);
	}
	if (pooled) /* the server spoke or left since: its place is still ours */
		pool_drop(pooled);
	return open_for(up, ask, i, lease);
}

Err *lease_take(Upstream *up, const LeaseAsk *ask, Lease *lease)
{
	*lease = (Lease){ .up = up };
	if (!ask->tried_count && !ask->fresh && !ask->now)
		budget_count(&up->trunk->loops[loop_index(loop_self())].requests, loop_now_us());
	for (;;) {
		int picked = pick(up, ask);
		size_t i = (size_t)picked;
		Pooled *pooled;

		if (picked == BALANCE_NONE_UP)
			return &down;
		if (picked == BALANCE_ALL_TRIED)
			return &exhausted;
		if (picked < 0 && ask->now)
			return &occupied;
		if (picked < 0)
			return wait_for_turn(up, ask, lease);
		pooled = pool_take(up, i, ask);
		if (pooled) {
			lease_begin(lease, pooled, i, true);
			return NULL;
		}
		if (is_one_coming(up, ask, i)) {
			TRY(await_it(up, i));
			continue;
		}
		if (slot_take(up, i) || pool_swap(up->servers[i].server))
			return open_for(up, ask, i, lease);
		/* another loop was faster: now it is full, or another server is picked. What the try held for a moment may
		 * have hidden a free place from somebody who looked just then */
		queue_serve(up->trunk);
	}
}

void lease_end(Lease *lease)
{
	if (!lease->pooled)
		return;
	count_call(lease->pooled->server, -1);
	pool_give(lease->up, TAKE(lease->pooled));
}

/* --- what is learned ------------------------------------------------------------------------------------------------ */

static Server *server_of(const Lease *lease)
{
	return lease->up->servers[lease->server].server;
}

void lease_observe(const Lease *lease, int64_t took_us, unsigned status)
{
	Server *server = server_of(lease);

	if (took_us >= 0)
		balance_observe(&server_loop(server)->load, loop_now_us(), took_us);
	metric_add(server->cells.answers[MIN(status / 100, ANSWER_CLASSES - 1u)], 1);
	if (lease->reused)
		metric_add(server->cells.reused, 1);
	if (status)
		metric_observe_us(server->cells.seconds, took_us);
}

void lease_stale(const Lease *lease)
{
	metric_add(server_of(lease)->cells.stale, 1);
}

void lease_broke(const Lease *lease)
{
	Server *server = server_of(lease);

	if (__atomic_load_n(&server->connections, __ATOMIC_RELAXED) > 1)
		server_shun(server, BROKE_US);
}

void lease_good(const Lease *lease)
{
	outlier_good(server_of(lease));
}

void lease_bad(const Lease *lease, Str why)
{
	outlier_bad(lease->up, lease->server, why);
}

Str lease_server(const Lease *lease)
{
	return lease->up->servers[lease->server].conf->address.text;
}

Str lease_authority(const Lease *lease)
{
	const AddressConf *address = &lease->up->servers[lease->server].conf->address;

	return address->unix_path.len ? S("localhost") : address->text;
}

/* --- retries -------------------------------------------------------------------------------------------------------- */

bool upstream_retry_begin(Upstream *up, const RetryConf *conf)
{
	Trunk *trunk = up->trunk;
	int64_t now_us = loop_now_us();
	uint64_t requests = 0;
	bool allowed;

	for (unsigned i = 0; i < rt_loops(); i++)
		requests += budget_sum(&trunk->loops[i].requests, now_us);
	pthread_mutex_lock(&trunk->lock);
	allowed =
		budget_allows(requests, budget_sum(&trunk->retried, now_us), conf->budget_ppm,
	                      __atomic_load_n(&trunk->retries, __ATOMIC_RELAXED), conf->budget_min);
	if (allowed) {
		budget_count(&trunk->retried, now_us);
		__atomic_add_fetch(&trunk->retries, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&trunk->lock);
	if (!allowed)
		metric_add(trunk->retry_refused, 1);
	return allowed;
}

void upstream_retry_end(Upstream *up)
{
	__atomic_sub_fetch(&up->trunk->retries, 1, __ATOMIC_RELAXED);
}
