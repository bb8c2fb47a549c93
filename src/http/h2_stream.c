/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP/2 stream, seen from both sides: its fibers read and write here, and the connection's owner carries that to and
 * from the session.
 *
 * Sending copies once: a writer leaves a view of its bytes and waits; frames are laid out of that view straight into the
 * connection's output as flow control allows, and the writer goes on when all was taken. Receiving copies once: DATA is
 * gathered in one buffer while the reader looks at another, and the stream's window is opened only for what the reader
 * has finished with, so a slow reader holds at most a window. Of a client's connection the streams have a window together,
 * too. A connection to a server is shared by many clients: there the streams' own windows are the limit, or a few who read
 * slowly would hold up everybody.
 *
 * A stream belongs to its fiber until h2_leave, and is freed by the owner after; `closed` says that the session has
 * forgotten it meanwhile. */
#include "http/h2_int.h"

#include "base/arena.h"
#include "http/buffers.h"
#include "rt/loop.h"

#include <string.h>

enum {
	FRAME_HEAD = 9,
	ROOM_MIN = 2 << 10,    /* no DATA frame is cut shorter than this for want of room */
	HOLD_BYTES = 8 << 10,  /* a first piece up to this waits with its head */
	TELL_BYTES = 16 << 10, /* used bytes are told in lots of this */
	WINDOW_UPDATES_PER_FRAME = 4,
	DRIBBLE_BYTES =
		256, /* a smaller frame that the peer's window cut is no reason for updates */
	PROGRESS_BYTES = 1024, /* less than that within the time to write is as good as nothing */
};

void h2_stream_init(H2Stream *s, H2 *h, int32_t id, Arena *a)
{
	s->h2 = h;
	s->id = id;
	s->arena = a;
	s->in_length = s->out_length = -1;
	list_add(&h->streams, &s->node);
	h->live++;
}

void h2_stream_fini(H2Stream *s)
{
	H2 *h = s->h2;

	if (s->untold && !h->over)
		nghttp2_session_consume_connection(h->session, s->untold);
	buf_fini(&s->filling);
	buf_fini(&s->reading);
	list_remove(&s->node);
	list_remove(&s->queued);
	h->live--;
}

static void wake(Fiber *fiber)
{
	if (fiber)
		fiber_wake(fiber);
}

/* --- by the owner: coming ------------------------------------------------------------------------------------------- */

void h2_stream_reset(H2Stream *s, uint32_t code)
{
	if (!s->closed && s->id && !s->h2->over)
		nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, code);
}

void h2_stream_block(H2Stream *s)
{
	const H2Role *role = s->h2->role;

	s->block = arena_alloc_raw(s->arena, sizeof *s->block);
	h2_block_begin(s->block, role->kind(s), s->arena, &s->h2->limits, role->method(s));
}

void h2_stream_data(H2Stream *s, Str bytes)
{
	if (s->h2->server)
		s->untold += bytes.len;
	else
		nghttp2_session_consume_connection(s->h2->session, bytes.len);
	s->in_bytes += (int64_t)bytes.len;
	if (s->in_length >= 0 && s->in_bytes > s->in_length) {
		h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	buf_put(&s->filling, bytes);
	wake(s->reader);
}

void h2_stream_end(H2Stream *s)
{
	if (s->in_length >= 0 && s->in_bytes != s->in_length) {
		h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	s->in_end = true;
	wake(s->reader);
}

void h2_stream_close(H2Stream *s, uint32_t code)
{
	if (s->closed)
		return;
	s->closed = true;
	s->code = code;
	wake(s->reader);
	wake(s->writer);
	s->h2->role->closed(s);
}

/* --- by the owner: going -------------------------------------------------------------------------------------------- */

static ssize_t source_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
                           uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
	H2 *h = user_data;
	H2Stream *s = nghttp2_session_get_stream_user_data(session, id);
	size_t room = HTTP_BUFFER_BYTES - h->out_end;
	size_t n;

	(void)buf;
	(void)source;
	if (!s || s->spoilt)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (!s->piece.len && !s->last) {
		s->deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	n = MIN(length, s->piece.len);
	if (room < FRAME_HEAD + MIN(n, (size_t)ROOM_MIN))
		return NGHTTP2_ERR_PAUSE;
	n = MIN(n, room - FRAME_HEAD);
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n < s->piece.len || !s->last)
		return (ssize_t)n;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (s->tail.count) {
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		nghttp2_submit_trailer(session, id, s->tail.at, s->tail.count);
	}
	return (ssize_t)n;
}

nghttp2_data_provider h2_stream_source(void)
{
	return (nghttp2_data_provider){ .read_callback = source_read };
}

/* Called right after source_read, which saw to the room. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                     size_t length, nghttp2_data_source *source, void *user_data)
{
	H2 *h = user_data;
	H2Stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	char *to = h->out + h->out_end;

	(void)source;
	if (!s || s->piece.len < length)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	memcpy(to, head, FRAME_HEAD);
	if (length)
		memcpy(to + FRAME_HEAD, s->piece.at, length);
	h->out_end += FRAME_HEAD + length;
	s->piece = str_sub(s->piece, length, s->piece.len);
	if (!s->piece.len || length >= DRIBBLE_BYTES)
		h2_guard_forgive(&h->guard, H2_ACT_WINDOW_UPDATE, WINDOW_UPDATES_PER_FRAME);
	if (!s->piece.len)
		wake(s->writer);
	return 0;
}

void h2_stream_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
}

void h2_stream_told(H2Stream *s)
{
	wake(s->reader);
}

void h2_stream_sent(H2Stream *s)
{
	wake(s->writer);
}

static void submit_head(H2Stream *s)
{
	H2 *h = s->h2;
	int rv;

	if (s->inform) {
		rv = nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, s->id, NULL,
		                            s->fields.at, s->fields.count, NULL);
	} else {
		s->head_taken = true;
		rv = h->role->submit(s);
	}
	s->fields = (H2Fields){ 0 };
	wake(s->writer);
	if (rv < 0)
		h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
}

static void tell_used(H2Stream *s)
{
	if (s->h2->server) {
		nghttp2_session_consume(s->h2->session, s->id, s->used);
		s->untold -= s->used;
	} else {
		nghttp2_session_consume_stream(s->h2->session, s->id, s->used);
	}
	s->used = 0;
}

/* The fiber has gone: what is still open is cut off. */
static void part(H2Stream *s)
{
	if (!s->closed && s->id) {
		bool done = s->all_out &&
		            s->h2->server; /* RFC 9113 8.1: the rest of the request is not needed */

		nghttp2_session_set_stream_user_data(s->h2->session, s->id, NULL);
		h2_stream_reset(s, done            ? NGHTTP2_NO_ERROR
		                   : s->h2->server ? NGHTTP2_INTERNAL_ERROR
		                                   : NGHTTP2_CANCEL);
	}
	h2_stream_fini(s);
	s->h2->role->release(s);
}

void h2_stream_apply(H2Stream *s)
{
	bool over = s->h2->over;

	if (s->used && !over)
		tell_used(s);
	if (s->left) {
		s->closed = s->closed || over;
		part(s);
		return;
	}
	if (over || s->closed)
		return;
	if (s->spoilt) {
		h2_stream_reset(s, s->h2->server ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
		return;
	}
	if (s->fields.at)
		submit_head(s);
	if (s->deferred && (s->piece.len || s->last)) {
		s->deferred = false;
		nghttp2_session_resume_data(s->h2->session, s->id);
	}
}

/* --- by its fibers -------------------------------------------------------------------------------------------------- */

void h2_poke(H2Stream *s)
{
	if (!node_linked(&s->queued))
		list_add(&s->h2->queue, &s->queued);
	s->h2->role->wake(s->h2);
}

static Err *wait_for(Fiber **slot, int64_t us, Err *late)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	int64_t until_us = loop_now_us() + us;
	Err *err;

	if (us)
		limit = deadline_begin(us);
	*slot = fiber_self();
	err = fiber_park();
	*slot = NULL;
	return us && err_is(err, "rt.deadline") && loop_now_us() >= until_us ? late : err;
}

bool h2_have(const H2Stream *s)
{
	return s->filling.len || s->in_end || s->closed;
}

static void used_up(H2Stream *s)
{
	s->used += s->reading.len;
	buf_clear(&s->reading);
	if (s->used && !s->closed && !s->in_end && (s->used >= TELL_BYTES || !s->filling.len))
		h2_poke(s);
}

Err *h2_take(H2Stream *s, Str *piece, int64_t us, Err *late, Err *gone)
{
	Buf swap;

	*piece = (Str){ 0 };
	used_up(s);
	while (!s->filling.len) {
		if (s->in_end)
			return NULL;
		if (s->closed)
			return gone;
		TRY(wait_for(&s->reader, us, late));
	}
	swap = s->reading;
	s->reading = s->filling;
	s->filling = swap;
	*piece = buf_str(&s->reading);
	return NULL;
}

/* Waits while `busy` says so; a write given up halfway leaves the stream useless. */
static Err *wait_to_go(H2Stream *s, bool (*busy)(const H2Stream *s), int64_t us, Err *late,
                       Err *gone)
{
	while (busy(s)) {
		size_t before = s->piece.len;
		Err *err = s->closed || s->spoilt ? gone : wait_for(&s->writer, us, late);

		if (!err || (err == late && s->piece.len + PROGRESS_BYTES <= before))
			continue;
		s->piece = (Str){ 0 };
		s->spoilt = true;
		if (!s->closed)
			h2_poke(s);
		return err;
	}
	return NULL;
}

static bool has_head(const H2Stream *s)
{
	return s->fields.at != NULL;
}

static bool has_piece(const H2Stream *s)
{
	return s->piece.len > 0;
}

static bool has_more(const H2Stream *s)
{
	return !s->all_out;
}

Err *h2_give_head(H2Stream *s, H2Fields fields, bool inform, int64_t us, Err *late, Err *gone)
{
	if (s->closed || s->spoilt)
		return gone;
	TRY(wait_to_go(s, has_head, us, late, gone));
	s->fields = fields;
	s->inform = inform;
	if (inform)
		h2_poke(s);
	return NULL;
}

/* A body of another length than its head said is never completed. */
static Err *keep_promise(H2Stream *s, size_t len, bool last)
{
	static Err wrong = ERR_STATIC(INTERNAL, "http.body_length",
	                              "a body was not of the length its head had said");

	if (s->out_length < 0)
		return NULL;
	if (len <= (uint64_t)s->out_length && (!last || len == (uint64_t)s->out_length)) {
		s->out_length -= (int64_t)len;
		return NULL;
	}
	s->spoilt = true;
	h2_poke(s);
	return &wrong;
}

Err *h2_give(H2Stream *s, Str piece, int64_t us, Err *late, Err *gone)
{
	if (s->closed || s->spoilt)
		return gone;
	TRY(keep_promise(s, piece.len, false));
	if (has_head(s) && !has_piece(s) && piece.len <= HOLD_BYTES) {
		s->piece = str_dup(s->arena, piece);
		return NULL;
	}
	if (has_piece(s)) {
		h2_poke(s);
		TRY(wait_to_go(s, has_piece, us, late, gone));
	}
	s->piece = piece;
	h2_poke(s);
	return wait_to_go(s, has_piece, us, late, gone);
}

static Err *wait_a_moment(H2Stream *s, int64_t us)
{
	static Err over = ERR_STATIC(TIMEOUT, "rt.deadline", "the moment was over");
	int64_t until_us = loop_now_us() + us;
	Err *err = fiber_yield();

	while (!err && s->piece.len && !s->closed && loop_now_us() < until_us)
		err = wait_for(&s->writer, until_us - loop_now_us(), &over);
	return err == &over ? NULL : err;
}

/* Lets the owner have the piece for a moment, and takes back what it could not place. */
static Err *lend(H2Stream *s, Str *piece, int64_t us)
{
	Err *err;

	s->piece = *piece;
	h2_poke(s);
	err = wait_a_moment(s, us);
	*piece = s->piece;
	s->piece = (Str){ 0 };
	if (s->out_length >= 0)
		s->out_length += (int64_t)piece->len;
	if (!err || s->closed)
		return err;
	s->spoilt = true;
	h2_poke(s);
	return err;
}

Err *h2_offer(H2Stream *s, Str *piece, int64_t us, bool *waits, Err *gone)
{
	Str given = *piece;

	if (s->closed || s->spoilt)
		return gone;
	if (has_head(s) && !has_piece(s) && given.len && given.len <= HOLD_BYTES) {
		*piece = (Str){ 0 };
		return h2_give(s, given, 0, gone, gone);
	}
	h2_poke(s);
	if (has_piece(s)) { /* a small one that went with the head */
		TRY(wait_a_moment(s, us));
		*waits = has_piece(s);
	}
	if (*waits || !given.len)
		return NULL;
	TRY(keep_promise(s, given.len, false));
	TRY(lend(s, piece, us));
	*waits = piece->len > 0;
	return NULL;
}

Err *h2_give_last(H2Stream *s, Str piece, H2Fields tail, int64_t us, Err *late, Err *gone)
{
	if (s->closed || s->spoilt)
		return gone;
	TRY(keep_promise(s, piece.len, true));
	if (piece.len && has_piece(s)) {
		h2_poke(s);
		TRY(wait_to_go(s, has_piece, us, late, gone));
	}
	if (piece.len)
		s->piece = piece;
	s->tail = tail;
	s->last = true;
	h2_poke(s);
	return wait_to_go(s, has_more, us, late, gone);
}

Err *h2_listen(H2Stream *s)
{
	return wait_for(&s->reader, 0, NULL);
}

void h2_leave(H2Stream *s)
{
	s->left = true;
	s->piece = (Str){ 0 };
	s->spoilt = s->spoilt || !s->all_out;
	h2_poke(s);
}
