/* SPDX-License-Identifier: Apache-2.0
 *
 * A count in which the owner is one: whoever brings it to zero was the last, and if that is not the owner, it wakes it. The
 * owner frees; so the last fiber must be done with the count before the owner goes on, which a message to its loop, sent
 * after the last touch, sees to. */
#include "store/background.h"

void background_init(Background *b)
{
	*b = (Background){ .count = 1 };
}

Err *background_start(Background *b, FiberMain *fn, void *arg, const char *name)
{
	TRY(fiber_start(fn, arg, name));
	__atomic_fetch_add(&b->count, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void wake(void *arg)
{
	Background *b = arg;

	fiber_wake(TAKE(b->closer));
}

void background_end(Background *b)
{
	if (__atomic_sub_fetch(&b->count, 1, __ATOMIC_ACQ_REL) == 0)
		loop_post(b->loop, wake, b); /* set before the owner took its one away */
}

void background_await(Background *b)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	b->closer = fiber_self();
	b->loop = loop_self();
	if (__atomic_sub_fetch(&b->count, 1, __ATOMIC_ACQ_REL) == 0)
		b->closer = NULL;
	while (b->closer)
		if (fiber_park())
			break; /* cannot be: shielded, no deadline */
}
