/* SPDX-License-Identifier: Apache-2.0
 *
 * One request through the gateway, top to bottom: canonical path, route, head for the upstream, body, attempts, answer.
 *
 * A body that is small is read whole before a server is chosen: a slow client then never holds one of a monolith's
 * workers, and the request can be tried again. A larger one, or one of unknown length, is streamed by a fiber of its own
 * while another waits for the answer, so that an upstream may answer early and both may talk at once (gRPC).
 *
 * What may be tried again: what never reached a server, always; what reached one that then closed without a byte of
 * answer, only if the method is idempotent; and never once the body was streamed or the client got a byte. */
#include "gateway/proxy.h"

#include "base/arena.h"
#include "base/time.h"
#include "gateway/passage.h"
#include "http/cookie.h"

enum { GATHER_BYTES = 64 << 10, TRIED_MAX = 8 };

static Err no_route = ERR_STATIC(NOT_FOUND, "gateway.no_route", "no route takes this address");
static Err no_connect = ERR_STATIC(METHOD, "gateway.connect", "this gateway is no forward proxy");
static Err closed = ERR_STATIC(UPSTREAM, "upstream.closed",
                               "the server closed the connection without an answer");
static Err bad_switch =
	ERR_STATIC(UPSTREAM, "upstream.switching", "the server switched protocols unasked");
static Err cut_short = ERR_STATIC(UPSTREAM, "upstream.truncated",
                                  "the server closed the connection inside its answer");
static Err too_late = ERR_STATIC(TIMEOUT, "upstream.timeout", "the server did not answer in time");
static Err silent =
	ERR_STATIC(CLOSED, "gateway.tunnel_idle", "nothing was said in the tunnel for too long");
static Err stalled =
	ERR_STATIC(TIMEOUT, "upstream.stalled", "the server stopped in the middle of its answer");

/* --- where it goes -------------------------------------------------------------------------------------------------- */

static Err *miss_error(Passage *p, const RouteMiss *miss)
{
	if (!miss->method)
		return &no_route;
	p->allow = str_dup(p->x->arena, str_of(miss->allow));
	return err_new(p->x->arena, ERR_METHOD, "gateway.method", "this address takes %s only",
	               miss->allow);
}

static Err *find_route(Passage *p)
{
	Head *request = &p->x->request;
	RouteMiss miss;
	uint16_t port;

	if (str_eq(request->method, S("CONNECT"))) {
		http_close_after(p->x); /* what follows may be meant for a tunnel */
		return &no_connect;
	}
	TRY(url_canonical(p->x->arena, request->target, &p->snap->paths, &p->url));
	if (request->authority.len)
		TRY(url_authority(p->x->arena, request->authority, &p->host, &port));
	p->route = route_find(p->snap->routes, p->host, p->url.path, request->method, &miss);
	if (!p->route)
		return miss_error(p, &miss);
	p->state = &p->snap->states[p->route->index];
	p->times = &p->route->conf->timeouts;
	return NULL;
}

/* What goes upstream is what was routed by: as it came when that is canonical already, else the canonical form. */
static Str upstream_target(const Passage *p)
{
	Str prefix = p->route->conf->strip_prefix;
	Str target = p->x->request.target;
	Str rest;

	if (!p->url.same)
		target = p->url.query.at ? str_fmt(p->x->arena, "%.*s?%.*s", STR_ARG(p->url.path),
		                                   STR_ARG(p->url.query))
		                         : p->url.path;
	if (!prefix.len || !str_starts(target, prefix))
		return target;
	rest = str_sub(target, prefix.len, target.len);
	if (rest.len && rest.at[0] == '/')
		return rest;
	return str_fmt(p->x->arena, "/%.*s", STR_ARG(rest));
}

static uint64_t hash_key(const Passage *p)
{
	const UpstreamConf *conf = upstream_conf(p->state->up);

	Str key = { 0 };

	if (conf->balance != BALANCE_HASH)
		return 0;
	if (conf->hash_kind == HASH_ON_HEADER)
		key = headers_get_name(&p->x->request.headers, conf->hash_name);
	else if (conf->hash_kind == HASH_ON_COOKIE)
		key = http_cookie(&p->x->request.headers, conf->hash_name);
	return balance_hash(key.len ? key : p->forwarded.client_ip);
}

/* --- the request's body --------------------------------------------------------------------------------------------- */

static void free_body(void *arg)
{
	buf_fini(arg);
}

static Err *gather_body(Passage *p)
{
	Exchange *x = p->x;
	bool small =
		x->request.body == HTTP_BODY_LENGTH && x->request.content_length <= GATHER_BYTES;
	Str piece;

	while (!x->read_all && p->gathered.len < GATHER_BYTES && (small || http_more(x))) {
		TRY(http_read(x, &piece));
		if (x->read_all && !p->gathered.len) {
			p->body = piece; /* nothing more is read into its buffer */
			break;
		}
		if (!p->gathered.cap)
			arena_defer(x->arena, free_body, &p->gathered);
		buf_put(&p->gathered, piece);
		p->body = buf_str(&p->gathered);
	}
	return NULL;
}

static void frame_body(Passage *p)
{
	const Head *request = &p->x->request;

	p->head.content_length = request->content_length;
	if (request->body == HTTP_BODY_NONE)
		p->head.body = HTTP_BODY_NONE;
	else if (p->x->read_all) {
		p->head.body = HTTP_BODY_LENGTH;
		p->head.content_length = (int64_t)p->body.len;
		if (http_trailers(p->x)->count) /* they go on only with chunks */
			p->head.body = HTTP_BODY_CHUNKED;
	} else
		p->head.body = request->body;
}

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

/* The upload's own fiber. */
static Err *upload(void *arg)
{
	Passage *p = arg;
	size_t turn = 0;
	Str piece;

	for (;;) {
		AUTO(deadline_end) Deadline idle = { 0 };

		TRY(http_read(p->x, &piece));
		if (!piece.len)
			break;
		idle = deadline_begin(p->times->idle_us);
		p->upload_err = call_write(&p->call, piece);
		TRY(p->upload_err);
		TRY(took(&turn, piece.len));
	}
	p->upload_err = call_finish(&p->call, http_trailers(p->x));
	return p->upload_err;
}

/* --- the answer ----------------------------------------------------------------------------------------------------- */

static Err *receive(Passage *p, int64_t head_us)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(head_us);

	for (;;) {
		TRY(call_receive(&p->call, &p->answer));
		if (p->answer.status >= 200 || p->answer.status == 101)
			return NULL;
		if (p->answer.status != 100)
			TRY(http_inform(p->x, &p->answer));
	}
}

static Err *read_piece(Passage *p, Str *piece)
{
	AUTO(deadline_end) Deadline idle = deadline_begin(p->times->idle_us);
	Err *err = call_read(&p->call, piece);

	if (err_is(err, "rt.deadline"))
		return &stalled;
	return err && err->kind == ERR_CLOSED ? &cut_short : err;
}

static Err *relay(Passage *p)
{
	Exchange *x = p->x;
	Head out = p->answer;
	size_t turn = 0;
	Str piece;

	passage_answer_headers(p, &out);
	TRY(http_begin(x, &out));
	while (!x->ended) {
		if (!call_more(&p->call))
			TRY(http_flush(x));
		TRY(read_piece(p, &piece));
		if (!piece.len)
			return http_end(x, call_trailers(&p->call));
		TRY(http_write(x, piece));
		TRY(took(&turn, piece.len));
	}
	return NULL;
}

/* --- tunnels -------------------------------------------------------------------------------------------------------- */

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

static Err *tunnel(Passage *p)
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

/* --- attempts ------------------------------------------------------------------------------------------------------- */

/* What went wrong between us and the server, in the gateway's words. */
static Err *blame_server(Passage *p, Err *err)
{
	if (!err || err->kind == ERR_CANCELLED)
		return err;
	if (err_is(err, "rt.deadline"))
		return &too_late;
	if (err->kind == ERR_CLOSED)
		return &closed;
	return err_because(p->x->arena, err, ERR_UPSTREAM, "upstream.broken",
	                   "the server's answer could not be used");
}

static Err *send_whole(Passage *p)
{
	int64_t head_us = p->times->head_us;
	bool chunked = p->head.body == HTTP_BODY_CHUNKED;

	TRY(call_send(&p->call, &p->head, p->body, !chunked));
	if (chunked)
		TRY(call_finish(&p->call, http_trailers(p->x)));
	if (!http_is_idempotent(p->head.method))
		http_keep_on(p->x);
	return receive(p, head_us);
}

static Err *answer_child(void *arg)
{
	Passage *p = arg;

	TRY(blame_server(p, receive(p, INT64_MAX / 2)));
	if (p->answer.status == 101)
		return &bad_switch;
	p->answered = true;
	return relay(p);
}

/* Upload and answer at once: the answer's end ends both, and so does a client that fails to send. */
static Err *converse(Passage *p)
{
	AUTO(child_end) Child answer = { 0 };
	AUTO(child_end) Child body = { 0 };
	AUTO(deadline_end) Deadline limit = { 0 };

	p->streaming = true;
	TRY(blame_server(p, call_send(&p->call, &p->head, p->body, false)));
	TRY(child_start(&answer, answer_child, p, "answer"));
	TRY(child_start(&body, upload, p, "upload"));
	while (!answer.done) {
		Err *err;

		if (body.done && body.result && !p->upload_err)
			return body.result; /* the client's fault */
		if (body.done && !p->answered && !limit.active)
			limit = deadline_begin(p->times->head_us);
		err = fiber_park();
		if (!p->answered || !err_is(err, "rt.deadline"))
			TRY(blame_server(p, err));
		else { /* the answer began in time: from now on only silence is limited */
			deadline_end(&limit);
			deadline_end(&p->limit);
		}
	}
	return answer.result;
}

static Err *speak(Passage *p)
{
	if (!p->x->read_all) {
		p->head.upgrade =
			(Str){ 0 }; /* RFC 9110 7.8: what follows is a body, and stays HTTP */
		return converse(p);
	}
	TRY(blame_server(p, send_whole(p)));
	p->answered = true;
	return NULL;
}

static bool status_is_retried(const Passage *p)
{
	static const struct {
		uint16_t status;
		RetryOn on;
	} rows[] = { { 502, RETRY_502 }, { 503, RETRY_503 }, { 504, RETRY_504 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].status == p->answer.status)
			return upstream_conf(p->state->up)->retry.mask & 1u << rows[i].on;
	return false;
}

static RetryOn reason_of(const Err *err)
{
	if (err == &closed)
		return RETRY_RESET;
	if (err == &too_late)
		return RETRY_TIMEOUT;
	return err_is(err, "upstream.refused") ? RETRY_REFUSED : RETRY_CONNECT;
}

/* May the request be sent once more after err (or after an answer that counts as one)? */
static bool may_try_again(Passage *p, const Err *err)
{
	const RetryConf *conf = &upstream_conf(p->state->up)->retry;
	bool unsent = !p->call.sent;

	if (p->streaming || p->x->begun ||
	    (err && err->kind != ERR_UPSTREAM && err->kind != ERR_TIMEOUT))
		return false;
	if (err && !(conf->mask & 1u << reason_of(err)))
		return false;
	if (!unsent && (!http_is_idempotent(p->head.method) || (err && p->call.answered)))
		return false;
	if (p->lease.reused && err == &closed && !p->fresh)
		return true; /* the server closed it while it was idle: no attempt was spent */
	if (p->tried_count + 1 >= upstream_servers(p->state->up))
		return false; /* there is no other server */
	p->budgeted = p->attempts < conf->attempts && upstream_retry_begin(p->state->up);
	return p->budgeted;
}

static void note_attempt(Passage *p, const Err *err, int64_t sent_us)
{
	int64_t took_us = loop_now_us() - sent_us;

	p->server = lease_server(&p->lease);
	p->reused = p->lease.reused;
	p->head_us = took_us;
	lease_observe(&p->lease, took_us, err ? 0 : p->answer.status);
}

static void lease_endp(Lease **lease)
{
	lease_end(*lease);
}

static void call_endp(Call **call)
{
	call_end(*call);
}

static void limit_end(Passage **p)
{
	deadline_end(&(*p)->limit);
}

/* One server, one try. *again: the next may do better. */
static Err *attempt(Passage *p, bool *again)
{
	LeaseAsk ask = { p->x->arena,          p->key,  p->tried, p->tried_count,
		         p->times->connect_us, p->fresh };
	AUTO(lease_endp) Lease *lease = &p->lease; /* ends after the call */
	AUTO(call_endp) Call *call = &p->call;
	int64_t begun_us = loop_now_us();
	Err *err;

	*again = false;
	p->call = (Call){ 0 };
	p->attempts++;
	err = lease_take(p->state->up, &ask, lease);
	p->connect_us = loop_now_us() - begun_us;
	if (!err) {
		begun_us = loop_now_us();
		if (upstream_conf(p->state->up)->host_header == HOST_SERVER)
			p->head.authority = lease_authority(lease);
		call_begin(call, lease->conn, p->x->arena);
		err = speak(p);
		note_attempt(p, p->answered ? NULL : err, begun_us);
	}
	if ((err && !p->answered) || (!err && p->answered && !p->x->begun && status_is_retried(p)))
		*again = may_try_again(p, err);
	if (*again || err || p->x->begun)
		return err;
	deadline_end(&p->limit); /* it was for the head */
	return p->answer.status == 101 ? tunnel(p) : relay(p);
}

static void prepare_retry(Passage *p, const Err *err)
{
	bool stale = p->lease.reused && err == &closed && !p->fresh;

	p->answered = false;
	p->fresh = stale;
	if (stale)
		p->attempts--; /* the same server, on a new connection */
	else if (p->tried_count < TRIED_MAX)
		p->tried[p->tried_count++] = p->lease.server;
}

static Err *attempts(Passage *p)
{
	Err *first = NULL;
	Err *err;
	bool again;

	for (;;) {
		bool budgeted = p->budgeted;

		p->budgeted = false;
		err = attempt(p, &again);
		if (budgeted)
			upstream_retry_end(p->state->up);
		if (!again)
			break;
		first = err ? err : first;
		prepare_retry(p, err);
	}
	return first && err_is(err, "upstream.exhausted")
	               ? first
	               : err; /* there was no other server to try */
}

static Err *pass(Passage *p)
{
	AUTO(limit_end) Passage *limited = p;
	Err *err;

	if (p->times->request_us)
		p->limit = deadline_begin(p->times->request_us);
	TRY(gather_body(p));
	frame_body(p);
	err = attempts(p);
	return err_is(err, "rt.deadline") ? &too_late : err;
}

Err *proxy_handle(Exchange *x)
{
	Passage *p = passage_begin(x);

	TRY(find_route(p));
	TRY(http_limit_body(x, p->route->conf->body_bytes));
	p->head.target = upstream_target(p);
	TRY(passage_request_headers(p));
	p->key = hash_key(p);
	return pass(p);
}
