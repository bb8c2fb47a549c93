/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients that are one too many. Told so in clear where that costs nothing (no TLS), they are read for a moment, so that
 * the word is not lost to a reset by what they had sent already. That is done for a few at a time, without a fiber; in a
 * storm the rest is just closed. */
#include "http/server_int.h"

#include "base/arena.h"
#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REFUSALS_MAX = 64, REFUSED_US = 1000 * 1000 };

/* Made like the gateway's own problems. */
static const struct {
	const char *slug, *text;
} reasons[] = {
	[REFUSED_ALL] = { "http.connections", "too many clients are connected" },
	[REFUSED_ADDRESS] = { "http.connections_per_address",
	                      "too many connections come from this address" },
};

Str server_refusal(Refusal why)
{
	static __thread char texts[2][600]; /* always the same: who waits may hold on to it */
	char *bytes = texts[why];
	char body[300];
	int len = snprintf(body, sizeof body,
	                   "{\"type\":\"urn:banyan:problem:%s\",\"title\":\"Service Unavailable\","
	                   "\"status\":503,\"detail\":\"%s\"}",
	                   reasons[why].slug, reasons[why].text);

	len = snprintf(bytes, sizeof texts[why],
	               "HTTP/1.1 503 Service Unavailable\r\n"
	               "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
	               "Retry-After: 1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
	               len, body);
	return (Str){ bytes, (size_t)len };
}

static void refused_free(ServerConn *sc)
{
	sc->home->refusals--;
	list_remove(&sc->node);
	timer_remove(&sc->timer);
	stream_close(&sc->stream);
	free(sc);
}

static void refused_ready(Watch *watch)
{
	ServerConn *sc = CONTAINER(watch, ServerConn, stream.watch);
	char scrap[4096];
	ssize_t got = recv(watch->fd, scrap, sizeof scrap, MSG_DONTWAIT);

	if (got <= 0 || watch->broken)
		refused_free(sc);
	else if ((size_t)got == sizeof scrap)
		timer_set(&sc->timer, 0); /* no request that says so much is waited for */
}

static void refused_expired(Timer *timer)
{
	refused_free(CONTAINER(timer, ServerConn, timer));
}

void server_refuse(Home *home, int fd, Refusal why)
{
	Str answer = server_refusal(why);
	ServerConn *sc;

	HTTP_STAT(refused, 1u);
	if (home->rules->server->tls || home->refusals >= REFUSALS_MAX || home->cut ||
	    send(fd, answer.at, answer.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		close(fd);
		return;
	}
	shutdown(fd, SHUT_WR);
	sc = calloc(1, sizeof *sc);
	if (!sc)
		abort();
	if (stream_open(&sc->stream, fd)) {
		close(fd);
		free(sc);
		return;
	}
	sc->home = home;
	sc->stream.watch.on_ready = refused_ready;
	sc->timer = (Timer)TIMER_INIT(refused_expired);
	timer_set(&sc->timer, loop_now_us() + REFUSED_US);
	list_add(&home->refused, &sc->node);
	home->refusals++;
}

void server_refuse_end(Home *home)
{
	LIST_EACH (&home->refused, ServerConn, node, sc)
		refused_free(sc);
}
