/* SPDX-License-Identifier: Apache-2.0
 *
 * Form: names and values of application/x-www-form-urlencoded, out of a query or a body (WHATWG URL, section 5), read strictly:
 * a name that stands there twice is a mistake, as OAuth wants it (RFC 6749, section 3.1). Views live in the arena. */
#pragma once
#include "base/buf.h"

enum { FORM_PAIRS = 64, FORM_BYTES = 64 << 10 };

typedef struct FormPair {
	Str name;
	Str value;
} FormPair;

typedef struct Form {
	FormPair *at;
	size_t count;
} Form;

/* Fails with INVALID "form.escape" (a % without two digits, NUL, no UTF-8), "form.twice" (a name given twice; the name is
 * in the sentence), TOO_LARGE "form.too_large". An empty text has no pairs. */
Err *form_read(Arena *a, Str text, Form *out) MUST_USE;

/* Empty when it is not there, or is empty: OAuth sees no difference (RFC 6749, section 3.1). */
Str form_get(const Form *form, const char *name);

/* Name and value, escaped, with what stands between pairs when something is in the buffer that does not end in '?'. */
void form_put(Buf *b, Str name, Str value);
void form_put_escaped(Buf *b, Str text); /* one part: all but unreserved characters as %XX */
