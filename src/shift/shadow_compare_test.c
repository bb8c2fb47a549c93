/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/shadow_compare.c"

#include "unit.h"

static Str deflated(Arena *a, Str text, int window)
{
	z_stream z = { 0 };
	size_t room = text.len + 1000;
	char *out = arena_alloc_raw(a, room);

	CHECK(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)text.at;
	z.avail_in = (uInt)text.len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return (Str){ out, z.total_out };
}

static ShadowAnswer answer_of(Arena *a, const char *coding, Str body)
{
	ShadowAnswer answer = { .status = 200, .fields = ARENA_NEW(a, CompareField) };

	answer.fields[0] = (CompareField){ S("content-encoding"), str_of(coding) };
	answer.field_count = 1;
	buf_put(&answer.body, body);
	return answer;
}

TEST(bodies_are_read_in_every_form_of_their_coding)
{
	Str text = S("one and one and one and one");
	const struct {
		const char *coding;
		Str body;
	} cases[] = {
		{ "gzip", deflated(a, text, 15 + 16) },   { "X-GZIP", deflated(a, text, 15 + 16) },
		{ " gzip ", deflated(a, text, 15 + 16) }, { "deflate", deflated(a, text, 15) },
		{ "deflate", deflated(a, text, -15) },    { "identity", text },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ShadowAnswer answer = answer_of(a, cases[i].coding, cases[i].body);

		CHECK(decode(&answer, 1000));
		CHECK_STR(buf_str(&answer.body), text);
		CHECK(!answer.cut);
		buf_fini(&answer.body);
	}
}

TEST(what_cannot_be_read_is_said_to_be_so)
{
	Str whole = deflated(a, S("one and one and one and one"), 15 + 16);
	const struct {
		const char *coding;
		Str body;
	} cases[] = {
		{ "br", S("whatever") },
		{ "gzip, gzip", whole },
		{ "gzip", S("no gzip at all") },
		{ "gzip", str_sub(whole, 0, whole.len / 2) },
		{ "gzip", str_sub(whole, 0, whole.len - 9) },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		ShadowAnswer answer = answer_of(a, cases[i].coding, cases[i].body);

		CHECK(!decode(&answer, 1000));
		buf_fini(&answer.body);
	}
}

TEST(a_body_is_read_up_to_a_limit)
{
	size_t sizes[] = { 999, 1000, 1001, 200000, 3000000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *text = arena_alloc(a, sizes[i]);
		ShadowAnswer answer =
			answer_of(a, "gzip", deflated(a, (Str){ text, sizes[i] }, 15 + 16));

		CHECK(decode(&answer, 1000));
		CHECK_INT(answer.body.len, MIN(sizes[i], (size_t)1000));
		CHECK_INT(answer.cut, sizes[i] > 1000);
		buf_fini(&answer.body);
	}
}

TEST(a_body_cut_on_the_way_is_not_read)
{
	ShadowAnswer answer = answer_of(a, "gzip", S("half"));

	answer.cut = true;
	CHECK(decode(&answer, 1000));
	CHECK_STR(buf_str(&answer.body), S("half"));
	buf_fini(&answer.body);
}
