/* SPDX-License-Identifier: Apache-2.0
 *
 * A kept write, asked of a side: one connection, one deadline for all of it, no retries but on a new connection where the server had
 * closed the one that was idle and got nothing. What servers are known by (ejection) is left to users' requests. It stands in
 * no queue: users are first, and there is time. */
#include "shift/dual_int.h"

#include "base/arena.h"

static Err bad_row = ERR_STATIC(INTERNAL, "writes.row", "what was kept of the request is damaged");

typedef struct Asking {
	const DualSend *ask;
	Head head;
	ShadowAnswer *out;
	bool sent, stale;
} Asking;

static void lease_endp(Lease **lease)
{
	lease_end(*lease);
}

static void call_endp(Call **call)
{
	call_end(*call);
}

static Err *receive(Call *call, const Asking *k)
{
	Str piece;

	TRY(shadow_await_head(call, k->ask->arena, k->out));
	do {
		if (call_read(call, &piece)) /* it has said what counts */
			break;
		shadow_take_piece(k->out, piece, k->ask->body_bytes);
	} while (piece.len && !k->out->cut);
	return NULL;
}

static Err *converse(Call *call, const Asking *k)
{
	TRY(call_send(call, &k->head, k->ask->row->body, true));
	return receive(call, k);
}

static Err *try_once(Asking *k, bool fresh)
{
	const DualSend *ask = k->ask;
	LeaseAsk wish = { .arena = ask->arena,
		          .connect_us = ask->times->connect_us,
		          .fresh = fresh,
		          .unsafe = true,
		          .now = true };
	Lease lease = { 0 };
	Call call = { 0 };
	AUTO(lease_endp) Lease *lease_scope = &lease;
	AUTO(call_endp) Call *call_scope = &call;
	Err *err;

	k->sent = k->stale = false;
	TRY(lease_take(ask->target->up, &wish, lease_scope));
	if (upstream_conf(ask->target->up)->host_header == HOST_SERVER || !k->head.authority.len)
		k->head.authority = lease_authority(&lease);
	call_begin(call_scope, lease.conn, ask->arena);
	err = converse(&call, k);
	k->sent = call.sent;
	if (err && err->kind == ERR_CLOSED && lease.reused && !call.answered)
		k->stale = !call.sent || call_untouched(&call, false);
	if (k->stale)
		lease_stale(&lease);
	return err;
}

static Err *make_head(const DualSend *ask, Head *head)
{
	const WriteRow *row = ask->row;

	*head = (Head){ .version = HTTP_11,
		        .method = row->method,
		        .target = row->path,
		        .authority = row->authority,
		        .scheme = S("http"),
		        .body = row->body.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE,
		        .content_length = (int64_t)row->body.len };
	if (!dual_read_fields(ask->arena, row->fields, &head->headers))
		return &bad_row;
	if (ask->second)
		headers_add(&head->headers, ask->arena, DUAL_MARK, S("second"));
	return NULL;
}

Err *dual_send(const DualSend *ask, ShadowAnswer *out, bool *reached)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(ask->timeout_us);
	Asking k = { .ask = ask, .out = out };
	Err *err;

	*reached = false;
	TRY(make_head(ask, &k.head));
	err = try_once(&k, false);
	if (k.stale)
		err = try_once(&k, true);
	*reached = k.sent && !k.stale;
	return err;
}
