/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_client.c"

#include "unit.h"

#include "http/h2_server.h"
#include "rt/loop.h"

#include <string.h>
#include <unistd.h>

/* Our client and our server on the two ends of a socket pair. */
typedef struct Ends {
	Arena *a;
	HttpConn *conn;
	Stream server;
	H2Server *h2;
	HttpServer *conf;
	Child serving;
	Err *served;
	unsigned idles;
	unsigned closes;
	/* what handlers saw */
	unsigned begun, ended, cancelled;
	size_t written;
	bool keep_on;
	bool go;
	Fiber *waiting;
} Ends;

typedef Err *EndsTest(Ends *e);
static EndsTest *ends_test;
static HttpLimits limits;

static Err *answer(Exchange *x, Ends *e);

static Err *handler(Exchange *x)
{
	(void)x;
	return NULL;
}

static Err *fail(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain"), str_of(err->slug));
}

static void open_exchange(Exchange *x, void *arg)
{
	Ends *e = arg;

	x->arena = arena_new(256 << 10);
	x->server = e->conf;
}

static void serve(Exchange *x, Err *refused, void *arg)
{
	Ends *e = arg;
	Err *err = refused ? refused : answer(x, e);

	e->cancelled += err_is(err, "rt.cancelled");
	if (err && !x->begun && err->kind != ERR_CANCELLED)
		err = fail(x, err);
	if (!err && !x->ended)
		err = http_end(x, NULL);
	e->ended++;
}

static void close_exchange(Exchange *x, void *arg)
{
	(void)x;
	(void)arg;
}

static Err *serve_connection(void *arg)
{
	Ends *e = arg;
	bool idle = true;
	Err *err = NULL;

	while (idle && !err) {
		err = h2_serve(e->h2, (Str){ 0 }, &idle);
		e->idles += idle;
		if (idle && !err)
			err = stream_wait_readable(&e->server);
	}
	h2_server_free(TAKE(e->h2));
	stream_close(&e->server);
	e->served = err;
	return NULL;
}

static void on_close(HttpConn *conn, void *arg)
{
	(void)conn;
	((Ends *)arg)->closes++;
}

static void ends_open(Ends *e)
{
	const HttpConf conf = { .limits = limits, .handler = handler, .fail = fail };
	const HttpConnConf client_conf = { .head = { 32 << 10, 8 << 10, 100, true }, .h2 = true };
	H2Host host = { &e->server, &limits, e, open_exchange, close_exchange, serve };
	Stream client = STREAM_CLOSED;
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	CHECK_OK(stream_open(&client, pair[0]));
	CHECK_OK(stream_open(&e->server, pair[1]));
	e->conf = http_server_new(&conf, NULL);
	CHECK_OK(h2_server_new(&host, &e->h2));
	CHECK_OK(child_start(&e->serving, serve_connection, e, "server"));
	CHECK_OK(http_conn_new(&client, &client_conf, &e->conn));
	http_conn_on_close(e->conn, on_close, e);
	CHECK(http_conn_is_h2(e->conn));
}

static void ends_close(Ends *e)
{
	http_conn_free(TAKE(e->conn));
	CHECK_OK(child_join(&e->serving));
	http_server_unref(TAKE(e->conf));
}

static Err *ends_main(void *arg)
{
	Ends e = { .a = arg };
	Err *err;

	ends_open(&e);
	err = ends_test(&e);
	if (e.conn)
		ends_close(&e);
	return err;
}

static void with_ends(Arena *a, EndsTest *test)
{
	ends_test = test;
	if (!limits.streams)
		limits = http_limits_default();
	CHECK_OK(rt_run(&(RtConf){ .loops = 1 }, ends_main, a));
}

/* --- what the server does ------------------------------------------------------------------------------------------- */

static Err *echo(Exchange *x)
{
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };
	Str piece;

	TRY(http_begin(x, &head));
	for (;;) {
		if (!http_more(x))
			TRY(http_flush(x));
		TRY(http_read(x, &piece));
		if (!piece.len)
			break;
		TRY(http_write(x, piece));
	}
	return http_end(x, http_trailers(x));
}

static Err *wait_for_go(Ends *e)
{
	while (!e->go) {
		Err *err;

		e->waiting = fiber_self();
		err = fiber_park();
		e->waiting = NULL;
		TRY(err);
	}
	return NULL;
}

static Err *stream_for_ever(Exchange *x, Ends *e)
{
	static char block[10000];
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };

	TRY(http_begin(x, &head));
	for (;;) {
		TRY(http_write(x, (Str){ block, sizeof block }));
		e->written += sizeof block;
	}
}

static Err *answer(Exchange *x, Ends *e)
{
	Str path = x->request.target;
	Head head = { .status = 103, .content_length = -1 };

	e->begun++;
	if (str_eq(path, S("/echo")))
		return echo(x);
	if (str_eq(path, S("/read"))) {
		Str piece;

		do
			TRY(http_read(x, &piece));
		while (piece.len);
		return http_reply(x, 200, (Str){ 0 }, (Str){ 0 });
	}
	if (str_eq(path, S("/hints"))) {
		headers_add(&head.headers, x->arena, S("Link"), S("</a>"));
		TRY(http_inform(x, &head));
		return http_reply(x, 200, S("text/plain"), S("hinted"));
	}
	if (str_eq(path, S("/wait"))) {
		if (e->keep_on)
			http_keep_on(x);
		TRY(wait_for_go(e));
		return http_reply(x, 200, S("text/plain"), S("waited"));
	}
	if (str_eq(path, S("/for-ever")))
		return stream_for_ever(x, e);
	if (str_eq(path, S("/nothing")))
		return http_reply(x, 204, (Str){ 0 }, (Str){ 0 });
	if (str_eq(path, S("/trailers-only"))) {
		head.status = 200;
		headers_add(&head.headers, x->arena, S("grpc-status"), S("12"));
		return http_begin(x, &head);
	}
	if (str_eq(path, S("/short"))) {
		TRY(http_begin(x, &(Head){ .status = 200,
		                           .body = HTTP_BODY_LENGTH,
		                           .content_length = 9 }));
		TRY(http_write(x, S("abc")));
		return http_end(x, NULL);
	}
	if (str_eq(path, S("/busy")))
		return err_new(x->arena, ERR_BUSY, "test.busy", "no");
	return http_reply(x, 200, S("text/plain"), x->request.authority);
}

/* --- what the client does ------------------------------------------------------------------------------------------- */

static Head head_of(Str method, Str path, HttpBody body, int64_t length)
{
	return (Head){
		.version = HTTP_2,
		.method = method,
		.target = path,
		.authority = S("a.example"),
		.body = body,
		.content_length = length,
	};
}

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

static Err *ask(Ends *e, Str method, Str path, Head *head, Str *body)
{
	AUTO(call_end) Call call = { 0 };
	Head request = head_of(method, path, HTTP_BODY_NONE, -1);

	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &request, (Str){ 0 }, true));
	CHECK(call.sent && call.sent_all);
	TRY(call_receive(&call, head));
	TRY(read_all(e->a, &call, body));
	CHECK(call.read_all && call.answered);
	return NULL;
}

static Err *test_answers(Ends *e)
{
	static const struct {
		Str method, path;
		unsigned status;
		Str body;
		int64_t length;
	} cases[] = {
		{ S("GET"), S("/"), 200, S("a.example"), 9 },
		{ S("HEAD"), S("/"), 200, S(""), 9 },
		{ S("GET"), S("/nothing"), 204, S(""), -1 },
		{ S("GET"), S("/trailers-only"), 200, S(""), -1 },
		{ S("GET"), S("/busy"), 503, S("test.busy"), 9 },
		{ S("POST"), S("/echo"), 200, S(""), -1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Head head;
		Str body;

		NOTE("row %zu", i);
		TRY(ask(e, cases[i].method, cases[i].path, &head, &body));
		CHECK_INT(head.status, cases[i].status);
		CHECK_INT(head.content_length, cases[i].length);
		CHECK_STR(body, cases[i].body);
		CHECK(http_conn_usable(e->conn));
	}
	CHECK_INT(http_conn_calls(e->conn), COUNT(cases));
	CHECK_INT(e->closes, 0);
	return NULL;
}

TEST(answers_of_every_form)
{
	with_ends(a, test_answers);
}

static Err *test_informational(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("GET"), S("/hints"), HTTP_BODY_NONE, -1);
	Str body;

	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, true));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 103);
	CHECK_STR(headers_get_name(&head.headers, S("link")), S("</a>"));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 200);
	TRY(read_all(e->a, &call, &body));
	CHECK_STR(body, S("hinted"));
	return NULL;
}

TEST(informational_heads_come_first)
{
	with_ends(a, test_informational);
}

/* The body is asked for when the handler wants it, once. */
static Err *test_expect(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("POST"), S("/read"), HTTP_BODY_CHUNKED, -1);

	headers_add(&head.headers, e->a, S("Expect"), S("100-continue"));
	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, false));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 100);
	TRY(call_write(&call, S("one")));
	TRY(call_write(&call, S("two")));
	TRY(call_finish(&call, NULL));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 200);
	CHECK(call.read_all);
	return NULL;
}

TEST(a_client_that_waits_is_told_to_go_on)
{
	with_ends(a, test_expect);
}

static Err *test_turns(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("POST"), S("/echo"), HTTP_BODY_CHUNKED, -1);
	Headers trailers = { 0 };
	Str body;

	headers_add(&head.headers, e->a, S("Expect"), S("100-continue"));
	headers_add(&trailers, e->a, S("X-Sum"), S("7"));
	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, false));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 200); /* the echo begins before it reads: no 100 after that */
	TRY(call_write(&call, S("one ")));
	TRY(call_read(&call, &body));
	CHECK_STR(body, S("one "));
	TRY(call_write(&call, S("two")));
	TRY(call_read(&call, &body));
	CHECK_STR(body, S("two"));
	TRY(call_finish(&call, &trailers));
	TRY(call_read(&call, &body));
	CHECK_INT(body.len, 0);
	CHECK_STR(headers_get_name(call_trailers(&call), S("x-sum")), S("7"));
	CHECK(call.sent_all && call.read_all);
	return NULL;
}

TEST(both_sides_talk_in_turns_and_end_in_trailers)
{
	with_ends(a, test_turns);
}

/* --- two fibers on one call, cancelled at every park ---------------------------------------------------------------- */

enum { BIG = 400 << 10 };

typedef struct Upload {
	Call *call;
	Str body;
} Upload;

static Err *upload(void *arg)
{
	Upload *u = arg;

	for (size_t at = 0; at < u->body.len; at += 30000)
		TRY(call_write(u->call, str_sub(u->body, at, at + 30000)));
	return call_finish(u->call, NULL);
}

typedef struct Try {
	Ends *e;
	Str body;
	unsigned park;
} Try;

static Err *exchange_big(void *arg)
{
	Try *t = arg;
	AUTO(call_end) Call call = { 0 };
	AUTO(child_end) Child child = { 0 };
	Upload job = { &call, t->body };
	Head head = head_of(S("POST"), S("/echo"), HTTP_BODY_LENGTH, (int64_t)t->body.len);
	size_t all = 0;
	Str piece;

	fiber_cancel_at_park(t->park);
	call_begin(&call, t->e->conn, t->e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, false));
	TRY(child_start(&child, upload, &job, "upload"));
	TRY(call_receive(&call, &head));
	do {
		TRY(call_read(&call, &piece));
		CHECK_STR(piece, str_sub(t->body, all, all + piece.len));
		all += piece.len;
	} while (piece.len);
	CHECK_INT(all, t->body.len);
	TRY(child_join(&child));
	CHECK(call.sent_all && call.read_all);
	return NULL;
}

static Str pattern(Arena *a, size_t len)
{
	char *bytes = arena_alloc(a, len);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 1000);
	return (Str){ bytes, len };
}

/* One connection for all: what is cancelled must leave the others and the connection unharmed. */
static Err *test_cancelled(Ends *e)
{
	Str body = pattern(e->a, BIG);
	unsigned park = 0;
	Err *err;

	do {
		AUTO(child_end) Child client = { 0 };
		Try attempt = { e, body, park };

		NOTE("cancelled at park %u", park);
		TRY(child_start(&client, exchange_big, &attempt, "client"));
		err = child_join(&client);
		CHECK(!err || (park && err_is(err, "rt.cancelled")));
		CHECK(http_conn_usable(e->conn));
		park++;
	} while (err || park < 2);
	CHECK(park > 3);
	while (e->ended < e->begun)
		TRY(fiber_yield());
	return NULL;
}

TEST(both_directions_at_once_and_cancelled_anywhere)
{
	with_ends(a, test_cancelled);
}

static Err *test_many(Ends *e)
{
	enum { MANY = 60 };
	Child children[MANY] = { 0 };
	Try attempts[MANY];
	Str body = pattern(e->a, BIG);

	for (size_t i = 0; i < MANY; i++) {
		attempts[i] = (Try){ e, str_sub(body, i, 100 * i * i % BIG), 0 };
		TRY(child_start(&children[i], exchange_big, &attempts[i], "client"));
	}
	for (size_t i = 0; i < MANY; i++)
		TRY(child_join(&children[i]));
	CHECK_INT(e->begun, MANY);
	return NULL;
}

TEST(many_calls_share_a_connection)
{
	with_ends(a, test_many);
}

/* --- back-pressure, resets, ends ------------------------------------------------------------------------------------ */

static Err *settle(void)
{
	for (unsigned i = 0; i < 50; i++)
		TRY(fiber_yield());
	return NULL;
}

static Err *test_pressure(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("GET"), S("/for-ever"), HTTP_BODY_NONE, -1);
	size_t before;
	Str piece;

	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, true));
	TRY(call_receive(&call, &head));
	TRY(settle());
	before = e->written;
	CHECK(before > 0 && before <= 64 << 10); /* a window */
	TRY(settle());
	CHECK_INT(e->written, before);
	for (size_t all = 0; all < 1 << 20; all += piece.len)
		TRY(call_read(&call, &piece));
	CHECK(e->written > 900 << 10);
	call_end(&call); /* RST_STREAM: the handler is cancelled */
	while (e->ended < 1)
		TRY(fiber_yield());
	CHECK_INT(e->cancelled, 1);
	CHECK(http_conn_usable(e->conn));
	return NULL;
}

TEST(a_slow_reader_holds_up_its_writer_and_may_leave)
{
	with_ends(a, test_pressure);
}

static Err *begin_wait(Ends *e, Call *call)
{
	Head head = head_of(S("GET"), S("/wait"), HTTP_BODY_NONE, -1);

	call_begin(call, e->conn, e->a);
	TRY(call_send(call, &head, (Str){ 0 }, true));
	while (!e->waiting)
		TRY(fiber_yield());
	return NULL;
}

static Err *test_kept(Ends *e)
{
	AUTO(call_end) Call call = { 0 };

	e->keep_on = true;
	TRY(begin_wait(e, &call));
	call_end(&call);
	TRY(settle());
	CHECK_INT(e->ended, 0);
	e->go = true;
	fiber_wake(e->waiting);
	while (!e->ended)
		TRY(fiber_yield());
	CHECK_INT(e->cancelled, 0);
	return NULL;
}

TEST(a_handler_that_keeps_on_is_not_cancelled)
{
	with_ends(a, test_kept);
}

static Err *test_client_leaves(Ends *e)
{
	Call call = { 0 };

	TRY(begin_wait(e, &call));
	call_end(&call);
	ends_close(e);
	CHECK_INT(e->cancelled, 1);
	CHECK_INT(e->ended, e->begun);
	return NULL;
}

TEST(a_client_that_leaves_cancels_what_it_asked_for)
{
	with_ends(a, test_client_leaves);
}

static Err *test_server_leaves(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head;

	TRY(begin_wait(e, &call));
	fiber_cancel(e->serving.fiber);
	CHECK_ERR(call_receive(&call, &head), "http.no_answer");
	CHECK(call.sent && !call.answered);
	CHECK(!http_conn_usable(e->conn));
	CHECK_INT(http_conn_streams(e->conn), 0);
	CHECK_INT(e->closes, 0); /* the call is still on it: it is not idle */
	return NULL;
}

TEST(a_server_that_leaves_is_noticed)
{
	with_ends(a, test_server_leaves);
}

static Err *test_drain(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head;
	Str body;

	TRY(begin_wait(e, &call));
	h2_server_drain(e->h2);
	while (http_conn_usable(e->conn))
		TRY(fiber_yield());
	e->go = true;
	fiber_wake(e->waiting);
	TRY(call_receive(&call, &head));
	TRY(read_all(e->a, &call, &body));
	CHECK_STR(body, S("waited"));
	CHECK(call.closes);
	call_end(&call);
	CHECK(!http_conn_usable(e->conn));
	TRY(child_join(&e->serving));
	CHECK_OK(e->served);
	return NULL;
}

TEST(a_server_that_drains_finishes_what_it_has)
{
	with_ends(a, test_drain);
}

/* A connection without calls: the server's leaving is told to the pool, and GOAWAY too. */
static Err *test_idle(Ends *e)
{
	Head head;
	Str body;

	TRY(ask(e, S("GET"), S("/"), &head, &body));
	TRY(settle());
	CHECK(e->idles > 0);
	CHECK(http_conn_usable(e->conn));
	fiber_cancel(e->serving.fiber);
	while (!e->closes)
		TRY(fiber_yield());
	CHECK(!http_conn_usable(e->conn));
	CHECK_INT(e->closes, 1);
	return NULL;
}

static Err *test_idle_drain(Ends *e)
{
	Head head;
	Str body;

	TRY(ask(e, S("GET"), S("/"), &head, &body));
	TRY(settle());
	h2_server_drain(e->h2);
	fiber_wake(e->serving.fiber); /* as whoever has the connection would */
	e->server.watch.readable = true;
	while (!e->closes)
		TRY(fiber_yield());
	CHECK_INT(e->closes, 1);
	http_conn_free(TAKE(e->conn)); /* nobody is asked to wait for a client that stays */
	TRY(child_join(&e->serving));
	CHECK_OK(e->served);
	http_server_unref(TAKE(e->conf));
	return NULL;
}

TEST(an_idle_connection_hears_of_the_end)
{
	with_ends(a, test_idle_drain);
}

TEST(an_idle_connection_is_watched)
{
	with_ends(a, test_idle);
}

static Err *test_limit(Ends *e)
{
	Call calls[2] = { 0 };
	Head head;
	Str body;

	TRY(ask(e, S("GET"), S("/"), &head, &body));
	CHECK_INT(http_conn_streams(e->conn), 2);
	TRY(begin_wait(e, &calls[0]));
	CHECK_INT(http_conn_streams(e->conn), 1);
	TRY(begin_wait(e, &calls[1]));
	CHECK_INT(http_conn_streams(e->conn), 0);
	CHECK(!http_conn_usable(e->conn));
	call_end(&calls[0]);
	call_end(&calls[1]);
	TRY(settle());
	CHECK_INT(http_conn_streams(e->conn), 2);
	return NULL;
}

TEST(the_servers_limit_of_streams_is_known)
{
	limits = http_limits_default();
	limits.streams = 2;
	with_ends(a, test_limit);
}

static Err *test_broken_promise(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("GET"), S("/short"), HTTP_BODY_NONE, -1);
	Err *err;
	Str body;

	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, true));
	err = call_receive(&call, &head);
	if (!err)
		err = read_all(e->a, &call, &body);
	CHECK_ERR(err, "h2.reset");
	CHECK(!call.read_all);
	CHECK(http_conn_usable(e->conn));
	return NULL;
}

TEST(a_body_shorter_than_promised_is_never_whole)
{
	with_ends(a, test_broken_promise);
}

static Err *test_too_large(Ends *e)
{
	AUTO(call_end) Call call = { 0 };
	Head head = head_of(S("GET"), S("/"), HTTP_BODY_NONE, -1);
	char *value = arena_alloc(e->a, 40000);

	memset(value, 'x', 40000);
	headers_add(&head.headers, e->a, S("x-large"), (Str){ value, 40000 });
	call_begin(&call, e->conn, e->a);
	TRY(call_send(&call, &head, (Str){ 0 }, true));
	TRY(call_receive(&call, &head));
	CHECK_INT(head.status, 431);
	CHECK_INT(e->begun, 0);
	return NULL;
}

TEST(a_head_beyond_the_limit_is_answered)
{
	with_ends(a, test_too_large);
}
