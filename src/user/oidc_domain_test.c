/* SPDX-License-Identifier: Apache-2.0 */
#include "user/oidc_domain.c"

#include "unit.h"

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define S_PER (INT64_C(1000000))

static const OidcClient shop = {
	.id = S("shop"),
	.grants = OIDC_GRANT_CODE | OIDC_GRANT_REFRESH,
	.redirects = S("https://shop.test/back http://127.0.0.1/done com.shop.app:/back"),
	.scope = S("openid profile email offline_access"),
};

TEST(scopes_are_sets_of_words)
{
	CHECK(oidc_scope_has(S("openid email"), S("email")));
	CHECK(!oidc_scope_has(S("openid emails"), S("email")));
	CHECK(!oidc_scope_has(S("openid"), S("")));
	CHECK_STR(oidc_scope_common(a, S("email  admin openid email"), S("openid email")),
	          S("email openid"));
	CHECK_STR(oidc_scope_join(a, S("a b"), S("b c")), S("a b c"));
	CHECK(oidc_scope_covers(S("a b c"), S("c a")));
	CHECK(!oidc_scope_covers(S("a b"), S("c a")));
	CHECK(oidc_scope_is(S("a:b/c")));
	CHECK(!oidc_scope_is(S("a\"b")));
	CHECK(!oidc_scope_is(S("a\tb")));
}

TEST(addresses_that_may_be_registered)
{
	static const struct {
		Str uri;
		bool want;
	} cases[] = {
		{ S("https://shop.test/back"), true },
		{ S("https://shop.test/back?x=1"), true },
		{ S("http://127.0.0.1:8080/back"), true },
		{ S("http://[::1]/back"), true },
		{ S("http://localhost:3000/"), true },
		{ S("com.shop.app:/back"), true },
		{ S("http://shop.test/back"), false },
		{ S("http://127.0.0.1.evil.test/"), false },
		{ S("http://127.0.0.1:x/"), false },
		{ S("http://127.0.0.1@evil.test/"), false },
		{ S("https://shop.test/back#part"), false },
		{ S("https://user@shop.test/"), false },
		{ S("https:///back"), false },
		{ S("javascript:alert(1)"), false },
		{ S("app:/back"), false },
		{ S("https://shop.test/a b"), false },
		{ S("https://shop.test/\n"), false },
		{ S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].uri));
		CHECK_INT(oidc_redirect_is(cases[i].uri), cases[i].want);
	}
}

TEST(an_address_is_known_byte_for_byte_but_for_a_loopback_port)
{
	static const struct {
		Str uri;
		bool want;
	} cases[] = {
		{ S("https://shop.test/back"), true },
		{ S("https://shop.test/back/"), false },
		{ S("https://shop.test/Back"), false },
		{ S("https://shop.test/back?x=1"), false },
		{ S("https://shop.test:443/back"), false },
		{ S("https://shop.test"), false },
		{ S("http://127.0.0.1/done"), true },
		{ S("http://127.0.0.1:51004/done"), true },
		{ S("http://127.0.0.1:51004/done2"), false },
		{ S("http://localhost:51004/done"), false },
		{ S("http://127.0.0.1:1@evil.test/done"), false },
		{ S("com.shop.app:/back"), true },
		{ S(""), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].uri));
		CHECK_INT(oidc_redirect_known(shop.redirects, cases[i].uri), cases[i].want);
	}
}

TEST(a_wrong_client_or_address_is_told_apart_from_all_else)
{
	CHECK_STR(str_of(oidc_ask_where(NULL, S("https://shop.test/back")).error),
	          S("invalid_client"));
	CHECK_STR(str_of(oidc_ask_where(&shop, S("")).error), S("invalid_request"));
	CHECK_STR(str_of(oidc_ask_where(&shop, S("https://evil.test/")).error),
	          S("invalid_request"));
	CHECK_NULL(oidc_ask_where(&shop, S("https://shop.test/back")).error);
}

static OidcAsk good_ask(void)
{
	return (OidcAsk){ .response_type = S("code"),
		          .scope = S("openid email admin"),
		          .code_challenge = S(CHALLENGE),
		          .code_challenge_method = S("S256") };
}

TEST(what_a_client_may_not_ask)
{
	OidcAsk asks[16];
	const char *wants[16];
	size_t n = 0;
	OidcAsked asked;

#define CASE(field, value, want) \
	asks[n] = good_ask(); \
	asks[n].field = value; \
	wants[n++] = want
	CASE(response_type, S(""), "invalid_request");
	CASE(response_type, S("token"), "unsupported_response_type");
	CASE(response_type, S("code id_token"), "unsupported_response_type");
	CASE(response_mode, S("fragment"), "invalid_request");
	CASE(code_challenge, S(""), "invalid_request");
	CASE(code_challenge, S("short"), "invalid_request");
	CASE(code_challenge_method, S("plain"), "invalid_request");
	CASE(code_challenge_method, S(""), "invalid_request");
	CASE(prompt, S("none login"), "invalid_request");
	CASE(prompt, S("dance"), "invalid_request");
	CASE(max_age, S("-1"), "invalid_request");
	CASE(scope, S("admin"), "invalid_scope");
	CASE(scope, S(""), "invalid_scope");
	CASE(has_request, true, "request_not_supported");
	CASE(has_request_uri, true, "request_uri_not_supported");
#undef CASE
	for (size_t i = 0; i < n; i++) {
		NOTE("case %zu", i);
		CHECK_STR(str_of(oidc_ask_check(a, &shop, &asks[i], &asked).error),
		          str_of(wants[i]));
	}
}

TEST(what_is_asked_is_read)
{
	OidcAsk ask = good_ask();
	OidcAsked asked;

	CHECK_NULL(oidc_ask_check(a, &shop, &ask, &asked).error);
	CHECK_STR(asked.scope, S("openid email"));
	CHECK_INT(asked.max_age_s, -1);
	CHECK_INT(asked.level, 1);
	ask.prompt = S("login consent");
	ask.max_age = S("60");
	ask.acr_values = S("aal2");
	CHECK_NULL(oidc_ask_check(a, &shop, &ask, &asked).error);
	CHECK_INT(asked.prompt, OIDC_PROMPT_LOGIN | OIDC_PROMPT_CONSENT);
	CHECK_INT(asked.max_age_s, 60);
	CHECK_INT(asked.level, 2);
}

TEST(what_comes_next_for_the_person)
{
	static const int64_t now = 1000 * S_PER;
	static const struct {
		const char *what;
		OidcAsked asked;
		OidcPerson person;
		OidcStep step;
		const char *error;
	} cases[] = {
		{ "nobody", { S("openid"), 0, -1, 1 }, { 0 }, OIDC_STEP_LOGIN, "login_required" },
		{ "nobody, new",
		  { S("openid"), OIDC_PROMPT_CREATE, -1, 1 },
		  { 0 },
		  OIDC_STEP_CREATE,
		  "login_required" },
		{ "nobody, silent",
		  { S("openid"), OIDC_PROMPT_NONE, -1, 1 },
		  { 0 },
		  OIDC_STEP_FAULT,
		  "login_required" },
		{ "no consent",
		  { S("openid"), 0, -1, 1 },
		  { true, 999 * S_PER, 1 },
		  OIDC_STEP_CONSENT,
		  "consent_required" },
		{ "no consent, silent",
		  { S("openid"), OIDC_PROMPT_NONE, -1, 1 },
		  { true, 999 * S_PER, 1 },
		  OIDC_STEP_FAULT,
		  "consent_required" },
		{ "consented",
		  { S("openid"), OIDC_PROMPT_NONE, -1, 1 },
		  { true, 1, 1, .consented = S("openid email") },
		  OIDC_STEP_CODE,
		  NULL },
		{ "more than consented",
		  { S("openid email"), 0, -1, 1 },
		  { true, 1, 1, .consented = S("openid") },
		  OIDC_STEP_CONSENT,
		  "consent_required" },
		{ "ask again",
		  { S("openid"), OIDC_PROMPT_CONSENT, -1, 1 },
		  { true, 1, 1, .consented = S("openid") },
		  OIDC_STEP_CONSENT,
		  "consent_required" },
		{ "asked again",
		  { S("openid"), OIDC_PROMPT_CONSENT, -1, 1 },
		  { true, 1, 1, .consent_now = true },
		  OIDC_STEP_CODE,
		  NULL },
		{ "log in again",
		  { S("openid"), OIDC_PROMPT_LOGIN, -1, 1 },
		  { true, 990 * S_PER, 1, .consented = S("openid") },
		  OIDC_STEP_LOGIN,
		  "login_required" },
		{ "sent, not logged in",
		  { S("openid"), OIDC_PROMPT_LOGIN, -1, 1 },
		  { true, 990 * S_PER, 1, .asked_us = 991 * S_PER, .consented = S("openid") },
		  OIDC_STEP_LOGIN,
		  "login_required" },
		{ "logged in again",
		  { S("openid"), OIDC_PROMPT_LOGIN, -1, 1 },
		  { true, 992 * S_PER, 1, .asked_us = 991 * S_PER, .consented = S("openid") },
		  OIDC_STEP_CODE,
		  NULL },
		{ "too long ago",
		  { S("openid"), 0, 5, 1 },
		  { true, 994 * S_PER, 1, .consented = S("openid") },
		  OIDC_STEP_LOGIN,
		  "login_required" },
		{ "not too long ago",
		  { S("openid"), 0, 5, 1 },
		  { true, 995 * S_PER, 1, .consented = S("openid") },
		  OIDC_STEP_CODE,
		  NULL },
		{ "step up",
		  { S("openid"), 0, -1, 2 },
		  { true, 1, 1, .has_second = true, .consented = S("openid") },
		  OIDC_STEP_SECOND,
		  "interaction_required" },
		{ "nothing to step up with",
		  { S("openid"), 0, -1, 2 },
		  { true, 1, 1, .consented = S("openid") },
		  OIDC_STEP_FAULT,
		  "unmet_authentication_requirements" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		OidcFault found;

		NOTE("%s", cases[i].what);
		CHECK_INT(oidc_next_step(&shop, &cases[i].asked, &cases[i].person, now, &found),
		          cases[i].step);
		CHECK_STR(str_of(found.error), str_of(cases[i].error));
	}
}

TEST(a_code_is_taken_once_by_its_client_in_its_time)
{
	static const struct {
		const char *what;
		OidcCode code;
		OidcVerdict want;
	} cases[] = {
		{ "good", { S("shop"), S("https://x/"), 101, false, false }, OIDC_TAKE },
		{ "of another", { S("app"), S("https://x/"), 101, false, false }, OIDC_REFUSE },
		{ "of another, used",
		  { S("app"), S("https://x/"), 101, true, false },
		  OIDC_REFUSE },
		{ "used", { S("shop"), S("https://x/"), 101, true, false }, OIDC_REVOKE },
		{ "used and old", { S("shop"), S("https://x/"), 1, true, false }, OIDC_REVOKE },
		{ "old", { S("shop"), S("https://x/"), 100, false, false }, OIDC_REFUSE },
		{ "revoked", { S("shop"), S("https://x/"), 101, false, true }, OIDC_REFUSE },
		{ "other address", { S("shop"), S("https://y/"), 101, false, false }, OIDC_REFUSE },
	};

	CHECK_INT(oidc_code_judge(NULL, &shop, S("https://x/"), 100), OIDC_REFUSE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].what);
		CHECK_INT(oidc_code_judge(&cases[i].code, &shop, S("https://x/"), 100),
		          cases[i].want);
	}
}

TEST(a_refresh_token_is_good_once_and_repeats_itself_within_the_grace)
{
	static const struct {
		const char *what;
		OidcRefresh token;
		OidcVerdict want;
	} cases[] = {
		{ "good", { S("shop"), 200, false, false, 0, false }, OIDC_TAKE },
		{ "of another", { S("app"), 200, false, false, 0, false }, OIDC_REFUSE },
		{ "old", { S("shop"), 100, false, false, 0, false }, OIDC_REFUSE },
		{ "revoked", { S("shop"), 200, true, false, 0, false }, OIDC_REFUSE },
		{ "answer lost", { S("shop"), 200, false, true, 91, false }, OIDC_REPEAT },
		{ "answer arrived", { S("shop"), 200, false, true, 91, true }, OIDC_REFUSE },
		{ "after the grace", { S("shop"), 200, false, true, 90, false }, OIDC_REVOKE },
		{ "stolen", { S("shop"), 200, false, true, 50, true }, OIDC_REVOKE },
		{ "used and old", { S("shop"), 100, false, true, 91, false }, OIDC_REFUSE },
	};

	CHECK_INT(oidc_refresh_judge(NULL, &shop, 10, 100), OIDC_REFUSE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].what);
		CHECK_INT(oidc_refresh_judge(&cases[i].token, &shop, 10, 100), cases[i].want);
	}
}

TEST(a_verifier_has_its_length_and_characters)
{
	CHECK(oidc_verifier_is(S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
	CHECK(!oidc_verifier_is(S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX")));
	CHECK(!oidc_verifier_is(S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r wW1gFWFOEjXk")));
}

TEST(words_of_registration_are_read)
{
	OidcAuth auth;

	CHECK(oidc_auth_read(S("private_key_jwt"), &auth));
	CHECK_INT(auth, OIDC_AUTH_KEY);
	CHECK(!oidc_auth_read(S("tls_client_auth"), &auth));
	CHECK_STR(oidc_auth_name(OIDC_AUTH_NONE), S("none"));
	CHECK_INT(oidc_grants_read(S("refresh_token authorization_code")),
	          OIDC_GRANT_CODE | OIDC_GRANT_REFRESH);
	CHECK_INT(oidc_grants_read(S("password")), 0);
}
