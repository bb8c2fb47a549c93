/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as Redis keeps them, where anybody may have written: what is taken is written again as the same bytes. */
#include "store/cache_blob.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str text = { (const char *)data, size };
	CacheBlob blob;

	if (!cache_blob_read(text, &blob))
		return 0;
	cache_blob_put(&b, &blob);
	if (!str_eq(buf_str(&b), text))
		abort();
	return 0;
}
