/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole small files, for configurations, keys and secrets. Blocks on the disk: at start, on a worker, or in a command. */
#pragma once
#include "base/err.h"

/* The file's bytes, in the arena. limit_bytes 0: none. Fails with the kind its errno has and "base.file" (the sentence
 * has the path), or TOO_LARGE "base.file_too_large". */
Err *file_read(Arena *a, Str path, size_t limit_bytes, Str *out) MUST_USE;
/* The same of regular files only, for paths that a stranger's tree names: never waits at a pipe or a terminal. INVALID "base.no_file". */
Err *file_read_plain(Arena *a, Str path, size_t limit_bytes, Str *out) MUST_USE;
