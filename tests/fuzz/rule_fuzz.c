/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules. Whatever was read comes to the same twice, and a mistake says its column. */
#include "auth/rule.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static bool part(const void *arg, Str name, Str *value)
{
	*value = S("7");
	return name.len % 2 == (arg == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size };
	const Json *claims = NULL;
	const Rule *rule;
	unsigned column;
	Arena *a = arena_new(0);
	Err *err = rule_read(a, text, &rule);
	Str name;

	must(!json_read(
		a,
		S("{\"sub\":\"7\",\"uid\":7,\"roles\":[\"admin\",3,null],\"ok\":true,\"r\":{\"x\":1.5}}"),
		0, &claims));
	if (err)
		must(err->kind == ERR_INVALID && str_starts(err->text, S("column ")));
	for (size_t i = 0; !err && i < 2; i++) {
		const RuleAsk ask = { i ? claims : NULL, S("GET"), S("/users/7"), part, NULL };

		must(rule_holds(rule, &ask) == rule_holds(rule, &ask));
	}
	for (size_t i = 0; !err && rule_part(rule, i, &name, &column); i++)
		must(name.len && column >= 1 && column <= size);
	arena_free(a);
	return 0;
}
