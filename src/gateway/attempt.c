/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts: one server after another, until one has answered.
 *
 * What may be tried again: what certainly never reached a server, always; what reached one that then closed without a byte
 * of answer, only if the method is idempotent; and never once the body was streamed (a held one can be sent anew) or the
 * client got a byte.
 *
 * A connection that was used before may be one that its server has just closed. Then the same server is asked again on a
 * new one, and that is no retry, for nothing failed: docs/decisions/0012. */
#include "gateway/hooks.h"
#include "gateway/proxy_int.h"
#include "gateway/tunnel.h"

#include "base/arena.h"

static Err closed = ERR_STATIC(UPSTREAM, "upstream.closed",
                               "the server closed the connection without an answer");
static Err bad_switch =
	ERR_STATIC(UPSTREAM, "upstream.switching", "the server switched protocols unasked");
static Err too_late = ERR_STATIC(TIMEOUT, "upstream.timeout", "the server did not answer in time");

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
		TRY(call_finish(&p->call, passage_trailers(p)));
	if (!http_is_idempotent(p->head.method))
		http_keep_on(p->x);
	return relay_receive(p, head_us);
}

static Err *answer_child(void *arg)
{
	Passage *p = arg;

	TRY(blame_server(p, relay_receive(p, INT64_MAX / 2)));
	if (p->answer.status == 101)
		return &bad_switch;
	p->answered = true;
	return relay_answer(p);
}

/* A client's time is its own: what it streams counts from its end. */
static int64_t head_time(const Passage *p)
{
	int64_t request_us = p->times->request_us;

	return p->streaming && request_us ? MIN(request_us, p->times->head_us) : p->times->head_us;
}

/* Upload and answer at once: the answer's end ends both, and so does a client that fails to send. */
static Err *converse(Passage *p)
{
	AUTO(child_end) Child answer = { 0 };
	AUTO(child_end) Child body = { 0 };
	AUTO(deadline_end) Deadline limit = { 0 };

	p->upload_err = NULL;
	TRY(blame_server(p, call_send(&p->call, &p->head, p->body, false)));
	p->streaming = !p->x->read_all;
	if (!p->streaming && !http_is_idempotent(p->head.method))
		http_keep_on(p->x);
	TRY(child_start(&answer, answer_child, p, "answer"));
	TRY(child_start(&body, relay_upload, p, "upload"));
	p->uploading = true;
	while (!answer.done) {
		Err *err;

		if (body.done && body.result && !p->upload_err)
			return body.result; /* the client's fault */
		if (body.done && !p->answered && !limit.active)
			limit = deadline_begin(head_time(p));
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
	if (!relay_is_small(p)) {
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
			return p->route->conf->retry.mask & 1u << rows[i].on;
	return false;
}

static RetryCause cause_of(const Passage *p, const Err *err)
{
	if (!err)
		return CAUSE_STATUS;
	if (!p->lease.conn)
		return err_is(err, "upstream.refused") ? CAUSE_REFUSED : CAUSE_CONNECT;
	return err == &too_late ? CAUSE_TIMEOUT : CAUSE_RESET;
}

/* Does retry.on name it? */
static bool is_retried(const Passage *p, const Err *err)
{
	static const RetryOn on[] = { [CAUSE_CONNECT] = RETRY_CONNECT,
		                      [CAUSE_REFUSED] = RETRY_REFUSED,
		                      [CAUSE_RESET] = RETRY_RESET,
		                      [CAUSE_TIMEOUT] = RETRY_TIMEOUT };

	return !err || p->route->conf->retry.mask & 1u << on[cause_of(p, err)];
}

/* May the request be sent once more after err (or after an answer that counts as one)? */
static bool may_try_again(Passage *p, const Err *err, const LeaseAsk *ask)
{
	const RetryConf *conf = &p->route->conf->retry;

	if (p->streaming || p->x->begun ||
	    (err && err->kind != ERR_UPSTREAM && err->kind != ERR_TIMEOUT))
		return false;
	if (p->stale && p->unsent)
		return true;
	if (!is_retried(p, err) ||
	    (!p->unsent && (!http_is_idempotent(p->head.method) || (err && p->call.answered))))
		return false;
	if (p->stale)
		return true;
	if (p->attempts >= conf->attempts || !lease_has_other(&p->lease, ask))
		return false;
	if (p->unsent)
		return true; /* nobody did any work that is now done twice */
	p->budgeted = upstream_retry_begin(p->target->up, conf);
	return p->budgeted;
}

/* --- what servers are known by -------------------------------------------------------------------------------------- */

static bool is_bad_status(unsigned status)
{
	return status == 500 || (status >= 502 && status <= 504);
}

static bool is_about_server(const Err *err)
{
	return (err->kind == ERR_UPSTREAM && !err_is(err, "shift.reshape")) ||
	       str_starts(str_of(err->slug), S("upstream."));
}

/* A time that was too short, because most of it went by in the queue, is not held against the server. */
static bool is_servers_fault(const Passage *p, const Err *err, int64_t took_us)
{
	int64_t limit_us = p->times->request_us ? MIN(p->times->request_us, p->times->head_us)
	                                        : p->times->head_us;

	if (err_is(err, "rt.deadline") || err == &too_late)
		return took_us >= limit_us / 2;
	return is_about_server(err);
}

static void note_failure(Passage *p, const Err *err, int64_t took_us)
{
	if (!is_servers_fault(p, err, took_us)) {
		lease_observe(&p->lease, -1, 0);
		return;
	}
	lease_observe(&p->lease, p->times->head_us, 0);
	lease_bad(&p->lease, err->text);
}

/* The head has come, or err instead. */
static void note_head(Passage *p, const Err *err, int64_t sent_us)
{
	int64_t took_us = (err ? loop_now_us() : p->answered_us) - sent_us;

	p->reused = p->lease.reused;
	p->head_us = took_us;
	if (p->stale)
		lease_stale(&p->lease);
	else if (err)
		note_failure(p, err, took_us);
	else
		lease_observe(&p->lease, took_us, p->answer.status);
	if (!err && is_bad_status(p->answer.status))
		lease_bad(&p->lease, str_fmt(p->x->arena, "it answered %u", p->answer.status));
}

/* The rest of the answer has come, or err. */
static void note_end(const Passage *p, const Err *err)
{
	if (err && is_about_server(err))
		lease_bad(&p->lease, err->text);
	else if (!is_bad_status(p->answer.status))
		lease_good(&p->lease);
}

static void lease_endp(Lease **lease)
{
	lease_end(*lease);
}

static void call_endp(Call **call)
{
	call_end(*call);
}

/* Whom a PROXY header names: the client as it is known, with its port only when nobody stands between. */
static Peer proxied_client(const Passage *p)
{
	Str ip = p->forwarded.client_ip;
	Arena *a = p->x->arena;
	Addr addr;

	if (upstream_conf(p->target->up)->proxy_protocol == PROXY_PROTOCOL_OFF)
		return (Peer){ 0 };
	if (str_eq(ip, p->forwarded.peer_ip))
		return p->x->peer;
	ip = str_fmt(a, str_find_char(ip, ':') < 0 ? "%.*s:0" : "[%.*s]:0", STR_ARG(ip));
	return addr_parse(a, ip, &addr) ? p->x->peer : peer_of(&addr);
}

static LeaseAsk ask_of(const Passage *p)
{
	return (LeaseAsk){
		.arena = p->x->arena,
		.key = p->key,
		.tried = p->tried,
		.tried_count = p->tried_count,
		.connect_us = p->times->connect_us,
		.fresh = p->fresh,
		.unsafe = !http_is_idempotent(p->head.method) || !p->x->read_all,
		.client = proxied_client(p),
	};
}

/* Would it be sent again only if nobody got any of it? */
static bool wants_proof(const Passage *p, const Err *err)
{
	return !p->streaming && (!http_is_idempotent(p->head.method) || !is_retried(p, err));
}

/* Sends the request on its connection and takes the head of the answer; notes what became of it. */
static Err *try_server(Passage *p)
{
	int64_t begun_us = loop_now_us();
	Err *err;

	if (upstream_conf(p->target->up)->host_header == HOST_SERVER ||
	    !p->x->request.authority.len) /* HTTP/1.0: it must say something */
		p->head.authority = lease_authority(&p->lease);
	call_begin(&p->call, p->lease.conn, p->x->arena);
	err = speak(p);
	p->stale = err == &closed && p->lease.reused && !p->call.answered;
	p->unsent = !p->call.sent ||
	            (p->stale && wants_proof(p, err) && call_untouched(&p->call, false));
	p->reached = p->reached || !p->unsent;
	if (err == &closed && !p->unsent && !(p->stale && call_untouched(&p->call, true)))
		lease_broke(&p->lease);
	note_head(p, p->answered ? NULL : err, begun_us);
	if (p->x->begun)
		note_end(p, err);
	return err;
}

static Err *pass_on(Passage *p)
{
	Err *err;

	deadline_end(&p->limit); /* it was for the head */
	if (p->answer.status == 101) {
		note_end(p, NULL);
		return tunnel_run(p);
	}
	err = relay_answer(p);
	note_end(p, err);
	return err;
}

/* One server, one try. *again: the next may do better. */
static Err *attempt(Passage *p, bool *again)
{
	LeaseAsk ask = ask_of(p);
	AUTO(lease_endp) Lease *lease = &p->lease; /* ends after the call */
	AUTO(call_endp) Call *call = &p->call;
	int64_t begun_us = loop_now_us();
	Err *err;

	*again = p->stale = false;
	p->unsent = true;
	*call = (Call){ 0 };
	p->attempts++;
	err = lease_take(p->target->up, &ask, lease);
	p->connect_us = loop_now_us() - begun_us;
	if (lease->named)
		p->server = lease_server(lease);
	if (!err)
		err = try_server(p);
	if ((err && !p->answered) || (!err && p->answered && !p->x->begun && status_is_retried(p)))
		*again = may_try_again(p, err, &ask);
	return *again || err || p->x->begun ? err : pass_on(p);
}

static void prepare_retry(Passage *p, const Err *err)
{
	upstream_count_retry(p->target->up, p->stale ? CAUSE_STALE : cause_of(p, err));
	p->answered = false;
	p->doubted = p->reached;
	p->fresh = p->stale;
	if (p->stale)
		p->attempts--; /* the same server, on a new connection */
	else if (p->tried_count < GATEWAY_TRIES)
		p->tried[p->tried_count++] = p->lease.server;
}

/* Has the other side a try, since nobody did any work on this one? */
static bool is_rescued(Passage *p, const Err *err)
{
	if (!err || !p->shift || !p->unsent || p->streaming || p->x->begun ||
	    !is_about_server(err) || !gateway_hooks()->rescue(p, err))
		return false;
	p->tried_count = 0;
	p->answered = p->fresh = p->stale = false;
	return true;
}

Err *attempts_run(Passage *p)
{
	Err *first = NULL;
	Err *err;
	bool again;

	for (;;) {
		bool budgeted = p->budgeted;
		Upstream *up = p->target->up;

		p->budgeted = false;
		err = attempt(p, &again);
		if (budgeted)
			upstream_retry_end(up);
		if (!again && is_rescued(p, err)) {
			first = NULL;
			continue;
		}
		if (!again)
			break;
		first = err ? err : first;
		prepare_retry(p, err);
	}
	relay_forget(p);
	return first && err_is(err, "upstream.exhausted")
	               ? first
	               : err; /* there was no other server to try */
}
