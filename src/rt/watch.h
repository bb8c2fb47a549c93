/* SPDX-License-Identifier: Apache-2.0
 *
 * Watch: one file descriptor in this thread's epoll, edge-triggered, registered once for its whole life. Readiness is
 * remembered between edges, so that nobody reads or writes only to be told EAGAIN. At most one fiber waits to read and
 * one to write. When nobody waits, on_ready (if set) is called by the loop: that is how an idle connection, which has no
 * fiber, gets one. */
#pragma once
#include "rt/loop.h"

typedef struct Watch Watch;
struct Watch {
	Source source;
	int fd; /* -1 when closed */
	bool readable;
	bool writable;
	bool ended;  /* the peer shut its writing side, or all */
	bool broken; /* error or full hang-up: reads and writes will say which */
	Fiber *reader;
	Fiber *writer;
	Fiber *cancels; /* is cancelled when the connection breaks: the one that works for its peer */
	void (*on_ready)(
		Watch *watch); /* readable, ended or broken, and no fiber waits; outside any fiber */
};

#define WATCH_CLOSED \
	{ \
		.fd = -1 \
	}

/* Takes the descriptor (made non-blocking by the caller). Fails with IO "rt.epoll". */
Err *watch_open(Watch *watch, int fd) MUST_USE;
void watch_close(Watch *watch); /* closes the descriptor; fine when closed */
/* Out of the epoll, descriptor not closed but returned: to hand it to another loop or thread. */
int watch_release(Watch *watch);
/* The same descriptor watched at another place, on the same loop; from is closed after. */
void watch_move(Watch *from, Watch *to);

Err *watch_wait_readable(Watch *watch) MUST_USE; /* parks until readable, ended or broken */
Err *watch_wait_writable(Watch *watch) MUST_USE;
/* Parks until one of the two, or fiber_wake: for a fiber that serves a descriptor and a queue. */
Err *watch_wait_any(Watch *watch, bool read, bool write) MUST_USE;

/* While set, a reset or full hang-up of this connection (not a half-close) cancels that fiber. NULL ends it. */
void watch_cancel_on_break(Watch *watch, Fiber *fiber);
