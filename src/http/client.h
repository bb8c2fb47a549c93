/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side: Call is one request on a connection to a server, whatever the protocol. Connections are the
 * caller's to pool: a HttpConn says after a call whether it may be used again. All calls park unless said otherwise.
 *
 * Errors keep apart what a retry needs to know: call->sent tells whether a byte of the request went out, and
 * call->answered whether a byte of the answer came. HTTP/2: sent is also false when the server says that it did not
 * touch the request (REFUSED_STREAM, or GOAWAY with a lower last stream): it may be sent again, whatever its method.
 * Fails with CLOSED "http.no_answer", "h2.refused", UPSTREAM "http.truncated", "http.response", "h2.reset", INTERNAL
 * "http.body_*", and what streams fail with. One fiber may write while another receives and reads. */
#pragma once
#include "http/h1.h"
#include "rt/stream.h"

typedef struct HttpConn HttpConn; /* one connection; HTTP/1: one call at a time, HTTP/2: many */
typedef struct Call Call;

typedef struct CallOps {
	Err *(*send)(Call *call, const Head *head, Str body, bool end);
	Err *(*write)(Call *call, Str piece);
	Err *(*finish)(Call *call, const Headers *trailers);
	Err *(*receive)(Call *call, Head *head);
	Err *(*read)(Call *call, Str *piece);
	bool (*more)(Call *call);
	const Headers *(*trailers)(Call *call);
	Stream *(*tunnel)(Call *call, Str *early);
	void (*end)(Call *call);
} CallOps;

struct Call {
	const CallOps *ops;
	HttpConn *conn;
	Arena *arena;
	Str method;
	bool sent; /* at least one byte of the request was written */
	bool sent_all;
	bool answered;   /* at least one byte of the answer was read */
	bool read_all;   /* the answer has ended */
	bool closes;     /* the server will not take another request on this connection */
	uint8_t informs; /* informational heads so far */
	uint64_t from;   /* of the connection's bytes: those before are other calls' */
	void *state;     /* the protocol's own */
};

typedef struct HttpConnConf {
	H1Limits head; /* of answers */
	bool h2;       /* speak HTTP/2 with prior knowledge; over TLS, ALPN decides */
} HttpConnConf;

/* Takes over an open stream (TLS done); moves it: *stream is closed after. Parks for HTTP/2's preface. */
Err *http_conn_new(Stream *stream, const HttpConnConf *conf, HttpConn **out) MUST_USE;
void http_conn_free(HttpConn *conn); /* closes; NULL is fine; no call may be on it */
bool http_conn_is_h2(const HttpConn *conn);
/* May a new call begin on it (now)? HTTP/1: the last answer was read whole, keep-alive was agreed, the server has not
 * closed it or sent anything since. HTTP/2: no GOAWAY, streams left. Does not park. */
bool http_conn_usable(HttpConn *conn);
unsigned http_conn_streams(
	const HttpConn *conn); /* HTTP/2: more calls it can take now; HTTP/1: 1 or 0 */
uint32_t http_conn_calls(const HttpConn *conn); /* calls begun on it so far */
Stream *http_conn_stream(HttpConn *conn);
/* HTTP/1, between two calls: out of this loop's hands, then into those of another. Do not park. A connection that could
 * not arrive is to be freed. */
void http_conn_leave(HttpConn *conn);
Err *http_conn_arrive(HttpConn *conn) MUST_USE;
/* Called (outside a fiber) when an idle connection becomes unusable: the pool takes it out. */
void http_conn_on_close(HttpConn *conn, void (*fn)(HttpConn *conn, void *arg), void *arg);

/* Begins a call; `call` is in place in the caller's frame: AUTO(call_end). Does not park. */
void call_begin(Call *call, HttpConn *conn, Arena *a);
/* Ends it in any state. An HTTP/1 connection whose answer was not read whole is not usable after; HTTP/2: RST_STREAM. */
void call_end(Call *call);

/* Sends the head, and a body that is there already; end: nothing follows. head->target, authority, scheme, headers. */
Err *call_send(Call *call, const Head *head, Str body, bool end) MUST_USE;
Err *call_write(Call *call, Str piece) MUST_USE;
Err *call_finish(Call *call, const Headers *trailers) MUST_USE;
/* The next head: informational ones (1xx, 101 too) are given like the final one; call again after them. Its views are
 * good until the next receive or call_end. More than 32 informational ones: UPSTREAM "http.response". */
Err *call_receive(Call *call, Head *head) MUST_USE;
/* The next piece of the answer's body, good until the next read; empty: it has ended. */
Err *call_read(Call *call, Str *piece) MUST_USE;
/* After CLOSED, without a byte of an answer: has the server's application certainly not got a byte of the request?
 * (stream_untouched) Parks for a short while, not when `now`: then it only looks like that. */
bool call_untouched(Call *call, bool now);
bool call_more(Call *call); /* a read would give something without parking; does not park */
const Headers *call_trailers(Call *call); /* after the end; never NULL */
/* HTTP/1, after a 101: the raw stream and what came after the head; the connection is the call's until call_end. */
Stream *call_tunnel(Call *call, Str *early);
