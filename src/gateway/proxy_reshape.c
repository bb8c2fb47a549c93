/* SPDX-License-Identifier: Apache-2.0
 *
 * A request's way through reshape (reshape.c is what is done to it): the body is read whole, up to the limit of the route's
 * reshape, before a server is chosen, and what was made of it is held as any other body is, so that it can be sent again.
 * An answer is read whole too, and its server let go before a filter is at work.
 *
 * What names bytes of the server's connection is copied first: the connection may serve others by the time it is used. */
#include "gateway/proxy.h"
#include "gateway/proxy_int.h"
#include "gateway/reshape.h"
#include "gateway/template.h"

#include "base/arena.h"
#include "base/log.h"

/* --- requests ------------------------------------------------------------------------------------------------------- */

static void buf_free(void *arg)
{
	buf_fini(arg);
}

static Buf *new_body(Passage *p)
{
	Buf *body = ARENA_NEW(p->x->arena, Buf);

	*body = (Buf){ .limit = reshape_body_max(p->reshape) };
	arena_defer(p->x->arena, buf_free, body);
	return body;
}

static Err *read_whole(Passage *p, Str *whole)
{
	Exchange *x = p->x;
	Buf *body = new_body(p);
	size_t turn = 0;
	Str piece;

	if (x->request.content_length > (int64_t)reshape_body_max(p->reshape))
		return reshape_too_large(p->reshape, x->arena, false);
	while (!x->read_all) {
		TRY(http_read(x, &piece));
		buf_put(body, piece);
		if (body->broken)
			return reshape_too_large(p->reshape, x->arena, false);
		TRY(relay_took(&turn, piece.len));
	}
	*whole = buf_str(body);
	return NULL;
}

Err *proxy_reshape_request(Passage *p, bool *gathered)
{
	TemplateValues values;
	ReshapeIn in = { .values = &values, .target = p->head.target, .headers = &p->head.headers };
	ReshapeOut out;

	*gathered = !p->x->request.upgrade.len &&
	            reshape_wants_request(p->reshape, &p->x->request.headers);
	if (*gathered)
		TRY(read_whole(p, &in.body));
	passage_values(p, &values);
	TRY(reshape_request(p->reshape, p->x->arena, &in, &out));
	p->head.target = out.target;
	p->head.headers = out.headers;
	return *gathered ? relay_hold(p, out.body) : NULL;
}

/* --- answers -------------------------------------------------------------------------------------------------------- */

static bool is_read(const Passage *p)
{
	return reshape_wants_answer(p->reshape, p->answer.status, &p->answer.headers);
}

bool proxy_reshape_reads(const Passage *p)
{
	return p->reshape && p->answer.body != HTTP_BODY_NONE && is_read(p);
}

static void make_own(Arena *a, Head *head)
{
	head->reason = str_dup(a, head->reason);
	for (uint32_t i = 0; i < head->headers.count; i++) {
		Header *h = &head->headers.at[i];

		h->name = str_dup(a, h->name);
		h->value = str_dup(a, h->value);
	}
}

Err *proxy_reshape_begin(Passage *p, Buf **body)
{
	make_own(p->x->arena, &p->answer);
	*body = new_body(p);
	if (p->answer.body == HTTP_BODY_LENGTH &&
	    p->answer.content_length > (int64_t)reshape_body_max(p->reshape))
		return reshape_too_large(p->reshape, p->x->arena, true);
	return NULL;
}

Err *proxy_reshape_took(Passage *p, Buf *body, Str piece)
{
	buf_put(body, piece);
	return body->broken ? reshape_too_large(p->reshape, p->x->arena, true) : NULL;
}

Err *proxy_reshape_answer(Passage *p, Str *body)
{
	TemplateValues values;
	ReshapeIn in = { .values = &values, .headers = &p->answer.headers, .body = *body };
	ReshapeOut out;

	passage_values(p, &values);
	TRY(reshape_answer(p->reshape, p->x->arena, p->answer.status, &in, &out));
	p->answer.headers = out.headers;
	*body = out.body;
	if (p->answer.body == HTTP_BODY_NONE && is_read(p))
		p->answer.content_length = -1; /* HEAD: that of the other form */
	return NULL;
}

/* --- before the first --------------------------------------------------------------------------------------------------- */

static void warm(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Snapshot *snap = arg;
	Err *err = NULL;

	for (size_t i = 0; i < snap->conf->routes.count && !err; i++)
		if (snap->states[i].reshape)
			err = reshape_warm(snap->states[i].reshape, a);
	if (err && err->kind != ERR_CANCELLED)
		log_warn("jq filters could not be compiled beforehand: %.*s",
		         STR_ARG(err_chain(a, err)));
	snapshot_unref(snap);
}

static void start_warm(void *arg)
{
	if (fiber_start(warm, arg, "warm"))
		snapshot_unref(arg);
}

void proxy_warm(Snapshot *snap)
{
	bool any = false;

	for (size_t i = 0; i < snap->conf->routes.count; i++)
		any = any || snap->states[i].reshape;
	for (unsigned i = 0; any && i < rt_loops(); i++)
		loop_post(rt_loop(i), start_warm, snapshot_ref(snap));
}
