/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as Python, twice: its pieces are in order and within the text, and every class has places that lie apart and within their files. */
#include "audit/clones_int.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const Clones *c)
{
	for (size_t i = 0; i < c->count; i++)
		for (uint32_t k = 0; k < c->at[i].count; k++) {
			const ClonePlace *p = &c->at[i].at[k];

			if (c->at[i].count < 2 || p->line > p->end_line || p->file > 1)
				abort();
		}
	if (c->code.cloned > c->code.lines || c->code.surplus > c->code.cloned)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static SyntaxReader *reader;
	AUTO(arena_freep) Arena *a = arena_new(0);
	AuditFile files[2] = { { .path = S("a.py") }, { .path = S("b.py") } };
	Project p = { .files = files, .count = 2 };
	ClonesConf conf = { .tokens = 10, .lines = 1 };
	const Syntax *s;

	if (!reader)
		reader = syntax_reader_new();
	s = syntax_read(reader, (Str){ (const char *)data, size });
	for (int i = 0; i < 2; i++) {
		const FileTokens *t = tokens_facts()->extract(a, s, &files[i]);

		measure(a, s, CC_RADON, &files[i].measures);
		files[i].measures.lines.loc = s->at[0].end_line + 1;
		for (uint32_t k = 0; k < t->piece_count; k++)
			if (t->pieces[k].line > t->pieces[k].end_line ||
			    t->pieces[k].names > t->name_count)
				abort();
		files[i].facts[FACTS_TOKENS] = t;
	}
	check(clones_find(a, &conf, &p, NULL));
	return 0;
}
