/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proxy.c"

#include "base/time.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* An origin and a gateway in front of it, both ours, in one process; a play asks the gateway. */
typedef struct Scene {
	const char *conf; /* of the upstream, after its servers */
	HttpHandler *origin_handler;
	HttpHandler *gateway_handler; /* NULL: proxy_handle */
	void (*play)(struct Scene *scene);
	unsigned loops;
	int64_t read_after_us; /* how long clients leave an answer unread */
	Arena *a;
	Listener *origin, *gateway;
	HttpListener *origin_http, *gateway_http;
	Snapshot *snap;
} Scene;

static struct { /* what the origin saw; atomic */
	unsigned requests, now, most;
} origin;

static Err *fail_plainly(Exchange *x, Err *err)
{
	return http_reply(x, (unsigned)err_status(err), S("text/plain"), str_of(err->slug));
}

static void open_port(Scene *scene, const HttpConf *conf, Listener **listener, HttpListener **http)
{
	HttpServer *server = http_server_new(conf, NULL);
	Addr addr;

	CHECK_OK(addr_parse(scene->a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(scene->a, &addr, listener));
	CHECK_OK(http_listen(*listener, server, scene, http));
	http_server_unref(server);
}

static void let_go(void *arg)
{
	snapshot_unref(arg);
}

static void open_gateway(Scene *scene)
{
	Arena *a = arena_new(0);
	Str at = addr_text(scene->a, listener_addr(scene->origin));
	Str text = str_fmt(
		a,
		"listen: [ 127.0.0.1:0 ]\naccess_log: off\n"
		"upstreams: { o: { servers: [ \"%.*s\" ]%s%s } }\nroutes: [ { name: all, to: o } ]\n",
		STR_ARG(at), scene->conf ? ", " : "", scene->conf ? scene->conf : "");
	GatewayConf *conf;
	ConfHold *hold;
	HttpConf http = { .handler = scene->gateway_handler ? scene->gateway_handler : proxy_handle,
		          .fail = proxy_fail,
		          .done = proxy_done,
		          .gone = let_go };

	CHECK_OK(gateway_conf_read(a, conf_new(a), S("test"), text, &conf));
	hold = conf_hold_new(a);
	CHECK_OK(snapshot_new(a, hold, conf, NULL, &scene->snap));
	conf_hold_unref(hold);
	CHECK_OK(snapshot_begin(scene->snap, NULL));
	http.limits = scene->snap->limits;
	http.arg = snapshot_ref(scene->snap);
	open_port(scene, &http, &scene->gateway, &scene->gateway_http);
}

static Err *scene_main(void *arg)
{
	Scene *scene = arg;
	HttpConf conf = { .limits = http_limits_default(),
		          .handler = scene->origin_handler,
		          .fail = fail_plainly };

	open_port(scene, &conf, &scene->origin, &scene->origin_http);
	open_gateway(scene);
	scene->play(scene);
	http_listen_close(scene->gateway_http);
	listener_close(scene->gateway);
	snapshot_end(scene->snap, NULL);
	snapshot_unref(scene->snap);
	http_listen_close(scene->origin_http);
	listener_close(scene->origin);
	return NULL;
}

static void perform(Scene *scene, Arena *a)
{
	RtConf conf = { .loops = scene->loops ? scene->loops : 1, .workers = 1 };

	scene->a = a;
	origin.requests = origin.now = origin.most = 0;
	CHECK_OK(rt_run(&conf, scene_main, scene));
}

/* Status of one request on a connection of its own, body read whole; 0: no answer. */
static unsigned ask(Scene *scene, Str method, Str body, bool chunked)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(deadline_end) Deadline limit = deadline_begin(10 * US_PER_S);
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	Head head = { .version = HTTP_11,
		      .method = method,
		      .target = S("/x"),
		      .authority = S("a"),
		      .scheme = S("http"),
		      .body = HTTP_BODY_NONE,
		      .content_length = -1 };
	HttpConn *conn;
	Call call = { 0 };
	Head answer;
	Str piece = S("x");
	Err *err;

	if (body.len) {
		head.body = chunked ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
		head.content_length = chunked ? -1 : (int64_t)body.len;
	}
	if (stream_connect(&stream, listener_addr(scene->gateway)))
		return 0;
	CHECK_OK(http_conn_new(&stream, &(HttpConnConf){ .head = http_limits_default().head },
	                       &conn));
	call_begin(&call, conn, a);
	err = call_send(&call, &head, chunked ? (Str){ 0 } : body, !chunked);
	for (size_t at = 0; chunked && !err && at < body.len; at += 1000)
		err = call_write(&call, str_sub(body, at, at + 1000));
	if (chunked && !err)
		err = call_finish(&call, NULL);
	err = err ? err : call_receive(&call, &answer);
	if (!err && scene->read_after_us)
		CHECK_OK(fiber_sleep(scene->read_after_us));
	while (!err && piece.len)
		err = call_read(&call, &piece);
	call_end(&call);
	http_conn_free(conn);
	return err ? 0 : answer.status;
}

/* --- origins -------------------------------------------------------------------------------------------------------- */

static Err *swallow(Exchange *x)
{
	Str piece;

	__atomic_add_fetch(&origin.requests, 1, __ATOMIC_RELAXED);
	do
		TRY(http_read(x, &piece));
	while (piece.len);
	return http_reply(x, 200, S("text/plain"), S("swallowed"));
}

static Err *take_a_while(Exchange *x)
{
	unsigned now = __atomic_add_fetch(&origin.now, 1, __ATOMIC_ACQ_REL);
	unsigned most = __atomic_load_n(&origin.most, __ATOMIC_RELAXED);

	while (now > most && !__atomic_compare_exchange_n(&origin.most, &most, now, true,
	                                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	TRY(fiber_sleep(3000));
	__atomic_sub_fetch(&origin.now, 1, __ATOMIC_ACQ_REL);
	return swallow(x);
}

/* More than the sockets on the way hold. */
static Err *pour(Exchange *x)
{
	static const char water[64 << 10];
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };

	TRY(http_begin(x, &head));
	for (int i = 0; i < 80; i++)
		TRY(http_write(x, (Str){ water, sizeof water }));
	return http_end(x, NULL);
}

static Err *never(Exchange *x)
{
	(void)x;
	for (;;)
		TRY(fiber_park());
}

/* --- cancelled anywhere --------------------------------------------------------------------------------------------- */

static unsigned cancel_at; /* 0: not this time */
static bool was_cancelled;

static Err *proxy_cancelled(Exchange *x)
{
	Err *err;

	fiber_cancel_at_park(cancel_at);
	err = proxy_handle(x);
	was_cancelled = fiber_cancelled();
	return err;
}

static unsigned open_to_origin(const Scene *scene)
{
	return upstream_server_stats(scene->snap->targets[0].up, 0).connections;
}

static void cancel_everywhere(Scene *scene)
{
	Str big = { memset(arena_alloc(scene->a, 200000), 'x', 200000), 200000 };
	static const struct {
		Str method;
		size_t body;
		bool chunked;
	} cases[] = { { S("GET"), 0, false },
		      { S("PUT"), 100, false },
		      { S("PUT"), 200000, false },
		      { S("PUT"), 200000, true } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool again = true;

		for (unsigned n = 1; again; n++) {
			NOTE("case %zu, cancelled at park %u", i, n);
			CHECK(n < 2000);
			cancel_at = n;
			was_cancelled = false;
			ask(scene, cases[i].method, str_sub(big, 0, cases[i].body),
			    cases[i].chunked);
			again = was_cancelled;
			cancel_at = 0;
			CHECK_INT(ask(scene, S("GET"), (Str){ 0 }, false), 200);
			CHECK(open_to_origin(scene) <=
			      1); /* no slot is lost: the idle connection, or none */
		}
	}
}

TEST(a_request_cancelled_at_any_park_leaves_nothing_behind)
{
	Scene scene = { .origin_handler = swallow,
		        .gateway_handler = proxy_cancelled,
		        .play = cancel_everywhere,
		        .conf = "max_connections: 1" };

	perform(&scene, a);
}

static void cancel_while_held(Scene *scene)
{
	bool again = true;

	for (unsigned n = 1; again; n++) {
		NOTE("cancelled at park %u", n);
		CHECK(n < 1000);
		cancel_at = n;
		was_cancelled = false;
		scene->read_after_us = 2000;
		ask(scene, S("GET"), (Str){ 0 }, false);
		again = was_cancelled;
		cancel_at = 0;
		CHECK(open_to_origin(scene) <= 1);
	}
	scene->read_after_us = 0;
	CHECK_INT(ask(scene, S("GET"), (Str){ 0 }, false), 200);
	CHECK(open_to_origin(scene) <= 1);
}

TEST(an_answer_that_is_held_can_be_cancelled_at_any_park)
{
	Scene scene = { .origin_handler = pour,
		        .gateway_handler = proxy_cancelled,
		        .play = cancel_while_held,
		        .conf = "max_connections: 1" };

	perform(&scene, a);
}

/* --- limits --------------------------------------------------------------------------------------------------------- */

typedef struct Crowd {
	Scene *scene;
	unsigned count;
	unsigned left;       /* atomic */
	unsigned answers[6]; /* atomic, by class */
} Crowd;

static void crowd_member(void *arg)
{
	Crowd *crowd = arg;
	unsigned status = ask(crowd->scene, S("GET"), (Str){ 0 }, false);

	__atomic_add_fetch(&crowd->answers[status / 100], 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&crowd->left, 1, __ATOMIC_RELEASE);
}

static void crowd_here(void *arg)
{
	Crowd *crowd = arg;

	for (unsigned i = 0; i < crowd->count / rt_loops(); i++)
		CHECK_OK(fiber_start(crowd_member, crowd, "member"));
}

static Crowd crowd_asks(Scene *scene, unsigned count)
{
	Crowd crowd = { .scene = scene, .count = count, .left = count };

	loop_each(crowd_here, &crowd);
	while (__atomic_load_n(&crowd.left, __ATOMIC_ACQUIRE))
		CHECK_OK(fiber_sleep(1000));
	return crowd;
}

static void within_the_limit(Scene *scene)
{
	Crowd crowd = crowd_asks(scene, 200);

	CHECK_INT(crowd.answers[2], 200);
	CHECK(origin.most <= 3);
	CHECK(origin.most >= 2);
	CHECK(open_to_origin(scene) <= 3);
	CHECK_INT(upstream_waiting(scene->snap->targets[0].up), 0);
}

TEST(a_limit_is_exact_over_all_loops_and_who_waits_is_served)
{
	Scene scene = {
		.origin_handler = take_a_while,
		.play = within_the_limit,
		.loops = 2,
		.conf = "max_connections: 3, queue: { length: 1000, timeout: 10s }, timeouts: { head: 10s }"
	};

	perform(&scene, a);
}

static void beyond_the_queue(Scene *scene)
{
	Crowd crowd = crowd_asks(scene, 60);

	CHECK_INT(crowd.answers[2] + crowd.answers[5], 60);
	CHECK(crowd.answers[5] >= 40);
	CHECK(crowd.answers[2] >= 1);
	CHECK_INT(metric_value(metric_cell(&upstream_metrics(&(size_t){ 0 })[3], &S("o"), 1)),
	          crowd.answers[5]);
}

TEST(a_full_queue_refuses_at_once_and_counts)
{
	Scene scene = { .origin_handler = take_a_while,
		        .play = beyond_the_queue,
		        .loops = 2,
		        .conf = "max_connections: 1, queue: { length: 3, timeout: 10s }" };

	perform(&scene, a);
}

static void all_time_out(Scene *scene)
{
	Crowd crowd = crowd_asks(scene, 400);

	CHECK_INT(crowd.answers[5], 400);
	for (int i = 0; i < 1000 && open_to_origin(scene); i++)
		CHECK_OK(fiber_sleep(1000));
	CHECK_INT(open_to_origin(scene), 0);
}

TEST(deadlines_hold_under_load_and_give_every_connection_back)
{
	Scene scene = { .origin_handler = never,
		        .play = all_time_out,
		        .loops = 2,
		        .conf = "timeouts: { head: 30ms }, retry: { attempts: 1 }" };

	perform(&scene, a);
}

/* --- no descriptors left -------------------------------------------------------------------------------------------- */

static void out_of_files(Scene *scene)
{
	struct rlimit before;
	struct rlimit low;
	Crowd crowd;

	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	low = (struct rlimit){ 60, before.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	crowd = crowd_asks(scene, 200);
	CHECK(crowd.answers[2] < 200);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	for (int i = 0; i < 3000 && http_stats().connections; i++)
		CHECK_OK(fiber_sleep(1000));
	crowd = crowd_asks(scene, 100);
	CHECK_INT(crowd.answers[2], 100);
}

TEST(running_out_of_descriptors_is_survived)
{
	Scene scene = { .origin_handler = take_a_while, .play = out_of_files, .loops = 2 };

	perform(&scene, a);
}
