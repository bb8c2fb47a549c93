/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of stripe.h share: a request, beside its ServiceCall (c->in). */
#pragma once
#include "payment/stripe.h"

enum { STRIPE_DIGEST = 32 };

/* Its Idempotency-Key. */
typedef struct Once {
	Str key; /* empty: it has none */
	Str who;
	uint8_t digest[STRIPE_DIGEST];
	bool resumes;
	Uuid object;
	bool found; /* an answer that was kept */
	unsigned status;
	Str body;
} Once;

typedef struct StripeCall {
	const Json *json; /* what was sent */
	bool words;       /* every scalar is a string: it was a form */
	Once once;
	/* of an error */
	const char *param, *code;
	/* of an answer */
	Buf body;
	JsonWriter json_out;
	Str answer; /* of json_out, with what was to be expanded; empty: not yet */
} StripeCall;

StripeCall *stripe_of(ServiceCall *c) RETURNS_NONNULL; /* made when there is none */

/* stripe_once.c: looks whether the request was here before. Fails with `stripe_kept` when its answer is there (stripe_fail says it),
 * CONFLICT "idempotency.running", INVALID "idempotency.mismatch". */
Err *once_begin(ServiceCall *c) MUST_USE;
Err *stripe_kept(void) RETURNS_NONNULL;
/* Rows are kept for a day. */
Err *once_purge(Db *db, Arena *a, int64_t before_us) MUST_USE;

/* The answer in stripe_json as it goes out, or is kept: with what `expand` asks for. db may be a transaction. */
Err *stripe_answer(ServiceCall *c, Db *db, Str *answer) MUST_USE;
void stripe_put_problem(ServiceCall *c, JsonWriter *w, const Err *err, unsigned status);
