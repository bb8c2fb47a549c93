/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail server for unit tests, in fibers of the same loop: our own server's side of SMTP, which counts mails and keeps none. */
#pragma once
#include "notification/smtp_server.h"
#include "rt/listen.h"
#include "unit.h"

#include <arpa/inet.h>

enum { SINK_CONNS = 16 };

typedef struct Sink {
	Listener *listener;
	uint16_t port;
	int mails;
	bool hang_up_at_mail; /* once, at the sender */
	struct SinkConn {
		struct Sink *sink;
		Stream stream;
		Fiber *fiber; /* NULL: not in use */
		bool over;
	} conns[SINK_CONNS];
	SmtpServerConf conf;
} Sink;

static inline Err *sink_take(void *arg, Arena *a, const SmtpEnvelope *mail, Str *reply)
{
	struct SinkConn *conn = arg;

	(void)a, (void)mail, (void)reply;
	conn->sink->mails++;
	return NULL;
}

static inline const char *sink_may(void *arg, const SmtpEnvelope *sofar, Str recipient)
{
	struct SinkConn *conn = arg;

	(void)sofar, (void)recipient;
	if (conn->sink->hang_up_at_mail) {
		conn->sink->hang_up_at_mail = false;
		fiber_cancel(conn->fiber);
	}
	return NULL;
}

static inline void sink_serve(void *arg)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	struct SinkConn *conn = arg;
	SmtpServerConf conf = conn->sink->conf;
	Err *err;

	conn->fiber = fiber_self();
	conf.arg = conn;
	err = smtp_serve(a, &conn->stream, S("127.0.0.1"), &conf);
	(void)err;
	conn->over = true;
}

static inline void sink_accepted(void *arg, int fd, const Addr *peer)
{
	Sink *sink = arg;

	(void)peer;
	for (size_t i = 0; i < SINK_CONNS; i++) {
		struct SinkConn *conn = &sink->conns[i];

		if (conn->sink)
			continue;
		*conn = (struct SinkConn){ .sink = sink, .stream = STREAM_CLOSED };
		CHECK_OK(stream_open(&conn->stream, fd));
		CHECK_OK(fiber_start(sink_serve, conn, "sink"));
		return;
	}
	unit_fail(__FILE__, __LINE__, "too many connections");
}

static inline void sink_open(Sink *sink, Arena *a)
{
	Addr addr;

	*sink = (Sink){ .conf = { .name = S("sink.test"),
		                  .message_most = 1 << 20,
		                  .recipients_most = 10,
		                  .mails_most = 1000,
		                  .idle_us = INT64_C(60000000),
		                  .data_us = INT64_C(60000000),
		                  .take = sink_take,
		                  .may = sink_may } };
	CHECK_OK(addr_parse(a, S("127.0.0.1:0"), &addr));
	CHECK_OK(listener_open(a, &addr, &sink->listener));
	sink->port = ntohs(listener_addr(sink->listener)->in.sin_port);
	listener_start(sink->listener, sink_accepted, sink);
}

/* Every connection ends. Parks. */
static inline void sink_hang_up(Sink *sink)
{
	for (size_t i = 0; i < SINK_CONNS; i++) {
		struct SinkConn *conn = &sink->conns[i];

		while (conn->sink && !conn->over) {
			if (conn->fiber)
				fiber_cancel(conn->fiber);
			CHECK_OK(fiber_yield());
		}
	}
}

static inline void sink_close(Sink *sink)
{
	listener_close(sink->listener);
	sink_hang_up(sink);
}
