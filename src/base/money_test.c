/* SPDX-License-Identifier: Apache-2.0 */
#include "base/money.c"

#include "unit.h"

TEST(currencies_are_sorted_and_each_once)
{
	(void)a;
	for (size_t i = 1; i < COUNT(currencies); i++)
		CHECK(str_cmp(str_of(currencies[i - 1].code), str_of(currencies[i].code)) < 0);
}

TEST(amounts_are_written_by_their_currency)
{
	static const struct {
		Str currency, text;
		int64_t amount;
		int digits;
	} cases[] = {
		{ S("eur"), S("12.50 EUR"), 1250, 2 },
		{ S("EUR"), S("-0.05 EUR"), -5, 2 },
		{ S("jpy"), S("1250 JPY"), 1250, 0 },
		{ S("kwd"), S("1.250 KWD"), 1250, 3 },
		{ S("usd"), S("-92233720368547758.08 USD"), INT64_MIN, 2 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_STR(money_text(a, cases[i].amount, cases[i].currency), cases[i].text);
		CHECK_INT(money_exponent(cases[i].currency), cases[i].digits);
	}
	CHECK_STR(money_currency(S("UsD")), S("usd"));
}

TEST(what_is_no_currency_is_none)
{
	static const Str cases[] = { S(""),    S("eu"),   S("euro"),        S("xxx"),
		                     S("xau"), S("e\0r"), S("\x45\x55\x12") };

	(void)a;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_INT(money_currency(cases[i]).len, 0);
		CHECK_INT(money_exponent(cases[i]), -1);
	}
}
