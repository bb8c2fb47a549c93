/* SPDX-License-Identifier: Apache-2.0
 *
 * import-linter's files of anything: what is taken of an INI lies in the text. */
#include "audit/links_linter.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(Str text, Str part)
{
	if (part.len && (part.at < text.at || part.at + part.len > text.at + text.len))
		abort();
}

static void check_all(Str text, const LinterContracts *c)
{
	for (size_t i = 0; i < c->count; i++) {
		check(text, c->at[i].name);
		for (size_t k = 0; k < c->at[i].layers.count; k++)
			check(text, c->at[i].layers.at[k]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data, size };
	LinterContracts got = { 0 };

	linter_read_ini(a, S("setup.cfg"), text, &got);
	check_all(text, &got);
	got = (LinterContracts){ 0 };
	linter_read_toml(a, S("pyproject.toml"), text, &got);
	return 0;
}
