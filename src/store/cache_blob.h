/* SPDX-License-Identifier: Apache-2.0
 *
 * A value as Redis keeps it for all processes, with what they need to judge it. Pure. */
#pragma once
#include "base/buf.h"
#include "store/cache.h"

typedef struct CachePlace {
	uint64_t generation; /* of the log; 0: none */
	uint64_t number;     /* in it */
} CachePlace;

typedef struct CacheBlob {
	CachePlace born; /* what the writer had heard when it began to load */
	int64_t expires_utc_us;
	bool found;
	uint64_t tags[CACHE_TAGS];
	size_t tag_count;
	Str value;
} CacheBlob;

void cache_blob_put(Buf *b, const CacheBlob *blob);
/* False: it is none of ours, or not whole. The value is a view. */
bool cache_blob_read(Str text, CacheBlob *out);
