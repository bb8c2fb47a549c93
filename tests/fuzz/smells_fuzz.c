/* SPDX-License-Identifier: Apache-2.0
 *
 * Smells of any text: every finding lies in the file and keeps through the cache; ranges of comments are in order. */
#include "audit/smells.h"
#include "base/arena.h"
#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void readerp(SyntaxReader **reader)
{
	syntax_reader_free(*reader);
}

static void check(const FileSmells *facts)
{
	size_t count;

	smells_rules(&count);
	for (uint32_t i = 0; i < facts->smell_count; i++)
		if (facts->smells[i].rule >= count || !facts->smells[i].line ||
		    facts->smells[i].end_line < facts->smells[i].line)
			abort();
	for (uint32_t i = 0; i < facts->ignore_count; i++)
		if (facts->ignores[i].from == UINT32_MAX || !facts->ignores[i].line)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(readerp) SyntaxReader *reader = syntax_reader_new();
	AUTO(buf_fini) Buf b = { 0 };
	const Syntax *s = syntax_read(reader, (Str){ (const char *)data, size });
	AuditFile file = { .path = S("a.py") };
	const FileSmells *facts;
	void *kept;
	Str in;

	measure(a, s, CC_RADON, &file.measures);
	facts = smells_facts()->extract(a, s, &file);
	check(facts);
	pack_write(&b, smells_facts()->type, facts);
	in = buf_str(&b);
	if (!pack_read(a, smells_facts()->type, &in, &kept) || in.len)
		abort();
	check(kept);
	return 0;
}
