/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.c"

#include "unit.h"

#include "base/arena.h"
#include "http/buffers.h"
#include "rt/loop.h"

#include <string.h>
#include <unistd.h>

/* A connection whose server is this test: what it says is written before it is asked. */
typedef struct Fake {
	Arena *a;
	HttpConn *conn;
	int server;
	unsigned closes;
} Fake;

typedef Err *FakeTest(Fake *f);
static FakeTest *fake_test;

static const HttpConnConf conf = { .head = { 32 << 10, 8 << 10, 100, true } };

static void on_close(HttpConn *conn, void *arg)
{
	Fake *f = arg;

	(void)conn;
	f->closes++;
}

static void fake_open(Fake *f)
{
	Stream stream = STREAM_CLOSED;
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	CHECK_OK(stream_open(&stream, pair[0]));
	CHECK_OK(http_conn_new(&stream, &conf, &f->conn));
	CHECK(!stream_is_open(&stream));
	http_conn_on_close(f->conn, on_close, f);
	f->server = pair[1];
}

static void fake_close(Fake *f)
{
	http_conn_free(f->conn);
	f->conn = NULL;
	if (f->server >= 0)
		close(f->server);
	f->server = -1;
}

static void say(Fake *f, Str bytes)
{
	CHECK_INT(write(f->server, bytes.at, bytes.len), (ssize_t)bytes.len);
}

static void hang_up(Fake *f)
{
	close(f->server);
	f->server = -1;
}

static Str heard(Fake *f)
{
	char *into = arena_alloc(f->a, 256 << 10);
	ssize_t n = read(f->server, into, 256 << 10);

	return (Str){ into, n > 0 ? (size_t)n : 0 };
}

static Err *fake_main(void *arg)
{
	Fake f = { .a = arg, .server = -1 };
	Err *err;

	fake_open(&f);
	err = fake_test(&f);
	fake_close(&f);
	return err;
}

static void with_fake(Arena *a, FakeTest *test)
{
	fake_test = test;
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, fake_main, a));
}

static const Head get = {
	.version = HTTP_11,
	.method = { "GET", 3 },
	.target = { "/x", 2 },
	.authority = { "a", 1 },
	.content_length = -1,
};

static Head post(HttpBody body, int64_t length)
{
	Head head = get;

	head.method = S("POST");
	head.body = body;
	head.content_length = length;
	return head;
}

/* The whole of an answer's body, and how it ended. */
static Err *read_all(Arena *a, Call *call, Str *out)
{
	AUTO(buf_fini) Buf all = { 0 };
	Str piece;

	do {
		TRY(call_read(call, &piece));
		buf_put(&all, piece);
	} while (piece.len);
	*out = str_dup(a, buf_str(&all));
	return NULL;
}

typedef struct Answer {
	const char *name;
	Str bytes;
	bool ends; /* the server closes after it */
	Str method;
	unsigned status;
	Str body;
	const char *slug; /* of what receive or read say */
	bool again;       /* the connection may be used again */
} Answer;

#define OK "HTTP/1.1 200 OK\r\n"
static const Answer answers[] = {
	{ "length", S(OK "Content-Length: 5\r\n\r\nhello"), .status = 200, .body = S("hello"),
	  .again = true },
	{ "length 0", S(OK "Content-Length: 0\r\n\r\n"), .status = 200, .again = true },
	{ "no body by status", S("HTTP/1.1 204 No Content\r\n\r\n"), .status = 204, .again = true },
	{ "not modified", S("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
	  .status = 304, .again = true },
	{ "head", S(OK "Content-Length: 5\r\n\r\n"), .method = S("HEAD"), .status = 200 },
	{ "chunked", S(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
	  .status = 200, .body = S("abcde"), .again = true },
	{ "chunked, close asked",
	  S(OK "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
	  .status = 200, .body = S("x") },
	{ "close asked", S(OK "Content-Length: 1\r\nConnection: close\r\n\r\nx"), .status = 200,
	  .body = S("x") },
	{ "1.0", S("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), .status = 200,
	  .body = S("x") },
	{ "until the end", S(OK "\r\nall of it"), true, .status = 200, .body = S("all of it") },
	{ "closed after", S(OK "Content-Length: 1\r\n\r\nx"), true, .status = 200, .body = S("x") },
	{ "surplus", S(OK "Content-Length: 1\r\n\r\nxy"), .status = 200, .body = S("x") },
	{ "surplus after nothing", S("HTTP/1.1 204 No\r\n\r\ny"), .status = 204 },
	{ "surplus after chunks",
	  S(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
	  .status = 200 },
	{ "no answer", S(""), true, .slug = "http.no_answer" },
	{ "half a head", S("HTTP/1.1 200"), true, .slug = "http.truncated" },
	{ "half a body", S(OK "Content-Length: 9\r\n\r\nabc"), true, .status = 200,
	  .slug = "http.truncated" },
	{ "half a chunk", S(OK "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"), true, .status = 200,
	  .slug = "http.truncated" },
	{ "no last chunk", S(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), true,
	  .status = 200, .slug = "http.truncated" },
	{ "bad chunk", S(OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), .status = 200,
	  .slug = "http.response" },
	{ "bad second chunk", S(OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n"),
	  .status = 200, .slug = "http.response" },
	{ "not asked to switch",
	  S("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
	  .slug = "http.response" },
	{ "not HTTP", S("SSH-2.0-OpenSSH\r\n\r\n"), .slug = "http.response" },
};

static Err *one_answer(Fake *f, const Answer *t)
{
	Call call = { 0 };
	Head head, ask = get;
	Str body = { 0 };
	Err *err;

	if (t->method.len)
		ask.method = t->method;
	call_begin(&call, f->conn, f->a);
	TRY(call_send(&call, &ask, (Str){ 0 }, true));
	CHECK(call.sent && call.sent_all && !call.answered);
	CHECK(str_starts(heard(f), ask.method));
	say(f, t->bytes);
	if (t->ends)
		hang_up(f);
	err = call_receive(&call, &head);
	if (!err) {
		CHECK_INT(head.status, t->status);
		err = read_all(f->a, &call, &body);
	}
	CHECK_INT(call.answered, t->bytes.len > 0);
	if (t->slug) {
		CHECK_ERR(err, t->slug);
		CHECK_INT(err_status(err), 502);
	} else {
		CHECK_OK(err);
		CHECK(call.read_all);
	}
	CHECK_STR(t->slug ? (Str){ 0 } : body, t->body);
	call_end(&call);
	return NULL;
}

static Err *test_answers(Fake *f)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		NOTE("%s", answers[i].name);
		fake_close(f);
		fake_open(f);
		TRY(one_answer(f, &answers[i]));
		TRY(fiber_yield());
		CHECK_INT(http_conn_usable(f->conn), answers[i].again);
		CHECK_INT(http_conn_streams(f->conn), answers[i].again);
		if (answers[i].again)
			TRY(one_answer(f, &answers[i]));
	}
	return NULL;
}

TEST(answers_and_what_becomes_of_the_connection)
{
	with_fake(a, test_answers);
}

static Err *test_requests(Fake *f)
{
	static const struct {
		HttpBody body;
		int64_t length;
		Str first;
		bool end;
		Str then;
		const char *slug;
		Str want;
	} cases[] = {
		{ HTTP_BODY_NONE, -1, S(""), true, S(""), NULL, S("") },
		{ HTTP_BODY_LENGTH, 3, S("abc"), true, S(""), NULL, S("abc") },
		{ HTTP_BODY_LENGTH, 5, S("abc"), false, S("de"), NULL, S("abcde") },
		{ HTTP_BODY_CHUNKED, -1, S("abc"), false, S("de"), NULL,
		  S("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") },
		{ HTTP_BODY_CHUNKED, -1, S(""), false, S("de"), NULL, S("2\r\nde\r\n0\r\n\r\n") },
		{ HTTP_BODY_CHUNKED, -1, S("abc"), true, S(""), NULL, S("abc") },
		{ HTTP_BODY_LENGTH, 2, S("abc"), true, S(""), "http.body_too_long", S("") },
		{ HTTP_BODY_LENGTH, 4, S("abc"), true, S(""), "http.body_too_short", S("") },
		{ HTTP_BODY_LENGTH, 4, S("abc"), false, S(""), "http.body_too_short", S("") },
		{ HTTP_BODY_LENGTH, 4, S("abc"), false, S("de"), "http.body_too_long", S("") },
		{ HTTP_BODY_NONE, -1, S(""), false, S("de"), "http.body_too_long", S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Head head = post(cases[i].body, cases[i].length);
		Call call = { 0 };
		Err *err;
		Str got;

		NOTE("row %zu", i);
		fake_close(f);
		fake_open(f);
		call_begin(&call, f->conn, f->a);
		err = call_send(&call, &head, cases[i].first, cases[i].end);
		if (!err)
			err = call_write(&call, cases[i].then);
		if (!err && !cases[i].end)
			err = call_finish(&call, NULL);
		CHECK_INT(call.sent_all, !cases[i].slug || i == 10);
		if (cases[i].slug) {
			CHECK_ERR(err, cases[i].slug);
			call_end(&call);
			CHECK(!http_conn_usable(f->conn));
			continue;
		}
		CHECK_OK(err);
		got = heard(f);
		CHECK(str_find(got, S("\r\n\r\n")) > 0);
		CHECK_STR(str_sub(got, (size_t)str_find(got, S("\r\n\r\n")) + 4, got.len),
		          cases[i].want);
		call_end(&call);
		CHECK(!http_conn_usable(f->conn)); /* nobody read the answer */
	}
	return NULL;
}

TEST(requests_keep_what_their_head_promised)
{
	with_fake(a, test_requests);
}

static Err *test_informational(Fake *f)
{
	AUTO(call_end) Call call = { 0 };
	Head head;
	Str piece;

	call_begin(&call, f->conn, f->a);
	TRY(call_send(&call, &get, (Str){ 0 }, true));
	say(f,
	    S("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-L"));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 103);
	CHECK_STR(headers_get_name(&head.headers, S("link")), S("a"));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 102);
	say(f, S("ength: 2\r\n\r\nok"));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 200);
	CHECK(!call.read_all);
	TRY(call_read(&call, &piece));
	CHECK_STR(piece, S("ok"));
	CHECK(call_more(&call));
	TRY(call_read(&call, &piece));
	CHECK_INT(piece.len, 0);
	CHECK(call.read_all);
	return NULL;
}

TEST(informational_heads_come_one_by_one)
{
	with_fake(a, test_informational);
}

static Err *test_trailers(Fake *f)
{
	AUTO(call_end) Call call = { 0 };
	Head head;
	Str body;

	call_begin(&call, f->conn, f->a);
	TRY(call_send(&call, &get, (Str){ 0 }, true));
	say(f,
	    S(OK
	      "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA-Sum: 7\r\nContent-Length: 3\r\n\r\n"));
	TRY(call_receive(&call, &head));
	TRY(read_all(f->a, &call, &body));
	CHECK_STR(headers_get_name(call_trailers(&call), S("a-sum")), S("7"));
	CHECK_STR(headers_get_name(call_trailers(&call), S("content-length")), S(""));
	return NULL;
}

TEST(trailers_come_after_the_body)
{
	with_fake(a, test_trailers);
}

static Err *test_tunnel(Fake *f)
{
	Call call = { 0 };
	Head head = get;
	Stream *stream;
	char into[8];
	Str early;
	size_t got;

	head.upgrade = S("websocket");
	call_begin(&call, f->conn, f->a);
	TRY(call_send(&call, &head, (Str){ 0 }, true));
	say(f,
	    S("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhey"));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 101);
	CHECK_STR(head.upgrade, S("websocket"));
	stream = call_tunnel(&call, &early);
	CHECK_STR(early, S("hey"));
	say(f, S("you"));
	TRY(stream_read(stream, into, sizeof into, &got));
	CHECK_STR(((Str){ into, got }), S("you"));
	call_end(&call);
	CHECK(!http_conn_usable(f->conn));
	return NULL;
}

TEST(a_switch_of_protocols_gives_the_stream)
{
	with_fake(a, test_tunnel);
}

/* The pool hears of it when the server speaks or leaves unasked, once, and not before. */
static Err *test_idle(Fake *f)
{
	CHECK_INT(f->closes, 0);
	TRY(one_answer(f, &answers[0]));
	TRY(fiber_yield());
	CHECK(http_conn_usable(f->conn) && f->closes == 0);
	say(f, S("HTTP/1.1 408 Request Timeout\r\n\r\n"));
	while (!f->closes)
		TRY(fiber_yield());
	CHECK(!http_conn_usable(f->conn));
	fake_close(f);
	fake_open(f);
	f->closes = 0;
	hang_up(f);
	CHECK(http_conn_usable(f->conn)); /* the loop has not told yet */
	while (!f->closes)
		TRY(fiber_yield());
	CHECK(!http_conn_usable(f->conn));
	CHECK_INT(f->closes, 1);
	return NULL;
}

TEST(an_idle_connection_is_watched)
{
	with_fake(a, test_idle);
}

/* A body of exactly what one read took leaves it unknown whether more is there: that must not cost the connection. */
static Err *test_full_read(Fake *f)
{
	size_t head_len = S(OK "Content-Length: 00000\r\n\r\n").len;
	size_t len = HTTP_BUFFER_BYTES - head_len;
	Str bytes = str_fmt(f->a, OK "Content-Length: %05zu\r\n\r\n%0*d", len, (int)len, 7);
	Answer answer = { "full", bytes, .status = 200,
		          .body = str_sub(bytes, head_len, bytes.len) };

	CHECK_INT(bytes.len, HTTP_BUFFER_BYTES);
	TRY(one_answer(f, &answer));
	CHECK(http_conn_usable(f->conn));
	return NULL;
}

TEST(a_read_that_filled_the_buffer_keeps_the_connection)
{
	with_fake(a, test_full_read);
}

/* --- two fibers on one call, cancelled at every park ---------------------------------------------------------------- */

enum { BIG = 700 << 10 };

typedef struct Echo {
	Fake *f;
	Call *call;
	Str body;
	Stream server;
} Echo;

static Err *upload(void *arg)
{
	Echo *e = arg;

	for (size_t at = 0; at < e->body.len; at += 10000)
		TRY(call_write(e->call, str_sub(e->body, at, at + 10000)));
	return call_finish(e->call, NULL);
}

/* Sends back what it reads as it comes, the chunk framing too: ours is what it would write. */
static Err *echo(void *arg)
{
	Echo *e = arg;
	char into[4096];
	size_t got, all = 0;

	TRY(stream_read(&e->server, into, sizeof into, &got));
	TRY(stream_write(&e->server, S(OK "Transfer-Encoding: chunked\r\n\r\n")));
	while (got) {
		Str bytes = { into, got };
		ptrdiff_t blank = all ? -4 : str_find(bytes, S("\r\n\r\n"));

		all += got;
		TRY(stream_write(&e->server, str_sub(bytes, (size_t)(blank + 4), got)));
		if (str_ends(bytes, S("\r\n0\r\n\r\n")))
			return NULL;
		TRY(stream_read(&e->server, into, sizeof into, &got));
	}
	return NULL;
}

static Err *converse(Echo *e)
{
	AUTO(call_end) Call call = { 0 };
	AUTO(child_end) Child child = { 0 };
	Head head = post(HTTP_BODY_CHUNKED, -1);
	size_t all = 0;
	Str piece;

	call_begin(&call, e->f->conn, e->f->a);
	e->call = &call;
	TRY(call_send(&call, &head, (Str){ 0 }, false));
	TRY(child_start(&child, upload, e, "upload"));
	TRY(call_receive(&call, &head));
	do {
		TRY(call_read(&call, &piece));
		CHECK_STR(piece, str_sub(e->body, all, all + piece.len));
		all += piece.len;
	} while (piece.len);
	CHECK_INT(all, BIG);
	TRY(child_join(&child));
	CHECK(call.sent_all && call.read_all);
	return NULL;
}

typedef struct Try {
	Echo *e;
	unsigned park;
} Try;

static Err *try_main(void *arg)
{
	Try *t = arg;

	fiber_cancel_at_park(t->park);
	return converse(t->e);
}

static Err *test_both_ways(Fake *f)
{
	char *bytes = arena_alloc(f->a, BIG);
	Err *err;
	unsigned park = 0;

	for (size_t i = 0; i < BIG; i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	do {
		Echo e = { f, NULL, { bytes, BIG }, STREAM_CLOSED };
		AUTO(child_end) Child server = { 0 };
		AUTO(child_end) Child client = { 0 };
		Try attempt = { &e, park };

		NOTE("cancelled at park %u", park);
		fake_close(f);
		fake_open(f);
		TRY(stream_open(&e.server, f->server));
		f->server = -1;
		TRY(child_start(&server, echo, &e, "echo"));
		TRY(child_start(&client, try_main, &attempt, "client"));
		err = child_join(&client);
		CHECK(!err || (park && err_is(err, "rt.cancelled")));
		CHECK(!http_conn_usable(f->conn)); /* the answer began before the body's end */
		child_end(&server);
		stream_close(&e.server);
		park++;
	} while (err || park < 2);
	CHECK(park > 3);
	return NULL;
}

TEST(both_directions_at_once_and_cancelled_anywhere)
{
	with_fake(a, test_both_ways);
}

/* A request that could not be written at all may be sent again elsewhere: `sent` says so. */
static Err *test_not_sent(Fake *f)
{
	Call call = { 0 };
	Err *err;

	hang_up(f);
	call_begin(&call, f->conn, f->a);
	err = call_send(&call, &get, (Str){ 0 }, true);
	CHECK(err && err->kind == ERR_CLOSED);
	CHECK(!call.sent && !call.answered);
	call_end(&call);
	CHECK(!http_conn_usable(f->conn));
	fake_close(f);
	fake_open(f);
	call_begin(&call, f->conn, f->a);
	call_end(&call);
	CHECK(http_conn_usable(f->conn)); /* nothing was done on it */
	CHECK_INT(http_conn_calls(f->conn), 1);
	return NULL;
}

TEST(sent_tells_what_a_retry_may_do)
{
	with_fake(a, test_not_sent);
}
