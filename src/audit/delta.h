/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between two states, said: on a screen and as JSON, by --compare and by the gate. */
#pragma once
#include "audit/baseline.h"

#include <stdio.h>

/* New ones, those that grew, and what is gone; lists are cut at `most` lines and say so. */
void delta_screen(FILE *out, Arena *a, const Delta *delta, size_t most);
/* Members of an object that is open. new: findings as findings_put has them, with name, class, level, and new_in when it is in another file that
 * they are new; grown: [{ rule, name, path, line, before, now }]; fixed: [{ rule, name, path, count }]; fixed_count, moved, same. */
void delta_put(JsonWriter *w, const Delta *delta);
/* "shop/orders.py:41", or the path alone, or "(the project)". */
Str finding_place(Arena *a, const Finding *finding);
