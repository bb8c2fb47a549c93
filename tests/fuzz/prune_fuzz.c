/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that is cut to the size of a page. What is an object of JSON stays one, no longer than it was, in which no list has more rows than it may
 * and no member is that was to be left out; and any other bytes are refused or copied, never read beyond. */
#include "audit/prune.h"
#include "base/arena.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const PruneRow own[] = {
	{ S("a") },
	{ S("b.a") },
	{ S("c"), .rows = 3 },
	{ S("d"), .rows = 1, .last = true },
};
static const PruneRules rules = { .rows = 2, .own = own, .own_count = COUNT(own) };
enum { MOST_ROWS = 3 };

static void must(bool fine)
{
	if (!fine)
		abort();
}

static void check_value(const Json *value)
{
	void *at = NULL;
	const Json *one;
	Str key;

	if (json_kind(value) == JSON_KIND_ARRAY) {
		must(json_count(value) <= MOST_ROWS);
		for (size_t i = 0; i < json_count(value); i++)
			check_value(json_at(value, i));
	}
	if (json_kind(value) == JSON_KIND_OBJECT)
		while (json_next(value, &at, &key, &one))
			check_value(one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	AUTO(buf_fini) Buf out = { 0 };
	Str text = { (const char *)data, size };
	const Json *before, *after;
	Cuts cuts = { 0 };
	Err *err = prune_json(a, text, &rules, &out, &cuts);

	for (size_t i = 0; i < cuts.count; i++)
		must(cuts.at[i].shown < cuts.at[i].of);
	/* A NUL after a number is passed over by json_read's library. */
	if (memchr(data, 0, size) || json_read(a, text, 0, &before) ||
	    json_kind(before) != JSON_KIND_OBJECT)
		return 0;
	must(!err && out.len <= size);
	must(!json_read(a, buf_str(&out), 0, &after));
	must(!json_get(after, S("a")));
	/* The last row of a list that keeps it is copied as it was. */
	if (!json_get(after, S("d")))
		check_value(after);
	return 0;
}
