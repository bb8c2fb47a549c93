/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/guard.c"

#include "unit.h"

TEST(card_numbers_are_found_however_they_are_written)
{
	static const struct {
		Str text;
		bool card;
	} cases[] = {
		{ S("4242424242424242"), true },
		{ S("4242 4242 4242 4242"), true },
		{ S("my card: 4242-4242-4242-4242."), true },
		{ S("5555555555554444"), true },
		{ S("378282246310005"), true },
		{ S("6011111111111117"), true },
		{ S("2223003122003222"), true },
		{ S("30569309025904"), true },
		{ S("3566002020360505"), true },
		{ S("6205500000000000004"), true },
		{ S("4222222222222"), true },
		{ S("a 1, 4242424242424242"), true },
		{ S("4242424242424241"), false },     /* its last digit is wrong */
		{ S("1700000000000"), false },        /* a time in milliseconds */
		{ S("42424242424242424242"), false }, /* 20 digits */
		{ S("424242424242"), false },         /* 12 */
		{ S("018f4242424242424242"), false }, /* of a longer word */
		{ S("018f3c1e-7a4b-7cc0-b1f2-4242424242424242"), false },
		{ S("4242  4242 4242 4242"), false },
		{ S(""), false },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK(guard_has_card(cases[i].text) == cases[i].card);
	}
}

TEST(they_are_found_anywhere_in_a_value)
{
	static const struct {
		Str json, where;
	} cases[] = {
		{ S("{\"description\":\"pay 4242424242424242\"}"), S("description") },
		{ S("{\"metadata\":{\"note\":\"4242 4242 4242 4242\"}}"), S("note") },
		{ S("{\"list\":[\"a\",{\"b\":[\"4242424242424242\"]}]}"), S("b") },
		{ S("{\"amount\":4242424242424242}"), S("amount") },
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
	CHECK_STR(guard_hide(a, S("4242424242424242,5555555555554444")),
	          S("************4242,************4444"));
}
