/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts: one server after another, until one has answered.
 *
 * What may be tried again: what never reached a server, always; what reached one that then closed without a byte of
 * answer, only if the method is idempotent; and never once the body was streamed (a held one can be sent anew) or the
 * client got a byte. */
#include "gateway/proxy_int.h"
#include "gateway/tunnel.h"

#include "base/arena.h"

enum { TRIED_MAX = 8 };

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
		TRY(call_finish(&p->call, http_trailers(p->x)));
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

	p->streaming = !p->x->read_all;
	p->upload_err = NULL;
	TRY(blame_server(p, call_send(&p->call, &p->head, p->body, false)));
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
	const RetryConf *conf = &p->route->conf->retry;
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
	p->budgeted = p->attempts < conf->attempts && upstream_retry_begin(p->state->up, conf);
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
		if (upstream_conf(p->state->up)->host_header == HOST_SERVER ||
		    !p->x->request.authority.len) /* HTTP/1.0: it must say something */
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
	return p->answer.status == 101 ? tunnel_run(p) : relay_answer(p);
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

Err *attempts_run(Passage *p)
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
	relay_forget(p);
	return first && err_is(err, "upstream.exhausted")
	               ? first
	               : err; /* there was no other server to try */
}
