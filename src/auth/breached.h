/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords that everyone knows: a list built from breaches, and the commonest ones by rule without any file. No network. */
#pragma once
#include "base/err.h"

#include <stdio.h>

typedef struct Breached Breached; /* a list, mapped; any thread */

/* One in the built form. Fails as file_read, and with INVALID "auth.breached_list". Maps; blocks on the disk. */
Err *breached_open(Arena *a, Str path, Breached **out) MUST_USE;
void breached_close(Breached *list); /* NULL is fine */
uint64_t breached_count(const Breached *list);
/* Is it in the list (NULL: none), or a common word in one of its usual disguises? May block on the disk: on a worker. */
bool breached_has(const Breached *list, Str password);
/* The rule without a list: "Password123!", "qwertzuiop", "aaaaaaaa". Does not block. */
bool breached_is_common(Str password);

typedef struct BreachedBuilt {
	uint64_t lines;
	uint64_t entries; /* without doubles */
	uint64_t skipped; /* empty, or seen too seldom */
} BreachedBuilt;
/* Reads lines to the end: plain passwords, or SHA-1 in hexadecimal with ":COUNT" after it, of which those with fewer than
 * `seen` are left out; writes the built form to `path` (made anew, renamed into place). Takes 6 bytes of memory an entry.
 * Blocks. Fails with IO "auth.breached_file". */
Err *breached_build(Arena *a, FILE *lines, uint64_t seen, Str path, BreachedBuilt *out) MUST_USE;
