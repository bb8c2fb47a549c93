/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints and deliveries in the service's own database. A delivery is a row and a job, both written in the transaction of what is told:
 * nothing that was committed goes untold, nothing that was rolled back is told. The body is kept with it, so that what is told again
 * months later is what was told the first time. */
#include "auth/signing.h"
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "service/hook_int.h"
#include "service_hook_sql.h"

enum { ERROR_BYTES = 500, REPLAY_MOST = 1000, MEND_MOST = 100 };

static OptInt opt_time(int64_t us)
{
	return us ? opt_int(us) : (OptInt){ 0 };
}

static HookRow row_of(const Hook *hook)
{
	return (HookRow){ .id = hook->id,
		          .url = hook->url,
		          .types = hook->types,
		          .description = hook->description,
		          .status = hook->enabled ? S("enabled") : S("disabled"),
		          .reason = hook->reason,
		          .metadata = hook->metadata.len ? hook->metadata : S("{}"),
		          .api_version = hook->api_version,
		          .secret = hook->secret,
		          .old_secret = hook->old_secret,
		          .old_until = opt_time(hook->old_until_us),
		          .failing_since = opt_time(hook->failing_since_us),
		          .created_at = hook->created_us,
		          .updated_at = hook->updated_us };
}

static Hook hook_of(const HookRow *row)
{
	return (Hook){ .id = row->id,
		       .url = row->url,
		       .types = row->types,
		       .description = row->description,
		       .enabled = str_eq(row->status, S("enabled")),
		       .reason = row->reason,
		       .metadata = row->metadata,
		       .api_version = row->api_version,
		       .secret = row->secret,
		       .old_secret = row->old_secret,
		       .old_until_us = row->old_until.v,
		       .failing_since_us = row->failing_since.v,
		       .created_us = row->created_at,
		       .updated_us = row->updated_at };
}

static Hook *hooks_of(Arena *a, const HookRow *rows, size_t count)
{
	Hook *hooks = ARENA_ARRAY(a, Hook, count + 1);

	for (size_t i = 0; i < count; i++)
		hooks[i] = hook_of(&rows[i]);
	return hooks;
}

/* --- endpoints ------------------------------------------------------------------------------------------------------------ */

Err *hook_add(Db *tx, Arena *a, bool development, Hook *hook)
{
	HooksCountRow *row;
	HookRow fresh;

	TRY(hook_check(a, hook, development));
	TRY(db_one(tx, a, hooks_count, &row));
	if (row->count >= HOOKS_MOST)
		return err_new(a, ERR_CONFLICT, "webhook.many", "there are %d endpoints already",
		               HOOKS_MOST);
	hook->id = uuid_new();
	hook->created_us = hook->updated_us = time_utc_us();
	if (!hook->secret.len)
		hook->secret = signing_secret_new(a);
	fresh = row_of(hook);
	return db_exec_with(tx, a, hook_insert, &fresh, NULL);
}

Err *hook_change(Db *tx, Arena *a, bool development, Hook *hook)
{
	HookRow row;

	TRY(hook_check(a, hook, development));
	hook->updated_us = time_utc_us();
	if (hook->enabled) {
		hook->reason = S("");
		hook->failing_since_us = 0;
	}
	row = row_of(hook);
	return db_exec_with(tx, a, hook_update, &row, NULL);
}

Err *hook_load(Db *db, Arena *a, Uuid id, Hook **out)
{
	HookRow *row;

	*out = NULL;
	TRY(db_one(db, a, hook_by_id, &row, .id = id));
	if (row)
		*out = hooks_of(a, row, 1);
	return NULL;
}

Err *hook_remove(Db *tx, Arena *a, Uuid id, bool *removed)
{
	int64_t changed;

	TRY(db_exec(tx, a, hook_delete, &changed, .id = id));
	*removed = changed > 0;
	return NULL;
}

Err *hook_page(Db *db, Arena *a, Uuid after, Uuid before, bool backwards, size_t most, Hook **out,
               size_t *count)
{
	HookRow *rows;

	if (backwards)
		TRY(db_all(db, a, hooks_page_back, &rows, count, .after = after, .before = before,
		           .most = (int64_t)most));
	else
		TRY(db_all(db, a, hooks_page, &rows, count, .after = after, .before = before,
		           .most = (int64_t)most));
	*out = hooks_of(a, rows, *count);
	return NULL;
}

Err *hook_rotate(Db *tx, Arena *a, Uuid id, int64_t keep_us, Hook **out)
{
	HookRow row;

	TRY(hook_load(tx, a, id, out));
	if (!*out)
		return NULL;
	(*out)->old_secret = (*out)->secret;
	(*out)->updated_us = time_utc_us();
	(*out)->old_until_us = (*out)->updated_us + keep_us;
	(*out)->secret = signing_secret_new(a);
	row = row_of(*out);
	return db_exec_with(tx, a, hook_update, &row, NULL);
}

/* --- telling -------------------------------------------------------------------------------------------------------------- */

static Err *put_job(Db *tx, Arena *a, Uuid delivery, Str traceparent)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	JobDraft draft = { .kind = S(HOOK_JOB),
		           .attempts = HOOK_TRIES,
		           .traceparent = traceparent };

	json_begin_object(&w);
	json_put_str(&w, "delivery", uuid_text(a, delivery));
	json_end(&w);
	draft.data = str_dup(a, buf_str(&b));
	draft.unique_key = uuid_text(a, delivery);
	return job_put(tx, a, &draft, NULL, NULL);
}

static Err *put_delivery(Db *tx, Arena *a, const Hook *hook, const HookEvent *event, Str body)
{
	HookDeliveryRow row = { .id = uuid_new(),
		                .endpoint_id = hook->id,
		                .event_id = event->id,
		                .type = event->type,
		                .body = body,
		                .state = S("waiting"),
		                .created_at = time_utc_us() };
	int64_t added;

	TRY(db_exec_with(tx, a, hook_delivery_add, &row, &added));
	return added ? put_job(tx, a, row.id, event->traceparent) : NULL;
}

Err *hook_tell(Db *tx, Arena *a, const HookEvent *event)
{
	HookRow *rows;
	size_t count;
	Str body = { 0 };

	TRY(db_all(tx, a, hooks_enabled, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		Hook hook = hook_of(&rows[i]);

		if (!hook_wants(a, &hook, event->type))
			continue;
		if (!body.len)
			TRY(event->body(tx, a, event->arg, &body));
		TRY(put_delivery(tx, a, &hook, event, body));
	}
	return NULL;
}

/* --- a try ---------------------------------------------------------------------------------------------------------------- */

static HookDelivery delivery_of(const HookDeliveryRow *row)
{
	return (HookDelivery){ .id = row->id,
		               .endpoint = row->endpoint_id,
		               .event = row->event_id,
		               .type = row->type,
		               .state = row->state,
		               .error = row->error,
		               .tries = row->tries,
		               .status = row->status,
		               .created_us = row->created_at,
		               .tried_us = row->tried_at.v,
		               .ended_us = row->ended_at.v };
}

Err *hook_task(Db *db, Arena *a, Uuid delivery, HookTask **out)
{
	HookDeliveryRow *row;

	*out = NULL;
	TRY(db_one(db, a, hook_delivery_by_id, &row, .id = delivery));
	if (!row)
		return NULL;
	*out = ARENA_NEW(a, HookTask);
	(*out)->delivery = delivery_of(row);
	(*out)->body = row->body;
	return hook_load(db, a, row->endpoint_id, &(*out)->hook);
}

Err *hook_note(Db *tx, Arena *a, const HookTask *task, const HookOutcome *outcome)
{
	int64_t now_us = time_utc_us();
	bool ended = outcome->delivered || outcome->last;
	Uuid endpoint = task->delivery.endpoint;

	TRY(db_exec(tx, a, hook_delivery_tried, NULL, .id = task->delivery.id,
	            .state = outcome->delivered ? S("delivered")
	                     : outcome->last    ? S("dead")
	                                        : S("waiting"),
	            .status = outcome->status, .error = str_sub(outcome->error, 0, ERROR_BYTES),
	            .now = now_us, .ended_at = ended ? opt_int(now_us) : (OptInt){ 0 }));
	if (outcome->delivered)
		return db_exec(tx, a, hook_worked, NULL, .id = endpoint);
	TRY(db_exec(tx, a, hook_failed, NULL, .id = endpoint, .now = now_us));
	if (!outcome->disable)
		return NULL;
	return db_exec(tx, a, hook_disable, NULL, .id = endpoint,
	               .reason = str_of(outcome->disable), .now = now_us);
}

typedef struct Mending {
	int64_t before_us;
	Uuid after;
	size_t count;
} Mending;

static Err *mend_some(Db *tx, Arena *a, void *arg)
{
	Mending *m = arg;
	HookDeliveriesWaitingRow *rows;

	TRY(db_all(tx, a, hook_deliveries_waiting, &rows, &m->count, .before = m->before_us,
	           .after = m->after, .most = MEND_MOST));
	for (size_t i = 0; i < m->count; i++)
		TRY(put_job(tx, a, rows[i].id, S("")));
	m->after = m->count ? rows[m->count - 1].id : m->after;
	return NULL;
}

Err *hook_mend(Db *db, Arena *a, int64_t before_us)
{
	Mending m = { .before_us = before_us };

	do
		TRY(db_txn(db, a, DB_READ_COMMITTED, mend_some, &m));
	while (m.count == MEND_MOST);
	return NULL;
}

Err *hook_purge(Db *db, Arena *a, int64_t before_us)
{
	return db_exec(db, a, hook_deliveries_purge, NULL, .before = before_us);
}

/* --- what was told -------------------------------------------------------------------------------------------------------- */

Err *hook_deliveries(Db *db, Arena *a, Uuid endpoint, Str state, Uuid before, size_t most,
                     HookDelivery **out, size_t *count)
{
	HookDeliveryRow *rows;

	TRY(db_all(db, a, hook_deliveries_page, &rows, count, .endpoint_id = endpoint,
	           .state = state, .before = before, .most = (int64_t)most));
	*out = ARENA_ARRAY(a, HookDelivery, *count + 1);
	for (size_t i = 0; i < *count; i++)
		(*out)[i] = delivery_of(&rows[i]);
	return NULL;
}

Err *hook_replay(Db *tx, Arena *a, Uuid delivery, bool *done)
{
	int64_t changed;

	TRY(db_exec(tx, a, hook_delivery_again, &changed, .id = delivery));
	*done = changed > 0;
	return changed ? put_job(tx, a, delivery, S("")) : NULL;
}

Err *hook_replay_dead(Db *tx, Arena *a, Uuid endpoint, int64_t since_us, int64_t *count)
{
	HookDeliveriesDeadRow *rows;
	size_t found;
	Hook *hook;
	bool done;

	*count = 0;
	TRY(hook_load(tx, a, endpoint, &hook));
	if (!hook)
		return NULL;
	hook->enabled = true;
	TRY(hook_change(tx, a, true, hook));
	TRY(db_all(tx, a, hook_deliveries_dead, &rows, &found, .endpoint_id = endpoint,
	           .since = since_us, .most = REPLAY_MOST));
	for (size_t i = 0; i < found; i++) {
		TRY(hook_replay(tx, a, rows[i].id, &done));
		*count += done;
	}
	return NULL;
}
