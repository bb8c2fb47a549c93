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
		connections; /* of all listeners and loops; those beyond are told 503. 0: no limit */
	uint32_t connections_per_address; /* census.h says what that is; 0: no limit */
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
	bool uncounted; /* its connections do not count for limits (an admin port's) */
	bool proxy_protocol; /* connections begin with a PROXY header; of peers that are not trusted they are cut */
	/* Is this peer a proxy whose word counts? It is not limited by its address. NULL: none is. */
	bool (*trusts)(const Peer *peer, void *arg);
} HttpConf;

/* An immutable set of rules, counted: a request goes by those that are its listener's newest when it begins. */
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

/* How to come to an end. Times are from its beginning. */
typedef struct HttpDrain {
	int64_t requests_us; /* what runs may finish for so long, then it is cut */
	/* HTTP/1: an idle connection waits so long for one more request, which is answered with "Connection: close": its
	 * client may be sending it just now */
	int64_t idle_us;
	int64_t tunnels_us; /* tunnels go on for so long, then they are told to end (HttpTunnel) */
	int64_t close_us;   /* what they have for it */
	bool handed;        /* another process goes on with the socket: see listener_leave */
} HttpDrain;

/* Stops accepting; HTTP/2 connections get GOAWAY, answers carry "Connection: close". Parks until all connections have
 * ended or their times are over; returns how many were cut or are left to be cut by http_listen_close. */
unsigned http_listen_drain(HttpListener *hl, const HttpDrain *how);
void http_listen_close(HttpListener *hl);

/* This request's own limit; 0: none. Fails at once with TOO_LARGE "http.body_too_large" when the length is known. */
Err *http_limit_body(Exchange *x, uint64_t bytes) MUST_USE;
/* This request's own, instead of the server's: HttpLimits says what they are. */
void http_limit_pace(Exchange *x, int64_t body_us, int64_t write_us, uint64_t body_rate);
/* HTTP/1: the connection ends with this answer. Before http_begin. */
void http_close_after(Exchange *x);

typedef struct HttpStats {
	uint64_t requests[3]; /* HTTP/1.0 and 1.1, HTTP/2, refused before a handler */
	uint64_t accepted;
	uint64_t handshakes_failed;
	uint64_t refused;  /* connections beyond a limit */
	uint64_t headless; /* without a PROXY header, or of a peer that may not send one */
	uint64_t timeouts; /* heads and bodies that came too slowly */
	uint64_t floods;   /* HTTP/2 connections ended for abuse */
	uint64_t broken;   /* HTTP/2 connections ended for breaking the protocol */
	uint64_t unread;   /* answers given up because the client took nothing of them */
	uint32_t connections;
	uint32_t active; /* with a request */
	uint32_t tunnels;
} HttpStats;
HttpStats http_stats(void); /* all loops */
