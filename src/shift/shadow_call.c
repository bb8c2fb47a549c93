/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a side off the user's path: one connection, one try, one deadline for all of it.
 *
 * There are no retries, for nobody waits for the answer. A connection that the server had closed while it was idle is no failure of
 * anybody, so then the request is sent once more on a new one. What servers are known by (ejection) is left to users' requests; only
 * the time to an answer is told, as balancing goes by what a server has to do. */
#include "base/arena.h"
#include "rt/loop.h"
#include "shift/shadow_int.h"

enum { INFORMS_MAX = 32 };

static Err bad_answer = ERR_STATIC(UPSTREAM, "http.response",
                                   "the server switched protocols, or only ever informed");

typedef struct Ask {
	ShadowShot *shot;
	const Target *target;
	int64_t connect_us;
	Head head;
	Str body;
	ShadowAnswer *out;
	bool sent, stale;
} Ask;

static void lease_endp(Lease **lease)
{
	lease_end(*lease);
}

static void call_endp(Call **call)
{
	call_end(*call);
}

void shadow_take_head(Arena *a, const Head *head, ShadowAnswer *out)
{
	const Headers *headers = &head->headers;

	out->status = head->status;
	out->fields = ARENA_ARRAY(a, CompareField, headers->count + 1u);
	out->field_count = headers->count;
	for (uint32_t i = 0; i < headers->count; i++)
		out->fields[i] = (CompareField){ str_dup(a, headers->at[i].name),
			                         str_dup(a, headers->at[i].value) };
}

void shadow_take_piece(ShadowAnswer *answer, Str piece, uint64_t limit)
{
	uint64_t room = limit - MIN(limit, (uint64_t)answer->body.len);

	if (answer->cut)
		return;
	answer->cut = piece.len > room;
	buf_put(&answer->body, str_sub(piece, 0, (size_t)MIN((uint64_t)piece.len, room)));
}

/* --- one try -------------------------------------------------------------------------------------------------------- */

Err *shadow_await_head(Call *call, Arena *a, ShadowAnswer *out)
{
	Head head;

	for (unsigned count = 0;; count++) {
		TRY(call_receive(call, &head));
		if (head.status >= 200)
			break;
		if (head.status == 101 || count == INFORMS_MAX)
			return &bad_answer;
	}
	shadow_take_head(a, &head, out);
	return NULL;
}

static Err *receive(Call *call, const Ask *ask)
{
	Str piece;

	TRY(shadow_await_head(call, ask->shot->arena, ask->out));
	do {
		TRY(call_read(call, &piece));
		shadow_take_piece(ask->out, piece, ask->shot->rules->conf->body_bytes);
	} while (piece.len && !ask->out->cut);
	return NULL;
}

static Err *converse(Call *call, const Ask *ask)
{
	TRY(call_send(call, &ask->head, ask->body, true));
	return receive(call, ask);
}

static void observe(const Lease *lease, const Err *err, unsigned status, int64_t begun_us)
{
	bool late = err_is(err, "rt.deadline");

	lease_observe(lease, !err || late ? loop_now_us() - begun_us : -1, err ? 0 : status);
}

static Err *try_once(Ask *ask, bool fresh)
{
	ShadowShot *shot = ask->shot;
	LeaseAsk wish = { .arena = shot->arena,
		          .key = shot->key,
		          .connect_us = ask->connect_us,
		          .fresh = fresh,
		          .now = true };
	Lease lease = { 0 };
	Call call = { 0 };
	AUTO(lease_endp) Lease *lease_scope = &lease;
	AUTO(call_endp) Call *call_scope = &call;
	int64_t begun_us;
	Err *err;

	TRY(lease_take(ask->target->up, &wish, lease_scope));
	if (upstream_conf(ask->target->up)->host_header == HOST_SERVER || !ask->head.authority.len)
		ask->head.authority = lease_authority(&lease);
	begun_us = loop_now_us();
	call_begin(call_scope, lease.conn, shot->arena);
	err = converse(&call, ask);
	ask->sent = call.sent;
	ask->stale = err && err->kind == ERR_CLOSED && lease.reused && !call.answered;
	if (ask->stale)
		lease_stale(&lease);
	else
		observe(&lease, err, ask->out->status, begun_us);
	return err;
}

/* --- asking --------------------------------------------------------------------------------------------------------- */

static void mark(Ask *ask, bool is_new)
{
	Arena *a = ask->shot->arena;
	Str sandbox = ask->shot->rules->conf->sandbox;
	const Headers *from = &ask->shot->head.headers;
	Headers *to = &ask->head.headers;

	*to = (Headers){ 0 };
	for (uint32_t i = 0; i < from->count; i++)
		if (!is_new || !sandbox.len || !str_eq_nocase(from->at[i].name, sandbox))
			headers_add(to, a, from->at[i].name, from->at[i].value);
	headers_add(to, a, S("X-Banyan-Shadow"), S("1"));
	if (sandbox.len && is_new)
		headers_add(to, a, sandbox, S("1"));
}

Err *shadow_ask(ShadowShot *shot, const Target *target, bool is_new, ShadowAnswer *out, bool *sent)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(shot->rules->conf->timeout_us);
	Ask ask = { .shot = shot,
		    .target = target,
		    .connect_us = is_new ? shot->new_connect_us : shot->old_connect_us,
		    .head = shot->head,
		    .body = shot->body,
		    .out = out };
	Err *err;

	*sent = true;
	mark(&ask, is_new);
	if (is_new)
		TRY(shadow_reshape_request(shot, &ask.head, &ask.body));
	err = try_once(&ask, false);
	if (ask.stale)
		err = try_once(&ask, true);
	*sent = ask.sent;
	if (!err && is_new)
		err = shadow_reshape_answer(shot, out);
	return err;
}
