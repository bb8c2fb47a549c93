/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer on its way to the client.
 *
 * A client that takes what the server gives is served straight from the server's buffer, and nothing is kept. The moment
 * it does not take something at once, a second fiber begins to read the server out into a spool, while the first goes on
 * writing from there at the client's pace. When the server has said all, its connection goes back to the pool: a worker
 * of a monolith is free again though its client may read for hours. A spool that is full makes the second fiber wait,
 * and the server with it; until then a client gets a moment to catch up before anything is written to a disk.
 *
 * Never held: event streams, gRPC, what the server marks with X-Accel-Buffering: no, and routes that say so. */
#include "gateway/proxy_int.h"
#include "gateway/sendfile.h"
#include "gateway/spool.h"

#include "base/arena.h"

enum {
	INFORMS_MAX = 32,
	PATIENCE_US =
		20 * 1000, /* a client that takes what memory holds in this time is not slow */
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
} Delivery;

/* --- from the server ------------------------------------------------------------------------------------------------ */

Err *relay_receive(Passage *p, int64_t head_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(head_us);

	for (unsigned count = 0; count <= INFORMS_MAX; count++) {
		TRY(call_receive(&p->call, &p->answer));
		if (p->answer.status >= 200 || p->answer.status == 101)
			return NULL;
		if (p->answer.status != 100)
			TRY(http_inform(p->x, &p->answer));
	}
	return &informs;
}

static Err *read_piece(Passage *p, Str *piece)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);
	Err *err = call_read(&p->call, piece);

	if (err_is(err, "rt.deadline"))
		return &stalled;
	return err && err->kind == ERR_CLOSED ? &cut_short : err;
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
		if (!piece.len)
			return NULL;
		TRY(keep(d, piece));
		TRY(relay_took(&turn, piece.len));
	}
}

static Err *keeper(void *arg)
{
	Delivery *d = arg;
	Err *err = read_out(d);

	if (!err)
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

/* As long as the client takes what the server gives. *rest: what it did not take. */
static Err *pass_on(Delivery *d, Str *rest, bool *slow)
{
	Passage *p = d->p;

	for (;;) {
		*rest = (Str){ 0 };
		if (!call_more(&p->call))
			TRY(http_offer(p->x, rest, slow));
		if (*slow)
			return NULL;
		TRY(read_piece(p, rest));
		if (!rest->len)
			return NULL;
		d->turn += rest->len;
		TRY(http_offer(p->x, rest, slow));
		if (*slow)
			return NULL;
		TRY(relay_took(&d->turn, 0));
	}
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

static Err *give_out(Delivery *d)
{
	Exchange *x = d->p->x;
	Str piece;

	for (;;) {
		if (!spool_has(&d->held))
			TRY(http_flush(x));
		TRY(spool_take(&d->held, &piece));
		if (!piece.len)
			return finish(d);
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

/* The client is slow. The rest of the piece goes first, as what is open of it may have to be ended (http_offer). */
static Err *hold(Delivery *d, Str rest)
{
	Passage *p = d->p;
	SpoolRules rules = relay_rules(p);

	if (!may_hold(p))
		return pass_slowly(d, rest);
	if (p->call.read_all) {
		spool_begin(&d->held, &rules, SPOOL_ANSWER);
		spool_add(&d->held, rest);
		let_server_go(d);
		spool_finish(&d->held, NULL);
		return give_out(d);
	}
	if (child_start(&d->keeper, keeper, d, "keeper"))
		return pass_slowly(d, rest); /* too many fibers */
	spool_begin(&d->held, &rules, SPOOL_ANSWER);
	spool_add(&d->held, rest);
	return give_out(d);
}

static void delivery_end(Delivery *d)
{
	child_end(&d->keeper);
	spool_end(&d->held);
}

Err *relay_answer(Passage *p)
{
	AUTO(delivery_end) Delivery d = { .p = p };
	Head out = p->answer;
	bool slow = false;
	Str rest;

	if (sendfile_is_asked(p))
		return sendfile_answer(p);
	passage_answer_headers(p, &out);
	if (p->x->request.version == HTTP_2)
		make_own(p->x->arena, &out.headers);
	TRY(http_begin(p->x, &out));
	if (is_all_sent(p))
		relay_forget(p);
	if (p->x->ended)
		return NULL;
	TRY(pass_on(&d, &rest, &slow));
	if (slow)
		return hold(&d, rest);
	let_server_go(&d);
	return finish(&d);
}
