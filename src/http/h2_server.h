/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2 on one connection, the server's side (RFC 9113). It knows nothing of listeners: whoever has the connection
 * gives it a stream, limits and two functions, and calls it when there is something to read. */
#pragma once
#include "http/server.h"

typedef struct H2Server H2Server;

typedef struct H2Host {
	Stream *stream;           /* the caller's, open for as long as the H2Server lives */
	const HttpLimits *limits; /* copied */
	void *arg;
	/* Fills in a new exchange whose ops are set, its arena too, which h2 frees in the end. Never parks. */
	void (*open)(Exchange *x, void *arg);
	/* The exchange is over and its arena gone. Never parks. */
	void (*close)(Exchange *x, void *arg);
	/* In a fiber of its own, x->request filled in: the handler, or (refused not NULL) the answer to a request that
	 * could not be taken. Frees nothing. */
	void (*serve)(Exchange *x, Err *refused, void *arg);
} H2Host;

Err *h2_server_new(const H2Host *host, H2Server **out) MUST_USE;

/* Serves what there is, `early` first (bytes of the preface and after that were read already; empty later). Parks.
 * *idle: no request is open and nothing is to be done until the stream is readable again: call again then. Else the
 * conversation is over, and the stream to be closed; all fibers it started have ended. Fails with LIMITED "h2.flood"
 * (the client was abusive), INVALID "h2.protocol", CLOSED "http.slow_reader", and what streams and parks fail with. */
Err *h2_serve(H2Server *server, Str early, bool *idle) MUST_USE;

/* No new request is taken: GOAWAY, what runs is finished, then h2_serve says that it is over. Any time, does not park;
 * of an idle connection h2_serve must be called to say it. */
void h2_server_drain(H2Server *server);

/* From now on handlers whose stream is closed are cancelled though they said http_keep_on; cancel the fiber that serves
 * after it. Does not park. */
void h2_server_cut(H2Server *server);

void h2_server_free(H2Server *server); /* not while h2_serve runs; NULL is fine */
