/* SPDX-License-Identifier: Apache-2.0
 *
 * Breaker: is somebody worth asking? Closed, until failures in a row have opened it; open, it says no to all but the one
 * who tries on, after a wait that doubles each time. Pure: the clock is the caller's; one thread. */
#pragma once
#include "base/util.h"

typedef struct BreakerConf {
	uint32_t failures; /* in a row; at least 1 */
	int64_t wait_us;   /* the first; at least 1 */
	int64_t wait_max_us;
} BreakerConf;

typedef struct Breaker {
	bool open;
	uint32_t failures; /* in a row */
	uint32_t tries;    /* waits in a row */
	int64_t try_at_us; /* of an open one: not before */
	int64_t closed_at_us;
} Breaker;

/* Half to one and a half of first_us * 2^(tries - 1), at most max_us and a half; tries from 1. */
int64_t breaker_wait_us(int64_t first_us, int64_t max_us, unsigned tries);

/* True when this failure has opened it. */
bool breaker_failed(Breaker *b, const BreakerConf *conf, int64_t now_us);
/* As when it failed often enough; an open one waits anew, longer. True when it was closed. */
bool breaker_trip(Breaker *b, const BreakerConf *conf, int64_t now_us);
void breaker_worked(Breaker *b); /* an answer came: failures are no longer in a row */
/* A try has worked. True when it was open. Waits begin at the first again only when it then stays closed for wait_max_us. */
bool breaker_close(Breaker *b, int64_t now_us);
