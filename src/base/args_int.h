/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of args share. */
#pragma once
#include "base/args.h"

/* The options every command has; --json only where the command says so. */
typedef struct CommonArgs {
	bool help;
	bool json;
	uint32_t log_level;
	uint32_t log_format;
} CommonArgs;

const ConfKey *args_common(size_t *count);
bool args_has_common(const Command *command, const ConfKey *key);

/* "banyan check [options] FILE", in the arena. */
Str args_usage(Arena *a, const Program *program, const Command *command);
/* Is it one of several under a first word: "db status" under "db"? */
bool args_is_under(const Command *command, Str word);
void args_put_family(Buf *b, const Program *program,
                     Str word); /* the overview of those under a word */

/* Every command in turn: after NULL the first, after the last NULL. */
const Command *args_next(const Program *program, const Command *after);
