/* SPDX-License-Identifier: Apache-2.0
 *
 * A conversation over a WebSocket (RFC 6455): opened on a connection of its own, one text after another, each of which
 * waits for a message in return, held open, closed in order. Opening it and each message are one request each to those
 * who count; a wait that is over is a time-out as any other. */
#include "load/user_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "load/frame.h"
#include "rt/precise.h"

enum { MESSAGE_MAX = 16 << 20 };

static Err refused = ERR_STATIC(UPSTREAM, "load.websocket", "the server did not open a WebSocket");
static Err ended = ERR_STATIC(CLOSED, "rt.closed", "the server closed the WebSocket");

typedef struct Socket {
	User *u;
	const Step *step;
	Arena *arena;
	HttpConn *conn;
	Call call;
	Stream *stream;
	Buf in;
} Socket;

static void socket_fini(Socket *s)
{
	call_end(&s->call);
	if (s->conn) {
		http_conn_free(s->conn);
		s->u->l->stats.connections--;
	}
	buf_fini(&s->in);
}

static void lay_out(Socket *s, Head *head, Str key)
{
	User *u = s->u;

	*head = (Head){ .version = HTTP_11,
		        .method = S("GET"),
		        .authority = target_authority(u->run->target),
		        .scheme = target_scheme(u->run->target),
		        .target = user_fill(u, s->arena, s->step->path),
		        .upgrade = S("websocket"),
		        .content_length = -1 };
	headers_add(&head->headers, s->arena, S("Sec-WebSocket-Version"), S("13"));
	headers_add(&head->headers, s->arena, S("Sec-WebSocket-Key"), key);
	for (size_t i = 0; i < s->step->header_count; i++)
		headers_add(&head->headers, s->arena, s->step->headers[i].name,
		            user_fill(u, s->arena, s->step->headers[i].text));
	jar_put(&u->jar, s->arena, head);
}

static Err *open_socket(Socket *s, Sample *sample)
{
	Str key = frame_key(s->arena), early;
	Head request, answer;

	lay_out(s, &request, key);
	TRY(target_connect(s->u->run->target, s->u->turn, &s->conn));
	s->u->l->stats.opened++;
	s->u->l->stats.connections++;
	call_begin(&s->call, s->conn, s->arena);
	sample->sent_us = time_mono_us();
	TRY(call_send(&s->call, &request, S(""), true));
	do
		TRY(call_receive(&s->call, &answer));
	while (answer.status < 200 && answer.status != 101);
	sample->status = answer.status;
	if (answer.status != 101 ||
	    !str_eq(headers_get_name(&answer.headers, S("Sec-WebSocket-Accept")),
	            frame_accept(s->arena, key)))
		return &refused;
	s->stream = call_tunnel(&s->call, &early);
	buf_put(&s->in, early);
	return NULL;
}

static Err *more_bytes(Socket *s)
{
	char *room = buf_room(&s->in, 4096);
	size_t got;

	if (!room || s->in.len > MESSAGE_MAX)
		return &refused;
	TRY(stream_read(s->stream, room, 4096, &got));
	buf_wrote(&s->in, got);
	return got ? NULL : &ended;
}

static Err *send_frame(Socket *s, FrameKind kind, Str payload)
{
	AUTO(buf_fini) Buf out = { 0 };

	frame_put(&out, kind, payload);
	return stream_write(s->stream, buf_str(&out));
}

/* A whole message; pings are answered on the way. */
static Err *receive(Socket *s, uint64_t *bytes)
{
	for (*bytes = 0;;) {
		Frame frame;
		int head = frame_head(buf_str(&s->in), &frame);
		Str payload;

		if (head < 0)
			return &refused;
		if (!head || s->in.len - (size_t)head < frame.len) {
			TRY(more_bytes(s));
			continue;
		}
		payload = str_dup(s->arena,
		                  str_sub(buf_str(&s->in), (size_t)head, (size_t)head + frame.len));
		buf_drop(&s->in, (size_t)head + frame.len);
		if (frame.kind == FRAME_CLOSE)
			return &ended;
		if (frame.kind == FRAME_PING)
			TRY(send_frame(s, FRAME_PONG, payload));
		if (frame.kind >= FRAME_CLOSE)
			continue;
		*bytes += frame.len;
		if (frame.last)
			return NULL;
	}
}

static Err *say(Socket *s, Str text, Sample *sample)
{
	sample->sent_us = time_mono_us();
	sample->bytes_out = text.len;
	sample->status = 101;
	TRY(send_frame(s, FRAME_TEXT, text));
	return receive(s, &sample->bytes_in);
}

static int64_t timeout_of(const Socket *s)
{
	int64_t own_us = s->step->conf->timeout_us;

	return own_us ? own_us : s->u->run->conf->timeout_us;
}

static void record(Socket *s, Sample *sample, const Err *err)
{
	RunLoop *l = s->u->l;

	sample->done_us = time_mono_us();
	if (err == &refused)
		sample->failure = sample->status == 101 ? LOAD_PROTOCOL : LOAD_STATUS;
	else if (err)
		sample->failure = talk_failure_of(err, sample->sent_us > 0);
	load_stats_record(&l->stats, s->step->conf->index, sample,
	                  sample->due_us <= s->u->run->warm_us);
}

static Err *open_in_time(Socket *s)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(timeout_of(s));
	Sample sample = { .due_us = s->u->due_us };
	Err *err = open_socket(s, &sample);

	record(s, &sample, err);
	return err;
}

static Err *say_in_time(Socket *s, const Text *text)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(timeout_of(s));
	Sample sample = { .due_us = time_mono_us() };
	Err *err = say(s, user_fill(s->u, s->arena, text), &sample);

	record(s, &sample, err);
	return err;
}

static Err *converse(Socket *s)
{
	const WebSocketConf *conf = &s->step->conf->websocket;

	TRY(open_in_time(s));
	for (size_t i = 0; i < conf->send.count; i++)
		TRY(say_in_time(s, s->step->messages[i]));
	if (conf->hold_us) {
		fiber_trim();
		TRY(fiber_sleep_until(MIN(loop_now_us() + conf->hold_us, s->u->run->end_us)));
	}
	return send_frame(s, FRAME_CLOSE, S("\x03\xe8")); /* 1000: done */
}

Err *talk_websocket(User *u, const Step *step)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(socket_fini) Socket socket = { .u = u, .step = step, .arena = a };
	Err *err;

	u->l->stats.in_flight++;
	err = converse(&socket);
	u->l->stats.in_flight--;
	return err && err->kind == ERR_CANCELLED && fiber_cancelled() ? err : NULL;
}
