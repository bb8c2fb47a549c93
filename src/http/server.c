/* SPDX-License-Identifier: Apache-2.0
 *
 * Listeners that serve: the rules (limits, handler, certificates) that connections go by, and their end. Rules can be
 * swapped: each request goes by those that were newest when it began.
 *
 * A drain has a time for each kind. Requests finish. Idle connections of HTTP/1 wait for one more request for a while,
 * since its client may be sending it at this moment: it is answered, with "Connection: close"; who stays silent is closed.
 * HTTP/2 clients are told (GOAWAY) in a way that loses nothing. Tunnels go on longest, and are then asked to end. */
#include "http/server_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/h2_server.h"
#include "rt/tls.h"

#include <stdlib.h>

enum { LOOPS_MAX = 256 };

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
		SUM(headless);
		SUM(handshakes_failed);
		SUM(timeouts);
		SUM(floods);
		SUM(broken);
		SUM(unread);
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

void rules_leave(Rules *rules)
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

/* --- listeners ------------------------------------------------------------------------------------------------------ */

static void home_init(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->listener = hl;
	list_init(&home->idle);
	list_init(&home->active);
	list_init(&home->refused);
	list_init(&home->tunnels);
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
	listener_start(listener, server_conn_accept, hl);
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

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void home_drain(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->draining = true;
	home->idle_until_us = hl->idle_until_us;
	LIST_EACH (&home->active, ServerConn, node, active)
		if (active->h2)
			h2_server_drain(active->h2);
	LIST_EACH (&home->idle, ServerConn, node, sc)
		server_conn_drain(sc);
}

static void home_farewell(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->farewell = true;
	LIST_EACH (&home->tunnels, HttpTunnel, node, tunnel)
		tunnel->farewell(tunnel);
}

/* Ends what runs; tunnels are spared while the drain says so. */
static void home_cut(void *arg)
{
	HttpListener *hl = arg;
	Home *home = &hl->homes[loop_index(loop_self())];

	home->cut = true;
	server_refuse_end(home);
	LIST_EACH (&home->idle, ServerConn, node, idle)
		server_conn_free(idle);
	LIST_EACH (&home->active, ServerConn, node, sc) {
		if (!sc->fiber || (sc->tunnel && hl->spares_tunnels))
			continue;
		__atomic_add_fetch(&hl->lost, 1, __ATOMIC_RELAXED);
		if (sc->h2)
			h2_server_cut(sc->h2);
		fiber_cancel(sc->fiber);
	}
}

static unsigned open_connections(const HttpListener *hl)
{
	return __atomic_load_n(&hl->open, __ATOMIC_ACQUIRE);
}

enum { DRAIN_LOOK_US = 20 * 1000 };

/* Until all have ended, or the times are over, or the fiber is cancelled. */
static void await_end(HttpListener *hl, const HttpDrain *how)
{
	int64_t begun_us = loop_now_us(), spent_us = 0;
	int64_t most_us = MAX(how->requests_us, how->tunnels_us + how->close_us);
	bool cut = false, told = false;

	while (open_connections(hl) && spent_us < most_us) {
		if (!cut && spent_us >= how->requests_us) {
			cut = hl->spares_tunnels = true;
			loop_each(home_cut, hl);
		}
		if (!told && spent_us >= how->tunnels_us) {
			told = true;
			loop_each(home_farewell, hl);
		}
		if (fiber_sleep(DRAIN_LOOK_US))
			break;
		spent_us = loop_now_us() - begun_us;
	}
	hl->spares_tunnels = false;
}

unsigned http_listen_drain(HttpListener *hl, const HttpDrain *how)
{
	hl->lost = 0;
	hl->idle_until_us = loop_now_us() + MIN(how->idle_us, how->requests_us);
	if (how->handed)
		listener_leave(hl->listener);
	else
		listener_shut(hl->listener);
	loop_each(home_drain, hl);
	await_end(hl, how);
	if (open_connections(hl))
		loop_each(home_cut, hl);
	return hl->lost;
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
