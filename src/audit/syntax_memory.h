/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for one parse at a time: handed out quickly, taken back as a whole. tree-sitter asks for all of its memory here. */
#pragma once
#include "base/util.h"

typedef struct SyntaxMemory SyntaxMemory;

SyntaxMemory *syntax_memory_new(void) RETURNS_NONNULL;
void syntax_memory_free(SyntaxMemory *m); /* NULL is fine */
/* From here to the end what tree-sitter asks for in this thread comes from m; what it had from the parse before is gone. */
void syntax_memory_begin(SyntaxMemory *m);
void syntax_memory_end(void);
size_t syntax_memory_bytes(const SyntaxMemory *m); /* that it holds at present */
