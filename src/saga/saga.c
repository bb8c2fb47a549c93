/* SPDX-License-Identifier: Apache-2.0
 *
 * Sagas as rows: how one begins, how it is read, what people do to it.
 *
 * A saga is carried on by jobs, one at a time. It has a `turn`, and a job names the turn it was put for: whoever puts the next
 * job, the saga itself when it has to wait or a person who is in a hurry, raises it in the same transaction, and what was put
 * before is over without having been looked for. It also has an `epoch`, which rises whenever a job takes it and whenever a person
 * interferes: every write names it, so that whoever was pushed aside in the middle of an attempt changes nothing any more.
 *
 * Not here: doing the steps (saga_run.c), the rules of what follows what (saga_domain.c). */
#include "saga/saga.h"

#include "base/arena.h"
#include "base/time.h"
#include "http/trace.h"
#include "saga/saga_int.h"

#include <string.h>

#include "saga_schema.h"
#include "saga_sql.h"

enum { ATTEMPTS = 1000000, PURGED_AT_ONCE = 200 };

const Schema *saga_own_schema(void)
{
	return &saga_schema;
}

Str saga_kind_name(SagaKind kind)
{
	static const Str names[] = {
		[SAGA_COMPENSATABLE] = S("compensatable"),
		[SAGA_PIVOT] = S("pivot"),
		[SAGA_RETRIABLE] = S("retriable"),
	};

	return names[kind];
}

Err *saga_set_check(Arena *a, const SagaSet *set)
{
	const char *mistake = saga_types_mistake(a, set->types, set->count);

	return mistake ? err_new(a, ERR_INTERNAL, "saga.table", "%s", mistake) : NULL;
}

const SagaType *saga_type_of(const SagaSet *set, Str name, int64_t version)
{
	for (size_t i = 0; i < set->count; i++)
		if (str_eq(str_of(set->types[i].name), name) && set->types[i].version == version)
			return &set->types[i];
	return NULL;
}

static const SagaType *newest_type(const SagaSet *set, Str name)
{
	const SagaType *newest = NULL;

	for (size_t i = 0; i < set->count; i++)
		if (str_eq(str_of(set->types[i].name), name) &&
		    (!newest || newest->version < set->types[i].version))
			newest = &set->types[i];
	return newest;
}

Str saga_key(Arena *a, Uuid saga, const char *step, bool undo)
{
	return str_fmt(a, "%.*s:%s%s", STR_ARG(uuid_text(a, saga)), step, undo ? ":undo" : "");
}

Str saga_span(Arena *a, Str traceparent)
{
	char *text = arena_alloc(a, TRACE_TEXT);
	Trace before, own;
	bool known = trace_read(traceparent, &before);

	trace_write(text, known ? &before : NULL, TRACE_SAMPLED, &own);
	return (Str){ text, TRACE_TEXT };
}

Err *saga_put_job(Db *tx, Arena *a, Uuid saga, int64_t turn, Str traceparent, int64_t at_us)
{
	Str id = uuid_text(a, saga);
	JobDraft draft = {
		.kind = S(SAGA_JOB),
		.unique_key = str_fmt(a, "%.*s/%" PRId64, STR_ARG(id), turn),
		.data = str_fmt(a, "{\"saga\":\"%.*s\",\"turn\":%" PRId64 "}", STR_ARG(id), turn),
		.traceparent = traceparent,
		.run_at_us = at_us,
		.attempts = ATTEMPTS,
	};

	return job_put(tx, a, &draft, NULL, NULL);
}

/* --- beginning ---------------------------------------------------------------------------------------------------------- */

static Err *begin(Db *tx, Arena *a, const SagaSet *set, const SagaDraft *draft)
{
	const SagaType *type = newest_type(set, draft->type);
	int64_t now = time_utc_us(), changed;
	Str trace = saga_span(a, draft->traceparent);
	SagaView view;
	SagaRow *row;

	if (!type)
		return err_new(a, ERR_INTERNAL, "saga.table", "there is no saga %.*s",
		               STR_ARG(draft->type));
	TRY(db_exec(tx, a, saga_add, &changed, .id = draft->id, .type = draft->type,
	            .version = type->version, .unique_key = { draft->key.len > 0, draft->key },
	            .data = draft->data, .traceparent = trace,
	            .deadline = { type->deadline_us > 0, now + type->deadline_us }, .now = now));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "saga.key", "a %.*s of this key has begun",
		               STR_ARG(draft->type));
	TRY(saga_put_job(tx, a, draft->id, 1, trace, 0));
	if (!set->changed)
		return NULL;
	TRY(db_one(tx, a, saga_by_id, &row, .id = draft->id));
	view = saga_view(row);
	return set->changed(tx, a, &view, set->arg);
}

Err *saga_begin(Db *tx, Arena *a, const SagaSet *set, const SagaDraft *draft, Uuid *id)
{
	SagaDraft whole = *draft;
	const Json *data;

	whole.data = draft->data.len ? draft->data : S("{}");
	TRY(json_read(a, whole.data, 0, &data));
	if (json_kind(data) != JSON_KIND_OBJECT)
		return err_new(a, ERR_INVALID, "json.member", "a saga's data is an object");
	if (uuid_is_nil(whole.id))
		whole.id = uuid_new();
	TRY(begin(tx, a, set, &whole));
	if (id)
		*id = whole.id;
	return NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

SagaView saga_view(const SagaRow *row)
{
	SagaView view = { .id = row->id,
		          .type = row->type,
		          .key = row->unique_key.v,
		          .data = row->data,
		          .traceparent = row->traceparent,
		          .version = row->version,
		          .at = { .step = row->step },
		          .reason = row->reason.v,
		          .message = row->message.v,
		          .error = row->error.v,
		          .epoch = row->epoch,
		          .deadline_us = row->deadline.v,
		          .next_us = row->next_at.v,
		          .begun_us = row->created_at,
		          .changed_us = row->changed_at,
		          .ended_us = row->ended_at.v };

	if (!saga_state_read(row->state, &view.at.state)) /* the schema knows no others */
		view.at.state = SAGA_STUCK;
	if (row->stuck_in.set)
		saga_state_read(row->stuck_in.v, &view.at.stuck_in);
	return view;
}

static SagaStepView step_view(const SagaStepRow *row)
{
	return (SagaStepView){ .name = row->name,
		               .direction = row->direction,
		               .kind = row->kind,
		               .key = row->idem_key,
		               .state = row->state,
		               .error = row->error.v,
		               .result = row->result.v,
		               .attempts = row->attempts,
		               .begun_us = row->begun_at.v,
		               .ended_us = row->ended_at.v };
}

Err *sagas_list(Db *db, Arena *a, const SagaFilter *filter, SagaView **out, size_t *count)
{
	Uuid last = filter->before;
	SagaRow *rows;
	SagaView *views;
	size_t n;

	if (uuid_is_nil(last))
		memset(last.at, 0xff, sizeof last.at);
	TRY(db_all(db, a, sagas_page, &rows, &n, .type = filter->type, .state = filter->state,
	           .before = last, .most = (int64_t)filter->most));
	views = ARENA_ARRAY(a, SagaView, n);
	for (size_t i = 0; i < n; i++)
		views[i] = saga_view(&rows[i]);
	*out = views;
	*count = n;
	return NULL;
}

Err *saga_find(Db *db, Arena *a, Uuid id, SagaView **out)
{
	SagaStepView *steps;
	SagaStepRow *rows;
	SagaView *view;
	SagaRow *row;
	size_t n;

	*out = NULL;
	TRY(db_one(db, a, saga_by_id, &row, .id = id));
	if (!row)
		return NULL;
	TRY(db_all(db, a, saga_steps_of, &rows, &n, .saga = id));
	view = ARENA_NEW(a, SagaView);
	steps = ARENA_ARRAY(a, SagaStepView, n);
	*view = saga_view(row);
	for (size_t i = 0; i < n; i++) {
		steps[i] = step_view(&rows[i]);
		if (rows[i].n == row->step)
			view->step = rows[i].name;
	}
	view->steps = steps;
	view->step_count = n;
	*out = view;
	return NULL;
}

Err *saga_find_key(Db *db, Arena *a, Str type, Str key, bool *found, Uuid *id)
{
	SagaOfKeyRow *row;

	TRY(db_one(db, a, saga_of_key, &row, .type = type, .unique_key = key));
	*found = row != NULL;
	*id = row ? row->id : (Uuid){ 0 };
	return NULL;
}

/* --- what people do ----------------------------------------------------------------------------------------------------- */

typedef struct Deed {
	Uuid id;
	bool past_pivot;
} Deed;

static Err *open_one(Db *tx, Arena *a, Uuid id, SagaRow **row)
{
	TRY(db_one(tx, a, saga_by_id, row, .id = id));
	if (!*row)
		return err_new(a, ERR_NOT_FOUND, "saga.unknown", "there is no saga %.*s",
		               STR_ARG(uuid_text(a, id)));
	if ((*row)->ended_at.set)
		return err_new(a, ERR_CONFLICT, "saga.over", "saga %.*s is %.*s",
		               STR_ARG(uuid_text(a, id)), STR_ARG((*row)->state));
	return NULL;
}

static Err *over(Arena *a, Uuid id)
{
	return err_new(a, ERR_CONFLICT, "saga.over", "saga %.*s has ended meanwhile",
	               STR_ARG(uuid_text(a, id)));
}

static Err *hurry(Db *tx, Arena *a, void *arg)
{
	const Deed *deed = arg;
	SagaAskRow *next;
	SagaRow *row;

	TRY(open_one(tx, a, deed->id, &row));
	TRY(db_one(tx, a, saga_ask, &next, .id = deed->id, .asked = S("retry")));
	if (!next)
		return over(a, deed->id);
	TRY(db_exec(tx, a, saga_forgive, NULL, .saga = deed->id));
	return saga_put_job(tx, a, deed->id, next->turn, row->traceparent, 0);
}

Err *saga_retry(Db *db, Arena *a, Uuid id)
{
	return db_txn(db, a, DB_READ_COMMITTED, hurry, &(Deed){ .id = id });
}

static Err *ask_undo(Db *tx, Arena *a, void *arg)
{
	const Deed *deed = arg;
	SagaAskRow *next;
	SagaPivotOfRow *pivot;
	SagaRow *row;

	TRY(open_one(tx, a, deed->id, &row));
	TRY(db_one(tx, a, saga_ask, &next, .id = deed->id, .asked = S("undo")));
	if (!next)
		return over(a, deed->id);
	TRY(db_one(tx, a, saga_pivot_of, &pivot, .saga = deed->id));
	if (pivot->tried && !str_eq(row->state, S("compensating")) &&
	    (!deed->past_pivot || !pivot->undo))
		return err_new(a, ERR_CONFLICT, "saga.pivot",
		               pivot->undo ? "its pivot was tried: undoing it takes --past-pivot"
		                           : "its pivot was tried, and that cannot be undone");
	return saga_put_job(tx, a, deed->id, next->turn, row->traceparent, 0);
}

Err *saga_compensate(Db *db, Arena *a, Uuid id, bool past_pivot)
{
	return db_txn(db, a, DB_READ_COMMITTED, ask_undo, &(Deed){ id, past_pivot });
}

Err *sagas_purge(Db *db, Arena *a, int64_t keep_us, int64_t *gone)
{
	int64_t before = time_utc_us() - keep_us, changed;

	*gone = 0;
	do {
		TRY(db_exec(db, a, sagas_purge, &changed, .before = before,
		            .most = PURGED_AT_ONCE));
		*gone += changed;
	} while (changed == PURGED_AT_ONCE);
	return NULL;
}

/* --- checking ----------------------------------------------------------------------------------------------------------- */

Err *sagas_check(Db *db, Arena *a, SagaWrong **out, size_t *count, int64_t *looked)
{
	SagasUnfinishedRow *unfinished;
	SagasForgottenRow *forgotten;
	SagasAllRow *all;
	SagaWrong *wrong;
	size_t m, n;

	TRY(db_one(db, a, sagas_all, &all));
	*looked = all ? all->count : 0;
	TRY(db_all(db, a, sagas_forgotten, &forgotten, &m));
	TRY(db_all(db, a, sagas_unfinished, &unfinished, &n));
	wrong = ARENA_ARRAY(a, SagaWrong, m + n);
	for (size_t i = 0; i < m; i++)
		wrong[i] = (SagaWrong){ forgotten[i].id,
			                str_fmt(a, "is %.*s, and no job carries it on",
			                        STR_ARG(forgotten[i].state)) };
	for (size_t i = 0; i < n; i++)
		wrong[m + i] = (SagaWrong){ unfinished[i].id,
			                    str_fmt(a, "is %.*s, and its step %.*s is not",
			                            STR_ARG(unfinished[i].state),
			                            STR_ARG(unfinished[i].step)) };
	*out = wrong;
	*count = m + n;
	return NULL;
}
