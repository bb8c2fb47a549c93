/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing one server of an upstream. Pure functions over the caller's array: no I/O, no clock, no allocation. Each loop
 * has its own array and its own view of what is in flight. */
#pragma once
#include "base/str.h"

typedef enum BalanceKind {
	BALANCE_ROUND_ROBIN,   /* smooth weighted */
	BALANCE_LEAST_REQUEST, /* fewest in flight for its weight; ties at random, by weight */
	BALANCE_EWMA, /* least expected wait: peak-sensitive moving average times what is in flight */
	BALANCE_HASH, /* the same key, the same server: weighted rendezvous; a server that goes moves only its own keys */
} BalanceKind;

typedef enum BalanceState {
	BALANCE_UP,
	BALANCE_SLOW, /* answers too late for its checks: used only when no server is up */
	BALANCE_DOWN, /* refuses, or answers wrongly: never used */
} BalanceState;

/* What is known of a server by the requests it was given. */
typedef struct BalanceLoad {
	uint32_t in_flight; /* requests of this loop (or of all, if the owner knows) */
	int64_t ewma_us;    /* 0: nothing known yet */
	int64_t ewma_at_us;
} BalanceLoad;

typedef struct BalanceServer {
	uint64_t hash;   /* balance_hash() of its address: the same in every process */
	uint32_t weight; /* in any unit, see balance_share; 0: drained, takes nothing new */
	uint8_t state;   /* BalanceState */
	bool full;       /* at its own limit: passed over, but not an absence */
	int64_t turn;    /* round robin's own */
	BalanceLoad load;
} BalanceServer;

enum {
	BALANCE_NONE_UP = -1, /* 503 upstream.down */
	BALANCE_ALL_FULL =
		-2, /* a server is up, but all such are full: wait in the queue, or 503 upstream.busy */
	BALANCE_ALL_TRIED = -3, /* every server that is up was tried already */
	BALANCE_FULL_SCAN =
		4, /* up to so many servers all are compared, above two chosen at random */
};

typedef struct BalancePick {
	BalanceKind kind;
	uint64_t key;          /* BALANCE_HASH */
	int64_t now_us;        /* BALANCE_EWMA */
	const uint16_t *tried; /* indexes that this request has been to */
	size_t tried_count;
} BalancePick;

/* Index of the server to use, or one of the negative numbers above. Never a server of weight 0, DOWN, full or tried. When
 * no server is UP those that are SLOW are used: a monolith that is too busy to answer its checks in time is better used
 * than shut off, which would turn slowness into an outage; one that refuses is not. Uses rand_u64 of this thread.
 * O(count). */
int balance_pick(BalanceServer *servers, size_t count, const BalancePick *pick);

/* The same, were all of them full: BALANCE_ALL_FULL when there is one that may be used. */
int balance_none(const BalanceServer *servers, size_t count, const BalancePick *pick);

/* A weight as BalanceServer's, in thousandths: less for a server that came back since_us ago and gets its full share after
 * slow_start_us; never less than a tenth, unless it is 0. */
uint32_t balance_share(uint16_t weight, int64_t since_us, int64_t slow_start_us);

/* Starts round robin at a random place, so that loops and processes do not all begin with the first server. */
void balance_start(BalanceServer *servers, size_t count);
/* A request to it has been answered (the head came) after took_us; a failure counts as its time limit. */
void balance_observe(BalanceLoad *load, int64_t now_us, int64_t took_us);

uint64_t balance_hash(
	Str text); /* for BalanceServer.hash and BalancePick.key; the same everywhere and for ever */
