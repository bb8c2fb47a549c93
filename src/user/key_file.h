/* SPDX-License-Identifier: Apache-2.0
 *
 * The key that secrets in the database are closed with, where the configuration has none: a file beside the data, made when there
 * is none. */
#pragma once
#include "base/err.h"

/* Its first line, a row for seal_new. Made with a new key, readable for its owner only, when there is none. Blocks. */
Err *key_file_read(Arena *a, Str path, Str *row) MUST_USE;
