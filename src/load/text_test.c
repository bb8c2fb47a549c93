/* SPDX-License-Identifier: Apache-2.0 */
#include "load/text.c"

#include "unit.h"

static bool look_up(void *arg, Str name, Buf *out)
{
	if (str_eq(name, S("none")))
		return false;
	buf_fmt(out, "<%.*s%s>", STR_ARG(name), (const char *)arg);
	return true;
}

TEST(names_in_braces_are_filled_in)
{
	static const struct {
		Str source, want, form;
		bool plain;
	} cases[] = {
		{ S(""), S(""), S(""), true },
		{ S("/p?q=1"), S("/p?q=1"), S("%2Fp%3Fq%3D1"), true },
		{ S("{a}"), S("<a!>"), S("%3Ca%21%3E"), false },
		{ S("x{a}y{b.c}z"), S("x<a!>y<b.c!>z"), S("x%3Ca%21%3Ey%3Cb.c%21%3Ez"), false },
		{ S("{{a}} b"), S("{a} b"), S("%7Ba%7D+b"), true },
		{ S("a{none}b"), S("ab"), S("ab"), false },
		{ S("{{\"k\": \"{v}\"}}"), S("{\"k\": \"<v!>\"}"),
		  S("%7B%22k%22%3A+%22%3Cv%21%3E%22%7D"), false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };
		AUTO(buf_fini) Buf form = { 0 };
		Text *text = text_new(a, cases[i].source);

		CHECK_OK(text_mistake(a, cases[i].source));
		text_put(&out, text, look_up, "!");
		text_put_form(&form, text, look_up, "!");
		CHECK_STR(buf_str(&out), cases[i].want);
		CHECK_STR(buf_str(&form), cases[i].form);
		CHECK_INT(text_is_plain(text), cases[i].plain);
	}
}

TEST(a_brace_that_stands_alone_is_a_mistake)
{
	static const Str cases[] = { S("{"),  S("}"),    S("a{b"), S("a}b"),
		                     S("{}"), S("{a}}"), S("x{{}") };

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_ERR(text_mistake(a, cases[i]), "load.text");
}

static void count(void *arg, Str name)
{
	*(size_t *)arg += name.len;
}

TEST(its_names_can_be_visited)
{
	size_t letters = 0;

	text_names(text_new(a, S("{ab}{{c}}{d}")), count, &letters);
	CHECK_INT(letters, 3);
}
