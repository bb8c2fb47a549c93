/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets: one per address, in every loop's epoll (level-triggered, EPOLLEXCLUSIVE). A new connection goes to
 * the loop with fewer, and stays there. When descriptors run out (EMFILE) accepting pauses and is tried again as
 * connections close or after 100 ms, and is counted. */
#pragma once
#include "rt/stream.h"

typedef struct Listener Listener;

/* Called on the loop that got the connection, outside any fiber; the descriptor is its own now. */
typedef void AcceptFn(void *arg, int fd, const Addr *peer);

/* Binds and listens; nothing is accepted before listener_start. Port 0 is picked by the kernel (listener_addr tells).
 * A stale Unix socket (nobody answers) is replaced. Fails with CONFLICT "rt.address_in_use", DENIED "rt.bind". */
Err *listener_open(Arena *a, const Addr *addr, Listener **out) MUST_USE;
/* A socket that is bound and listens already (systemd, take-over). owns_file: a Unix socket's file is ours to remove.
 * The descriptor is the listener's only when it succeeds. */
Err *listener_adopt(Arena *a, int fd, bool owns_file, Listener **out) MUST_USE;
const Addr *listener_addr(const Listener *listener);
/* Its address is a Unix socket's file that we made, or that was handed to us as ours: removed at its close. */
bool listener_owns_file(const Listener *listener);
int listener_fd(
	const Listener *listener); /* to be handed to another process; -1 after shut and leave */

/* Starts accepting on all loops, or changes what is called. Parks. */
void listener_start(Listener *listener, AcceptFn *fn, void *arg);
/* No call to fn after it returned. Parks. The socket stays open (connections queue) until listener_close. */
void listener_stop(Listener *listener);
/* Nobody can connect any more; those in the queue are taken, spread as ever. Parks. listener_close is still due. */
void listener_shut(Listener *listener);
/* Another process has the socket too and goes on with it: ours is closed, the queue and a Unix socket's file are left to
 * the other. Parks. listener_close is still due. */
void listener_leave(Listener *listener);
void listener_close(Listener *listener); /* stops first; parks; NULL is fine */

/* The server tells when a connection starts (1) or ends (-1) on this thread's loop: what "fewer" is measured by. */
void listen_count(int delta);

typedef struct ListenStats {
	uint64_t accepted;
	uint64_t handed_over; /* to another loop */
	uint64_t paused;      /* times accepting paused for want of descriptors */
} ListenStats;
ListenStats listen_stats(void);
