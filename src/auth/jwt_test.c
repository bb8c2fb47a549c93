/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt.c"

#include "unit.h"

TEST(claims_and_what_they_must_say)
{
	static const Str audiences[] = { S("shop"), S("api") }, required[] = { S("email") };
	static const JwtRules plain = { 0 },
			      times = { .skew_us = 30 * US_PER_S, .need_expiry = true },
			      strict = { .issuer = S("https://i"),
		                         .audiences = audiences,
		                         .audience_count = 2,
		                         .required = required,
		                         .required_count = 1 };
	static const struct {
		Str payload;
		const JwtRules *rules;
		const char *slug;
	} cases[] = {
		{ S("{}"), &plain, NULL },
		{ S("[]"), &plain, "jwt.malformed" },
		{ S("{\"a\":1,\"a\":2}"), &plain, "jwt.malformed" },
		{ S("{\"sub\":7}"), &plain, "jwt.malformed" },
		{ S("{}"), &times, "jwt.claim" },
		{ S("{\"exp\":null}"), &times, "jwt.claim" },
		{ S("{\"exp\":\"2000\"}"), &times, "jwt.malformed" },
		{ S("{\"exp\":971}"), &times, NULL },
		{ S("{\"exp\":970}"), &times, "jwt.expired" },
		{ S("{\"exp\":970.5}"), &times, NULL },
		{ S("{\"exp\":-1e300}"), &times, "jwt.expired" },
		{ S("{\"exp\":1e300}"), &times, NULL },
		{ S("{\"exp\":9223372036854775807}"), &times, NULL },
		{ S("{\"exp\":2000,\"nbf\":1030}"), &times, NULL },
		{ S("{\"exp\":2000,\"nbf\":1031}"), &times, "jwt.early" },
		{ S("{\"exp\":2000,\"nbf\":true}"), &times, "jwt.malformed" },
		{ S("{\"iss\":\"https://i\",\"aud\":\"api\",\"email\":\"a@b\"}"), &strict, NULL },
		{ S("{\"iss\":\"https://i\",\"aud\":[\"x\",\"api\"],\"email\":\"\"}"), &strict,
		  NULL },
		{ S("{\"iss\":\"https://i/\",\"aud\":\"api\",\"email\":\"a@b\"}"), &strict,
		  "jwt.issuer" },
		{ S("{\"iss\":[\"https://i\"],\"aud\":\"api\",\"email\":\"a@b\"}"), &strict,
		  "jwt.issuer" },
		{ S("{\"iss\":\"https://i\",\"aud\":\"apis\",\"email\":\"a@b\"}"), &strict,
		  "jwt.audience" },
		{ S("{\"iss\":\"https://i\",\"aud\":{\"0\":\"api\"},\"email\":\"a@b\"}"), &strict,
		  "jwt.audience" },
		{ S("{\"iss\":\"https://i\",\"email\":\"a@b\"}"), &strict, "jwt.audience" },
		{ S("{\"iss\":\"https://i\",\"aud\":\"api\",\"email\":null}"), &strict,
		  "jwt.claim" },
		{ S("{\"iss\":\"https://i\",\"aud\":\"api\"}"), &strict, "jwt.claim" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Jwt jwt;
		Err *err = jwt_check(a, cases[i].payload, cases[i].rules, 1000 * US_PER_S, &jwt);

		NOTE("row %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
	}
}

TEST(scopes_are_words_or_items)
{
	static const struct {
		Str claims;
		bool has;
	} cases[] = {
		{ S("{\"scope\":\"a read b\"}"), true },
		{ S("{\"scope\":\"reads\"}"), false },
		{ S("{\"scp\":[\"a\",\"read\"]}"), true },
		{ S("{\"scope\":[\"read\"]}"), true },
		{ S("{\"scp\":\"read\"}"), true },
		{ S("{\"scope\":{\"read\":1}}"), false },
		{ S("{}"), false },
		{ S("{\"scope\":[\"a read\"]}"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const Json *claims;

		NOTE("row %zu", i);
		CHECK_OK(json_read(a, cases[i].claims, 0, &claims));
		CHECK_INT(jwt_has_scope(claims, S("read")), cases[i].has);
	}
}
