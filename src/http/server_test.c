/* SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_server.c"

#include "unit.h"

#include <stdio.h>

/* A server on a port of its own, and raw bytes said to it. */
typedef struct Stage {
	HttpLimits limits;
	HttpHandler *handler;
	void (*play)(struct Stage *stage);
	Arena *a;
	Listener *listener;
	HttpServer *server;
	HttpListener *hl;
	int answered;
	char last[64]; /* slug of what the last exchange ended with */
	bool h2c;
} Stage;

static Err *fail_plainly(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain"), str_of(err->slug));
}

static void count_done(Exchange *x, const Err *err)
{
	Stage *stage = x->listener_arg;

	stage->answered++;
	snprintf(stage->last, sizeof stage->last, "%s", err ? err->slug : "");
}

static Err *stage_main(void *arg)
{
	Stage *stage = arg;
	HttpConf conf = { .limits = stage->limits,
		          .handler = stage->handler,
		          .fail = fail_plainly,
		          .done = count_done,
		          .h2c = stage->h2c };
	Addr addr;

	CHECK_OK(addr_parse(stage->a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(stage->a, &addr, &stage->listener));
	stage->server = http_server_new(&conf, NULL);
	CHECK_OK(http_listen(stage->listener, stage->server, stage, &stage->hl));
	stage->play(stage);
	http_listen_close(stage->hl);
	listener_close(stage->listener);
	http_server_unref(stage->server);
	return NULL;
}

static void perform(Stage *stage, Arena *a)
{
	RtConf conf = { .loops = 1, .workers = 1 };

	stage->a = a;
	if (!stage->limits.head_us)
		stage->limits = http_limits_default();
	CHECK_OK(rt_run(&conf, stage_main, stage));
}

static Stream *dial(Stage *stage)
{
	Stream *s = arena_alloc(stage->a, sizeof *s);

	CHECK_OK(stream_connect(s, listener_addr(stage->listener)));
	return s;
}

static void say(Stream *s, Str bytes)
{
	CHECK_OK(stream_write(s, bytes));
}

/* Reads until what came ends in `end` (or the server closes, when end is empty). */
static Str hear(Stage *stage, Stream *s, Str end)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(5 * US_PER_S);
	char *all = arena_alloc(stage->a, 1 << 18);
	size_t len = 0;
	size_t got = 1;

	while (got && !(end.len && str_ends((Str){ all, len }, end))) {
		Err *err = stream_read(s, all + len, (1 << 18) - len, &got);

		if (err && err->kind == ERR_CLOSED)
			break;
		CHECK_OK(err);
		len += got;
	}
	return (Str){ all, len };
}

/* --- handlers ------------------------------------------------------------------------------------------------------- */

static Err *say_target(Exchange *x)
{
	return http_reply(x, 200, S("text/plain"), x->request.target);
}

static Err *echo(Exchange *x)
{
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };
	Str piece;

	TRY(http_read(x, &piece));
	TRY(http_begin(x, &head));
	while (piece.len) {
		TRY(http_write(x, piece));
		TRY(http_read(x, &piece));
	}
	return http_end(x, http_trailers(x));
}

static Err *ignore_body(Exchange *x)
{
	return http_reply(x, 200, S("text/plain"), S("ok"));
}

static Err *refuse(Exchange *x)
{
	return err_new(x->arena, ERR_CONFLICT, "test.refused", "no");
}

/* --- plays ---------------------------------------------------------------------------------------------------------- */

static void keep_alive(Stage *stage)
{
	Stream *s = dial(stage);

	say(s, S("GET /one HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_STR(
		hear(stage, s, S("/one")),
		S("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n/one"));
	say(s, S("GET /two HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, s, S("/two")), S("\r\n\r\n/two")));
	say(s, S("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_find(hear(stage, s, S("\r\n\r\n")), S("Content-Length: 5\r\n")) > 0);
	say(s, S("GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
	CHECK(str_find(hear(stage, s, S("")), S("Connection: close\r\n")) > 0);
	stream_close(s);
	CHECK_INT(stage->answered, 4);
}

TEST(a_connection_serves_one_request_after_another_until_told_to_close)
{
	Stage stage = { .handler = say_target, .play = keep_alive };

	perform(&stage, a);
}

static void byte_by_byte(Stage *stage)
{
	Str request = S("GET /slow HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n");
	Stream *s = dial(stage);

	for (size_t i = 0; i < request.len; i++) {
		say(s, str_sub(request, i, i + 1));
		for (int k = 0; k < 4; k++)
			CHECK_OK(fiber_sleep(10));
		if (i > 3 && i < request.len - 1)
			CHECK_INT(loop_stats(loop_self()).fibers,
			          1); /* only ours: a partial head has none */
	}
	CHECK(str_ends(hear(stage, s, S("/slow")), S("/slow")));
	stream_close(s);
}

TEST(a_head_that_comes_byte_by_byte_holds_no_fiber)
{
	Stage stage = { .handler = say_target, .play = byte_by_byte };

	perform(&stage, a);
}

static void pipeline(Stage *stage)
{
	Stream *s = dial(stage);
	Buf all = { 0 };
	Str heard;
	Str bytes;

	for (int i = 0; i < 100; i++)
		buf_fmt(&all, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", i);
	buf_fmt(&all, "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	CHECK_OK(buf_done(&all, &bytes));
	say(s, bytes);
	buf_fini(&all);
	heard = hear(stage, s, S(""));
	CHECK_INT(stage->answered, 101);
	CHECK(str_ends(heard, S("/end")));
	stream_close(s);
}

TEST(pipelined_requests_are_answered_in_order_their_bodies_skipped)
{
	Stage stage = { .handler = say_target, .play = pipeline };

	perform(&stage, a);
}

static void bodies(Stage *stage)
{
	Stream *s = dial(stage);

	say(s,
	    S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n"));
	CHECK(str_ends(hear(stage, s, S("X-Sum: 7\r\n\r\n")),
	               S("3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n")));
	say(s,
	    S("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
	CHECK_STR(hear(stage, s, S("\r\n\r\n")), S("HTTP/1.1 100 Continue\r\n\r\n"));
	say(s, S("he"));
	say(s, S("llo"));
	CHECK(str_ends(hear(stage, s, S("0\r\n\r\n")), S("0\r\n\r\n")));
	stream_close(s);
}

TEST(bodies_come_in_pieces_and_go_out_in_chunks)
{
	Stage stage = { .handler = echo, .play = bodies };

	perform(&stage, a);
}

static void leaves_body(Stage *stage)
{
	Stream *s = dial(stage);
	char *big = arena_alloc(stage->a, 1 << 20);

	memset(big, 'x', 1 << 20);
	say(s, S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n"));
	CHECK(str_ends(hear(stage, s, S("ok")), S("ok")));
	say(s, (Str){ big, 1 << 20 });
	CHECK_STR(hear(stage, s, S("")),
	          S("")); /* drained for a while, then closed without a reset */
	stream_close(s);
}

TEST(an_answer_before_the_body_survives_and_the_connection_ends)
{
	Stage stage = { .handler = ignore_body, .play = leaves_body };

	perform(&stage, a);
}

static void too_much(Stage *stage)
{
	static const struct {
		Str request, status;
	} cases[] = {
		{ S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"),
		  S("HTTP/1.1 413 ") },
		{ S("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n"),
		  S("HTTP/1.1 4") },
		{ S("GET / HTTP/1.1\r\n\r\n"), S("HTTP/1.1 400 ") },
		{ S("\x16\x03\x01"), S("HTTP/1.1 400 ") },
		{ S("GET / HTTP/2.0\r\n\r\n"), S("HTTP/1.1 505 ") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Stream *s = dial(stage);

		NOTE("case %zu", i);
		say(s, cases[i].request);
		if (i != 1) /* it answers as it reads: its head is out already */
			CHECK_STR(str_sub(hear(stage, s, S("")), 0, cases[i].status.len),
			          cases[i].status);
		else
			CHECK(!str_ends(hear(stage, s, S("")), S("0\r\n\r\n")));
		stream_close(s);
	}
}

TEST(what_is_too_much_or_malformed_is_refused_and_the_connection_closed)
{
	Stage stage = { .handler = echo, .play = too_much, .limits = http_limits_default() };

	stage.limits.body_bytes = 10;
	perform(&stage, a);
}

static void error_answer(Stage *stage)
{
	Stream *s = dial(stage);

	say(s, S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, s, S("test.refused")), S("test.refused")));
	CHECK_STR(str_of(stage->last), S("test.refused"));
	say(s, S("GET / HTTP/1.0\r\n\r\n"));
	CHECK(str_ends(hear(stage, s, S("")), S("test.refused")));
	stream_close(s);
}

TEST(a_handlers_error_becomes_an_answer_and_the_connection_lives)
{
	Stage stage = { .handler = refuse, .play = error_answer };

	perform(&stage, a);
}

static Err *wait_for_ever(Exchange *x)
{
	(void)x;
	for (;;)
		TRY(fiber_park());
}

static void client_leaves(Stage *stage)
{
	Stream *s = dial(stage);
	struct linger now = { 1, 0 };

	say(s, S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_OK(fiber_sleep(1000));
	setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	stream_close(s); /* a reset */
	for (int i = 0; i < 1000 && !stage->answered; i++)
		CHECK_OK(fiber_sleep(1000));
	CHECK_INT(stage->answered, 1);
	CHECK_STR(str_of(stage->last), S("rt.cancelled"));
	CHECK_INT(http_stats().active, 0);
}

TEST(a_client_that_resets_cancels_the_work_done_for_it)
{
	Stage stage = { .handler = wait_for_ever, .play = client_leaves };

	perform(&stage, a);
}

static void slow_things(Stage *stage)
{
	Stream *head = dial(stage);
	Stream *idle = dial(stage);

	say(idle, S("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, idle, S("/x")), S("/x")));
	say(head, S("GET /x HTTP/1.1\r\nHo"));
	CHECK_STR(hear(stage, head, S("")), S(""));
	CHECK_INT(http_stats().timeouts, 1);
	CHECK_STR(hear(stage, idle, S("")), S(""));
	stream_close(head);
	stream_close(idle);
}

TEST(slow_heads_and_idle_connections_are_closed_in_time)
{
	Stage stage = { .handler = say_target,
		        .play = slow_things,
		        .limits = http_limits_default() };

	stage.limits.head_us = 50000;
	stage.limits.idle_us = 100000;
	perform(&stage, a);
}

static Err *drain_main(void *arg)
{
	Stage *stage = arg;
	HttpDrain how = { .requests_us = US_PER_S, .idle_us = US_PER_S / 4 };

	CHECK_INT(http_listen_drain(stage->hl, &how), 0);
	return NULL;
}

/* One that stays silent, and one whose next request comes after the drain began. */
static void drains(Stage *stage)
{
	AUTO(child_end) Child child = { 0 };
	Stream *silent = dial(stage), *talks = dial(stage), *fresh = dial(stage);
	Str answer;

	say(silent, S("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, silent, S("/x")), S("/x")));
	say(talks, S("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, talks, S("/x")), S("/x")));
	CHECK_OK(child_start(&child, drain_main, stage, "drain"));
	CHECK_OK(fiber_sleep(50 * US_PER_MS));
	say(talks, S("GET /y HTTP/1.1\r\nHost: a\r\n\r\n"));
	answer = hear(stage, talks, S(""));
	CHECK(str_find(answer, S("Connection: close\r\n")) > 0 && str_ends(answer, S("/y")));
	say(fresh, S("GET /z HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK(str_ends(hear(stage, fresh, S("")), S("/z")));
	CHECK_STR(hear(stage, silent, S("")), S(""));
	CHECK_OK(child_join(&child));
	stream_close(silent);
	stream_close(talks);
	stream_close(fresh);
}

TEST(draining_answers_once_more_and_closes_what_stays_idle)
{
	Stage stage = { .handler = say_target, .play = drains };

	perform(&stage, a);
}

static Err *hang(Exchange *x)
{
	Stage *stage = x->listener_arg;

	stage->answered--;
	return fiber_sleep(100 * US_PER_S);
}

static void drain_cuts(Stage *stage)
{
	Stream *held = dial(stage);
	HttpDrain how = { .requests_us = 100 * US_PER_MS, .tunnels_us = US_PER_S };

	say(held, S("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	while (!stage->answered)
		CHECK_OK(fiber_yield());
	CHECK_INT(http_listen_drain(stage->hl, &how), 1);
	CHECK_STR(hear(stage, held, S("")), S(""));
	CHECK_STR(str_of(stage->last), S("rt.cancelled"));
	stream_close(held);
}

TEST(draining_cuts_what_takes_too_long_and_counts_it)
{
	Stage stage = { .handler = hang, .play = drain_cuts };

	perform(&stage, a);
}

static void cancelled_everywhere(Stage *stage)
{
	for (unsigned n = 1; n < 40; n++) {
		Stream *s = dial(stage);

		stage->answered = 0;
		say(s,
		    S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\nab"));
		CHECK_OK(fiber_sleep(200));
		if (stream_write(s, S("cd")) == NULL)
			CHECK_OK(fiber_sleep(200));
		if (stream_write(s, S("ef")) == NULL)
			hear(stage, s, S("0\r\n\r\n"));
		stream_close(s);
		for (int i = 0; i < 1000 && !stage->answered; i++)
			CHECK_OK(fiber_sleep(100));
		CHECK_INT(stage->answered, 1);
		if (!stage->last[0])
			return; /* it had fewer parks than n */
	}
	CHECK(false);
}

static unsigned cancel_at;

static Err *echo_until_cancelled(Exchange *x)
{
	fiber_cancel_at_park(++cancel_at);
	return echo(x);
}

TEST(a_handler_may_be_cancelled_at_any_of_its_parks)
{
	Stage stage = { .handler = echo_until_cancelled, .play = cancelled_everywhere };

	perform(&stage, a);
}
