/* SPDX-License-Identifier: Apache-2.0
 *
 * A tunnel: what a connection is after both sides agreed to speak something else on it (WebSockets, mostly). Bytes go both
 * ways until both have ended, one has failed, or nothing was said for too long. */
#include "gateway/tunnel.h"

static Err silent =
	ERR_STATIC(CLOSED, "gateway.tunnel_idle", "nothing was said in the tunnel for too long");

/* Rule 9: after so many bytes others get their turn, however fast both sides are. */
enum { TURN_BYTES = 256 << 10 };

static Err *took(size_t *turn, size_t bytes)
{
	*turn += bytes;
	if (*turn < TURN_BYTES)
		return NULL;
	*turn = 0;
	return fiber_yield();
}

typedef struct Pipe {
	Stream *from, *to;
	uint64_t *bytes;
	int64_t *last_us; /* of both directions: when a byte was seen */
	int64_t silence_us;
} Pipe;

static Err *read_or_tire(Pipe *pipe, char *into, size_t cap, size_t *got)
{
	for (;;) {
		AUTO(deadline_end) Deadline limit =
			deadline_begin(*pipe->last_us + pipe->silence_us - loop_now_us());
		Err *err = stream_read(pipe->from, into, cap, got);

		if (!err_is(err, "rt.deadline"))
			return err;
		if (loop_now_us() - *pipe->last_us >= pipe->silence_us)
			return &silent;
	}
}

static Err *pump(void *arg)
{
	Pipe *pipe = arg;
	char bytes[16 << 10];
	size_t turn = 0;
	size_t got;

	do {
		TRY(read_or_tire(pipe, bytes, sizeof bytes, &got));
		*pipe->last_us = loop_now_us();
		*pipe->bytes += got;
		if (got)
			TRY(stream_write(pipe->to, (Str){ bytes, got }));
		TRY(took(&turn, got));
	} while (got);
	return stream_end(pipe->to);
}

/* Both ways until both have ended, or one has failed. */
static Err *pump_both(Pipe *up, Pipe *down)
{
	AUTO(child_end) Child there = { 0 };
	AUTO(child_end) Child back = { 0 };

	TRY(child_start(&there, pump, up, "tunnel"));
	TRY(child_start(&back, pump, down, "tunnel"));
	while (!(there.done && back.done) && !there.result && !back.result)
		TRY(fiber_park());
	return there.result ? there.result : back.result;
}

Err *tunnel_run(Passage *p)
{
	int64_t last_us = loop_now_us();
	Stream *client;
	Str from_client, from_server;
	Stream *server = call_tunnel(&p->call, &from_server);
	Head out = p->answer;
	Pipe up, down;

	passage_answer_headers(p, &out);
	TRY(http_upgrade(p->x, &out, &client, &from_client));
	TRY(stream_write(server, from_client));
	TRY(stream_write(client, from_server));
	up = (Pipe){ client, server, &p->x->bytes_in, &last_us, p->times->tunnel_us };
	down = (Pipe){ server, client, &p->x->bytes_out, &last_us, p->times->tunnel_us };
	return pump_both(&up, &down);
}
