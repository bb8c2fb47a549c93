/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading coded bodies. Each library is a row: how it begins, takes a step and ends; the loop around them is one, and so is the limit.
 * A step reads what it can and fills what room there is; what comes out is never more than a step beyond the limit, however small
 * the body was that it came from.
 *
 * What follows the end of a body is another gzip member or zstd frame, which both formats allow, or makes it damaged: two answers
 * that differ there would else be called alike. */
#include "http/decode.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { ROOM = 64 << 10, ZSTD_WINDOW_LOG = 23 };

typedef enum Stepped { STEP_MORE, STEP_END, STEP_BAD } Stepped;

typedef struct Decoder Decoder;

typedef struct DecoderKind {
	Str names[2];
	bool (*begin)(Decoder *d);
	/* Takes from d->in, puts at most ROOM bytes and says how many. */
	Stepped (*step)(Decoder *d, char *room, size_t *got);
	void (*end)(Decoder *d);
	bool many; /* another body may follow its end */
} DecoderKind;

struct Decoder {
	const DecoderKind *kind;
	Str in; /* what is left */
	z_stream z;
	BrotliDecoderState *br;
	ZSTD_DCtx *zstd;
};

static void take(Decoder *d, size_t bytes)
{
	d->in = str_sub(d->in, bytes, d->in.len);
}

/* --- gzip and deflate ----------------------------------------------------------------------------------------------------- */

static bool begin_zlib(Decoder *d, int window)
{
	return inflateInit2(&d->z, window) == Z_OK;
}

static bool begin_gzip(Decoder *d)
{
	return begin_zlib(d, 15 + 16);
}

/* RFC 1950 begins with a check of its own two bytes. */
static bool begin_deflate(Decoder *d)
{
	const unsigned char *at = (const unsigned char *)d->in.at;
	bool headed = d->in.len > 1 && (at[0] & 0x0f) == 8 && ((at[0] << 8) + at[1]) % 31 == 0;

	return begin_zlib(d, headed ? 15 : -15);
}

static Stepped step_zlib(Decoder *d, char *room, size_t *got)
{
	size_t given = MIN(d->in.len, (size_t)ROOM);
	int code;

	d->z.next_in = (Bytef *)(uintptr_t)d->in.at;
	d->z.avail_in = (uInt)given;
	d->z.next_out = (Bytef *)room;
	d->z.avail_out = ROOM;
	code = inflate(&d->z, Z_NO_FLUSH);
	*got = ROOM - d->z.avail_out;
	take(d, given - d->z.avail_in);
	if (code == Z_STREAM_END)
		return inflateReset(&d->z) == Z_OK ? STEP_END : STEP_BAD;
	return code == Z_OK && (d->in.len || !d->z.avail_out) ? STEP_MORE : STEP_BAD;
}

static void end_zlib(Decoder *d)
{
	(void)inflateEnd(&d->z);
}

/* --- br -------------------------------------------------------------------------------------------------------------------- */

static bool begin_br(Decoder *d)
{
	d->br = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	return d->br;
}

static Stepped step_br(Decoder *d, char *room, size_t *got)
{
	const uint8_t *in = (const uint8_t *)d->in.at;
	size_t left = d->in.len, space = ROOM;
	uint8_t *out = (uint8_t *)room;
	BrotliDecoderResult code =
		BrotliDecoderDecompressStream(d->br, &left, &in, &space, &out, NULL);

	*got = ROOM - space;
	take(d, d->in.len - left);
	if (code == BROTLI_DECODER_RESULT_SUCCESS)
		return STEP_END;
	return code == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ? STEP_MORE : STEP_BAD;
}

static void end_br(Decoder *d)
{
	BrotliDecoderDestroyInstance(d->br);
}

/* --- zstd ------------------------------------------------------------------------------------------------------------------ */

static bool begin_zstd(Decoder *d)
{
	d->zstd = ZSTD_createDCtx();
	return d->zstd &&
	       !ZSTD_isError(ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
}

static Stepped step_zstd(Decoder *d, char *room, size_t *got)
{
	ZSTD_inBuffer in = { d->in.at, d->in.len, 0 };
	ZSTD_outBuffer out = { room, ROOM, 0 };
	size_t left = ZSTD_decompressStream(d->zstd, &out, &in);

	*got = out.pos;
	take(d, in.pos);
	if (ZSTD_isError(left))
		return STEP_BAD;
	if (!left)
		return STEP_END;
	return d->in.len || out.pos == ROOM ? STEP_MORE : STEP_BAD;
}

static void end_zstd(Decoder *d)
{
	(void)ZSTD_freeDCtx(d->zstd);
}

/* --- all ------------------------------------------------------------------------------------------------------------------- */

static const DecoderKind kinds[] = {
	{ { S("gzip"), S("x-gzip") }, begin_gzip, step_zlib, end_zlib, .many = true },
	{ { S("deflate") }, begin_deflate, step_zlib, end_zlib },
	{ { S("br") }, begin_br, step_br, end_br },
	{ { S("zstd") }, begin_zstd, step_zstd, end_zstd, .many = true },
};

static const DecoderKind *find_kind(Str coding)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (size_t k = 0; k < COUNT(kinds[i].names); k++)
			if (kinds[i].names[k].len && str_eq_nocase(coding, kinds[i].names[k]))
				return &kinds[i];
	return NULL;
}

static bool is_identity(Str coding)
{
	return !coding.len || str_eq_nocase(coding, S("identity"));
}

bool http_decode_knows(Str coding)
{
	coding = str_trim(coding);
	return is_identity(coding) || find_kind(coding);
}

static bool add(Buf *out, Str piece, uint64_t limit, size_t from)
{
	uint64_t left = limit - (out->len - from);

	buf_put(out, str_sub(piece, 0, MIN(piece.len, left)));
	return piece.len <= left;
}

static HttpDecoded run(Decoder *d, uint64_t limit, Buf *out)
{
	size_t from = out->len;
	char room[ROOM];

	for (;;) {
		size_t got = 0;
		Stepped stepped = d->kind->step(d, room, &got);

		if (!add(out, (Str){ room, got }, limit, from))
			return HTTP_DECODED_CUT;
		if (stepped == STEP_BAD || (stepped == STEP_END && d->in.len && !d->kind->many))
			return HTTP_DECODE_DAMAGED;
		if (stepped == STEP_END && !d->in.len)
			return HTTP_DECODED;
	}
}

HttpDecoded http_decode(Str coding, Str body, uint64_t limit, Buf *out)
{
	Decoder d = { .in = body };
	HttpDecoded decoded = HTTP_DECODE_DAMAGED;

	coding = str_trim(coding);
	if (is_identity(coding))
		return add(out, body, limit, out->len) ? HTTP_DECODED : HTTP_DECODED_CUT;
	d.kind = find_kind(coding);
	if (!d.kind)
		return HTTP_DECODE_UNKNOWN;
	if (d.kind->begin(&d))
		decoded = run(&d, limit, out);
	d.kind->end(&d);
	return decoded;
}
