/* SPDX-License-Identifier: Apache-2.0
 *
 * Attempts: what a provider's answer says about one, and looking again after those whose answer nobody heard.
 *
 * An open attempt has a time at which it is looked at (check_at). A job does that: put down when an answer was not heard, and for what a
 * process left behind that died, found by a sweep every minute. It only asks (provider_get); it never sends what was sent. While an attempt is
 * open its intent has no other: the database refuses one (attempts_open). That the provider has nothing of it is believed only when so much
 * time has gone by that nothing can be on its way any more. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/attempt.h"
#include "payment/payment.h"
#include "payment/payment_store.h"
#include "service/service.h"
#include "store/job.h"

enum { SWEEP_MOST = 200, SWEEP_LATE_S = 20 };

/* --- what an answer says ------------------------------------------------------------------------------------------------------ */

static Verdict verdict_of_state(AttemptOp op, ProviderState state, bool looked, bool late)
{
	bool taken = state == PROVIDER_CAPTURED, held = state == PROVIDER_AUTHORIZED;
	bool gone = state == PROVIDER_VOIDED || state == PROVIDER_FAILED;

	if (state == PROVIDER_WAITS)
		return VERDICT_OPEN;
	switch (op) {
	case ATTEMPT_AUTHORIZE:
		return taken || held ? VERDICT_DONE : gone ? VERDICT_NO : VERDICT_OPEN;
	case ATTEMPT_CAPTURE:
		if (held && looked)
			return late ? VERDICT_UNDONE : VERDICT_OPEN;
		return taken || !looked ? VERDICT_DONE : VERDICT_NO;
	case ATTEMPT_VOID:
		if (held && looked)
			return late ? VERDICT_UNDONE : VERDICT_OPEN;
		return taken ? VERDICT_NO : VERDICT_DONE;
	case ATTEMPT_REFUND:
	case ATTEMPT_OPS:
	default:
		return gone && looked ? VERDICT_NO : VERDICT_DONE;
	}
}

Verdict attempt_verdict(AttemptOp op, const ProviderAnswer *answer, bool looked, bool late)
{
	switch (answer->result) {
	case PROVIDER_OK:
		return verdict_of_state(op, answer->state, looked, late);
	case PROVIDER_DECLINED:
		return VERDICT_NO;
	case PROVIDER_REFUSED:
	case PROVIDER_UNSENT:
		return looked ? VERDICT_OPEN : VERDICT_UNDONE;
	case PROVIDER_ABSENT:
		if (op == ATTEMPT_VOID)
			return VERDICT_DONE;
		return late || answer->sealed ? VERDICT_UNDONE : VERDICT_OPEN;
	case PROVIDER_ACTION:
	case PROVIDER_PENDING:
	case PROVIDER_UNKNOWN:
	case PROVIDER_RESULTS:
	default:
		return VERDICT_OPEN;
	}
}

/* --- rows ---------------------------------------------------------------------------------------------------------------------- */

void attempt_put(DbBatch *batch, const AttemptRow *attempt)
{
	batch_exec(batch, attempt_store, NULL, .id = attempt->id, .state = attempt->state,
	           .reference = attempt->reference, .code = attempt->code,
	           .message = attempt->message, .checks = attempt->checks,
	           .ended_at = attempt->ended_at, .check_at = attempt->check_at);
}

static Err *store(Db *tx, Arena *a, const AttemptRow *attempt)
{
	DbBatch *batch = db_batch(a);

	attempt_put(batch, attempt);
	return db_batch_run(tx, a, batch);
}

static Err *look_at(Db *tx, Arena *a, Uuid id, int64_t at_us)
{
	return job_put(tx, a,
	               &(JobDraft){ .kind = S(ATTEMPT_JOB),
	                            .run_at_us = at_us,
	                            .attempts = 100,
	                            .data = str_fmt(a, "\"%.*s\"", STR_ARG(uuid_text(a, id))) },
	               NULL, NULL);
}

Err *attempt_stay_open(Db *tx, Arena *a, AttemptRow *attempt)
{
	attempt->state = attempt_state_name(ATTEMPT_UNKNOWN);
	attempt->check_at = opt_int(time_utc_us() + attempt_pause_us(attempt->checks++));
	TRY(store(tx, a, attempt));
	return look_at(tx, a, attempt->id, attempt->check_at.v);
}

void attempt_close(AttemptRow *attempt, AttemptState state)
{
	attempt->state = attempt_state_name(state);
	attempt->ended_at = opt_int(time_utc_us());
	attempt->check_at = (OptInt){ 0 };
}

Err *attempt_finish(Db *tx, Arena *a, AttemptRow *attempt, AttemptState state)
{
	attempt_close(attempt, state);
	return store(tx, a, attempt);
}

Err *attempt_look_again(Db *db, Arena *a, Str provider, Str reference, Str key, bool *known)
{
	AttemptsSpokenOfRow *rows;
	Uuid id = { { 0 } };
	size_t count;

	uuid_read(key, &id);
	TRY(db_all(db, a, attempts_spoken_of, &rows, &count, .provider = provider,
	           .reference = reference, .id = id));
	*known = count > 0;
	for (size_t i = 0; i < count; i++)
		TRY(look_at(db, a, rows[i].id, time_utc_us()));
	return NULL;
}

/* --- asking what came of one -------------------------------------------------------------------------------------------------- */

static Err *end_step(Db *tx, Arena *a, void *arg)
{
	Act *act = arg;

	act->arena = a;
	return act_end(tx, a, act);
}

static void ask_of(Arena *a, Act *act, Str reference, Str refund)
{
	act->ask = (ProviderAsk){ .key = uuid_text(a, act->attempt.id),
		                  .reference = reference,
		                  .refund = refund,
		                  .of_refund = act->op == ATTEMPT_REFUND,
		                  .amount = act->attempt.amount,
		                  .currency = act->attempt.currency,
		                  .created_us = act->attempt.sent_at.v,
		                  .traceparent = act->attempt.traceparent };
}

static Err *make_ask(const ServiceHome *home, Arena *a, Act *act)
{
	IntentRow *intent;
	ChargeRow *charge = NULL;
	Str reference = act->attempt.reference;

	TRY(db_one(home->db, a, intent_by_id, &intent, .id = act->intent));
	if (act->op != ATTEMPT_AUTHORIZE && intent->charge_id.set)
		TRY(db_one(home->db, a, charge_by_id, &charge, .id = intent->charge_id.v));
	ask_of(a, act, charge ? charge->reference : reference, charge ? reference : S(""));
	return NULL;
}

Err *attempt_resolve(const ServiceHome *home, Arena *a, Uuid id, bool *open)
{
	Act *act = ARENA_NEW(a, Act);
	AttemptRow *row;
	AttemptState state = ATTEMPT_FAILED;

	*open = false;
	TRY(db_one(home->db, a, attempt_by_id, &row, .id = id));
	if (!row || !attempt_state_read(row->state, &state) || !attempt_is_open(state))
		return NULL;
	*act = (Act){
		.home = home, .arena = a, .intent = row->intent_id, .attempt = *row, .looked = true
	};
	attempt_op_read(row->op, &act->op);
	act->provider = provider_named(payment_of(home)->providers, row->provider);
	act->answer = (ProviderAnswer){ .result = PROVIDER_UNKNOWN };
	TRY(make_ask(home, a, act));
	if (act->provider)
		TRY(provider_get(act->provider, a, &act->ask, &act->answer));
	TRY(db_txn(home->db, a, DB_READ_COMMITTED, end_step, act));
	payment_count(act->op, act->verdict);
	*open = act->open;
	return NULL;
}

Err *attempt_resolve_of(const ServiceHome *home, Arena *a, Uuid intent, bool *open)
{
	AttemptRow *row;

	*open = false;
	TRY(db_one(home->db, a, attempt_open, &row, .intent_id = intent));
	return row ? attempt_resolve(home, a, row->id, open) : NULL;
}

/* --- jobs ---------------------------------------------------------------------------------------------------------------------- */

Err *attempt_job(JobRun *run, void *arg)
{
	const Json *json;
	Str text = S("");
	bool open;
	Uuid id;

	TRY(json_read(job_arena(run), job_data(run), 0, &json));
	json_to_str(json, &text);
	if (!uuid_read(text, &id))
		return NULL;
	return attempt_resolve(arg, job_arena(run), id, &open);
}

/* Those that a process left behind: nobody has a job for them. */
Err *attempt_sweep_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	AttemptCountsRow *counts;
	AttemptsDueRow *due;
	size_t count;
	bool open;

	TRY(db_all(home->db, a, attempts_due, &due, &count, .most = SWEEP_MOST,
	           .now = time_utc_us() - SWEEP_LATE_S * US_PER_S));
	for (size_t i = 0; i < count; i++)
		TRY(attempt_resolve(home, a, due[i].id, &open));
	TRY(db_one(home->db, a, attempt_counts, &counts));
	payment_count_open(counts->open, counts->unknown);
	return NULL;
}
