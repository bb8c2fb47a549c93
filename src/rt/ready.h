/* SPDX-License-Identifier: Apache-2.0
 *
 * Ready: a descriptor that a library opens, reads, writes and closes, and that a fiber waits for. Level-triggered: what
 * the library leaves in the kernel is told again. While nobody waits and on_ready is not set the kernel is not asked, so
 * that a peer that speaks out of turn costs one event. One fiber at a time; this thread's loop only. */
#pragma once
#include "rt/loop.h"

typedef struct Ready Ready;
struct Ready {
	Source source;
	int fd;         /* -1: none */
	uint32_t asked; /* of the kernel; 0: it is not in the epoll */
	Fiber *fiber;   /* that waits */
	void (*on_ready)(
		Ready *ready); /* readable or broken, and no fiber waits; outside any fiber */
};

#define READY_NONE \
	{ \
		.fd = -1 \
	}

/* Takes note of the descriptor; it stays the library's. */
void ready_open(Ready *ready, int fd);
/* Before the library closes the descriptor, or uses it on another thread. Fine when there is none. */
void ready_close(Ready *ready);
/* The library has closed it already (its number may be another thread's by now); nothing parked between that and this. */
void ready_gone(Ready *ready);
/* Parks until it may be read, written, or is broken, or fiber_wake: look again. Fails as a park does, and with IO
 * "rt.epoll". */
Err *ready_wait(Ready *ready, bool read, bool write) MUST_USE;
/* From now on on_ready is called when it is readable or broken and no fiber waits; NULL ends it. Fails with "rt.epoll". */
Err *ready_watch(Ready *ready, void (*on_ready)(Ready *ready)) MUST_USE;
