/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/guard.c"

#include "unit.h"

TEST(they_are_found_anywhere_in_a_value)
{
	static const struct {
		Str json, where;
	} cases[] = {
		{ S("{\"description\":\"pay 4242424242424242\"}"), S("description") },
		{ S("{\"metadata\":{\"note\":\"4242 4242 4242 4242\"}}"), S("note") },
		{ S("{\"list\":[\"a\",{\"b\":[\"4242424242424242\"]}]}"), S("b") },
		{ S("{\"amount\":4242424242424242}"), S("amount") },
		{ S("{\"metadata\":{\"n\":-4242424242424242}}"), S("n") },
		{ S("{\"metadata\":{\"n\":4242424242424242.0}}"), S("n") },
		{ S("{\"description\":\"4242 4242 4242 4242 12/29\"}"), S("description") },
		{ S("{\"payment_method_data\":{\"card\":{\"number\":\"x\"}}}"), S("number") },
		{ S("{\"a\":{\"cvc\":\"123\"}}"), S("cvc") },
		{ S("{\"a\":{\"CVV\":1}}"), S("CVV") },
	};
	const Json *json;
	Str where;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].json));
		CHECK_OK(json_read(a, cases[i].json, 0, &json));
		CHECK(guard_finds(json, &where));
		CHECK_STR(where, cases[i].where);
	}
	CHECK_OK(json_read(
		a, S("{\"amount\":1999,\"number\":\"7\",\"metadata\":{\"t\":\"1700000000000\"}}"),
		0, &json));
	CHECK(!guard_finds(json, &where));
}

TEST(a_name_that_is_a_number_is_found)
{
	const Json *json;
	Str where;

	CHECK_OK(json_read(a, S("{\"metadata\":{\"4242424242424242\":\"x\"}}"), 0, &json));
	CHECK(guard_finds(json, &where));
}

TEST(a_log_shows_the_last_four_digits)
{
	CHECK_STR(guard_hide(a, S("x 4242-4242-4242-4242 y")), S("x ****-****-****-4242 y"));
	CHECK_STR(guard_hide(a, S("order 17")), S("order 17"));
	CHECK_STR(guard_hide(a, S("\xef\xbc\x94"
	                          "242 4242 4242 4242 12")),
	          S("****** **** **** 4242 12"));
	CHECK_STR(guard_hide(a, S("4242424242424242,5555555555554444")),
	          S("************4242,************4444"));
}

/* With the first one hidden, what stood beside it is a number of its own. */
TEST(guard_hides_until_there_is_none)
{
	Str text = S("n[r=5555555555554242-4242-4242-4242-4242&card]b[r=5555555555554444");

	CHECK(guard_has_card(text));
	CHECK(!guard_has_card(guard_hide(a, text)));
}
