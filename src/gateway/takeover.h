/* SPDX-License-Identifier: Apache-2.0
 *
 * Take-over: a new process gets the listening sockets of the one that runs, and tells it to drain once it serves itself.
 * Both talk over a Unix socket, as the same user. On loop 0. */
#pragma once
#include "gateway/sockets.h"

/* Where both meet: what the configuration says, or a name made of the user and the file's path. False: nowhere. */
bool takeover_address(Str said, Str file, Str part, Addr *out);

/* --- the new process ------------------------------------------------------------------------------------------------ */

typedef struct Takeover Takeover; /* a conversation that has begun */

/* Asks the process that serves at that address for its sockets. Parks. Fails with NOT_FOUND "gateway.takeover" (nobody is
 * there), DENIED or CONFLICT "gateway.takeover" (it will not). Until takeover_done nothing has changed for it. */
Err *takeover_ask(Arena *a, const Addr *addr, Sockets *into, Takeover **out) MUST_USE;
/* We serve: the other one drains, all but the sockets that were taken. Parks. Fails when it is not there any more. */
Err *takeover_done(Takeover *takeover, const Sockets *sockets) MUST_USE;
/* Never parks; without takeover_done the other goes on as if nothing had been. NULL is fine. */
void takeover_end(Takeover *takeover);

/* --- the process that runs ------------------------------------------------------------------------------------------ */

typedef struct TakeoverHost TakeoverHost; /* waits for new ones */

/* What the host asks its process. */
typedef struct TakeoverHooks {
	/* Adds what can be handed over, with takeover_offer. */
	void (*offer)(void *arg, TakeoverHost *host);
	/* Another process, pid, serves with the sockets whose keys these are, one a line: leave them, say so with
	 * takeover_left, and drain. Never parks. */
	void (*handed)(void *arg, int pid, Str taken);
	void *arg;
} TakeoverHooks;

/* Waits at the address, or at the socket there that `sockets` has from the process before. Fails with "gateway.takeover". */
Err *takeover_open(Arena *a, const Addr *addr, Sockets *sockets, const TakeoverHooks *hooks,
                   TakeoverHost **out) MUST_USE;
/* fd stays the caller's. owned: its file goes with it; else it is systemd's, and only lent. */
void takeover_offer(TakeoverHost *host, Str key, int fd, bool owned);
/* We accept nothing more on the sockets that were handed over. Parks until the other has heard it. */
void takeover_left(TakeoverHost *host);
void takeover_close(TakeoverHost *host); /* parks; NULL is fine */
