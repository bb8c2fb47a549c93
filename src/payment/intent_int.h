/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of intents, charges and refunds share. */
#pragma once
#include "payment/intent.h"
#include "payment/payment_domain.h"
#include "payment/provider.h"
#include "payment/stripe.h"

#include "payment_intent_sql.h"
#include "payment_sql.h"

typedef struct Payment Payment;

/* --- as Stripe shows them: intent_json.c ---------------------------------------------------------------------------------- */

/* What stands in place of its id is given; NULL: the id. */
typedef struct IntentView {
	const IntentRow *intent;
	const CustomerRow *customer;
	const MethodRow *method;
	const ChargeRow *charge;
	bool told; /* to others: without its secret */
} IntentView;
StripePut intent_put; /* of an IntentView */
StripePut charge_put; /* of a ChargeRow */
StripePut refund_put; /* of a RefundRow */
StripePut moved_put;  /* of a MovedRow */
StripePut customer_put;
StripePut method_put;
/* The intent with what the request wants to have within. */
Err *intent_view(ServiceCall *c, Db *db, const IntentRow *intent, IntentView *out) MUST_USE;

/* --- one act upon an intent: act.c, act_end.c ----------------------------------------------------------------------------- */

enum { ACT_TRIES = 8 };

/* From its first transaction to its last, and the question to a provider between them. Fill in what stands above the line. */
typedef struct Act {
	const ServiceHome *home;
	Arena *arena;
	ServiceCall *call; /* of a request: its key is claimed and settled; NULL: none */
	AttemptOp op;
	Uuid intent;
	IntentRow *fresh;  /* of ATTEMPT_AUTHORIZE: a new one, made in the first transaction */
	MethodRow *method; /* of ATTEMPT_AUTHORIZE */
	bool fresh_method; /* it is new as well */
	RefundRow *refund; /* of ATTEMPT_REFUND */
	int64_t amount;    /* of ATTEMPT_CAPTURE: 0: all of it */
	Str reason;        /* of ATTEMPT_VOID */
	Str return_url;
	bool off_session;
	bool seals; /* of ATTEMPT_VOID: an authorization that is open: that it may never take effect */
	Str traceparent;
	/* ---- */
	Str tried[ACT_TRIES];
	size_t tried_count;
	const Provider *provider;
	AttemptRow attempt;
	ChargeRow *charge; /* of all but ATTEMPT_AUTHORIZE */
	ProviderAsk ask;
	ProviderAnswer answer;
	bool looked; /* the answer is one of provider_get */
	bool again;  /* it was not done, and another provider may do it */
	bool open;   /* nobody knows yet */
	bool undone; /* it was not sent, or the provider does not want it: nothing has changed */
	IntentRow *after; /* as it is in the end */
	Str code, decline_code,
		message; /* why it was not done; code empty: it was, or nobody knows */
	Str charge_id;
	const char *verdict; /* for metrics; empty: it had ended before */
} Act;

/* Does it. Parks. What came of it is in the fields below the line and in act->after. Fails with CONFLICT "payment.state" (what is asked
 * for is not to be had of an intent in that state), "payment.open" (another attempt is open), BUSY "payment.no_provider" (nothing was
 * sent, to nobody), NOT_FOUND "payment.unknown". Of a request: the answer is settled, in stripe_json. */
Err *act_run(Act *act) MUST_USE;

/* In a transaction: writes what a provider's answer makes of an open attempt, and all that follows from it: the intent, the charge, the
 * ledger, events. An attempt that has ended in the meantime stays as it is. act->after is the intent then. */
Err *act_end(Db *tx, Arena *a, Act *act) MUST_USE;
/* The last lines of a request, into stripe_json: the intent (the refund), or why not. */
Err *act_answer(ServiceCall *c, Db *tx, Act *act) MUST_USE;
/* CONFLICT "payment.state", or "payment.open" of one whose attempt is open. */
Err *intent_wrong_state(Arena *a, const IntentRow *intent, IntentVerb verb)
	MUST_USE RETURNS_NONNULL;
/* Says to the provider that the intent's open authorization shall never take effect; act: op is ATTEMPT_VOID. *done: it never will (or there
 * was none open), and the intent is canceled. Parks. */
Err *act_seal(Act *act, bool *done) MUST_USE;
/* In a transaction: nobody knows yet; looked for again later. Fills in row's state and times. */
Err *attempt_stay_open(Db *tx, Arena *a, AttemptRow *attempt) MUST_USE;
Err *attempt_finish(Db *tx, Arena *a, AttemptRow *attempt, AttemptState state) MUST_USE;
/* The same in two steps, for who has more to write at once. */
void attempt_close(AttemptRow *attempt, AttemptState state);
void attempt_put(DbBatch *batch, const AttemptRow *attempt);

/* What a provider's answer says about an attempt: pure. */
typedef enum Verdict {
	VERDICT_OPEN, /* nobody knows yet, or it goes on */
	VERDICT_DONE,
	VERDICT_NO,     /* no, for good: a card that is declined */
	VERDICT_UNDONE, /* nothing happened, and that is no answer to what was asked */
} Verdict;
Verdict attempt_verdict(AttemptOp op, const ProviderAnswer *answer, bool looked, bool late);

/* Asks what came of an open attempt, and writes it down. *open: still nobody knows. Parks. */
Err *attempt_resolve(const ServiceHome *home, Arena *a, Uuid id, bool *open) MUST_USE;
/* The same for the open attempt of an intent, if there is one. */
Err *attempt_resolve_of(const ServiceHome *home, Arena *a, Uuid intent, bool *open) MUST_USE;

/* --- events ------------------------------------------------------------------------------------------------------------------ */

Err *intent_tell(Db *tx, Arena *a, const Act *act, const char *type, const IntentRow *intent)
	MUST_USE;
Err *charge_tell(Db *tx, Arena *a, const Act *act, const char *type, const ChargeRow *charge)
	MUST_USE;
Err *refund_tell(Db *tx, Arena *a, const Act *act, const char *type, const RefundRow *refund)
	MUST_USE;

/* --- rows ---------------------------------------------------------------------------------------------------------------------- */

/* A new one, checked: amount and currency. Fails with INVALID "payment.amount", "payment.currency". */
Err *intent_new(Arena *a, int64_t amount, Str currency, IntentRow **out) MUST_USE;
Uuid payment_id(int64_t *us); /* a new id, and its time: what is shown as `created` */
Err *intent_store(Db *tx, Arena *a, const IntentRow *intent) MUST_USE;
void intent_put_row(DbBatch *batch, const IntentRow *intent);
/* A customer or method that is there, and not removed; NULL where text is empty. Fails with NOT_FOUND "payment.unknown". */
Err *customer_named(Db *db, Arena *a, Str text, CustomerRow **out) MUST_USE;
/* "pm_018f...", or a provider's token ("pm_card_visa", "tok_visa"): then a new row, not yet in the database: *fresh. */
Err *method_named(Db *db, Arena *a, Str text, MethodRow **out, bool *fresh) MUST_USE;
/* A new row for a token that a browser has from its provider; not in the database. Fails as method_named. */
Err *method_token(Arena *a, Str token, MethodRow **out) MUST_USE;
