/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cookie.c"

#include "unit.h"

TEST(the_first_cookie_of_the_name_is_found_whatever_stands_around_it)
{
	static const struct {
		Str line, name, want;
	} cases[] = {
		{ S("sessionid=abc"), S("sessionid"), S("abc") },
		{ S("a=1; sessionid=abc; b=2"), S("sessionid"), S("abc") },
		{ S("a=1;sessionid=abc;sessionid=def"), S("sessionid"), S("abc") },
		{ S("xsessionid=1; sessionid=2"), S("sessionid"), S("2") },
		{ S("sessionid=\"a b\""), S("sessionid"), S("a b") },
		{ S("sessionid=\""), S("sessionid"), S("\"") },
		{ S("sessionid=a=b"), S("sessionid"), S("a=b") },
		{ S("sessionid"), S("sessionid"), S("") },
		{ S(";;; =x; sessionid="), S("sessionid"), S("") },
		{ S("SESSIONID=abc"), S("sessionid"), S("") },
		{ S(""), S("sessionid"), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Headers headers = { 0 };

		NOTE("%.*s", STR_ARG(cases[i].line));
		headers_add_id(&headers, a, HTTP_ACCEPT, S("sessionid=no"));
		headers_add_id(&headers, a, HTTP_COOKIE, S("other=1"));
		headers_add_id(&headers, a, HTTP_COOKIE, cases[i].line);
		CHECK_STR(http_cookie(&headers, cases[i].name), cases[i].want);
	}
}

TEST(every_cookie_of_the_name_is_found_in_turn)
{
	Headers headers = { 0 };
	CookieAt at = { 0 };
	Str value = { 0 };

	headers_add_id(&headers, a, HTTP_COOKIE, S("a=1; b=2; a=\"3\""));
	headers_add_id(&headers, a, HTTP_ACCEPT, S("a=no"));
	headers_add_id(&headers, a, HTTP_COOKIE, S("; a; =a"));
	headers_add_id(&headers, a, HTTP_COOKIE, S("a="));
	CHECK(http_cookie_next(&headers, S("a"), &at, &value));
	CHECK_STR(value, S("1"));
	CHECK(http_cookie_next(&headers, S("a"), &at, &value));
	CHECK_STR(value, S("3"));
	CHECK(http_cookie_next(&headers, S("a"), &at, &value));
	CHECK_STR(value, S(""));
	CHECK(!http_cookie_next(&headers, S("a"), &at, &value));
	CHECK(!http_cookie_next(&headers, S("a"), &at, &value));
}

TEST(cookies_are_taken_out_and_others_stay)
{
	static const struct {
		Str line, want;
	} cases[] = {
		{ S("a=1; b=2; c=3"), S("a=1; c=3") },
		{ S("b=2"), S("") },
		{ S("a=1;b=2;c=3"), S("a=1; c=3") },
		{ S("a=1;c=3"), S("a=1;c=3") },
		{ S(" b = 2; b=3;b"), S("") },
		{ S("bb=1; B=2"), S("bb=1; B=2") },
		{ S("=1; b=2"), S("=1") },
		{ S(""), S("") },
	};
	static const Str names[] = { S("b"), S("") };

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].line));
		CHECK_STR(http_cookie_without(a, cases[i].line, names, COUNT(names)),
		          cases[i].want);
	}
}
