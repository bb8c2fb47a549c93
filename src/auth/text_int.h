/* SPDX-License-Identifier: Apache-2.0
 *
 * Code points, for the files that judge them: text.c, text_precis.c. */
#pragma once
#include "auth/text.h"

typedef struct Points {
	uint32_t *at;
	size_t count;
} Points;

/* False: not UTF-8. */
bool points_read(Arena *a, Str text, Points *out);
Str points_text(Arena *a, const Points *points);

enum { TEXT_NFC, TEXT_NFKC };
Str text_normal(Arena *a, Str text, int form);
Str text_fold(Arena *a, Str text);  /* NFKC and case folded */
Str text_lower(Arena *a, Str text); /* lower case and NFC */

bool point_is_forbidden(uint32_t point); /* in anything */
bool point_is_unassigned(uint32_t point);

/* RFC 8264: the identifier class, with its contexts. NULL: all are in it; else what is wrong, "a space", "a symbol". */
const char *precis_identifier(const Points *points);
/* RFC 5893, 2. */
bool precis_bidi(const Points *points);
/* Of one script, or of those that are written together. */
bool text_of_one_script(const Points *points);
uint32_t precis_width(uint32_t point); /* full and half width as the usual ones */
