/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons in one line, for the unit tests of src/shift/compare*. */
#pragma once
#include "base/arena.h"
#include "shift/compare.h"
#include "unit.h"

#define STRS(...) \
	{ \
		.at = (Str[]){ __VA_ARGS__ }, .count = COUNT(((Str[]){ __VA_ARGS__ })) \
	}

/* "kind path; kind path", in the order in which they were found; then "; N dropped". */
static inline Str compare_told(Arena *a, const Comparison *found)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < found->count; i++) {
		buf_put(&b, i ? S("; ") : S(""));
		buf_put(&b, compare_kind_name(found->at[i].kind));
		buf_putc(&b, ' ');
		buf_put(&b, found->at[i].path);
	}
	if (found->dropped)
		buf_fmt(&b, "; %zu dropped", found->dropped);
	return str_dup(a, buf_str(&b));
}

static inline Comparison compare_typed(Arena *a, const CompareRules *rules, Str type, Str old,
                                       Str new)
{
	static const CompareRules none = { 0 };
	const CompareField field = { S("Content-Type"), type };
	const CompareAnswer x = { 200, &field, type.len > 0, old, false };
	const CompareAnswer y = { 200, &field, type.len > 0, new, false };
	const Comparer *comparer = NULL;
	Comparison found;

	CHECK_OK(compare_new(a, rules ? rules : &none, &comparer));
	compare_answers(comparer, a, &x, &y, NULL, &found);
	return found;
}

/* Is this text anywhere in what a comparison keeps? */
static inline bool compare_keeps(const Comparison *found, Str text)
{
	for (size_t i = 0; i < found->count; i++)
		if (str_find(found->at[i].path, text) >= 0 ||
		    str_find(found->at[i].old, text) >= 0 || str_find(found->at[i].new, text) >= 0)
			return true;
	return false;
}
