/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/dual_form.c"

#include "unit.h"

TEST(fields_come_back_as_they_were)
{
	AUTO(buf_fini) Buf b = { 0 };
	Headers in = { 0 }, out;

	headers_add(&in, a, S("Content-Type"), S("a: b; c"));
	headers_add(&in, a, S("X-Empty"), S(""));
	headers_add(&in, a, S("X-Odd"), S("\xe9: \t"));
	dual_put_fields(&b, &in);
	CHECK(dual_read_fields(a, buf_str(&b), &out));
	CHECK(out.count == 3 && out.at[0].id == HTTP_CONTENT_TYPE);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_STR(out.at[i].name, in.at[i].name);
		CHECK_STR(out.at[i].value, in.at[i].value);
	}
	CHECK(dual_read_fields(a, S(""), &out) && !out.count);
	CHECK(!dual_read_fields(a, S(": x\n"), &out) &&
	      !dual_read_fields(a, S("no colon\n"), &out));
}

TEST(an_answer_comes_back_as_it_was)
{
	AUTO(buf_fini) Buf b = { 0 };
	CompareField fields[20];
	ShadowAnswer in = {
		.status = 201, .fields = fields, .field_count = COUNT(fields), .cut = true
	};
	ShadowAnswer out;

	for (size_t i = 0; i < COUNT(fields); i++)
		fields[i] = (CompareField){ str_fmt(a, "X-%zu", i), S("v") };
	buf_put(&in.body, S("\n\nbody: x\n"));
	dual_put_answer(&b, &in);
	CHECK(dual_read_answer(a, buf_str(&b), &out));
	CHECK(out.status == 201 && out.cut && out.field_count == COUNT(fields));
	CHECK_STR(out.fields[19].name, S("X-19"));
	CHECK_STR(buf_str(&out.body), buf_str(&in.body));
	buf_fini(&out.body);
	CHECK(!dual_read_answer(a, S("x"), &out) && !dual_read_answer(a, S("200"), &out));
	CHECK(!dual_read_answer(a, S("200 whole\nno colon\n\n"), &out));
	buf_fini(&in.body);
}

TEST(what_a_status_says)
{
	static const struct {
		unsigned status;
		DualFate first;
		DualStep other;
	} cases[] = {
		{ 200, DUAL_TAKEN, DUAL_DONE },    { 201, DUAL_TAKEN, DUAL_DONE },
		{ 303, DUAL_TAKEN, DUAL_DONE },    { 400, DUAL_REFUSED, DUAL_DIES },
		{ 404, DUAL_REFUSED, DUAL_DIES },  { 408, DUAL_REFUSED, DUAL_AGAIN },
		{ 409, DUAL_REFUSED, DUAL_AGAIN }, { 422, DUAL_REFUSED, DUAL_DIES },
		{ 425, DUAL_REFUSED, DUAL_AGAIN }, { 429, DUAL_REFUSED, DUAL_AGAIN },
		{ 500, DUAL_REFUSED, DUAL_AGAIN }, { 502, DUAL_UNKNOWN, DUAL_AGAIN },
		{ 503, DUAL_REFUSED, DUAL_AGAIN }, { 504, DUAL_UNKNOWN, DUAL_AGAIN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%u", cases[i].status);
		CHECK(dual_fate_of(cases[i].status) == cases[i].first);
		CHECK(dual_step_of(cases[i].status) == cases[i].other);
	}
}

TEST(pauses_grow_up_to_a_minute)
{
	CHECK(dual_pause_us(1, 0) == 250 * US_PER_MS);
	CHECK(dual_pause_us(2, 0) == 500 * US_PER_MS);
	CHECK(dual_pause_us(9, 0) == 60 * US_PER_S && dual_pause_us(1000000, 0) == 60 * US_PER_S);
	for (int64_t tries = 0; tries < 20; tries++) {
		int64_t most = dual_pause_us(tries, 0), us = dual_pause_us(tries, UINT64_MAX - 7);

		CHECK(us <= most && us >= most - most / 4);
	}
}

TEST(text_for_a_book_is_whole_characters)
{
	static const struct {
		Str in, out;
	} cases[] = {
		{ S("plain"), S("plain") },
		{ S("12345678"), S("12345678") },
		{ S("123456789"), S("12345678") },
		{ S("1234567\xc3\xbc"), S("1234567") },
		{ S("123456\xc3\xbc"), S("123456\xc3\xbc") },
		{ S("a\xff\xc3z"), S("a??z") },
		{ S("a\nb\x7f"), S("a?b?") },
		{ { "a\0b", 3 }, S("a?b") },
		{ S(""), S("") },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		NOTE("%zu", i);
		CHECK_STR(dual_text(a, cases[i].in, 8), cases[i].out);
	}
}
