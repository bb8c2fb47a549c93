/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan load`: the rows for main. */
#pragma once
#include "base/args.h"

const Command *load_commands(size_t *count);

/* `banyan load init`. */
typedef struct InitArgs {
	Str from, output;
	bool force, writes;
} InitArgs;
CommandRun load_init;

void load_put_metrics(Buf *out); /* what --metrics shows, as a page of the manual */
