/* SPDX-License-Identifier: Apache-2.0
 *
 * The server: connections of a listener, from accept to the handler. An idle connection holds no fiber and no buffer. */
#pragma once
#include "http/exchange.h"
#include "http/h1.h"
#include "rt/listen.h"

typedef Err *HttpHandler(Exchange *x);
/* Makes an answer of an error the handler returned before it began one (or that the codec met, when request is empty). */
typedef Err *HttpFail(Exchange *x, Err *err);
/* After the answer's last byte or the connection's end; never parks. For access records and counters. */
typedef void HttpDone(Exchange *x, const Err *err);

typedef struct HttpLimits {
	H1Limits head;
	int64_t head_us;     /* from a head's first byte to its last; 10 s */
	int64_t idle_us;     /* between requests; 75 s */
	int64_t write_us;    /* a client that reads nothing for so long is dropped; 60 s */
	int64_t body_us;     /* between two pieces of a request's body; 30 s */
	uint64_t body_bytes; /* of a request; 0: no limit. A handler may lift it: http_limit_body */
	uint64_t body_rate;  /* bytes a second, averaged after the first 5 s; 0: no limit */
	uint32_t requests;   /* per connection; 0: no limit */
	uint32_t streams;    /* HTTP/2, at a time; 128 */
	size_t arena_bytes;  /* per request; 256 KiB */
	uint32_t
		connections; /* of the listener, all loops; those beyond are told 503 and closed. 0: no limit */
} HttpLimits;
HttpLimits http_limits_default(void);

typedef struct HttpConf {
	HttpLimits limits;
	HttpHandler *handler;
	HttpFail *fail;
	HttpDone *done; /* NULL: none */
	void *arg;      /* the handler's: http_server_conf(x->server)->arg */
	void (*gone)(
		void *arg); /* the last user of the server has left; on any loop; NULL: nothing */
	bool h2c; /* take HTTP/2 with prior knowledge on a plain port (the client's preface says so) */
} HttpConf;

/* An immutable set of connections' rules, counted: connections keep the one they were accepted under until they are
 * idle again, then take the listener's newest. */
HttpServer *http_server_new(const HttpConf *conf,
                            TlsContext *tls); /* tls NULL: plain; takes its own reference */
void http_server_unref(HttpServer *server);   /* from any thread; NULL is fine */
const HttpConf *http_server_conf(const HttpServer *server);

/* A listener that serves. `arg` comes back in Exchange.listener_arg. */
typedef struct HttpListener HttpListener;
Err *http_listen(Listener *listener, HttpServer *server, void *arg, HttpListener **out)
	MUST_USE; /* parks */
void http_listen_swap(
	HttpListener *hl,
	HttpServer *server); /* new connections and idle ones: this from now on. Parks */
/* Stops accepting; idle connections end, HTTP/2 ones get GOAWAY, answers carry "Connection: close". Parks until all
 * connections have ended or `us` are over; returns how many were left (they are closed then). */
unsigned http_listen_drain(HttpListener *hl, int64_t us);
void http_listen_close(HttpListener *hl);

/* This request's own limit; 0: none. Fails at once with TOO_LARGE "http.body_too_large" when the length is known. */
Err *http_limit_body(Exchange *x, uint64_t bytes) MUST_USE;
/* HTTP/1: the connection ends with this answer. Before http_begin. */
void http_close_after(Exchange *x);

typedef struct HttpStats {
	uint64_t requests[3]; /* HTTP/1.0 and 1.1, HTTP/2, refused before a handler */
	uint64_t accepted;
	uint64_t handshakes_failed;
	uint64_t refused;  /* connections beyond the limit */
	uint64_t timeouts; /* heads and bodies that came too slowly */
	uint64_t floods;   /* HTTP/2 connections ended for abuse */
	uint32_t connections;
	uint32_t active; /* with a request */
	uint32_t tunnels;
} HttpStats;
HttpStats http_stats(void); /* all loops */
