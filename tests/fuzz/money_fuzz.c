/* SPDX-License-Identifier: Apache-2.0
 *
 * Amounts as people type them: what is taken is a range in order, finite, and not negative. */
#include "audit/money.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf b = { 0 };
	Range range;
	bool ranged;

	if (money_read(a, (Str){ (const char *)data, size }, &range, &ranged))
		return 0;
	if (!(range.low >= 0 && range.low <= range.likely && range.likely <= range.high) ||
	    !isfinite(range.high))
		abort();
	money_amount_put(&b, S("$"), range.likely);
	return 0;
}
