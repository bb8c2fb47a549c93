/* SPDX-License-Identifier: Apache-2.0
 *
 * Flights: loads under way. Who misses a key that is being loaded waits for that load instead of making one. Any loop. */
#pragma once
#include "rt/loop.h"
#include "store/cache_memory.h"
#include "store/coarse.h"

typedef struct CacheFlights CacheFlights;

typedef struct CacheFlight {
	Node node;     /* guarded: among those that may be joined */
	uint64_t hash; /* the process's own */
	Str key;
	uint64_t born;      /* the clock of stamps when it began */
	int64_t started_us; /* coarse */
	uint32_t refs;      /* atomic */
	bool landed;        /* guarded */
	List waiters;       /* guarded */
	/* Set before it lands, and never again: */
	bool given_up; /* its leader left: somebody else must load */
	CacheItem *item;
	Err *err; /* of `arena` */
	Arena *arena;
} CacheFlight;

CacheFlights *cache_flights_new(void);
void cache_flights_free(CacheFlights *flights); /* none is under way */

/* May one that misses now wait for it? Called with a lock held. */
typedef bool CacheMayJoin(const CacheFlight *flight, const void *arg);
/* The flight of this key that may be joined; or a new one, which the caller leads: it must land it. A reference is the
 * caller's. */
CacheFlight *cache_flight_join(CacheFlights *flights, Str key, uint64_t born, int64_t now_us,
                               CacheMayJoin *may, const void *arg, bool *leads);
/* A reference to the item is taken, the error is copied; neither: given up. */
void cache_flight_land(CacheFlights *flights, CacheFlight *flight, CacheItem *item, const Err *err);
/* Lands without a word if nobody waits for it; false: somebody does, and it is still under way. */
bool cache_flight_land_alone(CacheFlights *flights, CacheFlight *flight);
Err *cache_flight_await(CacheFlights *flights, CacheFlight *flight) MUST_USE; /* parks */
void cache_flight_unref(CacheFlight *flight);
void cache_flight_unrefp(CacheFlight **flight);
