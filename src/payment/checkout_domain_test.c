/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/checkout_domain.c"

#include "unit.h"

TEST(only_what_speaks_of_the_order_is_a_refusal)
{
	static const struct {
		unsigned status;
		OrdersVerdict want;
	} cases[] = {
		{ 200, ORDERS_DONE },    { 201, ORDERS_DONE },    { 204, ORDERS_DONE },
		{ 400, ORDERS_REFUSED }, { 402, ORDERS_REFUSED }, { 409, ORDERS_REFUSED },
		{ 410, ORDERS_REFUSED }, { 422, ORDERS_REFUSED }, { 401, ORDERS_AGAIN },
		{ 403, ORDERS_AGAIN },   { 404, ORDERS_AGAIN },   { 408, ORDERS_AGAIN },
		{ 425, ORDERS_AGAIN },   { 429, ORDERS_AGAIN },   { 500, ORDERS_AGAIN },
		{ 503, ORDERS_AGAIN },   { 302, ORDERS_AGAIN },   { 0, ORDERS_AGAIN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%u", cases[i].status);
		CHECK_INT(orders_verdict(cases[i].status), cases[i].want);
	}
}

TEST(that_a_request_is_at_work_is_no_refusal)
{
	CHECK(orders_is_running(a, 409, S("{\"code\":\"idempotency.running\"}")));
	CHECK(!orders_is_running(a, 422, S("{\"code\":\"idempotency.running\"}")));
	CHECK(!orders_is_running(a, 409, S("{\"code\":\"sold_out\"}")));
	CHECK(!orders_is_running(a, 409, S("gone")));
}

TEST(a_reservation_says_what_is_to_be_paid)
{
	static const struct {
		Str body, mistake;
	} cases[] = {
		{ S("{\"order\":\"PA-1\",\"amount\":2590,\"currency\":\"EUR\",\"more\":[1]}"),
		  S("") },
		{ S("{\"order\":\"PA-1\",\"amount\":99999999999999,\"currency\":\"jpy\"}"), S("") },
		{ S("{\"order\":\"PA-1\",\"amount\":100000000000000,\"currency\":\"jpy\"}"),
		  S("has no amount") },
		{ S("{\"order\":\"PA-1\",\"amount\":0,\"currency\":\"EUR\"}"), S("has no amount") },
		{ S("{\"order\":\"PA-1\",\"amount\":-1,\"currency\":\"EUR\"}"),
		  S("has no amount") },
		{ S("{\"order\":\"PA-1\",\"amount\":25.9,\"currency\":\"EUR\"}"),
		  S("has no amount") },
		{ S("{\"order\":\"PA-1\",\"amount\":\"2590\",\"currency\":\"EUR\"}"),
		  S("has no amount") },
		{ S("{\"order\":\"PA-1\",\"amount\":2590,\"currency\":\"Euro\"}"),
		  S("has no currency") },
		{ S("{\"order\":\"PA-1\",\"amount\":2590}"), S("has no currency") },
		{ S("{\"order\":\"\",\"amount\":2590,\"currency\":\"EUR\"}"), S("has no order") },
		{ S("{\"order\":7,\"amount\":2590,\"currency\":\"EUR\"}"), S("has no order") },
		{ S("[]"), S("is no JSON object") },
		{ S(""), S("is no JSON object") },
		{ S("<html>"), S("is no JSON object") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Reservation r = { .order = S("as it was") };

		NOTE("%s", cases[i].body.at);
		CHECK_STR(str_of(reservation_read(a, cases[i].body, &r)), cases[i].mistake);
		CHECK_STR(r.order, cases[i].mistake.len ? S("as it was") : S("PA-1"));
	}
}

TEST(a_refusal_says_why_in_one_of_several_shapes)
{
	static const struct {
		Str body, code, message;
	} cases[] = {
		{ S("{\"error\":{\"code\":\"sold_out\",\"message\":\"Only 2 left.\"}}"),
		  S("sold_out"), S("Only 2 left.") },
		{ S("{\"code\":\"sold_out\",\"detail\":\"Only 2 left.\"}"), S("sold_out"),
		  S("Only 2 left.") },
		{ S("{\"code\":\"sold_out\"}"), S("sold_out"), S("the order system said no") },
		{ S("{\"error\":\"invalid\",\"code\":\"Sold Out\"}"), S("refused"),
		  S("the order system said no") },
		{ S("{\"code\":\"order.sold_out\",\"message\":\"x\"}"), S("refused"), S("x") },
		{ S("<html>no</html>"), S("refused"), S("the order system said no") },
		{ S(""), S("refused"), S("the order system said no") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Str code, message;

		orders_refusal_read(a, cases[i].body, &code, &message);
		CHECK_STR(code, cases[i].code);
		CHECK_STR(message, cases[i].message);
	}
}

TEST(looks_at_a_charge_become_rarer)
{
	CHECK_INT(checkout_look_us(1), 500 * US_PER_MS);
	CHECK_INT(checkout_look_us(3), 2 * US_PER_S);
	CHECK_INT(checkout_look_us(9), 60 * US_PER_S);
	CHECK_INT(checkout_look_us(INT64_MAX), 60 * US_PER_S);
}
