/* SPDX-License-Identifier: Apache-2.0
 *
 * Stripes by hash, each a lock and a short list: as many flights as there are misses at one moment. A waiter is in the frame
 * of its fiber. Landing takes all waiters off the list and wakes each, by a message where it is on another loop; one that
 * leaves before takes itself off, one that leaves after waits for that message, which is on its way (as rt/work.c does). */
#include "store/cache_flight.h"

#include "base/arena.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STRIPES = 64 };

typedef struct Stripe {
	pthread_mutex_t lock;
	List flights;
} __attribute__((aligned(64))) Stripe;

struct CacheFlights {
	Stripe stripes[STRIPES];
};

typedef struct Waiter {
	Node node; /* guarded: in flight->waiters */
	Loop *loop;
	Fiber *fiber;
	bool told; /* its loop's only */
} Waiter;

CacheFlights *cache_flights_new(void)
{
	CacheFlights *flights = aligned_alloc(64, sizeof *flights);

	if (!flights)
		abort();
	for (size_t i = 0; i < STRIPES; i++) {
		pthread_mutex_init(&flights->stripes[i].lock, NULL);
		list_init(&flights->stripes[i].flights);
	}
	return flights;
}

void cache_flights_free(CacheFlights *flights)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&flights->stripes[i].lock);
	free(flights);
}

static Stripe *stripe_of(CacheFlights *flights, uint64_t hash)
{
	return &flights->stripes[(hash >> 48) % STRIPES];
}

static CacheFlight *flight_new(uint64_t hash, Str key, uint64_t born, int64_t now_us)
{
	CacheFlight *flight = malloc(sizeof *flight + key.len);

	if (!flight)
		abort();
	*flight = (CacheFlight){ .hash = hash,
		                 .key = { (const char *)(flight + 1), key.len },
		                 .born = born,
		                 .started_us = now_us,
		                 .refs = 1 };
	memcpy(flight + 1, key.at, key.len);
	list_init(&flight->waiters);
	return flight;
}

void cache_flight_unref(CacheFlight *flight)
{
	if (!flight || __atomic_sub_fetch(&flight->refs, 1, __ATOMIC_ACQ_REL))
		return;
	cache_item_unref(flight->item);
	arena_free(flight->arena);
	free(flight);
}

void cache_flight_unrefp(CacheFlight **flight)
{
	cache_flight_unref(*flight);
	*flight = NULL;
}

CacheFlight *cache_flight_join(CacheFlights *flights, Str key, uint64_t born, int64_t now_us,
                               CacheMayJoin *may, const void *arg, bool *leads)
{
	uint64_t hash = hash_str(key);
	Stripe *stripe = stripe_of(flights, hash);
	CacheFlight *found = NULL;

	pthread_mutex_lock(&stripe->lock);
	LIST_EACH (&stripe->flights, CacheFlight, node, flight)
		if (flight->hash == hash && str_eq(flight->key, key))
			found = flight;
	if (found && !may(found, arg)) {
		list_remove(&found->node);
		found = NULL;
	}
	*leads = !found;
	if (!found) {
		found = flight_new(hash, key, born, now_us);
		list_add(&stripe->flights, &found->node);
	} else {
		__atomic_fetch_add(&found->refs, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&stripe->lock);
	return found;
}

static void tell(void *arg)
{
	Waiter *waiter = arg;

	waiter->told = true;
	fiber_wake(waiter->fiber);
}

void cache_flight_land(CacheFlights *flights, CacheFlight *flight, CacheItem *item, const Err *err)
{
	Stripe *stripe = stripe_of(flights, flight->hash);

	flight->given_up = !item && !err;
	flight->item = item ? cache_item_ref(item) : NULL;
	if (err) {
		flight->arena = arena_new(0);
		flight->err = err_copy(flight->arena, err);
	}
	pthread_mutex_lock(&stripe->lock);
	list_remove(&flight->node);
	flight->landed = true;
	LIST_EACH (&flight->waiters, Waiter, node, waiter) {
		list_remove(&waiter->node);
		if (waiter->loop == loop_self())
			tell(waiter);
		else
			loop_post(waiter->loop, tell,
			          waiter); /* it may be gone the moment it has this */
	}
	pthread_mutex_unlock(&stripe->lock);
}

bool cache_flight_land_alone(CacheFlights *flights, CacheFlight *flight)
{
	Stripe *stripe = stripe_of(flights, flight->hash);
	bool alone;

	pthread_mutex_lock(&stripe->lock);
	alone = __atomic_load_n(&flight->refs, __ATOMIC_RELAXED) == 1;
	if (alone)
		list_remove(&flight->node);
	flight->landed = alone;
	pthread_mutex_unlock(&stripe->lock);
	return alone;
}

static bool withdraw(Stripe *stripe, Waiter *waiter)
{
	bool waits;

	pthread_mutex_lock(&stripe->lock);
	waits = node_linked(&waiter->node);
	list_remove(&waiter->node);
	pthread_mutex_unlock(&stripe->lock);
	return waits;
}

Err *cache_flight_await(CacheFlights *flights, CacheFlight *flight)
{
	Stripe *stripe = stripe_of(flights, flight->hash);
	Waiter waiter = { .loop = loop_self(), .fiber = fiber_self() };
	bool landed;
	Err *err = NULL;

	pthread_mutex_lock(&stripe->lock);
	landed = flight->landed;
	if (!landed)
		list_add(&flight->waiters, &waiter.node);
	pthread_mutex_unlock(&stripe->lock);
	while (!landed && !waiter.told && !err)
		err = fiber_park();
	if (err && !waiter.told && !withdraw(stripe, &waiter)) {
		AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

		while (!waiter.told)
			if (fiber_park())
				continue; /* cannot be: shielded, no deadline */
	}
	return waiter.told ? NULL : err;
}
