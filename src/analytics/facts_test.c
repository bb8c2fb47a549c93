/* SPDX-License-Identifier: Apache-2.0 */
#include "analytics/facts.c"

#include "unit.h"

TEST(of_what_services_tell_only_what_is_counted_is_kept)
{
	Event event = {
		.id = uuid_new(),
		.type = S("payment_intent.succeeded"),
		.aggregate_type = S("payment_intent"),
		.aggregate_id = S("pi_1"),
		.time_us = INT64_C(1793664000123456),
		.data = S(
			"{\"id\":\"pi_1\",\"amount_received\":1250,\"currency\":\"eur\",\"customer\":\"cus_7\","
			"\"client_secret\":\"pi_1_secret\",\"receipt_email\":\"ann@shop.test\","
			"\"status\":\"succeeded\",\"provider\":null,\"reason\":{\"a\":1}}")
	};
	Hit hit;

	CHECK(facts_hit(a, &event, &hit));
	CHECK_STR(hit.name, S("payment_intent.succeeded"));
	CHECK_STR(hit.who, S("cus_7"));
	CHECK_INT(hit.time_ms, INT64_C(1793664000123));
	CHECK(uuid_eq(hit.id, event.id));
	CHECK_INT(hit.prop_count, 3);
	CHECK_STR(hit_prop(&hit, S("amount_received"))->value.text, S("1250"));
	CHECK_STR(hit_prop(&hit, S("currency"))->value.text, S("eur"));
	CHECK_NULL(hit_prop(&hit, S("receipt_email")));
}

TEST(whom_an_event_is_about_is_who_it_says_or_its_aggregate)
{
	Event event = { .id = uuid_new(),
		        .type = S("user.registered"),
		        .aggregate_id = S("usr_1") };
	Hit hit;

	CHECK(facts_hit(a, &event, &hit));
	CHECK_STR(hit.who, S("usr_1"));
	event.data = S("{\"recipient\":\"usr_2\"}");
	CHECK(facts_hit(a, &event, &hit));
	CHECK_STR(hit.who, S("usr_2"));
	event.type = S("user.mail_wanted"); /* with an address in it */
	CHECK(!facts_hit(a, &event, &hit));
}
