/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits that are exact over all loops, and the line of those who wait for a place under them.
 *
 * A slot is a connection's place, counted with atomics. Who finds none stands in one line per trunk, in order, whichever
 * loop it runs on and whichever configuration it goes by. Nobody is woken to look again: what becomes free is handed over.
 * A connection that is done with goes to the first who can use it, to another loop if need be; a slot goes to a waiter who
 * then opens its own. Whoever frees a slot looks for waiters after it, whoever waits looks for slots after it stands in
 * line: one of the two sees the other.
 *
 * Idle connections hold slots too, on loops that cannot see each other's: a waiter asks each loop that has some to hand one
 * over, or to close one where that makes room. Those who came when the line was full may still get one of these: they stand
 * in it as guests, until all loops have been asked.
 *
 * An HTTP/2 connection stays on its loop and serves those of its loop who wait. When the first in line is of another loop
 * and has waited for a turn, a connection takes no more calls, ends with those it has, and leaves its slot to that one. When
 * these do not end (streams without end), it takes calls again, and is left in peace for a while: better some than none.
 * docs/decisions/0008 says what all this replaced. */
#include "gateway/upstream_int.h"

#include "base/arena.h"

#include <stdlib.h>

enum {
	TURN_US = 50 * 1000,
	YIELD_US = 2 * 1000 * 1000,  /* for its calls to end in */
	PEACE_US = 10 * 1000 * 1000, /* from then on, when they did not */
};

static Err busy = ERR_STATIC(BUSY, "upstream.busy", "all connections to the upstream are in use");
static Err down = ERR_STATIC(BUSY, "upstream.down", "no server of the upstream is up");
static Err exhausted =
	ERR_STATIC(UPSTREAM, "upstream.exhausted", "every server of the upstream was tried");

/* What a waiter gets is its own before it wakes: a slot (of server i), a connection of its loop, or why there is none. */
typedef struct Waiter {
	Node node;
	uint64_t id;
	Loop *loop;
	Fiber *fiber;
	Upstream *up;
	const LeaseAsk *ask;
	int64_t since_us;
	Pooled *pooled;
	size_t i;
	Err *err;
	bool guest;
	bool served; /* taken out of the line; under the lock */
	bool woken;  /* and knows it */
} Waiter;

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

static bool has_room(const uint32_t *counter, uint32_t limit)
{
	return !limit || __atomic_load_n(counter, __ATOMIC_SEQ_CST) < limit;
}

static bool trunk_has_room(const Upstream *up)
{
	return has_room(&up->trunk->connections, up->conf->max_connections);
}

static bool server_has_room(const Upstream *up, size_t i)
{
	return has_room(&up->servers[i].server->connections, up->servers[i].conf->max_connections);
}

bool slot_take(Upstream *up, size_t i)
{
	if (!count_up(&up->trunk->connections, up->conf->max_connections))
		return false;
	if (count_up(&up->servers[i].server->connections, up->servers[i].conf->max_connections))
		return true;
	__atomic_sub_fetch(&up->trunk->connections, 1, __ATOMIC_SEQ_CST);
	return false;
}

bool slot_free(const Upstream *up, size_t i)
{
	return trunk_has_room(up) && server_has_room(up, i);
}

/* --- what a waiter could use ---------------------------------------------------------------------------------------- */

static bool was_tried(const LeaseAsk *ask, size_t i)
{
	for (size_t k = 0; k < ask->tried_count; k++)
		if (ask->tried[k] == i)
			return true;
	return false;
}

/* The state of servers that may be used: as balance_pick has it. */
static BalanceState usable_state(const Upstream *up)
{
	for (size_t i = 0; i < up->count; i++)
		if (server_takes(&up->servers[i]) &&
		    server_state(up->servers[i].server) == BALANCE_UP)
			return BALANCE_UP;
	return BALANCE_SLOW;
}

static bool may_use(const Waiter *waiter, size_t i, BalanceState usable)
{
	const UpServer *s = &waiter->up->servers[i];

	return server_takes(s) && server_state(s->server) == usable && !was_tried(waiter->ask, i);
}

/* The server with room that is least used for its share, or -1. */
static ptrdiff_t roomy_server(const Waiter *waiter)
{
	const Upstream *up = waiter->up;
	BalanceState usable = usable_state(up);
	ptrdiff_t best = -1;
	double least = 0;

	for (size_t i = 0; i < up->count; i++) {
		double used;

		if (!may_use(waiter, i, usable) || !slot_free(up, i))
			continue;
		used = __atomic_load_n(&up->servers[i].server->connections, __ATOMIC_RELAXED);
		used /= server_share(up, i);
		if (best >= 0 && used >= least)
			continue;
		best = (ptrdiff_t)i;
		least = used;
	}
	return best;
}

/* Why there is nothing to wait for, or NULL. */
static Err *nowhere(const Waiter *waiter)
{
	BalanceState usable = usable_state(waiter->up);
	bool tried = false;

	for (size_t i = 0; i < waiter->up->count; i++) {
		if (may_use(waiter, i, usable))
			return NULL;
		tried = tried || (was_tried(waiter->ask, i) &&
		                  server_state(waiter->up->servers[i].server) == usable);
	}
	return tried ? &exhausted : &down;
}

/* Where in the waiter's upstream this server is, if it may use it; or -1. */
static ptrdiff_t place_of(const Waiter *waiter, const Server *server)
{
	for (size_t i = 0; i < waiter->up->count; i++)
		if (waiter->up->servers[i].server == server)
			return may_use(waiter, i, usable_state(waiter->up)) ? (ptrdiff_t)i : -1;
	return -1;
}

static bool is_all_full(const Upstream *up)
{
	for (size_t i = 0; i < up->count; i++)
		if (slot_free(up, i))
			return false;
	return true;
}

/* --- serving -------------------------------------------------------------------------------------------------------- */

static void waiter_wake(void *arg)
{
	Waiter *waiter = arg;

	waiter->woken = true;
	fiber_wake(waiter->fiber);
}

/* Under the lock. */
static void take_out(Waiter *waiter)
{
	Trunk *trunk = waiter->up->trunk;

	list_remove(&waiter->node);
	trunk->guests -= waiter->guest;
	__atomic_sub_fetch(&trunk->waiting, 1, __ATOMIC_SEQ_CST);
}

static void serve(Waiter *waiter, LoopFn *arrive)
{
	take_out(waiter);
	waiter->served = true;
	if (waiter->loop == loop_self())
		waiter_wake(waiter);
	else
		loop_post(waiter->loop, arrive, waiter);
}

static bool takes_a_slot(Waiter *waiter)
{
	ptrdiff_t i = roomy_server(waiter);

	if (i < 0 || !slot_take(waiter->up, (size_t)i))
		return false;
	waiter->i = (size_t)i;
	return true;
}

/* Gives the slots that are free to those who wait, in order. A long line is not walked for nothing: behind the first who
 * goes by the configuration in force and finds all full, everybody would. */
static void serve_line(Trunk *trunk)
{
	Node *at, *next;

	pthread_mutex_lock(&trunk->lock);
	for (at = trunk->waiters.head.next; at != &trunk->waiters.head; at = next) {
		Waiter *waiter = CONTAINER(at, Waiter, node);

		next = at->next;
		if (waiter->up == trunk->enforced && is_all_full(waiter->up))
			break;
		if (takes_a_slot(waiter))
			serve(waiter, waiter_wake);
	}
	pthread_mutex_unlock(&trunk->lock);
}

static bool someone_waits(const Trunk *trunk)
{
	return __atomic_load_n(&trunk->waiting, __ATOMIC_SEQ_CST) > 0;
}

bool queue_is_empty(const Trunk *trunk)
{
	return !someone_waits(trunk);
}

void queue_serve(Trunk *trunk)
{
	if (someone_waits(trunk))
		serve_line(trunk);
}

void slot_give(Server *server)
{
	Trunk *trunk = server->trunk;

	__atomic_sub_fetch(&server->connections, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&trunk->connections, 1, __ATOMIC_SEQ_CST);
	queue_serve(trunk);
}

void queue_look_again(Trunk *trunk)
{
	if (!someone_waits(trunk))
		return;
	pthread_mutex_lock(&trunk->lock);
	LIST_EACH (&trunk->waiters, Waiter, node, waiter) {
		waiter->err = nowhere(waiter);
		if (waiter->err)
			serve(waiter, waiter_wake);
	}
	pthread_mutex_unlock(&trunk->lock);
	serve_line(trunk);
}

/* --- handing over --------------------------------------------------------------------------------------------------- */

/* On the waiter's loop: a connection from another. If it cannot be watched here its slot is still the waiter's. */
static void waiter_receive(void *arg)
{
	Waiter *waiter = arg;

	if (!pool_arrive(waiter->pooled))
		waiter->pooled = NULL;
	waiter_wake(waiter);
}

/* A request that must not use this connection gets its place: the connection ends. */
static void hand_to(Waiter *waiter, Pooled *pooled)
{
	if (!pool_suits(pooled, waiter->up, waiter->ask)) {
		pool_drop(pooled);
		return;
	}
	waiter->pooled = pooled;
	if (pooled->h2) {
		pooled->promised++;
		return;
	}
	list_remove(&pooled->node);
	if (waiter->loop != loop_self())
		pool_leave(pooled);
}

/* An HTTP/2 connection, and a waiter that cannot use it because it is elsewhere: is its turn due? One yields at a time. */
static bool yields_to(Pooled *pooled, const Waiter *waiter)
{
	bool *yielding = &pooled->server->trunk->yielding;

	if (loop_now_us() - waiter->since_us < TURN_US || loop_now_us() < pooled->peace_us ||
	    __atomic_exchange_n(yielding, true, __ATOMIC_ACQ_REL))
		return false;
	pooled->yields = true;
	pooled->peace_us = loop_now_us() + YIELD_US + PEACE_US;
	timer_set(&pooled->idle, loop_now_us() + YIELD_US);
	return true;
}

/* Under the lock: the first in line that may use it, or NULL. */
static Waiter *first_for(Trunk *trunk, Pooled *pooled)
{
	for (Node *at = trunk->waiters.head.next; at != &trunk->waiters.head; at = at->next) {
		Waiter *waiter = CONTAINER(at, Waiter, node);
		ptrdiff_t i = place_of(waiter, pooled->server);

		if (i < 0)
			continue;
		waiter->i = (size_t)i;
		if (!pooled->h2 ||
		    (waiter->loop == loop_self() && pool_suits(pooled, waiter->up, waiter->ask)))
			return waiter;
		if (yields_to(pooled, waiter))
			return NULL;
	}
	return NULL;
}

bool queue_hand_over(Pooled *pooled)
{
	Trunk *trunk = pooled->server->trunk;
	Waiter *waiter;

	if (!someone_waits(trunk))
		return false;
	pthread_mutex_lock(&trunk->lock);
	waiter = pooled->yields ? NULL : first_for(trunk, pooled);
	if (waiter) {
		hand_to(waiter, pooled);
		serve(waiter, waiter->pooled ? waiter_receive : waiter_wake);
	}
	pthread_mutex_unlock(&trunk->lock);
	return waiter;
}

/* It waits because none of its servers has room, or there is none for all: would one connection less change that? */
static bool gains(const Waiter *waiter, const Server *server)
{
	BalanceState usable = usable_state(waiter->up);

	for (size_t i = 0; i < waiter->up->count; i++)
		if (may_use(waiter, i, usable) &&
		    (server_has_room(waiter->up, i) || waiter->up->servers[i].server == server))
			return true;
	return false;
}

bool queue_wants(const Server *server)
{
	Trunk *trunk = server->trunk;
	bool wanted = false;

	if (!someone_waits(trunk))
		return false;
	pthread_mutex_lock(&trunk->lock);
	for (Node *at = trunk->waiters.head.next; at != &trunk->waiters.head && !wanted;
	     at = at->next)
		wanted = gains(CONTAINER(at, Waiter, node), server);
	pthread_mutex_unlock(&trunk->lock);
	return wanted;
}

/* --- asking other loops --------------------------------------------------------------------------------------------- */

/* A round of questions to the other loops that have idle connections. */
typedef struct Round {
	Upstream *up; /* counted */
	Loop *home;
	uint64_t guest; /* who may not be there any more when it is over; 0: none is to be told */
	unsigned left;  /* atomic */
} Round;

static uint32_t idle_on(const Upstream *up, unsigned loop)
{
	uint32_t idle = 0;

	for (size_t i = 0; i < up->count; i++)
		idle += __atomic_load_n(&up->servers[i].server->loops[loop].idle, __ATOMIC_SEQ_CST);
	return idle;
}

/* Home again: a guest who is still in line has nothing to wait for, unless the line is shorter by now. */
static void round_over(void *arg)
{
	Round *round = arg;
	Trunk *trunk = round->up->trunk;

	pthread_mutex_lock(&trunk->lock);
	LIST_EACH (&trunk->waiters, Waiter, node, waiter) {
		if (waiter->id != round->guest)
			continue;
		if (trunk->waiting - trunk->guests >= waiter->up->conf->queue.length) {
			waiter->err = &busy;
			serve(waiter, waiter_wake);
		} else {
			waiter->guest = false;
			trunk->guests--;
		}
	}
	pthread_mutex_unlock(&trunk->lock);
	upstream_unref(round->up);
	free(round);
}

static void one_less(Round *round)
{
	if (__atomic_sub_fetch(&round->left, 1, __ATOMIC_ACQ_REL))
		return;
	if (round->guest) {
		loop_post(round->home, round_over, round);
		return;
	}
	upstream_unref(round->up);
	free(round);
}

static void asked(void *arg)
{
	Round *round = arg;

	pool_offer(round->up);
	one_less(round);
}

static void ask_other_loops(Waiter *waiter)
{
	Round *round = zeroed(1, sizeof *round);

	*round =
		(Round){ upstream_ref(waiter->up), loop_self(), waiter->guest ? waiter->id : 0, 1 };
	for (unsigned i = 0; i < rt_loops(); i++) {
		if (rt_loop(i) == loop_self() || !idle_on(waiter->up, i))
			continue;
		__atomic_add_fetch(&round->left, 1, __ATOMIC_RELAXED);
		loop_post(rt_loop(i), asked, round);
	}
	one_less(round);
}

static bool has_idle(const Upstream *up)
{
	for (unsigned i = 0; i < rt_loops(); i++)
		if (idle_on(up, i))
			return true;
	return false;
}

/* --- waiting -------------------------------------------------------------------------------------------------------- */

static bool join_line(Waiter *waiter)
{
	Trunk *trunk = waiter->up->trunk;
	bool joined;

	pthread_mutex_lock(&trunk->lock);
	waiter->guest = trunk->waiting - trunk->guests >= waiter->up->conf->queue.length;
	joined = !waiter->guest || has_idle(waiter->up);
	if (joined) {
		waiter->id = ++trunk->last_waiter;
		trunk->guests += waiter->guest;
		list_add(&trunk->waiters, &waiter->node);
		__atomic_add_fetch(&trunk->waiting, 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&trunk->lock);
	return joined;
}

/* What was promised to a waiter is a call of its own from now on. */
static void begins(Pooled *pooled)
{
	if (pooled && pooled->h2)
		pooled->promised--;
}

/* Gone after a time-out or a cancel. What it was given meanwhile arrives first, and goes to the next. */
static void leave_line(Waiter *waiter)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);
	bool served;

	pthread_mutex_lock(&waiter->up->trunk->lock);
	served = waiter->served;
	if (!served)
		take_out(waiter);
	pthread_mutex_unlock(&waiter->up->trunk->lock);
	if (!served)
		return;
	while (!waiter->woken)
		if (fiber_park())
			break; /* cannot be: shielded */
	if (waiter->err)
		return;
	begins(waiter->pooled);
	if (waiter->pooled)
		pool_give(waiter->up, waiter->pooled);
	else
		slot_give(waiter->up->servers[waiter->i].server);
}

static Err *stand_in_line(Waiter *waiter)
{
	int64_t timeout_us = waiter->up->conf->queue.timeout_us;
	AUTO(deadline_end) Deadline limit = deadline_begin(timeout_us);
	int64_t late_us = loop_now_us() + timeout_us;
	Err *err = NULL;

	if (!join_line(waiter))
		return &busy;
	serve_line(waiter->up->trunk);
	if (!waiter->woken)
		pool_offer(waiter->up);
	if (!waiter->woken && (waiter->guest || has_idle(waiter->up)))
		ask_other_loops(waiter);
	if (!waiter->woken && !waiter->guest)
		metric_add(waiter->up->trunk->queued, 1);
	while (!waiter->woken && !err)
		err = fiber_park();
	if (!err) {
		begins(waiter->pooled);
		return waiter->err;
	}
	leave_line(waiter);
	return err_is(err, "rt.deadline") && loop_now_us() >= late_us ? &busy : err;
}

Err *queue_wait(Upstream *up, const LeaseAsk *ask, Pooled **pooled, size_t *i)
{
	Waiter waiter = {
		.loop = loop_self(),
		.fiber = fiber_self(),
		.up = up,
		.ask = ask,
		.since_us = loop_now_us(),
	};
	Err *err = nowhere(&waiter);

	err = err ? err : stand_in_line(&waiter);
	if (err == &busy)
		metric_add(up->trunk->refused, 1);
	*pooled = waiter.pooled;
	*i = waiter.i;
	return err;
}
