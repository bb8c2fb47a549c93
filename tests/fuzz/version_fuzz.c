/* SPDX-License-Identifier: Apache-2.0
 *
 * Two lines: versions, or a specifier and a version. Order is total, what equals a version is allowed by "==" with it, and nothing is both below and
 * above. */
#include "audit/pep440.h"
#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str rest = { (const char *)data, size }, one;
	Pep440 x, y;

	str_split(&rest, '\n', &one);
	if (!pep440_read(rest, &y))
		return 0;
	pep440_allows(one, &y);
	if (!pep440_allows(str_fmt(a, ">=%.*s", STR_ARG(rest)), &y) && !y.local.len)
		abort();
	if (!pep440_read(one, &x))
		return 0;
	if (pep440_compare(&x, &x) != 0 ||
	    (pep440_compare(&x, &y) > 0) != (pep440_compare(&y, &x) < 0))
		abort();
	if (pep440_compare(&x, &y) == 0 && !pep440_allows(str_fmt(a, "==%.*s", STR_ARG(one)), &y))
		abort();
	return 0;
}
