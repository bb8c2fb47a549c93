/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/payment_domain.c"

#include "unit.h"

TEST(words_are_read_back)
{
	IntentStatus status;
	AttemptState state;
	AttemptOp op;

	(void)a;
	for (size_t i = 0; i < INTENT_STATUSES; i++)
		CHECK(intent_status_read(intent_status_name((IntentStatus)i), &status) &&
		      status == i);
	for (size_t i = 0; i < ATTEMPT_STATES; i++)
		CHECK(attempt_state_read(attempt_state_name((AttemptState)i), &state) &&
		      state == i);
	for (size_t i = 0; i < ATTEMPT_OPS; i++)
		CHECK(attempt_op_read(attempt_op_name((AttemptOp)i), &op) && op == i);
	for (size_t i = 0; i < INTENT_VERBS; i++)
		CHECK(intent_verb_name((IntentVerb)i).len > 0);
	CHECK(!intent_status_read(S("paid"), &status));
	CHECK(!attempt_state_read(S(""), &state));
}

TEST(what_is_paid_or_open_cannot_be_confirmed_or_cancelled)
{
	static const struct {
		IntentStatus status;
		bool confirm, capture, cancel, refund;
	} cases[] = {
		{ INTENT_NEEDS_METHOD, true, false, true, false },
		{ INTENT_NEEDS_CONFIRMATION, true, false, true, false },
		{ INTENT_NEEDS_ACTION, false, false, true, false },
		{ INTENT_PROCESSING, false, false, false, false },
		{ INTENT_NEEDS_CAPTURE, false, true, true, false },
		{ INTENT_SUCCEEDED, false, false, false, true },
		{ INTENT_IS_CANCELED, false, false, false, false },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(intent_may(cases[i].status, INTENT_CONFIRM) == cases[i].confirm);
		CHECK(intent_may(cases[i].status, INTENT_CAPTURE) == cases[i].capture);
		CHECK(intent_may(cases[i].status, INTENT_CANCEL) == cases[i].cancel);
		CHECK(intent_may(cases[i].status, INTENT_REFUND) == cases[i].refund);
	}
}

TEST(the_unknown_is_open_and_asked_about_ever_more_rarely)
{
	(void)a;
	CHECK(attempt_is_open(ATTEMPT_UNKNOWN) && attempt_is_open(ATTEMPT_SENT));
	CHECK(!attempt_is_open(ATTEMPT_FAILED) && !attempt_is_open(ATTEMPT_CAPTURED));
	for (int64_t i = 0; i < 20; i++)
		CHECK(attempt_pause_us(i) <= attempt_pause_us(i + 1));
	CHECK(attempt_pause_us(0) == 2 * US_PER_S);
	CHECK(attempt_pause_us(1000) == 86400 * US_PER_S);
}

TEST(statements_and_addresses)
{
	(void)a;
	CHECK(statement_is(S("BANYAN SHOP 12")) && !statement_is(S("12")) &&
	      !statement_is(S("a<b")));
	CHECK(!statement_is(S("12345678901234567890abc")));
	CHECK(email_is(S("a@b")) && !email_is(S("@b")) && !email_is(S("a@")) &&
	      !email_is(S("a@b@c")) && !email_is(S("")));
}
