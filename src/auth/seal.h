/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets at rest: closed with AES-256-GCM under a named key, opened with whichever key closed them. The first key closes;
 * the others are there until everything has been closed anew (seal_is_stale tells what has not). A sealed value is text,
 * "v1.KEY.base64url", bound to a context: what was closed for one row does not open for another. Nothing here parks; any
 * thread may use the keys at once. */
#pragma once
#include "base/err.h"

typedef struct Seal Seal; /* the keys; lives as long as the arena, which wipes them */

/* Each row "NAME:KEY": a name of 1 to 32 letters, digits, - and _; 32 bytes as base64 or hexadecimal. At least one. Fails with
 * INVALID "auth.seal_key", which never quotes a key. */
Err *seal_new(Arena *a, const Str *rows, size_t count, Seal **out) MUST_USE;
Str seal_make_row(Arena *a, Str name); /* a new random key as such a row */
/* For .verify of a configuration row. */
Err *seal_verify_row(Arena *a, Str row) MUST_USE;

/* context: what it belongs to: "totp:usr_0190...". Fails with INTERNAL "auth.seal". */
Err *seal_close(const Seal *seal, Arena *a, Str context, Str plain, Str *sealed) MUST_USE;
/* Fails with PRECONDITION "auth.seal_key_missing" (the sentence has the key's name), INVALID "auth.seal_broken" (changed, cut,
 * or closed for another context). */
Err *seal_open(const Seal *seal, Arena *a, Str context, Str sealed, Str *plain) MUST_USE;
bool seal_is_stale(const Seal *seal, Str sealed); /* closed under another than the first key */
/* A number that only who has the first key knows, the same in every process: for what must be secret and shared. */
uint64_t seal_number(const Seal *seal, Str purpose);
