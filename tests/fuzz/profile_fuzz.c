/* SPDX-License-Identifier: Apache-2.0
 *
 * Schemas of custom fields, and values looked at by them: a line with a schema, then a value. */
#include "base/arena.h"
#include "user/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *a = arena_new(0);
	FieldMistakes wrong = { .arena = a };
	Str rest = { (const char *)data, size }, schema, text, again;
	const ProfileSchema *read;

	str_split(&rest, '\n', &schema);
	if (!profile_schema_read(a, schema, &read)) {
		text = rest;
		profile_read(read, a, &text, S(""), &wrong);
		again = text;
		if (!wrong.count) { /* what was taken is taken again, as it is */
			profile_read(read, a, &again, S(""), &wrong);
			if (wrong.count || !str_eq(text, again))
				abort();
		}
	}
	arena_free(a);
	return 0;
}
