/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones' files. Whatever was read answers for every moment: offsets of a day at most or so, and the moments of a wall time
 * show that wall time. */
#include "base/arena.h"
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	const Zone *zone;

	if (!zone_read(a, S("x"), (Str){ (const char *)data, size }, &zone)) {
		for (int64_t t = -4000000000; t < 8000000000; t += 77777777) {
			int64_t at[2];
			int32_t offset = zone_offset(zone, t);
			unsigned count = zone_moments(zone, t, at);

			must(offset >= -26 * 3600 && offset <= 26 * 3600 && count <= 2);
			for (unsigned i = 0; i < count; i++)
				must(at[i] + zone_offset(zone, at[i]) == t);
		}
	}
	arena_free(a);
	return 0;
}
