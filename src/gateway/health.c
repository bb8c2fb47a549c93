/* SPDX-License-Identifier: Apache-2.0
 *
 * Active health checks: a fiber a server asks for a page at an interval, on a connection of its own, and counts. `fall`
 * failures in a row take a server out, `rise` answers in a row bring it back. One that only answers too late is slow, not
 * down: it still gets requests when no other server is up (balance.h says why). The first checks of servers are spread
 * over the interval, and a server is up until it has failed. */
#include "gateway/upstream_int.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"

typedef struct Checker {
	Upstream *up; /* counted while it runs */
	Fiber *fiber; /* NULL: not begun, or ended */
	uint16_t server;
	bool stop; /* perhaps before it began */
} Checker;

static const char *const state_names[] = {
	[BALANCE_UP] = "up", [BALANCE_SLOW] = "slow", [BALANCE_DOWN] = "down"
};

static void conn_freep(HttpConn **conn)
{
	http_conn_free(*conn);
}

static Err *ask(Checker *c, Arena *a, uint16_t *status)
{
	const HealthConf *conf = &c->up->conf->health;
	const HttpConnConf http = {
		.head = { .head_bytes = 32 << 10,
		          .line_bytes = 8 << 10,
		          .headers = 200,
		          .underscores = true },
		.h2 = c->up->conf->protocol == UPSTREAM_H2,
	};
	AUTO(deadline_end) Deadline limit = deadline_begin(conf->timeout_us);
	AUTO(stream_close) Stream stream = STREAM_CLOSED;
	AUTO(conn_freep) HttpConn *conn = NULL;
	AUTO(call_end) Call call = { 0 };
	Head request = {
		.version = HTTP_11, .method = S("GET"), .target = conf->path, .content_length = -1
	};
	Head answer = { 0 };

	request.scheme = c->up->tls ? S("https") : S("http");
	request.authority = conf->host.len ? conf->host : c->up->servers[c->server].server->address;
	headers_add(&request.headers, a, S("User-Agent"), S("banyan-health"));
	TRY(server_dial(c->up, a, c->server, NULL, &stream));
	TRY(http_conn_new(&stream, &http, &conn));
	call_begin(&call, conn, a);
	TRY(call_send(&call, &request, (Str){ 0 }, true));
	do
		TRY(call_receive(&call, &answer));
	while (answer.status < 200);
	*status = answer.status;
	return NULL;
}

static void set_state(Checker *c, BalanceState state, const char *why)
{
	Server *server = c->up->servers[c->server].server;

	if (__atomic_load_n(&server->health, __ATOMIC_RELAXED) == state)
		return;
	__atomic_store_n(&server->health, state, __ATOMIC_RELAXED);
	log_warn_with(LOG_FIELDS(log_str("upstream", c->up->conf->name),
	                         log_str("server", server->address)),
	              "server is %s: %s", state_names[state], why);
	if (state == BALANCE_UP)
		server_back(c->up, c->server);
	else
		queue_look_again(c->up->trunk);
}

static void count(Checker *c, const Err *err, uint16_t status, Arena *a)
{
	const HealthConf *conf = &c->up->conf->health;
	Server *server = c->up->servers[c->server].server;
	bool good = !err && status >= conf->status_min && status <= conf->status_max;

	if (!upstream_is_enforced(c->up))
		return; /* a reload is about to end this check, and may have ended all */
	server->good = good ? server->good + 1 : 0;
	server->bad = good ? 0 : server->bad + 1;
	if (good && server->good >= conf->rise)
		set_state(c, BALANCE_UP, "it answers its checks");
	if (good || server->bad < conf->fall)
		return;
	if (err)
		set_state(c, err_is(err, "rt.deadline") ? BALANCE_SLOW : BALANCE_DOWN,
		          str_z(a, err_chain(a, err)));
	else
		set_state(c, BALANCE_DOWN, str_z(a, str_fmt(a, "it answered %u", status)));
}

static Err *check_for_ever(Checker *c)
{
	const HealthConf *conf = &c->up->conf->health;

	TRY(fiber_sleep((int64_t)rand_below((uint64_t)conf->interval_us)));
	for (;;) {
		AUTO(arena_freep) Arena *a = arena_new(0);
		uint16_t status = 0;
		Err *err = ask(c, a, &status);

		if (fiber_cancelled())
			return err;
		count(c, err, status, a);
		TRY(fiber_sleep(conf->interval_us));
	}
}

static void checker_main(void *arg)
{
	Checker *c = arg;
	Upstream *up = c->up;

	c->fiber = fiber_self();
	if (!c->stop) {
		Err *stopped = check_for_ever(c);

		(void)stopped;
	}
	c->fiber = NULL;
	upstream_unref(up);
}

Err *health_start(Upstream *up)
{
	up->checkers = zeroed(up->count, sizeof *up->checkers);
	for (size_t i = 0; i < up->count; i++) {
		Checker *c = &up->checkers[i];
		Err *err;

		*c = (Checker){ .up = upstream_ref(up), .server = (uint16_t)i };
		err = fiber_start(checker_main, c, "health");
		if (err) {
			upstream_unref(up);
			return err;
		}
	}
	return NULL;
}

void health_stop(Upstream *up)
{
	for (size_t i = 0; up->checkers && i < up->count; i++) {
		up->checkers[i].stop = true;
		if (up->checkers[i].fiber)
			fiber_cancel(up->checkers[i].fiber);
	}
}
