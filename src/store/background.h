/* SPDX-License-Identifier: Apache-2.0
 *
 * Fibers, on any loop, that must have ended before something is freed. Counted; in place in what they use. */
#pragma once
#include "rt/loop.h"

typedef struct Background {
	uint32_t count; /* atomic: of fibers, and one for being open */
	Fiber *closer;  /* of its own loop only, once it waits */
	Loop *loop;
} Background;

void background_init(Background *b);
/* fiber_start, counted. Fails as that does. fn's last deed is background_end. */
Err *background_start(Background *b, FiberMain *fn, void *arg, const char *name) MUST_USE;
void background_end(Background *b); /* nothing of `b` may be touched after */
/* Parks, shielded, until all have ended. None may be started any more: tell them first. */
void background_await(Background *b);
