/* SPDX-License-Identifier: Apache-2.0
 *
 * TOML from anywhere: what is read is a tree whose counts are right, walked without going deeper than it may. */
#include "audit/toml.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const Toml *node, int depth)
{
	uint32_t count = 0;

	if (depth > 10000)
		return; /* tables by dotted keys may be as deep as the text is long */
	TOML_EACH(node, child)
	{
		count++;
		walk(child, depth + 1);
	}
	if (count != node->count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	const Toml *root;

	if (toml_read(a, S("x"), (Str){ (const char *)data, size }, &root))
		return 0;
	walk(root, 0);
	toml_path(root, S("tool.poetry.dependencies"));
	return 0;
}
