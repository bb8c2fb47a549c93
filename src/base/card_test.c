/* SPDX-License-Identifier: Apache-2.0 */
#include "base/card.c"

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
		{ S("4242  4242 4242 4242"), true },
		{ S("4242 4242 4242 4242 12/29 123"), true }, /* with its end and its code */
		{ S("4242424242424242 12/29"), true },
		{ S("order 17 4242 4242 4242 4242"), true },
		{ S("4242.4242.4242.4242"), true },
		{ S("4242\t4242\r\n4242/4242"), true },
		{ S("3782 822463 10005 1234"), true },
		{ S("4242\xc2\xa0"
		    "4242\xe2\x80\xaf"
		    "4242\xe2\x80\x93"
		    "4242"),
		  true },
		{ S("4242\xe2\x80\x8b"
		    "424242424242"),
		  true },
		{ S("\xef\xbc\x94\xef\xbc\x92"
		    "42424242424242"),
		  true }, /* wide digits */
		{ S("\xd9\xa4\xd9\xa2"
		    "42424242424242"),
		  true }, /* Arabic ones */
		{ S("2026 11 29 07 04 242"), false },
		{ S("1 4242 4242 4242 425"), false },
		{ S("42 42 42 42 42 42 42 42 1"), false }, /* no card is printed so */
		{ S("4242    4242 4242 4242"), false },
		{ S(""), false },
	};

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK(card_in(cases[i].text) == cases[i].card);
	}
}

TEST(all_of_them_are_found_one_after_the_other)
{
	Str text = S("a 4242424242424242, 5555 5555 5555 4444.");
	size_t from, to = 0;

	(void)a;
	CHECK(card_next(text, &from, &to) && from == 2 && to == 18);
	CHECK(card_next(text, &from, &to) && from == 20 && to == 39);
	CHECK(!card_next(text, &from, &to));
}
