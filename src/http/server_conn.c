/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections from accept to close. An idle one is a ServerConn in a list of its loop: no fiber, no buffer. When bytes
 * arrive the loop calls conn_ready, which starts a fiber; when that fiber has nothing more to say it leaves, and the
 * struct is idle again. A head that arrives in pieces is kept beside the struct, also without a fiber, under the time
 * allowed for a whole head.
 *
 * Before all else a connection may have to say who it is (a PROXY header), and then to speak TLS. Who a client is decides
 * whether it is one too many. */
#include "http/server_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/census.h"
#include "http/h2_server.h"
#include "http/proxy_protocol.h"
#include "rt/tls.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	LINGER_US = 2 * 1000 * 1000, /* how long what a client still sends is read and dropped */
	LINGER_BYTES = 1 << 20,      /* and how much */
	HANDSHAKE_US = 10 * 1000 * 1000,
};

static void conn_ready(Watch *watch);
static void conn_expired(Timer *timer);
static bool count_address(ServerConn *sc, const HttpConf *conf);
static void uncount(const ServerConn *sc);

void server_conn_free(ServerConn *sc)
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
	uncount(sc);
	home->connections--;
	__atomic_sub_fetch(&home->listener->open, 1, __ATOMIC_RELEASE);
	HTTP_STAT(connections, -1u);
	listen_count(-1);
	free(sc);
}

static void conn_rest(ServerConn *sc)
{
	const HttpLimits *limits = &server_conn_conf(sc)->limits;
	int64_t due_us =
		loop_now_us() + (sc->requests || sc->h2 ? limits->idle_us : limits->head_us);

	sc->fiber = NULL;
	list_remove(&sc->node);
	list_add(&sc->home->idle, &sc->node);
	if (sc->partial)
		due_us = sc->partial->due_us;
	else if (sc->home->draining)
		due_us = MIN(due_us, sc->home->idle_until_us);
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
	if (err_is(err, "h2.protocol"))
		HTTP_STAT(broken, 1u);
	if (err_is(err, "http.slow_head"))
		HTTP_STAT(timeouts, 1u);
	if (err)
		return CONN_CLOSE;
	return idle ? CONN_IDLE : CONN_LINGER; /* a reset could overtake the last answers */
}

/* The PROXY header; true: its client may stay. */
static bool identify(ServerConn *sc, Ending *ending)
{
	const HttpConf *conf = server_conn_conf(sc);
	AUTO(deadline_end) Deadline limit = deadline_begin(conf->limits.head_us);
	ProxyHeader header;

	*ending = CONN_CLOSE;
	if (proxy_header_read(&sc->stream, &header)) {
		HTTP_STAT(headless, 1u);
		return false;
	}
	sc->headed = false;
	if (!header.told)
		return true;
	sc->peer = header.client;
	if (count_address(sc, conf))
		return true;
	HTTP_STAT(refused, 1u);
	if (!sc->secure && !stream_write(&sc->stream, server_refusal(REFUSED_ADDRESS)))
		*ending = CONN_LINGER;
	return false;
}

static Ending converse(ServerConn *sc)
{
	Ending ending;

	if (sc->headed && !identify(sc, &ending))
		return ending;
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
	if (ending == CONN_IDLE && !fiber_cancelled() && !sc->home->cut) {
		conn_rest(sc);
		return;
	}
	sc->fiber = NULL; /* nothing of it can be cut any more */
	if (ending == CONN_LINGER)
		conn_linger(sc);
	HTTP_STAT(active, -1u);
	server_conn_free(sc);
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
		server_conn_free(sc); /* no stack for it: the loop is full or stops */
	}
}

/* Did bytes arrive that the loop has not told of yet? A request that crosses with our end would be lost. */
static bool has_bytes(ServerConn *sc)
{
	char byte;

	return recv(sc->stream.watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void conn_expired(Timer *timer)
{
	ServerConn *sc = CONTAINER(timer, ServerConn, timer);

	if (!sc->partial && !sc->h2 && has_bytes(sc)) {
		sc->stream.watch.readable = true;
		conn_ready(&sc->stream.watch);
		return;
	}
	if ((sc->partial || !sc->requests) && !sc->home->draining)
		HTTP_STAT(timeouts, 1u);
	if (sc->h2) {
		h2_server_drain(sc->h2); /* a GOAWAY first: the fiber sends it and ends */
		conn_ready(&sc->stream.watch);
		return;
	}
	server_conn_free(sc);
}

void server_conn_drain(ServerConn *sc)
{
	if (sc->partial)
		return; /* it has a time already, and what it is about to say is waited for */
	if (sc->h2)
		conn_expired(&sc->timer);
	else
		timer_set(&sc->timer, MIN(sc->timer.at_us, sc->home->idle_until_us));
}

/* --- from accept on ------------------------------------------------------------------------------------------------- */

static bool is_trusted(const HttpConf *conf, const Peer *peer)
{
	return conf->trusts && conf->trusts(peer, conf->arg);
}

/* One more of its client's address; false: one too many. */
static bool count_address(ServerConn *sc, const HttpConf *conf)
{
	uint32_t limit = conf->limits.connections_per_address;

	if (!limit || conf->uncounted || is_trusted(conf, &sc->peer))
		return true;
	sc->address_counted = census_enter_address(&sc->peer, limit);
	return sc->address_counted;
}

static void uncount(const ServerConn *sc)
{
	if (sc->counted)
		census_leave();
	if (sc->address_counted)
		census_leave_address(&sc->peer);
}

/* A place among all clients, and for its address. */
static bool take_place(ServerConn *sc, const HttpConf *conf, int fd)
{
	sc->counted = !conf->uncounted && census_enter(conf->limits.connections);
	if (!sc->counted && !conf->uncounted) {
		server_refuse(sc->home, fd, REFUSED_ALL);
		return false;
	}
	if (sc->headed && !is_trusted(conf, &sc->peer)) {
		HTTP_STAT(headless, 1u);
		close(fd);
		return false;
	}
	if (!sc->headed && !count_address(sc, conf)) {
		server_refuse(sc->home, fd, REFUSED_ADDRESS);
		return false;
	}
	if (!stream_open(&sc->stream, fd))
		return true;
	close(fd);
	return false;
}

void server_conn_accept(void *arg, int fd, const Addr *peer)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];
	const HttpServer *server = home->rules->server;
	ServerConn *sc = calloc(1, sizeof *sc);

	if (!sc)
		abort();
	sc->home = home;
	sc->peer = peer_of(peer);
	sc->secure = server->tls != NULL;
	sc->headed = server->conf.proxy_protocol;
	if (!take_place(sc, &server->conf, fd)) {
		uncount(sc);
		free(sc);
		return;
	}
	sc->timer = (Timer)TIMER_INIT(conn_expired);
	timer_set(&sc->timer, loop_now_us() + server->conf.limits.head_us);
	sc->stream.watch.on_ready = conn_ready;
	list_add(&home->idle, &sc->node);
	home->connections++;
	__atomic_add_fetch(&hl->open, 1, __ATOMIC_RELAXED);
	listen_count(1);
	HTTP_STAT(accepted, 1u);
	HTTP_STAT(connections, 1u);
}

/* --- HTTP/2 --------------------------------------------------------------------------------------------------------- */

void server_conn_renew(ServerConn *sc)
{
	Rules *before = sc->rules;

	if (before == sc->home->rules)
		return;
	sc->rules = sc->home->rules;
	sc->rules->users++;
	rules_leave(before);
}

static void h2_open(Exchange *x, void *arg)
{
	ServerConn *sc = arg;

	server_conn_renew(sc);
	x->rules = sc->rules;
	x->rules->users++;
	exchange_init(x, sc, x->ops, arena_new(server_conn_conf(sc)->limits.arena_bytes));
	sc->requests++;
}

static void h2_close(Exchange *x, void *arg)
{
	(void)arg;
	rules_leave(x->rules);
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
	H2Host host = { &sc->stream, &server_conn_conf(sc)->limits, sc, h2_open, h2_close, h2_run };

	if (h2_server_new(&host, &sc->h2))
		return CONN_CLOSE;
	if (sc->home->draining)
		h2_server_drain(sc->h2);
	return serve_h2(sc, early);
}
