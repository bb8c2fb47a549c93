/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets that are handed out once and found again by their SHA-256 alone. Nothing here parks; any thread. */
#pragma once
#include "base/buf.h"

enum { SECRET_TOKEN = 43 /* bytes of a token */, SECRET_HASH = 32, SECRET_CODES = 10 };

Str secret_token(Arena *a);            /* 256 random bits, base64url */
Str secret_hash(Arena *a, Str secret); /* SECRET_HASH bytes */
/* Of several texts, each with its length before it: no two lists have the same bytes. */
Str secret_hash_of(Arena *a, const Str *parts, size_t count);
bool secret_eq(Str x, Str y); /* in a time that says nothing but whether the lengths are the same */
Str secret_csrf(Arena *a, Str token); /* from a session's token, which cannot be had from it */
Str secret_hex(Arena *a, Str bytes);
bool secret_unhex(Arena *a, Str text, Str *bytes); /* false: it is none */

Str secret_recovery_code(
	Arena *a); /* "k3vd-9q2m-xw7n-4hbt": 80 random bits, no letter that looks like another */
Str secret_recovery_norm(Arena *a, Str typed); /* any case, with or without hyphens and blanks */
