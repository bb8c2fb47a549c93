/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2's server side: each request is an Exchange in a stream, with a fiber of its own that starts when its head is
 * whole. The connection's fiber is the session's owner for as long as requests are open; then it leaves, and what is
 * left of an idle connection is this struct and the session.
 *
 * A stream counts until its handler has ended, not until the client has reset it: cancelling is cheap for the client and
 * must not be a way to have more handlers at work than allowed. A client that resets a stream or leaves cancels its
 * handler, but for those that said http_keep_on. In HTTP/2 nobody closes one direction only: a client whose stream ends
 * has left. */
#include "http/h2_server.h"

#include "base/arena.h"
#include "http/h1_int.h"
#include "http/h2_int.h"
#include "http/server_int.h"

#include <stdlib.h>

enum {
	GRACE_US = 1000 * 1000
}; /* how long requests already under way to us are waited for when we drain */

struct H2Server {
	H2 h2; /* first */
	H2Host host;
	HttpLimits limits;
	bool drain;     /* asked for */
	bool cut;       /* handlers end, whatever they said */
	bool warned;    /* GOAWAY without a last stream was sent */
	bool last_said; /* and the final one */
	int64_t warned_us;
};

typedef struct Request {
	Exchange x; /* first */
	H2Stream s;
	Fiber *fiber;
	Err *refused;
	bool started;   /* its fiber exists */
	bool cancelled; /* before it ran */
	bool asked;     /* the client was told to go on */
} Request;

static Err gone = ERR_STATIC(CLOSED, "h2.reset", "the client gave the request up");
/* It costs no server anything (Rapid Reset). */
static Err not_begun =
	ERR_STATIC(CANCELLED, "h2.reset", "the client gave the request up before it was begun");
static Err client_left = ERR_STATIC(CLOSED, "rt.closed", "the client left");
static Err slow_body = ERR_STATIC(SLOW_CLIENT, "http.slow_body", "the body did not come in time");
static Err slow_head =
	ERR_STATIC(SLOW_CLIENT, "http.slow_head", "a head did not come whole in time");
static Err slow_reader =
	ERR_STATIC(CLOSED, "http.slow_reader", "the client did not read the answer in time");

static H2Server *server_of(const Request *r)
{
	return (H2Server *)r->s.h2;
}

static Request *request_of(const H2Stream *s)
{
	return CONTAINER(s, Request, s);
}

/* --- the exchange --------------------------------------------------------------------------------------------------- */

static Err *give_head(Request *r, const Head *head, bool inform)
{
	return h2_give_head(&r->s, h2_response_fields(r->x.arena, head, r->x.request.method),
	                    inform, r->x.write_us, &slow_reader, &gone);
}

static Err *request_read(Exchange *x, Str *piece)
{
	Request *r = (Request *)x;

	if (x->request.expect_continue && !r->asked && !x->begun && !h2_have(&r->s)) {
		r->asked = true;
		TRY(give_head(r, &(Head){ .status = 100, .content_length = -1 }, true));
	}
	TRY(h2_take(&r->s, piece, r->x.body_us, &slow_body, &gone));
	x->read_all = r->s.in_end && !r->s.filling.len;
	return NULL;
}

static Err *request_inform(Exchange *x, const Head *head)
{
	return give_head((Request *)x, head, true);
}

static Err *give_end(Request *r, const Headers *trailers)
{
	H2Fields tail = { 0 };

	if (trailers && trailers->count)
		tail = h2_trailer_fields(r->x.arena, trailers);
	return h2_give_last(&r->s, (Str){ 0 }, tail, r->x.write_us, &slow_reader, &gone);
}

static Err *request_begin(Exchange *x, const Head *head)
{
	Request *r = (Request *)x;

	r->s.out_length = !x->ended && head->body == HTTP_BODY_LENGTH ? head->content_length : -1;
	TRY(give_head(r, head, false));
	return x->ended ? give_end(r, NULL) : NULL;
}

static Err *request_write(Exchange *x, Str piece)
{
	Request *r = (Request *)x;

	return h2_give(&r->s, piece, r->x.write_us, &slow_reader, &gone);
}

static Err *request_flush(Exchange *x)
{
	h2_poke(&((Request *)x)->s);
	return NULL;
}

static Err *request_offer(Exchange *x, Str *piece, int64_t us, bool *waits)
{
	return h2_offer(&((Request *)x)->s, piece, us, waits, &gone);
}

static Err *request_end(Exchange *x, const Headers *trailers)
{
	return give_end((Request *)x, trailers);
}

static const Headers *request_trailers(Exchange *x)
{
	return &((Request *)x)->s.trailers;
}

static bool request_more(Exchange *x)
{
	return h2_have(&((Request *)x)->s);
}

static const ExchangeOps request_ops = {
	.read = request_read,
	.inform = request_inform,
	.begin = request_begin,
	.write = request_write,
	.flush = request_flush,
	.offer = request_offer,
	.end = request_end,
	.trailers = request_trailers,
	.more = request_more,
};

static void request_fiber(void *arg)
{
	Request *r = arg;
	H2Server *server = server_of(r);

	r->fiber = fiber_self();
	server->host.serve(&r->x, r->cancelled ? &not_begun : r->refused, server->host.arg);
	r->fiber = NULL;
	h2_leave(&r->s);
}

/* --- what the session says ------------------------------------------------------------------------------------------ */

static H2Stream *opened(H2 *h, int32_t id)
{
	H2Server *server = (H2Server *)h;
	Request *r;

	if (h->live >= server->limits.streams)
		return NULL;
	r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->x.ops = &request_ops;
	server->host.open(&r->x, server->host.arg);
	h2_stream_init(&r->s, h, id, r->x.arena);
	return &r->s;
}

static H2BlockKind kind(const H2Stream *s)
{
	return request_of(s)->started ? H2_TRAILERS : H2_REQUEST;
}

static Str method(const H2Stream *s)
{
	(void)s;
	return (Str){ 0 };
}

static void block_done(H2Stream *s, H2Block *block, bool end)
{
	Request *r = request_of(s);
	Err *err = h2_block_end(block, end);

	if (block->malformed) {
		h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	r->refused = err;
	r->x.request = block->head;
	r->x.read_all = end;
	s->in_length = block->head.content_length;
	r->started = true;
	if (!fiber_start(request_fiber, r, "request"))
		return;
	r->started = false;
	h2_stream_reset(s, NGHTTP2_REFUSED_STREAM); /* no stack for it; the client may ask again */
}

static void cancel_handler(Request *r)
{
	r->cancelled = true;
	if (r->fiber)
		fiber_cancel(r->fiber);
}

/* Also of streams that have no fiber: they go at once. */
static void closed(H2Stream *s)
{
	Request *r = request_of(s);

	if (!r->started) {
		h2_leave(s);
		return;
	}
	if (!s->all_out && (!r->x.keep_on || server_of(r)->cut))
		cancel_handler(r);
}

static int submit(H2Stream *s)
{
	nghttp2_data_provider source = h2_stream_source();
	bool empty = s->last && !s->piece.len && !s->tail.count;

	return nghttp2_submit_response(s->h2->session, s->id, s->fields.at, s->fields.count,
	                               empty ? NULL : &source);
}

static void release(H2Stream *s)
{
	Request *r = request_of(s);
	const H2Host *host = &server_of(r)->host;

	arena_free(r->x.arena);
	host->close(&r->x, host->arg);
	free(r);
}

static void wake(H2 *h)
{
	if (h->owner)
		fiber_wake(h->owner);
}

/* --- draining ------------------------------------------------------------------------------------------------------- */

/* First a GOAWAY that refuses nothing, and a PING: what the client had sent before it heard of it is here when the
 * answer is. Then the one that says where it ended (RFC 9113 6.8). */
static void warn(H2Server *server)
{
	nghttp2_session *session = server->h2.session;

	server->warned = true;
	server->warned_us = loop_now_us();
	nghttp2_submit_shutdown_notice(session);
	nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL);
}

static void say_last(H2Server *server)
{
	nghttp2_session *session = server->h2.session;

	if (server->last_said || !server->warned)
		return;
	server->last_said = true;
	nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
	                      nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
	                      NULL, 0);
}

static void pinged(H2 *h)
{
	say_last((H2Server *)h);
}

void h2_server_drain(H2Server *server)
{
	server->drain = true;
	wake(&server->h2);
}

void h2_server_cut(H2Server *server)
{
	server->cut = true;
	LIST_EACH (&server->h2.streams, H2Stream, node, s)
		if (request_of(s)->started && s->closed)
			cancel_handler(request_of(s));
}

/* --- the conversation ----------------------------------------------------------------------------------------------- */

/* What HTTP/1 would have counted as refused. */
static void faulted(H2 *h)
{
	(void)h;
	HTTP_STAT(requests[2], 1u);
}

static const H2Role role = {
	.opened = opened,
	.kind = kind,
	.method = method,
	.block_done = block_done,
	.closed = closed,
	.submit = submit,
	.release = release,
	.pinged = pinged,
	.faulted = faulted,
	.wake = wake,
};

Err *h2_server_new(const H2Host *host, H2Server **out)
{
	H2Server *server = calloc(1, sizeof *server);

	if (!server)
		abort();
	server->host = *host;
	server->limits = *host->limits;
	server->h2.limits = host->limits->head;
	server->h2.write_us = host->limits->write_us;
	*out = server;
	return h2_init(&server->h2, host->stream, &role, true, host->limits->streams);
}

void h2_server_free(H2Server *server)
{
	if (!server)
		return;
	h2_fini(&server->h2);
	free(server);
}

static bool is_over(const H2Server *server)
{
	const H2 *h = &server->h2;

	if (h->ended)
		return true;
	if (server->last_said && !h->live && !nghttp2_session_want_write(h->session) && !h->out)
		return true;
	return !nghttp2_session_want_read(h->session) && !nghttp2_session_want_write(h->session) &&
	       !h->out;
}

static bool head_is_late(const H2Server *server)
{
	const H2 *h = &server->h2;

	return h->block_since_us && loop_now_us() >= h->block_since_us + server->limits.head_us;
}

/* Until something must be done though nothing came; 0: nothing. */
static int64_t patience(const H2Server *server)
{
	const H2 *h = &server->h2;
	int64_t us = server->warned && !server->last_said ? GRACE_US : 0;
	int64_t head_us = h->block_since_us + server->limits.head_us - loop_now_us();

	if (!h->block_since_us)
		return us;
	head_us = MAX(head_us, INT64_C(1));
	return us ? MIN(us, head_us) : head_us;
}

/* Serves until idle (*idle) or over. */
static Err *converse(H2Server *server, Str early, bool *idle)
{
	H2 *h = &server->h2;

	TRY(h2_feed(h, early));
	for (;;) {
		if (server->drain && !server->warned)
			warn(server);
		if (server->warned && loop_now_us() >= server->warned_us + GRACE_US)
			say_last(server);
		TRY(h2_pump(h));
		if (is_over(server))
			return h->live && h->ended ? &client_left : NULL;
		*idle = !h->live && !server->drain && h2_quiet(h);
		if (*idle)
			return NULL;
		if (head_is_late(server))
			return &slow_head;
		TRY(h2_wait(h, patience(server)));
	}
}

/* No fiber of ours may run on when the connection is gone. */
static void await_handlers(H2 *h)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	h2_break(h);
	h2_apply_queue(h);
	while (h->live) {
		if (fiber_park())
			return; /* cannot be: shielded, no deadline */
		h2_apply_queue(h);
	}
}

Err *h2_serve(H2Server *server, Str early, bool *idle)
{
	H2 *h = &server->h2;
	Err *err;

	*idle = false;
	h->owner = fiber_self();
	err = converse(server, early, idle);
	if (err && err->kind == ERR_CLOSED && !h->live)
		err = NULL; /* nothing was lost */
	if (!*idle)
		await_handlers(h);
	h->owner = NULL;
	return err;
}
