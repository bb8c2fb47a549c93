/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/nginx_carry_regex.c"

#include "unit.h"

TEST(what_an_expression_begins_with)
{
	static const struct {
		const char *expression, *head;
	} cases[] = {
		{ "^/static/", "/static/" }, { "^/a\\.b/", "/a.b/" }, { "/static/", "" },
		{ "\\.jpg$", "" },           { "^/a|^/b", "" },       { "^/a(b|c)", "/a" },
		{ "^/ab?c", "/a" },          { "^/a[bc]d", "/a" },    { "^/a\\d", "/a" },
		{ "^/a{2}", "/" },           { "^/[|]x|y", "" },      { "^", "" },
		{ "^/a/(.*)$", "/a/" },      { "^/a$", "/a" },        { "^/(x|y)|z", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%s", cases[i].expression);
		CHECK_STR(regex_head(a, str_of(cases[i].expression)), str_of(cases[i].head));
	}
}

TEST(expressions_that_are_plain_paths)
{
	static const struct {
		const char *expression, *head; /* NULL: it is none */
		bool tail;
	} cases[] = {
		{ "^/old/(.*)$", "/old/", true },
		{ "^/old/(.*)", "/old/", true },
		{ "^/old/", "/old/", true },
		{ "^/old/.*$", "/old/", true },
		{ "^/old$", "/old", false },
		{ "^/a\\.html$", "/a.html", false },
		{ "^", "/", true },
		{ "(.*)", "/", true },
		{ "^/old/(\\d+)$", NULL, false },
		{ "/old/(.*)$", NULL, false },
		{ "^/old/?$", NULL, false },
		{ "^/a.html$", NULL, false },
		{ "^old/(.*)$", NULL, false },
		{ "^/old/(.+)$", NULL, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool tail;
		Str head;

		NOTE("%s", cases[i].expression);
		CHECK_INT(regex_is_plain(a, str_of(cases[i].expression), &head, &tail),
		          cases[i].head != NULL);
		if (!cases[i].head)
			continue;
		CHECK_STR(head, str_of(cases[i].head));
		CHECK_INT(tail, cases[i].tail);
	}
}

TEST(expressions_are_asked)
{
	CHECK(regex_takes(S("\\.JPG$"), true, S("/a.jpg")));
	CHECK(!regex_takes(S("\\.JPG$"), false, S("/a.jpg")));
	CHECK(!regex_takes(S("("), false, S("/a")));
	CHECK(regex_has_group(a, S("(a)(?<b>c)"), S("2")));
	CHECK(regex_has_group(a, S("(a)(?<b>c)"), S("b")));
	CHECK(!regex_has_group(a, S("(a)(?<b>c)"), S("3")));
	CHECK(!regex_has_group(a, S("(a)(?:c)"), S("2")));
	CHECK(!regex_has_group(a, S("(a"), S("1")));
	CHECK(!regex_has_group(a, S("(a)"), S("0")));
	CHECK_STR(regex_quote(a, S("/a.b(c)$")), S("/a\\.b\\(c\\)\\$"));
}
