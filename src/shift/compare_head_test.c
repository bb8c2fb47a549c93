/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_head.c"

#include "compare_base.h"
#include "unit.h"

/* "Name: value" lines into fields. */
static CompareAnswer answer_of(Arena *a, Str lines)
{
	CompareField *fields = ARENA_ARRAY(a, CompareField, 16);
	CompareAnswer answer = { .status = 200, .fields = fields };
	Str line;

	while (lines.len && str_split(&lines, '\n', &line)) {
		CompareField *field = &fields[answer.field_count++];

		str_split(&line, ':', &field->name);
		field->value = line;
	}
	return answer;
}

static Comparison compare_heads(Arena *a, const CompareRules *rules, Str old, Str new)
{
	static const CompareRules none = { 0 };
	CompareAnswer x = answer_of(a, old), y = answer_of(a, new);
	const Comparer *comparer = NULL;
	Comparison found;

	CHECK_OK(compare_new(a, rules ? rules : &none, &comparer));
	compare_answers(comparer, a, &x, &y, NULL, &found);
	return found;
}

TEST(compare_head_compares_what_clients_act_on)
{
	static const struct {
		Str old, new, want;
	} cases[] = {
		{ S("Content-Type: text/html"), S("content-type: text/html"), S("") },
		{ S("Content-Type: text/html"), S("Content-Type: text/plain"),
		  S("header content-type") },
		{ S("Content-Type: text/html; charset=UTF-8"),
		  S("Content-Type: text/html;charset=\"utf-8\""), S("") },
		{ S("Content-Type: text/html; charset=utf-8"), S("Content-Type: text/html"),
		  S("header content-type") },
		{ S("Content-Type: application/json"),
		  S("Content-Type: application/json; charset=utf-8"), S("") },
		{ S("Content-Type: multipart/mixed; boundary=a"),
		  S("Content-Type: multipart/mixed; boundary=b"), S("") },
		{ S("Content-Type: text/html"), S(""), S("missing content-type") },
		{ S(""), S("Location: /x"), S("extra location") },
		{ S("Location: /x"), S("Location: /y"), S("header location") },
		{ S("Location: https://a.example/x?y"), S("Location: /x?y"), S("") },
		{ S("Location: https://a.example/x"), S("Location: https://b.example/x"),
		  S("header location") },
		{ S("Location: https://a.example/x"), S("Location: //b.example/x"),
		  S("header location") },
		{ S("Cache-Control: no-cache, Private"),
		  S("Cache-Control: private\nCache-Control: no-cache"), S("") },
		{ S("Cache-Control: max-age=10"), S("Cache-Control: max-age=20"),
		  S("header cache-control") },
		{ S("Vary: Cookie, Accept-Encoding"), S("Vary: cookie"), S("") },
		{ S("Vary: Cookie"), S("Vary: Accept-Encoding"), S("header vary") },
		{ S("Content-Security-Policy: script-src 'nonce-a'"),
		  S("Content-Security-Policy: script-src 'nonce-b'"), S("") },
		{ S("Content-Security-Policy: x"), S(""), S("missing content-security-policy") },
		{ S("Date: a\nServer: b\nETag: c\nContent-Length: 1\nX-Request-Id: d"),
		  S("Date: e\nServer: f\nETag: g"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_heads(a, NULL, cases[i].old, cases[i].new);

		NOTE("%.*s against %.*s", STR_ARG(cases[i].old), STR_ARG(cases[i].new));
		CHECK_STR(compare_told(a, &found), cases[i].want);
	}
}

TEST(compare_head_compares_cookies_but_for_their_values)
{
	static const struct {
		Str old, new, want;
	} cases[] = {
		{ S("Set-Cookie: a=1; Path=/; HttpOnly"), S("Set-Cookie: a=2; httponly; path=/"),
		  S("") },
		{ S("Set-Cookie: a=1; Max-Age=10"), S("Set-Cookie: a=1; Max-Age=20; Expires=x"),
		  S("") },
		{ S("Set-Cookie: a=1; HttpOnly"), S("Set-Cookie: a=1"), S("header set-cookie/a") },
		{ S("Set-Cookie: a=1; Path=/A"), S("Set-Cookie: a=1; Path=/a"),
		  S("header set-cookie/a") },
		{ S("Set-Cookie: a=1; SameSite=Lax"), S("Set-Cookie: a=1; samesite=lax"), S("") },
		{ S("Set-Cookie: a=1"), S("Set-Cookie: a=; Max-Age=0"), S("header set-cookie/a") },
		{ S("Set-Cookie: a=; Max-Age=0"),
		  S("Set-Cookie: a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), S("") },
		{ S("Set-Cookie: a=1\nSet-Cookie: b=1"), S("Set-Cookie: b=2\nSet-Cookie: c=1"),
		  S("missing set-cookie/a; extra set-cookie/c") },
		{ S("Set-Cookie: a=1\nSet-Cookie: a=2; Secure"), S("Set-Cookie: a=2; Secure"),
		  S("") },
		{ S("Set-Cookie: cart_12345=1"), S("Set-Cookie: cart_67890=1"), S("") },
		{ S("Set-Cookie: cart_12345=1"), S(""), S("missing set-cookie/*") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found = compare_heads(a, NULL, cases[i].old, cases[i].new);

		NOTE("%.*s against %.*s", STR_ARG(cases[i].old), STR_ARG(cases[i].new));
		CHECK_STR(compare_told(a, &found), cases[i].want);
	}
}

TEST(compare_head_takes_the_headers_of_a_rule)
{
	const CompareRules rules = { .headers = STRS(S("X-Total"), S("Location")) };
	const CompareRules none = { .headers_given = true };
	Comparison found = compare_heads(a, &rules, S("X-Total: 1\nVary: a\nLocation: /x"),
	                                 S("x-total: 2\nLocation: https://a/x"));

	CHECK_STR(compare_told(a, &found), S("header x-total"));
	CHECK_STR(found.at[0].old, S("1"));
	found = compare_heads(a, &none, S("Location: /x"), S("Location: /y"));
	CHECK_STR(compare_told(a, &found), S(""));
}

TEST(compare_head_keeps_no_secret)
{
	const CompareRules rules = { .headers = STRS(S("set-cookie"), S("location"),
		                                     S("authorization"), S("x-api-key"),
		                                     S("x-note"), S("vary"), S("link")) };
	static const Str heads[] = {
		S("Set-Cookie: sessionid=S3CRET; Path=/"),
		S("Set-Cookie: a=1; Path=/password/S3CRET"),
		S("Location: /x?token=S3CRET"),
		S("Location: https://u:S3CRET@example.org/"),
		S("Authorization: S3CRET"),
		S("X-Api-Key: S3CRET"),
		S("X-Note: the password is S3CRET"),
		S("X-Note: S3CRET@example.org"),
		S("Link: </reset?token=S3CRET>"),
		S("Vary: x, S3CRET@example.org"),
	};

	for (size_t i = 0; i < COUNT(heads); i++) {
		Comparison found = compare_heads(a, &rules, heads[i], S(""));

		NOTE("%.*s", STR_ARG(heads[i]));
		CHECK_INT(found.count, 1);
		CHECK(!compare_keeps(&found, S("S3CRET")));
		found = compare_heads(
			a, &rules, S("Set-Cookie: a=1\nLocation: /\nX-Note: n\nVary: v\nLink: l"),
			heads[i]);
		CHECK(!compare_keeps(&found, S("S3CRET")));
	}
}

TEST(compare_head_shows_addresses)
{
	Comparison found =
		compare_heads(a, NULL, S("Location: /x?token=abc&page=2"), S("Location: /y"));

	CHECK_STR(found.at[0].old, S("/x?token=***&page=2"));
	CHECK_STR(found.at[0].new, S("/y"));
}

TEST(compare_head_shows_lists)
{
	Comparison found = compare_heads(a, NULL, S("Vary: Cookie, Accept-Encoding, Accept"),
	                                 S("Vary: Accept"));

	CHECK_STR(found.at[0].old, S("accept, cookie"));
	CHECK_STR(found.at[0].new, S("accept"));
}
