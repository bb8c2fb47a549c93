/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections from accept to close. An idle one is a ServerConn in a list of its loop: no fiber, no buffer. When bytes
 * arrive the loop calls conn_ready, which starts a fiber; when that fiber has nothing more to say it leaves, and the
 * struct is idle again. A head that arrives in pieces is kept beside the struct, also without a fiber, under the time
 * allowed for a whole head.
 *
 * Rules (limits, handler, certificates) belong to a listener and can be swapped: each request goes by those that were
 * newest when it began. */
#include "http/server_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/h2_server.h"
#include "rt/tls.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	LOOPS_MAX = 256,
	LINGER_US = 2 * 1000 * 1000, /* how long what a client still sends is read and dropped */
	LINGER_BYTES = 1 << 20,      /* and how much */
	HANDSHAKE_US = 10 * 1000 * 1000,
};

struct HttpServer {
	HttpConf conf;
	TlsContext *tls;
	unsigned refs; /* atomic */
};

struct HttpListener {
	Listener *listener;
	HttpServer *next; /* while a swap goes round */
	void *arg;
	unsigned open; /* connections on all loops, atomic */
	Home homes[];  /* one a loop */
};

/* --- counters ------------------------------------------------------------------------------------------------------- */

static struct {
	_Alignas(64) HttpStats stats;
} counters[LOOPS_MAX];

HttpStats *http_stats_here(void)
{
	return &counters[loop_index(loop_self())].stats;
}

#define SUM(field) sum.field += __atomic_load_n(&counters[i].stats.field, __ATOMIC_RELAXED)

HttpStats http_stats(void)
{
	HttpStats sum = { 0 };

	for (unsigned i = 0; i < rt_loops(); i++) {
		for (size_t k = 0; k < COUNT(sum.requests); k++)
			SUM(requests[k]);
		SUM(accepted);
		SUM(refused);
		SUM(handshakes_failed);
		SUM(timeouts);
		SUM(floods);
		SUM(connections);
		SUM(active);
		SUM(tunnels);
	}
	return sum;
}

/* --- rules ---------------------------------------------------------------------------------------------------------- */

HttpLimits http_limits_default(void)
{
	return (HttpLimits){
		.head = { .head_bytes = 32 << 10, .line_bytes = 8 << 10, .headers = 100 },
		.head_us = 10 * US_PER_S,
		.idle_us = 75 * US_PER_S,
		.write_us = 60 * US_PER_S,
		.body_us = 30 * US_PER_S,
		.streams = 128,
		.arena_bytes = 256 << 10,
	};
}

HttpServer *http_server_new(const HttpConf *conf, TlsContext *tls)
{
	HttpServer *server = malloc(sizeof *server);

	if (!server)
		abort();
	*server = (HttpServer){ .conf = *conf, .tls = tls ? tls_ref(tls) : NULL, .refs = 1 };
	return server;
}

static HttpServer *server_ref(HttpServer *server)
{
	__atomic_add_fetch(&server->refs, 1, __ATOMIC_RELAXED);
	return server;
}

void http_server_unref(HttpServer *server)
{
	if (!server || __atomic_sub_fetch(&server->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (server->conf.gone)
		server->conf.gone(server->conf.arg);
	tls_unref(server->tls);
	free(server);
}

const HttpConf *http_server_conf(const HttpServer *server)
{
	return &server->conf;
}

static Rules *rules_new(HttpServer *server)
{
	Rules *rules = malloc(sizeof *rules);

	if (!rules)
		abort();
	*rules = (Rules){ server_ref(server), 1 }; /* the home's own use */
	return rules;
}

static void rules_leave(Rules *rules)
{
	if (!rules || --rules->users)
		return;
	http_server_unref(rules->server);
	free(rules);
}

const HttpConf *server_conn_conf(const ServerConn *sc)
{
	return &sc->rules->server->conf;
}

bool server_conn_draining(const ServerConn *sc)
{
	return sc->home->draining;
}

void *http_listener_arg(const HttpListener *hl)
{
	return hl->arg;
}

/* --- a connection --------------------------------------------------------------------------------------------------- */

static void conn_ready(Watch *watch);
static void conn_expired(Timer *timer);

static void conn_free(ServerConn *sc)
{
	Home *home = sc->home;

	h2_server_free(sc->h2);
	if (sc->partial) {
		h1_fini(&sc->partial->parser);
		free(sc->partial->bytes);
		free(sc->partial);
	}
	rules_leave(sc->rules);
	list_remove(&sc->node);
	timer_remove(&sc->timer);
	stream_close(&sc->stream);
	home->connections--;
	__atomic_sub_fetch(&home->listener->open, 1, __ATOMIC_RELEASE);
	HTTP_STAT(connections, -1u);
	listen_count(-1);
	free(sc);
}

static void conn_rest(ServerConn *sc)
{
	int64_t due_us = loop_now_us() + server_conn_conf(sc)->limits.idle_us;

	sc->fiber = NULL;
	list_remove(&sc->node);
	list_add(&sc->home->idle, &sc->node);
	if (sc->partial)
		due_us = sc->partial->due_us;
	timer_set(&sc->timer, due_us);
	rules_leave(TAKE(sc->rules));
	sc->stream.watch.on_ready = conn_ready;
	HTTP_STAT(active, -1u);
}

/* Reads and drops what the client still sends, so that our last answer is not lost to a reset (RFC 9112 9.6). */
static void conn_linger(ServerConn *sc)
{
	AUTO(shield_end) Shield shield = shield_begin(LINGER_US);
	char scrap[4096];
	size_t got = 1;

	if (stream_end(&sc->stream))
		return;
	for (size_t all = 0; got && all < LINGER_BYTES; all += got)
		if (stream_read(&sc->stream, scrap, sizeof scrap, &got))
			return;
}

static Err *handshake(ServerConn *sc)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(HANDSHAKE_US);

	TRY(stream_tls_accept(&sc->stream, sc->rules->server->tls));
	sc->handshaken = true;
	return NULL;
}

static Ending serve_h2(ServerConn *sc, Str early)
{
	bool idle = false;
	Err *err = h2_serve(sc->h2, early, &idle);

	if (err_is(err, "h2.flood"))
		HTTP_STAT(floods, 1u);
	if (err_is(err, "http.slow_head"))
		HTTP_STAT(timeouts, 1u);
	return err || !idle ? CONN_CLOSE : CONN_IDLE;
}

static Ending converse(ServerConn *sc)
{
	if (!sc->requests && !sc->handshaken && sc->secure != (sc->rules->server->tls != NULL))
		return CONN_CLOSE; /* the port changed between plain and TLS since it was accepted */
	if (sc->secure && !sc->handshaken) {
		if (handshake(sc)) {
			HTTP_STAT(handshakes_failed, 1u);
			return CONN_CLOSE;
		}
		if (str_eq(stream_alpn(&sc->stream), S("h2")))
			return server_conn_h2(sc, (Str){ 0 });
	}
	return sc->h2 ? serve_h2(sc, (Str){ 0 }) : h1_serve(sc);
}

static void conn_fiber(void *arg)
{
	ServerConn *sc = arg;
	Ending ending;

	sc->fiber = fiber_self();
	do
		ending = sc->home->cut ? CONN_CLOSE : converse(sc);
	while (ending == CONN_IDLE && stream_pending(&sc->stream) && !fiber_cancelled());
	if (ending == CONN_IDLE && !fiber_cancelled() && !sc->home->cut &&
	    !(sc->home->draining && !sc->h2 && !sc->partial)) {
		conn_rest(sc);
		return;
	}
	if (ending == CONN_LINGER)
		conn_linger(sc);
	HTTP_STAT(active, -1u);
	conn_free(sc);
}

static void conn_ready(Watch *watch)
{
	ServerConn *sc = CONTAINER(watch, ServerConn, stream.watch);

	sc->stream.watch.on_ready = NULL;
	timer_clear(&sc->timer);
	list_remove(&sc->node);
	list_add(&sc->home->active, &sc->node);
	sc->rules = sc->home->rules;
	sc->rules->users++;
	HTTP_STAT(active, 1u);
	if (fiber_start(conn_fiber, sc, "conversation")) {
		HTTP_STAT(active, -1u);
		conn_free(sc); /* no stack for it: the loop is full or stops */
	}
}

static void conn_expired(Timer *timer)
{
	ServerConn *sc = CONTAINER(timer, ServerConn, timer);

	if (sc->partial || !sc->requests)
		HTTP_STAT(timeouts, 1u);
	if (sc->h2) {
		h2_server_drain(sc->h2); /* a GOAWAY first: the fiber sends it and ends */
		conn_ready(&sc->stream.watch);
		return;
	}
	conn_free(sc);
}

/* One too many: told so in clear if that costs nothing, and closed. */
static void conn_refuse(int fd, bool secure)
{
	static const char answer[] =
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
		"Content-Length: 0\r\n\r\n";

	if (!secure && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
	HTTP_STAT(refused, 1u);
}

static void conn_accept(void *arg, int fd, const Addr *peer)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];
	uint32_t limit = home->rules->server->conf.limits.connections;
	ServerConn *sc;

	if (limit && __atomic_load_n(&hl->open, __ATOMIC_RELAXED) >= limit) {
		conn_refuse(fd, home->rules->server->tls != NULL);
		return;
	}
	sc = calloc(1, sizeof *sc);
	if (!sc)
		abort();
	if (stream_open(&sc->stream, fd)) {
		close(fd);
		free(sc);
		return;
	}
	sc->home = home;
	sc->peer = peer_of(peer);
	sc->secure = home->rules->server->tls != NULL;
	sc->timer = (Timer)TIMER_INIT(conn_expired);
	timer_set(&sc->timer, loop_now_us() + home->rules->server->conf.limits.head_us);
	sc->stream.watch.on_ready = conn_ready;
	list_add(&home->idle, &sc->node);
	home->connections++;
	__atomic_add_fetch(&hl->open, 1, __ATOMIC_RELAXED);
	listen_count(1);
	HTTP_STAT(accepted, 1u);
	HTTP_STAT(connections, 1u);
}

/* --- HTTP/2 --------------------------------------------------------------------------------------------------------- */

static void h2_open(Exchange *x, void *arg)
{
	ServerConn *sc = arg;

	exchange_init(x, sc, x->ops, arena_new(server_conn_conf(sc)->limits.arena_bytes));
	sc->requests++;
}

static void h2_run(Exchange *x, Err *refused, void *arg)
{
	(void)arg;
	if (refused && refused->kind != ERR_CANCELLED)
		HTTP_STAT(requests[2], 1u);
	else
		HTTP_STAT(requests[1], 1u);
	exchange_serve(x, refused);
}

Ending server_conn_h2(ServerConn *sc, Str early)
{
	H2Host host = { &sc->stream, &server_conn_conf(sc)->limits, sc, h2_open, h2_run };

	return h2_server_new(&host, &sc->h2) ? CONN_CLOSE : serve_h2(sc, early);
}

/* --- listeners ------------------------------------------------------------------------------------------------------ */

static void home_init(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->listener = hl;
	list_init(&home->idle);
	list_init(&home->active);
	home->rules = rules_new(hl->next);
}

Err *http_listen(Listener *listener, HttpServer *server, void *arg, HttpListener **out)
{
	HttpListener *hl = calloc(1, sizeof *hl + rt_loops() * sizeof(Home));

	if (!hl)
		abort();
	hl->listener = listener;
	hl->arg = arg;
	hl->next = server;
	loop_each(home_init, hl);
	listener_start(listener, conn_accept, hl);
	*out = hl;
	return NULL;
}

static void home_swap(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	rules_leave(home->rules);
	home->rules = rules_new(hl->next);
}

void http_listen_swap(HttpListener *hl, HttpServer *server)
{
	hl->next = server;
	loop_each(home_swap, hl);
}

static void home_drain(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->draining = true;
	LIST_EACH (&home->active, ServerConn, node, active)
		if (active->h2)
			h2_server_drain(active->h2);
	LIST_EACH (&home->idle, ServerConn, node, sc)
		if (!sc->partial)
			conn_expired(&sc->timer);
}

static void home_cut(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->cut = true;
	LIST_EACH (&home->idle, ServerConn, node, idle)
		conn_free(idle);
	LIST_EACH (&home->active, ServerConn, node, sc)
		if (sc->fiber)
			fiber_cancel(sc->fiber);
}

static unsigned open_connections(const HttpListener *hl)
{
	return __atomic_load_n(&hl->open, __ATOMIC_ACQUIRE);
}

enum { DRAIN_LOOK_US = 20 * 1000 };

unsigned http_listen_drain(HttpListener *hl, int64_t us)
{
	int64_t until_us = loop_now_us() + us;
	Err *stop = NULL;

	listener_shut(hl->listener);
	loop_each(home_drain, hl);
	while (open_connections(hl) && loop_now_us() < until_us && !stop)
		stop = fiber_sleep(DRAIN_LOOK_US);
	return open_connections(hl);
}

void http_listen_close(HttpListener *hl)
{
	AUTO(shield_end) Shield shield = shield_begin(INT64_MAX);

	if (!hl)
		return;
	listener_stop(hl->listener);
	loop_each(home_cut, hl);
	while (open_connections(hl))
		if (fiber_sleep(DRAIN_LOOK_US / 4))
			break;
	for (unsigned i = 0; i < rt_loops(); i++)
		rules_leave(hl->homes[i].rules); /* no connection is left to use them */
	free(hl);
}
