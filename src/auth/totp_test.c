/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/totp.c"

#include "unit.h"

/* RFC 6238, appendix B. */
TEST(totp_codes_are_the_rfc_s)
{
	static const struct {
		int64_t at_s;
		const char *codes[3];
	} cases[] = {
		{ 59, { "94287082", "46119246", "90693936" } },
		{ 1111111109, { "07081804", "68084774", "25091201" } },
		{ 1111111111, { "14050471", "67062674", "99943326" } },
		{ 1234567890, { "89005924", "91819424", "93441116" } },
		{ 2000000000, { "69279037", "90698825", "38618901" } },
		{ 20000000000, { "65353130", "77737706", "47863826" } },
	};
	static const Str secrets[] = {
		S("12345678901234567890"), S("12345678901234567890123456789012"),
		S("1234567890123456789012345678901234567890123456789012345678901234")
	};
	int64_t step;

	for (size_t i = 0; i < COUNT(cases); i++)
		for (unsigned h = 0; h < 3; h++) {
			Totp totp = { secrets[h], h, 8, 30 };
			Str code = str_of(cases[i].codes[h]);

			CHECK_STR(totp_code(a, &totp, totp_step(&totp, cases[i].at_s * US_PER_S)),
			          code);
			CHECK(totp_check(&totp, cases[i].at_s * US_PER_S, code, -1, &step));
			CHECK_INT(step, cases[i].at_s / 30);
		}
}

TEST(totp_step_counts_once_and_neighbours_do)
{
	Totp totp = totp_make(a);
	int64_t now = INT64_C(1790000000) * US_PER_S, at = totp_step(&totp, now), step;

	for (int64_t off = -3; off <= 3; off++) {
		Str code = totp_code(a, &totp, at + off);
		bool near = off >= -1 && off <= 1;

		NOTE("%d", (int)off);
		CHECK_INT(totp_check(&totp, now, code, -1, &step), near);
		CHECK_INT(totp_check(&totp, now, code, at - 2, &step), near);
		CHECK(!near || step == at + off);
		CHECK_INT(totp_check(&totp, now, code, at, &step), off == 1);
		CHECK(!totp_check(&totp, now, code, at + 1, &step));
	}
}

TEST(totp_codes_are_digits_alone)
{
	Totp totp = { S("12345678901234567890"), TOTP_SHA1, 6, 30 };
	int64_t step;

	CHECK(totp_check(&totp, 59 * US_PER_S, S("287 082"), -1, &step));
	static const Str wrong[] = { S(""),       S("28708"),    S("2870822"), S("28708a"),
		                     S("-87082"), S("287082\0"), S("94287082") };
	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK(!totp_check(&totp, 59 * US_PER_S, wrong[i], -1, &step));
}

TEST(totp_secrets_are_typed_in_any_way)
{
	static const struct {
		Str text, bytes;
	} cases[] = {
		{ S("MY"), S("f") },
		{ S("MZXQ===="), S("fo") },
		{ S("MZXW6==="), S("foo") },
		{ S("mzxw6yq"), S("foob") },
		{ S("MZXW 6YTB"), S("fooba") },
		{ S("mzxw-6ytb-oi"), S("foobar") },
	};
	static const Str wrong[] = { S(""),      S("M"),   S("MZXW1"), S("0189"),
		                     S("MZ=XQ"), S("MZX"), S("ÄÄ") };
	Str secret;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK(totp_secret_read(a, cases[i].text, &secret));
		CHECK_STR(secret, cases[i].bytes);
		CHECK(totp_secret_read(a, totp_secret_text(a, secret), &secret));
		CHECK_STR(secret, cases[i].bytes);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		NOTE("%.*s", STR_ARG(wrong[i]));
		CHECK(!totp_secret_read(a, wrong[i], &secret));
	}
}

TEST(totp_addresses_go_both_ways)
{
	Totp totp = { S("12345678901234567890"), TOTP_SHA256, 8, 60 }, back;
	Str uri = totp_uri(a, &totp, S("The Shop: ö"), S("ann@shop.test")), issuer, account;

	CHECK_STR(
		uri,
		S("otpauth://totp/The%20Shop%3A%20%C3%B6:ann@shop.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	          "&issuer=The%20Shop%3A%20%C3%B6&algorithm=SHA256&digits=8&period=60"));
	CHECK_OK(totp_uri_read(a, uri, &back, &issuer, &account));
	CHECK_STR(back.secret, totp.secret);
	CHECK_INT(back.digits, 8);
	CHECK_INT(back.period_s, 60);
	CHECK_INT(back.hash, TOTP_SHA256);
	CHECK_STR(issuer, S("The Shop: ö"));
	CHECK_OK(totp_uri_read(a, S("otpauth://totp/ann?secret=gezdgnbvgy3tqojqgezdgnbv"), &back,
	                       NULL, &account));
	CHECK_STR(account, S("ann"));
	CHECK_INT(back.digits, 6);
	static const Str wrong[] = {
		S(""),
		S("otpauth://hotp/ann?secret=GEZDGNBVGY3TQOJQGEZDGNBV&counter=1"),
		S("otpauth://totp/ann"),
		S("otpauth://totp/ann?secret=GE"),
		S("otpauth://totp/ann?secret=GEZDGNBVGY3TQOJQGEZDGNBV&digits=9"),
		S("otpauth://totp/ann?secret=GEZDGNBVGY3TQOJQGEZDGNBV&period=0"),
		S("otpauth://totp/%zz?secret=GEZDGNBVGY3TQOJQ"),
		S("otpauth://totp/ann?secret=GEZDGNBVGY3TQOJQGEZDGNBV&algorithm=MD5"),
	};
	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK_ERR(totp_uri_read(a, wrong[i], &back, NULL, NULL), "auth.totp");
}
