/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/push.c"

#include "base/time.h"
#include "unit.h"

TEST(push_status_is_believed_as_far_as_it_proves_something)
{
	static const struct {
		unsigned status;
		SendOutcome outcome;
	} cases[] = {
		{ 200, SEND_ACCEPTED },  { 201, SEND_ACCEPTED }, { 400, SEND_HARD },
		{ 401, SEND_REFUSED },   { 403, SEND_REFUSED },  { 404, SEND_HARD },
		{ 429, SEND_THROTTLED }, { 500, SEND_UNKNOWN },  { 502, SEND_UNKNOWN },
		{ 503, SEND_SOFT },      { 504, SEND_UNKNOWN },  { 301, SEND_HARD },
	};
	SendResult out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		push_by_status(a, &(AskAnswer){ .status = cases[i].status, .body = S("why\r\nso") },
		               &out);
		NOTE("%u", cases[i].status);
		CHECK_INT(out.outcome, cases[i].outcome);
		CHECK_STR(out.detail, out.outcome == SEND_ACCEPTED ? S("") : S("why  so"));
	}
}

TEST(push_busy_service_says_when)
{
	AskAnswer answer = { .status = 503 };
	SendResult out;

	headers_add(&answer.headers, a, S("Retry-After"), S("120"));
	push_by_status(a, &answer, &out);
	CHECK_INT(out.outcome, SEND_THROTTLED);
	CHECK_INT(out.retry_after_us, 120 * US_PER_S);
}

TEST(push_what_was_not_sent_did_not_happen)
{
	Err *err = err_new(a, ERR_TIMEOUT, "ask.timeout", "too late");
	SendResult out;

	push_no_answer(a, &(AskAnswer){ .sent = false }, err, &out);
	CHECK_INT(out.outcome, SEND_SOFT);
	push_no_answer(a, &(AskAnswer){ .sent = true }, err, &out);
	CHECK_INT(out.outcome, SEND_UNKNOWN);
	CHECK_STR(out.code, S("ask.timeout"));
}

TEST(push_line_is_one_line_and_cuts_no_character)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (int i = 0; i < 150; i++)
		buf_put(&b, S("\xc3\xa4"));
	CHECK_INT(push_line(a, buf_str(&b)).len, 200);
	CHECK_INT(push_line(a, str_sub(buf_str(&b), 1, 300)).len, 199);
	CHECK_STR(push_line(a, S("a\nb\x7f")), S("a b "));
	CHECK_STR(push_line(a, S("gesch\xe4"
	                         "ft \xc3")),
	          S("gesch?ft ?"));
}

TEST(push_token_is_renewed_by_one_while_others_use_it)
{
	PushToken token = { 0 };
	bool renew;
	Str got;

	push_token_init(&token);
	CHECK(!push_token_get(&token, a, 0, &got, &renew));
	CHECK(renew);
	push_token_set(&token, S("first"), 100 * US_PER_S, 200 * US_PER_S);
	CHECK(push_token_get(&token, a, 99 * US_PER_S, &got, &renew));
	CHECK_STR(got, S("first"));
	CHECK(!renew);
	CHECK(push_token_get(&token, a, 100 * US_PER_S, &got, &renew));
	CHECK(renew);
	CHECK(push_token_get(&token, a, 101 * US_PER_S, &got, &renew));
	CHECK(!renew); /* somebody is at it */
	CHECK(push_token_get(&token, a, 121 * US_PER_S, &got, &renew));
	CHECK(renew); /* and did not come back */
	CHECK(!push_token_get(&token, a, 200 * US_PER_S, &got, &renew));
	push_token_set(&token, S("second"), 300 * US_PER_S, 400 * US_PER_S);
	push_token_drop(&token, S("first"));
	CHECK(push_token_get(&token, a, 201 * US_PER_S, &got, &renew));
	push_token_drop(&token, S("second"));
	CHECK(!push_token_get(&token, a, 201 * US_PER_S, &got, &renew));
}
