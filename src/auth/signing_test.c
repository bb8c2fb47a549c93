/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/signing.c"

#include "unit.h"

#define NOW 1700000000
static const Str body = S("{\"id\":\"evt_1\"}");

/* The example of standardwebhooks.com. */
TEST(a_standard_signature_is_that_of_the_specification)
{
	Str key;

	CHECK(signing_key(a, S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &key));
	CHECK_STR(signing_standard(a, key, S("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
	                           S("{\"test\": 2432232314}")),
	          S("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
}

TEST(a_secret_is_base64_of_enough_bytes)
{
	static const struct {
		const char *secret;
		bool fine;
	} cases[] = {
		{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true },
		{ "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true },
		{ "whsec_", false },
		{ "whsec_c2hvcnQ=", false },
		{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa*w", false },
	};
	Str key, fresh = signing_secret_new(a);

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(signing_key(a, str_of(cases[i].secret), &key), cases[i].fine);
	CHECK(signing_key(a, fresh, &key));
	CHECK_INT(key.len, 32);
}

TEST(what_was_signed_is_believed_and_nothing_else)
{
	Str key, right, also;
	static const char *const wrong[] = { "v1,", "v1", "v2,AAAA", "", "v1,AAAA", "   " };

	CHECK(signing_key(a, S("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &key));
	right = signing_standard(a, key, S("msg_1"), NOW, body);
	also = str_fmt(a, "v1,AAAA v1a,BBBB %.*s", STR_ARG(right));
	CHECK_OK(signing_standard_check(a, key, S("msg_1"), S("1700000000"), right, body, NOW));
	CHECK_OK(
		signing_standard_check(a, key, S("msg_1"), S("1700000000"), also, body, NOW + 300));
	CHECK_ERR(signing_standard_check(a, key, S("msg_2"), S("1700000000"), right, body, NOW),
	          "signing.wrong");
	CHECK_ERR(signing_standard_check(a, key, S("msg_1"), S("1700000001"), right, body, NOW),
	          "signing.wrong");
	CHECK_ERR(signing_standard_check(a, key, S("msg_1"), S("1700000000"), right, S("{}"), NOW),
	          "signing.wrong");
	CHECK_ERR(signing_standard_check(a, key, S("msg_1"), S("1700000000"), right, body,
	                                 NOW + 301),
	          "signing.stale");
	CHECK_ERR(signing_standard_check(a, key, S("msg_1"), S("1700000000"), right, body,
	                                 NOW - 301),
	          "signing.stale");
	CHECK_ERR(signing_standard_check(a, key, S("msg_1"), S("x"), right, body, NOW),
	          "signing.missing");
	for (size_t i = 0; i < COUNT(wrong); i++)
		CHECK(signing_standard_check(a, key, S("msg_1"), S("1700000000"), str_of(wrong[i]),
		                             body, NOW) != NULL);
}

TEST(stripes_signature_has_its_time_and_may_have_several)
{
	Str secrets[] = { S("whsec_old"), S("whsec_new") };
	Str both = signing_stripe_all(a, secrets, 2, NOW, body),
	    one = signing_stripe(a, secrets[0], NOW, body);

	CHECK(str_starts(both, S("t=1700000000,v1=")));
	CHECK_OK(signing_stripe_check(a, secrets[1], both, body, NOW + 299));
	CHECK_OK(signing_stripe_check(a, secrets[0], both, body, NOW));
	CHECK_ERR(signing_stripe_check(a, secrets[1], one, body, NOW), "signing.wrong");
	CHECK_ERR(signing_stripe_check(a, secrets[0], one, S("{}"), NOW), "signing.wrong");
	CHECK_ERR(signing_stripe_check(a, secrets[0], one, body, NOW + 301), "signing.stale");
	CHECK_ERR(signing_stripe_check(a, secrets[0], S(""), body, NOW), "signing.missing");
	CHECK_ERR(signing_stripe_check(a, secrets[0], S("t=1700000000"), body, NOW),
	          "signing.missing");
	CHECK_ERR(signing_stripe_check(a, secrets[0], S("v1=00"), body, NOW), "signing.missing");
	CHECK_ERR(signing_stripe_check(a, secrets[0], S("t=99999999999999999999,v1=00"), body, NOW),
	          "signing.missing");
}
