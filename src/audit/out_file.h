/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that an audit writes: made beside their place and put there when they are whole, so that nobody ever reads a half. What is no plain file
 * (a pipe, /dev/stdout) is written to as it is. Blocks. */
#pragma once
#include "base/err.h"

/* A file that was there keeps its mode. Fails with the kind its errno has and "audit.write". */
Err *out_write(Arena *a, Str path, Str text) MUST_USE;
