/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of intents and attempts, as tables.
 *
 *   requires_payment_method -> requires_confirmation -> processing -> succeeded
 *              ^                                          |   |  `-> requires_action -> processing
 *              `---- declined ----------------------------'   `----> requires_capture -> processing -> succeeded
 *
 * and canceled from any of them while no attempt is open and nothing was taken. An attempt is a question to a provider; its answer may be
 * lost on the way, and then it is `unknown`: not failed. */
#include "payment/payment_domain.h"

#include "base/time.h"

static const struct {
	Str name;
	bool may[INTENT_VERBS];
} statuses[INTENT_STATUSES] = {
	[INTENT_NEEDS_METHOD] = { S("requires_payment_method"),
	                          { [INTENT_UPDATE] = true,
	                            [INTENT_CONFIRM] = true,
	                            [INTENT_CANCEL] = true } },
	[INTENT_NEEDS_CONFIRMATION] = { S("requires_confirmation"),
	                                { [INTENT_UPDATE] = true,
	                                  [INTENT_CONFIRM] = true,
	                                  [INTENT_CANCEL] = true } },
	[INTENT_NEEDS_ACTION] = { S("requires_action"), { [INTENT_CANCEL] = true } },
	[INTENT_PROCESSING] = { S("processing"), { false } },
	[INTENT_NEEDS_CAPTURE] = { S("requires_capture"),
	                           { [INTENT_CAPTURE] = true, [INTENT_CANCEL] = true } },
	[INTENT_SUCCEEDED] = { S("succeeded"), { [INTENT_REFUND] = true } },
	[INTENT_IS_CANCELED] = { S("canceled"), { false } },
};
static const Str verbs[INTENT_VERBS] = {
	[INTENT_UPDATE] = S("update"),   [INTENT_CONFIRM] = S("confirm"),
	[INTENT_CAPTURE] = S("capture"), [INTENT_CANCEL] = S("cancel"),
	[INTENT_REFUND] = S("refund"),
};
static const Str ops[ATTEMPT_OPS] = {
	[ATTEMPT_AUTHORIZE] = S("authorize"),
	[ATTEMPT_CAPTURE] = S("capture"),
	[ATTEMPT_VOID] = S("void"),
	[ATTEMPT_REFUND] = S("refund"),
};
static const struct {
	Str name;
	bool open;
} states[ATTEMPT_STATES] = {
	[ATTEMPT_CREATED] = { S("created"), true },
	[ATTEMPT_SENT] = { S("sent"), true },
	[ATTEMPT_UNKNOWN] = { S("unknown"), true },
	[ATTEMPT_AUTHORIZED] = { S("authorized"), false },
	[ATTEMPT_CAPTURED] = { S("captured"), false },
	[ATTEMPT_VOIDED] = { S("voided"), false },
	[ATTEMPT_REFUNDED] = { S("refunded"), false },
	[ATTEMPT_FAILED] = { S("failed"), false },
};

Str intent_status_name(IntentStatus status)
{
	return statuses[status].name;
}

bool intent_status_read(Str text, IntentStatus *out)
{
	for (size_t i = 0; i < INTENT_STATUSES; i++)
		if (str_eq(text, statuses[i].name)) {
			*out = (IntentStatus)i;
			return true;
		}
	return false;
}

bool intent_may(IntentStatus status, IntentVerb verb)
{
	return statuses[status].may[verb];
}

Str intent_verb_name(IntentVerb verb)
{
	return verbs[verb];
}

Str attempt_op_name(AttemptOp op)
{
	return ops[op];
}

bool attempt_op_read(Str text, AttemptOp *out)
{
	for (size_t i = 0; i < ATTEMPT_OPS; i++)
		if (str_eq(text, ops[i])) {
			*out = (AttemptOp)i;
			return true;
		}
	return false;
}

Str attempt_state_name(AttemptState state)
{
	return states[state].name;
}

bool attempt_state_read(Str text, AttemptState *out)
{
	for (size_t i = 0; i < ATTEMPT_STATES; i++)
		if (str_eq(text, states[i].name)) {
			*out = (AttemptState)i;
			return true;
		}
	return false;
}

bool attempt_is_open(AttemptState state)
{
	return states[state].open;
}

int64_t attempt_pause_us(int64_t looks)
{
	static const int64_t seconds[] = { 2, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86400 };
	size_t i = looks < 0 ? 0 : MIN((size_t)looks, COUNT(seconds) - 1);

	return seconds[i] * US_PER_S;
}

bool statement_is(Str text)
{
	bool letter = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c < ' ' || c > '~' || str_find_char(S("<>\\'\"*"), c) >= 0)
			return false;
		letter |= (c | ' ') >= 'a' && (c | ' ') <= 'z';
	}
	return letter && text.len <= 22;
}

bool email_is(Str text)
{
	ptrdiff_t at = str_find_char(text, '@');

	return at > 0 && (size_t)at + 1 < text.len && at == str_rfind_char(text, '@');
}
