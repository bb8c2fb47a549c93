/* SPDX-License-Identifier: Apache-2.0
 *
 * Coded bodies: the first byte says which coding, the second the limit. What comes out is never more than the limit, and the same
 * up to there whatever the limit is. */
#include "http/decode.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const Str codings[] = { S("gzip"), S("deflate"), S("br"), S("zstd") };
	AUTO(buf_fini) Buf few = { 0 };
	AUTO(buf_fini) Buf many = { 0 };
	Str body, coding;
	uint64_t limit;
	HttpDecoded small, large;

	if (size < 2)
		return 0;
	body = (Str){ (const char *)data + 2, size - 2 };
	coding = codings[data[0] % COUNT(codings)];
	limit = (uint64_t)data[1] * 16;
	small = http_decode(coding, body, limit, &few);
	large = http_decode(coding, body, 1 << 20, &many);
	must(few.len <= limit && many.len <= 1 << 20 && few.len <= many.len);
	must(str_eq(buf_str(&few), str_sub(buf_str(&many), 0, few.len)));
	must(small != HTTP_DECODED || large == HTTP_DECODED);
	must(small != HTTP_DECODED_CUT || (few.len == limit && many.len > limit));
	return 0;
}
