/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of many expressions could match a path: by letters that a match must hold, so that a path is held against a few
 * of a thousand. Immutable; any thread. */
#pragma once
#include "gateway/route_regex.h"

typedef struct RouteIndex RouteIndex;

enum { ROUTE_INDEX_MOST = 10000, ROUTE_INDEX_WORDS = (ROUTE_INDEX_MOST + 63) / 64 };

/* At most ROUTE_INDEX_MOST expressions. Lives as long as the arena. */
const RouteIndex *route_index_new(Arena *a, const RouteRegex *const *regexes, size_t count);
/* Bit i of bits[i / 64] is set when expression i could match; (count + 63) / 64 words are written. Its cost depends on the
 * path's length and on the expressions that hold no four letters in a row. */
void route_index_ask(const RouteIndex *index, Str path, uint64_t *bits);
