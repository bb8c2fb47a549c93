/* SPDX-License-Identifier: Apache-2.0 */
#include "shift/shadow_compare.c"

#include "unit.h"

#include <zlib.h>

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

TEST(a_body_is_read_and_what_cannot_be_is_said_to_be_so)
{
	Str text = S("one and one and one and one"), whole = deflated(a, text, 15 + 16);
	ShadowAnswer good = answer_of(a, " gzip ", whole);
	ShadowAnswer plain = answer_of(a, "identity", text);
	ShadowAnswer bad = answer_of(a, "gzip", str_sub(whole, 0, whole.len / 2));
	ShadowAnswer other = answer_of(a, "compress", whole);

	CHECK(decode(&good, 1000) && decode(&plain, 1000));
	CHECK_STR(buf_str(&good.body), text);
	CHECK_STR(buf_str(&plain.body), text);
	CHECK(!good.cut);
	CHECK(!decode(&bad, 1000) && !decode(&other, 1000));
	buf_fini(&good.body);
	buf_fini(&plain.body);
	buf_fini(&bad.body);
	buf_fini(&other.body);
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
