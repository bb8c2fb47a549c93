/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.c"

#include "unit.h"

TEST(names_and_values_are_read_as_browsers_write_them)
{
	Form form;

	CHECK_OK(form_read(a, S("a=1&b=x+y%2Bz&&c&d=&e==&%C3%A4=%e2%82%AC"), &form));
	CHECK_INT(form.count, 6);
	CHECK_STR(form_get(&form, "a"), S("1"));
	CHECK_STR(form_get(&form, "b"), S("x y+z"));
	CHECK_STR(form_get(&form, "c"), S(""));
	CHECK_STR(form_get(&form, "d"), S(""));
	CHECK_STR(form_get(&form, "e"), S("="));
	CHECK_STR(form_get(&form, "\xc3\xa4"), S("\xe2\x82\xac"));
	CHECK_STR(form_get(&form, "f"), S(""));
	CHECK_OK(form_read(a, S(""), &form));
	CHECK_INT(form.count, 0);
}

TEST(what_can_be_read_in_two_ways_is_refused)
{
	static const struct {
		Str text;
		const char *slug;
	} cases[] = {
		{ S("a=1&a=2"), "form.twice" },   { S("a=1&%61=1"), "form.twice" },
		{ S("a=%"), "form.escape" },      { S("a=%4"), "form.escape" },
		{ S("a=%4g"), "form.escape" },    { S("%zz=1"), "form.escape" },
		{ S("a=%00"), "form.escape" },    { S("a=%ff"), "form.escape" },
		{ S("a=%c0%af"), "form.escape" }, { S("a=\xff"), "form.escape" },
	};
	Form form;

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%.*s", STR_ARG(cases[i].text));
		CHECK_ERR(form_read(a, cases[i].text, &form), cases[i].slug);
	}
}

TEST(a_form_has_limits)
{
	AUTO(buf_fini) Buf b = { 0 };
	Form form;

	for (int i = 0; i < FORM_PAIRS; i++)
		form_put(&b, str_fmt(a, "n%d", i), S("v"));
	CHECK_OK(form_read(a, buf_str(&b), &form));
	CHECK_INT(form.count, FORM_PAIRS);
	form_put(&b, S("one"), S("more"));
	CHECK_ERR(form_read(a, buf_str(&b), &form), "form.too_large");
	CHECK_ERR(form_read(a, (Str){ arena_alloc(a, FORM_BYTES + 1), FORM_BYTES + 1 }, &form),
	          "form.too_large");
}

TEST(what_is_written_reads_back_as_the_same)
{
	AUTO(buf_fini) Buf b = { 0 };
	Form form;

	buf_put(&b, S("https://x/?"));
	form_put(&b, S("a b"), S("&=%+\n"));
	form_put(&b, S("c"), S("\xc3\xa4~"));
	CHECK_STR(buf_str(&b), S("https://x/?a%20b=%26%3D%25%2B%0A&c=%C3%A4~"));
	CHECK_OK(form_read(a, str_sub(buf_str(&b), 11, b.len), &form));
	CHECK_STR(form_get(&form, "a b"), S("&=%+\n"));
	CHECK_STR(form_get(&form, "c"), S("\xc3\xa4~"));
}
