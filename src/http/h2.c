/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP/2 connection: the nghttp2 session, its callbacks, and the bytes to and from the socket.
 *
 * The owner turns in h2_pump: what streams want goes to the session, what the session has to say goes to the socket,
 * what the socket has goes to the session, until nothing moves; then it waits. It goes on reading while it cannot write,
 * so two peers that both write do not lock each other up; that is bounded because everything that can pile up is: DATA
 * to send stays with its writers, answers to SETTINGS and PING are counted by nghttp2 (1000), resets by the guard.
 *
 * Callbacks never park. What a peer overdoes (h2_guard.h) ends the connection with GOAWAY ENHANCE_YOUR_CALM; nghttp2 is
 * stopped at the spot, so the frame is written by hand. */
#include "http/h2_int.h"

#include "http/buffers.h"
#include "rt/stream.h"

#include <stdlib.h>
#include <string.h>

enum {
	FRAME_ROOM = (16 << 10) + 9, /* no frame is asked for with less room than this */
	TURN_BYTES = 256 << 10,      /* rule 9 */
	QUEUE_MAX = 4096,            /* frames the session holds back; reading stops there */
	BLOCK_TIMES = 8, /* decoded bytes of a header block, in limits: more is an HPACK bomb */
	STREAM_WINDOW = 64 << 10,
	CONNECTION_WINDOW = 1 << 20,
	STREAMS_BEFORE_SETTINGS = 100, /* a client opens before the server said how many it may */
};

static Err broken_protocol =
	ERR_STATIC(INVALID, "h2.protocol", "the peer broke the rules of HTTP/2");
static Err slow_reader =
	ERR_STATIC(CLOSED, "http.slow_reader", "the peer did not take what was sent in time");
static Err bomb =
	ERR_STATIC(LIMITED, "h2.flood", "a header block was too large when it was unpacked");

static Err *flood(H2Act act)
{
	static Err floods[] = {
#define X(act_, burst, rate, text_) \
	[H2_ACT_##act_] = ERR_STATIC(LIMITED, "h2.flood", "too many: " text_),
		H2_ACTS(X)
#undef X
	};

	return &floods[act];
}

/* --- callbacks: abuse ----------------------------------------------------------------------------------------------- */

static int count(H2 *h, H2Act act)
{
	if (h2_guard_count(&h->guard, act, loop_now_us()))
		return 0;
	h->abuse = flood(act);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static Err *count_frames(H2 *h, Str bytes)
{
	int64_t now_us = loop_now_us();
	H2Act act;

	while (!h->abuse && h2_scan(&h->scan, &bytes, h->server, &act))
		if (act != H2_ACT_COUNT && !h2_guard_count(&h->guard, act, now_us))
			h->abuse = flood(act);
	return h->abuse;
}

/* A stream that we had to reset cost us its request and the peer one frame. */
static int count_reset(H2 *h, uint32_t code)
{
	switch (code) {
	case NGHTTP2_NO_ERROR:
	case NGHTTP2_INTERNAL_ERROR:
	case NGHTTP2_CANCEL:
		return 0;
	case NGHTTP2_REFUSED_STREAM:
		return count(h, H2_ACT_REFUSED);
	default:
		if (h->role->faulted)
			h->role->faulted(h);
		return count(h, H2_ACT_FAULT);
	}
}

static bool too_much_unpacked(H2 *h, size_t len)
{
	h->block_bytes += len;
	if (h->block_bytes <= (size_t)BLOCK_TIMES * h->limits.head_bytes)
		return false;
	h->abuse = &bomb;
	return true;
}

/* --- callbacks: header blocks --------------------------------------------------------------------------------------- */

static H2Stream *stream_of(nghttp2_session *session, int32_t id)
{
	return id ? nghttp2_session_get_stream_user_data(session, id) : NULL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	H2 *h = user_data;
	H2Stream *s = stream_of(session, frame->hd.stream_id);

	h->block_bytes = 0;
	h->block_since_us = loop_now_us();
	h->block_stream = frame->hd.stream_id;
	if (!s && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		s = h->role->opened(h, frame->hd.stream_id);
		if (s)
			nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s);
		else
			nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
			                          NGHTTP2_REFUSED_STREAM);
	}
	if (s)
		h2_stream_block(s);
	return 0;
}

static int take_field(nghttp2_session *session, const nghttp2_frame *frame, Str name, Str value,
                      H2 *h, bool invalid)
{
	H2Stream *s = stream_of(session, frame->hd.stream_id);

	if (too_much_unpacked(h, name.len + value.len + 32))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (!s || !s->block)
		return 0;
	h2_block_field(s->block, name, value);
	return invalid ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
	(void)flags;
	return take_field(session, frame, (Str){ (const char *)name, name_len },
	                  (Str){ (const char *)value, value_len }, user_data, false);
}

static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user_data)
{
	int rv = take_field(session, frame, (Str){ (const char *)name, name_len },
	                    (Str){ (const char *)value, value_len }, user_data, true);

	(void)flags;
	if (rv ==
	    NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE) /* or the reset would say that it was our fault */
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
		                          NGHTTP2_PROTOCOL_ERROR);
	return rv;
}

static void on_block(H2Stream *s, bool end)
{
	H2Block *block = TAKE(s->block);

	if (!block)
		return;
	if (block->kind != H2_TRAILERS) {
		s->h2->role->block_done(s, block, end);
		return;
	}
	if (h2_block_end(block, end)) {
		h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
		return;
	}
	s->trailers = block->head.headers;
}

/* --- callbacks: the rest -------------------------------------------------------------------------------------------- */

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	H2 *h = user_data;
	bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	H2Stream *s;

	switch (frame->hd.type) {
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			h->role->pinged(h);
		return 0;
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		s = stream_of(session, frame->hd.stream_id);
		if (frame->hd.type == NGHTTP2_HEADERS)
			h->block_since_us = 0;
		if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_HEADERS)
			h2_guard_forgive(&h->guard, H2_ACT_STRAY, 1);
		if (s && frame->hd.type == NGHTTP2_HEADERS)
			on_block(s, end);
		if (s && end)
			h2_stream_end(s);
		return 0;
	default:
		return 0;
	}
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user_data)
{
	H2Stream *s = stream_of(session, id);

	(void)flags;
	(void)user_data;
	if (s)
		h2_stream_data(s, (Str){ (const char *)data, len });
	else
		nghttp2_session_consume(session, id, len);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user_data)
{
	H2Stream *s = stream_of(session, id);
	H2 *h = user_data;

	if (id == h->block_stream)
		h->block_since_us = 0; /* what was wrong in it has ended it, and no frame is told */
	if (s) {
		nghttp2_session_set_stream_user_data(session, id, NULL);
		h2_stream_close(s, code);
	}
	return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	H2Stream *s;

	switch (frame->hd.type) {
	case NGHTTP2_RST_STREAM:
		return count_reset(user_data, frame->rst_stream.error_code);
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		s = stream_of(session, frame->hd.stream_id);
		if (!s)
			return 0;
		s->head_out = s->head_out || s->head_taken;
		if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
			s->all_out = true;
			h2_stream_sent(s);
		}
		return 0;
	default:
		return 0;
	}
}

static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int code,
                             void *user_data)
{
	H2Stream *s = stream_of(session, frame->hd.stream_id);

	(void)code;
	(void)user_data;
	if (s && frame->hd.type == NGHTTP2_HEADERS && !s->head_out)
		s->unsent = true;
	return 0;
}

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
	h2_stream_callbacks(callbacks);
}

/* --- the session ---------------------------------------------------------------------------------------------------- */

static int session_new(H2 *h)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = NULL;
	int rv = nghttp2_session_callbacks_new(&callbacks);

	if (!rv)
		rv = nghttp2_option_new(&option);
	if (!rv) {
		set_callbacks(callbacks);
		nghttp2_option_set_no_auto_window_update(option, 1);
		nghttp2_option_set_no_closed_streams(option, 1);
		nghttp2_option_set_peer_max_concurrent_streams(option, STREAMS_BEFORE_SETTINGS);
		rv = h->server ? nghttp2_session_server_new2(&h->session, callbacks, h, option)
		               : nghttp2_session_client_new2(&h->session, callbacks, h, option);
	}
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return rv;
}

static int submit_settings(H2 *h, uint32_t streams)
{
	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h->limits.head_bytes },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams },
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	size_t count_all = COUNT(settings) - (h->server ? 1 : 0);
	int rv = nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, count_all);

	return rv ? rv
	          : nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0,
	                                                  CONNECTION_WINDOW);
}

Err *h2_init(H2 *h, Stream *stream, const H2Role *role, bool server, uint32_t streams)
{
	h->stream = stream;
	h->role = role;
	h->server = server;
	h->scan.skip = server ? NGHTTP2_CLIENT_MAGIC_LEN : 0;
	list_init(&h->streams);
	list_init(&h->queue);
	if (session_new(h) || submit_settings(h, streams))
		abort(); /* out of memory: nothing else can fail there */
	return NULL;
}

void h2_fini(H2 *h)
{
	nghttp2_session_del(h->session);
	http_buffer_give(h->out);
	h->session = NULL;
	h->out = NULL;
}

/* --- output --------------------------------------------------------------------------------------------------------- */

static bool has_output(const H2 *h)
{
	return h->out_at < h->out_end || h->rest.len;
}

/* Lays out frames while there is room. nghttp2 gives one at a time, as a view that is good until the next. */
static Err *fill_output(H2 *h)
{
	const uint8_t *frame;
	ssize_t len;

	for (;;) {
		size_t fits = MIN(h->rest.len, HTTP_BUFFER_BYTES - h->out_end);

		if (fits)
			memcpy(h->out + h->out_end, h->rest.at, fits);
		h->out_end += fits;
		h->rest = str_sub(h->rest, fits, h->rest.len);
		if (h->rest.len || HTTP_BUFFER_BYTES - h->out_end < FRAME_ROOM)
			return NULL;
		len = nghttp2_session_mem_send(h->session, &frame);
		if (h->abuse)
			return h->abuse;
		if (len < 0)
			return &broken_protocol;
		if (len == 0)
			return NULL;
		h->rest = (Str){ (const char *)frame, (size_t)len };
	}
}

static Err *write_output(H2 *h, bool *blocked)
{
	size_t sent;

	TRY(stream_try_write(h->stream, (Str){ h->out + h->out_at, h->out_end - h->out_at },
	                     &sent));
	h->out_at += sent;
	if (sent)
		h->progress_us = loop_now_us();
	*blocked = h->out_at < h->out_end && !sent;
	if (h->out_at == h->out_end)
		h->out_at = h->out_end = 0;
	return NULL;
}

static Err *push(H2 *h)
{
	bool blocked = false;

	if (!has_output(h) && !nghttp2_session_want_write(h->session))
		return NULL;
	if (!h->out)
		h->out = http_buffer_take();
	if (!has_output(h))
		h->progress_us = loop_now_us(); /* the peer's time to take it begins now */
	while (!blocked) {
		TRY(fill_output(h));
		if (h->out_at == h->out_end)
			break;
		TRY(write_output(h, &blocked));
	}
	if (!has_output(h))
		http_buffer_give(TAKE(h->out));
	return NULL;
}

/* RFC 9113 6.8, by hand: the session cannot be used after it was stopped. What is whole goes out before it. */
static void say_calm(H2 *h)
{
	uint32_t last = (uint32_t)nghttp2_session_get_last_proc_stream_id(h->session);
	unsigned char frame[17] = { 0, 0, 8, NGHTTP2_GOAWAY, [16] = NGHTTP2_ENHANCE_YOUR_CALM };
	bool blocked;

	if (!h->out)
		h->out = http_buffer_take();
	if (h->rest.len || HTTP_BUFFER_BYTES - h->out_end < sizeof frame)
		return; /* it does not read: no word reaches it */
	for (unsigned i = 0; i < 4; i++)
		frame[9 + i] = (unsigned char)(last >> (24 - 8 * i));
	memcpy(h->out + h->out_end, frame, sizeof frame);
	h->out_end += sizeof frame;
	if (write_output(h, &blocked))
		h->ended = true;
}

/* --- input ---------------------------------------------------------------------------------------------------------- */

Err *h2_feed(H2 *h, Str bytes)
{
	ssize_t n;

	if (!bytes.len)
		return NULL;
	TRY(count_frames(h, bytes));
	n = nghttp2_session_mem_recv(h->session, (const uint8_t *)bytes.at, bytes.len);
	if (n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
		h->abuse = flood(n == NGHTTP2_ERR_FLOODED ? H2_ACT_OTHER : H2_ACT_CONTINUATION);
	if (h->abuse)
		return h->abuse;
	return n < 0 ? &broken_protocol : NULL;
}

static bool may_read(const H2 *h)
{
	return !h->ended && nghttp2_session_get_outbound_queue_size(h->session) < QUEUE_MAX;
}

static Err *pull(H2 *h, size_t *got)
{
	char *buffer;
	bool more = true;
	Err *err;

	*got = 0;
	if (!may_read(h) || !stream_pending(h->stream))
		return NULL;
	buffer = http_buffer_take();
	err = stream_try_read(h->stream, buffer, HTTP_BUFFER_BYTES, got, &more);
	if (!err)
		err = h2_feed(h, (Str){ buffer, *got });
	http_buffer_give(buffer);
	h->ended = h->ended || !more;
	h->turn += *got;
	return err;
}

/* --- turns ---------------------------------------------------------------------------------------------------------- */

void h2_apply_queue(H2 *h)
{
	H2Stream *s;

	while ((s = LIST_TAKE(&h->queue, H2Stream, queued)))
		h2_stream_apply(s);
}

static Err *turn(H2 *h, size_t *got)
{
	h2_apply_queue(h);
	TRY(push(h));
	return pull(h, got);
}

Err *h2_pump(H2 *h)
{
	size_t got = 1;

	while (got || !list_empty(&h->queue)) {
		Err *err = turn(h, &got);

		if (h->abuse)
			say_calm(h);
		TRY(err);
		if (h->turn < TURN_BYTES)
			continue;
		h->turn = 0;
		TRY(fiber_yield());
	}
	return NULL;
}

bool h2_quiet(H2 *h)
{
	return list_empty(&h->queue) && !has_output(h) && !nghttp2_session_want_write(h->session) &&
	       !stream_pending(h->stream);
}

Err *h2_wait(H2 *h, int64_t us)
{
	AUTO(deadline_end) Deadline limit = { 0 };
	bool output = has_output(h);
	int64_t stall_us = h->progress_us + h->write_us;
	int64_t until_us = us ? loop_now_us() + us : INT64_MAX;
	Err *err;

	if (output && h->write_us)
		until_us = MIN(until_us, stall_us);
	if (until_us != INT64_MAX)
		limit = deadline_begin(MAX(until_us - loop_now_us(), INT64_C(0)));
	h->turn = 0;
	err = watch_wait_any(&h->stream->watch, may_read(h), output);
	if (!err_is(err, "rt.deadline") || loop_now_us() < until_us)
		return err;
	return output && h->write_us && loop_now_us() >= stall_us ? &slow_reader : NULL;
}

void h2_break(H2 *h)
{
	h->over = true;
	LIST_EACH (&h->streams, H2Stream, node, s)
		h2_stream_close(s, NGHTTP2_CONNECT_ERROR);
}
