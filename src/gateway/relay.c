/* SPDX-License-Identifier: Apache-2.0
 *
 * The request's body between a client and a server.
 *
 * It is held until it is whole, and only then is a server chosen: a client that sends slowly never keeps a worker of a
 * monolith, and the request can be made again. What is too large for that, and what was asked to be passed on as it
 * comes (gRPC, upgrades, routes that say so), is streamed: what there is of it goes first, and a fiber of its own passes
 * on the rest while another waits for the answer, so that both sides may talk at once. */
#include "gateway/proxy_int.h"
#include "gateway/spool.h"

#include "base/arena.h"

enum {
	SMALL_BYTES =
		64
		<< 10, /* waited for even where bodies are streamed; sent before the answer is looked at */
	TURN_BYTES =
		256
		<< 10, /* rule 9: after so many others get their turn, however fast both sides are */
};

Err *relay_took(size_t *turn, size_t bytes)
{
	*turn += bytes;
	if (*turn < TURN_BYTES)
		return NULL;
	*turn = 0;
	return fiber_yield();
}

SpoolRules relay_rules(const Passage *p)
{
	const BufferingConf *conf = &p->route->conf->buffering;

	return (SpoolRules){ .dir = p->snap->conf->spool_dir,
		             .memory = conf->memory,
		             .file = conf->file,
		             .max = p->snap->conf->spool_max };
}

bool relay_is_live(Str content_type)
{
	static const Str live[] = { S("text/event-stream"), S("application/grpc") };

	for (size_t i = 0; i < COUNT(live); i++)
		if (str_eq_nocase(str_sub(content_type, 0, live[i].len), live[i]))
			return true;
	return false;
}

/* --- before a server is chosen -------------------------------------------------------------------------------------- */

static void hold(Passage *p, Str piece)
{
	SpoolRules rules = relay_rules(p);

	if (!p->held) {
		p->held = ARENA_NEW(p->x->arena, Spool);
		spool_begin(p->held, &rules, SPOOL_REQUEST);
	}
	spool_add(p->held, piece);
}

static bool may_hold(const Passage *p)
{
	const BufferingConf *conf = &p->route->conf->buffering;
	const Head *request = &p->x->request;

	if (conf->requests != BUFFERING_AUTO || request->upgrade.len ||
	    relay_is_live(headers_get(&request->headers, HTTP_CONTENT_TYPE)))
		return false;
	if (request->content_length <= 0 ||
	    (uint64_t)request->content_length <= conf->memory + conf->file)
		return true;
	spool_too_large();
	return false;
}

static Err *gather_all(Passage *p)
{
	Exchange *x = p->x;
	size_t turn = 0;
	Str piece;

	while (!x->read_all && !(p->held && spool_is_full(p->held))) {
		TRY(http_read(x, &piece));
		if (x->read_all && !p->held) {
			p->body = piece; /* nothing more is read into its buffer */
			return NULL;
		}
		hold(p, piece);
		TRY(spool_settle(p->held));
		TRY(relay_took(&turn, piece.len));
	}
	return NULL;
}

/* What is there, and all of it when that is little. */
static Err *gather_some(Passage *p)
{
	Exchange *x = p->x;
	bool small =
		x->request.body == HTTP_BODY_LENGTH && x->request.content_length <= SMALL_BYTES;
	size_t held = 0;
	Str piece;

	while (!x->read_all && held < SMALL_BYTES && (small || http_more(x))) {
		TRY(http_read(x, &piece));
		if (x->read_all && !held) {
			p->body = piece;
			return NULL;
		}
		hold(p, piece);
		held += piece.len;
	}
	return NULL;
}

/* The time for a request is the servers': until the client has sent it all, limits look after the client. */
Err *relay_gather(Passage *p)
{
	Err *err;

	if (p->x->read_all)
		return NULL;
	deadline_end(&p->limit);
	err = may_hold(p) ? gather_all(p) : gather_some(p);
	if (err) {
		relay_forget(p);
		return err;
	}
	if (p->x->read_all && p->times->request_us)
		p->limit = deadline_begin(p->times->request_us);
	if (p->held && spool_bytes(p->held) == spool_memory(p->held).len)
		p->body = str_sub(spool_memory(p->held), 0, SMALL_BYTES);
	return NULL;
}

Err *relay_hold(Passage *p, Str body)
{
	Err *err;

	p->body = body;
	if (body.len <= SMALL_BYTES)
		return NULL;
	hold(p, body);
	p->body = (Str){ 0 };
	err = spool_settle(p->held);
	if (err)
		relay_forget(p);
	else if (spool_bytes(p->held) == spool_memory(p->held).len)
		p->body = str_sub(spool_memory(p->held), 0, SMALL_BYTES);
	return err;
}

static uint64_t held_bytes(const Passage *p)
{
	return p->held ? spool_bytes(p->held) : p->body.len;
}

void relay_forget(Passage *p)
{
	if (!p->held)
		return;
	p->body = (Str){ 0 };
	spool_end(TAKE(p->held));
}

/* --- to the server -------------------------------------------------------------------------------------------------- */

void relay_frame(Passage *p)
{
	const Head *request = &p->x->request;

	p->head.content_length = request->content_length;
	if (request->body == HTTP_BODY_NONE)
		p->head.body = HTTP_BODY_NONE;
	else if (p->x->read_all) {
		p->head.body = HTTP_BODY_LENGTH;
		p->head.content_length = (int64_t)held_bytes(p);
		if (http_trailers(p->x)->count) /* they go on only with chunks */
			p->head.body = HTTP_BODY_CHUNKED;
	} else
		p->head.body = request->body;
}

bool relay_is_small(const Passage *p)
{
	return p->x->read_all && p->body.len == held_bytes(p);
}

static Err *send_piece(Passage *p, Str piece, size_t *turn)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);

	p->upload_err = call_write(&p->call, piece);
	TRY(p->upload_err);
	return relay_took(turn, piece.len);
}

static Err *upload(Passage *p)
{
	uint64_t held = held_bytes(p);
	size_t turn = 0;
	Str piece;

	for (uint64_t at = p->body.len; at < held; at += piece.len) {
		TRY(spool_look(p->held, at, &piece));
		TRY(send_piece(p, piece, &turn));
	}
	while (!p->x->read_all) {
		TRY(http_read(p->x, &piece));
		TRY(send_piece(p, piece, &turn));
	}
	p->upload_err = call_finish(&p->call, passage_trailers(p));
	return p->upload_err;
}

Err *relay_upload(void *passage)
{
	Passage *p = passage;
	Err *err = upload(p);

	p->uploading = false;
	return err;
}
