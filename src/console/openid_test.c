/* SPDX-License-Identifier: Apache-2.0 */
#include "console/openid.c"

#include "unit.h"

TEST(an_answer_says_each_thing_once)
{
	static const struct {
		Str query;
		bool fine;
		Str code, state, issuer;
	} cases[] = {
		{ S("code=a%2Bb&state=s&iss=https%3A%2F%2Fi"), true, S("a+b"), S("s"),
		  S("https://i") },
		{ S("session_state=x&state=s&code=a&scope=a&scope=b"), true, S("a"), S("s"),
		  S("") },
		{ S(""), true, S(""), S(""), S("") },
		{ S("code&state="), true, S(""), S(""), S("") },
		{ S("code=a&state=s&code=b"), false, S(""), S(""), S("") },
		{ S("code=a&state=&state=s"), false, S(""), S(""), S("") },
		{ S("code=%zz"), false, S(""), S(""), S("") },
		{ S("state=%00"), false, S(""), S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Answer answer;
		Err *err = read_answer(a, cases[i].query, &answer);

		NOTE("row %zu", i);
		CHECK(!err == cases[i].fine);
		if (err)
			continue;
		CHECK_STR(answer.code, cases[i].code);
		CHECK_STR(answer.state, cases[i].state);
		CHECK_STR(answer.issuer, cases[i].issuer);
	}
}

TEST(what_the_browser_keeps_opens_with_the_proof_and_in_time)
{
	const Words w = { S("s"), S("n"), S("v"), S("p") };
	const int64_t last_us = 5 + OPENID_LOGIN_S * US_PER_S;
	OpenidBack back = { .proof = S("p") };
	Words got;

	CHECK_OK(words_close(a, &w, 5, &back.sealed));
	CHECK_OK(words_open(a, &back, last_us, &got));
	CHECK_STR(got.state, S("s"));
	CHECK_STR(got.nonce, S("n"));
	CHECK_STR(got.verifier, S("v"));
	CHECK_ERR(words_open(a, &back, last_us + 1, &got), "openid.stale");
	back.proof = S("q");
	CHECK_ERR(words_open(a, &back, 6, &got), "openid.stale");
	back.proof = S("");
	CHECK_ERR(words_open(a, &back, 6, &got), "openid.stale");
	back = (OpenidBack){ .proof = S("p"), .sealed = str_sub(back.sealed, 0, 20) };
	CHECK_ERR(words_open(a, &back, 6, &got), "openid.stale");
	back.sealed = S("");
	CHECK_ERR(words_open(a, &back, 6, &got), "openid.stale");
}

TEST(a_challenge_is_that_of_the_standard)
{
	Str challenge;

	/* RFC 7636, appendix B */
	CHECK_OK(challenge_of(a, S("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), &challenge));
	CHECK_STR(challenge, S("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}
