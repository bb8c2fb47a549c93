/* SPDX-License-Identifier: Apache-2.0
 *
 * Packed structs, as a cache on a disk may have them after an accident: what is taken is written and read again as the same. */
#include "audit/pack.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Inner {
	uint32_t number;
	uint32_t count;
	const Str *texts;
} Inner;
typedef struct Outer {
	Str name;
	const Inner *inner;
	uint64_t count;
	const uint64_t *plain;
	uint64_t plain_count;
} Outer;
static const PackField inner_fields[] = { PACK_TEXTS(Inner, texts, count) };
static const PackType inner_type = { PACK_FIELDS(Inner, inner_fields) };
static const PackType plain_type = { PACK_PLAIN(uint64_t) };
static const PackField outer_fields[] = { PACK_TEXT(Outer, name),
	                                  PACK_ARRAY(Outer, inner, count, &inner_type),
	                                  PACK_ARRAY(Outer, plain, plain_count, &plain_type) };
static const PackType outer_type = { PACK_FIELDS(Outer, outer_fields) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf once = { 0 };
	AUTO(buf_fini) Buf twice = { 0 };
	Str in = { (const char *)data, size };
	void *value;

	if (!pack_read(a, &outer_type, &in, &value))
		return 0;
	pack_write(&once, &outer_type, value);
	in = buf_str(&once);
	if (!pack_read(a, &outer_type, &in, &value) || in.len)
		abort();
	pack_write(&twice, &outer_type, value);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	return 0;
}
