/* SPDX-License-Identifier: Apache-2.0
 *
 * A tunnel: what a connection is after both sides agreed to speak something else on it (WebSockets, mostly). Bytes go both
 * ways until both have ended, one has failed, or nothing was said for too long.
 *
 * When the listener ends, so must its tunnels. A WebSocket's client then gets a close frame ("going away") at the end of a
 * frame, and nothing of the server's after it; what the client still sends goes to the server, and so does its answer, the
 * close frame that ends its side: the server sees a client that leaves in good order. A client that does not answer in time
 * is answered for. For this frames are followed as they pass, whatever is in them. Other protocols have no such word: both
 * sides see the end of the stream. */
#include "gateway/tunnel.h"

#include "base/time.h"
#include "http/ws_track.h"

static Err silent =
	ERR_STATIC(CLOSED, "gateway.tunnel_idle", "nothing was said in the tunnel for too long");

enum {
	TURN_BYTES = 256 << 10,      /* rule 9: after so many others get their turn */
	ANSWER_US = 3 * 1000 * 1000, /* for the client's close frame, and what came before it */
	REST_US = 1000 * 1000,       /* for the server's, after that */
};

typedef struct Tunnel Tunnel;

typedef struct Way {
	Tunnel *tunnel;
	Stream *from, *to;
	uint64_t *bytes;
	WsTrack frames;
	bool writing;
	bool over; /* our own word was the last: what still comes is dropped */
	Child child;
} Way;

struct Tunnel {
	HttpTunnel http;
	Fiber *fiber;
	int64_t last_us; /* when a byte was seen, either way */
	int64_t silence_us;
	bool websocket;
	bool ending; /* was told to */
	Way up, down;
};

/* --- closing -------------------------------------------------------------------------------------------------------- */

/* Puts a close frame into a way, now if that is between two frames; else whoever writes there does it. */
static Err *say_close(Way *way)
{
	char frame[WS_CLOSE_BYTES];
	size_t len;

	if (way->over || way->writing || way->frames.closed || !ws_is_between(&way->frames))
		return NULL;
	way->over = true;
	len = ws_put_close(frame, WS_GOING_AWAY, way == &way->tunnel->up);
	return stream_write(way->to, (Str){ frame, len });
}

static void farewell(HttpTunnel *http)
{
	Tunnel *t = CONTAINER(http, Tunnel, http);

	t->ending = true;
	fiber_wake(t->fiber);
}

static bool is_to_close(const Way *way)
{
	return way->tunnel->ending && way == &way->tunnel->down;
}

/* --- one way -------------------------------------------------------------------------------------------------------- */

static Err *took(size_t *turn, size_t bytes)
{
	*turn += bytes;
	if (*turn < TURN_BYTES)
		return NULL;
	*turn = 0;
	return fiber_yield();
}

static Err *write_all(Way *way, Str bytes)
{
	Err *err;

	AUTO(deadline_end) Deadline limit = deadline_begin(way->tunnel->silence_us);

	way->writing = true;
	err = stream_write(way->to, bytes);
	way->writing = false;
	return err_is(err, "rt.deadline") ? &silent : err;
}

/* Passes bytes on; when the way is to close, up to the next end of a frame, and the close frame behind it. */
static Err *pass(Way *way, Str bytes)
{
	size_t len = bytes.len;

	*way->bytes += len;
	if (way->tunnel->websocket)
		len = ws_follow(&way->frames, bytes, is_to_close(way) && !way->over);
	if (way->over) {
		ws_follow(&way->frames, str_sub(bytes, len, bytes.len), false);
		return NULL;
	}
	TRY(write_all(way, str_sub(bytes, 0, len)));
	if (!is_to_close(way) || !way->tunnel->websocket)
		return NULL;
	TRY(say_close(way));
	ws_follow(&way->frames, str_sub(bytes, len, bytes.len), false);
	return NULL;
}

static Err *read_or_tire(Way *way, char *into, size_t cap, size_t *got)
{
	const Tunnel *t = way->tunnel;

	for (;;) {
		AUTO(deadline_end) Deadline limit =
			deadline_begin(t->last_us + t->silence_us - loop_now_us());
		Err *err = stream_read(way->from, into, cap, got);

		if (!err_is(err, "rt.deadline"))
			return err;
		if (loop_now_us() - t->last_us >= t->silence_us)
			return &silent;
	}
}

static Err *pump(void *arg)
{
	Way *way = arg;
	char bytes[16 << 10];
	size_t turn = 0;
	size_t got;

	do {
		TRY(read_or_tire(way, bytes, sizeof bytes, &got));
		way->tunnel->last_us = loop_now_us();
		if (got)
			TRY(pass(way, (Str){ bytes, got }));
		TRY(took(&turn, got));
	} while (got);
	return stream_end(way->to);
}

/* --- both ----------------------------------------------------------------------------------------------------------- */

static bool is_done(const Tunnel *t)
{
	const Child *up = &t->up.child, *down = &t->down.child;

	return (up->done && down->done) || up->result || down->result;
}

/* Both sides have said their last, so the connections may go. */
static bool is_closed(const Tunnel *t)
{
	return (t->up.frames.closed || t->up.over) && t->down.frames.closed;
}

static Err *await_end(Tunnel *t, int64_t us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(us);

	while (!is_done(t) && !is_closed(t)) {
		Err *err = fiber_park();

		if (err)
			return err_is(err, "rt.deadline") ? NULL : err;
	}
	return NULL;
}

static Err *end_websocket(Tunnel *t)
{
	TRY(say_close(&t->down));
	TRY(await_end(t, ANSWER_US));
	if (is_done(t) || is_closed(t))
		return NULL;
	TRY(say_close(&t->up)); /* in the client's place */
	return await_end(t, REST_US);
}

static Err *end_stream(Tunnel *t)
{
	if (!t->up.child.done)
		TRY(stream_end(t->up.to));
	if (!t->down.child.done)
		TRY(stream_end(t->down.to));
	return await_end(t, ANSWER_US);
}

/* Until both have ended, or one has failed, or it is told to end. */
static Err *run(Tunnel *t)
{
	Err *err = NULL;

	TRY(child_start(&t->up.child, pump, &t->up, "tunnel"));
	TRY(child_start(&t->down.child, pump, &t->down, "tunnel"));
	while (!is_done(t) && !t->ending)
		TRY(fiber_park());
	if (t->ending)
		err = t->websocket ? end_websocket(t) : end_stream(t);
	err = err ? err : t->up.child.result;
	return err ? err : t->down.child.result;
}

static void tunnel_end(Tunnel *t)
{
	http_tunnel_end(&t->http);
	child_end(&t->up.child);
	child_end(&t->down.child);
}

Err *tunnel_run(Passage *p)
{
	AUTO(tunnel_end) Tunnel t = { .http = { .farewell = farewell },
		                      .fiber = fiber_self(),
		                      .last_us = loop_now_us(),
		                      .silence_us = p->times->tunnel_us };
	Stream *client;
	Str from_client, from_server;
	Stream *server = call_tunnel(&p->call, &from_server);
	Head out = p->answer;

	t.websocket = str_eq_nocase(p->x->request.upgrade, S("websocket"));
	passage_answer_headers(p, &out);
	TRY(http_upgrade(p->x, &out, &client, &from_client));
	t.up = (Way){ .tunnel = &t, .from = client, .to = server, .bytes = &p->x->bytes_in };
	t.down = (Way){ .tunnel = &t, .from = server, .to = client, .bytes = &p->x->bytes_out };
	TRY(pass(&t.up, from_client));
	TRY(pass(&t.down, from_server));
	http_tunnel_begin(p->x, &t.http);
	return run(&t);
}
