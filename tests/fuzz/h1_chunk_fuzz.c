/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunked bodies. The first byte says how the rest is cut. Then
 *   - the whole at once, cut in pieces, and byte by byte come to the same bytes or the same error, and
 *   - a body that was taken, written anew in chunks of our own, gives the same bytes and trailers. */
#include "base/arena.h"
#include "http/h1.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Outcome {
	const char *slug;
	bool done;
	size_t used;
	Str payload;
	Headers trailers;
} Outcome;

static void must(bool fine)
{
	if (!fine)
		abort();
}

static Outcome decode(Arena *a, Str bytes, size_t step)
{
	AUTO(buf_fini) Buf payload = { 0 };
	Outcome out = { 0 };
	H1Body body;

	h1_body_init(&body, HTTP_BODY_CHUNKED, -1);
	for (size_t end = step; out.used < bytes.len && !body.done && !out.slug;) {
		Str some = str_sub(bytes, out.used, end);
		size_t used;
		Str piece;
		Err *err = h1_body_next(&body, some, &used, &piece);

		if (err)
			out.slug = err->slug;
		else
			buf_put(&payload, piece);
		must(err || used);
		must(piece.len == 0 ||
		     (piece.at >= some.at && piece.at + piece.len <= some.at + used));
		out.used += used;
		if (out.used == MIN(end, bytes.len))
			end += step;
	}
	out.done = body.done;
	out.payload = str_dup(a, buf_str(&payload));
	if (out.done && h1_trailers(&body, a, &out.trailers))
		out.slug = "trailers";
	h1_body_fini(&body);
	return out;
}

static void must_be_the_same(const Outcome *x, const Outcome *y)
{
	must(str_eq(str_of(x->slug), str_of(y->slug)) && x->done == y->done);
	if (x->slug)
		return;
	must(str_eq(x->payload, y->payload) && x->trailers.count == y->trailers.count);
	for (uint32_t i = 0; i < x->trailers.count; i++) {
		must(str_eq(x->trailers.at[i].name, y->trailers.at[i].name));
		must(str_eq(x->trailers.at[i].value, y->trailers.at[i].value));
	}
}

static void must_write_what_it_took(Arena *a, const Outcome *taken, size_t step)
{
	AUTO(buf_fini) Buf out = { 0 };
	Outcome back;

	for (size_t at = 0; at < taken->payload.len; at += step) {
		Str piece = str_sub(taken->payload, at, at + step);

		h1_put_chunk_start(&out, piece.len);
		buf_put(&out, piece);
		buf_put(&out, S("\r\n"));
	}
	h1_put_last_chunk(&out, &taken->trailers);
	back = decode(a, buf_str(&out), out.len);
	must(back.used == out.len);
	must_be_the_same(taken, &back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Outcome whole, parts, bytes;
	Str body;
	Arena *a;

	if (size < 2)
		return 0;
	body = (Str){ (const char *)data + 1, size - 1 };
	a = arena_new(0);
	whole = decode(a, body, body.len);
	parts = decode(a, body, 1 + (size_t)data[0]);
	bytes = decode(a, body, 1);
	must_be_the_same(&whole, &parts);
	must_be_the_same(&whole, &bytes);
	if (whole.done && !whole.slug) {
		must(whole.used == parts.used && whole.used == bytes.used);
		must_write_what_it_took(a, &whole, 1 + (size_t)data[0]);
	}
	arena_free(a);
	return 0;
}
