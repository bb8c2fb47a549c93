/* SPDX-License-Identifier: Apache-2.0
 *
 * Header fields in a table of cases. */
#pragma once
#include "http/message.h"
#include "unit.h"

/* "A: 1|B: 2" */
static inline Headers headers_of(Arena *a, const char *text)
{
	Headers headers = { 0 };
	Str rest = str_of(text), line, name;

	while (rest.len && str_split(&rest, '|', &line)) {
		str_split(&line, ':', &name);
		headers_add(&headers, a, name, str_trim(line));
	}
	return headers;
}
