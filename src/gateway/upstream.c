/* SPDX-License-Identifier: Apache-2.0
 *
 * Upstreams: choosing a server, exact limits over all loops, the queue, the retry budget, and the end.
 *
 * A slot is a connection's place under the limits, counted with atomics over all loops. Who finds none waits in one queue
 * per upstream, in order, whichever loop it runs on. Nobody is woken to look again: what becomes free is handed over. A
 * connection that is done with goes to the first waiter, to another loop if need be (an HTTP/2 one stays, and gives its
 * streams to waiters of its own loop); a slot goes to a waiter who then opens its own. A waiter also asks for connections
 * that are only idle: otherwise a limit of one could be held by nobody. */
#include "gateway/upstream_int.h"

#include "base/arena.h"
#include "base/time.h"

#include <stdlib.h>

enum { SHUN_US = 1000 * 1000 };

static Err busy = ERR_STATIC(BUSY, "upstream.busy", "all connections to the upstream are in use");
static Err down = ERR_STATIC(BUSY, "upstream.down", "no server of the upstream is up");
static Err exhausted =
	ERR_STATIC(UPSTREAM, "upstream.exhausted", "every server of the upstream was tried");

enum { SHOW_CLASSES = 6 };

/* --- configuration's life ------------------------------------------------------------------------------------------- */

struct ConfHold {
	unsigned refs;
	Arena *arena;
};

ConfHold *conf_hold_new(Arena *a)
{
	ConfHold *hold = ARENA_NEW(a, ConfHold);

	*hold = (ConfHold){ 1, a };
	return hold;
}

ConfHold *conf_hold_ref(ConfHold *hold)
{
	__atomic_add_fetch(&hold->refs, 1, __ATOMIC_RELAXED);
	return hold;
}

void conf_hold_unref(ConfHold *hold)
{
	if (hold && __atomic_sub_fetch(&hold->refs, 1, __ATOMIC_ACQ_REL) == 0)
		arena_free(hold->arena);
}

/* --- metrics -------------------------------------------------------------------------------------------------------- */

enum { M_ANSWERS, M_SECONDS, M_CONNECTIONS, M_REFUSED, M_RETRIES, M_QUEUED };

static const MetricFamily families[] = {
	[M_ANSWERS] = { "banyan_upstream_requests_total",
	                METRIC_COUNTER,
	                "requests",
	                "Requests sent to a server, by the class of its answer; none: no answer came",
	                { "upstream", "server", "class" } },
	[M_SECONDS] = { "banyan_upstream_seconds",
	                METRIC_HISTOGRAM,
	                "seconds",
	                "Time from a request sent to the head of its answer",
	                { "upstream", "server" } },
	[M_CONNECTIONS] = { "banyan_upstream_connections_total",
	                    METRIC_COUNTER,
	                    "connections",
	                    "Connections taken for a request: opened for it, or used before",
	                    { "upstream", "server", "kind" } },
	[M_REFUSED] = { "banyan_upstream_refused_total",
	                METRIC_COUNTER,
	                "requests",
	                "Requests refused because all connections were in use",
	                { "upstream" } },
	[M_RETRIES] = { "banyan_upstream_retries_total",
	                METRIC_COUNTER,
	                "requests",
	                "Attempts after the first",
	                { "upstream" } },
	[M_QUEUED] = { "banyan_upstream_queued_total",
	               METRIC_COUNTER,
	               "requests",
	               "Requests that waited for a connection",
	               { "upstream" } },
};

const MetricFamily *upstream_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

static void cells_take(Upstream *up)
{
	static const Str classes[SHOW_CLASSES] = { S("none"), S("1xx"), S("2xx"),
		                                   S("3xx"),  S("4xx"), S("5xx") };
	Str name = up->conf->name;

	up->refused = metric_cell(&families[M_REFUSED], &name, 1);
	up->retries = metric_cell(&families[M_RETRIES], &name, 1);
	up->queued = metric_cell(&families[M_QUEUED], &name, 1);
	for (size_t i = 0; i < up->count; i++) {
		UpServer *server = &up->servers[i];
		Str labels[3] = { name, server->conf->address.text };

		server->seconds = metric_cell(&families[M_SECONDS], labels, 2);
		for (size_t k = 0; k < SHOW_CLASSES; k++) {
			labels[2] = classes[k];
			server->answers[k] = metric_cell(&families[M_ANSWERS], labels, 3);
		}
		labels[2] = S("opened");
		server->opened = metric_cell(&families[M_CONNECTIONS], labels, 3);
		labels[2] = S("reused");
		server->reused = metric_cell(&families[M_CONNECTIONS], labels, 3);
	}
}

static void cells_free(Upstream *up)
{
	metric_cell_free(up->refused);
	metric_cell_free(up->retries);
	metric_cell_free(up->queued);
	for (size_t i = 0; i < up->count; i++) {
		metric_cell_free(up->servers[i].seconds);
		for (size_t k = 0; k < SHOW_CLASSES; k++)
			metric_cell_free(up->servers[i].answers[k]);
		metric_cell_free(up->servers[i].opened);
		metric_cell_free(up->servers[i].reused);
	}
}

/* --- life ----------------------------------------------------------------------------------------------------------- */

UpLoop *up_loop(const Upstream *up)
{
	return &up->loops[loop_index(loop_self())];
}

static void *zeroed(size_t count, size_t bytes)
{
	void *memory = calloc(count ? count : 1, bytes);

	if (!memory)
		abort();
	return memory;
}

static void loops_init(Upstream *up)
{
	up->loops = zeroed(rt_loops(), sizeof *up->loops);
	for (unsigned i = 0; i < rt_loops(); i++) {
		UpLoop *l = &up->loops[i];

		l->balance = zeroed(up->count, sizeof *l->balance);
		l->ready = zeroed(up->count, sizeof *l->ready);
		for (size_t k = 0; k < up->count; k++) {
			list_init(&l->ready[k]);
			l->balance[k].hash = balance_hash(up->servers[k].conf->address.text);
			l->balance[k].weight = up->servers[k].conf->weight;
		}
		balance_start(l->balance, up->count);
	}
}

static Err *tls_context(Arena *a, const UpstreamConf *conf, TlsContext **out)
{
	TlsClientConf tls = { .ca = conf->tls.ca,
		              .verify = conf->tls.verify,
		              .h2 = conf->protocol == UPSTREAM_H2 };

	*out = NULL;
	return conf->has_tls ? tls_client_new(a, &tls, out) : NULL;
}

Err *upstream_new(Arena *a, ConfHold *hold, const UpstreamConf *conf, Upstream **out)
{
	TlsContext *tls;
	Upstream *up;

	TRY(tls_context(a, conf, &tls));
	up = zeroed(1, sizeof *up);
	*up = (Upstream){ .refs = 1,
		          .hold = conf_hold_ref(hold),
		          .conf = conf,
		          .tls = tls,
		          .count = conf->servers.count,
		          .born_us = time_utc_us() };
	up->servers = zeroed(up->count, sizeof *up->servers);
	for (size_t i = 0; i < up->count; i++)
		up->servers[i].conf = &conf->servers.at[i];
	loops_init(up);
	pthread_mutex_init(&up->lock, NULL);
	list_init(&up->waiters);
	cells_take(up);
	*out = up;
	return NULL;
}

Upstream *upstream_ref(Upstream *up)
{
	__atomic_add_fetch(&up->refs, 1, __ATOMIC_RELAXED);
	return up;
}

static void upstream_free(Upstream *up)
{
	cells_free(up);
	for (unsigned i = 0; i < rt_loops(); i++) {
		free(up->loops[i].balance);
		free(up->loops[i].ready);
	}
	free(up->loops);
	free(up->servers);
	free(up->checkers);
	tls_unref(up->tls);
	pthread_mutex_destroy(&up->lock);
	conf_hold_unref(up->hold);
	free(up);
}

static void let_go(void *arg)
{
	Upstream *up = arg;

	pool_empty(up);
	if (__atomic_sub_fetch(&up->closing, 1, __ATOMIC_ACQ_REL) == 0)
		upstream_free(up);
}

void upstream_unref(Upstream *up)
{
	if (!up || __atomic_sub_fetch(&up->refs, 1, __ATOMIC_ACQ_REL))
		return;
	up->closing = rt_loops();
	for (unsigned i = 0; i < rt_loops(); i++)
		loop_post(rt_loop(i), let_go, up);
}

int64_t upstream_born_us(const Upstream *up)
{
	return up->born_us;
}

const UpstreamConf *upstream_conf(const Upstream *up)
{
	return up->conf;
}

/* --- slots ---------------------------------------------------------------------------------------------------------- */

static bool count_up(uint32_t *counter, uint32_t limit)
{
	uint32_t now = __atomic_load_n(counter, __ATOMIC_SEQ_CST);

	do
		if (limit && now >= limit)
			return false;
	while (!__atomic_compare_exchange_n(counter, &now, now + 1, true, __ATOMIC_SEQ_CST,
	                                    __ATOMIC_SEQ_CST));
	return true;
}

bool slot_take(Upstream *up, size_t server)
{
	UpServer *s = &up->servers[server];

	if (!count_up(&up->connections, up->conf->max_connections))
		return false;
	if (count_up(&s->connections, s->conf->max_connections))
		return true;
	__atomic_sub_fetch(&up->connections, 1, __ATOMIC_SEQ_CST);
	return false;
}

bool slot_free(const Upstream *up, size_t server)
{
	const UpServer *s = &up->servers[server];
	uint32_t all = up->conf->max_connections;
	uint32_t own = s->conf->max_connections;

	return (!all || __atomic_load_n(&up->connections, __ATOMIC_RELAXED) < all) &&
	       (!own || __atomic_load_n(&s->connections, __ATOMIC_RELAXED) < own);
}

/* --- the queue ------------------------------------------------------------------------------------------------------ */

/* What a waiter gets is its own before it wakes: a slot (of `server`), or a connection of its loop. */
typedef struct Waiter {
	Node node;
	Loop *loop;
	Fiber *fiber;
	const LeaseAsk *ask;
	struct Pooled *pooled;
	size_t server;
	bool served; /* taken out of the line with something; under the lock */
	bool woken;  /* and knows it */
} Waiter;

static void waiter_wake(void *arg)
{
	Waiter *waiter = arg;

	waiter->woken = true;
	fiber_wake(waiter->fiber);
}

/* Under the lock. */
static void take_out(Upstream *up, Waiter *waiter)
{
	list_remove(&waiter->node);
	__atomic_sub_fetch(&up->waiting, 1, __ATOMIC_SEQ_CST);
}

static void serve(Upstream *up, Waiter *waiter, LoopFn *arrive)
{
	take_out(up, waiter);
	waiter->served = true;
	if (waiter->loop == loop_self())
		waiter_wake(waiter);
	else
		loop_post(waiter->loop, arrive, waiter);
}

static bool was_tried(const LeaseAsk *ask, size_t server)
{
	for (size_t i = 0; i < ask->tried_count; i++)
		if (ask->tried[i] == server)
			return true;
	return false;
}

/* A server that could not be connected to a moment ago is as a slow one: used when no other is up. */
static BalanceState state_now(const UpServer *server)
{
	BalanceState state = __atomic_load_n(&server->state, __ATOMIC_RELAXED);
	int64_t shunned_us = __atomic_load_n(&server->shunned_us, __ATOMIC_RELAXED);

	return state == BALANCE_UP && loop_now_us() < shunned_us ? BALANCE_SLOW : state;
}

/* The server that balancing would allow this waiter and that has room: the one least used for its weight, or -1. */
static ptrdiff_t roomy_server(const Upstream *up, const LeaseAsk *ask, BalanceState wanted)
{
	ptrdiff_t best = -1;
	double least = 0;

	for (size_t i = 0; i < up->count; i++) {
		const UpServer *s = &up->servers[i];
		double load = s->conf->weight
		                      ? (double)__atomic_load_n(&s->connections, __ATOMIC_RELAXED) /
		                                s->conf->weight
		                      : 0;

		if (!s->conf->weight || was_tried(ask, i) || state_now(s) != wanted ||
		    !slot_free(up, i) || (best >= 0 && load >= least))
			continue;
		best = (ptrdiff_t)i;
		least = load;
	}
	return best;
}

static bool is_any_up(const Upstream *up)
{
	for (size_t i = 0; i < up->count; i++)
		if (up->servers[i].conf->weight && state_now(&up->servers[i]) == BALANCE_UP)
			return true;
	return false;
}

static bool takes_a_slot(Upstream *up, Waiter *waiter)
{
	ptrdiff_t server = roomy_server(up, waiter->ask, is_any_up(up) ? BALANCE_UP : BALANCE_SLOW);

	if (server < 0 || !slot_take(up, (size_t)server))
		return false;
	waiter->server = (size_t)server;
	return true;
}

/* Gives the slots that are free to those who wait, in order. Whoever frees a slot looks for waiters after it, whoever
 * waits looks for slots after it stands in line: one of the two sees the other. */
static void serve_line(Upstream *up)
{
	pthread_mutex_lock(&up->lock);
	LIST_EACH (&up->waiters, Waiter, node, waiter)
		if (takes_a_slot(up, waiter))
			serve(up, waiter, waiter_wake);
	pthread_mutex_unlock(&up->lock);
}

static bool someone_waits(const Upstream *up)
{
	return __atomic_load_n(&up->waiting, __ATOMIC_SEQ_CST) > 0;
}

void slot_give(Upstream *up, size_t server)
{
	__atomic_sub_fetch(&up->servers[server].connections, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&up->connections, 1, __ATOMIC_SEQ_CST);
	if (someone_waits(up))
		serve_line(up);
}

/* On the waiter's loop: a connection from another. If it cannot be watched here its slot is still the waiter's. */
static void waiter_receive(void *arg)
{
	Waiter *waiter = arg;

	if (!pool_arrive(waiter->pooled))
		waiter->pooled = NULL;
	waiter_wake(waiter);
}

/* A request that must not use a connection that was idle gets its place: the connection ends. */
static void hand_to(Waiter *waiter, struct Pooled *pooled)
{
	waiter->server = pooled->server;
	if (waiter->ask->fresh && !pooled->h2) {
		pool_drop(pooled);
		return;
	}
	waiter->pooled = pooled;
	if (waiter->loop != loop_self())
		pool_leave(pooled);
}

bool queue_hand_over(Upstream *up, struct Pooled *pooled)
{
	bool given = !someone_waits(up) || state_now(&up->servers[pooled->server]) == BALANCE_DOWN;

	if (given)
		return false;
	pthread_mutex_lock(&up->lock);
	LIST_EACH (&up->waiters, Waiter, node, waiter) {
		bool here = waiter->loop == loop_self();

		if (given || (pooled->h2 && (!here || waiter->ask->fresh)) ||
		    was_tried(waiter->ask, pooled->server))
			continue;
		hand_to(waiter, pooled);
		serve(up, waiter, waiter->pooled ? waiter_receive : waiter_wake);
		given = true;
	}
	pthread_mutex_unlock(&up->lock);
	return given;
}

bool queue_is_empty(const Upstream *up)
{
	return !someone_waits(up);
}

static void shed_for_others(void *arg)
{
	Upstream *up = arg;

	if (someone_waits(up))
		pool_shed(up);
	upstream_unref(up);
}

/* Connections that are only idle give way, this loop's too: they may be to servers that this request has tried. */
static void ask_for_idle_ones(Upstream *up)
{
	for (unsigned i = 0; i < rt_loops(); i++)
		if (__atomic_load_n(&up->loops[i].idle, __ATOMIC_SEQ_CST))
			loop_post(rt_loop(i), shed_for_others, upstream_ref(up));
}

/* Gone after a time-out or a cancel. What it was given meanwhile arrives first, and goes to the next. */
static void leave_line(Upstream *up, Waiter *waiter)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);
	bool served;

	pthread_mutex_lock(&up->lock);
	served = waiter->served;
	if (!served)
		take_out(up, waiter);
	pthread_mutex_unlock(&up->lock);
	if (!served)
		return;
	while (!waiter->woken)
		if (fiber_park())
			break; /* cannot be: shielded */
	if (waiter->pooled)
		pool_give(waiter->pooled);
	else
		slot_give(up, waiter->server);
}

static bool join_line(Upstream *up, Waiter *waiter)
{
	bool full;

	pthread_mutex_lock(&up->lock);
	full = up->waiting >= up->conf->queue.length;
	if (!full) {
		list_add(&up->waiters, &waiter->node);
		__atomic_add_fetch(&up->waiting, 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&up->lock);
	return !full;
}

static Err *stand_in_line(Upstream *up, Waiter *waiter)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(up->conf->queue.timeout_us);
	int64_t late_us = loop_now_us() + up->conf->queue.timeout_us;
	Err *err = NULL;

	if (!join_line(up, waiter))
		return &busy;
	metric_add(up->queued, 1);
	serve_line(up);
	if (!waiter->woken)
		ask_for_idle_ones(up);
	while (!waiter->woken && !err)
		err = fiber_park();
	if (!err)
		return NULL;
	leave_line(up, waiter);
	return err_is(err, "rt.deadline") && loop_now_us() >= late_us ? &busy : err;
}

/* --- leases --------------------------------------------------------------------------------------------------------- */

static int pick(Upstream *up, UpLoop *l, const LeaseAsk *ask)
{
	BalancePick how = { up->conf->balance, ask->key, loop_now_us(), ask->tried,
		            ask->tried_count };

	for (size_t i = 0; i < up->count; i++) {
		l->balance[i].state = state_now(&up->servers[i]);
		l->balance[i].full = !slot_free(up, i) && (ask->fresh || list_empty(&l->ready[i]));
	}
	return balance_pick(l->balance, up->count, &how);
}

static void lease_begin(Lease *lease, Pooled *pooled, bool reused)
{
	Upstream *up = lease->up;
	UpLoop *l = up_loop(up);

	lease->pooled = pooled;
	lease->conn = pooled->conn;
	lease->server = pooled->server;
	lease->reused = reused;
	l->active++;
	l->balance[lease->server].in_flight++;
	metric_add(reused ? up->servers[lease->server].reused : up->servers[lease->server].opened,
	           1);
}

/* With a slot of that server held. */
static Err *open_for(Upstream *up, const LeaseAsk *ask, size_t server, Lease *lease)
{
	Pooled *pooled;

	Err *err;

	lease->server = (uint16_t)server;
	err = pool_open(up, ask, server, &pooled);
	if (err && err->kind != ERR_CANCELLED && err->kind != ERR_BUSY)
		__atomic_store_n(&up->servers[server].shunned_us, loop_now_us() + SHUN_US,
		                 __ATOMIC_RELAXED);
	TRY(err);
	lease_begin(lease, pooled, false);
	return NULL;
}

static Err *wait_for_turn(Upstream *up, const LeaseAsk *ask, Lease *lease)
{
	Waiter waiter = { .loop = loop_self(), .fiber = fiber_self(), .ask = ask };
	Err *err = stand_in_line(up, &waiter);

	if (err == &busy)
		metric_add(up->refused, 1);
	TRY(err);
	if (waiter.pooled && http_conn_usable(waiter.pooled->conn)) {
		lease_begin(lease, waiter.pooled, true);
		return NULL;
	}
	if (waiter.pooled &&
	    waiter.pooled->h2) { /* it took its leave meanwhile, and others are on it */
		pool_give(waiter.pooled);
		return lease_take(up, ask, lease);
	}
	if (waiter.pooled) /* the server spoke or left since: its place is still ours */
		pool_drop(waiter.pooled);
	return open_for(up, ask, waiter.server, lease);
}

Err *lease_take(Upstream *up, const LeaseAsk *ask, Lease *lease)
{
	*lease = (Lease){ .up = up };
	for (;;) {
		int server = queue_is_empty(up) ? pick(up, up_loop(up), ask) : BALANCE_ALL_FULL;
		Pooled *pooled;

		if (server == BALANCE_NONE_UP)
			return &down;
		if (server == BALANCE_ALL_TRIED)
			return &exhausted;
		if (server < 0)
			return wait_for_turn(up, ask, lease);
		pooled = ask->fresh ? NULL : pool_take(up, (size_t)server);
		if (pooled) {
			lease_begin(lease, pooled, true);
			return NULL;
		}
		if (slot_take(up, (size_t)server))
			return open_for(up, ask, (size_t)server, lease);
		/* another loop was faster: now it is full, or another server is picked. What the try held for a moment may
		 * have hidden a free place from somebody who looked just then */
		if (someone_waits(up))
			serve_line(up);
	}
}

void lease_end(Lease *lease)
{
	UpLoop *l;

	if (!lease->pooled)
		return;
	l = up_loop(lease->up);
	l->active--;
	l->balance[lease->server].in_flight--;
	pool_give(TAKE(lease->pooled));
}

void lease_observe(const Lease *lease, int64_t took_us, unsigned status)
{
	UpServer *server = &lease->up->servers[lease->server];

	balance_observe(&up_loop(lease->up)->balance[lease->server], loop_now_us(), took_us);
	metric_add(server->answers[MIN(status / 100, 5u)], 1);
	if (status)
		metric_observe_us(server->seconds, took_us);
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
	UpLoop *l = up_loop(up);
	/* the one that asks holds no lease any more, but is one of those at work */
	uint64_t allowed = ((uint64_t)l->active + 1) * conf->budget_ppm / 1000000;

	if (l->retries >= MAX(allowed, (uint64_t)conf->budget_min))
		return false;
	l->retries++;
	metric_add(up->retries, 1);
	return true;
}

void upstream_retry_end(Upstream *up)
{
	up_loop(up)->retries--;
}

/* --- looking at it -------------------------------------------------------------------------------------------------- */

size_t upstream_servers(const Upstream *up)
{
	return up->count;
}

UpstreamServerStats upstream_server_stats(const Upstream *up, size_t server)
{
	const UpServer *s = &up->servers[server];

	return (UpstreamServerStats){
		.name = s->conf->address.text,
		.state = __atomic_load_n(&s->state, __ATOMIC_RELAXED),
		.connections = __atomic_load_n(&s->connections, __ATOMIC_RELAXED),
		.weight = s->conf->weight,
	};
}

uint32_t upstream_waiting(const Upstream *up)
{
	return __atomic_load_n(&up->waiting, __ATOMIC_RELAXED);
}
