/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports: the addresses that clients connect to, over all configurations of a process. A port is known by its address as
 * written: one that stays keeps its socket and its connections. On loop 0; all park unless said otherwise. */
#pragma once
#include "gateway/snapshot.h"
#include "gateway/sockets.h"

typedef struct Ports Ports;

/* sockets: those that were there before us, or NULL; they outlive the ports. Does not park. */
Ports *ports_new(Arena *a, Sockets *sockets) RETURNS_NONNULL;

/* Every address of the configuration has a bound socket, or none that was not there before is left. Errors live in errs. */
Err *ports_open(Ports *ports, Arena *errs, const GatewayConf *conf) MUST_USE;
/* Those without a configuration yet are closed again: it cannot be. */
void ports_close_unserved(Ports *ports);
/* Those of the snapshot's configuration serve it from now on; tls: one a listener, NULL: plain. Others are drained in a
 * fiber of their own and closed. Errors live in `a`. */
Err *ports_serve(Ports *ports, Arena *a, Snapshot *snap, TlsContext **tls) MUST_USE;

/* With those whose keys these are, one a line, another process goes on: nothing more is accepted on them. */
void ports_leave(Ports *ports, Str keys);
/* Drains all, at the same time. Cancelling the fiber cuts what runs. Those that ports_serve retired end by themselves. */
Err *ports_drain(Ports *ports, const HttpDrain *how) MUST_USE;
/* Closes all, and awaits those on their way out. */
void ports_close(Ports *ports);

typedef void PortFn(void *arg, Str key, const Listener *listener, const ListenConf *conf);
void ports_each(Ports *ports, PortFn *fn,
                void *arg); /* that serve, in their order; does not park */

/* How a configuration wants it: to stop, or because another process serves already. Does not park. */
HttpDrain drain_of(const DrainConf *conf, bool upgrade);
