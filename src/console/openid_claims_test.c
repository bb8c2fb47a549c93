/* SPDX-License-Identifier: Apache-2.0 */
#include "console/openid_claims.c"

#include "unit.h"

static Str views[] = { S("*"), S("guest") }, operates[] = { S("sre") }, approves[] = { S("lead") };
static const AdminOpenidConf conf = {
	.issuer = S("https://id.test"),
	.client_id = S("console"),
	.claim = S("realm.roles"),
	.name = S("email"),
	.roles = { .view = { views, 2 }, .operate = { operates, 1 }, .approve = { approves, 1 } },
};

static const Json *json(Arena *a, Str text)
{
	const Json *out;

	CHECK_OK(json_read(a, text, 0, &out));
	return out;
}

TEST(a_token_is_for_us_now_and_for_this_log_in)
{
#define GOOD "\"iss\":\"https://id.test\",\"sub\":\"u\",\"iat\":900,\"exp\":1100"
	static const struct {
		Str payload;
		const char *slug;
	} cases[] = {
		{ S("{" GOOD ",\"aud\":\"console\",\"nonce\":\"n\"}"), NULL },
		{ S("{" GOOD ",\"aud\":[\"console\"],\"nonce\":\"n\",\"azp\":\"console\"}"), NULL },
		{ S("{" GOOD ",\"aud\":[\"x\",\"console\"],\"nonce\":\"n\",\"azp\":\"console\"}"),
		  NULL },
		{ S("{" GOOD ",\"aud\":[\"x\",\"console\"],\"nonce\":\"n\"}"), "openid.token" },
		{ S("{" GOOD ",\"aud\":\"console\",\"nonce\":\"n\",\"azp\":\"x\"}"),
		  "openid.token" },
		{ S("{" GOOD ",\"aud\":\"console\",\"nonce\":\"N\"}"), "openid.nonce" },
		{ S("{" GOOD ",\"aud\":\"console\"}"), "openid.nonce" },
		{ S("{" GOOD ",\"aud\":\"x\",\"nonce\":\"n\"}"), "openid.token" },
		{ S("[]"), "openid.token" },
	};
	const Jwk *key, *other;
	const Json *claims;
	Str token;

	CHECK_OK(jwk_make(a, JWS_ES256, &key));
	CHECK_OK(jwk_make(a, JWS_ES256, &other));
	for (size_t i = 0; i < COUNT(cases); i++) {
		Err *err;

		NOTE("row %zu", i);
		CHECK_OK(jws_sign(a, key, JWS_ES256, S("JWT"), cases[i].payload, &token));
		err = openid_token_check(a, &conf, token, jwks_of(a, key), S("n"), 1000 * US_PER_S,
		                         &claims);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
		CHECK_ERR(openid_token_check(a, &conf, token, jwks_of(a, other), S("n"),
		                             1000 * US_PER_S, &claims),
		          "jws.key");
		CHECK_ERR(openid_token_check(a, &conf, token, jwks_of(a, key), S("n"),
		                             1161 * US_PER_S, &claims),
		          "openid.token");
	}
}

TEST(a_secret_signs_nothing_here)
{
	const Jwk *key;
	const Json *claims;
	Str token;

	CHECK_OK(jwk_of_secret(a, S("0123456789abcdef0123456789abcdef"), S(""), JWS_BIT(JWS_HS256),
	                       &key));
	CHECK_OK(jws_sign(a, key, JWS_HS256, S("JWT"),
	                  S("{" GOOD ",\"aud\":\"console\",\"nonce\":\"n\"}"), &token));
	CHECK_ERR(openid_token_check(a, &conf, token, jwks_of(a, key), S("n"), 1000 * US_PER_S,
	                             &claims),
	          "openid.token");
}

TEST(who_it_is_and_what_they_may)
{
	static const struct {
		Str claims, more;
		Str name;
		AdminRole role;
		const char *slug;
	} cases[] = {
		{ S("{\"email\":\"a@b\",\"realm\":{\"roles\":[\"x\",\"sre\"]}}"), S("{}"), S("a@b"),
		  ADMIN_OPERATE, NULL },
		{ S("{\"email\":\"a@b\",\"realm.roles\":\"lead\"}"), S("{}"), S("a@b"),
		  ADMIN_APPROVE, NULL },
		{ S("{\"email\":\"a@b\",\"realm\":{\"roles\":[\"guest\",\"lead\"]}}"), S("{}"),
		  S("a@b"), ADMIN_APPROVE, NULL },
		{ S("{\"email\":\"a@b\"}"), S("{\"realm\":{\"roles\":[\"guest\"]}}"), S("a@b"),
		  ADMIN_VIEW, NULL },
		{ S("{\"email\":\"a@b\",\"realm\":{\"roles\":[]}}"),
		  S("{\"realm\":{\"roles\":[\"lead\"]}}"), S(""), 0, "openid.role" },
		{ S("{\"email\":\"a@b\",\"realm\":{\"roles\":[[\"lead\"]]}}"), S("{}"), S(""), 0,
		  "openid.role" },
		{ S("{\"email\":\"a@b\",\"realm\":\"lead\"}"), S("{}"), S(""), 0, "openid.role" },
		{ S("{\"email\":\"a@b\",\"realm\":{\"roles\":\"sre lead\"}}"), S("{}"), S(""), 0,
		  "openid.role" },
		{ S("{\"email\":\"a@b\",\"email_verified\":false,\"realm\":{\"roles\":\"sre\"}}"),
		  S("{}"), S(""), 0, "openid.name" },
		{ S("{\"email\":\"a@b\",\"email_verified\":true,\"realm\":{\"roles\":\"sre\"}}"),
		  S("{}"), S("a@b"), ADMIN_OPERATE, NULL },
		{ S("{\"email\":\"\",\"realm\":{\"roles\":\"sre\"}}"), S("{}"), S(""), 0,
		  "openid.name" },
		{ S("{\"email\":\"admin\",\"realm\":{\"roles\":\"sre\"}}"), S("{}"), S(""), 0,
		  "openid.name" },
		{ S("{\"email\":\"a\\u007f\",\"realm\":{\"roles\":\"sre\"}}"), S("{}"), S(""), 0,
		  "openid.name" },
		{ S("{\"realm\":{\"roles\":\"sre\"}}"), S("{\"email\":\"a@b\"}"), S("a@b"),
		  ADMIN_OPERATE, NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AdminWho who = { 0 };
		Err *err = openid_who(a, &conf, json(a, cases[i].claims), json(a, cases[i].more),
		                      &who);

		NOTE("row %zu", i);
		if (cases[i].slug)
			CHECK_ERR(err, cases[i].slug);
		else
			CHECK_OK(err);
		CHECK_STR(who.name, cases[i].name);
		CHECK_INT(who.role, cases[i].role);
	}
}
