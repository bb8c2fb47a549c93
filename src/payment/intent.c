/* SPDX-License-Identifier: Apache-2.0
 *
 * Intents for who charges from within this process: a checkout, an invoice. What they share with requests from outside is act.h's; what is
 * theirs is that the caller's key finds the intent again, so that a call which is repeated after anything goes on where the first one was. */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "base/money.h"
#include "service/service.h"

enum { SECRET_BYTES = 12, KEY_MOST = 255 };

Str intent_id_text(Arena *a, Uuid id)
{
	return service_id_text(a, "pi_", id);
}

Err *intent_new(Arena *a, int64_t amount, Str currency, IntentRow **out)
{
	Str known = money_currency(currency);
	IntentRow *row = ARENA_NEW(a, IntentRow);
	AUTO(buf_fini) Buf secret = { 0 };
	uint8_t random[SECRET_BYTES];

	if (amount < 1 || amount > MONEY_MOST)
		return err_new(a, ERR_INVALID, "payment.amount",
		               "the amount is between 1 and %" PRId64, MONEY_MOST);
	if (!known.len)
		return err_new(a, ERR_INVALID, "payment.currency", "Invalid currency: %.*s",
		               STR_ARG(str_quote(a, currency)));
	rand_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++)
		buf_fmt(&secret, "%02x", random[i]);
	*row = (IntentRow){ .amount = amount,
		            .currency = known,
		            .metadata = S("{}"),
		            .status = intent_status_name(INTENT_NEEDS_METHOD),
		            .secret = str_dup(a, buf_str(&secret)) };
	row->id = payment_id(&row->created_at);
	*out = row;
	return NULL;
}

/* --- how one is --------------------------------------------------------------------------------------------------------------------- */

static IntentOutcome outcome_of(IntentStatus status, bool failed)
{
	switch (status) {
	case INTENT_SUCCEEDED:
		return INTENT_PAID;
	case INTENT_NEEDS_CAPTURE:
		return INTENT_HELD;
	case INTENT_IS_CANCELED:
		return INTENT_CANCELED;
	case INTENT_NEEDS_METHOD:
		return failed ? INTENT_REFUSED : INTENT_OPEN;
	case INTENT_NEEDS_CONFIRMATION:
	case INTENT_NEEDS_ACTION:
	case INTENT_PROCESSING:
	case INTENT_STATUSES:
	default:
		return INTENT_OPEN;
	}
}

static Err *see(const ServiceHome *home, Arena *a, const IntentRow *row, IntentSeen *out)
{
	IntentStatus status = INTENT_PROCESSING;
	ChargeRow *charge = NULL;
	const Json *error = NULL;

	intent_status_read(row->status, &status);
	*out = (IntentSeen){ .id = row->id,
		             .outcome = outcome_of(status, row->error.set),
		             .status = row->status,
		             .amount = row->amount,
		             .received = row->received,
		             .currency = row->currency };
	if (row->error.set) {
		TRY(json_read(a, row->error.v, 0, &error));
		json_to_str(json_get(error, S("code")), &out->code);
		json_to_str(json_get(error, S("message")), &out->message);
	}
	if (!row->charge_id.set)
		return NULL;
	out->charge = row->charge_id.v;
	TRY(db_one(home->db, a, charge_by_id, &charge, .id = row->charge_id.v));
	out->provider = charge ? charge->provider : S("");
	return NULL;
}

Err *intent_find(const ServiceHome *home, Arena *a, Uuid id, bool *found, IntentSeen *out)
{
	IntentRow *row;

	TRY(db_one(home->db, a, intent_by_id, &row, .id = id));
	*found = row;
	return row ? see(home, a, row, out) : NULL;
}

Err *intent_find_key(const ServiceHome *home, Arena *a, Str key, bool *found, IntentSeen *out)
{
	IntentRow *row;

	TRY(db_one(home->db, a, intent_by_key, &row, .key = key));
	*found = row;
	return row ? see(home, a, row, out) : NULL;
}

static Err *see_again(const ServiceHome *home, Arena *a, Uuid id, IntentSeen *out)
{
	bool found;

	TRY(intent_find(home, a, id, &found, out));
	return found ? NULL
	             : err_new(a, ERR_NOT_FOUND, "payment.unknown", "there is no such intent");
}

/* --- paying --------------------------------------------------------------------------------------------------------------------------- */

static Err *no_method(Arena *a)
{
	return err_new(a, ERR_INVALID, "payment.method", "there is no payment method to charge");
}

/* Who is asked for is not there: that is the caller's own mistake, not a page that was not found. */
static Err *named(Arena *a, Err *err, const char *slug)
{
	return err && err_is(err, "payment.unknown")
	               ? err_because(a, err, ERR_INVALID, slug, "%.*s", STR_ARG(err->text))
	               : err;
}

static Err *find_method(const ServiceHome *home, Arena *a, const IntentAsk *ask,
                        const CustomerRow *customer, Act *act)
{
	TRY(named(a, method_named(home->db, a, ask->method, &act->method, &act->fresh_method),
	          "payment.method"));
	if (!act->method && customer && customer->method_id.set)
		TRY(db_one(home->db, a, method_by_id, &act->method, .id = customer->method_id.v));
	if (act->method && act->method->customer_id.set &&
	    !(customer && uuid_eq(customer->id, act->method->customer_id.v)))
		return err_new(a, ERR_INVALID, "payment.method",
		               "the payment method is another customer's");
	return act->method ? NULL : no_method(a);
}

static Err *make(const ServiceHome *home, Arena *a, const IntentAsk *ask, Act *act)
{
	CustomerRow *customer;
	IntentRow *row;

	TRY(named(a, customer_named(home->db, a, ask->customer, &customer), "payment.customer"));
	TRY(find_method(home, a, ask, customer, act));
	if (act->fresh)
		return NULL;
	TRY(intent_new(a, ask->amount, ask->currency, &row));
	row->unique_key = opt_str(ask->key);
	row->manual = ask->manual;
	row->description = ask->description;
	row->email = ask->email;
	row->metadata = ask->metadata.len ? ask->metadata : S("{}");
	if (customer)
		row->customer_id = opt_uuid(customer->id);
	if (!uuid_is_nil(ask->invoice))
		row->invoice_id = opt_uuid(ask->invoice);
	act->fresh = row;
	act->intent = row->id;
	return NULL;
}

/* Errors that say how it stands, and are no failure of the call: another act was faster, or nobody can be asked just now. */
static Err *settle_down(const ServiceHome *home, Arena *a, const IntentAsk *ask, Err *err,
                        IntentSeen *out)
{
	bool found;

	if (err && !err_is(err, "db.unique") && !err_is(err, "payment.open") &&
	    !err_is(err, "payment.state"))
		return err;
	TRY(intent_find_key(home, a, ask->key, &found, out));
	return found ? NULL : err;
}

static Err *pay_new(const ServiceHome *home, Arena *a, const IntentAsk *ask, IntentSeen *out)
{
	Act *act = ARENA_NEW(a, Act);

	*act = (Act){ .home = home,
		      .arena = a,
		      .op = ATTEMPT_AUTHORIZE,
		      .traceparent = ask->traceparent,
		      .off_session = true };
	TRY(make(home, a, ask, act));
	return settle_down(home, a, ask, act_run(act), out);
}

/* One that is there: goes on with it where it is to be gone on with. */
static Err *pay_old(const ServiceHome *home, Arena *a, const IntentAsk *ask, IntentSeen *out)
{
	Act *act = ARENA_NEW(a, Act);
	CustomerRow *customer;

	*act = (Act){ .home = home,
		      .arena = a,
		      .op = ATTEMPT_AUTHORIZE,
		      .intent = out->id,
		      .traceparent = ask->traceparent,
		      .off_session = true };
	TRY(named(a, customer_named(home->db, a, ask->customer, &customer), "payment.customer"));
	TRY(find_method(home, a, ask, customer, act));
	return settle_down(home, a, ask, act_run(act), out);
}

static bool may_confirm(const IntentSeen *seen)
{
	IntentStatus status = INTENT_PROCESSING;

	return intent_status_read(seen->status, &status) && intent_may(status, INTENT_CONFIRM);
}

Err *intent_pay(const ServiceHome *home, Arena *a, const IntentAsk *ask, bool again,
                IntentSeen *out)
{
	bool found, open;

	if (!ask->key.len || ask->key.len > KEY_MOST)
		return err_new(a, ERR_INVALID, "payment.key", "an intent's key has 1 to %d bytes",
		               (int)KEY_MOST);
	TRY(intent_find_key(home, a, ask->key, &found, out));
	if (!found)
		return pay_new(home, a, ask, out);
	if (out->amount != ask->amount || !str_eq(out->currency, money_currency(ask->currency)))
		if (out->outcome != INTENT_CANCELED)
			return err_new(a, ERR_CONFLICT, "payment.key",
			               "this key is of an intent of %.*s",
			               STR_ARG(money_text(a, out->amount, out->currency)));
	if (out->outcome == INTENT_OPEN && !may_confirm(out)) {
		TRY(attempt_resolve_of(home, a, out->id, &open));
		TRY(see_again(home, a, out->id, out));
	}
	if (!may_confirm(out) || (out->outcome == INTENT_REFUSED && !again))
		return NULL;
	return pay_old(home, a, ask, out);
}

/* --- what comes after --------------------------------------------------------------------------------------------------------------- */

/* What another act has done meanwhile is not ours to fail at, when it is what was wanted. */
static Err *want(const ServiceHome *home, Arena *a, Uuid id, IntentOutcome wanted, Err *err,
                 IntentSeen *out)
{
	if (err && !err_is(err, "payment.state") && !err_is(err, "payment.open"))
		return err;
	TRY(see_again(home, a, id, out));
	return out->outcome == wanted || !err ||
	                       (err_is(err, "payment.open") && out->outcome == INTENT_OPEN)
	               ? NULL
	               : err;
}

static Err *charge_of(const ServiceHome *home, Arena *a, Act *act)
{
	IntentRow *row;

	TRY(db_one(home->db, a, intent_by_id, &row, .id = act->intent));
	if (row && row->charge_id.set)
		TRY(db_one(home->db, a, charge_by_id, &act->charge, .id = row->charge_id.v));
	return act->charge ? NULL
	                   : err_new(a, ERR_CONFLICT, "payment.state",
	                             "nothing is held of this PaymentIntent");
}

Err *intent_capture(const ServiceHome *home, Arena *a, Uuid id, int64_t amount, Str traceparent,
                    IntentSeen *out)
{
	Act *act = ARENA_NEW(a, Act);
	bool open;

	*act = (Act){ .home = home,
		      .arena = a,
		      .op = ATTEMPT_CAPTURE,
		      .intent = id,
		      .amount = amount,
		      .traceparent = traceparent };
	TRY(attempt_resolve_of(home, a, id, &open));
	TRY(see_again(home, a, id, out));
	if (open || out->outcome == INTENT_PAID)
		return NULL;
	TRY(charge_of(home, a, act));
	return want(home, a, id, INTENT_PAID, act_run(act), out);
}

typedef struct Cancel {
	const Act *act;
	Uuid id;
	Str reason;
} Cancel;

/* Nothing is with a provider. */
static Err *cancel_here(Db *tx, Arena *a, void *arg)
{
	const Cancel *cancel = arg;
	IntentStatus status = INTENT_PROCESSING;
	IntentRow *row;

	TRY(db_one(tx, a, intent_hold, &row, .id = cancel->id));
	if (!row || !intent_status_read(row->status, &status) ||
	    (status != INTENT_NEEDS_METHOD && status != INTENT_NEEDS_CONFIRMATION))
		return NULL;
	row->status = intent_status_name(INTENT_IS_CANCELED);
	row->canceled_at = opt_int(time_utc_us());
	row->cancel_reason = cancel->reason;
	TRY(intent_store(tx, a, row));
	return intent_tell(tx, a, cancel->act, "payment_intent.canceled", row);
}

Err *intent_cancel(const ServiceHome *home, Arena *a, Uuid id, Str reason, Str traceparent,
                   IntentSeen *out)
{
	Act *act = ARENA_NEW(a, Act);
	bool sealed;

	*act = (Act){ .home = home,
		      .arena = a,
		      .op = ATTEMPT_VOID,
		      .intent = id,
		      .reason = reason,
		      .traceparent = traceparent };
	TRY(db_txn(home->db, a, DB_READ_COMMITTED, cancel_here, &(Cancel){ act, id, reason }));
	TRY(see_again(home, a, id, out));
	if (out->outcome == INTENT_OPEN) {
		TRY(act_seal(act, &sealed));
		TRY(see_again(home, a, id, out));
		*act = (Act){ .home = home,
			      .arena = a,
			      .op = ATTEMPT_VOID,
			      .intent = id,
			      .reason = reason,
			      .traceparent = traceparent };
	}
	if (out->outcome == INTENT_HELD) {
		TRY(charge_of(home, a, act));
		return want(home, a, id, INTENT_CANCELED, act_run(act), out);
	}
	if (out->outcome == INTENT_PAID)
		return err_new(a, ERR_CONFLICT, "payment.state",
		               "this PaymentIntent is paid: refund it");
	return NULL;
}

/* --- undoing -------------------------------------------------------------------------------------------------------------------------- */

Err *intent_refund(const ServiceHome *home, Arena *a, Uuid id, int64_t amount, Str key,
                   Str traceparent, Str *status)
{
	Act *act = ARENA_NEW(a, Act);
	RefundRow *refund;
	bool open;
	Err *err;

	TRY(attempt_resolve_of(home, a, id, &open));
	TRY(db_one(home->db, a, refund_by_key, &refund, .key = key));
	*status = refund ? refund->status : S("pending");
	if (refund || open)
		return NULL;
	*act = (Act){ .home = home,
		      .arena = a,
		      .op = ATTEMPT_REFUND,
		      .intent = id,
		      .amount = amount,
		      .traceparent = traceparent };
	TRY(charge_of(home, a, act));
	refund = ARENA_NEW(a, RefundRow);
	*refund = (RefundRow){ .charge_id = act->charge->id,
		               .intent_id = id,
		               .currency = act->charge->currency,
		               .status = S("pending"),
		               .unique_key = opt_str(key),
		               .metadata = S("{}") };
	refund->id = payment_id(&refund->created_at);
	act->refund = refund;
	err = act_run(act);
	if (err && err_is(err, "payment.refunded") && !amount)
		*status = S("succeeded"); /* all of it is given back already */
	else if (!err)
		*status = act->refund->status;
	return err && err_is(err, "payment.refunded") && !amount ? NULL : err;
}

/* Of a key that nothing was made of: one that is canceled, so that an ask which comes late finds it. */
static Err *bury(Db *tx, Arena *a, void *arg)
{
	const IntentAsk *ask = arg;
	IntentRow *row;

	TRY(intent_new(a, ask->amount, ask->currency, &row));
	row->status = intent_status_name(INTENT_IS_CANCELED);
	row->canceled_at = opt_int(row->created_at);
	row->cancel_reason = S("abandoned");
	row->unique_key = opt_str(ask->key);
	return db_exec_with(tx, a, intent_add, row, NULL);
}

Err *intent_undo(const ServiceHome *home, Arena *a, const IntentAsk *ask, bool *undone)
{
	IntentSeen seen;
	Str status;
	bool found;
	Err *err;

	*undone = false;
	TRY(intent_find_key(home, a, ask->key, &found, &seen));
	if (!found) {
		err = db_txn(home->db, a, DB_READ_COMMITTED, bury, (void *)(uintptr_t)ask);
		*undone = !err;
		return err_is(err, "db.unique") ? NULL : err; /* it came at this moment: again */
	}
	if (seen.outcome != INTENT_PAID) {
		err = intent_cancel(home, a, seen.id, S("abandoned"), ask->traceparent, &seen);
		if (err && !err_is(err, "payment.state"))
			return err;
	}
	if (seen.outcome == INTENT_PAID) {
		TRY(intent_refund(home, a, seen.id, 0, str_fmt(a, "%.*s:undo", STR_ARG(ask->key)),
		                  ask->traceparent, &status));
		*undone = str_eq(status, S("succeeded"));
		return NULL;
	}
	*undone = seen.outcome == INTENT_CANCELED;
	return NULL;
}
