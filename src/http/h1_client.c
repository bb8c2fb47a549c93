/* SPDX-License-Identifier: Apache-2.0
 *
 * One call over HTTP/1. The request's head is laid out in the buffer that the answer will be read into, and leaves with
 * the body that is there already in one writev; the answer's head and what came with it arrive in one read. Bodies are
 * given out as views into that buffer; the head stays in front of them until the call ends, so its views stay good.
 *
 * Writing and reading share nothing but the buffer between send and the first receive, so that a request's body may still
 * be written by one fiber while another reads an early answer.
 *
 * The connection may be used again only when both messages ended where they said they would, the server agreed to keep
 * it, and not a byte came after the answer or before the request had gone: everything else is how answers get to the wrong
 * request. */
#include "http/client_int.h"

#include "base/arena.h"
#include "http/buffers.h"

#include <assert.h>
#include <string.h>

enum {
	ROOM_MIN = 8 << 10, /* a head that leaves less room gets a second buffer behind it */
	CHUNK_HEAD_MAX = 24,
};

static const Headers no_headers;

/* --- between calls -------------------------------------------------------------------------------------------------- */

/* Is there nothing to read? TLS has records of its own, so there one has to try. */
static bool silent(HttpConn *conn)
{
	char surplus;
	size_t got;
	bool more;

	if (!stream_pending(&conn->stream))
		return true;
	return !stream_try_read(&conn->stream, &surplus, 1, &got, &more) && !got && more;
}

bool h1_conn_quiet(HttpConn *conn)
{
	const Watch *w = &conn->stream.watch;

	if (w->ended || w->broken)
		return false;
	return conn->stream.tls ? silent(conn) : !w->readable;
}

static void on_ready(Watch *watch)
{
	HttpConn *conn = CONTAINER(watch, HttpConn, stream.watch);

	if (h1_conn_quiet(conn))
		return;
	watch->on_ready = NULL;
	http_conn_closed(conn);
}

void h1_conn_idle(HttpConn *conn)
{
	conn->stream.watch.on_ready = on_ready;
}

static bool may_be_used_again(Call *call)
{
	HttpConn *conn = call->conn;
	const H1Client *h = &conn->h1;

	if (!h->began)
		return true;
	if (!call->sent_all || !call->read_all || call->closes || h->broken || h->tunnel ||
	    h->len || h->ahead_err)
		return false;
	return !conn->stream.watch.ended && !conn->stream.watch.broken && silent(conn);
}

static void h1_end(Call *call)
{
	HttpConn *conn = call->conn;
	H1Client *h = &conn->h1;

	conn->busy = false;
	if (may_be_used_again(call))
		h1_conn_idle(conn);
	else
		conn->over = true;
	http_buffer_give(h->buffer);
	http_buffer_give(h->second);
	h1_body_fini(&h->body);
	*h = (H1Client){ 0 };
}

/* --- the request ---------------------------------------------------------------------------------------------------- */

static size_t bytes_of(const struct iovec *parts, int count)
{
	size_t all = 0;

	for (int i = 0; i < count; i++)
		all += parts[i].iov_len;
	return all;
}

static struct iovec part_of(Str bytes)
{
	return (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.len };
}

static Err *write_parts(Call *call, struct iovec *parts, int count)
{
	size_t all = bytes_of(parts, count);
	Err *err = stream_writev(&call->conn->stream, parts, count);

	call->sent = call->sent || !err || bytes_of(parts, count) < all;
	return err;
}

/* head, chunk size, body, CRLF */
static int add_body(H1Client *h, struct iovec *parts, Buf *chunk, Str body)
{
	int count = 0;

	if (!body.len)
		return 0;
	if (h->sends == HTTP_BODY_CHUNKED) {
		h1_put_chunk_start(chunk, body.len);
		parts[count++] = part_of(buf_str(chunk));
	}
	parts[count++] = part_of(body);
	if (h->sends == HTTP_BODY_CHUNKED)
		parts[count++] = part_of(S("\r\n"));
	return count;
}

/* Takes the bytes from what was promised. */
static Err *account(Call *call, Str body)
{
	H1Client *h = &call->conn->h1;

	if (!body.len || h->sends == HTTP_BODY_CHUNKED)
		return NULL;
	if (h->sends != HTTP_BODY_LENGTH || body.len > h->sends_left)
		return err_new(call->arena, ERR_INTERNAL, "http.body_too_long",
		               "a request's body was longer than its head had said");
	h->sends_left -= body.len;
	return NULL;
}

static bool sent_whole(const H1Client *h)
{
	return h->sends == HTTP_BODY_NONE || (h->sends == HTTP_BODY_LENGTH && !h->sends_left);
}

static Err *too_short(Call *call)
{
	call->conn->h1.broken = true;
	return err_new(call->arena, ERR_INTERNAL, "http.body_too_short",
	               "a request's body was shorter than its head had said");
}

/* A body that is there whole has a length, whatever the caller knew of it. */
static void plan_body(H1Client *h, Head *head, Str body, bool end)
{
	if (head->body == HTTP_BODY_CHUNKED && end) {
		head->body = HTTP_BODY_LENGTH;
		head->content_length = (int64_t)body.len;
	}
	h->sends = head->body;
	h->sends_left = head->body == HTTP_BODY_LENGTH ? (uint64_t)head->content_length : 0;
}

static Err *h1_send(Call *call, const Head *given, Str body, bool end)
{
	H1Client *h = &call->conn->h1;
	AUTO(buf_fini) Buf large = { 0 };
	Buf out = { .at = h->buffer = http_buffer_take(),
		    .cap = HTTP_BUFFER_BYTES,
		    .limit = HTTP_BUFFER_BYTES };
	char space[CHUNK_HEAD_MAX];
	Buf chunk = { .at = space, .cap = sizeof space, .limit = sizeof space };
	struct iovec parts[4];
	Head head = *given;

	h->began = true;
	h->connect = str_eq(head.method, S("CONNECT"));
	h->offered = head.upgrade;
	plan_body(h, &head, body, end);
	TRY(account(call, body));
	if (end && !sent_whole(h))
		return too_short(call);
	h1_put_request(&out, &head, false);
	if (out.broken)
		h1_put_request(&large, &head, false);
	parts[0] = part_of(buf_str(out.broken ? &large : &out));
	TRY(write_parts(call, parts, 1 + add_body(h, parts + 1, &chunk, body)));
	call->sent_all = sent_whole(h);
	return NULL;
}

static Err *h1_write(Call *call, Str piece)
{
	H1Client *h = &call->conn->h1;
	char space[CHUNK_HEAD_MAX];
	Buf chunk = { .at = space, .cap = sizeof space, .limit = sizeof space };
	struct iovec parts[3];

	TRY(account(call, piece));
	TRY(write_parts(call, parts, add_body(h, parts, &chunk, piece)));
	call->sent_all = sent_whole(h);
	return NULL;
}

static Err *h1_finish(Call *call, const Headers *trailers)
{
	AUTO(buf_fini) Buf last = { 0 };
	H1Client *h = &call->conn->h1;
	struct iovec part = part_of(S("0\r\n\r\n"));

	if (h->sends != HTTP_BODY_CHUNKED)
		return too_short(call); /* or it would be sent_all */
	if (trailers && trailers->count) {
		h1_put_last_chunk(&last, trailers);
		part = part_of(buf_str(&last));
	}
	TRY(write_parts(call, &part, 1));
	call->sent_all = true;
	return NULL;
}

/* --- the answer's head ---------------------------------------------------------------------------------------------- */

static Err *answer_refused(Call *call, const Err *why)
{
	call->conn->h1.broken = true;
	return err_because(call->arena, why, ERR_UPSTREAM, "http.response",
	                   "the server's answer was malformed");
}

static Err *answer_cut_short(Call *call)
{
	call->conn->h1.broken = true;
	call->closes = true;
	if (!call->answered)
		return err_new(call->arena, ERR_CLOSED, "http.no_answer",
		               "the server closed the connection without an answer");
	return err_new(call->arena, ERR_UPSTREAM, "http.truncated",
	               "the server closed the connection before its answer had ended");
}

static Err *read_some(Call *call, char *into, size_t cap)
{
	H1Client *h = &call->conn->h1;
	size_t got;

	TRY(stream_read(&call->conn->stream, into, cap, &got));
	call->answered = call->answered || got;
	h->ended = !got;
	h->len += got;
	return NULL;
}

/* What came after an earlier head goes to the front: the parser wants its bytes in one place. */
static void to_front(H1Client *h)
{
	if (h->len && h->at != h->buffer)
		memmove(h->buffer, h->at, h->len);
	h->at = h->buffer;
}

static Err *parse_head(Call *call, H1Parser *parser, Head *head, size_t *used)
{
	H1Client *h = &call->conn->h1;
	H1Limits limits = call->conn->conf.head;

	limits.head_bytes = MIN(limits.head_bytes, (uint32_t)HTTP_BUFFER_BYTES);
	for (*used = 0;;) {
		Err *err = NULL;

		if (h->len)
			err = h1_parse_response(parser, call->arena, &limits, call->method,
			                        (Str){ h->at, h->len }, head, used);
		if (!err && !*used && h->len == HTTP_BUFFER_BYTES)
			err = err_new(call->arena, ERR_UPSTREAM, "http.response",
			              "the head of an answer was too large");
		if (err) {
			h->broken = true;
			return err;
		}
		if (*used)
			return NULL;
		TRY(read_some(call, h->at + h->len, HTTP_BUFFER_BYTES - h->len));
		if (h->ended)
			return answer_cut_short(call);
	}
}

static void begin_body(Call *call, const Head *head)
{
	H1Client *h = &call->conn->h1;

	h->room = h->at;
	h->room_len = (size_t)(h->buffer + HTTP_BUFFER_BYTES - h->at);
	h1_body_init(&h->body, head->body, head->content_length);
	call->read_all = h->body.done;
	/* gunicorn 20.1 with Django sends the body of a HEAD's answer after all, in a write of its own that may come any
	 * time: the next answer would begin with it. A server that answers before it has all of a body, or looks for none
	 * after GET, may take that for requests. */
	call->closes = !head->keep_alive || head->body == HTTP_BODY_CLOSE ||
	               str_eq(call->method, S("HEAD")) || !call->sent_all ||
	               (h->sends != HTTP_BODY_NONE && str_eq(call->method, S("GET")));
}

static bool has_item(Str list, Str wanted)
{
	Str item;

	while (str_split(&list, ',', &item))
		if (str_eq_nocase(str_trim(item), wanted))
			return true;
	return false;
}

/* RFC 9110 7.8: a server takes what the client offered, or nothing. */
static bool is_offered(Str offered, Str taken)
{
	Str item;

	while (str_split(&taken, ',', &item))
		if (!has_item(offered, str_trim(item)))
			return false;
	return offered.len > 0;
}

static Err *h1_receive(Call *call, Head *head)
{
	H1Client *h = &call->conn->h1;
	H1Parser parser;
	size_t used;
	Err *err;

	assert(h->began && !h->head_done);
	to_front(h);
	h1_init(&parser, true);
	err = parse_head(call, &parser, head, &used);
	h1_fini(&parser);
	TRY(err);
	h->at += used;
	h->len -= used;
	if (head->status == 101 || (h->connect && head->status / 100 == 2)) {
		if (!h->connect && !is_offered(h->offered, head->upgrade))
			return answer_refused(call, NULL);
		h->tunnel = call->closes = h->head_done = true;
		return NULL;
	}
	if (head->status < 200)
		return NULL;
	h->head_done = true;
	begin_body(call, head);
	return NULL;
}

/* --- the answer's body ---------------------------------------------------------------------------------------------- */

/* The next piece of what was read, or empty. */
static Err *decode(Call *call, Str *piece)
{
	H1Client *h = &call->conn->h1;

	*piece = (Str){ 0 };
	while (h->len && !h->body.done && !piece->len) {
		size_t used;
		Err *err = h1_body_next(&h->body, (Str){ h->at, h->len }, &used, piece);

		if (err)
			return answer_refused(call, err);
		h->at += used;
		h->len -= used;
	}
	call->read_all = h->body.done && !piece->len;
	return NULL;
}

/* Finds out what follows a piece while its bytes are there: that the answer has ended is worth knowing early. */
static void look_ahead(Call *call)
{
	H1Client *h = &call->conn->h1;

	if (h->ahead.len || h->ahead_err)
		return;
	h->ahead_err = decode(call, &h->ahead);
}

static Err *fill(Call *call)
{
	H1Client *h = &call->conn->h1;

	if (h->room_len < ROOM_MIN) {
		h->room = h->second = http_buffer_take();
		h->room_len = HTTP_BUFFER_BYTES;
	}
	h->at = h->room;
	TRY(read_some(call, h->at, h->room_len));
	if (!h->ended)
		return NULL;
	call->closes = true;
	if (h1_body_eof(&h->body))
		return answer_cut_short(call);
	call->read_all = true;
	return NULL;
}

static Err *h1_read(Call *call, Str *piece)
{
	H1Client *h = &call->conn->h1;

	assert(h->head_done && !h->tunnel);
	*piece = h->ahead;
	h->ahead = (Str){ 0 };
	if (!piece->len)
		TRY(h->ahead_err);
	while (!piece->len && !call->read_all) {
		TRY(decode(call, piece));
		if (!piece->len && !call->read_all)
			TRY(fill(call));
	}
	if (piece->len)
		look_ahead(call);
	return NULL;
}

static bool h1_more(Call *call)
{
	const H1Client *h = &call->conn->h1;

	if (h->head_done && !h->tunnel && !call->read_all)
		look_ahead(call); /* bytes of the body may have come with the head */
	return call->read_all || h->ahead.len || h->ahead_err;
}

static const Headers *h1_trailers_of(Call *call)
{
	const H1Client *h = &call->conn->h1;
	Headers *trailers;

	if (!call->read_all || !h->body.trailer.len)
		return &no_headers;
	trailers = ARENA_NEW(call->arena, Headers);
	return h1_trailers(&h->body, call->arena, trailers) ? &no_headers : trailers;
}

static Stream *h1_tunnel(Call *call, Str *early)
{
	H1Client *h = &call->conn->h1;

	assert(h->tunnel);
	*early = (Str){ h->at, h->len };
	return &call->conn->stream;
}

void h1_call_begin(Call *call)
{
	static const CallOps ops = {
		.send = h1_send,
		.write = h1_write,
		.finish = h1_finish,
		.receive = h1_receive,
		.read = h1_read,
		.more = h1_more,
		.trailers = h1_trailers_of,
		.tunnel = h1_tunnel,
		.end = h1_end,
	};

	assert(!call->conn->busy);
	call->ops = &ops;
	call->conn->busy = true;
	call->conn->stream.watch.on_ready = NULL;
}
