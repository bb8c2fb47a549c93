/* SPDX-License-Identifier: Apache-2.0
 *
 * A leaky bucket, and on top of it a wait that grows.
 *
 * For an account the wait doubles with each try above the free ones, so that a person who mistypes waits seconds and one who
 * guesses is down to a few tries an hour. For an address, a network and all together there is no doubling: many people may be
 * behind one, and the bucket's own rate is the limit. Tries are counted before their result is known, and given back when it was
 * good: otherwise many at once would all pass before the first is counted. */
#include "user/throttle.h"

static double level_now(const ThrottleRule *rule, const Throttle *t, int64_t now_us)
{
	double fallen = (double)MAX(0, now_us - t->at_us) / (double)rule->forget_us;

	return MAX(0.0, t->level - fallen);
}

/* Of tries above the free ones: delay, twice that, four times that. */
static int64_t grown_us(const ThrottleRule *rule, double above)
{
	int64_t wait = rule->delay_us;

	for (; above >= 0.5 && wait < rule->most_us;
	     above -= 1.0) /* what was forgotten since counts half */
		wait *= 2;
	return MIN(wait, rule->most_us);
}

int64_t throttle_wait_us(const ThrottleRule *rule, const Throttle *t, int64_t now_us)
{
	double level, above;
	int64_t until;

	if (!rule->free)
		return 0;
	level = level_now(rule, t, now_us);
	above = level - (double)rule->free;
	if (level + 1.0 <= (double)rule->free)
		return 0;
	if (!rule->delay_us)
		return (int64_t)((above + 1.0) * (double)rule->forget_us) + 1;
	until = t->at_us + grown_us(rule, MAX(0.0, t->level - (double)rule->free));
	return MAX(0, until - now_us);
}

void throttle_take(const ThrottleRule *rule, Throttle *t, int64_t now_us)
{
	if (!rule->free)
		return;
	*t = (Throttle){ level_now(rule, t, now_us) + 1.0, MAX(t->at_us, now_us) };
}

void throttle_give(const ThrottleRule *rule, Throttle *t, int64_t now_us)
{
	if (!rule->free)
		return;
	t->level = MAX(0.0, level_now(rule, t, now_us) - 1.0);
	t->at_us = MAX(t->at_us, now_us);
}
