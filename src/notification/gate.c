/* SPDX-License-Identifier: Apache-2.0
 *
 * A place inside is handed from who leaves to the first who waits, by a message to its loop: the count does not change, so nobody can
 * slip in between. A waiter stands in its fiber's frame. One that is cancelled while its message is under way waits for that message
 * first, and passes the place on. */
#include "notification/gate.h"

#include "base/time.h"
#include "rt/loop.h"

typedef struct Waiter {
	Node node;
	Fiber *fiber;
	Loop *loop;
	bool granted; /* under the gate's lock */
	bool arrived; /* of the fiber's loop only */
} Waiter;

void gate_init(Gate *gate, uint32_t most)
{
	pthread_mutex_init(&gate->lock, NULL);
	gate->most = most;
	gate->inside = 0;
	list_init(&gate->waiters);
}

void gate_fini(Gate *gate)
{
	pthread_mutex_destroy(&gate->lock);
}

static void arrive(void *arg)
{
	Waiter *w = arg;

	w->arrived = true;
	fiber_wake(w->fiber);
}

/* Cancelled: out of the queue, or the place that was just granted is passed on. */
static void give_up(Gate *gate, Waiter *w)
{
	bool granted;

	pthread_mutex_lock(&gate->lock);
	granted = w->granted;
	if (!granted)
		list_remove(&w->node);
	pthread_mutex_unlock(&gate->lock);
	if (!granted)
		return;
	{
		AUTO(shield_end) Shield shield = shield_begin(60 * US_PER_S);

		while (!w->arrived) {
			Err *err = fiber_park();

			(void)err;
		}
	}
	gate_leave(gate);
}

Err *gate_enter(Gate *gate)
{
	Waiter w = { .fiber = fiber_self(), .loop = loop_self() };
	bool in;

	pthread_mutex_lock(&gate->lock);
	in = !gate->most || (gate->inside < gate->most && list_empty(&gate->waiters));
	if (in)
		gate->inside++;
	else
		list_add(&gate->waiters, &w.node);
	pthread_mutex_unlock(&gate->lock);
	while (!in && !w.arrived) {
		Err *err = fiber_park();

		if (err) {
			give_up(gate, &w);
			return err;
		}
	}
	return NULL;
}

void gate_leave(Gate *gate)
{
	Waiter *w;

	pthread_mutex_lock(&gate->lock);
	w = LIST_TAKE(&gate->waiters, Waiter, node);
	if (w)
		w->granted = true;
	else
		gate->inside--;
	pthread_mutex_unlock(&gate->lock);
	if (w)
		loop_post(w->loop, arrive, w);
}

uint32_t gate_inside(Gate *gate)
{
	uint32_t inside;

	pthread_mutex_lock(&gate->lock);
	inside = gate->inside;
	pthread_mutex_unlock(&gate->lock);
	return inside;
}
