/* SPDX-License-Identifier: Apache-2.0 */
#include "http/ask.c"

#include "unit.h"

#include "http/exchange.h"
#include "http/server.h"
#include "http/trust.h"
#include "rt/listen.h"

#include <stdlib.h>

/* A server on a port of its own, and a client. */
typedef struct Stage {
	Arena *a;
	AskConf conf;
	void (*play)(struct Stage *stage);
	Listener *listener;
	HttpServer *server;
	HttpListener *hl;
	AskClient *client;
	Str base;
	unsigned running, most; /* requests that hold */
	unsigned holders; /* how many of them there must be at once before they are answered */
	WaitQueue together;
} Stage;

static Err *serve(Exchange *x)
{
	Stage *stage = x->listener_arg;
	Str target = x->request.target, piece;

	do
		TRY(http_read(x, &piece));
	while (piece.len);
	if (str_eq(target, S("/slow")))
		TRY(fiber_sleep(60 * US_PER_S));
	if (str_eq(target, S("/hold"))) {
		stage->most = MAX(stage->most, ++stage->running);
		if (stage->running >= stage->holders)
			wait_queue_wake_all(&stage->together);
		else
			TRY(wait_queue_park(&stage->together));
		stage->running--;
	}
	if (str_eq(target, S("/trace")))
		return http_reply(x, 200, S("text/plain"),
		                  headers_get(&x->request.headers, HTTP_TRACEPARENT));
	if (str_eq(target, S("/away")))
		return http_reply(x, 302, S("text/plain"), S("elsewhere"));
	return http_reply(x, 200, S("text/plain"), x->request.method);
}

static Err *fail_plainly(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain"), str_of(err->slug));
}

static Err *stage_main(void *arg)
{
	Stage *stage = arg;
	HttpConf conf = {
		.limits = http_limits_default(), .handler = serve, .fail = fail_plainly, .h2c = true
	};
	Addr addr;

	stage->conf.name = "test";
	wait_queue_init(&stage->together);
	CHECK_OK(addr_parse(stage->a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(stage->a, &addr, &stage->listener));
	stage->base = str_fmt(stage->a, "http://%.*s",
	                      STR_ARG(addr_text(stage->a, listener_addr(stage->listener))));
	stage->server = http_server_new(&conf, NULL);
	CHECK_OK(http_listen(stage->listener, stage->server, stage, &stage->hl));
	CHECK_OK(ask_open(stage->a, &stage->conf, &stage->client));
	stage->play(stage);
	ask_close(stage->client);
	http_listen_close(stage->hl);
	listener_close(stage->listener);
	http_server_unref(stage->server);
	return NULL;
}

static void perform(Arena *a, AskConf conf, void (*play)(Stage *stage))
{
	Stage stage = { .a = a, .conf = conf, .play = play };

	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, stage_main, &stage));
}

static Err *say(Stage *stage, const char *target, Ask what, AskAnswer *answer)
{
	what.url = str_fmt(stage->a, "%.*s%s", STR_ARG(stage->base), target);
	return ask(stage->client, stage->a, &what, answer);
}

/* --- answers -------------------------------------------------------------------------------------------------------------- */

static void play_answers(Stage *stage)
{
	AskAnswer answer;
	Ask injected = { 0 };

	CHECK_OK(say(stage, "/", (Ask){ 0 }, &answer));
	CHECK_INT(answer.status, 200);
	CHECK_STR(answer.body, S("GET"));
	CHECK(answer.sent && answer.answered && !answer.reused);
	CHECK_OK(say(stage, "/", (Ask){ .body = S("{}") }, &answer));
	CHECK_STR(answer.body, S("POST"));
	CHECK(answer.reused);
	CHECK_OK(say(stage, "/away", (Ask){ 0 }, &answer));
	CHECK_INT(answer.status, 302);
	CHECK_ERR(say(stage, "/", (Ask){ .body_max = 2 }, &answer), "ask.too_large");
	CHECK_INT(answer.status, 200);
	CHECK_ERR(say(stage, "/slow", (Ask){ .timeout_us = 20 * US_PER_MS }, &answer),
	          "ask.timeout");
	CHECK(answer.sent && !answer.answered);
	headers_add(&injected.headers, stage->a, S("X-A"), S("b\r\nX-C: d"));
	CHECK_ERR(say(stage, "/", injected, &answer), "ask.header");
	CHECK(!answer.sent);
	CHECK_ERR(ask(stage->client, stage->a, &(Ask){ .url = S("gopher://x/") }, &answer),
	          "ask.url");
}

TEST(an_answer_comes_whole_or_not_at_all)
{
	perform(a, (AskConf){ 0 }, play_answers);
}

static void play_trace(Stage *stage)
{
	Str before = S("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	AskAnswer answer;

	CHECK_OK(say(stage, "/trace", (Ask){ .traceparent = before }, &answer));
	CHECK_STR(str_sub(answer.body, 0, 36), str_sub(before, 0, 36));
	CHECK(!str_eq(answer.body, before));
	CHECK_STR(answer.body, answer.traceparent);
	CHECK_OK(say(stage, "/trace", (Ask){ .traceparent = S("nonsense") }, &answer));
	CHECK_STR(answer.body, S(""));
}

TEST(a_trace_goes_on_with_a_span_of_its_own)
{
	perform(a, (AskConf){ 0 }, play_trace);
}

/* --- many ----------------------------------------------------------------------------------------------------------------- */

enum { MANY = 20 };
typedef struct Asker {
	Stage *stage;
	Child child;
} Asker;

static Err *hold(void *arg)
{
	Stage *stage = ((Asker *)arg)->stage;
	AskAnswer answer;

	return say(stage, "/hold", (Ask){ 0 }, &answer);
}

static void ask_many(Stage *stage)
{
	Asker askers[MANY] = { { 0 } };

	for (size_t i = 0; i < MANY; i++) {
		askers[i].stage = stage;
		CHECK_OK(child_start(&askers[i].child, hold, &askers[i], "asker"));
	}
	for (size_t i = 0; i < MANY; i++)
		CHECK_OK(child_join(&askers[i].child));
}

static void play_shared(Stage *stage)
{
	int64_t before = metric_value(stage->client->opened);

	stage->holders = MANY;
	ask_many(stage);
	CHECK_INT(stage->most, MANY);
	CHECK_INT(metric_value(stage->client->opened) - before, 1);
}

TEST(many_requests_share_one_connection_of_http2)
{
	perform(a, (AskConf){ .speak = ASK_H2 }, play_shared);
}

/* Four at once; the fourth of each lot lets them go. */
static void play_few(Stage *stage)
{
	int64_t before = metric_value(stage->client->opened);

	stage->holders = 4;
	ask_many(stage);
	CHECK_INT(stage->most, 4);
	CHECK_INT(metric_value(stage->client->opened) - before, 4);
}

TEST(who_finds_no_connection_waits_for_one)
{
	perform(a, (AskConf){ .connections_most = 4 }, play_few);
}

static void play_private(Stage *stage)
{
	AskAnswer answer;

	CHECK_ERR(say(stage, "/", (Ask){ 0 }, &answer), "ask.private");
	CHECK(!answer.sent);
	CHECK_ERR(say(stage, "/", (Ask){ .via = S("unix:@x") }, &answer), "ask.private");
}

static void play_excepted(Stage *stage)
{
	AskAnswer answer;

	CHECK_OK(say(stage, "/", (Ask){ 0 }, &answer));
}

TEST(private_addresses_are_refused_unless_they_are_excepted)
{
	Cidr but;

	CHECK_NULL(cidr_parse(S("127.0.0.0/8"), &but));
	perform(a, (AskConf){ .public_only = true }, play_private);
	perform(a, (AskConf){ .public_only = true, .but = &but, .but_count = 1 }, play_excepted);
}

/* --- a connection that ends just then --------------------------------------------------------------------------------------- */

/* Answers the first request on each connection; the second one it reads, and closes. */
typedef struct Mortal {
	Listener *listener;
	unsigned connections, swallowed;
} Mortal;

static Err *hear_head(Stream *s)
{
	char bytes[2048];
	size_t len = 0, got;

	while (!str_ends((Str){ bytes, len }, S("\r\n\r\n"))) {
		TRY(stream_read(s, bytes + len, sizeof bytes - len, &got));
		if (!got)
			return &odd;
		len += got;
	}
	return NULL;
}

typedef struct Life {
	Mortal *mortal;
	int fd;
} Life;

static void live(void *arg)
{
	Life life = *(Life *)arg;
	AUTO(stream_close) Stream s = STREAM_CLOSED;

	free(arg);
	if (stream_open(&s, life.fd) || hear_head(&s) ||
	    stream_write(&s, S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) || hear_head(&s))
		return;
	life.mortal->swallowed++;
}

static void on_accept(void *arg, int fd, const Addr *peer)
{
	Life *life = malloc(sizeof *life);

	(void)peer;
	*life = (Life){ arg, fd };
	life->mortal->connections++;
	CHECK_OK(fiber_start(live, life, "life"));
}

static void play_mortal(Stage *stage)
{
	Mortal mortal = { 0 };
	AskAnswer answer;
	Addr addr;

	CHECK_OK(addr_parse(stage->a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(stage->a, &addr, &mortal.listener));
	listener_start(mortal.listener, on_accept, &mortal);
	stage->base = str_fmt(stage->a, "http://%.*s",
	                      STR_ARG(addr_text(stage->a, listener_addr(mortal.listener))));
	CHECK_OK(say(stage, "/", (Ask){ .method = S("POST") }, &answer));
	CHECK_ERR(say(stage, "/", (Ask){ .method = S("POST") }, &answer), "http.no_answer");
	CHECK(answer.sent && !answer.answered && answer.reused);
	CHECK_INT(mortal.swallowed, 1);
	CHECK_OK(say(stage, "/", (Ask){ .method = S("POST") }, &answer));
	CHECK_OK(say(stage, "/", (Ask){ .method = S("POST"), .repeatable = true }, &answer));
	CHECK(!answer.reused);
	CHECK_INT(mortal.swallowed, 2);
	CHECK_INT(mortal.connections, 3);
	listener_close(mortal.listener);
}

TEST(what_may_have_been_begun_is_not_sent_again)
{
	perform(a, (AskConf){ 0 }, play_mortal);
}

TEST(retry_after_is_seconds_or_a_date)
{
	static const struct {
		Str value;
		int64_t low_s, high_s;
	} cases[] = {
		{ S("7"), 7, 7 },
		{ S("99999999999"), 86400, 86400 },
		{ S("soon"), 0, 0 },
		{ S("Sun, 06 Nov 1994 08:49:37 GMT"), 0, 0 },
		{ S("Fri, 31 Dec 2286 23:59:59 GMT"), 86400, 86400 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AskAnswer answer = { 0 };
		int64_t us;

		headers_add(&answer.headers, a, S("Retry-After"), cases[i].value);
		us = ask_retry_after_us(&answer);
		CHECK(us >= cases[i].low_s * US_PER_S && us <= cases[i].high_s * US_PER_S);
	}
}
