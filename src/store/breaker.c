/* SPDX-License-Identifier: Apache-2.0
 *
 * Waits are spread over half to one and a half of their length, so that those who lost a server at one moment do not
 * return to it at one moment. A server that answers a try and fails again at once has not recovered: its waits go on
 * growing where they were. */
#include "store/breaker.h"

#include "base/rand.h"

int64_t breaker_wait_us(int64_t first_us, int64_t max_us, unsigned tries)
{
	int64_t wait_us = MAX(first_us, INT64_C(1));

	for (unsigned i = 1; i < tries && wait_us < max_us; i++)
		wait_us *= 2;
	wait_us = MIN(wait_us, MAX(max_us, INT64_C(1)));
	return wait_us / 2 + (int64_t)rand_below((uint64_t)wait_us) + 1;
}

bool breaker_trip(Breaker *b, const BreakerConf *conf, int64_t now_us)
{
	bool was_closed = !b->open;

	if (was_closed && b->tries && now_us - b->closed_at_us >= conf->wait_max_us)
		b->tries = 0;
	b->open = true;
	b->failures = 0;
	b->tries = MIN(b->tries + 1, 64u);
	b->try_at_us = now_us + breaker_wait_us(conf->wait_us, conf->wait_max_us, b->tries);
	return was_closed;
}

bool breaker_failed(Breaker *b, const BreakerConf *conf, int64_t now_us)
{
	if (b->open || ++b->failures < conf->failures)
		return false;
	return breaker_trip(b, conf, now_us);
}

void breaker_worked(Breaker *b)
{
	b->failures = 0;
}

bool breaker_close(Breaker *b, int64_t now_us)
{
	bool was_open = b->open;

	b->open = false;
	b->failures = 0;
	if (was_open)
		b->closed_at_us = now_us;
	return was_open;
}
