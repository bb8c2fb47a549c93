/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with the fields of a request, all of it at once: a JSON pointer, a word for programs, a sentence for people. */
#pragma once
#include "base/err.h"

enum { FIELD_ERRORS = 32 }; /* more are not told */

typedef struct FieldError {
	Str pointer;      /* RFC 6901: "/profile/shoe_size" */
	const char *code; /* "too_short" */
	Str text;         /* "must have 8 characters at least" */
} FieldError;

struct FieldErrors {
	Arena *arena;
	FieldError at[FIELD_ERRORS];
	size_t count;
};
typedef struct FieldErrors FieldErrors;

void field_wrong(FieldErrors *wrong, Str pointer, const char *code, const char *fmt, ...)
	PRINTF(4, 5);
Str field_pointer(Arena *a, Str parent, Str key); /* with ~0 and ~1 */
/* NULL: nothing is wrong; else INVALID "user.fields" with the first as its sentence. */
Err *field_result(Arena *a, const FieldErrors *wrong) MUST_USE;
