/* SPDX-License-Identifier: Apache-2.0
 *
 * file_read for fibers: on a worker, so that the loop goes on. */
#pragma once
#include "base/file.h"

/* Parks. Fails as file_read and work_run do. */
Err *file_read_away(Arena *a, Str path, size_t limit_bytes, Str *out) MUST_USE;
