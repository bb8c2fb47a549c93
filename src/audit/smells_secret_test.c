/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys here are made up, and in two parts, so that no scanner of this repository stops at them. */
#include "audit/smells_secret.c"

#include "unit.h"

TEST(secret_shapes_are_told_from_examples)
{
	static const struct {
		Str text;
		const char *what;
	} cases[] = {
		{ S("AKIA"
		    "Q7ZJ2M4XK9WTR3LB"),
		  "an access key of AWS" },
		{ S("AKIA"
		    "Q7ZJ2M4XK9WTR3LBX"),
		  NULL }, /* too long */
		{ S("xAKIA"
		    "Q7ZJ2M4XK9WTR3LB"),
		  NULL }, /* within a word */
		{ S("AKIA"
		    "IOSFODNN7EXAMPLE"),
		  NULL },
		{ S("AKIA"
		    "AAAAAAAAAAAAAAAA"),
		  NULL },
		{ S("token gh"
		    "p_a8Kd03nVz71QwErTyU5sXc92LmPo4bGh6iJe"),
		  "a token of GitHub" },
		{ S("gh"
		    "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
		  NULL },
		{ S("xox"
		    "b-2384728374-9s8d7f98s7df98"),
		  "a token of Slack" },
		{ S("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ5In0."
		    "dQw4w9WgXcQ7Zp0Lk3Jh8Vf2Ns6Bt5Rm1"),
		  "a signed token (JWT)" },
		{ S("eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiJ5In0dQw4w9WgXcQ7Zp0Lk3Jh8Vf2Ns6Bt5Rm1"), NULL },
		{ S("postgres://shop:w8Kq21z"
		    "@db/shop"),
		  "an address with a password" },
		{ S("postgres://shop:password@db/shop"), NULL },
		{ S("postgres://{user}:{password}@db/shop"), NULL },
		{ S("postgres://user:%s@db/shop"), NULL },
		{ S("https://example.org:8080/@me"), NULL },
		{ S("see https://a.b/c and: write to me@x"), NULL },
		{ S(""), NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		SecretFound found = { 0 };
		bool is = secret_find(cases[i].text, &found);

		CHECK_INT(is, cases[i].what != NULL);
		if (is && cases[i].what)
			CHECK_STR(str_of(found.what), str_of(cases[i].what));
	}
}

TEST(secret_names_say_what_they_hold)
{
	static const struct {
		Str name;
		bool is, word;
	} cases[] = {
		{ S("password"), true, true },      { S("DB_PASSWORD"), true, true },
		{ S("dbPassword"), true, true },    { S("SECRET_KEY"), true, false },
		{ S("apiKey"), true, false },       { S("api_key"), true, false },
		{ S("auth_token"), true, false },   { S("key"), false, false },
		{ S("primary_key"), false, false }, { S("password_url"), false, false },
		{ S("token_type"), false, false },  { S("passenger"), false, false },
		{ S("compass"), false, false },     { S(""), false, false },
		{ S("___"), false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool word;

		CHECK_INT(secret_name(cases[i].name, &word), cases[i].is);
		CHECK_INT(word, cases[i].word);
	}
}

TEST(secret_values_look_like_none_of_the_other_things)
{
	static const struct {
		Str text;
		bool word, is;
	} cases[] = {
		{ S("hunter22"), true, true },
		{ S("letmein"), true, true },
		{ S("q8Zk-3vT1-xY7w"), false, true },
		{ S("csrfmiddlewaretoken"), false, false },
		{ S("password"), true, false },
		{ S("Enter it here"), true, false },
		{ S("{{ vault }}"), true, false },
		{ S("${PASSWORD}"), true, false },
		{ S("$PASSWORD"), true, false },
		{ S("%(password)s"), true, false },
		{ S("kJ8#mPq2$vL9xR4t"), true, true },
		{ S("[-!#$%&'*+.^_`|~0-9a-zA-Z]+"), false, false },
		{ S("a<b]9%zz"), true, true },
		{ S("<password>"), true, false },
		{ S("/accounts/reset"), true, false },
		{ S("https://a.b/c"), true, false },
		{ S("********"), true, false },
		{ S("abc"), true, false },
		{ S("Bearer"), false, false },
		{ S("xPassword"), true, false },
		{ S("name_of_some_other_field"), false, false },
		{ S("google_oauth2_credentials"), false, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(secret_value(cases[i].text, S("x_password"), cases[i].word), cases[i].is);
	CHECK_STR(secret_hidden(a, S("0123456789abcdefghij")), S("0123... (20 characters)"));
	CHECK_STR(secret_hidden(a, S("\nMIIabcdef")), S("10 characters"));
	CHECK_STR(secret_hidden(a, S("abcdef")), S("ab... (6 characters)"));
}
