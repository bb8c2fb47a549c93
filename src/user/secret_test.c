/* SPDX-License-Identifier: Apache-2.0 */
#include "user/secret.c"

#include "unit.h"

TEST(tokens_are_base64url_and_never_the_same)
{
	Str seen[64];

	for (size_t i = 0; i < COUNT(seen); i++) {
		seen[i] = secret_token(a);
		CHECK_INT(seen[i].len, SECRET_TOKEN);
		for (size_t j = 0; j < seen[i].len; j++)
			CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			             seen[i].at[j]) != NULL);
		for (size_t j = 0; j < i; j++)
			CHECK(!str_eq(seen[i], seen[j]));
	}
}

TEST(hashes_are_sha256)
{
	CHECK_STR(secret_hex(a, secret_hash(a, S("abc"))),
	          S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK_STR(secret_hex(a, secret_hash(a, (Str){ 0 })),
	          S("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST(lists_are_told_apart_by_where_they_are_split)
{
	const Str one[] = { S("ab"), S("c") }, other[] = { S("a"), S("bc") },
		  three[] = { S("ab"), S("c"), S("") };

	CHECK(!str_eq(secret_hash_of(a, one, 2), secret_hash_of(a, other, 2)));
	CHECK(!str_eq(secret_hash_of(a, one, 2), secret_hash_of(a, three, 3)));
	CHECK(str_eq(secret_hash_of(a, one, 2), secret_hash_of(a, three, 2)));
}

TEST(hexadecimal_goes_both_ways)
{
	Str back;

	CHECK(secret_unhex(a, S("00ffA0"), &back));
	CHECK_STR(secret_hex(a, back), S("00ffa0"));
	CHECK(!secret_unhex(a, S("0"), &back));
	CHECK(!secret_unhex(a, S("0g"), &back));
	CHECK(secret_unhex(a, S(""), &back));
	CHECK_INT(back.len, 0);
}

TEST(a_recovery_code_is_found_however_it_is_typed)
{
	Str code = secret_recovery_code(a), norm = secret_recovery_norm(a, code);

	CHECK_INT(code.len, 19);
	CHECK_INT(norm.len, 16);
	CHECK_STR(secret_recovery_norm(a, S("AB2C d3-E")), S("ab2cd3e"));
	CHECK_STR(secret_recovery_norm(a, norm), norm);
}

TEST(what_is_sent_beside_the_cookie_comes_of_it)
{
	Str token = secret_token(a), csrf = secret_csrf(a, token);

	CHECK_INT(csrf.len, 64);
	CHECK(secret_eq(csrf, secret_csrf(a, token)));
	CHECK(!secret_eq(csrf, secret_csrf(a, secret_token(a))));
	CHECK(!str_eq(csrf,
	              secret_hex(a, secret_hash(a, token)))); /* it is not what the table has */
	CHECK(!secret_eq(S("a"), S("")));
}
