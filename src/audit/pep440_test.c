/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions and specifiers; the tables are what Python's `packaging` 23.0 says of the same texts. */
#include "audit/pep440.c"

#include "unit.h"

TEST(pep440_orders_versions_as_the_pep_does)
{
	/* Each is before the next. */
	static const char *const rising[] = {
		"0.9",     "1.0.dev1",        "1.0a1.dev2", "1.0a1",  "v1.0-ALPHA.2",
		"1.0b1",   "1.0_beta_2",      "1.0rc1",     "1.0c2",  "1.0",
		"1.0+abc", "1.0+abc.5",       "1.0+abc.10", "1.0+5",  "1.0.post1.dev3",
		"1.0-1",   "1.0.post2",       "1.0.0.1",    "1.0.15", "1.1.dev0",
		"1.1",     "1.2.3rc1.post2",  "2",          "10.0",   "2013.10",
		"1!0.1",   "1!0.1.0+local_1",
	};
	Pep440 x, y;

	for (size_t i = 0; i < COUNT(rising); i++)
		for (size_t k = 0; k < COUNT(rising); k++) {
			int by;

			CHECK(pep440_read(str_of(rising[i]), &x) &&
			      pep440_read(str_of(rising[k]), &y));
			by = pep440_compare(&x, &y);
			CHECK_INT((by > 0) - (by < 0), (i > k) - (i < k));
		}
}

TEST(pep440_takes_all_spellings_and_nothing_else)
{
	static const char *const same[][2] = { { "1.0", "1" },
		                               { " v1.0\n", "1.0.0" },
		                               { "1.0alpha", "1.0a0" },
		                               { "1.0-r4", "1.0.post4" },
		                               { "1.0-preview3", "1.0rc3" },
		                               { "1.0.DEV", "1.0dev0" },
		                               { "1.0+ABC-1", "1.0+abc.1" },
		                               { "99999999999999999999999.1",
		                                 "18446744073709551615.1" } };
	static const char *const none[] = {
		"",     "x",       "1.",           "1..0",
		"1.0-", "1.0+",    "1.0+a..b",     "1.0 a",
		"1.0x", "1.0a1b2", "french toast", "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
		"!1",   "1!"
	};
	Pep440 x, y;

	for (size_t i = 0; i < COUNT(same); i++) {
		CHECK(pep440_read(str_of(same[i][0]), &x) && pep440_read(str_of(same[i][1]), &y));
		CHECK_INT(pep440_compare(&x, &y), 0);
	}
	for (size_t i = 0; i < COUNT(none); i++)
		CHECK(!pep440_read(str_of(none[i]), &x));
}

TEST(pep440_allows_what_packaging_allows)
{
	static const char *const versions[] = { "1.0",    "1.0.0",     "1.0.1",     "1.0a1",
		                                "1.0rc1", "1.0.post1", "1.0.post2", "1.0+abc",
		                                "1.1",    "1.4.5a4",   "1.4.9",     "1.5",
		                                "2.0",    "2.5.1",     "0.9",       "1.1.dev1" };
	static const struct {
		const char *spec, *want;
	} cases[] = {
		{ "==1.0", "1100000100000000" },
		{ "==1.0.*", "1111111100000000" },
		{ "!=1.0.*", "0000000011111111" },
		{ "!=1.1", "1111111101111111" },
		{ "~=1.0", "1110011111110001" },
		{ "~=1.0.1", "0010000000000000" },
		{ "~=1.4.5a4", "0000000001100000" },
		{ ">=1.0,<2", "1110011111110001" },
		{ "<1.0", "0000000000000010" },
		{ ">1.0", "0010000011111101" },
		{ "<=1.0", "1101100100000010" },
		{ ">1.0a1", "1110100011111101" },
		{ "<1.0rc1", "0001000000000010" },
		{ "==1.0+abc", "0000000100000000" },
		{ ">=1.0a1", "1111111111111101" },
		{ ">1.0.post1", "0010001011111101" },
		{ ">=2,!=2.5.*", "0000000000001000" },
		{ "==v1.0.0.0", "1100000100000000" },
		{ "", "1111111111111111" },
		{ "~=1", "0000000000000000" },
		{ "1.0", "0000000000000000" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(versions); k++) {
			Pep440 v;

			CHECK(pep440_read(str_of(versions[k]), &v));
			if (pep440_allows(str_of(cases[i].spec), &v) != (cases[i].want[k] == '1'))
				unit_fail(__FILE__, __LINE__, "%s and %s", cases[i].spec,
				          versions[k]);
		}
}

TEST(pep440_pins_and_names)
{
	CHECK_STR(pep440_pinned(S("== 1.2 ")), S("1.2"));
	CHECK_STR(pep440_pinned(S("===1.2")), S("1.2"));
	CHECK_STR(pep440_pinned(S("==1.*")), S(""));
	CHECK_STR(pep440_pinned(S("==1.2,!=1.3")), S(""));
	CHECK_STR(pep440_pinned(S(">=1.2")), S(""));
	CHECK_STR(pep503_name(a, S("Django_Rest--.Framework")), S("django-rest-framework"));
}
