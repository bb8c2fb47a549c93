/* SPDX-License-Identifier: Apache-2.0
 *
 * What an intent may do in which state, and when a question whose answer nobody heard is asked again. Nothing here knows of a database or
 * of a provider; nothing parks. */
#pragma once
#include "base/str.h"

typedef enum IntentStatus {
	INTENT_NEEDS_METHOD,
	INTENT_NEEDS_CONFIRMATION,
	INTENT_NEEDS_ACTION,
	INTENT_PROCESSING,
	INTENT_NEEDS_CAPTURE,
	INTENT_SUCCEEDED,
	INTENT_IS_CANCELED,
	INTENT_STATUSES
} IntentStatus;

typedef enum IntentVerb {
	INTENT_UPDATE,
	INTENT_CONFIRM,
	INTENT_CAPTURE,
	INTENT_CANCEL,
	INTENT_REFUND,
	INTENT_VERBS
} IntentVerb;

Str intent_status_name(IntentStatus status); /* "requires_payment_method" */
bool intent_status_read(Str text, IntentStatus *out);
bool intent_may(IntentStatus status, IntentVerb verb);
Str intent_verb_name(IntentVerb verb); /* "confirm" */

typedef enum AttemptOp {
	ATTEMPT_AUTHORIZE,
	ATTEMPT_CAPTURE,
	ATTEMPT_VOID,
	ATTEMPT_REFUND,
	ATTEMPT_OPS
} AttemptOp;
Str attempt_op_name(AttemptOp op);
bool attempt_op_read(Str text, AttemptOp *out);

typedef enum AttemptState {
	ATTEMPT_CREATED,
	ATTEMPT_SENT,
	ATTEMPT_UNKNOWN,
	ATTEMPT_AUTHORIZED,
	ATTEMPT_CAPTURED,
	ATTEMPT_VOIDED,
	ATTEMPT_REFUNDED,
	ATTEMPT_FAILED,
	ATTEMPT_STATES
} AttemptState;
Str attempt_state_name(AttemptState state);
bool attempt_state_read(Str text, AttemptState *out);
bool attempt_is_open(AttemptState state); /* nobody knows yet what came of it */
/* How long after the n-th look (0: after it was sent) the next one is due, in microseconds: seconds at first, a day in the end. */
int64_t attempt_pause_us(int64_t looks);

/* Is it a sentence that a statement of account can have: 1 to 22 printable ASCII characters, a letter, none of <>\'"* ? */
bool statement_is(Str text);
/* Has an address one @ with something on both sides? */
bool email_is(Str text);
