/* SPDX-License-Identifier: Apache-2.0 */
#include "http/decode.c"

#include "base/arena.h"
#include "unit.h"

#include <brotli/encode.h>

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

static Str brotlied(Arena *a, Str text)
{
	size_t len = text.len + 1000;
	uint8_t *out = arena_alloc_raw(a, len);

	CHECK(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, text.len, (const uint8_t *)text.at,
	                            &len, out));
	return (Str){ (char *)out, len };
}

static Str zstded(Arena *a, Str text)
{
	size_t len = ZSTD_compressBound(text.len);
	char *out = arena_alloc_raw(a, len);

	len = ZSTD_compress(out, len, text.at, text.len, 3);
	CHECK(!ZSTD_isError(len));
	return (Str){ out, len };
}

static Str joined(Arena *a, Str text, Str more)
{
	char *to = arena_alloc_raw(a, text.len + more.len);

	memcpy(to, text.at, text.len);
	memcpy(to + text.len, more.at, more.len);
	return (Str){ to, text.len + more.len };
}

static Str twice(Arena *a, Str text)
{
	return joined(a, text, text);
}

TEST(decode_reads_every_form_of_a_coding)
{
	Str text = S("one and one and one and one"), both = twice(a, text);
	const struct {
		const char *coding;
		Str body, want;
	} cases[] = {
		{ "gzip", deflated(a, text, 15 + 16), text },
		{ "X-GZIP", deflated(a, text, 15 + 16), text },
		{ " gzip ", deflated(a, text, 15 + 16), text },
		{ "gzip", twice(a, deflated(a, text, 15 + 16)), both },
		{ "deflate", deflated(a, text, 15), text },
		{ "deflate", deflated(a, text, -15), text },
		{ "br", brotlied(a, text), text },
		{ "BR", brotlied(a, S("")), S("") },
		{ "zstd", zstded(a, text), text },
		{ "zstd", twice(a, zstded(a, text)), both },
		{ "identity", text, text },
		{ "", text, text },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buf_fini) Buf out = { 0 };

		NOTE("%zu: %s", i, cases[i].coding);
		buf_put(&out, S("before "));
		CHECK(http_decode_knows(str_of(cases[i].coding)));
		CHECK_INT(http_decode(str_of(cases[i].coding), cases[i].body, 1000, &out),
		          HTTP_DECODED);
		CHECK_STR(str_sub(buf_str(&out), 7, out.len), cases[i].want);
	}
}

static void check_damaged(Arena *a, const char *coding, Str whole)
{
	for (size_t len = 0; len < whole.len; len++) {
		AUTO(buf_fini) Buf out = { 0 };

		NOTE("%s: %zu of %zu bytes", coding, len, whole.len);
		CHECK_INT(http_decode(str_of(coding), str_sub(whole, 0, len), 1000, &out),
		          HTTP_DECODE_DAMAGED);
	}
	for (size_t i = 0; i < 2; i++) {
		AUTO(buf_fini) Buf out = { 0 };
		Str more = i ? S("\x01") : S("no body at all");

		CHECK_INT(http_decode(str_of(coding), joined(a, whole, more), 1000, &out),
		          HTTP_DECODE_DAMAGED);
	}
}

TEST(decode_says_what_is_damaged)
{
	Str text = S("one and one and one and one");

	check_damaged(a, "gzip", deflated(a, text, 15 + 16));
	check_damaged(a, "deflate", deflated(a, text, 15));
	check_damaged(a, "br", brotlied(a, text));
	check_damaged(a, "zstd", zstded(a, text));
}

TEST(decode_knows_what_it_does_not_know)
{
	AUTO(buf_fini) Buf out = { 0 };

	CHECK_INT(http_decode(S("compress"), S("x"), 1000, &out), HTTP_DECODE_UNKNOWN);
	CHECK_INT(http_decode(S("gzip, gzip"), S("x"), 1000, &out), HTTP_DECODE_UNKNOWN);
	CHECK(!http_decode_knows(S("compress")) && !http_decode_knows(S("gzip, br")));
	CHECK_INT(out.len, 0);
}

TEST(decode_stops_at_its_limit)
{
	static const size_t sizes[] = { 0, 999, 1000, 1001, ROOM, 200000, 3000000 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		Str text = { arena_alloc(a, sizes[i] + 1), sizes[i] };
		const struct {
			const char *coding;
			Str body;
		} cases[] = { { "gzip", deflated(a, text, 31) },
			      { "br", brotlied(a, text) },
			      { "zstd", zstded(a, text) },
			      { "identity", text } };

		for (size_t k = 0; k < COUNT(cases); k++) {
			AUTO(buf_fini) Buf out = { 0 };
			HttpDecoded got =
				http_decode(str_of(cases[k].coding), cases[k].body, 1000, &out);

			NOTE("%s of %zu", cases[k].coding, sizes[i]);
			CHECK_INT(got, sizes[i] > 1000 ? HTTP_DECODED_CUT : HTTP_DECODED);
			CHECK_INT(out.len, MIN(sizes[i], (size_t)1000));
		}
	}
}

/* What wants more memory than any browser would give it. */
TEST(decode_takes_no_window_of_any_size)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	Str text = { arena_alloc(a, 64 << 20), 64 << 20 };
	char *room = arena_alloc_raw(a, 1 << 20);
	ZSTD_outBuffer out = { room, 1 << 20, 0 };
	ZSTD_inBuffer in = { text.at, text.len, 0 };
	AUTO(buf_fini) Buf got = { 0 };

	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
	CHECK(!ZSTD_isError(ZSTD_compressStream2(c, &out, &in, ZSTD_e_continue)));
	CHECK(ZSTD_compressStream2(c, &out, &in, ZSTD_e_end) == 0);
	ZSTD_freeCCtx(c);
	CHECK_INT(http_decode(S("zstd"), (Str){ room, out.pos }, 1000, &got), HTTP_DECODE_DAMAGED);
}
