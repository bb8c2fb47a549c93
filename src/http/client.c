/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections to servers, whatever the protocol, and the calls on them. A connection is made of an open stream, which it
 * takes over; what happens in a call is h1_client.c's or h2_client.c's, behind CallOps.
 *
 * A connection is usable while `over` is not set and, for HTTP/1, no call is on it and the server has been silent since
 * the last answer: whatever a server says unasked (a 408, the rest of an answer we did not expect) would be taken for the
 * answer to the next request. The watch's flags tell that without a system call; only TLS, where the server may send
 * session tickets, has to look. An idle connection's watch calls us the moment it is no longer quiet.
 * Not here: pools, dialling, retries (gateway/). */
#include "http/client_int.h"

#include "rt/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INFORMS_MAX = 32 };

static Err informs = ERR_STATIC(UPSTREAM, "http.response",
                                "the server sent one informational answer after another");

Err *http_conn_new(Stream *stream, const HttpConnConf *conf, HttpConn **out)
{
	HttpConn *conn = calloc(1, sizeof *conn);
	bool h2 = stream->tls ? str_eq(stream_alpn(stream), S("h2")) : conf->h2;
	Err *err;

	if (!conn)
		abort();
	conn->conf = *conf;
	stream_move(stream, &conn->stream);
	err = h2 ? h2_client_new(conn, &conn->h2) : NULL;
	if (err) {
		stream_close(&conn->stream);
		free(conn);
		return err;
	}
	if (!h2)
		h1_conn_idle(conn);
	*out = conn;
	return NULL;
}

void http_conn_free(HttpConn *conn)
{
	if (!conn)
		return;
	conn->on_close = NULL;
	if (conn->h2) {
		h2_client_free(conn->h2);
		return;
	}
	stream_close(&conn->stream);
	free(conn);
}

void http_conn_leave(HttpConn *conn)
{
	conn->moving_fd = watch_release(&conn->stream.watch);
}

Err *http_conn_arrive(HttpConn *conn)
{
	Err *err = watch_open(&conn->stream.watch, conn->moving_fd);
	char byte;

	if (err) {
		watch_close(
			&conn->stream
				 .watch); /* the descriptor, which was never counted as watched */
		return err;
	}
	conn->stream.watch.writable = true; /* nothing is on its way between two calls */
	if (recv(conn->moving_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		conn->over =
			true; /* the server spoke or left on the way: epoll will only tell later */
	h1_conn_idle(conn);
	return NULL;
}

bool http_conn_is_h2(const HttpConn *conn)
{
	return conn->h2 != NULL;
}

bool http_conn_usable(HttpConn *conn)
{
	if (conn->h2)
		return h2_client_usable(conn->h2);
	return !conn->over && !conn->busy && h1_conn_quiet(conn);
}

unsigned http_conn_streams(const HttpConn *conn)
{
	if (conn->h2)
		return h2_client_streams(conn->h2);
	return !conn->over && !conn->busy;
}

uint32_t http_conn_calls(const HttpConn *conn)
{
	return conn->calls;
}

Stream *http_conn_stream(HttpConn *conn)
{
	return &conn->stream;
}

void http_conn_on_close(HttpConn *conn, void (*fn)(HttpConn *conn, void *arg), void *arg)
{
	conn->on_close = fn;
	conn->on_close_arg = arg;
}

void http_conn_closed(HttpConn *conn)
{
	void (*fn)(HttpConn *, void *) = TAKE(conn->on_close);

	conn->over = true;
	if (fn)
		fn(conn, conn->on_close_arg);
}

void call_begin(Call *call, HttpConn *conn, Arena *a)
{
	*call = (Call){ .conn = conn, .arena = a, .from = conn->stream.written };
	conn->calls++;
	if (conn->h2)
		h2_call_begin(call);
	else
		h1_call_begin(call);
}

void call_end(Call *call)
{
	if (call->conn)
		call->ops->end(call);
	call->conn = NULL;
}

Err *call_send(Call *call, const Head *head, Str body, bool end)
{
	call->method = head->method;
	return call->ops->send(call, head, body, end);
}

Err *call_write(Call *call, Str piece)
{
	return piece.len ? call->ops->write(call, piece) : NULL;
}

Err *call_finish(Call *call, const Headers *trailers)
{
	return call->sent_all ? NULL : call->ops->finish(call, trailers);
}

Err *call_receive(Call *call, Head *head)
{
	TRY(call->ops->receive(call, head));
	if (head->status >= 200 || head->status == 101)
		return NULL;
	return ++call->informs > INFORMS_MAX ? &informs : NULL;
}

Err *call_read(Call *call, Str *piece)
{
	return call->ops->read(call, piece);
}

bool call_untouched(Call *call, bool now)
{
	return !call->answered && stream_untouched(&call->conn->stream, call->from, now);
}

bool call_more(Call *call)
{
	return call->ops->more(call);
}

const Headers *call_trailers(Call *call)
{
	return call->ops->trailers(call);
}

Stream *call_tunnel(Call *call, Str *early)
{
	return call->ops->tunnel(call, early);
}
