/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer on its way to the client.
 *
 * A client that takes what the server gives is served straight from the server's buffer, and nothing is kept. When it
 * leaves something for more than a moment, a second fiber begins to read the server out into a spool, while the first
 * goes on writing from there at the client's pace. When the server has said all, its connection goes back to the pool: a
 * worker of a monolith is free again though its client may read for hours. A client that has caught up is served straight
 * again. A spool that is full makes the second fiber wait, and the server with it; until then a client gets a moment to
 * catch up before anything is written to a disk.
 *
 * Never held: event streams, gRPC, what the server marks with X-Accel-Buffering: no, and routes that say so. */
#include "gateway/hooks.h"
#include "gateway/proxy_int.h"
#include "gateway/sendfile.h"
#include "gateway/spool.h"

#include "base/arena.h"

enum {
	INFORMS_MAX = 32,
	PATIENCE_US = 2000, /* a client that takes a piece in this time is not slow */
};

static Err cut_short = ERR_STATIC(UPSTREAM, "upstream.truncated",
                                  "the server closed the connection inside its answer");
static Err informs = ERR_STATIC(UPSTREAM, "http.response",
                                "the server sent one informational answer after another");
static Err stalled =
	ERR_STATIC(TIMEOUT, "upstream.stalled", "the server stopped in the middle of its answer");

typedef struct Delivery {
	Passage *p;
	Spool held;
	Child keeper; /* reads the server out */
	Headers trailers;
	size_t turn;
	uint64_t given; /* of what was held, to the client */
	uint64_t seen;  /* of that, when the keeper last waited for it */
	Str next; /* a piece that came when the client had all before it: the keeper has left */
} Delivery;

/* --- from the server ------------------------------------------------------------------------------------------------ */

Err *relay_receive(Passage *p, int64_t head_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(head_us);

	for (unsigned count = 0; count <= INFORMS_MAX; count++) {
		TRY(call_receive(&p->call, &p->answer));
		p->answered_us = loop_now_us();
		if (p->answer.status >= 200 || p->answer.status == 101)
			return NULL;
		if (p->answer.status != 100)
			TRY(http_inform(p->x, &p->answer));
	}
	return &informs;
}

static Err *read_some(Passage *p, Str *piece)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);
	Err *err = call_read(&p->call, piece);

	if (err_is(err, "rt.deadline"))
		return &stalled;
	return err && err->kind == ERR_CLOSED ? &cut_short : err;
}

static Err *read_piece(Passage *p, Str *piece)
{
	TRY(read_some(p, piece));
	if (p->shift)
		gateway_hooks()->piece(p, *piece);
	return NULL;
}

static bool is_all_sent(const Passage *p)
{
	return p->call.sent_all && !p->uploading;
}

/* The server is done with us, whatever the client still has to take; unless it answered before it had heard all. */
static void let_server_go(Delivery *d)
{
	Passage *p = d->p;

	d->trailers = *call_trailers(&p->call);
	if (!is_all_sent(p))
		return;
	call_end(&p->call);
	lease_end(&p->lease);
}

/* A client that took something since the last time is given a moment to take more. */
static Err *keep(Delivery *d, Str piece)
{
	if (d->seen != d->given)
		TRY(spool_wait_room(&d->held, piece.len, PATIENCE_US));
	d->seen = d->given;
	spool_add(&d->held, piece);
	TRY(spool_settle(&d->held));
	return spool_wait_room(&d->held, 0, 0);
}

static Err *read_out(Delivery *d)
{
	size_t turn = 0;
	Str piece;

	for (;;) {
		TRY(read_piece(d->p, &piece));
		if (piece.len && spool_is_drained(&d->held))
			d->next = piece;
		if (!piece.len || d->next.len)
			return NULL;
		TRY(keep(d, piece));
		TRY(relay_took(&turn, piece.len));
	}
}

static Err *keeper(void *arg)
{
	Delivery *d = arg;
	Err *err = read_out(d);

	if (!err && !d->next.len)
		let_server_go(d);
	spool_finish(&d->held, err);
	return err;
}

/* --- to the client -------------------------------------------------------------------------------------------------- */

/* Fields are views of the server's bytes, and HTTP/2 may look at them later than that they are there. */
static void make_own(Arena *a, Headers *headers)
{
	for (uint32_t i = 0; i < headers->count; i++) {
		Header *h = &headers->at[i];

		h->value = str_dup(a, h->value);
		if (h->id == HTTP_OTHER)
			h->name = str_dup(a, h->name);
	}
}

static Err *finish(Delivery *d)
{
	return http_end(d->p->x, &d->trailers);
}

static Err *offer(Delivery *d, Str *piece, bool *slow)
{
	d->turn += piece->len;
	TRY(http_offer(d->p->x, piece, PATIENCE_US, slow));
	return *slow ? NULL : relay_took(&d->turn, 0);
}

/* As long as the client takes what the server gives; *piece goes first. *slow: it did not take all, *piece is the rest.
 * Else the server has said all. */
static Err *pass_on(Delivery *d, Str *piece, bool *slow)
{
	Passage *p = d->p;

	if (piece->len)
		TRY(offer(d, piece, slow));
	while (!*slow) {
		*piece = (Str){ 0 };
		if (!call_more(&p->call))
			TRY(offer(d, piece, slow));
		if (*slow)
			return NULL;
		TRY(read_piece(p, piece));
		if (!piece->len)
			return NULL;
		TRY(offer(d, piece, slow));
	}
	return NULL;
}

static Err *pass_slowly(Delivery *d, Str piece)
{
	Passage *p = d->p;

	for (;;) {
		TRY(http_write(p->x, piece));
		TRY(relay_took(&d->turn, piece.len));
		if (!call_more(&p->call))
			TRY(http_flush(p->x));
		TRY(read_piece(p, &piece));
		if (piece.len)
			continue;
		let_server_go(d);
		return finish(d);
	}
}

/* What is held, and what comes to it, until the server has said all or the client has caught up (d->next then). */
static Err *give_out(Delivery *d)
{
	Exchange *x = d->p->x;
	Str piece;

	for (;;) {
		if (!spool_has(&d->held))
			TRY(http_flush(x));
		TRY(spool_take(&d->held, &piece));
		if (!piece.len)
			return NULL;
		TRY(http_write(x, piece));
		d->given += piece.len;
		TRY(relay_took(&d->turn, piece.len));
	}
}

static bool may_hold(const Passage *p)
{
	const Headers *headers = &p->answer.headers;

	return p->route->conf->buffering.answers == BUFFERING_AUTO &&
	       !relay_is_live(headers_get(headers, HTTP_CONTENT_TYPE)) &&
	       !str_eq_nocase(headers_get_name(headers, S("X-Accel-Buffering")), S("no"));
}

/* The rest of a piece goes first, as what is open of it may have to be ended (http_offer). */
static Err *hold(Delivery *d, Str rest)
{
	SpoolRules rules = relay_rules(d->p);

	if (!d->held.begun)
		spool_begin(&d->held, &rules, SPOOL_ANSWER);
	spool_resume(&d->held);
	spool_add(&d->held, rest);
	d->next = (Str){ 0 };
	if (d->p->call.read_all) {
		let_server_go(d);
		spool_finish(&d->held, NULL);
	}
	TRY(give_out(d));
	child_end(&d->keeper);
	return NULL;
}

static void delivery_end(Delivery *d)
{
	child_end(&d->keeper);
	spool_end(&d->held);
}

static Err *deliver(Delivery *d)
{
	Str piece = { 0 };

	for (;;) {
		bool slow = false;

		TRY(pass_on(d, &piece, &slow));
		if (!slow) {
			let_server_go(d);
			return finish(d);
		}
		if (!may_hold(d->p) ||
		    (!d->p->call.read_all && child_start(&d->keeper, keeper, d, "keeper")))
			return pass_slowly(d, piece); /* or there are too many fibers */
		TRY(hold(d, piece));
		if (!d->next.len)
			return finish(d);
		piece = d->next;
	}
}

/* --- reshaped ------------------------------------------------------------------------------------------------------- */

static Err *read_whole(Delivery *d, Str *whole)
{
	Passage *p = d->p;
	Buf *body;
	Str piece;

	TRY(proxy_reshape_begin(p, &body));
	for (;;) {
		TRY(read_some(p, &piece));
		if (!piece.len)
			break;
		TRY(proxy_reshape_took(p, body, piece));
		TRY(relay_took(&d->turn, piece.len));
	}
	let_server_go(d);
	*whole = buf_str(body);
	return NULL;
}

static Err *give_whole(Passage *p, Str body)
{
	Head out = p->answer;

	out.body = HTTP_BODY_LENGTH;
	out.content_length = (int64_t)body.len;
	passage_answer_headers(p, &out);
	TRY(http_begin(p->x, &out));
	if (is_all_sent(p))
		relay_forget(p);
	if (p->shift) {
		gateway_hooks()->piece(p, body);
		gateway_hooks()->piece(p, S(""));
	}
	if (p->x->ended)
		return NULL;
	TRY(http_write(p->x, body));
	return http_end(p->x, NULL);
}

/* The answer of a side that has another form. *given: there is nothing left to do. */
static Err *reshape(Delivery *d, bool *given)
{
	Str body = { 0 };

	*given = proxy_reshape_reads(d->p);
	if (*given)
		TRY(read_whole(d, &body));
	TRY(proxy_reshape_answer(d->p, &body));
	return *given ? give_whole(d->p, body) : NULL;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

Err *relay_answer(Passage *p)
{
	AUTO(delivery_end) Delivery d = { .p = p };
	bool given = false;
	Head out;

	if (sendfile_is_asked(p))
		return sendfile_answer(p);
	if (p->reshape)
		TRY(reshape(&d, &given));
	if (given)
		return NULL;
	out = p->answer;
	passage_answer_headers(p, &out);
	if (p->x->request.version == HTTP_2)
		make_own(p->x->arena, &out.headers);
	TRY(http_begin(p->x, &out));
	if (is_all_sent(p))
		relay_forget(p);
	if (p->x->ended)
		return NULL;
	return deliver(&d);
}
