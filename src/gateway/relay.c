/* SPDX-License-Identifier: Apache-2.0
 *
 * What flows between a client and a server in one request: the request's body and the answer.
 *
 * A body that is small is read whole before a server is chosen: a slow client then never holds one of a monolith's
 * workers, and the request can be tried again. A larger one, or one of unknown length, is streamed by a fiber of its own
 * while another waits for the answer, so that an upstream may answer early and both may talk at once (gRPC). */
#include "gateway/proxy_int.h"

#include "base/arena.h"

enum { GATHER_BYTES = 64 << 10 };

static Err cut_short = ERR_STATIC(UPSTREAM, "upstream.truncated",
                                  "the server closed the connection inside its answer");
static Err stalled =
	ERR_STATIC(TIMEOUT, "upstream.stalled", "the server stopped in the middle of its answer");

/* --- the request's body --------------------------------------------------------------------------------------------- */

static void free_body(void *arg)
{
	buf_fini(arg);
}

Err *relay_gather(Passage *p)
{
	Exchange *x = p->x;
	bool small =
		x->request.body == HTTP_BODY_LENGTH && x->request.content_length <= GATHER_BYTES;
	Str piece;

	while (!x->read_all && p->gathered.len < GATHER_BYTES && (small || http_more(x))) {
		TRY(http_read(x, &piece));
		if (x->read_all && !p->gathered.len) {
			p->body = piece; /* nothing more is read into its buffer */
			break;
		}
		if (!p->gathered.cap)
			arena_defer(x->arena, free_body, &p->gathered);
		buf_put(&p->gathered, piece);
		p->body = buf_str(&p->gathered);
	}
	return NULL;
}

void relay_frame(Passage *p)
{
	const Head *request = &p->x->request;

	p->head.content_length = request->content_length;
	if (request->body == HTTP_BODY_NONE)
		p->head.body = HTTP_BODY_NONE;
	else if (p->x->read_all) {
		p->head.body = HTTP_BODY_LENGTH;
		p->head.content_length = (int64_t)p->body.len;
		if (http_trailers(p->x)->count) /* they go on only with chunks */
			p->head.body = HTTP_BODY_CHUNKED;
	} else
		p->head.body = request->body;
}

/* Rule 9: after so many bytes others get their turn, however fast both sides are. */
enum { TURN_BYTES = 256 << 10 };

static Err *took(size_t *turn, size_t bytes)
{
	*turn += bytes;
	if (*turn < TURN_BYTES)
		return NULL;
	*turn = 0;
	return fiber_yield();
}

/* The upload's own fiber. */
Err *relay_upload(void *arg)
{
	Passage *p = arg;
	size_t turn = 0;
	Str piece;

	for (;;) {
		AUTO(deadline_end) Deadline idle = { 0 };

		TRY(http_read(p->x, &piece));
		if (!piece.len)
			break;
		idle = deadline_begin(p->times->idle_us);
		p->upload_err = call_write(&p->call, piece);
		TRY(p->upload_err);
		TRY(took(&turn, piece.len));
	}
	p->upload_err = call_finish(&p->call, http_trailers(p->x));
	return p->upload_err;
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

Err *relay_receive(Passage *p, int64_t head_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(head_us);

	for (;;) {
		TRY(call_receive(&p->call, &p->answer));
		if (p->answer.status >= 200 || p->answer.status == 101)
			return NULL;
		if (p->answer.status != 100)
			TRY(http_inform(p->x, &p->answer));
	}
}

static Err *read_piece(Passage *p, Str *piece)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);
	Err *err = call_read(&p->call, piece);

	if (err_is(err, "rt.deadline"))
		return &stalled;
	return err && err->kind == ERR_CLOSED ? &cut_short : err;
}

Err *relay_answer(Passage *p)
{
	Exchange *x = p->x;
	Head out = p->answer;
	size_t turn = 0;
	Str piece;

	passage_answer_headers(p, &out);
	TRY(http_begin(x, &out));
	while (!x->ended) {
		if (!call_more(&p->call))
			TRY(http_flush(x));
		TRY(read_piece(p, &piece));
		if (!piece.len)
			return http_end(x, call_trailers(&p->call));
		TRY(http_write(x, piece));
		TRY(took(&turn, piece.len));
	}
	return NULL;
}
