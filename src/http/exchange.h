/* SPDX-License-Identifier: Apache-2.0
 *
 * Exchange: one request and its answer on the server's side, whatever the protocol. A handler runs in a fiber of its own,
 * reads top to bottom, and returns an Err that the server turns into an answer if none has begun. All calls park unless
 * said otherwise; views given out by read are good until the next read. */
#pragma once
#include "http/message.h"
#include "rt/stream.h"

typedef struct Exchange Exchange;
typedef struct HttpServer HttpServer; /* server.h: what connections of one listener share */

/* A tunnel that wants to be told when it is to end because its listener does. In place, with whoever serves it. */
typedef struct HttpTunnel HttpTunnel;
struct HttpTunnel {
	Node node;
	void (*farewell)(
		HttpTunnel *tunnel); /* on its loop, outside or inside of a fiber; never parks */
};

/* What a codec offers. begin sees x->ended set when nothing follows the head (a HEAD request's answer keeps its
 * content_length); read sets x->read_all with the last piece; end is called once and not after that. */
typedef struct ExchangeOps {
	Err *(*read)(Exchange *x, Str *piece);
	Err *(*inform)(Exchange *x, const Head *head);
	Err *(*begin)(Exchange *x, const Head *head);
	Err *(*write)(Exchange *x, Str piece);
	Err *(*flush)(Exchange *x);
	Err *(*offer)(Exchange *x, Str *piece, int64_t us, bool *waits);
	Err *(*send_file)(Exchange *x, int fd, uint64_t from, size_t count,
	                  size_t *sent); /* NULL: only by reading and writing */
	Err *(*end)(Exchange *x, const Headers *trailers);
	Err *(*upgrade)(Exchange *x, const Head *head, Stream **stream, Str *early);
	void (*tunnel)(Exchange *x, HttpTunnel *tunnel);
	const Headers *(*trailers)(Exchange *x);
	bool (*more)(Exchange *x);
	void (*keep_on)(Exchange *x);
} ExchangeOps;

struct Exchange {
	const ExchangeOps *ops;
	Arena *arena; /* the request's */
	Head request;
	HttpServer *server;
	struct Rules *rules; /* HTTP/2: it is a user of these, beside its connection */
	void *listener_arg;  /* what http_listen was given */
	Peer peer;
	const Stream
		*stream;     /* the client's connection, for its certificate; NULL: there is none */
	bool secure;         /* came over TLS */
	bool read_all;       /* the request's body has ended */
	bool begun;          /* a final answer's head was given */
	bool ended;          /* and its last byte */
	bool keep_on;        /* a client that leaves does not cancel the handler any more */
	bool close_after;    /* HTTP/1: the connection ends with this answer */
	uint16_t status;     /* of that answer */
	int64_t start_us;    /* loop clock: the first byte of the request's head */
	int64_t first_us;    /* its answer's head was given; 0 before */
	uint64_t bytes_in;   /* body */
	uint64_t bytes_out;  /* body */
	uint64_t body_limit; /* of this request; 0: none */
	int64_t body_us;     /* as HttpLimits, of this request */
	int64_t write_us;
	uint64_t body_rate;
	int64_t body_waited_us; /* for it, all its reads together */
	void *user;             /* the handler's own, for what runs after it */
};

/* The next piece of the request's body; empty: it has ended (trailers may be asked for). Sends "100 Continue" first when
 * the client waits for it. Fails with TOO_LARGE "http.body_too_large", SLOW_CLIENT "http.slow_body", CLOSED. */
Err *http_read(Exchange *x, Str *piece) MUST_USE;
const Headers *http_trailers(Exchange *x); /* of the request, after its end; does not park */
bool http_more(Exchange *x); /* a read would give something without parking; does not park */

/* An informational answer (103, or an upstream's 102); not 100 and not 101. */
Err *http_inform(Exchange *x, const Head *head) MUST_USE;
/* The final head. head->body and content_length say what follows: NONE ends the exchange at once, LENGTH promises,
 * CHUNKED leaves the length open. It may wait to be sent together with the first piece: see http_flush. */
Err *http_begin(Exchange *x, const Head *head) MUST_USE;
Err *http_write(Exchange *x, Str piece)
	MUST_USE; /* returns when the bytes were taken: back-pressure */
Err *http_flush(Exchange *x)
	MUST_USE; /* before waiting for more to write: what was given goes out now */
/* As http_write, or http_flush when *piece is empty, but waits for the client so long only: *piece becomes what it did not
 * take, and is to be given next, by any of the three. *waits: there is such a rest, or what was given before it waits. */
Err *http_offer(Exchange *x, Str *piece, int64_t us, bool *waits) MUST_USE;
/* As http_write of these bytes of a file, as cheaply as the connection allows; an answer with a length. Fails also with
 * IO "http.file_cut" when the file has become shorter, IO "rt.disk", and BUSY "rt.workers_full". */
Err *http_send_file(Exchange *x, int fd, uint64_t from, uint64_t count) MUST_USE;
Err *http_end(Exchange *x, const Headers *trailers) MUST_USE; /* NULL: none */
/* HTTP/1 only: sends 101 with head's headers and gives the raw stream, and the bytes that came after the head. The
 * connection ends with the handler. */
Err *http_upgrade(Exchange *x, const Head *head, Stream **stream, Str *early) MUST_USE;
/* After http_upgrade; at once when its listener's tunnels were told already. */
void http_tunnel_begin(Exchange *x, HttpTunnel *tunnel);
void http_tunnel_end(HttpTunnel *tunnel);

/* From now on a client that leaves does not cancel the handler (rule 5: an effect that cannot be repeated has begun).
 * Does not park. */
void http_keep_on(Exchange *x);

/* A whole answer in one call. */
Err *http_reply(Exchange *x, unsigned status, Str content_type, Str body) MUST_USE;
