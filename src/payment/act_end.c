/* SPDX-License-Identifier: Apache-2.0
 *
 * What a provider's answer makes of an attempt, and all that follows from it, in one transaction: the attempt, the intent, its charge, what
 * moved the balance, the ledger's group, what is told to others. Whoever comes first with an answer writes it (who asked, or who looked
 * again): for the other the attempt has ended already and nothing is written.
 *
 * Of an intent that succeeded there is exactly one group in the ledger, for nowhere else does an intent become so. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/invoice.h"
#include "payment/ledger.h"
#include "payment/payment.h"
#include "service/service.h"

#define AVAILABLE_US (2 * INT64_C(86400) * US_PER_S)

/* --- money has moved ------------------------------------------------------------------------------------------------------------ */

/* "provider:fault": a name has _ where a code has none. */
static Str account_of(Arena *a, const char *first, Str provider)
{
	Str code = str_fmt(a, "%s:%.*s", first, STR_ARG(provider));
	char *at = (char *)(uintptr_t)code.at;

	for (size_t i = 0; i < code.len; i++)
		at[i] = at[i] == '_' || at[i] == '.' ? '-' : at[i];
	return code;
}

static Err *post(Db *tx, Arena *a, const MovedRow *moved, const IntentRow *intent, Str provider)
{
	bool refund = str_eq(moved->type, S("refund"));
	Str account = account_of(a, "provider", provider);
	Str other = refund ? S("refunds") : intent->invoice_id.set ? S("receivable") : S("sales");
	int64_t amount = moved->amount < 0 ? -moved->amount : moved->amount;
	LedgerTransfer transfers[2] = {
		{ .debit = refund ? other : account,
		  .credit = refund ? account : other,
		  .amount = amount },
		{ .debit = account_of(a, "fees", provider),
		  .credit = account,
		  .amount = moved->fee },
	};
	LedgerGroup group = { .kind = refund ? S("refund") : S("intent"),
		              .source = refund ? service_id_text(a, "re_", moved->source_id)
		                               : intent_id_text(a, intent->id),
		              .currency = moved->currency,
		              .at_us = moved->created_at,
		              .at = transfers,
		              .count = moved->fee > 0 ? 2 : 1 };

	return ledger_post(tx, a, &group, NULL);
}

static MovedRow new_moved(const Act *act, const IntentRow *intent, Uuid source, int64_t amount)
{
	int64_t now_us = time_utc_us();

	return (MovedRow){ .id = source,
		           .type = amount < 0 ? S("refund") : S("charge"),
		           .source_id = source,
		           .amount = amount,
		           .fee = amount < 0 ? 0 : MAX(act->answer.fee, 0), /* none is given back */
		           .currency = intent->currency,
		           .description = intent->description,
		           .created_at = now_us,
		           .available_at = now_us + AVAILABLE_US };
}

/* --- authorize ------------------------------------------------------------------------------------------------------------------- */

static ChargeRow new_charge(const Act *act, const IntentRow *intent)
{
	ChargeRow charge = { .intent_id = intent->id,
		             .attempt_id = act->attempt.id,
		             .status = S("succeeded"),
		             .amount = act->attempt.amount,
		             .currency = intent->currency,
		             .customer_id = intent->customer_id,
		             .method_id = intent->method_id,
		             .provider = act->attempt.provider,
		             .reference = act->attempt.reference };

	charge.id = payment_id(&charge.created_at);
	return charge;
}

/* `batch` has what is to be written beside, and is run. */
static Err *succeed(Db *tx, Arena *a, Act *act, IntentRow *intent, const ChargeRow *charge,
                    DbBatch *batch)
{
	MovedRow moved = new_moved(act, intent, charge->id, charge->captured);

	intent->received = charge->captured;
	intent->status = intent_status_name(INTENT_SUCCEEDED);
	intent_put_row(batch, intent);
	batch_put(batch, &sql_exec_moved_add, &moved, NULL, NULL, NULL);
	TRY(db_batch_run(tx, a, batch));
	TRY(charge_tell(tx, a, act,
	                act->op == ATTEMPT_CAPTURE ? "charge.captured" : "charge.succeeded",
	                charge));
	TRY(intent_tell(tx, a, act, "payment_intent.succeeded", intent));
	TRY(post(tx, a, &moved, intent, charge->provider));
	return intent->invoice_id.set
	               ? invoice_settled(tx, a, intent->invoice_id.v, intent->id, charge->captured)
	               : NULL;
}

static Err *authorize_done(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	bool taken = act->answer.state == PROVIDER_CAPTURED;
	ChargeRow charge = new_charge(act, intent);
	DbBatch *batch = db_batch(a);

	if (taken)
		charge.captured = act->answer.captured > 0
		                          ? MIN(act->answer.captured, charge.amount)
		                          : charge.amount;
	attempt_close(&act->attempt, taken ? ATTEMPT_CAPTURED : ATTEMPT_AUTHORIZED);
	attempt_put(batch, &act->attempt);
	batch_put(batch, &sql_exec_charge_add, &charge, NULL, NULL, NULL);
	intent->charge_id = opt_uuid(charge.id);
	intent->error = (OptStr){ 0 };
	intent->action_url = S("");
	if (taken)
		return succeed(tx, a, act, intent, &charge, batch);
	intent->status = intent_status_name(INTENT_NEEDS_CAPTURE);
	intent_put_row(batch, intent);
	TRY(db_batch_run(tx, a, batch));
	TRY(charge_tell(tx, a, act, "charge.succeeded", &charge));
	return intent_tell(tx, a, act, "payment_intent.amount_capturable_updated", intent);
}

static Str error_json(Arena *a, const Act *act, const MethodRow *method)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	json_begin_object(&w);
	json_put_str(&w, "type", S("card_error"));
	json_put_str(&w, "code", act->code);
	if (act->decline_code.len)
		json_put_str(&w, "decline_code", act->decline_code);
	json_put_str(&w, "message", act->message);
	if (act->charge_id.len)
		json_put_str(&w, "charge", act->charge_id);
	if (method) {
		json_key(&w, S("payment_method"));
		method_put(&w, a, method);
	}
	json_end(&w);
	return str_dup(a, buf_str(&b));
}

static void note_code(Act *act)
{
	const ProviderAnswer *answer = &act->answer;
	bool declined = answer->result == PROVIDER_DECLINED;

	act->code = answer->code.len ? answer->code
	            : declined       ? S("card_declined")
	                             : S("processing_error");
	act->decline_code = answer->decline_code;
	act->message = answer->text.len ? answer->text : S("Your card was declined.");
	act->attempt.code = act->code;
	act->attempt.message = act->message;
}

static Err *authorize_no(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	ChargeRow charge = new_charge(act, intent);
	MethodRow *method = NULL;

	note_code(act);
	TRY(attempt_finish(tx, a, &act->attempt, ATTEMPT_FAILED));
	charge.status = S("failed");
	charge.failure_code = act->code;
	charge.failure_message = act->message;
	TRY(db_exec_with(tx, a, charge_add, &charge, NULL));
	act->charge_id = service_id_text(a, "ch_", charge.id);
	if (intent->method_id.set)
		TRY(db_one(tx, a, method_by_id, &method, .id = intent->method_id.v));
	intent->charge_id = opt_uuid(charge.id);
	intent->error = opt_str(error_json(a, act, method));
	intent->method_id = (OptUuid){ 0 };
	intent->action_url = S("");
	intent->status = intent_status_name(INTENT_NEEDS_METHOD);
	TRY(intent_store(tx, a, intent));
	TRY(charge_tell(tx, a, act, "charge.failed", &charge));
	return intent_tell(tx, a, act, "payment_intent.payment_failed", intent);
}

/* --- what may come of any -------------------------------------------------------------------------------------------------------- */

static Err *canceled(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	intent->status = intent_status_name(INTENT_IS_CANCELED);
	intent->canceled_at = opt_int(time_utc_us());
	intent->cancel_reason = act->reason;
	intent->action_url = S("");
	TRY(intent_store(tx, a, intent));
	return intent_tell(tx, a, act, "payment_intent.canceled", intent);
}

/* An authorization that was never heard of again, and now never takes effect. */
static Err *sealed(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	act->attempt.code = S("canceled");
	TRY(attempt_finish(tx, a, &act->attempt, ATTEMPT_FAILED));
	return canceled(tx, a, act, intent);
}

static Err *refund_done(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	ChargeRow *charge;
	MovedRow moved;

	TRY(attempt_finish(tx, a, &act->attempt, ATTEMPT_REFUNDED));
	TRY(db_exec(tx, a, refund_end, NULL, .id = act->refund->id, .status = S("succeeded"),
	            .failure = S("")));
	TRY(db_one(tx, a, charge_by_id, &charge, .id = act->refund->charge_id));
	act->refund->status = S("succeeded");
	TRY(refund_tell(tx, a, act, "refund.updated", act->refund));
	TRY(charge_tell(tx, a, act, "charge.refunded", charge));
	moved = new_moved(act, intent, act->refund->id, -act->refund->amount);
	TRY(db_exec_with(tx, a, moved_add, &moved, NULL));
	return post(tx, a, &moved, intent, act->attempt.provider);
}

static Err *refund_no(Db *tx, Arena *a, Act *act)
{
	note_code(act);
	TRY(attempt_finish(tx, a, &act->attempt, ATTEMPT_FAILED));
	TRY(db_exec(tx, a, refund_end, NULL, .id = act->refund->id, .status = S("failed"),
	            .failure = act->code));
	TRY(db_exec(tx, a, charge_refund, NULL, .id = act->refund->charge_id,
	            .amount = -act->refund->amount));
	act->refund->status = S("failed");
	act->refund->failure = act->code;
	return refund_tell(tx, a, act, "refund.failed", act->refund);
}

static Err *done(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	ChargeRow *charge;

	if (act->op == ATTEMPT_AUTHORIZE)
		return act->seals ? sealed(tx, a, act, intent) : authorize_done(tx, a, act, intent);
	if (act->op == ATTEMPT_REFUND)
		return refund_done(tx, a, act, intent);
	TRY(db_one(tx, a, charge_by_id, &charge, .id = intent->charge_id.v));
	TRY(attempt_finish(tx, a, &act->attempt,
	                   act->op == ATTEMPT_VOID ? ATTEMPT_VOIDED : ATTEMPT_CAPTURED));
	if (act->op == ATTEMPT_VOID) {
		TRY(db_exec(tx, a, charge_voided, NULL, .id = charge->id));
		return canceled(tx, a, act, intent);
	}
	charge->captured = act->attempt.amount;
	TRY(db_exec(tx, a, charge_captured, NULL, .id = charge->id, .captured = charge->captured));
	return succeed(tx, a, act, intent, charge, db_batch(a));
}

/* Nothing has changed: as it was before, and it may be tried again. */
static Err *back(Db *tx, Arena *a, Act *act, IntentRow *intent, bool declined)
{
	IntentStatus before =
		act->op == ATTEMPT_AUTHORIZE ? INTENT_NEEDS_CONFIRMATION : INTENT_NEEDS_CAPTURE;

	note_code(act);
	if (!declined)
		act->code = S("");
	TRY(attempt_finish(tx, a, &act->attempt, ATTEMPT_FAILED));
	intent->status = intent_status_name(before);
	intent->action_url = S("");
	return intent_store(tx, a, intent);
}

static Err *stay_open(Db *tx, Arena *a, Act *act, IntentRow *intent)
{
	bool action = act->answer.result == PROVIDER_ACTION && act->op == ATTEMPT_AUTHORIZE;
	IntentStatus status = action ? INTENT_NEEDS_ACTION : INTENT_PROCESSING;
	bool told = str_eq(intent->status, intent_status_name(status)) &&
	            (!action || intent->action_url.len);

	act->open = true;
	if (act->answer.result == PROVIDER_UNKNOWN)
		act->attempt.message = act->answer.text;
	TRY(attempt_stay_open(tx, a, &act->attempt));
	if (act->op == ATTEMPT_REFUND || act->answer.result == PROVIDER_UNKNOWN || told)
		return NULL;
	intent->status = intent_status_name(status);
	intent->action_url = action ? act->answer.action_url : intent->action_url;
	TRY(intent_store(tx, a, intent));
	return intent_tell(tx, a, act,
	                   action ? "payment_intent.requires_action" : "payment_intent.processing",
	                   intent);
}

/* For metrics: counted when it is committed. */
static const char *verdict_name(Verdict verdict)
{
	static const char *const names[] = { [VERDICT_OPEN] = "unknown",
		                             [VERDICT_DONE] = "done",
		                             [VERDICT_NO] = "declined",
		                             [VERDICT_UNDONE] = "undone" };

	return names[verdict];
}

static Err *write_down(Db *tx, Arena *a, Act *act, IntentRow *intent, Verdict verdict)
{
	switch (verdict) {
	case VERDICT_DONE:
		return done(tx, a, act, intent);
	case VERDICT_NO:
		if (act->op == ATTEMPT_AUTHORIZE)
			return authorize_no(tx, a, act, intent);
		return act->op == ATTEMPT_REFUND ? refund_no(tx, a, act)
		                                 : back(tx, a, act, intent, true);
	case VERDICT_UNDONE:
		act->undone = !act->again;
		return act->op == ATTEMPT_REFUND ? refund_no(tx, a, act)
		                                 : back(tx, a, act, intent, false);
	case VERDICT_OPEN:
	default:
		return stay_open(tx, a, act, intent);
	}
}

/* A cancel of an authorization that is open: done when the provider says that it will not take effect. What it says else says nothing. */
static Verdict judge(Act *act)
{
	const ProviderAnswer *answer = &act->answer;
	bool late = act->provider &&
	            time_utc_us() - act->attempt.sent_at.v > provider_absent_us(act->provider);

	if (!act->seals)
		return attempt_verdict(act->op, answer, act->looked, late);
	return answer->result == PROVIDER_OK ||
	                       (answer->result == PROVIDER_ABSENT && answer->sealed)
	               ? VERDICT_DONE
	               : VERDICT_OPEN;
}

Err *act_end(Db *tx, Arena *a, Act *act)
{
	AttemptState state = ATTEMPT_FAILED;
	IntentRow *intent;
	AttemptRow *row;
	DbBatch *batch = db_batch(a);
	Verdict verdict;

	act->verdict = "";
	act->open = act->undone = false;
	act->code = act->decline_code = act->message = act->charge_id = (Str){ 0 };
	batch_one(batch, intent_hold, &intent, .id = act->intent);
	batch_one(batch, attempt_by_id, &row, .id = act->attempt.id);
	TRY(db_batch_run(tx, a, batch));
	if (!intent || !row)
		return err_new(a, ERR_INTERNAL, "payment.attempt", "the attempt is gone");
	act->after = intent;
	act->attempt = *row;
	attempt_state_read(row->state, &state);
	if (row->refund_id.set)
		TRY(db_one(tx, a, refund_by_id, &act->refund, .id = row->refund_id.v));
	if (!attempt_is_open(state))
		return NULL;
	if (act->op == ATTEMPT_REFUND && act->answer.refund.len)
		act->attempt.reference = act->answer.refund;
	else if (act->op != ATTEMPT_REFUND && act->answer.reference.len)
		act->attempt.reference = act->answer.reference;
	verdict = judge(act);
	act->verdict = verdict_name(verdict);
	return write_down(tx, a, act, intent, verdict);
}

/* --- the answer of a request ------------------------------------------------------------------------------------------------------- */

static Err *refused(ServiceCall *c, Act *act)
{
	StripeRefusal refusal = { .status = 402,
		                  .code = act->code,
		                  .decline_code = act->decline_code,
		                  .message = act->message,
		                  .charge = act->charge_id };

	if (act->after)
		refusal.object =
			stripe_text(c->arena, intent_put, &(IntentView){ .intent = act->after });
	stripe_refuse(c, &refusal);
	return NULL;
}

Err *act_answer(ServiceCall *c, Db *tx, Act *act)
{
	IntentView view;

	if (act->op == ATTEMPT_REFUND) {
		refund_put(stripe_json(c), c->arena, act->refund);
		return NULL;
	}
	if (act->code.len)
		return refused(c, act);
	TRY(intent_view(c, tx, act->after, &view));
	intent_put(stripe_json(c), c->arena, &view);
	return NULL;
}
