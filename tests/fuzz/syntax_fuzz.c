/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows and measures of anything at all: rows lie within each other as they say, and what is measured lies within the text. */
#include "audit/measure.h"
#include "base/arena.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const Syntax *s, uint32_t i)
{
	const PyNode *row = &s->at[i], *parent = &s->at[row->parent];

	if (row->kind >= PY_KIND_COUNT || row->field >= PY_F_COUNT || row->from > row->to ||
	    row->to > s->text.len || row->line > row->end_line)
		abort();
	if (row->end <= i || row->end > s->count || row->parent > i || (i && row->parent == i))
		abort();
	if (i && (row->end > parent->end || row->from < parent->from || row->to > parent->to))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	SyntaxReader *reader = syntax_reader_new();
	const Syntax *s = syntax_read(reader, (Str){ (const char *)data, size });

	for (uint32_t i = 0; i < s->count; i++)
		check_row(s, i);
	for (CcRules rules = 0; rules < CC_RULES; rules++) {
		Measures m = { 0 };

		measure(a, s, rules, &m);
		if (!(m.mi >= 0 && m.mi <= 100) || !isfinite(m.volume))
			abort();
		for (uint32_t i = 0; i < m.unit_count; i++)
			if (m.units[i].line > m.units[i].end_line || m.units[i].node >= s->count)
				abort();
	}
	syntax_reader_free(reader);
	return 0;
}
