/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/mask.c"

#include "unit.h"

#include <stdio.h>

TEST(mask_knows_the_names_of_secrets)
{
	static const struct {
		Str name;
		bool masked;
	} cases[] = {
		{ S("password"), true },
		{ S("Password"), true },
		{ S("PASSWORD"), true },
		{ S("userPassword"), true },
		{ S("new_password_2"), true },
		{ S("passWord"), true },
		{ S("access-token"), true },
		{ S("csrfmiddlewaretoken"), true },
		{ S("clientSecret"), true },
		{ S("Authorization"), true },
		{ S("Set-Cookie"), true },
		{ S("X-CSRF"), true },
		{ S("card"), true },
		{ S("card[number]"), true },
		{ S("creditCard"), true },
		{ S("credit-card"), true },
		{ S("pan"), true },
		{ S("cardPan"), true },
		{ S("cvc"), true },
		{ S("cvv2"), true },
		{ S("email"), true },
		{ S("e-mail"), true },
		{ S("EMail"), true },
		{ S("customer_email"), true },
		{ S("APIKey"), true },
		{ S("x-api-key"), true },
		{ S("api_key"), true },
		{ S("company"), false },
		{ S("span"), false },
		{ S("panel"), false },
		{ S("discard"), false },
		{ S("cardinality"), false },
		{ S("price"), false },
		{ S("items"), false },
		{ S("author"), false },
		{ S("mail"), false },
		{ S("key"), false },
		{ S(""), false },
		{ S("--"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].name));
		CHECK_INT(mask_name(NULL, cases[i].name), cases[i].masked);
	}
}

TEST(mask_takes_more_names)
{
	Str names[] = { S("birth_date"), S("NIR"), S("--") };
	const MaskRules rules = { .names = { names, COUNT(names) } };

	CHECK(mask_name(&rules, S("birthDate")));
	CHECK(mask_name(&rules, S("birth-date")));
	CHECK(mask_name(&rules, S("birthdate")));
	CHECK(mask_name(&rules, S("user.nir")));
	CHECK(mask_name(&rules, S("password")));
	CHECK(!mask_name(&rules, S("birth")));
	CHECK(!mask_name(&rules, S("souvenir")));
	CHECK(!mask_name(&rules, S("")));
}

TEST(mask_finds_a_name_across_the_window)
{
	char text[600];

	for (size_t pad = 230; pad < 280; pad++) {
		memset(text, 'x', sizeof text);
		memcpy(text + pad, "passwords", 9);
		NOTE("after %zu letters", pad);
		CHECK(mask_named_in(NULL, (Str){ text, sizeof text }));
	}
	memset(text, 'x', sizeof text);
	CHECK(!mask_named_in(NULL, (Str){ text, sizeof text }));
}

static Str text_of(Arena *a, const MaskRules *rules, Str text, size_t limit)
{
	AUTO(buf_fini) Buf b = { 0 };

	mask_put_text(&b, rules, text, limit);
	return str_dup(a, buf_str(&b));
}

TEST(mask_hides_what_looks_like_a_secret)
{
	static const struct {
		Str text, want;
	} cases[] = {
		{ S("plain words, 12 of them"), S("plain words, 12 of them") },
		{ S("write to ann@example.org today"), S("write to *** today") },
		{ S("<ann.b+c@example.org>"), S("<***>") },
		{ S("ann@localhost"), S("***") },
		{ S("\"ann b\"@example.org x"), S("*** x") },
		{ S("ann%40example.org"), S("***") },
		{ S("a@b.c and d@e.f"), S("*** and ***") },
		{ S("@mention is none"), S("@mention is none") },
		{ S("4111111111111111"), S("***") },
		{ S("pay 4111 1111 1111 1111 now"), S("pay *** now") },
		{ S("4111-1111-1111-1111"), S("***") },
		{ S("1 4111111111111111"), S("1 ***") },
		{ S("4111111111111111 12/29"), S("*** 12/29") },
		{ S("378282246310005"), S("***") },
		{ S("4111111111111112"), S("4111111111111112") },
		{ S("2026-01-31T23:59:59"), S("2026-01-31T23:59:59") },
		{ S("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), S("***") },
		{ S("your password is hunter2"), S("***") },
		{ S("hunter2 is the password"), S("***") },
		{ S("Authorization: Basic aHVudGVyMg=="), S("***") },
		{ S("a\nb\x1b[31m\xff\xe2\x80\xae"), S("a\\nb\\x1b[31m\\xff\\u202e") },
		{ S("caf\xc3\xa9 \xe2\x82\xac"), S("caf\xc3\xa9 \xe2\x82\xac") },
		{ S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_STR(text_of(a, NULL, cases[i].text, 200), cases[i].want);
		CHECK_INT(mask_sees(NULL, cases[i].text), str_find(cases[i].want, MASKED) >= 0);
	}
}

TEST(mask_sees_the_whole_value_before_it_is_cut)
{
	CHECK_STR(text_of(a, NULL, S("0123456789 ann.long@example.org"), 16), S("0123456789 ***"));
	CHECK_STR(text_of(a, NULL, S("0123456789 4111 1111 1111 1111"), 16), S("0123456789 ***"));
	CHECK_STR(text_of(a, NULL, S("0123456789 abcdefghi"), 12), S("0123456789 a..."));
	CHECK_STR(text_of(a, NULL, S("0123456789 and then password"), 12), S("***"));
	CHECK_STR(text_of(a, NULL, S("\xc3\xa9\xc3\xa9\xc3\xa9"), 3), S("\xc3\xa9..."));
}

TEST(mask_finds_cards_in_long_rows_of_digits)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (int i = 0; i < 40; i++)
		buf_put(&b, S("12 "));
	buf_put(&b, S("4111111111111111 5"));
	CHECK(str_find(text_of(a, NULL, buf_str(&b), 400), S("4111")) < 0);
	buf_clear(&b);
	for (int i = 0; i < 60; i++)
		buf_put(&b, S("7"));
	buf_put(&b, S(" 4111111111111111"));
	CHECK(str_find(text_of(a, NULL, buf_str(&b), 400), S("4111")) < 0);
}

static Str target_of(Arena *a, const MaskRules *rules, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	mask_put_target(&b, rules, text, 200);
	return str_dup(a, buf_str(&b));
}

TEST(mask_hides_secrets_in_targets)
{
	static const struct {
		Str target, want;
	} cases[] = {
		{ S("GET /items?page=2&size=10"), S("GET /items?page=2&size=10") },
		{ S("GET /x?token=abc&page=2 HTTP/1.1"), S("GET /x?token=***&page=2 HTTP/1.1") },
		{ S("GET /x?p%61ssword=hunter2"), S("GET /x?***=***") },
		{ S("GET /x?p%2561ssword=hunter2"), S("GET /x?***=***") },
		{ S("GET /x?p%252561ssword=hunter2"), S("GET /x?***=***") },
		{ S("GET /x?user[password]=hunter2"), S("GET /x?user[password]=***") },
		{ S("GET /x?q=ann%40example.org"), S("GET /x?q=***") },
		{ S("GET /x?q=ann%2540example.org"), S("GET /x?q=***") },
		{ S("GET /x?q=4111+1111+1111+1111"), S("GET /x?q=***") },
		{ S("GET /x?next=/y?token%3Dabc"), S("GET /x?next=/y?***") },
		{ S("GET /x?abc=token%3Dhunter2"), S("GET /x?abc=***") },
		{ S("GET /x?token_hunter2"), S("GET /x?***") },
		{ S("GET /x?email[ann@example.org]=1"), S("GET /x?***=***") },
		{ S("GET /x;a?b;c=d&&"), S("GET /x;a?b;c=d&&") },
		{ S("GET /users/ann@example.org/orders"), S("GET /users/***/orders") },
		{ S("GET /users/ann%40example.org"), S("GET /users/***") },
		{ S("GET /reset-password/MQ/abc-123/"), S("GET /reset-password/***/***/") },
		{ S("GET /token=abc/x"), S("GET /***/***") },
		{ S("https://ann:hunter2@example.org/x"), S("https://***@example.org/x") },
		{ S("//ann:hunter2@example.org/x"), S("//***@example.org/x") },
		{ S("/a//b@c/d"), S("/a//***/d") },
		{ S("https://example.org/a#token=abc"), S("https://example.org/a#token=***") },
		{ S("/"), S("/") },
		{ S("GET /x?q=hunter2 is the token HTTP/1.1"), S("GET /x?q=*** HTTP/1.1") },
		{ S("GET"), S("GET") },
		{ S("GET /x?y?/reset-password/hunter2/page=2"), S("GET /x?y?***=***") },
		{ S("ca s3cr3t@example.org f://x"), S("ca ***//x") },
		{ S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].target));
		CHECK_STR(target_of(a, NULL, cases[i].target), cases[i].want);
	}
}

TEST(mask_hides_planted_secrets_however_they_are_written)
{
	static const Str secrets[] = { S("s3cr3t-hunter2"), S("correct horse") };
	static const char *const shapes[] = { "password=%s",
		                              "password: %s",
		                              "{\"password\":\"%s\"}",
		                              "{\"token\": \"%s\"",
		                              "<b>secret</b>%s",
		                              "%s is the token",
		                              "a=1&api_key=%s&b=2",
		                              "X-CSRF-Token: %s\r\n",
		                              "Cookie: a=%s",
		                              "accessToken='%s'",
		                              "E-Mail %s" };

	for (size_t i = 0; i < COUNT(secrets); i++) {
		for (size_t k = 0; k < COUNT(shapes); k++) {
			char text[128];

			snprintf(text, sizeof text, shapes[k], secrets[i].at);
			NOTE("%s", text);
			CHECK(str_find(text_of(a, NULL, str_of(text), 200), secrets[i]) < 0);
			CHECK(str_find(target_of(a, NULL, str_fmt(a, "/x?q=%s", text)),
			               S("hunter2")) < 0);
		}
	}
}
