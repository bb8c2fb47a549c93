/* SPDX-License-Identifier: Apache-2.0
 *
 * What every text that an expression is found in must hold, letter for letter: so that of many expressions only those
 * are asked that could match. */
#pragma once
#include "base/str.h"

enum { ROUTE_LITERALS = 6, ROUTE_GRAM = 4 };

typedef struct RouteLiteral {
	Str text;
	bool start; /* the text begins with it */
} RouteLiteral;

/* At most ROUTE_LITERALS, each at least a letter long, in the order of the expression; their text is in the arena. Whoever
 * matches holds all of them. Returns how many; 0 for an expression that has none or is not understood. */
size_t route_literals(Arena *a, Str pattern, RouteLiteral *out);
/* Does it hold ROUTE_GRAM of them in a row, or begin with more than a slash? Else it is asked for every path. */
bool route_literal_narrows(Arena *a, Str pattern);
/* The one that the text begins with; may be empty. "^/api/v\d+" has "/api/v". */
Str route_literal_start(Arena *a, Str pattern);
