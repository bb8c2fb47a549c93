/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking back an authorization of which nobody knows what came. The provider is told that its key shall never take effect (or, where it did,
 * that it be let go): when it agrees the attempt has failed and the intent is canceled, whatever still comes. When it does not, or cannot be
 * heard, all stays open and is looked at again. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "payment/payment.h"
#include "service/service.h"

static Err *end_step(Db *tx, Arena *a, void *arg)
{
	return act_end(tx, a, arg);
}

static Err *ask(Act *act, AttemptRow *row)
{
	act->attempt = *row;
	act->op = ATTEMPT_AUTHORIZE;
	act->seals = true;
	act->provider = provider_named(payment_of(act->home)->providers, row->provider);
	act->answer = (ProviderAnswer){ .result = PROVIDER_UNKNOWN };
	act->ask = (ProviderAsk){ .key = uuid_text(act->arena, row->id),
		                  .reference = row->reference,
		                  .amount = row->amount,
		                  .currency = row->currency,
		                  .created_us = row->sent_at.v,
		                  .traceparent = act->traceparent };
	return act->provider ? provider_cancel(act->provider, act->arena, &act->ask, &act->answer)
	                     : NULL;
}

Err *act_seal(Act *act, bool *done)
{
	Db *db = act->home->db;
	AttemptRow *row;
	bool open;

	*done = false;
	TRY(db_one(db, act->arena, attempt_open, &row, .intent_id = act->intent));
	if (!row || !str_eq(row->op, attempt_op_name(ATTEMPT_AUTHORIZE)))
		return NULL;
	TRY(ask(act, row));
	TRY(db_txn(db, act->arena, DB_READ_COMMITTED, end_step, act));
	*done = str_eq(act->after->status, intent_status_name(INTENT_IS_CANCELED));
	/* It may have been taken before: then that is how it ended. */
	return *done ? NULL : attempt_resolve_of(act->home, act->arena, act->intent, &open);
}
