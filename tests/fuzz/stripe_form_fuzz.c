/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms with brackets, and card numbers. A form that is read is an object of objects, lists and strings within its bounds; one that has a card
 * number in a name or value is found, and what a log shows of any text has none. */
#include "base/arena.h"
#include "payment/guard.h"
#include "payment/stripe_form.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

static size_t check(const Json *value, int depth)
{
	JsonKind kind = json_kind(value);
	size_t leaves = kind == JSON_KIND_STR;
	const Json *inner;
	void *at = NULL;
	Str name;

	must(depth <= STRIPE_FORM_DEPTH + 2);
	must(kind == JSON_KIND_STR || kind == JSON_KIND_OBJECT || kind == JSON_KIND_ARRAY);
	while (kind == JSON_KIND_OBJECT && json_next(value, &at, &name, &inner))
		leaves += check(inner, depth + 1);
	for (size_t i = 0; kind == JSON_KIND_ARRAY && i < json_count(value); i++)
		leaves += check(json_at(value, i), depth + 1);
	return leaves;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Str text = { (const char *)data, size }, where;
	Arena *a = arena_new(0);
	const Json *json;

	if (!stripe_form_read(a, text, &json)) {
		must(json_kind(json) == JSON_KIND_OBJECT);
		must(check(json, 0) <= STRIPE_FORM_PAIRS);
		(void)guard_finds(json, &where);
	}
	must(!guard_has_card(guard_hide(a, text)));
	arena_free(a);
	return 0;
}
