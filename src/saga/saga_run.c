/* SPDX-License-Identifier: Apache-2.0
 *
 * A saga at work: one job takes it, does steps one after the other, and leaves when there is nothing to do now.
 *
 *   take, begin step 1 | step 1 | end it, begin step 2 | step 2 | ... | end the last, the saga, and the job
 *
 * Between the bars is one transaction each: what has been reached and what comes next are written together, before the next
 * call goes out. Wherever the process dies, another finds the step that was begun and does it again, with the same key.
 *
 * The transaction that begins a step also registers its undo. So there is no moment at which an effect may exist somewhere and
 * nothing here knows that it may have to be undone: an attempt that timed out, and one whose answer was lost, are undone too.
 *
 * A refusal is an outcome and undoes at once. Everything else that goes wrong is tried again, later and later, by a job put for
 * then; the saga holds no fiber while it waits. */
#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "rt/fiber.h"
#include "saga/saga_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "saga_sql.h"

enum { TIMEOUT_S = 30, ERROR_BYTES = 500 };

/* What an attempt came to. */
struct SagaOutcome {
	bool refused, waits;
	Str code, text;
	int64_t wait_us;
	Str result;
	DbTxnFn *with;
	void *with_arg;
};
typedef struct SagaOutcome Outcome;

/* A saga in the hands of this job. What is here is what the database has, as of our last transaction. */
typedef struct SagaTurn {
	JobRun *run;
	const SagaSet *set;
	const SagaType *type;
	Arena *arena; /* the job's */
	Db *db;
	Uuid id;
	int64_t number;
	SagaRow *row;
	const SagaStepRow *steps; /* as they were when it was taken */
	size_t count;
	const Json *data;
	Str *results; /* by number of the step */
	SagaAt at;
	int64_t attempts, failures; /* of the step at work */
	bool over;                  /* this job has nothing more to do */
} SagaTurn;

/* --- metrics ------------------------------------------------------------------------------------------------------------ */

enum { STEPS, OPEN };

static const MetricFamily families[] = {
	[STEPS] = { "banyan_saga_steps_total",
	            METRIC_COUNTER,
	            "attempts",
	            "at steps of sagas, by how they came out (done, refused, waits, failed)",
	            { "saga", "step", "direction", "result" } },
	[OPEN] = { "banyan_sagas",
	           METRIC_GAUGE,
	           "sagas",
	           "that have not ended, by state",
	           { "database", "saga", "state" } },
};

const MetricFamily *saga_metrics(size_t *count)
{
	*count = COUNT(families);
	return families;
}

/* Cells of this family are never given back: their labels are those of tables in the program. */
static void count_attempt(const SagaTurn *t, bool undo, const Err *err, const Outcome *o)
{
	Str labels[] = { str_of(t->type->name), str_of(t->type->steps[t->at.step].name),
		         undo ? S("undo") : S("forward"), S("done") };

	if (err)
		labels[3] = o->refused ? S("refused") : o->waits ? S("waits") : S("failed");
	metric_add(metric_cell(&families[STEPS], labels, 4), 1);
}

Err *sagas_measure(Db *db, Arena *a)
{
	static const SagaState open[] = { SAGA_RUNNING, SAGA_COMMITTING, SAGA_COMPENSATING,
		                          SAGA_STUCK };
	SagasCountsRow *rows;
	size_t count;

	TRY(db_all(db, a, sagas_counts, &rows, &count));
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < COUNT(open); s++) {
			Str labels[] = { db_name(db), rows[i].type, saga_state_name(open[s]) };
			int64_t n = 0;

			for (size_t k = 0; k < count; k++)
				if (str_eq(rows[k].type, rows[i].type) &&
				    str_eq(rows[k].state, labels[2]))
					n = rows[k].count;
			metric_set(metric_cell(&families[OPEN], labels, 3), n);
		}
	return NULL;
}

/* --- what steps say ----------------------------------------------------------------------------------------------------- */

static Err *say(SagaCall *call, ErrKind kind, const char *slug, const char *fmt, va_list args)
{
	char text[ERROR_BYTES];

	vsnprintf(text, sizeof text, fmt, args);
	call->outcome->text = str_dup(call->arena, str_of(text));
	return err_new(call->arena, kind, slug, "%.*s", STR_ARG(call->outcome->text));
}

Err *saga_refuse(SagaCall *call, Str code, const char *fmt, ...)
{
	va_list args;
	Err *err;

	va_start(args, fmt);
	err = say(call, ERR_CONFLICT, "saga.refused", fmt, args);
	va_end(args);
	call->outcome->refused = true;
	call->outcome->code = str_dup(call->arena, code);
	return err;
}

Err *saga_wait(SagaCall *call, int64_t us, const char *fmt, ...)
{
	va_list args;
	Err *err;

	va_start(args, fmt);
	err = say(call, ERR_BUSY, "saga.waits", fmt, args);
	va_end(args);
	call->outcome->waits = true;
	call->outcome->wait_us = us;
	return err;
}

void saga_say(SagaCall *call, Str json)
{
	call->outcome->result = str_dup(call->arena, json);
}

Str saga_said_text(const SagaCall *call, const char *step)
{
	const SagaTurn *t = call->turn;

	for (size_t n = 0; n < t->type->count; n++)
		if (strcmp(t->type->steps[n].name, step) == 0)
			return t->results[n];
	return S("");
}

const Json *saga_said(const SagaCall *call, const char *step)
{
	Str text = saga_said_text(call, step);
	const Json *value = NULL;

	if (text.len && json_read(call->arena, text, 0, &value))
		return NULL; /* no JSON: the step that said it was wrong */
	return value;
}

Str saga_text(const SagaCall *call, const char *member)
{
	Str text = { 0 };

	json_to_str(json_get(call->data, str_of(member)), &text);
	return text;
}

void saga_with(SagaCall *call, DbTxnFn *fn, void *arg)
{
	call->outcome->with = fn;
	call->outcome->with_arg = arg;
}

/* --- writing where it stands -------------------------------------------------------------------------------------------- */

typedef struct Move {
	SagaAt to;
	Str reason, message, error; /* message: the reason for people */
	int64_t next_us;            /* not before; 0: at once */
} Move;

/* Why it is undone or stuck. */
typedef struct Why {
	OptStr reason, message;
} Why;

static bool is_at_work(SagaState state)
{
	return state == SAGA_RUNNING || state == SAGA_COMMITTING || state == SAGA_COMPENSATING;
}

static bool is_undone(SagaState state)
{
	return state == SAGA_COMPENSATING || state == SAGA_COMPENSATED;
}

static const SagaStepRow *step_row(const SagaTurn *t, SagaAt at)
{
	Str direction = at.state == SAGA_COMPENSATING ? S("undo") : S("forward");

	for (size_t i = 0; i < t->count; i++)
		if (t->steps[i].n == at.step && str_eq(t->steps[i].direction, direction))
			return &t->steps[i];
	return NULL;
}

static Err *begin_step(Db *tx, Arena *a, const SagaTurn *t, SagaAt at)
{
	const SagaStep *step = &t->type->steps[at.step];
	bool undo = at.state == SAGA_COMPENSATING;

	TRY(db_exec(tx, a, saga_step_begin, NULL, .saga = t->id, .n = at.step,
	            .direction = undo ? S("undo") : S("forward"), .name = str_of(step->name),
	            .kind = saga_kind_name(step->kind),
	            .idem_key = saga_key(a, t->id, step->name, undo), .now = time_utc_us()));
	if (undo || !step->undo)
		return NULL;
	return db_exec(tx, a, saga_step_register, NULL, .saga = t->id, .n = at.step,
	               .name = str_of(step->name), .kind = saga_kind_name(step->kind),
	               .idem_key = saga_key(a, t->id, step->name, true));
}

static Err *tell_change(Db *tx, Arena *a, const SagaTurn *t, const Move *move, const Why *why)
{
	SagaView view = saga_view(t->row);

	if (!t->set->changed || t->at.state == move->to.state)
		return NULL;
	view.at = move->to;
	view.reason = why->reason.v;
	view.message = why->message.v;
	view.error = move->error;
	view.step = str_of(t->type->steps[move->to.step].name);
	return t->set->changed(tx, a, &view, t->set->arg);
}

/* Why it is undone stays with it; what goes forward has no reason. */
static Why why_of(const SagaTurn *t, const Move *move)
{
	SagaState state = move->to.state;

	if (state == SAGA_RUNNING || state == SAGA_COMMITTING || state == SAGA_DONE)
		return (Why){ 0 };
	if (t->row->reason.set || !move->reason.len)
		return (Why){ t->row->reason, t->row->message };
	return (Why){ opt_str(move->reason), { move->message.len > 0, move->message } };
}

static Err *write_move(Db *tx, Arena *a, const SagaTurn *t, const Move *move)
{
	SagaState state = move->to.state;
	bool stuck = state == SAGA_STUCK, later = is_at_work(state) && move->next_us;
	int64_t now = time_utc_us(), turn = t->number + later, changed;
	Why why = why_of(t, move);

	TRY(db_exec(tx, a, saga_move, &changed, .id = t->id, .epoch = t->row->epoch,
	            .state = saga_state_name(state),
	            .stuck_in = { stuck, saga_state_name(move->to.stuck_in) },
	            .step = move->to.step, .turn = turn, .reason = why.reason,
	            .message = why.message, .error = { move->error.len > 0, move->error },
	            .next_at = { later, move->next_us }, .now = now,
	            .ended_at = { saga_is_over(state), now }));
	if (!changed)
		return err_new(a, ERR_CONFLICT, "saga.lost", "another has the saga now");
	if (is_undone(state) && !is_undone(t->at.state))
		TRY(db_exec(tx, a, saga_give_up, NULL, .saga = t->id, .now = now));
	if (later)
		TRY(saga_put_job(tx, a, t->id, turn, t->row->traceparent, move->next_us));
	if (is_at_work(state) && !later)
		TRY(begin_step(tx, a, t, move->to));
	else
		TRY(job_done(tx, a, t->run));
	return tell_change(tx, a, t, move, &why);
}

/* After the transaction: we now are where it says. */
static void moved(SagaTurn *t, const Move *move)
{
	const SagaStepRow *known = step_row(t, move->to);
	Why why = why_of(t, move);
	bool same = move->to.state == t->at.state && move->to.step == t->at.step;

	t->row->reason = why.reason;
	t->row->message = why.message;
	t->over = !is_at_work(move->to.state) || move->next_us;
	if (!same) {
		t->attempts = known ? known->attempts : 0;
		t->failures = known ? known->failures : 0;
	}
	t->attempts++;
	t->at = move->to;
	t->at.fresh = false; /* its attempt is begun */
}

/* --- taking it ---------------------------------------------------------------------------------------------------------- */

static Err *read_job(SagaTurn *t)
{
	const Json *data;
	Str id;

	TRY(json_read(t->arena, job_data(t->run), 0, &data));
	TRY(json_need_str(t->arena, data, "saga", &id));
	TRY(json_need_i64(t->arena, data, "turn", &t->number));
	if (!uuid_read(id, &t->id))
		return err_new(t->arena, ERR_INVALID, "job.give_up", "a job of no saga");
	return NULL;
}

static void go_late(Move *move)
{
	move->reason = S("late");
	move->message = S("it took too long");
}

/* Its time is over, and nothing has been tried that cannot be taken back. */
static bool is_late(const SagaTurn *t, SagaAt at)
{
	return at.state == SAGA_RUNNING && t->row->deadline.set &&
	       t->row->deadline.v <= time_utc_us() &&
	       (at.fresh || t->type->steps[at.step].kind != SAGA_PIVOT);
}

/* Steps that were done under another name: the table was changed, and its version was not. */
static Err *same_steps(Arena *a, const SagaTurn *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const SagaStepRow *row = &t->steps[i];

		if (row->n < 0 || row->n >= (int64_t)t->type->count ||
		    !str_eq(row->name, str_of(t->type->steps[row->n].name)))
			return err_new(a, ERR_UNSUPPORTED, "saga.version",
			               "step %.*s of version %" PRId64
			               " of %.*s is another one in this program",
			               STR_ARG(row->name), t->row->version, STR_ARG(t->row->type));
	}
	return NULL;
}

static Err *load(Db *tx, Arena *a, SagaTurn *t)
{
	SagaStepRow *steps;
	SagaView view = saga_view(t->row);

	t->type = saga_type_of(t->set, t->row->type, t->row->version);
	if (!t->type || t->row->step >= (int64_t)t->type->count)
		return err_new(a, ERR_UNSUPPORTED, "saga.version",
		               "this program does not know version %" PRId64 " of %.*s",
		               t->row->version, STR_ARG(t->row->type));
	TRY(json_read(a, t->row->data, 0, &t->data));
	TRY(db_all(tx, a, saga_steps_of, &steps, &t->count, .saga = t->id));
	t->steps = steps;
	TRY(same_steps(a, t));
	t->results = ARENA_ARRAY(a, Str, t->type->count);
	for (size_t i = 0; i < t->count; i++)
		if (str_eq(steps[i].direction, S("forward")))
			t->results[steps[i].n] = steps[i].result.v;
	t->at = view.at;
	return NULL;
}

typedef struct Taking {
	SagaTurn *turn;
	Move move;
} Taking;

static Err *take(Db *tx, Arena *a, void *arg)
{
	Taking *taking = arg;
	SagaTurn *t = taking->turn;
	Move *move = &taking->move;
	const SagaStepRow *step;

	*move = (Move){ 0 };
	TRY(db_one(tx, a, saga_take, &t->row, .id = t->id, .turn = t->number));
	if (!t->row)
		return job_done(tx, a, t->run);
	TRY(load(tx, a, t));
	step = step_row(t, t->at);
	t->at.fresh = !step || !step->attempts;
	move->to = t->at;
	move->error = t->row->error.v;
	if (str_eq(t->row->asked.v, S("undo"))) {
		move->to = saga_after(t->type, t->at, SAGA_UNDO);
		move->reason = S("asked");
		move->message = S("a person has asked for it");
	} else if (t->row->asked.set) {
		move->to = saga_after(t->type, t->at, SAGA_RETRY);
	} else if (is_late(t, t->at)) {
		move->to = saga_after(t->type, t->at, SAGA_LATE);
		go_late(move);
	}
	if (step)
		t->attempts = step->attempts, t->failures = step->failures;
	return write_move(tx, a, t, move);
}

/* --- one attempt -------------------------------------------------------------------------------------------------------- */

typedef struct Ending {
	SagaTurn *turn;
	const Err *err; /* NULL: done */
	const Outcome *outcome;
	Str state; /* of the step */
	Move move;
} Ending;

static Err *end_step(Db *tx, Arena *a, void *arg)
{
	const Ending *e = arg;
	const SagaTurn *t = e->turn;
	bool undo = t->at.state == SAGA_COMPENSATING, open = str_eq(e->state, S("running"));
	bool failed = e->err && !e->outcome->waits && !e->outcome->refused;
	Str result = e->err ? S("") : e->outcome->result;

	TRY(db_exec(tx, a, saga_step_end, NULL, .saga = t->id, .n = t->at.step,
	            .direction = undo ? S("undo") : S("forward"), .state = e->state,
	            .failed = failed, .result = { result.len > 0, result },
	            .error = { e->err != NULL, e->move.error },
	            .ended_at = { !open, time_utc_us() }));
	TRY(write_move(tx, a, t, &e->move));
	if (!e->err && e->outcome->with)
		return e->outcome->with(tx, a, e->outcome->with_arg);
	return NULL;
}

static Str error_text(Arena *a, const Err *err)
{
	Str text = str_fmt(a, "%s: %.*s", err->slug, STR_ARG(err_chain(a, err)));
	size_t len = MIN(text.len, (size_t)ERROR_BYTES);

	while (len && len < text.len && ((uint8_t)text.at[len] & 0xc0) == 0x80)
		len--;
	return str_sub(text, 0, len);
}

static void go_to(Ending *e, SagaEvent event, Str state, Str reason, Str message)
{
	e->move.to = saga_after(e->turn->type, e->turn->at, event);
	e->move.reason = reason;
	e->move.message = message;
	e->state = state;
}

/* Again, at its time; but no later than the deadline, where that still counts. */
static void go_later(Ending *e, int64_t pause_us)
{
	const SagaTurn *t = e->turn;
	bool pivot = t->type->steps[t->at.step].kind == SAGA_PIVOT;

	e->state = S("running");
	e->move.to = t->at;
	e->move.next_us = time_utc_us() + MAX(pause_us, INT64_C(1000));
	if (t->at.state == SAGA_RUNNING && t->row->deadline.set && !pivot)
		e->move.next_us = MIN(e->move.next_us, t->row->deadline.v);
}

/* Nothing was done, by this attempt; of those before it nobody knows that. A pivot's no is its last word. */
static SagaEvent refusal_of(const SagaTurn *t)
{
	bool first = t->attempts == 1;
	bool before = t->at.state == SAGA_RUNNING &&
	              t->type->steps[t->at.step].kind == SAGA_COMPENSATABLE;

	return before && !first ? SAGA_UNDO : SAGA_STEP_REFUSED;
}

static void decide(Ending *e)
{
	const SagaTurn *t = e->turn;
	const SagaStep *step = &t->type->steps[t->at.step];
	bool undo = t->at.state == SAGA_COMPENSATING;
	uint32_t most = saga_attempts(step, undo);
	int64_t pause = saga_pause_us(step, t->failures + 1);

	e->move = (Move){ .error = e->err ? error_text(t->arena, e->err) : S("") };
	if (!e->err)
		go_to(e, SAGA_STEP_DONE, S("done"), S(""), S(""));
	else if (e->outcome->refused)
		go_to(e, refusal_of(t), S("refused"), e->outcome->code, e->outcome->text);
	else if (e->outcome->waits)
		go_later(e, e->outcome->wait_us);
	else if (most && t->failures + 1 >= most)
		go_to(e, SAGA_STEP_SPENT, S("given_up"), S("given_up"),
		      S("it was tried as often as it may be"));
	else
		go_later(e, pause / 2 + (int64_t)rand_below((uint64_t)pause / 2 + 1));
	if (!e->move.next_us && is_late(t, e->move.to)) {
		e->move.to = saga_after(t->type, e->move.to, SAGA_LATE);
		go_late(&e->move);
	}
}

static Err *end_attempt(SagaTurn *t, const Err *result, Outcome *outcome)
{
	Ending e = { .turn = t, .err = result, .outcome = outcome };
	Err *err;

	decide(&e);
	err = db_txn(t->db, t->arena, DB_READ_COMMITTED, end_step, &e);
	if (err && !e.err && outcome->with && !err_is(err, "saga.lost") &&
	    !err_is(err, "db.unknown")) {
		/* Its own part of the transaction may be what does not work: then the step has failed. Of a commit that may have
		 * happened nobody may say so: whoever takes the saga next finds out. */
		e.err = err;
		decide(&e);
		err = db_txn(t->db, t->arena, DB_READ_COMMITTED, end_step, &e);
	}
	TRY(err);
	count_attempt(t, t->at.state == SAGA_COMPENSATING, e.err, outcome);
	if (!e.err && t->at.state != SAGA_COMPENSATING)
		t->results[t->at.step] = outcome->result;
	moved(t, &e.move);
	return NULL;
}

static Err *call_step(SagaTurn *t, Outcome *outcome)
{
	const SagaStep *step = &t->type->steps[t->at.step];
	int64_t limit = step->timeout_us ? step->timeout_us : TIMEOUT_S * US_PER_S;
	bool undo = t->at.state == SAGA_COMPENSATING;
	SagaCall *call =
		ARENA_NEW(t->arena, SagaCall); /* saga_with may look at it when the step is over */
	AUTO(deadline_end) Deadline deadline = deadline_begin(limit);

	*call = (SagaCall){ .arena = t->arena,
		            .db = t->db,
		            .arg = t->set->arg,
		            .saga = t->id,
		            .key = saga_key(t->arena, t->id, step->name, undo),
		            .traceparent = saga_span(t->arena, t->row->traceparent),
		            .attempt = t->attempts,
		            .undo = undo,
		            .data = t->data,
		            .turn = t,
		            .outcome = outcome };
	return undo ? step->undo(call) : step->run(call);
}

static Err *attempt(SagaTurn *t)
{
	Outcome outcome = { 0 };
	Err *err = call_step(t, &outcome);

	if (err && err->kind == ERR_CANCELLED)
		return err;
	return end_attempt(t, err, &outcome);
}

static Err *carry_on(SagaTurn *t)
{
	Taking taking = { .turn = t };

	TRY(read_job(t));
	TRY(db_txn(t->db, t->arena, DB_READ_COMMITTED, take, &taking));
	if (!t->row)
		return NULL;
	moved(t, &taking.move);
	while (!t->over)
		TRY(attempt(t));
	return NULL;
}

Err *saga_work(JobRun *run, const SagaSet *set)
{
	SagaTurn t = { .run = run, .set = set, .arena = job_arena(run), .db = job_db(run) };
	Err *err = carry_on(&t);

	return err && err_is(err, "saga.lost") ? NULL
	                                       : err; /* whoever has it has a job of its own */
}
