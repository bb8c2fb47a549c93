/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/compare_body.c"

#include "compare_base.h"
#include "unit.h"

TEST(compare_body_tells_forms_by_content_type)
{
	static const struct {
		Str type;
		CompareForm form;
		Str charset;
	} cases[] = {
		{ S("application/json"), COMPARE_JSON, S("") },
		{ S("Application/JSON; Charset=UTF-8"), COMPARE_JSON, S("utf-8") },
		{ S("application/problem+json"), COMPARE_JSON, S("") },
		{ S("text/html; charset=\"latin1\""), COMPARE_HTML, S("latin1") },
		{ S("application/xhtml+xml"), COMPARE_HTML, S("") },
		{ S("text/csv;header=present; charset=x"), COMPARE_TEXT, S("x") },
		{ S("image/svg+xml"), COMPARE_TEXT, S("") },
		{ S("application/xml"), COMPARE_TEXT, S("") },
		{ S("image/png"), COMPARE_BYTES, S("") },
		{ S("application/json-not"), COMPARE_BYTES, S("") },
		{ S(""), COMPARE_BY_TYPE, S("") },
		{ S(" ; charset=x"), COMPARE_BY_TYPE, S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const CompareField field = { S("CONTENT-type"), cases[i].type };
		const CompareAnswer answer = { .fields = &field, .field_count = 1 };
		BodyType type = compare_body_type(a, &answer);

		NOTE("%.*s", STR_ARG(cases[i].type));
		CHECK_INT(type.form, cases[i].form);
		CHECK_STR(type.charset, cases[i].charset);
	}
}

TEST(compare_body_knows_charsets)
{
	const CompareField utf8 = { S("content-type"), S("text/html; charset=utf-8") };
	const CompareField latin = { S("content-type"), S("text/html; charset=iso-8859-1") };
	const CompareField other = { S("content-type"), S("text/html; charset=koi8-r") };
	const CompareRules rules = { .headers_given = true };
	const struct {
		const CompareField *old, *new;
		Str x, y, want;
	} cases[] = {
		{ &utf8, &latin, S("caf\xc3\xa9 \xe2\x82\xac"), S("caf\xe9 \x80"), S("") },
		{ &utf8, &latin, S("caf\xc3\xa9"), S("caf\xc3\xa9"),
		  S("") }, /* equal bytes are not looked into */
		{ &utf8, &latin, S("caf\xc3\xa9"), S("caf\xe8"), S("value /") },
		{ &utf8, &utf8, S("\xef\xbb\xbf<p>a</p>"), S("<p>a</p>"), S("") },
		{ &other, &other, S("<p>\xc1</p>"), S("<p>\xc1 </p>"), S("body .") },
	};
	const Comparer *comparer = NULL;
	Comparison found;

	CHECK_OK(compare_new(a, &rules, &comparer));
	for (size_t i = 0; i < COUNT(cases); i++) {
		const CompareAnswer old = { 200, cases[i].old, 1, cases[i].x, false };
		const CompareAnswer new = { 200, cases[i].new, 1, cases[i].y, false };

		NOTE("case %zu", i);
		compare_answers(comparer, a, &old, &new, NULL, &found);
		CHECK_STR(compare_told(a, &found), cases[i].want);
	}
}

TEST(compare_body_compares_texts_by_lines)
{
	static const struct {
		Str old, new, was, is;
	} cases[] = {
		{ S("a\r\nb\r\n"), S("a\nb\n"), S(""), S("") },
		{ S("a\nb\nc"), S("a\nx\nc"), S("line 2: b"), S("line 2: x") },
		{ S("a\nb"), S("a"), S("line 2: b"), S("1 line") },
		{ S(""), S("a"), S("line 1: "), S("line 1: a") },
		{ S("a\nann@example.org"), S("a\nb"), S("line 2: ***"), S("line 2: b") },
		{ S("id,password\n1,hunter2"), S("id,password\n1,other"), S("line 2: ***"),
		  S("line 2: ***") },
		{ S("1,hunter2"), S("id,password"), S("line 1: ***"), S("line 1: ***") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		Comparison found =
			compare_typed(a, NULL, S("text/plain"), cases[i].old, cases[i].new);

		NOTE("%.*s", STR_ARG(cases[i].old));
		CHECK_STR(compare_told(a, &found), cases[i].was.len ? S("body .") : S(""));
		if (!found.count)
			continue;
		CHECK_STR(found.at[0].old, cases[i].was);
		CHECK_STR(found.at[0].new, cases[i].is);
	}
}

TEST(compare_body_shows_nothing_of_bytes)
{
	Comparison found = compare_typed(a, NULL, S("image/png"), S("abcSECRET"), S("abdSECRET!"));

	CHECK_STR(compare_told(a, &found), S("body ."));
	CHECK_STR(found.at[0].old, S("9 bytes"));
	CHECK_STR(found.at[0].new, S("10 bytes, other ones from byte 3 on"));
	CHECK_INT(found.form, COMPARE_BYTES);
}
