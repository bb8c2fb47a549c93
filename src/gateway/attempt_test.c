/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

static unsigned waits; /* for proof */

static bool counted_untouched(Call *call, bool now)
{
	waits += !now;
	return call_untouched(call, now);
}

#define call_untouched counted_untouched
#include "gateway/attempt.c"

#include "base/time.h"
#include "gateway/proxy.h"
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server of bare sockets and a gateway before it, on one loop: what the server does with its idle connection happens in
 * the same turn in which the gateway sends on it, so that each case of the race is sure to come about. */
typedef struct Case {
	const char *name;
	void (*before)(int fd); /* the second request is sent */
	void (*after)(int fd);
	unsigned get, put, post; /* their statuses */
} Case;

static struct {
	int listener;
	int resting; /* the connection that was answered on; -1: none */
	unsigned answered;
	const Case *now; /* until it was played; NULL: all is answered */
	Listener *gateway;
	HttpListener *http;
	Snapshot *snap;
} scene;

/* --- what servers do ------------------------------------------------------------------------------------------------ */

static void take(int fd, size_t bytes)
{
	char into[4096];

	CHECK(recv(fd, into, MIN(bytes, sizeof into), 0) > 0);
}

static void close_it(int fd)
{
	close(fd);
}

static void take_all_and_close(int fd)
{
	take(fd, 4096);
	close(fd);
}

static void take_some_and_close(int fd)
{
	take(fd, 10);
	close(fd);
}

static void take_all_and_abort(int fd)
{
	struct linger now = { 1, 0 };

	take(fd, 4096);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(fd);
}

static void abort_it(int fd)
{
	struct linger now = { 1, 0 };

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
	close(fd);
}

static void end_it(int fd)
{
	shutdown(fd, SHUT_WR);
}

static const Case cases[] = {
	{ "closed before it came", close_it, NULL, 200, 200, 200 },
	{ "reset before it came", abort_it, NULL, 200, 200, 200 },
	{ "closed upon it, unread", NULL, close_it, 200, 200, 502 },
	{ "closed when it had read a part", NULL, take_some_and_close, 200, 200, 502 },
	{ "closed when it had read all", NULL, take_all_and_close, 200, 200, 502 },
	{ "reset when it had read all", NULL, take_all_and_abort, 200, 200, 502 },
	{ "ended its side, read all, closed", end_it, take_all_and_close, 200, 200, 502 },
};

/* --- the server ----------------------------------------------------------------------------------------------------- */

static void answer(int fd)
{
	Str text = S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

	CHECK_INT(send(fd, text.at, text.len, 0), (intmax_t)text.len);
	scene.answered++;
	scene.resting = fd;
}

static bool is_asked(int fd)
{
	char into[4096];

	return fd >= 0 && recv(fd, into, sizeof into, 0) > 0;
}

/* Answers each request, on the one connection that rests or on a new one. */
static Err *serve(void *arg)
{
	int fresh = -1;

	(void)arg;
	for (;;) {
		if (fresh < 0)
			fresh = accept4(scene.listener, NULL, NULL, SOCK_NONBLOCK);
		if (!scene.now && is_asked(scene.resting))
			answer(scene.resting);
		if (is_asked(fresh))
			answer(fresh), fresh = -1;
		TRY(fiber_sleep(1000));
	}
}

static void act_after(void *arg)
{
	(void)arg;
	scene.now->after(scene.resting);
	scene.resting = -1;
	scene.now = NULL;
}

/* The gateway's handler: the server does its part, then the request is sent, all in one turn. */
static Err *handle(Exchange *x)
{
	const Case *now = scene.now;

	if (now && now->before)
		now->before(scene.resting);
	if (now && now->after) /* runs when this fiber waits for its answer */
		CHECK_OK(fiber_start(act_after, NULL, "after"));
	else if (now) {
		scene.resting = -1;
		scene.now = NULL;
	}
	return proxy_handle(x);
}

/* --- the gateway ---------------------------------------------------------------------------------------------------- */

static void let_go(void *arg)
{
	snapshot_unref(arg);
}

static void open_listener(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	scene.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(bind(scene.listener, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(listen(scene.listener, 10) == 0);
}

static void open_gateway(Arena *errs, const char *keys)
{
	Arena *a = arena_new(0);
	Addr at = { .len = sizeof at.in };
	HttpConf http = {
		.handler = handle, .fail = proxy_fail, .done = proxy_done, .gone = let_go
	};
	ConfHold *hold = conf_hold_new(a);
	HttpServer *server;
	GatewayConf *conf;
	Str text;

	CHECK(getsockname(scene.listener, &at.sa, &at.len) == 0);
	text = str_fmt(
		a,
		"listen: [ 127.0.0.1:0 ]\naccess_log: off\n"
		"upstreams: { o: { servers: [ \"%.*s\" ], keepalive: { idle_time: 1m%s } } }\n"
		"routes: [ { name: all, to: o } ]\n",
		STR_ARG(addr_text(a, &at)), keys);
	CHECK_OK(gateway_conf_read(a, conf_new(a), S("test"), text, &conf));
	CHECK_OK(snapshot_new(a, hold, conf, NULL, &scene.snap));
	conf_hold_unref(hold);
	CHECK_OK(snapshot_begin(scene.snap, NULL));
	http.limits = scene.snap->limits;
	http.arg = snapshot_ref(scene.snap);
	server = http_server_new(&http, NULL);
	CHECK_OK(addr_parse(errs, S("127.0.0.1:0"), &at));
	CHECK_OK(listener_open(errs, &at, &scene.gateway));
	CHECK_OK(http_listen(scene.gateway, server, NULL, &scene.http));
	http_server_unref(server);
}

static void close_gateway(void)
{
	http_listen_close(scene.http);
	listener_close(scene.gateway);
	snapshot_end(scene.snap, NULL);
	snapshot_unref(scene.snap);
	close(scene.listener);
}

static unsigned ask(Str method, Str body)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(10 * US_PER_S);
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	Head head = { .version = HTTP_11,
		      .method = method,
		      .target = S("/x"),
		      .authority = S("a"),
		      .scheme = S("http"),
		      .body = body.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE,
		      .content_length = (int64_t)body.len };
	HttpConn *conn;
	Call call = { 0 };
	Head got;
	Err *err;

	CHECK_OK(stream_connect(&stream, listener_addr(scene.gateway)));
	CHECK_OK(http_conn_new(&stream, &(HttpConnConf){ .head = http_limits_default().head },
	                       &conn));
	call_begin(&call, conn, a);
	err = call_send(&call, &head, body, true);
	err = err ? err : call_receive(&call, &got);
	call_end(&call);
	http_conn_free(conn);
	CHECK_OK(err);
	return got.status;
}

/* --- the cases ------------------------------------------------------------------------------------------------------ */

static unsigned retries(void)
{
	Str labels[] = { S("o"), S("stale") };

	return (unsigned)metric_value(metric_cell(&upstream_metrics(&(size_t){ 0 })[4], labels, 2));
}

static void play(const Case *c, Str method, unsigned want)
{
	unsigned stale = retries();
	bool post = str_eq(method, S("POST"));

	NOTE("%s, %.*s", c->name, STR_ARG(method));
	waits = 0;
	CHECK_INT(ask(S("GET"), (Str){ 0 }), 200); /* a connection rests now */
	scene.answered = 0;
	scene.now = c;
	CHECK_INT(ask(method, str_eq(method, S("GET")) ? (Str){ 0 } : S("body")), want);
	CHECK_INT(scene.answered, want == 200); /* on a new connection */
	CHECK_INT(retries() - stale, want == 200);
	CHECK(waits == 0 || post); /* what may be repeated is sent again at once */
}

static Err *play_all(void *arg)
{
	AUTO(child_end) Child server = { 0 };

	open_listener();
	open_gateway(arg, ", unsafe_idle: 1m");
	CHECK_OK(child_start(&server, serve, NULL, "server"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		play(&cases[i], S("GET"), cases[i].get);
		play(&cases[i], S("PUT"), cases[i].put);
		play(&cases[i], S("POST"), cases[i].post);
	}
	close_gateway();
	return NULL;
}

TEST(every_case_of_the_race_is_told_by_what_the_server_can_have_seen)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, play_all, a));
}

static Err *play_rested(void *arg)
{
	AUTO(child_end) Child server = { 0 };
	int first;

	open_listener();
	open_gateway(arg, ", unsafe_idle: 20ms");
	CHECK_OK(child_start(&server, serve, NULL, "server"));
	CHECK_INT(ask(S("GET"), (Str){ 0 }), 200);
	first = scene.resting;
	CHECK_OK(fiber_sleep(50 * US_PER_MS));
	CHECK_INT(ask(S("POST"), S("body")), 200);
	CHECK(scene.resting != first);
	close_gateway();
	return NULL;
}

TEST(what_may_not_be_sent_twice_takes_no_connection_that_rested)
{
	CHECK_OK(rt_run(&(RtConf){ .loops = 1, .workers = 1 }, play_rested, a));
}
