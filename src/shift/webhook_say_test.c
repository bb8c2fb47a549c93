/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/webhook_say.c"

#include "unit.h"

#include <stdlib.h>

static const BookEntry entry = {
	.revision = 17,
	.at_us = INT64_C(1764378000123456),
	.who = S("judge@one"),
	.verb = S("back"),
	.from = S("canary"),
	.to = S("old"),
	.why = S("5 < 6 & \"so\"\non"),
	.evidence = S("{\"line\":\"x\"}"),
};

/* The example of the specification. */
TEST(a_body_is_signed_as_standard_webhooks_says)
{
	uint8_t key[WEBHOOK_KEY_MAX];
	size_t len;

	CHECK(webhook_secret_read(S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key, &len));
	CHECK_STR(webhook_sign(a, key, len, S("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
	                       S("{\"test\": 2432232314}")),
	          S("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

TEST(an_id_is_of_one_entry_and_has_no_dot)
{
	BookEntry next = entry;

	next.revision++;
	CHECK_STR(webhook_id(a, S("users"), &entry), S("users/17/644b143f26640"));
	CHECK_STR(webhook_id(a, S("users"), &next), S("users/18/644b143f26640"));
	CHECK_STR(webhook_id(a, S("upstream:a.b\r\n"), &entry),
	          S("upstream:a%2eb%0d%0a/17/644b143f26640"));
}

TEST(a_body_says_what_happened)
{
	static const struct {
		WebhookFormat format;
		Str want;
	} cases[] = {
		{ WEBHOOK_STANDARD,
		  S("{\"type\":\"shift.back\",\"timestamp\":\"2025-11-29T01:00:00.123456Z\",\"data\":{"
		    "\"subject\":\"users\",\"revision\":17,\"from\":\"canary\",\"to\":\"old\",\"percent\":0.0,"
		    "\"who\":\"judge@one\",\"why\":\"5 < 6 & \\\"so\\\"\\non\",\"evidence\":{\"line\":\"x\"},"
		    "\"gateway\":\"two\"}}") },
		{ WEBHOOK_SLACK,
		  S("{\"text\":\"users: back, from canary to old (0 % of users on the new side), "
		    "by judge@one: 5 &lt; 6 &amp; \\\"so\\\" on\"}") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str body;

		CHECK_OK(webhook_body(a, cases[i].format, S("users"), &entry, S("two"), &body));
		CHECK_STR(body, cases[i].want);
	}
}

TEST(a_print_changes_with_each_part_of_the_configuration)
{
	uint32_t events[] = { 1, 2 };
	Str subjects[] = { S("a"), S("b") };
	WebhookConf conf = { .url = S("u"), .events = { events, 1 }, .subjects = { subjects, 1 } };
	WebhookConf others[5];
	Str print = webhook_print(a, &conf);

	for (size_t i = 0; i < COUNT(others); i++)
		others[i] = conf;
	others[0].url = S("v");
	others[1].secret = S("s");
	others[2].format = WEBHOOK_SLACK;
	others[3].events.count = 2;
	others[4].subjects.count = 2;
	CHECK_STR(webhook_print(a, &conf), print);
	for (size_t i = 0; i < COUNT(others); i++) {
		NOTE("%zu", i);
		CHECK(!str_eq(webhook_print(a, &others[i]), print));
	}
	conf.ca = S("a path of this machine");
	CHECK_STR(webhook_print(a, &conf), print);
}
