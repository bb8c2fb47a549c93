/* SPDX-License-Identifier: Apache-2.0
 *
 * Payment intents, for who charges from within this process: a checkout, an invoice. (People and programs outside use
 * /v1/payment_intents: intent_api.c.)
 *
 *	IntentAsk ask = { .key = S("checkout:018f..."), .amount = 1250, .currency = S("eur"), .method = S("pm_..."), ... };
 *	TRY(intent_pay(home, a, &ask, &intent));
 *	switch (intent.outcome) { case INTENT_PAID: ...; case INTENT_REFUSED: undo; case INTENT_OPEN: ask again later; }
 *
 * All of it parks (it talks to a provider), must not run within a transaction, and may be called again after anything, a kill -9
 * too, with the same key: the second call finds what the first has done, asks the provider where that ended unknown, and never
 * makes a second charge. Errors are those of db.h, and those named. */
#pragma once
#include "base/err.h"
#include "base/uuid.h"

typedef struct ServiceHome ServiceHome;

typedef enum IntentOutcome {
	INTENT_PAID,     /* captured, and in the ledger */
	INTENT_HELD,     /* authorized: to be captured or cancelled (of .manual) */
	INTENT_REFUSED,  /* declined: nothing is charged. code and message say why */
	INTENT_CANCELED, /* nothing is charged, and never will be */
	INTENT_OPEN, /* nobody knows yet: asked again by the resolver, and by the next call; no other attempt is made meanwhile */
} IntentOutcome;

typedef struct IntentAsk {
	Str key;        /* the same key: the same intent; 255 bytes at most */
	int64_t amount; /* of the currency's smallest unit, above 0 */
	Str currency;   /* ISO 4217, "eur" or "EUR" */
	Str customer;   /* "cus_..."; empty: none */
	Str method; /* "pm_...", or a provider's token ("tok_visa"); empty: the customer's default */
	bool manual;  /* authorize only: intent_capture or intent_cancel is to follow */
	Uuid invoice; /* nil: none */
	Str description, email;
	Str metadata; /* a JSON object of strings; empty: none */
	Str traceparent;
} IntentAsk;

typedef struct IntentSeen {
	Uuid id; /* intent_id_text: "pi_..." */
	IntentOutcome outcome;
	Str status; /* Stripe's word: "succeeded" */
	int64_t amount, received;
	Str currency;
	Uuid charge;       /* nil: none */
	Str code, message; /* of the last decline: "card_declined" */
	Str provider;
} IntentSeen;

/* Makes it, if there is none of that key, and confirms it. A key whose intent was refused is asked anew, as a new attempt, only when
 * `again`; without, the same refusal is told. Fails with INVALID "payment.amount", "payment.currency", "payment.method",
 * "payment.customer", CONFLICT "payment.key" (of another amount or currency before). */
Err *intent_pay(const ServiceHome *home, Arena *a, const IntentAsk *ask, bool again,
                IntentSeen *out) MUST_USE;
/* As it is; asks nobody. NULL *found: there is none. */
Err *intent_find(const ServiceHome *home, Arena *a, Uuid id, bool *found, IntentSeen *out) MUST_USE;
Err *intent_find_key(const ServiceHome *home, Arena *a, Str key, bool *found, IntentSeen *out)
	MUST_USE;
/* Captures what is held, all of it when amount is 0. Fails with CONFLICT "payment.state". Again: tells how it is. */
Err *intent_capture(const ServiceHome *home, Arena *a, Uuid id, int64_t amount, Str traceparent,
                    IntentSeen *out) MUST_USE;
/* Nothing was charged, or what is held is let go. Fails with CONFLICT "payment.state" (it is paid: refund it; or an attempt is
 * open: then out->outcome is INTENT_OPEN). Again: tells how it is. */
Err *intent_cancel(const ServiceHome *home, Arena *a, Uuid id, Str reason, Str traceparent,
                   IntentSeen *out) MUST_USE;
/* Undoes a charge, all that is left of it when amount is 0. key: the same key, the same refund. *status: "succeeded", "pending"
 * (nobody knows yet: call again), "failed". Fails with CONFLICT "payment.state", INVALID "payment.amount". */
Err *intent_refund(const ServiceHome *home, Arena *a, Uuid id, int64_t amount, Str key,
                   Str traceparent, Str *status) MUST_USE;

/* What a checkout calls to undo whatever its ask has done: cancels what is open or held, refunds what is paid; when nothing of that
 * key is there, a cancelled one is, so that an ask that comes late finds it. *undone false: not yet, call again. */
Err *intent_undo(const ServiceHome *home, Arena *a, const IntentAsk *ask, bool *undone) MUST_USE;

Str intent_id_text(Arena *a, Uuid id);
