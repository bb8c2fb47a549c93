/* SPDX-License-Identifier: Apache-2.0
 *
 * Listening sockets that were there before us: from systemd, or from the process that we take over from. On loop 0. */
#pragma once
#include "base/buf.h"
#include "rt/listen.h"

typedef struct Sockets Sockets;

typedef enum SocketsFrom { FROM_SYSTEMD, FROM_PROCESS } SocketsFrom;

Sockets *sockets_new(Arena *a, SocketsFrom from) RETURNS_NONNULL;
void sockets_free(Sockets *sockets); /* closes those that nobody took; NULL is fine */

/* key: what the other process calls it, or its name by systemd. The descriptor is the list's from here. owned:
 * a Unix socket's file is ours to remove. */
void sockets_add(Sockets *sockets, Str key, int fd, bool owned);
/* Those that systemd has passed to this very process (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES); children do not see the
 * variables any more. */
void sockets_add_passed(Sockets *sockets);

/* Opens a listener with the socket that is there for it, by its key or (systemd's) by its address or name; *out NULL when
 * there is none, or sockets is. */
Err *sockets_listen(Arena *a, Sockets *sockets, Str key, const Addr *addr, Listener **out) MUST_USE;
/* The descriptor itself, when there is one of this key at this address: the caller's from here. -1: none. */
int sockets_take(Sockets *sockets, Str key, const Addr *addr);
/* The keys of those that were taken, one a line. */
void sockets_put_taken(const Sockets *sockets, Buf *b);
bool sockets_listed(Str lines, Str key); /* is it one of those? */
/* Does systemd keep the socket of that listener, for the process after us? NULL: no. */
bool sockets_are_kept(const Sockets *sockets, Str key);
/* Those that nobody took, for a message: "3 (127.0.0.1:80)". Empty: none. */
Str sockets_left(Arena *a, const Sockets *sockets);
