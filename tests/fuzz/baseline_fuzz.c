/* SPDX-License-Identifier: Apache-2.0
 *
 * Baselines from anywhere: one that is taken is written and taken again as the same. */
#include "audit/baseline.h"
#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf once = { 0 }, twice = { 0 };
	Findings none = { 0 };
	Baseline one, two;
	Delta delta;

	if (baseline_read(a, (Str){ (const char *)data, size }, &one))
		return 0;
	baseline_put(&once, a, &one);
	if (baseline_read(a, buf_str(&once), &two))
		abort();
	baseline_put(&twice, a, &two);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	baseline_match(a, &one, &none, false, &delta);
	if (delta.fresh_count || delta.same || (one.count && !delta.fixed))
		abort();
	return 0;
}
