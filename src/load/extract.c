/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of one user: few, so a list; each is one piece of memory. */
#include "load/extract.h"

#include <stdlib.h>
#include <string.h>

typedef struct Variable {
	struct Variable *next;
	size_t name_len, value_len;
	char bytes[];
} Variable;

void variables_fini(Variables *variables)
{
	while (variables->first) {
		Variable *variable = variables->first;

		variables->first = variable->next;
		free(variable);
	}
}

static Variable **find(Variables *variables, Str name)
{
	Variable **at = &variables->first;

	while (*at && !str_eq((Str){ (*at)->bytes, (*at)->name_len }, name))
		at = &(*at)->next;
	return at;
}

void variables_set(Variables *variables, Str name, Str value)
{
	Variable **at = find(variables, name);
	Variable *fresh = malloc(sizeof *fresh + name.len + value.len);
	Variable *old = *at;

	if (!fresh)
		abort();
	*fresh = (Variable){ .next = old ? old->next : NULL,
		             .name_len = name.len,
		             .value_len = value.len };
	memcpy(fresh->bytes, name.at, name.len);
	if (value.len)
		memcpy(fresh->bytes + name.len, value.at, value.len);
	*at = fresh;
	free(old);
}

bool variables_put(const Variables *variables, Str name, Buf *out)
{
	const Variable *variable = *find((Variables *)(uintptr_t)variables, name);

	if (!variable)
		return false;
	buf_put(out, (Str){ variable->bytes + variable->name_len, variable->value_len });
	return true;
}
