/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/sms.c"

#include "unit.h"

TEST(sms_twilio_s_numbers_say_what_became_of_it)
{
	static const struct {
		unsigned status;
		const char *body;
		SendOutcome outcome;
		const char *code, *id;
		bool bad_address;
	} cases[] = {
		{ 201, "{\"sid\":\"SM1\",\"status\":\"queued\"}", SEND_ACCEPTED, "201", "SM1" },
		{ 400, "{\"code\":21211,\"message\":\"no number\"}", SEND_HARD, "21211", "", true },
		{ 400, "{\"code\":21610,\"message\":\"STOP\"}", SEND_HARD, "21610", "", true },
		{ 400, "{\"code\":21617,\"message\":\"too long\"}", SEND_HARD, "21617", "" },
		{ 404, "{\"code\":20404,\"message\":\"no account\"}", SEND_HARD, "20404", "" },
		{ 400, "{\"code\":21408,\"message\":\"region\"}", SEND_REFUSED, "21408", "" },
		{ 401, "{\"code\":20003,\"message\":\"who?\"}", SEND_REFUSED, "20003", "" },
		{ 429, "{\"code\":20429}", SEND_THROTTLED, "20429", "" },
		{ 500, "oops", SEND_UNKNOWN, "500", "" },
	};
	SendResult out;

	for (size_t i = 0; i < COUNT(cases); i++) {
		tell_twilio(a,
		            &(AskAnswer){ .status = cases[i].status,
		                          .body = str_of(cases[i].body) },
		            &out);
		NOTE("%s", cases[i].body);
		CHECK_INT(out.outcome, cases[i].outcome);
		CHECK_STR(out.code, str_of(cases[i].code));
		CHECK_STR(out.id, str_of(cases[i].id));
		CHECK(out.bad_address == cases[i].bad_address);
	}
}

TEST(sms_twilio_is_asked_in_its_form)
{
	AUTO(buf_fini) Buf form = { 0 };
	SmsConf conf = { .url = S("https://api.test/"),
		         .account = S("AC1"),
		         .token = S("secret"),
		         .from = S("+1555"),
		         .callback = S("https://n.test/cb") };
	Ask what = { 0 };

	ask_twilio(&conf, a, &(Message){ .to = S("+4917"), .text = S("5 \xe2\x82\xac & more") },
	           &form, &what);
	CHECK_STR(what.url, S("https://api.test/2010-04-01/Accounts/AC1/Messages.json"));
	CHECK_STR(
		what.body,
		S("To=%2B4917&From=%2B1555&Body=5%20%E2%82%AC%20%26%20more&StatusCallback=https%3A%2F%2Fn.test%2Fcb"));
	CHECK_STR(headers_get_name(&what.headers, S("Authorization")), S("Basic QUMxOnNlY3JldA=="));
}

TEST(sms_is_held_before_it_costs)
{
	SmsConf conf = { .segments_most = 1, .per_number = 1 };
	Sms s = { .conf = &conf, .caps = sms_caps_new(a, &conf) };
	SendResult out;
	SmsCount one = { .segments = 1 }, two = { .segments = 2 };

	CHECK(is_held(&s, a, &(Message){ .to = S("+1") }, &two, &out));
	CHECK_INT(out.outcome, SEND_HARD);
	CHECK_STR(out.code, S("sms.segments"));
	CHECK(!out.bad_address);
	CHECK(!is_held(&s, a, &(Message){ .to = S("+1") }, &one, &out));
	CHECK(is_held(&s, a, &(Message){ .to = S("+1") }, &one, &out));
	CHECK_INT(out.outcome, SEND_THROTTLED);
	CHECK(out.retry_after_us > 0 && out.alone);
}
