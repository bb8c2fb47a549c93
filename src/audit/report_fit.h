/* SPDX-License-Identifier: Apache-2.0
 *
 * A text cut to the lines of a screen. */
#pragma once
#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>

/* Writes `text` with at most `most` lines, as far as that can be: empty lines go first, then rows below a heading (lines that begin with two
 * blanks): of the longest run of them the deepest, the last of these first; rows of trends and of a comparison after all others, and the only row of a
 * heading never. True: rows are missing, and somebody has to say where they are. */
bool report_fit(FILE *out, Str text, size_t most);
