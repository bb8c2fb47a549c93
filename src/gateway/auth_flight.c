/* SPDX-License-Identifier: Apache-2.0
 *
 * The first to ask leads; whoever comes while it asks waits, on whatever loop. When the leader's request is given up, one that
 * waits leads in its place.
 *
 * A good answer counts for all who wait, as it would from a cache. "Nobody" does not: it may be the answer from before a login,
 * and whoever came after the question was asked may have logged in meanwhile. Those ask once more, together; as all came before
 * that second question its answer is everybody's. So N requests at once cost two questions at most.
 *
 * A waiter is counted and not in its fiber's frame, for the word that wakes it may be on its way to another loop when its
 * request is given up: then it finds no fiber. */
#include "gateway/auth_flight.h"

#include "base/arena.h"
#include "base/json_keep.h"
#include "base/map.h"
#include "rt/loop.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct Waiter {
	unsigned refs; /* atomic */
	Node node;     /* in its flight, under the lock */
	Loop *loop;
	/* on that loop */
	Fiber *fiber; /* NULL: it has left */
	bool woken;
} Waiter;

typedef struct Flight {
	unsigned refs; /* under the lock */
	AuthId id;
	uint64_t asked;
	bool over;
	FlightAnswer answer; /* once it is over */
	List waiters;
} Flight;

struct AuthFlights {
	pthread_mutex_t lock; /* of all below and of flights */
	Map by_id;
	uint64_t clock; /* of what came first */
};

AuthFlights *auth_flights_new(void)
{
	AuthFlights *flights = calloc(1, sizeof *flights);

	if (!flights)
		abort();
	pthread_mutex_init(&flights->lock, NULL);
	return flights;
}

void auth_flights_free(AuthFlights *flights)
{
	if (!flights)
		return;
	map_fini(&flights->by_id);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

static Str key_of(const AuthId *id)
{
	return (Str){ (const char *)id->at, sizeof id->at };
}

/* --- waiters ------------------------------------------------------------------------------------------------------------ */

static void waiter_unref(Waiter *waiter)
{
	if (!__atomic_sub_fetch(&waiter->refs, 1, __ATOMIC_ACQ_REL))
		free(waiter);
}

static Waiter *waiter_new(void)
{
	Waiter *waiter = calloc(1, sizeof *waiter);

	if (!waiter)
		abort();
	*waiter = (Waiter){ .refs = 1, .loop = loop_self(), .fiber = fiber_self() };
	return waiter;
}

static void wake(void *arg)
{
	Waiter *waiter = arg;

	waiter->woken = true;
	if (waiter->fiber)
		fiber_wake(waiter->fiber);
	waiter_unref(waiter);
}

/* --- flights ------------------------------------------------------------------------------------------------------------ */

/* Under the lock. */
static void flight_unref(Flight *flight)
{
	if (--flight->refs)
		return;
	if (flight->answer.claims)
		json_let_go(flight->answer.claims);
	free(flight);
}

/* Under the lock. */
static Flight *flight_new(AuthFlights *flights, AuthId id)
{
	Flight *flight = calloc(1, sizeof *flight);

	if (!flight)
		abort();
	*flight = (Flight){ .refs = 1, .id = id, .asked = ++flights->clock };
	list_init(&flight->waiters);
	map_put(&flights->by_id, key_of(&flight->id), flight);
	return flight;
}

/* NULL: the caller leads. */
static Waiter *board(AuthFlight *f)
{
	AuthFlights *flights = f->flights;
	Waiter *waiter = NULL;

	pthread_mutex_lock(&flights->lock);
	if (!f->came)
		f->came = ++flights->clock;
	f->flight = map_get(&flights->by_id, key_of(&f->id));
	if (f->flight) {
		waiter = waiter_new();
		f->flight->refs++;
		list_add(&f->flight->waiters, &waiter->node);
		waiter->refs++;
	} else {
		f->flight = flight_new(flights, f->id);
	}
	pthread_mutex_unlock(&flights->lock);
	f->leads = !waiter;
	return waiter;
}

/* The list's reference is the one that goes with the post. */
static void leave(AuthFlights *flights, Waiter *waiter)
{
	bool listed;

	waiter->fiber = NULL;
	pthread_mutex_lock(&flights->lock);
	listed = node_linked(&waiter->node);
	list_remove(&waiter->node);
	pthread_mutex_unlock(&flights->lock);
	if (listed)
		waiter_unref(waiter);
	waiter_unref(waiter);
}

static Err *await(AuthFlights *flights, Waiter *waiter)
{
	Err *err = NULL;

	while (!waiter->woken && !err)
		err = fiber_park();
	leave(flights, waiter);
	return err;
}

static void let_go(void *claims)
{
	json_let_go(claims);
}

/* What the flight brought for this one; false: nothing. Lets the flight go. */
static bool arrive(AuthFlight *f, Arena *a, FlightAnswer *answer)
{
	Flight *flight = f->flight;
	bool counts;

	pthread_mutex_lock(&f->flights->lock);
	counts = flight->over && flight->answer.outcome != FLIGHT_LOST &&
	         (flight->answer.outcome != FLIGHT_NO || f->came < flight->asked);
	if (counts)
		*answer = flight->answer;
	if (counts && answer->claims)
		answer->claims = json_keep(answer->claims);
	flight_unref(flight);
	pthread_mutex_unlock(&f->flights->lock);
	f->flight = NULL;
	if (counts && answer->claims)
		arena_defer(a, let_go, (void *)answer->claims);
	return counts;
}

Err *auth_flight_join(AuthFlight *f, Arena *a, FlightAnswer *answer)
{
	Waiter *waiter;

	while ((waiter = board(f))) {
		Err *err = await(f->flights, waiter);

		if (arrive(f, a, answer) && !err)
			return NULL;
		TRY(err);
	}
	return NULL;
}

void auth_flight_tell(AuthFlight *f, const FlightAnswer *answer)
{
	Flight *flight = f->flight;
	Waiter *waiter;

	pthread_mutex_lock(&f->flights->lock);
	map_remove(&f->flights->by_id, key_of(&flight->id));
	flight->over = true;
	flight->answer = *answer;
	if (answer->claims)
		flight->answer.claims = json_keep(answer->claims);
	while ((waiter = LIST_TAKE(&flight->waiters, Waiter, node)))
		loop_post(waiter->loop, wake, waiter);
	flight_unref(flight);
	pthread_mutex_unlock(&f->flights->lock);
	f->flight = NULL;
}

void auth_flight_end(AuthFlight *f)
{
	if (f->leads && f->flight)
		auth_flight_tell(f, &(FlightAnswer){ .outcome = FLIGHT_LOST });
}
