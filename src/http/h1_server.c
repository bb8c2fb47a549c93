/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1 on one connection: read a head, run its exchange, and again while there are bytes.
 *
 * One buffer holds what was read; the head's views point into it for as long as the exchange lasts, so a body that came
 * later gets a buffer of its own. The answer waits in a third until it is worth a system call: the head goes out with
 * the first pieces of body, at the end, or when the handler is about to wait (http_flush). A head that stays incomplete
 * moves to a small growing buffer that the connection keeps without a fiber. */
#include "http/server_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/buffers.h"

#include <stdlib.h>
#include <string.h>

enum {
	TURN_REQUESTS = 32,     /* rule 9: pipelined requests before others get their turn */
	GATHER_BYTES = 8 << 10, /* pieces up to it are copied behind the head */
	DRAIN_BYTES =
		64 << 10, /* an unread body up to this is read so that the connection can be kept */
	DRAIN_US = 1000 * 1000,
	PARTIAL_BYTES = 1024, /* at least, for an incomplete head */
};

typedef struct Talk {
	Exchange x; /* first */
	ServerConn *sc;
	char *in; /* the head lies here: [in_at, in_end) is not used yet */
	size_t in_at, in_end, in_cap;
	char *late; /* bytes of a body that came after the head, or NULL */
	size_t late_at, late_end;
	H1Body body;
	Headers trailers;
	Buf out;
	HttpBody answer; /* how it is framed */
	uint64_t left;   /* of an answer with a length */
	uint64_t owed;   /* of a chunk whose size was said */
	bool close;      /* the connection ends after this answer */
	bool continued;  /* 100 was sent */
	bool sending;    /* some fiber is writing */
	bool broken;     /* a write failed: nothing more can be said */
	bool upgraded;
} Talk;

static Err stalled =
	ERR_STATIC(CLOSED, "http.slow_reader", "the client did not read the answer in time");
static Err slow = ERR_STATIC(SLOW_CLIENT, "http.slow_body", "the body did not come in time");
static Err left_early =
	ERR_STATIC(CLOSED, "http.truncated", "the client left before its request was complete");
static Err too_long =
	ERR_STATIC(INTERNAL, "http.answer_too_long", "an answer was longer than its head promised");
static Err head_too_large =
	ERR_STATIC(UPSTREAM, "http.answer_head", "an answer's head did not fit the buffer");

static const HttpLimits *limits_of(const Talk *t)
{
	return &server_conn_conf(t->sc)->limits;
}

/* Was it our time that ran out, or one the handler had set? */
static Err *told(Err *err, int64_t limit_us, Err *ours)
{
	return err_is(err, "rt.deadline") && loop_now_us() >= limit_us ? ours : err;
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

/* Taken when there is something to say: while an upstream works, a request holds one buffer only. */
static Buf *out_of(Talk *t)
{
	if (!t->out.at) {
		t->out.at = http_buffer_take();
		t->out.cap = t->out.limit = HTTP_BUFFER_BYTES;
	}
	return &t->out;
}

static Err *send_parts(Talk *t, struct iovec *parts, int count)
{
	int64_t limit_us = loop_now_us() + t->x.write_us;
	AUTO(deadline_end) Deadline limit = deadline_begin(t->x.write_us);
	Err *err;

	t->sending = true;
	err = t->broken ? &stalled : stream_writev(&t->sc->stream, parts, count);
	t->sending = false;
	t->out.len = 0;
	t->broken = t->broken || err;
	return told(err, limit_us, &stalled);
}

static Err *send_out(Talk *t)
{
	struct iovec part = { t->out.at, t->out.len };

	if (t->out.broken)
		return &head_too_large;
	return t->out.len ? send_parts(t, &part, 1) : NULL;
}

static Err *talk_flush(Exchange *x)
{
	return send_out((Talk *)x);
}

static Err *talk_inform(Exchange *x, const Head *head)
{
	Talk *t = (Talk *)x;

	if (x->request.version == HTTP_10)
		return NULL; /* RFC 9110 15.2 */
	h1_put_response(out_of(t), head, false);
	return send_out(t);
}

static Err *talk_begin(Exchange *x, const Head *head)
{
	Talk *t = (Talk *)x;
	const HttpLimits *limits = limits_of(t);
	Head final = *head;

	final.version = x->request.version;
	final.method = x->request.method;
	t->close = t->close || x->close_after || server_conn_draining(t->sc) ||
	           !x->request.keep_alive ||
	           (limits->requests && t->sc->requests >= limits->requests);
	if (x->ended)
		final.body = HTTP_BODY_NONE;
	else if (final.body != HTTP_BODY_LENGTH)
		final.body = x->request.version == HTTP_11 ? HTTP_BODY_CHUNKED : HTTP_BODY_CLOSE;
	t->answer = final.body;
	t->left = final.body == HTTP_BODY_LENGTH ? (uint64_t) final.content_length : 0;
	t->close = t->close || final.body == HTTP_BODY_CLOSE;
	h1_put_response(out_of(t), &final, t->close);
	return x->ended ? send_out(t) : NULL;
}

static struct iovec part_of(Str bytes)
{
	return (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.len };
}

/* Small enough to wait for what comes after it? */
static bool is_gathered(Talk *t, Str piece, bool chunk)
{
	if (piece.len > GATHER_BYTES || t->out.cap - t->out.len < piece.len + 32 || t->owed)
		return false;
	if (chunk)
		h1_put_chunk_start(&t->out, piece.len);
	buf_put(&t->out, piece);
	if (chunk)
		buf_put(&t->out, S("\r\n"));
	return true;
}

/* Says the size of the chunk that begins with the piece, unless one is open. */
static Err *open_chunk(Talk *t, Str piece, bool chunk)
{
	if (chunk && !t->owed) {
		h1_put_chunk_start(&t->out, piece.len);
		t->owed = piece.len;
	}
	return t->out.broken ? &head_too_large : NULL;
}

static Err *send_piece(Talk *t, Str piece, bool chunk)
{
	while (piece.len) {
		struct iovec parts[3] = { [2] = part_of(S("\r\n")) };
		Str now = piece;

		if (is_gathered(t, piece, chunk))
			return NULL;
		TRY(open_chunk(t, piece, chunk));
		if (chunk)
			now = str_sub(piece, 0, t->owed);
		t->owed -= chunk ? now.len : 0;
		parts[0] = part_of(buf_str(&t->out));
		parts[1] = part_of(now);
		TRY(send_parts(t, parts, chunk && !t->owed ? 3 : 2));
		piece = str_sub(piece, now.len, piece.len);
	}
	return NULL;
}

static Err *talk_write(Exchange *x, Str piece)
{
	Talk *t = (Talk *)x;

	if (t->answer != HTTP_BODY_LENGTH)
		return send_piece(t, piece, t->answer == HTTP_BODY_CHUNKED);
	if (piece.len > t->left)
		return &too_long;
	t->left -= piece.len;
	return send_piece(t, piece, false);
}

/* What went without waiting, from the front: of what was gathered, of the piece, of the chunk's end. */
static void note_sent(Talk *t, Str *piece, bool chunk, size_t sent)
{
	size_t gathered = MIN(sent, t->out.len);
	size_t taken = MIN(sent - gathered, chunk ? t->owed : piece->len);

	buf_drop(&t->out, gathered);
	*piece = str_sub(*piece, taken, piece->len);
	t->left -= t->answer == HTTP_BODY_LENGTH ? taken : 0;
	if (!chunk)
		return;
	t->owed -= taken;
	if (!t->owed)
		buf_put(&t->out, str_sub(S("\r\n"), sent - gathered - taken, 2));
}

static Err *send_at_once(Talk *t, Str *piece)
{
	bool chunk = t->answer == HTTP_BODY_CHUNKED && piece->len;
	struct iovec parts[3] = { part_of(buf_str(&t->out)), part_of(*piece), part_of(S("\r\n")) };
	size_t sent;
	Err *err;

	if (chunk)
		parts[1].iov_len = MIN(piece->len, t->owed);
	err = t->broken ? &stalled
	                : stream_try_writev(&t->sc->stream, parts,
	                                    chunk && piece->len >= t->owed ? 3 : 2, &sent);
	t->broken = t->broken || err;
	TRY(err);
	note_sent(t, piece, chunk, sent);
	return NULL;
}

/* Until all is sent, or the time is over: that is no error. */
static Err *send_in_time(Talk *t, Str *piece, int64_t us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(us);
	int64_t until_us = loop_now_us() + us;
	Err *err;

	TRY(send_at_once(t, piece));
	while (piece->len || t->out.len) {
		err = stream_wait_writable(&t->sc->stream);
		if (err_is(err, "rt.deadline") && loop_now_us() >= until_us)
			return NULL;
		TRY(err);
		TRY(send_at_once(t, piece));
	}
	return NULL;
}

static Err *talk_offer(Exchange *x, Str *piece, int64_t us, bool *waits)
{
	Talk *t = (Talk *)x;
	Err *err = NULL;
	bool chunk = t->answer == HTTP_BODY_CHUNKED && piece->len;
	bool sized = t->answer == HTTP_BODY_LENGTH;

	if (sized && piece->len > t->left)
		return &too_long;
	if (piece->len && is_gathered(t, *piece, chunk)) {
		t->left -= sized ? piece->len : 0;
		*piece = (Str){ 0 };
		return NULL;
	}
	TRY(open_chunk(t, *piece, chunk));
	if (!t->sending && (piece->len || t->out.len)) {
		t->sending = true;
		err = send_in_time(t, piece, us);
		t->sending = false;
	}
	t->broken = t->broken || err;
	*waits = piece->len || t->out.len;
	return err;
}

static Err *send_from_file(Talk *t, int fd, uint64_t from, size_t count, size_t *sent)
{
	if (t->out.len)
		TRY(stream_write_more(&t->sc->stream, buf_str(&t->out)));
	t->out.len = 0;
	return stream_sendfile(&t->sc->stream, fd, from, count, sent);
}

static Err *talk_send_file(Exchange *x, int fd, uint64_t from, size_t count, size_t *sent)
{
	Talk *t = (Talk *)x;
	int64_t limit_us = loop_now_us() + t->x.write_us;
	AUTO(deadline_end) Deadline limit = deadline_begin(t->x.write_us);
	Err *err;

	if (t->answer != HTTP_BODY_LENGTH || count > t->left)
		return &too_long;
	if (t->out.broken)
		return &head_too_large;
	t->sending = true;
	err = t->broken ? &stalled : send_from_file(t, fd, from, count, sent);
	t->sending = false;
	t->broken = t->broken || err;
	t->left -= err ? 0 : *sent;
	return told(err, limit_us, &stalled);
}

static Err *talk_end(Exchange *x, const Headers *trailers)
{
	Talk *t = (Talk *)x;

	if (t->answer == HTTP_BODY_CHUNKED)
		h1_put_last_chunk(&t->out, trailers);
	TRY(send_out(t));
	t->broken = t->left > 0; /* less than promised: only closing tells the client */
	return NULL;
}

static Err *talk_upgrade(Exchange *x, const Head *head, Stream **stream, Str *early)
{
	Talk *t = (Talk *)x;

	h1_put_response(out_of(t), head, false);
	TRY(send_out(t));
	t->upgraded = t->sc->tunnel = true;
	HTTP_STAT(tunnels, 1u);
	*stream = &t->sc->stream;
	*early = (Str){ t->in + t->in_at, t->in_end - t->in_at };
	return NULL;
}

static void talk_tunnel(Exchange *x, HttpTunnel *tunnel)
{
	Home *home = ((Talk *)x)->sc->home;

	list_add(&home->tunnels, &tunnel->node);
	if (home->farewell)
		tunnel->farewell(tunnel);
}

static void talk_keep_on(Exchange *x)
{
	watch_cancel_on_break(&((Talk *)x)->sc->stream.watch, NULL);
}

/* --- the request's body --------------------------------------------------------------------------------------------- */

static Str unused(const Talk *t)
{
	if (t->in_at < t->in_end)
		return (Str){ t->in + t->in_at, t->in_end - t->in_at };
	return (Str){ t->late ? t->late + t->late_at : NULL, t->late_end - t->late_at };
}

static void use(Talk *t, size_t n)
{
	if (t->in_at < t->in_end)
		t->in_at += n;
	else
		t->late_at += n;
}

static Err *fill_late(Talk *t)
{
	int64_t limit_us = loop_now_us() + t->x.body_us;
	AUTO(deadline_end) Deadline limit = deadline_begin(t->x.body_us);
	size_t got;

	if (!t->late)
		t->late = http_buffer_take();
	t->late_at = t->late_end = 0;
	TRY(told(stream_read(&t->sc->stream, t->late, HTTP_BUFFER_BYTES, &got), limit_us, &slow));
	t->late_end = got;
	return got ? NULL : &left_early;
}

static Err *send_continue(Talk *t)
{
	t->continued = true;
	if (!t->x.request.expect_continue || unused(t).len)
		return NULL;
	if (t->x.begun) /* the final answer is what it waits for; another fiber may be writing that */
		return fiber_self() == t->sc->fiber ? send_out(t) : NULL;
	if (t->sending)
		return NULL;
	return talk_inform(&t->x,
	                   &(Head){ .status = 100, .reason = S("Continue"), .content_length = -1 });
}

static Err *talk_read(Exchange *x, Str *piece)
{
	Talk *t = (Talk *)x;

	if (!t->continued)
		TRY(send_continue(t));
	*piece = (Str){ 0 };
	for (;;) {
		Str bytes = unused(t);
		size_t used = 0;

		TRY(h1_body_next(&t->body, bytes, &used, piece));
		use(t, used);
		x->read_all = t->body.done;
		if (piece->len || t->body.done)
			return NULL;
		if (!unused(t).len)
			TRY(fill_late(t));
	}
}

static const Headers *talk_trailers(Exchange *x)
{
	Talk *t = (Talk *)x;

	if (t->body.done && !t->trailers.count && h1_trailers(&t->body, x->arena, &t->trailers))
		t->trailers = (Headers){ 0 };
	return &t->trailers;
}

static bool talk_more(Exchange *x)
{
	Talk *t = (Talk *)x;

	return unused(t).len || stream_pending(&t->sc->stream);
}

static const ExchangeOps talk_ops = {
	.read = talk_read,
	.inform = talk_inform,
	.begin = talk_begin,
	.write = talk_write,
	.flush = talk_flush,
	.offer = talk_offer,
	.send_file = talk_send_file,
	.end = talk_end,
	.upgrade = talk_upgrade,
	.tunnel = talk_tunnel,
	.trailers = talk_trailers,
	.more = talk_more,
	.keep_on = talk_keep_on,
};

/* --- one exchange --------------------------------------------------------------------------------------------------- */

/* What is left of the request's body is read and dropped when that is little; true: the connection can go on. */
static bool drain(Talk *t)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(DRAIN_US);
	size_t dropped = 0;
	Str piece;

	if (t->x.request.expect_continue && !t->continued)
		return t->x.read_all; /* nobody knows whether it will come */
	while (!t->x.read_all && dropped <= DRAIN_BYTES) {
		if (talk_read(&t->x, &piece))
			return false;
		dropped += piece.len;
	}
	return t->x.read_all;
}

/* The next request may have come with the end of this one's body. */
static void keep_what_came_after(Talk *t)
{
	if (t->in_at < t->in_end || t->late_at == t->late_end)
		return;
	if (t->in_cap == HTTP_BUFFER_BYTES)
		http_buffer_give(t->in);
	else
		free(t->in);
	t->in = TAKE(t->late);
	t->in_cap = HTTP_BUFFER_BYTES;
	t->in_at = t->late_at;
	t->in_end = t->late_end;
	t->late_at = t->late_end = 0;
}

static Ending ending_of(Talk *t, const Err *refused)
{
	if (t->broken || !t->x.ended)
		return CONN_CLOSE;
	if (refused || !drain(t))
		return CONN_LINGER;
	if (t->close)
		return unused(t).len || stream_pending(&t->sc->stream) ? CONN_LINGER : CONN_CLOSE;
	keep_what_came_after(t);
	return CONN_IDLE;
}

static Ending run_exchange(Talk *t, Err *refused)
{
	Watch *watch = &t->sc->stream.watch;
	Ending ending;

	HTTP_STAT(requests[refused ? 2 : 0], 1u);
	h1_body_init(&t->body, refused ? HTTP_BODY_NONE : t->x.request.body,
	             t->x.request.content_length);
	t->x.read_all = t->body.done;
	watch_cancel_on_break(watch, fiber_self());
	exchange_serve(&t->x, refused);
	watch_cancel_on_break(watch, NULL);
	if (t->upgraded)
		HTTP_STAT(tunnels, -1u);
	ending = t->upgraded ? CONN_CLOSE : ending_of(t, refused);
	h1_body_fini(&t->body);
	return ending;
}

/* --- heads ---------------------------------------------------------------------------------------------------------- */

typedef enum Found { FOUND_HEAD, FOUND_PART, FOUND_NOTHING, FOUND_END, FOUND_PREFACE } Found;

#define PREFACE S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

static void make_room(Talk *t)
{
	if (t->in_at == t->in_end)
		t->in_at = t->in_end = 0;
	if (t->in_end < t->in_cap)
		return;
	if (t->in_at) {
		memmove(t->in, t->in + t->in_at, t->in_end - t->in_at);
		t->in_end -= t->in_at;
		t->in_at = 0;
		return;
	}
	{ /* a head larger than the buffer is allowed: the rules say more than HTTP_BUFFER_BYTES */
		char *bigger = malloc(t->in_cap * 2 + 1);

		if (!bigger)
			abort();
		memcpy(bigger, t->in, t->in_end);
		if (t->in_cap == HTTP_BUFFER_BYTES)
			http_buffer_give(t->in);
		else
			free(t->in);
		t->in = bigger;
		t->in_cap = t->in_cap * 2 + 1; /* never the pooled size */
	}
}

static bool may_be_preface(const Talk *t, Str bytes)
{
	return server_conn_conf(t->sc)->h2c && !t->sc->requests &&
	       str_starts(PREFACE, str_sub(bytes, 0, PREFACE.len));
}

static Err *find_head(Talk *t, H1Parser *parser, Found *found)
{
	for (;;) {
		Str bytes = { t->in + t->in_at, t->in_end - t->in_at };
		bool preface = bytes.len && may_be_preface(t, bytes);
		size_t used = 0;
		size_t got;
		bool more;

		*found = FOUND_PREFACE;
		if (preface && bytes.len >= PREFACE.len)
			return NULL;
		*found = FOUND_HEAD;
		if (bytes.len && !preface)
			TRY(h1_parse_request(parser, t->x.arena, &limits_of(t)->head, bytes,
			                     &t->x.request, &used));
		t->in_at += used;
		if (used)
			return NULL;
		make_room(t);
		TRY(stream_try_read(&t->sc->stream, t->in + t->in_end, t->in_cap - t->in_end, &got,
		                    &more));
		t->in_end += got;
		*found = more ? (bytes.len ? FOUND_PART : FOUND_NOTHING) : FOUND_END;
		if (!got)
			return NULL;
	}
}

static void move_parser(H1Parser *from, H1Parser *to)
{
	*to = *from;
	if (from->lines == from->inlined)
		to->lines = to->inlined;
	from->lines = NULL;
	from->cap = from->count = 0;
}

/* Puts what there is of a head into the connection, in a buffer that fits. */
static void set_aside(Talk *t, H1Parser *parser)
{
	Partial *partial = t->sc->partial;
	size_t len = t->in_end - t->in_at;

	if (!partial) {
		partial = t->sc->partial = malloc(sizeof *partial);
		if (!partial)
			abort();
		partial->start_us = t->x.start_us;
		partial->due_us = t->x.start_us + limits_of(t)->head_us;
	}
	if (t->in_cap == HTTP_BUFFER_BYTES) {
		partial->cap = MAX(len * 2, (size_t)PARTIAL_BYTES);
		partial->bytes = malloc(partial->cap);
		if (!partial->bytes)
			abort();
		memcpy(partial->bytes, t->in + t->in_at, len);
		http_buffer_give(TAKE(t->in));
	} else {
		partial->cap = t->in_cap;
		memmove(t->in, t->in + t->in_at, t->in_at ? len : 0);
		partial->bytes = TAKE(t->in);
	}
	partial->len = len;
	move_parser(parser, &partial->parser);
}

static void take_up(Talk *t, H1Parser *parser)
{
	Partial *partial = TAKE(t->sc->partial);

	if (!partial) {
		t->in = http_buffer_take();
		t->in_cap = HTTP_BUFFER_BYTES;
		h1_init(parser, false);
		return;
	}
	t->in = partial->bytes;
	t->in_cap = partial->cap;
	t->in_end = partial->len;
	t->x.start_us = partial->start_us;
	move_parser(&partial->parser, parser);
	free(partial);
}

/* --- the conversation ----------------------------------------------------------------------------------------------- */

static void begin_exchange(Talk *t)
{
	int64_t start_us = t->x.start_us;

	t->x = (Exchange){ 0 };
	server_conn_renew(t->sc);
	exchange_init(&t->x, t->sc, &talk_ops, arena_new(limits_of(t)->arena_bytes));
	if (start_us)
		t->x.start_us = start_us;
	t->trailers = (Headers){ 0 };
	t->out.len = 0;
	t->owed = 0;
	t->out.broken = false;
	t->close = t->continued = t->broken = t->upgraded = false;
}

static void end_exchange(Talk *t)
{
	arena_free(t->x.arena);
	t->x.arena = NULL;
	t->x.start_us = 0;
}

/* One head and what follows it; *ending is set when the conversation is over or idle. True: there may be another. */
static bool one_request(Talk *t, H1Parser *parser, Ending *ending)
{
	Found found;
	Err *refused;

	refused = find_head(t, parser, &found);
	if (!refused && found == FOUND_PART) {
		set_aside(t, parser);
		*ending = CONN_IDLE;
		return false;
	}
	if (!refused && found != FOUND_HEAD) {
		*ending = found == FOUND_NOTHING ? CONN_IDLE : CONN_CLOSE;
		if (found == FOUND_PREFACE)
			*ending = server_conn_h2(t->sc, unused(t));
		return false;
	}
	if (refused && refused->kind == ERR_CLOSED) {
		*ending = CONN_CLOSE;
		return false;
	}
	t->sc->requests++;
	*ending = run_exchange(t, refused);
	return *ending == CONN_IDLE;
}

Ending h1_serve(ServerConn *sc)
{
	Talk talk = { .sc = sc };
	H1Parser parser;
	Ending ending = CONN_IDLE;
	bool again = true;

	take_up(&talk, &parser);
	for (unsigned served = 1; again; served++) {
		begin_exchange(&talk);
		again = one_request(&talk, &parser, &ending);
		end_exchange(&talk);
		if (!again)
			break;
		h1_fini(&parser);
		h1_init(&parser, false);
		if (served % TURN_REQUESTS == 0 && fiber_yield())
			ending = CONN_CLOSE, again = false;
	}
	h1_fini(&parser);
	if (talk.in && talk.in_cap != HTTP_BUFFER_BYTES)
		free(talk.in);
	else
		http_buffer_give(talk.in);
	http_buffer_give(talk.late);
	http_buffer_give(talk.out.at);
	return ending;
}
