/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64, strictly (RFC 4648): one text for one sequence of bytes. Nothing but the alphabet, no blanks, and the bits that
 * the last character has too many are zero. */
#pragma once
#include "base/buf.h"

/* URL-safe alphabet, no padding (RFC 7515, section 2). */
void b64url_put(Buf *b, Str bytes);
Str b64url(Arena *a, Str bytes);
/* False: it is none. *out lives in the arena. */
bool b64url_read(Arena *a, Str text, Str *out);

/* The ordinary alphabet, padded. */
Str b64(Arena *a, Str bytes);
bool b64_read(Arena *a, Str text, Str *out);
