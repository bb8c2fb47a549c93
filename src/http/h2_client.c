/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/2's client side: many calls on one connection. The session's owner is a fiber of the connection, started when a
 * call has something to say or the server does, which leaves when no call is open and nothing is to be moved; what is
 * idle is this struct, the session, and the watch.
 *
 * What a retry may do: a request that never left, that the server refused (REFUSED_STREAM) or that lies beyond its
 * GOAWAY has call->sent taken back, because the server promises not to have touched it (RFC 9113 8.7). */
#include "http/client_int.h"

#include "base/arena.h"
#include "http/h2_int.h"

#include <stdlib.h>

enum { INFORMS_MAX = 32 }; /* 1xx heads that nobody has looked at */

struct H2Client {
	H2 h2; /* first */
	HttpConn *conn;
	unsigned calls; /* between begin and end */
	bool running;   /* its fiber exists */
	bool dead;      /* to be freed by it */
};

typedef struct Answer {
	Node node;
	Head head;
} Answer;

typedef struct H2Call {
	H2Stream s; /* first */
	Str method;
	List answers;
	unsigned informs;
	bool head_came; /* the final one */
	bool cut;       /* the connection ended */
	Err *refused;   /* what was wrong with the answer's head */
} H2Call;

static Err lost =
	ERR_STATIC(CLOSED, "h2.lost", "the stream was closed"); /* replaced before anyone sees it */

/* --- the owner ------------------------------------------------------------------------------------------------------ */

static void client_drop(H2Client *client)
{
	HttpConn *conn = client->conn;

	h2_fini(&client->h2);
	stream_close(&conn->stream);
	free(client);
	free(conn);
}

static bool in_order(const H2Client *client)
{
	const H2 *h = &client->h2;
	const Watch *w = &client->conn->stream.watch;

	return !h->over && !h->ended && !w->ended && !w->broken &&
	       nghttp2_session_check_request_allowed(h->session);
}

/* Moves things until the connection is idle; an error when it is over. */
static Err *converse(H2Client *client)
{
	H2 *h = &client->h2;

	while (!client->dead) {
		TRY(h2_pump(h));
		if (h->ended || (!nghttp2_session_want_read(h->session) &&
		                 !nghttp2_session_want_write(h->session)))
			return &lost;
		if (!h->live && h2_quiet(h))
			return NULL;
		TRY(h2_wait(h, 0));
	}
	return &lost;
}

static void on_ready(Watch *watch);

static void owner(void *arg)
{
	H2Client *client = arg;
	H2 *h = &client->h2;

	h->owner = fiber_self();
	if (converse(client)) {
		h2_break(h);
		h2_apply_queue(h);
		client->conn->over = true;
	}
	h->owner = NULL;
	client->running = false;
	if (client->dead)
		client_drop(client);
	else if (!h->live && !in_order(client))
		http_conn_closed(client->conn); /* and perhaps freed */
	else if (!h->over)
		client->conn->stream.watch.on_ready = on_ready;
}

static bool start(H2Client *client)
{
	client->conn->stream.watch.on_ready = NULL;
	client->running = !fiber_start(owner, client, "http2 client");
	return client->running;
}

static void on_ready(Watch *watch)
{
	HttpConn *conn = CONTAINER(watch, HttpConn, stream.watch);

	if (conn->h2->running || start(conn->h2))
		return;
	h2_break(&conn->h2->h2);
	http_conn_closed(conn);
}

static void wake(H2 *h)
{
	H2Client *client = (H2Client *)h;

	if (h->owner)
		fiber_wake(h->owner);
	if (client->running)
		return;
	if (!h->over && start(client))
		return;
	if (!h->over)
		h2_break(h); /* no stack for its fiber */
	h2_apply_queue(h);
}

/* --- what the session says ------------------------------------------------------------------------------------------ */

static H2Stream *opened(H2 *h, int32_t id)
{
	(void)h;
	(void)id;
	return NULL;
}

static H2BlockKind kind(const H2Stream *s)
{
	return ((const H2Call *)s)->head_came ? H2_TRAILERS : H2_RESPONSE;
}

static Str method(const H2Stream *s)
{
	return ((const H2Call *)s)->method;
}

static void block_done(H2Stream *s, H2Block *block, bool end)
{
	H2Call *c = (H2Call *)s;
	Answer *answer;

	c->refused = h2_block_end(block, end);
	if (c->refused || (block->head.status < 200 && ++c->informs > INFORMS_MAX)) {
		h2_stream_reset(s, block->malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_CANCEL);
		return;
	}
	answer = ARENA_NEW(s->arena, Answer);
	answer->head = block->head;
	list_add(&c->answers, &answer->node);
	if (block->head.status >= 200) {
		c->head_came = true;
		s->in_length = block->head.body == HTTP_BODY_NONE ? 0 : block->head.content_length;
	}
	h2_stream_told(s);
}

static void closed(H2Stream *s)
{
	((H2Call *)s)->cut = s->h2->over;
}

static int submit(H2Stream *s)
{
	nghttp2_data_provider source = h2_stream_source();
	bool empty = s->last && !s->piece.len && !s->tail.count;
	int32_t id = nghttp2_submit_request(s->h2->session, NULL, s->fields.at, s->fields.count,
	                                    empty ? NULL : &source, s);

	if (id > 0) {
		s->id = id;
		return 0;
	}
	s->unsent = true;
	h2_stream_close(s, NGHTTP2_REFUSED_STREAM);
	return 0;
}

static void release(H2Stream *s)
{
	free(s);
}

static void pinged(H2 *h)
{
	(void)h;
}

/* --- the connection ------------------------------------------------------------------------------------------------- */

Err *h2_client_new(HttpConn *conn, H2Client **out)
{
	static const H2Role role = {
		.opened = opened,
		.kind = kind,
		.method = method,
		.block_done = block_done,
		.closed = closed,
		.submit = submit,
		.release = release,
		.pinged = pinged,
		.wake = wake,
	};
	H2Client *client = calloc(1, sizeof *client);

	if (!client)
		abort();
	client->conn = conn;
	client->h2.limits = conn->conf.head;
	conn->stream.watch.on_ready = on_ready;
	*out = client;
	return h2_init(&client->h2, &conn->stream, &role, false, 0);
}

void h2_client_free(H2Client *client)
{
	client->dead = true;
	if (client->running)
		wake(&client->h2);
	else
		client_drop(client);
}

bool h2_client_usable(const H2Client *client)
{
	return in_order(client) && h2_client_streams(client) > 0;
}

unsigned h2_client_streams(const H2Client *client)
{
	const H2 *h = &client->h2;
	uint32_t most =
		nghttp2_session_get_remote_settings(h->session,
	                                            NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

	return in_order(client) && most > client->calls ? most - client->calls : 0;
}

/* --- a call --------------------------------------------------------------------------------------------------------- */

static H2Call *state_of(const Call *call)
{
	return call->state;
}

static void learn(Call *call)
{
	const H2Call *c = state_of(call);
	bool untouched = c->s.unsent || (c->s.closed && c->s.code == NGHTTP2_REFUSED_STREAM);

	call->sent = c->s.head_out && !untouched;
	call->sent_all = c->s.all_out;
	call->read_all =
		c->head_came && c->s.in_end && !c->s.filling.len && list_empty(&c->answers);
	call->closes = !in_order(call->conn->h2);
}

/* What came of it, in the words of a caller. */
static Err *told(Call *call, Err *err)
{
	const H2Call *c = state_of(call);

	learn(call);
	if (err != &lost)
		return err;
	if (c->refused)
		return err_because(call->arena, c->refused, ERR_UPSTREAM, "http.response",
		                   "the server's answer was malformed");
	if (c->s.unsent || c->s.code == NGHTTP2_REFUSED_STREAM)
		return err_new(call->arena, ERR_CLOSED, "h2.refused",
		               "the server did not take the request");
	if (c->cut && !call->answered)
		return err_new(call->arena, ERR_CLOSED, "http.no_answer",
		               "the server closed the connection without an answer");
	if (c->cut)
		return err_new(call->arena, ERR_UPSTREAM, "http.truncated",
		               "the server closed the connection before its answer had ended");
	return err_new(call->arena, ERR_UPSTREAM, "h2.reset", "the server gave the request up: %s",
	               nghttp2_http2_strerror(c->s.code));
}

static Err *send_parts(Call *call, const Head *head, Str body, bool end)
{
	H2Stream *s = &state_of(call)->s;
	bool secure = call->conn->stream.tls != NULL;

	TRY(h2_give_head(s, h2_request_fields(call->arena, head, secure), false, 0, NULL, &lost));
	if (end || head->body == HTTP_BODY_NONE)
		return h2_give_last(s, body, (H2Fields){ 0 }, 0, NULL, &lost);
	if (body.len)
		TRY(h2_give(s, body, 0, NULL, &lost));
	h2_poke(s);
	return NULL;
}

static Err *h2_send(Call *call, const Head *head, Str body, bool end)
{
	H2Call *c = state_of(call);

	c->method = call->method = str_dup(call->arena, head->method);
	c->s.out_length = head->body == HTTP_BODY_LENGTH ? head->content_length
	                  : head->body == HTTP_BODY_NONE ? 0
	                                                 : -1;
	return told(call, send_parts(call, head, body, end));
}

static Err *h2_write(Call *call, Str piece)
{
	return told(call, h2_give(&state_of(call)->s, piece, 0, NULL, &lost));
}

static Err *h2_finish(Call *call, const Headers *trailers)
{
	H2Fields tail = { 0 };

	if (trailers && trailers->count)
		tail = h2_trailer_fields(call->arena, trailers);
	return told(call, h2_give_last(&state_of(call)->s, (Str){ 0 }, tail, 0, NULL, &lost));
}

static Err *h2_receive(Call *call, Head *head)
{
	H2Call *c = state_of(call);
	Answer *answer;

	while (list_empty(&c->answers)) {
		if (c->s.closed || c->refused)
			return told(call, &lost);
		TRY(told(call, h2_listen(&c->s)));
	}
	answer = LIST_TAKE(&c->answers, Answer, node);
	*head = answer->head;
	call->answered = true;
	if (head->status < 200)
		c->informs--;
	learn(call);
	return NULL;
}

static Err *h2_read(Call *call, Str *piece)
{
	return told(call, h2_take(&state_of(call)->s, piece, 0, NULL, &lost));
}

static bool h2_more(Call *call)
{
	return h2_have(&state_of(call)->s);
}

static const Headers *h2_trailers(Call *call)
{
	return &state_of(call)->s.trailers;
}

static Stream *h2_tunnel(Call *call, Str *early)
{
	(void)call;
	*early = (Str){ 0 };
	return NULL;
}

static void h2_end(Call *call)
{
	H2Call *c = TAKE(call->state);

	call->conn->h2->calls--;
	h2_leave(&c->s);
}

void h2_call_begin(Call *call)
{
	static const CallOps ops = {
		.send = h2_send,
		.write = h2_write,
		.finish = h2_finish,
		.receive = h2_receive,
		.read = h2_read,
		.more = h2_more,
		.trailers = h2_trailers,
		.tunnel = h2_tunnel,
		.end = h2_end,
	};
	H2Call *c = calloc(1, sizeof *c);

	if (!c)
		abort();
	list_init(&c->answers);
	call->conn->h2->calls++;
	call->ops = &ops;
	call->state = c;
	h2_stream_init(&c->s, &call->conn->h2->h2, 0, call->arena);
	c->s.closed = call->conn->h2->h2.over;
	c->s.unsent = c->cut = c->s.closed;
}
