/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ends of a TLS connection in one test: each a fiber of this loop, over a socket pair.
 *
 *     in_loops(fn, arg)                            a fiber of loop 0 of 2; the test's own body
 *     TlsPair pair = { .server = ..., .client = ..., .name = S("localhost") };
 *     tls_pair_open(&pair, false); ... tls_pair_close(&pair);     sides may fail: pair.server_err, pair.client_err */
#pragma once

#include "certs.h"
#include "rt/tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct TlsPair {
	TlsContext *server, *client;
	Str name;
	Stream s, c;
	Err *server_err, *client_err;
} TlsPair;

static inline Err *in_loops(RtMain *fn, void *arg)
{
	RtConf conf = { .loops = 2 };

	return rt_run(&conf, fn, arg);
}

/* Both ends of a TCP connection over loopback, or of a Unix one. */
static inline void socket_pair(int fds[2], bool tcp)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	int listening;

	if (!tcp) {
		CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		          0);
		return;
	}
	listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(listening, (struct sockaddr *)&addr, len), 0);
	CHECK_INT(listen(listening, 1), 0);
	CHECK_INT(getsockname(listening, (struct sockaddr *)&addr, &len), 0);
	fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(connect(fds[1], (struct sockaddr *)&addr, len), 0);
	fds[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(fds[0] >= 0);
	CHECK_INT(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	close(listening);
}

static inline Err *tls_pair_accept(void *arg)
{
	TlsPair *pair = arg;

	pair->server_err = stream_tls_accept(&pair->s, pair->server);
	if (pair->server_err)
		shutdown(pair->s.watch.fd, SHUT_WR);
	return NULL;
}

static inline void tls_pair_open(TlsPair *pair, bool tcp)
{
	AUTO(child_end) Child child = { 0 };
	int fds[2];

	socket_pair(fds, tcp);
	CHECK_OK(stream_open(&pair->s, fds[0]));
	CHECK_OK(stream_open(&pair->c, fds[1]));
	CHECK_OK(child_start(&child, tls_pair_accept, pair, "server"));
	pair->client_err = stream_tls_connect(&pair->c, pair->client, pair->name);
	if (pair->client_err)
		shutdown(pair->c.watch.fd, SHUT_WR);
	CHECK_OK(child_join(&child));
}

static inline void tls_pair_close(TlsPair *pair)
{
	stream_close(&pair->s);
	stream_close(&pair->c);
}

/* One message there and one back, so that tickets have come too. */
static inline void tls_pair_talk(TlsPair *pair)
{
	char bytes[16];
	size_t got;

	CHECK_OK(stream_write(&pair->c, S("ping")));
	CHECK_OK(stream_read(&pair->s, bytes, sizeof bytes, &got));
	CHECK_STR(((Str){ bytes, got }), S("ping"));
	CHECK_OK(stream_write(&pair->s, S("pong!")));
	CHECK_OK(stream_read(&pair->c, bytes, sizeof bytes, &got));
	CHECK_STR(((Str){ bytes, got }), S("pong!"));
}
