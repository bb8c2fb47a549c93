/* SPDX-License-Identifier: Apache-2.0
 *
 * A report's file: written beside its place and put there when it is whole, so that nobody ever reads a half. "-" is standard output; what is no
 * plain file (a pipe, /dev/stdout) is written to as it is. Blocks. */
#pragma once
#include "base/buf.h"

typedef struct OutFile {
	Buf buf; /* what is to be written next */
	Arena *a;
	const char *path, *fresh; /* fresh: where it is until it is whole; NULL: in place */
	int fd, error;            /* error: errno of the first write that failed */
} OutFile;

/* Fails with the kind its errno has and "audit.write". */
Err *out_open(Arena *a, Str path, OutFile *out) MUST_USE;
/* Now and then while `buf` grows: writes when there is much. */
void out_turn(OutFile *out);
/* Writes the rest and puts the file in its place. Fails as out_open. */
Err *out_keep(OutFile *out) MUST_USE;
void out_drop(OutFile *out); /* for AUTO: what was not kept is gone */
#define OUT_NONE ((OutFile){ .fd = -1 })
/* All at once. */
Err *out_write(Arena *a, Str path, Str text) MUST_USE;
