/* SPDX-License-Identifier: Apache-2.0 */
#include "notification/webpush.c"

#include "unit.h"

TEST(webpush_forgets_a_subscription_for_404_and_410_alone)
{
	static const struct {
		unsigned status;
		SendOutcome outcome;
	} cases[] = {
		{ 201, SEND_ACCEPTED }, { 404, SEND_GONE },      { 410, SEND_GONE },
		{ 400, SEND_HARD },     { 401, SEND_REFUSED },   { 403, SEND_REFUSED },
		{ 413, SEND_HARD },     { 429, SEND_THROTTLED }, { 500, SEND_UNKNOWN },
		{ 503, SEND_SOFT },
	};
	AskAnswer answer = { 0 };
	SendResult out;

	headers_add(&answer.headers, a, S("Location"), S("https://push.test/m/1"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		answer.status = cases[i].status;
		tell(a, &answer, &out);
		NOTE("%u", cases[i].status);
		CHECK_INT(out.outcome, cases[i].outcome);
		CHECK_STR(out.id,
		          out.outcome == SEND_ACCEPTED ? S("https://push.test/m/1") : S(""));
	}
}

TEST(webpush_lives_as_long_as_the_message)
{
	int64_t now = 1000 * US_PER_S;

	CHECK_STR(ttl_of(a, &(Message){ .expires_us = now + 90 * US_PER_S }, now), S("90"));
	CHECK_STR(ttl_of(a, &(Message){ .expires_us = now - US_PER_S }, now), S("0"));
	CHECK_STR(ttl_of(a, &(Message){ 0 }, now), S("2419200"));
}

TEST(webpush_topic_is_what_push_services_take)
{
	Str topic = topic_of(a, S("order 7 \xc3\xa4"));

	CHECK_INT(topic.len, 22);
	CHECK_STR(topic, topic_of(a, S("order 7 \xc3\xa4")));
	CHECK(!str_eq(topic, topic_of(a, S("order 8"))));
}

TEST(webpush_content_is_for_the_page_s_worker)
{
	Message m = { .subject = S("Paid"),
		      .text = S("7 EUR"),
		      .url = S("https://shop.test/o/7"),
		      .data = S("{\"order\":7}"),
		      .collapse_key = S("o7") };
	Str text;

	CHECK_OK(content(a, &m, &text));
	CHECK_STR(
		text,
		S("{\"title\":\"Paid\",\"body\":\"7 EUR\",\"url\":\"https://shop.test/o/7\",\"tag\":\"o7\",\"data\":{\"order\":7}}"));
}
