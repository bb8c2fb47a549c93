/* SPDX-License-Identifier: Apache-2.0 */
#include "payment/stripe_keys.c"

#include "unit.h"

TEST(scopes_are_those_that_there_are)
{
	static const struct {
		Str text, scopes, unknown;
	} cases[] = {
		{ S("refunds:write"), S("refunds:write"), S("") },
		{ S("refunds charges:read"), S("charges:read refunds:read refunds:write"), S("") },
		{ S(" refunds:read,refunds:read , events:read"), S("events:read refunds:read"),
		  S("") },
		{ S(""), S(""), S("") },
		{ S("refunds everything"), S(""), S("everything") },
		{ S("refund"), S(""), S("refund") },
		{ S("refunds:"), S(""), S("refunds:") },
		{ S(":read"), S(""), S(":read") },
	};
	Str unknown;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_STR(key_scopes_read(a, cases[i].text, &unknown), cases[i].scopes);
		CHECK_STR(unknown, cases[i].unknown);
	}
}

TEST(a_tokens_scope_of_payments_stands_for_many)
{
	CHECK_STR(widened(a, S("openid orders:read")), S("openid orders:read"));
	CHECK(str_find(widened(a, S("payments:read")), S(" refunds:read")) > 0);
	CHECK(str_find(widened(a, S("payments:read")), S("refunds:write")) < 0);
	CHECK(str_find(widened(a, S("openid payments:write")), S(" refunds:write")) > 0);
}

TEST(keys_are_told_by_their_beginning)
{
	CHECK(is_key(S("sk_test_abc")) && is_key(S("rk_live_abc")) && is_key(S("pk_test_abc")));
	CHECK(!is_key(S("sk_")) && !is_key(S("bk_0123456789ab_x")) && !is_key(S("eyJhbGciOi")) &&
	      !is_key(S("")));
	CHECK(!str_eq(random_text(a), random_text(a)));
}
