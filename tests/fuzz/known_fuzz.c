/* SPDX-License-Identifier: Apache-2.0
 *
 * A copy of where moves stand, whatever is in the file: read or refused; and what was read is the same after it was written
 * again. The checksum is put right first, or nothing behind it would ever be reached. */
#include "base/arena.h"
#include "base/hash.h"
#include "shift/known.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Str with_sum(Arena *a, Str body)
{
	return str_fmt(a, "banyan shift known 1 %016" PRIx64 "\n%.*s",
	               hash_stable(body, UINT64_C(0x62616e79616e), UINT64_C(0x6b6e6f776e)),
	               STR_ARG(body));
}

static void check_again(Arena *a, const Known *known)
{
	AUTO(buf_fini) Buf one = { 0 };
	AUTO(buf_fini) Buf other = { 0 };
	Known read;

	if (known_put(&one, known))
		return;
	if (known_read(a, buf_str(&one), &read) || known_put(&other, &read) ||
	    !str_eq(buf_str(&one), buf_str(&other)) || read.count != known->count) {
		fprintf(stderr, "not the same: %.*s\n", STR_ARG(buf_str(&one)));
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str raw = { (const char *)data, size };
	Known known;

	if (!known_read(a, raw, &known))
		check_again(a, &known);
	if (!known_read(a, with_sum(a, raw), &known))
		check_again(a, &known);
	return 0;
}
