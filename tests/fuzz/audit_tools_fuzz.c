/* SPDX-License-Identifier: Apache-2.0
 *
 * Other tools' files from anywhere: what is read as findings has rules, words and lines in order. */
#include "audit/tools.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Findings found = { 0 };
	ToolFile about = { 0 };

	if (tools_read(a, (Str){ (const char *)data, size }, &found, &about))
		return 0;
	if (!about.format || found.count != about.findings)
		abort();
	for (size_t i = 0; i < found.count; i++) {
		const Finding *f = &found.at[i];

		if (!f->text.len || !f->rule->id || !str_of(f->rule->why).len ||
		    f->line > f->end_line || finding_minutes(f) <= 0)
			abort();
	}
	return 0;
}
