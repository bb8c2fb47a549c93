/* SPDX-License-Identifier: Apache-2.0
 *
 * One act upon an intent, from its first transaction to its last.
 *
 *   first transaction    the intent is locked and looked at, the attempt's row is written as sent, a refund's amount is taken
 *   the wire             the provider is asked, under the attempt's id as key
 *   last transaction     what came of it: act_end.c
 *
 * Dying before the first commit leaves nothing. Dying after it leaves an attempt that is `sent`, which is looked after (attempt.c): so whatever
 * may have reached the provider is in the database before. What was not sent, or what a provider does not want for reasons of its own, may go to
 * another one: as an attempt of its own, in the same act. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/attempt.h"
#include "payment/payment.h"
#include "service/service.h"

#include <string.h>

enum { FIRST_LOOK_S = 60 };

Err *intent_wrong_state(Arena *a, const IntentRow *intent, IntentVerb verb)
{
	if (str_eq(intent->status, intent_status_name(INTENT_PROCESSING)))
		return err_new(
			a, ERR_CONFLICT, "payment.open",
			"an attempt of this PaymentIntent is open: what came of it is not known yet");
	return err_new(a, ERR_CONFLICT, "payment.state",
	               "You cannot %.*s this PaymentIntent because it has a status of %.*s.",
	               STR_ARG(intent_verb_name(verb)), STR_ARG(intent->status));
}

static IntentVerb verb_of(AttemptOp op)
{
	static const IntentVerb verbs[ATTEMPT_OPS] = {
		[ATTEMPT_AUTHORIZE] = INTENT_CONFIRM,
		[ATTEMPT_CAPTURE] = INTENT_CAPTURE,
		[ATTEMPT_VOID] = INTENT_CANCEL,
		[ATTEMPT_REFUND] = INTENT_REFUND,
	};

	return verbs[op];
}

/* --- the first transaction ------------------------------------------------------------------------------------------------ */

static Err *hold(Db *tx, Arena *a, Act *act, IntentRow **out)
{
	IntentStatus status = INTENT_PROCESSING;
	AttemptRow *open = NULL;

	TRY(db_one(tx, a, intent_hold, out, .id = act->intent));
	if (!*out)
		return err_new(a, ERR_NOT_FOUND, "payment.unknown", "there is no such intent");
	intent_status_read((*out)->status, &status);
	if (!intent_may(status, verb_of(act->op)))
		return intent_wrong_state(a, *out, verb_of(act->op));
	if (act->op == ATTEMPT_REFUND)
		TRY(db_one(tx, a, attempt_open, &open, .intent_id = act->intent));
	if (open)
		return err_new(
			a, ERR_CONFLICT, "payment.open",
			"another refund of this PaymentIntent is open: what came of it is not known yet");
	return NULL;
}

static void make_attempt(Act *act, IntentRow *intent, int64_t amount)
{
	int64_t now_us;

	act->attempt = (AttemptRow){ .id = payment_id(&now_us),
		                     .intent_id = intent->id,
		                     .number = ++intent->attempts,
		                     .op = attempt_op_name(act->op),
		                     .state = attempt_state_name(ATTEMPT_SENT),
		                     .provider = provider_name(act->provider),
		                     .amount = amount ? amount : intent->amount,
		                     .currency = intent->currency,
		                     .capture = !intent->manual,
		                     .traceparent = act->traceparent,
		                     .created_at = now_us,
		                     .sent_at = opt_int(now_us),
		                     .check_at = opt_int(now_us + FIRST_LOOK_S * US_PER_S) };
	if (act->refund)
		act->attempt.refund_id = opt_uuid(act->refund->id);
}

/* A new intent, as it is before it is confirmed. (Run again, it begins there again.) */
static Err *begin_fresh(Db *tx, Arena *a, Act *act)
{
	act->fresh->attempts = 0;
	act->fresh->status = intent_status_name(INTENT_NEEDS_CONFIRMATION);
	return intent_tell(tx, a, act, "payment_intent.created", act->fresh);
}

static Err *begin_authorize(Db *tx, Arena *a, Act *act)
{
	bool fresh = act->fresh && !act->tried_count;
	DbBatch *batch = db_batch(a);
	IntentRow *intent = act->fresh;

	if (fresh)
		TRY(begin_fresh(tx, a, act));
	else
		TRY(hold(tx, a, act, &intent));
	if (act->fresh_method && !act->tried_count)
		batch_put(batch, &sql_exec_method_add, act->method, NULL, NULL, NULL);
	intent->status = intent_status_name(INTENT_PROCESSING);
	intent->method_id = opt_uuid(act->method->id);
	intent->error = (OptStr){ 0 };
	make_attempt(act, intent, 0);
	if (fresh)
		batch_put(batch, &sql_exec_intent_add, intent, NULL, NULL, NULL);
	else
		intent_put_row(batch, intent);
	batch_put(batch, &sql_exec_attempt_add, &act->attempt, NULL, NULL, NULL);
	return db_batch_run(tx, a, batch);
}

static Err *begin_refund(Db *tx, Arena *a, Act *act)
{
	RefundRow *refund = act->refund;
	ChargeRow *charge;
	int64_t left;

	TRY(db_one(tx, a, charge_by_id, &charge, .id = act->charge->id));
	left = charge->captured - charge->refunded - charge->disputed;
	refund->amount = act->amount ? act->amount : left;
	if (!left)
		return err_new(a, ERR_CONFLICT, "payment.refunded",
		               "Charge %.*s has already been refunded.",
		               STR_ARG(service_id_text(a, "ch_", charge->id)));
	if (refund->amount > left)
		return err_new(a, ERR_INVALID, "payment.amount",
		               "Refund amount (%" PRId64
		               ") is greater than unrefunded amount on charge (%" PRId64 ")",
		               refund->amount, left);
	TRY(db_exec_with(tx, a, refund_add, refund, NULL));
	TRY(db_exec(tx, a, charge_refund, NULL, .id = charge->id, .amount = refund->amount));
	return refund_tell(tx, a, act, "refund.created", refund);
}

/* Capture, void, refund. */
static Err *begin_later(Db *tx, Arena *a, Act *act)
{
	DbBatch *batch = db_batch(a);
	IntentRow *intent;

	TRY(hold(tx, a, act, &intent));
	if (act->op == ATTEMPT_CAPTURE && act->amount > intent->amount)
		return err_new(
			a, ERR_INVALID, "payment.amount",
			"The amount to capture is greater than the amount that is held (%" PRId64
			")",
			intent->amount);
	if (act->op == ATTEMPT_REFUND) {
		TRY(begin_refund(tx, a, act));
	} else {
		intent->status = intent_status_name(INTENT_PROCESSING);
	}
	make_attempt(act, intent, act->refund ? act->refund->amount : act->amount);
	intent_put_row(batch, intent);
	batch_put(batch, &sql_exec_attempt_add, &act->attempt, NULL, NULL, NULL);
	return db_batch_run(tx, a, batch);
}

static Err *begin_txn(Db *tx, Arena *a, Act *act)
{
	bool first = !act->tried_count;

	if (act->op == ATTEMPT_AUTHORIZE)
		TRY(begin_authorize(tx, a, act));
	else
		TRY(begin_later(tx, a, act));
	if (!act->call || !first)
		return NULL;
	return stripe_claim(act->call, tx, act->refund ? act->refund->id : act->intent,
	                    payment_of(act->home)->claim_us);
}

/* --- the wire ---------------------------------------------------------------------------------------------------------------- */

static Str order_of(Arena *a, const IntentRow *intent)
{
	const Json *json;
	Str text = S("");

	if (!json_read(a, intent->metadata, 0, &json))
		json_to_str(json_get(json, S("order")), &text);
	return text;
}

static void make_ask(Arena *a, Act *act, const IntentRow *intent)
{
	act->ask = (ProviderAsk){ .key = uuid_text(a, act->attempt.id),
		                  .amount = act->attempt.amount,
		                  .currency = act->attempt.currency,
		                  .created_us = act->attempt.created_at,
		                  .traceparent = act->traceparent };
	if (act->op != ATTEMPT_AUTHORIZE) {
		act->ask.reference = act->charge->reference;
		return;
	}
	act->ask.token = act->method->token;
	act->ask.subject = intent_id_text(a, act->intent);
	act->ask.order = order_of(a, intent);
	act->ask.description = intent->statement.len ? intent->statement : intent->description;
	act->ask.return_url = act->return_url;
	act->ask.capture = act->attempt.capture;
	act->ask.off_session = act->off_session;
}

/* Whoever looks after what this process has written down may have given it up by now: a machine that slept does not send it after all. */
static bool is_stale(const Act *act, int64_t now_us)
{
	int64_t absent_us = provider_absent_us(act->provider);

	return absent_us > 0 && now_us - act->attempt.sent_at.v >= absent_us;
}

static Err *ask_provider(Act *act)
{
	static ProviderDo *const calls[ATTEMPT_OPS] = {
		[ATTEMPT_AUTHORIZE] = provider_authorize,
		[ATTEMPT_CAPTURE] = provider_capture,
		[ATTEMPT_VOID] = provider_cancel,
		[ATTEMPT_REFUND] = provider_refund,
	};

	act->answer = (ProviderAnswer){ .result = PROVIDER_UNSENT };
	if (is_stale(act, time_utc_us()))
		return NULL;
	return calls[act->op](act->provider, act->arena, &act->ask, &act->answer);
}

/* --- who is asked -------------------------------------------------------------------------------------------------------------- */

static Err *choose(Act *act, const IntentRow *intent)
{
	const Providers *all = payment_of(act->home)->providers;
	const MethodRow *method = act->method;
	ProviderWish wish = { .currency = intent->currency,
		              .amount = intent->amount,
		              .key = uuid_text(act->arena, act->intent) };

	if (act->op != ATTEMPT_AUTHORIZE) {
		act->provider = provider_named(all, act->charge->provider);
	} else {
		wish.brand = method->brand;
		wish.only = &method->provider;
		wish.only_count = method->provider.len > 0;
		act->provider = provider_choose(all, &wish, act->tried, act->tried_count);
	}
	if (act->provider)
		return NULL;
	return err_new(act->arena, ERR_BUSY, "payment.no_provider",
	               "no provider can be asked just now");
}

/* Was it nothing, and may somebody else be asked? */
static bool may_go_on(Act *act, const IntentRow *intent)
{
	if (act->op != ATTEMPT_AUTHORIZE ||
	    (act->answer.result != PROVIDER_REFUSED && act->answer.result != PROVIDER_UNSENT))
		return false;
	act->tried[act->tried_count++] = provider_name(act->provider);
	return act->tried_count < ACT_TRIES && !choose(act, intent);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------ */

typedef struct Step {
	Act *act;
	DbTxnFn *fn;
} Step;

static Err *begin_plain(Db *tx, Arena *a, void *arg)
{
	return begin_txn(tx, a, arg);
}

static Err *end_plain(Db *tx, Arena *a, void *arg)
{
	Act *act = arg;

	TRY(act_end(tx, a, act));
	if (!act->call || act->again)
		return NULL;
	if (act->undone)
		return stripe_release(act->call, tx);
	TRY(act_answer(act->call, tx, act));
	return stripe_settle(act->call, tx);
}

static Err *of_call(ServiceCall *c, Db *tx, void *arg)
{
	const Step *step = arg;

	return step->fn(tx, c->arena, step->act);
}

static Err *run_step(Act *act, DbTxnFn *fn)
{
	Step step = { act, fn };

	if (act->call)
		return stripe_step(act->call, of_call, &step);
	return db_txn(act->home->db, act->arena, DB_READ_COMMITTED, fn, act);
}

static Err *not_done(Act *act)
{
	if (act->answer.result == PROVIDER_REFUSED)
		return err_new(act->arena, ERR_BUSY, "payment.refused",
		               "the provider did not take it: %.*s", STR_ARG(act->answer.text));
	return err_new(act->arena, ERR_BUSY, "payment.no_provider", "no provider could be reached");
}

Err *act_run(Act *act)
{
	IntentRow *intent = act->fresh, *seen;

	if (!intent)
		TRY(db_one(act->home->db, act->arena, intent_by_id, &intent, .id = act->intent));
	if (!intent)
		return err_new(act->arena, ERR_NOT_FOUND, "payment.unknown",
		               "there is no such intent");
	seen = memcpy(ARENA_NEW(act->arena, IntentRow), intent, sizeof(*intent));
	TRY(choose(act, seen));
	do {
		act->again = false;
		TRY(run_step(act, begin_plain));
		make_ask(act->arena, act, seen);
		TRY(ask_provider(act));
		act->looked = false;
		act->again = may_go_on(act, seen);
		TRY(run_step(act, end_plain));
		payment_count(act->op, act->verdict);
	} while (act->again);
	return act->undone ? not_done(act) : NULL;
}
